"""The meter of an account: what every table and index can serve, and whether a request is served."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reference.account import Account
from reference.capacity.bucket import Bucket
from reference.capacity.load import KEY_RANGE, Load, Throttling
from reference.capacity.uses import ROOM, Kind, Use
from reference.metrics.store import Metrics
from reference.tables.table import Table


@dataclass(frozen=True, slots=True)
class Throttle:
    """Why a use is not served: the limit that is reached, of which table or index (its ARN)."""

    use: Use
    limit: str
    resource: str
    on_demand: bool

    @property
    def reason(self) -> str:
        """The reason as ThrottlingReasons spell it (beyond:THR-8)."""
        return f"{'Index' if self.use.index else 'Table'}{self.use.kind}{self.limit}"


class Meter:
    """The throughput of all tables and indexes of an account.

    ``rules`` None: nothing is throttled; ``metrics`` None: nothing is counted. ``sampled`` is the number of the last
    period of samples, None before the first.
    """

    __slots__ = ("_loads", "metrics", "rules", "sampled")

    def __init__(self, rules: Throttling | None = None, metrics: Metrics | None = None) -> None:
        self.rules = rules
        self.metrics = metrics
        self.sampled: int | None = None
        self._loads: dict[tuple[str, str], Load] = {}

    def load(self, account: Account, name: str, index: str = "") -> Load | None:
        """What a table, or one of its global secondary indexes, can serve now; None where nothing limits it."""
        table = account.tables.get(name)
        if self.rules is None or table is None or (index and index not in table.indexes):
            return None
        settings = table.indexes[index].settings if index else table.settings
        load, now = self._loads.get((table.id, index)), account.now()
        if load is None:
            load = self._loads[table.id, index] = self._made(self.rules, account, table, index)
        load.adjust(settings, now)
        return load

    def _made(self, rules: Throttling, account: Account, table: Table, index: str) -> Load:
        living = {each.id for each in account.tables.values()}
        self._loads = {slot: load for slot, load in self._loads.items() if slot[0] in living}
        quota = account.limits.table_units if rules.table_quota is None else rules.table_quota
        local = not index and any(each.schema.kind == "LSI" for each in table.indexes.values())
        key = table.indexes[index].schema.key if index else table.key
        settings = table.indexes[index].settings if index else table.settings
        return Load(rules, settings, quota, account.now(), collection=1 + len(key.hash), whole=local)

    def observe(self, account: Account) -> None:
        """Follow the settings of all tables and indexes, so that a change counts from now on and not from next use."""
        for table in account.tables.values():
            self.load(account, table.name)
            for name, index in table.indexes.items():
                if index.schema.kind == "GSI":
                    self.load(account, table.name, name)

    def admit(self, account: Account, uses: Sequence[Use]) -> tuple[Throttle, ...]:
        """Spend all uses together, or nothing of them and say why; a refusal costs nothing (beyond:THR-10)."""
        wanted: dict[int, tuple[Bucket, float]] = {}
        found: list[tuple[Use, str, Bucket]] = []
        now = account.now()
        loads = {slot: self.load(account, *slot) for slot in {(use.table, use.index) for use in uses}}
        for use in uses:
            load = loads[use.table, use.index]
            for bucket, limit in () if load is None else load.limits(use.kind, use.row):
                _, before = wanted.get(id(bucket), (bucket, 0.0))
                wanted[id(bucket)] = (bucket, before + use.units)
                found.append((use, limit, bucket))
        empty = {slot for slot, (bucket, units) in wanted.items() if not bucket.has(units, now)}
        if empty:
            return self._refused(account, [(use, limit) for use, limit, bucket in found if id(bucket) in empty])
        for bucket, units in wanted.values():
            bucket.take(units)
        for use in uses:
            load = loads[use.table, use.index]
            if load is not None:
                load.used(use.kind, use.row, use.units, now)
        return ()

    def _refused(self, account: Account, blocked: Iterable[tuple[Use, str]]) -> tuple[Throttle, ...]:
        told: dict[tuple[str, str, Kind, str, object], Throttle] = {}
        for use, limit in blocked:
            load = self.load(account, use.table, use.index)
            if limit == KEY_RANGE and load is not None:
                load.throttled(use.row, use.units, account.now())
            table = account.tables[use.table]
            resource = f"{table.arn}/index/{use.index}" if use.index else table.arn
            throttle = Throttle(use, limit, resource, table.settings.on_demand)
            told.setdefault((use.table, use.index, use.kind, limit, use.part), throttle)
        return tuple(told.values())

    def copy(self) -> Meter:
        """An independent meter in the same state."""
        other = Meter(self.rules, None if self.metrics is None else self.metrics.copy())
        other.sampled = self.sampled
        other._loads = {slot: load.copy() for slot, load in self._loads.items()}
        return other


def meter_of(account: Account) -> Meter | None:
    """The account's meter, None where it has none."""
    meter = account.rooms.get(ROOM)
    assert meter is None or isinstance(meter, Meter)
    return meter


def serve_with(account: Account, *, throttling: bool = False, metrics: bool = False) -> None:
    """Let an account's throughput be limited, or what its calls use be counted; without either nothing is metered."""
    if throttling or metrics:
        account.rooms[ROOM] = Meter(Throttling() if throttling else None, Metrics() if metrics else None)


def counted(account: Account) -> Metrics:
    """The account's metrics; from now on what its calls use is counted, if it has not been before."""
    meter = meter_of(account)
    if meter is None:
        meter = account.rooms[ROOM] = Meter()
    if meter.metrics is None:
        meter.metrics = Metrics()
    return meter.metrics
