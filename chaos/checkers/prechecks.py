"""Quick looks at one key's history that find most anomalies and explain them perfectly.

Each is sound by itself: what it reports has no lawful order. They ask for unique values (attribute ``v``) and for
counters that only grow (attribute ``n``), and are silent where a history does not have them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from chaos import lanes
from chaos.checkers.item import Access, State
from chaos.checkers.verdict import INFINITY, Anomaly

REGISTER, COUNTER = "v", "n"


def prechecks(
    key: str, history: Sequence[Access], start: State, failed: Sequence[Access], rule: str
) -> Iterator[Anomaly]:
    """The anomalies of a key's history, at most one of each kind."""
    seen: set[str] = set()
    for look in (_values, _overwritten_twice, _vanished, _counter, _same_count):
        for kind, summary, calls in look(history, start, failed):
            if kind not in seen:
                seen.add(kind)
                spans = [access.span(marked=access is calls[0]) for access in _distinct(calls)]
                prose = (f"{key}: {summary}", *lanes.text(spans).splitlines())
                yield Anomaly(kind, rule, f"{key}: {summary}", prose, tuple(spans))


Found = tuple[str, str, list[Access]]


def _distinct(calls: list[Access]) -> list[Access]:
    return list({access.index: access for access in calls}.values())


def _writers(history: Sequence[Access]) -> dict[object, Access] | None:
    """Who wrote which value of the register; None where a value was written twice."""
    writers: dict[object, Access] = {}
    for access in history:
        value = access.value_of(REGISTER)
        if value is not None:
            if value in writers:
                return None
            writers[value] = access
    return writers


def _register(state: State) -> object:
    return dict(state or ()).get(REGISTER)


def _values(history: Sequence[Access], start: State, failed: Sequence[Access]) -> Iterator[Found]:
    """Values nobody wrote, from failed writes, from the future, and values that were overwritten before."""
    writers = _writers(history)
    if writers is None:
        return
    aborted = {_attempted(access): access for access in (*failed, *(a for a in history if a.refused))}
    final = sorted((a for a in history if a.writes(REGISTER) and not a.info and _replaces(a)), key=lambda a: a.called)
    called = [access.called for access in final]
    soonest: list[Access] = []
    for access in reversed(final):
        soonest.append(access if not soonest or access.returned < soonest[-1].returned else soonest[-1])
    soonest.reverse()
    for access in history:
        for sight in access.sights():
            value = _register(sight)
            if value is None or (value == _register(start)):
                continue
            writer = writers.get(value)
            if writer is None:
                if value in aborted:
                    calls = [access, aborted[value]]
                    yield "aborted-read", f"{access.label()} shows {value}, whose write was refused", calls
                else:
                    yield "garbage-read", f"{access.label()} shows {value}, which nobody wrote", [access]
                continue
            if writer.called > access.returned:
                yield "future-read", f"{access.label()} ended before {value} was written", [access, writer]
            later = bisect_right(called, writer.returned)
            if later < len(final) and soonest[later].returned < access.called and soonest[later] is not access:
                over = soonest[later]
                text = f"{access.label()} began after {over.label()} had replaced {value}"
                yield "stale-read", text, [access, writer, over]


def _attempted(access: Access) -> object:
    return replace(access, refused=False).value_of(REGISTER)


def _replaces(access: Access) -> bool:
    """Whether the call, once applied, leaves no earlier value of the register in place."""
    return access.action in ("put", "delete") or any(
        name == REGISTER and how in ("set", "remove") for how, name, _ in access.changes
    )


def _overwritten_twice(history: Sequence[Access], start: State, failed: Sequence[Access]) -> Iterator[Found]:
    """A value that was written once can be replaced only once."""
    written: Counter[object] = Counter(access.value_of(REGISTER) for access in history)
    written[_register(start)] += 1
    replaced: dict[object, Access] = {}
    for access in history:
        if access.info or access.refused or not access.writes(REGISTER) or not _replaces(access):
            continue
        old = _register(access.before[0]) if access.before is not None else _demanded(access)
        if old is None or written[old] > 1:
            continue
        if old in replaced:
            other = replaced[old]
            text = f"{other.label()} and {access.label()} both replaced {old}, which can be replaced only once"
            yield "lost-update", text, [access, other]
        replaced[old] = access


def _demanded(access: Access) -> object:
    return next((value for how, name, value in access.condition if how == "=" and name == REGISTER), None)


def _vanished(history: Sequence[Access], start: State, failed: Sequence[Access]) -> Iterator[Found]:
    """No value is shown although one was written before and nobody took it away."""
    keepers = sorted((a for a in history if a.value_of(REGISTER) is not None and not a.info), key=lambda a: a.returned)
    removers = [a for a in history if a.writes(REGISTER) and _replaces(a) and a.value_of(REGISTER) is None]
    ended = [access.returned for access in keepers]
    for access in history:
        for sight in access.sights():
            at = bisect_left(ended, access.called) - 1
            if _register(sight) is not None or at < 0:
                continue
            keeper = keepers[at]
            guilty = (r for r in removers if r.returned >= keeper.called and r.called <= access.returned)
            if next((r for r in guilty if r is not access), None) is None:
                text = f"{access.label()} began after {keeper.label()} had ended, and nothing removed it"
                yield "lost-write", text, [access, keeper]
                return


def _adds(history: Sequence[Access]) -> list[tuple[Access, int]] | None:
    """The calls that add to the counter, and how much; None where it is changed in any other way."""
    adds = []
    for access in history:
        if not access.writes(COUNTER):
            continue
        changes = [change for change in access.changes if change[1] == COUNTER]
        if access.action != "update" or len(changes) != 1:
            return None
        how, _, value = changes[0]
        if how != "add" or not isinstance(value, int) or value <= 0:
            return None
        adds.append((access, value))
    return adds


def _counts(access: Access) -> Iterator[tuple[int, int]]:
    """What the answer shows of the counter before the call and after it: (value, 1 where its own part is in it)."""
    for sight in access.sights():
        value = dict(sight or ()).get(COUNTER, 0)
        if isinstance(value, int):
            yield value, 0
    if not access.reads_only:
        after = dict(access.shown or (access.after[0] if access.after else None) or ()).get(COUNTER)
        if isinstance(after, int):
            yield after, 1


def _counter(history: Sequence[Access], start: State, failed: Sequence[Access]) -> Iterator[Found]:
    """A counter is never below what was added for certain, nor above all that may have been added."""
    adds = _adds(history)
    base = dict(start or ()).get(COUNTER, 0)
    if not adds or not isinstance(base, int):
        return
    sure = sorted((a.returned, d) for a, d in adds if not a.info)
    sums = list(accumulate((d for _, d in sure), initial=0))
    begun = sorted((a.called, d) for a, d in adds)
    totals = list(accumulate((d for _, d in begun), initial=0))
    delta = {a.index: d for a, d in adds}
    for access in history:
        for value, own in _counts(access):
            mine = delta.get(access.index, 0)
            least = base + mine * own + sums[bisect_left(sure, (access.called, 0))]
            most = base + totals[bisect_right(begun, (access.returned, INFINITY))] - mine * (1 - own)
            if value < least:
                ended = [a for a, _ in adds if not a.info and a.returned < access.called]
                text = f"{access.label()}, although {least} had been added for certain"
                yield "lost-update", text, [access, *ended[-6:]]
                return
            if value > most:
                begun_by = [a for a, _ in adds if a.called <= access.returned and a is not access]
                text = f"{access.label()}, although no more than {most} had been added: one took effect twice"
                yield "applied-twice", text, [access, *begun_by[-6:]]
                return


def _same_count(history: Sequence[Access], start: State, failed: Sequence[Access]) -> Iterator[Found]:
    """Two additions can't both arrive at the same count."""
    adds = _adds(history)
    arrived: dict[int, Access] = {}
    for access, _ in adds or ():
        for value, own in _counts(access):
            if own and value in arrived:
                other = arrived[value]
                text = f"{other.label()} and {access.label()} both arrived at {value}: one addition is lost"
                yield "lost-update", text, [access, other]
            if own:
                arrived[value] = access
