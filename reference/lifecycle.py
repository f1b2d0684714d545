"""States that change by themselves: tables, indexes and settings reach their next state when they are due."""

from __future__ import annotations

from reference.account import Account
from reference.agenda import Event


def settle(account: Account) -> None:
    """Let everything happen that is due by now."""
    now = account.now()
    while (event := account.agenda.next_due(now)) is not None:
        HANDLERS[event.what](account, event)


def _table_active(account: Account, event: Event) -> None:
    table = account.tables.get(event.about[0])
    if table is not None and table.status in ("CREATING", "UPDATING"):
        table.status = "ACTIVE"


def _table_gone(account: Account, event: Event) -> None:
    table = account.tables.get(event.about[0])
    if table is not None and table.status == "DELETING":
        del account.tables[event.about[0]]


HANDLERS = {"table-active": _table_active, "table-gone": _table_gone}
