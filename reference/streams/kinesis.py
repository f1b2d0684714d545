"""What arrives in the Kinesis streams that tables are connected to (beyond:KDS-4 to KDS-6, recorded.md §5).

Delivery reads the same history as DynamoDB Streams: nothing is stored twice, and a day later it is gone.
"""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import md5
from typing import Any

from reference import ttl
from reference.api import AttributeValue, Item
from reference.streams import records
from reference.streams.shards import entries_after, horizon
from reference.tables.settings import Delivery
from reference.tables.table import LogEntry, Table
from reference.values.item import item_size

RULE = "streams.kinesis-record"
"""The rule that says what arrives."""

MOST_BYTES = 1_048_576
"""Bytes of the largest record that a Kinesis stream takes; a greater one never arrives (beyond:KDS-6)."""


def delivered(tables: Iterable[Table], arn: str, now: float) -> list[dict[str, Any]]:
    """What is in the Kinesis stream with that ARN at ``now`` (epoch seconds): PartitionKey and Data, as JSON, of each.

    ``tables`` are the account's, deleted ones first (``lifecycle.remembered_tables``). The oldest record comes first.
    """
    found = [
        (entry, table, delivery)
        for table in tables
        for destination in table.settings.destinations
        if destination.arn == arn
        for delivery in destination.deliveries
        for entry in _entries(table, delivery, now)
    ]
    found.sort(key=lambda each: each[0].at)
    made = (_record(entry, table, delivery.precision, arn) for entry, table, delivery in found)
    return [each for each in made if len(json.dumps(each["Data"], ensure_ascii=False).encode()) <= MOST_BYTES]


def _entries(table: Table, delivery: Delivery, now: float) -> Iterator[LogEntry]:
    end = table.sequence if delivery.end is None else delivery.end
    for entry in entries_after(table, max(delivery.start, horizon(table, now))):
        if entry.sequence > end:
            return
        yield entry


def _record(entry: LogEntry, table: Table, precision: str | None, arn: str) -> dict[str, Any]:
    key = records.keys(entry, table.key.names)
    size = item_size(key)
    moment = int(entry.at * (1_000_000 if precision == "MICROSECOND" else 1000))
    told: dict[str, Any] = {"ApproximateCreationDateTime": moment, "Keys": _twice(key)}
    for member, image in (("NewImage", entry.new), ("OldImage", entry.old)):
        if image is not None:
            told[member] = _twice(image.item)
            size += image.size
    told["SizeBytes"] = size
    if precision == "MICROSECOND":
        told["ApproximateCreationDateTimePrecision"] = precision
    data = {
        "awsRegion": table.arn.split(":", 4)[3],
        "eventID": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{arn}/{table.id}/{entry.sequence}")),
        "eventName": records.event_name(entry),
        "userIdentity": _IDENTITY if entry.by == ttl.IDENTITY else None,
        "recordFormat": "application/json",
        "tableName": table.name,
        "dynamodb": told,
        "eventSource": "aws:dynamodb",
    }
    partition = md5(f"{table.arn}/{json.dumps(key, sort_keys=True)}".encode(), usedforsecurity=False).hexdigest()
    return {"PartitionKey": partition, "Data": data}


_IDENTITY = {"principalId": "dynamodb.amazonaws.com", "type": "Service"}


def _twice(item: Item) -> Item:
    """The item with its binary values encoded once more (beyond:KDS-5)."""
    return {name: _encoded(value) for name, value in item.items()}


def _encoded(value: AttributeValue) -> AttributeValue:
    ((kind, inner),) = value.items()
    if kind == "B":
        return {"B": b64encode(inner.encode()).decode()}
    if kind == "BS":
        return {"BS": [b64encode(each.encode()).decode() for each in inner]}
    if kind == "L":
        return {"L": [_encoded(each) for each in inner]}
    return {"M": _twice(inner)} if kind == "M" else value
