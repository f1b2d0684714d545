"""A lawful service on a bad day: stale reads, partial batches, throttling, lost replies, seeded.

Everything it does is something DynamoDB may do. It serves ``dynoracle serve --like aws``, and it is what the oracle's
freedom is proven on.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from reference.api import Call, Lost, Refusal, Reply, Success
from reference.operations.base import Choice
from reference.rules import COHORTS
from reference.service import Service

READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"})
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})
_EVENTUAL = READS - {"TransactGetItems"}
THROTTLED = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)


@dataclass(frozen=True, slots=True)
class Weather:
    """How unkind: shares of calls from 0 to 1, and lags in seconds.

    ``lost`` replies are lost before or after the call took effect, ``late`` of them take effect only later;
    ``errors`` are 500s, half of them after the commit.
    """

    staleness: float = 0.0
    index_lag: float = 0.0
    partial: float = 0.0
    throttled: float = 0.0
    errors: float = 0.0
    lost: float = 0.0
    late: float = 0.0


LIKE_AWS = Weather(staleness=0.5, index_lag=1.0, partial=0.1, throttled=0.02, errors=0.005, lost=0.0)


class UnkindService:
    """Answers as ``service`` does, or in another lawful way that the seeded weather picks."""

    def __init__(self, service: Service, weather: Weather, seed: int = 0, *, mix_cohorts: bool = False) -> None:
        self.service = service
        self.weather = weather
        self._random = random.Random(seed)
        self._late: list[Call] = []
        service.account.keep = max(service.account.keep, 2 * max(weather.staleness, weather.index_lag))
        if mix_cohorts:
            service.cohorts = {name: self._random.choice(COHORTS) for name in sorted(READS | WRITES)}

    def operations(self) -> Collection[str]:
        """The names of all operations that are modelled."""
        return self.service.operations()

    def execute(self, call: Call) -> Reply:
        """Answer one call."""
        self._arrive()
        weather, chance = self.weather, self._random.random
        if call.operation in READS | WRITES:
            if chance() < weather.throttled:
                return Refusal("ProvisionedThroughputExceededException", THROTTLED)
            if chance() < weather.errors:
                return self._error(call)
            if call.operation in WRITES and chance() < weather.lost:
                return self._lose(call)
        return self._answer(call)

    def _arrive(self) -> None:
        """Let calls whose reply was lost take effect late."""
        while self._late and self._random.random() < 0.5:
            self.service.execute(self._late.pop(0))

    def _error(self, call: Call) -> Reply:
        if call.operation in WRITES and self._random.random() < 0.5:
            self.service.execute(call)
        return Refusal("InternalServerError", "Internal server error", 500)

    def _lose(self, call: Call) -> Reply:
        fate = self._random.random()
        if fate < self.weather.late:
            self._late.append(call)
        elif fate < 0.5 + self.weather.late / 2:
            self.service.execute(call)
        return Lost("timeout")

    def _answer(self, call: Call) -> Reply:
        choice = self._choice(call)
        service = self._replica(call)
        if service is self.service and choice == Choice():
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
        if call.operation not in ("BatchWriteItem", "BatchGetItem") or self._random.random() >= self.weather.partial:
            return Choice()
        places = [(table, n) for table, entry in _batch(call).items() for n in range(len(entry))]
        left = frozenset(place for place in places if self._random.random() < 0.5)
        return Choice(unprocessed=left) if len(left) < len(places) else Choice()

    def _replica(self, call: Call) -> Service:
        body = call.body if isinstance(call.body, dict) else {}
        if call.operation not in _EVENTUAL or _consistent(call.operation, body):
            return self.service
        lag = self.weather.index_lag if body.get("IndexName") else self.weather.staleness
        if lag <= 0 or self._random.random() < 0.5:
            return self.service
        return self.service.as_of(self.service.account.now() - self._random.uniform(0, lag))


def _consistent(operation: str, body: dict[str, Any]) -> bool:
    if operation != "BatchGetItem":
        return bool(body.get("ConsistentRead"))
    asked = body.get("RequestItems")
    if not isinstance(asked, dict):
        return True
    return any(not isinstance(entry, dict) or entry.get("ConsistentRead") for entry in asked.values())


def _batch(call: Call) -> dict[str, list[Any]]:
    """The elements of a batch by table; nothing where the request is malformed."""
    asked = call.body.get("RequestItems") if isinstance(call.body, dict) else None
    if not isinstance(asked, dict):
        return {}
    found = {table: entry.get("Keys") if isinstance(entry, dict) else entry for table, entry in asked.items()}
    return {table: entry for table, entry in found.items() if isinstance(entry, list)}
