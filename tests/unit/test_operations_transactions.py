"""TransactWriteItems and TransactGetItems, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.api import Refusal
from reference.clock import ManualClock
from reference.service import Service
from tests.unit.transaction_bench import (
    EMPTY_KEY,
    HASH,
    MISMATCH,
    check,
    get,
    ok,
    on,
    put,
    reasons,
    refuse,
    refused,
    tables,
    write,
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def service(clock: ManualClock) -> Service:
    return tables(clock)


# What a transaction does


def test_put_update_delete_and_check_happen_together(service: Service) -> None:
    ok(service, "PutItem", TableName="hash", Item={"pk": {"S": "b"}, "n": {"N": "1"}})
    ok(service, "PutItem", TableName="hash", Item={"pk": {"S": "c"}})
    body = write(
        service,
        put("a", x={"S": "new"}),
        on("Update", "b", UpdateExpression="SET n = n + :one", ExpressionAttributeValues={":one": {"N": "1"}}),
        on("Delete", "c"),
        check("d"),
    )
    assert body == {}
    assert get(service, "a") == {"pk": {"S": "a"}, "x": {"S": "new"}}
    assert get(service, "b") == {"pk": {"S": "b"}, "n": {"N": "2"}}
    assert get(service, "c") is None
    assert get(service, "d") is None


def test_checks_alone_are_a_transaction(service: Service) -> None:
    assert write(service, check("a")) == {}


def test_deleting_nothing_succeeds(service: Service) -> None:
    assert write(service, on("Delete", "none")) == {}


def test_update_without_set_creates_nothing(service: Service) -> None:
    write(service, on("Update", "none", UpdateExpression="REMOVE x"))
    assert get(service, "none") is None


def test_several_tables(service: Service) -> None:
    write(service, put("a"), put("a", "composite", sk={"S": "1"}))
    assert get(service, "a") == {"pk": {"S": "a"}}
    body = ok(service, "GetItem", TableName="composite", Key={"pk": {"S": "a"}, "sk": {"S": "1"}})
    assert body["Item"] == {"pk": {"S": "a"}, "sk": {"S": "1"}}


def test_writes_happen_in_the_order_of_the_request(service: Service) -> None:
    service.account.tables["hash"].keep = 3600.0
    write(service, put("b"), put("a"), put("c"))
    assert [entry.new.item["pk"]["S"] for entry in service.account.tables["hash"].log if entry.new] == ["b", "a", "c"]


def test_a_hundred_actions(service: Service) -> None:
    assert write(service, *(put(f"k{i}") for i in range(100))) == {}


# Conditions


def test_every_failed_condition_is_told_in_its_place(service: Service) -> None:
    ok(service, "PutItem", TableName="hash", Item={"pk": {"S": "old"}, "v": {"N": "1"}})
    found = reasons(
        refuse(
            service,
            put("new", ConditionExpression="attribute_not_exists(pk)"),
            put("old", ConditionExpression="attribute_not_exists(pk)"),
            check("none", "attribute_exists(pk)"),
        )
    )
    assert found == [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
    ]


@pytest.mark.parametrize("kind", ["Put", "Update", "Delete", "ConditionCheck"])
@pytest.mark.parametrize("choice", ["ALL_OLD", "NONE", None])
def test_old_item_on_failure(service: Service, kind: str, choice: str | None) -> None:
    old = {"pk": {"S": "a"}, "v": {"N": "1"}}
    ok(service, "PutItem", TableName="hash", Item=old)
    more: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    if choice is not None:
        more["ReturnValuesOnConditionCheckFailure"] = choice
    if kind == "Update":
        more["UpdateExpression"] = "REMOVE v"
    action = put("a", **more) if kind == "Put" else on(kind, "a", **more)
    (reason,) = reasons(refuse(service, action))
    assert reason["Code"] == "ConditionalCheckFailed"
    assert reason.get("Item") == (old if choice == "ALL_OLD" else None)


def test_no_old_item_where_there_is_none(service: Service) -> None:
    (reason,) = reasons(
        refuse(service, check("a", "attribute_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD"))
    )
    assert reason == {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}


# Tokens


def increment(pk: str, **more: Any) -> dict[str, Any]:
    return on("Update", pk, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}}, **more)


def test_same_token_same_request(service: Service) -> None:
    write(service, increment("a"), ClientRequestToken="t")
    again = {
        "Update": {
            "ExpressionAttributeValues": {":one": {"N": "1"}},
            "UpdateExpression": "ADD n :one",
            "Key": {"pk": {"S": "a"}},
            "TableName": "hash",
        }
    }
    body = write(service, again, ClientRequestToken="t", ReturnConsumedCapacity="TOTAL")
    assert body == {"ConsumedCapacity": [{"TableName": "hash", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}]}
    assert get(service, "a")["n"] == {"N": "1"}


def test_same_token_does_not_look_at_conditions_again(service: Service) -> None:
    once = put("a", ConditionExpression="attribute_not_exists(pk)")
    write(service, once, ClientRequestToken="t")
    assert write(service, once, ClientRequestToken="t") == {}


def test_without_token_everything_happens_again(service: Service) -> None:
    write(service, increment("a"))
    write(service, increment("a"))
    assert get(service, "a")["n"] == {"N": "2"}


def test_same_token_other_request(service: Service) -> None:
    write(service, put("a"), ClientRequestToken="t")
    refusal = refuse(service, put("b"), ClientRequestToken="t")
    assert refusal.code == "IdempotentParameterMismatchException"


@pytest.mark.parametrize(("later", "value"), [(599.0, "1"), (600.0, "2")])
def test_token_is_known_for_ten_minutes(service: Service, clock: ManualClock, later: float, value: str) -> None:
    write(service, increment("a"), ClientRequestToken="t")
    clock.advance(later)
    write(service, increment("a"), ClientRequestToken="t")
    assert get(service, "a")["n"] == {"N": value}


def test_lapsed_tokens_are_forgotten(service: Service, clock: ManualClock) -> None:
    for number in range(5):
        write(service, increment("a"), ClientRequestToken=f"t{number}")
        clock.advance(300.0)
    assert {token for _, token in service.account.remembered} == {"t3", "t4"}


def test_cancelled_requests_are_not_remembered(service: Service) -> None:
    refuse(service, put("a", ConditionExpression="attribute_exists(pk)"), ClientRequestToken="t")
    assert write(service, put("a"), ClientRequestToken="t") == {}


# Capacity


def test_capacity_of_writes(service: Service) -> None:
    ok(service, "PutItem", TableName="hash", Item={"pk": {"S": "big"}, "x": {"S": "x" * 3000}})
    body = write(
        service, put("a"), check("b"), on("Delete", "big"), ReturnConsumedCapacity="TOTAL", ClientRequestToken="t"
    )
    assert body["ConsumedCapacity"] == [{"TableName": "hash", "CapacityUnits": 10.0, "WriteCapacityUnits": 10.0}]


def test_index_arms_are_not_doubled(service: Service) -> None:
    body = write(service, put("a", "composite", sk={"S": "1"}, lsi1sk={"S": "l"}), ReturnConsumedCapacity="INDEXES")
    assert body["ConsumedCapacity"] == [
        {
            "TableName": "composite",
            "CapacityUnits": 4.0,
            "WriteCapacityUnits": 4.0,
            "Table": {"CapacityUnits": 2.0, "WriteCapacityUnits": 2.0},
            "GlobalSecondaryIndexes": {"gsi1": {"CapacityUnits": 1.0, "WriteCapacityUnits": 1.0}},
            "LocalSecondaryIndexes": {"lsi1": {"CapacityUnits": 1.0, "WriteCapacityUnits": 1.0}},
        }
    ]


@pytest.mark.parametrize(("size", "first", "again"), [(1500, 4.0, 2.0), (9000, 18.0, 6.0)])
def test_capacity_of_a_replay(service: Service, size: int, first: float, again: float) -> None:
    action = put("a", x={"S": "x" * size})
    replies = [
        write(service, action, ClientRequestToken="t", ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
        for _ in range(2)
    ]
    assert replies[0][0]["WriteCapacityUnits"] == first
    assert replies[1] == [
        {
            "TableName": "hash",
            "CapacityUnits": again,
            "ReadCapacityUnits": again,
            "Table": {"CapacityUnits": again, "ReadCapacityUnits": again},
        }
    ]


def test_one_entry_per_table(service: Service) -> None:
    body = write(
        service,
        put("a"),
        put("a", "composite", sk={"S": "1"}),
        put("b"),
        ReturnConsumedCapacity="TOTAL",
    )
    assert {entry["TableName"]: entry["CapacityUnits"] for entry in body["ConsumedCapacity"]} == {
        "hash": 4.0,
        "composite": 2.0,
    }


def test_item_collection_metrics(service: Service) -> None:
    body = write(service, put("a"), put("a", "composite", sk={"S": "1"}), ReturnItemCollectionMetrics="SIZE")
    assert body == {
        "ItemCollectionMetrics": {
            "composite": [{"ItemCollectionKey": {"pk": {"S": "a"}}, "SizeEstimateRangeGB": [0.0, 1.0]}]
        }
    }


# TransactGetItems


def read(service: Service, *gets: Any, **more: Any) -> Any:
    return ok(service, "TransactGetItems", TransactItems=[{"Get": each} for each in gets], **more)


def one(pk: str, **more: Any) -> dict[str, Any]:
    return {"TableName": "hash", "Key": {"pk": {"S": pk}}, **more}


def test_reads_in_order(service: Service) -> None:
    write(service, put("a", x={"N": "1"}), put("b"))
    assert read(service, one("b"), one("none"), one("a")) == {
        "Responses": [{"Item": {"pk": {"S": "b"}}}, {}, {"Item": {"pk": {"S": "a"}, "x": {"N": "1"}}}]
    }


def test_projection_of_nothing_leaves_out_the_item(service: Service) -> None:
    write(service, put("a", x={"N": "1"}))
    assert read(service, one("a", ProjectionExpression="x")) == {"Responses": [{"Item": {"x": {"N": "1"}}}]}
    assert read(service, one("a", ProjectionExpression="y")) == {"Responses": [{}]}


def test_capacity_of_reads(service: Service) -> None:
    write(service, put("a"))
    body = read(service, one("a"), one("none"), ReturnConsumedCapacity="INDEXES")
    assert body["ConsumedCapacity"] == [
        {
            "TableName": "hash",
            "CapacityUnits": 4.0,
            "ReadCapacityUnits": 4.0,
            "Table": {"CapacityUnits": 4.0, "ReadCapacityUnits": 4.0},
        }
    ]


def refuse_read(service: Service, *gets: Any) -> Refusal:
    return refused(service, "TransactGetItems", TransactItems=[{"Get": each} for each in gets])


def test_read_with_a_wrong_key(service: Service) -> None:
    found = reasons(refuse_read(service, one("a"), {"TableName": "hash", "Key": {}}))
    assert found == [{"Code": "None"}, {"Code": "ValidationError", "Message": MISMATCH}]


@pytest.mark.parametrize(
    ("gets", "code", "message"),
    [
        ([one("")], "ValidationException", EMPTY_KEY),
        (
            [one("a"), one("a")],
            "ValidationException",
            "Transaction request cannot include multiple operations on one item",
        ),
        (
            [{"TableName": "none", "Key": {"pk": {"S": "a"}}}],
            "ResourceNotFoundException",
            "Requested resource not found",
        ),
        (
            [one("a", ProjectionExpression="!!!")],
            "ValidationException",
            'Invalid ProjectionExpression: Syntax error; token: "!", near: "!!"',
        ),
    ],
)
def test_reads_refused_as_a_whole(service: Service, gets: Any, code: str, message: str) -> None:
    refusal = refuse_read(service, *gets)
    assert (refusal.code, refusal.message) == (code, message)


def test_reads_of_more_than_four_megabytes(service: Service) -> None:
    for number in range(12):
        item = {"pk": {"S": f"k{number}"}, "x": {"S": "x" * 400_000}}
        ok(service, "PutItem", TableName="hash", Item=item)
    assert "size cannot exceed" in (refuse_read(service, *(one(f"k{n}") for n in range(12))).message or "")
    assert len(read(service, *(one(f"k{n}") for n in range(10)))["Responses"]) == 10


@pytest.mark.parametrize(
    "alone",
    [
        {"ExpressionAttributeNames": {"#n": "foo"}},
        {"ExpressionAttributeValues": {":v": {"N": "1"}}},
        {"ExpressionAttributeNames": {}, "ExpressionAttributeValues": {":v": {}}},
    ],
)
def test_placeholders_without_an_expression_are_passed_over(service: Service, alone: dict[str, Any]) -> None:
    name = HASH["TableName"]
    put = {"Put": {"TableName": name, "Item": {"pk": {"S": "alone"}}, **alone}}
    assert ok(service, "TransactWriteItems", TransactItems=[put]) == {}
    get = {"Get": {"TableName": name, "Key": {"pk": {"S": "alone"}}, **alone}}
    assert ok(service, "TransactGetItems", TransactItems=[get]) == {"Responses": [{"Item": {"pk": {"S": "alone"}}}]}
