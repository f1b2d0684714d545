"""UpdateTable in all its forms, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Delays
from reference.api import Call
from reference.tables.limits import Limits
from tests.unit.update_bench import CLASS, IPV, START, STREAM, USED, Bench, change, create, defined, delete, units

NOTHING = (
    "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, "
    "SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, "
    "DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required"
)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"AttributeDefinitions": defined("pk/S")},
        {"GlobalSecondaryIndexUpdates": []},
    ],
)
def test_an_update_changes_something(body: dict[str, Any]) -> None:
    assert Bench().message(**body) == NOTHING


def test_a_consistency_between_regions_is_no_change() -> None:
    assert Bench().message(MultiRegionConsistency="STRONG") == NOTHING.replace("MultiRegionConsistency, ", "")


@pytest.mark.parametrize("body", [{"BillingMode": "PAY_PER_REQUEST"}, {"WarmThroughput": {}}])
def test_a_missing_table(body: dict[str, Any]) -> None:
    assert Bench().refused(TableName="none", **body) == (
        "ResourceNotFoundException",
        "Requested resource not found: Table: none not found",
    )


def test_new_units_show_when_the_update_is_done() -> None:
    bench = Bench(on_demand=False)
    told = bench.update(ProvisionedThroughput=units(10, 3))
    assert told["TableStatus"] == "UPDATING"
    marks = {"LastIncreaseDateTime": START, "LastDecreaseDateTime": START}
    assert told["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **marks, **units(5, 5)}
    told = bench.described()
    assert told["TableStatus"] == "ACTIVE"
    assert told["ProvisionedThroughput"] == {
        "NumberOfDecreasesToday": 1,
        "LastIncreaseDateTime": START,
        "LastDecreaseDateTime": START,
        **units(10, 3),
    }
    assert told["WarmThroughput"] == {"ReadUnitsPerSecond": 10, "WriteUnitsPerSecond": 5, "Status": "ACTIVE"}


def test_the_same_units_again() -> None:
    assert Bench(on_demand=False).message(ProvisionedThroughput=units(5, 5)) == (
        "The provisioned throughput for the table will not change. The requested value equals the current value. "
        "Current ReadCapacityUnits provisioned for the table: 5. Requested ReadCapacityUnits: 5. "
        "Current WriteCapacityUnits provisioned for the table: 5. Requested WriteCapacityUnits: 5. "
        "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
    )


def test_from_provisioned_to_on_demand_and_back() -> None:
    bench = Bench(on_demand=False)
    told = bench.update(BillingMode="PAY_PER_REQUEST")
    zeros = {"NumberOfDecreasesToday": 0, **units(0, 0)}
    summary = {"BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": START}
    assert (told["TableStatus"], told["BillingModeSummary"]) == ("UPDATING", {"BillingMode": "PAY_PER_REQUEST"})
    assert told["ProvisionedThroughput"] == {**zeros, "LastDecreaseDateTime": START}
    assert told["WarmThroughput"] == {"ReadUnitsPerSecond": 5, "WriteUnitsPerSecond": 5, "Status": "ACTIVE"}
    told = bench.described()
    assert (told["BillingModeSummary"], told["ProvisionedThroughput"]) == (summary, zeros)
    bench.update(OnDemandThroughput={"MaxReadRequestUnits": 9})
    told = bench.update(BillingMode="PROVISIONED", ProvisionedThroughput=units(2, 1))
    assert told["BillingModeSummary"] == {**summary, "BillingMode": "PROVISIONED"}
    assert told["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units(2, 1)}
    told = bench.described()
    assert "OnDemandThroughput" not in told
    assert told["WarmThroughput"] == {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"}


def test_on_demand_again_is_no_error() -> None:
    bench = Bench()
    assert bench.update(BillingMode="PAY_PER_REQUEST")["TableStatus"] == "UPDATING"
    assert bench.described()["TableStatus"] == "ACTIVE"


@pytest.mark.parametrize("on_demand", [True, False])
def test_provisioned_billing_needs_units(*, on_demand: bool) -> None:
    assert Bench(on_demand=on_demand).message(BillingMode="PROVISIONED") == (
        IPV + "ProvisionedThroughput must be specified when BillingMode is PROVISIONED"
    )


def test_on_demand_tables_have_no_units() -> None:
    assert Bench().message(ProvisionedThroughput=units(5, 5)) == (
        IPV + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
    )
    assert Bench(on_demand=False).message(ProvisionedThroughput=units(6, 6), BillingMode="PAY_PER_REQUEST") == (
        IPV + "ProvisionedThroughput cannot be specified when BillingMode is PAY_PER_REQUEST"
    )


def test_the_fifth_decrease_of_a_day_waits() -> None:
    bench = Bench(on_demand=False)
    for _ in range(4):
        bench.update(ProvisionedThroughput=units(6, 6))
        bench.update(ProvisionedThroughput=units(5, 5))
    bench.update(ProvisionedThroughput=units(6, 6))
    code, message = bench.refused(ProvisionedThroughput=units(5, 5))
    assert code == "LimitExceededException"
    assert (message or "").startswith(
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. After the "
        "first 4 decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 "
        "seconds. Number of decreases today: 4. Last decrease at Friday, January 15, 2027 at 8:00:00 AM Coordinated "
        "Universal Time. Next decrease can be made at Friday, January 15, 2027 at 9:00:00 AM Coordinated Universal Time"
    )
    bench.clock.advance(3600)
    bench.update(ProvisionedThroughput=units(5, 5))
    assert bench.described()["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 5
    bench.clock.advance(86_400)
    assert bench.described()["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 0


def test_midnight_gives_back_all_decreases() -> None:
    bench = Bench(on_demand=False)
    bench.clock.advance(15.5 * 3_600)
    for read in (4, 3, 2, 1):
        bench.update(ProvisionedThroughput=units(read, 5))
    message = bench.refused(ProvisionedThroughput=units(1, 4))[1] or ""
    assert message.endswith(
        "Last decrease at Friday, January 15, 2027 at 11:30:00 PM Coordinated Universal Time. "
        "Next decrease can be made at Saturday, January 16, 2027 at 12:00:00 AM Coordinated Universal Time"
    )
    bench.clock.advance(1_800)
    before = {"NumberOfDecreasesToday": 0, "LastDecreaseDateTime": START + 15.5 * 3_600, **units(1, 5)}
    assert bench.described()["ProvisionedThroughput"] == before
    for write in (4, 3, 2, 1):
        bench.update(ProvisionedThroughput=units(1, write))
    assert bench.described()["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 4


def test_of_warm_throughputs_on_their_way_the_last_counts() -> None:
    bench = Bench(delays=Delays(create_table=0, update_table=10))
    before = {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "UPDATING"}
    for asked in ((13_000, 5_000), (12_000, 4_000), (14_000, 6_000)):
        told = bench.update(WarmThroughput=dict(zip(("ReadUnitsPerSecond", "WriteUnitsPerSecond"), asked, strict=True)))
        assert told["WarmThroughput"] == bench.described()["WarmThroughput"] == before
        bench.clock.advance(1)
    bench.clock.advance(10)
    warm = {"ReadUnitsPerSecond": 14_000, "WriteUnitsPerSecond": 6_000, "Status": "ACTIVE"}
    assert bench.described()["WarmThroughput"] == warm


def test_a_table_on_its_way_to_on_demand_billing() -> None:
    bench = Bench(on_demand=False, delays=Delays(update_table=10))
    bench.update(ProvisionedThroughput=units(4, 5))
    bench.clock.advance(10)
    bench.update(BillingMode="PAY_PER_REQUEST")
    bench.clock.advance(5)
    told = bench.described()
    assert (told["TableStatus"], told["BillingModeSummary"]) == ("UPDATING", {"BillingMode": "PAY_PER_REQUEST"})
    assert told["WarmThroughput"] == {"ReadUnitsPerSecond": 5, "WriteUnitsPerSecond": 5, "Status": "ACTIVE"}
    bench.clock.advance(5)
    told = bench.described()
    assert told["BillingModeSummary"] == {
        "BillingMode": "PAY_PER_REQUEST",
        "LastUpdateToPayPerRequestDateTime": START + 20,
    }
    marks = {"NumberOfDecreasesToday": 1, "LastDecreaseDateTime": START + 10}
    assert told["ProvisionedThroughput"] == {**marks, **units(0, 0)}
    assert told["WarmThroughput"] == {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "ACTIVE"}


def test_provisioned_billing_is_not_taken_back_on_the_way() -> None:
    bench = Bench(delays=Delays(update_table=10))
    bench.update(BillingMode="PROVISIONED", ProvisionedThroughput=units(1, 1))
    told = bench.update(BillingMode="PAY_PER_REQUEST")
    assert (told["TableStatus"], told["BillingModeSummary"]["BillingMode"]) == ("UPDATING", "PAY_PER_REQUEST")
    assert told["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units(0, 0)}
    in_use = ("ResourceInUseException", USED + "Table IOPS are currently being updated. Table: tab")
    assert bench.refused(BillingMode="PROVISIONED", ProvisionedThroughput=units(2, 2)) == in_use
    bench.clock.advance(10)
    told = bench.described()
    assert (told["TableStatus"], told["BillingModeSummary"]["BillingMode"]) == ("ACTIVE", "PROVISIONED")
    assert told["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units(1, 1)}
    bench.update(BillingMode="PAY_PER_REQUEST")
    assert bench.refused(BillingMode="PROVISIONED", ProvisionedThroughput=units(1, 1)) == in_use


def test_the_fifth_switch_to_on_demand_in_a_day_waits() -> None:
    bench = Bench(on_demand=False)
    for _ in range(4):
        bench.update(BillingMode="PAY_PER_REQUEST")
        bench.update(BillingMode="PROVISIONED", ProvisionedThroughput=units(1, 1))
    assert bench.refused(BillingMode="PAY_PER_REQUEST")[0] == "LimitExceededException"
    bench.clock.advance(86_401)
    bench.update(BillingMode="PAY_PER_REQUEST")


def test_units_stay_within_quotas() -> None:
    large = Bench(on_demand=False, limits=Limits(table_units=10, account_units=20))
    code, message = large.refused(ProvisionedThroughput=units(11, 5))
    assert code == "LimitExceededException"
    assert "The requested ReadCapacityUnits, 11, is above the per table maximum" in (message or "")
    # What the account has left comes before what a table may have.
    bench = Bench(on_demand=False, limits=Limits(table_units=8, account_units=8))
    assert bench.refused(ProvisionedThroughput=units(9, 5)) == (
        "LimitExceededException",
        "This request would have caused the ReadCapacityUnits limit to be exceeded for the account in us-east-1. "
        "Current ReadCapacityUnits reserved by the account: 5. Limit: 8. Requested: 9. "
        "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
    )
    bench.update(ProvisionedThroughput=units(8, 5))


def test_maxima_of_on_demand_tables() -> None:
    bench = Bench()
    told = bench.update(OnDemandThroughput={"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": 6})
    assert (told["TableStatus"], told["OnDemandThroughput"]) == (
        "ACTIVE",
        {"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": 6},
    )
    told = bench.update(OnDemandThroughput={"MaxReadRequestUnits": -1})
    assert told["OnDemandThroughput"] == {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": 6}
    assert bench.described()["OnDemandThroughput"] == {"MaxWriteRequestUnits": 6}
    assert bench.message(OnDemandThroughput={"MaxReadRequestUnits": 0}) == (
        IPV + "Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range"
    )
    assert bench.refused(OnDemandThroughput={"MaxReadRequestUnits": 40_001}) == (
        "LimitExceededException",
        "Subscriber limit exceeded: Requested MaxReadRequestUnits for OnDemandThroughput for table exceeds "
        "TableMaxReadCapacityUnits of the account in region us-east-1",
    )
    assert Bench(on_demand=False).message(OnDemandThroughput={"MaxWriteRequestUnits": 5}) == (
        IPV + "MaxWriteRequestUnits for OnDemandThroughput cannot be specified "
        "when the table BillingMode is PROVISIONED"
    )
    assert bench.refused(OnDemandThroughput={}) == ("InternalFailure", "")


def test_a_maximum_is_gone_at_once_however_long_updates_take() -> None:
    bench = Bench(delays=Delays(update_table=10))
    bench.update(OnDemandThroughput={"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": 6})
    bench.update(OnDemandThroughput={"MaxReadRequestUnits": -1})
    assert bench.described()["OnDemandThroughput"] == {"MaxWriteRequestUnits": 6}


def test_a_stream_is_switched_on_and_off() -> None:
    bench = Bench()
    on = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    told = bench.update(StreamSpecification=on)
    first = "2027-01-15T08:00:00.000"
    assert (told["TableStatus"], told["StreamSpecification"], told["LatestStreamLabel"]) == ("UPDATING", on, first)
    other = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert bench.message(StreamSpecification=other) == "Table already has an enabled stream: TableName: tab"
    told = bench.update(StreamSpecification={"StreamEnabled": False})
    assert told["TableStatus"] == "UPDATING"
    told = bench.described()
    assert "StreamSpecification" not in told
    assert told["LatestStreamLabel"] == first
    off = {"StreamEnabled": False}
    assert bench.message(StreamSpecification=off) == "Table has no stream to disable: TableName: tab"
    bench.update(StreamSpecification=other)
    assert bench.described()["LatestStreamLabel"] == "2027-01-15T08:00:00.001"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"StreamSpecification": {"StreamEnabled": True}},
            "If stream is being enabled then UpdateViewType is required",
        ),
        (
            {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}},
            "If stream is being disabled, then UpdateViewType must not be specified",
        ),
        (
            {
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
                "BillingMode": "PROVISIONED",
                "ProvisionedThroughput": units(1, 1),
            },
            "You cannot modify stream status while updating table IOPS",
        ),
        (
            {
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
                "AttributeDefinitions": defined("x/S"),
                "GlobalSecondaryIndexUpdates": [create("gsi", "x")],
            },
            "You cannot create or delete index while changing stream status",
        ),
    ],
)
def test_what_a_stream_change_can_not_be(body: dict[str, Any], message: str) -> None:
    assert Bench().message(**body) == IPV + message


def test_billing_and_stream_may_change_together() -> None:
    bench = Bench(on_demand=False)
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    bench.update(BillingMode="PAY_PER_REQUEST", StreamSpecification=stream)
    told = bench.described()
    assert (told["BillingModeSummary"]["BillingMode"], told["StreamSpecification"]) == ("PAY_PER_REQUEST", stream)


def test_history_is_kept_a_day_longer_than_the_stream() -> None:
    bench = Bench()
    table = bench.service.account.tables["tab"]
    bench.update(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    assert table.keep == 86_400
    bench.update(StreamSpecification={"StreamEnabled": False})
    assert table.keep == 86_400
    bench.clock.advance(86_401)
    bench.described()
    assert table.keep == 0


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (
            {"GlobalSecondaryIndexUpdates": [{}]},
            (
                "ValidationException",
                IPV + "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
                "GlobalSecondaryIndexUpdate.Delete must not be null",
            ),
        ),
        (
            {"GlobalSecondaryIndexUpdates": [{**delete("abc"), **change("abd")}]},
            (
                "ValidationException",
                IPV + "Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object",
            ),
        ),
        (
            {"GlobalSecondaryIndexUpdates": [delete("abc"), delete("abc")]},
            (
                "ValidationException",
                IPV + "Only one global secondary index update per index is allowed simultaneously. Index: abc",
            ),
        ),
        (
            {"GlobalSecondaryIndexUpdates": [delete("abc"), delete("abd")]},
            (
                "LimitExceededException",
                "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
            ),
        ),
        (
            {"GlobalSecondaryIndexUpdates": [create("abc", "x")]},
            (
                "ValidationException",
                IPV + "AttributeDefinitions is not specified for index: abc",
            ),
        ),
        (
            {
                "AttributeDefinitions": defined("x/S"),
                "GlobalSecondaryIndexUpdates": [create("abc", "x", ProvisionedThroughput=units(1, 1))],
            },
            (
                "ValidationException",
                IPV + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: abc when "
                "BillingMode is PAY_PER_REQUEST",
            ),
        ),
        (
            {"GlobalSecondaryIndexUpdates": [delete("abc")]},
            ("ResourceNotFoundException", "Requested resource not found: Index abc for table tab"),
        ),
        (
            {"GlobalSecondaryIndexUpdates": [change("abc", ProvisionedThroughput=units(1, 1))]},
            ("ResourceNotFoundException", "Requested resource not found: Index abc for table tab"),
        ),
        (
            {"GlobalSecondaryIndexUpdates": [change("abc", ProvisionedThroughput=units(1_000_000_000_001, 1))]},
            (
                "ValidationException",
                "This operation cannot be performed with given input values. Please contact DynamoDB service team for "
                "more info: Action Blocked: IndexUpdate",
            ),
        ),
        (
            {"VectorIndexUpdates": [{}]},
            (
                "ValidationException",
                IPV + "One of VectorIndexUpdate.Create, VectorIndexUpdate.Delete must not be null",
            ),
        ),
        (
            {"ReplicaUpdates": [{"Create": {"RegionName": "eu-west-1"}}], "TableClass": "STANDARD"},
            ("ValidationException", IPV + "Replica modification must be the only operation in the request"),
        ),
        (
            {"SSESpecification": {"Enabled": False}},
            ("ValidationException", IPV + "Table is already encrypted by default"),
        ),
    ],
)
def test_what_an_update_can_not_be(body: dict[str, Any], answer: tuple[str, str]) -> None:
    assert Bench().refused(**body) == answer


@pytest.mark.parametrize(
    ("body", "first"),
    [
        ({"DeletionProtectionEnabled": True, "SSESpecification": {"Enabled": True}}, "Server-Side Encryption"),
        ({"SSESpecification": {"Enabled": True}, "TableClass": CLASS}, "Server-Side Encryption"),
        ({"TableClass": CLASS, "DeletionProtectionEnabled": True}, "TableClass"),
        ({"DeletionProtectionEnabled": True, "StreamSpecification": STREAM}, "DeletionProtection"),
        ({"DeletionProtectionEnabled": True, "OnDemandThroughput": {"MaxReadRequestUnits": 5}}, "DeletionProtection"),
        (
            {"DeletionProtectionEnabled": True, "WarmThroughput": {"ReadUnitsPerSecond": 13_000}},
            "DeletionProtection",
        ),
    ],
)
def test_some_changes_come_alone(body: dict[str, Any], first: str) -> None:
    assert Bench().message(**body) == f"{IPV}{first} modification must be the only operation in the request"


def test_warm_throughput_and_maxima_come_alone_in_their_own_words() -> None:
    bench = Bench()
    warm, maxima = {"ReadUnitsPerSecond": 13_000}, {"MaxReadRequestUnits": 5}
    alone = IPV + "WarmThroughput must be the only operation in the request"
    combined = IPV + "OnDemandThroughput can only be combined with BillingMode in an UpdateTable request"
    assert bench.message(WarmThroughput=warm, BillingMode="PAY_PER_REQUEST") == alone
    assert bench.message(WarmThroughput=warm, OnDemandThroughput=maxima) == combined
    assert bench.message(StreamSpecification=STREAM, OnDemandThroughput=maxima) == combined
    bench.update(BillingMode="PAY_PER_REQUEST", OnDemandThroughput=maxima)
    bench.update(BillingMode="PAY_PER_REQUEST", StreamSpecification=STREAM)
    assert bench.described()["OnDemandThroughput"] == maxima


def test_the_class_changes_twice_in_thirty_days() -> None:
    bench = Bench()
    bench.update(TableClass="STANDARD")
    assert "TableClassSummary" not in bench.described()
    told = bench.update(TableClass=CLASS)
    assert (told["TableStatus"], told.get("TableClassSummary")) == ("UPDATING", None)
    summary = {"TableClass": CLASS, "LastUpdateDateTime": START}
    assert bench.described()["TableClassSummary"] == summary
    told = bench.update(TableClass=CLASS)
    assert (told["TableStatus"], told["TableClassSummary"]) == ("UPDATING", summary)
    assert bench.described()["TableStatus"] == "ACTIVE"
    assert bench.update(TableClass="STANDARD")["TableClassSummary"] == summary
    spent = (
        "LimitExceededException",
        "Subscriber limit exceeded: Updates to TableClass are limited to 2 times in 30 day(s).",
    )
    assert bench.refused(TableClass=CLASS) == spent
    assert bench.refused(TableClass="STANDARD") == spent


def test_deletion_protection_changes_at_once() -> None:
    bench = Bench()
    told = bench.update(DeletionProtectionEnabled=True)
    assert (told["TableStatus"], told["DeletionProtectionEnabled"]) == ("ACTIVE", True)
    assert bench.refused("DeleteTable")[0] == "ValidationException"
    bench.update(DeletionProtectionEnabled=False)
    bench.call("DeleteTable", TableName="tab")


def test_deletion_protection_may_be_slowed_down_as_on_aws() -> None:
    bench = Bench(limits=Limits(protection_cooldown=15))
    bench.update(DeletionProtectionEnabled=True)
    assert bench.refused(DeletionProtectionEnabled=False) == (
        "ThrottlingException",
        "Deletion protection setting for table tab modified within the previous 15000 milliseconds. "
        "Please try again after 2027-01-15T08:00:15.000Z",
    )
    bench.clock.advance(15)
    bench.update(DeletionProtectionEnabled=False)


def test_warm_throughput_only_grows() -> None:
    bench = Bench()
    told = bench.update(WarmThroughput={"ReadUnitsPerSecond": 13_000})
    warm = {"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 4_000}
    before = {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "UPDATING"}
    assert (told["TableStatus"], told["WarmThroughput"]) == ("ACTIVE", before)
    assert bench.described()["WarmThroughput"] == {**warm, "Status": "ACTIVE"}
    assert bench.message(WarmThroughput={"ReadUnitsPerSecond": 12_999}) == (
        IPV + "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current WarmThroughput, "
        "decreasing WarmThroughput is not supported"
    )


def test_replicas_need_a_region_that_there_is() -> None:
    assert Bench().refused(ReplicaUpdates=[{"Create": {"RegionName": "nowhere"}}])[0] == "ValidationException"


def test_an_outcome_changes_nothing_until_it_is_committed() -> None:
    bench = Bench()
    body = {
        "TableName": "tab",
        "AttributeDefinitions": defined("x/S"),
        "GlobalSecondaryIndexUpdates": [create("gsi", "x")],
    }
    before = bench.described()
    outcome = bench.service.outcomes(Call("UpdateTable", body)).outcome
    assert outcome is not None
    assert bench.described() == before
    fork = bench.service.fork()
    fork.commit(outcome)
    assert bench.described() == before
    bench.service.commit(outcome)
    both = [service.execute(Call("DescribeTable", {"TableName": "tab"})) for service in (fork, bench.service)]
    assert both[0] == both[1]
    assert both[0] != before
