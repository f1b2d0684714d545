"""Backups: what is kept of a table, under which ARN, and for how long (beyond:BKP-1 to BKP-13)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from reference.moments import milliseconds
from reference.tables.settings import DAY
from reference.tables.table import Table

Kind = Literal["USER", "SYSTEM"]

SYSTEM_DAYS = 35
"""Days after which the backup of a deleted table expires (beyond:BKP-13)."""
SYSTEM_SUFFIX = "00000000"

_ARN = re.compile(r"arn:([^:]*):([^:]*):([^:]*):([^:]*):table/([^/]+)/backup/([^/]+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup. ``table`` is the table as it was, which never changes again; times are epoch seconds.

    ``id`` begins with the milliseconds of ``created`` in 14 digits, so that ids sort by time.
    """

    id: str
    name: str
    kind: Kind
    created: float
    table: Table
    expires: float | None = None

    @property
    def arn(self) -> str:
        """The ARN of the backup in the table's own region."""
        return f"{self.table.arn}/backup/{self.id}"


@dataclass(frozen=True, slots=True)
class BackupArn:
    """The parts of something shaped like the ARN of a backup."""

    partition: str
    service: str
    region: str
    account: str
    table: str
    id: str

    @classmethod
    def of(cls, arn: str) -> BackupArn | None:
        """The parts of an ARN; None when it is no ARN of a backup at all."""
        parts = _ARN.fullmatch(arn)
        return None if parts is None else cls(*parts.groups())


class Backups:
    """The backups of one account and region, by table name and id; copies share the backups."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], Backup] = {}

    def __iter__(self) -> Iterator[Backup]:
        """All backups, the oldest first."""
        return iter(sorted(self._held.values(), key=lambda each: (each.id, each.table.name)))

    def last(self) -> int | None:
        """The millisecond of the epoch in which the newest was made; None where there is none."""
        return max((milliseconds(backup.created) for backup in self._held.values()), default=None)

    def find(self, table: str, id: str) -> Backup | None:
        """The backup of a table name with that id."""
        return self._held.get((table, id))

    def add(self, backup: Backup) -> None:
        """Keep a backup."""
        self._held[backup.table.name, backup.id] = backup

    def drop(self, table: str, id: str) -> None:
        """Forget a backup, if it is there."""
        self._held.pop((table, id), None)

    def copy(self) -> Backups:
        """An independent collection of the same backups."""
        other = Backups()
        other._held = dict(self._held)
        return other


def backups(rooms: dict[str, Any]) -> Backups:
    """The backups among an account's rooms, to be changed."""
    room = rooms.setdefault("backups", Backups())
    assert isinstance(room, Backups)
    return room


def known_backups(rooms: dict[str, Any]) -> Backups:
    """The backups among an account's rooms, for looking only: it makes no room where there is none."""
    room = rooms.get("backups", Backups())
    assert isinstance(room, Backups)
    return room


def snapshot(table: Table) -> Table:
    """A table as it is now, without its history."""
    taken = table.copy()
    taken.log.clear()
    taken.keep = 0.0
    return taken


def new_id(now: float, suffix: str) -> str:
    """The id of a backup, export or import that begins at ``now``: milliseconds in 14 digits, and 8 hex digits."""
    return f"{milliseconds(now):014d}-{suffix}"


def keep_deleted(rooms: dict[str, Any], table: Table, now: float) -> Backup:
    """Keep the backup that the service makes of a deleted table with point-in-time recovery (beyond:BKP-13)."""
    held, moment = backups(rooms), now
    # Namesakes deleted within a millisecond would share one ARN.
    while held.find(table.name, new_id(moment, SYSTEM_SUFFIX)) is not None:
        moment += 0.001
    made = Backup(
        new_id(moment, SYSTEM_SUFFIX),
        f"{table.name}$DeletedTableBackup",
        "SYSTEM",
        moment,
        snapshot(table),
        moment + SYSTEM_DAYS * DAY,
    )
    held.add(made)
    return made
