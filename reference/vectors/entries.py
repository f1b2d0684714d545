"""What a vector index holds of a table's items, and what that weighs (dataplane:VEC-2, CAP-18, SIZE-10)."""

from __future__ import annotations

from collections.abc import Iterator

from reference.api import Item
from reference.tables.table import Change, Table
from reference.tables.vector import VectorIndex
from reference.tables.view import Record
from reference.values.item import item_size
from reference.values.value import size, text_size
from reference.vectors.embedding import Vector, vector_of

FLOAT_BYTES = 4
"""Bytes that one dimension weighs in an index, and on a write (dataplane:CAP-18, SIZE-10)."""

LEAST_BYTES = 1024
"""Request bytes that a write to a vector index or a search costs at least."""


def vector_in(table: Table, index: VectorIndex, item: Item) -> Vector | None:
    """The item's vector if the item is in the index: with a vector that fits and the partition attribute."""
    partition = index.hash
    if partition is not None:
        value = item.get(partition)
        if value is None or not value.get(table.settings.attribute_types.get(partition, "S")):
            return None
    return vector_of(index, item)


def members(table: Table, index: VectorIndex) -> Iterator[tuple[Item, Vector]]:
    """The items in an index and their vectors, in the table's order."""
    for item in table.items():
        vector = vector_in(table, index, item)
        if vector is not None:
            yield item, vector


def carries_vector(index: VectorIndex) -> bool:
    """Whether a search can return the vector itself: the projection has it (dataplane:VEC-4)."""
    return index.projection.type == "ALL" or index.attribute in index.projection.non_key


def projected(table: Table, index: VectorIndex, item: Item) -> Item:
    """What the index stores of an item besides its vector."""
    if index.projection.type == "ALL":
        return {name: value for name, value in item.items() if name != index.attribute}
    stored = {*table.key.names, *(name for name, _ in index.search_schema), *index.projection.non_key}
    return {name: value for name, value in item.items() if name in stored and name != index.attribute}


def entry_bytes(table: Table, index: VectorIndex, item: Item) -> int:
    """Bytes of an item's entry: what is projected, and the vector with its name and four bytes per dimension."""
    return item_size(projected(table, index, item)) + text_size(index.attribute) + FLOAT_BYTES * index.dimensions


def index_bytes(table: Table, index: VectorIndex) -> int:
    """Bytes of all entries of an index."""
    return sum(entry_bytes(table, index, item) for item, _ in members(table, index))


def write_bytes(table: Table, change: Change) -> dict[str, float]:
    """VectorWriteRequestBytes of a write, by index; none for an index whose view of the item stays as it is.

    An entry that moves to another partition is deleted from the one and put into the other.
    """
    found = {}
    for name, index in table.settings.vectors.items():
        if index.status == "DELETING":
            continue
        old, new = (_view(table, index, record) for record in (change.old, change.new))
        if old != new:
            entries = [r.item for r, v in ((change.old, old), (change.new, new)) if r and v]
            sizes = [max(LEAST_BYTES, entry_bytes(table, index, item)) for item in entries]
            moved = len({str(item.get(index.hash)) for item in entries if index.hash is not None}) > 1
            found[name] = float(sum(sizes) if moved else max(sizes))
    return found


def _view(table: Table, index: VectorIndex, record: Record | None) -> tuple[Item, Vector] | None:
    vector = None if record is None else vector_in(table, index, record.item)
    return None if record is None or vector is None else (projected(table, index, record.item), vector)


def billed_size(table: Table, record: Record) -> int:
    """Bytes that a write of a stored item is billed for: its indexed vectors as floats, not as numbers (SIZE-10)."""
    dimensions = {index.attribute: index.dimensions for index in table.settings.vectors.values()}
    total = record.size
    for attribute, count in dimensions.items():
        value = record.item.get(attribute)
        if value is not None and "L" in value:
            total += FLOAT_BYTES * count - size(value)
    return total


def table_bytes(table: Table) -> int:
    """TableSizeBytes: the table's items as writes are billed for them (dataplane:SIZE-10)."""
    if not table.settings.vectors:
        return table.size
    return sum(billed_size(table, record) for record in table.view.rows.values())
