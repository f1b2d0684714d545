"""Open questions about the target's state: which alternatives of it remain possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.oracle.divergence import Divergence
from conformance.oracle.latitude import MAX_WORLDS
from conformance.oracle.sightings import ROOM, Place, Sightings
from reference.api import Call
from reference.backups.store import known_backups
from reference.service import Service
from reference.tables.table import Table
from reference.transfer.jobs import Kind, known_jobs

KINDS: tuple[Kind, ...] = ("export", "import", "bulk")

MAX_ARRIVALS = 128
"""Alternatives that are looked at for one answer; most of them it rules out."""


@dataclass(frozen=True, slots=True)
class World:
    """One possible state of the target; ``pending`` are lost calls that may yet take effect, whole or not at all."""

    service: Service
    pending: tuple[Call, ...] = ()


def arrivals(worlds: list[World], before: Callable[[World, Call], Iterable[World]] = lambda *_: ()) -> list[World]:
    """The worlds as they are, and as they are once pending calls have taken effect, in any order; none twice.

    ``before`` tells what else a world may have come to when such a call took effect.
    """
    reached = list(worlds)
    for world in reached:
        for position, call in enumerate(world.pending):
            rest = world.pending[:position] + world.pending[position + 1 :]
            for base in (world, *before(world, call)):
                after = World(applied(base.service, call), rest)
                if len(reached) < MAX_ARRIVALS and not any(same_state(after, other) for other in reached):
                    reached.append(after)
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


def applied(service: Service, call: Call) -> Service:
    """A fork in which the call took effect; where it is refused there, it has none."""
    fork = service.fork()
    outcome = fork.outcomes(call).outcome
    if outcome is not None:
        fork.commit(outcome)
    return fork


def same_state(one: World, other: World) -> bool:
    """Whether two worlds hold the same items, tables, client tokens and pending calls, and readers of the same."""
    if one.pending != other.pending or _tokens(one) != _tokens(other):
        return False
    if _kept(one) != _kept(other) or _places(one) != _places(other):
        return False
    tables, others = one.service.account.tables, other.service.account.tables
    return tables.keys() == others.keys() and all(
        table.view.rows == others[name].view.rows
        and table.status == others[name].status
        and table.settings == others[name].settings
        and _streamed(table) == _streamed(others[name])
        for name, table in tables.items()
    )


def _streamed(table: Table) -> list[tuple[Any, ...]]:
    """What the table's stream shows, where it has one: whether an item was deleted and made anew shows there alone."""
    return [(e.key, e.old, e.new, e.by) for e in table.log] if table.settings.streams else []


def _places(world: World) -> Mapping[str, Place]:
    """Where the iterators of streams stand: a write may have come before or after one, to the same state."""
    seen = world.service.account.rooms.get(ROOM)
    return seen.iterators if isinstance(seen, Sightings) else {}


def _kept(world: World) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    """Which backups a world holds, and which exports, imports and bulk operations, in which state."""
    rooms = world.service.account.rooms
    jobs = frozenset((job.arn, job.status) for kind in KINDS for job in known_jobs(rooms).listed(kind, 0.0))
    return frozenset(backup.arn for backup in known_backups(rooms)), jobs


def _tokens(world: World) -> dict[tuple[str, str], str]:
    """Which client tokens a world knows, for which requests: a repeat is answered by them."""
    return {name: known.digest for name, known in world.service.account.remembered.items()}


def distinct(worlds: list[World]) -> list[World]:
    """The worlds without repetitions."""
    kept: list[World] = []
    for world in worlds:
        if not any(same_state(world, other) for other in kept):
            kept.append(world)
    return kept


def too_many(worlds: list[World]) -> bool:
    """Whether the joint alternatives exceed what the oracle follows."""
    return len(worlds) > MAX_WORLDS


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one world says of an answer: the worlds it leads to, or the divergence."""

    worlds: tuple[World, ...] = ()
    divergence: Divergence | None = None
    unknown: str = ""
