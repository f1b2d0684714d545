"""Values made from one that an item holds: equal, just beside it, or a part of it; predicates become near calls."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any

from conformance.strategies.draws import Draw, chance, number, pick
from conformance.strategies.values import STRINGS, TYPES
from reference.values.number import text as number_text
from reference.values.value import binary

Value = dict[str, Any]


KINDS: dict[str, tuple[str, ...]] = {
    "S": ("compare", "begins_with", "contains", "between", "in", "size", "type"),
    "N": ("compare", "compare", "between", "in", "type"),
    "B": ("compare", "begins_with", "contains", "size", "type"),
    "BOOL": ("compare", "type"),
    "NULL": ("compare", "type"),
    "L": ("contains", "size", "compare", "type"),
    "M": ("size", "compare", "type"),
    "SS": ("contains", "contains", "size", "compare", "type"),
    "NS": ("contains", "size", "compare", "type"),
    "BS": ("contains", "size", "compare", "type"),
}
"""Predicates that have something to say about a value of a type."""


def value(draw: Draw, kind: str, met: Value) -> list[Value] | None:
    """The values of a predicate of that kind about ``met``; None where nothing suits."""
    ((sort, inner),) = met.items()
    if kind == "compare":
        return [_beside(draw, met)]
    if kind == "in":
        others = [other for _ in range(number(draw, 0, 2)) if (other := _beside(draw, met)) != met]
        return [*others, met] if chance(draw, 50) else [met, *others]
    if kind == "between" and sort in ("S", "N"):
        return _bounds(draw, sort, inner)
    if kind == "begins_with" and sort in ("S", "B"):
        return [_beginning(draw, sort, inner)]
    if kind == "contains":
        part = _part(draw, sort, inner)
        return None if part is None else [part]
    if kind == "type":
        mistaken = {"SS": "L", "NS": "L", "BS": "L", "L": "SS", "M": "L", "B": "S", "NULL": "S", "N": "S"}.get(
            sort, "B"
        )
        return [{"S": pick(draw, (sort, mistaken, pick(draw, TYPES)))}]
    if kind == "size" and sort not in ("N", "BOOL", "NULL"):
        length = len(binary(inner)) if sort == "B" else len(inner)
        return [{"N": str(max(0, length + pick(draw, (0, 0, 1, -1))))}]
    return None


def _beside(draw: Draw, met: Value) -> Value:
    ((sort, inner),) = met.items()
    if sort == "N" and chance(draw, 50):
        return {"N": _plus(inner, pick(draw, (1, -1, 10)))}
    if sort == "S" and chance(draw, 50):
        return {"S": inner + "a" if chance(draw, 50) else inner[:-1]}
    return dict(met)


def _plus(written: str, step: int) -> str:
    value = Decimal(written)
    # Beyond 38 digits a sum is no number that DynamoDB takes.
    return number_text(value + step) if abs(value) < 10**9 and value == round(value, 9) else written


def _bounds(draw: Draw, sort: str, inner: str) -> list[Value]:
    if sort == "N":
        pair = [inner, _plus(inner, 1)] if chance(draw, 50) else [_plus(inner, -1), inner]
        return [{"N": each} for each in pair]
    other = pick(draw, STRINGS)
    return [{"S": each} for each in sorted((inner, other))]


def _beginning(draw: Draw, sort: str, inner: str) -> Value:
    if sort == "S":
        start = inner[: number(draw, 0, min(2, len(inner)))]
        return {"S": start.swapcase() if chance(draw, 15) else start}
    data = binary(inner)
    return {"B": base64.b64encode(data[: number(draw, 0, len(data))]).decode()}


def _part(draw: Draw, sort: str, inner: Any) -> Value | None:
    if sort in ("SS", "NS", "BS"):
        member = pick(draw, [each for each in inner if len(each) > 1] or inner) if sort == "SS" else pick(draw, inner)
        return {sort[0]: member[:1] if sort == "SS" and chance(draw, 50) else member}
    if sort == "L" and inner:
        # A map, list or set can be looked for only where it stands; as a value it is refused or simply not found.
        return dict(pick(draw, inner))
    if sort == "S":
        return {"S": inner[1:2] if chance(draw, 40) else inner[: number(draw, 0, min(2, len(inner)))]}
    if sort == "B":
        data = binary(inner)
        return {"B": base64.b64encode(data[-1:] if chance(draw, 50) else data).decode()}
    return None
