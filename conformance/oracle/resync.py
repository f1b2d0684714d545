"""After a divergence: take over the target's state, so that one wrong answer does not hide the next."""

from __future__ import annotations

from collections.abc import Callable

from conformance.oracle.judge import Oracle
from conformance.oracle.sightings import sightings
from reference.account import Account
from reference.api import Call, Item, Reply, Success
from reference.tables.table import Table
from reference.values.item import normalise_item

MAX_PAGES = 50


def _spoil(account: Account, table: Table) -> None:
    """The table's history is not the target's: what its streams show can't be judged any more."""
    if table.settings.streams:
        sightings(account).spoilt |= {f"{table.arn}/stream/{span.label}" for span in table.settings.streams}


def adopt_table(oracle: Oracle, table: str, send: Callable[[Call], Reply]) -> int | None:
    """Install every item the target shows in a table, and remove what it does not show; how many that were.

    None when the table could not be read or holds what no item can be: there is nothing to go on with.
    """
    if not any(table in world.service.account.tables for world in oracle.worlds):
        return 0
    changed = 0
    items: list[Item] = []
    body = {"TableName": table, "ConsistentRead": True}
    for _ in range(MAX_PAGES):
        reply = send(Call("Scan", body))
        if not isinstance(reply, Success) or not isinstance(reply.body, dict):
            return None
        items += reply.body.get("Items") or []
        if not reply.body.get("LastEvaluatedKey"):
            break
        body = {**body, "ExclusiveStartKey": reply.body["LastEvaluatedKey"]}
    for world in oracle.worlds:
        held = world.service.account.tables.get(table)
        if held is None:
            return None
        names = held.key.names
        shown = {}
        for item in items:
            normal = normalise_item(item, "current", [])
            row = held.view.row_key(normal) if normal else None
            if normal is None or row is None:
                return None
            shown[row] = normal
        for row, record in list(held.view.rows.items()):
            if row not in shown:
                held.install({name: record.item[name] for name in names}, None)
                changed += 1
                _spoil(world.service.account, held)
        for row, item in shown.items():
            oracle.writers.settled(table, row)
            mine = held.view.rows.get(row)
            if mine is None or mine.item != item:
                held.install({name: item[name] for name in names}, item)
                changed += 1
                _spoil(world.service.account, held)
    oracle.worlds = oracle.worlds[:1]
    return changed
