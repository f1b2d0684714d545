"""The proxy: each of its faults happens, does to the write what the catalogue says, and is gone when taken out."""

from __future__ import annotations

import datetime
import http.client
import ipaddress
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chaos.faults import FAULTS
from chaos.proxy import ThreadedProxy
from chaos.proxy_link import Pipe
from chaos.schedule import Rule, Schedule
from conformance.targets.signing import FAKE
from conformance.targets.target import Access, TargetError
from conformance.targets.transport import HttpTransport
from reference.api import Call, Lost, Refusal, Reply, Success
from reference.server import ThreadedServer
from tests.unit.chaos_targets import TABLE, Bench, Watched, add, bench, get, put, served

IN_PROXY = [name for name, fault in FAULTS.items() if fault.place == "proxy"]


@pytest.fixture(scope="module")
def world() -> Iterator[Bench]:
    with bench() as made:
        yield made


def added(times: int) -> Success:
    return Success({"Attributes": {"n": {"N": str(times)}}})


def is_lost(*why: str) -> Callable[[Reply], bool]:
    return lambda reply: isinstance(reply, Lost) and reply.why.split(":")[0] in why


def is_error(code: str, status: int) -> Callable[[Reply], bool]:
    return lambda reply: isinstance(reply, Refusal) and (reply.code, reply.status) == (code, status)


def is_plain(reply: Reply) -> bool:
    return reply == added(1)


THROTTLED = "ProvisionedThroughputExceededException"
UPDATES = [
    # fault, settings, what the client gets, how often the write took effect, how often it was delivered whole, fate
    ("latency", {"request_ms": 1, "reply_ms": 1}, is_plain, 1, 1, "ok"),
    ("jitter", {"request_ms": 1, "reply_ms": 1}, is_plain, 1, 1, "ok"),
    ("bandwidth", {"bytes_per_second": 1e6}, is_plain, 1, 1, "ok"),
    ("slice-request", {"size": 1, "pieces": 700}, is_plain, 1, 1, "ok"),
    ("slice-reply", {"size": 1, "pieces": 700}, is_plain, 1, 1, "ok"),
    ("slow-close", {"hold_ms": 1}, is_plain, 1, 1, "ok"),
    ("half-close", {}, is_plain, 1, 1, "ok"),
    ("swallow", {}, is_lost("closed"), 0, 0, "fail"),
    ("drop-reply", {}, is_lost("closed"), 1, 1, "ok"),
    ("reset-request", {"part": 0.5}, is_lost("reset", "closed"), 0, 0, "fail"),
    ("reset-request", {"part": 1}, is_lost("reset", "closed"), 0, 0, "fail"),
    ("reset-reply", {"part": 0.5}, is_lost("reset"), 1, 1, "ok"),
    ("reset-reply", {"part": 0}, is_lost("reset"), 1, 1, "ok"),
    ("truncate-reply", {"part": 0}, is_lost("closed"), 1, 1, "ok"),
    ("truncate-reply", {"part": 1}, is_lost("closed"), 1, 1, "ok"),
    ("corrupt-reply", {"part": 0.5}, is_lost("garbage"), 1, 1, "ok"),
    ("corrupt-reply", {"part": 1}, is_lost("garbage"), 1, 1, "ok"),
    ("duplicate", {"parallel": 0}, is_plain, 2, 2, "ok"),
    ("duplicate", {"parallel": 1}, lambda reply: reply in (added(1), added(2)), 2, 2, "ok"),
    ("reorder", {"limit_ms": 1}, is_plain, 1, 1, "ok"),
    ("error-before", {"status": 500}, is_error("InternalServerError", 500), 0, 0, "fail"),
    ("error-before", {"status": 503}, is_error("ServiceUnavailable", 503), 0, 0, "fail"),
    ("error-after", {"status": 500}, is_error("InternalServerError", 500), 1, 1, "ok"),
    ("throttle", {"kind": 0}, is_error(THROTTLED, 400), 0, 0, "fail"),
    ("throttle", {"kind": 1}, is_error("ThrottlingException", 400), 0, 0, "fail"),
    ("throttle", {"kind": 2}, is_error("RequestLimitExceeded", 400), 0, 0, "fail"),
    ("clock-skew", {"seconds": 60}, is_plain, 1, 1, "ok"),
]


@pytest.mark.parametrize(("name", "settings", "fits", "effects", "whole", "fate"), UPDATES)
def test_does_what_the_catalogue_says(world, name, settings, fits, effects, whole, fate) -> None:  # type: ignore[no-untyped-def]
    key = f"{name}{settings}"
    world.arm(name, **settings)
    before = world.deliveries("UpdateItem")
    reply, entry = world.send(add(key))
    world.proxy.heal()
    assert fits(reply), reply
    assert world.count(key) == effects
    assert world.deliveries("UpdateItem") - before == whole == sum(d.whole for d in entry.deliveries)
    assert entry.firing is not None
    assert entry.firing.fault.name == name
    assert entry.fate() == fate
    reply, entry = world.send(add(key))
    assert reply == added(effects + 1)
    assert entry.firing is None


def test_each_fault_of_the_proxy_is_tested_here() -> None:
    assert {row[0] for row in UPDATES} | {"delay-delivery", "partial-batch"} == set(IN_PROXY)


class TestSlowness:
    def test_waits_before_and_after(self, world: Bench) -> None:
        world.arm("latency", request_ms=30, reply_ms=40)
        _, entry = world.send(add("slow"))
        (delivery,) = entry.deliveries
        assert delivery.began - entry.began >= 0.029
        assert delivery.answered is not None
        assert entry.ended is not None
        assert entry.ended - delivery.answered >= 0.039

    def test_heal_ends_a_wait(self, world: Bench) -> None:
        world.arm("latency", request_ms=30_000, reply_ms=30_000)
        mark = world.proxy.ledger.count(0)
        replies: list[Reply] = []
        thread = threading.Thread(target=lambda: replies.append(world.client.send(add("woken"), timeout=20)))
        thread.start()
        wait_until(lambda: world.proxy.ledger.count(0) > mark and world.proxy.ledger.since(0)[-1].firing is not None)
        world.proxy.heal()
        thread.join(timeout=15)
        assert replies == [added(1)]

    def test_bandwidth_takes_its_time(self, world: Bench) -> None:
        world.arm("bandwidth", bytes_per_second=20_000)
        _, entry = world.send(add("narrow"))
        assert entry.ended is not None
        assert entry.ended - entry.began >= (entry.received + entry.returned) / 20_000 * 0.9

    @pytest.mark.parametrize("name", ["slice-request", "slice-reply"])
    def test_slices_leave_one_by_one(self, world: Bench, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        sizes: list[int] = []
        write = Pipe.write
        monkeypatch.setattr(Pipe, "write", lambda self, data: (sizes.append(len(data)), write(self, data)))
        world.arm(name, size=7, pieces=3)
        reply, _ = world.send(add(name))
        assert reply == added(1)
        position = 0 if name == "slice-request" else 1
        assert sizes[position : position + 3] == [7, 7, 7]
        assert len(sizes) == 5

    def test_slow_close_keeps_a_connection_and_gives_it_back(self, world: Bench) -> None:
        client = HttpTransport(world.proxy.url())
        world.arm("slow-close", hold_ms=20_000)
        assert client.send(add("closing")) == added(1)
        held = world.proxy.proxy.connections
        client.close()
        assert world.proxy.proxy.connections == held
        world.proxy.heal()
        wait_until(lambda: world.proxy.proxy.connections < held)


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if true():
            return
        threading.Event().wait(0.002)
    raise AssertionError("it did not happen")


class canned:
    """A server that serves connections one after the other by a function of the socket."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with sock:
                self._answer(sock)


class TestDelivery:
    def test_late_and_in_order_of_later_requests(self, world: Bench) -> None:
        world.arm("delay-delivery", requests=2)
        world.watched.asked.clear()
        reply, entry = world.send(put("late", "first"))
        assert is_lost("closed")(reply)
        assert (entry.owed, entry.fate()) == (True, "info")
        world.send(put("late", "second"))
        assert world.deliveries("PutItem") == 1
        world.send(put("late", "third"))
        assert (world.deliveries("PutItem"), entry.owed) == (2, True)
        world.send(get("late"))
        assert (world.deliveries("PutItem"), entry.owed, entry.fate()) == (3, False, "ok")
        assert [call.operation for call in world.watched.asked] == ["PutItem", "PutItem", "PutItem", "GetItem"]
        assert world.watched.asked[2].body["Item"]["v"] == {"S": "first"}

    def test_heal_delivers_what_is_owed(self, world: Bench) -> None:
        world.arm("delay-delivery", requests=1000)
        _, entry = world.send(add("owed"))
        assert world.count("owed") == 0
        world.proxy.heal()
        assert (world.count("owed"), entry.fate()) == (1, "ok")
        world.proxy.heal()
        assert world.count("owed") == 1

    def test_a_repeated_token_takes_effect_once(self, world: Bench) -> None:
        update = {name: value for name, value in add("token").body.items() if name != "ReturnValues"}
        call = Call("TransactWriteItems", {"TransactItems": [{"Update": update}], "ClientRequestToken": "t-1"})
        world.arm("duplicate", parallel=0)
        _, entry = world.send(call)
        assert [d.status for d in entry.deliveries] == [200, 200]
        assert world.count("token") == 1

    def test_reorder_lets_another_client_go_first(self, world: Bench) -> None:
        world.watched.asked.clear()
        other = HttpTransport(world.proxy.url(client=1))
        world.proxy.arm(Schedule((Rule(FAULTS["reorder"], {"passes": 1, "limit_ms": 20_000}, client=0),)))
        mark = len(world.proxy.ledger)
        thread = threading.Thread(target=lambda: world.client.send(put("race", "held")))
        thread.start()
        wait_until(lambda: any(entry.firing is not None for entry in world.proxy.ledger.since(mark)))
        assert world.proxy.ledger.since(mark)[0].deliveries == []
        other.send(put("race", "first"))
        thread.join(timeout=15)
        world.proxy.heal()
        assert [call.body["Item"]["v"]["S"] for call in world.watched.asked] == ["first", "held"]
        other.close()


class TestPartialBatch:
    KEYS = "abcdefghij"

    def test_writes_just_what_it_does_not_give_back(self, world: Bench) -> None:
        writes = [{"PutRequest": {"Item": {"pk": {"S": f"batch-{key}"}}}} for key in self.KEYS]
        world.arm("partial-batch", keep=0.5)
        reply, entry = world.send(Call("BatchWriteItem", {"RequestItems": {"music": writes}}))
        assert isinstance(reply, Success)
        left = reply.body["UnprocessedItems"]["music"]
        assert 0 < len(left) < len(writes)
        assert entry.notes["unprocessed"] == {"music": left}
        for write in writes:
            key = write["PutRequest"]["Item"]["pk"]["S"]
            there = "Item" in world.direct.send(get(key)).body  # type: ignore[union-attr]
            assert there == (write not in left)

    def test_reads_just_what_it_does_not_give_back(self, world: Bench) -> None:
        for key in self.KEYS:
            world.direct.send(put(f"read-{key}"))
        keys = [{"pk": {"S": f"read-{key}"}} for key in self.KEYS]
        world.arm("partial-batch", keep=0)
        asked = {"music": {"Keys": keys, "ConsistentRead": True, "ProjectionExpression": "pk"}}
        reply, _ = world.send(Call("BatchGetItem", {"RequestItems": asked}))
        assert isinstance(reply, Success)
        assert reply.body["Responses"] == {"music": [keys[0]]}
        assert reply.body["UnprocessedKeys"] == {"music": {**asked["music"], "Keys": keys[1:]}}

    def test_a_batch_of_one_stays_whole(self, world: Bench) -> None:
        writes = [{"PutRequest": {"Item": {"pk": {"S": "alone"}}}}]
        world.arm("partial-batch", keep=0)
        reply, _ = world.send(Call("BatchWriteItem", {"RequestItems": {"music": writes}}))
        assert reply == Success({"UnprocessedItems": {}})


class TestSignatures:
    def test_what_is_changed_on_the_way_is_signed_anew(self) -> None:
        watched = Watched()
        watched.execute(Call("CreateTable", TABLE))
        secrets = {FAKE.access_key: FAKE.secret_key}
        with ThreadedServer(watched, credentials=secrets) as server, ThreadedProxy(server.url) as proxy:
            client = HttpTransport(proxy.url())
            writes = [{"PutRequest": {"Item": {"pk": {"S": key}}}} for key in "abcd"]
            proxy.arm(Schedule((Rule(FAULTS["partial-batch"], {"keep": 0}),)))
            reply = client.send(Call("BatchWriteItem", {"RequestItems": {"music": writes}}))
            assert isinstance(reply, Success)
            assert len(reply.body["UnprocessedItems"]["music"]) == 3
            proxy.arm(Schedule((Rule(FAULTS["clock-skew"], {"seconds": 60}),)))
            assert isinstance(client.send(put("a")), Success)
            for seconds in (-3600, 3600):
                proxy.arm(Schedule((Rule(FAULTS["clock-skew"], {"seconds": seconds}),)))
                mark = proxy.ledger.count(0)
                refused = client.send(put("skewed"))
                assert isinstance(refused, Refusal)
                assert refused.code == "InvalidSignatureException"
                assert proxy.settle(0, mark)[0].fate() == "fail"
            client.close()


class TestTransparency:
    def test_the_client_sees_the_targets_own_headers(self, world: Bench) -> None:
        raw = world.client.send_raw(get("a"))
        direct = world.direct.send_raw(get("a"))
        assert not isinstance(raw, Lost)
        assert not isinstance(direct, Lost)
        assert [name for name, _ in raw.headers] == [name for name, _ in direct.headers]
        assert raw.body == direct.body

    def test_what_is_no_http_is_passed_through(self, world: Bench) -> None:
        answers = []
        for url in (world.proxy.url(), world.direct.endpoint):
            with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=5) as sock:
                sock.sendall(b"this is no HTTP\r\n\r\n")
                answers.append(re.sub(rb"(Date|x-amzn-RequestId): [^\r]+", b"", sock.recv(65_536)))
        assert answers[0] == answers[1] != b""

    def test_a_large_request_and_answer_stream_through(self, world: Bench) -> None:
        text = "x" * 390_000
        reply, entry = world.send(put("large", text))
        assert reply == Success({})
        assert entry.received > 390_000
        reply, entry = world.send(get("large"))
        assert reply == Success({"Item": {"pk": {"S": "large"}, "v": {"S": text}}})
        assert entry.returned > 390_000

    def test_each_client_counts_for_itself(self, world: Bench) -> None:
        other = HttpTransport(world.proxy.url(client=7))
        before = world.proxy.ledger.count(0)
        other.send(get("a"))
        other.send(get("a"))
        assert (world.proxy.ledger.count(7), world.proxy.ledger.count(0)) == (2, before)
        assert [entry.id for entry in world.proxy.settle(7, 0)] == ["7.1", "7.2"]
        other.close()

    def test_a_target_that_is_down_gets_nothing(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with ThreadedProxy(f"http://127.0.0.1:{port}") as proxy:
            assert is_lost("closed", "reset")(HttpTransport(proxy.url()).send(put("a")))
            (entry,) = proxy.settle(0, 0)
        assert (entry.fate(), entry.deliveries) == ("fail", [])
        assert "unreachable" in entry.notes

    def test_goes_nowhere_but_where_it_may(self) -> None:
        with pytest.raises(TargetError, match="is not this machine"):
            ThreadedProxy("http://example.org")
        with pytest.raises(TargetError, match="AWS"):
            ThreadedProxy("https://dynamodb.us-east-1.amazonaws.com")
        with pytest.raises(TargetError, match="no endpoint"):
            ThreadedProxy("ftp://127.0.0.1")


def certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    secret.write_bytes(key.private_bytes(*form))
    return cert, secret


def test_reaches_a_target_over_tls(tmp_path: Path) -> None:
    cert, secret = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, secret)

    def answer(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as tls:
            while not tls.recv(65_536).endswith(b"}"):
                pass
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with canned(answer) as url:
        access = Access(ca_file=str(cert))
        with ThreadedProxy(url.replace("http:", "https:"), access=access) as proxy:
            assert HttpTransport(proxy.url()).send(get("a")) == Success({})


class TestProgram:
    """``dynoracle proxy`` by itself."""

    def test_serves_records_obeys_and_says_what_it_did(self, tmp_path: Path) -> None:
        schedule, record = tmp_path / "faults.toml", tmp_path / "record.jsonl"
        schedule.write_text("[[rule]]\nfault = 'drop-reply'\noperation = 'PutItem'\nnth = 1\n")
        with served() as (watched, target):
            watched.execute(Call("CreateTable", TABLE))
            command = [
                sys.executable,
                "-c",
                "from dynoracle import main; main()",
                "proxy",
                "--upstream",
                target.endpoint,
            ]
            command += ["--schedule", str(schedule), "--record", str(record), "--clients", "2"]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
            try:
                assert process.stdout is not None
                lines = [process.stdout.readline() for _ in range(3)]
                urls = [re.search(r"http://127\.0\.0\.1:\d+", line)[0] for line in lines]  # type: ignore[index]
                assert lines[1].startswith("client 1:")
                client = HttpTransport(urls[0])
                assert is_lost("closed")(client.send(put("a")))
                assert client.send(put("a", "2")) == Success({})
                assert ask(urls[2], "GET", "/")["counts"] == {"requests": 2, "drop-reply": 1}
                assert ask(urls[2], "PUT", "/schedule", "[[rule]]\nfault = 'x'")["error"].startswith("rule 1: no fault")
                assert ask(urls[2], "PUT", "/schedule", "[[rule]]\nfault = 'throttle'") == {"rules": 1}
                assert is_error(THROTTLED, 400)(client.send(put("a")))
                assert ask(urls[2], "POST", "/heal") == {}
                assert client.send(put("a")) == Success({})
                assert ask(urls[2], "GET", "/ledger?since=3")["request"] == "0.4"
                assert "error" in ask(urls[2], "GET", "/other")
                client.close()
                process.send_signal(signal.SIGINT)
                said, _ = process.communicate(timeout=10)
            finally:
                process.kill()
                process.wait()
        assert process.returncode == 0
        assert re.search(r"0\.1\s+PutItem\s+drop-reply", said)
        assert said.splitlines()[-1] == "4 requests: 1 drop-reply, 1 throttle"
        lines = [json.loads(line) for line in record.read_text().splitlines()]
        assert lines[0]["recorded"]["upstream"] == target.endpoint
        rows = [row for row in lines if row["kind"] == "request"]
        assert [(row["request"], row["fate"], "fault" in row) for row in rows] == [
            ("0.1", "ok", True), ("0.2", "ok", False), ("0.3", "fail", True), ("0.4", "ok", False),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("text", "says"),
        [("[[rule]]\nfault = 'flood'", "no fault is called"), ("[[rule]]\nfault = 'kill'", "is no fault of a proxy")],
    )
    def test_refuses_what_it_cannot_do(self, tmp_path: Path, text: str, says: str) -> None:
        from typer.testing import CliRunner

        from dynoracle import app

        (tmp_path / "faults.toml").write_text(text)
        command = ["proxy", "--upstream", "http://127.0.0.1:9", "--schedule", str(tmp_path / "faults.toml")]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 2
        assert says in result.output


def ask(control: str, method: str, path: str, body: str = "") -> dict[str, object]:
    connection = http.client.HTTPConnection(urlsplit(control).netloc, timeout=5)
    try:
        connection.request(method, path, body)
        found: dict[str, object] = json.loads(connection.getresponse().read())
        return found
    finally:
        connection.close()
