"""Bugs of metrics: what calls have used is counted too often, of the wrong thing, or told in the wrong way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from conformance.checks.base import T0, table
from conformance.checks.steps import PLAIN, get, put, s
from conformance.program import Program, Step
from reference.api import Call, Json, Reply, Success
from reference.capacity.meter import serve_with
from reference.capacity.uses import Use
from reference.metrics import recording
from reference.metrics.store import Metrics
from reference.service import Service
from tests.planted.base import Bug, Executes, Patch, Plant, PlantedService, originals, patched

_REAL = originals(recording)


def _twice(metrics: Metrics, use: Use, now: float) -> None:
    for _ in range(2):
        _REAL._consumed(metrics, use, now)


def _in_the_table(metrics: Metrics, use: Use, now: float) -> None:
    """What an index uses is counted as its table's."""
    _REAL._consumed(metrics, replace(use, index=""), now)


def _as_writes(metrics: Metrics, use: Use, now: float) -> None:
    _REAL._consumed(metrics, replace(use, kind="Write"), now)


def _whatever_became(
    metrics: Metrics, account: Any, call: Call, reply: Reply, uses: Any, throttles: Any
) -> None:  # fmt: skip
    """Refused requests count as answered."""
    _REAL.record(metrics, account, call, reply if isinstance(reply, Success) else Success({}), uses, throttles)


def _first_attribute(held: Any, index: str, row: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Keys are cut after their first letter."""
    partition, sort = _REAL.keys_of(held, index, row)
    return tuple(each[:1] + "…" for each in partition), sort


def _answers(alter: Any, operation: str) -> Any:
    def says(service: Service, call: Call, reply: Reply) -> Reply:
        if call.operation != f"cloudwatch:{operation}" or not isinstance(reply, Success):
            return reply
        return Success(alter(dict(reply.body)))

    return says


def _in_bytes(body: dict[str, Any]) -> Json:
    return {**body, "Datapoints": [{**point, "Unit": "Bytes"} for point in body["Datapoints"]]}


def _least_first(body: dict[str, Any]) -> Json:
    return {**body, "Contributors": body["Contributors"][::-1]}


def _unpaired(body: dict[str, Any]) -> Json:
    """Moments without the values that belong to them."""
    return {**body, "MetricDataResults": [{**each, "Values": each["Values"][:0]} for each in body["MetricDataResults"]]}


def _everybodys(service: Service, call: Call, reply: Reply) -> Reply:
    """Dimensions that are asked for are taken for a wish."""
    if call.operation != "cloudwatch:ListMetrics" or not isinstance(reply, Success) or not reply.body["Metrics"]:
        return reply
    other = [{"Name": "TableName", "Value": "somebody-elses"}]
    return Success({**reply.body, "Metrics": [{**reply.body["Metrics"][0], "Dimensions": other}]})


def _bug(name: str, about: str, tables: Mapping[str, Json], *steps: Step, **hooks: Any) -> Plant:
    """A plant that counts what calls use, as the reference can, but for its bug."""

    def wrap(service: Service) -> Executes:
        serve_with(service.account, metrics=True)
        return PlantedService(service, Bug(**hooks))

    return Plant(name, about, "metrics", wrap, Program("metrics", tables, steps))


def _consumes(consumed: Any) -> tuple[Patch, ...]:
    return (patched(recording, _consumed=consumed),)


_WINDOW = {"StartTime": "${epoch:-3600}", "EndTime": "${epoch:+3600}"}


def _statistics(metric: str, statistic: str = "Sum", **dimensions: str) -> Step:
    of = [{"Name": name, "Value": value} for name, value in {"TableName": T0, **dimensions}.items()]
    body = {"Namespace": "AWS/DynamoDB", "MetricName": metric, "Dimensions": of, "Statistics": [statistic]}
    return Step("cloudwatch:GetMetricStatistics", {**body, **_WINDOW, "Period": 3600})


def _data(metric: str) -> Step:
    of = [{"Name": "TableName", "Value": T0}]
    asked = {"Metric": {"Namespace": "AWS/DynamoDB", "MetricName": metric, "Dimensions": of}}
    query = {"Id": "q0", "MetricStat": {**asked, "Period": 3600, "Stat": "Sum"}}
    return Step("cloudwatch:GetMetricData", {"MetricDataQueries": [query], **_WINDOW})


_WRITTEN = "ConsumedWriteCapacityUnits"
_INDEXED = {"t0": table(gsi=["by-g=g:S"])}
_LISTED = Step("cloudwatch:ListMetrics", {
    "Namespace": "AWS/DynamoDB", "Dimensions": [{"Name": "TableName", "Value": T0}],
})  # fmt: skip
_WATCHED = (
    Step("UpdateContributorInsights", {"TableName": T0, "ContributorInsightsAction": "ENABLE"}),
    Step("DescribeContributorInsights", {"TableName": T0}),
)
_REPORT = Step("cloudwatch:GetInsightRuleReport", {
    "RuleName": "${reply:2:ContributorInsightsRuleList[0]}", **_WINDOW, "Period": 3600,
})  # fmt: skip

PLANTS: tuple[Plant, ...] = (
    _bug(
        "metrics-counted-twice", "What calls use is counted twice.",
        PLAIN, put(), _statistics(_WRITTEN), patches=_consumes(_twice),
    ),
    _bug(
        "metrics-index-in-table", "What an index uses is counted as its table's.",
        _INDEXED, put({"g": s("g")}), _statistics(_WRITTEN), patches=_consumes(_in_the_table),
    ),
    _bug(
        "metrics-reads-as-writes", "Reads are counted as writes.",
        PLAIN, get(), _data(_WRITTEN), patches=_consumes(_as_writes),
    ),
    _bug(
        "metrics-refusals-as-answers", "Refused requests are counted among those that succeed.",
        PLAIN, put(ConditionExpression="attribute_exists(pk)"),
        _statistics("SuccessfulRequestLatency", "SampleCount", Operation="PutItem"),
        patches=(patched(recording, record=_whatever_became),),
    ),
    _bug(
        "metrics-unit", "Units of capacity are told as bytes.",
        PLAIN, put(), _statistics(_WRITTEN), says=_answers(_in_bytes, "GetMetricStatistics"),
    ),
    _bug(
        "metrics-moments-without-values", "GetMetricData tells moments without values.",
        PLAIN, put(), _data(_WRITTEN), says=_answers(_unpaired, "GetMetricData"),
    ),
    _bug("metrics-list-of-others", "ListMetrics names metrics of other tables than the one asked for.",
         PLAIN, put(), _LISTED, says=_everybodys),
    _bug(
        "contributors-cut", "Contributors are told by the beginning of their keys.",
        PLAIN, *_WATCHED, put(), _REPORT, patches=(patched(recording, keys_of=_first_attribute),),
    ),
    _bug(
        "contributors-least-first", "Contributors come in order of how seldom they are asked for.",
        PLAIN, *_WATCHED, put(), put(), put({"pk": s("b")}), _REPORT,
        says=_answers(_least_first, "GetInsightRuleReport"),
    ),
)  # fmt: skip
