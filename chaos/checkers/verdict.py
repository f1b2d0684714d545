"""What a checker says: a verdict, and for each anomaly evidence that a person can follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["ok", "violated", "unknown"]
_RANK: Mapping[Verdict, int] = {"ok": 0, "unknown": 1, "violated": 2}

INFINITY = float("inf")


@dataclass(frozen=True, slots=True)
class Span:
    """One call on its client's lane: from ``called`` to ``returned`` (infinite where it never was answered)."""

    index: int
    process: int
    called: float
    returned: float
    label: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One thing that DynamoDB does not do.

    ``kind`` is its usual name (``G1c``, ``stale-read``), ``rule`` the ledger's rule it breaks, ``summary`` a sentence,
    ``prose`` the reasoning line by line, ``spans`` the calls to draw, ``severity`` how bad that is.
    """

    kind: str
    rule: str
    summary: str
    prose: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    severity: str = "data"

    def ops(self) -> tuple[int, ...]:
        """The calls that the evidence speaks of, by index."""
        return tuple(sorted({span.index for span in self.spans}))


@dataclass(frozen=True, slots=True)
class Result:
    """What one checker found. ``reason`` says why a verdict is unknown; ``facts`` are numbers worth showing."""

    checker: str
    verdict: Verdict
    anomalies: tuple[Anomaly, ...] = ()
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def result(checker: str, anomalies: Iterable[Anomaly], reason: str = "", **facts: Any) -> Result:
    """The result of a checker: violated by any anomaly, else unknown for any reason, else ok."""
    found = tuple(anomalies)
    verdict: Verdict = "violated" if found else ("unknown" if reason else "ok")
    return Result(checker, verdict, found, "" if found else reason, facts)


def worst(results: Iterable[Result]) -> Verdict:
    """The worst verdict of several; ``unknown`` where there is none."""
    verdicts = [each.verdict for each in results]
    return max(verdicts, key=_RANK.__getitem__) if verdicts else "unknown"


def safely(checker: str, check: Callable[[], Result]) -> Result:
    """The checker's result; one that fails says nothing about the target."""
    try:
        return check()
    except Exception as error:
        return Result(checker, "unknown", reason=f"the checker failed: {type(error).__name__}: {error}")
