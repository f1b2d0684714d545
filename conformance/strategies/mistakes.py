"""One mistake in an otherwise valid request: what a client could get wrong, each with a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.strategies.draws import Draw, chance, pick
from conformance.strategies.schemas import TableWorld
from reference.values.item import MAX_ITEM_BYTES, item_size, normalise_item

Body = dict[str, Any]
Mistake = Callable[[Draw, TableWorld, Body], None]


def _deep(levels: int) -> Body:
    value: Body = {"S": "leaf"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


BAD_VALUES: tuple[Body, ...] = (
    {"N": "abc"},
    {"N": ""},
    {"N": "1e126"},
    {"N": "1e-131"},
    {"N": "1" * 39},
    {"N": " 1"},
    {"N": "0x10"},
    {"N": "NaN"},
    {"SS": []},
    {"SS": ["a", "a"]},
    {"NS": ["1", "1.0"]},
    {"BS": ["AQ==", "AQ=="]},
    {"NS": ["x"]},
    {"NULL": False},
    {},
    {"S": "a", "N": "1"},
    {"L": [{"SS": []}]},
    {"M": {"x": {"N": "abc"}}},
    {"M": {"": {"S": "a"}}},
    {"S": 1},
    {"N": 1},
    {"BOOL": "maybe"},
    {"L": {"S": "a"}},
    {"M": []},
    {"B": "A"},
    {"B": 5},
    {"SS": "a"},
    {"NS": [1]},
)


def _holder(body: Body) -> Body:
    held: Body = body.get("Item") or body.get("Key") or body.setdefault("Key", {})
    return held


def _value(draw: Draw, table: TableWorld, body: Body) -> None:
    bad = _deep(pick(draw, (31, 32, 33))) if chance(draw, 10) else pick(draw, BAD_VALUES)
    held = body.get("ExpressionAttributeValues")
    if held and chance(draw, 50):
        held[pick(draw, list(held))] = bad
    elif "Item" in body:
        body["Item"] = {**body["Item"], pick(draw, table.attributes): bad}
    elif "Key" in body:
        body["Key"] = {**body["Key"], table.hash[0]: bad}
    else:
        body["ExpressionAttributeValues"] = {**(held or {}), ":bad": bad}


def _key_type(draw: Draw, table: TableWorld, body: Body) -> None:
    name, kind = pick(draw, table.keys)
    wrong: Body = {"S": {"N": "1"}, "N": {"S": "1"}, "B": {"S": "a"}}[kind]
    if chance(draw, 25):
        wrong = pick(draw, ({"NULL": True}, {"L": []}, {"BOOL": True}, {"SS": ["a"]}))
    _holder(body)[name] = wrong


def _key_missing(draw: Draw, table: TableWorld, body: Body) -> None:
    _holder(body).pop(pick(draw, table.keys)[0], None)


def _key_extra(draw: Draw, table: TableWorld, body: Body) -> None:
    _holder(body)["extra"] = {"S": "a"}


def _key_empty(draw: Draw, table: TableWorld, body: Body) -> None:
    name, kind = pick(draw, table.keys)
    _holder(body)[name] = {"N": ""} if kind == "N" else {kind: ""}


def _key_long(draw: Draw, table: TableWorld, body: Body) -> None:
    name, kind = pick(draw, table.keys)
    if kind == "S":
        _holder(body)[name] = {"S": "k" * (2049 if name == table.hash[0] else 1025)}


def _too_large(draw: Draw, table: TableWorld, body: Body) -> None:
    """An item of one byte too many, or of more."""
    if "Item" not in body or not chance(draw, 25):
        return
    name = table.attributes[0]
    rest = {key: value for key, value in body["Item"].items() if key != name}
    normal = normalise_item(rest, "current", [])
    size = item_size(normal) if normal is not None else 0
    body["Item"] = {**rest, name: {"S": "x" * (MAX_ITEM_BYTES - size - len(name) + pick(draw, (1, 1, 100)))}}


def _update_key(draw: Draw, table: TableWorld, body: Body) -> None:
    if "UpdateExpression" in body:
        name, kind = pick(draw, table.keys)
        body["UpdateExpression"] = f"SET {name} = :key"
        body["ExpressionAttributeValues"] = {":key": {kind: "1" if kind == "N" else "YQ=="}}
        for gone in ("ConditionExpression", "ExpressionAttributeNames"):
            body.pop(gone, None)


def _filter_on_key(draw: Draw, table: TableWorld, body: Body) -> None:
    """A filter on an attribute that keys the table, which only a Scan may have."""
    name, kind = pick(draw, table.keys)
    body["FilterExpression"] = f"{name} <> :key"
    kept = body.get("ExpressionAttributeValues", {}) if "KeyConditionExpression" in body else {}
    names = body.get("ExpressionAttributeNames", {})
    texts = body.get("KeyConditionExpression", "") + body.get("ProjectionExpression", "")
    values = {key: value for key, value in kept.items() if _mentions(texts, key)}
    body["ExpressionAttributeValues"] = {**values, ":key": {kind: "1" if kind == "N" else "YQ=="}}
    left = {key: value for key, value in names.items() if _mentions(texts, key)}
    body.pop("ExpressionAttributeNames", None)
    if left:
        body["ExpressionAttributeNames"] = left


def _index_read(draw: Draw, table: TableWorld, body: Body) -> None:
    """What an index cannot give: a consistent read of a global one, attributes that it lacks."""
    if not table.indexes:
        return
    partial = [index for index in table.indexes if index.projection != "ALL" and index.kind == "GSI"]
    index = pick(draw, partial if partial and chance(draw, 60) else table.indexes)
    body["IndexName"] = index.name
    choice = pick(draw, ("all", "projected", "consistent"))
    for gone in ("ProjectionExpression", "Select", "AttributesToGet"):
        body.pop(gone, None)
    if choice == "all":
        body["Select"] = "ALL_ATTRIBUTES"
    elif choice == "projected":
        body["ProjectionExpression"] = pick(draw, table.attributes)
    else:
        body["ConsistentRead"] = True


def _segment(draw: Draw, table: TableWorld, body: Body) -> None:
    body |= pick(
        draw,
        (
            {"Segment": 0},
            {"TotalSegments": 2},
            {"Segment": 2, "TotalSegments": 2},
            {"Segment": 1, "TotalSegments": 1},
            {"Segment": 3, "TotalSegments": 2},
            {"Segment": -1, "TotalSegments": 2},
        ),
    )


def _index_key(draw: Draw, table: TableWorld, body: Body) -> None:
    if not table.index_keys:
        return
    name = pick(draw, list(table.index_keys))
    wrong = pick(draw, ({"S": ""}, {"N": "1"}, {"S": "x"}, {"NULL": True}, {"L": []}, {"BOOL": False}))
    if "Item" in body:
        body["Item"] = {**body["Item"], name: wrong}
    elif "UpdateExpression" in body or "Key" in body:
        body["UpdateExpression"] = f"SET {name} = :bad"
        body["ExpressionAttributeValues"] = {":bad": wrong}
        for gone in ("ConditionExpression", "ExpressionAttributeNames"):
            body.pop(gone, None)


def _unused(draw: Draw, table: TableWorld, body: Body) -> None:
    if ("Item" in body or "Key" in body) and not any(name in body for name in EXPRESSIONS) and chance(draw, 60):
        body["ConditionExpression"] = "attribute_not_exists(zz)"
    elif not ("Item" in body or "Key" in body) and "FilterExpression" not in body and chance(draw, 60):
        body["FilterExpression"] = "attribute_exists(a)"
    if chance(draw, 50):
        body["ExpressionAttributeNames"] = {**body.get("ExpressionAttributeNames", {}), "#unused": "a"}
    else:
        body["ExpressionAttributeValues"] = {**body.get("ExpressionAttributeValues", {}), ":unused": {"S": "a"}}


def _undefined(draw: Draw, table: TableWorld, body: Body) -> None:
    for member in ("ExpressionAttributeValues", "ExpressionAttributeNames"):
        held = body.get(member)
        if held and chance(draw, 60):
            rest = {k: v for k, v in held.items() if k != pick(draw, list(held))}
            if rest:
                body[member] = rest
            else:
                body.pop(member)
            return
    body["ConditionExpression"] = "a = :undefined"


EXPRESSIONS: dict[str, tuple[str, ...]] = {
    "ConditionExpression": (
        "",
        "a",
        "a =",
        "a = :v :v",
        "((a = :v))",
        "a = a",
        "size(a)",
        "nosuch(a)",
        "attribute_exists(:v)",
        "a IN ()",
        "abort = :v",
        "contains(a, a)",
        "begins_with(a, :n)",
        "a BETWEEN :v AND :n",
        "attribute_type(a, :v)",
        "NOT",
        "a = :v AND",
        "attribute_exists(a, b)",
        "a[x] = :v",
        "a..b = :v",
        "_a = :v",
        "a < :l",
        "size(a, b) = :n",
        "a = :v OR (b = :n",
        "if_not_exists(a, :v) = :v",
        "attribute_exists(a) = :v",
        "a == :v",
        "a == :v",
        "a = :v and not b = :n",
        "(a) = :v",
    ),
    "UpdateExpression": (
        "",
        "SET",
        "SET a",
        "SET a = :v SET b = :v",
        "SET a = :v, a = :v",
        "SET a.b = :v, a = :v",
        "SET a[0] = :v, a.b = :v",
        "ADD a :v",
        "DELETE a :n",
        "SET a = :v + :n",
        "SET a = list_append(a, :v)",
        "SET a = size(b)",
        "REMOVE a REMOVE b",
        "SET pk = :v",
        "SET a = b",
        "SET a.b.c = :v",
        "SET a[9].b = :v",
        "REMOVE a.b.c",
        "ADD a.b :n",
        "SET a = if_not_exists(:v, a)",
        "SET a = :n + :n + :n",
        "SET a = (a + :n)",
        "REMOVE",
        "SET abort = :v",
        "UPDATE a",
        "SET a = attribute_exists(b)",
        "SET a = list_append(:l, list_append(:l, :l))",
        "SET a = :n - :n",
        "SET a = if_not_exists(a, :n) + :n",
        "DELETE a :s",
        "ADD a :s",
    ),
    "ProjectionExpression": (
        "",
        "a, a",
        "a, a",
        "a, a.b",
        "a.b, a[0]",
        "a,",
        "abort",
        ":v",
        "a[-1]",
        "a b",
        "#undefined",
        "a[0][1], a[0]",
    ),
    "FilterExpression": (
        "",
        "a",
        "((a = :v))",
        "a = a",
        "begins_with(a, :n)",
        "pk = :v",
        "a == :v",
        "a < :l",
        "a IN (:v, :n, :l)",
    ),
    "KeyConditionExpression": (
        "",
        "pk = :v OR pk = :v",
        "pk < :v",
        "sk = :v",
        "pk = :v AND a = :v",
        "pk = :v AND pk = :v",
        "pk IN (:v)",
        "((pk = :v))",
        "pk = :v AND sk <> :v",
        "begins_with(pk, :v)",
        "pk.a = :v",
        "pk = :v AND size(sk) = :n",
        "NOT pk = :v",
        "pk = :v AND begins_with(sk, :n)",
        "pk = :v AND sk BETWEEN :n AND :v",
        "pk = sk",
        "attribute_exists(pk)",
    ),
}
_VALUES = {":v": {"S": "a"}, ":n": {"N": "1"}, ":l": {"L": [{"S": "a"}]}, ":s": {"SS": ["a"]}}


def _expression(draw: Draw, table: TableWorld, body: Body) -> None:
    present = [name for name in EXPRESSIONS if name in body]
    name = pick(draw, present) if present else "ConditionExpression"
    text = pick(draw, EXPRESSIONS[name])
    body[name] = text
    for other in EXPRESSIONS:
        if other != name and other != "KeyConditionExpression":
            body.pop(other, None)
    if name != "KeyConditionExpression" and "KeyConditionExpression" in body:
        text += " " + body["KeyConditionExpression"]
        kept = body.get("ExpressionAttributeValues", {})
    else:
        kept = {}
    used = {k: v for k, v in {**kept, **_VALUES}.items() if _mentions(text, k)}
    names = {k: v for k, v in body.get("ExpressionAttributeNames", {}).items() if _mentions(text, k)}
    for member, left in (("ExpressionAttributeValues", used), ("ExpressionAttributeNames", names)):
        if left:
            body[member] = left
        else:
            body.pop(member, None)


def _mentions(text: str, placeholder: str) -> bool:
    following = text.split(placeholder)[1:]
    return any(not rest[:1].isalnum() for rest in following)


def _enum(draw: Draw, table: TableWorld, body: Body) -> None:
    name = pick(draw, ("ReturnValues", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "Select"))
    body[name] = pick(draw, ("INVALID", "UPDATED_NEW", "all_old", ""))


def _table(draw: Draw, table: TableWorld, body: Body) -> None:
    choice = pick(draw, ("missing", "absent", "bad", "empty"))
    if choice == "absent":
        body.pop("TableName", None)
    else:
        body["TableName"] = {"missing": f"{table.reference}-absent", "bad": "bad name!", "empty": ""}[choice]


def _page(draw: Draw, table: TableWorld, body: Body) -> None:
    choice = pick(draw, ("limit", "start", "index", "consistent", "select"))
    if choice == "limit":
        body["Limit"] = pick(draw, (0, -1))
    elif choice == "start":
        body["ExclusiveStartKey"] = pick(
            draw, ({}, {table.hash[0]: {table.hash[1]: "AQ=="}}, {"nope": {"S": "a"}}, {table.hash[0]: {"BOOL": True}})
        )
    elif choice == "index":
        body["IndexName"] = "no-such-index"
    elif choice == "consistent" and table.indexes:
        body["IndexName"] = table.indexes[0].name
        body["ConsistentRead"] = True
    elif choice == "select":
        body["Select"] = pick(draw, ("SPECIFIC_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "ALL_ATTRIBUTES", "COUNT"))


def _mixed(draw: Draw, table: TableWorld, body: Body) -> None:
    """Old parameters among new ones, or the other way round."""
    if any(name in body for name in ("Expected", "AttributeUpdates")):
        body["ConditionExpression"] = "attribute_exists(a)"
        return
    read = [
        ("AttributesToGet", ["a"]),
        ("ConditionalOperator", "AND"),
        ("QueryFilter", {"a": {"ComparisonOperator": "NULL"}}),
        ("ScanFilter", {"a": {"ComparisonOperator": "NULL"}}),
    ]
    write = [
        ("Expected", {"a": {"Exists": False}}),
        ("ConditionalOperator", "AND"),
        ("AttributeUpdates", {"a": {"Action": "DELETE"}}),
        ("AttributesToGet", ["a"]),
    ]
    name, value = pick(draw, write if "Item" in body or "Key" in body else read)
    body[name] = value


def _type(draw: Draw, table: TableWorld, body: Body) -> None:
    name = pick(draw, sorted(body))
    body[name] = pick(draw, (1, True, "text", [], {}, None, 1.5, ["a"], {"a": 1}))


_WRITES: tuple[Mistake, ...] = (
    _value,
    _value,
    _key_type,
    _key_missing,
    _key_extra,
    _key_empty,
    _key_long,
    _too_large,
    _index_key,
    _update_key,
    _unused,
    _unused,
    _undefined,
    _expression,
    _expression,
    _enum,
    _table,
    _mixed,
    _type,
)
_READS: tuple[Mistake, ...] = (
    _value,
    _unused,
    _undefined,
    _expression,
    _expression,
    _enum,
    _table,
    _page,
    _page,
    _index_read,
    _index_read,
    _filter_on_key,
    _mixed,
    _type,
)
_SCANS: tuple[Mistake, ...] = (*_READS, _segment, _segment)
_UPDATES: tuple[Mistake, ...] = (*_WRITES, _update_key, _update_key)


def spoil(draw: Draw, operation: str, table: TableWorld, body: Body) -> Body:
    """The request with one mistake in it."""
    spoilt = {name: dict(value) if isinstance(value, dict) else value for name, value in body.items()}
    pool = {"Query": _READS, "Scan": _SCANS, "UpdateItem": _UPDATES, "Update": _UPDATES}.get(operation, _WRITES)
    if chance(draw, 10):
        # Two mistakes show which of them is told first.
        pick(draw, [mistake for mistake in pool if mistake is not _type])(draw, table, spoilt)
    pick(draw, pool)(draw, table, spoilt)
    return spoilt


def spoil_action(draw: Draw, tables: list[TableWorld], action: Body) -> Body:
    """One action of a transaction with a mistake in it."""
    ((kind, part),) = action.items()
    table = next((each for each in tables if each.reference == part.get("TableName")), tables[0])
    return {kind: spoil(draw, kind, table, part)}


def spoil_batch(draw: Draw, table: TableWorld, body: Body) -> Body:
    """A batch with one mistake in what it asks of a table."""
    asked = dict(body["RequestItems"])
    held: Any = asked[table.reference]
    writing = not isinstance(held, dict)
    listed = list(held) if writing else list(held["Keys"])
    choice = pick(draw, ("twice", "many", "none", "missing", "element", "element", "large", "options"))
    if choice == "twice" and listed:
        listed.append(pick(draw, listed))
    elif choice == "many":
        listed = _many(table, writing=writing)
    elif choice == "none":
        listed = []
    elif choice == "element" and listed:
        listed[-1] = _spoilt_element(draw, table, listed[-1])
    elif choice == "large" and writing and chance(draw, 50):
        listed[-1:] = [{"PutRequest": {"Item": {**_key_of(table), table.attributes[0]: {"S": "x" * MAX_ITEM_BYTES}}}}]
    elif choice == "options" and not writing:
        return {**body, "RequestItems": {**asked, table.reference: spoil(draw, "BatchGetItem", table, held)}}
    asked[table.reference] = listed if writing else {**held, "Keys": listed}
    if choice == "missing":
        asked[f"{table.reference}-absent"] = asked.pop(table.reference)
    return {**body, "RequestItems": asked}


def _key_of(table: TableWorld) -> Body:
    return {name: {"N": "1"} if kind == "N" else {kind: "AQ=="} for name, kind in table.keys}


def _many(table: TableWorld, *, writing: bool) -> list[Body]:
    """More elements than a batch may have: 26 writes or 101 keys."""
    keys = [
        {
            name: {"N": str(i)} if kind == "N" else {kind: f"AA{i:02}" if kind == "B" else f"k{i}"}
            for name, kind in table.keys
        }
        for i in range(26 if writing else 101)
    ]
    return [{"PutRequest": {"Item": key}} for key in keys] if writing else keys


def _spoilt_element(draw: Draw, table: TableWorld, element: Body) -> Body:
    ((kind, part),) = element.items() if set(element) <= {"PutRequest", "DeleteRequest"} else (("", {"Key": element}),)
    spoilt = {name: dict(value) for name, value in part.items()}
    pick(draw, (_value, _key_type, _key_missing, _key_extra, _key_empty, _too_large, _index_key))(draw, table, spoilt)
    spoilt = {name: value for name, value in spoilt.items() if name in ("Item", "Key")}
    return {kind: spoilt} if kind else spoilt["Key"]
