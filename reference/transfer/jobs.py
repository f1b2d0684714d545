"""Exports, imports and bulk operations as records that outlive their tables (beyond:EXP-8, IMP-11, BLK-2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reference.tables.settings import DAY

Kind = Literal["export", "import", "bulk"]

LISTED = 90 * DAY
"""Seconds for which a job is listed."""
TOKEN = 8 * 3600.0
"""Seconds for which a client token is remembered."""
TOKEN_DIGITS = 112
"""Characters of a page token, a multiple of 16."""


@dataclass(frozen=True, slots=True)
class Job:
    """One export, import or bulk operation.

    ``number`` counts the account's jobs. ``told`` holds the members of its description but the status and the times;
    ``token`` and ``digest`` are the client's and that of its request. ``started`` and ``ended`` are epoch seconds.
    ``work`` is what is left to do.
    """

    kind: Kind
    number: int
    arn: str
    table: str
    table_id: str
    started: float
    status: str = "IN_PROGRESS"
    ended: float | None = None
    told: Mapping[str, Any] = field(default_factory=dict)
    token: str = ""
    digest: str = ""
    work: Any = None

    @property
    def id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rsplit("/", 1)[1]


class Jobs:
    """The jobs of one account and region, by ARN; copies share the jobs."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[str, Job] = {}

    def put(self, job: Job) -> None:
        """Keep a job, in the place of its former self if there is one."""
        self._held[job.arn] = job

    def find(self, kind: Kind, arn: str) -> Job | None:
        """The job of that kind with that ARN, or None."""
        job = self._held.get(arn)
        return job if job is not None and job.kind == kind else None

    def listed(self, kind: Kind, now: float) -> list[Job]:
        """The jobs of a kind that began within the last 90 days, the newest first."""
        found = [job for job in self._held.values() if job.kind == kind and job.started > now - LISTED]
        return sorted(found, key=lambda job: job.number, reverse=True)

    def __len__(self) -> int:
        return len(self._held)

    def running(self, kind: Kind) -> int:
        """How many jobs of a kind have not ended."""
        return sum(job.kind == kind and job.ended is None for job in self._held.values())

    def making(self, table_id: str) -> bool:
        """Whether an import that has not ended makes the table with that id."""
        return any(
            job.kind == "import" and job.ended is None and job.table_id == table_id for job in self._held.values()
        )

    def repeated(self, kind: Kind, token: str | None, now: float) -> Job | None:
        """The job that an earlier request with the same client token began, if the token still counts."""
        if token is None:
            return None
        found = (job for job in self._held.values() if job.kind == kind and job.token == token)
        return next((job for job in found if now < job.started + TOKEN), None)

    def copy(self) -> Jobs:
        """An independent collection of the same jobs."""
        other = Jobs()
        other._held = dict(self._held)
        return other


def jobs(rooms: dict[str, Any]) -> Jobs:
    """The jobs among an account's rooms, to be changed."""
    room = rooms.setdefault("jobs", Jobs())
    assert isinstance(room, Jobs)
    return room


def known_jobs(rooms: dict[str, Any]) -> Jobs:
    """The jobs among an account's rooms, for looking only."""
    room = rooms.get("jobs", Jobs())
    assert isinstance(room, Jobs)
    return room


def page(found: list[Job], kind: Kind, size: int, token: str | None) -> tuple[list[Job], str | None] | None:
    """One page of a kind's jobs after a token, and the token of the next; None when the token is none of ours."""
    if token is not None:
        after = _position(kind, token)
        if after is None:
            return None
        found = [job for job in found if job.number < after]
    shown = found[:size]
    return shown, _next_token(shown[-1]) if len(found) > size else None


def _next_token(job: Job) -> str:
    """Kind and number of a page's last job, in as many hexadecimal digits as the model asks for at least."""
    return f"{job.kind}|{job.number}".encode().hex().ljust(TOKEN_DIGITS, "0")


def _position(kind: Kind, token: str) -> int | None:
    try:
        named, number = bytes.fromhex(token).rstrip(b"\0").decode().split("|")
        return int(number) if named == kind and number.isascii() and number.isdigit() else None
    except ValueError:
        return None
