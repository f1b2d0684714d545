"""Checks of PutItem, GetItem, UpdateItem and DeleteItem, and of what all data operations share."""

from __future__ import annotations

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import (
    ENVELOPE,
    KEY,
    answers,
    batch_get,
    batch_put,
    delete,
    describe,
    get,
    item,
    many,
    n,
    named,
    put,
    query,
    refuses,
    reply,
    s,
    scan,
    t_get,
    t_put,
    transact,
    transact_get,
    update,
)
from conformance.program import Step
from reference.api import Item, Json

_GONE = "dynoracle-no-such-table"
_NOT_FOUND = "Requested resource not found"


def _elsewhere(step: Step) -> Step:
    """The same call of a table that does not exist."""
    return Step(step.operation, _renamed(step.body))


def _renamed(body: Json) -> Json:
    if isinstance(body, dict):
        return {_renamed(name): _renamed(member) for name, member in body.items()}
    if isinstance(body, list):
        return [_renamed(member) for member in body]
    return _GONE if body == T0 else body


_CALLS = {
    "PutItem": put(),
    "GetItem": get(),
    "UpdateItem": update("SET v = :v", {"v": n(1)}),
    "DeleteItem": delete(),
    "Query": query("pk = :p", {"p": s("a")}),
    "Scan": scan(),
    "BatchGetItem": batch_get(KEY),
    "BatchWriteItem": batch_put(KEY),
    "TransactWriteItems": transact(t_put()),
    "TransactGetItems": transact_get(t_get()),
}

TABLES: tuple[Check, ...] = tuple(
    refuses(
        "items.table-missing",
        _elsewhere(step),
        _NOT_FOUND,
        code="ResourceNotFoundException",
        control=step,
        name=operation,
    )
    for operation, step in _CALLS.items()
)

_LIMIT = 409_600
_TOO_LARGE = "Item size has exceeded the maximum allowed size"
_UPDATE_TOO_LARGE = "Item size to update has exceeded the maximum allowed size"


def _sized(size: int) -> Item:
    """An item of so many bytes with the key ``a``."""
    return {"v": s("x" * (size - len("pk") - len("a") - len("v")))}


def _half(size: int) -> Item:
    return {"w": s("x" * (size - len("w")))}


_LOCAL = {"t0": table(key="pk:S,sk:S", lsi=["by_v=pk:S,v:S"])}
_SORT = {"sk": s("a"), "v": s("b")}

SIZES: tuple[Check, ...] = (
    refuses("items.too-large", put(_sized(_LIMIT + 1)), _TOO_LARGE, control=put(_sized(_LIMIT)), name="PutItem"),
    refuses(
        "items.too-large",
        batch_put(item(_sized(_LIMIT + 1))),
        _TOO_LARGE,
        control=batch_put(item(_sized(_LIMIT))),
        name="BatchWriteItem",
    ),
    refuses(
        "items.too-large",
        transact(t_put(_sized(_LIMIT + 1))),
        _TOO_LARGE,
        control=transact(t_put(_sized(_LIMIT))),
        name="TransactWriteItems",
    ),
    refuses(
        "items.update-too-large",
        update("SET w = :w", {"w": s("x" * 1000)}),
        _UPDATE_TOO_LARGE,
        given=[put(_sized(_LIMIT - 1000))],
        control=update("SET w = :w", {"w": s("x" * 999)}),
        name="grown",
    ),
    refuses(
        "items.statement-too-large",
        update("SET b = :b", {"b": s("x" * 409_578)}, {"pk": s("K")}),
        _UPDATE_TOO_LARGE,
        control=update("SET b = :b", {"b": s("x" * 409_577)}, {"pk": s("K")}),
        name="one action",
    ),
    refuses(
        "items.statement-too-large",
        update("SET b = :b, c = :c", {"b": s("x" * 409_558), "c": s("")}, {"pk": s("K")}),
        _UPDATE_TOO_LARGE,
        control=update("SET b = :b, c = :c", {"b": s("x" * 409_557), "c": s("")}, {"pk": s("K")}),
        name="two actions",
    ),
    answers(
        "expressions.statement-size",
        update("SET b = :b", {"b": s("x" * 409_577)}, {"pk": s("K")}),
        body={},
        name="one action",
    ),
    answers(
        "expressions.statement-size",
        update("SET b = :b REMOVE z", {"b": s("x" * 409_575)}, {"pk": s("K")}),
        body={},
        name="a removal costs two",
    ),
    answers(
        "expressions.statement-size",
        update("SET b = :b", {"b": s("x" * 409_577)}, {"pk": s("k" * 20)}),
        body={},
        name="keys are not written",
    ),
    refuses(
        "items.local-entries-too-large",
        put({**_SORT, "w": s("x" * 300_000)}),
        _TOO_LARGE,
        tables=_LOCAL,
        control=put({**_SORT, "w": s("x" * 200_000)}),
    ),
)

_RETURNS = "ReturnValues can only be ALL_OLD or NONE"

WRITES: tuple[Check, ...] = (
    *(
        refuses(
            "items.return-values",
            step(ReturnValues=what),
            ENVELOPE + _RETURNS,
            control=step(ReturnValues="ALL_OLD"),
            name=f"{name} {what}",
        )
        for name, step in (("PutItem", put), ("DeleteItem", delete))
        for what in ("ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")
    ),
    answers(
        "items.put-replaces",
        get(),
        given=[put({"v": n(1), "w": n(2)}), put({"x": n(3)})],
        body={"Item": item(x=n(3))},
    ),
    answers("items.delete-removes", get(), given=[put(), delete()], body={}),
    answers("items.delete-missing", delete(), body={}, name="nothing"),
    answers("items.delete-missing", delete(ReturnValues="ALL_OLD"), body={}, name="ALL_OLD"),
    answers("items.missing-item", get(), body={}, name="empty table"),
    answers("items.missing-item", get({"pk": s("A")}), given=[put()], body={}, name="case"),
    answers("items.missing-item", get(), given=[put(), delete()], body={}, name="deleted"),
    answers(
        "items.projected",
        get(ProjectionExpression="v, w.x, gone"),
        given=[put({"v": n(1), "w": named(x=n(2), y=n(3)), "z": many()})],
        body={"Item": {"v": n(1), "w": named(x=n(2))}},
        name="some",
    ),
    answers("items.projected", get(ProjectionExpression="gone"), given=[put()], body={"Item": {}}, name="nothing"),
    answers("items.projected", get(ProjectionExpression="gone"), body={}, name="missing item"),
    answers("items.old-item-returned", put(ReturnValues="ALL_OLD"), body={}, name="put, nothing overwritten"),
    answers(
        "items.old-item-returned",
        put({"v": n(1)}, ReturnValues="ALL_OLD"),
        given=[put({"v": n(1)})],
        body={"Attributes": item(v=n(1))},
        name="put, the same item",
    ),
    answers("items.old-item-returned", put(), given=[put()], body={}, name="put, not asked for"),
    answers(
        "items.old-item-returned",
        delete(ReturnValues="ALL_OLD"),
        given=[put({"v": n(1)})],
        body={"Attributes": item(v=n(1))},
        name="delete",
    ),
    answers(
        "items.old-item-returned",
        delete(ReturnValues="ALL_OLD", ConditionExpression="attribute_not_exists(pk)"),
        body={},
        name="delete of nothing under a condition",
    ),
)

_METRICS = {"ItemCollectionKey": {"pk": s("a")}, "SizeEstimateRangeGB": [0.0, 1.0]}

METRICS: tuple[Check, ...] = (
    answers(
        "items.collection-metrics",
        put(_SORT, ReturnItemCollectionMetrics="SIZE"),
        tables=_LOCAL,
        body={"ItemCollectionMetrics": _METRICS},
        name="PutItem",
    ),
    answers("items.collection-metrics", put(_SORT), tables=_LOCAL, body={}, name="not asked for"),
    answers(
        "items.collection-metrics",
        put(ReturnItemCollectionMetrics="SIZE"),
        body={},
        name="no local index",
    ),
    answers(
        "items.collection-metrics",
        delete({**KEY, "sk": s("a")}, ReturnItemCollectionMetrics="SIZE"),
        tables=_LOCAL,
        given=[put(_SORT)],
        body={"ItemCollectionMetrics": _METRICS},
        name="DeleteItem",
    ),
    answers(
        "items.collection-metrics",
        batch_put(item(_SORT), ReturnItemCollectionMetrics="SIZE"),
        tables=_LOCAL,
        has={"ItemCollectionMetrics": {T0: [_METRICS]}},
        name="BatchWriteItem",
    ),
    answers(
        "items.collection-metrics",
        transact(t_put(_SORT), ReturnItemCollectionMetrics="SIZE"),
        tables=_LOCAL,
        body={"ItemCollectionMetrics": {T0: [_METRICS]}},
        name="TransactWriteItems",
    ),
    answers(
        "items.collection-metrics",
        batch_put(item(_SORT), item({"sk": s("b")}), ReturnItemCollectionMetrics="SIZE"),
        tables=_LOCAL,
        has={"ItemCollectionMetrics": {T0: [_METRICS]}},
        name="BatchWriteItem, two items of one collection",
    ),
    answers(
        "items.collection-metrics",
        transact(t_put(_SORT), t_put({"sk": s("b")}), ReturnItemCollectionMetrics="SIZE"),
        tables=_LOCAL,
        body={"ItemCollectionMetrics": {T0: [_METRICS]}},
        name="TransactWriteItems, two items of one collection",
    ),
)

_ARN = reply(0, "TableDescription.TableArn")

_ABROAD = "arn:aws:dynamodb:sa-east-1:400000000004:table/tab"

ARNS: tuple[Check, ...] = (
    answers(
        "wire.table-arn",
        Step("GetItem", {"TableName": _ARN, "Key": KEY, "ConsistentRead": True}),
        given=[put({"v": n(1)})],
        body={"Item": item(v=n(1))},
        name="GetItem",
    ),
    answers(
        "items.read-what-was-written",
        get(),
        given=[put({"v": n("1.50"), "w": {"NS": ["2", "1.0"]}, "x": n(0)}), update("SET x = :x", {"x": n("1e2")})],
        body={"Item": item(v=n("1.5"), w={"NS": ["1", "2"]}, x=n(100))},
        name="normal form",
    ),
    answers(
        "items.update-what-is-named",
        get(),
        given=[put({"v": n(1), "w": n(2), "x": n(3)}), update("SET v = :v REMOVE w", {"v": n(9)})],
        body={"Item": item(v=n(9), x=n(3))},
    ),
    answers(
        "capacity.shape",
        Step("GetItem", {"TableName": _ARN, "Key": KEY, "ReturnConsumedCapacity": "TOTAL"}),
        body={"ConsumedCapacity": {"TableName": _ARN, "CapacityUnits": 0.5}},
        name="by the table's ARN",
    ),
    answers(
        "wire.table-arn",
        Step("BatchGetItem", {"RequestItems": {_ARN: {"Keys": [KEY]}}}),
        body={"Responses": {_ARN: []}, "UnprocessedKeys": {}},
        name="BatchGetItem",
    ),
    answers(
        "wire.table-arn",
        get(),
        given=[Step("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": _ARN, "Item": KEY}}]})],
        body={"Item": KEY},
        name="TransactWriteItems",
    ),
    *(
        refuses("wire.arn-form", step, phrase="", control=get(), name=step.operation)
        for step in (
            Step("GetItem", {"TableName": f"{_ARN}/index/none", "Key": KEY}),
            Step("DescribeTable", {"TableName": f"{_ARN}/index/none"}),
            Step("DescribeTimeToLive", {"TableName": f"{_ARN}/stream/2015-07-27T00:48:05.899"}),
        )
    ),
    refuses(
        "wire.arn-resource-type",
        Step("DescribeTable", {"TableName": "arn:aws:dynamodb:us-east-1:400000000004:stream/tab"}),
        phrase="",
        control=describe(),
    ),
    *(
        refuses(
            "wire.arn-region",
            Step(operation, {"TableName": _ABROAD}),
            f"1 validation error detected: Invalid AWS region in '{_ABROAD}'",
            control=describe(),
            name=operation,
        )
        for operation in (
            "DescribeTable",
            "DescribeTimeToLive",
            "DescribeContinuousBackups",
            "DescribeContributorInsights",
        )
    ),
    refuses(
        "wire.arn-account",
        Step("DescribeTable", {"TableName": "arn:aws:dynamodb:us-east-1:999999999999:table/tab"}),
        "Access is denied",
        code="AccessDeniedException",
        control=describe(),
    ),
    refuses(
        "items.table-missing",
        Step("GetItem", {"TableName": f"{_ARN}-none", "Key": KEY}),
        _NOT_FOUND,
        code="ResourceNotFoundException",
        control=get(),
        name="ARN",
    ),
)

CHECKS: tuple[Check, ...] = (*TABLES, *SIZES, *WRITES, *METRICS, *ARNS)
