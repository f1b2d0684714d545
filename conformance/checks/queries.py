"""Checks of Query: what it selects, in which order, page by page, and what is refused of its start keys."""

from __future__ import annotations

from conformance.checks.base import Check, table
from conformance.checks.steps import (
    ENVELOPE,
    INVALID,
    KEY,
    NUMBERED,
    SORTED,
    answers,
    b,
    batch_put,
    item,
    n,
    partition,
    put,
    query,
    refuses,
    reply,
    s,
    scan,
)
from conformance.program import Step
from reference.api import Item, Json


def _select(rule: str, message: str, bad: dict[str, Json], good: dict[str, Json]) -> tuple[Check, ...]:
    return tuple(
        refuses(rule, call(**bad), ENVELOPE + message, control=call(**good), name=f"{name} {bad}")
        for name, call in (("Query", partition), ("Scan", scan))
    )


SELECT: tuple[Check, ...] = (
    *_select(
        "queries.projection-with-select",
        "Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES",
        {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "v"},
        {"Select": "SPECIFIC_ATTRIBUTES", "ProjectionExpression": "v"},
    ),
    *_select(
        "queries.projection-with-select",
        "Cannot specify the AttributesToGet when choosing to get ALL_ATTRIBUTES",
        {"Select": "ALL_ATTRIBUTES", "AttributesToGet": ["v"]},
        {"Select": "ALL_ATTRIBUTES"},
    )[1:],
    *_select(
        "queries.projection-with-select",
        "Cannot specify the ProjectionExpression when choosing to get ALL_PROJECTED_ATTRIBUTES",
        {"Select": "ALL_PROJECTED_ATTRIBUTES", "ProjectionExpression": "v"},
        {"Select": "COUNT"},
    ),
    *_select(
        "queries.projection-with-select",
        "Cannot specify the ProjectionExpression when choosing to get only the Count",
        {"Select": "COUNT", "ProjectionExpression": "v"},
        {"Select": "COUNT"},
    ),
    *_select(
        "queries.all-projected-without-index",
        "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
        {"Select": "ALL_PROJECTED_ATTRIBUTES"},
        {"Select": "ALL_ATTRIBUTES"},
    ),
    *_select(
        "queries.specific-without-projection",
        "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
        {"Select": "SPECIFIC_ATTRIBUTES"},
        {"Select": "SPECIFIC_ATTRIBUTES", "ProjectionExpression": "v"},
    ),
)

INDEXED = {"t0": table(key="pk:S,sk:S", gsi=["by_g=g:S,h:S"])}
_START = {**KEY, "sk": s("b")}
_INVALID = "The provided starting key is invalid"
_MISMATCH = "The provided key element does not match the schema"
_OUTSIDE = "The provided starting key is outside query boundaries based on provided conditions"


def _from(key: Item, text: str = "pk = :pk", **members: Json) -> Step:
    return partition(KeyConditionExpression=text, ExclusiveStartKey=key, **members)


_X = {"ExpressionAttributeValues": {":x": s("x")}}
_ON_G: dict[str, Json] = {"IndexName": "by_g"}
_G_START = {**KEY, "sk": s("b"), "g": s("a"), "h": s("x")}

STARTS: tuple[Check, ...] = (
    refuses(
        "queries.start-key-shape", _from(KEY), _INVALID, tables=SORTED, control=_from(_START), name="sort key missing"
    ),
    refuses(
        "queries.start-key-shape",
        _from({**_START, "v": n(1)}),
        _INVALID,
        tables=SORTED,
        control=_from(_START),
        name="extra attribute",
    ),
    refuses(
        "queries.start-key-shape",
        _from({**KEY, "v": s("b")}),
        _INVALID,
        tables=SORTED,
        control=_from(_START),
        name="another attribute",
    ),
    refuses(
        "queries.start-key-shape",
        _from(_START, "g = :pk", **_ON_G),
        _INVALID,
        tables=INDEXED,
        control=_from(_G_START, "g = :pk", **_ON_G),
        name="index key missing",
    ),
    refuses(
        "queries.start-key-type",
        _from({**KEY, "sk": n(1)}),
        _MISMATCH,
        tables=SORTED,
        control=_from(_START),
        name="sort key",
    ),
    refuses(
        "queries.start-key-type",
        _from({"pk": n(1), "sk": s("b")}),
        _MISMATCH,
        tables=SORTED,
        control=_from(_START),
        name="partition key",
    ),
    refuses(
        "queries.start-key-value",
        _from({**KEY, "sk": {"NULL": False}}),
        f"{_INVALID}: {INVALID}Null attribute value types must have the value of true",
        tables=SORTED,
        control=_from(_START),
        name="NULL",
    ),
    refuses(
        "queries.start-key-value",
        _from({**KEY, "sk": {}}),
        f"{_INVALID}: Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        tables=SORTED,
        control=_from(_START),
        name="empty",
    ),
    refuses(
        "values.number-malformed",
        _from({**KEY, "sk": n("abc")}),
        "The parameter cannot be converted to a numeric value: abc",
        tables=NUMBERED,
        control=_from({**KEY, "sk": n(1)}),
        name="start key",
    ),
    refuses(
        "queries.start-key-outside", _from({"pk": s("z"), "sk": s("b")}), _OUTSIDE, tables=SORTED, control=_from(_START)
    ),
    refuses(
        "queries.start-key-outside",
        _from({**_G_START, "g": s("z")}, "g = :pk", **_ON_G),
        _OUTSIDE,
        tables=INDEXED,
        control=_from(_G_START, "g = :pk", **_ON_G),
        name="index",
    ),
    refuses(
        "queries.start-key-predicate",
        _from(_START, "pk = :pk AND sk > :x", **_X),
        "The provided starting key does not match the range key predicate",
        tables=SORTED,
        control=_from({**KEY, "sk": s("y")}, "pk = :pk AND sk > :x", **_X),
    ),
    refuses(
        "queries.start-key-restart",
        _from({**_G_START, "g": s("z")}, "g = :pk AND h = :x", **_ON_G, **_X),
        "The query can return at most one row and cannot be restarted",
        tables=INDEXED,
        control=_from(_G_START, "g = :pk AND h = :x", **_ON_G, **_X),
    ),
    refuses("queries.start-key-hash-only", _from(KEY), phrase="ExclusiveStartKey", control=partition()),
)

_ROWS = [item(sk=s(letter), v=n(i)) for i, letter in enumerate("abcde")]
_FILLED = batch_put(*_ROWS)


def _selected(name: str, count: int, text: str, **values: str) -> Check:
    return answers(
        "queries.result",
        partition(KeyConditionExpression=text, ExpressionAttributeValues={f":{k}": s(v) for k, v in values.items()}),
        tables=SORTED,
        given=[_FILLED, put({"pk": s("other"), "sk": s("c")})],
        has={"Items": _ROWS[:count] if count >= 0 else _ROWS[count:], "Count": abs(count), "ScannedCount": abs(count)},
        name=name,
    )


_BIG = "x" * 300_000

RESULTS: tuple[Check, ...] = (
    _selected("partition", 5, "pk = :pk"),
    _selected("<", 2, "pk = :pk AND sk < :x", x="c"),
    _selected("<=", 3, "pk = :pk AND sk <= :x", x="c"),
    _selected(">", -2, "pk = :pk AND sk > :x", x="c"),
    _selected("mirrored", -3, "pk = :pk AND :x <= sk", x="c"),
    _selected("=", 1, "sk = :x AND pk = :pk", x="a"),
    _selected("between", 3, "pk = :pk AND sk BETWEEN :x AND :y", x="a", y="c"),
    _selected("begins_with", 1, "pk = :pk AND begins_with(sk, :x)", x="a"),
    _selected("parentheses", 2, "(pk = :pk) AND (sk < :x)", x="c"),
    _selected("nothing", 0, "pk = :pk AND sk > :x", x="z"),
    answers(
        "queries.result",
        partition(Limit=2, FilterExpression="v > :v", ExpressionAttributeValues={":v": n(9)}),
        tables=SORTED,
        given=[_FILLED],
        body={"Items": [], "Count": 0, "ScannedCount": 2, "LastEvaluatedKey": {**KEY, "sk": s("b")}},
        name="filtered page",
    ),
    answers(
        "queries.result",
        partition(FilterExpression="v > :v", ExpressionAttributeValues={":v": n(2)}),
        tables=SORTED,
        given=[_FILLED],
        body={"Items": _ROWS[3:], "Count": 2, "ScannedCount": 5},
        name="filter",
    ),
    answers("queries.result", partition(), body={"Items": [], "Count": 0, "ScannedCount": 0}, name="empty table"),
    answers(
        "queries.order",
        partition(ScanIndexForward=False),
        tables=SORTED,
        given=[_FILLED],
        has={"Items": _ROWS[::-1]},
        name="backwards",
    ),
    answers(
        "queries.order",
        partition(ScanIndexForward=False, Limit=2, ExclusiveStartKey={**KEY, "sk": s("d")}),
        tables=SORTED,
        given=[_FILLED],
        has={"Items": [_ROWS[2], _ROWS[1]], "LastEvaluatedKey": {**KEY, "sk": s("b")}},
        name="backwards from a key",
    ),
    answers(
        "queries.order",
        partition(ProjectionExpression="sk"),
        tables={"t0": table(key="pk:S,sk:B")},
        given=[batch_put(*(item(sk=b(x)) for x in ("/w==", "gA==", "fw==", "fwA=")))],
        has={"Items": [{"sk": b(x)} for x in ("fw==", "fwA=", "gA==", "/w==")]},
        name="binary",
    ),
    answers(
        "queries.page",
        partition(Limit=2),
        tables=SORTED,
        given=[_FILLED],
        body={"Items": _ROWS[:2], "Count": 2, "ScannedCount": 2, "LastEvaluatedKey": {**KEY, "sk": s("b")}},
        name="limit",
    ),
    answers(
        "queries.page",
        partition(ExclusiveStartKey={**KEY, "sk": s("bb")}),
        tables=SORTED,
        given=[_FILLED],
        body={"Items": _ROWS[2:], "Count": 3, "ScannedCount": 3},
        name="from a key that is not there",
    ),
    answers(
        "queries.page",
        partition(Limit=2, ExclusiveStartKey=reply(2, "LastEvaluatedKey")),
        tables=SORTED,
        given=[_FILLED, partition(Limit=2)],
        has={"Items": _ROWS[2:4], "LastEvaluatedKey": {**KEY, "sk": s("d")}},
        name="next",
    ),
    answers(
        "queries.page",
        partition(ProjectionExpression="sk"),
        tables=SORTED,
        given=[put({"sk": s(letter), "v": s(_BIG)}) for letter in "abcde"],
        has={"Items": [{"sk": s(letter)} for letter in "abcd"], "LastEvaluatedKey": {**KEY, "sk": s("d")}},
        name="one megabyte",
    ),
    answers(
        "queries.page",
        query("g = :a", {"a": s("a")}, IndexName="by_g", Limit=1),
        tables=INDEXED,
        given=[put({"sk": s("b"), "g": s("a"), "h": s("x")}), put({"sk": s("c"), "g": s("a"), "h": s("y")})],
        has={"Count": 1, "LastEvaluatedKey": _G_START},
        name="index",
    ),
    answers(
        "queries.exact-page",
        partition(Limit=5),
        tables=SORTED,
        given=[_FILLED],
        has={"Items": _ROWS, "LastEvaluatedKey": {**KEY, "sk": s("e")}},
        name="limit reached",
    ),
    answers(
        "queries.exact-page",
        partition(Limit=5, ExclusiveStartKey={**KEY, "sk": s("e")}),
        tables=SORTED,
        given=[_FILLED],
        body={"Items": [], "Count": 0, "ScannedCount": 0},
        name="empty page",
    ),
    answers(
        "queries.hash-only-page",
        partition(Limit=1),
        given=[put()],
        body={"Items": [KEY], "Count": 1, "ScannedCount": 1},
    ),
    answers(
        "queries.count",
        partition(Select="COUNT"),
        tables=SORTED,
        given=[_FILLED],
        body={"Count": 5, "ScannedCount": 5},
        name="Query",
    ),
    answers(
        "queries.count",
        scan(Select="COUNT"),
        tables=SORTED,
        given=[_FILLED],
        body={"Count": 5, "ScannedCount": 5},
        name="Scan",
    ),
)

_SEGMENT = "The Segment parameter"

SCANS: tuple[Check, ...] = (
    refuses(
        "scans.segment-without-total",
        scan(Segment=0),
        "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
        control=scan(Segment=0, TotalSegments=1),
    ),
    refuses(
        "scans.total-without-segment",
        scan(TotalSegments=1),
        f"{_SEGMENT} is required but was not present in the request when parameter TotalSegments is present",
        control=scan(Segment=0, TotalSegments=1),
    ),
    refuses(
        "scans.segment-range",
        scan(Segment=5, TotalSegments=5),
        f"{_SEGMENT} is zero-based and must be less than parameter TotalSegments",
        control=scan(Segment=4, TotalSegments=5),
    ),
    refuses(
        "scans.start-key-shape",
        scan(ExclusiveStartKey=KEY),
        _INVALID,
        tables=SORTED,
        control=scan(ExclusiveStartKey=_START),
        name="sort key missing",
    ),
    refuses(
        "scans.start-key-shape",
        scan(ExclusiveStartKey={**_START, "v": n(1)}),
        _INVALID,
        tables=SORTED,
        control=scan(ExclusiveStartKey=_START),
        name="extra attribute",
    ),
    refuses(
        "scans.start-key-shape",
        scan(ExclusiveStartKey={**KEY, "sk": n(1)}),
        _INVALID,
        tables=SORTED,
        control=scan(ExclusiveStartKey=_START),
        name="wrong type",
    ),
    answers("scans.result", scan(), given=[put()], body={"Items": [KEY], "Count": 1, "ScannedCount": 1}, name="all"),
    refuses(
        "scans.start-key-segment",
        scan(Segment=1, TotalSegments=2, ExclusiveStartKey=reply(2, "LastEvaluatedKey")),
        phrase="The provided starting key is invalid",
        given=[batch_put(*({"pk": s(str(i))} for i in range(25))), scan(Segment=0, TotalSegments=2, Limit=1)],
        control=scan(Segment=0, TotalSegments=2, ExclusiveStartKey=reply(2, "LastEvaluatedKey")),
    ),
    answers(
        "scans.result",
        scan(ProjectionExpression="sk, v"),
        tables=SORTED,
        given=[_FILLED],
        has={"Items": [{"sk": row["sk"], "v": row["v"]} for row in _ROWS], "Count": 5},
        name="one partition in order",
    ),
    answers(
        "scans.result",
        scan(FilterExpression="sk > :x", ExpressionAttributeValues={":x": s("c")}),
        tables=SORTED,
        given=[_FILLED],
        has={"Items": _ROWS[3:], "Count": 2, "ScannedCount": 5},
        name="filter on a key",
    ),
    answers(
        "scans.result",
        scan(ExclusiveStartKey=reply(2, "LastEvaluatedKey")),
        tables=SORTED,
        given=[_FILLED, scan(Limit=2)],
        body={"Items": _ROWS[2:], "Count": 3, "ScannedCount": 3},
        name="next page",
    ),
    answers(
        "scans.result",
        scan(Limit=2, FilterExpression="attribute_exists(gone)"),
        tables=SORTED,
        given=[_FILLED],
        has={"Items": [], "Count": 0, "ScannedCount": 2},
        name="filtered page",
    ),
    answers(
        "scans.segments",
        scan(Segment=0, TotalSegments=1),
        tables=SORTED,
        given=[_FILLED],
        body={"Items": _ROWS, "Count": 5, "ScannedCount": 5},
        name="one",
    ),
)

CHECKS: tuple[Check, ...] = (*SELECT, *STARTS, *RESULTS, *SCANS)
