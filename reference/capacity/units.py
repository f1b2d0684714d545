"""Consumed capacity: what reads and writes cost, and how a reply says so.

Every operation that charges anything adds it up in a :class:`Consumed`, one per table, and asks :func:`report` or
:func:`reports` for the member of its body. Units are JSON doubles, halves included (dataplane:XTRA-CAP-2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from reference.tables.table import Change, Move, Table
from reference.vectors import entries

READ_BYTES = 4096
"""Bytes that one strongly consistent read unit covers (dataplane:CAP-1)."""

WRITE_BYTES = 1024
"""Bytes that one write unit covers (dataplane:CAP-1)."""

TRANSACTION_FACTOR = 2
"""A transactional read or write costs this much more on the table; on its indexes it doesn't (dataplane:CAP-14)."""

Split: TypeAlias = Literal["Read", "Write"]
"""Which kind of units a transaction reports beside CapacityUnits (dataplane:CAP-12)."""


def write_units(size: int) -> float:
    """Units to write an image of that many bytes; at least one."""
    return float(max(1, -(-size // WRITE_BYTES)))


def read_units(size: int, *, consistent: bool) -> float:
    """Units to read that many bytes, eventually consistent at half price; nothing read costs as one item does."""
    units = float(max(1, -(-size // READ_BYTES)))
    return units if consistent else units / 2


@dataclass(slots=True)
class Consumed:
    """What one call consumed of one table, by arm.

    ``table_name`` is the name or ARN the caller used (dataplane:WIRE-18), ``table`` the units of the table itself,
    ``local`` and ``secondary`` those of its local and global secondary indexes by name. ``vectors`` holds the write
    request bytes of vector indexes, which are no part of CapacityUnits (dataplane:CAP-18).
    """

    table_name: str
    table: float = 0.0
    local: dict[str, float] = field(default_factory=dict)
    secondary: dict[str, float] = field(default_factory=dict)
    vectors: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """CapacityUnits: the table's arm and all index arms (dataplane:CAP-11)."""
        return self.table + sum(self.local.values()) + sum(self.secondary.values())

    def on_index(self, kind: str, name: str, units: float) -> None:
        """Add units to the arm of an index of kind ``GSI`` or ``LSI``."""
        arm = self.secondary if kind == "GSI" else self.local
        arm[name] = arm.get(name, 0.0) + units

    def write(self, table: Table, change: Change, *, factor: int = 1) -> None:
        """Add a write: the larger image on the table, times ``factor``, and each index as its entry changes."""
        old = change.old.size if change.old is not None else 0
        new = change.new.size if change.new is not None else 0
        if table.settings.vectors:
            old, new = (entries.billed_size(table, r) if r is not None else 0 for r in (change.old, change.new))
            for name, amount in entries.write_bytes(table, change).items():
                self.vectors[name] = self.vectors.get(name, 0.0) + amount
        self.table += factor * write_units(max(old, new))
        for move in change.moves:
            units = move_units(move)
            if units:
                self.on_index(table.indexes[move.index].schema.kind, move.index, units)

    def check(self, size: int, *, factor: int = 1) -> None:
        """Add what a condition costs that is checked and writes nothing: the stored item's write units."""
        self.table += factor * write_units(size)


def move_units(move: Move) -> float:
    """Units of one index for one write; 0 where its stored view stays as it is (dataplane:CAP-10)."""
    old, new = move.old, move.new
    if old is None or new is None:
        entry = old or new
        return write_units(entry.record.size) if entry is not None else 0.0
    if old.key != new.key:
        return write_units(old.record.size) + write_units(new.record.size)
    if old.record.item == new.record.item:
        return 0.0
    return write_units(max(old.record.size, new.record.size))


def replay_units(changes: Iterable[Change]) -> float:
    """Read units that a replayed transaction reports: per item, twice the units of its larger image (CAP-15)."""
    total = 0.0
    for change in changes:
        size = max(change.old.size if change.old else 0, change.new.size if change.new else 0)
        total += TRANSACTION_FACTOR * read_units(size, consistent=True)
    return total


def report(consumed: Consumed, mode: Any, split: Split | None = None) -> dict[str, Any] | None:
    """The ConsumedCapacity member for a ReturnConsumedCapacity of TOTAL or INDEXES, None for any other.

    Transactions pass ``split``: they repeat every figure as ReadCapacityUnits or WriteCapacityUnits.
    """
    if mode != "TOTAL" and mode != "INDEXES":
        return None
    body = {"TableName": consumed.table_name, **_figures(consumed.total, split)}
    if mode == "INDEXES":
        body["Table"] = _figures(consumed.table, split)
        if consumed.secondary:
            body["GlobalSecondaryIndexes"] = _arms(consumed.secondary, split)
        if consumed.local:
            body["LocalSecondaryIndexes"] = _arms(consumed.local, split)
        if consumed.vectors:
            body["VectorIndexes"] = {
                name: {"VectorWriteRequestBytes": amount} for name, amount in consumed.vectors.items()
            }
    return body


def reports(consumed: Iterable[Consumed], mode: Any, split: Split | None = None) -> list[dict[str, Any]] | None:
    """The ConsumedCapacity list of an operation on several tables, one entry per table (dataplane:CAP-13)."""
    entries = [entry for each in consumed if (entry := report(each, mode, split)) is not None]
    return entries or None


def _figures(units: float, split: Split | None) -> dict[str, Any]:
    figures: dict[str, Any] = {"CapacityUnits": units}
    if split is not None:
        figures[f"{split}CapacityUnits"] = units
    return figures


def _arms(arms: Mapping[str, float], split: Split | None) -> dict[str, dict[str, Any]]:
    return {name: _figures(units, split) for name, units in arms.items()}
