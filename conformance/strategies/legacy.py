"""Requests with the parameters of before expressions: Expected, AttributeUpdates, conditions and filters by name."""

from __future__ import annotations

from typing import Any

from conformance.strategies import nearby, requests, values
from conformance.strategies.draws import Draw, chance, number, pick, some
from conformance.strategies.schemas import Features, TableWorld

Body = dict[str, Any]
ORDERED = ("LT", "LE", "GT", "GE")
_KINDS = {
    "BETWEEN": "between", "IN": "in", "BEGINS_WITH": "begins_with", "CONTAINS": "contains", "NOT_CONTAINS": "contains",
    "EQ": "compare", "NE": "compare", **dict.fromkeys(ORDERED, "compare"),
}  # fmt: skip


def condition(draw: Draw, held: Body | None) -> Body:
    """One comparison of an attribute."""
    suited = [name for name, kind in _KINDS.items() if held and kind in nearby.KINDS[next(iter(held))]]
    operator = (
        pick(draw, suited)
        if suited and chance(draw, 40)
        else pick(
            draw, ("EQ", "NE", "NULL", "NOT_NULL", "CONTAINS", "NOT_CONTAINS", "BEGINS_WITH", "IN", "BETWEEN", *ORDERED)
        )
    )
    if operator in ("NULL", "NOT_NULL"):
        return {"ComparisonOperator": operator}
    kind = _KINDS.get(operator)
    near = nearby.value(draw, kind, held) if kind is not None and held and chance(draw, 50) else None
    if near is not None and all(next(iter(value)) in ("S", "N", "B") for value in near):
        return {"ComparisonOperator": operator, "AttributeValueList": near}
    if operator == "BETWEEN":
        low = number(draw, -1, 9)
        return {
            "ComparisonOperator": operator,
            "AttributeValueList": [{"N": str(low)}, {"N": str(low + number(draw, 0, 3))}],
        }
    if operator == "IN":
        kind = pick(draw, ("S", "N"))
        return {
            "ComparisonOperator": operator,
            "AttributeValueList": [{kind: values.scalar(draw, kind)} for _ in range(number(draw, 1, 3))],
        }
    kinds = {"BEGINS_WITH": ("S", "B"), "EQ": values.TYPES, "NE": values.TYPES}.get(operator, ("S", "N", "B"))
    given = (
        held if held and next(iter(held)) in kinds and chance(draw, 60) else values.value(draw, depth=1, types=kinds)
    )
    return {"ComparisonOperator": operator, "AttributeValueList": [given]}


def conditions(draw: Draw, table: TableWorld, item: Body, *, keys: bool) -> dict[str, Body]:
    """One or two comparisons by attribute name."""
    names = list(dict.fromkeys((*item, *table.attributes, *table.index_keys)))
    own = dict(table.keys)
    offered = [name for name in names if keys or name not in own]
    return {name: condition(draw, item.get(name)) for name in some(draw, offered, least=1, most=2)}


def _expected(draw: Draw, table: TableWorld, item: Body) -> dict[str, Body]:
    found: dict[str, Body] = {}
    for name, compared in conditions(draw, table, item, keys=True).items():
        form = pick(draw, ("comparison", "value", "exists", "absent"))
        if form == "comparison":
            found[name] = compared
        elif form == "absent":
            found[name] = {"Exists": False}
        else:
            given = item.get(name) if item.get(name) and chance(draw, 60) else values.value(draw, depth=1)
            found[name] = {"Value": given} | ({"Exists": True} if form == "exists" else {})
    return found


def _conditional(draw: Draw, table: TableWorld, item: Body, body: Body) -> None:
    if chance(draw, 60):
        body["Expected"] = _expected(draw, table, item)
        if len(body["Expected"]) > 1 and chance(draw, 50):
            body["ConditionalOperator"] = pick(draw, ("AND", "OR"))


def put(draw: Draw, table: TableWorld, features: Features, known: list[Body]) -> Body:
    """A PutItem request with Expected."""
    new = requests.item(draw, table, features, known)
    body: Body = {"TableName": table.reference, "Item": new}
    _conditional(draw, table, requests.likely(draw, known, {n: new[n] for n, _ in table.keys}), body)
    return body


def update(draw: Draw, table: TableWorld, features: Features, known: list[Body]) -> Body:
    """An UpdateItem request with AttributeUpdates."""
    at = requests.key(draw, table, known)
    item = requests.likely(draw, known, at)
    own = dict(table.keys)
    names = [
        name for name in dict.fromkeys((*item, *table.attributes)) if name not in own and name not in table.index_keys
    ]
    updates: dict[str, Body] = {}
    for name in some(draw, names, least=1, most=3):
        updates[name] = _attribute_update(draw, item.get(name))
    body: Body = {"TableName": table.reference, "Key": at, "AttributeUpdates": updates}
    _conditional(draw, table, item, body)
    if chance(draw, 60):
        body["ReturnValues"] = pick(draw, ("ALL_NEW", "UPDATED_NEW", "UPDATED_OLD", "ALL_OLD"))
    return body


def _attribute_update(draw: Draw, held: Body | None) -> Body:
    kind = next(iter(held)) if held else ""
    action = pick(draw, ("PUT", "ADD", "DELETE", "ADD"))
    if action == "PUT":
        return {"Value": values.value(draw, depth=1)} | ({"Action": "PUT"} if chance(draw, 70) else {})
    if action == "ADD":
        wanted = (
            kind if kind in ("N", "SS", "NS", "BS", "L") and chance(draw, 80) else pick(draw, ("N", "SS", "NS", "L"))
        )
        return {"Action": "ADD", "Value": values.value(draw, depth=1, types=(wanted,))}
    if kind in ("SS", "NS", "BS") and chance(draw, 70):
        return {"Action": "DELETE", "Value": values.value(draw, depth=1, types=(kind,))}
    return {"Action": "DELETE"}


def get(draw: Draw, table: TableWorld, known: list[Body]) -> Body:
    """A GetItem request with AttributesToGet."""
    at = requests.key(draw, table, known)
    names = list(dict.fromkeys((*requests.likely(draw, known, at), *table.attributes)))
    return {"TableName": table.reference, "Key": at, "AttributesToGet": some(draw, names, least=1, most=3)}


def query(draw: Draw, table: TableWorld, known: list[Body]) -> Body:
    """A Query request with KeyConditions, QueryFilter and AttributesToGet."""
    item = pick(draw, known) if known else {}
    hashed = item.get(table.hash[0]) if item and chance(draw, 85) else values.key_value(draw, table.hash[1])
    keyed: dict[str, Body] = {table.hash[0]: {"ComparisonOperator": "EQ", "AttributeValueList": [hashed]}}
    if table.range is not None and chance(draw, 50):
        kinds = ("EQ", *ORDERED, "BETWEEN") + (("BEGINS_WITH",) if table.range[1] != "N" else ())
        operator = pick(draw, kinds)
        bounds = [values.key_value(draw, table.range[1]) for _ in range(2 if operator == "BETWEEN" else 1)]
        keyed[table.range[0]] = {"ComparisonOperator": operator, "AttributeValueList": bounds}
    body: Body = {"TableName": table.reference, "KeyConditions": keyed}
    if chance(draw, 40):
        body["QueryFilter"] = conditions(draw, table, item, keys=False)
        if len(body["QueryFilter"]) > 1 and chance(draw, 50):
            body["ConditionalOperator"] = pick(draw, ("AND", "OR"))
    if chance(draw, 30):
        body["AttributesToGet"] = some(draw, (*table.attributes, table.hash[0]), least=1, most=2)
    if chance(draw, 30):
        body["Limit"] = number(draw, 1, 3)
    return body


def scan(draw: Draw, table: TableWorld, known: list[Body]) -> Body:
    """A Scan request with ScanFilter and AttributesToGet."""
    item = pick(draw, known) if known else {}
    body: Body = {"TableName": table.reference, "ScanFilter": conditions(draw, table, item, keys=True)}
    if len(body["ScanFilter"]) > 1 and chance(draw, 50):
        body["ConditionalOperator"] = pick(draw, ("AND", "OR"))
    if chance(draw, 30):
        body["AttributesToGet"] = some(draw, (*table.attributes, table.hash[0]), least=1, most=2)
    return body
