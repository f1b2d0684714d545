"""Checks of signatures: what is asked of every request, and what a service that verifies them refuses."""

from __future__ import annotations

from conformance.checks.base import Check, Refused
from conformance.checks.wire_http import door, raw

_MISSING = Refused("MissingAuthenticationTokenException", "Request is missing Authentication Token")
_HEADER = "Authorization header requires "
_DATE = f"{_HEADER}existence of either a 'X-Amz-Date' or a 'Date' header. "
_PARAMETER = "AWS query-string parameters must include "
_AGAIN = "Re-examine the query-string parameters."
_LIST = raw()


def _signed_as(text: str, **more: str | None) -> dict[str, str | None]:
    return {"Authorization": text, **more}


PARTS: tuple[Check, ...] = (
    door("wire.missing-authentication-token", raw(signed=False), _MISSING, _LIST, name="none", needs="signatures"),
    door(
        "wire.missing-authentication-token",
        raw(headers=_signed_as("Basic ZHlub3JhY2xl")),
        _MISSING,
        _LIST,
        name="another scheme",
        needs="signatures",
    ),
    door(
        "wire.two-signatures",
        raw(path="/?X-Amz-Algorithm=AWS4-HMAC-SHA256"),
        Refused(
            "InvalidSignatureException",
            "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
        ),
        raw(path="/?x=y"),
        needs="signatures",
    ),
    door(
        "wire.incomplete-authorization",
        raw(headers=_signed_as("AWS4-HMAC-SHA256", **{"X-Amz-Date": None})),
        Refused(
            "IncompleteSignatureException",
            f"{_HEADER}'Credential' parameter. {_HEADER}'Signature' parameter. {_HEADER}'SignedHeaders' parameter. "
            f"{_DATE}Authorization=AWS4-HMAC-SHA256",
        ),
        _LIST,
        name="everything",
        needs="signatures",
    ),
    door(
        "wire.incomplete-authorization",
        raw(headers=_signed_as("AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b")),
        Refused(
            "IncompleteSignatureException",
            f"{_HEADER}'Signature' parameter. Authorization=AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b",
        ),
        _LIST,
        name="signature",
        needs="signatures",
    ),
    door(
        "wire.incomplete-query",
        raw(signed=False, path="/?X-Amz-Algorithm"),
        Refused(
            "IncompleteSignatureException",
            f"{_PARAMETER}'X-Amz-Algorithm'. {_PARAMETER}'X-Amz-Credential'. {_PARAMETER}'X-Amz-Signature'. "
            f"{_PARAMETER}'X-Amz-SignedHeaders'. {_PARAMETER}'X-Amz-Date'. {_AGAIN}",
        ),
        _LIST,
        name="everything",
        needs="signatures",
    ),
    door(
        "wire.incomplete-query",
        raw(signed=False, path="/?X-Amz-Algorithm=x&X-Amz-Credential=x&X-Amz-SignedHeaders=x&X-Amz-Date=x"),
        Refused("IncompleteSignatureException", f"{_PARAMETER}'X-Amz-Signature'. {_AGAIN}"),
        _LIST,
        name="signature",
        needs="signatures",
    ),
)

_SCOPE = "20130101/eu-none-1/s3/aws5_request"
_CREDENTIAL = "AWS4-HMAC-SHA256 Credential="

VERIFIED: tuple[Check, ...] = (
    door(
        "wire.signature-date",
        raw(headers=_signed_as(f"{_CREDENTIAL}a/{_SCOPE}, SignedHeaders=host, Signature=0", **{"X-Amz-Date": "soon"})),
        Refused(
            "IncompleteSignatureException",
            "Date must be in ISO-8601 'basic format'. Got 'soon'. See http://en.wikipedia.org/wiki/ISO_8601",
        ),
        _LIST,
        needs="signatures",
    ),
    door(
        "wire.signature-expired",
        raw(headers={"X-Amz-Date": "20130101T000000Z"}),
        Refused("InvalidSignatureException", phrase="Signature expired: 20130101T000000Z is now earlier than "),
        _LIST,
        needs="signatures",
    ),
    door(
        "wire.signature-early",
        raw(headers={"X-Amz-Date": "20990101T000000Z"}),
        Refused("InvalidSignatureException", phrase="Signature not yet current: 20990101T000000Z is still later than "),
        _LIST,
        needs="signatures",
    ),
    door(
        "wire.host-not-signed",
        raw(headers=_signed_as(f"{_CREDENTIAL}a/{_SCOPE}, SignedHeaders=x-amz-date, Signature=0")),
        Refused("InvalidSignatureException", "'Host' must be a 'SignedHeader' in the AWS Authorization."),
        _LIST,
        needs="signatures",
    ),
    door(
        "wire.signature-algorithm",
        raw(headers=_signed_as(f"AWS4-FOO Credential=a/{_SCOPE}, SignedHeaders=host, Signature=0")),
        Refused(
            "IncompleteSignatureException",
            "Unsupported AWS 'algorithm': 'AWS4-FOO' (only AWS4-HMAC-SHA256 for now). ",
        ),
        _LIST,
        needs="signatures",
    ),
    door(
        "wire.credential-elements",
        raw(headers=_signed_as(f"{_CREDENTIAL}a/b/c, SignedHeaders=host, Signature=0")),
        Refused(
            "IncompleteSignatureException",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c'",
        ),
        _LIST,
        needs="signatures",
    ),
    door(
        "wire.credential-scope",
        raw(headers=_signed_as(f"{_CREDENTIAL}a/{_SCOPE}, SignedHeaders=host, Signature=0")),
        Refused(
            "InvalidSignatureException",
            phrase="Credential should be scoped to a valid region, not 'eu-none-1'. "
            "Credential should be scoped to correct service: 'dynamodb'. "
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. "
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20130101' != '",
        ),
        _LIST,
        needs="signatures",
    ),
    door(
        "wire.unknown-access-key",
        raw(access_key="NOBODYKNOWS"),
        Refused("UnrecognizedClientException", "The security token included in the request is invalid."),
        _LIST,
        needs="signatures",
    ),
    door(
        "wire.wrong-signature",
        raw(secret_key="another"),
        Refused(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details.",
        ),
        _LIST,
        needs="signatures",
    ),
    door(
        "wire.security-token",
        raw(headers={"X-Amz-Security-Token": "nonsense"}),
        Refused("UnrecognizedClientException", "The security token included in the request is invalid"),
        _LIST,
        needs="signatures",
    ),
)

CHECKS: tuple[Check, ...] = (*PARTS, *VERIFIED)
