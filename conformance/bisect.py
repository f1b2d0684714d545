"""The first version of a target that shows a finding."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from conformance.replay import Opener, Recorded, ReplayError, replay_known_on
from conformance.targets.catalogue import CatalogueError, Entry, find
from conformance.targets.target import Access, open_entry

PIP_PACKAGES = {"moto": "moto[server,dynamodb]"}
"""What must be installed of a target that otherwise comes with this package."""

Versions = Callable[[str], Opener]
"""How a version is opened."""


@dataclass(frozen=True, slots=True)
class Bisected:
    """The first version that shows the finding, or None, and the outcome in a sentence."""

    first: str | None
    text: str


def first_showing(
    finding: Recorded,
    versions: Sequence[str],
    opener: Versions,
    tell: Callable[[str, str], None] = lambda version, state: None,
    *,
    every: bool = False,
) -> Bisected:
    """The first of ``versions`` (oldest first) that shows the finding.

    Unless ``every`` is asked for, half of what is left is ruled out by each replay: that is right where the finding,
    once it came, stayed. ReplayError when a version cannot be installed or started.
    """
    states: dict[str, bool] = {}

    def shows(version: str) -> bool:
        if version not in states:
            state = replay_known_on(finding.known, opener(version)).state
            tell(version, state)
            states[version] = state in ("still there", "flaky")
        return states[version]

    if every:
        told = [version for version in versions if shows(version)]
        return _result(told[0] if told else None, versions, sure=True)
    if not shows(versions[-1]):
        return _result(None, versions, sure=False)
    low, high = 0, len(versions) - 1  # versions[high] shows it; what lies before low does not.
    while low < high:
        middle = (low + high) // 2
        if shows(versions[middle]):
            high = middle
        else:
            low = middle + 1
    return _result(versions[high], versions, sure=True)


def _result(first: str | None, versions: Sequence[str], *, sure: bool) -> Bisected:
    if first is None:
        which = "none of the versions shows it" if sure else f"{versions[-1]}, the newest, does not show it"
        return Bisected(None, which + ("" if sure else "; try --every"))
    if first == versions[0]:
        return Bisected(first, f"{first}, the oldest of these, shows it already")
    return Bisected(first, f"{first} is the first that shows it; {versions[versions.index(first) - 1]} does not")


def by_name(name: str) -> Versions:
    """Versions of a target of the catalogue, each installed in a folder of its own."""
    try:
        entry = find(name.removesuffix(":inprocess"))
    except CatalogueError as error:
        raise ReplayError(f"{error}; or give --start") from error
    package = PIP_PACKAGES.get(entry.name)
    if package is not None:
        entry = replace(entry, source="pip", package=package)
    if entry.source not in ("pip", "npm", "npm-pack"):
        raise ReplayError(f"versions of {entry.name} can't be installed: give --start with a command that runs one")
    return lambda version: _opening(replace(entry, version=version, on_path="", file_env=""))


def by_command(command: str) -> Versions:
    """Versions started by a command of the user's, with ``{version}`` and ``{port}`` in it."""
    if "{port}" not in command:
        raise ReplayError(f"--start {command!r} has no {{port}}: the server must listen where it is told to")
    return lambda version: _opening(
        Entry("bisected", version=version, start=tuple(shlex.split(command.replace("{version}", version))))
    )


def _opening(entry: Entry) -> Opener:
    return lambda home: open_entry(entry, home / "target", Access())
