"""What the service says about a table (recorded.md §2, beyond:TBL-7): description members exactly as AWS sends them."""

from __future__ import annotations

from typing import Any

from reference.tables.schema import Projection
from reference.tables.settings import TableSettings, Throughput
from reference.tables.table import Index, Table
from reference.tables.vector import VectorIndex
from reference.vectors import entries


def table(table: Table, now: float, *, fresh: bool = False) -> dict[str, Any]:
    """The ``TableDescription`` of a table at ``now`` (epoch seconds).

    ``fresh`` is CreateTable's answer: it leaves out when on-demand billing began and, unless it was asked for, the
    warm throughput (dataplane:TBL-10 as corrected by conflicts:93).
    """
    settings = table.settings
    told: dict[str, Any] = {
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in sorted(settings.attribute_types.items())
        ],
        "TableName": table.name,
        "KeySchema": table.key.describe(),
        "TableStatus": table.status,
        "CreationDateTime": table.created,
        "ProvisionedThroughput": throughput(settings, now),
        "TableSizeBytes": entries.table_bytes(table),
        "ItemCount": len(table.view.rows),
        "TableArn": table.arn,
        "TableId": table.id,
    }
    told.update(_billing(settings, fresh=fresh))
    told.update(_indexes(table, now, fresh=fresh))
    told.update(_stream(table))
    told.update(_extras(settings))
    told["DeletionProtectionEnabled"] = settings.deletion_protection
    told.update(_on_demand(settings))
    if not fresh or settings.warm_status != "ACTIVE":
        told["WarmThroughput"] = warmth(settings)
    return told


def deleted(table: Table, now: float) -> dict[str, Any]:
    """The short description that DeleteTable answers with (recorded.md §2, conflicts:91)."""
    told = {
        "TableName": table.name,
        "TableStatus": table.status,
        "ProvisionedThroughput": throughput(table.settings, now),
        "TableSizeBytes": entries.table_bytes(table),
        "ItemCount": len(table.view.rows),
        "TableArn": table.arn,
        "TableId": table.id,
    }
    told.update(_billing(table.settings, fresh=False))
    told.update(_encryption(table.settings))
    told["DeletionProtectionEnabled"] = table.settings.deletion_protection
    return told


def throughput(units: Throughput, now: float) -> dict[str, Any]:
    """``ProvisionedThroughputDescription``; no units on an on-demand table (conflicts:74, beyond:CAP-9)."""
    told: dict[str, Any] = {
        "NumberOfDecreasesToday": units.decreases_today(now),
        "ReadCapacityUnits": units.read_units,
        "WriteCapacityUnits": units.write_units,
    }
    if units.last_increase is not None:
        told["LastIncreaseDateTime"] = units.last_increase
    if units.last_decrease is not None:
        told["LastDecreaseDateTime"] = units.last_decrease
    return told


def warmth(units: Throughput) -> dict[str, Any]:
    """``WarmThroughput`` of a table or global secondary index."""
    return {
        "ReadUnitsPerSecond": units.warm_read,
        "WriteUnitsPerSecond": units.warm_write,
        "Status": units.warm_status,
    }


def projection(projected: Projection) -> dict[str, Any]:
    """The ``Projection`` member of an index description."""
    told: dict[str, Any] = {"ProjectionType": projected.type}
    if projected.type == "INCLUDE":
        told["NonKeyAttributes"] = sorted(projected.non_key)
    return told


def _billing(settings: TableSettings, *, fresh: bool) -> dict[str, Any]:
    if not settings.on_demand and settings.on_demand_since is None:
        return {}
    mode, since = settings.billing_mode, {}
    if not fresh and settings.on_demand_since is not None:
        since = {"LastUpdateToPayPerRequestDateTime": settings.on_demand_since}
    return {
        "BillingModeSummary": {"BillingMode": mode, **since},
        "TableThroughputModeSummary": {"TableThroughputMode": mode, **since},
    }


def _on_demand(units: Throughput) -> dict[str, Any]:
    limits = {}
    if units.max_read_request_units is not None:
        limits["MaxReadRequestUnits"] = units.max_read_request_units
    if units.max_write_request_units is not None:
        limits["MaxWriteRequestUnits"] = units.max_write_request_units
    return {"OnDemandThroughput": limits} if limits else {}


def _stream(table: Table) -> dict[str, Any]:
    settings = table.settings
    told: dict[str, Any] = {}
    if table.arriving:
        # A replica tells of its stream once it is made (beyond:GT-14).
        return told
    if settings.stream_view is not None:
        told["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": settings.stream_view}
    if settings.stream_label is not None:
        told["LatestStreamLabel"] = settings.stream_label
        told["LatestStreamArn"] = f"{table.arn}/stream/{settings.stream_label}"
    return told


def _extras(settings: TableSettings) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if "RestoreSummary" in settings.extra:
        told["RestoreSummary"] = settings.extra["RestoreSummary"]
    told.update(_encryption(settings))
    if settings.table_class is not None:
        told["TableClassSummary"] = class_summary(settings)
    if settings.replication_mode is not None:
        told["GlobalTableSettingsReplicationMode"] = settings.replication_mode
    told.update(settings.extra.get("replicas", {}))
    return told


def class_summary(settings: TableSettings) -> dict[str, Any]:
    """``TableClassSummary``: the class, and when it was changed."""
    summary: dict[str, Any] = {"TableClass": settings.table_class}
    if settings.class_changed is not None:
        summary["LastUpdateDateTime"] = settings.class_changed
    return summary


def _encryption(settings: TableSettings) -> dict[str, Any]:
    """``SSEDescription``: the key as it is until another has taken its place, of which only the status tells."""
    if settings.sse_key is not None:
        key = {"SSEType": "KMS", "KMSMasterKeyArn": settings.sse_key}
        return {"SSEDescription": {"Status": settings.sse_status, **key}}
    return {"SSEDescription": {"Status": "UPDATING"}} if settings.sse_status == "UPDATING" else {}


def _indexes(table: Table, now: float, *, fresh: bool) -> dict[str, Any]:
    local = [_local(table, index) for index in table.indexes.values() if index.schema.kind == "LSI"]
    everywhere = [
        _global(table, index, now, fresh=fresh) for index in table.indexes.values() if index.schema.kind == "GSI"
    ]
    told = {}
    if local:
        told["LocalSecondaryIndexes"] = local
    if everywhere:
        told["GlobalSecondaryIndexes"] = everywhere
    if table.settings.vectors:
        told["VectorIndexes"] = [_vector(table, index) for index in table.settings.vectors.values()]
    return told


def _vector(table: Table, index: VectorIndex) -> dict[str, Any]:
    members = sum(1 for _ in entries.members(table, index))
    told: dict[str, Any] = {
        "IndexName": index.name,
        "Projection": projection(index.projection),
        "VectorAttribute": {"AttributeName": index.attribute},
        "Dimensions": index.dimensions,
        "DistanceFunction": index.distance,
        "IndexStatus": index.status,
        "IndexSizeBytes": entries.index_bytes(table, index),
        "ItemCount": members,
        "IndexArn": f"{table.arn}/index/{index.name}",
    }
    if index.search_schema:
        told["SearchSchema"] = [
            {"AttributeName": name, "SearchSchemaElementType": kind} for name, kind in index.search_schema
        ]
    if index.backfilling is not None:
        told["Backfilling"] = index.backfilling
    return told


def _local(table: Table, index: Index) -> dict[str, Any]:
    return {
        "IndexName": index.schema.name,
        "KeySchema": index.schema.key.describe(),
        "Projection": projection(index.schema.projection),
        "IndexSizeBytes": sum(record.size for record in index.view.rows.values()),
        "ItemCount": len(index.view.rows),
        "IndexArn": f"{table.arn}/index/{index.schema.name}",
    }


def _global(table: Table, index: Index, now: float, *, fresh: bool) -> dict[str, Any]:
    told = _local(table, index)
    # While a table is being restored, its global indexes show no status (beyond:RST-2).
    if "RestoreSummary" not in table.settings.extra:
        told["IndexStatus"] = index.status
    if index.backfilling is not None:
        told["Backfilling"] = index.backfilling
    told["ProvisionedThroughput"] = throughput(index.settings, now)
    told.update(_on_demand(index.settings))
    if not fresh:
        told["WarmThroughput"] = warmth(index.settings)
    return told
