"""What will happen later (states that change, TTL, backfill), as data, so that a fork can carry it along."""

from __future__ import annotations

import heapq
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """Something due at a moment: ``what`` names the handler in ``account``, ``about`` its arguments."""

    at: float
    order: int
    what: str
    about: tuple[str, ...] = ()


class Agenda:
    """Events by time, then by the order in which they were made."""

    __slots__ = ("_events", "_made")

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._made = 0

    def add(self, at: float, what: str, *about: str) -> None:
        """Let ``what`` happen at ``at`` (epoch seconds)."""
        self._made += 1
        heapq.heappush(self._events, Event(at, self._made, what, about))

    def next_due(self, now: float) -> Event | None:
        """Take the next event that is due by ``now``, if any."""
        if self._events and self._events[0].at <= now:
            return heapq.heappop(self._events)
        return None

    def moment(self) -> float | None:
        """When the next event is due (epoch seconds), None when there is none."""
        return self._events[0].at if self._events else None

    def copy(self) -> Agenda:
        """An independent agenda with the same events."""
        other = Agenda()
        other._events = list(self._events)
        other._made = self._made
        return other
