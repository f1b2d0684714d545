"""Authentication at the front door: expectations are from dataplane.md §1 and messages.md §0."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from reference.api import Call
from reference.signature import Request
from reference.wire import FrontDoor
from tests.unit.wire_requests import NOW, OPERATIONS, SIGNED, ask, error, make, rules


def test_missing_authentication() -> None:
    missing = error("MissingAuthenticationTokenException", "Request is missing Authentication Token")
    assert ask(make(authorization=None)) == missing
    assert ask(make(authorization=b"")) == missing
    assert ask(make(authorization=b"AWS4")) == missing
    assert ask(make(authorization=b"X", url=b"/?X-Amz-Algorith")) == missing
    url = b"/?X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-SignedHeaders=c&X-Amz-Date=d"
    assert ask(make(authorization=None, url=url)) == missing


def test_authentication_twice() -> None:
    twice = error(
        "InvalidSignatureException",
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    )
    assert ask(make(authorization=b"X", url=b"/?X-Amz-Algorithm")) == twice
    assert ask(make(url=b"/?a=b&X-Amz-Algorithm=c")) == twice


@pytest.mark.parametrize(
    ("header", "date", "message"),
    [
        (
            b"AWS4-", None,
            "Authorization header requires 'Credential' parameter. "
            "Authorization header requires 'Signature' parameter. "
            "Authorization header requires 'SignedHeaders' parameter. "
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
            "Authorization=AWS4-",
        ),
        (
            b"AWS4- Signature=b Credential=a", b"a",
            "Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4- Signature=b Credential=a",
        ),
        (
            b"AWS4- Signature=b,Credential=a", b"a",
            "Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4- Signature=b,Credential=a",
        ),
        (
            b"AWS4- Signature=b, Credential=a", b"a",
            "Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4- Signature=b, Credential=a",
        ),
    ],
)  # fmt: skip
def test_incomplete_header(header: bytes, date: bytes | None, message: str) -> None:
    request = make(authorization=header, x_amz_date=None, date=date)
    assert ask(request) == error("IncompleteSignatureException", message)


def test_incomplete_query() -> None:
    must = "AWS query-string parameters must include '{}'. "
    parts = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
    assert ask(make(authorization=None, url=b"/?X-Amz-Algorithm")) == error(
        "IncompleteSignatureException",
        "".join(must.format(part) for part in parts) + "Re-examine the query-string parameters.",
    )
    url = b"/?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Signature=c&X-Amz-Date=d"
    assert ask(make(authorization=None, url=url)) == error(
        "IncompleteSignatureException",
        "AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the query-string parameters.",
    )
    assert ask(make(authorization=None, url=url + b"&X-Amz-SignedHeaders=e")) == Call("ListTables", {})


def test_without_credentials_a_signature_only_has_to_be_there() -> None:
    for header in (
        SIGNED,
        b"AWS4-HMAC-SHA256 Credential=a,Signature=b,SignedHeaders=c",
        b"AWS4-x Credential=a Signature=b SignedHeaders=c",
    ):
        assert ask(make(authorization=header)) == Call("ListTables", {})
    assert ask(make(x_amz_date=None, date=b"a")) == Call("ListTables", {})


VERIFYING = FrontDoor(OPERATIONS, credentials={"key": "secret", "other": "secret2"})


def sign(
    request: Request, key: str = "key", secret: str = "secret", token: str | None = None, region: str = "us-east-1"
) -> Request:
    """The request as botocore signs it, at 2025-11-22T10:10:00Z."""
    auth = SigV4Auth(Credentials(key, secret, token), "dynamodb", region)
    plain = {name.decode(): value.decode() for name, value in request.headers.items() if name != b"authorization"}
    out = AWSRequest("POST", "http://localhost" + request.url.decode(), data=request.body, headers=plain)
    out.context["timestamp"] = "20251122T101000Z"
    if token is not None:
        out.headers["X-Amz-Security-Token"] = token
    canonical = auth.canonical_request(out)
    signature = auth.signature(auth.string_to_sign(out, canonical), out)
    auth._inject_signature_to_request(out, signature)
    headers = {name.lower().encode(): str(value).encode() for name, value in out.headers.items()}
    return Request(request.method, request.url, headers, request.body)


def change(request: Request, **headers: bytes) -> Request:
    changed = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return Request(request.method, request.url, {**request.headers, **changed}, request.body)


def test_a_right_signature_is_accepted() -> None:
    assert ask(sign(make(b'{"Limit": 1}')), VERIFYING) == Call("ListTables", {"Limit": 1})
    assert ask(sign(make(url=b"/a%20b/?q=%2F&b&a=1")), VERIFYING) == Call("ListTables", {})
    assert ask(sign(make(), "other", "secret2"), VERIFYING) == Call("ListTables", {})
    assert ask(sign(make()), VERIFYING, NOW + 899) == Call("ListTables", {})


def test_spacing_order_and_case_do_not_matter_to_a_signature() -> None:
    signed = sign(make(user_agent=b"a b", accept_encoding=b"gzip, deflate, br"))
    spaced = change(signed, accept_encoding=b"  gzip,   deflate,    br  ", user_agent=b" a   b ")
    assert ask(spaced, VERIFYING) == Call("ListTables", {})
    text = signed.headers[b"authorization"]
    assert b", SignedHeaders=" in text
    assert ask(change(signed, authorization=text.replace(b", ", b",")), VERIFYING) == Call("ListTables", {})
    assert ask(change(signed, authorization=text.replace(b", ", b" ")), VERIFYING) == Call("ListTables", {})
    algorithm, credential, headers, signature = text.replace(b",", b"").split(b" ")
    names = headers.removeprefix(b"SignedHeaders=").split(b";")
    shuffled = b"SignedHeaders=" + b";".join(name.title() for name in reversed(names))
    for parts in ([algorithm, signature, shuffled, credential], [algorithm, shuffled, credential + b"/", signature]):
        assert ask(change(signed, authorization=b" ".join(parts)), VERIFYING) == Call("ListTables", {})


def test_a_repeated_header_is_signed_as_a_list() -> None:
    signed = sign(make(accept_encoding=b"identity,gzip"))
    headers = {**signed.headers, b"accept-encoding": b"identity"}
    repeated = Request(b"POST", b"/", headers, signed.body, ((b"accept-encoding", b" gzip"),))
    assert ask(repeated, VERIFYING) == Call("ListTables", {})


def test_a_wrong_signature_is_refused() -> None:
    wrong = error(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.",
    )
    signed = sign(make(b'{"Limit": 1}'))
    assert ask(sign(make(), secret="wrong"), VERIFYING) == wrong
    assert ask(Request(b"POST", b"/", signed.headers, b'{"Limit": 2}'), VERIFYING) == wrong
    assert ask(Request(b"POST", b"/other", signed.headers, signed.body), VERIFYING) == wrong
    assert ask(change(signed, host=b"elsewhere"), VERIFYING) == wrong


def test_an_unknown_key_is_not_recognised() -> None:
    unknown = error("UnrecognizedClientException", "The security token included in the request is invalid.")
    assert ask(sign(make(), key="nobody"), VERIFYING) == unknown
    assert ask(sign(make(), token="t"), VERIFYING) == error(
        "UnrecognizedClientException", "The security token included in the request is invalid"
    )


def test_old_and_future_signatures() -> None:
    old = change(
        make(x_amz_date=b"20170101T010101Z"),
        authorization=b"AWS4-HMAC-SHA256 Credential=alternator/2/3/4/aws4_request SignedHeaders=x-amz-date;host "
        b"Signature=123",
    )
    assert ask(old, VERIFYING) == error(
        "InvalidSignatureException",
        "Signature expired: 20170101T010101Z is now earlier than 20251122T095500Z (20251122T101000Z - 15 min.)",
    )
    assert ask(change(old, x_amz_date=b"30200101T010101Z"), VERIFYING) == error(
        "InvalidSignatureException",
        "Signature not yet current: 30200101T010101Z is still later than 20251122T102500Z (20251122T101000Z + 15 min.)",
    )
    assert ask(change(old, x_amz_date=b"201"), VERIFYING) == error(
        "IncompleteSignatureException",
        "Date must be in ISO-8601 'basic format'. Got '201'. See http://en.wikipedia.org/wiki/ISO_8601",
    )
    assert ask(sign(make()), VERIFYING, NOW + 901)[1]["message"].startswith("Signature expired")


def test_the_scope_of_a_signature() -> None:
    def claim(text: str) -> Any:
        return ask(make(authorization=text.encode()), VERIFYING)

    rest = "SignedHeaders=Host, Signature=b"
    assert claim("AWS4-HMAC-SHA256 Credential=key, SignedHeaders=date, Signature=b") == error(
        "InvalidSignatureException", "'Host' must be a 'SignedHeader' in the AWS Authorization."
    )
    assert claim(f"AWS4-HMAC-SHA25 Credential=a/b/c/d, {rest}") == error(
        "IncompleteSignatureException",
        "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25' (only AWS4-HMAC-SHA256 for now). ",
    )
    assert claim(f"AWS4-HMAC-SHA256 Credential=a/b/c/d/, {rest}") == error(
        "IncompleteSignatureException",
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c/d/'",
    )
    assert claim(f"AWS4-HMAC-SHA256 Credential=a/b/c/d/e, {rest}") == error(
        "InvalidSignatureException",
        "Credential should be scoped to a valid region, not 'c'. "
        "Credential should be scoped to correct service: 'dynamodb'. "
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. "
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        "'b' != '20251122', from '20251122T101000Z'.",
    )
    assert ask(sign(make(), region="eu-west-1"), VERIFYING)[1]["message"] == (
        "Credential should be scoped to a valid region, not 'eu-west-1'. "
    )


def test_a_signature_in_the_query_string(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime(2025, 11, 22, 10, 10))
    out = AWSRequest("POST", "http://localhost/", headers={"content-type": "application/x-amz-json-1.0"})
    SigV4QueryAuth(Credentials("key", "secret"), "dynamodb", "us-east-1", expires=120).add_auth(out)
    request = make(b"", url=out.url.removeprefix("http://localhost").encode(), authorization=None, x_amz_date=None)
    assert rules(request, VERIFYING) == ["wire.empty-body"]
    assert rules(Request(b"POST", request.url, request.headers, b"{}"), VERIFYING) == ["wire.wrong-signature"]
    assert rules(request, VERIFYING, NOW + 121) == ["wire.signature-expired", "wire.empty-body"]
