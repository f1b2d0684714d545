"""Checks of DAX, for targets that are served through its caches. PartiQL writes go past them, which shows staleness."""

from __future__ import annotations

from typing import Any

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import KEY, answers, batch_get, get, item, put, s, scan, transact_get, update
from conformance.program import Step

THROUGH = ("dax",)
_EVENTUAL: dict[str, Any] = {"ConsistentRead": False}
_READ = get(**_EVENTUAL)
_COUNT = {"Count": 0, "Items": []}
_PLAIN = {"t0": table()}


def past(value: str) -> Step:
    """An update that goes past the cache."""
    statement = f"UPDATE \"{T0}\" SET v='{value}' WHERE pk='a'"
    return Step("ExecuteStatement", {"Statement": statement})


_INSERT_PAST = Step("ExecuteStatement", {"Statement": f"INSERT INTO \"{T0}\" VALUE {{'pk':'a','v':'past'}}"})
_ONE, _TWO = {"Item": item({"v": s("one")})}, {"Item": item({"v": s("two")})}
_PUT = put({"v": s("one")})


def _check(rule: str, when: Step, *given: Step, name: str = "", **told: Any) -> Check:
    return answers(rule, when, name=name, given=given, tables=_PLAIN, settings=THROUGH, **told)


CHECKS: tuple[Check, ...] = (
    _check("dax.item-cache", _READ, _PUT, past("two"), has=_ONE),
    _check("dax.item-cache", _READ, _PUT, _READ, past("two"), _READ, has=_ONE, name="again"),
    _check(
        "dax.batch", batch_get(KEY), _PUT, past("two"), has={"Responses": {T0: [item({"v": s("one")})]}},
    ),
    _check("dax.batch", _READ, put({"v": s("one")}), batch_get(KEY), past("two"), has=_ONE, name="is single reads"),
    _check("dax.query-cache", scan(), scan(), _PUT, has=_COUNT),
    _check("dax.query-cache", scan(Limit=5), scan(), _PUT, has={"Count": 1}, name="other parameters"),
    _check("dax.separate-caches", _READ, _INSERT_PAST, scan(), past("two"), has=_TWO),
    _check("dax.consistent-reads", get(), _PUT, past("two"), has=_TWO),
    _check("dax.consistent-reads", _READ, _PUT, past("two"), get(), has=_ONE, name="refresh nothing"),
    _check("dax.consistent-reads", scan(ConsistentRead=True), scan(), _PUT, has={"Count": 1}, name="Scan"),
    _check(
        "dax.consistent-reads", transact_get({"Get": {"TableName": T0, "Key": KEY}}), _PUT, past("two"),
        has={"Responses": [_TWO]}, name="transaction",
    ),
    _check("dax.write-through", _READ, _READ, _PUT, has=_ONE),
    _check("dax.write-through", _READ, _PUT, update("SET v = :v", {"v": s("two")}), has=_TWO, name="UpdateItem"),
    _check("dax.missing-items", _READ, _READ, _INSERT_PAST, lacks=["Item"]),
    _check("dax.missing-items", scan(), scan(), _INSERT_PAST, has=_COUNT, name="result"),
)  # fmt: skip
