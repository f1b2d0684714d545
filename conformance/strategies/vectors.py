"""Vector indexes, items with vectors that fit or do not, and searches, over a world of few directions."""

from __future__ import annotations

from typing import Any

from conformance.strategies import requests
from conformance.strategies.draws import Draw, chance, number, pick
from conformance.strategies.schemas import Features, TableWorld

Body = dict[str, Any]
ATTRIBUTE = "v"
TENANT = "tenant"
KIND = "kind"
_NUMBERS = ("0", "1", "-1", "0.5", "2", "0.1", "-0.25", "3", "1e-3", "100")
FUNCTIONS = ("COSINE", "EUCLIDEAN", "DOT_PRODUCT")


def index(draw: Draw, name: str) -> Body:
    """A vector index of two or three dimensions, in partitions and with a filter at times."""
    projection: Body = {"ProjectionType": pick(draw, ("ALL", "ALL", "KEYS_ONLY", "INCLUDE"))}
    if projection["ProjectionType"] == "INCLUDE":
        projection["NonKeyAttributes"] = ["a"]
    made: Body = {
        "IndexName": name,
        "VectorAttribute": {"AttributeName": ATTRIBUTE},
        "Dimensions": pick(draw, (2, 3)),
        "DistanceFunction": pick(draw, FUNCTIONS),
        "Projection": projection,
    }
    schema = []
    if chance(draw, 35):
        schema.append({"AttributeName": TENANT, "SearchSchemaElementType": "HASH"})
    if chance(draw, 35):
        schema.append({"AttributeName": KIND, "SearchSchemaElementType": "INLINE_FILTER"})
    return {**made, "SearchSchema": schema} if schema else made


def definitions(body: Body, indexes: list[Body]) -> list[Body]:
    """The table's attribute definitions with those that its indexes search by."""
    held = [dict(each) for each in body["AttributeDefinitions"]]
    names = {each["AttributeName"] for each in held}
    wanted = sorted({e["AttributeName"] for i in indexes for e in i.get("SearchSchema", ())} - names)
    return [*held, *({"AttributeName": name, "AttributeType": "S"} for name in wanted)]


def vector(draw: Draw, dimensions: int) -> list[Body]:
    """The elements of a vector; few numbers, so that many lie equally near."""
    return [{"N": pick(draw, _NUMBERS[:4] if chance(draw, 60) else _NUMBERS)} for _ in range(dimensions)]


def value(draw: Draw, dimensions: int) -> Body:
    """What stands in an item's vector attribute: mostly a vector that fits."""
    kind = number(draw, 0, 99)
    if kind < 88:
        return {"L": vector(draw, dimensions)}
    if kind < 92:
        return {"L": vector(draw, dimensions + 1)}
    return pick(draw, ({"S": "a"}, {"L": []}, {"L": [{"S": "1"}, {"N": "1"}]}, {"NS": ["1", "2"]}, {"NULL": True}))


def item(draw: Draw, world: TableWorld, features: Features, known: list[Body], dimensions: int) -> Body:
    """An item, mostly with a vector."""
    made = requests.item(draw, world, features, known)
    if chance(draw, 88):
        made[ATTRIBUTE] = value(draw, dimensions)
    if chance(draw, 75):
        made[TENANT] = {"S": pick(draw, ("x", "y"))}
    if chance(draw, 60):
        made[KIND] = {"S": pick(draw, ("k", "l"))}
    return made


def search(draw: Draw, world: TableWorld, index: Body, known: list[Body]) -> Body:
    """A SearchVectors request, now and then with something wrong."""
    dimensions = index["Dimensions"]
    held = [i[ATTRIBUTE]["L"] for i in known if len(i.get(ATTRIBUTE, {}).get("L", ())) == dimensions]
    query = pick(draw, held) if held and chance(draw, 40) else vector(draw, dimensions)
    body: Body = {
        "TableName": world.reference, "IndexName": index["IndexName"], "SearchVector": query,
        "TopK": pick(draw, (1, 2, 3, 10, 100)),
    }  # fmt: skip
    schema = {each["SearchSchemaElementType"]: each["AttributeName"] for each in index.get("SearchSchema", ())}
    wanted = []
    if "HASH" in schema and not chance(draw, 5):
        wanted.append((schema["HASH"], pick(draw, ("x", "x", "y", "z"))))
    if "INLINE_FILTER" in schema and chance(draw, 50):
        wanted.append((schema["INLINE_FILTER"], pick(draw, ("k", "l"))))
    if wanted:
        names = {f"#s{place}": name for place, (name, _) in enumerate(wanted)}
        body["SearchConditionExpression"] = " AND ".join(f"#s{p} = :s{p}" for p in range(len(wanted)))
        body["ExpressionAttributeNames"] = names
        body["ExpressionAttributeValues"] = {f":s{place}": {"S": text} for place, (_, text) in enumerate(wanted)}
    if chance(draw, 20):
        body["ProjectionExpression"] = pick(draw, (ATTRIBUTE, "a", f"{world.hash[0]}, {ATTRIBUTE}"))
    if chance(draw, 25):
        body["ReturnConsumedCapacity"] = pick(draw, ("TOTAL", "INDEXES", "NONE"))
    if chance(draw, 8):
        _spoil(draw, body)
    return body


def _spoil(draw: Draw, body: Body) -> None:
    """One thing wrong with a search."""
    kind = pick(draw, ("top", "dimensions", "index", "element", "comparator"))
    if kind == "top":
        body["TopK"] = pick(draw, (0, 101))
    elif kind == "dimensions":
        body["SearchVector"] = body["SearchVector"][:-1]
    elif kind == "index":
        body["IndexName"] = "absent"
    elif kind == "element":
        body["SearchVector"] = [*body["SearchVector"][:-1], {"S": "1"}]
    elif "SearchConditionExpression" in body:
        body["SearchConditionExpression"] = body["SearchConditionExpression"].replace("=", "<", 1)
