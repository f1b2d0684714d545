"""What a run folder's journals say has been done: what a resumed run need not do again, and how much time is left."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.oracle.divergence import Divergence
from conformance.program import Program
from conformance.record import journal
from conformance.record.folder import RunFolder
from conformance.record.op import op_from_json
from conformance.search.findings import divergence_from_json, program_of

Chunk = tuple[str, int]
"""A capability's machine and the number of a chunk."""


@dataclass(slots=True)
class Done:
    """What the journals of a folder hold.

    ``programs`` counts the programs that came to their end by chunk, ``ended`` are chunks that did; ``spent`` seconds
    by chunk, reductions included. ``checks`` and ``known`` are checks made and known findings replayed. ``pending``
    are divergences that nobody came to reduce, with their whole program. ``active`` is how long workers were at it:
    seconds of the one that worked longest.
    """

    programs: Counter[Chunk] = field(default_factory=Counter)
    ended: set[Chunk] = field(default_factory=set)
    spent: defaultdict[Chunk, float] = field(default_factory=lambda: defaultdict(float))
    checks: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    pending: dict[str, tuple[Program, Divergence]] = field(default_factory=dict)
    active: float = 0.0

    def seconds(self, capability: str, shard: int, shards: int) -> float:
        """Seconds that were spent on one shard of a capability."""
        return sum(
            spent for (name, number), spent in self.spent.items() if name == capability and number % shards == shard
        )


def read_done(folder: RunFolder) -> Done:
    """What was done in a run folder so far; nothing in a fresh one."""
    done = Done()
    rows: dict[str, dict[str, Any]] = {}
    for path in folder.journals:
        done.active = max(done.active, _follow(path, done))
        for row in journal.read(path):
            if row["kind"] == "divergence" and "ops" in row:
                rows.setdefault(row["fingerprint"], row)
    for fingerprint, row in rows.items():
        if not folder.reduced(fingerprint):
            program = program_of([op_from_json(op) for op in row["ops"]], row["capability"])
            done.pending[fingerprint] = (program, divergence_from_json(row))
    return done


def _follow(path: Path, done: Done) -> float:
    """Take in one worker's journal; how many seconds it worked.

    Time between two lines belongs to the chunk that was open; between two starts of a worker nobody worked.
    """
    chunk: Chunk | None = None
    last: float | None = None
    active = 0.0
    for row in journal.read(path):
        kind, at = row["kind"], row.get("at")
        if kind == "run":
            chunk = last = None
        elif kind == "program-start":
            chunk = (row["capability"], row["chunk"])
        if isinstance(at, int | float):
            if last is not None and at > last:
                active += at - last
                if chunk is not None:
                    done.spent[chunk] += at - last
            last = float(at)
        _count(row, chunk, done)
    return active


def _count(row: Mapping[str, Any], chunk: Chunk | None, done: Done) -> None:
    kind = row["kind"]
    if kind == "program-end" and chunk is not None and row.get("chunk") is not None:
        done.programs[chunk] += 1
    elif kind == "chunk-end":
        done.ended.add((row["capability"], row["chunk"]))
    elif kind == "check":
        done.checks.add(row["check"])
    elif kind == "known":
        done.known.add(row["fingerprint"])
