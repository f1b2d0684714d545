"""Heat: which row keys of a partition are asked for most, and where it is best cut in two."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from reference.tables.view import RowKey

MOST_ROWS = 4_096
"""Row keys whose heat is told apart; what comes when there are more is counted with none."""
RISING = 0.9
"""Writes of which this share goes beyond all earlier keys follow a growing sort key: a split would not help them."""


class Heat:
    """What a partition has been asked for since it got hot: units by row key, and whether keys keep growing."""

    __slots__ = ("_beyond", "_greatest", "_seen", "rows")

    def __init__(self) -> None:
        self.rows: dict[RowKey, float] = {}
        self._greatest: RowKey | None = None
        self._beyond = self._seen = 0

    def add(self, row: RowKey, units: float) -> None:
        """Count a request for a row."""
        self._seen += 1
        if self._greatest is None or row > self._greatest:
            self._greatest = row
            self._beyond += 1
        if row in self.rows or len(self.rows) < MOST_ROWS:
            self.rows[row] = self.rows.get(row, 0.0) + units

    @property
    def rising(self) -> bool:
        """Whether nearly every request is for a key beyond all before it."""
        return self._seen > 1 and self._beyond >= RISING * self._seen

    def cut(self, prefix: int, *, whole: bool) -> RowKey | None:
        """Where to split so that both sides are asked for as alike as may be; None where no split helps.

        ``prefix`` is the length of what the row keys of one item collection share. ``whole`` says that collections stay
        whole, as those of tables with local secondary indexes do (beyond:THR-3). Growing sort keys are not split.
        """
        bounds = list(self._bounds(prefix, whole=whole))
        if not bounds:
            return None
        total = sum(self.rows.values())
        return min(bounds, key=lambda bound: abs(total - 2 * bound[1]))[0]

    def _bounds(self, prefix: int, *, whole: bool) -> Iterator[tuple[RowKey, float]]:
        """Every row key at which the partition may be split, and the heat below it."""
        below = 0.0
        for left, right in pairwise(sorted(self.rows)):
            below += self.rows[left]
            if left[:prefix] != right[:prefix]:
                yield right[:prefix], below
            elif not whole and not self.rising:
                yield right, below

    def copy(self) -> Heat:
        """An independent count in the same state."""
        other = Heat()
        other.rows = dict(self.rows)
        other._greatest, other._beyond, other._seen = self._greatest, self._beyond, self._seen
        return other
