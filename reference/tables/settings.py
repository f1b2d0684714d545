"""What can be set on a table or index and shows in its description; mutable, copied by forks."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

from reference.tables.tags import TagChange
from reference.tables.vector import VectorIndex

DAY = 86_400.0
STREAM_RETENTION = DAY
"""Seconds that stream records stay readable (beyond:STR-35)."""


@dataclass(frozen=True, slots=True)
class StreamSpan:
    """One stream of a table: the changes after ``start`` up to ``end`` in the table's history.

    ``created`` and ``ended`` are epoch seconds; ``end`` and ``ended`` are None while the stream is on.
    """

    label: str
    view_type: str
    created: float
    start: int
    end: int | None = None
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Changes of a table that go to a Kinesis stream: those after ``start`` up to ``end`` in its history.

    ``end`` and ``ended`` (epoch seconds) are None while it goes on; ``precision`` is None unless it was set.
    """

    start: int
    precision: str | None
    end: int | None = None
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """A Kinesis stream that a table's changes go to (beyond:KDS-2); ``precision`` is None unless it was set."""

    arn: str
    status: str
    precision: str | None = None
    description: str | None = None
    deliveries: tuple[Delivery, ...] = ()

    def begin(self, sequence: int, now: float) -> Destination:
        """The destination as the changes after ``sequence`` go to it with its precision."""
        ended = self.finish(sequence, now)
        return replace(ended, deliveries=(*ended.deliveries, Delivery(sequence, self.precision)))

    def finish(self, sequence: int, now: float) -> Destination:
        """The destination as nothing after ``sequence`` goes to it any more."""
        if not self.deliveries or self.deliveries[-1].end is not None:
            return self
        last = replace(self.deliveries[-1], end=sequence, ended=now)
        return replace(self, deliveries=(*self.deliveries[:-1], last))


@dataclass(frozen=True, slots=True)
class Insights:
    """Contributor Insights of a table or index (beyond:CI-1).

    ``changed`` and ``since``, when they were last enabled after having been off or failed, are in epoch seconds;
    ``failure`` is what the service says of rules that it could not make.
    """

    status: str
    mode: str
    changed: float
    since: float
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A resource-based policy in canonical JSON, its revision, and when it was set (epoch seconds).

    Without a text it is what is left of a deleted one. ``versioned`` tells whether its version was given.
    """

    text: str
    revision: str
    changed: float
    versioned: bool = True


@dataclass(slots=True)
class Throughput:
    """Capacity of a table or global secondary index, in units per second; None where not set.

    ``warm_*`` is what it can serve at once (beyond:CAP-11). Times are epoch seconds.
    """

    read_units: int = 0
    write_units: int = 0
    last_increase: float | None = None
    last_decrease: float | None = None
    decreases: int = 0
    max_read_request_units: int | None = None
    max_write_request_units: int | None = None
    warm_read: int = 0
    warm_write: int = 0
    warm_status: str = "ACTIVE"
    warm_coming: tuple[int, int] | None = None
    """What is asked for while ``warm_status`` is ``UPDATING``, reads and writes."""

    def decreases_today(self, now: float) -> int:
        """Decreases since midnight UTC (beyond:CAP-7)."""
        if self.last_decrease is None or self.last_decrease // DAY != now // DAY:
            return 0
        return self.decreases

    def mark(self, now: float, *, lower: bool, higher: bool) -> None:
        """Note that a decrease, an increase or both begin; a decrease counts when it is done."""
        if lower:
            self.decreases, self.last_decrease = self.decreases_today(now), now
        if higher:
            self.last_increase = now

    def provision(self, read: int, write: int, now: float) -> None:
        """Take over new provisioned units, keeping the marks of increase and decrease (beyond:CAP-6)."""
        if read < self.read_units or write < self.write_units:
            self.decreases = self.decreases_today(now) + 1
            self.last_decrease = now
        if read > self.read_units or write > self.write_units:
            self.last_increase = now
        self.read_units, self.write_units = read, write
        self.warm_read, self.warm_write = max(self.warm_read, read), max(self.warm_write, write)


@dataclass(slots=True)
class TableSettings(Throughput):
    """Settings of a table (all) or of a global secondary index (throughput members only).

    ``busy`` names the changes that keep a table UPDATING. ``streams`` holds the table's streams, the latest last;
    ``stream_view`` is None while streams are off and ``stream_label`` outlives them. ``pitr_since`` is None while
    point-in-time recovery is off, ``going_since`` until the table is deleted. ``insights`` are by index name, empty
    for the table; ``policies`` by resource ARN.
    ``sse_coming`` is the key that protects the table soon, empty for none of its own; ``class_coming`` its class soon.
    ``joined`` says that the table came to be as a replica, ``replication_mode`` whether settings are replicated, once
    that was said.
    ``extra`` is for further capabilities; ``RestoreSummary`` in it shows in the description.
    """

    billing_mode: str = "PROVISIONED"
    on_demand_since: float | None = None
    on_demand_switches: tuple[float, ...] = ()
    stream_view: str | None = None
    stream_label: str | None = None
    streams: tuple[StreamSpan, ...] = ()
    sse_key: str | None = None
    sse_status: str = "ENABLED"
    sse_changes: tuple[float, ...] = ()
    sse_coming: str | None = None
    table_class: str | None = None
    class_changes: tuple[float, ...] = ()
    class_coming: str | None = None
    class_changed: float | None = None
    deletion_protection: bool = False
    protection_changed: float | None = None
    joined: bool = False
    replication_mode: str | None = None
    ttl_attribute: str | None = None
    ttl_status: str = "DISABLED"
    ttl_changed: float | None = None
    pitr_since: float | None = None
    going_since: float | None = None
    pitr_days: int = 35
    destinations: tuple[Destination, ...] = ()
    busy: tuple[str, ...] = ()
    attribute_types: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    stream_tags: dict[str, dict[str, str]] = field(default_factory=dict)
    tag_change: TagChange | None = None
    vectors: dict[str, VectorIndex] = field(default_factory=dict)
    insights: dict[str, Insights] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def on_demand(self) -> bool:
        """Whether requests are billed one by one, without provisioned units."""
        return self.billing_mode == "PAY_PER_REQUEST"

    def copy(self) -> TableSettings:
        """Independent settings with the same values."""
        other = copy(self)
        other.attribute_types = dict(self.attribute_types)
        other.tags, other.stream_tags = dict(self.tags), dict(self.stream_tags)
        other.vectors = dict(self.vectors)
        other.insights = dict(self.insights)
        other.policies = dict(self.policies)
        other.extra = dict(self.extra)
        return other
