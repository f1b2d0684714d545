"""Whole runs, as the command line starts them: killed targets, interrupts, refused connections, exit codes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

import dynoracle
from conformance.commands.base import exit_code
from conformance.launch import Finished, Order, Progress, launch
from conformance.record import journal
from conformance.record.finding import SEVERITIES, Finding
from conformance.record.folder import RunFolder, read_run
from conformance.record.run import CapabilityResult, Run
from reference.account import Account
from reference.api import Call, Reply
from reference.server import ThreadedServer
from reference.service import Service
from tests.planted.base import Executes
from tests.planted.plants import plant_of
from tests.unit.moody_endpoint import moody

pytestmark = pytest.mark.slow  # whole runs with limits of their own: `make runs`

LIMIT = 90.0
"""Seconds after which a run that does not end is a failure, on a machine however busy."""
ANY = set(SEVERITIES) - {"unsupported"}


class Served:
    """A planted service as a server takes it; the plant must not patch functions, for the oracle runs beside it."""

    def __init__(self, name: str) -> None:
        self._service = Service(Account())
        self._planted: Executes = plant_of(name).wrap(self._service)

    def execute(self, call: Call) -> Reply:
        return self._planted.execute(call)

    def operations(self) -> Collection[str]:
        return self._service.operations()


@contextmanager
def planted(name: str) -> Iterator[str]:
    with ThreadedServer(Served(name)) as server:
        yield server.url


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def order(target: str, folder: Path, **more: Any) -> Order:
    defaults: dict[str, Any] = {"budget": 3.0, "capabilities": ("items",), "checks": False, "timeout": 5.0}
    return Order(target, RunFolder(folder), **{**defaults, **more})


def code_of(finished: Finished) -> int:
    return exit_code(finished.run, finished.status, ANY, Console(), finished.output)


def processes_in(folder: Path) -> list[int]:
    """Processes whose working folder lies in a run folder: servers that the run started."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                where = os.readlink(f"/proc/{entry}/cwd")
            except OSError:
                continue
            if where.startswith(str(folder.resolve())):
                found.append(int(entry))
    return found


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(condition: Callable[[], Any], limit: float = LIMIT) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def lines(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [row for path in RunFolder(folder).journals for row in journal.read(path) if row["kind"] == kind]


def started(target: str, folder: Path) -> subprocess.Popen[bytes]:
    options = ["--budget", "10m", "--capability", "items", "--out", str(folder)]
    command = [sys.executable, "-m", "dynoracle", "run", target, *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_a_killed_target_is_a_finding_and_comes_back(tmp_path: Path) -> None:
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if progress.programs and not killed:
            killed.append(progress.programs)
            for pid in processes_in(tmp_path):
                os.kill(pid, signal.SIGKILL)

    finished = launch(order("reference", tmp_path, budget=10.0), kill)
    run = finished.run
    assert killed
    assert [finding.severity for finding in run.findings] == ["crash"]
    assert not run.findings[0].notes["reproduced"]
    assert run.programs > killed[0] + 1, "the target was not used again"
    assert (finished.status, run.stopped, run.errors) == (0, "budget", ())
    assert code_of(finished) == 1
    assert read_run(tmp_path).findings == run.findings
    assert processes_in(tmp_path) == []


def test_an_interrupt_leaves_a_whole_report(tmp_path: Path) -> None:
    with started("reference", tmp_path) as process:
        until(lambda: lines(tmp_path, "program-end"))
        assert processes_in(tmp_path)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, output.decode()
    run = read_run(tmp_path)
    assert run.stopped == "interrupted"
    assert run.programs == len(lines(tmp_path, "program-end")) > 0
    folder = RunFolder(tmp_path)
    assert all(path.exists() for path in (folder.report, folder.html, folder.junit, folder.summary))
    assert processes_in(tmp_path) == []


def test_what_was_found_before_a_kill_is_kept(tmp_path: Path) -> None:
    with planted("put-merges") as url, started(url, tmp_path) as process:
        until(lambda: lines(tmp_path, "divergence"))
        suite = children_of(process.pid)
        process.kill()
        for pid in suite:
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=LIMIT)
    fingerprints = {row["fingerprint"] for row in lines(tmp_path, "divergence")}
    merged = subprocess.run([sys.executable, "-m", "dynoracle", "merge", str(tmp_path)], timeout=LIMIT, check=False)
    assert merged.returncode in (0, 1)
    run = read_run(tmp_path)
    assert fingerprints == {finding.fingerprint for finding in run.findings}
    assert RunFolder(tmp_path).html.exists()
    assert all((RunFolder(tmp_path).finding_folder(each) / "trace.jsonl").exists() for each in fingerprints)


def test_a_suite_whose_run_is_gone_ends(tmp_path: Path) -> None:
    with planted("put-merges") as url, started(url, tmp_path) as process:
        until(lambda: lines(tmp_path, "program-end"))
        suite = children_of(process.pid)
        process.kill()
        process.communicate(timeout=LIMIT)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in suite))
    assert lines(tmp_path, "end")


def test_two_workers_are_merged(tmp_path: Path) -> None:
    with planted("put-merges") as url:
        finished = launch(order(url, tmp_path, workers=2))
    run = finished.run
    journals = {path.stem for path in RunFolder(tmp_path).journals}
    assert journals == {"gw0", "gw1"}
    assert run.programs == len(lines(tmp_path, "program-end"))
    assert all(any(row["kind"] == "program-end" for row in journal.read(p)) for p in RunFolder(tmp_path).journals)
    assert "items.put-replaces" in {finding.rule for finding in run.findings}
    assert code_of(finished) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_a_refused_connection(tmp_path: Path, workers: int) -> None:
    finished = launch(order(f"http://127.0.0.1:{free_port()}", tmp_path, workers=workers))
    assert code_of(finished) == 2
    assert all("does not answer as DynamoDB does: refused" in error for error in finished.run.errors)
    assert finished.run.errors


@pytest.mark.parametrize(("mood", "said"), [("html", "garbage"), ("hang", "timeout")])
def test_no_dynamodb_at_all(tmp_path: Path, mood: str, said: str) -> None:
    with moody(lambda operation, before: mood) as endpoint:
        finished = launch(order(endpoint.url, tmp_path, timeout=1.0))
    assert code_of(finished) == 2
    assert finished.run.errors[0].startswith(f"{endpoint.url} does not answer as DynamoDB does: {said}")


class TestUsage:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["nosuch"], "nosuch"),
            (["reference", "--capability", "nosuch"], "known: values"),
            (["reference", "--rule", "items.nosuch"], "no rule is called 'items.nosuch'"),
            (["reference", "--fail-on", "dreadful"], "'dreadful' is no severity"),
            (["reference", "--budget", "3x"], "'3x' is no duration"),
            (["reference", "--budget", "0s"], "'0s' is no time at all"),
            (["ftp://127.0.0.1:8000"], "is no endpoint: give its http:// or https:// URL"),
            (["reference", "-n", "0"], "-n"),
            (["http://192.0.2.1:8000"], "--allow-host 192.0.2.1"),
            (["https://dynamodb.us-east-1.amazonaws.com"], "--allow-aws"),
        ],
    )
    def test_what_cannot_be_run_is_said(self, tmp_path: Path, arguments: list[str], said: str) -> None:
        result = CliRunner().invoke(dynoracle.app, ["run", *arguments, "--out", str(tmp_path / "run")])
        assert result.exit_code == 2, result.output
        assert said in " ".join(result.output.replace("│", " ").split())

    def test_a_foreign_folder_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "thesis.txt").write_text("mine")
        result = CliRunner().invoke(dynoracle.app, ["run", "reference", "--out", str(tmp_path)])
        assert result.exit_code == 2
        assert (tmp_path / "thesis.txt").read_text() == "mine"


def finding(severity: str, *, unsettled: bool = False) -> Finding:
    return Finding(
        fingerprint="0123456789ab", capability="items", operation="PutItem", rule="items.put-replaces",
        severity=severity, path="", summary="", unsettled=unsettled, says="", strength="recorded", evidence=(),
        spec=(), expected={}, observed={}, program=(), calls=1,
    )  # fmt: skip


def run_of(*findings: Finding, verdict: str = "ok", calls: int = 10, errors: tuple[str, ...] = ()) -> Run:
    return Run(
        target={"name": "t"}, command="", version="", ledger="", seed=0, budget=1.0, started="", seconds=1.0,
        programs=1, calls=calls, stopped="budget", capabilities=(CapabilityResult("items", verdict),),
        findings=findings, errors=errors,
    )  # fmt: skip


class TestExitCodes:
    @pytest.mark.parametrize(
        ("run", "status", "wanted", "code"),
        [
            (run_of(), 0, ANY, 0),
            (run_of(finding("data")), 0, ANY, 1),
            (run_of(finding("data")), 0, {"crash"}, 0),
            (run_of(finding("data"), verdict="violated"), 0, set(), 0),
            (run_of(finding("message", unsettled=True)), 0, ANY, 0),
            (run_of(finding("unsupported"), verdict="unsupported"), 0, ANY, 3),
            (run_of(finding("crash"), errors=("it is gone",)), 2, ANY, 1),
            (run_of(errors=("it is gone",)), 2, ANY, 2),
            (run_of(calls=0, errors=("it is not there",)), 2, ANY, 2),
            (run_of(calls=0, verdict="not-reached"), 0, ANY, 3),
            (run_of(calls=0, verdict="not-reached"), 1, ANY, 2),
            (run_of(verdict="unknown"), 0, ANY, 3),
        ],
    )
    def test_of_a_finished_run(self, run: Run, status: int, wanted: set[str], code: int) -> None:
        assert exit_code(run, status, wanted, Console(), "") == code
