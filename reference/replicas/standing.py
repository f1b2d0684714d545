"""What replicas tell of each other, and what becomes of them by themselves: they are ready, they are gone."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from reference import lifecycle
from reference.replicas.group import Group, Member
from reference.tables import describe

if TYPE_CHECKING:
    from reference.replicas.world import World

VERSION = "2019.11.21"
TOLD = "replicas"
"""Where a table's settings keep the members of its description that tell of replicas."""


def refresh(world: World, group: Group) -> None:
    """Write down for every replica what its description tells of the others; the last one alone tells nothing."""
    alone = len(group.members) < 2 and group.witness is None
    for member in group.members.values():
        table = world.table(member, group.table)
        if table is None:
            continue
        if alone:
            table.settings.extra.pop(TOLD, None)
        else:
            table.settings.extra[TOLD] = _told(world, group, member)
        lifecycle.retain(world.account(member.region), table)
    if alone:
        world.groups.pop(group.table, None)


def _told(world: World, group: Group, member: Member) -> dict[str, Any]:
    told: dict[str, Any] = {
        "GlobalTableVersion": VERSION,
        "Replicas": [_replica(world, group, other) for other in group.others(member.region)],
        "GlobalTableSettingsReplicationMode": "ENABLED_WITH_OVERRIDES",
    }
    if group.strong:
        told["MultiRegionConsistency"] = "STRONG"
    if group.witness is not None:
        told["GlobalTableWitnesses"] = [{"RegionName": group.witness, "WitnessStatus": group.witness_status}]
    return told


def _replica(world: World, group: Group, member: Member) -> dict[str, Any]:
    told: dict[str, Any] = {"RegionName": member.region, "ReplicaStatus": member.status, **member.overrides}
    table = world.table(member, group.table)
    if table is not None:
        told["WarmThroughput"] = describe.warmth(table.settings)
    told["GlobalTableSettingsReplicationMode"] = "ENABLED_WITH_OVERRIDES"
    return told


def due(world: World, group: Group, now: float) -> None:
    """Let replicas be ready, or gone, whose time has come."""
    for member in list(group.members.values()):
        if member.due is None or member.due > now:
            continue
        if member.status == "CREATING":
            _ready(world, group, member)
        elif not member.parting or not any(member.outbox.values()):
            _gone(world, group, member)


def _ready(world: World, group: Group, member: Member) -> None:
    """A new replica has every item of its source, and from now on gets what is written."""
    source = group.members.get(member.source)
    table = world.table(member, group.table)
    origin = world.table(source, group.table) if source is not None else None
    member.status, member.due = "ACTIVE", None
    if table is None or source is None or origin is None:
        return
    table.load(origin)
    table.status = "ACTIVE"
    member.stamps, member.absorbed = dict(source.stamps), table.sequence
    for other in group.others(member.region):
        # What the source has not got yet, the new one has not got either.
        other.outbox[member.region] = deque(other.outbox.get(source.region, ()))
        member.outbox[other.region] = deque()
    refresh(world, group)


def _gone(world: World, group: Group, member: Member) -> None:
    """A replica is gone; what it wrote and has not sent is sent first."""
    for region, waiting in member.outbox.items():
        for sending in waiting:
            if region in group.members and group.members[region].status == "ACTIVE":
                world.receive(group, group.members[region], sending, world.account(region).now())
    table = world.table(member, group.table)
    if table is not None:
        table.settings.extra.pop(TOLD, None)
    del group.members[member.region]
    for other in group.members.values():
        other.outbox.pop(member.region, None)
    refresh(world, group)
