"""The summary of a run: what was tested, how, and what came of it (``report.json``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from conformance.record.finding import Finding, finding_from_json, finding_to_json

SCHEMA = 1

VERDICTS = ("ok", "violated", "unknown", "unsupported", "not-reached")


@dataclass(frozen=True, slots=True)
class CapabilityResult:
    """What a run says of one capability: programs and calls judged, verdict, findings by severity."""

    capability: str
    verdict: str
    programs: int = 0
    calls: int = 0
    findings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One directed check: the rule it checks, its verdict and, if violated, the finding's fingerprint."""

    check: str
    rule: str
    capability: str
    verdict: str
    fingerprint: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Everything ``report.json`` holds. Times are ISO 8601 UTC, durations seconds.

    ``target`` has name, version, endpoint; ``profile`` what the oracle allowed (latitude, cohorts); ``coverage``
    counts of rules, operations, error codes, parts of expressions and relations reached, and what was not;
    ``suspects`` the rules of the peer alarm; ``timing`` the split of seconds between drawing, sending, judging and
    journalling; ``stopped`` why the run ended. ``known`` says
    what became of each finding that was known before (baseline, earlier run) when it was replayed: ``fingerprint``,
    ``origin``, ``state``, ``accepted``, ``expired``, ``reason``, ``link``, ``expires`` and more. ``claims`` are
    those of the article, where it was asked for: ``id``, ``part``, ``says``, ``verdict``, ``truth``, ``sources``,
    ``way``, ``why`` and ``shown``, the verdict of their checks. ``experiments`` are those of a run under faults:
    ``workload``, ``seed``, ``control``, ``verdict``, ``invariants``, ``faults``, ``bands`` and ``points`` (calls).
    ``comparisons`` are scenarios with arms: ``name``, ``says``, ``truth``, ``claims``, ``plots`` and ``arms``, each
    with ``shows``, ``differs``, ``expectations``, ``totals`` and ``series`` (points by legend, for each plot).
    """

    target: Mapping[str, Any]
    command: str
    version: str
    ledger: str
    seed: int
    budget: float
    started: str
    seconds: float
    programs: int
    calls: int
    stopped: str
    capabilities: tuple[CapabilityResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    profile: Mapping[str, Any] = field(default_factory=dict)
    coverage: Mapping[str, Any] = field(default_factory=dict)
    suspects: tuple[Mapping[str, Any], ...] = ()
    timing: Mapping[str, float] = field(default_factory=dict)
    errors: tuple[str, ...] = ()
    known: tuple[Mapping[str, Any], ...] = ()
    claims: tuple[Mapping[str, Any], ...] = ()
    experiments: tuple[Mapping[str, Any], ...] = ()
    comparisons: tuple[Mapping[str, Any], ...] = ()


def run_to_json(run: Run) -> dict[str, Any]:
    """The run as a JSON object with its schema version."""
    row = asdict(run)
    row["findings"] = [finding_to_json(f) for f in run.findings]
    return {"schema": SCHEMA, **row}


def run_from_json(row: Mapping[str, Any]) -> Run:
    """The run that ``run_to_json`` wrote; unknown members of later versions are ignored."""
    known = {name: row[name] for name in Run.__dataclass_fields__ if name in row}
    known["findings"] = tuple(finding_from_json(f) for f in known.get("findings", ()))
    known["capabilities"] = tuple(CapabilityResult(**c) for c in known.get("capabilities", ()))
    known["checks"] = tuple(CheckResult(**c) for c in known.get("checks", ()))
    for name in ("suspects", "errors", "known", "claims", "experiments", "comparisons"):
        known[name] = tuple(known.get(name, ()))
    return Run(**known)
