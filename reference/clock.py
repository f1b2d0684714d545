"""Time as a parameter: the reference never looks at a clock of its own."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class Clock(Protocol):
    """Says what time it is, in seconds since the Unix epoch."""

    def now(self) -> float:
        """The present moment."""
        ...


@runtime_checkable
class DrivenClock(Clock, Protocol):
    """A clock that can be told to move on."""

    def set(self, now: float) -> None:
        """Move to ``now``, epoch seconds; never back."""
        ...


class ManualClock:
    """A clock that moves only when told to."""

    __slots__ = ("_now",)

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now

    def now(self) -> float:
        """The present moment."""
        return self._now

    def set(self, now: float) -> None:
        """Move to ``now``; a clock never goes back, so an earlier moment is ignored."""
        self._now = max(self._now, now)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.set(self._now + seconds)
