"""One worker of a campaign: it owns a target, runs chunks and checks on it, and journals what it finds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

import orjson

from conformance.machines import MACHINES
from conformance.machines.base import draw_chunk
from conformance.oracle.divergence import Divergence
from conformance.oracle.judge import Oracle
from conformance.oracle.latitude import Latitude
from conformance.program import Program
from conformance.record.folder import RunFolder
from conformance.record.journal import Journal
from conformance.record.op import Op, op_to_json
from conformance.search.findings import divergence_to_json, finding_of, program_of, written
from conformance.search.minimise import CALL_BUDGET, VALUE_BUDGET, Attempt, Reduction, minimise
from conformance.search.pool import TablePool, cheap, clean, poolable
from conformance.search.reproduction import script
from conformance.session import READY_SECONDS, Judged, Session, Timing, state_read
from conformance.strategies.schemas import TableWorld
from conformance.targets.guarded import allowed
from conformance.targets.probe import OPERATIONS_OF, capabilities_of, probe
from conformance.targets.process import ProcessError
from conformance.targets.target import Target
from reference.api import Call, Json, Lost, Refusal, Reply, Success

REPLAYS = 2
REDUCE_SECONDS = 20.0
"""How long past its share of the budget a worker may still reduce what it found."""
RECOVERY_SECONDS = 15.0
LEAVE_SECONDS = 2.0
"""Seconds to wait for an answer while cleaning up after an interrupt."""
MAX_RESTARTS = 40
"""Restarts of a target in one run; past that it is given up and the run ends with what it found."""


WORTH_SECONDS = 8.0
"""What must be left of a share for it to be worth making the tables of a whole chunk."""
LONG_SECONDS = 0.25
"""A program that waited longer for its tables shows that making them takes long."""
MAX_READY_SECONDS = 300.0
"""Seconds to wait, at most, for a table to come, change or go, on targets that claim to take long."""
STUCK_PAUSE = 2.0
STUCK_SECONDS = 60.0
"""How long to try at the end of a run to delete tables that are still being created or updated."""


class TargetLostError(Exception):
    """The target is gone and cannot be brought back; what was found is on disk."""


class SpentError(TargetLostError):
    """What may be spent on the target is spent; what was found is on disk."""


@dataclass(slots=True)
class Worker:
    """Runs programs on its own target (or its own table prefix of a shared one) and records everything."""

    target: Target
    folder: RunFolder
    name: str
    run_id: str
    timeout: float = 10.0
    timing: Timing = field(default_factory=Timing)
    programs: int = 0
    calls: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    reached: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)
    relations: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    operations: dict[str, int] = field(default_factory=dict)
    cohorts: dict[str, set[str]] = field(default_factory=dict)
    before: Mapping[tuple[str, int], int] = field(default_factory=dict)
    own: Sequence[TableWorld] = ()
    pool: TablePool | None = None
    recording: bool = False
    _made: int = 0
    _left: set[str] = field(default_factory=set)
    _there: dict[str, bool] = field(default_factory=dict)
    _stuck: set[str] = field(default_factory=set)
    _restarts: int = 0
    _earlier: Op | None = None
    _transport: Any = None
    pools: ClassVar[bool] = True
    """Whether tables may be used again where making them is slow."""
    journal: Journal = field(init=False)
    latitude: Latitude = field(init=False)

    def __post_init__(self) -> None:
        self._transport = self.target.connect()
        self.journal = self.folder.journal(self.name)
        self.latitude = Latitude.of(self.target.profile)
        if self.target.paid or self.target.profile.throttles:
            self._reuse_tables()

    def _reuse_tables(self) -> None:
        """From now on keep tables for later programs: on this target it takes long to make one."""
        profile = self.target.profile
        if self.pools and self.pool is None and (profile.state_lag or self.target.paid):
            self.pool = TablePool(self._send, max(profile.staleness, profile.index_lag))

    def _send(self, call: Call) -> Reply:
        return cast(Reply, self._transport.send(call, timeout=self.timeout))

    def chunk(self, capability: str, number: int, seed: int, deadline: float) -> None:
        """Draw the programs of one seeded chunk, run them until ``deadline`` (monotonic), then reduce what is new.

        The first is run however late it is: a share of a campaign, once begun, has tried something. Programs that
        ``before`` counts were run by the run that this one resumes.
        """
        skip = self.before.get((capability, number), 0)
        before = time.perf_counter()
        programs = draw_chunk(MACHINES[capability], seed, own=self.own)
        if self.target.paid:
            programs = [cheap(program, self.own) for program in programs]
        if not self.target.endpoint:
            programs = [program.of_calls() for program in programs]
        self.timing.drawing += time.perf_counter() - before
        if self.pool is not None and deadline - time.monotonic() > WORTH_SECONDS:
            self.pool.prepare(programs[skip:], lambda: self.new_name("table"), self.target.profile.state_lag)
        fresh: dict[str, tuple[Program, Divergence]] = {}
        late = False
        for position, drawn in enumerate(programs[skip:], skip):
            late = position > skip and time.monotonic() > deadline
            if late:
                break
            program = Program(capability, drawn.tables, drawn.steps, chunk=number, number=position)
            where = {"capability": capability, "chunk": number, "number": position}
            self.journal.append("program-start", **where, seed=seed, at=_now())
            for divergence in self.run(program):
                fresh.setdefault(divergence.fingerprint, (program, divergence))
        for fingerprint, (program, divergence) in fresh.items():
            if fingerprint not in self.seen and not self.folder.reduced(fingerprint):
                if time.monotonic() > deadline + REDUCE_SECONDS:
                    break  # What is left stands in the journal; the merge reports it with its whole program.
                self.reduce(program, divergence)
            self.seen[fingerprint] = self.seen.get(fingerprint, 0) + 1
        if not late:
            self.journal.append("chunk-end", capability=capability, chunk=number, at=_now())
        self._tally("tally")

    def run(self, program: Program) -> list[Divergence]:
        """Run one program; its divergences are journalled before this returns."""
        session = self.play(program)
        ops = [judged.op for judged in session.ops]
        # As they are kept: a later attempt that does not show them has other names.
        return [written(found, session.names, ops, session.started) for _, found in session.divergences()]

    def play(self, program: Program) -> Session:
        """As ``run``, but hand back the session, with every op and the word on it."""
        session = self._session_for(program)
        session.run(program)
        self._demand_open()
        divergences = [divergence for _, divergence in session.divergences()]
        before = time.perf_counter()
        known: set[str] = set()
        for divergence in divergences:
            if divergence.fingerprint not in known:
                known.add(divergence.fingerprint)
                self._journal_divergence(program, session, divergence)
        for fault in session.faults:
            self.journal.append("error", text=fault, body=orjson.dumps(session.ops[-1].op.body).decode())
        unknown = sum(judged.verdict.ruling == "unknown" for judged in session.ops)
        where = {"capability": program.capability, "chunk": program.chunk}
        self.journal.append("program-end", **where, calls=len(session.ops), unknown=unknown, at=_now())
        session.timing.journalling += time.perf_counter() - before
        self._count(session)
        answered = [judged.op for judged in session.ops if judged.op.reply is not None]
        self._earlier = answered[-1] if answered and session.died is None else None
        self.finish(session)
        return session

    def _journal_divergence(self, program: Program, session: Session, divergence: Divergence) -> None:
        row: dict[str, Any] = divergence_to_json(divergence, session.names)
        if divergence.fingerprint not in self.seen:
            row["ops"] = [op_to_json(j.op) for j in session.ops]
        self.journal.append("divergence", capability=program.capability, chunk=program.chunk, **row)

    def _count(self, session: Session) -> None:
        self.programs += 1
        self.calls += len(session.ops)
        self.timing.add(session.timing)
        self.reached.update(session.oracle.reached)
        self.features.update(session.oracle.features)
        self.relations.update(session.watch.held)
        for name, cohort in session.oracle.wording.told().items():
            self.cohorts.setdefault(name, set()).add(cohort)
        for judged in session.ops:
            self.operations[judged.op.operation] = self.operations.get(judged.op.operation, 0) + 1
            if isinstance(judged.op.reply, Refusal) and judged.verdict.ruling == "ok":
                self.errors[judged.op.reply.code] += 1

    def session(self) -> Session:
        """A session with a fresh oracle; tables get fresh names."""
        self._demand_open()
        oracle = Oracle(self.latitude, start=time.time())
        session = Session(
            self._transport, oracle, _Names(self), timeout=self.timeout, lossy=self.latitude.server_errors,
            ready_seconds=max(READY_SECONDS, min(self.target.profile.state_lag, MAX_READY_SECONDS)),
        )  # fmt: skip
        if self.target.paid:
            session.allows = lambda step: allowed(step.operation, step.body)
        session.earlier = self._earlier
        return session

    def _session_for(self, program: Program) -> Session:
        """A session that takes tables of the pool, where the program leaves them as they are."""
        session = self.session()
        aside = {step.operation for step in program.steps if ":" in step.operation}
        lacking = frozenset(operation for operation in aside if self.lacks(operation))
        if lacking:
            session.oracle.latitude = replace(self.latitude, lacks=self.latitude.lacks | lacking)
        if self.pool is not None and poolable(program):
            session.kept = self._take
        return session

    def _take(self, body: Json) -> tuple[str, Json] | None:
        taken = self.pool.take(body) if self.pool is not None else None
        if taken is not None:
            self._left.add(taken[0])
        return taken

    def _demand_open(self) -> None:
        """TargetLostError when a target that is not ours must not be asked any more."""
        guard = self.target.guard
        if guard is not None and guard.meter is not None and guard.meter.over:
            raise SpentError(f"${guard.meter.cap:.2f} are spent on {self.target.name}")
        if guard is not None and guard.blocked:
            raise TargetLostError(guard.blocked)

    def lacks(self, operation: str) -> bool:
        """Whether the target does not have an operation; one of another service than DynamoDB's is asked for, once."""
        if ":" not in operation:
            return operation in self.target.profile.unsupported
        if operation not in self._there:
            self._there[operation] = probe(self.target, (operation,)).support[operation] != "no"
        return not self._there[operation]

    def has(self, capability: str) -> bool:
        """Whether the target has any of the operations that a capability stands on; asked once."""
        if capability not in self._there:
            found = probe(self.target, OPERATIONS_OF.get(capability, ()))
            self._there[capability] = capability in capabilities_of(found.support)
        return self._there[capability]

    def new_name(self, kind: str) -> str:
        """A table name or client token that nobody used before."""
        self._made += 1
        name = f"{'dynoracle' if kind == 'table' else kind}-{self.run_id}-{self.name}-{self._made}"
        if kind == "table":
            self._left.add(name)
        return name

    def finish(self, session: Session) -> None:
        """Keep the tables of a clean session, drop what else it created; bring the target back if it died."""
        if session.died is not None:
            self.recover()
        if session.waited > LONG_SECONDS:
            self._reuse_tables()
        names = [name for symbol, name in session.names.items() if symbol.startswith("table:")]
        for arn in backed_up(session):
            self._transport.send(Call("DeleteBackup", {"BackupArn": arn}), timeout=self.timeout)
        kept = set(self._keep(session))
        for name in dict.fromkeys([*names, *created(session)]):
            if name not in kept:
                self._drop(name)
        self._left.clear()

    def _keep(self, session: Session) -> Iterator[str]:
        """Put a clean session's tables into the pool; their names."""
        if self.pool is None or session.kept is None or not clean(session):
            return
        for judged in session.ops:
            body = judged.op.body
            if judged.op.notes.get("setup") and isinstance(judged.op.reply, Success):
                name = session.bound(body)["TableName"]
                table = session.oracle.model.account.tables.get(name)
                answer = session.replies[judged.op.index]
                if table is not None and self.pool.give(body, name, answer, table.items()):
                    yield name

    def _drop(self, name: str) -> None:
        """Delete a table of ours, protected or not."""
        delete = Call("DeleteTable", {"TableName": name})
        reply = self._transport.send(delete, timeout=self.timeout)
        self._left.discard(name)
        if isinstance(reply, Refusal) and reply.code in ("ResourceInUseException", "LimitExceededException"):
            self._stuck.add(name)
        else:
            self._stuck.discard(name)
        if isinstance(reply, Refusal) and "protected" in (reply.message or ""):
            unprotect = Call("UpdateTable", {"TableName": name, "DeletionProtectionEnabled": False})
            self._transport.send(unprotect, timeout=self.timeout)
            self._transport.send(delete, timeout=self.timeout)

    def recover(self) -> None:
        """Make sure the target answers again: wait, then restart it if it is ours; TargetLostError if neither helps."""
        self._demand_open()
        process = self.target.process
        deadline = time.monotonic() + (1.0 if process is not None else RECOVERY_SECONDS)
        while process is None or process.alive():
            if self.target.alive():
                return
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        if process is None:
            raise TargetLostError(
                f"{self.target.endpoint} stopped answering and did not come back in {RECOVERY_SECONDS:.0f} s"
            )
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            raise TargetLostError(f"{self.target.name} was restarted {MAX_RESTARTS} times in this run; giving up")
        if self.pool is not None:
            self.pool.clear()
        try:
            process.restart()
        except ProcessError as error:
            raise TargetLostError(f"{self.target.name} could not be restarted: {error}") from error

    def attempt(self, program: Program) -> Attempt:
        """Run a candidate of the minimiser on fresh tables, without comparing the final state."""
        session = self._session_for(program)
        session.set_up(program)
        for step in program.steps:
            if session.died is not None or session.quarantined is not None:
                break
            session.follow(step)
        self._demand_open()
        ops = tuple(map(_told, session.ops))
        self.finish(session)
        return Attempt(tuple(session.divergences()), ops, dict(session.names), session.started)

    def program_of_known(self, ops: Sequence[Op], capability: str) -> Program | None:
        """The program of a known finding; None for one that takes faults, which are not this worker's to put in."""
        return None if any("fault" in op.notes for op in ops) else program_of(ops, capability)

    def reduce(self, program: Program, divergence: Divergence, budgets: tuple[int, int] | None = None) -> None:
        """Minimise a new divergence, replay it, and write its finding; ``budgets`` are calls for cutting and values."""
        calls, values = budgets or _budgets(divergence)
        restarts = self._restarts
        reduction = minimise(
            self._with_state(program, divergence), divergence, self.attempt, calls=calls, values=values
        )
        replayed = sum(self._shows(reduction) for _ in range(REPLAYS)) if reduction.reproduced else 0
        self._restarts = min(self._restarts, restarts + 1)  # Reductions have bounds of their own.
        self.report(reduction, program, replayed)

    def _with_state(self, program: Program, divergence: Divergence) -> Program:
        """The program followed by the reads of its final state, which may be what shows the divergence."""
        return Program(
            program.capability,
            program.tables,
            (*program.steps, *map(state_read, program.tables)),
            program.chunk,
            program.number,
        )

    def _shows(self, reduction: Reduction) -> bool:
        found = self.attempt(reduction.program).divergences
        return any(d.fingerprint == reduction.divergence.fingerprint for _, d in found)

    def report(self, reduction: Reduction, program: Program, replayed: int) -> None:
        """Write a finding to the run folder and the journal."""
        finding = finding_of(
            reduction,
            program,
            replayed=replayed,
            replays=(reduction.replays or REPLAYS) if reduction.reproduced else 1,
            first_seen=datetime.now(UTC).isoformat(timespec="seconds"),
            notes={
                "compare": list(reduction.divergence.compare),
                "endpoint": self.target.endpoint,
                "target": self.target.name,
                "version": self.target.version,
                "reproduced": reduction.reproduced,
                "exhausted": reduction.exhausted,
                **({"derived": True} if reduction.divergence.derived else {}),
            },
        )
        if not reduction.reproduced and finding.severity != "crash":
            finding = replace(finding, unsettled=True)  # Seen once and never again: nobody can be shown it.
        self.folder.write_finding(finding, script(finding))
        self.journal.append("finding", fingerprint=finding.fingerprint, at=_now())

    def _leave(self) -> None:
        """Drop the tables of a program that was interrupted, if the target answers."""
        self.timeout = min(self.timeout, LEAVE_SECONDS)
        kept = self.pool.names() if self.pool is not None else []
        for name in sorted({*self._left, *kept}):
            if self.target.guard is None and not self.target.alive():
                return
            self._drop(name)
        deadline = time.monotonic() + STUCK_SECONDS
        while self._stuck and self.target.process is None and time.monotonic() < deadline:
            time.sleep(STUCK_PAUSE)
            for name in sorted(self._stuck):
                self._drop(name)

    def end(self) -> None:
        """Journal the totals, drop what an interrupt left behind, and close."""
        self._tally("end")
        self._leave()
        self.journal.close()
        self._transport.close()

    def _tally(self, kind: str) -> None:
        """Journal what was reached since the last tally, so that a kill loses no more than one chunk of it."""
        self.journal.append(
            kind,
            programs=self.programs,
            calls=self.calls,
            reached=self.reached,
            features=self.features,
            relations=self.relations,
            errors=self.errors,
            operations=self.operations,
            cohorts={name: "/".join(sorted(spoken)) for name, spoken in self.cohorts.items()},
            timing={name: getattr(self.timing, name) for name in Timing.__dataclass_fields__},
            at=_now(),
        )
        self.operations, self.timing = {}, Timing()
        for counted in (self.reached, self.features, self.relations, self.errors):
            counted.clear()


def _told(judged: Judged) -> Op:
    """The op of a call; of one that was answered otherwise than DynamoDB does, with what was due in a word."""
    found = judged.verdict.divergence
    if found is None or isinstance(found.expected, Lost):
        return judged.op
    due = found.expected.code if isinstance(found.expected, Refusal) else "success"
    return replace(judged.op, notes={**judged.op.notes, "due": due})


def _budgets(divergence: Divergence) -> tuple[int, int]:
    """Requests for reducing calls and values: few where each attempt ends in a timeout or a restart."""
    if divergence.severity != "crash" or divergence.path.startswith("garbage"):
        return CALL_BUDGET, VALUE_BUDGET
    return (20, 0) if divergence.path.startswith("timeout") else (40, 40)


def created(session: Session) -> Iterator[str]:
    """The names of the tables whose creation a session saw, also those made of a symbol and more."""
    for judged in session.ops:
        if judged.op.operation == "CreateTable" and isinstance(judged.op.reply, Success):
            yield session.bound(judged.op.body)["TableName"]


def backed_up(session: Session) -> Iterator[str]:
    """The ARNs of the backups that a session made and did not delete."""
    gone = {session.bound(j.op.body).get("BackupArn") for j in session.ops if _did(j, "DeleteBackup")}
    for judged in session.ops:
        details = (
            (session.replies.get(judged.op.index) or {}).get("BackupDetails") if _did(judged, "CreateBackup") else {}
        )
        arn = details.get("BackupArn") if isinstance(details, dict) else None
        if isinstance(arn, str) and arn not in gone:
            yield arn


def _did(judged: Judged, operation: str) -> bool:
    return judged.op.operation == operation and isinstance(judged.op.reply, Success)


def _now() -> float:
    """The time of a journal's line, in epoch seconds: what was spent on what is told from these."""
    return round(time.time(), 3)


class _Names(dict[str, str]):
    """Symbols of tables and client tokens to real names, made when first asked for."""

    def __init__(self, worker: Worker) -> None:
        super().__init__()
        self._worker = worker

    def __missing__(self, key: str) -> str:
        if not self._makes(key):
            raise KeyError(key)
        self[key] = name = self._worker.new_name(key.partition(":")[0])
        return name

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or self._makes(key)

    @staticmethod
    def _makes(key: object) -> bool:
        return isinstance(key, str) and key.startswith(("table:", "token:"))
