"""Checks of how secondary indexes are added to a table, changed and removed."""

from __future__ import annotations

from conformance.checks.base import T0, Check, table
from conformance.checks.indexes_definitions import index
from conformance.checks.steps import INVALID, answers, describe, put, query, refuses, s, scan
from conformance.checks.tables import IN_USE, UNITS, definitions, schema
from conformance.checks.tables_update import INFREQUENT, ON, change, changing, units
from conformance.program import Step
from reference.api import Json

_INDEXED: dict[str, Json] = {"t0": table(gsi=["by_g=g:S"])}
_LOCALLY: dict[str, Json] = {"t0": table(key="pk:S,sk:S", lsi=["by_l=pk:S,l:S"])}
_PROVISIONED: dict[str, Json] = {
    "t0": {
        **table(gsi=["by_g=g:S"]),
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": UNITS,
        "GlobalSecondaryIndexes": [index(ProvisionedThroughput=UNITS)],
    }
}


def _updates(*updates: dict[str, Json], types: str = "", **members: Json) -> Step:
    defined = {"AttributeDefinitions": definitions(types)} if types else {}
    return change(GlobalSecondaryIndexUpdates=list(updates), **defined, **members)


def _add(name: str = "by_h", keys: str = "h:HASH", **members: Json) -> dict[str, Json]:
    return {"Create": index(name, keys, **members)}


def _remove(name: str = "by_g") -> dict[str, Json]:
    return {"Delete": {"IndexName": name}}


def _rate(name: str = "by_g", read: int = 6, write: int = 6) -> dict[str, Json]:
    return {
        "Update": {"IndexName": name, "ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}
    }


def _limit(reads: int, name: str = "by_g") -> dict[str, Json]:
    return {"Update": {"IndexName": name, "OnDemandThroughput": {"MaxReadRequestUnits": reads}}}


_ONE_ONLINE = "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
_ADD = _updates(_add(), types="pk:S h:S")

CHECKS: tuple[Check, ...] = (
    changing(
        "indexes.update-empty",
        _updates({}),
        f"{INVALID}One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
        "GlobalSecondaryIndexUpdate.Delete must not be null",
        tables=_INDEXED,
        control=_updates(_remove()),
    ),
    changing(
        "indexes.update-several",
        _updates({**_add(), **_remove()}, types="pk:S h:S"),
        f"{INVALID}Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object",
        tables=_INDEXED,
        control=_updates(_remove()),
    ),
    changing(
        "indexes.update-twice",
        _updates(_rate(), _remove()),
        f"{INVALID}Only one global secondary index update per index is allowed simultaneously. Index: by_g",
        tables=_PROVISIONED,
        control=_updates(_rate()),
    ),
    changing(
        "indexes.update-list-empty",
        _updates(DeletionProtectionEnabled=False),
        f"{INVALID}List of GlobalSecondaryIndexUpdates is empty",
        name="with deletion protection",
    ),
    changing(
        "indexes.update-list-empty",
        _updates(BillingMode="PAY_PER_REQUEST"),
        f"{INVALID}List of GlobalSecondaryIndexUpdates is empty",
        name="with billing",
    ),
    changing(
        "tables.update-nothing",
        _updates(types="pk:S"),
        phrase="At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates",
        name="an empty list and definitions",
    ),
    changing(
        "indexes.update-blocked",
        _updates(_rate(read=10**12 + 1)),
        phrase="This operation cannot be performed with given input values",
        tables=_PROVISIONED,
        control=_updates(_rate()),
    ),
    changing(
        "indexes.units-missing",
        change(BillingMode="PROVISIONED", **units(5)),
        f"{INVALID}ProvisionedThroughput must be specified for index: by_g",
        tables=_INDEXED,
        control=change(BillingMode="PROVISIONED", GlobalSecondaryIndexUpdates=[_rate()], **units(5)),
        name="switched",
    ),
    changing(
        "indexes.one-online",
        _updates(_add(), _add("by_i", "i:HASH"), types="pk:S h:S i:S"),
        _ONE_ONLINE,
        code="LimitExceededException",
        control=_ADD,
        name="in one request",
    ),
    changing(
        "indexes.one-online",
        _updates(_add("by_i", "i:HASH"), types="pk:S i:S"),
        _ONE_ONLINE,
        code="LimitExceededException",
        given=[_ADD],
        control=describe(),
        needs="slow backfill",
        name="one after the other",
    ),
    changing(
        "indexes.exists",
        _updates(_add("by_g", "g:HASH"), types="pk:S g:S"),
        "Attempting to create an index which already exists",
        tables=_INDEXED,
        control=_ADD,
    ),
    changing(
        "indexes.exists",
        _updates(_add("by_l"), types="pk:S h:S"),
        "Attempting to create an index which already exists",
        tables=_LOCALLY,
        control=_updates(_add(), types="h:S"),
        name="local",
    ),
    changing(
        "indexes.global-limit-added",
        _ADD,
        "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20",
        code="LimitExceededException",
        tables={"t0": table(gsi=[f"by_{i:02}=g:S" for i in range(20)])},
        control=_updates(_remove("by_00")),
    ),
    changing(
        "indexes.definitions-missing",
        _updates(_add("by_new", "pk:HASH")),
        f"{INVALID}AttributeDefinitions is not specified for index: by_new",
        control=_updates(_add("by_new", "pk:HASH"), types="pk:S"),
    ),
    changing(
        "indexes.new-units-missing",
        _ADD,
        f"{INVALID}Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: by_h",
        tables=_PROVISIONED,
        control=_updates(_add(ProvisionedThroughput=UNITS), types="h:S"),
    ),
    changing(
        "indexes.new-units-on-demand",
        _updates(_add(ProvisionedThroughput=UNITS), types="h:S"),
        f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: by_h when BillingMode "
        "is PAY_PER_REQUEST",
        control=_ADD,
    ),
    changing(
        "indexes.update-on-demand-limit-provisioned",
        _updates(_limit(5)),
        f"{INVALID}MaxReadRequestUnits for OnDemandThroughput for index : by_g cannot be specified when the table "
        "BillingMode is PROVISIONED",
        tables=_PROVISIONED,
        control=_updates(_rate()),
    ),
    *(
        changing(
            "indexes.update-nothing",
            _updates(update),
            f"{INVALID}The only Updates for index: by_g when TableThroughputMode is PAY_PER_REQUEST can be to "
            "OnDemandThroughput, WarmThroughput",
            tables=_INDEXED,
            control=_updates(_limit(5)),
            name=name,
        )
        for name, update in (
            ("units", _rate()),
            ("nothing", {"Update": {"IndexName": "by_g"}}),
            ("empty maxima", {"Update": {"IndexName": "by_g", "OnDemandThroughput": {}}}),
        )
    ),
    *(
        changing(
            "indexes.update-warm-empty",
            _updates({"Update": {"IndexName": name, "WarmThroughput": {}}}),
            f"{INVALID}WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified "
            f"for index: {name}",
            tables=_INDEXED,
            control=_updates(_limit(5)),
            name=name,
        )
        for name in ("by_g", "ghost")
    ),
    changing(
        "indexes.update-warm-not-found",
        _updates(
            {
                "Update": {
                    "IndexName": "ghost",
                    "WarmThroughput": {"ReadUnitsPerSecond": 12_001, "WriteUnitsPerSecond": 4_001},
                }
            }
        ),
        "",
        code="InternalFailure",
        tables=_INDEXED,
        control=_updates(_limit(5)),
    ),
    changing(
        "indexes.updating",
        _updates(_limit(6)),
        f"{IN_USE}Index is being updated. Table: {T0} Index: by_g",
        code="ResourceInUseException",
        tables=_INDEXED,
        given=[_updates(_limit(5))],
        control=describe(),
        needs="slow update",
    ),
    *(
        changing(
            "indexes.deleting",
            step,
            f"{IN_USE}Index is being deleted. Table: {T0} Index: by_g",
            code="ResourceInUseException",
            tables=_PROVISIONED,
            given=[_updates(_remove())],
            control=describe(),
            needs="slow update",
            name=name,
        )
        for name, step in (
            ("made anew", _updates(_add("by_g", "g:HASH", ProvisionedThroughput=UNITS), types="g:S")),
            ("deleted", _updates(_remove())),
            ("changed", _updates(_rate())),
        )
    ),
    changing(
        "tables.units-unchanged",
        _updates(_rate(read=5, write=5)),
        phrase="The provisioned throughput for the index by_g will not change. The requested value equals the current "
        "value. Current ReadCapacityUnits provisioned for index by_g: 5. Requested ReadCapacityUnits: 5. Current "
        "WriteCapacityUnits provisioned for",
        tables=_PROVISIONED,
        control=_updates(_rate(read=5, write=6)),
        name="index",
    ),
    changing(
        "account.on-demand-limit",
        _updates(_limit(40_001)),
        phrase="Subscriber limit exceeded: Requested MaxReadRequestUnits for OnDemandThroughput for index : by_g "
        "exceeds TableMaxReadCapacityUnits of the account in region",
        code="LimitExceededException",
        tables=_INDEXED,
        control=_updates(_limit(40_000)),
        name="index",
    ),
    changing(
        "account.warm-limit",
        _updates({"Update": {"IndexName": "by_g", "WarmThroughput": {"ReadUnitsPerSecond": 40_001}}}),
        phrase="Subscriber limit exceeded: Requested ReadUnitsPerSecond for WarmThroughput for index by_g exceeds "
        "TableMaxReadCapacityUnits of the account in region",
        code="LimitExceededException",
        tables=_INDEXED,
        control=_updates(_limit(40_000)),
        name="index",
    ),
    changing(
        "account.index-units",
        _updates(_rate(read=40_001)),
        phrase="The requested ReadCapacityUnits for index by_g, 40001, is above the per index maximum for the account",
        code="LimitExceededException",
        tables=_PROVISIONED,
        control=_updates(_rate()),
    ),
    changing(
        "indexes.create-with-warm-throughput",
        _updates(_add(), types="h:S", WarmThroughput={"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 5_000}),
        f"{INVALID}Create global secondary index cannot be specified when updating WarmThroughput",
        control=_ADD,
    ),
    *(
        changing(
            "indexes.while-units-change",
            step,
            f"{IN_USE}Can't create or delete indexes while table IOPS are being updated. Table: {T0}",
            code="ResourceInUseException",
            tables=_PROVISIONED,
            given=[change(**units(6))],
            control=describe(),
            needs="slow update",
            name=name,
        )
        for name, step in (
            ("created", _updates(_add(ProvisionedThroughput=UNITS), types="h:S")),
            ("deleted", _updates(_remove())),
        )
    ),
    changing(
        "tables.while-streaming",
        _ADD,
        phrase="Can't create or delete an index when stream status is being updated.",
        code="ResourceInUseException",
        given=[change(StreamSpecification=ON)],
        control=describe(),
        needs="slow update",
        name="index",
    ),
    changing(
        "tables.while-class-changes",
        _ADD,
        phrase="Can't create or delete an index when a table class update is in progress.",
        code="ResourceInUseException",
        given=[change(**INFREQUENT)],
        control=describe(),
        needs="slow update",
        name="index",
    ),
    *(
        changing(
            "indexes.units-wait",
            step,
            f"{IN_USE}Can't change table IOPS when an index is being {done}. Table: {T0} Indexes: [{name}]",
            code="ResourceInUseException",
            tables=_PROVISIONED,
            given=[given],
            control=describe(),
            needs="slow update",
            name=f"{done}, {what}",
        )
        for done, name, given in (
            ("created", "by_h", _updates(_add(ProvisionedThroughput=UNITS), types="h:S")),
            ("deleted", "by_g", _updates(_remove())),
        )
        for what, step in (("units", change(**units(6))), ("billing", change(BillingMode="PAY_PER_REQUEST")))
    ),
    answers(
        "indexes.units-wait",
        change(BillingMode="PAY_PER_REQUEST"),
        at="TableDescription",
        has={"TableStatus": "UPDATING"},
        tables=_INDEXED,
        given=[_updates(_remove())],
        needs="slow update",
        name="on demand again",
    ),
    *(
        changing(
            "indexes.stream-waits",
            change(StreamSpecification=ON),
            phrase=f"Can't change stream status when an index is being {done}",
            code="ResourceInUseException",
            tables=_INDEXED,
            given=[given],
            control=describe(),
            needs="slow update",
            name=done,
        )
        for done, given in (("created", _ADD), ("deleted", _updates(_remove())))
    ),
    *(
        changing(
            "indexes.limits-wait",
            change(OnDemandThroughput={"MaxReadRequestUnits": 5}),
            f"{IN_USE}OnDemandThroughput cannot be updated while index {doing} is in progress for indexes: [{name}]",
            code="ResourceInUseException",
            tables=_INDEXED,
            given=[given],
            control=describe(),
            needs="slow update",
            name=doing,
        )
        for doing, name, given in (("creation", "by_h", _ADD), ("deletion", "by_g", _updates(_remove())))
    ),
    changing(
        "indexes.warm-throughput-waits",
        change(WarmThroughput={"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 5_000}),
        "Table is under system maintenance, please try again later",
        code="InternalServerError",
        tables=_INDEXED,
        given=[_ADD],
        control=describe(),
        needs="slow update",
    ),
    answers(
        "tables.update-answer",
        change(DeletionProtectionEnabled=False),
        at="TableDescription",
        has={"TableStatus": "UPDATING", "DeletionProtectionEnabled": False},
        tables=_INDEXED,
        given=[_updates(_remove())],
        needs="slow update",
        name="deletion protection while an index is deleted",
    ),
    answers(
        "tables.update-answer",
        _updates(_limit(5)),
        at="TableDescription.GlobalSecondaryIndexes[0]",
        has={"IndexStatus": "UPDATING", "OnDemandThroughput": {"MaxReadRequestUnits": 5}},
        tables=_INDEXED,
        name="maxima of an index at once",
    ),
    answers(
        "tables.update-answer",
        _updates(_limit(5)),
        at="TableDescription.GlobalSecondaryIndexes[0]",
        has={"OnDemandThroughput": {"MaxReadRequestUnits": 5}},
        tables=_INDEXED,
        given=[_updates(_limit(5))],
        name="maxima of an index again",
    ),
    changing(
        "indexes.attribute-redefined",
        _updates(_add("by_new", "pk:HASH"), types="pk:N"),
        phrase="Attributes cannot be redefined",
        control=_updates(_add("by_new", "pk:HASH"), types="pk:S"),
    ),
    changing(
        "tables.key-undefined",
        _updates(_add(), types="pk:S"),
        phrase="Some index key attributes are not defined in AttributeDefinitions",
        control=_ADD,
        name="UpdateTable",
    ),
    changing(
        "indexes.not-found",
        _updates(_remove("nope")),
        f"Requested resource not found: Index nope for table {T0}",
        code="ResourceNotFoundException",
        tables=_INDEXED,
        control=_updates(_remove()),
    ),
    changing(
        "indexes.update-not-found",
        _updates(_rate("nope")),
        f"Requested resource not found: Index nope for table {T0}",
        code="ResourceNotFoundException",
        tables=_PROVISIONED,
        control=_updates(_rate()),
    ),
    changing(
        "indexes.delete-local",
        _updates(_remove("by_l")),
        "Cannot delete an index that is not a GlobalSecondaryIndex: by_l",
        tables=_LOCALLY,
        control=_updates(_add(), types="pk:S sk:S h:S"),
    ),
    changing(
        "indexes.update-local",
        _updates(_limit(5, "by_l")),
        "Cannot update an index that is not a GlobalSecondaryIndex: by_l",
        tables=_LOCALLY,
        control=_updates(_add(), types="pk:S sk:S h:S"),
    ),
    changing(
        "indexes.delete-while-allocating",
        _updates(_remove("by_h")),
        f"{IN_USE}Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the "
        f"index is active. Table: {T0} Index: by_h",
        code="ResourceInUseException",
        given=[_ADD],
        control=describe(),
        needs="slow update",
    ),
    changing(
        "indexes.change-while-allocating",
        _updates(_rate("by_h")),
        f"{IN_USE}Index is being created but is not backfilling yet. Table: {T0} Index: by_h",
        code="ResourceInUseException",
        tables=_PROVISIONED,
        given=[_updates(_add(ProvisionedThroughput=UNITS), types="pk:S h:S")],
        control=describe(),
        needs="slow update",
    ),
    refuses(
        "indexes.backfilling",
        query("h = :h", {"h": s("x")}, IndexName="by_h"),
        "Cannot read from backfilling global secondary index: by_h",
        given=[_ADD],
        control=scan(),
        needs="slow backfill",
    ),
    refuses(
        "indexes.not-active",
        query("h = :h", {"h": s("x")}, IndexName="by_h"),
        "The table does not have the specified index: by_h",
        given=[_ADD],
        control=scan(),
        needs="slow update backfill",
    ),
    answers(
        "indexes.sparse",
        query("h = :h", {"h": s("x")}, IndexName="by_h", Select="COUNT"),
        given=[put({"h": s("x")}), put({"pk": s("b")}), _ADD],
        body={"Count": 1, "ScannedCount": 1},
        name="index added later",
    ),
    answers(
        "tables.update-answer",
        describe(),
        at="Table",
        has={"AttributeDefinitions": definitions("pk:S")},
        lacks=("GlobalSecondaryIndexes",),
        tables=_INDEXED,
        given=[_updates(_remove())],
        name="definitions of a deleted index go",
    ),
    answers(
        "tables.description",
        describe(),
        at="Table.GlobalSecondaryIndexes[0]",
        has={
            "IndexName": "by_g",
            "IndexStatus": "ACTIVE",
            "KeySchema": schema("g:HASH"),
            "Projection": {"ProjectionType": "ALL"},
            "IndexSizeBytes": 0,
            "ItemCount": 0,
            "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        },
        lacks=("Backfilling",),
        tables=_INDEXED,
        name="global index",
    ),
    answers(
        "tables.description",
        describe(),
        at="Table.LocalSecondaryIndexes[0]",
        has={
            "IndexName": "by_l",
            "KeySchema": schema("pk:HASH l:RANGE"),
            "Projection": {"ProjectionType": "ALL"},
            "IndexSizeBytes": 0,
            "ItemCount": 0,
        },
        lacks=("IndexStatus", "ProvisionedThroughput"),
        tables=_LOCALLY,
        name="local index",
    ),
)
