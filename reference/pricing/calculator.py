"""The arithmetic of capacity modes: units from requests, months from units, and where the modes cost the same."""

from __future__ import annotations

import functools
import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

HOURS = 730.0
"""Hours of an average month."""
SECONDS_PER_HOUR = 3_600.0
MILLION = 1_000_000.0
_FILE = Path(__file__).parent / "prices.toml"


class PriceError(ValueError):
    """There is no price for what is asked; the message says which there are."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of a region and table class since a day, in US dollars; ``source`` says where they were read, and when."""

    region: str
    table_class: str
    since: date
    rcu_hour: float
    wcu_hour: float
    rwcu_hour: float
    million_rru: float
    million_wru: float
    million_rwru: float
    storage: float
    free_storage_gb: float
    source: str
    seen: date
    approximate: bool = False

    @property
    def ratio(self) -> tuple[float, float]:
        """How many times as dear on-demand is at full use, for reads and for writes."""
        hour = SECONDS_PER_HOUR / MILLION
        return self.million_rru * hour / self.rcu_hour, self.million_wru * hour / self.wcu_hour


@functools.cache
def known() -> tuple[Prices, ...]:
    """All prices that are known."""
    rows: list[dict[str, Any]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))["price"]
    return tuple(_prices(dict(row)) for row in rows)


def _prices(row: dict[str, Any]) -> Prices:
    return Prices(table_class=row.pop("class"), since=row.pop("from"), **row)


def prices(region: str = "us-east-1", table_class: str = "STANDARD", on: date | None = None) -> Prices:
    """The prices that hold on a day, or the latest. PriceError when none is known."""
    fitting = [each for each in known() if (each.region, each.table_class) == (region, table_class)]
    if not fitting:
        had = sorted({f"{each.region} {each.table_class}" for each in known()})
        raise PriceError(f"no prices are known for {region} {table_class}; known: {', '.join(had)}")
    held = [each for each in fitting if on is None or each.since <= on]
    if not held:
        raise PriceError(f"no prices are known for {on}; the first are of {min(each.since for each in fitting)}")
    return max(held, key=lambda each: each.since)


def read_units(kilobytes: float, *, consistent: bool = True, transactional: bool = False) -> float:
    """Read units of one item of that size (beyond:PRC-4)."""
    units = max(1, math.ceil(kilobytes / 4))
    return units * 2.0 if transactional else units * (1.0 if consistent else 0.5)


def write_units(kilobytes: float, *, transactional: bool = False) -> float:
    """Write units of one item of that size (beyond:PRC-4)."""
    return max(1, math.ceil(kilobytes)) * (2.0 if transactional else 1.0)


def dollars(amount: float) -> str:
    """An amount as it is written, to the cent, halves rounded up."""
    return f"${Decimal(str(round(amount, 6))).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


@dataclass(frozen=True, slots=True)
class Workload:
    """What a table is asked for: units a second at its peak, and the share of it that is used on average (0 to 1).

    ``replicas`` are further regions that its writes go to, ``storage_gb`` what it holds.
    """

    reads: float
    writes: float
    utilisation: float = 1.0
    replicas: int = 0
    storage_gb: float = 0.0

    @property
    def mean(self) -> tuple[float, float]:
        """Units a second that are used on average."""
        return self.reads * self.utilisation, self.writes * self.utilisation


@dataclass(frozen=True, slots=True)
class Bill:
    """One month of one mode, in US dollars."""

    mode: str
    reads: float
    writes: float
    replicated: float
    storage: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.reads + self.writes + self.replicated + self.storage


def provisioned(work: Workload, at: Prices, *, hours: float = HOURS) -> Bill:
    """Provisioned for the peak, all month long (beyond:PRC-1); units are whole and at least one."""
    reads, writes = max(1, math.ceil(work.reads)), max(1, math.ceil(work.writes))
    replicated = work.replicas * writes * hours * at.rwcu_hour
    return Bill("provisioned", reads * hours * at.rcu_hour, writes * hours * at.wcu_hour, replicated, _stored(work, at))


def auto_scaled(work: Workload, at: Prices, *, target: float = 0.7, hours: float = HOURS) -> Bill:
    """Provisioned so that what is used on average is ``target`` of it, which scaling without delay would come to."""
    mean = work.mean
    even = Workload(mean[0] / target, mean[1] / target, 1.0, work.replicas, work.storage_gb)
    bill = provisioned(even, at, hours=hours)
    return Bill("auto scaling", bill.reads, bill.writes, bill.replicated, bill.storage)


def on_demand(work: Workload, at: Prices, *, hours: float = HOURS) -> Bill:
    """By the request (beyond:PRC-2)."""
    reads, writes = (units * hours * SECONDS_PER_HOUR / MILLION for units in work.mean)
    replicated = work.replicas * writes * at.million_rwru
    return Bill("on-demand", reads * at.million_rru, writes * at.million_wru, replicated, _stored(work, at))


def _stored(work: Workload, at: Prices) -> float:
    return max(0.0, work.storage_gb - at.free_storage_gb) * at.storage * (1 + work.replicas)


def break_even(work: Workload, at: Prices) -> float | None:
    """The utilisation (0 to 1) below which on-demand is cheaper; None where it is at any."""
    full = Workload(work.reads, work.writes, 1.0, work.replicas)
    dearest, fixed = on_demand(full, at).total, provisioned(full, at).total
    return fixed / dearest if dearest > fixed else None


def curve(work: Workload, at: Prices, steps: int = 100) -> Iterator[tuple[float, float, float]]:
    """Utilisation from 0 to 1, and what provisioned and on-demand cost a month there."""
    for step in range(steps + 1):
        share = step / steps
        each = Workload(work.reads, work.writes, share, work.replicas, work.storage_gb)
        yield share, provisioned(each, at).total, on_demand(each, at).total
