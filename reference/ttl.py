"""Time to live: which items have expired, and the sweep that deletes them in the service's own name.

Nothing here runs by itself: until a sweep comes by, an expired item is an item like any other (beyond:TTL-13).
"""

from __future__ import annotations

from decimal import Decimal

from reference.account import Account
from reference.api import Item
from reference.capacity.meter import meter_of
from reference.metrics.store import dimensions
from reference.tables.table import Table

IDENTITY = "ttl"
"""Who made a change, in the table's history; its stream record carries ``userIdentity`` (beyond:TTL-16)."""

RULE = "ttl.expiry"
"""The rule that an item breaks which is deleted without having expired."""

OLDEST = 5 * 365 * 86_400
"""Seconds past its expiry after which an item is never deleted (beyond:TTL-11)."""


def expired(item: Item, attribute: str, now: float) -> bool:
    """Whether an item may be deleted at ``now`` (epoch seconds): its top-level number has passed, not too long ago."""
    number = item.get(attribute, {}).get("N")
    if number is None:
        return False
    moment = Decimal(number)
    return now - OLDEST <= moment <= now


def due(table: Table, now: float, lag: float = 0.0) -> list[Item]:
    """Primary keys of the items that expired at least ``lag`` seconds ago."""
    attribute = table.settings.ttl_attribute
    if attribute is None:
        return []
    return [
        {name: item[name] for name in table.key.names} for item in table.items() if expired(item, attribute, now - lag)
    ]


def sweep(account: Account, *, lag: float = 0.0) -> int:
    """Delete every item that expired at least ``lag`` seconds ago; returns how many there were (beyond:TTL-14).

    They are counted where the account counts (metrics.deleted-by-ttl).
    """
    now = account.now()
    deleted = 0
    meter = meter_of(account)
    metrics = None if meter is None else meter.metrics
    for table in account.tables.values():
        for key in due(table, now, lag) if table.status in ("ACTIVE", "UPDATING") else ():
            account.commit(table.plan(key, None), by=IDENTITY)
            deleted += 1
            if metrics is not None:
                metrics.add("TimeToLiveDeletedItemCount", dimensions(TableName=table.name), 1.0, now)
    return deleted
