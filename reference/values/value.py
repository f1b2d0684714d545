"""Attribute values: normal form, type, size and order.

In normal form a number is canonical text and a set is sorted, so that deep equality is Python's ``==``
(dataplane:COND-1). A value already in normal form is returned as it is, not copied: nobody may mutate it.
"""

from __future__ import annotations

import json
from binascii import Error as BinasciiError
from binascii import a2b_base64
from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from operator import is_
from typing import Any, cast

from reference.api import AttributeValue, Item, Json
from reference.rules import Cohort, Violation, violation
from reference.values.number import decimal, normal, number_size

MAX_NESTING = 31
"""Lists and maps that may wrap a value (dataplane:TYPE-7)."""

DEEPEST_CURRENT = 62
"""Wraps past which single-item operations read the whole request in their older wording (conflicts:12)."""

MAX_NAME_BYTES = 65_535
"""Bytes of the longest attribute name or map key (dataplane:TYPE-5)."""

_UNMEASURED_NAME = MAX_NAME_BYTES // 4
"""Characters of the longest name that fits whatever it is made of."""

_TEXT = frozenset({str})
_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no"})


def normalise(value: Json, layer: Cohort, found: list[Violation]) -> AttributeValue | None:
    """The value in normal form, or None when it is unusable.

    Every violation met is appended to ``found``, in the order the service meets them, numbers read as ``layer`` does. A
    member of the wrong JSON type makes the value unusable without a word: that is for the deserialiser to report.
    """
    return _value(value, layer, found, 0)


def _value(value: Json, layer: Cohort, found: list[Violation], level: int) -> AttributeValue | None:
    if type(value) is not dict or len(value) != 1:
        return _any(value, layer, found, level)
    ((tag, inner),) = value.items()
    if type(inner) is str:
        if tag == "S" or tag == "B":
            return value
        if tag == "N" and (number := normal(inner, layer)).__class__ is str:
            return value if number is inner else {"N": number}
    elif inner is True and (tag == "BOOL" or tag == "NULL"):
        return value
    if tag not in _READERS or inner is None:
        return _any(value, layer, found, level)
    kept = _READERS[tag](inner, layer, found, level)
    return None if kept is None else value if kept is inner else {tag: kept}


def _any(value: Json, layer: Cohort, found: list[Violation], level: int) -> AttributeValue | None:
    """A value that may have no type or several; unknown members are ignored and null is absent (dataplane:SER-1)."""
    if value is None:
        value = {}
    if type(value) is not dict:
        return None
    members = [(tag, inner) for tag, inner in value.items() if tag in _READERS and inner is not None]
    if len(members) == 1:
        return _value(dict(members), layer, found, level)
    for tag, inner in members:
        _READERS[tag](inner, layer, found, level)
    found.append(violation("values.many-types" if members else "values.empty-value"))
    return None


def _text(inner: Json, _layer: Cohort, _found: list[Violation], _level: int) -> str | None:
    return inner if type(inner) is str else None


def _number(inner: Json, layer: Cohort, found: list[Violation], _level: int) -> str | None:
    if type(inner) is not str:
        return None
    number = normal(inner, layer)
    if isinstance(number, Violation):
        found.append(number)
        return None
    return number


def _flag(inner: Json, _layer: Cohort, _found: list[Violation], _level: int) -> bool | None:
    if type(inner) is bool:
        return inner
    if type(inner) is str:
        word = inner.lower()
        return True if word in _TRUE else False if word in _FALSE else None
    return None


def _null(inner: Json, layer: Cohort, found: list[Violation], level: int) -> bool | None:
    flag = _flag(inner, layer, found, level)
    if flag is False:
        found.append(violation("values.null-false"))
        return None
    return flag


def _string_set(inner: Json, _layer: Cohort, found: list[Violation], _level: int) -> list[str] | None:
    if not _texts(inner, found, "values.null-string"):
        return None
    if not inner:
        found.append(violation("values.empty-string-set"))
        return None
    if len(set(inner)) < len(inner):
        quoted = ", ".join(json.dumps(member, ensure_ascii=False) for member in _up_to_repeat(inner, str))
        found.append(violation("values.duplicate-strings", quoted=quoted, sent=", ".join(inner)))
        return None
    return _sorted(inner, None)


def _number_set(inner: Json, layer: Cohort, found: list[Violation], level: int) -> list[str] | None:
    if not _texts(inner, found):
        return None
    if not inner:
        found.append(violation("values.empty-number-set"))
        return None
    numbers = [number for member in inner if (number := _number(member, layer, found, level)) is not None]
    if len(numbers) < len(inner):
        return None
    if len(set(numbers)) < len(numbers):
        found.append(violation("values.duplicate-numbers"))
        return None
    ordered = _sorted(numbers, decimal)
    return inner if ordered == inner else ordered


def _binary_set(inner: Json, _layer: Cohort, found: list[Violation], _level: int) -> list[str] | None:
    if not _texts(inner, found):
        return None
    if not inner:
        found.append(violation("values.empty-binary-set"))
        return None
    if len({binary(member) for member in inner}) < len(inner):
        quoted = ",".join(f'"{member}"' for member in _up_to_repeat(inner, binary))
        found.append(violation("values.duplicate-binaries", quoted=quoted, sent=", ".join(inner)))
        return None
    return _sorted(inner, binary)


def _list(inner: Json, layer: Cohort, found: list[Violation], level: int) -> list[AttributeValue] | None:
    if type(inner) is not list or _nested_too_deep(found, level):
        return None
    kept = [_value(element, layer, found, level + 1) for element in inner]
    return None if None in kept else cast("list[AttributeValue]", inner if all(map(is_, kept, inner)) else kept)


def _map(inner: Json, layer: Cohort, found: list[Violation], level: int) -> dict[str, AttributeValue] | None:
    if type(inner) is not dict or _nested_too_deep(found, level):
        return None
    bad = check_names(inner, found)
    kept = [_value(element, layer, found, level + 1) for element in inner.values()]
    if bad or None in kept:
        return None
    return inner if all(map(is_, kept, inner.values())) else cast("Item", dict(zip(inner, kept, strict=True)))


_READERS: dict[str, Callable[[Json, Cohort, list[Violation], int], Any]] = {
    "S": _text,
    "N": _number,
    "B": _text,
    "BOOL": _flag,
    "NULL": _null,
    "SS": _string_set,
    "NS": _number_set,
    "BS": _binary_set,
    "L": _list,
    "M": _map,
}

TYPES = tuple(_READERS)
"""The type tags of the wire form (dataplane:TYPE-1)."""


def _texts(inner: Json, found: list[Violation], null: str = "values.null-member") -> bool:
    """Whether the members of a set are texts. Only a null among them is told: the rest is the deserialiser's affair."""
    if type(inner) is not list:
        return False
    if set(map(type, inner)) <= _TEXT:
        return True
    if None in inner:
        found.append(violation(null))
    return False


def _nested_too_deep(found: list[Violation], level: int) -> bool:
    if level < MAX_NESTING:
        return False
    if not found or found[-1].rule.name != "values.nesting":
        found.append(violation("values.nesting"))
    return True


def _sorted(members: list[str], key: Callable[[str], Any] | None) -> list[str]:
    ordered = sorted(members, key=key)
    return members if ordered == members else ordered


def _up_to_repeat(members: list[str], key: Callable[[str], Any]) -> list[str]:
    """The members in order up to the first that repeats an earlier one, and from that one on as sent (conflicts:5)."""
    seen: set[Any] = set()
    for position, member in enumerate(members):
        if key(member) in seen:
            return [*sorted(members[:position], key=key), *members[position:]]
        seen.add(key(member))
    return members


def check_names(names: Collection[str], found: list[Violation]) -> bool:
    """Append what is wrong with attribute names or map keys; whether anything is (dataplane:TYPE-5)."""
    if "" not in names and len("".join(names)) <= _UNMEASURED_NAME:
        return False
    before = len(found)
    for name in names:
        if not name:
            found.append(violation("values.empty-name"))
        elif len(name) > _UNMEASURED_NAME and text_size(name) > MAX_NAME_BYTES:
            found.append(violation("values.name-too-long"))
    return len(found) > before


def depth(value: Json) -> int:
    """How many lists and maps wrap the deepest part of a value; any JSON will do, however deep."""
    wraps = 0
    level = [value]
    while level:
        below: list[Json] = []
        wrapped = False
        for each in level:
            if type(each) is not dict:
                continue
            inner = each.get("L")
            if type(inner) is list:
                wrapped = True
                below += inner
            inner = each.get("M")
            if type(inner) is dict:
                wrapped = True
                below += inner.values()
        wraps += wrapped
        level = below
    return wraps


def type_of(value: AttributeValue) -> str:
    """The type tag of a value: S, N, B, BOOL, NULL, L, M, SS, NS or BS."""
    for tag in value:
        return tag
    raise ValueError("an attribute value has a type; this one is {}")


def is_scalar_key_type(tag: str) -> bool:
    """Whether values of this type may be keys (dataplane:KEY-1)."""
    return tag == "S" or tag == "N" or tag == "B"


def text_size(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def binary(text: str) -> bytes:
    """The bytes of a base64 text; of one that isn't base64, its own bytes."""
    try:
        return a2b_base64(text)
    except (BinasciiError, ValueError):
        return text.encode("utf-8", "surrogatepass")


def binary_size(text: str) -> int:
    """How many bytes a base64 text stands for, without decoding it."""
    return len(text) // 4 * 3 - (2 if text.endswith("==") else 1 if text.endswith("=") else 0)


def size(value: AttributeValue) -> int:
    """Bytes of a value in normal form (dataplane:SIZE-2 to SIZE-5)."""
    ((tag, inner),) = value.items()
    if tag == "S":
        return len(inner) if inner.isascii() else text_size(inner)
    if tag == "N":
        return number_size(inner)
    if tag == "B":
        return binary_size(inner)
    return _compound_size(tag, inner)


def _compound_size(tag: str, inner: Json) -> int:
    if tag == "SS":
        return text_size("".join(inner))
    if tag == "NS":
        return sum(map(number_size, inner))
    if tag == "BS":
        return sum(map(binary_size, inner))
    if tag == "BOOL" or tag == "NULL":
        return 1
    total = 0
    # A stack, not recursion: values installed from a target may be nested deeper than the service allows.
    stack = [{tag: inner}]
    while stack:
        value = stack.pop()
        ((tag, inner),) = value.items()
        if tag == "M":
            total += 3 + len(inner) + text_size("".join(inner))
            stack += inner.values()
        elif tag == "L":
            total += 3 + len(inner)
            stack += inner
        else:
            total += size(value)
    return total


def sort_key(value: AttributeValue) -> str | Decimal | bytes:
    """What an S, N or B value sorts by: its text, whose code points order as UTF-8 does, its number, its bytes.

    TypeError for any other type (dataplane:KEY-11).
    """
    ((tag, inner),) = value.items()
    if tag == "S":
        text: str = inner
        return text
    if tag == "N":
        return decimal(inner)
    if tag == "B":
        return binary(inner)
    raise TypeError(f"values of type {tag} have no order")


def compare(a: AttributeValue, b: AttributeValue) -> int | None:
    """-1, 0 or 1 as a sorts before, with or after b; None unless both are S, both N or both B (dataplane:COND-2)."""
    ((tag, left),) = a.items()
    ((other, right),) = b.items()
    if tag != other:
        return None
    if tag == "N":
        left, right = decimal(left), decimal(right)
    elif tag == "B":
        left, right = binary(left), binary(right)
    elif tag != "S":
        return None
    return -1 if left < right else int(left > right)


def order_sets(tag: str, members: Iterable[str]) -> list[str]:
    """The normal form of the members of an SS, NS or BS: by bytes, and for NS by value (conflicts:7)."""
    return sorted(members, key=decimal if tag == "NS" else binary if tag == "BS" else None)
