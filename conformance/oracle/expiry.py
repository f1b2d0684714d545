"""Time to live: an item that has expired may be deleted by the service at any moment, or never.

So every call may meet it or not. Where an answer does not fit the model as it is, states are looked at in which some of
the expired items are gone; a write that touches expired items, or a copy of their table, keeps both in mind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from conformance.oracle.choices import World
from conformance.oracle.sightings import ROOM, Sightings, sightings
from conformance.oracle.writers import row_of, written
from reference import ttl
from reference.api import Call, Item, Json, Success
from reference.service import Service
from reference.tables.table import Table

MOST_DUE = 4
"""Expired items that may be gone in any combination; of more, only each alone and all together."""
_COPIES = frozenset({"CreateBackup", "ExportTableToPointInTime", "DeleteTable", "UpdateTimeToLive"})
_STATEMENTS = frozenset({"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"})

Due = tuple[str, Item]
"""A table's name and the primary key of an item of it that has expired."""


def due(service: Service, slack: float) -> list[Due]:
    """Every expired item of the model, by the latest the target's clock may show."""
    now = service.account.now()
    found = []
    for name, table in service.account.tables.items():
        attribute = attribute_of(service, table)
        if attribute is None:
            continue
        for item in table.items():
            if ttl.expired(item, attribute, now + slack) or ttl.expired(item, attribute, now - slack):
                found.append((name, {key: item[key] for key in table.key.names}))
    return found


def attribute_of(service: Service, table: Table) -> str | None:
    """What items of a table expire by: also for a while after that was switched off (beyond:TTL-15)."""
    if table.settings.ttl_attribute is not None:
        return table.settings.ttl_attribute
    room = service.account.rooms.get(ROOM)
    return room.former.get(table.id) if isinstance(room, Sightings) else None


def remember(service: Service, call: Call, before: Table | None) -> None:
    """Time to live was switched off, perhaps: what it went by may delete for a while longer."""
    if call.operation == "UpdateTimeToLive" and before is not None and before.settings.ttl_attribute is not None:
        sightings(service.account).former[before.id] = before.settings.ttl_attribute


def arrivals(worlds: list[World], call: Call, slack: float) -> list[World]:
    """The worlds, and for a call that writes expired items or copies them those in which they are gone before it."""
    found = list(worlds)
    for world in worlds:
        touched = _touched(world.service, call, due(world.service, slack))
        found += [_swept(world, gone) for gone in _subsets(touched)]
    return found


def others(worlds: list[World], call: Call, reply: Json, slack: float) -> list[World]:
    """States to look at where the worlds do not fit an answer: some expired items are gone, fewest first."""
    return [*_shown(worlds, call, reply, slack), *_alternatives(worlds, slack)]


def _alternatives(worlds: Iterable[World], slack: float) -> Iterator[World]:
    for world in worlds:
        for gone in _subsets(due(world.service, slack)):
            yield _swept(world, gone)


def _subsets(items: list[Due]) -> Iterator[tuple[Due, ...]]:
    if len(items) > MOST_DUE:
        yield from ((item,) for item in items)
        yield tuple(items)
        return
    for count in range(1, len(items) + 1):
        yield from combinations(items, count)


def _swept(world: World, gone: Iterable[Due]) -> World:
    service = world.service.fork()
    for name, key in gone:
        table = service.account.tables[name]
        service.account.commit(table.plan(key, None), by=ttl.IDENTITY)
    return World(service, world.pending)


def _touched(service: Service, call: Call, items: list[Due]) -> list[Due]:
    if not items or not isinstance(call.body, dict):
        return []
    if call.operation in _COPIES:
        named = str(call.body.get("TableName") or call.body.get("TableArn"))
        table = service.account.any_table(named)
        return [each for each in items if table is not None and each[0] == table.name]
    if call.operation in _STATEMENTS:
        return items
    try:
        rows = {(_name(service, name), row_of(service, name, item)) for name, item in written(call)}
    except (KeyError, TypeError, AttributeError):
        return []  # Not even well formed, and so without effect.
    return [each for each in items if (each[0], row_of(service, *each)) in rows]


def _name(service: Service, name: str) -> str:
    table = service.account.any_table(name)
    return name if table is None else table.name


def _shown(worlds: Iterable[World], call: Call, reply: Json, slack: float) -> Iterator[World]:
    """For a read of many expired items: the world in which exactly those are gone that the answer lacks."""
    rows = reply.body.get("Items") if isinstance(reply, Success) and isinstance(reply.body, dict) else None
    if not isinstance(rows, list) or not isinstance(call.body.get("TableName"), str):
        return
    for world in worlds:
        items = due(world.service, slack)
        if len(items) > MOST_DUE:
            there = [row_of(world.service, call.body["TableName"], row) for row in rows if isinstance(row, dict)]
            gone = [each for each in items if row_of(world.service, *each) not in there]
            yield _swept(world, gone)
