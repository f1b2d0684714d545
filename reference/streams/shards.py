"""Shards: how a stream's records are spread, when shards close and which follow them (beyond:STR-24 to STR-26).

Nothing of a shard is stored. Where a shard begins and ends follows from the stream's span, the table's history and
the account's :class:`Sharding`, so that a fork and a replay see the same shards.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

from reference.streams.catalogue import Stream
from reference.tables.settings import STREAM_RETENTION
from reference.tables.table import LogEntry, Table
from reference.tables.view import TOKENS

MOST_OPEN = 64
"""Shards a stream has open at once; from there on every closed shard is followed by one."""

_ID = re.compile(r"shardId-([0-9]{20})-([0-9a-f]{5})([0-9a-f]{3})")


@dataclass(frozen=True, slots=True)
class Sharding:
    """How a new stream is cut into shards.

    ``shards`` are open at first. After ``lifetime`` seconds (None: never) all open shards close and each is followed by
    ``children`` shards that share its part of the keys. ValueError where a number makes no sense.
    """

    shards: int = 1
    lifetime: float | None = None
    children: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.shards <= MOST_OPEN:
            raise ValueError(f"a stream begins with 1 to {MOST_OPEN} shards, not {self.shards}")
        if self.children < 1:
            raise ValueError(f"a closed shard is followed by at least 1, not {self.children}")
        if self.lifetime is not None and self.lifetime <= 0:
            raise ValueError(f"a shard is open for more than 0 seconds, not {self.lifetime}")

    def count(self, generation: int) -> int:
        """Open shards of a generation; the first is 0."""
        each: int = self.children ** min(generation, self._splits())
        return self.shards * each

    def parent(self, generation: int, index: int) -> int:
        """The place, in the generation before, of the shard that this one follows."""
        return index // self.children if generation <= self._splits() else index

    def _splits(self) -> int:
        """Generations in which shards are followed by more than one."""
        splits, count = 0, self.shards
        while self.children > 1 and count * self.children <= MOST_OPEN:
            count *= self.children
            splits += 1
        return splits


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard: the changes after ``start`` up to ``end`` (None: still open) whose keys fall into its share.

    ``start`` and ``end`` are numbers in the table's history. It is number ``index`` of ``count`` equal shares.
    """

    id: str
    generation: int
    index: int
    count: int
    start: int
    end: int | None
    parent: str | None

    def holds(self, entry: LogEntry) -> bool:
        """Whether a change of the table falls into this shard's share of the keys."""
        token: int = entry.key[0]
        return token * self.count // TOKENS == self.index


class Shards:
    """The shards of one stream at a moment (epoch seconds)."""

    def __init__(self, stream: Stream, sharding: Sharding, now: float) -> None:
        self._stream = stream
        self._sharding = sharding
        self._digest = blake2b(stream.arn.encode(), digest_size=4).hexdigest()[:5]
        self.last = self._generation(now)
        """The latest generation: the one that is open, or was when the stream ended."""
        self.first = min(self._generation(now - STREAM_RETENTION), self.last)
        """The earliest generation that may still hold readable records."""

    def _generation(self, moment: float) -> int:
        span, lifetime = self._stream.span, self._sharding.lifetime
        if lifetime is None:
            return 0
        if span.ended is not None:
            moment = min(moment, span.ended)
        return max(0, int((moment - span.created) / lifetime))

    def every(self, first: int | None = None) -> Iterator[Shard]:
        """All shards from a generation on (by default the earliest), in the order of their ids."""
        for generation in range(self.first if first is None else first, self.last + 1):
            for index in range(self._sharding.count(generation)):
                yield self._shard(generation, index)

    def after(self, shard: Shard) -> Iterator[Shard]:
        """All shards whose ids are greater than that shard's."""
        return (each for each in self.every(shard.generation) if each.id > shard.id)

    def children(self, shard: Shard) -> Iterator[Shard]:
        """The shards that directly follow a closed one."""
        if shard.generation < self.last:
            following = range(self._sharding.count(shard.generation + 1))
            made = (self._shard(shard.generation + 1, index) for index in following)
            yield from (each for each in made if each.parent == shard.id)

    def find(self, id: str) -> Shard | None:
        """The shard with that id, or None when the stream has none such, or no longer."""
        parts = _ID.fullmatch(id)
        if parts is None:
            return None
        lifetime, index = self._sharding.lifetime, int(parts[3], 16)
        generation = 0
        if lifetime is not None:
            generation = round((int(parts[1]) / 1000 - self._stream.span.created) / lifetime)
        if not self.first <= generation <= self.last or index >= self._sharding.count(generation):
            return None
        shard = self._shard(generation, index)
        return shard if shard.id == id else None

    def _shard(self, generation: int, index: int) -> Shard:
        parent = None
        if generation > 0:
            parent = self._id(generation - 1, self._sharding.parent(generation, index))
        end = self._boundary(generation + 1) if generation < self.last else self._stream.span.end
        count, start = self._sharding.count(generation), self._boundary(generation)
        return Shard(self._id(generation, index), generation, index, count, start, end, parent)

    def _id(self, generation: int, index: int) -> str:
        moment = self._opened(generation)
        return f"shardId-{round(moment * 1000):020d}-{self._digest}{index:03x}"

    def _opened(self, generation: int) -> float:
        return self._stream.span.created + generation * (self._sharding.lifetime or 0.0)

    def _boundary(self, generation: int) -> int:
        """The last change of the table before a generation opened."""
        span, table = self._stream.span, self._stream.table
        if generation == 0:
            return span.start
        log = table.log
        place = bisect_left(log, self._opened(generation), key=lambda entry: entry.at)
        last = log[place].sequence - 1 if place < len(log) else table.sequence
        return min(max(last, span.start), self._stream.reach)


def horizon(table: Table, now: float) -> int:
    """The last change of a table that is too old to be read from a stream (beyond:STR-35)."""
    log = table.log
    place = bisect_left(log, now - STREAM_RETENTION, key=lambda entry: entry.at)
    return log[place].sequence - 1 if place < len(log) else table.sequence


def entries_after(table: Table, position: int) -> Iterator[LogEntry]:
    """The table's history after a change."""
    log = table.log
    return islice(log, bisect_right(log, position, key=lambda entry: entry.sequence), None)
