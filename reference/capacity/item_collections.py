"""Item collections: how large one is, what a reply says of it, and the 10 GB it may not exceed.

An item collection is the items of one partition key value together with their entries in the local secondary indexes
(dataplane:IDX-6).
"""

from __future__ import annotations

from base64 import b64encode
from decimal import Decimal
from typing import Any

from reference.tables.table import Change, Table
from reference.tables.view import TOP, RowKey, View
from reference.values.number import text

GIGABYTE = 1 << 30

MAX_COLLECTION_BYTES = 10 * GIGABYTE
"""Bytes of the largest item collection of a table with local secondary indexes."""


def metrics(table: Table, change: Change, mode: Any) -> dict[str, Any] | None:
    """The ItemCollectionMetrics of a write for a ReturnItemCollectionMetrics of SIZE (dataplane:OPS-5).

    None without that, and on tables that have no local secondary index. The range is in whole gigabytes.
    """
    if mode != "SIZE" or not has_local_index(table):
        return None
    (attribute,) = table.key.hash
    low = collection_size(table, change) // GIGABYTE
    return {
        "ItemCollectionKey": {attribute.name: {attribute.type: _as_written(change.key[1])}},
        "SizeEstimateRangeGB": [float(low), float(low + 1)],
    }


def has_local_index(table: Table) -> bool:
    """Whether the table has item collections of limited size."""
    return any(index.schema.kind == "LSI" for index in table.indexes.values())


def outgrows(table: Table, change: Change) -> bool:
    """Whether a write makes its item collection larger and larger than it may be."""
    locals_ = sum(index.schema.kind == "LSI" for index in table.indexes.values())
    if not locals_ or growth(table, change) <= 0:
        return False
    # No entry is larger than its item, so most tables need not be measured.
    if table.size * (1 + locals_) + growth(table, change) <= MAX_COLLECTION_BYTES:
        return False
    return collection_size(table, change) > MAX_COLLECTION_BYTES


def collection_size(table: Table, change: Change) -> int:
    """Bytes of the written item's collection once the write is done."""
    size = _measure(table.view, change.key[:2])
    for index in table.indexes.values():
        if index.schema.kind == "LSI":
            size += _measure(index.view, change.key[:2])
    return size + growth(table, change)


def growth(table: Table, change: Change) -> int:
    """Bytes by which a write makes its item collection larger; negative where it shrinks."""
    grown = (change.new.size if change.new else 0) - (change.old.size if change.old else 0)
    for move in change.moves:
        if table.indexes[move.index].schema.kind == "LSI":
            grown += (move.new.record.size if move.new else 0) - (move.old.record.size if move.old else 0)
    return grown


def _as_written(part: str | Decimal | bytes) -> str:
    """What stands in a value's wire form for the part of a row key made from it."""
    if isinstance(part, str):
        return part
    return text(part) if isinstance(part, Decimal) else b64encode(part).decode()


def _measure(view: View, prefix: RowKey) -> int:
    return sum(view.rows[row].size for row in view.between(prefix, (*prefix, TOP)))
