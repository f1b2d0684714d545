"""UpdateTable: checks of the request, of the table's state, then of every change it asks for."""

from __future__ import annotations

from typing import Any

from reference import lifecycle
from reference.account import Account
from reference.operations import replicas
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.tables import known_table
from reference.replicas import members
from reference.rules import Checks
from reference.scaling import replicas as scaled
from reference.tables import describe, update
from reference.tables.definition import watched
from reference.tables.outline import outline
from reference.tables.table import Table
from reference.tables.update import Body, Plan, State
from reference.tables.update_indexes import plan_indexes


def update_table(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """UpdateTable: all of a request or nothing of it (beyond:CAP-12)."""
    if not complete("UpdateTable", body):
        return None
    _, sound = yield from watched(update.request_checks(body))
    table = yield from known_table(context, body)
    if table is None:
        return None
    if body.get("ReplicaUpdates"):
        outcome = yield from replicas.update_replicas(context, body, table)
        return outcome if sound else None
    plan = Plan()
    _, planned = yield from watched(_checks(context.account, body, _state(context, table), plan))
    if not (sound and planned):
        return None
    told, name = outline(table), table.name
    for step in (*plan.steps, *plan.told):
        step(told)
    told.status = plan.shown or told.status

    alone, protected = body.get("DeletionProtectionEnabled") is not None, body.get("DisassociationProtectionEnabled")

    added = replicas.scaled_indexes(context.account, table, body)

    def effect(account: Account) -> None:
        changed = account.tables[name]
        lifecycle.change(account, changed, plan)
        if account.world is not None:
            members.follow(account, changed, plan, alone=alone, protected=protected)
            scaled.cover(account, changed, added)

    answer = {"TableDescription": describe.table(told, context.now())}
    return Outcome(answer, effects=(effect,), rules=plan.rules)


def _checks(account: Account, body: Body, state: State, plan: Plan) -> Checks[None]:
    if account.world is not None:
        yield from replicas.settings_checks(account, state.table, body)
    yield from update.table_checks(body, state)
    yield from update.plan_settings(body, state, plan)
    yield from plan_indexes(body, state, plan)
    if body.get("DeletionProtectionEnabled") is not None and members.group_of(account, state.table) is not None:
        plan.busy("replica")


def _state(context: Context, table: Table) -> State:
    account = context.account
    return State(
        table=table,
        now=context.now(),
        limits=account.limits,
        region=account.region,
        reserved=account.provisioned(),
        taken_labels=lifecycle.known_labels(account, table.name),
    )


OPERATIONS: dict[str, Operation] = {"UpdateTable": update_table}
