"""UpdateTable in all its forms, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Account, Delays
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.service import Service
from reference.tables.limits import Limits

IPV = "One or more parameter values were invalid: "
USED = "Attempt to change a resource which is still in use: "
START = 1_800_000_000.0


def key(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": n, "KeyType": t} for n, t in zip(names, ("HASH", "RANGE"), strict=False)]


def defined(*pairs: str) -> list[dict[str, str]]:
    """Attribute definitions from ``name/TYPE`` pairs."""
    return [dict(zip(("AttributeName", "AttributeType"), pair.split("/"), strict=True)) for pair in pairs]


def units(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def create(name: str, *names: str, **more: Any) -> dict[str, Any]:
    projection = {"ProjectionType": "ALL"}
    return {"Create": {"IndexName": name, "KeySchema": key(*names), "Projection": projection, **more}}


def delete(name: str) -> dict[str, Any]:
    return {"Delete": {"IndexName": name}}


def change(name: str, **more: Any) -> dict[str, Any]:
    return {"Update": {"IndexName": name, **more}}


class Bench:
    """A service with one table, ``tab``, keyed by ``pk`` (S)."""

    def __init__(self, *, on_demand: bool = True, delays: Delays | None = None, limits: Limits | None = None) -> None:
        self.clock = ManualClock(START)
        self.service = Service(Account(self.clock, delays=delays, limits=limits))
        billing = (
            {"BillingMode": "PAY_PER_REQUEST"}
            if on_demand
            else {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 5)}
        )
        self.call("CreateTable", TableName="tab", KeySchema=key("pk"), AttributeDefinitions=defined("pk/S"), **billing)

    def call(self, operation: str, **body: Any) -> Any:
        answer = self.service.execute(Call(operation, body))
        assert isinstance(answer, Success), answer
        return answer.body

    def update(self, **body: Any) -> Any:
        return self.call("UpdateTable", TableName="tab", **body)["TableDescription"]

    def described(self) -> Any:
        return self.call("DescribeTable", TableName="tab")["Table"]

    def refused(self, operation: str = "UpdateTable", **body: Any) -> tuple[str, str | None]:
        answer = self.service.execute(Call(operation, {"TableName": "tab", **body}))
        assert isinstance(answer, Refusal), answer
        return answer.code, answer.message

    def message(self, **body: Any) -> str | None:
        code, message = self.refused(**body)
        assert code == "ValidationException"
        return message


NOTHING = (
    "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or "
    "SSESpecification or ReplicaUpdates is required"
)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"AttributeDefinitions": defined("pk/S")},
        {"GlobalSecondaryIndexUpdates": []},
        {"MultiRegionConsistency": "STRONG"},
    ],
)
def test_an_update_changes_something(body: dict[str, Any]) -> None:
    assert Bench().message(**body) == NOTHING


def test_a_missing_table() -> None:
    assert Bench().refused(TableName="none", BillingMode="PAY_PER_REQUEST") == (
        "ResourceNotFoundException",
        "Requested resource not found: Table: none not found",
    )


def test_new_units_show_when_the_update_is_done() -> None:
    bench = Bench(on_demand=False)
    told = bench.update(ProvisionedThroughput=units(10, 3))
    assert told["TableStatus"] == "UPDATING"
    assert told["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units(5, 5)}
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
    assert (told["TableStatus"], told["BillingModeSummary"]) == ("UPDATING", summary)
    assert told["ProvisionedThroughput"] == zeros
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


@pytest.mark.parametrize("more", [{}, {"BillingMode": "PAY_PER_REQUEST"}])
def test_on_demand_tables_have_no_units(more: dict[str, str]) -> None:
    assert Bench().message(ProvisionedThroughput=units(5, 5), **more) == (
        IPV + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
    )


def test_every_index_gets_units_with_its_table() -> None:
    bench = Bench()
    bench.update(AttributeDefinitions=defined("x/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    mode = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(1, 1)}
    assert bench.message(**mode) == IPV + "ProvisionedThroughput must be specified for index: gsi"
    told = bench.update(
        **mode, GlobalSecondaryIndexUpdates=[change("gsi", ProvisionedThroughput=units(2, 3))]
    )["GlobalSecondaryIndexes"]
    assert told[0]["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units(2, 3)}


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
        "seconds. Number of decreases today: 4. Last decrease at "
    )
    bench.clock.advance(3600)
    bench.update(ProvisionedThroughput=units(5, 5))
    assert bench.described()["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 5
    bench.clock.advance(86_400)
    assert bench.described()["ProvisionedThroughput"]["NumberOfDecreasesToday"] == 0


def test_the_fifth_switch_to_on_demand_in_a_day_waits() -> None:
    bench = Bench(on_demand=False)
    for _ in range(4):
        bench.update(BillingMode="PAY_PER_REQUEST")
        bench.update(BillingMode="PROVISIONED", ProvisionedThroughput=units(1, 1))
    assert bench.refused(BillingMode="PAY_PER_REQUEST")[0] == "LimitExceededException"
    bench.clock.advance(86_401)
    bench.update(BillingMode="PAY_PER_REQUEST")


def test_units_stay_within_quotas() -> None:
    bench = Bench(on_demand=False, limits=Limits(table_units=10, account_units=8))
    code, message = bench.refused(ProvisionedThroughput=units(11, 5))
    assert code == "LimitExceededException"
    assert "The requested ReadCapacityUnits, 11, is above the per table maximum" in (message or "")
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


def test_a_new_index_is_filled_from_the_items_that_fit() -> None:
    bench = Bench()
    for item in (
        {"pk": {"S": "fits"}, "x": {"N": "1"}},
        {"pk": {"S": "other type"}, "x": {"S": "1"}},
        {"pk": {"S": "without"}},
    ):
        bench.call("PutItem", TableName="tab", Item=item)
    told = bench.update(
        AttributeDefinitions=defined("pk/S", "x/N", "unused/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")]
    )
    assert told["TableStatus"] == "UPDATING"
    assert told["AttributeDefinitions"] == defined("pk/S", "x/N")
    (index,) = told["GlobalSecondaryIndexes"]
    assert (index["IndexStatus"], index["Backfilling"], index["ItemCount"]) == ("CREATING", False, 0)
    (index,) = bench.described()["GlobalSecondaryIndexes"]
    assert (index["IndexStatus"], index["ItemCount"], "Backfilling" in index) == ("ACTIVE", 1, False)


def test_the_phases_of_a_new_index() -> None:
    bench = Bench(delays=Delays(update_table=10, backfill=100))
    bench.call("PutItem", TableName="tab", Item={"pk": {"S": "a"}, "x": {"S": "1"}})
    bench.update(AttributeDefinitions=defined("x/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    assert bench.refused(GlobalSecondaryIndexUpdates=[delete("gsi")]) == (
        "ResourceInUseException",
        USED + "Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the "
        "index is active. Table: tab Index: gsi",
    )
    warmer = change("gsi", WarmThroughput={"ReadUnitsPerSecond": 12_001})
    assert bench.refused(GlobalSecondaryIndexUpdates=[warmer]) == (
        "ResourceInUseException",
        USED + "Index is being created but is not backfilling yet. Table: tab Index: gsi",
    )
    bench.clock.advance(10)
    told = bench.described()
    (index,) = told["GlobalSecondaryIndexes"]
    assert (told["TableStatus"], index["IndexStatus"], index["Backfilling"]) == ("ACTIVE", "CREATING", True)
    assert bench.refused(
        AttributeDefinitions=defined("y/S"), GlobalSecondaryIndexUpdates=[create("gsj", "y")]
    ) == (
        "LimitExceededException",
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
    )
    assert bench.refused("DeleteTable") == (
        "ResourceInUseException",
        USED + "Cannot delete table while indexes are being created, updated, or deleted.",
    )
    bench.call("PutItem", TableName="tab", Item={"pk": {"S": "b"}, "x": {"S": "2"}})
    bench.clock.advance(100)
    (index,) = bench.described()["GlobalSecondaryIndexes"]
    assert (index["IndexStatus"], index["ItemCount"]) == ("ACTIVE", 2)


def test_an_index_that_is_being_filled_may_be_deleted() -> None:
    bench = Bench(delays=Delays(update_table=10, backfill=100))
    bench.update(AttributeDefinitions=defined("x/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    bench.clock.advance(10)
    bench.update(GlobalSecondaryIndexUpdates=[delete("gsi")])
    bench.clock.advance(200)
    assert "GlobalSecondaryIndexes" not in bench.described()


def test_a_deleted_index_takes_its_definitions_along() -> None:
    bench = Bench()
    bench.update(AttributeDefinitions=defined("x/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    told = bench.update(GlobalSecondaryIndexUpdates=[delete("gsi")])
    assert told["GlobalSecondaryIndexes"][0]["IndexStatus"] == "DELETING"
    assert told["AttributeDefinitions"] == defined("pk/S")
    assert "GlobalSecondaryIndexes" not in bench.described()
    bench.update(AttributeDefinitions=defined("x/N"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    assert bench.described()["AttributeDefinitions"] == defined("pk/S", "x/N")


def test_redeclared_types() -> None:
    bench = Bench()
    told = bench.update(AttributeDefinitions=defined("pk/N", "x/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    assert told["AttributeDefinitions"] == defined("pk/S", "x/S")
    message = bench.message(
        AttributeDefinitions=defined("x/N"), GlobalSecondaryIndexUpdates=[create("gsj", "x")]
    )
    assert "Attributes cannot be redefined" in (message or "")


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
                IPV + "Some index key attributes are not defined in AttributeDefinitions. "
                "Keys: [x], AttributeDefinitions: []",
            ),
        ),
        (
            {
                "AttributeDefinitions": defined("x/S"),
                "GlobalSecondaryIndexUpdates": [create("abc", "x", ProvisionedThroughput=units(1, 1))],
            },
            (
                "ValidationException",
                IPV + "ProvisionedThroughput should not be specified for index: abc "
                "when BillingMode is PAY_PER_REQUEST",
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


def test_index_names_are_taken_once() -> None:
    bench = Bench()
    new = {"AttributeDefinitions": defined("x/S"), "GlobalSecondaryIndexUpdates": [create("gsi", "x")]}
    bench.update(**new)
    assert "already exists" in (bench.message(**new) or "")


def test_local_indexes_can_not_be_deleted() -> None:
    service = Service(Account(ManualClock(START)))
    local = {"IndexName": "lsi", "KeySchema": key("pk", "x"), "Projection": {"ProjectionType": "ALL"}}
    body = {
        "TableName": "tab",
        "KeySchema": key("pk", "sk"),
        "AttributeDefinitions": defined("pk/S", "sk/S", "x/S"),
        "BillingMode": "PAY_PER_REQUEST",
        "LocalSecondaryIndexes": [local],
    }
    service.execute(Call("CreateTable", body))
    answer = service.execute(
        Call("UpdateTable", {"TableName": "tab", "GlobalSecondaryIndexUpdates": [delete("lsi")]})
    )
    assert isinstance(answer, Refusal)
    assert answer.code == "ValidationException"


def test_units_of_an_index() -> None:
    bench = Bench(on_demand=False)
    bench.update(
        AttributeDefinitions=defined("x/S"),
        GlobalSecondaryIndexUpdates=[create("gsi", "x", ProvisionedThroughput=units(2, 2))],
    )
    told = bench.update(GlobalSecondaryIndexUpdates=[change("gsi", ProvisionedThroughput=units(3, 1))])
    (index,) = told["GlobalSecondaryIndexes"]
    assert (told["TableStatus"], index["IndexStatus"]) == ("ACTIVE", "UPDATING")
    assert index["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units(2, 2)}
    (index,) = bench.described()["GlobalSecondaryIndexes"]
    assert index["IndexStatus"] == "ACTIVE"
    assert index["ProvisionedThroughput"] == {
        "NumberOfDecreasesToday": 1,
        "LastIncreaseDateTime": START,
        "LastDecreaseDateTime": START,
        **units(3, 1),
    }
    same = bench.message(GlobalSecondaryIndexUpdates=[change("gsi", ProvisionedThroughput=units(3, 1))])
    assert "will not change. The requested value equals the current value." in (same or "")
    missing = bench.message(
        AttributeDefinitions=defined("y/S"), GlobalSecondaryIndexUpdates=[create("gsj", "y")]
    )
    assert missing == IPV + "ProvisionedThroughput must be specified for index: gsj"
    together = bench.message(
        ProvisionedThroughput=units(1, 1), GlobalSecondaryIndexUpdates=[delete("gsi")]
    )
    assert together == IPV + "You cannot create or delete index while updating table IOPS"


def test_maxima_and_warmth_of_an_index() -> None:
    bench = Bench()
    bench.update(AttributeDefinitions=defined("x/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    limits, warm = {"MaxReadRequestUnits": 5}, {"WriteUnitsPerSecond": 5_000}
    told = bench.update(
        GlobalSecondaryIndexUpdates=[change("gsi", OnDemandThroughput=limits, WarmThroughput=warm)]
    )["GlobalSecondaryIndexes"][0]
    assert told["OnDemandThroughput"] == limits
    warmer = {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 5_000}
    assert told["WarmThroughput"] == {**warmer, "Status": "UPDATING"}
    bench.update(GlobalSecondaryIndexUpdates=[change("gsi", OnDemandThroughput={"MaxReadRequestUnits": -1})])
    told = bench.described()["GlobalSecondaryIndexes"][0]
    assert "OnDemandThroughput" not in told
    assert told["WarmThroughput"] == {**warmer, "Status": "ACTIVE"}
    assert "Action Blocked: IndexUpdate" in (bench.message(GlobalSecondaryIndexUpdates=[change("gsi")]) or "")
    billed = change("gsi", ProvisionedThroughput=units(1, 1))
    assert bench.message(GlobalSecondaryIndexUpdates=[billed]) == (
        IPV + "ProvisionedThroughput should not be specified for index: gsi when BillingMode is PAY_PER_REQUEST"
    )
    fixed = Bench(on_demand=False)
    fixed.update(
        AttributeDefinitions=defined("x/S"),
        GlobalSecondaryIndexUpdates=[create("gsi", "x", ProvisionedThroughput=units(1, 1))],
    )
    limited = fixed.message(GlobalSecondaryIndexUpdates=[change("gsi", OnDemandThroughput=limits)])
    assert "MaxReadRequestUnits for OnDemandThroughput cannot be specified" in (limited or "")


def test_no_more_than_twenty_indexes() -> None:
    bench = Bench()
    for i in range(20):
        bench.update(AttributeDefinitions=defined("x/S"), GlobalSecondaryIndexUpdates=[create(f"gsi{i}", "x")])
    last = {"AttributeDefinitions": defined("x/S"), "GlobalSecondaryIndexUpdates": [create("one-more", "x")]}
    assert bench.message(**last) == IPV + "GlobalSecondaryIndex count exceeds the per-table limit of 20"


def test_some_changes_come_alone() -> None:
    bench = Bench()
    message = bench.message(TableClass="STANDARD_INFREQUENT_ACCESS", DeletionProtectionEnabled=True)
    assert message == IPV + "TableClass modification must be the only operation in the request"
    message = bench.message(WarmThroughput={"ReadUnitsPerSecond": 13_000}, BillingMode="PAY_PER_REQUEST")
    assert "must be the only operation in the request" in (message or "")


def test_a_key_of_ones_own() -> None:
    bench = Bench()
    arn = "arn:aws:kms:us-east-1:1:key/k"
    told = bench.update(SSESpecification={"Enabled": True, "KMSMasterKeyId": arn})
    described = {"SSEType": "KMS", "KMSMasterKeyArn": arn}
    assert (told["TableStatus"], told["SSEDescription"]) == ("ACTIVE", {"Status": "UPDATING", **described})
    assert bench.described()["SSEDescription"] == {"Status": "ENABLED", **described}
    again = bench.message(SSESpecification={"Enabled": True, "KMSMasterKeyId": arn})
    assert "Table is already encrypted with given KMSMasterKeyId" in (again or "")
    told = bench.update(SSESpecification={"Enabled": False})
    assert told["SSEDescription"] == {"Status": "UPDATING", **described}
    assert "SSEDescription" not in bench.described()


def test_keys_change_four_times_a_day() -> None:
    bench = Bench(delays=Delays(update_table=1))
    bench.update(SSESpecification={"Enabled": True})
    assert bench.refused(SSESpecification={"Enabled": False}) == (
        "ResourceInUseException",
        USED + "Server-Side Encryption is still being updated",
    )
    for enabled in (False, True, False):
        bench.clock.advance(1)
        bench.update(SSESpecification={"Enabled": enabled})
    bench.clock.advance(1)
    assert bench.refused(SSESpecification={"Enabled": True})[0] == "LimitExceededException"


def test_the_class_changes_twice_in_thirty_days() -> None:
    bench = Bench()
    told = bench.update(TableClass="STANDARD_INFREQUENT_ACCESS")
    assert told["TableStatus"] == "UPDATING"
    summary = {"TableClass": "STANDARD_INFREQUENT_ACCESS", "LastUpdateDateTime": START}
    assert bench.described()["TableClassSummary"] == summary
    bench.update(TableClass="STANDARD")
    assert bench.refused(TableClass="STANDARD_INFREQUENT_ACCESS") == (
        "LimitExceededException",
        "Subscriber limit exceeded: Updates to TableClass are limited to 2 times in 30 day(s).",
    )


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
    assert (told["TableStatus"], told["WarmThroughput"]) == ("ACTIVE", {**warm, "Status": "UPDATING"})
    assert bench.described()["WarmThroughput"] == {**warm, "Status": "ACTIVE"}
    assert bench.message(WarmThroughput={"ReadUnitsPerSecond": 12_999}) == (
        IPV + "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current WarmThroughput, "
        "decreasing WarmThroughput is not supported"
    )


def test_a_table_that_changes_takes_no_other_change() -> None:
    bench = Bench(delays=Delays(update_table=10))
    bench.update(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    code, message = bench.refused(BillingMode="PAY_PER_REQUEST")
    assert (code, message) == (
        "ResourceInUseException",
        USED + "A stream status change is currently in progress. Table: tab Stream: 2027-01-15T08:00:00.000 "
        "Operation: ENABLE",
    )
    assert bench.refused("DeleteTable") == (
        "ResourceInUseException",
        USED + "Cannot delete table while stream is being enabled/disabled.",
    )
    bench.clock.advance(10)
    bench.update(BillingMode="PAY_PER_REQUEST")
    assert bench.refused(BillingMode="PAY_PER_REQUEST") == (
        "ResourceInUseException",
        USED + "Table IOPS are currently being updated. Table: tab",
    )
    assert bench.refused("DeleteTable") == (
        "ResourceInUseException",
        USED + "Table: tab is in the process of being updated.",
    )
    assert bench.refused(DeletionProtectionEnabled=True) == (
        "ResourceInUseException",
        "Table needs to be in ACTIVE status to modify deletion protection setting.",
    )
    bench.clock.advance(10)
    bench.update(TableClass="STANDARD_INFREQUENT_ACCESS")
    assert bench.refused(BillingMode="PAY_PER_REQUEST") == (
        "ResourceInUseException",
        USED + "Table is being updated: tab",
    )


def test_a_table_that_comes_or_goes_can_not_be_changed() -> None:
    bench = Bench(delays=Delays(create_table=10, delete_table=10))
    assert bench.refused(BillingMode="PAY_PER_REQUEST") == (
        "ResourceInUseException",
        USED + "Table is being created: tab",
    )
    bench.clock.advance(10)
    bench.call("DeleteTable", TableName="tab")
    assert bench.refused(BillingMode="PAY_PER_REQUEST") == (
        "ResourceInUseException",
        USED + "Table is being deleted: tab",
    )


def test_replicas_need_another_region() -> None:
    assert Bench().refused(ReplicaUpdates=[{"Create": {"RegionName": "eu-west-1"}}])[0] == "ValidationException"


VECTOR = {
    "IndexName": "vix",
    "VectorAttribute": {"AttributeName": "v"},
    "Dimensions": 2,
    "DistanceFunction": "EUCLIDEAN",
    "Projection": {"ProjectionType": "ALL"},
}


def test_the_phases_of_a_vector_index() -> None:
    bench = Bench(delays=Delays(update_table=10, backfill=100))
    told = bench.update(VectorIndexUpdates=[{"Create": VECTOR}])
    (index,) = told["VectorIndexes"]
    assert (told["TableStatus"], index["IndexStatus"], index["Backfilling"]) == ("UPDATING", "CREATING", False)
    assert bench.refused(VectorIndexUpdates=[delete("vix")])[0] == "ResourceInUseException"
    bench.clock.advance(10)
    (index,) = bench.described()["VectorIndexes"]
    assert index["Backfilling"] is True
    new = {"AttributeDefinitions": defined("x/S"), "GlobalSecondaryIndexUpdates": [create("gsi", "x")]}
    assert bench.refused(**new)[0] == "LimitExceededException"
    bench.clock.advance(100)
    (index,) = bench.described()["VectorIndexes"]
    assert (index["IndexStatus"], "Backfilling" in index) == ("ACTIVE", False)
    assert "already exists" in (bench.message(VectorIndexUpdates=[{"Create": VECTOR}]) or "")
    clash = {**VECTOR, "IndexName": "viy", "Dimensions": 3}
    assert "Conflicting attribute definition for 'v'." in (bench.message(VectorIndexUpdates=[{"Create": clash}]) or "")
    assert bench.refused(VectorIndexUpdates=[delete("none")])[0] == "ResourceNotFoundException"
    bench.update(VectorIndexUpdates=[delete("vix")])
    bench.clock.advance(10)
    assert "VectorIndexes" not in bench.described()


def test_a_vector_index_brings_its_search_attributes() -> None:
    bench = Bench()
    schema = [{"AttributeName": "t", "SearchSchemaElementType": "HASH"}]
    new = {"Create": {**VECTOR, "SearchSchema": schema}}
    undefined = IPV + "One element in SearchSchema is not defined in attribute definitions"
    assert bench.message(VectorIndexUpdates=[new]) == undefined
    told = bench.update(AttributeDefinitions=defined("t/S"), VectorIndexUpdates=[new])
    assert told["AttributeDefinitions"] == defined("pk/S", "t/S")
    for item in (
        {"v": {"L": [{"N": "1"}, {"N": "2"}]}, "t": {"S": "a"}},
        {"v": {"L": [{"N": "1"}, {"N": "2"}]}},
        {"t": {"S": "a"}},
    ):
        pk = {"pk": {"S": str(len(bench.service.account.tables["tab"].view.rows))}}
        bench.call("PutItem", TableName="tab", Item={**pk, **item})
    (index,) = bench.described()["VectorIndexes"]
    assert (index["SearchSchema"], index["ItemCount"]) == (schema, 1)
    told = bench.update(VectorIndexUpdates=[delete("vix")])
    assert told["AttributeDefinitions"] == defined("pk/S")


def test_vector_indexes_are_for_on_demand_tables() -> None:
    message = Bench(on_demand=False).message(VectorIndexUpdates=[{"Create": VECTOR}])
    assert message == IPV + "Vector indexes are only supported for PAY_PER_REQUEST tables"


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
