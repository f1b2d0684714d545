"""Any body of any operation is judged without failing; bodies made to the model's measure pass."""

from __future__ import annotations

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference import requests
from reference.requests import fast, front
from reference.requests.constraints import Found
from reference.requests.model import inputs
from reference.requests.types import Reader
from reference.rules import COHORTS

OPERATIONS = sorted(requests.operations())
QUICK = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["YQ==", "abc", "a!", ""]),
)
junk = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                st.sampled_from(["S", "N", "B", "M", "L", "SS", "BS", "NULL", "BOOL", "abc"]), st.text(max_size=3)
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=12,
)


def deep(wraps):
    value = {"S": "leaf"}
    for wrap in range(wraps):
        value = {"M": {"n": value}} if wrap % 2 else {"L": [value]}
    return value


attribute_values = st.one_of(
    st.text(max_size=5).map(lambda text: {"S": text}),
    st.integers().map(lambda number: {"N": str(number)}),
    st.sampled_from(
        [{"B": "YWJj"}, {"BOOL": False}, {"NULL": True}, {"SS": ["a"]}, {"BS": ["AA=="]}, {"L": []}, {"M": {}}]
    ),
    st.integers(0, 80).map(deep),
)


@st.composite
def nearly(draw, shape, odds=9):
    """A body of about the shape: every member now and then left out, or replaced by junk."""
    if draw(st.integers(0, odds)) == 0:
        return draw(junk)
    if shape.kind == "structure":
        names = draw(st.sets(st.sampled_from(sorted(shape.members)))) if shape.members else set()
        return {name: draw(nearly(shape.members[name])) for name in sorted(names | set(shape.required))}
    if shape.kind == "list":
        return draw(st.lists(nearly(shape.element), max_size=3))
    if shape.kind == "map":
        return draw(st.dictionaries(st.text(string.ascii_letters, max_size=4), nearly(shape.element), max_size=3))
    if shape.enum:
        return draw(st.sampled_from([*shape.enum, "BOGUS"]))
    if shape.kind == "value":
        return draw(attribute_values)
    if shape.kind == "boolean":
        return draw(st.booleans())
    if shape.kind in ("integer", "long", "double", "timestamp"):
        return draw(st.integers(-2, 40_000))
    return draw(st.text(string.ascii_letters + "!;", max_size=6))


@st.composite
def fitting(draw, shape):
    """A body that its model allows."""
    if shape.kind == "structure":
        optional = sorted(set(shape.members) - shape.required)
        chosen = draw(st.sets(st.sampled_from(optional), max_size=3)) if optional else set()
        return {name: draw(fitting(shape.members[name])) for name in sorted(shape.required | chosen)}
    if shape.enum:
        return draw(st.sampled_from(shape.enum))
    low = shape.min or 0
    most = low + 2 if shape.max is None else min(shape.max, low + 2)
    if shape.kind == "list":
        return draw(st.lists(fitting(shape.element), min_size=low, max_size=most))
    if shape.kind == "map":
        return draw(st.dictionaries(fitting(shape.keys), fitting(shape.element), min_size=low, max_size=most))
    if shape.kind == "value":
        return draw(attribute_values)
    if shape.kind == "boolean":
        return draw(st.booleans())
    if shape.kind in ("integer", "long", "double", "timestamp"):
        return draw(st.integers(low, shape.max if shape.max is not None else low + 9))
    if shape.kind == "table":
        return draw(st.text("abc_.-", min_size=3, max_size=9))
    if shape.pattern:
        pattern = shape.pattern.removeprefix("^").removesuffix("$")
        return (
            draw(
                st.from_regex(rf"\A(?:{pattern})\Z", alphabet=st.characters(max_codepoint=127)).filter(
                    lambda text: low <= len(text) <= (shape.max or len(text))
                )
            )
            if low <= 3
            else "0123456789abcdef" * 7
        )
    return draw(st.text(string.ascii_letters, min_size=low, max_size=most))


def says_nothing_unspeakable(operation, body):
    found = list(requests.check(operation, body))
    assert len(found) <= 24
    for violation in found:
        assert len(violation.parts) <= front.MOST
        assert violation.rule.error in ("SerializationException", "ValidationException")
        for cohort in COHORTS:
            answer = violation.refusal(requests.speaker(operation, body, cohort))
            assert answer.message is not None or answer.rules == ("wire.not-an-object",)
    return found


@QUICK
@given(st.sampled_from(OPERATIONS), junk)
def test_junk_is_judged(operation, body):
    says_nothing_unspeakable(operation, body)


@QUICK
@given(st.data(), st.sampled_from(OPERATIONS))
def test_bodies_with_mistakes_are_judged(data, operation):
    body = data.draw(nearly(inputs()[operation], odds=30))
    says_nothing_unspeakable(operation, body)


@QUICK
@given(st.data(), st.sampled_from(OPERATIONS))
def test_what_the_quick_way_lets_pass_the_slow_way_passes(data, operation):
    shape = inputs()[operation]
    body = data.draw(st.one_of(nearly(shape, odds=60), fitting(shape)))
    if fast.predicate(shape)(body):
        reader = Reader()
        clean = reader.read(shape, body)
        assert reader.found == []
        found = Found()
        found.structure(shape, clean)
        assert found.broken == []
        assert {name: body[name] for name in body if name in shape.members} == clean


UNSTATED = ("wire.write-request-kind", "wire.transact-action-empty", "wire.table-class")


@QUICK
@given(st.data(), st.sampled_from(OPERATIONS))
def test_fitting_bodies_pass(data, operation):
    body = data.draw(fitting(inputs()[operation]))
    found = [violation.rule.name for violation in requests.check(operation, body)]
    assert [name for name in found if name not in UNSTATED] == []
    read = requests.read(operation, body)
    assert read.typed
    assert read.body == body


@QUICK
@given(st.data(), st.sampled_from(OPERATIONS))
def test_reading_twice_changes_nothing(data, operation):
    body = data.draw(nearly(inputs()[operation], odds=40))
    once = requests.read(operation, body)
    if once.typed:
        again = requests.read(operation, once.body)
        assert again.typed
        assert again.body == once.body
        told = {violation.rule.name for violation in once.violations}
        assert {violation.rule.name for violation in again.violations} <= told


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_takes_an_empty_object(operation):
    found = says_nothing_unspeakable(operation, {})
    assert bool(found) == bool(inputs()[operation].required)
