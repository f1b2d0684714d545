"""Transactions under way: what meets their items meanwhile is refused, and what only reads is not."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Account
from reference.api import Call, Refusal, Reply, Success
from reference.clock import ManualClock
from reference.knobs import Knobs
from reference.operations.overlaps import overlapping
from reference.service import Service
from reference.serving import Served

ONGOING = "Transaction is ongoing for the item"
CANCELLED = "Transaction cancelled, please refer cancellation reasons for specific reasons "
TABLE = {
    "TableName": "tab",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def service(clock: ManualClock) -> Service:
    account = Account(clock)
    overlapping(account, 0.5)
    made = Service(account)
    assert isinstance(made.execute(Call("CreateTable", TABLE)), Success)
    return made


def put(key: str) -> dict[str, Any]:
    return {"Put": {"TableName": "tab", "Item": {"pk": {"S": key}}}}


def check(key: str) -> dict[str, Any]:
    condition = {"ConditionExpression": "attribute_not_exists(nothing)"}
    return {"ConditionCheck": {"TableName": "tab", "Key": {"pk": {"S": key}}, **condition}}


def transact(service: Service, *actions: dict[str, Any], **members: Any) -> Reply:
    return service.execute(Call("TransactWriteItems", {"TransactItems": list(actions), **members}))


def conflict(*busy: bool) -> Refusal:
    reasons = [{"Code": "TransactionConflict", "Message": ONGOING} if each else {"Code": "None"} for each in busy]
    codes = ", ".join(reason["Code"] for reason in reasons)
    return Refusal(
        "TransactionCanceledException", f"{CANCELLED}[{codes}]", 400, {"CancellationReasons": reasons},
        ("transactions.ongoing",),
    )  # fmt: skip


def same(reply: Reply, wanted: Refusal) -> bool:
    return isinstance(reply, Refusal) and (reply.code, reply.message, dict(reply.fields)) == (
        wanted.code, wanted.message, dict(wanted.fields),
    )  # fmt: skip


def test_of_two_transactions_that_meet_one_commits(service: Service, clock: ManualClock) -> None:
    assert isinstance(transact(service, put("a"), put("b")), Success)
    clock.advance(0.4)
    assert same(transact(service, put("c"), put("b")), conflict(False, True))
    assert service.execute(Call("GetItem", {"TableName": "tab", "Key": {"pk": {"S": "c"}}})) == Success({})
    clock.advance(0.1)
    assert isinstance(transact(service, put("c"), put("b")), Success)


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a"), ("b", "c")])
def test_any_item_in_common_is_a_conflict(service: Service, order: tuple[str, str]) -> None:
    assert isinstance(transact(service, put("a"), put("b")), Success)
    busy = [key in "ab" for key in order]
    assert same(transact(service, *map(put, order)), conflict(*busy))


def test_items_that_are_only_checked_are_under_way_too(service: Service) -> None:
    assert isinstance(transact(service, put("a"), check("b")), Success)
    assert same(transact(service, check("b")), conflict(True))


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("PutItem", {"Item": {"pk": {"S": "a"}, "v": {"S": "x"}}}),
        ("UpdateItem", {"Key": {"pk": {"S": "a"}}, "UpdateExpression": "REMOVE v"}),
        ("DeleteItem", {"Key": {"pk": {"S": "a"}}}),
    ],
)
def test_single_writes(service: Service, clock: ManualClock, operation: str, body: dict[str, Any]) -> None:
    transact(service, put("a"))
    reply = service.execute(Call(operation, {"TableName": "tab", **body}))
    assert isinstance(reply, Refusal)
    assert (reply.code, reply.message, reply.rules) == (
        "TransactionConflictException", ONGOING, ("transactions.ongoing",),
    )  # fmt: skip
    clock.advance(0.5)
    assert isinstance(service.execute(Call(operation, {"TableName": "tab", **body})), Success)


def test_reads_never_conflict_but_in_transactions(service: Service) -> None:
    transact(service, put("a"))
    key = {"TableName": "tab", "Key": {"pk": {"S": "a"}}}
    assert service.execute(Call("GetItem", key)) == Success({"Item": {"pk": {"S": "a"}}})
    assert isinstance(service.execute(Call("Scan", {"TableName": "tab"})), Success)
    reading = Call("TransactGetItems", {"TransactItems": [{"Get": key}]})
    assert same(service.execute(reading), conflict(True))
    other = {"TableName": "tab", "Key": {"pk": {"S": "z"}}}
    assert isinstance(service.execute(Call("TransactGetItems", {"TransactItems": [{"Get": other}]})), Success)


def test_a_repeat_with_its_token_meets_nobody(service: Service) -> None:
    assert isinstance(transact(service, put("a"), ClientRequestToken="t"), Success)
    assert isinstance(transact(service, put("a"), ClientRequestToken="t"), Success)


def test_a_transaction_that_is_refused_is_not_under_way(service: Service) -> None:
    transact(service, put("a"))
    assert same(transact(service, put("a"), put("b")), conflict(True, False))
    assert isinstance(transact(service, put("b")), Success)


def test_a_fork_goes_its_own_way(service: Service) -> None:
    transact(service, put("a"))
    other = service.fork()
    assert same(transact(other, put("a")), conflict(True))
    assert isinstance(transact(other, put("b")), Success)
    assert isinstance(transact(service, put("b")), Success)


def test_nothing_overlaps_unless_it_is_served_so(clock: ManualClock) -> None:
    for seconds, refused in ((0.0, False), (1.0, True)):
        service = Served(Knobs(transaction_seconds=seconds), clock).service
        service.execute(Call("CreateTable", TABLE))
        body = {"TransactItems": [put("a")]}
        service.execute(Call("TransactWriteItems", body))
        assert isinstance(service.execute(Call("TransactWriteItems", body)), Refusal) is refused
