"""An experiment as reports show it: verdicts, faults and how long each call took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chaos.checkers.verdict import Result
from chaos.experiment import Trial
from conformance.record.op import Op

POINTS = 300
"""Calls of one experiment that are told one by one."""
SHOWN = 40
"""Experiments of one run that are: those that violate something, then the first."""


def experiments(trials: Sequence[tuple[Trial, bool]]) -> list[dict[str, Any]]:
    """A row for each experiment that is shown, in the order they were made.

    Seconds count from the start of the experiment. ``points`` are ``[called, seconds or None, fate, operation]``;
    ``bands`` are ``[start, end, fault]``.
    """
    order = sorted(range(len(trials)), key=lambda place: (trials[place][0].verdict != "violated", place))
    return [_row(trials[place][0], control=trials[place][1]) for place in sorted(order[:SHOWN])]


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
