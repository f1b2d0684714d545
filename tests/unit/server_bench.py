"""A service that answers with what it was asked, and raw sockets to ask it on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Collection
from dataclasses import dataclass
from http.client import HTTPResponse

from reference.api import Call, Lost, Refusal, Reply, Success
from reference.server import ThreadedServer

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=a/20251122/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=b"
)


class Fake:
    """Answers with what it was asked; remembers the calls and the threads they came on."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.threads: set[int] = set()

    def operations(self) -> Collection[str]:
        return ("ListTables", "PutItem", "GetItem", "TagResource", "DescribeTable", "ListStreams", "Query")

    def execute(self, call: Call) -> Reply:
        self.calls.append(call)
        self.threads.add(threading.get_ident())
        match call.operation:
            case "ListTables":
                return Success({"TableNames": ["a", "b"][: call.body.get("Limit", 2)]})
            case "TagResource":
                return Success(None)
            case "ListStreams":
                return Success({"Streams": []})
            case "DescribeTable":
                message = "Requested resource not found: Table: nope not found"
                return Refusal("ResourceNotFoundException", message)
            case "PutItem":
                item = call.body["Item"]
                return Refusal("ConditionalCheckFailedException", "The conditional request failed", 400, {"Item": item})
            case "Query" if "Lost" in call.body:
                return Lost("the test wants it so")
            case "Query":
                raise RuntimeError("a bug in an operation")
            case _:
                return Success({"Item": {"pk": {"S": "x" * call.body.get("size", 1)}, "b": {"B": "AAE="}}})


def head(operation: str, length: int | None, *extra: str, date: str = "20251122T101000Z") -> bytes:
    lines = [
        "POST / HTTP/1.1", "Host: localhost", f"X-Amz-Target: DynamoDB_20120810.{operation}",
        "Content-Type: application/x-amz-json-1.0", f"X-Amz-Date: {date}", f"Authorization: {SIGNED}", *extra,
    ]  # fmt: skip
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode()


def request(operation: str, body: bytes = b"{}", *extra: str) -> bytes:
    return head(operation, len(body), *extra) + body


@dataclass(frozen=True)
class Received:
    """An answer: status, headers by lower-case name, body."""

    status: int
    headers: dict[str, str]
    data: bytes

    def getheader(self, name: str) -> str:
        return self.headers[name.lower()]


class Client:
    """A raw socket and what comes back on it."""

    def __init__(self, server: ThreadedServer) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self, method: str = "POST") -> Received:
        """One answer. No byte of the next one is read."""
        response = HTTPResponse(self.socket, method=method)
        response.fp = _Unbuffered(self.socket)  # type: ignore[assignment]
        response.begin()
        return Received(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def at_end(self) -> bool:
        return self.socket.recv(1) == b""


class _Unbuffered:
    """A file over a socket that never reads ahead."""

    def __init__(self, raw: socket.socket) -> None:
        self._raw = raw

    def readline(self, _limit: int = -1) -> bytes:
        line = b""
        while not line.endswith(b"\n") and (byte := self._raw.recv(1)):
            line += byte
        return line

    def read(self, size: int = -1) -> bytes:
        data = b""
        while len(data) != size and (part := self._raw.recv(65536 if size < 0 else size - len(data))):
            data += part
        return data

    def flush(self) -> None: ...

    def close(self) -> None: ...


def ask(server: ThreadedServer, data: bytes) -> Received:
    with Client(server) as client:
        client.send(data)
        return client.read()
