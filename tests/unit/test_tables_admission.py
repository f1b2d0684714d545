"""Which changes of a table wait for another that is under way."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Delays
from tests.unit.update_bench import CLASS, IPV, START, STREAM, USED, Bench, units

WARM = {"ReadUnitsPerSecond": 13_000}
ENCRYPTED = {"Enabled": True}


def in_use(bench: Bench, **body: Any) -> str | None:
    code, message = bench.refused(**body)
    assert code == "ResourceInUseException"
    return message


def test_what_waits_for_a_stream() -> None:
    bench = Bench(delays=Delays(update_table=10))
    bench.update(StreamSpecification=STREAM)
    about = "Table: tab Stream: 2027-01-15T08:00:00.000 Operation: ENABLE"
    changing = USED + "A stream status change is currently in progress. " + about
    assert in_use(bench, StreamSpecification=STREAM) == changing
    assert in_use(bench, StreamSpecification={"StreamEnabled": False}) == changing
    assert in_use(bench, BillingMode="PROVISIONED", ProvisionedThroughput=units(5, 5)) == (
        USED + "Can't change table IOPS when stream status is being updated. " + about
    )
    assert in_use(bench, TableClass=CLASS) == (
        USED + "Can't update table class when stream status is being updated. " + about
    )
    assert in_use(bench, OnDemandThroughput={"MaxReadRequestUnits": 5}) == (
        USED + "OnDemandThroughput cannot be updated while stream status update is in progress"
    )
    assert bench.refused("DeleteTable") == (
        "ResourceInUseException",
        USED + "Cannot delete table while stream is being enabled/disabled.",
    )
    assert bench.update(BillingMode="PAY_PER_REQUEST")["TableStatus"] == "UPDATING"
    assert bench.update(DeletionProtectionEnabled=True)["TableStatus"] == "UPDATING"
    assert bench.update(SSESpecification=ENCRYPTED)["TableStatus"] == "ACTIVE"
    assert bench.described()["TableStatus"] == "UPDATING"
    assert bench.update(WarmThroughput=WARM)["TableStatus"] == "UPDATING"
    bench.clock.advance(10)
    assert bench.described()["TableStatus"] == "ACTIVE"


@pytest.mark.parametrize(
    "coming",
    [
        {"BillingMode": "PAY_PER_REQUEST"},
        {"ProvisionedThroughput": units(6, 6)},
        {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}},
        {"TableClass": CLASS},
    ],
)
def test_maxima_are_not_for_provisioned_billing_whatever_is_under_way(coming: dict[str, Any]) -> None:
    bench = Bench(on_demand=False, delays=Delays(update_table=10))
    bench.update(**coming)
    assert bench.refused(OnDemandThroughput={"MaxReadRequestUnits": 5}) == (
        "ValidationException",
        IPV
        + "MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED",
    )


def test_what_waits_for_a_class() -> None:
    bench = Bench(delays=Delays(update_table=10))
    bench.update(TableClass=CLASS)
    about = f"Table: tab TableClassUpdateInProgress: {CLASS}"
    for wanted in (CLASS, "STANDARD"):
        assert in_use(bench, TableClass=wanted) == (
            USED + "Can't update table class when a table class update is in progress. " + about
        )
    assert in_use(bench, StreamSpecification=STREAM) == (
        USED + "Can't change stream status when a table class update is in progress. " + about
    )
    assert in_use(bench, OnDemandThroughput={"MaxReadRequestUnits": 5}) == (
        USED + "OnDemandThroughput cannot be updated while TableClass update is in progress. "
        f"TableClassUpdateInProgress: {CLASS}"
    )
    in_use(bench, BillingMode="PROVISIONED", ProvisionedThroughput=units(5, 5))
    assert bench.refused("DeleteTable") == (
        "ResourceInUseException",
        USED + "Table: tab is in the process of being updated.",
    )
    assert bench.update(DeletionProtectionEnabled=True)["TableStatus"] == "UPDATING"
    bench.update(SSESpecification=ENCRYPTED)
    bench.update(WarmThroughput=WARM)
    bench.clock.advance(10)
    assert bench.described()["TableClassSummary"] == {"TableClass": CLASS, "LastUpdateDateTime": START + 10}


def test_what_waits_for_another_billing_mode() -> None:
    bench = Bench(delays=Delays(update_table=10))
    bench.update(BillingMode="PROVISIONED", ProvisionedThroughput=units(1, 1))
    assert in_use(bench, ProvisionedThroughput=units(2, 2)) == (
        USED + "Table IOPS are currently being updated. Table: tab"
    )
    assert in_use(bench, StreamSpecification=STREAM) == (
        USED + "Can't enable or disable stream while table IOPS are being updated. Table: tab"
    )
    assert in_use(bench, OnDemandThroughput={"MaxReadRequestUnits": 5}) == (
        USED + "OnDemandThroughput cannot be updated while BillingMode update is in progress"
    )
    assert bench.refused("DeleteTable") == (
        "ResourceInUseException",
        USED + "Table: tab is in the process of being updated.",
    )
    bench.update(WarmThroughput={"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 5_000})
    bench.update(DeletionProtectionEnabled=True)
    bench.clock.advance(10)
    bench.update(BillingMode="PAY_PER_REQUEST")
    assert in_use(bench, BillingMode="PAY_PER_REQUEST") == (USED + "Table IOPS are currently being updated. Table: tab")
    assert bench.message(OnDemandThroughput={"MaxReadRequestUnits": 5}) == (
        IPV + "MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED"
    )


def test_what_a_key_that_comes_keeps_waiting() -> None:
    bench = Bench(delays=Delays(update_table=10))
    bench.update(SSESpecification=ENCRYPTED)
    assert bench.update(DeletionProtectionEnabled=True)["TableStatus"] == "ACTIVE"
    bench.update(DeletionProtectionEnabled=False)
    assert bench.refused("DeleteTable") == (
        "ResourceInUseException",
        USED + "Table: tab is in the process of being updated.",
    )
    assert bench.update(StreamSpecification=STREAM)["TableStatus"] == "UPDATING"


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
