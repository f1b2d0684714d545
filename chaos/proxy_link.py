"""One client's connection through the proxy, and the target's connection that belongs to it."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from typing import TYPE_CHECKING, cast

from chaos.proxy_http import Framer, operation_of, parse_json
from chaos.proxy_http import body_of as body_bytes
from chaos.proxy_ledger import KEPT_BYTES, Delivery, Entry
from chaos.schedule import Asked
from reference.api import Json

if TYPE_CHECKING:
    from chaos.proxy import Proxy

HIGH_WATER = 1024 * 1024
"""Bytes of one direction that wait in the proxy before it stops reading."""
REQUEST_LIMIT = 64 * 1024 * 1024
"""The longest request that is collected for a fault."""


class Ended(Exception):
    """The connection is over, and nothing more is to be done on it."""


class Signal:
    """Wakes the one task that waits for bytes."""

    __slots__ = ("_waiter", "_woken")

    def __init__(self) -> None:
        self._waiter: asyncio.Future[None] | None = None
        self._woken = False

    def wake(self) -> None:
        """Something has changed."""
        self._woken = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> None:
        """Until something changes; at once if it has since the last wait."""
        if not self._woken:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._woken = False


class Pipe(asyncio.Protocol):
    """One socket: what has come waits in ``buffer``; reading stops while too much waits."""

    def __init__(self, signal: Signal) -> None:
        self.signal = signal
        self.buffer = bytearray()
        self.eof = False
        self.gone = False
        self.full = False
        self._paused = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self._transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self.buffer += data
        if len(self.buffer) > HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self.signal.wake()

    def eof_received(self) -> bool:
        """The other side sends no more; ours stays open."""
        self.eof = True
        self.signal.wake()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, both ways."""
        self.eof = self.gone = True
        self.full = False
        self.signal.wake()

    def pause_writing(self) -> None:
        """The other side is slow to take what was sent."""
        self.full = True

    def resume_writing(self) -> None:
        """The other side has caught up."""
        self.full = False
        self.signal.wake()

    def take(self, size: int) -> bytes:
        """The first bytes that wait."""
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        if self._paused and len(self.buffer) <= HIGH_WATER // 2 and self._transport is not None and not self.gone:
            self._paused = False
            self._transport.resume_reading()
        return data

    def write(self, data: bytes) -> None:
        """Send bytes, as far as the other side still takes any."""
        if self._transport is not None and not self.gone:
            self._transport.write(data)

    async def drain(self) -> None:
        """Until the other side has taken most of what was sent."""
        while self.full and not self.gone:
            await self.signal.wait()

    def end(self) -> None:
        """No more bytes will be sent; what was sent still arrives."""
        if self._transport is not None and not self.gone and not self._transport.is_closing():
            try:
                if self._transport.can_write_eof():
                    self._transport.write_eof()
                else:
                    self._transport.close()
            except (OSError, RuntimeError):
                self._transport.abort()

    def close(self) -> None:
        """End the connection once everything sent has left."""
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        """Cut the connection so that the other side sees a reset."""
        if self._transport is None or self.gone:
            return
        sock = self._transport.get_extra_info("socket")
        # uvloop's stand-in takes no SO_LINGER, but the option belongs to the socket, whichever descriptor sets it.
        twin = socket.socket(fileno=os.dup(sock.fileno()))
        with twin:
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


class Request:
    """A request that was read whole: its bytes, where they are framed, and its JSON."""

    def __init__(self, framer: Framer, raw: bytes) -> None:
        self.framer = framer
        self.raw = raw
        self.body = body_bytes(framer, raw)

    @property
    def json(self) -> Json:
        """The body as JSON, or None."""
        return cast(Json, parse_json(self.body))

    @property
    def head_only(self) -> bool:
        """Whether the answer to it has no body."""
        return self.framer.method == b"HEAD"


class Link:
    """Serves one client's connection: one exchange after the other, each passed through or met by a fault."""

    def __init__(self, proxy: Proxy, client: int) -> None:
        self.proxy = proxy
        self.number = client
        self.signal = Signal()
        self.client = Pipe(self.signal)
        self.upstream: Pipe | None = None
        self.hold_close = 0.0

    async def serve(self) -> None:
        """Until one side ends the connection."""
        try:
            while await self._next_request():
                entry = self.proxy.ledger.begin(self.number)
                try:
                    await self._exchange(entry)
                finally:
                    entry.done = True
                    entry.ended = time.monotonic()
                    self.proxy.finished(entry)
        except Ended:
            pass
        finally:
            self.client.close()
            if self.upstream is not None:
                if self.hold_close:
                    await self.proxy.sleep(self.hold_close)
                self.upstream.close()

    async def _next_request(self) -> bool:
        """Wait for the first byte of a request; false when the connection ends before it."""
        while not self.client.buffer:
            if self.client.eof or (self.upstream is not None and (self.upstream.eof or self.upstream.buffer)):
                if self.upstream is not None and self.upstream.buffer:
                    await self._tunnel()
                return False
            await self.signal.wait()
        return True

    async def _exchange(self, entry: Entry) -> None:
        framer = Framer()
        raw = bytearray()
        firing = None
        while True:
            raw += self.client.take(framer.feed(self.client.buffer))
            entry.received = len(raw)
            if framer.head or framer.blind or self.client.eof:
                break
            await self.signal.wait()
        entry.complete = framer.complete
        plan = self.proxy.plan
        if framer.head and not framer.blind:
            entry.operation = operation_of(framer)
            asked = Asked(self.number, entry.ordinal, entry.operation)
            if self.proxy.keeps_bodies:
                await self.collect(framer, raw, entry)
                entry.body = Request(framer, bytes(raw)).json if framer.complete else None
            if plan is not None and plan.schedule.needs_body(entry.operation):
                await self.collect(framer, raw, entry)
                if framer.complete:
                    asked = Asked(*(asked.client, asked.ordinal, asked.operation), Request(framer, bytes(raw)).json)
            if plan is not None and plan is self.proxy.plan:
                firing = plan.pick(asked)
        await self.proxy.before(entry)
        if firing is None:
            await self._relay(entry, framer, bytes(raw))
            return
        entry.firing = firing
        await self.collect(framer, raw, entry)
        if not framer.complete:
            await self._relay(entry, framer, bytes(raw))
            return
        self.proxy.fired(entry)
        await self.proxy.handlers[firing.fault.name](self, entry, Request(framer, bytes(raw)), firing)

    async def collect(self, framer: Framer, raw: bytearray, entry: Entry) -> None:
        """Read a request to its end, or as far as the client sends it."""
        if framer.headers.get(b"expect", b"").lower() == b"100-continue" and not framer.complete:
            self.client.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not (framer.complete or framer.blind or self.client.eof) and len(raw) < REQUEST_LIMIT:
            if self.client.buffer:
                raw += self.client.take(framer.feed(self.client.buffer))
                continue
            await self.signal.wait()
        entry.received = len(raw)
        entry.complete = framer.complete

    # Without a fault.

    async def _relay(self, entry: Entry, request: Framer, early: bytes) -> None:
        """Pass one exchange through as its bytes come."""
        upstream = await self.connect(entry)
        delivery = Delivery(time.monotonic())
        entry.deliveries.append(delivery)
        upstream.write(early)
        reply = Framer(response=True, bodiless=request.method == b"HEAD")
        kept: bytearray | None = bytearray()
        ended = False
        while not (reply.complete and request.complete):
            self._pass_request(request, entry, delivery, len(early))
            delivery.whole = entry.complete = request.complete
            if upstream.buffer and not self.client.full:
                data = upstream.take(reply.feed(upstream.buffer))
                kept = _keep(kept, data)
                if reply.complete:
                    delivery.note(reply, None if kept is None else bytes(kept))
                entry.returned += len(data)
                self.client.write(data)
                continue
            if request.blind or reply.blind:
                await self._tunnel()
                raise Ended
            if upstream.eof and not upstream.buffer:
                if reply.end():
                    delivery.note(reply, None if kept is None else bytes(kept))
                raise Ended
            if self.client.eof and not self.client.buffer and not ended:
                ended = True
                upstream.end()
            await self.signal.wait()

    def _pass_request(self, request: Framer, entry: Entry, delivery: Delivery, early: int) -> None:
        upstream = self.upstream
        assert upstream is not None
        if self.client.buffer and not (request.complete or request.blind or upstream.full):
            data = self.client.take(request.feed(self.client.buffer))
            entry.received += len(data)
            upstream.write(data)
        delivery.size = delivery.sent = entry.received

    async def _tunnel(self) -> None:
        """Pass on whatever comes, both ways, until both sides have ended."""
        upstream = self.upstream
        assert upstream is not None
        ends = {"client": False, "upstream": False}
        while not all(ends.values()):
            for name, source, sink in (("client", self.client, upstream), ("upstream", upstream, self.client)):
                if source.buffer and not sink.full:
                    sink.write(source.take(len(source.buffer)))
                if source.eof and not source.buffer and not ends[name]:
                    ends[name] = True
                    sink.end()
            if upstream.eof and not upstream.buffer:
                return
            if not all(ends.values()):
                await self.signal.wait()

    # What faults are made of.

    async def connect(self, entry: Entry) -> Pipe:
        """The target's connection of this client; ends the client's where the target can't be reached."""
        if self.upstream is None or self.upstream.eof:
            if self.upstream is not None:
                self.upstream.close()
            self.upstream = None
            try:
                self.upstream = await self.proxy.open(self.signal)
            except OSError as error:
                entry.notes["unreachable"] = str(error)
                raise Ended from error
        return self.upstream

    async def deliver(self, entry: Entry, request: Request, raw: bytes | None = None) -> tuple[Delivery, bytes | None]:
        """Send a request and read the whole answer; None where none came."""
        upstream = await self.connect(entry)
        delivery, answer = await fetch(upstream, entry, request, raw)
        if answer is None or not keeps_alive(answer):
            # The client may not be told so, and go on; then there must be another connection for it.
            upstream.close()
            self.upstream = None
        return delivery, answer

    def answer(self, entry: Entry, raw: bytes) -> None:
        """Send an answer, or a part of one, to the client."""
        entry.returned += len(raw)
        self.client.write(raw)


def _keep(kept: bytearray | None, data: bytes) -> bytearray | None:
    if kept is None or len(kept) + len(data) > KEPT_BYTES:
        return None
    kept += data
    return kept


async def fetch(
    upstream: Pipe, entry: Entry, request: Request, raw: bytes | None = None
) -> tuple[Delivery, bytes | None]:
    """Send a request (or other bytes of it) on a connection and read the whole answer; None where none came."""
    delivery = Delivery(time.monotonic())
    entry.deliveries.append(delivery)
    sent = request.raw if raw is None else raw
    delivery.size = delivery.sent = len(sent)
    delivery.whole = True
    upstream.write(sent)
    return delivery, await read_answer(upstream, delivery, request)


def keeps_alive(answer: bytes) -> bool:
    """Whether an answer lets its connection be used again."""
    framer = Framer(response=True)
    framer.feed(answer)
    return framer.keeps_alive()


async def read_answer(upstream: Pipe, delivery: Delivery, request: Request) -> bytes | None:
    """The whole answer to a request that was sent; None where none came."""
    reply = Framer(response=True, bodiless=request.head_only)
    got = bytearray()
    while not (reply.complete or reply.blind):
        if upstream.buffer:
            got += upstream.take(reply.feed(upstream.buffer))
        elif upstream.eof:
            if not reply.end():
                return None
        else:
            await upstream.signal.wait()
    if reply.blind:
        return None
    delivery.note(reply, bytes(got))
    return bytes(got)
