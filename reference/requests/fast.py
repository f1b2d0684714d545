"""The quick way: one pass that says whether a request is plainly in order, and nothing else.

What is not plainly in order (a null, a fraction, an empty or deeply nested attribute value, a table named by its ARN)
goes the slow way, which decides. So a predicate here may refuse too much, never too little.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reference.api import Json
from reference.requests.constraints import breaks
from reference.requests.extras import SHORTEST_NAME
from reference.requests.model import Shape, compiled
from reference.requests.types import is_base64

Predicate = Callable[[Json], bool]

_DEEPEST = 32
"""Wraps that this pass follows; more are rare, and the slow way doesn't recurse."""


def values(mapping: Json) -> bool:
    """Whether this is a map of attribute values that are in order."""
    if type(mapping) is not dict:
        return False
    for value in mapping.values():
        if type(value) is not dict or len(value) != 1:
            return False
        for tag, inner in value.items():
            if tag == "S" or tag == "N":
                if type(inner) is not str:
                    return False
            elif not _other(tag, inner, 0):
                return False
    return True


def value(single: Json, wraps: int = 0) -> bool:
    """Whether this is one attribute value that is in order."""
    if type(single) is not dict or len(single) != 1 or wraps > _DEEPEST:
        return False
    for tag, inner in single.items():
        if tag == "S" or tag == "N":
            return type(inner) is str
        return _other(tag, inner, wraps)
    return False


def _other(tag: str, inner: Json, wraps: int) -> bool:
    if tag == "BOOL" or tag == "NULL":
        return inner is True or inner is False
    if tag == "B":
        return type(inner) is str and is_base64(inner)
    if tag == "M":
        return type(inner) is dict and all(value(one, wraps + 1) for one in inner.values())
    if tag == "L":
        return type(inner) is list and all(value(one, wraps + 1) for one in inner)
    if tag == "SS" or tag == "NS":
        return type(inner) is list and all(type(one) is str for one in inner)
    return tag == "BS" and type(inner) is list and all(type(one) is str and is_base64(one) for one in inner)


def predicate(shape: Shape, built: dict[Shape, Predicate] | None = None) -> Predicate:
    """The predicate of a shape."""
    built = {} if built is None else built
    if shape not in built:
        built[shape] = _build(shape, built)
    return built[shape]


def _build(shape: Shape, built: dict[Shape, Predicate]) -> Predicate:
    if shape.kind == "value":
        return value
    if shape.kind == "structure":
        return _structure({name: predicate(member, built) for name, member in shape.members.items()}, shape.required)
    if shape.kind == "list":
        assert shape.element is not None
        return _list(shape, predicate(shape.element, built))
    if shape.kind == "map":
        return _map(shape, built)
    if shape.kind in ("string", "table"):
        return _string(shape)
    types: dict[str, tuple[type, ...]] = {
        "boolean": (bool,), "integer": (int,), "long": (int,), "double": (int, float), "timestamp": (int, float),
    }  # fmt: skip
    wanted = types.get(shape.kind, ())
    if shape.constrained:
        return lambda number: type(number) in wanted and not breaks(shape, number)
    return lambda plain: type(plain) in wanted


def _structure(members: Mapping[str, Predicate], required: frozenset[str]) -> Predicate:
    find = members.get

    def check(body: Json) -> bool:
        if type(body) is not dict or not required <= body.keys():
            return False
        for name, inner in body.items():
            good = find(name)
            if good is not None and not good(inner):
                return False
        return True

    return check


def _list(shape: Shape, element: Predicate) -> Predicate:
    low, high = shape.min or 0, shape.max

    def check(body: Json) -> bool:
        if type(body) is not list or len(body) < low or (high is not None and len(body) > high):
            return False
        return all(map(element, body))

    return check


def _map(shape: Shape, built: dict[Shape, Predicate]) -> Predicate:
    assert shape.element is not None
    assert shape.keys is not None
    if shape.element.kind == "value" and not shape.constrained and not shape.keys.constrained:
        return values
    element, key = predicate(shape.element, built), predicate(shape.keys, built)
    low, high = shape.min or 0, shape.max

    def check(body: Json) -> bool:
        if type(body) is not dict or len(body) < low or (high is not None and len(body) > high):
            return False
        return all(map(element, body.values())) and all(map(key, body))

    return check


def _string(shape: Shape) -> Predicate:
    if shape.enum:
        allowed = frozenset(shape.enum)
        return lambda text: type(text) is str and text in allowed
    if not shape.constrained:
        return lambda text: type(text) is str
    low = SHORTEST_NAME if shape.kind == "table" else shape.min or 0
    high = shape.max
    match: Callable[[str], Any] = compiled(shape.pattern).fullmatch if shape.pattern else bool_true

    def check(text: Json) -> bool:
        if type(text) is not str or len(text) < low or (high is not None and len(text) > high):
            return False
        return match(text) is not None

    return check


def bool_true(text: str) -> bool:
    """Stands in for a pattern where a string has none."""
    return True
