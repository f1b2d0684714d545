"""The HTTP request of a call and the reply in an HTTP answer: AWS JSON 1.0, with nothing validated on our side."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from reference.api import Call, Json, Lost, Refusal, Reply, Success

STREAMS_OPERATIONS = frozenset({"ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"})
QUOTE_LIMIT = 200
"""How many characters of an unreadable answer go into ``Lost.why``."""


@dataclass(frozen=True, slots=True)
class Service:
    """Where an operation belongs: the prefix of its X-Amz-Target, SigV4 name, host prefix on AWS and content type."""

    prefix: str
    signing: str
    host: str
    content_type: str = "application/x-amz-json-1.0"


DYNAMODB = Service("DynamoDB_20120810", "dynamodb", "dynamodb")
STREAMS = Service("DynamoDBStreams_20120810", "dynamodb", "streams.dynamodb")
_JSON_11 = "application/x-amz-json-1.1"
SERVICES: Mapping[str, Service] = {
    "dynamodb": DYNAMODB,
    "dynamodbstreams": STREAMS,
    "application-autoscaling": Service(
        "AnyScaleFrontendService", "application-autoscaling", "application-autoscaling", _JSON_11
    ),
    "cloudwatch": Service("GraniteServiceVersion20100801", "monitoring", "monitoring"),
    "dax": Service("AmazonDAXV3", "dax", "dax", _JSON_11),
}


def address(operation: str) -> tuple[Service, str]:
    """The service and bare name of an operation: ``GetItem``, ``GetRecords`` or, qualified, ``dax:CreateCluster``."""
    service, colon, name = operation.partition(":")
    if colon and service in SERVICES:
        return SERVICES[service], name
    return (STREAMS if operation in STREAMS_OPERATIONS else DYNAMODB), operation


@dataclass(frozen=True, slots=True)
class RawRequest:
    """How the HTTP request of a call differs from the one an SDK would send.

    ``headers`` are added in order and replace the ordinary ones of the same name (any case); a value of None only
    removes. An X-Amz-Date given here is also the moment of signing, and an Authorization given here replaces ours.
    ``body`` replaces the call's JSON, and ``pad`` appends blanks to either until it has that many bytes;
    ``signed=False`` leaves Authorization and X-Amz-Date out. ``access_key`` and ``secret_key`` sign in place of the
    target's own. ``exact`` is the whole request as it is sent, and makes every other member but ``method`` moot.
    """

    method: str = "POST"
    path: str = "/"
    headers: tuple[tuple[str, str | None], ...] = ()
    body: bytes | None = None
    signed: bool = True
    exact: bytes | None = None
    pad: int = 0
    access_key: str | None = None
    secret_key: str | None = None

    def to_json(self) -> dict[str, Json]:
        """The request as a JSON object (``Op.raw``); members that hold their default are left out."""
        row: dict[str, Json] = {}
        if self.method != "POST":
            row["method"] = self.method
        if self.path != "/":
            row["path"] = self.path
        if self.headers:
            row["headers"] = [list(pair) for pair in self.headers]
        if not self.signed:
            row["signed"] = False
        if self.pad:
            row["pad"] = self.pad
        row |= {name: key for name in ("access_key", "secret_key") if (key := getattr(self, name)) is not None}
        return row | _bytes_to_json("body", self.body) | _bytes_to_json("exact", self.exact)

    @staticmethod
    def from_json(row: Mapping[str, Json]) -> RawRequest:
        """The request that ``to_json`` wrote; ``headers`` may also be an object."""
        headers = row.get("headers", ())
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        return RawRequest(
            method=row.get("method", "POST"),
            path=row.get("path", "/"),
            headers=tuple((name, value) for name, value in pairs),
            body=_bytes_from_json("body", row),
            signed=row.get("signed", True),
            exact=_bytes_from_json("exact", row),
            pad=row.get("pad", 0),
            access_key=row.get("access_key"),
            secret_key=row.get("secret_key"),
        )


def _bytes_to_json(name: str, value: bytes | None) -> dict[str, Json]:
    if value is None:
        return {}
    try:
        return {name: value.decode("utf-8")}
    except UnicodeDecodeError:
        return {f"{name}64": base64.b64encode(value).decode("ascii")}


def _bytes_from_json(name: str, row: Mapping[str, Json]) -> bytes | None:
    if f"{name}64" in row:
        return base64.b64decode(row[f"{name}64"])
    text: str | None = row.get(name)
    return None if text is None else text.encode("utf-8")


@dataclass(frozen=True, slots=True)
class RawReply:
    """An HTTP answer as it came: status, reason, headers in order with their spelling, body bytes as sent."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name in any case, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


def encode(body: Json) -> bytes:
    """The JSON bytes of a request body; what orjson refuses (lone surrogates, huge integers) goes as ASCII JSON."""
    try:
        return orjson.dumps(body)
    except TypeError:
        return json.dumps(body).encode("ascii")


def call_headers(call: Call) -> list[tuple[str, str]]:
    """The headers that say what is called, as SDKs send them; host, date and signature are the transport's."""
    service, name = address(call.operation)
    return [("Content-Type", service.content_type), ("X-Amz-Target", f"{service.prefix}.{name}")]


def merge_headers(usual: list[tuple[str, str]], raw: RawRequest) -> list[tuple[str, str]]:
    """The usual headers less those that ``raw`` names, then those it gives."""
    named = {name.lower() for name, _ in raw.headers}
    kept = [(name, value) for name, value in usual if name.lower() not in named]
    return kept + [(name, value) for name, value in raw.headers if value is not None]


def parse_reply(answer: RawReply) -> Reply:
    """The reply in an HTTP answer; ``Lost("garbage: …")`` when it cannot be read or its checksum is wrong."""
    body = answer.body
    claimed = answer.header("x-amz-crc32")
    if claimed is not None and claimed.strip() != str(zlib.crc32(body)):
        return _garbage(answer, f"x-amz-crc32 is {claimed!r}, the body's is {zlib.crc32(body)}")
    if (answer.header("content-encoding") or "").strip().lower() == "gzip":
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            return _garbage(answer, "not gzip")
    if not body:
        return Success(None) if answer.status < 300 else _refusal(answer, {})
    try:
        parsed = _decode(body)
    except (ValueError, RecursionError):
        bare = _BARE_XML.fullmatch(body)
        if bare is not None and answer.status >= 300:
            return Refusal(bare[1].decode("ascii"), None, answer.status)
        return _garbage(answer, f"not JSON: {_quote(body)}")
    if answer.status < 300:
        return Success(parsed)
    if not isinstance(parsed, dict):
        return _garbage(answer, f"an error that is no object: {_quote(body)}")
    return _refusal(answer, parsed)


# The front door answers a wrong content type with one empty XML element (dataplane:WIRE-4).
_BARE_XML = re.compile(rb"<([A-Za-z]+)/>\s*")


def _decode(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        # Lone surrogates and NaN are no JSON to orjson, but boto3's parser reads them.
        return json.loads(body)


def _refusal(answer: RawReply, body: dict[str, Any]) -> Reply:
    fields = dict(body)
    kind = fields.pop("__type", None)
    if not isinstance(kind, str):
        kind = answer.header("x-amzn-errortype")
        if kind is None and answer.status >= 500:
            return _garbage(answer, f"an error without a type: {_quote(answer.body)}")
    code = (kind or "").rpartition("#")[2].partition(":")[0]
    message = None
    for name in ("message", "Message"):
        if isinstance(fields.get(name), str):
            message = fields.pop(name)
            break
    return Refusal(code, message, answer.status, fields)


def _garbage(answer: RawReply, what: str) -> Lost:
    return Lost(f"garbage: status {answer.status}: {what}")


def _quote(body: bytes) -> str:
    text = body[: QUOTE_LIMIT * 4].decode("utf-8", "replace")
    return repr(text[:QUOTE_LIMIT])
