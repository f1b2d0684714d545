"""Figures that an article gives for capacity modes, what its own formula comes to, and what is right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from reference.pricing.calculator import HOURS, MILLION, Workload, dollars, on_demand, prices, provisioned

THIRTY_DAYS = 720.0
"""Hours of the month that the article counts for on-demand; for provisioned it takes 730."""
_SECONDS = 3_600.0


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure of the article, what its own formula gives (None: it has none), what is right, and why."""

    what: str
    says: str
    formula: str
    right: str
    why: str


def claims() -> tuple[Claim, ...]:
    """The article's figures, worked out anew."""
    now, before = prices(), prices(on=date(2024, 10, 31))
    steady = Workload(100, 50)
    theirs = 100 * HOURS * 0.00013 + 50 * HOURS * 0.000065
    requested = (100 * 0.25 + 50 * 1.25) * THIRTY_DAYS * _SECONDS / MILLION
    daily = Workload(1_000_000 / 86_400, 100_000 / 86_400)
    right, wanted = provisioned(steady, now).total, on_demand(steady, now, hours=THIRTY_DAYS).total
    return (
        Claim(
            "100 RCU and 50 WCU, provisioned", "$12.47", dollars(theirs), dollars(right),
            "a WCU-hour is $0.00065, ten times what the article takes",
        ),
        Claim(
            "the same, on-demand", "$52.19", dollars(requested), dollars(wanted),
            "half the article's prices since November 2024, and its sum is wrong",
        ),
        Claim(
            "on-demand at full use costs", "4-5 times as much", f"{requested / theirs:.1f} times",
            f"{now.ratio[1]:.2f} times", f"{before.ratio[1]:.2f} times before November 2024",
        ),
        Claim(
            "1M reads and 100k writes a day, on-demand", "$200", "-", dollars(on_demand(daily, now, hours=720).total),
            "reads of up to 4 KB, writes of up to 1 KB",
        ),
        Claim(
            "the same, provisioned without peaks", "$50", "-", dollars(provisioned(daily, now).total),
            "12 RCU and 2 WCU",
        ),
        Claim(
            "below 25 RCU or WCU on-demand", "below the floor", "-", "1 RCU, 1 WCU",
            "25 of each is the free tier of provisioned tables, not a floor",
        ),
    )  # fmt: skip
