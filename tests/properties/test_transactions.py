"""Whatever a transaction is made of: all or nothing, one reason per action, and a repeated token does nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.api import Call, Refusal, Success
from reference.service import Service

LOOP = settings(max_examples=100, deadline=None, derandomize=True)
KEYS = ("a", "b", "c", "d")


def fresh() -> Service:
    service = Service()
    table = {
        "TableName": "tab",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
    }
    assert isinstance(service.execute(Call("CreateTable", table)), Success)
    for key in ("a", "b"):
        item = {"k": {"S": key}, "n": {"N": "1"}}
        assert isinstance(service.execute(Call("PutItem", {"TableName": "tab", "Item": item})), Success)
    return service


def items(service: Service) -> dict[str, Any]:
    return {item["k"]["S"]: item for item in service.account.tables["tab"].items()}


conditions = st.sampled_from([None, "attribute_exists(k)", "attribute_not_exists(k)", "attribute_exists(n)"])
updates = st.sampled_from(["SET x = k", "REMOVE n", "SET y = n", "SET m.z = k"])
broken = st.sampled_from(["", "attribute_exists(", "n = :v"])


@st.composite
def actions(draw: st.DrawFn, key: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(["Put", "Update", "Delete", "ConditionCheck"]))
    lookup = {"k": {"N": "1"}} if draw(st.integers(0, 19)) == 0 else {"k": {"S": key}}
    request: dict[str, Any] = {"TableName": "tab"}
    request["Item" if kind == "Put" else "Key"] = lookup
    condition = draw(conditions)
    if draw(st.integers(0, 29)) == 0:
        condition = draw(broken)
    if kind == "ConditionCheck":
        condition = condition if condition is not None else "attribute_exists(k)"
    if condition is not None:
        request["ConditionExpression"] = condition
    if kind == "Update":
        request["UpdateExpression"] = draw(updates)
    return {kind: request}


@st.composite
def transactions(draw: st.DrawFn) -> list[dict[str, Any]]:
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True))
    return [draw(actions(key)) for key in keys]


def singly(service: Service, action: dict[str, Any]) -> Any:
    """The same action as a request of its own; a check changes nothing and is judged as a delete on a copy."""
    ((kind, request),) = action.items()
    if kind == "ConditionCheck":
        return service.fork().execute(Call("DeleteItem", request))
    return service.execute(Call(f"{kind}Item", request))


@LOOP
@given(transactions())
def test_all_or_nothing(wanted: list[dict[str, Any]]) -> None:
    service = fresh()
    before = items(service)
    alone = service.fork()
    replies = [singly(alone, action) for action in wanted]
    reply = service.execute(Call("TransactWriteItems", {"TransactItems": wanted}))
    if all(isinstance(each, Success) for each in replies):
        assert isinstance(reply, Success)
        assert items(service) == items(alone)
    else:
        assert isinstance(reply, Refusal)
        assert items(service) == before


@LOOP
@given(transactions())
def test_reasons_are_positional(wanted: list[dict[str, Any]]) -> None:
    service = fresh()
    replies = [singly(service.fork(), action) for action in wanted]
    reply = service.execute(Call("TransactWriteItems", {"TransactItems": wanted}))
    if not isinstance(reply, Refusal) or reply.code != "TransactionCanceledException":
        return
    reasons = reply.fields["CancellationReasons"]
    assert len(reasons) == len(wanted)
    for alone, reason in zip(replies, reasons, strict=True):
        if reason["Code"] == "None":
            assert reason == {"Code": "None"}
        else:
            assert isinstance(alone, Refusal)
            assert alone.code in ("ValidationException", "ConditionalCheckFailedException")
    assert reply.message == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        f"[{', '.join(reason['Code'] for reason in reasons)}]"
    )


@LOOP
@given(transactions(), transactions())
def test_a_repeated_token_does_nothing(wanted: list[dict[str, Any]], between: list[dict[str, Any]]) -> None:
    service = fresh()
    body = {"TransactItems": wanted, "ClientRequestToken": "t"}
    first = service.execute(Call("TransactWriteItems", body))
    service.execute(Call("TransactWriteItems", {"TransactItems": between}))
    settled = items(service)
    again = service.execute(Call("TransactWriteItems", {**body, "ReturnConsumedCapacity": "TOTAL"}))
    if isinstance(first, Success):
        assert isinstance(again, Success)
        assert items(service) == settled
        assert all("WriteCapacityUnits" not in entry for entry in again.body["ConsumedCapacity"])


@LOOP
@given(transactions())
def test_draining_changes_nothing_and_agrees(wanted: list[dict[str, Any]]) -> None:
    service = fresh()
    before = items(service)
    call = Call("TransactWriteItems", {"TransactItems": wanted})
    outcomes = service.outcomes(call)
    assert items(service) == before
    reply = service.execute(call)
    if isinstance(reply, Refusal):
        assert reply.rules[0] == outcomes.violations[0].rule.name
    else:
        assert outcomes.outcome is not None
        assert outcomes.violations == ()


junk = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.text("aS#:k", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["TransactItems", "Put", "Update", "Key", "Item", "TableName", "k", "S", "N", "UpdateExpression", "Get"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@LOOP
@given(st.sampled_from(["TransactWriteItems", "TransactGetItems"]), junk, junk)
def test_nothing_makes_draining_fail(operation: str, inner: Any, outer: Any) -> None:
    service = fresh()
    kind = "Get" if operation == "TransactGetItems" else "Put"
    for body in (outer, {"TransactItems": inner}, {"TransactItems": [{kind: inner}]}):
        service.outcomes(Call(operation, body))
    assert set(items(service)) == {"a", "b"}
