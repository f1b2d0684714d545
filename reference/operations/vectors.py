"""SearchVectors: the items whose vectors are nearest, found by looking at all of them (dataplane:VEC-3, VEC-4)."""

from __future__ import annotations

from heapq import nsmallest
from typing import Any

from reference.api import AttributeValue, Item
from reference.expressions import request
from reference.expressions.projection import project
from reference.expressions.tree import And, Compare, Condition, Kind, Literal, Path, Projection
from reference.operations.base import Context, Operation, Outcome
from reference.operations.shared import table_of
from reference.rules import Checks, Violation, violation
from reference.tables.table import Table
from reference.tables.vector import VectorIndex
from reference.values.value import normalise, type_of
from reference.vectors import distance, embedding, entries
from reference.vectors.embedding import Vector

MOST_RESULTS = 100
_KINDS: tuple[Kind, ...] = ("SearchCondition", "Projection")


def search_vectors(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """SearchVectors: what the request says by itself, then table and index, then the search."""
    top = body.get("TopK")
    if top is not None and top > MOST_RESULTS:
        yield violation("vectors.top-k", value=top)
    expressions = yield from request.read(context.operation, body, _KINDS, context.layer)
    wanted = None
    if expressions is not None:
        wanted = yield from _equalities(expressions.search_condition)
    query = yield from _search_vector(context, body)
    table = yield from table_of(context, body.get("TableName"))
    if table is None:
        return None
    index = yield from _index(table, body.get("IndexName"))
    if index is None:
        return None
    dimensions = len(body.get("SearchVector") or ())
    if dimensions and dimensions != index.dimensions:
        yield violation("vectors.search-dimensions", given=dimensions, expected=index.dimensions)
        query = None
    if wanted is None:
        return None
    sound = yield from _scope(table, index, wanted, given=body.get("SearchConditionExpression") is not None)
    if not sound or query is None or top is None or top < 1:
        return None
    projection = None if expressions is None else expressions.projection
    return _found(table, index, query, wanted, projection, body)


def _search_vector(context: Context, body: dict[str, Any]) -> Checks[Vector | None]:
    """The search vector as 32-bit floats; its elements are judged before how many there are (VEC-3)."""
    given = body.get("SearchVector")
    if not given:
        return None
    found: list[Violation] = []
    query = embedding.elements([normalise(each, context.layer, found) for each in given])
    if query is None:
        yield violation("vectors.search-vector")
    return query


def _equalities(tree: Condition | None) -> Checks[dict[str, AttributeValue] | None]:
    """What a search fixes attributes to: equalities of top-level attributes, joined by AND (beyond:VEC-5)."""
    if tree is None:
        return {}
    found: dict[str, AttributeValue] = {}
    sound = True
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, And):
            stack.extend(reversed(node.conditions))
            continue
        pair = _equality(node)
        if isinstance(pair, Violation):
            fault = pair
        elif pair[0] in found:
            fault = violation("vectors.condition-twice")
        else:
            found[pair[0]] = pair[1]
            continue
        sound = False
        yield fault
    return found if sound else None


def _equality(node: Condition) -> tuple[str, AttributeValue] | Violation:
    if not isinstance(node, Compare) or node.operator != "=":
        return violation("vectors.condition-comparator")
    path, value = node.left, node.right
    if isinstance(path, Literal):
        path, value = value, path
    if not isinstance(path, Path) or not isinstance(value, Literal):
        return violation("vectors.condition-comparator")
    if len(path.steps) > 1:
        return violation("vectors.condition-nested")
    return str(path.steps[0]), value.value


def _index(table: Table, name: str | None) -> Checks[VectorIndex | None]:
    """The named index, if it serves searches (dataplane:VEC-3, beyond:VEC-5)."""
    if name is None:
        return None
    index = table.settings.vectors.get(name)
    if index is not None and index.status == "CREATING" and index.backfilling is not None:
        yield violation("vectors.backfilling", index=name)
    elif index is None or index.status != "ACTIVE":
        yield violation("vectors.unknown", index=name)
        return None
    return index


def _scope(table: Table, index: VectorIndex, wanted: dict[str, AttributeValue], *, given: bool) -> Checks[bool]:
    """Whether the index can be searched under these equalities (dataplane:VEC-3)."""
    schema = dict(index.search_schema)
    sound = True
    for name in wanted:
        if name not in schema:
            sound = False
            yield violation("vectors.condition-attribute", attribute=name)
    partition = index.hash
    if partition is not None and not given:
        sound = False
        yield violation("vectors.condition-required")
    elif partition is not None and partition not in wanted:
        sound = False
        yield violation("vectors.condition-without-hash")
    for name, value in wanted.items():
        expected = table.settings.attribute_types.get(name)
        if name not in schema or expected is None:
            continue
        if expected not in value:
            sound = False
            rule = "vectors.condition-type" if name == partition else "vectors.filter-type"
            yield violation(rule, attribute=name, actual=type_of(value), expected=expected)
        elif name == partition and not value[expected]:
            sound = False
            yield violation("keys.empty-string" if expected == "S" else "keys.empty-binary", key=name)
    return sound


def _found(
    table: Table,
    index: VectorIndex,
    query: Vector,
    wanted: dict[str, AttributeValue],
    projection: Projection | None,
    body: dict[str, Any],
) -> Outcome:
    """The nearest entries, and what it took to look at all of them."""
    candidates = [
        (distance.score(index.distance, query, vector), item, vector)
        for item, vector in entries.members(table, index)
        if all(item.get(name) == value for name, value in wanted.items())
    ]
    # nsmallest keeps the order of equals, so that ties come in the table's order.
    nearest = nsmallest(body["TopK"], candidates, key=lambda each: distance.closeness(index.distance, each[0]))
    results = [
        {"Item": _shown(table, index, item, vector, projection), "Score": score} for score, item, vector in nearest
    ]
    reply: dict[str, Any] = {"SearchResults": results}
    rules: tuple[str, ...] = ("vectors.scores", "vectors.results", "vectors.float-copy")
    if body.get("ReturnConsumedCapacity") in ("TOTAL", "INDEXES"):
        read = sum(entries.entry_bytes(table, index, item) for _, item, _ in candidates)
        reply["ConsumedCapacity"] = {"VectorSearchRequestBytes": float(max(entries.LEAST_BYTES, read))}
        rules += ("vectors.search-capacity",)
    return Outcome(reply, rules=rules, details={"scores": [score for score, _, _ in candidates]})


def _shown(table: Table, index: VectorIndex, item: Item, vector: Vector, projection: Projection | None) -> Item:
    """What a result shows of an item: what the index stores; the vector only when it is asked for (VEC-4)."""
    entry = entries.projected(table, index, item)
    if projection is None:
        return entry
    if entries.carries_vector(index):
        entry[index.attribute] = embedding.as_value(vector)
    return project(projection.paths, entry)


OPERATIONS: dict[str, Operation] = {"SearchVectors": search_vectors}
