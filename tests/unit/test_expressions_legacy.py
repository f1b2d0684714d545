"""The parameters that expressions replaced: their words and what they mean."""

from __future__ import annotations

from typing import Any

import pytest

from reference.expressions import legacy
from reference.expressions import update as updates
from reference.expressions.condition import evaluate
from reference.expressions.tree import Path, Projection, Update
from reference.expressions.update import returned
from reference.rules import every, ledger, surface

E = "1 validation error detected: "
IPV = E + "One or more parameter values were invalid: "
KEY = {"p": {"S": "k"}}
ONE, TWO, DOG, SET = {"N": "1"}, {"N": "2"}, {"S": "dog"}, {"SS": ["a"]}


NOT_VALID = IPV + "ComparisonOperator {} is not valid for {} AttributeValue type"
COUNT = IPV + "Invalid number of argument(s) for the {} ComparisonOperator"


def listed(operator: str, *values: Any) -> dict[str, Any]:
    return {"ComparisonOperator": operator, "AttributeValueList": list(values)}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("exists-without-value", {"Exists": True}, IPV + "Value must be provided when Exists is true for Attribute: a"),
    ("exists-without-value", {}, IPV + "Value must be provided when Exists is null for Attribute: a"),
    (
        "value-without-exists", {"Exists": False, "Value": DOG},
        IPV + "Value cannot be used when Exists is false for Attribute: a",
    ),
    (
        "value-and-list", {"Value": DOG} | listed("EQ", DOG),
        IPV + "Value and AttributeValueList cannot be used together for Attribute: a",
    ),
    (
        "operator-without-value", {"ComparisonOperator": "EQ"},
        IPV + "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: a",
    ),
    (
        "exists-and-operator", {"Exists": False} | listed("EQ", DOG),
        IPV + "Exists and ComparisonOperator cannot be used together for Attribute: a",
    ),
    (
        "list-without-operator", {"AttributeValueList": [DOG]},
        IPV + "AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
    ),
    ("argument-count", listed("BETWEEN", DOG), COUNT.format("BETWEEN")),
    ("argument-count", listed("EQ", DOG, DOG), COUNT.format("EQ")),
    ("argument-count", listed("NULL", DOG), COUNT.format("NULL")),
    ("argument-count", listed("IN"), COUNT.format("IN")),
    ("mixed-arguments", listed("IN", ONE, DOG), IPV + "AttributeValues inside AttributeValueList must be of same type"),
    ("argument-type", listed("LT", SET), NOT_VALID.format("LT", "SS")),
    ("argument-type", listed("CONTAINS", {"L": [ONE]}), NOT_VALID.format("CONTAINS", "L")),
    ("argument-type", listed("BEGINS_WITH", ONE), NOT_VALID.format("BEGINS_WITH", "N")),
    (
        "between-order", listed("BETWEEN", TWO, ONE),
        E + "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "entry", "words"), REFUSED)
def test_expectations_that_are_refused(rule: str, entry: dict[str, Any], words: str) -> None:
    found, tree = every(legacy.expected({"Expected": {"a": entry}}, "current"))
    assert tree is None
    assert (found[0].rule.name, found[0].message(surface("PutItem"))) == (f"legacy.{rule}", words)
    assert found[0].message(surface("PutItem", "older")) == words.removeprefix(E)


def holds(entry: dict[str, Any], value: dict[str, Any] | None) -> bool:
    found, tree = every(legacy.expected({"Expected": {"a": entry}}, "current"))
    assert not found
    assert tree is not None
    return evaluate(tree, {} if value is None else {"a": value})


@pytest.mark.parametrize(
    ("entry", "missing", "mistyped"),
    [
        (listed("EQ", ONE), False, False),
        (listed("NE", ONE), True, True),
        (listed("LE", ONE), False, False),
        (listed("LT", ONE), False, False),
        (listed("GE", ONE), False, False),
        (listed("GT", ONE), False, False),
        (listed("BETWEEN", ONE, TWO), False, False),
        (listed("IN", ONE, TWO), False, False),
        (listed("BEGINS_WITH", DOG), False, False),
        (listed("CONTAINS", ONE), False, False),
        (listed("NOT_CONTAINS", ONE), False, True),
        (listed("NULL"), True, False),
        (listed("NOT_NULL"), False, True),
    ],
)
def test_missing_and_mistyped_attributes(entry: dict[str, Any], missing: bool, mistyped: bool) -> None:
    assert holds(entry, None) is missing
    assert holds(entry, {"BOOL": True}) is mistyped


def test_comparisons() -> None:
    assert holds({"Value": ONE}, {"N": "1"})
    assert holds({"Exists": True, "Value": ONE}, ONE)
    assert not holds({"Value": ONE}, TWO)
    assert not holds({"Value": ONE}, None)
    assert holds({"Exists": False}, None)
    assert not holds({"Exists": False}, ONE)
    assert holds({"ComparisonOperator": "NULL"}, None)
    assert not holds(listed("NULL"), {"NULL": True})
    assert holds(listed("NOT_NULL"), {"NULL": True})
    assert holds(listed("LT", TWO), ONE)
    assert holds(listed("GE", DOG), DOG)
    assert holds({"ComparisonOperator": "GT", "Value": ONE}, TWO)
    assert holds(listed("BETWEEN", ONE, ONE), ONE)
    assert holds(listed("IN", ONE, TWO), TWO)
    assert not holds(listed("IN", TWO), {"NS": ["2"]})
    assert holds(listed("BEGINS_WITH", {"S": "do"}), DOG)
    assert holds(listed("CONTAINS", {"S": "o"}), DOG)
    assert holds(listed("CONTAINS", ONE), {"L": [ONE]})
    assert holds(listed("CONTAINS", ONE), {"NS": ["1", "2"]})
    assert holds(listed("NOT_CONTAINS", ONE), {"NS": ["2"]})
    assert not holds(listed("NOT_CONTAINS", ONE), {"L": [ONE]})
    for value in ({"L": [ONE]}, {"M": {}}, {"BOOL": False}, {"NULL": True}, SET):
        assert holds(listed("EQ", value), value)
        assert not holds(listed("NE", value), value)


def test_conditional_operator() -> None:
    two = {"a": {"Value": ONE}, "b": {"Value": ONE}}
    for operator, truth in ((None, False), ("AND", False), ("OR", True)):
        request = {"Expected": two} | ({"ConditionalOperator": operator} if operator else {})
        found, tree = every(legacy.expected(request, "current"))
        assert not found
        assert tree is not None
        assert evaluate(tree, {"a": ONE}) is truth
    for request in ({"ConditionalOperator": "OR"}, {"ConditionalOperator": "AND", "Expected": {}}):
        found, tree = every(legacy.expected(request, "current"))
        assert [v.rule.name for v in found] == ["legacy.operator-without-conditions"]
        assert (
            found[0].message(surface("UpdateItem"))
            == E + "ConditionalOperator cannot be used without Filter or Expected"
        )
    request = {"ConditionalOperator": "AND", "ScanFilter": {"a": listed("EQ", ONE)}}
    found, _ = every(legacy.filters(request, "ScanFilter", "older"))
    words = "ConditionalOperator can only be used when Filter or Expected has two or more elements"
    assert [v.message(surface("Scan")) for v in found] == [words]


def test_no_conditions_are_no_condition() -> None:
    for request in ({}, {"Expected": {}}, {"Expected": None}):
        assert every(legacy.expected(request, "current")) == ([], None)
    for request in ({}, {"QueryFilter": {}}):
        assert every(legacy.filters(request, "QueryFilter", "current")) == ([], None)


def test_filters() -> None:
    request = {"ScanFilter": {"a": listed("GT", ONE), "b.c": listed("NOT_NULL")}}
    found, tree = every(legacy.filters(request, "ScanFilter", "older"))
    assert not found
    assert tree is not None
    assert evaluate(tree, {"a": TWO, "b.c": DOG})
    assert not evaluate(tree, {"a": TWO, "b": {"M": {"c": DOG}}})


def test_a_filters_value_is_read_before_its_operator_is_judged() -> None:
    deep: dict[str, Any] = {"S": "leaf"}
    for _ in range(40):
        deep = {"M": {"n": deep}}
    request = {"ScanFilter": {"a": listed("EQ", deep)}, "ConditionalOperator": "AND"}
    found, _ = every(legacy.filters(request, "ScanFilter", "older"))
    assert found[0].message(surface("Scan")) == (
        "Nesting Levels have exceeded supported limits: "
        "Attributes in the item have nested levels beyond supported limit"
    )


def read_updates(entries: dict[str, Any] | None) -> tuple[list[str | None], Update | None]:
    found, update = every(legacy.attribute_updates({"AttributeUpdates": entries}, "current"))
    return [v.message(surface("UpdateItem")) for v in found], update


def applied(item: dict[str, Any] | None, **entries: Any) -> Any:
    found, update = read_updates(entries)
    assert not found
    assert update is not None
    faults, result = every(updates.apply(update, None if item is None else KEY | item, KEY))
    return result if not faults else [v.message(surface("UpdateItem")) for v in faults]


def new(item: dict[str, Any] | None, **entries: Any) -> Any:
    whole = applied(item, **entries).new
    return None if whole is None else {name: value for name, value in whole.items() if name != "p"}


MISMATCH = ["Type mismatch for attribute to update"]


def test_attribute_updates() -> None:
    assert new({}, a={"Value": ONE}) == {"a": ONE}
    assert new({"a": DOG}, a={"Value": ONE, "Action": "PUT"}) == {"a": ONE}
    assert new({"a": DOG}, a={"Action": "DELETE"}) == {}
    assert new({"a": {"N": "3"}}, a={"Value": TWO, "Action": "ADD"}) == {"a": {"N": "5"}}
    assert new(None, a={"Value": TWO, "Action": "ADD"}) == {"a": TWO}
    assert new({"a": {"SS": ["b"]}}, a={"Value": SET, "Action": "ADD"}) == {"a": {"SS": ["a", "b"]}}
    assert new({"a": {"L": [DOG]}}, a={"Value": {"L": [ONE]}, "Action": "ADD"}) == {"a": {"L": [DOG, ONE]}}
    assert new({}, a={"Value": {"L": [ONE]}, "Action": "ADD"}) == {"a": {"L": [ONE]}}
    assert new({"a": {"SS": ["a", "b"]}}, a={"Value": SET, "Action": "DELETE"}) == {"a": {"SS": ["b"]}}
    assert new({"a": SET}, a={"Value": SET, "Action": "DELETE"}) == {}
    assert new(None, a={"Action": "DELETE"}) is None
    assert new(None) == {}
    assert new({"m": {"M": {"x": ONE}}}, **{"m.x": {"Value": TWO}}) == {"m": {"M": {"x": ONE}}, "m.x": TWO}
    for action, value in (("ADD", ONE), ("ADD", SET), ("ADD", {"L": []}), ("DELETE", SET)):
        assert applied({"a": DOG}, a={"Value": value, "Action": action}) == MISMATCH


def test_attribute_updates_that_are_refused() -> None:
    for entry in ({}, {"Action": "PUT"}, {"Action": "ADD"}):
        words = IPV + "Only DELETE action is allowed when no attribute value is specified"
        assert read_updates({"a": entry}) == ([words], None)
    words = IPV + "DELETE action with value is not supported for the type N"
    assert read_updates({"a": {"Value": ONE, "Action": "DELETE"}}) == ([words], None)
    words = IPV + "ADD action is not supported for the type S"
    assert read_updates({"a": {"Value": DOG, "Action": "ADD"}}) == ([words], None)
    assert read_updates(None) == ([], None)
    assert read_updates({}) == ([], Update((), legacy=True))


def test_returned_values_of_attribute_updates() -> None:
    result = applied(None)
    assert returned(result, "ALL_NEW") == KEY
    assert returned(result, "UPDATED_NEW") is None
    assert returned(result, "UPDATED_OLD") is None
    result = applied({"a": ONE, "b": DOG}, a={"Value": TWO}, c={"Action": "DELETE"})
    assert returned(result, "UPDATED_OLD") == {"a": ONE}
    assert returned(result, "UPDATED_NEW") == {"a": TWO}


def test_attributes_to_get() -> None:
    assert every(legacy.attributes_to_get({})) == ([], None)
    read = every(legacy.attributes_to_get({"AttributesToGet": ["a", "b.c"]}))
    assert read == ([], Projection((Path(("a",)), Path(("b.c",)))))
    found, projection = every(legacy.attributes_to_get({"AttributesToGet": ["a", "b", "a"]}))
    assert projection is None
    assert [v.message(surface("GetItem")) for v in found] == [
        "One or more parameter values were invalid: Duplicate value in attribute name: a"
    ]


ELSEWHERE = {
    "mixed-parameters",  # test_expressions_words
    "key-condition-count", "no-key-condition", "not-indexable", "filter-on-key",  # test_expressions_key_condition
    "operator-without-conditions", "operator-for-one-condition", "action-without-value", "delete-type", "add-type",
    "update-type-mismatch", "duplicate-attribute",  # above
}  # fmt: skip


def test_every_rule_that_refuses_has_a_case() -> None:
    rules = {name for name, rule in ledger().items() if name.startswith("legacy.") and rule.error}
    assert rules == {f"legacy.{slug}" for slug in {case[0] for case in REFUSED} | ELSEWHERE}
