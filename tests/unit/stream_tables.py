"""A table with a stream, and the calls that tests of streams make."""

from __future__ import annotations

from typing import Any

from reference.account import Account
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.service import Service

START = 1_800_000_000.0
ARN = "arn:aws:dynamodb:us-east-1:400000000004:table/music/stream/2027-01-15T08:00:00.000"
UNKNOWN = "arn:aws:dynamodb:us-east-1:400000000004:table/unknown/stream/2027-01-15T08:00:00.000"
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


def ids(records: list[dict[str, Any]]) -> str:
    return "".join(record["dynamodb"]["Keys"]["id"]["S"] for record in records)
