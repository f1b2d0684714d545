"""The reference behind a plain HTTP server that misbehaves when a test says so."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from reference.account import Account
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.service import Service

Mood = Callable[[str, int], str]
"""(operation, how many calls of it came before) → how to answer: one of ``MOODS``, or nothing for as it should be."""

MOODS = ("hang", "html", "truncated", "short", "crc", "binary", "close")
_HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


class Moody:
    """The service, its moods, and where it answers."""

    def __init__(self, mood: Mood) -> None:
        self.service = Service(Account(ManualClock(time.time())))
        self.mood = mood
        self.calls: dict[str, int] = {}
        self.url = ""
        self.closing = threading.Event()
        self.lock = threading.Lock()

    def answer(self, operation: str, body: Any) -> tuple[str, int, bytes]:
        """The mood, the status and the body of an answer."""
        with self.lock:
            before = self.calls.get(operation, 0)
            self.calls[operation] = before + 1
            mood = self.mood(operation, before)
            reply = self.service.execute(Call(operation, body))
        if isinstance(reply, Success):
            return mood, 200, json.dumps(reply.body or {}).encode()
        assert isinstance(reply, Refusal)
        told = {"__type": f"com.amazonaws.dynamodb.v20120810#{reply.code}", "message": reply.message, **reply.fields}
        return mood, reply.status, json.dumps(told).encode()


def _handler(moody: Moody) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            operation = (self.headers.get("X-Amz-Target") or "").rpartition(".")[2]
            mood, status, body = moody.answer(operation, content)
            if mood == "hang":
                moody.closing.wait(30)
            if mood in ("hang", "close"):
                self.close_connection = True
                return
            sent = {"html": _HTML, "truncated": body[: len(body) // 2], "binary": bytes(range(256))}.get(mood, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent) + (10 if mood == "short" else 0)))
            if mood == "crc":
                self.send_header("x-amz-crc32", "12345")
            self.end_headers()
            self.wfile.write(sent)
            self.close_connection = self.close_connection or mood == "short"

        def log_message(self, *args: object) -> None:
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that gave up waiting is no news.
        pass


@contextmanager
def moody(mood: Mood) -> Iterator[Moody]:
    """An endpoint of that mood."""
    endpoint = Moody(mood)
    server = _Server(("127.0.0.1", 0), _handler(endpoint))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield endpoint
    finally:
        endpoint.closing.set()
        server.shutdown()
        thread.join()
        with suppress(OSError):
            server.server_close()
