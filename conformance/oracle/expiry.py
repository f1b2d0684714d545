"""Time to live: an item that has expired may be deleted by the service at any moment, or never.

So every call may meet it or not. Where an answer does not fit the model as it is, states are looked at in which some of
the expired items are gone; a write that touches expired items, or a copy of their table, keeps both in mind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations

from conformance.oracle import versions
from conformance.oracle.choices import World
from conformance.oracle.divergence import Divergence
from conformance.oracle.sightings import ROOM, Sightings, sightings
from conformance.oracle.writers import row_of, written
from reference import ttl
from reference.api import Call, Item, Json, Success
from reference.service import Service
from reference.tables.table import Table

MOST_DUE = 4
"""Expired items that may be gone in any combination; of more, only each alone and all together."""
_COPIES = frozenset({
    "CreateBackup", "ExportTableToPointInTime", "RestoreTableToPointInTime", "DeleteTable", "UpdateTimeToLive",
})  # fmt: skip
_NAMING = ("TableName", "TableArn", "SourceTableName", "SourceTableArn")
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
    return [*worlds, *(swept for world in worlds for swept in gone_before(world, call, slack))]


def gone_before(world: World, call: Call, slack: float) -> list[World]:
    """What a world comes to where expired items that a call writes or copies are gone before it."""
    touched = _touched(world.service, call, due(world.service, slack))
    return [_swept(world, gone) for gone in _subsets(touched)]


def others(worlds: list[World], call: Call, reply: Json, slack: float) -> list[list[list[World]]]:
    """States to look at where the worlds do not fit an answer: for each world those in which some expired items are
    gone, the fewest first. What is gone in none of the first to fit may still go later.
    """
    found = []
    for world in worlds:
        items = due(world.service, slack)
        tiers = [[_swept(world, gone) for gone in tier] for tier in _tiers(items)]
        shown = list(_shown(world, items, call, reply)) if len(items) > MOST_DUE else []
        found.append([shown, *tiers] if shown else tiers)
    return found


def _tiers(items: list[Due]) -> list[list[tuple[Due, ...]]]:
    """Subsets by how many they hold."""
    by_size: dict[int, list[tuple[Due, ...]]] = {}
    for gone in _subsets(items):
        by_size.setdefault(len(gone), []).append(gone)
    return [by_size[size] for size in sorted(by_size)]


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
        before, since = table.sequence, _expired_by(service, table, key)
        service.account.commit(table.plan(key, None), by=ttl.IDENTITY)
        versions.unseen(table, before, since)
    return World(service, world.pending)


def _expired_by(service: Service, table: Table, key: Item) -> float:
    """From when on an item may have been gone (epoch seconds): what it expires by, or its last write."""
    attribute, record = attribute_of(service, table), table.get(key)
    moment = 0.0 if record is None or attribute is None else float(record.item[attribute]["N"])
    return max([moment, *(entry.at for entry in table.log if entry.new == record)])


def _touched(service: Service, call: Call, items: list[Due]) -> list[Due]:
    if not items or not isinstance(call.body, dict):
        return []
    if call.operation in _COPIES:
        named = next((str(call.body[member]) for member in _NAMING if call.body.get(member)), "")
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


def _shown(world: World, items: list[Due], call: Call, reply: Json) -> Iterator[World]:
    """For a read of many expired items: the world in which exactly those are gone that the answer lacks."""
    rows = reply.body.get("Items") if isinstance(reply, Success) and isinstance(reply.body, dict) else None
    if isinstance(rows, list) and isinstance(call.body.get("TableName"), str):
        there = [row_of(world.service, call.body["TableName"], row) for row in rows if isinstance(row, dict)]
        yield _swept(world, [each for each in items if row_of(world.service, *each) not in there])


def blamed(service: Service, call: Call, found: Divergence) -> Divergence:
    """A divergence about a whole item that has, or had, something to expire by is about that."""
    if not found.path.endswith((":missing", ":extra", ":unexpected", ":fewer", ":more")) or found.severity != "data":
        return found
    whole = found.path.split(":")[0] in ("Item", "item", "Items", "Items.*", "Count", "ScannedCount")
    name = call.body.get("TableName") if isinstance(call.body, dict) else None
    table = service.account.any_table(name) if isinstance(name, str) else None
    attribute = None if table is None else attribute_of(service, table)
    if not whole or table is None or attribute is None or not any(attribute in item for item in table.items()):
        return found
    return replace(found, operation=call.operation, rule=ttl.RULE)
