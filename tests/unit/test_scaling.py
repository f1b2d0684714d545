"""Auto scaling: units follow a load within the documented minutes and bounds, and what was done is told."""

from __future__ import annotations

import math
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.account import Account
from reference.api import Refusal, Reply, Success
from reference.clock import ManualClock
from reference.server import ThreadedServer
from reference.service import Service
from tests.throttled import Shop, table, throughput

START = 1_800_000_000.0
TABLE = {"ServiceNamespace": "dynamodb", "ResourceId": "table/music"}
WRITES = {**TABLE, "ScalableDimension": "dynamodb:table:WriteCapacityUnits"}
INDEX = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/music/index/by-g",
    "ScalableDimension": "dynamodb:index:WriteCapacityUnits",
}
HIGH_DELAY, LOW_DELAY = 3, 16
"""Minutes within which units are raised and lowered: two and fifteen points, and the minute under way."""


def tracking(value: float = 70.0, kind: str = "Write", **more: Any) -> dict[str, Any]:
    metric = {"PredefinedMetricType": f"DynamoDB{kind}CapacityUtilization"}
    configuration = {"TargetValue": value, "PredefinedMetricSpecification": metric, **more}
    return {
        "PolicyName": "follow",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": configuration,
    }


class Scaled(Shop):
    """A shop whose table is scaled."""

    puts = 0

    def scale(self, operation: str, **body: Any) -> Reply:
        return self.call(f"application-autoscaling:{operation}", **body)

    def must(self, operation: str, **body: Any) -> Any:
        reply = self.scale(operation, **body)
        assert isinstance(reply, Success), reply
        return reply.body

    def units(self) -> int:
        self.call("ListTables")
        return self.account.tables["music"].settings.write_units

    def activities(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.must("DescribeScalingActivities", **TABLE)["ScalingActivities"]
        return found

    def load(self, rate: int, minutes: int = 1, **more: Any) -> None:  # type: ignore[override]
        """So many units a second, all of a minute's in its first seconds."""
        for _ in range(minutes):
            left = rate * 60
            while left > 0:
                kilobytes = min(left, 300)
                self.puts += 1
                self.put("a", self.puts, kilobytes * 1024 - 200, **more)
                left -= kilobytes
            self.clock.advance(60.0)
        self.call("ListTables")


def scaled(bounds: tuple[int, int] = (1, 100), *, units: int = 10, value: float = 70.0, **more: Any) -> Scaled:
    held = Scaled(None, clock=ManualClock(START), options={"units": (5, units)})
    held.must("RegisterScalableTarget", **WRITES, MinCapacity=bounds[0], MaxCapacity=bounds[1])
    held.must("PutScalingPolicy", **WRITES, **tracking(value, **more))
    return held


def test_a_load_raises_units_in_two_minutes() -> None:
    held = scaled((5, 300))
    held.load(150, 1)
    assert held.units() == 10
    held.load(150, 1)
    assert held.units() == 215
    done = held.activities()
    assert [each["Description"] for each in done] == ["Setting write capacity units to 215."]
    assert done[0]["StatusCode"] == "Successful"
    assert "-AlarmHigh-" in done[0]["Cause"]


def test_units_stay_within_bounds() -> None:
    held = scaled((5, 50))
    held.load(150, 3)
    assert held.units() == 50
    held.clock.advance(3_600.0)
    assert held.units() == 5


def test_one_busy_minute_raises_nothing() -> None:
    held = scaled((5, 300))
    held.load(9, 1)
    held.load(6, 1)
    held.load(9, 1)
    assert held.units() == 10


def test_a_lull_of_fifteen_minutes_lowers_units() -> None:
    held = scaled((1, 300))
    held.load(6, 14)
    assert held.units() == 10
    held.load(6, 2)
    assert held.units() == 9


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0.0"), (100, "100.0"), (1e9, "1.0E9"), (0.0005, "5.0E-4"), (-2.5e8, "-2.5E8"), (10**400, "Infinity")],
)
def test_a_target_out_of_bounds_is_told_as_a_double(value: float, told: str) -> None:
    shop = Scaled()
    shop.must("RegisterScalableTarget", **WRITES, MinCapacity=1, MaxCapacity=10)
    reply = shop.scale("PutScalingPolicy", **WRITES, **tracking(value))
    assert isinstance(reply, Refusal)
    assert reply.code == "ValidationException"
    assert (reply.message or "").endswith(f", but was '{told}'.")


def test_units_a_little_below_the_target_stay() -> None:
    held = scaled((1, 300), units=10)
    # 65 % of 10 is within 90 % of the target of 70 %: nothing is lowered.
    for _ in range(20):
        held.put("a", 1, 390 * 1024 - 200)
        held.clock.advance(60.0)
    assert held.units() == 10


def test_a_cooldown_delays_the_next_change() -> None:
    held = scaled((1, 300), ScaleInCooldown=1_800)
    held.load(60, 2)
    assert held.units() == 86
    held.clock.advance(1_700.0)
    assert held.units() == 86
    held.clock.advance(200.0)
    assert held.units() == 1


def test_scaling_in_can_be_switched_off() -> None:
    held = scaled((1, 300), DisableScaleIn=True)
    held.clock.advance(3_600.0)
    assert held.units() == 10


def test_scaling_can_be_suspended() -> None:
    held = scaled((1, 300))
    state = {"DynamicScalingOutSuspended": True, "DynamicScalingInSuspended": True}
    held.must("RegisterScalableTarget", **WRITES, SuspendedState=state)
    held.load(60, 3)
    held.clock.advance(3_600.0)
    assert held.units() == 10


def test_lowering_obeys_the_budget_of_decreases() -> None:
    held = scaled((1, 300))
    for units in (9, 8, 7, 6):
        held.call("UpdateTable", TableName="music", ProvisionedThroughput=throughput(5, units))
    assert held.units() == 6
    held.clock.advance(1_000.0)
    assert held.units() == 6
    failed = held.activities()
    assert [each["StatusCode"] for each in failed] == ["Failed"]
    assert "Subscriber limit exceeded: Provisioned throughput decreases are limited" in failed[0]["StatusMessage"]
    held.clock.advance(3_600.0)
    assert held.units() == 1


def test_units_changed_by_hand_on_an_idle_table_come_back() -> None:
    held = scaled((2, 300))
    held.clock.advance(1_200.0)
    assert held.units() == 2
    held.call("UpdateTable", TableName="music", ProvisionedThroughput=throughput(5, 50))
    held.clock.advance(90.0)
    assert held.units() == 2


def test_an_index_is_scaled_by_itself() -> None:
    held = Scaled(None, clock=ManualClock(START), options={"units": (5, 1_000), "gsi": (5, 10)})
    held.must("RegisterScalableTarget", **INDEX, MinCapacity=1, MaxCapacity=500)
    held.must("PutScalingPolicy", **INDEX, **tracking())
    for n in range(2):
        for m in range(60):
            held.put("a", 100 * n + m, 70 * 1024 - 200, g={"S": "g"})
        held.clock.advance(60.0)
    assert held.units() == 1_000
    assert held.account.tables["music"].indexes["by-g"].settings.write_units == 100


def test_on_demand_is_not_scaled_and_scaling_outlives_it() -> None:
    held = scaled((2, 300))
    held.call("UpdateTable", TableName="music", BillingMode="PAY_PER_REQUEST")
    held.clock.advance(3_600.0)
    assert held.units() == 0
    held.call("UpdateTable", TableName="music", BillingMode="PROVISIONED", ProvisionedThroughput=throughput(5, 10))
    held.clock.advance(1_200.0)
    assert held.units() == 2


def test_scaling_outlives_its_table() -> None:
    held = scaled((2, 300))
    held.call("DeleteTable", TableName="music")
    held.clock.advance(3_600.0)
    held.call("CreateTable", **table(units=(5, 10)))
    held.clock.advance(1_200.0)
    assert held.units() == 2


def test_a_fork_scales_by_itself() -> None:
    held = scaled((2, 300))
    fork = held.service.fork()
    held.must("DeregisterScalableTarget", **WRITES)
    held.clock.advance(1_200.0)
    assert held.units() == 10
    held.service, held.account = fork, fork.account
    assert held.units() == 2


def test_bounds_hold_at_once() -> None:
    held = scaled((1, 100))
    held.must("RegisterScalableTarget", **WRITES, MinCapacity=20, MaxCapacity=100)
    assert held.units() == 20
    held.must("RegisterScalableTarget", **WRITES, MinCapacity=1, MaxCapacity=4)
    assert held.units() == 4
    causes = [each["Cause"] for each in held.activities()]
    assert causes == ["maximum capacity was set to 4", "minimum capacity was set to 20"]


@pytest.mark.parametrize(
    ("operation", "body", "code"),
    [
        ("RegisterScalableTarget", {**WRITES, "MinCapacity": 1}, ""),
        ("RegisterScalableTarget", {**INDEX, "MinCapacity": 1, "MaxCapacity": 2}, "ValidationException"),
        ("RegisterScalableTarget", {**WRITES, "ServiceNamespace": "ecs"}, "ValidationException"),
        ("RegisterScalableTarget", {**WRITES, "ServiceNamespace": "no-such"}, "ValidationException"),
        ("RegisterScalableTarget", {"ServiceNamespace": "dynamodb"}, "ValidationException"),
        ("PutScalingPolicy", {**INDEX, **tracking()}, "ObjectNotFoundException"),
        ("PutScalingPolicy", {**WRITES, **tracking(95.0)}, "ValidationException"),
        ("PutScalingPolicy", {**WRITES, **tracking(kind="Read")}, "ValidationException"),
        ("PutScalingPolicy", {**WRITES, **tracking(), "PolicyName": "another"}, "ValidationException"),
        ("DeleteScalingPolicy", {**WRITES, "PolicyName": "another"}, "ObjectNotFoundException"),
        ("DeregisterScalableTarget", INDEX, "ObjectNotFoundException"),
        ("DescribeScalableTargets", {}, "ValidationException"),
    ],
)
def test_what_is_refused(operation: str, body: dict[str, Any], code: str) -> None:
    reply = scaled().scale(operation, **body)
    assert (reply.code if isinstance(reply, Refusal) else "") == code


@settings(deadline=None, max_examples=8, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from([HIGH_DELAY, LOW_DELAY, 20])), min_size=1, max_size=5),
    st.sampled_from([20.0, 50.0, 70.0, 90.0]),
)
def test_units_follow_a_load_within_their_minutes(trace: list[tuple[int, int]], value: float) -> None:
    held = scaled((3, 200), value=value)
    for rate, minutes in trace:
        before = held.units()
        held.load(rate, minutes)
        units, wanted = held.units(), min(200, max(3, math.ceil(100 * rate / value)))
        assert 3 <= units <= 200
        if 100.0 * rate / before > value:
            assert units >= wanted, "raised within three minutes"
        if minutes > LOW_DELAY and not any(each["StatusCode"] == "Failed" for each in held.activities()):
            slack = math.ceil(100 * rate / (0.9 * value))
            assert units <= max(3, wanted, slack), "lowered within sixteen minutes"


def test_boto3_scales_a_table() -> None:
    account = Account(ManualClock(START))
    with ThreadedServer(Service(account)) as server:
        access = {
            "endpoint_url": server.url,
            "region_name": "us-east-1",
            "aws_access_key_id": "key",
            "aws_secret_access_key": "secret",
            "config": Config(retries={"total_max_attempts": 1}),
        }
        dynamodb = boto3.client("dynamodb", **access)
        scaling = boto3.client("application-autoscaling", **access)
        dynamodb.create_table(**table(units=(5, 10)))
        arn = scaling.register_scalable_target(**WRITES, MinCapacity=20, MaxCapacity=100)["ScalableTargetARN"]
        assert arn.startswith("arn:aws:application-autoscaling:us-east-1:400000000004:scalable-target/")
        made = scaling.put_scaling_policy(**WRITES, **tracking())
        assert len(made["Alarms"]) == 4
        assert made["Alarms"][0]["AlarmName"].startswith("TargetTracking-table/music-AlarmHigh-")
        [target] = scaling.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
        assert (target["MinCapacity"], target["MaxCapacity"], target["ScalableTargetARN"]) == (20, 100, arn)
        [policy] = scaling.describe_scaling_policies(ServiceNamespace="dynamodb")["ScalingPolicies"]
        assert policy["PolicyARN"] == made["PolicyARN"]
        [activity] = scaling.describe_scaling_activities(ServiceNamespace="dynamodb")["ScalingActivities"]
        assert activity["StatusCode"] == "Successful"
        units = dynamodb.describe_table(TableName="music")["Table"]["ProvisionedThroughput"]
        assert units["WriteCapacityUnits"] == 20
        with pytest.raises(scaling.exceptions.ObjectNotFoundException):
            scaling.delete_scaling_policy(**WRITES, PolicyName="another")
        scaling.delete_scaling_policy(**WRITES, PolicyName="follow")
        scaling.deregister_scalable_target(**WRITES)
        with pytest.raises(ClientError) as caught:
            scaling.put_scaling_policy(**WRITES, **tracking())
        assert caught.value.response["Error"]["Code"] == "ObjectNotFoundException"
