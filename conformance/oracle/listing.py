"""What a target tells of its streams and their shards: any shards, but as many and as open as they may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.oracle.compare import Difference, differences
from conformance.oracle.latitude import Latitude
from conformance.oracle.sightings import SeenShard, Sightings, sightings
from reference.api import Call, Json
from reference.service import Service

_STATUS = {"ENABLING": 0, "ENABLED": 0, "DISABLING": 1, "DISABLED": 1}


def listed(service: Service, call: Call, expected: Json, body: Json) -> list[Difference]:
    """ListStreams: a table's streams, whatever their order; those of tables we know nothing of are passed over."""
    seen = sightings(service.account)
    shown = body.get("Streams") if isinstance(body, dict) else None
    if not isinstance(shown, list) or not all(isinstance(each, dict) for each in shown):
        return [Difference(("Streams",), "type", expected["Streams"], shown)]
    if call.body.get("ExclusiveStartStreamArn") is not None or call.body.get("TableName") is None:
        return []
    limit, want = call.body.get("Limit"), expected["Streams"]
    own = [seen.translated(each) for each in shown]
    if limit is not None:
        return [Difference(("Streams",), "more", want, shown)] if len(shown) > limit else []
    if len(own) != len(want):
        return [Difference(("Streams",), "fewer" if len(own) < len(want) else "more", want, shown)]
    known = {each["StreamArn"] for each in want}
    for one in want:
        found = next((each for each in own if each.get("StreamArn") == one["StreamArn"]), None)
        if found is None and (one["StreamArn"] in seen.given or all(e.get("StreamArn") in known for e in own)):
            return [Difference(("Streams",), "missing", one, shown)]
        if found is not None and found.get("TableName") != one["TableName"]:
            return [Difference(("Streams", "*", "TableName"), "value", one["TableName"], found.get("TableName"))]
    if isinstance(body, dict) and body.get("LastEvaluatedStreamArn") is not None:
        return [Difference(("LastEvaluatedStreamArn",), "extra", None, body["LastEvaluatedStreamArn"])]
    return []


def described(service: Service, call: Call, expected: Json, body: Json, latitude: Latitude) -> list[Difference]:
    """DescribeStream: the stream as it is, with one shard at least, each shard open or closed as it must be."""
    want = expected["StreamDescription"]
    got = body.get("StreamDescription") if isinstance(body, dict) else None
    head = ("StreamDescription",)
    if not isinstance(got, dict):
        return [Difference(head, "missing" if got is None else "type", want, got)]
    found = []
    for member in ("StreamViewType", "TableName", "KeySchema"):
        found += list(differences(want[member], got.get(member), (*head, member)))
    status = got.get("StreamStatus")
    passing = latitude.state_lag > 0
    if _STATUS.get(str(status)) != _STATUS[want["StreamStatus"]] or (not passing and status != want["StreamStatus"]):
        found.append(Difference((*head, "StreamStatus"), "value", want["StreamStatus"], status))
    for member in ("StreamArn", "StreamLabel", "CreationRequestDateTime"):
        if got.get(member) is None:
            found.append(Difference((*head, member), "missing", want[member], None))
    shards = got.get("Shards")
    if not isinstance(shards, list) or not all(isinstance(each, dict) for each in shards):
        return [*found, Difference((*head, "Shards"), "type", want["Shards"], shards)]
    return [*found, *_shards(call, shards, want, passing=passing or latitude.resharding)]


def _shards(
    call: Call, shards: list[dict[str, Any]], want: Mapping[str, Any], *, passing: bool
) -> Iterator[Difference]:
    head = ("StreamDescription", "Shards")
    whole = all(call.body.get(name) is None for name in ("Limit", "ExclusiveStartShardId", "ShardFilter"))
    if whole and not shards and not passing:
        yield Difference(head, "fewer", want["Shards"], shards)
    if len(shards) > (call.body.get("Limit") or 100):
        yield Difference(head, "more", want["Shards"], shards)
    ids = [str(each.get("ShardId")) for each in shards]
    if len(set(ids)) < len(ids):
        yield Difference(head, "twice", None, ids)
    if ids != sorted(ids):
        yield Difference(head, "order", sorted(ids), ids)
    within = (*head, "*", "SequenceNumberRange")
    for each in shards:
        numbers = each.get("SequenceNumberRange")
        if not isinstance(numbers, dict) or not numbers.get("StartingSequenceNumber"):
            yield Difference((*within, "StartingSequenceNumber"), "missing", want["Shards"], each)
            return
        ended, over = numbers.get("EndingSequenceNumber"), want["StreamStatus"] in ("DISABLED", "DISABLING")
        if over and ended is None and not passing:
            yield Difference((*within, "EndingSequenceNumber"), "missing", want["Shards"], each)
        if not over and ended is not None and not passing:
            yield Difference((*within, "EndingSequenceNumber"), "extra", want["Shards"], each)


def remember_shards(service: Service, call: Call, body: Json, seen: Sightings) -> None:
    """Keep what a DescribeStream answer lists."""
    got = body.get("StreamDescription") if isinstance(body, dict) else None
    arn = call.body.get("StreamArn")
    if not isinstance(got, dict) or not isinstance(got.get("Shards"), list) or not isinstance(arn, str):
        return
    ids = []
    for each in got["Shards"]:
        numbers = each.get("SequenceNumberRange") if isinstance(each, dict) else None
        if isinstance(numbers, dict) and isinstance(each.get("ShardId"), str):
            ids.append(each["ShardId"])
            seen.shards[arn, each["ShardId"]] = SeenShard(
                str(numbers.get("StartingSequenceNumber")),
                numbers.get("EndingSequenceNumber"),
                each.get("ParentShardId"),
            )
    whole = all(call.body.get(name) is None for name in ("Limit", "ExclusiveStartShardId", "ShardFilter"))
    if whole and got.get("LastEvaluatedShardId") is None:
        seen.listed[arn] = tuple(ids)
