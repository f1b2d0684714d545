"""A badge of a run: as SVG by itself, and as data for shields.io."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from conformance.record.codec import dumps
from conformance.record.run import Run
from reports.notation import one_line, visible
from reports.outline import outline

LABEL = "dynoracle"
COLOURS: Mapping[str, str] = {
    "crash": "#7a0026", "data": "#b3261e", "accepts": "#a8420a", "refuses": "#8a5a00", "error": "#75600a",
    "violated": "#a8420a", "ok": "#17692f", "unknown": "#646b74",
}  # fmt: skip
_MINOR = "#4a5b70"
TOLD = 3
"""Severities that a badge counts; the worst ones."""
LETTER = 6.6
"""Width of a letter at 11 pixels, on average."""


def words(run: Run) -> tuple[str, str]:
    """What a badge says, and its colour: findings by severity, accepted ones apart; never a percentage."""
    view = outline(run)
    held = [f for f in view.findings if f.severity != "unsupported"]
    accepted = sum("accepted" in f.notes for f in held)
    counted: dict[str, int] = {}
    for finding in held:
        if "accepted" not in finding.notes:
            counted[finding.severity] = counted.get(finding.severity, 0) + 1
    said = [f"{count:,} {severity}" for severity, count in list(counted.items())[:TOLD]]
    if len(counted) > TOLD:
        said.append(f"{sum(list(counted.values())[TOLD:]):,} more")
    if accepted:
        said.append(f"{accepted:,} accepted")
    if counted:
        return ", ".join(said), COLOURS.get(next(iter(counted)), _MINOR)
    if accepted:
        return ", ".join(said), COLOURS["ok"] if not run.errors else COLOURS["unknown"]
    if view.verdict == "violated":
        return "checks violated", COLOURS["violated"]
    return ("no divergence found", COLOURS["ok"]) if view.verdict == "ok" else ("no verdict", COLOURS["unknown"])


def label(run: Run) -> str:
    """The left side: what was tested."""
    return one_line(f"{LABEL}: {run.target.get('name') or 'unnamed'} {run.target.get('version') or ''}".strip(), 60)


def shields(run: Run) -> str:
    """The badge as shields.io's endpoint JSON."""
    message, colour = words(run)
    row = {"schemaVersion": 1, "label": visible(label(run)), "message": message, "color": colour.removeprefix("#")}
    return dumps(row, pretty=True).decode("utf-8") + "\n"


def svg(run: Run) -> str:
    """The badge as an SVG image that needs nothing else."""
    message, colour = words(run)
    left, right = label(run), message
    first, second = (round(len(text) * LETTER) + 12 for text in (left, right))
    told = escape(f"{left}: {right}")
    font = "font-family='Verdana,DejaVu Sans,sans-serif' font-size='11'"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{first + second}' height='20' role='img' aria-label='{told}'>"
        f"<title>{told}</title>"
        f"<rect width='{first}' height='20' fill='#444'/>"
        f"<rect x='{first}' width='{second}' height='20' fill='{colour}'/>"
        f"<g fill='#fff' text-anchor='middle' {font}>"
        f"<text x='{first / 2:g}' y='14' textLength='{first - 12}'>{escape(left)}</text>"
        f"<text x='{first + second / 2:g}' y='14' textLength='{second - 12}'>{escape(right)}</text></g></svg>\n"
    )
