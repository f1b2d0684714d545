"""Checks of how secondary indexes of a new table are defined."""

from __future__ import annotations

from conformance.checks.base import Check
from conformance.checks.steps import INVALID, answers
from conformance.checks.tables import UNITS, creation, definitions, keyed, schema
from conformance.checks.wire_constraints import NEW
from conformance.program import Step
from reference.api import Json


def index(name: str = "by_g", keys: str = "g:HASH", **members: Json) -> dict[str, Json]:
    """An index definition that projects everything."""
    return {"IndexName": name, "KeySchema": schema(keys), "Projection": {"ProjectionType": "ALL"}, **members}


def with_global(*indexes: dict[str, Json], types: str = "pk:S g:S", **members: Json) -> Step:
    """CreateTable with global secondary indexes."""
    return keyed(types, "pk:HASH", GlobalSecondaryIndexes=list(indexes), **members)


def with_local(*indexes: dict[str, Json], types: str = "pk:S sk:S l:S", keys: str = "pk:HASH sk:RANGE") -> Step:
    """CreateTable with local secondary indexes."""
    return keyed(types, keys, LocalSecondaryIndexes=list(indexes))


def _local(name: str = "by_l", keys: str = "pk:HASH l:RANGE") -> dict[str, Json]:
    return index(name, keys)


def _projecting(kind: str | None, *attributes: str) -> dict[str, Json]:
    projection: dict[str, Json] = {"ProjectionType": kind} if kind else {}
    if attributes:
        projection["NonKeyAttributes"] = list(attributes)
    return index(Projection=projection)


_GOOD = with_global(index())
_GOOD_LOCAL = with_local(_local())
_NINE = " ".join(f"h{i}:S" for i in range(9))
_HUNDRED = [[f"a{i:02}_{j:02}" for j in range(20)] for i in range(6)]

LOCAL: tuple[Check, ...] = (
    creation(
        "indexes.local-list-empty",
        with_local(types="pk:S sk:S"),
        f"{INVALID}List of LocalSecondaryIndexes is empty",
        control=_GOOD_LOCAL,
    ),
    creation(
        "indexes.local-on-hash-only-table",
        with_local(_local(), types="pk:S l:S", keys="pk:HASH"),
        f"{INVALID}Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
        control=_GOOD_LOCAL,
    ),
    creation(
        "indexes.local-without-sort-key",
        with_local(_local(keys="pk:HASH"), types="pk:S sk:S"),
        f"{INVALID}Index KeySchema does not have a range key for index: by_l",
        control=_GOOD_LOCAL,
    ),
    creation(
        "indexes.local-other-partition-key",
        with_local(_local(keys="l:HASH sk:RANGE")),
        f"{INVALID}Index KeySchema does not have the same leading hash key as table KeySchema for index: by_l. index "
        "hash key: l, table hash key: pk",
        control=_GOOD_LOCAL,
    ),
    creation(
        "indexes.local-limit",
        with_local(*(_local(f"by_{i}") for i in range(6))),
        f"{INVALID}Number of LocalSecondaryIndexes exceeds per-table limit of 5",
        control=with_local(*(_local(f"by_{i}") for i in range(5))),
    ),
    creation(
        "tables.key-same-name",
        with_local(_local(keys="pk:HASH pk:RANGE"), types="pk:S sk:S"),
        phrase="same name",
        control=_GOOD_LOCAL,
        name="local index",
    ),
)

GLOBAL: tuple[Check, ...] = (
    creation(
        "indexes.global-list-empty",
        with_global(types="pk:S"),
        f"{INVALID}List of GlobalSecondaryIndexes is empty",
        control=_GOOD,
    ),
    creation(
        "indexes.global-limit",
        with_global(*(index(f"by_{i:02}") for i in range(21))),
        f"{INVALID}GlobalSecondaryIndex count exceeds the per-table limit of 20",
        control=with_global(*(index(f"by_{i:02}") for i in range(20))),
    ),
    creation(
        "indexes.duplicate-name",
        with_global(index(), index()),
        f"{INVALID}Duplicate index name: by_g",
        control=with_global(index(), index("by_h")),
        name="global",
    ),
    creation(
        "indexes.duplicate-name",
        keyed(
            "pk:S sk:S l:S",
            "pk:HASH sk:RANGE",
            LocalSecondaryIndexes=[_local("same")],
            GlobalSecondaryIndexes=[index("same", "l:HASH")],
        ),
        f"{INVALID}Duplicate index name: same",
        control=keyed(
            "pk:S sk:S l:S",
            "pk:HASH sk:RANGE",
            LocalSecondaryIndexes=[_local("same")],
            GlobalSecondaryIndexes=[index("Same", "l:HASH")],
        ),
        name="local and global",
    ),
    creation(
        "indexes.key-same-name",
        with_global(index(keys="g:HASH g:RANGE")),
        "The KeySchema contains multiple key attributes with the same name",
        control=_GOOD,
    ),
    creation(
        "tables.key-first-not-hash",
        with_global(index(keys="g:RANGE h:HASH"), types="pk:S g:S h:S"),
        "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        control=with_global(index(keys="h:HASH g:RANGE"), types="pk:S g:S h:S"),
        name="global index",
    ),
    creation(
        "indexes.key-hash-after-range",
        with_global(index(keys="g:HASH pk:RANGE h:HASH"), types="pk:S g:S h:S"),
        f"{INVALID}All HASH key attributes must precede RANGE key attributes in the KeySchema",
        control=with_global(index(keys="g:HASH h:HASH pk:RANGE"), types="pk:S g:S h:S"),
    ),
    creation(
        "indexes.key-too-many-attributes",
        with_global(index(keys=" ".join(f"h{i}:HASH" for i in range(5))), types=f"pk:S {_NINE[:24]}"),
        f"{INVALID}The KeySchema exceeds the maximum allowed number of HASH key attributes",
        control=with_global(index(keys=" ".join(f"h{i}:HASH" for i in range(4))), types=f"pk:S {_NINE[:19]}"),
        name="HASH",
    ),
    creation(
        "indexes.key-too-many-attributes",
        with_global(index(keys="h0:HASH " + " ".join(f"h{i}:RANGE" for i in range(1, 6))), types=f"pk:S {_NINE[:29]}"),
        f"{INVALID}The KeySchema exceeds the maximum allowed number of RANGE key attributes",
        control=with_global(
            index(keys="h0:HASH " + " ".join(f"h{i}:RANGE" for i in range(1, 5))), types=f"pk:S {_NINE[:24]}"
        ),
        name="RANGE",
    ),
    creation(
        "indexes.units-on-demand",
        with_global(index(ProvisionedThroughput=UNITS)),
        f"{INVALID}ProvisionedThroughput should not be specified for index: by_g when BillingMode is PAY_PER_REQUEST",
        control=_GOOD,
    ),
    creation(
        "indexes.units-not-specified",
        with_global(index(), BillingMode="PROVISIONED", ProvisionedThroughput=UNITS),
        f"{INVALID}ProvisionedThroughput is not specified for index: by_g",
        control=with_global(index(ProvisionedThroughput=UNITS), BillingMode="PROVISIONED", ProvisionedThroughput=UNITS),
    ),
    creation(
        "indexes.on-demand-limit-provisioned",
        with_global(
            index(ProvisionedThroughput=UNITS, OnDemandThroughput={"MaxReadRequestUnits": 10}),
            BillingMode="PROVISIONED",
            ProvisionedThroughput=UNITS,
        ),
        phrase="MaxReadRequestUnits for OnDemandThroughput for index",
        control=with_global(index(OnDemandThroughput={"MaxReadRequestUnits": 10})),
    ),
    *(
        creation(
            "tables.on-demand-limit-out-of-range",
            with_global(index(OnDemandThroughput={"MaxReadRequestUnits": units})),
            f"{INVALID}Requested MaxReadRequestUnits for OnDemandThroughput for index : by_g is outside of valid range",
            control=with_global(index(OnDemandThroughput={"MaxReadRequestUnits": 1})),
            name=f"index {units}",
        )
        for units in (0, -1)
    ),
    creation(
        "tables.definitions-unused",
        with_global(index(Projection={}), index(), types="pk:S g:S h:S"),
        phrase="Some AttributeDefinitions are not used",
        control=_GOOD,
        name="before names and projections",
    ),
    creation(
        "indexes.projection-type-missing",
        with_global(_projecting(None)),
        f"{INVALID}Unknown ProjectionType: null",
        control=_GOOD,
    ),
    creation(
        "indexes.projection-surplus-attributes",
        with_global(_projecting("ALL", "v")),
        f"{INVALID}ProjectionType is ALL, but NonKeyAttributes is specified",
        control=_GOOD,
        name="ALL",
    ),
    creation(
        "indexes.projection-surplus-attributes",
        with_global(_projecting("KEYS_ONLY", "v")),
        f"{INVALID}ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified",
        control=with_global(_projecting("KEYS_ONLY")),
        name="KEYS_ONLY",
    ),
    creation(
        "indexes.projection-attributes-missing",
        with_global(_projecting("INCLUDE")),
        f"{INVALID}ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
        control=with_global(_projecting("INCLUDE", "v")),
    ),
    creation(
        "indexes.projection-duplicate-attribute",
        with_global(_projecting("INCLUDE", "v", "v")),
        f"{INVALID}Duplicate element in NonKeyAttributes: v",
        control=with_global(_projecting("INCLUDE", "v", "pk")),
    ),
    creation(
        "indexes.projection-too-many-attributes",
        with_global(
            *(
                index(f"by_{i}", Projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": names})
                for i, names in enumerate(_HUNDRED)
            )
        ),
        phrase="",
        control=with_global(
            *(
                index(f"by_{i}", Projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": names})
                for i, names in enumerate(_HUNDRED[:5])
            )
        ),
    ),
    creation(
        "tables.key-undefined",
        with_global(index(keys="x:HASH")),
        phrase="Some index key attributes are not defined in AttributeDefinitions",
        control=_GOOD,
        name="index",
    ),
    creation(
        "wire.value-min",
        with_global(
            index(ProvisionedThroughput={"ReadCapacityUnits": 0, "WriteCapacityUnits": 5}),
            BillingMode="PROVISIONED",
            ProvisionedThroughput=UNITS,
        ),
        "1 validation error detected: Value '0' at "
        "'globalSecondaryIndexes.1.member.provisionedThroughput.readCapacityUnits' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1",
        control=_GOOD,
        name="index units",
    ),
)

_UNSORTED = with_global(
    index("by_z", "z:HASH m:RANGE", Projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["zz", "aa", "mm"]}),
    index("by_a", "a:HASH", WarmThroughput={"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 5_000}),
    types="z:S a:S m:S pk:S",
)

ANSWERS: tuple[Check, ...] = (
    answers(
        "tables.create-answer",
        _UNSORTED,
        at="TableDescription",
        has={"AttributeDefinitions": definitions("a:S m:S pk:S z:S")},
        tables={},
        name="definitions by name",
    ),
    answers(
        "tables.create-answer",
        _UNSORTED,
        at="TableDescription.GlobalSecondaryIndexes[0].Projection",
        has={"NonKeyAttributes": ["aa", "mm", "zz"]},
        tables={},
        name="projected attributes by name, indexes as they came",
    ),
    answers(
        "tables.create-answer",
        _UNSORTED,
        at="TableDescription.GlobalSecondaryIndexes[1]",
        has={"IndexName": "by_a", "IndexStatus": "CREATING"},
        lacks=("WarmThroughput", "Backfilling"),
        tables={},
        name="no warm throughput of an index, not even one asked for",
    ),
    answers(
        "tables.description",
        Step("DescribeTable", {"TableName": NEW}),
        at="Table.GlobalSecondaryIndexes[1].WarmThroughput",
        has={"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 5_000},
        given=[_UNSORTED],
        tables={},
        name="warm throughput of an index",
    ),
)

CHECKS: tuple[Check, ...] = (*LOCAL, *GLOBAL, *ANSWERS)
