"""Answers of emulators that the oracle let count against them, and that nothing recorded speaks against."""

from __future__ import annotations

import pytest

from conformance.checks.base import table
from conformance.oracle import planes, planes_blame
from conformance.oracle.compare import Difference
from conformance.oracle.sightings import sightings
from conformance.oracle.streaming import rounded
from reference.api import Call, Json
from reference.operations.base import Outcome
from tests.unit.oracle_bench import KEY, Bench, call, get, n, put, refusal, update


def nested(levels: int, inner: Json) -> Json:
    for _ in range(levels):
        inner = {"L": [inner]}
    return inner


@pytest.mark.parametrize(("levels", "inner", "lawful"), [(31, {"M": {}}, True), (32, {"S": "x"}, False)])
def test_whether_an_empty_map_is_a_level_is_not_recorded(levels: int, inner: Json, lawful: bool) -> None:
    # DynamoDB Local takes an empty map inside 31 lists and maps, and nothing in 32.
    target = Bench()
    asked = call("Scan", FilterExpression="v = :v", ExpressionAttributeValues={":v": nested(levels, inner)})
    nothing = {"Items": [], "Count": 0, "ScannedCount": 0}
    if lawful:
        target.accepts(asked, nothing)
    else:
        assert target.faults(asked, nothing).rule == "values.nesting"


def test_whether_if_not_exists_reads_what_it_does_not_need_is_not_recorded() -> None:
    # DynamoDB Local reads both of its operands.
    missing = refusal("The provided expression refers to an attribute that does not exist in the item")
    target = Bench()
    target.lawful(put(c=n(1)))
    target.accepts(update("SET a = if_not_exists(c, b.x)"), missing)
    found = target.faults(update("SET a = if_not_exists(c, :v)", {":v": n(2)}), missing)
    assert (found.severity, found.path) == ("refuses", "untrue")


def test_a_stream_does_not_show_the_tags_of_its_table() -> None:
    # Dynoxide shows those of the table.
    target = Bench()
    made = target.lawful(
        Call(
            "CreateTable",
            {
                **table(),
                "TableName": "tagged",
                "Tags": [{"Key": "k", "Value": "v"}],
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
            },
        )
    )
    described = made["TableDescription"]
    shown = {"Tags": [{"Key": "k", "Value": "v"}]}
    for resource, told in (("LatestStreamArn", shown), ("TableArn", {"Tags": []})):
        found = target.faults(Call("ListTagsOfResource", {"ResourceArn": described[resource]}), told)
        assert found.rule == "tables.tag-answer"


def test_neighbours_that_look_alike_are_counted_by_their_rank() -> None:
    # Of three items whose projection is empty, the two nearest were taken for two of the three.
    target = Bench()
    index = {
        "IndexName": "near",
        "VectorAttribute": {"AttributeName": "v"},
        "Dimensions": 2,
        "DistanceFunction": "DOT_PRODUCT",
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    target.lawful(
        Call(
            "CreateTable",
            {**table(), "TableName": "found", "BillingMode": "PAY_PER_REQUEST", "VectorIndexes": [index]},
        )
    )
    for name, first, second in (("a", "-1", "3"), ("b", "1", "-0.25"), ("c", "0.5", "-1")):
        item = {"pk": {"S": name}, "v": {"L": [n(first), n(second)]}}
        target.lawful(Call("PutItem", {"TableName": "found", "Item": item}))
    asked = Call(
        "SearchVectors",
        {
            "TableName": "found",
            "IndexName": "near",
            "SearchVector": [n(1), n(1)],
            "TopK": 2,
            "ProjectionExpression": "z",
        },
    )
    target.accepts(asked, {"SearchResults": [{"Item": {}, "Score": 2.0}, {"Item": {}, "Score": 0.75}]})
    found = target.faults(asked, {"SearchResults": [{"Item": {}, "Score": 2.0}, {"Item": {}, "Score": -0.5}]})
    assert found.rule == "vectors.results"


def test_what_an_update_returns_is_no_item_that_is_there_twice() -> None:
    # Dynoxide shows the list that nothing was removed from.
    target = Bench(key="pk:N")
    target.lawful(call("PutItem", Item={"pk": n("1.0")}))
    target.lawful(call("PutItem", Item={"pk": n("1"), "c": {"L": []}}))
    asked = call("UpdateItem", Key={"pk": n("1")}, UpdateExpression="REMOVE c[0]", ReturnValues="UPDATED_OLD")
    assert target.faults(asked, {"Attributes": {"c": {"L": []}}}).rule == "expressions.updated-values"


def test_a_check_writes_nothing() -> None:
    target = Bench()
    target.lawful(put(b={"L": [n(1), n(2)]}))
    target.lawful(update("REMOVE b[0], b[1]"))
    check = {"TableName": "music", "Key": KEY, "ConditionExpression": "attribute_exists(pk)"}
    target.lawful(Call("TransactWriteItems", {"TransactItems": [{"ConditionCheck": check}]}))
    found = target.faults(get(), {"Item": {**KEY, "b": {"L": [n(2)]}}})
    assert (found.operation, found.rule) == ("UpdateItem", "expressions.remove")


def test_whether_partiql_takes_what_is_missing_for_unlike_is_disputed() -> None:
    # conflicts.md, 120: in DynamoDB Local it does.
    target = Bench()
    target.lawful(put(v={"S": "x"}))
    select = "SELECT pk FROM \"music\" WHERE pk = 'a' AND {}"
    target.accepts(Call("ExecuteStatement", {"Statement": select.format("gone <> 'y'")}), {"Items": [KEY]})
    target.faults(Call("ExecuteStatement", {"Statement": select.format("v = 'y'")}), {"Items": [KEY]})


@pytest.mark.parametrize("other", ["x", "y"])
def test_the_order_of_equal_keys_in_an_index_is_open_to_statements(other: str) -> None:
    # DynamoDB Local gives them in another order than the reference.
    target = Bench(gsi=["by_g=g:S,h:S"])
    for name, sort in (("a", "x"), ("b", other)):
        target.lawful(put(name, g={"S": "g"}, h={"S": sort}))
    asked = Call("ExecuteStatement", {"Statement": 'SELECT pk FROM "music"."by_g" WHERE g = \'g\''})
    both = [{"pk": {"S": "a"}}, {"pk": {"S": "b"}}]
    target.accepts(asked, {"Items": both})
    turned = {"Items": both[::-1]}
    if other == "x":
        target.accepts(asked, turned)
    else:
        target.faults(asked, turned)


@pytest.mark.parametrize(("number", "size", "lawful"), [("-170", 11, True), ("-170", 12, False), ("17", 11, False)])
def test_the_bytes_of_zeros_at_the_end_of_a_number_are_not_recorded(number: str, size: int, lawful: bool) -> None:
    # DynamoDB Local takes a byte more for -170 than for -17.
    record = {"Keys": KEY, "NewImage": {**KEY, "v": n(number)}, "SizeBytes": 10}
    assert rounded(record, size) is lawful


def test_numbers_of_records_that_differ_lead_nowhere() -> None:
    # DynamoDB Local tells numbers as they were spelt; it was said to have trimmed what came after.
    service = Bench().oracle.worlds[0].service
    after = Call("GetShardIterator", {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": "9436"})
    known = Call("GetShardIterator", {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": "9435"})
    sightings(service.account).numbers["arn", "shard", "9435"] = 1
    planes.in_doubt(service, {"Records": [{"dynamodb": {"SequenceNumber": text}} for text in ("9435", "9436")]})
    assert planes.is_foreign(service, after)
    assert not planes.is_foreign(service, known)


def test_the_spelling_of_a_number_is_told_of_records_as_of_items() -> None:
    found = Difference(("Records", "*", "dynamodb", "NewImage", "v", "N"), "spelling", "2", "2.0")
    assert planes_blame.rule_of("GetRecords", Outcome({}), found) == "values.number-normal-form"
