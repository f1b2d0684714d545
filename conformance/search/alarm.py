"""The peer alarm: rules that nearly all emulators contradict alike are suspect, and are looked at again.

Evidence decides; the alarm only says where to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from conformance.record.codec import RecordError
from conformance.record.folder import read_run
from conformance.record.run import Run

EMULATORS = frozenset({"moto", "ministack", "dynalite", "dynoxide", "dynamodb-local"})
ALARM = 4
"""How many of the five emulators must contradict the reference alike."""


def suspects(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """Fingerprints that at least four different emulators show, with their rule and who shows them."""
    shown: dict[str, dict[str, Any]] = {}
    for run in runs:
        name = str(run.target.get("name", "")).split(":")[0]
        if name not in EMULATORS:
            continue
        for finding in run.findings:
            entry = shown.setdefault(
                finding.fingerprint,
                {
                    "fingerprint": finding.fingerprint,
                    "rule": finding.rule,
                    "summary": finding.summary,
                    "targets": set(),
                },
            )
            entry["targets"].add(name)
    alarming = [entry for entry in shown.values() if len(entry["targets"]) >= ALARM]
    return [{**entry, "targets": sorted(entry["targets"])} for entry in sorted(alarming, key=lambda e: str(e["rule"]))]


def neighbours(folder: Path) -> list[Run]:
    """The runs that lie beside a run folder, one per folder; what is no run is passed over."""
    found = []
    for path in sorted(folder.resolve().parent.glob("*/report.json")):
        if path.parent != folder.resolve():
            try:
                found.append(read_run(path))
            except RecordError:
                continue
    return found


def suspects_of(run: Run, others: Sequence[Run]) -> tuple[dict[str, Any], ...]:
    """The suspects among a run's own findings, by the runs of other emulators beside it."""
    own = {finding.fingerprint for finding in run.findings}
    return tuple(entry for entry in suspects([run, *others]) if entry["fingerprint"] in own)
