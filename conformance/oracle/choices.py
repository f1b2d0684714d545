"""Open questions about the target's state: which alternatives of it remain possible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.oracle.latitude import MAX_WORLDS
from reference.api import Call
from reference.service import Service


@dataclass(frozen=True, slots=True)
class World:
    """One possible state of the target; ``pending`` are lost calls that may yet take effect, whole or not at all."""

    service: Service
    pending: tuple[Call, ...] = ()


def arrivals(world: World) -> Iterator[World]:
    """The world as it is, and as it is once pending calls have taken effect, in any order."""
    yield world
    for position, call in enumerate(world.pending):
        rest = world.pending[:position] + world.pending[position + 1 :]
        yield from arrivals(World(applied(world.service, call), rest))


def applied(service: Service, call: Call) -> Service:
    """A fork in which the call took effect; where it is refused there, it has none."""
    fork = service.fork()
    outcome = fork.outcomes(call).outcome
    if outcome is not None:
        fork.commit(outcome)
    return fork


def same_state(one: World, other: World) -> bool:
    """Whether two worlds hold the same items, tables and pending calls."""
    if one.pending != other.pending:
        return False
    tables, others = one.service.account.tables, other.service.account.tables
    return tables.keys() == others.keys() and all(
        table.view.rows == others[name].view.rows and table.status == others[name].status
        for name, table in tables.items()
    )


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
