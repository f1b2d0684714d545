from __future__ import annotations

import pytest

from chaos.checkers.sessions import Versioned, check


def calls(text: str) -> list[Versioned]:
    """Words ``A:w1`` (client A wrote version 1), ``B:r1`` (read), ``B:e0`` (read eventually), one after the other."""
    made = []
    for n, word in enumerate(text.split()):
        client, _, call = word.partition(":")
        kind = "write" if call[0] == "w" else "read"
        process = ord(client) - ord("A")
        made.append(
            Versioned(n, process, "k", kind, int(call[1:]), float(n), n + 0.5, consistent=call[0] != "e")  # type: ignore[arg-type]
        )
    return made


@pytest.mark.parametrize("text", ["A:w1 A:r1 B:r1 B:w2 A:r2 A:w3", "A:w1 B:e0 B:e1 B:e0", "A:r0 B:w1 A:r1"])
def test_what_sessions_may_see(text: str) -> None:
    assert check(calls(text)).verdict == "ok"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("A:w1 A:r0", "read-your-writes"),
        ("A:w1 A:w2 B:r2 B:r1", "monotonic-reads"),
        ("A:w2 A:w1", "monotonic-writes"),
        ("B:w5 A:r5 A:w5", "writes-follow-reads"),
        ("A:w1 B:w2 A:r1", "stale-read"),
    ],
)
def test_what_they_may_not(text: str, kind: str) -> None:
    found = check(calls(text))
    assert found.verdict == "violated"
    assert kind in {a.kind for a in found.anomalies}
    assert {a.rule for a in found.anomalies} == {"consistency.read-after-write"}


def test_eventual_reads_are_measured() -> None:
    found = check(calls("A:w1 A:w2 A:w3 B:e1 B:e3"))
    assert found.verdict == "ok"
    assert found.facts["stale_reads"] == 1
    assert found.facts["staleness_max"] == 1.5  # version 2 had been written at 1.5, the read began at 3
    assert found.facts["versions_behind_max"] == 2


def test_eventual_reads_are_judged_where_a_bound_is_claimed() -> None:
    history = calls("A:w1 A:w2 A:w3 B:e1")
    assert check(history, max_staleness=2.0).verdict == "ok"
    found = check(history, max_staleness=1.0)
    assert [a.rule for a in found.anomalies] == ["consistency.staleness-bound"]


def test_nothing_to_check() -> None:
    assert check([]).verdict == "unknown"
