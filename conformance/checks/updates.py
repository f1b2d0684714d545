"""Checks of what update expressions do to an item, and of what UpdateItem returns of it."""

from __future__ import annotations

from conformance.checks.base import Check
from conformance.checks.steps import (
    KEY,
    NULL,
    answers,
    get,
    item,
    many,
    n,
    named,
    put,
    refuses,
    s,
    t_update,
    transact,
    update,
)
from conformance.program import Step
from reference.api import Item

PATH = "The document path provided in the update expression is invalid for update"
MISSING = "The provided expression refers to an attribute that does not exist in the item"
STORED_TYPE = "An operand in the update expression has an incorrect data type"


def _becomes(
    rule: str, expression: str, before: Item, after: Item, values: Item | None = None, name: str | None = None
) -> Check:
    """An update of a stored item, and the item read after it."""
    return answers(
        rule,
        get(),
        given=[put(before), update(expression, values)],
        body={"Item": item(after)},
        name=name or expression,
    )


def _words(*texts: str) -> Item:
    return {"a": many(*map(s, texts))}


APPLIED: tuple[Check, ...] = (
    _becomes("expressions.reads-before", "SET a = b, b = a", {"a": n(1), "b": n(2)}, {"a": n(2), "b": n(1)}),
    _becomes("expressions.reads-before", "SET a = :v, b = a", {"a": n(1)}, {"a": n(9), "b": n(1)}, {"v": n(9)}),
    _becomes("expressions.reads-before", "REMOVE a SET b = a", {"a": n(1)}, {"b": n(1)}),
    _becomes("expressions.reads-before", "ADD a :v SET b = a + :v", {"a": n(1)}, {"a": n(3), "b": n(3)}, {"v": n(2)}),
    _becomes(
        "expressions.list-append-past-end",
        "SET a[7] = :v",
        _words("one", "two", "three"),
        _words("one", "two", "three", "hello"),
        {"v": s("hello")},
    ),
    _becomes(
        "expressions.list-append-past-end",
        "SET a[84] = :a1, a[37] = :a2, a[17] = :a3, a[50] = :a4",
        _words("one", "two", "three", "hello"),
        _words("one", "two", "three", "hello", "a3", "a2", "a4", "a1"),
        {name: s(name) for name in ("a1", "a2", "a3", "a4")},
    ),
    _becomes(
        "expressions.list-append-past-end",
        "SET a[84] = :p, a[17] = :q",
        _words("a", "b", "c"),
        _words("a", "b", "c", "q", "p"),
        {"p": s("p"), "q": s("q")},
    ),
    _becomes(
        "expressions.list-append-past-end", "SET a[1] = :p", _words("a", "b", "c"), _words("a", "p", "c"), {"p": s("p")}
    ),
    _becomes("expressions.remove", "REMOVE a[1], a[3]", _words("1", "2", "3", "4", "5"), _words("1", "3", "5")),
    _becomes("expressions.remove", "REMOVE a[0], a[2]", _words("a", "b", "c"), _words("b")),
    _becomes("expressions.remove", "REMOVE a[99]", _words("a"), _words("a")),
    _becomes("expressions.remove", "REMOVE a[0]", _words("a"), _words()),
    _becomes("expressions.remove", "REMOVE a.x", {"a": named(x=n(1))}, {"a": named()}),
    _becomes("expressions.remove", "REMOVE a.y", {"a": named(x=n(1))}, {"a": named(x=n(1))}),
    _becomes("expressions.remove", "REMOVE gone, b", {"b": n(1)}, {}),
    _becomes("expressions.remove", "REMOVE a[0] SET a[1] = :v", _words("a", "b", "c"), _words("v", "c"), {"v": s("v")}),
    answers("expressions.remove", update("REMOVE x.y, z[0], b"), body={}, name="missing item"),
    _becomes("expressions.if-not-exists", "SET a = if_not_exists(a, :v)", {"a": NULL}, {"a": NULL}, {"v": n(1)}),
    _becomes("expressions.if-not-exists", "SET a = if_not_exists(b, :v)", {"a": n(5)}, {"a": n(1)}, {"v": n(1)}),
    _becomes("expressions.if-not-exists", "SET a = if_not_exists(a, :v) + :v", {}, {"a": n(2)}, {"v": n(1)}),
    _becomes(
        "expressions.if-not-exists",
        "SET a = if_not_exists(b, if_not_exists(c, :v))",
        {"c": s("c")},
        {"c": s("c"), "a": s("c")},
        {"v": n(1)},
    ),
    _becomes(
        "expressions.if-not-exists",
        "SET a = list_append(if_not_exists(a, :none), :v)",
        {},
        _words("x"),
        {"none": many(), "v": many(s("x"))},
    ),
    _becomes(
        "expressions.if-not-exists", "SET a = list_append(:v, a)", _words("x"), _words("y", "x"), {"v": many(s("y"))}
    ),
    _becomes("expressions.add", "ADD a :v", {}, {"a": n("-2")}, {"v": n("-2")}, "new number"),
    _becomes("expressions.add", "ADD a :v", {"a": n("0.1")}, {"a": n("0.3")}, {"v": n("0.2")}, "number"),
    _becomes("expressions.add", "ADD a :v", {}, {"a": {"SS": ["x"]}}, {"v": {"SS": ["x"]}}, "new set"),
    _becomes(
        "expressions.add",
        "ADD a :v",
        {"a": {"NS": ["1", "2"]}},
        {"a": {"NS": ["1", "2", "3"]}},
        {"v": {"NS": ["2.0", "3"]}},
        "set",
    ),
    _becomes(
        "expressions.add",
        "ADD a :v",
        {"a": {"SS": ["x"]}},
        {"a": {"SS": ["", "x"]}},
        {"v": {"SS": [""]}},
        "empty string",
    ),
    _becomes("expressions.add-nested", "ADD a.b :v", {"a": named()}, {"a": named(b=n(1))}, {"v": n(1)}),
    _becomes(
        "expressions.add-nested",
        "DELETE a[0] :v",
        {"a": many({"SS": ["x", "y"]})},
        {"a": many({"SS": ["x"]})},
        {"v": {"SS": ["y"]}},
    ),
    _becomes(
        "expressions.delete",
        "DELETE a :v",
        {"a": {"SS": ["x", "y"]}},
        {"a": {"SS": ["y"]}},
        {"v": {"SS": ["x", "z"]}},
        "member",
    ),
    _becomes(
        "expressions.delete",
        "DELETE a :v",
        {"a": {"SS": ["x"]}, "b": n(1)},
        {"b": n(1)},
        {"v": {"SS": ["x"]}},
        "last member",
    ),
    _becomes(
        "expressions.delete",
        "DELETE a.b :v",
        {"a": named(b={"SS": ["x"]})},
        {"a": named()},
        {"v": {"SS": ["x"]}},
        "last nested member",
    ),
    _becomes("expressions.delete", "DELETE a :v", {"b": n(1)}, {"b": n(1)}, {"v": {"SS": ["x"]}}, "missing attribute"),
    _becomes(
        "expressions.delete",
        "DELETE a :v",
        {"a": {"NS": ["1", "2"]}},
        {"a": {"NS": ["2"]}},
        {"v": {"NS": ["1.0"]}},
        "number by value",
    ),
)


def _fails(
    rule: str, message: str, expression: str, before: Item | None, values: Item | None = None, *, control: Step
) -> Check:
    return refuses(
        rule,
        update(expression, values),
        message,
        given=[] if before is None else [put(before)],
        control=control,
        name=f"{expression} {before}" if before is not None else f"{expression}, missing item",
    )


_X = {"v": n(1)}
_SET = {"v": {"SS": ["x"]}}

REFUSED: tuple[Check, ...] = (
    _fails("expressions.invalid-path", PATH, "SET x.y = :v", None, _X, control=update("SET x = :v", _X)),
    _fails("expressions.invalid-path", PATH, "SET b[0] = :v", None, _X, control=update("REMOVE b[0]")),
    _fails("expressions.invalid-path", PATH, "SET a.y = :v", {"a": s("hello")}, _X, control=update("SET a = :v", _X)),
    _fails("expressions.invalid-path", PATH, "SET a[0] = :v", {"a": named()}, _X, control=update("SET a.b = :v", _X)),
    _fails("expressions.invalid-path", PATH, "REMOVE a[0]", {"a": s("hello")}, control=update("REMOVE a")),
    _fails("expressions.invalid-path", PATH, "REMOVE b[0]", {"a": s("hello")}, control=update("REMOVE b")),
    _fails("expressions.invalid-path", PATH, "REMOVE x.y", {"a": s("hello")}, control=update("REMOVE x")),
    _fails("expressions.invalid-path", PATH, "SET a.b.c = :v", {"a": named()}, _X, control=update("SET a.b = :v", _X)),
    _fails(
        "expressions.missing-attribute", MISSING, "SET b = a", {}, control=update("SET b = if_not_exists(a, :v)", _X)
    ),
    _fails("expressions.missing-attribute", MISSING, "SET b = a.x", {"a": named()}, control=update("SET b = a")),
    _fails("expressions.missing-attribute", MISSING, "SET n1 = n1 + :v", {}, _X, control=update("ADD n1 :v", _X)),
    _fails(
        "expressions.missing-attribute",
        MISSING,
        "SET l1 = list_append(l1, :v)",
        {},
        {"v": many()},
        control=update("SET l1 = :v", {"v": many()}),
    ),
    _fails(
        "expressions.stored-type", STORED_TYPE, "SET a = a + :v", {"a": s("dog")}, _X, control=update("SET a = :v", _X)
    ),
    refuses(
        "expressions.fallback-type",
        update("SET a = list_append(if_not_exists(a, :s), :l)", {"s": s("x"), "l": many(s("y"))}),
        STORED_TYPE,
        control=update("SET a = list_append(if_not_exists(a, :l), :l)", {"l": many(s("y"))}),
    ),
    _fails(
        "expressions.stored-type",
        STORED_TYPE,
        "SET a = list_append(a, :v)",
        {"a": s("dog")},
        {"v": many()},
        control=update("SET a = :v", _X),
    ),
    _fails("expressions.stored-type", STORED_TYPE, "ADD a :v", {"a": s("dog")}, _X, control=update("ADD b :v", _X)),
    _fails(
        "expressions.stored-type", STORED_TYPE, "ADD a :v", {"a": {"NS": ["1"]}}, _SET, control=update("ADD b :v", _SET)
    ),
    _fails(
        "expressions.stored-type",
        STORED_TYPE,
        "DELETE a :v",
        {"a": {"NS": ["1"]}},
        _SET,
        control=update("DELETE b :v", _SET),
    ),
    _fails(
        "expressions.stored-type", STORED_TYPE, "DELETE a :v", {"a": s("x")}, _SET, control=update("DELETE b :v", _SET)
    ),
    refuses(
        "keys.update-key",
        update("SET pk = :v", {"v": s("b")}),
        "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key",
        control=update("SET pk2 = :v", {"v": s("b")}),
        name="SET",
    ),
)


def _wraps(depth: int) -> Item:
    """An attribute ``a`` of that many maps, one inside the other under ``m``."""
    value = n(1)
    for _ in range(depth):
        value = {"M": {"m": value}}
    return {"a": value}


_INNER = "a" + ".m" * 30

RESULTS: tuple[Check, ...] = (
    refuses(
        "items.update-too-deep",
        update(f"SET {_INNER} = a"),
        phrase="Nesting Levels have exceeded supported limits",
        given=[put(_wraps(31))],
        control=update(f"SET {_INNER} = :v", {"v": named(m=n(2))}),
    ),
    *(
        refuses(
            "keys.update-key",
            update(expression, values),
            "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key",
            control=update("SET v = :v", _X),
            name=expression,
        )
        for expression, values in (("REMOVE pk", None), ("ADD pk :v", _X), ("DELETE pk :v", _SET))
    ),
)

_D = {"a": named(b=s("dog"), c=many(n(1), n(2), n(3))), "d": s("cat")}
_RULE = "expressions.updated-values"


def _returned(
    expression: str | None,
    returned: Item | None,
    before: Item | None,
    values: Item | None = None,
    *,
    what: str,
    rule: str = _RULE,
) -> Check:
    """An update and the attributes it returns; None for no Attributes at all."""
    return answers(
        rule,
        update(expression, values, ReturnValues=what),
        given=[] if before is None else [put(before)],
        body={} if returned is None else {"Attributes": returned},
        name=f"{what} {expression}" + ("" if before else ", missing item"),
    )


def _ac(*members: int) -> Item:
    return {"a": named(c=many(*map(n, members)))}


_HI = {"a": s("hi"), "b": s("dog")}
_CAT = {"cat": s("cat"), "hello": s("hello")}

RETURNED: tuple[Check, ...] = (
    _returned("SET a.c[1] = :v", _ac(2), _D, {"v": n(7)}, what="UPDATED_OLD"),
    _returned(
        "SET a.c[1] = :v, a.b = :w",
        {"a": named(b=s("dog"), c=many(n(2)))},
        _D,
        {"v": n(8), "w": s("x")},
        what="UPDATED_OLD",
    ),
    _returned("SET a.b = :v", {"a": named(b=s("x"))}, _D, {"v": s("x")}, what="UPDATED_NEW"),
    _returned("REMOVE a.c[1], a.c[3]", _ac(2), _D, what="UPDATED_OLD"),
    _returned("SET a.x1 = :v", None, _D, {"v": n(8)}, what="UPDATED_OLD"),
    _returned("SET a.x2 = :v", {"a": named(x2=n(8))}, _D, {"v": n(8)}, what="UPDATED_NEW"),
    _returned("SET a.c[100] = :v", None, _D, {"v": n(70)}, what="UPDATED_NEW"),
    _returned("REMOVE a.c[1]", _ac(70), _ac(1, 3, 70), what="UPDATED_NEW"),
    _returned("SET b = :cat, c = :hello", {"b": s("dog")}, _HI, _CAT, what="UPDATED_OLD"),
    _returned("SET b = :cat, c = :hello", {"b": s("cat"), "c": s("hello")}, _HI, _CAT, what="UPDATED_NEW"),
    _returned("REMOVE b", None, _HI, what="UPDATED_NEW"),
    _returned("REMOVE b", {"b": s("dog")}, _HI, what="UPDATED_OLD"),
    _returned("SET a = :v", {"a": n(1)}, None, _X, what="UPDATED_NEW"),
    _returned("SET a = :v", None, None, _X, what="UPDATED_OLD"),
    _returned("SET a.b = :v, a.x = :v", {"a": named(b=n(1), x=n(1))}, _D, _X, what="UPDATED_NEW"),
    _returned("SET a.c[2] = :v, a.c[0] = :w", _ac(1, 3), _D, {"v": n(8), "w": n(9)}, what="UPDATED_OLD"),
    _returned("SET a.c[2] = :v, a.c[0] = :w", _ac(9, 8), _D, {"v": n(8), "w": n(9)}, what="UPDATED_NEW"),
    _returned("DELETE b :v", None, {"b": {"SS": ["x"]}}, _SET, what="UPDATED_NEW"),
    _returned("ADD b :v", {"b": {"SS": ["x", "y"]}}, {"b": {"SS": ["y"]}}, _SET, what="UPDATED_NEW"),
    _returned("REMOVE b", item(a=s("hi")), _HI, what="ALL_NEW", rule="items.updated-values-returned"),
    _returned("SET b = :v", item(_HI), _HI, _X, what="ALL_OLD", rule="items.old-item-returned"),
    _returned("SET a = :v", item(a=n(1)), None, _X, what="ALL_NEW", rule="items.updated-values-returned"),
    _returned("REMOVE a", None, None, what="ALL_NEW", rule="items.updated-values-returned"),
    _returned("SET a = :v", None, None, _X, what="ALL_OLD", rule="items.old-item-returned"),
    _returned("SET b = :v", {"b": n(1)}, _HI, _X, what="UPDATED_NEW", rule="items.updated-values-returned"),
    _returned("SET b = :v", {"b": s("dog")}, _HI, _X, what="UPDATED_OLD", rule="items.updated-values-returned"),
    _returned(None, KEY, None, what="ALL_NEW", rule="items.updated-values-returned"),
    _returned(None, None, None, what="UPDATED_NEW", rule="items.updated-values-returned"),
)

UPSERTED: tuple[Check, ...] = (
    answers(
        "expressions.key-of-new-item",
        get(),
        given=[update("SET v = pk")],
        body={"Item": item(v=s("a"))},
    ),
    answers("items.update-creates", get(), given=[update("SET a = :v", _X)], body={"Item": item(a=n(1))}, name="SET"),
    answers("items.update-creates", get(), given=[update("ADD a :v", _X)], body={"Item": item(a=n(1))}, name="ADD"),
    answers("items.update-creates", get(), given=[update(None)], body={"Item": KEY}, name="no expression"),
    *(
        answers(rule, get(), given=[update(expression, values)], body={}, name=expression)
        for rule in ("items.removal-creates-nothing", "expressions.no-upsert")
        for expression, values in (("REMOVE a", None), ("DELETE a :v", _SET), ("REMOVE a.b DELETE c :v", _SET))
    ),
    answers(
        "expressions.no-upsert",
        get(),
        given=[update("REMOVE a SET b = :v", _X)],
        body={"Item": item(b=n(1))},
        name="REMOVE and SET",
    ),
    answers(
        "items.removal-creates-nothing",
        get(),
        given=[transact(t_update("REMOVE a"))],
        body={},
        name="transaction",
    ),
)

CHECKS: tuple[Check, ...] = (*APPLIED, *REFUSED, *RESULTS, *RETURNED, *UPSERTED)
