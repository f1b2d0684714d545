"""Checks of how secondary indexes are defined, added, changed and removed."""

from __future__ import annotations

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import INVALID, answers, describe, put, query, refuses, s, scan
from conformance.checks.tables import IN_USE, UNITS, creation, definitions, keyed, schema
from conformance.checks.tables_update import change, changing, units
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
    creation("indexes.key-same-name", with_global(index(keys="g:HASH g:RANGE")), phrase="same name", control=_GOOD),
    creation(
        "indexes.key-hash-after-range",
        with_global(index(keys="g:HASH pk:RANGE h:HASH"), types="pk:S g:S h:S"),
        phrase="All HASH key attributes must precede RANGE key attributes in the KeySchema",
        control=with_global(index(keys="g:HASH h:HASH pk:RANGE"), types="pk:S g:S h:S"),
    ),
    creation(
        "indexes.key-too-many-attributes",
        with_global(index(keys=" ".join(f"h{i}:HASH" for i in range(5))), types=f"pk:S {_NINE[:24]}"),
        phrase="HASH",
        control=with_global(index(keys=" ".join(f"h{i}:HASH" for i in range(4))), types=f"pk:S {_NINE[:19]}"),
        name="HASH",
    ),
    creation(
        "indexes.key-too-many-attributes",
        with_global(index(keys="h0:HASH " + " ".join(f"h{i}:RANGE" for i in range(1, 6))), types=f"pk:S {_NINE[:29]}"),
        phrase="RANGE",
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
        "indexes.units-missing",
        with_global(index(), BillingMode="PROVISIONED", ProvisionedThroughput=UNITS),
        f"{INVALID}ProvisionedThroughput must be specified for index: by_g",
        control=with_global(index(ProvisionedThroughput=UNITS), BillingMode="PROVISIONED", ProvisionedThroughput=UNITS),
        name="CreateTable",
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
        phrase="Duplicate",
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


_ONE_ONLINE = "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
_ADD = _updates(_add(), types="pk:S h:S")

UPDATES: tuple[Check, ...] = (
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
        phrase="one",
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
        phrase="exist",
        tables=_INDEXED,
        control=_ADD,
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
        phrase="",
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

CHECKS: tuple[Check, ...] = (*LOCAL, *GLOBAL, *UPDATES)
