"""When which fault happens: rules over requests, indexed by each client's own count of them, never by the clock.

A rule says what it matches (operations, table, key, client, which requests) and which fault it puts in. The first rule
that matches a request wins. The same requests in the same order meet the same faults.

TOML::

    seed = 7

    [[rule]]
    fault = "drop-reply"
    operation = ["PutItem", "UpdateItem"]
    nth = [2]

    [[rule]]
    fault = "latency"
    client = 1
    from = 10
    to = 20
    with = { request_ms = 50 }
"""

from __future__ import annotations

import hashlib
import random
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.faults import Fault, FaultError, find
from reference.api import Json

ITEM_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")
ITEM_READS = ("GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems")
ITEM_CALLS = ITEM_WRITES + ITEM_READS


class ScheduleError(ValueError):
    """A schedule that cannot be read; the message says which rule, what is wrong and what is known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as rules see it. ``ordinal`` counts the requests of its client from 1; ``body`` None: not read yet."""

    client: int
    ordinal: int
    operation: str
    body: Json = None


@dataclass(frozen=True, slots=True)
class Firing:
    """A fault that was put into one request, with a name that is the same in every replay."""

    id: str
    fault: Fault
    settings: Mapping[str, float]
    client: int
    ordinal: int

    def chance(self, name: str) -> float:
        """A number from 0 to 1 that depends on this firing and the name only."""
        return _unit(f"{self.id}/{name}")


@dataclass(frozen=True, slots=True)
class Rule:
    """What is hit by which fault; every condition that is given must hold.

    ``at`` are ordinals of a client's requests; ``first`` and ``last`` bound them; ``nth`` counts, for each client, the
    requests that match operation, table and key; ``share`` of what matches is hit; ``times`` is the most it fires.
    ``key`` are attributes that the key or item of the request must have.
    """

    fault: Fault
    settings: Mapping[str, float] = field(default_factory=dict)
    operations: frozenset[str] = frozenset()
    table: str | None = None
    key: Mapping[str, Json] | None = None
    client: int | None = None
    at: frozenset[int] = frozenset()
    first: int = 1
    last: int | None = None
    nth: frozenset[int] = frozenset()
    share: float = 1.0
    times: int | None = None

    @property
    def needs_body(self) -> bool:
        """Whether the head of a request does not say if the rule matches."""
        return self.table is not None or self.key is not None

    def may_match(self, asked: Asked) -> bool:
        """Whether the rule matches as far as the head of the request tells."""
        if self.fault.place == "table" or (self.at and asked.ordinal not in self.at):
            return False
        if self.client is not None and asked.client != self.client:
            return False
        if self.operations and asked.operation not in self.operations:
            return False
        if self.fault.only and asked.operation not in self.fault.only:
            return False
        return asked.ordinal >= self.first and (self.last is None or asked.ordinal <= self.last)

    def matches_body(self, body: Json) -> bool:
        """Whether the table and key of a request are those of the rule."""
        if self.table is not None and self.table not in tables_of(body):
            return False
        return self.key is None or any(_has(found, self.key) for found in keys_of(body))


@dataclass(frozen=True, slots=True)
class Schedule:
    """Rules in order, and the seed of what they leave to chance."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0

    def needs_body(self, operation: str) -> bool:
        """Whether requests of an operation must be read whole before a rule can be chosen."""
        return any(rule.needs_body and (not rule.operations or operation in rule.operations) for rule in self.rules)

    def faults(self) -> tuple[Fault, ...]:
        """The faults it may put in, each once."""
        return tuple({rule.fault.name: rule.fault for rule in self.rules}.values())


class Plan:
    """A schedule under way: counts what each rule has seen, and picks the fault of each request."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self._seen: dict[tuple[int, int], int] = {}
        self._fired: dict[int, int] = {}

    def pick(self, asked: Asked) -> Firing | None:
        """The fault of a request, whose body is there if a rule needs it; ask once for each request, in order."""
        chosen: tuple[int, Rule] | None = None
        for position, rule in enumerate(self.schedule.rules):
            if not rule.may_match(asked) or not rule.matches_body(asked.body):
                continue
            if rule.nth:
                # Counted even when an earlier rule has won, so that rules don't shift one another.
                count = self._seen[position, asked.client] = self._seen.get((position, asked.client), 0) + 1
                if count not in rule.nth:
                    continue
            if chosen is not None or (rule.times is not None and self._fired.get(position, 0) >= rule.times):
                continue
            if rule.share >= 1 or self._chance(position, asked) < rule.share:
                chosen = position, rule
        if chosen is None:
            return None
        position, rule = chosen
        self._fired[position] = self._fired.get(position, 0) + 1
        name = f"{rule.fault.name}@{asked.client}.{asked.ordinal}"
        return Firing(name, rule.fault, rule.fault.settings(rule.settings), asked.client, asked.ordinal)

    def _chance(self, position: int, asked: Asked) -> float:
        return _unit(f"{self.schedule.seed}/{position}/{asked.client}/{asked.ordinal}")


def _unit(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / 2**56


def tables_of(body: Json) -> set[str]:
    """The tables a request body names."""
    if not isinstance(body, dict):
        return set()
    named = {part.get("TableName") for part in _parts(body)}
    if isinstance(body.get("RequestItems"), dict):
        named |= set(body["RequestItems"])
    return {name for name in named if isinstance(name, str)}


def keys_of(body: Json) -> list[Mapping[str, Json]]:
    """The keys and items a request body holds."""
    if not isinstance(body, dict):
        return []
    found = [part.get(name) for part in _parts(body) for name in ("Key", "Item")]
    batches = body.get("RequestItems")
    for entry in batches.values() if isinstance(batches, dict) else ():
        if isinstance(entry, dict) and isinstance(entry.get("Keys"), list):
            found += entry["Keys"]
        for write in entry if isinstance(entry, list) else ():
            found += [part.get(name) for part in _members(write) for name in ("Key", "Item")]
    return [key for key in found if isinstance(key, dict)]


def _parts(body: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """The request itself and the actions of a transaction."""
    actions = body.get("TransactItems")
    listed = actions if isinstance(actions, list) else []
    return [body, *(part for action in listed for part in _members(action))]


def _members(value: Json) -> list[Mapping[str, Json]]:
    return [part for part in value.values() if isinstance(part, dict)] if isinstance(value, dict) else []


def _has(found: Mapping[str, Json], wanted: Mapping[str, Json]) -> bool:
    return all(found.get(name) == value for name, value in wanted.items())


# From and to TOML.

_LISTS = {"at": "at", "nth": "nth"}
_PLAIN = {"table": str, "client": int, "from": int, "to": int, "share": float, "times": int, "key": dict}
_KNOWN = ("fault", "operation", *_PLAIN, *_LISTS, "with")


def load(path: Path, seed: int | None = None) -> Schedule:
    """The schedule of a TOML file; ``seed`` replaces its own. ScheduleError says what cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScheduleError(
            f"{path}: cannot be read ({getattr(error, 'strerror', error)}): name a TOML file"
        ) from error
    try:
        return parse(text, seed)
    except ScheduleError as error:
        raise ScheduleError(f"{path}: {error}") from error


def parse(text: str, seed: int | None = None) -> Schedule:
    """The schedule that a TOML text describes; ScheduleError says what is wrong with which rule."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScheduleError(f"not TOML: {error}") from error
    unknown = set(table) - {"seed", "rule"}
    if unknown:
        raise ScheduleError(f"{sorted(unknown)[0]!r} is unknown; a schedule has: seed, rule")
    rows = table.get("rule", [])
    own = table.get("seed", 0)
    if not isinstance(rows, list) or isinstance(own, bool) or not isinstance(own, int):
        raise ScheduleError("`seed` must be an integer, and rules are written as [[rule]]")
    return Schedule(tuple(_rule(row, number) for number, row in enumerate(rows, 1)), own if seed is None else seed)


def _rule(row: Any, number: int) -> Rule:
    where = f"rule {number}"
    if not isinstance(row, dict) or not isinstance(row.get("fault"), str):
        raise ScheduleError(f"{where}: `fault` is missing; it names the fault to put in")
    for name, value in row.items():
        if name not in _KNOWN:
            raise ScheduleError(f"{where}: {name!r} is unknown; a rule has: {', '.join(_KNOWN)}")
        kind = _PLAIN.get(name)
        fits = isinstance(value, (int, float) if kind is float else kind or object) and not isinstance(value, bool)
        if not fits:
            raise ScheduleError(f"{where}: {name} is {value!r}, which is of the wrong type")
    try:
        fault = find(row["fault"])
        fault.settings(row.get("with"))
    except (FaultError, AttributeError) as error:
        raise ScheduleError(f"{where}: {error}") from error
    return Rule(
        fault,
        row.get("with", {}),
        operations=frozenset(_texts(row.get("operation", []), where)),
        table=row.get("table"),
        key=row.get("key"),
        client=row.get("client"),
        at=frozenset(_numbers(row.get("at", []), f"{where}: at")),
        first=row.get("from", 1),
        last=row.get("to"),
        nth=frozenset(_numbers(row.get("nth", []), f"{where}: nth")),
        share=row.get("share", 1.0),
        times=row.get("times"),
    )


def _texts(value: Any, where: str) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) for each in listed):
        raise ScheduleError(f"{where}: operation is {value!r}; it must be a name or a list of names")
    return listed


def _numbers(value: Any, where: str) -> list[int]:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(each, int) and not isinstance(each, bool) and each > 0 for each in listed):
        raise ScheduleError(f"{where} is {value!r}; it must be a count from 1, or a list of them")
    return listed


def dump(schedule: Schedule) -> str:
    """The schedule as TOML: ``parse`` reads the same one from it."""
    lines = [f"seed = {schedule.seed}"]
    for rule in schedule.rules:
        lines += ["", "[[rule]]", f"fault = {_toml(rule.fault.name)}"]
        given = {
            "operation": sorted(rule.operations), "table": rule.table, "key": rule.key, "client": rule.client,
            "at": sorted(rule.at), "from": rule.first if rule.first != 1 else None, "to": rule.last,
            "nth": sorted(rule.nth), "share": rule.share if rule.share < 1 else None, "times": rule.times,
            "with": rule.settings,
        }  # fmt: skip
        lines += [f"{name} = {_toml(value)}" for name, value in given.items() if value not in (None, [], {})]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, str):
        plain = all(char >= " " and char != "\x7f" for char in value)
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        if plain:
            return f'"{escaped}"'
        return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_toml(str(name))} = {_toml(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return repr(value)


def draw(
    seed: int,
    faults: Sequence[Fault],
    *,
    requests: int,
    clients: Iterable[int] = (0,),
    share: float = 0.2,
    operations: Iterable[str] = ITEM_CALLS,
) -> Schedule:
    """A schedule from a seed: about ``share`` of each client's first ``requests`` requests get one of the faults.

    Each rule names one request, so that leaving rules out leaves the others as they were.
    """
    rules = []
    wanted = frozenset(operations)
    for client in clients:
        pick = random.Random(f"{seed}/{client}")
        for ordinal in range(1, requests + 1):
            if not faults or pick.random() >= share:
                continue
            fault = pick.choice(list(faults))
            rules.append(Rule(fault, _draw_settings(fault, pick), wanted, client=client, at=frozenset({ordinal})))
    return Schedule(tuple(rules), seed)


_DRAWN: Mapping[str, Sequence[float]] = {
    "request_ms": (0, 1, 5), "reply_ms": (0, 1, 5), "hold_ms": (0, 5, 20), "limit_ms": (20, 100), "gap_ms": (0,),
    "part": (0.0, 0.1, 0.5, 0.9, 0.99), "size": (1, 2, 7, 100), "pieces": (16, 64), "parallel": (0, 1),
    "requests": (1, 2, 3, 5), "passes": (1, 2, 3), "status": (500, 503), "kind": (0, 1, 2), "keep": (0.0, 0.5, 0.9),
    "bytes_per_second": (100_000, 1_000_000), "seconds": (-3600, -60, 60, 3600), "during": (0, 1), "down": (0, 1, 3),
}  # fmt: skip


def _draw_settings(fault: Fault, pick: random.Random) -> dict[str, float]:
    known = {parameter.name: parameter for parameter in fault.parameters}
    return {
        name: pick.choice([v for v in _DRAWN[name] if parameter.least <= v <= parameter.most])
        for name, parameter in known.items()
        if name in _DRAWN
    }
