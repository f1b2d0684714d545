"""Experiments under faults as pictures: when each call was made, how long it took, and which fault lasted meanwhile."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.record.finding import Finding
from reports.notation import one_line

WIDTH, HEIGHT = 760, 150
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 8, 22
TICKS = (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0)
"""Seconds at which the latency axis, a logarithmic one, is marked."""
FATES = {"ok": "answered", "fail": "refused or failed", "info": "not known"}
PICTURE_BYTES = 60_000
"""What a timeline may weigh to be shown in the page; a larger one is linked."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One call."""

    x: float
    y: float
    fate: str
    title: str


@dataclass(frozen=True, slots=True)
class Strip:
    """A fault while it lasted."""

    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Latency over time, in the coordinates of a picture of ``WIDTH`` by ``HEIGHT``."""

    dots: tuple[Dot, ...]
    strips: tuple[Strip, ...]
    ticks: tuple[tuple[float, str], ...]
    seconds: str
    told: str


@dataclass(frozen=True, slots=True)
class ExperimentView:
    """An experiment with its verdict for each invariant, in words and as a plot."""

    name: str
    verdict: str
    calls: int
    faults: str
    invariants: tuple[tuple[str, str, str], ...]
    plot: Plot


def views(rows: Iterable[Mapping[str, Any]]) -> list[ExperimentView]:
    """The experiments of a run."""
    return [_view(row) for row in rows]


def _view(row: Mapping[str, Any]) -> ExperimentView:
    kind = "control, no faults" if row.get("control") else "under faults"
    faults = ", ".join(f"{name} {count}" for name, count in sorted(row.get("faults", {}).items()))
    invariants = tuple(
        (str(each["name"]), str(each["verdict"]), one_line(str(each.get("detail", "")), 300))
        for each in row.get("invariants", ())
    )
    name = f"{row['workload']}, seed {row['seed']}: {kind}"
    return ExperimentView(name, str(row["verdict"]), int(row["calls"]), faults or "none", invariants, _plot(row))


def _plot(row: Mapping[str, Any]) -> Plot:
    points, bands = row.get("points", ()), row.get("bands", ())
    ends = [p[0] + (p[1] or 0.0) for p in points] + [band[1] for band in bands]
    starts = [p[0] for p in points] + [band[0] for band in bands]
    low, high = (min(starts), max(ends)) if starts else (0.0, 1.0)
    took = [p[1] for p in points if p[1]]
    marks = _marks(took)
    across, up = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(moment: float) -> float:
        return round(LEFT + (moment - low) / ((high - low) or 1.0) * across, 1)

    def y(seconds: float) -> float:
        bottom, top = math.log10(marks[0]), math.log10(marks[-1])
        return round(TOP + up * (1 - (math.log10(min(max(seconds, marks[0]), marks[-1])) - bottom) / (top - bottom)), 1)

    dots = tuple(
        Dot(x(called), y(took) if took else TOP, fate if fate in FATES else "info", _named(operation, took, fate))
        for called, took, fate, operation in points
    )  # fmt: skip
    strips = tuple(Strip(x(start), max(round(x(end) - x(start), 1), 2.0), str(label)) for start, end, label in bands)
    ticks = tuple((y(mark), f"{mark:g} s" if mark >= 1 else f"{mark * 1000:g} ms") for mark in marks)
    return Plot(dots, strips, ticks, f"{high - low:.2f} s", _told(row, took))


def _named(operation: str, took: float | None, fate: str) -> str:
    lasted = "never answered" if took is None else f"{took * 1000:.1f} ms"
    return f"{operation}: {lasted}, {FATES.get(fate, fate)}"


def _marks(took: Sequence[float]) -> tuple[float, ...]:
    least, most = (min(took), max(took)) if took else (0.001, 0.01)
    first = max((n for n, mark in enumerate(TICKS) if mark <= least), default=0)
    last = min((n for n, mark in enumerate(TICKS) if mark >= most), default=len(TICKS) - 1)
    return TICKS[first : max(last, first + 1) + 1] if first + 1 < len(TICKS) else TICKS[-2:]


def _told(row: Mapping[str, Any], took: Sequence[float]) -> str:
    ordered = sorted(took)
    if not ordered:
        return f"{row['calls']:,} calls"
    median, most = ordered[len(ordered) // 2] * 1000, ordered[-1] * 1000
    return f"{row['calls']:,} calls, half of them within {median:.1f} ms, the slowest {most:.1f} ms"


def picture(finding: Finding, folder: Path) -> str | None:
    """The timeline of a finding as a ``data:`` URI, where its folder holds one that is small enough."""
    if not finding.notes.get("timeline"):
        return None
    path = folder / "findings" / finding.fingerprint / "timeline.svg"
    try:
        data = path.read_bytes()
    except (OSError, ValueError):
        return None
    if len(data) > PICTURE_BYTES or not data.startswith(b"<svg"):
        return None
    return "data:image/svg+xml;base64," + base64.b64encode(data).decode("ascii")
