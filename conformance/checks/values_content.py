"""Checks of what values hold: nesting, names, what is read back, sizes, equality and order."""

from __future__ import annotations

from conformance.checks.base import T0, Check
from conformance.checks.steps import (
    ENVELOPE,
    NULL,
    NUMBERED,
    SORTED,
    TRUE,
    answers,
    b,
    batch_put,
    deep,
    get,
    holds,
    item,
    many,
    n,
    named,
    partition,
    put,
    refuses,
    s,
    t_check,
    t_put,
    transact,
    update,
)
from conformance.checks.values import NESTING
from reference.api import AttributeValue, Item

NO_NAME = "Empty attribute name"
LONG_NAME = "n" * 65535

_NULL_STRING = "One or more parameter values were invalid: An string set may not have a null string as a member"

MEMBERS: tuple[Check, ...] = (
    *(
        refuses("values.null-string", put({"v": value}), phrase=_NULL_STRING, control=put({"v": control}), name=name)
        for name, value, control in (
            ("SS", {"SS": ["a", None]}, {"SS": ["a"]}),
            ("in a list", many({"SS": ["a", None]}), many({"SS": ["a"]})),
            ("in a map", named(k={"SS": ["a", None]}), named(k={"SS": ["a"]})),
        )
    ),
    refuses("values.null-member", put({"v": {"NS": [None]}}), phrase="", control=put({"v": {"NS": ["1"]}}), name="NS"),
)

DEPTH: tuple[Check, ...] = (
    refuses(
        "values.nesting", put({"v": deep(32)}), ENVELOPE + NESTING, control=put({"v": deep(31)}), name="PutItem-32"
    ),
    refuses(
        "values.nesting", put({"v": deep(61)}), ENVELOPE + NESTING, control=put({"v": deep(31)}), name="PutItem-61"
    ),
    refuses("values.nesting", put({"v": deep(63)}), NESTING, control=put({"v": deep(31)}), name="PutItem-63"),
    refuses("values.nesting", put({"v": deep(101)}), NESTING, control=put({"v": deep(31)}), name="PutItem-101"),
    refuses(
        "values.nesting",
        update("SET v = :v", {"v": deep(32)}),
        ENVELOPE + NESTING,
        control=update("SET v = :v", {"v": deep(31)}),
        name="UpdateItem-32",
    ),
    refuses(
        "values.nesting",
        update("SET v = :v", {"v": deep(61)}),
        ENVELOPE + NESTING,
        control=update("SET v = :v", {"v": deep(31)}),
        name="UpdateItem-61",
    ),
    refuses(
        "values.nesting",
        batch_put(item(v=deep(32))),
        NESTING,
        control=batch_put(item(v=deep(31))),
        name="BatchWriteItem",
    ),
    refuses(
        "values.nesting",
        transact(t_put({"v": deep(32)})),
        NESTING,
        control=transact(t_put({"v": deep(31)})),
        name="TransactWriteItems",
    ),
    refuses(
        "values.nesting",
        put({"v": {"M": {"w": deep(31)}}}),
        ENVELOPE + NESTING,
        control=put({"v": {"M": {"w": deep(30)}}}),
        name="maps",
    ),
    refuses(
        "values.nesting",
        update("SET v = :deep", {"deep": deep(63)}),
        f"ExpressionAttributeValues contains invalid value: {NESTING} for key :deep",
        control=update("SET v = :deep", {"deep": deep(31)}),
        name="UpdateItem-63, keyed",
    ),
    refuses(
        "values.nesting",
        transact(t_check("v <> :deep", {"deep": deep(61)})),
        f"ExpressionAttributeValues contains invalid value: {NESTING} for key :deep",
        control=transact(t_check("v <> :deep", {"deep": deep(31)})),
        name="TransactWriteItems-61, keyed",
    ),
)

NAMES: tuple[Check, ...] = (
    refuses(
        "values.empty-name",
        transact(t_put({"": s("x")})),
        NO_NAME,
        control=transact(t_put({" ": s("x")})),
        name="transaction",
    ),
    refuses("values.empty-name", put({"": s("x")}), ENVELOPE + NO_NAME, control=put({" ": s("x")}), name="PutItem"),
    refuses(
        "values.empty-name",
        put({"v": {"M": {"": s("x")}}}),
        ENVELOPE + NO_NAME,
        control=put({"v": {"M": {" ": s("x")}}}),
        name="map-key",
    ),
    refuses(
        "values.name-too-long",
        put({LONG_NAME + "n": s("x")}),
        phrase="6553",
        control=put({LONG_NAME: s("x")}),
    ),
    refuses(
        "values.names-first",
        transact(t_put({"v": deep(100), "": s("x")})),
        NO_NAME,
        name="names-before-depth",
    ),
    refuses(
        "values.names-first",
        transact(t_put({"v": {"M": {"": s("x")}}, "w": deep(40)})),
        NESTING,
        name="depth-before-map-keys",
    ),
)


def _read_back(name: str, value: AttributeValue) -> Check:
    return answers("values.round-trip", get(), given=[put({"v": value})], body={"Item": item(v=value)}, name=name)


STORED: tuple[Check, ...] = (
    _read_back("empty string", s("")),
    _read_back("empty binary", b("")),
    _read_back("any bytes", b("AP+A/g==")),
    _read_back("NUL and beyond the BMP", s("a\0b é \U0001f600 \u2028")),
    _read_back("combining characters", s("e\u0301 \u00e9")),
    _read_back("null", NULL),
    _read_back("false", {"BOOL": False}),
    _read_back("empty list", many()),
    _read_back("empty map", named()),
    _read_back("empty members of sets", {"SS": ["", "a"]}),
    _read_back("empty binary in a set", {"BS": ["", "AA=="]}),
    _read_back("mixed list", many(n(1), s("1"), NULL, TRUE, many(), named(x=b("AA==")), {"NS": ["1", "-2"]})),
    _read_back("nested map", named(x=named(y=named(z=s("deep"))))),
    _read_back("31 levels", deep(31, s("leaf"))),
)


def _true(rule: str, name: str, text: str, values: Item, attributes: Item, *, count: int = 1) -> Check:
    """A condition that is true, or with ``count=0`` false, of one stored item."""
    return answers(rule, holds(text, values), given=[put(attributes)], has={"Count": count}, name=name)


COMPARED: tuple[Check, ...] = (
    _true("values.equality", "sets", "v = :v", {"v": {"NS": ["2", "1"]}}, {"v": {"NS": ["1", "2"]}}),
    _true("values.equality", "list order", "v = :v", {"v": many(n(2), n(1))}, {"v": many(n(1), n(2))}, count=0),
    _true("values.equality", "maps", "v = :v", {"v": named(y=n("1.0"), x=s("a"))}, {"v": named(x=s("a"), y=n(1))}),
    _true("values.equality", "types", "v = :v", {"v": s("1")}, {"v": n(1)}, count=0),
    _true(
        "values.equality",
        "long set members",
        "v = :v",
        {"v": {"NS": ["123456789012345678"]}},
        {"v": {"NS": ["123456789012345679"]}},
        count=0,
    ),
    _true("values.equality", "set and list", "v = :v", {"v": {"SS": ["a"]}}, {"v": many(s("a"))}, count=0),
    _true("values.equality", "nested sets", "v = :v", {"v": many({"SS": ["b", "a"]})}, {"v": many({"SS": ["a", "b"]})}),
    _true("values.order", "bytes of UTF-8", "v > :v", {"v": s("\uffff")}, {"v": s("\U0001f600")}),
    _true("values.order", "prefix", "v < :v", {"v": s("ab")}, {"v": s("a")}),
    _true("values.order", "case", "v < :v", {"v": s("a")}, {"v": s("Z")}),
    _true("values.order", "unsigned bytes", "v > :v", {"v": b("fw==")}, {"v": b("gA==")}),
    _true("values.order", "numbers", "v < :v", {"v": n(10)}, {"v": n(9)}),
    _true("values.order", "negative numbers", "v < :v", {"v": n("-9")}, {"v": n("-10")}),
    _true("values.order", "mixed types", "v < :v", {"v": n(10)}, {"v": s("1")}, count=0),
    _true("values.order", "mixed types, reversed", "v >= :v", {"v": n(10)}, {"v": s("1")}, count=0),
    _true("values.order", "no order of BOOL", "v <= w", {}, {"v": TRUE, "w": TRUE}, count=0),
    answers(
        "values.order",
        partition(ProjectionExpression="sk"),
        tables=NUMBERED,
        given=[batch_put(*(item(sk=n(x)) for x in ("10", "9", "-1", "1e2", "0.5", "-20")))],
        has={"Items": [{"sk": n(x)} for x in ("-20", "-1", "0.5", "9", "10", "100")]},
        name="number keys",
    ),
    answers(
        "values.order",
        partition(ProjectionExpression="sk"),
        tables=SORTED,
        given=[batch_put(*(item(sk=s(x)) for x in ("b", "a", "B", "ab", "é", "\U0001f600", "\uffff")))],
        has={"Items": [{"sk": s(x)} for x in ("B", "a", "ab", "b", "é", "\uffff", "\U0001f600")]},
        name="string keys",
    ),
)

_NUMBER_SIZES = {
    "0": 1, "1": 2, "12": 2, "123": 3, "1234": 3, "1" * 38: 20, "0042": 2, "100": 2, "1010": 3, "0.0000001": 2,
    "1E125": 2, "1E-100": 2, "1.5": 3, "15": 2, "1.234": 4, "3.14159": 5, "123456": 4, "100.5": 4, "0.15": 2,
    "-42": 3, "-0": 1,
}  # fmt: skip

_VALUE_SIZES: tuple[tuple[AttributeValue, int], ...] = (
    (s(""), 0), (s("abc"), 3), (s("é"), 2), (s("\U0001f600"), 4), (b(""), 0), (b("AAEC"), 3), (TRUE, 1), (NULL, 1),
    (many(), 3), (many(s("ab")), 6), (many(s("ab"), many()), 10), (named(), 3), (named(xy=s("ab")), 8),
    (named(x=named(y=TRUE)), 11), ({"SS": ["a", "bc"]}, 3), ({"NS": ["1", "-42"]}, 5), ({"BS": ["AA==", "AAEC"]}, 4),
)  # fmt: skip


def _padded(name: str, value: AttributeValue, size: int, position: int, extra: int) -> Item:
    """An item of 1,024 bytes and ``extra``: key ``pk`` 5 bytes, ``v`` with its value, ``p`` for the rest."""
    key = f"{position:03}"
    fixed = len("pk") + len(key) + len(name.encode()) + size + len("p")
    return {"pk": s(key), name: value, "p": s("p" * (1024 + extra - fixed))}


def _cost(rule: str, name: str, values: list[tuple[str, AttributeValue, int]], extra: int) -> Check:
    """One write unit for each item of 1,024 bytes, and two for each item of one byte more."""
    items = [_padded(attribute, value, size, i, extra) for i, (attribute, value, size) in enumerate(values)]
    units = float(len(values) * (2 if extra else 1))
    consumed = [{"TableName": T0, "CapacityUnits": units}]
    return answers(
        rule, batch_put(*items, ReturnConsumedCapacity="TOTAL"), has={"ConsumedCapacity": consumed}, name=name
    )


_SIZED_NUMBERS = [("v", n(text), size) for text, size in _NUMBER_SIZES.items()]
_SIZED_VALUES = [("v", value, size) for value, size in _VALUE_SIZES]
_SIZED_NAMES: list[tuple[str, AttributeValue, int]] = [("v", s("x"), 1), ("é", s("x"), 1), ("\U0001f600", s(""), 0)]

SIZES: tuple[Check, ...] = (
    _cost("values.number-size", "within 1 KB", _SIZED_NUMBERS, 0),
    _cost("values.number-size", "over 1 KB", _SIZED_NUMBERS, 1),
    _cost("values.size", "within 1 KB", _SIZED_VALUES, 0),
    _cost("values.size", "over 1 KB", _SIZED_VALUES, 1),
    _cost("values.item-size", "within 1 KB", _SIZED_NAMES, 0),
    _cost("values.item-size", "over 1 KB", _SIZED_NAMES, 1),
)

CHECKS: tuple[Check, ...] = (*MEMBERS, *DEPTH, *NAMES, *STORED, *COMPARED, *SIZES)
