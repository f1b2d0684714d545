"""What conditions mean: the recorded vectors of comparisons, functions and connectives."""

from __future__ import annotations

from typing import Any

import pytest

from reference.expressions.condition import evaluate
from reference.expressions.request import read
from reference.rules import every

SIZES = {
    "a": {"S": "hello"},
    "b": {"NS": ["2", "4", "7"]},
    "c": {"L": [{"N": "2"}, {"S": "dog"}, {"N": "7"}]},
    "d": {"B": "aGkgdGhlcmU="},  # hi there
    "e": {"M": {"x": {"N": "2"}, "y": {"M": {"m": {"N": "3"}, "n": {"N": "4"}}}}},
    "f": {"N": "5"},
    "g": {"BOOL": True},
    "h": {"NULL": True},
}
ABC = {"a": {"N": "1"}, "b": {"N": "2"}, "c": {"N": "3"}}


def holds(condition: str, item: dict[str, Any], **values: Any) -> bool:
    """Whether the item meets the condition; keyword arguments are its ``:values``."""
    request: dict[str, Any] = {"ConditionExpression": condition}
    if values:
        request["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    found, expressions = every(read("PutItem", request, ("Condition",), "current"))
    assert not found, [v.message for v in found]
    assert expressions is not None
    assert expressions.condition is not None
    return evaluate(expressions.condition, item)


@pytest.mark.parametrize(
    ("operand", "size"), [("a", "5"), ("b", "3"), ("c", "3"), ("d", "8"), ("e", "2"), ("e.y", "2"), ("c[1]", "3")]
)
def test_size(operand: str, size: str) -> None:
    assert holds(f"size({operand}) = :n", SIZES, n={"N": size})
    assert not holds(f"size({operand}) <> :n", SIZES, n={"N": size})
    assert holds(f"size({operand}) BETWEEN :n AND :n", SIZES, n={"N": size})
    assert holds(f"size({operand}) IN (:n)", SIZES, n={"N": size})


@pytest.mark.parametrize("operand", ["f", "g", "h", "absent", "e.x"])
def test_what_has_no_size(operand: str) -> None:
    for operator in ("=", "<", "<=", ">", ">="):
        assert not holds(f"size({operand}) {operator} :n", SIZES, n={"N": "1"})
    assert holds(f"size({operand}) <> :n", SIZES, n={"N": "1"})


def test_size_against_other_things() -> None:
    assert not holds("size(a) = :dog", SIZES, dog={"S": "dog"})
    assert holds("size(a) = f", SIZES)
    assert holds("size(:xyz) = :n", {}, xyz={"S": "xyz"}, n={"N": "3"})
    assert holds("size(a) = :n", {"a": {"S": "😀é"}}, n={"N": "3"})
    assert holds("size(a) = :n", {"a": {"S": ""}}, n={"N": "0"})


def test_equality_and_missing_attributes() -> None:
    one = {"N": "1"}
    assert not holds("a = b", {})
    assert holds("NOT a = b", {})
    assert holds("a <> b", {})
    assert holds("a <> :v", {}, v=one)
    assert holds(":v <> a", {}, v=one)
    assert not holds("a = :v", {}, v=one)
    assert not holds("a < :v", {}, v=one)
    assert not holds(":v >= a", {}, v=one)
    assert holds("NOT a = :v", {}, v=one)
    assert holds("a = :v", ABC, v={"N": "1.0"})
    assert not holds("a = :v", ABC, v={"S": "1"})
    assert holds("a <> :v", ABC, v={"S": "1"})
    assert holds("a = :v", {"a": {"NS": ["1", "2"]}}, v={"NS": ["2", "1"]})
    assert not holds("a = :v", {"a": {"L": [one, {"N": "2"}]}}, v={"L": [{"N": "2"}, one]})
    assert not holds("a = :v", {"a": {"NS": ["100000000000000001"]}}, v={"NS": ["100000000000000002"]})
    nested = {"M": {"x": {"SS": ["g", "h"]}, "y": {"L": [{"SS": ["j"]}]}}}
    assert holds("a = :v", {"a": nested}, v={"M": {"y": {"L": [{"SS": ["j"]}]}, "x": {"SS": ["h", "g"]}}})


def test_order_is_within_one_of_three_types() -> None:
    item = {"n": {"N": "1"}, "s": {"S": "cat"}, "b": {"B": "fw=="}, "l": {"L": []}}  # b: byte 127
    assert holds("n < :v", item, v={"N": "2"})
    assert holds("s < :v", item, v={"S": "dog"})
    assert holds("b < :v", item, v={"B": "gA=="})  # byte 128: unsigned
    assert holds("b BETWEEN :x AND :y", item, x={"B": "fg=="}, y={"B": "gA=="})
    assert not holds("n < :v", item, v={"S": "17"})
    assert not holds("l < :v", item, v={"N": "1"})
    assert not holds("n < l", item)
    assert not holds("n >= l OR l >= n", item)
    assert holds("n <= :v AND n >= :v AND NOT n < :v AND NOT n > :v", item, v={"N": "1"})
    assert holds(":x < :y", {}, x={"N": "9"}, y={"N": "10"})
    assert not holds(":x < :y", {}, x={"S": "9"}, y={"S": "10"})


def test_between() -> None:
    assert holds("a BETWEEN :x AND :y", {"a": {"S": "hello"}}, x={"S": "hello"}, y={"S": "zebra"})
    assert holds("b BETWEEN a AND c", ABC)
    assert not holds("a BETWEEN b AND c", ABC)
    assert not holds("b BETWEEN c AND a", ABC)
    assert not holds("a BETWEEN b AND x", ABC | {"x": {"S": "dog"}})
    assert not holds("a BETWEEN :x AND :y", ABC, x={"S": "0"}, y={"S": "2"})
    assert not holds("q BETWEEN a AND b", ABC)
    assert holds("b BETWEEN a AND c AND a < b", ABC)
    item = {"b": {"B": "Y2F0"}}  # cat
    assert holds("b BETWEEN :x AND :y", item, x={"B": "YWFyZHZhcms="}, y={"B": "ZG9n"})


def test_in_takes_any_types() -> None:
    assert holds("a IN (:x, :y)", ABC, x={"S": "dog"}, y={"N": "1"})
    assert holds("a IN (b, c, :x)", ABC, x={"N": "1"})
    assert not holds("a IN (b, c)", ABC)
    assert not holds("q IN (r)", {})
    value = {"M": {"x": {"L": [{"NULL": True}]}}}
    assert holds("a IN (:v)", {"a": value}, v=value)


def test_existence_and_types() -> None:
    item = {"a": {"NULL": True}, "m": {"M": {"l": {"L": [{"S": "x"}]}}}}
    assert holds("attribute_exists(a)", item)
    assert not holds("attribute_not_exists(a)", item)
    assert holds("attribute_exists(m.l[0]) AND attribute_not_exists(m.l[1]) AND attribute_not_exists(m.x)", item)
    assert holds("attribute_not_exists(a.b) AND attribute_not_exists(m[0]) AND attribute_not_exists(m.l.x)", item)
    assert holds("attribute_type(a, :t)", item, t={"S": "NULL"})
    assert not holds("attribute_type(a, :t)", item, t={"S": "S"})
    assert not holds("attribute_type(absent, :t)", item, t={"S": "S"})
    assert holds("attribute_type(:v, :t)", {}, v={"N": "0"}, t={"S": "N"})
    assert holds("attribute_not_exists(p)", {})
    assert holds("p <> :p", {}, p={"S": "x"})


def test_begins_with() -> None:
    item = {"a": {"S": "hello"}, "b": {"B": "aGkgdGhlcmU="}, "c": {"N": "2"}, "he": {"S": "he"}}
    assert holds("begins_with(a, :p)", item, p={"S": "hell"})
    assert holds("begins_with(b, :p)", item, p={"B": "aGk="})
    assert not holds("begins_with(b, :p)", item, p={"S": "hi"})
    assert not holds("begins_with(a, :p)", item, p={"S": "dog"})
    assert not holds("begins_with(c, :p)", item, p={"S": "dog"})
    assert not holds("begins_with(c, a)", item)
    assert not holds("begins_with(absent, :p)", item, p={"S": ""})
    assert holds("begins_with(:s, a)", item, s={"S": "hellohi"})
    assert holds("begins_with(a, he)", item)


def test_contains() -> None:
    item = {
        "a": {"S": "hello"},
        "b": {"NS": ["2", "4", "7"]},
        "c": {"L": [{"N": "2"}, {"N": "4"}]},
        "d": {"B": "aGkgdGhlcmU="},
        "e": {"L": [{"S": "hi"}, {"NS": ["1", "2"]}, {"L": [{"N": "3"}]}]},
        "f": {"SS": ["", "x"]},
        "m": {"M": {"a": {"S": "a"}}},
    }
    assert holds("contains(a, :v)", item, v={"S": "ell"})
    assert holds("contains(b, :v)", item, v={"N": "4.0"})
    assert holds("contains(c, :v)", item, v={"N": "4"})
    assert holds("contains(d, :v)", item, v={"B": "aGVyZQ=="})
    assert not holds("contains(d, :v)", item, v={"B": "ZG9n"})
    assert not holds("contains(d, :v)", item, v={"NS": ["1", "2"]})
    assert holds("contains(e, :v)", item, v={"NS": ["2", "1"]})
    assert holds("contains(e, :v)", item, v={"L": [{"N": "3"}]})
    assert holds("contains(f, :v)", item, v={"S": ""})
    assert not holds("contains(a, :v)", item, v={"N": "1"})
    assert not holds("contains(b, :v)", item, v={"S": "4"})
    assert not holds("contains(m, :v)", item, v={"S": "a"})
    assert not holds("contains(absent, :v)", item, v={"S": "a"})
    assert holds("contains(:v, a)", item, v={"S": "othello"})


def test_connectives() -> None:
    assert holds("a < b AND b < c", ABC)
    assert not holds("a < b AND c < b", ABC)
    assert holds("b < a OR b < c", ABC)
    assert not holds("b < a OR c < b", ABC)
    assert holds("a < b OR c < b AND b < a", ABC)  # AND first
    assert not holds("(a < b OR c < b) AND b < a", ABC)
    assert not holds("NOT a < b AND c < b", ABC)
    assert not holds("NOT a < b OR c < b", ABC)
    assert holds("NOT (a < b AND c < b)", ABC)
    assert holds("NOT NOT NOT NOT a < b", ABC)


def test_deep_conditions_evaluate() -> None:
    assert holds("a<b " + "or (a<b " * 149 + ")" * 149, ABC)
    assert not holds("(not " * 299 + "a < b" + ")" * 299, ABC)
