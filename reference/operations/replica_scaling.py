"""Auto scaling of replicas: DynamoDB's own view of the targets and policies in every region (beyond:AS-8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reference.account import Account
from reference.api import Json
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.scaling import target_checks
from reference.operations.tables import plain_name
from reference.replicas import members
from reference.replicas.group import Group, Member
from reference.replicas.world import world_of
from reference.rules import Checks, violation
from reference.scaling.policies import CONFIGURATION, role_of
from reference.scaling.replicas import apply, slot_of
from reference.scaling.targets import METRICS, Scaling, Slot, seen
from reference.tables.definition import watched
from reference.tables.table import Table

Body = Mapping[str, Any]
_NEEDED = {"MaximumUnits": "MaximumUnits", "ScalingPolicyUpdate": "ScalingPolicyUpdate", "MinimumUnits": "MinimumUnits"}
_OFF: dict[str, Json] = {"AutoScalingDisabled": True, "ScalingPolicies": []}


@dataclass(frozen=True, slots=True)
class _Change:
    """New settings of one kind of units of a table or index: in one region, or in all of them where it is None."""

    kind: str
    index: str
    region: str | None
    settings: Body

    def slot(self, table: str) -> Slot:
        """What is scaled."""
        return slot_of(table, self.index, self.kind)

    @property
    def parameter(self) -> str:
        """What texts call it."""
        lead = "GlobalTable" if self.region is None else "Replica"
        index = "GlobalSecondaryIndex" if self.index else ""
        return f"{lead}{index}Provisioned{self.kind}CapacityAutoScalingSettingsUpdate"


def _known(context: Context, body: Body) -> Checks[tuple[Table, Group] | None]:
    name = body.get("TableName")
    if name is None:
        return None
    table = context.account.any_table(name)
    group = members.group_of(context.account, table) if table is not None else None
    if table is None or group is None:
        yield violation("scaling.no-replicas", table=plain_name(name))
        return None
    return table, group


# What is told


def describe_replica_scaling(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeTableReplicaAutoScaling: for tables with replicas, every region's settings by the region's name."""
    known = yield from _known(context, body)
    return None if known is None else _told(context.account, *known)


def _told(account: Account, table: Table, group: Group) -> Outcome:
    told = [_member(account, group, member) for _, member in sorted(group.members.items())]
    described: dict[str, Json] = {"TableName": table.name, "TableStatus": table.status, "Replicas": told}
    return Outcome({"TableAutoScalingDescription": described}, rules=("scaling.replicas",))


def _member(account: Account, group: Group, member: Member) -> dict[str, Json]:
    world = world_of(account)
    there, table = world.account(member.region), world.table(member, group.table)
    on_demand = table is not None and table.settings.on_demand

    def settings(index: str, kind: str) -> dict[str, Json]:
        return _settings(seen(there), slot_of(group.table, index, kind), on_demand=on_demand)

    return {
        "RegionName": member.region,
        "GlobalSecondaryIndexes": [
            {
                "IndexName": name,
                "IndexStatus": status,
                "ProvisionedReadCapacityAutoScalingSettings": settings(name, "Read"),
                "ProvisionedWriteCapacityAutoScalingSettings": settings(name, "Write"),
            }
            for name, status in _indexes(table)
        ],
        "ReplicaProvisionedReadCapacityAutoScalingSettings": settings("", "Read"),
        "ReplicaProvisionedWriteCapacityAutoScalingSettings": settings("", "Write"),
        "ReplicaStatus": member.status,
    }


def _indexes(table: Table | None) -> Iterator[tuple[str, str]]:
    """The global secondary indexes that are there, and how they stand: not those that come or go."""
    for name, index in sorted(table.indexes.items()) if table is not None else ():
        if index.schema.kind == "GSI" and index.status not in ("CREATING", "DELETING"):
            yield name, index.status


def _settings(scaling: Scaling, slot: Slot, *, on_demand: bool) -> dict[str, Json]:
    """Nothing is told of a target that no policy follows."""
    target = scaling.targets.get(slot)
    policies = [policy for (about, _), policy in sorted(scaling.policies.items()) if about == slot]
    if target is None or not policies:
        return dict(_OFF)
    told: dict[str, Json] = {"MinimumUnits": target.least, "MaximumUnits": target.most}
    if on_demand:
        told["AutoScalingDisabled"] = True
    told["AutoScalingRoleArn"] = target.role
    told["ScalingPolicies"] = [
        {
            "PolicyName": policy.name,
            CONFIGURATION: {n: v for n, v in policy.given.items() if n != "PredefinedMetricSpecification"},
        }
        for policy in policies
    ]
    return told


# Changes


def update_replica_scaling(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """UpdateTableReplicaAutoScaling: written units everywhere, read units by region; it tells what was before."""
    if not complete(context.operation, body):
        return None
    changes = list(_changes(body))
    _, shaped = yield from watched(_shaped(plain_name(body["TableName"]), changes))
    known = yield from _known(context, body)
    if known is None:
        return None
    table, group = known
    _, sound = yield from watched(_request(body, table, group))
    _, named = yield from watched(_there(context.account, body, table, group))
    _, fitting = yield from watched(_fit(context.account, table, group, changes))
    if not (shaped and sound and named and fitting):
        return None
    name, regions = table.name, sorted(group.members)

    def effect(account: Account) -> None:
        for each in changes:
            for region in regions if each.region is None else [each.region]:
                apply(world_of(account).account(region), each.slot(name), each.kind, each.settings)

    told = _told(context.account, table, group)
    return replace(told, effects=(effect,), rules=("scaling.replica-change",))


def _changes(body: Body) -> Iterator[_Change]:
    whole = body.get("ProvisionedWriteCapacityAutoScalingUpdate")
    if whole is not None:
        yield _Change("Write", "", None, whole)
    for each in body.get("GlobalSecondaryIndexUpdates") or ():
        if each.get("ProvisionedWriteCapacityAutoScalingUpdate") is not None:
            yield _Change("Write", each.get("IndexName") or "", None, each["ProvisionedWriteCapacityAutoScalingUpdate"])
    for replica in body.get("ReplicaUpdates") or ():
        region = replica["RegionName"]
        reads = replica.get("ReplicaProvisionedReadCapacityAutoScalingUpdate")
        if reads is not None:
            yield _Change("Read", "", region, reads)
        for each in replica.get("ReplicaGlobalSecondaryIndexUpdates") or ():
            if each.get("ProvisionedReadCapacityAutoScalingUpdate") is not None:
                update = each["ProvisionedReadCapacityAutoScalingUpdate"]
                yield _Change("Read", each.get("IndexName") or "", region, update)


def _request(body: Body, table: Table, group: Group) -> Checks[None]:
    """Whether something is asked for, of each region once."""
    if all(not body.get(name) for name in set(body) - {"TableName"}):
        yield violation("scaling.no-update", table=table.name)
    named = [replica["RegionName"] for replica in body.get("ReplicaUpdates") or ()]
    twice = [region for region in dict.fromkeys(named) if named.count(region) > 1]
    if twice:
        yield violation("scaling.region-twice", table=table.name, regions=", ".join(twice))
    for replica in body.get("ReplicaUpdates") or ():
        if all(not replica.get(name) for name in set(replica) - {"RegionName"}):
            yield violation("scaling.no-region-update", table=table.name, region=replica["RegionName"])
    for region in named:
        if region not in group.members:
            yield violation("scaling.region-unknown", table=table.name, region=region)


def _there(account: Account, body: Body, table: Table, group: Group) -> Checks[None]:
    """Whether the indexes that are named are there, and ready."""
    ready = {name for name, _ in _indexes(table)}
    asked = [each.get("IndexName") for each in body.get("GlobalSecondaryIndexUpdates") or ()]
    missing = [name for name in asked if name is not None and name not in ready]
    if missing:
        yield violation("scaling.indexes-unknown", table=table.name, indexes=", ".join(missing))
    for replica in body.get("ReplicaUpdates") or ():
        member = group.members.get(replica["RegionName"])
        ready = {name for name, _ in _indexes(world_of(account).table(member, group.table))} if member else set()
        for each in replica.get("ReplicaGlobalSecondaryIndexUpdates") or ():
            if member is not None and each.get("IndexName") is not None and each["IndexName"] not in ready:
                about = {"table": table.name, "index": each["IndexName"], "region": member.region}
                yield violation("scaling.index-unknown", **about)


def _shaped(table: str, changes: list[_Change]) -> Checks[None]:
    """Whether each change says all that it has to, and no more; that is looked at before the table is."""
    for each in changes:
        given = each.settings
        if given.get("AutoScalingDisabled"):
            wrong = [name for name in _NEEDED if given.get(name) is not None]
            if wrong:
                yield violation("scaling.disabled-settings", table=table, names=_quoted(wrong))
        elif missing := [name for name in _NEEDED if given.get(name) is None]:
            yield violation("scaling.settings-missing", table=table, names=_quoted(missing))


def _fit(account: Account, table: Table, group: Group, changes: list[_Change]) -> Checks[None]:
    """Whether the tables are such that each change can be made."""
    for each in changes:
        given = each.settings
        if given.get("AutoScalingDisabled") or any(given.get(name) is None for name in _NEEDED):
            continue
        if table.settings.on_demand:
            regions = _quoted([region.upper() for region in sorted(group.members)])
            yield violation("scaling.on-demand", table=table.name, regions=regions, parameter=each.parameter)
        role = given.get("AutoScalingRoleArn")
        if role is not None and role != role_of(account):
            yield violation("scaling.role", role=role)
        if given["MinimumUnits"] > given["MaximumUnits"]:
            yield violation("scaling.bounds-crossed")
        yield from target_checks(given["ScalingPolicyUpdate"][CONFIGURATION]["TargetValue"], METRICS[each.kind])


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


OPERATIONS: dict[str, Operation] = {
    "DescribeTableReplicaAutoScaling": describe_replica_scaling,
    "UpdateTableReplicaAutoScaling": update_replica_scaling,
}
