"""Tables, rows and ways to run statements, for the tests of PartiQL."""

from __future__ import annotations

from typing import Any

from reference.account import Account
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.service import Service

NWF = "Statement wasn't well formed, can't be processed: "
NEST = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
UNCONVERTIBLE = "The parameter cannot be converted to a numeric value"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
KEYS = "Where clause does not contain a mandatory equality on all key attributes"
INVALID = "One or more parameter values were invalid: "
MULTI = "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys."
BATCH_KEY = "Select statements within BatchExecuteStatement must specify the primary key in the where clause."


def definitions(names: str, kind: str = "S") -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kind} for name in names.split()]


def keys(names: str) -> list[dict[str, str]]:
    return [{"AttributeName": n, "KeyType": t} for n, t in zip(names.split(), ("HASH", "RANGE"), strict=False)]


def table(name: str, key: str, kind: str = "S", extra: str = "", **more: Any) -> dict[str, Any]:
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": definitions(f"{key} {extra}", kind),
        "KeySchema": keys(key),
        **more,
    }


def index(name: str, key: str, kind: str = "ALL", *include: str) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": kind}
    if include:
        projection["NonKeyAttributes"] = list(include)
    return {"IndexName": name, "KeySchema": keys(key), "Projection": projection}


INDEXED = table(
    "indexed",
    "pk sk",
    extra="gsiPk gsiPk2 lsiSk lsiSk2 lsiSk3",
    GlobalSecondaryIndexes=[
        index("gsi-all", "gsiPk"),
        index("gsi-inc", "gsiPk2", "INCLUDE", "projattr"),
        index("gsi-keys", "gsiPk2", "KEYS_ONLY"),
    ],
    LocalSecondaryIndexes=[
        index("lsi-all", "pk lsiSk"),
        index("lsi-keys", "pk lsiSk2", "KEYS_ONLY"),
        index("lsi-inc", "pk lsiSk3", "INCLUDE", "projattr"),
    ],
)
MANY = table("many", "id", extra="h1 h2 r1")
MANY["GlobalSecondaryIndexes"] = [
    {
        "IndexName": "gsi",
        "KeySchema": [
            {"AttributeName": "h1", "KeyType": "HASH"},
            {"AttributeName": "h2", "KeyType": "HASH"},
            {"AttributeName": "r1", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "ALL"},
    }
]


def row(number: int, **more: str) -> dict[str, Any]:
    plain = {"pk": "p", "sk": f"s{number}", "projattr": f"proj{number}", "nonproj": f"np{number}", **more}
    return {name: {"S": value} for name, value in plain.items()}


INDEXED_ROWS = [
    row(1, gsiPk="x", gsiPk2="y", lsiSk="l1", lsiSk2="k1", lsiSk3="m1"),
    row(2, gsiPk="z", gsiPk2="y", lsiSk="l2", lsiSk2="k2", lsiSk3="m2"),
    {"pk": {"S": "p"}, "sk": {"S": "s3"}, "nonproj": {"S": "np3"}},
    row(4, gsiPk="x", gsiPk2="y", lsiSk="l4", lsiSk2="k4", lsiSk3="m4"),
    {**row(5, gsiPk2="y2"), "pk": {"S": "q"}},
]


def fresh() -> Service:
    """A service with the tables of these tests, empty."""
    made = Service(Account(ManualClock()))
    for each in (table("hash", "pk"), table("number", "pk", "N"), table("composite", "pk sk"), INDEXED, MANY):
        reply = made.execute(Call("CreateTable", each))
        assert isinstance(reply, Success), reply
    return made


def with_rows() -> Service:
    """The same with rows in the indexed table."""
    made = fresh()
    for item in INDEXED_ROWS:
        put(made, "indexed", item)
    return made


def ok(service: Service, operation: str, **body: Any) -> Any:
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Success), reply
    return reply.body


def run(service: Service, statement: str, *parameters: Any, **more: Any) -> Any:
    if parameters:
        more["Parameters"] = list(parameters)
    return ok(service, "ExecuteStatement", Statement=statement, **more)


def items(service: Service, statement: str, *parameters: Any, **more: Any) -> list[Any]:
    found: list[Any] = run(service, statement, *parameters, **more)["Items"]
    return found


def state(service: Service) -> dict[str, list[Any]]:
    return {name: list(each.items()) for name, each in service.account.tables.items()}


def refused(service: Service, operation: str, **body: Any) -> Refusal:
    before = state(service)
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Refusal), reply
    assert state(service) == before
    return reply


def refuse(service: Service, statement: str, *parameters: Any, **more: Any) -> str | None:
    if parameters:
        more["Parameters"] = list(parameters)
    refusal = refused(service, "ExecuteStatement", Statement=statement, **more)
    assert refusal.code == "ValidationException"
    return refusal.message


def put(service: Service, name: str, item: Any) -> None:
    ok(service, "PutItem", TableName=name, Item=item)


def get(service: Service, pk: str) -> Any:
    return ok(service, "GetItem", TableName="hash", Key={"pk": {"S": pk}}).get("Item")


def deep(wraps: int, leaf: Any = None) -> Any:
    value: Any = leaf or {"S": "leaf"}
    for _ in range(wraps):
        value = {"M": {"n": value}}
    return value


def at(statement: str, token: str, start: int = 0) -> str:
    return f"1:{statement.index(token, start) + 1}:{len(token)}"
