"""One target over its runs: how many findings each had, and when each finding was first and last seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conformance.record.finding import SEVERITIES
from reports.history import Glance, History, Seen

BLOCKS = "▁▂▃▄▅▆▇█"
POINTS = 400
"""Runs that one sparkline shows: the newest."""


@dataclass(frozen=True, slots=True)
class Line:
    """A finding over time: first and last run that has it, how many do, and how it stands after the newest run.

    ``state`` is ``there``, ``not seen`` (the newest run did not meet it, which proves nothing) or ``vanished`` (a
    replay since then did not show it).
    """

    finding: Seen
    first: Glance
    last: Glance
    runs: int
    state: str
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Trend:
    """One target's runs, oldest first, and its findings: those that are there first, worst first."""

    target: str
    runs: tuple[Glance, ...]
    lines: tuple[Line, ...]

    @property
    def totals(self) -> list[int]:
        """Settled findings of each run, those of things not implemented left out."""
        return [total(run) for run in self.runs]

    @property
    def fresh(self) -> list[Line]:
        """Findings that the newest run has and no earlier one had."""
        return [line for line in self.lines if line.state == "there" and line.first is self.runs[-1]]


def total(run: Glance) -> int:
    """Settled findings of a run, those of things not implemented left out."""
    return sum(count for severity, count in run.severities.items() if severity != "unsupported")


def trend(history: History, target: str) -> Trend:
    """The trend of one target of a history."""
    runs = tuple(history.runs[target])
    spans: dict[str, list[Glance]] = {}
    vanished: dict[str, Glance] = {}
    for run in runs:
        for fingerprint in run.fingerprints:
            spans.setdefault(fingerprint, []).append(run)
            vanished.pop(fingerprint, None)
        for fingerprint in run.vanished:
            vanished[fingerprint] = run
    newest = runs[-1]
    lines = []
    for fingerprint, seen in spans.items():
        there = seen[-1] is newest
        state = "there" if there else "vanished" if fingerprint in vanished else "not seen"
        lines.append(
            Line(history.findings[fingerprint], seen[0], seen[-1], len(seen), state, fingerprint in newest.accepted)
        )
    return Trend(target, runs, tuple(sorted(lines, key=_rank)))


def _rank(line: Line) -> tuple[bool, bool, int, str, str]:
    finding = line.finding
    worst = SEVERITIES.index(finding.severity) if finding.severity in SEVERITIES else len(SEVERITIES)
    return (line.state != "there", finding.unsettled, worst, finding.rule, finding.fingerprint)


def spark(values: Sequence[int]) -> str:
    """A sparkline as text, from nought to the largest value."""
    shown = values[-POINTS:]
    top = max(shown, default=0)
    return "".join(BLOCKS[round(value * (len(BLOCKS) - 1) / top) if top else 0] for value in shown)


def points(values: Sequence[int], width: float, height: float) -> str:
    """The points of a sparkline as SVG's ``polyline`` wants them, from nought to the largest value."""
    shown = values[-POINTS:]
    top = max(shown, default=0) or 1
    step = width / max(1, len(shown) - 1)
    return " ".join(f"{n * step:.1f},{height - value * height / top:.1f}" for n, value in enumerate(shown))
