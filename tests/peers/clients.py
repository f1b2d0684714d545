"""The AWS CLI and the JavaScript SDK, installed into the cache folder, one folder for each version."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from conformance.targets.install import cache_folder

AWSCLI = "awscli==1.46.2"
JAVASCRIPT = (
    "@aws-sdk/client-dynamodb@3.1162.0",
    "@aws-sdk/client-dynamodb-streams@3.1141.0",
    "@aws-sdk/lib-dynamodb@3.1162.0",
)
INSTALL_LIMIT = 600.0
RUN_LIMIT = 60.0
KEYS = {"AWS_ACCESS_KEY_ID": "dynoracle", "AWS_SECRET_ACCESS_KEY": "dynoracle", "AWS_DEFAULT_REGION": "us-east-1"}


class CannotInstallError(Exception):
    """A client that this machine can't be given; the message says what failed."""


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Our environment without what a user has configured for AWS."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return {**ours, **KEYS, **nowhere, **more}


def aws_cli() -> Path:
    """The ``aws`` program, in a venv of its own."""
    if sys.platform == "win32":
        raise CannotInstallError("the AWS CLI is only installed where there are POSIX venvs")
    return _installed(f"client-{AWSCLI.replace('==', '-')}", _install_cli) / "venv" / "bin" / "aws"


def javascript_modules() -> Path:
    """The ``node_modules`` folder that holds the SDK's packages."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise CannotInstallError(f"`{program}` is not on the PATH")
    return _installed("client-javascript-" + JAVASCRIPT[0].rpartition("@")[2], _install_javascript) / "node_modules"


def _install_cli(folder: Path) -> None:
    _run([sys.executable, "-m", "venv", str(folder / "venv")], folder)
    pip = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    _run([*pip, AWSCLI], folder)


def _install_javascript(folder: Path) -> None:
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(["npm", "install", "--prefix", str(folder), *options, *JAVASCRIPT], folder)


def _installed(name: str, install: Callable[[Path], None]) -> Path:
    folder = cache_folder() / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Written last: a folder without it is half installed.
        if not (folder / "installed").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            install(folder)
            (folder / "installed").touch()
    return folder


def _run(argv: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=INSTALL_LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotInstallError(f"{argv[0]}: {error}") from error
    if done.returncode:
        raise CannotInstallError(
            f"{' '.join(argv)} ended with {done.returncode}: {(done.stderr or done.stdout)[-1_000:]}"
        )
