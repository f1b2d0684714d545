"""What an answer says of the call's fate: it took effect, certainly did not, or may have (now or later)."""

from __future__ import annotations

from conformance.record.op import Fate
from reference.api import Call, Json, Lost, Refusal, Reply
from reference.partiql.parser import parse
from reference.partiql.planner import is_read

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


def reads(call: Call) -> bool:
    """Whether a call can't change anything, whatever became of it."""
    body = call.body if isinstance(call.body, dict) else {}
    statements = {"ExecuteStatement": [body], "BatchExecuteStatement": body.get("Statements")}.get(call.operation)
    if not isinstance(statements, list) or not statements:
        return call.operation in READS
    return all(isinstance(each, dict) and _selects(each.get("Statement")) for each in statements)


def _selects(statement: Json) -> bool:
    tree = parse(statement).tree if isinstance(statement, str) else None
    return tree is not None and is_read(tree)


def fate(operation: str, reply: Reply) -> Fate:
    """The fate of a call by its answer (methods.md, fate table); a failed read changes nothing, so it is ``fail``."""
    if isinstance(reply, Lost):
        known = operation in READS or reply.why.split(":", 1)[0] in NEVER_SENT
        return "fail" if known else "info"
    if isinstance(reply, Refusal):
        open_ended = reply.status >= 500 or reply.code in UNDECIDED
        return "info" if open_ended and operation not in READS else "fail"
    return "ok"
