"""Recorded traffic is judged by what is known: never a word against what some order or earlier state explains."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from conformance.fates import fate
from conformance.machines import MACHINES
from conformance.machines.base import draw_chunk
from conformance.oracle.latitude import Latitude
from conformance.program import Program
from conformance.record.op import Op
from conformance.symbols import SymbolError, bind
from conformance.traffic.judging import BEFORE, OVERLAP, UNANSWERED, UNKNOWN_TABLE, Judge, Word, tally
from conformance.traffic.overlaps import Recorded, groups
from reference.account import Account
from reference.api import Call, Refusal, Reply, Success
from reference.clock import ManualClock
from reference.service import Service
from tests.planted.arena import Names, Wrap, plain
from tests.planted.plants import plant_of

START = 1_800_000_000.0
TABLE = {
    "TableName": "orders",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
DESCRIBED = {"Table": {**TABLE, "TableStatus": "ACTIVE", "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}}
FAILED = Refusal("ConditionalCheckFailedException", "The conditional request failed")


def op(index: int, operation: str, body: Any, reply: Reply | None, span: tuple[float, float] | None = None) -> Op:
    began, ended = span or (float(index), index + 0.5)
    kind = "info" if reply is None else fate(operation, reply)
    return Op(index, operation, body, called=began, returned=None if reply is None else ended, reply=reply, fate=kind)


def described() -> Op:
    return Op(99, "DescribeTable", {"TableName": "orders"}, reply=Success(DESCRIBED), notes={"adopted": True})


def put(index: int, key: str, value: str, span: tuple[float, float] | None = None, **more: Any) -> Op:
    body = {"TableName": "orders", "Item": {"pk": {"S": key}, "v": {"S": value}}, **more}
    return op(index, "PutItem", body, Success({}), span)


def get(index: int, key: str, value: str | None, span: tuple[float, float] | None = None) -> Op:
    body = {"TableName": "orders", "Key": {"pk": {"S": key}}, "ConsistentRead": True}
    item = {"Item": {"pk": {"S": key}, "v": {"S": value}}} if value is not None else {}
    return op(index, "GetItem", body, Success(item), span)


SERVICE = Service(Account(ManualClock(START)))
MADE = SERVICE.execute(Call("CreateTable", TABLE))
SHOWN = SERVICE.execute(Call("DescribeTable", {"TableName": "orders"}))


def made() -> Op:
    reply = MADE
    return Op(0, "CreateTable", TABLE, called=-2.0, returned=-1.0, reply=reply)


def judged(ops: Iterable[Op], latitude: Latitude | None = None) -> list[Word]:
    return list(Judge(latitude or Latitude(), START).run(ops))


def rulings(ops: Iterable[Op]) -> dict[int, str]:
    return {word.op.index: word.verdict.ruling for word in judged(ops)}


class TestKnown:
    def test_a_table_made_in_the_recording_is_known_whole(self) -> None:
        scan = op(3, "Scan", {"TableName": "orders"}, Success({"Items": [], "Count": 0, "ScannedCount": 0}))
        assert rulings([made(), get(1, "a", None), put(2, "a", "1"), scan]) == {
            0: "ok", 1: "ok", 2: "ok", 3: "violated",
        }  # fmt: skip

    def test_unknown_items_are_adopted_and_then_held_to(self) -> None:
        words = judged([described(), get(1, "a", "1"), get(2, "a", "1"), get(3, "a", "2"), get(4, "a", "2")])
        assert [(w.verdict.ruling, w.verdict.why) for w in words[:2]] == [("unknown", BEFORE), ("ok", "")]
        assert [w.verdict.ruling for w in words[2:]] == ["violated", "ok"]

    def test_what_was_there_before_may_explain_a_refusal_and_a_success(self) -> None:
        condition = {"ConditionExpression": "attribute_not_exists(pk)"}
        body = {"TableName": "orders", "Item": {"pk": {"S": "a"}}, **condition}
        assert rulings([described(), op(1, "PutItem", body, FAILED)]) == {1: "unknown"}
        assert rulings([described(), put(1, "a", "1", **condition), get(2, "a", "1"), get(3, "a", None)]) == {
            1: "unknown", 2: "ok", 3: "violated",
        }  # fmt: skip

    def test_a_bad_request_is_bad_whatever_was_there(self) -> None:
        body = {"TableName": "orders", "Key": {"id": {"S": "a"}}}
        right = Refusal("ValidationException", "The provided key element does not match the schema")
        assert rulings([described(), op(1, "GetItem", body, Success({}))]) == {1: "violated"}
        assert rulings([described(), op(1, "GetItem", body, right)]) == {1: "ok"}

    def test_a_refusal_that_is_untrue_whatever_was_there(self) -> None:
        wrong = Refusal("ValidationException", "The provided key element does not match the schema")
        body = {"TableName": "orders", "Key": {"pk": {"S": "a"}}}
        assert rulings([described(), op(1, "GetItem", body, wrong)]) == {1: "violated"}

    def test_a_whole_scan_tells_what_is_not_there(self) -> None:
        held = {"Items": [{"pk": {"S": "a"}}], "Count": 1, "ScannedCount": 1}
        scan = op(1, "Scan", {"TableName": "orders", "ConsistentRead": True}, Success(held))
        assert rulings([described(), scan, get(2, "b", None), get(3, "b", "1")]) == {
            1: "unknown",
            2: "ok",
            3: "violated",
        }

    def test_a_table_that_nobody_described(self) -> None:
        assert judged([get(1, "a", None)])[0].verdict.why == UNKNOWN_TABLE

    def test_a_write_without_an_answer_may_come_at_any_time(self) -> None:
        body = {"TableName": "orders", "Item": {"pk": {"S": "a"}}}
        words = judged([made(), put(1, "a", "1"), op(2, "PutItem", body, None), get(3, "a", None), get(4, "a", "1")])
        assert [w.verdict.ruling for w in words] == ["ok", "ok", "unknown", "unknown", "unknown"]
        assert words[2].verdict.why == UNANSWERED

    def test_a_client_token_may_be_known_from_before(self) -> None:
        put = {"Put": {"TableName": "orders", "Item": {"pk": {"S": "a"}}}}
        mismatch = Refusal("IdempotentParameterMismatchException", "used with a different request parameter")

        def transact(index: int, token: str, reply: Reply) -> Op:
            return op(index, "TransactWriteItems", {"TransactItems": [put], "ClientRequestToken": token}, reply)

        uuid = "0f8fad5b-d9cb-469f-a165-70867728950e"
        assert rulings([made(), transact(1, "once", mismatch), transact(2, uuid, Success({}))]) == {
            0: "ok", 1: "unknown", 2: "ok",
        }  # fmt: skip
        assert rulings([made(), transact(2, uuid, Success({})), transact(3, uuid, mismatch)])[3] == "violated"

    def test_a_table_being_created_may_refuse(self) -> None:
        missing = Refusal("ResourceNotFoundException", "Requested resource not found")
        assert isinstance(MADE, Success)
        assert MADE.body["TableDescription"]["TableStatus"] == "CREATING"
        body = {"TableName": "orders", "Key": {"pk": {"S": "a"}}}
        shown = op(2, "DescribeTable", {"TableName": "orders"}, SHOWN)
        assert rulings([made(), op(1, "GetItem", body, missing), shown, op(3, "GetItem", body, missing)]) == {
            0: "ok", 1: "unknown", 2: "ok", 3: "violated",
        }  # fmt: skip


class TestOverlap:
    def test_either_order_of_two_writes_is_lawful_but_not_a_third_value(self) -> None:
        both = [made(), put(1, "a", "1", (1, 3)), put(2, "a", "2", (2, 4))]
        assert set(rulings([*both, get(5, "a", "1")]).values()) == {"ok"}
        assert set(rulings([*both, get(5, "a", "2")]).values()) == {"ok"}
        assert rulings([*both, get(5, "a", "1"), get(6, "a", "2")])[6] == "violated"
        assert rulings([*both, get(5, "a", None)])[5] == "violated"

    def test_a_read_beside_a_write_sees_either(self) -> None:
        for seen in ("0", "1"):
            ops = [made(), put(1, "a", "0"), put(2, "a", "1", (2, 5)), get(3, "a", seen, (3, 4)), get(6, "a", "1")]
            assert set(rulings(ops).values()) == {"ok"}
        ops = [made(), put(1, "a", "0"), put(2, "a", "1", (2, 5)), get(3, "a", "7", (3, 4))]
        assert "violated" in rulings(ops).values()

    def test_reads_that_go_back_in_time_beside_a_write(self) -> None:
        ops = [
            made(), put(1, "a", "0"), put(2, "a", "1", (2, 9)), get(3, "a", "1", (3, 4)), get(4, "a", "0", (5, 6)),
        ]  # fmt: skip
        assert "violated" in rulings(ops).values()

    def test_what_is_not_done_at_one_moment_is_let_pass(self) -> None:
        scan = op(3, "Scan", {"TableName": "orders"}, Success({"Items": [], "Count": 0, "ScannedCount": 0}), (2, 4))
        words = judged([made(), put(1, "a", "1", (1, 3)), scan, get(5, "a", "1"), get(6, "a", None)])
        assert [(w.verdict.ruling, w.verdict.why) for w in words[1:3]] == [("unknown", OVERLAP)] * 2
        assert [w.verdict.ruling for w in words[3:]] == ["unknown", "violated"]

    def test_calls_on_other_items_are_judged_by_themselves(self) -> None:
        assert set(
            rulings([made(), put(1, "a", "1", (1, 3)), put(2, "b", "2", (2, 4)), get(5, "b", "2")]).values()
        ) == {"ok"}

    def test_groups_come_apart_and_together(self) -> None:
        def call(index: int, span: tuple[float, float], *keys: str) -> Recorded:
            return Recorded(put(index, "x", "1", span), frozenset(), frozenset(("t", key) for key in keys))

        chain = [call(1, (0, 10), "x", "z"), call(2, (8, 20), "x", "y"), call(3, (18, 30), "y"), call(4, (11, 12), "q")]
        assert [[c.op.index for c in group] for group in groups(chain)] == [[1, 2, 3], [4]]
        assert [[c.op.index for c in group] for group in groups([*chain, call(5, (12, 13), "y", "q")])] == [
            [1, 2, 4, 5, 3]
        ]


def recorded(program: Program, wrap: Wrap, seed: int, *, hidden: int = 0, described: bool = False) -> list[Op]:
    """A program as clients at once might have put it: executed one call after the other, told with overlapping times.

    The first ``hidden`` calls are not in the recording.
    """
    chance = random.Random(seed)
    clock = ManualClock(START)
    service = wrap(Service(Account(clock)))
    names, replies, ops = Names(), {}, []
    calls = [("CreateTable", body) for body in program.tables.values()]
    calls += [(step.operation, step.body) for step in program.steps if step.raw is None]
    for index, (operation, symbolic) in enumerate(calls):
        clock.set(START + index)
        try:
            body = bind(symbolic, names, replies)
        except SymbolError:
            continue
        reply = service.execute(Call(operation, body))
        replies[index] = reply.body if isinstance(reply, Success) else None
        wide = 0.0 if operation == "CreateTable" else chance.choice((0.3, 0.3, 0.3, 1.2))
        first = max(index - chance.uniform(0, wide), len(program.tables) - 0.9)
        began, ended = min(first, index), index + chance.uniform(0, wide)
        ops.append(Op(index, operation, body, called=began, returned=ended, reply=reply, fate=fate(operation, reply)))
    if described:
        for number, table in enumerate(program.tables):
            name = {"TableName": names[f"table:{table}"]}
            reply = Service(Account(clock)).execute(Call("CreateTable", {**bind(program.tables[table], names, {})}))
            assert isinstance(reply, Success)
            shown = {"Table": {**reply.body["TableDescription"], "TableStatus": "ACTIVE"}}
            ops.append(Op(1000 + number, "DescribeTable", name, reply=Success(shown), notes={"adopted": True}))
    return ops[hidden:]


def violated(words: Sequence[Word]) -> list[str]:
    return [w.verdict.divergence.summary for w in words if w.verdict.divergence is not None]


@pytest.mark.parametrize("name", ["items", "queries", "batches", "transactions", "partiql", "legacy", "mixed"])
def test_the_reference_is_never_accused(name: str) -> None:
    total, known = 0, 0
    for number, program in enumerate(draw_chunk(MACHINES[name], 41, programs=12)):
        for hidden, described in ((0, False), (len(program.tables) + 3, True)):
            words = judged(recorded(program, plain, number, hidden=hidden, described=described))
            assert violated(words) == []
            total, known = total + len(words), known + tally(words)[0]["ok"]
    assert known > total * 0.2


@pytest.mark.parametrize("plant", ["put-merges", "number-through-float", "failed-condition-hides-item"])
def test_planted_bugs_are_seen_in_recordings(plant: str) -> None:
    wrap = plant_of(plant).wrap
    programs = draw_chunk(MACHINES["items"], 43, programs=60)
    assert any(violated(judged(recorded(program, wrap, n))) for n, program in enumerate(programs))
