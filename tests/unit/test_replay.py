"""A finding goes round: found on one target, replayed on others, elsewhere and on another day."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from conformance.record.finding import Finding
from conformance.record.folder import RunFolder
from conformance.replay import ReplayError, replay_path
from conformance.search import worker as workers
from conformance.session import Session
from reference.account import Account
from reference.api import Call, Reply, Success
from reference.clock import ManualClock
from reference.server import ThreadedServer
from reference.service import Service
from tests.planted.arena import Wrap, plain, worker_of
from tests.planted.base import Plant
from tests.planted.plants import plant_of

DAY = 86_400.0
NAMES = (
    "put-merges", "start-key-included", "transaction-torn", "token-forgotten", "index-old-entry-stays",
    "failed-condition-code", "missing-table-first", "reasons-without-item",
)  # fmt: skip
"""Plants whose findings need symbols of every kind: tables, replies, tokens, names in messages."""


class Served:
    """A planted service as a server takes it. Sessions go in lockstep, so its patches never meet the oracle."""

    def __init__(self, wrap: Wrap, ahead: float) -> None:
        self._service = Service(Account(ManualClock(time.time() + ahead)))
        self._planted = wrap(self._service)

    def execute(self, call: Call) -> Reply:
        return self._planted.execute(call)

    def operations(self) -> Collection[str]:
        return self._service.operations()


@contextmanager
def served(wrap: Wrap, ahead: float = 0.0) -> Iterator[str]:
    with ThreadedServer(Served(wrap, ahead)) as server:
        yield server.url


def found(plant: Plant, folder: Path) -> tuple[Path, Finding]:
    """The plant's finding, as a campaign's worker writes it."""
    worker = worker_of(plant.wrap, folder)
    worker.reduce(plant.witness, worker.run(plant.witness)[0])
    worker.end()
    (finding,) = RunFolder(folder).read_findings()
    assert finding.replayed == finding.replays
    return RunFolder(folder).finding_folder(finding.fingerprint), finding


@pytest.mark.parametrize("name", NAMES)
def test_it_is_still_there_elsewhere(tmp_path: Path, name: str) -> None:
    plant = plant_of(name)
    folder, _ = found(plant, tmp_path)
    for _ in range(2):
        # Every replay has another port and other table names.
        with served(plant.wrap) as url:
            result = replay_path(folder, url)
            assert (result.verdict, len(result.lines)) == ("still there", 1)
    with served(plant.wrap) as url:
        assert replay_path(folder / "trace.jsonl", url).verdict == "still there"
        assert replay_path(folder / "finding.json", url).verdict == "still there"


@pytest.mark.parametrize("name", NAMES)
def test_it_is_fixed_on_the_reference(tmp_path: Path, name: str) -> None:
    folder, _ = found(plant_of(name), tmp_path)
    with served(plain) as url:
        result = replay_path(folder, url)
    assert (result.verdict, result.lines) == ("fixed", ())


@pytest.mark.parametrize("name", NAMES)
def test_it_is_still_there_a_day_later(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant = plant_of(name)
    folder, _ = found(plant, tmp_path)

    def tomorrow() -> float:
        return time.time() + DAY

    clock = SimpleNamespace(time=tomorrow, monotonic=time.monotonic, perf_counter=time.perf_counter, sleep=time.sleep)
    monkeypatch.setattr(workers, "time", clock)
    monkeypatch.setattr(workers, "Session", partial(Session, clock=tomorrow))
    with served(plant.wrap, DAY) as url:
        assert replay_path(folder, url).verdict == "still there"
    with served(plain, DAY) as url:
        assert replay_path(folder, url).verdict == "fixed"


def test_another_difference_is_told_apart(tmp_path: Path) -> None:
    folder, _ = found(plant_of("failed-condition-code"), tmp_path)
    with served(plant_of("failed-condition-words").wrap) as url:
        result = replay_path(folder, url)
    assert result.verdict == "other"
    assert any("items.condition-failed" in line for line in result.lines)


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    folder, _ = found(plant_of("put-merges"), tmp_path)
    target = Served(plain, 0.0)
    with ThreadedServer(target) as server:
        replay_path(folder, server.url)
    assert target.execute(Call("ListTables", {})) == Success({"TableNames": []})


@pytest.mark.parametrize("content", ["", "no json", '{"kind": "op"}\n', '{"kind": "trace", "schema": 99}\n'])
def test_what_is_no_trace_is_said(tmp_path: Path, content: str) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text(content)
    with pytest.raises(ReplayError, match=r"trace\.jsonl"):
        replay_path(path, "reference")


def test_a_missing_target_is_said(tmp_path: Path) -> None:
    folder, _ = found(plant_of("put-merges"), tmp_path)
    with pytest.raises(ReplayError, match="nosuch"):
        replay_path(folder, "nosuch")
