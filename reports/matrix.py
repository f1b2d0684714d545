"""What several targets do side by side: targets × capabilities and targets × rules, counted, never as a percentage.

A rule *stands* with a target as one of: ``ok`` (it was met and nothing was found), the worst severity of its settled
findings, ``violated`` (a directed check says so, and no finding tells how), ``unknown``, ``unsupported``,
``not-reached``. Unknown is never shown as ok.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.record.finding import SEVERITIES
from conformance.record.run import Run
from reports.notation import one_line
from reports.outline import verdict_of

VIOLATED = (*(s for s in SEVERITIES if s != "unsupported"), "violated")
"""Standings that speak against a target, worst first."""
STANDINGS = ("ok", *VIOLATED, "unknown", "unsupported", "not-reached")
_WORST = (*VIOLATED, "unknown", "unsupported", "ok", "not-reached")
MARKS: Mapping[str, str] = {"ok": "✓", "violated": "✗", "unknown": "?", "unsupported": "–", "not-reached": "○"}


@dataclass(frozen=True, slots=True)
class Column:
    """A target: its name, the version and time of the run that speaks for it, and where that run is."""

    label: str
    version: str
    started: str
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A capability of a target: the run's verdict, and how many of its rules stand how."""

    verdict: str
    counts: Mapping[str, int]

    @property
    def violated(self) -> int:
        """How many rules are violated."""
        return sum(self.counts.get(name, 0) for name in VIOLATED)

    def bar(self) -> list[tuple[str, float, float]]:
        """The shares of its rules as strips of a bar of length 100: a class, where it begins, how long it is."""
        parts = {"ok": self.counts.get("ok", 0), "bad": self.violated}
        parts["rest"] = sum(self.counts.values()) - sum(parts.values())
        whole, at, strips = sum(parts.values()), 0.0, []
        for name, count in parts.items():
            if count:
                strips.append((name, round(at, 1), round(100 * count / whole, 1)))
                at += 100 * count / whole
        return strips

    def words(self) -> str:
        """``31 ok, 2 data, 1 message, 12 not reached``."""
        told = [(name, self.counts[name]) for name in STANDINGS if self.counts.get(name)]
        return ", ".join(f"{count:,} {name.replace('-', ' ')}" for name, count in told) or self.verdict


@dataclass(frozen=True, slots=True)
class Matrix:
    """Columns are targets; ``capabilities`` and ``rules`` map a name to one cell or standing for each column."""

    columns: tuple[Column, ...]
    capabilities: Mapping[str, tuple[Cell, ...]]
    rules: Mapping[str, tuple[str, ...]]

    def telling(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The rules that are not the same plain ``ok`` or ``not-reached`` everywhere they were met."""
        for rule, standings in self.rules.items():
            if set(standings) - {"ok", "not-reached"}:
                yield rule, standings


def matrix(runs: Sequence[tuple[Run, Path | None]]) -> Matrix:
    """The matrix of runs (with the folders they are in), one column each."""
    standing = [standings(run) for run, _ in runs]
    rules = sorted({rule for told in standing for rule in told})
    known: dict[str, int] = {}
    for run, _ in runs:
        for capability, count in known_rules(run).items():
            known[capability] = max(known.get(capability, 0), count)
    names = sorted({c.capability for run, _ in runs for c in run.capabilities} | set(known) | set(map(_area, rules)))
    columns = _columns(runs)
    cells = {
        name: tuple(
            _cell(name, run, told, rules, known.get(name, 0))
            for (run, _), told in zip(runs, standing, strict=True)
        )
        for name in names
    }  # fmt: skip
    return Matrix(
        columns, cells, {rule: tuple(told.get(rule, "not-reached") for told in standing) for rule in rules}
    )  # fmt: skip


def _columns(runs: Sequence[tuple[Run, Path | None]]) -> tuple[Column, ...]:
    """A column for each run; runs of one target are told apart by their time."""
    made = []
    names = Counter(str(run.target.get("name") or "unnamed") for run, _ in runs)
    for run, folder in runs:
        name = str(run.target.get("name") or "unnamed")
        label = f"{name} ({run.started})" if names[name] > 1 else name
        version = one_line(str(run.target.get("version") or ""), 40)
        made.append(Column(one_line(label, 80), version, run.started, folder))
    return tuple(made)


def _area(rule: str) -> str:
    return rule.partition(".")[0]


def known_rules(run: Run) -> Mapping[str, int]:
    """How many rules of each capability the run's ledger holds, where the run says so."""
    told = run.coverage.get("known")
    if not isinstance(told, Mapping):
        return {}
    return {str(name): count for name, count in told.items() if isinstance(count, int)}


def _cell(name: str, run: Run, told: Mapping[str, str], rules: Iterable[str], known: int) -> Cell:
    counted = Counter(told.get(rule, "not-reached") for rule in rules if _area(rule) == name)
    counted["not-reached"] += max(0, known - sum(counted.values()))
    said = next((verdict_of(c.verdict) for c in run.capabilities if c.capability == name), None)
    worst = next((standing for standing in _WORST if counted.get(standing)), "not-reached")
    standing = "violated" if worst in VIOLATED else worst
    # A run calls good what it found nothing against; its rules may know better.
    knows = said == "ok" and (standing == "violated" or (standing == "unsupported" and not counted["ok"]))
    verdict = standing if knows or said is None else said
    return Cell(verdict, {standing: counted[standing] for standing in STANDINGS if counted[standing]})


def standings(run: Run) -> dict[str, str]:
    """How every rule that a run met stands; rules that are not named were not reached."""
    told: dict[str, set[str]] = {}
    reached = run.coverage.get("rules")
    if isinstance(reached, Mapping):
        for rule, count in reached.items():
            if "." in str(rule) and count:
                told.setdefault(str(rule), set()).add("ok")
    for check in run.checks:
        told.setdefault(check.rule, set()).add(verdict_of(check.verdict))
    for finding in run.findings:
        if finding.unsettled:
            told.setdefault(finding.rule, set()).discard("violated")
    for finding in run.findings:
        standing = "unknown" if finding.unsettled else finding.severity
        told.setdefault(finding.rule, set()).add(standing if standing in STANDINGS else "violated")
    # A finding says how a check is violated.
    return {rule: _worst(said) for rule, said in told.items()}


def _worst(said: set[str]) -> str:
    return next((standing for standing in _WORST if standing in said), "unknown")


def mark(standing: str) -> str:
    """The sign of a standing."""
    return MARKS["violated"] if standing in VIOLATED else MARKS.get(standing, "?")
