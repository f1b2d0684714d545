"""Requests for tables, and how tests send them."""

from __future__ import annotations

from typing import Any

from reference.api import Call, Refusal, Success
from reference.service import Service

IPV = "One or more parameter values were invalid: "
START = 1_800_000_000.0


def key(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": n, "KeyType": t} for n, t in zip(names, ("HASH", "RANGE"), strict=False)]


def elements(*pairs: str) -> list[dict[str, str]]:
    """Key schema elements from ``name/KIND`` pairs."""
    return [dict(zip(("AttributeName", "KeyType"), pair.split("/"), strict=True)) for pair in pairs]


def defined(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


def units(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def index(name: str, *names: str, **more: Any) -> dict[str, Any]:
    return {"IndexName": name, "KeySchema": key(*names), "Projection": {"ProjectionType": "ALL"}, **more}


def vector(name: str, dimensions: int = 3, attribute: str = "v", **more: Any) -> dict[str, Any]:
    return {
        "IndexName": name,
        "VectorAttribute": {"AttributeName": attribute},
        "Dimensions": dimensions,
        "DistanceFunction": "COSINE",
        "Projection": {"ProjectionType": "ALL"},
        **more,
    }


PLAIN = {
    "TableName": "tab",
    "KeySchema": key("id"),
    "AttributeDefinitions": defined("id"),
    "BillingMode": "PAY_PER_REQUEST",
}
SORTED = {**PLAIN, "KeySchema": key("a", "b"), "AttributeDefinitions": defined("a", "b", "c")}


def reply(service: Service, operation: str, **body: Any) -> Any:
    answer = service.execute(Call(operation, body))
    assert isinstance(answer, Success), answer
    return answer.body


def refusal(service: Service, operation: str, **body: Any) -> tuple[str, str | None]:
    answer = service.execute(Call(operation, body))
    assert isinstance(answer, Refusal), answer
    return answer.code, answer.message
