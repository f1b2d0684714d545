"""Checks of what strongly consistent reads and transactions show, one call after the other."""

from __future__ import annotations

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import (
    KEY,
    SORTED,
    answers,
    batch_get,
    get,
    item,
    n,
    partition,
    put,
    s,
    scan,
    t_get,
    t_put,
    transact,
    transact_get,
    update,
)

_ONE, _TWO = item({"v": n(1)}), item({"v": n(2)})
_WRITTEN = [put({"v": n(1)}), put({"v": n(2)})]
_CONSISTENT = {"ConsistentRead": True}
_ROW = {"pk": s("a"), "sk": s("x"), "l": s("y")}
_LOCAL = {"t0": table(key="pk:S,sk:S", lsi=["by-l=pk:S,l:S"])}
_TOKEN = transact(t_put({"v": n(1)}), ClientRequestToken="${token:a}")

CHECKS: tuple[Check, ...] = (
    answers("consistency.read-after-write", get(), given=_WRITTEN, body={"Item": _TWO}, name="GetItem"),
    answers(
        "consistency.read-after-write", batch_get(KEY, within=_CONSISTENT), given=_WRITTEN,
        has={"Responses": {T0: [_TWO]}}, name="BatchGetItem",
    ),
    answers(
        "consistency.read-after-write", scan(**_CONSISTENT), given=_WRITTEN, has={"Count": 1, "Items": [_TWO]},
        name="Scan",
    ),
    answers(
        "consistency.read-after-write", partition(**_CONSISTENT), given=[put(_ROW), put({**_ROW, "v": n(2)})],
        tables=SORTED, has={"Count": 1, "Items": [{**_ROW, "v": n(2)}]}, name="Query",
    ),
    answers(
        "consistency.read-after-write", partition(IndexName="by-l", **_CONSISTENT), given=[put(_ROW)], tables=_LOCAL,
        has={"Count": 1, "Items": [_ROW]}, name="local index",
    ),
    answers(
        "consistency.read-after-write", transact_get(t_get()), given=_WRITTEN, has={"Responses": [{"Item": _TWO}]},
        name="TransactGetItems",
    ),
    answers(
        "consistency.linearizable-item", update("SET v = v + :n", {"n": n(1)}, ReturnValues="UPDATED_NEW"),
        given=[put({"v": n(1)}), update("SET v = v + :n", {"n": n(1)})], has={"Attributes": {"v": n(3)}},
    ),
    answers(
        "consistency.atomic-transactions", scan(**_CONSISTENT),
        given=[transact(t_put({"v": n(1)}), t_put({"pk": s("b")}))], has={"Count": 2},
    ),
    answers("consistency.applied-once", get(), given=[_TOKEN, put({"v": n(2)}), _TOKEN], body={"Item": _TWO}),
    answers("consistency.views-agree", scan(**_CONSISTENT), given=[put({"v": n(1)})], has={"Items": [_ONE]}),
)  # fmt: skip
