"""Scenarios with arms as pictures side by side: what fails, and the same load where something is done about it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from conformance.record.run import VERDICTS, Run
from reports.article import CLAIM_MEANS, TEXT_LIMIT
from reports.notation import one_line

WIDTH, HEIGHT = 420, 170
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 24
FRAME = (WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM)
MOST_LINES = 4
"""Lines of one picture that have a look of their own."""
_FILE = re.compile(r"arms/[A-Za-z0-9_-][A-Za-z0-9._-]*")
"""What is linked: files that a run leaves beside its report."""
PATH_LIMIT = 160
"""Characters of a file's name, and of a setting."""


@dataclass(frozen=True, slots=True)
class Line:
    """One series in the coordinates of a picture of ``WIDTH`` by ``HEIGHT``; ``look`` counts from 1."""

    legend: str
    look: int
    points: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of one arm, to the same scale as those of the others; ``marks`` are what was done, where, how wide."""

    title: str
    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]
    times: tuple[tuple[float, str, str], ...]
    marks: tuple[tuple[float, float, str], ...]
    told: str


@dataclass(frozen=True, slots=True)
class ArmView:
    """An arm: what it shows, what it changes, what was expected of it, and its pictures."""

    name: str
    shows: str
    says: str
    verdict: str
    differs: tuple[tuple[str, str], ...]
    expectations: tuple[tuple[str, str, str], ...]
    totals: str
    charts: tuple[Chart, ...]
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """A scenario: the article's row, what it claims and what is so, and the arms side by side."""

    name: str
    anchor: str
    title: str
    says: str
    truth: str
    verdict: str
    took: str
    claims: tuple[tuple[str, str, str, str], ...]
    rules: tuple[tuple[str, str], ...]
    arms: tuple[ArmView, ...]

    @property
    def rows(self) -> list[tuple[Chart, ...]]:
        """The pictures, those of all arms for each plot."""
        return list(zip(*(arm.charts for arm in self.arms), strict=True))


def views(run: Run) -> list[ComparisonView]:
    """The scenarios of a run."""
    return [_view(row) for row in run.comparisons]


def _view(row: Mapping[str, Any]) -> ComparisonView:
    arms, seconds = list(row.get("arms", ())), float(row["seconds"])
    plots = list(row.get("plots", ()))
    tops = [_top(arms, number) for number in range(len(plots))]
    return ComparisonView(
        name=one_line(str(row["name"]), PATH_LIMIT),
        anchor=quote(one_line(str(row["name"]), PATH_LIMIT), safe=""),
        title=one_line(str(row.get("row") or row["name"]), TEXT_LIMIT),
        says=one_line(str(row["says"]), TEXT_LIMIT),
        truth=one_line(str(row.get("truth", "")), 2 * TEXT_LIMIT),
        verdict=_verdict(row),
        took=_time(seconds),
        claims=tuple(_claim(each) for each in row.get("claims", ())),
        rules=tuple((str(each["name"]), one_line(str(each["says"]), TEXT_LIMIT)) for each in row.get("rules", ())),
        arms=tuple(_arm(arm, plots, tops, seconds) for arm in arms),
    )


def _verdict(row: Mapping[str, Any]) -> str:
    verdict = str(row.get("verdict"))
    return verdict if verdict in VERDICTS else "unknown"


def _claim(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    verdict = str(row.get("verdict"))
    told = verdict if verdict in CLAIM_MEANS else "open"
    return str(row["id"]), one_line(str(row["says"]), TEXT_LIMIT), told, one_line(str(row["truth"]), TEXT_LIMIT)


def _arm(arm: Mapping[str, Any], plots: Sequence[Mapping[str, Any]], tops: Sequence[float], seconds: float) -> ArmView:
    charts = []
    for plot, top, series in zip(plots, tops, arm.get("series", ()), strict=False):
        charts.append(_chart(plot, top, series, seconds, arm.get("marks", ())))
    totals = arm.get("totals", {})
    return ArmView(
        name=one_line(str(arm["name"]), PATH_LIMIT).replace("-", " "),
        shows=str(arm.get("shows")),
        says=one_line(str(arm["says"]), TEXT_LIMIT),
        verdict=_verdict(arm),
        differs=tuple(
            (one_line(str(path), PATH_LIMIT), one_line(str(value), PATH_LIMIT)) for path, value in arm["differs"]
        ),
        expectations=tuple(
            (one_line(str(each["says"]), TEXT_LIMIT), _verdict(each), one_line(str(each.get("detail", "")), TEXT_LIMIT))
            for each in arm.get("expectations", ())
        ),
        totals=", ".join(f"{_number(value)} {str(name).replace('-', ' ')}" for name, value in totals.items()),
        charts=tuple(charts),
        files=tuple(str(each) for each in arm.get("files", ()) if _FILE.fullmatch(str(each))),
    )


def _top(arms: Iterable[Mapping[str, Any]], number: int) -> float:
    """The top of the scale that all arms' pictures of one plot have: a round number that nothing goes beyond."""
    lines = [points for arm in arms for points in arm["series"][number].values()]
    most = max((value for points in lines for value in points), default=0.0)
    if not most > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return float(next(n * power for n in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if n * power >= most * (1 - 1e-9)))


def _chart(
    plot: Mapping[str, Any], top: float, series: Mapping[str, Sequence[float]], seconds: float, marks: Any
) -> Chart:
    across, up = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def x(second: float) -> float:
        return round(LEFT + min(max(second / seconds, 0.0), 1.0) * across, 1)

    def y(value: float) -> float:
        return round(TOP + up * (1 - min(max(value / top, 0.0), 1.0)), 1)

    lines = []
    for number, (legend, points) in enumerate(series.items()):
        width = seconds / max(1, len(points))
        drawn = " ".join(f"{x((place + 0.5) * width)},{y(value)}" for place, value in enumerate(points))
        lines.append(Line(one_line(str(legend), 60), min(number + 1, MOST_LINES), drawn))
    unit = str(plot["unit"])
    return Chart(
        title=one_line(f"{plot['title']}, {unit}", TEXT_LIMIT),
        lines=tuple(lines),
        ticks=tuple((y(share * top), _number(share * top)) for share in (0, 0.5, 1)),
        times=tuple(
            (x(share * seconds), _time(share * seconds), anchor)
            for share, anchor in ((0, "start"), (0.5, "middle"), (1, "end"))
        ),
        marks=tuple(
            (x(at), max(round(x(until) - x(at), 1), 2.0), one_line(str(what), 80)) for at, until, what in marks
        ),
        told="; ".join(_told(legend, points) for legend, points in series.items()),
    )


def _told(legend: str, points: Sequence[float]) -> str:
    """A line for those who don't see it."""
    mean = sum(points) / max(1, len(points))
    return f"{legend}: {_number(mean)} on average, {_number(max(points, default=0.0))} at most"


def _number(value: float) -> str:
    """A number as people read it: three digits that count, and thousands set apart."""
    if value and abs(value) < 100:
        return f"{value:.3g}"
    return f"{value:,.0f}"


def _time(seconds: float) -> str:
    """A moment from the start."""
    if seconds and seconds % 3600 == 0:
        return f"{seconds / 3600:g} h"
    if seconds > 120:
        return f"{seconds / 60:g} min"
    return f"{seconds:g} s"
