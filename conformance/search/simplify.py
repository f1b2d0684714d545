"""Simpler bodies for a request: fewer members, shorter lists, plainer values, shorter expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from conformance.oracle.compare import is_value
from reference.api import Json

KEEP = frozenset({"TableName", "Key", "Item", "RequestItems", "TransactItems", "Statement"})
"""Members that a request does not do without."""

EXPRESSIONS = (
    "ConditionExpression", "UpdateExpression", "FilterExpression", "KeyConditionExpression", "ProjectionExpression",
)  # fmt: skip
_PLAIN = {"S": "a", "N": "1", "B": "AQ=="}
_WORD = re.compile(r"[#:][A-Za-z0-9_]+")
_SECTION = re.compile(r"\s+(?=(?:SET|REMOVE|ADD|DELETE)\s)")


def simpler(body: Json, keys: frozenset[str] = frozenset()) -> Iterator[Json]:
    """Bodies that are one step simpler, the boldest first; ``keys`` are attributes that items keep."""
    if not isinstance(body, dict):
        return
    for name in body:
        if name not in KEEP and not name.startswith("ExpressionAttribute"):
            yield pruned(body, {k: v for k, v in body.items() if k != name})
    for name in EXPRESSIONS:
        if isinstance(body.get(name), str):
            for text in shorter(body[name], name):
                yield pruned(body, {**body, name: text})
    yield from _inside(body, keys)


def _inside(body: dict[str, Any], keys: frozenset[str]) -> Iterator[Json]:
    for name, value in body.items():
        if name in EXPRESSIONS or name in ("TableName", "IndexName", "ExpressionAttributeNames"):
            continue
        for smaller in reduced(value, name, keys):
            yield {**body, name: smaller}


def reduced(value: Json, member: str = "", keys: frozenset[str] = frozenset()) -> Iterator[Json]:
    """Smaller versions of a JSON value: members and elements dropped, then made plainer.

    A ``Key`` keeps its members and an ``Item`` its key attributes: without them a request breaks further rules.
    """
    if is_value(value):
        yield from plainer(value)
    elif isinstance(value, dict):
        for name in value if member != "Key" else ():
            if member == "Item" and name in keys:
                continue
            yield {k: v for k, v in value.items() if k != name}
        for name, inner in value.items():
            for smaller in reduced(inner, name, keys):
                yield {**value, name: smaller}
    elif isinstance(value, list):
        for position in range(len(value)):
            yield value[:position] + value[position + 1 :]
        for position, inner in enumerate(value):
            for smaller in reduced(inner, member, keys):
                yield [*value[:position], smaller, *value[position + 1 :]]


def plainer(value: dict[str, Any]) -> Iterator[Json]:
    """Plainer versions of one attribute value, of the same type where that makes sense."""
    ((kind, content),) = value.items()
    if kind in _PLAIN:
        if content != _PLAIN[kind] and content != "":
            yield {kind: _PLAIN[kind]}
    elif isinstance(content, dict | list) and kind in ("L", "M", "SS", "NS", "BS"):
        if kind in ("L", "M"):
            yield {"S": "a"}
        smaller_ones = _fewer(content) if kind in ("SS", "NS", "BS") and isinstance(content, list) else reduced(content)
        for smaller in smaller_ones:
            yield {kind: smaller}


def _fewer(members: list[Any]) -> Iterator[list[Any]]:
    if len(members) > 1:
        for position in range(len(members)):
            yield members[:position] + members[position + 1 :]


def shorter(text: str, kind: str) -> Iterator[str]:
    """Expressions with one part left out."""
    if kind == "UpdateExpression":
        sections = _SECTION.split(text)
        for position in range(len(sections)):
            if len(sections) > 1:
                yield " ".join(sections[:position] + sections[position + 1 :])
        for position, section in enumerate(sections):
            head, _, actions = section.partition(" ")
            for rest in _without_one(actions):
                yield " ".join([*sections[:position], f"{head} {rest}", *sections[position + 1 :]])
        return
    if kind == "ProjectionExpression":
        yield from _without_one(text)
        return
    for joint in (" AND ", " OR "):
        parts = text.split(joint)
        for position in range(len(parts)):
            if len(parts) > 1:
                yield joint.join(parts[:position] + parts[position + 1 :])
    if text.startswith("NOT "):
        yield text[4:]
    if text.startswith("(") and text.endswith(")"):
        yield text[1:-1]


def _without_one(listed: str) -> Iterator[str]:
    """A comma list without one element; commas inside parentheses do not separate."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(listed):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(listed[start:position].strip())
            start = position + 1
    parts.append(listed[start:].strip())
    if len(parts) > 1:
        for position in range(len(parts)):
            yield ", ".join(parts[:position] + parts[position + 1 :])


def pruned(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The new body without placeholders that the old one used and the new one no longer does."""
    old, new = _mentioned(before), _mentioned(after)
    result = dict(after)
    for member in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        held = after.get(member)
        if isinstance(held, dict):
            left = {name: value for name, value in held.items() if name in new or name not in old}
            if left:
                result[member] = left
            else:
                result.pop(member)
    return result


def _mentioned(body: dict[str, Any]) -> set[str]:
    return {word for name in EXPRESSIONS if isinstance(body.get(name), str) for word in _WORD.findall(body[name])}
