"""Vector indexes: writes and searches, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Account
from reference.api import Call
from reference.clock import ManualClock
from reference.service import Service
from reference.vectors.embedding import decimal, element
from tests.unit.vector_tables import (
    BAD_SEARCH_VECTOR,
    COMPARATOR,
    FIXTURE,
    INVALID,
    SCHEMA,
    found,
    index,
    made,
    ok,
    put,
    refused,
    refused_search,
    search,
    table,
    vec,
)


@pytest.fixture
def distances() -> Service:
    service = made(
        index("cosine"),
        index("euclidean", DistanceFunction="EUCLIDEAN"),
        index("dot", DistanceFunction="DOT_PRODUCT"),
    )
    for pk, vector in FIXTURE.items():
        put(service, pk, vector, label=f"item-{pk}")
    return service


@pytest.fixture
def tenants() -> Service:
    service = made(index("plain"), SCHEMA, attributes="pk tenant category")
    put(service, "p1", "1 0 0", tenant="t1", category="c1")
    put(service, "p2", "1 0 0", tenant="t1", category="c2")
    put(service, "p3", "1 0 0", tenant="t2", category="c1")
    put(service, "p4", "1 0 0", tenant="t1")
    put(service, "p5", "1 0 0", category="c1")
    put(service, "p6", tenant="t1")
    return service


# Writes


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            {"embedding": {"L": vec("1 0")}},
            "Invalid size for parameter embedding, Expected: 3, Actual: 2 IndexName: plain",
        ),
        (
            {"embedding": {"L": [{"N": "1"}, {"S": "oops"}, {"N": "0"}]}},
            "Invalid type for parameter embedding[1], Expected: 32-bit floating point number, Actual: S. "
            "IndexName: plain",
        ),
        (
            {"embedding": {"S": "not-a-vector"}},
            "Invalid type for parameter embedding, Expected: 32-bit floating point number list IndexName: plain",
        ),
        (
            {"embedding": {"L": vec("1E+39 0 0")}},
            "Invalid value for parameter embedding[0], Value: 1E+39 is outside valid range "
            "[-3.4028235E38, 3.4028235E38]. IndexName: plain",
        ),
        (
            {"embedding": {"L": vec("0 0 1")}, "tenant": {"N": "7"}},
            "Attribute 'tenant' type mismatch. Expected: S, Actual: N. IndexName: schema",
        ),
    ],
)
def test_writes_that_do_not_fit_an_index(tenants: Service, item: dict[str, Any], message: str) -> None:
    before = list(tenants.account.tables["docs"].items())
    whole = {"pk": {"S": "bad"}, "tenant": {"S": "t1"}, **item}
    expected = ("ValidationException", INVALID + message)
    assert refused(tenants, "PutItem", TableName="docs", Item=whole) == expected
    batch = {"docs": [{"PutRequest": {"Item": whole}}, {"PutRequest": {"Item": {"pk": {"S": "good"}}}}]}
    assert refused(tenants, "BatchWriteItem", RequestItems=batch) == expected
    changed = {name: value for name, value in item.items() if name != "pk"}
    update = {
        "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in changed),
        "ExpressionAttributeValues": {f":{name}": value for name, value in changed.items()},
    }
    assert refused(tenants, "UpdateItem", TableName="docs", Key={"pk": {"S": "p1"}}, **update) == expected
    action = {"Put": {"TableName": "docs", "Item": whole}}
    code, text = refused(tenants, "TransactWriteItems", TransactItems=[action])
    assert code == "TransactionCanceledException"
    assert "ValidationError" in (text or "")
    assert list(tenants.account.tables["docs"].items()) == before


def test_an_empty_partition_attribute(tenants: Service) -> None:
    item = {"pk": {"S": "bad"}, "tenant": {"S": ""}, "embedding": {"L": vec("0 0 1")}}
    assert refused(tenants, "PutItem", TableName="docs", Item=item) == (
        "ValidationException",
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
        "The AttributeValue for a key attribute cannot contain an empty string value. IndexName: schema, "
        "IndexKey: tenant",
    )


def test_the_greatest_floats_are_accepted(distances: Service) -> None:
    put(distances, "max", "3.4028235E38 -3.4028235E38 1e-60")
    item = {"pk": {"S": "over"}, "embedding": {"L": vec("3.41E38 0 0")}}
    assert refused(distances, "PutItem", TableName="docs", Item=item)[0] == "ValidationException"


def test_what_an_index_holds(tenants: Service) -> None:
    assert sorted(found(tenants, "plain")) == ["p1", "p2", "p3", "p4", "p5"]
    key = {"pk": {"S": "p1"}}
    ok(tenants, "UpdateItem", TableName="docs", Key=key, UpdateExpression="REMOVE embedding")
    assert "p1" not in found(tenants, "plain")
    values = {":v": {"L": vec("0 1 0")}}
    ok(
        tenants, "UpdateItem", TableName="docs", Key=key,
        UpdateExpression="SET embedding = :v", ExpressionAttributeValues=values,
    )  # fmt: skip
    assert "p1" in found(tenants, "plain")
    ok(tenants, "DeleteItem", TableName="docs", Key=key)
    assert "p1" not in found(tenants, "plain")


# Scores


@pytest.mark.parametrize(
    ("name", "scores"),
    [
        ("cosine", [("a", 0.0), ("d", 0.4), ("b", 1.0), ("c", 2.0)]),
        ("euclidean", [("a", 0.0), ("d", 0.8**0.5), ("b", 2**0.5), ("c", 2.0)]),
        ("dot", [("a", 1.0), ("d", 0.6), ("b", 0.0), ("c", -1.0)]),
    ],
)
def test_scores_of_the_distance_functions(distances: Service, name: str, scores: list[tuple[str, float]]) -> None:
    results = search(distances, name)
    assert [each["Item"]["pk"]["S"] for each in results] == [pk for pk, _ in scores]
    assert [each["Score"] for each in results] == pytest.approx([score for _, score in scores], abs=1e-6)
    exact = {each["Item"]["pk"]["S"]: each["Score"] for each in results}
    assert (exact["a"], exact["c"]) == (scores[0][1], scores[3][1])


def test_a_vector_without_direction_has_cosine_distance_one() -> None:
    service = made(index("cosine"))
    put(service, "zero", "0 0 0")
    put(service, "unit", "1 0 0")
    put(service, "tiny", "1e-23 0 0")
    assert [each["Score"] for each in search(service, "cosine", "0 0 0")] == [1.0, 1.0, 1.0]
    scores = {each["Item"]["pk"]["S"]: each["Score"] for each in search(service, "cosine", "1e-23 0 0")}
    assert scores == {"tiny": 0.0, "unit": 0.0, "zero": 1.0}


def test_sums_are_wider_than_floats_and_scores_stay_in_their_range() -> None:
    service = made(index("dot", DistanceFunction="DOT_PRODUCT"), index("euclidean", DistanceFunction="EUCLIDEAN"))
    put(service, "a", "3.4e38 -3.4e38 0")
    assert [each["Score"] for each in search(service, "dot", "3.4e38 3.4e38 0")] == [0.0]
    assert [each["Score"] for each in search(service, "euclidean", "-3.4e38 0 0")] == [3.4028234663852886e38]
    assert [each["Score"] for each in search(service, "dot", "-3.4e38 3.4e38 0")] == [-3.4028234663852886e38]


# Results


def test_results_are_as_many_as_asked_for_in_one_page(distances: Service) -> None:
    assert found(distances, "cosine", top=1) == ["a"]
    body = ok(
        distances, "SearchVectors", TableName="docs", IndexName="cosine", SearchVector=vec("1 0 0"), TopK=100
    )  # fmt: skip
    assert set(body) == {"SearchResults"}
    assert len(body["SearchResults"]) == 4
    assert ok(
        made(index("cosine")), "SearchVectors",
        TableName="docs", IndexName="cosine", SearchVector=vec("1 0 0"), TopK=100,
    ) == {"SearchResults": []}  # fmt: skip


def test_the_vector_is_shown_only_when_asked_for(distances: Service) -> None:
    (plain,) = search(distances, "cosine", top=1)
    assert plain["Item"] == {"pk": {"S": "a"}, "label": {"S": "item-a"}}
    (shown,) = search(distances, "cosine", top=1, ProjectionExpression="pk, embedding")
    assert shown["Item"] == {"pk": {"S": "a"}, "embedding": {"L": vec("1.0 0.0 0.0")}}


def test_the_index_holds_floats_and_the_table_what_was_written(distances: Service) -> None:
    precise = "0.1 16777217 1.000000059604644775390625"
    put(distances, "f32", precise)
    kept = ok(distances, "GetItem", TableName="docs", Key={"pk": {"S": "f32"}})["Item"]["embedding"]["L"]
    assert kept == vec(precise)
    results = search(distances, "cosine", precise, ProjectionExpression="pk, embedding")
    shown = next(each["Item"] for each in results if each["Item"]["pk"]["S"] == "f32")
    assert shown["embedding"]["L"] == vec("0.1 16777216.0 1.0")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0", "0.0"), ("-1", "-1.0"), ("0.5", "0.5"), ("123.25", "123.25"), ("0.00001", "0.00001"),
        ("1e-7", "1e-7"), ("1.5e20", "1.5e20"), ("3.4028235e38", "3.4028235e38"), ("1e-46", "0.0"),
    ],
)  # fmt: skip
def test_the_shortest_decimal_of_a_float(text: str, shown: str) -> None:
    value = element(text)
    assert value is not None
    assert decimal(value) == shown


def test_projections() -> None:
    service = made(
        index("keys", Projection={"ProjectionType": "KEYS_ONLY"}),
        index("some", Projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["embedding", "note"]}),
        {**SCHEMA, "Projection": {"ProjectionType": "KEYS_ONLY"}},
        attributes="pk tenant category",
    )
    put(service, "a", "1 0 0", note="n", more="m", tenant="t", category="c")
    wanted = {"ProjectionExpression": "pk, embedding, note, more"}
    assert search(service, "keys")[0]["Item"] == {"pk": {"S": "a"}}
    assert search(service, "keys", **wanted)[0]["Item"] == {"pk": {"S": "a"}}
    assert search(service, "some")[0]["Item"] == {"pk": {"S": "a"}, "note": {"S": "n"}}
    assert set(search(service, "some", **wanted)[0]["Item"]) == {"pk", "embedding", "note"}
    condition = {"SearchConditionExpression": "tenant = :t", "ExpressionAttributeValues": {":t": {"S": "t"}}}
    assert set(search(service, "schema", **condition)[0]["Item"]) == {"pk", "tenant", "category"}


# Conditions


def condition(expression: str, names: dict[str, str] | None = None, **values: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"SearchConditionExpression": expression}
    if names:
        body["ExpressionAttributeNames"] = names
    if values:
        body["ExpressionAttributeValues"] = {
            f":{name}": value if isinstance(value, dict) else {"S": value} for name, value in values.items()
        }
    return body


def test_conditions_narrow_a_search(tenants: Service) -> None:
    assert sorted(found(tenants, "schema", **condition("tenant = :t", t="t1"))) == ["p1", "p2", "p4"]
    assert found(tenants, "schema", **condition("#t = :t", {"#t": "tenant"}, t="t2")) == ["p3"]
    assert found(tenants, "schema", **condition("(:t = tenant AND category = :c)", t="t1", c="c1")) == ["p1"]
    assert found(tenants, "schema", **condition("(tenant = :t) AND (category = :c)", t="t1", c="c1")) == ["p1"]
    assert found(tenants, "schema", **condition("tenant = :t AND category = :c", t="t2", c="c2")) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"TopK": 101},
            "Provided TopK value '101' is out of valid range. The value must be between 1 and 100 inclusive",
        ),
        ({"IndexName": "schema"}, "SearchConditionExpression must be provided when SearchSchema has a HASH key"),
        ({"IndexName": "schema", **condition("tenant < :t", t="t9")}, COMPARATOR),
        ({"IndexName": "schema", **condition("tenant = :t AND category < :c", t="t1", c="c9")}, COMPARATOR),
        ({"IndexName": "schema", **condition("tenant = :t OR category = :c", t="t1", c="c9")}, COMPARATOR),
        ({"IndexName": "schema", **condition("tenant IN (:t)", t="t1")}, COMPARATOR),
        ({"IndexName": "schema", **condition("attribute_exists(tenant)")}, COMPARATOR),
        ({"SearchVector": vec("1 0")}, "Input search vector dimension 2 does not match vector index dimension 3"),
        (
            condition("tenant = :t", t="t1"),
            "SearchConditionExpression must not contain any attributes that is not in SearchSchema. "
            "Invalid attribute: tenant",
        ),
        ({"SearchVector": [{"L": vec("1 0 0")}]}, BAD_SEARCH_VECTOR),
        ({"SearchVector": vec("1E+39 0 0")}, BAD_SEARCH_VECTOR),
        ({"IndexName": "absent"}, "The table does not have the specified index: absent"),
        (
            {"IndexName": "schema", **condition("category = :c", c="c1")},
            "SearchConditionExpression must have all HASH attributes in configured SearchSchema",
        ),
        (
            {"IndexName": "schema", **condition("tenant = :a AND tenant = :b", a="t1", b="t1")},
            "Invalid SearchConditionExpression: SearchConditionExpression must only contain one condition per "
            "attribute",
        ),
        (
            {"IndexName": "schema", **condition("tenant = :t AND category.child = :c", t="t1", c="c1")},
            "Invalid SearchConditionExpression: SearchConditionExpression cannot have conditions on nested attributes",
        ),
        (
            {"IndexName": "schema", **condition("tenant = :t", t={"N": "1"})},
            "Type of 'tenant' attribute in SearchConditionExpression (N) does not match type in search schema (S)",
        ),
        (
            {"IndexName": "schema", **condition("tenant = :t AND category = :c", t="t1", c={"N": "1"})},
            "Type of 'category' attribute in SearchConditionExpression (N) does not match type in search schema (S)",
        ),
        (
            {"IndexName": "schema", **condition("tenant = :t", t="")},
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            "empty string value. Key: tenant",
        ),
        (
            {"ExpressionAttributeValues": {":t": {"S": "t1"}}},
            "ExpressionAttributeValues can only be specified when using expressions: SearchConditionExpression is null",
        ),
        (
            {"IndexName": "schema", **condition("tenant = :t AND category = :c", t="t1")},
            "Invalid SearchConditionExpression: An expression attribute value used in expression is not defined; "
            "attribute value: :c",
        ),
        (
            {"IndexName": "schema", **condition("bucket = :t", t="t1")},
            "Invalid SearchConditionExpression: Attribute name is a reserved keyword; reserved keyword: bucket",
        ),
        (
            {"IndexName": "ab"},
            "1 validation error detected: Value at 'IndexName' failed to satisfy constraint: "
            "Member must have length greater than or equal to 3",
        ),
        (
            {"SearchVector": []},
            "1 validation error detected: Value at 'SearchVector' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
        (
            {"TopK": 0},
            "1 validation error detected: Value at 'TopK' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
    ],
)
def test_searches_that_are_refused(tenants: Service, body: dict[str, Any], message: str) -> None:
    name = body.pop("IndexName", "plain") if "IndexName" in body else "plain"
    request = {"TableName": "docs", "IndexName": name, "SearchVector": vec("1 0 0"), "TopK": 1, **body}
    assert refused(tenants, "SearchVectors", **request) == ("ValidationException", message)


def test_an_unused_value(tenants: Service) -> None:
    message = refused_search(tenants, "schema", **condition("tenant = :t", t="t1", spare="x"))
    assert message == "Value provided in ExpressionAttributeValues unused in expressions: keys: {:spare}"


def test_a_missing_table(tenants: Service) -> None:
    body = {"IndexName": "plain", "SearchVector": vec("1 0 0"), "TopK": 1}
    assert refused(tenants, "SearchVectors", TableName="missing", **body) == (
        "ResourceNotFoundException",
        "Requested resource not found",
    )


def test_a_filter_without_partition_is_optional() -> None:
    filters = [{"AttributeName": "tier", "SearchSchemaElementType": "INLINE_FILTER"}]
    service = Service(Account(ManualClock()))
    body = table(index("filtered", SearchSchema=filters))
    body["AttributeDefinitions"] += [{"AttributeName": "tier", "AttributeType": "N"}]
    ok(service, "CreateTable", **body)
    for pk, tier in (("a", {"N": "1"}), ("b", {"N": "2"}), ("c", {"S": "other"})):
        item = {"pk": {"S": pk}, "tier": tier, "embedding": {"L": vec("1 0 0")}}
        ok(service, "PutItem", TableName="docs", Item=item)
    assert sorted(found(service, "filtered")) == ["a", "b", "c"]
    assert found(service, "filtered", **condition("tier = :r", r={"N": "1.0"})) == ["a"]


@pytest.mark.parametrize(
    ("operation", "body", "message"),
    [
        ("Query", {}, "Query operation not supported on this index type."),
        ("Query", {"ConsistentRead": True}, "Consistent reads are not supported on global secondary indexes"),
        ("Scan", {}, "Scan operation not supported on this index type"),
    ],
)
def test_other_reads_of_a_vector_index(tenants: Service, operation: str, body: dict[str, Any], message: str) -> None:
    keys: dict[str, Any] = {}
    if operation == "Query":
        keys = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "p1"}}}
    assert refused(tenants, operation, TableName="docs", IndexName="plain", **keys, **body)[1] == message


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"TableName": "docs", "IndexName": "plain", "SearchVector": [], "TopK": 0},
        {"TableName": "docs", "IndexName": "plain", "SearchVector": [{"N": "x"}, {}], "TopK": 1000},
        {"TableName": "docs", "IndexName": "x", "SearchVector": [{"M": {}}], "TopK": 5, **condition("a < :b")},
        {"TableName": "docs", "IndexName": "schema", "SearchVector": vec("1"), "TopK": 5, **condition("(" * 2000)},
    ],
)
def test_every_violation_can_be_drained(tenants: Service, body: dict[str, Any]) -> None:
    assert tenants.outcomes(Call("SearchVectors", body)).violations
