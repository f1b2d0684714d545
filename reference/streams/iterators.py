"""Shard iterators: a place in a shard and when it was given out, as text (recorded.md §4)."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from dataclasses import dataclass

LIFETIME = 900.0
"""Seconds after which an iterator has expired (beyond:STR-32)."""

_PLACE = re.compile(r"([a-zA-Z0-9-]{28,65}):([0-9]{1,20}):([0-9]{1,20})")


@dataclass(frozen=True, slots=True)
class ShardIterator:
    """The next record is the first of the shard after ``position`` in the table's history.

    ``issued`` is in milliseconds since the Unix epoch.
    """

    arn: str
    shard: str
    position: int
    issued: int

    @classmethod
    def of(cls, arn: str, shard: str, position: int, now: float) -> ShardIterator:
        """An iterator given out at ``now`` (epoch seconds)."""
        return cls(arn, shard, position, int(now * 1000))

    def text(self) -> str:
        """As the service hands it out: stream ARN, one digit, something opaque."""
        place = f"{self.shard}:{self.position}:{self.issued}"
        return f"{self.arn}|1|{b64encode(place.encode()).decode()}"

    def expired(self, now: float) -> bool:
        """Whether it is too old at ``now`` (epoch seconds)."""
        return now - self.issued / 1000 > LIFETIME


def read(text: str) -> ShardIterator | None:
    """The iterator that a text stands for; None if it is none."""
    parts = text.rsplit("|", 2)
    if len(parts) != 3 or len(parts[1]) != 1:
        return None
    try:
        place = _PLACE.fullmatch(b64decode(parts[2], validate=True).decode("ascii"))
    except (Error, ValueError):
        return None
    if place is None:
        return None
    return ShardIterator(parts[0], place[1], int(place[2]), int(place[3]))
