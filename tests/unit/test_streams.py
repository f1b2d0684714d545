"""DynamoDB Streams, against literals from AWS's own answers and its documentation."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reference import ttl
from reference.account import Account, Delays
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.rules import violation
from reference.service import Service
from reference.streams.shards import Sharding

START = 1_800_000_000.0
ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/music/stream/2027-01-15T08:00:00.000"
UNKNOWN = "arn:aws:dynamodb:us-east-1:000000000000:table/unknown/stream/2027-01-15T08:00:00.000"
DAY = 86_400.0


def ok(service: Service, operation: str, **body: Any) -> Any:
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Success), reply
    return reply.body


def refused(service: Service, operation: str, **body: Any) -> tuple[str, str | None]:
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Refusal), reply
    assert len(reply.rules) == 1
    return reply.rules[0], reply.message


def create(service: Service, name: str = "music", view: str | None = "NEW_AND_OLD_IMAGES", key: str = "id") -> None:
    body: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
    }
    if view is not None:
        body["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
    ok(service, "CreateTable", **body)


def made(view: str | None = "NEW_AND_OLD_IMAGES", **settings: Any) -> Service:
    service = Service(Account(ManualClock(START), **settings))
    create(service, view=view)
    return service


@pytest.fixture
def service() -> Service:
    return made()


def advance(service: Service, seconds: float) -> None:
    clock = service.account.clock
    assert isinstance(clock, ManualClock)
    clock.advance(seconds)


def put(service: Service, table: str = "music", **item: str) -> None:
    ok(service, "PutItem", TableName=table, Item={name: {"S": text} for name, text in item.items()})


def shards(service: Service, arn: str = ARN, **body: Any) -> list[dict[str, Any]]:
    described: list[dict[str, Any]] = ok(service, "DescribeStream", StreamArn=arn, **body)["StreamDescription"][
        "Shards"
    ]
    return described


def iterator(service: Service, kind: str = "TRIM_HORIZON", arn: str = ARN, shard: str = "", **body: Any) -> str:
    shard = shard or shards(service, arn)[0]["ShardId"]
    answer = ok(service, "GetShardIterator", StreamArn=arn, ShardId=shard, ShardIteratorType=kind, **body)
    text: str = answer["ShardIterator"]
    return text


def read(service: Service, kind: str = "TRIM_HORIZON", arn: str = ARN, **body: Any) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = ok(service, "GetRecords", ShardIterator=iterator(service, kind, arn, **body))[
        "Records"
    ]
    return records


def switch(service: Service, view: str | None) -> None:
    specification: dict[str, Any] = {"StreamEnabled": view is not None}
    if view is not None:
        specification["StreamViewType"] = view
    ok(service, "UpdateTable", TableName="music", StreamSpecification=specification)


def latest(service: Service) -> str:
    arn: str = ok(service, "DescribeTable", TableName="music")["Table"]["LatestStreamArn"]
    return arn


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


# Iterators


def test_the_form_of_an_iterator(service: Service) -> None:
    text = iterator(service)
    assert re.fullmatch(re.escape(ARN) + r"\|[0-9]\|[A-Za-z0-9+/=]+", text)
    answer = ok(service, "GetRecords", ShardIterator=text)
    assert answer["Records"] == []
    assert re.fullmatch(re.escape(ARN) + r"\|[0-9]\|[A-Za-z0-9+/=]+", answer["NextShardIterator"])


def ids(records: list[dict[str, Any]]) -> str:
    return "".join(record["dynamodb"]["Keys"]["id"]["S"] for record in records)


def test_all_types_of_iterator(service: Service) -> None:
    for name in "abc":
        put(service, id=name)
        advance(service, 10)
    numbers = [record["dynamodb"]["SequenceNumber"] for record in read(service)]
    assert sorted(numbers, key=int) == numbers
    assert ids(read(service, "TRIM_HORIZON")) == "abc"
    assert ids(read(service, "LATEST")) == ""
    assert ids(read(service, "AT_SEQUENCE_NUMBER", SequenceNumber=numbers[1])) == "bc"
    assert ids(read(service, "AFTER_SEQUENCE_NUMBER", SequenceNumber=numbers[1])) == "c"
    assert ids(read(service, "AFTER_SEQUENCE_NUMBER", SequenceNumber=numbers[2])) == ""
    first = shards(service)[0]["SequenceNumberRange"]["StartingSequenceNumber"]
    assert ids(read(service, "AT_SEQUENCE_NUMBER", SequenceNumber=first)) == "abc"
    assert ids(read(service, "AT_TIMESTAMP", Timestamp=START + 10)) == "bc"
    assert ids(read(service, "AT_TIMESTAMP", Timestamp=START + 10.25)) == "c"
    assert ids(read(service, "AT_TIMESTAMP", Timestamp=START - 5 * DAY)) == "abc"
    assert ids(read(service, "AT_TIMESTAMP", Timestamp=START + 25)) == ""
    waiting = iterator(service, "LATEST")
    put(service, id="d")
    assert ids(ok(service, "GetRecords", ShardIterator=waiting)["Records"]) == "d"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"ShardIteratorType": "AT_SEQUENCE_NUMBER"}, "streams.sequence-number-required"),
        ({"ShardIteratorType": "AFTER_SEQUENCE_NUMBER"}, "streams.sequence-number-required"),
        ({"ShardIteratorType": "LATEST", "SequenceNumber": "1" * 21}, "streams.sequence-number-surplus"),
        ({"ShardIteratorType": "TRIM_HORIZON", "SequenceNumber": "1" * 21}, "streams.sequence-number-surplus"),
        ({"ShardIteratorType": "AT_TIMESTAMP"}, "streams.timestamp-required"),
        ({"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": START + 1}, "streams.timestamp-future"),
        ({"ShardIteratorType": "LATEST", "Timestamp": START}, "streams.timestamp-surplus"),
        ({"ShardIteratorType": "LATEST", "ShardId": "s" * 28}, "streams.shard-missing"),
        ({"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "9" * 30}, "streams.sequence-number-unknown"),
        ({"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "x" * 30}, "streams.sequence-number-unknown"),
        ({"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "0" * 30}, "streams.trimmed"),
    ],
)
def test_iterators_that_are_refused(service: Service, body: dict[str, Any], rule: str) -> None:
    body = {"ShardId": shards(service)[0]["ShardId"], **body}
    assert refused(service, "GetShardIterator", StreamArn=ARN, **body)[0] == rule


def test_the_text_for_a_shard_that_is_not_there(service: Service) -> None:
    _, message = refused(service, "GetShardIterator", StreamArn=ARN, ShardId="s" * 28, ShardIteratorType="LATEST")
    assert message == "Requested resource not found: Shard does not exist"


def test_an_iterator_expires_after_fifteen_minutes(service: Service) -> None:
    text = iterator(service)
    advance(service, 900)
    following = ok(service, "GetRecords", ShardIterator=text)["NextShardIterator"]
    advance(service, 1)
    assert refused(service, "GetRecords", ShardIterator=text)[0] == "streams.iterator-expired"
    ok(service, "GetRecords", ShardIterator=following)


@pytest.mark.parametrize(
    "text",
    ["x", "a|b|c", f"{ARN}|1|!!!!", f"{ARN}|1|AAAA", f"{ARN}|12|AAAA", "|" * 50, f"{ARN}|1|" + "A" * 1500, "é|1|é"],
)
def test_what_is_no_iterator(service: Service, text: str) -> None:
    assert refused(service, "GetRecords", ShardIterator=text)[0] == "streams.iterator-malformed"


def test_an_iterator_of_another_stream(service: Service) -> None:
    text = iterator(service).replace("music", "other")
    assert refused(service, "GetRecords", ShardIterator=text)[0] == "streams.not-found"


# Trimming


def test_records_are_trimmed_after_a_day(service: Service) -> None:
    put(service, id="a")
    advance(service, 600)
    put(service, id="b")
    (first, _) = (record["dynamodb"]["SequenceNumber"] for record in read(service))
    advance(service, DAY - 600)
    assert ids(read(service)) == "ab"
    held = iterator(service)
    advance(service, 1)
    assert ids(read(service)) == "b"
    assert refused(service, "GetRecords", ShardIterator=held)[0] == "streams.trimmed"
    shard = shards(service)[0]["ShardId"]
    asked = {"StreamArn": ARN, "ShardId": shard, "ShardIteratorType": "AT_SEQUENCE_NUMBER"}
    assert refused(service, "GetShardIterator", **asked, SequenceNumber=first)[0] == "streams.trimmed"
    assert ids(read(service, "AFTER_SEQUENCE_NUMBER", SequenceNumber=first)) == "b"
    advance(service, 600)
    assert ids(read(service)) == ""
    put(service, id="c")
    assert ids(read(service)) == "c"


# Pages


def test_pages_of_records(service: Service) -> None:
    for i in range(1005):
        put(service, id=f"{i:04}")
    page = ok(service, "GetRecords", ShardIterator=iterator(service))
    assert len(page["Records"]) == 1000
    assert len(ok(service, "GetRecords", ShardIterator=page["NextShardIterator"])["Records"]) == 5
    page = ok(service, "GetRecords", ShardIterator=iterator(service), Limit=3)
    assert ids(page["Records"]) == "000000010002"
    assert ids(ok(service, "GetRecords", ShardIterator=page["NextShardIterator"], Limit=1)["Records"]) == "0003"


def test_a_page_holds_a_megabyte(service: Service) -> None:
    for i in range(4):
        put(service, id=str(i), v="x" * 349_000)
    page = ok(service, "GetRecords", ShardIterator=iterator(service))
    assert ids(page["Records"]) == "012"
    page = ok(service, "GetRecords", ShardIterator=page["NextShardIterator"])
    assert ids(page["Records"]) == "3"


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_record_limits_out_of_range(service: Service, limit: int) -> None:
    reply = service.execute(Call("GetRecords", {"ShardIterator": iterator(service), "Limit": limit}))
    assert isinstance(reply, Refusal)
    assert reply.code == "ValidationException"
    assert "limit" in (reply.message or "")


# Shards


def test_several_shards_share_the_keys() -> None:
    service = made(sharding=Sharding(shards=4))
    listed = shards(service)
    assert len(listed) == 4
    assert [each["ShardId"] for each in listed] == sorted(each["ShardId"] for each in listed)
    for i in range(64):
        put(service, id=f"{i:02}")
        put(service, id=f"{i:02}", v="1")
    seen = [ids(read(service, shard=each["ShardId"])) for each in listed]
    assert all(seen)
    flat = sorted(text[i : i + 2] for text in seen for i in range(0, len(text), 2))
    assert flat == sorted(2 * [f"{i:02}" for i in range(64)])


def test_shards_after_a_start_and_in_pages() -> None:
    service = made(sharding=Sharding(shards=4))
    every = [each["ShardId"] for each in shards(service)]
    assert [each["ShardId"] for each in shards(service, ExclusiveStartShardId=every[0])] == every[1:]
    assert shards(service, ExclusiveStartShardId="s" * 28) == []
    page = ok(service, "DescribeStream", StreamArn=ARN, Limit=2)["StreamDescription"]
    assert [each["ShardId"] for each in page["Shards"]] == every[:2]
    assert page["LastEvaluatedShardId"] == every[1]
    page = ok(service, "DescribeStream", StreamArn=ARN, Limit=2, ExclusiveStartShardId=every[1])["StreamDescription"]
    assert [each["ShardId"] for each in page["Shards"]] == every[2:]
    assert "LastEvaluatedShardId" not in page


def test_shards_close_and_are_followed() -> None:
    service = made(sharding=Sharding(lifetime=3600, children=2))
    put(service, id="a")
    advance(service, 3600)
    put(service, id="b")
    put(service, id="a", v="1")
    parent, *children = shards(service)
    assert [each["ParentShardId"] for each in children] == [parent["ShardId"]] * 2
    assert "ParentShardId" not in parent
    ended = int(parent["SequenceNumberRange"]["EndingSequenceNumber"])
    for child in children:
        assert int(child["SequenceNumberRange"]["StartingSequenceNumber"]) > ended
        assert "EndingSequenceNumber" not in child["SequenceNumberRange"]
    answer = ok(service, "GetRecords", ShardIterator=iterator(service, shard=parent["ShardId"]))
    assert ids(answer["Records"]) == "a"
    assert "NextShardIterator" not in answer
    assert sorted(
        ids(read(service, shard=children[0]["ShardId"])) + ids(read(service, shard=children[1]["ShardId"]))
    ) == [
        "a",
        "b",
    ]
    chosen = {"Type": "CHILD_SHARDS", "ShardId": parent["ShardId"]}
    assert shards(service, ShardFilter=chosen) == children
    assert shards(service, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": children[0]["ShardId"]}) == []
    assert shards(service, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": "s" * 28}) == []
    advance(service, DAY)
    assert parent["ShardId"] not in [each["ShardId"] for each in shards(service)]


def test_children_stop_multiplying_at_64_open_shards() -> None:
    service = made(sharding=Sharding(lifetime=60, children=4))
    advance(service, 60 * 10)
    open_shards = ok(service, "DescribeStream", StreamArn=ARN)["StreamDescription"]
    last = open_shards["LastEvaluatedShardId"]
    found = list(open_shards["Shards"])
    while last:
        page = ok(service, "DescribeStream", StreamArn=ARN, ExclusiveStartShardId=last)["StreamDescription"]
        found += page["Shards"]
        last = page.get("LastEvaluatedShardId")
    assert sum("EndingSequenceNumber" not in each["SequenceNumberRange"] for each in found) == 64
    assert len({each["ShardId"] for each in found}) == len(found)


@pytest.mark.parametrize("wrong", [{"shards": 0}, {"shards": 65}, {"children": 0}, {"lifetime": 0.0}])
def test_settings_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="shard"):
        Sharding(**wrong)


# Properties of the room


def test_a_fork_and_a_replica_read_the_same_records(service: Service) -> None:
    put(service, id="a")
    advance(service, 10)
    put(service, id="b")
    assert read(service.fork()) == read(service)
    replica = service.as_of(START + 5)
    assert ids(read(replica)) == "a"


def test_state_taken_over_from_a_target_leaves_no_gap(service: Service) -> None:
    held = iterator(service)
    service.install("music", {"id": {"S": "x"}}, {"id": {"S": "x"}, "v": {"S": "1"}})
    put(service, id="a")
    assert ids(ok(service, "GetRecords", ShardIterator=held)["Records"]) == "a"


def test_every_violation_of_a_request_can_be_drained(service: Service) -> None:
    requests: list[tuple[str, dict[str, Any]]] = [
        ("GetShardIterator", {"ShardIteratorType": "AT_TIMESTAMP", "SequenceNumber": "1" * 21, "ShardId": "s" * 28}),
        ("GetShardIterator", {}),
        ("GetRecords", {}),
        ("GetRecords", {"ShardIterator": "", "Limit": 0}),
        ("DescribeStream", {"Limit": -5, "ShardFilter": {}}),
        ("ListStreams", {"Limit": -5, "ExclusiveStartStreamArn": ""}),
    ]
    for operation, body in requests:
        service.outcomes(Call(operation, body))


def test_words_of_the_rules_with_a_recorded_kind_only() -> None:
    assert violation("streams.trimmed").rule.error == "TrimmedDataAccessException"
    assert violation("streams.iterator-expired").rule.error == "ExpiredIteratorException"
    assert violation("streams.shard-missing").rule.error == "ResourceNotFoundException"
