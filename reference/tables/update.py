"""UpdateTable: the checks that the service makes by hand, in its order, and what the change does now and later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from reference.rules import Checks, violation
from reference.tables import admission, definition, encryption, index_admission, maxima, streaming
from reference.tables.admission import INDEX_CHANGES
from reference.tables.create import NAME_MEMBERS
from reference.tables.limits import Limits
from reference.tables.settings import DAY, TableSettings, Throughput
from reference.tables.table import Table

Step: TypeAlias = Callable[[Table], None]
Body: TypeAlias = Mapping[str, Any]


@dataclass(slots=True)
class Plan:
    """What an update does: steps at once, and events (kind, arguments after name and id) after the update delay.

    ``shown`` is the status that the answer gives the table, where it isn't the one that it has.
    ``told`` are steps for the answer alone.
    """

    steps: list[Step] = field(default_factory=list)
    told: list[Step] = field(default_factory=list)
    events: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    shown: str | None = None
    rules: tuple[str, ...] = ("tables.update-answer",)

    def busy(self, cause: str) -> None:
        """Keep the table UPDATING until the update delay has passed (beyond:TBL-4)."""

        def step(table: Table) -> None:
            table.settings.busy = (*table.settings.busy, cause)
            table.status = "UPDATING"

        self.steps.append(step)
        self.events.append(("table-updated", (cause,)))


@dataclass(frozen=True, slots=True)
class State:
    """What an update is judged against. ``reserved`` are the account's provisioned units, reads and writes."""

    table: Table
    now: float
    limits: Limits
    region: str
    reserved: tuple[int, int] = (0, 0)
    taken_labels: frozenset[str] = frozenset()

    @property
    def settings(self) -> TableSettings:
        """The table's settings as they are."""
        return self.table.settings


CONCERNS = (
    "ProvisionedThroughput", "BillingMode", "StreamSpecification", "GlobalSecondaryIndexUpdates", "SSESpecification",
    "ReplicaUpdates", "TableClass", "DeletionProtectionEnabled", "OnDemandThroughput", "WarmThroughput",
    "VectorIndexUpdates", "DisassociationProtectionEnabled", "GlobalTableSettingsReplicationMode",
)  # fmt: skip
ALONE = (
    ("ReplicaUpdates", "Replica modification"),
    ("SSESpecification", "Server-Side Encryption modification"),
    ("TableClass", "TableClass modification"),
    ("DeletionProtectionEnabled", "DeletionProtection modification"),
    ("OnDemandThroughput", ""),
    ("WarmThroughput", "WarmThroughput"),
)
"""Members that must be the only change in a request, in the order in which the error names them (beyond:CAP-12).

``OnDemandThroughput`` may come with ``BillingMode``, and has words of its own."""


def concerns(body: Body) -> list[str]:
    """The changes that a request asks for; an empty list of index changes is none, nor is an empty throughput."""
    given = [name for name in CONCERNS if body.get(name) is not None]
    return [name for name in given if name == "SSESpecification" or body[name] not in ([], {})]


def request_checks(body: Body) -> Checks[None]:
    """What is wrong with a request whatever the table is (dataplane:TBL-11, TBL-13; beyond:STR-2, STR-5, CAP-12)."""
    wanted = concerns(body)
    if not wanted and _empty(body) is None:
        between = "" if body.get("MultiRegionConsistency") is not None else "MultiRegionConsistency, "
        yield violation("tables.update-nothing", between=between)
    units = body.get("ProvisionedThroughput")
    if units is not None:
        if body.get("BillingMode") == "PAY_PER_REQUEST":
            yield violation("tables.switch-with-units")
        yield from definition.unit_bounds(units)
    stream = body.get("StreamSpecification")
    if stream is not None:
        if stream["StreamEnabled"] and stream.get("StreamViewType") is None:
            yield violation("tables.stream-enable-without-view-type")
        if not stream["StreamEnabled"] and stream.get("StreamViewType") is not None:
            yield violation("tables.stream-disable-with-view-type")
    yield from encryption.checks(body.get("SSESpecification"))
    yield from definition.on_demand_range(body.get("OnDemandThroughput"), -1)
    yield from _index_actions(body)
    yield from _combination(body, wanted)


def _empty(body: Body) -> str | None:
    """The throughput member that is there without anything in it."""
    return next((name for name in ("OnDemandThroughput", "WarmThroughput") if body.get(name) == {}), None)


def actions(body: Body) -> list[tuple[str, str, Mapping[str, Any]]]:
    """The index changes of a request: (member, ``Create``, ``Update`` or ``Delete``, its arguments)."""
    return [
        (member, kind, update[kind])
        for member in INDEX_CHANGES
        for update in body.get(member) or ()
        for kind in ("Update", "Create", "Delete")
        if update.get(kind) is not None
    ]


def _index_actions(body: Body) -> Checks[None]:
    members = (("GlobalSecondaryIndexUpdates", "indexes.update-empty"), ("VectorIndexUpdates", "vectors.update-empty"))
    if body.get("GlobalSecondaryIndexUpdates") == [] and concerns(body):
        yield violation("indexes.update-list-empty")
    for member, rule in members:
        for update in body.get(member) or ():
            kinds = sum(update.get(kind) is not None for kind in ("Update", "Create", "Delete"))
            if not kinds:
                yield violation(rule)
            elif kinds > 1 and member == "GlobalSecondaryIndexUpdates":
                yield violation("indexes.update-several")
    seen: set[str] = set()
    online = 0
    for _, kind, action in actions(body):
        name = action["IndexName"]
        if kind == "Update" and action.get("WarmThroughput") == {}:
            yield violation("indexes.update-warm-empty", index=name)
        if name in seen:
            yield violation("indexes.update-twice", index=name)
        seen.add(name)
        online += kind in ("Create", "Delete")
        units = action.get("ProvisionedThroughput") or {}
        if any(units.get(m, 0) > definition.MAX_UNITS for m in maxima.UNIT_MEMBERS):
            yield violation("indexes.update-blocked")
    if online > 1:
        yield violation("indexes.one-online")


def _combination(body: Body, wanted: list[str]) -> Checks[None]:
    online = any(kind in ("Create", "Delete") for _, kind, _ in actions(body))
    units = "ProvisionedThroughput" in wanted or any(kind == "Update" for _, kind, _ in actions(body))
    if "StreamSpecification" in wanted and units:
        yield violation("tables.stream-with-units")
    if "StreamSpecification" in wanted and online:
        yield violation("tables.stream-with-index")
    if online and "ProvisionedThroughput" in wanted and "BillingMode" not in wanted:
        yield violation("tables.index-with-units")
    between = body.get("MultiRegionConsistency") is not None or body.get("GlobalTableWitnessUpdates") is not None
    if "WarmThroughput" in wanted and any(kind == "Create" for _, kind, _ in actions(body)):
        yield violation("indexes.create-with-warm-throughput")
    for member, what in ALONE:
        if member == "ReplicaUpdates" and between:
            # Then it is `global-tables.not-alone` that says so.
            return
        if member not in wanted or len(wanted) == 1:
            continue
        if what:
            yield violation("tables.update-not-alone", what=what)
        elif set(wanted) - {member, "BillingMode"}:
            yield violation("tables.on-demand-limits-with-others")


def table_checks(body: Body, state: State) -> Checks[None]:
    """Whether the table is in a state to be changed (beyond:TBL-2)."""
    table, settings = state.table, state.settings
    if not concerns(body) and (empty := _empty(body)) is not None:
        yield violation("tables.update-empty-throughput", member=empty)
    if table.status == "CREATING":
        yield violation("tables.being-created", table=table.name)
    elif table.status == "DELETING":
        yield violation("tables.being-deleted", table=table.name)
    key = body.get("SSESpecification")
    if key is not None and settings.sse_status == "UPDATING" and _key(key, table) != settings.sse_coming:
        yield violation("tables.sse-updating")
    wanted = concerns(body)
    member = definition.first_limit(body.get("OnDemandThroughput"))
    if member is not None and body.get("BillingMode") is None and admission.standing_mode(settings) == "PROVISIONED":
        yield violation("tables.update-on-demand-limit-provisioned", member=member)
    yield from admission.conflicts(table.name, settings, body, wanted)
    yield from index_admission.conflicts(table, body, wanted)


def plan_settings(body: Body, state: State, plan: Plan) -> Checks[None]:
    """All changes but those of indexes: what forbids them, and what they do."""
    yield from _plan_billing(body, state, plan)
    yield from _plan_limits(body, state, plan)
    yield from _plan_stream(body, state, plan)
    yield from _plan_encryption(body, state, plan)
    yield from _plan_class(body, state, plan)
    yield from _plan_protection(body, state, plan)
    yield from _plan_mode(body, state, plan)
    yield from maxima.warm_quota(body.get("WarmThroughput") or {}, state.limits, state.region)
    yield from plan_warmth(body.get("WarmThroughput"), state.settings, plan, None)


def _plan_billing(body: Body, state: State, plan: Plan) -> Checks[None]:
    """Billing mode and provisioned units (dataplane:TBL-12; beyond:CAP-2 … CAP-9)."""
    mode, units = body.get("BillingMode"), body.get("ProvisionedThroughput")
    settings = state.settings
    if mode == "PROVISIONED" and units is None:
        yield violation("tables.switch-without-units")
        return
    if mode is None and units is not None and settings.on_demand:
        yield violation("tables.units-on-demand")
        return
    if mode == "PROVISIONED" and settings.on_demand:
        yield from _to_provisioned(body, state, plan)
    elif mode == "PAY_PER_REQUEST" and admission.PROVISIONING in settings.busy:
        plan.told.append(_bill_requests)
        plan.shown = "UPDATING"
        plan.rules = (*plan.rules, "tables.switch-taken-back")
    elif mode == "PAY_PER_REQUEST" and not settings.on_demand:
        yield from _to_on_demand(state, plan)
    elif mode == "PAY_PER_REQUEST":
        plan.shown = "UPDATING"
    elif units is not None:
        yield from plan_units(units, state, settings, plan, "")
        plan.busy("iops")


def _to_provisioned(body: Body, state: State, plan: Plan) -> Checks[None]:
    given = {a["IndexName"]: a.get("ProvisionedThroughput") for _, kind, a in actions(body) if kind == "Update"}
    going = {a["IndexName"] for _, kind, a in actions(body) if kind == "Delete"}
    held = state.table.indexes
    bare = [name for name in held if held[name].schema.kind == "GSI" and given.get(name) is None and name not in going]
    if bare:
        yield violation("indexes.units-missing", index=",".join(bare))
    if any(vector.status != "DELETING" and name not in going for name, vector in state.settings.vectors.items()):
        yield violation("vectors.on-demand-only")
    units = body["ProvisionedThroughput"]
    yield from quotas(state, units, 0, 0)

    def step(table: Table) -> None:
        table.settings.billing_mode = "PROVISIONED"
        _provide(table.settings, units, state.now)
        for name, index in table.indexes.items():
            if index.schema.kind == "GSI":
                index.settings.billing_mode = "PROVISIONED"
                _provide(index.settings, given.get(name) or {}, state.now)

    plan.steps.append(step)
    plan.busy("iops")
    plan.busy(admission.PROVISIONING)


def _bill_requests(table: Table) -> None:
    """Bill a table on demand: it has no provisioned units."""
    held = [index.settings for index in table.indexes.values() if index.schema.kind == "GSI"]
    for settings in (table.settings, *held):
        settings.billing_mode = "PAY_PER_REQUEST"
        settings.read_units = settings.write_units = 0


def _provide(settings: Throughput, units: Mapping[str, Any], now: float) -> None:
    """Take over the first units after on-demand billing; maxima for requests end with it (beyond:CAP-3)."""
    read, write = units.get("ReadCapacityUnits", 0), units.get("WriteCapacityUnits", 0)
    settings.read_units, settings.write_units = read, write
    settings.warm_read, settings.warm_write = max(settings.warm_read, read), max(settings.warm_write, write)
    settings.max_read_request_units = settings.max_write_request_units = None


def _to_on_demand(state: State, plan: Plan) -> Checks[None]:
    now, most = state.now, state.limits.on_demand_switches
    recent = tuple(moment for moment in state.settings.on_demand_switches if moment > now - DAY)
    if len(recent) >= most:
        yield violation("tables.on-demand-switches", last=stamp(recent[-1]), next=stamp(recent[0] + DAY))

    def step(table: Table) -> None:
        table.settings.on_demand_switches = (*recent, now)
        _bill_requests(table)
        for index in table.indexes.values():
            if index.schema.kind == "GSI" and index.status != "CREATING":
                index.settings.mark(now, lower=True, higher=False)

    plan.steps.append(step)
    plan.told.append(lambda table: table.settings.mark(now, lower=True, higher=False))
    plan.busy("iops")
    plan.events.append(("on-demand", ()))


def plan_units(units: Mapping[str, Any], state: State, settings: TableSettings, plan: Plan, index: str) -> Checks[None]:
    """New provisioned units of the table, or of the index named; they show when the update is done (beyond:CAP-6)."""
    read, write = units["ReadCapacityUnits"], units["WriteCapacityUnits"]
    if (read, write) == (settings.read_units, settings.write_units):
        of, at = (f"index {index}", f"index {index}") if index else ("table", "the table")
        yield violation("tables.units-unchanged", of=of, held=at, read=read, write=write)
    if read < settings.read_units or write < settings.write_units:
        yield from _decrease(settings, state)
    yield from quotas(state, units, settings.read_units, settings.write_units, index)

    def step(table: Table) -> None:
        held = table.indexes[index].settings if index else table.settings
        held.mark(
            state.now,
            lower=read < held.read_units or write < held.write_units,
            higher=read > held.read_units or write > held.write_units,
        )

    plan.steps.append(step)
    plan.events.append(("units", (index, str(read), str(write))))


def _decrease(settings: TableSettings, state: State) -> Checks[None]:
    """Four decreases a day are free, each further one waits an hour or for the next day (beyond:CAP-7)."""
    today, last = settings.decreases_today(state.now), settings.last_decrease
    if last is None or today < state.limits.free_decreases:
        return
    due = min(last + state.limits.decrease_interval, (state.now // DAY + 1) * DAY)
    if state.now < due:
        yield violation("tables.decrease-limit", count=today, last=stamp(last), next=stamp(due))


def quotas(state: State, units: Mapping[str, Any], read: int, write: int, index: str = "") -> Checks[None]:
    """Units asked for stay within what an account and a table, or the index named, may have (beyond:CAP-8).

    ``read`` and ``write`` are held now.
    """
    for member, held, mine in zip(maxima.UNIT_MEMBERS, state.reserved, (read, write), strict=True):
        if held - mine + units[member] > state.limits.account_units:
            yield maxima.account_quota(member, held, units[member], state.limits, state.region)
    yield from maxima.table_quota(units, state.limits, state.region, index)


def _plan_limits(body: Body, state: State, plan: Plan) -> Checks[None]:
    """Maximum request units of the table (dataplane:TBL-9, beyond:CAP-10)."""
    limits = body.get("OnDemandThroughput")
    member = definition.first_limit(limits)
    if member is None:
        return
    if body.get("BillingMode") == "PROVISIONED":
        yield violation("tables.update-on-demand-limit-provisioned", member=member)
    yield from maxima.limit_quota(limits or {}, state.limits, state.region)
    plan.steps.append(lambda table: set_limits(table.settings, limits or {}))
    plan.events.append(("limits-lifted", ()))


def set_limits(settings: Throughput, limits: Mapping[str, Any]) -> None:
    """Merge maximum request units; -1 shows in the answer and is lifted soon after."""
    if limits.get("MaxReadRequestUnits") is not None:
        settings.max_read_request_units = limits["MaxReadRequestUnits"]
    if limits.get("MaxWriteRequestUnits") is not None:
        settings.max_write_request_units = limits["MaxWriteRequestUnits"]


def _plan_stream(body: Body, state: State, plan: Plan) -> Checks[None]:
    """Switch the stream on or off (beyond:STR-3, STR-4, STR-6)."""
    stream = body.get("StreamSpecification")
    if stream is None:
        return
    table, now = state.table, state.now
    if stream["StreamEnabled"]:
        if state.settings.stream_view is not None:
            yield violation("tables.stream-enabled-already", table=table.name)
        taken = state.taken_labels | {span.label for span in state.settings.streams}
        label, view_type = streaming.label(now, taken), stream.get("StreamViewType")
        plan.steps.append(lambda t: streaming.switch_on(t.settings, view_type, label, now, t.sequence))
    else:
        if state.settings.stream_view is None:
            yield violation("tables.stream-disabled-already", table=table.name)
        plan.steps.append(lambda t: streaming.switch_off(t.settings, now, t.sequence))
    plan.busy("stream")


def _plan_encryption(body: Body, state: State, plan: Plan) -> Checks[None]:
    """Change the key that protects the table (beyond:SEC-3)."""
    specification = body.get("SSESpecification")
    if specification is None:
        return
    settings, now, limits = state.settings, state.now, state.limits
    key = _key(specification, state.table)
    if not key and settings.sse_key is None and settings.sse_status != "UPDATING":
        yield violation("tables.sse-default-already")
    elif settings.sse_key is not None and specification.get("KMSMasterKeyId") == settings.sse_key:
        yield violation("tables.sse-key-already")
    recent = encryption.window(settings.sse_changes, now)
    yield from encryption.quota(recent, now, limits.sse_changes, limits.sse_interval)
    yield from encryption.key_checks(specification, state.table.arn)

    managed = bool(key) and key == encryption.key_arn(state.table.arn, None)

    def step(table: Table) -> None:
        # A replica has the key that AWS manages in its own region.
        coming = encryption.key_arn(table.arn, None) if managed else key
        table.settings.sse_status, table.settings.sse_coming = "UPDATING", coming
        table.settings.sse_changes = (*recent, now)

    plan.steps.append(step)
    plan.events.append(("encrypted", (key,)))
    plan.shown = "ACTIVE"


def _key(specification: Mapping[str, Any], table: Table) -> str:
    """The ARN of the key that a specification asks for, empty for none of one's own."""
    if not encryption.wanted(specification):
        return ""
    return encryption.key_arn(table.arn, specification.get("KMSMasterKeyId"))


def _plan_class(body: Body, state: State, plan: Plan) -> Checks[None]:
    """Change the table class, twice in 30 days; one that it has already is no change (beyond:SEC-1)."""
    wanted, now = body.get("TableClass"), state.now
    if wanted is None:
        return
    recent = tuple(m for m in state.settings.class_changes if m > now - state.limits.class_interval)
    if len(recent) >= state.limits.class_changes:
        yield violation("tables.class-changes", limit=state.limits.class_changes)
    if wanted == (state.settings.table_class or "STANDARD"):
        plan.shown = "UPDATING"
        return

    def step(table: Table) -> None:
        table.settings.class_coming = wanted
        table.settings.class_changes = (*recent, now)

    plan.steps.append(step)
    plan.events.append(("classed", (wanted,)))
    plan.busy("class")


def _plan_protection(body: Body, state: State, plan: Plan) -> Checks[None]:
    """Protect the table from deletion or not; at once, and not too often (beyond:SEC-2)."""
    wanted, now = body.get("DeletionProtectionEnabled"), state.now
    if wanted is None:
        return
    changed, cooldown = state.settings.protection_changed, state.limits.protection_cooldown
    if changed is not None and now < changed + cooldown:
        again = streaming.label(changed + cooldown, ())
        yield violation("tables.protection-cooldown", table=state.table.name, ms=round(cooldown * 1000), again=again)

    def step(table: Table) -> None:
        if table.settings.deletion_protection != wanted:
            table.settings.protection_changed = now
        table.settings.deletion_protection = wanted

    plan.steps.append(step)


def _plan_mode(body: Body, state: State, plan: Plan) -> Checks[None]:
    """Whether settings are replicated; a table with replicas keeps telling of overrides (beyond:GT-15)."""
    mode = body.get("GlobalTableSettingsReplicationMode")
    if mode is None or "replicas" in state.settings.extra:
        return
    if mode == "ENABLED_WITH_OVERRIDES":
        yield violation("global-tables.settings-mode")

    def step(table: Table) -> None:
        table.settings.replication_mode = mode

    plan.steps.append(step)


def plan_warmth(warm: Mapping[str, Any] | None, settings: TableSettings, plan: Plan, index: str | None) -> Checks[None]:
    """Raise what the table, or the index named, can serve at once; never lower it (beyond:CAP-11).

    It shows when the update is done; until then, further requests are held against what there was, and the last counts.
    """
    if not warm:
        return
    held = (settings.warm_read, settings.warm_write)
    of = "table" if index is None else f"index {index}"
    for i, member in enumerate(NAME_MEMBERS):
        if warm.get(member) is not None and warm[member] < held[i]:
            yield violation("tables.warm-decrease", member=member, of=of)

    def step(table: Table) -> None:
        units = table.settings if index is None else table.indexes[index].settings
        read, write = units.warm_coming or (units.warm_read, units.warm_write)
        units.warm_coming = (warm.get(NAME_MEMBERS[0]) or read, warm.get(NAME_MEMBERS[1]) or write)
        units.warm_status = "UPDATING"

    plan.steps.append(step)
    plan.events.append(("warm-active", ()))


def stamp(moment: float) -> str:
    """A moment as limit messages print it."""
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at:%A, %B} {at.day}, {at:%Y} at {at.hour % 12 or 12}:{at:%M:%S %p} Coordinated Universal Time"
