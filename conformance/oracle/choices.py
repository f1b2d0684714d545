"""Open questions about the target's state: which alternatives of it remain possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.oracle import versions
from conformance.oracle.divergence import Divergence
from conformance.oracle.latitude import MAX_WORLDS
from conformance.oracle.sightings import ROOM, Place, Sightings
from reference import lifecycle
from reference.api import Call
from reference.backups.store import known_backups
from reference.service import Service
from reference.tables.table import Table
from reference.transfer.buckets import objects
from reference.transfer.jobs import Kind, known_jobs

KINDS: tuple[Kind, ...] = ("export", "import", "bulk")

MAX_ARRIVALS = 128
"""Alternatives that are looked at for one answer; most of them it rules out."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that was lost at a moment (epoch seconds) and may yet take effect."""

    call: Call
    since: float


@dataclass(frozen=True, slots=True)
class World:
    """One possible state of the target; ``pending`` are lost calls that may yet take effect, whole or not at all."""

    service: Service
    pending: tuple[Pending, ...] = ()

    def losing(self, call: Call) -> World:
        """The world in which that call has been lost."""
        now = self.service.account.now()
        return replace(self, pending=(*self.pending, *(Pending(part, now) for part in parts_of(call))))


def arrivals(worlds: list[World], before: Callable[[World, Call], Iterable[World]] = lambda *_: ()) -> list[World]:
    """The worlds as they are, and as they are once pending calls have taken effect, in any order; none twice.

    ``before`` tells what else a world may have come to when such a call took effect.
    """
    reached = list(worlds)
    for world in reached:
        for position, lost in enumerate(world.pending):
            rest = world.pending[:position] + world.pending[position + 1 :]
            for base in (world, *before(world, lost.call)):
                if len(reached) < MAX_ARRIVALS:
                    _join(reached, World(applied(base.service, lost), rest))
    return reached


def parts_of(call: Call) -> list[Call]:
    """What of a lost call takes effect or not by itself: a batch is no unit, everything else is."""
    if call.operation == "BatchExecuteStatement" and isinstance(call.body, dict):
        statements = call.body.get("Statements")
        return (
            [Call(call.operation, {"Statements": [s]}) for s in statements] if isinstance(statements, list) else [call]
        )
    if call.operation != "BatchWriteItem" or not isinstance(call.body, dict):
        return [call]
    asked = call.body.get("RequestItems")
    if not isinstance(asked, dict) or not all(isinstance(writes, list) for writes in asked.values()):
        return [call]
    return [Call("BatchWriteItem", {"RequestItems": {t: [write]}}) for t, writes in asked.items() for write in writes]


def applied(service: Service, lost: Pending) -> Service:
    """A fork in which a lost call took effect; where it is refused there, it has none."""
    fork = service.fork()
    outcome = fork.outcomes(lost.call).outcome
    if outcome is not None:
        before = {name: table.sequence for name, table in fork.account.tables.items()}
        fork.commit(outcome)
        for name, table in fork.account.tables.items():
            if table.sequence > before.get(name, 0):
                versions.unseen(table, before.get(name, 0), lost.since)
    return fork


def same_state(one: World, other: World) -> bool:
    """Whether two worlds hold the same items, tables, client tokens and pending calls, and readers of the same.

    When items came to be as they are may differ.
    """
    if one.pending != other.pending or _tokens(one) != _tokens(other) or _places(one) != _places(other):
        return False
    tables, others = one.service.account.tables, other.service.account.tables
    return (
        tables.keys() == others.keys()
        and all(_alike(table, others[name]) for name, table in tables.items())
        and versions.same_versions(one.service, other.service)
        and _kept(one) == _kept(other)
    )


def _alike(one: Table, other: Table) -> bool:
    same = one.view.rows == other.view.rows and one.status == other.status and one.settings == other.settings
    return same and _streamed(one) == _streamed(other)


def _streamed(table: Table) -> list[tuple[Any, ...]]:
    """What the table's stream shows, where it has one: whether an item was deleted and made anew shows there alone."""
    return [(e.key, e.old, e.new, e.by) for e in table.log] if table.settings.streams else []


def _places(world: World) -> Mapping[str, Place]:
    """Where the iterators of streams stand: a write may have come before or after one, to the same state."""
    seen = world.service.account.rooms.get(ROOM)
    return seen.iterators if isinstance(seen, Sightings) else {}


def _kept(world: World) -> tuple[Any, ...]:
    """What a world holds beside its tables: backups, jobs and how they stand, objects, streams of deleted tables."""
    account = world.service.account
    taken = {backup.arn: backup.table.view.rows for backup in known_backups(account.rooms)}
    jobs = {(job.arn, job.status) for kind in KINDS for job in known_jobs(account.rooms).listed(kind, 0.0)}
    deleted = {table.id: _streamed(table) for table in lifecycle.deleted_tables(account)}
    return taken, jobs, objects(account.rooms), deleted


def _tokens(world: World) -> dict[tuple[str, str], str]:
    """Which client tokens a world knows, for which requests: a repeat is answered by them."""
    return {name: known.digest for name, known in world.service.account.remembered.items()}


def distinct(worlds: list[World]) -> list[World]:
    """The worlds without repetitions."""
    kept: list[World] = []
    for world in worlds:
        _join(kept, world)
    return kept


def _join(worlds: list[World], found: World) -> None:
    """Add a world, or make of it and one like it the one that allows for both."""
    for position, world in enumerate(worlds):
        if world is found:
            return
        if same_state(found, world):
            worlds[position] = replace(world, service=versions.lasting(world.service, found.service))
            return
    worlds.append(found)


def too_many(worlds: list[World]) -> bool:
    """Whether the joint alternatives exceed what the oracle follows."""
    return len(worlds) > MAX_WORLDS


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one world says of an answer: the worlds it leads to, or the divergence."""

    worlds: tuple[World, ...] = ()
    divergence: Divergence | None = None
    unknown: str = ""
