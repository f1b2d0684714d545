"""Global tables: how replicas come and go, and what is refused meanwhile (beyond:GT-1 … GT-19)."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Delays
from tests.unit.replica_regions import AWAY, FAR, HOME, Regions


class TestGoing:
    def test_a_replica_that_goes_takes_its_table_along(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        regions.change({"Delete": {"RegionName": AWAY}})
        assert "Replicas" not in regions.table()
        assert regions.refuses("DescribeTable", AWAY, TableName="tab")[0] == "ResourceNotFoundException"

    def test_it_passes_through_its_states(self) -> None:
        regions = Regions(delays=Delays(create_replica=10, delete_table=10, update_table=3))
        regions.change({"Create": {"RegionName": AWAY}})
        assert regions.table()["TableStatus"] == "UPDATING"
        assert regions.table()["Replicas"][0]["ReplicaStatus"] == "CREATING"
        key = {"pk": {"S": "a"}}
        assert regions.refuses("GetItem", AWAY, TableName="tab", Key=key)[0] == "ResourceNotFoundException"
        regions.put("meanwhile")
        regions.clock.advance(10)
        assert regions.table()["Replicas"][0]["ReplicaStatus"] == "ACTIVE"
        assert regions.get(AWAY) == "meanwhile"
        regions.change({"Delete": {"RegionName": AWAY}})
        assert regions.table()["Replicas"][0]["ReplicaStatus"] == "DELETING"
        regions.clock.advance(10)
        assert "Replicas" not in regions.table()

    def test_a_source_stays_a_day(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        asked: Any = {"TableName": "tab", "ReplicaUpdates": [{"Delete": {"RegionName": HOME}}]}
        code, message = regions.refuses("UpdateTable", AWAY, **asked)
        assert (code, message) == (
            "ValidationException",
            "Replica cannot be deleted because it has acted as a source region for new replica(s) being added to the "
            "table in the last 24 hours.",
        )
        assert regions.refuses("DeleteTable", TableName="tab")[1] == message
        regions.clock.advance(24 * 3600)
        regions.does("DeleteTable", TableName="tab")
        assert "Replicas" not in regions.table(AWAY)

    def test_a_replica_may_be_deleted_in_its_own_region(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        regions.does("DeleteTable", AWAY, TableName="tab")
        assert "Replicas" not in regions.table()

    def test_what_it_wrote_is_not_lost(self) -> None:
        regions = Regions(lag=60.0)
        regions.join(AWAY)
        regions.put("there", AWAY)
        regions.change({"Delete": {"RegionName": AWAY}})
        assert regions.get() == "there"

    def test_it_may_leave_and_stay_a_table(self) -> None:
        regions = Regions()
        regions.put("kept")
        regions.join(AWAY)
        asked = {"Disassociate": {"RegionName": AWAY, "DisassociationMode": "WAIT_FOR_REPLICATION"}}
        refused = regions.refuses("UpdateTable", AWAY, TableName="tab", ReplicaUpdates=[asked])
        assert refused[0] == "ValidationException"
        regions.does("UpdateTable", AWAY, TableName="tab", DisassociationProtectionEnabled=False)
        regions.change(asked, region=AWAY)
        assert "Replicas" not in regions.table()
        assert "Replicas" not in regions.table(AWAY)
        regions.put("mine", AWAY)
        assert (regions.get(), regions.get(AWAY)) == ("kept", "mine")


@pytest.mark.parametrize("region", ["nowhere", "us-east-1"])
def test_a_region_must_be_another_and_there(region: str) -> None:
    asked = [{"Create": {"RegionName": region}}]
    assert Regions().refuses("UpdateTable", TableName="tab", ReplicaUpdates=asked)[0] == "ValidationException"


BUSY = ("ResourceInUseException", "The resource which you are attempting to change is in use.")


class TestOnTheWay:
    """What is refused while replicas come and go (beyond:GT-13, GT-14)."""

    SLOW = Delays(create_replica=60, update_table=10, delete_table=100)

    def test_hardly_anything_finds_a_replica_that_is_being_made(self) -> None:
        regions = Regions(delays=self.SLOW)
        regions.change({"Create": {"RegionName": AWAY}})
        regions.clock.advance(30)
        assert regions.table(AWAY)["TableStatus"] == "CREATING"
        assert not {"StreamSpecification", "LatestStreamArn", "LatestStreamLabel"} & set(regions.table(AWAY))
        missing = ("ResourceNotFoundException", "Requested resource not found: Table: tab not found")
        named = {"region": AWAY, "TableName": "tab"}
        assert regions.refuses("DescribeTimeToLive", **named) == missing
        assert regions.refuses("UpdateTable", **named, DeletionProtectionEnabled=True) == missing
        assert regions.refuses("DescribeContinuousBackups", **named) == (
            "TableNotFoundException",
            "Table not found: tab",
        )
        assert regions.refuses("GetItem", **named, Key={"pk": {"S": "a"}})[0] == "ResourceNotFoundException"
        assert regions.refuses("DeleteTable", **named) == (
            "ResourceInUseException",
            "Attempt to change a resource which is still in use: Table: tab is being used.",
        )
        further = regions.refuses("UpdateTable", **named, ReplicaUpdates=[{"Create": {"RegionName": FAR}}])
        assert "not allowed while the replica is being added" in str(further[1])
        source = regions.refuses("UpdateTable", **named, ReplicaUpdates=[{"Delete": {"RegionName": HOME}}])
        assert "acted as a source region" in str(source[1])

    def test_what_is_wrong_anyway_is_told_before_that_a_replica_goes(self) -> None:
        regions = Regions(delays=self.SLOW)
        regions.change({"Create": {"RegionName": AWAY}})
        regions.clock.advance(100)
        regions.change({"Delete": {"RegionName": AWAY}})
        regions.clock.advance(5)
        asked = {"TableName": "tab"}
        for update in ({"Create": {"RegionName": FAR}}, {"Delete": {"RegionName": AWAY}}):
            assert regions.refuses("UpdateTable", **asked, ReplicaUpdates=[update]) == BUSY
        again = regions.refuses("UpdateTable", **asked, ReplicaUpdates=[{"Create": {"RegionName": AWAY}}])
        assert "already existed as tables" in str(again[1])
        assert regions.refuses("DeleteTable", AWAY, **asked) == BUSY
        assert "acted as a source region" in str(regions.refuses("DeleteTable", **asked)[1])
        back = regions.refuses("UpdateTable", AWAY, **asked, ReplicaUpdates=[{"Delete": {"RegionName": HOME}}])
        assert back == BUSY

    def test_a_source_goes_after_what_was_made_from_it(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        regions.change({"Create": {"RegionName": FAR}}, region=AWAY)
        regions.clock.advance(1)
        listed = [[each["RegionName"] for each in regions.table(region)["Replicas"]] for region in (HOME, AWAY, FAR)]
        assert listed == [[AWAY, FAR], [HOME, FAR], [HOME, AWAY]]
        going = {"TableName": "tab", "ReplicaUpdates": [{"Delete": {"RegionName": AWAY}}]}
        assert "acted as a source region" in str(regions.refuses("UpdateTable", **going)[1])
        regions.change({"Delete": {"RegionName": FAR}})
        regions.clock.advance(1)
        regions.does("UpdateTable", **going)

    def test_a_protected_replica_stays_whoever_asks(self) -> None:
        regions = Regions()
        regions.join(AWAY)
        regions.does("UpdateTable", AWAY, TableName="tab", DeletionProtectionEnabled=True)
        regions.clock.advance(1)
        protected = (
            "ValidationException",
            f"Cannot delete table tab in region {AWAY} because it has deletion protection enabled. Disable deletion "
            "protection first.",
        )
        assert regions.refuses("DeleteTable", AWAY, TableName="tab") == protected
        going = [{"Delete": {"RegionName": AWAY}}]
        assert regions.refuses("UpdateTable", TableName="tab", ReplicaUpdates=going) == protected
        regions.does("UpdateTable", AWAY, TableName="tab", DeletionProtectionEnabled=False)
        regions.clock.advance(1)
        told = regions.does("DeleteTable", AWAY, TableName="tab")["TableDescription"]
        assert told["TableStatus"] == "DELETING"
        assert [(each["RegionName"], each["ReplicaStatus"]) for each in told["Replicas"]] == [(HOME, "ACTIVE")]


def test_a_witness_comes_and_goes_with_the_replica() -> None:
    regions = Regions(delays=Delays(create_replica=60, update_table=10, delete_table=100))
    witness = {"RegionName": FAR}
    created = {"GlobalTableWitnessUpdates": [{"Create": witness}], "MultiRegionConsistency": "STRONG"}
    regions.change({"Create": {"RegionName": "us-east-2"}}, **created)

    def told() -> Any:
        return regions.table().get("GlobalTableWitnesses")

    for seconds, status in ((30, "CREATING"), (60, "ACTIVE")):
        regions.clock.advance(seconds)
        assert told() == [{**witness, "WitnessStatus": status}]
    gone = regions.change({"Delete": {"RegionName": "us-east-2"}}, GlobalTableWitnessUpdates=[{"Delete": witness}])
    assert gone["TableDescription"]["GlobalTableWitnesses"] == [{**witness, "WitnessStatus": "ACTIVE"}]
    regions.clock.advance(50)
    assert told() == [{**witness, "WitnessStatus": "DELETING"}]
    regions.clock.advance(60)
    assert not {"GlobalTableWitnesses", "Replicas", "MultiRegionConsistency", "GlobalTableVersion"} & set(
        regions.table()
    )
