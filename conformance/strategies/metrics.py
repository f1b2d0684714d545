"""Requests to CloudWatch about a table: figures, names of metrics, and which keys were asked for most."""

from __future__ import annotations

from typing import Any

from conformance.strategies.draws import Draw, chance, number, pick, some
from conformance.strategies.schemas import TableWorld

Body = dict[str, Any]
NAMESPACE = "AWS/DynamoDB"
OPERATIONS = ("PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan")
STATISTICS = ("Sum", "Sum", "SampleCount", "Average", "Minimum", "Maximum")


def window(draw: Draw) -> Body:
    """An hour or a day back and an hour ahead, in periods that a window may have."""
    if chance(draw, 50):
        return {"StartTime": "${epoch:-3600}", "EndTime": "${epoch:+3600}", "Period": pick(draw, (60, 300, 3600))}
    return {"StartTime": "${epoch:-86400}", "EndTime": "${epoch:+3600}", "Period": pick(draw, (3600, 86_400))}


def dimensions(world: TableWorld, **more: str) -> list[Body]:
    """The dimensions of a metric of the table."""
    return [{"Name": name, "Value": value} for name, value in {"TableName": world.reference, **more}.items()]


def metric(draw: Draw, world: TableWorld) -> tuple[str, list[Body]]:
    """A metric of the table, mostly one of what is consumed, with dimensions that it has."""
    choice = number(draw, 0, 99)
    indexes = [index.name for index in world.indexes if index.kind == "GSI"]
    if choice < 60:
        name = pick(draw, ("ConsumedWriteCapacityUnits", "ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits"))
        more = {}
        if indexes and chance(draw, 40):
            more["GlobalSecondaryIndexName"] = pick(draw, indexes)
        if name.startswith("ConsumedWrite") and chance(draw, 15):
            more["Source"] = "Customer"
        return name, dimensions(world, **more)
    if choice < 75:
        return "SuccessfulRequestLatency", dimensions(world, Operation=pick(draw, OPERATIONS))
    if choice < 83:
        return "ReturnedItemCount", dimensions(world, Operation=pick(draw, ("Query", "Scan")))
    if choice < 93:
        return "ConditionalCheckFailedRequests", dimensions(world)
    return pick(draw, ("WriteThrottleEvents", "ProvisionedReadCapacityUnits")), dimensions(world)


def statistics(draw: Draw, world: TableWorld) -> Body:
    """GetMetricStatistics, spoilt now and then."""
    name, of = metric(draw, world)
    adds_up = "SampleCount" if name == "SuccessfulRequestLatency" else "Sum"
    wanted = sorted({adds_up, *some(draw, STATISTICS[2:], most=2)} if chance(draw, 40) else {adds_up})
    body = {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": of, "Statistics": wanted, **window(draw)}
    if chance(draw, 6):
        mistake = pick(draw, ("window", "period", "none"))
        if mistake == "window":
            body["EndTime"] = body["StartTime"]
        elif mistake == "period":
            body["Period"] = pick(draw, (90, 61))
        else:
            body.pop("Statistics")
    return body


def of_operation(draw: Draw, world: TableWorld, operation: str) -> Body:
    """GetMetricStatistics of what an operation has used, of how often it was answered, or of the other units."""
    kind = pick(draw, ("units", "units", "answers", "other units"))
    body: Body = {"Namespace": NAMESPACE, "Dimensions": dimensions(world), "Statistics": ["Sum"], **window(draw)}
    if kind == "answers" and operation in OPERATIONS:
        name, of = "SuccessfulRequestLatency", dimensions(world, Operation=operation)
        return {**body, "MetricName": name, "Dimensions": of, "Statistics": ["SampleCount"]}
    reads = (operation in ("GetItem", "Query", "Scan")) != (kind == "other units")
    return {**body, "MetricName": f"Consumed{'Read' if reads else 'Write'}CapacityUnits"}


def of_refused(draw: Draw, world: TableWorld) -> Body:
    """GetMetricStatistics of how many PutItem were answered, or how many conditions have failed."""
    body: Body = {"Namespace": NAMESPACE, **window(draw)}
    if chance(draw, 40):
        name = "ConditionalCheckFailedRequests"
        return {**body, "MetricName": name, "Dimensions": dimensions(world), "Statistics": ["Sum"]}
    of = dimensions(world, Operation="PutItem")
    return {**body, "MetricName": "SuccessfulRequestLatency", "Dimensions": of, "Statistics": ["SampleCount"]}


def data(draw: Draw, world: TableWorld) -> Body:
    """GetMetricData of a few metrics."""
    times = window(draw)
    period = times.pop("Period")
    queries: list[Body] = []
    for position in range(number(draw, 1, 3)):
        name, of = metric(draw, world)
        stat = "SampleCount" if name == "SuccessfulRequestLatency" else pick(draw, ("Sum", "Sum", "Maximum"))
        asked = {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": of}
        queries.append({"Id": f"q{position}", "MetricStat": {"Metric": asked, "Period": period, "Stat": stat}})
        if chance(draw, 12):
            queries[-1]["ReturnData"] = False
    body = {"MetricDataQueries": queries, **times}
    return body | ({"ScanBy": pick(draw, ("TimestampAscending", "TimestampDescending"))} if chance(draw, 30) else {})


def listing(draw: Draw, world: TableWorld) -> Body:
    """ListMetrics of the table, all or some."""
    body: Body = {"Namespace": NAMESPACE, "Dimensions": dimensions(world)}
    if chance(draw, 40):
        body["MetricName"] = metric(draw, world)[0]
    if chance(draw, 20):
        body["Dimensions"].append({"Name": pick(draw, ("Operation", "GlobalSecondaryIndexName", "Source"))})
    return body


def report(draw: Draw, rule: str) -> Body:
    """GetInsightRuleReport of a rule."""
    body: Body = {"RuleName": rule, "StartTime": "${epoch:-3600}", "EndTime": "${epoch:+3600}", "Period": 3600}
    return body | ({"MaxContributorCount": pick(draw, (1, 2, 10))} if chance(draw, 40) else {})
