"""Schedules: which request meets which fault, in TOML and from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chaos.faults import FAULTS
from chaos.schedule import Asked, Plan, Rule, Schedule, ScheduleError, draw, dump, load, parse

DROP, SLOW = FAULTS["drop-reply"], FAULTS["latency"]


def hits(schedule: Schedule, *asked: Asked) -> list[str | None]:
    plan = Plan(schedule)
    return [firing.id if (firing := plan.pick(each)) else None for each in asked]


def ask(ordinal: int, operation: str = "PutItem", client: int = 0, body: Any = None) -> Asked:
    return Asked(client, ordinal, operation, body)


def item(table: str = "music", key: str = "a") -> Any:
    return {"TableName": table, "Item": {"pk": {"S": key}, "v": {"N": "1"}}}


class TestMatching:
    def test_by_ordinal_of_each_client(self) -> None:
        schedule = Schedule((Rule(DROP, at=frozenset({2})),))
        asked = (ask(1), ask(1, client=1), ask(2), ask(2, client=1), ask(3))
        assert hits(schedule, *asked) == [None, None, "drop-reply@0.2", "drop-reply@1.2", None]

    def test_by_client(self) -> None:
        schedule = Schedule((Rule(DROP, client=1),))
        assert hits(schedule, ask(1), ask(1, client=1)) == [None, "drop-reply@1.1"]

    def test_by_operation(self) -> None:
        schedule = Schedule((Rule(DROP, operations=frozenset({"GetItem"})),))
        assert hits(schedule, ask(1), ask(2, "GetItem")) == [None, "drop-reply@0.2"]

    def test_within_a_window(self) -> None:
        schedule = Schedule((Rule(DROP, first=2, last=3),))
        assert hits(schedule, *map(ask, range(1, 5))) == [None, "drop-reply@0.2", "drop-reply@0.3", None]

    def test_by_table(self) -> None:
        schedule = Schedule((Rule(DROP, table="music"),))
        batch = {"RequestItems": {"music": []}}
        transaction = {"TransactItems": [{"Put": item()}]}
        bodies = (item("other"), item(), batch, transaction, None, [1])
        found = hits(schedule, *(ask(n, body=body) for n, body in enumerate(bodies, 1)))
        assert [each is not None for each in found] == [False, True, True, True, False, False]

    def test_by_key(self) -> None:
        schedule = Schedule((Rule(DROP, key={"pk": {"S": "a"}}),))
        bodies = (
            item(key="b"),
            item(key="a"),
            {"TableName": "music", "Key": {"pk": {"S": "a"}}},
            {"RequestItems": {"music": {"Keys": [{"pk": {"S": "b"}}, {"pk": {"S": "a"}}]}}},
            {"RequestItems": {"music": [{"DeleteRequest": {"Key": {"pk": {"S": "a"}}}}]}},
            {"TransactItems": [{"Delete": {"Key": {"pk": {"S": "a"}}}}]},
            {"RequestItems": {"music": ["odd"]}, "TransactItems": "odd", "Key": 3},
        )
        found = hits(schedule, *(ask(n, body=body) for n, body in enumerate(bodies, 1)))
        assert [each is not None for each in found] == [False, True, True, True, True, True, False]

    def test_the_nth_that_matches(self) -> None:
        schedule = Schedule((Rule(DROP, operations=frozenset({"GetItem"}), nth=frozenset({2})),))
        asked = (ask(1, "GetItem"), ask(2), ask(3, "GetItem"), ask(4, "GetItem"))
        assert hits(schedule, *asked) == [None, None, "drop-reply@0.3", None]

    def test_the_first_rule_wins_and_shifts_no_count(self) -> None:
        schedule = Schedule((Rule(SLOW, at=frozenset({1})), Rule(DROP, nth=frozenset({2}))))
        assert hits(schedule, *map(ask, range(1, 4))) == ["latency@0.1", "drop-reply@0.2", None]

    def test_no_more_often_than_said(self) -> None:
        schedule = Schedule((Rule(DROP, times=1),))
        assert hits(schedule, ask(1), ask(2)) == ["drop-reply@0.1", None]

    def test_a_share_is_the_same_for_the_same_seed(self) -> None:
        asked = [ask(n) for n in range(1, 201)]
        found = [hits(Schedule((Rule(DROP, share=0.3),), seed), *asked) for seed in (1, 1, 2)]
        assert found[0] == found[1] != found[2]
        assert 30 <= sum(each is not None for each in found[0]) <= 90

    def test_a_fault_of_batches_hits_nothing_else(self) -> None:
        schedule = Schedule((Rule(FAULTS["partial-batch"]),))
        assert hits(schedule, ask(1), ask(2, "BatchWriteItem")) == [None, "partial-batch@0.2"]

    def test_a_fault_of_tables_is_none_of_requests(self) -> None:
        assert hits(Schedule((Rule(FAULTS["low-capacity"]),)), ask(1)) == [None]


TEXT = """
seed = 7

[[rule]]
fault = "drop-reply"
operation = ["PutItem", "UpdateItem"]
table = "music"
key = { pk = { S = "a" } }
nth = [2, 4]

[[rule]]
fault = "latency"
client = 1
from = 10
to = 20
share = 0.5
times = 3
with = { request_ms = 50 }
"""


class TestToml:
    def test_is_read(self) -> None:
        schedule = parse(TEXT)
        assert schedule.seed == 7
        assert parse(TEXT, seed=9).seed == 9
        assert schedule.rules == (
            Rule(
                DROP, operations=frozenset({"PutItem", "UpdateItem"}), table="music", key={"pk": {"S": "a"}},
                nth=frozenset({2, 4}),
            ),
            Rule(SLOW, {"request_ms": 50}, client=1, first=10, last=20, share=0.5, times=3),
        )  # fmt: skip

    def test_what_is_written_is_read_back(self) -> None:
        assert parse(dump(parse(TEXT))) == parse(TEXT)
        odd = Schedule((Rule(DROP, table='a "table" \\ ü\n', key={"p.k": {"S": '"'}}),), 3)
        assert parse(dump(odd)) == odd
        drawn = draw(5, list(FAULTS.values()), requests=60, clients=range(3), share=0.5)
        assert parse(dump(drawn)) == drawn

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("[[rule", "not TOML"),
            ("seed = true", "must be an integer"),
            ("rules = []", "'rules' is unknown"),
            ("rule = 1", r"written as \[\[rule\]\]"),
            ("[[rule]]\nclient = 1", "rule 1: `fault` is missing"),
            ("[[rule]]\nfault = 'flood'", "no fault is called 'flood'"),
            ("[[rule]]\nfault = 'latency'\nwhen = 3", "'when' is unknown"),
            ("[[rule]]\nfault = 'latency'\nclient = 'a'", "wrong type"),
            ("[[rule]]\nfault = 'latency'\nclient = true", "wrong type"),
            ("[[rule]]\nfault = 'latency'\nnth = [0]", "count from 1"),
            ("[[rule]]\nfault = 'latency'\noperation = [3]", "list of names"),
            ("[[rule]]\nfault = 'latency'\nwith = 3", "rule 1"),
            ("[[rule]]\nfault = 'latency'\nwith = { request_ms = 1e9 }", "from 0 to 30000"),
        ],
    )
    def test_says_what_is_wrong(self, text: str, says: str) -> None:
        with pytest.raises(ScheduleError, match=says):
            parse(text)

    def test_says_in_which_file(self, tmp_path: Path) -> None:
        path = tmp_path / "faults.toml"
        with pytest.raises(ScheduleError, match=r"faults\.toml: cannot be read"):
            load(path)
        path.write_text("seed = 'x'")
        with pytest.raises(ScheduleError, match=r"faults\.toml: `seed`"):
            load(path)


class TestDraw:
    def test_follows_from_the_seed(self) -> None:
        faults = list(FAULTS.values())
        assert draw(1, faults, requests=40) == draw(1, faults, requests=40)
        assert draw(1, faults, requests=40) != draw(2, faults, requests=40)

    def test_a_client_more_changes_nothing_for_the_others(self) -> None:
        one = draw(1, [DROP], requests=40, clients=[0])
        two = draw(1, [DROP], requests=40, clients=[0, 1])
        assert two.rules[: len(one.rules)] == one.rules

    def test_no_share_and_no_faults_mean_none(self) -> None:
        assert draw(1, [DROP], requests=40, share=0).rules == ()
        assert draw(1, [], requests=40).rules == ()

    def test_reads_the_body_only_where_a_rule_needs_it(self) -> None:
        schedule = Schedule((Rule(DROP, operations=frozenset({"PutItem"}), table="music"),))
        assert schedule.needs_body("PutItem")
        assert not schedule.needs_body("GetItem")
