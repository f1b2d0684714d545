"""What a recording lets one know of the items of tables that were there before it began."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.oracle.judge import Oracle
from conformance.traffic.overlaps import WHOLE, Place
from reference.api import Call, Item, Json, Success
from reference.values.item import normalise_item

LATE_SECONDS = 60.0
"""How long a write whose answer is missing may still take effect."""

Places = frozenset[Place]
_ACTIONS = ("Put", "Delete", "Update", "ConditionCheck", "Get")


@dataclass(slots=True)
class _Known:
    """Of one table: the items that are known, since when (seconds); with ``whole`` all but the ``unknown`` ones.

    ``settled``: it is past being created or updated. ``haunted``: until when a lost write may take effect.
    """

    whole: bool = False
    created: bool = False
    settled: bool = True
    since: float = float("-inf")
    known: dict[object, float] = field(default_factory=dict)
    unknown: set[object] = field(default_factory=set)
    haunted: dict[object, float] = field(default_factory=dict)

    def knows(self, key: object, at: float, lag: float) -> bool:
        """Whether an item, or ``WHOLE``, is known and has been for as long as a read may lag."""
        if any(until > at and (key in (name, WHOLE) or name == WHOLE) for name, until in self.haunted.items()):
            return False
        if key == WHOLE:
            return self.whole and not self.unknown and max((self.since, *self.known.values())) + lag <= at
        known = key not in self.unknown if self.whole else key in self.known
        return known and self.known.get(key, self.since) + lag <= at

    def forget(self, key: object) -> None:
        """An item, or every one, may be anything."""
        if key == WHOLE:
            self.whole, self.known, self.unknown = False, {}, set()
            return
        self.known.pop(key, None)
        if self.whole:
            self.unknown.add(key)


@dataclass(slots=True)
class Knowledge:
    """Which items the oracle's state can be trusted on. ``lag`` is how far reads may be behind, in seconds."""

    oracle: Oracle
    lag: float = 0.0
    _tables: dict[str, _Known] = field(default_factory=dict)

    def defined(self, names: Collection[str]) -> bool:
        """Whether all of these tables are known by their keys; there must be one."""
        return bool(names) and all(name in self._tables for name in names)

    def created(self, name: str) -> bool:
        """Whether a table was made within the recording."""
        return self._tables[name].created

    def define(self, name: str, body: Json) -> None:
        """A table that was there before, as CreateTable would make it: none of its items is known."""
        for world in self.oracle.worlds:
            if not isinstance(world.service.execute(Call("CreateTable", {**body, "TableName": name})), Success):
                return
        self._tables[name] = _Known()

    def create(self, name: str) -> None:
        """A table that the oracle has seen being made, empty."""
        self._tables[name] = _Known(whole=True, created=True)

    def settle(self, name: str, *, settled: bool) -> None:
        """A table is, or is not yet, what it was created or updated to be."""
        if name in self._tables:
            self._tables[name].settled = settled

    def settled(self, places: Iterable[Place]) -> bool:
        """Whether all tables of these places are past being created or updated."""
        return all(self._tables[table].settled for table, _ in places if table in self._tables)

    def drop(self, name: str) -> None:
        """A table of which nothing is known any more."""
        self._tables.pop(name, None)
        for world in self.oracle.worlds:
            world.service.account.tables.pop(name, None)

    def knows(self, places: Iterable[Place], at: float, *, lagging: bool) -> bool:
        """Whether the items at these places are known; for a lagging read, for as long as it may lag."""
        lag = self.lag if lagging else float("-inf")
        return all((held := self._tables.get(table)) is not None and held.knows(key, at, lag) for table, key in places)

    def forget(self, places: Iterable[Place]) -> None:
        """These items may be anything."""
        for table, key in places:
            if table in self._tables:
                self._tables[table].forget(key)

    def haunt(self, places: Iterable[Place], at: float) -> None:
        """A write to these items may take effect any time soon."""
        for table, key in places:
            if table in self._tables:
                self._tables[table].haunted[key] = at + LATE_SECONDS
                self._tables[table].forget(key)

    def learn(self, table: str, shown: Mapping[str, Any], item: Item | None, at: float) -> None:
        """An item is as shown, or not there; ``shown`` has its key."""
        held, model = self._tables.get(table), self.oracle.model.account.tables.get(table)
        if held is None or model is None:
            return
        names = model.key.names
        normal = normalise_item({name: shown[name] for name in names if name in shown}, "current", [])
        whole = None if item is None else normalise_item(item, "current", [])
        if normal is None or len(normal) < len(names) or (item is not None and whole is None):
            return
        self.oracle.install(table, normal, whole)
        row = place_key(normal.values())
        held.known[row] = at
        held.unknown.discard(row)

    def learn_whole(self, table: str, items: Sequence[Item], at: float) -> None:
        """A table holds these items and no others."""
        held, model = self._tables.get(table), self.oracle.model.account.tables.get(table)
        if held is None or model is None:
            return
        for world in self.oracle.worlds:
            own = world.service.account.tables[table]
            for record in list(own.view.rows.values()):
                own.install({name: record.item[name] for name in model.key.names}, None)
        held.whole, held.known, held.unknown, held.since = True, {}, set(), at
        for item in items:
            self.learn(table, item, item, at)


def place_key(values: Iterable[Mapping[str, Any]]) -> object:
    """A key in normal form as a hashable value."""
    return tuple((kind, content) for value in values for kind, content in value.items())


def places_of(call: Call, schemas: Mapping[str, Json]) -> tuple[Places, Places]:
    """The places a call reads, and those it writes; what cannot be told by key is the whole table."""
    body = call.body if isinstance(call.body, dict) else {}
    reads: set[Place] = set()
    writes: set[Place] = set()
    if call.operation in ("Query", "Scan"):
        reads.add((_plain(body.get("TableName")), WHOLE))
    elif call.operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem"):
        place = _place(body.get("TableName"), body.get("Item") or body.get("Key"), schemas)
        (reads if call.operation == "GetItem" else writes).add(place)
    elif call.operation in ("BatchGetItem", "BatchWriteItem"):
        for table, key, written in _batch(body):
            (writes if written else reads).add(_place(table, key, schemas))
    elif call.operation in ("TransactGetItems", "TransactWriteItems"):
        for kind, part in _actions(body):
            place = _place(part.get("TableName"), part.get("Item") or part.get("Key"), schemas)
            (reads if kind in ("Get", "ConditionCheck") else writes).add(place)
    else:
        # Which table a statement is about takes a parser; it may be about any.
        listed = body.get("Statements") or body.get("TransactStatements") or ()
        texts = [str(each.get("Statement")) for each in (body, *listed) if isinstance(each, dict)]
        named = {table for table in schemas if any(table in text for text in texts)} or set(schemas)
        only_reads = all(text.lstrip().upper().startswith(("SELECT", "NONE")) for text in texts)
        (reads if only_reads else writes).update((table, WHOLE) for table in named)
    return frozenset(reads), frozenset(writes)


def _plain(name: Any) -> str:
    """A table's name, also where its ARN stands for it."""
    return str(name or "").partition(":table/")[2].partition("/")[0] or str(name or "")


def _place(table: Any, held: Any, schemas: Mapping[str, Json]) -> Place:
    name = _plain(table)
    if name not in schemas or not isinstance(held, dict):
        return name, WHOLE
    key = {}
    for part in schemas[name]:
        if not isinstance(part, dict) or part.get("AttributeName") not in held:
            return name, WHOLE
        key[part["AttributeName"]] = held[part["AttributeName"]]
    normal = normalise_item(key, "current", [])
    return (name, WHOLE) if normal is None else (name, place_key(normal.values()))


def _batch(body: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Table and key of each part of a batch, and whether it writes."""
    asked = body.get("RequestItems")
    for table, entry in asked.items() if isinstance(asked, dict) else ():
        if isinstance(entry, dict):
            yield from ((table, key, False) for key in entry.get("Keys") or ())
            continue
        for write in entry if isinstance(entry, list) else ():
            if isinstance(write, dict):
                put = write.get("PutRequest") or {}
                yield table, put.get("Item") or (write.get("DeleteRequest") or {}).get("Key"), True


def _actions(body: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for action in body.get("TransactItems") or ():
        for kind in _ACTIONS:
            if isinstance(action, dict) and isinstance(action.get(kind), dict):
                yield kind, action[kind]


def adopted(knowledge: Knowledge, call: Call, answer: Json, at: float, *, exact: bool) -> None:
    """Take over what a successful call tells of items; ``exact``: reads without ConsistentRead lag behind nothing."""
    body = call.body if isinstance(call.body, dict) else {}
    answer = answer if isinstance(answer, dict) else {}
    table = _plain(body.get("TableName"))
    sure = exact or bool(body.get("ConsistentRead"))
    if call.operation == "PutItem":
        knowledge.learn(table, body["Item"], body["Item"], at)
    elif call.operation == "DeleteItem":
        knowledge.learn(table, body["Key"], None, at)
    elif call.operation == "UpdateItem" and body.get("ReturnValues") == "ALL_NEW":
        knowledge.learn(table, body["Key"], answer.get("Attributes"), at)
    elif call.operation == "GetItem" and sure and not _projects(body):
        knowledge.learn(table, body["Key"], answer.get("Item"), at)
    elif call.operation in ("Query", "Scan") and sure and not _projects(body) and "IndexName" not in body:
        _page(knowledge, table, body, answer, at)
    elif call.operation == "BatchWriteItem" and not any((answer.get("UnprocessedItems") or {}).values()):
        for name, entry in body["RequestItems"].items():
            for write in entry:
                item = (write.get("PutRequest") or {}).get("Item")
                knowledge.learn(_plain(name), item or write["DeleteRequest"]["Key"], item, at)
    elif call.operation == "TransactWriteItems":
        for kind, part in _actions(body):
            if kind in ("Put", "Delete"):
                knowledge.learn(_plain(part["TableName"]), part.get("Item") or part["Key"], part.get("Item"), at)


_PARTS = frozenset(
    {"ExclusiveStartKey", "FilterExpression", "ScanFilter", "QueryFilter", "TotalSegments", "KeyConditionExpression",
     "KeyConditions"}
)  # fmt: skip
"""Members of a Scan or Query that let it show less than the whole table."""


def _page(knowledge: Knowledge, table: str, body: Mapping[str, Any], answer: Mapping[str, Any], at: float) -> None:
    items = answer.get("Items") or []
    part = {"ExclusiveStartKey", "FilterExpression", "ScanFilter", "TotalSegments", "KeyConditionExpression"} & set(
        body
    )
    if not part and "KeyConditions" not in body and not answer.get("LastEvaluatedKey"):
        knowledge.learn_whole(table, items, at)
        return
    for item in items:
        knowledge.learn(table, item, item, at)


def _projects(body: Mapping[str, Any]) -> bool:
    select = body.get("Select") not in (None, "ALL_ATTRIBUTES")
    return select or "ProjectionExpression" in body or "AttributesToGet" in body
