"""BatchGetItem and BatchWriteItem, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.api import Call, Item, Refusal
from reference.operations.base import Choice
from reference.service import Service
from tests.unit.item_tables import (
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

ARN = "arn:aws:dynamodb:us-east-1:400000000004:table/"
DUPLICATES = "Provided list of item keys contains duplicates"
EMPTY_KEY = NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"


@pytest.fixture
def made() -> Service:
    return service(
        tab={
            "types": "pk:S sk:N g:S",
            "key": ("pk", "sk"),
            "gsi": [index("by-g", "g")],
            "lsi": [index("by-pk-g", "pk", "g")],
        },
        other={"types": "pk:S", "key": ("pk",)},
    )


def put(given: Item) -> dict[str, Any]:
    return {"PutRequest": {"Item": given}}


def delete(key: Item) -> dict[str, Any]:
    return {"DeleteRequest": {"Key": key}}


def write(made: Service, /, **requests: Any) -> Any:
    return ok(made, "BatchWriteItem", RequestItems=requests)


def read(made: Service, /, **keys: Any) -> Any:
    return ok(made, "BatchGetItem", RequestItems={name: {"Keys": given} for name, given in keys.items()})


# BatchGetItem


def test_reads_answer_what_is_there(made: Service) -> None:
    write(made, tab=[put(item(pk="a", sk=1, x=1)), put(item(pk="a", sk=2))], other=[put(item(pk="o"))])
    got = read(made, tab=[item(pk="a", sk=2), item(pk="nope", sk=1), item(pk="a", sk=1)], other=[item(pk="nope")])
    assert got == {
        "Responses": {"tab": [item(pk="a", sk=2), item(pk="a", sk=1, x=1)], "other": []},
        "UnprocessedKeys": {},
    }


def test_reads_project(made: Service) -> None:
    write(made, tab=[put(item(pk="a", sk=1, x=1, y=2))])
    key = item(pk="a", sk=1)
    names = {"ExpressionAttributeNames": {"#x": "x"}}
    got = ok(made, "BatchGetItem", RequestItems={"tab": {"Keys": [key], "ProjectionExpression": "#x", **names}})
    assert got["Responses"] == {"tab": [item(x=1)]}
    got = ok(made, "BatchGetItem", RequestItems={"tab": {"Keys": [key], "AttributesToGet": ["nope"]}})
    assert got["Responses"] == {"tab": [{}]}


def test_tables_by_arn_are_echoed(made: Service) -> None:
    name = ARN + "other"
    body = {"RequestItems": {name: [put(item(pk="a"))]}, "ReturnConsumedCapacity": "TOTAL"}
    assert ok(made, "BatchWriteItem", **body)["ConsumedCapacity"] == [{"TableName": name, "CapacityUnits": 1.0}]
    got = ok(made, "BatchGetItem", RequestItems={name: {"Keys": [item(pk="a")]}})
    assert got["Responses"] == {name: [item(pk="a")]}


def test_one_table_under_two_names(made: Service) -> None:
    write(made, other=[put(item(pk="a"))])
    keys, more = {"Keys": [item(pk="a")]}, {"Keys": [item(pk="b")]}
    assert broken(made, "BatchGetItem", RequestItems={"other": keys, ARN + "other": more}) == ["batches.table-twice"]
    got = ok(made, "BatchGetItem", RequestItems={ARN + "other": keys, "other": keys})
    assert got == {"Responses": {"other": [item(pk="a")]}, "UnprocessedKeys": {}}


@pytest.mark.parametrize("operation", ["BatchGetItem", "BatchWriteItem"])
def test_a_missing_table_refuses_all(made: Service, operation: str) -> None:
    good: Any = {"Keys": [item(pk="a")]} if operation == "BatchGetItem" else [put(item(pk="a"))]
    reply = made.execute(Call(operation, {"RequestItems": {"other": good, "nothing": good}}))
    assert isinstance(reply, Refusal)
    assert (reply.code, reply.message) == ("ResourceNotFoundException", NOT_FOUND)
    assert contents(made)["other"] == []


def test_duplicates_of_a_read(made: Service) -> None:
    write(made, tab=[put({"pk": {"S": "a"}, "sk": {"N": "1000"}})])
    keys = [{"pk": {"S": "a"}, "sk": {"N": "1000"}}, {"sk": {"N": "1000"}, "pk": {"S": "a"}}]
    assert refused(made, "BatchGetItem", RequestItems={"tab": {"Keys": keys}}) == DUPLICATES
    keys = [{"pk": {"S": "a"}, "sk": {"N": "1000"}}, {"pk": {"S": "a"}, "sk": {"N": "1e3"}}]
    assert len(read(made, tab=keys)["Responses"]["tab"]) == 1


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (item(pk="a"), MISMATCH),
        (item(pk="a", sk="1"), MISMATCH),
        (item(pk="a", sk=1, x=1), MISMATCH),
        (item(pk="", sk=1), EMPTY_KEY),
        (item(pk="x" * 2049, sk=1), INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
    ],
)
def test_keys_of_a_batch(made: Service, key: Item, message: str) -> None:
    good = item(pk="good", sk=1)
    assert refused(made, "BatchGetItem", RequestItems={"tab": {"Keys": [good, key]}}) == message
    assert refused(made, "BatchWriteItem", RequestItems={"tab": [put(good), delete(key)]}) == message


def test_one_bad_projection_refuses_all(made: Service) -> None:
    tables: dict[str, Any] = {
        "other": {"Keys": [item(pk="a")]},
        "tab": {"Keys": [item(pk="a", sk=1)], "ProjectionExpression": "x, x"},
    }
    message = refused(made, "BatchGetItem", RequestItems=tables)
    assert message is not None
    assert message.startswith("Invalid ProjectionExpression: Two document paths overlap with each other;")
    tables["tab"]["ProjectionExpression"] = "x"
    ok(made, "BatchGetItem", RequestItems=tables)
    tables["other"]["AttributesToGet"] = ["x"]
    message = refused(made, "BatchGetItem", RequestItems=tables)
    assert message is not None
    assert message.endswith(
        "Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}"
    )


def test_unused_names_are_told_before_a_missing_table(made: Service) -> None:
    tables = {
        "nothing": {
            "Keys": [item(pk="a")],
            "ProjectionExpression": "x",
            "ExpressionAttributeNames": {"#count": "count"},
        }
    }
    assert refused(made, "BatchGetItem", RequestItems=tables) == (
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#count}"
    )


def test_order_of_checks_of_a_read(made: Service) -> None:
    key = item(pk="a")
    assert broken(
        made,
        "BatchGetItem",
        RequestItems={
            "tab": {"Keys": [key, key], "ProjectionExpression": "pk.x", "ExpressionAttributeNames": {"#a": "a"}}
        },
    ) == [
        "expressions.names-unused",
        "batches.duplicate-keys",
        "keys.schema-mismatch",
        "keys.schema-mismatch",
        "keys.nested-path",
    ]


def test_what_a_read_leaves_undone(made: Service) -> None:
    write(made, tab=[put(item(pk="a", sk=n)) for n in range(3)], other=[put(item(pk="o"))])
    tables = {
        "tab": {"Keys": [item(pk="a", sk=n) for n in range(3)], "ConsistentRead": True, "ProjectionExpression": "sk"},
        "other": {"Keys": [item(pk="o")]},
    }
    body = {"RequestItems": tables, "ReturnConsumedCapacity": "TOTAL"}
    outcome = made.outcomes(Call("BatchGetItem", body), Choice(frozenset({("tab", 0), ("tab", 2)}))).outcome
    assert outcome is not None
    assert outcome.body == {
        "Responses": {"tab": [item(sk=1)], "other": [item(pk="o")]},
        "UnprocessedKeys": {
            "tab": {
                "Keys": [item(pk="a", sk=0), item(pk="a", sk=2)],
                "ConsistentRead": True,
                "ProjectionExpression": "sk",
            }
        },
        "ConsumedCapacity": [
            {"TableName": "tab", "CapacityUnits": 1.0},
            {"TableName": "other", "CapacityUnits": 0.5},
        ],
    }
    assert outcome.details == {"processed": {"tab": [1], "other": [0]}}
    assert "batches.unprocessed" in outcome.rules


def test_a_read_of_more_than_sixteen_megabytes(made: Service) -> None:
    for n in range(45):
        ok(made, "PutItem", TableName="other", Item=item(pk=f"{n:02}", b="x" * 400_000))
    got = read(made, other=[item(pk=f"{n:02}") for n in range(45)])
    # 41 of 400,005 bytes fit into 16,777,216.
    assert len(got["Responses"]["other"]) == 41
    assert got["UnprocessedKeys"] == {"other": {"Keys": [item(pk=f"{n:02}") for n in range(41, 45)]}}
    assert len(read(made, **{"other": got["UnprocessedKeys"]["other"]["Keys"]})["Responses"]["other"]) == 4


# BatchWriteItem


def test_writes(made: Service) -> None:
    assert write(made, tab=[put(item(pk="a", sk=1)), delete(item(pk="a", sk=2))], other=[put(item(pk="o"))]) == {
        "UnprocessedItems": {}
    }
    write(made, tab=[delete(item(pk="a", sk=1)), put(item(pk="a", sk=2, x=1))])
    assert contents(made) == {"tab": [item(pk="a", sk=2, x=1)], "other": [item(pk="o")]}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (item(sk=1), MISMATCH),
        (item(pk="a", sk="1"), MISMATCH),
        (item(pk=["a"], sk=1), MISMATCH),
        (item(pk="", sk=1), EMPTY_KEY),
        (
            item(pk="a", sk=1, g=None),
            INVALID + "Type mismatch for Index Key g Expected: S Actual: NULL IndexName: by-g",
        ),
        (
            item(pk="a", sk=1, g=""),
            NOT_VALID + "A value specified for a secondary index key is not supported. "
            "The AttributeValue for a key attribute cannot contain an empty string value. IndexName: by-g, IndexKey: g",
        ),
        (item(pk="a", sk=1, b="x" * 409_600), "Item size has exceeded the maximum allowed size"),
        (item(pk="a", sk=1, s={"SS": []}), INVALID + "An string set  may not be empty"),
        ({"pk": {"S": "a"}, "sk": {"N": "1"}, "n": {"NS": ["2", "1", "2"]}}, "Input collection contains duplicates"),
    ],
)
def test_one_bad_put_refuses_all(made: Service, given: Item, message: str) -> None:
    requests = {"tab": [put(item(pk="good", sk=1)), put(given)], "other": [put(item(pk="o"))]}
    assert refused(made, "BatchWriteItem", RequestItems=requests) == message


def test_duplicates_of_a_write(made: Service) -> None:
    one, other = {"pk": {"S": "a"}, "sk": {"N": "1000"}}, {"pk": {"S": "a"}, "sk": {"N": "1e3"}}
    assert refused(made, "BatchWriteItem", RequestItems={"tab": [put(one), put(other)]}) == DUPLICATES
    assert refused(made, "BatchWriteItem", RequestItems={"tab": [put(one), delete(other)]}) == DUPLICATES
    write(made, tab=[put(one), put({"pk": {"S": "b"}, "sk": {"N": "1e3"}})])


def test_an_element_is_a_put_or_a_delete(made: Service) -> None:
    message = refused(made, "BatchWriteItem", RequestItems={"other": [{}]})
    assert message is not None
    assert "must contain exactly one of the supported datatypes" in message


def test_what_a_write_leaves_undone(made: Service) -> None:
    elements = [put(item(pk="a", sk=n)) for n in range(3)]
    body = {"RequestItems": {"tab": elements}, "ReturnConsumedCapacity": "TOTAL"}
    outcome = made.outcomes(Call("BatchWriteItem", body), Choice(frozenset({("tab", 1)}))).outcome
    assert outcome is not None
    assert outcome.body == {
        "UnprocessedItems": {"tab": [elements[1]]},
        "ConsumedCapacity": [{"TableName": "tab", "CapacityUnits": 2.0}],
    }
    assert outcome.details == {"processed": {"tab": [0, 2]}}
    made.commit(outcome)
    assert contents(made)["tab"] == [item(pk="a", sk=0), item(pk="a", sk=2)]


def test_item_collections_of_a_batch(made: Service) -> None:
    got = ok(
        made,
        "BatchWriteItem",
        RequestItems={
            "tab": [put(item(pk="a", sk=1)), put(item(pk="a", sk=2)), delete(item(pk="b", sk=1))],
            "other": [put(item(pk="o"))],
        },
        ReturnItemCollectionMetrics="SIZE",
    )
    assert got["ItemCollectionMetrics"] == {
        "tab": [
            {"ItemCollectionKey": item(pk="a"), "SizeEstimateRangeGB": [0, 1]},
            {"ItemCollectionKey": item(pk="b"), "SizeEstimateRangeGB": [0, 1]},
        ]
    }
