"""Chromium and axe-core: found, or installed the first time they are needed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache

from conformance.targets.install import cache_folder

AXE = "4.11.0"
INSTALL_LIMIT = 600.0
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
"""A browser that asks nothing of the network by itself, and runs as root."""


class CannotInstallError(Exception):
    """What this machine can't be given; the message says what failed."""


@cache
def chromium() -> str:
    """The browser's program; Debian's package is installed when none is there and we may."""
    found = _on_path()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _run(["apt-get", "update", "-qq"])
        _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"])
        found = _on_path()
    if found is None:
        raise CannotInstallError("no Chromium is on the PATH: install the package `chromium`")
    return found


@cache
def axe() -> str:
    """The text of axe-core, from npm by way of the cache folder."""
    folder = cache_folder() / f"axe-core-{AXE}"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        _run(["npm", "install", "--prefix", str(folder), *quiet, f"axe-core@{AXE}"])
    return script.read_text(encoding="utf-8")


def _on_path() -> str | None:
    which: Callable[[str], str | None] = shutil.which
    return next(filter(None, map(which, NAMES)), None)


def _run(argv: list[str]) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(argv, env=quiet, capture_output=True, text=True, timeout=INSTALL_LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotInstallError(f"{argv[0]}: {error}") from error
    if done.returncode:
        raise CannotInstallError(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr[-1_000:]}")
