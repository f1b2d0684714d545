"""A metered service: what each call uses is spent, what there is not enough for is throttled (beyond:THR-1 to THR-10).

The call is worked out first; only what it would use decides whether it is done. So a throttled call changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from reference import requests
from reference.account import Account
from reference.api import Call, Json, Refusal, Reply
from reference.capacity.load import ACCOUNT, MAXIMUM
from reference.capacity.meter import Meter, Throttle, meter_of
from reference.capacity.units import read_units, write_units
from reference.capacity.uses import Use, uses_of
from reference.metrics import recording
from reference.metrics.store import RETENTION, Metrics
from reference.operations.base import Choice, Context, Outcome
from reference.rules import Checks, Violation, first, violation
from reference.values.item import normalise_item

BATCHES = frozenset({"BatchGetItem", "BatchWriteItem", "BatchExecuteStatement"})
TRANSACTIONS = frozenset({"TransactGetItems", "TransactWriteItems", "ExecuteTransaction"})
SINGLE = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
_CONDITION = "items.condition-failed"


class Metered(Protocol):
    """What is metered: ``reference.service.Service`` has it."""

    account: Account

    def begin(self, call: Call, choice: Choice) -> tuple[Context, Checks[Outcome | None]]:
        """How a call is answered, and its checks, not yet run."""

    def refusal(self, call: Call, broken: Violation) -> Refusal:
        """How the service words a violation of a call."""


class Metering:
    """One call of a service whose account has a meter: its checks, what it uses, what of it is throttled."""

    def __init__(self, service: Metered, call: Call) -> None:
        meter = meter_of(service.account)
        assert meter is not None, "only calls of a metered account come here"
        self.service = service
        self.call = call
        self.meter = meter
        self.uses: tuple[Use, ...] = ()
        self.throttles: tuple[Throttle, ...] = ()
        if meter.metrics is not None:
            _sample(meter, meter.metrics, service.account)

    def checks(self, checks: Checks[Outcome | None]) -> Checks[Outcome | None]:
        """The call's own checks, and then whether there is capacity for what it does, which is spent."""
        outcome = yield from self._looked_at(checks)
        if outcome is None:
            return None
        account, uses = self.service.account, used(self.service.account, self.call, outcome)
        if not uses:
            self.meter.observe(account)
            return outcome
        if self.call.operation in BATCHES:
            return (yield from self._batch(outcome, uses))
        self.throttles = self.meter.admit(account, uses)
        if self.throttles:
            whole = self.call.operation in TRANSACTIONS
            yield cancelled(self.call, self.throttles) if whole else told(self.throttles)
            return outcome
        self.uses = uses
        return outcome

    def _looked_at(self, checks: Checks[Outcome | None]) -> Checks[Outcome | None]:
        """The checks; a failed condition costs what the stored item does, and is not even tried without (CAP-4)."""
        while True:
            try:
                broken = next(checks)
            except StopIteration as stop:
                outcome: Outcome | None = stop.value
                return outcome
            if broken.rule.name == _CONDITION and self.call.operation in SINGLE and not self.uses:
                uses = stored(self.service.account, self.call)
                self.throttles = self.meter.admit(self.service.account, uses)
                if self.throttles:
                    yield told(self.throttles)
                else:
                    self.uses = uses
            yield broken

    def _batch(self, outcome: Outcome, uses: Sequence[Use]) -> Checks[Outcome | None]:
        """Serve each part of a batch by itself, as far as there is capacity (beyond:THR-9)."""
        blocked: dict[Hashable, tuple[Throttle, ...]] = {}
        parts = by_part(uses)
        for part, wanted in parts.items():
            throttles = self.meter.admit(self.service.account, wanted)
            if throttles:
                blocked[part] = throttles
                self.throttles += throttles
            else:
                self.uses += tuple(wanted)
        if not blocked:
            return outcome
        statements = self.call.operation == "BatchExecuteStatement"
        if len(blocked) == len(parts) and not statements:
            yield told(self.throttles)
            return outcome
        left = frozenset(part for part in blocked if isinstance(part, tuple))
        _, again = self.service.begin(self.call, Choice(unprocessed=left))
        _, partial = first(again)
        assert partial is not None, "what can be done as a whole can be done in part"
        return self._told_apart(partial, blocked) if statements else partial

    def _told_apart(self, outcome: Outcome, blocked: Mapping[Hashable, Sequence[Throttle]]) -> Outcome:
        """A batch of statements in which those that are throttled say so in their places."""
        answers = list(outcome.body["Responses"])
        for part, throttles in blocked.items():
            assert isinstance(part, tuple)
            refusal = self.service.refusal(self.call, told(throttles))
            answers[part[1]] = {"Error": {"Code": _reason_code(refusal.code), "Message": refusal.message}}
        return replace(outcome, body={**outcome.body, "Responses": answers})

    def end(self, reply: Reply) -> None:
        """Note what became of the call; its changes are made."""
        account, metrics = self.service.account, self.meter.metrics
        if not self.uses and not self.throttles:
            self.meter.observe(account)
        if metrics is not None and ":" not in self.call.operation:
            recording.record(metrics, account, self.call, reply, self.uses, self.throttles)


def _sample(meter: Meter, metrics: Metrics, account: Account) -> None:
    """Take the samples that have become due."""
    period = int(account.now() // recording.SAMPLED)
    first = period if meter.sampled is None else max(meter.sampled + 1, period - RETENTION // recording.SAMPLED)
    if first <= period:
        meter.sampled = period
        recording.sample(metrics, account, (at * recording.SAMPLED for at in range(first, period + 1)))


def stored(account: Account, call: Call) -> tuple[Use, ...]:
    """What it costs to look at the one item that a call is about: to read it, or for a condition (conflicts:80)."""
    body = requests.read(call.operation, call.body).body
    table = account.table(body["TableName"])
    item = normalise_item(body.get("Item") or body.get("Key") or {}, "current", [])
    row = None if table is None or item is None else table.view.row_key(item)
    if table is None or row is None:
        return ()
    stored = table.at(row)
    size = stored.size if stored is not None else 0
    if call.operation == "GetItem":
        units = read_units(size, consistent=bool(body.get("ConsistentRead")))
        return (Use(table.name, "", "Read", row, units),)
    return (Use(table.name, "", "Write", row, write_units(size)),)


def used(account: Account, call: Call, outcome: Outcome) -> tuple[Use, ...]:
    """All that an outcome charges; the writes of a batch by table, as it is named, and position."""
    if call.operation == "GetItem":
        # Worked out here, so that nobody who reads without a meter waits for it.
        return stored(account, call)
    if outcome.uses or not outcome.changes:
        return outcome.uses
    parts: Sequence[Hashable] = [None] * len(outcome.changes)
    if call.operation == "BatchWriteItem":
        processed = outcome.details["processed"]
        parts = [(name, position) for name, positions in processed.items() for position in positions]
    paired = zip(outcome.changes, parts, strict=True)
    return tuple(use for change, part in paired for use in uses_of(account.tables, change, part=part))


def by_part(uses: Iterable[Use]) -> dict[Hashable, list[Use]]:
    """Uses by the part they belong to, in the order of their parts."""
    parts: dict[Hashable, list[Use]] = {}
    for use in uses:
        parts.setdefault(use.part, []).append(use)
    return parts


def _reason_code(code: str) -> str:
    """How a statement's or an action's throttling is named inside an answer (beyond:THR-9)."""
    return "ThrottlingError" if code == "ThrottlingException" else code.removesuffix("Exception")


# What is answered


def told(throttles: Sequence[Throttle]) -> Violation:
    """The refusal of a request that is throttled; the table's own want is told before its indexes'."""
    first = next((each for each in throttles if not each.use.index), throttles[0])
    if first.limit == ACCOUNT:
        broken = violation("throttling.account")
    elif first.limit == MAXIMUM:
        broken = violation("throttling.on-demand-maximum")
    elif first.on_demand:
        broken = violation("throttling.on-demand-index" if first.use.index else "throttling.on-demand-table")
    else:
        broken = violation("throttling.provisioned-index" if first.use.index else "throttling.provisioned-table")
    member = "throttlingReasons" if broken.rule.error == "ThrottlingException" else "ThrottlingReasons"
    return replace(broken, fields={member: reasons(throttles)})


def reasons(throttles: Iterable[Throttle]) -> list[dict[str, Json]]:
    """The list of reasons of an error, each once (beyond:THR-8)."""
    return [
        {"reason": reason, "resource": of} for reason, of in dict.fromkeys((t.reason, t.resource) for t in throttles)
    ]


def cancelled(call: Call, throttles: Sequence[Throttle]) -> Violation:
    """The refusal of a transaction of which some actions are throttled."""
    by_action: dict[Hashable, list[Throttle]] = {}
    for each in throttles:
        by_action.setdefault(each.use.part, []).append(each)
    body: Any = call.body
    count = len(body["TransactStatements" if call.operation == "ExecuteTransaction" else "TransactItems"])
    told_of = [_action_reason(by_action.get(position)) for position in range(count)]
    whole = violation("transactions.cancelled", codes=", ".join(reason["Code"] for reason in told_of))
    return replace(whole, fields={"CancellationReasons": told_of})


def _action_reason(throttles: Sequence[Throttle] | None) -> dict[str, Json]:
    if throttles is None:
        return {"Code": "None"}
    broken = told(throttles)
    # The full stop is the exception's alone (conflicts:83).
    message = (broken.rule.message or "").removesuffix(".")
    return {"Code": _reason_code(broken.rule.error or ""), "Message": message}


DATA_PLANE: Collection[str] = BATCHES | TRANSACTIONS | SINGLE | {
    "GetItem", "Query", "Scan", "ExecuteStatement",
}  # fmt: skip
"""Operations that read or write items."""
