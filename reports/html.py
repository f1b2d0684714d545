"""One HTML file that says what a run found: offline, and safe whatever a target answered.

Safety has three layers: every text is escaped on its way into the page, what could change how its neighbours are read
is shown as an escape (``notation.visible``), and the page's own policy lets no script or style run but the two in it.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from conformance.record.codec import dumps
from conformance.record.finding import SEVERITIES, Finding
from conformance.record.run import VERDICTS, Run
from reports import comparisons, difference, experiments, sources
from reports.article import CLAIM_MEANS, counted, standing, totals
from reports.boto3_code import boto3_code
from reports.notation import clip, compact, one_line, pretty_json, titled, visible
from reports.outline import (
    SEVERITY_MEANS,
    VERDICT_MEANS,
    Outline,
    accepted,
    duration,
    moment,
    outline,
    replay_command,
    replays,
    verdict_of,
)
from reports.steps import StepView, steps

SIZE_AIM = 1_930_000
"""Bytes that a page may take; what does not fit is left to the files it links to."""
FRAME, CHECK = 90_000, 120
"""Bytes of a page without findings, and of each check that it lists."""
ROOM_MOST, ROOM_LEAST = 60_000, 2_800
"""Bytes that one finding may take, whatever their number."""
CARD, STEP, LINE, ROW = 1_300, 100, 45, 110
"""Bytes of markup around a finding, a call of its program, a parameter of that and a differing place."""
COVERAGE_LIMIT = 400
"""Names of one kind of coverage that are listed."""
TITLE_LIMIT = 200
"""Characters of a finding's summary that are shown; it may quote the target."""
EVIDENCE_LIMIT = 8
"""Sources of one rule that are listed."""
PROSE_LIMIT = 6_000
"""Characters of what a checker says of a history."""
START = 5
"""Findings that are named first of all."""
OPEN_FIRST = 5
"""Findings that stand open when the page is loaded."""

_TEMPLATES = Path(__file__).parent / "templates"
_MARKS = {"ok": "✓", "violated": "✗", "unknown": "?", "unsupported": "–", "not-reached": "○"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One source of a rule: how it is known, the citation, when it was seen, and where it can be looked up."""

    kind: str
    source: str
    on: str
    link: str | None


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as the page shows it. ``code`` and ``json`` are None where they were left out for want of room."""

    finding: Finding
    title: str
    anchor: str
    steps: tuple[StepView, ...]
    rows: tuple[difference.Row, ...]
    evidence: tuple[Evidence, ...]
    replays: str
    since: str
    remarks: tuple[str, ...]
    command: str
    files: str
    picture: str | None
    prose: str
    code: Markup | None
    json: Markup | None
    sendable: bool


@dataclass(frozen=True, slots=True)
class CoverageView:
    """One kind of thing that the run reached: how many, of how many known, each with its count; and what it missed."""

    name: str
    told: str
    members: tuple[tuple[str, str], ...]
    more: int
    missed: tuple[str, ...] = ()
    missed_more: int = 0


def render(run: Run, folder: Path) -> str:
    """The page. ``folder`` is the run folder as people will type it in a command."""
    view = outline(run)
    left = SIZE_AIM - FRAME - CHECK * len(run.checks)
    room = max(ROOM_LEAST, min(ROOM_MOST, left // max(1, len(run.findings))))
    known = _known(run)
    settled = _views(view.findings, folder, room, known)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, finalize=_finalize, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    script, style = ((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.js", "report.css"))
    return environment.get_template("report.html.j2").render(
        view=view,
        run=run,
        facts=view.facts(),
        allowed=view.allowed(),
        settled=settled,
        start=_start(settled),
        unsettled=_views(view.unsettled, folder, room, known),
        moment=moment,
        filters=_filters((*view.findings, *view.unsettled)),
        severities=_columns(view),
        severity_means=SEVERITY_MEANS,
        verdict_means=VERDICT_MEANS,
        verdicts=VERDICTS,
        marks=_MARKS,
        verdict_of=verdict_of,
        article=view.article,
        claim_means=CLAIM_MEANS,
        claims_told=_claims_told(view),
        experiments=experiments.views(run.experiments),
        fates=experiments.FATES,
        picture=(experiments.WIDTH, experiments.HEIGHT, experiments.LEFT, experiments.TOP, experiments.BOTTOM),
        comparisons=comparisons.views(run),
        chart=comparisons.FRAME,
        coverage=_coverages(run.coverage),
        timing=_timing(run),
        suspects=[[(name, _text(value)) for name, value in suspect.items()] for suspect in run.suspects],
        findings_by_fingerprint={f.fingerprint: _anchor(f) for f in run.findings},
        open_first=OPEN_FIRST,
        script=Markup(script),
        style=Markup(style),
        policy=f"default-src 'none'; base-uri 'none'; form-action 'none'; script-src {_hash(script)}; "
        f"style-src {_hash(style)}; img-src data:",
    )


def _claims_told(view: Outline) -> tuple[str, str]:
    """The article's claims by verdict, and how those that checks show stand on the target."""
    rows = [row for part in view.article for row in part.rows]
    return counted(totals(rows)), counted(standing(rows))


def _finalize(value: Any) -> Any:
    """What every ``{{ … }}`` goes through before it is escaped."""
    if isinstance(value, Markup):
        return value
    return visible(value if isinstance(value, str) else str(value))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _anchor(finding: Finding) -> str:
    return f"finding-{quote(finding.fingerprint, safe='')}"


def _views(findings: Sequence[Finding], folder: Path, room: int, known: frozenset[str] | None) -> list[FindingView]:
    return [_view(finding, folder, room, known) for finding in findings]


def _known(run: Run) -> frozenset[str] | None:
    """The fingerprints that were known before the run; None when it was told of none."""
    return frozenset(str(row.get("fingerprint")) for row in run.known) if run.known else None


def _since(finding: Finding, known: frozenset[str] | None) -> str:
    if known is None:
        return ""
    return "known before" if finding.fingerprint in known else "new"


def _start(findings: Sequence[FindingView]) -> list[FindingView]:
    """What to look at first: the worst findings that are not accepted, one of each rule, new ones first."""
    held = [v for v in findings if v.finding.severity != "unsupported" and not accepted(v.finding)]
    one = {v.finding.rule: v for v in reversed(held)}
    return sorted((v for v in held if one[v.finding.rule] is v), key=lambda v: v.since != "new")[:START]


def _view(finding: Finding, folder: Path, room: int, known: frozenset[str] | None = None) -> FindingView:
    evidence = tuple(_evidence(entry) for entry in finding.evidence[:EVIDENCE_LIMIT])
    room -= CARD + _weight(finding.summary[:TITLE_LIMIT], finding.says, *(e.source for e in evidence))
    prose = clip(str(finding.observed.get("history", "")), PROSE_LIMIT)
    calls = _fitted(steps(finding.program, judged=not prose), room // 2)
    room -= sum(_step_weight(step) for step in calls)
    rows = [] if prose else _first_rows(_differing(finding), max(room, ROOM_LEAST))
    room -= sum(_row_weight(row) for row in rows) + _weight(prose)
    picture = experiments.picture(finding, folder)
    if picture is not None and len(picture) > room:
        picture = None
    room -= len(picture or "")
    view = FindingView(
        finding=finding,
        title=one_line(titled(finding.summary), TITLE_LIMIT),
        anchor=_anchor(finding),
        steps=tuple(calls),
        rows=tuple(rows),
        evidence=evidence,
        replays=replays(finding),
        since=_since(finding, known),
        remarks=tuple(_remarks(finding)),
        command=replay_command(folder, finding),
        files=f"findings/{quote(finding.fingerprint, safe='')}/",
        picture=picture,
        prose=prose,
        code=None,
        json=None,
        sendable=True,
    )
    return _filled(view, room)


def _differing(finding: Finding) -> list[difference.Row]:
    """Where the answers differ; of an answer of which a check names members, those alone."""
    asked = next((a["answer"] for a in finding.accepted if isinstance(a.get("answer"), Mapping)), None)
    absent = None if asked is None or "body" in asked else frozenset(map(str, asked.get("lacks") or ()))
    return difference.rows(finding.expected, finding.observed, absent)


def _weight(*texts: str) -> int:
    """Bytes that the texts take in the page: quotes and the like weigh more than themselves."""
    return sum(len(html.escape(text).encode("utf-8", "replace")) for text in texts)


def _step_weight(step: StepView) -> int:
    lines = sum(LINE + _weight(line.name, line.text) for line in step.lines)
    return STEP + _weight(step.operation, step.table, step.answer) + lines


def _row_weight(row: difference.Row) -> int:
    return ROW + _weight(row.place, row.note, *(text for text, _ in (*row.expected, *row.observed)))


def _fitted(calls: Sequence[StepView], room: int) -> Sequence[StepView]:
    """The calls with their parameters, or by name alone where these would fill the page."""
    if sum(_step_weight(step) for step in calls) <= max(room, ROOM_LEAST // 2):
        return calls
    return [replace(step, lines=(), answer=one_line(step.answer, 80)) for step in calls]


def _first_rows(rows: Sequence[difference.Row], room: int) -> list[difference.Row]:
    """The first rows that fit; always one."""
    shown: list[difference.Row] = []
    for row in rows:
        room -= _row_weight(row)
        if shown and room < 0:
            return [*shown, difference.Row("…", (), (), f"{len(rows) - len(shown)} more rows: see finding.json")]
        shown.append(row)
    return shown


def _filled(view: FindingView, room: int) -> FindingView:
    """The view with code and full answers, as far as there is room."""
    finding = view.finding
    # Calls of several clients are no program: one after the other they show nothing.
    text = None if view.prose else boto3_code(finding, max(room, 0))
    code = _block(text or "", room)
    if code is not None:
        room -= len(code.encode())
    whole = {"expected": finding.expected, "accepted": finding.accepted, "observed": finding.observed}
    json = None
    for row in ({**whole, "program": finding.program}, whole):
        # A row that is too long as it is need not be laid out: that costs most for the longest.
        json = _block(pretty_json(row), room) if len(dumps(row)) <= room else None
        if json is not None:
            break
    return replace(view, code=code if text else None, json=json, sendable=text is not None)


def _block(text: str, room: int) -> Markup | None:
    """Text for the inside of a ``pre``, where quotes may stay as they are; None when there is no room for it."""
    block = html.escape(visible(text), quote=False)
    return Markup(block) if len(block.encode()) <= room else None


def _evidence(entry: Mapping[str, str]) -> Evidence:
    source = str(entry.get("source", ""))
    return Evidence(str(entry.get("kind", "")), one_line(source, 300), str(entry.get("on", "")), sources.link(source))


def _remarks(finding: Finding) -> Iterable[str]:
    """What a reader must know of how sure and how small a finding is."""
    notes = finding.notes
    if notes.get("unreduced"):
        yield "The run ended before this program was made smaller."
    elif notes.get("exhausted"):
        yield "The budget for making this program smaller was used up: a smaller one may show the same."
    if notes.get("derived"):
        yield "It is about items that an earlier difference left behind, so it is not held against the target."
    if notes.get("reproduced") is False:
        yield "It did not show again when the program was replayed on fresh tables."
    elif finding.replays and not finding.replayed and finding.observed.get("history"):
        yield "It did not show again: it takes calls at one moment. Yet nothing lawful explains what the clients saw."
    elif finding.replays and finding.replayed < finding.replays:
        yield "It does not show on every replay."
    for state, told in (("accepted", "Accepted by the baseline"), ("expired", "Accepted once, which has expired")):
        if isinstance(notes.get(state), Mapping):
            words = (str(notes[state].get(name) or "") for name in ("reason", "link", "expires"))
            yield one_line("; ".join([told, *(word for word in words if word)]), 400) + "."


def _filters(findings: Sequence[Finding]) -> list[tuple[str, list[tuple[str, int]]]]:
    """The choices of each filter: values with the number of findings that have them."""
    kinds = {
        "severity": Counter(f.severity for f in findings),
        "capability": Counter(f.capability for f in findings),
        "rule": Counter(f.rule for f in findings),
        "operation": Counter(f.operation for f in findings),
    }
    # Capabilities, rules and operations are no severities, so they all rank alike and come by name.
    order = {name: place for place, name in enumerate(SEVERITIES)}
    return [
        (kind, sorted(counted.items(), key=lambda pair: (order.get(pair[0], len(order)), pair)))
        for kind, counted in kinds.items()
    ]


def _columns(view: Outline) -> list[str]:
    told = {name for result in view.capabilities for name in result.findings}
    return [*SEVERITIES, *sorted(told - set(SEVERITIES))]


_BESIDE = frozenset({"known", "unreached"})
"""Members of coverage that are no kind of their own."""


def _coverages(told: Mapping[str, Any]) -> list[CoverageView]:
    left = told.get("unreached")
    missed = left if isinstance(left, Mapping) else {}
    return [_coverage(name, value, missed.get(name)) for name, value in told.items() if name not in _BESIDE]


def _coverage(name: str, value: Any, left: Any = None) -> CoverageView:
    if not isinstance(value, Mapping):
        return CoverageView(name, _text(value), (), 0)
    known = next((value[key] for key in ("known", "total") if key in value), None)
    if "reached" in value and isinstance(value["reached"], int):
        return CoverageView(name, f"{value['reached']:,}" + (f" of {known:,}" if isinstance(known, int) else ""), (), 0)
    counted = sorted(
        value.items(), key=lambda pair: (-pair[1] if isinstance(pair[1], int | float) else 0, str(pair[0]))
    )
    members = tuple((str(key), _text(count)) for key, count in counted[:COVERAGE_LIMIT])
    missed = [str(each) for each in left] if isinstance(left, Sequence) and not isinstance(left, str) else []
    told = f"{len(value):,}" + (f" of {len(value) + len(missed):,}" if missed else "")
    return CoverageView(
        name, told, members, max(0, len(value) - COVERAGE_LIMIT), tuple(missed[:COVERAGE_LIMIT]),
        max(0, len(missed) - COVERAGE_LIMIT),
    )  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return clip(value if isinstance(value, str) else compact(value), 1000)


def _timing(run: Run) -> list[tuple[str, str, float]]:
    """Parts of the work with their seconds and share, largest first."""
    spent = {name: float(seconds) for name, seconds in run.timing.items()}
    whole = sum(spent.values())
    ranked = sorted(spent.items(), key=lambda pair: -pair[1])
    return [(name, duration(seconds), seconds / whole if whole else 0.0) for name, seconds in ranked]
