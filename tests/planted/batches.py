"""Bugs of BatchGetItem and BatchWriteItem."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.checks.base import T0, table
from conformance.checks.steps import KEY, PLAIN, batch_get, batch_put, get, item, n, put, s
from conformance.program import Step
from reference.api import Call, Json
from reference.operations.base import Outcome
from reference.service import Service
from tests.planted.base import Body, Plant, answers, asks, overlooks, plant

_T1 = "${table:t1}"
_TWO = {"t0": table("t0"), "t1": table("t1")}


def _loses_second_table(service: Service, call: Call, body: Body) -> Body:
    """A key that was asked of one table is not looked for in another."""
    seen: list[Json] = []
    answered = {}
    for name, rows in body["Responses"].items():
        held = service.account.table(name)
        assert held is not None
        kept = []
        for row in rows:
            key = {k: row.get(k) for k in held.key.names}
            if None in key.values() or key not in seen:
                kept.append(row)
                seen.append(key)
        answered[name] = kept
    return {**body, "Responses": answered}


def _whole_items(service: Service, call: Call, body: Body) -> Body:
    """ProjectionExpression of a BatchGetItem is ignored."""
    asked = {
        name: {k: v for k, v in part.items() if k not in ("ProjectionExpression", "ExpressionAttributeNames")}
        for name, part in call.body["RequestItems"].items()
    }
    whole = service.outcomes(Call(call.operation, {**call.body, "RequestItems": asked})).outcome
    return body if whole is None else {**body, "Responses": whole.body["Responses"]}


def _without_empty(service: Service, call: Call, body: Body) -> Body:
    """A table of which nothing was found is missing from Responses."""
    return {**body, "Responses": {name: rows for name, rows in body["Responses"].items() if rows}}


def _nulls(service: Service, call: Call, body: Body) -> Body:
    """A missing item is answered as an empty one."""
    answered = {}
    for name, rows in body["Responses"].items():
        missing = len(call.body["RequestItems"][name]["Keys"]) - len(rows)
        answered[name] = [*rows, *([{}] * missing)]
    return {**body, "Responses": answered}


def _member_dropped(member: str) -> Any:
    return lambda service, call, body: {name: value for name, value in body.items() if name != member}


def _last_write_lost(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """Of more than two writes the last is lost without a word."""
    if call.operation != "BatchWriteItem" or len(outcome.changes) < 3:
        return outcome
    return replace(outcome, changes=outcome.changes[:-1])


def _second_table_lost(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """Writes to the second table of a batch are lost."""
    if call.operation != "BatchWriteItem" or not outcome.changes:
        return outcome
    first = outcome.changes[0].table
    return replace(outcome, changes=tuple(change for change in outcome.changes if change.table == first))


def _deletes_first(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """Deletes of items that are there are dropped where the batch puts as well."""
    if call.operation != "BatchWriteItem" or all(change.new is None for change in outcome.changes):
        return outcome
    return replace(outcome, changes=tuple(change for change in outcome.changes if change.new is not None))


def _unprocessed_untrue(service: Service, call: Call, body: Body) -> Body:
    """A full batch tells of an unprocessed item that it wrote."""
    for name, writes in call.body["RequestItems"].items():
        if len(writes) > 2:
            return {**body, "UnprocessedItems": {name: writes[-1:]}}
    return body


def _written_once(body: Body) -> Body:
    """Of two writes of one key the later counts; duplicates are not refused."""
    asked = body.get("RequestItems")
    if not isinstance(asked, dict):
        return body
    kept = {}
    for name, writes in asked.items():
        if not isinstance(writes, list):
            return body
        kept[name] = list({repr(_key_part(write)): write for write in writes}.values())
    return {**body, "RequestItems": kept}


def _key_part(write: Json) -> Json:
    held = (write.get("PutRequest") or {}).get("Item") or (write.get("DeleteRequest") or {}).get("Key") or {}
    return {name: held.get(name) for name in ("pk", "sk")}


def _read_once(body: Body) -> Body:
    asked = body.get("RequestItems")
    if not isinstance(asked, dict) or not all(isinstance(part, dict) for part in asked.values()):
        return body
    kept = {
        name: {**part, "Keys": list({repr(key): key for key in part["Keys"]}.values())}
        for name, part in asked.items()
        if isinstance(part.get("Keys"), list)
    }
    return {**body, "RequestItems": {**asked, **kept}}


def _first_25(body: Body) -> Body:
    """Of more than 25 writes the first 25 are done, and the rest dropped."""
    asked = body.get("RequestItems")
    if not isinstance(asked, dict) or len(asked) != 1:
        return body
    ((name, writes),) = asked.items()
    return {**body, "RequestItems": {name: writes[:25]}} if isinstance(writes, list) else body


def _batch(name: str, about: str, tables: Any, *steps: Step, **hooks: Any) -> Plant:
    return plant(name, about, "batches", tables, *steps, **hooks)


def _both(*, keys: Json = None) -> Step:
    asked = {"Keys": [KEY]} if keys is None else keys
    return Step("BatchGetItem", {"RequestItems": {T0: asked, _T1: asked}})


def _write_both() -> Step:
    writes = [{"PutRequest": {"Item": item(v=n(1))}}]
    return Step("BatchWriteItem", {"RequestItems": {T0: writes, _T1: writes}})


_ITEMS = tuple(item(pk=s(key), v=n(1)) for key in "abc")
_MANY = tuple(item(pk=s(f"k{i}")) for i in range(26))

PLANTS: tuple[Plant, ...] = (
    _batch(
        "batch-get-loses-namesake", "BatchGetItem answers an item of one table only where two have the same key.",
        _TWO, _write_both(), _both(), says=answers(_loses_second_table, "BatchGetItem"),
    ),
    _batch(
        "batch-get-ignores-projection", "BatchGetItem ignores its projections.",
        PLAIN, put({"v": n(1)}), batch_get(KEY, within={"ProjectionExpression": "v"}),
        says=answers(_whole_items, "BatchGetItem"),
    ),
    _batch(
        "batch-get-omits-empty-table", "BatchGetItem leaves out tables of which nothing was found.",
        PLAIN, batch_get(KEY), says=answers(_without_empty, "BatchGetItem"),
    ),
    _batch(
        "batch-get-empty-items", "BatchGetItem answers empty items for missing ones.",
        PLAIN, batch_get(KEY), says=answers(_nulls, "BatchGetItem"),
    ),
    _batch(
        "batch-get-without-unprocessed", "BatchGetItem has no UnprocessedKeys where there are none.",
        PLAIN, batch_get(KEY), says=answers(_member_dropped("UnprocessedKeys"), "BatchGetItem"),
    ),
    _batch(
        "batch-write-without-unprocessed", "BatchWriteItem has no UnprocessedItems where there are none.",
        PLAIN, batch_put(KEY), says=answers(_member_dropped("UnprocessedItems"), "BatchWriteItem"),
    ),
    _batch(
        "batch-write-half-done", "Of more than two writes the last is lost without a word.",
        PLAIN, batch_put(*_ITEMS), does=_last_write_lost,
    ),
    _batch(
        "batch-write-second-table-lost", "Writes to the second table of a batch are lost.",
        _TWO, _write_both(), _both(), does=_second_table_lost,
    ),
    _batch(
        "batch-write-deletes-lost", "Deletes of a batch that puts as well are dropped.",
        PLAIN, put(), Step("BatchWriteItem", {"RequestItems": {T0: [
            {"PutRequest": {"Item": item(pk=s("b"))}}, {"DeleteRequest": {"Key": KEY}},
        ]}}), get(), does=_deletes_first,
    ),
    _batch(
        "batch-write-tells-untruth", "A batch tells of an unprocessed item that it wrote.",
        PLAIN, batch_put(*_ITEMS), says=answers(_unprocessed_untrue, "BatchWriteItem"),
    ),
    _batch(
        "batch-write-duplicates", "Two writes of one key in a batch are accepted.",
        PLAIN, batch_put(KEY, KEY), asks=asks(_written_once, "BatchWriteItem"),
    ),
    _batch(
        "batch-get-duplicates", "One key twice in a batch is accepted.",
        PLAIN, batch_get(KEY, KEY), asks=asks(_read_once, "BatchGetItem"),
    ),
    _batch(
        "batch-write-limit", "Of more than 25 writes the rest is dropped, not refused.",
        PLAIN, batch_put(*_MANY), asks=asks(_first_25, "BatchWriteItem"),
    ),
    _batch(
        "batch-write-too-large-item", "A batch may put an item that is too large.",
        PLAIN, batch_put(item(v=s("x" * 409_600))), passes=overlooks("items.too-large", operations=("BatchWriteItem",)),
    ),
)  # fmt: skip
