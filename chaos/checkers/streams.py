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
SHOWN = 8
"""Records and writes of an item that evidence shows, at most."""


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
        found = [
            *_once(key, made[key], told[key], (refused or {}).get(key, ()), complete=complete),
            *_chain(key, told[key]),
            *_time(key, made[key], told[key]),
        ]
        anomalies += [_anomaly(each, made[key], told[key]) for each in found]
    reason = "" if records or complete else "no record was read"
    return result("streams", anomalies[:LIMIT], reason, writes=len(writes), records=len(records))


@dataclass(frozen=True, slots=True)
class _Found:
    """What is wrong with an item's records: its kind, the rule, a sentence, the writes and the records it is about."""

    kind: str
    rule: str
    text: str
    writes: tuple[Written, ...] = ()
    records: tuple[Told, ...] = ()


def _once(
    key: str, writes: Sequence[Written], records: Sequence[Told], refused: Sequence[State], *, complete: bool
) -> Iterator[_Found]:
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
            text = f"the stream tells of {key} = {shown(value)}, {why}"
            yield _Found("ghost-record", RULE, text, records=_with(records, value))
        elif number > 1:
            text = f"the stream tells {number} times of {key} = {shown(value)}, which was written once"
            yield _Found("duplicate-record", RULE, text, (write,), _with(records, value))
    if complete:
        for write in writes:
            if write.value is not None and not write.info and not count[write.value]:
                text = f"the stream does not tell of {key} = {shown(write.value)}"
                yield _Found("lost-record", RULE, text, (write,))
    deletes = [write for write in writes if write.value is None]
    sure = sum(not write.info for write in deletes)
    if count[None] > len(deletes) or (complete and count[None] < sure):
        times = str(sure) if sure == len(deletes) else f"{sure} to {len(deletes)}"
        text = f"the stream tells {count[None]} times that {key} was deleted; it was {times} times"
        kind = "duplicate-record" if count[None] > len(deletes) else "lost-record"
        yield _Found(kind, RULE, text, tuple(deletes[:4]), _with(records, None))


def _with(records: Sequence[Told], value: State) -> tuple[Told, ...]:
    return tuple(record for record in records if record.new == value)


def _chain(key: str, records: Sequence[Told]) -> Iterator[_Found]:
    """Each record's old image is the new image of the item's record before."""
    for before, after in pairwise(records):
        if before.shard == after.shard and after.sequence <= before.sequence:
            text = f"{key}'s records come with sequence numbers {before.sequence}, {after.sequence}"
            yield _Found("record-order", ORDER, text, records=(before, after))
            return
        if after.old != before.new and after.new != before.new:
            text = f"{key} changed to {shown(before.new)}, but its next record changes {shown(after.old)}"
            yield _Found("record-order", ORDER, text, records=(before, after))
            return


def _time(key: str, writes: Sequence[Written], records: Sequence[Told]) -> Iterator[_Found]:
    """A write that ended before another began is told first."""
    by_value: dict[State, Written] = {write.value: write for write in writes if write.value is not None}
    latest: Written | None = None
    for record in records:
        write = by_value.get(record.new)
        if write is None:
            continue
        if latest is not None and write.returned < latest.called and write.returned != INFINITY:
            text = f"{key} = {shown(write.value)} is told after {shown(latest.value)}, which was written later"
            yield _Found("record-order", ORDER, text, (write, latest), (record,))
            return
        if latest is None or write.called > latest.called:
            latest = write


def _anomaly(found: _Found, writes: Sequence[Written], records: Sequence[Told]) -> Anomaly:
    """The evidence: the item's records around those in question, and its writes around the time."""
    marked = {id(record) for record in found.records}
    at = next((n for n, record in enumerate(records) if id(record) in marked), 0)
    first = max(0, min(at - SHOWN // 2, len(records) - SHOWN))
    listed = [
        f"  {'*' if id(record) in marked else ' '} {first + n}. from {shown(record.old)} to {shown(record.new)}"
        for n, record in enumerate(records[first : first + SHOWN], 1)
    ]
    heading = f"Its records from the {first + 1}. of {len(records)} on:" if listed else "It has no records."
    chosen = {write.index: write for write in found.writes}
    values = {state for record in records[first : first + SHOWN] for state in (record.old, record.new)}
    near = [write for write in writes if write.value in values and write.value is not None]
    for write in sorted(near or writes, key=lambda write: write.called):
        if len(chosen) < SHOWN:
            chosen.setdefault(write.index, write)
    about = {write.index for write in found.writes}
    spans = tuple(write.span(marked=index in about) for index, write in chosen.items())
    prose = (found.text, heading, *listed, *lanes.text(spans).splitlines())
    return Anomaly(found.kind, found.rule, found.text, prose, spans)
