from __future__ import annotations

from dataclasses import replace

import pytest

from chaos.checkers import transactions
from chaos.checkers.cycles import components, shortest
from chaos.checkers.notation import transaction
from chaos.checkers.notation import transactions as history

ACCEPTED = [
    "ax1 rx1",
    "ax1ry1 ay1rx_ rx1ry1",
    "ax1ay1 rx1ry1 ax2ay2 rx12ry12",
    "rx_ ax1 rx_",  # an old read is not against serializability: time between clients is not asked for
    "ax1? rx_ ay1 ry1",  # a transaction without an answer that nobody saw
    "ax1? rx1",
    "ax1! rx_ ay1 ry1",
    "ax1ay1 ~rx1 ~ry_ rx1ry1",  # Query sees half of a transaction: read-committed is all it is promised
    "rx_ax1 rx1ax2 rx12ax3 rx123",
    "ax1 ax2 rx12",
    "ax1rx1 rx1",
]
REJECTED = {
    "ax1 rx2": "garbage-read",
    "ax1! rx1": "G1a",
    "ax1ax2 rx1": "G1b",
    "ax1 rx11": "duplicate-elements",
    "ax1 ax2 rx12 rx2": "incompatible-order",
    "ax1 ax2 rx12 rx21": "incompatible-order",
    "ax1rx_ rx1": "internal",
    "rx_ax1rx_ rx1": "internal",
    "ax1ay2 ay1ax2 rx12ry21": "ok",
    "ax1ay1 ax2ay2 rx12 ry21": "G0",
    "ax1ry1 ay1rx1": "G1c",
    "ax1ay1 rx1ry_ ry1": "G-single",
    "ax1 ay1 rx1ry_ rx_ry1": "G2-item",  # a long fork: two readers see two writes in opposite order
    "rx_ay1 ry_ax1 rx1ry1": "G2-item",  # write skew
    "rx_ax1 rx_ax2 rx12": "lost-update",
    "ax1! ~rx1": "G1a",
    "ax1ax2 ~rx1": "G1b",
    "ax1 ax2 rx12 ~rx2": "incompatible-order",
}


@pytest.mark.parametrize("text", ACCEPTED)
def test_serializable_histories_are_accepted(text: str) -> None:
    found = transactions.check(history(text), demand_contact=False)
    assert (found.verdict, found.anomalies) == ("ok", ())


@pytest.mark.parametrize("text", REJECTED)
def test_anomalies_have_their_names(text: str) -> None:
    kinds = {a.kind for a in transactions.check(history(text), demand_contact=False).anomalies}
    wanted = REJECTED[text]
    assert (wanted in kinds) if wanted != "ok" else not kinds


def test_the_example_of_elle_is_circular_information_flow() -> None:
    """The README of elle: T1 appends 3 to key 1 and reads T2's element, which read T1's."""
    found = transactions.check(history("rx12ay1 ax1 ax2ry1"))
    assert {a.kind for a in found.anomalies} == {"G1c"}


def test_the_prose_tells_each_dependency() -> None:
    (found,) = transactions.check(history("ax1ry1 ay1rx1")).anomalies
    assert found.prose[:7] == (
        "Let:",
        "  T0 = append x 1, read y [1]",
        "  T1 = append y 1, read x [1]",
        "Then:",
        "  T0 < T1: T1 saw T0's append of 1 to x",
        "  T1 < T0: T0 saw T1's append of 1 to y",
        "So each of T0, T1 comes before itself: each saw what the other wrote (circular information flow).",
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [("ax1ay1 rx1ry_", "partial-transaction"), ("ax1ay1? rx1ry_", "partial-transaction"), ("ax1 rx_", "lost-append")],
)
def test_the_final_reading_shows_all_that_was_committed(text: str, kind: str) -> None:
    *rest, last = history(text)
    found = transactions.check([*rest, replace(last, final=True)], demand_contact=False)
    assert kind in {a.kind for a in found.anomalies}


def test_the_final_reading_may_lack_what_failed_or_was_not_answered() -> None:
    *rest, last = history("ax1ay1 ax2! ay3? rx1ry1")
    assert transactions.check([*rest, replace(last, final=True)]).verdict == "ok"


def test_too_little_contention_is_no_verdict() -> None:
    found = transactions.check(history("rx_ ry_ rz_"))
    assert found.verdict == "unknown"
    assert "too little contention" in found.reason


def test_the_same_element_twice_is_our_own_mistake() -> None:
    found = transactions.check(history("ax1 ax1 rx1"))
    assert (found.verdict, found.reason.split(":")[0]) == ("unknown", "harness")


def test_a_word_that_is_no_transaction() -> None:
    with pytest.raises(ValueError, match="no transaction"):
        transaction("ax1qy2")


def test_components_and_short_cycles() -> None:
    graph = {1: [2], 2: [3], 3: [1, 4], 4: [5], 5: [4, 6], 6: []}
    assert sorted(map(sorted, components(graph))) == [[1, 2, 3], [4, 5]]
    assert sorted(shortest(graph, {4, 5})) == [4, 5]
    # Deep graphs need no deep stack.
    assert len(components({n: [(n + 1) % 50_000] for n in range(50_000)})[0]) == 50_000
