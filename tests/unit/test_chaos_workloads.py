from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chaos import scenario
from chaos.checkers import transactions
from chaos.checkers.item import step
from chaos.checkers.verdict import Anomaly, Result
from chaos.cli import app
from chaos.experiment import Settings, Trial, experiment, schedule_for
from chaos.faults import find
from chaos.histories import Body
from chaos.schedule import Schedule
from chaos.summary import Made
from chaos.trials import Campaign, fingerprint, met, saved, shrink, spoken_of, write_run
from chaos.workloads import WORKLOADS
from chaos.workloads.base import Act, Evidence, Plan, Size, keys_in
from chaos.workloads.derived import told
from chaos.workloads.transactions import appending, of_ops, sums
from chaos.workloads.vocabulary import CONDITIONS, UPDATES, accesses, attempted, by_key, key, put, text, update, when
from conformance.record.codec import dumps, loads
from conformance.record.folder import RunFolder, read_finding, read_run
from conformance.record.op import Fate, Op, op_from_json
from conformance.targets.profile import Profile
from conformance.targets.target import open_target
from reference.api import Call, Json, Lost, Refusal, Reply, Success
from reference.rules import ledger
from tests.planted.concurrency import AppliedTwice, Threads, TokenForgotten, served

SIZE = Size(clients=3, acts=10)


@pytest.mark.parametrize("name", WORKLOADS)
def test_plans_are_drawn_first_and_the_same_from_the_same_seed(name: str) -> None:
    plan = WORKLOADS[name].draw(3, SIZE)
    assert plan == WORKLOADS[name].draw(3, SIZE)
    assert plan != WORKLOADS[name].draw(4, SIZE) or name == "long-fork"
    assert [len(acts) for acts in plan.clients] == [10, 10, 10]
    again = Plan.from_json(loads(dumps(plan.to_json())))
    assert again.to_json() == loads(dumps(plan.to_json()))


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_reference_passes(name: str) -> None:
    plan = WORKLOADS[name].draw(1, Size(clients=3, acts=15))
    with open_target("reference:inprocess") as target:
        trial = experiment(target, plan, None, Settings(converge=1.0))
        assert target.transport.send(Call("ListTables", {})) == Success({"TableNames": []})
    assert (trial.verdict, trial.anomalies(), trial.reasons()) == ("ok", [], [])
    assert len(trial.ops) >= 45


def test_it_passes_under_faults_with_the_ledger_and_without() -> None:
    faults = ("drop-reply", "error-before", "error-after", "duplicate", "delay-delivery", "reset-request", "reorder")
    with served(Threads()) as target:
        for name in ("register", "append"):
            for black_box in (False, True):
                settings = Settings(tuple(map(find, faults)), share=0.25, black_box=black_box, timeout=2.0)
                plan = WORKLOADS[name].draw(5, Size(clients=3, acts=15))
                trial = experiment(target, plan, schedule_for(WORKLOADS[name], plan, settings), settings)
                assert (trial.verdict, trial.anomalies(), trial.reasons()) == ("ok", [], [])
                assert sum(trial.fired.values()) > 5
                assert bool(trial.settled) != black_box


class Forgets(Threads):
    def killed(self) -> None:
        self.service = Threads().service


def test_what_promises_nothing_may_forget_at_a_kill() -> None:
    settings = Settings((find("kill"),), timeout=2.0, converge=0.5)
    plan = WORKLOADS["register"].draw(2, Size(clients=3, acts=12))
    with served(Forgets()) as target:
        target.profile = Profile(durability="none")
        trial = experiment(target, plan, schedule_for(WORKLOADS["register"], plan, settings), settings)
        assert target.alive()
    assert trial.fired["kill"] >= 1
    assert [(r.checker, r.verdict, r.facts["came_back"]) for r in trial.results] == [("durability", "ok", "empty")]


def test_a_target_that_refuses_the_table_is_unknown() -> None:
    plan = WORKLOADS["register"].draw(1, SIZE)
    broken = Plan("register", 1, {"t0": {"KeySchema": []}}, plan.clients)
    with open_target("reference:inprocess") as target:
        trial = experiment(target, broken, None, Settings())
    assert trial.verdict == "unknown"
    assert "CreateTable was refused" in trial.reasons()[0]


PLACE = key("t0", "a")


def made(operation: str, body: object, fate: Fate, reply: Reply, **notes: object) -> Op:
    returned = None if fate == "info" else 2.0
    return Op(7, operation, body, 3, 1.0, returned, reply, fate, notes=notes)  # type: ignore[arg-type]


FAILED = "ConditionalCheckFailedException"
CONDITIONAL = when(put(PLACE, {"v": text("x")}), "v = :was", {":was": text("w")})


@pytest.mark.parametrize(
    ("op", "labels"),
    [
        (made("GetItem", {**PLACE, "ConsistentRead": True}, "ok", Success({})), ["read nothing"]),
        (made("GetItem", PLACE, "ok", Success({})), []),
        (made("GetItem", {**PLACE, "ConsistentRead": True}, "fail", Lost("reset")), []),
        (
            made("PutItem", {**put(PLACE, {"v": text("x")}), "ReturnValues": "ALL_OLD"}, "ok", Success({})),
            ["put v=x (was nothing)"],
        ),
        (made("PutItem", CONDITIONAL, "fail", Refusal(FAILED, "m")), ["put v=x if v=w refused"]),
        (made("PutItem", CONDITIONAL, "fail", Refusal("ThrottlingException", "m")), []),
        (made("PutItem", CONDITIONAL, "info", Lost("reset")), ["put v=x if v=w"]),
        (
            made("UpdateItem", {**update(PLACE, "ADD n :n", {":n": {"N": "2"}}), "ReturnValues": "UPDATED_NEW"}, "ok",
                 Success({"Attributes": {"n": {"N": "5"}}})),
            ["update n+=2 (now n=5)"],
        ),
        (made("DeleteItem", PLACE, "ok", Success({})), ["delete"]),
        (
            made("TransactGetItems", {"TransactItems": [{"Get": PLACE}]}, "ok",
                 Success({"Responses": [{"Item": {"pk": text("a"), "v": text("x")}}]})),
            ["read v=x"],
        ),
        (
            made("TransactWriteItems", {"TransactItems": [{"Put": CONDITIONAL}, {"Delete": key("t0", "b")}]}, "fail",
                 Refusal("TransactionCanceledException", "m", fields={
                     "CancellationReasons": [{"Code": "ConditionalCheckFailed"}, {"Code": "None"}]})),
            ["put v=x if v=w refused"],
        ),
        (
            made("TransactWriteItems", {"TransactItems": [{"Put": CONDITIONAL}, {"Delete": key("t0", "b")}]}, "ok",
                 Success({})),
            ["put v=x if v=w", "delete"],
        ),
    ],
)  # fmt: skip
def test_ops_say_what_they_did_to_items(op: Op, labels: list[str]) -> None:
    assert [access.label() for _, access in accesses(op)] == labels


def test_a_second_delivery_may_take_effect_again() -> None:
    op = made("UpdateItem", update(PLACE, "ADD n :n", {":n": {"N": "1"}}), "ok", Success({}))
    assert [a.info for a in by_key([op], frozenset({7}))["a"]] == [False, True]
    assert [a.info for a in by_key([op])["a"]] == [False]
    refused = made("PutItem", CONDITIONAL, "fail", Refusal("ThrottlingException", "m"))
    assert [a.value_of("v") for a in attempted([refused])["a"]] == ["x"]


def test_every_expression_is_understood() -> None:
    values = {name: {"L": [{"N": "1"}]} if name in (":l", ":none") else {"N": "1"} for name in
              (":v", ":n", ":l", ":none", ":w", ":was", ":least", ":size")}  # fmt: skip
    for expression in UPDATES:
        for condition in CONDITIONS:
            body = when(update(PLACE, expression, values), condition)
            ((_, access),) = accesses(made("UpdateItem", body, "info", Lost("reset")))
            step(access, None)


def test_a_read_and_the_write_that_depends_on_it_are_one_transaction() -> None:
    nothing = Success({"Responses": [{}]})
    read = Op(0, "TransactGetItems", {"TransactItems": [{"Get": PLACE}]}, 0, 1.0, 2.0, nothing, "ok",
              notes={"composite": "x"})  # fmt: skip
    append = update(PLACE, list(UPDATES)[2], {":l": {"L": [{"N": "4"}]}, ":none": {"L": []}})
    for fate, count in (("ok", 1), ("info", 2), ("fail", 2)):
        reply: Reply = Success({}) if fate == "ok" else Refusal("TransactionConflictException", "m")
        wrote = Op(1, "TransactWriteItems", {"TransactItems": [{"Update": append}]}, 0, 3.0, 4.0, reply, fate,  # type: ignore[arg-type]
                   notes={"composite": "x"})  # fmt: skip
        found = list(of_ops([read, wrote]))
        assert len(found) == count
        assert found[-1].fate == fate
        assert found[-1].label().startswith("read a [], append a 4" if fate == "ok" else "append a 4")


class Reader:
    """A client to which a transaction on two lists shows: ``shows[n]`` names those that have it at the n-th reading."""

    def __init__(self, *shows: str) -> None:
        self.shows = list(shows)
        both = {"TransactItems": [{"Update": appending("a", 1)}, {"Update": appending("b", 2)}]}
        self.ops = [Op(0, "TransactWriteItems", both, 0, 0.0, None, Lost("timeout"), "info")]

    def call(self, operation: str, body: Body, **notes: Json) -> Op:
        index = len(self.ops)
        name, shown = body["Key"]["pk"]["S"], self.shows[0]
        if index % 2 == 0 and len(self.shows) > 1:
            self.shows.pop(0)
        held = Success({"Item": {**body["Key"], "l": {"L": [{"N": "1" if name == "a" else "2"}]}}})
        reply = held if name in shown else Success({})
        op = Op(index, operation, body, 9, float(index), index + 0.5, reply, "ok", notes=notes)
        self.ops.append(op)
        return op


@pytest.mark.parametrize(
    ("shows", "rounds", "kinds"),
    [
        (("b", "ab"), 2, []),  # it was still under way: single reads may see a half of it each
        (("", "ab"), 1, []),
        (("ab",), 1, []),
        (("b",), None, ["partial-transaction", "G-single"]),  # it stays so
    ],
)
def test_what_is_there_in_part_is_looked_at_again(shows: tuple[str, ...], rounds: int | None, kinds: list[str]) -> None:
    plan = Plan("append", 0, {}, ((Act("write", ("a", ["a", "b"], [["a", 1], ["b", 2]], "0.0")),),))
    reader = Reader(*shows)
    deadline = time.monotonic() + (60.0 if rounds else 0.0)
    WORKLOADS["append"].finish(reader, plan, deadline)  # type: ignore[arg-type]
    found = transactions.check(list(of_ops(reader.ops)), demand_contact=False).anomalies
    assert [anomaly.kind for anomaly in found] == kinds
    if rounds:
        assert len(reader.ops) == 1 + 2 * rounds
    else:
        # The evidence names the readings of the lists it speaks of, not the first that was made.
        assert found[0].ops() == (0, len(reader.ops) - 2, len(reader.ops) - 1)


def test_a_stream_that_was_not_read_to_its_end_is_unknown() -> None:
    record = {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": "a"}}, "NewImage": {"pk": {"S": "a"}}}}
    plan = Plan("stream", 0, {}, ())
    wrote = Op(0, "PutItem", put(PLACE, {"v": text("x")}), 0, 0.0, 0.5, Success({}), "ok")
    read = Op(1, "GetRecords", {}, 9, 1.0, 1.5, Success({"Records": [record]}), "ok", notes={"final": 1, "shard": "s"})
    lost = Op(2, "GetRecords", {}, 9, 2.0, 2.5, Lost("timeout"), "fail", notes={"final": 1, "shard": "s"})
    check = WORKLOADS["stream"].check
    assert check(Evidence(plan, [wrote, read], Profile()))[0].verdict == "violated"
    assert check(Evidence(plan, [wrote, read, lost], Profile()))[0].verdict == "unknown"


def test_a_bank_is_judged_once_its_accounts_are_open() -> None:
    class Throttled:
        """A client that is throttled at each account's first call, and loses the answer to the second of account0."""

        def __init__(self) -> None:
            self.ops: list[Op] = []

        def call(self, operation: str, body: Body, **notes: Json) -> Op:
            name = body["Item"]["pk"]["S"]
            before = [op for op in self.ops if op.body["Item"]["pk"]["S"] == name]  # type: ignore[index, call-overload]
            reply: Reply = Success({})
            fate: Fate = "ok"
            if not before:
                reply, fate = Refusal("ProvisionedThroughputExceededException", "m"), "fail"
            elif name == "account0":
                reply, fate = (Lost("reset"), "info") if len(before) == 1 else (Refusal(FAILED, "m"), "fail")
            op = Op(len(self.ops), operation, body, 3, 1.0, None if fate == "info" else 2.0, reply, fate, notes=notes)
            self.ops.append(op)
            return op

    plan = WORKLOADS["bank"].draw(1, Size(clients=2, acts=4, keys=2))
    client = Throttled()
    WORKLOADS["bank"].prepare(client, plan)  # type: ignore[arg-type]
    assert [op.fate for op in client.ops] == ["fail", "info", "fail", "fail", "ok"]
    assert sums(Evidence(plan, client.ops, Profile())).reason == "the money was never counted"
    assert sums(Evidence(plan, client.ops[:4], Profile())).reason == "not opened: account1"


def test_records_of_a_shard_come_after_its_parents() -> None:
    def read(index: int, shard: str, value: str) -> Op:
        image = {"pk": {"S": "a"}, "v": {"S": value}}
        record = {"eventName": "MODIFY", "dynamodb": {"Keys": {"pk": {"S": "a"}}, "NewImage": image}}
        reply = Success({"Records": [record]})
        return Op(index, "GetRecords", {}, 9, 1.0, 1.5, reply, "ok", notes={"final": 1, "shard": shard})

    shards = [{"ShardId": "child", "ParentShardId": "parent"}, {"ShardId": "parent", "ParentShardId": "trimmed"}]
    described = Op(0, "DescribeStream", {}, 9, 0.5, 0.6, Success({"StreamDescription": {"Shards": shards}}), "ok",
                   notes={"final": 1})  # fmt: skip
    plan = Plan("stream", 0, {}, ())
    ops = [described, read(1, "child", "new"), read(2, "parent", "old")]
    assert [record.new for record in told(Evidence(plan, ops, Profile()), final=True)] == [
        (("v", "old"),), (("v", "new"),),
    ]  # fmt: skip
    # A shard of which nothing was read leaves the stream unread.
    check = WORKLOADS["stream"].check
    assert check(Evidence(plan, ops[:2], Profile()))[0].verdict == "unknown"
    assert check(Evidence(plan, ops, Profile()))[0].verdict == "violated"


def test_a_stream_is_not_blamed_for_answers_that_contradict_each_other() -> None:
    image = {"pk": {"S": "a"}, "v": {"S": "x"}}
    shown = {"Keys": {"pk": {"S": "a"}}, "NewImage": image}
    records = [
        {"eventName": "INSERT", "dynamodb": {**shown, "SequenceNumber": "1"}},
        {"eventName": "REMOVE", "dynamodb": {"Keys": shown["Keys"], "OldImage": image, "SequenceNumber": "2"}},
    ]
    wrote = Op(
        0, "PutItem", {**put(PLACE, {"v": text("x")}), "ReturnValues": "ALL_OLD"}, 0, 0.0, 0.5, Success({}), "ok"
    )
    gone = Success({"Attributes": image})
    body = {**PLACE, "ReturnValues": "ALL_OLD"}
    deletes = [Op(n, "DeleteItem", body, n, 1.0, 1.5, gone, "ok") for n in (1, 2)]
    read = Op(3, "GetRecords", {}, 9, 3.0, 3.5, Success({"Records": records}), "ok", notes={"final": 1, "shard": "s"})
    plan = Plan("stream", 0, {}, ())
    found = WORKLOADS["stream"].check(Evidence(plan, [wrote, *deletes, read], Profile()))
    assert [a.kind for result in found for a in result.anomalies] == ["lost-update"]
    # One delete that the stream does not tell of is its fault.
    untold = replace(read, reply=Success({"Records": records[:1]}))
    found = WORKLOADS["stream"].check(Evidence(plan, [wrote, deletes[0], untold], Profile()))
    assert [a.summary for result in found for a in result.anomalies] == [
        "the stream tells 0 times that a was deleted; it was 1 times"
    ]


def test_shrinking_leaves_what_it_takes() -> None:
    plan = Plan("register", 0, {}, tuple(tuple(Act("put", (f"k{c}", n)) for n in range(8)) for c in range(3)))
    schedule = schedule_for(WORKLOADS["register"], plan, Settings((find("drop-reply"),), share=0.9))
    tried: list[tuple[int, bool]] = []
    best = [plan]

    def attempt(smaller: Plan, faults: Schedule | None) -> bool:
        tried.append((smaller.acts, faults is None))
        shows = any(act.args == ("k1", 5) for act in smaller.clients[1]) and faults is not None
        if shows:
            best[0] = smaller
        return shows

    shrink(plan, schedule, attempt)
    assert best[0].clients[0] == best[0].clients[2] == ()
    assert [act.args for act in best[0].clients[1]] in ([("k1", 4), ("k1", 5)], [("k1", 3), ("k1", 4), ("k1", 5)])
    assert tried[0] == (24, True)


def test_a_campaign_leaves_findings_that_run_again(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with served(AppliedTwice()) as target:
        campaign = Campaign(target, folder, Settings(converge=0.2), ["counter"], Size(clients=3, acts=15))
        campaign.run(60.0, rounds=2)
        run = write_run(
            campaign, command="c", budget=1.0, started="2026-11-22T00:00:00+00:00", seconds=1.0, stopped="budget"
        )
        (finding,) = [f for f in run.findings if f.path == "applied-twice"]
        place = folder.finding_folder(finding.fingerprint)
        plan, schedule = saved(place)
        assert schedule is None
        assert plan.acts < 45
        assert finding.replays == 3
        assert finding.seen == 2
    assert read_run(tmp_path / "run") == run
    assert read_finding(place).notes["workload"] == "counter"
    assert finding.rule in ledger()
    assert "one took effect twice" in (place / "evidence.txt").read_text()
    assert (place / "timeline.svg").read_text().startswith("<svg")
    history = [op_from_json(loads(line)) for line in (place / "history.jsonl").read_bytes().splitlines()]
    assert len(history) > plan.acts
    assert {row["index"] for row in finding.program} <= {op.index for op in history}
    assert {c.check: c.verdict for c in run.checks}["chaos:counter/linearizable/control"] == "violated"
    assert run.capabilities[0].verdict == "violated"


def test_a_long_campaign_keeps_no_calls() -> None:
    made = Made()
    plan = WORKLOADS["counter"].draw(1, Size(clients=2, acts=2))
    op = Op(0, "UpdateItem", {}, called=0.0, returned=0.1, reply=Success({}), fate="ok")
    wrong = Anomaly("applied-twice", "consistency.linearizable-item", "one took effect twice")
    for number in range(100):
        verdict = "violated" if number == 90 else "ok"
        found = Result("linearizable", verdict, (wrong,) if verdict == "violated" else ())
        made.add(Trial(plan, None, verdict, (found,), (op, op), fired={"jitter": 1}), control=number % 2 == 0)
    assert (made.trials, made.calls, made.fired, made.operations) == (100, 200, {"jitter": 100}, {"UpdateItem": 200})
    rows = made.experiments()
    assert [row["verdict"] for row in rows] == ["ok"] * 39 + ["violated"]
    checked = made.checked["counter", True, "linearizable"]
    assert (checked.verdicts, checked.first) == ({"ok": 49, "violated": 1}, wrong)


def test_findings_that_take_faults_keep_their_schedule(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with served(TokenForgotten()) as target:
        settings = Settings((find("drop-reply"),), share=0.3, timeout=2.0)
        campaign = Campaign(target, folder, settings, ["append"], Size(clients=2, acts=12))
        for seed in range(4):
            campaign.one("append", seed)
            if campaign.problems:
                break
    problem = next(p for p in campaign.problems.values() if p.anomaly.kind == "duplicate-elements")
    _, schedule = saved(folder.finding_folder(problem.fingerprint))
    assert schedule is not None
    assert {rule.fault.name for rule in schedule.rules} == {"drop-reply"}
    again = next(op for op in spoken_of(problem) if op.attempt_of is not None)
    lines = "\n".join(met(problem))
    assert f"Call {again.index} is call {again.attempt_of} again, with the same token." in lines
    assert "met the fault drop-reply: it reads the whole answer and ends the connection" in lines
    assert fingerprint("append", problem.anomaly) == problem.fingerprint


@pytest.mark.parametrize("name", sorted(set(scenario.names()) - set(scenario.failures())))
def test_scenarios_can_be_used(name: str) -> None:
    found = scenario.load(name)
    assert found.says.endswith(".")
    assert isinstance(found, scenario.Scenario)
    assert set(found.workloads) <= set(WORKLOADS)


@pytest.mark.parametrize(
    ("text_", "why"),
    [
        ("", "`says` is missing"),
        ("says = 1", "wrong type"),
        ('says = "x"\nworkloads = ["nope"]', "no workload is called 'nope'"),
        ('says = "x"\nfaults = ["nope"]', "no fault is called 'nope'"),
        ('says = "x"\ncolour = 1', "'colour' is unknown"),
        ('says = "x"\nclients = 0', "wrong type"),
        ("says =", "not TOML"),
    ],
)
def test_scenarios_that_cannot(tmp_path: Path, text_: str, why: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text_)
    with pytest.raises(scenario.ScenarioError, match=why):
        scenario.load(str(path))


def test_keys_of_a_plan() -> None:
    plan = Plan("register", 0, {}, ((Act("get", ("b",)), Act("consume")), (Act("get", ("a",)),)))
    assert keys_in(plan) == ["a", "b"]


def test_a_replay_says_whether_the_finding_shows(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with served(AppliedTwice()) as target:
        campaign = Campaign(target, folder, Settings(converge=0.2), ["counter"], Size(clients=3, acts=15))
        campaign.run(30.0, rounds=1)
        place = next((tmp_path / "run" / "findings").iterdir())
        url = target.endpoint
        shown = CliRunner().invoke(app, ["chaos", url, "--replay", str(place)])
        assert (shown.exit_code, "counter: violated, in 1 experiment" in shown.output) == (1, True), shown.output
    with served(Threads()) as target:
        gone = CliRunner().invoke(app, ["chaos", target.endpoint, "--replay", str(place)])
        assert (gone.exit_code, "counter: ok, in 5 experiments" in gone.output) == (0, True), gone.output


def test_the_command(tmp_path: Path) -> None:
    run = CliRunner().invoke
    out = str(tmp_path / "run")
    done = run(
        app, ["chaos", "reference:inprocess", "--workload", "counter", "--rounds", "1", "--acts", "5", "--out", out]
    )
    assert done.exit_code == 0, done.output
    assert "counter" in done.output
    done = run(app, ["chaos", "reference:inprocess", "--scenario", "kill", "--faults", "none", "--workload", "counter",
                     "--rounds", "1", "--out", out + "2"])  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "keeps nothing over a restart" in done.output
    assert read_run(out).capabilities[0].verdict == "ok"
    assert run(app, ["chaos", "reference:inprocess", "--workload", "nope", "--out", out]).exit_code == 2
    assert run(app, ["chaos", "reference:inprocess", "--faults", "kill", "--out", out]).exit_code == 2
    assert run(app, ["chaos", "nobody", "--out", out]).exit_code == 2
    assert run(app, ["chaos", "reference:inprocess", "--scenario", "nope", "--out", out]).exit_code == 2
    assert run(app, ["chaos", "reference:inprocess", "--replay", str(tmp_path)]).exit_code == 2
