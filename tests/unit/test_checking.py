"""Directed checks as a campaign makes them: the verdict, what is journalled, and the finding."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from conformance.checks import all_checks
from conformance.checks.base import Answered
from conformance.record.folder import RunFolder
from conformance.record.journal import read
from conformance.record.run import CheckResult
from conformance.search.checking import chosen, graded, run_check
from conformance.search.worker import Worker
from conformance.targets.target import open_target
from reference.account import ACCOUNT_ID
from reference.api import Call, Refusal, Reply, Success
from reference.server import ThreadedServer
from reference.service import Service
from reference.unkind import UnkindService, Weather
from tests.planted.arena import Wrap, plain, worker_of
from tests.planted.base import Bug, PlantedService

CHECKS = {check.id: check for check in all_checks()}
REFUSING = "keys.missing[sort key]"
READING = "items.put-replaces"
BACKED_UP = "backups.states[DescribeBackup]"
READING_A_STREAM = "streams.order[one item]"
BELOW = "wire.method[GET of another path]"
Says = Callable[[Service, Call, Reply], Reply]


def saying(says: Says) -> Wrap:
    """A service with one bug in what it says."""
    return lambda service: PlantedService(service, Bug(says=says))


def refusing_with(message: str, code: str = "ValidationException") -> Wrap:
    """A service that refuses in these words, whatever it refuses."""

    def says(service: Service, call: Call, reply: Reply) -> Reply:
        return replace(reply, code=code, message=message) if isinstance(reply, Refusal) else reply

    return saying(says)


def lenient(service: Service, call: Call, reply: Reply) -> Reply:
    return Success({}) if isinstance(reply, Refusal) else reply


def forgetful(service: Service, call: Call, reply: Reply) -> Reply:
    return Success({}) if call.operation in ("GetItem", "DescribeBackup") else reply


def without(operation: str) -> Wrap:
    """A service that knows nothing of one operation."""

    def says(service: Service, call: Call, reply: Reply) -> Reply:
        return Refusal("UnknownOperationException", "", 400) if call.operation == operation else reply

    return saying(says)


def made(worker: Worker, name: str) -> CheckResult:
    """The result of one check on a worker's target, which is what stands in its journal."""
    result = run_check(worker, CHECKS[name])
    worker.end()
    rows = [row for path in worker.folder.journals for row in read(path) if row["kind"] == "check"]
    assert [{name: row[name] for name in asdict(result)} for row in rows] == [asdict(result)]
    return result


class Hindering:
    """A service that throttles and fails every few calls, and takes another share of them for each program."""

    def __init__(self, service: Service) -> None:
        self.unkind = UnkindService(service, Weather(throttled=0.2, errors=0.1), seed=3)

    def execute(self, call: Call) -> Reply:
        return self.unkind.execute(call)


@pytest.mark.parametrize("name", [READING, REFUSING, BACKED_UP])
def test_a_check_is_made_again_where_it_is_not_let_through(tmp_path: Path, name: str) -> None:
    for number in range(6):
        worker = worker_of(Hindering, tmp_path / f"{number}")
        worker.latitude = replace(worker.latitude, throttling=True, server_errors=True)
        assert made(worker, name).verdict == "ok"
        assert not found(tmp_path / f"{number}")


def found(folder: Path) -> set[str]:
    return {finding.fingerprint for finding in RunFolder(folder).read_findings()}


@pytest.mark.parametrize("name", [REFUSING, READING, BACKED_UP])
def test_the_reference_is_right(tmp_path: Path, name: str) -> None:
    check = CHECKS[name]
    assert made(worker_of(plain, tmp_path), name) == CheckResult(name, check.rule, check.capability, "ok")
    assert found(tmp_path) == set()


def elsewhere(service: Service) -> Service:
    """A service whose tables are in another account."""
    service.account.account_id = "111111111111"
    return service


@pytest.mark.parametrize(
    "name",
    [
        "account.policy-revision[read]",
        "backups.arn-invalid[another service, DescribeBackup]",
        "streams.kinesis-answer[active]",
        "transfer.import-arn[a name too short]",
    ],
)
def test_a_check_speaks_of_the_targets_account(tmp_path: Path, name: str) -> None:
    assert ACCOUNT_ID in repr(CHECKS[name])
    assert made(worker_of(elsewhere, tmp_path), name).verdict == "ok"


def test_a_finding_names_no_account_so_that_it_shows_on_any_target(tmp_path: Path) -> None:
    name = "backups.list-region"
    assert ACCOUNT_ID in repr(CHECKS[name].when)
    lenient_abroad = saying(lambda service, call, reply: Success({}) if call.operation == "ListBackups" else reply)
    result = made(worker_of(lambda service: lenient_abroad(elsewhere(service)), tmp_path), name)
    assert result.verdict == "violated"
    (finding,) = RunFolder(tmp_path).read_findings()
    asked = finding.program[-1]["body"]["ExclusiveStartBackupArn"]
    assert asked.startswith("arn:aws:dynamodb:eu-west-1:${reply:0:TableDescription.TableArn.:4}:table/")


@pytest.mark.parametrize(
    ("name", "wrap"),
    [
        (REFUSING, refusing_with("no")),
        (REFUSING, refusing_with("Requested resource not found", "ResourceNotFoundException")),
        (REFUSING, saying(lenient)),
        (READING, saying(forgetful)),
        (BACKED_UP, saying(forgetful)),
    ],
    ids=["other words", "other code", "accepted", "forgotten", "forgotten, by its literal"],
)
def test_a_wrong_answer_is_a_finding(tmp_path: Path, name: str, wrap: Wrap) -> None:
    result = made(worker_of(wrap, tmp_path), name)
    assert result.verdict == "violated"
    assert found(tmp_path) == {result.fingerprint}


def test_an_answer_that_the_rule_accepts_too_is_right(tmp_path: Path) -> None:
    result = made(worker_of(refusing_with("The provided key element does not match the schema"), tmp_path), REFUSING)
    assert result.verdict == "ok"
    assert result.detail.startswith("lawful, but expected the message")


def test_a_control_that_is_refused_is_a_violation(tmp_path: Path) -> None:
    said = "One or more parameter values were invalid: Missing the key sk in the item"
    keyless = Refusal("ValidationException", said, 400)
    strict = saying(lambda service, call, reply: keyless if call.operation == "PutItem" else reply)
    result = made(worker_of(strict, tmp_path), REFUSING)
    assert result.verdict == "violated"
    assert found(tmp_path) == {result.fingerprint}


def test_what_is_found_of_a_control_is_blamed_on_what_it_breaks(tmp_path: Path) -> None:
    # MiniStack knows no iterators at a moment, whichever: that is no word on moments to come.
    name = next(check for check in CHECKS if check.startswith("streams.timestamp-future"))
    unknown = Refusal("ValidationException", "ShardIteratorType must be one of ['LATEST']", 400)
    kept = Refusal("InternalServerError", "", 500)

    def says(service: Service, call: Call, reply: Reply) -> Reply:
        if call.operation != "GetShardIterator":
            return reply
        return reply if isinstance(reply, Refusal) else kept

    result = made(worker_of(saying(says), tmp_path), name)
    (finding,) = RunFolder(tmp_path).read_findings()
    assert (result.verdict, finding.rule) == ("violated", "streams.iterator")
    assert (finding.replays, finding.replayed) == (1, 1)
    alike = saying(lambda service, call, reply: unknown if call.operation == "GetShardIterator" else reply)
    assert made(worker_of(alike, tmp_path / "alike"), name).verdict != "ok"


def test_an_attempt_tells_what_was_due_where_a_call_went_otherwise(tmp_path: Path) -> None:
    strict = saying(lambda service, call, reply: Refusal("X", "x", 400) if call.operation == "PutItem" else reply)
    worker = worker_of(strict, tmp_path)
    ops = worker.attempt(CHECKS[READING].program()).ops
    assert {op.notes.get("due") for op in ops if op.operation == "PutItem"} == {"success"}
    assert {op.notes.get("due") for op in ops if op.operation == "CreateTable"} == {None}
    worker.end()


def test_a_state_that_was_reached_at_once_is_lawful(tmp_path: Path) -> None:
    name = next(check for check in CHECKS if check.startswith("backups.states[CreateBackup]"))

    def says(service: Service, call: Call, reply: Reply) -> Reply:
        if call.operation != "CreateBackup" or not isinstance(reply, Success):
            return reply
        return Success({"BackupDetails": {**reply.body["BackupDetails"], "BackupStatus": status}})

    for status, verdict in (("AVAILABLE", "ok"), ("DELETED", "violated")):
        assert made(worker_of(saying(says), tmp_path / status), name).verdict == verdict


@pytest.mark.parametrize(("lag", "verdict"), [(60.0, "ok"), (0.0, "violated")])
def test_a_record_is_waited_for_as_long_as_it_may_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lag: float, verdict: str
) -> None:
    monkeypatch.setattr("conformance.search.checking.LAG_PAUSE", 0.0)
    looks: Counter[str] = Counter()

    def late(service: Service, call: Call, reply: Reply) -> Reply:
        looks[call.operation] += 1
        soon = call.operation == "GetRecords" and looks[call.operation] < 3
        return Success({**reply.body, "Records": []}) if soon and isinstance(reply, Success) else reply

    worker = worker_of(saying(late), tmp_path)
    worker.latitude = replace(worker.latitude, stream_lag=lag)
    assert made(worker, READING_A_STREAM).verdict == verdict


def test_an_operation_that_was_found_missing_is_not_asked(tmp_path: Path) -> None:
    worker = worker_of(plain, tmp_path)
    worker.target.profile = replace(worker.target.profile, unsupported=frozenset({"DescribeBackup"}))
    assert made(worker, BACKED_UP).detail == "the target does not have DescribeBackup"


def test_operations_of_other_services_are_asked_for(tmp_path: Path) -> None:
    # moto has scalable targets, but not what was done about them.
    name = next(check for check in CHECKS if check.startswith("scaling.") and ":" in CHECKS[check].when.operation)
    operation = CHECKS[name].when.operation
    worker = worker_of(without(operation), tmp_path)
    assert not worker.lacks("DescribeBackup")
    assert made(worker, name).verdict in ("unsupported", "not-reached")
    assert worker.lacks(operation)


def test_what_a_target_does_not_know_is_unsupported(tmp_path: Path) -> None:
    assert made(worker_of(without("PutItem"), tmp_path), REFUSING).verdict == "unsupported"


def test_what_builds_on_a_capability_that_is_not_there_is_unsupported(tmp_path: Path) -> None:
    # dynalite takes VectorIndexes for a member that it need not know.
    result = made(worker_of(without("SearchVectors"), tmp_path), "vectors.index-limit")
    assert (result.verdict, result.detail) == ("unsupported", "the target has no operation of vectors")
    assert not found(tmp_path)


def test_a_control_that_is_refused_alike_leaves_the_rule_unknown(tmp_path: Path) -> None:
    # Dynoxide knows of no iterators at a moment, past or to come.
    untimely = Refusal("ValidationException", "Invalid ShardIteratorType: AT_TIMESTAMP", 400)

    def says(service: Service, call: Call, reply: Reply) -> Reply:
        return untimely if call.operation == "GetShardIterator" else reply

    result = made(worker_of(saying(says), tmp_path), "streams.timestamp-future")
    assert result.verdict == "unknown"
    assert result.detail.startswith("its control is refused alike")


def test_a_table_that_could_not_be_made_is_the_only_finding(tmp_path: Path) -> None:
    no = Refusal("ValidationException", "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type", 400)
    barred = saying(lambda service, call, reply: no if call.operation == "CreateTable" else reply)
    worker = worker_of(barred, tmp_path)
    result = made(worker, READING)
    assert result.verdict == "unknown"
    operations = {
        row["operation"] for path in worker.folder.journals for row in read(path) if row["kind"] == "divergence"
    }
    assert operations == {"CreateTable"}


def test_a_step_before_it_that_fails_leaves_the_rule_unknown(tmp_path: Path) -> None:
    no = Refusal("ValidationException", "no", 400)
    barred = saying(lambda service, call, reply: no if call.operation == "CreateBackup" else reply)
    result = made(worker_of(barred, tmp_path), BACKED_UP)
    assert (result.verdict, result.fingerprint) == ("unknown", None)
    assert result.detail == "CreateBackup failed before it: ValidationException: no"
    assert made(worker_of(without("PutItem"), tmp_path / "other"), READING).verdict == "unsupported"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("backups.restore-in-use", "it needs slow restore"),
        ("streams.iterator-expired", "it needs 901 s to pass"),
        ("wire.wrong-signature", "it needs HTTP"),
        (BELOW, "it needs HTTP"),
    ],
)
def test_what_a_target_can_not_be_asked_is_not_reached(tmp_path: Path, name: str, why: str) -> None:
    result = made(worker_of(plain, tmp_path), name)
    assert (result.verdict, result.detail) == ("not-reached", why)


def test_what_a_target_does_not_claim_is_not_reached(tmp_path: Path) -> None:
    worker = worker_of(plain, tmp_path)
    worker.target.profile = replace(worker.target.profile, capabilities=frozenset({"items"}))
    result = made(worker, REFUSING)
    assert (result.verdict, result.detail) == ("not-reached", "the target does not claim keys")


def test_backups_do_not_outlive_the_check(tmp_path: Path) -> None:
    worker = worker_of(plain, tmp_path)
    run_check(worker, CHECKS[BACKED_UP])
    reply = worker.target.transport.send(Call("ListBackups", {}))
    assert reply == Success({"BackupSummaries": []})
    assert worker.target.transport.send(Call("ListTables", {})) == Success({"TableNames": []})
    worker.end()


@contextmanager
def working(url: str, folder: Path) -> Iterator[Worker]:
    with open_target(url) as target:
        yield Worker(target, RunFolder(folder), "main", "test")


class Agreeing(BaseHTTPRequestHandler):
    """Answers everything with an empty success; every table is there; there are no transactions."""

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        operation = self.headers.get("x-amz-target", "").partition(".")[2]
        body = b'{"Table":{"TableStatus":"ACTIVE"}}' if operation == "DescribeTable" else b"{}"
        lacking = operation == "TransactWriteItems"
        if lacking:
            body = b'{"__type":"com.amazon.coral.service#UnknownOperationException"}'
        self.send_response(400 if lacking else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET = _answer

    def log_message(self, *_: object) -> None:
        """Keep still."""


@contextmanager
def agreeing() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Agreeing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def replayed(folder: Path, fingerprint: str | None, url: str) -> int:
    """The exit code of a finding's script."""
    script = RunFolder(folder).finding_folder(str(fingerprint)) / "reproduce.py"
    return subprocess.run(
        [sys.executable, str(script), "--endpoint-url", url], capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize(
    "name",
    [BELOW, "backups.list[none]", "backups.states[CreateBackup]", "backups.table-not-found[CreateBackup]"],
    ids=["request below the SDK", "body", "members", "refusal"],
)
def test_what_is_held_against_its_literal_is_replayed_so(tmp_path: Path, name: str) -> None:
    with ThreadedServer(Service()) as right, agreeing() as wrong:
        with working(right.url, tmp_path / "right") as worker:
            assert made(worker, name).verdict == "ok"
        with working(wrong, tmp_path / "wrong") as worker:
            result = made(worker, name)
        assert result.verdict == "violated"
        assert found(tmp_path / "wrong") == {result.fingerprint}
        assert replayed(tmp_path / "wrong", result.fingerprint, wrong) == 1
        assert replayed(tmp_path / "wrong", result.fingerprint, right.url) == 0


def test_another_status_is_no_word_on_how_an_error_is_spelt(tmp_path: Path) -> None:
    # What does not refuse can't be seen refusing; that it doesn't is for another check.
    with agreeing() as url, working(url, tmp_path) as worker:
        assert made(worker, "wire.message-spelling[Message]").verdict == "unknown"
    assert found(tmp_path) == set()


def test_an_operation_that_is_not_there_is_no_word_on_how_its_errors_are_spelt(tmp_path: Path) -> None:
    # dynalite has no transactions, so none that is cancelled.
    with agreeing() as url, working(url, tmp_path) as worker:
        assert made(worker, "wire.message-spelling[TransactionCanceledException]").verdict == "unsupported"
    assert found(tmp_path) == set()


def test_an_earlier_answer_that_lacks_what_a_check_needs_leaves_the_rule_unknown(tmp_path: Path) -> None:
    with agreeing() as endpoint, working(endpoint, tmp_path) as worker:
        result = made(worker, BACKED_UP)
        assert result.verdict == "unknown"
        assert result.detail.endswith("is no part of the reply of call 1")


def test_checks_are_chosen_by_rule_and_capability() -> None:
    every = tuple(CHECKS.values())
    assert tuple(chosen(every, [], [])) == tuple(check for check in every if not check.claim)
    assert {check.rule for check in chosen(every, ["keys.missing"], [])} == {"keys.missing"}
    assert {check.capability for check in chosen(every, [], ["batches", "keys"])} == {"batches", "keys"}
    assert list(chosen(every, ["keys.missing"], ["batches"])) == []


@pytest.mark.parametrize(
    ("then", "told", "severity"),
    [
        (Answered(body={"RevisionId": "1"}), {"RevisionId": "2"}, "shape"),
        (Answered(has={"eventVersion": "1.1"}, at="Records[0]"), {"Records": [{"eventVersion": "1.0"}]}, "shape"),
        (Answered(has={"eventName": "INSERT"}, at="Records[1]"), {"Records": [{"eventName": "INSERT"}]}, "data"),
        (Answered(has={"Items": [{"pk": {"S": "a"}}]}), {"Items": []}, "data"),
        (Answered(lacks=("RestoreSummary",), at="Table"), {"Table": {"RestoreSummary": {}}}, "shape"),
    ],
    ids=["revision", "version of a record", "record", "items", "description"],
)
def test_a_wrong_body_is_as_bad_as_its_worst_place(then: Answered, told: Any, severity: str) -> None:
    assert graded(then, Success(told)) == severity
