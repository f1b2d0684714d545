"""Sessions against a lawful but unkind reference, on a clock that only these sessions move; and its unlawful twins."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from conformance.machines import MACHINES
from conformance.machines.base import draw_chunk
from conformance.oracle.judge import Oracle
from conformance.oracle.latitude import Latitude
from conformance.program import BUCKET, Program
from conformance.session import Judged, Session
from reference.account import Account, Delays
from reference.api import Call, Lost, Reply, Success
from reference.clock import ManualClock
from reference.service import Service
from reference.streams.shards import Sharding
from reference.transfer.buckets import buckets
from reference.unkind import UnkindService, Weather

Twin = Callable[[UnkindService, Call, Reply], Reply]
"""What an unlawful twin makes of an answer (and of the state behind it)."""


def weather_of(seed: int, *, harsh: bool = False) -> Weather:
    """Random settings, each freedom off in a third of cases; all are on, and strongly so, where it is to be harsh."""
    draw = random.Random(seed)

    def maybe(most: float) -> float:
        if harsh:
            return draw.uniform(most / 3, most)
        return draw.uniform(0, most) if draw.random() > 0.33 else 0.0

    return Weather(
        staleness=maybe(2.0),
        index_lag=maybe(2.0),
        partial=maybe(0.5),
        throttled=maybe(0.1),
        errors=maybe(0.05),
        lost=maybe(0.08),
        late=maybe(0.5),
        stream_lag=maybe(1.0),
        sweeps=maybe(0.5),
    )


def account_of(seed: int, clock: ManualClock) -> Account:
    """An account with the bucket that programs name; its states take time, and its streams have several shards."""
    draw = random.Random(-seed)
    slow = draw.random() < 0.4
    names = ("create_table", "delete_table", "update_table", "backfill", "restore_table", "transfer")
    delays = Delays(**{name: draw.uniform(0.0, 0.6) for name in names}) if slow else Delays()
    lifetime = draw.uniform(1.0, 6.0) if draw.random() < 0.4 else None
    sharding = Sharding(draw.choice((1, 1, 2, 3)), lifetime, draw.choice((1, 2)))
    account = Account(clock, delays=delays, sharding=sharding)
    buckets(account.rooms).make(BUCKET)
    return account


def latitude_of(weather: Weather, account: Account | None = None) -> Latitude:
    """What a profile would declare for this weather, over an account like this one."""
    return Latitude(
        staleness=weather.staleness,
        index_lag=weather.index_lag,
        partial_batches=weather.partial > 0,
        throttling=weather.throttled > 0,
        server_errors=weather.errors > 0,
        skew=0.0,
        buckets=True,
        stream_lag=weather.stream_lag,
        state_lag=1.0 if account is not None and account.delays != Delays() else 0.0,
        resharding=account is not None and account.sharding.lifetime is not None,
    )


@dataclass(slots=True)
class Skies:
    """A transport to an unkind service that lets time pass with every call."""

    service: UnkindService
    clock: ManualClock
    pace: random.Random
    twin: Twin | None = None

    def send(self, call: Call, *, raw: Any = None, timeout: float = 10.0) -> Reply:
        self.clock.advance(self.pace.uniform(0.001, 0.4))
        if call.operation == "DescribeTable":
            return self.service.service.execute(call)
        reply = self.service.execute(call)
        return self.twin(self.service, call, reply) if self.twin else reply


def run_program(program: Program, seed: int, weather: Weather, twin: Twin | None = None) -> list[Judged]:
    """One program against the unkind service, or a twin of it; what the oracle said of each op."""
    clock = ManualClock()
    account = account_of(seed, clock)
    unkind = UnkindService(Service(account), weather, seed, mix_cohorts=seed % 2 == 0)
    skies = Skies(unkind, clock, random.Random(seed), twin)
    symbols = {*program.tables, "t0", "t1", "t2", "t3"}
    names = {f"table:{symbol}": f"tab-{symbol}" for symbol in symbols}
    names |= {"token:a": "token-a", "token:b": "token-b"}
    names |= {f"arn:{symbol}": unkind.service.account.arn(f"table/tab-{symbol}") for symbol in program.tables}
    oracle = Oracle(latitude_of(weather, account), start=clock.now())
    session = Session(skies, oracle, names, clock=clock.now, lossy=True)
    session.run(program)
    return session.ops


def campaign(seed: int, *, programs: int = 10, capabilities: tuple[str, ...] = ()) -> Iterator[tuple[Program, int]]:
    """Drawn programs, each with a seed for its weather."""
    for number, (name, machine) in enumerate(MACHINES.items()):
        if capabilities and name not in capabilities:
            continue
        for position, program in enumerate(draw_chunk(machine, seed * 101 + number, programs=programs)):
            yield replace(program.of_calls(), number=position), seed * 7919 + number * 101 + position


def rulings(ops: list[Judged]) -> Counter[str]:
    """How many ops were ruled which way."""
    return Counter(judged.verdict.ruling for judged in ops)


def lost(reply: Reply) -> bool:
    return isinstance(reply, Lost)


def succeeded(reply: Reply) -> bool:
    return isinstance(reply, Success)
