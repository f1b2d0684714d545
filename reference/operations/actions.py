"""Single writes as parts of something larger: the actions of a transaction and the write statements of PartiQL.

An action is worked out in three steps, so that its callers can put their own checks in between: what its values are
refused for by themselves (``value_faults``), what the table's schema refuses (``schema_faults``), and what the stored
item makes of it (``run``). Texts are those of single-item writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from reference.api import Item
from reference.expressions import update as updates
from reference.expressions.against_schema import update_of_key
from reference.expressions.condition import evaluate
from reference.expressions.tree import Condition, Update
from reference.expressions.update import UpdateResult
from reference.operations.item_updates import index_literal_faults, result_faults
from reference.operations.items import limit_faults
from reference.operations.shared import key_path_faults
from reference.rules import Checks, Violation, violation
from reference.tables.keys import index_key_faults, item_key_faults, key_of, lookup_key_faults
from reference.tables.table import Change, Table
from reference.tables.view import Record, RowKey

Kind = Literal["put", "update", "delete", "check"]
Presence = Literal["any", "present", "absent", "condition"]
"""What an action asks of the stored item: nothing; that there is one; that there is none; or only, as a PartiQL DELETE
does, that its condition holds if there is one (dataplane:PQL-15, PQL-16)."""

EMPTY_KEYS = frozenset(
    {
        "keys.empty-string",
        "keys.empty-binary",
        "indexes.empty-string",
        "indexes.empty-binary",
        "indexes.update-empty-string",
        "indexes.update-empty-binary",
    }
)
"""Faults of keys that a value shows by itself: a transaction is refused for them as a whole (KEY-5, KEY-7)."""


@dataclass(frozen=True, slots=True)
class Action:
    """One write, bound to its table.

    ``table_name`` is the name or ARN that the request uses. ``key`` is the item's primary key as given, in normal form,
    and for a put the whole item. ``return_old`` tells that a failed condition shows the stored item.
    """

    kind: Kind
    table: Table
    table_name: str
    key: Item
    update: Update | None = None
    condition: Condition | None = None
    presence: Presence = "any"
    return_old: bool = False

    @property
    def row(self) -> RowKey | None:
        """Where the item stands; None when its key doesn't fit the table."""
        return self.table.view.row_key(self.key)


@dataclass(frozen=True, slots=True)
class Done:
    """What an action comes to: its change, None for a check, the record there was, and how an update went."""

    change: Change | None
    stored: Record | None
    result: UpdateResult | None = None


def value_faults(action: Action) -> Iterator[Violation]:
    """Empty values of keys, which are refused wherever they stand (dataplane:KEY-5, KEY-7)."""
    return (fault for fault in _key_faults(action) if fault.rule.name in EMPTY_KEYS)


def schema_faults(action: Action) -> Iterator[Violation]:
    """What the schema refuses before the item is looked at (dataplane:KEY-3, KEY-4, KEY-6, KEY-8, KEY-10)."""
    yield from (fault for fault in _key_faults(action) if fault.rule.name not in EMPTY_KEYS)
    yield from key_path_faults(action.table, action.update, action.condition)


def _key_faults(action: Action) -> Iterator[Violation]:
    table = action.table
    if action.kind == "put":
        yield from item_key_faults(table.key, action.key)
        yield from index_key_faults(table, action.key)
        return
    yield from lookup_key_faults(table.key, action.key)
    if action.update is not None:
        yield from update_of_key(action.update, table.key.names)
        yield from index_literal_faults(table, action.update)


def run(action: Action) -> Checks[Done | None]:
    """What the stored item makes of an action that its schema allows; changes nothing.

    Condition first, then the update, then what it leads to (dataplane:ORD-1).
    """
    table, row = action.table, action.row
    if row is None:
        return None
    stored = table.at(row)
    refused = _refused(action, stored)
    if refused is not None:
        yield refused
        return None
    if action.kind == "check":
        return Done(None, stored)
    record: Record | None = None
    result: UpdateResult | None = None
    faults: list[Violation] = []
    if action.kind == "put":
        record = Record.of(action.key)
    elif action.update is not None:
        result = yield from updates.apply(action.update, stored.item if stored else None, key_of(table.key, action.key))
        if result is None:
            return None
        record = None if result.new is None else Record.of(result.new)
        faults += result_faults(table, action.update, result, record)
    change = table.plan(action.key, record)
    faults += limit_faults(table, change)
    yield from faults
    return None if faults else Done(change, stored, result)


def _refused(action: Action, stored: Record | None) -> Violation | None:
    if action.presence == "absent":
        return violation("partiql.duplicate-item") if stored is not None else None
    if action.presence == "condition" and stored is None:
        return None
    held = stored is not None or action.presence != "present"
    if held and (action.condition is None or evaluate(action.condition, stored.item if stored else {})):
        return None
    shown = {"Item": stored.item} if stored is not None and action.return_old else {}
    return replace(violation("items.condition-failed"), fields=shown)
