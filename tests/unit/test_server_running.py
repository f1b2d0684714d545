"""The server itself: its thread, port and connections, and how it stops."""

from __future__ import annotations

import gc
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
import urllib3

from reference.api import Call, Reply
from reference.server import Server, ThreadedServer
from tests.unit.server_bench import SIGNED, Client, Fake, ask, head, request


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadedServer]:
    with ThreadedServer(Fake()) as running:
        yield running


def test_calls_of_all_connections_run_one_at_a_time_on_one_thread() -> None:
    fake = Fake()
    with ThreadedServer(fake) as running:
        connections = [HTTPConnection("127.0.0.1", running.port) for _ in range(8)]
        headers = {
            "X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/json",
            "X-Amz-Date": "20251122T101000Z", "Authorization": SIGNED,
        }  # fmt: skip
        for connection in connections:
            connection.request("POST", "/", b"{}", headers)
        assert {connection.getresponse().status for connection in connections} == {200}
        for connection in connections:
            connection.close()
    assert len(fake.calls) == 8
    assert len(fake.threads) == 1
    assert threading.get_ident() not in fake.threads


def test_the_same_seed_gives_the_same_request_ids() -> None:
    def ids(seed: int) -> list[str]:
        with ThreadedServer(Fake(), seed=seed) as running:
            return [ask(running, request("ListTables")).getheader("x-amzn-RequestId") for _ in range(3)]

    assert ids(1) == ids(1)
    assert len({*ids(1), *ids(2)}) == 6


def test_a_taken_port_is_an_error(server: ThreadedServer) -> None:
    with pytest.raises(OSError, match="in use"), ThreadedServer(Fake(), port=server.port):
        pass


def test_the_address_of_a_server() -> None:
    assert Server(Fake(), "::1", 8000).url == "http://[::1]:8000"
    assert Server(Fake(), "127.0.0.1", 8000).url == "http://127.0.0.1:8000"


def test_stopping_closes_open_connections() -> None:
    with ThreadedServer(Fake()) as running:
        waiting = Client(running)
        waiting.send(request("ListTables"))
        assert waiting.read().status == 200
    assert waiting.at_end()
    waiting.socket.close()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", running.port), timeout=1)


def test_too_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reference.server.MAX_CONNECTIONS", 2)
    with ThreadedServer(Fake()) as running, Client(running) as first, Client(running) as second:
        for each in (first, second):
            each.send(request("ListTables"))
            assert each.read().status == 200
        with Client(running) as third:
            assert third.read().status == 503
            assert third.at_end()
        first.send(request("ListTables"))
        assert first.read().status == 200


class Watching(Fake):
    """Remembers for each call whether the garbage collector was on."""

    def __init__(self) -> None:
        super().__init__()
        self.collecting: list[bool] = []

    def execute(self, call: Call) -> Reply:
        self.collecting.append(gc.isenabled())
        return super().execute(call)


def test_the_collector_rests_while_a_large_body_is_answered() -> None:
    service = Watching()
    large = json.dumps({"Limit": 1, "Unknown": [[]] * 40_000}).encode()
    packed = gzip.compress(b"{}")
    with ThreadedServer(service) as running, Client(running) as client:
        for body, extra in ((b"{}", ()), (large, ()), (packed, ("Content-Encoding: gzip",)), (b"{}", ())):
            client.send(head("ListTables", len(body), *extra) + body)
            assert client.read().status == 200
        client.send(request("Query", b'{"a":"' + b"a" * len(large) + b'"}'))
        assert client.read().status == 500
    assert service.collecting == [True, False, False, True, False]
    assert gc.isenabled()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serving_until_a_signal(number: signal.Signals) -> None:
    program = (
        "from reference.server import serve_forever\n"
        "class Nothing:\n"
        "    def operations(self): return ()\n"
        "    def execute(self, call): raise AssertionError\n"
        "serve_forever(Nothing(), ready=lambda url: print(url, flush=True))\n"
        "print('stopped')\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdout is not None
        url = child.stdout.readline().strip()
        with urllib3.PoolManager() as pool:
            assert pool.request("GET", url).status == 200
            child.send_signal(number)
            assert child.stdout.read() == "stopped\n"
        assert child.wait(10) == 0
