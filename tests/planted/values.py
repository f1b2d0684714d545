"""Bugs of values: numbers, sets, nesting, order."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any

from conformance.checks.base import table
from conformance.checks.steps import NULL, PLAIN, SORTED, b, deep, get, many, n, named, put, query, s, update
from reference.api import Call, Item
from reference.expressions import update as updates
from reference.operations import shared
from reference.rules import Violation
from reference.service import Service
from reference.values import number, value
from reference.values.item import normalise_item
from tests.planted.base import Body, Plant, answers, in_table, patched, plant, stores

_NUMBER_HASH = {"t0": table(key="pk:N")}
_NUMBER_RANGE = {"t0": table(key="pk:S,sk:N")}
_BINARY_RANGE = {"t0": table(key="pk:S,sk:B")}


def _spelt(call: Call, stored: Item) -> Item:
    """Numbers of a PutItem as the request wrote them, except keys."""
    given = call.body["Item"]
    keys = ("pk", "sk")
    return {k: dict(given[k]) if "N" in v and k not in keys and k in given else v for k, v in stored.items()}


def _minus_zero(call: Call, stored: Item) -> Item:
    given = call.body["Item"]
    return {k: {"N": "-0"} if v == {"N": "0"} and given.get(k, {}).get("N") == "-0" else v for k, v in stored.items()}


def _floats(call: Call, stored: Item) -> Item:
    return {k: {"N": _float(v["N"])} if "N" in v and k not in ("pk", "sk") else v for k, v in stored.items()}


def _float(text: str) -> str:
    return number.text(Decimal(repr(float(text))))


def _float_sum(a: str, b: str) -> str | Violation:
    return number.text(Decimal(repr(float(a) + float(b))))


def _float_difference(a: str, b: str) -> str | Violation:
    return number.text(Decimal(repr(float(a) - float(b))))


def _rounded_sum(a: str, b: str) -> str | Violation:
    return number.text(Context(prec=38).add(Decimal(a), Decimal(b)))


def _keeps_key_spelling(given: Any, layer: Any, found: list[Violation], *rest: Any) -> Item | None:
    kept = normalise_item(given, layer, found, *rest)
    if kept is None or "N" not in kept.get("pk", {}):
        return kept
    return {**kept, "pk": {"N": given["pk"]["N"]}}


def _resorted(order: Any) -> Any:
    """Whole, forward answers of a table's Query, sorted by another key."""

    def alter(service: Service, call: Call, body: Body) -> Body:
        if any(call.body.get(m) is not None for m in ("IndexName", "Limit", "ExclusiveStartKey")):
            return body
        if "LastEvaluatedKey" in body or call.body.get("ScanIndexForward") is False:
            return body
        items = body.get("Items")
        return {**body, "Items": sorted(items, key=order)} if items and all("sk" in i for i in items) else body

    return answers(alter, "Query")


def _utf16(found: Item) -> bytes:
    return found["sk"].get("S", "").encode("utf-16-be")


def _as_text(found: Item) -> str:
    return str(found["sk"].get("N", ""))


def _signed(found: Item) -> list[int]:
    return [byte - 256 if byte > 127 else byte for byte in value.binary(found["sk"].get("B", ""))]


def _once(reader: Any) -> Any:
    def read(inner: Any, *rest: Any) -> Any:
        return reader(list(dict.fromkeys(inner)) if type(inner) is list else inner, *rest)

    return read


def _once_by_value(inner: Any, layer: Any, *rest: Any) -> Any:
    seen: dict[Any, str] = {}
    for member in inner if type(inner) is list else ():
        seen.setdefault(number.normal(member, layer) if type(member) is str else repr(member), member)
    return value._number_set(list(seen.values()) if seen else inner, layer, *rest)


def _empty_allowed(reader: Any) -> Any:
    def read(inner: Any, *rest: Any) -> Any:
        return [] if inner == [] else reader(inner, *rest)

    return read


def _null(inner: Any, *rest: Any) -> Any:
    return True if inner is False else value._null(inner, *rest)


def _rows(*keys: Any) -> tuple[Any, ...]:
    return tuple(put({"sk": key}) for key in keys)


_ALL = query("pk = :p", {"p": s("a")})

PLANTS: tuple[Plant, ...] = (
    plant(
        "number-through-float",
        "Numbers are stored as binary floating point, so digits beyond the 17th are lost.",
        "values", PLAIN, put({"v": n("12345678901234567890.12345678")}), get(),
        does=stores(_floats),
    ),
    plant(
        "number-keeps-spelling",
        "A number comes back as it was written (1.50, 007) and not in normal form.",
        "values", PLAIN, put({"v": n("2.50")}), get(),
        does=stores(_spelt, "PutItem"),
    ),
    plant(
        "number-minus-zero",
        "-0 is kept apart from 0.",
        "values", PLAIN, put({"v": n("-0")}), get(),
        does=stores(_minus_zero, "PutItem"),
    ),
    plant(
        "number-sum-through-float",
        "Arithmetic in update expressions is done in binary floating point: 0.1 + 0.2.",
        "values", PLAIN, put({"v": n("0.1")}), update("SET v = v + :d", {"d": n("0.2")}), get(),
        patches=(patched(updates, add=_float_sum, subtract=_float_difference),),
    ),
    plant(
        "number-sum-rounded",
        "A sum of more than 38 digits is rounded where it must be refused.",
        "values", PLAIN, put({"v": n("1e10")}), update("ADD v :d", {"d": n("1e-130")}),
        patches=(patched(updates, add=_rounded_sum),),
    ),
    plant(
        "number-key-by-spelling",
        "Keys 1 and 1.0 are two items, because number keys are compared as texts.",
        "values", _NUMBER_HASH, put({"pk": n("1")}), put({"pk": n("1.0"), "v": n(2)}), get({"pk": n("1")}),
        patches=(patched(shared, normalise_item=_keeps_key_spelling),),
    ),
    plant(
        "number-digits-limit",
        "Numbers of 39 and 40 digits are accepted.",
        "values", PLAIN, put({"v": n("1" * 39)}),
        patches=(patched(number, MAX_DIGITS=40),),
    ),
    plant(
        "number-magnitude-limit",
        "1e126 is accepted, one power of ten too large.",
        "values", PLAIN, put({"v": n("1e126")}),
        patches=(patched(number, MAX_POINT=127),),
    ),
    plant(
        "sort-strings-by-utf16",
        "String sort keys are ordered by UTF-16 code units, not by UTF-8 bytes.",
        "values", SORTED, *_rows(s("\uffee"), s("😀")), _ALL,
        says=_resorted(_utf16),
    ),
    plant(
        "sort-numbers-as-text",
        "Number sort keys are ordered as texts: 10 before 9.",
        "values", _NUMBER_RANGE, *_rows(n(2), n(10)), _ALL,
        says=_resorted(_as_text),
    ),
    plant(
        "sort-bytes-signed",
        "Binary sort keys are ordered by signed bytes.",
        "values", _BINARY_RANGE, *_rows(b("AQ=="), b("/w==")), _ALL,
        says=_resorted(_signed),
    ),
    plant(
        "set-duplicates-dropped",
        "A string set with a repeated member is accepted and made one.",
        "values", PLAIN, put({"v": {"SS": ["a", "a"]}}),
        patches=(in_table(value._READERS, SS=_once(value._string_set)),),
    ),
    plant(
        "number-set-duplicates-dropped",
        "A number set that writes one number twice (1 and 1.0) is accepted.",
        "values", PLAIN, put({"v": {"NS": ["1", "1.0"]}}),
        patches=(in_table(value._READERS, NS=_once_by_value),),
    ),
    plant(
        "empty-set-stored",
        "An empty string set is stored.",
        "values", PLAIN, put({"v": {"SS": []}}),
        patches=(in_table(value._READERS, SS=_empty_allowed(value._string_set)),),
    ),
    plant(
        "null-false",
        "A NULL value of false is accepted.",
        "values", PLAIN, put({"v": {"NULL": False}}),
        patches=(in_table(value._READERS, NULL=_null),),
    ),
    plant(
        "nesting-limit",
        "Values nested one level deeper than allowed are accepted.",
        "values", PLAIN, put({"v": deep(32)}),
        patches=(patched(value, MAX_NESTING=32),),
    ),
    plant(
        "empty-string-to-null",
        "An empty string attribute is stored as NULL, as DynamoDB once demanded of its clients.",
        "values", PLAIN, put({"v": s("")}), get(),
        does=stores(lambda call, found: {k: NULL if v == {"S": ""} else v for k, v in found.items()}),
    ),
    plant(
        "empty-map-dropped",
        "An attribute that holds an empty map is not stored.",
        "values", PLAIN, put({"v": named()}), get(),
        does=stores(lambda call, found: {k: v for k, v in found.items() if v != {"M": {}}}),
    ),
    plant(
        "nested-empty-list-dropped",
        "Empty lists inside lists are lost.",
        "values", PLAIN, put({"v": many(many(), n(1))}), get(),
        does=stores(
            lambda call, found: {
                k: {"L": [e for e in v["L"] if e != {"L": []}]} if "L" in v else v for k, v in found.items()
            }
        ),
    ),
)  # fmt: skip
