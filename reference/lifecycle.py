"""States that change by themselves: tables, indexes and settings reach their next state when they are due.

Events name their table by name and id, so that one meant for a deleted table never touches a namesake.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from reference.account import Account
from reference.agenda import Event
from reference.backups import store
from reference.tables import insights, streaming
from reference.tables.create import ON_DEMAND_WARM
from reference.tables.settings import DAY, STREAM_RETENTION, Destination
from reference.tables.table import Index, Table
from reference.tables.update import Plan
from reference.tables.vector import VectorIndex

KINESIS_ARN = re.compile(r"arn:[^:]+:kinesis:[^:]+:[0-9]{12}:stream/[a-zA-Z0-9_.-]{1,128}")


def settle(account: Account) -> None:
    """Let everything happen that is due by now, in every region."""
    if account.world is not None:
        account.world.settle()
    else:
        settle_own(account)


def settle_own(account: Account) -> None:
    """Let everything happen in this region that is due by now."""
    now = account.now()
    while (event := account.agenda.next_due(now)) is not None:
        HANDLERS[event.what](account, event)


@dataclass(frozen=True, slots=True)
class Grave:
    """A deleted table whose streams can still be read, and when it went (epoch seconds)."""

    table: Table
    at: float


class Graves:
    """Deleted tables whose streams are still within their retention, the latest last."""

    __slots__ = ("held",)

    def __init__(self, held: tuple[Grave, ...] = ()) -> None:
        self.held = held

    def bury(self, table: Table, now: float) -> None:
        """Keep a deleted table for the readers of its streams."""
        self.held = (*self.held, Grave(table, now))

    def trim(self, now: float) -> None:
        """Forget tables whose streams nobody may read any more."""
        self.held = tuple(grave for grave in self.held if grave.at > now - STREAM_RETENTION)

    def copy(self) -> Graves:
        """An independent list of the same tables; a deleted table never changes again."""
        return Graves(self.held)


def graves(account: Account) -> Graves:
    """The account's deleted tables that still have readable streams."""
    room = account.rooms.setdefault("graves", Graves())
    assert isinstance(room, Graves)
    return room


def deleted_tables(account: Account) -> list[Table]:
    """The account's deleted tables that still have readable streams, the latest last; changes nothing."""
    room = account.rooms.get("graves", Graves())
    return [grave.table for grave in room.held]


def remembered_tables(account: Account) -> list[Table]:
    """Deleted tables that still have readable streams, then the living ones."""
    return [*deleted_tables(account), *account.tables.values()]


def known_labels(account: Account, name: str) -> frozenset[str]:
    """Labels of streams that deleted tables of that name have left."""
    gone = (table for table in deleted_tables(account) if table.name == name)
    return frozenset(span.label for table in gone for span in table.settings.streams)


def begin(account: Account, table: Table, delay: float | None = None) -> None:
    """Put a new table into the account; it is CREATING until a delay in seconds, or the account's, has passed."""
    account.tables[table.name] = table
    retain(account, table)
    now = account.now()
    active = now + (account.delays.create_table if delay is None else delay)
    account.agenda.add(active, "table-active", table.name, table.id)
    if table.settings.warm_status != "ACTIVE" or any(i.settings.warm_status != "ACTIVE" for i in _indexes(table)):
        account.agenda.add(now + account.delays.update_table, "warm-active", table.name, table.id)


def end(account: Account, table: Table) -> None:
    """Let a table go: it is DELETING until the account's delay has passed."""
    table.status, table.settings.going_since = "DELETING", account.now()
    account.agenda.add(account.now() + account.delays.delete_table, "table-gone", table.name, table.id)


def retain(account: Account, table: Table) -> None:
    """Keep as much history as stale readers, stream readers and point-in-time recovery may ask for."""
    now, settings = account.now(), table.settings
    keep = account.keep
    ended = [span.ended for span in settings.streams if span.ended is not None]
    sent = [each for held in settings.destinations for each in held.deliveries]
    ended += [each.ended for each in sent if each.ended is not None]
    on = settings.stream_view is not None or "replicas" in settings.extra or any(each.ended is None for each in sent)
    if on or any(moment > now - STREAM_RETENTION for moment in ended):
        keep = max(keep, STREAM_RETENTION)
    if settings.pitr_since is not None:
        keep = max(keep, settings.pitr_days * DAY)
    table.keep = keep
    table.trim(now)


def change(account: Account, table: Table, plan: Plan) -> None:
    """Do what an update planned, and put what comes later on the agenda."""
    now = account.now()
    for step in plan.steps:
        step(table)
    for what, about in plan.events:
        # A removed maximum is only echoed: that change is synchronous (beyond:TBL-4).
        delay = 0.0 if what == "limits-lifted" else account.delays.update_table
        account.agenda.add(now + delay, what, table.name, table.id, *about)
    retain(account, table)
    if any(span.ended == now for span in table.settings.streams):
        account.agenda.add(now + STREAM_RETENTION, "history-reviewed", table.name, table.id)


def _table(account: Account, event: Event) -> Table | None:
    """The table an event is about, if it is still that table."""
    table = account.tables.get(event.about[0])
    return table if table is not None and table.id == event.about[1] else None


def _indexes(table: Table) -> list[Index]:
    return [index for index in table.indexes.values() if index.schema.kind == "GSI"]


def _table_active(account: Account, event: Event) -> None:
    table = _table(account, event)
    if table is None or table.status != "CREATING":
        return
    table.status = "ACTIVE"
    table.settings.extra.pop("RestoreSummary", None)
    for index in _indexes(table):
        index.status = "ACTIVE"
    vectors = table.settings.vectors
    table.settings.vectors = {name: replace(each, status="ACTIVE") for name, each in vectors.items()}


def _table_gone(account: Account, event: Event) -> None:
    table = _table(account, event)
    if table is None or table.status != "DELETING":
        return
    del account.tables[table.name]
    if table.settings.pitr_since is not None:
        made = store.keep_deleted(account.rooms, table, event.at)
        if made.expires is not None:
            account.agenda.add(made.expires, "backup-expired", table.name, made.id)
    if table.settings.streams or table.settings.destinations:
        streaming.switch_off(table.settings, event.at, table.sequence)
        graves(account).bury(table, event.at)
        account.agenda.add(event.at + STREAM_RETENTION, "graves-trimmed")


def _backup_expired(account: Account, event: Event) -> None:
    store.backups(account.rooms).drop(event.about[0], event.about[1])


def _table_updated(account: Account, event: Event) -> None:
    table = _table(account, event)
    if table is None:
        return
    causes = list(table.settings.busy)
    if event.about[2] in causes:
        causes.remove(event.about[2])
    table.settings.busy = tuple(causes)
    if table.status == "UPDATING" and not causes:
        table.status = "ACTIVE"


def _warm_active(account: Account, event: Event) -> None:
    table = _table(account, event)
    if table is None:
        return
    for settings in (table.settings, *(index.settings for index in _indexes(table))):
        read, write = settings.warm_coming or (0, 0)
        settings.warm_read, settings.warm_write = max(settings.warm_read, read), max(settings.warm_write, write)
        settings.warm_status, settings.warm_coming = "ACTIVE", None


def _on_demand(account: Account, event: Event) -> None:
    """A table is billed on demand from now on, and serves what such tables begin with (beyond:CAP-9, CAP-11)."""
    table = _table(account, event)
    if table is None:
        return
    table.settings.on_demand_since = event.at
    for index in _indexes(table):
        # The end of provisioned units counts as a decrease for an index, for a table it doesn't.
        if index.settings.last_decrease in table.settings.on_demand_switches[-1:]:
            index.settings.decreases += 1
    for settings in (table.settings, *(index.settings for index in _indexes(table))):
        settings.warm_read = max(settings.warm_read, ON_DEMAND_WARM[0])
        settings.warm_write = max(settings.warm_write, ON_DEMAND_WARM[1])


def _units(account: Account, event: Event) -> None:
    """Provisioned units reach a table (index name empty) or one of its indexes."""
    table = _table(account, event)
    if table is None:
        return
    index, read, write = event.about[2:]
    settings = table.settings
    if index:
        if index not in table.indexes:
            return
        settings = table.indexes[index].settings
        if table.indexes[index].status == "UPDATING":
            table.indexes[index].status = "ACTIVE"
    settings.provision(int(read), int(write), event.at)


def _index_allocated(account: Account, event: Event) -> None:
    """An index added to a living table has its resources: now it is filled (dataplane:TBL-15)."""
    table, name = _table(account, event), event.about[2]
    if table is None:
        return
    if name in table.indexes:
        table.indexes[name].backfilling = True
    elif name in table.settings.vectors:
        _set_vector(table, replace(table.settings.vectors[name], backfilling=True))
    else:
        return
    account.agenda.add(event.at + account.delays.backfill, "index-active", table.name, table.id, name)


def _index_active(account: Account, event: Event) -> None:
    table, name = _table(account, event), event.about[2]
    if table is None:
        return
    index, vector = table.indexes.get(name), table.settings.vectors.get(name)
    if index is not None and index.status == "CREATING":
        table.fill(index)
        index.status, index.backfilling = "ACTIVE", None
    if vector is not None and vector.status == "CREATING":
        _set_vector(table, replace(vector, status="ACTIVE", backfilling=None))


def _index_updated(account: Account, event: Event) -> None:
    table, name = _table(account, event), event.about[2]
    if table is not None and name in table.indexes and table.indexes[name].status == "UPDATING":
        table.indexes[name].status = "ACTIVE"


def _index_gone(account: Account, event: Event) -> None:
    table, name = _table(account, event), event.about[2]
    if table is None:
        return
    if name in table.indexes and table.indexes[name].status == "DELETING":
        del table.indexes[name]
        held = table.settings.insights
        table.settings.insights = {index: each for index, each in held.items() if index != name}
    elif name in table.settings.vectors and table.settings.vectors[name].status == "DELETING":
        table.settings.vectors = {n: each for n, each in table.settings.vectors.items() if n != name}


def _set_vector(table: Table, vector: VectorIndex) -> None:
    table.settings.vectors = {**table.settings.vectors, vector.name: vector}


def _limits_lifted(account: Account, event: Event) -> None:
    """A maximum of -1 has been shown once; from now on there is none (beyond:CAP-10)."""
    table = _table(account, event)
    if table is None:
        return
    for settings in (table.settings, *(index.settings for index in _indexes(table))):
        if settings.max_read_request_units == -1:
            settings.max_read_request_units = None
        if settings.max_write_request_units == -1:
            settings.max_write_request_units = None


def _encrypted(account: Account, event: Event) -> None:
    table = _table(account, event)
    if table is None:
        return
    settings = table.settings
    key = event.about[2] if settings.sse_coming is None else settings.sse_coming
    settings.sse_key, settings.sse_status, settings.sse_coming = key or None, "ENABLED", None


def _classed(account: Account, event: Event) -> None:
    table = _table(account, event)
    if table is None:
        return
    settings = table.settings
    settings.table_class, settings.class_changed, settings.class_coming = event.about[2], event.at, None


_SETTLED = {"ENABLING": "ENABLED", "DISABLING": "DISABLED"}
_DESTINATION_SETTLED = {"ENABLING": "ACTIVE", "UPDATING": "ACTIVE", "DISABLING": "DISABLED"}


def _insights_settled(account: Account, event: Event) -> None:
    table = _table(account, event)
    if table is None or event.about[2] not in table.settings.insights:
        return
    held = table.settings.insights[event.about[2]]
    settled = replace(held, status=_SETTLED.get(held.status, held.status))
    if held.status == "DISABLING":
        settled = replace(settled, failure=None)
    rules = insights.rules_held(account.tables.values()) + len(insights.rules_of(table, event.about[2], held))
    if held.status == "ENABLING" and rules > account.limits.insight_rules:
        settled = replace(held, status="FAILED", changed=event.at, failure=insights.TOO_MANY)
    table.settings.insights = {**table.settings.insights, event.about[2]: settled}


def _destination_settled(account: Account, event: Event) -> None:
    """A Kinesis destination reaches its state; one that is no Kinesis stream fails only now (beyond:KDS-8)."""
    table = _table(account, event)
    if table is None:
        return
    after = [
        _settled_destination(account, held, table.sequence) if held.arn == event.about[2] else held
        for held in table.settings.destinations
    ]
    table.settings.destinations = tuple(after)
    retain(account, table)
    account.agenda.add(account.now() + STREAM_RETENTION, "history-reviewed", table.name, table.id)


def _settled_destination(account: Account, held: Destination, sequence: int) -> Destination:
    now = account.now()
    failed = _unfit(account, held.arn) if held.status == "ENABLING" else None
    if failed is not None:
        return replace(held, status="ENABLE_FAILED", description=failed)
    settled = replace(held, status=_DESTINATION_SETTLED.get(held.status, held.status))
    if held.status in ("ENABLING", "UPDATING"):
        return settled.begin(sequence, now)
    return settled.finish(sequence, now) if held.status == "DISABLING" else settled


def _unfit(account: Account, arn: str) -> str | None:
    """Why no changes can go to an ARN, in the service's words; None where they can."""
    if KINESIS_ARN.fullmatch(arn) is None:
        return "User does not have a permission to use kinesis stream"
    if arn.split(":")[3] != account.region:
        return (
            "The kinesis Arn used to enable kinesis replication belongs to a stream which is not in the current region"
        )
    return None


def _history_reviewed(account: Account, event: Event) -> None:
    table = _table(account, event)
    if table is not None:
        retain(account, table)


def _graves_trimmed(account: Account, event: Event) -> None:
    graves(account).trim(account.now())


HANDLERS: dict[str, Callable[[Account, Event], None]] = {
    "table-active": _table_active,
    "table-gone": _table_gone,
    "backup-expired": _backup_expired,
    "table-updated": _table_updated,
    "warm-active": _warm_active,
    "on-demand": _on_demand,
    "units": _units,
    "index-allocated": _index_allocated,
    "index-active": _index_active,
    "index-updated": _index_updated,
    "index-gone": _index_gone,
    "encrypted": _encrypted,
    "classed": _classed,
    "limits-lifted": _limits_lifted,
    "insights-settled": _insights_settled,
    "destination-settled": _destination_settled,
    "history-reviewed": _history_reviewed,
    "graves-trimmed": _graves_trimmed,
}
"""What happens when an event of that kind is due."""
