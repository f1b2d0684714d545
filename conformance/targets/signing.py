"""AWS Signature Version 4 as botocore computes it, with the day's key kept."""

from __future__ import annotations

import functools
import hashlib
import hmac
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from botocore.utils import normalize_url_path

_PREFIX = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key. Its repr does not show the secret, so that none gets into a trace or a log."""

    access_key: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key[:4]}…)"


FAKE = Credentials("dynoracle", "dynoracle")
"""What loopback endpoints get: letters only, as DynamoDB Local demands of an access key."""


@functools.lru_cache(maxsize=64)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


@functools.lru_cache(maxsize=4)
def _stamp(second: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))


def amz_date(moment: float) -> str:
    """A moment (epoch seconds) as X-Amz-Date writes it, for example ``20261001T120000Z``."""
    return _stamp(int(moment))


def is_signed_header(name: str) -> bool:
    """Whether we sign a header of that lower-case name: what says who, where and what is called."""
    return name in ("host", "content-type") or name.startswith("x-amz-")


def authorization(
    credentials: Credentials,
    *,
    region: str,
    service: str,
    date: str,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]],
    payload: bytes,
) -> str:
    """The Authorization header for a request whose ``headers`` are as they will be sent, X-Amz-Date included.

    ``target`` is the request target (path and query), ``date`` the X-Amz-Date that is signed.
    """
    signed = sorted(_by_name(headers).items())
    names = ";".join(name for name, _ in signed)
    lines = "".join(f"{name}:{value}\n" for name, value in signed)
    path, _, query = target.partition("?")
    canonical_path = "/" if path == "/" else quote(normalize_url_path(path), safe="/~")
    hashed = hashlib.sha256(payload).hexdigest()
    canonical = f"{method}\n{canonical_path}\n{_canonical_query(query)}\n{lines}\n{names}\n{hashed}"
    day = date[:8]
    scope = f"{day}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    key = _signing_key(credentials.secret_key, day, region, service)
    signature = hmac.digest(key, f"{_PREFIX}\n{date}\n{scope}\n{digest}".encode(), "sha256").hex()
    return f"{_PREFIX} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"


def _by_name(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        if is_signed_header(lower):
            trimmed = " ".join(value.split())
            found[lower] = f"{found[lower]},{trimmed}" if lower in found else trimmed
    return found


def _canonical_query(query: str) -> str:
    if not query:
        return ""
    pairs: Sequence[tuple[str, str]] = sorted((k, v) for k, _, v in (part.partition("=") for part in query.split("&")))
    return "&".join(f"{key}={value}" for key, value in pairs)
