"""A proxy that understands requests, passes bytes on unchanged, and puts in the faults of a schedule.

Each client has a port of its own, so that its requests can be counted and found again in the ledger; nothing is added
to what it sends. It listens on loopback only.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import urlsplit

import uvloop

from chaos.faults import MAX_SECONDS
from chaos.proxy_faults import HANDLERS, Handler
from chaos.proxy_ledger import Entry, Ledger
from chaos.proxy_link import Link, Pipe, Request, Signal, fetch
from chaos.schedule import Firing, Plan, Schedule
from conformance.targets.signing import FAKE, Credentials
from conformance.targets.target import Access, permit

HOST = "127.0.0.1"
CONNECT_LIMIT = 5.0
"""Seconds for a connection to the target."""
LATE_LIMIT = 10.0
"""Seconds to wait for the answer to a request that is delivered late."""
STOP_LIMIT = 3.0
"""Seconds in which connections may end by themselves when the proxy stops."""

Made = TypeVar("Made")


class Hands(Protocol):
    """What strikes the target's process for the proxy; blocking, called in a thread."""

    def strike(self, firing: Firing) -> None:
        """Do what a firing of a process fault says."""
        ...

    def before(self, entry: Entry) -> None:
        """A request is about to be passed on: undo what has lasted its number of requests."""
        ...

    def busy(self) -> bool:
        """Whether anything is still to be undone."""
        ...

    def ends(self) -> int:
        """How often the process has ended so far."""
        ...

    def heal(self) -> None:
        """Undo everything, and wait until the target answers."""
        ...


@dataclass(frozen=True, slots=True)
class Owed:
    """A request that is to be delivered late: once its client's requests have come to ``due``."""

    entry: Entry
    request: Request
    due: int


class Proxy:
    """The proxy on the running event loop.

    ``upstream`` is ``http(s)://host[:port]``, which must be allowed by ``access``: TargetError if not.
    ``credentials`` sign requests that are changed on the way. ``hands`` are needed for faults of the process.
    ``watch`` is called with each entry when its fault is about to be put in, and again when it is done. With
    ``keeps_bodies`` entries hold what was asked.
    """

    handlers: Mapping[str, Handler] = HANDLERS

    def __init__(
        self,
        upstream: str,
        schedule: Schedule | None = None,
        *,
        access: Access | None = None,
        credentials: Credentials = FAKE,
        hands: Hands | None = None,
        watch: Callable[[str, Entry], None] = lambda event, entry: None,
        keeps_bodies: bool = False,
    ) -> None:
        access = access or Access()
        permit(upstream, access)
        parts = urlsplit(upstream)
        self.upstream = upstream
        self.credentials = credentials
        self.hands = hands
        self.watch = watch
        self.keeps_bodies = keeps_bodies
        self.ledger = Ledger()
        self.plan: Plan | None = Plan(schedule) if schedule is not None else None
        self.ports: dict[int, int] = {}
        self._host, self._port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = _tls(access) if parts.scheme == "https" else None
        self._servers: list[asyncio.Server] = []
        self._links: set[asyncio.Task[None]] = set()
        self._owed: list[Owed] = []
        self._answered = 0
        self._ticks: set[asyncio.Future[None]] = set()
        self._sleepers: set[asyncio.Future[None]] = set()

    # Listening.

    async def listen(self, client: int = 0, port: int = 0) -> int:
        """The port for a client's requests, opened when first asked for."""
        if client not in self.ports:
            loop = asyncio.get_running_loop()
            server = await loop.create_server(lambda: self._accept(client), HOST, port, backlog=256)
            self._servers.append(server)
            self.ports[client] = server.sockets[0].getsockname()[1]
        return self.ports[client]

    def _accept(self, client: int) -> Pipe:
        link = Link(self, client)
        task = asyncio.get_running_loop().create_task(link.serve())
        self._links.add(task)
        task.add_done_callback(self._forget)
        return link.client

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._links.discard(task)
        if not task.cancelled() and task.exception() is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a connection of the proxy failed", "exception": task.exception(), "task": task}
            )

    @property
    def connections(self) -> int:
        """How many clients' connections are open, those included whose end is held back."""
        return len(self._links)

    async def stop(self) -> None:
        """Heal, stop listening, and cut what is still open."""
        try:
            await self.heal()
        finally:
            for server in self._servers:
                server.close()
            tasks = list(self._links)
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks, timeout=STOP_LIMIT)

    # The schedule.

    def arm(self, schedule: Schedule | None) -> None:
        """Put in the faults of a schedule from now on, or none; the counts of clients' requests go on."""
        self.plan = Plan(schedule) if schedule is not None else None

    async def heal(self) -> None:
        """No more faults: wake what waits, deliver what is owed, mend the process. Twice does nothing."""
        self.plan = None
        for future in [*self._sleepers, *self._ticks]:
            if not future.done():
                future.set_result(None)
        try:
            if self.hands is not None and self.hands.busy():
                await asyncio.to_thread(self.hands.heal)
        finally:
            await self._pay(lambda owed: True)

    # What links ask for.

    async def open(self, signal: Signal) -> Pipe:
        """A new connection to the target; OSError when it can't be had."""
        loop = asyncio.get_running_loop()
        name = self._host if self._tls is not None else None
        opening = loop.create_connection(
            lambda: Pipe(signal), self._host, self._port, ssl=self._tls, server_hostname=name
        )
        try:
            _, pipe = await asyncio.wait_for(opening, CONNECT_LIMIT)
        except TimeoutError as error:
            raise OSError(f"{self._host}:{self._port} took no connection in {CONNECT_LIMIT:g} s") from error
        return pipe

    async def sleep(self, seconds: float) -> None:
        """Wait, or until ``heal``; for 0 or once healed, only for one turn of the loop."""
        if seconds <= 0 or self.plan is None:
            await asyncio.sleep(0)
            return
        await self._wait(self._sleepers, min(seconds, MAX_SECONDS))

    async def let_pass(self, count: int, limit: float) -> None:
        """Wait until so many other requests have been answered, at most ``limit`` seconds, or until ``heal``."""
        goal, deadline = self._answered + count, time.monotonic() + limit
        while self._answered < goal and self.plan is not None and time.monotonic() < deadline:
            await self._wait(self._ticks, deadline - time.monotonic())

    async def _wait(self, waiting: set[asyncio.Future[None]], seconds: float) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        waiting.add(future)
        timer = loop.call_later(max(seconds, 0.0), _resolve, future)
        try:
            await future
        finally:
            timer.cancel()
            waiting.discard(future)

    async def before(self, entry: Entry) -> None:
        """Whatever is due before this request: late deliveries of its client, the end of a process fault."""
        if self._owed:
            await self._pay(lambda owed: owed.entry.client == entry.client and owed.due < entry.ordinal)
        if self.hands is not None and self.hands.busy():
            await asyncio.to_thread(self.hands.before, entry)

    async def strike(self, firing: Firing) -> None:
        """Put in a fault of the process."""
        if self.hands is None:
            raise RuntimeError(f"{firing.fault.name} needs a process that was started here")
        await asyncio.to_thread(self.hands.strike, firing)

    def owe(self, entry: Entry, request: Request, due: int) -> None:
        """Deliver a request late."""
        entry.owed = True
        self._owed.append(Owed(entry, request, due))

    async def _pay(self, is_due: Callable[[Owed], bool]) -> None:
        due = [owed for owed in self._owed if is_due(owed)]
        self._owed = [owed for owed in self._owed if owed not in due]
        for owed in due:
            try:
                pipe = await self.open(Signal())
                try:
                    await asyncio.wait_for(fetch(pipe, owed.entry, owed.request), LATE_LIMIT)
                finally:
                    pipe.close()
            except OSError as error:
                owed.entry.notes["late"] = str(error) or "no answer in time"
            finally:
                owed.entry.owed = False
                self.watch("late", owed.entry)

    def fired(self, entry: Entry) -> None:
        """A fault is about to be put into a request."""
        self.watch("fault", entry)

    def finished(self, entry: Entry) -> None:
        """A request is done with."""
        self._answered += 1
        for future in list(self._ticks):
            _resolve(future)
        self.watch("done", entry)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _tls(access: Access) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=access.ca_file)
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class ThreadedProxy:
    """A proxy on a thread and event loop of its own, for clients that block; takes what ``Proxy`` takes.

    Leaving the ``with`` heals.
    """

    def __init__(self, upstream: str, schedule: Schedule | None = None, **options: Any) -> None:
        self.proxy = Proxy(upstream, schedule, **options)
        self._loop: asyncio.AbstractEventLoop
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dynoracle-proxy", daemon=True)

    @property
    def ledger(self) -> Ledger:
        """What was done with each request so far."""
        return self.proxy.ledger

    def url(self, client: int = 0) -> str:
        """Where a client sends its requests: a port of its own."""
        return f"http://{HOST}:{self._call(self.proxy.listen(client))}"

    def arm(self, schedule: Schedule | None) -> None:
        """Put in the faults of a schedule from now on, or none."""

        async def arm() -> None:
            self.proxy.arm(schedule)

        self._call(arm())

    def restart(self, client: int = 0) -> None:
        """Count a client's requests from 1 again."""
        self.ledger.restart(client)

    def ends(self) -> int:
        """How often the target's process has ended so far; 0 where it is not ours."""
        return self.proxy.hands.ends() if self.proxy.hands is not None else 0

    def heal(self) -> None:
        """No more faults; what waits goes on, what is owed is delivered. Twice does nothing."""
        self._call(self.proxy.heal())

    def settle(self, client: int, mark: int, timeout: float = 10.0) -> list[Entry]:
        """A client's requests from number ``mark`` + 1 on, once the proxy is done with them or the time is over."""
        deadline = time.monotonic() + timeout

        async def entries() -> list[Entry]:
            found = [entry for n in range(mark + 1, self.ledger.count(client) + 1) if (entry := self._entry(client, n))]
            while not all(entry.done for entry in found) and time.monotonic() < deadline:
                await asyncio.sleep(0.002)
            return found

        return self._call(entries())

    def _entry(self, client: int, ordinal: int) -> Entry | None:
        return self.ledger.of(client, ordinal)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._call(self.proxy.stop())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _call(self, work: Coroutine[Any, Any, Made]) -> Made:
        future: concurrent.futures.Future[Made] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result()

    def _run(self) -> None:
        self._loop = uvloop.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._loop.call_soon(self._ready.set)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()
