"""Which changes of a table wait for another that is under way: the service decides member by member (beyond:TBL-2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from reference.rules import Checks, violation
from reference.tables.settings import TableSettings

UNITS = ("ProvisionedThroughput", "BillingMode")
INDEX_CHANGES = ("GlobalSecondaryIndexUpdates", "VectorIndexUpdates")
PROVISIONING = "provisioning"
"""What keeps a table busy, besides its units, on the way from on-demand to provisioned billing."""
_ONLINE = "an index created or deleted"


def creates_or_deletes(body: Mapping[str, Any]) -> bool:
    """Whether an UpdateTable request creates or deletes an index."""
    each = (update for member in INDEX_CHANGES for update in body.get(member) or ())
    return any(update.get(kind) is not None for update in each for kind in ("Create", "Delete"))


def standing_mode(settings: TableSettings) -> str:
    """The billing mode that holds until a switch is done, which descriptions tell of before."""
    if PROVISIONING in settings.busy:
        return "PAY_PER_REQUEST"
    return "PROVISIONED" if "iops" in settings.busy else settings.billing_mode


def conflicts(name: str, settings: TableSettings, body: Mapping[str, Any], wanted: Collection[str]) -> Checks[None]:
    """What keeps the members ``wanted`` of an UpdateTable request from being changed now in the table ``name``."""
    asked = set(wanted)
    if creates_or_deletes(body):
        asked = asked - set(INDEX_CHANGES) | {_ONLINE}
    if body.get("BillingMode") == "PAY_PER_REQUEST" and (
        PROVISIONING in settings.busy or (settings.on_demand and "iops" not in settings.busy)
    ):
        asked.discard("BillingMode")
    if "stream" in settings.busy:
        yield from _streaming(name, settings, asked)
    if "class" in settings.busy:
        yield from _reclassing(name, settings, asked)
    if "iops" in settings.busy:
        yield from _scaling(name, settings, asked)


def _streaming(name: str, settings: TableSettings, asked: Collection[str]) -> Checks[None]:
    told = {
        "table": name,
        "stream": settings.stream_label,
        "operation": "DISABLE" if settings.stream_view is None else "ENABLE",
    }
    if "StreamSpecification" in asked:
        yield violation("tables.stream-changing", **told)
    if any(each in asked for each in UNITS):
        yield violation("tables.while-streaming", what="change table IOPS", **told)
    if "TableClass" in asked:
        yield violation("tables.while-streaming", what="update table class", **told)
    if _ONLINE in asked:
        yield violation("tables.while-streaming", what="create or delete an index", **told)
    if "OnDemandThroughput" in asked:
        yield violation("tables.limits-while-changing", what="stream status update is in progress")
    if any(each in asked for each in INDEX_CHANGES):
        yield violation("tables.being-updated", table=name)


def _reclassing(name: str, settings: TableSettings, asked: Collection[str]) -> Checks[None]:
    told = {"table": name, "coming": settings.class_coming}
    if "TableClass" in asked:
        yield violation("tables.while-class-changes", what="update table class", **told)
    if "StreamSpecification" in asked:
        yield violation("tables.while-class-changes", what="change stream status", **told)
    if _ONLINE in asked:
        yield violation("tables.while-class-changes", what="create or delete an index", **told)
    if "OnDemandThroughput" in asked:
        what = f"TableClass update is in progress. TableClassUpdateInProgress: {settings.class_coming}"
        yield violation("tables.limits-while-changing", what=what)
    if any(each in asked for each in (*UNITS, *INDEX_CHANGES)):
        yield violation("tables.being-updated", table=name)


def _scaling(name: str, settings: TableSettings, asked: Collection[str]) -> Checks[None]:
    if any(each in asked for each in UNITS):
        yield violation("tables.units-changing", table=name)
    if "StreamSpecification" in asked:
        yield violation("tables.stream-while-units-change", table=name)
    if _ONLINE in asked:
        yield violation("indexes.while-units-change", table=name)
    if "OnDemandThroughput" in asked and PROVISIONING in settings.busy:
        yield violation("tables.limits-while-changing", what="BillingMode update is in progress")
    if any(each in asked for each in (*INDEX_CHANGES, "TableClass")):
        yield violation("tables.being-updated", table=name)
