"""What the command line does with targets, as data: printing is the caller's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from conformance.targets.catalogue import Entry, catalogue, find
from conformance.targets.install import InstallError, Place, located, missing
from conformance.targets.install import install as put_in_place
from conformance.targets.target import Access, Target, open_target


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list of targets. ``found`` is the version on this machine, or None when it must be installed."""

    entry: Entry
    found: str | None
    problems: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether it can be started now."""
        return self.found is not None and not self.problems


def list_targets(folder: Path | None = None) -> list[Listed]:
    """Every target of the catalogue with what is here and what is missing; CatalogueError for a bad user file."""
    rows = []
    for entry in catalogue(folder).values():
        try:
            place = located(entry)
            rows.append(Listed(entry, None if place is None else place.version, tuple(missing(entry))))
        except InstallError as error:
            rows.append(Listed(entry, None, (str(error),)))
    return rows


def install(name: str) -> Place:
    """Install a target by name; CatalogueError or InstallError say what is wrong."""
    return put_in_place(find(name))


def start(name: str, *, run_dir: Path | None = None, persist: bool = False, access: Access | None = None) -> Target:
    """Start a target by name; the caller closes it. Raises what ``open_target`` raises."""
    return open_target(name, run_dir=run_dir, persist=persist, access=access)
