"""Resource-based policies of tables and streams: their revisions (beyond:POL-1 to POL-4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reference.tables import policy_documents as documents
from reference.tables.settings import Policy
from reference.tables.table import Table

ROOM = "policies"
PENDING_SECONDS = 2.0
"""How long a change of a policy is under way, where changes are slowed down (beyond:POL-3)."""
DELETION_SECONDS = 15.0
"""How long the revision of a policy's deletion stays (beyond:POL-2)."""


@dataclass(slots=True)
class Revisions:
    """The latest revision that was given to a policy which may be gone."""

    last: int = 0

    def copy(self) -> Revisions:
        """An independent one in the same state."""
        return Revisions(self.last)


def revisions(rooms: dict[str, Any]) -> Revisions:
    """The account's room of revisions."""
    room = rooms.setdefault(ROOM, Revisions())
    assert isinstance(room, Revisions)
    return room


def latest(rooms: dict[str, Any], tables: Iterable[Table]) -> int:
    """The latest revision of any policy of an account, now or before."""
    gone = revisions(rooms).last if ROOM in rooms else 0
    return max([gone, *(int(policy.revision) for table in tables for policy in table.settings.policies.values())])


def revised(held: Policy | None, text: str, now: float, last: int = 0) -> Policy:
    """The policy after ``text`` was put at ``now`` (epoch seconds); one that says the same keeps its revision.

    ``last`` is the latest that the account has given: no two are the same, however close they are. A version that is
    left out and the one that stands for it are told alike, but are not the same policy.
    """
    policy = documents.parsed(text) or {}
    canonical, versioned = documents.canonical(policy), "Version" in policy
    if held is not None and (held.text, held.versioned) == (canonical, versioned):
        return held
    return Policy(canonical, _later(now, last), now, versioned=versioned)


def deleted(now: float, last: int) -> Policy:
    """What is left of a policy that is deleted at ``now`` (epoch seconds): a revision of its own."""
    return Policy("", _later(now, last), now)


def remains(held: Policy | None, now: float) -> Policy | None:
    """The policy, or what is left of it for a while after its deletion."""
    if held is not None and not held.text and now >= held.changed + DELETION_SECONDS:
        return None
    return held


def pending(held: Iterable[Policy], now: float) -> bool:
    """Whether one of a table's policies has changed so lately that the change is under way (beyond:POL-3)."""
    return any(now < policy.changed + PENDING_SECONDS for policy in held)


def _later(now: float, last: int) -> str:
    return str(max(round(now * 1000), last + 1))
