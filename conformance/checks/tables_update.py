"""Checks of UpdateTable: what a table may become, and what may not be asked for together."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import INVALID, answers, refuses
from conformance.checks.tables import IN_USE, UNITS, definitions, drop, schema
from conformance.checks.wire_constraints import create
from conformance.program import Step
from reference.api import Json

_PROVISIONED: dict[str, Json] = {"t0": {**table(), "BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS}}
_ON_DEMAND: dict[str, Json] = {"t0": table()}
_STREAMED: dict[str, Json] = {
    "t0": {**table(), "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}}
}
ON = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
_OFF = {"StreamEnabled": False}
_WARM: dict[str, Json] = {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000}
PROTECT = {"DeletionProtectionEnabled": True}
INFREQUENT = {"TableClass": "STANDARD_INFREQUENT_ACCESS"}


def change(**members: Json) -> Step:
    """UpdateTable of the check's table."""
    return Step("UpdateTable", {"TableName": T0, **members})


def units(read: int, write: int = 5) -> dict[str, Json]:
    """A ProvisionedThroughput member."""
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


def adding(name: str = "by_g", **members: Json) -> dict[str, Json]:
    """UpdateTable's members for a new global index on the attribute ``g``."""
    index = {
        "IndexName": name,
        "KeySchema": schema("g:HASH"),
        "Projection": {"ProjectionType": "ALL"},
        **members,
    }
    return {"AttributeDefinitions": definitions("pk:S g:S"), "GlobalSecondaryIndexUpdates": [{"Create": index}]}


def changing(
    rule: str,
    when: Step,
    message: str | None = None,
    *,
    control: Step | None = None,
    name: str = "",
    phrase: str | None = None,
    tables: dict[str, Json] = _ON_DEMAND,
    given: Sequence[Step] = (),
    code: str = "ValidationException",
    needs: str = "",
) -> Check:
    """A refused UpdateTable; the control switches deletion protection off, which it is, by default."""
    return refuses(
        rule,
        when,
        message,
        phrase=phrase,
        tables=tables,
        given=given,
        control=control or change(DeletionProtectionEnabled=False),
        name=name,
        code=code,
        needs=needs,
    )


_NOTHING = (
    "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, "
    "SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, "
    "DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required"
)
_SAME = (
    "The provisioned throughput for the table will not change. The requested value equals the current value. Current "
    "ReadCapacityUnits provisioned for the table: 5. Requested ReadCapacityUnits: 5. Current WriteCapacityUnits "
    "provisioned for the table: 5. Requested WriteCapacityUnits: 5. Refer to the Amazon DynamoDB Developer Guide for "
    "current limits and how to request higher limits."
)
_NO_UNITS = f"{INVALID}ProvisionedThroughput must be specified when BillingMode is PROVISIONED"
_QUOTA = "exceeds TableMaxReadCapacityUnits of the account in region"

BILLING: tuple[Check, ...] = (
    changing("tables.update-nothing", change(), _NOTHING),
    changing("tables.update-nothing", change(AttributeDefinitions=definitions("pk:S")), _NOTHING, name="definitions"),
    changing(
        "tables.update-nothing",
        change(MultiRegionConsistency="STRONG"),
        _NOTHING.replace("MultiRegionConsistency, ", ""),
        name="consistency between Regions",
    ),
    changing(
        "tables.switch-with-units",
        change(BillingMode="PAY_PER_REQUEST", **units(5)),
        f"{INVALID}ProvisionedThroughput cannot be specified when BillingMode is PAY_PER_REQUEST",
        tables=_PROVISIONED,
        control=change(BillingMode="PAY_PER_REQUEST"),
    ),
    changing(
        "tables.switch-without-units",
        change(BillingMode="PROVISIONED"),
        _NO_UNITS,
        control=change(BillingMode="PROVISIONED", **units(5)),
        name="on demand",
    ),
    changing(
        "tables.switch-without-units",
        change(BillingMode="PROVISIONED"),
        _NO_UNITS,
        tables=_PROVISIONED,
        name="provisioned",
    ),
    changing(
        "tables.units-on-demand",
        change(**units(5)),
        f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
        "PAY_PER_REQUEST",
        name="UpdateTable",
    ),
    changing("tables.units-unchanged", change(**units(5)), _SAME, tables=_PROVISIONED, control=change(**units(6))),
    answers(
        "tables.update-answer",
        change(BillingMode="PAY_PER_REQUEST"),
        at="TableDescription",
        has={"TableStatus": "UPDATING"},
        tables=_ON_DEMAND,
        name="on demand again",
    ),
    answers(
        "tables.update-answer",
        change(**units(4, 7)),
        at="TableDescription.ProvisionedThroughput",
        has={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5, "NumberOfDecreasesToday": 0},
        tables=_PROVISIONED,
        name="units as they were",
    ),
    answers(
        "tables.update-answer",
        Step("DescribeTable", {"TableName": T0}),
        at="Table.ProvisionedThroughput",
        has={"ReadCapacityUnits": 6, "WriteCapacityUnits": 7},
        tables=_PROVISIONED,
        given=[change(**units(6, 7))],
        name="units afterwards",
    ),
    answers(
        "tables.description",
        Step("DescribeTable", {"TableName": T0}),
        at="Table.ProvisionedThroughput",
        has={"ReadCapacityUnits": 0, "WriteCapacityUnits": 0, "NumberOfDecreasesToday": 1},
        tables=_PROVISIONED,
        given=[change(**units(4)), change(BillingMode="PAY_PER_REQUEST")],
        name="decreases before on-demand billing",
    ),
    answers(
        "tables.update-answer",
        change(WarmThroughput={"ReadUnitsPerSecond": 13_000}),
        at="TableDescription",
        has={"TableStatus": "ACTIVE", "WarmThroughput": {**_WARM, "Status": "UPDATING"}},
        name="warm throughput as it was",
    ),
    answers(
        "tables.update-answer",
        Step("DescribeTable", {"TableName": T0}),
        at="Table",
        has={"WarmThroughput": {"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 4_000, "Status": "ACTIVE"}},
        given=[change(WarmThroughput={"ReadUnitsPerSecond": 13_000})],
        name="warm throughput afterwards",
        needs="expensive",
    ),
    answers(
        "tables.update-answer",
        Step("DescribeTable", {"TableName": T0}),
        at="Table",
        has={"WarmThroughput": {**_WARM, "Status": "ACTIVE"}},
        tables=_PROVISIONED,
        given=[change(BillingMode="PAY_PER_REQUEST")],
        name="warm throughput of on-demand billing",
        needs="expensive",
    ),
    answers(
        "tables.update-answer",
        change(**PROTECT),
        at="TableDescription",
        has={"DeletionProtectionEnabled": True, "TableStatus": "ACTIVE"},
        name="deletion protection at once",
    ),
    answers(
        "tables.update-answer",
        Step("DescribeTable", {"TableName": T0}),
        at="Table",
        has={"OnDemandThroughput": {"MaxReadRequestUnits": 7, "MaxWriteRequestUnits": 9}},
        given=[
            change(OnDemandThroughput={"MaxReadRequestUnits": 7}),
            change(OnDemandThroughput={"MaxWriteRequestUnits": 9}),
        ],
        name="maxima merge",
    ),
    answers(
        "tables.update-answer",
        Step("DescribeTable", {"TableName": T0}),
        at="Table",
        lacks=("OnDemandThroughput",),
        given=[
            change(OnDemandThroughput={"MaxReadRequestUnits": 7}),
            change(OnDemandThroughput={"MaxReadRequestUnits": -1}),
        ],
        name="maximum lifted",
    ),
    changing(
        "tables.decrease-limit",
        change(**units(1)),
        phrase="Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day.",
        code="LimitExceededException",
        tables={"t0": {**table(), "BillingMode": "PROVISIONED", **units(9)}},
        given=[change(**units(read)) for read in (8, 7, 6, 5)],
        control=change(**units(10)),
    ),
    changing(
        "tables.on-demand-switches",
        change(BillingMode="PAY_PER_REQUEST"),
        phrase="Subscriber limit exceeded: Update to PayPerRequest mode are limited",
        code="LimitExceededException",
        tables=_PROVISIONED,
        given=[
            step
            for _ in range(4)
            for step in (change(BillingMode="PAY_PER_REQUEST"), change(BillingMode="PROVISIONED", **units(5)))
        ],
        control=change(**units(6)),
    ),
    changing(
        "tables.update-on-demand-limit-provisioned",
        change(OnDemandThroughput={"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": 5}),
        f"{INVALID}MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is "
        "PROVISIONED",
        tables=_PROVISIONED,
    ),
    changing(
        "tables.update-on-demand-limit-provisioned",
        change(OnDemandThroughput={"MaxReadRequestUnits": 5}),
        f"{INVALID}MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is "
        "PROVISIONED",
        tables=_PROVISIONED,
        given=[change(BillingMode="PAY_PER_REQUEST")],
        needs="slow update",
        name="the billing mode changes",
    ),
    changing(
        "tables.on-demand-limit-out-of-range",
        change(OnDemandThroughput={"MaxReadRequestUnits": 0}),
        f"{INVALID}Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range",
        control=change(OnDemandThroughput={"MaxReadRequestUnits": -1}),
        name="UpdateTable",
    ),
    changing(
        "account.on-demand-limit",
        change(OnDemandThroughput={"MaxReadRequestUnits": 40_001}),
        phrase=_QUOTA,
        code="LimitExceededException",
        control=change(OnDemandThroughput={"MaxReadRequestUnits": 40_000}),
    ),
    changing(
        "account.warm-limit",
        change(WarmThroughput={"ReadUnitsPerSecond": 40_001}),
        phrase="Subscriber limit exceeded: Requested ReadUnitsPerSecond for WarmThroughput for table exceeds "
        "TableMaxReadCapacityUnits of the account in region",
        code="LimitExceededException",
    ),
    refuses(
        "account.on-demand-limit",
        create(OnDemandThroughput={"MaxReadRequestUnits": 40_001}),
        phrase="Subscriber limit exceeded: Requested MaxReadRequestUnits for OnDemandThroughput",
        code="LimitExceededException",
        control=create(OnDemandThroughput={"MaxReadRequestUnits": 40_000}),
        name="CreateTable",
    ),
    changing(
        "account.table-units",
        change(**units(40_001)),
        phrase="is above the per table maximum for the account in",
        code="LimitExceededException",
        tables=_PROVISIONED,
        name="UpdateTable",
    ),
    changing(
        "tables.units-changing",
        change(**units(7)),
        f"{IN_USE}Table IOPS are currently being updated. Table: {T0}",
        code="ResourceInUseException",
        tables=_PROVISIONED,
        given=[change(**units(6))],
        control=Step("DescribeTable", {"TableName": T0}),
        needs="slow update",
    ),
    changing(
        "tables.units-changing",
        change(BillingMode="PROVISIONED", **units(5)),
        f"{IN_USE}Table IOPS are currently being updated. Table: {T0}",
        code="ResourceInUseException",
        tables=_PROVISIONED,
        given=[change(BillingMode="PAY_PER_REQUEST")],
        control=Step("DescribeTable", {"TableName": T0}),
        needs="slow update",
        name="billing mode back",
    ),
    answers(
        "tables.switch-taken-back",
        change(BillingMode="PAY_PER_REQUEST"),
        at="TableDescription",
        has={
            "TableStatus": "UPDATING",
            "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        },
        given=[change(BillingMode="PROVISIONED", **units(5))],
        needs="slow update",
        name="as told",
    ),
    answers(
        "tables.switch-taken-back",
        Step("DescribeTable", {"TableName": T0}),
        at="Table.ProvisionedThroughput",
        has={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        given=[change(BillingMode="PROVISIONED", **units(5)), change(BillingMode="PAY_PER_REQUEST")],
        needs="slow update",
        name="as it is",
    ),
    changing(
        "tables.warm-decrease",
        change(WarmThroughput={"ReadUnitsPerSecond": 11_000, "WriteUnitsPerSecond": 4_000}),
        f"{INVALID}Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current WarmThroughput, "
        "decreasing WarmThroughput is not supported",
        control=change(WarmThroughput={"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 4_000}),
    ),
)

SETTINGS: tuple[Check, ...] = (
    changing(
        "tables.update-empty-throughput",
        change(WarmThroughput={}),
        phrase="",
        code="InternalFailure",
        name="WarmThroughput",
    ),
    changing(
        "tables.update-empty-throughput",
        change(OnDemandThroughput={}),
        phrase="",
        code="InternalFailure",
        name="OnDemandThroughput",
    ),
    changing(
        "tables.replicas",
        change(ReplicaUpdates=[{"Create": {"RegionName": "us-fake-1"}}]),
        phrase="Region us-fake-1 is not supported. The latest version of global tables are only supported in the "
        "following regions: [",
    ),
    changing(
        "tables.stream-enable-without-view-type",
        change(StreamSpecification={"StreamEnabled": True}),
        f"{INVALID}If stream is being enabled then UpdateViewType is required",
        control=change(StreamSpecification=ON),
    ),
    changing(
        "tables.stream-disable-with-view-type",
        change(StreamSpecification={**ON, "StreamEnabled": False}),
        f"{INVALID}If stream is being disabled, then UpdateViewType must not be specified",
        tables=_STREAMED,
        control=change(StreamSpecification=_OFF),
    ),
    changing(
        "tables.stream-with-units",
        change(StreamSpecification=ON, **units(6)),
        f"{INVALID}You cannot modify stream status while updating table IOPS",
        tables=_PROVISIONED,
        control=change(StreamSpecification=ON),
    ),
    changing(
        "tables.stream-with-index",
        change(StreamSpecification=ON, **adding()),
        f"{INVALID}You cannot create or delete index while changing stream status",
        control=change(StreamSpecification=ON),
    ),
    changing(
        "tables.index-with-units",
        change(**units(6), **adding(ProvisionedThroughput=UNITS)),
        f"{INVALID}You cannot create or delete index while updating table IOPS",
        tables=_PROVISIONED,
        control=change(**units(6)),
    ),
    changing(
        "tables.stream-enabled-already",
        change(StreamSpecification=ON),
        f"Table already has an enabled stream: TableName: {T0}",
        tables=_STREAMED,
        control=change(StreamSpecification=_OFF),
    ),
    changing(
        "tables.stream-enabled-already",
        change(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}),
        f"Table already has an enabled stream: TableName: {T0}",
        tables=_STREAMED,
        name="the same view type",
    ),
    changing(
        "tables.stream-disabled-already",
        change(StreamSpecification=_OFF),
        f"Table has no stream to disable: TableName: {T0}",
        control=change(StreamSpecification=ON),
    ),
    changing(
        "tables.stream-changing",
        change(StreamSpecification=_OFF),
        phrase="Attempt to change a resource which is still in use",
        code="ResourceInUseException",
        given=[change(StreamSpecification=ON)],
        control=Step("DescribeTable", {"TableName": T0}),
        needs="slow update",
    ),
    changing(
        "tables.being-updated",
        change(BillingMode="PROVISIONED", **units(5)),
        phrase="Attempt to change a resource which is still in use",
        code="ResourceInUseException",
        given=[change(**INFREQUENT)],
        control=Step("DescribeTable", {"TableName": T0}),
        needs="slow update",
    ),
    changing(
        "tables.protection-cooldown",
        change(DeletionProtectionEnabled=False),
        phrase=f"Deletion protection setting for table {T0} modified within the previous",
        code="ThrottlingException",
        given=[change(**PROTECT)],
        control=Step("DescribeTable", {"TableName": T0}),
        needs="cooldowns",
    ),
)

DELETIONS: tuple[Check, ...] = (
    changing(
        "tables.delete-while-updating",
        drop(),
        f"{IN_USE}Table: {T0} is in the process of being updated.",
        code="ResourceInUseException",
        given=[change(**INFREQUENT)],
        control=Step("DescribeTable", {"TableName": T0}),
        needs="slow update",
    ),
    changing(
        "tables.delete-while-streaming",
        drop(),
        f"{IN_USE}Cannot delete table while stream is being enabled/disabled.",
        code="ResourceInUseException",
        given=[change(StreamSpecification=ON)],
        control=Step("DescribeTable", {"TableName": T0}),
        needs="slow update",
    ),
    changing(
        "tables.delete-while-indexing",
        drop(),
        f"{IN_USE}Cannot delete table while indexes are being created, updated, or deleted.",
        code="ResourceInUseException",
        given=[change(**adding())],
        control=Step("DescribeTable", {"TableName": T0}),
        needs="slow backfill",
    ),
)

CHECKS: tuple[Check, ...] = (*BILLING, *SETTINGS, *DELETIONS)
