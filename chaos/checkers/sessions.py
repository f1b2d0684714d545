"""What a client sees in its own order: session guarantees, and how stale reads are.

Every write of an item counts its version up by one, and every answer shows a version. Strongly consistent reads must
keep all four guarantees and never be stale; of eventually consistent reads DynamoDB promises neither, so they are
measured, and judged only against a bound that the target itself claims.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from chaos import lanes
from chaos.checkers.verdict import INFINITY, Anomaly, Result, Span, result

RULE = "consistency.read-after-write"
BOUND = "consistency.staleness-bound"
LIMIT = 10


@dataclass(frozen=True, slots=True)
class Versioned:
    """One answered call on one item: the version it wrote, or the one it read (0: no item)."""

    index: int
    process: int
    key: str
    kind: Literal["read", "write"]
    version: int
    called: float
    returned: float
    consistent: bool = True
    session: int | None = None

    @property
    def owner(self) -> int:
        """Whose session it belongs to: the client, across the process numbers it took on."""
        return self.process if self.session is None else self.session

    def span(self, *, marked: bool = False) -> Span:
        """Its bar in a picture."""
        how = "" if self.consistent or self.kind == "write" else "eventual "
        label = f"{self.key}: {how}{self.kind} {self.version}"
        return Span(self.index, self.process, self.called, self.returned, label, marked)


@dataclass(slots=True)
class _Measure:
    """What is known of one key's writes, for staleness."""

    versions: list[int] = field(default_factory=list)
    soonest: list[float] = field(default_factory=list)

    def stale(self, read: Versioned) -> float:
        """Seconds by which the version read had certainly been replaced when the read began."""
        at = bisect_right(self.versions, read.version)
        if at == len(self.versions):
            return 0.0
        return max(0.0, read.called - self.soonest[at])

    def behind(self, read: Versioned) -> int:
        """How many versions behind it was."""
        return sum(1 for n in range(bisect_right(self.versions, read.version), len(self.versions))
                   if self.soonest[n] < read.called)  # fmt: skip


def check(history: Sequence[Versioned], *, max_staleness: float | None = None) -> Result:
    """Check consistent reads, measure eventual ones; ``max_staleness`` seconds is what the target claims for them."""
    anomalies = list(_guarantees([call for call in history if call.kind == "write" or call.consistent]))
    measures = _measures(history)
    eventual = [call for call in history if call.kind == "read" and not call.consistent]
    ages = sorted(measures[call.key].stale(call) for call in eventual)
    behind = [measures[call.key].behind(call) for call in eventual]
    for call in history:
        stale = measures[call.key].stale(call) if call.kind == "read" else 0.0
        bound = 0.0 if call.consistent else max_staleness
        if bound is not None and stale > bound and len(anomalies) < LIMIT:
            anomalies.append(_stale(call, stale, bound, history))
    facts = {
        "calls": len(history), "eventual_reads": len(eventual), "stale_reads": sum(age > 0 for age in ages),
        "staleness_p50": _percentile(ages, 0.5), "staleness_p99": _percentile(ages, 0.99),
        "staleness_max": ages[-1] if ages else 0.0, "versions_behind_max": max(behind, default=0),
    }  # fmt: skip
    return result("sessions", anomalies[:LIMIT], "" if history else "no calls", **facts)


def _percentile(ages: Sequence[float], share: float) -> float:
    return round(ages[min(len(ages) - 1, int(share * len(ages)))], 6) if ages else 0.0


def _measures(history: Sequence[Versioned]) -> dict[str, _Measure]:
    """For each key its versions in order, and when at the latest a version at least as new had been written."""
    written: dict[str, dict[int, float]] = defaultdict(dict)
    for call in history:
        if call.kind == "write":
            known = written[call.key].get(call.version, INFINITY)
            written[call.key][call.version] = min(known, call.returned)
    found: dict[str, _Measure] = defaultdict(_Measure)
    for key, versions in written.items():
        measure = found[key]
        measure.versions = sorted(versions)
        soonest = INFINITY
        for version in reversed(measure.versions):
            soonest = min(soonest, versions[version])
            measure.soonest.append(soonest)
        measure.soonest.reverse()
    return found


def _guarantees(history: Sequence[Versioned]) -> Iterator[Anomaly]:
    sessions: dict[tuple[int, str], list[Versioned]] = defaultdict(list)
    for call in history:
        sessions[call.owner, call.key].append(call)
    for calls in sessions.values():
        wrote: Versioned | None = None
        read: Versioned | None = None
        # A call whose answer only the proxy saw may end after its client has gone on: then the two have no order.
        ended: list[tuple[float, int, Versioned]] = []
        for call in sorted(calls, key=lambda each: (each.called, each.index)):
            while ended and ended[0][0] < call.called:
                before = heapq.heappop(ended)[2]
                if before.kind == "write" and (wrote is None or before.version > wrote.version):
                    wrote = before
                elif before.kind == "read" and (read is None or before.version > read.version):
                    read = before
            yield from _call(call, wrote, read)
            heapq.heappush(ended, (call.returned, call.index, call))


def _call(call: Versioned, wrote: Versioned | None, read: Versioned | None) -> Iterator[Anomaly]:
    """What a call breaks after the newest versions that its session has written and read."""
    if call.kind == "read":
        if wrote is not None and call.version < wrote.version:
            yield _broken("read-your-writes", "a client does not see its own write", call, wrote)
        if read is not None and call.version < read.version:
            yield _broken("monotonic-reads", "a client sees an older version after a newer one", call, read)
    else:
        if wrote is not None and call.version <= wrote.version:
            yield _broken("monotonic-writes", "a client's later write is not the newer one", call, wrote)
        if read is not None and call.version <= read.version:
            yield _broken("writes-follow-reads", "a write comes before a version read earlier", call, read)


def _broken(kind: str, text: str, call: Versioned, before: Versioned) -> Anomaly:
    summary = (
        f"{text}: client {call.owner} {call.kind} version {call.version} of {call.key} "
        f"after it had {'written' if before.kind == 'write' else 'read'} version {before.version}"
    )
    spans = (before.span(), call.span(marked=True))
    return Anomaly(kind, RULE, summary, (summary, *lanes.text(spans).splitlines()), spans)


def _stale(call: Versioned, stale: float, bound: float, history: Sequence[Versioned]) -> Anomaly:
    newer = min(
        (w for w in history if w.kind == "write" and w.key == call.key and w.version > call.version),
        key=lambda write: write.returned,
    )
    how = "a strongly consistent" if call.consistent else "an eventually consistent"
    summary = (
        f"{how} read of {call.key} showed version {call.version}, though version {newer.version} had been written "
        f"{stale:.3f} s before it began" + ("" if call.consistent else f" (claimed: at most {bound:g} s)")
    )
    spans = (newer.span(), call.span(marked=True))
    rule = RULE if call.consistent else BOUND
    return Anomaly("stale-read", rule, summary, (summary, *lanes.text(spans).splitlines()), spans)
