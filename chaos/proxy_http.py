"""Where HTTP messages begin and end in a stream of bytes. Nothing is changed, and nothing is read or written here."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable

import orjson

MAX_HEAD_BYTES = 64 * 1024
"""A head longer than this is no longer looked into."""

_HEAD_END = re.compile(rb"\n\r?\n")
_REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\S+) HTTP/1\.[01]\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: ([^\r\n]*))?\r?\n")
_LENGTH = re.compile(rb"\d{1,15}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r?\n")
_BLANK = re.compile(rb"[\r\n]*")


class Framer:
    """Finds the end of one HTTP message, a request's or (``response``) an answer's.

    ``blind`` is set when the bytes are no HTTP/1 that could be followed: then no end is known, and all that comes must
    be passed on as it comes. Interim answers (1xx) belong to the answer that follows them.
    """

    __slots__ = (
        "_bodiless", "_left", "_line", "_raw", "_response", "_state", "blind", "body_size", "complete", "head",
        "headers", "method", "size", "status", "target", "until_end",
    )  # fmt: skip

    def __init__(self, *, response: bool = False, bodiless: bool = False) -> None:
        self._response = response
        self._bodiless = bodiless
        self._raw = bytearray()
        self._line = bytearray()
        self._state = "head"
        self._left = 0
        self.head = b""
        self.headers: dict[bytes, bytes] = {}
        self.method = b""
        self.target = b""
        self.status = 0
        self.size = 0
        self.body_size = 0
        self.complete = False
        self.blind = False
        self.until_end = False

    @property
    def begun(self) -> bool:
        """Whether a byte of the message has come."""
        return self.size > 0

    def feed(self, data: bytes | bytearray) -> int:
        """How many of these bytes belong to the message: all of them until it is complete."""
        taken = 0
        while taken < len(data) and not self.complete and not self.blind:
            taken += self._head(data[taken:]) if self._state == "head" else self._body(data, taken)
        if self.blind:
            taken = len(data)
        self.size += taken
        return taken

    def end(self) -> bool:
        """The stream has ended; whether the message is whole."""
        if self.until_end:
            self.complete = True
        return self.complete

    def keeps_alive(self) -> bool:
        """Whether the connection may be used again after an answer like this."""
        version_1_1 = self.head.startswith(b"HTTP/1.1")
        said = self.headers.get(b"connection", b"").lower()
        return not self.until_end and b"close" not in said and (version_1_1 or b"keep-alive" in said)

    def _head(self, data: bytes | bytearray) -> int:
        before = len(self._raw)
        self._raw += data
        blank = _BLANK.match(self._raw)
        begin = blank.end() if blank is not None else 0
        found = _HEAD_END.search(self._raw, max(begin, before - 3))
        if found is None:
            line_end = self._raw.find(b"\n", begin)
            known = line_end < 0 or self._start_line(self._raw[begin : line_end + 1])
            if not known or len(self._raw) > MAX_HEAD_BYTES:
                self.blind = True
            return len(data)
        taken = found.end() - before
        head = bytes(self._raw[: found.end()])
        self._raw.clear()
        self._begin_body(head, begin)
        return taken

    def _start_line(self, line: bytes | bytearray) -> bool:
        if self._response:
            answer = _STATUS_LINE.fullmatch(line)
            if answer is None:
                return False
            self.status = int(answer[1])
            return True
        request = _REQUEST_LINE.fullmatch(line)
        if request is None:
            return False
        self.method, self.target = request[1], request[2]
        return True

    def _begin_body(self, head: bytes, begin: int) -> None:
        self.head = head
        line, _, rest = head[begin:].partition(b"\n")
        if not self._start_line(line + b"\n"):
            self.blind = True
            return
        lengths: set[bytes] = set()
        self.headers = {}
        for field in rest.split(b"\n"):
            name, colon, value = field.rstrip(b"\r").partition(b":")
            if not colon:
                continue
            if name != name.strip():
                self.blind = True
            name, value = name.lower(), value.strip()
            if name == b"content-length":
                lengths.add(value)
            self.headers.setdefault(name, value)
        self._frame(lengths)

    def _frame(self, lengths: set[bytes]) -> None:
        coding = self.headers.get(b"transfer-encoding", b"").lower()
        if self._response and 100 <= self.status < 200 and self.status != 101:
            return
        upgrades = b"upgrade" in self.headers or self.method == b"CONNECT" or self.status == 101
        odd = len(lengths) > 1 or (coding and (lengths or coding != b"chunked"))
        if upgrades or odd or any(not _LENGTH.fullmatch(value) for value in lengths):
            self.blind = True
        elif self._response and (self._bodiless or self.status in (204, 304)):
            self.complete = True
        elif coding:
            self._state = "chunk"
        elif lengths:
            self._left = int(lengths.pop())
            self._state = "length"
            self.complete = self._left == 0
        elif self._response:
            self._state = "end"
            self.until_end = True
        else:
            self.complete = True

    def _body(self, data: bytes | bytearray, at: int) -> int:
        """Take bytes of the body from ``data[at:]``; how many."""
        here = len(data) - at
        if self._state == "end":
            taken = here
        elif self._state in ("length", "data"):
            taken = min(here, self._left)
            self._left -= taken
            if self._left == 0:
                self.complete = self._state == "length"
                self._state = "after" if self._state == "data" else self._state
        else:
            stop = data.find(b"\n", at)
            taken = here if stop < 0 else stop + 1 - at
            self._line += data[at : at + taken]
            if len(self._line) > MAX_HEAD_BYTES:
                self.blind = True
            elif stop >= 0:
                self._line_ended(bytes(self._line))
                self._line.clear()
        self.body_size += taken
        return taken

    def _line_ended(self, line: bytes) -> None:
        empty = line in (b"\r\n", b"\n")
        if self._state == "after":
            self._state = "chunk"
            self.blind = not empty
        elif self._state == "trailer":
            self.complete = empty
        else:
            size = _CHUNK.fullmatch(line)
            if size is None:
                self.blind = True
                return
            self._left = int(size[1], 16)
            self._state = "data" if self._left else "trailer"


def body_of(message: Framer, raw: bytes) -> bytes:
    """The body of a whole message, out of its chunks if it came in such."""
    body = raw[len(raw) - message.body_size :]
    if message.headers.get(b"transfer-encoding", b"").lower() != b"chunked":
        return body
    parts: list[bytes] = []
    at = 0
    while True:
        size = _CHUNK.match(body, at)
        if size is None or int(size[1], 16) == 0:
            return b"".join(parts)
        end = size.end() + int(size[1], 16)
        parts.append(body[size.end() : end])
        at = body.find(b"\n", end) + 1


def operation_of(message: Framer) -> str:
    """The operation that a request's X-Amz-Target names; empty when it names none."""
    return message.headers.get(b"x-amz-target", b"").rpartition(b".")[2].decode("latin-1")


def parse_json(body: bytes) -> object:
    """The JSON of a body, or None."""
    try:
        return orjson.loads(body)
    except ValueError:
        return None


def rewritten(head: bytes, changes: Iterable[tuple[bytes, bytes | None]]) -> bytes:
    """A head whose lines of these names (any case) are replaced where they stand; a value of None takes them out.

    A name that is not there is added at the end.
    """
    wanted = {name.lower(): (name, value) for name, value in changes}
    kept = []
    lines = head.rstrip(b"\r\n").split(b"\r\n")
    for line in lines[1:]:
        name = line.partition(b":")[0].lower()
        if name not in wanted:
            kept.append(line)
            continue
        spelled, value = wanted[name]
        if value is not None:
            kept.append(b"%b: %b" % (spelled, value))
        wanted[name] = (spelled, None)
    kept += [b"%b: %b" % (spelled, value) for spelled, value in wanted.values() if value is not None]
    return b"\r\n".join([lines[0], *kept]) + b"\r\n\r\n"


REASONS = {200: b"OK", 400: b"Bad Request", 500: b"Internal Server Error", 503: b"Service Unavailable"}


def error_answer(status: int, code: str, message: str, request_id: str) -> bytes:
    """An answer as DynamoDB gives it for an error."""
    body = orjson.dumps({"__type": code, "message": message})
    head = (
        b"HTTP/1.1 %d %b\r\nServer: Server\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n"
        b"Connection: keep-alive\r\nx-amzn-RequestId: %b\r\nx-amz-crc32: %d\r\n\r\n"
    )
    values = (status, REASONS[status], len(body), request_id.encode("ascii"), zlib.crc32(body))
    return head % values + body
