"""Targets side by side, two runs compared, badges: what is counted, and what is never shown as ok."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from conformance.record.finding import Finding
from conformance.record.folder import RunFolder
from conformance.record.run import CapabilityResult, CheckResult, Run
from reports import cli, markdown
from reports.badge import shields, svg, words
from reports.compare import compare
from reports.matrix import matrix, standings
from reports.pages import matrix_page
from tests.unit.record_samples import ACCEPTS, CRASH, DATA, HOSTILE, MESSAGE, RUN, UNSETTLED, hostile_run

BARE = replace(RUN, capabilities=(), findings=(), checks=(), coverage={}, errors=(), suspects=())


def check(rule: str, verdict: str) -> CheckResult:
    return CheckResult(f"{rule}#x", rule, rule.split(".")[0], verdict)


def run(*findings: Finding, checks: tuple[CheckResult, ...] = (), name: str = "moto", **reached: int) -> Run:
    rules = {rule.replace("__", ".").replace("_", "-"): count for rule, count in reached.items()}
    return replace(BARE, target={"name": name}, findings=findings, checks=checks, coverage={"rules": rules})


@pytest.mark.parametrize(
    ("told", "standing"),
    [
        (run(keys__empty_string=3), "ok"),
        (run(checks=(check("keys.empty-string", "ok"),)), "ok"),
        (run(checks=(check("keys.empty-string", "ok"), check("keys.empty-string", "not-reached"))), "ok"),
        (run(checks=(check("keys.empty-string", "not-reached"),)), "not-reached"),
        (run(checks=(check("keys.empty-string", "unknown"),), keys__empty_string=3), "unknown"),
        (run(checks=(check("keys.empty-string", "unsupported"),)), "unsupported"),
        (run(checks=(check("keys.empty-string", "violated"),)), "violated"),
        (run(checks=(check("keys.empty-string", "made-up"),)), "unknown"),
        (run(ACCEPTS, checks=(check("keys.empty-string", "violated"),)), "accepts"),
        (run(MESSAGE, ACCEPTS, keys__empty_string=9), "accepts"),
        (run(replace(ACCEPTS, unsettled=True), keys__empty_string=9), "unknown"),
        (run(replace(ACCEPTS, severity="unsupported")), "unsupported"),
        (run(replace(ACCEPTS, severity="later-kind")), "violated"),
    ],
)
def test_how_a_rule_stands(told: Run, standing: str) -> None:
    assert standings(told)["keys.empty-string"] == standing


def test_cells_count_rules_and_name_what_was_not_reached() -> None:
    one = run(ACCEPTS, name="moto", keys__empty_string=1, keys__size=4)
    one = replace(one, coverage={**one.coverage, "known": {"keys": 9, "vectors": 33}})
    other = run(name="dynalite", keys__size=2, keys__third=1)
    table = matrix([(one, None), (other, None)])
    assert [column.label for column in table.columns] == ["moto", "dynalite"]
    first, second = table.capabilities["keys"]
    assert dict(first.counts) == {"ok": 1, "accepts": 1, "not-reached": 7}
    assert (first.verdict, first.violated) == ("violated", 1)
    assert dict(second.counts) == {"ok": 2, "not-reached": 7}
    assert [cell.verdict for cell in table.capabilities["vectors"]] == ["not-reached", "not-reached"]
    assert table.rules["keys.empty-string"] == ("accepts", "not-reached")
    assert dict(table.telling()) == {"keys.empty-string": ("accepts", "not-reached")}


def test_the_runs_own_verdict_of_a_capability_is_shown() -> None:
    told = replace(run(keys__size=1), capabilities=(CapabilityResult("keys", "unknown", 1, 1),))
    assert matrix([(told, None)]).capabilities["keys"][0].verdict == "unknown"


def test_runs_of_one_target_are_told_apart() -> None:
    early, late = replace(BARE, started="2026-11-20"), replace(BARE, started="2026-11-21")
    assert [c.label for c in matrix([(early, None), (late, None)]).columns] == [
        "moto (2026-11-20)",
        "moto (2026-11-21)",
    ]


def test_no_percentage_is_shown_anywhere() -> None:
    table = matrix([(RUN, None), (run(name="other"), None)])
    body = matrix_page(table).partition("<body>")[2]
    assert "%" not in body
    assert "%" not in markdown.matrix(table)


def test_pages_escape_whatever_a_target_said() -> None:
    text = matrix_page(matrix([(hostile_run(HOSTILE), None), (RUN, None)]))
    assert "<script" not in text
    assert "<img" not in text
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "default-src &#39;none&#39;" in text


def test_comparison_tells_new_gone_changed_and_flaky() -> None:
    softer = replace(DATA, fingerprint="ffff00000001", severity="shape")
    flaky = replace(CRASH, replayed=1, replays=3)
    told = compare(run(DATA, ACCEPTS, CRASH), run(softer, MESSAGE, flaky, UNSETTLED))
    assert {(a.severity, b.severity) for a, b in told.changed} == {("data", "shape"), ("accepts", "message")}
    assert [f.fingerprint for f in told.new] == [UNSETTLED.fingerprint]
    assert [f.fingerprint for f in told.flaky] == [CRASH.fingerprint]
    assert (told.gone, told.kept, told.worse) == ((), 1, False)
    assert compare(run(), run(DATA)).worse


def test_only_a_replay_calls_a_finding_vanished() -> None:
    assert [state for _, state in compare(run(DATA), run()).gone] == ["not seen"]
    later = replace(run(), known=({"fingerprint": DATA.fingerprint, "state": "vanished"},))
    assert [state for _, state in compare(run(DATA), later).gone] == ["vanished"]
    assert [s for _, s in compare(run(DATA), run(), lambda found: ["still there" for _ in found]).gone] == [
        "still there"
    ]


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (run(DATA, ACCEPTS, MESSAGE, UNSETTLED), "1 data, 1 accepts, 1 message"),
        (replace(RUN), "1 crash, 1 data, 1 accepts, 1 more"),
        (run(replace(DATA, notes={"accepted": {}})), "1 accepted"),
        (run(DATA, replace(ACCEPTS, notes={"accepted": {}})), "1 data, 1 accepted"),
        (run(replace(DATA, severity="unsupported")), "no verdict"),
        (run(), "no verdict"),
        (run(checks=(check("keys.x", "ok"),)), "no divergence found"),
        (run(checks=(check("keys.x", "violated"),)), "checks violated"),
        (replace(run(checks=(check("keys.x", "ok"),)), errors=("it broke",)), "no verdict"),
    ],
)
def test_badges_count_and_never_claim(told: Run, message: str) -> None:
    assert words(told)[0] == message
    row = json.loads(shields(told))
    assert (row["schemaVersion"], row["message"]) == (1, message)
    image = ElementTree.fromstring(svg(told))
    assert image.get("aria-label") == f"{row['label']}: {message}"


def test_a_badge_of_a_hostile_name_is_sound_svg() -> None:
    hostile = replace(RUN, target={"name": f"moto{HOSTILE}", "version": "1"})
    text = svg(hostile)
    ElementTree.fromstring(text)
    assert "<script" not in text


def test_the_commands(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    RunFolder(one).write_run(run(DATA, name="moto"))
    RunFolder(other).write_run(run(DATA, ACCEPTS, name="dynalite"))
    runner = CliRunner()
    for name, sign in (("m.html", "<!DOCTYPE html>"), ("m.md", "## Capabilities")):
        assert runner.invoke(cli.app, ["matrix", str(one), str(other), "--out", str(tmp_path / name)]).exit_code == 0
        assert (tmp_path / name).read_text().startswith(sign)
    assert "expressions.addition" in runner.invoke(cli.app, ["matrix", str(one), str(other)]).output
    assert runner.invoke(cli.app, ["compare", str(one), str(other)]).exit_code == 1
    assert runner.invoke(cli.app, ["compare", str(other), str(one)]).exit_code == 0
    assert runner.invoke(cli.app, ["compare", str(one), str(other), "--out", str(tmp_path / "c.md")]).exit_code == 1
    assert "### New (1)" in (tmp_path / "c.md").read_text()
    for name in ("b.svg", "b.json"):
        assert runner.invoke(cli.app, ["badge", str(one), "--out", str(tmp_path / name)]).exit_code == 0
    assert runner.invoke(cli.app, ["report", str(one)]).exit_code == 0
    assert (one / "report.html").exists()
    for wrong in (["matrix", str(tmp_path)], ["badge", str(one), "--out", "b.png"], ["report", str(tmp_path)]):
        assert runner.invoke(cli.app, wrong).exit_code == 2
