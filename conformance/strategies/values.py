"""Attribute values from small worlds, so that programs collide: equal, near and oddly written values recur."""

from __future__ import annotations

from typing import Any

from conformance.strategies.draws import Draw, chance, number, pick, some

STRINGS = ("a", "b", "", "aa", "ab", "B", "10", "9", "é", "e\u0301", "😀", "\uffee", "z" * 40, "a\x00b", " a")
NUMBERS = (
    "0",
    "1",
    "2",
    "-1",
    "10",
    "9",
    "1.5",
    "0.1",
    "0.2",
    "-0.5",
    "100",
    "123456789012345678",
    "99999999999999999999999999999999999999",
    "1e10",
    "1E-5",
    "0.00001",
    "+3",
    "-0",
    "007",
    "2.50",
    ".5",
    "5.",
    "1e125",
    "1e-130",
    "12345678901234567890.12345678",
)
BINARIES = ("AA==", "AQ==", "AAE=", "/w==", "", "YWI=", "gA==", "AAEC", "gAH/")
TYPES = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")
MAP_NAMES = ("x", "y", "size", "a.b", "Ü")


MIX = (*TYPES, "N", "N", "S", "L", "M", "SS")
"""Types as often as values are drawn of them: numbers have most to get wrong."""


def scalar(draw: Draw, kind: str) -> Any:
    """The content of an S, N, B, BOOL or NULL value."""
    if kind == "S":
        return pick(draw, STRINGS)
    if kind == "N":
        return pick(draw, NUMBERS)
    if kind == "B":
        return pick(draw, BINARIES)
    return True if kind == "NULL" else chance(draw, 50)


def value(draw: Draw, *, depth: int = 2, types: tuple[str, ...] = MIX) -> dict[str, Any]:
    """Any value, nested at most ``depth`` deep."""
    kind = pick(draw, types)
    if kind in ("S", "N", "B", "BOOL", "NULL"):
        return {kind: scalar(draw, kind)}
    if kind in ("SS", "NS", "BS"):
        return {kind: members(draw, kind)}
    inner = MIX if depth > 1 else ("S", "N", "BOOL")
    if kind == "L":
        return {"L": [value(draw, depth=depth - 1, types=inner) for _ in range(number(draw, 0, 3))]}
    return {"M": {name: value(draw, depth=depth - 1, types=inner) for name in some(draw, MAP_NAMES, most=3)}}


_MEMBERS = {
    "SS": ("a", "b", "ab", "é", ""),
    "NS": ("1", "2", "10", "-1", "1.5", "2.0", "1e2", "9"),
    "BS": ("AQ==", "Ag==", "/w==", ""),
}


def members(draw: Draw, kind: str) -> list[str]:
    """The members of a set, at least one, none twice, in any order."""
    chosen = some(draw, _MEMBERS[kind], least=1, most=3)
    return chosen[::-1] if chance(draw, 30) else chosen


KEYS = {
    "S": ("a", "b", "aa", "B", "é", "\uffee", "😀"),
    "N": ("1", "2", "10", "-1", "1.5", "1.0", "1e1"),
    "B": ("AQ==", "Ag==", "AQI=", "/w=="),
}


def key_value(draw: Draw, kind: str, width: int = 4) -> dict[str, str]:
    """A key value of the given type, mostly from the first ``width`` of a small world."""
    return {kind: pick(draw, KEYS[kind] if chance(draw, 25) else KEYS[kind][:width])}
