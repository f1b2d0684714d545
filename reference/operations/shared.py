"""What the data operations share: finding the table, reading items and keys of a request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reference.api import Item, Json
from reference.expressions.against_schema import nested_in_key
from reference.expressions.tree import Tree
from reference.operations.base import Context
from reference.rules import Checks, Violation, violation
from reference.tables.table import Change, Table
from reference.values.item import MAX_ITEM_BYTES, normalise_item


def table_of(context: Context, name: Json) -> Checks[Table | None]:
    """The table that a request names or whose ARN it gives, if it serves items (dataplane:ORD-8, WIRE-18)."""
    if type(name) is not str:
        return None
    table = context.account.table(name)
    if table is None:
        yield violation("items.table-missing")
    return table


def item_of(context: Context, body: dict[str, Any], member: str) -> Checks[Item | None]:
    """An ``Item``, ``Key`` or ``ExclusiveStartKey`` in normal form; None when it is missing or can't be used."""
    given = body.get(member)
    if given is None:
        return None
    found: list[Violation] = []
    item = normalise_item(given, context.layer, found)
    yield from found
    return None if found else item


_TOLD_AS_START_KEY = frozenset(
    {
        "values.empty-value",
        "values.many-types",
        "values.null-false",
        "values.empty-string-set",
        "values.empty-number-set",
        "values.empty-binary-set",
    }
)


def start_key_of(context: Context, body: dict[str, Any]) -> Checks[Item | None]:
    """The ExclusiveStartKey in normal form; some of its faults are told as such (conflicts:8)."""
    found: list[Violation] = []
    given = body.get("ExclusiveStartKey")
    item = None if given is None else normalise_item(given, context.layer, found)
    for fault in found:
        if fault.rule.name in _TOLD_AS_START_KEY:
            yield violation("queries.start-key-value", fault=fault.message(context.surface))
        else:
            yield fault
    return None if found else item


def count_of(given: Json) -> int | None:
    """A positive whole number of the request, or None."""
    return given if type(given) is int and given > 0 else None


_DEEP = (".", "[")
_TEXTS = ("UpdateExpression", "ConditionExpression", "FilterExpression", "ProjectionExpression")


def goes_deep(body: dict[str, Any]) -> bool:
    """Whether an expression of the request may hold a path of more than one step, judged by its text alone."""
    # Members that the operation doesn't know may stand in the body and be anything.
    return any(sign in text for name in _TEXTS if type(text := body.get(name)) is str for sign in _DEEP)


def without_values(body: dict[str, Any]) -> dict[str, Any]:
    """The members of a read of single items, which knows no ExpressionAttributeValues and ignores them."""
    if "ExpressionAttributeValues" not in body:
        return body
    return {name: member for name, member in body.items() if name != "ExpressionAttributeValues"}


def key_path_faults(table: Table, *trees: Tree | None) -> Iterator[Violation]:
    """Paths that go into attributes which key the table or one of its indexes (dataplane:KEY-10)."""
    indexed = [each.attribute.name for each in table.index_attributes()]
    for tree in trees:
        if tree is not None:
            yield from nested_in_key(tree, table.key.names, indexed)


def local_entries_fault(table: Table, change: Change) -> Violation | None:
    """Whether an item and its entries in local secondary indexes are too large together (dataplane:SIZE-9)."""
    if change.new is None or not change.moves or change.new.size * (1 + len(change.moves)) <= MAX_ITEM_BYTES:
        return None
    total = change.new.size
    for move in change.moves:
        if move.new is not None and table.indexes[move.index].schema.kind == "LSI":
            total += move.new.record.size
    if change.new.size > MAX_ITEM_BYTES or total <= MAX_ITEM_BYTES:
        return None
    return violation("items.local-entries-too-large")
