"""The real emulators: each starts, serves, is probed, ends, and keeps what it says it keeps."""

from __future__ import annotations

import pytest

from conformance.targets.catalogue import find
from conformance.targets.install import located
from conformance.targets.probe import probe
from conformance.targets.process import running
from conformance.targets.raw import RawRequest
from conformance.targets.target import open_target
from reference.api import Call, Refusal, Success

pytestmark = pytest.mark.peer

PEERS = ("dynalite", "dynoxide", "ministack", "dynamodb-local")
TABLE = {
    "TableName": "table",
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
LACKS = {
    "dynalite": {"transactions", "partiql", "streams", "backups", "vectors"},
    "dynoxide": {"backups", "transfer", "global-tables"},
    "ministack": {"vectors", "bulk", "global-tables"},
    "dynamodb-local": {"backups", "transfer", "vectors"},
}


def put(key):
    return Call("PutItem", {"TableName": "table", "Item": {"p": {"S": key}}})


def create(transport):
    """Create the table and wait until it serves: dynalite is not done when it answers."""
    assert isinstance(transport.send(Call("CreateTable", TABLE)), Success)
    for _ in range(500):
        reply = transport.send(Call("DescribeTable", {"TableName": "table"}))
        if isinstance(reply, Success) and reply.body["Table"]["TableStatus"] == "ACTIVE":
            return
    pytest.fail("the table does not become active")


def keys(transport):
    reply = transport.send(Call("Scan", {"TableName": "table"}))
    assert isinstance(reply, Success), reply
    return sorted(item["p"]["S"] for item in reply.body["Items"])


@pytest.fixture(params=PEERS)
def name(request):
    if located(find(request.param)) is None:
        pytest.skip(f"{request.param} is not in the cache folder")
    return request.param


def test_serves_and_ends(name, tmp_path):
    with open_target(name, run_dir=tmp_path) as target:
        assert target.version
        send = target.transport.send
        create(target.transport)
        assert send(put("a")) == Success({})
        assert keys(target.transport) == ["a"]
        missing = send(Call("GetItem", {"TableName": "other", "Key": {"p": {"S": "a"}}}))
        assert isinstance(missing, Refusal)
        assert missing.code == "ResourceNotFoundException"
        broken = send(Call("PutItem", {}), raw=RawRequest(body=b"{"))
        assert isinstance(broken, Refusal)
        assert target.alive()
    assert running() == ()


def test_probe_knows_what_it_lacks(name, tmp_path):
    with open_target(name, run_dir=tmp_path) as target:
        found = probe(target)
        assert not found.having("unknown")
        assert {"items", "queries", "scans", "batches", "tables", "indexes"} <= found.capabilities
        assert not LACKS[name] & found.capabilities
        assert target.alive()


def test_keeps_what_it_claims(name, tmp_path):
    with open_target(name, run_dir=tmp_path, persist=True) as target:
        assert target.process is not None
        create(target.transport)
        assert target.transport.send(put("stopped")) == Success({})
        target.process.restart()
        assert keys(target.transport) == ["stopped"]
        assert target.transport.send(put("killed")) == Success({})
        target.process.kill()
        target.process.start()
        survives = target.profile.durability != "none"
        assert keys(target.transport) == (["killed", "stopped"] if survives else ["stopped"])


def test_pause_is_a_timeout_and_no_loss(name, tmp_path):
    with open_target(name, run_dir=tmp_path) as target:
        assert target.process is not None
        create(target.transport)
        target.process.pause()
        assert target.transport.send(put("late"), timeout=0.2).why == "timeout"
        target.process.resume()
        assert target.alive()
