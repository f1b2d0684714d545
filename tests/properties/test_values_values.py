"""Values and items of any shape: normal form, equality, order, size; hostile JSON never raises."""

from __future__ import annotations

import base64
import json
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.rules import Violation, surface
from reference.values.item import attribute_names, item_size, normalise_item
from reference.values.value import compare, depth, normalise, order_sets, size, sort_key

lawful = settings(deadline=None, max_examples=120, derandomize=True)
texts = st.text(st.characters(codec="utf-8"), max_size=4) | st.sampled_from(["", "a", "b", "ab"])
numbers = st.sampled_from(["0", "1", "1.0", "10", "1e1", "-1", "2", ".5", "0.50", "5e-1", "100", "1E2"])
blobs = st.binary(max_size=4).map(lambda raw: base64.b64encode(raw).decode())
layers = st.sampled_from(["current", "older"])


def _tagged(tag, content):
    return content.map(lambda inner: {tag: inner})


scalars = st.one_of(
    _tagged("S", texts), _tagged("N", numbers), _tagged("B", blobs), _tagged("BOOL", st.booleans()),
    st.just({"NULL": True}),
)  # fmt: skip
sets = st.one_of(
    _tagged("SS", st.lists(texts, min_size=1, max_size=4, unique=True)),
    _tagged("NS", st.lists(numbers, min_size=1, max_size=4, unique_by=Decimal)),
    _tagged("BS", st.lists(blobs, min_size=1, max_size=4, unique=True)),
)
names = st.sampled_from(["a", "b", "é"])
values = st.recursive(
    scalars | sets,
    lambda inner: _tagged("L", st.lists(inner, max_size=3)) | _tagged("M", st.dictionaries(names, inner, max_size=3)),
    max_leaves=6,
)
tags = st.sampled_from(["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M", "X", ""])
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | texts | st.text("0123456789e-. \udc80", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(tags, inner, max_size=2),
    max_leaves=12,
)


def slow_equal(a, b):
    """Deep equality by definition, of values as sent (dataplane:COND-1)."""
    ((tag, left),) = a.items()
    ((other, right),) = b.items()
    if tag != other:
        return False
    if tag == "N":
        return Decimal(left) == Decimal(right)
    if tag == "L":
        return len(left) == len(right) and all(slow_equal(x, y) for x, y in zip(left, right, strict=True))
    if tag == "M":
        return sorted(left) == sorted(right) and all(slow_equal(left[name], right[name]) for name in left)
    if tag in ("SS", "NS", "BS"):
        single = {"SS": "S", "NS": "N", "BS": "B"}[tag]
        return len(left) == len(right) and all(any(slow_equal({single: x}, {single: y}) for y in right) for x in left)
    return left == right


def kept(value, layer="current"):
    found: list[Violation] = []
    result = normalise(value, layer, found)
    assert found == []
    assert result is not None
    return result


@lawful
@given(values, layers)
def test_normal_form_is_idempotent_and_equal(value, layer):
    before = json.dumps(value)
    once = kept(value, layer)
    assert kept(once, layer) is once
    assert slow_equal(once, value)
    assert json.dumps(value) == before
    item = {"k": value, "é": {"S": "x"}}
    assert normalise_item(item, layer, []) == {"k": once, "é": {"S": "x"}}
    assert item_size({"k": once, "é": {"S": "x"}}) == 1 + size(once) + 2 + 1


@lawful
@given(values, values)
def test_python_equality_is_deep_equality(a, b):
    assert (kept(a) == kept(b)) == slow_equal(a, b)
    assert kept(a) == kept(json.loads(json.dumps(a, sort_keys=True)))


@lawful
@given(sets, st.randoms(use_true_random=False))
def test_sets_have_no_order(value, random):
    ((tag, members),) = value.items()
    shuffled = list(members)
    random.shuffle(shuffled)
    assert kept({tag: shuffled}) == kept(value)
    assert kept(value)[tag] == order_sets(tag, kept({tag: shuffled})[tag])


def bytes_of(value):
    ((tag, inner),) = value.items()
    return inner.encode() if tag == "S" else base64.b64decode(inner) if tag == "B" else Decimal(inner)


@lawful
@given(scalars, scalars)
def test_order_is_that_of_bytes_and_numbers(a, b):
    a, b = kept(a), kept(b)
    order = compare(a, b)
    if list(a) != list(b) or next(iter(a)) in ("BOOL", "NULL"):
        assert order is None
    else:
        left, right = bytes_of(a), bytes_of(b)
        assert order == (left > right) - (left < right)
        assert (sort_key(a) < sort_key(b)) == (left < right)
        assert (sort_key(a) == sort_key(b)) == (a == b)


@lawful
@given(junk, layers)
def test_any_json_is_judged_without_raising(value, layer):
    before = repr(value)
    for operation in ("PutItem", "Scan"):
        found: list[Violation] = []
        result = normalise(value, layer, found)
        whole = normalise_item(value, layer, found)
        if isinstance(value, dict):
            found += attribute_names(value)
        assert depth(value) >= 0
        for violation in found:
            assert violation.message(surface(operation))
            assert violation.at(":v").refusal(surface(operation)).code == "ValidationException"
        if result is not None:
            assert size(result) >= 0
        if whole is not None:
            assert item_size(whole) >= 0
    assert repr(value) == before


@lawful
@given(values, st.integers(0, 40))
def test_depth_decides(value, wraps):
    inner = depth(value)
    for _ in range(wraps):
        value = {"M": {"a": {"L": [value]}}} if wraps % 2 else {"L": [value]}
    total = inner + wraps * (1 + wraps % 2)
    assert depth(value) == total
    found: list[Violation] = []
    assert (normalise(value, "current", found) is None) == (total > 31)
    assert {violation.rule.name for violation in found} == ({"values.nesting"} if total > 31 else set())
