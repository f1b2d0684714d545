"""CloudWatch at the same endpoint: ListMetrics, GetMetricStatistics, GetMetricData, GetInsightRuleReport.

Only what the service counts itself can be read (beyond:MET-1 to MET-3); metrics of other namespaces are not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from reference.account import Account
from reference.api import Json
from reference.capacity.meter import meter_of
from reference.metrics.recording import rule_of
from reference.metrics.store import MINUTE, Dimensions, Metrics, Stat
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.rules import Checks, violation

NAMESPACE = "AWS/DynamoDB"
PAGE = 500
"""Metrics on one page of ListMetrics."""
MOST_POINTS = 1_440
"""Datapoints that one GetMetricStatistics answers at most."""
CONTRIBUTORS = 10
"""Contributors that a report names when it is not told how many."""
_PREFIX = "cloudwatch:"
_UNITS = {"SuccessfulRequestLatency": "Milliseconds", "ReturnedBytes": "Bytes"}


def _metrics(account: Account) -> Metrics:
    meter = meter_of(account)
    return Metrics() if meter is None or meter.metrics is None else meter.metrics


def unit_of(metric: str) -> str:
    """The unit of a metric's values."""
    return "Percent" if metric.endswith("Utilization") else _UNITS.get(metric, "Count")


def _given(dimensions: Json) -> Dimensions:
    return tuple(sorted((each.get("Name", ""), each.get("Value", "")) for each in dimensions or ()))


def list_metrics(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ListMetrics: by namespace, name and dimensions, of which a name alone stands for any value."""
    yield from ()
    found = []
    if body.get("Namespace") in (None, NAMESPACE):
        for metric, of in _metrics(context.account).series():
            if body.get("MetricName") in (None, metric) and _matches(of, body.get("Dimensions") or ()):
                listed = [{"Name": name, "Value": value} for name, value in of]
                found.append({"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": listed})
    token = body.get("NextToken") or "0"
    start = min(int(token), len(found)) if token.isascii() and token.isdigit() and len(token) < 10 else 0
    answer: dict[str, Json] = {"Metrics": found[start : start + PAGE]}
    if start + PAGE < len(found):
        answer["NextToken"] = str(start + PAGE)
    return Outcome(answer, rules=("metrics.listed",))


def _matches(of: Dimensions, wanted: Json) -> bool:
    held = dict(of)
    return all(each.get("Name") in held and each.get("Value") in (None, held[each.get("Name")]) for each in wanted)


def _window(body: Mapping[str, Any]) -> Checks[bool]:
    """Whether a time and its periods can be told (CloudWatch keeps a minute at the finest)."""
    sound = True
    if body["StartTime"] >= body["EndTime"]:
        sound = False
        yield violation("metrics.window")
    return sound


def _period(period: Json) -> Checks[bool]:
    if type(period) is int and period > 0 and period % MINUTE == 0:
        return True
    yield violation("metrics.period")
    return False


def get_metric_statistics(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """GetMetricStatistics: the figures of each period in which something was counted."""
    if not complete(context.operation, body):
        return None
    sound = yield from _window(body)
    sound &= yield from _period(body["Period"])
    if not body.get("Statistics"):
        yield violation("metrics.statistics")
        return None
    if not sound:
        return None
    metric = body["MetricName"]
    answer: dict[str, Any] = {"Label": metric, "Datapoints": []}
    if body["Namespace"] == NAMESPACE and body.get("Unit") in (None, unit_of(metric)):
        points = _metrics(context.account).points(
            metric, _given(body.get("Dimensions")), body["StartTime"], body["EndTime"], body["Period"]
        )
        if len(points) > MOST_POINTS:
            yield violation("metrics.datapoints", asked=len(points), limit=MOST_POINTS)
        for at, stat in points.items():
            figures = {name: _statistic(name, stat) for name in body["Statistics"]}
            answer["Datapoints"].append({"Timestamp": float(at), **figures, "Unit": unit_of(metric)})
    return Outcome(answer, rules=("metrics.consumed", "metrics.throttled", "metrics.refused", "metrics.provisioned"))


def _statistic(name: str, stat: Stat) -> float:
    if name == "Average":
        return stat.total / stat.count
    return {
        "Sum": stat.total, "SampleCount": float(stat.count), "Minimum": stat.least, "Maximum": stat.most
    }.get(name, stat.total)  # fmt: skip


def get_metric_data(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """GetMetricData: several metrics at once; expressions are not computed."""
    if not complete(context.operation, body):
        return None
    sound = yield from _window(body)
    for query in body["MetricDataQueries"]:
        stat = query.get("MetricStat")
        if stat is None:
            yield violation("metrics.expression")
            sound = False
        else:
            sound &= yield from _period(stat["Period"])
    if not sound:
        return None
    results = [_result(context, query, body) for query in body["MetricDataQueries"]]
    shown = [result for result, query in zip(results, body["MetricDataQueries"], strict=True)
             if query.get("ReturnData") is not False]  # fmt: skip
    return Outcome({"MetricDataResults": shown, "Messages": []}, rules=("metrics.consumed",))


def _result(context: Context, query: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Json]:
    stat = query["MetricStat"]
    metric = stat["Metric"]
    points: dict[int, Stat] = {}
    if metric.get("Namespace") == NAMESPACE:
        points = _metrics(context.account).points(
            metric.get("MetricName") or "", _given(metric.get("Dimensions")), body["StartTime"], body["EndTime"],
            stat["Period"],
        )  # fmt: skip
    order = sorted(points, reverse=body.get("ScanBy") != "TimestampAscending")
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or metric.get("MetricName") or "",
        "Timestamps": [float(at) for at in order],
        "Values": [_statistic(stat["Stat"], points[at]) for at in order],
        "StatusCode": "Complete",
    }


def get_insight_rule_report(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """GetInsightRuleReport: which keys of a table or index are accessed or throttled most (beyond:CI-1)."""
    if not complete(context.operation, body):
        return None
    sound = yield from _window(body)
    sound &= yield from _period(body["Period"])
    rule = rule_of(context.account, body["RuleName"])
    if rule is None:
        yield violation("metrics.no-insight-rule", rule=body["RuleName"])
    if rule is None or not sound:
        return None
    periods = _metrics(context.account).contributors(rule, body["StartTime"], body["EndTime"], body["Period"])
    totals: Counter[tuple[str, ...]] = Counter()
    for counted in periods.values():
        totals.update(counted)
    most = body.get("MaxContributorCount") or CONTRIBUTORS
    named = sorted(totals, key=lambda keys: (-totals[keys], keys))[: max(1, most)]
    answer = {
        "KeyLabels": list(_labels(context.account, rule)),
        "AggregationStatistic": "Sum",
        "AggregateValue": float(sum(totals.values())),
        "ApproximateUniqueCount": len(totals),
        "Contributors": [_contributor(keys, totals[keys], periods) for keys in named],
        "MetricDatapoints": [],
    }
    return Outcome(answer, rules=("metrics.contributors",))


def _contributor(keys: tuple[str, ...], total: int, periods: Mapping[int, Counter[tuple[str, ...]]]) -> dict[str, Json]:
    points = [
        {"Timestamp": float(at), "ApproximateValue": float(counted[keys])}
        for at, counted in periods.items()
        if keys in counted
    ]
    return {"Keys": list(keys), "ApproximateAggregateValue": float(total), "Datapoints": points}


def _labels(account: Account, rule: tuple[str, str, str]) -> Iterator[str]:
    table, index, kind = rule
    held = account.tables[table]
    key = held.indexes[index].schema.key if index and index in held.indexes else held.key
    for attribute in key.hash if kind.startswith("PK") else key.attributes:
        yield attribute.name


OPERATIONS: dict[str, Operation] = {
    f"{_PREFIX}ListMetrics": list_metrics,
    f"{_PREFIX}GetMetricStatistics": get_metric_statistics,
    f"{_PREFIX}GetMetricData": get_metric_data,
    f"{_PREFIX}GetInsightRuleReport": get_insight_rule_report,
}
