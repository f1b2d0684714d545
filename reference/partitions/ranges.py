"""Hash ranges: a table's or index's row keys, cut into partitions that can be split further.

A row key begins with its partition key's token, so a range of row keys is a range of the hash space; a split inside
an item collection is a bound that reaches into its sort keys.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from reference.tables.view import TOKENS, RowKey


class Held(Protocol):
    """What stands behind a partition, such as its buckets."""

    def copy(self) -> Self:
        """An independent one in the same state."""
        ...


H = TypeVar("H", bound=Held)


@dataclass(slots=True)
class Partition(Generic[H]):
    """The row keys from ``low`` up to the next partition's; ``held`` is what the user of the ranges keeps for it.

    ``number`` counts partitions in the order in which they came to be, from 0.
    """

    number: int
    low: RowKey
    held: H


class Partitions(Generic[H]):
    """All partitions of one table or index, in the order of their ranges; there is no gap and no overlap.

    ``first`` are what stands behind the partitions there are at first, which share the hash space evenly. ValueError
    where there is none.
    """

    __slots__ = ("_lows", "_made", "_parts")

    def __init__(self, first: list[H]) -> None:
        if not first:
            raise ValueError("a table has at least one partition")
        count = len(first)
        self._parts = [Partition(i, (i * TOKENS // count,) if i else (), held) for i, held in enumerate(first)]
        self._lows = [part.low for part in self._parts]
        self._made = count

    def __len__(self) -> int:
        return len(self._parts)

    def __iter__(self) -> Iterator[Partition[H]]:
        return iter(self._parts)

    def of(self, row: RowKey) -> Partition[H]:
        """The partition that serves a row key."""
        return self._parts[bisect_right(self._lows, row) - 1]

    def high(self, part: Partition[H]) -> RowKey | None:
        """Where the next partition begins; None for the last."""
        after = bisect_right(self._lows, part.low)
        return self._lows[after] if after < len(self._lows) else None

    def share(self, part: Partition[H]) -> float:
        """The part of the hash space that a partition covers, from 0 to 1; 0 within a single partition key."""
        high = self.high(part)
        low_token = part.low[0] if part.low else 0
        return float((high[0] if high is not None else TOKENS) - low_token) / TOKENS

    def split(self, part: Partition[H], at: RowKey, held: H) -> Partition[H]:
        """Cut a partition in two at a row key inside it; gives the upper one. ValueError where it is not inside."""
        place = bisect_right(self._lows, at)
        if self._parts[place - 1] is not part or at == part.low:
            raise ValueError("a partition is split inside its range")
        made = Partition(self._made, at, held)
        self._made += 1
        self._parts.insert(place, made)
        self._lows.insert(place, at)
        return made

    def widest(self) -> tuple[Partition[H], RowKey] | None:
        """The partition with the largest share of the hash space, and its middle; None when nothing is left to cut."""
        part = max(self._parts, key=self.share)
        low = part.low[0] if part.low else 0
        high = self.high(part)
        top = high[0] if high is not None else TOKENS
        middle = (low + top) // 2
        return (part, (middle,)) if middle > low else None

    def copy(self) -> Partitions[H]:
        """Independent partitions of the same ranges."""
        other: Partitions[H] = Partitions.__new__(Partitions)
        other._parts = [Partition(part.number, part.low, part.held.copy()) for part in self._parts]
        other._lows = list(self._lows)
        other._made = self._made
        return other
