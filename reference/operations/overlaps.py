"""Transactions under way: what is asked meanwhile of the items they write (beyond:CON-11, dataplane:TX-11).

The reference answers one request after the other, so that nothing ever overlaps by itself. Where an account has this
room, a transaction's items stay as they are for some seconds after it: so long it is under way for everybody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from reference.account import Account
from reference.operations.base import Context, Outcome
from reference.operations.transactions import cancelled
from reference.rules import Checks, violation
from reference.tables.view import RowKey
from reference.values.item import normalise_item

ROOM = "transactions-under-way"
Place: TypeAlias = tuple[str, RowKey]
"""An item: its table's id and its row key."""
_ALONE = frozenset({"PutItem", "UpdateItem", "DeleteItem", "ExecuteStatement"})
_TOGETHER = frozenset({"TransactWriteItems", "TransactGetItems"})


@dataclass(slots=True)
class UnderWay:
    """How long a transaction is under way (seconds), and until when each item is (epoch seconds)."""

    seconds: float
    until: dict[Place, float] = field(default_factory=dict)

    def busy(self, place: Place, now: float) -> bool:
        """Whether a transaction is just writing an item."""
        return self.until.get(place, 0.0) > now

    def begin(self, places: list[Place], now: float) -> None:
        """A transaction writes these items; those of earlier ones that are done are forgotten."""
        self.until = {place: until for place, until in self.until.items() if until > now}
        self.until.update(dict.fromkeys(places, now + self.seconds))

    def copy(self) -> UnderWay:
        """An independent state."""
        return UnderWay(self.seconds, dict(self.until))


def overlapping(account: Account, seconds: float) -> None:
    """Let every TransactWriteItems of an account be under way for so many seconds."""
    account.rooms[ROOM] = UnderWay(seconds)


def checks(context: Context, body: dict[str, Any], outcome: Outcome) -> Checks[Outcome | None]:
    """Whether what is sound in itself meets a transaction under way; the outcome, which may begin another."""
    room, now = context.account.rooms[ROOM], context.now()
    assert isinstance(room, UnderWay)
    if context.operation in _ALONE:
        tables = context.account.tables
        if any(room.busy((tables[each.table].id, each.key), now) for each in outcome.changes):
            yield violation("transactions.ongoing")
            return None
        return outcome
    if context.operation not in _TOGETHER or "transactions.replay" in outcome.rules:
        return outcome
    places = list(_places(context.account, body))
    busy = [room.busy(place, now) for place in places]
    if any(busy):
        yield cancelled(context, [violation("transactions.ongoing") if each else None for each in busy])
        return None
    if context.operation == "TransactGetItems":
        return outcome
    return replace(outcome, effects=(*outcome.effects, lambda account: account.rooms[ROOM].begin(places, now)))


def _places(account: Account, body: dict[str, Any]) -> Iterator[Place]:
    """The items of a transaction's actions, in their order; what is only checked is written to as well."""
    for action in body["TransactItems"]:
        part = next(part for part in action.values() if part is not None)
        table = account.table(part["TableName"])
        key = normalise_item(part.get("Item") or part.get("Key") or {}, "current", [])
        row = None if table is None or key is None else table.view.row_key(key)
        assert table is not None, "only what is sound in itself comes here"
        assert row is not None, "only what is sound in itself comes here"
        yield table.id, row
