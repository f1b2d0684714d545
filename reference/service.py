"""The public face: calls in, replies out; and, for the oracle, every lawful outcome before it happens."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from reference import requests
from reference.account import Account
from reference.api import Call, Item, Refusal, Reply, Success
from reference.lifecycle import settle
from reference.operations import OPERATIONS
from reference.operations.base import Choice, Context, Outcome
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
        context = self._context(call, Choice())
        broken, outcome = first(self._checks(context, call))
        if broken is not None or outcome is None:
            assert broken is not None, f"{call.operation} gave neither violation nor outcome"
            return broken.refusal(context.surface)
        self.commit(outcome)
        return Success(outcome.body)

    def outcomes(self, call: Call, choice: Choice | None = None) -> Outcomes:
        """Every true violation of a call, and its outcome where it has none; changes nothing but due states."""
        settle(self.account)
        found, outcome = every(self._checks(self._context(call, choice or Choice()), call))
        return Outcomes(tuple(found), None if found else outcome)

    def commit(self, outcome: Outcome) -> None:
        """Do what an outcome of this very state says."""
        for change in outcome.changes:
            self.account.commit(change)
        for effect in outcome.effects:
            effect(self.account)

    def refusal(self, call: Call, broken: Violation, cohort: Cohort | None = None) -> Refusal:
        """How the service words a violation of a call."""
        return broken.refusal(surface(call.operation, cohort or self.cohorts.get(call.operation)))

    def fork(self) -> Service:
        """An independent service in the same state."""
        return Service(self.account.fork(), self.cohorts)

    def as_of(self, moment: float) -> Service:
        """A replica that has every write up to ``moment`` (epoch seconds) and none after; for reading only."""
        return Service(self.account.as_of(moment), self.cohorts)

    def install(self, table: str, key: Item, item: Item | None) -> None:
        """Take over an item's state as read from a target, even one the checks would refuse."""
        self.account.tables[table].install(key, item)

    def _context(self, call: Call, choice: Choice) -> Context:
        return Context(self.account, call.operation, surface(call.operation, self.cohorts.get(call.operation)), choice)

    def _checks(self, context: Context, call: Call) -> Checks[Outcome | None]:
        operation = OPERATIONS.get(call.operation)
        if operation is None:
            yield violation("wire.unknown-operation")
            return None
        body: dict[str, Any] = call.body
        usable = yield from requests.check(call.operation, body)
        if not usable:
            return None
        outcome = yield from operation(context, body)
        return outcome
