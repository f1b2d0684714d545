"""The minimiser on made-up divergences: what it keeps, drops and renumbers, and that it ends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.checks.base import table
from conformance.oracle.divergence import Divergence
from conformance.program import Program, Step
from conformance.search import minimise as minimiser
from conformance.search.minimise import Attempt, Reduction, keep, minimise, renumber, without_table
from conformance.search.simplify import simpler
from reference.api import Success

T0, T1 = "${table:t0}", "${table:t1}"


def divergence(path: str = "item:value", row: tuple[Any, ...] | None = None) -> Divergence:
    return Divergence("GetItem", "items.missing-item", "data", path, "", Success({}), Success({}), row=row)


def call(number: int, table_: str = T0, **more: Any) -> Step:
    return Step("PutItem", {"TableName": table_, "Item": {"pk": {"S": f"k{number}"}}, **more})


def program(*steps: Step, tables: int = 1) -> Program:
    return Program("items", {f"t{n}": table(f"t{n}") for n in range(tables)}, steps)


class Target:
    """Shows a divergence at a program's last call where ``shows`` says so; counts what that costs."""

    def __init__(self, shows: Callable[[Program], bool], found: Divergence | None = None) -> None:
        self.shows = shows
        self.found = found or divergence()
        self.requests = 0
        self.attempts = 0

    def attempt(self, candidate: Program) -> Attempt:
        self.attempts += 1
        self.requests += len(candidate.tables) + len(candidate.steps)
        if not candidate.steps or not self.shows(candidate):
            return Attempt(())
        return Attempt(((len(candidate.tables) + len(candidate.steps) - 1, self.found),))

    def reduce(self, whole: Program, **budgets: int) -> Reduction:
        return minimise(whole, self.found, self.attempt, **budgets)


def numbers(candidate: Program) -> list[int]:
    """The numbers of the calls that are left whole."""
    keys = [step.body.get("Item", {}).get("pk", {}).get("S", "") for step in candidate.steps]
    return [int(key[1:]) for key in keys if key[1:]]


def needs(*wanted: int) -> Callable[[Program], bool]:
    return lambda candidate: set(wanted) <= set(numbers(candidate))


class TestCalls:
    def test_only_what_is_needed_is_kept(self) -> None:
        # The last call is the one that shows it, so it stays.
        target = Target(needs(3, 11))
        reduction = target.reduce(program(*map(call, range(12))), values=0)
        assert numbers(reduction.program) == [3, 11]
        assert reduction.reproduced

    def test_what_comes_after_the_divergence_goes(self) -> None:
        whole = program(*map(call, range(6)))

        def attempt(candidate: Program) -> Attempt:
            at = [n for n, step in enumerate(candidate.steps) if step.body["Item"]["pk"]["S"] == "k2"]
            return Attempt(tuple((len(candidate.tables) + n, divergence()) for n in at))

        assert numbers(minimise(whole, divergence(), attempt, values=0).program) == [2]

    def test_another_divergence_does_not_count(self) -> None:
        other = divergence("Count:value")

        def attempt(candidate: Program) -> Attempt:
            shown = divergence() if set(numbers(candidate)) >= {1, 3} else other
            return Attempt(((len(candidate.tables) + len(candidate.steps) - 1, shown),))

        reduction = minimise(program(*map(call, range(4))), divergence(), attempt, values=0)
        assert numbers(reduction.program) == [1, 3]
        assert reduction.divergence.path == "item:value"

    def test_what_shows_by_itself_is_not_given_up_for_what_rests_on_another(self) -> None:
        def attempt(candidate: Program) -> Attempt:
            last = len(candidate.tables) + len(candidate.steps) - 1
            whole = {1, 3} <= set(numbers(candidate))
            # Alone, the last call shows it too, but only on what another difference left behind.
            return Attempt(((last, replace(divergence(), derived=not whole)),))

        reduction = minimise(program(*map(call, range(4))), divergence(), attempt, values=0)
        assert numbers(reduction.program) == [1, 3]
        assert not reduction.divergence.derived

    def test_what_does_not_show_again_stays_as_it_was(self) -> None:
        whole = program(*map(call, range(4)))
        reduction = Target(lambda candidate: False).reduce(whole)
        assert not reduction.reproduced
        assert reduction.program == whole

    def test_a_divergence_of_the_set_up(self) -> None:
        whole = program(*map(call, range(3)), tables=2)
        reduction = minimise(whole, divergence(), lambda candidate: Attempt(((0, divergence()),)), values=0)
        assert reduction.program.steps == ()
        assert len(reduction.program.tables) == 1

    def test_the_row_in_doubt_is_tried_first(self) -> None:
        steps = [*map(call, range(20)), Step("Scan", {"TableName": T0, "Select": "k7"})]
        target = Target(
            lambda c: c.steps[-1].operation == "Scan" and 7 in numbers(c), divergence(row=(123, "k7"))
        )  # fmt: skip
        assert numbers(target.reduce(program(*steps), values=0).program) == [7]
        assert target.attempts <= 6

    def test_the_row_in_doubt_is_tried_with_what_the_last_call_goes_on_from(self) -> None:
        described = Step("DescribeStream", {"StreamArn": "${reply:0:TableDescription.LatestStreamArn}"})
        opened = Step("GetShardIterator", {"ShardId": "${reply:16:StreamDescription.Shards[0].ShardId}"})
        read = Step("GetRecords", {"ShardIterator": "${reply:17:ShardIterator}"})
        target = Target(
            lambda c: c.steps[-1].operation == "GetRecords" and numbers(c).count(7) == 4, divergence(row=(123, "k7"))
        )
        writes = map(call, (0, 7, 1, 2, 7, 3, 4, 5, 7, 6, 8, 9, 10, 7, 11))
        reduction = target.reduce(program(*writes, described, opened, read), values=0)
        assert [step.operation for step in reduction.program.steps] == [
            *["PutItem"] * 4, "DescribeStream", "GetShardIterator", "GetRecords",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        "written",
        [
            Step("PutItem", {"TableName": T0, "Item": {"pk": {"S": "a"}, "sk": {"N": "1e1"}}}),
            Step("PutItem", {"TableName": T0, "Item": {"pk": {"S": "a"}, "sk": {"N": "+10.0"}}}),
            Step("ExecuteStatement", {"Statement": f"INSERT INTO \"{T0}\" VALUE {{'pk': 'a', 'sk': 10}}"}),
        ],
    )
    def test_a_row_is_found_however_it_is_spelt(self, written: Step) -> None:
        others = [Step("PutItem", {"TableName": T0, "Item": {"pk": {"S": "a"}, "sk": {"N": str(n)}}}) for n in range(9)]
        steps = [*others, written, written, *others, Step("Scan", {"TableName": T0})]
        target = Target(
            lambda c: c.steps[-1].operation == "Scan" and c.steps.count(written) == 2,
            divergence(row=(5, "a", Decimal("10"))),
        )
        assert len(target.reduce(program(*steps), values=0).program.steps) == 3
        assert target.attempts <= 6

    def test_a_row_of_a_number_key_is_found_by_its_text(self) -> None:
        steps = [Step("PutItem", {"TableName": T0, "Item": {"pk": {"N": str(10**n)}}}) for n in range(12)]
        steps.append(Step("Scan", {"TableName": T0}))
        wanted = {"pk": {"N": "10000000000"}}
        target = Target(
            lambda c: c.steps[-1].operation == "Scan" and any(s.body.get("Item") == wanted for s in c.steps),
            divergence(row=(5, Decimal("1E+10"))),
        )
        assert len(target.reduce(program(*steps), values=0).program.steps) == 2
        assert target.attempts <= 6

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.data())
    def test_no_call_can_go_any_more(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(1, 14))
        wanted = data.draw(st.sets(st.integers(0, count - 1), max_size=4)) | {count - 1}
        target = Target(needs(*wanted))
        reduction = target.reduce(program(*map(call, range(count))), calls=10_000, values=0)
        assert set(numbers(reduction.program)) == wanted


class TestReferences:
    def page(self, number: int, of: int) -> Step:
        start = f"${{reply:{of}:LastEvaluatedKey}}"
        return Step("Scan", {"TableName": T0, "ExclusiveStartKey": start, "Segment": number})

    def test_references_follow_their_calls(self) -> None:
        # Calls are counted from the table's: 0 is CreateTable.
        steps = [*map(call, range(5)), Step("Scan", {"TableName": T0, "Limit": 1}), self.page(1, 6), self.page(2, 7)]
        target = Target(lambda c: c.steps[-1].body.get("Segment") == 2)
        small = target.reduce(program(*steps), values=0).program
        for position, step in enumerate(small.steps):
            start = step.body.get("ExclusiveStartKey")
            if start is not None:
                referred = int(start.split(":")[1]) - len(small.tables)
                assert small.steps[referred].operation == "Scan"
                assert referred == position - 1

    def test_a_call_whose_reply_is_used_cannot_go_alone(self) -> None:
        whole = program(call(0), Step("Scan", {"TableName": T0}), self.page(1, 2))
        assert keep(whole, {0, 2}) is None
        kept = keep(whole, {1, 2})
        assert kept is not None
        assert kept.steps[1].body["ExclusiveStartKey"] == "${reply:1:LastEvaluatedKey}"

    def test_references_follow_dropped_tables(self) -> None:
        whole = program(call(0, T1), Step("Scan", {"TableName": T1}), self.page(1, 3), tables=2)
        moved = Step("Scan", {**whole.steps[2].body, "TableName": T1})
        whole = Program("items", whole.tables, (*whole.steps[:2], moved))
        dropped = without_table(whole, "t0")
        assert dropped is not None
        assert list(dropped.tables) == ["t1"]
        assert dropped.steps[2].body["ExclusiveStartKey"] == "${reply:2:LastEvaluatedKey}"

    def test_text_without_references_is_left_alone(self) -> None:
        body = {"Item": {"v": {"S": "${reply: not one"}}}
        assert renumber(body, {}) == body


class TestTables:
    def test_an_unused_table_goes(self) -> None:
        reduction = Target(needs(1)).reduce(program(call(0), call(1), tables=2), values=0)
        assert list(reduction.program.tables) == ["t0"]

    def test_a_used_table_stays(self) -> None:
        whole = program(call(0, T1), call(1, T0), tables=2)
        assert without_table(whole, "t1") is None
        assert set(Target(needs(0, 1)).reduce(whole, values=0).program.tables) == {"t0", "t1"}

    def test_an_unneeded_index_goes_with_its_definitions(self) -> None:
        indexed = {"t0": table(gsi=["by-g=g:S", "by-h=h:N"])}
        whole = Program("items", indexed, (call(0),))
        small = Target(lambda c: "by-h" in json.dumps(c.tables["t0"])).reduce(whole).program
        assert [i["IndexName"] for i in small.tables["t0"]["GlobalSecondaryIndexes"]] == ["by-h"]
        assert {d["AttributeName"] for d in small.tables["t0"]["AttributeDefinitions"]} == {"pk", "h"}


def defined(body: dict[str, Any]) -> bool:
    """Whether every placeholder that an expression names stands for something, as a target would demand."""
    texts = " ".join(text for name, text in body.items() if name.endswith("Expression"))
    held = {**body.get("ExpressionAttributeNames", {}), **body.get("ExpressionAttributeValues", {})}
    return set(re.findall(r"[#:]\w+", texts)) <= held.keys()


class TestValues:
    def small(self, body: dict[str, Any], shows: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        whole = program(Step("UpdateItem", {"TableName": T0, "Key": {"pk": {"S": "a"}}, **body}))
        return dict(Target(lambda c: shows(c.steps[-1].body)).reduce(whole).program.steps[-1].body)

    def test_members_that_do_not_matter_go(self) -> None:
        body = {"UpdateExpression": "REMOVE v", "ReturnValues": "ALL_NEW", "ReturnConsumedCapacity": "TOTAL"}
        small = self.small(body, lambda b: "UpdateExpression" in b)
        assert small == {"TableName": T0, "Key": {"pk": {"S": "a"}}, "UpdateExpression": "REMOVE v"}

    def test_placeholders_go_with_what_used_them(self) -> None:
        body = {
            "UpdateExpression": "SET #a = :a, #b = :b",
            "ExpressionAttributeNames": {"#a": "a", "#b": "b"},
            "ExpressionAttributeValues": {":a": {"S": "x"}, ":b": {"L": [{"N": "1"}, {"N": "2"}]}},
        }
        small = self.small(body, lambda b: "#b" in b.get("UpdateExpression", "") and defined(b))
        assert small["UpdateExpression"] == "SET #b = :b"
        assert small["ExpressionAttributeNames"] == {"#b": "b"}
        assert set(small["ExpressionAttributeValues"]) == {":b"}

    def test_a_placeholder_that_nothing_used_may_be_what_matters(self) -> None:
        body = {
            "UpdateExpression": "REMOVE v, w",
            "ExpressionAttributeValues": {":unused": {"S": "x"}},
        }
        small = self.small(body, lambda b: ":unused" in b.get("ExpressionAttributeValues", {}) and "REMOVE" in str(b))
        assert set(small["ExpressionAttributeValues"]) == {":unused"}

    def test_keys_keep_their_attributes(self) -> None:
        item = {"pk": {"S": "a"}, "v": {"M": {"x": {"N": "12"}, "y": {"S": "long text"}}}}
        bodies = list(simpler({"TableName": T0, "Item": item}, frozenset({"pk"})))
        assert all("pk" in body["Item"] for body in bodies)
        assert {"TableName": T0, "Item": {"pk": {"S": "a"}}} in bodies

    def test_a_condition_loses_its_parts(self) -> None:
        body = {
            "ConditionExpression": "a = :a AND b = :b",
            "ExpressionAttributeValues": {":a": {"S": "x"}, ":b": {"S": "y"}},
        }
        small = self.small(body, lambda b: "b = :b" in b.get("ConditionExpression", "") and defined(b))
        assert small["ConditionExpression"] == "b = :b"
        assert set(small["ExpressionAttributeValues"]) == {":b"}


def test_a_call_that_only_a_dropped_part_needed_is_dropped_with_it() -> None:
    made, read = call(1), call(2, ConditionExpression="attribute_exists(pk)")

    def shows(candidate: Program) -> bool:
        asked = any("ConditionExpression" in step.body for step in candidate.steps)
        return 2 in numbers(candidate) and (1 in numbers(candidate) or not asked)

    assert numbers(Target(shows).reduce(program(made, read)).program) == [2]


class TestLimits:
    @pytest.mark.parametrize(("calls", "values"), [(5, 5), (20, 0), (20, 30), (60, 140)])
    def test_requests_stay_within_both_budgets(self, calls: int, values: int) -> None:
        whole = program(*(call(n, ReturnValues="ALL_OLD", ReturnConsumedCapacity="TOTAL") for n in range(15)))
        target = Target(lambda c: set(numbers(c)) >= set(range(0, 15, 2)))
        reduction = target.reduce(whole, calls=calls, values=values)
        longest = len(whole.tables) + len(whole.steps)
        # The first attempt is not counted, and the last of each phase may pass its limit by one candidate.
        assert target.requests <= longest + calls + values + 2 * longest
        assert reduction.exhausted
        assert reduction.reproduced

    def test_no_candidate_is_tried_twice(self) -> None:
        seen: list[str] = []

        def shows(candidate: Program) -> bool:
            seen.append(json.dumps([list(candidate.tables), [step.body for step in candidate.steps]]))
            return len(numbers(candidate)) > 2

        Target(shows).reduce(program(*map(call, range(8))), calls=500, values=500)
        assert len(seen) == len(set(seen))

    def test_time_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(minimiser, "SECONDS_BUDGET", 0.0)
        target = Target(needs(1))
        reduction = target.reduce(program(*map(call, range(30))))
        assert reduction.reproduced
        assert reduction.exhausted
        assert target.attempts <= 4
