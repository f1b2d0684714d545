"""Requests below the SDK: broken JSON, odd headers, wrong JSON types at any place of a valid body."""

from __future__ import annotations

import json
from typing import Any

from conformance.strategies.draws import Draw, chance, number, pick

Raw = dict[str, Any]
CONTENT_TYPES = (
    "application/x-amz-json-1.0",
    "application/x-amz-json-1.1",
    "application/json",
    "text/plain",
    "application/json; charset=utf-8",
)
TARGETS = (
    "DynamoDB_20120810.PutItems",
    "PutItem",
    "DynamoDB_20120810",
    "DynamoDB_20120810.",
    "",
    "Nonsense_20120810.PutItem",
)
BODIES = (
    "",
    "{",
    "[]",
    "null",
    '"text"',
    "{}",
    "{} ",
    "{}x",
    "{'a': 1}",
    '{"TableName"}',
    "true",
    "1",
    "{,}",
)
WRONG: tuple[Any, ...] = (None, True, 1, 1.5, "text", [], {}, [1], {"a": 1}, [[]], {"S": 1}, -1, "")


def raw(draw: Draw, body: Any) -> Raw:
    """How the HTTP request of a call differs from an ordinary one."""
    kind = pick(draw, ("truncated", "body", "content-type", "target"))
    if kind == "truncated":
        text = json.dumps(body)
        return {"body": text[: number(draw, 0, len(text) - 1)]}
    if kind == "body":
        return {"body": pick(draw, BODIES)}
    if kind == "content-type":
        return {"headers": [["Content-Type", pick(draw, CONTENT_TYPES)]]}
    return {"headers": [["X-Amz-Target", pick(draw, TARGETS)]]}


def mistyped(draw: Draw, body: Any) -> Any:
    """The body with one value somewhere replaced by one of another JSON type, or a member nobody knows."""
    if isinstance(body, dict) and body and not chance(draw, 25):
        name = pick(draw, list(body))
        return {**body, name: mistyped(draw, body[name])}
    if isinstance(body, list) and body and not chance(draw, 25):
        position = number(draw, 0, len(body) - 1)
        return [*body[:position], mistyped(draw, body[position]), *body[position + 1 :]]
    if isinstance(body, dict) and chance(draw, 20):
        return {**body, "Unknown": pick(draw, WRONG)}
    return pick(draw, WRONG)
