"""Puts emulators into the cache folder, each version in a folder of its own, and tells what is there."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from conformance.targets.catalogue import Entry, platform
from conformance.targets.process import fill

INSTALL_LIMIT = 900.0
"""Seconds that one command of an installation may take."""
VERSION_LIMIT = 30.0
_MARKER = "installed.json"
_TAIL = 1_500


class InstallError(Exception):
    """Something that is missing or failed while installing; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a target is: the values of a command's ``{names}``, and the version found there."""

    names: Mapping[str, str]
    version: str
    folder: Path | None


def cache_folder() -> Path:
    """Where emulators are installed: ``$DYNORACLE_CACHE``, or else ``~/.cache/dynoracle``."""
    given = os.environ.get("DYNORACLE_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "dynoracle"


def missing(entry: Entry) -> list[str]:
    """What the machine lacks to install and start a target, one sentence each."""
    return [
        f"{entry.name} needs {what}, and `{program}` is not on the PATH: install it"
        for program, what in entry.needs.items()
        if shutil.which(program) is None and not (program == "npm" and located(entry) is not None)
    ]


def located(entry: Entry) -> Place | None:
    """Where a target is on this machine, or None when it must be installed first.

    InstallError when the user names a file (``file_env``) that is none.
    """
    names = {"python": sys.executable, "platform": platform()}
    given = os.environ.get(entry.file_env, "") if entry.file_env else ""
    if given:
        path = Path(given).expanduser()
        if not path.is_file():
            raise InstallError(f"{entry.file_env} is {given!r}, which is no file: give the path of {entry.title}")
        return _at(entry, path, names)
    on_path = shutil.which(entry.on_path) if entry.on_path else None
    if on_path:
        return _at(entry, Path(on_path), names)
    if entry.source == "bundled":
        return Place(names, _bundled_version(entry), None)
    if not entry.source:
        return Place(names, entry.version, None)
    folder = _folder(entry)
    if not (folder / _MARKER).is_file():
        return None
    return _installed(entry, folder, names)


def install(entry: Entry) -> Place:
    """Install a target into the cache folder unless it is there; InstallError says what is missing to do or start it.

    Two processes may ask at once: one installs, the other waits.
    """
    lacking = missing(entry)
    if lacking:
        raise InstallError("; ".join(lacking))
    place = located(entry)
    if place is not None:
        return place
    folder = _folder(entry)
    with _lock(folder):
        if not (folder / _MARKER).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            _INSTALLERS[entry.source](entry, folder)
            _mark(entry, folder)
    place = located(entry)
    if place is None:
        raise InstallError(f"{entry.name} was installed into {folder} but is not there: remove that folder, try again")
    return place


def _at(entry: Entry, path: Path, names: dict[str, str]) -> Place:
    names |= {"file": str(path), "folder": str(path.parent), "install": str(path.parent)}
    return Place(names, _asked_version(entry, names), path.parent)


def _installed(entry: Entry, folder: Path, names: dict[str, str]) -> Place:
    names["install"] = str(folder)
    if entry.source == "pip":
        names["python"] = str(folder / "venv" / "bin" / "python")
    if entry.file:
        path = folder / fill(entry.file, names)
        names |= {"file": str(path), "folder": str(path.parent)}
    version = json.loads((folder / _MARKER).read_text(encoding="utf-8"))["version"]
    return Place(names, version, folder)


def _folder(entry: Entry) -> Path:
    return cache_folder() / f"{entry.name}-{entry.version}"


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _mark(entry: Entry, folder: Path) -> None:
    """Written last: a folder without it is half installed."""
    names = {"python": sys.executable, "platform": platform(), "install": str(folder)}
    if entry.file:
        path = folder / fill(entry.file, names)
        if not path.is_file():
            raise InstallError(f"{entry.package} {entry.version} has no {path.relative_to(folder)}: another version?")
        names |= {"file": str(path), "folder": str(path.parent)}
        if entry.start[0] == "{file}":
            path.chmod(path.stat().st_mode | 0o100)
    version = _asked_version(entry, names) or entry.version
    marker = {"name": entry.name, "package": fill(entry.package, names), "version": version}
    (folder / _MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")


def _pip(entry: Entry, folder: Path) -> None:
    python = folder / "venv" / "bin" / "python"
    _run(entry, [sys.executable, "-m", "venv", str(folder / "venv")], folder)
    pinned = f"{entry.package}=={entry.version}"
    _run(entry, [str(python), "-m", "pip", "install", "--disable-pip-version-check", "-q", pinned], folder)


def _npm(entry: Entry, folder: Path) -> None:
    # Install scripts are left out: none of the targets needs one, and some registries' clients refuse them.
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run(entry, ["npm", "install", "--prefix", str(folder), *options, _npm_name(entry)], folder)


def _npm_pack(entry: Entry, folder: Path) -> None:
    _run(entry, ["npm", "pack", "--ignore-scripts", "--loglevel=error", _npm_name(entry)], folder)
    archives = sorted(folder.glob("*.tgz"))
    if len(archives) != 1:
        raise InstallError(f"npm pack {_npm_name(entry)} left {len(archives)} archives in {folder} instead of one")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    archives[0].unlink()


_INSTALLERS = {"pip": _pip, "npm": _npm, "npm-pack": _npm_pack}


def _npm_name(entry: Entry) -> str:
    return f"{fill(entry.package, {'platform': platform()})}@{entry.version}"


def _run(entry: Entry, argv: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            argv, cwd=folder, capture_output=True, text=True, errors="replace", timeout=INSTALL_LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        raise InstallError(f"installing {entry.name}: {argv[0]} took over {INSTALL_LIMIT:g} s: try again") from None
    except OSError as error:
        raise InstallError(f"installing {entry.name}: {argv[0]!r} could not be run: {error.strerror}") from error
    if done.returncode:
        said = (done.stderr or done.stdout)[-_TAIL:].strip()
        raise InstallError(f"installing {entry.name}: {' '.join(argv)} ended with {done.returncode}:\n{said}")


def _bundled_version(entry: Entry) -> str:
    try:
        return metadata.version(entry.package or "dynoracle")
    except metadata.PackageNotFoundError:
        return entry.version


def _asked_version(entry: Entry, names: Mapping[str, str]) -> str:
    """What the program itself says its version is, or nothing."""
    if not entry.version_command:
        return ""
    argv = [fill(part, names) for part in entry.version_command]
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=VERSION_LIMIT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+\.\d+[\w.+-]*", done.stdout + done.stderr)
    return found[0] if found else ""
