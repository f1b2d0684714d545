"""Restoring: which overrides fit a source table, and the CreateTable request that the restored table answers to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reference.backups import describe
from reference.rules import Checks, violation
from reference.tables import definition, encryption
from reference.tables.definition import watched
from reference.tables.table import Table

Definition = Mapping[str, Any]


def restoring(table: Table) -> bool:
    """Whether a table is the target of a restore that has not ended (beyond:RST-2)."""
    return table.status == "CREATING" and "RestoreSummary" in table.settings.extra


def summary(source: Table, moment: float, backup_arn: str | None = None) -> dict[str, Any]:
    """``RestoreSummary`` of a table that is being restored to a moment (epoch seconds)."""
    told: dict[str, Any] = {} if backup_arn is None else {"SourceBackupArn": backup_arn}
    return {**told, "SourceTableArn": source.arn, "RestoreDateTime": moment, "RestoreInProgress": True}


def creation(source: Table, body: Mapping[str, Any]) -> Checks[dict[str, Any] | None]:
    """The CreateTable request for a restore of ``source`` with the request's overrides (beyond:RST-3, RST-7, RST-8)."""
    request, sound = yield from watched(_creation(source, body))
    return request if sound else None


def _creation(source: Table, body: Mapping[str, Any]) -> Checks[dict[str, Any]]:
    mode = body.get("BillingModeOverride") or source.settings.billing_mode
    request: dict[str, Any] = {
        "TableName": body["TargetTableName"],
        "KeySchema": source.key.describe(),
        "BillingMode": mode,
    }
    request.update((yield from _throughput(source, body, mode)))
    local, everywhere, vectors = describe.recorded_indexes(source)
    chosen = (
        (yield from _chosen(body.get("LocalSecondaryIndexOverride"), [describe.local_index(i) for i in local])),
        (yield from _chosen(body.get("GlobalSecondaryIndexOverride"), [describe.global_index(i) for i in everywhere])),
        (yield from _chosen(body.get("VectorIndexOverride"), [describe.vector_index(i) for i in vectors])),
    )
    members = ("LocalSecondaryIndexes", "GlobalSecondaryIndexes", "VectorIndexes")
    request.update({member: indexes for member, indexes in zip(members, chosen, strict=True) if indexes})
    if "GlobalSecondaryIndexes" in request:
        billed = yield from _billed(request["GlobalSecondaryIndexes"], body, mode)
        request["GlobalSecondaryIndexes"] = billed
    request["AttributeDefinitions"] = _definitions(source, request)
    key = body.get("SSESpecificationOverride")
    if key is None and source.settings.sse_key is not None:
        key = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": source.settings.sse_key}
    yield from encryption.checks(key)
    if key is not None:
        request["SSESpecification"] = key
    return request


def _throughput(source: Table, body: Mapping[str, Any], mode: str) -> Checks[dict[str, Any]]:
    """The capacity members of the table itself (beyond:RST-7)."""
    asked, units = body.get("BillingModeOverride"), body.get("ProvisionedThroughputOverride")
    limits = body.get("OnDemandThroughputOverride")
    if asked == "PROVISIONED" and units is None:
        yield violation("backups.restore-units-missing")
    elif asked == "PAY_PER_REQUEST" and units is not None:
        yield violation("backups.restore-units-on-demand")
    elif mode != "PROVISIONED" and units is not None:
        yield violation("backups.restore-units-not-provisioned")
    member = definition.first_limit(limits)
    if mode == "PROVISIONED" and member is not None:
        yield violation("backups.restore-limit-provisioned", member=member)
    for name, limit in (limits or {}).items():
        if limit < 1:
            yield violation("backups.restore-limit-range", member=name)
    if mode == "PROVISIONED":
        return {"ProvisionedThroughput": units or describe.units(source.settings)}
    limits = limits or describe.maxima(source.settings)
    return {"OnDemandThroughput": limits} if limits else {}


def _chosen(wanted: Sequence[Definition] | None, recorded: list[dict[str, Any]]) -> Checks[Sequence[Definition]]:
    """The indexes to restore: those recorded, or those of them that are asked for, under whatever name."""
    if wanted is None:
        return recorded
    known = [_shape(index) for index in recorded]
    for index in wanted:
        if _shape(index) not in known:
            yield violation("backups.restore-index-unknown", index=index["IndexName"])
    return wanted


def _shape(index: Definition) -> tuple[Any, ...]:
    """What makes two indexes the same to a restore (beyond:RST-8)."""
    projection = index["Projection"]
    return (
        [(each["AttributeName"], each["KeyType"]) for each in index.get("KeySchema") or ()],
        [(each["AttributeName"], each["SearchSchemaElementType"]) for each in index.get("SearchSchema") or ()],
        projection.get("ProjectionType"),
        frozenset(projection.get("NonKeyAttributes") or ()),
        (index.get("VectorAttribute") or {}).get("AttributeName"),
        index.get("Dimensions"),
        index.get("DistanceFunction"),
    )


def _billed(indexes: Sequence[Definition], body: Mapping[str, Any], mode: str) -> Checks[list[dict[str, Any]]]:
    """Global indexes with the capacity members that the table's billing mode takes."""
    overridden = body.get("GlobalSecondaryIndexOverride") is not None
    found = []
    for index in indexes:
        units, limits = index.get("ProvisionedThroughput"), index.get("OnDemandThroughput")
        bare = {name: each for name, each in index.items() if not name.endswith("Throughput")}
        if mode == "PROVISIONED":
            if not units or not units["ReadCapacityUnits"]:
                yield violation("backups.restore-index-units-missing", index=index["IndexName"])
            bare["ProvisionedThroughput"] = units
        elif overridden and units is not None:
            yield violation("backups.restore-index-units-on-demand", index=index["IndexName"])
        elif limits:
            bare["OnDemandThroughput"] = limits
        if index.get("WarmThroughput"):
            bare["WarmThroughput"] = index["WarmThroughput"]
        found.append(bare)
    return found


def _definitions(source: Table, request: Mapping[str, Any]) -> list[dict[str, str]]:
    """The attribute definitions that the table's and the chosen indexes' keys use."""
    used = set(source.key.names)
    for member in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        used.update(each["AttributeName"] for index in request.get(member) or () for each in index["KeySchema"])
    for index in request.get("VectorIndexes") or ():
        used.update(each["AttributeName"] for each in index.get("SearchSchema") or ())
    types = source.settings.attribute_types
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items() if name in used]
