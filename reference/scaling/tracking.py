"""Target tracking: alarms by the minute, and the units they ask for (beyond:AS-3 to AS-7).

Utilisation above the target for two minutes in a row raises the units at once; well below it for fifteen lowers them.
A minute in which nothing was consumed counts as none consumed, so an idle table goes down to its minimum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from reference import lifecycle
from reference.account import Account
from reference.agenda import Event
from reference.capacity.meter import counted
from reference.metrics.store import MINUTE, dimensions
from reference.replicas import members
from reference.rules import Violation, surface
from reference.scaling.targets import Activity, Policy, Resource, Slot, Target, resource_of, scaling_of
from reference.tables import update
from reference.tables.table import Table
from reference.tables.update import Plan, State
from reference.tables.update_indexes import plan_indexes

HIGH_MINUTES = 2
LOW_MINUTES = 15
LOW_SHARE = 0.9
"""Utilisation below this share of the target counts as well below it."""
MOST_ACTIVITIES = 1_000
TICK = "scaling-minute"


@dataclass(frozen=True, slots=True)
class _Moment:
    """A clock that stands still: what was due earlier is done as of then."""

    at: float

    def now(self) -> float:
        return self.at


def start(account: Account) -> None:
    """Look at the alarms every minute from now on; what is consumed is counted from now on too."""
    counted(account)
    scaling = scaling_of(account)
    if not scaling.ticking:
        scaling.ticking = True
        account.agenda.add((account.now() // MINUTE + 1) * MINUTE, TICK)


def _tick(account: Account, event: Event) -> None:
    scaling = scaling_of(account)
    if not scaling.policies:
        scaling.ticking = False
        return
    clock, account.clock = account.clock, _Moment(event.at)
    try:
        for policy in list(scaling.policies.values()):
            _follow(account, policy, event.at)
    finally:
        account.clock = clock
    account.agenda.add(event.at + MINUTE, TICK)


def consumed(account: Account, resource: Resource, minute: int) -> float:
    """Units a second consumed over a minute (epoch minutes)."""
    of = dimensions(TableName=resource.table, GlobalSecondaryIndexName=resource.index)
    stat = counted(account).minute(f"Consumed{resource.kind}CapacityUnits", of, minute)
    return 0.0 if stat is None else stat.total / MINUTE


def _follow(account: Account, policy: Policy, at: float) -> None:
    """Judge the minute that has just ended, and act on what the alarms say."""
    target, resource = scaling_of(account).targets.get(policy.slot), resource_of(*policy.slot)
    table = None if resource is None else resource.held(account)
    if target is None or resource is None or table is None or table.settings.on_demand:
        policy.high = policy.low = 0
        return
    now_held = _held(resource, table)
    minute = int(at // MINUTE) - 1
    rate = consumed(account, resource, minute)
    used = 100.0 * rate / now_held if now_held else 0.0
    policy.high = policy.high + 1 if used > policy.value else 0
    policy.low = policy.low + 1 if used < LOW_SHARE * policy.value else 0
    if policy.high >= HIGH_MINUTES and "DynamicScalingOutSuspended" not in target.suspended:
        wanted = _wanted(rate, policy, target)
        if wanted > now_held and (at - policy.out >= policy.out_cooldown or wanted > policy.gave):
            _act(account, policy, table, wanted, at, "AlarmHigh")
    elif policy.low >= LOW_MINUTES and not policy.keeps and "DynamicScalingInSuspended" not in target.suspended:
        # The busiest of these minutes counts, so that a short lull lowers nothing.
        busiest = max(consumed(account, resource, minute - n) for n in range(LOW_MINUTES))
        wanted = _wanted(busiest, policy, target)
        if wanted < now_held and at - max(policy.into, policy.out) >= policy.in_cooldown:
            _act(account, policy, table, wanted, at, "AlarmLow")


def _held(resource: Resource, table: Table) -> int:
    settings = resource.settings(table)
    return settings.read_units if resource.kind == "Read" else settings.write_units


def _wanted(rate: float, policy: Policy, target: Target) -> int:
    """The units at which so much is exactly the target: consumed / target, rounded up, within bounds (AS-4)."""
    return min(target.most, max(target.least, math.ceil(round(100.0 * rate / policy.value, 6))))


def _act(account: Account, policy: Policy, table: Table, wanted: int, at: float, alarm: str) -> None:
    name = next((each for each in policy.alarms if f"-{alarm}-" in each), alarm)
    cause = f"monitor alarm {name} in state ALARM triggered policy {policy.name}"
    if not provide(account, policy.slot, table, wanted, cause):
        return
    policy.gave = wanted
    if alarm == "AlarmHigh":
        policy.out = at
    else:
        policy.into = at


def bounded(account: Account, target: Target) -> None:
    """Bring units into the bounds that have just been registered, at once (beyond:AS-5)."""
    resource = resource_of(*target.slot)
    table = None if resource is None else resource.held(account)
    if resource is None or table is None or table.settings.on_demand:
        return
    held = _held(resource, table)
    if held < target.least:
        provide(account, target.slot, table, target.least, f"minimum capacity was set to {target.least}")
    elif held > target.most:
        provide(account, target.slot, table, target.most, f"maximum capacity was set to {target.most}")


def provide(account: Account, slot: Slot, table: Table, units: int, cause: str) -> bool:
    """Set one kind of units as UpdateTable does, and note it; whether it could be done."""
    resource = resource_of(*slot)
    assert resource is not None, "a target that does not fit is not registered"
    settings = resource.settings(table)
    read, write = settings.read_units, settings.write_units
    given = {"ReadCapacityUnits": read, "WriteCapacityUnits": write} | {f"{resource.kind}CapacityUnits": units}
    body: dict[str, Any] = {"TableName": table.name, "ProvisionedThroughput": given}
    if resource.index:
        changed = {"Update": {"IndexName": resource.index, "ProvisionedThroughput": given}}
        body = {"TableName": table.name, "GlobalSecondaryIndexUpdates": [changed]}
    plan = Plan()
    fault = next(_faults(account, table, body, plan), None)
    scaling = scaling_of(account)
    why = "" if fault is None else fault.message(surface("UpdateTable")) or fault.rule.name
    last = next((each for each in reversed(scaling.activities) if each.slot == slot), None)
    if not (why and last is not None and (last.failed, last.units) == (why, units)):
        scaling.activities.append(Activity(account.new_id(), slot, units, cause, account.now(), why))
        del scaling.activities[:-MOST_ACTIVITIES]
    if fault is None:
        lifecycle.change(account, table, plan)
        if resource.kind == "Write":
            members.provide_writes(account, table, resource.index, units)
    return fault is None


def _faults(account: Account, table: Table, body: dict[str, Any], plan: Plan) -> Any:
    state = State(table, account.now(), account.limits, account.region, account.provisioned())
    found: list[Violation] = [*update.table_checks(body, state)]
    found += [*update.plan_settings(body, state, plan), *plan_indexes(body, state, plan)]
    return iter(found)


lifecycle.HANDLERS[TICK] = _tick
