"""The campaign inside pytest: every xdist worker owns a target; the parent merges their journals."""

from __future__ import annotations

import hashlib
import os
import secrets
import shlex
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

import pytest

from conformance.checks import all_checks
from conformance.checks.base import Check
from conformance.definitions import DefinitionError, definitions_of, read_definitions, write_definitions
from conformance.record.codec import RecordError
from conformance.record.folder import RunFolder
from conformance.record.run import CheckResult
from conformance.search.baseline import Known, failing, gather, read_known, severities_of, write_known
from conformance.search.campaign import Share, ledger_version, merge, new_folder, part_of, shares
from conformance.search.checking import by_literal, chosen, out_of_reach, run_check
from conformance.search.regression import replay_known
from conformance.search.resume import read_done
from conformance.search.worker import SpentError, TargetLostError, Worker
from conformance.targets.catalogue import CatalogueError
from conformance.targets.install import InstallError
from conformance.targets.ledger import FOLDER as LEDGERS
from conformance.targets.probe import informed, operations, probe
from conformance.targets.process import ProcessError
from conformance.targets.target import Access, Target, TargetError, open_target
from reference.api import Call, Lost


def suite_version() -> str:
    """The installed version of this project."""
    try:
        return version("dynoracle")
    except PackageNotFoundError:
        return "0"


CHECK_SHARE = 0.4
"""The part of a budget that directed checks may use; the search has the rest, and what they leave."""
TOGETHER = 25
"""Checks whose tables are made together."""
ALONE = frozenset({
    "partiql", "transactions", "streams", "ttl", "backups", "transfer", "vectors", "bulk", "scaling", "metrics",
})  # fmt: skip
"""Capabilities of which nothing is left where a target has none of their operations."""
SPENT = "the budget for checks was spent"


class Campaign:
    """Settings of the run, the worker of this process, and the merge at the end."""

    def __init__(self, config: pytest.Config) -> None:
        def option(name: str) -> Any:
            return config.getoption(f"--dynoracle-{name}")

        self.spec: str = option("endpoint") or option("target")
        self.budget = float(option("budget"))
        self.seed = int(option("seed"))
        self.capabilities = [c for c in option("capability").split(",") if c]
        self.rules = [r for r in option("rule").split(",") if r]
        self.timeout = float(option("timeout"))
        self.command: str = option("command") or shlex.join(["pytest", *config.invocation_params.args])
        self.access = Access(
            allow_hosts=[h for h in option("allow-host").split(",") if h],
            ca_file=option("ca-file"),
            insecure=config.getoption("--dynoracle-insecure"),
            allow_aws=config.getoption("--dynoracle-allow-aws"),
            account_id=option("account-id") or None,
            region=option("region") or None,
            max_cost=float(option("max-cost")),
        )
        self.recording: bool = config.getoption("--dynoracle-recording")
        self.is_worker = hasattr(config, "workerinput")
        self.started = time.monotonic()
        if self.is_worker:
            given = config.workerinput  # type: ignore[attr-defined]
            self.folder = RunFolder(Path(given["dynoracle_out"]))
            self.run_id: str = given["dynoracle_run"]
            self.name: str = given["workerid"]
        else:
            out = option("out")
            prepared = out is not None and "DYNORACLE_PARENT" in os.environ
            self.folder = (
                RunFolder(Path(out)) if prepared else new_folder(Path(out) if out else None, self.spec, self.seed)
            )
            self.run_id = secrets.token_hex(3)
            self.name = "main"
            if prepared:
                _end_with_parent(int(os.environ["DYNORACLE_PARENT"]))
            if not prepared:
                write_known(self.folder, _gathered(option("baseline"), option("previous")))
                if option("schema"):
                    write_definitions(self.folder.path, _defined(option("schema")))
        self.workers = _workers(config)
        self.part = _part(option("shard"))
        self.fail_on = _severities(option("fail-on"))
        self.done = read_done(self.folder)
        self._worker: Worker | None = None
        self._checks_until: float | None = None
        self._upcoming: list[Check] = []
        self._checking = 0.0
        self._yielded = 0.0

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker where to journal and which run it belongs to."""
        node.workerinput["dynoracle_out"] = str(self.folder.path.resolve())
        node.workerinput["dynoracle_run"] = self.run_id

    def shares(self) -> list[Share]:
        """The cases of this campaign."""
        return shares(self.budget * (1 - CHECK_SHARE), self.workers, self.capabilities, self.part)

    def known(self) -> list[Known]:
        """What this run is to replay first: its part of what is known."""
        todo = [known for known in read_known(self.folder) if known.fingerprint not in self.done.known]
        return todo[self.part[0] - 1 :: self.part[1]]

    def checks(self) -> list[Check]:
        """The directed checks that this run is to make: its part of those asked for that were not made before."""
        wanted = list(chosen(all_checks(), self.rules, self.capabilities))[self.part[0] - 1 :: self.part[1]]
        left = [check for check in wanted if check.id not in self.done.checks]
        # A short budget cuts the list, so its order is drawn: other seeds reach other checks.
        return sorted(left, key=lambda check: hashlib.sha256(f"{self.seed}:{check.id}".encode()).digest())

    def check(self, check: Check) -> CheckResult:
        """Make one check, unless the checks' share of the budget is spent; checks asked for by rule are all made."""
        worker = self.worker()
        if worker.pool is not None and self.workers == 1:
            self._prepare(worker, check)
        if self._checks_until is None:
            self._checks_until = time.monotonic() + self.budget * CHECK_SHARE
        before = time.monotonic()
        if self.rules or before < self._checks_until:
            result = run_check(worker, check)
            self._checking += time.monotonic() - before
            return result
        result = CheckResult(check.id, check.rule, check.capability, "not-reached", detail=SPENT)
        worker.journal.append("check", **asdict(result))
        return result

    def _prepare(self, worker: Worker, check: Check) -> None:
        """Make the tables of the next checks at once, where making one takes long."""
        if not self._upcoming:
            self._upcoming = list(self.checks())
        try:
            at = self._upcoming.index(check)
        except ValueError:
            return
        if worker.pool is not None and at % TOGETHER == 0:
            soon = [c for c in self._upcoming[at : at + TOGETHER] if not out_of_reach(worker.target, c)]
            programs = [c.program() for c in soon if not by_literal(c)]
            worker.pool.prepare(programs, lambda: worker.new_name("table"), worker.target.profile.state_lag)

    def replay(self, known: Known) -> str:
        """Replay a known finding; its state."""
        with self._surviving() as worker:
            return replay_known(worker, known)

    def reduce(self, fingerprint: str) -> None:
        """Reduce a divergence that an interrupted run left in its journal."""
        with self._surviving() as worker:
            worker.reduce(*self.done.pending[fingerprint])

    @contextmanager
    def _surviving(self) -> Iterator[Worker]:
        """This process's worker; the run ends when its target is lost for good."""
        worker = self.worker()
        try:
            yield worker
        except TargetLostError as lost:
            self.lost(worker, lost)

    def lost(self, worker: Worker, lost: TargetLostError) -> NoReturn:
        """End the run: the target is gone, or what may be spent on it is spent."""
        if isinstance(lost, SpentError):
            worker.journal.append("stopped", why="cost", text=str(lost))
            pytest.exit(str(lost), returncode=0)
        worker.journal.append("error", text=str(lost))
        pytest.exit(str(lost), returncode=2)

    def worker(self) -> Worker:
        """This process's worker; the target is opened when first needed."""
        if self._worker is None:
            target = self._open()
            self._worker = Worker(
                target, self.folder, self.name, self.run_id, self.timeout, before=self.done.programs,
                own=definitions_of(self.folder.path), recording=self.recording,
            )  # fmt: skip
            self._worker.journal.append("run", **self._header(self._worker), at=round(time.time(), 3))
        return self._worker

    def _open(self) -> Target:
        """The target, answering; else the run ends with what is wrong with it."""
        try:
            ledger = self.folder.path / LEDGERS / f"{self.name}.jsonl"
            access = replace(self.access, ledger=ledger, max_cost=self.access.max_cost / self.workers)
            target = open_target(self.spec, run_dir=self.folder.path / "targets", worker=self.name, access=access)
        except (CatalogueError, InstallError, ProcessError, TargetError) as error:
            self._give_up(str(error))
        silent = target.transport.send(Call("ListTables", {}), timeout=self.timeout)
        if isinstance(silent, Lost):
            target.close()
            self._give_up(
                f"{target.endpoint or target.name} does not answer as DynamoDB does: {silent.why} (is it up?)"
            )
        if target.endpoint is not None and not target.profile.throttles:
            asked = [name for name in operations() if ":" not in name]
            target.profile = informed(target.profile, probe(target, asked))
        return target

    def _give_up(self, text: str) -> NoReturn:
        with self.folder.journal(self.name) as journal:
            journal.append("run", **self._order({"name": self.spec}), at=round(time.time(), 3))
            journal.append("error", text=text)
        pytest.exit(text, returncode=2)

    def _header(self, worker: Worker) -> dict[str, Any]:
        target = worker.target
        told = self._order({"name": target.name, "version": target.version, "endpoint": target.endpoint})
        return {**told, "profile": target.profile.to_json(), "latitude": worker.latitude.used()}

    def _order(self, target: dict[str, Any]) -> dict[str, Any]:
        """What was asked for, known also where the target could not be opened."""
        return {
            "target": target,
            "command": self.command,
            "version": suite_version(),
            "ledger": ledger_version(),
            "seed": self.seed,
            "budget": self.budget,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "capabilities": self.capabilities,
            "shard": list(self.part),
        }

    def search(self, share: Share) -> int:
        """Loop over the chunks of a share until its seconds are spent; the number of chunks begun.

        What a resumed run has done counts: its chunks are not run again, nor its seconds spent again. Where the target
        has nothing of the capability, one chunk says so, and the shares that follow have what is left.
        """
        # The target is opened first: that is no part of the search.
        if not self.worker().target.profile.claims(share.capability):
            return 1
        seconds = share.seconds * self._stretch() - self.done.seconds(share.capability, share.shard, share.shards)
        seconds, self._yielded = seconds + self._yielded / 2, self._yielded / 2
        deadline = time.monotonic() + seconds
        begun = 0
        for number, chunk_seed in share.chunks(self.seed):
            chunk = (share.capability, number)
            if chunk not in self.done.ended:
                if time.monotonic() >= deadline:
                    break
                with self._surviving() as worker:
                    worker.chunk(*chunk, chunk_seed, deadline)
            begun += 1
            if share.capability in ALONE and not self.worker().has(share.capability):
                self._yielded += max(0.0, deadline - time.monotonic())
                break
        return begun + any(name == share.capability for name, _ in self.done.programs)

    def _stretch(self) -> float:
        """By how much shares get longer: what directed checks leave of their part, if any are made, is the search's."""
        left = 0.0 if self.done.active else max(0.0, self.budget * CHECK_SHARE - self._checking)
        return 1 + left / (self.budget * (1 - CHECK_SHARE))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Close the target; the parent merges."""
        if self._worker is not None:
            self._worker.end()
            self._worker.target.close()
        if not self.is_worker and "DYNORACLE_PARENT" not in os.environ and list(self.folder.journals):
            stopped = "interrupted" if exitstatus == pytest.ExitCode.INTERRUPTED else "budget"
            run = merge(self.folder, stopped=stopped)
            settled = [f for f in run.findings if not f.unsettled]
            sys.stdout.write(f"\n{len(settled)} findings in {self.folder.report}\n")
            if exitstatus == pytest.ExitCode.OK and failing(run, self.fail_on):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _end_with_parent(pipe: int) -> None:
    """Interrupt this process when the command that started it is gone: it holds the other end of the pipe."""

    def wait() -> None:
        if not os.read(pipe, 1):
            os.killpg(os.getpgid(0), signal.SIGINT)

    # What a script starts in its background ignores interrupts, and so does all that this starts in its turn.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=wait, name="dynoracle-parent", daemon=True).start()


def _workers(config: pytest.Config) -> int:
    if hasattr(config, "workerinput"):
        return int(config.workerinput["workercount"])
    count = getattr(config.option, "numprocesses", None) or 0
    return count if isinstance(count, int) and count > 0 else 1


def campaign_of(config: pytest.Config) -> Campaign | None:
    """The campaign of this pytest run, if a target was named."""
    found = config.pluginmanager.get_plugin("dynoracle-campaign")
    return found if isinstance(found, Campaign) else None


def cases(config: pytest.Config) -> Iterator[Share]:
    """The shares to search, as pytest parameters."""
    campaign = campaign_of(config)
    yield from campaign.shares() if campaign else ()


def checks_of(config: pytest.Config) -> Iterator[Check]:
    """The directed checks to make, as pytest parameters."""
    campaign = campaign_of(config)
    yield from campaign.checks() if campaign else ()


def known_of(config: pytest.Config) -> Iterator[Known]:
    """The known findings to replay, as pytest parameters."""
    campaign = campaign_of(config)
    yield from campaign.known() if campaign else ()


def pending_of(config: pytest.Config) -> Iterator[str]:
    """The fingerprints of divergences that an interrupted run found and did not reduce, as pytest parameters."""
    campaign = campaign_of(config)
    yield from campaign.done.pending if campaign else ()


def _part(text: str) -> tuple[int, int]:
    try:
        return part_of(text)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def _severities(text: str) -> set[str]:
    try:
        return severities_of(text)
    except ValueError as error:
        raise pytest.UsageError(f"--dynoracle-fail-on: {error}") from None


def _defined(path: str) -> list[dict[str, Any]]:
    try:
        return read_definitions(Path(path))
    except DefinitionError as error:
        raise pytest.UsageError(f"--dynoracle-schema: {error}") from None


def _gathered(baseline: str | None, previous: str | None) -> tuple[Known, ...]:
    try:
        return gather(Path(baseline) if baseline else None, Path(previous) if previous else None)
    except RecordError as error:
        raise pytest.UsageError(str(error)) from None
