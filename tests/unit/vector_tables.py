"""A table with vector indexes, and the calls that tests of vectors make."""

from __future__ import annotations

from typing import Any

from reference.account import Account
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.service import Service

INVALID = "One or more parameter values were invalid. "
BAD_SEARCH_VECTOR = (
    "Search vector contains invalid values. All values in the search vector must be a 32-bit floating-point number "
    "attribute"
)
COMPARATOR = "Invalid SearchConditionExpression: Invalid comparator used in SearchConditionExpression"
FIXTURE = {"a": "1 0 0", "b": "0 1 0", "c": "-1 0 0", "d": "0.6 0.8 0"}


def vec(text: str) -> list[dict[str, str]]:
    return [{"N": number} for number in text.split()]


def index(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "IndexName": name,
        "VectorAttribute": {"AttributeName": "embedding"},
        "Dimensions": 3,
        "DistanceFunction": "COSINE",
        "Projection": {"ProjectionType": "ALL"},
        **changes,
    }


SCHEMA = index(
    "schema",
    SearchSchema=[
        {"AttributeName": "tenant", "SearchSchemaElementType": "HASH"},
        {"AttributeName": "category", "SearchSchemaElementType": "INLINE_FILTER"},
    ],
)


def table(*indexes: dict[str, Any], attributes: str = "pk", **changes: Any) -> dict[str, Any]:
    return {
        "TableName": "docs",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in attributes.split()],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        **({"VectorIndexes": list(indexes)} if indexes else {}),
        **changes,
    }


def made(*indexes: dict[str, Any], attributes: str = "pk", **account: Any) -> Service:
    service = Service(Account(ManualClock(), **account))
    ok(service, "CreateTable", **table(*indexes, attributes=attributes))
    return service


def ok(service: Service, operation: str, **body: Any) -> Any:
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Success), reply
    return reply.body


def refused(service: Service, operation: str, **body: Any) -> tuple[str, str | None]:
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Refusal), reply
    return reply.code, reply.message


def put(service: Service, pk: str, vector: str | None = None, **texts: str) -> None:
    item: dict[str, Any] = {"pk": {"S": pk}, **{name: {"S": text} for name, text in texts.items()}}
    if vector is not None:
        item["embedding"] = {"L": vec(vector)}
    ok(service, "PutItem", TableName="docs", Item=item)


def search(service: Service, name: str, vector: str = "1 0 0", top: int = 10, **body: Any) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = ok(
        service, "SearchVectors", TableName="docs", IndexName=name, SearchVector=vec(vector), TopK=top, **body
    )["SearchResults"]
    return results


def found(service: Service, name: str, vector: str = "1 0 0", **body: Any) -> list[str]:
    return [each["Item"]["pk"]["S"] for each in search(service, name, vector, **body)]


def refused_search(service: Service, name: str = "plain", vector: str = "1 0 0", **body: Any) -> str | None:
    request = {"TableName": "docs", "IndexName": name, "SearchVector": vec(vector), "TopK": 1, **body}
    code, message = refused(service, "SearchVectors", **request)
    assert code == "ValidationException"
    return message
