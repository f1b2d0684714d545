"""However a request's bytes are cut, and whatever bytes come: the same answers, and always an end."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Collection, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.api import Call, Reply, Success
from reference.server import Server, _Connection

fixed = settings(deadline=None, max_examples=100, derandomize=True)


class Echo:
    def operations(self) -> Collection[str]:
        return ("ListTables",)

    def execute(self, call: Call) -> Reply:
        return Success(call.body)


class Wire:
    """A transport without a network."""

    def __init__(self) -> None:
        self.sent = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.sent += data

    def write_eof(self) -> None:
        self.closed = True

    close = abort = write_eof

    def is_closing(self) -> bool:
        return self.closed


def converse(parts: Sequence[bytes]) -> tuple[bytes, bool]:
    """What a server answers to these pieces, without dates, and whether it closed before the client did."""

    async def talk() -> tuple[bytes, bool]:
        wire: Any = Wire()
        connection = _Connection(Server(Echo()))
        connection.connection_made(wire)
        for part in parts:
            connection.data_received(part)
        closed = wire.closed
        connection.eof_received()
        connection.connection_lost(None)
        return re.sub(rb"Date: [^\r]+", b"", wire.sent), closed

    return asyncio.run(talk())


def cut(data: bytes, places: Collection[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges) if start < end]


SIGNED = (
    b"X-Amz-Target: DynamoDB_20120810.ListTables\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Date: x\r\n"
    b"Authorization: AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c\r\n"
)
REQUESTS = {
    "plain": b"POST / HTTP/1.1\r\n" + SIGNED + b'Content-Length: 7\r\n\r\n{"a":1}',
    "chunked": b"POST /?q HTTP/1.1\r\n"
    + SIGNED
    + b'Transfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n',
    "waiting": b"POST / HTTP/1.1\r\n" + SIGNED + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    "upgrade": b"POST / HTTP/1.1\r\n" + SIGNED + b"Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\n{}",
    "not json": b"POST / HTTP/1.1\r\n" + SIGNED + b"Content-Length: 3\r\n\r\n{}}",
    "health": b"GET / HTTP/1.1\r\nOrigin: x\r\n\r\n",
    "head": b"HEAD / HTTP/1.1\r\n\r\n",
    "method": b"DELETE / HTTP/1.1\r\n\r\n",
    "long head": b"GET / HTTP/1.1\r\nX: " + b"x" * 17_000 + b"\r\n\r\n",
    "long url": b"GET /" + b"x" * 17_000 + b" HTTP/1.1\r\n\r\n",
    "too large": b"POST / HTTP/1.1\r\nContent-Length: 16777217\r\nExpect: 100-continue\r\n\r\n",
    "upgrade too large": b"POST / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 16777217\r\n\r\n",
    "last": b"POST / HTTP/1.1\r\n" + SIGNED + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}",
    "broken": b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
}


@fixed
@given(st.data())
def test_cuts_do_not_matter(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(REQUESTS)), min_size=1, max_size=4))
    whole = b"".join(REQUESTS[name] for name in names)
    places = data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=40))
    assert converse(cut(whole, places)) == converse([whole])


def test_an_upgrade_with_a_too_large_body_is_refused_once() -> None:
    answers, _ = converse([REQUESTS["upgrade too large"]])
    assert re.findall(rb"HTTP/1\.1 (\d+) ", answers) == [b"413"]


def test_one_byte_at_a_time() -> None:
    for name in ("plain", "chunked", "waiting", "upgrade", "long head", "broken"):
        whole = REQUESTS[name] + REQUESTS["last"]
        assert converse([bytes([byte]) for byte in whole]) == converse([whole]), name


@fixed
@given(st.data())
def test_a_damaged_request_never_fails_the_server(data: st.DataObject) -> None:
    whole = bytearray(REQUESTS[data.draw(st.sampled_from(["plain", "chunked", "upgrade", "health"]))])
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=5)):
        whole[place] = data.draw(st.integers(0, 255))
    answers, _ = converse([bytes(whole)])
    statuses = re.findall(rb"HTTP/1\.1 (\d+) ", answers)
    assert statuses
    assert set(statuses) <= {b"200", b"400", b"404", b"413"}


@fixed
@given(st.binary(max_size=200))
def test_any_bytes_are_answered_or_ignored(data: bytes) -> None:
    answers, _ = converse([data])
    assert set(re.findall(rb"HTTP/1\.1 (\d+) ", answers)) <= {b"200", b"400", b"404"}
