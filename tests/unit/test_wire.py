"""The front door: expectations are from dataplane.md §1, messages.md §0 and the conflicts that override them."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from reference.api import Call, Refusal, Success
from reference.rules import ledger
from reference.signature import Request
from reference.wire import (
    JSON_1_0,
    MAX_BODY_BYTES,
    Answer,
    FrontDoor,
    encode_json,
    error_body,
    error_type,
    parse_json,
    preferred_encoding,
    request_id,
    serialize,
)
from tests.unit.wire_requests import NOW, OPERATIONS, ask, error, make, rules

XML_404 = Answer(404, b"<UnknownOperationException/>\n")


def crc(answer: Answer) -> int:
    return zlib.crc32(answer.body)


# Calls.


def test_a_well_formed_request_is_a_call() -> None:
    assert ask(make(b'{"Limit": 3}')) == Call("ListTables", {"Limit": 3})


def test_streams_have_their_own_prefix() -> None:
    assert ask(make(x_amz_target=b"DynamoDBStreams_20120810.DescribeStream")) == Call("DescribeStream", {})
    assert ask(make(x_amz_target=b"DynamoDB_20120810.DescribeStream")) == error("UnknownOperationException")
    assert ask(make(x_amz_target=b"DynamoDBStreams_20120810.ListTables")) == error("UnknownOperationException")


@pytest.mark.parametrize(
    "target",
    [None, b"whatever", b"DynamoDB_20120810.ListTable", b"DynamoDB_20120810", b"DynamoDB_20120810.ListTables.x",
     b"DynamoDB_20111205.ListTables", b"Dynamodb_20120810.ListTables", b"DynamoDB_20120810.listTables", b""],
)  # fmt: skip
def test_unknown_targets(target: bytes | None) -> None:
    assert ask(make(x_amz_target=target)) == error("UnknownOperationException")


def test_the_path_of_a_post_does_not_matter() -> None:
    assert ask(make(url=b"/any/path")) == Call("ListTables", {})


# Methods, content types, CORS, health.


@pytest.mark.parametrize("method", [b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"CONNECT"])
def test_other_methods_are_404(method: bytes) -> None:
    answer = FrontDoor(OPERATIONS).receive(make(method=method), NOW)
    assert answer == XML_404
    assert crc(XML_404) == 3552371480
    assert len(XML_404.body) == 29


@pytest.mark.parametrize(
    "kind", [None, b"whatever", b"application/x-amz-json-1.1", b"application/jsonasdf", b"text/plain", b""]
)
def test_other_content_types_are_404(kind: bytes | None) -> None:
    assert FrontDoor(OPERATIONS).receive(make(b"hi", content_type=kind), NOW) == XML_404


@pytest.mark.parametrize(
    ("given", "answered"),
    [
        (b"application/json", b"application/json"),
        (b"application/json;", b"application/json"),
        (b"  application/json  ;   asfd", b"application/json"),
        (b"application/json;charset=asfdsaf", b"application/json"),
        (b"application/x-amz-json-1.0", b"application/x-amz-json-1.0"),
        (b"application/x-amz-json-1.0;blahblah", b"application/x-amz-json-1.0"),
    ],
)
def test_the_content_type_is_echoed(given: bytes, answered: bytes) -> None:
    answer = FrontDoor(OPERATIONS).receive(make(b"hi", content_type=given), NOW)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.content_type, crc(answer)) == (400, answered, 3948637019)


def test_no_body_needs_no_content_type_and_is_answered_with_plain_json() -> None:
    answer = FrontDoor(OPERATIONS).receive(make(b"", content_type=b"application/x-amz-json-1.1"), NOW)
    assert isinstance(answer, Answer)
    assert answer.content_type == b"application/json"
    assert json.loads(answer.body) == {"__type": "com.amazon.coral.service#SerializationException"}


def test_health() -> None:
    answer = FrontDoor(OPERATIONS).receive(make(b"", method=b"GET"), NOW)
    assert answer == Answer(200, b"healthy: dynamodb.us-east-1.amazonaws.com ")
    assert crc(answer) == 3128867991
    assert FrontDoor(OPERATIONS, region="eu-west-2").receive(make(b"", method=b"HEAD", url=b"/?x"), NOW) == Answer(
        200, b"healthy: dynamodb.eu-west-2.amazonaws.com "
    )
    for path in (b"/abc", b"/-", b"/index.htm", b"/health"):
        assert FrontDoor(OPERATIONS).receive(make(b"", method=b"GET", url=path), NOW) == XML_404


def test_preflight() -> None:
    door = FrontDoor(OPERATIONS)
    answer = door.receive(make(b"", method=b"OPTIONS", origin=b"whatever"), NOW)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.content_type) == (200, b"", None)
    assert b"Access-Control-Allow-Origin: *\r\n" in answer.headers
    assert b"Access-Control-Max-Age: 172800\r\n" in answer.headers
    assert b"Allow-Headers" not in answer.headers
    request = make(
        b"", method=b"OPTIONS", origin=b"x", access_control_request_headers=b"a, b, c",
        access_control_request_method=b"d",
    )  # fmt: skip
    answer = door.receive(request, NOW)
    assert isinstance(answer, Answer)
    assert b"Access-Control-Allow-Headers: a, b, c\r\nAccess-Control-Allow-Methods: d\r\n" in answer.headers


def test_an_origin_is_allowed_on_every_answer() -> None:
    door = FrontDoor(OPERATIONS)
    refused = door.receive(make(b"{}", origin=b"whatever", x_amz_target=None), NOW)
    healthy = door.receive(make(b"", method=b"GET", origin=b"whatever"), NOW)
    succeeded = door.succeed(make(origin=b"whatever"), Success({}))
    for answer in (refused, healthy, succeeded, door.receive(make(method=b"PUT", origin=b"x"), NOW)):
        assert isinstance(answer, Answer)
        assert b"Access-Control-Allow-Origin: *\r\n" in answer.headers
        assert b"Access-Control-Expose-Headers: " in answer.headers
        assert b"Max-Age" not in answer.headers
    assert b"Access-Control" not in door.succeed(make(), Success({})).headers


# JSON.


@pytest.mark.parametrize(
    "text",
    ["}}}", "}{", "habababa", "7", "124463gwe", "><#", '"""', '{"""}', '{""}', "{7}", "{3: }}", '{"2":{}', ",", "{,}",
     "{{}}", '"a": "b"', "{{{", "{" * 10000 + "}" * 9999, "{" * 10000 + "}" * 10007, "null", "[]", "[{}]", '"x"',
     "true", "NaN", '{"a": NaN}', "{'a': 1}", "\ufeff{}", '{"a": "\\ud800"}', '{"a": "\x01"}', "{}{}", " ",
     '{"a": 1e400}'],
)  # fmt: skip
def test_not_a_json_object(text: str) -> None:
    assert ask(make(text.encode())) == error("SerializationException")


def test_every_prefix_of_a_body_is_a_serialization_error() -> None:
    body = b'{"TableName": "t", "Item": {"p": {"S": "\xc3\xa9"}, "n": {"N": "-1.5e3"}, "l": {"L": [{"BOOL": true}]}}}'
    assert ask(make(body)).operation == "ListTables"
    for end in range(len(body)):
        assert ask(make(body[:end])) == error("SerializationException"), body[:end]


def test_invalid_utf8_is_not_json() -> None:
    assert ask(make(b'{"a": "\xff"}')) == error("SerializationException")


def test_the_last_of_equal_names_counts() -> None:
    assert ask(make(b'{"a": 1, "a": {"b": 2, "b": 3}}')).body == {"a": {"b": 3}}


def test_integers_stay_exact() -> None:
    body = ask(make(b'{"a": 123456789012345678901234567890, "b": [-9223372036854775809], "c": 1.0, "d":1e30}')).body
    assert body == {"a": 123456789012345678901234567890, "b": [-9223372036854775809], "c": 1.0, "d": 1e30}
    assert [type(body[name]) for name in "acd"] == [int, float, float]
    # More digits than are ever an integer of the service: still a number, never an error.
    assert isinstance(parse_json(b'{"a":' + b"9" * 300 + b"}")["a"], int)


def test_deep_values_are_parsed() -> None:
    depth = 101
    value: Any = {"S": "x"}
    text = '{"M":{"a":' * depth + '{"S":"x"}' + "}}" * depth
    for _ in range(depth):
        value = {"M": {"a": value}}
    assert ask(make(b'{"Item":%b}' % text.encode())).body == {"Item": value}
    assert ask(make(b'{"a":' * 1023 + b"{}" + b"}" * 1023)).operation == "ListTables"
    assert ask(make(b'{"a":' * 1024 + b"{}" + b"}" * 1024)) == error("SerializationException")
    assert ask(make(b'{"a":' * 200_000 + b"{}" + b"}" * 200_000)) == error("SerializationException")
    assert isinstance(parse_json(b"[" * 1024 + b"1" * 25 + b"]" * 1024), list)


# Order (WIRE-9).


def test_the_order_of_the_front_door() -> None:
    worst = make(b"hi", content_type=b"text/plain", x_amz_target=b"x", authorization=None)
    assert rules(worst) == [
        "wire.content-type", "wire.not-json", "wire.unknown-operation", "wire.missing-authentication-token",
    ]  # fmt: skip
    assert ask(make(b"hi", x_amz_target=b"x", authorization=None)) == error("SerializationException")
    assert ask(make(x_amz_target=b"x", authorization=None)) == error("UnknownOperationException")
    assert ask(make(b"", authorization=None))[1]["__type"].endswith("MissingAuthenticationTokenException")
    assert ask(make(b"")) == error("SerializationException")
    assert rules(make(b"[]", authorization=None)) == ["wire.missing-authentication-token", "wire.not-an-object"]


def test_all_violations_of_anything_can_be_listed() -> None:
    for body in (b"", b"{}", b"[]", b"hi", b"\xff" * 100, b"[" * 5000):
        for changes in (
            {}, {"content_type": b"x", "authorization": b"AWS4-"}, {"content_encoding": b"gzip", "x_amz_target": None},
            {"authorization": b"AWS4-HMAC-SHA256 Credential=\xff/, Signature=\xff,SignedHeaders=;;\xff"},
        ):  # fmt: skip
            for url in (b"/", b"/?X-Amz-Algorithm", b"/?X-Amz-Date=%ff&%&=&X-Amz-Algorithm=\xff"):
                for method in (b"POST", b"GET"):
                    request = make(body, method=method, url=url, **changes)
                    found = rules(request, FrontDoor(OPERATIONS, credentials={"a": "b"}))
                    assert set(found) <= set(ledger())


# Compression.


def inflated(body: bytes, encoding: bytes) -> Any:
    return ask(make(body, content_encoding=encoding))


def test_compressed_requests() -> None:
    body = b'{"Limit": 3}'
    call = Call("ListTables", {"Limit": 3})
    assert inflated(gzip.compress(body, mtime=0), b"gzip") == call
    assert inflated(gzip.compress(body[:5], mtime=0) + gzip.compress(body[5:], mtime=0), b"gzip") == call
    assert inflated(gzip.compress(body, mtime=0) + b"junk", b"gzip") == call
    assert inflated(zlib.compress(body), b"deflate") == call
    assert inflated(zlib.compress(body) + b"junk", b"deflate") == call
    assert inflated(gzip.compress(body, mtime=0), b"GZIP") == call
    assert inflated(body, b"identity") == call
    big = json.dumps({"Limit": " " * (MAX_BODY_BYTES - 13)}).encode()
    assert len(big) == MAX_BODY_BYTES
    assert inflated(gzip.compress(big, 1, mtime=0), b"gzip").operation == "ListTables"
    assert inflated(gzip.compress(big + b" ", 1, mtime=0), b"gzip")[0] == 500


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"{}", b"garbage"), (b"{}", b"gzip"), (b"{}", b"deflate"), (b"", b"gzip"), (b"", b"deflate"),
        (gzip.compress(b"{}", mtime=0)[:-1], b"gzip"), (zlib.compress(b"{}")[:-1], b"deflate"),
        (gzip.compress(b"{}", mtime=0), b"deflate"), (b"{}", b"br"),
        (gzip.compress(b"{}", mtime=0) + b"\x1f\x8b\x08", b"gzip"),
        (gzip.compress(b"", mtime=0) * 101, b"gzip"),
    ],
)  # fmt: skip
def test_broken_compression_is_an_internal_error(body: bytes, encoding: bytes) -> None:
    status, answer = inflated(body, encoding)
    assert status == 500
    assert answer["__type"] == "com.amazonaws.dynamodb.v20120810#InternalServerError"


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("identity", None), ("", None), ("br", None), ("zstd", None), ("compress", None), ("x-gzip", None),
        ("gzip", "gzip"), ("deflate", "deflate"), ("gzip, deflate", "gzip"), ("br, identity, deflate, gzip", "deflate"),
        ("GZIP, identity", "gzip"), ("dog, gzip ,, cat", "gzip"), ("gzip;q=0.8, deflate;q=0.5", "gzip"),
        ("br, gzip;q=0, deflate; q = 0.5 , identity;q=0", "deflate"), ("*", "gzip"), ("*, deflate;q=0.5", "gzip"),
        ("*, deflate", "deflate"), ("*, identity", "gzip"), ("*, gzip;q=0.5", "deflate"), ("gzip ;q=0", None),
        ("identity;q=0", None), ("*;q=0", None), ("*;q=0.5,identity", "gzip"), ("gzip;q=0.5,identity;q=0.8", "gzip"),
        ("br;q=0.8,identity;q=0.5,*;q=0", None), ('"gzip"', None), ("gzip br", None), ("gzip:q=1", None),
        ("deflate;q=0.5, gzip;q=31", "gzip"), ("gzip;q=31,deflate;q=51", "gzip"),
        ("deflate;q=0.5, gzip;q=0.2", "deflate"), ("deflate;q=0.5, gzip;q=1;q=0.2", "gzip"),
        ("deflate;q=0.5,gzip;q=0.", "deflate"), ("deflate;q=0.5,gzip;q=0.x", "gzip"),
        ("deflate;q=0.5,gzip;q=0. x", "gzip"), ("deflate;q=-0.5,gzip;q=0.2", "gzip"), ("gzip;q= 0;q=1", None),
        ("gzip;q =0;q=1", "gzip"), ("gzip; q=0;q=1", None), ("gzip;nq=0;q=1", None),
        ("gzip;q=0, gzip;q=1, gzip;q=0", "gzip"), ("br,identity;q=0.5,gzip;q=0.0001", "gzip"),
    ],
)  # fmt: skip
def test_the_preferred_encoding(accepted: str, expected: str | None) -> None:
    assert preferred_encoding(accepted.encode()) == (expected.encode() if expected else None)


def test_large_answers_are_compressed_when_asked_for() -> None:
    door = FrontDoor(OPERATIONS)
    large, small = Success({"x": "y" * 4089}), Success({"x": "y" * 4087})
    plain = encode_json(large.body)
    assert (len(plain), len(encode_json(small.body))) == (4097, 4095)
    for encoding, restore in ((b"gzip", gzip.decompress), (b"deflate", zlib.decompress)):
        answer = door.succeed(make(accept_encoding=encoding), large)
        assert restore(answer.body) == plain
        assert answer.headers == b"Content-Encoding: %b\r\n" % encoding
        assert len(plain) > 30 * len(answer.body)
        sent = serialize(answer, b"id", b"date")
        assert b"\r\nx-amz-crc32: %d\r\n" % zlib.crc32(answer.body) in sent
        assert door.succeed(make(accept_encoding=encoding), small).body == encode_json(small.body)
    assert door.succeed(make(), large).body == plain
    first_only = Request(b"POST", b"/", {b"accept-encoding": b"identity"}, b"", ((b"accept-encoding", b"gzip"),))
    assert door.succeed(first_only, large).body == plain


# Answers.


def test_successes() -> None:
    door = FrontDoor(OPERATIONS)
    assert door.succeed(make(), Success({})) == Answer(200, b"{}", JSON_1_0)
    assert door.succeed(make(), Success(None)) == Answer(200, b"", JSON_1_0)
    body = {"Count": 2, "CapacityUnits": 0.5, "Other": 1.0, "B": "AAE=", "S": "é\n"}
    assert door.succeed(make(), Success(body)).body == (
        '{"Count":2,"CapacityUnits":0.5,"Other":1.0,"B":"AAE=","S":"é\\n"}'.encode()
    )


def test_what_orjson_cannot_write_is_written_all_the_same() -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    assert encode_json(deep) == b"[" * 300 + b"1" + b"]" * 300
    assert encode_json({"a": 2**70}) == b'{"a":1180591620717411303424}'
    assert encode_json({"a": "\ud800"}) == b'{"a":"\\ud800"}'


@pytest.mark.parametrize(
    ("code", "operation", "expected"),
    [
        ("ValidationException", "", "com.amazon.coral.validate#ValidationException"),
        ("SerializationException", "", "com.amazon.coral.service#SerializationException"),
        ("AccessDeniedException", "PutItem", "com.amazon.coral.service#AccessDeniedException"),
        ("UnrecognizedClientException", "", "com.amazon.coral.service#UnrecognizedClientException"),
        ("ResourceNotFoundException", "", "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"),
        ("ConditionalCheckFailedException", "", "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"),
        ("ItemCollectionSizeLimitExceededException", "",
         "com.amazonaws.dynamodb.v20120810#ItemCollectionSizeLimitExceededException"),
        ("InternalServerError", "", "com.amazonaws.dynamodb.v20120810#InternalServerError"),
        ("ThrottlingException", "PutItem", "com.amazonaws.dynamodb.v20120810#ThrottlingException"),
        ("ThrottlingException", "CreateTable", "com.amazon.coral.availability#ThrottlingException"),
    ],
)  # fmt: skip
def test_the_namespace_of_an_error(code: str, operation: str, expected: str) -> None:
    assert error_type(code, operation) == expected


def test_the_spelling_of_message() -> None:
    for code in (
        "SerializationException", "AccessDeniedException", "TransactionCanceledException",
        "TransactionInProgressException", "IdempotentParameterMismatchException",
    ):  # fmt: skip
        assert error_body(Refusal(code, "m"))["Message"] == "m"
    for code in ("ValidationException", "ResourceNotFoundException", "UnrecognizedClientException"):
        assert error_body(Refusal(code, "m"))["message"] == "m"


def test_errors() -> None:
    door = FrontDoor(OPERATIONS)
    refusal = Refusal("ConditionalCheckFailedException", "The conditional request failed", 400, {"Item": {"a": {}}})
    assert door.refuse(make(), refusal, "PutItem") == Answer(
        400,
        b'{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",'
        b'"message":"The conditional request failed","Item":{"a":{}}}',
        JSON_1_0,
    )
    assert door.refuse(make(), Refusal("InternalServerError", None, 500)).status == 500
    assert door.refuse(make(), Refusal("413", None, 413)) == Answer(413, chunked=True)
    assert door.refuse(make(), Refusal("400", None, 400)) == Answer(400)


@pytest.mark.parametrize(
    ("request_", "crc32"),
    [
        (make(x_amz_target=None), 1368724161),
        (make(authorization=None), 2088342776),
        (make(authorization=b"X", url=b"/?X-Amz-Algorithm"), 2139606068),
        (make(authorization=b"AWS4-", x_amz_date=None), 1828866742),
        (make(authorization=None, url=b"/?X-Amz-Algorithm"), 2900502663),
    ],
)
def test_checksums_of_the_services_own_answers(request_: Request, crc32: int) -> None:
    answer = FrontDoor(OPERATIONS).receive(request_, NOW)
    assert isinstance(answer, Answer)
    assert crc(answer) == crc32


def test_serialized_answers() -> None:
    assert serialize(Answer(200, b"{}", JSON_1_0), b"ID", b"Sat, 22 Nov 2025 10:10:00 GMT") == (
        b"HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Sat, 22 Nov 2025 10:10:00 GMT\r\n"
        b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\nConnection: keep-alive\r\n"
        b"x-amzn-RequestId: ID\r\nx-amz-crc32: 2745614147\r\n\r\n{}"
    )
    empty = serialize(Answer(200, b"", JSON_1_0), b"ID", b"d", keep_alive=False)
    assert empty.endswith(b"Content-Length: 0\r\nConnection: close\r\nx-amzn-RequestId: ID\r\nx-amz-crc32: 0\r\n\r\n")
    too_large = serialize(Answer(413, chunked=True), b"ID", b"d")
    assert too_large.startswith(b"HTTP/1.1 413 ")
    assert b"Content-Length" not in too_large
    assert too_large.endswith(b"\r\n\r\n0\r\n\r\n")
    head = serialize(Answer(200, b"healthy"), b"ID", b"d", head=True)
    assert b"Content-Length: 7\r\n" in head
    assert head.endswith(b"\r\n\r\n")


def test_request_ids() -> None:
    ids = {request_id(seed, ordinal) for seed in (0, 1) for ordinal in range(100)}
    assert len(ids) == 200
    assert all(len(each) == 52 and each.isalnum() and each.upper() == each for each in ids)
    assert request_id(7, 3) == request_id(7, 3)
