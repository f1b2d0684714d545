"""Checks of vector index definitions (dataplane:VEC-1, beyond:VEC-1, VEC-2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reference.rules import Checks, violation
from reference.tables.definition import Names, projection_of, unique_name
from reference.tables.vector import VectorIndex

MAX_INDEXES = 5
MAX_DIMENSIONS = 4096
SCHEMA_LIMITS = {"HASH": 1, "INLINE_FILTER": 18}
"""How many elements of a kind a search schema has at most."""


def new_indexes(indexes: list[dict[str, Any]], names: Names, *, on_demand: bool) -> Checks[list[VectorIndex]]:
    """The vector indexes of a new table."""
    if not on_demand:
        yield violation("vectors.on-demand-only")
    if not indexes:
        yield violation("vectors.list-empty")
    sizes: dict[str, int] = {}
    found = []
    for index in indexes:
        built = yield from new_index(index, names, sizes)
        if built is not None:
            found.append(built)
    if len(indexes) > MAX_INDEXES:
        yield violation("vectors.index-limit")
    return found


def _search_schema(schema: Sequence[tuple[str, str]]) -> Checks[None]:
    """The attributes that a search may ask for: few enough of each kind, and none twice."""
    kinds = [kind for _, kind in schema]
    for kind, limit in SCHEMA_LIMITS.items():
        if kinds.count(kind) > limit:
            yield violation("vectors.search-schema-limit", count=kinds.count(kind), kind=kind, limit=limit)
            return
    if len({name for name, _ in schema}) < len(schema):
        yield violation("vectors.search-schema-duplicate")


def new_index(index: Mapping[str, Any], names: Names, sizes: dict[str, int]) -> Checks[VectorIndex | None]:
    """One vector index; ``sizes`` are the dimensions of the vector attributes indexed so far."""
    attribute, dimensions = index["VectorAttribute"]["AttributeName"], index["Dimensions"]
    if dimensions > MAX_DIMENSIONS:
        yield violation("vectors.dimensions")
    schema = [(each["AttributeName"], each["SearchSchemaElementType"]) for each in index.get("SearchSchema") or ()]
    if any(name not in names.types for name, _ in schema):
        yield violation("vectors.search-attribute-undefined")
    yield from _search_schema(schema)
    if attribute in names.types:
        yield violation("vectors.attribute-defined", attribute=attribute)
    if sizes.setdefault(attribute, dimensions) != dimensions:
        yield violation("vectors.conflicting-dimensions", attribute=attribute)
    names.use(name for name, _ in schema)
    projection = yield from projection_of(index["Projection"], names)
    yield from unique_name(index["IndexName"], names)
    if projection is None:
        return None
    return VectorIndex(
        index["IndexName"],
        attribute,
        dimensions,
        index["DistanceFunction"],
        projection,
        tuple(schema),
        status="CREATING",
    )
