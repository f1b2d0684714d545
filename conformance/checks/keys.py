"""Checks of primary keys: what is refused of them on every way in, and which spellings are one key."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import (
    INVALID,
    KEY,
    NUMBERED,
    PLAIN,
    SORTED,
    answers,
    b,
    batch_delete,
    batch_get,
    batch_put,
    delete,
    get,
    holds,
    many,
    n,
    named,
    put,
    query,
    refuses,
    s,
    scan,
    t_check,
    t_delete,
    t_get,
    t_put,
    t_update,
    transact,
    transact_get,
    update,
)
from conformance.program import Step
from reference.api import Item, Json

MISMATCH = "The provided key element does not match the schema"
_BINARY = {"t0": table(key="pk:B")}
_NUMBER = {"t0": table(key="pk:N")}


def _put(item: Item) -> Step:
    return Step("PutItem", {"TableName": T0, "Item": item})


IN_ITEMS: tuple[Check, ...] = (
    refuses(
        "keys.missing",
        _put({"v": n(1)}),
        f"{INVALID}Missing the key pk in the item",
        control=put({"v": n(1)}),
        name="partition key",
    ),
    refuses(
        "keys.missing",
        put(),
        f"{INVALID}Missing the key sk in the item",
        tables=SORTED,
        control=put({"sk": s("a")}),
        name="sort key",
    ),
    refuses(
        "keys.missing",
        _put({}),
        f"{INVALID}Missing the key pk in the item",
        tables=SORTED,
        control=put({"sk": s("a")}),
        name="both",
    ),
    *(
        refuses(
            "keys.type-mismatch",
            put({"pk": value}),
            f"{INVALID}Type mismatch for key pk expected: S actual: {kind}",
            control=put(),
            name=kind,
        )
        for kind, value in (
            ("N", n(1)),
            ("NULL", {"NULL": True}),
            ("L", many()),
            ("SS", {"SS": ["a"]}),
            ("B", b("AA==")),
        )
    ),
    refuses(
        "keys.type-mismatch",
        put({"sk": s("1")}),
        f"{INVALID}Type mismatch for key sk expected: N actual: S",
        tables=NUMBERED,
        control=put({"sk": n(1)}),
        name="sort key",
    ),
)


def _looks_up(
    rule: str, bad: Item, message: str, good: Item = KEY, tables: Mapping[str, Json] = PLAIN
) -> tuple[Check, ...]:
    """A bad key on every call that names an item by its key."""
    pairs = {
        "GetItem": (get(bad), get(good)),
        "DeleteItem": (delete(bad), delete(good)),
        "UpdateItem": (update(None, key=bad), update(None, key=good)),
        "BatchGetItem": (batch_get(bad), batch_get(good)),
        "BatchWriteItem": (batch_delete(bad), batch_delete(good)),
    }
    return tuple(
        refuses(rule, when, message, control=control, name=operation, tables=tables)
        for operation, (when, control) in pairs.items()
    )


def _empty(key: str, kind: str = "string") -> str:
    return (
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
        f"{kind} value. Key: {key}"
    )


_HASH_SIZE = f"{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes"
_RANGE_SIZE = f"{INVALID}Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
_LONG = s("k" * 2049)
_FITS = s("k" * 2048)
_WIDE = s("é" * 513)
_FITS_RANGE = s("é" * 512)


def _at(sk: Json) -> Item:
    return {**KEY, "sk": sk}


LOOKED_UP: tuple[Check, ...] = (
    *_looks_up("keys.schema-mismatch", {"pk": n(1)}, MISMATCH),
    refuses("keys.schema-mismatch", get({}), MISMATCH, control=get(), name="no attribute"),
    refuses("keys.schema-mismatch", get({"id": s("a")}), MISMATCH, control=get(), name="another attribute"),
    refuses("keys.schema-mismatch", get({**KEY, "v": n(1)}), MISMATCH, control=get(), name="extra attribute"),
    refuses("keys.schema-mismatch", get({"pk": named()}), MISMATCH, control=get(), name="no scalar"),
    refuses("keys.schema-mismatch", get(), MISMATCH, tables=SORTED, control=get(_at(s("a"))), name="sort key missing"),
    refuses(
        "keys.schema-mismatch", batch_put({"v": n(1)}), MISMATCH, control=batch_put(KEY), name="batch put without key"
    ),
    refuses(
        "keys.schema-mismatch", batch_put({"pk": n(1)}), MISMATCH, control=batch_put(KEY), name="batch put, wrong type"
    ),
    refuses(
        "keys.schema-mismatch", batch_put({"pk": many()}), MISMATCH, control=batch_put(KEY), name="batch put, no scalar"
    ),
    *_looks_up("keys.empty-string", {"pk": s("")}, _empty("pk")),
    refuses("keys.empty-string", put({"pk": s("")}), _empty("pk"), control=put(), name="PutItem"),
    refuses("keys.empty-string", batch_put({"pk": s("")}), _empty("pk"), control=batch_put(KEY), name="batch put"),
    refuses(
        "keys.empty-string",
        put({"sk": s("")}),
        _empty("sk"),
        tables=SORTED,
        control=put({"sk": s(" ")}),
        name="sort key",
    ),
    *(
        refuses("keys.empty-string", transact(bad), _empty("pk"), control=transact(good), name=name)
        for name, bad, good in (
            ("Put", t_put({"pk": s("")}), t_put()),
            ("Update", t_update("SET v = :v", {"v": n(1)}, {"pk": s("")}), t_update("SET v = :v", {"v": n(1)})),
            ("Delete", t_delete({"pk": s("")}), t_delete()),
            (
                "ConditionCheck",
                t_check("attribute_not_exists(v)", key={"pk": s("")}),
                t_check("attribute_not_exists(v)"),
            ),
        )
    ),
    refuses(
        "keys.empty-string", transact_get(t_get({"pk": s("")})), _empty("pk"), control=transact_get(t_get()), name="Get"
    ),
    *_looks_up("keys.empty-binary", {"pk": b("")}, _empty("pk", "binary"), {"pk": b("AA==")}, _BINARY),
    refuses(
        "keys.empty-binary",
        put({"pk": b("")}),
        _empty("pk", "binary"),
        tables=_BINARY,
        control=put({"pk": b("AA==")}),
        name="PutItem",
    ),
    *_looks_up("keys.hash-too-long", {"pk": _LONG}, _HASH_SIZE, {"pk": _FITS}),
    refuses("keys.hash-too-long", put({"pk": _LONG}), _HASH_SIZE, control=put({"pk": _FITS}), name="PutItem"),
    refuses(
        "keys.hash-too-long", batch_put({"pk": _LONG}), _HASH_SIZE, control=batch_put({"pk": _FITS}), name="batch put"
    ),
    refuses(
        "keys.hash-too-long",
        query("pk = :p", {"p": _LONG}),
        _HASH_SIZE,
        control=query("pk = :p", {"p": _FITS}),
        name="Query",
    ),
    *_looks_up("keys.range-too-long", _at(_WIDE), _RANGE_SIZE, _at(_FITS_RANGE), SORTED),
    refuses(
        "keys.range-too-long",
        put({"sk": _WIDE}),
        _RANGE_SIZE,
        tables=SORTED,
        control=put({"sk": _FITS_RANGE}),
        name="PutItem",
    ),
    answers(
        "keys.range-too-long",
        put({"sk": _FITS_RANGE, "lk": s("k" * 1024)}),
        tables={"t0": table(key="pk:S,sk:S", lsi=["by_lk=pk:S,lk:S"])},
        body={},
        name="each on its own",
    ),
)

_SCALARS = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk"

PATHS: tuple[Check, ...] = (
    refuses(
        "keys.nested-path",
        get(ProjectionExpression="pk.x"),
        _SCALARS,
        control=get(ProjectionExpression="pk"),
        name="projection",
    ),
    refuses(
        "keys.nested-path",
        get(ProjectionExpression="pk[0]"),
        _SCALARS,
        control=get(ProjectionExpression="v[0]"),
        name="index",
    ),
    refuses(
        "keys.nested-path",
        scan(FilterExpression="attribute_exists(pk.x)"),
        _SCALARS,
        control=scan(FilterExpression="attribute_exists(pk)"),
        name="filter",
    ),
    refuses(
        "keys.nested-path",
        update("SET v = pk.x"),
        phrase="Key attributes must be scalars",
        control=update("SET v = :v", {"v": n(1)}),
        name="update",
    ),
)

ONE_KEY: tuple[Check, ...] = (
    answers(
        "keys.identity",
        get({**KEY, "sk": n("1000")}),
        tables=NUMBERED,
        given=[put({"sk": n("1e3"), "v": n(1)})],
        body={"Item": {**KEY, "sk": n(1000), "v": n(1)}},
        name="GetItem",
    ),
    answers(
        "keys.identity",
        scan(),
        tables=_NUMBER,
        given=[put({"pk": n("-0"), "v": n(1)}), put({"pk": n("0.0"), "v": n(2)})],
        has={"Items": [{"pk": n(0), "v": n(2)}], "Count": 1},
        name="overwritten",
    ),
    answers(
        "keys.identity",
        query("pk = :p", {"p": n("10.0")}),
        tables=_NUMBER,
        given=[put({"pk": n("1E1")})],
        has={"Items": [{"pk": n(10)}]},
        name="Query",
    ),
    answers(
        "keys.identity",
        holds("pk = :p", {"p": s("É")}),
        given=[put({"pk": s("é")}), put({"pk": s("e\u0301")})],
        has={"Count": 0, "ScannedCount": 2},
        name="strings by their bytes",
    ),
)

CHECKS: tuple[Check, ...] = (*IN_ITEMS, *LOOKED_UP, *PATHS, *ONE_KEY)
