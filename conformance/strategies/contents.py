"""Values at the edges of what an attribute may hold: digits, depth, size, emptiness, order, all of Unicode."""

from __future__ import annotations

import base64
from typing import Any

from conformance.strategies import numbers, values
from conformance.strategies.draws import Draw, chance, number, pick, some
from conformance.strategies.schemas import Features
from reference.values.item import MAX_ITEM_BYTES, item_size, normalise_item
from reference.values.value import MAX_NESTING

Body = dict[str, Any]

TEXTS = (
    "", "\x00", "\t\n\r", "\"'\\", "a" * 255, "é", "e\u0301", "\u200b", "\u2028", "\ud7ff", "\ue000", "\uffff",
    "\U00010000",
    "\U0010ffff", "😀👩‍👩‍👧", "ﬀ", "ß", "İ", "null", "true", "1", "1.0", "{}", "${a}", "%s", "</b>", " a ", "ａ",
)  # fmt: skip
"""Texts that JSON, Unicode normalisation, case folding or templates may damage."""
EMPTY: tuple[Body, ...] = (
    {"L": []}, {"M": {}}, {"S": ""}, {"B": ""}, {"L": [{"M": {}}, {"L": []}]}, {"SS": [""]}, {"BS": [""]},
)  # fmt: skip
BYTES = (b"", b"\x00", b"\xff", b"\x7f\x80", b"\xc3\x28", bytes(range(256)), b"a" * 100)


def value(draw: Draw, features: Features) -> Body:
    """A value with an edge to it."""
    kinds = ["text", "bytes", "set", "empty", "names", "any"]
    kinds += ["number"] * 3 * features.on("numbers") + ["deep"] * features.on("nested")
    kind = pick(draw, kinds)
    if kind == "number":
        return {"N": numbers.spelt(draw)}
    if kind == "text":
        return {"S": pick(draw, TEXTS)}
    if kind == "bytes":
        return {"B": encoded(pick(draw, BYTES))}
    if kind == "set":
        return _set(draw)
    if kind == "empty":
        return dict(pick(draw, EMPTY))
    if kind == "names":
        return {"M": {name: {"N": "1"} for name in some(draw, [text for text in TEXTS if text], least=1, most=3)}}
    return deep(draw) if kind == "deep" else values.value(draw)


def encoded(data: bytes) -> str:
    """Bytes as the wire writes them."""
    return base64.b64encode(data).decode()


def _set(draw: Draw) -> Body:
    """A set of members that sort and compare in ways of their own."""
    kind = pick(draw, ("NS", "NS", "SS", "BS"))
    count = number(draw, 1, 5)
    if kind == "NS":
        return {"NS": [numbers.spelt(draw) for _ in range(count)]}
    if kind == "SS":
        return {"SS": [pick(draw, TEXTS) for _ in range(count)]}
    return {"BS": [encoded(pick(draw, BYTES)) for _ in range(count)]}


def deep(draw: Draw) -> Body:
    """A value nested about as deep as one may be."""
    inner: Body = values.value(draw, depth=0, types=("S", "N", "NS", "NULL"))
    for level in range(pick(draw, (4, MAX_NESTING - 1, MAX_NESTING, MAX_NESTING, MAX_NESTING + 1))):
        inner = {"L": [inner]} if (level + chance(draw, 20)) % 2 else {"M": {"m": inner}}
    return inner


def padded(item: Body, name: str, wanted: int, *, binary: bool = False) -> Body:
    """The item with an attribute that makes it exactly so many bytes, or as few as it can be."""
    rest = {key: held for key, held in item.items() if key != name}
    normal = normalise_item(rest, "current", [])
    room = max(0, wanted - (item_size(normal) if normal is not None else 0) - len(name.encode()))
    return {**rest, name: {"B": encoded(b"x" * room)} if binary else {"S": "x" * room}}


def large(draw: Draw, item: Body, name: str) -> Body:
    """The item at the limit of its size, one byte below it or beyond it."""
    return padded(item, name, MAX_ITEM_BYTES + pick(draw, (0, 0, -1, 1)), binary=chance(draw, 25))
