"""What a table or index can serve: its own rate, its partitions' ceilings, and how both grow (beyond:THR-1 to THR-5).

A provisioned table has a bucket of its units that keeps 300 s of what is not used. An on-demand one has no rate of its
own: it has partitions enough for twice its previous peak, and an account's quota. Each partition has a ceiling that
cannot be burst through; a partition that stays hot is split where its heat can be shared.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from reference.capacity.bucket import Bucket
from reference.capacity.uses import Kind
from reference.partitions.heat import Heat
from reference.partitions.ranges import Partition, Partitions
from reference.tables.settings import TableSettings
from reference.tables.view import RowKey

KINDS: tuple[Kind, ...] = ("Read", "Write")
PROVISIONED = "ProvisionedThroughputExceeded"
KEY_RANGE = "KeyRangeThroughputExceeded"
MAXIMUM = "MaxOnDemandThroughputExceeded"
ACCOUNT = "AccountLimitExceeded"
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Throttling:
    """How throughput is limited; times in seconds, rates in units a second.

    ``partition_reads`` and ``partition_writes`` are a partition's ceilings. ``burst`` is how long unused provisioned
    capacity is kept, ``initial`` how much of it a new table or index has already: AWS does not say; nothing is unused
    yet. With ``adaptive`` off a partition gets its share of the table's rate only, as before 2018.
    ``split_after`` is how long a partition must be hot before it is split (AWS says minutes), ``growth`` how long an
    on-demand table takes to be ready for twice a new peak. ``table_quota`` is what an account lets an on-demand table
    or index have at most, None for the account's limit.
    """

    partition_reads: float = 3_000.0
    partition_writes: float = 1_000.0
    burst: float = 300.0
    initial: float = 1.0
    adaptive: bool = True
    split_after: float = 60.0
    growth: float = 1_800.0
    table_quota: float | None = None

    def ceiling(self, kind: Kind) -> float:
        """Units a second that one partition serves."""
        return self.partition_reads if kind == "Read" else self.partition_writes

    def partitions(self, reads: float, writes: float) -> int:
        """Partitions needed for so many units a second."""
        return max(1, math.ceil(max(reads / self.partition_reads, writes / self.partition_writes)))


@dataclass(slots=True)
class Share:
    """What stands behind one partition: its buckets, and its heat since ``hot``, None while it is cool.

    ``throttled`` is when it last turned a request away; times are epoch seconds.
    """

    buckets: dict[Kind, Bucket]
    heat: Heat | None = None
    hot: float = 0.0
    throttled: float = 0.0

    def copy(self) -> Share:
        """An independent share in the same state."""
        buckets = {kind: bucket.copy() for kind, bucket in self.buckets.items()}
        return Share(buckets, self.heat and self.heat.copy(), self.hot, self.throttled)


@dataclass(slots=True)
class Peak:
    """The highest rate a table has had over a minute, in units a second, and what this minute has come to so far."""

    minute: int
    units: float = 0.0
    peak: float = 0.0

    def add(self, units: float, now: float) -> float | None:
        """Count units; gives the new peak when the minute that has ended was one."""
        found, minute = None, int(now // MINUTE)
        if minute != self.minute:
            rate = self.units / MINUTE
            if rate > self.peak:
                found = self.peak = rate
            self.minute, self.units = minute, 0.0
        self.units += units
        return found


class Load:
    """The throughput of one table or global secondary index. ``collection`` is how long its collections' prefix is."""

    def __init__(
        self, rules: Throttling, settings: TableSettings, quota: float, now: float, *, collection: int, whole: bool
    ) -> None:
        self.rules = rules
        self.collection = collection
        self.whole = whole
        self._quota = quota
        self._buckets: dict[tuple[Kind, str], Bucket] = {}
        self._rates: dict[tuple[Kind, str], tuple[float, float]] = {}
        self._coming: list[tuple[float, int]] = []
        self._peaks = {kind: Peak(int(now // MINUTE)) for kind in KINDS}
        self.partitions = Partitions([self._share(now) for _ in range(self._needed(settings))])
        self.adjust(settings, now)

    def _needed(self, settings: TableSettings) -> int:
        reads, writes = float(settings.warm_read), float(settings.warm_write)
        return self.rules.partitions(max(reads, settings.read_units), max(writes, settings.write_units))

    def _share(self, now: float) -> Share:
        burst = 1.0 if self.rules.adaptive else self.rules.burst
        return Share({kind: Bucket(self.rules.ceiling(kind), burst, now) for kind in KINDS})

    def adjust(self, settings: TableSettings, now: float) -> None:
        """Follow the settings of the table or index, and grow by what has become due."""
        rates: dict[tuple[Kind, str], tuple[float, float]] = {}
        held = (settings.read_units, settings.write_units)
        most = (settings.max_read_request_units, settings.max_write_request_units)
        for kind, units, maximum in zip(KINDS, held, most, strict=True):
            if not settings.on_demand:
                rates[kind, PROVISIONED] = (float(units), self.rules.burst)
                continue
            rates[kind, ACCOUNT] = (self._quota, 1.0)
            if maximum is not None and maximum > 0:
                rates[kind, MAXIMUM] = (float(maximum), 1.0)
        if rates != self._rates:
            self._rates = rates
            self._buckets = {slot: self._bucket(slot, *given, now) for slot, given in rates.items()}
        due = max((count for at, count in self._coming if at <= now), default=0)
        self._coming = [(at, count) for at, count in self._coming if at > now]
        self._grow(max(self._needed(settings), due), now)

    def _bucket(self, slot: tuple[Kind, str], rate: float, burst: float, now: float) -> Bucket:
        bucket = self._buckets.get(slot) or Bucket(rate, burst, now, self.rules.initial)
        bucket.change(rate, now)
        return bucket

    def _grow(self, count: int, now: float) -> None:
        if self.rules.adaptive and len(self.partitions) >= count:
            return
        while len(self.partitions) < count and (found := self.partitions.widest()) is not None:
            self.partitions.split(*found, self._share(now))
        if not self.rules.adaptive:
            self._share_out(now)

    def _share_out(self, now: float) -> None:
        """Without adaptive capacity a partition has its share of the table's rate and no more."""
        for part in self.partitions:
            for kind in KINDS:
                rate, _ = self._rates.get((kind, PROVISIONED), (self.rules.ceiling(kind), 0.0))
                share = min(self.rules.ceiling(kind), rate * self.partitions.share(part))
                bucket = part.held.buckets[kind]
                bucket.change(share, now)
                bucket.tokens = min(bucket.tokens, bucket.most)

    def limits(self, kind: Kind, row: RowKey) -> Iterator[tuple[Bucket, str]]:
        """What a request for a row must find enough in, each with the limit that it stands for."""
        for (of, limit), bucket in self._buckets.items():
            if of == kind:
                yield bucket, limit
        yield self.partitions.of(row).held.buckets[kind], KEY_RANGE

    def used(self, kind: Kind, row: RowKey, units: float, now: float) -> None:
        """Count what has been served, which makes peaks (throttling.doubling) and heat."""
        share = self.partitions.of(row).held
        if share.heat is not None:
            share.heat.add(row, units)
        peak = self._peaks[kind].add(units, now)
        if peak is not None:
            double = self.rules.partitions(2 * peak if kind == "Read" else 0.0, 2 * peak if kind == "Write" else 0.0)
            if double > len(self.partitions):
                self._coming.append((now + self.rules.growth, double))

    def throttled(self, row: RowKey, units: float, now: float) -> None:
        """Note that a partition has turned a request away; once hot for long enough it is split (throttling.split)."""
        part = self.partitions.of(row)
        share = part.held
        if share.heat is None or now - share.throttled > self.rules.split_after:
            share.heat, share.hot = Heat(), now
        share.throttled = now
        share.heat.add(row, units)
        if now - share.hot >= self.rules.split_after:
            self._split(part, now)

    def _split(self, part: Partition[Share], now: float) -> None:
        share = part.held
        assert share.heat is not None, "a partition that is split is hot"
        at = share.heat.cut(self.collection, whole=self.whole)
        share.heat = None
        if at is not None:
            self.partitions.split(part, at, self._share(now))
            if not self.rules.adaptive:
                self._share_out(now)

    def copy(self) -> Load:
        """An independent load in the same state."""
        other: Load = Load.__new__(Load)
        other.rules, other.collection, other.whole, other._quota = self.rules, self.collection, self.whole, self._quota
        other._buckets = {slot: bucket.copy() for slot, bucket in self._buckets.items()}
        other._rates = self._rates
        other._coming = list(self._coming)
        other._peaks = {kind: Peak(each.minute, each.units, each.peak) for kind, each in self._peaks.items()}
        other.partitions = self.partitions.copy()
        return other
