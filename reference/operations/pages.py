"""Pages: what Query and Scan have in common once they know which rows they walk.

A page ends after ``Limit`` evaluated rows or at the row that fills 1 MB, whatever a filter keeps (dataplane:QRY-2).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from reference.api import Item, Json
from reference.capacity.units import Consumed, read_units, report
from reference.capacity.uses import Use, spread
from reference.operations.base import Context, Outcome
from reference.operations.shared import count_of
from reference.rules import Checks, violation
from reference.tables.schema import KeySchema
from reference.tables.table import Index, Table
from reference.tables.view import RowKey, View
from reference.values.item import item_size

MAX_PAGE_BYTES = 1_048_576
"""Bytes of evaluated rows that fill a page (dataplane:QRY-2)."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a Query or Scan reads: a table, or one of its indexes."""

    table: Table
    index: Index | None

    @property
    def view(self) -> View:
        """The rows."""
        return self.table.view if self.index is None else self.index.view

    @property
    def key(self) -> KeySchema:
        """What the rows are keyed by."""
        return self.view.key

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names of the table's and then of the index's key attributes, each once."""
        names = self.table.key.names
        return names if self.index is None else tuple(dict.fromkeys(names + self.index.schema.key.names))

    def lacks(self, names: Iterable[str]) -> list[str]:
        """Which of the attributes the index does not store, each once."""
        stored = None if self.index is None else self.index.schema.stored
        return [] if stored is None else [name for name in dict.fromkeys(names) if name not in stored]

    def row(self, key: Item) -> RowKey | None:
        """Where an ExclusiveStartKey stands, None when it lacks a key attribute or has one of another type."""
        row = self.view.row_key(key)
        if row is None or self.index is None:
            return row
        table_row = self.table.view.row_key(key)
        return None if table_row is None else row + table_row


def source_of(table: Table, body: dict[str, Any], vector: str) -> Checks[Source | None]:
    """The table or the named index, readable as the request asks (dataplane:QRY-6, TBL-15).

    ``vector`` is the rule that forbids to read a vector index.
    """
    name = body.get("IndexName")
    if name is None:
        return Source(table, None)
    index = table.indexes.get(name)
    if index is None and name in table.settings.vectors:
        # Query tells of the consistent read first, Scan of the index.
        if body.get("ConsistentRead") and vector == "vectors.query":
            yield violation("indexes.consistent-read")
        yield violation(vector)
        return None
    if index is None:
        yield violation("indexes.unknown", index=name)
        return None
    if index.status != "ACTIVE":
        yield violation("indexes.backfilling" if index.backfilling else "indexes.not-active", index=name)
    if body.get("ConsistentRead") and index.schema.kind == "GSI":
        yield violation("indexes.consistent-read")
    return Source(table, index)


def select_checks(body: dict[str, Any]) -> Checks[None]:
    """Select against projection and index name, before any table is looked at (dataplane:QRY-5)."""
    select = body.get("Select")
    if select is None:
        return
    parameter = next((name for name in ("ProjectionExpression", "AttributesToGet") if body.get(name) is not None), None)
    if parameter is not None and select in ("ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "COUNT"):
        wanted = "only the Count" if select == "COUNT" else select
        yield violation("queries.projection-with-select", parameter=parameter, select=wanted)
    if select == "ALL_PROJECTED_ATTRIBUTES" and body.get("IndexName") is None:
        yield violation("queries.all-projected-without-index")
    if select == "SPECIFIC_ATTRIBUTES" and parameter is None:
        yield violation("queries.specific-without-projection")


def projection_checks(source: Source, select: Json, names: Sequence[str]) -> Checks[None]:
    """What a global secondary index can't return (dataplane:QRY-7); ``names`` are the projected attributes."""
    index = source.index
    if index is None or index.schema.kind != "GSI":
        return
    if select == "ALL_ATTRIBUTES" and index.schema.stored is not None:
        yield violation("indexes.select-all", index=index.schema.name)
    lacking = source.lacks(names)
    if lacking:
        yield violation("indexes.not-projected", index=index.schema.name, attributes=", ".join(lacking))


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows become a page.

    ``keep`` is the filter and ``show`` the projection, None where there is none. ``fetch`` tells that each row's whole
    item is fetched from the table, for what a local secondary index lacks.
    """

    keep: Callable[[Item], bool] | None = None
    show: Callable[[Item], Item] | None = None
    fetch: bool = False


@dataclass(slots=True)
class Page:
    """The evaluated rows of a page and what is left of them.

    ``evaluated`` are the stored entries, ``items`` what to answer with, ``kept`` their rows. ``size`` is in bytes
    of entries, ``fetched`` in units on the table. ``last`` is the row the page ended at, None when there is no more.
    """

    evaluated: list[Item]
    items: list[Item]
    size: int = 0
    fetched: float = 0.0
    last: RowKey | None = None
    kept: list[RowKey] = field(default_factory=list)


def fetches(source: Source, body: dict[str, Any], names: Sequence[str]) -> bool:
    """Whether a read of a local secondary index needs the table for what it returns (dataplane:IDX-4)."""
    index = source.index
    if index is None or index.schema.kind != "LSI" or index.schema.stored is None:
        return False
    return body.get("Select") == "ALL_ATTRIBUTES" or bool(source.lacks(names))


def read_page(
    source: Source, rows: Iterator[RowKey], reading: Reading, body: dict[str, Any], *, open_end: bool
) -> Page:
    """Walk rows until the page is full. ``open_end``: whether a page that ends exactly at the last row says so."""
    limit = count_of(body.get("Limit"))
    records = source.view.rows
    keep, show, fetch = reading.keep, reading.show, reading.fetch
    page = Page([], [])
    evaluated, items, size, left = page.evaluated, page.items, 0, limit or -1
    for row in rows:
        record = records[row]
        item = record.item
        evaluated.append(item)
        size += record.size
        kept = keep is None or keep(item)
        if fetch:
            item = _fetch(source, row, item, page, consistent=bool(body.get("ConsistentRead")))
        if kept:
            items.append(item if show is None else show(item))
            page.kept.append(row)
        left -= 1
        if left == 0 or size >= MAX_PAGE_BYTES:
            page.last = row if open_end or next(rows, None) is not None else None
            break
    page.size = size
    return page


def _fetch(source: Source, row: RowKey, entry: Item, page: Page, *, consistent: bool) -> Item:
    record = source.table.at(row[1 + len(source.key.attributes) :])
    if record is None:
        return entry
    page.fetched += read_units(record.size, consistent=consistent)
    return record.item


def answer(
    context: Context, source: Source, page: Page, body: dict[str, Any], rules: tuple[str, ...], start: RowKey = ()
) -> Outcome:
    """The reply to a Query or Scan: counts, items, where to go on, and what it cost.

    ``start`` is where it begins to look, which is charged when it finds nothing.
    """
    reply: dict[str, Any] = {}
    if body.get("Select") != "COUNT":
        reply["Items"] = page.items
    else:
        rules += ("queries.count",)
    reply["Count"] = len(page.items)
    reply["ScannedCount"] = len(page.evaluated)
    if page.last is not None:
        entry = page.evaluated[-1]
        reply["LastEvaluatedKey"] = {name: entry[name] for name in source.key_names}
        rules += ("queries.exact-page",)
    capacity = report(consumed(source, page, body), body.get("ReturnConsumedCapacity"))
    if capacity is not None:
        reply["ConsumedCapacity"] = capacity
        rules += ("capacity.page-units", "capacity.shape")
        if source.index is not None:
            rules += ("capacity.index-read-units",)
        if page.fetched:
            rules += ("capacity.local-fetch-units",)
    if source.index is not None:
        rules += ("indexes.sparse", "indexes.projection", "indexes.order")
        if page.fetched:
            rules += ("indexes.local-fetch",)
    partition = 1 + len(source.key.hash)
    details = {"rows": page.kept, "partition": partition, "sorted": partition + len(source.key.range)}
    uses = uses_of(source, page, consumed(source, page, body).total, start) if context.metered else ()
    return Outcome(reply, rules=rules, details={"evaluated": page.evaluated, "last": page.last, **details}, uses=uses)


def uses_of(source: Source, page: Page, units: float, start: RowKey = (), part: Hashable = None) -> tuple[Use, ...]:
    """Where a page's units are charged: at its rows, those of a local index as rows of the table."""
    index = source.index if source.index is not None and source.index.schema.kind == "GSI" else None
    where = Source(source.table, index)
    rows = [(where.row(entry) or start, item_size(entry)) for entry in page.evaluated]
    return tuple(spread(source.table.name, index.schema.name if index else "", rows, units, start, part))


def consumed(source: Source, page: Page, body: dict[str, Any]) -> Consumed:
    """What a page cost: its entries' sizes on the arm it read, fetches on the table's (dataplane:CAP-7, CAP-9)."""
    units = read_units(page.size, consistent=bool(body.get("ConsistentRead")))
    total = Consumed(body["TableName"])
    if source.index is None:
        total.table = units
    else:
        total.on_index(source.index.schema.kind, source.index.schema.name, units)
        total.table = page.fetched
    return total
