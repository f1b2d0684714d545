"""Named experiments as TOML files: which workloads under which faults, or one load on the reference in several arms."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from chaos import arms
from chaos.arms import ArmError, Comparison
from chaos.faults import FaultError, find
from chaos.workloads import WORKLOADS
from conformance.claims import claims

ALL = "failures"
"""What names all scenarios with arms."""
FOLDER = Path(__file__).parent / "scenarios"


_TYPES: Mapping[str, Any] = {
    "says": str, "workloads": list, "faults": list, "share": (int, float), "persist": bool,
}  # fmt: skip


class ScenarioError(ValueError):
    """A scenario that cannot be used; the message says which, what is wrong and what is known."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One named experiment. ``persist``: the target must keep its data when it is started again."""

    says: str
    workloads: tuple[str, ...] = tuple(WORKLOADS)
    faults: tuple[str, ...] = ()
    share: float = 0.1
    clients: int = 4
    acts: int = 30
    keys: int = 3
    persist: bool = False


def names() -> list[str]:
    """The scenarios that come with the program."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def failures() -> list[str]:
    """Those of them that have arms: the article's failures, in its order, each with what is done about it."""
    found = {name: each for name in names() if isinstance(each := load(name), Comparison)}
    order = list(claims())
    return sorted(found, key=lambda name: max(map(order.index, found[name].claims), default=len(order)))


def chosen(names_: str) -> tuple[Scenario, dict[str, Comparison]]:
    """The scenario of that name; or the comparisons of those names, comma-separated or all of them (``failures``).

    ScenarioError where there is none, or where several are not all comparisons.
    """
    listed = failures() if names_ == ALL else list(dict.fromkeys(name for name in names_.split(",") if name))
    found = {Path(name).stem: load(name) for name in listed}
    compared = {name: each for name, each in found.items() if isinstance(each, Comparison)}
    plain = [each for each in found.values() if isinstance(each, Scenario)]
    if (plain and compared) or len(plain) > 1:
        raise ScenarioError(f"{names_}: only scenarios with arms run together: {', '.join(failures())}")
    return (plain[0] if plain else Scenario("")), compared


def load(name: str) -> Scenario | Comparison:
    """A scenario by name or by the path of its file; ScenarioError says what is wrong with it."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        row = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(
            f"no scenario {name!r}; known: {', '.join(names())}, or the path of a .toml file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: not TOML: {error}") from error
    try:
        return arms.parse(row, str(path)) if "arms" in row else parse(row, str(path))
    except ArmError as error:
        raise ScenarioError(str(error)) from error


def parse(row: Mapping[str, Any], where: str) -> Scenario:
    """The scenario of a TOML table."""
    known = [field.name for field in fields(Scenario)]
    for name, value in row.items():
        if name not in known:
            raise ScenarioError(f"{where}: {name!r} is unknown; a scenario has: {', '.join(known)}")
        wanted = _TYPES.get(name, int)
        if not isinstance(value, wanted) or (wanted is int and (isinstance(value, bool) or int(value) < 1)):
            raise ScenarioError(f"{where}: {name} is {value!r}, which is of the wrong type")
    if "says" not in row:
        raise ScenarioError(f"{where}: `says` is missing; it tells what the scenario is for")
    for name in row.get("workloads", ()):
        if name not in WORKLOADS:
            raise ScenarioError(f"{where}: no workload is called {name!r}; known: {', '.join(WORKLOADS)}")
    try:
        for name in row.get("faults", ()):
            find(name)
    except FaultError as error:
        raise ScenarioError(f"{where}: {error}") from error
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    return Scenario(**given)
