"""Who wrote which item last, and by which key: a wrong item is blamed on its write, not on the read that shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.oracle.compare import Difference
from reference.api import Call, Item, Json
from reference.operations.base import Outcome
from reference.service import Service
from reference.tables.view import RowKey
from reference.values.item import normalise_item

CREATES_NOTHING = "items.removal-creates-nothing"
MAX_WRITERS = 4096
_PARTLY = frozenset({"ProjectionExpression", "AttributesToGet"})


@dataclass(frozen=True, slots=True)
class Write:
    """The last write of an item: which operation, its request, and the rules that shaped its outcome."""

    operation: str
    body: Json
    rules: tuple[str, ...]
    doubts: tuple[tuple[str, frozenset[str]], ...] = ()
    """Later writes of the item that were refused, by operation and the attributes they name: a target may do a part."""

    def certain(self, difference: Difference | None) -> bool:
        """Whether none of the refused writes can have made an item differ so."""
        if difference is None or len(difference.path) <= 2:
            return not self.doubts
        names = {part for part in difference.names if part}
        gone = difference.kind == "missing"
        return not any(names & touched or (gone and operation != "UpdateItem") for operation, touched in self.doubts)


class Writers:
    """Who last wrote each item, so that a wrong item is blamed on its write and not on the read that shows it."""

    def __init__(self) -> None:
        self._last: dict[bytes, Write] = {}
        self._keys: dict[bytes, set[bytes]] = {}
        self._seen: set[bytes] = set()

    def note(self, service: Service, call: Call, outcome: Outcome) -> None:
        """Remember whose items a call wrote, or was to leave as they are."""
        if len(self._last) > MAX_WRITERS:
            self._last.clear()
            self._keys.clear()
            self._seen.clear()
        for change in outcome.changes:
            self._last[_slot(change.table, change.key)] = Write(call.operation, call.body, outcome.rules)
        for name, item in written(call):
            row = row_of(service, name, item)
            if row is not None:
                self._last[_slot(name, row)] = Write(call.operation, call.body, outcome.rules)
                self._keys.setdefault(_slot(name, row), set()).add(_spelt(service, name, item))
                self._seen.discard(_slot(name, row))

    def shown(self, service: Service, call: Call) -> None:
        """Remember that a target has shown an item rightly since it was last written."""
        for name, item in named(call):
            row = row_of(service, name, item)
            if row is not None and call.operation == "GetItem" and not _PARTLY & call.body.keys():
                self._seen.add(_slot(name, row))

    def respelt(self, service: Service, call: Call, row: RowKey | None = None) -> bool:
        """Whether the item in question, that of a row or those a call names, goes by keys written in several ways."""
        keys = [] if row is None else [self._keys.get(_slot(call.body["TableName"], row), set())]
        for name, item in named(call):
            place = row_of(service, name, item)
            if place is not None:
                keys.append(self._keys.get(_slot(name, place), set()) | {_spelt(service, name, item)})
        return any(len(ways) > 1 for ways in keys)

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
        for part in parts(call):
            name, item = part.get("TableName"), part.get("Item") or part.get("Key")
            if not isinstance(name, str) or not isinstance(item, dict):
                continue
            row = row_of(service, name, item)
            slot = None if row is None else _slot(name, row)
            if slot is not None and slot in self._last:
                last = self._last[slot]
                self._last[slot] = replace(last, doubts=(*last.doubts, (call.operation, _attributes(part))))

    def of(self, table: str, key: Sequence[Any], difference: Difference | None = None) -> Write | None:
        """The last write of an item, by its row key, where only that can have made it what it is."""
        write = self._last.get(_slot(table, key))
        return write if write is not None and write.certain(difference) else None

    def creating_nothing(self, service: Service, table: str, shown: Json) -> Write | None:
        """The last write that must have left an item of a table missing; it is missing still, and ``shown`` has it.

        ``shown`` None: not even the items are shown.
        """
        rows = None if shown is None else [row_of(service, table, item) for item in shown]
        for write in reversed(self._last.values()):
            for name, item in written(Call(write.operation, write.body)):
                row = row_of(service, name, item) if name == table and CREATES_NOTHING in write.rules else None
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


def parts(call: Call) -> Iterator[dict[str, Any]]:
    """What of any request whatever may name one item to write: the request itself, or an action of it."""
    if call.operation in ("PutItem", "UpdateItem", "DeleteItem") and isinstance(call.body, dict):
        yield call.body
    actions = call.body.get("TransactItems") if isinstance(call.body, dict) else None
    for action in actions if isinstance(actions, list) else ():
        if isinstance(action, dict):
            yield from (part for part in action.values() if isinstance(part, dict))


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
            for part in action.values():
                yield part["TableName"], part.get("Item") or part.get("Key") or {}


def named(call: Call) -> Iterator[tuple[str, Item]]:
    """(table, item or key) of every item a well-formed call writes, or gets alone."""
    if call.operation == "GetItem":
        yield call.body["TableName"], call.body["Key"]
    yield from written(call)


def row_of(service: Service, name: str, item: Item) -> RowKey | None:
    """Where an item stands in a table, None when it has no proper key."""
    table = service.account.table(name)
    normal = normalise_item({k: v for k, v in item.items() if k in table.key.names}, "current", []) if table else None
    return table.view.row_key(normal) if table and normal else None


def _spelt(service: Service, name: str, item: Item) -> bytes:
    """The key of an item as it is written."""
    table = service.account.table(name)
    return repr([item.get(k) for k in table.key.names] if table else None).encode("utf-8", "surrogatepass")


def _slot(table: str, key: Sequence[Any]) -> bytes:
    return repr((table, tuple(key))).encode("utf-8", "surrogatepass")


def absent(service: Service, name: str, row: RowKey) -> bool:
    """Whether there should be no such item at all."""
    table = service.account.table(name)
    return table is not None and table.at(row) is None
