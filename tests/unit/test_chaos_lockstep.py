"""Programs under faults: a right target is never faulted, and each wrong one is, but only with its fault."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from chaos.campaign import Faults, LockstepWorker, replay, search, with_faults
from chaos.faults import FAULTS, FaultError
from chaos.lockstep import FaultStep, QuietStep, pinned
from chaos.proxy_http import Framer, body_of, operation_of
from chaos.schedule import Rule, Schedule, draw
from conformance.machines import MACHINES
from conformance.machines.base import draw_chunk
from conformance.program import Program, Step
from conformance.record.folder import RunFolder, read_finding, read_run, read_trace
from conformance.record.op import Op
from conformance.replay import ReplayError, replay_path
from conformance.search.worker import Worker
from conformance.session import Judged
from conformance.targets.process import running
from conformance.targets.profile import Profile
from conformance.targets.target import Target, open_target
from conformance.targets.transport import HttpTransport
from reference.api import Call, Refusal, Reply, Success
from reference.service import Service
from reference.unkind import THROTTLED
from tests.unit.chaos_targets import TABLE, Bug, Watched, served
from tests.unit.test_chaos_proxy import canned

MODES = pytest.mark.parametrize("black_box", [False, True], ids=["ledger", "black-box"])
_serial = itertools.count()
KEYED = {**TABLE, "TableName": "${table:t0}"}


def program(*steps: Step, table: Any = None) -> Program:
    return Program("items", {"t0": table or KEYED}, steps)


def put(key: str = "a", value: str = "1") -> Step:
    return Step("PutItem", {"TableName": "${table:t0}", "Item": {"pk": {"S": key}, "v": {"S": value}}})


def get(key: str = "a") -> Step:
    return Step("GetItem", {"TableName": "${table:t0}", "Key": {"pk": {"S": key}}, "ConsistentRead": True})


def add(key: str = "a") -> Step:
    body = {
        "TableName": "${table:t0}",
        "Key": {"pk": {"S": key}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    return Step("UpdateItem", body)


def met(step: Step, fault: str, **settings: float) -> FaultStep:
    return FaultStep(step.operation, step.body, step.raw, fault, settings)


@contextmanager
def worker_on(target: Target, folder: Path, faults: Faults) -> Iterator[LockstepWorker]:
    # Names of its own for each run: the target remembers client tokens.
    run = f"{next(_serial)}"
    with LockstepWorker(target, RunFolder(folder), "t", run, timeout=5.0, faults=faults) as worker:
        yield worker


def play(target: Target, folder: Path, what: Program, *, black_box: bool = False) -> list[Judged]:
    names = {step.fault for step in what.steps if isinstance(step, FaultStep)}
    faults = Faults(tuple(FAULTS[name] for name in sorted(names)), share=0, black_box=black_box)
    with worker_on(target, folder, faults) as worker:
        return worker.play(what).ops


def rulings(ops: list[Judged]) -> set[str]:
    return {judged.verdict.ruling for judged in ops}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with open_target("reference", run_dir=tmp_path_factory.mktemp("reference")) as target:
        yield target
    assert not [left for left in running() if left.name == "reference"]


class TestSoundness:
    @MODES
    @pytest.mark.parametrize("capability", ["items", "batches", "transactions", "mixed"])
    def test_the_reference_is_never_faulted(self, tmp_path: Path, capability: str, *, black_box: bool) -> None:
        fired: dict[str, int] = {}
        with served() as (_, target):
            faults = Faults.named((), target, share=0.3, black_box=black_box)
            with worker_on(target, tmp_path, faults) as worker:
                for number, drawn in enumerate(draw_chunk(MACHINES[capability], 77, programs=6)):
                    worker._schedule = faults.of(number, drawn)
                    ops = worker.play(replace(drawn, capability=capability)).ops
                    wrong = [judged for judged in ops if judged.verdict.ruling == "violated"]
                    assert not wrong, (number, wrong[0])
                    assert not any(judged.verdict.why.startswith("harness") for judged in ops)
                fired = dict(worker.fired)
        assert sum(fired.values()) > 5

    @MODES
    @pytest.mark.parametrize("name", [n for n, f in FAULTS.items() if f.place == "proxy" and not f.concurrent])
    def test_each_fault_by_itself(self, tmp_path: Path, name: str, *, black_box: bool) -> None:
        """The control (no fault) and the fault, on the same program."""
        writes = [{"PutRequest": {"Item": {"pk": {"S": key}}}} for key in "abc"]
        batch = Step("BatchWriteItem", {"RequestItems": {"${table:t0}": writes}})
        token = {"TransactItems": [{"Update": add("t").body}], "ClientRequestToken": "${token:x}"}
        calls = (put(), add(), batch, Step("TransactWriteItems", token))
        fault = FAULTS[name]
        small = {p.name: min(max(1, p.least), p.most) for p in fault.parameters if p.name.endswith("_ms")}
        with served() as (_, target):
            plain = program(*(each for call in calls for each in (call, get())))
            assert rulings(play(target, tmp_path / "off", plain, black_box=black_box)) == {"ok"}
            for position, call in enumerate(calls):
                if fault.only and call.operation not in fault.only:
                    continue
                steps = [*plain.steps]
                steps[2 * position] = met(call, name, **small)
                ops = play(target, tmp_path / f"on{position}", program(*steps), black_box=black_box)
                assert rulings(ops) == {"ok"}, [j for j in ops if j.verdict.ruling != "ok"]
                hit = ops[1 + 2 * position].op
                assert hit.faults == (f"{name}@0.{2 + 2 * position}",)
                assert hit.notes["fault"]["name"] == name
                assert hit.fate == fault.ledger or black_box or name in ("half-close", "delay-delivery")

    def test_native_throttling(self, tmp_path: Path) -> None:
        counts = {"calls": 0, "throttled": 0}

        def stingy(service: Service, call: Call) -> Reply:
            counts["calls"] += 1
            if call.operation in ("PutItem", "UpdateItem") and counts["calls"] % 3 == 0:
                counts["throttled"] += 1
                return Refusal("ProvisionedThroughputExceededException", THROTTLED)
            return service.execute(call)

        with served(stingy) as (watched, target):
            faults = Faults.named(["low-capacity"], target)
            run = search(target, RunFolder(tmp_path), faults, budget=20, chunks=1, capabilities=("items",)).run
        assert counts["throttled"] > 0
        assert run.findings == ()
        created = [call.body for call in watched.asked if call.operation == "CreateTable"]
        assert all(body["ProvisionedThroughput"]["WriteCapacityUnits"] == 1 for body in created)

    @pytest.mark.parametrize("name", ["kill", "terminate", "pause", "disk-full", "descriptors"])
    def test_a_process_that_keeps_nothing(self, tmp_path: Path, process: Target, name: str) -> None:
        settings = {"hold_ms": 20.0} if name == "pause" else {}
        ops = play(process, tmp_path, program(put(), met(add(), name, **settings), get()))
        assert rulings(ops) == {"ok"}
        assert any(judged.op.faults for judged in ops)


# Wrong targets: each is right until its fault comes.


def forgets_duplicates(service: Service, call: Call) -> Reply:
    """Takes the second delivery of an update for the first."""
    seen = service.__dict__.setdefault("seen", {})
    text = orjson.dumps(call.body)
    if call.operation == "UpdateItem" and text in seen:
        known: Reply = seen[text]
        return known
    seen[text] = service.execute(call)
    return seen[text]


def forgets_tokens(service: Service, call: Call) -> Reply:
    """Does a transaction again whose token it should know."""
    service.account.remembered.clear()
    return service.execute(call)


def writes_what_it_throttles() -> Bug:
    count = 0

    def bug(service: Service, call: Call) -> Reply:
        nonlocal count
        reply = service.execute(call)
        count += call.operation == "PutItem"
        if call.operation == "PutItem" and count == 1:
            return Refusal("ProvisionedThroughputExceededException", THROTTLED)
        return reply

    return bug


class TestPower:
    def test_a_duplicate_taken_for_a_repeat(self, tmp_path: Path) -> None:
        with served(forgets_duplicates) as (_, target):
            assert rulings(play(target, tmp_path / "off", program(add(), get()))) == {"ok"}
            ops = play(target, tmp_path / "on", program(met(add(), "duplicate", parallel=0), get()))
            assert ops[2].verdict.ruling == "violated"
            (finding,) = {j.verdict.divergence.severity for j in ops if j.verdict.divergence}
            assert finding == "data"

    @MODES
    def test_a_token_that_is_not_known_again(self, tmp_path: Path, *, black_box: bool) -> None:
        call = Step(
            "TransactWriteItems", {"TransactItems": [{"Update": add().body}], "ClientRequestToken": "${token:x}"}
        )
        with served(forgets_tokens) as (_, target):
            assert rulings(play(target, tmp_path / "off", program(call, get()), black_box=black_box)) == {"ok"}
            on = program(met(call, "duplicate", parallel=0), get())
            assert "violated" in rulings(play(target, tmp_path / "on", on, black_box=black_box))

    def test_a_throttled_write_that_took_effect(self, tmp_path: Path) -> None:
        with served(writes_what_it_throttles()) as (_, target):
            faults = Faults((FAULTS["low-capacity"],))
            with worker_on(target, tmp_path, faults) as worker:
                ops = worker.play(program(put(), get())).ops
        assert [j.verdict.ruling for j in ops[:3]] == ["ok", "ok", "violated"]

    def test_a_write_undone_when_its_answer_is_dropped(self, tmp_path: Path) -> None:
        """The ledger saw it acknowledged; a client alone could not tell, so the black box lets it pass."""

        def undoes(service: Service, call: Call) -> Reply:
            return Success({}) if call.operation == "PutItem" else service.execute(call)

        what = program(met(put(), "drop-reply"), get())
        for black_box, ruling in ((False, "violated"), (True, "ok")):
            with served(undoes) as (_, target):
                ops = play(target, tmp_path / str(black_box), what, black_box=black_box)
                assert ops[2].verdict.ruling == ruling

    def test_half_a_transaction_behind_a_dropped_answer(self, tmp_path: Path) -> None:
        def torn(service: Service, call: Call) -> Reply:
            if call.operation == "TransactWriteItems":
                service.execute(Call("PutItem", call.body["TransactItems"][0]["Put"]))
                return Success({})
            return service.execute(call)

        call = Step("TransactWriteItems", {"TransactItems": [{"Put": put("a").body}, {"Put": put("b").body}]})
        with served(torn) as (_, target):
            what = program(met(call, "drop-reply"), get("a"), get("b"))
            assert "violated" in rulings(play(target, tmp_path, what, black_box=True))

    def test_a_late_delivery_that_ignores_its_condition(self, tmp_path: Path) -> None:
        def blind(service: Service, call: Call) -> Reply:
            body = {name: value for name, value in call.body.items() if name != "ConditionExpression"}
            return service.execute(Call(call.operation, body))

        once = Step("PutItem", {**put("a", "late").body, "ConditionExpression": "attribute_not_exists(pk)"})
        what = program(met(once, "delay-delivery", requests=1), put("a", "early"), get())
        with served() as (_, target):
            assert rulings(play(target, tmp_path / "right", what)) == {"ok"}
        with served(blind) as (_, target):
            assert "violated" in rulings(play(target, tmp_path / "blind", what))
            assert "violated" in rulings(play(target, tmp_path / "blind-black", what, black_box=True))

    def test_a_server_that_reads_only_once(self, tmp_path: Path) -> None:
        watched = Watched()

        def hasty(sock: socket.socket) -> None:
            while True:
                request, raw = Framer(), sock.recv(65_536)
                request.feed(raw)
                if not request.complete:
                    return
                body = orjson.loads(body_of(request, raw))
                reply = watched.execute(Call(operation_of(request), body))
                assert isinstance(reply, Success)
                text = orjson.dumps(reply.body)
                sock.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(text), text)
                )
                return

        with canned(hasty) as url:
            transport = HttpTransport(url)
            target = Target("hasty", "", url, transport, Profile())
            assert rulings(play(target, tmp_path / "off", program(put(), get()))) == {"ok"}
            sliced = met(put(), "slice-request", size=100, gap_ms=100, pieces=3)
            ops = play(target, tmp_path / "on", program(sliced, get()))
        assert ops[1].verdict.divergence is not None
        assert ops[1].verdict.divergence.severity == "crash"

    def test_what_was_acknowledged_and_lost_in_a_kill(self, tmp_path: Path, process: Target) -> None:
        """The reference keeps nothing; claiming that it does makes it wrong."""
        claiming = replace(process, profile=Profile(durability="process"))
        what = program(put(), met(put("b"), "kill", during=0), get())
        assert "violated" in rulings(play(claiming, tmp_path, what))


class TestRecords:
    def finding(self, tmp_path: Path) -> tuple[Path, tuple[Op, ...]]:
        with served(forgets_duplicates) as (_, target):
            faults = Faults((FAULTS["duplicate"], FAULTS["latency"]))
            with worker_on(target, tmp_path, faults) as worker:
                slow = {"request_ms": 0.0, "reply_ms": 0.0}
                steps = (
                    put("b"),
                    met(put("c"), "latency", **slow),
                    met(add(), "duplicate", parallel=0),
                    put("d"),
                    get(),
                )
                what = program(*steps)
                (_, divergence), *_ = worker.play(what).divergences()
                worker.reduce(what, divergence)
        (folder,) = (tmp_path / "findings").iterdir()
        return folder, read_trace(folder)[1]

    def test_a_finding_is_reduced_with_just_the_faults_it_takes(self, tmp_path: Path) -> None:
        folder, ops = self.finding(tmp_path)
        assert [op.operation for op in ops] == ["CreateTable", "UpdateItem", "GetItem"]
        assert [op.faults for op in ops] == [(), ("duplicate@0.2",), ()]
        assert ops[1].notes["answered"] == [200, 200]
        again = with_faults(ops)
        assert again.steps[0] == FaultStep("UpdateItem", ops[1].body, None, "duplicate", {"parallel": 0})
        assert "chaos.campaign" in (folder / "reproduce.py").read_text()

    def test_a_finding_is_replayed_with_its_faults(self, tmp_path: Path) -> None:
        folder, _ = self.finding(tmp_path)
        with served() as (_, target):
            result = replay(folder, target.endpoint)
            with pytest.raises(ReplayError, match="dynoracle lockstep TARGET --replay"):
                replay_path(folder, target.endpoint)
        assert (result.verdict, result.lines) == ("fixed", ())

    def test_the_command_searches_and_replays(self, tmp_path: Path) -> None:
        from typer.testing import CliRunner

        from dynoracle import app

        folder, _ = self.finding(tmp_path / "found")
        with served() as (_, target):
            command = ["lockstep", target.endpoint]
            again = CliRunner().invoke(app, [*command, "--replay", str(folder)])
            assert (again.exit_code, again.output.split(":")[0]) == (0, "fixed")
            options = ["--budget", "1s", "--capability", "items", "--out", str(tmp_path / "run")]
            found = CliRunner().invoke(app, [*command, *options, "--faults", "drop-reply"])
            assert found.exit_code == 0
            assert "faults: drop-reply" in found.output
            unknown = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "other"), "--faults", "kill"])
            assert unknown.exit_code == 2
        with served(forgets_duplicates) as (_, target):
            again = CliRunner().invoke(app, ["lockstep", target.endpoint, "--replay", str(folder)])
            assert (again.exit_code, again.output.splitlines()[-1].split(":")[0]) == (1, "still there")

    def test_a_baseline_is_replayed_with_its_faults_or_not_at_all(self, tmp_path: Path) -> None:
        from typer.testing import CliRunner

        from conformance.search.baseline import Baseline, Known, known_of, write_baseline
        from conformance.search.regression import replay_known
        from dynoracle import app

        folder, _ = self.finding(tmp_path / "found")
        entry = replace(known_of(read_finding(folder)), origin="baseline")
        write_baseline(tmp_path / "baseline.json", Baseline("", {entry.fingerprint: entry}))

        def states(bug: Any, home: Path) -> tuple[str, int]:
            with served(bug) as (_, target):
                options = ["--baseline", str(tmp_path / "baseline.json"), "--budget", "0.1s", "--faults", "none"]
                told = CliRunner().invoke(
                    app, ["lockstep", target.endpoint, "--out", str(home), "--capability", "items", *options]
                )
            (row,) = read_run(home).known
            return str(row["state"]), told.exit_code

        assert states(forgets_duplicates, tmp_path / "one") == ("still there", 0)
        assert states(None, tmp_path / "two") == ("vanished", 0)
        with served(forgets_duplicates) as (_, target):
            plain = Worker(target, RunFolder(tmp_path / "plain"), "main", "abc")
            assert replay_known(plain, entry) == "not replayed"
            assert replay_known(plain, Known("f", entry.program[:1])) == "vanished"
            plain.end()

    def test_the_same_schedule_meets_the_same_calls(self, tmp_path: Path) -> None:
        schedule = draw(3, [FAULTS["error-before"], FAULTS["drop-reply"]], requests=10, share=0.6)
        seen = []
        with served() as (_, target):
            for name in ("one", "two"):
                with worker_on(target, tmp_path / name, Faults(schedule=schedule)) as worker:
                    worker._schedule = schedule
                    seen.append([j.op.faults for j in worker.play(program(*[put(), add(), get()] * 3)).ops])
        assert seen[0] == seen[1]
        assert any(seen[0])

    def test_faults_go_where_their_calls_go(self) -> None:
        ops = [
            Op(0, "CreateTable", KEYED),
            Op(1, "PutItem", put().body),
            Op(2, "GetItem", get().body, notes={"fault": {"name": "throttle", "settings": {"kind": 1}}}),
            Op(3, "GetItem", get().body, notes={"quiet": True}),
        ]
        made = pinned(program(put(), get(), get()), ops)
        assert made.steps == (put(), met(get(), "throttle", kind=1), QuietStep("GetItem", get().body))

    def test_only_faults_that_can_be_put_in(self, tmp_path: Path) -> None:
        with served() as (_, target):
            with pytest.raises(ValueError, match="kill can't be put into reference: its process was not started here"):
                Faults.named(["kill"], target)
            with pytest.raises(FaultError, match="no fault is called"):
                Faults.named(["flood"], target)
            names = {fault.name for fault in Faults.named((), target).faults}
        assert names == {name for name, fault in FAULTS.items() if fault.place == "proxy" and not fault.concurrent}

    def test_a_search_leaves_a_run(self, tmp_path: Path) -> None:
        with served() as (watched, target):
            schedule = Schedule((Rule(FAULTS["error-before"], operations=frozenset({"PutItem"}), nth=frozenset({1})),))
            found = search(
                target,
                RunFolder(tmp_path),
                Faults(schedule=schedule),
                seed=1,
                budget=20,
                chunks=1,
                capabilities=("items",),
            )
            listed = watched.execute(Call("ListTables", {}))
        assert found.run.findings == ()
        assert found.run.programs > 5
        assert set(found.fired) == {"error-before"}
        assert found.run.profile["faults"] == ["error-before"]
        assert {r.verdict for r in found.run.capabilities} == {"ok"}
        assert (tmp_path / "report.json").exists()
        assert listed == Success({"TableNames": []})
