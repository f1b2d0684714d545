"""Requests of global tables: replicas come, change and go, rightly and wrongly."""

from __future__ import annotations

from typing import Any

from conformance.strategies.draws import Draw, chance, pick

Body = dict[str, Any]
HOME = "us-east-1"
"""The region that programs are for, unless the target tells another."""
REGIONS = ("eu-west-1", "us-west-2", "ap-northeast-1")
STRONG = ("us-east-2", "us-west-2")


def change(draw: Draw, table: str, present: list[str]) -> Body:
    """UpdateTable with a change of replicas that fits those that are there, now and then one that does not."""
    fresh = [region for region in REGIONS if region not in present]
    kind = pick(draw, ("come", "come", "go", "go", "override") if present else ("come", "come", "strong"))
    updates: list[Body]
    more: Body = {}
    if kind == "strong":
        updates = [{"Create": {"RegionName": region}} for region in STRONG]
        more = {"MultiRegionConsistency": "STRONG"}
        if chance(draw, 30):
            updates, more["GlobalTableWitnessUpdates"] = updates[:1], [{"Create": {"RegionName": STRONG[1]}}]
    elif kind == "come" and fresh:
        updates = [{"Create": {"RegionName": pick(draw, fresh)}}]
    elif kind == "override":
        limit = {"MaxReadRequestUnits": pick(draw, (1, 100))}
        updates = [{"Update": {"RegionName": pick(draw, present), "OnDemandThroughputOverride": limit}}]
    else:
        updates = [{"Delete": {"RegionName": pick(draw, present or list(REGIONS))}}]
    body: Body = {"TableName": table, "ReplicaUpdates": updates, **more}
    if chance(draw, 30):
        _spoil(draw, body, present)
    return body


def _spoil(draw: Draw, body: Body, present: list[str]) -> None:
    updates = body["ReplicaUpdates"]
    kind = pick(draw, ("twice", "unknown", "known", "home", "nothing", "more", "witness", "count", "region", "late"))
    if kind == "twice":
        updates.append({"Create": {"RegionName": pick(draw, REGIONS)}})
    elif kind == "unknown":
        absent = [region for region in REGIONS if region not in present]
        updates[:] = [{"Delete": {"RegionName": pick(draw, absent or list(REGIONS))}}]
    elif kind == "known" and present:
        updates[:] = [{"Create": {"RegionName": pick(draw, present)}}]
    elif kind == "home":
        updates[:] = [{"Create": {"RegionName": HOME}}]
    elif kind == "nothing":
        updates[:] = [{}]
    elif kind == "more":
        body["AttributeDefinitions"] = [{"AttributeName": "a", "AttributeType": "S"}]
    elif kind == "witness":
        body["GlobalTableWitnessUpdates"] = [{"Create": {"RegionName": "us-west-2"}}]
        body.pop("MultiRegionConsistency", None)
    elif kind == "count":
        body["MultiRegionConsistency"] = "STRONG"
        updates[:] = [{"Create": {"RegionName": "us-east-2"}}]
    elif kind == "region":
        body["MultiRegionConsistency"] = "STRONG"
        updates[:] = [{"Create": {"RegionName": region}} for region in ("us-east-2", "us-west-1")]
    elif kind == "late":
        body["MultiRegionConsistency"] = "STRONG"
        updates[:] = [{"Create": {"RegionName": region}} for region in STRONG]


def settings(draw: Draw, table: str) -> tuple[str, Body]:
    """A change of settings that replicas share or forbid."""
    body: Body = {"TableName": table}
    kind = pick(draw, ("stream-off", "expiry", "protect", "units", "apart", "scaling"))
    if kind == "stream-off":
        return "UpdateTable", {**body, "StreamSpecification": {"StreamEnabled": False}}
    if kind == "expiry":
        specification = {"Enabled": chance(draw, 70), "AttributeName": "expires"}
        return "UpdateTimeToLive", {**body, "TimeToLiveSpecification": specification}
    if kind == "protect":
        return "UpdateTable", {**body, "DeletionProtectionEnabled": chance(draw, 50)}
    if kind == "units":
        return "UpdateTable", {**body, "OnDemandThroughput": {"MaxReadRequestUnits": pick(draw, (10, 20))}}
    if kind == "scaling":
        return scaling(draw, body)
    return "UpdateTable", {**body, "DisassociationProtectionEnabled": chance(draw, 30)}


_TRACKING = {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0}}
_SCALED: tuple[Body, ...] = (
    {"AutoScalingDisabled": True},
    {"AutoScalingDisabled": True, "MinimumUnits": 1},
    {"AutoScalingDisabled": False},
    {"MinimumUnits": 1, "MaximumUnits": 10},
    {"MinimumUnits": 1, "MaximumUnits": 10, "ScalingPolicyUpdate": _TRACKING},
)


def scaling(draw: Draw, body: Body) -> tuple[str, Body]:
    """How replicas are scaled is asked, or changed: tables that are paid by request can only have it switched off."""
    kind = pick(draw, ("told", "told", "writes", "reads", "index", "nothing", "region"))
    if kind == "told":
        return "DescribeTableReplicaAutoScaling", body
    change = dict(pick(draw, _SCALED))
    if kind == "writes":
        body = {**body, "ProvisionedWriteCapacityAutoScalingUpdate": change}
    elif kind == "index":
        update = {"IndexName": "no-such-index", "ProvisionedWriteCapacityAutoScalingUpdate": change}
        body = {**body, "GlobalSecondaryIndexUpdates": [update]}
    elif kind != "nothing":
        region = pick(draw, (HOME, *REGIONS))
        reads = {"ReplicaProvisionedReadCapacityAutoScalingUpdate": change} if kind == "reads" else {}
        updates = [{"RegionName": region, **reads}] * (2 if chance(draw, 15) else 1)
        body = {**body, "ReplicaUpdates": updates}
    return "UpdateTableReplicaAutoScaling", body
