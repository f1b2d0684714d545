"""The stages of reading a request's expressions: mixing, placeholders, values, order."""

from __future__ import annotations

from typing import Any

import pytest

from reference.expressions.request import NO_EXPRESSIONS, batch_mixing, mixing, read
from reference.expressions.tree import Literal, Set, Update
from reference.requests import speaker
from reference.rules import every, surface

E = "1 validation error detected: "
NEST = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
S = {"S": "x"}
UPDATE, QUERY, SCAN = ("Update", "Condition"), ("KeyCondition", "Filter", "Projection"), ("Filter", "Projection")


def words(operation: str, kinds: Any, request: dict[str, Any]) -> list[str | None]:
    speak = speaker(operation, {"TableName": "music", "Key": {"pk": {"S": "a"}}, **request})
    found, _ = every(read(operation, request, kinds, speak.values))
    return [v.message(speak) for v in found]


def deep(wraps: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "leaf"}
    for _ in range(wraps):
        value = {"M": {"n": value}}
    return value


def test_a_request_without_expressions() -> None:
    for operation, kinds in (("PutItem", ("Condition",)), ("Query", QUERY), ("UpdateItem", UPDATE)):
        assert every(read(operation, {"TableName": "t", "ConditionExpression": None}, kinds, "current")) == (
            [],
            NO_EXPRESSIONS,
        )


@pytest.mark.parametrize(
    ("operation", "kinds", "request_", "legacy", "expressions"),
    [
        ("PutItem", ("Condition",), {"Expected": {}, "ConditionExpression": "a=b"}, "Expected", "ConditionExpression"),
        (
            "UpdateItem",
            UPDATE,
            {"ConditionExpression": "a=b", "UpdateExpression": "SET a=b", "Expected": {}, "AttributeUpdates": {}},
            "AttributeUpdates, Expected",
            "UpdateExpression, ConditionExpression",
        ),
        (
            "Query",
            QUERY,
            {
                "KeyConditionExpression": "a=b", "FilterExpression": "a=b", "ProjectionExpression": "a",
                "KeyConditions": {}, "ConditionalOperator": "OR", "QueryFilter": {}, "AttributesToGet": ["a"],
            },
            "AttributesToGet, QueryFilter, ConditionalOperator, KeyConditions",
            "ProjectionExpression, FilterExpression, KeyConditionExpression",
        ),
        ("Scan", SCAN, {"FilterExpression": "a=b", "ScanFilter": {}}, "ScanFilter", "FilterExpression"),
        ("GetItem", ("Projection",), {"ProjectionExpression": "a", "AttributesToGet": ["b"]}, "AttributesToGet",
         "ProjectionExpression"),
    ],
)  # fmt: skip
def test_mixed_parameters(operation: str, kinds: Any, request_: dict[str, Any], legacy: str, expressions: str) -> None:
    found, sound = every(mixing(operation, request_, kinds))
    assert sound is False
    assert [v.message(surface(operation, "older")) for v in found] == [
        "Can not use both expression and non-expression parameters in the same request: "
        f"Non-expression parameters: {{{legacy}}} Expression parameters: {{{expressions}}}"
    ]


def test_key_conditions_may_stand_beside_other_expressions() -> None:
    request = {"KeyConditions": {}, "FilterExpression": "a=b", "ProjectionExpression": "a"}
    assert every(mixing("Query", request, QUERY)) == ([], True)


def test_names_beside_legacy_parameters_only() -> None:
    request = {"Expected": {"a": {"Exists": False}}, "ExpressionAttributeNames": {"#a": "a"}}
    assert words("DeleteItem", ("Condition",), request) == [
        E + "ExpressionAttributeNames can only be specified when using expressions"
    ]
    request = {"ProjectionExpression": "#a", "ExpressionAttributeNames": {"#a": "a"}, "ExpressionAttributeValues": {}}
    assert words("Scan", SCAN, request)[0] == (
        "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null"
    )


def test_a_batch_does_not_mix_either() -> None:
    found, _ = every(batch_mixing([{"AttributesToGet": ["a"]}, {"ProjectionExpression": "a"}]))
    assert [v.message(surface("BatchGetItem")) for v in found] == [
        "Can not use both expression and non-expression parameters in the same request: "
        "Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}"
    ]
    assert every(batch_mixing([{"AttributesToGet": ["a"]}, {"AttributesToGet": ["a"]}])) == ([], None)


def test_placeholder_keys() -> None:
    for key in ("a", "#", "#a-b", "#!hi", ":a", "", "#ü"):
        request = {"UpdateExpression": "SET a = b", "ExpressionAttributeNames": {key: "x"}}
        expected = f'{E}ExpressionAttributeNames contains invalid key: Syntax error; key: "{key}"'
        assert words("UpdateItem", UPDATE, request)[0] == expected
    for key in ("a", ":", ":hi!there", "#a"):
        request = {"UpdateExpression": "SET a = b", "ExpressionAttributeValues": {key: S}}
        expected = f'{E}ExpressionAttributeValues contains invalid key: Syntax error; key: "{key}"'
        assert words("UpdateItem", UPDATE, request)[0] == expected
    request = {"UpdateExpression": "SET #1 = :_", "ExpressionAttributeNames": {"#1": "3 any!.#="}}
    assert words("UpdateItem", UPDATE, request | {"ExpressionAttributeValues": {":_": S}}) == []


def test_long_placeholders_and_long_names() -> None:
    for length, rules in ((255, []), (256, ["expressions.placeholder-length"])):
        name, value = "#" + "n" * (length - 1), ":" + "v" * (length - 1)
        request = {
            "UpdateExpression": f"SET {name} = {value}",
            "ExpressionAttributeNames": {name: "a"},
            "ExpressionAttributeValues": {value: S},
        }
        found, _ = every(read("UpdateItem", request, UPDATE, "current"))
        assert [v.rule.name for v in found] == rules * 2
    for length, refused in ((65_535, False), (65_536, True)):
        request = {"ProjectionExpression": "#n", "ExpressionAttributeNames": {"#n": "a" * length}}
        found = words("GetItem", ("Projection",), request)
        assert bool(found) is refused
        assert all("65536" in str(text) for text in found)
    found = words("GetItem", ("Projection",), {"ProjectionExpression": "#n", "ExpressionAttributeNames": {"#n": ""}})
    assert found == ["ExpressionAttributeNames contains invalid value: Empty attribute name for key #n"]


def test_bad_values_by_layer() -> None:
    number = "The parameter cannot be converted to a numeric value: abc"
    bad = {"ExpressionAttributeValues": {":v": {"N": "abc"}}}
    assert words("UpdateItem", UPDATE, {"UpdateExpression": "SET n = :v"} | bad) == [E + number]
    assert words("Query", QUERY, {"KeyConditionExpression": "n = :v"} | bad) == [number]
    wrapped = f"ExpressionAttributeValues contains invalid value: {number} for key :v"
    assert words("Scan", SCAN, {"FilterExpression": "n = :v"} | bad) == [wrapped]
    assert words("TransactWriteItems", UPDATE, {"UpdateExpression": "SET n = :v"} | bad) == [wrapped]


@pytest.mark.parametrize(
    ("operation", "wraps", "expected"),
    [
        ("UpdateItem", 31, []),
        ("UpdateItem", 32, [E + NEST]),
        ("UpdateItem", 61, [E + NEST]),
        ("UpdateItem", 63, [f"ExpressionAttributeValues contains invalid value: {NEST} for key :deep"]),
        ("DeleteItem", 100, [f"ExpressionAttributeValues contains invalid value: {NEST} for key :deep"]),
        ("TransactWriteItems", 32, []),
        ("TransactWriteItems", 33, [f"ExpressionAttributeValues contains invalid value: {NEST} for key :deep"]),
        ("TransactWriteItems", 100, [f"ExpressionAttributeValues contains invalid value: {NEST} for key :deep"]),
    ],
)
def test_nesting_of_values(operation: str, wraps: int, expected: list[str]) -> None:
    request = {"ConditionExpression": "d = :deep", "ExpressionAttributeValues": {":deep": deep(wraps)}}
    assert words(operation, ("Condition",), request) == expected


def test_values_are_normalised() -> None:
    request = {"UpdateExpression": "SET a = :v", "ExpressionAttributeValues": {":v": {"N": "1e2"}}}
    found, expressions = every(read("UpdateItem", request, UPDATE, "current"))
    assert not found
    assert expressions is not None
    assert isinstance(expressions.update, Update)
    (action,) = expressions.update.actions
    assert isinstance(action, Set)
    assert action.value == Literal({"N": "100"})


def test_a_deep_value_of_a_transaction_keeps_its_form() -> None:
    value = {"L": [deep(31), {"N": "1e2"}]}
    request = {"UpdateExpression": "SET a = :v", "ExpressionAttributeValues": {":v": value}}
    found, expressions = every(read("TransactWriteItems", request, UPDATE, "older"))
    assert not found
    assert expressions is not None
    assert expressions.update is not None
    (action,) = expressions.update.actions
    assert isinstance(action, Set)
    assert action.value == Literal({"L": [deep(31), {"N": "100"}]})


def test_the_order_of_a_request() -> None:
    request = {
        "Expected": {},
        "UpdateExpression": "SET a = :undefined",
        "ConditionExpression": "",
        "ExpressionAttributeNames": {"#unused": "x", "bad": "x"},
        "ExpressionAttributeValues": {":unused": S, "bad": S},
    }
    found, _ = every(read("UpdateItem", request, UPDATE, "current"))
    assert [v.rule.name for v in found] == [
        "legacy.mixed-parameters",
        "expressions.names-key",
        "expressions.values-key",
        "expressions.empty",
    ]
    request = {
        "UpdateExpression": "SET a = :undefined",
        "ConditionExpression": "contains(a, a)",
        "ExpressionAttributeNames": {"#unused": "x"},
        "ExpressionAttributeValues": {":unused": S},
    }
    found, _ = every(read("UpdateItem", request, UPDATE, "current"))
    assert [v.rule.name for v in found] == [
        "expressions.undefined-value",
        "expressions.distinct-operands",
        "expressions.names-unused",
        "expressions.values-unused",
    ]
    request = {"ProjectionExpression": "", "FilterExpression": "", "KeyConditionExpression": ""}
    assert words("Query", QUERY, request) == [
        f"Invalid {kind}Expression: The expression can not be empty;"
        for kind in ("KeyCondition", "Filter", "Projection")
    ]


def test_placeholders_are_used_by_any_expression_of_the_request() -> None:
    request = {
        "KeyConditionExpression": "#one = :v",
        "ProjectionExpression": "#two",
        "ExpressionAttributeNames": {"#one": "p", "#two": "a"},
        "ExpressionAttributeValues": {":v": S},
    }
    assert words("Query", QUERY, request) == []


def test_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    request = {"ConditionExpression": "a < :v AND b BETWEEN :v AND :w AND attribute_type(c, :t)"}
    good = {":v": {"N": "1"}, ":w": {"N": "2"}, ":t": {"S": "S"}}
    orders = [good, good | {":w": {"N": "0"}}, good | {":t": {"S": "X"}}, good | {":v": {"BOOL": True}}, good]
    rules = []
    for values in orders:
        found, _ = every(read("PutItem", request | {"ExpressionAttributeValues": values}, ("Condition",), "current"))
        rules.append([v.rule.name for v in found])
    assert rules == [
        [],
        ["expressions.between-order"],
        ["expressions.type-name"],
        ["expressions.operand-type", "expressions.operand-type"],
        [],
    ]
