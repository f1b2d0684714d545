"""What a run says, put in order: the one view that every report is rendered from."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conformance.record.finding import SEVERITIES, Finding
from conformance.record.run import VERDICTS, CapabilityResult, CheckResult, Run
from reports.article import Part, parts
from reports.claims import claims
from reports.notation import one_line, titled

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
                one_line(f"{titled(str(row.get('summary') or row['fingerprint']))} [{row.get('rule')}]"),
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
            ("Started", moment(run.started)),
            ("Took", duration(run.seconds) + (f" of a budget of {duration(run.budget)}" if run.budget else "")),
            ("Ended because", STOPPED_MEANS.get(run.stopped, run.stopped)),
            ("Seed", str(run.seed)),
            ("Programs", f"{run.programs:,}"),
            ("Calls", f"{run.calls:,}"),
            ("Command", run.command),
        ]
        return [(name, one_line(text, 2000)) for name, text in rows if text]

    def allowed(self) -> list[tuple[str, str]]:
        """What the target was given: the latitude of its answers, and what was not asked of it, as sentences."""
        return [(name, one_line(text, 2000)) for name, text in claims(self.run.profile) if text]

    @property
    def summary(self) -> str:
        """When and how much was tried, in one sentence."""
        run = self.run
        by = f" by Dynoracle {run.version}" if run.version else ""
        tried = f"{run.programs:,} programs, {run.calls:,} calls in {duration(run.seconds)}, seed {run.seed}"
        return one_line(f"Tested {moment(run.started)}{by}: {tried}.", 400)


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
    held = [f for f in settled if f.severity != "unsupported"]
    waived = sum(map(accepted, held))
    verdict = _verdict(run, len(held) - waived, waived)
    return Outline(
        run=run,
        verdict=verdict,
        headline=_compared(run) or _headline(verdict, len(held) - waived, waived),
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


def _verdict(run: Run, held: int, waived: int) -> str:
    """The verdict of a run with so many findings held against the target, and so many accepted."""
    # What findings tell of is judged by them: that a check is violated says no more where its finding is accepted.
    waivers = [f for f in run.findings if f.unsettled or accepted(f)]
    known = {name for f in waivers for name in (f.fingerprint, f.rule)}
    areas = {f.capability for f in waivers}
    told = Counter(
        verdict_of(c.verdict) for c in run.capabilities if not (c.verdict == "violated" and c.capability in areas)
    )
    checked = Counter(
        verdict_of(c.verdict) for c in run.checks if c.verdict != "violated" or not known & {c.fingerprint, c.rule}
    )
    if checked["ok"]:
        del checked["unknown"]  # A target that throttles lets some check or other not come to its end.
    told += checked
    if held or told["violated"]:
        return "violated"
    if run.errors:
        return "unknown"
    # A run in which nothing was found good has not shown anything to be good.
    return "ok" if waived or (told["ok"] and not told["unknown"]) else "unknown"


def _headline(verdict: str, held: int, waived: int) -> str:
    if held:
        count = held + waived
        told = f"{count:,} distinct divergence{'s' if count > 1 else ''} from DynamoDB"
        return told + (f", {waived:,} accepted" if waived else "")
    if waived and verdict == "ok":
        return (
            f"Nothing new: {'the' if waived == 1 else 'all'} {waived:,} divergence{'s' * (waived > 1)} accepted before"
        )
    if waived and verdict == "unknown":
        return f"No verdict: the run itself had errors; {waived:,} accepted"
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


def moment(text: str) -> str:
    """A time as people write it, ``2026-11-22 17:18 UTC``; any other text as it is."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    if at.tzinfo is None:
        return text
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


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
