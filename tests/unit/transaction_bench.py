"""A service with two tables, and how tests send transactions to it and read what they were refused for."""

from __future__ import annotations

from typing import Any

from reference.account import Account
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.service import Service

EMPTY_KEY = (
    "One or more parameter values are not valid. "
    "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"
)
MISMATCH = "The provided key element does not match the schema"
CANCELLED = "Transaction cancelled, please refer cancellation reasons for specific reasons"


def strings(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


def key_schema(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": n, "KeyType": t} for n, t in zip(names, ("HASH", "RANGE"), strict=False)]


HASH = {
    "TableName": "hash",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": strings("pk"),
    "KeySchema": key_schema("pk"),
}
COMPOSITE = {
    "TableName": "composite",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": strings("pk", "sk", "lsi1sk"),
    "KeySchema": key_schema("pk", "sk"),
    "GlobalSecondaryIndexes": [
        {"IndexName": "gsi1", "KeySchema": key_schema("lsi1sk"), "Projection": {"ProjectionType": "ALL"}}
    ],
    "LocalSecondaryIndexes": [
        {"IndexName": "lsi1", "KeySchema": key_schema("pk", "lsi1sk"), "Projection": {"ProjectionType": "ALL"}}
    ],
}


def tables(clock: ManualClock) -> Service:
    """A service with the tables ``hash`` and ``composite``."""
    made = Service(Account(clock))
    for table in (HASH, COMPOSITE):
        assert isinstance(made.execute(Call("CreateTable", table)), Success)
    return made


def ok(service: Service, operation: str, **body: Any) -> Any:
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Success), reply
    return reply.body


def refused(service: Service, operation: str, **body: Any) -> Refusal:
    before = state(service)
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Refusal), reply
    assert state(service) == before
    return reply


def state(service: Service) -> dict[str, list[Any]]:
    return {name: list(table.items()) for name, table in service.account.tables.items()}


def get(service: Service, pk: str) -> Any:
    return ok(service, "GetItem", TableName="hash", Key={"pk": {"S": pk}}).get("Item")


def put(pk: str, table: str = "hash", **more: Any) -> dict[str, Any]:
    item = {"pk": {"S": pk}, **{name: value for name, value in more.items() if name.islower()}}
    return {"Put": {"TableName": table, "Item": item, **{n: v for n, v in more.items() if not n.islower()}}}


def on(kind: str, pk: Any, table: str = "hash", **more: Any) -> dict[str, Any]:
    key = {"pk": {"S": pk}} if isinstance(pk, str) else pk
    return {kind: {"TableName": table, "Key": key, **more}}


def check(pk: Any, condition: str = "attribute_not_exists(pk)", **more: Any) -> dict[str, Any]:
    return on("ConditionCheck", pk, ConditionExpression=condition, **more)


def write(service: Service, *actions: Any, **more: Any) -> Any:
    return ok(service, "TransactWriteItems", TransactItems=list(actions), **more)


def refuse(service: Service, *actions: Any, **more: Any) -> Refusal:
    return refused(service, "TransactWriteItems", TransactItems=list(actions), **more)


def reasons(refusal: Refusal) -> list[Any]:
    assert refusal.code == "TransactionCanceledException"
    found: list[Any] = refusal.fields["CancellationReasons"]
    assert refusal.message == f"{CANCELLED} [{', '.join(reason['Code'] for reason in found)}]"
    return found


def deep(wraps: int) -> Any:
    value: Any = {"S": "leaf"}
    for _ in range(wraps):
        value = {"M": {"n": value}}
    return value
