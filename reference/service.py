"""The public face: calls in, replies out; and, for the oracle, every lawful outcome before it happens."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from reference import requests
from reference.account import Account
from reference.api import Call, Item, Refusal, Reply, Success
from reference.capacity.uses import ROOM
from reference.lifecycle import settle
from reference.metering import Metering
from reference.operations import OPERATIONS, addressing, overlaps, replicas
from reference.operations.base import Choice, Context, Operation, Outcome
from reference.rules import Checks, Cohort, Violation, every, first, surface, violation


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What may be answered to a call: all true violations in the service's order, or else an outcome."""

    violations: tuple[Violation, ...]
    outcome: Outcome | None


class Service:
    """DynamoDB for one account in one region. ``cohorts`` chooses the front end per operation."""

    def __init__(self, account: Account | None = None, cohorts: Mapping[str, Cohort] | None = None) -> None:
        self.account = account or Account()
        self.cohorts = dict(cohorts or {})

    def operations(self) -> Collection[str]:
        """The names of all operations that are modelled."""
        return OPERATIONS.keys()

    def execute(self, call: Call) -> Reply:
        """Answer one call and do what it asks."""
        settle(self.account)
        context, checks = self.begin(call, Choice())
        if ROOM in self.account.rooms:
            return self._metered(call, context, checks)
        broken, outcome = first(checks)
        if broken is not None or outcome is None:
            assert broken is not None, f"{call.operation} gave neither violation nor outcome"
            return broken.refusal(context.surface)
        self.commit(outcome)
        return Success(outcome.body)

    def _metered(self, call: Call, context: Context, checks: Checks[Outcome | None]) -> Reply:
        metering = Metering(self, call)
        broken, outcome = first(metering.checks(checks))
        reply: Reply
        if broken is not None or outcome is None:
            assert broken is not None, f"{call.operation} gave neither violation nor outcome"
            reply = broken.refusal(context.surface)
        else:
            self.commit(outcome)
            reply = Success(outcome.body)
        metering.end(reply)
        return reply

    def outcomes(self, call: Call, choice: Choice | None = None) -> Outcomes:
        """Every true violation of a call, and its outcome where it has none; changes nothing but due states."""
        settle(self.account)
        _, checks = self.begin(call, choice or Choice())
        found, outcome = every(checks)
        return Outcomes(tuple(found), None if found else outcome)

    def commit(self, outcome: Outcome) -> None:
        """Do what an outcome of this very state says."""
        for change in outcome.changes:
            self.account.commit(change)
        for effect in outcome.effects:
            effect(self.account)

    def refusal(self, call: Call, broken: Violation, cohort: Cohort | None = None) -> Refusal:
        """How the service words a violation of a call."""
        return broken.refusal(requests.speaker(call.operation, call.body, cohort or self.cohorts.get(call.operation)))

    def fork(self) -> Service:
        """An independent service in the same state."""
        return Service(self.account.fork(), self.cohorts)

    def as_of(self, moment: float) -> Service:
        """A replica that has every write up to ``moment`` (epoch seconds) and none after; for reading only."""
        return Service(self.account.as_of(moment), self.cohorts)

    def install(self, table: str, key: Item, item: Item | None) -> None:
        """Take over an item's state as read from a target, even one the checks would refuse."""
        self.account.tables[table].install(key, item)

    def begin(self, call: Call, choice: Choice) -> tuple[Context, Checks[Outcome | None]]:
        """How the service answers this call, and its checks, not yet run."""
        operation = OPERATIONS.get(call.operation)
        reading = requests.read(call.operation, call.body) if operation is not None else None
        # A request may be one that only the older front end reads, whatever cohort the operation speaks.
        cohort = "older" if reading is not None and reading.older else self.cohorts.get(call.operation)
        context = Context(self.account, call.operation, surface(call.operation, cohort), choice)
        return context, _checks(context, operation, reading)


def _checks(context: Context, operation: Operation | None, reading: requests.Reading | None) -> Checks[Outcome | None]:
    if operation is None or reading is None:
        yield violation("wire.unknown-operation")
        return None
    yield from reading.violations
    if not reading.typed:
        return None
    if addressing.by_arn(reading.body):
        yield from addressing.checks(context.account, reading.body)
    outcome = yield from operation(context, reading.body)
    if outcome is not None and context.account.world is not None:
        yield from replicas.data_checks(context, reading.body, outcome)
    if outcome is not None and overlaps.ROOM in context.account.rooms:
        return (yield from overlaps.checks(context, reading.body, outcome))
    return outcome
