"""An application's traffic, written down by the proxy and judged afterwards."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chaos.proxy import ThreadedProxy
from chaos.recording import Recorder, RecordingError
from chaos.schedule import parse
from conformance.record.folder import read_trace
from conformance.replay import ReplayError
from conformance.targets.profile import Profile
from conformance.targets.target import Access
from conformance.targets.transport import HttpTransport
from conformance.traffic.judging import tally
from conformance.traffic.traces import judged, program_for, read_recording, replayed
from dynoracle import app
from reference.account import Account
from reference.api import Call, Success
from reference.server import ThreadedServer
from reference.service import Service

TABLE = {
    "TableName": "app-orders",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def put(key: str, **more: object) -> Call:
    return Call("PutItem", {"TableName": "app-orders", "Item": {"pk": {"S": key}, **more}})


def get(key: str) -> Call:
    return Call("GetItem", {"TableName": "app-orders", "Key": {"pk": {"S": key}}})


def test_traffic_is_recorded_judged_and_put_to_another_target(tmp_path: Path) -> None:
    trace = tmp_path / "app.jsonl"
    service = Service(Account())
    service.execute(Call("CreateTable", TABLE))
    service.execute(put("there"))
    with ThreadedServer(service) as server, Recorder(trace, server.url, Access()) as recorder:

        def watch(event: str, entry: object) -> None:
            if event != "fault":
                recorder.note(event, entry)  # type: ignore[arg-type]

        with ThreadedProxy(server.url, watch=watch, keeps_bodies=True) as proxy:

            def client(number: int) -> None:
                mine = HttpTransport(proxy.url())
                for turn in range(10):
                    mine.send(put(f"k{turn % 3}", v={"S": f"{number} ${{table:x}}"}))
                    mine.send(get(f"k{turn % 3}"))
                mine.send(get("there"))
                mine.send(Call("Scan", {"TableName": "app-orders", "Limit": 1}))
                mine.close()

            threads = [threading.Thread(target=client, args=(number,)) for number in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    header, ops = read_trace(trace)
    assert header["recorded"]["upstream"] == server.url
    assert len([op for op in ops if not op.notes.get("adopted")]) == 66
    recording = read_recording(trace)
    words = judged(recording, Profile())
    assert [w.verdict.divergence for w in words if w.verdict.divergence] == []
    assert tally(words)[0]["ok"] > 0
    tables, steps = program_for(recording)
    assert [body["TableName"] for body in tables] == ["${table:t0}"]
    assert len(steps) == 66
    assert not [j for j in replayed(recording, "reference") if j.verdict.divergence is not None]
    told = CliRunner().invoke(app, ["judge", str(trace)])
    assert told.exit_code == 0, told.output
    assert "66 calls" in told.output
    assert "recorded traffic: use `dynoracle judge" in CliRunner().invoke(app, ["replay", str(trace)]).output.replace(
        "\n", " "
    )


def test_faults_are_recorded_as_what_the_target_was_asked(tmp_path: Path) -> None:
    trace = tmp_path / "app.jsonl"
    rules = parse("[[rule]]\nfault = 'duplicate'\noperation = 'PutItem'\nnth = 1\n[[rule]]\nfault = 'error-before'\n"
                  "operation = 'PutItem'\nnth = 2\n")  # fmt: skip
    with ThreadedServer(Service(Account())) as server, Recorder(trace, server.url, Access()) as recorder:

        def watch(event: str, entry: object) -> None:
            if event != "fault":
                recorder.note(event, entry)  # type: ignore[arg-type]

        with ThreadedProxy(server.url, rules, watch=watch, keeps_bodies=True) as proxy:
            client = HttpTransport(proxy.url())
            client.send(Call("CreateTable", TABLE))
            client.send(put("a"))
            client.send(put("b"))
            client.send(get("a"))
            client.close()
    _, ops = read_trace(trace)
    assert [op.operation for op in ops] == ["CreateTable", "PutItem", "PutItem", "GetItem"]
    assert [op.notes.get("fault") for op in ops] == [None, "duplicate", "duplicate", None]
    words = judged(read_recording(trace), Profile())
    assert tally(words)[0] == {"ok": 4}


def test_a_recording_begins_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "old.jsonl").write_text("{}\n")
    with pytest.raises(RecordingError, match="exists"):
        Recorder(tmp_path / "old.jsonl", "http://127.0.0.1:9", Access())


@pytest.mark.parametrize(
    ("text", "says"),
    [(None, "cannot be read"), ("{", "is not JSON"), ('{"kind": "trace", "schema": 1}\n', "holds no calls")],
)
def test_traces_that_cannot_be_judged(tmp_path: Path, text: str | None, says: str) -> None:
    trace = tmp_path / "trace.jsonl"
    if text is not None:
        trace.write_text(text)
    with pytest.raises(ReplayError, match=says):
        read_recording(trace)
    assert CliRunner().invoke(app, ["judge", str(trace)]).exit_code == 2


def test_pages_are_followed_by_reference(tmp_path: Path) -> None:
    trace = tmp_path / "app.jsonl"
    with ThreadedServer(Service(Account())) as server, Recorder(trace, server.url, Access()) as recorder:

        def watch(event: str, entry: object) -> None:
            recorder.note(event, entry)  # type: ignore[arg-type]

        with ThreadedProxy(server.url, watch=watch, keeps_bodies=True) as proxy:
            client = HttpTransport(proxy.url())
            client.send(Call("CreateTable", TABLE))
            for key in "abc":
                client.send(put(key))
            scan = {"TableName": "app-orders", "Limit": 2}
            reply = client.send(Call("Scan", scan))
            assert isinstance(reply, Success)
            client.send(Call("Scan", {**scan, "ExclusiveStartKey": reply.body["LastEvaluatedKey"]}))
            client.close()
    tables, steps = program_for(read_recording(trace))
    assert tables == []
    assert steps[-1].body["ExclusiveStartKey"] == "${reply:4:LastEvaluatedKey}"
