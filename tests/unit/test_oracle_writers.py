"""Which write a wrong item is blamed on: the last, one that was refused, or that of the same key written otherwise."""

from __future__ import annotations

import pytest

from reference.api import Call, Json, Refusal
from tests.unit.oracle_bench import NAME, Bench, call, n, refusal

KEY = {"pk": {"N": "10"}}
FAILED = refusal("The conditional request failed", "ConditionalCheckFailedException")


def bench() -> Bench:
    return Bench(key="pk:N")


def put(pk: str, **attributes: object):  # type: ignore[no-untyped-def]
    return call("PutItem", Item={"pk": {"N": pk}, **attributes})


def test_an_item_that_is_there_twice() -> None:
    target = bench()
    target.lawful(put("1e1"))
    target.lawful(call("DeleteItem", Key=KEY))
    shown = {"Items": [KEY], "Count": 1, "ScannedCount": 1}
    assert target.faults(call("Scan", ConsistentRead=True), shown).rule == "keys.identity"


def test_an_item_that_shows_what_was_written_otherwise_is_no_second_one() -> None:
    target = bench()
    target.lawful(put("1e1", a=n(1)))
    check = call(
        "UpdateItem", Key=KEY, ConditionExpression="attribute_exists(b)", ReturnValuesOnConditionCheckFailure="ALL_OLD"
    )
    wrong = refusal(FAILED.message or "", FAILED.code, Item={**KEY, "a": n(1), "c": n(2)})
    assert target.faults(check, wrong).rule == "items.condition-failed"
    wrong = refusal(FAILED.message or "", FAILED.code, Item={**KEY, "c": n(2)})
    assert target.faults(check, wrong).rule == "keys.identity"


def test_a_refused_write_that_was_done() -> None:
    target = bench()
    target.lawful(put("10", a=n(1), b=n(1)))
    refused = call(
        "UpdateItem",
        Key=KEY,
        UpdateExpression="SET a = :v",
        ConditionExpression="attribute_exists(c)",
        ExpressionAttributeValues={":v": n(7)},
    )
    target.accepts(refused, FAILED)
    get = call("GetItem", Key=KEY, ConsistentRead=True)
    found = target.faults(get, {"Item": {**KEY, "a": n(7), "b": n(1)}})
    assert (found.operation, found.rule, found.path) == ("UpdateItem", "items.refused-write", "refused:item.*.N:value")


def test_what_a_refused_write_did_not_name_is_the_doing_of_the_last_one() -> None:
    target = bench()
    target.lawful(put("10", a=n(1), b=n(1)))
    refused = call("DeleteItem", Key=KEY, ConditionExpression="attribute_exists(c)")
    target.accepts(refused, FAILED)
    get = call("GetItem", Key=KEY, ConsistentRead=True)
    found = target.faults(get, {"Item": {**KEY, "a": n(2), "b": n(1)}})
    assert (found.operation, found.rule) == ("PutItem", "items.put-replaces")


def test_a_refused_write_that_made_an_item() -> None:
    target = bench()
    add = {"UpdateExpression": "ADD b :v", "ExpressionAttributeValues": {":v": {"B": "AQ=="}}}
    target.faults(
        call("UpdateItem", Key=KEY, **add), refusal("An operand in the update expression has an incorrect data type")
    )
    shown = {"Items": [KEY], "Count": 1, "ScannedCount": 1}
    found = target.faults(call("Scan", ConsistentRead=True), shown)
    assert (found.operation, found.rule) == ("UpdateItem", "items.refused-write")
    found = target.faults(call("GetItem", Key=KEY, ProjectionExpression="b"), {"Item": {}})
    assert (found.operation, found.rule) == ("UpdateItem", "items.refused-write")


def removal(**members: object):  # type: ignore[no-untyped-def]
    return call("UpdateItem", Key=KEY, UpdateExpression="REMOVE a", **members)


MADE = ("items.removal-creates-nothing", "item:created")


@pytest.mark.parametrize("operation", ["DeleteItem", "UpdateItem"])
def test_an_item_that_a_removal_made_is_told_by_the_next_write(operation: str) -> None:
    target = bench()
    target.lawful(removal())
    found = target.faults(call(operation, Key=KEY, ReturnValues="ALL_OLD"), {"Attributes": KEY})
    assert (found.operation, found.rule, found.path) == ("UpdateItem", *MADE)


def test_an_item_that_a_put_made_is_not_a_removals() -> None:
    target = bench()
    target.lawful(removal())
    target.lawful(put("10"))
    target.lawful(call("DeleteItem", Key=KEY))
    found = target.faults(call("DeleteItem", Key=KEY, ReturnValues="ALL_OLD"), {"Attributes": KEY})
    assert found.rule == "items.old-item-returned"


def test_an_item_that_a_removal_made_is_read_without_its_key() -> None:
    target = bench()
    target.lawful(removal())
    asked = Call("BatchGetItem", {"RequestItems": {NAME: {"Keys": [KEY], "ProjectionExpression": "b"}}})
    found = target.faults(asked, {"Responses": {NAME: [{}]}, "UnprocessedKeys": {}})
    assert (found.operation, found.rule, found.path) == ("UpdateItem", *MADE)


@pytest.mark.parametrize("seen", ["scan", "condition"])
def test_an_item_that_a_transactions_removal_made(seen: str) -> None:
    target = bench()
    update = {"TableName": NAME, "Key": KEY, "UpdateExpression": "REMOVE a"}
    target.lawful(Call("TransactWriteItems", {"TransactItems": [{"Update": update}]}))
    if seen == "scan":
        found = target.faults(call("Scan"), {"Items": [KEY], "Count": 1, "ScannedCount": 1})
    else:
        there = {"TableName": NAME, "Item": KEY, "ConditionExpression": "attribute_exists(pk)"}
        found = target.faults(Call("TransactWriteItems", {"TransactItems": [{"Put": there}]}), {})
    assert (found.operation, found.rule, found.path) == ("TransactWriteItems", *MADE)


def test_what_a_transactions_update_made_beside_a_put_is_the_updates() -> None:
    target = bench()
    update = {"TableName": NAME, "Key": KEY, "UpdateExpression": "REMOVE a"}
    new = {"TableName": NAME, "Item": {"pk": n(1)}}
    target.lawful(Call("TransactWriteItems", {"TransactItems": [{"Update": update}, {"Put": new}]}))
    found = target.faults(call("GetItem", Key={"pk": n(1)}, ConsistentRead=True), {})
    assert found.rule == "transactions.write-result"


UNSEEN: list[tuple[Call, Json | Refusal]] = [
    (call("GetItem", Key={"pk": n("1e1")}, ConsistentRead=True), {}),
    (call("Query", KeyConditionExpression="pk = :v", ExpressionAttributeValues={":v": n("1e1")}),
     {"Items": [], "Count": 0, "ScannedCount": 0}),
    (Call("BatchGetItem", {"RequestItems": {NAME: {"Keys": [{"pk": n("1e1")}]}}}),
     {"Responses": {NAME: []}, "UnprocessedKeys": {}}),
    (Call("TransactGetItems", {"TransactItems": [{"Get": {"TableName": NAME, "Key": {"pk": n("1e1")}}}]}),
     {"Responses": [{}]}),
    (call("UpdateItem", Key={"pk": n("1e1")}, ConditionExpression="attribute_exists(pk)"), FAILED),
    (call("PutItem", Item={"pk": n("1e1")}, ConditionExpression="attribute_not_exists(pk)"), {}),
    (call("UpdateItem", Key={"pk": n("1e1")}, ReturnValues="ALL_NEW"), {"Attributes": KEY}),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "told"), UNSEEN, ids=lambda value: getattr(value, "operation", ""))
def test_an_item_that_is_not_found_by_another_spelling_of_its_key(asked: Call, told: Json | Refusal) -> None:
    target = bench()
    target.lawful(put("10", a=n(1)))
    found = target.faults(asked, told)
    assert (found.operation, found.rule) == (asked.operation, "keys.identity")


def test_an_item_that_is_not_found_by_its_own_spelling_is_another_fault() -> None:
    target = bench()
    target.lawful(put("10", a=n(1)))
    assert target.faults(call("GetItem", Key=KEY, ConsistentRead=True), {}).rule != "keys.identity"
