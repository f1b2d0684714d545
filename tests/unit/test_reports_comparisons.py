"""Arms side by side in the reports: pictures to one scale, what did not show is told, nothing a target could run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from reports import html, markdown, terminal
from reports.comparisons import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, views
from reports.outline import outline
from tests.unit.record_samples import HOSTILE, RUN

ARM: dict[str, Any] = {
    "name": "one-item", "shows": "failure", "says": "All to one.", "verdict": "ok", "differs": [],
    "expectations": [{"says": "half is throttled", "verdict": "ok", "detail": "throttled / sent: 0.5"}],
    "totals": {"given-up": 1200.0, "dollars": 0.20625}, "marks": [[1, 3, "outages: region us-east-1"]],
    "series": [{"served": [0.0, 4.0], "throttled": [0.0, 0.0]}], "files": ["arms/hot-one-item.csv"],
}  # fmt: skip
COMPARISON: dict[str, Any] = {
    "name": "hot", "row": "Hot partition key", "says": "One post.", "truth": "Confirmed: it is so.", "verdict": "ok",
    "claims": [{"id": "C229", "says": "hot", "verdict": "confirmed", "truth": "adaptive"}],
    "rules": [{"name": "throttling.partition", "says": "A partition serves so much."}],
    "seconds": 4.0, "bucket": 2.0, "plots": [{"title": "Likes", "unit": "a second", "lines": ["served", "throttled"]}],
    "arms": [ARM, {
        **ARM, "name": "sharded", "shows": "mitigation", "differs": [["load.likes.body", "x"]], "marks": [],
        "series": [{"served": [8.0, 8.0], "throttled": [0.0, 0.0]}],
    }],
}  # fmt: skip


def run_of(*rows: dict[str, Any]) -> Any:
    return replace(RUN, findings=(), checks=(), capabilities=(), comparisons=rows)


def text_of(run: Any, width: int = 140) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(terminal.render(run))
    return console.export_text()


def test_all_arms_have_one_scale() -> None:
    found = views(run_of(COMPARISON))[0]
    across, up = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    first, second = (arm.charts[0] for arm in found.arms)
    # Two buckets of two seconds have their points at one second and at three; the scale ends at 8.
    assert first.lines[0].points == f"{LEFT + across / 4},{TOP + up:.1f} {LEFT + across * 3 / 4},{TOP + up / 2}"
    assert second.lines[0].points == f"{LEFT + across / 4},{TOP:.1f} {LEFT + across * 3 / 4},{TOP:.1f}"
    assert [text for _, text in first.ticks] == [text for _, text in second.ticks] == ["0", "4", "8"]
    assert [(text, anchor) for _, text, anchor in first.times] == [("0 s", "start"), ("2 s", "middle"), ("4 s", "end")]
    assert first.marks == ((LEFT + across / 4, across / 2, "outages: region us-east-1"),)
    assert first.told == "served: 2 on average, 4 at most; throttled: 0 on average, 0 at most"
    assert found.arms[0].totals == "1,200 given up, 0.206 dollars"
    assert [len(row) for row in found.rows] == [2]


@pytest.mark.parametrize("points", [[], [0.0], [-3.0, 1e12], [0.0001]])
def test_every_line_stays_in_its_picture(points: list[float]) -> None:
    chart = views(run_of({**COMPARISON, "arms": [{**ARM, "series": [{"x": points}]}]}))[0].arms[0].charts[0]
    for pair in chart.lines[0].points.split():
        x, y = map(float, pair.split(","))
        assert LEFT <= x <= WIDTH - RIGHT
        assert TOP <= y <= HEIGHT - BOTTOM


def test_the_page_shows_the_arms_and_nothing_of_findings(tmp_path: Path) -> None:
    page = html.render(run_of(COMPARISON), tmp_path)
    assert page.count('class="chart"') == 2
    assert 'id="scenario-hot"' in page
    assert 'href="arms/hot-one-item.csv"' in page
    assert 'id="findings"' not in page
    assert "style=" not in page
    assert "1 failure shown, with what is done about it" in page
    assert 'id="findings"' in html.render(replace(RUN, comparisons=(COMPARISON,)), tmp_path)


def test_what_is_not_as_expected_is_told_everywhere(tmp_path: Path) -> None:
    bad = {**ARM, "verdict": "violated", "expectations": [{**ARM["expectations"][0], "verdict": "violated"}]}
    run = run_of({**COMPARISON, "verdict": "violated", "arms": [bad, COMPARISON["arms"][1]]})
    assert outline(run).headline == "1 failure shown, with what is done about it; 1 not as expected"
    told = "half is throttled (throttled / sent: 0.5)"
    assert f"one item: not so: {told}" in text_of(run)
    assert f"❌ {told}" in markdown.render(run, tmp_path)
    assert '<span class="verdict v-violated">' in html.render(run, tmp_path)
    good = run_of(COMPARISON)
    assert "not so" not in text_of(good)
    assert "Hot partition key: one item (failure), sharded (mitigation)" in text_of(good)


def test_hostile_texts_are_only_text(tmp_path: Path) -> None:
    arm = {
        **ARM, **dict.fromkeys(("name", "says", "shows"), HOSTILE), "differs": [[HOSTILE, HOSTILE]],
        "expectations": [{"says": HOSTILE, "verdict": HOSTILE, "detail": HOSTILE}], "files": [HOSTILE],
        "marks": [[0, 1, HOSTILE]], "series": [{HOSTILE: [1.0]}], "totals": {HOSTILE: 1.0},
    }  # fmt: skip
    row = {
        **COMPARISON, **dict.fromkeys(("name", "row", "says", "truth"), HOSTILE), "arms": [arm],
        "plots": [{"title": HOSTILE, "unit": HOSTILE, "lines": [HOSTILE]}],
        "claims": [{"id": HOSTILE, "says": HOSTILE, "verdict": HOSTILE, "truth": HOSTILE}],
        "rules": [{"name": HOSTILE, "says": HOSTILE}],
    }  # fmt: skip
    page = html.render(run_of(row), tmp_path)
    assert page.count("<script") == 1
    assert "<img src=x" not in page
    assert 'href="arms' not in page
    markdown.render(run_of(row), tmp_path)
    text_of(run_of(row))
