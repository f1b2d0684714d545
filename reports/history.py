"""Many runs at a glance: what a folder of run folders holds, without their programs and answers."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from conformance.record.finding import SEVERITIES
from conformance.record.folder import REPORT, RecordError
from conformance.record.run import SCHEMA
from reports.notation import one_line
from reports.outline import verdict_of

DEPTH = 4
"""Levels of folders below the named one in which run folders are looked for."""
_INSIDE = frozenset({"findings", "journal", "targets", "node_modules"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding at a glance."""

    fingerprint: str
    severity: str
    capability: str
    operation: str
    rule: str
    summary: str
    unsettled: bool


@dataclass(frozen=True, slots=True)
class Glance:
    """A run at a glance; ``severities`` counts its settled findings, ``accepted`` are fingerprints of its baseline."""

    folder: Path
    target: str
    version: str
    started: str
    stopped: str
    calls: int
    verdicts: Mapping[str, str]
    fingerprints: tuple[str, ...]
    severities: Mapping[str, int]
    accepted: frozenset[str] = frozenset()
    vanished: frozenset[str] = frozenset()
    errors: int = 0


@dataclass(slots=True)
class History:
    """All runs of a folder by target, oldest first, and every finding by fingerprint as it was last told.

    ``unreadable`` are files that look like runs and cannot be read, with the reason.
    """

    runs: dict[str, list[Glance]] = field(default_factory=dict)
    findings: dict[str, Seen] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)

    @property
    def latest(self) -> dict[str, Glance]:
        """The newest run of each target."""
        return {target: runs[-1] for target, runs in self.runs.items()}


def run_folders(top: Path) -> Iterator[Path]:
    """The run folders at and below a folder, by name; RecordError when it is no folder."""
    if not top.is_dir():
        raise RecordError(f"{top}: is no folder: name one that holds run folders")
    for place, folders, files in os.walk(top):
        depth = len(Path(place).relative_to(top).parts)
        folders[:] = sorted(f for f in folders if f not in _INSIDE and not f.startswith(".")) if depth < DEPTH else []
        if REPORT in files:
            yield Path(place)


def read_history(folders: Iterable[Path]) -> History:
    """The history that run folders make."""
    history = History()
    for folder in folders:
        try:
            glance = read_glance(folder, history.findings)
        except RecordError as error:
            history.unreadable.append(str(error))
            continue
        history.runs.setdefault(glance.target, []).append(glance)
    for runs in history.runs.values():
        runs.sort(key=lambda run: (run.started, str(run.folder)))
    history.runs = dict(sorted(history.runs.items()))
    return history


def read_glance(folder: Path, findings: dict[str, Seen]) -> Glance:
    """A run folder at a glance; its findings go into ``findings``. RecordError when it cannot be read."""
    path = folder / REPORT
    try:
        row = orjson.loads(path.read_bytes())
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise RecordError(f"{path}: is not JSON ({error})") from error
    if not isinstance(row, dict) or row.get("schema") != SCHEMA:
        raise RecordError(f"{path}: is no run of schema {SCHEMA}")
    try:
        return _glance(folder, row, findings)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"{path}: cannot be read ({type(error).__name__}: {error}): the file is damaged") from error


def _glance(folder: Path, row: Mapping[str, Any], findings: dict[str, Seen]) -> Glance:
    told = row.get("findings", [])
    for finding in told:
        findings[finding["fingerprint"]] = Seen(
            finding["fingerprint"], finding["severity"], finding["capability"], finding["operation"], finding["rule"],
            finding["summary"], bool(finding.get("unsettled")),
        )  # fmt: skip
    counted = Counter(finding["severity"] for finding in told if not finding.get("unsettled"))
    return Glance(
        folder=folder,
        target=one_line(str(row["target"].get("name") or "unnamed"), 80),
        version=one_line(str(row["target"].get("version") or ""), 40),
        started=str(row["started"]),
        stopped=str(row["stopped"]),
        calls=int(row["calls"]),
        verdicts={str(c["capability"]): verdict_of(c["verdict"]) for c in row.get("capabilities", [])},
        fingerprints=tuple(finding["fingerprint"] for finding in told),
        severities=ordered(counted),
        accepted=frozenset(f["fingerprint"] for f in told if "accepted" in f.get("notes", {})),
        vanished=frozenset(k["fingerprint"] for k in row.get("known", []) if k["state"] == "vanished"),
        errors=len(row.get("errors", [])),
    )


def ordered(counted: Mapping[str, int]) -> dict[str, int]:
    """Counts by severity, worst first; severities of a later version come last."""
    names: Sequence[str] = [*SEVERITIES, *sorted(set(counted) - set(SEVERITIES))]
    return {name: counted[name] for name in names if counted.get(name)}
