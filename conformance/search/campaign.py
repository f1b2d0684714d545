"""A search with a budget: how time is shared between capabilities, and how workers' journals become one run."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from conformance.machines import MACHINES
from conformance.record import journal
from conformance.record.finding import SEVERITIES, Finding
from conformance.record.folder import RunFolder
from conformance.record.op import op_from_json
from conformance.record.run import CapabilityResult, CheckResult, Run
from conformance.search.alarm import neighbours, suspects_of
from conformance.search.findings import divergence_from_json, finding_of, program_of
from conformance.search.minimise import Reduction
from conformance.search.reproduction import script
from reference.rules import ledger

WEIGHTS: Mapping[str, int] = {"items": 4, "queries": 3, "mixed": 1}
"""How a budget is shared between machines; one that is not listed weighs 2."""

CHUNKS_APART = 1_000_003

RUN_FILES = frozenset(
    {"report.json", "report.html", "junit.xml", "summary.md", "journal", "findings", "targets", "pytest.log"}
)
"""What a run leaves in its folder."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one pytest case searches: a capability, one shard of several, and its seconds."""

    capability: str
    shard: int
    shards: int
    seconds: float

    def chunks(self, seed: int) -> Iterable[tuple[int, int]]:
        """(chunk number, seed of the chunk) without end; shards never share a chunk."""
        offset = int.from_bytes(hashlib.sha256(self.capability.encode()).digest()[:4], "big")
        number = self.shard
        while True:
            yield number, seed * CHUNKS_APART + offset + number
            number += self.shards


def shares(budget: float, workers: int, capabilities: Iterable[str] = ()) -> list[Share]:
    """The cases of a campaign of ``budget`` seconds on so many workers, over all machines or the named ones."""
    wanted = [name for name in MACHINES if not capabilities or name in set(capabilities)]
    total = sum(WEIGHTS.get(name, 2) for name in wanted)
    return [
        Share(name, shard, workers, budget * WEIGHTS.get(name, 2) / total)
        for name in wanted
        for shard in range(workers)
    ]


@cache
def ledger_version() -> str:
    """A digest of every rule, so that two runs can be told to have judged by the same ones."""
    return hashlib.sha256(repr(sorted(ledger().items())).encode()).hexdigest()[:12]


@dataclass(slots=True)
class _Totals:
    """What the journals of a run add up to."""

    header: dict[str, Any] = field(default_factory=dict)
    programs: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    timing: Counter[str] = field(default_factory=Counter)
    divergences: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    cohorts: dict[str, str] = field(default_factory=dict)
    checks: list[CheckResult] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    last: str = ""

    def add(self, line: dict[str, Any]) -> None:
        """Count one line of a journal."""
        kind = line["kind"]
        if kind == "run" and not self.header:
            self.header = line
        elif kind == "program-end":
            self.programs[line["capability"]] += 1
            self.calls[line["capability"]] += line["calls"]
            self.unknown[line["capability"]] += line.get("unknown", 0)
        elif kind == "divergence":
            self.seen[line["fingerprint"]] += 1
            known = self.divergences.get(line["fingerprint"])
            if known is None or ("ops" in line and "ops" not in known):
                self.divergences[line["fingerprint"]] = line
        elif kind == "end":
            self.reached.update(line["reached"])
            self.operations.update(line["operations"])
            self.timing.update(line["timing"])
            self.cohorts.update(line["cohorts"])
        elif kind == "check":
            self.checks.append(CheckResult(**{k: v for k, v in line.items() if k in CheckResult.__dataclass_fields__}))
        elif kind == "error":
            self.errors.append(line["text"])


def merge(folder: RunFolder, *, stopped: str = "budget", seconds: float | None = None) -> Run:
    """Make the run of a folder from its workers' journals and findings, and write ``report.json``.

    A divergence whose worker did not come to reduce it becomes a finding with its whole program.
    """
    totals = _Totals()
    for path in folder.journals:
        for line in journal.read(path):
            totals.add(line)
    findings = {finding.fingerprint: finding for finding in folder.read_findings()}
    for fingerprint, line in totals.divergences.items():
        if fingerprint not in findings and "ops" in line:
            findings[fingerprint] = _unreduced(folder, line)
    listed = tuple(_counted(f, totals) for f in sorted(findings.values(), key=_rank))
    header = totals.header
    run = Run(
        target=header.get("target", {}),
        command=header.get("command", ""),
        version=header.get("version", ""),
        ledger=header.get("ledger", ledger_version()),
        seed=header.get("seed", 0),
        budget=header.get("budget", 0.0),
        started=header.get("started", ""),
        seconds=round(seconds if seconds is not None else _elapsed(header), 1),
        programs=sum(totals.programs.values()),
        calls=sum(totals.calls.values()),
        stopped=stopped,
        capabilities=_capabilities(totals, listed, header.get("capabilities") or list(MACHINES)),
        findings=listed,
        checks=tuple(totals.checks),
        profile={**header.get("profile", {}), "cohorts": totals.cohorts, "latitude": header.get("latitude", {})},
        coverage={"rules": dict(totals.reached), "operations": dict(totals.operations)},
        timing={name: round(value, 3) for name, value in totals.timing.items()},
        errors=tuple(totals.errors),
    )
    run = replace(run, suspects=suspects_of(run, neighbours(folder.path)))
    folder.write_run(run)
    return run


def _elapsed(header: Mapping[str, Any]) -> float:
    if not header.get("started"):
        return 0.0
    return (datetime.now(UTC) - datetime.fromisoformat(header["started"])).total_seconds()


def _unreduced(folder: RunFolder, line: dict[str, Any]) -> Finding:
    ops = tuple(op_from_json(row) for row in line["ops"])
    program = program_of(ops, line["capability"])
    reduction = Reduction(program, divergence_from_json(line), ops, reproduced=False)
    finding = finding_of(reduction, program, notes={"compare": line["compare"], "reproduced": False, "unreduced": True})
    folder.write_finding(finding, script(finding))
    return finding


def _counted(finding: Finding, totals: _Totals) -> Finding:
    return replace(finding, seen=max(1, totals.seen[finding.fingerprint]))


def _rank(finding: Finding) -> tuple[bool, int, str, str]:
    return (finding.unsettled, SEVERITIES.index(finding.severity), finding.rule, finding.fingerprint)


def _capabilities(totals: _Totals, findings: Iterable[Finding], asked: Iterable[str]) -> tuple[CapabilityResult, ...]:
    by_capability: dict[str, Counter[str]] = {}
    for finding in findings:
        if not finding.unsettled:
            by_capability.setdefault(finding.capability, Counter())[finding.severity] += 1
    checked = {check.capability for check in totals.checks}
    names = dict.fromkeys([*asked, *totals.programs, *by_capability, *sorted(checked)])
    return tuple(_result(name, totals, by_capability.get(name, Counter()), checked) for name in names)


def _result(name: str, totals: _Totals, found: Counter[str], checked: set[str]) -> CapabilityResult:
    reached = totals.programs[name] > 0 or name in checked
    worse = {severity for severity in found if severity != "unsupported"}
    if worse:
        verdict = "violated"
    elif found:
        verdict = "unsupported"
    elif not reached:
        verdict = "not-reached"
    else:
        verdict = "unknown" if totals.unknown[name] and totals.unknown[name] == totals.calls[name] else "ok"
    return CapabilityResult(name, verdict, totals.programs[name], totals.calls[name], dict(found))


def new_folder(out: Path | None, target: str, seed: int) -> RunFolder:
    """The run folder asked for, or a fresh one under ``runs/``."""
    if out is None:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        plain = "".join(c if c.isalnum() else "-" for c in target).strip("-")
        out = Path("runs") / f"{stamp}-{plain}-{seed}"
    _empty(out)
    return RunFolder(out)


def _empty(out: Path) -> None:
    """Make the folder, or clear what an earlier run left in it; anything else in it is kept, and refused."""
    out.mkdir(parents=True, exist_ok=True)
    foreign = [path.name for path in out.iterdir() if path.name not in RUN_FILES]
    if foreign:
        raise FileExistsError(f"{out} holds {foreign[0]!r}, which is no part of a run; choose another --out")
    for path in out.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
