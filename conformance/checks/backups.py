"""Checks of on-demand backups and of the backups that the service makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.checks.base import T0, Check, table
from conformance.checks.settings import recovery
from conformance.checks.steps import answers, describe, refuses, reply
from conformance.checks.tables import GONE, UNITS, drop
from conformance.program import Step
from reference.api import Json

MADE = "BackupDetails.BackupArn"
ARN = reply(1, MADE)
"""The ARN of the backup that the first step of a check on one table makes."""
TABLE_ARN = reply(0, "TableDescription.TableArn")
NO_BACKUP = f"{TABLE_ARN}/backup/01500000000000-12345678"
"""A backup that was never made."""


def back_up(name: str = "b-1.a_z", table_name: str = T0) -> Step:
    """CreateBackup."""
    return Step("CreateBackup", {"TableName": table_name, "BackupName": name})


def _describe(arn: str = ARN) -> Step:
    return Step("DescribeBackup", {"BackupArn": arn})


def delete_backup(arn: str = ARN) -> Step:
    """DeleteBackup."""
    return Step("DeleteBackup", {"BackupArn": arn})


def _list(**members: Json) -> Step:
    return Step("ListBackups", {"TableName": T0, **members})


_CREATED = "BackupDetails.BackupCreationDateTime"
_SUMMARY = {
    "TableName": T0,
    "TableId": reply(0, "TableDescription.TableId"),
    "TableArn": TABLE_ARN,
    "BackupArn": ARN,
    "BackupName": "b-1.a_z",
    "BackupCreationDateTime": reply(1, _CREATED),
    "BackupStatus": "AVAILABLE",
    "BackupType": "USER",
    "BackupSizeBytes": 0,
}

MAKING: tuple[Check, ...] = (
    refuses(
        "backups.table-not-found",
        back_up(table_name=GONE),
        f"Table not found: {GONE}",
        code="TableNotFoundException",
        control=back_up(),
        name="CreateBackup",
    ),
    refuses(
        "backups.table-not-found",
        back_up(),
        f"Table not found: {T0}",
        code="TableNotFoundException",
        control=describe(),
        needs="slow create",
        name="CreateBackup, CREATING",
    ),
    refuses(
        "backups.table-not-found",
        back_up(),
        f"Table not found: {T0}",
        code="TableNotFoundException",
        given=[drop()],
        control=describe(),
        needs="slow delete",
        pause=2.0,
        name="CreateBackup, two seconds into DELETING",
    ),
    answers(
        "backups.states",
        back_up(),
        given=[drop()],
        has={"BackupStatus": "CREATING"},
        at="BackupDetails",
        needs="slow delete",
        name="CreateBackup at the begin of DELETING",
    ),
    refuses(
        "backups.not-yet",
        back_up(),
        f"Backups are being enabled for the table: {T0}. Please retry later",
        code="ContinuousBackupsUnavailableException",
        control=describe(),
        needs="slow enabling",
        name="CreateBackup",
    ),
    refuses(
        "backups.not-yet",
        recovery(on=True),
        f"Backups are being enabled for the table: {T0}. Please retry later",
        code="ContinuousBackupsUnavailableException",
        control=describe(),
        needs="slow enabling",
        name="UpdateContinuousBackups",
    ),
    answers(
        "backups.recovery-window",
        Step("DescribeContinuousBackups", {"TableName": T0}),
        at="ContinuousBackupsDescription",
        has={"ContinuousBackupsStatus": "DISABLED"},
        needs="slow enabling",
        name="DISABLED at first",
    ),
    answers(
        "backups.states",
        back_up(),
        has={"BackupName": "b-1.a_z", "BackupStatus": "CREATING", "BackupType": "USER"},
        lacks=("BackupExpiryDateTime",),
        at="BackupDetails",
        name="CreateBackup",
    ),
    answers(
        "backups.states",
        _describe(),
        given=[back_up()],
        has={"BackupArn": ARN, "BackupName": "b-1.a_z", "BackupStatus": "AVAILABLE", "BackupType": "USER"},
        at="BackupDescription.BackupDetails",
        name="DescribeBackup",
    ),
    answers(
        "backups.states",
        delete_backup(),
        given=[back_up()],
        has={"BackupArn": ARN, "BackupStatus": "DELETED"},
        at="BackupDescription.BackupDetails",
        name="DeleteBackup",
    ),
    answers(
        "backups.states",
        back_up(),
        given=[back_up()],
        has={"BackupName": "b-1.a_z", "BackupStatus": "CREATING"},
        at="BackupDetails",
        name="the same name again",
    ),
    answers(
        "backups.states",
        _describe(),
        given=[back_up(), drop()],
        has={"BackupStatus": "AVAILABLE"},
        at="BackupDescription.BackupDetails",
        name="outlives its table",
    ),
    *(
        refuses(
            "wire.pattern" if name == "a!b" else "wire.length-min" if len(name) < 3 else "wire.length-max",
            back_up(name),
            phrase=f"at 'backupName' failed to satisfy constraint: {constraint}",
            control=back_up("a-_.Z09" if len(name) < 9 else "a" * 255),
            name="BackupName",
        )
        for name, constraint in (
            ("ab", "Member must have length greater than or equal to 3"),
            ("a" * 256, "Member must have length less than or equal to 255"),
            ("a!b", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        )
    ),
)

_RICH = {
    "t0": {
        **table(key="pk:S,sk:N", gsi=["by_g=g:S/INCLUDE:a"], lsi=["by_l=pk:S,l:N/KEYS_ONLY"]),
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        "DeletionProtectionEnabled": False,
        "Tags": [{"Key": "k", "Value": "v"}],
    }
}
_FEATURES = {
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a"]},
            "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        }
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "by_l",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "l", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
    "StreamDescription": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"},
}
_EXPIRING = Step(
    "UpdateTimeToLive", {"TableName": T0, "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "until"}}
)
_UNRECORDED = (
    "Tags",
    "PointInTimeRecoveryDescription",
    "TableClassSummary",
    "DeletionProtectionEnabled",
    "WarmThroughput",
    "TableStatus",
)
TO_5: Mapping[str, Json] = {"t0": {**table(), "BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS}}
"""A table with 5 and 5 provisioned units."""
_HIGHER = Step(
    "UpdateTable",
    {"TableName": T0, "ProvisionedThroughput": {"ReadCapacityUnits": 9, "WriteCapacityUnits": 9}},
)

TELLING: tuple[Check, ...] = (
    answers(
        "backups.description",
        _describe(),
        given=[back_up()],
        has={
            "TableName": T0,
            "TableId": reply(0, "TableDescription.TableId"),
            "TableArn": TABLE_ARN,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "TableCreationDateTime": reply(0, "TableDescription.CreationDateTime"),
            "BillingMode": "PAY_PER_REQUEST",
            "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        },
        lacks=("OnDemandThroughput", *_UNRECORDED),
        at="BackupDescription.SourceTableDetails",
        name="plain",
    ),
    answers(
        "backups.description",
        _describe(),
        given=[back_up()],
        has={"SourceTableFeatureDetails": {}},
        at="BackupDescription",
        name="plain, features",
    ),
    answers(
        "backups.description",
        _describe(reply(2, MADE)),
        tables=_RICH,
        given=[_EXPIRING, back_up()],
        has={"SourceTableFeatureDetails": _FEATURES},
        at="BackupDescription",
        name="features",
    ),
    answers(
        "backups.description",
        _describe(reply(2, MADE)),
        tables=_RICH,
        given=[recovery(on=True), back_up()],
        has={"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]},
        lacks=_UNRECORDED,
        at="BackupDescription.SourceTableDetails",
        name="settings that are not recorded",
    ),
    answers(
        "backups.description",
        _describe(),
        tables=TO_5,
        given=[back_up(), _HIGHER],
        has={"BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS},
        at="BackupDescription.SourceTableDetails",
        name="as it was",
    ),
    answers(
        "backups.description",
        _describe(),
        tables={"t0": {**table(), "OnDemandThroughput": {"MaxReadRequestUnits": 7}}},
        given=[back_up()],
        has={"OnDemandThroughput": {"MaxReadRequestUnits": 7}},
        at="BackupDescription.SourceTableDetails",
        name="on-demand maxima",
    ),
    answers("backups.list", _list(), given=[back_up()], body={"BackupSummaries": [_SUMMARY]}, name="one"),
    answers("backups.list", _list(), body={"BackupSummaries": []}, name="none"),
    answers("backups.list", _list(TableName=GONE), given=[back_up()], body={"BackupSummaries": []}, name="no table"),
    answers(
        "backups.list",
        _list(),
        given=[back_up(), delete_backup()],
        body={"BackupSummaries": []},
        name="deleted",
    ),
    answers(
        "backups.list",
        _list(),
        given=[back_up(), drop()],
        body={"BackupSummaries": [_SUMMARY]},
        name="of a table that is gone",
    ),
    *(
        answers(
            "backups.list",
            _list(BackupType=kind),
            given=[back_up()],
            body={"BackupSummaries": found},
            name=f"BackupType {kind}",
        )
        for kind, found in (("USER", [_SUMMARY]), ("ALL", [_SUMMARY]), ("SYSTEM", []), ("AWS_BACKUP", []))
    ),
    answers(
        "backups.list",
        _list(TimeRangeLowerBound=reply(1, _CREATED)),
        given=[back_up()],
        body={"BackupSummaries": [_SUMMARY]},
        name="lower bound included",
    ),
    answers(
        "backups.list",
        _list(TimeRangeUpperBound=reply(1, _CREATED)),
        given=[back_up()],
        body={"BackupSummaries": []},
        name="upper bound excluded",
    ),
    answers(
        "backups.list",
        _list(Limit=1, ExclusiveStartBackupArn=reply(3, "LastEvaluatedBackupArn")),
        given=[back_up(), back_up("another"), _list(Limit=1)],
        lacks=("LastEvaluatedBackupArn",),
        name="the last page",
    ),
    answers(
        "backups.list",
        _list(Limit=1, ExclusiveStartBackupArn=reply(4, "LastEvaluatedBackupArn")),
        given=[back_up(), back_up("b-2"), back_up("b-3"), _list(Limit=2)],
        has={"TableName": T0, "BackupStatus": "AVAILABLE"},
        at="BackupSummaries[0]",
        name="the page goes on",
    ),
    refuses(
        "backups.list-range",
        _list(TimeRangeLowerBound=1_500_000_001, TimeRangeUpperBound=1_500_000_000),
        phrase="Time range lower bound must be less than or equal to upper bound",
        control=_list(TimeRangeLowerBound=1_500_000_000, TimeRangeUpperBound=1_500_000_000),
    ),
    refuses(
        "backups.list-region",
        _list(ExclusiveStartBackupArn="arn:aws:dynamodb:eu-west-1:400000000004:table/t/backup/01500000000000-12345678"),
        "Invalid Request: The supplied ExclusiveStartBackupArn does not match the region",
        control=_list(ExclusiveStartBackupArn=NO_BACKUP),
    ),
)


def _unknown(rule: str, arn: str, message: str, name: str, code: str = "ValidationException") -> tuple[Check, ...]:
    """A backup that can't be named so, in each operation on one backup."""
    return tuple(
        refuses(rule, step, message, code=code, given=[back_up()], control=good, name=f"{name}, {step.operation}")
        for step, good in (
            (_describe(arn), _describe()),
            (delete_backup(arn), delete_backup()),
        )
    )


_EXPIRES = 35 * 86_400
_SYSTEM = _list(BackupType="SYSTEM")
_SYSTEM_ARN = reply(3, "BackupSummaries[0].BackupArn")
_GONE_WITH_RECOVERY: Sequence[Step] = (recovery(on=True), drop(), _SYSTEM)

NAMING: tuple[Check, ...] = (
    *_unknown("backups.arn-malformed", "x" * 37, "Invalid Backup ARN", "no ARN"),
    refuses(
        "backups.arn-malformed",
        Step("DescribeBackup", {"BackupArn": ""}),
        "Invalid Backup ARN",
        control=Step("ListBackups", {}),
        name="nothing",
    ),
    *_unknown("backups.arn-malformed", TABLE_ARN, "Invalid Backup ARN", "the ARN of a table"),
    *_unknown(
        "backups.arn-invalid",
        "arn:aws:s3:us-east-1:400000000004:table/t/backup/01500000000000-12345678",
        "Invalid Request: BackupArn is not valid",
        "another service",
    ),
    *_unknown(
        "backups.access-denied",
        "arn:aws:dynamodb:us-east-1:999999999999:table/t/backup/01500000000000-12345678",
        "Access is denied",
        "another account",
        "AccessDeniedException",
    ),
    *_unknown(
        "backups.not-found", NO_BACKUP, f"Backup not found: {NO_BACKUP}", "never made", "BackupNotFoundException"
    ),
    refuses(
        "backups.not-found",
        _describe(),
        f"Backup not found: {ARN}",
        code="BackupNotFoundException",
        given=[back_up(), delete_backup()],
        control=back_up(),
        name="deleted",
    ),
    refuses(
        "backups.not-found",
        delete_backup(),
        f"Backup not found: {ARN}",
        code="BackupNotFoundException",
        given=[back_up(), delete_backup()],
        control=back_up(),
        name="deleted twice",
    ),
    refuses(
        "backups.not-found",
        _describe("arn:aws:dynamodb:eu-west-1:400000000004:table/t/backup/01500000000000-12345678"),
        "Backup not found: arn:aws:dynamodb:eu-west-1:400000000004:table/t/backup/01500000000000-12345678",
        code="BackupNotFoundException",
        control=back_up(),
        name="of another region",
    ),
    answers(
        "backups.system",
        _SYSTEM,
        given=_GONE_WITH_RECOVERY[:2],
        has={
            "BackupName": f"{T0}$DeletedTableBackup",
            "BackupType": "SYSTEM",
            "BackupStatus": "AVAILABLE",
            "TableName": T0,
            "TableId": reply(0, "TableDescription.TableId"),
        },
        at="BackupSummaries[0]",
        name="made",
    ),
    answers("backups.system", _SYSTEM, given=[drop()], body={"BackupSummaries": []}, name="without recovery"),
    answers(
        "backups.system",
        _list(),
        given=_GONE_WITH_RECOVERY[:2],
        body={"BackupSummaries": []},
        name="not listed unless asked for",
    ),
    answers(
        "backups.system",
        _describe(_SYSTEM_ARN),
        given=_GONE_WITH_RECOVERY,
        has={"BackupType": "SYSTEM", "BackupExpiryDateTime": reply(3, "BackupSummaries[0].BackupExpiryDateTime")},
        at="BackupDescription.BackupDetails",
        name="expires",
    ),
    refuses(
        "backups.not-found",
        _describe(_SYSTEM_ARN),
        f"Backup not found: {_SYSTEM_ARN}",
        code="BackupNotFoundException",
        given=_GONE_WITH_RECOVERY,
        control=_SYSTEM,
        pause=_EXPIRES + 3_600.0,
        name="expired",
    ),
    refuses(
        "backups.delete-system",
        delete_backup(_SYSTEM_ARN),
        phrase=f"Invalid Request: User is not allowed to delete the system backup with arn {_SYSTEM_ARN}. "
        "It will automatically expire on ",
        given=_GONE_WITH_RECOVERY,
        control=_describe(_SYSTEM_ARN),
    ),
)

CHECKS: tuple[Check, ...] = (*MAKING, *TELLING, *NAMING)
