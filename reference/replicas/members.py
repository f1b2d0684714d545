"""How replicas come, change and go, and what a table tells of them (beyond:GT-11 … GT-19)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reference import lifecycle
from reference.account import Account
from reference.replicas.group import Consistency, Group, Member
from reference.replicas.standing import refresh
from reference.replicas.world import World, world_of
from reference.tables import encryption, streaming
from reference.tables.settings import TableSettings
from reference.tables.table import Index, Table
from reference.tables.update import Plan

SHARED_VIEW = "NEW_AND_OLD_IMAGES"
"""What a stream shows that is switched on because a replica is added (beyond:GT-11)."""


def membership(account: Account, table: Table) -> tuple[Group, Member] | None:
    """The global table that a table is a replica of, and which."""
    if account.world is None:
        return None
    world = world_of(account)
    member = world.member(account.region, table)
    return None if member is None else (world.groups[table.name], member)


def group_of(account: Account, table: Table) -> Group | None:
    """The global table that a table is a replica of."""
    found = membership(account, table)
    return None if found is None else found[0]


# Coming


def join(
    account: Account,
    name: str,
    actions: Sequence[Mapping[str, Any]],
    consistency: Consistency = "EVENTUAL",
    witness: str | None = None,
) -> None:
    """Make replicas of a table in other regions, and a witness where one is named."""
    world, table = world_of(account), account.tables[name]
    group = world.groups.get(name)
    if group is None:
        group = Group(name, consistency)
        group.members[account.region] = Member(account.region, table.id, absorbed=table.sequence)
        world.groups[name] = group
    source = group.members[account.region]
    if not group.strong:
        streamed(account, table, account.now())
    for action in actions:
        source.sourced = account.now()
        _found(world, group, account, table, action)
    if witness is not None:
        group.witness, group.witness_status = witness, "CREATING"
    _busy(account, table)
    refresh(world, group)


def streamed(account: Account, table: Table, at: float) -> None:
    """Switch on the stream of a table that gets its first replica, where it is off, as of ``at`` (epoch seconds)."""
    if table.settings.stream_view is None:
        _stream(account, table, SHARED_VIEW, at)


def _stream(account: Account, table: Table, view: str, now: float) -> None:
    taken = lifecycle.known_labels(account, table.name) | {span.label for span in table.settings.streams}
    streaming.switch_on(table.settings, view, streaming.label(now, taken), now, table.sequence)


def _busy(account: Account, table: Table) -> None:
    """The table that was asked is UPDATING for a while (beyond:GT-14)."""
    plan = Plan()
    plan.busy("replica")
    lifecycle.change(account, table, plan)


def _found(world: World, group: Group, account: Account, table: Table, action: Mapping[str, Any]) -> None:
    """Begin a replica: CREATING, and empty until it has all of its source."""
    region = action["RegionName"]
    target = world.account(region)
    now, settings = target.now(), _shared(table.settings)
    made = Table(
        group.table, table.key, settings, arn=target.arn(f"table/{group.table}"), id=target.new_id(), created=now
    )
    made.status = "CREATING"
    if settings.on_demand_since is not None:
        settings.on_demand_since = now
    settings.joined, settings.replication_mode = True, None
    if settings.sse_key is not None:
        managed = settings.sse_key == encryption.key_arn(table.arn, None)
        settings.sse_key = encryption.key_arn(made.arn, None if managed else action.get("KMSMasterKeyId"))
    for name, index in table.indexes.items():
        made.indexes[name] = Index(index.schema, index.settings.copy(), now)
    target.tables[group.table] = made
    if not group.strong and table.settings.stream_view is not None:
        _stream(target, made, table.settings.stream_view, now)
    member = Member(region, made.id, "CREATING", source=account.region)
    group.members[region] = member
    member.due = now + account.delays.create_replica
    override(made, action, now)


def _shared(settings: TableSettings) -> TableSettings:
    """The settings that all replicas have (beyond:GT-16)."""
    fresh = settings.copy()
    fresh.stream_view = fresh.stream_label = None
    fresh.streams, fresh.destinations, fresh.busy = (), (), ()
    fresh.deletion_protection, fresh.protection_changed = False, None
    fresh.pitr_since, fresh.pitr_days = None, 35
    fresh.tag_change = None
    fresh.tags, fresh.stream_tags, fresh.insights, fresh.policies, fresh.extra = {}, {}, {}, {}, {}
    return fresh


def override(table: Table, action: Mapping[str, Any], now: float) -> None:
    """Give a replica settings of its own at ``now``: reads and table class; an index that is not there is ignored."""
    settings, wanted = table.settings, action.get("TableClassOverride")
    if wanted is not None:
        if wanted != (settings.table_class or "STANDARD"):
            settings.class_changes, settings.class_changed = (*settings.class_changes, now), now
        settings.table_class = wanted
    named = [(settings, action)]
    for each in action.get("GlobalSecondaryIndexes") or ():
        if each["IndexName"] in table.indexes:
            named.append((table.indexes[each["IndexName"]].settings, each))
    for units, asked in named:
        read = (asked.get("ProvisionedThroughputOverride") or {}).get("ReadCapacityUnits")
        most = (asked.get("OnDemandThroughputOverride") or {}).get("MaxReadRequestUnits")
        if read is not None and not settings.on_demand:
            units.read_units = read
        if most is not None and settings.on_demand:
            units.max_read_request_units = most


def change(account: Account, name: str, action: Mapping[str, Any]) -> None:
    """Change what a replica overrides."""
    world = world_of(account)
    group = world.groups[name]
    member = group.members[action["RegionName"]]
    table = world.table(member, name)
    if table is not None:
        override(table, action, account.now())
    _busy(account, account.tables[name])
    refresh(world, group)


# Going


def drop(account: Account, name: str, regions: Sequence[str], *, witness: bool = False) -> None:
    """Delete the replicas in other regions, with their tables."""
    world = world_of(account)
    group = world.groups[name]
    for region in regions:
        member = group.members[region]
        target, table = world.account(region), world.table(member, name)
        if table is not None:
            lifecycle.end(target, table)
        _leaving(member, target)
    if witness:
        group.witness_status = "DELETING"
    _busy(account, account.tables[name])
    refresh(world, group)


def leave(account: Account, table: Table) -> None:
    """A replica is on its way out: its table is deleted."""
    found = membership(account, table)
    if found is not None:
        _leaving(found[1], account)
        refresh(world_of(account), found[0])


def _leaving(member: Member, account: Account) -> None:
    member.status, member.due = "DELETING", account.now() + account.delays.delete_table


def disassociate(account: Account, name: str) -> None:
    """A replica leaves the group and stays a table of its own, once everything it wrote is sent (beyond:GT-19)."""
    world = world_of(account)
    group = world.groups[name]
    member = group.members[account.region]
    member.status, member.due, member.parting = "UPDATING", account.now() + account.delays.update_table, True
    _busy(account, account.tables[name])
    refresh(world, group)


# Changing together


def everywhere(account: Account, table: Table) -> Iterator[tuple[Account, Table]]:
    """The table, then its replicas, each with its account: for settings that all of them share (beyond:GT-16)."""
    yield account, table
    found = membership(account, table)
    if found is None:
        return
    world, group = world_of(account), found[0]
    for member in group.others(account.region):
        other = world.table(member, group.table)
        if other is not None and other.status != "DELETING":
            yield world.account(member.region), other


def follow(account: Account, table: Table, plan: Plan, *, alone: bool, protected: bool | None) -> None:
    """Do on every replica what was done on one, unless that is each one's own affair.

    With ``alone`` it is, and the others are only busy with it. ``protected`` says whether it may leave the group from
    now on, where the request says so.
    """
    found = membership(account, table)
    if found is None:
        return
    group, member = found
    if protected is not None:
        member.protected = protected
    for other, replica in everywhere(account, table):
        if replica is not table and alone:
            _busy(other, replica)
        elif replica is not table:
            lifecycle.change(other, replica, plan)
    refresh(world_of(account), group)


def provide_writes(account: Account, table: Table, index: str, units: int) -> None:
    """Give every other replica, or its index of that name, the written units that one was given."""
    for other, replica in everywhere(account, table):
        if replica is not table and (not index or index in replica.indexes):
            settings = replica.indexes[index].settings if index else replica.settings
            settings.provision(settings.read_units, units, other.now())
