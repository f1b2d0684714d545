"""The action and the workflows: they parse, their expressions name what exists, their scripts do what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.record.folder import RunFolder
from conformance.targets.catalogue import catalogue
from reports.site import build
from tests.unit.record_samples import RUN

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "action.yml", *sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
STUB = """#!/usr/bin/env bash
printf '%s\\n' "$@" > "$TOLD"
while [ $# -gt 0 ]; do if [ "$1" = --out ]; then out=$2; fi; shift; done
mkdir -p "$out/targets" && echo '# summary' > "$out/summary.md" && echo '{}' > "$out/report.json"
exit "${CODE:-0}"
"""


def load(path: Path) -> dict[Any, Any]:
    told = yaml.safe_load(path.read_text())
    assert isinstance(told, dict)
    return told


def steps(path: Path) -> list[dict[str, Any]]:
    told = load(path)
    jobs = [told["runs"]] if "runs" in told else list(told["jobs"].values())
    return [step for job in jobs for step in job["steps"]]


def step(path: Path, name: str) -> dict[str, Any]:
    return next(s for s in steps(path) if s.get("name") == name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_step_does_one_thing(path: Path) -> None:
    for told in steps(path):
        assert ("uses" in told) != ("run" in told)
        if "uses" in told:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", told["uses"])
        elif path.name == "action.yml":
            assert told["shell"] == "bash"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_scripts_get_what_users_say_by_environment_alone(path: Path) -> None:
    # An expression inside a script is how a branch name or an input becomes a command.
    for told in steps(path):
        assert "${{" not in told.get("run", "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_scripts_are_sound_bash(path: Path) -> None:
    for told in steps(path):
        if "run" in told:
            subprocess.run(["bash", "-n"], input=told["run"], text=True, check=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_expressions_name_inputs_steps_and_jobs_that_exist(path: Path) -> None:
    told, text = load(path), path.read_text()
    on = told.get("on", told.get(True, {}))
    inputs = set(told.get("inputs", {}))
    for event in on.values() if isinstance(on, dict) else ():
        inputs |= set(event.get("inputs", {})) if isinstance(event, dict) else set()
    ids = {s["id"] for s in steps(path) if "id" in s}
    expressions = " ".join(re.findall(r"\$\{\{(.*?)\}\}", text))
    assert set(re.findall(r"\binputs\.([\w-]+)", expressions)) <= inputs
    assert set(re.findall(r"\bsteps\.([\w-]+)", expressions)) <= ids
    jobs = told.get("jobs", {})
    for job in jobs.values():
        assert set([job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])) <= set(jobs)
        assert job["timeout-minutes"] <= 120


@pytest.mark.parametrize("path", FILES[1:], ids=lambda path: path.name)
def test_workflows_may_only_read(path: Path) -> None:
    assert load(path)["permissions"] == {"contents": "read"}


def test_ci_calls_what_everybody_calls() -> None:
    assert [s["run"] for s in steps(ROOT / ".github/workflows/ci.yml") if "run" in s] == ["make test"]


def test_nightly_tests_every_target_that_can_be_started() -> None:
    told = load(ROOT / ".github/workflows/nightly.yml")
    default = yaml.safe_load((told.get("on") or told[True])["workflow_call"]["inputs"]["targets"]["default"])
    startable = {name for name, entry in catalogue(ROOT).items() if entry.start and not name.startswith("reference-")}
    assert set(default) == startable
    assert f"'{(told.get('on') or told[True])['workflow_call']['inputs']['targets']['default']}'" in str(
        told["jobs"]["search"]["strategy"]["matrix"]["target"]
    )


def run(script: str, home: Path, **env: str) -> tuple[int, list[str]]:
    """Run a step's script as GitHub does, with a stub for the command; its exit code and what the stub was told."""
    stub = home / "bin" / "dynoracle"
    stub.parent.mkdir(exist_ok=True)
    stub.write_text(STUB)
    stub.chmod(0o755)
    told = home / "told"
    settings = {
        "PATH": f"{stub.parent}{os.pathsep}{os.environ['PATH']}", "TOLD": str(told), "DYNORACLE": str(stub),
        "GITHUB_OUTPUT": str(home / "output"), "GITHUB_STEP_SUMMARY": str(home / "summary"), **env,
    }  # fmt: skip
    bash = shutil.which("bash")
    assert bash
    done = subprocess.run([bash, "-e", "-o", "pipefail", "-c", script], cwd=home, env=settings, check=False)
    return done.returncode, told.read_text().splitlines()


def action(home: Path, **inputs: str) -> tuple[int, list[str]]:
    defaults = {name: str(told.get("default", "")) for name, told in load(ROOT / "action.yml")["inputs"].items()}
    env = {name.upper().replace("-", "_"): value for name, value in {**defaults, "target": "moto", **inputs}.items()}
    return run(step(ROOT / "action.yml", "Search")["run"], home, **env)


def test_the_action_runs_the_command(tmp_path: Path) -> None:
    code, told = action(tmp_path)
    assert code == 0
    assert told == [
        "run", "moto", "--budget", "2m", "--seed", "0", "--fail-on", "any", "--shard", "1/1", "--out", "dynoracle-run",
    ]  # fmt: skip
    assert (tmp_path / "output").read_text() == "run=dynoracle-run\nexit-code=0\n"
    assert (tmp_path / "summary").read_text() == "# summary\n"


def test_the_action_passes_on_what_it_is_told_and_how_it_ended(tmp_path: Path) -> None:
    (tmp_path / "last").mkdir()
    (tmp_path / "last" / "report.json").write_text("{}")
    code, told = action(
        tmp_path, baseline="b a.toml", previous="last", capabilities="items queries", target="$(touch x)", CODE="1"
    )
    assert code == 1
    assert told[:2] == ["run", "$(touch x)"]
    assert told[-8:] == [
        "--baseline", "b a.toml", "--previous", "last", "--capability", "items", "--capability", "queries",
    ]  # fmt: skip
    assert (tmp_path / "output").read_text().endswith("exit-code=1\n")
    assert not (tmp_path / "x").exists()


def test_a_previous_run_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    assert "--previous" not in action(tmp_path, previous="nowhere")[1]


def test_nightly_replays_the_night_before_and_keeps_some_nights(tmp_path: Path) -> None:
    script = step(ROOT / ".github/workflows/nightly.yml", "Search")["run"]
    for night in ("20261101-000000-moto", "20261102-000000-moto", "20261103-000000-moto"):
        (tmp_path / "runs" / night).mkdir(parents=True)
        (tmp_path / "runs" / night / "report.json").write_text("{}")
    code, told = run(script, tmp_path, TARGET="moto", BUDGET="1m", SEED="7", KEPT_RUNS="2")
    assert code == 0
    assert told[told.index("--previous") + 1] == "runs/20261103-000000-moto"
    assert told[told.index("--fail-on") + 1] == "none"
    left = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert left[0] == "20261103-000000-moto"
    assert len(left) == 2
    assert not (tmp_path / "runs" / left[1] / "targets").exists()


def test_nightly_fails_when_the_reference_is_found_wrong(tmp_path: Path) -> None:
    script = step(ROOT / ".github/workflows/nightly.yml", "Search")["run"]
    code, told = run(script, tmp_path, TARGET="reference", BUDGET="1m", SEED="7", KEPT_RUNS="2", CODE="1")
    assert code == 1
    assert told[told.index("--fail-on") + 1] == "any"
    assert "--previous" not in told


def test_nightly_makes_a_site_of_what_all_targets_left(tmp_path: Path) -> None:
    for target in ("moto", "dynalite"):
        folder = RunFolder(tmp_path / "runs" / f"runs-{target}" / f"20261103-000000-{target}")
        folder.path.mkdir(parents=True)
        folder.write_run(replace(RUN, target={**RUN.target, "name": target}))
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    code, told = run(step(ROOT / ".github/workflows/nightly.yml", "Site")["run"], tmp_path, INSTALL=".")
    assert (code, told) == (0, ["site", "runs", "--out", "site"])
    site = build(tmp_path / told[1], tmp_path / "made")
    assert set(site.trends) == {"moto", "dynalite"}
