"""DynamoDB Accelerator: an item cache and a query cache in front of a service (beyond:DAX-2 … DAX-10).

Only its behaviour is here: it is asked in DynamoDB's own protocol, not in DAX's. What DAX does not have at all (control
plane, PartiQL, vectors, streams) goes through to the service, so that one client is enough. Neither cache is told when
anything is written past it.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import orjson

from reference.account import Account
from reference.api import Call, Item, Json, Reply, Success
from reference.followers import consistent, showing
from reference.lifecycle import settle
from reference.operations.base import Choice
from reference.service import Service
from reference.tables.outline import outline
from reference.tables.table import Table
from reference.tables.view import Record, RowKey, View
from reference.values.item import normalise_item

V = TypeVar("V")
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
Place: TypeAlias = tuple[str, RowKey]
"""An item: its table's id, so that a table made anew is another one, and its row key."""


class Asked(Protocol):
    """What is behind the caches."""

    def execute(self, call: Call) -> Reply:
        """Answer one call."""

    def operations(self) -> Collection[str]:
        """The names of all operations that can be called."""


@dataclass(frozen=True, slots=True)
class Caching:
    """How a cluster caches; times in seconds.

    ``item_ttl`` 0: items stay until they are written through the cluster or the least recently used make room;
    ``query_ttl`` 0: results are not cached (beyond:DAX-4). ``entries`` is how many each cache holds. Of ``nodes`` each
    has caches of its own, and what one of them learns reaches the others after ``node_lag``. ``refill`` is how long
    after a transaction its items are read again (beyond:DAX-6).
    """

    item_ttl: float = 300.0
    query_ttl: float = 300.0
    entries: int = 10_000
    nodes: int = 1
    node_lag: float = 0.0
    refill: float = 0.0


@dataclass(frozen=True, slots=True)
class Held(Generic[V]):
    """What is cached, and when it was read or written (epoch seconds)."""

    value: V
    at: float


class Cache(Generic[V]):
    """Values by key until they are too old, or others have been used since."""

    def __init__(self, ttl: float, entries: int) -> None:
        self.ttl = ttl
        self.entries = entries
        self._held: OrderedDict[Any, Held[V]] = OrderedDict()

    def get(self, key: Any, now: float) -> Held[V] | None:
        """What is held of a key."""
        held = self._held.get(key)
        if held is None:
            return None
        if self.ttl > 0 and now >= held.at + self.ttl:
            del self._held[key]
            return None
        self._held.move_to_end(key)
        return held

    def put(self, key: Any, held: Held[V]) -> None:
        """Hold a value unless a later one is held; the least recently used goes."""
        known = self._held.get(key)
        if known is not None and known.at > held.at:
            return
        self._held[key] = held
        self._held.move_to_end(key)
        if len(self._held) > self.entries:
            self._held.popitem(last=False)

    def clear(self) -> None:
        """Hold nothing."""
        self._held.clear()

    def __len__(self) -> int:
        return len(self._held)


class Node:
    """One machine of a cluster."""

    def __init__(self, caching: Caching) -> None:
        self.items: Cache[Record | None] = Cache(caching.item_ttl, caching.entries)
        self.results: Cache[Json] = Cache(caching.query_ttl, caching.entries)


class Dax:
    """A cluster in front of ``behind``; ``source`` is the service at the bottom: it knows the tables and the time."""

    def __init__(self, behind: Asked, source: Service, caching: Caching | None = None, seed: int = 0) -> None:
        self.behind = behind
        self.source = source
        self.caching = caching or Caching()
        self.nodes = [Node(self.caching) for _ in range(max(1, self.caching.nodes))]
        self.counts: Counter[str] = Counter()
        """Hits and misses by cache, as DAX's metrics name them (beyond:DAX-11)."""
        self._random = random.Random(seed)
        self._coming: list[tuple[float, int, int, str, Any, Held[Any]]] = []
        self._refills: list[tuple[float, int, Place, str, RowKey]] = []
        self._made = 0

    @property
    def account(self) -> Account:
        """The account behind it."""
        return self.source.account

    def operations(self) -> Collection[str]:
        """The names of all operations that can be called."""
        return self.behind.operations()

    def execute(self, call: Call) -> Reply:
        """Answer one call, from a cache where that is allowed."""
        settle(self.account)
        self._arrive()
        body = call.body if isinstance(call.body, dict) else {}
        if call.operation in WRITES:
            return self._write(call, body)
        if call.operation == "BatchGetItem":
            return self._batch(call)
        if call.operation not in ("GetItem", "Query", "Scan") or consistent(call):
            return self.behind.execute(call)
        return self._item(call) if call.operation == "GetItem" else self._result(call, body)

    def clear(self) -> None:
        """Empty every cache, as a restart of all nodes would."""
        for node in self.nodes:
            node.items.clear()
            node.results.clear()
        self._coming.clear()

    # Items

    def _item(self, call: Call) -> Reply:
        if self.source.outcomes(call).outcome is None:
            return self.behind.execute(call)
        table = self._table(call.body["TableName"])
        row = _row(table, call.body["Key"])
        if table is None or row is None:
            return self.behind.execute(call)
        node = self._node()
        held = self._look(node, table, row)
        if held is None:
            asked = {"TableName": call.body["TableName"], "Key": call.body["Key"]}
            reply = self.behind.execute(Call("GetItem", asked))
            if not isinstance(reply, Success):
                return reply
            held = self._learn(node, table, row, _record(reply.body.get("Item")))
        return self._told(call, {table.name: _only(table, {row: held.value})}, Choice())

    def _batch(self, call: Call) -> Reply:
        """BatchGetItem is many single reads: what is not held is read, whole, in one batch (beyond:DAX-3)."""
        if self.source.outcomes(call).outcome is None:
            return self.behind.execute(call)
        node, asked = self._node(), {}
        known: dict[str, dict[RowKey, Record | None]] = {}
        for name, entry in call.body["RequestItems"].items():
            table = self._table(name)
            if table is None or entry.get("ConsistentRead"):
                asked[name] = entry
                continue
            rows = known.setdefault(table.name, {})
            missing = []
            for key in entry["Keys"]:
                row = _row(table, key)
                held = None if row is None else self._look(node, table, row)
                if row is None or held is None:
                    missing.append(key)
                else:
                    rows[row] = held.value
            if missing:
                asked[name] = {"Keys": missing}
        left: dict[str, Any] = {}
        if asked:
            reply = self.behind.execute(Call("BatchGetItem", {"RequestItems": asked}))
            if not isinstance(reply, Success):
                return reply
            left = reply.body.get("UnprocessedKeys") or {}
            self._learn_batch(node, asked, reply.body, known)
        tables = {name: _only(self.account.tables[name], rows) for name, rows in known.items()}
        return self._told(call, tables, Choice(unprocessed=_unprocessed(call, left)))

    def _learn_batch(
        self, node: Node, asked: dict[str, Any], body: dict[str, Any], known: dict[str, dict[RowKey, Record | None]]
    ) -> None:
        left = body.get("UnprocessedKeys") or {}
        for name, entry in asked.items():
            table = self._table(name)
            if table is None or entry.get("ConsistentRead"):
                continue
            records = {_row(table, item): _record(item) for item in body["Responses"].get(name, ())}
            undone = {_row(table, key) for key in left.get(name, {}).get("Keys", ())}
            for row in (_row(table, key) for key in entry["Keys"]):
                if row is not None and row not in undone:
                    known[table.name][row] = self._learn(node, table, row, records.get(row)).value

    def _told(self, call: Call, tables: dict[str, Table], choice: Choice) -> Reply:
        """How a read is answered of tables that hold what is cached."""
        outcomes = Service(showing(self.account, tables), self.source.cohorts).outcomes(call, choice)
        if outcomes.outcome is None:
            return self.source.refusal(call, outcomes.violations[0])
        return Success(outcomes.outcome.body)

    def _look(self, node: Node, table: Table, row: RowKey) -> Held[Record | None] | None:
        held = node.items.get((table.id, row), self.account.now())
        self.counts["ItemCacheMisses" if held is None else "ItemCacheHits"] += 1
        return held

    def _learn(self, node: Node, table: Table, row: RowKey, record: Record | None) -> Held[Record | None]:
        """Cache an item, or that there is none (beyond:DAX-9), here and, later, on the other nodes."""
        held = Held(record, self.account.now())
        node.items.put((table.id, row), held)
        self._spread(node, "items", (table.id, row), held)
        return held

    # Results

    def _result(self, call: Call, body: dict[str, Any]) -> Reply:
        """Query and Scan by all their parameters; what they find is not put among the items (beyond:DAX-3)."""
        table = self._table(body.get("TableName"))
        if table is None or self.caching.query_ttl <= 0:
            return self.behind.execute(call)
        try:
            key = (table.id, call.operation, orjson.dumps(body, option=orjson.OPT_SORT_KEYS))
        except orjson.JSONEncodeError:
            return self.behind.execute(call)
        node, now = self._node(), self.account.now()
        held = node.results.get(key, now)
        self.counts[f"{call.operation}Cache{'Misses' if held is None else 'Hits'}"] += 1
        if held is not None:
            return Success(held.value)
        reply = self.behind.execute(call)
        if isinstance(reply, Success):
            fresh: Held[Json] = Held(reply.body, now)
            node.results.put(key, fresh)
            self._spread(node, "results", key, fresh)
        return reply

    # Writes

    def _write(self, call: Call, body: dict[str, Any]) -> Reply:
        """To the service first; only what it acknowledges is cached, and no result is dropped (beyond:DAX-6, DAX-7)."""
        reply = self.behind.execute(call)
        if not isinstance(reply, Success):
            return reply
        undone = reply.body.get("UnprocessedItems") if isinstance(reply.body, dict) else None
        node, now = self._node(), self.account.now()
        for name, key in _written(call.operation, body, undone or {}):
            table = self._table(name)
            row = _row(table, key)
            if table is None or row is None:
                continue
            if call.operation == "TransactWriteItems" and self.caching.refill > 0:
                self._made += 1
                refill = (now + self.caching.refill, self._made, (table.id, row), table.name, row)
                heapq.heappush(self._refills, refill)
            else:
                self._learn(node, table, row, table.at(row))
        return reply

    # Nodes

    def _node(self) -> Node:
        return self.nodes[self._random.randrange(len(self.nodes))] if len(self.nodes) > 1 else self.nodes[0]

    def _spread(self, node: Node, cache: str, key: Any, held: Held[Any]) -> None:
        for number, other in enumerate(self.nodes):
            if other is node:
                continue
            if self.caching.node_lag <= 0:
                getattr(other, cache).put(key, held)
                continue
            self._made += 1
            heapq.heappush(self._coming, (held.at + self.caching.node_lag, self._made, number, cache, key, held))

    def _arrive(self) -> None:
        """Let what other nodes learnt arrive, and read again what transactions wrote."""
        now = self.account.now()
        while self._refills and self._refills[0][0] <= now:
            _, _, place, name, row = heapq.heappop(self._refills)
            table = self.account.tables.get(name)
            if table is not None and table.id == place[0]:
                self._learn(self._node(), table, row, table.at(row))
        while self._coming and self._coming[0][0] <= now:
            _, _, number, cache, key, held = heapq.heappop(self._coming)
            getattr(self.nodes[number], cache).put(key, held)

    def _table(self, name: Json) -> Table | None:
        return self.account.table(name) if isinstance(name, str) else None


def _record(item: Item | None) -> Record | None:
    return None if item is None else Record.of(item)


def _row(table: Table | None, item: Json) -> RowKey | None:
    """Where an item, or its key, stands in the table; None for what is no item of it."""
    normal = normalise_item(item, "current", []) if table is not None and isinstance(item, dict) else None
    return None if normal is None or table is None else table.view.row_key(normal)


def _only(table: Table, rows: dict[RowKey, Record | None]) -> Table:
    """The table with no other items than these."""
    other = outline(table)
    other.view = View(table.key)
    other.view.rows.update((row, record) for row, record in rows.items() if record is not None)
    return other


def _unprocessed(call: Call, left: dict[str, Any]) -> frozenset[tuple[str, int]]:
    found: set[tuple[str, int]] = set()
    for name, entry in left.items():
        keys = call.body["RequestItems"][name]["Keys"]
        found.update((name, number) for number, key in enumerate(keys) if key in entry["Keys"])
    return frozenset(found)


def _written(operation: str, body: dict[str, Any], undone: dict[str, Any]) -> Iterator[tuple[Json, Json]]:
    """The table and key, or item, of everything that a successful write has written."""
    if operation == "BatchWriteItem":
        for name, requests in body["RequestItems"].items():
            for request in requests:
                if request not in undone.get(name, ()):
                    yield name, (request.get("PutRequest") or {}).get("Item") or request["DeleteRequest"]["Key"]
    elif operation == "TransactWriteItems":
        for action in body["TransactItems"]:
            for kind, part in action.items():
                if kind != "ConditionCheck" and isinstance(part, dict):
                    yield part.get("TableName"), part.get("Item") or part.get("Key")
    else:
        yield body["TableName"], body.get("Item") or body.get("Key")
