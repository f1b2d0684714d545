"""What a function is handed, what its answer means, what is told of a batch that is given up (beyond:ESM-5, ESM-7)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from reference.api import Json
from reference.moments import iso_milliseconds, iso_seconds

Condition = Literal["RetryAttemptsExhausted", "RecordAgeExceeded"]
"""Why records are given up."""

MOST_STATE = 1_048_576
"""Bytes of the state that a window carries, as JSON."""


class Throttled(Exception):
    """Raised by a function to say that it could not be called: that is no failed attempt (beyond:ESM-4)."""


@dataclass(slots=True)
class Window:
    """A tumbling window: where it starts and ends (epoch seconds) and the state its calls have left."""

    start: int
    end: int
    state: dict[str, Json] = field(default_factory=dict)
    early: bool = False
    """It must end before its time: its state grew too great, or its shard has ended."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a call: ``failed`` is the place of the first record that must be tried again, None for success.

    ``error`` is ``Unhandled`` when the function raised; ``state`` what a window carries on.
    """

    failed: int | None = None
    error: str | None = None
    throttled: bool = False
    state: dict[str, Json] | None = None


def number(record: Json) -> str:
    """A record's sequence number."""
    return str(record["dynamodb"]["SequenceNumber"])


def created(record: Json) -> float:
    """When the change was made, epoch seconds."""
    return float(record["dynamodb"]["ApproximateCreationDateTime"])


def handed(record: Json, stream_arn: str) -> dict[str, Json]:
    """A record of GetRecords as a function sees it."""
    told = dict(record)
    identity = told.get("userIdentity")
    if identity is not None:
        told["userIdentity"] = {"type": identity["Type"], "principalId": identity["PrincipalId"]}
    told["eventSourceARN"] = stream_arn
    return told


def event(
    records: Sequence[Json], stream_arn: str, shard: str, window: Window | None, *, final: bool
) -> dict[str, Json]:
    """What a function is called with."""
    told: dict[str, Json] = {"Records": list(records)}
    if window is not None:
        told["window"] = {"start": iso_seconds(window.start), "end": iso_seconds(window.end)}
        told["state"] = window.state
        told["shardId"] = shard
        told["eventSourceARN"] = stream_arn
        told["isFinalInvokeForWindow"] = final
        told["isWindowTerminatedEarly"] = window.early
    return told


def understood(response: Json, records: Sequence[Json], *, partial: bool, windowed: bool) -> Result:
    """What a function's answer means (beyond:ESM-7, ESM-8)."""
    state = response.get("state") if isinstance(response, dict) else None
    if windowed and not isinstance(state, dict):
        return Result(failed=0)
    failed = _first_failed(response, [number(record) for record in records]) if partial else None
    return Result(failed, state=state)


def _first_failed(response: Json, numbers: Sequence[str]) -> int | None:
    """The place of the first record named as failed; 0 where something is named that is no record of the batch."""
    listed = response.get("batchItemFailures") if isinstance(response, dict) else None
    if not listed:
        return None
    if not isinstance(listed, list):
        return 0
    named = [each.get("itemIdentifier") if isinstance(each, dict) else None for each in listed]
    return min(numbers.index(each) if each in numbers else 0 for each in named)


def failure(
    records: Sequence[Json],
    *,
    stream_arn: str,
    shard: str,
    function_arn: str,
    request: str,
    condition: Condition,
    calls: int,
    error: str | None,
    now: float,
) -> dict[str, Json]:
    """The document that an on-failure destination gets for records that are given up (beyond:ESM-5).

    ``calls`` is how often they were handed over, ``error`` the kind of the last failure, ``now`` epoch seconds.
    """
    told: dict[str, Any] = {
        "requestContext": {
            "requestId": request,
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": calls,
        },
    }
    if calls:
        told["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": error}
    told["version"] = "1.0"
    told["timestamp"] = iso_milliseconds(now)
    told["DDBStreamBatchInfo"] = {
        "shardId": shard,
        "startSequenceNumber": number(records[0]),
        "endSequenceNumber": number(records[-1]),
        "approximateArrivalOfFirstRecord": iso_seconds(created(records[0])),
        "approximateArrivalOfLastRecord": iso_seconds(created(records[-1])),
        "batchSize": len(records),
        "streamArn": stream_arn,
    }
    return told


def weight(told: Json) -> int:
    """Bytes of a part of an event, as JSON."""
    return len(json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode())
