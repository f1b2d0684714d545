"""Requests to Application Auto Scaling about a table and its global indexes."""

from __future__ import annotations

from typing import Any

from conformance.strategies.draws import Draw, chance, number, pick
from conformance.strategies.schemas import TableWorld

Body = dict[str, Any]
KINDS = ("Read", "Write")
NAMES = ("follow", "follow", "follow", "other")
_CONFIGURATION = "TargetTrackingScalingPolicyConfiguration"
_SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


def resource(world: TableWorld, index: str = "") -> str:
    """The resource id of a table, or of an index of it."""
    return f"table/{world.reference}" + (f"/index/{index}" if index else "")


def slot(draw: Draw, world: TableWorld) -> Body:
    """What may be scaled: one kind of units of the table or of a global index; rarely what is not there."""
    names = [index.name for index in world.indexes if index.kind == "GSI"]
    index = pick(draw, names) if names and chance(draw, 40) else ""
    of, kind = ("index" if index else "table"), pick(draw, KINDS)
    where = resource(world, index)
    if chance(draw, 5):
        choice = pick(draw, ("dimension", "table", "index"))
        if choice == "dimension":
            of = "table" if index else "index"
        else:
            where = "table/absent" if choice == "table" else resource(world, "absent")
            of = "table" if choice == "table" else "index"
    return {
        "ServiceNamespace": "dynamodb", "ResourceId": where, "ScalableDimension": f"dynamodb:{of}:{kind}CapacityUnits",
    }  # fmt: skip


def register(draw: Draw, world: TableWorld) -> Body:
    """RegisterScalableTarget: bounds around what there is, above it or below it, or one of them alone."""
    least = pick(draw, (1, 1, 2, 5, 8, 12))
    body = {**slot(draw, world), "MinCapacity": least, "MaxCapacity": least + number(draw, 0, 12)}
    choice = number(draw, 0, 99)
    if choice < 22:
        body.pop(pick(draw, ("MinCapacity", "MaxCapacity")))
    elif choice < 30:
        body |= pick(draw, ({"MinCapacity": 0}, {"MaxCapacity": least - 1}, {"MinCapacity": body["MaxCapacity"] + 1}))
    if chance(draw, 20):
        body["SuspendedState"] = {name: chance(draw, 60) for name in _SUSPENDED if chance(draw, 60)}
    return body


def policy(draw: Draw, world: TableWorld) -> Body:
    """PutScalingPolicy: target tracking, mostly as DynamoDB has it."""
    where = slot(draw, world)
    kind = "Read" if ":Read" in where["ScalableDimension"] else "Write"
    value = pick(draw, (20.0, 50.0, 70.0, 70.0, 90.0))
    metric = f"DynamoDB{kind}CapacityUtilization"
    choice = number(draw, 0, 99)
    if choice < 12:
        value = pick(draw, (9.0, 91.0, 0.0, 100.0))
    elif choice < 24:
        metric = f"DynamoDB{'Write' if kind == 'Read' else 'Read'}CapacityUtilization"
    given: Body = {"TargetValue": value, "PredefinedMetricSpecification": {"PredefinedMetricType": metric}}
    for name in ("ScaleOutCooldown", "ScaleInCooldown"):
        if chance(draw, 30):
            given[name] = pick(draw, (0, 60, 300)) if not chance(draw, 12) else -1
    if chance(draw, 25):
        given["DisableScaleIn"] = chance(draw, 60)
    return {**where, "PolicyName": pick(draw, NAMES), "PolicyType": "TargetTrackingScaling", _CONFIGURATION: given}


def listing(draw: Draw, world: TableWorld, known: list[str]) -> tuple[str, Body]:
    """One of the operations that list; ``known`` are the resources that something was done to."""
    kind = pick(draw, ("ScalableTargets", "ScalableTargets", "ScalingPolicies", "ScalingPolicies", "ScalingActivities"))
    body: Body = {"ServiceNamespace": "dynamodb"}
    if known and chance(draw, 70):
        where = pick(draw, known)
        body |= {"ResourceIds": [where]} if kind == "ScalableTargets" else {"ResourceId": where}
        if chance(draw, 30):
            of = "index" if "/index/" in where else "table"
            body["ScalableDimension"] = f"dynamodb:{of}:{pick(draw, KINDS)}CapacityUnits"
    else:
        body |= {"ResourceIds": [resource(world)]} if kind == "ScalableTargets" else {"ResourceId": resource(world)}
    if kind == "ScalingPolicies" and chance(draw, 25):
        body["PolicyNames"] = ["follow"]
    return f"application-autoscaling:Describe{kind}", body
