"""Checks of BatchGetItem and BatchWriteItem."""

from __future__ import annotations

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import (
    KEY,
    aliases,
    answers,
    batch_delete,
    batch_get,
    batch_put,
    get,
    item,
    n,
    named,
    put,
    refuses,
    reply,
    s,
    scan,
)
from conformance.program import Step
from reference.api import Json

_TWICE = "Provided list of item keys contains duplicates"
_B = {"pk": s("b")}
_NUMBER = {"t0": table(key="pk:N")}
_TWO = {"t0": table(), "t1": table("t1")}
_T1 = "${table:t1}"
_GONE = "dynoracle-no-such-table"
_ARN = reply(0, "TableDescription.TableArn")


def _mixed(*requests: dict[str, Json]) -> Step:
    return Step("BatchWriteItem", {"RequestItems": {T0: list(requests)}})


_ONE = {"Keys": [KEY], "ConsistentRead": True}
_BOTH = Step("BatchGetItem", {"RequestItems": {T0: _ONE, _T1: _ONE}})
_PUT_A = {"PutRequest": {"Item": KEY}}
_DELETE_A = {"DeleteRequest": {"Key": KEY}}
_DELETE_B = {"DeleteRequest": {"Key": _B}}

REFUSED: tuple[Check, ...] = (
    refuses("batches.duplicate-keys", batch_get(KEY, _B, KEY), _TWICE, control=batch_get(KEY, _B), name="BatchGetItem"),
    refuses(
        "batches.duplicate-keys",
        Step("BatchGetItem", {"RequestItems": {"no-such-table-here": {"Keys": [KEY, KEY]}}}),
        _TWICE,
        control=batch_get(KEY, _B),
        name="before-the-table",
    ),
    refuses(
        "batches.duplicate-keys", batch_put(KEY, item(v=n(1))), _TWICE, control=batch_put(KEY, _B), name="two puts"
    ),
    refuses(
        "batches.duplicate-keys", batch_delete(KEY, KEY), _TWICE, control=batch_delete(KEY, _B), name="two deletes"
    ),
    refuses(
        "batches.duplicate-keys",
        _mixed(_PUT_A, _DELETE_A),
        _TWICE,
        control=_mixed(_PUT_A, _DELETE_B),
        name="put and delete",
    ),
    refuses(
        "batches.duplicate-keys",
        batch_put({"pk": n(1000)}, {"pk": n("1e3")}),
        _TWICE,
        tables=_NUMBER,
        control=batch_put({"pk": n(1000)}, {"pk": n("1e4")}),
        name="one number in two spellings",
    ),
    answers(
        "batches.read-aliases",
        Step("BatchGetItem", {"RequestItems": {_ARN: {"Keys": [KEY]}, T0: {"Keys": [KEY]}}}),
        has={"UnprocessedKeys": {}},
    ),
    refuses(
        "batches.table-twice",
        Step("BatchGetItem", {"RequestItems": {T0: {"Keys": [KEY]}, _ARN: {"Keys": [_B]}}}),
        phrase="",
        control=batch_get(KEY, _B),
    ),
    refuses(
        "legacy.mixed-parameters",
        Step(
            "BatchGetItem",
            {
                "RequestItems": {
                    T0: {"Keys": [KEY], "ProjectionExpression": "v"},
                    _T1: {"Keys": [KEY], "AttributesToGet": ["v"]},
                }
            },
        ),
        phrase="Can not use both expression and non-expression parameters in the same request",
        tables=_TWO,
        control=Step(
            "BatchGetItem",
            {
                "RequestItems": {
                    T0: {"Keys": [KEY], "ProjectionExpression": "v"},
                    _T1: {"Keys": [KEY], "ProjectionExpression": "v"},
                }
            },
        ),
        name="across tables",
    ),
    refuses(
        "items.table-missing",
        Step("BatchWriteItem", {"RequestItems": {T0: [_PUT_A], _GONE: [_PUT_A]}}),
        "Requested resource not found",
        code="ResourceNotFoundException",
        control=_mixed(_PUT_A),
        name="one of two in a batch",
    ),
)

_STORED = batch_put(item(v=n(1)), {**_B, "v": n(2), "w": named(x=n(3))})

ANSWERED: tuple[Check, ...] = (
    answers(
        "batches.read-result",
        batch_get({"pk": s("none")}),
        body={"Responses": {T0: []}, "UnprocessedKeys": {}},
        name="missing item",
    ),
    answers(
        "batches.read-result",
        batch_get(_B, {"pk": s("none")}, within={"ConsistentRead": True}),
        given=[_STORED],
        body={"Responses": {T0: [{**_B, "v": n(2), "w": named(x=n(3))}]}, "UnprocessedKeys": {}},
        name="found and missing",
    ),
    answers(
        "batches.read-result",
        batch_get(_B, within={"ConsistentRead": True, "ProjectionExpression": "#w.x, gone", **aliases(w="w")}),
        given=[_STORED],
        body={"Responses": {T0: [{"w": named(x=n(3))}]}, "UnprocessedKeys": {}},
        name="projection",
    ),
    answers(
        "batches.read-result",
        _BOTH,
        tables=_TWO,
        given=[put()],
        body={"Responses": {T0: [KEY], _T1: []}, "UnprocessedKeys": {}},
        name="two tables",
    ),
    answers(
        "batches.read-result",
        _BOTH,
        tables=_TWO,
        given=[put({"v": n(1)}), Step("PutItem", {"TableName": _T1, "Item": {**KEY, "v": n(2)}})],
        body={"Responses": {T0: [{**KEY, "v": n(1)}], _T1: [{**KEY, "v": n(2)}]}, "UnprocessedKeys": {}},
        name="one key in two tables",
    ),
    answers(
        "batches.read-duplicates",
        batch_get({"pk": n(1000)}, {"pk": n("1e3")}, within={"ConsistentRead": True}),
        tables=_NUMBER,
        given=[put({"pk": n(1000)})],
        body={"Responses": {T0: [{"pk": n(1000)}]}, "UnprocessedKeys": {}},
    ),
    answers("batches.unprocessed", batch_get(KEY), has={"UnprocessedKeys": {}}, name="BatchGetItem"),
    answers("batches.unprocessed", batch_put(KEY), body={"UnprocessedItems": {}}, name="BatchWriteItem"),
    answers("batches.write-result", _mixed(_PUT_A, _DELETE_B), body={"UnprocessedItems": {}}, name="answer"),
    answers(
        "batches.write-result",
        scan(),
        given=[put(_B), _mixed(_PUT_A, _DELETE_B)],
        has={"Items": [KEY], "Count": 1},
        name="written and deleted",
    ),
    answers(
        "batches.write-result",
        get(),
        given=[put({"v": n(1), "w": n(2)}), batch_put(item(v=n(3)))],
        body={"Item": item(v=n(3))},
        name="put replaces",
    ),
)

CHECKS: tuple[Check, ...] = (*REFUSED, *ANSWERED)
