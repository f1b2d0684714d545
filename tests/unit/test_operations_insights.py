"""Contributor Insights, against AWS's answers."""

from __future__ import annotations

from typing import Any

from reference.account import Delays
from reference.tables.limits import Limits
from tests.unit.test_operations_settings import MISSING, START, Bench


def insights(bench: Bench, action: str, **more: Any) -> Any:
    return bench.call("UpdateContributorInsights", TableName="tab", ContributorInsightsAction=action, **more)


def test_insights_as_recorded_and_documented() -> None:
    bench = Bench()
    off = {"TableName": "tab", "ContributorInsightsStatus": "DISABLED"}
    assert bench.call("DescribeContributorInsights", TableName="tab") == off
    assert insights(bench, "DISABLE") == off
    both = "ACCESSED_AND_THROTTLED_KEYS"
    assert insights(bench, "ENABLE") == {
        "TableName": "tab",
        "ContributorInsightsStatus": "ENABLING",
        "ContributorInsightsMode": both,
    }
    assert bench.call("DescribeContributorInsights", TableName="tab") == {
        "TableName": "tab",
        "ContributorInsightsStatus": "ENABLED",
        "ContributorInsightsMode": both,
        "LastUpdateDateTime": START,
        "ContributorInsightsRuleList": [
            f"DynamoDBContributorInsights-{kind}-tab-1800000000000" for kind in ("PKC", "PKT", "SKC", "SKT")
        ],
    }
    assert insights(bench, "ENABLE")["ContributorInsightsStatus"] == "ENABLED"
    throttled = {"IndexName": "gsi", "ContributorInsightsMode": "THROTTLED_KEYS"}
    insights(bench, "ENABLE", **throttled)
    told = bench.call("DescribeContributorInsights", TableName="tab", IndexName="gsi")
    assert told["ContributorInsightsRuleList"] == ["DynamoDBContributorInsights-PKT-tab-gsi-1800000000000"]
    listed = [
        {"TableName": "tab", "ContributorInsightsStatus": "ENABLED", "ContributorInsightsMode": both},
        {"TableName": "tab", "ContributorInsightsStatus": "ENABLED", **throttled},
    ]
    assert bench.call("ListContributorInsights") == {"ContributorInsightsSummaries": listed}
    page = bench.call("ListContributorInsights", TableName="tab", MaxResults=1)
    assert page["ContributorInsightsSummaries"] == listed[:1]
    rest = bench.call("ListContributorInsights", MaxResults=1, NextToken=page["NextToken"])
    assert rest == {"ContributorInsightsSummaries": listed[1:]}
    assert insights(bench, "DISABLE", ContributorInsightsMode="THROTTLED_KEYS") == {
        "TableName": "tab",
        "ContributorInsightsStatus": "DISABLING",
        "ContributorInsightsMode": both,
    }
    assert bench.call("DescribeContributorInsights", TableName="tab") == {
        "TableName": "tab",
        "ContributorInsightsStatus": "DISABLED",
        "ContributorInsightsMode": both,
        "LastUpdateDateTime": START,
    }
    assert bench.call("ListContributorInsights")["ContributorInsightsSummaries"] == listed[1:]


def test_rules_keep_their_names_while_insights_are_on() -> None:
    bench = Bench()
    insights(bench, "ENABLE")
    bench.clock.advance(7)
    told = insights(bench, "ENABLE", ContributorInsightsMode="THROTTLED_KEYS")
    assert (told["ContributorInsightsStatus"], told["ContributorInsightsMode"]) == ("ENABLING", "THROTTLED_KEYS")
    assert bench.call("DescribeContributorInsights", TableName="tab")["ContributorInsightsRuleList"] == [
        f"DynamoDBContributorInsights-{kind}-tab-1800000000000" for kind in ("PKT", "SKT")
    ]
    told = insights(bench, "ENABLE")
    assert (told["ContributorInsightsStatus"], told["ContributorInsightsMode"]) == (
        "ENABLING",
        "ACCESSED_AND_THROTTLED_KEYS",
    )
    insights(bench, "DISABLE")
    insights(bench, "ENABLE")
    rules = bench.call("DescribeContributorInsights", TableName="tab")["ContributorInsightsRuleList"]
    assert rules[0] == "DynamoDBContributorInsights-PKC-tab-1800000007000"


def test_insights_beyond_the_quota_of_rules_fail_and_stay_so() -> None:
    bench = Bench(limits=Limits(insight_rules=5))
    insights(bench, "ENABLE", IndexName="gsi")
    assert insights(bench, "ENABLE")["ContributorInsightsStatus"] == "ENABLING"
    failed = {
        "TableName": "tab",
        "ContributorInsightsStatus": "FAILED",
        "ContributorInsightsMode": "ACCESSED_AND_THROTTLED_KEYS",
        "LastUpdateDateTime": START,
        "FailureException": {
            "ExceptionName": "LimitExceededException",
            "ExceptionDescription": "Amazon CloudWatch Contributor Insights rule limit reached. Please disable "
            "Contributor Insights for other tables/indexes OR disable other CloudWatch Contributor Insights rules "
            "before retrying.",
        },
    }
    assert bench.call("DescribeContributorInsights", TableName="tab") == failed
    listed = bench.call("ListContributorInsights", TableName="tab")["ContributorInsightsSummaries"]
    assert listed[0]["ContributorInsightsStatus"] == "FAILED"
    insights(bench, "DISABLE", IndexName="gsi")
    assert bench.call("DescribeContributorInsights", TableName="tab") == failed
    insights(bench, "ENABLE")
    told = bench.call("DescribeContributorInsights", TableName="tab")
    assert (told["ContributorInsightsStatus"], "FailureException" in told) == ("ENABLED", False)
    insights(bench, "ENABLE", IndexName="gsi")
    insights(bench, "DISABLE", IndexName="gsi")
    told = bench.call("DescribeContributorInsights", TableName="tab", IndexName="gsi")
    assert (told["ContributorInsightsStatus"], "FailureException" in told) == ("DISABLED", False)


def test_insights_of_an_index_go_with_it() -> None:
    bench = Bench()
    insights(bench, "ENABLE", IndexName="gsi")
    bench.call("UpdateTable", TableName="tab", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "gsi"}}])
    assert bench.call("ListContributorInsights", TableName="tab") == {"ContributorInsightsSummaries": []}
    assert bench.refused("DescribeContributorInsights", TableName="tab", IndexName="gsi") == (
        "ResourceNotFoundException",
        "Requested resource not found: Index: gsi not found for table: tab",
    )


def test_insights_that_are_refused() -> None:
    bench = Bench(delays=Delays(create_table=5))
    code, message = bench.refused("UpdateContributorInsights", TableName="tab", ContributorInsightsAction="ENABLE")
    assert (code, message) == (
        "ValidationException",
        "Table or Index is not in a valid state to update Key Access Insights: TableStatus must be ACTIVE to enable "
        "ContributorInsights.",
    )
    assert bench.refused("DescribeContributorInsights", TableName="tab", IndexName="lsi") == (
        "ResourceNotFoundException",
        "Requested resource not found: Index: lsi not found for table: tab",
    )
    assert bench.refused("DescribeContributorInsights", TableName="none") == MISSING
