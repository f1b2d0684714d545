"""Checks of metrics: what CloudWatch shows of what was just done, and which keys Contributor Insights name."""

from __future__ import annotations

from typing import Any

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import (
    PLAIN,
    answers,
    batch_put,
    get,
    item,
    put,
    refuses,
    s,
    scan,
)
from conformance.program import Step
from reference.api import Json

_SERVED = ("metrics",)
_WINDOW = {"StartTime": "${epoch:-3600}", "EndTime": "${epoch:+3600}", "Period": 3600}
_BOTH = ("throttling", "metrics")


def _dimensions(**given: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in given.items()]


def _statistics(metric: str, statistic: str = "Sum", *, of_account: bool = False, **dimensions: str) -> Step:
    body: dict[str, Any] = {
        "Namespace": "AWS/DynamoDB",
        "MetricName": metric,
        "Dimensions": [] if of_account else _dimensions(TableName=T0, **dimensions),
        "Statistics": [statistic],
        **_WINDOW,
        # Two hours in one period of a day, wherever it begins.
        "StartTime": "${epoch:-86400}",
        "Period": 86400,
    }
    return Step("cloudwatch:GetMetricStatistics", body)


def _list(**members: Json) -> Step:
    return Step("cloudwatch:ListMetrics", {"Namespace": "AWS/DynamoDB", **members})


def _metric(metric: str, **dimensions: str) -> dict[str, Json]:
    return {"Namespace": "AWS/DynamoDB", "MetricName": metric, "Dimensions": _dimensions(**dimensions)}


def _shows(
    rule: str,
    step: Step,
    value: float,
    *given: Step,
    unit: str = "Count",
    name: str = "",
    tables: Any = PLAIN,
    settings: tuple[str, ...] = _SERVED,
) -> Check:
    statistic = step.body["Statistics"][0]
    return answers(
        rule,
        step,
        has={statistic: value, "Unit": unit},
        at="Datapoints[0]",
        given=given,
        tables=tables,
        settings=settings,
        name=name or step.body["MetricName"],
    )


_INDEXED = {"t0": table(gsi=["by_g=g:S"])}
_ONE_UNIT = {
    "t0": table() | {
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {"ReadCapacityUnits": 7, "WriteCapacityUnits": 1},
    }
}  # fmt: skip
_PARTLY = batch_put(item(), {"pk": s("b"), "v": s("x" * 4500)})
_ON = Step("UpdateContributorInsights", {"TableName": T0, "ContributorInsightsAction": "ENABLE"})
_LISTED = Step("DescribeContributorInsights", {"TableName": T0})


def _report(rule: int) -> Step:
    body = {"RuleName": f"${{reply:2:ContributorInsightsRuleList[{rule}]}}", **_WINDOW}
    return Step("cloudwatch:GetInsightRuleReport", body)


CHECKS: tuple[Check, ...] = (
    _shows("metrics.consumed", _statistics("ConsumedWriteCapacityUnits"), 5.0, put({"v": s("x" * 4500)})),
    _shows("metrics.consumed", _statistics("ConsumedReadCapacityUnits"), 1.5, get(), get(ConsistentRead=False)),
    _shows(
        "metrics.consumed",
        _statistics("ConsumedWriteCapacityUnits", GlobalSecondaryIndexName="by_g"),
        1.0,
        put({"g": s("g")}),
        put({"pk": s("b")}),
        tables=_INDEXED,
        name="index",
    ),
    _shows(
        "metrics.consumed",
        _statistics("ConsumedWriteCapacityUnits"),
        2.0,
        put({"g": s("g")}),
        put({"pk": s("b")}),
        tables=_INDEXED,
        name="table without its index",
    ),
    _shows("metrics.throttled", _statistics("WriteThrottleEvents"), 1.0, _PARTLY, tables=_ONE_UNIT, settings=_BOTH),
    _shows(
        "metrics.throttled",
        _statistics("WriteProvisionedThroughputThrottleEvents"),
        1.0,
        _PARTLY,
        tables=_ONE_UNIT,
        settings=_BOTH,
    ),
    answers(
        "metrics.throttled",
        _statistics("ThrottledRequests", Operation="BatchWriteItem"),
        has={"Datapoints": []},
        given=(_PARTLY,),
        tables=_ONE_UNIT,
        settings=_BOTH,
        name="a batch that is done in part",
    ),
    answers(
        "metrics.provisioned",
        _statistics("ProvisionedReadCapacityUnits", "Maximum"),
        has={"Maximum": 7.0, "Unit": "Count"},
        at="Datapoints[0]",
        given=(get(),),
        tables=_ONE_UNIT,
        pause=301.0,
        settings=_SERVED,
    ),
    answers(
        "metrics.refused",
        _statistics("UserErrors", of_account=True),
        has={"Label": "UserErrors"},
        given=(put(),),
        settings=_SERVED,
        name="UserErrors",
    ),
    _shows(
        "metrics.answered",
        _statistics("SuccessfulRequestLatency", "SampleCount", Operation="PutItem"),
        2.0,
        put(),
        put(),
        unit="Milliseconds",
    ),
    _shows("metrics.answered", _statistics("ReturnedItemCount", Operation="Scan"), 1.0, put(), scan()),
    answers(
        "metrics.listed",
        _list(MetricName="ConsumedWriteCapacityUnits", Dimensions=[{"Name": "TableName", "Value": T0}]),
        has={
            "Metrics": [
                _metric("ConsumedWriteCapacityUnits", Source="Customer", TableName=T0),
                _metric("ConsumedWriteCapacityUnits", TableName=T0),
            ]
        },
        given=(put(),),
        settings=_SERVED,
    ),
    answers(
        "metrics.listed",
        _list(Namespace="AWS/EC2"),
        has={"Metrics": []},
        given=(put(),),
        settings=_SERVED,
        name="of another service",
    ),
    refuses(
        "metrics.window",
        Step("cloudwatch:GetMetricStatistics", {**_statistics("UserErrors").body, "EndTime": "${epoch:-86400}"}),
        phrase="StartTime must be less than",
        code="InvalidParameterValueException",
        control=_statistics("UserErrors"),
        settings=_SERVED,
    ),
    refuses(
        "metrics.period",
        Step("cloudwatch:GetMetricStatistics", {**_statistics("UserErrors").body, "Period": 90}),
        phrase="Period must be",
        code="InvalidParameterValueException",
        control=_statistics("UserErrors"),
        settings=_SERVED,
    ),
    refuses(
        "metrics.statistics",
        Step(
            "cloudwatch:GetMetricStatistics",
            {name: member for name, member in _statistics("UserErrors").body.items() if name != "Statistics"},
        ),
        code="MissingRequiredParameterException",
        control=_statistics("UserErrors"),
        settings=_SERVED,
    ),
    answers(
        "metrics.contributors",
        _report(0),
        has={
            "KeyLabels": ["pk"],
            "AggregateValue": 3.0,
            "ApproximateUniqueCount": 2,
        },
        given=(_ON, _LISTED, put(), put(), put({"pk": s("b")})),
        settings=_SERVED,
        name="accessed",
    ),
    answers(
        "metrics.contributors",
        _report(0),
        has={"Keys": ["a"], "ApproximateAggregateValue": 2.0},
        at="Contributors[0]",
        given=(_ON, _LISTED, put(), put(), put({"pk": s("b")})),
        settings=_SERVED,
        name="the first is asked for most",
    ),
    answers(
        "metrics.contributors",
        _report(1),
        has={"Keys": ["b"], "ApproximateAggregateValue": 1.0},
        at="Contributors[0]",
        given=(_ON, _LISTED, _PARTLY),
        tables=_ONE_UNIT,
        settings=_BOTH,
        name="throttled",
    ),
    refuses(
        "metrics.no-insight-rule",
        Step("cloudwatch:GetInsightRuleReport", {"RuleName": "none-such", **_WINDOW}),
        code="ResourceNotFoundException",
        control=_list(),
        settings=_SERVED,
    ),
)
