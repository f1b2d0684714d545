"""Which write a wrong item is blamed on: the last, one that was refused, or that of the same key written otherwise."""

from __future__ import annotations

from tests.unit.oracle_bench import Bench, call, n, refusal

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
