"""The HTTP client against a server that does what a script says."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import struct
import threading

import pytest

from conformance.targets.raw import RawRequest
from conformance.targets.signing import Credentials
from conformance.targets.transport import HttpTransport, header_map, never_sent
from reference.api import Call, Lost, Refusal, Success

CALL = Call("GetItem", {"TableName": "t"})
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Scripted:
    """Accepts connections one after another. A script holds, for each, its steps: bytes answer one request;
    "close", "reset" and "half" end the connection; "hang" waits for the client's end."""

    def __init__(self, *connections, tls=None):
        self.requests = []
        self.accepted = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._connections = connections
        self._tls = tls
        self.ended = [threading.Event() for _ in connections]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        for number, steps in enumerate(self._connections):
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._one, args=(number, sock, steps), daemon=True).start()

    def _one(self, number, sock, steps):
        try:
            with contextlib.suppress(OSError):
                if self._tls:
                    sock = self._tls.wrap_socket(sock, server_side=True)
                self._serve(sock, steps)
        finally:
            sock.close()
            self.ended[number].set()

    def _serve(self, sock, steps):
        with sock:
            for step in steps:
                if step == "close":
                    return
                if step == "reset":
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                if step == "hang":
                    while sock.recv(65536):
                        pass
                    return
                self.requests.append(_read_request(sock))
                if not self.requests[-1]:
                    return
                if isinstance(step, bytes):
                    sock.sendall(step)

    def close(self):
        # Closing alone does not wake a thread that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


def _read_request(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def serve():
    opened = []

    def start(*connections, tls=None, **options):
        server = Scripted(*connections, tls=tls)
        scheme = "https" if tls else "http"
        transport = HttpTransport(f"{scheme}://127.0.0.1:{server.port}", **options)
        opened.extend((transport, server))
        return transport, server

    yield start
    for each in opened:
        each.close()


def test_connection_is_kept(serve):
    transport, server = serve([OK, OK, OK])
    assert [transport.send(CALL) for _ in range(3)] == [Success({})] * 3
    assert server.accepted == 1


def test_request_is_what_an_sdk_sends(serve):
    transport, server = serve([OK], credentials=Credentials("AK", "secret", "tok"), region="eu-west-1")
    transport.send(CALL)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert lines[0] == "POST / HTTP/1.1"
    assert body == b'{"TableName":"t"}'
    assert headers["Host"] == f"127.0.0.1:{server.port}"
    assert headers["Content-Type"] == "application/x-amz-json-1.0"
    assert headers["X-Amz-Target"] == "DynamoDB_20120810.GetItem"
    assert headers["Content-Length"] == "17"
    assert headers["X-Amz-Security-Token"] == "tok"
    scope = f"Credential=AK/{headers['X-Amz-Date'][:8]}/eu-west-1/dynamodb/aws4_request"
    signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
    assert headers["Authorization"].startswith(f"AWS4-HMAC-SHA256 {scope}, {signed}, Signature=")


@pytest.mark.parametrize("end", ["close", "reset"])
def test_connection_closed_between_calls_is_reopened(serve, end):
    transport, server = serve([OK, end], [OK])
    assert transport.send(CALL) == Success({})
    server.ended[0].wait(5)
    assert transport.send(CALL) == Success({})
    assert len(server.requests) == 2


def test_server_that_says_close_is_believed(serve):
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
    transport, server = serve([closing, "hang"], [OK])
    assert transport.send(CALL) == Success({})
    assert transport.send(CALL) == Success({})
    assert server.accepted == 2


LOSSES = {
    "closed after the request": ([None, "close"], "closed"),
    "reset after the request": ([None, "reset"], "reset"),
    "cut in the head": ([b"HTTP/1.1 200 OK\r\nContent-Le", "close"], "closed"),
    "cut in the body": ([b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{", "close"], "closed"),
    "reset in the body": ([b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{", "reset"], "reset"),
    "cut in a chunk": ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", "close"], "closed"),
    "not HTTP": ([b"SSH-2.0-OpenSSH\r\n", "close"], "garbage: not HTTP"),
    "bad checksum": ([b"HTTP/1.1 200 OK\r\nx-amz-crc32: 7\r\nContent-Length: 2\r\n\r\n{}"], "garbage: status 200"),
}


@pytest.mark.parametrize(("steps", "why"), LOSSES.values(), ids=LOSSES.keys())
def test_lost_and_never_sent_twice(serve, steps, why):
    transport, server = serve([OK, *steps], [OK])
    assert transport.send(CALL) == Success({})
    reply = transport.send(CALL)
    assert isinstance(reply, Lost)
    assert reply.why.startswith(why)
    assert not never_sent(reply)
    assert len(server.requests) == 2
    # Where the client kept the connection, the server's end of it must have arrived before it is used again.
    assert server.ended[0].wait(5)
    assert transport.send(CALL) == Success({})


def test_timeout_gives_up_the_connection(serve):
    transport, server = serve([None, "hang"], [OK])
    assert transport.send(CALL, timeout=0.05) == Lost("timeout")
    assert transport.send(CALL) == Success({})
    assert len(server.requests) == 2


def test_refused():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    reply = HttpTransport(f"http://127.0.0.1:{port}").send(CALL)
    assert reply == Lost("refused")
    assert never_sent(reply)


def test_no_time_left_is_never_sent(serve):
    transport, server = serve([OK])
    reply = transport.send(CALL, timeout=0.0)
    assert isinstance(reply, Lost)
    assert never_sent(reply)
    assert server.requests == []


WHOLE = {
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
    "continue first": b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
    "no reason": b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE.keys())
def test_ways_to_answer(serve, answer):
    transport, server = serve([answer, OK])
    assert transport.send(CALL) == Success({})
    assert transport.send(CALL) == Success({})
    assert server.accepted == 1


def test_answer_that_ends_with_the_connection(serve):
    transport, server = serve([b"HTTP/1.0 200 OK\r\n\r\n{}", "close"], [OK])
    assert transport.send(CALL) == Success({})
    assert transport.send(CALL) == Success({})
    assert server.accepted == 2


def test_bytes_after_an_answer_spoil_the_connection(serve):
    transport, server = serve([OK + b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "hang"], [OK])
    assert transport.send(CALL) == Success({})
    assert transport.send(CALL) == Success({})
    assert server.accepted == 2


def test_answer_before_the_request_is_read(serve):
    refusal = b'{"__type":"com.amazon.coral.service#SerializationException"}'
    answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(refusal), refusal)
    listener = socket.create_server(("127.0.0.1", 0))

    def early():
        sock, _ = listener.accept()
        sock.recv(100)
        sock.sendall(answer)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
        sock.close()

    thread = threading.Thread(target=early, daemon=True)
    thread.start()
    transport = HttpTransport(f"http://127.0.0.1:{listener.getsockname()[1]}")
    reply = transport.send(CALL, raw=RawRequest(body=b"x" * 8_000_000))
    assert reply == Refusal("SerializationException", None, 413)
    transport.close()
    thread.join(5)
    listener.close()


def test_raw_request_changes_what_it_names(serve):
    transport, server = serve([OK, OK, OK])
    raw = RawRequest(
        method="PUT",
        path="/x?a=1",
        headers=(("x-amz-target", None), ("CONTENT-TYPE", "text/plain"), ("Authorization", "none"), ("Twice", "1")),
        body=b"{bad",
    )
    transport.send(CALL, raw=raw)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "PUT /x?a=1 HTTP/1.1"
    assert body == b"{bad"
    names = [line.split(":")[0].lower() for line in lines[1:]]
    assert "x-amz-target" not in names
    assert names.count("content-type") == names.count("authorization") == names.count("twice") == 1
    assert "Authorization: none" in lines

    transport.send(CALL, raw=RawRequest(signed=False))
    assert b"authorization" not in server.requests[1].lower()
    exact = b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nz"
    transport.send(CALL, raw=RawRequest(exact=exact))
    assert server.requests[2] == exact


def test_signing_date_can_be_given(serve):
    transport, server = serve([OK])
    transport.send(CALL, raw=RawRequest(headers=(("X-Amz-Date", "20200101T000000Z"),)))
    assert b"/20200101/us-east-1/dynamodb/aws4_request" in server.requests[0]
    assert server.requests[0].lower().count(b"x-amz-date:") == 1


def test_raw_reply_has_headers(serve):
    transport, _ = serve([b"HTTP/1.1 400 Bad\r\nX-One: a\r\nX-One: b\r\nContent-Length: 2\r\n\r\n{}"])
    answer = transport.send_raw(CALL)
    assert (answer.status, answer.reason, answer.body) == (400, "Bad", b"{}")
    assert answer.header("x-one") == "a"
    assert header_map(answer) == {"x-one": "a", "content-length": "2"}


def test_head_has_no_body(serve):
    transport, _ = serve([b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", OK])
    assert transport.send(CALL, raw=RawRequest(method="HEAD")) == Success(None)


def test_threads_have_connections_of_their_own(serve):
    transport, server = serve([OK, OK], [OK, "hang"])
    replies = [transport.send(CALL)]
    thread = threading.Thread(target=lambda: replies.append(transport.send(CALL)))
    thread.start()
    thread.join(5)
    replies.append(transport.send(CALL))
    assert replies == [Success({})] * 3
    assert server.accepted == 2


def test_close_and_go_on(serve):
    transport, _ = serve([OK, "hang"], [OK])
    transport.send(CALL)
    transport.close()
    assert transport.send(CALL) == Success({})
    assert transport.clone().endpoint == transport.endpoint


@pytest.mark.parametrize("endpoint", ["127.0.0.1:8000", "ftp://x", "http://", "http://x:port", "http://u:p@x"])
def test_no_endpoint(endpoint):
    with pytest.raises(ValueError):
        HttpTransport(endpoint)


def test_services_of_aws_have_hosts_of_their_own():
    transport = HttpTransport("https://dynamodb.eu-west-1.amazonaws.com")
    request = transport._request(Call("ListStreams", {}), *_host(transport, "ListStreams"), None)
    assert b"Host: streams.dynamodb.eu-west-1.amazonaws.com\r\n" in request
    local = HttpTransport("http://127.0.0.1:8000/base/")
    request = local._request(Call("ListStreams", {}), *_host(local, "ListStreams"), None)
    assert request.startswith(b"POST /base/ HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n")


def _host(transport, operation):
    from conformance.targets.raw import address

    service, _ = address(operation)
    return service, transport._host(service)


def test_tls(serve, tmp_path):
    certificate = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    transport, _ = serve([OK, OK], tls=context, ca_file=str(certificate))
    assert transport.send(CALL) == Success({})
    assert transport.send(CALL) == Success({})
    insecure, _ = serve([OK], tls=context, insecure=True)
    assert insecure.send(CALL) == Success({})
    doubting, server = serve([OK], tls=context)
    reply = doubting.send(CALL)
    assert isinstance(reply, Lost)
    assert never_sent(reply)
    assert server.requests == []


def _certificate(folder):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
