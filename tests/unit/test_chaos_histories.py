from __future__ import annotations

import time
from pathlib import Path

import pytest

from chaos.faults import find
from chaos.histories import Client, History, assumptions, doubled, logical, reopened, repeated, settle
from chaos.proxy_ledger import Delivery, Ledger
from chaos.schedule import Firing
from conformance.record import journal
from conformance.record.op import Fate, Op
from reference.api import Call, Lost, Refusal, Reply, Success


class Scripted:
    """A transport that gives the answers it was given."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.calls: list[Call] = []

    def send(self, call: Call, *, raw: object = None, timeout: float = 10.0) -> Reply:
        self.calls.append(call)
        return self.replies.pop(0)

    def send_raw(self, call: Call, *, raw: object = None, timeout: float = 10.0) -> Lost:
        return Lost("never")

    def close(self) -> None:
        self.replies.clear()


NAMES = {"table:t0": "real-name", "run:": "run1"}
GET = {"TableName": "${table:t0}", "Key": {"pk": {"S": "a"}}}
PUT = {"TableName": "${table:t0}", "Item": {"pk": {"S": "a"}}}


def client(history: History, *replies: Reply) -> tuple[Client, Scripted]:
    transport = Scripted(*replies)
    return Client(1, 4, transport, history, NAMES), transport


def test_each_call_and_answer_is_on_disk_at_once(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    one, transport = client(history, Success({}), Refusal("ConditionalCheckFailedException", "no"))
    one.call("GetItem", GET)
    one.call("PutItem", PUT, final=1)
    rows = list(journal.read(tmp_path / "history.jsonl"))
    assert [(row["kind"], row["operation"]) for row in rows] == [
        ("call", "GetItem"), ("op", "GetItem"), ("call", "PutItem"), ("op", "PutItem"),
    ]  # fmt: skip
    assert [row.get("fate") for row in rows] == [None, "ok", None, "fail"]
    assert rows[1]["body"]["TableName"] == "${table:t0}"
    assert rows[3]["notes"] == {"client": 1, "final": 1}
    assert transport.calls[0].body["TableName"] == "real-name"
    history.close()


def test_after_an_open_call_a_client_goes_on_as_another_process() -> None:
    history = History()
    one, _ = client(history, Lost("reset"), Success({}), Lost("timeout"), Success({}))
    ops = [one.call(name, PUT if name == "PutItem" else GET) for name in ("PutItem", "PutItem", "GetItem", "GetItem")]
    assert [(op.process, op.fate, op.returned is None) for op in ops] == [
        (1, "info", True), (5, "ok", False), (5, "fail", False), (5, "ok", False),
    ]  # fmt: skip
    assert assumptions(ops) == []


def test_tokens_are_the_same_when_sent_again() -> None:
    one, transport = client(History(), Lost("reset"), Success({}))
    first = one.call("TransactWriteItems", {"TransactItems": []}, token="1.0")
    again = one.call("TransactWriteItems", {"TransactItems": []}, token="1.0", attempt_of=first.index)
    assert [call.body["ClientRequestToken"] for call in transport.calls] == ["run1-1.0", "run1-1.0"]
    assert first.body["ClientRequestToken"] == "${token:1.0}"
    assert again.attempt_of == first.index


def op(index: int, fate: Fate, called: float, returned: float | None, **more: object) -> Op:
    reply: Reply = Success({}) if fate == "ok" else Lost("reset")
    fields = {"operation": "PutItem", "process": index, "notes": {"client": 0}, "reply": reply, **more}
    return Op(index, body=PUT, called=called, returned=returned, fate=fate, **fields)  # type: ignore[arg-type]


def test_attempts_are_one_call() -> None:
    ops = [op(0, "info", 1.0, None), op(1, "ok", 3.0, 4.0, attempt_of=0), op(2, "ok", 5.0, 6.0)]
    (first, second) = logical(ops)
    assert (first.index, first.called, first.returned, first.fate, first.process) == (0, 1.0, 4.0, "ok", 0)
    assert second.index == 2
    assert logical([op(0, "info", 1.0, None), op(1, "fail", 3.0, 4.0, attempt_of=0)])[0].fate == "info"
    assert logical([op(0, "fail", 1.0, 2.0), op(1, "fail", 3.0, 4.0, attempt_of=0)])[0].fate == "fail"


def ledger(*deliveries: Delivery) -> tuple[Ledger, float]:
    made = Ledger()
    entry = made.begin(0)
    entry.firing = Firing("drop-reply@0.1", find("drop-reply"), {}, 0, 1)
    entry.deliveries = list(deliveries)
    return made, entry.began - 1.0


def delivery(status: int, *, whole: bool = True) -> Delivery:
    now = time.monotonic() if status else None
    body = b"{}" if status == 200 else b'{"__type":"x#ConditionalCheckFailedException","message":"m"}'
    headers = (("content-type", "application/x-amz-json-1.0"),)
    return Delivery(0.0, 10, 10, whole=whole, status=status, answered=now, headers=headers, answer=body)


@pytest.mark.parametrize(
    ("deliveries", "fate"),
    [
        ([], "fail"),
        ([delivery(0, whole=False)], "fail"),
        ([delivery(200)], "ok"),
        ([delivery(400)], "fail"),
        ([delivery(0)], "info"),
        ([delivery(500)], "info"),
        ([delivery(200), delivery(200)], "info"),
    ],
)
def test_open_calls_are_settled_by_the_ledger(deliveries: list[Delivery], fate: Fate) -> None:
    known, start = ledger(*deliveries)
    (settled,) = settle([op(0, "info", 0.5, None)], known, start).ops
    assert settled.fate == fate
    assert settled.faults == ("drop-reply@0.1",)
    assert (settled.returned is None) == (fate == "info")
    # A black box settles nothing.
    assert settle([op(0, "info", 0.5, None)], None, start).ops[0].fate == "info"


def test_an_entry_belongs_to_the_last_call_before_it() -> None:
    known, start = ledger(delivery(200))
    settled = settle([op(0, "info", 0.5, None), op(1, "info", 2.0, None)], known, start).ops
    assert [each.fate for each in settled] == ["ok", "info"]


def test_refused_writes_that_came_twice_are_open_again() -> None:
    known, start = ledger(delivery(400), delivery(200))
    ops = [op(0, "fail", 0.5, 2.0)]
    twice = doubled(ops, known, start)
    assert twice == {0}
    assert [each.fate for each in reopened(ops, twice)] == ["info"]
    assert doubled(ops, None, start) == set()


def test_assumptions() -> None:
    fine = [op(0, "ok", 1.0, 2.0, process=0), op(1, "ok", 2.0, 3.0, process=0)]
    assert assumptions(fine) == []
    assert "one clock" in assumptions([op(0, "ok", 2.0, 1.0)])[0]
    assert "stands twice" in assumptions([fine[0], fine[0]])[0]
    assert "before call 0 was answered" in assumptions([fine[0], op(1, "ok", 1.5, 3.0, process=0)])[0]
    assert "never answered" in assumptions([op(0, "info", 1.0, None, process=0), fine[1]])[0]
    assert repeated(["a", "b"]) == []
    assert repeated(["a", "b", "a"]) == ["a was written by two calls"]
