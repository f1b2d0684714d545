"""UpdateTable: checks of the request, of the table's state, then of every change it asks for."""

from __future__ import annotations

from typing import Any

from reference import lifecycle
from reference.account import Account
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.tables import known_table
from reference.rules import Checks, violation
from reference.tables import describe, update
from reference.tables.outline import outline
from reference.tables.table import Table
from reference.tables.update import Body, Plan, State
from reference.tables.update_indexes import plan_indexes


def update_table(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """UpdateTable: all of a request or nothing of it (beyond:CAP-12)."""
    if not complete("UpdateTable", body):
        return None
    broken = yield from _watched(update.request_checks(body))
    table = yield from known_table(context, body)
    if table is None:
        return None
    if body.get("ReplicaUpdates"):
        yield violation("tables.replicas")
        return None
    plan = Plan()
    broken |= yield from _watched(_checks(body, _state(context, table), plan))
    if broken:
        return None
    told, name = outline(table), table.name
    for step in plan.steps:
        step(told)

    def effect(account: Account) -> None:
        lifecycle.change(account, account.tables[name], plan)

    answer = {"TableDescription": describe.table(told, context.now())}
    return Outcome(answer, effects=(effect,), rules=("tables.update-answer",))


def _checks(body: Body, state: State, plan: Plan) -> Checks[None]:
    yield from update.table_checks(body, state)
    yield from update.plan_settings(body, state, plan)
    yield from plan_indexes(body, state, plan)


def _watched(checks: Checks[None]) -> Checks[bool]:
    """The same violations, and whether there was one."""
    broken = False
    for each in checks:
        broken = True
        yield each
    return broken


def _state(context: Context, table: Table) -> State:
    account = context.account
    units = [
        (settings.read_units, settings.write_units)
        for each in account.tables.values()
        for settings in (each.settings, *(index.settings for index in each.indexes.values()))
    ]
    return State(
        table=table,
        now=context.now(),
        limits=account.limits,
        region=account.region,
        reserved=(sum(read for read, _ in units), sum(write for _, write in units)),
        taken_labels=lifecycle.known_labels(account, table.name),
    )


OPERATIONS: dict[str, Operation] = {"UpdateTable": update_table}
