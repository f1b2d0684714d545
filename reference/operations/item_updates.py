"""What an update may not do: spoil an index key, make an item too large or too deep.

``index_literal_faults`` needs only the table; ``result_faults`` needs the item as it would be.
"""

from __future__ import annotations

from collections.abc import Iterator

from reference.api import AttributeValue
from reference.expressions.tree import Add, Arithmetic, Literal, Set, Update
from reference.expressions.update import UpdateResult
from reference.rules import Violation, violation
from reference.tables.keys import index_type_mismatch, too_long
from reference.tables.table import IndexedAttribute, Table
from reference.tables.view import Record
from reference.values.item import MAX_ITEM_BYTES
from reference.values.value import MAX_NESTING, depth
from reference.vectors import embedding


def index_literal_faults(table: Table, wanted: Update) -> Iterator[Violation]:
    """What the request alone tells of the values of index keys, before anything is read (conflicts:65)."""
    if not table.indexes:
        return
    literals, sums = _literals(wanted), _sums(wanted)
    for indexed in table.index_attributes():
        attribute = indexed.attribute
        value = literals.get(attribute.name)
        if value is not None:
            yield from _key_faults(indexed, value, literal=True)
        elif attribute.name in sums and attribute.type != "N":
            yield index_type_mismatch(indexed.index, attribute, _SUM)


def _literals(wanted: Update) -> dict[str, AttributeValue]:
    """Attribute → the value of the request that the update puts into it as it is."""
    return {
        str(action.target.steps[0]): action.value.value
        for action in wanted.actions
        if isinstance(action, Set | Add) and len(action.target.steps) == 1 and isinstance(action.value, Literal)
    }


_SUM: AttributeValue = {"N": "0"}
"""Stands for the outcome of ``+`` and ``-``: a number, whatever the operands are."""


def _sums(wanted: Update) -> set[str]:
    """The attributes that the update sets to a sum or a difference."""
    return {
        str(action.target.steps[0])
        for action in wanted.actions
        if isinstance(action, Set) and len(action.target.steps) == 1 and isinstance(action.value, Arithmetic)
    }


def result_faults(table: Table, wanted: Update, result: UpdateResult, record: Record | None) -> Iterator[Violation]:
    """What is wrong with the item that an update leaves, as far as the update is to blame (dataplane:KEY-9, UPD-12)."""
    if record is None:
        return
    if record.size > MAX_ITEM_BYTES:
        yield violation("items.update-too-large")
    old, new = result.old or {}, record.item
    changed = {str(path.steps[0]) for path in result.targets}
    if any(name in new and name in changed and depth(new[name]) > MAX_NESTING for name in changed):
        yield violation("items.update-too-deep")
    if table.settings.vectors:
        altered = {name for name in changed if new.get(name) != old.get(name)}
        yield from embedding.faults(table.settings.vectors, table.settings.attribute_types, new, altered)
    if not table.indexes:
        return
    literals = _literals(wanted)
    for indexed in table.index_attributes():
        name = indexed.attribute.name
        value = new.get(name)
        if name in changed and name not in literals and value is not None and value != old.get(name):
            yield from _key_faults(indexed, value, literal=False)


def _key_faults(indexed: IndexedAttribute, value: AttributeValue, *, literal: bool) -> Iterator[Violation]:
    attribute = indexed.attribute
    if attribute.type not in value:
        mismatch = index_type_mismatch(indexed.index, attribute, value)
        yield mismatch if literal else violation("indexes.update-type", **mismatch.params)
    elif not value[attribute.type]:
        yield violation("indexes.update-empty-string" if attribute.type == "S" else "indexes.update-empty-binary")
    elif too_long(attribute, value, hashed=indexed.hashed):
        yield violation("indexes.hash-too-long" if indexed.hashed else "indexes.range-too-long")
