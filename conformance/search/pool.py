"""Tables that are used again: on slow endpoints making and deleting them would take most of the time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.program import Program
from conformance.record.codec import dumps
from conformance.session import Session
from conformance.strategies.schemas import TableWorld
from conformance.traffic.judging import ITEM_CALLS
from reference.api import Call, Item, Json, Reply, Success

MAX_TABLES = 60
"""Tables that one worker keeps; AWS allows 2,500 in a region."""
PREPARED = 10
"""Tables of one definition that are made before they are asked for."""
ROUNDS = 4
"""How often what is left in a table is deleted before the table is given up."""
BATCH = 25
SMALL = 10
"""Units of throughput that are paid for, at most."""
_GLOBAL = "GlobalSecondaryIndexes"
_UNITS = ("ReadCapacityUnits", "WriteCapacityUnits")


@dataclass(frozen=True, slots=True)
class Pooled:
    """A table that is there: its name, what its creation was answered with, and from when on it is empty for all."""

    name: str
    answer: Json
    ready: float = 0.0


@dataclass(slots=True)
class TablePool:
    """Tables by their definition, verified empty. ``rest``: seconds in which reads may still show what was there."""

    send: Callable[[Call], Reply]
    rest: float = 0.0
    clock: Callable[[], float] = time.monotonic
    reused: int = 0
    _free: dict[str, list[Pooled]] = field(default_factory=dict)

    def take(self, body: Json) -> tuple[str, Json] | None:
        """Name and CreateTable answer of a table of that definition which nobody uses, or None."""
        held = self._free.get(_shape(body), [])
        if not held or held[0].ready > self.clock():
            return None
        self.reused += 1
        table = held.pop(0)
        return table.name, table.answer

    def prepare(self, programs: Iterable[Program], new_name: Callable[[], str], limit: float) -> None:
        """Make the tables that these programs will want, all at once, and wait until they are there.

        ``limit`` is how many seconds that may take; what is not there then is left to be made, and judged, in its turn.
        """
        wanted: Counter[str] = Counter()
        bodies: dict[str, Json] = {}
        for program in filter(poolable, programs):
            for body in program.tables.values():
                bodies.setdefault(_shape(body), body)
                wanted[_shape(body)] += 1
        made: list[tuple[str, Pooled]] = []
        for shape, body in bodies.items():
            for _ in range(min(wanted[shape], PREPARED) - len(self._free.get(shape, ()))):
                if len(self.names()) + len(made) < MAX_TABLES:
                    name = new_name()
                    reply = self.send(Call("CreateTable", {**body, "TableName": name}))
                    if isinstance(reply, Success):
                        made.append((shape, Pooled(name, reply.body)))
        deadline = self.clock() + limit
        for shape, table in made:
            if self._there(table.name, deadline):
                self._free.setdefault(shape, []).append(table)

    def _there(self, name: str, deadline: float) -> bool:
        pause = 0.02
        while True:
            reply = self.send(Call("DescribeTable", {"TableName": name}))
            table = reply.body.get("Table", {}) if isinstance(reply, Success) else {}
            indexes = table.get("GlobalSecondaryIndexes") or []
            if table.get("TableStatus") == "ACTIVE" and all(
                i.get("IndexStatus", "ACTIVE") == "ACTIVE" for i in indexes
            ):
                return True
            if self.clock() > deadline:
                return False
            time.sleep(pause)
            pause = min(2.0, pause * 1.5)

    def give(self, body: Json, name: str, answer: Json, items: Iterable[Item]) -> bool:
        """Empty a table and keep it; False when it could not be emptied, or is one too many."""
        if sum(map(len, self._free.values())) >= MAX_TABLES or not self._emptied(body, name, list(items)):
            return False
        ready = Pooled(name, answer, self.clock() + self.rest)
        self._free.setdefault(_shape(body), []).append(ready)
        return True

    def names(self) -> list[str]:
        """Every table that is kept."""
        return [table.name for held in self._free.values() for table in held]

    def clear(self) -> None:
        """Keep none any more."""
        self._free.clear()

    def _emptied(self, body: Json, name: str, items: list[Item]) -> bool:
        keys = [part["AttributeName"] for part in body["KeySchema"]]
        for _ in range(ROUNDS):
            for start in range(0, len(items), BATCH):
                part = items[start : start + BATCH]
                writes = [{"DeleteRequest": {"Key": {key: item[key] for key in keys}}} for item in part]
                self.send(Call("BatchWriteItem", {"RequestItems": {name: writes}}))
            shown = self.send(Call("Scan", {"TableName": name, "ConsistentRead": True}))
            if not isinstance(shown, Success):
                continue  # Throttled, most likely; what is left shows in the next round.
            items = shown.body.get("Items") or []
            if not items and not shown.body.get("LastEvaluatedKey"):
                return self._indexes_empty(body, name)
        return False

    def _indexes_empty(self, body: Json, name: str) -> bool:
        """Whether no index shows anything more; where indexes may lag, rest must do."""
        for member in (_GLOBAL, "LocalSecondaryIndexes"):
            for index in body.get(member, ()):
                if self.rest:
                    continue
                shown = self.send(Call("Scan", {"TableName": name, "IndexName": index["IndexName"]}))
                if not isinstance(shown, Success) or shown.body.get("Items"):
                    return False
        return True


def poolable(program: Program) -> bool:
    """Whether a program leaves its tables' settings as they are, and nothing but items behind."""
    return all(step.operation in ITEM_CALLS for step in program.steps)


def clean(session: Session) -> bool:
    """Whether nothing went wrong in a session, so that its tables are what they were but for their items."""
    trouble = session.died or session.quarantined or session.faults or session.divergences()
    return not trouble and not session.oracle.ambiguous


def cheap(program: Program, own: Sequence[TableWorld] = ()) -> Program:
    """The program for where throughput is paid for: tables on demand but for the user's own, and small numbers."""
    tables = program.tables if own else {symbol: _on_demand(body) for symbol, body in program.tables.items()}
    steps = tuple(
        replace(step, body=_small(step.body)) if step.operation in ("CreateTable", "UpdateTable") else step
        for step in program.steps
    )
    return replace(program, tables=tables, steps=steps)


def _on_demand(body: Json) -> Json:
    kept = {name: value for name, value in body.items() if name != "ProvisionedThroughput"}
    indexes = [{n: v for n, v in i.items() if n != "ProvisionedThroughput"} for i in body.get(_GLOBAL, ())]
    return {**kept, "BillingMode": "PAY_PER_REQUEST", **({_GLOBAL: indexes} if indexes else {})}


def _small(value: Any) -> Any:
    if isinstance(value, list):
        return [_small(member) for member in value]
    if not isinstance(value, dict):
        return value
    return {n: min(v, SMALL) if n in _UNITS and type(v) is int else _small(v) for n, v in value.items()}


def dear(bodies: Iterable[Json]) -> bool:
    """Whether any of these tables has throughput that is too much to pay for."""
    return any(_small(body) != body for body in bodies)


def _shape(body: Json) -> str:
    """What a table is but for its name."""
    held: dict[str, Any] = {name: value for name, value in body.items() if name != "TableName"}
    return dumps(_sorted(held)).decode()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(member) for member in value] if isinstance(value, list) else value
