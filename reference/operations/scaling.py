"""Application Auto Scaling at the same endpoint, for tables and global secondary indexes (beyond:AS-1 to AS-6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from sys import float_info
from typing import Any

from reference.account import Account
from reference.api import Json
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.rules import Checks, violation
from reference.scaling import tracking
from reference.scaling.policies import CONFIGURATION, policy_of, role_of, short
from reference.scaling.targets import (
    METRICS,
    NAMESPACE,
    Activity,
    Policy,
    Resource,
    Slot,
    Target,
    resource_of,
    scaling_of,
    seen,
)

PAGE = 50
LEAST_TARGET, MOST_TARGET = 10.0, 90.0
"""Per cent of utilisation that a policy may aim at; 20 to 90 are documented (beyond:AS-2)."""
LEAST_VALUE, MOST_VALUE = 8.51592e-109, 1.174271e108
"""What a policy may aim at whatever it tracks."""
_PREFIX = "application-autoscaling:"
_SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


def _slot(body: Mapping[str, Any]) -> Checks[tuple[Slot, Resource] | None]:
    """What a request is about: a resource of DynamoDB and one of its dimensions."""
    slot = (body["ResourceId"], body["ScalableDimension"])
    resource = resource_of(*slot) if body["ServiceNamespace"] == NAMESPACE else None
    if resource is None:
        yield violation("scaling.resource")
        return None
    return slot, resource


def _told(slot: Slot) -> dict[str, str]:
    return {"resource": slot[0], "dimension": slot[1]}


# Targets


def register_scalable_target(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """RegisterScalableTarget: new bounds, or changed ones, which hold at once."""
    if not complete(context.operation, body):
        return None
    named = yield from _slot(body)
    if named is None:
        return None
    slot, resource = named
    held = seen(context.account).targets.get(slot)
    least, most = body.get("MinCapacity"), body.get("MaxCapacity")
    if held is not None:
        least, most = held.least if least is None else least, held.most if most is None else most
    sound = True
    if least is None or most is None:
        yield violation("scaling.bounds-missing")
        sound = False
    elif least > most:
        yield violation("scaling.bounds-crossed")
        sound = False
    elif least < 1:
        yield violation("scaling.bounds-low")
        sound = False
    if resource.held(context.account) is None:
        kind = "index" if resource.index else "table"
        yield violation("scaling.no-resource", kind=kind, resource=slot[0])
        sound = False
    if not sound or least is None or most is None:
        return None
    made = _target(context, body, slot, held, (least, most))

    def effect(account: Account) -> None:
        if held is None:
            account.new_id()
        scaling_of(account).targets[slot] = made
        tracking.bounded(account, made)

    arn = f"arn:aws:application-autoscaling:{context.account.region}:{context.account.account_id}:scalable-target/"
    return Outcome({"ScalableTargetARN": arn + made.id}, effects=(effect,), rules=("scaling.registered",))


def _target(
    context: Context, body: Mapping[str, Any], slot: Slot, held: Target | None, bounds: tuple[int, int]
) -> Target:
    account = context.account
    suspended = frozenset(name for name in _SUSPENDED if (body.get("SuspendedState") or {}).get(name))
    role = body.get("RoleARN") or role_of(account)
    if held is None:
        tags = tuple(sorted((body.get("Tags") or {}).items()))
        return Target(short(account), slot, *bounds, role, context.now(), suspended, tags)
    if body.get("SuspendedState") is None:
        suspended = held.suspended
    return replace(held, least=bounds[0], most=bounds[1], suspended=suspended, role=body.get("RoleARN") or held.role)


def deregister_scalable_target(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DeregisterScalableTarget: its policies go with it."""
    if not complete(context.operation, body):
        return None
    named = yield from _slot(body)
    if named is None:
        return None
    slot, _ = named
    if slot not in seen(context.account).targets:
        yield violation("scaling.no-target", **_told(slot))
        return None

    def effect(account: Account) -> None:
        scaling = scaling_of(account)
        del scaling.targets[slot]
        scaling.policies = {key: policy for key, policy in scaling.policies.items() if key[0] != slot}

    return Outcome({}, effects=(effect,), rules=("scaling.deregistered",))


def describe_scalable_targets(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeScalableTargets: all, or those named."""
    if not complete(context.operation, body):
        return None
    yield from ()
    wanted = body.get("ResourceIds")
    found = [
        _described(target)
        for slot, target in sorted(seen(context.account).targets.items())
        if (not wanted or slot[0] in wanted) and body.get("ScalableDimension") in (None, slot[1])
    ]
    account = context.account
    for each in found:
        prefix = f"arn:aws:application-autoscaling:{account.region}:{account.account_id}:scalable-target/"
        each["ScalableTargetARN"] = prefix + each["ScalableTargetARN"]
    return _page("ScalableTargets", found, body, "scaling.registered")


def _named(slot: Slot) -> dict[str, Json]:
    return {"ServiceNamespace": NAMESPACE, "ResourceId": slot[0], "ScalableDimension": slot[1]}


def _described(target: Target) -> dict[str, Json]:
    return {
        **_named(target.slot),
        "MinCapacity": target.least,
        "MaxCapacity": target.most,
        "RoleARN": target.role,
        "CreationTime": target.created,
        "SuspendedState": {name: name in target.suspended for name in _SUSPENDED},
        "ScalableTargetARN": target.id,
    }


def _page(member: str, found: list[dict[str, Json]], body: Mapping[str, Any], rule: str) -> Outcome:
    """One page of a list; another namespace has nothing here."""
    listed = found if body["ServiceNamespace"] == NAMESPACE else []
    token = body.get("NextToken") or "0"
    start = min(int(token), len(listed)) if token.isascii() and token.isdigit() and len(token) < 10 else 0
    size = min(max(body.get("MaxResults") or PAGE, 1), PAGE)
    answer: dict[str, Json] = {member: listed[start : start + size]}
    if start + size < len(listed):
        answer["NextToken"] = str(start + size)
    return Outcome(answer, rules=(rule,))


# Policies


def put_scaling_policy(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """PutScalingPolicy: target tracking only, one policy for each kind of units (beyond:AS-2)."""
    if not complete(context.operation, body):
        return None
    named = yield from _slot(body)
    if named is None:
        return None
    slot, resource = named
    scaling, given = seen(context.account), body.get(CONFIGURATION)
    if body.get("PolicyType") not in ("TargetTrackingScaling", None) or given is None:
        yield violation("scaling.policy-type")
        return None
    yield from _tracked(given, resource)
    if slot not in scaling.targets:
        yield violation("scaling.no-target", **_told(slot))
        return None
    key = (slot, body["PolicyName"])
    if any(each[0] == slot and each != key for each in scaling.policies):
        yield violation("scaling.one-policy")
        return None
    made = policy_of(context.account, body["PolicyName"], slot, body[CONFIGURATION], scaling.policies.get(key))

    def effect(account: Account) -> None:
        if key not in scaling_of(account).policies:
            account.new_id()
        scaling_of(account).policies[key] = made
        tracking.start(account)

    answer = {"PolicyARN": _policy_arn(context.account, made), "Alarms": _alarms(context.account, made)}
    return Outcome(answer, effects=(effect,), rules=("scaling.policy",))


def _tracked(given: Mapping[str, Any], resource: Resource) -> Checks[None]:
    metric = (given.get("PredefinedMetricSpecification") or {}).get("PredefinedMetricType")
    if metric != METRICS[resource.kind]:
        yield violation("scaling.metric", metric=metric)
    yield from target_checks(given["TargetValue"], METRICS[resource.kind])


def target_checks(value: float, metric: str) -> Checks[None]:
    """Whether a policy may aim at so many per cent."""
    told = _told_number(value)
    if not LEAST_VALUE <= value <= MOST_VALUE:
        yield violation("scaling.target-range", value=told)
    elif not LEAST_TARGET <= value <= MOST_TARGET:
        yield violation("scaling.target-value", metric=metric, value=told)


def _told_number(value: float) -> str:
    """A number as messages write it: with an exponent from ten million up and below a thousandth."""
    if abs(value) > float_info.max:
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(float(value))
    sign, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    first, *more = map(str, digits)
    return f"{'-' if sign else ''}{first}.{''.join(more) or '0'}E{len(digits) - 1 + int(exponent)}"


def _policy_arn(account: Account, policy: Policy) -> str:
    prefix = f"arn:aws:autoscaling:{account.region}:{account.account_id}:scalingPolicy:{policy.id}"
    return f"{prefix}:resource/{NAMESPACE}/{policy.slot[0]}:policyName/{policy.name}"


def _alarms(account: Account, policy: Policy) -> list[dict[str, Json]]:
    prefix = f"arn:aws:cloudwatch:{account.region}:{account.account_id}:alarm:"
    return [{"AlarmName": name, "AlarmARN": prefix + name} for name in policy.alarms]


def delete_scaling_policy(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DeleteScalingPolicy: its alarms go with it."""
    if not complete(context.operation, body):
        return None
    named = yield from _slot(body)
    if named is None:
        return None
    key = (named[0], body["PolicyName"])
    if key not in seen(context.account).policies:
        yield violation("scaling.no-policy", **_told(named[0]), policy=body["PolicyName"])
        return None

    def effect(account: Account) -> None:
        del scaling_of(account).policies[key]

    return Outcome({}, effects=(effect,), rules=("scaling.policy",))


def describe_scaling_policies(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeScalingPolicies: all, or those of a resource, of a dimension or of these names."""
    if not complete(context.operation, body):
        return None
    yield from ()
    wanted = body.get("PolicyNames")
    found = [
        {
            **_named(policy.slot),
            "PolicyARN": _policy_arn(context.account, policy),
            "PolicyName": policy.name,
            "PolicyType": "TargetTrackingScaling",
            CONFIGURATION: policy.given,
            "Alarms": _alarms(context.account, policy),
            "CreationTime": policy.created,
        }
        for (slot, name), policy in sorted(seen(context.account).policies.items(), key=lambda entry: entry[0])
        if _asked(body, slot) and (not wanted or name in wanted)
    ]
    return _page("ScalingPolicies", found, body, "scaling.policy")


def _asked(body: Mapping[str, Any], slot: Slot) -> bool:
    return body.get("ResourceId") in (None, slot[0]) and body.get("ScalableDimension") in (None, slot[1])


# Activities


def describe_scaling_activities(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeScalingActivities: what was done of itself, the newest first."""
    if not complete(context.operation, body):
        return None
    yield from ()
    listed: Iterable[Activity] = reversed(seen(context.account).activities)
    found = [_activity(each) for each in listed if _asked(body, each.slot)]
    return _page("ScalingActivities", found, body, "scaling.activity")


def _activity(each: Activity) -> dict[str, Json]:
    what = f"{'read' if ':Read' in each.slot[1] else 'write'} capacity units to {each.units}."
    ended = {"EndTime": each.at} if not each.failed else {}
    done = f"Successfully set {what} Change successfully fulfilled by dynamodb."
    failed = f"Failed to set {what} Reason: {each.failed}"
    return {
        "ActivityId": each.id,
        **_named(each.slot),
        "Description": f"Setting {what}",
        "Cause": each.cause,
        "StartTime": each.at,
        **ended,
        "StatusCode": "Failed" if each.failed else "Successful",
        "StatusMessage": failed if each.failed else done,
    }


OPERATIONS: dict[str, Operation] = {
    f"{_PREFIX}RegisterScalableTarget": register_scalable_target,
    f"{_PREFIX}DeregisterScalableTarget": deregister_scalable_target,
    f"{_PREFIX}DescribeScalableTargets": describe_scalable_targets,
    f"{_PREFIX}PutScalingPolicy": put_scaling_policy,
    f"{_PREFIX}DeleteScalingPolicy": delete_scaling_policy,
    f"{_PREFIX}DescribeScalingPolicies": describe_scaling_policies,
    f"{_PREFIX}DescribeScalingActivities": describe_scaling_activities,
}
