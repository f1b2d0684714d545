"""Global tables: replicas get what is written elsewhere, and what they have of their own (beyond:GT-1 … GT-19)."""

from __future__ import annotations

from typing import Any

from reference import ttl
from reference.account import Account, Delays
from reference.api import Call
from reference.clock import ManualClock
from reference.replicas.world import Link, World
from reference.service import Service
from tests.unit.replica_regions import AWAY, FAR, HOME, TABLE, Regions

OFF = {"AutoScalingDisabled": True, "ScalingPolicies": []}
"""Scaling of one kind of units where there is none."""


class Ticking(ManualClock):
    """A clock that goes on whenever it is looked at."""

    def now(self) -> float:
        self.advance(0.01)
        return super().now()


def test_the_stream_that_is_told_is_the_one_that_is_switched_on() -> None:
    regions = Regions()
    regions.clock = Ticking(1_800_000_000.0)
    regions.world = World(Account(regions.clock))
    regions.does("CreateTable", **TABLE)
    told = regions.change({"Create": {"RegionName": AWAY}})["TableDescription"]
    assert regions.table()["LatestStreamArn"] == told["LatestStreamArn"]


class TestReplication:
    def test_a_new_replica_has_what_was_there(self) -> None:
        regions = Regions()
        regions.put("old")
        regions.join(AWAY)
        assert regions.get(AWAY) == "old"

    def test_a_write_arrives_when_the_lag_has_passed(self) -> None:
        regions = Regions(lag=2.0)
        regions.join(AWAY)
        regions.put("new")
        assert regions.get(AWAY) is None
        regions.clock.advance(1.9)
        assert regions.get(AWAY) is None
        regions.clock.advance(0.1)
        assert regions.get(AWAY) == "new"

    def test_it_goes_both_ways(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        regions.put("there", AWAY)
        assert regions.get() == "there"

    def test_a_deletion_arrives(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        regions.put("x")
        regions.does("DeleteItem", TableName="tab", Key={"pk": {"S": "a"}})
        assert regions.get(AWAY) is None

    def test_the_last_writer_wins_whole(self) -> None:
        regions = Regions(lag=1.0)
        regions.join(AWAY)
        regions.put("first", extra={"S": "lost"})
        regions.clock.advance(0.5)
        regions.put("second", AWAY)
        regions.clock.advance(2)
        item = {"pk": {"S": "a"}, "v": {"S": "second"}}
        for region in (HOME, AWAY):
            body = regions.does("GetItem", region, TableName="tab", Key={"pk": {"S": "a"}})
            assert body["Item"] == item

    def test_of_equal_moments_one_wins_everywhere(self) -> None:
        regions = Regions(lag=1.0)
        regions.join(AWAY)
        regions.put("east")
        regions.put("west", AWAY)
        regions.clock.advance(2)
        assert regions.get() == regions.get(AWAY)

    def test_conditions_see_their_own_region(self) -> None:
        regions = Regions(lag=1.0)
        regions.join(AWAY)
        regions.put("x")
        item = {"pk": {"S": "a"}, "v": {"S": "y"}}
        regions.does("PutItem", AWAY, TableName="tab", Item=item, ConditionExpression="attribute_not_exists(pk)")

    def test_regions_that_are_parted_meet_again(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        regions.world.cut(HOME, AWAY)
        regions.put("here", key="a")
        regions.put("there", AWAY, key="b")
        regions.clock.advance(40 * 3600)
        assert (regions.get(AWAY, "a"), regions.get(HOME, "b")) == (None, None)
        regions.world.cut(HOME, AWAY, cut=False)
        assert (regions.get(AWAY, "a"), regions.get(HOME, "b")) == ("here", "there")

    def test_a_third_replica_gets_what_its_source_has_yet_to_get(self) -> None:
        regions = Regions(lag=5.0)
        regions.join(AWAY)
        regions.put("there", AWAY)
        regions.change({"Create": {"RegionName": FAR}})
        assert regions.get(FAR) is None
        regions.clock.advance(5)
        assert [regions.get(region) for region in (HOME, AWAY, FAR)] == ["there"] * 3

    def test_transactions_are_whole_in_their_own_region_only(self) -> None:
        regions = Regions(lag=1.0)
        regions.join(AWAY)
        puts = [{"Put": {"TableName": "tab", "Item": {"pk": {"S": key}, "v": {"S": "x"}}}} for key in "ab"]
        regions.does("TransactWriteItems", TransactItems=puts)
        assert (regions.get(key="a"), regions.get(key="b"), regions.get(AWAY)) == ("x", "x", None)

    def test_a_fork_goes_its_own_way(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        fork = Service(regions.world.account(HOME)).fork()
        fork.execute(Call("PutItem", {"TableName": "tab", "Item": {"pk": {"S": "a"}, "v": {"S": "fork"}}}))
        assert regions.get(AWAY) is None
        assert isinstance(fork.account.world, World)
        there = Service(fork.account.world.account(AWAY))
        assert there.execute(Call("GetItem", {"TableName": "tab", "Key": {"pk": {"S": "a"}}})).body["Item"]["v"]


class TestStreams:
    def test_each_region_tells_what_happened_there(self) -> None:
        regions = Regions(lag=1.0)
        regions.join(AWAY)
        regions.put("one")
        regions.put("two")
        regions.clock.advance(2)
        assert [each["eventName"] for each in regions.records(AWAY)] == ["INSERT", "MODIFY"]
        assert regions.records(AWAY)[0]["awsRegion"] == AWAY

    def test_quick_changes_may_be_one(self) -> None:
        regions = Regions(lag=1.0)
        regions.join(AWAY)
        regions.world.set_link(HOME, AWAY, Link(1.0, merges=True))
        regions.put("one")
        regions.put("two")
        regions.clock.advance(2)
        assert [each["eventName"] for each in regions.records(HOME)] == ["INSERT", "MODIFY"]
        assert [each["eventName"] for each in regions.records(AWAY)] == ["INSERT"]

    def test_who_deleted_what_expired_is_told_in_one_region(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        expires = {"Enabled": True, "AttributeName": "e"}
        regions.does("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification=expires)
        regions.put("x", e={"N": "1800000000"})
        regions.clock.advance(10)
        assert ttl.sweep(regions.world.account(HOME)) == 1
        assert regions.get(AWAY) is None
        assert regions.records(HOME)[-1]["userIdentity"]["PrincipalId"] == "dynamodb.amazonaws.com"
        last = regions.records(AWAY)[-1]
        assert (last["eventName"], "userIdentity" in last) == ("REMOVE", False)


class TestSettings:
    def test_time_to_live_is_the_same_everywhere(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        expires = {"Enabled": True, "AttributeName": "e"}
        regions.does("UpdateTimeToLive", AWAY, TableName="tab", TimeToLiveSpecification=expires)
        told = regions.does("DescribeTimeToLive", TableName="tab")["TimeToLiveDescription"]
        assert told == {"TimeToLiveStatus": "ENABLED", "AttributeName": "e"}

    def test_an_index_is_made_everywhere(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        index = {
            "IndexName": "by-g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        types = [{"AttributeName": "g", "AttributeType": "S"}]
        regions.does(
            "UpdateTable", TableName="tab", AttributeDefinitions=types, GlobalSecondaryIndexUpdates=[{"Create": index}]
        )
        assert [each["IndexName"] for each in regions.table(AWAY)["GlobalSecondaryIndexes"]] == ["by-g"]

    def test_written_units_that_are_scaled_are_the_same_everywhere(self) -> None:
        regions = Regions()
        units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
        regions.does("UpdateTable", TableName="tab", BillingMode="PROVISIONED", ProvisionedThroughput=units)
        slot = {
            "ServiceNamespace": "dynamodb",
            "ResourceId": "table/tab",
            "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
        }
        metric = {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"}
        follow = {"TargetValue": 70.0, "PredefinedMetricSpecification": metric}
        scaling = "application-autoscaling:"
        regions.does(f"{scaling}RegisterScalableTarget", **slot, MinCapacity=5, MaxCapacity=50)
        regions.does(
            f"{scaling}PutScalingPolicy", **slot, PolicyName="follow", PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=follow,
        )  # fmt: skip
        regions.join(AWAY)
        regions.does(f"{scaling}RegisterScalableTarget", **slot, MinCapacity=20, MaxCapacity=50)
        regions.clock.advance(1)
        for region in (HOME, AWAY):
            assert regions.table(region)["ProvisionedThroughput"]["WriteCapacityUnits"] == 20

    def scaled(self) -> Regions:
        """Two regions whose table has its writes scaled."""
        regions = Regions()
        units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
        regions.does("UpdateTable", TableName="tab", BillingMode="PROVISIONED", ProvisionedThroughput=units)
        slot = {
            "ServiceNamespace": "dynamodb",
            "ResourceId": "table/tab",
            "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
        }
        scaling = "application-autoscaling:"
        regions.does(f"{scaling}RegisterScalableTarget", **slot, MinCapacity=5, MaxCapacity=50)
        tracked = {
            "TargetValue": 55.0,
            "ScaleInCooldown": -1,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"},
        }
        regions.does(
            f"{scaling}PutScalingPolicy", **slot, PolicyName="follow", PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=tracked,
        )  # fmt: skip
        regions.join(AWAY)
        return regions

    def settings(self, least: int, most: int, policy: str, **tracked: float) -> dict[str, Any]:
        """How one kind of units is told to be scaled."""
        return {
            "MinimumUnits": least,
            "MaximumUnits": most,
            "AutoScalingRoleArn": (
                "arn:aws:iam::400000000004:role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/"
                "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
            ),
            "ScalingPolicies": [{"PolicyName": policy, "TargetTrackingScalingPolicyConfiguration": tracked}],
        }

    def told(self) -> dict[str, Any]:
        """What is told of their scaling as it begins."""
        writes = self.settings(5, 50, "follow", TargetValue=55.0, ScaleInCooldown=-1)
        replicas = [
            {
                "RegionName": region,
                "GlobalSecondaryIndexes": [],
                "ReplicaProvisionedReadCapacityAutoScalingSettings": OFF,
                "ReplicaProvisionedWriteCapacityAutoScalingSettings": writes,
                "ReplicaStatus": "ACTIVE",
            }
            for region in (AWAY, HOME)
        ]
        return {"TableAutoScalingDescription": {"TableName": "tab", "TableStatus": "ACTIVE", "Replicas": replicas}}

    def test_their_scaling_is_one_view_of_every_regions_targets(self) -> None:
        regions = self.scaled()
        mirrored = regions.does("application-autoscaling:DescribeScalingPolicies", AWAY, ServiceNamespace="dynamodb")
        assert [policy["PolicyName"] for policy in mirrored["ScalingPolicies"]] == ["follow"]
        for region in (HOME, AWAY):
            assert regions.does("DescribeTableReplicaAutoScaling", region, TableName="tab") == self.told()

    def test_their_scaling_is_changed_in_one_region_and_outlives_its_units(self) -> None:
        regions, name = self.scaled(), "DynamoDBReadCapacityUtilization:table/tab"
        reads = {
            "MinimumUnits": 8,
            "MaximumUnits": 20,
            "ScalingPolicyUpdate": {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0}},
        }
        update = {"RegionName": HOME, "ReplicaProvisionedReadCapacityAutoScalingUpdate": reads}
        assert regions.does("UpdateTableReplicaAutoScaling", TableName="tab", ReplicaUpdates=[update]) == self.told()
        assert regions.table()["ProvisionedThroughput"]["ReadCapacityUnits"] == 8
        found = regions.does("DescribeTableReplicaAutoScaling", TableName="tab")["TableAutoScalingDescription"]
        there, here = found["Replicas"]
        assert there["ReplicaProvisionedReadCapacityAutoScalingSettings"] == OFF
        scaled = self.settings(8, 20, name, TargetValue=70.0)
        assert here["ReplicaProvisionedReadCapacityAutoScalingSettings"] == scaled
        regions.does("UpdateTable", TableName="tab", BillingMode="PAY_PER_REQUEST")
        found = regions.does("DescribeTableReplicaAutoScaling", TableName="tab")["TableAutoScalingDescription"]
        here = found["Replicas"][1]
        assert here["ReplicaProvisionedReadCapacityAutoScalingSettings"] == {**scaled, "AutoScalingDisabled": True}

    def test_protection_is_each_ones_own(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        regions.does("UpdateTable", AWAY, TableName="tab", DeletionProtectionEnabled=True)
        assert regions.table()["DeletionProtectionEnabled"] is False
        assert regions.refuses("UpdateTable", TableName="tab", ReplicaUpdates=[{"Delete": {"RegionName": AWAY}}]) == (
            "ValidationException",
            "Cannot delete table tab in region eu-west-1 because it has deletion protection enabled. Disable deletion "
            "protection first.",
        )

    def test_a_replica_reads_with_units_of_its_own(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        most = {"MaxReadRequestUnits": 7}
        regions.change({"Update": {"RegionName": AWAY, "OnDemandThroughputOverride": most}})
        assert regions.table(AWAY)["OnDemandThroughput"] == most
        assert regions.table()["Replicas"][0]["OnDemandThroughputOverride"] == most

    def test_ids_and_labels_are_each_ones_own(self) -> None:
        regions = Regions()
        regions.clock.advance(5)
        regions.join(AWAY)
        here, there = regions.table(), regions.table(AWAY)
        assert here["TableId"] != there["TableId"]
        assert there["TableArn"] == "arn:aws:dynamodb:eu-west-1:400000000004:table/tab"
        assert here["Replicas"][0]["RegionName"] == AWAY
        assert there["Replicas"][0]["RegionName"] == HOME


class TestStrong:
    def made(self, **more: Any) -> Regions:
        regions = Regions(**more)
        creates = [{"Create": {"RegionName": each}} for each in ("us-east-2", FAR)]
        regions.change(*creates, MultiRegionConsistency="STRONG")
        return regions

    def test_a_write_is_everywhere_at_once(self) -> None:
        regions = self.made(lag=60.0)
        regions.put("x", FAR)
        assert (regions.get(), regions.get("us-east-2")) == ("x", "x")

    def test_an_item_is_written_in_one_region_at_a_time(self) -> None:
        regions = self.made(strong_lag=0.5)
        regions.put("x", FAR)
        item = {"pk": {"S": "a"}}
        assert regions.refuses("PutItem", TableName="tab", Item=item) == (
            "ReplicatedWriteConflictException",
            "One or more items in this request are being modified by a request in another Region.",
        )
        regions.put("y", FAR)
        regions.clock.advance(0.5)
        regions.put("z")
        assert regions.get(FAR) == "z"

    def test_no_transactions(self) -> None:
        regions = self.made()
        gets = [{"Get": {"TableName": "tab", "Key": {"pk": {"S": "a"}}}}]
        assert regions.refuses("TransactGetItems", TransactItems=gets)[0] == "ValidationException"
        put = [{"Put": {"TableName": "tab", "Item": {"pk": {"S": "a"}}}}]
        assert regions.refuses("TransactWriteItems", FAR, TransactItems=put)[0] == "ValidationException"

    def test_all_go_at_once(self) -> None:
        regions = self.made()
        regions.change({"Delete": {"RegionName": "us-east-2"}}, {"Delete": {"RegionName": FAR}})
        assert "MultiRegionConsistency" not in regions.table()


def test_protecting_a_replica_from_deletion_takes_its_time_and_stays_its_own() -> None:
    regions = Regions(delays=Delays(update_table=38))
    regions.change({"Create": {"RegionName": AWAY}})
    regions.clock.advance(60)
    busy = ("ResourceInUseException", "The resource which you are attempting to change is in use.")
    asked = {"TableName": "tab", "DeletionProtectionEnabled": True}
    assert regions.does("UpdateTable", **asked)["TableDescription"]["TableStatus"] == "UPDATING"
    assert regions.refuses("UpdateTable", **{**asked, "DeletionProtectionEnabled": False}) == busy
    assert regions.table(AWAY)["TableStatus"] == "UPDATING"
    regions.clock.advance(38)
    assert regions.table()["DeletionProtectionEnabled"] is True
    assert regions.table(AWAY)["DeletionProtectionEnabled"] is False
    assert regions.table()["TableStatus"] == "ACTIVE"


def test_a_replicas_key_is_one_of_its_own_region() -> None:
    regions = Regions()
    regions.does("DeleteTable", TableName="tab")
    regions.clock.advance(1)
    key = "key/1234abcd-12ab-34cd-56ef-1234567890ab"
    own = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": f"arn:aws:kms:us-east-1:400000000004:{key}"}
    regions.does("CreateTable", **TABLE, SSESpecification=own)
    regions.clock.advance(1)
    regions.change({"Create": {"RegionName": AWAY, "KMSMasterKeyId": key.removeprefix("key/")}})
    regions.clock.advance(1)
    there = f"arn:aws:kms:{AWAY}:400000000004:{key}"
    assert regions.table()["Replicas"][0]["KMSMasterKeyId"] == there
    assert regions.table(AWAY)["SSEDescription"]["KMSMasterKeyArn"] == there
    assert regions.table(AWAY)["Replicas"][0]["KMSMasterKeyId"] == own["KMSMasterKeyId"]


def test_keys_that_aws_manages_are_each_regions_own() -> None:
    regions = Regions()
    regions.join(AWAY)
    regions.does("UpdateTable", TableName="tab", SSESpecification={"Enabled": True, "SSEType": "KMS"})
    regions.clock.advance(100)
    keys = [regions.table(region)["SSEDescription"]["KMSMasterKeyArn"] for region in (HOME, AWAY)]
    assert [key.split(":")[3] for key in keys] == [HOME, AWAY]
    assert regions.table()["Replicas"][0]["KMSMasterKeyId"] == keys[1]
    assert regions.table(AWAY)["Replicas"][0]["KMSMasterKeyId"] == keys[0]
