"""Checks of what conditions and projections say of a stored item."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.checks.base import Check
from conformance.checks.steps import (
    KEY,
    NULL,
    TRUE,
    aliases,
    answers,
    b,
    condition,
    get,
    holds,
    item,
    many,
    n,
    named,
    put,
    refuses,
    s,
    scan,
)
from reference.api import Item

STORED: Item = {
    "a": s("hello"),
    "b": s("world"),
    "n": n(5),
    "bin": b("aGkgdGhlcmU="),
    "nil": NULL,
    "yep": TRUE,
    "ns": {"NS": ["2", "4", "7"]},
    "ss": {"SS": ["x", "y"]},
    "l": many(n(2), s("dog"), n(7)),
    "m": named(x=n(1), y=named(m=s("p"), n=s("q"))),
}
"""An item with an attribute of every kind; ``gone``, ``lost`` are the names of missing ones."""


def _judged(rule: str, text: str, values: Item | None, count: int) -> Check:
    return answers(
        rule,
        holds(text, values),
        given=[put(STORED)],
        has={"Count": count, "ScannedCount": 1},
        name=f"{text} {values}" if values else text,
    )


def _true(rule: str, text: str, values: Item | None = None) -> Check:
    return _judged(rule, text, values, 1)


def _false(rule: str, text: str, values: Item | None = None) -> Check:
    return _judged(rule, text, values, 0)


TRUTH: tuple[Check, ...] = (
    _false("expressions.precedence", "NOT a = b AND b = a"),
    _true("expressions.precedence", "NOT a = b AND n = :v", {"v": n(5)}),
    _true("expressions.precedence", "a = :h OR b = :h AND n = :h", {"h": s("hello")}),
    _false("expressions.precedence", "(a = :h OR b = :h) AND n = :h", {"h": s("hello")}),
    _true("expressions.precedence", "n bEtWeEn :v aNd :w aNd a = :h", {"v": n(5), "w": n(9), "h": s("hello")}),
    _true("expressions.precedence", "not not not not a = :h", {"h": s("hello")}),
    _true("expressions.precedence", "a = :h or n iN (:v)", {"h": s("no"), "v": n(5)}),
    _false("expressions.equality", "gone = lost"),
    _true("expressions.equality", "NOT gone = lost"),
    _true("expressions.equality", "gone <> :v", {"v": n(5)}),
    _true("expressions.equality", "gone <> lost"),
    _false("expressions.equality", "gone = :v", {"v": NULL}),
    _true("expressions.equality", "nil = :v", {"v": NULL}),
    _false("expressions.equality", "n = :v", {"v": s("5")}),
    _true("expressions.equality", "n <> :v", {"v": s("5")}),
    _true("expressions.equality", ":v = :w", {"v": n("1.0"), "w": n(1)}),
    _true("expressions.equality", "ns = :v", {"v": {"NS": ["7", "2", "4"]}}),
    _true("expressions.equality", "m = :v", {"v": STORED["m"]}),
    _true("expressions.equality", "m.y.n = :v", {"v": s("q")}),
    _true("expressions.equality", "l[1] = :v", {"v": s("dog")}),
    _true("expressions.equality", "pk = :v", {"v": s("a")}),
    _false("expressions.ordering", "gone < :v", {"v": n(5)}),
    _true("expressions.ordering", "n >= :v", {"v": n("4.9")}),
    _false("expressions.ordering", "n < :v", {"v": s("9")}),
    _false("expressions.ordering", "a > n"),
    _false("expressions.ordering", "yep > nil"),
    _false("expressions.ordering", "l >= l[0]"),
    _true("expressions.ordering", "a < b"),
    _true("expressions.ordering", ":v < :w", {"v": n(9), "w": n(10)}),
    _true("expressions.ordering", "a BETWEEN :v AND :w", {"v": s("hello"), "w": s("zebra")}),
    _false("expressions.ordering", "a BETWEEN :v AND :w", {"v": n(1), "w": n(9)}),
    _false("expressions.ordering", "n BETWEEN a AND b"),
    _false("expressions.ordering", "n BETWEEN :v AND a", {"v": n(1)}),
    _true("expressions.ordering", "bin BETWEEN :v AND :w", {"v": b("aGk="), "w": b("aHo=")}),
    _true("expressions.ordering", ":v BETWEEN l[0] AND l[2]", {"v": n(5)}),
    _false("expressions.ordering", "gone BETWEEN :v AND :w", {"v": n(1), "w": n(9)}),
    _true("expressions.in", "n IN (:v, a, :w)", {"v": s("5"), "w": n("5.0")}),
    _false("expressions.in", "gone IN (:v, lost)", {"v": n(5)}),
    answers(
        "expressions.in",
        holds("v IN (w, :x)", {"x": n(2)}),
        given=[put({"v": n(1), "w": n("1.0")})],
        has={"Count": 1, "ScannedCount": 1},
        name="a path among the options",
    ),
    _true("expressions.in", "m IN (:v, :w)", {"v": n(5), "w": STORED["m"]}),
    _true("expressions.in", "ns IN (:v)", {"v": {"NS": ["4", "7", "2"]}}),
    _true("expressions.existence", "attribute_exists(nil)"),
    _true("expressions.existence", "attribute_not_exists(gone)"),
    _true("expressions.existence", "attribute_exists(m.y.m) AND attribute_exists(l[2])"),
    _true("expressions.existence", "attribute_not_exists(l[3]) AND attribute_not_exists(m.z)"),
    _true("expressions.existence", "attribute_not_exists(a.b) AND attribute_not_exists(a[0])"),
    _true("expressions.existence", "attribute_type(nil, :v)", {"v": s("NULL")}),
    _true("expressions.existence", "attribute_type(ns, :v)", {"v": s("NS")}),
    _false("expressions.existence", "attribute_type(ss, :v)", {"v": s("L")}),
    _false("expressions.existence", "attribute_type(gone, :v)", {"v": s("S")}),
    _true("expressions.existence", "attribute_type(:w, :v)", {"v": s("N"), "w": n(1)}),
    _true("expressions.contains", "begins_with(a, :v)", {"v": s("hel")}),
    _true("expressions.contains", "begins_with(a, :v)", {"v": s("")}),
    _false("expressions.contains", "begins_with(n, :v)", {"v": s("5")}),
    _true("expressions.contains", "begins_with(bin, :v)", {"v": b("aGk=")}),
    _false("expressions.contains", "begins_with(gone, :v)", {"v": s("x")}),
    _true("expressions.contains", "begins_with(:v, a)", {"v": s("hello there")}),
    _true("expressions.contains", "contains(a, :v)", {"v": s("ell")}),
    _false("expressions.contains", "contains(a, :v)", {"v": n(1)}),
    _true("expressions.contains", "contains(bin, :v)", {"v": b("dGg=")}),
    _true("expressions.contains", "contains(ss, :v)", {"v": s("y")}),
    _true("expressions.contains", "contains(ns, :v)", {"v": n("4.0")}),
    _false("expressions.contains", "contains(ns, :v)", {"v": s("4")}),
    _true("expressions.contains", "contains(l, :v)", {"v": s("dog")}),
    _false("expressions.contains", "contains(l, :v)", {"v": s("do")}),
    _false("expressions.contains", "contains(:w, :v)", {"v": s("do"), "w": {"SS": ["dog", "cat"]}}),
    _true("expressions.contains", "contains(l, l[2])"),
    _false("expressions.contains", "contains(m, :v)", {"v": s("x")}),
    _false("expressions.contains", "contains(gone, :v)", {"v": s("x")}),
    _true("expressions.contains", "contains(:v, a)", {"v": s("oh hello!")}),
    _true("expressions.size-function", "size(a) = :v", {"v": n(5)}),
    _true("expressions.size-function", "size(bin) = :v", {"v": n(8)}),
    _true("expressions.size-function", "size(ns) = :v AND size(l) = :v", {"v": n(3)}),
    _true("expressions.size-function", ":v = size(a) AND :w < size(a)", {"v": n(5), "w": n(4)}),
    _true("expressions.size-function", "size(:w) = :v", {"v": n(2), "w": {"SS": ["dog", "cat"]}}),
    _true("expressions.size-function", "size(m) = :v", {"v": n(2)}),
    _false("expressions.size-function", "size(n) = :v OR size(n) < :v OR size(n) >= :v", {"v": n(1)}),
    _false("expressions.size-function", "size(yep) = :v OR size(nil) = :v", {"v": n(1)}),
    _false("expressions.size-function", "size(gone) < :v", {"v": n(9)}),
    _false("expressions.size-function", "size(a) = :v", {"v": s("dog")}),
    _true("expressions.size-function", "size(:v) = n", {"v": s("12345")}),
    _true("expressions.size-function", "size(a) BETWEEN :v AND n", {"v": n(1)}),
    _true("expressions.size-function", "size(a) IN (size(b))"),
    _true("expressions.size-of-missing", "size(gone) <> :v", {"v": n(9)}),
    answers(
        "expressions.size-function",
        holds("size(v) = :v", {"v": n(3)}),
        given=[put({"v": s("\U0001f600é")})],
        has={"Count": 1},
        name="UTF-16 units",
    ),
)

CONDITIONED: tuple[Check, ...] = (
    refuses(
        "items.condition-failed",
        condition("attribute_not_exists(pk)"),
        "The conditional request failed",
        code="ConditionalCheckFailedException",
        given=[put()],
        control=condition("attribute_exists(pk)"),
        name="create once",
    ),
    refuses(
        "items.condition-failed",
        condition("v = :v", {"v": n(1)}, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        "The conditional request failed",
        code="ConditionalCheckFailedException",
        given=[put({"v": n(2)})],
        fields={"Item": item(v=n(2))},
        control=condition("v = :v", {"v": n(2)}, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        name="old item",
    ),
    answers("expressions.equality", condition("pk <> :v", {"v": s("a")}), name="key of a missing item", body={}),
)

_DOCUMENT = {"a": named(b=many(n(2), n(4), named(x=s("hi"), y=s("yo"))), c=n(5)), "x": s("top")}


def _a(**members: Mapping[str, object]) -> Item:
    return {"a": {"M": dict(members)}}


def _picked(text: str, picked: Item, stored: Item | None = None, title: str = "", **names: str) -> Check:
    more = aliases(**names) if names else {}
    return answers(
        "expressions.projection",
        get(ProjectionExpression=text, **more),
        given=[put(_DOCUMENT if stored is None else stored)],
        body={"Item": picked},
        name=title or text,
    )


_LIST = {"l": many(s("l0"), s("l1"), s("l2")), "o": many(named(a=n(1), b=n(2), c=n(3)))}

PROJECTED: tuple[Check, ...] = (
    _picked("a.b[0]", _a(b=many(n(2)))),
    _picked("a.b[2].y", _a(b=many(named(y=s("yo"))))),
    _picked("a.b[0], a.b[1]", _a(b=many(n(2), n(4)))),
    _picked("a.b[0], a.c", _a(b=many(n(2)), c=n(5))),
    _picked("a[0]", {}),
    _picked("a.b[0].x", {}),
    _picked("a.b[0][0]", {}),
    _picked("a.x, a.b[0], gone, a.b[3].x", _a(b=many(n(2)))),
    _picked("#l[2], #l[0]", {"l": many(s("l0"), s("l2"))}, _LIST, l="l"),
    _picked("o[0].a, o[0].b", {"o": many(named(a=n(1), b=n(2)))}, _LIST),
    _picked("pk", KEY),
    _picked("#d", {}, {"a": named(b=n(1))}, "no path in a name", d="a.b"),
    _picked("#d", {"a.b": n(2)}, {"a": named(b=n(1)), "a.b": n(2)}, "dot in a name", d="a.b"),
    answers(
        "expressions.projection",
        scan(ProjectionExpression="gone"),
        given=[put(_DOCUMENT)],
        has={"Items": [{}], "Count": 1},
        name="rows of nothing",
    ),
)

CHECKS: tuple[Check, ...] = (*TRUTH, *CONDITIONED, *PROJECTED)
