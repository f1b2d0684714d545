from __future__ import annotations

import pytest

from chaos.checkers import linearizable
from chaos.checkers.item import ILLEGAL, Access, step
from chaos.checkers.notation import lanes

ACCEPTED = {
    "nothing happened": [],
    "one after the other": ["A: [w1] [r1] [w2] [r2]"],
    "a read during a write may see either (Herlihy and Wing, fig. 1)": ["A: [w1]  [w2      ]", "B:       [r1] [r2]"],
    "two readers during a write, new then new": ["A: [w1] [w2        ]", "B:       [r2]", "C:            [r2]"],
    "concurrent writes have either order": ["A: [w1    ]   [r1]", "B: [w2    ]"],
    "touching intervals are concurrent": ["A: [w1]", "B:    [r_]"],
    "an unanswered write may take effect late": ["A: [w1>", "B: [w2] [r2] [r1]"],
    "an unanswered write may never take effect": ["A: [w1>", "B: [w2] [r2] [r2]"],
    "an unanswered conditional write tries once": ["A: [w1] [r1]        [r2]", "B:         [c12>"],
    "compare and set": ["A: [w1] [c12]", "B:      [c13!   ] [r2]"],
    "insert once": ["A: [n1] [r1]", "B: [n2!]"],
    "delete and old images": ["A: [w1] [d/1] [n2] [w3/2] [r3]"],
    "counting": ["A: [+1=1   ] [+1=3]", "B: [+1=2   ]     [=3]"],
    "a value written twice is replaced twice": ["A: [w1] [d/1] [w1] [d/1]"],
    "a lost addition may count or not": ["A: [+1>", "B: [+1=1] [+1=3]"],
}
REJECTED = {
    "an old value after the new one was read": ["A: [w1] [w2        ]", "B:       [r2] [r1]"],
    "new, then old (Herlihy and Wing)": ["A: [w1] [w2          ]", "B:        [r2]", "C:              [r1]"],
    "a stale read": ["A: [w1] [w2]", "B:             [r1]"],
    "a read of the future": ["A: [r1]", "B:     [w1]"],
    "a lost write": ["A: [w1] [r_]"],
    "a value nobody wrote": ["A: [w1] [r7]"],
    "an unanswered write does not take effect twice": ["A: [w1>", "B: [w2] [r1] [w3] [r1]"],
    "both replaced the same value": ["A: [w1] [c12]", "B:      [c13 ]"],
    "both replaced it, another was written twice": ["A: [w9] [w9] [w1] [c12]", "B:                [c13 ]"],
    "both inserted": ["A: [n1]", "B: [n2]"],
    "refused although it holds": ["A: [w1] [c12!] [r1]"],
    "the refused write shows": ["A: [w1] [w2] [c13!] [r3]"],
    "two additions at the same count": ["A: [+1=1  ]", "B: [+1=1  ]"],
    "an addition counted twice": ["A: [+1=1] [=2]"],
    "old image skips a write": ["A: [w1] [w2] [w3/1]"],
    "writes seen in opposite orders": ["A: [w1    ]", "B: [w2    ]", "C:   [r1] [r2]", "D:   [r2] [r1]"],
}  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_lawful_histories_are_accepted(name: str) -> None:
    history = lanes(*ACCEPTED[name])
    assert linearizable.search(history).verdict == "ok"
    assert not linearizable.check({"k": history}).anomalies


@pytest.mark.parametrize("name", REJECTED)
def test_unlawful_histories_are_rejected(name: str) -> None:
    history = lanes(*REJECTED[name])
    assert linearizable.search(history).verdict == "violated"
    found = linearizable.check({"k": history})
    assert found.verdict == "violated"
    assert found.anomalies[0].rule == "consistency.linearizable-item"
    assert found.anomalies[0].prose


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a stale read", "stale-read"),
        ("a read of the future", "future-read"),
        ("a lost write", "lost-write"),
        ("a value nobody wrote", "garbage-read"),
        ("the refused write shows", "aborted-read"),
        ("both replaced the same value", "lost-update"),
        ("both replaced it, another was written twice", "lost-update"),
        ("two additions at the same count", "lost-update"),
        ("an addition counted twice", "applied-twice"),
        ("writes seen in opposite orders", "not-linearizable"),
    ],
)
def test_quick_looks_name_what_they_find(name: str, kind: str) -> None:
    assert kind in {a.kind for a in linearizable.check({"k": lanes(*REJECTED[name])}).anomalies}


def test_the_evidence_shows_the_order_and_the_call_without_a_place() -> None:
    history = lanes("A: [w1] [w2          ]", "B:        [r2]", "C:              [r1]", "D:     [r_]")
    small = linearizable.minimise(lanes("A: [w1] [w2          ] [r2] [r2]", "B:        [r2]", "C:              [r1]"))
    assert [a.label() for a in small] == ["put v=1", "put v=2", "read v=2", "read v=1"]
    assert linearizable.search(history).verdict == "violated"
    anomaly = linearizable.explain("k", small)
    assert anomaly.prose[:7] == (
        "These 4 of the 4 calls on k have no order that is true to time and explains all.",
        "The longest order found explains 3 calls:",
        "  1. client 0: put v=1",
        "  2. client 0: put v=2",
        "  3. client 1: read v=2",
        "After it the item is {v=2}.",
        "Client 2's call 3, read v=1, has no place after it or before.",
    )
    assert [span.marked for span in anomaly.spans] == [False, False, False, True]


def test_beyond_its_steps_it_does_not_know() -> None:
    history = lanes("A: [w1    ]", "B: [w2    ]", "C:   [r1] [r2]", "D:   [r2] [r1]")
    assert linearizable.search(history, budget=3).verdict == "unknown"
    found = linearizable.check({"k": history}, budget=3)
    assert found.verdict == "unknown"
    assert "more than 3 steps" in found.reason


def test_no_calls_are_no_verdict() -> None:
    assert linearizable.check({}).verdict == "unknown"


def test_keys_are_judged_apart() -> None:
    found = linearizable.check({"a": lanes("A: [w1] [r1]"), "b": lanes("A: [w1] [r_]")})
    assert [a.summary.split(":")[0] for a in found.anomalies] == ["b"]


def test_a_start_state_counts() -> None:
    start = (("v", "0"),)
    assert linearizable.search(lanes("A: [r0] [c01] [r1]"), start).verdict == "ok"
    assert linearizable.search(lanes("A: [r_]"), start).verdict == "violated"


OLD = (("v", "b"),)


def made(**fields: object) -> Access:
    return Access(0, 0, 0.0, 1.0, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("access", "state", "after"),
    [
        (made(action="update", changes=(("add", "n", 2),)), None, (("n", 2),)),
        (made(action="update", changes=(("append", "l", (3,)),)), (("l", (1, 2)),), (("l", (1, 2, 3)),)),
        (made(action="update", changes=(("remove", "v", None),)), (("v", "a"),), ()),
        (made(action="update", changes=(("set", "v", "b"),), shown=(("v", "c"),)), None, ILLEGAL),
        (made(action="put", item=(("v", "a"),), condition=((">=", "n", 5),)), (("n", 5),), (("v", "a"),)),
        (made(action="put", item=(("v", "a"),), condition=((">=", "n", 5),)), (("n", 4),), ILLEGAL),
        (made(action="delete", condition=(("size", "l", 2),)), (("l", (1, 2)),), None),
        (made(action="delete", condition=(("present", "", None),), refused=True), None, None),
        (made(action="delete", condition=(("present", "v", None),), refused=True), (("v", "a"),), ILLEGAL),
        (made(action="put", item=(("v", "a"),), condition=(("absent", "", None),), info=True), OLD, OLD),
    ],
)  # fmt: skip
def test_steps(access: Access, state: object, after: object) -> None:
    assert step(access, state) == after  # type: ignore[arg-type]
