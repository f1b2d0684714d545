"""``summary.md``: a run on one page, for the job summary of a CI system."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from conformance.record.finding import Finding
from conformance.record.run import Run
from reports import comparisons
from reports.article import counted, standing, totals
from reports.matrix import Matrix
from reports.notation import one_line, titled
from reports.outline import Outline, accepted, counts, outline, replay_command, replays, verdict_of

ROW_LIMIT = 60
"""Findings that are listed; the HTML report has them all."""
CELL_LIMIT = 240
"""Characters of one cell."""

_MARKS = {"ok": "✅", "violated": "❌", "unknown": "❔", "unsupported": "➖", "not-reached": "⚪"}
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~#@$&!{}]|://|www\.|-(?=-)|^[-+=>]")


def render(run: Run, folder: Path) -> str:
    """The summary as GitHub-flavoured Markdown; whatever a target said stands in it as plain text."""
    view = outline(run)
    parts = [
        f"## {_MARKS[view.verdict]} {plain(view.headline)}: {plain(view.target)}",
        _errors(view),
        _table(("", ""), ((f"**{name}**", plain(text)) for name, text in view.facts() if name != "Target")),
        _allowed(view),
        _findings("Findings", [f for f in view.findings if not accepted(f)]),
        _known(view),
        _findings("Accepted by the baseline", [f for f in view.findings if accepted(f)]),
        _capabilities(view),
        _checks(view),
        _comparisons(view),
        _article(view),
        _findings("Unsettled: not held against the target", view.unsettled),
        _suspects(view),
        _replay(view, folder),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """The text with everything that Markdown or HTML would read as markup written as entities, on one line."""
    return _SPECIAL.sub(lambda found: "".join(f"&#{ord(letter)};" for letter in found[0]), one_line(text, CELL_LIMIT))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _errors(view: Outline) -> str:
    lines = [f"- {plain(error)}" for error in view.run.errors[:ROW_LIMIT]]
    return "\n".join(["### ⚠️ Errors of the run itself", "", *lines]) if lines else ""


def _allowed(view: Outline) -> str:
    rows = [(f"**{plain(name)}**", plain(text)) for name, text in view.allowed()]
    return f"### What the target was given\n\n{_table(('', ''), rows)}" if rows else ""


def matrix(table: Matrix) -> str:
    """Targets side by side as Markdown: capabilities, then the rules that are not ok everywhere."""
    head = [plain(f"{column.label} {column.version}".strip()) for column in table.columns]
    capabilities = (
        [plain(name), *(f"{_MARKS[cell.verdict]} {plain(cell.words())}" for cell in cells)]
        for name, cells in table.capabilities.items()
    )
    rules = [
        [plain(name), *(f"{_MARKS.get(s, _MARKS['violated'])} {plain(s)}" for s in standings)]
        for name, standings in table.telling()
    ]
    parts = ["## Capabilities", _table(["capability", *head], capabilities)]
    if rules:
        parts += ["## Rules that are not ok everywhere", _table(["rule", *head], rules)]
    return "\n\n".join(parts) + "\n"


def _findings(title: str, findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    rows = (
        (
            plain(f.severity),
            plain(titled(f.summary)),
            plain(f.rule),
            plain(replays(f)),
            f"{f.seen:,}×",
            f"`{_code(f.fingerprint)}`",
        )
        for f in findings[:ROW_LIMIT]
    )
    table = _table(("severity", "finding", "rule", "shown by", "seen", "fingerprint"), rows)
    more = f"\n\n{len(findings) - ROW_LIMIT:,} more are in report.html." if len(findings) > ROW_LIMIT else ""
    return f"### {title}\n\n{table}{more}"


def _known(view: Outline) -> str:
    """What became of findings known before the run."""
    rows = [tuple(plain(text) for text in row) for row in view.known]
    if not rows:
        return ""
    more = f"\n\n{len(rows) - ROW_LIMIT:,} more are in report.json." if len(rows) > ROW_LIMIT else ""
    return f"### Known before\n\n{_table(('replayed', 'finding', ''), rows[:ROW_LIMIT])}{more}"


def _capabilities(view: Outline) -> str:
    rows = (
        (
            plain(c.capability), f"{_MARKS[verdict_of(c.verdict)]} {verdict_of(c.verdict)}",
            f"{c.programs:,}", f"{c.calls:,}", plain(counts(c.findings)) if c.findings else "",
        )
        for c in view.capabilities
    )  # fmt: skip
    table = _table(("capability", "verdict", "programs", "calls", "findings"), rows)
    return f"### Capabilities\n\n{table}" if view.capabilities else ""


def _checks(view: Outline) -> str:
    told = ", ".join(f"{len(checks):,} {verdict}" for verdict, checks in view.checks.items() if checks)
    return f"### Directed checks\n\n{told}" if told else ""


def _article(view: Outline) -> str:
    """The article's claims, part by part."""
    if not view.article:
        return ""
    rows = [row for part in view.article for row in part.rows]
    head = ["### The article", "", f"{plain(counted(totals(rows)))}. On this target: {plain(counted(standing(rows)))}."]
    for part in view.article:
        told = (
            (
                plain(row.id),
                plain(row.says),
                plain(row.verdict),
                plain(row.truth),
                f"{_MARKS[row.shown]} {row.shown}" if row.shown else plain(row.how),
            )
            for row in part.rows
        )
        head += [
            "",
            f"#### {plain(part.name)}",
            "",
            _table(("", "it says", "verdict", "what is so", "this target"), told),
        ]
    return "\n".join(head)


def _comparisons(view: Outline) -> str:
    """Scenarios with arms: what each arm shows, and what was expected of it."""
    lines: list[str] = []
    for found in comparisons.views(view.run):
        rows = (
            (plain(arm.shows), plain(arm.name), plain(arm.says), f"{_MARKS[verdict]} {plain(says)} ({plain(detail)})")
            for arm in found.arms
            for says, verdict, detail in arm.expectations
        )
        head = f"#### {_MARKS[found.verdict]} {plain(found.title)} (`{_code(found.name)}`)"
        lines += ["", head, "", plain(found.truth), "", _table(("", "arm", "", "it shows"), rows)]
    return "\n".join(["### Failures and what is done about them", *lines]) if lines else ""


def _suspects(view: Outline) -> str:
    lines = [f"- {plain(', '.join(f'{k}: {v}' for k, v in suspect.items()))}" for suspect in view.run.suspects]
    head = [
        "### Suspects of the peer alarm",
        "",
        "Most emulators contradict these rules alike: review the evidence.",
        "",
    ]
    return "\n".join([*head, *lines[:ROW_LIMIT]]) if lines else ""


def _replay(view: Outline, folder: Path) -> str:
    first = next(iter((*view.findings, *view.unsettled)), None)
    if first is None:
        return ""
    return f"### Replay\n\n```sh\n{one_line(replay_command(folder, first), 2000).replace('```', '')}\n```"


def _code(text: str) -> str:
    return f"`{text}`" if re.fullmatch(r"[\w.-]+", text, re.ASCII) else plain(text)
