"""Uses: which row of which table or index a call charges, and how much; what throttling and metrics are told."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reference.capacity.units import move_units, write_units
from reference.tables.table import Change, Table
from reference.tables.view import RowKey

Kind = Literal["Read", "Write"]
ROOM = "meter"
"""The room of an account that holds its meter; without one nobody asks what calls use."""


@dataclass(frozen=True, slots=True)
class Use:
    """Units of one kind that a call charges at a row.

    ``index`` is the global secondary index charged, empty for the table itself, which its local indexes charge too.
    ``part`` is the part of a batch or transaction that is served or not by itself.
    """

    table: str
    index: str
    kind: Kind
    row: RowKey
    units: float
    part: Hashable = None


def uses_of(tables: Mapping[str, Table], change: Change, *, factor: int = 1, part: Hashable = None) -> Iterator[Use]:
    """What a write charges: the table, and each index whose stored view it changes (dataplane:CAP-3, CAP-10)."""
    old, new = (record.size if record is not None else 0 for record in (change.old, change.new))
    indexes = tables[change.table].indexes
    yield Use(change.table, "", "Write", change.key, factor * write_units(max(old, new)), part)
    for move in change.moves:
        if not move_units(move):
            continue
        if indexes[move.index].schema.kind == "LSI":
            yield Use(change.table, "", "Write", change.key, move_units(move), part)
        elif move.old is not None and move.new is not None and move.old.key != move.new.key:
            for entry in (move.old, move.new):
                yield Use(change.table, move.index, "Write", entry.key, write_units(entry.record.size), part)
        else:
            last = move.new or move.old
            assert last is not None, "a move has an entry before or after it"
            yield Use(change.table, move.index, "Write", last.key, move_units(move), part)


def spread(
    table: str, index: str, rows: Sequence[tuple[RowKey, int]], units: float, start: RowKey, part: Hashable = None
) -> Iterator[Use]:
    """What a page of rows, each with its size in bytes, charges: units by size, or at the start where it has none."""
    total = sum(size for _, size in rows)
    if not total:
        yield Use(table, index, "Read", start, units, part)
    for row, size in rows:
        yield Use(table, index, "Read", row, units * size / total, part)
