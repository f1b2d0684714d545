"""UpdateTimeToLive and DescribeTimeToLive: the setting only; ``reference.ttl`` deletes (beyond:TTL-1 to TTL-7)."""

from __future__ import annotations

from typing import Any

from reference.account import Account
from reference.operations import replicas
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.tables import known_table
from reference.replicas import members
from reference.rules import Checks, violation


def update_time_to_live(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """UpdateTimeToLive: what it asks for is judged before how soon it comes (beyond:TTL-3)."""
    if not complete("UpdateTimeToLive", body):
        return None
    table = yield from known_table(context, body)
    if table is None:
        return None
    specification = body["TimeToLiveSpecification"]
    enabled, attribute = bool(specification["Enabled"]), specification["AttributeName"]
    settings, now = table.settings, context.now()
    if table.status == "CREATING":
        yield violation("ttl.table-being-created", table=table.name)
    if context.account.world is not None:
        yield from replicas.expiry_checks(context.account, table)
    if settings.ttl_attribute is not None and settings.ttl_attribute != attribute:
        yield violation("ttl.other-attribute", attribute=settings.ttl_attribute)
    elif enabled and settings.ttl_attribute is not None:
        yield violation("ttl.enabled-already")
    elif not enabled and settings.ttl_attribute is None:
        yield violation("ttl.disabled-already")
    if settings.ttl_changed is not None and now < settings.ttl_changed + context.account.limits.ttl_cooldown:
        yield violation("ttl.cooldown")
    name = table.name

    def effect(account: Account) -> None:
        for _, changed in members.everywhere(account, account.tables[name]):
            held = changed.settings
            held.ttl_attribute = attribute if enabled else None
            held.ttl_status = "ENABLED" if enabled else "DISABLED"
            held.ttl_changed = now

    answer = {"TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": attribute}}
    return Outcome(answer, effects=(effect,), rules=("ttl.answer",))


def describe_time_to_live(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeTimeToLive: never enabled looks like disabled (beyond:TTL-2)."""
    table = yield from known_table(context, body)
    if table is None:
        return None
    if table.status in ("CREATING", "DELETING"):
        yield violation("ttl.describe-while-changing", status=table.status)
    told = {"TimeToLiveStatus": table.settings.ttl_status}
    if table.settings.ttl_attribute is not None:
        told["AttributeName"] = table.settings.ttl_attribute
    return Outcome({"TimeToLiveDescription": told}, rules=("ttl.answer",))


OPERATIONS: dict[str, Operation] = {
    "UpdateTimeToLive": update_time_to_live,
    "DescribeTimeToLive": describe_time_to_live,
}
