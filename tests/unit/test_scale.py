"""Shards that never overlap, runs merged, runs resumed after kill -9, versions told apart."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from conformance import bisect
from conformance.commands.run import app
from conformance.launch import ORDER_FILE, Order, arguments, read_order, write_order
from conformance.program import Program
from conformance.record import journal
from conformance.record.codec import RecordError
from conformance.record.folder import RunFolder, read_run
from conformance.replay import ReplayError, recorded, replay_all
from conformance.search.campaign import merge, part_of, shares
from conformance.search.merging import merge_runs
from conformance.search.resume import read_done
from tests.planted.arena import plain, target_of, worker_of
from tests.planted.plants import plant_of
from tests.unit.planted_suite import CHUNKS, PROGRAMS

pytestmark = pytest.mark.slow  # whole runs with limits of their own: `make runs`

ROOT = Path(__file__).parents[2]
PLANT = "contains-part-of-member"
OFTEN = "get-missing-empty-item"
"""A bug that a search meets at once."""


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_parts_share_no_chunk_and_leave_none_out(parts: int) -> None:
    # Each part has another number of workers: what they search must not depend on that.
    numbers: Counter[int] = Counter()
    for part in range(1, parts + 1):
        for share in shares(60.0, part, ["items"], (part, parts)):
            numbers.update(n for n, _ in itertools.takewhile(lambda chunk: chunk[0] < 120, share.chunks(0)))
    assert numbers == Counter(range(120))


def test_a_part_is_written_as_i_of_n() -> None:
    assert part_of("3/16") == (3, 16)
    for wrong in ("0/2", "3/2", "1", "a/b", "1/0", "-1/2"):
        with pytest.raises(ValueError, match="names no part"):
            part_of(wrong)


def test_an_order_comes_back_for_resume(tmp_path: Path) -> None:
    order = Order("moto", RunFolder(tmp_path), 90.0, 7, 2, ("items",), (), shard="2/3", command="dynoracle run moto")
    write_order(order)
    back = read_order(RunFolder(tmp_path))
    assert arguments(back) == arguments(order)
    assert "--dynoracle-shard=2/3" in arguments(back)
    (tmp_path / ORDER_FILE).write_text("{}")
    with pytest.raises(RecordError, match="damaged"):
        read_order(RunFolder(tmp_path))


def suite(folder: Path, line: int) -> int:
    argv = [sys.executable, "-m", "tests.unit.planted_suite", str(folder), OFTEN, str(line)]
    # tests/unit/planted_suite.py
    return subprocess.run(argv, cwd=ROOT, capture_output=True, timeout=300, check=False).returncode


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The line of the journal that tells of the first divergence, in a run that nobody kills."""
    folder = tmp_path_factory.mktemp("whole")
    assert suite(folder, -1) == 0
    rows = [row for path in RunFolder(folder).journals for row in journal.read(path)]
    return next(number for number, row in enumerate(rows, 1) if row["kind"] == "divergence")


@pytest.mark.parametrize("later", [0, 1, 18])
def test_a_killed_run_is_resumed_and_loses_nothing(tmp_path: Path, first: int, later: int) -> None:
    folder, line = RunFolder(tmp_path), first + later
    assert suite(tmp_path, line) == -signal.SIGKILL
    before = [row for path in folder.journals for row in journal.read(path)]
    assert len(before) == line
    found = {row["fingerprint"] for row in before if row["kind"] == "divergence"}
    assert found
    spent = read_done(folder).seconds("items", 0, 1)
    assert suite(tmp_path, -1) == 0
    run = merge(folder)
    assert found <= {finding.fingerprint for finding in run.findings}
    assert not any(finding.notes.get("unreduced") for finding in run.findings)
    rows = [row for path in folder.journals for row in journal.read(path)]
    assert rows[:line] == before
    ended = Counter()
    chunk = None
    for row in rows:
        if row["kind"] == "program-start":
            chunk = (row["chunk"], row["number"])
        elif row["kind"] == "program-end":
            ended[chunk] += 1
    assert set(ended.values()) == {1}
    assert set(ended) == {(chunk, number) for chunk in range(CHUNKS) for number in range(PROGRAMS)}
    assert run.programs == CHUNKS * PROGRAMS
    assert read_done(folder).seconds("items", 0, 1) > spent


def test_what_was_found_and_not_reduced_is_pending(tmp_path: Path) -> None:
    worker = worker_of(plant_of(PLANT).wrap, tmp_path)
    witness = plant_of(PLANT).witness
    (divergence, *_) = worker.run(Program("expressions", witness.tables, witness.steps))
    worker.journal.close()
    done = read_done(worker.folder)
    assert divergence.fingerprint in done.pending
    assert done.pending[divergence.fingerprint][1].fingerprint == divergence.fingerprint
    merge(worker.folder)  # It makes findings of them as they stand, which still are to be reduced.
    assert divergence.fingerprint in read_done(worker.folder).pending


def part(folder: Path, plant: str, *, killed: bool = False) -> Path:
    """A run folder whose search met one plant."""
    worker = worker_of(plant_of(plant).wrap, folder)
    worker.journal.append(
        "run", target={"name": "plant", "version": "0"}, started="2026-11-22T10:00:00+00:00", ledger="x"
    )
    witness = plant_of(plant).witness
    program = Program("expressions", witness.tables, witness.steps)
    for divergence in worker.run(program):
        if not killed:
            worker.reduce(program, divergence)
    if not killed:
        worker.end()
        merge(worker.folder, seconds=1.0)
    return folder


def test_merging_keeps_what_every_part_found(tmp_path: Path) -> None:
    folders = [part(tmp_path / "a", PLANT), part(tmp_path / "b", "number-digits-limit"), part(tmp_path / "c", PLANT)]
    _, run = merge_runs(folders, tmp_path / "out")
    one, other, _ = (read_run(folder) for folder in folders)
    assert {f.fingerprint for f in run.findings} == {f.fingerprint for f in (*one.findings, *other.findings)}
    assert run.programs == 3
    assert read_run(tmp_path / "out") == run
    assert run.stopped == "budget"


def test_merging_prefers_the_reduced_finding(tmp_path: Path) -> None:
    killed = part(tmp_path / "a", PLANT, killed=True)
    merge(RunFolder(killed), seconds=1.0)
    whole = part(tmp_path / "b", PLANT)
    for number, order in enumerate(((killed, whole), (whole, killed))):
        _, run = merge_runs(order, tmp_path / f"out{number}")
        assert not any(f.notes.get("unreduced") for f in run.findings)


def test_a_killed_run_is_merged_where_it_is(tmp_path: Path) -> None:
    folder = part(tmp_path / "a", PLANT, killed=True)
    with pytest.raises(RecordError):
        read_run(folder)
    _, run = merge_runs([folder], None)
    assert run.stopped == "killed"
    assert run.findings
    assert read_run(folder) == run


def test_runs_that_do_not_belong_together_are_not_merged(tmp_path: Path) -> None:
    one, other = part(tmp_path / "a", PLANT), part(tmp_path / "b", PLANT)
    (path,) = RunFolder(other).journals
    path.write_bytes(path.read_bytes().replace(b'"name":"plant"', b'"name":"other"', 1))
    for runs, out, says in (
        ([one, other], tmp_path / "out", "is of another target"),
        ([one, tmp_path], tmp_path / "out", "has no journals"),
        ([one, one], None, "name it with --out"),
        ([one], one, "is one of the runs"),
    ):
        with pytest.raises(RecordError, match=says):
            merge_runs(runs, out)


def test_the_command_merges(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["merge", str(part(tmp_path / "a", PLANT)), "--out", str(tmp_path / "out")])
    assert told.exit_code == 0, told.output
    assert read_run(tmp_path / "out").findings
    assert CliRunner().invoke(app, ["merge", str(tmp_path / "none")]).exit_code == 2


def test_every_finding_of_a_run_is_replayed(tmp_path: Path) -> None:
    folder = part(tmp_path / "a", PLANT)
    count = len(read_run(folder).findings)
    assert [state for _, state in replay_all(folder, "reference:inprocess")] == ["vanished"] * count
    told = CliRunner().invoke(app, ["replay", "--all", str(folder), "--target", "reference:inprocess"])
    assert told.exit_code == 0
    assert "none shows any more" in told.output
    assert CliRunner().invoke(app, ["replay", "--all", str(tmp_path), "--target", "moto"]).exit_code == 2


@pytest.mark.parametrize(
    ("shown_from", "first", "tried", "says"),
    [
        (3, "v3", {"v2", "v3", "v4"}, "v3 is the first that shows it; v2 does not"),
        (0, "v0", {"v0", "v1", "v2", "v4"}, "v0, the oldest of these, shows it already"),
        (9, None, {"v4"}, "v4, the newest, does not show it; try --every"),
    ],
)
def test_bisection(tmp_path: Path, shown_from: int, first: str | None, tried: set[str], says: str) -> None:
    (finding,) = read_run(part(tmp_path / "a", PLANT)).findings[:1]
    trace = recorded(tmp_path / "a" / "findings" / finding.fingerprint)
    opened = []

    def version(name: str) -> bisect.Opener:
        opened.append(name)
        return lambda _: target_of(plant_of(PLANT).wrap if int(name[1:]) >= shown_from else plain)

    result = bisect.first_showing(trace, ["v0", "v1", "v2", "v3", "v4"], version)
    assert (result.first, result.text) == (first, says)
    assert set(opened) <= tried
    assert len(opened) == len(set(opened))
    told = bisect.first_showing(trace, ["v0", "v1", "v2", "v3", "v4"], version, every=True)
    assert told.first == first


def test_versions_need_a_way_to_start_them() -> None:
    with pytest.raises(ReplayError, match=r"has no \{port"):
        bisect.by_command("server {version}")
    with pytest.raises(ReplayError, match="can't be installed"):
        bisect.by_name("reference")
    with pytest.raises(ReplayError, match="no target is named"):
        bisect.by_name("nosuch")


@pytest.mark.parametrize("of_interrupts", [signal.SIG_DFL, signal.SIG_IGN], ids=["by hand", "in the background"])
def test_the_suite_ends_with_the_command_that_started_it(tmp_path: Path, of_interrupts: signal.Handlers) -> None:
    order = Order("reference:inprocess", RunFolder(tmp_path), 60.0, 0, capabilities=("items",), checks=False)
    reading, writing = os.pipe()
    process = subprocess.Popen(
        arguments(order), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=(reading,),
        env={**os.environ, "DYNORACLE_PARENT": str(reading)}, start_new_session=True, cwd=ROOT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, of_interrupts),
    )  # fmt: skip
    os.close(reading)
    os.close(writing)  # As the kernel does when the command is killed.
    try:
        # Python's own status where the interrupt comes before pytest is there to take it.
        assert process.wait(120) in (1, int(pytest.ExitCode.INTERRUPTED))
    finally:
        process.kill()
