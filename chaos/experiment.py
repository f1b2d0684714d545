"""One experiment: a workload's plan, run against a target under a fault schedule, and judged."""

from __future__ import annotations

import contextlib
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from chaos.checkers.verdict import Anomaly, Result, Span, Verdict, result, safely, worst
from chaos.faults import ENDS, Fault
from chaos.histories import Client, History, assumptions, doubled, logical, reopened, settle
from chaos.lanes import Band
from chaos.processes import Event, ProcessHands, hands_of
from chaos.proxy import ThreadedProxy
from chaos.schedule import ITEM_CALLS, Rule, Schedule, draw
from chaos.workloads import WORKLOADS
from chaos.workloads.base import Evidence, Plan, Ran, Workload, run
from chaos.workloads.items import survival
from conformance.record.op import Op
from conformance.symbols import bind
from conformance.targets.signing import FAKE
from conformance.targets.target import Access, Target
from conformance.targets.transport import HttpTransport, Transport
from reference.api import Call, Lost, Refusal, Success

READY_SECONDS = 30.0
"""Seconds in which a table must become ACTIVE."""
CONVERGE_SECONDS = 5.0
"""Seconds, besides what the profile claims, in which all views must agree once all is quiet."""
CLIENT_SECONDS = 30.0
"""Seconds after which clients stop, wherever they are."""
LOG_LINES = 12
"""What a process that ended is quoted with: the last lines of its log."""
REQUESTS_PER_ACT = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """How experiments are run.

    ``share`` of the requests meet a fault. ``black_box``: the proxy's ledger is not used to settle open calls.
    """

    faults: tuple[Fault, ...] = ()
    share: float = 0.1
    black_box: bool = False
    seconds: float = CLIENT_SECONDS
    timeout: float = 5.0
    converge: float = CONVERGE_SECONDS
    access: Access = field(default_factory=Access)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one run of a plan."""

    plan: Plan
    schedule: Schedule | None
    verdict: Verdict
    results: tuple[Result, ...]
    ops: tuple[Op, ...]
    bands: tuple[Band, ...] = ()
    fired: Mapping[str, int] = field(default_factory=dict)
    settled: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    stopped: str = ""

    def anomalies(self) -> list[Anomaly]:
        """All that was found, worst checker first as they stand."""
        return [anomaly for result in self.results for anomaly in result.anomalies]

    def reasons(self) -> list[str]:
        """Why what is unknown is unknown."""
        return [f"{result.checker}: {result.reason}" for result in self.results if result.verdict == "unknown"]

    def spans(self, marked: Sequence[int] = ()) -> list[Span]:
        """Every call as a bar."""
        chosen = set(marked)
        return [
            Span(
                op.index, op.process, op.called, float("inf") if op.returned is None else op.returned,
                f"{op.operation} {op.fate}", op.index in chosen,
            )
            for op in self.ops
        ]  # fmt: skip


def schedule_for(workload: Workload, plan: Plan, settings: Settings) -> Schedule | None:
    """The fault schedule of a plan, drawn from its seed; None where there are no faults to put in."""
    if not settings.faults or settings.share <= 0:
        return None
    clients = range(len(plan.clients))
    requests = max(map(len, plan.clients)) * REQUESTS_PER_ACT
    plain = [fault for fault in settings.faults if fault.name != "duplicate" and fault.name not in ENDS]
    schedule = draw(plan.seed, plain, requests=requests, clients=clients, share=settings.share)
    rules = list(schedule.rules)
    twice = [fault for fault in settings.faults if fault.name == "duplicate"]
    if twice and workload.twice:
        more = draw(plan.seed + 1, twice, requests=requests, clients=clients, share=settings.share)
        rules += [replace(rule, operations=workload.twice) for rule in more.rules]
    ends = [fault for fault in settings.faults if fault.name in ENDS]
    return Schedule((*_ends(ends, plan), *rules), plan.seed)


def _ends(faults: Sequence[Fault], plan: Plan) -> Iterator[Rule]:
    """When the process ends: once or twice, at requests of the first client, since it is everybody's process."""
    pick = random.Random(f"{plan.seed}/ends")
    acts = max(map(len, plan.clients))
    for fault in faults:
        for ordinal in sorted(pick.sample(range(max(2, acts // 6), max(4, acts)), pick.choice((1, 2)))):
            settings = {"during": pick.choice((0, 1)), "down": pick.choice((0, 1, 3))}
            yield Rule(fault, settings, frozenset(ITEM_CALLS), client=0, at=frozenset({ordinal}))


def experiment(
    target: Target, plan: Plan, schedule: Schedule | None, settings: Settings, path: Path | None = None
) -> Trial:
    """Run a plan under a schedule (None: the control, no faults) and judge what happened.

    ``path`` is where the history is written as it happens. What was created is dropped, and faults are healed, in any
    case.
    """
    workload = WORKLOADS[plan.workload]
    run_id = secrets.token_hex(4)
    names = {f"table:{symbol}": f"dynoracle-{run_id}-{symbol}" for symbol in plan.tables} | {"run:": run_id}
    began = time.monotonic()
    mark = 0 if target.process is None else target.process.log_size()
    trouble = _create(target.transport, plan, names)
    if trouble:
        revive(target, mark)
        return Trial(plan, schedule, "unknown", (Result("set-up", "unknown", reason=trouble),), ())
    history = History(path)
    try:
        with _Rig(target, schedule, settings) as rig:
            ran, waited = _play(workload, plan, rig, history, names, settings)
        trial = _judge(workload, plan, rig, history, ran, waited, settings, time.monotonic() - began)
        fallen = revive(target, mark)
        return trial if fallen is None else replace(trial, verdict="violated", results=(fallen,))
    finally:
        history.close()
        for name in names.values():
            target.transport.send(Call("DeleteTable", {"TableName": name}), timeout=settings.timeout)


def revive(target: Target, mark: int) -> Result | None:
    """Start the process of a target again if it has ended, though nobody ended it; what that says of the target.

    ``mark`` is how long its log was before. Faults that end a process start it again themselves.
    """
    process = target.process
    if process is None or process.alive():
        return None
    last = [line.strip() for line in process.logged(mark).splitlines() if line.strip()][-LOG_LINES:]
    process.restart()
    summary = f"{target.name} ended by itself while clients were talking to it"
    prose = (f"{summary}. Nothing had been done to the process. Its last words:", *last)
    return result("alive", [Anomaly("died", "consistency.stays-up", summary, prose, severity="crash")])


class _Rig:
    """A target with its proxy in front, and the hands on its process, while an experiment runs."""

    def __init__(self, target: Target, schedule: Schedule | None, settings: Settings) -> None:
        self.target = target
        self.schedule = schedule
        self.hands: ProcessHands | None = None
        self.proxy: ThreadedProxy | None = None
        self.transports: list[Transport] = []
        self._settings = settings

    def __enter__(self) -> _Rig:
        if self.schedule is not None:
            access = self._settings.access
            self.hands = hands_of(self.target)
            credentials = access.credentials or FAKE
            self.proxy = ThreadedProxy(self.target.endpoint, access=access, hands=self.hands, credentials=credentials)
            self.proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            for transport in self.transports:
                with contextlib.suppress(OSError):
                    transport.close()
        finally:
            if self.proxy is not None:
                self.proxy.__exit__(None, None, None)

    def direct(self) -> Transport:
        """A transport of its own past the proxy."""
        transport = self.target.connect()
        if transport is not self.target.transport:
            self.transports.append(transport)
        return transport

    def through(self, client: int) -> Transport:
        """A client's transport: by its own port of the proxy, if there is one."""
        if self.proxy is None:
            return self.direct()
        access = self._settings.access
        transport = HttpTransport(
            self.proxy.url(client), region=self.target.region, credentials=access.credentials or FAKE
        )
        self.transports.append(transport)
        return transport

    def heal(self, clients: int) -> None:
        """End all faults, and wait for the proxy to be done with every request."""
        if self.proxy is not None:
            self.proxy.heal()
            for client in range(clients):
                self.proxy.settle(client, 0)
            # A fault that was just being put in may have outlived the first.
            self.proxy.heal()

    def events(self) -> list[Event]:
        """What was done to the process."""
        return [] if self.hands is None else list(self.hands.events)


def _play(
    workload: Workload, plan: Plan, rig: _Rig, history: History, names: Mapping[str, str], settings: Settings
) -> tuple[Ran, float]:
    """Prepare, run the clients under faults, heal, read what is left; how it went and the seconds waited at the end."""
    count = len(plan.clients)
    step = count + 2

    def client(number: int, transport: Transport) -> Client:
        return Client(number, step, transport, history, names, timeout=settings.timeout)

    workload.prepare(client(count, rig.direct()), plan)
    clients = [client(number, rig.through(number)) for number in range(count)]
    ends = rig.schedule is not None and any(fault.name in ENDS for fault in rig.schedule.faults())
    for each in clients:
        # Whether tokens outlive the process is not asked of a target.
        each.memory["retry"] = not ends
    if rig.proxy is not None:
        rig.proxy.arm(rig.schedule)
    try:
        ran = run(workload, plan, clients, settings.seconds)
    finally:
        rig.heal(count)
    profile = rig.target.profile
    lag = max(profile.staleness, profile.index_lag, profile.stream_lag)
    began = time.monotonic()
    workload.finish(client(count + 1, rig.direct()), plan, began + settings.converge + lag)
    return ran, time.monotonic() - began


def _judge(
    workload: Workload,
    plan: Plan,
    rig: _Rig,
    history: History,
    ran: Ran,
    waited: float,
    settings: Settings,
    seconds: float,
) -> Trial:
    ops = sorted(history.ops, key=lambda op: op.index)
    ledger = None if rig.proxy is None else rig.proxy.ledger
    narrowed = settle(ops, None if settings.black_box else ledger, history.start)
    kills = tuple(e.moment - history.start for e in rig.events() if e.what in ("killed", "terminated"))
    profile = rig.target.profile
    twice = frozenset(doubled(ops, ledger, history.start))
    evidence = Evidence(
        plan,
        logical(reopened(narrowed.ops, twice)),
        profile,
        twice,
        kills,
        waited if waited > 1 else 0.0,
    )
    wrong = [*assumptions(ops), *ran.errors]
    if wrong:
        results = [Result("harness", "unknown", reason="; ".join(wrong[:3]))]
    elif kills and profile.durability == "none":
        # It may lawfully forget everything, so that only what it came back with can be judged.
        results = [safely("durability", lambda: survival(evidence))]
    else:
        results = [*_checked(workload, evidence), *_refused(ops)]
    return Trial(
        plan, rig.schedule, worst(results), tuple(results), tuple(narrowed.ops), tuple(_bands(rig, history.start)),
        _fired(rig), narrowed.settled, seconds, ran.stopped,
    )  # fmt: skip


def _checked(workload: Workload, evidence: Evidence) -> list[Result]:
    found: list[Result] = []

    def check() -> Result:
        found.extend(workload.check(evidence))
        return found[0]

    first = safely(workload.name, check)
    return found or [first]


LAWFUL = frozenset(
    {
        "ConditionalCheckFailedException", "TransactionCanceledException", "TransactionConflictException",
        "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "InternalServerError",
        "TransactionInProgressException", "ServiceUnavailable", "InternalFailure",
    }
)  # fmt: skip


def _refused(ops: Sequence[Op]) -> list[Result]:
    """A workload whose calls the target refuses for reasons of its own says little: unknown if they are many."""
    codes = Counter(op.reply.code for op in ops if isinstance(op.reply, Refusal) and op.reply.code not in LAWFUL)
    if sum(codes.values()) * 5 <= len(ops):
        return []
    listed = ", ".join(f"{code} {count}" for code, count in codes.most_common(3))
    return [Result("calls", "unknown", reason=f"many of {len(ops)} calls were refused: {listed}")]


def _bands(rig: _Rig, start: float) -> Iterator[Band]:
    if rig.proxy is not None:
        for entry in rig.proxy.ledger.since(0):
            if entry.firing is not None:
                yield Band(entry.began - start, (entry.ended or entry.began) - start, entry.firing.id)
    for event in rig.events():
        yield Band(event.moment - start, event.moment - start, f"{event.firing}: {event.what}")


def _fired(rig: _Rig) -> dict[str, int]:
    if rig.proxy is None:
        return {}
    entries = rig.proxy.ledger.since(0)
    return dict(Counter(entry.firing.fault.name for entry in entries if entry.firing is not None))


def _create(transport: Transport, plan: Plan, names: Mapping[str, str]) -> str:
    """Create the plan's tables and wait for them; why it could not be done, or nothing."""
    deadline = time.monotonic() + READY_SECONDS
    for symbol, body in plan.tables.items():
        name = names[f"table:{symbol}"]
        reply = transport.send(Call("CreateTable", {**bind(body, names, {}), "TableName": name}))
        if isinstance(reply, Refusal):
            return f"CreateTable was refused: {reply.code}: {reply.message}"
        if isinstance(reply, Lost):
            return f"CreateTable was not answered: {reply.why}"
        while not _active(transport, name):
            if time.monotonic() > deadline:
                return f"the table was not ACTIVE after {READY_SECONDS:g} s"
            time.sleep(0.02)
    return ""


def _active(transport: Transport, name: str) -> bool:
    reply = transport.send(Call("DescribeTable", {"TableName": name}))
    if not isinstance(reply, Success) or not isinstance(reply.body, dict):
        return False
    described = reply.body.get("Table") or {}
    indexes = described.get("GlobalSecondaryIndexes") or []
    states = [described.get("TableStatus"), *(index.get("IndexStatus", "ACTIVE") for index in indexes)]
    return all(state == "ACTIVE" for state in states)
