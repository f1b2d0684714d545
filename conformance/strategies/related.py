"""The same read asked in several ways, of which the answers must fit each other whatever the table holds."""

from __future__ import annotations

from typing import Any

from conformance.strategies import requests
from conformance.strategies.draws import Draw, chance, pick
from conformance.strategies.expressions import Placeholders, Writer
from conformance.strategies.routes import Route
from conformance.strategies.schemas import Features, TableWorld

Body = dict[str, Any]
_OPTIONS = ("Limit", "FilterExpression", "ProjectionExpression", "Select", "ReturnConsumedCapacity", "ScanIndexForward")
WAYS = ("filters", "turned", "pages", "projection", "count", "segments", "index")


def plain(draw: Draw, world: TableWorld, features: Features, known: list[Body]) -> Route:
    """A Query or Scan of all that its key condition chooses, and nothing else."""
    operation = pick(draw, ("Query", "Scan"))
    body = (requests.query if operation == "Query" else requests.scan)(draw, world, features, known)
    kept = {name: value for name, value in body.items() if name not in _OPTIONS}
    return operation, _used(kept)


def _used(body: Body) -> Body:
    """The request without placeholders that its key condition does not mention."""
    text = body.get("KeyConditionExpression", "")
    for member in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        held = {name: value for name, value in body.get(member, {}).items() if _mentions(text, name)}
        body = {**{k: v for k, v in body.items() if k != member}, **({member: held} if held else {})}
    return body


def _mentions(text: str, placeholder: str) -> bool:
    return any(not rest[:1].isalnum() for rest in text.split(placeholder)[1:])


def reads(draw: Draw, world: TableWorld, features: Features, known: list[Body]) -> list[Route]:
    """Two or three such reads, in any order. Pages are asked for with a Limit: who sends it reads on to the end."""
    operation, body = plain(draw, world, features, known)
    item = pick(draw, known) if known else {}
    way = pick(draw, WAYS)
    if way == "filters":
        return _shuffled(draw, _filters(draw, world, features, item, operation, body))
    if way == "turned" and operation == "Query":
        return [(operation, body), (operation, {**body, "ScanIndexForward": False})]
    if way == "projection" and not any(index.name == body.get("IndexName") for index in world.indexes):
        writer = Writer(draw, world, features, item, _placeholders(body))
        projection = {"ProjectionExpression": writer.projection()}
        writer.placeholders.into(projection)
        return [(operation, body), (operation, {**body, **projection})]
    if way == "count":
        return _shuffled(draw, [(operation, body), (operation, {**body, "Select": "COUNT"})])
    if way == "segments":
        total = pick(draw, (2, 3))
        whole = {"TableName": body["TableName"], **({"IndexName": body["IndexName"]} if "IndexName" in body else {})}
        parts: list[Route] = [("Scan", {**whole, "Segment": n, "TotalSegments": total}) for n in range(total)]
        return [*parts, ("Scan", whole)] if chance(draw, 50) else [("Scan", whole), *parts]
    if way == "index" and world.indexes:
        index = pick(draw, world.indexes)
        whole = {"TableName": body["TableName"]}
        return _shuffled(draw, [("Scan", whole), ("Scan", {**whole, "IndexName": index.name})])
    if chance(draw, 40):
        body = _filters(draw, world, features, item, operation, body)[1][1]
    return [(operation, body), (operation, {**body, "Limit": pick(draw, (1, 2, 3))})]


def _placeholders(body: Body) -> Placeholders:
    held = body.get("ExpressionAttributeNames", {}), body.get("ExpressionAttributeValues", {})
    return Placeholders(dict(held[0]), dict(held[1]))


def _filters(draw: Draw, world: TableWorld, features: Features, item: Body, operation: str, body: Body) -> list[Route]:
    index = next((each for each in world.indexes if each.name == body.get("IndexName")), None)
    if index is not None and index.projection != "ALL":
        return [(operation, body), (operation, dict(body))]
    barred = {name for name, _ in (index.keys if index else world.keys)} if operation == "Query" else set()
    shown = {name: value for name, value in item.items() if name not in barred}
    seen = requests.without(world, barred) if barred else world
    writer = Writer(draw, seen, features, shown, _placeholders(body))
    text = writer.condition(1, keys=not barred)
    text = text[1:-1] if text.startswith("(") and text.endswith(")") and "(" not in text[1:] else text
    filtered: Body = {}
    writer.placeholders.into(filtered)
    both = [text, f"NOT ({text})"]
    return [(operation, body), *((operation, {**body, **filtered, "FilterExpression": each}) for each in both)]


def _shuffled(draw: Draw, routes: list[Route]) -> list[Route]:
    return routes[::-1] if chance(draw, 40) else routes[1:] + routes[:1] if chance(draw, 30) else routes
