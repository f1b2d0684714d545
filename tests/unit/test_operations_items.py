"""PutItem, GetItem, UpdateItem and DeleteItem, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.api import Call, Refusal
from reference.service import Service
from tests.unit.item_tables import (
    ENVELOPE,
    INVALID,
    MISMATCH,
    NOT_FOUND,
    NOT_VALID,
    broken,
    contents,
    index,
    item,
    ok,
    refused,
    service,
)

LIMIT = 409_600
EMPTY_KEY = NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string value. Key: {}"
EMPTY_BINARY = NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty binary value. Key: {}"
HASH_TOO_LONG = INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes"
RANGE_TOO_LONG = INVALID + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
NESTED_KEY = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
TOO_LARGE = "Item size has exceeded the maximum allowed size"
UPDATE_TOO_LARGE = "Item size to update has exceeded the maximum allowed size"


@pytest.fixture
def made() -> Service:
    return service(
        plain={"types": "pk:S", "key": ("pk",)},
        pair={
            "types": "pk:S sk:N g:S h:B l:S",
            "key": ("pk", "sk"),
            "gsi": [index("by-g", "g"), index("a-by-g", "g", "h", kind="KEYS_ONLY")],
            "lsi": [index("by-l", "pk", "l", kind="KEYS_ONLY")],
        },
        binary={"types": "pk:B", "key": ("pk",)},
    )


def error(made: Service, operation: str, **body: Any) -> Refusal:
    reply = made.execute(Call(operation, body))
    assert isinstance(reply, Refusal)
    return reply


# Tables


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("PutItem", {"Item": item(pk="a")}),
        ("GetItem", {"Key": item(pk="a")}),
        ("UpdateItem", {"Key": item(pk="a")}),
        ("DeleteItem", {"Key": item(pk="a")}),
    ],
)
def test_a_missing_table(made: Service, operation: str, members: dict[str, Any]) -> None:
    reply = error(made, operation, TableName="nothing", **members)
    assert (reply.code, reply.message) == ("ResourceNotFoundException", NOT_FOUND)
    ok(made, operation, TableName="plain", **members)


def test_a_table_by_its_arn_is_echoed(made: Service) -> None:
    arn = "arn:aws:dynamodb:us-east-1:400000000004:table/plain"
    ok(made, "PutItem", TableName=arn, Item=item(pk="a"))
    got = ok(made, "GetItem", TableName=arn, Key=item(pk="a"), ReturnConsumedCapacity="TOTAL")
    assert got == {"Item": item(pk="a"), "ConsumedCapacity": {"TableName": arn, "CapacityUnits": 0.5}}


def test_expressions_are_judged_before_the_table(made: Service) -> None:
    message = refused(made, "GetItem", TableName="nothing", Key=item(pk="a"), ProjectionExpression="")
    assert message == "Invalid ProjectionExpression: The expression can not be empty;"


# PutItem


def test_put_replaces_the_whole_item(made: Service) -> None:
    assert ok(made, "PutItem", TableName="plain", Item=item(pk="a", x=1, y=2)) == {}
    assert ok(made, "PutItem", TableName="plain", Item=item(pk="a", z=3)) == {}
    assert ok(made, "GetItem", TableName="plain", Key=item(pk="a")) == {"Item": item(pk="a", z=3)}


def test_put_returns_the_old_item_only_when_asked(made: Service) -> None:
    put = {"TableName": "plain", "Item": item(pk="a", x=1)}
    assert ok(made, "PutItem", **put, ReturnValues="ALL_OLD") == {}
    assert ok(made, "PutItem", **put, ReturnValues="NONE") == {}
    assert ok(made, "PutItem", **put, ReturnValues="ALL_OLD") == {"Attributes": item(pk="a", x=1)}


@pytest.mark.parametrize("operation", ["PutItem", "DeleteItem"])
@pytest.mark.parametrize("which", ["ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"])
def test_puts_and_deletes_return_the_old_item_or_nothing(made: Service, operation: str, which: str) -> None:
    member = "Item" if operation == "PutItem" else "Key"
    message = refused(made, operation, TableName="nothing", ReturnValues=which, **{member: item(pk="a")})
    assert message == ENVELOPE + "ReturnValues can only be ALL_OLD or NONE"


def test_return_values_in_the_older_wording() -> None:
    made = service("older", plain={"types": "pk:S", "key": ("pk",)})
    message = refused(made, "DeleteItem", TableName="plain", Key=item(pk="a"), ReturnValues="ALL_NEW")
    assert message == "ReturnValues can only be ALL_OLD or NONE"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (item(x=1), INVALID + "Missing the key pk in the item"),
        (item(pk="a"), INVALID + "Missing the key sk in the item"),
        (item(pk=1, sk=1), INVALID + "Type mismatch for key pk expected: S actual: N"),
        (item(pk="a", sk="b"), INVALID + "Type mismatch for key sk expected: N actual: S"),
        (item(pk=["a"], sk=1), INVALID + "Type mismatch for key pk expected: S actual: L"),
        (item(pk=None, sk=1), INVALID + "Type mismatch for key pk expected: S actual: NULL"),
        (item(pk="", sk=1), EMPTY_KEY.format("pk")),
        (item(pk="x" * 2049, sk=1), HASH_TOO_LONG),
    ],
)
def test_the_key_of_a_put(made: Service, given: dict[str, Any], message: str) -> None:
    assert refused(made, "PutItem", TableName="pair", Item=given) == message


def test_keys_of_the_greatest_length(made: Service) -> None:
    ok(made, "PutItem", TableName="pair", Item=item(pk="é" * 1024, sk=1))
    assert refused(made, "PutItem", TableName="pair", Item=item(pk="é" * 1024 + "x", sk=1)) == HASH_TOO_LONG
    long = service(tab={"types": "pk:S sk:S", "key": ("pk", "sk")})
    ok(long, "PutItem", TableName="tab", Item=item(pk="a", sk="x" * 1024))
    assert refused(long, "PutItem", TableName="tab", Item=item(pk="a", sk="x" * 1025)) == RANGE_TOO_LONG


def test_empty_binary_keys(made: Service) -> None:
    assert refused(made, "PutItem", TableName="binary", Item={"pk": {"B": ""}}) == EMPTY_BINARY.format("pk")
    ok(made, "PutItem", TableName="binary", Item={"pk": {"B": "AA=="}})


def test_numbers_are_one_key_however_written(made: Service) -> None:
    ok(made, "PutItem", TableName="pair", Item={"pk": {"S": "a"}, "sk": {"N": "1e3"}})
    got = ok(made, "GetItem", TableName="pair", Key={"pk": {"S": "a"}, "sk": {"N": "1000.0"}})
    assert got == {"Item": {"pk": {"S": "a"}, "sk": {"N": "1000"}}}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (item(g=1), "Type mismatch for Index Key g Expected: S Actual: N IndexName: a-by-g"),
        (item(g=None), "Type mismatch for Index Key g Expected: S Actual: NULL IndexName: a-by-g"),
        (item(l=["a"]), "Type mismatch for Index Key l Expected: S Actual: L IndexName: by-l"),
        (item(g="x" * 2049), "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
        (item(l="x" * 1025), "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"),
    ],
)
def test_index_keys_of_a_put(made: Service, more: dict[str, Any], message: str) -> None:
    assert refused(made, "PutItem", TableName="pair", Item=item(pk="a", sk=1) | more) == INVALID + message


@pytest.mark.parametrize(
    ("more", "kind", "place"),
    [
        ({"g": {"S": ""}}, "string", "IndexName: a-by-g, IndexKey: g"),
        ({"h": {"B": ""}}, "binary", "IndexName: a-by-g, IndexKey: h"),
    ],
)
def test_empty_index_keys_of_a_put(made: Service, more: dict[str, Any], kind: str, place: str) -> None:
    assert refused(made, "PutItem", TableName="pair", Item=item(pk="a", sk=1) | more) == (
        f"{NOT_VALID}A value specified for a secondary index key is not supported. "
        f"The AttributeValue for a key attribute cannot contain an empty {kind} value. {place}"
    )


def test_an_item_without_index_keys_is_only_in_the_table(made: Service) -> None:
    ok(made, "PutItem", TableName="pair", Item=item(pk="a", sk=1))
    assert ok(made, "Scan", TableName="pair", IndexName="by-g")["Count"] == 0
    ok(made, "PutItem", TableName="pair", Item=item(pk="a", sk=1, g="x"))
    assert ok(made, "Scan", TableName="pair", IndexName="by-g")["Count"] == 1
    assert ok(made, "Scan", TableName="pair", IndexName="a-by-g")["Count"] == 0


def test_the_largest_item(made: Service) -> None:
    ok(made, "PutItem", TableName="plain", Item=item(pk="K", b="x" * (LIMIT - 4)))
    assert refused(made, "PutItem", TableName="plain", Item=item(pk="K", b="x" * (LIMIT - 3))) == TOO_LARGE


def test_an_item_and_its_local_entries(made: Service) -> None:
    local = {"types": "pk:S sk:S l:S", "key": ("pk", "sk"), "lsi": [index("by-l", "pk", "l")]}
    made = service(tab=local)
    assert refused(made, "PutItem", TableName="tab", Item=item(pk="K", sk="s", l="l", b="x" * 204_801)) == TOO_LARGE
    ok(made, "PutItem", TableName="tab", Item=item(pk="K", sk="s", b="x" * 204_801))
    ok(made, "PutItem", TableName="tab", Item=item(pk="K", sk="s", l="l", b="x" * 204_000))


def test_a_false_condition(made: Service) -> None:
    put = {"TableName": "plain", "Item": item(pk="a", x=2), "ConditionExpression": "attribute_not_exists(pk)"}
    ok(made, "PutItem", **put)
    for which, fields in (("NONE", {}), ("ALL_OLD", {"Item": item(pk="a", x=2)})):
        reply = error(made, "PutItem", **put, ReturnValuesOnConditionCheckFailure=which)
        assert (reply.code, reply.message) == ("ConditionalCheckFailedException", "The conditional request failed")
        assert reply.fields == fields
        assert reply.rules == ("items.condition-failed",)


def test_a_false_condition_without_an_item_shows_none(made: Service) -> None:
    reply = error(
        made,
        "DeleteItem",
        TableName="plain",
        Key=item(pk="a"),
        ConditionExpression="attribute_exists(pk)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    assert reply.code == "ConditionalCheckFailedException"
    assert reply.fields == {}


def test_keys_are_judged_before_the_condition(made: Service) -> None:
    names = broken(made, "PutItem", TableName="plain", Item=item(x=1), ConditionExpression="attribute_exists(pk)")
    assert names == ["keys.missing"]


def test_expected_is_a_condition(made: Service) -> None:
    ok(made, "PutItem", TableName="plain", Item=item(pk="a", x=1))
    expected = {"x": {"Value": {"N": "2"}}}
    reply = error(made, "PutItem", TableName="plain", Item=item(pk="a"), Expected=expected)
    assert reply.code == "ConditionalCheckFailedException"
    ok(made, "PutItem", TableName="plain", Item=item(pk="a"), Expected={"x": {"Value": {"N": "1.0"}}})


def test_paths_into_keys_in_conditions(made: Service) -> None:
    body = {"TableName": "pair", "Item": item(pk="a", sk=1)}
    assert refused(made, "PutItem", **body, ConditionExpression="attribute_exists(pk.x)") == NESTED_KEY + "Key: pk"
    assert refused(made, "PutItem", **body, ConditionExpression="attribute_exists(g[0])") == NESTED_KEY + "IndexKey: g"
    ok(made, "PutItem", **body, ConditionExpression="attribute_not_exists(m.x)")


# GetItem


def test_get_of_a_missing_item_answers_nothing(made: Service) -> None:
    assert ok(made, "GetItem", TableName="plain", Key=item(pk="a")) == {}


def test_a_projection_that_matches_nothing_leaves_an_empty_item(made: Service) -> None:
    ok(made, "PutItem", TableName="plain", Item=item(pk="a", x=1))
    read = {"TableName": "plain", "Key": item(pk="a")}
    assert ok(made, "GetItem", **read, ProjectionExpression="nope") == {"Item": {}}
    assert ok(made, "GetItem", **read, ProjectionExpression="x") == {"Item": item(x=1)}
    assert ok(made, "GetItem", **read, AttributesToGet=["x", "nope"]) == {"Item": item(x=1)}


@pytest.mark.parametrize(
    ("operation", "extra"),
    [("GetItem", {}), ("DeleteItem", {}), ("UpdateItem", {"UpdateExpression": "REMOVE x"})],
)
@pytest.mark.parametrize(
    ("key", "message"),
    [
        (item(pk="a"), MISMATCH),
        (item(sk=1), MISMATCH),
        (item(pk="a", sk=1, x=1), MISMATCH),
        (item(pk="a", sk="1"), MISMATCH),
        (item(pk=["a"], sk=1), MISMATCH),
        (item(pk="", sk=1), EMPTY_KEY.format("pk")),
        (item(pk="x" * 2049, sk=1), HASH_TOO_LONG),
        ({}, MISMATCH),
    ],
)
def test_lookup_keys(made: Service, operation: str, extra: dict[str, Any], key: dict[str, Any], message: str) -> None:
    assert refused(made, operation, TableName="pair", Key=key, **extra) == message
    ok(made, operation, TableName="pair", Key=item(pk="x" * 2048, sk=1), **extra)


def test_paths_into_keys_in_projections(made: Service) -> None:
    read = {"TableName": "pair", "Key": item(pk="a", sk=1)}
    assert refused(made, "GetItem", **read, ProjectionExpression="pk.x") == NESTED_KEY + "Key: pk"
    assert refused(made, "GetItem", **read, ProjectionExpression="l[1]") == NESTED_KEY + "IndexKey: l"
    ok(made, "GetItem", **read, ProjectionExpression="pk, l, x.y")


# UpdateItem


def test_an_update_without_anything_to_do_creates_the_item(made: Service) -> None:
    assert ok(made, "UpdateItem", TableName="plain", Key=item(pk="new")) == {}
    assert contents(made)["plain"] == [item(pk="new")]


@pytest.mark.parametrize("expression", ["REMOVE x", "REMOVE x.y", "REMOVE x[0]", "DELETE x :s"])
def test_removal_creates_nothing(made: Service, expression: str) -> None:
    values = {"ExpressionAttributeValues": {":s": {"SS": ["a"]}}} if ":s" in expression else {}
    body = {"TableName": "plain", "Key": item(pk="new"), "UpdateExpression": expression, **values}
    assert ok(made, "UpdateItem", **body, ReturnValues="ALL_NEW") == {}
    assert contents(made)["plain"] == []
    outcome = made.outcomes(Call("UpdateItem", body)).outcome
    assert outcome is not None
    assert outcome.rules == ("items.removal-creates-nothing",)


def test_a_path_through_nothing(made: Service) -> None:
    ok(made, "PutItem", TableName="plain", Item=item(pk="a"))
    message = refused(made, "UpdateItem", TableName="plain", Key=item(pk="a"), UpdateExpression="REMOVE x.y")
    assert message == "The document path provided in the update expression is invalid for update"


def update(made: Service, expression: str, which: str = "NONE", key: Any = None, **values: Any) -> Any:
    body: dict[str, Any] = {"TableName": "plain", "Key": key or item(pk="a"), "UpdateExpression": expression}
    if values:
        body["ExpressionAttributeValues"] = {f":{name}": value for name, value in item(**values).items()}
    return ok(made, "UpdateItem", **body, ReturnValues=which)


def test_what_an_update_returns(made: Service) -> None:
    ok(made, "PutItem", TableName="plain", Item=item(pk="a", x="hi", b="dog"))
    body = "SET b = :cat, c = :hello"
    assert update(made, body, "UPDATED_OLD", cat="cat", hello="hello") == {"Attributes": item(b="dog")}
    assert update(made, body, "UPDATED_NEW", cat="cat", hello="hello") == {"Attributes": item(b="cat", c="hello")}
    assert update(made, "REMOVE b", "UPDATED_NEW") == {}
    assert update(made, "SET b = :b", "ALL_OLD", b="x") == {"Attributes": item(pk="a", x="hi", c="hello")}
    assert update(made, "SET b = :b", "ALL_NEW", b="y") == {"Attributes": item(pk="a", x="hi", c="hello", b="y")}
    assert update(made, "SET n = :n", "UPDATED_NEW", key=item(pk="new"), n=1) == {"Attributes": item(n=1)}
    assert update(made, "SET n = :n", "ALL_OLD", key=item(pk="newer"), n=1) == {}


def test_attribute_updates_return_what_they_name(made: Service) -> None:
    body = {"TableName": "plain", "Key": item(pk="a")}
    assert ok(made, "UpdateItem", **body, AttributeUpdates={}, ReturnValues="UPDATED_NEW") == {}
    assert ok(made, "UpdateItem", **body, AttributeUpdates={}, ReturnValues="ALL_NEW") == {"Attributes": item(pk="a")}
    put = {"n": {"Value": {"N": "1"}}}
    assert ok(made, "UpdateItem", **body, AttributeUpdates=put, ReturnValues="UPDATED_NEW") == {"Attributes": item(n=1)}


def test_keys_cannot_be_updated(made: Service) -> None:
    body: dict[str, Any] = {"TableName": "pair", "Key": item(pk="a", sk=1)}
    text = INVALID + "Cannot update attribute {}. This attribute is part of the key"
    value = {"ExpressionAttributeValues": {":v": {"S": "a"}}}
    assert refused(made, "UpdateItem", **body, UpdateExpression="SET pk = :v", **value) == text.format("pk")
    assert refused(made, "UpdateItem", **body, UpdateExpression="REMOVE sk") == text.format("sk")
    assert refused(made, "UpdateItem", **body, AttributeUpdates={"sk": {"Action": "DELETE"}}) == text.format("sk")
    assert refused(made, "UpdateItem", **body, UpdateExpression="SET x = pk.y") == NESTED_KEY + "Key: pk"
    assert refused(made, "UpdateItem", **body, UpdateExpression="SET g.y = :v", **value) == NESTED_KEY + "IndexKey: g"
    ok(made, "UpdateItem", **body, UpdateExpression="SET x = :v", **value)


UPDATE_EMPTY = (
    NOT_VALID + "The update expression attempted to update a secondary index key to a value that is not supported. "
    "The AttributeValue for a key attribute cannot contain an empty {} value."
)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("g", {"N": "1"}, INVALID + "Type mismatch for Index Key g Expected: S Actual: N IndexName: a-by-g"),
        ("g", {"S": ""}, UPDATE_EMPTY.format("string")),
        ("h", {"B": ""}, UPDATE_EMPTY.format("binary")),
        ("g", {"S": "x" * 2049}, HASH_TOO_LONG),
        ("l", {"S": "x" * 1025}, RANGE_TOO_LONG),
    ],
)
def test_index_keys_of_an_update(made: Service, name: str, value: dict[str, Any], message: str) -> None:
    body = {"TableName": "pair", "Key": item(pk="a", sk=1)}
    given = {"UpdateExpression": f"SET {name} = :v", "ExpressionAttributeValues": {":v": value}}
    assert refused(made, "UpdateItem", **body, **given) == message
    assert refused(made, "UpdateItem", **body, AttributeUpdates={name: {"Value": value}}) == message


def test_an_index_key_computed_from_another_attribute(made: Service) -> None:
    ok(made, "PutItem", TableName="pair", Item=item(pk="a", sk=1, n=5, e="", s="fine"))
    body = {"TableName": "pair", "Key": item(pk="a", sk=1)}
    assert refused(made, "UpdateItem", **body, UpdateExpression="SET g = n") == (
        "The update expression attempted to update the secondary index key to unsupported type"
    )
    assert refused(made, "UpdateItem", **body, UpdateExpression="SET g = e") == UPDATE_EMPTY.format("string")
    ok(made, "UpdateItem", **body, UpdateExpression="SET g = s")


@pytest.mark.parametrize("value", ["n + :v", "s - :v", ":v + :v", "absent + :v"])
def test_an_index_key_can_not_be_a_sum(made: Service, value: str) -> None:
    ok(made, "PutItem", TableName="pair", Item=item(pk="a", sk=1, n=5, s="fine"))
    body = {"TableName": "pair", "Key": item(pk="a", sk=1), "ExpressionAttributeValues": {":v": {"N": "1"}}}
    mismatch = INVALID + "Type mismatch for Index Key g Expected: S Actual: N IndexName: a-by-g"
    assert refused(made, "UpdateItem", **body, UpdateExpression=f"SET g = {value}") == mismatch
    assert refused(made, "UpdateItem", **body, UpdateExpression=f"SET x = l.y, g = {value}") == mismatch


def test_bad_index_keys_from_before_are_left_alone(made: Service) -> None:
    made.install("pair", item(pk="a", sk=1), item(pk="a", sk=1, g=5))
    body = {"TableName": "pair", "Key": item(pk="a", sk=1)}
    values = {"ExpressionAttributeValues": {":v": {"S": "x"}}}
    ok(made, "UpdateItem", **body, UpdateExpression="SET x = :v", **values)
    ok(made, "UpdateItem", **body, UpdateExpression="SET g = :v", **values)


def test_the_largest_update_counts_the_statement(made: Service) -> None:
    def body(key: str, size: int) -> dict[str, Any]:
        return {
            "TableName": "plain",
            "Key": item(pk=key),
            "UpdateExpression": "SET b = :v",
            "ExpressionAttributeValues": {":v": {"S": "x" * size}},
        }

    ok(made, "UpdateItem", **body("K", LIMIT - 19 - 4))
    assert refused(made, "UpdateItem", **body("K", LIMIT - 18 - 4)) == UPDATE_TOO_LARGE
    assert broken(made, "UpdateItem", **body("K", LIMIT - 18 - 4)) == ["items.statement-too-large"]
    long = "k" * 40
    ok(made, "UpdateItem", **body(long, LIMIT - 43))
    assert refused(made, "UpdateItem", **body(long, LIMIT - 42)) == UPDATE_TOO_LARGE
    assert broken(made, "UpdateItem", **body(long, LIMIT - 42)) == ["items.update-too-large"]


def test_the_statement_is_measured_before_the_condition(made: Service) -> None:
    body = {
        "TableName": "plain",
        "Key": item(pk="K"),
        "UpdateExpression": "SET b = :v",
        "ConditionExpression": "attribute_exists(b)",
        "ExpressionAttributeValues": {":v": {"S": "x" * (LIMIT - 5)}},
    }
    assert refused(made, "UpdateItem", **body) == UPDATE_TOO_LARGE


def test_an_update_may_not_nest_deeper_than_a_put(made: Service) -> None:
    value: dict[str, Any] = {"S": "leaf"}
    for _ in range(31):
        value = {"M": {"m": value}}
    ok(made, "PutItem", TableName="plain", Item=item(pk="a", deep=value))
    given = {"UpdateExpression": "SET {} = :v", "ExpressionAttributeValues": {":v": {"L": []}}}
    path = "deep" + ".m" * 31
    body = {"TableName": "plain", "Key": item(pk="a")}
    message = refused(made, "UpdateItem", **body, **{**given, "UpdateExpression": f"SET {path} = :v"})
    assert message is not None
    assert "Nesting Levels have exceeded supported limits" in message
    ok(made, "UpdateItem", **body, **{**given, "UpdateExpression": f"SET {'deep' + '.m' * 30} = :v"})


# DeleteItem


def test_delete(made: Service) -> None:
    body = {"TableName": "plain", "Key": item(pk="a")}
    assert ok(made, "DeleteItem", **body) == {}
    ok(made, "PutItem", TableName="plain", Item=item(pk="a", x=1))
    assert ok(made, "DeleteItem", **body, ReturnValues="ALL_OLD") == {"Attributes": item(pk="a", x=1)}
    assert ok(made, "DeleteItem", **body, ReturnValues="ALL_OLD") == {}
    assert ok(made, "GetItem", **body) == {}


# Item collections


def test_item_collection_metrics(made: Service) -> None:
    measured = {"ItemCollectionMetrics": {"ItemCollectionKey": item(pk="a"), "SizeEstimateRangeGB": [0, 1]}}
    key = {"TableName": "pair", "Key": item(pk="a", sk=1), "ReturnItemCollectionMetrics": "SIZE"}
    put = {"TableName": "pair", "Item": item(pk="a", sk=1)}
    assert ok(made, "PutItem", **put, ReturnItemCollectionMetrics="SIZE") == measured
    assert ok(made, "UpdateItem", **key) == measured
    assert ok(made, "DeleteItem", **key) == measured
    assert ok(made, "DeleteItem", **key) == measured
    assert ok(made, "PutItem", **put, ReturnItemCollectionMetrics="NONE") == {}
    assert ok(made, "PutItem", TableName="plain", Item=item(pk="a"), ReturnItemCollectionMetrics="SIZE") == {}


def test_the_largest_item_collection(made: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reference.capacity.item_collections.MAX_COLLECTION_BYTES", 1000)
    ok(made, "PutItem", TableName="pair", Item=item(pk="a", sk=1, x="x" * 480))
    ok(made, "PutItem", TableName="pair", Item=item(pk="b", sk=1, x="x" * 480))
    ok(made, "PutItem", TableName="pair", Item=item(pk="a", sk=2, x="x" * 480))
    reply = error(made, "PutItem", TableName="pair", Item=item(pk="a", sk=3, x="x" * 480))
    assert reply.code == "ItemCollectionSizeLimitExceededException"
    ok(made, "DeleteItem", TableName="pair", Key=item(pk="a", sk=2))


# All violations of a request


def test_all_violations_in_the_service_s_order(made: Service) -> None:
    ok(made, "PutItem", TableName="pair", Item=item(pk="a", sk=1))
    assert broken(
        made,
        "PutItem",
        TableName="pair",
        Item=item(pk=1, l=2, b="x" * LIMIT),
        ReturnValues="ALL_NEW",
        ConditionExpression="pk.x = :v",
        ExpressionAttributeValues={":v": {"S": "a"}, ":w": {"S": "a"}},
    ) == [
        "items.return-values",
        "items.too-large",
        "expressions.values-unused",
        "keys.type-mismatch",
        "keys.missing",
        "keys.nested-path",
        "indexes.type-mismatch",
    ]
