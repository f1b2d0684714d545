"""A table: its items, its indexes, and the one place where a write happens."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from reference.api import Item
from reference.tables.schema import IndexSchema, KeyAttribute, KeySchema
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
"""Bytes of the longest partition key value (dataplane:KEY-2)."""

MAX_RANGE_BYTES = 1024
"""Bytes of the longest sort key value (dataplane:KEY-2)."""


class Index:
    """A secondary index: sparse, ordered, holding its projection of the table's items."""

    __slots__ = ("_limits", "backfilling", "created", "schema", "settings", "status", "view")

    def __init__(self, schema: IndexSchema, settings: TableSettings, created: float) -> None:
        self.schema = schema
        self.settings = settings
        self.view = View(schema.key)
        self._limits = tuple(
            [(a, MAX_HASH_BYTES) for a in schema.key.hash] + [(a, MAX_RANGE_BYTES) for a in schema.key.range]
        )
        self.status = "ACTIVE"
        self.backfilling: bool | None = None
        self.created = created

    def entry(self, record: Record, table_key: RowKey, held: Entry | None = None) -> Entry | None:
        """The entry of an item, or None when it does not belong in the index (dataplane:IDX-2, KEY-9).

        It is ``held``, the entry from before a write, where the write changes nothing of it.
        """
        item = record.item
        key = self.view.row_key(item)
        if key is None or not self._fits(item):
            return None
        row = key + table_key
        stored = self.schema.stored
        if stored is None:
            return Entry(row, record)
        view = {name: value for name, value in item.items() if name in stored}
        if held is not None and held.record.item == view and held.key == row:
            return held
        return Entry(row, Record.of(view))

    def held(self, record: Record, table_key: RowKey) -> Entry | None:
        """The entry that the index holds of an item now; None also where backfilling has not come to it yet."""
        key = self.view.row_key(record.item)
        if key is None:
            return None
        row = key + table_key
        stored = self.view.rows.get(row)
        return None if stored is None else Entry(row, stored)

    def _fits(self, item: Item) -> bool:
        """Whether every key value, each known to be of its type, is as long as a key may be."""
        for attribute, limit in self._limits:
            value = item[attribute.name]
            text = value[attribute.type]
            # Most values are plainly short enough: a character has at most four bytes.
            if not text or (len(text) * 4 > limit and value_size(value) > limit):
                return False
        return True

    def copy(self) -> Index:
        """An independent index with the same entries."""
        other = Index(self.schema, self.settings.copy(), self.created)
        other.view = self.view.copy()
        other.status, other.backfilling = self.status, self.backfilling
        return other


@dataclass(frozen=True, slots=True)
class IndexedAttribute:
    """An attribute that keys one or more indexes; ``index`` is the alphabetically first of them.

    ``hashed`` tells that it is a partition key attribute in all of them, so that the longer limit holds.
    """

    index: Index
    attribute: KeyAttribute
    hashed: bool


class Table:
    """A table of one account. ``log`` is its history, kept only as far back as ``keep`` seconds."""

    __slots__ = (
        "arn",
        "created",
        "id",
        "indexed",
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
        self.indexed: tuple[tuple[Index, ...], tuple[IndexedAttribute, ...]] = ((), ())
        self.log: deque[LogEntry] = deque()
        self.keep = 0.0
        self.sequence = 0
        self.size = 0

    @property
    def arriving(self) -> bool:
        """Whether it is a replica that is not ready: hardly anything finds it (beyond:GT-14)."""
        return self.status == "CREATING" and self.settings.joined

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

    def index_attributes(self) -> tuple[IndexedAttribute, ...]:
        """Every attribute that keys an index, once, in the order of index names and key schemas."""
        indexes = tuple(self.indexes.values())
        if self.indexed[0] != indexes:
            found: dict[str, IndexedAttribute] = {}
            for name in sorted(self.indexes):
                index = self.indexes[name]
                for attribute in index.schema.key.attributes:
                    hashed = attribute in index.schema.key.hash
                    known = found.get(attribute.name)
                    if known is None:
                        found[attribute.name] = IndexedAttribute(index, attribute, hashed)
                    elif known.hashed and not hashed:
                        found[attribute.name] = replace(known, hashed=False)
            self.indexed = (indexes, tuple(found.values()))
        return self.indexed[1]

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
            after = index.entry(new, row, before) if new is not None else None
            if before is not None or after is not None:
                moves.append(Move(name, before, after))
        return tuple(moves)

    def commit(self, change: Change, now: float, by: str = "user") -> None:
        """Do a planned write. The one place where items and index entries change."""
        self._store(change.key, change.new)
        for move in change.moves:
            index = self.indexes.get(move.index)
            if index is None or move.new is move.old:
                continue
            if move.old is not None and (move.new is None or move.new.key != move.old.key):
                index.view.rows.pop(move.old.key, None)
            if move.new is not None:
                index.view.rows[move.new.key] = move.new.record
        if change.effective:
            self.sequence += 1
            if self.keep:
                self.log.append(LogEntry(self.sequence, now, change.key, change.old, change.new, by))
                self.trim(now)

    def _store(self, row: RowKey, record: Record | None) -> None:
        old = self.view.rows.get(row)
        self.size += (record.size if record else 0) - (old.size if old else 0)
        if record is None:
            self.view.rows.pop(row, None)
        else:
            self.view.rows[row] = record

    def trim(self, now: float) -> None:
        """Forget the history that is older than ``keep`` seconds at ``now`` (epoch seconds)."""
        while self.log and self.log[0].at < now - self.keep:
            self.log.popleft()

    def install(self, key: Item, item: Item | None) -> None:
        """Take over a state read from elsewhere, checked or not, outside the history."""
        change = self.plan(key, item)
        keep, sequence = self.keep, self.sequence
        self.keep = 0.0
        self.commit(change, 0.0)
        self.keep, self.sequence = keep, sequence

    def load(self, source: Table) -> None:
        """Take over every item of a table with the same key, outside the history; the indexes are filled anew."""
        self.view, self.size = source.view.copy(), source.size
        for index in self.indexes.values():
            index.view = View(index.schema.key)
            self.fill(index)

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
        while other.log and other.log[-1].at > moment:
            entry = other.log.pop()
            other.install_row(entry)
            other.sequence = entry.sequence - 1
        return other

    def install_row(self, entry: LogEntry) -> None:
        """Undo one change of the history."""
        item = (entry.new or entry.old).item  # type: ignore[union-attr]
        self.install({name: item[name] for name in self.key.names}, entry.old.item if entry.old else None)
