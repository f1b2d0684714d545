"""Bugs of transactions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from conformance.checks.steps import (
    PLAIN,
    get,
    n,
    put,
    s,
    t_check,
    t_delete,
    t_get,
    t_put,
    t_update,
    transact,
    transact_get,
)
from conformance.program import Step
from reference.api import Call, Refusal, Reply, Success
from reference.operations import partiql, transactions
from reference.operations.base import Outcome
from reference.service import Service
from tests.planted.base import Body, Plant, answers, asks, originals, patched, plant, refuses

real = originals(transactions)
_CANCELLED = "transactions.cancelled"


def _torn(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """Of several writes the last is not done."""
    if call.operation != "TransactWriteItems" or len(outcome.changes) < 2:
        return outcome
    return replace(outcome, changes=outcome.changes[:-1])


def _updates_lost(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """Updates of a transaction that also deletes are not done."""
    kinds = [next(iter(each)) for each in call.body.get("TransactItems") or [{"": 0}]]
    if call.operation != "TransactWriteItems" or "Delete" not in kinds:
        return outcome
    writing = [kind for kind in kinds if kind != "ConditionCheck"]
    kept = tuple(c for kind, c in zip(writing, outcome.changes, strict=False) if kind != "Update")
    return replace(outcome, changes=kept)


def _half_done(service: Service, call: Call, reply: Refusal) -> Reply:
    """A cancelled transaction leaves what it did before the action that failed."""
    reasons = reply.fields.get("CancellationReasons") or []
    for each, reason in zip(call.body["TransactItems"], reasons, strict=False):
        if reason["Code"] != "None":
            break
        kind = next(iter(each))
        if kind == "Put":
            service.execute(Call("PutItem", {k: each[kind][k] for k in ("TableName", "Item")}))
    return reply


def _forgotten(context: Any, token: Any, digest: str) -> Any:
    yield from ()
    return None


def _any_request(context: Any, token: Any, digest: str) -> Any:
    """A repeated token is answered whatever the request."""
    held = context.account.remembered.get((context.operation, token)) if token is not None else None
    yield from ()
    return held


def _none_twice(targets: Iterable[Any]) -> Any:
    yield from ()


def _reasons(change: Any) -> Any:
    def alter(service: Service, call: Call, reply: Refusal) -> Reply:
        reasons = reply.fields.get("CancellationReasons")
        return (
            reply
            if reasons is None
            else replace(reply, fields={**reply.fields, "CancellationReasons": change(reasons)})
        )

    return refuses(_CANCELLED, alter)


def _uncancelled(service: Service, call: Call, reply: Refusal) -> Reply:
    """A failed condition is answered as in a single write."""
    codes = {reason["Code"] for reason in reply.fields["CancellationReasons"]}
    if "ConditionalCheckFailed" not in codes:
        return reply
    return Refusal("ConditionalCheckFailedException", "The conditional request failed", rules=reply.rules)


def _all_true(checked: Any) -> Any:
    """ConditionCheck is not looked at."""
    if checked.kind == "check":
        return real.Done(None, checked.table.at(checked.row))
    return (yield from real.run(checked))


def _check_writes(service: Service, call: Call, reply: Reply) -> Reply:
    """A ConditionCheck of a missing item creates it."""
    if call.operation != "TransactWriteItems" or not isinstance(reply, Success):
        return reply
    for each in call.body["TransactItems"]:
        part = each.get("ConditionCheck")
        table = service.account.table(part["TableName"]) if part else None
        if table is not None and table.get(part["Key"]) is None:
            service.install(table.name, part["Key"], dict(part["Key"]))
    return reply


def _empty_items(service: Service, call: Call, body: Body) -> Body:
    """A missing item is answered as an empty one."""
    return {**body, "Responses": [each or {"Item": {}} for each in body["Responses"]]}


def _found_only(service: Service, call: Call, body: Body) -> Body:
    """Missing items have no place in Responses."""
    return {**body, "Responses": [each for each in body["Responses"] if each]}


def _by_table(service: Service, call: Call, body: Body) -> Body:
    """Responses are in the order of the keys, not of the request."""
    pairs = zip(call.body["TransactItems"], body["Responses"], strict=True)
    ordered = sorted(pairs, key=lambda pair: repr(sorted(pair[0]["Get"]["Key"].items())))
    return {**body, "Responses": [each for _, each in ordered]}


def _unprojected(body: Body) -> Body:
    """TransactGetItems ignores projections."""
    gets = body.get("TransactItems")
    if not isinstance(gets, list):
        return body
    dropped = ("ProjectionExpression", "ExpressionAttributeNames")
    whole = [{k: v for k, v in (each.get("Get") or {}).items() if k not in dropped} for each in gets]
    return {**body, "TransactItems": [{"Get": get} if get else each for get, each in zip(whole, gets, strict=True)]}


def _only_first_bad(faults: Sequence[Any]) -> list[Any]:
    """Only the first action that fails is told."""
    told = next((i for i, fault in enumerate(faults) if fault is not None), None)
    return [fault if i == told else None for i, fault in enumerate(faults)]


def _keys_may_change(action: Any) -> Any:
    return (fault for fault in real.schema_faults(action) if fault.rule.name != "keys.update-key")


def _transaction(name: str, about: str, *steps: Step, **hooks: Any) -> Plant:
    return plant(name, about, "transactions", PLAIN, *steps, **hooks)


_B = {"pk": s("b")}
_TOKEN = {"ClientRequestToken": "${token:a}"}
_FAILS = t_check("attribute_exists(pk)", key=_B)
_ADD = t_update("ADD v :x", {"x": n(1)})
_SHOWN = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}

PLANTS: tuple[Plant, ...] = (
    _transaction(
        "transaction-torn", "Of several writes of a transaction the last is not done.",
        transact(t_put(), t_put(_B)), get(_B), does=_torn,
    ),
    _transaction(
        "transaction-updates-lost", "Updates beside a delete are not done.",
        put(_B), transact(t_update("SET v = :x", {"x": n(1)}), t_delete(_B)), get(), does=_updates_lost,
    ),
    _transaction(
        "transaction-half-done", "A cancelled transaction leaves what it did before the action that failed.",
        transact(t_put(), _FAILS), get(), says=refuses(_CANCELLED, _half_done, "TransactWriteItems"),
    ),
    _transaction(
        "token-forgotten", "A repeated ClientRequestToken does the transaction again.",
        transact(_ADD, **_TOKEN), transact(_ADD, **_TOKEN), get(),
        patches=(patched(transactions, remembered=_forgotten),),
    ),
    _transaction(
        "token-for-any-request", "A ClientRequestToken may be repeated with another request.",
        transact(_ADD, **_TOKEN), transact(t_put(), **_TOKEN),
        patches=(patched(transactions, remembered=_any_request),),
    ),
    _transaction(
        "transaction-duplicates", "A transaction may name an item twice.",
        transact(t_put(), t_check("attribute_not_exists(v)")),
        patches=(patched(transactions, duplicates=_none_twice), patched(partiql, duplicates=_none_twice)),
    ),
    _transaction(
        "reasons-reversed", "CancellationReasons are in the wrong order.",
        transact(t_put(), _FAILS), says=_reasons(lambda reasons: reasons[::-1]),
    ),
    _transaction(
        "reasons-failing-only", "CancellationReasons holds only actions that failed.",
        transact(t_put(), _FAILS), says=_reasons(lambda reasons: [r for r in reasons if r["Code"] != "None"]),
    ),
    _transaction(
        "reasons-without-item", "CancellationReasons never show the stored item.",
        put(), transact(t_put(ConditionExpression="attribute_not_exists(pk)", **_SHOWN)),
        says=_reasons(lambda reasons: [{k: v for k, v in r.items() if k != "Item"} for r in reasons]),
    ),
    _transaction(
        "reasons-missing", "A cancelled transaction has no CancellationReasons.",
        transact(_FAILS), says=refuses(_CANCELLED, lambda service, call, reply: replace(reply, fields={})),
    ),
    _transaction(
        "reasons-first-only", "Only the first action that failed is told.",
        transact(_FAILS, t_check("attribute_exists(pk)")), patches=(patched(transactions, only_first=_only_first_bad),),
    ),
    _transaction(
        "transaction-not-cancelled", "A failed condition is told as in a single write.",
        transact(_FAILS), says=refuses(_CANCELLED, _uncancelled),
    ),
    _transaction(
        "condition-check-ignored", "ConditionCheck is not looked at.",
        transact(t_put(), _FAILS), patches=(patched(transactions, run=_all_true),),
    ),
    _transaction(
        "condition-check-creates", "A ConditionCheck creates the item it is about.",
        transact(t_check("attribute_not_exists(pk)")), get(), says=_check_writes,
    ),
    _transaction(
        "transact-get-empty-item", "TransactGetItems answers an empty item for a missing one.",
        transact_get(t_get()), says=answers(_empty_items, "TransactGetItems"),
    ),
    _transaction(
        "transact-get-found-only", "TransactGetItems leaves out missing items.",
        put(), transact_get(t_get(_B), t_get()), says=answers(_found_only, "TransactGetItems"),
    ),
    _transaction(
        "transact-get-reordered", "TransactGetItems does not answer in the order asked.",
        put(), put(_B), transact_get(t_get(_B), t_get()), says=answers(_by_table, "TransactGetItems"),
    ),
    _transaction(
        "transact-get-unprojected", "TransactGetItems ignores projections.",
        put({"v": n(1)}), transact_get(t_get(ProjectionExpression="v")), asks=asks(_unprojected, "TransactGetItems"),
    ),
    _transaction(
        "transaction-updates-key", "An update of a transaction may set a key attribute.",
        transact(t_update("SET pk = :x", {"x": s("b")})),
        patches=(patched(transactions, schema_faults=_keys_may_change),),
    ),
)  # fmt: skip
