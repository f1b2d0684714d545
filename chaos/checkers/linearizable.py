"""Is the history of one key linearizable: do its calls have one order, true to time, that explains every answer?

The search of Wing and Gong with the memory that Lowe added, as Horn and Kröning describe it (arXiv 1504.00204), with
three savings that keep it exact: a call that only reads is placed as soon as it fits; a call that was never answered is
tried last; and what is placed is remembered as a prefix and a few bits, not as one long set.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chaos import lanes
from chaos.checkers.item import ILLEGAL, Access, State, Value, shown, step
from chaos.checkers.prechecks import prechecks
from chaos.checkers.verdict import INFINITY, Anomaly, Result, Verdict, result

RULE = "consistency.linearizable-item"
BUDGET = 2_000_000
"""Steps of the search on one key; beyond it the verdict is unknown."""
MINIMISE_BUDGET = 300_000
"""Steps spent on making the evidence small."""
_STATES = 6
_ORDER = 12


@dataclass(slots=True)
class Search:
    """What a search came to: verdict, steps taken, the longest order found and the states it could end in."""

    verdict: Verdict
    steps: int = 0
    prefix: tuple[Access, ...] = ()
    states: list[State] = field(default_factory=list)

    def stuck(self, history: Iterable[Access]) -> Access | None:
        """The call that was answered first of those that the longest order has no place for."""
        placed = {access.index for access in self.prefix}
        left = [access for access in history if not access.info and access.index not in placed]
        return min(left, key=lambda access: (access.returned, access.index), default=None)


@dataclass(slots=True)
class _Frame:
    """A place in the search: the state, what is placed (all below ``low``, the bits above it), what to try next."""

    state: State
    low: int
    mask: int
    taken: int
    tries: list[tuple[Access, int, State]]
    next: int = 0


class _Searcher:
    def __init__(self, history: Iterable[Access], start: State) -> None:
        calls = [a for a in history if not (a.info and a.reads_only)]
        self.answered = sorted((a for a in calls if not a.info), key=lambda a: (a.called, a.index))
        self.open = sorted((a for a in calls if a.info), key=lambda a: (a.called, a.index))
        self.opened = [a.called for a in self.open]
        self.start = start

    def frame(self, state: State, low: int, mask: int, taken: int) -> _Frame:
        """The frame for a place: its tries in the order in which they are worth making."""
        answered, tries = self.answered, []
        first_return = INFINITY
        at = low
        bits = mask
        while at < len(answered):
            access = answered[at]
            if access.called > first_return:
                break
            if not bits & 1:
                if access.returned < first_return:
                    first_return = access.returned
                after = step(access, state)
                if after is not ILLEGAL:
                    if access.reads_only:
                        return _Frame(state, low, mask, taken, [(access, at, after)])
                    tries.append((access, at, after))
            bits >>= 1
            at += 1
        tries.sort(key=lambda each: each[0].returned)
        for number in range(bisect_right(self.opened, first_return)):
            if not taken >> number & 1:
                after = step(self.open[number], state)
                if after != state:
                    tries.append((self.open[number], -1 - number, after))
        return _Frame(state, low, mask, taken, tries)

    def run(self, budget: int) -> Search:
        """Search depth first, remembering every place that was reached."""
        total = len(self.answered)
        stack = [self.frame(self.start, 0, 0, 0)]
        path: list[Access] = []
        seen: set[tuple[int, int, int, State]] = set()
        found = Search("violated")
        deepest = -1
        while stack:
            top = stack[-1]
            if top.low == total:
                return Search("ok", found.steps, tuple(path))
            if top.next == len(top.tries):
                depth = top.low + top.mask.bit_count()
                if depth > deepest:
                    deepest, found.prefix, found.states = depth, tuple(path), []
                if depth == deepest and top.state not in found.states and len(found.states) < _STATES:
                    found.states.append(top.state)
                stack.pop()
                if path:
                    path.pop()
                continue
            access, at, state = top.tries[top.next]
            top.next += 1
            found.steps += 1
            if found.steps > budget:
                return Search("unknown", found.steps, found.prefix, found.states)
            low, mask, taken = top.low, top.mask, top.taken
            if at < 0:
                taken |= 1 << (-1 - at)
            else:
                mask |= 1 << (at - low)
                while mask & 1:
                    mask >>= 1
                    low += 1
            place = (low, mask, taken, state)
            if place not in seen:
                seen.add(place)
                path.append(access)
                stack.append(self.frame(state, low, mask, taken))
        return found


def search(history: Iterable[Access], start: State = None, budget: int = BUDGET) -> Search:
    """Look for an order of one key's calls; ``start`` is the state before the first."""
    return _Searcher(history, start).run(budget)


def check(
    histories: Mapping[str, Sequence[Access]],
    *,
    starts: Mapping[str, State] | None = None,
    failed: Mapping[str, Sequence[Access]] | None = None,
    budget: int = BUDGET,
) -> Result:
    """Check every key's history by itself (a history is linearizable if and only if each key's is).

    ``failed`` are calls that certainly took no effect: to see their values is an anomaly.
    """
    anomalies: list[Anomaly] = []
    undecided: list[str] = []
    steps = calls = 0
    for key, history in histories.items():
        start = (starts or {}).get(key)
        calls += len(history)
        found = list(prechecks(key, history, start, (failed or {}).get(key, ()), RULE))
        if not found:
            outcome = search(history, start, budget)
            steps += outcome.steps
            if outcome.verdict == "unknown":
                undecided.append(f"{key}: {len(history)} calls, more than {budget:,} steps")
            elif outcome.verdict == "violated":
                found = [explain(key, history, start)]
        anomalies += found
    reason = "; ".join(undecided) or ("" if calls else "no calls")
    return result("linearizable", anomalies, reason, keys=len(histories), calls=calls, steps=steps)


def explain(key: str, history: Sequence[Access], start: State = None) -> Anomaly:
    """The evidence for a history that is not linearizable: a small part of it that is not, and where it is stuck."""
    small = minimise(history, start)
    outcome = search(small, start)
    stuck = outcome.stuck(small)
    spans = [access.span(marked=stuck is not None and access.index == stuck.index) for access in small]
    order = [f"  {n}. client {a.process}: {a.label()}" for n, a in enumerate(outcome.prefix, 1)]
    if len(order) > _ORDER:
        order = [f"  … {len(order) - _ORDER} calls …", *order[-_ORDER:]]
    states = " or ".join(f"{{{shown(state)}}}" for state in outcome.states)
    prose = [
        f"These {len(small)} of the {len(history)} calls on {key} have no order that is true to time and explains all.",
        f"The longest order found explains {len(outcome.prefix)} calls" + (":" if order else "."),
        *order,
        f"After it the item is {states}.",
    ]
    summary = f"{key}: no order of the calls explains the answers"
    if stuck is not None:
        prose.append(f"Client {stuck.process}'s call {stuck.index}, {stuck.label()}, has no place after it or before.")
        summary = f"{key}: {stuck.label()} can't be placed in any order of the calls"
    return Anomaly("not-linearizable", RULE, summary, (*prose, *lanes.text(spans).splitlines()), tuple(spans))


def minimise(history: Sequence[Access], start: State = None) -> list[Access]:
    """A small part of a history that still is not linearizable, and shows that the whole is not.

    First the shortest beginning in time, then without calls that no other call depends on: reads, and writes of values
    that nobody saw. The whole history where the budget does not allow more.
    """
    left = MINIMISE_BUDGET

    def bad(part: Sequence[Access]) -> bool:
        nonlocal left
        outcome = search(part, start, max(left, 1))
        left -= outcome.steps
        return outcome.verdict == "violated"

    moments = sorted({access.returned for access in history if not access.info})
    low, high = 0, len(moments) - 1
    while low < high:
        middle = (low + high) // 2
        if bad(until(history, moments[middle])):
            high = middle
        else:
            low = middle + 1
    part = until(history, moments[high]) if moments else list(history)
    if not bad(part):
        return list(history)
    size = max(1, len(part) // 4)
    while size and left > 0:
        at = 0
        while at < len(part) and left > 0:
            chunk = part[at : at + size]
            rest = part[:at] + part[at + size :]
            if all(_loose(access, rest) for access in chunk) and bad(rest):
                part = rest
            else:
                at += size
        size //= 2
    return part


def until(history: Sequence[Access], moment: float) -> list[Access]:
    """The history as it was known at a moment: calls under way are open, later ones not made."""
    known = []
    for access in history:
        if access.called <= moment:
            under_way = access.returned > moment and not access.info
            known.append(
                replace(access, info=True, returned=INFINITY, before=None, after=None, shown=(), refused=False)
                if under_way
                else access
            )
    return [access for access in known if not (access.info and access.reads_only)]


def _loose(access: Access, rest: Sequence[Access]) -> bool:
    """Whether no other call's answer can be owed to this one: then the rest is lawful if the whole is."""
    if access.reads_only:
        return True
    if access.action == "delete":
        return False
    written = set(access.item or ()) if access.action == "put" else {(name, value) for _, name, value in access.changes}
    return not any(_depends(other, written) for other in rest)


def _depends(other: Access, written: set[tuple[str, Value]]) -> bool:
    if other.action == "update" or other.refused or any(test[0] != "=" for test in other.condition):
        return True
    if written & {(name, value) for _, name, value in other.condition}:
        return True
    return any(sight is not None and written & set(sight[0] or ()) for sight in (other.before, other.after))
