"""What the proxy did with each request: what came, what was passed on, what the target said, what went back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chaos.proxy_http import Framer, body_of
from chaos.schedule import Firing
from conformance.record.op import Fate
from conformance.targets.raw import RawReply, parse_reply
from reference.api import Json, Lost, Reply

KEPT_ENTRIES = 20_000
"""Entries kept; older ones are forgotten."""
KEPT_BYTES = 4 * 1024 * 1024
"""An answer's body longer than this is counted, but not kept."""


@dataclass(slots=True)
class Delivery:
    """One time that a request was sent to the target.

    ``sent`` and ``size`` are bytes of the request; ``body`` is the JSON that was sent where it differs from what the
    client had sent. ``status`` 0: no answer. Times are seconds of the monotonic clock.
    """

    began: float
    size: int = 0
    sent: int = 0
    whole: bool = False
    body: Json = None
    status: int = 0
    answered: float | None = None
    headers: tuple[tuple[str, str], ...] = ()
    answer: bytes | None = None

    def note(self, reply: Framer, raw: bytes | None) -> None:
        """Take down a whole answer; ``raw`` None: it was too long to keep."""
        self.status = reply.status
        self.answered = time.monotonic()
        named = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in reply.headers.items())
        self.headers = tuple(named)
        self.answer = None if raw is None else body_of(reply, raw)

    def reply(self) -> Reply:
        """What the target answered, as a client would have read it."""
        if self.answered is None or self.answer is None:
            return Lost("the target gave no answer" if self.answered is None else "garbage: too long to keep")
        return parse_reply(RawReply(self.status, "", self.headers, self.answer))


@dataclass(slots=True)
class Entry:
    """One request of a client, counted from 1 by client.

    ``received`` and ``returned`` are bytes; ``complete``: the request came whole. ``done``: the proxy has finished with
    it (a delayed delivery may still be owed: ``owed``). ``body`` is the request's JSON, where the proxy keeps it.
    """

    client: int
    ordinal: int
    began: float
    operation: str = ""
    received: int = 0
    complete: bool = False
    returned: int = 0
    ended: float | None = None
    firing: Firing | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    done: bool = False
    owed: bool = False
    notes: dict[str, Json] = field(default_factory=dict)
    body: Json = None

    @property
    def id(self) -> str:
        """Its name: client and ordinal."""
        return f"{self.client}.{self.ordinal}"

    def fate(self) -> Fate:
        """The fate of a write as far as the proxy can tell (methods.md, fate table)."""
        whole = [delivery for delivery in self.deliveries if delivery.whole]
        if not whole:
            return "info" if self.owed else "fail"
        if any(200 <= delivery.status < 300 for delivery in whole):
            return "ok"
        if all(400 <= delivery.status < 500 for delivery in whole):
            return "fail"
        return "info"

    def to_json(self) -> dict[str, Any]:
        """The entry as one JSON object, without the bodies of answers."""
        row: dict[str, Any] = {
            "request": self.id,
            "client": self.client,
            "ordinal": self.ordinal,
            "operation": self.operation,
            "received": self.received,
            "complete": self.complete,
            "returned": self.returned,
            "began": round(self.began, 6),
            "fate": self.fate(),
            "deliveries": [
                {"sent": d.sent, "size": d.size, "whole": d.whole, "status": d.status, "began": round(d.began, 6)}
                for d in self.deliveries
            ],
        }
        if self.ended is not None:
            row["ended"] = round(self.ended, 6)
        if self.firing is not None:
            row["fault"] = {"id": self.firing.id, "name": self.firing.fault.name, **self.firing.settings}
        if self.owed:
            row["owed"] = True
        return row | ({"notes": self.notes} if self.notes else {})


class Ledger:
    """The entries of all clients, in the order in which their requests began."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._forgotten = 0
        self._ordinals: dict[int, int] = {}

    def begin(self, client: int) -> Entry:
        """The entry of a client's next request."""
        ordinal = self._ordinals[client] = self._ordinals.get(client, 0) + 1
        entry = Entry(client, ordinal, time.monotonic())
        self._entries.append(entry)
        if len(self._entries) > KEPT_ENTRIES:
            dropped = len(self._entries) - KEPT_ENTRIES * 3 // 4
            del self._entries[:dropped]
            self._forgotten += dropped
        return entry

    def __len__(self) -> int:
        return self._forgotten + len(self._entries)

    def restart(self, client: int) -> None:
        """Count a client's requests from 1 again; earlier entries stay."""
        self._ordinals[client] = 0

    def count(self, client: int) -> int:
        """How many requests a client has begun."""
        return self._ordinals.get(client, 0)

    def since(self, mark: int) -> list[Entry]:
        """The entries from number ``mark`` on, as far as they are kept."""
        return self._entries[max(mark - self._forgotten, 0) :]

    def of(self, client: int, ordinal: int) -> Entry | None:
        """One request's entry, if it is kept."""
        for entry in reversed(self._entries):
            if entry.client == client and entry.ordinal == ordinal:
                return entry
        return None

    def totals(self) -> Mapping[str, int]:
        """How many requests are kept, and how many of them met each fault."""
        counts = {"requests": len(self)}
        for entry in self._entries:
            if entry.firing is not None:
                counts[entry.firing.fault.name] = counts.get(entry.firing.fault.name, 0) + 1
        return counts
