"""Baselines: what is accepted, what is replayed, and what only a replay may call vanished."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from conformance.commands.run import app
from conformance.program import Program
from conformance.record import journal
from conformance.record.codec import RecordError
from conformance.record.folder import RunFolder
from conformance.record.run import Run
from conformance.replay import recorded
from conformance.search.baseline import (
    BASELINE,
    Baseline,
    Known,
    failing,
    gather,
    known_of,
    noted,
    read_baseline,
    read_known,
    regression,
    severities_of,
    updated,
    write_baseline,
    write_known,
)
from conformance.search.campaign import merge
from conformance.search.regression import replay_known, replays
from conformance.search.worker import Worker
from tests.planted.arena import plain, worker_of
from tests.planted.plants import plant_of
from tests.unit.record_samples import ACCEPTS, DATA, HOSTILE, MESSAGE, RUN, UNSETTLED

PLANT = plant_of("contains-part-of-member")
BOTH = replace(ACCEPTS, summary=f"quote \" and 'this' \\ \x7f {HOSTILE}")


@pytest.fixture(params=["b.toml", "b.json"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def entry(**told: str) -> Known:
    return replace(known_of(BOTH), origin=BASELINE, **told)  # type: ignore[arg-type]


def test_a_baseline_comes_back_as_it_was_written(path: Path) -> None:
    told = entry(reason="not of use to us", link="https://example.org/1?a=1&b=2", expires="2027-01-31")
    write_baseline(path, Baseline("moto", {told.fingerprint: told}))
    back = read_baseline(path)
    assert back.target == "moto"
    assert back.entries == {told.fingerprint: told}


def test_a_baseline_may_hold_dates_as_toml_has_them(tmp_path: Path) -> None:
    path = tmp_path / "b.toml"
    write_baseline(path, Baseline("", {BOTH.fingerprint: entry(expires="2027-01-31")}))
    path.write_text(path.read_text().replace('"2027-01-31"', "2027-01-31"))
    assert read_baseline(path).entries[BOTH.fingerprint].expires == "2027-01-31"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("schema = 2", "no baseline of schema 1"),
        ("schema = ", "is not TOML"),
        ("schema = 1\n[[findings]]\nrule = 'x'", "findings[0]: needs a fingerprint"),
        ("schema = 1\n[[findings]]\nfingerprint = 'a'", "findings[0]: needs the program"),
        ("schema = 1\n[[findings]]\nfingerprint = 'a'\nprogram = ['{']", "its program cannot be read"),
        (
            """schema = 1\n[[findings]]\nfingerprint = 'a'\nexpires = 'soon'
program = ['{"index":0,"operation":"GetItem","body":{}}']""",
            "'soon' is no date; write 2027-01-31",
        ),
    ],
)
def test_a_bad_baseline_is_told_of(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "b.toml"
    path.write_text(text)
    with pytest.raises(RecordError) as told:
        read_baseline(path)
    assert says in str(told.value)
    assert str(path) in str(told.value)


def test_an_acceptance_holds_through_its_last_day() -> None:
    until = entry(expires="2027-01-31")
    assert until.accepted(date(2027, 1, 31))
    assert not until.expired(date(2027, 1, 31))
    assert until.expired(date(2027, 2, 1))
    assert not until.accepted(date(2027, 2, 1))
    assert entry().accepted(date(2099, 1, 1))
    assert not known_of(BOTH).accepted(date(2027, 1, 1))


def test_accepted_findings_do_not_fail_a_run_and_expired_ones_do() -> None:
    known = {DATA.fingerprint: replace(known_of(DATA), origin=BASELINE, expires="2027-01-31")}
    early = replace(RUN, findings=tuple(noted(f, known, date(2027, 1, 31)) for f in (DATA, UNSETTLED)))
    late = replace(RUN, findings=tuple(noted(f, known, date(2027, 2, 1)) for f in (DATA, UNSETTLED)))
    assert failing(early, severities_of("any")) == []
    assert [f.fingerprint for f in failing(late, severities_of("any"))] == [DATA.fingerprint]
    assert failing(late, severities_of("crash,accepts")) == []
    assert failing(late, severities_of("none")) == []
    with pytest.raises(ValueError, match="'worst' is no severity"):
        severities_of("data,worst")


def test_update_takes_in_what_counts_and_drops_what_vanished() -> None:
    old = Baseline("moto", {"gone": Known("gone", DATA.program), DATA.fingerprint: entry(reason="before")})
    run = replace(RUN, findings=(DATA, ACCEPTS, UNSETTLED), known=({"fingerprint": "gone", "state": "vanished"},))
    after, added, removed = updated(old, run, link="https://example.org")
    assert (added, removed) == ([ACCEPTS.fingerprint], ["gone"])
    assert set(after.entries) == {DATA.fingerprint, ACCEPTS.fingerprint}
    assert after.entries[DATA.fingerprint].reason == "before"
    assert after.entries[DATA.fingerprint].link == "https://example.org"


@pytest.mark.parametrize("state", ["not replayed", "other", "still there", "flaky"])
def test_update_keeps_what_no_replay_called_vanished(state: str) -> None:
    old = Baseline("moto", {"gone": Known("gone", DATA.program)})
    after, _, removed = updated(old, replace(RUN, findings=(), known=({"fingerprint": "gone", "state": state},)))
    assert removed == []
    assert "gone" in after.entries


def test_update_of_one_finding_leaves_the_others() -> None:
    after, added, _ = updated(Baseline(), RUN, only=[MESSAGE.fingerprint])
    assert added == [MESSAGE.fingerprint] == list(after.entries)


def test_what_is_known_comes_from_baseline_and_previous_run(tmp_path: Path) -> None:
    RunFolder(tmp_path / "run").write_run(replace(RUN, findings=(DATA, ACCEPTS)))
    path = tmp_path / "b.json"
    write_baseline(path, Baseline("moto", {DATA.fingerprint: replace(known_of(DATA), origin=BASELINE)}))
    known = gather(path, tmp_path / "run")
    assert {(k.fingerprint, k.origin) for k in known} == {
        (DATA.fingerprint, "baseline"), (ACCEPTS.fingerprint, "previous")
    }  # fmt: skip
    folder = RunFolder(tmp_path / "new")
    write_known(folder, known)
    assert read_known(folder) == known
    assert read_known(RunFolder(tmp_path)) == ()


def found(folder: Path) -> Run:
    """A run of a planted service that found its plant."""
    worker = worker_of(PLANT.wrap, folder)
    program = Program("expressions", PLANT.witness.tables, PLANT.witness.steps)
    worker.journal.append("run", target={"name": "plant"}, started="2026-11-22T10:00:00+00:00", capabilities=[])
    for divergence in worker.run(program):
        worker.reduce(program, divergence)
    worker.end()
    return merge(worker.folder, seconds=1.0)


def again(worker: Worker, known: Known) -> Run:
    """A run that does nothing but replay what is known."""
    write_known(worker.folder, [known])
    worker.journal.append("run", target={"name": "plant"}, started="2026-11-23T10:00:00+00:00", capabilities=[])
    replay_known(worker, known)
    worker.end()
    return merge(worker.folder, seconds=1.0)


def test_a_known_bug_that_shows_again_is_a_finding_of_the_run(tmp_path: Path) -> None:
    (finding, *_) = found(tmp_path / "a").findings
    run = again(worker_of(PLANT.wrap, tmp_path / "b"), known_of(finding))
    assert [row["state"] for row in run.known] == ["still there"]
    (shown,) = (f for f in run.findings if f.fingerprint == finding.fingerprint)
    assert (shown.replayed, shown.replays) == (2, 2)
    assert shown.calls == finding.calls
    assert failing(run, severities_of("any"))


def test_a_baseline_entry_that_shows_again_is_accepted(tmp_path: Path) -> None:
    (finding, *_) = found(tmp_path / "a").findings
    run = again(worker_of(PLANT.wrap, tmp_path / "b"), replace(known_of(finding), origin=BASELINE, reason="known"))
    assert [f.notes["accepted"]["reason"] for f in run.findings] == ["known"]
    assert failing(run, severities_of("any")) == []
    assert [(row["accepted"], row["expired"]) for row in run.known] == [(True, False)]


def test_an_expired_entry_fails_and_is_said(tmp_path: Path) -> None:
    (finding, *_) = found(tmp_path / "a").findings
    old = replace(known_of(finding), origin=BASELINE, expires="2026-11-22")
    run = again(worker_of(PLANT.wrap, tmp_path / "b"), old)
    assert failing(run, severities_of("any"))
    assert [(row["accepted"], row["expired"]) for row in run.known] == [(False, True)]


def test_a_mended_bug_has_vanished(tmp_path: Path) -> None:
    (finding, *_) = found(tmp_path / "a").findings
    run = again(worker_of(plain, tmp_path / "b"), known_of(finding))
    assert [(row["state"], row["replays"]) for row in run.known] == [("vanished", 3)]
    assert run.findings == ()


def test_what_was_not_replayed_has_not_vanished() -> None:
    (row,) = regression([known_of(DATA)], {}, date(2026, 11, 22))
    assert row["state"] == "not replayed"


def test_a_finding_that_shows_now_and_then_is_flaky(tmp_path: Path) -> None:
    (finding, *_) = found(tmp_path / "a").findings
    sound, broken = worker_of(plain, tmp_path / "s"), worker_of(PLANT.wrap, tmp_path / "p")
    turns = iter([sound, broken, sound])
    trace = recorded(tmp_path / "a" / "findings" / finding.fingerprint)
    program = Program("expressions", PLANT.witness.tables, PLANT.witness.steps)
    told = replays(program, str(trace.fingerprint), lambda p: next(turns).attempt(p))
    assert (told.state, told.replayed, told.replays) == ("flaky", 1, 3)


def test_another_difference_is_not_called_vanished(tmp_path: Path) -> None:
    worker = worker_of(PLANT.wrap, tmp_path)
    program = Program("expressions", PLANT.witness.tables, PLANT.witness.steps)
    assert replays(program, "000000000000", worker.attempt).state == "other"


def test_every_replay_is_in_the_journal(tmp_path: Path) -> None:
    (finding, *_) = found(tmp_path / "a").findings
    again(worker_of(plain, tmp_path / "b"), known_of(finding))
    (path,) = RunFolder(tmp_path / "b").journals
    rows = [row for row in journal.read(path) if row["kind"] == "known"]
    assert [(row["fingerprint"], row["state"]) for row in rows] == [(finding.fingerprint, "vanished")]


def test_the_command_makes_and_extends_a_baseline(tmp_path: Path) -> None:
    RunFolder(tmp_path / "run").write_run(replace(RUN, findings=(DATA,)))
    file = tmp_path / "b.toml"
    arguments = ["baseline", "update", str(tmp_path / "run"), "--file", str(file)]
    told = CliRunner().invoke(app, [*arguments, "--reason", "so be it", "--expires", "2027-01-31"])
    assert told.exit_code == 0, told.output
    assert read_baseline(file).entries[DATA.fingerprint].reason == "so be it"
    for wrong in (["--expires", "soon"], ["--finding", "nosuch"]):
        assert CliRunner().invoke(app, [*arguments, *wrong]).exit_code == 2
