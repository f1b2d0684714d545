"""Checks of secondary indexes in the data plane: keys of items, and reads of an index."""

from __future__ import annotations

from conformance.checks.base import Check, table
from conformance.checks.steps import (
    INVALID,
    KEY,
    NULL,
    answers,
    b,
    batch_put,
    get,
    item,
    many,
    n,
    put,
    query,
    refuses,
    s,
    scan,
    t_put,
    t_update,
    transact,
    update,
)
from conformance.program import Step
from reference.api import AttributeValue, Item, Json

_G = {"t0": table(gsi=["by_g=g:S"])}
_GH = {"t0": table(gsi=["by_gh=g:S,h:N"])}
_L = {"t0": table(key="pk:S,sk:S", lsi=["by_l=pk:S,l:S"])}
_BINARY = {"t0": table(gsi=["by_g=g:B"])}
_SK: Item = {"sk": s("1")}


def _mismatch(key: str, expected: str, actual: str, index: str) -> str:
    return f"{INVALID}Type mismatch for Index Key {key} Expected: {expected} Actual: {actual} IndexName: {index}"


def _empty(index: str, key: str, kind: str = "string") -> str:
    return (
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
        f"The AttributeValue for a key attribute cannot contain an empty {kind} value. IndexName: {index}, "
        f"IndexKey: {key}"
    )


def _update_empty(kind: str) -> str:
    return (
        "One or more parameter values are not valid. The update expression attempted to update a secondary index key "
        "to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty "
        f"{kind} value."
    )


def _set(value: AttributeValue) -> Step:
    return update("SET g = :v", {"v": value})


_LONG = "k" * 2049
_HASH_SIZE = f"{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes"
_RANGE_SIZE = f"{INVALID}Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
_BEYOND = "The update expression attempted to update the secondary index key beyond allowed size limits."
_UNSUPPORTED = "The update expression attempted to update the secondary index key to unsupported type"


def _cancelled(code: str, message: str) -> dict[str, Json]:
    return {"CancellationReasons": [{"Code": code, "Message": message}]}


KEYS: tuple[Check, ...] = (
    *(
        refuses(
            "indexes.type-mismatch",
            put({"g": value}),
            _mismatch("g", "S", kind, "by_g"),
            tables=_G,
            control=put({"g": s("x")}),
            name=kind,
        )
        for kind, value in (("N", n(1)), ("NULL", NULL), ("L", many()), ("B", b("AA==")), ("SS", {"SS": ["a"]}))
    ),
    refuses(
        "indexes.type-mismatch",
        put({"g": s("x"), "h": s("1")}),
        _mismatch("h", "N", "S", "by_gh"),
        tables=_GH,
        control=put({"g": s("x"), "h": n(1)}),
        name="sort key",
    ),
    refuses(
        "indexes.type-mismatch",
        put({**_SK, "l": NULL}),
        _mismatch("l", "S", "NULL", "by_l"),
        tables=_L,
        control=put(_SK),
        name="local index",
    ),
    refuses(
        "indexes.type-mismatch",
        batch_put(KEY, {"pk": s("b"), "g": n(1)}),
        _mismatch("g", "S", "N", "by_g"),
        tables=_G,
        control=batch_put(KEY, {"pk": s("b")}),
        name="BatchWriteItem",
    ),
    refuses(
        "indexes.type-mismatch",
        update("SET w = g[1], g = v + :v", {"v": n(1)}),
        _mismatch("g", "S", "N", "by_g"),
        tables=_G,
        given=[put({"v": n(1)})],
        control=update("SET w = v + :v", {"v": n(1)}),
        name="sum",
    ),
    refuses(
        "indexes.type-mismatch",
        _set(n(1)),
        _mismatch("g", "S", "N", "by_g"),
        tables=_G,
        control=_set(s("x")),
        name="UpdateItem",
    ),
    refuses(
        "indexes.type-mismatch",
        put({"g": n(1)}),
        _mismatch("g", "S", "N", "a_index"),
        tables={"t0": table(gsi=["z_index=g:S", "a_index=g:S,pk:S"])},
        control=put({"g": s("x")}),
        name="first of two indexes by name",
    ),
    refuses(
        "transactions.cancelled",
        transact(t_put({"g": n(1)})),
        "Transaction cancelled, please refer cancellation reasons for specific reasons [ValidationError]",
        code="TransactionCanceledException",
        fields=_cancelled("ValidationError", _mismatch("g", "S", "N", "by_g")),
        tables=_G,
        control=transact(t_put({"g": s("x")})),
        name="index key of another type",
    ),
    refuses(
        "indexes.empty-string",
        put({"g": s("")}),
        _empty("by_g", "g"),
        tables=_G,
        control=put({"g": s(" ")}),
        name="PutItem",
    ),
    refuses(
        "indexes.empty-string",
        batch_put(item(g=s(""))),
        _empty("by_g", "g"),
        tables=_G,
        control=batch_put(KEY),
        name="BatchWriteItem",
    ),
    refuses(
        "indexes.empty-string",
        put({**_SK, "l": s("")}),
        _empty("by_l", "l"),
        tables=_L,
        control=put(_SK),
        name="local index",
    ),
    refuses(
        "indexes.empty-string",
        transact(t_put({"g": s("")})),
        _empty("by_g", "g"),
        tables=_G,
        control=transact(t_put()),
        name="transaction",
    ),
    refuses(
        "indexes.empty-binary",
        put({"g": b("")}),
        _empty("by_g", "g", "binary"),
        tables=_BINARY,
        control=put({"g": b("AA==")}),
    ),
    refuses(
        "indexes.update-empty-string",
        _set(s("")),
        _update_empty("string"),
        tables=_G,
        control=_set(s(" ")),
        name="UpdateItem",
    ),
    refuses(
        "indexes.update-empty-string",
        transact(t_update("SET g = :v", {"v": s("")})),
        _update_empty("string"),
        tables=_G,
        control=transact(t_update("SET g = :v", {"v": s(" ")})),
        name="transaction",
    ),
    refuses(
        "indexes.update-empty-binary", _set(b("")), _update_empty("binary"), tables=_BINARY, control=_set(b("AA=="))
    ),
    refuses(
        "indexes.hash-too-long",
        put({"g": s(_LONG)}),
        _HASH_SIZE,
        tables=_G,
        control=put({"g": s(_LONG[1:])}),
        name="PutItem",
    ),
    refuses(
        "indexes.range-too-long",
        put({**_SK, "l": s("k" * 1025)}),
        _RANGE_SIZE,
        tables=_L,
        control=put({**_SK, "l": s("k" * 1024)}),
        name="PutItem",
    ),
    refuses(
        "transactions.update-index-key-too-long",
        transact(t_update("SET g = :v", {"v": s(_LONG)})),
        "Transaction cancelled, please refer cancellation reasons for specific reasons [ValidationError]",
        code="TransactionCanceledException",
        fields=_cancelled("ValidationError", _BEYOND),
        tables=_G,
        control=transact(t_update("SET g = :v", {"v": s(_LONG[1:])})),
    ),
    refuses(
        "indexes.update-type",
        update("SET g = v"),
        _UNSUPPORTED,
        tables=_G,
        given=[put({"v": n(1), "w": s("x")})],
        control=update("SET g = w"),
    ),
    answers(
        "indexes.update-type",
        update("SET w = :v", {"v": n(1)}),
        tables=_G,
        given=[put({"g": s("x")})],
        body={},
        name="other attributes",
    ),
    refuses(
        "indexes.nested-key-path",
        get(ProjectionExpression="g.x"),
        phrase="Key attributes must be scalars",
        tables=_G,
        control=get(ProjectionExpression="v.x"),
        name="projection",
    ),
)


def _on(index: str, text: str = "g = :g", values: Item | None = None, **members: Json) -> Step:
    return query(text, values or {"g": s("x")}, IndexName=index, **members)


_THREE = {
    "t0": table(
        key="pk:S,sk:S",
        gsi=["keys=g:S/KEYS_ONLY", "some=g:S/INCLUDE:p", "all=g:S"],
        lsi=["local=pk:S,l:S/KEYS_ONLY"],
    )
}
_FULL = {**KEY, **_SK, "g": s("x"), "l": s("y"), "p": n(1), "q": n(2)}
_STORED = put(_FULL)
_LOCAL = {"pk": s("a")}
_LOCAL_KEYS = {**KEY, **_SK, "l": s("y")}


def _select_all(index: str) -> str:
    return (
        f"{INVALID}Select type ALL_ATTRIBUTES is not supported for global secondary index {index} because its "
        "projection type is not ALL"
    )


READS: tuple[Check, ...] = (
    refuses(
        "indexes.unknown",
        _on("nope"),
        "The table does not have the specified index: nope",
        tables=_G,
        control=_on("by_g"),
        name="Query",
    ),
    refuses(
        "indexes.unknown",
        scan(IndexName="nope"),
        "The table does not have the specified index: nope",
        tables=_G,
        control=scan(IndexName="by_g"),
        name="Scan",
    ),
    refuses(
        "indexes.consistent-read",
        _on("by_g", ConsistentRead=True),
        "Consistent reads are not supported on global secondary indexes",
        tables=_G,
        control=_on("by_g", ConsistentRead=False),
        name="Query",
    ),
    refuses(
        "indexes.consistent-read",
        scan(IndexName="by_g", ConsistentRead=True),
        "Consistent reads are not supported on global secondary indexes",
        tables=_G,
        control=scan(IndexName="by_g"),
        name="Scan",
    ),
    refuses(
        "indexes.select-all",
        _on("keys", Select="ALL_ATTRIBUTES"),
        _select_all("keys"),
        tables=_THREE,
        control=_on("all", Select="ALL_ATTRIBUTES"),
        name="Query",
    ),
    refuses(
        "indexes.select-all",
        scan(IndexName="some", Select="ALL_ATTRIBUTES"),
        _select_all("some"),
        tables=_THREE,
        control=scan(IndexName="local", Select="ALL_ATTRIBUTES"),
        name="Scan",
    ),
    refuses(
        "indexes.not-projected",
        _on("some", ProjectionExpression="q"),
        f"{INVALID}Global secondary index some does not project [q]",
        tables=_THREE,
        control=_on("some", ProjectionExpression="p"),
        name="INCLUDE",
    ),
    refuses(
        "indexes.not-projected",
        scan(IndexName="keys", ProjectionExpression="pk, p"),
        f"{INVALID}Global secondary index keys does not project [p]",
        tables=_THREE,
        control=scan(IndexName="keys", ProjectionExpression="pk"),
        name="KEYS_ONLY",
    ),
    refuses(
        "indexes.filter-not-projected",
        _on("keys", FilterExpression="attribute_exists(q)"),
        f"{INVALID}Secondary index keys does not project one or more filter attributes: [q]",
        tables=_THREE,
        control=scan(IndexName="keys", FilterExpression="attribute_exists(q)"),
    ),
    answers(
        "indexes.sparse",
        scan(IndexName="by_gh"),
        tables=_GH,
        given=[put({"g": s("x")}), put({"pk": s("b"), "h": n(1)}), put({"pk": s("c"), "g": s("x"), "h": n(1)})],
        has={"Items": [{"pk": s("c"), "g": s("x"), "h": n(1)}], "Count": 1},
        name="every key attribute",
    ),
    answers(
        "indexes.sparse",
        _on("by_g"),
        tables=_G,
        given=[put({"g": s("x")}), update("REMOVE g")],
        has={"Count": 0},
        name="taken out",
    ),
    answers(
        "indexes.sparse",
        _on("by_g"),
        tables=_G,
        given=[put({"g": s("x")}), update("SET g = :v", {"v": s("y")})],
        has={"Count": 0},
        name="moved",
    ),
    *(
        answers(
            "indexes.projection",
            _on(index),
            tables=_THREE,
            given=[_STORED],
            has={"Items": [row], "Count": 1},
            name=index,
        )
        for index, row in (
            ("keys", {**KEY, **_SK, "g": s("x")}),
            ("some", {**KEY, **_SK, "g": s("x"), "p": n(1)}),
            ("all", _FULL),
        )
    ),
    answers(
        "indexes.projection",
        query("pk = :p", {"p": s("a")}, IndexName="local"),
        tables=_THREE,
        given=[_STORED],
        has={"Items": [_LOCAL_KEYS]},
        name="local",
    ),
    answers(
        "indexes.local-fetch",
        query("pk = :p", {"p": s("a")}, IndexName="local", Select="ALL_ATTRIBUTES"),
        tables=_THREE,
        given=[_STORED],
        has={"Items": [_FULL]},
        name="ALL_ATTRIBUTES",
    ),
    answers(
        "indexes.local-fetch",
        query("pk = :p", {"p": s("a")}, IndexName="local", ProjectionExpression="q, l", ConsistentRead=True),
        tables=_THREE,
        given=[_STORED],
        has={"Items": [{"q": n(2), "l": s("y")}]},
        name="projection",
    ),
)

_MULTI_NAMES = (("h", "HASH"), ("a", "RANGE"), ("b", "RANGE"), ("c", "RANGE"), ("d", "RANGE"))


def _multi_table() -> dict[str, Json]:
    body = table()
    body["AttributeDefinitions"] += [{"AttributeName": name, "AttributeType": "S"} for name, _ in _MULTI_NAMES]
    schema = [{"AttributeName": name, "KeyType": kind} for name, kind in _MULTI_NAMES]
    index = {"IndexName": "many", "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}
    return {"t0": {**body, "GlobalSecondaryIndexes": [index]}}


_MULTI = _multi_table()


def _row(pk: str, text: str) -> Item:
    values = dict(zip("abcd", text.split(), strict=True))
    return {"pk": s(pk), "h": s("h"), **{name: s(value) for name, value in values.items()}}


_P = [
    _row(f"p{i}", text)
    for i, text in enumerate(("T live b r1", "T live a r2", "T live a r1", "T draft c r1", "F live a r0"), 1)
]
_P6 = {"pk": s("p6"), "h": s("h"), "a": s("T"), "b": s("live"), "d": s("r1")}


def _ordered(name: str, text: str, values: dict[str, str], *order: int) -> Check:
    return answers(
        "indexes.order",
        query(f"h = :h{text}", {"h": s("h"), **{key: s(value) for key, value in values.items()}}, IndexName="many"),
        tables=_MULTI,
        given=[batch_put(*_P, _P6)],
        body={"Items": [_P[i - 1] for i in order], "Count": len(order), "ScannedCount": len(order)},
        name=name,
    )


_EQUAL = " AND a = :a AND b = :b"
_AB = {"a": "T", "b": "live"}

MULTI: tuple[Check, ...] = (
    _ordered("all", "", {}, 5, 4, 3, 2, 1),
    _ordered("inequality on the second", " AND a = :a AND b < :b", _AB, 4),
    _ordered("inequality on the third", f"{_EQUAL} AND c > :c", {**_AB, "c": "a"}, 1),
    _ordered(
        "begins_with on the fourth", f"{_EQUAL} AND c = :c AND begins_with(d, :d)", {**_AB, "c": "a", "d": "r"}, 3, 2
    ),
    _ordered("between on the fourth", f"{_EQUAL} AND c = :c AND d BETWEEN :d AND :d", {**_AB, "c": "a", "d": "r1"}, 3),
    answers(
        "indexes.order",
        query("h = :h", {"h": s("h")}, IndexName="many", Limit=1, ScanIndexForward=False),
        tables=_MULTI,
        given=[batch_put(*_P, _P6)],
        body={"Items": [_P[0]], "Count": 1, "ScannedCount": 1, "LastEvaluatedKey": _P[0]},
        name="backwards, with the whole key to go on from",
    ),
    answers(
        "indexes.order",
        query(
            None,
            IndexName="many",
            KeyConditions={
                name: {"ComparisonOperator": "EQ", "AttributeValueList": [s(value)]}
                for name, value in (("h", "h"), ("a", "T"), ("b", "live"))
            },
        ),
        tables=_MULTI,
        given=[batch_put(*_P, _P6)],
        body={"Items": [_P[2], _P[1], _P[0]], "Count": 3, "ScannedCount": 3},
        name="three KeyConditions",
    ),
    answers(
        "indexes.order",
        query("g = :g", {"g": s("x")}, IndexName="by_gh", ProjectionExpression="h"),
        tables=_GH,
        given=[batch_put(*({"pk": s(str(i)), "g": s("x"), "h": n(i)} for i in (10, 9, -1, 100)))],
        has={"Items": [{"h": n(i)} for i in (-1, 9, 10, 100)]},
        name="numbers",
    ),
    answers(
        "indexes.sparse",
        scan(IndexName="many", Select="COUNT"),
        tables=_MULTI,
        given=[batch_put(*_P, _P6)],
        body={"Count": 5, "ScannedCount": 5},
        name="several key attributes",
    ),
)

CHECKS: tuple[Check, ...] = (*KEYS, *READS, *MULTI)
