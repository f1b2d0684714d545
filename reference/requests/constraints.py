"""Model constraints: what of a well-typed request breaks its model, one violation for each (dataplane:VAL-*)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reference.api import Json
from reference.requests.dump import echo
from reference.requests.model import ENUM_ORDERS, Shape, compiled, is_table_arn, lower_first
from reference.rules import Violation, violation

MOST = 64
"""Broken constraints collected of one request; an answer lists ten at most."""

_PATTERN_REACH = 4
"""A pattern is not tried on a value this many times too long: some take quadratic time."""


class Found:
    """Collects the broken constraints of one request, in the order of the shapes' members.

    Every violation's parameters hold ``value`` (as a message echoes it, quotes included), ``path``, ``top`` (the
    top-level member's name) and ``limit``, ``pattern``, ``set`` or ``constraints`` as its rule needs them.
    """

    def __init__(self, *, as_json: bool = False, lengths_first: bool = False) -> None:
        self.broken: list[Violation] = []
        self._as_json, self._lengths_first = as_json, lengths_first
        self._top = ""

    def structure(self, shape: Shape, value: dict[str, Json], path: str = "") -> None:
        """Constraints of a structure's members and of what they hold."""
        for name, member in shape.members.items():
            if len(self.broken) >= MOST:
                return
            if not path:
                self._top = name
            inner = value.get(name)
            place = f"{path}.{lower_first(name)}" if path else lower_first(name)
            if inner is not None:
                self.check(member, inner, place)
            elif name in shape.required:
                self._tell("wire.null", member, None, place)

    def check(self, shape: Shape, value: Json, path: str) -> None:
        """Constraints of one value and of what it holds."""
        if shape.constrained:
            found = list(broken(shape, value))
            if self._lengths_first:
                found.sort(key=lambda each: each[0] == "wire.pattern")
            for name, params in found:
                self._tell(name, shape, value, path, **params)
        if shape.kind == "structure":
            self.structure(shape, value, path)
        elif shape.kind == "list":
            self._list(shape, value, path)
        elif shape.kind == "map":
            self._map(shape, value, path)

    def _tell(self, name: str, shape: Shape, value: Json, path: str, **params: Any) -> None:
        quoted = "null" if value is None else f"'{echo(shape, value, as_json=self._as_json)}'"
        self.broken.append(violation(name, value=quoted, path=path, top=self._top, **params))

    def _list(self, shape: Shape, value: list[Json], path: str) -> None:
        element = shape.element
        assert element is not None
        if element.kind == "value":
            return
        if element.kind not in ("structure", "list", "map"):
            if element.constrained and any(inner is not None and breaks(element, inner) for inner in value):
                self._tell("wire.list-elements", shape, value, path, constraints=described(element))
            return
        for position, inner in enumerate(value, 1):
            if len(self.broken) >= MOST:
                return
            place = f"{path}.{position}.member"
            if inner is None:
                self._tell("wire.null", element, None, place)
            else:
                self.check(element, inner, place)

    def _map(self, shape: Shape, value: dict[str, Json], path: str) -> None:
        element, keys = shape.element, shape.keys
        assert element is not None
        assert keys is not None
        if keys.constrained and any(breaks(keys, key) for key in value):
            self._tell("wire.map-keys", shape, value, path, constraints=described(keys))
        if element.kind == "value":
            return
        if element.kind == "list" and element.constrained:
            for key, inner in value.items():
                if inner is not None and breaks(element, inner):
                    listed = described(element)
                    self._tell("wire.map-values", shape, value, path, constraints=listed, key=key, size=len(inner))
                    break
        for key, inner in value.items():
            if len(self.broken) >= MOST:
                return
            place = f"{path}.{key}.member"
            if inner is None:
                if element.kind == "structure":
                    self._tell("wire.null", element, None, place)
            elif element.kind == "structure":
                self.structure(element, inner, place)
            elif element.kind == "list":
                self._list(element, inner, place)


def breaks(shape: Shape, value: Json) -> bool:
    """Whether a value breaks a constraint of its own shape."""
    return next(broken(shape, value), None) is not None


def broken(shape: Shape, value: Json) -> Iterator[tuple[str, dict[str, Any]]]:
    """The constraints of its own shape that a value breaks: rule name and parameters."""
    kind = shape.kind
    if kind in ("integer", "long", "double"):
        if shape.min is not None and value < shape.min:
            yield "wire.value-min", {"limit": shape.min}
        if shape.max is not None and value > shape.max:
            yield "wire.value-max", {"limit": shape.max}
    elif kind == "table":
        yield from _table(shape, value)
    elif kind in ("list", "map"):
        yield from _length(shape, value, "wire.size-min", "wire.size-max")
    elif kind == "string":
        if shape.enum and value not in shape.enum:
            yield "wire.enum" if shape.name in ENUM_ORDERS else "wire.enum-unlisted", {"set": ", ".join(shape.enum)}
        yield from _pattern(shape, value)
        yield from _length(shape, value, "wire.length-min", "wire.length-max")


def _length(shape: Shape, value: Json, low: str, high: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if shape.min is not None and len(value) < shape.min:
        yield low, {"limit": shape.min}
    if shape.max is not None and len(value) > shape.max:
        yield high, {"limit": shape.max}


def _pattern(shape: Shape, value: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if shape.pattern is None or (shape.max is not None and len(value) > _PATTERN_REACH * shape.max):
        return
    if compiled(shape.pattern).fullmatch(value) is None:
        yield "wire.pattern", {"pattern": shape.pattern}


def _table(shape: Shape, value: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of operations on items, an empty name breaks its length only, though the pattern wants a character too."""
    if value.startswith("arn:"):
        if not is_table_arn(value):
            # The sixth part is the resource, whatever colons it has.
            of, slash, _ = "".join(value.split(":", 5)[5:]).partition("/")
            yield ("wire.arn-resource-type" if slash and of != "table" else "wire.arn-form"), {}
        return
    if value or shape.min != 1:
        yield from _pattern(shape, value)
    yield from _length(shape, value, "wire.length-min", "wire.length-max")


def described(shape: Shape) -> str:
    """A shape's constraints as messages list them where keys or elements break them (dataplane:VAL-9, VAL-10)."""
    if shape.enum:
        return f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
    # The keys of RequestItems still print the bound that table names had before ARNs (conflicts:23).
    low = 3 if shape.kind == "table" else shape.min
    texts = []
    if shape.max is not None:
        texts.append(f"Member must have length less than or equal to {shape.max}")
    if low is not None or shape.max is not None:
        texts.append(f"Member must have length greater than or equal to {low or 0}")
    if shape.pattern is not None:
        texts.append(f"Member must satisfy regular expression pattern: {shape.pattern}")
    return ", ".join(texts)
