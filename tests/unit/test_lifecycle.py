"""What is due about a table that has gone never touches its namesake, nor fails."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Account, Delays
from reference.agenda import Event
from reference.api import Call, Success
from reference.clock import ManualClock
from reference.lifecycle import HANDLERS
from reference.service import Service

TABLE: dict[str, Any] = {
    "TableName": "tab",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "g", "AttributeType": "S"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "gsi",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}


def call(service: Service, operation: str, **body: Any) -> Any:
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Success), reply
    return reply.body


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def service(clock: ManualClock) -> Service:
    made = Service(Account(clock))
    call(made, "CreateTable", **TABLE)
    return made


@pytest.mark.parametrize("index", ["gsi", ""])
@pytest.mark.parametrize("what", HANDLERS)
def test_events_are_for_one_table_only(service: Service, what: str, index: str) -> None:
    before = call(service, "DescribeTable", TableName="tab")
    for name in ("tab", "gone"):
        HANDLERS[what](service.account, Event(0.0, 1, what, (name, "another-id", index, "7", "7")))
    assert call(service, "DescribeTable", TableName="tab") == before


@pytest.mark.parametrize("what", ["units", "index-allocated", "index-active", "index-gone"])
def test_events_about_an_index_that_has_gone_do_nothing(service: Service, what: str) -> None:
    before = call(service, "DescribeTable", TableName="tab")
    table = service.account.tables["tab"]
    HANDLERS[what](service.account, Event(0.0, 1, what, ("tab", table.id, "no-such-index", "7", "7")))
    assert call(service, "DescribeTable", TableName="tab") == before


def test_a_new_table_is_not_ready_sooner_for_its_namesakes_sake(clock: ManualClock) -> None:
    service = Service(Account(clock, delays=Delays(create_table=10.0, delete_table=1.0)))
    call(service, "CreateTable", **TABLE)
    clock.advance(10)
    assert call(service, "DescribeTable", TableName="tab")["Table"]["TableStatus"] == "ACTIVE"
    call(service, "DeleteTable", TableName="tab")
    clock.advance(1)
    call(service, "CreateTable", **TABLE)
    clock.advance(9)
    assert call(service, "DescribeTable", TableName="tab")["Table"]["TableStatus"] == "CREATING"
    clock.advance(1)
    assert call(service, "DescribeTable", TableName="tab")["Table"]["TableStatus"] == "ACTIVE"
