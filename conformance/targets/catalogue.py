"""The targets known by name: those that come with this package, and the user's own."""

from __future__ import annotations

import functools
import platform as machine
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from conformance.targets.profile import DURABILITIES, Durability, Profile

USER_FILE = "dynoracle.toml"
_OURS = Path(__file__).with_name("catalogue.toml")
SOURCES = ("", "bundled", "pip", "npm", "npm-pack")


class CatalogueError(Exception):
    """An entry that cannot be used, or a name that is none; the message names file, entry and member."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One target: what it is, how it is installed and started, what it claims (see catalogue.toml for the members)."""

    name: str
    title: str = ""
    source: str = ""
    package: str = ""
    version: str = ""
    licence: str = ""
    endpoint: str = ""
    start: tuple[str, ...] = ()
    memory: tuple[str, ...] = ()
    persist: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    persist_env: Mapping[str, str] = field(default_factory=dict)
    persist_durability: Durability = "process"
    needs: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    file_env: str = ""
    on_path: str = ""
    version_command: tuple[str, ...] = ()
    inprocess: str = ""
    region: str = ""
    ca_file: str = ""
    insecure: bool = False
    notes: tuple[str, ...] = ()
    profile: Profile = field(default_factory=Profile)

    @property
    def persists(self) -> bool:
        """Whether it can be started so that its data outlives the process."""
        return bool(self.persist or self.persist_env)


def catalogue(folder: Path | None = None) -> dict[str, Entry]:
    """Every known target by name; the user's entries in ``folder`` (default: the working one) win over ours.

    CatalogueError when a file cannot be used.
    """
    entries = dict(_ours())
    users = (folder or Path.cwd()) / USER_FILE
    if users.is_file():
        entries |= _read(users, entries)
    return entries


def find(name: str, folder: Path | None = None) -> Entry:
    """The target of that name; CatalogueError lists the known ones when there is none."""
    entries = catalogue(folder)
    if name not in entries:
        if re.fullmatch(r"[\w.\-]+:\d+(/.*)?", name):
            raise CatalogueError(f"no target is named {name!r}: give the URL of an endpoint as http://{name}")
        known = ", ".join(sorted(entries))
        raise CatalogueError(f"no target is named {name!r}: give one of {known}, or the URL of an endpoint")
    return entries[name]


def platform() -> str:
    """This machine as npm names it, for example ``linux-x64``."""
    processor = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
    system = {"linux": "linux", "darwin": "darwin", "win32": "win32"}.get(sys.platform, sys.platform)
    return f"{system}-{processor.get(machine.machine().lower(), machine.machine().lower())}"


@functools.cache
def _ours() -> Mapping[str, Entry]:
    return _read(_OURS, {})


_MEMBERS = {member.name for member in fields(Entry)} - {"name"}
_LISTS = {"start", "memory", "persist", "version_command", "notes"}
_TABLES = {"env", "persist_env", "needs"}


def _read(path: Path, known: Mapping[str, Entry]) -> dict[str, Entry]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"{path.name}: not TOML: {error}") from error
    targets = table.get("targets", {})
    if not isinstance(targets, dict):
        raise CatalogueError(f"{path.name}: targets is {targets!r}; write [targets.NAME] tables")
    return {name: _entry(f"{path.name}: targets.{name}", name, members, known) for name, members in targets.items()}


def _entry(where: str, name: str, members: Any, known: Mapping[str, Entry]) -> Entry:
    if not isinstance(members, dict):
        raise CatalogueError(f"{where} is {members!r}; it must be a table")
    base = known.get(name)
    values: dict[str, Any] = {} if base is None else {member: getattr(base, member) for member in _MEMBERS}
    for member, value in members.items():
        values[member] = _member(f"{where}.{member}", member, value, base)
    entry = Entry(name, **values)
    if entry.source not in SOURCES:
        raise CatalogueError(f"{where}.source is {entry.source!r}; it must be one of {', '.join(SOURCES[1:])}")
    if entry.persist_durability not in DURABILITIES:
        known_ones = ", ".join(DURABILITIES)
        raise CatalogueError(
            f"{where}.persist_durability is {entry.persist_durability!r}; it must be one of {known_ones}"
        )
    if not entry.start and not entry.endpoint:
        raise CatalogueError(f"{where} has neither start nor endpoint: say how to start it or where it answers")
    return entry


def _member(where: str, member: str, value: Any, base: Entry | None) -> Any:
    if member == "profile":
        if not isinstance(value, dict):
            raise CatalogueError(f"{where} is {value!r}; it must be a table")
        try:
            return Profile.from_table(value, None if base is None else base.profile)
        except (ValueError, TypeError) as error:
            raise CatalogueError(f"{where}: {error}") from error
    if member not in _MEMBERS:
        raise CatalogueError(f"{where} is unknown; known: {', '.join(sorted(_MEMBERS))}")
    if member in _LISTS:
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise CatalogueError(f"{where} is {value!r}; it must be a list of texts")
        return tuple(value)
    if member in _TABLES:
        if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
            raise CatalogueError(f"{where} is {value!r}; it must be a table of texts")
        return value
    wanted = bool if member == "insecure" else str
    if not isinstance(value, wanted):
        raise CatalogueError(f"{where} is {value!r}; it must be a {'true or false' if wanted is bool else 'text'}")
    return value
