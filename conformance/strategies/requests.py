"""Whole requests, valid as far as the planner can tell; ``mistakes`` spoils some of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.strategies import values
from conformance.strategies.draws import Draw, chance, number, pick, some
from conformance.strategies.expressions import Placeholders, Writer
from conformance.strategies.schemas import Features, IndexWorld, TableWorld
from reference.values.value import compare, normalise

Body = dict[str, Any]


def key(draw: Draw, table: TableWorld, known: list[Body]) -> Body:
    """A primary key, mostly one that holds an item."""
    if known and chance(draw, 65):
        return (
            {name: pick(draw, known)[name] for name, _ in table.keys}
            if len(table.keys) == 1
            else _of(pick(draw, known), table)
        )
    # Few partitions, so that they hold more than one item.
    width = 4 if table.range is None else 2
    return {name: values.key_value(draw, kind, width if name == table.hash[0] else 4) for name, kind in table.keys}


def _of(item: Body, table: TableWorld) -> Body:
    return {name: item[name] for name, _ in table.keys}


def item(draw: Draw, table: TableWorld, features: Features, known: list[Body]) -> Body:
    """An item with a key, some attributes, and index keys of the right type where it has them."""
    body = key(draw, table, known)
    depth = 2 if features.on("nested") else 0
    kinds = values.MIX if depth else ("S", "N", "N", "B", "BOOL", "NULL", "SS", "NS")
    for name in some(draw, table.attributes, least=int(chance(draw, 75)), most=3):
        body[name] = values.value(draw, depth=depth, types=kinds)
    for name, kind in table.index_keys.items():
        if chance(draw, 65):
            # Few values, so that index partitions hold more than one item.
            body[name] = values.key_value(draw, kind, 2)
    if features.on("capacity") and chance(draw, 6):
        # More than one unit's worth.
        body[table.attributes[-1]] = {"S": "x" * pick(draw, (1100, 4200))}
    return body


def likely(draw: Draw, known: list[Body], at: Body) -> Body:
    """The item at a key if there is one, else some other item to take names and types from."""
    for candidate in known:
        if all(candidate.get(name) == value for name, value in at.items()):
            return candidate
    return pick(draw, known) if known else {}


def put(draw: Draw, table: TableWorld, features: Features, known: list[Body]) -> Body:
    """A PutItem request."""
    new = item(draw, table, features, known)
    body: Body = {"TableName": table.reference, "Item": new}
    _conditional(draw, table, features, likely(draw, known, _of(new, table)), body)
    if chance(draw, 30):
        body["ReturnValues"] = pick(draw, ("ALL_OLD", "NONE"))
    return _extras(draw, features, body, write=True)


def delete(draw: Draw, table: TableWorld, features: Features, known: list[Body]) -> Body:
    """A DeleteItem request."""
    at = key(draw, table, known)
    body: Body = {"TableName": table.reference, "Key": at}
    _conditional(draw, table, features, likely(draw, known, at), body)
    if chance(draw, 30):
        body["ReturnValues"] = pick(draw, ("ALL_OLD", "NONE"))
    return _extras(draw, features, body, write=True)


def update(draw: Draw, table: TableWorld, features: Features, known: list[Body]) -> Body:
    """An UpdateItem request."""
    at = key(draw, table, known)
    body: Body = {"TableName": table.reference, "Key": at}
    writer = Writer(draw, table, features, likely(draw, known, at))
    if not chance(draw, 5):
        body["UpdateExpression"] = writer.update()
    if features.on("conditions") and chance(draw, 30):
        body["ConditionExpression"] = writer.condition()
        _on_failure(draw, body)
    writer.placeholders.into(body)
    if chance(draw, 60):
        body["ReturnValues"] = pick(draw, ("ALL_NEW", "UPDATED_NEW", "UPDATED_OLD", "ALL_OLD", "NONE"))
    return _extras(draw, features, body, write=True)


def get(draw: Draw, table: TableWorld, features: Features, known: list[Body]) -> Body:
    """A GetItem request."""
    at = key(draw, table, known)
    body: Body = {"TableName": table.reference, "Key": at}
    if chance(draw, 50):
        body["ConsistentRead"] = chance(draw, 80)
    _projected(draw, table, features, likely(draw, known, at), body)
    return _extras(draw, features, body)


def query(draw: Draw, table: TableWorld, features: Features, known: list[Body]) -> Body:
    """A Query request over the table or an index."""
    index = _index(draw, table, features)
    body: Body = {"TableName": table.reference}
    if index is not None:
        body["IndexName"] = index.name
    placeholders = Placeholders()
    hashed, ranged = (index.hash, index.range) if index else (table.hash, table.range)
    condition = _key_condition(draw, hashed, ranged, known, placeholders)
    for name, kind in index.more[: index.wide] if index else ():
        at = _partition(draw, (name, kind), known)[0]
        condition += f" AND {placeholders.name(draw, name)} = {placeholders.value(at)}"
    body["KeyConditionExpression"] = condition
    likely_item = pick(draw, known) if known else {}
    barred = {name for name, _ in (index.keys if index else table.keys)}
    if features.on("conditions") and chance(draw, 30):
        shown = {name: value for name, value in likely_item.items() if name not in barred}
        writer = Writer(draw, without(table, barred), features, shown, placeholders)
        if index is None or index.projection == "ALL":
            body["FilterExpression"] = writer.condition(1, keys=False)
    if chance(draw, 40):
        body["ScanIndexForward"] = chance(draw, 30)
    _paged(draw, features, body)
    _selected(draw, table, features, likely_item, index, body, placeholders)
    placeholders.into(body)
    if chance(draw, 30) and (index is None or index.kind == "LSI"):
        body["ConsistentRead"] = True
    return _extras(draw, features, body)


def scan(draw: Draw, table: TableWorld, features: Features, known: list[Body]) -> Body:
    """A Scan request over the table or an index."""
    index = _index(draw, table, features)
    body: Body = {"TableName": table.reference}
    if index is not None:
        body["IndexName"] = index.name
    placeholders = Placeholders()
    likely_item = pick(draw, known) if known else {}
    if features.on("conditions") and chance(draw, 40):
        body["FilterExpression"] = Writer(draw, table, features, likely_item, placeholders).condition(1)
    _paged(draw, features, body)
    _selected(draw, table, features, likely_item, index, body, placeholders)
    placeholders.into(body)
    if chance(draw, 50) and (index is None or index.kind == "LSI"):
        body["ConsistentRead"] = True
    return _extras(draw, features, body)


def without(table: TableWorld, names: set[str]) -> TableWorld:
    """The table as a filter may see it: without the keys of what is queried."""
    indexes = tuple(i for i in table.indexes if not names.intersection(name for name, _ in i.keys))
    return replace(table, indexes=indexes)


def _index(draw: Draw, table: TableWorld, features: Features) -> IndexWorld | None:
    if table.indexes and features.on("indexes") and chance(draw, 60):
        return pick(draw, table.indexes)
    return None


def _key_condition(
    draw: Draw, hashed: tuple[str, str], ranged: tuple[str, str] | None, known: list[Body], placeholders: Placeholders
) -> str:
    at, partition = _partition(draw, hashed, known)
    clause = f"{placeholders.name(draw, hashed[0])} = {placeholders.value(at)}"
    if ranged is None or chance(draw, 50):
        return clause
    held = [i[ranged[0]] for i in partition if ranged[1] in i.get(ranged[0], ())]
    second = _range_condition(draw, ranged, held, placeholders)
    return f"{clause} AND {second}" if chance(draw, 85) else f"{second} AND {clause}"


def _partition(draw: Draw, hashed: tuple[str, str], known: list[Body]) -> tuple[Body, list[Body]]:
    """A partition key, mostly one that holds items, and rather more than few; and its items."""
    holders = [i for i in known if hashed[1] in i.get(hashed[0], ())]
    if not holders or chance(draw, 15):
        return values.key_value(draw, hashed[1]), []
    found = [pick(draw, holders)[hashed[0]] for _ in range(2)]
    partition = max(([i for i in holders if i[hashed[0]] == at] for at in found), key=len)
    return partition[0][hashed[0]], partition


def _range_condition(draw: Draw, ranged: tuple[str, str], held: list[Body], placeholders: Placeholders) -> str:
    name = placeholders.name(draw, ranged[0])
    kinds = ("=", "<", "<=", ">", ">=", "between", "between") + (("begins_with",) * 2 if ranged[1] != "N" else ())
    kind = pick(draw, kinds)
    low, high = (pick(draw, held) if held and chance(draw, 75) else values.key_value(draw, ranged[1]) for _ in range(2))
    if kind == "between":
        if (compare(_normal(low), _normal(high)) or 0) > 0 and chance(draw, 90):
            low, high = high, low
        return f"{name} BETWEEN {placeholders.value(low)} AND {placeholders.value(high)}"
    if kind == "begins_with":
        start = {"S": low["S"][:1]} if "S" in low and chance(draw, 50) else low
        return f"begins_with({name}, {placeholders.value(start)})"
    if chance(draw, 10):
        return f"{placeholders.value(low)} {kind} {name}"
    return f"{name} {kind} {placeholders.value(low)}"


def _normal(value: Body) -> Body:
    return normalise(value, "current", []) or value


def _paged(draw: Draw, features: Features, body: Body) -> None:
    if features.on("limits") and chance(draw, 45):
        body["Limit"] = number(draw, 1, 4)


def _selected(
    draw: Draw,
    table: TableWorld,
    features: Features,
    likely_item: Body,
    index: IndexWorld | None,
    body: Body,
    placeholders: Placeholders,
) -> None:
    choice = number(draw, 0, 9)
    if choice == 9:
        body["Select"] = "COUNT"
    elif choice == 8 and index is not None:
        body["Select"] = "ALL_PROJECTED_ATTRIBUTES"
    elif choice == 7 and (index is None or index.kind == "LSI" or index.projection == "ALL"):
        body["Select"] = "ALL_ATTRIBUTES"
    elif choice >= 5 and features.on("projections") and (index is None or index.projection == "ALL"):
        body["ProjectionExpression"] = Writer(draw, table, features, likely_item, placeholders).projection()
        if chance(draw, 20):
            body["Select"] = "SPECIFIC_ATTRIBUTES"


def _projected(draw: Draw, table: TableWorld, features: Features, likely_item: Body, body: Body) -> None:
    if features.on("projections") and chance(draw, 45):
        writer = Writer(draw, table, features, likely_item)
        body["ProjectionExpression"] = writer.projection()
        writer.placeholders.into(body)


def _conditional(draw: Draw, table: TableWorld, features: Features, likely_item: Body, body: Body) -> None:
    if features.on("conditions") and chance(draw, 30):
        writer = Writer(draw, table, features, likely_item)
        body["ConditionExpression"] = writer.condition()
        writer.placeholders.into(body)
        _on_failure(draw, body)


def _on_failure(draw: Draw, body: Body) -> None:
    if chance(draw, 40):
        body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"


def _extras(draw: Draw, features: Features, body: Body, *, write: bool = False) -> Body:
    if features.on("capacity") and chance(draw, 25):
        body["ReturnConsumedCapacity"] = pick(draw, ("TOTAL", "INDEXES"))
    if write and features.on("capacity") and chance(draw, 5):
        body["ReturnItemCollectionMetrics"] = "SIZE"
    return body


def batch_write(draw: Draw, tables: list[TableWorld], features: Features, known: dict[str, list[Body]]) -> Body:
    """A BatchWriteItem request without duplicate keys."""
    request: Body = {}
    for table in some(draw, range(len(tables)), least=1, most=2):
        world = tables[table]
        seen: list[Body] = []
        writes: list[Body] = []
        for _ in range(number(draw, 1, 5)):
            held = known.get(world.symbol, [])
            new = item(draw, world, features, held)
            at = _of(new, world)
            if at in seen:
                continue
            seen.append(at)
            writes.append({"PutRequest": {"Item": new}} if chance(draw, 65) else {"DeleteRequest": {"Key": at}})
        request[world.reference] = writes
    return _extras(draw, features, {"RequestItems": request}, write=True)


def fill(draw: Draw, world: TableWorld, features: Features) -> Body:
    """A BatchWriteItem request that puts several different items into one table."""
    puts: list[Body] = []
    seen: list[Body] = []
    for _ in range(number(draw, 3, 8)):
        new = item(draw, world, features, [])
        at = {name: _normal(value) for name, value in _of(new, world).items()}
        if at not in seen:
            seen.append(at)
            puts.append({"PutRequest": {"Item": new}})
    return {"RequestItems": {world.reference: puts}}


def batch_get(draw: Draw, tables: list[TableWorld], features: Features, known: dict[str, list[Body]]) -> Body:
    """A BatchGetItem request without duplicate keys."""
    request: Body = {}
    for table in some(draw, range(len(tables)), least=1, most=2):
        world = tables[table]
        keys: list[Body] = []
        for _ in range(number(draw, 1, 4)):
            at = key(draw, world, known.get(world.symbol, []))
            if at not in keys:
                keys.append(at)
        entry: Body = {"Keys": keys}
        if chance(draw, 50):
            entry["ConsistentRead"] = True
        held = known.get(world.symbol, [])
        _projected(draw, world, features, pick(draw, held) if held else {}, entry)
        request[world.reference] = entry
    return _extras(draw, features, {"RequestItems": request})
