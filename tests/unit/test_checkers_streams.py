from __future__ import annotations

import pytest

from chaos.checkers.item import State
from chaos.checkers.streams import Told, Written, check


def value(word: str) -> State:
    return None if word == "_" else (("v", word),)


def writes(text: str, *, overlap: bool = False) -> list[Written]:
    """Words ``x1`` (x became 1), ``x_`` (deleted), ``x1?`` (never answered); one after the other, or all at once."""
    made = []
    for n, word in enumerate(text.split()):
        info = word.endswith("?")
        called, returned = (0.0, 99.0) if overlap else (float(n), n + 0.5)
        made.append(
            Written(n, 0, word[0], value(word[1:].rstrip("?")), called, float("inf") if info else returned, info)
        )
    return made


def records(text: str) -> list[Told]:
    """Words ``x1`` (x became 1), told one after the other; old images are the new ones before."""
    last: dict[str, State] = {}
    made = []
    for n, word in enumerate(text.split()):
        new = value(word[1:])
        made.append(Told(word[0], last.get(word[0]), new, 100 + n))
        last[word[0]] = new
    return made


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("x1 x2 y1", "x1 y1 x2"),
        ("x1 x_ x2", "x1 x_ x2"),
        ("x1 x2?", "x1"),
        ("x1 x2?", "x1 x2"),
        ("", ""),
    ],
)
def test_what_streams_may_tell(written: str, told: str) -> None:
    assert check(writes(written), records(told)).verdict == "ok"


def test_concurrent_writes_have_either_order() -> None:
    assert check(writes("x1 x2", overlap=True), records("x2 x1")).verdict == "ok"


@pytest.mark.parametrize(
    ("written", "told", "kind"),
    [
        ("x1 x2", "x1", "lost-record"),
        ("x1 x2", "x1 x1 x2", "duplicate-record"),
        ("x1 x2?", "x1 x2 x2", "duplicate-record"),
        ("x1", "x1 x7", "ghost-record"),
        ("x1 x2", "x2 x1", "record-order"),
        ("x1 x_ x2", "x1 x2", "lost-record"),
        ("x1 x_ x2", "x1 x_ x2 x_", "duplicate-record"),
    ],
)
def test_what_they_may_not(written: str, told: str, kind: str) -> None:
    found = check(writes(written), records(told))
    assert kind in {a.kind for a in found.anomalies}


def test_a_refused_write_leaves_no_record() -> None:
    found = check(writes("x1"), records("x1 x2"), refused={"x": [value("2")]})
    assert [a.kind for a in found.anomalies] == ["ghost-record"]
    assert "was refused" in found.anomalies[0].summary


def test_old_images_follow_from_new_ones() -> None:
    told = [Told("x", None, value("1"), 1), Told("x", value("9"), value("2"), 2)]
    assert [a.kind for a in check(writes("x1 x2"), told).anomalies] == ["record-order"]


def test_the_evidence_shows_the_records() -> None:
    told = [Told("x", None, (), 1), Told("x", (), value("1"), 2), *records("x2 x3")]
    (ghost, *_) = check(writes("x1 x2 x3"), told).anomalies
    assert ghost.summary == "the stream tells of x = only its key, which nobody wrote"
    assert ghost.prose[1:4] == (
        "Its records from the 1. of 4 on:",
        "  * 1. from nothing to only its key",
        "    2. from only its key to v=1",
    )
    assert ghost.ops() == (0, 1, 2)


def test_sequence_numbers_grow() -> None:
    told = [Told("x", None, value("1"), 2), Told("x", value("1"), value("2"), 1)]
    assert [a.kind for a in check(writes("x1 x2"), told).anomalies] == ["record-order"]


def test_a_stream_not_read_to_its_end_may_lack_records() -> None:
    assert check(writes("x1 x2"), records("x1"), complete=False).verdict == "ok"
    assert check(writes("x1 x2"), [], complete=False).verdict == "unknown"
