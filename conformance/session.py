"""Ops sent to a target, each judged by the oracle, all recorded: the one road that everything drives."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from conformance import settling
from conformance.fates import NEVER_SENT, fate
from conformance.oracle import counted, front, planes, scaled
from conformance.oracle.about import main_rule
from conformance.oracle.blame import refused_rule
from conformance.oracle.divergence import OK, Divergence, Verdict
from conformance.oracle.judge import Oracle
from conformance.oracle.lacking import lacking
from conformance.oracle.planes import USES_BUCKET
from conformance.oracle.resync import adopt_table
from conformance.oracle.wording import alternatives
from conformance.program import Program, Step
from conformance.record.op import Op, reply_to_json
from conformance.relations.watch import Watch
from conformance.symbols import SymbolError, bind, unbind
from conformance.targets.raw import RawRequest
from reference.api import Call, Json, Lost, Refusal, Reply, Success

READY_SECONDS = 20.0
LONGEST_PAUSE = 2.0
"""Seconds between two looks at what is being created, updated or deleted, at most."""
MAX_DIVERGENCES = 4
"""Divergences after which a program is broken off: the two worlds disagree too much to learn more."""

STATE_OPERATIONS = frozenset({
    "CreateTable", "UpdateTable", "DeleteTable", "RestoreTableFromBackup", "RestoreTableToPointInTime", "ImportTable",
})  # fmt: skip
"""Operations that make, change or end a table."""


class Sender(Protocol):
    """Anything that answers calls: a transport, or a proxy in front of one."""

    def send(self, call: Call, *, raw: Any = None, timeout: float = ...) -> Reply:
        """Send one call, without any retry."""
        ...


@dataclass(slots=True)
class Timing:
    """Seconds spent on each part of the work."""

    drawing: float = 0.0
    sending: float = 0.0
    judging: float = 0.0
    journalling: float = 0.0

    def add(self, other: Timing) -> None:
        """Add another account of time to this one."""
        self.drawing += other.drawing
        self.sending += other.sending
        self.judging += other.judging
        self.journalling += other.journalling


@dataclass(frozen=True, slots=True)
class Judged:
    """One op of a session and the oracle's word on it."""

    op: Op
    verdict: Verdict


@dataclass(slots=True)
class Session:
    """Runs the calls of one program against one target.

    ``names`` maps table symbols to real names. ``record`` is called with each op as soon as it is judged.
    ``faults`` are failures of the oracle itself; ``quarantined`` says why nothing more can be judged. ``died`` is set
    to what was lost when the target stopped answering; where replies are lost on purpose (``lossy``) the oracle judges
    the ambiguity instead. ``side`` carries what is no part of the program, where that must take another way.
    ``related``: answers are also held against each other, which a proxy that repeats requests would make unsound.
    ``ready_seconds`` is how long a table may take to come, change or go; what ``allows`` does not let pass is not sent.
    ``kept`` gives, for the body of a CreateTable, name and answer of a table that is there already, empty.
    ``waited`` are the most seconds spent on a call that had been accepted and took its time. ``earlier`` is the last
    call that the target answered before, to be named where it is gone at the first one.
    """

    sender: Sender
    oracle: Oracle
    names: dict[str, str]
    record: Callable[[Judged], None] = lambda judged: None
    clock: Callable[[], float] = time.time
    timeout: float = 10.0
    lossy: bool = False
    side: Sender | None = None
    related: bool = True
    earlier: Op | None = None
    ready_seconds: float = READY_SECONDS
    allows: Callable[[Step], bool] = lambda step: True
    kept: Callable[[Json], tuple[str, Json] | None] | None = None
    timing: Timing = field(default_factory=Timing)
    ops: list[Judged] = field(default_factory=list)
    replies: dict[int, Json] = field(default_factory=dict)
    waited: float = 0.0
    died: str | None = None
    quarantined: str | None = None
    faults: list[str] = field(default_factory=list)
    watch: Watch = field(init=False)
    _start: float = 0.0
    _taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._start = self.clock()
        self.watch = Watch(self.oracle.latitude)

    @property
    def started(self) -> float:
        """When it began, in epoch seconds."""
        return self._start

    def send(self, step: Step, *, setup: bool = False) -> Judged:
        """Bind, send, judge and record one call."""
        index = len(self.ops)
        call = Call(step.operation, self.bound(step.body))
        raw = None if step.raw is None else RawRequest.from_json(self.bound(step.raw))
        called = self.clock()
        before = time.perf_counter()
        reply = self.sender.send(call, raw=raw, timeout=self.timeout)
        returned = self.clock()
        between = time.perf_counter()
        verdict = self._resting(call, self._judge(call, reply, returned, raw))
        after = time.perf_counter()
        self.timing.sending += between - before
        self.timing.judging += after - between
        self.replies[index] = reply.body if isinstance(reply, Success) else None
        op = Op(
            index,
            step.operation,
            step.body,
            called=called - self._start,
            returned=returned - self._start,
            reply=self._symbolic(reply),
            fate=fate(step.operation, reply),
            raw=step.raw,
            notes={"setup": True} if setup else {},
        )
        judged = Judged(self._noted(op), verdict)
        self.ops.append(judged)
        self.record(judged)
        self.timing.journalling += time.perf_counter() - after
        self._after(call, reply, verdict)
        return judged

    def _judge(self, call: Call, reply: Reply, received: float, raw: RawRequest | None) -> Verdict:
        if isinstance(reply, Lost) and not self.lossy:
            if not reply.why.startswith("garbage"):
                self.died = reply.why
            if reply.why.split(":", 1)[0] in NEVER_SENT:
                return self._gone(reply)
            return Verdict("violated", crash(call, reply, self.oracle, raw))
        try:
            if raw is not None:
                self.watch.forget()
                return self.oracle.judge_raw(call, raw, reply, received)
            verdict = self.oracle.judge(call, reply, received)
            return self._related(call, reply, verdict) if self.related else verdict
        except Exception as error:  # A fault of ours must not end the search, nor count against the target.
            self.faults.append(f"the oracle failed on {call.operation}: {type(error).__name__}: {error}")
            return Verdict("unknown", why=self.faults[-1])

    def _related(self, call: Call, reply: Reply, verdict: Verdict) -> Verdict:
        """The oracle's word, or what the target's own answers say against this one where the oracle permits it."""
        broken = self.watch.judge(len(self.ops), call, reply)
        if verdict.ruling == "violated":
            self.watch.forget()
            return verdict
        return verdict if broken is None else Verdict("violated", broken)

    def _resting(self, call: Call, verdict: Verdict) -> Verdict:
        """The verdict, with a word on a divergence that is about what was taken over from the target."""
        about = self._taken if call.operation in STATEMENTS else self._taken.intersection(touched(call))
        if verdict.divergence is None or not about:
            return verdict
        return replace(verdict, divergence=replace(verdict.divergence, derived=True))

    def _gone(self, reply: Lost) -> Verdict:
        """Nobody listens any more: that is no word on the call that finds it out, but on the one before."""
        last = self.ops[-1].op if self.ops else self.earlier
        if last is None:
            return Verdict("unknown", why="the target was not there")
        text = f"{last.operation}: the endpoint is gone after it ({reply.why[:120]})"
        before = last.reply or Lost("no answer")
        accepted = (reply_to_json(before),)
        rule = main_rule(last.operation)
        return Verdict(
            "violated", Divergence(last.operation, rule, "crash", "gone", text, before, reply, accepted, ("*",))
        )

    def _noted(self, op: Op) -> Op:
        """The op as it is recorded; for sessions that know more of it."""
        return op

    def _symbolic(self, reply: Reply) -> Reply:
        if isinstance(reply, Success):
            return Success(unbind(reply.body, self.names))
        if isinstance(reply, Refusal):
            fields = {k: unbind(v, self.names) for k, v in reply.fields.items()}
            return replace(reply, message=unbind(reply.message, self.names), fields=fields)
        return reply

    def _after(self, call: Call, reply: Reply, verdict: Verdict) -> None:
        if self.died is not None:
            return
        settings = call.operation in STATE_OPERATIONS and isinstance(reply, Success)
        if isinstance(reply, Success):
            self._settle(call, reply)
        if verdict.ruling == "unknown" and (self.lossy or settings):
            self.quarantined = verdict.why
        elif call.operation in USES_BUCKET and isinstance(reply, Success) and not self.oracle.latitude.buckets:
            self.quarantined = "the target has no bucket that is known, so what comes of this is open"
        elif _without_vectors(call, reply):
            self.quarantined = _NO_VECTORS
        elif verdict.divergence is not None and ":" in call.operation and verdict.divergence.severity == "unsupported":
            self.quarantined = f"the target has no {call.operation}"
        elif verdict.divergence is not None and _settings_differ(call, reply, verdict.divergence):
            self.quarantined = "a table's settings are no longer what the reference holds"
        elif verdict.ruling != "ok" and not self._undisturbed(verdict):
            self._resync(call)

    def _undisturbed(self, verdict: Verdict) -> bool:
        """Whether an answer differs only in what says nothing of items: what the target holds is then judged as ever.

        To take it over would hide what else the same call did wrong.
        """
        found = verdict.divergence
        return not self.lossy and found is not None and found.severity in _BESIDE

    def _settle(self, call: Call, reply: Success) -> None:
        """Wait until what a call began has come to rest; bounded, unrecorded."""
        side = self.side or self.sender
        wait = settling.waiting(call, reply)
        began, pause = time.monotonic(), settling.PAUSE
        while wait is not None and time.monotonic() < began + self.ready_seconds:
            if not wait.goes_on(side.send(wait.ask, timeout=self.timeout)):
                return
            time.sleep(pause)
            self.waited = max(self.waited, time.monotonic() - began)
            pause = min(LONGEST_PAUSE, pause * 1.3)

    def _resync(self, call: Call) -> None:
        """Adopt the target's state of the tables a differing call touches, so that the search goes on."""
        side = self.side or self.sender
        every = [name for symbol, name in self.names.items() if symbol.startswith("table:")]
        for table in every if call.operation in STATEMENTS else touched(call):
            changed = adopt_table(self.oracle, table, lambda c: side.send(c, timeout=self.timeout))
            if changed is None:
                self.quarantined = "a table holds what the reference can't take over"
            elif changed:
                self._taken.add(table)

    def adopt(self, step: Step, reply: Reply, *, setup: bool = False) -> Op:
        """Record a call that was put and answered without asking the oracle."""
        index = len(self.ops)
        self.replies[index] = reply.body if isinstance(reply, Success) else None
        notes: dict[str, Json] = {"setup": True} if setup else {}
        answered, kind = self._symbolic(reply), fate(step.operation, reply)
        op = Op(index, step.operation, step.body, reply=answered, fate=kind, raw=step.raw, notes=notes)
        self.ops.append(Judged(op, OK))
        if isinstance(reply, Success):
            self._settle(Call(step.operation, self.bound(step.body)), reply)
        return op

    def bound(self, body: Json) -> Json:
        """A symbolic body with this session's names, replies and times; SymbolError when one is missing."""
        return bind(body, self.names, self.replies, self._start)

    def can_bind(self, step: Step) -> bool:
        """Whether every reply that a step refers to was given; a target may lawfully have ended a page chain."""
        try:
            self.bound(step.body)
        except SymbolError:
            return False
        return True

    def _reuse(self, body: Json, name: str, answer: Json) -> None:
        """Set up a table that is there already."""
        self.names[str(body["TableName"]).removeprefix("${").removesuffix("}")] = name
        self.oracle.clock.set(self.clock())
        made = Call("CreateTable", self.bound(body))
        self.oracle.made(made, Success(answer))
        if _without_vectors(made, Success(answer)):
            self.quarantined = _NO_VECTORS
        if self.related:
            self.watch.judge(len(self.ops), made, Success(answer))
        index, notes = len(self.ops), {"setup": True}
        self.replies[index] = answer
        self.ops.append(Judged(Op(index, "CreateTable", body, reply=self._symbolic(Success(answer)), notes=notes), OK))

    def follow(self, step: Step) -> None:
        """Send a step; where it cannot or must not be sent, keep its place, so that later references still fit."""
        able = self.can_bind(step)
        if able and self.allows(step):
            self.send(step)
            return
        why = "it is not put to endpoints that are paid for" if able else "refers to a reply that was not given"
        op = Op(
            len(self.ops),
            step.operation,
            step.body,
            fate="fail",
            notes={"skipped": why},
        )
        self.ops.append(Judged(op, OK))

    def divergences(self) -> list[tuple[int, Divergence]]:
        """Every divergence so far with the index of its op."""
        return [(j.op.index, j.verdict.divergence) for j in self.ops if j.verdict.divergence is not None]

    def set_up(self, program: Program) -> bool:
        """Make the program's tables, or take such as are there; whether there is anything to go on with."""
        if any(step.operation in counted.OPERATIONS for step in program.steps):
            self.oracle.measure()
        for body in program.tables.values():
            there = self.kept(body) if self.kept is not None else None
            if there is not None:
                self._reuse(body, *there)
                if self.quarantined:
                    return False
                continue
            made = self.send(Step("CreateTable", body), setup=True)
            refused = made.verdict.divergence is not None and isinstance(made.op.reply, Refusal)
            if self.died or self.quarantined or refused:
                return False
        return True

    def run(self, program: Program) -> None:
        """Set up the program's tables, send its calls, and compare the final state."""
        if not self.set_up(program):
            return  # What comes of a table that is not there is no word on any call.
        for step in program.steps:
            self.follow(step)
            if self.died or self.quarantined or len(self.divergences()) >= MAX_DIVERGENCES:
                return
        self.compare_state(program.tables)

    def compare_state(self, tables: Mapping[str, Json]) -> None:
        """Read every table whole, as ordinary judged ops, so that a wrong item is seen even if no call reads it."""
        for symbol in tables:
            if self.died or self.quarantined:
                return
            step = state_read(symbol)
            for _ in range(MAX_STATE_PAGES):
                judged = self.send(step)
                reply = judged.op.reply
                if not isinstance(reply, Success) or "LastEvaluatedKey" not in (reply.body or {}):
                    break
                step = replace(
                    step, body={**step.body, "ExclusiveStartKey": f"${{reply:{judged.op.index}:LastEvaluatedKey}}"}
                )


_BESIDE = frozenset({"shape", "message", "precedence"})
"""Severities of answers that did what they should, or were refused as they should be."""
STATEMENTS = frozenset({"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"})
_ITEMS = STATEMENTS | {
    "GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem",
    "TransactGetItems", "TransactWriteItems", "SearchVectors",
}  # fmt: skip


def _settings_differ(call: Call, reply: Reply, found: Divergence) -> bool:
    """Whether an operation on settings was accepted that should have been refused, or the reverse, or a key changed."""
    if (found.severity == "accepts" and found.rule == "keys.update-key") or found.rule == scaled.ADJUSTED:
        return True
    return call.operation not in _ITEMS and isinstance(reply, Success) != isinstance(found.expected, Success)


_NO_VECTORS = "the target made a table without the vector indexes that it was asked for"


def _without_vectors(call: Call, reply: Reply) -> bool:
    """Whether a target took vector indexes for a member that it need not know, and made none."""
    if call.operation != "CreateTable" or not isinstance(reply, Success) or not call.body.get("VectorIndexes"):
        return False
    return not ((reply.body or {}).get("TableDescription") or {}).get("VectorIndexes")


MAX_STATE_PAGES = 50


def state_read(symbol: str) -> Step:
    """The call that shows all of a table."""
    return Step("Scan", {"TableName": f"${{table:{symbol}}}", "ConsistentRead": True})


def touched(call: Call) -> list[str]:
    """The tables a call names."""
    body = call.body if isinstance(call.body, dict) else {}
    names = [body.get("TableName")]
    if isinstance(body.get("RequestItems"), dict):
        names += list(body["RequestItems"])
    for action in body.get("TransactItems") or []:
        if isinstance(action, dict):
            names += [part.get("TableName") for part in action.values() if isinstance(part, dict)]
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def crash(call: Call, reply: Lost, oracle: Oracle, raw: RawRequest | None = None) -> Divergence:
    """The divergence of a call that got no proper answer where nothing was meant to lose it.

    HTTP with a status and no DynamoDB answer is told by its status; a crash is an endpoint that died, hung or spoke no
    HTTP.
    """
    broken, read = ((), call) if raw is None else front.received(call, raw, oracle.clock.now())
    if read is not None:
        read, _ = planes.ours(oracle.model, read, Success(None))
    outcomes = oracle.model.outcomes(read) if read is not None and not broken else None
    if outcomes is not None:
        broken = outcomes.violations
    outcome = outcomes.outcome if outcomes is not None else None
    expected: Reply
    if broken:
        expected, rule = oracle.model.refusal(call, broken[0]), broken[0].rule.name
    else:
        expected = Success(outcome.body if outcome is not None else None)
        rule = refused_rule(call, outcome)
    if call.operation in oracle.latitude.lacks and reply.why.startswith("garbage"):
        return lacking(call.operation, expected, reply)
    severity, kind = unread(reply, refused=bool(broken))
    if severity == "crash":
        text = f"{call.operation} got no answer: {reply.why[:120]}"
    else:
        text = f"{call.operation} is answered with HTTP {kind.removeprefix('status ')} and no DynamoDB answer"
    accepted = tuple(a for v in broken for a in alternatives(call, v)) or (reply_to_json(expected),)
    found = Divergence(call.operation, rule, severity, kind, text, expected, reply, accepted, ("*",))
    return planes.theirs(oracle.model, found)


def unread(reply: Lost, *, refused: bool) -> tuple[str, str]:
    """Severity and kind of an answer that could not be read, where a refusal or a success had to come."""
    status = _STATUS.match(reply.why)
    if status is None:
        return "crash", reply.why.split(":", 1)[0]
    return "error" if refused else "refuses", f"status {status[1]}"


_STATUS = re.compile(r"garbage: status ([45]\d\d)")
