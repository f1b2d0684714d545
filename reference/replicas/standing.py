"""What replicas tell of each other, and what becomes of them by themselves: they are ready, they are gone."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from reference import lifecycle
from reference.replicas.group import Group, Member
from reference.tables import describe
from reference.tables.settings import Throughput
from reference.tables.table import Index, Table

if TYPE_CHECKING:
    from reference.replicas.world import World

VERSION = "2019.11.21"
TOLD = "replicas"
"""Where a table's settings keep the members of its description that tell of replicas."""


def refresh(world: World, group: Group) -> None:
    """Write down for every replica what its description tells of the others; the last one alone tells nothing."""
    tell(world, group)
    for member in group.members.values():
        table = world.table(member, group.table)
        if table is not None:
            lifecycle.retain(world.account(member.region), table)
    if len(group.members) < 2 and group.witness is None:
        world.groups.pop(group.table, None)


def tell(world: World, group: Group) -> None:
    """Write down what the descriptions tell; what a replica has for itself may change by itself."""
    alone = len(group.members) < 2 and group.witness is None
    for member in group.members.values():
        table = world.table(member, group.table)
        if table is not None and alone:
            table.settings.extra.pop(TOLD, None)
        elif table is not None:
            table.settings.extra[TOLD] = _told(world, group, member)


def _told(world: World, group: Group, member: Member) -> dict[str, Any]:
    told: dict[str, Any] = {
        "GlobalTableVersion": VERSION,
        "Replicas": [_replica(world, group, member, other) for other in group.others(member.region)],
        "GlobalTableSettingsReplicationMode": "ENABLED_WITH_OVERRIDES",
    }
    if group.strong:
        told["MultiRegionConsistency"] = "STRONG"
    if group.witness is not None:
        told["GlobalTableWitnesses"] = [{"RegionName": group.witness, "WitnessStatus": group.witness_status}]
    return told


def _replica(world: World, group: Group, asked: Member, member: Member) -> dict[str, Any]:
    """What the replica ``asked`` tells of another one; its overrides are what differs from the former."""
    told: dict[str, Any] = {"RegionName": member.region, "ReplicaStatus": member.status}
    table, mine = world.table(member, group.table), world.table(asked, group.table)
    if table is not None and mine is not None:
        settings = table.settings
        if settings.sse_key is not None:
            told["KMSMasterKeyId"] = settings.sse_key
        told.update(_differing(settings, mine.settings))
        if settings.table_class is not None:
            told["ReplicaTableClassSummary"] = describe.class_summary(settings)
        told["WarmThroughput"] = describe.warmth(settings)
        indexes = [_index(name, index, mine) for name, index in table.indexes.items() if index.schema.kind == "GSI"]
        if indexes:
            told["GlobalSecondaryIndexes"] = indexes
    told["GlobalTableSettingsReplicationMode"] = "ENABLED_WITH_OVERRIDES"
    return told


def _index(name: str, index: Index, mine: Table) -> dict[str, Any]:
    held = mine.indexes.get(name)
    differing = _differing(index.settings, held.settings) if held is not None else {}
    return {"IndexName": name, **differing, "WarmThroughput": describe.warmth(index.settings)}


def _differing(units: Throughput, mine: Throughput) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if units.read_units and units.read_units != mine.read_units:
        told["ProvisionedThroughputOverride"] = {"ReadCapacityUnits": units.read_units}
    most = units.max_read_request_units
    if most is not None and most != mine.max_read_request_units:
        told["OnDemandThroughputOverride"] = {"MaxReadRequestUnits": most}
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
    if group.witness_status == "CREATING" and all(member.status != "CREATING" for member in group.members.values()):
        group.witness_status = "ACTIVE"


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
    if group.witness_status == "DELETING" and len(group.members) < 2:
        group.witness = None
    for other in group.members.values():
        other.outbox.pop(member.region, None)
    refresh(world, group)
