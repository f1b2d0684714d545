"""A DynamoDB-like HTTP server in this process that answers as a test tells it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any] | bytes | None
"""Status and JSON body; or bytes, sent with status 200; or None: the connection is closed without an answer."""


class Fake:
    """What was asked, and the answers; ``answers`` maps an operation to a function of the request body."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []
        self.headers: list[list[tuple[str, str]]] = []
        self.tables: set[str] = set()
        self.creating = 0
        self.answers: dict[str, Callable[[Any], Answer]] = {}
        self.url = ""

    def answer(self, operation: str, body: Any) -> Answer:
        if operation in self.answers:
            return self.answers[operation](body)
        name = body.get("TableName") if isinstance(body, dict) else None
        if operation == "CreateTable":
            self.tables.add(name)
            return 200, {
                "TableDescription": {"TableName": name, "TableArn": f"arn:real:{name}", "TableStatus": "CREATING"}
            }
        if operation == "DescribeTable" and name in self.tables:
            self.creating -= 1
            return 200, {"Table": {"TableName": name, "TableStatus": "CREATING" if self.creating >= 0 else "ACTIVE"}}
        if operation == "DeleteTable" and name in self.tables:
            self.tables.discard(name)
            return 200, {"TableDescription": {"TableName": name, "TableStatus": "DELETING"}}
        if name not in self.tables:
            return refusal("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
        return 200, {}


def refusal(code: str, message: str, **fields: Any) -> Answer:
    return 400, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **fields}


@contextmanager
def serve() -> Iterator[Fake]:
    fake = Fake()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                body = json.loads(content)
            except ValueError:
                body = content
            operation = (self.headers.get("X-Amz-Target") or "").rpartition(".")[2]
            fake.requests.append((operation, body))
            fake.headers.append(list(self.headers.items()))
            answer = fake.answer(operation, body)
            if answer is None:
                self.close_connection = True
                return
            status, reply = (200, answer) if isinstance(answer, bytes) else (answer[0], json.dumps(answer[1]).encode())
            self.send_response(status)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
