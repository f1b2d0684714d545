"""Checks of throttling: tables of one unit, and what is refused, left over or cancelled when it is gone.

Requests that cost more than a full bucket holds are served by a full one, which then owes the rest: so what follows is
throttled for seconds, however slow the target is.
"""

from __future__ import annotations

from typing import Any

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import (
    answers,
    batch_get,
    batch_put,
    get,
    item,
    n,
    put,
    refuses,
    s,
    t_put,
    transact,
)
from conformance.program import Step
from reference.api import Json

_SERVED = ("throttling",)
_TABLE = "${reply:0:TableDescription.TableArn}"
_PROVISIONED = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)
_INDEX = (
    "The level of configured provisioned throughput for one or more global secondary indexes of the table was "
    "exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with "
    "the UpdateTable API."
)
_ON_DEMAND = (
    "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or "
    "index so please try again shortly. If exceptions persist, check if you have a hot key: "
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
)
_ON_DEMAND_INDEX = (
    "Throughput exceeds the current capacity for one or more global secondary indexes. DynamoDB is automatically "
    "scaling your index so please try again shortly."
)
_EXCEEDED = "ProvisionedThroughputExceededException"


def _units(read: int, write: int) -> dict[str, Json]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def _provisioned(read: int, write: int, key: str = "pk:S", **indexes: tuple[str, int, int]) -> dict[str, Json]:
    """A provisioned table; each index is its key and its units."""
    body: dict[str, Any] = table(key=key, gsi=[f"{name}={of}" for name, (of, _, _) in indexes.items()])
    body |= {"BillingMode": "PROVISIONED", "ProvisionedThroughput": _units(read, write)}
    for described in body.get("GlobalSecondaryIndexes", ()):
        described["ProvisionedThroughput"] = _units(*indexes[described["IndexName"]][1:])
    return {"t0": body}


def _limited(**units: int) -> dict[str, Json]:
    """An on-demand table with maximum request units."""
    return {"t0": table() | {"OnDemandThroughput": units}}


def _large(kilobytes: int, pk: str = "a", **more: Json) -> dict[str, Json]:
    """An item of about that size."""
    return item({"pk": s(pk), "v": s("x" * (kilobytes * 1024 - 200)), **more})


def _why(limit: str, of: str = "") -> dict[str, Json]:
    return {"ThrottlingReasons": [{"reason": limit, "resource": _TABLE + of}]}


_ONE = _provisioned(1, 1)
_INDEXED = _provisioned(100, 100, by_g=("g:S", 1, 1))
_TOGETHER = {"t0": table(key="pk:S,sk:N")}
_BY_G = {"t0": table(gsi=["by_g=g:S"])}


def _statement(text: str, *values: Json) -> dict[str, Json]:
    return {"Statement": text, "Parameters": list(values)}


_INSERT = 'INSERT INTO "' + T0 + "\" VALUE {'pk': ?}"
_KILOBYTES = 390
_HOT = transact(*(t_put(_large(_KILOBYTES, sk=n(i))) for i in range(3)))
"""Writes 2,340 units to one item collection at once."""

CHECKS: tuple[Check, ...] = (
    refuses(
        "throttling.provisioned-table",
        put(_large(5)),
        _PROVISIONED,
        code=_EXCEEDED,
        tables=_ONE,
        given=(put(),),
        control=get(),
        settings=_SERVED,
        name="write",
    ),
    refuses(
        "throttling.provisioned-table",
        get(),
        _PROVISIONED,
        code=_EXCEEDED,
        tables=_provisioned(1, 20),
        given=(put(_large(10)),),
        control=put({"pk": s("b")}),
        settings=_SERVED,
        name="read",
    ),
    refuses(
        "throttling.provisioned-index",
        put(_large(5, pk="b", g=s("g"))),
        _INDEX,
        code=_EXCEEDED,
        tables=_INDEXED,
        given=(put({"g": s("g")}),),
        control=put(_large(5, pk="c")),
        settings=_SERVED,
    ),
    refuses(
        "throttling.on-demand-table",
        put(_large(10, sk=n(1))),
        _ON_DEMAND,
        code="ThrottlingException",
        tables=_TOGETHER,
        given=(_HOT,),
        control=put({"pk": s("b"), "sk": n(1)}),
        settings=_SERVED,
    ),
    refuses(
        "throttling.on-demand-index",
        put({"pk": s("f"), "g": s("g")}),
        _ON_DEMAND_INDEX,
        code="ThrottlingException",
        tables=_BY_G,
        given=(transact(*(t_put(_large(_KILOBYTES, pk=pk, g=s("g"))) for pk in "abei")),),
        control=put({"pk": s("f")}),
        settings=_SERVED,
    ),
    refuses(
        "throttling.on-demand-maximum",
        put(),
        "Throughput exceeds the maximum OnDemandThroughput configured on table or index",
        code="ThrottlingException",
        fields={"throttlingReasons": [{"reason": "TableWriteMaxOnDemandThroughputExceeded", "resource": _TABLE}]},
        tables=_limited(MaxReadRequestUnits=1, MaxWriteRequestUnits=1),
        given=(put(_large(10)),),
        control=get({"pk": s("b")}),
        settings=_SERVED,
    ),
    refuses(
        "throttling.account",
        put(),
        "Throughput exceeds the current throughput limit for your account. Please contact AWS Support at "
        "https://aws.amazon.com/support to request a limit increase",
        code="RequestLimitExceeded",
        fields=_why("TableWriteAccountLimitExceeded"),
        tables={"t0": table()},
        given=(put(_large(20)),),
        control=get({"pk": s("b")}),
        needs="table quota",
        settings=_SERVED,
    ),
    refuses(
        "throttling.reasons",
        put(_large(5)),
        _PROVISIONED,
        code=_EXCEEDED,
        fields=_why("TableWriteProvisionedThroughputExceeded"),
        tables=_ONE,
        given=(put(),),
        settings=_SERVED,
        name="table",
    ),
    refuses(
        "throttling.reasons",
        put(_large(5, pk="b", g=s("g"))),
        _INDEX,
        code=_EXCEEDED,
        fields=_why("IndexWriteProvisionedThroughputExceeded", "/index/by_g"),
        tables=_INDEXED,
        given=(put({"g": s("g")}),),
        settings=_SERVED,
        name="index",
    ),
    refuses(
        "throttling.reasons",
        put(_large(10, sk=n(1))),
        _ON_DEMAND,
        code="ThrottlingException",
        fields={"throttlingReasons": [{"reason": "TableWriteKeyRangeThroughputExceeded", "resource": _TABLE}]},
        tables=_TOGETHER,
        given=(_HOT,),
        settings=_SERVED,
        name="ThrottlingException",
    ),
    refuses(
        "throttling.partition",
        put(_large(10, sk=n(1))),
        _PROVISIONED,
        code=_EXCEEDED,
        fields=_why("TableWriteKeyRangeThroughputExceeded"),
        tables=_provisioned(1, 3000, "pk:S,sk:N"),
        given=(_HOT,),
        control=put({"pk": s("b"), "sk": n(1)}),
        settings=_SERVED,
    ),
    answers(
        "throttling.batch",
        batch_put(item(), _large(5, pk="b")),
        body={"UnprocessedItems": {T0: [{"PutRequest": {"Item": _large(5, pk="b")}}]}},
        tables=_ONE,
        settings=_SERVED,
        name="writes in part",
    ),
    answers(
        "throttling.batch",
        batch_get({"pk": s("a")}, {"pk": s("b")}, within={"ConsistentRead": True}),
        body={
            "Responses": {T0: [item()]},
            "UnprocessedKeys": {T0: {"Keys": [{"pk": s("b")}], "ConsistentRead": True}},
        },
        tables=_provisioned(1, 10),
        given=(put(), put({"pk": s("b")})),
        settings=_SERVED,
        name="reads in part",
    ),
    answers(
        "throttling.batch",
        Step("BatchExecuteStatement", {"Statements": [_statement(_INSERT, s("a")), _statement(_INSERT, s("b"))]}),
        body={
            "Responses": [
                {"TableName": T0},
                {"Error": {"Code": "ProvisionedThroughputExceeded", "Message": _PROVISIONED}},
            ]
        },
        tables=_ONE,
        settings=_SERVED,
        name="statements",
    ),
    refuses(
        "throttling.batch",
        batch_put(_large(5), _large(5, pk="b")),
        _PROVISIONED,
        code=_EXCEEDED,
        tables=_ONE,
        given=(put(),),
        settings=_SERVED,
        name="nothing of it",
    ),
    refuses(
        "throttling.transaction",
        transact(t_put({"pk": s("b")}), t_put(_large(5))),
        code="TransactionCanceledException",
        phrase="[ProvisionedThroughputExceeded, ProvisionedThroughputExceeded]",
        fields={
            "CancellationReasons": [
                {"Code": "ProvisionedThroughputExceeded", "Message": _PROVISIONED.removesuffix(".")},
                {"Code": "ProvisionedThroughputExceeded", "Message": _PROVISIONED.removesuffix(".")},
            ]
        },
        tables=_ONE,
        given=(put(),),
        settings=_SERVED,
        name="provisioned",
    ),
    refuses(
        "throttling.transaction",
        transact(t_put({"pk": s("b"), "sk": n(1)}), t_put(_large(10, sk=n(1)))),
        code="TransactionCanceledException",
        phrase="[None, ThrottlingError]",
        fields={"CancellationReasons": [{"Code": "None"}, {"Code": "ThrottlingError", "Message": _ON_DEMAND}]},
        tables=_TOGETHER,
        given=(_HOT,),
        settings=_SERVED,
        name="on demand",
    ),
    answers(
        "throttling.free",
        get({"pk": s("b")}),
        body={},
        tables=_ONE,
        given=(batch_put(item(), _large(5, pk="b")),),
        settings=_SERVED,
    ),
    refuses(
        "throttling.failed-condition",
        put({"pk": s("b")}),
        _PROVISIONED,
        code=_EXCEEDED,
        tables=_provisioned(1, 2),
        given=(put(), Step("BatchExecuteStatement", {"Statements": [_statement(_INSERT, s("a"))]})),
        settings=_SERVED,
    ),
    answers(
        "throttling.burst",
        put(_large(50)),
        body={},
        tables=_ONE,
        given=(put(),),
        pause=60.0,
        settings=_SERVED,
        name="used",
    ),
    refuses(
        "throttling.burst",
        put(_large(50)),
        _PROVISIONED,
        code=_EXCEEDED,
        tables=_ONE,
        given=(put(),),
        pause=30.0,
        settings=_SERVED,
        name="used up",
    ),
)
