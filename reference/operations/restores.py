"""RestoreTableFromBackup and RestoreTableToPointInTime (beyond:RST-1 to RST-10, PIT-8)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from reference import lifecycle
from reference.account import Account
from reference.backups import restore
from reference.backups.store import known_backups
from reference.moments import iso_seconds, seconds
from reference.operations.backups import backup_arn, in_use
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.recovery import forgotten, window
from reference.operations.tables import quotas
from reference.rules import Checks, violation
from reference.tables import create, describe, encryption
from reference.tables.definition import watched
from reference.tables.table import Table

_TABLE_ARN = re.compile(r"arn:[^:]*:dynamodb:([^:]*):([^:]*):table/([^/]+)", re.DOTALL)


def restore_from_backup(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """RestoreTableFromBackup: always into a new table; one restore at a time reads a backup (beyond:RST-9)."""
    if not complete("RestoreTableFromBackup", body):
        return None
    parts = yield from backup_arn(context, body["BackupArn"])
    if parts is None:
        return None
    yield from _encrypted_abroad(context, parts.region, body)
    origin = _region(context.account, parts.region)
    backup = None if origin is None else known_backups(origin.rooms).find(parts.table, parts.id)
    if backup is None:
        yield violation("backups.not-found", arn=body["BackupArn"])
        return None
    request = yield from restore.creation(backup.table, body)
    free = yield from _target(context, body["TargetTableName"])
    if in_use(context.account, backup):
        yield violation("backups.restore-in-use", arn=backup.arn)
    if request is None or not free:
        return None
    summary = restore.summary(backup.table, backup.created, backup.arn)
    region, key = parts.region, (backup.table.name, backup.id)

    def source(account: Account) -> Table | None:
        origin = _region(account, region)
        kept = None if origin is None else known_backups(origin.rooms).find(*key)
        return None if kept is None else kept.table

    return (yield from _restored(context, request, summary, source))


def restore_to_point_in_time(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """RestoreTableToPointInTime: shape, source, recovery, time, target, in this order (beyond:RST-5)."""
    if not complete("RestoreTableToPointInTime", body):
        return None
    yield from _shape(body)
    found = yield from _source(context, body)
    if found is None:
        return None
    region, source = found
    since, now = source.settings.pitr_since, context.now()
    if since is None:
        yield violation("backups.recovery-off", table=source.name)
        return None
    moment = yield from _moment(body, *window(since, source.settings.pitr_days, now))
    if any(index.get("WarmThroughput") for index in body.get("GlobalSecondaryIndexOverride") or ()):
        yield violation("backups.restore-warm")
    request = yield from restore.creation(source, body)
    free = yield from _target(context, body["TargetTableName"])
    if request is None or moment is None or not free:
        return None
    name, wanted = source.name, max(moment, since)

    def state(account: Account) -> Table | None:
        origin = _region(account, region)
        return None if origin is None else origin.tables[name].as_of(wanted)

    return (yield from _restored(context, request, restore.summary(source, moment), state))


def _shape(body: dict[str, Any]) -> Checks[None]:
    """What a request says too much or too little of (beyond:RST-6)."""
    named = [body.get(member) is not None for member in ("SourceTableArn", "SourceTableName")]
    if all(named):
        yield violation("backups.source-twice")
    elif not any(named):
        yield violation("backups.source-missing")
    moment, latest = body.get("RestoreDateTime"), body.get("UseLatestRestorableTime")
    if moment is not None and latest:
        yield violation("backups.restore-both-times")
    elif moment is None and not latest:
        yield violation("backups.restore-no-time")


def _source(context: Context, body: dict[str, Any]) -> Checks[tuple[str, Table] | None]:
    """The region and table to restore from; its ARN may name another region, its name may not (beyond:RST-10)."""
    arn, name, region = body.get("SourceTableArn"), body.get("SourceTableName"), context.account.region
    if arn is not None and name is not None:
        return None
    if arn is not None:
        parts = _TABLE_ARN.fullmatch(arn)
        if parts is None:
            yield violation("backups.source-arn", arn=arn)
            return None
        region, owner, name = parts.groups()
        if owner != context.account.account_id:
            yield violation("backups.source-account")
            return None
        yield from _encrypted_abroad(context, region, body)
    if name is None:
        return None
    origin = _region(context.account, region)
    table = None if origin is None else origin.tables.get(name)
    if table is None or table.status == "CREATING" or forgotten(table, context.now()):
        yield violation("backups.table-not-found" if arn is None else "backups.source-not-found", table=name)
        return None
    return region, table


def _encrypted_abroad(context: Context, region: str, body: dict[str, Any]) -> Checks[None]:
    """A restore from another region says how the new table is encrypted (beyond:RST-10)."""
    if region != context.account.region and body.get("SSESpecificationOverride") is None:
        yield violation("backups.restore-other-region")


def _region(account: Account, region: str) -> Account | None:
    """The account in a region, or None where nothing ever was in it."""
    if region == account.region:
        return account
    return None if account.world is None else account.world.accounts.get(region)


def _moment(body: dict[str, Any], earliest: float, latest: float) -> Checks[float | None]:
    """The moment to restore to, in epoch seconds, if it is in the window (beyond:PIT-4)."""
    asked = body.get("RestoreDateTime")
    if asked is None:
        return latest if body.get("UseLatestRestorableTime") else None
    if not earliest <= seconds(asked) <= latest:
        yield violation(
            "backups.restore-time",
            asked=iso_seconds(asked),
            earliest=iso_seconds(earliest),
            latest=iso_seconds(latest),
        )
        return None
    return float(asked)


def _target(context: Context, name: str) -> Checks[bool]:
    """Whether the name of the new table is free (beyond:RST-4, RST-5)."""
    account = context.account
    held = account.tables.get(name)
    if held is not None and restore.restoring(held):
        summary = held.settings.extra["RestoreSummary"]
        origin = summary.get("SourceBackupArn") or summary["SourceTableArn"]
        yield violation("backups.target-restoring", table=name, origin=origin)
    elif held is not None:
        yield violation("backups.target-exists", table=name)
    running = sum(restore.restoring(table) for table in account.tables.values())
    if running >= account.limits.restores:
        yield violation("backups.restore-limit", limit=account.limits.restores)
    return held is None


def _restored(
    context: Context,
    request: dict[str, Any],
    summary: dict[str, Any],
    source: Callable[[Account], Table | None],
) -> Checks[Outcome | None]:
    """The new table, and how it gets its items when the restore begins."""
    account, name = context.account, request["TableName"]
    place = create.Place(
        name, account.arn(f"table/{name}"), account.coming_id(), context.now(), account.limits,
        lifecycle.known_labels(account, name),
    )  # fmt: skip
    table, sound = yield from watched(create.new_table(request, place))
    yield from quotas(account, request)
    _, usable = yield from watched(encryption.key_checks(request.get("SSESpecification"), place.arn))
    if table is None or not (sound and usable):
        return None
    table.settings.extra["RestoreSummary"] = summary
    made = table

    def effect(account: Account) -> None:
        account.new_id()
        restored, items = made.copy(), source(account)
        if items is not None:
            restored.load(items)
        lifecycle.begin(account, restored, account.delays.restore_table)

    answer = {"TableDescription": describe.table(table, context.now(), fresh=True)}
    return Outcome(answer, effects=(effect,), rules=("backups.restored",))


OPERATIONS: dict[str, Operation] = {
    "RestoreTableFromBackup": restore_from_backup,
    "RestoreTableToPointInTime": restore_to_point_in_time,
}
