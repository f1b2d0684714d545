"""What takes time after it was accepted: which question to ask until it has come to rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reference.api import Call, Json, Reply, Success

PAUSE = 0.02
"""Seconds between two questions."""
_PASSING = frozenset({"CREATING", "IN_PROGRESS", "ENABLING", "DISABLING", "UPDATING", "CANCELLING"})


@dataclass(frozen=True, slots=True)
class Wait:
    """A question, and whether its answer says that something still goes on."""

    ask: Call
    goes_on: Callable[[Reply], bool]


def waiting(call: Call, reply: Success) -> Wait | None:
    """What to wait for after a call, None where it is done when it is answered."""
    body = call.body if isinstance(call.body, dict) else {}
    name = body.get("TargetTableName") if call.operation in _RESTORES else body.get("TableName")
    if call.operation in _TABLES and isinstance(name, str):
        return Wait(Call("DescribeTable", {"TableName": name}), _table_changes)
    if call.operation == _REGISTERS:
        # What is scaled is moved into its new bounds at once.
        scaled = str(body.get("ResourceId")).split("/")
        return Wait(Call("DescribeTable", {"TableName": scaled[1]}), _table_changes) if len(scaled) > 1 else None
    if call.operation in _JOBS:
        member, ask = _JOBS[call.operation]
        arn = _found(reply.body, member)
        return None if arn is None else Wait(Call(ask, {member: arn}), _passes)
    if call.operation in _SETTINGS:
        asked = {m: body[m] for m in ("TableName", "IndexName") if m in body}
        return Wait(Call(_SETTINGS[call.operation], asked), _passes)
    return None


_RESTORES = frozenset({"RestoreTableFromBackup", "RestoreTableToPointInTime"})
_TABLES = _RESTORES | {"CreateTable", "UpdateTable", "DeleteTable"}
_REGISTERS = "application-autoscaling:RegisterScalableTarget"
_JOBS = {
    "CreateBackup": ("BackupArn", "DescribeBackup"),
    "ExportTableToPointInTime": ("ExportArn", "DescribeExport"),
    "ImportTable": ("ImportArn", "DescribeImport"),
    "StartBulkPutItems": ("BulkOperationArn", "DescribeBulkOperation"),
}
_SETTINGS = {
    "UpdateContributorInsights": "DescribeContributorInsights",
    "EnableKinesisStreamingDestination": "DescribeKinesisStreamingDestination",
    "UpdateKinesisStreamingDestination": "DescribeKinesisStreamingDestination",
    "DisableKinesisStreamingDestination": "DescribeKinesisStreamingDestination",
}


def _table_changes(reply: Reply) -> bool:
    """Whether a table, an index of it or its key is on its way."""
    if not isinstance(reply, Success) or not isinstance(reply.body, dict):
        return False
    table: dict[str, Any] = reply.body.get("Table") or {}
    indexes = [*(table.get("GlobalSecondaryIndexes") or ()), *(table.get("VectorIndexes") or ())]
    settled = all(index.get("IndexStatus", "ACTIVE") == "ACTIVE" for index in indexes)
    key: dict[str, Any] = table.get("SSEDescription") or {}
    return table.get("TableStatus") != "ACTIVE" or key.get("Status") == "UPDATING" or not settled


def _passes(reply: Reply) -> bool:
    """Whether any status in an answer is one that does not last."""
    return isinstance(reply, Success) and any(each in _PASSING for each in _statuses(reply.body))


def _statuses(body: Json) -> list[Json]:
    if isinstance(body, dict):
        own = [value for name, value in body.items() if name.endswith("Status")]
        return own + [status for value in body.values() for status in _statuses(value)]
    return [status for value in body for status in _statuses(value)] if isinstance(body, list) else []


def _found(body: Json, member: str) -> str | None:
    """The text of a member somewhere in a body."""
    if not isinstance(body, dict):
        return None
    value = body.get(member)
    if isinstance(value, str):
        return value
    return next((found for inner in body.values() if (found := _found(inner, member)) is not None), None)
