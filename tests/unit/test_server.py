"""The server on a real socket: HTTP/1.1 as clients speak it, and as they should not."""

from __future__ import annotations

import gzip
import json
import logging
import re
import socket
import zlib
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from reference.server import ThreadedServer
from tests.unit.server_bench import Client, Fake, ask, head, request

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadedServer]:
    with ThreadedServer(Fake()) as running:
        yield running


# Ordinary requests.


def test_an_answer_and_its_headers(server: ThreadedServer) -> None:
    answer = ask(server, request("ListTables", b'{"Limit": 1}'))
    assert (answer.status, answer.data) == (200, b'{"TableNames":["a"]}')
    assert answer.getheader("Content-Type") == "application/x-amz-json-1.0"
    assert answer.getheader("Server") == "Server"
    assert answer.getheader("Content-Length") == "20"
    assert int(answer.getheader("x-amz-crc32")) == zlib.crc32(answer.data)
    assert re.fullmatch("[0-9A-Z]{52}", answer.getheader("x-amzn-RequestId"))
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer.getheader("Date"))
    assert ask(server, request("TagResource")).data == b""


def test_an_error(server: ThreadedServer) -> None:
    answer = ask(server, request("DescribeTable"))
    assert answer.status == 400
    assert json.loads(answer.data) == {
        "__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException",
        "message": "Requested resource not found: Table: nope not found",
    }
    assert int(answer.getheader("x-amz-crc32")) == zlib.crc32(answer.data)


def test_keep_alive_and_pipelining(server: ThreadedServer) -> None:
    with Client(server) as client:
        for limit in (0, 1, 2):
            client.send(request("ListTables", b'{"Limit": %d}' % limit))
            assert len(json.loads(client.read().data)["TableNames"]) == limit
        client.send(b"".join(request("ListTables", b'{"Limit": %d}' % (n % 3)) for n in range(50)))
        found = [len(json.loads(client.read().data)["TableNames"]) for _ in range(50)]
        assert found == [n % 3 for n in range(50)]


def test_pipelined_large_answers_to_a_slow_reader_arrive_whole_and_in_order(server: ThreadedServer) -> None:
    with Client(server) as client:
        client.send(b"".join(request("GetItem", b'{"size": %d}' % (300_000 + n)) for n in range(40)))
        client.socket.shutdown(socket.SHUT_WR)
        sizes = [len(json.loads(client.read().data)["Item"]["pk"]["S"]) for _ in range(40)]
        assert sizes == [300_000 + n for n in range(40)]
        assert client.at_end()


def test_chunked_bodies(server: ThreadedServer) -> None:
    body = b'{"Limit": 1}'
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\nX-Amz-Target: ignored\r\n\r\n"
    data = head("ListTables", None, "Transfer-Encoding: chunked") + chunks
    with Client(server) as client:
        client.send(data * 2)
        assert [json.loads(client.read().data) for _ in range(2)] == [{"TableNames": ["a"]}] * 2


def test_one_byte_at_a_time(server: ThreadedServer) -> None:
    with Client(server) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request("ListTables", b'{"Limit": 1}'):
            client.send(bytes([byte]))
        assert json.loads(client.read().data) == {"TableNames": ["a"]}


def test_expect_100_continue(server: ThreadedServer) -> None:
    with Client(server) as client:
        client.send(head("ListTables", 2, "Expect: 100-continue"))
        assert client.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"{}")
        assert client.read().status == 200


def test_closing_when_asked(server: ThreadedServer) -> None:
    with Client(server) as client:
        client.send(request("ListTables", b"{}", "Connection: close") + request("ListTables"))
        answer = client.read()
        assert (answer.status, answer.getheader("Connection")) == (200, "close")
        assert client.at_end()
    old = request("ListTables").replace(b"HTTP/1.1", b"HTTP/1.0")
    with Client(server) as client:
        client.send(old)
        assert client.read().status == 200
        assert client.at_end()
    with Client(server) as client:
        for _ in range(2):
            client.send(old.replace(b"Host: localhost", b"Connection: keep-alive"))
            assert client.read().getheader("Connection") == "keep-alive"


def test_a_half_closed_connection_still_gets_its_answer(server: ThreadedServer) -> None:
    with Client(server) as client:
        client.send(request("ListTables"))
        client.socket.shutdown(socket.SHUT_WR)
        assert client.read().status == 200
        assert client.at_end()


def test_head_is_get_without_a_body(server: ThreadedServer) -> None:
    with Client(server) as client:
        client.send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
        first, second = client.read("HEAD"), client.read("GET")
        assert (first.status, first.getheader("Content-Length"), first.data) == (200, "42", b"")
        assert second.data == b"healthy: dynamodb.us-east-1.amazonaws.com "


def test_an_upgrade_is_not_taken(server: ThreadedServer) -> None:
    lines = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQ")
    with Client(server) as client:
        client.send(request("ListTables", b'{"Limit": 1}', *lines) * 3)
        assert [json.loads(client.read().data) for _ in range(3)] == [{"TableNames": ["a"]}] * 3
        client.send(b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n" + request("ListTables"))
        assert client.read("GET").data.startswith(b"healthy")
        assert client.read().status == 200
        client.send(b"CONNECT a:1 HTTP/1.1\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + request("ListTables"))
        assert [client.read().status, client.read().status] == [404, 200]


def test_404_and_cors(server: ThreadedServer) -> None:
    with Client(server) as client:
        client.send(b"PUT / HTTP/1.1\r\nContent-Length: 2\r\nOrigin: x\r\n\r\nhi")
        answer = client.read("PUT")
        assert (answer.status, answer.data) == (404, b"<UnknownOperationException/>\n")
        assert answer.getheader("x-amz-crc32") == "3552371480"
        assert answer.getheader("Access-Control-Allow-Origin") == "*"
        client.send(b"OPTIONS / HTTP/1.1\r\nOrigin: x\r\nAccess-Control-Request-Method: PUT\r\n\r\n")
        answer = client.read("OPTIONS")
        assert (answer.status, answer.data, answer.getheader("Content-Length")) == (200, b"", "0")
        assert answer.getheader("Access-Control-Max-Age") == "172800"
        assert answer.getheader("Access-Control-Allow-Methods") == "PUT"


# Limits.


def test_sixteen_mebibytes_and_no_more(server: ThreadedServer) -> None:
    exact = b'{"Limit": 1' + b" " * (16 * MIB - 12) + b"}"
    assert len(exact) == 16 * MIB
    with Client(server) as client:
        client.send(request("ListTables", exact))
        assert json.loads(client.read().data) == {"TableNames": ["a"]}
        client.send(request("ListTables", exact + b" "))
        answer = client.read()
        assert (answer.status, answer.data, answer.getheader("Transfer-Encoding")) == (413, b"", "chunked")
        chunk = b"%x\r\n%b\r\n" % (MIB, b" " * MIB)
        client.send(head("ListTables", None, "Transfer-Encoding: chunked") + chunk * 17 + b"0\r\n\r\n")
        assert client.read().status == 413
        client.send(request("ListTables"))
        assert client.read().status == 200


def test_a_common_client_sees_413(server: ThreadedServer) -> None:
    body = b" " * (17 * MIB)
    with urllib3.PoolManager() as pool:
        for sent in (body, iter([body])):
            answer = pool.request("POST", server.url, body=sent, retries=False)
            assert answer.status == 413


def test_413_instead_of_100_continue(server: ThreadedServer) -> None:
    with Client(server) as client:
        client.send(head("ListTables", 16 * MIB + 1, "Expect: 100-continue"))
        assert client.read().status == 413
        assert client.at_end()


def test_a_body_without_end_is_cut_off(server: ThreadedServer) -> None:
    with Client(server) as client:
        client.send(head("ListTables", 2**40))
        with pytest.raises(OSError):
            client.send(b" " * (200 * MIB))


def test_the_size_of_a_head(server: ThreadedServer) -> None:
    def statuses(line: int, headers: int) -> int:
        # What is left of the 16 KiB after the lines that are always there.
        target = b"/" + b"x" * (line - len(b"POST / HTTP/1.1"))
        fixed = sum(len(each) + 2 for each in head("ListTables", 2).split(b"\r\n")[1:-2])
        filler = b"X: " + b"x" * (headers - fixed - 5)
        data = request("ListTables").replace(b"POST /", b"POST " + target, 1)
        status: int = ask(server, data.replace(b"\r\n", b"\r\n" + filler + b"\r\n", 1)).status
        return status

    assert statuses(16384, 16384) == 200
    assert statuses(16385, 16384) == 400
    assert statuses(16384, 16385) == 400
    assert statuses(60_000, 1000) == 400
    assert statuses(1000, 500_000) == 400


def test_a_head_without_end_is_refused(server: ThreadedServer) -> None:
    with Client(server) as client:
        client.send(b"POST / HTTP/1.1\r\nX: " + b"x" * 200_000)
        assert client.read().status == 400
        assert client.at_end()
    with Client(server) as client:
        client.send(head("ListTables", None, "Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\nX: ")
        client.send(b"x" * 400_000)
        assert client.read().status == 400


# Malformed input.


@pytest.mark.parametrize(
    "data",
    [b"hello\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
     b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
     b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
     b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", b"POST / HTTP/1.1\r\nno colon\r\n\r\n",
     b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"post / HTTP/1.1\r\n\r\n",
     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
)  # fmt: skip
def test_what_is_not_http(server: ThreadedServer, data: bytes) -> None:
    with Client(server) as client:
        client.send(request("ListTables") + data)
        assert client.read().status == 200
        answer = client.read()
        assert (answer.status, answer.getheader("Connection")) == (400, "close")
        assert client.at_end()


def test_every_truncation_of_a_body_is_a_serialization_error(server: ThreadedServer) -> None:
    body = b'{"TableName": "t", "Item": {"p": {"S": "\xc3\xa9"}, "n": {"N": "-1.5"}, "b": {"B": "AAE="}}}'
    with Client(server) as client:
        for end in range(len(body)):
            client.send(request("GetItem", body[:end]))
            answer = client.read()
            assert (answer.status, answer.data) == (
                400, b'{"__type":"com.amazon.coral.service#SerializationException"}',
            )  # fmt: skip


def test_every_truncation_of_a_request_ends(server: ThreadedServer) -> None:
    whole = request("ListTables")
    for end in range(0, len(whole), 7):
        with Client(server) as client:
            client.send(whole[:end])
            client.socket.shutdown(socket.SHUT_WR)
            if end:
                assert client.read().status == 400
            assert client.at_end()


def test_blank_lines_between_requests(server: ThreadedServer) -> None:
    with Client(server) as client:
        client.send(b"\r\n" + request("ListTables") + b"\r\n\r\n" + request("ListTables") + b"\r\n")
        assert [client.read().status, client.read().status] == [200, 200]
        client.socket.shutdown(socket.SHUT_WR)
        assert client.at_end()


# Failures.


def test_a_failing_operation_is_a_500_and_logged(server: ThreadedServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "reference.server"), Client(server) as client:
        client.send(request("Query") + request("ListTables"))
        answer = client.read()
        assert answer.status == 500
        assert json.loads(answer.data)["__type"] == "com.amazonaws.dynamodb.v20120810#InternalServerError"
        assert client.read().status == 200
    assert "a bug in an operation" in caplog.text
    assert "DynamoDB_20120810.Query failed" in caplog.text


def test_a_lost_reply_closes_the_connection(server: ThreadedServer) -> None:
    with Client(server) as client:
        client.send(request("ListTables") + request("Query", b'{"Lost": 1}') + request("ListTables"))
        assert client.read().status == 200
        assert client.at_end()


# Clients.


def client(server: ThreadedServer, secret: str = "secret", **config: Any) -> Any:
    return boto3.client(
        "dynamodb", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="key",
        aws_secret_access_key=secret, config=Config(retries={"total_max_attempts": 1}, **config),
    )  # fmt: skip


def test_boto3(server: ThreadedServer) -> None:
    dynamodb = client(server)
    assert dynamodb.list_tables(Limit=1)["TableNames"] == ["a"]
    assert dynamodb.get_item(TableName="t", Key={})["Item"] == {"pk": {"S": "x"}, "b": {"B": b"\x00\x01"}}
    assert dynamodb.tag_resource(ResourceArn="a", Tags=[])["ResponseMetadata"]["HTTPStatusCode"] == 200
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException, match="Table: nope not found"):
        dynamodb.describe_table(TableName="nope")
    with pytest.raises(ClientError) as caught:
        dynamodb.put_item(TableName="t", Item={"pk": {"S": "a"}})
    assert caught.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert caught.value.response["Item"] == {"pk": {"S": "a"}}
    with pytest.raises(ClientError, match="UnknownOperationException"):
        dynamodb.describe_limits()
    streams = boto3.client(
        "dynamodbstreams", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="key",
        aws_secret_access_key="secret",
    )  # fmt: skip
    assert streams.list_streams()["Streams"] == []


def test_compression_on_the_wire(server: ThreadedServer) -> None:
    body = gzip.compress(b'{"size": 5000}')
    with Client(server) as raw:
        raw.send(request("GetItem", body, "Content-Encoding: gzip", "Accept-Encoding: deflate, gzip;q=0.5"))
        answer = raw.read()
    assert answer.getheader("Content-Encoding") == "deflate"
    assert int(answer.getheader("x-amz-crc32")) == zlib.crc32(answer.data)
    plain = json.loads(zlib.decompress(answer.data))
    assert plain["Item"]["pk"]["S"] == "x" * 5000


def test_verified_signatures() -> None:
    with ThreadedServer(Fake(), credentials={"key": "secret"}) as verifying:
        assert client(verifying).list_tables()["TableNames"] == ["a", "b"]
        with pytest.raises(ClientError, match="InvalidSignatureException"):
            client(verifying, secret="wrong").list_tables()
        old = ask(verifying, head("ListTables", 2, date="20170101T010101Z") + b"{}")
        assert b"Signature expired" in old.data
