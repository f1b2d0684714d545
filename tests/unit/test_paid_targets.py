"""Endpoints that are paid for: who pays, what is made, what it costs, what is left. The reference stands in for AWS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from conformance.calibration import collect
from conformance.checks import all_checks
from conformance.clean import clean
from conformance.program import Program, Step
from conformance.record import journal
from conformance.record.codec import RecordError
from conformance.record.folder import RunFolder
from conformance.record.run import Run
from conformance.search.checking import out_of_reach, run_check
from conformance.search.pool import TablePool, cheap, dear, poolable
from conformance.search.worker import SpentError, TargetLostError, Worker
from conformance.targets.costs import Meter, estimate, price
from conformance.targets.guarded import GuardedTransport, account_of, allowed
from conformance.targets.ledger import Place, TableLedger, left
from conformance.targets.profile import Profile
from conformance.targets.target import Access, Target, TargetError, open_target, permit
from conformance.targets.transport import HttpTransport
from dynoracle import app
from reference.account import Account, Delays
from reference.api import Call, Lost, Refusal, Reply, Success
from reference.server import ThreadedServer, WallClock
from reference.service import Service

OWN, OTHER = "400000000004", "111111111111"
BODY: dict[str, Any] = {
    "TableName": "${table:t0}",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
PUT = Step("PutItem", {"TableName": "${table:t0}", "Item": {"pk": {"S": "a"}}})
GET = Step("GetItem", {"TableName": "${table:t0}", "Key": {"pk": {"S": "a"}}, "ConsistentRead": True})
PROGRAM = Program("items", {"t0": BODY}, (GET, PUT, GET))
SLOW = Profile(state_lag=5.0, throttles=True)


def table(name: str) -> Call:
    return Call("CreateTable", {**BODY, "TableName": name})


@contextmanager
def served(delay: float = 0.0) -> Iterator[tuple[Service, str]]:
    delays = Delays(create_table=delay, delete_table=delay)
    service = Service(Account(WallClock(), delays=delays))
    with ThreadedServer(service) as server:
        yield service, server.url


def access(folder: Path, **more: Any) -> Access:
    return Access(**{"allow_aws": True, "account_id": OWN, "ledger": folder / "tables" / "main.jsonl", **more})


def worker_on(target: Target, folder: Path, **more: Any) -> Worker:
    return Worker(target, RunFolder(folder), "main", "abc123", **more)


class TestWhoPays:
    @pytest.mark.parametrize("given", [Access(), Access(account_id=OWN)])
    def test_aws_is_refused_without_leave(self, given: Access) -> None:
        with pytest.raises(TargetError, match="give --allow-aws and --account-id"):
            permit("https://dynamodb.eu-west-1.amazonaws.com", given)

    @pytest.mark.parametrize("account", [None, "", "12", "00000000000x"])
    def test_leave_names_the_account(self, account: str | None) -> None:
        with pytest.raises(TargetError, match="twelve digits"):
            permit("https://dynamodb.eu-west-1.amazonaws.com", Access(allow_aws=True, account_id=account))
        permit("https://dynamodb.eu-west-1.amazonaws.com", Access(allow_aws=True, account_id=OWN))

    def test_the_account_is_told_by_a_table_that_is_there(self, tmp_path: Path) -> None:
        with served() as (service, url):
            assert account_of(HttpTransport(url)) is None
            service.execute(table("somebody-elses"))
            assert account_of(HttpTransport(url)) == OWN
            with pytest.raises(TargetError, match=f"belongs to account {OWN}, not to --account-id {OTHER}"):
                open_target(url, access=access(tmp_path, account_id=OTHER))
            open_target(url, access=access(tmp_path)).close()

    def test_or_by_the_first_that_is_made(self, tmp_path: Path) -> None:
        with served() as (service, url), open_target(url, access=access(tmp_path, account_id=OTHER)) as target:
            target.profile = Profile()
            worker = worker_on(target, tmp_path / "run")
            with pytest.raises(TargetLostError, match=f"in account {OWN}, not in --account-id {OTHER}"):
                worker.run(PROGRAM)
            worker.end()
            service.execute(Call("ListTables", {}))
            assert not service.account.tables

    def test_the_command_line_says_so_before_anything_is_started(self, tmp_path: Path) -> None:
        for options in ([], ["--allow-aws"], ["--account-id", OWN]):
            result = CliRunner().invoke(app, ["run", "aws", "--out", str(tmp_path / "run"), *options])
            assert result.exit_code == 2
            assert "--account-id" in result.output
        assert not (tmp_path / "run").exists()
        assert CliRunner().invoke(app, ["calibrate", "aws", "--out", str(tmp_path / "run")]).exit_code == 2


class TestWhatIsMade:
    def test_every_table_is_listed_before_it_is_asked_for(self, tmp_path: Path) -> None:
        with served() as (_, url), open_target(url, access=access(tmp_path)) as target:
            for name in ("dynoracle-x-1", "dynoracle-x-2", "ab"):
                target.transport.send(table(name))
            target.transport.send(table("dynoracle-x-1"))
            target.transport.send(Call("DeleteTable", {"TableName": "dynoracle-x-2"}))
            place, names = left(tmp_path / "tables" / "main.jsonl")
        assert place.endpoint == url
        assert names == ["dynoracle-x-1"]

    def test_of_what_was_never_answered_only_our_names_count(self, tmp_path: Path) -> None:
        ledger = TableLedger(tmp_path / "l.jsonl", Place("t", "http://127.0.0.1:1", "us-east-1"))
        transport = GuardedTransport(HttpTransport("http://127.0.0.1:1"), ledger=ledger)
        for name in ("dynoracle-x-1", "customers"):
            assert isinstance(transport.send(table(name)), Lost)
        assert left(tmp_path / "l.jsonl")[1] == ["dynoracle-x-1"]

    def test_clean_deletes_what_is_listed_and_nothing_else(self, tmp_path: Path) -> None:
        with served() as (service, url):
            service.execute(table("customers"))
            with open_target(url, access=access(tmp_path)) as target:
                for name in ("dynoracle-x-1", "dynoracle-x-2", "dynoracle-x-3"):
                    target.transport.send(table(name))
            service.execute(Call("DeleteTable", {"TableName": "dynoracle-x-2"}))
            protect = {"TableName": "dynoracle-x-3", "DeletionProtectionEnabled": True}
            service.execute(Call("UpdateTable", protect))
            states = {row.name: row.state for row in clean(tmp_path, access(tmp_path))}
            assert states == {"dynoracle-x-1": "deleted", "dynoracle-x-2": "was gone", "dynoracle-x-3": "deleted"}
            service.execute(Call("ListTables", {}))
            assert list(service.account.tables) == ["customers"]
            assert list(clean(tmp_path, access(tmp_path))) == []
            result = CliRunner().invoke(app, ["clean", str(tmp_path), "--allow-aws", "--account-id", OWN])
            assert result.exit_code == 0, result.output

    def test_clean_of_a_folder_that_lists_none(self, tmp_path: Path) -> None:
        with pytest.raises(RecordError, match="lists no tables"):
            list(clean(tmp_path, Access()))
        assert CliRunner().invoke(app, ["clean", str(tmp_path)]).exit_code == 2

    def test_a_worker_leaves_nothing(self, tmp_path: Path) -> None:
        with served(0.05) as (service, url), open_target(url, access=access(tmp_path)) as target:
            target.profile = SLOW
            worker = worker_on(target, tmp_path / "run")
            for _ in range(3):
                assert worker.run(PROGRAM) == []
            assert worker.pool is not None
            assert worker.pool.reused == 2
            worker.end()
            assert left(tmp_path / "tables" / "main.jsonl")[1] == []
            time.sleep(0.1)
            service.execute(Call("ListTables", {}))
            assert not service.account.tables


class TestPool:
    def test_tables_are_used_again_empty_and_by_definition(self, tmp_path: Path) -> None:
        with served() as (service, url), open_target(url) as target:
            target.profile = SLOW
            worker = worker_on(target, tmp_path)
            other = Program("items", {"t0": {**BODY, "TableClass": "STANDARD"}}, (PUT,))
            for program in (PROGRAM, PROGRAM, other, PROGRAM):
                assert worker.run(program) == []
            assert worker.pool is not None
            assert worker.pool.reused == 2
            assert len(service.account.tables) == 2
            assert not any(list(held.items()) for held in service.account.tables.values())
            worker.end()

    def test_programs_that_change_settings_have_tables_of_their_own(self, tmp_path: Path) -> None:
        describe = Step("DescribeTable", {"TableName": "${table:t0}"})
        assert poolable(PROGRAM)
        assert not poolable(replace(PROGRAM, steps=(*PROGRAM.steps, describe)))

    def test_a_table_rests_while_reads_may_lag(self, tmp_path: Path) -> None:
        now = [0.0]
        service = Service(Account())
        service.execute(table("dynoracle-1"))
        pool = TablePool(service.execute, 2.0, lambda: now[0])
        service.execute(Call("PutItem", {"TableName": "dynoracle-1", "Item": {"pk": {"S": "a"}}}))
        assert pool.give(BODY, "dynoracle-1", {}, [{"pk": {"S": "a"}}])
        assert pool.take(BODY) is None
        now[0] = 2.0
        assert pool.take(BODY) == ("dynoracle-1", {})

    def test_what_cannot_be_emptied_is_not_kept(self) -> None:
        def deaf(call: Call) -> Reply:
            return Success({"Items": [{"pk": {"S": "a"}}]}) if call.operation == "Scan" else Success({})

        assert not TablePool(deaf).give(BODY, "dynoracle-1", {}, [])

    def test_a_table_whose_index_shows_what_was_is_not_kept(self) -> None:
        index = {"IndexName": "all", "KeySchema": BODY["KeySchema"], "Projection": {"ProjectionType": "ALL"}}

        def ghosts(call: Call) -> Reply:
            return Success({"Items": [{"pk": {"S": "a"}}] if "IndexName" in call.body else []})

        assert not TablePool(ghosts).give({**BODY, "GlobalSecondaryIndexes": [index]}, "dynoracle-1", {}, [])
        assert TablePool(ghosts).give(BODY, "dynoracle-1", {}, [])

    @pytest.mark.parametrize(("delay", "kept"), [(0.6, True), (0.0, False)])
    def test_tables_are_kept_where_making_one_takes_long(self, tmp_path: Path, delay: float, *, kept: bool) -> None:
        with served(delay) as (_, url), open_target(url) as target:
            target.profile = Profile(state_lag=5.0)
            worker = worker_on(target, tmp_path)
            for _ in range(3):
                assert worker.run(PROGRAM) == []
            assert (worker.pool is not None and worker.pool.reused == 1) is kept
            worker.end()

    def test_a_divergence_ends_a_table(self, tmp_path: Path) -> None:
        with served() as (service, url), open_target(url) as target:
            target.profile = SLOW
            worker = worker_on(target, tmp_path)
            worker.run(PROGRAM)
            held = next(iter(service.account.tables.values()))
            held.install({"pk": {"S": "b"}}, {"pk": {"S": "b"}})
            assert worker.run(PROGRAM)
            assert worker.pool is not None
            assert worker.pool.names() == []
            worker.end()

    def test_tables_are_made_together(self) -> None:
        service = Service(Account())
        names = iter(f"dynoracle-{n}" for n in range(9))
        pool = TablePool(service.execute)
        pool.prepare([PROGRAM] * 3, lambda: next(names), 1.0)
        assert sorted(pool.names()) == ["dynoracle-0", "dynoracle-1", "dynoracle-2"]


class TestWhatItCosts:
    def test_prices_go_by_size_and_are_rather_high(self) -> None:
        small, large = ({"TableName": "t", "Item": {"pk": {"S": "x" * size}}} for size in (10, 3000))
        assert 0.625e-6 < price(Call("PutItem", small), Success({})) < price(Call("PutItem", large), Success({}))
        assert price(Call("TransactWriteItems", small), Success({})) == 2 * price(Call("PutItem", small), Success({}))
        scan = Call("Scan", {"TableName": "t"})
        assert price(scan, Success({"Items": [], "ScannedCount": 100})) > price(scan, Success({"Items": []})) > 0
        units = {"ProvisionedThroughput": {"ReadCapacityUnits": 100, "WriteCapacityUnits": 100}}
        assert price(Call("CreateTable", units), Success({})) > 0.05
        assert price(Call("CreateTable", units), Refusal("ValidationException", "")) == 0
        assert price(Call("DescribeTable", {}), Success({})) == 0
        assert 0 < estimate(60, 1) < estimate(60, 2) < 1

    def test_the_cap_ends_the_search_and_what_is_under_way(self, tmp_path: Path) -> None:
        with served() as (service, url), open_target(url, access=access(tmp_path, max_cost=2e-5)) as target:
            worker = worker_on(target, tmp_path / "run")

            def search() -> None:
                for _ in range(20):
                    worker.run(PROGRAM)

            with pytest.raises(SpentError, match="are spent"):
                search()
            assert 1 <= worker.programs < 10
            worker.end()
            service.execute(Call("ListTables", {}))
            assert not service.account.tables

    def test_past_the_cap_only_deletions_go_out(self) -> None:
        with served() as (service, url):
            service.execute(table("dynoracle-1"))
            transport = GuardedTransport(HttpTransport(url), meter=Meter(1.0, 2.0))
            assert isinstance(transport.send(Call("ListTables", {})), Lost)
            assert isinstance(transport.send(Call("DeleteTable", {"TableName": "dynoracle-1"})), Success)

    def test_tables_are_on_demand_and_numbers_small(self) -> None:
        units = {"ReadCapacityUnits": 1000, "WriteCapacityUnits": 1000}
        index = {"IndexName": "g", "ProvisionedThroughput": units}
        body = {**BODY, "BillingMode": "PROVISIONED", "ProvisionedThroughput": units, "GlobalSecondaryIndexes": [index]}
        step = Step("UpdateTable", {"TableName": "${table:t0}", "ProvisionedThroughput": units})
        cut = cheap(Program("tables", {"t0": body}, (step,)))
        assert cut.tables["t0"] == {**BODY, "GlobalSecondaryIndexes": [{"IndexName": "g"}]}
        assert cut.steps[0].body["ProvisionedThroughput"] == {"ReadCapacityUnits": 10, "WriteCapacityUnits": 10}
        assert dear([body])
        assert not dear([BODY])


class TestWhatIsPutThere:
    def test_nothing_that_reaches_further_than_a_table(self, tmp_path: Path) -> None:
        assert allowed("PutItem", {})
        assert not allowed("ExportTableToPointInTime", {})
        assert not allowed("UpdateTable", {"ReplicaUpdates": []})
        with served() as (_, url), open_target(url, access=access(tmp_path)) as target:
            reached = [check for check in all_checks() if not out_of_reach(target, check)]
            assert {"ExportTableToPointInTime", "CreateBackup", "ImportTable", "PutResourcePolicy"}.isdisjoint(
                step.operation for check in reached for step in check.steps
            )
            worker = worker_on(target, tmp_path / "run")
            backup = Step("CreateBackup", {"TableName": "${table:t0}", "BackupName": "abc"})
            session = worker.play(replace(PROGRAM, steps=(backup, PUT)))
            assert "paid for" in str(session.ops[1].op.notes["skipped"])
            assert isinstance(session.ops[2].op.reply, Success)
            worker.end()

    def test_a_throttled_endpoint_is_left_in_peace(self) -> None:
        pauses: list[float] = []
        busy = Refusal("LimitExceededException", "Subscriber limit exceeded")

        class Busy:
            left = 3

            def execute(self, call: Call) -> Reply:
                self.left -= 1
                if call.operation == "GetItem":
                    return Refusal("ProvisionedThroughputExceededException", "slow down")
                return busy if self.left >= 0 else Success({})

            def operations(self) -> list[str]:
                return ["CreateTable", "GetItem"]

        with ThreadedServer(Busy()) as server:
            transport = GuardedTransport(HttpTransport(server.url), sleep=pauses.append)
            assert transport.send(table("dynoracle-1")) == Success({})
            assert pauses == [0.05, 0.1, 0.2]
            pauses.clear()
            for _ in range(3):
                assert isinstance(transport.send(Call("GetItem", {})), Refusal)
            assert pauses == [0.05, 0.1]


class TestCalibration:
    def test_answers_are_recorded_as_evidence(self, tmp_path: Path) -> None:
        chosen = [c for c in all_checks() if c.rule == "items.condition-failed"][:4]
        with served() as (_, url), open_target(url, access=access(tmp_path)) as target:
            target.profile = SLOW
            worker = worker_on(target, tmp_path / "run", recording=True)
            for check in chosen:
                run_check(worker, check)
            worker.end()
        folder = RunFolder(tmp_path / "run")
        run = Run({"name": "t"}, "", "", "", 0, 0.0, "2026-11-22T12:00:00+00:00", 0.0, 0, 0, "budget")
        done = collect(folder, run, "eu-west-1")
        rows = list(journal.read(done.path))
        assert done.recorded == len(chosen) == len(rows) - 1
        assert set(done.confirmed) == {check.rule for check in chosen}
        assert done.contradicted == ()
        assert rows[1]["evidence"] == {"kind": "recorded", "source": "dynoracle calibrate, eu-west-1", "on": "2026-11"}
        assert rows[1]["calls"][-1]["reply"]
