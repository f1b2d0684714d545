"""A lawful service on a bad day: stale reads, partial batches, throttling, lost leaders and replies, seeded.

Everything it does is something DynamoDB may do. It serves ``dynoracle serve --like aws``, and it is what the oracle's
freedom is proven on.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from reference import ttl
from reference.api import Call, Lost, Refusal, Reply, Success
from reference.followers import Followers, Lags
from reference.lifecycle import settle
from reference.operations.base import Choice
from reference.rules import COHORTS
from reference.service import Service

READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"})
WRITES = frozenset({
    "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "ExecuteStatement",
    "BatchExecuteStatement", "ExecuteTransaction",
})  # fmt: skip
"""Operations that may write."""
THROTTLED = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)


@dataclass(frozen=True, slots=True)
class Weather:
    """How unkind: shares of calls from 0 to 1, and lags in seconds.

    ``lost`` replies are lost before or after the call took effect, ``late`` of them take effect only later;
    ``errors`` are 500s, half of them after the commit. ``leader_loss`` is how often a partition that is asked for loses
    its leader: for ``election`` seconds writes to it and consistent reads of it are 500s and nothing is done, while
    eventually consistent reads go on (beyond:CON-5). ``stream_lag`` is how many seconds a change may take to its
    stream, ``sweeps`` the share of calls before which time to live takes some of what has expired.
    """

    staleness: float = 0.0
    index_lag: float = 0.0
    partial: float = 0.0
    throttled: float = 0.0
    errors: float = 0.0
    lost: float = 0.0
    late: float = 0.0
    leader_loss: float = 0.0
    election: float = 0.05
    stream_lag: float = 0.0
    sweeps: float = 0.0


LIKE_AWS = Weather(
    staleness=0.5, index_lag=1.0, partial=0.1, throttled=0.02, errors=0.005, lost=0.0, leader_loss=0.0005,
    stream_lag=0.3, sweeps=0.05,
)  # fmt: skip
_BATCHES = frozenset({"BatchWriteItem", "BatchGetItem", "BatchExecuteStatement"})
_BROKEN = Refusal("InternalServerError", "Internal server error", 500)


class UnkindService:
    """Answers as ``service`` does, or in another lawful way that the seeded weather picks."""

    def __init__(self, service: Service, weather: Weather, seed: int = 0, *, mix_cohorts: bool = False) -> None:
        self.service = service
        self.weather = weather
        self._random = random.Random(seed)
        self._late: list[Call] = []
        self.followers = Followers(Lags(weather.staleness, weather.index_lag), seed)
        service.account.keep = max(service.account.keep, 2 * max(weather.staleness, weather.index_lag))
        if mix_cohorts:
            service.cohorts = {name: self._random.choice(COHORTS) for name in sorted(READS | WRITES)}

    def operations(self) -> Collection[str]:
        """The names of all operations that are modelled."""
        return self.service.operations()

    def execute(self, call: Call) -> Reply:
        """Answer one call."""
        self._arrive()
        self._sweep()
        weather, chance = self.weather, self._random.random
        if call.operation in READS | WRITES:
            if chance() < weather.throttled:
                return Refusal("ProvisionedThroughputExceededException", THROTTLED)
            if chance() < weather.errors:
                return self._error(call)
            if weather.leader_loss and chance() < weather.leader_loss:
                self.followers.lose_one(self.service, call, weather.election)
            if self.followers.leaderless(self.service, call):
                return _BROKEN
            if call.operation in WRITES and chance() < weather.lost:
                return self._lose(call)
        return self._answer(call)

    def _arrive(self) -> None:
        """Let calls whose reply was lost take effect late."""
        while self._late and self._random.random() < 0.5:
            self.service.execute(self._late.pop(0))

    def _sweep(self) -> None:
        """Let time to live take some of what has expired."""
        account = self.service.account
        if not self.weather.sweeps or self._random.random() >= self.weather.sweeps:
            return
        settle(account)
        for table in list(account.tables.values()):
            for key in ttl.due(table, account.now()):
                if self._random.random() < 0.5:
                    account.commit(table.plan(key, None), by=ttl.IDENTITY)

    def _behind(self, call: Call) -> Service:
        """The state that a stream shows, which may lag; one that has ended, or whose shards end, shows all it has."""
        account = self.service.account
        spans = (span for table in account.tables.values() for span in table.settings.streams)
        lags = self.weather.stream_lag > 0 and account.sharding.lifetime is None
        if not lags or any(span.ended is not None for span in spans):
            return self.service
        return self.service.as_of(account.now() - self._random.uniform(0, self.weather.stream_lag))

    def _error(self, call: Call) -> Reply:
        if call.operation in WRITES and self._random.random() < 0.5:
            self.service.execute(call)
        return _BROKEN

    def _lose(self, call: Call) -> Reply:
        fate = self._random.random()
        if fate < self.weather.late:
            self._late.append(call)
        elif fate < 0.5 + self.weather.late / 2:
            self.service.execute(call)
        return Lost("timeout")

    def _answer(self, call: Call) -> Reply:
        choice = self._choice(call)
        settle(self.service.account)
        service = self._behind(call) if call.operation == "GetRecords" else self.followers.reader(self.service, call)
        if choice == Choice():
            return service.execute(call)
        outcomes = service.outcomes(call, choice)
        if outcomes.outcome is None:
            return service.refusal(call, outcomes.violations[0])
        if service is self.service:
            service.commit(outcomes.outcome)
        return Success(outcomes.outcome.body)

    def _choice(self, call: Call) -> Choice:
        if call.operation in ("Query", "Scan"):
            return Choice(open_end=self._random.random() < 0.5) if self.weather.partial else Choice()
        if call.operation not in _BATCHES or self._random.random() >= self.weather.partial:
            return Choice()
        places = [(table, n) for table, entry in _batch(call).items() for n in range(len(entry))]
        left = frozenset(place for place in places if self._random.random() < 0.5)
        return Choice(unprocessed=left) if len(left) < len(places) else Choice()


def _batch(call: Call) -> dict[str, list[Any]]:
    """The elements of a batch by table, of none for statements; nothing where the request is malformed."""
    statements = call.body.get("Statements") if isinstance(call.body, dict) else None
    if isinstance(statements, list):
        return {"": statements}
    asked = call.body.get("RequestItems") if isinstance(call.body, dict) else None
    if not isinstance(asked, dict):
        return {}
    found = {table: entry.get("Keys") if isinstance(entry, dict) else entry for table, entry in asked.items()}
    return {table: entry for table, entry in found.items() if isinstance(entry, list)}
