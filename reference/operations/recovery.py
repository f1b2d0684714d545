"""UpdateContinuousBackups and DescribeContinuousBackups: point-in-time recovery as a setting (beyond:PIT-1)."""

from __future__ import annotations

import math
from typing import Any

from reference import lifecycle
from reference.account import Account
from reference.backups.restore import restoring
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.tables import plain_name
from reference.rules import Checks, violation
from reference.tables.settings import DAY
from reference.tables.table import Table
from reference.transfer.jobs import known_jobs

DEFAULT_DAYS = 35
UNSEEN = 3.0
"""Seconds for which the family of backups does not find a new table (beyond:PIT-5)."""
FORGOTTEN = 1.0
"""Seconds for which the family of backups still finds a table that is being deleted (beyond:BKP-8, PIT-6)."""
LAG = 300.0
"""Seconds by which the latest restorable time trails the present (beyond:PIT-4)."""


def window(since: float, days: int, now: float) -> tuple[float, float]:
    """Earliest and latest restorable time, in whole epoch seconds."""
    return float(math.floor(max(since, now - days * DAY))), float(math.floor(max(since, now - LAG)))


def update_continuous_backups(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """UpdateContinuousBackups: at once; switching on again keeps the window, off and on starts a new one."""
    if not complete("UpdateContinuousBackups", body):
        return None
    specification = body["PointInTimeRecoverySpecification"]
    enabled, days = specification["PointInTimeRecoveryEnabled"], specification.get("RecoveryPeriodInDays")
    if not enabled and days is not None:
        yield violation("backups.period-without-recovery")
    table = yield from backed_table(context, body)
    if table is None:
        return None
    held, name, now = table.settings, table.name, context.now()
    if not_yet_backed_up(context, table):
        yield violation("backups.not-yet", table=name)
    since = (held.pitr_since or now) if enabled else None
    # A period out of range has been refused; it must not reach the calendar.
    kept = (
        min(max(days, 1), DEFAULT_DAYS)
        if days is not None
        else (held.pitr_days if held.pitr_since is not None else DEFAULT_DAYS)
    )

    def effect(account: Account) -> None:
        changed = account.tables[name]
        changed.settings.pitr_since = since
        changed.settings.pitr_days = kept if enabled else DEFAULT_DAYS
        lifecycle.retain(account, changed)

    return Outcome(_describe(since, kept, now), effects=(effect,), rules=("backups.recovery-window",))


def describe_continuous_backups(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeContinuousBackups."""
    table = yield from backed_table(context, body)
    if table is None:
        return None
    ready = not not_yet_backed_up(context, table)
    told = _describe(table.settings.pitr_since, table.settings.pitr_days, context.now(), ready=ready)
    return Outcome(told, rules=("backups.recovery-window",))


def not_yet_backed_up(context: Context, table: Table) -> bool:
    """Whether a table is so new that the service has not made it ready for backups (beyond:BKP-8, PIT-6)."""
    delays = context.account.delays
    if table.status == "CREATING":
        return True
    return delays.enable_backups > 0 and context.now() < table.created + delays.create_table + delays.enable_backups


def backed_table(context: Context, body: dict[str, Any]) -> Checks[Table | None]:
    """The table; the family of backups finds none that was just created or is being restored (beyond:PIT-5, PIT-6)."""
    name = body.get("TableName")
    if name is None:
        return None
    table = context.account.any_table(name)
    if table is None or _unseen(context, table) or forgotten(table, context.now()):
        yield violation("backups.table-not-found", table=plain_name(name))
        return None
    return table


def forgotten(table: Table, now: float) -> bool:
    """Whether a table has been going for so long that the family of backups does not find it any more."""
    return table.status == "DELETING" and now >= (table.settings.going_since or 0.0) + FORGOTTEN


def _unseen(context: Context, table: Table) -> bool:
    """Whether a table is being created and the service's backups do not know it yet; an imported one they do."""
    if table.status != "CREATING" or known_jobs(context.account.rooms).making(table.id):
        return False
    return restoring(table) or table.arriving or context.now() < table.created + UNSEEN


def _describe(since: float | None, days: int, now: float, *, ready: bool = True) -> dict[str, Any]:
    """Both settings; the first is no switch: it is on from when a table can be backed up (beyond:PIT-5)."""
    recovery: dict[str, Any] = {"PointInTimeRecoveryStatus": "DISABLED"}
    if since is not None:
        earliest, latest = window(since, days, now)
        recovery = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": days,
            "EarliestRestorableDateTime": earliest,
            "LatestRestorableDateTime": latest,
        }
    return {
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED" if ready else "DISABLED",
            "PointInTimeRecoveryDescription": recovery,
        }
    }


OPERATIONS: dict[str, Operation] = {
    "UpdateContinuousBackups": update_continuous_backups,
    "DescribeContinuousBackups": describe_continuous_backups,
}
