"""How many plants the suite finds: ``python -m tests.planted.power`` (``make power``).

For each plant: do the directed checks find it, and does the ordinary search, told nothing of it, within a minute?
``FAST=1`` takes a few plants and seconds, ``SEEDS=3`` searches three times, ``ONLY=name,name`` takes these plants.
``MUTANTS=100`` takes so many mutants instead, drawn by ``SEED``: see ``mutants.py``. ``JOBS`` processes share them.

The search is drawn once and put to all plants. A program that a plant answers as the reference does, call for call,
would be judged as on the reference: it is judged there once, and its time counts for every plant. So each plant's time
to find is what a run on it alone would take until its first divergence. It is processor time: nothing here waits, and
what else the machine does must not count.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from conformance.checks import all_checks
from conformance.checks.base import Check
from conformance.machines import MACHINES
from conformance.machines.base import draw_chunk
from conformance.program import Program, Step
from conformance.search.campaign import WEIGHTS, Share
from conformance.search.worker import Worker
from conformance.session import Timing
from conformance.symbols import SymbolError, bind, unbind
from conformance.targets.raw import RawRequest
from reference.account import Account
from reference.api import Call, Refusal, Reply, Success
from reference.clock import ManualClock
from reference.service import Service
from tests.planted.arena import Names, Wrap, divergences, fresh, plain, worker_of
from tests.planted.base import Plant
from tests.planted.mutants import Mutant, draw
from tests.planted.plants import PLANTS

BUDGET = 60.0
FAST_BUDGET = 6.0
FAST_PLANTS = 12
BELOW = frozenset({"wire"})
"""Machines that need a server: what lies below the call is not planted in process."""
WANTED = 0.95
"""The share of plants that must be found for exit status 0."""


@dataclass(slots=True)
class Tally:
    """What came of one plant: by which check it is found, and after how many seconds by the search of each seed."""

    plant: Plant | Mutant
    check: str = ""
    seconds: list[float | None] = field(default_factory=list)
    by: str = ""

    @property
    def found(self) -> bool:
        """Whether anything finds it, with every seed."""
        return bool(self.check) or (bool(self.seconds) and None not in self.seconds)


# Checks


def check_fails(check: Check, wrap: Wrap) -> bool:
    """Whether a directed check notices the plant."""
    service = wrap(Service(Account(ManualClock(1_800_000_000.0))))
    names = Names()
    replies: dict[int, object] = {}

    def send(step: Step) -> Reply:
        reply = service.execute(Call(step.operation, bind(step.body, names, replies)))
        replies[len(replies)] = reply.body if isinstance(reply, Success) else None
        return reply

    try:
        for body in check.tables.values():
            send(Step("CreateTable", body))
        if not all(isinstance(send(step), Success) for step in check.given):
            return True
        if check.then.wrong(_symbolic(send(check.when), names)) is not None:
            return True
        return check.control is not None and not isinstance(send(check.control), Success)
    except SymbolError:
        return True


def _symbolic(reply: Reply, names: Names) -> Reply:
    if isinstance(reply, Success):
        return Success(unbind(reply.body, names))
    if isinstance(reply, Refusal):
        fields = {name: unbind(value, names) for name, value in reply.fields.items()}
        return Refusal(reply.code, unbind(reply.message, names), reply.status, fields)
    return reply


def usable_checks(*capabilities: str) -> list[Check]:
    """The checks, of all capabilities or the named ones, that run in process and that the reference passes."""
    wanted = [c for c in all_checks() if not capabilities or c.capability in capabilities]
    return [c for c in wanted if not c.below_the_sdk and not c.needs and not check_fails(c, plain)]


def run_checks(tallies: Sequence[Tally], checks: Sequence[Check]) -> None:
    """Note for every plant the first check that finds it."""
    for tally in tallies:
        near = sorted(checks, key=lambda check: check.capability != tally.plant.capability)
        tally.check = next((check.id for check in near if check_fails(check, tally.plant.wrap)), "")


# Search


def schedule(seed: int) -> Iterator[tuple[str, int, int]]:
    """(capability, chunk, chunk seed) without end: the campaign's chunks in the campaign's proportions."""
    chunks = {name: iter(Share(name, 0, 1, 0.0).chunks(seed)) for name in MACHINES if name not in BELOW}
    spent = dict.fromkeys(chunks, 0.0)
    while True:
        name = min(chunks, key=lambda each: spent[each])
        spent[name] += 1 / WEIGHTS.get(name, 2)
        number, chunk_seed = next(chunks[name])
        yield name, number, chunk_seed


@dataclass(slots=True)
class Heard:
    """A transport that keeps what was asked and answered, and when."""

    service: Service
    clock: ManualClock
    log: list[tuple[float, Call, Reply]] = field(default_factory=list)

    def send(self, call: Call, *, raw: RawRequest | None = None, timeout: float = 10.0) -> Reply:
        """Answer one call."""
        self.clock.set(time.time())
        reply = self.service.execute(call)
        self.log.append((self.clock.now(), call, reply))
        return reply

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True, slots=True)
class Told:
    """A program, what the reference answered to it, and the seconds that took with judging."""

    program: Program
    log: tuple[tuple[float, Call, Reply], ...]
    seconds: float
    clean: bool


def tell(worker: Worker, heard: Heard, program: Program) -> Told:
    """Run a program on the reference as a worker does."""
    heard.log.clear()
    before = time.process_time()
    wrong = worker.run(program)
    for divergence in wrong:
        print(f"the reference itself differs: {divergence.summary}", file=sys.stderr)
    return Told(program, tuple(heard.log), time.process_time() - before, not wrong)


def same(told: Told, wrap: Wrap) -> bool:
    """Whether a plant answers every call of a program as the reference did."""
    clock = ManualClock(told.log[0][0]) if told.log else ManualClock()
    service = wrap(fresh(clock))
    for moment, call, reply in told.log:
        clock.set(moment)
        if service.execute(call) != reply:
            return False
    return True


@dataclass(slots=True)
class Hunt:
    """One seed's search over all plants; ``chunks`` is how many it draws at most, None for no bound but the budget."""

    seed: int
    budget: float
    tallies: Sequence[Tally]
    home: Path
    chunks: int | None = None
    timing: Timing = field(default_factory=Timing)
    programs: int = 0
    calls: int = 0

    def run(self) -> None:
        """Search until every plant is found or has had its budget."""
        clock = ManualClock(time.time())
        heard = Heard(fresh(clock), clock)
        worker = worker_of(plain, self.home / "plain")
        worker._transport = heard
        left = {tally.plant.name: 0.0 for tally in self.tallies}
        of = {tally.plant.name: tally for tally in self.tallies}
        for tally in self.tallies:
            tally.seconds.append(None)
        shared = 0.0
        for capability, number, chunk_seed in itertools.islice(schedule(self.seed), self.chunks):
            left = {name: more for name, more in left.items() if shared + more <= self.budget}
            if not left:
                break
            before = time.process_time()
            drawn = draw_chunk(MACHINES[capability], chunk_seed)
            worker.timing.drawing += time.process_time() - before
            shared += time.process_time() - before
            for position, program in enumerate(drawn):
                numbered = Program(capability, program.tables, program.steps, chunk=number, number=position)
                # A fresh service for each program, so that a plant need not repeat what came before.
                heard.service = fresh(clock)
                told = tell(worker, heard, numbered)
                for name in list(left):
                    self._try(of[name], told, left, shared)
                shared += told.seconds
        self.timing, self.programs, self.calls = worker.timing, worker.programs, worker.calls
        worker.end()

    def _try(self, tally: Tally, told: Told, left: dict[str, float], shared: float) -> None:
        if shared + left[tally.plant.name] > self.budget or same(told, tally.plant.wrap):
            return
        folder = self.home / tally.plant.name.replace("/", "-")
        own = worker_of(tally.plant.wrap, folder, tally.plant.name)
        before = time.process_time()
        found = own.run(told.program)
        spent = time.process_time() - before
        own.end()
        if found and told.clean:
            tally.seconds[-1] = shared + left.pop(tally.plant.name) + spent
            tally.by = f"{told.program.capability}: {found[0].severity} {found[0].rule}"
        else:
            left[tally.plant.name] += spent - told.seconds


# Several processes


@dataclass(frozen=True, slots=True)
class Spent:
    """What a search took, in one process."""

    timing: Timing
    programs: int
    calls: int


@dataclass(frozen=True, slots=True)
class Order:
    """What one process is to do: search with these seeds for its share of the plants."""

    seeds: tuple[int, ...]
    budget: float
    share: int
    jobs: int


_TALLIES: list[Tally] = []
"""The plants of the run: forked processes find them here, for what they are made of can't be sent."""


def _fulfil(order: Order) -> tuple[list[tuple[str, list[float | None], str]], list[Spent]]:
    tallies = _TALLIES[order.share :: order.jobs]
    run_checks(tallies, usable_checks())
    spent = []
    for seed in order.seeds:
        with tempfile.TemporaryDirectory(prefix="dynoracle-power-") as home:
            hunt = Hunt(seed, order.budget, tallies, Path(home))
            hunt.run()
            spent.append(Spent(hunt.timing, hunt.programs, hunt.calls))
    return [(tally.check, tally.seconds, tally.by) for tally in tallies], spent


def hunted(tallies: list[Tally], seeds: Sequence[int], budget: float) -> list[Spent]:
    """Look for all plants with checks and search, by ``JOBS`` processes, and note what came of each."""
    jobs = max(1, int(os.environ.get("JOBS", "2")))
    _TALLIES[:] = tallies
    spent: list[Spent] = []
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
        orders = [Order(tuple(seeds), budget, share, jobs) for share in range(jobs)]
        for order, (found, took) in zip(orders, pool.map(_fulfil, orders), strict=True):
            for tally, (check, seconds, by) in zip(tallies[order.share :: jobs], found, strict=True):
                tally.check, tally.seconds, tally.by = check, seconds, by
            spent += took
    return spent


# Report


def table(tallies: Sequence[Tally]) -> Iterator[str]:
    """One line for each plant."""
    wide = max(len(tally.plant.name) for tally in tallies)
    yield f"{'plant':{wide}}  {'capability':12}  {'checks':6}  {'search':>14}  found by"
    for tally in tallies:
        times = "/".join("–" if s is None else f"{s:.1f}s" for s in tally.seconds) or "–"
        by = tally.by or tally.check or "MISSED"
        yield (
            f"{tally.plant.name:{wide}}  {tally.plant.capability:12}  {'yes' if tally.check else 'no':6}  "
            f"{times:>14}  {by}"
        )


def summary(tallies: Sequence[Tally], hunts: Sequence[Spent], budget: float) -> Iterator[str]:
    """Totals, misses, where the time went, and the last line."""
    searched = [tally for tally in tallies if tally.seconds and None not in tally.seconds]
    checked = [tally for tally in tallies if tally.check]
    found = [tally for tally in tallies if tally.found]
    yield f"checks only: {len(checked)} of {len(tallies)}"
    yield f"search only: {len(searched)} of {len(tallies)}"
    for tally in tallies:
        if not tally.found:
            yield f"MISSED {tally.plant.name}: {tally.plant.about}"
        elif tally not in searched:
            yield f"missed by the search: {tally.plant.name}"
    times = sorted(s for tally in tallies for s in tally.seconds if s is not None)
    if times:
        middle, most = times[len(times) // 2], times[len(times) * 9 // 10]
        yield f"time to find: median {middle:.1f} s, nine of ten within {most:.1f} s"
    parts = {name: sum(getattr(hunt.timing, name) for hunt in hunts) for name in Timing.__dataclass_fields__}
    whole = sum(parts.values()) or 1.0
    programs, calls = sum(hunt.programs for hunt in hunts), sum(hunt.calls for hunt in hunts)
    split = ", ".join(f"{name} {100 * value / whole:.0f} %" for name, value in parts.items())
    yield f"{programs} programs, {calls} calls; {split}"
    yield f"found {len(found)} of {len(tallies)} within {budget:.0f} s"


def chosen(*, fast: bool) -> list[Plant]:
    """The plants to look for."""
    only = [name for name in os.environ.get("ONLY", "").split(",") if name]
    if only:
        return [plant for plant in PLANTS if plant.name in only]
    return list(PLANTS[:: max(1, len(PLANTS) // FAST_PLANTS)]) if fast else list(PLANTS)


# Mutants

WITNESS_SEED = 4711
WITNESS_CHUNKS = 24
"""What a mutant must answer otherwise somewhere to be one: every check's program, and chunks that no search draws."""


def witnesses(checks: Sequence[Check], home: Path) -> Iterator[Told]:
    """Programs and what the reference answers to them, to be held against mutants exactly."""
    clock = ManualClock(time.time())
    heard = Heard(fresh(clock), clock)
    worker = worker_of(plain, home)
    worker._transport = heard
    programs = [check.program() for check in checks]
    for capability, _, chunk_seed in itertools.islice(schedule(WITNESS_SEED), WITNESS_CHUNKS):
        programs += draw_chunk(MACHINES[capability], chunk_seed)
    for program in programs:
        heard.service = fresh(clock)
        yield tell(worker, heard, program)
    worker.end()


def witness_of(mutant: Mutant, told: Sequence[Told]) -> str:
    """The first operation that a mutant answers otherwise than the reference does, or nothing."""
    for each in told:
        if not same(each, mutant.wrap):
            return f"{each.program.capability}: {each.program.steps[-1].operation}" if each.program.steps else "set-up"
    return ""


def hunt_mutants(count: int, seed: int, budget: float) -> int:
    """Draw mutants, look for each with checks and search, and tell survivors from changes that change nothing."""
    mutants = list(draw(count, seed))
    tallies = [Tally(mutant) for mutant in mutants]
    hunted(tallies, (seed,), budget)
    with tempfile.TemporaryDirectory(prefix="dynoracle-power-") as home:
        checks = usable_checks()
        survivors = [(tally, mutant) for tally, mutant in zip(tallies, mutants, strict=True) if not tally.found]
        told = list(witnesses(checks, Path(home) / "witnesses")) if survivors else []
    shown = {mutant.name: witness_of(mutant, told) for _, mutant in survivors}
    for _, mutant in survivors:
        if not shown[mutant.name]:
            print(f"no witness  {mutant.site.place}: {mutant.about}")
    for _, mutant in survivors:
        if shown[mutant.name]:
            print(f"SURVIVED    {mutant.site.place}: {mutant.about} (answers otherwise in {shown[mutant.name]})")
    alive = sum(bool(witness) for witness in shown.values())
    true = [tally for tally in tallies if tally.found]
    total = len(true) + alive
    searched = sum(None not in tally.seconds for tally in true)
    print(f"{len(mutants)} mutants, seed {seed}; {len(shown) - alive} set aside: nothing answers otherwise")
    print(f"checks only: {sum(bool(tally.check) for tally in true)} of {total}")
    print(f"search only: {searched} of {total}")
    print(f"killed {len(true)} of {total} within {budget:.0f} s")
    return 0


def main() -> int:
    """Print the table; 1 when a witness fails or, with the full budget, too few are found."""
    fast = os.environ.get("FAST", "") not in ("", "0")
    budget = float(os.environ.get("BUDGET", FAST_BUDGET if fast else BUDGET))
    count = int(os.environ.get("MUTANTS", "0"))
    if count:
        return hunt_mutants(count, int(os.environ.get("SEED", "1")), budget)
    plants = chosen(fast=fast)
    bad = [p.name for p in plants if not divergences(p.wrap, p.witness) or divergences(plain, p.witness)]
    if bad:
        print(f"witnesses that prove nothing: {', '.join(bad)}")
        return 1
    tallies = [Tally(plant) for plant in plants]
    hunts = hunted(tallies, range(1, int(os.environ.get("SEEDS", "1")) + 1), budget)
    for line in (*table(tallies), *summary(tallies, hunts, budget)):
        print(line)
    found = sum(tally.found for tally in tallies)
    return 0 if fast or found >= WANTED * len(tallies) else 1


if __name__ == "__main__":
    sys.exit(main())
