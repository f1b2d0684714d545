"""An experiment as reports show it: verdicts, faults and how long each call took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.checkers.verdict import Anomaly, Result, Verdict
from chaos.experiment import Trial
from conformance.record.op import Op

POINTS = 300
"""Calls of one experiment that are told one by one."""
SHOWN = 40
"""Experiments of one run that are: those that violate something, then the first."""
REASONS = 3
"""Reasons that are kept for what a checker does not know."""


@dataclass(slots=True)
class Checked:
    """What one checker has said of one workload: how often what, the first anomaly, and why it did not know."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    first: Anomaly | None = None
    reasons: set[str] = field(default_factory=set)

    def add(self, result: Result) -> None:
        """Count one result."""
        self.verdicts[result.verdict] += 1
        self.first = self.first or (result.anomalies[0] if result.anomalies else None)
        if result.reason and len(self.reasons) < REASONS:
            self.reasons.add(result.reason)


@dataclass(slots=True)
class Made:
    """What came of a campaign's experiments, without their calls: it takes no more room the longer it goes on.

    ``checked`` goes by workload, whether it was a control, and checker. ``calls`` and ``operations`` count requests,
    ``fired`` faults; ``last`` is how many calls the last experiment made.
    """

    trials: int = 0
    calls: int = 0
    last: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    checked: dict[tuple[str, bool, str], Checked] = field(default_factory=dict)
    _violated: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    _others: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def add(self, trial: Trial, *, control: bool) -> None:
        """Count one experiment."""
        shown = self._violated if trial.verdict == "violated" else self._others
        if len(shown) < SHOWN:
            shown.append((self.trials, _row(trial, control=control)))
        self.trials += 1
        self.last = len(trial.ops)
        self.calls += self.last
        self.fired.update(trial.fired)
        self.operations.update(op.operation for op in trial.ops)
        for result in trial.results:
            self.checked.setdefault((trial.plan.workload, control, result.checker), Checked()).add(result)

    def experiments(self) -> list[dict[str, Any]]:
        """A row for each experiment that is shown, in the order they were made.

        Seconds count from the start of the experiment. ``points`` are ``[called, seconds or None, fate, operation]``;
        ``bands`` are ``[start, end, fault]``.
        """
        return [row for _, row in sorted((self._violated + self._others)[:SHOWN], key=lambda shown: shown[0])]


def _row(trial: Trial, *, control: bool) -> dict[str, Any]:
    return {
        "workload": trial.plan.workload,
        "seed": trial.plan.seed,
        "control": control,
        "verdict": trial.verdict,
        "clients": sum(map(bool, trial.plan.clients)),
        "calls": len(trial.ops),
        "seconds": round(trial.seconds, 3),
        "stopped": trial.stopped,
        "faults": dict(trial.fired),
        "invariants": [
            {"name": result.checker, "verdict": result.verdict, "detail": _detail(result)} for result in trial.results
        ],
        "bands": [[round(band.start, 4), round(min(band.end, trial.seconds), 4), band.label] for band in trial.bands],
        "points": [_point(op) for op in _told(trial.ops)],
    }


def _detail(result: Result) -> str:
    return result.anomalies[0].summary if result.anomalies else result.reason


def _told(ops: Sequence[Op]) -> list[Op]:
    """The calls to tell: where there are too many, what did not go well and what was slowest comes first."""
    if len(ops) <= POINTS:
        return list(ops)
    first = sorted(ops, key=lambda op: (op.fate == "ok", -((op.returned or 0.0) - op.called)))
    # A third for what stands out, the rest spread evenly, so that the ordinary is seen as well.
    chosen = {op.index: op for op in first[: POINTS // 3]}
    step = len(ops) / (POINTS - len(chosen))
    chosen.update((op.index, op) for op in (ops[int(n * step)] for n in range(POINTS - len(chosen))))
    return sorted(chosen.values(), key=lambda op: op.called)


def _point(op: Op) -> list[Any]:
    took = None if op.returned is None else round(op.returned - op.called, 5)
    return [round(op.called, 4), took, op.fate, op.operation]
