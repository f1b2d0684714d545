"""Reduce a program to the smallest one that shows the same fingerprint: first its calls, then what they hold."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import orjson

from conformance.oracle.divergence import Divergence
from conformance.program import Program
from conformance.record.op import Op
from conformance.search.simplify import simpler
from reference.api import Json


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a program showed on fresh tables: divergences with their op index (set-up calls count), and the ops.

    ``names`` are the real names behind the symbols of the tables, ``start`` is in epoch seconds.
    """

    divergences: tuple[tuple[int, Divergence], ...]
    ops: tuple[Op, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    start: float | None = None


Try = Callable[[Program], Attempt]

CALL_BUDGET = 60
"""Requests for reducing the list of calls (measured: ddmin needs 2 to 60)."""
VALUE_BUDGET = 140
"""Further requests for simplifying values, expressions and schemas."""
AGAIN = 0.15
"""The share of these that is kept for dropping calls again after that."""

SECONDS_BUDGET = 60.0
"""Seconds that one reduction may take: a target that hangs answers nothing within many timeouts."""

_TABLE = re.compile(rb"\$\{(?:table|arn):(\w+)\}")
_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d{1,3})?")
_REFERENCE = re.compile(rb"\$\{reply:(\d+):")


@dataclass(slots=True)
class Reduction:
    """What came of a minimisation: the program, its divergence, and what it cost."""

    program: Program
    divergence: Divergence
    ops: tuple[Op, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    start: float | None = None
    requests: int = 0
    reproduced: bool = True
    exhausted: bool = False
    replays: int | None = None
    """How often it was replayed, where that is not the worker's usual number."""


@dataclass(slots=True)
class Minimiser:
    """Tries ever smaller programs for one fingerprint within a budget of requests and ``until`` (monotonic)."""

    attempt: Try
    fingerprint: str
    requests: int = 0
    limit: int = CALL_BUDGET
    best: Program | None = None
    divergence: Divergence | None = None
    ops: tuple[Op, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    start: float | None = None
    missed: Attempt | None = None
    """The last attempt that did not show it."""
    tried: set[bytes] = field(default_factory=set)
    until: float = field(default_factory=lambda: time.monotonic() + SECONDS_BUDGET)

    def shows(self, program: Program | None) -> bool:
        """Whether a candidate shows the fingerprint; if so it becomes the best one, cut after that call."""
        if program is None:
            return False
        key = orjson.dumps([dict(program.tables), [[s.operation, s.body, s.raw] for s in program.steps]])
        if key in self.tried:
            return False
        self.tried.add(key)
        self.requests += len(program.tables) + len(program.steps)
        attempt = self.attempt(program)
        same = [each for each in attempt.divergences if each[1].fingerprint == self.fingerprint]
        # What shows by itself is never given up for what rests on another difference.
        by_itself = self.divergence is not None and not self.divergence.derived
        shown = min(same, key=lambda each: each[1].derived, default=None)
        if shown is not None and not (by_itself and shown[1].derived):
            index, self.divergence = shown
            last = max(-1, index - len(program.tables))
            self.best = replace(program, steps=program.steps[: last + 1])
            self.ops = attempt.ops[: index + 1]
            self.names, self.start = attempt.names, attempt.start
            return True
        self.missed = attempt
        return False

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        return self.requests >= self.limit or time.monotonic() >= self.until


def minimise(
    program: Program, found: Divergence, attempt: Try, *, calls: int = CALL_BUDGET, values: int = VALUE_BUDGET
) -> Reduction:
    """The smallest program found, within two budgets of requests, that shows the fingerprint at its last call."""
    work = Minimiser(attempt, found.fingerprint, limit=calls)
    if not work.shows(program) or work.best is None or work.divergence is None:
        # What it was is told by the calls of the attempt, answered differently though.
        missed = work.missed or Attempt(())
        return Reduction(program, found, missed.ops, missed.names, missed.start, work.requests, reproduced=False)
    work.requests = 0
    _calls(work)
    exhausted = work.spent
    start = work.requests
    work.limit = start + int(values * (1 - AGAIN))
    _values(work)
    exhausted = exhausted or work.spent
    work.limit = start + values
    if values:
        # What a call was needed for may be gone from the others.
        _ddmin(work)
    return Reduction(work.best, work.divergence, work.ops, work.names, work.start, work.requests, exhausted=exhausted)


def _calls(work: Minimiser) -> None:
    best = work.best
    assert best is not None
    last = len(best.steps) - 1
    about = _about(best, work.divergence)
    if last > 0 and not work.shows(keep(best, {last})) and not (about and work.shows(keep(best, about))):
        work.shows(keep(best, _slice(best)))
    assert work.best is not None
    _ddmin(work)
    _tables(work)


def _about(program: Program, divergence: Divergence | None) -> set[int]:
    """The last call, the calls that name every key value of the item in doubt, and those whose replies they use."""
    if divergence is None or divergence.row is None:
        return set()
    key = [part for part in divergence.row[1:] if isinstance(part, str | bytes | Decimal)]
    steps = program.steps
    named = {n for n, step in enumerate(steps) if _names(orjson.dumps(step.body), key)}
    wanted = named | {len(steps) - 1}
    for position in range(len(steps) - 1, -1, -1):
        if position in wanted:
            wanted |= _used(program, position)
    return wanted


def _used(program: Program, position: int) -> set[int]:
    """The steps whose replies a step uses; those of the set-up are always there."""
    offset = len(program.tables)
    found = (int(m) - offset for m in _REFERENCE.findall(orjson.dumps(program.steps[position].body)))
    return {step for step in found if step >= 0}


def _names(body: bytes, key: list[str | bytes | Decimal]) -> bool:
    """Whether a request names all of these values, spelt in any way, in a statement too."""
    numbers = {Decimal(text.decode()) for text in _NUMBER.findall(body)}
    for part in key:
        if isinstance(part, Decimal):
            if part not in numbers:
                return False
            continue
        text = orjson.dumps(base64.b64encode(part).decode() if isinstance(part, bytes) else part)
        if text not in body and b"'" + text[1:-1] + b"'" not in body:
            return False
    return True


def _slice(program: Program) -> set[int]:
    """The last call, the calls whose replies it uses, and earlier calls that write a table and a key it names."""
    steps = program.steps
    wanted = {len(steps) - 1}
    text = orjson.dumps(steps[-1].body)
    offset = len(program.tables)
    values = set(re.findall(rb'"(?:S|N|B)":"([^"]{1,40})"', text))
    tables = set(_TABLE.findall(text))
    for position in range(len(steps) - 2, -1, -1):
        body = orjson.dumps(steps[position].body)
        referred = any(int(m) - offset == position for m in _REFERENCE.findall(text))
        same_table = any(table in body for table in tables)
        if referred or (same_table and (not values or any(b'"' + value + b'"' in body for value in values))):
            wanted.add(position)
            text += body
            tables |= set(_TABLE.findall(body))
    return wanted


def _ddmin(work: Minimiser) -> None:
    """Drop calls in ever smaller portions; the last call stays."""
    assert work.best is not None
    size = max(1, (len(work.best.steps) - 1) // 2)
    while size >= 1 and not work.spent:
        dropped = False
        position = len(work.best.steps) - 1 - size
        while position > -size and not work.spent:
            start = max(0, position)
            count = len(work.best.steps)
            gone = set(range(start, min(position + size, count - 1)))
            if gone and work.shows(keep(work.best, set(range(count)) - gone)):
                dropped = True
                position = min(position, len(work.best.steps) - 1)
            position -= size
        if not dropped or size > 1:
            size //= 2


def _tables(work: Minimiser) -> None:
    for symbol in list(work.best.tables if work.best else ()):
        assert work.best is not None
        if len(work.best.tables) > 1:
            work.shows(without_table(work.best, symbol))


def _values(work: Minimiser) -> None:
    """Greedy passes over the calls, last first, until nothing gets simpler or the budget is spent."""
    improved = True
    while improved and not work.spent:
        improved = False
        for candidate in _candidates(work):
            if work.spent:
                return
            if work.shows(candidate):
                improved = True
                break


def _candidates(work: Minimiser) -> Iterator[Program]:
    best = work.best
    assert best is not None
    for symbol, body in best.tables.items():
        for smaller in _schemas(body):
            yield replace(best, tables={**best.tables, symbol: smaller})
    keys = frozenset(element["AttributeName"] for table in best.tables.values() for element in table["KeySchema"])
    for position in range(len(best.steps) - 1, -1, -1):
        step = best.steps[position]
        for body in simpler(step.body, keys):
            steps = (*best.steps[:position], replace(step, body=body), *best.steps[position + 1 :])
            yield replace(best, steps=steps)


def _schemas(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The table without one of its indexes."""
    for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        for position in range(len(body.get(member, ()))):
            rest = body[member][:position] + body[member][position + 1 :]
            smaller = {k: v for k, v in body.items() if k != member} | ({member: rest} if rest else {})
            yield _definitions(smaller)


def _definitions(body: dict[str, Any]) -> dict[str, Any]:
    """Only the attribute definitions that some key still uses."""
    schemas = [
        body["KeySchema"],
        *(i["KeySchema"] for m in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes") for i in body.get(m, ())),
    ]
    used = {element["AttributeName"] for schema in schemas for element in schema}
    return {**body, "AttributeDefinitions": [d for d in body["AttributeDefinitions"] if d["AttributeName"] in used]}


def keep(program: Program, positions: Iterable[int]) -> Program | None:
    """The program with only those steps; None when one of them needs the reply of a dropped one."""
    kept = sorted(positions)
    offset = len(program.tables)
    moved = {offset + old: offset + new for new, old in enumerate(kept)} | {n: n for n in range(offset)}
    steps = []
    for position in kept:
        step = program.steps[position]
        body = renumber(step.body, moved)
        if body is _BROKEN:
            return None
        steps.append(replace(step, body=body))
    return replace(program, steps=tuple(steps))


def without_table(program: Program, symbol: str) -> Program | None:
    """The program without a table that no step names; None when one does."""
    rest = {name: body for name, body in program.tables.items() if name != symbol}
    needle = re.compile(rb"\$\{(?:table|arn):" + re.escape(symbol).encode() + rb"\}")
    if any(needle.search(orjson.dumps(step.body)) for step in program.steps):
        return None
    gone = list(program.tables).index(symbol)
    total = len(program.tables) + len(program.steps)
    moved = {n: n - 1 if n > gone else n for n in range(total) if n != gone}
    steps = tuple(replace(step, body=renumber(step.body, moved)) for step in program.steps)
    return replace(program, tables=rest, steps=steps)


_BROKEN: Json = object()


def renumber(body: Json, moved: dict[int, int]) -> Json:
    """The body with its reply references renumbered; a marker when one of them is gone."""
    text = orjson.dumps(body)
    found = {int(m) for m in _REFERENCE.findall(text)}
    if not found:
        return body
    if not found <= moved.keys():
        return _BROKEN
    return orjson.loads(_REFERENCE.sub(lambda m: b"${reply:%d:" % moved[int(m[1])], text))
