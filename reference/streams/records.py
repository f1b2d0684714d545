"""Stream records and their sequence numbers (beyond:STR-12 to STR-21, recorded.md §4)."""

from __future__ import annotations

from hashlib import md5
from typing import Any

from reference import ttl
from reference.api import Item
from reference.streams.shards import Shard
from reference.tables.table import LogEntry
from reference.values.item import item_size

_BASE = 10**20
"""Sequence numbers have 21 digits, the fewest that the service model allows."""

_STEP = 100
"""Between two changes of a table there is room for the bounds of shards."""

_SHOWS_NEW = ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
_SHOWS_OLD = ("OLD_IMAGE", "NEW_AND_OLD_IMAGES")

TTL_IDENTITY = {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}
"""``userIdentity`` of a deletion by time to live (beyond:STR-19)."""


def number(sequence: int) -> str:
    """The sequence number of a table's change."""
    return str(_BASE + sequence * _STEP)


def starting(shard: Shard) -> str:
    """A shard's StartingSequenceNumber: smaller than those of its records, greater than its parent's ending."""
    return str(_BASE + shard.start * _STEP + (_STEP // 2 + 1 if shard.generation else 1))


def ending(end: int) -> str:
    """The EndingSequenceNumber of a shard that closed after a change."""
    return str(_BASE + end * _STEP + _STEP // 2)


def position_at(text: str) -> int | None:
    """The change before the first one whose sequence number is not smaller; None if the text is no number."""
    value = _value(text)
    return None if value is None else -(-value // _STEP) - 1


def position_after(text: str) -> int | None:
    """The last change whose sequence number is not greater; None if the text is no number."""
    value = _value(text)
    return None if value is None else value // _STEP


def _value(text: str) -> int | None:
    return int(text) - _BASE if text.isascii() and text.isdigit() else None


def event_name(entry: LogEntry) -> str:
    """INSERT, MODIFY or REMOVE."""
    if entry.old is None:
        return "INSERT"
    return "REMOVE" if entry.new is None else "MODIFY"


def keys(entry: LogEntry, names: tuple[str, ...]) -> Item:
    """The primary key of the changed item; ``names`` are the table's key attributes."""
    record = entry.new or entry.old
    assert record is not None, "a change has an item before or after"
    return {name: record.item[name] for name in names}


def record(entry: LogEntry, names: tuple[str, ...], view_type: str, arn: str) -> dict[str, Any]:
    """The record of a change in the stream ``arn`` with that view type; ``names`` are the key attributes."""
    key = keys(entry, names)
    size = item_size(key)
    told: dict[str, Any] = {"ApproximateCreationDateTime": int(entry.at), "Keys": key}
    if entry.new is not None and view_type in _SHOWS_NEW:
        told["NewImage"] = entry.new.item
        size += entry.new.size
    if entry.old is not None and view_type in _SHOWS_OLD:
        told["OldImage"] = entry.old.item
        size += entry.old.size
    told["SequenceNumber"] = number(entry.sequence)
    told["SizeBytes"] = size
    told["StreamViewType"] = view_type
    made: dict[str, Any] = {
        "eventID": md5(f"{arn}/{entry.sequence}".encode(), usedforsecurity=False).hexdigest(),
        "eventName": event_name(entry),
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": arn.split(":", 4)[3],
        "dynamodb": told,
    }
    if entry.by == ttl.IDENTITY:
        made["userIdentity"] = TTL_IDENTITY
    return made
