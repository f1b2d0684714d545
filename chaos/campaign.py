"""A search under faults: the machines' programs through the proxy, what differs reduced with its faults."""

from __future__ import annotations

import secrets
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import chaos.faults
from chaos.faults import ENDS, Fault, find
from chaos.lockstep import FaultStep, FaultySession, QuietStep, latitude_under, pinned
from chaos.processes import hands_of
from chaos.proxy import ThreadedProxy
from chaos.schedule import ITEM_CALLS, Schedule, draw
from conformance.machines import MACHINES
from conformance.machines.base import draw_chunk
from conformance.oracle.divergence import Divergence
from conformance.oracle.judge import Oracle
from conformance.program import Program, Step
from conformance.record.folder import RunFolder, read_finding, read_trace
from conformance.record.op import Op
from conformance.record.run import Run
from conformance.replay import Replayed, ReplayError, verdict_of
from conformance.search.baseline import Known, read_known
from conformance.search.campaign import Share, ledger_version, merge
from conformance.search.findings import finding_of, program_of, written
from conformance.search.minimise import CALL_BUDGET, VALUE_BUDGET, Attempt, Reduction, minimise
from conformance.search.regression import replay_known
from conformance.search.worker import TargetLostError, Worker
from conformance.session import Session, state_read
from conformance.targets.signing import FAKE
from conformance.targets.target import Access, Target, open_target
from conformance.targets.transport import HttpTransport
from reference.api import Json

STATEMENTS = ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction")
CAPABILITIES = ("items", "batches", "transactions", "queries", "mixed")
SHARE = 0.25
"""How many requests meet a fault."""
PROGRAMS = 10
"""Programs of a chunk: drawing takes its time, and a small budget should see some run."""
FAULT_BUDGET = 24
"""Attempts to do without faults, before calls and values are reduced."""
SLOW_BUDGET = 20
"""Calls for reducing what takes a restart of the process to show."""
SCRIPT = '''\
"""Replays this finding, faults and all, on a target: ``python reproduce.py [TARGET]``; exit code 1 while it shows."""

import sys
from pathlib import Path

from chaos.campaign import replay

result = replay(Path(__file__).parent, sys.argv[1] if len(sys.argv) > 1 else {target!r})
print(*result.lines, f"{{result.verdict}}: {{result.text}}", sep="\\n")
sys.exit(0 if result.verdict == "fixed" else 1)
'''


@dataclass(frozen=True, slots=True)
class Faults:
    """What may happen to the programs of a run.

    ``schedule`` replaces the drawn ones; ``share`` 0 is the control: no faults at all.
    """

    faults: tuple[Fault, ...] = ()
    share: float = SHARE
    schedule: Schedule | None = None
    black_box: bool = False

    @staticmethod
    def named(names: Iterable[str], target: Target, **options: Any) -> Faults:
        """The faults of these names, or all that a single client can show on a target; FaultError, ValueError."""
        chosen = tuple(find(name) for name in names)
        for fault in chosen:
            if fault.missing(target):
                raise ValueError(f"{fault.name} can't be put into {target.name}: {fault.missing(target)}")
        usual = [f for f in chaos.faults.available(target, concurrent=False) if f.place == "proxy"]
        return Faults(chosen or tuple(usual), **options)

    def of(self, seed: int, program: Program) -> Schedule:
        """The schedule of one program."""
        if self.schedule is not None:
            return self.schedule
        put = [fault for fault in self.faults if fault.place != "table"]
        requests = len(program.tables) + len(program.steps)
        return draw(seed, put, requests=requests, share=self.share, operations=ITEM_CALLS + STATEMENTS)

    @property
    def low_capacity(self) -> bool:
        """Whether tables get one unit of throughput."""
        return self.share > 0 and any(fault.name == "low-capacity" for fault in self.all())

    def all(self) -> tuple[Fault, ...]:
        """Every fault that may be put in."""
        return self.schedule.faults() if self.schedule is not None else self.faults


def with_low_capacity(program: Program) -> Program:
    """The program with one unit of throughput for each of its tables and indexes."""
    one = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}

    def lowered(body: Json) -> Json:
        indexes = [{**index, "ProvisionedThroughput": one} for index in body.get("GlobalSecondaryIndexes", ())]
        more = {"GlobalSecondaryIndexes": indexes} if indexes else {}
        return {**body, **more, "BillingMode": "PROVISIONED", "ProvisionedThroughput": one}

    return replace(program, tables={symbol: lowered(body) for symbol, body in program.tables.items()})


@dataclass(slots=True)
class LockstepWorker(Worker):
    """A worker whose programs run through a proxy in front of its target."""

    pools: ClassVar[bool] = False

    faults: Faults = field(default_factory=Faults)
    access: Access = field(default_factory=Access)
    proxy: ThreadedProxy | None = None
    fired: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    _through: HttpTransport | None = None
    _schedule: Schedule | None = None

    def __enter__(self) -> LockstepWorker:
        self.latitude = latitude_under(self.latitude, self.faults.all(), black_box=self.faults.black_box)
        credentials = self.access.credentials
        hands = hands_of(self.target)
        self.proxy = ThreadedProxy(
            self.target.endpoint, access=self.access, hands=hands, credentials=credentials or FAKE
        )
        self.proxy.__enter__()
        self._through = HttpTransport(self.proxy.url(), region=self.target.region, credentials=credentials)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._through is not None:
                self._through.close()
        finally:
            if self.proxy is not None:
                self.proxy.__exit__(None, None, None)
            self.end()

    def chunk(self, capability: str, number: int, seed: int, deadline: float) -> None:
        """Draw the programs and schedules of one seeded chunk and run them; see ``Worker.chunk``."""
        fresh: dict[str, tuple[Program, Divergence]] = {}
        for position, drawn in enumerate(draw_chunk(MACHINES[capability], seed, PROGRAMS)):
            if position and time.monotonic() > deadline:
                break
            program = replace(drawn, capability=capability, chunk=number, number=position)
            program = with_low_capacity(program) if self.faults.low_capacity else program
            self._schedule = self.faults.of(seed * 1009 + position, program)
            self.journal.append("program-start", capability=capability, chunk=number, number=position, seed=seed)
            session = self.play(program)
            ops = [judged.op for judged in session.ops]
            met = pinned(program, ops)
            for _, divergence in session.divergences():
                found = written(divergence, session.names, ops, session.started)
                fresh.setdefault(found.fingerprint, (met, found))
        self._schedule = None
        for program, divergence in fresh.values():
            if divergence.fingerprint not in self.seen:
                self.reduce(program, divergence)
            self.seen[divergence.fingerprint] = self.seen.get(divergence.fingerprint, 0) + 1

    def play(self, program: Program) -> Session:
        """Run one program under its schedule; see ``Worker.play``."""
        session = Worker.play(self, program)
        assert isinstance(session, FaultySession)
        self.fired.update(firing.fault.name for firing in session.fired)
        self.unknown.update(judged.verdict.why for judged in session.ops if judged.verdict.ruling == "unknown")
        return session

    def session(self) -> FaultySession:
        """A session through the proxy with a fresh oracle; tables get fresh names."""
        names = Worker.session(self).names
        oracle = Oracle(self.latitude, start=time.time())
        assert self._through is not None
        return FaultySession(
            self._through, oracle, names, timeout=self.timeout, side=self._transport, proxy=self.proxy,
            black_box=self.faults.black_box, lossy=self.faults.black_box or self.latitude.server_errors,
            settles=not self.target.profile.throttles,
            durable=self.target.profile.durability != "none", schedule=self._schedule,
        )  # fmt: skip

    def attempt(self, program: Program) -> Attempt:
        """Run a candidate of the minimiser, its faults pinned to its calls."""
        session = self.session()
        session.schedule = None
        session.begin(program.tables)
        assert self.proxy is not None
        try:
            for body in program.tables.values():
                session.send(Step("CreateTable", body), setup=True)
            for step in program.steps:
                if session.died is not None or session.quarantined is not None or not session.can_bind(step):
                    break
                session.send(step)
        finally:
            self.proxy.heal()
        ops = tuple(judged.op for judged in session.ops)
        attempt = Attempt(tuple(session.divergences()), ops, dict(session.names), session.started)
        self.finish(session)
        return attempt

    def program_of_known(self, ops: Sequence[Op], capability: str) -> Program | None:
        """The program of a known finding with its faults; None where the target can't have one of them."""
        names = {op.notes["fault"]["name"] for op in ops if "fault" in op.notes}
        return None if any(find(name).missing(self.target) for name in names) else with_faults(ops, capability)

    def replay_known(self, known: Known) -> str:
        """Replay one known finding, the target allowed what its own faults bring about; its state."""
        notes = [row.get("notes", {}) for row in known.program]
        own = [find(note["fault"]["name"]) for note in notes if "fault" in note]
        before = self.latitude
        self.latitude = latitude_under(before, own, black_box=self.faults.black_box)
        try:
            return replay_known(self, known)
        finally:
            self.latitude = before

    def reduce(self, program: Program, divergence: Divergence, budgets: tuple[int, int] | None = None) -> None:
        """Minimise a new divergence: first its faults, then calls and values as ever; replay it, write its finding."""
        ends = any(isinstance(step, FaultStep) and step.fault in ENDS for step in program.steps)
        calls, values = budgets or ((SLOW_BUDGET, 0) if ends else (CALL_BUDGET, VALUE_BUDGET))
        final = (QuietStep(*_parts(state_read(symbol))) for symbol in program.tables)
        whole = replace(program, steps=(*program.steps, *final))
        fewer = self._fewer_faults(whole, divergence)
        reduction = minimise(fewer, divergence, self.attempt, calls=calls, values=values)
        replayed = sum(self._shows(reduction) for _ in range(2)) if reduction.reproduced else 0
        self.report(reduction, program, replayed)

    def _fewer_faults(self, program: Program, divergence: Divergence) -> Program:
        """The program without the faults that it does not take to show the divergence."""
        best = program
        tries = 0
        for position, step in enumerate(program.steps):
            if not isinstance(step, FaultStep) or tries >= FAULT_BUDGET:
                continue
            tries += 1
            plain = Step(step.operation, step.body, step.raw)
            candidate = replace(best, steps=(*best.steps[:position], plain, *best.steps[position + 1 :]))
            if any(d.fingerprint == divergence.fingerprint for _, d in self.attempt(candidate).divergences):
                best = candidate
        return best

    def report(self, reduction: Reduction, program: Program, replayed: int) -> None:
        """Write a finding to the run folder and the journal, with a script that puts the faults in again."""
        names = list(dict.fromkeys(fault for op in reduction.ops for fault in op.faults))
        finding = finding_of(
            reduction, program, replayed=replayed, replays=2 if reduction.reproduced else 1,
            first_seen=datetime.now(UTC).isoformat(timespec="seconds"),
            notes={
                "compare": list(reduction.divergence.compare), "endpoint": self.target.endpoint,
                "target": self.target.name, "version": self.target.version, "faults": names,
                "black_box": self.faults.black_box, "reproduced": reduction.reproduced,
            },
        )  # fmt: skip
        self.folder.write_finding(finding, SCRIPT.format(target=self.target.name))
        self.journal.append("finding", fingerprint=finding.fingerprint)


def _parts(step: Step) -> tuple[str, Json, Any]:
    return step.operation, step.body, step.raw


@dataclass(frozen=True, slots=True)
class Searched:
    """A finished search: its run, how often each fault was put in, and why answers could not be judged."""

    run: Run
    fired: Mapping[str, int]
    unknown: Mapping[str, int]


def search(
    target: Target,
    folder: RunFolder,
    faults: Faults,
    *,
    seed: int = 0,
    budget: float = 30.0,
    capabilities: Sequence[str] = CAPABILITIES,
    chunks: int | None = None,
    timeout: float = 5.0,
    access: Access | None = None,
    watch: Callable[[LockstepWorker], None] = lambda worker: None,
) -> Searched:
    """Search a target under faults for ``budget`` seconds, or so many ``chunks`` of each capability; write the run.

    What the folder says is known is replayed first.
    ``watch`` is called after each chunk. The target's process is mended, and its tables are dropped, in any case.
    """
    worker = LockstepWorker(
        target, folder, "lockstep", secrets.token_hex(3), timeout=timeout, faults=faults, access=access or Access()
    )
    started = time.monotonic()
    stopped = "budget"
    with worker:
        worker.journal.append("run", **_header(worker, seed, budget, capabilities))
        try:
            for known in read_known(folder):
                worker.replay_known(known)
            _chunks(worker, seed, budget, capabilities, chunks, watch)
        except TargetLostError as lost:
            stopped = "error"
            worker.journal.append("error", text=str(lost))
        except KeyboardInterrupt:
            stopped = "interrupted"
    run = merge(folder, stopped=stopped, seconds=time.monotonic() - started)
    for finding in run.findings:
        if finding.notes.get("unreduced") and any(row.get("faults") for row in finding.program):
            folder.write_finding(finding, SCRIPT.format(target=target.name))
    return Searched(run, dict(worker.fired), dict(worker.unknown))


def _chunks(
    worker: LockstepWorker,
    seed: int,
    budget: float,
    capabilities: Sequence[str],
    chunks: int | None,
    watch: Callable[[LockstepWorker], None],
) -> None:
    began = time.monotonic()
    for position, capability in enumerate(capabilities):
        # Each capability gets its part of the time, whatever the others have left over or spent.
        deadline = began + budget * (position + 1) / len(capabilities)
        for count, (number, chunk_seed) in enumerate(Share(capability, 0, 1, budget).chunks(seed)):
            if time.monotonic() >= deadline or (chunks is not None and count >= chunks):
                break
            worker.chunk(capability, number, chunk_seed, deadline)
            watch(worker)


def _header(worker: LockstepWorker, seed: int, budget: float, capabilities: Sequence[str]) -> dict[str, Any]:
    target = worker.target
    from importlib.metadata import PackageNotFoundError, version

    try:
        ours = version("dynoracle")
    except PackageNotFoundError:
        ours = "0"
    return {
        "target": {"name": target.name, "version": target.version, "endpoint": target.endpoint},
        "command": shlex.join(["dynoracle", *sys.argv[1:]]),
        "version": ours,
        "ledger": ledger_version(),
        "seed": seed,
        "budget": budget,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "capabilities": list(capabilities),
        "profile": {**target.profile.to_json(), "faults": [fault.name for fault in worker.faults.all()]},
        "latitude": worker.latitude.used(),
    }


def with_faults(ops: Sequence[Op], capability: str = "") -> Program:
    """The program that a recorded trace holds, each call with the fault it met."""
    return pinned(program_of(ops, capability), ops)


def replay(path: Path, spec: str) -> Replayed:
    """Open a target and replay a finding or trace on it; see ``replay_on``."""
    with (
        tempfile.TemporaryDirectory(prefix="dynoracle-replay-") as home,
        open_target(spec, run_dir=Path(home)) as target,
    ):
        return replay_on(target, path)


def replay_on(target: Target, path: Path, access: Access | None = None) -> Replayed:
    """Replay a finding or trace with its faults. ReplayError or RecordError says what is in the way."""
    header, ops = read_trace(path)
    names = {op.notes["fault"]["name"] for op in ops if "fault" in op.notes}
    faults = Faults(tuple(find(name) for name in sorted(names)), black_box=_in_black_box(path))
    for fault in faults.faults:
        if fault.missing(target):
            raise ReplayError(f"{fault.name} can't be put into {target.name}: {fault.missing(target)}")
    with tempfile.TemporaryDirectory(prefix="dynoracle-replay-") as home:
        worker = LockstepWorker(
            target, RunFolder(Path(home)), "replay", secrets.token_hex(3), faults=faults, access=access or Access()
        )
        with worker:
            return verdict_of(worker.attempt(with_faults(ops)), header.get("fingerprint"), target.name)


def _in_black_box(path: Path) -> bool:
    """Whether a finding was made by what the client knows."""
    folder = path if path.is_dir() else path.parent
    return (folder / "finding.json").exists() and bool(read_finding(folder).notes.get("black_box"))
