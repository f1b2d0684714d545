"""Deserialisation: a JSON body read as an operation's shape, and the type errors met on the way (dataplane:SER-*)."""

from __future__ import annotations

import binascii
import math
import re
from collections.abc import Iterator
from typing import Any, Literal

from reference.api import Json
from reference.requests.model import Shape
from reference.rules import Violation, violation

Place = Literal["member", "element"]
"""Whether a value stands at a structure's member, or in a list or a map."""

MOST = 10
"""Type errors told of one request; the service itself stops at the first."""

_NAMESPACE = "com.amazonaws.dynamodb.v20120810"
_NUMBERS = {"integer": "Integer", "long": "Long", "double": "Double", "timestamp": "Date"}
_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})
_LARGEST = 2**63 - 1
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)?")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/=]|=(?=[^=])")
_PAD_BITS = re.compile(r"[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/]{4}")
_SHORT = 512


class Reader:
    """Reads one body.

    ``found`` holds its type errors in document order, ``nesting`` the deepest value's wraps; ``holes`` says that a list
    or map has a null among its structures, lists or scalars.
    """

    def __init__(self) -> None:
        self.found: list[Violation] = []
        self.nesting = 0
        self.holes = False

    def read(self, shape: Shape, value: Json, place: Place = "member") -> Json:
        """The value as the service holds it: no unknown members and no nulls, numbers and booleans converted.

        Attribute values are only checked and stay as they are. A member of the wrong type is left out.
        """
        if value is None:
            return None
        if shape.kind == "structure":
            return self._structure(shape, value, place)
        if shape.kind == "list":
            return self._list(shape, value, place)
        if shape.kind == "map":
            return self._map(shape, value, place)
        if shape.kind == "value":
            self._values(value, place)
            return value
        return self._scalar(shape, value)

    def _tell(self, name: str, **params: Any) -> None:
        if len(self.found) < MOST:
            self.found.append(violation(name, **params))

    def _structure(self, shape: Shape, value: Json, place: Place) -> Json:
        if not isinstance(value, dict):
            return self._no_structure(shape.name, value, place)
        known = ((name, inner, shape.members.get(name)) for name, inner in value.items())
        held = ((name, self.read(member, inner)) for name, inner, member in known if member is not None)
        return {name: inner for name, inner in held if inner is not None}

    def _no_structure(self, name: str, value: Json, place: Place) -> None:
        if isinstance(value, list):
            self._tell("wire.array-for-structure", shape=f"{_NAMESPACE}.{name}")
        else:
            self._tell("wire.scalar-for-element" if place == "element" else "wire.scalar-for-member")

    def _list(self, shape: Shape, value: Json, place: Place) -> Json:
        assert shape.element is not None
        if isinstance(value, list):
            self.holes |= shape.element.kind != "value" and None in value
            return [self.read(shape.element, inner, "element") for inner in value]
        if isinstance(value, dict):
            self._tell("wire.object-for-value")
        else:
            self._tell("wire.scalar-for-collection" if place == "element" else "wire.scalar-for-member")
        return None

    def _map(self, shape: Shape, value: Json, place: Place) -> Json:
        assert shape.element is not None
        if isinstance(value, dict):
            self.holes |= shape.element.kind != "value" and None in value.values()
            return {key: self.read(shape.element, inner, "element") for key, inner in value.items()}
        if isinstance(value, list):
            self._tell("wire.array-for-map", element=_java_class(shape.element))
        else:
            self._tell("wire.scalar-for-collection" if place == "element" else "wire.scalar-for-member")
        return None

    def _scalar(self, shape: Shape, value: Json) -> Json:
        kind = shape.kind
        if isinstance(value, dict):
            self._tell("wire.object-for-value")
        elif isinstance(value, list):
            self._tell("wire.array-for-scalar", type=_java_class(shape))
        elif kind == "boolean":
            return self._boolean(value)
        elif kind == "blob":
            return value if self._blob(value) else None
        elif kind in _NUMBERS:
            if isinstance(value, bool | str):
                self._tell("wire.number-type", token=_token(value), type=_NUMBERS[kind])
            else:
                return value if kind in ("double", "timestamp") else _whole(value)
        elif isinstance(value, str):
            return value
        else:
            recorded = shape is _STRING or shape.name in _NAMES
            self._tell("wire.string-type" if recorded else "wire.string-member", token=_token(value))
        return None

    def _boolean(self, value: Json) -> bool | None:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            if value.lower() in _TRUE | _FALSE:
                return value.lower() in _TRUE
            self._tell("wire.boolean-text")
        else:
            self._tell("wire.boolean-type", token=_token(value))
        return None

    def _blob(self, value: Json) -> bool:
        if not isinstance(value, str):
            self._tell("wire.blob-type")
        elif not is_base64(value):
            stray = _NOT_BASE64.search(value)
            if len(value) % 4:
                self._tell("wire.base64-length", length=len(value))
            elif stray:
                self._tell("wire.base64-character", character=stray.group()[0])
            else:
                self._tell("wire.base64-padding")
        else:
            return True
        return False

    def _values(self, value: Json, place: Place) -> None:
        """Attribute values may be nested thousands deep: they are walked, not recursed into (dataplane:SER-11)."""
        walk: list[Iterator[Json]] = [iter((value,))]
        while walk and len(self.found) < MOST:
            inner = next(walk[-1], _END)
            if inner is _END:
                walk.pop()
            elif isinstance(inner, dict):
                deeper = self._value(inner)
                if deeper:
                    walk.append(iter(deeper))
                    self.nesting = max(self.nesting, len(walk) - 1)
            elif inner is not None:
                self._no_structure("AttributeValue", inner, "element" if len(walk) > 1 else place)

    def _value(self, value: dict[str, Json]) -> list[Json]:
        """Checks one attribute value's own types; returns the values it wraps."""
        deeper: list[Json] = []
        for tag, inner in value.items():
            if inner is None:
                continue
            if tag in ("S", "N"):
                self._scalar(_STRING, inner)
            elif tag == "B":
                self._scalar(_BLOB, inner)
            elif tag in ("BOOL", "NULL"):
                self._scalar(_BOOLEAN, inner)
            elif tag in _SETS:
                self._list(_SETS[tag], inner, "member")
            elif tag == "L":
                if isinstance(inner, list):
                    deeper += inner or [None]
                else:
                    self._list(_VALUES, inner, "member")
            elif tag == "M":
                if isinstance(inner, dict):
                    deeper += inner.values() or [None]
                else:
                    self._map(_VALUE_MAP, inner, "member")
        return deeper


def filled(shape: Shape, value: Json) -> Json:
    """What was read, without the nulls that stand for elements; those among attribute values stay."""
    if shape.kind == "structure":
        return {name: filled(shape.members[name], inner) for name, inner in value.items()}
    element = shape.element
    if element is None or element.kind == "value":
        return value
    if shape.kind == "list":
        return [filled(element, inner) for inner in value if inner is not None]
    return {key: filled(element, inner) for key, inner in value.items() if inner is not None}


_END = object()
_NAMES = frozenset({"AttributeName", "NonKeyAttributeName"})
"""Shapes of strings for which it is recorded that nothing else is taken (dataplane:SER-7)."""
_STRING, _BLOB, _BOOLEAN = Shape("String", "string"), Shape("Blob", "blob"), Shape("Boolean", "boolean")
_VALUE = Shape("AttributeValue", "value")
_SETS = {
    "SS": Shape("StringSetAttributeValue", "list", element=_STRING),
    "NS": Shape("NumberSetAttributeValue", "list", element=_STRING),
    "BS": Shape("BinarySetAttributeValue", "list", element=_BLOB),
}
_VALUES = Shape("ListAttributeValue", "list", element=_VALUE)
_VALUE_MAP = Shape("MapAttributeValue", "map", element=_VALUE)
_CLASSES = {
    "boolean": "java.lang.Boolean",
    "blob": "java.nio.ByteBuffer",
    "integer": "java.lang.Integer",
    "long": "java.lang.Long",
    "double": "java.lang.Double",
    "timestamp": "java.util.Date",
}


def is_base64(text: str) -> bool:
    """Whether text is base64 with padding and without stray bits, as the service demands (dataplane:SER-5)."""
    if len(text) % 4:
        return False
    if len(text) <= _SHORT:
        if _BASE64.fullmatch(text) is None:
            return False
    else:
        try:
            binascii.a2b_base64(text, strict_mode=True)
        except ValueError:
            return False
    return not text or _PAD_BITS.fullmatch(text, len(text) - 4) is not None


def _java_class(shape: Shape) -> str:
    if shape.kind in ("structure", "value"):
        return f"{_NAMESPACE}.{shape.name}"
    if shape.kind == "list" and shape.element is not None:
        return f"java.util.List<{_java_class(shape.element)}>"
    if shape.kind == "map" and shape.element is not None:
        return f"java.util.Map<java.lang.String, {_java_class(shape.element)}>"
    return _CLASSES.get(shape.kind, "java.lang.String")


def _token(value: Json) -> str:
    if isinstance(value, str):
        return "STRING_VALUE"
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    return "NUMBER_VALUE" if isinstance(value, int) else "DECIMAL_VALUE"


def _whole(value: int | float) -> int:
    """Fractions are floored (dataplane:SER-3)."""
    if isinstance(value, int):
        return value
    if math.isnan(value):
        return 0
    return math.floor(max(-float(_LARGEST), min(float(_LARGEST), value)))
