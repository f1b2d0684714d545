from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.symbols import SymbolError, bind, escape, unbind

NAMES = {
    "table:t0": "dyn_7f_t0",
    "table:t1": "dyn_7f_t0_more",
    "arn:t0": "arn:aws:dynamodb:us-east-1:400000000004:table/dyn_7f_t0",
    "token:a": "0d9c",
}
REPLIES = {
    3: {
        "LastEvaluatedKey": {"pk": {"S": "a"}},
        "Count": 2,
        "Shards": [{"ShardId": "s-1"}],
        "None": None,
        "Arn": "a:b:c/d",
    }
}


@pytest.mark.parametrize(
    ("symbolic", "bound"),
    [
        ("${table:t0}", "dyn_7f_t0"),
        ('SELECT * FROM "${table:t0}"."gsi"', 'SELECT * FROM "dyn_7f_t0"."gsi"'),
        ({"RequestItems": {"${table:t0}": []}}, {"RequestItems": {"dyn_7f_t0": []}}),
        ("${arn:t0}/index/g1", "arn:aws:dynamodb:us-east-1:400000000004:table/dyn_7f_t0/index/g1"),
        ("${token:a}", "0d9c"),
        ("${reply:3:LastEvaluatedKey}", {"pk": {"S": "a"}}),
        ("${reply:3:Shards[0].ShardId}", "s-1"),
        ("shard ${reply:3:Shards.0.ShardId}!", "shard s-1!"),
        ("of ${reply:3:Arn.:1}, ${reply:3:Arn./}", "of b, d"),
        ("${reply:3:Count}", 2),
        ("${reply:3:None}", None),
        ("${time:+3600}", "1700003600"),
        ("${time:-60}.5", "1699999940.5"),
        ("${epoch:0}", 1700000000),
        ("${lit:${x}", "${lit:${x}"),
        ("${lit:$}{table:t0}", "${table:t0}"),
        ("${unknown:t0} ${ $", "${unknown:t0} ${ $"),
        ({"a": [1, 1.5, None, True, ("${table:t0}",)]}, {"a": [1, 1.5, None, True, ["dyn_7f_t0"]]}),
    ],
)
def test_bind(symbolic: Any, bound: Any) -> None:
    assert bind(symbolic, NAMES, REPLIES, 1700000000.9) == bound


@pytest.mark.parametrize(
    ("symbolic", "says"),
    [
        ("${table:t9}", r"\$\{table:t9\} has no name"),
        ({"${arn:t9}": 1}, r"\$\{arn:t9\} has no name"),
        ("${reply:4:Count}", r"\$\{reply:4:Count\} is no part of the reply of call 4"),
        ("${reply:3:Nothing}", "is no part of the reply of call 3"),
        ("${reply:3:Shards[7]}", "is no part of the reply of call 3"),
        ("${reply:3:Count.more}", "is no part of the reply of call 3"),
        ("${reply:x:Count}", "is no part of the reply of call x"),
        ("key ${reply:3:LastEvaluatedKey}", "is not text, so it must be the whole of a string"),
        ("${time:soon}", "must hold a whole number of seconds"),
    ],
)
def test_what_cannot_be_bound_is_said(symbolic: Any, says: str) -> None:
    with pytest.raises(SymbolError, match=says):
        bind(symbolic, NAMES, REPLIES)


@pytest.mark.parametrize(
    ("body", "symbolic"),
    [
        ("Table: dyn_7f_t0 not found.", "Table: ${table:t0} not found."),
        ("dyn_7f_t0_more", "${table:t1}"),
        ("'RequestItems.dyn_7f_t0.member.Keys'", "'RequestItems.${table:t0}.member.Keys'"),
        ("dyn_7f_t0_other adyn_7f_t0", "dyn_7f_t0_other adyn_7f_t0"),
        ("x.dyn_7f_t0, dyn_7f_t0-b", "x.${table:t0}, ${table:t0}-b"),
        (NAMES["arn:t0"] + "/stream/2026", "${arn:t0}/stream/2026"),
        ({"dyn_7f_t0": ["dyn_7f_t0", 1]}, {"${table:t0}": ["${table:t0}", 1]}),
        ("a ${table:t0} b", "a ${lit:$}{table:t0} b"),
    ],
)
def test_unbind(body: Any, symbolic: Any) -> None:
    assert unbind(body, NAMES) == symbolic


def test_unbind_is_bounded_in_depth() -> None:
    body: Any = "dyn_7f_t0"
    for _ in range(5000):
        body = [body]
    assert isinstance(unbind(body, NAMES), list)


TEXTS = st.lists(st.sampled_from([*NAMES.values(), "${", "}", "${table:t0}", "${lit:$}", "$", "{", "x", "-"])).map(
    "".join
)
BODIES = st.recursive(TEXTS | st.integers(), lambda s: st.lists(s) | st.dictionaries(TEXTS, s), max_leaves=8)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(BODIES)
def test_bind_undoes_unbind(body: Any) -> None:
    assert bind(unbind(body, NAMES), NAMES, {}) == body


@settings(deadline=None, max_examples=100, derandomize=True)
@given(TEXTS)
def test_bind_undoes_escape(text: str) -> None:
    assert bind(escape(text), NAMES, {}) == text
