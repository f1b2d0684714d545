"""Requests with expressions, for tests: what is refused, in order, and in which words."""

from __future__ import annotations

from typing import Any

from reference.expressions.request import read
from reference.rules import every, surface

KINDS = {
    "PutItem": ("Condition",),
    "DeleteItem": ("Condition",),
    "UpdateItem": ("Update", "Condition"),
    "GetItem": ("Projection",),
    "Query": ("KeyCondition", "Filter", "Projection"),
    "Scan": ("Filter", "Projection"),
    "TransactWriteItems": ("Update", "Condition"),
}
E = "1 validation error detected: "
C = E + "Invalid ConditionExpression: "
U = E + "Invalid UpdateExpression: "
P = "Invalid ProjectionExpression: "
K = "Invalid KeyConditionExpression: "


def refusals(operation: str, **request: Any) -> list[tuple[str, str | None]]:
    """Rule and text of all violations of a request, in order."""
    speak = surface(operation)
    found, expressions = every(read(operation, request, KINDS[operation], speak.values))
    assert (expressions is None) or not found
    return [(v.rule.name, v.message(speak)) for v in found]


def short(request: dict[str, Any]) -> dict[str, Any]:
    """A request written with one-letter members."""
    long = {
        "U": "UpdateExpression",
        "C": "ConditionExpression",
        "K": "KeyConditionExpression",
        "F": "FilterExpression",
        "P": "ProjectionExpression",
        "N": "ExpressionAttributeNames",
        "V": "ExpressionAttributeValues",
    }
    return {long.get(member, member): value for member, value in request.items()}


S, N1, N2, BOOL = {"S": "a"}, {"N": "1"}, {"N": "2"}, {"BOOL": True}
L = {"L": [S]}
