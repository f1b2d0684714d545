"""Ways to put a call to a target; the one over HTTP sends each request once and never twice."""

from __future__ import annotations

import functools
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import urlsplit

import httptools

from conformance.targets.raw import (
    RawReply,
    RawRequest,
    Service,
    address,
    call_headers,
    encode,
    merge_headers,
    parse_reply,
)
from conformance.targets.signing import FAKE, Credentials, amz_date, authorization
from reference.api import Call, Lost, Reply

REPLY_LIMIT = 64 * 1024 * 1024
"""The longest answer that is read, in bytes; DynamoDB's own longest are 16 MB."""
IDLE_LIMIT = 2.0
"""Seconds after which an idle connection is not used again: the server may be about to close it."""
CONNECT_LIMIT = 5.0
"""Seconds to wait for a connection, within the call's own timeout."""
GRACE = 0.05
"""Seconds in which an answer is still read after the server stopped taking the request."""
_CHUNK = 64 * 1024

REFUSED = "refused"
TIMEOUT = "timeout"
RESET = "reset"
CLOSED = "closed"
GARBAGE = "garbage"
_NO_BYTE = f"{REFUSED}: connected, but took no byte"


def never_sent(lost: Lost) -> bool:
    """Whether the target certainly got no byte of the request."""
    return lost.why.startswith(REFUSED)


class Transport(Protocol):
    """One way to put calls to a target. Usable from several threads at once."""

    def send(self, call: Call, *, raw: RawRequest | None = None, timeout: float = 10.0) -> Reply:
        """Put one call, once, and wait ``timeout`` seconds in all for its reply. Never raises for what a target does.

        ``Lost.why`` is ``refused…`` (no byte was sent), ``timeout``, ``reset``, ``closed`` or ``garbage: …``.
        """
        ...

    def send_raw(self, call: Call, *, raw: RawRequest | None = None, timeout: float = 10.0) -> RawReply | Lost:
        """As ``send``, but hand back the HTTP answer unread."""
        ...

    def close(self) -> None:
        """Let go of connections. Sending again afterwards opens new ones."""
        ...


@dataclass(frozen=True, slots=True)
class _Host:
    """Where one service answers."""

    name: str
    port: int
    header: str
    path: str


class HttpTransport:
    """AWS JSON over HTTP/1.1 with keep-alive: one connection per thread and host, no retries, no redirects, no proxies.

    ``endpoint`` is ``http(s)://host[:port][/path]``; ValueError when it is not. ``credentials`` may be a function, for
    keys that expire; None means the fake ones. ``ca_file`` and ``insecure`` are for endpoints with a certificate of
    their own. On AWS other services than DynamoDB have hosts of their own, which are derived from the endpoint's.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        credentials: Credentials | Callable[[], Credentials] | None = None,
        region: str = "us-east-1",
        ca_file: str | None = None,
        insecure: bool = False,
    ) -> None:
        self.endpoint = endpoint
        self.region = region
        self._again = functools.partial(
            HttpTransport, endpoint, credentials=credentials, region=region, ca_file=ca_file, insecure=insecure
        )
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{endpoint!r} is no endpoint: give it as http://host:port or https://host")
        if parts.username is not None:
            raise ValueError("an endpoint can't hold a user or password, which would end up in reports: leave it out")
        self._tls = _tls_context(ca_file, insecure=insecure) if parts.scheme == "https" else None
        port = parts.port or (443 if self._tls else 80)
        self._main = _Host(parts.hostname, port, parts.netloc, parts.path.rstrip("/"))
        self._credentials = credentials or FAKE
        self._hosts: dict[str, _Host] = {}
        self._local = threading.local()
        self._lock = threading.Lock()
        # Weak, so that the connections of threads that have ended go with them.
        self._open: weakref.WeakSet[_Connection] = weakref.WeakSet()

    def send(self, call: Call, *, raw: RawRequest | None = None, timeout: float = 10.0) -> Reply:
        """Put one call, once; see ``Transport.send``."""
        answer = self.send_raw(call, raw=raw, timeout=timeout)
        return answer if isinstance(answer, Lost) else parse_reply(answer)

    def send_raw(self, call: Call, *, raw: RawRequest | None = None, timeout: float = 10.0) -> RawReply | Lost:
        """As ``send``, but hand back the HTTP answer unread."""
        service, _ = address(call.operation)
        host = self._host(service)
        request = self._request(call, service, host, raw)
        return self._exchange(request, host, time.monotonic() + timeout, head=raw is not None and raw.method == "HEAD")

    def close(self) -> None:
        """Close all connections, those of other threads too; a call under way in one of them is lost."""
        with self._lock:
            connections, self._open = list(self._open), weakref.WeakSet()
            self._local = threading.local()
        for connection in connections:
            connection.close()

    def clone(self) -> HttpTransport:
        """Another transport to the same endpoint, with connections of its own."""
        return self._again()

    def _host(self, service: Service) -> _Host:
        """AWS answers for each service on its own host; an emulator on one for all."""
        found = self._hosts.get(service.host)
        if found is None:
            found = self._main
            head, dot, rest = found.name.partition(".")
            if dot and head == "dynamodb" and rest.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
                name = f"{service.host}.{rest}"
                found = _Host(name, found.port, name, "")
            self._hosts[service.host] = found
        return found

    def _request(self, call: Call, service: Service, host: _Host, raw: RawRequest | None) -> bytes:
        if raw is not None and raw.exact is not None:
            return raw.exact
        headers = [("Host", host.header), *call_headers(call)]
        if raw is None:
            raw = _ORDINARY
        elif raw.headers:
            headers = merge_headers(headers, raw)
        body = (encode(call.body) if raw.body is None else raw.body).ljust(raw.pad)
        target = host.path + raw.path
        if raw.signed:
            self._sign(headers, service, raw, target, body)
        given = {name.lower() for name, _ in raw.headers} if raw.headers else ()
        lines = [f"{raw.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        if "accept-encoding" not in given:
            lines.append("Accept-Encoding: identity")
        if "user-agent" not in given:
            lines.append("User-Agent: dynoracle")
        if "content-length" not in given and "transfer-encoding" not in given:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body

    def _sign(
        self, headers: list[tuple[str, str]], service: Service, raw: RawRequest, target: str, body: bytes
    ) -> None:
        given = {name.lower(): value for name, value in raw.headers}
        date = given.get("x-amz-date") or amz_date(time.time())
        own = self._credentials() if callable(self._credentials) else self._credentials
        credentials = replace(
            own, access_key=raw.access_key or own.access_key, secret_key=raw.secret_key or own.secret_key
        )
        if "x-amz-date" not in given:
            headers.append(("X-Amz-Date", date))
        if credentials.token and "x-amz-security-token" not in given:
            headers.append(("X-Amz-Security-Token", credentials.token))
        if "authorization" in given:
            return
        value = authorization(
            credentials,
            region=self.region,
            service=service.signing,
            date=date,
            method=raw.method,
            target=target,
            headers=headers,
            payload=body,
        )
        headers.append(("Authorization", value))

    def _exchange(self, request: bytes, host: _Host, deadline: float, *, head: bool) -> RawReply | Lost:
        connection, reused = self._take(host), True
        if connection is None:
            opened = self._connect(host, deadline)
            if isinstance(opened, Lost):
                return opened
            connection, reused = opened, False
        try:
            answer = connection.exchange(request, deadline, head=head)
            if answer is None:
                self._drop(connection)
                if not reused:
                    return Lost(_NO_BYTE)
                # Not one byte was taken on the old connection, so this is still the first time it is sent.
                opened = self._connect(host, deadline)
                if isinstance(opened, Lost):
                    return opened
                connection = opened
                answer = connection.exchange(request, deadline, head=head) or Lost(_NO_BYTE)
        except BaseException:
            self._drop(connection)
            raise
        if connection.reusable:
            self._pool()[host] = connection
        else:
            self._drop(connection)
        return answer

    def _pool(self) -> dict[_Host, _Connection]:
        pool: dict[_Host, _Connection] | None = getattr(self._local, "pool", None)
        if pool is None:
            pool = self._local.pool = {}
        return pool

    def _take(self, host: _Host) -> _Connection | None:
        connection = self._pool().pop(host, None)
        if connection is None or connection.fresh():
            return connection
        self._drop(connection)
        return None

    def _drop(self, connection: _Connection) -> None:
        with self._lock:
            self._open.discard(connection)
        connection.close()

    def _connect(self, host: _Host, deadline: float) -> _Connection | Lost:
        patience = min(CONNECT_LIMIT, deadline - time.monotonic())
        if patience <= 0:
            return Lost(f"{REFUSED}: no time left to connect")
        try:
            plain = socket.create_connection((host.name, host.port), timeout=patience)
        except ConnectionRefusedError:
            return Lost(REFUSED)
        except OSError as error:
            return Lost(f"{REFUSED}: {error}")
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock = plain if self._tls is None else self._tls.wrap_socket(plain, server_hostname=host.name)
        except (OSError, ValueError) as error:
            plain.close()
            return Lost(f"{REFUSED}: {error}")
        connection = _Connection(sock)
        with self._lock:
            self._open.add(connection)
        return connection


_ORDINARY = RawRequest()


def _tls_context(ca_file: str | None, *, insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class _Connection:
    """One open socket and whether it may be used again."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.reusable = False
        self._use_before = 0.0
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN | select.POLLHUP | select.POLLERR)

    def fresh(self) -> bool:
        """Whether the server left it open: bytes or an end that wait here belong to no request of ours."""
        return time.monotonic() < self._use_before and not self._poll.poll(0)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        self.reusable = False
        try:
            self.sock.close()
        except OSError:
            pass

    def exchange(self, request: bytes, deadline: float, *, head: bool) -> RawReply | Lost | None:
        """Send and await the answer; None when the connection took not even the first byte."""
        self.reusable = False
        try:
            self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
            taken = self.sock.send(request)
        except TimeoutError:
            return Lost(_NO_BYTE)
        except OSError:
            return None
        cut = ""
        if taken < len(request):
            try:
                self.sock.sendall(memoryview(request)[taken:])
            except OSError as error:
                # The server may have answered without reading to the end; what it said is still worth reading.
                cut = TIMEOUT if isinstance(error, TimeoutError) else RESET
                deadline = time.monotonic() + GRACE
        reader = _Reader(head=head)
        try:
            return self._receive(reader, deadline, cut)
        finally:
            reader.release()

    def _receive(self, reader: _Reader, deadline: float, cut: str) -> RawReply | Lost:
        while not reader.complete:
            left = deadline - time.monotonic()
            if left <= 0:
                return Lost(cut or TIMEOUT)
            try:
                self.sock.settimeout(left)
                data = self.sock.recv(_CHUNK)
            except TimeoutError:
                return Lost(cut or TIMEOUT)
            except OSError:
                return Lost(cut or RESET)
            try:
                done = reader.feed(data) if data else reader.end()
            except httptools.HttpParserError as error:
                return Lost(f"{GARBAGE}: not HTTP: {error}")
            if not data and not done:
                return Lost(cut or CLOSED)
            if reader.size > REPLY_LIMIT:
                return Lost(f"{GARBAGE}: the answer is longer than {REPLY_LIMIT} bytes")
        self.reusable = reader.keep_alive and not cut
        self._use_before = time.monotonic() + reader.idle_limit
        return reader.reply()


class _Reader:
    """Collects one HTTP answer from the bytes of a connection."""

    def __init__(self, *, head: bool) -> None:
        self.complete = False
        self.keep_alive = False
        self.size = 0
        self._head = head
        self._reset()
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)

    def release(self) -> None:
        """Break the circle with the parser, so that readers don't wait for the garbage collector."""
        self._parser = None

    def _reset(self) -> None:
        self._reason = b""
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._status = 0
        self._in_body = False

    def feed(self, data: bytes) -> bool:
        """Take more bytes; true when the answer is whole."""
        self.size += len(data)
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserError:
            # What follows a whole answer on the connection is no part of it, but the connection is spoilt.
            if not self.complete:
                raise
            self.keep_alive = False
        return self.complete

    def end(self) -> bool:
        """The connection ended; true when that is how the answer's end was to be told."""
        told = any(name.lower() in ("content-length", "transfer-encoding") for name, _ in self._headers)
        self.complete = self._in_body and not told
        self.keep_alive = False
        return self.complete

    @property
    def idle_limit(self) -> float:
        """Seconds for which the server keeps the connection, less a margin."""
        for name, value in self._headers:
            if name.lower() == "keep-alive":
                for part in value.split(","):
                    key, _, number = part.strip().partition("=")
                    if key.lower() == "timeout" and number.strip().isdigit():
                        return min(IDLE_LIMIT, max(int(number) - 1.0, 0.5 * int(number)))
        return IDLE_LIMIT

    def reply(self) -> RawReply:
        """The answer read."""
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        return RawReply(self._status, self._reason.decode("latin-1"), tuple(self._headers), body)

    # The parser's callbacks.

    def on_message_begin(self) -> None:
        if self.complete:
            self.keep_alive = False

    def on_status(self, reason: bytes) -> None:
        if not self.complete:
            self._reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.complete:
            self._headers.append((name.decode("latin-1"), value.decode("utf-8", "surrogateescape")))

    def on_headers_complete(self) -> None:
        if self.complete:
            return
        assert self._parser is not None
        self._status = self._parser.get_status_code()
        self._in_body = True
        if self._head:
            self.complete = True

    def on_body(self, data: bytes) -> None:
        if not self.complete:
            self._body.append(data)

    def on_message_complete(self) -> None:
        if self.complete:
            return
        if 100 <= self._status < 200:
            self._reset()
            return
        assert self._parser is not None
        self.complete = True
        self.keep_alive = self._parser.should_keep_alive()


def header_map(reply: RawReply) -> Mapping[str, str]:
    """The headers of an answer by lower-case name; of repeated ones the first."""
    found: dict[str, str] = {}
    for name, value in reply.headers:
        found.setdefault(name.lower(), value)
    return found
