"""Partitions with a leader and followers that lag: what an eventually consistent read may be shown (beyond:CON-2).

A table's items, in the order of their tokens, are cut into equal partitions. Writes and strongly consistent reads go to
the leader. A follower has every write of its partition up to a moment of its own, in their order, and none after. The
followers of an index apply the log of the table's partitions, later still, and independently of the table's followers.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from reference.account import Account
from reference.agenda import Agenda
from reference.api import Call
from reference.partiql.parser import parse
from reference.partiql.planner import is_read, target_of
from reference.partitions.ranges import Partitions
from reference.service import Service
from reference.tables.table import Table
from reference.tables.view import RowKey

EVENTUAL = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "ExecuteStatement", "BatchExecuteStatement"})
"""Operations whose reads a follower may answer, unless they ask for consistency."""
MOST_KNOWN = 4096
"""Followers whose position is kept; beyond, those that have caught up by now are forgotten."""


@dataclass(frozen=True, slots=True)
class Lags:
    """How far followers may be behind, in seconds: of tables and their local indexes, and of global indexes."""

    tables: float = 0.0
    indexes: float = 0.0
    partitions: int = 4
    followers: int = 2

    @property
    def longest(self) -> float:
        """Seconds of history that followers need."""
        return max(self.tables, self.indexes)


@dataclass(frozen=True, slots=True)
class Use:
    """A table that a request uses: which index of it, which item or key where it names one, and whether a follower may
    answer (``eventual``)."""

    table: Any
    index: Any = None
    item: Any = None
    eventual: bool = False


class _Copies:
    """What stands behind a range here: its copies are known by their numbers alone."""

    def copy(self) -> _Copies:
        return self


class Followers:
    """The followers of every partition of an account's tables, and which leaders are lost; seeded."""

    def __init__(self, lags: Lags, seed: int = 0) -> None:
        self.lags = lags
        self._seed = seed
        self._random = random.Random(seed)
        self._applied: dict[tuple[str, str, int, int], float] = {}
        self._lost: dict[tuple[str, int], float] = {}
        self._ranges = Partitions([_Copies() for _ in range(lags.partitions)])

    # Reads

    def reader(self, service: Service, call: Call) -> Service:
        """What answers a call: the service itself, or one whose tables are as the chosen followers hold them."""
        asked = uses(call) if call.operation in EVENTUAL and self.lags.longest else []
        consistent = {use.table for use in asked if not use.eventual and isinstance(use.table, str)}
        account = service.account
        stale = {}
        for use in asked:
            if not isinstance(use.table, str) or use.table in consistent:
                continue
            table = account.table(use.table)
            held = self._held(table, use.index, account.now()) if table is not None else None
            if held is not None:
                stale[held.name] = held
        return Service(showing(account, stale), service.cohorts) if stale else service

    def _held(self, table: Table, index: Any, now: float) -> Table | None:
        """The table as one follower of each partition holds it; None where that is no other than the leader's."""
        known = table.indexes.get(index) if isinstance(index, str) else None
        distant = known is not None and known.schema.kind == "GSI"
        lag = self.lags.indexes if distant else self.lags.tables
        if lag <= 0 or not table.log or table.log[-1].at <= now - lag:
            return None
        of = str(index) if distant else ""
        moments = [self._moment(table, of, partition, lag, now) for partition in range(self.lags.partitions)]
        if table.log[-1].at <= min(moments):
            return None
        return behind(table, lambda key: moments[self._partition(key)], min(moments))

    def _moment(self, table: Table, index: str, partition: int, lag: float, now: float) -> float:
        """Up to when the copy that answers has the writes of a partition."""
        number = self._random.randrange(self.lags.followers + 1)
        if number == self.lags.followers and not index:
            return now  # The leader answers too; an index has no copy that is in time.
        place = (table.id, index, partition, number)
        drift = blake2b(f"{self._seed}/{place}/{int(now // lag)}".encode(), digest_size=4).digest()
        moment = now - lag * int.from_bytes(drift, "big") / 2**32
        if len(self._applied) > MOST_KNOWN:
            self._applied = {each: at for each, at in self._applied.items() if at > now - self.lags.longest}
        # What a follower has applied it keeps.
        moment = max(moment, self._applied.get(place, 0.0))
        self._applied[place] = moment
        return moment

    def _partition(self, key: RowKey) -> int:
        return self._ranges.of(key).number

    # Leaders

    def lose(self, table: Table, now: float, seconds: float, partition: int | None = None) -> None:
        """Let a partition of a table, or each of them, be without a leader for so many seconds from ``now``."""
        for each in range(self.lags.partitions) if partition is None else (partition,):
            self._lost[table.id, each] = now + seconds

    def lose_one(self, service: Service, call: Call, seconds: float) -> None:
        """Let one of the partitions that a call is for lose its leader."""
        for table, partitions in self._touched(service, uses(call)):
            self.lose(table, service.account.now(), seconds, self._random.choice(sorted(partitions)))

    def leaderless(self, service: Service, call: Call) -> bool:
        """Whether a call needs a leader that is lost: a write, or a read that asks for consistency."""
        if not self._lost:
            return False
        now = service.account.now()
        self._lost = {place: until for place, until in self._lost.items() if until > now}
        touched = self._touched(service, [use for use in uses(call) if not use.eventual])
        return any((table.id, each) in self._lost for table, partitions in touched for each in partitions)

    def _touched(self, service: Service, asked: list[Use]) -> list[tuple[Table, set[int]]]:
        """The tables that a call uses and the partitions it is for: one where it names an item, else all."""
        found = []
        for use in asked:
            table = service.account.table(use.table) if isinstance(use.table, str) else None
            if table is None:
                continue
            try:
                row = table.view.row_key(use.item) if isinstance(use.item, dict) else None
            except (AttributeError, TypeError, ValueError, ArithmeticError):
                row = None  # A key that is none: the checks will say so.
            every = set(range(self.lags.partitions))
            found.append((table, every if row is None else {self._partition(row)}))
        return found


def behind(table: Table, moment: Callable[[RowKey], float], oldest: float) -> Table:
    """A copy of the table in which every item is as it was at a moment of its own, none of them before ``oldest``."""
    other = table.copy()
    for entry in reversed(table.log):
        if entry.at <= oldest:
            break
        if entry.at > moment(entry.key):
            other.install_row(entry)
    return other


def consistent(call: Call) -> bool:
    """Whether a read asks for consistency, of any table where it reads several."""
    return not all(use.eventual for use in uses(call))


def uses(call: Call) -> list[Use]:
    """Every table that a request uses, as often as it names it."""
    body = call.body if isinstance(call.body, dict) else {}
    eventual = call.operation in EVENTUAL
    found = []
    if "TableName" in body:
        item = body.get("Key") or body.get("Item")
        found.append(Use(body["TableName"], body.get("IndexName"), item, eventual and not body.get("ConsistentRead")))
    asked = body.get("RequestItems")
    for name, entry in asked.items() if isinstance(asked, dict) else ():
        found.append(Use(name, eventual=eventual and isinstance(entry, dict) and not entry.get("ConsistentRead")))
    actions = body.get("TransactItems")
    for action in actions if isinstance(actions, list) else ():
        for part in action.values() if isinstance(action, dict) else ():
            if isinstance(part, dict):
                found.append(Use(part.get("TableName"), item=part.get("Key") or part.get("Item")))
    for member in (body, *_members(body)):
        found += _of_statement(member, eventual=eventual)
    return found


def _members(body: dict[str, Any]) -> list[dict[str, Any]]:
    listed = body.get("Statements") or body.get("TransactStatements")
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _of_statement(member: dict[str, Any], *, eventual: bool) -> list[Use]:
    """The table that a statement is about, where it can be read."""
    text = member.get("Statement")
    tree = parse(text).tree if isinstance(text, str) else None
    target = None if tree is None else target_of(tree)
    if tree is None or target is None:
        return []
    return [Use(*target, eventual=eventual and is_read(tree) and not member.get("ConsistentRead"))]


def showing(account: Account, stale: dict[str, Table]) -> Account:
    """The account with other tables, for one read: nothing may fall due in it."""
    other = copy.copy(account)
    other.tables = {**account.tables, **stale}
    other.agenda = Agenda()
    return other
