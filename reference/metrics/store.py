"""What is counted, by metric, dimensions and minute; and contributors by rule and minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

S = TypeVar("S")
F = TypeVar("F")

Dimensions: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values, sorted by name."""

MINUTE = 60
RETENTION = 15 * 86_400
"""Seconds that counts by the minute are kept, as CloudWatch keeps them."""
MOST_KEYS = 5_000
"""Contributors that a rule tells apart in one minute; what comes when there are more is not counted."""


def dimensions(**given: str) -> Dimensions:
    """Dimensions from names and values; those without a value are left out."""
    return tuple(sorted((name, value) for name, value in given.items() if value))


@dataclass(slots=True)
class Stat:
    """The values of one metric over some time."""

    total: float = 0.0
    count: int = 0
    least: float = 0.0
    most: float = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.least = value if not self.count else min(self.least, value)
        self.most = value if not self.count else max(self.most, value)
        self.total += value
        self.count += 1

    def join(self, other: Stat) -> None:
        """Take in the values of another time."""
        if not other.count:
            return
        self.least = other.least if not self.count else min(self.least, other.least)
        self.most = other.most if not self.count else max(self.most, other.most)
        self.total += other.total
        self.count += other.count

    def copy(self) -> Stat:
        """Independent figures."""
        return Stat(self.total, self.count, self.least, self.most)


Series: TypeAlias = tuple[str, Dimensions]
Rule: TypeAlias = tuple[str, str, str]
"""Table, index (empty for the table), and ``PKC``, ``PKT``, ``SKC`` or ``SKT``: which key, accessed or throttled."""


def _recent(held: dict[S, dict[int, F]], oldest: int) -> dict[S, dict[int, F]]:
    kept = ((slot, {at: each for at, each in minutes.items() if at >= oldest}) for slot, minutes in held.items())
    return {slot: minutes for slot, minutes in kept if minutes}


class Metrics:
    """Counts of one account in one region. Moments are epoch seconds, minutes epoch minutes."""

    __slots__ = ("_contributors", "_series", "_totals", "_trimmed")

    def __init__(self) -> None:
        self._totals: dict[Series, tuple[float, int, float]] = {}
        self._series: dict[Series, dict[int, Stat]] = {}
        self._contributors: dict[Rule, dict[int, Counter[tuple[str, ...]]]] = {}
        self._trimmed = 0

    def add(self, metric: str, of: Dimensions, value: float, now: float) -> None:
        """Count a value of a metric."""
        minute = int(now // MINUTE)
        minutes = self._series.setdefault((metric, of), {})
        stat = minutes.get(minute)
        if stat is None:
            stat = minutes[minute] = Stat()
            self._trim(minute)
        stat.add(value)
        total, count, _ = self._totals.get((metric, of), (0.0, 0, 0.0))
        self._totals[metric, of] = (total + value, count + 1, value)

    def contribute(self, rule: Rule, keys: tuple[str, ...], now: float) -> None:
        """Count an access, or a throttle, of a key."""
        counted = self._contributors.setdefault(rule, {}).setdefault(int(now // MINUTE), Counter())
        if keys in counted or len(counted) < MOST_KEYS:
            counted[keys] += 1

    def _trim(self, minute: int) -> None:
        """Forget what is too old, once an hour."""
        if minute - self._trimmed < 60:
            return
        self._trimmed, oldest = minute, minute - RETENTION // MINUTE
        self._series = _recent(self._series, oldest)
        self._contributors = _recent(self._contributors, oldest)

    def series(self) -> Iterator[Series]:
        """Every metric there is, with its dimensions, in order."""
        return iter(sorted(self._series))

    def points(self, metric: str, of: Dimensions, start: float, end: float, period: int) -> dict[int, Stat]:
        """The figures of each period by its begin, from the one that ``start`` is in up to ``end`` (left out)."""
        found: dict[int, Stat] = {}
        for minute, stat in sorted(self._series.get((metric, of), {}).items()):
            at = minute * MINUTE // period * period
            if start // period * period <= at < end:
                found.setdefault(at, Stat()).join(stat)
        return found

    def totals(self, metric: str, of: Dimensions) -> tuple[float, int, float]:
        """The sum of all values since the beginning, how many there were, and the last."""
        return self._totals.get((metric, of), (0.0, 0, 0.0))

    def minute(self, metric: str, of: Dimensions, minute: int) -> Stat | None:
        """The figures of one minute, None where nothing was counted."""
        return self._series.get((metric, of), {}).get(minute)

    def contributors(self, rule: Rule, start: float, end: float, period: int) -> Mapping[int, Counter[tuple[str, ...]]]:
        """The counts of each key by the begin of the period."""
        found: dict[int, Counter[tuple[str, ...]]] = {}
        for minute, counted in sorted(self._contributors.get(rule, {}).items()):
            at = minute * MINUTE // period * period
            if start // period * period <= at < end:
                found.setdefault(at, Counter()).update(counted)
        return found

    def copy(self) -> Metrics:
        """Independent counts in the same state."""
        other = Metrics()
        other._series = {slot: {at: stat.copy() for at, stat in held.items()} for slot, held in self._series.items()}
        other._contributors = {
            slot: {at: Counter(counted) for at, counted in held.items()} for slot, held in self._contributors.items()
        }
        other._totals, other._trimmed = dict(self._totals), self._trimmed
        return other
