"""When all is quiet again: does every way of reading a table show the same items?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from chaos.checkers.item import State, shown
from chaos.checkers.verdict import Anomaly, Result

RULE = "consistency.views-agree"
INDEX = "consistency.index-converges"
LIMIT = 10

View = Mapping[str, State]
"""The items a way of reading shows, by key."""


def check(
    views: Mapping[str, View],
    *,
    base: str = "get",
    indexes: Mapping[str, tuple[View, View]] | None = None,
    possible: Mapping[str, Collection[State]] | None = None,
    waited: float = 0.0,
) -> Result:
    """Check the views of a quiet table against the ``base`` one.

    ``indexes`` gives for each index what it shows and what it must show (its projection of the base table).
    ``possible`` gives for some keys the states the writes can have left. ``waited`` is how long it was waited for.
    """
    anomalies: list[Anomaly] = []
    truth = views[base]
    for name, view in views.items():
        if name != base:
            anomalies += _differences(name, view, truth, RULE, waited)
    for name, (seen, expected) in (indexes or {}).items():
        anomalies += _differences(f"index {name}", seen, expected, INDEX, waited)
    for key, states in (possible or {}).items():
        if truth.get(key) not in states:
            likely = " or ".join(sorted({shown(state) for state in states})[:4])
            text = f"{key} is {shown(truth.get(key))}; its writes can only have left {likely}"
            anomalies.append(Anomaly("impossible-state", RULE, text, (text,)))
    return Result(
        "convergence",
        "violated" if anomalies else "ok",
        tuple(anomalies[:LIMIT]),
        facts={"items": len(truth), "views": len(views), "indexes": len(indexes or {}), "waited": round(waited, 3)},
    )


def _differences(name: str, view: View, truth: View, rule: str, waited: float) -> list[Anomaly]:
    found = []
    for key in sorted({*view, *truth}):
        seen, expected = view.get(key), truth.get(key)
        if seen == expected and (key in view) == (key in truth):
            continue
        if key not in truth:
            kind, text = "ghost-entry", f"{name} shows {key} = {shown(seen)}, which should not be in it"
        elif key not in view:
            kind, text = "missing-entry", f"{name} lacks {key}, which should be {shown(expected)}"
        else:
            kind, text = "differing-entry", f"{name} shows {key} = {shown(seen)}, which should be {shown(expected)}"
        text += f" ({waited:.1f} s after the last write)" if waited else ""
        found.append(Anomaly(kind, rule, text, (text,)))
    return found
