"""Faults of a target's process: only of one that was started here, and always undone."""

from __future__ import annotations

import itertools
import os
import resource
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from chaos.faults import ENDS
from chaos.proxy_ledger import Entry
from chaos.schedule import Firing
from conformance.targets.process import STOP_LIMIT, Process
from conformance.targets.target import Target

MAX_LOG = 10_000
"""Events that are kept."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done to the process: by which firing, what, when (monotonic seconds)."""

    firing: str
    what: str
    moment: float


class ProcessHands:
    """Strikes one process for the proxy, and mends it. Usable from several threads."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._lock = threading.RLock()
        self._down: int | None = None
        self._limited: int | None = None
        self._limits: dict[tuple[int, int], tuple[int, int]] = {}
        self._timer: threading.Timer | None = None
        self._firing = ""
        self.events: list[Event] = []

    def strike(self, firing: Firing) -> None:
        """Do what a firing of a process fault says; ProcessError when the process does not come back."""
        with self._lock:
            self._firing = firing.id
            name, settings = firing.fault.name, firing.settings
            if name in ENDS:
                self._end(name, int(settings["down"]))
            elif name == "pause":
                self._process.pause()
                self._note("paused")
                self._later(settings["hold_ms"])
            elif name == "disk-full":
                self._limit(resource.RLIMIT_FSIZE, int(settings["bytes"]), settings)
            elif name == "descriptors":
                self._limit(resource.RLIMIT_NOFILE, int(settings["spare"]), settings)
            else:
                raise ValueError(f"{name} is no fault of a process")

    def before(self, entry: Entry) -> None:
        """A request is about to be passed on: start the process, or lift its limit, if it is time."""
        with self._lock:
            if self._down is not None:
                if self._down > 0:
                    self._down -= 1
                else:
                    self._start()
            if self._limited is not None:
                self._limited -= 1
                if self._limited <= 0:
                    self._lift()

    def busy(self) -> bool:
        """Whether anything is still to be undone."""
        return self._down is not None or bool(self._limits) or self._timer is not None

    def heal(self) -> None:
        """Let it run on, lift its limits, start it if it has ended. Twice does nothing."""
        timer = self._timer
        if timer is not None:
            timer.cancel()
        with self._lock:
            self._timer = None
            self._process.resume()
            self._lift()
            if not self._process.alive():
                self._process.kill()
                self._start()

    def ends(self) -> int:
        """How often the process has ended so far, by whatever cause."""
        return self._process.starts - (1 if self._process.alive() else 0)

    def _end(self, name: str, down: int) -> None:
        self._lift()
        self._down = down
        began = time.monotonic()
        if name == "kill":
            self._process.kill()
            self._note("killed")
        else:
            self._process.stop()
            took = time.monotonic() - began
            self._note("terminated" if took < STOP_LIMIT else "did not end when asked, killed")
        if down == 0:
            self._start()

    def _start(self) -> None:
        try:
            if self._process.pid is None:
                self._process.start()
                self._note("started")
        finally:
            # Only now: until it answers, there is something to be undone.
            self._down = None

    def _limit(self, kind: int, spare: int, settings: Mapping[str, float]) -> None:
        for pid in _group(self._process.pid):
            try:
                soft, hard = resource.prlimit(pid, kind)
                wanted = _after_free(pid, spare) if kind == resource.RLIMIT_NOFILE else spare
                # Only the soft limit: the hard one could not be raised again.
                most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
                resource.prlimit(pid, kind, (most, hard))
            except OSError:
                continue
            self._limits.setdefault((pid, kind), (soft, hard))
        self._limited = int(settings["requests"])
        self._note("limited")
        self._later(settings["hold_ms"])

    def _lift(self) -> None:
        lifted, self._limits = self._limits, {}
        self._limited = None
        own = _group(self._process.pid)
        for (pid, kind), before in lifted.items():
            if pid in own:
                try:
                    resource.prlimit(pid, kind, before)
                except OSError:
                    continue
        if lifted:
            self._note("limits lifted")

    def _later(self, milliseconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(milliseconds / 1000, self._undo)
        self._timer.daemon = True
        self._timer.start()

    def _undo(self) -> None:
        with self._lock:
            self._process.resume()
            self._note("resumed")
            self._lift()
            self._timer = None

    def _note(self, what: str) -> None:
        if len(self.events) < MAX_LOG:
            self.events.append(Event(self._firing, what, time.monotonic()))


def hands_of(target: Target) -> ProcessHands | None:
    """The hands on a target's process, None where it was not started here."""
    return None if target.process is None else ProcessHands(target.process)


def _after_free(pid: int, spare: int) -> int:
    """The limit under which a process may open just so many descriptors more: it gets the lowest free numbers."""
    used = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    free = (number for number in itertools.count() if number not in used)
    return next(itertools.islice(free, spare, None))


def _group(leader: int | None) -> set[int]:
    """The processes of a group that was started here, by its leader."""
    found: set[int] = set()
    if leader is None:
        return found
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if os.getpgid(int(entry.name)) == leader:
                    found.add(int(entry.name))
            except OSError:
                continue
    return found
