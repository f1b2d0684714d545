"""Statements beside the native calls that must answer alike: reads of the same rows, writes of equal items."""

from __future__ import annotations

from typing import Any

from conformance.strategies import values
from conformance.strategies.draws import Draw, chance, pick, some
from conformance.strategies.partiql import SIMPLE, Statement
from conformance.strategies.requests import key
from conformance.strategies.routes import Route
from conformance.strategies.schemas import IndexWorld, TableWorld

Body = dict[str, Any]


def reads(draw: Draw, world: TableWorld, known: list[Body]) -> list[Route]:
    """A SELECT of one item, a partition or all rows, of the table or an index, and the read that shows the same."""
    shape = pick(draw, ("item", "partition", "partition", "all"))
    index: IndexWorld | None = (
        pick(draw, world.indexes) if world.indexes and shape != "item" and chance(draw, 50) else None
    )
    source = f'"{world.reference}"' + (f'."{index.name}"' if index else "")
    columns = some(draw, world.attributes, least=1, most=2) if index is None and chance(draw, 30) else []
    hashed = index.hash if index else world.hash
    names = [name for name, _ in world.keys] if shape == "item" else [hashed[0]] if shape == "partition" else []
    held = [each for each in known if all(name in each for name in names)]
    at = pick(draw, held) if held and chance(draw, 85) else key(draw, world, known)
    if not all(name in at for name in names) or (index is not None and index.wide):
        names, shape = [], "all"
    conditions = [f"{name} = ?" for name in names]
    parameters = [at[name] for name in names]
    native: Body = {"TableName": world.reference, **({"IndexName": index.name} if index else {})}
    if shape == "partition":
        native["KeyConditionExpression"] = f"{names[0]} = :p"
        native["ExpressionAttributeValues"] = {":p": at[names[0]]}
    if shape != "item" and index is None and chance(draw, 35):
        _filter(draw, world, known, conditions, parameters, native)
    if columns:
        native["ProjectionExpression"] = ", ".join(columns)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    statement: Body = {"Statement": f"SELECT {', '.join(columns) or '*'} FROM {source}{where}"}
    if parameters:
        statement["Parameters"] = parameters
    if index is None or index.kind == "LSI":
        statement["ConsistentRead"] = native["ConsistentRead"] = True
    if shape == "item":
        native["Key"] = {name: at[name] for name in names}
    operation = {"item": "GetItem", "partition": "Query", "all": "Scan"}[shape]
    pair: list[Route] = [("ExecuteStatement", statement), (operation, native)]
    return pair[::-1] if chance(draw, 50) else pair


def _filter(
    draw: Draw, world: TableWorld, known: list[Body], conditions: list[str], parameters: list[Body], native: Body
) -> None:
    """One comparison of which both say the same; of what is missing only ``<>`` does not."""
    name = pick(draw, world.attributes)
    held = [each[name] for each in known if name in each]
    given = pick(draw, held) if held and chance(draw, 75) else values.value(draw, depth=1, types=SIMPLE)
    comparators = ("=", "<", ">=", "begins_with") if "S" in given else ("=", "<", ">=") if "N" in given else ("=",)
    comparator = pick(draw, comparators)
    text = f"begins_with({name}, {{}})" if comparator == "begins_with" else f"{name} {comparator} {{}}"
    conditions.append(text.format("?"))
    parameters.append(given)
    native["FilterExpression"] = text.format(":f")
    native["ExpressionAttributeValues"] = {**native.get("ExpressionAttributeValues", {}), ":f": given}


def writes(draw: Draw, world: TableWorld, known: list[Body]) -> list[Route]:
    """Two equal items, then the same change of both, one by statement and one by call, each telling what it did."""
    first, second = _siblings(draw, world)
    content = {
        name: values.value(draw, depth=1, types=SIMPLE) for name in some(draw, world.attributes, least=1, most=3)
    }
    items = [{**at, **content} for at in (first, second)]
    kind = pick(draw, ("UPDATE", "UPDATE", "UPDATE", "DELETE", "INSERT"))
    given: list[Route] = []
    if kind != "INSERT" or chance(draw, 25):
        given = [("PutItem", {"TableName": world.reference, "Item": item}) for item in items]
    else:
        given = [("DeleteItem", {"TableName": world.reference, "Key": at}) for at in (first, second)]
    statement = Statement(draw, world, literals=chance(draw, 40))
    twins = {"UPDATE": _update, "DELETE": _delete, "INSERT": _insert}[kind](draw, statement, first, second, content)
    looks: list[Route] = [
        ("GetItem", {"TableName": world.reference, "Key": at, "ConsistentRead": True}) for at in (first, second)
    ]
    return [*given, *(twins[::-1] if chance(draw, 40) else twins), *looks]


def _siblings(draw: Draw, world: TableWorld) -> tuple[Body, Body]:
    """Two keys that differ in their last part."""
    name, kind = world.keys[-1]
    first = {each: values.key_value(draw, of, 2) for each, of in world.keys}
    others = [{kind: content} for content in values.KEYS[kind][:4] if {kind: content} != first[name]]
    return first, {**first, name: pick(draw, others)}


def _update(draw: Draw, statement: Statement, first: Body, second: Body, content: Body) -> list[Route]:
    name = pick(draw, statement.world.attributes)
    held = content.get(name, {})
    placeholders: Body = {}
    form = pick(
        draw, ("set", "remove", "copy", *(("plus",) * 2 if "N" in held else ()), *(("append",) if "L" in held else ()))
    )
    if form == "remove":
        clause = native = f"REMOVE {name}"
    elif form == "copy":
        other = pick(draw, sorted(content))
        clause = native = f"SET {name} = {other}"
    else:
        kinds = {"plus": ("N",), "append": ("L",)}.get(form, SIMPLE)
        value = values.value(draw, depth=1, types=kinds)
        text = {"plus": f"{name} + {{}}", "append": f"list_append({name}, {{}})"}.get(form, "{}")
        clause = f"SET {name} = {text.replace('{}', statement.value(value))}"
        native = f"SET {name} = {text.replace('{}', ':v')}"
        placeholders = {"ExpressionAttributeValues": {":v": value}}
    words, returned = pick(draw, (("ALL NEW", "ALL_NEW"), ("ALL OLD", "ALL_OLD"), ("MODIFIED NEW", "UPDATED_NEW")))
    where = statement.where_key(first)
    body = statement.body(f"UPDATE {statement.table} {clause} WHERE {where} RETURNING {words} *")
    call = {
        "TableName": statement.world.reference, "Key": second, "UpdateExpression": native, **placeholders,
        "ConditionExpression": f"attribute_exists({statement.world.hash[0]})", "ReturnValues": returned,
    }  # fmt: skip
    return [("ExecuteStatement", body), ("UpdateItem", call)]


def _delete(draw: Draw, statement: Statement, first: Body, second: Body, content: Body) -> list[Route]:
    body = statement.body(f"DELETE FROM {statement.table} WHERE {statement.where_key(first)} RETURNING ALL OLD *")
    call = {"TableName": statement.world.reference, "Key": second, "ReturnValues": "ALL_OLD"}
    return [("ExecuteStatement", body), ("DeleteItem", call)]


def _insert(draw: Draw, statement: Statement, first: Body, second: Body, content: Body) -> list[Route]:
    members = ", ".join(f"'{name}': {statement.value(value)}" for name, value in {**first, **content}.items())
    body = statement.body(f"INSERT INTO {statement.table} VALUE {{{members}}}")
    call = {
        "TableName": statement.world.reference, "Item": {**second, **content},
        "ConditionExpression": f"attribute_not_exists({statement.world.hash[0]})",
    }  # fmt: skip
    return [("ExecuteStatement", body), ("PutItem", call)]
