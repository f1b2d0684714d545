"""What arrives in a Kinesis stream that a table is connected to, against AWS's own record and its documentation."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reference import lifecycle, ttl
from reference.account import Account, Delays
from reference.api import Call, Success
from reference.clock import ManualClock
from reference.service import Service
from reference.streams import kinesis

START = 1_800_000_000.0
ARN = "arn:aws:kinesis:us-east-1:400000000004:stream/changes"
DAY = 86_400.0


def ok(service: Service, operation: str, **body: Any) -> Any:
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Success), reply
    return reply.body


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


def made(clock: ManualClock, **settings: Any) -> Service:
    service = Service(Account(clock, **settings))
    ok(
        service, "CreateTable", TableName="music", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )  # fmt: skip
    return service


@pytest.fixture
def service(clock: ManualClock) -> Service:
    return made(clock)


def destination(service: Service, verb: str, **body: Any) -> None:
    ok(service, f"{verb}KinesisStreamingDestination", TableName="music", StreamArn=ARN, **body)


def put(service: Service, id: str, **values: Any) -> None:
    ok(service, "PutItem", TableName="music", Item={"id": {"S": id}, **values})


def delivered(service: Service) -> list[dict[str, Any]]:
    account = service.account
    return kinesis.delivered(lifecycle.remembered_tables(account), ARN, account.now())


def ids(service: Service) -> str:
    return "".join(each["Data"]["dynamodb"]["Keys"]["id"]["S"] for each in delivered(service))


def test_a_record_has_exactly_these_members(service: Service, clock: ManualClock) -> None:
    destination(service, "Enable")
    clock.advance(1.25)
    put(service, "Fred")
    (record,) = delivered(service)
    assert set(record) == {"PartitionKey", "Data"}
    assert re.fullmatch("[0-9a-f]{32}", record["PartitionKey"])
    assert re.fullmatch("[0-9a-f-]{36}", record["Data"].pop("eventID"))
    assert record["Data"] == {
        "awsRegion": "us-east-1",
        "eventName": "INSERT",
        "userIdentity": None,
        "recordFormat": "application/json",
        "tableName": "music",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_800_000_001_250,
            "Keys": {"id": {"S": "Fred"}},
            "NewImage": {"id": {"S": "Fred"}},
            "SizeBytes": 12,
        },
        "eventSource": "aws:dynamodb",
    }


def test_both_images_and_binary_values_encoded_twice(service: Service) -> None:
    destination(service, "Enable")
    put(service, "a", v={"L": [{"B": "AA=="}, {"M": {"s": {"BS": ["AQ=="]}}}]})
    put(service, "a")
    ok(service, "DeleteItem", TableName="music", Key={"id": {"S": "a"}})
    told = [(each["Data"]["eventName"], each["Data"]["dynamodb"]) for each in delivered(service)]
    old = {"id": {"S": "a"}, "v": {"L": [{"B": "QUE9PQ=="}, {"M": {"s": {"BS": ["QVE9PQ=="]}}}]}}
    assert [(name, each.get("NewImage"), each.get("OldImage")) for name, each in told] == [
        ("INSERT", old, None),
        ("MODIFY", {"id": {"S": "a"}}, old),
        ("REMOVE", None, {"id": {"S": "a"}}),
    ]


def test_only_changes_made_while_it_is_active(clock: ManualClock) -> None:
    service = made(clock, delays=Delays(update_table=10))
    clock.advance(10)
    put(service, "a")
    destination(service, "Enable")
    put(service, "b")
    clock.advance(10)
    put(service, "c")
    put(service, "c")
    destination(service, "Disable")
    put(service, "d")
    clock.advance(10)
    put(service, "e")
    assert ids(service) == "cd"
    destination(service, "Enable")
    clock.advance(10)
    put(service, "f")
    assert ids(service) == "cdf"
    assert ids(service.fork()) == "cdf"


def test_another_precision_holds_from_then_on(service: Service, clock: ManualClock) -> None:
    destination(service, "Enable")
    put(service, "a")
    precise = {"ApproximateCreationDateTimePrecision": "MICROSECOND"}
    destination(service, "Update", UpdateKinesisStreamingConfiguration=precise)
    ok(service, "DescribeTable", TableName="music")
    put(service, "b")
    told = [each["Data"]["dynamodb"] for each in delivered(service)]
    assert [each["ApproximateCreationDateTime"] for each in told] == [1_800_000_000_000, 1_800_000_000_000_000]
    assert [each.get("ApproximateCreationDateTimePrecision") for each in told] == [None, "MICROSECOND"]


def test_a_deletion_by_time_to_live_carries_an_identity(service: Service, clock: ManualClock) -> None:
    destination(service, "Enable")
    specification = {"Enabled": True, "AttributeName": "until"}
    ok(service, "UpdateTimeToLive", TableName="music", TimeToLiveSpecification=specification)
    put(service, "a", until={"N": "1800000001"})
    clock.advance(2)
    ttl.sweep(service.account)
    identities = [each["Data"]["userIdentity"] for each in delivered(service)]
    assert identities == [None, {"principalId": "dynamodb.amazonaws.com", "type": "Service"}]


def test_records_outlive_the_table_and_are_gone_after_a_day(service: Service, clock: ManualClock) -> None:
    destination(service, "Enable")
    put(service, "a")
    clock.advance(3600)
    put(service, "b")
    ok(service, "DeleteTable", TableName="music")
    ok(service, "ListTables")
    assert ids(service) == "ab"
    clock.advance(DAY - 3600 + 1)
    assert ids(service) == "b"
    clock.advance(3600)
    ok(service, "ListTables")
    assert ids(service) == ""


def test_what_is_too_large_for_kinesis_does_not_arrive(service: Service) -> None:
    destination(service, "Enable")
    put(service, "a", v={"L": [{"BOOL": True}] * 100_000})
    put(service, "b")
    assert ids(service) == "b"


def test_memory_is_let_go_a_day_after_the_destination_ended(service: Service, clock: ManualClock) -> None:
    destination(service, "Enable")
    put(service, "a")
    destination(service, "Disable")
    ok(service, "ListTables")
    clock.advance(DAY + 1)
    ok(service, "ListTables")
    put(service, "b")
    assert list(service.account.tables["music"].log) == []
