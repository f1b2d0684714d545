"""SearchVectors: any order of equals, scores as near as 32-bit floats are, entries no staler than the target may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.oracle.compare import Difference, canonical, differences
from conformance.oracle.latitude import Latitude
from conformance.oracle.stale import replicas
from reference.api import Call, Json
from reference.operations.base import Outcome
from reference.service import Service

MOST = 100
"""Results that a search has at most."""
RELATIVE, ABSOLUTE = 1e-3, 1e-4
"""How far two scores may lie apart that are the same but for rounding."""

Candidate = tuple[bytes, float]
"""An entry as a search shows it, in canonical form, and its score."""


def differs(service: Service, call: Call, outcome: Outcome, body: Json, latitude: Latitude) -> Iterator[Difference]:
    """What is wrong with a search's results."""
    shown = body.get("SearchResults") if isinstance(body, dict) else None
    want = outcome.body["SearchResults"]
    if not isinstance(shown, list) or not all(isinstance(each, dict) for each in shown):
        yield Difference(("SearchResults",), "missing" if shown is None else "type", want, shown)
        return
    lag = latitude.index_lag
    states = [_candidates(service, call), *(_candidates(r, call) for r in (replicas(service, lag) if lag else ()))]
    wrong = _compared(call, want, shown, states, approximate=latitude.approximate)
    if wrong is not None:
        yield wrong
    elif lag == 0:
        for member in ("ConsumedCapacity",):
            yield from differences(outcome.body.get(member), body.get(member), (member,))


def _candidates(service: Service, call: Call) -> list[Candidate]:
    """Everything a search could show of a state, the nearest first."""
    found = service.outcomes(Call(call.operation, {**call.body, "TopK": MOST})).outcome
    results = [] if found is None else found.body["SearchResults"]
    return [(canonical(each["Item"]), each["Score"]) for each in results]


def _compared(
    call: Call, want: list[Any], shown: list[dict[str, Any]], states: list[list[Candidate]], *, approximate: bool
) -> Difference | None:
    head = ("SearchResults",)
    top = call.body["TopK"]
    if len(shown) > top:
        return Difference(head, "more", want, shown)
    ever = [candidate for state in states for candidate in state]
    scores: list[float] = [each["Score"] for each in shown if type(each.get("Score")) in (int, float)]
    if len(scores) < len(shown):
        return Difference((*head, "*", "Score"), "type", want, shown)
    for each in shown:
        mine = [score for text, score in ever if text == canonical(each.get("Item"))]
        if not mine:
            return _strange(want, each)
        if not any(near(score, each["Score"]) for score in mine):
            return Difference((*head, "*", "Score"), "value", mine, each["Score"])
    texts = [canonical(each["Item"]) for each in shown]
    if any(texts.count(text) > max(sum(text == t for t, _ in state) for state in states) for text in texts):
        return Difference(head, "twice", want, shown)
    falling = _falls(call, states)
    ordered = sorted(scores, reverse=falling)
    if any(not near(one, other) for one, other in zip(scores, ordered, strict=True)):
        return Difference(head, "order", want, shown)
    return None if approximate else _missing(head, want, shown, states, top, falling=falling)


def _falls(call: Call, states: list[list[Candidate]]) -> bool:
    """Whether the nearest has the highest score, as the model's own order shows."""
    scores = [score for _, score in states[0]]
    return len(scores) > 1 and scores[0] > scores[-1]


def _missing(
    head: tuple[str, ...], want: list[Any], shown: list[dict[str, Any]], states: list[list[Candidate]], top: int,
    *, falling: bool,
) -> Difference | None:  # fmt: skip
    """An entry of every state that is nearer than the farthest one shown, or for which there was room."""
    told = [(canonical(each["Item"]), each["Score"]) for each in shown]
    last = shown[-1]["Score"] if shown else None

    def count(entries: list[Candidate], text: bytes, score: float) -> int:
        """How many entries look like one; behind the table they may have another score."""
        return sum(text == other and (len(states) > 1 or near(score, found)) for other, found in entries)

    for place, (text, score) in enumerate(states[0], start=1):
        if not all(any(text == other for other, _ in state) for state in states[1:]):
            continue
        needed = (count(states[0][:place], text, score), *(count(state, text, score) for state in states))
        if count(told, text, score) >= min(needed):
            continue
        nearer = last is not None and not near(score, last) and (score > last if falling else score < last)
        if len(shown) < min(top, len(states[0])) and len(states) == 1:
            return Difference(head, "fewer", want, shown)
        if nearer and len(shown) == top:
            return Difference(head, "missing", want, shown)
    return None


def _strange(want: list[Any], each: dict[str, Any]) -> Difference:
    """An entry that is none: another's with something wrong in it, or not there at all."""
    item = each.get("Item")
    for other in want:
        names = set(other["Item"]) & set(item or {})
        if isinstance(item, dict) and any(other["Item"][name] == item[name] for name in names):
            inner = next(differences({"Item": other["Item"]}, {"Item": item}), None)
            if inner is not None:
                path = ("SearchResults", "*", *inner.path)
                return Difference(path, inner.kind, inner.expected, inner.observed, inner.names)
    return Difference(("SearchResults", "*"), "unexpected", want, each)


def near(one: float, other: float) -> bool:
    """Whether two scores are the same but for rounding."""
    return bool(abs(one - other) <= max(ABSOLUTE, RELATIVE * max(abs(one), abs(other))))
