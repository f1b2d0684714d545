"""Which recorded calls were under way together and touch the same items: their order is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from conformance.record.op import Op

WHOLE = ""
"""Stands for every item of a table."""

Place = tuple[str, object]
"""A table's name and the key of one of its items, or ``WHOLE``."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One call of a recording: what it reads and writes, and when it was under way (seconds)."""

    op: Op
    reads: frozenset[Place]
    writes: frozenset[Place]

    @property
    def began(self) -> float:
        """When it was sent."""
        return self.op.called

    @property
    def ended(self) -> float:
        """When its answer came; one without an answer may still take effect at any time."""
        return float("inf") if self.op.returned is None else self.op.returned


def meet(some: frozenset[Place], others: frozenset[Place]) -> bool:
    """Whether two sets of places have one in common."""
    if some & others:
        return True
    whole = {table for table, key in some if key == WHOLE}, {table for table, key in others if key == WHOLE}
    return bool(whole[0] & {table for table, _ in others}) or bool(whole[1] & {table for table, _ in some})


def conflict(one: Recorded, other: Recorded) -> bool:
    """Whether the order of two calls can matter."""
    return meet(one.writes, other.writes | other.reads) or meet(one.reads, other.writes)


def groups(calls: Sequence[Recorded]) -> Iterator[list[Recorded]]:
    """The calls in an order in which they may have taken effect; those whose order is open come together."""
    for cluster in _clusters(sorted(calls, key=lambda call: (call.began, call.op.index))):
        yield from _apart(cluster)


def _clusters(calls: Sequence[Recorded]) -> Iterator[list[Recorded]]:
    """Runs of calls without a moment between them at which none was under way."""
    cluster: list[Recorded] = []
    until = float("-inf")
    for call in calls:
        if cluster and call.began >= until:
            yield cluster
            cluster = []
        cluster.append(call)
        # One that was never answered is over for this purpose: what it may have done is taken for unknown.
        until = max(until, call.op.returned if call.op.returned is not None else call.began)
    if cluster:
        yield cluster


def _apart(cluster: list[Recorded]) -> list[list[Recorded]]:
    """The parts of a cluster that have nothing to do with one another, each in order of sending."""
    parts = [[call] for call in cluster]
    merged = len(parts) > 1
    while merged:
        merged = False
        for position, part in enumerate(parts):
            near = next((other for other in parts[position + 1 :] if _bound(part, other)), None)
            if near is not None:
                parts.remove(near)
                part += near
                merged = True
                break
    for part in parts:
        part.sort(key=lambda call: (call.began, call.op.index))
    return sorted(parts, key=lambda part: (part[0].began, part[0].op.index))


def _bound(some: Sequence[Recorded], others: Sequence[Recorded]) -> bool:
    """Whether two parts were under way together and can matter to each other."""
    if min(c.began for c in others) >= max(c.ended for c in some):
        return False
    if min(c.began for c in some) >= max(c.ended for c in others):
        return False
    return any(conflict(one, other) for one in some for other in others)
