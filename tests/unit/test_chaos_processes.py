"""Faults of a process: each happens to the process that was started here, and is undone."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.faults import FAULTS
from chaos.processes import ProcessHands, hands_of
from chaos.proxy import ThreadedProxy
from chaos.schedule import Firing, Rule, Schedule
from conformance.targets.process import Command, Process
from conformance.targets.profile import Profile
from conformance.targets.target import Target
from conformance.targets.transport import HttpTransport
from reference.api import Call, Lost, Refusal, Reply, Success
from tests.unit.test_chaos_proxy import wait_until

# Appends a byte to a file for each PutItem, and opens it anew for each GetItem; 500 when the system refuses.
SERVER = textwrap.dedent("""
    import json, os, sys
    from http.server import BaseHTTPRequestHandler, HTTPServer
    store = open("store", "ab", buffering=0)
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            status, body = 200, {}
            try:
                if operation == "PutItem":
                    store.write(b"x")
                elif operation == "GetItem":
                    with open("store", "rb") as file:
                        body = {"Item": {"n": {"N": str(len(file.read()))}}}
            except OSError as error:
                status, body = 500, {"__type": "InternalServerError", "message": error.strerror}
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        def log_message(self, *args):
            pass
    class Server(HTTPServer):
        daemon_threads = True
    from socketserver import ThreadingMixIn
    class Threaded(ThreadingMixIn, Server):
        pass
    Threaded(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
""")
PUT, GET = Call("PutItem", {}), Call("GetItem", {})


class World:
    def __init__(self, process: Process) -> None:
        self.process = process
        self.hands = ProcessHands(process)
        self.proxy = ThreadedProxy(f"http://127.0.0.1:{process.port}", hands=self.hands)

    def __enter__(self) -> World:
        self.proxy.__enter__()
        self.client = HttpTransport(self.proxy.url())
        self.before = self.ended = 0
        self.before, self.ended = self.count(), self.hands.ends()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.proxy.__exit__(None, None, None)

    def arm(self, name: str, **settings: float) -> None:
        at = frozenset({self.proxy.ledger.count(0) + 1})
        self.proxy.arm(Schedule((Rule(FAULTS[name], settings, at=at),)))

    def count(self) -> int:
        reply = self.client.send(GET)
        assert isinstance(reply, Success), reply
        return int(reply.body["Item"]["n"]["N"]) - self.before

    def ends(self) -> int:
        return self.hands.ends() - self.ended

    def said(self) -> list[str]:
        return [event.what for event in self.hands.events]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    def answers(port: int) -> bool:
        client = HttpTransport(f"http://127.0.0.1:{port}")
        try:
            return isinstance(client.send(Call("ListTables", {}), timeout=2), Success)
        finally:
            client.close()

    command = Command((sys.executable, "-S", "-c", SERVER, "{port}"))
    made = Process("store", command, tmp_path_factory.mktemp("store"), answers)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def world(process: Process) -> Iterator[World]:
    with World(process) as made:
        yield made


def lost(reply: Reply) -> bool:
    return isinstance(reply, Lost)


@pytest.mark.parametrize(("name", "event"), [("kill", "killed"), ("terminate", "terminated")])
def test_ends_and_comes_back_before_the_request(world: World, name: str, event: str) -> None:
    assert world.client.send(PUT) == Success({})
    before = world.process.pid
    world.arm(name, during=0)
    assert world.client.send(PUT) == Success({})
    assert world.process.pid != before
    assert world.said() == [event, "started"]
    assert world.ends() == 1
    assert world.count() == 2


def test_ends_during_the_request(world: World) -> None:
    world.arm("kill", during=1)
    mark = world.proxy.ledger.count(0)
    reply = world.client.send(PUT)
    (entry,) = world.proxy.settle(0, mark)
    assert entry.fate() == ("ok" if isinstance(reply, Success) else "info")
    assert world.ends() == 1
    assert world.count() in ((1,) if isinstance(reply, Success) else (0, 1))


def test_stays_down_for_some_requests(world: World) -> None:
    world.arm("kill", during=0, down=2)
    mark = world.proxy.ledger.count(0)
    replies = [world.client.send(PUT) for _ in range(4)]
    assert [lost(reply) for reply in replies] == [True, True, True, False]
    assert [entry.fate() for entry in world.proxy.settle(0, mark)] == ["fail", "fail", "fail", "ok"]
    assert world.count() == 1


def test_heal_starts_what_is_down(world: World) -> None:
    world.arm("kill", during=0, down=1000)
    assert lost(world.client.send(PUT))
    assert not world.process.alive()
    world.proxy.heal()
    world.proxy.heal()
    assert world.process.alive()
    assert world.said() == ["killed", "started"]
    assert world.client.send(PUT) == Success({})


def state_of(pid: int | None) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_pauses_and_goes_on(world: World) -> None:
    world.arm("pause", hold_ms=20_000)
    assert lost(world.client.send(PUT, timeout=0.2))
    assert state_of(world.process.pid) == "T"
    world.proxy.heal()
    assert state_of(world.process.pid) != "T"
    wait_until(lambda: world.count() == 1)


def test_a_pause_ends_by_itself(world: World) -> None:
    world.arm("pause", hold_ms=10)
    assert world.client.send(PUT) == Success({})
    wait_until(lambda: not world.hands.busy())
    assert world.said() == ["paused", "resumed"]


def test_writes_no_byte_more_to_its_disk(world: World) -> None:
    assert world.client.send(PUT) == Success({})
    world.arm("disk-full", requests=2, hold_ms=20_000)
    refused = world.client.send(PUT)
    assert isinstance(refused, Refusal)
    assert (refused.status, refused.message) == (500, os.strerror(27))
    assert world.count() == 1
    assert world.client.send(PUT) == Success({})
    assert world.said() == ["limited", "limits lifted"]


def sockets_of(pid: int | None) -> int:
    found = 0
    for descriptor in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found += os.readlink(descriptor.path).startswith("socket:")
    return found


def test_has_no_descriptor_to_spare(world: World) -> None:
    assert world.client.send(PUT) == Success({})
    # One listens, one is ours: those of earlier tests must have gone, or they would leave room.
    wait_until(lambda: sockets_of(world.process.pid) == 2)
    world.arm("descriptors", requests=2, hold_ms=20_000)
    refused = world.client.send(GET)
    assert isinstance(refused, Refusal)
    assert refused.message == os.strerror(24)
    world.proxy.heal()
    assert world.count() == 1


def test_a_limit_ends_by_itself(world: World) -> None:
    pid = world.process.pid
    assert pid is not None
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    world.arm("disk-full", requests=1000, hold_ms=1)
    world.client.send(GET)
    wait_until(lambda: not world.hands.busy())
    assert resource.prlimit(pid, resource.RLIMIT_FSIZE) == before


def test_a_limit_is_no_longer_there_for_a_new_process(world: World) -> None:
    world.arm("disk-full", requests=1000, hold_ms=20_000)
    world.client.send(GET)
    world.process.kill()
    world.proxy.heal()
    assert world.client.send(PUT) == Success({})


def test_has_no_hands_on_what_was_not_started_here() -> None:
    target = Target("t", "", "http://127.0.0.1:1", HttpTransport("http://127.0.0.1:1"), Profile())
    assert hands_of(target) is None
    assert not FAULTS["kill"].available(target)


def test_while_a_process_starts_there_is_something_to_be_undone() -> None:
    class Slow:
        """A process that starts when it is told to."""

        pid: int | None = 1
        may = threading.Event()

        def kill(self) -> None:
            self.pid = None

        def start(self) -> None:
            assert self.may.wait(10)
            self.pid = 2

        def alive(self) -> bool:
            return self.pid is not None

        def resume(self) -> None:
            pass

    process = Slow()
    hands = ProcessHands(process)  # type: ignore[arg-type]
    fault = FAULTS["kill"]
    striking = threading.Thread(target=hands.strike, args=(Firing(Rule(fault), fault, fault.settings(), 0, 1),))
    striking.start()
    wait_until(lambda: not process.alive())
    assert hands.busy()
    healing = threading.Thread(target=hands.heal)
    healing.start()
    assert healing.is_alive()
    process.may.set()
    healing.join(10)
    striking.join(10)
    assert process.alive()
    assert not hands.busy()
    assert [event.what for event in hands.events] == ["killed", "started"]
