"""Calls below the SDK: what the front door makes of the bytes, before any operation sees them."""

from __future__ import annotations

from conformance.targets.raw import RawRequest, call_headers, encode, merge_headers
from reference.api import Call
from reference.operations import OPERATIONS
from reference.rules import Violation, every
from reference.signature import Request
from reference.wire import FrontDoor

_DOOR = FrontDoor(frozenset(OPERATIONS))
_SIGNED = (
    b"AWS4-HMAC-SHA256 Credential=dynoracle/20260101/us-east-1/dynamodb/aws4_request, "
    b"SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" + b"0" * 64
)


def judgeable(raw: RawRequest) -> bool:
    """Whether the front door's answer to a raw request can be told: ordinary POSTs with other headers or bytes."""
    return raw.method == "POST" and raw.path == "/" and raw.exact is None and raw.signed and not raw.pad


def received(call: Call, raw: RawRequest, now: float) -> tuple[tuple[Violation, ...], Call | None]:
    """The front door's violations, and the call it hands on if it can read one. Signatures are taken for good."""
    headers = {n.lower().encode(): v.encode() for n, v in merge_headers(call_headers(call), raw)}
    headers.setdefault(b"authorization", _SIGNED)
    headers.setdefault(b"x-amz-date", b"20260101T000000Z")
    body = encode(call.body) if raw.body is None else raw.body
    found, read = every(_DOOR.checks(Request(b"POST", b"/", headers, body), now))
    return tuple(found), read
