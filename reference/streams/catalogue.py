"""Which streams there are: those of living tables, and those that can be read for a day after they ended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reference.tables.settings import STREAM_RETENTION, StreamSpan
from reference.tables.table import Table

_ARN = re.compile(r"arn:[^:]+:dynamodb:[^:]*:[^:]*:table/[a-zA-Z0-9_.-]{1,255}/stream/.+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a table; ``gone`` tells that the table has been deleted."""

    table: Table
    span: StreamSpan
    gone: bool

    @property
    def arn(self) -> str:
        """The stream's ARN (beyond:STR-7)."""
        return f"{self.table.arn}/stream/{self.span.label}"

    @property
    def reach(self) -> int:
        """The last change of the table that the stream covers so far."""
        return self.table.sequence if self.span.end is None else self.span.end

    @property
    def status(self) -> str:
        """``ENABLING``, ``ENABLED``, ``DISABLING`` or ``DISABLED`` (beyond:STR-6, STR-9)."""
        table = self.table
        changing = "stream" in table.settings.busy and table.settings.streams[-1] is self.span
        if self.span.ended is not None:
            return "DISABLING" if changing and not self.gone else "DISABLED"
        if table.status == "DELETING":
            return "DISABLING"
        return "ENABLING" if changing or table.status == "CREATING" else "ENABLED"


def well_formed(arn: str) -> bool:
    """Whether a text is the ARN of some stream of some table."""
    return _ARN.fullmatch(arn) is not None


def streams(living: Iterable[Table], deleted: Iterable[Table], now: float) -> list[Stream]:
    """All streams that can be read at ``now`` (epoch seconds), in the order of their ARNs."""
    found = [*_of(living, now, gone=False), *_of(deleted, now, gone=True)]
    return sorted(found, key=lambda stream: stream.arn)


def _of(tables: Iterable[Table], now: float, *, gone: bool) -> Iterator[Stream]:
    for table in tables:
        for span in table.settings.streams:
            if span.ended is None or span.ended > now - STREAM_RETENTION:
                yield Stream(table, span, gone)
