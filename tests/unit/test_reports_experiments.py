"""Experiments under faults in the page: plots to scale, pictures beside findings, nothing that a target could run."""

from __future__ import annotations

import base64
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.record.folder import RunFolder, read_run
from reports import html
from reports.experiments import BOTTOM, HEIGHT, LEFT, PICTURE_BYTES, RIGHT, TOP, WIDTH, picture, views
from reports.outline import replay_command
from reports.steps import steps
from tests.unit.record_samples import DATA, HOSTILE, RUN

EXPERIMENT = {
    "workload": "bank", "seed": 7, "control": False, "verdict": "violated", "clients": 2, "calls": 3, "seconds": 2.0,
    "stopped": "", "faults": {"drop-reply": 2, "duplicate": 1},
    "invariants": [
        {"name": "bank", "verdict": "ok", "detail": ""},
        {"name": "linearizable", "verdict": "violated", "detail": "account1 can't be placed"},
    ],
    "bands": [[0.5, 1.5, "drop-reply@1.2"]],
    "points": [[0.0, 0.001, "ok", "PutItem"], [1.0, 0.1, "fail", "UpdateItem"], [2.0, None, "info", "GetItem"]],
}  # fmt: skip
FOUND = replace(
    DATA, fingerprint="feed0000beef", notes={"workload": "bank", "target": "moto", "timeline": "timeline.svg"},
    observed={"history": "account1: read n=41\nclient 3 |put n=100-|"},
)  # fmt: skip
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"></svg>'


def folder_with(tmp_path: Path, timeline: bytes | None) -> Path:
    place = tmp_path / "findings" / FOUND.fingerprint
    place.mkdir(parents=True)
    if timeline is not None:
        (place / "timeline.svg").write_bytes(timeline)
    return tmp_path


def test_dots_and_bands_are_to_scale() -> None:
    plot = views([EXPERIMENT])[0].plot
    across = WIDTH - LEFT - RIGHT
    assert [dot.x for dot in plot.dots] == [LEFT, LEFT + across / 2, LEFT + across]
    assert [(strip.x, strip.width) for strip in plot.strips] == [(LEFT + across / 4, across / 2)]
    # Marks at 1, 10 and 100 ms: the first call lies on the lowest, the second on the highest.
    assert [text for _, text in plot.ticks] == ["1 ms", "10 ms", "100 ms"]
    assert [dot.y for dot in plot.dots] == [HEIGHT - BOTTOM, TOP, TOP]
    assert [dot.title for dot in plot.dots] == [
        "PutItem: 1.0 ms, answered", "UpdateItem: 100.0 ms, refused or failed", "GetItem: never answered, not known",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "points", [[], [[0.0, None, "info", "GetItem"]], [[1.0, 1e-9, "ok", "GetItem"]], [[0, 99.0, "ok", "Scan"]]]
)
def test_every_plot_stays_in_its_picture(points: list[Any]) -> None:
    plot = views([{**EXPERIMENT, "points": points, "bands": []}])[0].plot
    assert all(0 <= dot.x <= WIDTH and 0 <= dot.y <= HEIGHT and math.isfinite(dot.y) for dot in plot.dots)


def test_the_page_tells_each_experiment() -> None:
    page = html.render(
        replace(RUN, experiments=(EXPERIMENT, {**EXPERIMENT, "control": True, "faults": {}})), Path("run")
    )
    assert "bank, seed 7: under faults" in page
    assert "bank, seed 7: control, no faults" in page
    assert "drop-reply 2, duplicate 1" in page
    assert "account1 can&#39;t be placed" in page
    assert page.count("<circle") >= 6


def test_a_hostile_experiment_stays_text() -> None:
    spoilt = {
        **EXPERIMENT, "workload": HOSTILE, "faults": {HOSTILE: 1}, "bands": [[0.0, 1.0, HOSTILE]],
        "invariants": [{"name": HOSTILE, "verdict": HOSTILE, "detail": HOSTILE}],
        "points": [[0.0, 0.1, HOSTILE, HOSTILE]],
    }  # fmt: skip
    page = html.render(replace(RUN, experiments=(spoilt,)), Path("run"))
    assert page.count("<script") == 1
    assert "<img src=x" not in page


def test_a_finding_of_clients_shows_what_they_saw(tmp_path: Path) -> None:
    page = html.render(replace(RUN, findings=(FOUND,)), folder_with(tmp_path, SVG))
    assert "client 3 |put n=100-|" in page
    assert f"data:image/svg+xml;base64,{base64.b64encode(SVG).decode()}" in page
    assert f"dynoracle chaos moto --replay {tmp_path}/findings/feed0000beef" in page
    assert "needs boto3 alone" not in page
    assert "The calls it is about" in page
    # One after the other, as boto3 code, its calls would show nothing.
    assert "boto3" not in page


def test_the_answer_to_the_last_call_is_shown_where_none_is_judged() -> None:
    program = [{"index": 4, "operation": "GetItem", "body": {}, "reply": {"success": {"Item": {"n": {"N": "1"}}}}}]
    assert [step.answer for step in steps(program)] == [""]
    assert [step.answer for step in steps(program, judged=False)] == ["200 {Item: {n: 1}}"]


@pytest.mark.parametrize("timeline", [None, b"<html>", b"<svg" + b" " * PICTURE_BYTES])
def test_no_picture_where_none_fits(tmp_path: Path, timeline: bytes | None) -> None:
    assert picture(FOUND, folder_with(tmp_path, timeline)) is None


def test_a_picture_is_looked_for_only_where_one_is_told_of(tmp_path: Path) -> None:
    assert picture(replace(FOUND, notes={}), folder_with(tmp_path, SVG)) is None


def test_other_findings_are_replayed() -> None:
    assert replay_command(Path("run"), DATA) == f"dynoracle replay run/findings/{DATA.fingerprint}"


def test_experiments_come_back_from_the_file(tmp_path: Path) -> None:
    RunFolder(tmp_path).write_run(replace(RUN, experiments=(EXPERIMENT,)))
    assert read_run(tmp_path).experiments == (EXPERIMENT,)
