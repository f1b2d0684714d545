"""Without faults the proxy changes no byte, however the bytes are cut; and where messages end is found at any cut."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Sequence
from typing import cast

import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.faults import find
from chaos.proxy import Proxy
from chaos.proxy_http import Framer, body_of, rewritten
from chaos.schedule import Rule, Schedule

fixed = settings(deadline=None, max_examples=60, derandomize=True)

texts = st.binary(max_size=60)


def chunked(parts: Sequence[bytes]) -> bytes:
    framed = b"".join(b"%x;x=y\r\n%b\r\n" % (len(part), part) for part in parts if part)
    return framed + b"0\r\nTrailer: 1\r\n\r\n"


@st.composite
def messages(draw: st.DrawFn, *, response: bool) -> tuple[bytes, bytes]:
    """The bytes of one message, and its body."""
    parts = draw(st.lists(texts, max_size=3))
    body = b"".join(parts)
    ending = draw(st.sampled_from([b"\r\n", b"\n"]))
    if response:
        start = draw(st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.1 400 Bad Request", b"HTTP/1.1 500 "]))
    else:
        start = draw(st.sampled_from([b"POST / HTTP/1.1", b"GET /path?x=1 HTTP/1.1", b"PUT /%20 HTTP/1.1"]))
    lines = [
        start,
        b"Host: here",
        b"X-Amz-Target: DynamoDB_20120810." + draw(st.sampled_from([b"GetItem", b"PutItem"])),
    ]
    if draw(st.booleans()):
        framing, raw = b"Transfer-Encoding: chunked", chunked(parts)
    else:
        framing, raw = b"content-length:  %d" % len(body), body
    lines.insert(draw(st.integers(1, 3)), framing)
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" if response and draw(st.booleans()) else b""
    blank = b"\r\n" if not response and draw(st.booleans()) else b""
    return interim + blank + ending.join(lines) + ending * 2 + raw, body


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    inside = sorted({place % (len(data) + 1) for place in places})
    edges = [0, *inside, len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges) if a < b]


places = st.lists(st.integers(0, 10_000), max_size=12)


@fixed
@given(st.booleans().flatmap(lambda response: st.tuples(st.just(response), messages(response=response))), places, texts)
def test_finds_the_end_of_a_message_at_any_cut(
    case: tuple[bool, tuple[bytes, bytes]], where: list[int], more: bytes
) -> None:
    response, (raw, body) = case
    framer = Framer(response=response)
    taken = 0
    for piece in cut(raw + more, where):
        taken += framer.feed(piece)
    assert framer.complete
    assert not framer.blind
    assert taken == len(raw)
    assert body_of(framer, raw) == body


@fixed
@given(st.binary(max_size=200), places, st.booleans())
def test_any_bytes_are_framed_or_given_up(data: bytes, where: list[int], response: bool) -> None:
    whole, pieces = Framer(response=response), Framer(response=response)
    first = whole.feed(data)
    later = 0
    for piece in cut(data, where):
        later += pieces.feed(piece)
    assert first <= len(data)
    assert whole.complete == pieces.complete
    if whole.complete:
        assert first == later


@fixed
@given(st.binary(min_size=1, max_size=40).filter(lambda value: not re.search(rb"[\r\n]", value)))
def test_a_rewritten_head_keeps_all_other_lines(value: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: here\r\nX-One: 1\r\nx-two: 2\r\n\r\n"
    changed = rewritten(head, [(b"X-ONE", value), (b"X-Two", None), (b"X-Three", b"3")])
    assert changed == b"POST / HTTP/1.1\r\nHost: here\r\nX-ONE: " + value + b"\r\nX-Three: 3\r\n\r\n"


class Echo(asyncio.Protocol):
    """Keeps what it is sent, and answers each whole request with the next of the answers given, cut as told."""

    def __init__(self, answers: Sequence[bytes], where: Sequence[int], seen: bytearray) -> None:
        self._answers = list(answers)
        self._where = where
        self._seen = seen
        self._framer = Framer()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while data:
            data = data[self._framer.feed(data) :]
            if self._framer.complete:
                self._framer = Framer()
                for piece in cut(self._answers.pop(0), self._where):
                    self._transport.write(piece)


async def converse(
    requests: Sequence[bytes],
    answers: Sequence[bytes],
    up: Sequence[int],
    down: Sequence[int],
    schedule: Schedule | None,
) -> tuple[bytes, bytes]:
    """What the server got and what the client got, through the proxy."""
    seen = bytearray()
    server = await asyncio.get_running_loop().create_server(lambda: Echo(answers, down, seen), "127.0.0.1", 0)
    proxy = Proxy(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", schedule)
    reader, writer = await asyncio.open_connection("127.0.0.1", await proxy.listen())
    for piece in cut(b"".join(requests), up):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        got = await reader.readexactly(sum(map(len, answers)))
    writer.close()
    await proxy.stop()
    server.close()
    return bytes(seen), got


whole = st.lists(st.tuples(messages(response=False), messages(response=True)), min_size=1, max_size=3)
schedules = st.sampled_from(
    [None, Schedule(), Schedule((Rule(find("drop-reply"), table="no such table"),)),
     Schedule((Rule(find("latency"), {"request_ms": 0, "reply_ms": 0}),)),
     Schedule((Rule(find("slice-request"), {"size": 3}),)), Schedule((Rule(find("slice-reply"), {"size": 3}),))]
)  # fmt: skip


@fixed
@given(whole, places, places, schedules)
def test_no_byte_is_changed(
    exchanges: list[tuple[tuple[bytes, bytes], tuple[bytes, bytes]]],
    up: list[int],
    down: list[int],
    schedule: Schedule | None,
) -> None:
    """Requests may be pipelined; faults that are only slow change nothing either."""
    requests = [request for (request, _), _ in exchanges]
    answers = [answer for _, (answer, _) in exchanges]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        seen, got = runner.run(converse(requests, answers, up, down, schedule))
    assert seen == b"".join(requests)
    assert got == b"".join(answers)


@fixed
@given(st.binary(min_size=1, max_size=80), st.binary(max_size=80), places)
def test_what_is_no_http_passes_as_it_is(sent: bytes, answered: bytes, where: list[int]) -> None:
    """A first line that is no request's lets everything through, both ways, to the end of the connection."""
    sent = b"\x00" + sent + b"\n"

    async def talk() -> tuple[bytes, bytes]:
        seen = bytearray()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.extend(await reader.readexactly(len(sent)))
            writer.write(answered)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        proxy = Proxy(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", Schedule())
        reader, writer = await asyncio.open_connection("127.0.0.1", await proxy.listen())
        for piece in cut(sent, where):
            writer.write(piece)
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            got = await reader.read()
        writer.close()
        await proxy.stop()
        server.close()
        return bytes(seen), got

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(talk()) == (sent, answered)
