"""Query and Scan of indexes, and of keys of several attributes, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.service import Service
from tests.unit.item_tables import INVALID, broken, item, ok, projecting, refused, service
from tests.unit.query_tables import ask, keys, queried

SELECT_ALL = (
    "Select type ALL_ATTRIBUTES is not supported for global secondary index {} because its projection type is not ALL"
)


@pytest.fixture
def made() -> Service:
    return queried()


# Indexes


def test_an_unknown_index(made: Service) -> None:
    text = "The table does not have the specified index: nope"
    assert refused(made, "Query", **ask(), IndexName="nope") == text
    assert refused(made, "Scan", TableName="tab", IndexName="nope") == text


def test_expressions_are_judged_before_the_index(made: Service) -> None:
    names = broken(made, "Query", **ask(), IndexName="nope", FilterExpression="")
    assert names == ["expressions.empty", "indexes.unknown"]


@pytest.mark.parametrize("status", ["CREATING", "DELETING"])
def test_an_index_that_is_not_active(made: Service, status: str) -> None:
    built = made.account.tables["tab"].indexes["by-g"]
    built.status = status
    text = "The table does not have the specified index: by-g"
    assert refused(made, "Scan", TableName="tab", IndexName="by-g") == text
    built.backfilling = True
    text = "Cannot read from backfilling global secondary index: by-g"
    assert refused(made, "Scan", TableName="tab", IndexName="by-g") == text


def test_consistent_reads(made: Service) -> None:
    text = "Consistent reads are not supported on global secondary indexes"
    assert refused(made, "Query", **ask("g = :g", g="odd"), IndexName="by-g", ConsistentRead=True) == text
    assert refused(made, "Scan", TableName="tab", IndexName="by-g", ConsistentRead=True) == text
    ok(made, "Query", **ask("g = :g", g="odd"), IndexName="by-g", ConsistentRead=False)
    ok(made, "Query", **ask(), IndexName="by-n", ConsistentRead=True)
    ok(made, "Scan", TableName="tab", ConsistentRead=True)


def test_what_an_index_returns(made: Service) -> None:
    body = {**ask("g = :g AND n < :n", g="odd", n=2), "IndexName": "by-g"}
    assert ok(made, "Query", **body)["Items"] == [item(pk="a", sk=9, g="odd", n=0, x="x9")]
    assert ok(made, "Query", **body, Select="ALL_PROJECTED_ATTRIBUTES")["Items"] == [
        item(pk="a", sk=9, g="odd", n=0, x="x9")
    ]
    local = {**ask("pk = :p AND n < :n", n=1), "IndexName": "by-n"}
    assert ok(made, "Query", **local)["Items"] == [item(pk="a", sk=9, n=0)]
    whole = item(pk="a", sk=9, g="odd", n=0, x="x9", y="y9")
    assert ok(made, "Query", **{**local, "IndexName": "all-n"})["Items"] == [whole]
    assert ok(made, "Query", **local, Select="ALL_ATTRIBUTES")["Items"] == [whole]
    assert ok(made, "Query", **local, ProjectionExpression="y")["Items"] == [item(y="y9")]


def test_what_a_global_index_does_not_project(made: Service) -> None:
    body = {**ask("g = :g", g="odd"), "IndexName": "by-g"}
    text = SELECT_ALL.format("by-g")
    assert refused(made, "Query", **body, Select="ALL_ATTRIBUTES") == INVALID + text
    assert refused(made, "Scan", TableName="tab", IndexName="by-g", Select="ALL_ATTRIBUTES") == INVALID + text
    text = "Global secondary index by-g does not project [y, z]"
    assert refused(made, "Query", **body, ProjectionExpression="y, x, z.a, z.b") == INVALID + text
    assert refused(made, "Scan", TableName="tab", IndexName="by-g", AttributesToGet=["y", "z"]) == INVALID + text
    ok(made, "Query", **body, ProjectionExpression="x, pk")
    ok(made, "Query", **{**body, "IndexName": "all-g"}, Select="ALL_ATTRIBUTES")


def test_filters_on_what_an_index_does_not_project(made: Service) -> None:
    body = {**ask("g = :g", g="odd"), "IndexName": "by-g"}
    text = INVALID + "Secondary index {} does not project one or more filter attributes: [y]"
    assert refused(made, "Query", **body, FilterExpression="attribute_exists(y)") == text.format("by-g")
    local = {**ask(), "IndexName": "by-n"}
    assert refused(made, "Query", **local, FilterExpression="attribute_exists(y)") == text.format("by-n")
    assert ok(made, "Query", **body, FilterExpression="attribute_exists(x)")["Count"] == 5
    scan = {"TableName": "tab", "IndexName": "by-g"}
    assert ok(made, "Scan", **scan, FilterExpression="attribute_exists(y)")["Count"] == 0
    assert ok(made, "Scan", **scan, FilterExpression="attribute_not_exists(y)")["Count"] == 10


def test_pages_of_an_index_with_equal_keys(made: Service) -> None:
    body: dict[str, Any] = {**ask("g = :g", g="even"), "IndexName": "all-g", "Limit": 2}
    seen: list[int] = []
    while True:
        got = ok(made, "Query", **body)
        seen += keys(got)
        if "LastEvaluatedKey" not in got:
            break
        assert set(got["LastEvaluatedKey"]) == {"pk", "sk", "g"}
        body["ExclusiveStartKey"] = got["LastEvaluatedKey"]
    assert sorted(seen) == [0, 2, 4, 6, 8]
    assert len(set(seen)) == 5


# Keys of several attributes


@pytest.fixture
def several() -> Service:
    made = service(tab={"types": "pk:S", "key": ("pk",)})
    table = made.account.tables["tab"]
    schema = [{"AttributeName": n, "KeyType": "HASH" if n == "h" else "RANGE"} for n in "habcd"]
    ok(
        made,
        "UpdateTable",
        TableName="tab",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in "habcd"],
        GlobalSecondaryIndexUpdates=[
            {"Create": {"IndexName": "multi", "KeySchema": schema, "Projection": projecting("ALL")}}
        ],
    )
    assert table.name == "tab"
    rows = {"p1": "T live b r1", "p2": "T live a r2", "p3": "T live a r1", "p4": "T draft c r1", "p5": "F live a r0"}
    for pk, row in rows.items():
        values = dict(zip("abcd", row.split(), strict=True))
        ok(made, "PutItem", TableName="tab", Item=item(pk=pk, h="h", **values))
    ok(made, "PutItem", TableName="tab", Item=item(pk="p6", h="h", a="T", b="live", d="r1"))
    return made


def pks(made: Service, condition: str, **members: Any) -> list[str]:
    values = {":h": "h", ":T": "T", ":live": "live", ":a": "a", ":c": "c", ":r": "r", ":r1": "r1"}
    used = {name: {"S": value} for name, value in values.items() if f"{name} " in condition.replace(")", " ") + " "}
    body = ok(
        made,
        "Query",
        TableName="tab",
        IndexName="multi",
        KeyConditionExpression=condition,
        ExpressionAttributeValues=used,
        **members,
    )
    return [each["pk"]["S"] for each in body["Items"]]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("h = :h", ["p5", "p4", "p3", "p2", "p1"]),
        ("h = :h AND a = :T AND b < :live", ["p4"]),
        ("h = :h AND a = :T AND b = :live AND c > :a", ["p1"]),
        ("h = :h AND a = :T AND b = :live AND c = :a AND begins_with(d, :r)", ["p3", "p2"]),
        ("d BETWEEN :r1 AND :r1 AND c = :a AND b = :live AND a = :T AND h = :h", ["p3"]),
    ],
)
def test_queries_of_several_sort_key_attributes(several: Service, condition: str, expected: list[str]) -> None:
    assert pks(several, condition) == expected
    assert pks(several, condition, ScanIndexForward=False) == expected[::-1]


@pytest.mark.parametrize(
    ("condition", "missing", "key"),
    [
        ("h = :h AND a = :T AND c = :c", "b", "c"),
        ("h = :h AND a = :T AND b > :live AND c = :c", "b", "c"),
        ("h = :h AND b = :live", "a", "b"),
    ],
)
def test_gaps_among_sort_key_attributes(several: Service, condition: str, missing: str, key: str) -> None:
    values = {f":{n}": {"S": n} for n in ("h", "T", "live", "c") if f":{n}" in condition}
    body = {"TableName": "tab", "IndexName": "multi", "KeyConditionExpression": condition}
    message = refused(several, "Query", **body, ExpressionAttributeValues=values)
    assert message is not None
    assert (
        f"RANGE key attributes {missing} must have equality conditions specified in the query "
        f"because a condition is present on key attribute {key}"
    ) in message


def test_pages_of_several_key_attributes(several: Service) -> None:
    body = {
        "TableName": "tab",
        "IndexName": "multi",
        "KeyConditionExpression": "h = :h",
        "ExpressionAttributeValues": {":h": {"S": "h"}},
    }
    got = ok(several, "Query", **body, Limit=2)
    assert got["LastEvaluatedKey"] == item(pk="p4", h="h", a="T", b="draft", c="c", d="r1")
    rest = ok(several, "Query", **body, ExclusiveStartKey=got["LastEvaluatedKey"])
    assert [each["pk"]["S"] for each in rest["Items"]] == ["p3", "p2", "p1"]
    assert refused(several, "Query", **body, FilterExpression="attribute_exists(c)") == (
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: c"
    )
