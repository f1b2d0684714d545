"""What a target may refuse for want of throughput, and how it must say so (beyond:THR-4 to THR-10).

Nobody has to throttle, so none that serves everything is faulted. One that does may do so no earlier than the strictest
reading of what is provided allows: more than a second's worth within a second, or while more than that is still owed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from conformance.oracle.compare import Difference
from conformance.oracle.divergence import Divergence
from conformance.oracle.latitude import THROTTLED_STATEMENTS, THROTTLES, Latitude
from conformance.oracle.wording import recognise
from conformance.record.op import reply_to_json
from reference import metering
from reference.account import Account
from reference.api import Call, Json, Refusal
from reference.capacity.meter import Meter
from reference.capacity.uses import ROOM as METER
from reference.capacity.uses import Use
from reference.operations.base import Outcome
from reference.rules import ledger
from reference.service import Outcomes, Service
from reference.tables.settings import DAY, Throughput
from reference.tables.table import Table

ROOM = "spending"
NARROW = 200.0
"""Units a second up to which what a table or index serves is followed; no program asks for more than that."""
WINDOW = 2.0
"""Seconds in which units count as used together: one, and what clocks and rounding may add."""
HEAVY = 25_000
"""Bytes that a program must hold to be able to reach the ceiling of a partition, which every table has."""
NEAR_MIDNIGHT = 5.0
"""Seconds around midnight (UTC) in which a day's decreases may be counted for either day."""
_SLACK = 1e-6
CANCELLED = "TransactionCanceledException"
CODES = THROTTLES | {CANCELLED}
"""Errors that a call may be refused with for want of throughput."""
_BUDGET = "tables.decrease-limit"
_PROVISIONED, _ON_DEMAND = "ProvisionedThroughputExceededException", "ThrottlingException"

Slot: TypeAlias = tuple[str, str, str]
"""Id of the table, index (empty for the table itself), ``Read`` or ``Write``."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What one slot has served: its ``lowest`` rate so far, units still ``owed`` at a moment, and those of late."""

    lowest: float
    owed: float = 0.0
    at: float = 0.0
    late: tuple[tuple[float, float], ...] = ()

    def left_at(self, now: float) -> float:
        """Units that count as used at a moment in epoch seconds."""
        drained = max(0.0, self.owed - self.lowest * max(0.0, now - self.at - WINDOW))
        return max(drained, sum(units for at, units in self.late if at > now - WINDOW))

    def after(self, units: float, now: float) -> Spent:
        """The slot once more units have been used."""
        late = tuple(each for each in self.late if each[0] > now - WINDOW)
        drained = max(0.0, self.owed - self.lowest * max(0.0, now - self.at))
        return Spent(self.lowest, drained + units, now, (*late, (now, units)))


@dataclass(slots=True)
class Spending:
    """What the slots of an account have served; a room of the model, so that every world has its own."""

    slots: dict[Slot, Spent] = field(default_factory=dict)

    def copy(self) -> Spending:
        """The same, for changing apart."""
        return Spending(dict(self.slots))


def _rates(account: Account) -> Iterator[tuple[Slot, float]]:
    """What every table and global secondary index serves a second, where that is limited."""
    for table in account.tables.values():
        held: list[tuple[str, Throughput]] = [("", table.settings)]
        held += [(name, index.settings) for name, index in table.indexes.items() if index.schema.kind == "GSI"]
        for name, settings in held:
            if not table.settings.on_demand:
                rates = (settings.read_units, settings.write_units)
            else:
                rates = (settings.max_read_request_units or 0, settings.max_write_request_units or 0)
            yield from (
                ((table.id, name, kind), float(rate))
                for kind, rate in zip(("Read", "Write"), rates, strict=True)
                if rate > 0
            )


def follow(service: Service) -> None:
    """Look at what is provided; from the first narrow table or index on, what calls use is followed."""
    account = service.account
    room = account.rooms.get(ROOM)
    if room is None:
        if not any(rate <= NARROW for _, rate in _rates(account)):
            return
        room = account.rooms[ROOM] = Spending()
        account.rooms.setdefault(METER, Meter())
    for slot, rate in _rates(account):
        known = room.slots.get(slot)
        if known is None or rate < known.lowest:
            room.slots[slot] = Spent(rate) if known is None else replace(known, lowest=rate)


def uses(service: Service, call: Call, outcome: Outcome | None) -> tuple[Use, ...]:
    """What a call uses where that is followed or counted; without an outcome its condition has failed."""
    if METER not in service.account.rooms or call.operation not in metering.DATA_PLANE:
        return ()
    if outcome is not None:
        return metering.used(service.account, call, outcome)
    return metering.stored(service.account, call) if call.operation in metering.SINGLE else ()


def used_by(service: Service, call: Call, outcomes: Outcomes) -> tuple[Use, ...]:
    """What a call uses, as far as can be told of one that is refused."""
    if outcomes.violations and outcomes.violations[0].rule.name != "items.condition-failed":
        return ()
    return uses(service, call, outcomes.outcome)


def note(service: Service, used: Iterable[Use]) -> None:
    """Units have been used."""
    room, now = service.account.rooms.get(ROOM), service.account.now()
    if room is None:
        return
    for slot, units in _totals(service.account, used).items():
        if slot in room.slots:
            room.slots[slot] = room.slots[slot].after(units, now)


def _totals(account: Account, used: Iterable[Use]) -> dict[Slot, float]:
    totals: dict[Slot, float] = {}
    for use in used:
        table = account.tables.get(use.table)
        if table is not None:
            slot = (table.id, use.index, use.kind)
            totals[slot] = totals.get(slot, 0.0) + use.units
    return totals


def relaxed(service: Service, call: Call, outcomes: Outcomes, latitude: Latitude) -> Latitude:
    """The latitude for one answer: with throttling, where there may be too little throughput for the call."""
    if latitude.throttling or call.operation not in metering.DATA_PLANE or not _short(service, call, outcomes):
        return latitude
    return replace(latitude, throttling=True, partial_batches=True)


def _short(service: Service, call: Call, outcomes: Outcomes) -> bool:
    account = service.account
    if sum(record.size for table in account.tables.values() for record in table.view.rows.values()) > HEAVY:
        return True
    if len(str(call.body)) > HEAVY:
        return True
    room = account.rooms.get(ROOM)
    if room is None:
        return False
    wanted = _totals(account, used_by(service, call, outcomes))
    if not wanted:
        # What is wrong with it may have been looked at later: then it asked for a unit of each.
        ids = {table.id for table in touched(account, call)}
        wanted = {slot: 1.0 for slot in room.slots if slot[0] in ids}
    now = account.now()
    return any(
        slot in room.slots and room.slots[slot].left_at(now) + units > room.slots[slot].lowest + _SLACK
        for slot, units in wanted.items()
    )


def touched(account: Account, call: Call) -> list[Table]:
    """The tables that a call names; of statements, all there are."""
    body: Any = call.body if isinstance(call.body, dict) else {}
    if "Statement" in body or "Statements" in body or "TransactStatements" in body:
        return list(account.tables.values())
    asked = body.get("RequestItems")
    names = [body.get("TableName"), *(asked if isinstance(asked, dict) else ())]
    for action in body.get("TransactItems") or ():
        if isinstance(action, dict):
            names += [part.get("TableName") for part in action.values() if isinstance(part, dict)]
    found = (account.any_table(name) for name in names if isinstance(name, str))
    return list({table.id: table for table in found if table is not None}.values())


# How it is said

_REASON = re.compile(
    r"(?P<what>Table|Index)(?P<kind>Read|Write)"
    r"(?P<limit>ProvisionedThroughput|AccountLimit|KeyRangeThroughput|MaxOnDemandThroughput)Exceeded"
)
_RESOURCE = re.compile(r"arn:[^:]+:dynamodb:[^:]*:[^:]*:table/(?P<table>[^/]+)(?:/index/(?P<index>[^/]+))?")
_READING = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"})
_WRITING = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"})


def told_by(reply: Refusal) -> Iterator[str]:
    """The rules that a refusal for want of throughput shows."""
    matched = recognise(reply)
    if reply.code == CANCELLED:
        told = reply.fields.get("CancellationReasons")
        codes = [each.get("Code") for each in told if isinstance(each, dict)] if isinstance(told, list) else []
        yield from ("throttling.transaction",) if THROTTLED_STATEMENTS.intersection(codes) else ()
    elif matched is not None and matched.capability == "throttling":
        yield matched.name
        yield from ("throttling.reasons",) if reply.fields.get(_member(reply.code)) else ()


def mistold(service: Service, call: Call, reply: Refusal, latitude: Latitude) -> Divergence | None:
    """What is wrong with a refusal for want of throughput, where it is one.

    An endpoint that throttles at any time may have other causes than its tables: only what it tells is looked at.
    """
    if call.operation not in metering.DATA_PLANE:
        return None
    if reply.code == CANCELLED:
        return _cancelled(call, reply)
    if reply.code not in THROTTLES:
        return None
    tables = touched(service.account, call)
    settled = not latitude.throttling and latitude.state_lag == 0
    due = _due(call, reply.code, tables)
    other = {_PROVISIONED: _ON_DEMAND, _ON_DEMAND: _PROVISIONED}.get(reply.code)
    if settled and tables and other and all(t.settings.on_demand != (reply.code == _ON_DEMAND) for t in tables):
        rightly = _due(call, other, tables)
        return _divergence(call, rightly.rules[0], "error", f"code:{reply.code}", rightly, reply)
    member = _member(reply.code)
    told = reply.fields.get(member)
    if told is None and latitude.throttling:
        return None
    wrong = _reasons(service.account, call, member, told, tables, settled=settled)
    return None if wrong is None else _divergence(call, "throttling.reasons", "shape", wrong.place, due, reply)


def _member(code: str) -> str:
    """The member of an error that lists its reasons (beyond:THR-8)."""
    return "throttlingReasons" if code == _ON_DEMAND else "ThrottlingReasons"


def _due(call: Call, code: str, tables: Sequence[Table]) -> Refusal:
    """A refusal with that code as it would have had to be: for the first table, which may have been another."""
    kind = "Read" if call.operation in _READING else "Write"
    limit = {_PROVISIONED: "Provisioned", _ON_DEMAND: "KeyRange"}.get(code)
    reason = f"Table{kind}{limit}ThroughputExceeded" if limit else f"Table{kind}AccountLimitExceeded"
    rule = {_PROVISIONED: "throttling.provisioned-table", _ON_DEMAND: "throttling.on-demand-table"}.get(
        code, "throttling.account"
    )  # fmt: skip
    fields = {_member(code): [{"reason": reason, "resource": table.arn} for table in tables[:1]]}
    return Refusal(code, ledger()[rule].message, 400, fields, (rule,))


def _divergence(call: Call, rule: str, severity: str, path: str, due: Refusal, reply: Refusal) -> Divergence:
    text = f"{call.operation} is throttled, which is told otherwise than DynamoDB does: {path}"
    return Divergence(call.operation, rule, severity, path, text, due, reply, (reply_to_json(due),))


def _reasons(
    account: Account, call: Call, member: str, told: Json, tables: Sequence[Table], *, settled: bool
) -> Difference | None:
    """The first thing wrong with a list of reasons."""
    due = "reasons, each with the resource it is about"
    if told is None:
        return Difference((member,), "missing", due, None)
    if not isinstance(told, list) or not told:
        return Difference((member,), "type" if not isinstance(told, list) else "value", due, told)
    for each in told:
        reason = each.get("reason") if isinstance(each, dict) else None
        resource = each.get("resource") if isinstance(each, dict) else None
        named = _REASON.fullmatch(reason) if isinstance(reason, str) else None
        where = _RESOURCE.fullmatch(resource) if isinstance(resource, str) else None
        if named is None or _impossible(call, named["kind"]):
            return Difference((member, "*", "reason"), "value", "resource, kind and limit that are in question", reason)
        if where is None or not _fits(where, named["what"], tables):
            return Difference((member, "*", "resource"), "value", "the ARN of the table or index", resource)
        if settled and not _limited(account, where, named["kind"], named["limit"]):
            return Difference((member, "*", "reason"), "value", "a limit that there is", reason)
    return None


def _impossible(call: Call, kind: str) -> bool:
    """Whether a call uses none of that kind of units."""
    return call.operation in (_READING if kind == "Write" else _WRITING)


def _fits(where: re.Match[str], what: str, tables: Sequence[Table]) -> bool:
    """Whether a resource is one of the tables that the call names, or an index of one, as the reason says."""
    if (what == "Index") != (where["index"] is not None):
        return False
    table = next((each for each in tables if each.name == where["table"]), None)
    return table is not None and (where["index"] is None or where["index"] in table.indexes)


def _limited(account: Account, where: re.Match[str], kind: str, limit: str) -> bool:
    """Whether a table or index has a limit of that sort."""
    table = account.tables[where["table"]]
    settings = table.indexes[where["index"]].settings if where["index"] else table.settings
    if limit == "ProvisionedThroughput":
        return not table.settings.on_demand
    if limit == "MaxOnDemandThroughput":
        most = settings.max_read_request_units if kind == "Read" else settings.max_write_request_units
        return table.settings.on_demand and most is not None
    return True


def _cancelled(call: Call, reply: Refusal) -> Divergence | None:
    """What is wrong with a transaction that was cancelled for want of throughput: a reason for every action."""
    told = reply.fields.get("CancellationReasons")
    reasons = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    if not any(each.get("Code") in THROTTLED_STATEMENTS for each in reasons):
        return None
    body: Mapping[str, Any] = call.body if isinstance(call.body, dict) else {}
    asked = body.get("TransactItems") or body.get("TransactStatements") or ()
    if len(reasons) == len(asked):
        return None
    short = len(reasons) < len(asked)
    whole = reasons[: len(asked)] + [{"Code": "None"}] * (len(asked) - len(reasons))
    due = replace(reply, fields={"CancellationReasons": whole})
    place = f"CancellationReasons:{'fewer' if short else 'more'}"
    return _divergence(call, "throttling.transaction", "shape", place, due, reply)


# How often units may be lowered


def unearned(service: Service, call: Call, outcomes: Outcomes, reply: Refusal) -> bool:
    """Whether a table's own budget of decreases is said to be spent, which it is not: it is shared with nobody."""
    if call.operation != "UpdateTable" or outcomes.violations or near_midnight(service.account):
        return False
    matched = recognise(reply)
    return matched is not None and matched.name == _BUDGET


def near_midnight(account: Account) -> bool:
    """Whether the day is about to change, or has just done so."""
    return not NEAR_MIDNIGHT < account.now() % DAY < DAY - NEAR_MIDNIGHT


def of_either_day(service: Service, call: Call) -> bool:
    """Whether a call is about decreases that may be counted for the day before or the day after."""
    if call.operation not in ("UpdateTable", "DescribeTable") or not near_midnight(service.account):
        return False
    held = [settings for table in touched(service.account, call) for settings in _settings(table)]
    return any(settings.last_decrease is not None for settings in held)


def _settings(table: Table) -> list[Throughput]:
    return [table.settings, *(index.settings for index in table.indexes.values())]
