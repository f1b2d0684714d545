"""Who wrote which item last, and by which key: a wrong item is blamed on its write, not on the read that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from conformance.oracle.compare import Difference, canonical
from conformance.oracle.exercised import rewritten
from reference.api import Call, Item, Json
from reference.operations.base import Outcome
from reference.service import Service
from reference.tables.view import RowKey
from reference.values.item import normalise_item

CREATES_NOTHING = "items.removal-creates-nothing"
MAX_WRITERS = 4096
MAX_BEFORE = 32
"""Updates of one item that are looked through for the one that wrote the differing attribute."""
_STATEMENTS = frozenset({"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"})
_PARTLY = frozenset({"ProjectionExpression", "AttributesToGet"})
Place: TypeAlias = "tuple[str, RowKey, Item]"
"""A table, where in it an item stands, and the item's key."""


@dataclass(frozen=True, slots=True)
class Write:
    """The last write of an item: which operation, its request, and the rules that shaped its outcome.

    ``refused`` says that it was none, and should have left the item as it was; ``doubts`` are later ones of that kind:
    some targets do a part of what they refuse. ``before`` are the writes that it left standing but for what it names,
    newest first; none where what it left has been seen since (``known``).
    """

    operation: str
    body: Json
    rules: tuple[str, ...] = ()
    refused: bool = False
    doubts: tuple[Write, ...] = ()
    before: tuple[Write, ...] = ()
    known: bool = False

    @property
    def created_nothing(self) -> bool:
        """Whether it must have left a missing item missing."""
        return CREATES_NOTHING in self.rules

    def wrote(self, difference: Difference | None) -> bool:
        """Whether it, and not an earlier write, gave the differing attribute what it holds; in doubt it did."""
        if difference is None or len(difference.path) <= 2 or not difference.names or difference.kind == "missing":
            return True
        if self.operation != "UpdateItem":
            return True
        named = rewritten(self.body)
        return named is None or difference.names[0] in named

    def explains(self, difference: Difference | None) -> bool:
        """Whether this write, had it taken effect, can have made an item differ so."""
        if difference is None or len(difference.path) <= 2 or self.operation in _STATEMENTS:
            return True
        names = {part for part in difference.names if part}
        named = any(names & _attributes(part) for part in (self.body, *parts(Call(self.operation, self.body))))
        if difference.kind == "missing":
            return named or self.operation != "UpdateItem"
        return named and canonical(difference.observed) in set(map(canonical, _values(self.body)))


class Writers:
    """Who last wrote each item, so that a wrong item is blamed on its write and not on the read that shows it."""

    def __init__(self) -> None:
        self._last: dict[bytes, Write] = {}
        self._keys: dict[bytes, dict[bytes, frozenset[str]]] = {}
        self._seen: set[bytes] = set()
        self._made: dict[str, Write] = {}
        self._idle: dict[bytes, Write] = {}
        self._undone: dict[bytes, Write] = {}
        self._odd: dict[bytes, Place] = {}

    def note(self, service: Service, call: Call, outcome: Outcome) -> None:
        """Remember whose items a call wrote, or was to leave as they are."""
        if len(self._last) > MAX_WRITERS:
            self._last.clear()
            self._keys.clear()
            self._seen.clear()
            self._idle.clear()
            self._undone.clear()
            self._odd.clear()
        write = Write(call.operation, call.body, outcome.rules)
        slots = [_slot(change.table, change.key) for change in outcome.changes]
        rows = [(name, item, row_of(service, name, item)) for name, item in written(call)]
        quiet = set(_creating_nothing(service, call, outcome))
        for slot in dict.fromkeys([*slots, *(_slot(name, row) for name, _, row in rows if row is not None)]):
            last = self._last.get(slot) if call.operation == "UpdateItem" else None
            stood = () if last is None or last.known else (replace(last, before=()), *last.before)[:MAX_BEFORE]
            made = replace(write, before=stood, rules=(*write.rules, CREATES_NOTHING) if slot in quiet else write.rules)
            self._last[slot] = made
            if made.created_nothing:
                self._idle.setdefault(slot, made)
        for name, item, row in rows:
            if row is not None:
                ways = self._keys.setdefault(_slot(name, row), {})
                way = _spelt(service, name, item)
                ways[way] = ways.get(way, frozenset()) | _named_beside_keys(service, call, name)
                self._seen.discard(_slot(name, row))
                if _is_odd(service, name, item):
                    self._odd[_slot(name, row)] = (name, row, _normal_key(service, name, item))

    def filled(self, table: str, call: Call, outcome: Outcome) -> None:
        """Remember that a call wrote, or made, all items of a table."""
        self._made[table] = Write(call.operation, call.body, outcome.rules)
        prefix = _slot(table, ())[:-3]
        self._last = {slot: write for slot, write in self._last.items() if not slot.startswith(prefix)}

    def shown(self, service: Service, call: Call) -> None:
        """Remember that a target has shown an item rightly since it was last written."""
        for name, item in named(call):
            row = row_of(service, name, item)
            if row is not None and call.operation == "GetItem" and not _PARTLY & call.body.keys():
                self._seen.add(_slot(name, row))
                self._idle.pop(_slot(name, row), None)
                self.settled(name, row)

    def respelt(self, service: Service, call: Call, row: RowKey | None = None, shown: Json = None) -> bool:
        """Whether a target seems to hold an item twice that goes by keys written in several ways.

        The item is that of a row, or the one that a call names; ``shown`` is what the target shows of it. It can't be
        so where that has attributes which were only written under another way than the call's.
        """
        places: list[tuple[bytes, bytes | None]] = [] if row is None else [(_slot(call.body["TableName"], row), None)]
        for name, item in named(call):
            place = row_of(service, name, item)
            if place is not None:
                places.append((_slot(name, place), _spelt(service, name, item)))
        for slot, own in places:
            ways = self._keys.get(slot, {})
            if own is None:
                if len(ways) > 1:
                    return True
                continue
            others = frozenset().union(*(names for way, names in ways.items() if way != own))
            alien = others - ways.get(own, frozenset())
            if set(ways) - {own} and not (isinstance(shown, dict) and alien & shown.keys()):
                return True
        return False

    def odd(self, service: Service, call: Call) -> tuple[list[Place], list[Place]]:
        """The places whose keys were written out of normal form, or are by a call: those it names, and all of them."""
        own: dict[bytes, Place] = {}
        for name, item in keyed(call):
            row = row_of(service, name, item)
            slot = None if row is None else _slot(name, row)
            if row is not None and slot is not None and (slot in self._odd or _is_odd(service, name, item)):
                own[slot] = (name, row, _normal_key(service, name, item))
        return list(own.values()), list({**self._odd, **own}.values())

    def unseen(self, service: Service, call: Call, difference: Difference) -> Write | None:
        """The update that made the item a call names what it is, if no read has shown the item since."""
        for name, item in named(call):
            row = row_of(service, name, item)
            write = None if row is None or _slot(name, row) in self._seen else self.of(name, row, difference)
            if write is not None and write.operation == "UpdateItem":
                return write
        return None

    def doubt(self, service: Service, call: Call) -> None:
        """A write was refused, perhaps a malformed one: what its items hold may from now on be its doing."""
        refused = Write(call.operation, call.body, refused=True)
        if call.operation in _STATEMENTS:
            self._last = {slot: replace(last, doubts=(*last.doubts, refused)) for slot, last in self._last.items()}
        for part in parts(call):
            name, item = part.get("TableName"), part.get("Item") or part.get("Key")
            if not isinstance(name, str) or not isinstance(item, dict):
                continue
            row = row_of(service, name, item)
            last = None if row is None else self._last.get(_slot(name, row))
            if row is not None and last is not None:
                self._last[_slot(name, row)] = replace(last, doubts=(*last.doubts, refused))
            elif row is not None:
                self._undone[_slot(name, row)] = refused

    def settled(self, table: str, key: Sequence[Any]) -> None:
        """An item's state was taken over from the target: what was written before is to blame for nothing more."""
        last = self._last.get(_slot(table, key))
        if last is not None:
            self._last[_slot(table, key)] = replace(last, before=(), known=True)

    def of(self, table: str, key: Sequence[Any], difference: Difference | None = None) -> Write | None:
        """The write that made an item what it is, by its row key: the last, or a later one that was refused."""
        write = self._last.get(_slot(table, key)) or self._made.get(table)
        if write is None:
            return self._undone.get(_slot(table, key))
        if write.created_nothing and (difference is None or len(difference.path) <= 2):
            return write
        for refused in reversed(write.doubts):
            if refused.explains(difference):
                return refused
        return next((each for each in (write, *write.before) if each.wrote(difference)), write)

    def idle(self, table: str, key: Sequence[Any]) -> Write | None:
        """The first write that must have left an item missing, whatever was written after it; no read has shown it."""
        return self._idle.get(_slot(table, key))

    def undone(self, service: Service, table: str, shown: Iterable[Json]) -> Write | None:
        """The refused write of the first of the items shown that nothing else ever wrote."""
        rows = (row_of(service, table, item) for item in shown if isinstance(item, dict))
        places = (_slot(table, row) for row in rows if row is not None and absent(service, table, row))
        return next((self._undone[slot] for slot in places if slot in self._undone and slot not in self._last), None)

    def creating_nothing(self, service: Service, table: str, shown: Json) -> Write | None:
        """The last write that must have left an item of a table missing; it is missing still, and ``shown`` has it.

        ``shown`` None: not even the items are shown.
        """
        rows = None if shown is None else [row_of(service, table, item) for item in shown]
        for write in reversed(self._last.values()):
            for name, item in written(Call(write.operation, write.body)):
                row = row_of(service, name, item) if name == table and write.created_nothing else None
                if row is not None and absent(service, table, row) and (rows is None or row in rows):
                    return write
        return None


def _attributes(part: Json) -> frozenset[str]:
    """The attributes that a write may name."""
    words = re.findall(r"\w+", str(part.get("UpdateExpression") or ""))
    maps = [part.get(name) for name in ("Item", "AttributeUpdates")]
    names = part.get("ExpressionAttributeNames")
    told = [name for each in maps if isinstance(each, dict) for name in each]
    aliased = [name for name in names.values() if isinstance(name, str)] if isinstance(names, dict) else []
    return frozenset([*words, *told, *aliased])


def _named_beside_keys(service: Service, call: Call, name: str) -> frozenset[str]:
    table = service.account.table(name)
    named = frozenset[str]().union(*map(_attributes, (call.body, *parts(call))))
    return named - frozenset(table.key.names) if table is not None else named


def _values(body: Json) -> Iterator[Json]:
    """Every attribute value of a request, and what they are made of."""
    inside = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    if isinstance(body, dict):
        yield body
    for inner in inside:
        yield inner
        yield from _values(inner)


def parts(call: Call) -> Iterator[dict[str, Any]]:
    """What of any request whatever may name one item to write: the request itself, or an action of it."""
    if call.operation in ("PutItem", "UpdateItem", "DeleteItem") and isinstance(call.body, dict):
        yield call.body
    actions = call.body.get("TransactItems") if isinstance(call.body, dict) else None
    for action in actions if isinstance(actions, list) else ():
        if isinstance(action, dict):
            yield from (part for part in action.values() if isinstance(part, dict))
    tables = (
        call.body.get("RequestItems") if call.operation == "BatchWriteItem" and isinstance(call.body, dict) else None
    )
    for table, requests in tables.items() if isinstance(tables, dict) else ():
        for request in requests if isinstance(requests, list) else ():
            for part in request.values() if isinstance(request, dict) else ():
                if isinstance(part, dict):
                    yield {"TableName": table, **part}


def written(call: Call) -> Iterator[tuple[str, Item]]:
    """(table, item or key) of every item a well-formed write names."""
    body = call.body
    if call.operation in ("PutItem", "UpdateItem", "DeleteItem"):
        yield body["TableName"], body.get("Item") or body.get("Key") or {}
    elif call.operation == "BatchWriteItem":
        for table, requests in body["RequestItems"].items():
            for request in requests:
                put = request.get("PutRequest")
                yield table, put["Item"] if put else request["DeleteRequest"]["Key"]
    elif call.operation == "TransactWriteItems":
        for action in body["TransactItems"]:
            for part in (part for kind, part in action.items() if kind != "ConditionCheck"):
                yield part["TableName"], part.get("Item") or part.get("Key") or {}


def named(call: Call) -> Iterator[tuple[str, Item]]:
    """(table, item or key) of every item a well-formed call writes, or gets alone."""
    if call.operation == "GetItem":
        yield call.body["TableName"], call.body["Key"]
    yield from written(call)


def keyed(call: Call) -> Iterator[tuple[str, Item]]:
    """(table, item or key) of every item a well-formed call writes or gets, alone or among others."""
    yield from named(call)
    if call.operation == "BatchGetItem":
        yield from ((table, key) for table, asked in call.body["RequestItems"].items() for key in asked["Keys"])
    elif call.operation == "TransactGetItems":
        yield from ((get["Get"]["TableName"], get["Get"]["Key"]) for get in call.body["TransactItems"])


def _creating_nothing(service: Service, call: Call, outcome: Outcome) -> Iterator[bytes]:
    """The slots of a transaction's updates that find no item and leave none."""
    if call.operation != "TransactWriteItems":
        return
    updates = [action["Update"] for action in call.body["TransactItems"] if "Update" in action]
    rows = [(part["TableName"], row_of(service, part["TableName"], part["Key"])) for part in updates]
    updated = {_slot(name, row) for name, row in rows if row is not None}
    for change in outcome.changes:
        if change.old is None and change.new is None and (slot := _slot(change.table, change.key)) in updated:
            yield slot


def row_of(service: Service, name: str, item: Item) -> RowKey | None:
    """Where an item stands in a table, None when it has no proper key."""
    table = service.account.table(name)
    normal = normalise_item({k: v for k, v in item.items() if k in table.key.names}, "current", []) if table else None
    return table.view.row_key(normal) if table and normal else None


def _spelt(service: Service, name: str, item: Item) -> bytes:
    """The key of an item as it is written."""
    table = service.account.table(name)
    return repr([item.get(k) for k in table.key.names] if table else None).encode("utf-8", "surrogatepass")


def _normal_key(service: Service, name: str, item: Item) -> Item:
    """The key of an item in normal form."""
    table = service.account.table(name)
    own = {} if table is None else {k: v for k, v in item.items() if k in table.key.names}
    return normalise_item(own, "current", []) or own


def _is_odd(service: Service, name: str, item: Item) -> bool:
    """Whether the key of an item is written otherwise than in normal form."""
    return _spelt(service, name, item) != _spelt(service, name, _normal_key(service, name, item))


def _slot(table: str, key: Sequence[Any]) -> bytes:
    return repr((table, tuple(key))).encode("utf-8", "surrogatepass")


def absent(service: Service, name: str, row: RowKey) -> bool:
    """Whether there should be no such item at all."""
    table = service.account.table(name)
    return table is not None and table.at(row) is None
