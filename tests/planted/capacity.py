"""Bugs of consumed capacity and item collection metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.checks.base import table
from conformance.checks.steps import (
    PLAIN,
    SORTED,
    batch_put,
    delete,
    get,
    item,
    n,
    partition,
    put,
    s,
    t_check,
    t_get,
    transact,
    transact_get,
    update,
)
from conformance.checks.steps import t_put as action
from conformance.program import Step
from reference.api import Call
from reference.capacity import units
from reference.operations import batches, items, pages, transactions
from reference.service import Service
from tests.planted.base import Body, Plant, answers, originals, patched, plant

real = originals(units)
_READERS = (items, batches, pages, transactions)


def _full_price(size: int, *, consistent: bool) -> float:
    return float(real.read_units(size, consistent=True))


def _nothing_is_free(size: int, *, consistent: bool) -> float:
    return 0.0 if size == 0 else float(real.read_units(size, consistent=consistent))


def _by_kilobyte(size: int, *, consistent: bool) -> float:
    whole = float(max(1, -(-size // 1024)))
    return whole if consistent else whole / 2


def _new_image_only(self: Any, held: Any, change: Any, *, factor: int = 1) -> None:
    smaller = change if change.new is None else replace(change, old=None)
    real_write(self, held, replace(smaller, moves=change.moves), factor=factor)


real_write = units.Consumed.write


def _without_indexes(self: Any, held: Any, change: Any, *, factor: int = 1) -> None:
    real_write(self, held, replace(change, moves=()), factor=factor)


def _without_factor(self: Any, held: Any, change: Any, *, factor: int = 1) -> None:
    real_write(self, held, change)


def _one_price(move: Any) -> float:
    return min(1.0, float(real.move_units(move)))


def _unchanged_costs(move: Any) -> float:
    return float(real.move_units(move)) or 1.0


def _member_lost(member: str, mode: str) -> Any:
    """A part of ConsumedCapacity is missing."""

    def alter(service: Service, call: Call, body: Body) -> Body:
        held = body.get("ConsumedCapacity")
        if isinstance(held, dict) and call.body.get("ReturnConsumedCapacity") == mode:
            return {**body, "ConsumedCapacity": {k: v for k, v in held.items() if k != member}}
        return body

    return alter


def _always_reported(service: Service, call: Call, body: Body) -> Body:
    if "ConsumedCapacity" in body or not isinstance(call.body.get("TableName"), str):
        return body
    return {**body, "ConsumedCapacity": {"TableName": call.body["TableName"], "CapacityUnits": 1.0}}


def _in_total(service: Service, call: Call, body: Body) -> Body:
    """TOTAL shows the table's arm as INDEXES does."""
    held = body.get("ConsumedCapacity")
    if isinstance(held, dict) and "Table" not in held:
        return {**body, "ConsumedCapacity": {**held, "Table": {"CapacityUnits": held["CapacityUnits"]}}}
    return body


def _first_table(service: Service, call: Call, body: Body) -> Body:
    held = body.get("ConsumedCapacity")
    return {**body, "ConsumedCapacity": held[:1]} if isinstance(held, list) else body


def _after_filter(service: Service, call: Call, body: Body) -> Body:
    """A filtered page costs what it returns, not what it read."""
    held = body.get("ConsumedCapacity")
    if not isinstance(held, dict) or body["Count"] == body["ScannedCount"] or body["Count"]:
        return body
    return {**body, "ConsumedCapacity": {**held, "CapacityUnits": 0.0}}


def _no_metrics(service: Service, call: Call, body: Body) -> Body:
    return {k: v for k, v in body.items() if k != "ItemCollectionMetrics"}


def _metrics_everywhere(service: Service, call: Call, body: Body) -> Body:
    if call.body.get("ReturnItemCollectionMetrics") != "SIZE" or "ItemCollectionMetrics" in body:
        return body
    key = {"pk": call.body["Item"]["pk"]}
    return {**body, "ItemCollectionMetrics": {"ItemCollectionKey": key, "SizeEstimateRangeGB": [0.0, 1.0]}}


def _at_most_one_each(service: Service, call: Call, body: Body) -> Body:
    """Every write of a batch costs one unit, however large."""
    held = body.get("ConsumedCapacity")
    if not isinstance(held, list):
        return body
    many = {name: float(len(writes)) for name, writes in call.body["RequestItems"].items()}
    capped = [{**each, "CapacityUnits": min(each["CapacityUnits"], many[each["TableName"]])} for each in held]
    return {**body, "ConsumedCapacity": capped}


def _by_thousand(size: int) -> float:
    return float(max(1, -(-size // 1000)))


def _above_whole(size: int, *, consistent: bool) -> float:
    """A read of exactly 4 KB costs another unit."""
    return float(real.read_units(size + 1, consistent=consistent))


def _free_check(self: Any, size: int, *, factor: int = 1) -> None:
    return None


def _halved(service: Service, call: Call, body: Body) -> Body:
    """Transactional reads cost as much as others."""
    if not isinstance(body.get("ConsumedCapacity"), list):
        return body
    names = ("CapacityUnits", "ReadCapacityUnits")
    halved = [{k: v / 2 if k in names else v for k, v in each.items()} for each in body["ConsumedCapacity"]]
    return {**body, "ConsumedCapacity": halved}


def _no_capacity(service: Service, call: Call, body: Body) -> Body:
    return {name: member for name, member in body.items() if name != "ConsumedCapacity"}


def _local_in_total(service: Service, call: Call, body: Body) -> Body:
    """The arm of local indexes is called that of global ones."""
    held = body.get("ConsumedCapacity")
    if not isinstance(held, dict) or "LocalSecondaryIndexes" not in held:
        return body
    arms = {("GlobalSecondaryIndexes" if k == "LocalSecondaryIndexes" else k): v for k, v in held.items()}
    return {**body, "ConsumedCapacity": arms}


def _fraction_of_gigabyte(service: Service, call: Call, body: Body) -> Body:
    """The estimate of a collection's size is told to the byte."""
    held = body.get("ItemCollectionMetrics")
    if not isinstance(held, dict) or "SizeEstimateRangeGB" not in held:
        return body
    return {**body, "ItemCollectionMetrics": {**held, "SizeEstimateRangeGB": [0.0000001, 0.0000002]}}


def _cost(name: str, about: str, tables: Any, *steps: Step, **hooks: Any) -> Plant:
    return plant(name, about, "capacity", tables, *steps, **hooks)


def _prices(read_units: Any) -> tuple[Any, ...]:
    return tuple(patched(module, read_units=read_units) for module in _READERS)


def _writes(write: Any) -> tuple[Any, ...]:
    return (patched(units.Consumed, write=write),)


_TOTAL = {"ReturnConsumedCapacity": "TOTAL"}
_ARMS = {"ReturnConsumedCapacity": "INDEXES"}
_INDEXED = {"t0": table(gsi=["by-g=g:S"])}
_KEYED = {"t0": table(gsi=["by-g=g:S/KEYS_ONLY"])}
_LOCAL = {"t0": table(key="pk:S,sk:N", lsi=["by-l=pk:S,l:N"])}
_TWO = {"t0": table("t0"), "t1": table("t1")}
_LARGE = item(v=s("x" * 3000))

PLANTS: tuple[Plant, ...] = (
    _cost(
        "eventual-read-full-price", "An eventually consistent read costs as much as a consistent one.",
        PLAIN, get(ConsistentRead=False, **_TOTAL), patches=_prices(_full_price),
    ),
    _cost(
        "missing-item-free", "A read of a missing item costs nothing.",
        PLAIN, get(**_TOTAL), patches=_prices(_nothing_is_free),
    ),
    _cost(
        "read-unit-of-one-kilobyte", "Reads are charged by 1 KB.",
        PLAIN, put(_LARGE), get(**_TOTAL), patches=_prices(_by_kilobyte),
    ),
    _cost(
        "write-costs-new-image", "A write that makes an item smaller costs its new size.",
        PLAIN, put(_LARGE), put(**_TOTAL), patches=_writes(_new_image_only),
    ),
    _cost(
        "write-without-indexes", "Writes are not charged for their index entries.",
        _INDEXED, put({"g": s("x")}, **_TOTAL), patches=_writes(_without_indexes),
    ),
    _cost(
        "transaction-single-price", "Transactional writes cost as much as others.",
        PLAIN, transact(action(), **_TOTAL), patches=_writes(_without_factor),
    ),
    _cost(
        "index-move-one-unit", "A change of an index key costs one unit, not two.",
        _INDEXED, put({"g": s("x")}), update("SET g = :y", {"y": s("y")}, **_ARMS),
        patches=(patched(units, move_units=_one_price),),
    ),
    _cost(
        "index-unchanged-costs", "An index is charged though nothing of its entry changes.",
        _KEYED, put({"g": s("x"), "v": n(1)}), update("SET v = :y", {"y": n(2)}, **_ARMS),
        patches=(patched(units, move_units=_unchanged_costs),),
    ),
    _cost(
        "indexes-without-table", "INDEXES leaves out the table's own arm.",
        PLAIN, put(**_ARMS), says=answers(_member_lost("Table", "INDEXES")),
    ),
    _cost(
        "indexes-without-global", "INDEXES leaves out global indexes.",
        _INDEXED, put({"g": s("x")}, **_ARMS), says=answers(_member_lost("GlobalSecondaryIndexes", "INDEXES")),
    ),
    _cost(
        "capacity-without-table-name", "ConsumedCapacity does not name its table.",
        PLAIN, put(**_TOTAL), says=answers(_member_lost("TableName", "TOTAL")),
    ),
    _cost(
        "capacity-unasked", "ConsumedCapacity is reported unasked.",
        PLAIN, put(), says=answers(_always_reported, "PutItem", "DeleteItem", "GetItem"),
    ),
    _cost(
        "total-with-arms", "TOTAL shows what only INDEXES shows.",
        PLAIN, delete(**_TOTAL), says=answers(_in_total, "PutItem", "UpdateItem", "DeleteItem"),
    ),
    _cost(
        "batch-first-table-only", "A batch over two tables reports the capacity of the first.",
        _TWO, Step("BatchWriteItem", {"RequestItems": {
            "${table:t0}": [{"PutRequest": {"Item": item()}}], "${table:t1}": [{"PutRequest": {"Item": item()}}],
        }, **_TOTAL}), says=answers(_first_table, "BatchWriteItem", "BatchGetItem"),
    ),
    _cost(
        "page-costs-what-it-returns", "A page of which the filter keeps nothing costs nothing.",
        SORTED, put({"sk": s("a")}), partition(FilterExpression="attribute_exists(v)", **_TOTAL),
        says=answers(_after_filter, "Query", "Scan"),
    ),
    _cost(
        "no-collection-metrics", "ReturnItemCollectionMetrics is ignored.",
        _LOCAL, put({"sk": n(1)}, ReturnItemCollectionMetrics="SIZE"), says=answers(_no_metrics),
    ),
    _cost(
        "collection-metrics-everywhere", "A table without local indexes has item collection metrics.",
        PLAIN, put(ReturnItemCollectionMetrics="SIZE"),
        says=answers(_metrics_everywhere, "PutItem"),
    ),
    _cost(
        "batch-unit-each", "Every write of a batch costs one unit, however large.",
        PLAIN, batch_put(_LARGE, **_TOTAL), says=answers(_at_most_one_each, "BatchWriteItem"),
    ),
    _cost(
        "write-unit-of-thousand", "Writes are charged by 1,000 bytes.",
        PLAIN, put(item(v=s("x" * (1024 - 4))), **_TOTAL), patches=(patched(units, write_units=_by_thousand),),
    ),
    _cost(
        "whole-unit-rounded-up", "A read of exactly 4,096 bytes costs a unit more.",
        PLAIN, put(item(v=s("x" * (4096 - 4)))), get(**_TOTAL), patches=_prices(_above_whole),
    ),
    _cost(
        "condition-check-free", "A ConditionCheck costs nothing.",
        PLAIN, transact(t_check("attribute_not_exists(pk)"), **_TOTAL),
        patches=(patched(units.Consumed, check=_free_check),),
    ),
    _cost(
        "transactional-read-single-price", "Transactional reads cost as much as others.",
        PLAIN, transact_get(t_get(), **_TOTAL), says=answers(_halved, "TransactGetItems"),
    ),
    _cost(
        "statement-capacity-unreported", "Statements do not report what they consumed.",
        PLAIN, Step("ExecuteStatement", {"Statement": "SELECT * FROM \"${table:t0}\" WHERE pk = 'a'", **_TOTAL}),
        says=answers(_no_capacity, "ExecuteStatement"),
    ),
    _cost(
        "replay-capacity-unreported", "A replayed transaction does not report what it consumed.",
        PLAIN, *[transact(action(), ClientRequestToken="${token:a}", **_TOTAL)] * 2,
        patches=(patched(transactions, replay_units=lambda changes: 0.0),),
    ),
    _cost(
        "local-arm-called-global", "INDEXES lists local indexes as global ones.",
        _LOCAL, put({"sk": n(1), "l": n(1)}, **_ARMS), says=answers(_local_in_total),
    ),
    _cost(
        "collection-size-to-the-byte", "Item collection metrics tell a size in bytes, not in whole gigabytes.",
        _LOCAL, put({"sk": n(1)}, ReturnItemCollectionMetrics="SIZE"), says=answers(_fraction_of_gigabyte),
    ),
)  # fmt: skip
