"""Vectors in items: lists of numbers that a vector index reads as 32-bit floats (dataplane:VEC-2, VEC-4)."""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Container, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from reference.api import AttributeValue, Item
from reference.rules import Violation, violation
from reference.tables.vector import VectorIndex
from reference.values.value import type_of

Vector = tuple[float, ...]
"""Elements as floats that 32 bits can hold."""

_PLAIN_DIGITS = 13
"""Digits before the point up to which a 32-bit float is written without an exponent."""

_PLAIN_ZEROS = 5
"""Zeros behind the point up to which it is."""


def narrow(value: float) -> float | None:
    """The nearest 32-bit float, None where the value is outside their range."""
    try:
        found: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return None
    # Zero has one sign here, as it has in a number of DynamoDB.
    return found + 0.0 if math.isfinite(found) else None


@functools.lru_cache(maxsize=65_536)
def element(text: str) -> float | None:
    """The 32-bit float nearest to a number's text, None where it is out of range."""
    return narrow(float(text))


def elements(values: Sequence[Any]) -> Vector | None:
    """The vector that a list of attribute values stands for, None where one is not a number in range."""
    found = []
    for value in values:
        text = value.get("N") if type(value) is dict and len(value) == 1 else None
        number = None if text is None else element(text)
        if number is None:
            return None
        found.append(number)
    return tuple(found)


def vector_of(index: VectorIndex, item: Item) -> Vector | None:
    """The item's vector as the index holds it, None where it has none that fits the index."""
    values = item.get(index.attribute, {}).get("L")
    if values is None or len(values) != index.dimensions:
        return None
    return elements(values)


def as_value(vector: Vector) -> AttributeValue:
    """The index's own copy of a vector: the shortest decimals that name its floats, such as ``1.0``."""
    return {"L": [{"N": decimal(each)} for each in vector]}


@functools.lru_cache(maxsize=65_536)
def decimal(value: float) -> str:
    """The shortest decimal whose nearest 32-bit float is the given one."""
    digits = next((p for p in range(1, 10) if narrow(float(f"{value:.{p}g}")) == value), 9)
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    sign, point = "-" if mantissa.startswith("-") else "", int(exponent)
    figures = mantissa.lstrip("-").replace(".", "").rstrip("0") or "0"
    if point >= _PLAIN_DIGITS or point < -_PLAIN_ZEROS:
        return f"{sign}{figures[0]}.{figures[1:]}e{point}" if len(figures) > 1 else f"{sign}{figures}e{point}"
    if point < 0:
        return f"{sign}0.{'0' * (-point - 1)}{figures}"
    whole = figures[: point + 1].ljust(point + 1, "0")
    return f"{sign}{whole}.{figures[point + 1 :] or '0'}"


def faults(
    indexes: Mapping[str, VectorIndex], types: Mapping[str, str], item: Item, changed: Container[str] | None = None
) -> Iterator[Violation]:
    """What is wrong with an item's vectors and partition attributes for the vector indexes there are (VEC-2).

    ``types`` are the table's declared attribute types. Only the attributes in ``changed`` are judged, all where it is
    None. An absent attribute is fine: the item is not in that index.
    """
    for name in sorted(indexes):
        index = indexes[name]
        if index.status == "DELETING":
            continue
        for attribute, judge in ((index.attribute, _vector_fault), (index.hash, _hash_fault)):
            if attribute is None or attribute not in item or (changed is not None and attribute not in changed):
                continue
            fault = judge(index, item[attribute], types)
            if fault is not None:
                yield fault


def _vector_fault(index: VectorIndex, value: AttributeValue, types: Mapping[str, str]) -> Violation | None:
    params = {"attribute": index.attribute, "index": index.name}
    values = value.get("L")
    if values is None:
        return violation("vectors.not-a-list", **params)
    if len(values) != index.dimensions:
        return violation("vectors.size", expected=index.dimensions, actual=len(values), **params)
    for position, each in enumerate(values):
        if "N" not in each:
            return violation("vectors.element-type", position=position, actual=type_of(each), **params)
        if element(each["N"]) is None:
            shown = str(Decimal(each["N"]).normalize())
            return violation("vectors.element-range", position=position, value=shown, **params)
    return None


def _hash_fault(index: VectorIndex, value: AttributeValue, types: Mapping[str, str]) -> Violation | None:
    attribute = index.hash or ""
    expected = types.get(attribute)
    if expected is None:
        return None
    if expected not in value:
        return violation(
            "vectors.hash-type", attribute=attribute, expected=expected, actual=type_of(value), index=index.name
        )
    if not value[expected]:
        rule = "indexes.empty-string" if expected == "S" else "indexes.empty-binary"
        return violation(rule, index=index.name, key=attribute)
    return None
