"""Answers of Application Auto Scaling, and what it does to tables of itself (beyond:AS-1 to AS-6).

It is a service beside DynamoDB: what it lists may be of others too, and it has names, moments and words of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from conformance.oracle.compare import Difference, differences
from conformance.oracle.divergence import Divergence
from conformance.oracle.latitude import Latitude
from reference.api import Call, Json
from reference.scaling.targets import seen
from reference.service import Service

PREFIX = "application-autoscaling:"
LISTS = {
    f"{PREFIX}DescribeScalableTargets": "ScalableTargets",
    f"{PREFIX}DescribeScalingPolicies": "ScalingPolicies",
    f"{PREFIX}DescribeScalingActivities": "ScalingActivities",
}
OPERATIONS = frozenset({
    *LISTS, f"{PREFIX}RegisterScalableTarget", f"{PREFIX}DeregisterScalableTarget", f"{PREFIX}PutScalingPolicy",
    f"{PREFIX}DeleteScalingPolicy",
})  # fmt: skip
ADJUSTED = "scaling.adjusted"
FREE = frozenset({
    "CreationTime", "RoleARN", "ScalableTargetARN", "PolicyARN", "AlarmName", "AlarmARN", "ActivityId", "StartTime",
    "EndTime", "Cause", "StatusMessage", "StatusCode", "Description", "Details",
})  # fmt: skip
"""Members whose value is the target's own."""
_UNITS = frozenset({"ProvisionedThroughput", "WarmThroughput", "TableStatus", "IndexStatus"})
_TABLES = frozenset({"DescribeTable", "UpdateTable", "DeleteTable"})

Identity: TypeAlias = tuple[str, ...]


def differs(service: Service, call: Call, expected: Json, body: Json, latitude: Latitude) -> Iterator[Difference]:
    """What in an answer DynamoDB's auto scaling could not have said."""
    got: dict[str, Any] = body if isinstance(body, dict) else {}
    member = LISTS.get(call.operation)
    if member is None:
        yield from (found for found in differences(expected, got) if not _let_pass(found))
    elif call.body.get("MaxResults") is None and call.body.get("NextToken") is None:
        yield from _listed(service, member, expected[member], got, latitude)


def _listed(
    service: Service, member: str, expected: list[dict[str, Any]], got: dict[str, Any], latitude: Latitude
) -> Iterator[Difference]:
    """The differences of a list that comes in no particular order and may name what is not this session's."""
    listed = got.get(member)
    if not isinstance(listed, list):
        yield Difference((member,), "missing", expected, listed)
        return
    own = {entry["ResourceId"] for entry in expected} | {f"table/{name}" for name in service.account.tables}
    shown = [entry for entry in listed if isinstance(entry, dict) and _of(entry) in own]
    if member == "ScalingActivities":
        yield from _activities(service, expected, shown, latitude)
        return
    want = {_identity(entry): entry for entry in expected}
    seen_so_far: set[Identity] = set()
    for entry in shown:
        due = want.get(_identity(entry))
        if due is None or _identity(entry) in seen_so_far:
            yield Difference((member,), "unexpected" if due is None else "twice", None, entry)
        else:
            yield from (d for d in differences(due, entry, (member, "*")) if not _let_pass(d))
        seen_so_far.add(_identity(entry))
    if got.get("NextToken") is None:
        yield from (
            Difference((member, "*"), "missing", entry, None) for at, entry in want.items() if at not in seen_so_far
        )


def _of(entry: dict[str, Any]) -> str:
    """The resource that an entry is about, for one of an index its table where nothing is registered of that."""
    return str(entry.get("ResourceId"))


def _identity(entry: dict[str, Any]) -> Identity:
    return tuple(str(entry.get(name, "")) for name in ("ResourceId", "ScalableDimension", "PolicyName"))


def _activities(
    service: Service, expected: list[dict[str, Any]], shown: list[dict[str, Any]], latitude: Latitude
) -> Iterator[Difference]:
    """What was done of itself: only to what was ever registered, and all that bounds have forced."""
    known = {slot[0] for slot in seen(service.account).targets} | {entry["ResourceId"] for entry in expected}
    strange = next((entry for entry in shown if _of(entry) not in known), None)
    if strange is not None:
        yield Difference(("ScalingActivities",), "unexpected", None, strange)
    forced = {_identity(entry) for entry in expected}
    if latitude.state_lag == 0 and not forced <= {_identity(entry) for entry in shown}:
        yield Difference(("ScalingActivities",), "fewer", expected, shown)


def _let_pass(found: Difference) -> bool:
    last, kind = found.path[-1] if found.path else "", found.kind
    if kind == "extra":
        return True
    if kind in ("value", "type") and last in FREE:
        return type(found.expected) is type(found.observed) or not isinstance(found.expected, str)
    if kind == "missing" and last == "SuspendedState":
        return not any(found.expected.values())
    if kind == "missing" and last == "ScalableTargetARN":
        return True  # It came to these answers in 2023.
    return kind == "missing" and (last in FREE - {"PolicyARN"} or found.expected in (0, False))


# What it does to tables


def scales(service: Service, call: Call) -> bool:
    """Whether a call tells of a table of which something is registered."""
    name = call.body.get("TableName") if isinstance(call.body, dict) else None
    if call.operation not in _TABLES or not isinstance(name, str):
        return False
    table = service.account.any_table(name)
    scaling = seen(service.account)
    slots = [*scaling.targets, *(each.slot for each in scaling.activities)]
    return table is not None and any(slot[0].split("/")[1] == table.name for slot in slots)


def settled(
    service: Service, call: Call, found: tuple[Difference, ...], latitude: Latitude
) -> tuple[Difference, ...]:  # fmt: skip
    """The differences without those in units that may still be on their way into new bounds."""
    if not found or latitude.state_lag <= 0 or not scales(service, call):
        return found
    return tuple(each for each in found if not _UNITS.intersection(each.path))


def blamed(service: Service, call: Call, found: Divergence) -> Divergence:
    """The divergence, which is scaling's where it is about units that were to move into their bounds."""
    if "ProvisionedThroughput" not in found.path or not scales(service, call):
        return found
    moved = seen(service.account).activities
    return replace(found, rule=ADJUSTED) if moved and found.rule.startswith("tables.") else found
