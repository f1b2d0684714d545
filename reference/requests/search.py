"""SearchVectors reads its body with a deserialiser of its own, which speaks of columns (dataplane:SER-10)."""

from __future__ import annotations

import json
from collections.abc import Iterator

from reference.api import Json
from reference.rules import Violation, violation

_WANTED = {
    "TableName": "a string",
    "IndexName": "a string",
    "SearchVector": "a sequence",
    "TopK": "i32",
    "ReturnConsumedCapacity": "a string",
    "ExpressionAttributeNames": "a map",
    "ExpressionAttributeValues": "a map",
    "ProjectionExpression": "a string",
    "SearchConditionExpression": "a string",
}
REQUIRED = ("TableName", "IndexName", "SearchVector", "TopK")
"""In the order in which a missing one is named."""


def unreadable(body: dict[str, Json]) -> Iterator[Violation]:
    """Members of the wrong JSON type, in document order, and required ones that are missing.

    The column is that of the body without blanks: it depends on a layout that is not known here.
    """
    column = 1
    for name, value in body.items():
        length = _length(value)
        column += _length(name) + 1 + length
        wanted = _WANTED.get(name)
        if wanted is not None and not (value is None and name not in REQUIRED) and not _fits(value, wanted):
            yield violation("wire.search-type", found=_found(value), wanted=wanted, column=column)
        column += 1
    for name in REQUIRED:
        if name not in body:
            yield violation("wire.search-missing-field", field=name, column=max(column, 2))


def _length(value: Json) -> int:
    """Characters of a value as JSON without blanks; nesting too deep to print counts as nothing."""
    try:
        return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    except (RecursionError, ValueError):
        return 0


def _fits(value: Json, wanted: str) -> bool:
    if wanted == "i32":
        # What is answered to a whole number beyond 32 bits is not known; the range of TopK refuses it.
        return isinstance(value, int) and not isinstance(value, bool)
    types: dict[str, type] = {"a string": str, "a sequence": list, "a map": dict}
    return isinstance(value, types[wanted])


def _found(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean `{str(value).lower()}`"
    if isinstance(value, int):
        return f"integer `{value}`"
    if isinstance(value, float):
        return f"floating point `{value}`"
    if isinstance(value, str):
        return f"string {json.dumps(value, ensure_ascii=False)}"
    return "sequence" if isinstance(value, list) else "map"
