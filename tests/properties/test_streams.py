"""Whatever is written, a table's stream tells it all: replayed, it rebuilds the table, each change told once."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.account import Account
from reference.api import Call, Success
from reference.clock import ManualClock
from reference.server import ThreadedServer
from reference.service import Service
from reference.streams.shards import Sharding

TABLE = {
    "TableName": "things",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
    ],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}
KEYS = st.fixed_dictionaries(
    {"pk": st.sampled_from("ab").map(lambda s: {"S": s}), "sk": st.sampled_from("12").map(lambda n: {"N": n})}
)
VALUES = st.sampled_from([{"N": "0"}, {"N": "1"}, {"N": "1.0"}])
ITEMS = st.builds(lambda key, v: {**key, "v": v}, KEYS, VALUES)
UPDATES = st.sampled_from(["SET v = :v", "ADD v :v", "REMOVE v SET w = :v"])
ACTIONS = st.one_of(
    ITEMS.map(lambda item: {"Put": {"TableName": "things", "Item": item}}),
    KEYS.map(lambda key: {"Delete": {"TableName": "things", "Key": key}}),
    st.builds(
        lambda key, text, v: {
            "Update": {
                "TableName": "things",
                "Key": key,
                "UpdateExpression": text,
                "ExpressionAttributeValues": {":v": v},
            }
        },
        KEYS,
        UPDATES,
        VALUES,
    ),
)


def single(action: dict[str, Any]) -> Call:
    ((kind, body),) = action.items()
    return Call(f"{kind}Item", body)


def batch(items: list[dict[str, Any]]) -> Call:
    return Call("BatchWriteItem", {"RequestItems": {"things": [{"PutRequest": {"Item": item}} for item in items]}})


CALLS = st.one_of(
    ACTIONS.map(single),
    st.lists(ACTIONS, min_size=1, max_size=4).map(lambda acts: Call("TransactWriteItems", {"TransactItems": acts})),
    st.lists(ITEMS, min_size=1, max_size=4).map(batch),
    st.floats(0, 4000).map(lambda seconds: Call("wait", seconds)),
)
SHARDINGS = st.builds(
    Sharding, st.integers(1, 4), st.one_of(st.none(), st.sampled_from([3600.0, 9000.0])), st.integers(1, 2)
)


def ok(service: Service, operation: str, **body: Any) -> Any:
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Success), reply
    return reply.body


def drain(service: Service, arn: str, limit: int) -> dict[str, list[dict[str, Any]]]:
    """All records by shard, parents before their children."""
    described = ok(service, "DescribeStream", StreamArn=arn)["StreamDescription"]
    listed = list(described["Shards"])
    while (last := described.get("LastEvaluatedShardId")) is not None:
        page = {"StreamArn": arn, "ExclusiveStartShardId": last}
        described = ok(service, "DescribeStream", **page)["StreamDescription"]
        listed += described["Shards"]
    found: dict[str, list[dict[str, Any]]] = {}
    for shard in listed:
        assert shard.get("ParentShardId") is None or shard["ParentShardId"] in found
        answer = ok(
            service,
            "GetShardIterator",
            StreamArn=arn,
            ShardId=shard["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        )
        text, records = answer["ShardIterator"], found.setdefault(shard["ShardId"], [])
        while text is not None:
            page = ok(service, "GetRecords", ShardIterator=text, Limit=limit)
            records += page["Records"]
            assert ("NextShardIterator" in page) or ("EndingSequenceNumber" in shard["SequenceNumberRange"])
            text = page.get("NextShardIterator") if page["Records"] else None
    return found


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.lists(CALLS, max_size=20), SHARDINGS, st.integers(1, 7))
def test_replaying_a_stream_rebuilds_the_table(calls: list[Call], sharding: Sharding, limit: int) -> None:
    clock = ManualClock()
    service = Service(Account(clock, sharding=sharding))
    arn = ok(service, "CreateTable", **TABLE)["TableDescription"]["LatestStreamArn"]
    versions: dict[str, list[Any]] = defaultdict(list)
    for call in calls:
        if call.operation == "wait":
            clock.advance(call.body)
            continue
        before = stored(service)
        service.execute(call)
        after = stored(service)
        for key in before | after:
            if before.get(key) != after.get(key):
                versions[key].append((before.get(key), after.get(key)))
    seen: dict[str, list[Any]] = defaultdict(list)
    rebuilt: dict[str, Any] = {}
    numbers: list[int] = []
    for records in drain(service, arn, limit).values():
        own = [int(record["dynamodb"]["SequenceNumber"]) for record in records]
        assert own == sorted(own)
        numbers += own
        for record in records:
            told = record["dynamodb"]
            key, old, new = str(told["Keys"]), told.get("OldImage"), told.get("NewImage")
            assert rebuilt.get(key) == old
            seen[key].append((old, new))
            rebuilt[key] = new
    assert len(set(numbers)) == len(numbers)
    assert seen == versions
    assert {key: item for key, item in rebuilt.items() if item is not None} == stored(service)


def stored(service: Service) -> dict[str, Any]:
    items = service.account.tables["things"].items()
    return {str({"pk": item["pk"], "sk": item["sk"]}): item for item in items}


TEXTS = st.text(max_size=60)
ODD = st.one_of(TEXTS, st.integers(-5, 2000), st.none(), st.booleans(), st.floats(allow_nan=False), st.just("1" * 21))


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    st.sampled_from(["ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"]),
    st.dictionaries(
        st.sampled_from(
            ["StreamArn", "ShardId", "ShardIteratorType", "SequenceNumber", "Timestamp", "Limit", "ShardIterator",
             "ExclusiveStartStreamArn", "ExclusiveStartShardId", "ShardFilter", "TableName"]
        ),
        ODD,
    ),
)  # fmt: skip
def test_all_violations_of_anything_can_be_taken(operation: str, body: dict[str, Any]) -> None:
    service = Service(Account(ManualClock()))
    arn = ok(service, "CreateTable", **TABLE)["TableDescription"]["LatestStreamArn"]
    service.outcomes(Call(operation, body))
    service.outcomes(Call(operation, {**body, "StreamArn": arn, "ShardIteratorType": "AT_SEQUENCE_NUMBER"}))


@pytest.fixture(scope="module")
def endpoint() -> Any:
    with ThreadedServer(Service()) as server:
        yield server.url


def test_the_sdk_reads_a_stream(endpoint: str) -> None:
    def client(name: str) -> Any:
        return boto3.client(
            name,
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=Config(retries={"total_max_attempts": 1}),
        )

    tables, streams = client("dynamodb"), client("dynamodbstreams")
    arn = tables.create_table(**TABLE)["TableDescription"]["LatestStreamArn"]
    key = {"pk": {"S": "a"}, "sk": {"N": "1"}}
    tables.put_item(TableName="things", Item={**key, "blob": {"B": b"\x00\xff"}})
    tables.update_item(
        TableName="things", Key=key, UpdateExpression="SET v = :v", ExpressionAttributeValues={":v": {"S": "x"}}
    )
    tables.delete_item(TableName="things", Key=key)
    assert [each["StreamArn"] for each in streams.list_streams(TableName="things")["Streams"]] == [arn]
    described = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    shard = described["Shards"][0]["ShardId"]
    text = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    records = streams.get_records(ShardIterator=text)["Records"]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    assert records[0]["dynamodb"]["NewImage"]["blob"] == {"B": b"\x00\xff"}
    with pytest.raises(streams.exceptions.ResourceNotFoundException):
        streams.describe_stream(StreamArn=arn.replace("things", "nothing"))
