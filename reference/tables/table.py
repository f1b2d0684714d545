"""A table: its items, its indexes, and the one place where a write happens."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from reference.api import Item
from reference.tables.schema import IndexSchema, KeySchema
from reference.tables.settings import TableSettings
from reference.tables.view import Record, RowKey, View
from reference.values.value import size as value_size


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an item stands in an index and what the index stores of it."""

    key: RowKey
    record: Record


@dataclass(frozen=True, slots=True)
class Move:
    """What a write does to one index: the entry before and after, None where there is none."""

    index: str
    old: Entry | None
    new: Entry | None


@dataclass(frozen=True, slots=True)
class Change:
    """One item write, worked out and not yet done; ``old`` and ``new`` are None where there is no item."""

    table: str
    key: RowKey
    old: Record | None
    new: Record | None
    moves: tuple[Move, ...] = ()

    @property
    def effective(self) -> bool:
        """Whether the item differs afterwards; a write that changes nothing leaves no stream record."""
        return (self.old.item if self.old else None) != (self.new.item if self.new else None)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A change as it happened: its number in the table's history, commit time (epoch seconds), who made it."""

    sequence: int
    at: float
    key: RowKey
    old: Record | None
    new: Record | None
    by: str = "user"


MAX_HASH_BYTES = 2048
MAX_RANGE_BYTES = 1024


class Index:
    """A secondary index: sparse, ordered, holding its projection of the table's items."""

    __slots__ = ("backfilling", "created", "schema", "settings", "status", "view")

    def __init__(self, schema: IndexSchema, settings: TableSettings, created: float) -> None:
        self.schema = schema
        self.settings = settings
        self.view = View(schema.key)
        self.status = "ACTIVE"
        self.backfilling: bool | None = None
        self.created = created

    def entry(self, record: Record, table_key: RowKey) -> Entry | None:
        """The entry of an item, or None when it does not belong in the index (dataplane:IDX-2, KEY-9)."""
        item = record.item
        key = self.view.row_key(item)
        if key is None or not self._fits(item):
            return None
        stored = self.schema.stored
        if stored is None:
            return Entry(key + table_key, record)
        return Entry(key + table_key, Record.of({name: value for name, value in item.items() if name in stored}))

    def held(self, record: Record, table_key: RowKey) -> Entry | None:
        """The entry that the index holds of an item now; None also where backfilling has not come to it yet."""
        key = self.view.row_key(record.item)
        if key is None:
            return None
        row = key + table_key
        stored = self.view.rows.get(row)
        return None if stored is None else Entry(row, stored)

    def _fits(self, item: Item) -> bool:
        key = self.schema.key
        return all(0 < value_size(item[a.name]) <= MAX_HASH_BYTES for a in key.hash) and all(
            0 < value_size(item[a.name]) <= MAX_RANGE_BYTES for a in key.range
        )

    def copy(self) -> Index:
        """An independent index with the same entries."""
        other = Index(self.schema, self.settings.copy(), self.created)
        other.view = self.view.copy()
        other.status, other.backfilling = self.status, self.backfilling
        return other


class Table:
    """A table of one account. ``log`` is its history, kept only as far back as ``keep`` seconds."""

    __slots__ = (
        "arn",
        "created",
        "id",
        "indexes",
        "keep",
        "log",
        "name",
        "sequence",
        "settings",
        "size",
        "status",
        "view",
    )

    def __init__(
        self, name: str, key: KeySchema, settings: TableSettings, *, arn: str, id: str, created: float
    ) -> None:
        self.name = name
        self.settings = settings
        self.arn = arn
        self.id = id
        self.created = created
        self.status = "ACTIVE"
        self.view = View(key)
        self.indexes: dict[str, Index] = {}
        self.log: deque[LogEntry] = deque()
        self.keep = 0.0
        self.sequence = 0
        self.size = 0

    @property
    def key(self) -> KeySchema:
        """The table's key schema."""
        return self.view.key

    def get(self, key: Item) -> Record | None:
        """The stored record of an item with that primary key (checked against the schema before)."""
        row = self.view.row_key(key)
        return None if row is None else self.at(row)

    def at(self, row: RowKey) -> Record | None:
        """The stored record at a row key of the table."""
        record: Record | None = self.view.rows.get(row)
        return record

    def items(self) -> Iterator[Item]:
        """All items in scan order."""
        return (record.item for record in self.view.rows.values())

    def plan(self, key: Item, new: Item | Record | None) -> Change:
        """Work out the write of ``new`` (None: delete) at a primary key; changes nothing.

        ``key`` holds at least the primary key attributes in normal form. A caller that has measured the new item gives
        its record.
        """
        row = self.view.row_key(key)
        assert row is not None, "keys are checked against the schema before a write is planned"
        old: Record | None = self.view.rows.get(row)
        fresh = new if new is None or isinstance(new, Record) else Record.of(new)
        return Change(self.name, row, old, fresh, self._moves(row, old, fresh) if self.indexes else ())

    def _moves(self, row: RowKey, old: Record | None, new: Record | None) -> tuple[Move, ...]:
        moves = []
        for name, index in self.indexes.items():
            before = index.held(old, row) if old is not None else None
            after = index.entry(new, row) if new is not None else None
            if before is not None or after is not None:
                moves.append(Move(name, before, after))
        return tuple(moves)

    def commit(self, change: Change, now: float, by: str = "user") -> None:
        """Do a planned write. The one place where items and index entries change."""
        self._store(change.key, change.new)
        for move in change.moves:
            index = self.indexes.get(move.index)
            if index is None:
                continue
            if move.old is not None and (move.new is None or move.new.key != move.old.key):
                index.view.rows.pop(move.old.key, None)
            if move.new is not None:
                index.view.rows[move.new.key] = move.new.record
        if change.effective:
            self.sequence += 1
            if self.keep:
                self.log.append(LogEntry(self.sequence, now, change.key, change.old, change.new, by))
                self._trim(now)

    def _store(self, row: RowKey, record: Record | None) -> None:
        old = self.view.rows.get(row)
        self.size += (record.size if record else 0) - (old.size if old else 0)
        if record is None:
            self.view.rows.pop(row, None)
        else:
            self.view.rows[row] = record

    def _trim(self, now: float) -> None:
        while self.log and self.log[0].at < now - self.keep:
            self.log.popleft()

    def install(self, key: Item, item: Item | None) -> None:
        """Take over a state read from elsewhere, checked or not, outside the history."""
        change = self.plan(key, item)
        keep, self.keep = self.keep, 0.0
        self.commit(change, 0.0)
        self.keep = keep

    def fill(self, index: Index) -> None:
        """Build an index from the items there are (backfill); unfit items are skipped (dataplane:KEY-9)."""
        for row, record in self.view.rows.items():
            entry = index.entry(record, row)
            if entry is not None:
                index.view.rows[entry.key] = entry.record

    def copy(self) -> Table:
        """An independent table with the same items, history and settings."""
        other = Table(self.name, self.key, self.settings.copy(), arn=self.arn, id=self.id, created=self.created)
        other.status = self.status
        other.view = self.view.copy()
        other.indexes = {name: index.copy() for name, index in self.indexes.items()}
        other.log = deque(self.log)
        other.keep, other.sequence, other.size = self.keep, self.sequence, self.size
        return other

    def as_of(self, moment: float) -> Table:
        """The table as a replica that has applied every write up to ``moment`` (epoch seconds) and none after."""
        other = self.copy()
        other.log = deque()
        for entry in reversed(self.log):
            if entry.at <= moment:
                break
            other.install_row(entry)
        return other

    def install_row(self, entry: LogEntry) -> None:
        """Undo one change of the history."""
        item = (entry.new or entry.old).item  # type: ignore[union-attr]
        self.install({name: item[name] for name in self.key.names}, entry.old.item if entry.old else None)
