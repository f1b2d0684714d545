"""Checks of restores: from a backup, and to a point in time."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.checks.backups import ARN, MADE, NO_BACKUP, TABLE_ARN, back_up, delete_backup
from conformance.checks.base import T0, Check
from conformance.checks.settings import recovery
from conformance.checks.steps import answers, describe, refuses, reply
from conformance.checks.tables import ELSEWHERE, GONE, drop
from conformance.checks.wire_constraints import create
from conformance.program import Step
from reference.api import Json

T1 = "${table:t1}"
"""The name of the table that a restore makes."""
_AGO = 1_500_000_000
"""A moment before any table of a check, 2017-07-14T02:40:00Z."""
_ON = recovery(on=True)
_OTHER = "dynoracle-another-table"


def restore(arn: str = ARN, **members: Json) -> Step:
    """RestoreTableFromBackup into the second table."""
    return Step("RestoreTableFromBackup", {"BackupArn": arn, "TargetTableName": T1, **members})


def recover(**members: Json) -> Step:
    """RestoreTableToPointInTime of the first table into the second; a member that is None is left out."""
    body = {"SourceTableName": T0, "TargetTableName": T1, "UseLatestRestorableTime": True, **members}
    return Step("RestoreTableToPointInTime", {name: value for name, value in body.items() if value is not None})


def _table(operation: str = "DescribeTable", name: str = T1, **members: Json) -> Step:
    return Step(operation, {"TableName": name, **members})


def _shape(
    rule: str, message: str, control: Mapping[str, Json] | None = None, *, name: str = "", **asked: Json
) -> Check:
    """A restore to a point in time that is refused for what it says."""
    return refuses(rule, recover(**asked), message, given=[_ON], control=recover(**(control or {})), name=name)


_FOREIGN = "arn:aws:dynamodb:us-east-1:999999999999:table/t"
_ABROAD = "arn:aws:dynamodb:eu-west-1:400000000004:table/t"

SHAPES: tuple[Check, ...] = (
    _shape(
        "backups.source-twice",
        "Must provide exactly one of: sourceTableArn, sourceTableName",
        SourceTableArn=TABLE_ARN,
    ),
    refuses(
        "backups.source-missing",
        recover(SourceTableName=None),
        "The parameter 'TableName' is required but was not present in the request",
        given=[_ON],
        control=recover(SourceTableName=None, SourceTableArn=TABLE_ARN),
    ),
    refuses(
        "backups.source-arn",
        recover(SourceTableName=None, SourceTableArn=T0),
        phrase="sourceTableArn is not a valid ARN",
        given=[_ON],
        control=recover(SourceTableName=None, SourceTableArn=TABLE_ARN),
    ),
    refuses(
        "backups.source-account",
        recover(SourceTableName=None, SourceTableArn=_FOREIGN),
        phrase="This action is only supported by accounts that match the resource owner",
        given=[_ON],
        control=recover(SourceTableName=None, SourceTableArn=TABLE_ARN),
    ),
    refuses(
        "backups.restore-other-region",
        recover(SourceTableName=None, SourceTableArn=_ABROAD),
        "Invalid Request: sseSpecificationOverride must be provided for cross-region restores",
        given=[_ON],
        control=recover(SourceTableName=None, SourceTableArn=TABLE_ARN),
        name="point in time",
    ),
    refuses(
        "backups.restore-other-region",
        restore(f"{_ABROAD}/backup/01500000000000-12345678"),
        "Invalid Request: sseSpecificationOverride must be provided for cross-region restores",
        given=[back_up()],
        control=restore(),
        name="backup",
    ),
    *(
        refuses(
            rule,
            when(SSESpecificationOverride={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}),
            phrase=phrase,
            code=code,
            given=[back_up(), _ON],
            control=when(SSESpecificationOverride={"Enabled": True, "SSEType": "KMS"}),
            name=name,
        )
        for name, when in (("restored to a point in time", recover), ("restored from a backup", restore))
        for rule, key, phrase, code in (
            ("tables.sse-key-elsewhere", ELSEWHERE, "Invalid arn eu-west-1", "ValidationException"),
            (
                "tables.sse-key-of-service",
                "alias/aws/s3",
                "not authorized to perform: kms:CreateGrant",
                "AccessDeniedException",
            ),
        )
    ),
    refuses(
        "backups.restore-both-times",
        recover(RestoreDateTime=_AGO),
        phrase="Invalid Request: Both RestoreDateTime and UseLatestRestorableTime cannot be set for point-in-time "
        "restore request.",
        given=[_ON],
        control=recover(),
    ),
    *(
        _shape(
            "backups.restore-no-time",
            "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both",
            UseLatestRestorableTime=latest,
            name=name,
        )
        for latest, name in ((None, "neither"), (False, "false"))
    ),
)


def _without_recovery(when: Step, name: str) -> Check:
    message = f"Point in time recovery is not enabled for table '{T0}'"
    return refuses(
        "backups.recovery-off", when, message, code="PointInTimeRecoveryUnavailableException", control=_ON, name=name
    )


_WINDOW = "RestoreDateTime '2017-07-14T02:40:00Z' must be within EarliestRestorableDateTime '"
_ORIGIN = f"Table: {T1} is already being restored from backup: "
_51ST = "Subscriber limit exceeded: Only 50 restore operations can be done simultaneously"

PLACES: tuple[Check, ...] = (
    refuses(
        "backups.table-not-found",
        recover(SourceTableName=GONE, TargetTableName=T0),
        f"Table not found: {GONE}",
        code="TableNotFoundException",
        given=[_ON],
        control=recover(),
        name="restore, though its target exists",
    ),
    refuses(
        "backups.source-not-found",
        recover(SourceTableName=None, SourceTableArn=f"{TABLE_ARN}-gone"),
        phrase="Table not found",
        code="TableNotFoundException",
        given=[_ON],
        control=recover(SourceTableName=None, SourceTableArn=TABLE_ARN),
    ),
    _without_recovery(recover(), "alone"),
    _without_recovery(
        recover(TargetTableName=T0, UseLatestRestorableTime=None, RestoreDateTime=_AGO), "before time and target"
    ),
    refuses(
        "backups.restore-time",
        recover(UseLatestRestorableTime=None, RestoreDateTime=_AGO),
        phrase=_WINDOW,
        code="InvalidRestoreTimeException",
        given=[_ON],
        control=recover(),
        name="too early",
    ),
    refuses(
        "backups.restore-time",
        recover(UseLatestRestorableTime=None, RestoreDateTime="${epoch:+86400}"),
        phrase="' must be within EarliestRestorableDateTime '",
        code="InvalidRestoreTimeException",
        given=[_ON],
        control=recover(),
        name="to come",
    ),
    refuses(
        "backups.restore-time",
        recover(UseLatestRestorableTime=None, RestoreDateTime=_AGO, TargetTableName=T0),
        phrase=_WINDOW,
        code="InvalidRestoreTimeException",
        given=[_ON],
        control=recover(),
        name="before its target is looked for",
    ),
    *(
        refuses(
            "backups.target-exists",
            when,
            f"Table already exists: {T0}",
            code="TableAlreadyExistsException",
            given=[given],
            control=control,
            name=name,
        )
        for when, given, control, name in (
            (recover(TargetTableName=T0), _ON, recover(), "its own source"),
            (restore(TargetTableName=T0), back_up(), restore(), "backup"),
        )
    ),
    refuses(
        "backups.target-exists",
        restore(TargetTableName=T0),
        f"Table already exists: {T0}",
        code="TableAlreadyExistsException",
        given=[back_up(), drop()],
        control=restore(),
        needs="slow delete",
        name="being deleted",
    ),
    refuses(
        "backups.target-restoring",
        recover(),
        phrase=_ORIGIN,
        code="TableInUseException",
        given=[_ON, recover()],
        control=recover(TargetTableName=_OTHER),
        needs="slow restore",
        name="point in time",
    ),
    refuses(
        "backups.target-restoring",
        restore(reply(2, MADE)),
        f"{_ORIGIN}{ARN}",
        code="TableInUseException",
        given=[back_up(), back_up(), restore()],
        control=restore(reply(2, MADE), TargetTableName=_OTHER),
        needs="slow restore",
        name="backup",
    ),
    refuses(
        "backups.restore-in-use",
        restore(TargetTableName=_OTHER),
        f"Backup is being used to restore another table: {ARN}",
        code="BackupInUseException",
        given=[back_up(), back_up(), restore()],
        control=restore(reply(2, MADE), TargetTableName=_OTHER),
        needs="slow restore",
    ),
    refuses(
        "backups.delete-in-use",
        delete_backup(),
        f"Backup is being used to restore table: {ARN}",
        code="BackupInUseException",
        given=[back_up(), back_up(), restore()],
        control=delete_backup(reply(2, MADE)),
        needs="slow restore",
    ),
    answers(
        "backups.delete-in-use",
        delete_backup(),
        given=[back_up(), restore()],
        has={"BackupStatus": "DELETED"},
        at="BackupDescription.BackupDetails",
        name="once restored",
        pause=1.0,
    ),
    refuses(
        "backups.restore-limit",
        recover(TargetTableName="dynoracle-51"),
        _51ST,
        code="LimitExceededException",
        given=[_ON, *(recover(TargetTableName=f"dynoracle-{index:02}") for index in range(50))],
        control=describe(),
        needs="expensive slow restore",
    ),
    refuses(
        "backups.not-found",
        restore(NO_BACKUP),
        f"Backup not found: {NO_BACKUP}",
        code="BackupNotFoundException",
        given=[back_up()],
        control=restore(),
        name="restore",
    ),
    refuses(
        "backups.arn-malformed",
        restore(TABLE_ARN),
        "Invalid Backup ARN",
        given=[back_up()],
        control=restore(),
        name="restore",
    ),
    refuses(
        "backups.access-denied",
        restore(f"{_FOREIGN}/backup/01500000000000-12345678"),
        "Access is denied",
        code="AccessDeniedException",
        given=[back_up()],
        control=restore(),
        name="restore",
    ),
)

_BEING_RESTORED = [back_up(), restore()]
_UNFOUND = f"Requested resource not found: Table: {T1} not found"
_EXPIRING: dict[str, Json] = {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "until"}}
_RECOVERING: dict[str, Json] = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}

UNDERWAY: tuple[Check, ...] = (
    refuses(
        "tables.being-used",
        create(T1),
        phrase=f"Table is being used: {T1}",
        code="ResourceInUseException",
        given=_BEING_RESTORED,
        control=create(_OTHER),
        needs="slow restore",
    ),
    answers(
        "backups.restored",
        _table(),
        given=_BEING_RESTORED,
        has={"TableName": T1, "TableStatus": "CREATING"},
        at="Table",
        needs="slow restore",
        name="DescribeTable while restoring",
    ),
    *(
        refuses(
            rule,
            step,
            message,
            code=code,
            given=_BEING_RESTORED,
            control=Step(step.operation, {**step.body, "TableName": T0}),
            needs="slow restore",
            name=f"{step.operation}, being restored",
        )
        for rule, step, message, code in (
            ("tables.not-found", _table("UpdateTimeToLive", **_EXPIRING), _UNFOUND, "ResourceNotFoundException"),
            (
                "tables.not-found",
                _table("UpdateTable", DeletionProtectionEnabled=True),
                _UNFOUND,
                "ResourceNotFoundException",
            ),
            ("backups.table-not-found", back_up(table_name=T1), f"Table not found: {T1}", "TableNotFoundException"),
            (
                "backups.table-not-found",
                _table("UpdateContinuousBackups", **_RECOVERING),
                f"Table not found: {T1}",
                "TableNotFoundException",
            ),
        )
    ),
    refuses(
        "tables.being-created",
        drop(T1),
        phrase="",
        code="ResourceInUseException",
        given=_BEING_RESTORED,
        control=drop(),
        needs="slow restore",
        name="DeleteTable, being restored",
    ),
)

CHECKS: tuple[Check, ...] = (*SHAPES, *PLACES, *UNDERWAY)
