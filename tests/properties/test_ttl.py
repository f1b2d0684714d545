"""Time to live never deletes early, nor what it must not, and misses nothing; whoever follows along knows of it all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference import lifecycle, ttl
from reference.account import Account
from reference.clock import ManualClock
from reference.service import Service
from reference.streams import kinesis
from tests.unit.stream_tables import ARN, START, ok, shards

DAY = 86_400
FIVE_YEARS = 5 * 365 * DAY
KINESIS = "arn:aws:kinesis:us-east-1:400000000004:stream/changes"
IDENTITY = {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}

# Moments beside the start, each in a way to write it that DynamoDB takes (beyond:TTL-10).
MOMENTS = st.builds(
    lambda offset, spelled: {"N": spelled.format(START + offset)},
    st.one_of(st.integers(-100, 3000), st.sampled_from([-FIVE_YEARS - 1, -FIVE_YEARS, -FIVE_YEARS + 900, 10 * DAY])),
    st.sampled_from(["{:.0f}", "{:.1f}", "{:.10e}"]),
)
OTHERS = st.sampled_from(
    [None, {"S": f"{START:.0f}"}, {"N": f"{START * 1000:.0f}"}, {"NS": [f"{START:.0f}"]}, {"N": "-1"}, {"BOOL": True},
     {"M": {"until": {"N": f"{START:.0f}"}}}]
)  # fmt: skip
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abcd"), st.one_of(MOMENTS, OTHERS)),
        st.tuples(st.just("delete"), st.sampled_from("abcd"), st.none()),
        st.tuples(st.just("wait"), st.integers(0, 1500), st.none()),
        st.tuples(st.just("sweep"), st.sampled_from([0.0, 0.0, 60.0, 1000.0]), st.none()),
    ),
    max_size=25,
)


def table() -> Service:
    service = Service(Account(ManualClock(START)))
    ok(
        service, "CreateTable", TableName="music", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("id", "g")],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[{"IndexName": "by_g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                                 "Projection": {"ProjectionType": "ALL"}}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )  # fmt: skip
    on = {"Enabled": True, "AttributeName": "until"}
    ok(service, "UpdateTimeToLive", TableName="music", TimeToLiveSpecification=on)
    ok(service, "EnableKinesisStreamingDestination", TableName="music", StreamArn=KINESIS)
    return service


def moment(item: dict[str, Any]) -> Decimal | None:
    """When an item expires, or None where it never does; worked out here anew."""
    value = item.get("until", {})
    return Decimal(value["N"]) if "N" in value else None


def eligible(item: dict[str, Any], now: float, lag: float) -> bool:
    until = moment(item)
    return until is not None and Decimal(now - lag) - FIVE_YEARS <= until <= Decimal(now - lag)


def seen(service: Service) -> dict[str, Any]:
    """All items, which every way of reading shows alike."""
    items = {item["id"]["S"]: item for item in ok(service, "Scan", TableName="music")["Items"]}
    indexed = ok(service, "Scan", TableName="music", IndexName="by_g")["Items"]
    assert {item["id"]["S"]: item for item in indexed} == items
    for id, item in items.items():
        assert ok(service, "GetItem", TableName="music", Key={"id": {"S": id}})["Item"] == item
    return items


@settings(deadline=None, max_examples=100, derandomize=True)
@given(STEPS)
def test_what_is_deleted_had_expired_and_what_has_expired_is_deleted(steps: list[tuple[Any, ...]]) -> None:
    service = table()
    clock: Any = service.account.clock
    swept: list[tuple[str, Any]] = []
    for kind, argument, until in steps:
        before, now = seen(service), clock.now()
        if kind == "put":
            item = {"id": {"S": argument}, "g": {"S": "x"}, **({"until": until} if until else {})}
            ok(service, "PutItem", TableName="music", Item=item)
        elif kind == "delete":
            ok(service, "DeleteItem", TableName="music", Key={"id": {"S": argument}})
        elif kind == "wait":
            clock.advance(argument)
            assert seen(service) == before, "time alone deletes nothing"
        else:
            count = ttl.sweep(service.account, lag=argument)
            gone = {id: item for id, item in before.items() if eligible(item, now, argument)}
            assert count == len(gone)
            assert seen(service) == {id: item for id, item in before.items() if id not in gone}
            swept += gone.items()
    told = followed(service)
    assert [(each[0], each[1]) for each in told if each[2]] == swept
    replayed: dict[str, Any] = {}
    for id, _, _, new in told:
        replayed[id] = new
    assert {id: item for id, item in replayed.items() if item is not None} == seen(service)
    account = service.account
    arrived = kinesis.delivered(lifecycle.remembered_tables(account), KINESIS, account.now())
    assert [by_kinesis(each["Data"]) for each in arrived] == told


def followed(service: Service) -> list[tuple[str, Any, bool, Any]]:
    """Each record of the stream: whose it is, the old item, whether time to live deleted it, the new item."""
    (shard,) = shards(service)
    place = ok(service, "GetShardIterator", StreamArn=ARN, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    found = []
    for record in ok(service, "GetRecords", ShardIterator=place["ShardIterator"])["Records"]:
        told = record["dynamodb"]
        by_service = record.get("userIdentity") == IDENTITY
        assert by_service or "userIdentity" not in record
        assert not by_service or record["eventName"] == "REMOVE"
        found.append((told["Keys"]["id"]["S"], told.get("OldImage"), by_service, told.get("NewImage")))
    return found


def by_kinesis(data: dict[str, Any]) -> tuple[str, Any, bool, Any]:
    told = data["dynamodb"]
    by_service = data["userIdentity"] == {"principalId": "dynamodb.amazonaws.com", "type": "Service"}
    return (told["Keys"]["id"]["S"], told.get("OldImage"), by_service, told.get("NewImage"))


@settings(deadline=None, max_examples=100, derandomize=True)
@given(MOMENTS, st.integers(0, 3000), st.one_of(st.none(), MOMENTS))
def test_an_item_that_lives_on_in_time_is_kept(
    until: dict[str, str], wait: int, extended: dict[str, str] | None
) -> None:
    service = table()
    item = {"id": {"S": "a"}, "g": {"S": "x"}, "until": until}
    ok(service, "PutItem", TableName="music", Item=item)
    service.account.clock.advance(wait)  # type: ignore[attr-defined]
    change: dict[str, Any] = {"UpdateExpression": "REMOVE #u", "ExpressionAttributeNames": {"#u": "until"}}
    if extended is not None:
        change |= {"UpdateExpression": "SET #u = :u", "ExpressionAttributeValues": {":u": extended}}
    ok(service, "UpdateItem", TableName="music", Key={"id": {"S": "a"}}, **change)
    left = {} if extended is None else {"until": extended}
    ttl.sweep(service.account)
    assert bool(seen(service)) is not eligible(left, service.account.now(), 0.0)
