"""Requests at the front door, and what tests look at in its answers."""

from __future__ import annotations

import json
from typing import Any

from reference.api import Call
from reference.rules import every
from reference.signature import Request
from reference.wire import JSON_1_0, FrontDoor

NOW = 1_763_806_200.0  # 2025-11-22T10:10:00Z
SIGNED = (
    b"AWS4-HMAC-SHA256 Credential=a/20251122/us-east-1/dynamodb/aws4_request, "
    b"SignedHeaders=host;x-amz-date, Signature=b"
)
OPERATIONS = ("ListTables", "PutItem", "GetItem", "TagResource", "DescribeStream")


def make(body: bytes = b"{}", *, method: bytes = b"POST", url: bytes = b"/", **changes: bytes | None) -> Request:
    """A well-formed ListTables request; keywords replace headers, None removes one."""
    headers: dict[bytes, bytes] = {
        b"host": b"localhost",
        b"content-type": JSON_1_0,
        b"x-amz-target": b"DynamoDB_20120810.ListTables",
        b"x-amz-date": b"20251122T101000Z",
        b"authorization": SIGNED,
    }
    for name, value in changes.items():
        key = name.replace("_", "-").encode()
        headers.pop(key, None)
        if value is not None:
            headers[key] = value
    return Request(method, url, headers, body)


def ask(request: Request, door: FrontDoor | None = None, now: float = NOW) -> Any:
    """The call, or (status, body as JSON) of the front door's answer."""
    got = (door or FrontDoor(OPERATIONS)).receive(request, now)
    return got if isinstance(got, Call) else (got.status, json.loads(got.body))


def error(code: str, message: str | None = None, status: int = 400) -> tuple[int, dict[str, str]]:
    body = {"__type": f"com.amazon.coral.service#{code}"}
    return status, body if message is None else {**body, "message": message}


def rules(request: Request, door: FrontDoor | None = None, now: float = NOW) -> list[str]:
    return [found.rule.name for found in every((door or FrontDoor(OPERATIONS)).checks(request, now))[0]]
