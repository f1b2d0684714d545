from __future__ import annotations

import sys
import time

import pytest

from conformance.targets.inprocess import ReferenceTransport, WsgiTransport
from conformance.targets.probe import OPERATIONS_OF, Probe, capabilities_of, informed, operations, probe, says
from conformance.targets.profile import CAPABILITIES, Profile
from conformance.targets.raw import RawRequest
from conformance.targets.signing import FAKE
from conformance.targets.target import Access, Target, TargetError, is_aws, is_loopback, open_target, permit
from reference.api import Call, Lost, Refusal, Success

TABLE = {
    "TableName": "table",
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.1", "0.0.0.0", "example.com", "localhost.example.com", ""])
def test_not_loopback(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "dynamodb.us-east-1.amazonaws.com",
        "dynamodb.cn-north-1.amazonaws.com.cn",
        "dynamodb.eu-west-1.api.aws",
        "AMAZONAWS.COM",
    ],
)
def test_aws(host):
    assert is_aws(host)


def test_not_aws():
    assert not is_aws("amazonaws.com.example.org")
    assert not is_aws("notamazonaws.com")


def test_only_what_is_allowed():
    permit("http://127.0.0.1:8000", Access())
    permit("http://box:8000", Access(allow_hosts=("box",)))
    with pytest.raises(TargetError, match="'box' is not this machine: give --allow-host box"):
        permit("http://box:8000", Access())
    aws = "https://dynamodb.us-east-1.amazonaws.com"
    for access in (
        Access(),
        Access(allow_aws=True),
        Access(account_id="1"),
        Access(allow_hosts=("dynamodb.us-east-1.amazonaws.com",)),
    ):
        with pytest.raises(TargetError, match="give --allow-aws and --account-id"):
            permit(aws, access)
    permit(aws, Access(allow_aws=True, account_id="1" * 12))


def test_url(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "real")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    target = open_target("http://127.0.0.1:1", profile=Profile(staleness=2.0))
    assert target.process is None
    assert target.profile.staleness == 2.0
    assert target.transport._credentials == FAKE
    assert target.connect() is not target.transport
    assert not target.alive()
    other = open_target("http://box:1", access=Access(allow_hosts=("box",)))
    assert other.transport._credentials().access_key == "real"
    with pytest.raises(TargetError, match="is no endpoint"):
        open_target("ftp://127.0.0.1")


def test_in_process_moto():
    with open_target("moto:inprocess") as target:
        send = target.transport.send
        assert target.alive()
        assert isinstance(send(Call("CreateTable", TABLE)), Success)
        assert send(Call("PutItem", {"TableName": "table", "Item": {"p": {"S": "a"}}})) == Success({})
        reply = send(Call("GetItem", {"TableName": "table", "Key": {"p": {"S": "a"}}}))
        assert reply == Success({"Item": {"p": {"S": "a"}}})
        refusal = send(Call("GetItem", {"TableName": "none", "Key": {"p": {"S": "a"}}}))
        assert isinstance(refusal, Refusal)
        assert refusal.code == "ResourceNotFoundException"
        answer = target.transport.send_raw(Call("ListTables", {}))
        assert answer.header("content-type") == "application/x-amz-json-1.0"
    with open_target("moto:inprocess") as target:
        assert target.transport.send(Call("ListTables", {})) == Success({"TableNames": []})


def test_wsgi_application_that_raises():
    def broken(environ, start_response):
        raise KeyError(environ["PATH_INFO"])

    transport = WsgiTransport(broken)
    reply = transport.send(Call("GetItem", {}), raw=RawRequest(path="/x?y"))
    assert reply == Lost("garbage: status 500: not JSON: \"KeyError: '/x'\"")
    with pytest.raises(ValueError, match="no exact bytes"):
        transport.send(Call("GetItem", {}), raw=RawRequest(exact=b""))


def test_wsgi_request():
    seen = {}

    def application(environ, start_response):
        seen.update(environ, body=environ["wsgi.input"].read())
        start_response("200 OK", [("A", "b")])
        return [b"{", b"}"]

    transport = WsgiTransport(application)
    raw = RawRequest(method="GET", headers=(("X-Amz-Date", "20200101T000000Z"), ("content-type", "text/plain")))
    assert transport.send(Call("GetItem", {"a": 1}), raw=raw) == Success({})
    assert (seen["REQUEST_METHOD"], seen["CONTENT_TYPE"], seen["body"]) == ("GET", "text/plain", b'{"a":1}')
    assert seen["HTTP_X_AMZ_DATE"] == "20200101T000000Z"
    assert "/20200101/" in seen["HTTP_AUTHORIZATION"]
    transport.send(Call("GetItem", {}), raw=RawRequest(signed=False))
    transport.close()


def test_reference_transport():
    class Echo:
        def execute(self, call):
            return Success({"operation": call.operation})

    transport = ReferenceTransport(Echo())
    assert transport.send(Call("Any", {})) == Success({"operation": "Any"})
    with pytest.raises(ValueError, match="takes calls only"):
        transport.send(Call("Any", {}), raw=RawRequest())
    with pytest.raises(ValueError, match="no HTTP answers"):
        transport.send_raw(Call("Any", {}))
    transport.close()


def test_reference_as_a_server(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_target("reference", run_dir=tmp_path) as target:
        assert target.alive()
        answer = target.transport.send_raw(Call("NoSuch", {}))
        assert answer.status == 400
    assert target.process.pid is None


def test_the_time_of_the_reference_in_process_goes_on():
    with open_target("reference:inprocess") as target:
        before = time.time()
        assert before <= target.transport.service.account.now() <= time.time()
        assert target.profile.clock == "wall"
        assert target.alive()


def test_no_variant_in_process():
    with pytest.raises(TargetError, match="'dynalite' has no in-process variant"):
        open_target("dynalite:inprocess")


def test_no_persistence(tmp_path):
    with pytest.raises(TargetError, match="moto can't keep its data"):
        open_target("moto", run_dir=tmp_path, persist=True)


def test_scratch_folder_goes(tmp_path, monkeypatch):
    (tmp_path / "serve.py").write_text("from moto.server import main; main()")
    (tmp_path / "dynoracle.toml").write_text(
        f"""
        [targets.here]
        start = ["{sys.executable}", "serve.py", "-p", "{{port}}"]
        """
    )
    monkeypatch.chdir(tmp_path)
    with open_target("here") as target:
        assert target.scratch.is_dir()
        assert target.process.log.is_file()
    assert not target.scratch.exists()


def test_user_target_is_started(tmp_path, monkeypatch):
    (tmp_path / "dynoracle.toml").write_text(
        f"""
        [targets.mine]
        start = ["{sys.executable}", "-m", "moto.server", "-p", "{{port}}"]
        persist = ["-H", "127.0.0.1"]
        """
    )
    monkeypatch.chdir(tmp_path)
    with open_target("mine", run_dir=tmp_path / "run", worker="gw1", persist=True) as target:
        assert target.alive()
        assert target.profile.durability == "process"
        assert target.process.folder == tmp_path / "run" / "mine-gw1"
        pid = target.process.pid
    assert pid is not None
    assert target.process.pid is None


SAYS = [
    (Success({}), "yes"),
    (Refusal("ValidationException", "x"), "yes"),
    (Refusal("UnknownOperationException"), "no"),
    (Refusal("", None, 400, {"error": "Unsupported service: dax"}), "no"),
    (Refusal("", "no", 403), "yes"),
    (Refusal("Anything", "", 501), "no"),
    (Refusal("ValidationException", "Unsupported operation in the expression"), "yes"),
    (Lost("garbage: status 501: not JSON: ''"), "no"),
    (Lost("garbage: status 500: not JSON: 'NotImplementedError: the action'"), "no"),
    (Lost("garbage: status 500: not JSON: 'oops'"), "yes"),
    (Lost("timeout"), "unknown"),
    (Lost("refused"), "unknown"),
]


@pytest.mark.parametrize(("reply", "support"), SAYS)
def test_what_a_reply_says(reply, support):
    assert says(reply) == support


class Answering:
    def __init__(self, known):
        self.known = known

    def send(self, call, *, raw=None, timeout=10.0):
        assert call.body == {}
        return Success({}) if call.operation in self.known else Refusal("UnknownOperationException")


def test_probe():
    target = Target("t", "1", "", Answering({"GetItem", "PutItem", "ListStreams"}), Profile())
    found = probe(target)
    assert found.having("yes") == ("GetItem", "ListStreams", "PutItem")
    assert "items" in found.capabilities
    assert "streams" in found.capabilities
    assert "wire" in found.capabilities
    assert "transactions" not in found.capabilities
    profile = informed(Profile(), found)
    assert "TransactWriteItems" in profile.unsupported
    assert informed(Profile(capabilities=frozenset({"items", "partiql"})), found).capabilities == {"items"}


class Lagging:
    """A log to which what was raised comes after the answer."""

    def __init__(self, texts):
        self.texts = list(texts)

    def log_size(self):
        return 0

    def logged(self, mark):
        return self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]


@pytest.mark.parametrize(
    ("texts", "support"),
    [
        (["", "Traceback", "Traceback\n  raise\nNotImplementedError: the action\n"], "no"),
        (["", "Traceback", "Traceback\n  body[x]\nKeyError: 'TableName'\n"], "yes"),
        (["127.0.0.1 POST / 500"], "yes"),
    ],
)
def test_a_log_that_lags_is_waited_for(texts, support):
    class Failing:
        def send(self, call, *, raw=None, timeout=10.0):
            return Lost("garbage: status 500: not JSON: 'oops'")

    target = Target("t", "1", "", Failing(), Profile(), process=Lagging(texts))
    assert probe(target, ["ListTables"]).support == {"ListTables": support}


def test_unknown_is_no_no():
    assert "ttl" in capabilities_of({"UpdateTimeToLive": "unknown", "DescribeTimeToLive": "no"})
    assert Probe({"B": "no", "A": "no"}, frozenset()).having("no") == ("A", "B")


def test_operations_are_the_models():
    names = operations()
    assert {"GetItem", "SearchVectors", "GetRecords", "cloudwatch:ListMetrics"} <= set(names)
    assert {name for listed in OPERATIONS_OF.values() for name in listed} <= set(names)
    assert set(OPERATIONS_OF) <= set(CAPABILITIES)
