"""A lean client: requests are built and signed beforehand, answers are only measured and glanced at."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Sequence

from conformance.targets.raw import call_headers, encode
from conformance.targets.signing import FAKE, amz_date, authorization
from reference.api import Call

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_CHUNK = 256 * 1024
TIMEOUT = 10.0


class BenchmarkError(Exception):
    """A target that answered what makes its numbers worthless; the message holds the start of the answer."""


def request_bytes(call: Call, port: int, body: bytes | None = None) -> bytes:
    """The whole signed HTTP request of a call to a loopback port; ``body`` stands in for the call's own."""
    body = encode(call.body) if body is None else body
    headers = [("Host", f"127.0.0.1:{port}"), *call_headers(call)]
    date = amz_date(time.time())
    headers.append(("X-Amz-Date", date))
    signature = authorization(
        FAKE,
        region="us-east-1",
        service="dynamodb",
        date=date,
        method="POST",
        target="/",
        headers=headers,
        payload=body,
    )
    headers += [("Authorization", signature), ("Accept-Encoding", "identity"), ("Content-Length", str(len(body)))]
    return b"POST / HTTP/1.1\r\n%b\r\n\r\n%b" % ("\r\n".join(f"{n}: {v}" for n, v in headers).encode(), body)


class Client:
    """One connection, kept open for as long as the server keeps it, with one request on it at a time."""

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self._socket: socket.socket | None = None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, request: bytes) -> bytes:
        """The whole answer, head and body; the connection is opened anew where the server has closed it."""
        for fresh in (self._socket is None, True):
            try:
                return self._exchange(request)
            except OSError:
                self.close()
                if fresh:
                    raise
        raise AssertionError("a fresh connection either answers or raises")

    def expect_success(self, request: bytes) -> bytes:
        """The whole answer; BenchmarkError unless it is 200."""
        answer = self.send(request)
        if answer[9:12] != b"200":
            raise BenchmarkError(answer[-300:].decode("latin-1"))
        return answer

    def rate(self, requests: Sequence[bytes], seconds: float) -> float:
        """Requests per second while sending them in turn, over and over, for about so long."""
        expect, done = self.expect_success, 0
        began = time.perf_counter()
        ends = began + seconds
        while True:
            for request in requests:
                expect(request)
                done += 1
                now = time.perf_counter()
                if now > ends:
                    return done / (now - began)

    def _exchange(self, request: bytes) -> bytes:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=TIMEOUT)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock = self._socket
        sock.sendall(request)
        answer = sock.recv(_CHUNK)
        if not answer:
            raise ConnectionResetError("closed before an answer")
        while (end := answer.find(b"\r\n\r\n")) < 0:
            answer += self._more(sock)
        head = answer[: end + 2]
        length = _LENGTH.search(head)
        if length is not None:
            whole = end + 4 + int(length[1])
            while len(answer) < whole:
                answer += self._more(sock)
        elif _CHUNKED.search(head) is not None:
            while not answer.endswith(b"0\r\n\r\n"):
                answer += self._more(sock)
        if _CLOSE.search(head) is not None or answer.startswith(b"HTTP/1.0"):
            self.close()
        return answer

    def _more(self, sock: socket.socket) -> bytes:
        data = sock.recv(_CHUNK)
        if not data:
            raise ConnectionResetError("closed within an answer")
        return data
