"""One client's program through the proxy, with faults, each answer judged by the oracle.

The proxy's ledger says what the target was asked and what it answered, so that the oracle judges that, whatever the
client got to see: what was not passed on must not have taken effect, a dropped answer took effect once, a duplicate
twice. With ``black_box`` the oracle knows no more than the client: lost calls are choices that later answers settle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chaos.faults import ENDS, LIMITS, Fault, find
from chaos.proxy import ThreadedProxy
from chaos.proxy_ledger import Delivery, Entry
from chaos.schedule import Firing, Rule, Schedule
from conformance.fates import READS
from conformance.oracle.choices import World
from conformance.oracle.divergence import OK, Verdict
from conformance.oracle.latitude import Latitude
from conformance.program import Program, Step
from conformance.record.op import Op
from conformance.session import Session, crash, state_read
from conformance.symbols import bind
from conformance.targets.raw import RawRequest
from reference.api import Call, Json, Lost, Refusal, Reply, Success

SKEW_SECONDS = 240.0
"""A client's clock may be off by this much without a refusal."""
SKEW_CODES = frozenset(
    {"InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired", "IncompleteSignatureException",
     "UnrecognizedClientException"}
)  # fmt: skip
FORGETFUL = "the target does not claim to keep anything over its end"
HARNESS = "harness: "
"""How the reason of an unknown begins when it is our own doing."""


@dataclass(frozen=True, slots=True)
class FaultStep(Step):
    """A call that is met by a fault."""

    fault: str = ""
    settings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuietStep(Step):
    """A call before which all faults are taken out and everything under way has arrived."""


def pinned(program: Program, ops: Sequence[Op]) -> Program:
    """The program with its faults at the calls that they met in a run, so that they go where the calls go."""
    notes = {op.index - len(program.tables): op.notes for op in ops}
    steps = []
    for position, step in enumerate(program.steps):
        note = notes.get(position, {})
        if "fault" in note:
            step = FaultStep(step.operation, step.body, step.raw, note["fault"]["name"], note["fault"]["settings"])
        elif note.get("quiet"):
            step = QuietStep(step.operation, step.body, step.raw)
        steps.append(step)
    return replace(program, steps=tuple(steps))


def latitude_under(base: Latitude, faults: Iterable[Fault], *, black_box: bool = False) -> Latitude:
    """What a target may do besides while these faults are put in."""
    names = {fault.name for fault in faults}
    return replace(
        base,
        server_errors=base.server_errors or bool(names & LIMITS) or (black_box and bool(names & _ERRORS)),
        throttling=base.throttling or "low-capacity" in names or (black_box and "throttle" in names),
        partial_batches=base.partial_batches or "low-capacity" in names,
        conflicts=base.conflicts or "duplicate" in names,
    )


_ERRORS = frozenset({"error-before", "error-after"})


@dataclass(slots=True)
class FaultySession(Session):
    """A session whose calls go through a proxy as one of its clients.

    ``durable``: the target claims to keep what it acknowledged when its process ends. ``settles``: once the proxy is
    healed nothing is under way any more, as it may be behind a target's own 5xx. ``fired`` are the faults put in.
    """

    related: bool = False
    proxy: ThreadedProxy | None = None
    client: int = 0
    black_box: bool = False
    durable: bool = False
    settles: bool = True
    schedule: Schedule | None = None
    fired: list[Firing] = field(default_factory=list)
    _mark: int = 0
    _entry: Entry | None = None
    _owed: list[tuple[Entry, Call]] = field(default_factory=list)
    _struck: set[str] = field(default_factory=set)
    _ends: int = 0
    _quiet: bool = False
    _tables: tuple[str, ...] = ()

    def run(self, program: Program) -> None:
        """Run a program from the client's first request on; see ``Session.run``. The proxy is healed when it ends."""
        self.begin(program.tables)
        try:
            Session.run(self, program)
        finally:
            self._proxy.heal()

    def begin(self, tables: Iterable[str]) -> None:
        """Count the client's requests from 1 again, and arm the schedule."""
        self._tables = tuple(tables)
        self._proxy.restart(self.client)
        self._proxy.arm(self.schedule)
        self._mark = 0
        self._ends = self._proxy.ends()

    def send(self, step: Step, *, setup: bool = False) -> Any:
        """Send one call, met by its own fault if it brings one; see ``Session.send``."""
        if isinstance(step, FaultStep) and step.fault:
            rule = Rule(find(step.fault), step.settings, at=frozenset({self._mark + 1}))
            self._proxy.arm(Schedule((rule,)))
        self._quiet = isinstance(step, QuietStep)
        if self._quiet:
            self._heal()
        judged = Session.send(self, step, setup=setup)
        if self._ended():
            self._after_end()
        return judged

    def compare_state(self, tables: Mapping[str, Json]) -> None:
        """Heal, so that everything has arrived, and read every table whole."""
        self._heal()
        Session.compare_state(self, tables)

    def _heal(self) -> None:
        self._proxy.heal()
        # What waits in the socket of a server out of descriptors may still be read by it.
        if self.settles and not self._struck & LIMITS and not self.oracle.settle():
            self.quarantined = "not every state that lost calls may have led to was looked at"

    @property
    def _proxy(self) -> ThreadedProxy:
        assert self.proxy is not None
        return self.proxy

    # Judging.

    def _judge(self, call: Call, reply: Reply, received: float, raw: RawRequest | None = None) -> Verdict:
        entries = self._proxy.settle(self.client, self._mark)
        self._mark = self._proxy.ledger.count(self.client)
        self._entry = entry = entries[-1] if entries else None
        firing = entry.firing if entry is not None else None
        if firing is not None:
            self.fired.append(firing)
            if firing.fault.place == "process":
                self._struck.add(firing.fault.name)
        late = self._late(received)
        if not self.durable and self._struck and self._proxy.ends() > self._ends and _was_answered_after(entry):
            # A new process answered, which knows nothing.
            self._ends += 1
            self.quarantined = FORGETFUL
            return _worst(late)
        if len(entries) > 1:
            return Verdict("unknown", why=f"{HARNESS}one call became {len(entries)} requests")
        if entry is None or (firing is None and not self._struck):
            verdict = self._plain(call, reply, received)
        elif self.black_box:
            verdict = self._by_client(call, reply, entry, received)
        else:
            verdict = self._by_ledger(call, reply, entry, received)
        return _worst([*late, verdict])

    def _late(self, received: float) -> list[Verdict]:
        """Judge what was delivered late, before the call at hand was."""
        arrived = [(entry, call) for entry, call in self._owed if not entry.owed]
        self._owed = [(entry, call) for entry, call in self._owed if entry.owed]
        return [
            self._delivered(call, delivery, received)
            for entry, call in arrived
            for delivery in entry.deliveries
            if delivery.whole
        ]

    def _plain(self, call: Call, reply: Reply, received: float) -> Verdict:
        """Judge an answer that nothing has come between; a lost one is the target's own doing."""
        if isinstance(reply, Lost):
            if not reply.why.startswith("garbage"):
                self.died = reply.why
            return Verdict("violated", crash(call, reply, self.oracle))
        return Session._judge(self, call, reply, received, None)

    def _by_ledger(self, call: Call, reply: Reply, entry: Entry, received: float) -> Verdict:
        if entry.owed:
            self._owed.append((entry, call))
            return OK
        whole = [delivery for delivery in entry.deliveries if delivery.whole]
        firing = entry.firing
        if firing is not None and firing.fault.name == "clock-skew" and _refused_for_skew(firing, reply):
            return OK
        if firing is not None and firing.fault.name == "duplicate" and firing.settings["parallel"] and len(whole) == 2:
            verdict = self._in_any_order(call, whole, received)
        else:
            verdict = _worst([self._delivered(call, delivery, received) for delivery in whole])
        if verdict.ruling == "ok" and whole and not self._struck and firing is not None and not firing.fault.hides:
            return self._unchanged(reply, whole[0], firing)
        return verdict

    def _delivered(self, call: Call, delivery: Delivery, received: float) -> Verdict:
        """Judge what the target answered to one delivery of a call."""
        asked = call if delivery.body is None else Call(call.operation, delivery.body)
        answer = delivery.reply()
        if isinstance(answer, Lost) and delivery.answered is None and self._may_be_lost():
            return self._open(asked, answer.why, received)
        return self._plain(asked, answer, received)

    def _may_be_lost(self) -> bool:
        firing = self._entry.firing if self._entry is not None else None
        return bool(self._struck) or (firing is not None and firing.fault.name == "half-close")

    def _open(self, call: Call, why: str, received: float) -> Verdict:
        """Whether a call has taken effect is an open question."""
        self.lossy = True
        return Session._judge(self, call, Lost(why), received, None)

    def _in_any_order(self, call: Call, both: Sequence[Delivery], received: float) -> Verdict:
        """Judge two deliveries that were under way at once: one order must explain both answers."""
        before = self.oracle.worlds
        verdict = OK
        for order in (both, both[::-1]):
            self.oracle.worlds = [World(world.service.fork(), world.pending) for world in before]
            verdict = _worst([self._delivered(call, delivery, received) for delivery in order])
            if verdict.ruling == "ok" or self.died is not None:
                break
        return verdict

    def _unchanged(self, reply: Reply, delivery: Delivery, firing: Firing) -> Verdict:
        """What the client got must be what the target said; a batch made smaller says more."""
        if firing.fault.name == "partial-batch" or _same(reply, delivery.reply()):
            return OK
        return Verdict("unknown", why=f"{HARNESS}{firing.id} changed an answer on its way")

    def _by_client(self, call: Call, reply: Reply, entry: Entry, received: float) -> Verdict:
        """Judge by what the client knows; a batch made smaller is the request that was sent."""
        firing = entry.firing
        name = firing.fault.name if firing is not None else ""
        if name == "partial-batch":
            return self._by_ledger(call, reply, entry, received)
        if firing is not None and name == "clock-skew" and _refused_for_skew(firing, reply):
            return OK
        if isinstance(reply, Lost):
            if firing is not None and not firing.fault.hides and firing.fault.place == "proxy":
                return self._plain(call, reply, received)
            return self._open(call, "timeout", received)
        if name == "duplicate":
            again = self._open(call, "delivered twice", received)
            return _worst([again, Session._judge(self, call, reply, received, None)])
        return Session._judge(self, call, reply, received, None)

    def _noted(self, op: Op) -> Op:
        entry = self._entry
        if self._quiet:
            op = replace(op, notes={**op.notes, "quiet": True})
        if entry is None or entry.firing is None:
            return op
        firing = entry.firing
        notes: dict[str, Json] = {
            **op.notes,
            "fault": {"name": firing.fault.name, "settings": dict(firing.settings)},
            "answered": [delivery.status for delivery in entry.deliveries],
        }
        known = not self.black_box and op.operation not in READS
        return replace(op, faults=(firing.id,), fate=entry.fate() if known else op.fate, notes=notes)

    # The end of the process.

    def _ended(self) -> bool:
        """Whether the process has ended since this was last asked; a limit may end one as well as a signal."""
        before, self._ends = self._ends, self._proxy.ends() if self._struck else self._ends
        return self._ends > before and self.quarantined is None and self.died is None

    def _after_end(self) -> None:
        """The process is another one: nothing is under way any more, and what it did not keep on disk is gone."""
        if not self.oracle.settle():
            self.quarantined = "not every state that lost calls may have led to was looked at"
        elif self.durable:
            self._may_have_forgotten_tokens()
        else:
            self._proxy.heal()
            self._intact_or_empty()
            if self.quarantined is None:
                self.quarantined = FORGETFUL

    def _may_have_forgotten_tokens(self) -> None:
        others = []
        for world in self.oracle.worlds:
            if world.service.account.remembered:
                fork = world.service.fork()
                fork.account.remembered.clear()
                others.append(World(fork, world.pending))
        self.oracle.worlds += others

    def _intact_or_empty(self) -> None:
        """What claims to keep nothing may be empty or whole, but not something in between."""
        side = self.side or self.sender
        for symbol in self._tables:
            step = state_read(symbol)
            reply = side.send(Call(step.operation, bind(step.body, self.names, self.replies)), timeout=self.timeout)
            if isinstance(reply, Success) and reply.body.get("Items"):
                Session.send(self, step)
            elif isinstance(reply, Lost):
                self.died = reply.why


def _was_answered_after(entry: Entry | None) -> bool:
    """Whether a fault that ends the process came before its request was passed on."""
    firing = entry.firing if entry is not None else None
    return firing is not None and firing.fault.name in ENDS and not firing.settings["during"]


def _worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The first divergence, else the first unknown, else ok."""
    for ruling in ("violated", "unknown"):
        for verdict in verdicts:
            if verdict.ruling == ruling:
                return verdict
    return OK


def _refused_for_skew(firing: Firing, reply: Reply) -> bool:
    far = abs(firing.settings["seconds"]) > SKEW_SECONDS
    return far and isinstance(reply, Refusal) and reply.code in SKEW_CODES


def _same(one: Reply, other: Reply) -> bool:
    if isinstance(one, Refusal) and isinstance(other, Refusal):
        return (one.code, one.message, one.status) == (other.code, other.message, other.status)
    return one == other
