"""A search with a budget: how time is shared between capabilities, and how workers' journals become one run."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from conformance.checks.base import ARTICLE
from conformance.claims import told
from conformance.machines import MACHINES
from conformance.record import journal
from conformance.record.finding import SEVERITIES, Finding
from conformance.record.folder import RunFolder
from conformance.record.op import op_from_json
from conformance.record.run import CapabilityResult, CheckResult, Run
from conformance.search.alarm import neighbours, suspects_of
from conformance.search.baseline import noted, read_known, regression
from conformance.search.coverage import KINDS, coverage
from conformance.search.findings import divergence_from_json, finding_of, program_of
from conformance.search.minimise import Reduction
from conformance.search.reproduction import script
from conformance.search.resume import read_done
from reference.rules import ledger

WEIGHTS: Mapping[str, int] = {
    "items": 4, "queries": 3, "expressions": 3, "keys": 1, "mixed": 1, "streams": 1, "ttl": 1, "backups": 1,
    "transfer": 1, "bulk": 1, "vectors": 1, "account": 1, "throttling": 1, "consistency": 1, "global-tables": 1,
    "dax": 1, "scaling": 1, "metrics": 1,
}  # fmt: skip
"""How a budget is shared between machines; one that is not listed weighs 2."""

CHUNKS_APART = 1_000_003

RUN_FILES = frozenset(
    {"report.json", "report.html", "junit.xml", "summary.md", "journal", "findings", "targets", "pytest.log",
     "order.json", "known.json", "schema.json", "tables", "recordings.jsonl", "arms"}
)  # fmt: skip
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


def shares(
    budget: float, workers: int, capabilities: Iterable[str] = (), part: tuple[int, int] = (1, 1)
) -> list[Share]:
    """The cases of a campaign of ``budget`` seconds on so many workers, over all machines or the named ones.

    ``part`` (i, n) is the i-th of n runs that share one campaign, however many workers each of them has: all chunks of
    the i-th have numbers that leave i - 1 when divided by n.
    """
    first, parts = part[0] - 1, part[1]
    wanted = [name for name in MACHINES if not capabilities or name in set(capabilities)]
    total = sum(WEIGHTS.get(name, 2) for name in wanted)
    return [
        Share(name, first + parts * worker, parts * workers, budget * WEIGHTS.get(name, 2) / total)
        for name in wanted
        for worker in range(workers)
    ]


def part_of(text: str) -> tuple[int, int]:
    """The part of a campaign that ``3/16`` names; ValueError for anything that names none."""
    found = re.fullmatch(r"([1-9]\d{0,4})/([1-9]\d{0,4})", text)
    if found is None or int(found[1]) > int(found[2]):
        raise ValueError(f"{text!r} names no part; write i/n, as in 3/16 for the third of sixteen")
    return int(found[1]), int(found[2])


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
    reached: dict[str, Counter[str]] = field(default_factory=lambda: {kind: Counter() for kind in KINDS})
    timing: Counter[str] = field(default_factory=Counter)
    divergences: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    cohorts: dict[str, str] = field(default_factory=dict)
    checks: list[CheckResult] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    replayed: dict[str, dict[str, Any]] = field(default_factory=dict)
    stopped: str = ""

    def add(self, line: dict[str, Any]) -> None:
        """Count one line of a journal."""
        kind = line["kind"]
        # Of a worker that could not open its target we know less than of the others.
        if kind == "run" and "profile" not in self.header:
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
        elif kind in ("tally", "end"):
            for kind, counted in self.reached.items():
                counted.update(line.get("reached" if kind == "rules" else kind) or {})
            self.timing.update(line["timing"])
            self.cohorts.update(line["cohorts"])
        elif kind == "check":
            self.checks.append(CheckResult(**{k: v for k, v in line.items() if k in CheckResult.__dataclass_fields__}))
        elif kind == "known":
            self.replayed[line["fingerprint"]] = line
        elif kind == "error":
            self.errors.append(line["text"])
        elif kind == "stopped":
            self.stopped = line["why"]


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
    header = totals.header
    known = read_known(folder)
    by_fingerprint = {entry.fingerprint: entry for entry in known}
    today = _day(header)
    counted = (_counted(f, totals) for f in sorted(findings.values(), key=_rank))
    listed = tuple(noted(finding, by_fingerprint, today) for finding in counted)
    run = Run(
        target=header.get("target", {}),
        command=header.get("command", ""),
        version=header.get("version", ""),
        ledger=header.get("ledger", ledger_version()),
        seed=header.get("seed", 0),
        budget=header.get("budget", 0.0),
        started=header.get("started", ""),
        seconds=round(seconds if seconds is not None else read_done(folder).active, 1),
        programs=sum(totals.programs.values()),
        calls=sum(totals.calls.values()),
        stopped=totals.stopped or stopped,
        capabilities=_capabilities(totals, listed, header.get("capabilities") or list(MACHINES)),
        findings=listed,
        checks=tuple(totals.checks),
        profile={**header.get("profile", {}), "cohorts": totals.cohorts, "latitude": header.get("latitude", {})},
        coverage=coverage(totals.reached, totals.checks),
        timing={name: round(value, 3) for name, value in totals.timing.items()},
        errors=tuple(totals.errors),
        known=tuple(regression(known, totals.replayed, today)),
        claims=told(totals.checks),
    )
    run = replace(run, suspects=suspects_of(run, neighbours(folder.path)))
    folder.write_run(run)
    return run


def _day(header: Mapping[str, Any]) -> date:
    """The day of a run, by which acceptances expire."""
    started = header.get("started")
    return datetime.fromisoformat(started).date() if started else datetime.now(UTC).date()


def _unreduced(folder: RunFolder, line: dict[str, Any]) -> Finding:
    ops = tuple(op_from_json(row) for row in line["ops"])
    program = program_of(ops, line["capability"])
    reduction = Reduction(program, divergence_from_json(line), ops, reproduced=False)
    notes = {"compare": line["compare"], "reproduced": False, "unreduced": True}
    if reduction.divergence.derived:
        notes["derived"] = True
    finding = finding_of(reduction, program, notes=notes)
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
    checked = {check.capability for check in totals.checks if check.verdict != "not-reached"}
    tried = sorted({check.capability for check in totals.checks})
    names = dict.fromkeys([*asked, *totals.programs, *by_capability, *tried])
    return tuple(_result(name, totals, by_capability.get(name, Counter()), checked) for name in names)


def _result(name: str, totals: _Totals, found: Counter[str], checked: set[str]) -> CapabilityResult:
    reached = totals.programs[name] > 0 or name in checked
    worse = {severity for severity in found if severity != "unsupported"}
    # What checks of the article find is counted under the rules that it breaks.
    if worse or (name == ARTICLE and any(c.verdict == "violated" for c in totals.checks if c.capability == name)):
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
