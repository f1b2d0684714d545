"""How messages echo a value: Java's ``toString`` for most, JSON for BatchGetItem (dataplane:DRIFT-5)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from reference.api import Json
from reference.requests.model import Shape, lower_first

_LONGEST = 8_192
_DEEPEST = 24
_VALUE_FIELDS = (
    ("s", "S"), ("n", "N"), ("b", "B"), ("iNT", ""), ("dECIMAL", ""), ("dOUBLE", ""), ("sS", "SS"), ("nS", "NS"),
    ("bS", "BS"), ("iNTSET", ""), ("dECIMALSET", ""), ("dOUBLESET", ""), ("m", "M"), ("l", "L"), ("nULL", "NULL"),
    ("bOOL", "BOOL"),
)  # fmt: skip
"""The members of an attribute value as the service's own class prints them, its unpublished ones included."""


def echo(shape: Shape, value: Json, *, as_json: bool = False) -> str:
    """The value as a message quotes it. Collections are cut after some thousand characters, strings never."""
    if isinstance(value, str):
        return value
    parts: list[str] = []
    length = 0
    for part in _json(value, _DEEPEST) if as_json else _java(shape, value, _DEEPEST):
        parts.append(part)
        length += len(part)
        if length > _LONGEST:
            break
    text = "".join(parts)
    return text if length <= _LONGEST else text[:_LONGEST] + "..." + {"[": "]", "{": "}"}.get(text[0], "")


def _java(shape: Shape, value: Json, deeper: int) -> Iterator[str]:
    if value is None or not deeper:
        yield "null" if value is None else "..."
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif not isinstance(value, dict | list):
        yield str(value)
    elif shape.kind == "value":
        yield from _java_value(value, deeper)
    elif isinstance(value, list):
        yield "["
        for position, inner in enumerate(value):
            yield ", " if position else ""
            yield from _java(shape.element or shape, inner, deeper - 1)
        yield "]"
    elif shape.kind == "structure":
        yield f"{shape.name}("
        for position, (name, member) in enumerate(shape.members.items()):
            yield f"{', ' if position else ''}{lower_first(name)}="
            yield from _java(member, value.get(name), deeper - 1)
        yield ")"
    else:
        yield from _java_map(shape, value, deeper)


def _java_map(shape: Shape, value: dict[str, Json], deeper: int) -> Iterator[str]:
    yield "{"
    for position, (key, inner) in enumerate(value.items()):
        yield f"{', ' if position else ''}{key}="
        yield from _java(shape.element or shape, inner, deeper - 1)
    yield "}"


def _java_value(value: Json, deeper: int) -> Iterator[str]:
    yield "AttributeValue("
    for position, (field, tag) in enumerate(_VALUE_FIELDS):
        yield f"{', ' if position else ''}{field}="
        inner = value.get(tag) if isinstance(value, dict) else None
        yield from _java(_WRAPPED.get(tag, _PLAIN), inner, deeper - 1)
    yield ")"


_PLAIN = Shape("String", "string")
_WRAPPED = {
    "M": Shape("MapAttributeValue", "map", element=Shape("AttributeValue", "value")),
    "L": Shape("ListAttributeValue", "list", element=Shape("AttributeValue", "value")),
}


def _json(value: Json, deeper: int) -> Iterator[str]:
    if not isinstance(value, dict | list):
        yield json.dumps(value, ensure_ascii=False)
    elif not deeper:
        yield "..."
    elif isinstance(value, list):
        yield "["
        for position, inner in enumerate(value):
            yield "," if position else ""
            yield from _json(inner, deeper - 1)
        yield "]"
    else:
        yield "{"
        for position, (key, inner) in enumerate(value.items()):
            yield f"{',' if position else ''}{json.dumps(key, ensure_ascii=False)}:"
            yield from _json(inner, deeper - 1)
        yield "}"
