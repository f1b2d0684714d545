"""Which rule says what an operation does: what it is blamed on where nothing closer is known."""

from __future__ import annotations

from collections.abc import Sequence

from reference.rules import ledger

OPERATIONS: dict[str, str] = {
    "GetItem": "values.round-trip",
    "PutItem": "items.put-replaces",
    "UpdateItem": "items.update-what-is-named",
    "DeleteItem": "items.delete-removes",
    "Query": "queries.result",
    "Scan": "scans.result",
    "BatchGetItem": "batches.read-result",
    "BatchWriteItem": "batches.write-result",
    "TransactGetItems": "transactions.read-result",
    "TransactWriteItems": "transactions.write-result",
    "ExecuteStatement": "partiql.select",
    "BatchExecuteStatement": "partiql.batch-answer",
    "ExecuteTransaction": "partiql.transaction-answer",
    "CreateTable": "tables.create-answer",
    "DescribeTable": "tables.description",
    "UpdateTable": "tables.update-answer",
    "DeleteTable": "tables.delete-answer",
    "ListTables": "tables.list-order",
    "UpdateTimeToLive": "ttl.answer",
    "DescribeTimeToLive": "ttl.answer",
    "TagResource": "tables.tag-answer",
    "UntagResource": "tables.tag-answer",
    "ListTagsOfResource": "tables.tag-answer",
    "ListStreams": "streams.list-pages",
    "DescribeStream": "streams.description",
    "GetShardIterator": "streams.iterator",
    "GetRecords": "streams.record",
    "CreateBackup": "backups.description",
    "DescribeBackup": "backups.description",
    "ListBackups": "backups.list",
    "DeleteBackup": "backups.description",
    "RestoreTableFromBackup": "backups.restored",
    "RestoreTableToPointInTime": "backups.restored",
    "UpdateContinuousBackups": "backups.recovery-window",
    "DescribeContinuousBackups": "backups.recovery-window",
    "ExportTableToPointInTime": "transfer.export-answer",
    "DescribeExport": "transfer.export-answer",
    "ListExports": "transfer.export-list",
    "ImportTable": "transfer.import-answer",
    "DescribeImport": "transfer.import-answer",
    "ListImports": "transfer.import-list",
    "StartBulkPutItems": "bulk.answer",
    "DescribeBulkOperation": "bulk.answer",
    "CancelBulkOperation": "bulk.answer",
    "ListBulkOperations": "bulk.list",
    "SearchVectors": "vectors.results",
    "PutResourcePolicy": "account.policy-revision",
    "GetResourcePolicy": "account.policy-revision",
    "DeleteResourcePolicy": "account.policy-revision",
    "DescribeLimits": "account.limits",
    "DescribeEndpoints": "account.endpoints",
    "application-autoscaling:RegisterScalableTarget": "scaling.registered",
    "application-autoscaling:DeregisterScalableTarget": "scaling.deregistered",
    "application-autoscaling:DescribeScalableTargets": "scaling.registered",
    "application-autoscaling:PutScalingPolicy": "scaling.policy",
    "application-autoscaling:DeleteScalingPolicy": "scaling.policy",
    "application-autoscaling:DescribeScalingPolicies": "scaling.policy",
    "application-autoscaling:DescribeScalingActivities": "scaling.activity",
    "cloudwatch:ListMetrics": "metrics.listed",
    "cloudwatch:GetMetricStatistics": "metrics.consumed",
    "cloudwatch:GetMetricData": "metrics.consumed",
    "cloudwatch:GetInsightRuleReport": "metrics.contributors",
    "UpdateContributorInsights": "metrics.insights",
    "DescribeContributorInsights": "metrics.insights",
    "ListContributorInsights": "metrics.insights",
    "EnableKinesisStreamingDestination": "streams.kinesis-answer",
    "DisableKinesisStreamingDestination": "streams.kinesis-answer",
    "UpdateKinesisStreamingDestination": "streams.kinesis-answer",
    "DescribeKinesisStreamingDestination": "streams.kinesis-answer",
}
"""Operation → the rule that says what its answer holds, where nothing closer is known."""
_LACKING = {
    "DescribeTableReplicaAutoScaling": "scaling.replicas",
    "UpdateTableReplicaAutoScaling": "scaling.replica-change",
}
_LACKING_KINDS = (("GlobalTable", "global-tables.list"),)


def lacking_rule(operation: str) -> str:
    """The rule about what an operation does, for one that a target does not have: one per operation."""
    known = OPERATIONS.get(operation) or _LACKING.get(operation)
    return known or next((rule for part, rule in _LACKING_KINDS if part in operation), "wire.unknown-operation")


def main_rule(operation: str, rules: Sequence[str] = ()) -> str:
    """The rule about an operation's success as a whole; ``rules`` are those that its outcome follows."""
    if operation == "ExecuteStatement" and _WRITTEN in rules:
        return _WRITTEN
    known = ledger()
    for name in (OPERATIONS.get(operation, ""), *rules):
        if name in known:
            return name
    found = lacking_rule(operation)
    return "wire.no-content" if found == "wire.unknown-operation" else found


_WRITTEN = "partiql.write-answer"
