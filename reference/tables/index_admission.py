"""Which changes of a table wait for an index that is being made or removed (beyond:TBL-2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reference.rules import Checks, violation
from reference.tables.admission import INDEX_CHANGES
from reference.tables.table import Index, Table
from reference.tables.vector import VectorIndex


def conflicts(table: Table, body: Mapping[str, Any], wanted: Collection[str]) -> Checks[None]:
    """What keeps the members ``wanted`` of an UpdateTable request from being changed now.

    A new index is in the way until it is being filled, one that is deleted until it is gone.
    """
    held: dict[str, Index | VectorIndex] = {**table.indexes, **table.settings.vectors}
    gone = [name for name in _named(body) if name in held and held[name].status == "DELETING"]
    for name in gone:
        yield violation("indexes.deleting", table=table.name, index=name)
    deleted = [name for name in held if held[name].status == "DELETING"]
    created = [name for name in held if held[name].status == "CREATING" and held[name].backfilling is False]
    if table.status == "UPDATING" and deleted and not gone:
        yield from _waiting(table, body, wanted, ("deleted", "deletion", ", ".join(deleted)))
    elif table.status == "UPDATING" and created:
        yield from _waiting(table, body, wanted, ("created", "creation", ", ".join(created)))


def _named(body: Mapping[str, Any]) -> list[str]:
    updates = [update for member in INDEX_CHANGES for update in body.get(member) or ()]
    kinds = ("Update", "Create", "Delete")
    return [update[kind]["IndexName"] for update in updates for kind in kinds if update.get(kind) is not None]


def _waiting(
    table: Table, body: Mapping[str, Any], wanted: Collection[str], words: tuple[str, str, str]
) -> Checks[None]:
    done, doing, names = words
    again = body.get("BillingMode") == table.settings.billing_mode == "PAY_PER_REQUEST"
    told = {"what": done, "table": table.name, "indexes": names}
    if "ProvisionedThroughput" in wanted or ("BillingMode" in wanted and done == "deleted" and not again):
        yield violation("indexes.units-wait", **told)
    elif "BillingMode" in wanted and not again:
        yield violation("indexes.waits-perhaps", change="table IOPS", **told)
    if "StreamSpecification" in wanted and done == "created":
        yield violation("indexes.stream-waits", table=table.name, indexes=names)
    elif "StreamSpecification" in wanted:
        yield violation("indexes.waits-perhaps", change="stream status", **told)
    if "OnDemandThroughput" in wanted:
        yield violation("indexes.limits-wait", what=doing, indexes=names)
    if "WarmThroughput" in wanted and done == "created":
        yield violation("indexes.warm-throughput-waits")
    if "TableClass" in wanted:
        yield violation("tables.being-updated", table=table.name)
