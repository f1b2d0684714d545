"""Tables for tests of data operations, and calls that say what they expect."""

from __future__ import annotations

from typing import Any

from reference.account import Account
from reference.api import Call, Item, Refusal, Success
from reference.clock import ManualClock
from reference.rules import Cohort
from reference.service import Service

MISMATCH = "The provided key element does not match the schema"
NOT_FOUND = "Requested resource not found"
INVALID = "One or more parameter values were invalid: "
NOT_VALID = "One or more parameter values are not valid. "
OPERATIONS = ("PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem")
ENVELOPE = "1 validation error detected: "


def keyed(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": n, "KeyType": t} for n, t in zip(names, ("HASH", "RANGE"), strict=False)]


def projecting(kind: str, *names: str) -> dict[str, Any]:
    return {"ProjectionType": kind, **({"NonKeyAttributes": list(names)} if names else {})}


def index(name: str, *keys: str, kind: str = "ALL", more: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"IndexName": name, "KeySchema": keyed(*keys), "Projection": projecting(kind, *more)}


def service(cohort: Cohort | None = None, **tables: dict[str, Any]) -> Service:
    """A service with tables: name=dict(types="pk:S sk:N", key=("pk", "sk"), gsi=[...], lsi=[...])."""
    cohorts = (
        dict.fromkeys(("PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan"), cohort) if cohort else {}
    )
    made = Service(Account(ManualClock()), cohorts)  # type: ignore[arg-type]
    for name, given in tables.items():
        types = [entry.split(":") for entry in given["types"].split()]
        body = {
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": n, "AttributeType": t} for n, t in types],
            "KeySchema": keyed(*given["key"]),
        }
        if "gsi" in given:
            body["GlobalSecondaryIndexes"] = given["gsi"]
        if "lsi" in given:
            body["LocalSecondaryIndexes"] = given["lsi"]
        ok(made, "CreateTable", **body)
    return made


def ok(made: Service, operation: str, **body: Any) -> Any:
    reply = made.execute(Call(operation, body))
    assert isinstance(reply, Success), reply
    return reply.body


def refused(made: Service, operation: str, **body: Any) -> str | None:
    """The message of a ValidationException that left everything as it was."""
    before = contents(made)
    reply = made.execute(Call(operation, body))
    assert isinstance(reply, Refusal), reply
    assert reply.code == "ValidationException", reply
    assert contents(made) == before
    return reply.message


def contents(made: Service) -> dict[str, list[Item]]:
    return {name: list(table.items()) for name, table in made.account.tables.items()}


def broken(made: Service, operation: str, **body: Any) -> list[str]:
    """The names of all rules a request breaks."""
    return [violation.rule.name for violation in made.outcomes(Call(operation, body)).violations]


def item(**values: Any) -> Item:
    """An item from plain values: text is S, numbers are N, bytes are not used, dicts stand as they are."""
    return {name: value if isinstance(value, dict) else plain(value) for name, value in values.items()}


def plain(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | float):
        return {"N": str(value)}
    if isinstance(value, list):
        return {"L": [plain(each) for each in value]}
    if value is None:
        return {"NULL": True}
    return {"S": value}
