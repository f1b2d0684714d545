"""What a target was seen to call things: its ARNs, labels, shards and iterators, and what they stand for in the model.

The reference makes up names of its own. A name that a target gave is bound to ours on first sight, and from then on the
target is held to it; calls are put to the reference in its own names. All of it is a room of the model's account, so
that every world has its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from reference.account import Account
from reference.api import Json

ROOM = "sightings"
LEAST = 12
"""Letters that a name has at least which is looked for inside longer texts."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a target's shard an iterator stands, in terms of the changes of the model's table.

    ``done`` are changes that it does not show again, ``maybe`` those that it may show or not; all others of the shard
    are still to come. ``whole`` says that nothing from the beginning of the shard was passed over. ``opened`` is the
    last change that may stand before where the reading began. ``issued`` is in epoch seconds.
    """

    stream: str
    shard: str
    issued: float
    done: frozenset[int] = frozenset()
    maybe: frozenset[int] = frozenset()
    whole: bool = False
    opened: int = 0


@dataclass(frozen=True, slots=True)
class SeenShard:
    """A shard as a target listed it."""

    starting: str = ""
    ending: str | None = None
    parent: str | None = None


@dataclass(slots=True)
class Sightings:
    """Names and places that one target has shown, as one possible state of it understands them.

    ``names`` maps the target's texts to ours, ``given`` ours to the target's. ``shards``, ``homes`` (which item's
    records came in which shard), ``numbers`` (sequence numbers) and ``ends`` (when a shard was read to its end from the
    beginning) go by our stream's ARN first. ``delivered`` are changes that were shown; ``spoilt`` names streams whose
    reads tell no more, ``foreign`` iterators that should not be, ``told`` small differences that were told once.
    ``made`` says which operation made a change of a table; ``former`` names attributes of time to live that was
    switched off, by table id: deletions may go on for a while; ``changed`` tells when each table, by its id, or
    policy was last changed (epoch seconds; infinite where a change was lost).
    """

    names: dict[str, str] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    iterators: dict[str, Place] = field(default_factory=dict)
    shards: dict[tuple[str, str], SeenShard] = field(default_factory=dict)
    listed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: dict[tuple[str, str, str], int] = field(default_factory=dict)
    homes: dict[tuple[str, Any], str] = field(default_factory=dict)
    ends: dict[tuple[str, str], float] = field(default_factory=dict)
    delivered: dict[str, frozenset[int]] = field(default_factory=dict)
    spoilt: set[str] = field(default_factory=set)
    foreign: set[str] = field(default_factory=set)
    made: dict[tuple[str, int], str] = field(default_factory=dict)
    told: set[tuple[str, str]] = field(default_factory=set)
    former: dict[str, str] = field(default_factory=dict)
    changed: dict[str, float] = field(default_factory=dict)

    def copy(self) -> Sightings:
        """Independent sightings of the same things."""
        other = Sightings()
        for name in self.__dataclass_fields__:
            held = getattr(self, name)
            setattr(other, name, held.copy())
        return other

    def bind(self, theirs: str, ours: str) -> None:
        """Take a text of the target for one of ours, from now on, whatever was seen before."""
        self.names[theirs] = ours
        self.given[ours] = theirs

    def fits(self, theirs: str, ours: str) -> bool:
        """Whether a text of the target may stand for one of ours."""
        known = self.names.get(theirs)
        return known == ours if known is not None else ours not in self.given

    def translated(self, body: Json) -> Json:
        """A body in our names for what the target calls otherwise."""
        return _renamed(body, self.names)

    def returned(self, body: Json) -> Json:
        """A body of ours in the target's own names."""
        return _renamed(body, self.given)

    def note(self, account: Account, operation: str) -> None:
        """An operation has taken effect: what the history has gained is its doing."""
        for table in account.tables.values():
            if not table.settings.streams:
                continue
            for entry in reversed(table.log):
                if (table.id, entry.sequence) in self.made:
                    break
                self.made[table.id, entry.sequence] = operation


def _renamed(body: Json, names: Mapping[str, str]) -> Json:
    other = {before: after for before, after in names.items() if before != after}
    if not other:
        return body
    long = sorted((name for name in other if len(name) >= LEAST), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, long))) if long else None
    return _translated(body, other, pattern)


def _translated(body: Json, names: Mapping[str, str], pattern: re.Pattern[str] | None) -> Json:
    if isinstance(body, str):
        known = names.get(body)
        if known is not None:
            return known
        return body if pattern is None else pattern.sub(lambda found: names[found[0]], body)
    if isinstance(body, dict):
        return {name: _translated(value, names, pattern) for name, value in body.items()}
    return [_translated(value, names, pattern) for value in body] if isinstance(body, list) else body


def sightings(account: Account) -> Sightings:
    """What was seen of the target whose state an account is taken for."""
    room = account.rooms.setdefault(ROOM, Sightings())
    assert isinstance(room, Sightings)
    return room


IDENTITIES = frozenset({
    "LatestStreamArn", "StreamArn", "BackupArn", "SourceBackupArn", "ExportArn", "ImportArn", "OperationArn",
    "BulkOperationArn", "RevisionId", "TableId",
})  # fmt: skip
"""Members that hold names which a target makes up."""


def pairs(expected: Json, observed: Json, *, lists: bool = True) -> Iterator[tuple[str, str, str]]:
    """(member, our name, the target's) of every name that both bodies hold at one place; not in lists, if need be."""
    if isinstance(expected, dict) and isinstance(observed, dict):
        for member, value in expected.items():
            other = observed.get(member)
            if member in IDENTITIES and isinstance(value, str) and isinstance(other, str):
                yield member, value, other
            else:
                yield from pairs(value, other, lists=lists)
    elif lists and isinstance(expected, list) and isinstance(observed, list) and len(expected) == len(observed):
        for one, other in zip(expected, observed, strict=True):
            yield from pairs(one, other)
