from __future__ import annotations

import pytest

from chaos.checkers import convergence, durability
from chaos.checkers.item import State
from chaos.checkers.notation import lanes


def state(word: str) -> State:
    return None if word == "_" else (("v", word),)


@pytest.mark.parametrize(
    ("history", "final"),
    [
        (["A: [w1] [w2]"], "2"),
        (["A: [w1] [w2>"], "1"),
        (["A: [w1] [w2>"], "2"),
        (["A: [w1   ]", "B: [w2   ]"], "1"),
        (["A: [w1] [d]"], "_"),
        (["A: [w1] [c12!] "], "1"),
        ([], "_"),
    ],
)
def test_what_may_be_there_after_a_kill(history: list[str], final: str) -> None:
    found = durability.check({"k": lanes(*history)}, {"k": state(final)}, [50.0], declared=True)
    assert found.verdict == "ok"


@pytest.mark.parametrize(
    ("history", "final"),
    [(["A: [w1] [w2]"], "1"), (["A: [w1]"], "_"), (["A: [w1] [d]"], "1"), (["A: [w1]"], "7"),
     (["A: [w1] [w2]", "B: [w3>"], "1")],
)  # fmt: skip
def test_what_may_not(history: list[str], final: str) -> None:
    found = durability.check({"k": lanes(*history)}, {"k": state(final)}, [50.0], declared=True)
    assert [a.kind for a in found.anomalies] == ["lost-acknowledged-write"]
    assert "before the target was killed" in found.anomalies[0].summary


def test_what_promises_nothing_comes_back_empty_or_whole() -> None:
    histories = {"a": lanes("A: [w1]"), "b": lanes("A: [w1]")}
    empty = durability.check(histories, {"a": None, "b": None}, [50.0], declared=False)
    assert (empty.verdict, empty.facts["came_back"]) == ("ok", "empty")
    assert durability.check(histories, {"a": state("1"), "b": state("1")}, [50.0], declared=False).verdict == "ok"
    partly = durability.check(histories, {"a": state("1"), "b": None}, [50.0], declared=False)
    assert [a.kind for a in partly.anomalies] == ["partial-survival"]


def test_without_a_kill_there_is_nothing_to_say() -> None:
    assert durability.check({}, {}, [], declared=True).verdict == "unknown"


def test_views_that_agree() -> None:
    table = {"a": state("1"), "b": state("2")}
    assert convergence.check({"get": table, "scan": dict(table)}, indexes={"i": (table, table)}).verdict == "ok"


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        ({"a": state("1")}, "missing-entry"),
        ({"a": state("1"), "b": state("2"), "c": state("3")}, "ghost-entry"),
        ({"a": state("1"), "b": state("1")}, "differing-entry"),
    ],
)
def test_views_that_do_not(seen: dict[str, State], kind: str) -> None:
    table = {"a": state("1"), "b": state("2")}
    found = convergence.check({"get": table, "scan": seen})
    assert [(a.kind, a.rule) for a in found.anomalies] == [(kind, "consistency.views-agree")]
    found = convergence.check({"get": table}, indexes={"i": (seen, table)}, waited=2.0)
    assert [(a.kind, a.rule) for a in found.anomalies] == [(kind, "consistency.index-converges")]


def test_states_no_write_can_have_left() -> None:
    found = convergence.check({"get": {"a": state("7")}}, possible={"a": [state("1"), None]})
    assert found.anomalies[0].summary == "a is v=7; its writes can only have left nothing or v=1"
