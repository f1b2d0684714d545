"""Run the suite in a pytest process of its own, watch its journals, and merge what they hold."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import FrameType

import orjson

import conformance.suite
from conformance.record.codec import RecordError, dumps, loads
from conformance.record.folder import RunFolder, write_text
from conformance.record.run import Run
from conformance.search.campaign import merge
from conformance.search.resume import read_done
from conformance.targets.target import MAX_COST

POLL_SECONDS = 0.5
GRACE_SECONDS = 60.0
"""Seconds the suite may take to end after an interrupt; then, or at a second interrupt, it is killed."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to run: pytest options for the campaign and the number of workers."""

    target: str
    folder: RunFolder
    budget: float = 60.0
    seed: int = 0
    workers: int = 1
    capabilities: Sequence[str] = ()
    rules: Sequence[str] = ()
    timeout: float = 10.0
    command: str = ""
    allow_hosts: Sequence[str] = ()
    ca_file: str | None = None
    insecure: bool = False
    search: bool = True
    checks: bool = True
    shard: str = "1/1"
    allow_aws: bool = False
    account_id: str = ""
    region: str = ""
    max_cost: float = MAX_COST
    recording: bool = False


ORDER_FILE = "order.json"
_KEPT = tuple(f.name for f in fields(Order) if f.name != "folder")
_ROOT = Path(conformance.suite.__file__).parents[2]


@dataclass(slots=True)
class Progress:
    """What the journals say so far: for display while the suite runs."""

    seconds: float = 0.0
    programs: int = 0
    calls: int = 0
    findings: dict[str, str] = field(default_factory=dict)
    checks: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def by_severity(self) -> Counter[str]:
        """How many distinct divergences there are of each severity."""
        return Counter(self.findings.values())


class Watch:
    """Follows the journals of a folder as workers append to them."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}
        self.progress = Progress()
        self._start = time.monotonic()

    def poll(self) -> Progress:
        """Take in what was appended since the last look."""
        for path in self._folder.journals:
            with open(path, "rb") as file:
                file.seek(self._read.get(path, 0))
                text = file.read()
            whole = text.rfind(b"\n") + 1
            self._read[path] = self._read.get(path, 0) + whole
            for line in text[:whole].splitlines():
                self._take(line)
        self.progress.seconds = time.monotonic() - self._start
        return self.progress

    def _take(self, line: bytes) -> None:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            return
        kind = row.get("kind")
        if kind == "program-end":
            self.progress.programs += 1
            self.progress.calls += row["calls"]
        elif kind == "divergence":
            self.progress.findings[row["fingerprint"]] = row["severity"]
        elif kind == "check":
            self.progress.checks[row["verdict"]] += 1
        elif kind == "error":
            self.progress.errors.append(row["text"])


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that ended: its summary, pytest's exit status and what it printed."""

    run: Run
    status: int
    output: str
    folder: RunFolder


def launch(order: Order, show: Callable[[Progress], None] = lambda progress: None) -> Finished:
    """Run the suite and wait for its end; an interrupt (Ctrl-C) ends it early with a whole report, a second at once."""
    log = order.folder.path / "pytest.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    watch = Watch(order.folder)
    interrupts: list[float] = []
    write_order(order)
    earlier = read_done(order.folder).active
    started = time.monotonic()
    # The suite holds the reading end: it ends when we do, however we do.
    hold, held = os.pipe()
    with open(log, "wb") as out, os.fdopen(held, "wb"):
        process = subprocess.Popen(
            arguments(order), stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=_environment(hold),
            start_new_session=True, pass_fds=(hold,),
        )  # fmt: skip
        os.close(hold)

        def stop(signum: int, frame: FrameType | None) -> None:
            interrupts.append(time.monotonic())
            _signal(process, signal.SIGINT if len(interrupts) == 1 else signal.SIGKILL)

        before = signal.signal(signal.SIGINT, stop), signal.signal(signal.SIGTERM, stop)
        try:
            status = _wait(process, watch, show, interrupts)
        finally:
            signal.signal(signal.SIGINT, before[0])
            signal.signal(signal.SIGTERM, before[1])
    stopped = "interrupted" if interrupts else ("budget" if status == 0 else "error")
    run = merge(order.folder, stopped=stopped, seconds=earlier + time.monotonic() - started)
    return Finished(run, status, log.read_text(encoding="utf-8", errors="replace"), order.folder)


def _wait(
    process: subprocess.Popen[bytes], watch: Watch, show: Callable[[Progress], None], interrupts: Sequence[float]
) -> int:
    while True:
        try:
            status = process.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            show(watch.poll())
            if interrupts and time.monotonic() > interrupts[0] + GRACE_SECONDS:
                _signal(process, signal.SIGKILL)
            continue
        show(watch.poll())
        return status


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)


def _environment(hold: int) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    # Our own packages come first, whatever packages of the same names lie where the user works.
    path = os.pathsep.join(filter(None, (str(_ROOT), kept.get("PYTHONPATH", ""))))
    return {**kept, "PYTHONPATH": path, "DYNORACLE_PARENT": str(hold)}


def write_order(order: Order) -> None:
    """Leave the order in the run folder, for ``--resume``."""
    row = {name: getattr(order, name) for name in _KEPT}
    write_text(order.folder.path / ORDER_FILE, dumps(row, pretty=True).decode("utf-8") + "\n")


def read_order(folder: RunFolder) -> Order:
    """The order of an interrupted run; RecordError when the folder does not hold one."""
    path = folder.path / ORDER_FILE
    try:
        row = loads(path.read_bytes())
        return Order(folder=folder, **{name: row[name] for name in _KEPT})
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror}): name the folder of a run") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path}: cannot be read ({error}): the file is damaged") from error


def arguments(order: Order) -> list[str]:
    """The pytest command line of a run."""
    suite = Path(conformance.suite.__file__).parent
    options = {
        "target": order.target,
        "budget": f"{order.budget:g}",
        "seed": str(order.seed),
        "capability": ",".join(order.capabilities),
        "rule": ",".join(order.rules),
        "out": str(order.folder.path.resolve()),
        "command": order.command,
        "timeout": f"{order.timeout:g}",
        "allow-host": ",".join(order.allow_hosts),
        "shard": order.shard,
        "account-id": order.account_id,
        "region": order.region,
        "max-cost": f"{order.max_cost:g}",
    }
    if order.ca_file:
        options["ca-file"] = order.ca_file
    parts = (("test_known.py", True), ("test_checks.py", order.checks), ("test_search.py", order.search))
    wanted = [str(suite / name) for name, on in parts if on and (suite / name).exists()]
    parallel = ["-n", str(order.workers), "--dist", "load"] if order.workers > 1 else ["-p", "no:xdist"]
    pytest = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return [
        *pytest, "-c", os.devnull, f"--rootdir={suite}", *parallel,
        *(f"--dynoracle-{name}={value}" for name, value in options.items()),
        *(["--dynoracle-insecure"] if order.insecure else []),
        *(["--dynoracle-allow-aws"] if order.allow_aws else []),
        *(["--dynoracle-recording"] if order.recording else []),
        *wanted,
    ]  # fmt: skip
