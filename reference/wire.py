"""AWS JSON 1.0 as data: an HTTP request becomes a call at the front door, a reply becomes status, headers and bytes.

Nothing here reads a socket or a clock. Sources: dataplane.md §1 (WIRE), messages.md §0, surprises.md 9.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

import orjson

from reference import cbor
from reference.api import Call, Json, Refusal, Success
from reference.rules import Checks, first, surface, violation
from reference.signature import SERVICE, Request, authenticate

MAX_BODY_BYTES = 16 * 1024 * 1024
"""The largest request body, before and after decompression; this many bytes are still accepted."""
MAX_HEAD_BYTES = 16 * 1024
"""The largest request line, and the largest sum of all header lines."""
COMPRESSION_THRESHOLD_BYTES = 4096
"""Answers of this size and more are compressed for clients that ask for it."""
COMPRESSION_LEVEL = 1
MAX_GZIP_MEMBERS = 100
"""A compressed body of more members is refused as broken: each costs a copy of what follows it."""

JSON_1_0 = b"application/x-amz-json-1.0"
JSON_1_1 = b"application/x-amz-json-1.1"
PLAIN_JSON = b"application/json"
CBOR = b"application/cbor"
CBOR_PROTOCOL = b"rpc-v2-cbor"
_CBOR_LINE = b"smithy-protocol: rpc-v2-cbor\r\n"
_CBOR_PATH = re.compile(rb"/service/([A-Za-z0-9_]+)/operation/([A-Za-z0-9]+)")
MOMENTS = frozenset({"Timestamp", "Timestamps"})
"""Members of CloudWatch's answers that are moments."""
UNKNOWN_OPERATION_BODY = b"<UnknownOperationException/>\n"

STREAMS_OPERATIONS = frozenset({"DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"})
_DATA_PLANE = STREAMS_OPERATIONS | {
    "BatchExecuteStatement", "BatchGetItem", "BatchWriteItem", "DeleteItem", "ExecuteStatement",
    "ExecuteTransaction", "GetItem", "PutItem", "Query", "Scan", "SearchVectors", "TransactGetItems",
    "TransactWriteItems", "UpdateItem",
}  # fmt: skip

# wire.error-type: the namespace in front of an error's name tells which layer of the service refused.
_FRONT_DOOR_ERRORS = frozenset({
    "AccessDeniedException", "IncompleteSignatureException", "InternalFailure", "InvalidSignatureException",
    "MissingAuthenticationTokenException", "SerializationException", "ServiceUnavailable",
    "UnknownOperationException", "UnrecognizedClientException",
})  # fmt: skip
_CAPITAL_MESSAGE = frozenset({
    "AccessDeniedException", "IdempotentParameterMismatchException", "SerializationException",
    "TransactionCanceledException", "TransactionInProgressException",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another service at the same endpoint: what its targets begin with, its name in signatures, its content type."""

    prefix: str
    signing: str
    content_type: bytes


NEIGHBOURS: Mapping[str, Neighbour] = {
    "application-autoscaling": Neighbour("AnyScaleFrontendService", "application-autoscaling", JSON_1_1),
    "cloudwatch": Neighbour("GraniteServiceVersion20100801", "monitoring", JSON_1_0),
}
"""Services whose operations are named with their name and a colon in front."""

_CORS = (
    b"Access-Control-Allow-Origin: *\r\n"
    b"Access-Control-Expose-Headers: x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date\r\n"
)
# orjson reads integers beyond 64 bits as floats; nineteen digits in a row outside a string make such one possible.
_LONG_INTEGER = re.compile(rb"[\[:,\s-]\d{19}")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: ``headers`` are whole header lines, each with its line end. ``chunked`` answers have no body."""

    status: int
    body: bytes = b""
    content_type: bytes | None = None
    headers: bytes = b""
    chunked: bool = False


Page: TypeAlias = Callable[[], tuple[bytes, bytes]]
"""What makes a page that is not DynamoDB's: its content type and its bytes."""


class FrontDoor:
    """The checks every request passes before it is a call, and the way back.

    ``operations`` are the names it lets in; ``credentials`` maps access key ids to secrets, and signatures are verified
    only where it is given. ``pages`` are what GET answers by path, beside the health check.
    """

    def __init__(
        self,
        operations: Collection[str],
        *,
        region: str = "us-east-1",
        credentials: Mapping[str, str] | None = None,
        pages: Mapping[bytes, Page] | None = None,
    ) -> None:
        self.region = region
        self.pages = dict(pages or {})
        self.credentials = dict(credentials) if credentials else None
        self._targets = {target(operation): operation for operation in operations}
        self._healthy = f"healthy: dynamodb.{region}.amazonaws.com ".encode()

    def receive(self, request: Request, now: float) -> Call | Answer:
        """The call in a request, or the answer of the front door; ``now`` is in epoch seconds."""
        if request.method != b"POST" and (answer := self._without_call(request)) is not None:
            return answer
        broken, call = first(self.checks(request, now))
        if call is not None:
            return call
        assert broken is not None, "a request that breaks no rule is a call"
        return self.refuse(request, broken.refusal(surface("")))

    def checks(self, request: Request, now: float) -> Checks[Call | None]:
        """Everything checked before an operation sees its input, in the service's order (dataplane:WIRE-9)."""
        operation = self._operation(request)
        body, known_type = request.body, _content_type(request, operation)
        if request.method != b"POST":
            yield violation("wire.method" if request.method == b"GET" else "wire.other-method")
        elif body and known_type is None:
            yield violation("wire.content-type")
        encoding = request.headers.get(b"content-encoding")
        usable: bytes | None = body
        if encoding is not None:
            usable = yield from _decompress(body, encoding.strip().lower())
        parsed: Json = None
        if usable:
            try:
                parsed = cbor.decode(usable) if known_type == CBOR else parse_json(usable)
            except ValueError:
                yield violation("wire.not-json")
                usable = None
        if operation is None:
            yield violation("wire.unknown-operation")
        yield from authenticate(request, now, self.region, self.credentials, _signing_name(operation))
        if usable == b"":
            yield violation("wire.empty-body")
        elif usable and not isinstance(parsed, dict):
            yield violation("wire.not-an-object")
        if operation is None or not isinstance(parsed, dict):
            return None
        return Call(operation, parsed)

    def _operation(self, request: Request) -> str | None:
        """What is called: by X-Amz-Target or, where another service's client speaks CBOR, by the path."""
        operation = self._targets.get(request.headers.get(b"x-amz-target", b""))
        if operation is None and request.headers.get(b"smithy-protocol") == CBOR_PROTOCOL:
            called = _CBOR_PATH.fullmatch(request.url)
            operation = None if called is None else self._targets.get(b"%b.%b" % called.groups())
            return operation if operation is not None and ":" in operation else None
        return operation

    def _without_call(self, request: Request) -> Answer | None:
        """The answers to a preflight (wire.cors) and to a health check (wire.health), which need no operation."""
        if request.method == b"OPTIONS" and b"origin" in request.headers:
            lines = [_CORS]
            for asked, allowed in (
                (b"access-control-request-headers", b"Access-Control-Allow-Headers"),
                (b"access-control-request-method", b"Access-Control-Allow-Methods"),
            ):
                if value := request.headers.get(asked):
                    lines.append(b"%b: %b\r\n" % (allowed, value))
            lines.append(b"Access-Control-Max-Age: 172800\r\n")
            return Answer(200, headers=b"".join(lines))
        path = request.url.partition(b"?")[0]
        if request.method in (b"GET", b"HEAD") and path == b"/":
            return Answer(200, self._healthy, headers=_cors(request))
        if request.method in (b"GET", b"HEAD") and path in self.pages:
            kind, body = self.pages[path]()
            return Answer(200, body, kind, _cors(request))
        return None

    def succeed(self, request: Request, reply: Success) -> Answer:
        """HTTP 200 with the body as JSON, or without a byte where the operation answers with none (wire.no-content)."""
        if b"smithy-protocol" in request.headers and self._speaks_cbor(request):
            return Answer(200, cbor.encode(reply.body, MOMENTS), CBOR, _CBOR_LINE)
        return self._json(request, 200, b"" if reply.body is None else encode_json(reply.body))

    def refuse(self, request: Request, refusal: Refusal, operation: str = "") -> Answer:
        """An error: JSON, but for what is no call in this protocol (404) or breaks HTTP's own rules (no body)."""
        if refusal.status == HTTPStatus.NOT_FOUND:
            return Answer(404, UNKNOWN_OPERATION_BODY, headers=_cors(request))
        if refusal.code.isdigit():
            too_large = refusal.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            return Answer(refusal.status, headers=_cors(request), chunked=too_large)
        if b"smithy-protocol" in request.headers and self._speaks_cbor(request):
            told = cbor.encode(error_body(refusal, operation))
            return Answer(refusal.status, told, CBOR, _CBOR_LINE)
        return self._json(request, refusal.status, encode_json(error_body(refusal, operation)))

    def _speaks_cbor(self, request: Request) -> bool:
        return _content_type(request, self._operation(request)) == CBOR

    def _json(self, request: Request, status: int, body: bytes) -> Answer:
        headers, lines = request.headers, b""
        if len(body) >= COMPRESSION_THRESHOLD_BYTES and b"accept-encoding" in headers:
            encoding = preferred_encoding(headers[b"accept-encoding"])
            if encoding is not None:
                body, lines = _compress(body, encoding), b"Content-Encoding: %b\r\n" % encoding
        if b"origin" in headers:
            lines += _CORS
        operation = self._targets.get(headers.get(b"x-amz-target", b""))
        return Answer(status, body, _content_type(request, operation) or PLAIN_JSON, lines)


def _signing_name(operation: str | None) -> str:
    neighbour = NEIGHBOURS.get(operation.partition(":")[0]) if operation is not None and ":" in operation else None
    return SERVICE if neighbour is None else neighbour.signing


def target(operation: str) -> bytes:
    """The ``X-Amz-Target`` of an operation."""
    service, colon, name = operation.partition(":")
    if colon:
        return f"{NEIGHBOURS[service].prefix}.{name}".encode()
    api = "DynamoDBStreams" if operation in STREAMS_OPERATIONS else "DynamoDB"
    return f"{api}_20120810.{operation}".encode()


def error_type(code: str, operation: str = "") -> str:
    """The ``__type`` of an error (dataplane:WIRE-15; throttling by conflicts:112)."""
    if code == "ValidationException":
        return "com.amazon.coral.validate#ValidationException"
    if ":" in operation:
        return code
    if code in _FRONT_DOOR_ERRORS:
        return f"com.amazon.coral.service#{code}"
    if code == "ThrottlingException" and operation not in _DATA_PLANE:
        return "com.amazon.coral.availability#ThrottlingException"
    return f"com.amazonaws.dynamodb.v20120810#{code}"


def error_body(refusal: Refusal, operation: str = "") -> dict[str, Json]:
    """The members of an error answer, with the message under the name its shape gives it (wire.message-spelling)."""
    body: dict[str, Json] = {"__type": error_type(refusal.code, operation)}
    if refusal.message is not None:
        body["Message" if refusal.code in _CAPITAL_MESSAGE else "message"] = refusal.message
    body.update(refusal.fields)
    return body


def parse_json(text: bytes) -> Json:
    """The value of a JSON text; ValueError when it is none.

    Integers are exact, the last of equal names counts (wire.duplicate-members), at most 1,024 levels are read
    (wire.deep-json), and text that is no Unicode is no JSON (wire.invalid-text).
    """
    value = orjson.loads(text)
    if _LONG_INTEGER.search(text):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            # More digits or levels than the exact reader takes: the value stands as a double.
            return value
    return value


def encode_json(value: Json) -> bytes:
    """A JSON text without blanks; doubles keep their point, ``1.0`` (wire.numbers)."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        # Integers beyond 64 bits and values nested deeper than 254 levels are beyond orjson.
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def request_id(seed: int, ordinal: int) -> bytes:
    """52 characters of [0-9A-Z] that name the ``ordinal``-th request of a server started with ``seed``."""
    text = f"{seed}/{ordinal}".encode()
    return hashlib.blake2b(text, digest_size=26).hexdigest().upper().encode()


def serialize(answer: Answer, identifier: bytes, date: bytes, *, keep_alive: bool = True, head: bool = False) -> bytes:
    """An answer's bytes: status line, headers, body (left out where ``head``: the request's method was HEAD).

    ``date`` is the value of the Date header; the rest is wire.answer-headers. The checksum is of the body as sent, so
    compressed where it is compressed.
    """
    body = answer.body
    kind = b"" if answer.content_type is None else b"Content-Type: %b\r\n" % answer.content_type
    length = b"Transfer-Encoding: chunked" if answer.chunked else b"Content-Length: %d" % len(body)
    lines = (
        b"HTTP/1.1 %b\r\nServer: Server\r\nDate: %b\r\n%b%b\r\nConnection: %b\r\n"
        b"x-amzn-RequestId: %b\r\nx-amz-crc32: %d\r\n%b\r\n"
    ) % (
        _status_line(answer.status), date, kind, length, b"keep-alive" if keep_alive else b"close",
        identifier, zlib.crc32(body), answer.headers,
    )  # fmt: skip
    if answer.chunked:
        return lines + b"0\r\n\r\n"
    return lines if head else lines + body


@functools.lru_cache(maxsize=256)
def preferred_encoding(accepted: bytes) -> bytes | None:
    """``gzip``, ``deflate`` or None: what the service makes of an ``Accept-Encoding`` header (wire.compressed-answer).

    Only the first parameter of an entry counts; one that is not ``q`` voids the entry, an unreadable number is 1.
    ``identity`` is never preferred; ``*`` stands for what is not named. Source: scylladb test_compressed_response.py.
    """
    weights: dict[str, float] = {}
    for entry in accepted.decode("latin-1").lower().split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        weight = _weight(parameters[0]) if parameters else 1.0
        if weight is not None:
            weights[name] = max(weight, weights.get(name, 0.0))
    candidates = [(weights[name], name) for name in weights if name in ("gzip", "deflate")]
    if "*" in weights:
        candidates += [(weights["*"], name) for name in ("gzip", "deflate") if name not in weights]
    best = max(candidates, key=lambda candidate: candidate[0], default=(0.0, ""))
    return best[1].encode() if best[0] > 0 else None


def _weight(parameter: str) -> float | None:
    if not parameter.startswith("q"):
        return None
    number = re.fullmatch(r"q=\s*(-?\d+(?:\.\d*)?)", parameter, re.ASCII)
    return min(1.0, max(0.0, float(number[1]))) if number else 1.0


def _content_type(request: Request, operation: str | None) -> bytes | None:
    """The JSON type a request has and its answer gets (wire.answer-type); None for every other type."""
    given = request.headers.get(b"content-type", b"")
    if given == JSON_1_0:
        return JSON_1_0
    kind = given.partition(b";")[0].strip()
    if kind in (JSON_1_1, CBOR) and operation is not None and ":" in operation:
        return kind
    return kind if kind in (JSON_1_0, PLAIN_JSON) else None


def _cors(request: Request) -> bytes:
    return _CORS if b"origin" in request.headers else b""


def _decompress(body: bytes, encoding: bytes) -> Checks[bytes | None]:
    """The plain body (wire.compressed-request): any number of gzip members or one zlib stream, then perhaps junk."""
    if encoding == b"identity":
        return body
    if encoding not in (b"gzip", b"deflate"):
        yield violation("wire.content-encoding")
        return None
    plain, rest = b"", body
    for _ in range(MAX_GZIP_MEMBERS):
        reader = zlib.decompressobj(16 + zlib.MAX_WBITS if encoding == b"gzip" else zlib.MAX_WBITS)
        try:
            plain += reader.decompress(rest, MAX_BODY_BYTES + 1 - len(plain))
        except zlib.error:
            yield violation("wire.compressed-body")
            return None
        if len(plain) > MAX_BODY_BYTES:
            yield violation("wire.decompressed-size")
            return None
        if not reader.eof:
            yield violation("wire.compressed-body")
            return None
        rest = reader.unused_data
        if encoding == b"deflate" or not rest.startswith(b"\x1f\x8b"):
            return plain
    yield violation("wire.compressed-body")
    return None


def _compress(body: bytes, encoding: bytes) -> bytes:
    # A gzip header written by zlib holds no time, so equal answers stay equal byte for byte.
    bits = 16 + zlib.MAX_WBITS if encoding == b"gzip" else zlib.MAX_WBITS
    writer: Any = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, bits)
    packed: bytes = writer.compress(body) + writer.flush()
    return packed


@functools.cache
def _status_line(status: int) -> bytes:
    return f"{status} {HTTPStatus(status).phrase}".encode()
