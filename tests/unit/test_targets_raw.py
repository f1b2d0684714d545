from __future__ import annotations

import gzip
import json
import zlib

import pytest

from conformance.targets.raw import RawReply, RawRequest, address, encode, parse_reply
from reference.api import Lost, Refusal, Success


def answer(status, body, **headers):
    return RawReply(status, "", tuple((name.replace("_", "-"), value) for name, value in headers.items()), body)


READABLE = {
    "body": (answer(200, b'{"Item":{"a":{"S":"x"}}}'), Success({"Item": {"a": {"S": "x"}}})),
    "no bytes": (answer(200, b""), Success(None)),
    "good checksum": (answer(200, b"{}", x_amz_crc32="2745614147"), Success({})),
    "gzip": (answer(200, gzip.compress(b"{}"), Content_Encoding="gzip"), Success({})),
    "lone surrogate": (answer(200, b'{"a":"\\ud800"}'), Success({"a": "\ud800"})),
    "prefix#code": (
        answer(400, b'{"__type":"com.amazon.coral.validate#ValidationException","message":"no"}'),
        Refusal("ValidationException", "no"),
    ),
    "bare code": (answer(400, b'{"__type":"ValidationException"}'), Refusal("ValidationException")),
    "Message": (answer(400, b'{"__type":"a#B","Message":"m"}'), Refusal("B", "m")),
    "fields": (
        answer(400, b'{"__type":"a#C","message":"m","Item":{"p":{"S":"x"}}}'),
        Refusal("C", "m", 400, {"Item": {"p": {"S": "x"}}}),
    ),
    "status": (answer(500, b'{"__type":"a#InternalServerError"}'), Refusal("InternalServerError", None, 500)),
    "type in the header": (
        answer(400, b'{"message":"m"}', X_Amzn_ErrorType="ValidationException:http://x/"),
        Refusal("ValidationException", "m"),
    ),
    "no type": (answer(403, b'{"message":"m"}'), Refusal("", "m", 403)),
    "front door": (answer(404, b"<UnknownOperationException/>\n"), Refusal("UnknownOperationException", None, 404)),
}


@pytest.mark.parametrize(("given", "reply"), READABLE.values(), ids=READABLE.keys())
def test_reply_is_read(given, reply):
    assert parse_reply(given) == reply


GARBAGE = {
    "bad checksum": (answer(200, b"{}", x_amz_crc32="1"), "garbage: status 200: x-amz-crc32"),
    "not JSON": (answer(200, b"<html>"), "garbage: status 200: not JSON: '<html>'"),
    "html error": (answer(500, b"<html>"), "garbage: status 500: not JSON"),
    "empty XML success": (answer(200, b"<Ok/>"), "garbage: status 200"),
    "not gzip": (answer(200, b"{}", Content_Encoding="gzip"), "garbage: status 200: not gzip"),
    "an error that is a list": (answer(400, b"[]"), "garbage: status 400: an error that is no object"),
    "500 without a type": (answer(500, b"{}"), "garbage: status 500: an error without a type"),
    "too deep": (answer(200, b"[" * 100_000), "garbage: status 200: not JSON"),
}


@pytest.mark.parametrize(("given", "why"), GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_lost(given, why):
    reply = parse_reply(given)
    assert isinstance(reply, Lost)
    assert reply.why.startswith(why)
    assert len(reply.why) < 1_000


def test_checksum_is_of_the_bytes_as_sent():
    packed = gzip.compress(b"{}")
    reply = parse_reply(answer(200, packed, Content_Encoding="gzip", x_amz_crc32=str(zlib.crc32(packed))))
    assert reply == Success({})


@pytest.mark.parametrize(
    ("operation", "target", "signing"),
    [
        ("GetItem", "DynamoDB_20120810.GetItem", "dynamodb"),
        ("GetRecords", "DynamoDBStreams_20120810.GetRecords", "dynamodb"),
        ("dax:CreateCluster", "AmazonDAXV3.CreateCluster", "dax"),
        ("NoSuch", "DynamoDB_20120810.NoSuch", "dynamodb"),
        ("no:such", "DynamoDB_20120810.no:such", "dynamodb"),
    ],
)
def test_address(operation, target, signing):
    service, name = address(operation)
    assert (f"{service.prefix}.{name}", service.signing) == (target, signing)


@pytest.mark.parametrize("body", [{"a": "\ud800"}, {"a": 10**30}, {"a": [None, True, 1.5, "ü"]}, None, "x"])
def test_any_json_can_be_sent(body):
    assert json.loads(encode(body)) == body


@pytest.mark.parametrize(
    "raw",
    [
        RawRequest(),
        RawRequest(method="GET", path="/x?y", headers=(("A", "b"), ("a", None)), body=b"{", signed=False),
        RawRequest(body=b"\xff\x00", exact=b"POST / HTTP/9\r\n\r\n"),
    ],
)
def test_raw_request_survives_json(raw):
    assert RawRequest.from_json(json.loads(json.dumps(raw.to_json()))) == raw


def test_raw_request_defaults_are_not_written():
    assert RawRequest().to_json() == {}
    assert RawRequest.from_json({"headers": {"A": "b"}}).headers == (("A", "b"),)
