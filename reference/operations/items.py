"""PutItem, GetItem, UpdateItem and DeleteItem (dataplane:OPS, RV, UPD, ORD-2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reference.api import Item
from reference.capacity.item_collections import metrics, outgrows
from reference.capacity.units import Consumed, read_units, report
from reference.expressions import legacy, request, update
from reference.expressions.against_schema import update_of_key
from reference.expressions.condition import evaluate
from reference.expressions.projection import project
from reference.expressions.tree import Condition, Kind, Projection, Update
from reference.operations.base import Context, Operation, Outcome
from reference.operations.item_updates import index_literal_faults, result_faults
from reference.operations.shared import (
    goes_deep,
    item_of,
    key_path_faults,
    local_entries_fault,
    table_of,
    without_values,
)
from reference.rules import Checks, violation
from reference.tables.keys import index_key_faults, item_key_faults, key_of, lookup_key_faults
from reference.tables.table import Change, Table
from reference.tables.view import Record
from reference.values.item import MAX_ITEM_BYTES

_READ: tuple[Kind, ...] = ("Projection",)
_CONDITIONAL: tuple[Kind, ...] = ("Condition",)
_UPDATE: tuple[Kind, ...] = ("Update", "Condition")


def get_item(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """GetItem: the whole item or what a projection names of it."""
    body = without_values(body)
    yield from request.mixing(context.operation, body, _READ)
    key = yield from item_of(context, body, "Key")
    projection = yield from legacy.attributes_to_get(body)
    expressions = yield from _expressions(context, body, _READ)
    if expressions is not None and expressions.projection is not None:
        projection = expressions.projection
    table = yield from table_of(context, body.get("TableName"))
    if table is None or key is None:
        return None
    faults = lookup_key_faults(table.key, key)
    yield from faults
    if goes_deep(body):
        yield from key_path_faults(table, projection)
    if faults:
        return None
    return _read(table.get(key), projection, body)


def _read(record: Record | None, projection: Projection | None, body: dict[str, Any]) -> Outcome:
    reply: dict[str, Any] = {}
    if record is None:
        rules: tuple[str, ...] = ("items.missing-item",)
    elif projection is None:
        reply["Item"] = record.item
        rules = ("items.read-what-was-written",)
    else:
        reply["Item"] = project(projection.paths, record.item)
        rules = ("items.projected",)
    mode = body.get("ReturnConsumedCapacity")
    if mode is not None:
        units = read_units(record.size if record else 0, consistent=bool(body.get("ConsistentRead")))
        capacity = report(Consumed(body["TableName"], units), mode)
        if capacity is not None:
            reply["ConsumedCapacity"] = capacity
            rules += ("capacity.read-units", "capacity.shape")
    return Outcome(reply, rules=rules)


def put_item(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """PutItem: a whole item in the place of what was there."""
    yield from request.mixing(context.operation, body, _CONDITIONAL)
    item = yield from item_of(context, body, "Item")
    yield from _return_values(body)
    record = None
    if item is not None:
        record = Record.of(item)
        if record.size > MAX_ITEM_BYTES:
            yield violation("items.too-large")
    condition = yield from _condition(context, body)
    table = yield from table_of(context, body.get("TableName"))
    if table is None:
        return None
    faults = () if item is None else item_key_faults(table.key, item)
    yield from faults
    if goes_deep(body):
        yield from key_path_faults(table, condition)
    if item is None:
        return None
    if table.indexes or table.settings.vectors:
        yield from index_key_faults(table, item)
    if faults:
        return None
    return (yield from _write(table, table.plan(item, record), condition, body, ("items.put-replaces",)))


def delete_item(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DeleteItem: no item afterwards, whether there was one or not."""
    yield from request.mixing(context.operation, body, _CONDITIONAL)
    key = yield from item_of(context, body, "Key")
    yield from _return_values(body)
    condition = yield from _condition(context, body)
    table = yield from table_of(context, body.get("TableName"))
    if table is None or key is None:
        return None
    faults = lookup_key_faults(table.key, key)
    yield from faults
    if goes_deep(body):
        yield from key_path_faults(table, condition)
    if faults:
        return None
    return (yield from _write(table, table.plan(key, None), condition, body, ("items.delete-missing",)))


def _return_values(body: dict[str, Any]) -> Checks[None]:
    if body.get("ReturnValues") in ("UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"):
        yield violation("items.return-values")


def _condition(context: Context, body: dict[str, Any]) -> Checks[Condition | None]:
    """The condition of a put or delete, in either form."""
    condition = yield from legacy.expected(body, context.layer)
    expressions = yield from _expressions(context, body, _CONDITIONAL)
    return condition if expressions is None or expressions.condition is None else expressions.condition


def _expressions(context: Context, body: dict[str, Any], kinds: tuple[Kind, ...]) -> Checks[request.Expressions | None]:
    """The expressions of a request; mixing is checked earlier (dataplane:ORD-2)."""
    given = [kind for kind in kinds if body.get(f"{kind}Expression") is not None]
    if not given:
        return request.NO_EXPRESSIONS
    stand_for = yield from request.placeholders(context.operation, body, context.layer)
    expressions = yield from request.parse_all(body, given, stand_for)
    yield from request.unused(body, given, stand_for)
    return expressions


def _write(
    table: Table, change: Change, condition: Condition | None, body: dict[str, Any], rules: tuple[str, ...]
) -> Checks[Outcome | None]:
    """The end of a put or delete: condition, limits, reply."""
    old = change.old.item if change.old is not None else None
    yield from _check_condition(condition, old, body)
    yield from limit_faults(table, change)
    reply: dict[str, Any] = {}
    if body.get("ReturnValues") == "ALL_OLD":
        rules += ("items.old-item-returned",)
        if old is not None:
            reply["Attributes"] = old
    return Outcome(reply, (change,), rules=rules + _costs(table, change, body, reply))


def limit_faults(table: Table, change: Change, *, updated: bool = False) -> Checks[None]:
    """What a write may not exceed together with its local index entries (dataplane:SIZE-9, IDX-6)."""
    if not table.indexes:
        return
    fault = local_entries_fault(table, change)
    if fault is not None and not updated:
        yield fault
    if outgrows(table, change):
        yield violation("items.collection-too-large")


def _check_condition(condition: Condition | None, old: Item | None, body: dict[str, Any]) -> Checks[None]:
    if condition is None or evaluate(condition, old or {}):
        return
    failed = violation("items.condition-failed")
    if old is not None and body.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        failed = replace(failed, fields={"Item": old})
    yield failed


def _costs(table: Table, change: Change, body: dict[str, Any], reply: dict[str, Any]) -> tuple[str, ...]:
    """Add to a write's reply what it consumed and how large its item collection is; the rules that say so."""
    rules: tuple[str, ...] = ()
    mode = body.get("ReturnConsumedCapacity")
    if mode is not None:
        consumed = Consumed(body["TableName"])
        consumed.write(table, change)
        capacity = report(consumed, mode)
        if capacity is not None:
            reply["ConsumedCapacity"] = capacity
            rules = ("capacity.write-units", "capacity.index-write-units", "capacity.shape")
            if consumed.vectors:
                rules += ("vectors.write-capacity",)
    mode = body.get("ReturnItemCollectionMetrics")
    if mode is not None:
        measured = metrics(table, change, mode)
        if measured is not None:
            reply["ItemCollectionMetrics"] = measured
            rules += ("items.collection-metrics",)
    return rules


def update_item(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """UpdateItem: some attributes of an item, which is created where it is missing."""
    yield from request.mixing(context.operation, body, _UPDATE)
    key = yield from item_of(context, body, "Key")
    wanted = yield from legacy.attribute_updates(body, context.layer)
    condition = yield from legacy.expected(body, context.layer)
    expressions = yield from _expressions(context, body, _UPDATE)
    if expressions is not None:
        wanted = expressions.update or wanted
        condition = expressions.condition or condition
    table = yield from table_of(context, body.get("TableName"))
    if table is None:
        return None
    faults = () if key is None else lookup_key_faults(table.key, key)
    yield from faults
    if wanted is not None:
        yield from update_of_key(wanted, table.key.names)
        yield from index_literal_faults(table, wanted)
    if goes_deep(body):
        yield from key_path_faults(table, wanted, condition)
    if key is None or faults:
        return None
    return (yield from _update(table, key_of(table.key, key), wanted or _NOTHING, condition, body))


_NOTHING = Update(())


def _update(
    table: Table, key: Item, wanted: Update, condition: Condition | None, body: dict[str, Any]
) -> Checks[Outcome | None]:
    stored = table.get(key)
    old = stored.item if stored is not None else None
    if update.statement_bytes(wanted) > MAX_ITEM_BYTES:
        yield violation("items.statement-too-large")
    yield from _check_condition(condition, old, body)
    result = yield from update.apply(wanted, old, key)
    if result is None:
        return None
    record = None if result.new is None else Record.of(result.new)
    yield from result_faults(table, wanted, result, record)
    change = table.plan(key, record)
    yield from limit_faults(table, change)
    rules: tuple[str, ...] = ("items.update-what-is-named",)
    if old is None:
        rules = ("items.update-creates",) if record is not None else ("items.removal-creates-nothing",)
    reply: dict[str, Any] = {}
    which = body.get("ReturnValues")
    if which is not None and which != "NONE":
        rules += ("items.old-item-returned" if which == "ALL_OLD" else "items.updated-values-returned",)
        attributes = update.returned(result, which)
        if attributes:
            reply["Attributes"] = attributes
    return Outcome(reply, (change,), rules=rules + _costs(table, change, body, reply))


OPERATIONS: dict[str, Operation] = {
    "PutItem": put_item,
    "GetItem": get_item,
    "UpdateItem": update_item,
    "DeleteItem": delete_item,
}
