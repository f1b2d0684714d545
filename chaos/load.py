"""A load on a served reference whose time is ours: clients that retry, back off and go elsewhere, second by second.

Nothing here waits: a minute of load takes as long as its requests do. What comes out depends on the seed alone.
"""

from __future__ import annotations

import heapq
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from chaos.arms import BILLED, COUNTS, DOLLARS, WAIT, Arm, ArmError, Comparison, Expectation, Load, filled
from conformance.targets.raw import RawReply, RawRequest
from conformance.targets.transport import HttpTransport
from reference.api import Call, Lost, Refusal, Reply, Success
from reference.clock import ManualClock
from reference.knobs import KnobError, resolve
from reference.pricing.calculator import MILLION, SECONDS_PER_HOUR, prices
from reference.server import ThreadedServer
from reference.serving import Served

START = 1_800_000_000.0
"""When every arm begins, in epoch seconds: a full minute."""
THROTTLED = frozenset({"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"})
CONFLICTS = frozenset({"TransactionConflictException", "ReplicatedWriteConflictException"})
READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"})
TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request that was sent: when (seconds from the start), which, where to, and what became of it."""

    at: float
    load: str
    number: int
    attempt: int
    path: str
    outcome: str
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        """The attempt as a row of the history."""
        row = {"at": self.at, "load": self.load, "n": self.number, "attempt": self.attempt, "outcome": self.outcome}
        return row | ({"path": self.path} if self.path else {}) | ({"detail": self.detail} if self.detail else {})


@dataclass(slots=True)
class Series:
    """What was measured of an arm: by name a number for each bucket of time."""

    buckets: int
    bucket: float
    held: dict[str, list[float]] = field(default_factory=dict)

    def of(self, name: str) -> list[float]:
        """A series; one that was never counted is all zero."""
        return self.held.setdefault(name, [0.0] * self.buckets)

    def add(self, load: str, measure: str, at: float, amount: float = 1.0) -> None:
        """Count something of a load, and of all loads together."""
        place = min(int(at / self.bucket + 1e-9), self.buckets - 1)
        for name in (f"{load}.{measure}", measure):
            values = self.of(name)
            values[place] = max(values[place], amount) if measure == WAIT else values[place] + amount

    def note(self, name: str, at: float, value: float) -> None:
        """Note a gauge; the last of a bucket counts."""
        self.of(name)[min(int(at / self.bucket + 1e-9), self.buckets - 1)] = value

    def value(self, wanted: Expectation) -> float:
        """What an expectation is about."""
        own = self._taken(wanted, wanted.measure)
        if not wanted.per:
            return own
        whole = self._taken(wanted, wanted.per)
        return own / whole if whole else 0.0

    def _taken(self, wanted: Expectation, measure: str) -> float:
        values = self.of(f"{wanted.load}.{measure}" if wanted.load else measure)
        held = [value for n, value in enumerate(values) if wanted.after <= n * self.bucket < wanted.before]
        if measure in (*COUNTS, DOLLARS):
            return sum(held)
        if wanted.take == "last":
            return held[-1] if held else 0.0
        return (max if wanted.take == "max" else min)(held, default=0.0)

    def totals(self) -> dict[str, float]:
        """All counts, summed."""
        counted = {name: sum(values) for name, values in self.held.items() if name in (*COUNTS, DOLLARS)}
        return {name: round(value, 6) for name, value in counted.items() if value}


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of running an arm."""

    series: Series
    history: tuple[Attempt, ...]


@dataclass(slots=True)
class _Client:
    """The state of one load's client: how many requests it has asked for, and which endpoint it goes to.

    ``moments`` says when it asks and ``picks`` for what, and neither is drawn from for anything else, so that every arm
    is asked the same.
    """

    name: str
    load: Load
    moments: random.Random
    picks: random.Random
    due: float = 0.0
    asked: int = 0
    place: int = 0


@dataclass(slots=True)
class _Request:
    """A request until it is served or given up."""

    client: _Client
    number: int
    asked: float
    body: Any
    attempts: int = 0


class Place:
    """A served reference as a load sees it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ways: dict[str, HttpTransport] = {}

    def send(self, path: str, call: Call) -> Reply:
        """Put a call to the endpoint at a path."""
        way = self._ways.get(path)
        if way is None:
            way = self._ways[path] = HttpTransport(self._url + path)
        return way.send(call, timeout=TIMEOUT)

    def control(self, name: str, body: Mapping[str, Any]) -> Any:
        """Ask the control endpoint; ArmError where it refuses."""
        raw = RawRequest(path=f"/_dynoracle/{name}", body=orjson.dumps(body), signed=False)
        answer = self._ways.setdefault("", HttpTransport(self._url)).send_raw(Call("control", {}), raw=raw)
        if not isinstance(answer, RawReply) or answer.status != 200:
            told = answer.body.decode() if isinstance(answer, RawReply) else answer.why
            raise ArmError(f"/_dynoracle/{name} refused {json.dumps(body)}: {told}")
        return orjson.loads(answer.body)

    def close(self) -> None:
        """Let go of all connections."""
        for way in self._ways.values():
            way.close()


def run(found: Comparison, arm: Arm, seed: int) -> Ran:
    """Serve the reference as an arm says, put its load to it, and measure. ArmError when that can't be done."""
    try:
        knobs = resolve({"clock": "manual", "seed": seed, **arm.serve})
    except KnobError as error:
        raise ArmError(f"the arm {arm.name!r}: {error}") from error
    calls = sum(each.times for each in arm.setup)
    served = Served(knobs, ManualClock(START - calls))
    with ThreadedServer(served.service, router=served.router, seed=seed) as server:
        place = Place(server.url)
        try:
            return _Driver(found, arm, seed, place).run()
        finally:
            place.close()


class _Driver:
    """Runs one arm."""

    def __init__(self, found: Comparison, arm: Arm, seed: int, place: Place) -> None:
        self.found = found
        self.arm = arm
        self.place = place
        self._random = random.Random(seed)
        buckets = max(1, round(found.seconds / found.bucket))
        self.series = Series(buckets, found.bucket)
        self.history: list[Attempt] = []
        self.now = 0.0
        self._clients = [
            _Client(name, load, random.Random(f"{seed}/{name}"), random.Random(f"{seed}/{name}/picks"))
            for name, load in arm.load.items()
        ]
        self._waiting: list[tuple[float, int, _Request]] = []
        self._made = 0
        self._acknowledged: dict[str, int] = defaultdict(int)

    def run(self) -> Ran:
        """Set up, then let time pass step by step."""
        self._set_up()
        events = sorted(self.arm.events, key=lambda event: event.at)
        for number in range(round(self.found.seconds / self.found.step)):
            self._pass(number * self.found.step)
            while events and events[0].at <= self.now + 1e-9:
                event = events.pop(0)
                self.place.control(event.control, event.body)
            for request in self._due():
                self._put(request)
            if (number + 1) % round(self.found.bucket / self.found.step) == 0:
                self._look()
        for _, _, request in self._waiting:
            self.series.add(request.client.name, "given-up", self.now)
        return Ran(self.series, tuple(self.history))

    def _set_up(self) -> None:
        """Make the calls before the start, one a second, so that none of them is throttled."""
        left = sum(each.times for each in self.arm.setup)
        for each in self.arm.setup:
            for number in range(each.times):
                body = filled(each.body, self._known(number, each.blob))
                reply = self.place.send(each.path, Call(each.operation, body))
                if not isinstance(reply, Success):
                    why = f"{reply.code}: {reply.message}" if isinstance(reply, Refusal) else reply.why
                    raise ArmError(f"the arm {self.arm.name!r}: {each.operation} was refused: {why}")
                left -= 1
                self.place.control("clock", {"set": START - left})

    def _known(self, number: int, blob: int) -> dict[str, Any]:
        return {"n": number, "now": int(START + self.now), "blob": "x" * blob}

    def _pass(self, second: float) -> None:
        """Let time pass until a second from the start."""
        if second > self.now:
            self.place.control("clock", {"set": START + second})
            self.now = second

    def _due(self) -> Iterator[_Request]:
        """What is to be sent now: what was put off, then what is new, the loads taking turns."""
        ready = []
        while self._waiting and self._waiting[0][0] <= self.now + 1e-9:
            ready.append(heapq.heappop(self._waiting)[2])
        for client in self._clients:
            rate = client.load.wanted(self.now)
            client.due += self._drawn(client, rate) if client.load.chance else rate * self.found.step
            while client.due >= 1 - 1e-9:
                client.due -= 1
                ready.append(self._ask(client))
        # Nobody comes first just because of the order in a file.
        self._random.shuffle(ready)
        yield from ready

    def _drawn(self, client: _Client, rate: float) -> int:
        """How many requests come in a step when they come by chance, at a rate on average."""
        if rate <= 0:
            return 0
        count, passed = 0, client.moments.expovariate(rate)
        while passed < self.found.step:
            count, passed = count + 1, passed + client.moments.expovariate(rate)
        return count

    def _ask(self, client: _Client) -> _Request:
        load = client.load
        client.asked += 1
        known = self._known(client.asked, load.blob)
        known |= {name: client.picks.randrange(below) for name, below in load.pick.items()}
        self.series.add(client.name, "asked", self.now)
        return _Request(client, client.asked, self.now, filled(load.body, known))

    def _put(self, request: _Request) -> None:
        """Send a request once, and see what becomes of it."""
        client, load = request.client, request.client.load
        path = load.paths[client.place % len(load.paths)]
        request.attempts += 1
        newest = self._newest(load, request.body)
        reply = self.place.send(path, Call(load.operation, request.body))
        outcome, detail = _outcome(reply)
        self.history.append(
            Attempt(round(self.now, 3), client.name, request.number, request.attempts, path, outcome, detail)
        )
        self.series.add(client.name, "sent", self.now)
        self.series.add(client.name, outcome, self.now)
        if request.attempts > 1:
            self.series.add(client.name, "retries", self.now)
        if isinstance(reply, Success):
            self.series.add(client.name, WAIT, self.now, self.now - request.asked)
            self._seen(client, request, reply.body, newest)
            return
        if outcome == "failed":
            client.place += 1
        self._again(request, outcome)

    def _again(self, request: _Request, outcome: str) -> None:
        load = request.client.load
        if outcome == "refused" or request.attempts >= load.attempts:
            self.series.add(request.client.name, "given-up", self.now)
            return
        wait = min(load.cap, load.backoff * 2 ** (request.attempts - 1))
        wait *= self._random.random() if load.jitter else 1.0
        self._made += 1
        heapq.heappush(self._waiting, (self.now + wait, self._made, request))

    # What answers say

    def _newest(self, load: Load, body: Any) -> int:
        """The newest acknowledged version of what a read is about."""
        return self._acknowledged[_item_of(body)] if load.value and load.operation in READS else 0

    def _seen(self, client: _Client, request: _Request, body: Any, newest: int) -> None:
        load = client.load
        self.series.add(client.name, "units", self.now, _units(body))
        if load.value and load.operation in READS:
            shown = (body.get("Item") or {}).get(load.value, {}).get("N", "0")
            if int(shown) < newest:
                self.series.add(client.name, "stale", self.now)
        elif load.value:
            written = _value_of(request.body, load.value)
            item = _item_of(request.body)
            self._acknowledged[item] = max(self._acknowledged[item], written)
        if load.expiry:
            items = body.get("Items") or [item for item in [body.get("Item")] if item]
            now = START + self.now
            gone = sum(1 for item in items if float(item.get(load.expiry, {}).get("N", "inf")) <= now)
            self.series.add(client.name, "items", self.now, len(items))
            self.series.add(client.name, "expired", self.now, gone)

    def _look(self) -> None:
        """Read the gauges and the bill of the bucket that ends now."""
        for name, gauge in self.arm.gauges.items():
            value: Any = self._ask_once(gauge.operation, gauge.body)
            for member in gauge.path.split("."):
                value = value[int(member)] if isinstance(value, list) else value.get(member, 0)
            self.series.note(name, self.now, float(value))
        if self.arm.billed:
            self.series.note(DOLLARS, self.now, self._bill())

    def _ask_once(self, operation: str, body: Mapping[str, Any]) -> Any:
        reply = self.place.send("", Call(operation, filled(body, self._known(0, 0))))
        if not isinstance(reply, Success):
            raise ArmError(f"the arm {self.arm.name!r}: {operation}, which a gauge asks, was not answered")
        return reply.body

    def _bill(self) -> float:
        """US dollars for the bucket that ends now: units used, or units provisioned, whether used or not."""
        at, place = prices(), min(int(self.now / self.found.bucket + 1e-9), self.series.buckets - 1)
        if self.arm.billed == BILLED[1]:
            tables = self._ask_once("ListTables", {})["TableNames"]
            held = [self._ask_once("DescribeTable", {"TableName": name})["Table"] for name in tables]
            units = [table["ProvisionedThroughput"] for table in held]
            hourly: float = sum(
                each["ReadCapacityUnits"] * at.rcu_hour + each["WriteCapacityUnits"] * at.wcu_hour for each in units
            )
            return hourly * self.found.bucket / SECONDS_PER_HOUR
        dollars = 0.0
        for client in self._clients:
            price = at.million_rru if client.load.operation in READS else at.million_wru
            dollars += self.series.of(f"{client.name}.units")[place] / MILLION * price
        return dollars


def _outcome(reply: Reply) -> tuple[str, str]:
    """What became of a request, as it is counted, and in the service's own word."""
    if isinstance(reply, Success):
        return "served", ""
    if isinstance(reply, Lost):
        return "failed", "no answer"
    if reply.code in THROTTLED:
        return "throttled", reply.code
    reasons = {reason.get("Code") for reason in reply.fields.get("CancellationReasons") or ()}
    if reply.code in CONFLICTS or "TransactionConflict" in reasons:
        return "conflicts", reply.code
    if reasons & {"ProvisionedThroughputExceeded", "ThrottlingError"}:
        return "throttled", reply.code
    return ("failed" if reply.status >= 500 else "refused"), reply.code


def _item_of(body: Any) -> str:
    """The item that a request is about, as a name: its table and key (the items' key here is ``pk``)."""
    key = body.get("Key") or {"pk": (body.get("Item") or {}).get("pk")}
    return f"{body.get('TableName')}/{json.dumps(key, sort_keys=True)}"


def _value_of(body: Any, attribute: str) -> int:
    """The version that a write sets: in its item, or in its expression's value ``:`` and the attribute's name."""
    values = body.get("Item") or {name[1:]: value for name, value in body["ExpressionAttributeValues"].items()}
    return int(values[attribute]["N"])


def _units(body: Any) -> float:
    """The capacity units that an answer tells, of one table or of several."""
    told = body.get("ConsumedCapacity") or ()
    return sum(float(each.get("CapacityUnits", 0)) for each in ([told] if isinstance(told, dict) else told))
