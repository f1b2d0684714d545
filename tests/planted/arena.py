"""Programs on planted services: the ordinary session and worker, in this process, on a clock of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from conformance.oracle.divergence import Divergence
from conformance.oracle.judge import Oracle
from conformance.oracle.latitude import Latitude
from conformance.program import BUCKET, Program
from conformance.record.folder import RunFolder
from conformance.search.worker import Worker
from conformance.session import Session
from conformance.targets.inprocess import ReferenceTransport
from conformance.targets.profile import Profile
from conformance.targets.target import Target
from reference.account import Account
from reference.clock import ManualClock
from reference.service import Service
from reference.transfer.buckets import buckets
from tests.planted.base import Executes

START = 1_800_000_000.0
STEP = 0.001
"""Seconds that pass with every look at the clock."""

Wrap = Callable[[Service], Executes]


def plain(service: Service) -> Executes:
    """No bug: the reference itself."""
    return service


def fresh(clock: ManualClock) -> Service:
    """An empty account, with the bucket that programs name."""
    account = Account(clock)
    buckets(account.rooms).make(BUCKET)
    return Service(account)


class Names(dict[str, str]):
    """Symbols to names made from them."""

    def __missing__(self, key: str) -> str:
        self[key] = made = "planted-" + key.replace(":", "-")
        return made

    def __contains__(self, key: object) -> bool:
        return True


def session_of(wrap: Wrap, program: Program, start: float = START) -> Session:
    """The program's session on a fresh service, run to its end; ``start`` is in epoch seconds."""
    clock = ManualClock(start)
    service = fresh(clock)

    def tick() -> float:
        clock.advance(STEP)
        return clock.now()

    names = Names()
    for symbol in program.tables:
        names[f"arn:{symbol}"] = service.account.arn(f"table/{names[f'table:{symbol}']}")
    oracle = Oracle(Latitude(buckets=True), start=clock.now())
    session = Session(ReferenceTransport(wrap(service)), oracle, names, clock=tick)
    session.run(program)
    return session


def divergences(wrap: Wrap, program: Program) -> list[Divergence]:
    """What the oracle finds wrong with the program on a planted service."""
    return [divergence for _, divergence in session_of(wrap, program).divergences()]


def target_of(wrap: Wrap, name: str = "plant") -> Target:
    """A planted service as a target."""
    return Target(name, "0", "", ReferenceTransport(wrap(fresh(ManualClock(time.time())))), Profile(buckets=True))


def worker_of(wrap: Wrap, folder: Path, name: str = "plant") -> Worker:
    """A campaign's worker whose target is a planted service."""
    return Worker(target_of(wrap, name), RunFolder(folder), "main", "planted")
