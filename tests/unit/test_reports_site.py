"""The static site and the history behind it: every link leads somewhere, every text is escaped."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from typer.testing import CliRunner

import reports
from benchmarks.site import make
from conformance.record.codec import RecordError
from conformance.record.finding import Finding
from conformance.record.folder import RunFolder
from conformance.record.run import Run
from reports import cli
from reports.history import read_history, run_folders
from reports.site import build, slug
from reports.trend import points, spark, trend
from tests.unit.record_samples import ACCEPTS, CRASH, DATA, HOSTILE, MESSAGE, RUN, hostile_run


def told(day: int, *findings: Finding, **more: object) -> Run:
    return replace(RUN, started=f"2026-11-{day:02}T00:00:00+00:00", findings=findings, **more)  # type: ignore[arg-type]


def written(folder: Path, run: Run) -> Path:
    RunFolder(folder).write_run(run)
    reports.write_all(folder)
    return folder


class Links(HTMLParser):
    """What a page links to, and the tags it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src") and value]


def pages(top: Path) -> list[Path]:
    return [path for path in top.rglob("*.html") if path.name != "report.html"]


def test_every_link_of_the_site_is_relative_and_leads_somewhere(tmp_path: Path) -> None:
    written(tmp_path / "runs" / "a", told(1, DATA, ACCEPTS))
    written(tmp_path / "runs" / "deeper" / "b", replace(told(2, CRASH), target={"name": "http://127.0.0.1:8000"}))
    site = build(tmp_path / "runs", tmp_path / "site")
    found = pages(tmp_path / "site")
    assert len(found) == site.pages == 3 + 2 + 3
    for path in found:
        page = Links(path.read_text())
        assert page.links
        for link in page.links:
            parts = urlsplit(link)
            assert not parts.scheme
            assert not parts.netloc
            assert (path.parent / unquote(parts.path)).exists(), (path, link)
    assert (tmp_path / "site" / "runs" / "moto" / "report.html").exists()


def test_the_site_escapes_whatever_targets_and_files_say(tmp_path: Path) -> None:
    run = replace(hostile_run(HOSTILE), started=RUN.started)
    run = replace(run, findings=tuple(replace(f, fingerprint=f"f{n}") for n, f in enumerate(run.findings)))
    RunFolder(tmp_path / "runs" / "a").write_run(run)
    build(tmp_path / "runs", tmp_path / "site")
    for path in pages(tmp_path / "site"):
        text = path.read_text()
        assert not Links(text).tags & {"script", "iframe", "object"}, path
        assert "\u202e" not in text
        assert "\x1b" not in text


def test_file_names_are_plain_and_differ_where_texts_do() -> None:
    assert slug("moto") == "moto"
    names = {slug(text) for text in ("a/b", "a-b", "a b", "../a", "", ".", "..", "x" * 300, "é", "\ud800")}
    assert len(names) == 10
    assert all(not set(name) & set("/\\\0 ") and name not in ("", ".", "..") for name in names)


def test_trend_tells_first_and_last_seen(tmp_path: Path) -> None:
    runs = [told(1, DATA, ACCEPTS), told(2, DATA, MESSAGE), told(3, DATA, CRASH)]
    vanished = {"fingerprint": ACCEPTS.fingerprint, "state": "vanished"}
    runs[2] = replace(runs[2], known=(vanished,))
    for number, run in enumerate(reversed(runs)):
        RunFolder(tmp_path / str(number)).write_run(run)
    line = trend(read_history(run_folders(tmp_path)), "moto")
    assert line.totals == [2, 2, 2]
    by_rule = {told.finding.fingerprint: told for told in line.lines}
    seen = {f: (t.first.started[8:10], t.last.started[8:10], t.runs, t.state) for f, t in by_rule.items()}
    assert seen == {
        DATA.fingerprint: ("01", "03", 3, "there"),
        CRASH.fingerprint: ("03", "03", 1, "there"),
        ACCEPTS.fingerprint: ("01", "01", 1, "vanished"),
        MESSAGE.fingerprint: ("02", "02", 1, "not seen"),
    }
    assert [told.finding.fingerprint for told in line.fresh] == [CRASH.fingerprint]


def test_sparklines() -> None:
    assert spark([0, 7, 14]) == "▁▅█"
    assert spark([0, 0]) == "▁▁"
    assert spark([]) == ""
    assert points([0, 10], 100, 20) == "0.0,20.0 100.0,0.0"


def test_a_damaged_run_is_left_out_and_said(tmp_path: Path) -> None:
    written(tmp_path / "runs" / "a", told(1, DATA))
    (tmp_path / "runs" / "b").mkdir()
    (tmp_path / "runs" / "b" / "report.json").write_text('{"schema": 1, "target": []}')
    site = build(tmp_path / "runs", tmp_path / "site")
    assert len(site.history.unreadable) == 1
    assert "b/report.json" in (tmp_path / "site" / "index.html").read_text()


def test_only_a_folder_of_our_own_is_written_anew(tmp_path: Path) -> None:
    written(tmp_path / "runs" / "a", told(1, DATA))
    build(tmp_path / "runs", tmp_path / "site")
    (tmp_path / "site" / "findings" / "old.html").write_text("old")
    build(tmp_path / "runs", tmp_path / "site")
    assert not (tmp_path / "site" / "findings" / "old.html").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("!")
    with pytest.raises(RecordError, match="name another folder"):
        build(tmp_path / "runs", tmp_path / "mine")
    with pytest.raises(RecordError, match="holds no runs"):
        build(tmp_path / "mine", tmp_path / "other")


def test_a_site_inside_the_folder_of_runs_is_not_read_as_runs(tmp_path: Path) -> None:
    written(tmp_path / "a", told(1, DATA))
    for _ in range(2):
        assert build(tmp_path, tmp_path / "site").pages == 3 + 1 + 1


def test_many_runs(tmp_path: Path) -> None:
    make(tmp_path / "runs", targets=2, runs=10, findings=20)
    site = build(tmp_path / "runs", tmp_path / "site")
    assert {name: len(t.runs) for name, t in site.trends.items()} == {"target-0": 10, "target-1": 10}


def test_the_commands(tmp_path: Path) -> None:
    written(tmp_path / "runs" / "a", told(1, DATA))
    written(tmp_path / "runs" / "b", told(2, CRASH))
    runner = CliRunner()
    shown = runner.invoke(cli.app, ["trend", str(tmp_path / "runs")])
    assert shown.exit_code == 0
    assert f"new: crash: wire.deep-json: {CRASH.fingerprint}" in shown.output
    assert "not seen since 2026-11-01" in " ".join(shown.output.split())
    assert runner.invoke(cli.app, ["site", str(tmp_path / "runs"), "--out", str(tmp_path / "s")]).exit_code == 0
    assert (tmp_path / "s" / "index.html").exists()
    assert runner.invoke(cli.app, ["trend", str(tmp_path / "nowhere")]).exit_code == 2
    assert runner.invoke(cli.app, ["trend", str(tmp_path / "runs"), "--target", "x"]).exit_code == 2
