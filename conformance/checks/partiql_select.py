"""Checks of which items PartiQL's conditions find, what reads of indexes find, and what updates return."""

from __future__ import annotations

from conformance.checks.base import Check, table
from conformance.checks.partiql import execute, wrong
from conformance.checks.steps import (
    INVALID,
    KEY,
    NULL,
    SORTED,
    TRUE,
    answers,
    b,
    batch_put,
    many,
    n,
    named,
    put,
    s,
)
from reference.api import AttributeValue, Item, Json

_ROW: Item = {
    "s": s("xyz"),
    "n": n(5),
    "bin": b("AQI="),
    "yes": TRUE,
    "nil": NULL,
    "l": many(n(1), s("a")),
    "m": named(k=n(1), deep=named(x=many(s("y")))),
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
}


def _where(condition: str, *parameters: AttributeValue, found: bool) -> Check:
    """Whether a condition is true of one item."""
    return answers(
        "partiql.select",
        execute(f"SELECT pk FROM @ WHERE pk = 'a' AND {condition}", *parameters),
        given=[put(_ROW)],
        has={"Items": [KEY] if found else []},
        name=f"{condition} {parameters}" if parameters else condition,
    )


_TRUE = (
    "s = 'xyz'", "n = 5", "n = 5.0", "n = .5e1", "yes = true", "l = [1, 'a']", "m.deep = {'x': ['y']}",
    "ss = <<'b', 'a'>>", "ns = <<2, 1>>", "m.k = 1", "l[0] = 1", "m.deep.x[0] = 'y'",
    "n <> 6", "n <> '5'", "s <> 'x'", "n < 6", "n <= 5", "n > 4.9", "n >= 5", "s > 'xy'", "s < 'y'",
    "n BETWEEN 5 AND 6", "s BETWEEN 'x' AND 'y'", "n IN [4, 5]", "s IN ['a', 'xyz']", "n IN ['5', 5]",
    "NOT n = 6", "NOT gone = 'x'", "NOT (n = 5 AND s = 'a')", "NOT gone > 1", "NOT n IN [1, 2]",
    "(n = 6 OR n = 5)", "(n = 6 AND n = 6 OR n = 5)", "(n = 5 OR n = 5 AND n = 6)", "NOT n = 6 AND n = 5",
    "gone IS MISSING", "n IS NOT MISSING", "nil IS NULL", "n IS NOT NULL", "s IS STRING", "yes IS BOOL",
    "begins_with(s, 'xy')", "contains(s, 'yz')", "contains(l, 'a')", "contains(l, 1)", "contains(ss, 'b')",
    "contains(ns, 2)", "size(s) = 3", "size(l) = 2", "size(ss) = 2", "size(m) = 2", "size(bin) = 2",
    "attribute_type(n, 'N')", "attribute_type(ss, 'SS')", "attribute_exists(nil)", "attribute_not_exists(gone)",
    "ATTRIBUTE_EXISTS(m.k)", "attribute_exists(n) = true", "NOT begins_with(s, 'z')", "NOT contains(l, 'b')",
)  # fmt: skip
_FALSE = (
    "n = '5'", "s = 'XYZ'", "l = ['a', 1]", "l = [1]", "ss = <<'a'>>", "ss = ['a', 'b']", "m = {'k': 1}", "yes = false",
    "gone = 'x'", "gone <> 'x'", "gone < 1", "n < '6'", "s > 5", "n BETWEEN 6 AND 9", "n BETWEEN '4' AND '6'",
    "n IN ['5']", "gone IN [1]", "NOT n = 5", "NOT n <> 6", "gone IS NOT MISSING", "n IS MISSING", "n IS NULL",
    "n IS STRING", "begins_with(s, 'yz')", "contains(s, 'zz')", "contains(l, '1')", "contains(ss, 'c')",
    "size(n) = 1", "size(yes) = 1", "size(gone) = 0", "attribute_type(n, 'S')", "attribute_exists(gone)",
    "attribute_not_exists(nil)", "m.k.x = 1", "l[2] = 1", "l.k = 1", "s[0] = 'x'",
)  # fmt: skip

CONDITIONS: tuple[Check, ...] = (
    *(_where(condition, found=True) for condition in _TRUE),
    *(_where(condition, found=False) for condition in _FALSE),
    _where("bin = ?", b("AQI="), found=True),
    _where("bin > ?", b("AQE="), found=True),
    _where("nil = ?", NULL, found=True),
    _where("n = ?", n("5.00"), found=True),
    _where("n = ?", s("5"), found=False),
    _where("ss = ?", {"SS": ["b", "a"]}, found=True),
    _where("contains(l, ?)", n("1.0"), found=True),
)

_INDEXED: dict[str, Json] = {"t0": table(gsi=["gsi=g:S/KEYS_ONLY"])}
_LOCAL: dict[str, Json] = {"t0": table(key="pk:S,sk:S", lsi=["lsi=pk:S,l:S/KEYS_ONLY"])}
_ENTRIES = [
    batch_put(
        {"pk": s("a"), "g": s("y"), "v": s("1")},
        {"pk": s("b"), "v": s("1")},
        {"pk": s("c"), "g": s("y2"), "v": s("2")},
    )
]
_A, _C = {"pk": s("a"), "g": s("y")}, {"pk": s("c"), "g": s("y2")}


def _index(statement: str, *rows: Item) -> Check:
    """What a statement on the global index finds."""
    return answers(
        "partiql.index-read",
        execute(statement),
        tables=_INDEXED,
        given=_ENTRIES,
        has={"Items": list(rows)},
        name=statement,
    )


_UNFILTERED = f"{INVALID}Secondary index {{}} does not project one or more filter attributes: [v]"

INDEXES: tuple[Check, ...] = (
    _index("SELECT * FROM @.\"gsi\" WHERE g = 'y2'", _C),
    _index("SELECT * FROM @.\"gsi\" WHERE pk = 'a' AND NOT v = '1'", _A),
    _index("SELECT * FROM @.\"gsi\" WHERE pk = 'a' AND v IS MISSING", _A),
    _index("SELECT * FROM @.\"gsi\" WHERE v = '1'"),
    _index("SELECT * FROM @.\"gsi\" WHERE (g = 'y' AND v = '1') OR (g = 'y2')", _C),
    *(
        wrong(
            "indexes.filter-not-projected",
            f"SELECT * FROM @.\"gsi\" WHERE g = 'y' AND {condition}",
            _UNFILTERED.format("gsi"),
            tables=_INDEXED,
            control="SELECT * FROM @.\"gsi\" WHERE g = 'y' AND pk = 'a'",
        )
        for condition in ("v IS MISSING", "begins_with(v, '1')", "NOT v = '1'", "v IN ['1']")
    ),
    *(
        wrong(
            "indexes.filter-not-projected",
            f"SELECT * FROM @.\"lsi\" WHERE pk = 'a' AND {condition}",
            _UNFILTERED.format("lsi"),
            tables=_LOCAL,
            control="SELECT * FROM @.\"lsi\" WHERE pk = 'a' AND sk = 'a'",
        )
        for condition in ("v = '1'", "v IS MISSING", "NOT v = '1'")
    ),
)

_123 = [{**KEY, "sk": s(text), "v": s("1")} for text in "123"]


def _branches(condition: str, *rows: Item) -> Check:
    return answers(
        "partiql.select",
        execute(f"SELECT * FROM @ WHERE {condition}"),
        tables=dict(SORTED),
        given=[batch_put(*_123)],
        has={"Items": list(rows)},
        name=condition,
    )


BRANCHES: tuple[Check, ...] = (
    _branches("(pk = 'a' AND NOT sk = '1') OR (pk = 'a' AND sk = '2')", *_123[1:]),
    _branches("(pk = 'a' AND NOT begins_with(sk, 'x')) OR (pk = 'a' AND sk = '2')", *_123),
    _branches("(pk = 'a' AND sk <> '1') OR (pk = 'a' AND sk = '2')", *_123[1:]),
    _branches("(pk = 'a' AND sk = '1') OR (pk = 'a' AND sk = '3')", _123[0], _123[2]),
    _branches("pk = 'a' AND sk IN ['3', '1']", _123[0], _123[2]),
    _branches("pk = 'a' AND sk BETWEEN '2' AND '9'", *_123[1:]),
    _branches("pk = 'a' AND begins_with(sk, '1')", _123[0]),
    _branches("pk IN ['a', 'none'] AND sk = '2'", _123[1]),
    _branches("sk = '2'", _123[1]),
)


def _returned(name: str, change: str, what: str, *rows: Item) -> Check:
    """What an UPDATE returns."""
    return answers(
        "partiql.write-answer",
        execute(f"UPDATE @ {change} WHERE pk = 'a' RETURNING {what} *"),
        given=[put({"l": many(n(1), n(2), n(3)), "m": named(k=n(1), j=n(2)), "v": n(1)})],
        body={"Items": list(rows)},
        name=name,
    )


_PUT = "INSERT INTO @ VALUE"
_GOOD = "INSERT INTO @ VALUE {'pk': 'z'}"

WRITES: tuple[Check, ...] = (
    _returned("elements, NEW", "SET l[2] = 9 SET l[0] = 8", "MODIFIED NEW", {"l": many(n(8), n(9))}),
    _returned("elements, OLD", "SET l[2] = 9 SET l[0] = 8", "MODIFIED OLD", {"l": many(n(1), n(3))}),
    _returned("element removed, OLD", "REMOVE l[1]", "MODIFIED OLD", {"l": many(n(2))}),
    _returned("element removed, NEW", "REMOVE l[1]", "MODIFIED NEW", {"l": many(n(3))}),
    _returned("member, NEW", "SET m.k = 5", "MODIFIED NEW", {"m": named(k=n(5))}),
    _returned("member, OLD", "SET m.k = 5", "MODIFIED OLD", {"m": named(k=n(1))}),
    wrong(
        "expressions.invalid-path",
        "UPDATE @ SET gone[0] = 1 WHERE pk = 'a'",
        phrase="",
        given=[put()],
        control="UPDATE @ SET gone = [1] WHERE pk = 'a'",
    ),
    wrong("keys.missing", f"{_PUT} {{'v': 1}}", f"{INVALID}Missing the key pk in the item", control=_GOOD),
    wrong(
        "keys.type-mismatch",
        f"{_PUT} {{'pk': 1}}",
        f"{INVALID}Type mismatch for key pk expected: S actual: N",
        control=_GOOD,
    ),
    wrong(
        "keys.empty-string",
        f"{_PUT} {{'pk': ''}}",
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
        "string value. Key: pk",
        control=_GOOD,
    ),
)

CHECKS: tuple[Check, ...] = (*CONDITIONS, *INDEXES, *BRANCHES, *WRITES)
