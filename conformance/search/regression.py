"""Replaying what is known: does a target still show it?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from conformance.checks import all_checks
from conformance.oracle.divergence import Divergence
from conformance.program import Program
from conformance.record.op import op_from_json
from conformance.search.baseline import Known
from conformance.search.checking import by_literal, literal
from conformance.search.findings import program_of
from conformance.search.minimise import Attempt, Reduction, Try
from conformance.search.worker import Worker

NOT_REPLAYED = "not replayed"
SHOWN, MISSED = 2, 3
"""Replays of a finding that shows at once (is it sure?), and of one that does not (is it gone?)."""


@dataclass(frozen=True, slots=True)
class Replays:
    """What came of replaying one finding: its state, how many of how many replays showed it, and the last that did.

    ``others`` are the other differences that were met.
    """

    state: str
    replayed: int
    replays: int
    shown: tuple[int, Divergence, Attempt] | None = None
    others: tuple[Divergence, ...] = ()

    def row(self) -> dict[str, Any]:
        """For the journal."""
        others = [divergence.fingerprint for divergence in self.others]
        return {"state": self.state, "replayed": self.replayed, "replays": self.replays, "others": others}


def replays(program: Program, fingerprint: str, attempt: Try) -> Replays:
    """Replay a program on fresh tables until it is clear whether it shows the fingerprint."""
    shown: tuple[int, Divergence, Attempt] | None = None
    others: dict[str, Divergence] = {}
    replayed = made = 0
    while made < (SHOWN if replayed == made else MISSED):
        made += 1
        tried = attempt(program)
        hit = _hit(tried.divergences, fingerprint)
        if hit is not None:
            replayed += 1
            shown = (*hit, tried)
        others |= {d.fingerprint: d for _, d in tried.divergences if d.fingerprint != fingerprint}
    return Replays(_state(replayed, made, others=bool(others)), replayed, made, shown, tuple(others.values()))


def _state(replayed: int, made: int, *, others: bool) -> str:
    if replayed:
        return "still there" if replayed == made else "flaky"
    return "other" if others else "vanished"


def _hit(divergences: Sequence[tuple[int, Divergence]], fingerprint: str) -> tuple[int, Divergence] | None:
    return next(((index, d) for index, d in divergences if d.fingerprint == fingerprint), None)


def replays_of(worker: Worker, known: Known) -> Replays:
    """Replay one known finding on a worker's target; one that takes what the worker can't do is not replayed."""
    program = worker.program_of_known([op_from_json(row) for row in known.program], known.rule.partition(".")[0])
    if program is None:
        return Replays(NOT_REPLAYED, 0, 0)
    told = replays(program, known.fingerprint, worker.attempt)
    return told if told.replayed else _checked(worker, known) or told


def _checked(worker: Worker, known: Known) -> Replays | None:
    """Replay a finding that the oracle does not judge, only the literals of its rule's checks; None: there are none."""
    checks = [check for check in all_checks() if check.rule == known.rule and by_literal(check)]
    if not checks:
        return None
    replayed = made = 0
    found: set[str] = set()
    while made < (SHOWN if replayed == made else MISSED):
        made += 1
        found = {told for check in checks if (told := literal(worker, check).fingerprint) is not None}
        replayed += known.fingerprint in found
    return Replays(_state(replayed, made, others=bool(found)), replayed, made)


def replay_known(worker: Worker, known: Known) -> str:
    """Replay one known finding; write it as a finding of this run if it shows; journal and return its state."""
    told = replays_of(worker, known)
    if told.shown is not None:
        index, divergence, attempt = told.shown
        ops = attempt.ops[: index + 1]
        program = program_of(ops, known.rule.partition(".")[0])
        reduction = Reduction(program, divergence, ops, attempt.names, replays=told.replays)
        worker.report(reduction, program, told.replayed)
        worker.seen[known.fingerprint] = worker.seen.get(known.fingerprint, 0) + told.replayed
    worker.journal.append("known", fingerprint=known.fingerprint, **told.row(), at=round(time.time(), 3))
    return told.state
