"""What a table, an index and an account may have of throughput (beyond:CAP-8, CAP-10, CAP-11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reference.rules import Checks, Violation, violation
from reference.tables.create import NAME_MEMBERS
from reference.tables.limits import Limits

UNIT_MEMBERS = ("ReadCapacityUnits", "WriteCapacityUnits")


def table_quota(units: Mapping[str, Any], limits: Limits, region: str, index: str = "") -> Checks[None]:
    """Units of one table or index stay within the account's maximum for each."""
    most = limits.table_units
    rule = "account.index-units" if index else "account.table-units"
    for member in UNIT_MEMBERS:
        if units[member] > most:
            yield violation(rule, member=member, units=units[member], region=region, limit=most, index=index)


def account_quota(member: str, held: int, asked: int, limits: Limits, region: str) -> Violation:
    """All units of an account together would be too many."""
    most = limits.account_units
    return violation("account.units", member=member, region=region, held=held, limit=most, units=asked)


def limit_quota(asked: Mapping[str, Any], limits: Limits, region: str, of: str = "table") -> Checks[None]:
    """Maximum request units stay below the account's maximum for a table (beyond:CAP-10)."""
    for member, quota in (("MaxReadRequestUnits", "Read"), ("MaxWriteRequestUnits", "Write")):
        if (asked.get(member) or 0) > limits.table_units:
            yield violation("account.on-demand-limit", member=member, quota=quota, region=region, of=of)


def warm_quota(asked: Mapping[str, Any], limits: Limits, region: str, of: str = "table") -> Checks[None]:
    """Warm throughput stays below the account's maximum for a table (beyond:CAP-11)."""
    for member, quota in zip(NAME_MEMBERS, ("Read", "Write"), strict=True):
        if (asked.get(member) or 0) > limits.table_units:
            yield violation("account.warm-limit", member=member, quota=quota, region=region, of=of)
