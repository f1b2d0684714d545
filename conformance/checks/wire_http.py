"""Checks of the front door: what an HTTP request must be before it is a call, and what answers look like."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Mapping
from typing import Any

from conformance.checks.base import T0, Check, Expected, Http, Refused
from conformance.checks.steps import KEY, PLAIN, b, deep, put, s
from conformance.program import Step
from reference.api import Json

_NOTHING: Mapping[str, Json] = {}
_UNKNOWN_XML = Http(404, body="<UnknownOperationException/>\n", headers={"x-amz-crc32": "3552371480"})
_SERVICE = "com.amazon.coral.service#"
_NOT_JSON = Http(400, body=f'{{"__type":"{_SERVICE}SerializationException"}}', headers={"x-amz-crc32": "3948637019"})
_UNKNOWN = Http(400, body=f'{{"__type":"{_SERVICE}UnknownOperationException"}}')
_FAILURE = Refused("InternalServerError")
_JSON = "application/x-amz-json-1.0"


def raw(operation: str = "ListTables", body: Json = None, **request: Any) -> Step:
    """A call whose HTTP request differs from an SDK's: see ``RawRequest``."""
    headers = [list(pair) for pair in request.pop("headers", {}).items()]
    more = {"headers": headers} if headers else {}
    return Step(operation, {} if body is None else body, {**request, **more})


def _packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


def door(
    rule: str,
    when: Step,
    then: Expected,
    control: Step | None = None,
    *,
    name: str = "",
    tables: Mapping[str, Json] = _NOTHING,
    given: tuple[Step, ...] = (),
    needs: str = "",
) -> Check:
    """A check of the front door, without a table by default."""
    return Check(rule, when, then, tables, given, control, name, needs)


_LIST = raw()
_GET = {"TableName": T0, "Key": KEY}

METHODS: tuple[Check, ...] = (
    door("wire.other-method", raw(method="PUT"), _UNKNOWN_XML, _LIST, name="PUT"),
    door("wire.other-method", raw(method="DELETE"), _UNKNOWN_XML, _LIST, name="DELETE"),
    door("wire.method", raw(method="GET", path="/abc"), Http(404), _LIST, name="GET of another path"),
    door(
        "wire.content-type",
        raw(headers={"Content-Type": "application/x-amz-json-1.1"}),
        _UNKNOWN_XML,
        raw(headers={"Content-Type": "application/json"}),
        name="JSON 1.1",
    ),
    door(
        "wire.content-type",
        raw(headers={"Content-Type": None}),
        _UNKNOWN_XML,
        raw(headers={"Content-Type": "application/json; charset=utf-8"}),
        name="none",
    ),
    door(
        "wire.content-type",
        raw(headers={"Content-Type": "text/plain"}),
        _UNKNOWN_XML,
        raw(headers={"Content-Type": f"{_JSON};x"}),
        name="text",
    ),
    door(
        "wire.health",
        raw(method="GET", signed=False, headers={"Content-Type": None, "X-Amz-Target": None}),
        Http(200, matches=r"healthy: dynamodb\.[a-z0-9-]+\.amazonaws\.com "),
    ),
    door(
        "wire.cors",
        raw(headers={"Origin": "https://example.com"}),
        Http(200, headers={"access-control-allow-origin": r"\*"}),
        name="POST",
    ),
    door(
        "wire.cors",
        raw(
            method="OPTIONS",
            signed=False,
            headers={
                "Content-Type": None,
                "X-Amz-Target": None,
                "Origin": "https://example.com",
                "Access-Control-Request-Headers": "x-amz-target",
                "Access-Control-Request-Method": "POST",
            },
        ),
        Http(
            200,
            body="",
            headers={
                "access-control-allow-origin": r"\*",
                "access-control-allow-headers": "x-amz-target",
                "access-control-allow-methods": "POST",
                "access-control-max-age": "172800",
            },
        ),
        name="preflight",
    ),
    door("wire.cors", _LIST, Http(200, headers={"access-control-allow-origin": None}), name="no Origin"),
)

_MEMBER = gzip.compress(b" " * (1024 * 1024), 1, mtime=0)
_BOMB = _packed(_MEMBER * 16 + gzip.compress(b'{"Limit":1}', mtime=0))
_LIMIT_ONE = b'{"Limit":1}'
_GZIP = {"Content-Encoding": "gzip"}
_DEFLATE = {"Content-Encoding": "deflate"}

BODIES: tuple[Check, ...] = (
    door(
        "wire.content-encoding",
        raw(headers={"Content-Encoding": "br"}),
        _FAILURE,
        raw(headers=_GZIP, body64=_packed(gzip.compress(b"{}", mtime=0))),
    ),
    door(
        "wire.compressed-body",
        raw(headers=_GZIP),
        _FAILURE,
        raw(headers=_GZIP, body64=_packed(gzip.compress(b"{}", mtime=0))),
        name="plain",
    ),
    door(
        "wire.compressed-body",
        raw(headers=_GZIP, body64=_packed(gzip.compress(_LIMIT_ONE, mtime=0)[:-1])),
        _FAILURE,
        raw(headers=_GZIP, body64=_packed(gzip.compress(_LIMIT_ONE, mtime=0))),
        name="cut short",
    ),
    door(
        "wire.compressed-body",
        raw(headers=_DEFLATE),
        _FAILURE,
        raw(headers=_DEFLATE, body64=_packed(zlib.compress(b"{}"))),
        name="no deflate",
    ),
    door(
        "wire.decompressed-size",
        raw(headers=_GZIP, body64=_BOMB),
        _FAILURE,
        raw(headers=_GZIP, body64=_packed(_MEMBER + gzip.compress(_LIMIT_ONE, mtime=0))),
    ),
    door(
        "wire.compressed-request",
        raw(headers=_GZIP, body64=_packed(gzip.compress(b'{"Lim', mtime=0) + gzip.compress(b'it":1}', mtime=0))),
        Http(200),
        name="two members",
    ),
    door(
        "wire.compressed-request",
        raw(headers=_GZIP, body64=_packed(gzip.compress(_LIMIT_ONE, mtime=0) + b"junk")),
        Http(200),
        name="junk",
    ),
    door(
        "wire.compressed-request",
        raw(headers=_DEFLATE, body64=_packed(zlib.compress(_LIMIT_ONE))),
        Http(200),
        name="deflate",
    ),
    door("wire.not-json", Step("ListTables", {}, {"body": "{"}), _NOT_JSON, _LIST, name="cut short"),
    door("wire.not-json", Step("ListTables", {}, {"body": "not JSON"}), _NOT_JSON, _LIST, name="words"),
    door(
        "wire.front-door-order",
        Step("ListTables", {}, {"body": "{", "signed": False, "headers": [["X-Amz-Target", "Nope"]]}),
        _NOT_JSON,
        _LIST,
        name="JSON before target and signature",
    ),
    door(
        "wire.unknown-operation",
        raw(headers={"X-Amz-Target": "DynamoDB_20120810.ListTable"}),
        _UNKNOWN,
        _LIST,
        name="misspelt",
    ),
    door("wire.unknown-operation", raw(headers={"X-Amz-Target": None}), _UNKNOWN, _LIST, name="none"),
    door(
        "wire.target-form",
        raw(headers={"X-Amz-Target": "DynamoDB_20120810.ListTables.More"}),
        _UNKNOWN,
        _LIST,
        name="three parts",
    ),
    door(
        "wire.target-form",
        raw(headers={"X-Amz-Target": "DynamoDB_20991231.ListTables"}),
        _UNKNOWN,
        _LIST,
        name="other version",
    ),
    door(
        "wire.front-door-order",
        raw(signed=False, headers={"X-Amz-Target": "Nope"}),
        _UNKNOWN,
        _LIST,
        name="target before signature",
    ),
    door(
        "wire.empty-body",
        Step("ListTables", {}, {"body": ""}),
        Http(400, matches=r'\{"__type":"com\.amazon\.coral\.service#SerializationException"\}'),
        _LIST,
    ),
    *(
        door(
            "wire.not-an-object",
            Step("ListTables", {}, {"body": text}),
            Refused("SerializationException"),
            _LIST,
            name=text,
        )
        for text in ("[]", "null", '"x"')
    ),
    door("wire.body-size", raw(pad=16 * 1024 * 1024 + 1), Http(413), raw(pad=16 * 1024 * 1024)),
    door(
        "wire.head-size",
        raw(headers={"X-Filler": "x" * 16_384}),
        Http(400),
        raw(headers={"X-Filler": "x" * 8_192}),
        name="headers",
    ),
    door("wire.head-size", raw(path="/?" + "x" * 16_384), Http(400), raw(path="/?" + "x" * 8_192), name="request line"),
    door("wire.malformed-http", Step("ListTables", {}, {"exact": "NONSENSE\r\n\r\n"}), Http(400), _LIST),
    door(
        "wire.duplicate-members",
        Step("GetItem", {}, {"body": f'{{"TableName":"{T0}","Key":{{"pk":{{"S":"b"}}}},"Key":{{"pk":{{"S":"a"}}}}}}'}),
        Http(200, body='{"Item":{"pk":{"S":"a"}}}'),
        tables=PLAIN,
        given=(put(),),
    ),
    door(
        "wire.invalid-text",
        Step("ListTables", {}, {"body64": _packed(b'{"ExclusiveStartTableName":"\xff\xfe\xfd"}')}),
        _NOT_JSON,
        _LIST,
    ),
    door(
        "wire.deep-json",
        Step("PutItem", {"TableName": T0, "Item": {"pk": s("a"), "v": deep(101)}}, {}),
        Refused(
            "ValidationException",
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported "
            "limit",
        ),
        tables=PLAIN,
        name="101 levels",
    ),
    door(
        "wire.json-depth",
        Step("ListTables", {}, {"body": '{"x":' + "[" * 100_000 + "]" * 100_000 + "}"}),
        Http(400),
        _LIST,
    ),
)

_DATE = r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
_HEADERS = {"x-amzn-requestid": ".+", "x-amz-crc32": r"\d+", "date": _DATE, "server": ".+", "content-type": _JSON}
_LARGE = put({"v": s("x" * 5000)})


def _accepting(encoding: str) -> Step:
    return raw("GetItem", _GET, headers={"Accept-Encoding": encoding})


ANSWERS: tuple[Check, ...] = (
    door(
        "wire.answer-type",
        raw(headers={"Content-Type": "application/json"}),
        Http(200, headers={"content-type": "application/json"}, presumes=True),
        name="plain JSON",
    ),
    door(
        "wire.answer-type",
        raw(headers={"Content-Type": f"{_JSON}; charset=utf-8"}),
        Http(200, headers={"content-type": _JSON}, presumes=True),
        name="parameters",
    ),
    door("wire.answer-type", _LIST, Http(200, headers={"content-type": _JSON}, presumes=True), name="JSON 1.0"),
    door("wire.answer-headers", _LIST, Http(200, headers=_HEADERS, presumes=True), name="success"),
    door("wire.answer-headers", raw("GetItem", {}), Http(400, headers=_HEADERS, presumes=True), name="error"),
    door(
        "wire.no-content",
        Step("PutItem", {"TableName": T0, "Item": KEY}, {}),
        Http(200, body="{}", headers={"content-length": "2"}),
        tables=PLAIN,
        name="PutItem",
    ),
    *(
        door(
            "wire.error-type",
            raw(operation, body),
            Http(400, matches=rf'.*"__type":"{kind}".*', presumes=True),
            tables=tables,
            name=name,
        )
        for name, operation, body, kind, tables in (
            ("validation", "GetItem", {}, "com\\.amazon\\.coral\\.validate#ValidationException", _NOTHING),
            (
                "modelled",
                "DescribeTable",
                {"TableName": "dynoracle-none"},
                "com\\.amazonaws\\.dynamodb\\.v20120810#ResourceNotFoundException",
                _NOTHING,
            ),
            ("service", "ListTables", [], "com\\.amazon\\.coral\\.service#SerializationException", _NOTHING),
            (
                "condition",
                "DeleteItem",
                {**_GET, "ConditionExpression": "attribute_exists(pk)"},
                "com\\.amazonaws\\.dynamodb\\.v20120810#ConditionalCheckFailedException",
                PLAIN,
            ),
        )
    ),
    door(
        "wire.message-spelling",
        raw("GetItem", {}),
        Http(400, matches=r'.*"message":".*', presumes=True),
        name="message",
    ),
    door(
        "wire.message-spelling",
        raw("ListTables", {"Limit": "x"}),
        Http(400, matches=r'.*"Message":".*', presumes=True),
        name="Message",
    ),
    door(
        "wire.message-spelling",
        raw(
            "TransactWriteItems",
            {"TransactItems": [{"ConditionCheck": {**_GET, "ConditionExpression": "attribute_exists(pk)"}}]},
        ),
        Http(400, matches=r'.*"Message":".*', presumes=True),
        tables=PLAIN,
        name="TransactionCanceledException",
    ),
    door(
        "wire.compressed-answer",
        _accepting("gzip"),
        Http(200, headers={"content-encoding": "gzip"}),
        tables=PLAIN,
        given=(_LARGE,),
        name="gzip",
    ),
    door(
        "wire.compressed-answer",
        _accepting("deflate"),
        Http(200, headers={"content-encoding": "deflate"}),
        tables=PLAIN,
        given=(_LARGE,),
        name="deflate",
    ),
    door(
        "wire.compressed-answer",
        _accepting("gzip"),
        Http(200, headers={"content-encoding": None}),
        tables=PLAIN,
        given=(put(),),
        name="short",
    ),
    door(
        "wire.compressed-answer",
        _accepting("identity"),
        Http(200, headers={"content-encoding": None}),
        tables=PLAIN,
        given=(_LARGE,),
        name="not asked for",
    ),
    door(
        "wire.numbers",
        raw("Scan", {"TableName": T0, "ReturnConsumedCapacity": "TOTAL"}),
        Http(200, matches=r'.*"Count":1[,}].*'),
        tables=PLAIN,
        given=(put(),),
        name="counts",
    ),
    door(
        "wire.numbers",
        raw("GetItem", {**_GET, "ReturnConsumedCapacity": "TOTAL"}),
        Http(200, matches=r'.*"CapacityUnits":0\.5[,}].*'),
        tables=PLAIN,
        given=(put(),),
        name="capacity",
    ),
    door(
        "wire.numbers",
        raw("GetItem", _GET),
        Http(200, matches=r'.*"v":\{"B":"AP8="\}.*'),
        tables=PLAIN,
        given=(put({"v": b("AP8=")}),),
        name="binary",
    ),
    door("wire.connection", raw(path="/any/path"), Http(200), name="POST to a path"),
    door(
        "wire.connection",
        raw(method="HEAD", signed=False, headers={"Content-Type": None, "X-Amz-Target": None}),
        Http(200, body=""),
        name="HEAD",
    ),
)

CHECKS: tuple[Check, ...] = (*METHODS, *BODIES, *ANSWERS)
