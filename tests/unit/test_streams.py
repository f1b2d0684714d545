"""What DynamoDB Streams record, and the life of a stream, against literals from AWS's own answers."""

from __future__ import annotations

import re

import pytest

from reference import ttl
from reference.account import Account, Delays
from reference.api import Call, Refusal
from reference.clock import ManualClock
from reference.service import Service
from tests.unit.stream_tables import (
    ARN,
    DAY,
    START,
    UNKNOWN,
    advance,
    create,
    iterator,
    latest,
    made,
    ok,
    put,
    read,
    refused,
    shards,
    switch,
)


@pytest.fixture
def service() -> Service:
    return made()


# Records


def test_a_record_has_exactly_these_members(service: Service) -> None:
    advance(service, 1.75)
    put(service, id="Fred")
    (record,) = read(service)
    assert re.fullmatch("[0-9a-f]{32}", record.pop("eventID"))
    number = record["dynamodb"].pop("SequenceNumber")
    assert re.fullmatch("[0-9]{21,40}", number)
    assert int(number) > int(shards(service)[0]["SequenceNumberRange"]["StartingSequenceNumber"])
    assert record == {
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_800_000_001,
            "Keys": {"id": {"S": "Fred"}},
            "NewImage": {"id": {"S": "Fred"}},
            "SizeBytes": 12,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def test_recorded_sizes_of_records(service: Service) -> None:
    put(service, id="Fred")
    put(service, id="NewKey")
    ok(service, "DeleteItem", TableName="music", Key={"id": {"S": "NewKey"}})
    put(service, id="Fred", name="Fred")
    put(service, id="NewKey")
    put(service, id="NewKey", attr1="value1", attr2="value2")
    ok(service, "DeleteItem", TableName="music", Key={"id": {"S": "NewKey"}})
    put(service, id="NonExistentKey", attr1="value1")
    put(service, id="my-item-id", attr1="value1", attr2="value2")
    put(service, id="my-item-id", attr1="value3", attr2="value4")
    records = [(record["eventName"], record["dynamodb"]["SizeBytes"]) for record in read(service)]
    assert records == [
        ("INSERT", 12), ("INSERT", 16), ("REMOVE", 16), ("MODIFY", 26), ("INSERT", 16), ("MODIFY", 46),
        ("REMOVE", 38), ("INSERT", 43), ("INSERT", 46), ("MODIFY", 80),
    ]  # fmt: skip


def test_recorded_size_of_keys_only() -> None:
    service = Service(Account(ManualClock(START)))
    create(service, view="KEYS_ONLY", key="Username")
    put(service, Username="Fred", more="something")
    (record,) = read(service)
    assert record["dynamodb"]["SizeBytes"] == 12
    assert "NewImage" not in record["dynamodb"]


@pytest.mark.parametrize(
    ("view", "images"),
    [
        ("KEYS_ONLY", [(None, None), (None, None), (None, None)]),
        ("NEW_IMAGE", [("1", None), ("2", None), (None, None)]),
        ("OLD_IMAGE", [(None, None), (None, "1"), (None, "2")]),
        ("NEW_AND_OLD_IMAGES", [("1", None), ("2", "1"), (None, "2")]),
    ],
)
def test_view_types(view: str, images: list[tuple[str | None, str | None]]) -> None:
    service = made(view)
    put(service, id="a", v="1")
    put(service, id="a", v="2")
    ok(service, "DeleteItem", TableName="music", Key={"id": {"S": "a"}})
    records = [record["dynamodb"] for record in read(service)]
    assert [record["StreamViewType"] for record in records] == [view] * 3
    assert [record["Keys"] for record in records] == [{"id": {"S": "a"}}] * 3
    shown = [
        tuple(record[name]["v"]["S"] if name in record else None for name in ("NewImage", "OldImage"))
        for record in records
    ]
    assert shown == images


def test_writes_that_change_nothing_leave_no_record(service: Service) -> None:
    item = {"id": {"S": "a"}, "m": {"M": {"x": {"S": "1"}, "y": {"S": "2"}}}, "n": {"N": "5"}}
    ok(service, "PutItem", TableName="music", Item=item)
    turned = {**item, "m": {"M": {"y": {"S": "2"}, "x": {"S": "1"}}}, "n": {"N": "5.0"}}
    key = {"id": {"S": "a"}}
    ok(service, "PutItem", TableName="music", Item=turned)
    values = {":m": turned["m"], ":z": {"N": "0"}}
    ok(
        service, "UpdateItem", TableName="music", Key=key,
        UpdateExpression="SET m = :m ADD n :z REMOVE nothere", ExpressionAttributeValues=values,
    )  # fmt: skip
    ok(service, "UpdateItem", TableName="music", Key=key, AttributeUpdates={"missing": {"Action": "DELETE"}})
    ok(service, "UpdateItem", TableName="music", Key={"id": {"S": "new"}}, UpdateExpression="REMOVE x")
    ok(service, "DeleteItem", TableName="music", Key={"id": {"S": "new"}})
    ok(service, "BatchWriteItem", RequestItems={"music": [{"PutRequest": {"Item": item}}]})
    ok(service, "TransactWriteItems", TransactItems=[{"Put": {"TableName": "music", "Item": item}}])
    check = {"TableName": "music", "Key": key, "ConditionExpression": "attribute_exists(id)"}
    ok(service, "TransactWriteItems", TransactItems=[{"ConditionCheck": check}])
    assert [record["eventName"] for record in read(service)] == ["INSERT"]


def test_a_key_only_update_inserts_and_its_item_is_an_old_image(service: Service) -> None:
    key = {"id": {"S": "a"}}
    ok(service, "UpdateItem", TableName="music", Key=key)
    values = {":v": {"S": "1"}}
    ok(
        service, "UpdateItem", TableName="music", Key=key,
        UpdateExpression="SET v = :v", ExpressionAttributeValues=values,
    )  # fmt: skip
    inserted, modified = read(service)
    assert (inserted["eventName"], inserted["dynamodb"]["NewImage"]) == ("INSERT", key)
    assert (modified["eventName"], modified["dynamodb"]["OldImage"]) == ("MODIFY", key)


def test_records_of_one_request_come_in_its_order(service: Service) -> None:
    create(service, "plain", view=None)
    put(service, id="Fred")
    put(service, id="NewKey")
    ok(
        service, "BatchWriteItem",
        RequestItems={
            "music": [
                {"DeleteRequest": {"Key": {"id": {"S": "NewKey"}}}},
                {"PutRequest": {"Item": {"id": {"S": "Fred"}, "name": {"S": "Fred"}}}},
            ]
        },
    )  # fmt: skip
    ok(
        service, "TransactWriteItems",
        TransactItems=[
            {"Put": {"TableName": "music", "Item": {"id": {"S": "z"}}}},
            {"Put": {"TableName": "plain", "Item": {"id": {"S": "elsewhere"}}}},
            {"Put": {"TableName": "music", "Item": {"id": {"S": "b"}}}},
        ],
    )  # fmt: skip
    records = [(record["eventName"], record["dynamodb"]["Keys"]["id"]["S"]) for record in read(service)]
    assert records[2:] == [("REMOVE", "NewKey"), ("MODIFY", "Fred"), ("INSERT", "z"), ("INSERT", "b")]


def test_a_cancelled_transaction_leaves_no_record(service: Service) -> None:
    reply = service.execute(
        Call(
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "music", "Item": {"id": {"S": "a"}}}},
                    {
                        "ConditionCheck": {
                            "TableName": "music",
                            "Key": {"id": {"S": "b"}},
                            "ConditionExpression": "attribute_exists(id)",
                        }
                    },
                ]
            },
        )
    )
    assert isinstance(reply, Refusal)
    assert read(service) == []


def test_a_deletion_by_time_to_live_carries_an_identity(service: Service) -> None:
    ok(
        service, "UpdateTimeToLive", TableName="music",
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"},
    )  # fmt: skip
    ok(service, "PutItem", TableName="music", Item={"id": {"S": "a"}, "until": {"N": "1800000001"}})
    advance(service, 2)
    assert ttl.sweep(service.account) == 1
    put(service, id="b")
    ok(service, "DeleteItem", TableName="music", Key={"id": {"S": "b"}})
    identities = [(record["eventName"], record.get("userIdentity")) for record in read(service)]
    assert identities == [
        ("INSERT", None),
        ("REMOVE", {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}),
        ("INSERT", None),
        ("REMOVE", None),
    ]


# DescribeStream and ListStreams


def test_describe_an_open_stream(service: Service) -> None:
    described = ok(service, "DescribeStream", StreamArn=ARN)["StreamDescription"]
    (shard,) = described.pop("Shards")
    assert described == {
        "StreamArn": ARN,
        "StreamLabel": "2027-01-15T08:00:00.000",
        "StreamStatus": "ENABLED",
        "StreamViewType": "NEW_AND_OLD_IMAGES",
        "CreationRequestDateTime": START,
        "TableName": "music",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    }
    assert re.fullmatch("shardId-[0-9]{20}-[0-9a-f]{8}", shard["ShardId"])
    assert set(shard) == {"ShardId", "SequenceNumberRange"}
    assert set(shard["SequenceNumberRange"]) == {"StartingSequenceNumber"}


@pytest.mark.parametrize("operation", ["DescribeStream", "GetShardIterator"])
@pytest.mark.parametrize(
    ("arn", "rule", "message"),
    [
        (UNKNOWN, "streams.not-found", f"Requested resource not found: Stream: {UNKNOWN} not found"),
        (ARN + "1", "streams.not-found", f"Requested resource not found: Stream: {ARN}1 not found"),
        ("x" * 40, "streams.arn-malformed", f"Invalid StreamArn: {'x' * 40}"),
    ],
)
def test_streams_that_are_not_there(service: Service, operation: str, arn: str, rule: str, message: str) -> None:
    further = {"ShardId": "s" * 30, "ShardIteratorType": "LATEST"} if operation == "GetShardIterator" else {}
    assert refused(service, operation, StreamArn=arn, **further) == (rule, message)


def test_list_streams(service: Service) -> None:
    create(service, "plain", view=None)
    create(service, "books")
    books = ok(service, "DescribeTable", TableName="books")["Table"]["LatestStreamArn"]
    listed = ok(service, "ListStreams")
    assert listed == {
        "Streams": [
            {"StreamArn": books, "StreamLabel": "2027-01-15T08:00:00.000", "TableName": "books"},
            {"StreamArn": ARN, "StreamLabel": "2027-01-15T08:00:00.000", "TableName": "music"},
        ]
    }
    assert [each["TableName"] for each in ok(service, "ListStreams", TableName="music")["Streams"]] == ["music"]
    assert ok(service, "ListStreams", TableName="plain") == {"Streams": []}
    assert ok(service, "ListStreams", TableName="missing") == {"Streams": []}


def test_list_streams_in_pages(service: Service) -> None:
    create(service, "books")
    first = ok(service, "ListStreams", Limit=1)
    assert [each["TableName"] for each in first["Streams"]] == ["books"]
    start = first["LastEvaluatedStreamArn"]
    ok(service, "DeleteTable", TableName="books")
    second = ok(service, "ListStreams", Limit=1, ExclusiveStartStreamArn=start)
    assert [each["TableName"] for each in second["Streams"]] == ["music"]
    assert second["LastEvaluatedStreamArn"] == ARN
    assert ok(service, "ListStreams", Limit=1, ExclusiveStartStreamArn=ARN) == {"Streams": []}
    assert refused(service, "ListStreams", ExclusiveStartStreamArn="x" * 40)[0] == "streams.arn-malformed"


@pytest.mark.parametrize(
    ("operation", "limit"), [("ListStreams", 0), ("ListStreams", 101), ("DescribeStream", 0), ("DescribeStream", 101)]
)
def test_page_sizes_out_of_range(service: Service, operation: str, limit: int) -> None:
    further = {"StreamArn": ARN} if operation == "DescribeStream" else {}
    reply = service.execute(Call(operation, {"Limit": limit, **further}))
    assert isinstance(reply, Refusal)
    assert reply.code == "ValidationException"


# Life of a stream


def test_states_on_the_way() -> None:
    service = made(delays=Delays(create_table=10, update_table=10, delete_table=10))

    def status() -> str:
        text: str = ok(service, "DescribeStream", StreamArn=ARN)["StreamDescription"]["StreamStatus"]
        return text

    assert status() == "ENABLING"
    advance(service, 10)
    assert status() == "ENABLED"
    switch(service, None)
    assert status() == "DISABLING"
    advance(service, 10)
    assert status() == "DISABLED"
    switch(service, "KEYS_ONLY")
    arn = latest(service)
    assert ok(service, "DescribeStream", StreamArn=arn)["StreamDescription"]["StreamStatus"] == "ENABLING"
    advance(service, 10)
    ok(service, "DeleteTable", TableName="music")
    assert ok(service, "DescribeStream", StreamArn=arn)["StreamDescription"]["StreamStatus"] == "DISABLING"
    advance(service, 10)
    assert ok(service, "DescribeStream", StreamArn=arn)["StreamDescription"]["StreamStatus"] == "DISABLED"


def test_a_disabled_stream_is_readable_for_a_day(service: Service) -> None:
    put(service, id="a")
    switch(service, None)
    put(service, id="unseen")
    (shard,) = shards(service)
    numbers = shard["SequenceNumberRange"]
    assert int(numbers["StartingSequenceNumber"]) < int(numbers["EndingSequenceNumber"])
    advance(service, DAY - 1)
    answer = ok(service, "GetRecords", ShardIterator=iterator(service))
    assert [record["dynamodb"]["Keys"] for record in answer["Records"]] == [{"id": {"S": "a"}}]
    assert "NextShardIterator" not in answer
    assert int(answer["Records"][0]["dynamodb"]["SequenceNumber"]) <= int(numbers["EndingSequenceNumber"])
    advance(service, 1)
    assert ok(service, "ListStreams") == {"Streams": []}
    assert refused(service, "DescribeStream", StreamArn=ARN)[0] == "streams.not-found"


def test_a_stream_switched_on_again_is_a_new_one(service: Service) -> None:
    put(service, id="a")
    switch(service, None)
    put(service, id="between")
    advance(service, 5)
    switch(service, "KEYS_ONLY")
    put(service, id="b")
    arn = latest(service)
    assert arn == ARN.replace("08:00:00", "08:00:05")
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in read(service, arn=ARN)] == ["a"]
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in read(service, arn=arn)] == ["b"]
    assert [each["StreamArn"] for each in ok(service, "ListStreams")["Streams"]] == [ARN, arn]


def test_the_stream_of_a_deleted_table_is_readable_for_a_day(service: Service) -> None:
    put(service, id="a")
    ok(service, "DeleteTable", TableName="music")
    create(service)
    put(service, id="b")
    arn = latest(service)
    assert arn != ARN
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in read(service, arn=ARN)] == ["a"]
    assert [record["dynamodb"]["Keys"]["id"]["S"] for record in read(service, arn=arn)] == ["b"]
    advance(service, DAY)
    assert [each["StreamArn"] for each in ok(service, "ListStreams")["Streams"]] == [arn]


def test_memory_is_let_go_when_nobody_may_read(service: Service) -> None:
    put(service, id="a")
    switch(service, None)
    put(service, id="b")
    advance(service, DAY + 1)
    ok(service, "ListStreams")
    put(service, id="c")
    assert list(service.account.tables["music"].log) == []
