"""What an account may hold and how often it may change things; AWS relaxes some on request (dataplane:OPEN-25)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Quotas of an account and region. Times are in seconds; a cooldown of 0 is off.

    The ``*_cooldown`` values that are 0 here are 15 s on AWS, 1.7 s that of tags (beyond:SEC-2, POL-3, TAG-3): they
    slow a user down and say nothing about what an endpoint stores, so they are off unless asked for.
    """

    tables: int = 2_500
    changing_tables: int = 500
    table_units: int = 40_000
    account_units: int = 80_000
    free_decreases: int = 4
    decrease_interval: float = 3_600.0
    on_demand_switches: int = 4
    class_changes: int = 2
    class_interval: float = 30 * 86_400.0
    sse_changes: int = 4
    sse_interval: float = 21_600.0
    tags: int = 50
    insight_rules: int = 100
    restores: int = 50
    exports: int = 300
    imports: int = 50
    ttl_cooldown: float = 1_800.0
    protection_cooldown: float = 0.0
    policy_cooldown: float = 0.0
    tag_cooldown: float = 0.0
