"""What TransactWriteItems is refused or cancelled for, and what first, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.clock import ManualClock
from reference.service import Service
from tests.unit.transaction_bench import EMPTY_KEY, MISMATCH, check, deep, ok, on, put, reasons, refuse, tables, write

NEST = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
SYNTAX = 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("'
UNUSED = "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"


@pytest.fixture
def service() -> Service:
    return tables(ManualClock())


# Cancelled by a validation error


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (
            {"Put": {"TableName": "hash", "Item": {"pk": {"N": "5"}}}},
            "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N",
        ),
        (
            {"Put": {"TableName": "hash", "Item": {"pk": {"L": [{"S": "x"}]}}}},
            "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: L",
        ),
        (
            {"Put": {"TableName": "hash", "Item": {"a": {"S": "x"}}}},
            "One or more parameter values were invalid: Missing the key pk in the item",
        ),
        (on("Delete", {"pk": {"N": "5"}}), MISMATCH),
        (on("Delete", {}), MISMATCH),
        (check({"pk": {"L": [{"S": "x"}]}}), MISMATCH),
        (
            on(
                "Update",
                {"pk": {"N": "5"}},
                UpdateExpression="SET a = :v",
                ExpressionAttributeValues={":v": {"S": "x"}},
            ),
            MISMATCH,
        ),
        (
            put("i", "composite", sk={"S": "a"}, lsi1sk={"N": "5"}),
            "One or more parameter values were invalid: "
            "Type mismatch for Index Key lsi1sk Expected: S Actual: N IndexName: gsi1",
        ),
        (
            on(
                "Update",
                {"pk": {"S": "i"}, "sk": {"S": "a"}},
                "composite",
                UpdateExpression="SET lsi1sk = :v",
                ExpressionAttributeValues={":v": {"L": [{"S": "x"}]}},
            ),
            "One or more parameter values were invalid: "
            "Type mismatch for Index Key lsi1sk Expected: S Actual: L IndexName: gsi1",
        ),
        (
            on(
                "Update",
                {"pk": {"S": "i"}, "sk": {"S": "a"}},
                "composite",
                UpdateExpression="SET lsi1sk = :v",
                ExpressionAttributeValues={":v": {"S": "x" * 2049}},
            ),
            "The update expression attempted to update the secondary index key beyond allowed size limits.",
        ),
        (
            on("Update", "a", UpdateExpression="SET x.y = :v", ExpressionAttributeValues={":v": {"S": "x"}}),
            "The document path provided in the update expression is invalid for update",
        ),
        (
            on("Update", "a", UpdateExpression="SET x = y"),
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            on("Update", "a", UpdateExpression="SET x = :v", ExpressionAttributeValues={":v": deep(32)}),
            "Nesting Levels have exceeded supported limits",
        ),
        (
            on(
                "Update",
                "a",
                UpdateExpression="SET x = :v",
                ExpressionAttributeValues={":v": {"S": "x" * 409_598}},
            ),
            "Item size to update has exceeded the maximum allowed size",
        ),
    ],
)
def test_reasons_of_validation(service: Service, action: Any, message: str) -> None:
    assert reasons(refuse(service, put("ok"), action)) == [
        {"Code": "None"},
        {"Code": "ValidationError", "Message": message},
    ]


def test_only_the_first_validation_error_is_told(service: Service) -> None:
    wrong = {"Put": {"TableName": "hash", "Item": {"pk": {"N": "7"}}}}
    other = {"Put": {"TableName": "hash", "Item": {"pk": {"N": "8"}}}}
    found = reasons(refuse(service, wrong, other, put("p", ConditionExpression="attribute_exists(pk)")))
    assert [reason["Code"] for reason in found] == ["ValidationError", "None", "None"]
    assert ["Message" in reason for reason in found] == [True, False, False]


# Refused as a whole


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"Put": {"TableName": "hash", "Item": {"pk": {"S": ""}}}}, EMPTY_KEY),
        (on("Delete", ""), EMPTY_KEY),
        (check(""), EMPTY_KEY),
        (
            put("i", "composite", sk={"S": "c"}, lsi1sk={"S": ""}),
            "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
            "The AttributeValue for a key attribute cannot contain an empty string value. "
            "IndexName: gsi1, IndexKey: lsi1sk",
        ),
        (
            on(
                "Update",
                {"pk": {"S": "i"}, "sk": {"S": "c"}},
                "composite",
                UpdateExpression="SET lsi1sk = :v",
                ExpressionAttributeValues={":v": {"S": ""}},
            ),
            "One or more parameter values are not valid. "
            "The update expression attempted to update a secondary index key to a value that is not supported. "
            "The AttributeValue for a key attribute cannot contain an empty string value.",
        ),
        (put("a", deep=deep(32)), NEST),
        (put("a", big={"S": "x" * 409_600}), "Item size has exceeded the maximum allowed size"),
        (put("a", n={"N": "abc"}), "The parameter cannot be converted to a numeric value: abc"),
        (put("a", n={"NS": ["2", "1", "2"]}), "Input collection contains duplicates"),
        (
            check("a", "d = :deep", ExpressionAttributeValues={":deep": deep(33)}),
            f"ExpressionAttributeValues contains invalid value: {NEST} for key :deep",
        ),
        (
            check("a", "d = :n", ExpressionAttributeValues={":n": {"N": "abc"}}),
            "ExpressionAttributeValues contains invalid value: "
            "The parameter cannot be converted to a numeric value: abc for key :n",
        ),
        ({"Put": {"TableName": "hash", "Item": {"pk": {"S": "a"}, "": {"S": "x"}}}}, "Empty attribute name"),
        (check("a", "attribute_not_exists("), SYNTAX),
        (check("a", ExpressionAttributeValues={":v": {"S": "x"}}), UNUSED),
    ],
)
def test_refused_as_a_whole(service: Service, action: Any, message: str) -> None:
    refusal = refuse(service, put("ok"), action)
    assert (refusal.code, refusal.message) == ("ValidationException", message)


def test_largest_item(service: Service) -> None:
    assert write(service, put("a", big={"S": "x" * (409_600 - 2 - 1 - 3)})) == {}


def test_value_of_32_levels_is_only_compared(service: Service) -> None:
    ok(service, "PutItem", TableName="hash", Item={"pk": {"S": "a"}})
    found = reasons(refuse(service, check("a", "d = :deep", ExpressionAttributeValues={":deep": deep(32)})))
    assert [reason["Code"] for reason in found] == ["ConditionalCheckFailed"]


@pytest.mark.parametrize(
    "actions",
    [
        (put("a"), put("a")),
        (put("a"), check("a")),
        (put("b"), check("a"), check("a")),
        (put("a"), on("Delete", "a", "arn:aws:dynamodb:us-east-1:400000000004:table/hash")),
    ],
)
def test_two_actions_on_one_item(service: Service, actions: Any) -> None:
    refusal = refuse(service, *actions)
    assert refusal.code == "ValidationException"
    assert refusal.message == "Transaction request cannot include multiple operations on one item"


def test_missing_table(service: Service) -> None:
    refusal = refuse(service, put("a"), put("a", "none"))
    assert (refusal.code, refusal.message) == ("ResourceNotFoundException", "Requested resource not found")


def test_action_with_two_kinds(service: Service) -> None:
    refusal = refuse(service, {**put("a"), **on("Delete", "b")})
    assert refusal.code == "ValidationException"
    assert "TransactItems" in (refusal.message or "")


def test_payload_limit(service: Service) -> None:
    twelve = [put(f"k{i}", payload={"S": "x" * 350_000}) for i in range(12)]
    refusal = refuse(service, *twelve)
    assert refusal.code == "ValidationException"
    assert "size cannot exceed" in (refusal.message or "")
    assert write(service, *twelve[:10]) == {}
    assert write(service, *(on("Delete", f"k{i}") for i in range(10))) == {}


# Which fault is told first


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ((put("a", "none"), check("cc", "attribute_not_exists(")), SYNTAX),
        ((check("cc", "attribute_not_exists("), put("d", data=deep(32))), SYNTAX),
        ((put("d", data=deep(32)), check("cc", "attribute_not_exists(")), NEST),
        ((put("a", "none"), check("cc", ExpressionAttributeValues={":v": {"S": "x"}})), UNUSED),
        ((check("cc", ExpressionAttributeValues={":v": {"S": "x"}}), put("a", "none")), UNUSED),
        ((put("cc"), check("cc", ExpressionAttributeValues={":v": {"S": "x"}})), UNUSED),
        ((on("Delete", {"pk": deep(40)}, "none"), put("a", "none", ConditionExpression="a = = b")), NEST),
        (
            (on("Delete", {"pk": deep(100)}, "none", ConditionExpression="a = = b"),),
            'Invalid ConditionExpression: Syntax error; token: "=", near: "= = b"',
        ),
        (
            (
                on(
                    "Delete",
                    {"pk": deep(100)},
                    "none",
                    ConditionExpression="a = :v" + " AND a = :v" * 373,
                    ExpressionAttributeValues={":v": {"S": "x"}},
                ),
            ),
            "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression size: 4109",
        ),
    ],
)
def test_order_of_checks(service: Service, actions: Any, message: str) -> None:
    assert refuse(service, *actions).message == message
