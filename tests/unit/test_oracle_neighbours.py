"""Answers of Application Auto Scaling and CloudWatch: what is the target's own, and what it cannot say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.checks.base import table
from conformance.machines import MACHINES
from conformance.machines.base import draw_chunk
from conformance.oracle.latitude import Latitude
from conformance.session import Session
from reference.api import Call, Json, Lost, Refusal, Reply, Success
from reference.capacity.meter import serve_with
from reference.service import Service
from tests.planted.arena import plain, session_of
from tests.unit.oracle_bench import NAME, Bench, body, call, get, put, refusal

SCALING = "application-autoscaling:"
WATCH = "cloudwatch:"
WRITE = "dynamodb:table:WriteCapacityUnits"
SLOT = {"ServiceNamespace": "dynamodb", "ResourceId": f"table/{NAME}", "ScalableDimension": WRITE}
START = 1_800_000_000.0
WINDOW = {"StartTime": START - 3600, "EndTime": START + 3600}
WRITTEN = "ConsumedWriteCapacityUnits"
WRITES = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}


def scaled(operation: str, **members: Json) -> Call:
    return Call(SCALING + operation, {**SLOT, **members})


def provisioned(latitude: Latitude | None = None) -> Bench:
    """A table of five reads and five writes a second."""
    made = Bench(latitude)
    made.lawful(Call("DeleteTable", body()))
    settings = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": WRITES}
    made.lawful(Call("CreateTable", {**table(), **settings, "TableName": NAME}))
    return made


def listing(target: Bench) -> tuple[Call, Json]:
    """The list of what is registered, as the reference has it."""
    asked = Call(f"{SCALING}DescribeScalableTargets", {"ServiceNamespace": "dynamodb"})
    outcome = target.oracle.model.outcomes(asked).outcome
    assert outcome is not None
    return asked, outcome.body


class TestScaling:
    def test_what_is_of_others_and_what_it_makes_up_is_its_own(self) -> None:
        target = provisioned()
        target.lawful(scaled("RegisterScalableTarget", MinCapacity=1, MaxCapacity=10))
        asked, told = listing(target)
        own = {**told["ScalableTargets"][0], "RoleARN": "arn:aws:iam::1:role/mine", "CreationTime": 5.0}
        target.accepts(asked, {"ScalableTargets": [own, {**own, "ResourceId": "table/other", "MinCapacity": 7}]})

    @pytest.mark.parametrize(
        ("change", "place"),
        [
            ({"MinCapacity": 2}, "ScalableTargets.*.MinCapacity:value"),
            ({"ScalableDimension": "dynamodb:table:ReadCapacityUnits"}, "ScalableTargets:unexpected"),
        ],
    )
    def test_what_was_registered_is_not(self, change: Json, place: str) -> None:
        target = provisioned()
        target.lawful(scaled("RegisterScalableTarget", MinCapacity=1, MaxCapacity=10))
        asked, told = listing(target)
        assert target.faults(asked, {"ScalableTargets": [{**told["ScalableTargets"][0], **change}]}).path == place

    def test_a_target_that_is_not_listed_is_lost(self) -> None:
        target = provisioned()
        target.lawful(scaled("RegisterScalableTarget", MinCapacity=1, MaxCapacity=10))
        found = target.faults(listing(target)[0], {"ScalableTargets": []})
        assert (found.rule, found.severity, found.path) == ("scaling.registered", "data", "ScalableTargets.*:missing")

    def test_units_move_into_new_bounds_at_once_unless_states_may_pass(self) -> None:
        for latitude, rule in ((Latitude(), "scaling.adjusted"), (Latitude(state_lag=5.0), "")):
            target = provisioned(latitude)
            before = target.lawful(call("DescribeTable"))
            target.lawful(scaled("RegisterScalableTarget", MinCapacity=8, MaxCapacity=10))
            found = target.judge(call("DescribeTable"), before).divergence
            assert (found.rule if found else "") == rule


def counting(latitude: Latitude | None = None, **indexes: Any) -> Bench:
    """A bench that counts from the first call on."""
    target = Bench(latitude, **indexes)
    target.oracle.measure()
    return target


def asked_of(metric: str = WRITTEN, **more: str) -> Call:
    of = [{"Name": name, "Value": value} for name, value in {"TableName": NAME, **more}.items()]
    members = {"Namespace": "AWS/DynamoDB", "MetricName": metric, "Dimensions": of, "Statistics": ["Sum"]}
    return Call(f"{WATCH}GetMetricStatistics", {**members, **WINDOW, "Period": 3600})


def shows(total: float | None, unit: str = "Count") -> Json:
    points = [] if total is None else [{"Timestamp": START, "Sum": total, "Unit": unit}]
    return {"Label": WRITTEN, "Datapoints": points}


class TestMetrics:
    def test_less_than_was_done_may_show_later_and_more_never(self) -> None:
        target = counting()
        target.lawful(put())
        target.accepts(asked_of(), shows(None))
        target.accepts(asked_of(), shows(1.0))
        found = target.faults(asked_of(), shows(2.0))
        assert (found.rule, found.path) == ("metrics.consumed", "Datapoints.*.Sum:more")

    def test_who_is_served_with_metrics_shows_all_of_it(self) -> None:
        target = counting(Latitude(counts=True))
        target.lawful(put())
        target.now += 300.0
        target.accepts(asked_of(), shows(1.0))
        assert target.faults(asked_of(), shows(None)).path == "Datapoints.*.Sum:fewer"

    def test_an_index_counts_apart(self) -> None:
        target = counting(gsi=["by-g=g:S"])
        target.lawful(put(g={"S": "g"}))
        target.accepts(asked_of(GlobalSecondaryIndexName="by-g"), shows(1.0))
        assert target.faults(asked_of(), shows(2.0)).path == "Datapoints.*.Sum:more"

    def test_units_are_those_documented(self) -> None:
        target = counting()
        target.lawful(put())
        assert target.faults(asked_of(), shows(1.0, "Bytes")).path == "Datapoints.*.Unit:value"

    @pytest.mark.parametrize("trouble", [Lost("timeout"), refusal("broken", "InternalServerError", 500)])
    def test_after_a_call_that_may_have_been_done_nothing_is_known(self, trouble: Reply) -> None:
        target = counting(Latitude(server_errors=True))
        target.judge(put(), trouble)
        target.accepts(asked_of(), shows(7.0))

    def test_data_comes_in_pairs_for_every_query(self) -> None:
        target = counting()
        target.lawful(put())
        metric = {"Namespace": "AWS/DynamoDB", "MetricName": WRITTEN, "Dimensions": asked_of().body["Dimensions"]}
        query = {"Id": "q0", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Sum"}}
        asked = Call(f"{WATCH}GetMetricData", {"MetricDataQueries": [query], **WINDOW})
        result = {"Id": "q0", "Label": "x", "Timestamps": [START], "Values": [1.0], "StatusCode": "Complete"}
        target.accepts(asked, {"MetricDataResults": [result]})
        for wrong in ({"Values": []}, {"Values": [3.0]}, {"Id": "q1"}, {"Timestamps": [5.0]}):
            again = counting()
            again.lawful(put())
            again.faults(asked, {"MetricDataResults": [{**result, **wrong}]})

    def test_a_list_has_what_was_asked_for(self) -> None:
        target = counting()
        target.lawful(put())
        asked = Call(f"{WATCH}ListMetrics", {"Dimensions": [{"Name": "TableName", "Value": NAME}]})
        entry = {"Namespace": "AWS/DynamoDB", "MetricName": WRITTEN, "Dimensions": asked_of().body["Dimensions"]}
        target.accepts(asked, {"Metrics": [entry]})
        unread = {**entry, "MetricName": "ConsumedReadCapacityUnits"}
        assert target.faults(asked, {"Metrics": [unread]}).rule == "metrics.listed"
        other = {**entry, "Dimensions": [{"Name": "TableName", "Value": "other"}]}
        assert target.faults(asked, {"Metrics": [other]}).path == "Metrics.*:unexpected"

    def test_contributors_were_asked_for(self) -> None:
        target = counting()
        target.lawful(call("UpdateContributorInsights", ContributorInsightsAction="ENABLE"))
        told = target.lawful(call("DescribeContributorInsights"))
        target.lawful(put("a"))
        target.lawful(get("b"))
        rule = told["ContributorInsightsRuleList"][0]
        asked = Call(f"{WATCH}GetInsightRuleReport", {"RuleName": rule, **WINDOW, "Period": 3600})

        def report(*keys: str) -> Json:
            listed = [{"Keys": [key], "ApproximateAggregateValue": 1.0, "Datapoints": []} for key in keys]
            return {"KeyLabels": ["pk"], "AggregateValue": float(len(keys)), "Contributors": listed}

        target.accepts(asked, report("a", "b"))
        target.accepts(asked, report())
        assert target.faults(asked, report("a", "c")).path == "Contributors.*.Keys:unexpected"

    def test_a_rule_that_the_target_calls_otherwise_is_known_again(self) -> None:
        target = counting()
        target.lawful(call("UpdateContributorInsights", ContributorInsightsAction="ENABLE"))
        outcome = target.oracle.model.outcomes(call("DescribeContributorInsights")).outcome
        assert outcome is not None
        theirs = [name.rsplit("-", 1)[0] + "-17" for name in outcome.body["ContributorInsightsRuleList"]]
        target.accepts(call("DescribeContributorInsights"), {**outcome.body, "ContributorInsightsRuleList": theirs})
        target.lawful(put("a"))
        asked = Call(f"{WATCH}GetInsightRuleReport", {"RuleName": theirs[0], **WINDOW, "Period": 3600})
        strange = [{"Keys": ["z"], "ApproximateAggregateValue": 1.0, "Datapoints": []}]
        target.faults(asked, {"KeyLabels": ["pk"], "AggregateValue": 1.0, "Contributors": strange})


class _Without:
    """The reference at an endpoint that has none of the services beside it."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def execute(self, asked: Call) -> Reply:
        if ":" in asked.operation:
            return Refusal("UnknownOperationException", "Unknown operation")
        return self.service.execute(asked)


@pytest.mark.parametrize("name", ["scaling", "metrics"])
def test_an_endpoint_without_the_service_says_so_once(name: str) -> None:
    found = set()
    for program in draw_chunk(MACHINES[name], 5, programs=10):
        session = session_of(_Without, program)
        found |= {(d.operation, d.severity) for _, d in session.divergences()}
        assert len(session.divergences()) == 1
        assert session.quarantined is not None
    first = {"scaling": f"{SCALING}DescribeScalableTargets", "metrics": f"{WATCH}ListMetrics"}[name]
    assert found == {(first, "unsupported")}


def _metered(service: Service) -> Service:
    serve_with(service.account, throttling=True, metrics=True)
    return service


@pytest.mark.parametrize("name", ["throttling", "scaling", "metrics"])
def test_throughput_that_is_limited_and_counted_is_lawful(name: str) -> None:
    asked = 0
    for program in draw_chunk(MACHINES[name], 8, programs=15):
        for wrap in (plain, _metered):
            session: Session = session_of(wrap, program)
            assert [found.summary for _, found in session.divergences()] == []
            assert session.faults == []
            asked += sum(":" in judged.op.operation for judged in session.ops)
    assert asked > 0 or name == "throttling"


def test_what_a_table_is_given_is_followed_in_every_world() -> None:
    target = provisioned(Latitude(server_errors=True))
    target.judge(put("a", v={"S": "x" * 3000}), Lost("timeout"))
    told = replace(refusal("slow down", "ProvisionedThroughputExceededException"), fields={
        "ThrottlingReasons": [{
            "reason": "TableWriteProvisionedThroughputExceeded",
            "resource": f"arn:aws:dynamodb:us-east-1:000000000000:table/{NAME}",
        }],
    })  # fmt: skip
    target.accepts(put("b", v={"S": "x" * 6000}), told)
    assert isinstance(target.oracle.model.fork().execute(get("b")), Success)
