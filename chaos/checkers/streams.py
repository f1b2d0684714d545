"""Does a stream tell every change exactly once, and each item's changes in their order?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from chaos import lanes
from chaos.checkers.item import State, shown
from chaos.checkers.verdict import INFINITY, Anomaly, Result, Span, result

RULE = "consistency.stream-exactly-once"
ORDER = "consistency.stream-order"
LIMIT = 10


@dataclass(frozen=True, slots=True)
class Written:
    """One write that changed, or may have changed (``info``), an item: its unique outcome. None: it was deleted."""

    index: int
    process: int
    key: str
    value: State
    called: float
    returned: float
    info: bool = False

    def span(self, *, marked: bool = False) -> Span:
        """Its bar in a picture."""
        label = f"{self.key} = {shown(self.value)}"
        return Span(self.index, self.process, self.called, self.returned, label, marked)


@dataclass(frozen=True, slots=True)
class Told:
    """One record of the stream: the item's old and new image, its sequence number and shard."""

    key: str
    old: State
    new: State
    sequence: int
    shard: str = "0"


def check(
    writes: Sequence[Written],
    records: Sequence[Told],
    *,
    refused: Mapping[str, Sequence[State]] | None = None,
    complete: bool = True,
) -> Result:
    """Check a stream read to its end (``complete``) against the writes; values must be unique per key.

    ``refused`` are the outcomes of writes that certainly took no effect.
    """
    anomalies: list[Anomaly] = []
    told: dict[str, list[Told]] = defaultdict(list)
    for record in records:
        told[record.key].append(record)
    made: dict[str, list[Written]] = defaultdict(list)
    for write in writes:
        made[write.key].append(write)
    for key in sorted({*told, *made}):
        anomalies += _once(key, made[key], told[key], (refused or {}).get(key, ()), complete=complete)
        anomalies += _chain(key, told[key])
        anomalies += _time(key, made[key], told[key])
    reason = "" if records or complete else "no record was read"
    return result("streams", anomalies[:LIMIT], reason, writes=len(writes), records=len(records))


def _once(
    key: str, writes: Sequence[Written], records: Sequence[Told], refused: Sequence[State], *, complete: bool
) -> Iterator[Anomaly]:
    by_value: dict[State, Written] = {write.value: write for write in writes if write.value is not None}
    count: dict[State, int] = defaultdict(int)
    for record in records:
        count[record.new] += 1
    for value, number in count.items():
        if value is None:
            continue
        write = by_value.get(value)
        if write is None:
            why = "whose write was refused" if value in refused else "which nobody wrote"
            yield _anomaly("ghost-record", RULE, f"the stream tells of {key} = {shown(value)}, {why}", ())
        elif number > 1:
            text = f"the stream tells {number} times of {key} = {shown(value)}, which was written once"
            yield _anomaly("duplicate-record", RULE, text, (write,))
    if complete:
        for write in writes:
            if write.value is not None and not write.info and not count[write.value]:
                text = f"the stream does not tell of {key} = {shown(write.value)}"
                yield _anomaly("lost-record", RULE, text, (write,))
    deletes = [write for write in writes if write.value is None]
    sure = sum(not write.info for write in deletes)
    if count[None] > len(deletes) or (complete and count[None] < sure):
        text = f"the stream tells {count[None]} times that {key} was deleted; it was {sure} to {len(deletes)} times"
        kind = "duplicate-record" if count[None] > len(deletes) else "lost-record"
        yield _anomaly(kind, RULE, text, deletes[:4])


def _chain(key: str, records: Sequence[Told]) -> Iterator[Anomaly]:
    """Each record's old image is the new image of the item's record before."""
    for before, after in pairwise(records):
        if before.shard == after.shard and after.sequence <= before.sequence:
            text = f"{key}'s records come with sequence numbers {before.sequence}, {after.sequence}"
            yield _anomaly("record-order", ORDER, text, ())
            return
        if after.old != before.new and after.new != before.new:
            text = f"{key} changed to {shown(before.new)}, but its next record changes {shown(after.old)}"
            yield _anomaly("record-order", ORDER, text, ())
            return


def _time(key: str, writes: Sequence[Written], records: Sequence[Told]) -> Iterator[Anomaly]:
    """A write that ended before another began is told first."""
    by_value: dict[State, Written] = {write.value: write for write in writes if write.value is not None}
    latest: Written | None = None
    for record in records:
        write = by_value.get(record.new)
        if write is None:
            continue
        if latest is not None and write.returned < latest.called and write.returned != INFINITY:
            text = f"{key} = {shown(write.value)} is told after {shown(latest.value)}, which was written later"
            yield _anomaly("record-order", ORDER, text, (write, latest))
            return
        if latest is None or write.called > latest.called:
            latest = write


def _anomaly(kind: str, rule: str, text: str, writes: Sequence[Written]) -> Anomaly:
    spans = tuple(write.span(marked=n == 0) for n, write in enumerate(writes))
    return Anomaly(kind, rule, text, (text, *lanes.text(spans).splitlines()), spans)
