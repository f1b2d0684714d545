"""Bugs that only concurrency, lost answers and restarts bring out: the reference behind threads, with one bug each."""

from __future__ import annotations

import contextlib
import functools
import http.server
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from chaos.experiment import Settings, Trial, experiment, schedule_for
from chaos.faults import find
from chaos.workloads import WORKLOADS
from chaos.workloads.base import Size
from conformance.targets.process import Process
from conformance.targets.profile import Profile
from conformance.targets.target import Target
from conformance.targets.transport import HttpTransport
from reference.account import Account
from reference.api import Call, Lost, Refusal, Reply, Success
from reference.operations.base import Choice
from reference.server import WallClock
from reference.service import Service
from reference.signature import Request
from reference.wire import Answer, FrontDoor, request_id, serialize

GAP = 0.003
"""Seconds for which a planted race stays open."""
TRIES = 24
"""Seeds within which a plant must be found."""


class Threads:
    """The reference for many threads: one call at a time. Plants override what they get wrong."""

    fragile = False
    """Whether the process ends when a client's connection breaks."""

    def __init__(self) -> None:
        self.service = Service(Account(WallClock()))
        self.lock = threading.RLock()
        self.count = itertools.count(1)

    def execute(self, call: Call) -> Reply:
        with self.lock:
            return self.service.execute(call)

    def killed(self) -> None:
        """The process ends and is started again: by default nothing is lost."""


def stale_commit(self: Threads, call: Call) -> Reply:
    """Decide in one moment and write in a later one, whatever happened between."""
    with self.lock:
        outcomes = self.service.outcomes(call, Choice())
        if outcomes.outcome is None:
            return self.service.refusal(call, outcomes.violations[0])
    time.sleep(GAP)
    with self.lock:
        self.service.commit(outcomes.outcome)
    return Success(outcomes.outcome.body)


class LostUpdate(Threads):
    def execute(self, call: Call) -> Reply:
        return stale_commit(self, call) if call.operation == "UpdateItem" else super().execute(call)


class CounterRace(Threads):
    def execute(self, call: Call) -> Reply:
        adds = call.operation == "UpdateItem" and "ADD" in str(call.body.get("UpdateExpression"))
        return stale_commit(self, call) if adds else super().execute(call)


class ConditionRace(Threads):
    def execute(self, call: Call) -> Reply:
        tests = call.operation == "PutItem" and "ConditionExpression" in call.body
        return stale_commit(self, call) if tests else super().execute(call)


class TransactionRace(Threads):
    def execute(self, call: Call) -> Reply:
        return stale_commit(self, call) if call.operation == "TransactWriteItems" else super().execute(call)


class TornWrite(Threads):
    """A transaction's actions are done one by one."""

    def execute(self, call: Call) -> Reply:
        if call.operation != "TransactWriteItems":
            return super().execute(call)
        with self.lock:
            checked = self.service.fork().execute(call)
        if not isinstance(checked, Success):
            return checked
        for action in call.body["TransactItems"]:
            super().execute(Call("TransactWriteItems", {"TransactItems": [action]}))
            time.sleep(GAP)
        return checked


class TornRead(Threads):
    """A transaction's reads are made one by one."""

    def execute(self, call: Call) -> Reply:
        if call.operation != "TransactGetItems":
            return super().execute(call)
        answers = []
        for action in call.body["TransactItems"]:
            reply = super().execute(Call("TransactGetItems", {"TransactItems": [action]}))
            if not isinstance(reply, Success):
                return reply
            answers += reply.body["Responses"]
            time.sleep(GAP)
        return Success({"Responses": answers})


class HalfTransaction(Threads):
    """Now and then the last action of a transaction is left out."""

    def execute(self, call: Call) -> Reply:
        if call.operation == "TransactWriteItems" and next(self.count) % 5 == 0:
            call = Call(call.operation, {**call.body, "TransactItems": call.body["TransactItems"][:-1] or []})
        return super().execute(call)


class TokenForgotten(Threads):
    def execute(self, call: Call) -> Reply:
        if call.operation == "TransactWriteItems":
            call = Call(call.operation, {k: v for k, v in call.body.items() if k != "ClientRequestToken"})
        return super().execute(call)


class AppliedTwice(Threads):
    """An addition is now and then made twice, as a hidden retry would."""

    def execute(self, call: Call) -> Reply:
        if call.operation == "UpdateItem" and next(self.count) % 9 == 0:
            super().execute(call)
        return super().execute(call)


class RefusedButApplied(Threads):
    """A condition that does not hold is reported, after the write was made."""

    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        if isinstance(reply, Refusal) and call.operation == "PutItem" and "ConditionExpression" in call.body:
            plain = {k: v for k, v in call.body.items() if k in ("TableName", "Item")}
            super().execute(Call("PutItem", plain))
        return reply


class StaleReads(Threads):
    """Strongly consistent reads go to a replica that lags by some writes."""

    replica: Service | None = None

    def execute(self, call: Call) -> Reply:
        with self.lock:
            if call.operation == "GetItem" and self.replica is not None and next(self.count) % 3:
                reply = self.replica.execute(call)
                return reply if isinstance(reply, Success) else self.service.execute(call)
            if call.operation in ("PutItem", "UpdateItem", "DeleteItem") and next(self.count) % 4 == 0:
                self.replica = self.service.fork()
            return self.service.execute(call)


class EarlyAnswers(Threads):
    """A put is acknowledged before it is made."""

    def execute(self, call: Call) -> Reply:
        if call.operation != "PutItem":
            return super().execute(call)
        with self.lock:
            reply = self.service.fork().execute(call)
        if isinstance(reply, Success):
            threading.Timer(GAP * 3, super().execute, (call,)).start()
        return reply


class LostOnKill(Threads):
    """Writes reach the disk in batches, after they were acknowledged."""

    saved: Service | None = None

    def execute(self, call: Call) -> Reply:
        with self.lock:
            reply = super().execute(call)
            if call.operation == "CreateTable" or next(self.count) % 40 == 0:
                self.saved = self.service.fork()
            return reply

    def killed(self) -> None:
        with self.lock:
            if self.saved is not None:
                self.service = self.saved.fork()


class TornOnKill(Threads):
    """Of the last transaction before the end only a part reaches the disk."""

    last: list[Any] | None = None

    def execute(self, call: Call) -> Reply:
        with self.lock:
            before = self.service.fork() if call.operation == "TransactWriteItems" else None
            reply = self.service.execute(call)
            if before is not None and isinstance(reply, Success) and len(call.body["TransactItems"]) > 1:
                self.last = [before, call.body["TransactItems"]]
            elif call.operation not in ("GetItem", "TransactGetItems", "BatchGetItem", "Scan", "DescribeTable"):
                self.last = None
            return reply

    def killed(self) -> None:
        with self.lock:
            if self.last is not None:
                self.service = self.last[0]
                self.service.execute(Call("TransactWriteItems", {"TransactItems": self.last[1][:1]}))
                self.last = None


class GhostEntry(Threads):
    """An index goes on showing an item that has left it."""

    ghost: Any = None

    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        if "IndexName" in call.body and isinstance(reply, Success):
            items = reply.body["Items"]
            if self.ghost is None and items:
                self.ghost = items[0]
            if self.ghost is not None and self.ghost not in items:
                reply = Success({**reply.body, "Items": [*items, self.ghost], "Count": len(items) + 1})
        return reply


class MissingEntry(Threads):
    """An index forgets every seventh item."""

    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        if "IndexName" in call.body and isinstance(reply, Success):
            kept = [item for item in reply.body["Items"] if sum(item["pk"]["S"].encode()) % 7]
            reply = Success({**reply.body, "Items": kept, "Count": len(kept)})
        return reply


class RecordTwice(Threads):
    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        if call.operation == "GetRecords" and isinstance(reply, Success) and reply.body["Records"]:
            reply = Success({**reply.body, "Records": [*reply.body["Records"], reply.body["Records"][-1]]})
        return reply


class RecordLost(Threads):
    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        if call.operation == "GetRecords" and isinstance(reply, Success) and len(reply.body["Records"]) > 3:
            reply = Success({**reply.body, "Records": reply.body["Records"][:-1]})
        return reply


class RecordsOutOfOrder(Threads):
    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        if call.operation == "GetRecords" and isinstance(reply, Success):
            reply = Success({**reply.body, "Records": reply.body["Records"][::-1]})
        return reply


class GoneEarly(Threads):
    """Milliseconds are taken for seconds long past, and such items deleted."""

    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        item = call.body.get("Item", {})
        if call.operation == "PutItem" and len(item.get("ttl", {}).get("N", "")) > 10 and next(self.count) % 2:
            key = {"TableName": call.body["TableName"], "Key": {"pk": item["pk"]}}
            threading.Timer(GAP * 3, super().execute, (Call("DeleteItem", key),)).start()
        return reply


@dataclass(frozen=True, slots=True)
class Planted:
    """A bug, the workload and faults that bring it out, and the kinds of anomaly that tell it."""

    service: Callable[[], Threads]
    about: str
    workload: str
    kinds: frozenset[str]
    faults: tuple[str, ...] = ()
    share: float = 0.1


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection; a thread of its own."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, served: Served, *rest: Any) -> None:
        self.served = served
        super().__init__(*rest)

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError("the request was cut off")
        headers = {name.lower().encode(): value.encode() for name, value in self.headers.items()}
        request = Request(b"POST", b"/", headers, body)
        self.wfile.write(self.served.respond(request))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, served: Served) -> None:
        self.served = served
        super().__init__(("127.0.0.1", served.port), functools.partial(_Handler, served))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients whose connection a fault has cut are none of ours, unless a plant dies of them."""
        if self.served.service.fragile:
            self.served.kill()


class Served:
    """A planted service on a port: a process as far as faults are concerned."""

    def __init__(self, service: Threads) -> None:
        self.service = service
        self.starts = 0
        self.port = 0
        self._door = FrontDoor(service.service.operations())
        self._server: _Server | None = None
        self._ordinal = itertools.count()

    def respond(self, request: Request) -> bytes:
        call = self._door.receive(request, time.time())
        if isinstance(call, Answer):
            answer = call
        else:
            reply = self.service.execute(call)
            assert not isinstance(reply, Lost)
            if isinstance(reply, Success):
                answer = self._door.succeed(request, reply)
            else:
                answer = self._door.refuse(request, reply, call.operation)
        return serialize(answer, request_id(0, next(self._ordinal)), b"now", keep_alive=True)

    # What the faults of a process ask of it.

    @property
    def pid(self) -> int | None:
        return None if self._server is None else 1

    def alive(self) -> bool:
        return self._server is not None

    def start(self) -> None:
        self._server = _Server(self)
        self.port = self._server.server_address[1]
        self.starts += 1
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True).start()

    def kill(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            self.service.killed()

    stop = kill

    def restart(self) -> None:
        self.stop()
        self.start()

    def resume(self) -> None:
        """It is never paused."""

    def log_size(self) -> int:
        return 0

    def logged(self, mark: int) -> str:
        return "a client went away\n"


@contextlib.contextmanager
def served(service: Threads) -> Iterator[Target]:
    """A target that is a planted service behind a port."""
    process = Served(service)
    process.start()
    url = f"http://127.0.0.1:{process.port}"
    target = Target(
        "planted", "0", url, HttpTransport(url), Profile(durability="process"), process=cast(Process, process)
    )
    try:
        yield target
    finally:
        target.transport.close()
        process.kill()


def trials(plant: Planted, service: Callable[[], Threads], *, seeds: range = range(TRIES)) -> Iterator[Trial]:
    """The experiments that are to bring a plant out, one for each seed, on a service of its own."""
    workload = WORKLOADS[plant.workload]
    settings = Settings(faults=tuple(map(find, plant.faults)), share=plant.share, converge=0.5, timeout=2.0)
    for seed in seeds:
        plan = workload.draw(seed, Size(clients=4, acts=24))
        with served(service()) as target:
            yield experiment(target, plan, schedule_for(workload, plan, settings), settings)
