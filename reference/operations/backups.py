"""CreateBackup, DescribeBackup, ListBackups and DeleteBackup (beyond:BKP-1 to BKP-13)."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from reference.account import Account
from reference.backups import describe
from reference.backups.restore import restoring
from reference.backups.store import Backup, BackupArn, backups, known_backups, new_id, snapshot
from reference.moments import iso_seconds, milliseconds
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.recovery import backed_table, not_yet_backed_up
from reference.operations.tables import plain_name
from reference.regions import possible
from reference.rules import Checks, violation

MOST = 100


def create_backup(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """CreateBackup: CREATING in its own answer only; names need not be new (beyond:BKP-1, BKP-2)."""
    if not complete("CreateBackup", body):
        return None
    table = yield from backed_table(context, body)
    if table is None:
        return None
    account = context.account
    if not_yet_backed_up(context, table):
        yield violation("backups.not-yet", table=table.name)
    # Backups are listed in the order in which they were made, however close they are.
    last = known_backups(account.rooms).last()
    created = max(milliseconds(context.now()), last + 1 if last is not None else 0) / 1000
    name, source = body["BackupName"], table.name
    made = Backup(new_id(created, account.coming_id()[:8]), name, "USER", created, table)

    def effect(account: Account) -> None:
        account.new_id()
        kept = snapshot(account.tables[source])
        backups(account.rooms).add(Backup(made.id, name, "USER", created, kept))

    answer = {"BackupDetails": describe.details(made, made.arn, "CREATING")}
    return Outcome(answer, effects=(effect,), rules=("backups.states",))


def describe_backup(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeBackup: whatever region the ARN names, it is echoed (beyond:BKP-10)."""
    backup = yield from known_backup(context, body)
    if backup is None:
        return None
    answer = {"BackupDescription": describe.description(backup, body["BackupArn"])}
    return Outcome(answer, rules=("backups.description",))


def delete_backup(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DeleteBackup: at once, unless a restore reads it or the service keeps it (beyond:BKP-12, BKP-13)."""
    backup = yield from known_backup(context, body)
    if backup is None:
        return None
    arn = body["BackupArn"]
    if backup.expires is not None:
        yield violation("backups.delete-system", arn=arn, expires=iso_seconds(backup.expires))
    if in_use(context.account, backup):
        yield violation("backups.delete-in-use", arn=arn)
    table, id = backup.table.name, backup.id

    def effect(account: Account) -> None:
        backups(account.rooms).drop(table, id)

    answer = {"BackupDescription": describe.description(backup, arn, "DELETED")}
    return Outcome(answer, effects=(effect,), rules=("backups.states", "backups.description"))


def list_backups(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ListBackups: by time, the user's own unless another type is asked for (beyond:BKP-9)."""
    lower, upper = body.get("TimeRangeLowerBound"), body.get("TimeRangeUpperBound")
    if lower is not None and upper is not None and milliseconds(lower) > milliseconds(upper):
        yield violation("backups.list-range")
    start = body.get("ExclusiveStartBackupArn")
    cursor = None if start is None else (yield from backup_arn(context, start))
    if cursor is not None and cursor.region != context.account.region:
        yield violation("backups.list-region")
    table, kind = body.get("TableName"), body.get("BackupType") or "USER"
    found = [
        each
        for each in known_backups(context.account.rooms)
        if (kind == "ALL" or each.kind == kind)
        and (table is None or each.table.name == plain_name(table))
        and (lower is None or milliseconds(each.created) >= milliseconds(lower))
        and (upper is None or milliseconds(each.created) < milliseconds(upper))
    ]
    if cursor is not None:
        # The cursor is a position: its backup need not be there any more.
        found = found[bisect_right(found, (cursor.id, cursor.table), key=lambda each: (each.id, each.table.name)) :]
    limit = min(max(body.get("Limit") or MOST, 1), MOST)
    answer: dict[str, Any] = {"BackupSummaries": [describe.summary(each) for each in found[:limit]]}
    if len(found) > limit:
        answer["LastEvaluatedBackupArn"] = found[limit - 1].arn
    return Outcome(answer, rules=("backups.list", "backups.system"))


def backup_arn(context: Context, arn: str) -> Checks[BackupArn | None]:
    """The parts of a backup's ARN that this account may name (beyond:BKP-10)."""
    parts = BackupArn.of(arn)
    if parts is None:
        yield violation("backups.arn-malformed")
    elif (parts.partition, parts.service) != ("aws", "dynamodb") or (parts.region and not possible(parts.region)):
        yield violation("backups.arn-invalid")
    elif not parts.region or parts.account != context.account.account_id:
        yield violation("backups.access-denied")
    else:
        return parts
    return None


def known_backup(context: Context, body: dict[str, Any]) -> Checks[Backup | None]:
    """The backup that a request names."""
    arn = body.get("BackupArn")
    parts = None if arn is None else (yield from backup_arn(context, arn))
    if parts is None:
        return None
    backup = known_backups(context.account.rooms).find(parts.table, parts.id)
    if backup is None:
        yield violation("backups.not-found", arn=arn)
    return backup


def in_use(account: Account, backup: Backup) -> bool:
    """Whether a restore, in whatever region, reads a backup at this moment (beyond:RST-9)."""
    accounts = (account,) if account.world is None else account.world.accounts.values()
    return any(
        restoring(table) and table.settings.extra["RestoreSummary"].get("SourceBackupArn") == backup.arn
        for each in accounts
        for table in each.tables.values()
    )


OPERATIONS: dict[str, Operation] = {
    "CreateBackup": create_backup,
    "DescribeBackup": describe_backup,
    "DeleteBackup": delete_backup,
    "ListBackups": list_backups,
}
