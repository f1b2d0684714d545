"""The tables that a run made on an endpoint it did not start, on disk before they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.record import journal
from conformance.record.codec import RecordError
from conformance.record.journal import Journal

FOLDER = "tables"
PREFIX = "dynoracle-"
"""How the names of all tables begin that are made for programs."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where tables were made: an endpoint in a region."""

    target: str
    endpoint: str
    region: str


class TableLedger:
    """Appends to a file what becomes of each table: ``asked``, then ``made`` or ``refused``, and ``gone``.

    Nothing is deleted that is not listed here, and of what was never answered only names that begin as ours do.
    """

    def __init__(self, path: Path, place: Place) -> None:
        self.path = path
        self._journal = Journal(path)
        self._journal.append("ledger", target=place.target, endpoint=place.endpoint, region=place.region)

    def note(self, what: str, name: str) -> None:
        """Write down what becomes of a table."""
        self._journal.append(what, table=name)

    def close(self) -> None:
        """Close the file."""
        self._journal.close()


def left(path: Path) -> tuple[Place, list[str]]:
    """Where the tables of a ledger were made, and those that may still be there; RecordError if it can't be read."""
    place: Place | None = None
    state: dict[str, str] = {}
    for row in journal.read(path):
        kind = row["kind"]
        if kind == "ledger":
            place = Place(str(row["target"]), str(row["endpoint"]), str(row["region"]))
        elif kind in ("made", "gone") or (kind in ("asked", "refused") and state.get(row["table"]) != "made"):
            state[row["table"]] = kind
    if place is None:
        raise RecordError(f"{path}: does not say where its tables were made: the file is damaged")
    return place, [name for name, last in state.items() if _may_be_there(name, last)]


def _may_be_there(name: str, last: str) -> bool:
    return last == "made" or (last == "asked" and name.startswith(PREFIX))


def ledgers(run: Path) -> Iterator[Path]:
    """The ledgers of a run's folder, one for each worker."""
    yield from sorted((run / FOLDER).glob("*.jsonl"))


def names_of(body: Any) -> str:
    """The table that a request makes or deletes, or nothing."""
    name = body.get("TableName") if isinstance(body, dict) else None
    return name if isinstance(name, str) else ""
