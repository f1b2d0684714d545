"""``dynoracle calibrate``: what AWS answered to the suite, in the form of evidence. There the reference is on trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from conformance.record import journal
from conformance.record.codec import dumps
from conformance.record.folder import RunFolder, write_text
from conformance.record.op import op_to_json
from conformance.record.run import Run
from conformance.session import Judged

FILE = "recordings.jsonl"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Calibration:
    """What came of it: recordings by rule, and the rules that a recording speaks against."""

    path: Path
    recorded: int
    confirmed: tuple[str, ...]
    contradicted: tuple[str, ...]


def recording(check: str, rule: str, verdict: str, expected: Any, ops: Sequence[Judged]) -> dict[str, Any]:
    """One check's calls and answers, for a worker's journal."""
    return {
        "check": check, "rule": rule, "verdict": verdict, "expected": expected,
        "calls": [op_to_json(judged.op) for judged in ops],
    }  # fmt: skip


def collect(folder: RunFolder, run: Run, region: str) -> Calibration:
    """Write what the workers recorded: one line a check, with the evidence it makes for its rule."""
    day = datetime.fromisoformat(run.started).strftime("%Y-%m") if run.started else ""
    evidence = {"kind": "recorded", "source": f"dynoracle calibrate, {region}", "on": day}
    header = {
        "kind": "recordings",
        "schema": SCHEMA,
        "target": dict(run.target),
        "region": region,
        "ledger": run.ledger,
    }
    rows = [{"kind": "recording", **row, "evidence": evidence} for row in _rows(folder)]
    write_text(folder.path / FILE, "".join(dumps(row).decode() + "\n" for row in (header, *rows)))
    broken = {row["rule"] for row in rows if row["verdict"] == "violated"}
    broken |= {finding.rule for finding in run.findings}
    sound = {row["rule"] for row in rows if row["verdict"] == "ok"} - broken
    return Calibration(folder.path / FILE, len(rows), tuple(sorted(sound)), tuple(sorted(broken)))


def _rows(folder: RunFolder) -> Iterator[dict[str, Any]]:
    for path in folder.journals:
        for row in journal.read(path):
            if row["kind"] == "recording":
                yield {name: value for name, value in row.items() if name != "kind"}
