"""Metrics: what is counted of which call, and how CloudWatch's clients and Prometheus read it."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.model
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from reference import ttl
from reference.account import Account
from reference.api import Call, Refusal, Success
from reference.capacity.load import Throttling
from reference.capacity.meter import serve_with
from reference.clock import ManualClock
from reference.metrics import prometheus
from reference.metrics.store import MOST_KEYS, Metrics, dimensions
from reference.server import ThreadedServer
from reference.service import Service
from tests.throttled import Shop, table

START = datetime(2027, 1, 15, 8, tzinfo=UTC)
MUSIC = [{"Name": "TableName", "Value": "music"}]


def shop(throttling: Throttling | None = None, **options: Any) -> Shop:
    """A shop that counts, from eight o'clock on."""
    held = Shop(None, clock=ManualClock(START.timestamp()), options=options)
    serve_with(held.account, metrics=True)
    held.account.rooms["meter"].rules = throttling
    return held


def sums(held: Shop, metric: str, statistic: str = "Sum", **of: str) -> float | None:
    """What a day shows of a metric; None where it shows nothing."""
    body = {
        "Namespace": "AWS/DynamoDB",
        "MetricName": metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in of.items()],
        "StartTime": START.timestamp() - 86_400,
        "EndTime": START.timestamp() + 86_400,
        "Period": 86_400,
        "Statistics": [statistic],
    }
    reply = held.call("cloudwatch:GetMetricStatistics", **body)
    assert isinstance(reply, Success), reply
    points = reply.body["Datapoints"]
    return points[0][statistic] if points else None


def test_what_calls_use_is_counted_by_table_and_index() -> None:
    held = shop(gsi=(1, 1), units=(5, 5))
    held.put("a", 1, 2000, g={"S": "g"})
    held.put("a", 2)
    held.get("a", 1)
    held.get("a", 1, consistent=False)
    assert sums(held, "ConsumedWriteCapacityUnits", TableName="music") == 3.0
    assert sums(held, "ConsumedWriteCapacityUnits", TableName="music", GlobalSecondaryIndexName="by-g") == 2.0
    assert sums(held, "ConsumedWriteCapacityUnits", TableName="music", Source="Customer") == 3.0
    assert sums(held, "ConsumedReadCapacityUnits", TableName="music") == 1.5
    assert sums(held, "ConsumedReadCapacityUnits", TableName="music", GlobalSecondaryIndexName="by-g") is None


def test_a_page_counts_as_its_rows() -> None:
    held = shop()
    for n in range(3):
        held.put("a", n, 3000)
    held.call("Scan", TableName="music", ConsistentRead=True)
    assert sums(held, "ConsumedReadCapacityUnits", TableName="music") == pytest.approx(3.0)
    assert sums(held, "ReturnedItemCount", TableName="music", Operation="Scan") == 3.0
    assert sums(held, "SuccessfulRequestLatency", "SampleCount", TableName="music", Operation="PutItem") == 3.0


def test_refusals_are_counted_by_what_they_are() -> None:
    held = shop()
    assert isinstance(held.call("PutItem", TableName="music", Item={"pk": {"S": "a"}}), Refusal)
    assert isinstance(held.call("GetItem", TableName="no-such-table", Key={"pk": {"S": "a"}}), Refusal)
    item = {"pk": {"S": "a"}, "sk": {"N": "1"}}
    held.call("PutItem", TableName="music", Item=item)
    held.call("PutItem", TableName="music", Item=item, ConditionExpression="attribute_not_exists(pk)")
    assert sums(held, "UserErrors") == 2.0
    assert sums(held, "ConditionalCheckFailedRequests", TableName="music") == 1.0
    assert sums(held, "ConsumedWriteCapacityUnits", TableName="music") == 2.0


def test_throttling_is_counted_by_item_and_by_request() -> None:
    held = shop(Throttling(), units=(1, 1))
    writes = [{"PutRequest": {"Item": {"pk": {"S": "a"}, "sk": {"N": str(n)}}}} for n in range(3)]
    held.call("BatchWriteItem", RequestItems={"music": writes})
    assert sums(held, "WriteThrottleEvents", TableName="music") == 2.0
    assert sums(held, "ThrottledRequests", TableName="music", Operation="BatchWriteItem") is None
    held.call("BatchWriteItem", RequestItems={"music": writes})
    assert sums(held, "WriteThrottleEvents", TableName="music") == 5.0
    assert sums(held, "WriteProvisionedThroughputThrottleEvents", TableName="music") == 5.0
    assert sums(held, "ThrottledRequests", TableName="music", Operation="BatchWriteItem") == 1.0
    assert sums(held, "UserErrors") is None
    assert sums(held, "ConsumedWriteCapacityUnits", TableName="music") == 1.0


def test_what_is_provisioned_is_noted_every_five_minutes() -> None:
    held = shop(units=(5, 6))
    held.get("a", 1)
    held.clock.advance(1000.0)
    assert sums(held, "ProvisionedWriteCapacityUnits", "SampleCount", TableName="music") == 4.0
    assert sums(held, "ProvisionedWriteCapacityUnits", "Maximum", TableName="music") == 6.0
    assert sums(held, "AccountProvisionedReadCapacityUtilization", "Maximum") == 100.0 * 5 / 80_000


def test_maxima_of_on_demand_are_noted() -> None:
    held = shop()
    held.call("UpdateTable", TableName="music", OnDemandThroughput={"MaxReadRequestUnits": 70})
    held.clock.advance(300.0)
    assert sums(held, "OnDemandMaxReadRequestUnits", "Maximum", TableName="music") == 70.0
    assert sums(held, "OnDemandMaxWriteRequestUnits", "Maximum", TableName="music") is None


def test_what_time_to_live_deletes_is_counted() -> None:
    held = shop()
    spec = {"AttributeName": "end", "Enabled": True}
    held.call("UpdateTimeToLive", TableName="music", TimeToLiveSpecification=spec)
    held.put("a", 1, end={"N": str(int(START.timestamp()) - 60)})
    assert ttl.sweep(held.account) == 1
    assert sums(held, "TimeToLiveDeletedItemCount", TableName="music") == 1.0
    assert sums(held, "ConsumedWriteCapacityUnits", TableName="music") == 1.0


def test_counts_are_kept_for_fifteen_days() -> None:
    metrics, of = Metrics(), dimensions(TableName="music")
    metrics.add("UserErrors", of, 1.0, 0.0)
    metrics.add("UserErrors", of, 1.0, 15 * 86_400.0)
    assert metrics.minute("UserErrors", of, 0) is not None
    metrics.add("UserErrors", of, 1.0, 15 * 86_400.0 + 3_660.0)
    assert metrics.minute("UserErrors", of, 0) is None
    assert metrics.totals("UserErrors", of) == (3.0, 3, 1.0)


def test_contributors_are_told_apart_up_to_a_limit() -> None:
    metrics, rule = Metrics(), ("music", "", "PKC")
    for n in range(MOST_KEYS + 5):
        metrics.contribute(rule, (str(n),), 0.0)
    assert sum(len(counted) for counted in metrics.contributors(rule, 0.0, 60.0, 60).values()) == MOST_KEYS


def test_hot_keys_are_those_asked_for_most_with_their_sort_keys() -> None:
    held = shop(Throttling(partition_writes=3))
    held.call("UpdateContributorInsights", TableName="music", ContributorInsightsAction="ENABLE")
    for n in (1, 1, 2, 1, 1):
        held.put("a", n)
    held.put("b", 1)
    told = held.call("DescribeContributorInsights", TableName="music")
    assert isinstance(told, Success)
    window = {"StartTime": START.timestamp(), "EndTime": START.timestamp() + 3600, "Period": 60}
    reports = {}
    for name in told.body["ContributorInsightsRuleList"]:
        reply = held.call("cloudwatch:GetInsightRuleReport", RuleName=name, **window)
        assert isinstance(reply, Success)
        named = [(each["Keys"], each["ApproximateAggregateValue"]) for each in reply.body["Contributors"]]
        reports[name.split("-")[1]] = (reply.body["KeyLabels"], named)
    assert reports == {
        "PKC": (["pk"], [(["a"], 3.0), (["b"], 1.0)]),
        "PKT": (["pk"], [(["a"], 2.0)]),
        "SKC": (["pk", "sk"], [(["a", "1"], 2.0), (["a", "2"], 1.0), (["b", "1"], 1.0)]),
        "SKT": (["pk", "sk"], [(["a", "1"], 2.0)]),
    }


def test_a_page_is_one_access_of_its_partition_and_one_of_each_row() -> None:
    held = shop()
    for n in range(3):
        held.put("a", n)
    held.call("UpdateContributorInsights", TableName="music", ContributorInsightsAction="ENABLE")
    values = {":a": {"S": "a"}}
    held.call("Query", TableName="music", KeyConditionExpression="pk = :a", ExpressionAttributeValues=values)
    metrics = held.account.rooms["meter"].metrics
    day = (START.timestamp(), START.timestamp() + 86_400, 86_400)
    counted = [dict(each) for each in metrics.contributors(("music", "", "PKC"), *day).values()]
    assert counted == [{("a",): 1}]
    counted = [dict(each) for each in metrics.contributors(("music", "", "SKC"), *day).values()]
    assert counted == [{("a", "0"): 1, ("a", "1"): 1, ("a", "2"): 1}]


def test_nothing_is_counted_without_being_asked_to() -> None:
    held = Shop(None)
    del held.account.rooms["meter"]
    held.put("a", 1)
    assert held.call("cloudwatch:ListMetrics") == Success({"Metrics": []})
    assert prometheus.pages(held.account) == {}


def test_a_fork_counts_by_itself() -> None:
    held = shop()
    held.put("a", 1)
    fork = held.service.fork()
    held.put("a", 2)
    held.service = fork
    assert sums(held, "ConsumedWriteCapacityUnits", TableName="music") == 1.0


def test_prometheus_text() -> None:
    held = shop(units=(5, 6))
    held.put("a", 1)
    lines = prometheus.page(held.account.rooms["meter"].metrics).decode().splitlines()
    assert 'dynamodb_consumed_write_capacity_units_total{table="music"} 1.0' in lines
    assert "# TYPE dynamodb_consumed_write_capacity_units_total counter" in lines
    labels = '{operation="PutItem",table="music"}'
    assert f"dynamodb_successful_request_latency_milliseconds_count{labels} 1" in lines
    held.clock.advance(300.0)
    held.get("a", 1)
    lines = prometheus.page(held.account.rooms["meter"].metrics).decode().splitlines()
    assert 'dynamodb_provisioned_write_capacity_units{table="music"} 6.0' in lines


@pytest.fixture
def served() -> Iterator[tuple[Account, str]]:
    account = Account(ManualClock(START.timestamp()))
    serve_with(account, throttling=True, metrics=True)
    with ThreadedServer(Service(account), pages=prometheus.pages(account)) as server:
        yield account, server.url


def client(service: str, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize("protocol", ["json", "smithy-rpc-v2-cbor"])
def test_boto3_reads_metrics(served: tuple[Account, str], protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Which protocol a client speaks depends on its version.
    known = botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS
    monkeypatch.setattr(botocore.model, "PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", (protocol, *known))
    _, url = served
    dynamodb, cloudwatch = client("dynamodb", url), client("cloudwatch", url)
    assert cloudwatch.meta.service_model.resolved_protocol == protocol
    dynamodb.create_table(**table(units=(2, 2)))
    dynamodb.put_item(TableName="music", Item={"pk": {"S": "a"}, "sk": {"N": "1"}})
    listed = cloudwatch.get_paginator("list_metrics").paginate(Namespace="AWS/DynamoDB", Dimensions=MUSIC)
    names = {metric["MetricName"] for page in listed for metric in page["Metrics"]}
    assert {"ConsumedWriteCapacityUnits", "SuccessfulRequestLatency"} <= names
    given = {"Namespace": "AWS/DynamoDB", "MetricName": "ConsumedWriteCapacityUnits", "Dimensions": MUSIC}
    window = {"StartTime": START, "EndTime": START + timedelta(hours=1)}
    read = cloudwatch.get_metric_statistics(**given, **window, Period=60, Statistics=["Sum", "Average"])
    assert read["Datapoints"] == [{"Timestamp": START, "Sum": 1.0, "Average": 1.0, "Unit": "Count"}]
    query = {"Id": "m1", "MetricStat": {"Metric": given, "Period": 60, "Stat": "Sum"}}
    data = cloudwatch.get_metric_data(MetricDataQueries=[query], **window)["MetricDataResults"]
    assert [(each["Id"], each["Timestamps"], each["Values"]) for each in data] == [("m1", [START], [1.0])]
    with pytest.raises(ClientError) as caught:
        cloudwatch.get_metric_statistics(**given, **window, Period=61, Statistics=["Sum"])
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_prometheus_reads_metrics(served: tuple[Account, str]) -> None:
    _, url = served
    client("dynamodb", url).create_table(**table())
    with urllib.request.urlopen(f"{url}/metrics") as page:
        assert page.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert b"dynamodb_account_max_reads 80000.0" in page.read()


def test_other_services_have_targets_of_their_own() -> None:
    operations = Service().operations()
    assert Call("cloudwatch:ListMetrics", {}).operation in operations
