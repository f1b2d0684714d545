"""A static site of many runs: targets, rules, findings with their history, badges. No server, no scripts."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conformance.record.codec import RecordError
from conformance.record.finding import SEVERITIES, Finding
from conformance.record.folder import read_run, write_text
from conformance.record.run import Run
from reports.badge import shields, svg
from reports.history import Glance, History, Seen, read_history, run_folders
from reports.matrix import matrix
from reports.notation import answer
from reports.outline import counts
from reports.pages import brief, page
from reports.steps import steps
from reports.trend import Line, Trend, trend

MARKER = ".dynoracle-site"
"""A file that says a folder is such a site, and may be written anew."""
LINES = 2000
"""Findings that a target's page lists: those that are there, then the newest."""
RUNS = 400
"""Runs that a target's page lists: the newest."""
_PARTS = ("targets", "findings", "runs", "badges")


@dataclass(slots=True)
class Site:
    """What a site was made of, and how many pages it has."""

    history: History
    trends: dict[str, Trend] = field(default_factory=dict)
    newest: dict[str, Run] = field(default_factory=dict)
    reports: dict[str, str] = field(default_factory=dict)
    pages: int = 0


def build(top: Path, out: Path) -> Site:
    """Write the site of all runs in a folder; RecordError when there is none, or ``out`` holds something else."""
    history = read_history(folder for folder in run_folders(top) if out.resolve() not in folder.resolve().parents)
    if not history.runs:
        told = f": {history.unreadable[0]}" if history.unreadable else ""
        raise RecordError(f"{top}: holds no runs{told}")
    _prepare(out)
    site = Site(history)
    for target, glance in history.latest.items():
        site.trends[target] = trend(history, target)
        site.newest[target] = read_run(glance.folder)
        site.reports[target] = _copy_report(glance, out)
        write_text(out / badge_file(target), svg(site.newest[target]))
        write_text(out / badge_file(target).replace(".svg", ".json"), shields(site.newest[target]))
    _write_pages(site, out)
    return site


def _prepare(out: Path) -> None:
    """An empty site: a folder that is none is not touched."""
    if out.exists() and any(out.iterdir()) and not (out / MARKER).exists():
        raise RecordError(f"--out {out} holds files that are no site of ours: name another folder")
    for name in _PARTS:
        shutil.rmtree(out / name, ignore_errors=True)
    write_text(out / MARKER, "Written by `dynoracle site`; it may be deleted and written anew.\n")


def slug(text: str) -> str:
    """A file name for any text; different texts have different ones."""
    plain = re.sub(r"[^A-Za-z0-9.-]+", "-", text).strip("-.")[:60]
    if plain and plain == text:
        return plain
    return f"{plain or 'x'}-{hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"


def target_page(target: str) -> str:
    """Where a target's page is, from the top."""
    return f"targets/{slug(target)}.html"


def finding_page(fingerprint: str) -> str:
    """Where a finding's page is, from the top."""
    return f"findings/{slug(fingerprint)}.html"


def badge_file(target: str) -> str:
    """Where a target's badge is, from the top."""
    return f"badges/{slug(target)}.svg"


def _copy_report(glance: Glance, out: Path) -> str:
    """Copy the newest report of a target with what it links to; where it is, or nothing when there is none."""
    if not (glance.folder / "report.html").is_file():
        return ""
    place = out / "runs" / slug(glance.target)
    place.mkdir(parents=True)
    shutil.copyfile(glance.folder / "report.html", place / "report.html")
    if (glance.folder / "findings").is_dir():
        shutil.copytree(glance.folder / "findings", place / "findings", copy_function=shutil.copyfile)
    return f"runs/{slug(glance.target)}/report.html"


def _write_pages(site: Site, out: Path) -> None:
    links = {"target_page": target_page, "finding_page": finding_page, "counts": counts}

    def put(place: str, template: str, title: str, **told: object) -> None:
        home = "../" * place.count("/")
        write_text(out / place, page(template, title, home, **links, **told))
        site.pages += 1

    trends = list(site.trends.values())
    m = matrix([(run, None) for run in site.newest.values()])
    put(
        "index.html", "index.html.j2", "DynamoDB conformance", m=m, unreadable=site.history.unreadable[:LINES],
        count=sum(len(t.runs) for t in trends),
        trends=[(t, counts(t.runs[-1].severities), site.reports[t.target]) for t in trends],
    )  # fmt: skip
    telling = list(m.telling())
    names = {name for name, _ in telling}
    rest = [(name, standings) for name, standings in m.rules.items() if name not in names]
    put("rules.html", "matrix.html.j2", "Rules", m=m, telling=telling, rest=rest)
    for t in trends:
        report = site.reports[t.target]
        put(
            target_page(t.target), "target.html.j2", t.target, t=t, words=counts(t.runs[-1].severities),
            lines=t.lines[:LINES], more=max(0, len(t.lines) - LINES), runs=t.runs[: -RUNS - 1 : -1],
            report=f"../{report}" if report else "", badge=f"../{badge_file(t.target)}",
        )  # fmt: skip
    _write_findings(site, put)


def _write_findings(site: Site, put: object) -> None:
    assert callable(put)
    shown: dict[str, list[tuple[str, Line]]] = {}
    for target, t in site.trends.items():
        for line in t.lines[:LINES]:
            shown.setdefault(line.finding.fingerprint, []).append((target, line))
    full: Mapping[str, Finding] = {f.fingerprint: f for run in site.newest.values() for f in run.findings}
    rows: list[tuple[Seen, list[str]]] = []
    for fingerprint, lines in shown.items():
        finding = site.history.findings[fingerprint]
        rows.append((finding, [target for target, line in lines if line.state == "there"]))
        whole = _whole(full.get(fingerprint))
        put(finding_page(fingerprint), "finding.html.j2", brief(finding.summary), finding=finding, shown=lines, **whole)
    put("findings.html", "list.html.j2", "Findings", rows=sorted(rows, key=_rank))


def _whole(finding: Finding | None) -> dict[str, object]:
    """What is told of a finding that some newest run has: its rule, program and answers."""
    if finding is None:
        return {"full": None}
    return {
        "full": finding,
        "calls": "\n".join(f"{step.number:>3}  {step.text}" for step in steps(finding.program)),
        "expected": answer(finding.expected, 2000),
        "observed": answer(finding.observed, 2000),
    }


def _rank(row: tuple[Seen, list[str]]) -> tuple[bool, bool, int, str, str]:
    finding, targets = row
    worst = SEVERITIES.index(finding.severity) if finding.severity in SEVERITIES else len(SEVERITIES)
    return (not targets, finding.unsettled, worst, finding.rule, finding.fingerprint)
