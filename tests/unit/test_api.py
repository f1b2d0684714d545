"""Other projects' tests: the suite in a repository with packages and pytest settings of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.api import ConformanceError, ConformanceUnknown, run_conformance
from conformance.record.folder import read_run
from reference.account import Account
from reference.server import ThreadedServer
from reference.service import Service

pytestmark = pytest.mark.slow  # whole runs with limits of their own: `make runs`

ROOT = Path(__file__).parents[2]
PYTEST_INI = "[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\ntestpaths = tests\n"
TEST = """
from conformance.api import run_conformance

def test_conformance(tmp_path):
    run = run_conformance({url!r}, options=["--rule", "keys.empty-string"], out=tmp_path / "run")
    assert run.calls > 0 and run.checks
    assert (tmp_path / "run" / "report.html").exists()
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose packages are called as ours are, and which imports them."""
    for name in ("reports", "chaos", "tests", "benchmarks"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("MINE = True\n")
    (tmp_path / "pytest.ini").write_text(PYTEST_INI)
    (tmp_path / "conftest.py").write_text("import chaos, reports\n\nassert chaos.MINE and reports.MINE\n")
    return tmp_path


@pytest.fixture
def endpoint() -> Iterator[str]:
    with ThreadedServer(Service(Account())) as server:
        yield server.url


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "DYNORACLE", "COV_CORE"))}
    script = Path(sys.executable).with_name("pytest")
    return subprocess.run(
        [str(script), "-q", "-p", "no:cacheprovider", *arguments], cwd=folder, env=kept, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip


def test_the_suite_by_pytests_own_command(repository: Path, endpoint: str) -> None:
    done = pytest_in(
        repository, "--pyargs", "conformance.suite", f"--dynoracle-endpoint={endpoint}", "--dynoracle-budget=1",
        "--dynoracle-capability=batches", "--dynoracle-out=run",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 findings in" in done.stdout
    run = read_run(repository / "run")
    assert run.checks
    assert run.findings == ()


def test_a_wrong_option_is_told_of(repository: Path) -> None:
    done = pytest_in(repository, "--pyargs", "conformance.suite", "--dynoracle-target=x", "--dynoracle-fail-on=worst")
    assert done.returncode == int(pytest.ExitCode.USAGE_ERROR)
    assert "'worst' is no severity" in done.stderr


def test_the_function_in_a_test_of_that_repository(repository: Path, endpoint: str) -> None:
    (repository / "tests" / "test_it.py").write_text(TEST.format(url=endpoint))
    done = pytest_in(repository)
    assert done.returncode == 0, done.stdout + done.stderr


def test_findings_fail_and_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConformanceError) as told:
        run_conformance("moto:inprocess", out=tmp_path, options=["--rule", "capacity.shape"])
    assert str(tmp_path / "report.html") in str(told.value)
    found = [finding for finding in told.value.run.findings if not finding.unsettled]
    assert f"{len(found)} differences from DynamoDB" in str(told.value)
    assert found[0].fingerprint in str(told.value)


def test_no_verdict_is_no_pass(tmp_path: Path) -> None:
    with pytest.raises(ConformanceUnknown, match="no target is named 'nosuch'"):
        run_conformance("nosuch", out=tmp_path / "run")
    with pytest.raises(ValueError, match="is no severity"):
        run_conformance("moto", fail_on="worst")
