"""An application's traffic through the proxy, written down as a trace that ``dynoracle judge`` reads."""

from __future__ import annotations

import queue
import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from chaos.proxy_ledger import Delivery, Entry
from conformance.fates import fate
from conformance.oracle.lacking import unsupported
from conformance.record.folder import TRACE_SCHEMA
from conformance.record.journal import Journal
from conformance.record.op import Op, op_to_json
from conformance.session import touched
from conformance.symbols import unbind
from conformance.targets.target import Access, credentials_for, region_of
from conformance.targets.transport import HttpTransport
from reference.api import Call, Json, Refusal, Reply, Success

DESCRIBE_SECONDS = 5.0
MAX_TABLES = 1000
"""Tables that are described; an application that goes through more is recorded all the same."""


class RecordingError(Exception):
    """A file that can't be recorded into; the message says why."""


class Recorder:
    """Writes a header, then for each request what the proxy did with it, and a call for each time it was passed on.

    The calls are what the target was asked and what it answered, at the times the proxy saw. A table that is named for
    the first time is described once, by a call of the recorder's own, so that its keys are known to the judge.
    Credentials and headers are not recorded. RecordingError: the file exists.
    """

    def __init__(self, path: Path, upstream: str, access: Access) -> None:
        if path.exists() and path.stat().st_size:
            raise RecordingError(f"{path} exists: a recording begins a file of its own")
        self._journal = Journal(path)
        self._start = time.time()
        self._base = time.monotonic()
        self._written: dict[int, int] = {}
        self._count = 0
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._asked: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._transport = HttpTransport(
            upstream, credentials=credentials_for(upstream, access), region=region_of(upstream),
            ca_file=access.ca_file, insecure=access.insecure,
        )  # fmt: skip
        told = {"upstream": upstream, "start": round(self._start, 6)}
        self._journal.append("trace", schema=TRACE_SCHEMA, recorded=told)
        self._thread = threading.Thread(target=self._describe, name="dynoracle-describe", daemon=True)
        self._thread.start()

    def note(self, event: str, entry: Entry) -> None:
        """The proxy is done with a request, or has delivered it late."""
        self._journal.append("request" if event == "done" else "late-delivery", **entry.to_json())
        done = self._written.pop(id(entry), 0)
        for delivery in entry.deliveries[done:]:
            self._op(entry, delivery)
        if entry.owed:
            self._written[id(entry)] = len(entry.deliveries)

    def close(self) -> None:
        """End the recording."""
        self._asked.put(None)
        self._thread.join(DESCRIBE_SECONDS * 2)
        self._journal.close()
        self._transport.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _op(self, entry: Entry, delivery: Delivery) -> None:
        body = entry.body if delivery.body is None else delivery.body
        if not delivery.whole or body is None or not entry.operation:
            return  # What did not arrive whole, or is no JSON, has no effect.
        reply = delivery.reply() if delivery.answered is not None else None
        notes: dict[str, Json] = {"request": entry.id}
        if entry.firing is not None:
            notes["fault"] = entry.firing.fault.name
        self._append(entry.operation, body, reply, delivery.began, delivery.answered, process=entry.client, notes=notes)
        for table in (*touched(Call(entry.operation, body)), *_stated(body)):
            name = table.partition(":table/")[2].partition("/")[0] or table
            if name not in self._known and len(self._known) < MAX_TABLES:
                self._known.add(name)
                if entry.operation not in ("CreateTable", "DeleteTable"):
                    self._asked.put(name)

    def _append(
        self, operation: str, body: Json, reply: Reply | None, began: float, ended: float | None, **more: Any
    ) -> None:
        with self._lock:
            index, self._count = self._count, self._count + 1
        op = Op(
            index, operation, unbind(body, {}), called=began - self._base,
            returned=None if ended is None else ended - self._base, reply=_escaped(reply),
            fate="info" if reply is None else fate(operation, reply), **more,
        )  # fmt: skip
        self._journal.append("op", **op_to_json(op))

    def _describe(self) -> None:
        """Describe the tables that were named, until there is nothing more to come."""
        while (name := self._asked.get()) is not None:
            began = time.monotonic()
            reply = self._transport.send(Call("DescribeTable", {"TableName": name}), timeout=DESCRIBE_SECONDS)
            if isinstance(reply, Success) or (isinstance(reply, Refusal) and not unsupported(reply)):
                self._append(
                    "DescribeTable", {"TableName": name}, reply, began, time.monotonic(), notes={"adopted": True}
                )


_STATED = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+\"?([A-Za-z0-9_.-]{3,255})", re.IGNORECASE)


def _stated(body: Json) -> list[str]:
    """The tables that statements name."""
    listed = [body, *(body.get("Statements") or body.get("TransactStatements") or ())] if isinstance(body, dict) else []
    return [name for each in listed if isinstance(each, dict) for name in _STATED.findall(str(each.get("Statement")))]


def _escaped(reply: Reply | None) -> Reply | None:
    """A reply as a trace writes it: what looks like a symbol stands for itself."""
    if isinstance(reply, Success):
        return Success(unbind(reply.body, {}))
    if isinstance(reply, Refusal):
        fields: Mapping[str, Any] = unbind(dict(reply.fields), {})
        return Refusal(reply.code, unbind(reply.message, {}), reply.status, fields)
    return reply
