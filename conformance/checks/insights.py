"""Checks of Contributor Insights as a setting of tables and indexes."""

from __future__ import annotations

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import answers, describe, refuses
from conformance.checks.tables import GONE
from conformance.program import Step
from reference.api import Json


def _insights(action: str = "ENABLE", **members: Json) -> Step:
    return Step("UpdateContributorInsights", {"TableName": T0, "ContributorInsightsAction": action, **members})


_DESCRIBE_INSIGHTS = Step("DescribeContributorInsights", {"TableName": T0})

_LIST_INSIGHTS = Step("ListContributorInsights", {"TableName": T0})
_BOTH = "ACCESSED_AND_THROTTLED_KEYS"

CHECKS: tuple[Check, ...] = (
    refuses(
        "metrics.insights-state",
        _insights(),
        "Table or Index is not in a valid state to update Key Access Insights: TableStatus must be ACTIVE to enable "
        "ContributorInsights.",
        control=describe(),
        needs="slow create",
    ),
    refuses(
        "metrics.insights-index",
        _insights(IndexName="nope"),
        f"Requested resource not found: Index: nope not found for table: {T0}",
        code="ResourceNotFoundException",
        control=_insights(),
    ),
    answers(
        "metrics.insights",
        _insights(),
        given=[Step("DeleteTable", {"TableName": T0})],
        has={"TableName": T0},
        needs="slow delete",
        name="of a table that goes",
    ),
    *(
        refuses(
            "metrics.insights-index",
            Step("DescribeContributorInsights", {"TableName": T0, "IndexName": name}),
            f"Requested resource not found: Index: {name} not found for table: {T0}",
            code="ResourceNotFoundException",
            tables={"t0": table(key="pk:S,sk:S", lsi=["by_l=pk:S,l:S"])},
            control=_DESCRIBE_INSIGHTS,
            name=f"Describe {name}",
        )
        for name in ("nope", "by_l")
    ),
    refuses(
        "tables.not-found",
        Step("ListContributorInsights", {"TableName": GONE}),
        f"Requested resource not found: Table: {GONE} not found",
        code="ResourceNotFoundException",
        control=_LIST_INSIGHTS,
        name="ListContributorInsights",
    ),
    answers(
        "metrics.insights",
        _DESCRIBE_INSIGHTS,
        body={"TableName": T0, "ContributorInsightsStatus": "DISABLED"},
        name="never configured",
    ),
    answers(
        "metrics.insights",
        _insights("DISABLE"),
        has={"TableName": T0, "ContributorInsightsStatus": "DISABLED"},
        name="never configured, disabled",
    ),
    answers("metrics.insights", _LIST_INSIGHTS, body={"ContributorInsightsSummaries": []}, name="none to list"),
    answers(
        "metrics.insights",
        _insights(),
        body={"TableName": T0, "ContributorInsightsStatus": "ENABLING", "ContributorInsightsMode": _BOTH},
        name="enabled",
    ),
    answers(
        "metrics.insights",
        _insights(ContributorInsightsMode="THROTTLED_KEYS"),
        has={"ContributorInsightsStatus": "ENABLING", "ContributorInsightsMode": "THROTTLED_KEYS"},
        given=[_insights()],
        name="another mode",
    ),
    answers(
        "metrics.insights",
        _insights(),
        has={"ContributorInsightsStatus": "ENABLING", "ContributorInsightsMode": _BOTH},
        given=[_insights(ContributorInsightsMode="THROTTLED_KEYS")],
        name="without a mode the default",
    ),
    answers(
        "metrics.insights",
        _insights("DISABLE", ContributorInsightsMode="THROTTLED_KEYS"),
        has={"ContributorInsightsStatus": "DISABLING", "ContributorInsightsMode": _BOTH},
        given=[_insights()],
        name="disabled with another mode",
    ),
)
