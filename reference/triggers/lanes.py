"""One lane of a shard: records wait, become batches, are handed over, tried again, halved or given up (beyond:ESM-4).

A shard has as many lanes as its mapping works on batches side by side. All changes of an item are in one lane, and a
lane hands over one batch at a time: so they stay in order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reference.api import Json
from reference.tables.settings import STREAM_RETENTION
from reference.triggers import events
from reference.triggers.events import Condition, Result, Window
from reference.triggers.settings import UNLIMITED, Settings

MOST_BYTES = 6 * 1_048_576
"""Bytes of the records that one call hands over."""
_LONGEST_DELAY = 60.0


class Port(Protocol):
    """What a lane needs of its mapping."""

    def call(self, records: Sequence[Json], window: Window | None, *, final: bool) -> Result:
        """Hand records to the function."""
        ...

    def give_up(self, records: Sequence[Json], condition: Condition, work: Work) -> None:
        """Hand records to the on-failure destination."""
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record that waits: in the function's form, its bytes as JSON, and when it was read (epoch seconds)."""

    record: Json
    size: int
    read: float


@dataclass(slots=True)
class Work:
    """A batch: how often it failed as a whole, how often it was delayed, and with what error it failed last.

    ``final`` closes a window.
    """

    records: list[Json]
    attempts: int = 0
    delays: int = 0
    error: str | None = None
    final: bool = False


class Lane:
    """Records of one shard that one batch at a time is made of."""

    def __init__(self, settings: Settings, port: Port) -> None:
        self._settings = settings
        self._port = port
        self._waiting: deque[Waiting] = deque()
        self._works: deque[Work] = deque()
        self._due = 0.0
        self._window: Window | None = None
        self.ended = False
        """Whether the shard has ended: nothing will be added any more."""

    def add(self, record: Json, now: float) -> None:
        """Let a record wait for its batch."""
        self._waiting.append(Waiting(record, events.weight(record), now))

    @property
    def idle(self) -> bool:
        """Whether there is nothing left to do, open windows included."""
        return not (self._waiting or self._works or self._window)

    def step(self, now: float) -> bool:
        """Do one thing that is due at ``now``: hand a batch over, or give records up. False when nothing is due."""
        if not self._works:
            self._form(now)
        if not self._works or self._due > now:
            return False
        self._attempt(self._works[0], now)
        return True

    def moment(self) -> float | None:
        """When there will be something to do, if nothing else is read; None for never (epoch seconds)."""
        if self._works:
            return self._due
        moments = [self._waiting[0].read + self._settings.batching_window] if self._waiting else []
        moments += [float(self._window.end)] if self._window is not None else []
        return min(moments, default=None)

    # --- batches ------------------------------------------------------------------------------------------------------

    def _form(self, now: float) -> None:
        """Make a batch of what waits, if it is full or has waited for long enough."""
        if self._settings.tumbling_window and self._close_window(now):
            return
        if not self._waiting:
            return
        if self._settings.tumbling_window and self._window is None:
            start = self._start(self._waiting[0])
            self._window = Window(start, start + self._settings.tumbling_window)
        count, full = self._fitting()
        over = self._window is not None and now >= self._window.end
        if full or over or now >= self._waiting[0].read + self._settings.batching_window:
            self._works.append(Work([self._waiting.popleft().record for _ in range(count)]))
            self._due = now

    def _fitting(self) -> tuple[int, bool]:
        """How many waiting records make a batch, and whether no more fit into it."""
        size = 0
        for count, each in enumerate(self._waiting):
            size += each.size
            full = count == self._settings.batch_size or (count and size > MOST_BYTES)
            if full or (self._window is not None and self._start(each) != self._window.start):
                return count, True
        return len(self._waiting), len(self._waiting) == self._settings.batch_size

    def _start(self, waiting: Waiting) -> int:
        length = self._settings.tumbling_window
        return int(events.created(waiting.record)) // length * length

    def _close_window(self, now: float) -> bool:
        """Make the last call of a window that is over."""
        window = self._window
        if window is None:
            return False
        other = bool(self._waiting) and self._start(self._waiting[0]) != window.start
        window.early = window.early or (self.ended and not self._waiting and now < window.end)
        if not (window.early or other or (now >= window.end and not self._waiting)):
            return False
        self._works.append(Work([], final=True))
        self._due = now
        return True

    # --- attempts -----------------------------------------------------------------------------------------------------

    def _attempt(self, work: Work, now: float) -> None:
        if self._too_old(work, now):
            return
        result = self._port.call(work.records, self._window, final=work.final)
        if result.throttled:
            self._wait(work, now)
        elif result.failed is None:
            self._works.popleft()
            self._carry(result, final=work.final)
        elif result.failed > 0 and self._settings.bisect:
            # Split at the record that the function named: what stands before it is done (beyond:ESM-7).
            self._carry(result, final=False)
            self._works[0] = Work(work.records[result.failed :], work.attempts, work.delays, result.error)
            self._wait(self._works[0], now)
        elif self._settings.bisect and len(work.records) > 1:
            self._halve(work, result, now)
        else:
            self._fail(work, result, now)

    def _too_old(self, work: Work, now: float) -> bool:
        """Give up the records that are older than they may be; whether none is left of the batch."""
        limit = float(STREAM_RETENTION)
        if self._settings.record_age != UNLIMITED:
            limit = min(limit, self._settings.record_age)
        if work.final and self._window is not None and now - self._window.end > limit:
            self._window = None
            self._works.popleft()
            return True
        old = [record for record in work.records if now - events.created(record) > limit]
        if not old:
            return False
        self._port.give_up(old, "RecordAgeExceeded", work)
        work.records = work.records[len(old) :]
        if not work.records:
            self._works.popleft()
        return not work.records

    def _carry(self, result: Result, *, final: bool) -> None:
        """Take over the state that a call of a window has left; a state that is too great ends the window."""
        if self._window is None:
            return
        if final:
            self._window = None
        elif result.state is not None and events.weight(result.state) > events.MOST_STATE:
            self._window.early = True
        elif result.state is not None:
            self._window.state = result.state

    def _halve(self, work: Work, result: Result, now: float) -> None:
        """Two batches of one; that is no attempt that counts (beyond:ESM-4)."""
        middle = (len(work.records) + 1) // 2
        halves = (work.records[:middle], work.records[middle:])
        self._works.popleft()
        self._works.extendleft(Work(half, work.attempts, work.delays, result.error) for half in reversed(halves))
        self._wait(self._works[0], now)

    def _fail(self, work: Work, result: Result, now: float) -> None:
        """Count a failed attempt: the batch is tried again, or given up when it was the last."""
        if result.failed:
            self._carry(result, final=False)
            work.records = work.records[result.failed :]
        work.attempts += 1
        work.error = result.error
        if self._settings.retries == UNLIMITED or work.attempts <= self._settings.retries:
            self._wait(work, now)
            return
        self._works.popleft()
        if work.records:
            self._port.give_up(work.records, "RetryAttemptsExhausted", work)
        if work.final:
            self._window = None

    def _wait(self, work: Work, now: float) -> None:
        delay = self._settings.retry_delay * 2 ** min(work.delays, 16)
        work.delays += 1
        self._due = now + min(delay, max(_LONGEST_DELAY, self._settings.retry_delay))
