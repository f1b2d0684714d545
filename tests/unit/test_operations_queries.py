"""Query, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.api import Call
from reference.operations.base import Choice
from reference.service import Service
from tests.unit.item_tables import ENVELOPE, INVALID, MISMATCH, NOT_VALID, item, ok, refused
from tests.unit.query_tables import ask, keys, queried

NESTED_KEY = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
START_SHAPE = "The provided starting key is invalid"
OUTSIDE = "The provided starting key is outside query boundaries based on provided conditions"
PREDICATE = "The provided starting key does not match the range key predicate"
RESTART = "The query can return at most one row and cannot be restarted"


@pytest.fixture
def made() -> Service:
    return queried()


# What is returned


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("pk = :p", {}, list(range(10))),
        ("pk = :p AND sk = :v", {"v": 3}, [3]),
        ("pk = :p AND sk < :v", {"v": 3}, [0, 1, 2]),
        ("pk = :p AND sk <= :v", {"v": 3}, [0, 1, 2, 3]),
        ("pk = :p AND sk > :v", {"v": 7}, [8, 9]),
        ("pk = :p AND :v <= sk", {"v": 7}, [7, 8, 9]),
        ("sk BETWEEN :v AND :w AND pk = :p", {"v": 2, "w": 4.5}, [2, 3, 4]),
        ("pk = :p AND sk = :v", {"v": 33}, []),
        ("pk = :p", {"p": "nobody"}, []),
    ],
)
def test_conditions(made: Service, condition: str, values: dict[str, Any], expected: list[int]) -> None:
    body = ask(condition, **values)
    assert keys(ok(made, "Query", **body)) == expected
    assert keys(ok(made, "Query", **body, ScanIndexForward=False)) == expected[::-1]


def test_counts(made: Service) -> None:
    got = ok(made, "Query", **ask("pk = :p AND sk < :v", v=2))
    assert got == {
        "Items": [
            item(pk="a", sk=0, g="even", n=9, x="x0", y="y0"),
            item(pk="a", sk=1, g="odd", n=8, x="x1", y="y1"),
        ],
        "Count": 2,
        "ScannedCount": 2,
    }


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("a", ["a", "aa", "ab", "a\U0010ffff", "a\U0010ffffz"]),
        ("a\U0010ffff", ["a\U0010ffff", "a\U0010ffffz"]),
        ("c", []),
    ],
)
def test_begins_with_text(made: Service, prefix: str, expected: list[str]) -> None:
    for sk in ("0", "a", "aa", "ab", "a\U0010ffff", "a\U0010ffffz", "b"):
        ok(made, "PutItem", TableName="text", Item=item(pk="a", sk=sk))
    body = {**ask("pk = :p AND begins_with(sk, :v)", v=prefix), "TableName": "text"}
    assert [each["sk"]["S"] for each in ok(made, "Query", **body)["Items"]] == expected
    assert [each["sk"]["S"] for each in ok(made, "Query", **body, ScanIndexForward=False)["Items"]] == expected[::-1]


def test_bytes_sort_unsigned_and_by_prefix(made: Service) -> None:
    sent = ["/w==", "AA==", "AAA=", "fw=="]  # ff, 00, 00 00, 7f
    for sk in sent:
        ok(made, "PutItem", TableName="bytes", Item={"pk": {"S": "a"}, "sk": {"B": sk}})
    got = ok(made, "Query", **{**ask(), "TableName": "bytes"})
    assert [each["sk"]["B"] for each in got["Items"]] == ["AA==", "AAA=", "fw==", "/w=="]
    body = {**ask("pk = :p AND begins_with(sk, :v)", v={"B": "AA=="}), "TableName": "bytes"}
    assert [each["sk"]["B"] for each in ok(made, "Query", **body)["Items"]] == ["AA==", "AAA="]


def test_text_sorts_by_its_bytes(made: Service) -> None:
    for sk in ("\U0001f600", "Z", "a", "￿", "é", "ab"):
        ok(made, "PutItem", TableName="text", Item=item(pk="a", sk=sk))
    got = ok(made, "Query", **{**ask(), "TableName": "text"})
    assert [each["sk"]["S"] for each in got["Items"]] == ["Z", "a", "ab", "é", "￿", "\U0001f600"]


def test_a_projection_may_leave_empty_rows(made: Service) -> None:
    got = ok(made, "Query", **ask("pk = :p AND sk < :v", v=2), ProjectionExpression="nope")
    assert got == {"Items": [{}, {}], "Count": 2, "ScannedCount": 2}
    got = ok(made, "Query", **ask("pk = :p AND sk < :v", v=2), ProjectionExpression="x")
    assert got["Items"] == [item(x="x0"), item(x="x1")]


def test_select_count_leaves_out_the_items(made: Service) -> None:
    assert ok(made, "Query", **ask(), Select="COUNT") == {"Count": 10, "ScannedCount": 10}


def test_legacy_conditions_and_filters(made: Service) -> None:
    conditions = {
        "pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]},
        "sk": {"ComparisonOperator": "GE", "AttributeValueList": [{"N": "8"}]},
    }
    body: dict[str, Any] = {"TableName": "tab", "KeyConditions": conditions}
    assert keys(ok(made, "Query", **body)) == [8, 9]
    filtered = {"x": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "x9"}]}}
    assert keys(ok(made, "Query", **body, QueryFilter=filtered)) == [9]
    values = {"ExpressionAttributeValues": {":x": {"S": "x8"}}}
    assert keys(ok(made, "Query", **body, FilterExpression="x = :x", **values)) == [8]
    got = ok(made, "Query", **body, AttributesToGet=["x"])
    assert got["Items"] == [item(x="x8"), item(x="x9")]


# Pages


def test_limit_counts_before_the_filter(made: Service) -> None:
    got = ok(made, "Query", **ask(v="nope"), FilterExpression="y = :v", Limit=2)
    assert got == {"Items": [], "Count": 0, "ScannedCount": 2, "LastEvaluatedKey": item(pk="a", sk=1)}


@pytest.mark.parametrize("forward", [True, False])
def test_pages_follow_each_other(made: Service, forward: bool) -> None:
    body = {**ask("pk = :p AND sk BETWEEN :v AND :w", v=2, w=8), "ScanIndexForward": forward}
    first = ok(made, "Query", **body, Limit=3)
    second = ok(made, "Query", **body, Limit=3, ExclusiveStartKey=first["LastEvaluatedKey"])
    last = ok(made, "Query", **body, Limit=3, ExclusiveStartKey=second["LastEvaluatedKey"])
    assert keys(first) + keys(second) + keys(last) == list(range(2, 9) if forward else range(8, 1, -1))
    assert "LastEvaluatedKey" not in last


def test_a_start_key_need_not_exist(made: Service) -> None:
    start = {"pk": {"S": "a"}, "sk": {"N": "6.5"}}
    assert keys(ok(made, "Query", **ask(), ExclusiveStartKey=start)) == [7, 8, 9]
    assert keys(ok(made, "Query", **ask(), ExclusiveStartKey=start, ScanIndexForward=False)) == [6, 5, 4, 3, 2, 1, 0]


def test_a_page_that_ends_with_the_last_row(made: Service) -> None:
    body = {**ask("pk = :p AND sk > :v", v=7), "Limit": 2}
    first = ok(made, "Query", **body)
    assert first["LastEvaluatedKey"] == item(pk="a", sk=9)
    assert ok(made, "Query", **body, ExclusiveStartKey=first["LastEvaluatedKey"]) == {
        "Items": [],
        "Count": 0,
        "ScannedCount": 0,
    }
    closed = made.outcomes(Call("Query", body), Choice(open_end=False)).outcome
    assert closed is not None
    assert "LastEvaluatedKey" not in closed.body
    still = made.outcomes(Call("Query", {**body, "Limit": 1}), Choice(open_end=False)).outcome
    assert still is not None
    assert still.body["LastEvaluatedKey"] == item(pk="a", sk=8)


def test_a_page_holds_one_megabyte(made: Service) -> None:
    # Each item counts 1024 bytes: pk and z, sk and its number, b and the rest.
    for sk in range(1100):
        size = 1024 - (2 + 1) - (2 + 1 + (sk > 0) * ((len(str(sk).rstrip("0")) + 1) // 2)) - 1
        ok(made, "PutItem", TableName="tab", Item=item(pk="z", sk=sk, b="x" * size))
    got = ok(made, "Query", **ask(p="z"), ProjectionExpression="sk")
    assert got["Count"] == 1024
    assert got["LastEvaluatedKey"] == item(pk="z", sk=1023)
    rest = ok(made, "Query", **ask(p="z"), ExclusiveStartKey=got["LastEvaluatedKey"])
    assert rest["Count"] == 76
    assert "LastEvaluatedKey" not in rest


def test_a_table_without_sort_key_has_one_page(made: Service) -> None:
    ok(made, "PutItem", TableName="hash", Item=item(pk="a"))
    body = {**ask(), "TableName": "hash", "Limit": 1}
    assert ok(made, "Query", **body) == {"Items": [item(pk="a")], "Count": 1, "ScannedCount": 1}
    assert refused(made, "Query", **body, ExclusiveStartKey=item(pk="a")) == (
        "The provided exclusive start key is invalid: ExclusiveStartKey: {pk=AttributeValue: {S:a}}"
    )


# Start keys


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (item(pk="a"), START_SHAPE),
        (item(pk="a", sk=1, x="y"), START_SHAPE),
        (item(pk="a", x=1), START_SHAPE),
        (item(pk="a", sk="1"), MISMATCH),
        (item(pk=1, sk=1), MISMATCH),
        (item(pk="a", sk=[1]), MISMATCH),
        (item(pk="b", sk=1), OUTSIDE),
        (
            item(pk="", sk=1),
            NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
        ),
    ],
)
def test_start_keys(made: Service, start: dict[str, Any], message: str) -> None:
    assert refused(made, "Query", **ask(), ExclusiveStartKey=start) == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, START_SHAPE + ": Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        ({"SS": []}, START_SHAPE + ": " + INVALID + "An string set  may not be empty"),
        ({"NULL": False}, START_SHAPE + ": " + INVALID + "Null attribute value types must have the value of true"),
        ({"N": "abc"}, "The parameter cannot be converted to a numeric value: abc"),
        ({"NS": ["1", "1.0"]}, INVALID + "Input collection contains duplicates."),
    ],
)
def test_values_of_start_keys(made: Service, value: dict[str, Any], message: str) -> None:
    assert refused(made, "Query", **ask(), ExclusiveStartKey={"pk": {"S": "a"}, "sk": value}) == message


def test_start_keys_beside_a_sort_key_condition(made: Service) -> None:
    body = ask("pk = :p AND sk > :v", v=4)
    assert refused(made, "Query", **body, ExclusiveStartKey=item(pk="a", sk=4)) == PREDICATE
    assert refused(made, "Query", **body, ExclusiveStartKey=item(pk="b", sk=4)) == PREDICATE
    assert refused(made, "Query", **body, ExclusiveStartKey=item(pk="b", sk=5)) == RESTART
    assert keys(ok(made, "Query", **body, ExclusiveStartKey=item(pk="a", sk=7))) == [8, 9]


@pytest.mark.parametrize(
    ("condition", "inside", "outside"),
    [
        ("sk = :v", [5], [4, 6]),
        ("sk < :v", [4], [5]),
        ("sk <= :v", [5], [6]),
        ("sk >= :v", [5], [4]),
        ("sk BETWEEN :v AND :w", [5, 7], [4, 8]),
    ],
)
def test_start_keys_and_each_operator(made: Service, condition: str, inside: list[int], outside: list[int]) -> None:
    values = {"v": 5, "w": 7} if ":w" in condition else {"v": 5}
    body = ask(f"pk = :p AND {condition}", **values)
    for sk in inside:
        ok(made, "Query", **body, ExclusiveStartKey=item(pk="a", sk=sk))
    for sk in outside:
        assert refused(made, "Query", **body, ExclusiveStartKey=item(pk="a", sk=sk)) == PREDICATE


def test_start_keys_of_an_index(made: Service) -> None:
    body = {**ask("g = :g", g="odd"), "IndexName": "by-g"}
    good = item(pk="a", sk=5, g="odd", n=4)
    assert keys(ok(made, "Query", **body, ExclusiveStartKey=good)) == [3, 1]
    for name in good:
        short = {key: value for key, value in good.items() if key != name}
        assert refused(made, "Query", **body, ExclusiveStartKey=short) == START_SHAPE
    assert refused(made, "Query", **body, ExclusiveStartKey=good | item(x=1)) == START_SHAPE
    assert refused(made, "Query", **body, ExclusiveStartKey=good | item(g="even")) == OUTSIDE
    assert refused(made, "Query", **body, ExclusiveStartKey=good | item(n="4")) == MISMATCH


def test_start_keys_of_an_index_beside_a_whole_key(made: Service) -> None:
    body = {**ask("g = :g AND n = :n", g="odd", n=4), "IndexName": "by-g"}
    good = item(pk="a", sk=5, g="odd", n=4)
    ok(made, "Query", **body, ExclusiveStartKey=good)
    ok(made, "Query", **body, ExclusiveStartKey=good | item(pk="other", sk=77))
    assert refused(made, "Query", **body, ExclusiveStartKey=good | item(n=5)) == PREDICATE
    assert refused(made, "Query", **body, ExclusiveStartKey=good | item(g="even")) == RESTART


# Checks of the request alone


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "x"},
            "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
        ),
        (
            {"Select": "COUNT", "ProjectionExpression": "x"},
            "Cannot specify the ProjectionExpression when choosing to get only the Count",
        ),
        (
            {"Select": "ALL_PROJECTED_ATTRIBUTES", "ProjectionExpression": "x"},
            "Cannot specify the ProjectionExpression when choosing to get ALL_PROJECTED_ATTRIBUTES",
        ),
        (
            {"Select": "ALL_PROJECTED_ATTRIBUTES"},
            "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        ),
        (
            {"Select": "SPECIFIC_ATTRIBUTES"},
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
        ),
    ],
)
def test_select_rules(made: Service, members: dict[str, Any], message: str) -> None:
    assert refused(made, "Query", **ask(), **members) == ENVELOPE + message
    assert refused(made, "Scan", TableName="tab", **members) == ENVELOPE + message
    assert refused(made, "Scan", TableName="nothing", **members) == ENVELOPE + message


def test_select_rules_name_attributes_to_get(made: Service) -> None:
    message = refused(made, "Scan", TableName="tab", AttributesToGet=["x"], Select="COUNT")
    assert message == ENVELOPE + "Cannot specify the AttributesToGet when choosing to get only the Count"
    ok(made, "Scan", TableName="tab", AttributesToGet=["x"], Select="SPECIFIC_ATTRIBUTES")
    ok(made, "Scan", TableName="tab", IndexName="by-n", Select="ALL_PROJECTED_ATTRIBUTES")
    ok(made, "Scan", TableName="tab", Select="ALL_ATTRIBUTES")


def test_a_query_needs_a_key_condition(made: Service) -> None:
    text = "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
    assert refused(made, "Query", TableName="nothing") == text
    words = "Conditions can be of length 1 or 2 only"
    assert refused(made, "Query", TableName="nothing", KeyConditions={}) == words
    expression = "Invalid FilterExpression: The expression can not be empty;"
    assert refused(made, "Query", TableName="nothing", KeyConditions={}, FilterExpression="") == expression


# Key conditions against the schema


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (ask("x = :v", v="a"), "Query condition missed key schema element: pk"),
        (ask("pk = :p AND x = :v", v="a"), "Query condition missed key schema element: sk"),
        (
            ask("pk = :p AND sk = :v AND x = :v", v=1),
            "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
        ),
        (ask("pk > :p"), "Query key condition not supported"),
        (ask("pk = :v", v=1), INVALID + "Condition parameter type does not match schema type"),
        (ask("pk = :p AND sk = :v", v="1"), INVALID + "Condition parameter type does not match schema type"),
        (
            ask("pk = :p AND begins_with(sk, :v)", v="1"),
            INVALID + "Condition parameter type does not match schema type",
        ),
        (
            ask(p=""),
            NOT_VALID + "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
        ),
        (ask(p="x" * 2049), INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes"),
        (
            {**ask("pk = :p AND sk = :v", v="x" * 1025), "TableName": "text"},
            INVALID + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
        ),
        (
            {**ask("pk = :p AND sk = :v", v="x"), "TableName": "hash"},
            "The number of query conditions (2) exceeds the number of key attributes defined in the schema (1)",
        ),
        ({**ask(), "IndexName": "by-g"}, "Query condition missed key schema element: g"),
    ],
)
def test_key_conditions_against_the_schema(made: Service, body: dict[str, Any], message: str) -> None:
    assert refused(made, "Query", **body) == message


def test_longest_keys_in_conditions(made: Service) -> None:
    ok(made, "Query", **{**ask("pk = :p AND sk = :v", p="x" * 2048, v="x" * 1024), "TableName": "text"})


@pytest.mark.parametrize("expression", ["x = sk", "pk <> :x", "attribute_exists(sk)"])
def test_filters_may_not_name_the_key(made: Service, expression: str) -> None:
    body = ask(**({"x": "a"} if ":x" in expression else {}))
    key = "pk" if "pk" in expression else "sk"
    text = f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {key}"
    assert refused(made, "Query", **body, FilterExpression=expression) == text


def test_query_filters_may_not_name_the_key(made: Service) -> None:
    filtered = {"sk": {"ComparisonOperator": "NOT_NULL"}}
    conditions = {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}}
    assert refused(made, "Query", TableName="tab", KeyConditions=conditions, QueryFilter=filtered) == (
        "QueryFilter can only contain non-primary key attributes: Primary key attribute: sk"
    )


def test_the_table_s_key_in_a_filter_of_an_index(made: Service) -> None:
    body = {**ask("g = :g", g="odd", v=3), "IndexName": "by-g"}
    assert keys(ok(made, "Query", **body, FilterExpression="sk > :v")) == [9, 7, 5]
    assert refused(made, "Query", **body, FilterExpression="n > :v") == (
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: n"
    )


def test_paths_into_keys(made: Service) -> None:
    assert refused(made, "Query", **ask(), ProjectionExpression="pk.x") == NESTED_KEY + "Key: pk"
    assert refused(made, "Query", **ask(), FilterExpression="attribute_exists(g.x)") == NESTED_KEY + "IndexKey: g"
    ok(made, "Query", **ask(), FilterExpression="attribute_exists(x.y)")
