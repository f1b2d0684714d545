"""Who sends a request: AWS Signature Version 4, checked in the service's order and with its texts."""

from __future__ import annotations

import email.utils
import functools
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

from reference.rules import Checks, ledger, violation

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "dynamodb"
TERMINATOR = "aws4_request"
CLOCK_SKEW_MINUTES = 15
"""How far a signature's date may lie from the service's clock."""

_COMMON = re.compile(rb"AWS4-HMAC-SHA256 Credential=[^, =]+, ?SignedHeaders=[^, =]+, ?Signature=[^, =]+\Z")
_BASIC_FORMAT = re.compile(r"\d{8}T\d{6}Z\Z", re.ASCII)
_QUERY_PARTS = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it arrived.

    ``url`` is the request target (path and query). ``headers`` maps lower-case names to their first value, ``repeated``
    holds the further values of names sent more than once, in order. ``body`` is as sent: dechunked, still compressed.
    """

    method: bytes
    url: bytes
    headers: Mapping[bytes, bytes]
    body: bytes = b""
    repeated: tuple[tuple[bytes, bytes], ...] = ()

    def values(self, name: bytes) -> list[bytes]:
        """All values of a header, given its lower-case name, in the order they were sent."""
        first = [self.headers[name]] if name in self.headers else []
        return first + [value for other, value in self.repeated if other == name]


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says about its signature; ``moment`` is the signing time in epoch seconds, None if unreadable."""

    algorithm: str
    credential: str
    signature: str
    signed_headers: tuple[str, ...]
    date: str
    moment: float | None
    minutes: int
    query: tuple[tuple[str, str], ...]


def authenticate(
    request: Request,
    now: float,
    region: str,
    credentials: Mapping[str, str] | None = None,
    service: str = SERVICE,
) -> Checks[None]:
    """Check that a request is signed, and signed rightly where ``credentials`` (key id → secret) are given.

    Without credentials a request passes when all parts of a signature are there, whatever they say.
    ``now`` is in epoch seconds, ``service`` the name that a signature's scope must have. Source: dataplane:WIRE-10 to
    WIRE-12.
    """
    header = request.headers.get(b"authorization", b"")
    query = _query(request.url)
    if header and any(name == "X-Amz-Algorithm" for name, _ in query):
        yield violation("wire.two-signatures")
        return
    if header:
        if not header.startswith(b"AWS4-"):
            yield violation("wire.missing-authentication-token")
            return
        if credentials is None and _COMMON.match(header) and b"x-amz-date" in request.headers:
            return
        claim = yield from _header_claim(request, header.decode("latin-1"), query)
    elif any(name == "X-Amz-Algorithm" for name, _ in query):
        claim = yield from _query_claim(query)
    else:
        yield violation("wire.missing-authentication-token")
        return
    if claim is not None and credentials is not None:
        yield from _verify(request, claim, now, region, credentials, service)


def _query(url: bytes) -> tuple[tuple[str, str], ...]:
    _, mark, text = url.partition(b"?")
    if not mark:
        return ()
    return tuple(parse_qsl(text.decode("latin-1"), keep_blank_values=True, encoding="utf-8", errors="replace"))


def _header_claim(request: Request, header: str, query: tuple[tuple[str, str], ...]) -> Checks[_Claim | None]:
    algorithm, *rest = (part for part in re.split(r"[,\s]+", header) if part)
    parts = dict(part.partition("=")[::2] for part in rest)
    words = ledger()
    missing = "".join(
        (words["wire.authorization-part"].message or "").format(part=part)
        for part in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(part)
    )
    date = request.headers.get(b"x-amz-date") or request.headers.get(b"date") or b""
    if not date:
        missing += words["wire.authorization-date"].message or ""
    if missing:
        yield violation("wire.incomplete-authorization", missing=missing, header=header)
        return None
    text = date.decode("latin-1")
    moment = _moment(text)
    return _Claim(
        algorithm, parts["Credential"], parts["Signature"], tuple(parts["SignedHeaders"].split(";")),
        text if moment is None else _basic(moment), moment, CLOCK_SKEW_MINUTES, query,
    )  # fmt: skip


def _query_claim(query: tuple[tuple[str, str], ...]) -> Checks[_Claim | None]:
    given = dict(query)
    missing = "".join(
        (ledger()["wire.query-part"].message or "").format(part=part) for part in _QUERY_PARTS if not given.get(part)
    )
    if missing:
        yield violation("wire.incomplete-query", missing=missing)
        return None
    algorithm, credential, signature, signed_headers, date = (given[part] for part in _QUERY_PARTS)
    expires = given.get("X-Amz-Expires", "")
    minutes = int(expires) // 60 if re.fullmatch(r"\d{1,6}", expires, re.ASCII) else CLOCK_SKEW_MINUTES
    signed = tuple(signed_headers.split(";"))
    rest = tuple((name, value) for name, value in query if name != "X-Amz-Signature")
    return _Claim(algorithm, credential, signature, signed, date, _moment(date), minutes, rest)


def _verify(
    request: Request, claim: _Claim, now: float, region: str, credentials: Mapping[str, str], called: str
) -> Checks[None]:
    yield from _check_date(claim, now)
    if "host" not in (name.lower() for name in claim.signed_headers):
        yield violation("wire.host-not-signed")
    if claim.algorithm != ALGORITHM:
        yield violation("wire.signature-algorithm", algorithm=claim.algorithm)
    elements = claim.credential.rstrip("/").split("/")
    if len(elements) != 5:
        yield violation("wire.credential-elements", credential=claim.credential)
        return
    key_id, day, scoped_region, service, terminator = elements
    wrong = _scope_errors(claim, (day, scoped_region, service, terminator), region, called)
    if wrong:
        yield violation("wire.credential-scope", wrong=wrong)
    secret = credentials.get(key_id)
    if secret is None:
        yield violation("wire.unknown-access-key")
        return
    signed = _signatures(request, claim, secret, (day, scoped_region, called, TERMINATOR))
    if not any(hmac.compare_digest(claim.signature.encode(), valid.encode()) for valid in signed):
        yield violation("wire.wrong-signature")
    elif b"x-amz-security-token" in request.headers or any(name == "X-Amz-Security-Token" for name, _ in claim.query):
        yield violation("wire.security-token")


def _check_date(claim: _Claim, now: float) -> Checks[None]:
    if claim.moment is None:
        yield violation("wire.signature-date", date=claim.date)
        return
    late, early = now - claim.minutes * 60, now + CLOCK_SKEW_MINUTES * 60
    if claim.moment < late:
        bounds = {"limit": _basic(late), "now": _basic(now), "minutes": claim.minutes}
        yield violation("wire.signature-expired", date=claim.date, **bounds)
    elif claim.moment > early:
        bounds = {"limit": _basic(early), "now": _basic(now), "minutes": CLOCK_SKEW_MINUTES}
        yield violation("wire.signature-early", date=claim.date, **bounds)


def _scope_errors(claim: _Claim, scope: tuple[str, str, str, str], expected: str, called: str) -> str:
    words = ledger()
    day, region, service, terminator = scope
    wrong = []
    if region != expected:
        wrong.append((words["wire.scope-region"].message or "").format(region=region))
    if service != called:
        wrong.append(words["wire.scope-service"].message or "")
    if terminator != TERMINATOR:
        wrong.append((words["wire.scope-terminator"].message or "").format(terminator=terminator))
    if claim.moment is not None and day != claim.date[:8]:
        wrong.append((words["wire.scope-date"].message or "").format(scope=day, day=claim.date[:8], date=claim.date))
    return "".join(wrong)


def _signatures(request: Request, claim: _Claim, secret: str, scope: tuple[str, ...]) -> list[str]:
    # The canonical form lists headers by name; a client that signed them in another order is understood as well.
    names = tuple(name.lower() for name in claim.signed_headers)
    orders = dict.fromkeys((tuple(sorted(names)), names))
    key = _signing_key(secret, scope)
    return [_signature(request, claim, order, "/".join(scope), key) for order in orders]


def _signature(request: Request, claim: _Claim, names: tuple[str, ...], scope: str, key: bytes) -> str:
    path = request.url.partition(b"?")[0].decode("latin-1") or "/"
    query = "&".join(sorted(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in claim.query))
    lines = [f"{name}:{_canonical_value(request, name)}\n" for name in names]
    payload = hashlib.sha256(request.body).hexdigest()
    method = request.method.decode("latin-1")
    canonical = "\n".join((method, quote(path, safe="/~"), query, "".join(lines), ";".join(names), payload))
    digest = hashlib.sha256(canonical.encode("latin-1", "replace")).hexdigest()
    text = f"{ALGORITHM}\n{claim.date}\n{scope}\n{digest}"
    return hmac.digest(key, text.encode("latin-1", "replace"), "sha256").hex()


def _canonical_value(request: Request, name: str) -> str:
    values = request.values(name.encode("latin-1", "replace"))
    return ",".join(" ".join(value.decode("latin-1").split()) for value in values)


@functools.lru_cache(maxsize=64)
def _signing_key(secret: str, scope: tuple[str, ...]) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _moment(date: str) -> float | None:
    """Epoch seconds of a signing date: ISO 8601 basic format or the form of a ``Date`` header."""
    try:
        if _BASIC_FORMAT.match(date):
            return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        stamp = email.utils.parsedate_to_datetime(date)
        return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _basic(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y%m%dT%H%M%SZ")
