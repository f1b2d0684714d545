"""Checks of what a restore overrides, and of the table that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.checks.backups import ARN, MADE, TABLE_ARN, TO_5, back_up
from conformance.checks.backups_restores import T1, recover, restore
from conformance.checks.base import T0, Check, table
from conformance.checks.settings import recovery
from conformance.checks.steps import KEY, PLAIN, answers, delete, item, n, put, refuses, reply, s
from conformance.checks.tables import UNITS
from conformance.program import Step
from reference.api import Json

_ON = recovery(on=True)
_TWO: dict[str, Json] = {"ReadCapacityUnits": 2, "WriteCapacityUnits": 3}


def _overridden(
    rule: str,
    phrase: str,
    asked: Mapping[str, Json],
    control: Mapping[str, Json],
    *,
    tables: Mapping[str, Json] = PLAIN,
    name: str = "",
) -> tuple[Check, Check]:
    """A restore whose overrides do not fit, from a backup and to a point in time."""
    return (
        refuses(
            rule,
            restore(**asked),
            phrase=phrase,
            tables=tables,
            given=[back_up()],
            control=restore(**control),
            name=f"{name} backup".strip(),
        ),
        refuses(
            rule,
            recover(**asked),
            phrase=phrase,
            tables=tables,
            given=[_ON],
            control=recover(**control),
            name=f"{name} point in time".strip(),
        ),
    )


def _index(name: str = "by_g", projection: str = "ALL", key: str = "g", **members: Json) -> dict[str, Json]:
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": projection},
        **members,
    }


_INDEXED: Mapping[str, Json] = {"t0": table(key="pk:S,sk:N", gsi=["by_g=g:S"], lsi=["by_l=pk:S,l:N/KEYS_ONLY"])}
_BILLED: Mapping[str, Json] = {
    "t0": {
        **_INDEXED["t0"],
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": UNITS,
        "GlobalSecondaryIndexes": [_index(ProvisionedThroughput=UNITS)],
    }
}
_TO_UNITS: dict[str, Json] = {"BillingModeOverride": "PROVISIONED", "ProvisionedThroughputOverride": _TWO}
_TO_REQUESTS: dict[str, Json] = {"BillingModeOverride": "PAY_PER_REQUEST"}
_UNMATCHED = (
    "does not match a secondary index that existed in the source table and cannot be created during the restore "
    "operation"
)

OVERRIDES: tuple[Check, ...] = (
    *_overridden(
        "backups.restore-units-missing",
        "Must override ProvisionedThroughput if BillingMode is overridden to PROVISIONED",
        {"BillingModeOverride": "PROVISIONED"},
        _TO_UNITS,
    ),
    *_overridden(
        "backups.restore-units-on-demand",
        "Invalid Request: Cannot override ProvisionedThroughput if BillingMode is overridden to PAY_PER_REQUEST",
        {**_TO_REQUESTS, "ProvisionedThroughputOverride": _TWO},
        _TO_REQUESTS,
        tables=TO_5,
    ),
    *_overridden(
        "backups.restore-units-not-provisioned",
        "Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED",
        {"ProvisionedThroughputOverride": _TWO},
        _TO_UNITS,
    ),
    *_overridden(
        "backups.restore-index-units-missing",
        "Must specify provisioned throughput for index by_g",
        {**_TO_UNITS, "GlobalSecondaryIndexOverride": [_index()]},
        {**_TO_UNITS, "GlobalSecondaryIndexOverride": [_index(ProvisionedThroughput=_TWO)]},
        tables=_INDEXED,
    ),
    *_overridden(
        "backups.restore-index-units-missing",
        "Must specify provisioned throughput for index by_g",
        _TO_UNITS,
        {**_TO_UNITS, "GlobalSecondaryIndexOverride": []},
        tables=_INDEXED,
        name="no override",
    ),
    *_overridden(
        "backups.restore-index-units-on-demand",
        "for index by_g",
        {**_TO_REQUESTS, "GlobalSecondaryIndexOverride": [_index(ProvisionedThroughput=_TWO)]},
        {**_TO_REQUESTS, "GlobalSecondaryIndexOverride": [_index()]},
        tables=_BILLED,
    ),
    *(
        check
        for member in ("MaxReadRequestUnits", "MaxWriteRequestUnits")
        for check in (
            *_overridden(
                "backups.restore-limit-provisioned",
                f"Cannot override {member} for OnDemandThroughput unless BillingModeOverride is PAY_PER_REQUEST",
                {"OnDemandThroughputOverride": {member: 5}},
                {**_TO_REQUESTS, "OnDemandThroughputOverride": {member: 5}},
                tables=TO_5,
                name=member,
            ),
            *_overridden(
                "backups.restore-limit-range",
                f"Requested {member} for OnDemandThroughput is outside of valid range",
                {"OnDemandThroughputOverride": {member: 0}},
                {"OnDemandThroughputOverride": {member: 1}},
                name=member,
            ),
        )
    ),
    *_overridden(
        "backups.restore-index-unknown",
        f"Invalid Request: Index by_g {_UNMATCHED}",
        {"GlobalSecondaryIndexOverride": [_index(projection="KEYS_ONLY")]},
        {"GlobalSecondaryIndexOverride": [_index()]},
        tables=_INDEXED,
        name="projection",
    ),
    *_overridden(
        "backups.restore-index-unknown",
        f"Invalid Request: Index by_pk {_UNMATCHED}",
        {"GlobalSecondaryIndexOverride": [_index("by_pk", key="pk")]},
        {"GlobalSecondaryIndexOverride": [_index("by_another_name")]},
        tables=_INDEXED,
        name="key",
    ),
    refuses(
        "backups.restore-warm",
        recover(
            GlobalSecondaryIndexOverride=[
                _index(WarmThroughput={"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 5_000})
            ]
        ),
        phrase="",
        tables=_INDEXED,
        given=[_ON],
        control=recover(GlobalSecondaryIndexOverride=[_index()]),
    ),
)


def _restored(
    name: str,
    when: Step,
    *,
    tables: Mapping[str, Json] = PLAIN,
    given: Sequence[Step] | None = None,
    has: Mapping[str, Json] | None = None,
    lacks: Sequence[str] = (),
    at: str = "",
    **override: Json,
) -> tuple[Check, Check]:
    """What is so of a restored table, from a backup and to a point in time. ``given`` comes before the backup."""
    first = tuple(given or ())
    arn = reply(1 + len(first), MADE)
    return (
        answers(
            "backups.restored",
            when,
            tables=tables,
            given=[*first, back_up(), restore(arn, **override)],
            has=has,
            lacks=lacks,
            at=at,
            name=f"{name}, backup",
        ),
        answers(
            "backups.restored",
            when,
            tables=tables,
            given=[*first, _ON, recover(**override)],
            has=has,
            lacks=lacks,
            at=at,
            name=f"{name}, point in time",
        ),
    )


_TELL = Step("DescribeTable", {"TableName": T1})
_ALL = Step("Scan", {"TableName": T1, "ConsistentRead": True})
_ROWS = [put({"v": n(1)}), delete({"pk": s("b")})]
_SET: Mapping[str, Json] = {
    "t0": {
        **table(),
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        "DeletionProtectionEnabled": True,
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
        "Tags": [{"Key": "k", "Value": "v"}],
    }
}
_EXPIRING = Step(
    "UpdateTimeToLive", {"TableName": T0, "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "until"}}
)
_SPENT: dict[str, Json] = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
_INDEXES = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
_PAIR = {"pk": s("a"), "sk": n(1), "g": s("x"), "l": n(2)}

RESTORED: tuple[Check, ...] = (
    answers(
        "backups.restored",
        restore(),
        given=[back_up()],
        has={
            "SourceBackupArn": ARN,
            "SourceTableArn": TABLE_ARN,
            "RestoreInProgress": True,
        },
        at="TableDescription.RestoreSummary",
        name="RestoreSummary, backup",
    ),
    answers(
        "backups.restored",
        recover(),
        given=[_ON],
        has={
            "SourceTableArn": TABLE_ARN,
            "RestoreInProgress": True,
        },
        lacks=("SourceBackupArn",),
        at="TableDescription.RestoreSummary",
        name="RestoreSummary, point in time",
    ),
    answers(
        "backups.restored",
        restore(),
        given=[back_up()],
        has={"TableName": T1, "TableStatus": "CREATING"},
        at="TableDescription",
        name="CREATING",
    ),
    *_restored("ACTIVE", _TELL, has={"TableStatus": "ACTIVE"}, lacks=("RestoreSummary",), at="Table"),
    *_restored("items", _ALL, given=_ROWS, has={"Items": [item(v=n(1))], "Count": 1}),
    answers(
        "backups.restored",
        Step("GetItem", {"TableName": T1, "Key": KEY, "ConsistentRead": True}),
        given=[put({"v": n(1)}), back_up(), put({"v": n(2)}), restore(reply(2, MADE))],
        body={"Item": item(v=n(1))},
        name="as it was when backed up",
    ),
    *_restored(
        "items of an index",
        Step("Scan", {"TableName": T1, "IndexName": "by_l"}),
        tables=_INDEXED,
        given=[Step("PutItem", {"TableName": T0, "Item": {**_PAIR, "v": n(3)}})],
        has={"Items": [{"pk": s("a"), "sk": n(1), "l": n(2)}]},
    ),
    *_restored(
        "settings",
        _TELL,
        tables=_SET,
        has={"DeletionProtectionEnabled": False},
        lacks=("StreamSpecification", "LatestStreamArn", "TableClassSummary"),
        at="Table",
    ),
    answers(
        "backups.restored",
        Step("ListTagsOfResource", {"ResourceArn": reply(2, "TableDescription.TableArn")}),
        tables=_SET,
        given=[back_up(), restore()],
        has={"Tags": []},
        name="tags",
    ),
    *_restored(
        "time to live",
        Step("DescribeTimeToLive", {"TableName": T1}),
        given=[_EXPIRING],
        has={"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}},
    ),
    *_restored(
        "recovery",
        Step("DescribeContinuousBackups", {"TableName": T1}),
        has={"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"}},
        at="ContinuousBackupsDescription",
    ),
    *_restored(
        "units",
        Step("DescribeTable", {"TableName": T1}),
        tables=TO_5,
        has={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        at="Table.ProvisionedThroughput",
    ),
    *_restored(
        "units of an index",
        _TELL,
        tables=_BILLED,
        has={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        at="Table.GlobalSecondaryIndexes[0].ProvisionedThroughput",
    ),
    *_restored(
        "on-demand maxima",
        _TELL,
        tables={"t0": {**table(), "OnDemandThroughput": {"MaxReadRequestUnits": 7}}},
        has={"MaxReadRequestUnits": 7},
        at="Table.OnDemandThroughput",
    ),
    *_restored(
        "all indexes",
        _TELL,
        tables=_INDEXED,
        has={"IndexName": "by_g", "IndexStatus": "ACTIVE", "Projection": {"ProjectionType": "ALL"}},
        at="Table.GlobalSecondaryIndexes[0]",
    ),
    answers(
        "backups.restored",
        _TELL,
        tables=_INDEXED,
        given=[back_up(), restore()],
        has={"IndexName": "by_g"},
        lacks=("IndexStatus",),
        at="Table.GlobalSecondaryIndexes[0]",
        needs="slow restore",
        name="an index, while restoring",
    ),
    *_restored(
        "no indexes",
        _TELL,
        tables=_INDEXED,
        lacks=_INDEXES,
        at="Table",
        GlobalSecondaryIndexOverride=[],
        LocalSecondaryIndexOverride=[],
    ),
    *_restored(
        "only local indexes",
        _TELL,
        tables=_INDEXED,
        lacks=_INDEXES[:1],
        has={"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]},
        at="Table",
        GlobalSecondaryIndexOverride=[],
    ),
    *_restored(
        "an index of another name",
        _TELL,
        tables=_INDEXED,
        has={"IndexName": "renamed"},
        at="Table.GlobalSecondaryIndexes[0]",
        GlobalSecondaryIndexOverride=[_index("renamed")],
    ),
    *_restored(
        "to provisioned",
        _TELL,
        has=_TWO,
        at="Table.ProvisionedThroughput",
        **_TO_UNITS,
    ),
    *_restored(
        "to on demand",
        _TELL,
        tables=_BILLED,
        has=_SPENT,
        at="Table.GlobalSecondaryIndexes[0].ProvisionedThroughput",
        **_TO_REQUESTS,
    ),
    *_restored(
        "other units, not those of its index",
        _TELL,
        tables=_BILLED,
        has={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        at="Table.GlobalSecondaryIndexes[0].ProvisionedThroughput",
        ProvisionedThroughputOverride=_TWO,
    ),
)

CHECKS: tuple[Check, ...] = (*OVERRIDES, *RESTORED)
