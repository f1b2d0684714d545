"""What can be set on a table or index and shows in its description; mutable, copied by forks."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class TableSettings:
    """Settings of a table (all) or of a global secondary index (throughput members only).

    Throughputs are in capacity units, -1 or None where not set; times are epoch seconds.
    """

    billing_mode: str = "PROVISIONED"
    read_units: int = 0
    write_units: int = 0
    on_demand_since: float | None = None
    last_increase: float | None = None
    last_decrease: float | None = None
    decreases_today: int = 0
    max_read_request_units: int | None = None
    max_write_request_units: int | None = None
    warm_read: int | None = None
    warm_write: int | None = None
    stream_view: str | None = None
    stream_label: str | None = None
    sse_key: str | None = None
    table_class: str | None = None
    deletion_protection: bool = False
    ttl_attribute: str | None = None
    ttl_status: str = "DISABLED"
    attribute_types: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    def copy(self) -> TableSettings:
        """Independent settings with the same values."""
        other = copy(self)
        other.attribute_types = dict(self.attribute_types)
        other.tags = dict(self.tags)
        other.extra = dict(self.extra)
        return other
