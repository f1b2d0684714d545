"""Items: normal form, order of checks, size."""

from __future__ import annotations

import pytest

from reference.rules import Violation, surface
from reference.values.item import MAX_ITEM_BYTES, attribute_names, item_size, normalise_item


def rules_broken(item: object, **options: str) -> list[str]:
    found: list[Violation] = []
    assert normalise_item(item, "current", found, **options) is None
    return [violation.rule.name for violation in found]


def deep(wraps: int) -> dict:
    value: dict = {"S": "leaf"}
    for _ in range(wraps):
        value = {"M": {"n": value}}
    return value


def test_an_item_in_normal_form_stays_what_it_is():
    item = {"pk": {"S": "a"}, "n": {"N": "1"}, "b": {"BOOL": False}, "l": {"L": [{"N": "2"}]}, "s": {"SS": ["a"]}}
    found: list[Violation] = []
    assert normalise_item(item, "current", found) is item
    assert found == []
    assert normalise_item({}, "current", found) == {}


def test_other_spellings_are_normalised_in_a_copy():
    item = {"pk": {"S": "a"}, "n": {"N": "1e2"}, "s": {"NS": ["3", "1"]}}
    assert normalise_item(item, "current", []) == {"pk": {"S": "a"}, "n": {"N": "100"}, "s": {"NS": ["1", "3"]}}
    assert item == {"pk": {"S": "a"}, "n": {"N": "1e2"}, "s": {"NS": ["3", "1"]}}


@pytest.mark.parametrize("wraps", [40, 100, 10_000])
def test_an_empty_name_goes_before_a_deep_value_in_either_order(wraps):
    for item in ({"": {"S": "x"}, "d": deep(wraps)}, {"d": deep(wraps), "": {"S": "x"}}):
        assert rules_broken(item) == ["values.empty-name", "values.nesting"]


def test_a_deep_value_goes_before_an_empty_map_key():
    item = {"m": {"M": {"": {"S": "x"}}}, "d": deep(40)}
    assert rules_broken(item) == ["values.nesting", "values.empty-name"]


def test_values_are_checked_one_by_one():
    assert rules_broken({"a": {"N": "x"}, "b": {}, "c": {"SS": []}}) == [
        "values.number-malformed",
        "values.empty-value",
        "values.empty-string-set",
    ]


def test_the_nesting_of_a_value_may_break_another_rule():
    assert rules_broken({"d": deep(32)}, depth_rule="values.names-first") == ["values.names-first"]


def test_long_names():
    assert normalise_item({"n" * 65_535: {"S": "x"}}, "current", []) is not None
    assert rules_broken({"n" * 65_536: {"S": "x"}}) == ["values.name-too-long"]


def test_names_alone():
    assert attribute_names({"a": 1}) == []
    (violation,) = attribute_names({"": 1})
    assert violation.message(surface("TransactWriteItems")) == "Empty attribute name"


@pytest.mark.parametrize("junk", [None, [], "item", 1, {"a": 1}, {"a": {"S": 1}}])
def test_wrong_json_types_do_not_crash(junk):
    found: list[Violation] = []
    assert normalise_item(junk, "current", found) is None


@pytest.mark.parametrize(
    ("item", "bytes_"),
    [
        ({}, 0),
        ({"pk": {"S": "k"}}, 3),
        ({"pk": {"S": "k"}, "n": {"N": "42"}}, 6),
        ({"£": {"S": ""}}, 2),
        ({"Username": {"S": "Fred"}}, 12),
        ({"id": {"S": "my-item-id"}, "attr1": {"S": "value1"}, "attr2": {"S": "value2"}}, 34),
        ({"a": {"BOOL": True}, "b": {"L": [{"S": "é"}]}}, 1 + 1 + 1 + 3 + 1 + 2),
        ({"pk": {"S": "K"}, "b": {"S": "x" * 409_596}}, 409_600),
    ],
)
def test_sizes(item, bytes_):
    assert item_size(item) == bytes_


def test_limit():
    assert MAX_ITEM_BYTES == 409_600
