"""Do acknowledged writes survive the end of the process, where the target claims that they do?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chaos import lanes
from chaos.checkers.item import Access, State, shown
from chaos.checkers.linearizable import BUDGET, search
from chaos.checkers.verdict import Anomaly, Result, result

RULE = "consistency.durable-acknowledged"
LIMIT = 10
FINAL = -1
"""Index and process of the reading after the restart."""


def check(
    histories: Mapping[str, Sequence[Access]],
    finals: Mapping[str, State],
    kills: Sequence[float],
    *,
    declared: bool,
    starts: Mapping[str, State] | None = None,
) -> Result:
    """Check what was read after the restart (``finals``) against the writes of each key; ``kills`` are moments.

    Where nothing is declared a target may come back empty or whole, but not with a part of what it had.
    """
    lost: list[Anomaly] = []
    undecided: list[str] = []
    for key, final in finals.items():
        history = histories.get(key, ())
        start = (starts or {}).get(key)
        verdict = _explained(history, final, start)
        if verdict is None:
            undecided.append(key)
        elif not verdict:
            lost.append(_lost(key, history, final, kills))
    facts = {"keys": len(finals), "kills": len(kills), "declared": declared, "lost": len(lost)}
    if not kills:
        return result("durability", (), "the target was not killed", **facts)
    reason = f"too many open calls on {', '.join(undecided)}" if undecided else ""
    if declared:
        return result("durability", lost[:LIMIT], reason, **facts)
    if lost and all(final is None for final in finals.values()):
        return result("durability", (), reason, **facts, came_back="empty")
    return result("durability", [_partly(lost[0], len(lost), len(finals))] if lost else (), reason, **facts)


def _explained(history: Sequence[Access], final: State, start: State) -> bool | None:
    """Whether some order of the writes leaves this final state; None when that took too long to tell.

    Only what the final reading saw is at issue here, so other calls' answers are left out of it.
    """
    writes = [_blind(access) for access in history if not access.reads_only]
    now = max((a.returned for a in writes if not a.info), default=0.0)
    end = max([now, *(a.called for a in writes)]) + 1.0
    reading = Access(FINAL, FINAL, end, end, "read", after=(final,))
    outcome = search([*_alive(writes), reading], start, BUDGET)
    return None if outcome.verdict == "unknown" else outcome.verdict == "ok"


def _blind(access: Access) -> Access:
    return replace(access, before=None, after=None, shown=(), condition=() if not access.info else access.condition)


def _alive(writes: Sequence[Access]) -> Sequence[Access]:
    """The writes from the last one on that leaves nothing of what was before it: earlier ones do not matter."""
    clean = [a for a in writes if not a.info and a.action in ("put", "delete")]
    if not clean:
        return writes
    last = max(clean, key=lambda a: a.called)
    return [a for a in writes if a.returned >= last.called]


def _lost(key: str, history: Sequence[Access], final: State, kills: Sequence[float]) -> Anomaly:
    sure = [a for a in history if not a.reads_only and not a.info]
    last = max(sure, key=lambda a: a.returned, default=None)
    told = f"{key} is {shown(final)} after the restart"
    if last is None:
        summary = f"{told}, which no write explains"
    else:
        before = [kill for kill in kills if kill >= last.returned]
        when = f", {before[0] - last.returned:.3f} s before the target was killed" if before else ""
        summary = f"{told}; {last.label()} had been acknowledged{when}"
    spans = tuple(a.span(marked=a is last) for a in sorted(sure, key=lambda a: a.returned)[-8:])
    prose = (summary, "The last acknowledged writes of it:", *lanes.text(spans).splitlines())
    return Anomaly("lost-acknowledged-write", RULE, summary, prose, spans)


def _partly(first: Anomaly, lost: int, keys: int) -> Anomaly:
    summary = f"nothing was promised to survive, but {keys - lost} of {keys} items did and {lost} did not"
    return Anomaly("partial-survival", RULE, summary, (summary, *first.prose), first.spans)
