"""What the model cannot state: further checks of a request's shape, and constraints that depend on other members."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from reference.api import Json
from reference.requests.model import NAME_PATTERN, is_table_arn
from reference.rules import Violation, violation

MAX_BATCH_GETS, MAX_BATCH_WRITES = 100, 25
SHORTEST_NAME = 3
_NAME = re.compile(NAME_PATTERN)
_ON_ITEMS = frozenset({"PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan"})
_ACTIONS = ("Put", "Update", "Delete", "ConditionCheck")
_KINDS = ("PutRequest", "DeleteRequest")
_INDEX_UNITS = re.compile(r"globalSecondaryIndex.*\.provisionedThroughput\.(read|write)CapacityUnits")
_TABLE_CLASSES = ("STANDARD", "STANDARD_INFREQUENT_ACCESS")


def pardoned(operation: str, body: dict[str, Any], broken: list[Violation]) -> list[Violation]:
    """Broken constraints without those that do not hold beside the request's other members."""
    if operation == "CreateTable" and "GlobalTableSourceArn" in body:
        # A replica in another account takes its schema from the source table.
        broken = [part for part in broken if part.params["path"] not in ("keySchema", "attributeDefinitions")]
    if operation == "DisableKinesisStreamingDestination":
        # Whatever is no destination of the table is told to be none, though it be no ARN.
        broken = [part for part in broken if (part.rule.name, part.params["path"]) != ("wire.length-min", "streamArn")]
    if body.get("BillingMode") == "PAY_PER_REQUEST":
        # Indexes of on-demand tables may say 0, as their descriptions do (dataplane:VAL-5).
        broken = [
            part for part in broken if not (part.params["value"] == "'0'" and _INDEX_UNITS.match(part.params["path"]))
        ]
    return broken


def _batch_get(body: dict[str, Any]) -> Iterator[Violation]:
    tables = body.get("RequestItems") or {}
    yield from _short_names(tables)
    keys = sum(len(_list(table.get("Keys"))) for table in tables.values() if isinstance(table, dict))
    if keys > MAX_BATCH_GETS and len(tables) > 1:
        yield violation("wire.batch-get-total")


def _batch_write(body: dict[str, Any]) -> Iterator[Violation]:
    tables = body.get("RequestItems") or {}
    yield from _short_names(tables)
    requests = [request for table in tables.values() for request in _list(table)]
    if len(requests) > MAX_BATCH_WRITES and len(tables) > 1:
        yield violation("wire.batch-write-total")
    for request in requests:
        kinds = [kind for kind in _KINDS if isinstance(request, dict) and request.get(kind) is not None]
        if len(kinds) != 1:
            yield violation("wire.write-request-kind")
            return


def _short_names(tables: dict[str, Json]) -> Iterator[Violation]:
    if any(0 < len(name) < SHORTEST_NAME for name in tables if not is_table_arn(name)):
        yield violation("wire.batch-table-name-short")


def item_table(operation: str, body: dict[str, Any]) -> Iterator[Violation]:
    """What is wrong with a table's name in an operation on items that keeps the constraints."""
    if operation not in _ON_ITEMS:
        return
    name = body.get("TableName")
    if isinstance(name, str) and 0 < len(name) < SHORTEST_NAME and _NAME.fullmatch(name):
        yield violation("wire.item-table-name-short", value=f"'{name}'")


def _transact_write(body: dict[str, Any]) -> Iterator[Violation]:
    for action in _list(body.get("TransactItems")):
        if isinstance(action, dict) and all(action.get(kind) is None for kind in _ACTIONS):
            yield violation("wire.transact-action-empty")
            return


def _table_class(body: dict[str, Any]) -> Iterator[Violation]:
    if body.get("TableClass") not in (None, *_TABLE_CLASSES):
        yield violation("wire.table-class", value=body["TableClass"])


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


EXTRAS: Mapping[str, Callable[[dict[str, Any]], Iterator[Violation]]] = {
    "BatchGetItem": _batch_get,
    "BatchWriteItem": _batch_write,
    "TransactWriteItems": _transact_write,
    "CreateTable": _table_class,
    "UpdateTable": _table_class,
}
"""By operation: checks of a body that has been read."""
