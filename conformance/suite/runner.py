"""The campaign inside pytest: every xdist worker owns a target; the parent merges their journals."""

from __future__ import annotations

import os
import secrets
import shlex
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NoReturn

import pytest

from conformance.checks import all_checks
from conformance.checks.base import Check
from conformance.record.folder import RunFolder
from conformance.search.campaign import Share, ledger_version, merge, new_folder, shares
from conformance.search.checking import chosen
from conformance.search.worker import TargetLostError, Worker
from conformance.targets.catalogue import CatalogueError
from conformance.targets.install import InstallError
from conformance.targets.process import ProcessError
from conformance.targets.target import Access, Target, TargetError, open_target
from reference.api import Call, Lost


def suite_version() -> str:
    """The installed version of this project."""
    try:
        return version("dynoracle")
    except PackageNotFoundError:
        return "0"


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
        )
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
        self.workers = _workers(config)
        self._worker: Worker | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell an xdist worker where to journal and which run it belongs to."""
        node.workerinput["dynoracle_out"] = str(self.folder.path.resolve())
        node.workerinput["dynoracle_run"] = self.run_id

    def shares(self) -> list[Share]:
        """The cases of this campaign."""
        return shares(self.budget, self.workers, self.capabilities)

    def worker(self) -> Worker:
        """This process's worker; the target is opened when first needed."""
        if self._worker is None:
            target = self._open()
            self._worker = Worker(target, self.folder, self.name, self.run_id, timeout=self.timeout)
            self._worker.journal.append("run", **self._header(self._worker))
        return self._worker

    def _open(self) -> Target:
        """The target, answering; else the run ends with what is wrong with it."""
        try:
            target = open_target(self.spec, run_dir=self.folder.path / "targets", worker=self.name, access=self.access)
        except (CatalogueError, InstallError, ProcessError, TargetError) as error:
            self._give_up(str(error))
        silent = target.transport.send(Call("ListTables", {}), timeout=self.timeout)
        if isinstance(silent, Lost):
            target.close()
            self._give_up(f"{target.endpoint or target.name} does not answer as DynamoDB does: {silent.why}")
        return target

    def _give_up(self, text: str) -> NoReturn:
        with self.folder.journal(self.name) as journal:
            journal.append("error", text=text)
        pytest.exit(text, returncode=2)

    def _header(self, worker: Worker) -> dict[str, Any]:
        target = worker.target
        return {
            "target": {"name": target.name, "version": target.version, "endpoint": target.endpoint},
            "command": self.command,
            "version": suite_version(),
            "ledger": ledger_version(),
            "seed": self.seed,
            "budget": self.budget,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "capabilities": self.capabilities,
            "profile": target.profile.to_json(),
            "latitude": worker.latitude.used(),
        }

    def search(self, share: Share) -> int:
        """Loop over the chunks of a share until its seconds are spent; the number of chunks begun."""
        worker = self.worker()
        deadline = time.monotonic() + share.seconds
        begun = 0
        for number, chunk_seed in share.chunks(self.seed):
            if time.monotonic() >= deadline:
                break
            try:
                worker.chunk(share.capability, number, chunk_seed, deadline)
            except TargetLostError as lost:
                worker.journal.append("error", text=str(lost))
                pytest.exit(str(lost), returncode=2)
            begun += 1
        return begun

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
    if campaign is not None:
        yield from chosen(all_checks(), campaign.rules, campaign.capabilities)
