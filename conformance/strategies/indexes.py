"""Indexes that come and go over items that were there before, some of which do not fit them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.strategies import values
from conformance.strategies.draws import Draw, chance, pick, some
from conformance.strategies.requests import key
from conformance.strategies.schemas import Attribute, IndexWorld, TableWorld
from reference.tables.table import Table

Body = dict[str, Any]
NAMES = ("first", "second")
ATTRIBUTES: tuple[Attribute, ...] = (("g", "S"), ("h", "N"), ("m", "B"))
"""What an index may be keyed by, with the type it is mostly declared with."""
UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
_UNFIT: tuple[Body, ...] = (
    {"NULL": True}, {"BOOL": True}, {"L": []}, {"M": {}}, {"SS": ["a"]}, {"S": ""}, {"B": ""}, {"S": "x"}, {"N": "7"},
    {"B": "AQ=="}, {"S": "k" * 2049},
)  # fmt: skip


def index(draw: Draw, world: TableWorld, name: str) -> IndexWorld:
    """A global index over some of the attributes, with any projection."""
    offered = [*(pair for pair in ATTRIBUTES if pair[0] not in dict(world.keys)), *world.keys]
    keyed = some(draw, offered, least=1, most=3)
    if chance(draw, 40):
        keyed.reverse()
    types = world.index_keys
    keyed = [(each, types.get(each, kind)) for each, kind in keyed]
    projection = pick(draw, ("ALL", "KEYS_ONLY", "INCLUDE"))
    include = tuple(some(draw, world.attributes, least=1, most=2)) if projection == "INCLUDE" else ()
    if len(keyed) == 3:
        # Several partition or several sort attributes.
        if chance(draw, 50):
            return IndexWorld(name, "GSI", keyed[0], keyed[2], projection, include, more=(keyed[1],), wide=1)
        return IndexWorld(name, "GSI", keyed[0], keyed[1], projection, include, more=(keyed[2],))
    return IndexWorld(name, "GSI", keyed[0], keyed[1] if len(keyed) > 1 else None, projection, include)


def creation(draw: Draw, world: TableWorld, new: IndexWorld) -> Body:
    """An UpdateTable that adds an index; its attribute definitions or units are forgotten now and then."""
    units = None if world.on_demand is not chance(draw, 5) else dict(UNITS)
    body: Body = {"TableName": world.reference, "GlobalSecondaryIndexUpdates": [{"Create": new.define(units)}]}
    if not chance(draw, 5):
        body["AttributeDefinitions"] = [{"AttributeName": n, "AttributeType": t} for n, t in new.keys]
    return body


def removal(draw: Draw, world: TableWorld) -> Body:
    """An UpdateTable that deletes an index, mostly one that is there."""
    held = [each.name for each in world.indexes] or list(NAMES)
    gone = "absent" if chance(draw, 8) else pick(draw, held)
    return {"TableName": world.reference, "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": gone}}]}


def item(draw: Draw, world: TableWorld, known: list[Body], *, unfit: bool) -> Body:
    """An item with some of the attributes that indexes are keyed by, some ``unfit`` for it."""
    body = key(draw, world, known)
    for name, kind in ATTRIBUTES:
        if name in dict(world.keys) or not chance(draw, 70):
            continue
        body[name] = values.key_value(draw, world.index_keys.get(name, kind), 2)
        if unfit and chance(draw, 20):
            body[name] = pick(draw, _UNFIT)
    for name in some(draw, world.attributes, most=2):
        body[name] = values.value(draw, depth=1, types=("S", "N", "L", "NULL"))
    return body


def change(draw: Draw, world: TableWorld, known: list[Body]) -> Body:
    """An UpdateItem that moves an entry, drops it, or changes what it projects or what it does not."""
    attributes = [
        *((name, kind) for name, kind in ATTRIBUTES if name not in dict(world.keys)),
        *((a, "") for a in world.attributes),
    ]
    name, kind = pick(draw, attributes)
    body: Body = {"TableName": world.reference, "Key": key(draw, world, known)}
    if chance(draw, 35):
        return {**body, "UpdateExpression": f"REMOVE {name}"}
    kind = world.index_keys.get(name, kind)
    given = values.key_value(draw, kind, 3) if kind else values.value(draw, depth=1)
    action = f"ADD {name} :v" if "N" in given and chance(draw, 40) else f"SET {name} = :v"
    return {**body, "UpdateExpression": action, "ExpressionAttributeValues": {":v": given}}


def seen(world: TableWorld, table: Table) -> TableWorld:
    """The world with the indexes that its table has now."""
    found = []
    for each in table.indexes.values():
        schema = each.schema
        pairs = [[(a.name, a.type) for a in side] for side in (schema.key.hash, schema.key.range)]
        found.append(IndexWorld(
            schema.name, schema.kind, pairs[0][0], pairs[1][0] if pairs[1] else None, schema.projection.type,
            schema.projection.non_key, (*pairs[0][1:], *pairs[1][1:]), len(pairs[0]) - 1,
        ))  # fmt: skip
    return replace(world, indexes=tuple(found))
