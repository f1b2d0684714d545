"""What a plant is: the reference with one bug, in process; several can live side by side.

A bug is made of hooks around one call. Patches of the reference's own functions hold only while a planted service
executes, so the oracle, which runs between two calls, never meets them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol
from unittest import mock

from conformance.program import Program, Step
from reference import requests
from reference.api import Call, Item, Json, Refusal, Reply, Success
from reference.lifecycle import settle
from reference.operations.base import Choice, Outcome
from reference.rules import Violation
from reference.service import Service
from reference.tables.table import Change, Move, Table
from reference.tables.view import Record

Patch = Callable[[], AbstractContextManager[Any]]
Body = dict[str, Any]


class Executes(Protocol):
    """What a plant looks like from outside."""

    def execute(self, call: Call) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Bug:
    """Where a planted service departs from the reference.

    ``asks`` changes the request before it is read, ``passes`` says which violations are overlooked, ``does`` changes
    what a sound call comes to before it is done, ``says`` changes the reply. ``patches`` hold during the whole call.
    """

    asks: Callable[[Call], Call] | None = None
    passes: Callable[[Call, Violation], bool] | None = None
    does: Callable[[Service, Call, Outcome], Outcome] | None = None
    says: Callable[[Service, Call, Reply], Reply] | None = None
    patches: tuple[Patch, ...] = ()


class PlantedService:
    """A service of its own with one bug."""

    def __init__(self, service: Service, bug: Bug) -> None:
        self.service = service
        self.bug = bug

    def execute(self, call: Call) -> Reply:
        bug = self.bug
        with ExitStack() as stack:
            for patch in bug.patches:
                stack.enter_context(patch())
            asked = bug.asks(call) if bug.asks is not None and self._readable(call) else call
            reply = self._execute(asked)
        return reply if bug.says is None else bug.says(self.service, call, reply)

    def _readable(self, call: Call) -> bool:
        """Whether a request has the shape that its operation takes; one that has not is refused before any bug."""
        return call.operation in self.service.operations() and requests.read(call.operation, call.body).typed

    def _execute(self, call: Call) -> Reply:
        bug, service = self.bug, self.service
        if bug.passes is None and bug.does is None:
            return service.execute(call)
        settle(service.account)
        context, checks = service.begin(call, Choice())
        kept: Violation | None = None
        try:
            while kept is None:
                found = next(checks)
                if bug.passes is None or not bug.passes(call, found):
                    kept = found
        except StopIteration as stop:
            outcome: Outcome | None = stop.value
        if kept is not None:
            return kept.refusal(context.surface)
        if outcome is None:
            # What was overlooked left nothing to go on with: this call the bug does not reach.
            return service.execute(call)
        if bug.does is not None:
            outcome = bug.does(service, call, outcome)
        service.commit(outcome)
        return Success(outcome.body)


@dataclass(frozen=True, slots=True)
class Plant:
    """A bug with a name, what class of bug it is, and the smallest program that proves it one."""

    name: str
    about: str
    capability: str
    wrap: Callable[[Service], Executes]
    witness: Program


def plant(
    name: str,
    about: str,
    capability: str,
    tables: Mapping[str, Json],
    *steps: Step,
    **hooks: Any,
) -> Plant:
    """A plant whose bug is made of ``hooks`` and whose witness is these steps on these tables."""
    bug = Bug(**hooks)
    return Plant(name, about, capability, partial(PlantedService, bug=bug), Program(capability, tables, steps))


def patched(owner: Any, **replacements: Any) -> Patch:
    """Functions or constants of a module or class replaced during the call."""
    return lambda: mock.patch.multiple(owner, **replacements)


def originals(module: ModuleType) -> Any:
    """What a module holds now, under its own names: a replacement calls these, not itself."""
    return SimpleNamespace(**vars(module))


def in_table(table: dict[Any, Any], **entries: Any) -> Patch:
    """Entries of a dispatch table replaced during the call."""
    return lambda: mock.patch.dict(table, entries)


def keyed(table: dict[Any, Any], entries: dict[Any, Any]) -> Patch:
    """As ``in_table`` for keys that are no names."""
    return lambda: mock.patch.dict(table, entries)


def overlooks(*rules: str, operations: Collection[str] = ()) -> Callable[[Call, Violation], bool]:
    """Checks that are not made, everywhere or in some operations."""

    def passes(call: Call, found: Violation) -> bool:
        return found.rule.name in rules and (not operations or call.operation in operations)

    return passes


def stores(alter: Callable[[Call, Item], Item], *operations: str) -> Callable[[Service, Call, Outcome], Outcome]:
    """Items are altered as they are stored, by some operations or all."""

    def does(service: Service, call: Call, outcome: Outcome) -> Outcome:
        if operations and call.operation not in operations:
            return outcome
        changes = []
        for change in outcome.changes:
            if change.new is not None:
                table = service.account.tables[change.table]
                fresh = alter(call, change.new.item)
                change = table.plan(fresh, Record.of(fresh)) if fresh != change.new.item else change
            changes.append(change)
        return replace(outcome, changes=tuple(changes))

    return does


def moves(alter: Callable[[Table, Change, Move], Move | None]) -> Callable[[Service, Call, Outcome], Outcome]:
    """Index maintenance altered: every move of an entry, None to leave the index as it is."""

    def does(service: Service, call: Call, outcome: Outcome) -> Outcome:
        changes = []
        for change in outcome.changes:
            table = service.account.tables[change.table]
            kept = [m for m in (alter(table, change, move) for move in change.moves) if m is not None]
            changes.append(replace(change, moves=tuple(kept)))
        return replace(outcome, changes=tuple(changes))

    return does


def answers(alter: Callable[[Service, Call, Body], Json], *operations: str) -> Callable[[Service, Call, Reply], Reply]:
    """Bodies of successful answers altered; ``alter`` gets a copy of the body's top level."""

    def says(service: Service, call: Call, reply: Reply) -> Reply:
        if not isinstance(reply, Success) or (operations and call.operation not in operations):
            return reply
        return Success(alter(service, call, dict(reply.body or {})))

    return says


def refuses(
    rule: str, alter: Callable[[Service, Call, Refusal], Reply], *operations: str
) -> Callable[[Service, Call, Reply], Reply]:
    """Refusals for one rule altered."""

    def says(service: Service, call: Call, reply: Reply) -> Reply:
        if not isinstance(reply, Refusal) or rule not in reply.rules:
            return reply
        if operations and call.operation not in operations:
            return reply
        return alter(service, call, reply)

    return says


def asks(alter: Callable[[Body], Json], *operations: str) -> Callable[[Call], Call]:
    """Requests altered before they are read; ``alter`` gets a copy of the body's top level."""

    def change(call: Call) -> Call:
        if not isinstance(call.body, dict) or (operations and call.operation not in operations):
            return call
        return Call(call.operation, alter(dict(call.body)))

    return change
