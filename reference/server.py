"""The reference on a socket: HTTP/1.1 with keep-alive and pipelining, one request at a time in order of arrival.

Rule wire.connection says what is kept of HTTP where AWS's own behaviour is not known.
This is the one module of the package that uses sockets, threads and the wall clock.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import email.utils
import gc
import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, cast

import httptools
import uvloop

from reference.answering import Answering, Routing
from reference.api import Lost, Refusal, Success
from reference.rules import surface, violation
from reference.signature import Request
from reference.wire import MAX_BODY_BYTES, MAX_HEAD_BYTES, Answer, FrontDoor, Page, request_id, serialize

MAX_CONNECTIONS = 2048
"""Open connections; one more is answered 503 and closed."""
BACKLOG = 512
"""Connections the kernel holds until they are accepted."""
LARGE_BODY_BYTES = 64 * 1024
"""Requests with bodies of this size and more, or packed ones, are answered with the garbage collector stopped."""
WRITE_BATCH_BYTES = 64 * 1024
"""Answers to pipelined requests are written together up to about this size."""
MAX_DRAIN_BYTES = 64 * 1024 * 1024
"""How much of a too large body is read and thrown away, so that its sender gets to read the 413."""
LINGER_SECONDS = 1.0
"""How long a connection stays half open after an answer that ends it before its request was read to the end."""
STOP_SECONDS = 5.0
"""How long ``stop`` waits for answers to be sent before it cuts connections."""

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_NOBODY = Request(b"POST", b"/", {})
_log = logging.getLogger(__name__)


class WallClock:
    """The machine's clock: the only place where the reference looks at one."""

    __slots__ = ()

    def now(self) -> float:
        """The present moment, epoch seconds."""
        return time.time()


class Server:
    """Serves one service on one address, or several where a ``router`` chooses among them.

    ``port`` 0 takes a free one. ``credentials`` maps access key ids to secrets; without them a signature must be there
    but may be any. ``seed`` fixes the request ids: the n-th request of a run always gets the same one. ``pages`` are
    what GET answers by path.
    """

    def __init__(
        self,
        service: Answering,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        credentials: Mapping[str, str] | None = None,
        region: str = "us-east-1",
        seed: int = 0,
        router: Routing | None = None,
        pages: Mapping[bytes, Page] | None = None,
    ) -> None:
        self.service = service
        self.host = host
        self.port = port
        self.connections: set[_Connection] = set()
        self._door = FrontDoor(service.operations(), region=region, credentials=credentials, pages=pages)
        self._router = router
        self._credentials = credentials
        self._doors = {region: self._door}
        self._seed = seed
        self._ordinal = 0
        self._second = -1
        self._date = b""
        self._listener: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The endpoint's address; right once the server has started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def start(self) -> int:
        """Listen on the running event loop and return the port; OSError when the address can't be had."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: _Connection(self), self.host, self.port, backlog=BACKLOG)
        port: int = self._listener.sockets[0].getsockname()[1]
        self.port = port
        return port

    async def stop(self) -> None:
        """Stop listening, send what is answered, close every connection. Stopping twice does nothing."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.close()
        closing = [connection.finish() for connection in self.connections]
        if closing:
            await asyncio.wait(closing, timeout=STOP_SECONDS)
        for connection in list(self.connections):
            connection.abort()
        await listener.wait_closed()

    def respond(self, request: Request, *, keep_alive: bool) -> bytes | None:
        """The bytes that answer a request; None when the service wants its answer lost."""
        now = time.time()
        try:
            if len(request.body) < LARGE_BODY_BYTES and b"content-encoding" not in request.headers:
                answer = self._answer(request, now)
            else:
                answer = self._answer_large(request, now)
        except Exception:
            _log.exception("%s failed", request.headers.get(b"x-amz-target", b"a request").decode("latin-1"))
            answer = self._door.refuse(request, violation("wire.internal-error").refusal(surface("")))
        if answer is None:
            return None
        return self.complete(answer, keep_alive=keep_alive, head=request.method == b"HEAD", now=now)

    def complete(self, answer: Answer, *, keep_alive: bool, head: bool = False, now: float | None = None) -> bytes:
        """An answer's bytes with the next request id and the date of ``now`` (epoch seconds)."""
        second = int(time.time() if now is None else now)
        if second != self._second:
            self._second, self._date = second, email.utils.formatdate(second, usegmt=True).encode()
        self._ordinal += 1
        return serialize(answer, request_id(self._seed, self._ordinal), self._date, keep_alive=keep_alive, head=head)

    def refuse(self, rule: str, request: Request = _NOBODY) -> Answer:
        """The answer to a request that breaks a rule of HTTP itself."""
        return self._door.refuse(request, violation(rule).refusal(surface("")))

    def _answer_large(self, request: Request, now: float) -> Answer | None:
        """As ``_answer``, with the garbage collector stopped.

        While a large body is read the collector would walk all of it again and again, though none of it is garbage:
        that is most of the time that millions of small parts take.
        """
        if not gc.isenabled():
            return self._answer(request, now)
        gc.disable()
        try:
            return self._answer(request, now)
        finally:
            gc.enable()

    def _answer(self, request: Request, now: float) -> Answer | None:
        if self._router is None:
            return self._ask(self._door, self.service, request, now)
        way = self._router.route(request)
        if isinstance(way, Answer):
            return way
        door = self._doors.get(way.region)
        if door is None:
            door = FrontDoor(way.service.operations(), region=way.region, credentials=self._credentials)
            self._doors[way.region] = door
        return self._ask(door, way.service, request, now)

    def _ask(self, door: FrontDoor, service: Answering, request: Request, now: float) -> Answer | None:
        call = door.receive(request, now)
        if isinstance(call, Answer):
            return call
        match service.execute(call):
            case Success() as reply:
                return door.succeed(request, reply)
            case Refusal() as refusal:
                return door.refuse(request, refusal, call.operation)
            case Lost():
                return None


class _Connection(asyncio.Protocol):
    """One client's connection: reads requests, has them answered in order, writes the answers.

    What is read waits in ``_pending`` until it can be answered: requests, or answers and bytes that are already known,
    each with whether the connection lives on. Nothing is executed while the client is slow to take its answers.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._lost: asyncio.Future[None]
        self._pending: deque[tuple[Request | Answer | bytes, bool]] = deque()
        self._paused = self._ending = self._eof = False
        # Bytes read since the parser last made progress, and bytes thrown away.
        self._stuck = self._drained = 0
        self.on_message_begin()
        self._between = True

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._lost = asyncio.get_running_loop().create_future()
        full = len(self._server.connections) >= MAX_CONNECTIONS
        self._server.connections.add(self)
        if full:
            self._end(Answer(503))
            self._work()

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._pending.clear()
        if not self._lost.done():
            self._lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._ending:
            self._drain(len(data))
            return
        self._stuck += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._end(self._server.refuse("wire.malformed-http"))
        if self._stuck > 2 * MAX_HEAD_BYTES:
            self._end(self._server.refuse("wire.head-size"))
        self._work()

    def eof_received(self) -> bool:
        self._eof = True
        if not (self._between or self._ending or self._refused):
            self._end(self._server.refuse("wire.malformed-http"))
            self._work()
        # Otherwise the transport closes itself once everything is written.
        return bool(self._pending)

    def pause_writing(self) -> None:
        self._paused = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._paused = False
        self._work()
        if not self._paused and not self._transport.is_closing():
            self._transport.resume_reading()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._between = self._in_body = self._refused = False
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._repeated: list[tuple[bytes, bytes]] = []
        self._head_size = self._body_size = self._stuck = 0
        self._body: list[bytes] = []

    def on_url(self, part: bytes) -> None:
        self._stuck = 0
        self._url += part
        if len(self._url) > MAX_HEAD_BYTES:
            self._end(self._server.refuse("wire.head-size"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._stuck = 0
        self._head_size += len(name) + len(value) + 4
        if self._head_size > MAX_HEAD_BYTES:
            self._end(self._server.refuse("wire.head-size"))
        if self._in_body:
            return
        name = name.lower()
        if name in self._headers:
            self._repeated.append((name, value))
        else:
            self._headers[name] = value

    def on_headers_complete(self) -> None:
        self._in_body = True
        if self._upgrades():
            return
        if len(self._parser.get_method()) + len(self._url) + len(" HTTP/1.1 ") > MAX_HEAD_BYTES:
            self._end(self._server.refuse("wire.head-size"))
        waits = self._headers.get(b"expect", b"").lower() == b"100-continue"
        if int(self._headers.get(b"content-length", b"0")) > MAX_BODY_BYTES:
            self._refuse_body(ends=waits)
        elif waits and not self._ending:
            self._pending.append((_CONTINUE, True))

    def on_body(self, part: bytes) -> None:
        self._stuck = 0
        self._body_size += len(part)
        if self._refused:
            self._drain(len(part))
        elif self._body_size > MAX_BODY_BYTES:
            self._refuse_body(ends=False)
        else:
            self._body.append(part)

    def on_message_complete(self) -> None:
        self._between = True
        self._drained = 0
        if self._refused or self._ending or self._upgrades():
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        request = Request(self._parser.get_method(), self._url, self._headers, body, tuple(self._repeated))
        self._pending.append((request, self._parser.should_keep_alive()))

    # What both lead to.

    def _feed(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                self._parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]
                self._read_without_upgrade()

    def _read_without_upgrade(self) -> None:
        """Read a request's head again as if it had asked for no other protocol, since none is spoken here."""
        method, url, again = self._parser.get_method(), self._url, self._upgrades()
        kept = [line for line in (*self._headers.items(), *self._repeated) if line[0] != b"upgrade"]
        self._parser = httptools.HttpRequestParser(self)
        if again:
            head = b"".join(b"%b: %b\r\n" % line for line in kept)
            self._parser.feed_data(b"%b %b HTTP/1.1\r\n%b\r\n" % (method, url, head))

    def _upgrades(self) -> bool:
        return b"upgrade" in self._headers and self._parser.get_method() != b"CONNECT" and self._parser.should_upgrade()

    def _refuse_body(self, *, ends: bool) -> None:
        self._refused = True
        self._body.clear()
        answer = self._server.refuse("wire.body-size")
        if ends:
            self._end(answer)
        elif not self._ending:
            self._pending.append((answer, True))

    def _end(self, answer: Answer) -> None:
        """Let this be the last answer; what else the client sends is thrown away."""
        if not self._ending:
            self._ending = True
            self._pending.append((answer, False))

    def _drain(self, size: int) -> None:
        self._drained += size
        if self._drained > MAX_DRAIN_BYTES:
            self._transport.abort()

    def _work(self) -> None:
        """Answer what waits, in order, and write the answers in batches."""
        batch: list[bytes] = []
        size = 0
        while self._pending and not self._paused:
            what, keep_alive = self._pending.popleft()
            data = self._answer(what, keep_alive=keep_alive)
            if data is not None:
                batch.append(data)
                size += len(data)
            if data is None or not keep_alive:
                self._close(b"".join(batch))
                return
            if size > WRITE_BATCH_BYTES:
                self._transport.write(b"".join(batch))
                batch, size = [], 0
        if batch:
            self._transport.write(batch[0] if len(batch) == 1 else b"".join(batch))
        if self._eof and not self._pending:
            self._transport.close()

    def _answer(self, what: Request | Answer | bytes, *, keep_alive: bool) -> bytes | None:
        if isinstance(what, Request):
            return self._server.respond(what, keep_alive=keep_alive)
        return what if isinstance(what, bytes) else self._server.complete(what, keep_alive=keep_alive)

    def _close(self, last: bytes) -> None:
        self._pending.clear()
        if last:
            self._transport.write(last)
        if not self._ending or self._eof:
            self._transport.close()
            return
        # Closing with unread bytes would reset the connection, and the client might lose its answer.
        self._transport.write_eof()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self._transport.close)

    def finish(self) -> asyncio.Future[None]:
        """Close once everything is written; the future is done when the connection is gone."""
        self._transport.close()
        return self._lost

    def abort(self) -> None:
        """Cut the connection, written or not."""
        self._transport.abort()


def serve_forever(
    service: Answering,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    credentials: Mapping[str, str] | None = None,
    region: str = "us-east-1",
    seed: int = 0,
    router: Routing | None = None,
    pages: Mapping[bytes, Page] | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then stop cleanly; for the main thread.

    ``ready`` is called with the server's address once it listens. OSError when the address can't be had.
    """

    async def serve() -> None:
        server = Server(
            service, host, port, credentials=credentials, region=region, seed=seed, router=router, pages=pages
        )
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await server.start()
        if ready is not None:
            ready(server.url)
        await stopping.wait()
        await server.stop()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())


class ThreadedServer:
    """A server on a thread and event loop of its own, started and stopped by ``with``; takes what ``Server`` takes."""

    def __init__(
        self,
        service: Answering,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        credentials: Mapping[str, str] | None = None,
        region: str = "us-east-1",
        seed: int = 0,
        router: Routing | None = None,
        pages: Mapping[bytes, Page] | None = None,
    ) -> None:
        self._server = Server(
            service, host, port, credentials=credentials, region=region, seed=seed, router=router, pages=pages
        )
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=self._run, name="dynamodb-reference", daemon=True)
        self._started: concurrent.futures.Future[int] = concurrent.futures.Future()

    @property
    def url(self) -> str:
        """The endpoint's address."""
        return self._server.url

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        self._loop = uvloop.new_event_loop()
        try:
            try:
                port = self._loop.run_until_complete(self._server.start())
            except Exception as error:
                self._started.set_exception(error)
                return
            self._started.set_result(port)
            self._loop.run_forever()
            self._loop.run_until_complete(self._server.stop())
        finally:
            self._loop.close()
