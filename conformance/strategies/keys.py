"""Key values that show how a target tells keys apart, sorts them and bounds their size; conditions over them."""

from __future__ import annotations

from typing import Any

from conformance.strategies import numbers
from conformance.strategies.contents import encoded
from conformance.strategies.draws import Draw, chance, number, pick
from conformance.strategies.expressions import Placeholders
from conformance.strategies.schemas import IndexWorld, TableWorld
from reference.values.value import binary, compare, normalise

Body = dict[str, Any]
MAX_HASH = 2048
MAX_RANGE = 1024

TEXTS = (
    "a", "A", "b", "aa", "ab", "B", " a", "a ", "a\x00", "\x00", "10", "9", "é", "e\u0301", "z", "Z", "~", "\x7f",
    "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffee", "\U00010000", "😀", "\U0010ffff", "a\u0301", "ab\uffff",
)  # fmt: skip
"""By UTF-8 bytes they sort otherwise than by UTF-16 units, by locale or without regard to case."""
NUMBERS = (
    "0", "-0", "0.0", "1", "1.0", "01", "1e0", "10", "9", "1e1", "-1", "-10", "-9", "0.1", "-0.1", "1e-130", "-1e-130",
    "1e125", "-1e125", "12345678901234567890123456789012345678", "12345678901234567890123456789012345679",
    "9007199254740992", "9007199254740993", "100", "1.5", "1.50",
)  # fmt: skip
BYTES = (
    b"\x00",
    b"\x00\x00",
    b"\x01",
    b"a",
    b"a\x00",
    b"aa",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xff\x00",
    b"\xc3\xa9",
    b"A",
)


def value(draw: Draw, kind: str) -> Body:
    """A key value of one type."""
    if kind == "S":
        return {"S": pick(draw, TEXTS)}
    if kind == "N":
        return {"N": pick(draw, NUMBERS) if chance(draw, 80) else numbers.spelt(draw)}
    return {"B": encoded(pick(draw, BYTES))}


def sized(draw: Draw, kind: str, limit: int) -> Body:
    """A key value of about the most bytes that one may have; numbers have no such limit."""
    size = limit + pick(draw, (0, 0, -1, 1))
    if kind == "S":
        return {"S": "é" * (size // 2) + "k" * (size % 2) if chance(draw, 40) else "k" * size}
    return {"B": encoded(b"k" * size)} if kind == "B" else {"N": "9" * 38}


def respelt(draw: Draw, held: Body) -> Body:
    """The same key written in another way, which numbers alone can be."""
    return {"N": numbers.respelt(draw, held["N"])} if "N" in held else held


def key(draw: Draw, world: TableWorld, known: list[Body]) -> Body:
    """A primary key: one that holds an item, respelt, or a new one of few partitions."""
    if known and chance(draw, 55):
        held = pick(draw, known)
        return {name: respelt(draw, held[name]) for name, _ in world.keys}
    hashed, kind = world.hash
    first = _of_few(draw, kind) if world.range is not None else value(draw, kind)
    return {hashed: first} | ({world.range[0]: value(draw, world.range[1])} if world.range is not None else {})


_FEW: dict[str, tuple[str, ...]] = {"S": ("a", "A"), "N": ("1", "-1"), "B": (encoded(b"a"), encoded(b"\xff"))}


def _of_few(draw: Draw, kind: str) -> Body:
    """One of two partitions, so that they hold more than one item."""
    return {kind: pick(draw, _FEW[kind])}


def item(draw: Draw, world: TableWorld, known: list[Body]) -> Body:
    """An item of keys and little else."""
    body = {**key(draw, world, known), world.attributes[0]: {"N": str(number(draw, 0, 99))}}
    for name, kind in world.index_keys.items():
        if chance(draw, 70):
            body[name] = value(draw, kind)
    return body


def query(draw: Draw, world: TableWorld, known: list[Body]) -> Body:
    """A Query of one partition of the table or an index with a condition on the sort key, either way round."""
    index: IndexWorld | None = pick(draw, world.indexes) if world.indexes and chance(draw, 40) else None
    hashed, ranged = (index.hash, index.range) if index else (world.hash, world.range)
    held = [each for each in known if hashed[1] in each.get(hashed[0], ())]
    at = pick(draw, held)[hashed[0]] if held and chance(draw, 85) else _of_few(draw, hashed[1])
    body: Body = {"TableName": world.reference, **({"IndexName": index.name} if index else {})}
    if chance(draw, 40):
        body["ScanIndexForward"] = chance(draw, 15)
    if chance(draw, 30):
        body["Limit"] = number(draw, 1, 3)
    sorts = [each[ranged[0]] for each in held if ranged is not None and ranged[1] in each.get(ranged[0], ())]
    if chance(draw, 15):
        body["KeyConditions"] = _legacy(draw, hashed[0], respelt(draw, at), ranged, sorts)
        return body
    placeholders = Placeholders()
    text = f"{placeholders.name(draw, hashed[0])} = {placeholders.value(respelt(draw, at))}"
    if ranged is not None and chance(draw, 75):
        text += f" AND {_condition(draw, ranged, sorts, placeholders)}"
    body["KeyConditionExpression"] = text
    placeholders.into(body)
    return body


def _bound(draw: Draw, ranged: tuple[str, str], held: list[Body]) -> Body:
    return respelt(draw, pick(draw, held)) if held and chance(draw, 70) else value(draw, ranged[1])


def _condition(draw: Draw, ranged: tuple[str, str], held: list[Body], placeholders: Placeholders) -> str:
    name = placeholders.name(draw, ranged[0])
    kind = pick(draw, ("=", "<", "<=", ">", ">=", "between", "between") + ("begins_with",) * 2 * (ranged[1] != "N"))
    low = _bound(draw, ranged, held)
    if kind == "between":
        high = _bound(draw, ranged, held)
        if (compare(_normal(low), _normal(high)) or 0) > 0 and chance(draw, 90):
            low, high = high, low
        return f"{name} BETWEEN {placeholders.value(low)} AND {placeholders.value(high)}"
    if kind == "begins_with":
        return f"begins_with({name}, {placeholders.value(_start(draw, low))})"
    return f"{name} {kind} {placeholders.value(low)}"


def _start(draw: Draw, held: Body) -> Body:
    """The beginning of a text or of bytes, half a character of them at times; never nothing."""
    if "S" in held:
        return {"S": held["S"][: number(draw, 1, 2)]}
    data = binary(held["B"])
    return {"B": encoded(data[: number(draw, 1, 2)])}


def _normal(given: Body) -> Body:
    return normalise(given, "current", []) or given


_OPERATORS = ("EQ", "LT", "LE", "GT", "GE", "BETWEEN")


def _legacy(draw: Draw, hashed: str, at: Body, ranged: tuple[str, str] | None, held: list[Body]) -> Body:
    found: Body = {hashed: {"ComparisonOperator": "EQ", "AttributeValueList": [at]}}
    if ranged is not None and chance(draw, 70):
        operator = pick(draw, _OPERATORS + ("BEGINS_WITH",) * (ranged[1] != "N"))
        bounds = [_bound(draw, ranged, held) for _ in range(2 if operator == "BETWEEN" else 1)]
        if len(bounds) == 2 and (compare(*map(_normal, bounds)) or 0) > 0:
            bounds.reverse()
        found[ranged[0]] = {"ComparisonOperator": operator, "AttributeValueList": bounds}
    return found


def misfit(draw: Draw, world: TableWorld, given: Body) -> Body:
    """A key or item with a key that will not do: too long, empty, of another type, missing, or one too many."""
    indexed = sorted(world.index_keys.items())
    name, kind = pick(draw, (*world.keys, *indexed) if len(given) > len(world.keys) else world.keys)
    first = name == world.hash[0]
    choice = pick(draw, ("long", "long", "empty", "type", "missing", "extra", "number"))
    if choice == "long":
        return {**given, name: sized(draw, kind, MAX_HASH if first else MAX_RANGE)}
    if choice == "empty":
        return {**given, name: {kind: ""}}
    if choice == "type":
        return {
            **given,
            name: pick(draw, ({"S": "a"}, {"N": "1"}, {"B": "AA=="}, {"BOOL": True}, {"NULL": True}, {"SS": ["a"]})),
        }
    if choice == "missing":
        return {each: held for each, held in given.items() if each != name}
    if choice == "number" and kind == "N":
        return {**given, name: {"N": pick(draw, numbers.REFUSED)}}
    return {**given, "surplus": {"S": "a"}}
