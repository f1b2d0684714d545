"""UpdateTable's changes of replicas, and what membership in a global table forbids (beyond:GT-10 … GT-19)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reference.account import Account
from reference.operations.base import Context, Outcome
from reference.regions import possible
from reference.replicas import members
from reference.replicas.group import Group, Member
from reference.replicas.standing import VERSION
from reference.replicas.world import world_of
from reference.rules import Checks, violation
from reference.scaling import replicas as scaled
from reference.scaling.targets import seen
from reference.tables import describe, encryption
from reference.tables.definition import watched
from reference.tables.outline import outline
from reference.tables.table import Table
from reference.tables.update import Body

ACTIONS = ("Create", "Update", "Delete", "Disassociate")
SOURCE_SECONDS = 24 * 3600
"""How long a region that a replica was made from can't be deleted (beyond:GT-13)."""
STRONG_REGIONS = frozenset({
    "us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1",
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
})  # fmt: skip
"""The regions of tables with strong consistency (beyond:GT-6)."""
STRONG_OTHERS = 2
"""Replicas, or a replica and a witness, that a table with strong consistency has beside its own region."""
_PART = frozenset({"ReplicaUpdates", "GlobalTableWitnessUpdates", "MultiRegionConsistency", "TableName"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants of replicas: the actions by kind, and the witnesses that come and go."""

    create: tuple[Mapping[str, Any], ...]
    update: tuple[Mapping[str, Any], ...]
    delete: tuple[Mapping[str, Any], ...]
    disassociate: tuple[Mapping[str, Any], ...]
    witness: str | None
    without_witness: str | None
    strong: bool
    chosen: bool
    """Whether the request says anything of the consistency between regions."""

    @classmethod
    def of(cls, body: Body) -> Asked:
        """What a request that is well formed asks for."""
        updates = body.get("ReplicaUpdates") or ()
        found = {kind: tuple(u[kind] for u in updates if u.get(kind) is not None) for kind in ACTIONS}
        witnesses = body.get("GlobalTableWitnessUpdates") or ()
        made = [u["Create"]["RegionName"] for u in witnesses if u.get("Create") is not None]
        gone = [u["Delete"]["RegionName"] for u in witnesses if u.get("Delete") is not None]
        created = {each["RegionName"]: each for each in found["Create"]}
        return cls(
            tuple(created.values()), found["Update"], found["Delete"], found["Disassociate"],
            made[0] if made else None, gone[0] if gone else None, body.get("MultiRegionConsistency") == "STRONG",
            body.get("MultiRegionConsistency") is not None,
        )  # fmt: skip

    @property
    def regions(self) -> tuple[str, ...]:
        """Every region that a replica comes to, changes in, or goes from."""
        return tuple(each["RegionName"] for each in (*self.create, *self.update, *self.delete))


def update_replicas(context: Context, body: Body, table: Table) -> Checks[Outcome | None]:
    """UpdateTable with ReplicaUpdates: one thing at a time, and nothing else."""
    _, sound = yield from watched(_request(body))
    if not sound:
        return None
    asked, group = Asked.of(body), members.group_of(context.account, table)
    _, fitting = yield from watched(_fits(context.account, table, asked, group))
    if not fitting:
        return None
    # One moment for the answer and what is done, so that both speak of one stream.
    name, now = table.name, context.now()
    told = outline(table)
    told.status = "UPDATING"
    if group is None and not asked.strong:
        members.streamed(context.account, told, now)
    answer: dict[str, Any] = {"Replicas": [], "GlobalTableVersion": VERSION}
    if asked.strong:
        answer["MultiRegionConsistency"] = "STRONG"
    answer |= describe.table(told, now)

    def effect(account: Account) -> None:
        if group is None and not asked.strong:
            members.streamed(account, account.tables[name], now)
        _do(account, name, asked)

    return Outcome({"TableDescription": answer}, effects=(effect,), rules=("global-tables.update-answer",))


def _do(account: Account, name: str, asked: Asked) -> None:
    if asked.create or asked.witness:
        members.join(account, name, asked.create, "STRONG" if asked.strong else "EVENTUAL", asked.witness)
        for action in asked.create:
            scaled.mirror(account, name, action["RegionName"])
    for action in asked.update:
        members.change(account, name, action)
    if asked.delete:
        regions = [each["RegionName"] for each in asked.delete]
        members.drop(account, name, regions, witness=asked.without_witness is not None)
    if asked.disassociate:
        members.disassociate(account, name)


def _request(body: Body) -> Checks[None]:
    """What is wrong whatever the table is."""
    if any(
        "RegionName" not in update["Create"] for update in body["ReplicaUpdates"] if update.get("Create") is not None
    ):
        yield violation("global-tables.nowhere")
        return
    witnesses = body.get("GlobalTableWitnessUpdates") or ()
    coming = [each["Create"]["RegionName"] for each in witnesses if each.get("Create") is not None]
    if coming and body.get("MultiRegionConsistency") != "STRONG":
        yield violation("global-tables.witness-without-strong")
    if set(body) - _PART:
        yield violation("global-tables.not-alone")
    updates = body["ReplicaUpdates"]
    if any(_idle(update) for update in updates):
        yield violation("global-tables.no-action")
    if any(sum(update.get(kind) is not None for kind in ACTIONS) > 1 for update in updates):
        yield violation("global-tables.several-actions")
    asked = Asked.of(body)
    if asked.strong and any(update.get("Create") is None for update in updates):
        yield violation("global-tables.strong-only-create")
    elif asked.strong:
        yield from _strong_regions(asked)
    # Several that go may be all of a table with strong consistency: that is looked at later.
    created = {each["RegionName"] for each in asked.create}
    if created and not asked.strong and len(created) + len(asked.delete) > 1:
        yield violation("global-tables.one-at-a-time")


_OVERRIDES = ("KMSMasterKeyId", "ProvisionedThroughputOverride", "OnDemandThroughputOverride", "TableClassOverride")


def _idle(update: Mapping[str, Any]) -> bool:
    """Whether a change of replicas does nothing: it has no action, or its update overrides nothing."""
    given = [kind for kind in ACTIONS if update.get(kind) is not None]
    if given != ["Update"]:
        return not given
    asked = (update["Update"], *(update["Update"].get("GlobalSecondaryIndexes") or ()))
    return all(each.get(name) is None for each in asked for name in _OVERRIDES)


def _strong_regions(asked: Asked) -> Checks[None]:
    """Whether so many regions, and these, can share a table with strong consistency (beyond:GT-18)."""
    others = [each["RegionName"] for each in asked.create]
    regions = [*others, *([asked.witness] if asked.witness else ())]
    if len(regions) != STRONG_OTHERS:
        yield violation("global-tables.strong-count")
    wrong = [region for region in dict.fromkeys(regions) if region not in STRONG_REGIONS]
    if wrong:
        yield violation("global-tables.strong-regions", regions=", ".join(wrong))
    if asked.witness in others:
        yield violation("global-tables.several-regions")


def _fits(account: Account, table: Table, asked: Asked, group: Group | None) -> Checks[None]:
    """Whether a sound request fits the table and the replicas it has; that all is settled is asked late."""
    mine = None if group is None else group.members[account.region]
    if mine is not None and mine.protected and asked.disassociate:
        yield violation("global-tables.disassociation-protected")
    if table.status == "CREATING" and mine is None:
        yield violation("tables.being-created", table=table.name)
    elif table.status == "DELETING" and mine is None:
        yield violation("tables.being-deleted", table=table.name)
    elif table.status == "DELETING":
        yield violation("global-tables.busy")
    for region in asked.regions:
        if not possible(region):
            yield violation("tables.replicas", region=region)
    if account.region in (each["RegionName"] for each in (*asked.create, *asked.delete)):
        yield violation("global-tables.local-region")
    if group is not None and any(_coming(group, each["RegionName"]) for each in asked.create):
        yield violation(
            "global-tables.replica-coming-twice", table=table.name, regions=", ".join(sorted(group.members))
        )
    yield from _strong(account, table, asked, group)
    yield from _known(account, table, asked, group)
    if mine is not None and mine.status == "CREATING" and asked.create:
        yield violation("global-tables.replica-coming", table=table.name, region=account.region)
    unsettled = group is not None and (table.status != "ACTIVE" or _unsettled(group))
    if unsettled or table.status == "UPDATING":
        yield violation("global-tables.busy")
    yield from _overrides(table, asked)
    yield from _keys(account, table, asked)
    if asked.create and not table.settings.on_demand:
        if not _writes_scaled(account, table.name):
            yield violation("global-tables.table-not-scaled")
        names = [name for name, index in table.indexes.items() if index.schema.kind == "GSI"]
        if any(not _writes_scaled(account, table.name, name) for name in names):
            yield violation("global-tables.index-not-scaled")


def _overrides(table: Table, asked: Asked) -> Checks[None]:
    """Whether an override goes with the billing mode; a new replica's that does not is ignored (beyond:GT-10)."""
    for update in asked.update:
        if update.get("KMSMasterKeyId") is not None:
            yield violation("global-tables.replica-key")
        unfit = "ProvisionedThroughputOverride" if table.settings.on_demand else "OnDemandThroughputOverride"
        if update.get(unfit) is not None:
            rule = "override-on-demand" if table.settings.on_demand else "override-provisioned"
            yield violation(f"global-tables.{rule}")
        if any(each.get(unfit) is not None for each in update.get("GlobalSecondaryIndexes") or ()):
            yield violation("global-tables.override-index")


def _keys(account: Account, table: Table, asked: Asked) -> Checks[None]:
    """Whether new replicas are encrypted as the table is: each with a key of the customer, or none (beyond:GT-10)."""
    held = table.settings.sse_key
    managed = held == encryption.key_arn(table.arn, None)
    for action in asked.create:
        key: str | None = action.get("KMSMasterKeyId")
        region: str = action["RegionName"]
        own = key is not None and key.rpartition(":")[2] != encryption.MANAGED
        if (held is None and key is not None) or (held is not None and not managed and key is None):
            yield violation("global-tables.replica-key")
        elif held is not None and key is not None and own == managed:
            yield violation("global-tables.replica-key-kinds")
        elif key is not None and key.startswith("arn:") and key.split(":")[3:4] != [region]:
            yield violation("global-tables.replica-key-elsewhere", region=region, other=":".join(key.split(":")[3:4]))


def _coming(group: Group, region: str) -> bool:
    return region in group.members and group.members[region].status == "CREATING"


def _writes_scaled(account: Account, table: str, index: str = "") -> bool:
    """Whether the written units of a table, or of an index of it, have a target and a policy (beyond:GT-12)."""
    resource = f"table/{table}/index/{index}" if index else f"table/{table}"
    slot = (resource, f"dynamodb:{'index' if index else 'table'}:WriteCapacityUnits")
    scaling = seen(account)
    return slot in scaling.targets and any(about == slot for about, _ in scaling.policies)


def _unsettled(group: Group) -> bool:
    return any(member.status != "ACTIVE" for member in group.members.values())


def _known(account: Account, table: Table, asked: Asked, group: Group | None) -> Checks[None]:
    """Whether replicas that are to come are new, and those that are to change or go are there (beyond:GT-13)."""
    world = account.world
    there = {} if group is None else group.members
    for region in (each["RegionName"] for each in asked.create):
        namesake = world is not None and region in world.accounts and table.name in world.accounts[region].tables
        if (namesake or region in there) and not (group is not None and _coming(group, region)):
            yield violation("global-tables.replica-exists", table=table.name)
    missing = [each["RegionName"] for each in (*asked.update, *asked.delete) if each["RegionName"] not in there]
    missing += [each["RegionName"] for each in asked.disassociate if each["RegionName"] not in there]
    if missing or group is None:
        if missing:
            yield violation("global-tables.replica-missing", regions=", ".join(missing))
        return
    if asked.disassociate and asked.disassociate[0]["RegionName"] != account.region:
        yield violation("global-tables.disassociate-elsewhere")
    for region in (each["RegionName"] for each in asked.delete if each["RegionName"] != account.region):
        yield from going(account, group, there[region])


def going(account: Account, group: Group, member: Member) -> Checks[None]:
    """Whether a replica may be deleted (beyond:GT-13, GT-17)."""
    fresh = member.sourced is not None and account.now() < member.sourced + SOURCE_SECONDS
    if fresh and group.a_source(member):
        yield violation("global-tables.source-region", hours=SOURCE_SECONDS // 3600)
    replica = world_of(account).table(member, group.table)
    if replica is not None and replica.settings.deletion_protection:
        yield violation("global-tables.replica-protected", table=group.table, region=member.region)


def _strong(account: Account, table: Table, asked: Asked, group: Group | None) -> Checks[None]:
    """The rules of strong consistency between regions (beyond:GT-6, GT-18)."""
    if group is not None and asked.chosen:
        yield violation("global-tables.strong-too-late")
        return
    if group is not None and group.strong:
        yield from _strong_group(account, asked, group)
        return
    if len(asked.delete) > 1:
        yield violation("global-tables.one-at-a-time")
    if not asked.strong:
        return
    if asked.witness == account.region:
        yield violation("global-tables.witness-local")
    if account.region not in STRONG_REGIONS:
        yield violation("global-tables.strong-regions", regions=account.region)
    local = any(index.schema.kind == "LSI" for index in table.indexes.values())
    if len(table.view.rows) or local or table.settings.ttl_attribute is not None:
        yield violation("global-tables.strong-table")


def _strong_group(account: Account, asked: Asked, group: Group) -> Checks[None]:
    """A table with strong consistency keeps its regions, or loses all the others at once."""
    if asked.create:
        yield violation("global-tables.strong-complete")
    leaving = {each["RegionName"] for each in asked.delete}
    others = {member.region for member in group.others(account.region)}
    if asked.without_witness is not None and asked.without_witness != group.witness:
        yield violation("global-tables.witness-missing", regions=asked.without_witness)
    elif leaving and leaving != others:
        yield violation("global-tables.strong-replica-alone")
    elif leaving and group.witness is not None and asked.without_witness is None:
        yield violation("global-tables.strong-witness-left")


# What membership forbids elsewhere


def settings_checks(account: Account, table: Table, body: Body) -> Checks[None]:
    """What UpdateTable may not do to a replica (beyond:GT-11, GT-13)."""
    group = members.group_of(account, table)
    if group is None:
        return
    stream = body.get("StreamSpecification")
    if stream is not None and not group.strong and not stream["StreamEnabled"]:
        yield violation("global-tables.stream-stays")
    changed = {name for name, value in body.items() if value is not None} - {"TableName"}
    if changed and (table.status == "UPDATING" or _unsettled(group)):
        yield violation("global-tables.busy")
    if body.get("TableClass") is not None:
        yield from _class_changes(account, group)
    if scaled_indexes(account, table, body):
        yield from _indexes_scaled(account, table)


def _class_changes(account: Account, group: Group) -> Checks[None]:
    """A table's class changes on every replica, and each of them only so often (beyond:GT-16)."""
    limits, now = account.limits, account.now()
    for member in group.others(account.region):
        replica = world_of(account).table(member, group.table)
        changes = () if replica is None else replica.settings.class_changes
        if sum(moment > now - limits.class_interval for moment in changes) >= limits.class_changes:
            yield violation("global-tables.class-changes", region=member.region, limit=limits.class_changes)


def scaled_indexes(account: Account, table: Table, body: Body) -> list[str]:
    """The indexes that a provisioned table with replicas gets: their written units are scaled (beyond:GT-12)."""
    if table.settings.on_demand or members.group_of(account, table) is None:
        return []
    made = [each["Create"] for each in body.get("GlobalSecondaryIndexUpdates") or () if each.get("Create")]
    return [each["IndexName"] for each in made]


def _indexes_scaled(account: Account, table: Table) -> Checks[None]:
    names = [name for name, index in table.indexes.items() if index.schema.kind == "GSI"]
    if any(not _writes_scaled(account, table.name, name) for name in names):
        yield violation("global-tables.index-not-scaled")


def delete_checks(account: Account, table: Table) -> Checks[None]:
    """Whether DeleteTable may take a replica away (beyond:GT-17, GT-18)."""
    found = members.membership(account, table)
    if found is None:
        if table.settings.deletion_protection:
            yield violation("tables.protected")
        return
    group, member = found
    if group.strong:
        yield violation("global-tables.strong-replica-alone")
        return
    if table.arriving:
        yield violation("global-tables.replica-being-made", table=table.name)
        return
    yield from going(account, group, member)
    if table.status != "ACTIVE":
        yield violation("global-tables.busy")


def expiry_checks(account: Account, table: Table) -> Checks[None]:
    """Whether time to live may be changed on a replica (beyond:TTL-6, TTL-9, GT-6)."""
    group = members.group_of(account, table)
    if group is None:
        return
    if group.strong:
        yield violation("global-tables.strong-expiry")
    coming = next((m for m in group.members.values() if m.status == "CREATING"), None)
    if coming is not None:
        yield violation("global-tables.replica-coming", table=table.name, region=coming.region)


def data_checks(context: Context, body: Body, outcome: Outcome) -> Checks[None]:
    """Whether a data operation that is sound in itself may be done to tables with strong consistency (beyond:GT-6)."""
    account = context.account
    world = world_of(account)
    if context.operation in ("TransactWriteItems", "TransactGetItems", "ExecuteTransaction"):
        named = [part for action in body.get("TransactItems") or () for part in action.values()]
        found = [account.any_table(part["TableName"]) for part in named if isinstance(part, dict)]
        tables = {table.name for table in found if table is not None} | {each.table for each in outcome.changes}
        if world.strong(account.region, tables):
            yield violation("global-tables.strong-transaction")
    if outcome.changes and world.conflict(account.region, outcome.changes):
        yield violation("global-tables.write-conflict")
