"""Checks of how secondary indexes are added to a table, changed and removed."""

from __future__ import annotations

from conformance.checks.base import T0, Check, table
from conformance.checks.indexes_definitions import index
from conformance.checks.steps import INVALID, answers, describe, put, query, s
from conformance.checks.tables import UNITS, definitions, schema
from conformance.checks.tables_update import change, changing, units
from conformance.program import Step
from reference.api import Json

INDEXED: dict[str, Json] = {"t0": table(gsi=["by_g=g:S"])}
_LOCALLY: dict[str, Json] = {"t0": table(key="pk:S,sk:S", lsi=["by_l=pk:S,l:S"])}
PROVISIONED: dict[str, Json] = {
    "t0": {
        **table(gsi=["by_g=g:S"]),
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": UNITS,
        "GlobalSecondaryIndexes": [index(ProvisionedThroughput=UNITS)],
    }
}


def updates(*updates: dict[str, Json], types: str = "", **members: Json) -> Step:
    """UpdateTable with changes of global secondary indexes, and the definitions given as ``name:TYPE``."""
    defined = {"AttributeDefinitions": definitions(types)} if types else {}
    return change(GlobalSecondaryIndexUpdates=list(updates), **defined, **members)


def added(name: str = "by_h", keys: str = "h:HASH", **members: Json) -> dict[str, Json]:
    """A change that adds an index."""
    return {"Create": index(name, keys, **members)}


def removed(name: str = "by_g") -> dict[str, Json]:
    """A change that deletes an index."""
    return {"Delete": {"IndexName": name}}


def rate(name: str = "by_g", read: int = 6, write: int = 6) -> dict[str, Json]:
    """A change of the units of an index."""
    return {
        "Update": {"IndexName": name, "ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}
    }


def limit(reads: int, name: str = "by_g") -> dict[str, Json]:
    """A change of the maximum of read request units of an index."""
    return {"Update": {"IndexName": name, "OnDemandThroughput": {"MaxReadRequestUnits": reads}}}


ONE_ONLINE = "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
ADD = updates(added(), types="pk:S h:S")

CHECKS: tuple[Check, ...] = (
    changing(
        "indexes.update-empty",
        updates({}),
        f"{INVALID}One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
        "GlobalSecondaryIndexUpdate.Delete must not be null",
        tables=INDEXED,
        control=updates(removed()),
    ),
    changing(
        "indexes.update-several",
        updates({**added(), **removed()}, types="pk:S h:S"),
        f"{INVALID}Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object",
        tables=INDEXED,
        control=updates(removed()),
    ),
    changing(
        "indexes.update-twice",
        updates(rate(), removed()),
        f"{INVALID}Only one global secondary index update per index is allowed simultaneously. Index: by_g",
        tables=PROVISIONED,
        control=updates(rate()),
    ),
    changing(
        "indexes.update-list-empty",
        updates(DeletionProtectionEnabled=False),
        f"{INVALID}List of GlobalSecondaryIndexUpdates is empty",
        name="with deletion protection",
    ),
    changing(
        "indexes.update-list-empty",
        updates(BillingMode="PAY_PER_REQUEST"),
        f"{INVALID}List of GlobalSecondaryIndexUpdates is empty",
        name="with billing",
    ),
    changing(
        "tables.update-nothing",
        updates(types="pk:S"),
        phrase="At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates",
        name="an empty list and definitions",
    ),
    changing(
        "indexes.update-blocked",
        updates(rate(read=10**12 + 1)),
        phrase="This operation cannot be performed with given input values",
        tables=PROVISIONED,
        control=updates(rate()),
    ),
    changing(
        "indexes.units-missing",
        change(BillingMode="PROVISIONED", **units(5)),
        f"{INVALID}ProvisionedThroughput must be specified for index: by_g",
        tables=INDEXED,
        control=change(BillingMode="PROVISIONED", GlobalSecondaryIndexUpdates=[rate()], **units(5)),
        name="switched",
    ),
    changing(
        "indexes.one-online",
        updates(added(), added("by_i", "i:HASH"), types="pk:S h:S i:S"),
        ONE_ONLINE,
        code="LimitExceededException",
        control=ADD,
        name="in one request",
    ),
    changing(
        "indexes.exists",
        updates(added("by_g", "g:HASH"), types="pk:S g:S"),
        "Attempting to create an index which already exists",
        tables=INDEXED,
        control=ADD,
    ),
    changing(
        "indexes.exists",
        updates(added("by_l"), types="pk:S h:S"),
        "Attempting to create an index which already exists",
        tables=_LOCALLY,
        control=updates(added(), types="h:S"),
        name="local",
    ),
    changing(
        "indexes.global-limit-added",
        ADD,
        "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20",
        code="LimitExceededException",
        tables={"t0": table(gsi=[f"by_{i:02}=g:S" for i in range(20)])},
        control=updates(removed("by_00")),
    ),
    changing(
        "indexes.definitions-missing",
        updates(added("by_new", "pk:HASH")),
        f"{INVALID}AttributeDefinitions is not specified for index: by_new",
        control=updates(added("by_new", "pk:HASH"), types="pk:S"),
    ),
    changing(
        "indexes.new-units-missing",
        ADD,
        f"{INVALID}Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: by_h",
        tables=PROVISIONED,
        control=updates(added(ProvisionedThroughput=UNITS), types="h:S"),
    ),
    changing(
        "indexes.new-units-on-demand",
        updates(added(ProvisionedThroughput=UNITS), types="h:S"),
        f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: by_h when BillingMode "
        "is PAY_PER_REQUEST",
        control=ADD,
    ),
    changing(
        "indexes.update-on-demand-limit-provisioned",
        updates(limit(5)),
        f"{INVALID}MaxReadRequestUnits for OnDemandThroughput for index : by_g cannot be specified when the table "
        "BillingMode is PROVISIONED",
        tables=PROVISIONED,
        control=updates(rate()),
    ),
    *(
        changing(
            "indexes.update-nothing",
            updates(update),
            f"{INVALID}The only Updates for index: by_g when TableThroughputMode is PAY_PER_REQUEST can be to "
            "OnDemandThroughput, WarmThroughput",
            tables=INDEXED,
            control=updates(limit(5)),
            name=name,
        )
        for name, update in (
            ("units", rate()),
            ("nothing", {"Update": {"IndexName": "by_g"}}),
            ("empty maxima", {"Update": {"IndexName": "by_g", "OnDemandThroughput": {}}}),
        )
    ),
    *(
        changing(
            "indexes.update-warm-empty",
            updates({"Update": {"IndexName": name, "WarmThroughput": {}}}),
            f"{INVALID}WarmThroughput must have at least one of ReadUnitsPerSecond or WriteUnitsPerSecond specified "
            f"for index: {name}",
            tables=INDEXED,
            control=updates(limit(5)),
            name=name,
        )
        for name in ("by_g", "ghost")
    ),
    changing(
        "indexes.update-warm-not-found",
        updates(
            {
                "Update": {
                    "IndexName": "ghost",
                    "WarmThroughput": {"ReadUnitsPerSecond": 12_001, "WriteUnitsPerSecond": 4_001},
                }
            }
        ),
        "",
        code="InternalFailure",
        tables=INDEXED,
        control=updates(limit(5)),
    ),
    answers(
        "tables.update-answer",
        updates(removed()),
        at="TableDescription.GlobalSecondaryIndexes[0]",
        has={"IndexName": "by_g", "IndexStatus": "DELETING"},
        lacks=("Backfilling",),
        tables={"t0": {**table(gsi=["by_g=g:S"]), "DeletionProtectionEnabled": True}},
        name="deletion protection does not protect an index",
    ),
    answers(
        "tables.update-answer",
        ADD,
        at="TableDescription.GlobalSecondaryIndexes[0]",
        has={"IndexName": "by_h", "IndexStatus": "CREATING", "Backfilling": False, "IndexSizeBytes": 0, "ItemCount": 0},
        name="a new index before it is filled",
    ),
    answers(
        "tables.update-answer",
        describe(),
        at="Table.GlobalSecondaryIndexes[0].ProvisionedThroughput",
        has={"ReadCapacityUnits": 0, "WriteCapacityUnits": 0, "NumberOfDecreasesToday": 1},
        tables=PROVISIONED,
        given=[change(BillingMode="PAY_PER_REQUEST")],
        name="an index on demand has decreased",
    ),
    answers(
        "tables.update-answer",
        describe(),
        at="Table.ProvisionedThroughput",
        has={"ReadCapacityUnits": 0, "WriteCapacityUnits": 0, "NumberOfDecreasesToday": 0},
        tables=PROVISIONED,
        given=[change(BillingMode="PAY_PER_REQUEST")],
        name="a table on demand has not",
    ),
    changing(
        "tables.units-unchanged",
        updates(rate(read=5, write=5)),
        phrase="The provisioned throughput for the index by_g will not change. The requested value equals the current "
        "value. Current ReadCapacityUnits provisioned for index by_g: 5. Requested ReadCapacityUnits: 5. Current "
        "WriteCapacityUnits provisioned for",
        tables=PROVISIONED,
        control=updates(rate(read=5, write=6)),
        name="index",
    ),
    changing(
        "account.on-demand-limit",
        updates(limit(40_001)),
        phrase="Subscriber limit exceeded: Requested MaxReadRequestUnits for OnDemandThroughput for index : by_g "
        "exceeds TableMaxReadCapacityUnits of the account in region",
        code="LimitExceededException",
        tables=INDEXED,
        control=updates(limit(40_000)),
        name="index",
    ),
    changing(
        "account.warm-limit",
        updates({"Update": {"IndexName": "by_g", "WarmThroughput": {"ReadUnitsPerSecond": 40_001}}}),
        phrase="Subscriber limit exceeded: Requested ReadUnitsPerSecond for WarmThroughput for index by_g exceeds "
        "TableMaxReadCapacityUnits of the account in region",
        code="LimitExceededException",
        tables=INDEXED,
        control=updates(limit(40_000)),
        name="index",
    ),
    changing(
        "account.index-units",
        updates(rate(read=40_001)),
        phrase="The requested ReadCapacityUnits for index by_g, 40001, is above the per index maximum for the account",
        code="LimitExceededException",
        tables=PROVISIONED,
        control=updates(rate()),
    ),
    changing(
        "indexes.create-with-warm-throughput",
        updates(added(), types="h:S", WarmThroughput={"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 5_000}),
        f"{INVALID}Create global secondary index cannot be specified when updating WarmThroughput",
        control=ADD,
    ),
    answers(
        "tables.update-answer",
        updates(limit(5)),
        at="TableDescription.GlobalSecondaryIndexes[0]",
        has={"IndexStatus": "UPDATING", "OnDemandThroughput": {"MaxReadRequestUnits": 5}},
        tables=INDEXED,
        name="maxima of an index at once",
    ),
    answers(
        "tables.update-answer",
        updates(limit(5)),
        at="TableDescription.GlobalSecondaryIndexes[0]",
        has={"OnDemandThroughput": {"MaxReadRequestUnits": 5}},
        tables=INDEXED,
        given=[updates(limit(5))],
        name="maxima of an index again",
    ),
    changing(
        "indexes.attribute-redefined",
        updates(added("by_new", "pk:HASH"), types="pk:N"),
        phrase="Attributes cannot be redefined",
        control=updates(added("by_new", "pk:HASH"), types="pk:S"),
    ),
    changing(
        "tables.key-undefined",
        updates(added(), types="pk:S"),
        phrase="Some index key attributes are not defined in AttributeDefinitions",
        control=ADD,
        name="UpdateTable",
    ),
    changing(
        "indexes.not-found",
        updates(removed("nope")),
        f"Requested resource not found: Index nope for table {T0}",
        code="ResourceNotFoundException",
        tables=INDEXED,
        control=updates(removed()),
    ),
    changing(
        "indexes.update-not-found",
        updates(rate("nope")),
        f"Requested resource not found: Index nope for table {T0}",
        code="ResourceNotFoundException",
        tables=PROVISIONED,
        control=updates(rate()),
    ),
    changing(
        "indexes.delete-local",
        updates(removed("by_l")),
        "Cannot delete an index that is not a GlobalSecondaryIndex: by_l",
        tables=_LOCALLY,
        control=updates(added(), types="pk:S sk:S h:S"),
    ),
    changing(
        "indexes.update-local",
        updates(limit(5, "by_l")),
        "Cannot update an index that is not a GlobalSecondaryIndex: by_l",
        tables=_LOCALLY,
        control=updates(added(), types="pk:S sk:S h:S"),
    ),
    answers(
        "indexes.sparse",
        query("h = :h", {"h": s("x")}, IndexName="by_h", Select="COUNT"),
        given=[put({"h": s("x")}), put({"pk": s("b")}), ADD],
        body={"Count": 1, "ScannedCount": 1},
        name="index added later",
    ),
    answers(
        "tables.update-answer",
        describe(),
        at="Table",
        has={"AttributeDefinitions": definitions("pk:S")},
        lacks=("GlobalSecondaryIndexes",),
        tables=INDEXED,
        given=[updates(removed())],
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
        tables=INDEXED,
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
