"""What a worker makes of targets that hang, die, or answer garbage: findings on disk, and an end."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance.machines import MACHINES
from conformance.machines.base import draw_chunk
from conformance.machines.data import ItemsMachine
from conformance.program import Program, Step
from conformance.record import journal
from conformance.record.folder import RunFolder, read_run
from conformance.search import worker as workers
from conformance.search.campaign import WEIGHTS, Share, merge, shares
from conformance.search.worker import TargetLostError, Worker
from conformance.targets.target import open_target
from tests.planted.arena import plain, worker_of
from tests.planted.plants import plant_of
from tests.unit.moody_endpoint import Mood, Moody, moody

TIMEOUT = 0.3
T0 = "${table:t0}"
TABLE = {
    "TableName": T0,
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
PUT = Step("PutItem", {"TableName": T0, "Item": {"pk": {"S": "a"}, "v": {"N": "1"}}})
GET = Step("GetItem", {"TableName": T0, "Key": {"pk": {"S": "a"}}, "ConsistentRead": True})
PROGRAM = Program("items", {"t0": TABLE}, (PUT, GET), chunk=0)


@contextmanager
def working(folder: Path, mood: Mood) -> Iterator[tuple[Moody, Worker]]:
    with moody(mood) as endpoint, open_target(endpoint.url) as target:
        worker = Worker(target, RunFolder(folder), "main", "test", timeout=TIMEOUT)
        worker.journal.append("run", target={"name": "moody"}, started="2026-10-01T00:00:00+00:00")
        try:
            yield endpoint, worker
        finally:
            worker.journal.close()


def journalled(folder: Path) -> list[str]:
    return [row["severity"] for row in journal.read(folder / "journal" / "main.jsonl") if row["kind"] == "divergence"]


@pytest.mark.parametrize(
    ("mood", "path"),
    [
        ("html", "garbage"),
        ("truncated", "garbage"),
        ("crc", "garbage"),
        ("binary", "garbage"),
        ("short", "closed"),
        ("close", "closed"),
        ("hang", "timeout"),
    ],
)
def test_an_answer_that_is_none_is_a_crash(tmp_path: Path, mood: str, path: str) -> None:
    with working(tmp_path, lambda operation, before: mood if operation == "GetItem" else "") as (_, worker):
        (found,) = worker.run(PROGRAM)
    assert found.severity == "crash"
    assert found.path.split(":")[0] == path
    assert found.operation == "GetItem"
    assert journalled(tmp_path) == ["crash"]


def test_a_crash_is_reduced_and_written(tmp_path: Path) -> None:
    program = Program("items", PROGRAM.tables, (PUT, PUT, PUT, GET), chunk=0)
    with working(tmp_path, lambda operation, before: "html" if operation == "GetItem" else "") as (_, worker):
        (found,) = worker.run(program)
        worker.reduce(program, found)
        worker.end()
    run = merge(RunFolder(tmp_path))
    (finding,) = run.findings
    assert (finding.severity, finding.operation, finding.calls) == ("crash", "GetItem", 1)
    assert (finding.replayed, finding.replays) == (2, 2)
    assert not finding.unsettled


def test_a_target_that_hangs_for_good_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "RECOVERY_SECONDS", 0.2)
    monkeypatch.setattr("conformance.targets.target.PROBE_LIMIT", 0.2)
    dead: list[bool] = []
    with working(tmp_path, lambda operation, before: "hang" if dead else "") as (_, worker):
        assert worker.run(PROGRAM) == []
        dead.append(True)
        with pytest.raises(TargetLostError, match="stopped answering"):
            worker.run(PROGRAM)
    assert journalled(tmp_path) == ["crash"]


def test_a_target_that_comes_back_is_used_again(tmp_path: Path) -> None:
    with working(tmp_path, lambda operation, before: "close" if operation == "PutItem" and before == 1 else "") as (
        _,
        worker,
    ):
        assert worker.run(PROGRAM) == []
        assert [found.severity for found in worker.run(PROGRAM)] == ["crash"]
        assert worker.run(PROGRAM) == []
    assert worker.programs == 3


def test_what_nobody_reduced_becomes_a_finding(tmp_path: Path) -> None:
    """A worker that is killed leaves a journal; its divergences are findings with their whole program."""
    plant = plant_of("put-merges")
    worker = worker_of(plant.wrap, tmp_path)
    worker.journal.append("run", target={"name": "plant"}, started="2026-10-01T00:00:00+00:00")
    found = worker.run(plant.witness)
    # No end, no reduction: the process is gone here.
    folder = RunFolder(tmp_path)
    run = merge(folder)
    assert [finding.fingerprint for finding in run.findings] == [found[0].fingerprint]
    assert run.findings[0].notes["unreduced"]
    assert run.findings[0].calls >= len(plant.witness.steps) - 1
    assert (folder.finding_folder(found[0].fingerprint) / "trace.jsonl").exists()
    assert read_run(tmp_path).findings == run.findings


def test_a_torn_last_line_costs_nothing_else(tmp_path: Path) -> None:
    plant = plant_of("put-merges")
    worker = worker_of(plant.wrap, tmp_path)
    (found,) = {each.fingerprint for each in worker.run(plant.witness)}
    with open(tmp_path / "journal" / "main.jsonl", "ab") as file:
        file.write(b'{"kind":"divergence","fingerpr')
    assert [finding.fingerprint for finding in merge(RunFolder(tmp_path)).findings] == [found]


def test_journals_of_all_workers_are_merged(tmp_path: Path) -> None:
    for name, plant in (("gw0", plant_of("put-merges")), ("gw1", plant_of("all-new-is-old"))):
        worker = worker_of(plant.wrap, tmp_path)
        worker.journal.close()
        worker.journal = worker.folder.journal(name)
        worker.run(plant.witness)
        worker.end()
    (tmp_path / "journal" / "main.jsonl").unlink()
    run = merge(RunFolder(tmp_path))
    assert run.programs == 2
    assert {finding.rule for finding in run.findings} == {"items.put-replaces", "expressions.reads-before"}


def test_a_target_is_given_up_after_too_many_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Restarted:
        pid = 1
        restarts = 0

        def alive(self) -> bool:
            return False

        def restart(self) -> None:
            self.restarts += 1

    worker = worker_of(plain, tmp_path)
    process = Restarted()
    worker.target.process = process  # type: ignore[assignment]
    monkeypatch.setattr(workers, "MAX_RESTARTS", 3)
    for _ in range(3):
        worker.recover()
    with pytest.raises(TargetLostError, match="restarted"):
        worker.recover()
    assert process.restarts == 3


def test_shares_cover_the_budget() -> None:
    found = shares(60.0, 2, ["items", "queries"])
    assert {share.capability for share in found} == {"items", "queries"}
    assert sum(share.seconds for share in found if share.shard == 0) == pytest.approx(60.0)
    items, queries = (next(s.seconds for s in found if s.capability == name) for name in ("items", "queries"))
    assert items / queries == WEIGHTS["items"] / WEIGHTS["queries"]


def test_shards_share_no_chunk() -> None:
    taken = [
        {number for number, _ in zip_first(Share("items", shard, 3, 1.0).chunks(7), 5)} for shard in range(3)
    ]  # fmt: skip
    assert len(set.union(*taken)) == 15


def zip_first(chunks: object, count: int) -> list[tuple[int, int]]:
    return [pair for pair, _ in zip(chunks, range(count), strict=False)]  # type: ignore[call-overload]


def test_a_seed_draws_the_same_programs() -> None:
    one, two = (draw_chunk(ItemsMachine, 11, programs=4) for _ in range(2))
    assert json.dumps([[s.body for s in p.steps] for p in one]) == json.dumps([[s.body for s in p.steps] for p in two])


def test_a_seed_draws_the_same_programs_whatever_else_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn() -> list[Program]:
        return [p for number in range(3) for p in draw_chunk(MACHINES["values"], number, programs=10)]

    alone = drawn()
    source = tmp_path / "constants_of_others.py"
    source.write_text(f"HELD = {[*range(2, 400), *map(str, range(400))]!r}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "constants_of_others", importlib.import_module("constants_of_others"))
    assert drawn() == alone


def test_a_bug_is_found_reduced_and_replayed(tmp_path: Path) -> None:
    plant = plant_of("put-merges")
    worker = worker_of(plant.wrap, tmp_path)
    for number, seed in zip_first(Share("items", 0, 1, 1.0).chunks(3), 5):
        worker.chunk("items", number, seed, time.monotonic() + 60)
        if worker.seen:
            break
    worker.end()
    run = merge(RunFolder(tmp_path))
    blamed = [finding for finding in run.findings if finding.rule == "items.put-replaces"]
    assert blamed
    assert all(finding.replayed == finding.replays for finding in blamed)
    # Two puts and, where the second is not asked for the old item, a read.
    assert min(finding.calls for finding in blamed) <= 3


def test_a_bug_behind_a_page_that_was_not_given_is_reduced(tmp_path: Path) -> None:
    """A step that refers to a missing reply is passed over, when the bug is found as well as when it is reduced."""
    plant = plant_of("put-merges")
    scan = Step("Scan", {"TableName": T0})
    more = Step("Scan", {"TableName": T0, "ExclusiveStartKey": "${reply:1:LastEvaluatedKey}"})
    again = Step("PutItem", {"TableName": T0, "Item": {"pk": {"S": "a"}}})
    program = Program("items", {"t0": TABLE}, (scan, more, PUT, again, GET), chunk=0)
    worker = worker_of(plant.wrap, tmp_path)
    (found,) = worker.run(program)
    worker.reduce(program, found)
    (finding,) = RunFolder(tmp_path).read_findings()
    assert (finding.calls, finding.replayed, finding.replays) == (3, 2, 2)


def test_what_does_not_show_again_keeps_its_calls(tmp_path: Path) -> None:
    shown: list[bool] = []

    def once(operation: str, before: int) -> str:
        if operation != "GetItem" or shown:
            return ""
        shown.append(True)
        return "html"

    with working(tmp_path, once) as (_, worker):
        (found,) = worker.run(PROGRAM)
        worker.reduce(PROGRAM, found)
    (finding,) = RunFolder(tmp_path).read_findings()
    assert not finding.notes["reproduced"]
    assert [row["operation"] for row in finding.program][:3] == ["CreateTable", "PutItem", "GetItem"]


def test_what_is_in_this_process_is_asked_nothing_below_the_sdk(tmp_path: Path) -> None:
    assert any(step.raw is not None for program in draw_chunk(MACHINES["wire"], 1) for step in program.steps)
    with open_target("reference:inprocess") as target:
        worker = Worker(target, RunFolder(tmp_path), "main", "test")
        worker.chunk("wire", 0, 1, time.monotonic() + 60.0)
        assert worker.programs > 1
        worker.end()
    assert list(RunFolder(tmp_path).read_findings()) == []
