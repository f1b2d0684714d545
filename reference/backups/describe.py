"""What the service says about a backup (beyond:BKP-5, BKP-6, BKP-9)."""

from __future__ import annotations

from typing import Any

from reference.backups.store import Backup
from reference.tables.describe import projection
from reference.tables.settings import Throughput
from reference.tables.table import Index, Table
from reference.tables.vector import VectorIndex
from reference.vectors import entries


def details(backup: Backup, arn: str, status: str = "AVAILABLE") -> dict[str, Any]:
    """``BackupDetails``, with the ARN under which the backup was asked for."""
    told = {
        "BackupArn": arn,
        "BackupName": backup.name,
        "BackupSizeBytes": entries.table_bytes(backup.table),
        "BackupStatus": status,
        "BackupType": backup.kind,
        "BackupCreationDateTime": backup.created,
    }
    if backup.expires is not None:
        told["BackupExpiryDateTime"] = backup.expires
    return told


def description(backup: Backup, arn: str, status: str = "AVAILABLE") -> dict[str, Any]:
    """``BackupDescription``; the service records no features in a backup of its own."""
    return {
        "BackupDetails": details(backup, arn, status),
        "SourceTableDetails": _source(backup.table),
        "SourceTableFeatureDetails": _features(backup.table) if backup.kind == "USER" else {},
    }


def summary(backup: Backup) -> dict[str, Any]:
    """One of ``BackupSummaries``."""
    table = backup.table
    return {
        "TableName": table.name,
        "TableId": table.id,
        "TableArn": table.arn,
        **details(backup, backup.arn),
    }


def units(throughput: Throughput) -> dict[str, int]:
    """``ProvisionedThroughput``; zeros for what is on demand."""
    return {"ReadCapacityUnits": throughput.read_units, "WriteCapacityUnits": throughput.write_units}


def maxima(throughput: Throughput) -> dict[str, int]:
    """``OnDemandThroughput`` without the members that set no limit."""
    limits = {
        "MaxReadRequestUnits": throughput.max_read_request_units,
        "MaxWriteRequestUnits": throughput.max_write_request_units,
    }
    return {member: limit for member, limit in limits.items() if limit is not None and limit != -1}


def local_index(index: Index) -> dict[str, Any]:
    """``LocalSecondaryIndexInfo``."""
    return {
        "IndexName": index.schema.name,
        "KeySchema": index.schema.key.describe(),
        "Projection": projection(index.schema.projection),
    }


def global_index(index: Index) -> dict[str, Any]:
    """``GlobalSecondaryIndexInfo``."""
    told = {**local_index(index), "ProvisionedThroughput": units(index.settings)}
    limits = maxima(index.settings)
    return {**told, "OnDemandThroughput": limits} if limits else told


def vector_index(index: VectorIndex) -> dict[str, Any]:
    """A vector index as it was defined."""
    told = {
        "IndexName": index.name,
        "VectorAttribute": {"AttributeName": index.attribute},
        "Dimensions": index.dimensions,
        "DistanceFunction": index.distance,
        "Projection": projection(index.projection),
    }
    if index.search_schema:
        told["SearchSchema"] = [
            {"AttributeName": name, "SearchSchemaElementType": kind} for name, kind in index.search_schema
        ]
    return told


def recorded_indexes(table: Table) -> tuple[list[Index], list[Index], list[VectorIndex]]:
    """Local, global and vector indexes that a backup of the table holds: those that are not going."""
    living = [index for index in table.indexes.values() if index.status != "DELETING"]
    return (
        [index for index in living if index.schema.kind == "LSI"],
        [index for index in living if index.schema.kind == "GSI"],
        [vector for vector in table.settings.vectors.values() if vector.status != "DELETING"],
    )


def _source(table: Table) -> dict[str, Any]:
    told = {
        "TableName": table.name,
        "TableId": table.id,
        "TableArn": table.arn,
        "TableSizeBytes": entries.table_bytes(table),
        "KeySchema": table.key.describe(),
        "TableCreationDateTime": table.created,
        "ProvisionedThroughput": units(table.settings),
        "ItemCount": len(table.view.rows),
        "BillingMode": table.settings.billing_mode,
    }
    limits = maxima(table.settings)
    return {**told, "OnDemandThroughput": limits} if limits else told


def _features(table: Table) -> dict[str, Any]:
    """Indexes, stream, time to live and encryption, each only where there is one (beyond:BKP-5)."""
    settings = table.settings
    local, everywhere, vectors = recorded_indexes(table)
    told: dict[str, Any] = {}
    if local:
        told["LocalSecondaryIndexes"] = [local_index(index) for index in local]
    if everywhere:
        told["GlobalSecondaryIndexes"] = [global_index(index) for index in everywhere]
    if settings.stream_view is not None:
        told["StreamDescription"] = {"StreamEnabled": True, "StreamViewType": settings.stream_view}
    if settings.ttl_attribute is not None:
        told["TimeToLiveDescription"] = {
            "TimeToLiveStatus": settings.ttl_status,
            "AttributeName": settings.ttl_attribute,
        }
    if settings.sse_key is not None:
        told["SSEDescription"] = {
            "Status": settings.sse_status,
            "SSEType": "KMS",
            "KMSMasterKeyArn": settings.sse_key,
        }
    if vectors:
        told["VectorIndexes"] = [vector_index(index) for index in vectors]
    return told
