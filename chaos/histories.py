"""Histories: what concurrent clients asked and got, on disk as it happens, and what else is known of it afterwards."""

from __future__ import annotations

import itertools
import threading
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from chaos.proxy_ledger import Entry, Ledger
from conformance.fates import READS, fate
from conformance.record.journal import Journal
from conformance.record.op import Op, op_to_json
from conformance.symbols import bind, unbind
from conformance.targets.transport import Transport
from reference.api import Call, Json, Lost, Refusal, Reply, Success

CALL_SECONDS = 5.0
"""How long a client waits for one answer."""
PAUSE = 0.01
"""Seconds a client waits after an answer was lost: the target may be starting again."""

Body = dict[str, Any]


class History:
    """The ops of one run, in the order in which they were answered; each call and each answer is written at once.

    Times are seconds of the monotonic clock since the history began. Usable from several threads.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.start = time.monotonic()
        self.ops: list[Op] = []
        self._journal = Journal(path) if path is not None else None
        self._indices = itertools.count()
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since the history began."""
        return time.monotonic() - self.start

    def invoke(self, process: int, operation: str, body: Json, notes: Mapping[str, Json]) -> tuple[int, float]:
        """Write down that a call is made; its index and moment."""
        index = next(self._indices)
        called = self.now()
        if self._journal is not None:
            self._journal.append(
                "call", index=index, process=process, operation=operation, body=body, called=called, notes=dict(notes)
            )
        return index, called

    def complete(self, op: Op) -> Op:
        """Write down how a call was answered."""
        if self._journal is not None:
            self._journal.append("op", **op_to_json(op))
        with self._lock:
            self.ops.append(op)
        return op

    def close(self) -> None:
        """Close the file."""
        if self._journal is not None:
            self._journal.close()


class Client:
    """One client: a transport of its own, one call at a time, nothing sent twice.

    After a call whose fate is open it goes on as another process: the call may still be under way, and the same number
    would claim that it is over.
    """

    def __init__(
        self,
        number: int,
        clients: int,
        transport: Transport,
        history: History,
        names: Mapping[str, str],
        *,
        timeout: float = CALL_SECONDS,
    ) -> None:
        self.number = number
        self.process = number
        self.memory: dict[str, Any] = {}
        self._step = clients
        self._transport = transport
        self._history = history
        self._names = dict(names)
        self._timeout = timeout

    def call(self, operation: str, body: Body, *, token: str = "", attempt_of: int | None = None, **notes: Json) -> Op:
        """Put one call and record it. ``token`` names a ClientRequestToken of this run; ``body`` is symbolic."""
        if token:
            body = {**body, "ClientRequestToken": f"${{token:{token}}}"}
            self._names.setdefault(f"token:{token}", f"{self._names['run:']}-{token}"[:36])
        noted = {"client": self.number, **notes}
        process = self.process
        index, called = self._history.invoke(process, operation, body, noted)
        reply = self._transport.send(Call(operation, bind(body, self._names, {})), timeout=self._timeout)
        returned = self._history.now()
        known = fate(operation, reply)
        if known == "info":
            self.process += self._step
        op = Op(
            index, operation, body, process, called, None if known == "info" else returned, self._symbolic(reply),
            known, attempt_of=attempt_of, notes=noted,
        )  # fmt: skip
        if isinstance(reply, Lost):
            time.sleep(PAUSE)
        return self._history.complete(op)

    def _symbolic(self, reply: Reply) -> Reply:
        if isinstance(reply, Refusal) and reply.message:
            return replace(reply, message=unbind(reply.message, self._names))
        return reply

    def close(self) -> None:
        """Let go of the transport."""
        self._transport.close()


def body_of(op: Op) -> Body:
    """The body of a successful answer; empty for any other."""
    if isinstance(op.reply, Success) and isinstance(op.reply.body, dict):
        return op.reply.body
    return {}


def code_of(op: Op) -> str:
    """The error code of a refusal; empty for any other answer."""
    return op.reply.code if isinstance(op.reply, Refusal) else ""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A history after all that is known has been used: its ops, and how many open calls were settled by what."""

    ops: tuple[Op, ...]
    settled: Mapping[str, int] = field(default_factory=dict)


def settle(ops: Sequence[Op], ledger: Ledger | None, start: float) -> Narrowed:
    """Settle open calls by the proxy's ledger: what it never passed on failed, what the target answered is known.

    ``start`` is the history's beginning on the monotonic clock, which the ledger's times are of. Calls that met a fault
    get its id. The target's own answer replaces what the client got in its place. None: a black box, nothing is
    settled.
    """
    if ledger is None:
        return Narrowed(tuple(ops))
    entries = passed(ops, ledger, start)
    counts: dict[str, int] = defaultdict(int)
    settled = []
    for op in ops:
        found = entries.get(op.index, ())
        if found and found[0].firing is not None:
            op = replace(op, faults=(found[0].firing.id,))
        if op.fate == "info" and len(found) == 1:
            known = _known(op, found[0], start)
            if known is not None:
                counts["never passed on" if known.reply is op.reply else "answered to the proxy"] += 1
                op = known
        settled.append(op)
    return Narrowed(tuple(settled), dict(counts))


def _known(op: Op, entry: Entry, start: float) -> Op | None:
    """The op as the proxy's entry settles it, None where it can't."""
    delivered = [delivery for delivery in entry.deliveries if delivery.whole]
    if len(delivered) > 1 or entry.owed:
        return None
    known = entry.fate()
    if known == "fail" and not delivered:
        return replace(op, fate="fail", returned=max(op.called, (entry.ended or time.monotonic()) - start))
    if known in ("ok", "fail") and delivered and delivered[0].answered is not None:
        return replace(op, fate=known, returned=delivered[0].answered - start, reply=delivered[0].reply())
    return None


def passed(ops: Sequence[Op], ledger: Ledger, start: float) -> dict[int, list[Entry]]:
    """The proxy's entries of each op by its index.

    A client makes one call at a time, so that an entry belongs to the last call its client made before the entry began.
    (Counting them would not do: a request may be lost between a client and the proxy.)
    """
    calls: dict[object, list[Op]] = defaultdict(list)
    for op in ops:
        calls[op.notes.get("client")].append(op)
    called = {}
    for client, made in calls.items():
        made.sort(key=lambda op: op.called)
        called[client] = [op.called for op in made]
    found: dict[int, list[Entry]] = defaultdict(list)
    for entry in ledger.since(0):
        at = bisect_right(called.get(entry.client, []), entry.began - start) - 1
        if at >= 0:
            found[calls[entry.client][at].index].append(entry)
    return found


def logical(ops: Sequence[Op]) -> list[Op]:
    """The history with a call that was sent again under its token (``attempt_of``) as one call.

    It began with the first attempt. It took effect if any attempt was acknowledged; otherwise it is open if any is.
    """
    attempts: dict[int, list[Op]] = defaultdict(list)
    for op in ops:
        attempts[op.index if op.attempt_of is None else op.attempt_of].append(op)
    merged = []
    for first, tries in attempts.items():
        tries.sort(key=lambda op: op.index)
        fates = {op.fate for op in tries}
        known = "ok" if "ok" in fates else ("info" if "info" in fates else "fail")
        last = next(op for op in tries if op.fate == known)
        returned = None if known == "info" else last.returned
        merged.append(
            last
            if len(tries) == 1
            else replace(last, index=first, process=tries[0].process, called=tries[0].called, returned=returned)
        )
    return sorted(merged, key=lambda op: op.index)


def doubled(ops: Sequence[Op], ledger: Ledger | None, start: float) -> set[int]:
    """The writes that the proxy delivered more than once: without a token they may lawfully take effect each time."""
    if ledger is None:
        return set()
    entries = passed(ops, ledger, start)
    return {index for index, found in entries.items() if sum(bool(d.sent) for e in found for d in e.deliveries) > 1}


def reopened(ops: Iterable[Op], twice: Collection[int]) -> list[Op]:
    """The history with refused writes that were delivered twice as open: the second delivery may have succeeded."""
    return [
        replace(op, fate="info", returned=None)
        if op.index in twice and op.fate == "fail" and op.operation not in READS
        else op
        for op in ops
    ]


def assumptions(ops: Iterable[Op]) -> list[str]:
    """What is wrong with a history so that it says nothing of the target; empty when it can be judged."""
    found: list[str] = []
    by_process: dict[int, list[Op]] = defaultdict(list)
    indices: set[int] = set()
    for op in ops:
        by_process[op.process].append(op)
        if op.index in indices:
            found.append(f"call {op.index} stands twice in the history")
        indices.add(op.index)
        if op.returned is not None and op.returned < op.called:
            found.append(f"call {op.index} was answered before it was made: there is more than one clock")
    for process, calls in by_process.items():
        calls.sort(key=lambda op: (op.called, op.index))
        for before, after in itertools.pairwise(calls):
            if before.returned is None and before.operation not in READS:
                found.append(f"process {process} went on after call {before.index}, which was never answered")
                break
            if before.returned is not None and after.called < before.returned:
                found.append(f"process {process} made call {after.index} before call {before.index} was answered")
                break
    return found


def repeated(values: Iterable[object]) -> list[str]:
    """What is wrong with what was written: values that must be unique, and are not."""
    seen: set[object] = set()
    twice: set[str] = set()
    for value in values:
        if value in seen:
            twice.add(str(value))
        seen.add(value)
    return [f"{value} was written by two calls" for value in sorted(twice)]
