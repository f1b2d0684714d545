"""Pages of Scan and of index queries with ties: any lawful order, judged together along the chain of start keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.oracle.compare import Difference, canonical, differences
from reference.api import Call, Item, Json
from reference.operations.base import Outcome
from reference.operations.pages import Source
from reference.service import Service
from reference.tables.table import Table
from reference.values.item import normalise_item

MAX_PAGES = 200
MAX_CHAINS = 256
ROOM = "pages"
SMALL_BYTES = 900_000
"""Bytes of a table that surely fits one page; what exactly fills 1 MB is open (dataplane:OPEN-3)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the whole result: its output, its row key, what it is grouped by, its place inside the group."""

    output: Item
    text: bytes
    key: tuple[Any, ...]
    group: tuple[Any, ...]
    place: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    """Every row that a Query or Scan without Limit and start key gives, and how many were evaluated."""

    rows: tuple[Row, ...]
    count: int
    scanned: int


@dataclass(slots=True)
class Chain:
    """What the pages so far have given, from a start without ExclusiveStartKey."""

    sequence: int
    rows: Counter[bytes] = field(default_factory=Counter)
    first: Counter[bytes] = field(default_factory=Counter)
    count: int = 0
    scanned: int = 0


class Pages:
    """Follows page chains of one session, as one possible state of the target understands them."""

    def __init__(self) -> None:
        self._chains: dict[bytes, Chain] = {}
        self._segments: dict[bytes, dict[int, Chain]] = {}

    def copy(self) -> Pages:
        """Independent chains with the same pages so far."""
        other = Pages()
        other._chains = dict(self._chains)
        other._segments = {key: dict(done) for key, done in self._segments.items()}
        return other

    def judge(self, service: Service, call: Call, outcome: Outcome, body: Json) -> list[Difference]:
        """What is wrong with one page, nothing if it is lawful; remembers it for the pages that follow."""
        table = service.account.table(call.body["TableName"])
        if table is None or not isinstance(body, dict):
            return [Difference((), "type", outcome.body, body)]
        whole = collect(service, call)
        start = call.body.get("ExclusiveStartKey")
        chain = Chain(table.sequence, first=Counter(r.text for r in whole.rows)) if start is None else None
        if start is not None:
            chain = self._chains.get(_thread(call, start))
        found = (
            self._counts(call, body, whole) or self._items(call, body, whole, chain, table) or _end(call, body, table)
        )
        if chain is not None and not found:
            found = self._follow(call, body, whole, chain, table)
        return found

    def segment_of(self, call: Call) -> int | None:
        """The segment whose page ended at a parallel Scan's start key, None when no page is known to have."""
        for segment in range(min(call.body["TotalSegments"], MAX_PAGES)):
            body = {**call.body, "Segment": segment}
            if _thread(Call(call.operation, body), call.body["ExclusiveStartKey"]) in self._chains:
                return segment
        return None

    def plausible(self, services: Iterable[Service], call: Call, body: Json) -> list[Difference]:
        """As ``judge`` where each item may come from another replica: only what was ever true, all that always was."""
        ever: dict[bytes, Row] = {}
        # Of rows, not of what they show: two may take turns to look alike.
        always: set[tuple[tuple[Any, ...], bytes]] | None = None
        whole = Whole((), 0, 0)
        for service in services:
            whole = collect(service, call)
            rows = {(row.key, row.text) for row in whole.rows}
            ever.update((row.text, row) for row in whole.rows)
            always = rows if always is None else always & rows
        found = self._counts(call, body, whole)
        if found:
            return found
        shown: Counter[bytes] = Counter()
        for item in body.get("Items") or ():
            shown[canonical(item)] += 1
            if canonical(item) not in ever:
                return [Difference(("Items", "*"), "unexpected", None, item)]
        partly = any(call.body.get(name) is not None for name in ("ExclusiveStartKey", "Segment"))
        if partly or "LastEvaluatedKey" in body or "Items" not in body:
            return []
        lost = Counter(text for _, text in always or ()) - shown
        return [Difference(("Items", "*"), "missing", ever[min(lost)].output, None)] if lost else []

    def _counts(self, call: Call, body: Json, whole: Whole) -> list[Difference]:
        count, scanned, items = body.get("Count"), body.get("ScannedCount"), body.get("Items")
        if not isinstance(count, int) or not isinstance(scanned, int):
            return [Difference(("Count",), "missing", whole.count, count)]
        if (items is None) != (call.body.get("Select") == "COUNT"):
            return [Difference(("Items",), "extra" if items is not None else "missing", None, items)]
        if items is not None and count != len(items):
            return [Difference(("Count",), "value", len(items), count)]
        limit = _limit(call)
        if count > scanned or (limit is not None and scanned > limit):
            return [Difference(("ScannedCount",), "value", limit, scanned)]
        if not _filters(call) and count != scanned:
            return [Difference(("ScannedCount",), "value", count, scanned)]
        return []

    def _items(self, call: Call, body: Json, whole: Whole, chain: Chain | None, table: Table) -> list[Difference]:
        items = body.get("Items") or []
        known = Counter(row.text for row in whole.rows)
        allowed = Counter(known)
        if chain is not None:
            if chain.sequence != table.sequence:
                allowed |= chain.first
            allowed -= chain.rows
        got = Counter(canonical(item) for item in items)
        surplus = got - allowed
        if surplus:
            item = next(item for item in items if canonical(item) in surplus)
            repeated = canonical(item) in known
            return [Difference(("Items", "*"), "repeated", None, item)] if repeated else _nearest(whole, item, table)
        return _order(call, items, whole)

    def _follow(self, call: Call, body: Json, whole: Whole, chain: Chain, table: Table) -> list[Difference]:
        after = Chain(chain.sequence, chain.rows + Counter(canonical(i) for i in body.get("Items") or []), chain.first)
        after.count, after.scanned = chain.count + body["Count"], chain.scanned + body["ScannedCount"]
        if (last := body.get("LastEvaluatedKey")) is not None:
            if len(self._chains) > MAX_CHAINS:
                self._chains.clear()
            self._chains[_thread(call, last)] = after
            return []
        if chain.sequence != table.sequence:
            return []
        if (call.body.get("TotalSegments") or 1) > 1:
            return self._segment(call, whole, after)
        return _complete(whole, after)

    def _segment(self, call: Call, whole: Whole, chain: Chain) -> list[Difference]:
        """Segments are disjoint, and complete once all are read (dataplane:SCAN-2)."""
        key = canonical([_request(call, "Segment"), chain.sequence])
        done = self._segments.setdefault(key, {})
        done[call.body["Segment"]] = chain
        joined = Chain(chain.sequence)
        for part in done.values():
            joined.rows += part.rows
            joined.count += part.count
            joined.scanned += part.scanned
        surplus = joined.rows - Counter(row.text for row in whole.rows)
        if surplus:
            return [Difference(("Items", "*"), "in-two-segments", None, None)]
        return _complete(whole, joined) if len(done) == call.body["TotalSegments"] else []


def pages_of(service: Service) -> Pages:
    """The chains that were followed in a state: a room of the model's account, so that every world has its own."""
    room = service.account.rooms.setdefault(ROOM, Pages())
    assert isinstance(room, Pages)
    return room


def collect(service: Service, call: Call) -> Whole:
    """Every row the request gives without Limit, start key and segment, from the reference."""
    body = {k: v for k, v in call.body.items() if k not in ("Limit", "ExclusiveStartKey", "Segment", "TotalSegments")}
    counting = body.get("Select") == "COUNT"
    rows: list[Row] = []
    count = scanned = 0
    for _ in range(MAX_PAGES):
        outcome = service.outcomes(Call(call.operation, body)).outcome
        if outcome is None:
            break
        page = outcome.body
        count, scanned = count + page["Count"], scanned + page["ScannedCount"]
        if not counting:
            keys: Sequence[tuple[Any, ...]] = outcome.details["rows"]
            group, place = outcome.details["partition"], outcome.details["sorted"]
            rows += [
                Row(item, canonical(item), key, key[:group], key[group:place])
                for item, key in zip(page["Items"], keys, strict=True)
            ]
        if "LastEvaluatedKey" not in page:
            break
        body = {**body, "ExclusiveStartKey": page["LastEvaluatedKey"]}
    return Whole(tuple(rows), count, scanned)


def _complete(whole: Whole, chain: Chain) -> list[Difference]:
    missing = Counter(row.text for row in whole.rows) - chain.rows
    if missing:
        row = next(row for row in whole.rows if row.text in missing)
        return [Difference(("Items", "*"), "missing", row.output, None, row=row.key)]
    if chain.count != whole.count:
        return [Difference(("Count",), "value", whole.count, chain.count)]
    if chain.scanned != whole.scanned:
        return [Difference(("ScannedCount",), "value", whole.scanned, chain.scanned)]
    return []


def _limit(call: Call) -> int | None:
    """The Limit as the service reads it: fractions are floored (dataplane:SER-3)."""
    limit = call.body.get("Limit")
    return int(limit) if isinstance(limit, float) else limit


def _end(call: Call, body: Json, table: Table) -> list[Difference]:
    """Whether a page may end here and names the last row it evaluated (dataplane:QRY-2, QRY-3)."""
    last = body.get("LastEvaluatedKey")
    if last is None or table.size > SMALL_BYTES:
        return []
    if body["ScannedCount"] != _limit(call):
        return [Difference(("LastEvaluatedKey",), "extra", None, last)]
    source = Source(table, table.indexes.get(call.body.get("IndexName") or ""))
    names = source.key_names
    items = body.get("Items") or []
    if items and not _filters(call) and all(name in items[-1] for name in names):
        return list(differences({name: items[-1][name] for name in names}, last, ("LastEvaluatedKey",)))
    normal = normalise_item(last, "current", []) if set(last) == set(names) else None
    if normal is None or source.row(normal) not in source.view.rows:
        return [Difference(("LastEvaluatedKey",), "value", None, last)]
    return []


def _nearest(whole: Whole, item: Item, table: Table) -> list[Difference]:
    """The difference to the row with the same primary key, when the output shows it."""
    names = table.key.names
    key = [item.get(name) for name in names]
    if None not in key:
        for row in whole.rows:
            if [row.output.get(name) for name in names] == key:
                found = differences(row.output, item, ("Items", "*", "Item"))
                return [replace(difference, row=row.key) for difference in found]
    return [Difference(("Items", "*"), "unexpected", None, item, row=table.view.row_key(item))]


def _order(call: Call, items: list[Item], whole: Whole) -> list[Difference]:
    by_text: dict[bytes, Row] = {row.text: row for row in whole.rows}
    if len(by_text) != len(whole.rows):
        return []
    rows = [row for item in items if (row := by_text.get(canonical(item))) is not None]
    backwards = call.body.get("ScanIndexForward") is False
    last: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    ordered = call.operation == "Query" or "IndexName" not in call.body
    for row in rows if ordered else ():
        before = last.get(row.group)
        if before is not None and (row.place > before if backwards else row.place < before):
            return [Difference(("Items",), "order", [r.output for r in whole.rows], items)]
        last[row.group] = row.place
    return []


def _filters(call: Call) -> bool:
    return any(call.body.get(name) for name in ("FilterExpression", "QueryFilter", "ScanFilter"))


def _request(call: Call, *without: str) -> dict[str, Json]:
    dropped = {"Limit", "ExclusiveStartKey", "ReturnConsumedCapacity", *without}
    return {"operation": call.operation, **{k: v for k, v in call.body.items() if k not in dropped}}


def _thread(call: Call, start: Json) -> bytes:
    return canonical([_request(call), start])
