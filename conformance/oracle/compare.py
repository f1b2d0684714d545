"""How two success bodies differ: sets unordered, numbers by value, then spelling; maps unordered, lists ordered."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from decimal import Context, Decimal, InvalidOperation
from typing import Any

import orjson

from reference.api import Json

ATTRIBUTE_TYPES = frozenset({"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"})
_EXACT = Context(prec=1024)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?\Z")


@dataclass(frozen=True, slots=True)
class Difference:
    """One differing place.

    ``path`` holds member names; attribute names and indices stand as ``*``, and ``names`` tells the attribute names.
    ``row`` is the row key of the item it lies in, where that is known; ``position`` is that of the record, in a list of
    them that are held each against its own change.
    """

    path: tuple[str, ...]
    kind: str
    expected: Json
    observed: Json
    names: tuple[str, ...] = ()
    row: tuple[Any, ...] | None = None
    position: int | None = None

    @property
    def place(self) -> str:
        """The path and what is wrong there, as a fingerprint shows it; items look alike whatever shows them."""
        if self.kind == "spelling":
            return f"{self.path[-1] if self.path else ''}:spelling"
        path = self.path
        for shown in (("Items", "*", "Item"), *_ROWS, ("Responses", "*", "Item"), ("Item",), ("Attributes",)):
            if path[: len(shown)] == shown and len(path) > len(shown):
                path = ("item", *path[len(shown) :])
                break
        return ".".join(path) + f":{self.kind}"


def differences(expected: Json, observed: Json, path: tuple[str, ...] = ()) -> Iterator[Difference]:
    """Every difference between two JSON bodies; members whose value is an AttributeValue are compared as values."""
    if is_value(expected) and is_value(observed):
        yield from value_differences(expected, observed, path)
    elif isinstance(expected, dict) and isinstance(observed, dict):
        yield from _members(expected, observed, path)
    elif isinstance(expected, list) and isinstance(observed, list):
        yield from _elements(expected, observed, path)
    elif _is_number(expected) and _is_number(observed):
        if expected != observed:
            yield Difference(path, "value", expected, observed)
    elif type(expected) is not type(observed):
        yield Difference(path, "type", expected, observed)
    elif expected != observed:
        yield Difference(path, "value", expected, observed)


def _is_number(body: Json) -> bool:
    """JSON has one kind of number: 1 and 1.0 are no different types."""
    return isinstance(body, int | float) and not isinstance(body, bool)


NAME_KEYED = frozenset({
    "Item", "Attributes", "Key", "LastEvaluatedKey", "ItemCollectionKey", "Responses", "UnprocessedItems",
    "UnprocessedKeys", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "VectorIndexes", "M",
})  # fmt: skip
"""Members whose own members are named by the user: such names are no part of a kind of difference."""
_ROWS = (("Items", "*"), ("Responses", "*", "*"))
_METRICS = frozenset({"ItemCollectionKey", "SizeEstimateRangeGB"})


def _user_named(path: tuple[str, ...], names: Set[str]) -> bool:
    """Whether the members of the object at a path are named by the user: attributes, tables or indexes."""
    if not path:
        return False
    if path == ("ItemCollectionMetrics",):
        return not names & _METRICS
    return path[-1] in NAME_KEYED or path in _ROWS or path[-2:] == ("Keys", "*")


def _members(expected: dict[str, Json], observed: dict[str, Json], path: tuple[str, ...]) -> Iterator[Difference]:
    named = _user_named(path, expected.keys() | observed.keys())
    for name in sorted(expected.keys() | observed.keys()):
        step = (*path, "*" if named else name)
        own = (name,) if named else ()
        if name not in observed:
            yield Difference(step, "missing", expected[name], None, own)
        elif name not in expected:
            yield Difference(step, "extra", None, observed[name], own)
        else:
            for inner in differences(expected[name], observed[name], step):
                yield replace(inner, names=own + inner.names) if own else inner


def _elements(expected: list[Json], observed: list[Json], path: tuple[str, ...]) -> Iterator[Difference]:
    if len(expected) != len(observed):
        kind = "fewer" if len(observed) < len(expected) else "more"
        yield Difference(path, kind, expected, observed)
        return
    found = [d for e, o in zip(expected, observed, strict=True) for d in differences(e, o, (*path, "*"))]
    want, got = [canonical(e) for e in expected], [canonical(o) for o in observed]
    if found and want != got and Counter(want) == Counter(got):
        yield Difference(path, "order", expected, observed)
    else:
        yield from found


def is_value(body: Json) -> bool:
    """Whether a JSON body is one AttributeValue."""
    return isinstance(body, dict) and len(body) == 1 and next(iter(body)) in ATTRIBUTE_TYPES


def value_differences(
    expected: dict[str, Any], observed: dict[str, Any], path: tuple[str, ...]
) -> Iterator[Difference]:
    """How two AttributeValues differ."""
    ((kind, want),) = expected.items()
    ((other, got),) = observed.items()
    if kind != other:
        yield Difference(path, "type", expected, observed)
    elif kind == "N":
        yield from _numbers(want, got, (*path, "N"))
    elif kind in ("SS", "NS", "BS"):
        yield from _sets(kind, want, got, (*path, kind))
    elif kind == "L" and isinstance(got, list):
        yield from _elements(want, got, (*path, "L"))
    elif kind == "M" and isinstance(got, dict):
        yield from _members(want, got, (*path, "M"))
    elif want != got:
        yield Difference((*path, kind), "value", want, got)


def _numbers(want: str, got: Json, path: tuple[str, ...]) -> Iterator[Difference]:
    if want == got:
        return
    same = number_of(want) is not None and number_of(want) == number_of(got)
    yield Difference(path, "spelling" if same else "value", want, got)


def number_of(text: Json) -> Decimal | None:
    """The exact value of a DynamoDB number as a target wrote it, or None when it is not one."""
    if not isinstance(text, str) or not _NUMBER.match(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _sets(kind: str, want: list[str], got: Json, path: tuple[str, ...]) -> Iterator[Difference]:
    if not isinstance(got, list):
        yield Difference(path, "type", want, got)
        return
    if Counter(want) == Counter(x if isinstance(x, str) else str(x) for x in got):
        return
    if kind == "NS" and Counter(map(number_of, want)) == Counter(map(number_of, got)):
        yield Difference(path, "spelling", want, got)
    else:
        yield Difference(path, "value", want, got)


def canonical(body: Json) -> bytes:
    """Bytes that are equal for equal bodies: members sorted, sets sorted, numbers by value."""
    return orjson.dumps(_canonical(body), option=orjson.OPT_SORT_KEYS)


def _canonical(body: Json) -> Json:
    if is_value(body):
        ((kind, value),) = body.items()
        if kind == "N":
            number = number_of(value)
            return {"N": value if number is None else _plain(number)}
        if kind in ("SS", "NS", "BS") and isinstance(value, list):
            members = [_plain(n) if kind == "NS" and (n := number_of(v)) is not None else v for v in value]
            return {kind: sorted(members, key=str)}
        return {kind: _canonical(value)}
    if isinstance(body, dict):
        return {str(name): _canonical(value) for name, value in body.items()}
    if isinstance(body, list):
        return [_canonical(value) for value in body]
    return body


def _plain(number: Decimal) -> str:
    return f"{number.normalize(_EXACT):f}" if number else "0"
