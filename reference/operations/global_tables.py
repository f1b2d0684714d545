"""The operations on global tables of 2017, which AWS has closed (beyond:GT-9).

No account has a global table of that version, so nothing here finds one.
"""

from __future__ import annotations

from typing import Any

from reference.operations.base import Context, Operation, Outcome
from reference.regions import possible
from reference.rules import Checks, Violation, violation

ONCE = (
    "eu-west-2", "eu-west-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-2", "eu-central-1", "ap-northeast-1",
    "us-east-1", "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip
"""The regions that once had global tables of 2017, in the order in which the service names them."""


def create_global_table(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """CreateGlobalTable: the version is closed."""
    yield _closed(context)
    return None


def _closed(context: Context) -> Violation:
    """That the version is closed, which regions that never had it tell in words of their own."""
    region = context.account.region
    if region in ONCE:
        return violation("global-tables.version-closed")
    return violation("global-tables.version-elsewhere", region=region, regions=", ".join(ONCE))


def update_global_table(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """UpdateGlobalTable: a new replica meets the closed version first, anything else the missing table."""
    updates = body.get("ReplicaUpdates")
    if updates is not None and (not updates or not all(map(_acts, updates))):
        yield violation("global-tables.no-update")
    elif any(isinstance(each, dict) and each.get("Create") is not None for each in updates or ()):
        yield _closed(context)
    return (yield from known_global_table(context, body))


def _acts(update: Any) -> bool:
    """Whether a change of replicas says what to do."""
    return isinstance(update, dict) and any(update.get(kind) is not None for kind in ("Create", "Delete"))


def known_global_table(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """Whatever is asked of a global table by name: there is none."""
    name = body.get("GlobalTableName")
    if name is not None:
        lead = "Global table not found: " if context.operation == "DescribeGlobalTable" else ""
        yield violation("global-tables.not-found", table=name, lead=lead)
    return None


def list_global_tables(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ListGlobalTables: an empty list; a region that is none breaks the service."""
    region = body.get("RegionName")
    if region is not None and not possible(region):
        yield violation("global-tables.list-region")
    return Outcome({"GlobalTables": []}, rules=("global-tables.list",))


OPERATIONS: dict[str, Operation] = {
    "CreateGlobalTable": create_global_table,
    "DescribeGlobalTable": known_global_table,
    "DescribeGlobalTableSettings": known_global_table,
    "UpdateGlobalTable": update_global_table,
    "UpdateGlobalTableSettings": known_global_table,
    "ListGlobalTables": list_global_tables,
}
