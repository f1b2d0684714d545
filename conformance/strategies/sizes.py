"""Items of sizes around the boundaries of units, and every operation asked what it consumed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.strategies import partiql, requests, transactions, values
from conformance.strategies.contents import padded
from conformance.strategies.draws import Draw, chance, number, pick
from conformance.strategies.schemas import Features, TableWorld

Body = dict[str, Any]
WRITE_UNIT = 1024
READ_UNIT = 4096
_BOUNDARIES = (WRITE_UNIT, WRITE_UNIT, 2 * WRITE_UNIT, READ_UNIT, READ_UNIT, 2 * READ_UNIT)


def item(draw: Draw, world: TableWorld, known: list[Body]) -> Body:
    """An item with most index keys, small, or just as large as a few units or a byte off."""
    body = requests.key(draw, world, known)
    for name, kind in world.index_keys.items():
        if chance(draw, 80):
            body[name] = values.key_value(draw, kind, 2)
    if chance(draw, 30):
        body[world.attributes[0]] = values.value(draw, depth=1)
    if chance(draw, 60):
        wanted = pick(draw, _BOUNDARIES) + pick(draw, (0, 0, 1, -1))
        body = padded(body, world.attributes[-1], wanted, binary=chance(draw, 15))
    return body


def asked(draw: Draw, body: Body, *, metrics: bool = False) -> Body:
    """The request with the question what it consumed, and at times how large the item collections are."""
    body = {**body, "ReturnConsumedCapacity": pick(draw, ("INDEXES", "INDEXES", "TOTAL", "TOTAL", "NONE"))}
    return {**body, "ReturnItemCollectionMetrics": "SIZE"} if metrics and chance(draw, 30) else body


def _padding(draw: Draw, world: TableWorld, known: list[Body], at: Body) -> Body:
    """A value that makes an item cross a boundary, or not."""
    held = requests.likely(draw, known, at)
    wanted = pick(draw, _BOUNDARIES) + pick(draw, (0, 1, -1))
    return dict(padded({**held, **at}, world.attributes[-1], wanted)[world.attributes[-1]])


def _put(draw: Draw, world: TableWorld, known: list[Body]) -> Body:
    body: Body = {"TableName": world.reference, "Item": item(draw, world, known)}
    if chance(draw, 15):
        body["ConditionExpression"] = f"{pick(draw, ('attribute_exists', 'attribute_not_exists'))}({world.hash[0]})"
    return body


def _update(draw: Draw, world: TableWorld, known: list[Body]) -> Body:
    at = requests.key(draw, world, known)
    name = world.attributes[-1]
    body: Body = {"TableName": world.reference, "Key": at}
    kind = pick(draw, ("grow", "grow", "shrink", "index", "nothing", "small"))
    if kind == "nothing":
        return body
    if kind == "shrink":
        return {**body, "UpdateExpression": "REMOVE #a", "ExpressionAttributeNames": {"#a": name}}
    given = _padding(draw, world, known, at) if kind == "grow" else {"N": str(number(draw, 0, 9))}
    if kind == "index" and world.index_keys:
        name, held = pick(draw, sorted(world.index_keys.items()))
        given = values.key_value(draw, held, 3)
    expression = {"UpdateExpression": "SET #a = :v", "ExpressionAttributeNames": {"#a": name}}
    return {**body, **expression, "ExpressionAttributeValues": {":v": given}}


def _delete(draw: Draw, world: TableWorld, known: list[Body]) -> Body:
    return {"TableName": world.reference, "Key": requests.key(draw, world, known)}


SINGLE: dict[str, Callable[[Draw, TableWorld, list[Body]], Body]] = {
    "PutItem": _put, "UpdateItem": _update, "DeleteItem": _delete,
}  # fmt: skip


def single(draw: Draw, world: TableWorld, known: list[Body]) -> tuple[str, Body]:
    """A write of one item."""
    operation = pick(draw, ("PutItem", "PutItem", "UpdateItem", "UpdateItem", "DeleteItem"))
    return operation, asked(draw, SINGLE[operation](draw, world, known), metrics=True)


def read(draw: Draw, world: TableWorld, features: Features, known: list[Body]) -> tuple[str, Body]:
    """A read of one item or a page, of the table or an index."""
    operation = pick(draw, ("GetItem", "Query", "Query", "Scan"))
    maker = {"GetItem": requests.get, "Query": requests.query, "Scan": requests.scan}[operation]
    return operation, asked(draw, maker(draw, world, features, known))


def batch(draw: Draw, worlds: list[TableWorld], features: Features, known: dict[str, list[Body]]) -> tuple[str, Body]:
    """A batch over one or two tables."""
    if chance(draw, 50):
        return "BatchGetItem", asked(draw, requests.batch_get(draw, worlds, features, known))
    return "BatchWriteItem", asked(draw, _batch_write(draw, worlds, known), metrics=True)


def _batch_write(draw: Draw, worlds: list[TableWorld], known: dict[str, list[Body]]) -> Body:
    asking: dict[str, list[Body]] = {}
    for _ in range(number(draw, 1, 4)):
        world = pick(draw, worlds)
        new = item(draw, world, known.get(world.symbol, []))
        at = {name: new[name] for name, _ in world.keys}
        taken = [
            w.get("PutRequest", {}).get("Item") or w["DeleteRequest"]["Key"] for w in asking.get(world.reference, [])
        ]
        if any(all(held[name] == at[name] for name in at) for held in taken):
            continue
        write = {"PutRequest": {"Item": new}} if chance(draw, 70) else {"DeleteRequest": {"Key": at}}
        asking.setdefault(world.reference, []).append(write)
    return {"RequestItems": asking}


def transaction(
    draw: Draw, worlds: list[TableWorld], features: Features, known: dict[str, list[Body]]
) -> tuple[str, Body]:
    """A transaction of reads or of writes; these with a token at times, so that they are repeated."""
    if chance(draw, 35):
        return "TransactGetItems", asked(draw, transactions.transact_get(draw, worlds, features, known))
    actions: list[Body] = []
    seen: list[Any] = []
    for _ in range(number(draw, 1, 3)):
        world = pick(draw, worlds)
        kind = pick(draw, ("Put", "Update", "Delete", "ConditionCheck"))
        part = SINGLE.get(f"{kind}Item", _delete)(draw, world, known.get(world.symbol, []))
        at = {name: (part.get("Item") or part["Key"])[name] for name, _ in world.keys}
        if (world.symbol, at) in seen or (kind == "Update" and "UpdateExpression" not in part):
            continue
        seen.append((world.symbol, at))
        if kind == "ConditionCheck":
            part["ConditionExpression"] = f"attribute_exists({world.hash[0]}) OR attribute_not_exists({world.hash[0]})"
        actions.append({kind: part})
    if not actions:
        return "TransactGetItems", asked(draw, transactions.transact_get(draw, worlds, features, known))
    body: Body = {"TransactItems": actions}
    if chance(draw, 40):
        body["ClientRequestToken"] = pick(draw, transactions.TOKENS)
    return "TransactWriteItems", asked(draw, body, metrics=True)


def statement(draw: Draw, world: TableWorld, known: list[Body]) -> tuple[str, Body]:
    """A statement, alone, in a batch or as a transaction."""
    writing = chance(draw, 50)
    maker = pick(draw, (partiql.insert, partiql.update, partiql.delete)) if writing else partiql.select
    body = maker(draw, world, known)
    kind = pick(draw, ("alone", "alone", "batch", "transaction"))
    if kind == "alone":
        return "ExecuteStatement", asked(draw, body)
    part = {name: held for name, held in body.items() if name in ("Statement", "Parameters")}
    if kind == "batch":
        return "BatchExecuteStatement", asked(draw, {"Statements": [part]})
    return "ExecuteTransaction", asked(draw, {"TransactStatements": [part]})
