"""What an answer says of the call's fate: it took effect, certainly did not, or may have (now or later)."""

from __future__ import annotations

from conformance.record.op import Fate
from reference.api import Lost, Refusal, Reply

READS = frozenset(
    {
        "GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems", "DescribeTable", "ListTables",
        "DescribeTimeToLive", "ListTagsOfResource", "DescribeLimits", "DescribeEndpoints", "DescribeContinuousBackups",
        "DescribeStream", "ListStreams", "GetRecords", "GetShardIterator", "SearchVectors", "DescribeBackup",
        "ListBackups", "DescribeExport", "ListExports", "DescribeImport", "ListImports", "DescribeBulkOperation",
        "ListBulkOperations", "GetResourcePolicy", "DescribeContributorInsights", "ListContributorInsights",
        "DescribeKinesisStreamingDestination", "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies", "application-autoscaling:DescribeScalingActivities",
        "cloudwatch:ListMetrics", "cloudwatch:GetMetricStatistics", "cloudwatch:GetMetricData",
        "cloudwatch:GetInsightRuleReport",
    }
)  # fmt: skip

NEVER_SENT = frozenset({"refused", "dns", "tls"})
"""Ways to lose a call before its first byte reached the target."""

UNDECIDED = frozenset({"TransactionInProgressException"})


def fate(operation: str, reply: Reply) -> Fate:
    """The fate of a call by its answer (methods.md, fate table); a failed read changes nothing, so it is ``fail``."""
    if isinstance(reply, Lost):
        known = operation in READS or reply.why.split(":", 1)[0] in NEVER_SENT
        return "fail" if known else "info"
    if isinstance(reply, Refusal):
        open_ended = reply.status >= 500 or reply.code in UNDECIDED
        return "info" if open_ended and operation not in READS else "fail"
    return "ok"
