"""What a run says, put in order: the one view that every report is rendered from."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.record.finding import SEVERITIES, Finding
from conformance.record.run import VERDICTS, CapabilityResult, CheckResult, Run
from reports.article import Part, parts
from reports.notation import compact, one_line, readable

SEVERITY_MEANS: Mapping[str, str] = {
    "crash": "the endpoint died or hung",
    "data": "wrong or lost data",
    "accepts": "takes what must be refused",
    "refuses": "refuses what must be taken",
    "error": "refuses with another error",
    "precedence": "refuses for a later reason",
    "message": "refuses with other words",
    "shape": "wrong counts, capacity or fields",
    "unsupported": "not implemented; never a failure",
}
VERDICT_MEANS: Mapping[str, str] = {
    "ok": "nothing found",
    "violated": "divergences found",
    "unknown": "could not be judged",
    "unsupported": "the target does not offer it",
    "not-reached": "not tested in this run",
}
LISTED = 6
"""Names that a fact of the run lists."""
STOPPED_MEANS: Mapping[str, str] = {
    "budget": "the time budget was used up",
    "interrupted": "it was interrupted",
    "target-died": "the target ended",
    "checks": "all checks were made",
    "comparisons": "all arms were run",
}


@dataclass(frozen=True, slots=True)
class Outline:
    """A run in reading order.

    ``findings`` are settled ones, worst first; ``unsettled`` rest on inference alone, on an
    earlier difference, or did not show again. ``severities`` counts the settled
    ones, ``unsupported`` included. ``verdict`` is ``violated``, ``unknown`` or ``ok``.
    """

    run: Run
    verdict: str
    headline: str
    findings: tuple[Finding, ...]
    unsettled: tuple[Finding, ...]
    severities: Mapping[str, int]
    capabilities: tuple[CapabilityResult, ...]
    checks: Mapping[str, tuple[CheckResult, ...]]

    @property
    def article(self) -> tuple[Part, ...]:
        """The article's claims, where the run was asked for them."""
        return parts(self.run)

    @property
    def known(self) -> list[tuple[str, str, str]]:
        """What became of findings known before the run: how it is, the finding in words, what to know of it."""
        return [
            (
                _standing(row),
                one_line(f"{readable(str(row.get('summary') or row['fingerprint']))} [{row.get('rule')}]"),
                _words(row),
            )
            for row in sorted(self.run.known, key=lambda row: (_standing(row), str(row.get("rule"))))
        ]

    @property
    def target(self) -> str:
        """The target's name and version on one line."""
        target = self.run.target
        words = (str(target.get(name) or "") for name in ("name", "version"))
        return one_line(" ".join(word for word in words if word)) or "unnamed target"

    def facts(self) -> list[tuple[str, str]]:
        """What ran, how, and how it ended: pairs of a name and one line of text."""
        run = self.run
        rows = [
            ("Target", self.target),
            ("Endpoint", str(run.target.get("endpoint") or "")),
            ("Dynoracle", run.version),
            ("Ledger", run.ledger),
            ("Started", run.started),
            ("Took", duration(run.seconds) + (f" of a budget of {duration(run.budget)}" if run.budget else "")),
            ("Ended because", STOPPED_MEANS.get(run.stopped, run.stopped)),
            ("Seed", str(run.seed)),
            ("Programs", f"{run.programs:,}"),
            ("Calls", f"{run.calls:,}"),
            ("Command", run.command),
        ]
        rows += [(name, text) for name, text in self.profile() if text]
        return [(name, one_line(text, 2000)) for name, text in rows if text]

    def profile(self) -> list[tuple[str, str]]:
        """The latitude that was used, the cohorts found, and what else the target's profile says."""
        profile = self.run.profile
        cohorts = profile.get("cohorts")
        rows = [
            ("Latitude used", _settings(profile.get("latitude"), "none")),
            ("Cohorts", _cohorts(cohorts) if isinstance(cohorts, Mapping) else _settings(cohorts, "")),
        ]
        rest = {k: v for k, v in profile.items() if k not in ("latitude", "cohorts")}
        nested = rest.pop("profile", {})
        claims = {**nested, **rest} if isinstance(nested, Mapping) else rest
        return [*rows, ("Profile", _settings({name: claim for name, claim in claims.items() if claim}, ""))]


def outline(run: Run) -> Outline:
    """The outline of a run."""
    ranked = sorted(run.findings, key=rank)
    settled = tuple(f for f in ranked if not f.unsettled)
    counted = Counter(f.severity for f in settled)
    severities = {
        name: counted[name] for name in (*SEVERITIES, *sorted(set(counted) - set(SEVERITIES))) if counted[name]
    }
    checks: dict[str, list[CheckResult]] = {verdict: [] for verdict in VERDICTS}
    for check in run.checks:
        checks.setdefault(verdict_of(check.verdict), []).append(check)
    verdict = _verdict(run, severities)
    waived = sum(accepted(f) for f in settled if f.severity != "unsupported")
    return Outline(
        run=run,
        verdict=verdict,
        headline=(_compared(run) or _headline(verdict, severities)) + (f", {waived:,} accepted" if waived else ""),
        findings=settled,
        unsettled=tuple(f for f in ranked if f.unsettled),
        severities=severities,
        capabilities=tuple(sorted(run.capabilities, key=lambda c: c.capability)),
        checks={name: tuple(sorted(members, key=lambda c: c.check)) for name, members in checks.items()},
    )


def accepted(finding: Finding) -> bool:
    """Whether the baseline of its run accepts a finding."""
    return "accepted" in finding.notes


def _standing(row: Mapping[str, Any]) -> str:
    """How a known finding is after its replay: expired acceptances come first, as they fail a run."""
    state = one_line(str(row.get("state", "not replayed")))
    if row.get("expired") and state != "vanished":
        return f"expired, {state}"
    return f"accepted, {state}" if row.get("accepted") else state


def _words(row: Mapping[str, Any]) -> str:
    told = [str(row.get("reason") or ""), str(row.get("link") or "")]
    if row.get("expires"):
        told.append(f"{'expired' if row.get('expired') else 'until'} {row['expires']}")
    if row.get("state") == "flaky":
        told.append(f"{row.get('replayed')}/{row.get('replays')} replays")
    return one_line("; ".join(text for text in told if text), 400)


def rank(finding: Finding) -> tuple[int, str, str, str]:
    """The order of findings: worst severity first (unknown ones last), then by capability, rule and fingerprint."""
    known = SEVERITIES.index(finding.severity) if finding.severity in SEVERITIES else len(SEVERITIES)
    return (known, finding.capability, finding.rule, finding.fingerprint)


def verdict_of(text: str) -> str:
    """A verdict that reports know; any other is ``unknown``, which is never shown green."""
    return text if text in VERDICTS else "unknown"


def _verdict(run: Run, severities: Mapping[str, int]) -> str:
    told = Counter(
        verdict_of(text) for text in (*(c.verdict for c in run.capabilities), *(c.verdict for c in run.checks))
    )
    if told["violated"] or set(severities) - {"unsupported"}:
        return "violated"
    # A run that has errors, or in which nothing was found good, has not shown anything to be good.
    return "ok" if told["ok"] and not told["unknown"] and not run.errors else "unknown"


def _headline(verdict: str, severities: Mapping[str, int]) -> str:
    count = sum(number for name, number in severities.items() if name != "unsupported")
    if count:
        return f"{count:,} distinct divergence{'s' if count > 1 else ''} from DynamoDB"
    if verdict == "violated":
        return "Directed checks are violated"
    if verdict == "ok":
        return "No divergence from DynamoDB found in this run"
    return "No verdict: not enough could be judged"


def _compared(run: Run) -> str:
    """The headline of a run that compared arms; empty for any other."""
    if not run.comparisons or run.findings:
        return ""
    wrong = sum(row.get("verdict") != "ok" for row in run.comparisons)
    count = len(run.comparisons)
    told = f"{count:,} failure{'s' if count > 1 else ''} shown, with what is done about {'them' if count > 1 else 'it'}"
    return told + (f"; {wrong:,} not as expected" if wrong else "")


def _settings(value: Any, nothing: str) -> str:
    if not value:
        return nothing
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_setting(setting)}" for name, setting in value.items())
    return _setting(value)


def _setting(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        more = len(value) - LISTED
        return ", ".join(value[:LISTED]) + (f" and {more:,} more" if more > 0 else "")
    return value if isinstance(value, str) else compact(value)


def _cohorts(cohorts: Mapping[str, Any]) -> str:
    """Operations by the cohort they speak: ``current: PutItem, Query; older: Scan``."""
    groups: dict[str, list[str]] = {}
    for operation, cohort in sorted(cohorts.items()):
        groups.setdefault(str(cohort), []).append(operation)
    return "; ".join(f"{cohort}: {', '.join(operations)}" for cohort, operations in sorted(groups.items()))


def duration(seconds: float) -> str:
    """Seconds as people say them: ``0.4 s``, ``61 s``, ``2 min 5 s``, ``1 h 30 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def replays(finding: Finding) -> str:
    """How surely a finding shows: ``5/5 replays``; a flaky one is told by its numbers."""
    if not finding.replays:
        return "not replayed"
    return f"{finding.replayed}/{finding.replays} replays"


def counts(severities: Mapping[str, int]) -> str:
    """``1 crash, 2 data``, or ``none``."""
    return ", ".join(f"{number:,} {name}" for name, number in severities.items()) or "none"


def replay_command(folder: Path, finding: Finding) -> str:
    """The command that replays a finding of a run folder; one of concurrent clients is an experiment."""
    place = str(folder / "findings" / finding.fingerprint)
    if finding.notes.get("workload"):
        return shlex.join(["dynoracle", "chaos", str(finding.notes.get("target") or "TARGET"), "--replay", place])
    return shlex.join(["dynoracle", "replay", place])
