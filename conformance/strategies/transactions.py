"""TransactWriteItems and TransactGetItems requests over one or two tables."""

from __future__ import annotations

from typing import Any

from conformance.strategies import requests
from conformance.strategies.draws import Draw, chance, number, pick
from conformance.strategies.expressions import Writer
from conformance.strategies.schemas import Features, TableWorld

Body = dict[str, Any]
TOKENS = ("${token:a}", "${token:b}")
_KEPT = {
    "Put": ("TableName", "Item", "ConditionExpression"),
    "Delete": ("TableName", "Key", "ConditionExpression"),
    "Update": ("TableName", "Key", "UpdateExpression", "ConditionExpression"),
}
_ALSO = ("ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnValuesOnConditionCheckFailure")


def transact_write(draw: Draw, tables: list[TableWorld], features: Features, known: dict[str, list[Body]]) -> Body:
    """One to four actions on different items; now and then two on the same item, which must be refused."""
    actions: list[Body] = []
    seen: list[tuple[str, Body]] = []
    for _ in range(number(draw, 1, 4)):
        world = pick(draw, tables)
        kind, part = _action(draw, world, features, known.get(world.symbol, []))
        held = part.get("Item") or part["Key"]
        at = (world.symbol, {name: held[name] for name, _ in world.keys})
        if at in seen and not chance(draw, 10):
            continue
        seen.append(at)
        actions.append({kind: part})
    body: Body = {"TransactItems": actions}
    if chance(draw, 30):
        body["ClientRequestToken"] = pick(draw, TOKENS)
    if features.on("capacity") and chance(draw, 25):
        body["ReturnConsumedCapacity"] = pick(draw, ("TOTAL", "INDEXES"))
    return body


def _action(draw: Draw, world: TableWorld, features: Features, known: list[Body]) -> tuple[str, Body]:
    kind = pick(draw, ("Put", "Update", "Delete", "ConditionCheck"))
    if kind == "ConditionCheck":
        return kind, _condition_check(draw, world, features, known)
    drawn = {"Put": requests.put, "Update": requests.update, "Delete": requests.delete}[kind](
        draw, world, features, known
    )
    if kind == "Update" and "UpdateExpression" not in drawn:
        drawn["UpdateExpression"] = "REMOVE c"
    part = {name: drawn[name] for name in (*_KEPT[kind], *_ALSO) if name in drawn}
    if "ConditionExpression" not in part:
        part.pop("ReturnValuesOnConditionCheckFailure", None)
    return kind, part


def _condition_check(draw: Draw, world: TableWorld, features: Features, known: list[Body]) -> Body:
    at = requests.key(draw, world, known)
    writer = Writer(draw, world, features, requests.likely(draw, known, at))
    part: Body = {"TableName": world.reference, "Key": at, "ConditionExpression": writer.condition(1)}
    writer.placeholders.into(part)
    if chance(draw, 40):
        part["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return part


def transact_get(draw: Draw, tables: list[TableWorld], features: Features, known: dict[str, list[Body]]) -> Body:
    """One to four gets of different items."""
    gets: list[Body] = []
    for _ in range(number(draw, 1, 4)):
        world = pick(draw, tables)
        held = known.get(world.symbol, [])
        part: Body = {"TableName": world.reference, "Key": requests.key(draw, world, held)}
        if features.on("projections") and chance(draw, 30):
            writer = Writer(draw, world, features, requests.likely(draw, held, part["Key"]))
            part["ProjectionExpression"] = writer.projection()
            writer.placeholders.into(part)
        if not any(g["Get"]["TableName"] == part["TableName"] and g["Get"]["Key"] == part["Key"] for g in gets):
            gets.append({"Get": part})
    body: Body = {"TransactItems": gets}
    if features.on("capacity") and chance(draw, 25):
        body["ReturnConsumedCapacity"] = pick(draw, ("TOTAL", "INDEXES"))
    return body


def repeated(draw: Draw, body: Body) -> Body:
    """The same request again with its token, now and then with something changed."""
    again = {**body}
    if chance(draw, 30) and again["TransactItems"]:
        again["TransactItems"] = again["TransactItems"][:-1] or again["TransactItems"]
    return again
