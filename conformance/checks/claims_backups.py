"""What is true of the article's claims about time to live, backups and recovery (its parts M and O)."""

from __future__ import annotations

from conformance.checks.backups import ARN, MADE, back_up
from conformance.checks.backups_restores import T1, recover, restore
from conformance.checks.base import T0, Check, table
from conformance.checks.settings import recovery
from conformance.checks.steps import (
    KEY,
    answers,
    claimed,
    get,
    item,
    n,
    partition,
    put,
    refuses,
    reply,
    scan,
    update,
)
from conformance.checks.transfer import FOREIGN, export
from conformance.program import Step
from reference.api import AttributeValue

_LATER: AttributeValue = n("${time:+2592000}")
_PAST: AttributeValue = n("${time:-3600}")


def _expiring(attribute: str = "TTL", *, on: bool = True) -> Step:
    return Step(
        "UpdateTimeToLive",
        {"TableName": T0, "TimeToLiveSpecification": {"Enabled": on, "AttributeName": attribute}},
    )


_TELL_TTL = Step("DescribeTimeToLive", {"TableName": T0})
_COUNTED = {"Count": 1, "ScannedCount": 1}


def _visible(claim: str) -> tuple[Check, ...]:
    """An item that has expired is an item like any other until it is deleted."""
    given = [_expiring(), put({"TTL": _PAST})]
    expired = item(TTL=_PAST)
    return claimed(
        claim,
        answers("ttl.expiry", get(), given=given, body={"Item": expired}, name="GetItem"),
        answers("ttl.expiry", partition(), given=given, body={"Items": [expired], **_COUNTED}, name="Query"),
        answers("ttl.expiry", scan(), given=given, body={"Items": [expired], **_COUNTED}, name="Scan"),
    )


def _in_backup(claim: str) -> tuple[Check, ...]:
    """An item that has expired, and is not deleted yet, is in a backup."""
    return claimed(
        claim,
        answers(
            "backups.restored",
            Step("Scan", {"TableName": T1, "Select": "COUNT"}),
            given=[_expiring(), put({"TTL": _PAST}), back_up(), restore(reply(3, MADE))],
            body=_COUNTED,
        ),
    )


TIME_TO_LIVE: tuple[Check, ...] = (
    *_visible("C171"),
    *claimed(
        "C174",
        answers(
            "ttl.answer",
            _expiring(),
            body={"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "TTL"}},
        ),
    ),
    *claimed(
        "C175",
        answers("values.round-trip", get(), given=[put({"TTL": _LATER})], body={"Item": item(TTL=_LATER)}),
        refuses(
            "expressions.reserved-word",
            update("SET TTL = :t", {"t": _LATER}),
            phrase="Attribute name is a reserved keyword; reserved keyword: TTL",
            control=update("SET #t = :t", {"t": _LATER}, ExpressionAttributeNames={"#t": "TTL"}),
            name="reserved word",
        ),
    ),
    *claimed(
        "C176",
        answers(
            "ttl.answer",
            _TELL_TTL,
            given=[put({"TTL": _LATER})],
            body={"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}},
        ),
    ),
    *claimed(
        "C177",
        answers(
            "ttl.answer",
            _TELL_TTL,
            given=[_expiring()],
            body={"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "TTL"}},
        ),
    ),
    *_in_backup("C181"),
    *_in_backup("C182"),
    *_visible("C185"),
    *claimed(
        "C186",
        answers(
            "ttl.answer",
            _expiring("g"),
            tables={"t0": table(gsi=["by_g=g:N"])},
            body={"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "g"}},
        ),
    ),
    *claimed(
        "C187",
        answers(
            "backups.restored",
            Step("DescribeTimeToLive", {"TableName": T1}),
            given=[_expiring(), back_up(), restore(reply(2, MADE))],
            body={"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}},
        ),
    ),
    *claimed(
        "C190",
        answers(
            "ttl.expiry",
            partition(
                FilterExpression="#t > :now",
                ExpressionAttributeNames={"#t": "TTL"},
                ExpressionAttributeValues={":now": n("${time:+0}")},
            ),
            given=[_expiring(), put({"TTL": _PAST})],
            body={"Items": [], "Count": 0, "ScannedCount": 1},
            name="filtered by the reader",
        ),
    ),
    *_visible("C238"),
)

_ON = recovery(on=True)
_OFF_TO_BEGIN = {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"}}
_JANUARY = 1_704_888_000
"""2024-01-10T12:00:00Z, the article's moment."""
_ABROAD = "arn:aws:dynamodb:eu-west-1:400000000004:table/t"
_MUST_ENCRYPT = "Invalid Request: sseSpecificationOverride must be provided for cross-region restores"
_RECOVERY = "ContinuousBackupsDescription.PointInTimeRecoveryDescription"

BACKUPS: tuple[Check, ...] = (
    *claimed(
        "C205",
        answers(
            "backups.restored",
            Step("GetItem", {"TableName": T1, "Key": KEY, "ConsistentRead": True}),
            given=[put({"v": n(1)}), back_up(), put({"v": n(2)}), restore(reply(2, MADE))],
            body={"Item": item(v=n(1))},
        ),
    ),
    *claimed(
        "C206",
        answers(
            "backups.states",
            back_up("Orders-backup-2024-01-15"),
            given=[back_up("Orders-backup-2024-01-15")],
            at="BackupDetails",
            has={"BackupName": "Orders-backup-2024-01-15", "BackupStatus": "CREATING", "BackupType": "USER"},
            name="names are not unique",
        ),
    ),
    *claimed(
        "C207",
        answers(
            "backups.description",
            Step("DescribeBackup", {"BackupArn": ARN}),
            given=[back_up()],
            at="BackupDescription.BackupDetails",
            has={"BackupArn": ARN, "BackupCreationDateTime": reply(1, "BackupDetails.BackupCreationDateTime")},
        ),
    ),
    *claimed(
        "C208",
        refuses(
            "wire.null",
            Step("RestoreTableFromBackup", {"TargetTableName": T1, "BackupARN": ARN}),
            phrase="backupArn' failed to satisfy constraint: Member must not be null",
            given=[back_up()],
            control=restore(),
        ),
    ),
    *claimed(
        "C209",
        answers(
            "backups.list",
            Step("ListBackups", {"TableName": T0}),
            given=[back_up()],
            at="BackupSummaries[0]",
            has={"BackupName": "b-1.a_z", "BackupStatus": "AVAILABLE", "BackupType": "USER"},
        ),
    ),
    *claimed(
        "C210",
        answers(
            "backups.description",
            _ON,
            at=_RECOVERY,
            has={"RecoveryPeriodInDays": 35},
            name="35 days unless said otherwise",
        ),
        answers(
            "backups.description",
            recovery(on=True, days=1),
            at=_RECOVERY,
            has={"RecoveryPeriodInDays": 1},
            name="a day",
        ),
        refuses(
            "wire.value-max",
            recovery(on=True, days=36),
            phrase="Member must have value less than or equal to 35",
            control=recovery(on=True, days=35),
            name="36 days",
        ),
    ),
    *claimed(
        "C211",
        answers("backups.description", _ON, at=_RECOVERY, has={"PointInTimeRecoveryStatus": "ENABLED"}),
    ),
    *claimed(
        "C212",
        answers(
            "backups.description",
            Step("DescribeContinuousBackups", {"TableName": T0}),
            at="ContinuousBackupsDescription",
            has=_OFF_TO_BEGIN,
        ),
    ),
    *claimed(
        "C213",
        refuses(
            "backups.restore-time",
            recover(UseLatestRestorableTime=None, RestoreDateTime=_JANUARY),
            phrase="RestoreDateTime '2024-01-10T12:00:00Z' must be within EarliestRestorableDateTime '",
            code="InvalidRestoreTimeException",
            given=[_ON],
            control=recover(),
        ),
    ),
    *claimed(
        "C214",
        refuses(
            "backups.restore-time",
            recover(UseLatestRestorableTime=None, RestoreDateTime="${epoch:-86400}"),
            phrase="' must be within EarliestRestorableDateTime '",
            code="InvalidRestoreTimeException",
            given=[_ON],
            control=recover(),
            name="before it was switched on",
        ),
    ),
    *claimed(
        "C216",
        refuses(
            "backups.target-exists",
            recover(TargetTableName=T0),
            f"Table already exists: {T0}",
            code="TableAlreadyExistsException",
            given=[_ON],
            control=recover(),
            name="a new table only",
        ),
    ),
    *claimed(
        "C220",
        refuses(
            "backups.restore-other-region",
            restore(f"{_ABROAD}/backup/01500000000000-12345678"),
            _MUST_ENCRYPT,
            given=[back_up()],
            control=restore(),
        ),
    ),
    *claimed(
        "C221",
        refuses(
            "backups.restore-other-region",
            recover(SourceTableName=None, SourceTableArn=_ABROAD),
            _MUST_ENCRYPT,
            given=[_ON],
            control=recover(),
        ),
    ),
    *claimed(
        "C222",
        answers("backups.description", recovery(on=True, days=7), at=_RECOVERY, has={"RecoveryPeriodInDays": 7}),
    ),
    *claimed(
        "C224",
        refuses(
            "backups.recovery-off",
            export(S3Prefix="exports/", ExportFormat="DYNAMODB_JSON"),
            phrase="Point in time recovery is not enabled for table '",
            code="PointInTimeRecoveryUnavailableException",
            control=_ON,
        ),
    ),
    *claimed(
        "C225",
        refuses(
            "transfer.export-time",
            export(ExportTime=_JANUARY),
            "Export Time is invalid",
            code="InvalidExportTimeException",
            given=[_ON],
            control=export(),
        ),
        refuses(
            "transfer.access-denied",
            export(FOREIGN),
            "Access is denied",
            code="AccessDeniedException",
            given=[_ON],
            control=export(),
            name="another account",
        ),
    ),
)

CHECKS: tuple[Check, ...] = (*TIME_TO_LIVE, *BACKUPS)
