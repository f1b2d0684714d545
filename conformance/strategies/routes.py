"""Ways into a table and out of it: one value written by one of them must be read alike by all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.strategies import partiql
from conformance.strategies.draws import Draw, chance, pick
from conformance.strategies.schemas import TableWorld

Body = dict[str, Any]
Route = tuple[str, Body]
"""(operation, request body)"""


def _put(world: TableWorld, at: Body, name: str, value: Body) -> Route:
    return "PutItem", {"TableName": world.reference, "Item": {**at, name: value}, "ReturnValues": "ALL_OLD"}


def _set(world: TableWorld, at: Body, name: str, value: Body) -> Route:
    return "UpdateItem", {**_update(world, at, "SET #a = :v", name, value), "ReturnValues": "ALL_NEW"}


def _set_nested(world: TableWorld, at: Body, name: str, value: Body) -> Route:
    """As the element of a list that grows."""
    body = _update(world, at, "SET #a = list_append(if_not_exists(#a, :e), :v)", name, {"L": [value]})
    body["ExpressionAttributeValues"][":e"] = {"L": []}
    return "UpdateItem", {**body, "ReturnValues": "UPDATED_NEW"}


def _set_default(world: TableWorld, at: Body, name: str, value: Body) -> Route:
    return "UpdateItem", {
        **_update(world, at, "SET #a = if_not_exists(#a, :v)", name, value),
        "ReturnValues": "ALL_NEW",
    }


def _add(world: TableWorld, at: Body, name: str, value: Body) -> Route:
    """ADD, of numbers and sets alone."""
    if next(iter(value), "") not in ("N", "NS", "SS", "BS"):
        return _set(world, at, name, value)
    return "UpdateItem", {**_update(world, at, "ADD #a :v", name, value), "ReturnValues": "UPDATED_NEW"}


def _legacy(world: TableWorld, at: Body, name: str, value: Body) -> Route:
    updates = {name: {"Action": "PUT", "Value": value}}
    return "UpdateItem", {
        "TableName": world.reference,
        "Key": at,
        "AttributeUpdates": updates,
        "ReturnValues": "ALL_NEW",
    }


def _batch(world: TableWorld, at: Body, name: str, value: Body) -> Route:
    return "BatchWriteItem", {"RequestItems": {world.reference: [{"PutRequest": {"Item": {**at, name: value}}}]}}


def _transact_put(world: TableWorld, at: Body, name: str, value: Body) -> Route:
    part = {"TableName": world.reference, "Item": {**at, name: value}}
    return "TransactWriteItems", {"TransactItems": [{"Put": part}]}


def _transact_update(world: TableWorld, at: Body, name: str, value: Body) -> Route:
    return "TransactWriteItems", {"TransactItems": [{"Update": _update(world, at, "SET #a = :v", name, value)}]}


def _update(world: TableWorld, at: Body, expression: str, name: str, value: Body) -> Body:
    return {
        "TableName": world.reference, "Key": at, "UpdateExpression": expression,
        "ExpressionAttributeNames": {"#a": name}, "ExpressionAttributeValues": {":v": value},
    }  # fmt: skip


NATIVE: tuple[Callable[[TableWorld, Body, str, Body], Route], ...] = (
    _put, _set, _set_nested, _set_default, _add, _legacy, _batch, _transact_put, _transact_update,
)  # fmt: skip


def write(draw: Draw, world: TableWorld, at: Body, name: str, value: Body) -> Route:
    """One attribute of one item written by any operation; the others of the item are kept or not, as it does."""
    if not chance(draw, 20):
        return pick(draw, NATIVE)(world, at, name, value)
    statement = partiql.Statement(draw, world, literals=chance(draw, 50))
    if chance(draw, 50):
        members = ", ".join(f"'{key}': {statement.value(held)}" for key, held in {**at, name: value}.items())
        return "ExecuteStatement", statement.body(f"INSERT INTO {statement.table} VALUE {{{members}}}")
    written = statement.value(value)
    where = statement.where_key(at)
    text = f'UPDATE {statement.table} SET "{name}" = {written} WHERE {where} RETURNING ALL NEW *'
    return "ExecuteStatement", statement.body(text)


def _get(world: TableWorld, at: Body, name: str) -> Route:
    return "GetItem", {"TableName": world.reference, "Key": at, "ConsistentRead": True}


def _get_projected(world: TableWorld, at: Body, name: str) -> Route:
    body = {"TableName": world.reference, "Key": at, "ProjectionExpression": "#a"}
    return "GetItem", {**body, "ExpressionAttributeNames": {"#a": name}}


def _query(world: TableWorld, at: Body, name: str) -> Route:
    body: Body = {"TableName": world.reference, "KeyConditionExpression": "#p = :p"}
    body["ExpressionAttributeNames"] = {"#p": world.hash[0]}
    body["ExpressionAttributeValues"] = {":p": at[world.hash[0]]}
    return "Query", body


def _scan(world: TableWorld, at: Body, name: str) -> Route:
    return "Scan", {"TableName": world.reference, "ConsistentRead": True}


def _batch_get(world: TableWorld, at: Body, name: str) -> Route:
    return "BatchGetItem", {"RequestItems": {world.reference: {"Keys": [at], "ConsistentRead": True}}}


def _transact_get(world: TableWorld, at: Body, name: str) -> Route:
    return "TransactGetItems", {"TransactItems": [{"Get": {"TableName": world.reference, "Key": at}}]}


def _refused_put(world: TableWorld, at: Body, name: str) -> Route:
    """What a failed condition shows."""
    return "PutItem", {
        "TableName": world.reference, "Item": at, "ConditionExpression": f"attribute_not_exists({world.hash[0]})",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }  # fmt: skip


def _touch(world: TableWorld, at: Body, name: str) -> Route:
    """What an update of something else returns."""
    return "UpdateItem", {
        "TableName": world.reference, "Key": at, "UpdateExpression": "SET touched = :t",
        "ExpressionAttributeValues": {":t": {"BOOL": True}}, "ReturnValues": "ALL_OLD",
    }  # fmt: skip


READS: tuple[Callable[[TableWorld, Body, str], Route], ...] = (
    _get, _get, _get_projected, _query, _scan, _batch_get, _transact_get, _refused_put, _touch,
)  # fmt: skip


def read(draw: Draw, world: TableWorld, at: Body, name: str) -> Route:
    """One item read by any operation that shows it."""
    if not chance(draw, 20):
        return pick(draw, READS)(world, at, name)
    statement = partiql.Statement(draw, world, literals=chance(draw, 30))
    columns = "*" if chance(draw, 60) else f'"{name}"'
    return "ExecuteStatement", statement.body(
        f"SELECT {columns} FROM {statement.table} WHERE {statement.where_key(at)}"
    )


def found(world: TableWorld, name: str, value: Body, comparator: str) -> Route:
    """The items of which an attribute compares so with a value."""
    body: Body = {"TableName": world.reference, "FilterExpression": f"#a {comparator} :v", "ConsistentRead": True}
    return "Scan", {**body, "ExpressionAttributeNames": {"#a": name}, "ExpressionAttributeValues": {":v": value}}
