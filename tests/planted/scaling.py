"""Bugs of auto scaling: bounds and policies that are wrong, forgotten or not followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.checks.base import T0, table
from conformance.checks.steps import describe
from conformance.program import Step
from reference.account import Account
from reference.api import Call, Json
from reference.operations import scaling
from reference.operations.base import Outcome
from reference.scaling import tracking
from reference.scaling.targets import Target, scaling_of
from reference.service import Service
from tests.planted.base import Body, Patch, Plant, answers, asks, originals, patched, plant

_OPERATIONS = originals(scaling)
_TRACKING = originals(tracking)
_PREFIX = "application-autoscaling:"
_PUT = f"{_PREFIX}PutScalingPolicy"
_TARGETS = f"{_PREFIX}DescribeScalableTargets"


def _overlooking(rule: str, checks: str) -> Patch:
    """Checks of policies that pass over one rule."""

    def fewer(*arguments: Any) -> Any:
        return (yield from (found for found in getattr(_OPERATIONS, checks)(*arguments) if found.rule.name != rule))

    return patched(scaling, **{checks: fewer})


def _never(account: Account, target: Target) -> None:
    """Units stay where they are, whatever the bounds."""


def _one_less(account: Account, slot: Any, held: Any, units: int, cause: str) -> bool:
    """Units that are too few end below the minimum."""
    return bool(_TRACKING.provide(account, slot, held, units - ("minimum" in cause and units > 1), cause))


def _keeping(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """A target goes without its policies."""
    if call.operation != f"{_PREFIX}DeregisterScalableTarget":
        return outcome
    slot = (call.body["ResourceId"], call.body["ScalableDimension"])

    def effect(account: Account) -> None:
        del scaling_of(account).targets[slot]

    return Outcome(outcome.body, effects=(effect,), rules=outcome.rules)


def _forgetful(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """A deleted table takes what was registered of it along."""
    if call.operation != "DeleteTable":
        return outcome

    def effect(account: Account) -> None:
        room = scaling_of(account)
        gone = {slot for slot in room.targets if slot[0].split("/")[1] == call.body["TableName"]}
        room.targets = {slot: held for slot, held in room.targets.items() if slot not in gone}
        room.policies = {key: held for key, held in room.policies.items() if key[0] not in gone}

    return Outcome(outcome.body, outcome.changes, (*outcome.effects, effect), outcome.rules)


def _whole_only(body: Body) -> Json:
    """A bound that is not given is taken for the widest."""
    return {"MinCapacity": 1, "MaxCapacity": 40_000, **body}


def _unsuspended(service: Service, call: Call, body: Body) -> Body:
    shown = [
        {**each, "SuspendedState": dict.fromkeys(each["SuspendedState"], False)} for each in body["ScalableTargets"]
    ]
    return {**body, "ScalableTargets": shown}


def _two_alarms(service: Service, call: Call, body: Body) -> Body:
    return {**body, "Alarms": body["Alarms"][:2]}


def _whole_percent(service: Service, call: Call, body: Body) -> Body:
    """What a policy aims at is shown as a share, not in per cent."""

    def shared(policy: Body) -> Body:
        given = policy["TargetTrackingScalingPolicyConfiguration"]
        return {
            **policy,
            "TargetTrackingScalingPolicyConfiguration": {**given, "TargetValue": given["TargetValue"] / 100},
        }

    return {**body, "ScalingPolicies": [shared(policy) for policy in body["ScalingPolicies"]]}


def _everything(service: Service, call: Call, body: Body) -> Body:
    """A dimension that is asked for is taken for all."""
    asked = {name: value for name, value in call.body.items() if name != "ScalableDimension"}
    return dict(service.outcomes(Call(call.operation, asked)).outcome.body)  # type: ignore[union-attr]


def _bug(name: str, about: str, *steps: Step, tables: Mapping[str, Json] | None = None, **hooks: Any) -> Plant:
    return plant(name, about, "scaling", tables or PROVISIONED, *steps, **hooks)


def _call(operation: str, **members: Json) -> Step:
    body = {"ServiceNamespace": "dynamodb", "ResourceId": f"table/{T0}", "ScalableDimension": WRITE, **members}
    return Step(_PREFIX + operation, body)


def _register(least: int | None, most: int | None, **members: Json) -> Step:
    bounds = {"MinCapacity": least, "MaxCapacity": most}
    return _call(
        "RegisterScalableTarget", **{name: units for name, units in bounds.items() if units is not None}, **members
    )


def _policy(name: str = "follow", value: float = 70.0, kind: str = "Write", **members: Json) -> Step:
    specification = {"PredefinedMetricType": f"DynamoDB{kind}CapacityUtilization"}
    given = {"TargetValue": value, "PredefinedMetricSpecification": specification, **members}
    return _call(
        "PutScalingPolicy",
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=given,
    )


WRITE, READ = "dynamodb:table:WriteCapacityUnits", "dynamodb:table:ReadCapacityUnits"
PROVISIONED = {
    "t0": table()
    | {"BillingMode": "PROVISIONED", "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}}
}
_SHOWN = Step(_TARGETS, {"ServiceNamespace": "dynamodb", "ResourceIds": [f"table/{T0}"]})
_POLICIES = Step(f"{_PREFIX}DescribeScalingPolicies", {"ServiceNamespace": "dynamodb", "ResourceId": f"table/{T0}"})

PLANTS: tuple[Plant, ...] = (
    _bug(
        "scaling-bounds-later", "Units that are out of newly registered bounds stay where they are.",
        _register(8, 20), describe(), patches=(patched(tracking, bounded=_never),),
    ),
    _bug(
        "scaling-below-minimum", "Units that are raised to a minimum end a unit below it.",
        _register(8, 20), describe(), patches=(patched(tracking, provide=_one_less),),
    ),
    _bug(
        "scaling-other-bound-lost", "Registering one bound again resets the other.",
        _register(2, 20), _register(3, None), _SHOWN,
        asks=asks(_whole_only, f"{_PREFIX}RegisterScalableTarget"),
    ),
    _bug(
        "scaling-suspension-forgotten", "Scaling that is suspended does not show.",
        _register(2, 20, SuspendedState={"DynamicScalingInSuspended": True}), _SHOWN,
        says=answers(_unsuspended, _TARGETS),
    ),
    _bug(
        "scaling-target-of-any-value", "A policy may aim at any utilisation.",
        _register(2, 20), _policy(value=95.0), patches=(_overlooking("scaling.target-value", "_tracked"),),
    ),
    _bug(
        "scaling-metric-of-other-kind", "A policy may track the other kind of units.",
        _register(2, 20), _policy(kind="Read"), patches=(_overlooking("scaling.metric", "_tracked"),),
    ),
    _bug(
        "scaling-policy-in-per-one", "What a policy aims at is shown as a share of one.",
        _register(2, 20), _policy(), _POLICIES,
        says=answers(_whole_percent, f"{_PREFIX}DescribeScalingPolicies"),
    ),
    _bug(
        "scaling-two-alarms", "A policy has alarms for its utilisation alone.",
        _register(2, 20), _policy(), says=answers(_two_alarms, _PUT),
    ),
    _bug(
        "scaling-policies-stay", "A target that is deregistered leaves its policies.",
        _register(2, 20), _policy(), _call("DeregisterScalableTarget"), _POLICIES, does=_keeping,
    ),
    _bug(
        "scaling-goes-with-table", "A deleted table takes along what was registered of it.",
        _register(2, 20), Step("DeleteTable", {"TableName": T0}), _SHOWN, does=_forgetful,
    ),
    _bug(
        "scaling-dimension-ignored", "A list of targets has every dimension, whichever is asked for.",
        _register(2, 20), Step(_TARGETS, {
            "ServiceNamespace": "dynamodb", "ResourceIds": [f"table/{T0}"], "ScalableDimension": READ,
        }), says=answers(_everything, _TARGETS),
    ),
)  # fmt: skip
