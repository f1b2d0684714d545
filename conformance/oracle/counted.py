"""Answers of CloudWatch about DynamoDB: what calls have used, which keys were asked for most (beyond:MET-1 to MET-3).

Metrics come later and may not come at all, so a target that claims nothing of them may show less than was done, never
more. One that is served with metrics shows all of it at once. Where an answer before was not what it should be, or was
lost, nobody knows what was counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.oracle.compare import Difference
from conformance.oracle.latitude import Latitude
from reference.account import Account
from reference.api import Call, Json, Refusal, Success
from reference.capacity import meter
from reference.capacity.uses import Use
from reference.metrics import recording
from reference.metrics.store import Dimensions, Metrics
from reference.operations.cloudwatch import NAMESPACE, unit_of
from reference.service import Service

PREFIX = "cloudwatch:"
OPERATIONS = frozenset({
    f"{PREFIX}ListMetrics", f"{PREFIX}GetMetricStatistics", f"{PREFIX}GetMetricData", f"{PREFIX}GetInsightRuleReport",
})  # fmt: skip
ROOM = "counting"
UNSURE = 120.0
"""Seconds around the ends of a window in which something may be counted before it or after it."""
_OF = {
    "ConsumedReadCapacityUnits": "Sum",
    "ConsumedWriteCapacityUnits": "Sum",
    "ConditionalCheckFailedRequests": "Sum",
    "ReturnedItemCount": "Sum",
    "SuccessfulRequestLatency": "SampleCount",
}
"""Metrics whose figures are followed, and the statistic that adds up."""
_MANY = ("Query", "Scan", "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction", "TransactWriteItems",
         "TransactGetItems")  # fmt: skip
"""Operations that may ask for a key more than once."""
_OF_OPERATION = frozenset({"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"})
_EPSILON = 1e-6


@dataclass(slots=True)
class Counting:
    """Whether what was counted is not known any more (``hazy``), and whether anything has been throttled."""

    hazy: bool = False
    throttled: bool = False

    def copy(self) -> Counting:
        """The same, for changing apart."""
        return Counting(self.hazy, self.throttled)


def begin(service: Service) -> None:
    """Count from now on what calls use."""
    meter.counted(service.account)
    service.account.rooms.setdefault(ROOM, Counting())


def blur(service: Service) -> None:
    """What was counted is not known any more."""
    room = service.account.rooms.get(ROOM)
    if room is not None:
        room.hazy = True


def hindered(service: Service) -> None:
    """Something was throttled."""
    room = service.account.rooms.get(ROOM)
    if room is not None:
        room.throttled = True


def note(service: Service, call: Call, used: tuple[Use, ...], reply: Success | Refusal) -> None:
    """Count a call that was answered as it should be."""
    if ROOM not in service.account.rooms or ":" in call.operation:
        return
    recording.record(_metrics(service.account), service.account, call, reply, used, ())
    body = reply.body if isinstance(reply, Success) and isinstance(reply.body, dict) else {}
    if body.get("UnprocessedItems") or body.get("UnprocessedKeys"):
        hindered(service)


def _metrics(account: Account) -> Metrics:
    held = meter.meter_of(account)
    return Metrics() if held is None or held.metrics is None else held.metrics


@dataclass(frozen=True, slots=True)
class _Sight:
    """What may be said of counts: not more than ours (``bounded``), and just as many (``exact``)."""

    metrics: Metrics
    tables: frozenset[str]
    bounded: bool
    exact: bool
    throttled: bool


def _sight(service: Service, latitude: Latitude) -> _Sight:
    room = service.account.rooms.get(ROOM)
    clear = room is not None and not room.hazy and latitude.staleness == latitude.index_lag == 0
    return _Sight(
        _metrics(service.account), frozenset(service.account.tables), clear, clear and latitude.counts,
        room is None or room.throttled,
    )  # fmt: skip


def differs(service: Service, call: Call, expected: Json, body: Json, latitude: Latitude) -> Iterator[Difference]:
    """What in an answer about DynamoDB's metrics cannot be so."""
    got: dict[str, Any] = body if isinstance(body, dict) else {}
    sight = _sight(service, latitude)
    if call.operation == f"{PREFIX}ListMetrics":
        yield from _listed(sight, call, expected, got)
    elif call.operation == f"{PREFIX}GetMetricStatistics":
        yield from _statistics(sight, call, got)
    elif call.operation == f"{PREFIX}GetMetricData":
        yield from _data(sight, call, got)
    else:
        yield from _report(service, sight, call, expected, got)


# Figures


def _given(dimensions: Json) -> Dimensions:
    return tuple(sorted((str(each.get("Name")), str(each.get("Value"))) for each in dimensions or ()))


def _bounds(sight: _Sight, metric: str, of: Dimensions, statistic: str, body: Mapping[str, Any], period: int) -> Any:
    """The least and the most that a statistic over a window may add up to; None where nothing is known of it."""
    held = dict(of)
    known = _OF.get(metric) == statistic and held.get("TableName") in sight.tables and sight.bounded
    if not known or held.get("Operation", "Query") not in _OF_OPERATION:
        return None
    start, end = body["StartTime"], body["EndTime"]
    least = _total(sight, metric, of, start + UNSURE, end - UNSURE) if sight.exact else 0.0
    most = _total(sight, metric, of, start - period - UNSURE, end + period + UNSURE)
    if metric == "ConsumedReadCapacityUnits":
        most += _pages(sight, held["TableName"])
    return least, most


def _total(sight: _Sight, metric: str, of: Dimensions, start: float, end: float) -> float:
    points = sight.metrics.points(metric, of, start, end, 60).values()
    return float(sum(each.total if _OF[metric] == "Sum" else each.count for each in points))


def _asked(sight: _Sight, table: str, operation: str) -> int:
    """How often an operation was answered about a table."""
    of = (("Operation", operation), ("TableName", table))
    return sight.metrics.totals("SuccessfulRequestLatency", of)[1]


def _pages(sight: _Sight, table: str) -> float:
    """Units that pages may have cost more than ours, where that is not recorded (conflicts.md 81, gap 20)."""
    return 4.0 * _asked(sight, table, "Scan") + 1.0 * _asked(sight, table, "Query")


def _adds_up(path: tuple[str, ...], bounds: tuple[float, float] | None, total: float) -> Iterator[Difference]:
    if bounds is not None and total > bounds[1] + _EPSILON:
        yield Difference(path, "more", bounds[1], total)
    elif bounds is not None and total < bounds[0] - _EPSILON:
        yield Difference(path, "fewer", bounds[0], total)


def _is_figure(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _statistics(sight: _Sight, call: Call, got: dict[str, Any]) -> Iterator[Difference]:
    asked, points = call.body, got.get("Datapoints")
    if not isinstance(points, list) or not all(isinstance(point, dict) for point in points):
        yield Difference(("Datapoints",), "type", [], points)
        return
    metric = asked["MetricName"]
    ours = asked["Namespace"] == NAMESPACE
    for point in points:
        for name in ("Timestamp", *asked["Statistics"]):
            if not _is_figure(point.get(name)):
                yield Difference(("Datapoints", "*", name), "type", 0.0, point.get(name))
                return
        if ours and metric in _OF and point.get("Unit") != unit_of(metric):
            yield Difference(("Datapoints", "*", "Unit"), "value", unit_of(metric), point.get("Unit"))
    times = [point["Timestamp"] for point in points]
    if len(set(times)) != len(times):
        yield Difference(("Datapoints", "*", "Timestamp"), "twice", sorted(set(times)), times)
    yield from _outside(("Datapoints", "*", "Timestamp"), times, asked, asked["Period"])
    for statistic in asked["Statistics"] if ours else ():
        bounds = _bounds(sight, metric, _given(asked.get("Dimensions")), statistic, asked, asked["Period"])
        yield from _adds_up(("Datapoints", "*", statistic), bounds, sum(point[statistic] for point in points))


def _outside(
    path: tuple[str, ...], times: list[float], asked: Mapping[str, Any], period: int
) -> Iterator[Difference]:  # fmt: skip
    """A moment that is not in the window asked for, however its periods are laid."""
    strange = next((at for at in times if not asked["StartTime"] - period <= at <= asked["EndTime"]), None)
    if strange is not None:
        yield Difference(path, "value", [asked["StartTime"], asked["EndTime"]], strange)


def _data(sight: _Sight, call: Call, got: dict[str, Any]) -> Iterator[Difference]:
    results = got.get("MetricDataResults")
    wanted = {each["Id"]: each for each in call.body["MetricDataQueries"] if each.get("ReturnData") is not False}
    shown = [each.get("Id") for each in results if isinstance(each, dict)] if isinstance(results, list) else None
    if not isinstance(results, list) or shown is None or sorted(map(str, shown)) != sorted(wanted):
        yield Difference(("MetricDataResults", "*", "Id"), "value", sorted(wanted), shown)
        return
    for result in results:
        yield from _result(sight, call, wanted[result["Id"]], result)


def _result(sight: _Sight, call: Call, query: Mapping[str, Any], result: dict[str, Any]) -> Iterator[Difference]:
    times, values = result.get("Timestamps") or [], result.get("Values") or []
    path = ("MetricDataResults", "*", "Values")
    if len(times) != len(values) or not all(map(_is_figure, [*times, *values])):
        yield Difference(path, "type", len(times), values)
        return
    ascending = call.body.get("ScanBy") == "TimestampAscending"
    if times != sorted(times, reverse=not ascending):
        yield Difference(("MetricDataResults", "*", "Timestamps"), "order", sorted(times), times)
    stat = query["MetricStat"]
    yield from _outside(("MetricDataResults", "*", "Timestamps"), times, call.body, stat["Period"])
    metric = stat["Metric"]
    if metric.get("Namespace") == NAMESPACE:
        of, name = _given(metric.get("Dimensions")), metric.get("MetricName") or ""
        yield from _adds_up(path, _bounds(sight, name, of, stat["Stat"], call.body, stat["Period"]), sum(values))


# Names


def _listed(sight: _Sight, call: Call, expected: Json, got: dict[str, Any]) -> Iterator[Difference]:
    listed = got.get("Metrics")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        yield Difference(("Metrics",), "type", expected["Metrics"], listed)
        return
    shown = [(str(each.get("MetricName")), _given(each.get("Dimensions"))) for each in listed]
    due = {(each["MetricName"], _given(each["Dimensions"])) for each in expected["Metrics"]}
    for each, (metric, of) in zip(listed, shown, strict=True):
        if not _matches(call.body, each, dict(of)):
            yield Difference(("Metrics", "*"), "unexpected", call.body, each)
        elif each.get("Namespace") == NAMESPACE and _followed(sight, metric, dict(of)) and (metric, of) not in due:
            yield Difference(("Metrics", "*"), "unexpected", None, each)
    missing = [each for each in sorted(due) if dict(each[1]).get("TableName") in sight.tables and each not in shown]
    if sight.exact and missing and got.get("NextToken") is None:
        yield Difference(("Metrics", "*"), "missing", missing[0], None)


def _followed(sight: _Sight, metric: str, of: Mapping[str, str]) -> bool:
    """Whether it is known if anything was counted of a metric."""
    single = of.get("Operation", "Query") in _OF_OPERATION
    return sight.bounded and metric in _OF and single and of.get("TableName") in sight.tables


def _matches(asked: Mapping[str, Any], each: Mapping[str, Any], of: Mapping[str, str]) -> bool:
    if any(asked.get(name) not in (None, each.get(name)) for name in ("Namespace", "MetricName")):
        return False
    wanted = asked.get("Dimensions") or ()
    return all(w.get("Name") in of and w.get("Value") in (None, of[w.get("Name")]) for w in wanted)


# Contributors


def rule_pairs(expected: Json, observed: Json) -> Iterator[tuple[str, str]]:
    """(the target's name, ours) of every rule of Contributor Insights that both list: they end in moments."""
    ours, theirs = (body.get("ContributorInsightsRuleList") if isinstance(body, dict) else None
                    for body in (expected, observed))  # fmt: skip
    by_stem = {name.rsplit("-", 1)[0]: name for name in ours or ()}
    for name in theirs if isinstance(theirs, list) else ():
        stem = name.rsplit("-", 1)[0] if isinstance(name, str) else ""
        if stem in by_stem:
            yield name, by_stem[stem]


def _report(
    service: Service, sight: _Sight, call: Call, expected: Json, got: dict[str, Any]
) -> Iterator[Difference]:  # fmt: skip
    """A report names keys that were asked for, in the order of how often."""
    labels, listed = got.get("KeyLabels"), got.get("Contributors") or []
    if labels is not None and labels != expected["KeyLabels"]:
        yield Difference(("KeyLabels",), "value", expected["KeyLabels"], labels)
        return
    values = [each.get("ApproximateAggregateValue") for each in listed]
    if not all(map(_is_figure, values)) or values != sorted(values, reverse=True):
        yield Difference(("Contributors",), "order", None, listed)
        return
    rule = recording.rule_of(service.account, call.body["RuleName"])
    if rule is None or not sight.bounded or rule[1] or (rule[2].endswith("T") and sight.throttled):
        return
    asked = sight.metrics.contributors(rule, 0.0, service.account.now() + UNSURE, 60)
    known = {keys for counted in asked.values() for keys in counted}
    strange = next((each for each in listed if tuple(each.get("Keys") or ()) not in known), None)
    if strange is not None:
        yield Difference(("Contributors", "*", "Keys"), "unexpected", sorted(known), strange["Keys"])
    elif _countable(service, sight, call, rule[0]):
        total = float(sum(sum(counted.values()) for counted in asked.values()))
        if got.get("AggregateValue") != total:
            yield Difference(("AggregateValue",), "value", total, got.get("AggregateValue"))


def _countable(service: Service, sight: _Sight, call: Call, table: str) -> bool:
    """Whether all accesses are in the window, and each call made one for each of its keys."""
    failed = sight.metrics.totals("ConditionalCheckFailedRequests", (("TableName", table),))[1]
    many = sum(_asked(sight, table, operation) for operation in _MANY)
    now = service.account.now()
    whole = call.body["EndTime"] >= now + UNSURE and call.body["StartTime"] <= now - 1_800
    return sight.exact and not failed and not many and whole
