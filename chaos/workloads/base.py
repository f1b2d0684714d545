"""What a workload is: a plan drawn first from a seed, run afterwards by concurrent clients, and judged at the end."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from chaos.checkers.verdict import Result
from chaos.histories import Body, Client, body_of
from conformance.record.op import Op
from conformance.targets.profile import Profile
from reference.api import Refusal

TABLE = "t0"
THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "TransactionCanceledException",
    }
)
"""Refusals that may be gone at the next try."""
ROUNDS_PER_KEY = 12
"""Acts of one client on one generation of keys before all turn to fresh ones: histories of a key stay short."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a plan holds."""

    clients: int = 4
    acts: int = 30
    keys: int = 3


@dataclass(frozen=True, slots=True)
class Act:
    """One thing a client does: its kind and what it takes, plain JSON. It may make several calls."""

    kind: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done: tables by symbol, and each client's acts in order. Nothing is drawn later."""

    workload: str
    seed: int
    tables: Mapping[str, Body]
    clients: tuple[tuple[Act, ...], ...]

    @property
    def acts(self) -> int:
        """How many acts there are in all."""
        return sum(map(len, self.clients))

    def to_json(self) -> dict[str, Any]:
        """The plan as one JSON object."""
        acts = [[[act.kind, *act.args] for act in client] for client in self.clients]
        return {"workload": self.workload, "seed": self.seed, "tables": dict(self.tables), "clients": acts}

    @staticmethod
    def from_json(row: Mapping[str, Any]) -> Plan:
        """The plan that ``to_json`` wrote; KeyError when a member is missing."""
        clients = tuple(tuple(Act(act[0], tuple(act[1:])) for act in client) for client in row["clients"])
        return Plan(row["workload"], row["seed"], row["tables"], clients)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run left to judge: its plan, its ops (open ones settled where possible), and its circumstances.

    ``twice`` are ops delivered twice, ``kills`` the moments at which the process ended, ``waited`` the seconds that the
    last views were waited for.
    """

    plan: Plan
    ops: Sequence[Op]
    profile: Profile
    twice: frozenset[int] = frozenset()
    kills: tuple[float, ...] = ()
    waited: float = 0.0

    def final(self, *operations: str) -> list[Op]:
        """The calls made after all others had ended, of the last round that was made."""
        last = max((int(op.notes["final"]) for op in self.ops if "final" in op.notes), default=0)
        found = [op for op in self.ops if op.notes.get("final") == last]
        return [op for op in found if not operations or op.operation in operations]


class Workload(Protocol):
    """A kind of concurrent program."""

    name: str
    says: str
    needs: frozenset[str]
    """Capabilities without which it can't run."""
    twice: frozenset[str]
    """Operations whose requests may be delivered twice without the history losing its meaning."""

    def draw(self, seed: int, size: Size) -> Plan:
        """The plan of a seed."""
        ...

    def prepare(self, client: Client, plan: Plan) -> None:
        """Calls before the clients start, one after the other."""
        ...

    def perform(self, client: Client, act: Act) -> None:
        """Do one act; draws nothing."""
        ...

    def finish(self, client: Client, plan: Plan, deadline: float) -> None:
        """Read what is left after all have ended and faults are healed, waiting for it until ``deadline``."""
        ...

    def check(self, evidence: Evidence) -> list[Result]:
        """Judge the history."""
        ...


@dataclass(slots=True)
class Ran:
    """How a plan went: acts done, and why it ended before its end if it did."""

    done: int = 0
    stopped: str = ""
    errors: list[str] = field(default_factory=list)


def run(workload: Workload, plan: Plan, clients: Sequence[Client], seconds: float) -> Ran:
    """Run every client of a plan in a thread of its own, at most so many seconds, and wait for all."""
    outcome = Ran()
    deadline = time.monotonic() + seconds
    start = threading.Barrier(len(clients))

    def work(client: Client, acts: Sequence[Act]) -> None:
        start.wait()
        for act in acts:
            if time.monotonic() > deadline:
                outcome.stopped = "its time was over"
                return
            try:
                workload.perform(client, act)
            except Exception as error:
                outcome.errors.append(f"client {client.number}, {act.kind}: {type(error).__name__}: {error}")
                return
            outcome.done += 1

    threads = [
        threading.Thread(target=work, args=(client, acts), name=f"client-{client.number}", daemon=True)
        for client, acts in zip(clients, plan.clients, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


def poll(client: Client, deadline: float, look: Callable[[int], bool]) -> float:
    """Look again and again (round 1, 2, …) until it is good or the deadline (monotonic) is over; seconds waited."""
    began, count = time.monotonic(), 0
    while True:
        count += 1
        if look(count) or time.monotonic() > deadline:
            return time.monotonic() - began
        time.sleep(min(0.05 * count, 0.5))


def draw_clients(seed: int, size: Size, draw: Callable[[random.Random, int, int], Act]) -> tuple[tuple[Act, ...], ...]:
    """Each client's acts: ``draw(random, client, n)`` gives the n-th act of a client."""
    plans = []
    for client in range(size.clients):
        rng = random.Random(f"{seed}/{client}")
        plans.append(tuple(draw(rng, client, n) for n in range(size.acts)))
    return tuple(plans)


def hot_key(rng: random.Random, n: int, keys: int) -> str:
    """A key for a client's n-th act: few, some hotter than others, fresh ones every so many acts."""
    slot = min(int(rng.expovariate(1.2)), keys - 1)
    return f"k{slot}.{n // ROUNDS_PER_KEY}"


def keys_in(plan: Plan) -> list[str]:
    """The keys that a plan's acts name first, sorted."""
    return sorted({str(act.args[0]) for acts in plan.clients for act in acts if act.args})


def until_answered(client: Client, operation: str, body: Body, deadline: float, **notes: Any) -> Op:
    """A reading that is made again until it is answered or the deadline is over."""
    while True:
        op = client.call(operation, body, **notes)
        final = isinstance(op.reply, Refusal) and op.reply.status < 500 and op.reply.code not in THROTTLED
        if op.fate == "ok" or final or time.monotonic() > deadline:
            return op
        time.sleep(0.05)


def items_of(op: Op) -> list[Body]:
    """The items of a Query or Scan answer."""
    listed = body_of(op).get("Items")
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def smaller(plan: Plan, clients: Sequence[Sequence[Act]]) -> Plan:
    """The plan with other acts; clients left without any are kept, so that ports and numbers stay."""
    return replace(plan, clients=tuple(map(tuple, clients)))
