"""For other projects' tests: one call that runs the suite on an endpoint, in a process of its own.

from conformance.api import run_conformance

def test_conformance(my_emulator):
    run_conformance(my_emulator.url, budget="60s", fail_on="crash,data")
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import conformance
from conformance.record.codec import RecordError
from conformance.record.folder import read_run
from conformance.record.run import Run
from conformance.search.baseline import failing, severities_of

SHOWN = 20
"""Findings that a failure names."""
_ROOT = Path(conformance.__file__).parents[1]


class ConformanceError(AssertionError):
    """The endpoint does not behave as DynamoDB does; the message names findings, and ``run`` has them all."""

    def __init__(self, text: str, run: Run) -> None:
        super().__init__(text)
        self.run = run


class ConformanceUnknown(RuntimeError):
    """There is no verdict: the endpoint was not reached, or an option is wrong; the message says which."""


def run_conformance(
    endpoint: str,
    *,
    budget: str | float = "60s",
    fail_on: str = "any",
    capabilities: Sequence[str] = (),
    baseline: str | Path | None = None,
    previous: str | Path | None = None,
    seed: int = 0,
    workers: int = 1,
    out: str | Path | None = None,
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Run:
    """Search an endpoint (or a catalogue name) for differences from DynamoDB; the run, when it passes.

    ``budget`` is a duration such as ``90s`` or a number of seconds; ``fail_on`` a comma list of severities, ``any`` or
    ``none``; ``out`` the run folder with the reports (a temporary one by default, which stays); ``options`` are further
    ones of ``dynoracle run``. Raises ConformanceError for findings, ConformanceUnknown when there is no verdict.

    The caller's own packages and pytest settings have no part in it, whatever they are called.
    """
    severities = severities_of(fail_on)
    folder = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="dynoracle-run-"))
    told = {"budget": str(budget), "fail-on": fail_on, "seed": str(seed), "out": str(folder)}
    told |= {name: str(path) for name, path in (("baseline", baseline), ("previous", previous)) if path is not None}
    command = [sys.executable, "-P", "-m", "dynoracle", "run", endpoint, "-n", str(workers), *options]
    command += [part for name, value in told.items() for part in (f"--{name}", value)]
    command += [part for name in capabilities for part in ("--capability", name)]
    done = subprocess.run(
        command, env=_environment(env or {}), capture_output=True, text=True, errors="replace", check=False
    )
    try:
        run = read_run(folder)
    except RecordError as error:
        raise ConformanceUnknown(done.stderr.strip() or str(error)) from error
    found = failing(run, severities)
    if found:
        raise ConformanceError(_text(run, folder, severities), run)
    if done.returncode != 0:
        raise ConformanceUnknown(done.stderr.strip() or f"no verdict; see {folder}")
    return run


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "DYNORACLE_PARENT", "COV_CORE_"))}
    path = os.pathsep.join(filter(None, (str(_ROOT), kept.get("PYTHONPATH", ""))))
    return {**kept, **given, "PYTHONPATH": path}


def _text(run: Run, folder: Path, severities: set[str]) -> str:
    found = failing(run, severities)
    lines = [f"{len(found)} differences from DynamoDB; report: {folder / 'report.html'}"]
    lines += [f"  {f.severity}: {f.summary[:160]} [{f.rule}] {f.fingerprint}" for f in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"  and {len(found) - SHOWN} more")
    lines.append(f"replay one: dynoracle replay {folder / 'findings' / found[0].fingerprint}")
    return "\n".join(lines)
