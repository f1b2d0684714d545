"""What is known of one global table: its replicas, what each has sent and decided, and the last writer of each item.

Every region stamps its own writes. A replica keeps, for each item that was ever written since the group exists, the
stamp of the write it holds; of two writes the greater stamp wins everywhere, whatever the order in which they arrive,
so that all replicas come to hold the same item.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeAlias

from reference.tables.view import Record, RowKey

BY = "replication"
"""Who made a change that came from another region; its stream record has no ``userIdentity`` (beyond:STR-20)."""

Consistency: TypeAlias = Literal["EVENTUAL", "STRONG"]
Status: TypeAlias = Literal["CREATING", "ACTIVE", "UPDATING", "DELETING"]


class Stamp(NamedTuple):
    """When an item was written (epoch seconds) and where; the later one wins, of equals the greater name (beyond:GT-2).

    ``after`` counts the writes of the same moment that this one replaced knowingly. ``sequence`` is the number in the
    table's history of its region.
    """

    at: float
    after: int
    region: str
    sequence: int


NEVER = Stamp(0.0, 0, "", 0)
"""The stamp of items from before there was a group."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A write on its way to one region: the item as it then was, None where it was deleted."""

    stamp: Stamp
    key: RowKey
    record: Record | None
    old: Record | None


@dataclass(slots=True)
class Member:
    """One replica.

    ``due`` is when its status changes by itself (epoch seconds); ``parting`` tells that it leaves and keeps its table.
    ``absorbed`` is the last change of its history that was looked at. ``outbox`` holds by region what that one does not
    have yet. ``sourced`` is when it was last the source of a new replica (epoch seconds).
    """

    region: str
    table_id: str
    status: Status = "ACTIVE"
    source: str = ""
    due: float | None = None
    parting: bool = False
    absorbed: int = 0
    stamps: dict[RowKey, Stamp] = field(default_factory=dict)
    outbox: dict[str, deque[Sending]] = field(default_factory=dict)
    sourced: float | None = None
    protected: bool = True

    def copy(self) -> Member:
        """An independent member in the same state."""
        return replace(
            self,
            stamps=dict(self.stamps),
            outbox={region: deque(waiting) for region, waiting in self.outbox.items()},
        )


@dataclass(slots=True)
class Group:
    """The replicas of one table by region, and the region of its witness, if it has one."""

    table: str
    consistency: Consistency = "EVENTUAL"
    members: dict[str, Member] = field(default_factory=dict)
    witness: str | None = None
    witness_status: Status = "ACTIVE"

    @property
    def strong(self) -> bool:
        """Whether a write is everywhere before it is answered (beyond:GT-6)."""
        return self.consistency == "STRONG"

    def others(self, region: str) -> list[Member]:
        """The replicas in other regions, in the order in which they came."""
        return [member for name, member in self.members.items() if name != region]

    def a_source(self, member: Member) -> bool:
        """Whether a replica that is still there was made from this one."""
        return any(other.source == member.region for other in self.members.values() if other is not member)

    def copy(self) -> Group:
        """An independent group in the same state."""
        return replace(self, members={name: member.copy() for name, member in self.members.items()})
