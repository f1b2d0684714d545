"""Each relation accepts answers that fit each other and rejects those that don't, within what the target claims."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from conformance.checks.base import table
from conformance.checks.steps import put, s, scan
from conformance.oracle.divergence import Divergence
from conformance.oracle.latitude import Latitude
from conformance.program import Program
from conformance.relations.laws import RELATIONS, part_of
from conformance.relations.reading import _written
from conformance.relations.watch import Watch
from conformance.search.findings import finding_of
from conformance.search.minimise import Reduction
from conformance.symbols import bind
from reference.api import Call, Item, Json, Lost, Refusal, Reply, Success
from reference.expressions import condition as conditions
from reference.expressions.tree import Compare, Not
from reference.rules import ledger
from reference.tables.table import Index
from tests.planted.arena import plain, session_of, worker_of
from tests.planted.plants import plant_of

TABLE = {"t0": table(key="pk:S,sk:S", gsi=["by-g=g:S/KEYS_ONLY"], lsi=["by-l=pk:S,l:S", "by-m=pk:S,m:S/KEYS_ONLY"])}
NAME = "${table:t0}"
ONE: Item = {"pk": s("a"), "sk": s("1"), "g": s("x"), "v": s("p")}
TWO: Item = {"pk": s("a"), "sk": s("2"), "v": s("q")}
KEYS = ("pk", "sk", "g")

Op = tuple[str, Json, Reply]


def page(*items: Item, **more: Json) -> Success:
    return Success({"Items": list(items), "Count": len(items), "ScannedCount": len(items), **more})


def scanned(*items: Item, **asked: Json) -> Op:
    return ("Scan", {"TableName": NAME, **asked}, page(*items))


def queried(*items: Item, **asked: Json) -> Op:
    key = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": s("a")}}
    return ("Query", {"TableName": NAME, **key, **asked}, page(*items))


def got(item: Item | None, sort: str = "1", **asked: Json) -> Op:
    body = {"TableName": NAME, "Key": {"pk": s("a"), "sk": s(sort)}, **asked}
    return ("GetItem", body, Success({} if item is None else {"Item": item}))


def stated(text: str, *items: Item, parameters: Json = ()) -> Op:
    body = {"Statement": text, **({"Parameters": list(parameters)} if parameters else {})}
    return ("ExecuteStatement", body, Success({"Items": list(items)}))


def watched(*ops: Op, latitude: Latitude | None = None) -> tuple[Watch, list[Divergence]]:
    watch = Watch(latitude or Latitude())
    created = ("CreateTable", TABLE["t0"], Success({}))
    found = [watch.judge(at, Call(name, body), reply) for at, (name, body, reply) in enumerate((created, *ops))]
    return watch, [each for each in found if each is not None]


def filter_of(text: str, *items: Item) -> Op:
    return scanned(*items, FilterExpression=text, ExpressionAttributeValues={":v": s("p")})


LAST = {"LastEvaluatedKey": {"pk": s("a"), "sk": s("1")}}
FIRST_PAGE: Op = ("Query", queried()[1] | {"Limit": 1}, Success({**page(ONE).body, **LAST}))


def next_page(*items: Item) -> Op:
    return queried(*items, Limit=1, ExclusiveStartKey=LAST["LastEvaluatedKey"])


INDEXED = {name: ONE[name] for name in KEYS}
P, NOT_P = "v = :v", "NOT (v = :v)"

CASES: dict[str, tuple[tuple[Op, ...], tuple[Op, ...], str]] = {
    "repeated": ((scanned(ONE, TWO), scanned(TWO, ONE)), (scanned(ONE, TWO), scanned(ONE)), "scans.result"),
    "paged": (
        (queried(ONE, TWO), FIRST_PAGE, next_page(TWO)),
        (queried(ONE, TWO), FIRST_PAGE, next_page()),
        "queries.page",
    ),
    "turned": (
        (queried(ONE, TWO), queried(TWO, ONE, ScanIndexForward=False)),
        (queried(ONE, TWO), queried(ONE, TWO, ScanIndexForward=False)),
        "queries.order",
    ),
    "counted": (
        (scanned(ONE), ("Scan", {"TableName": NAME, "Select": "COUNT"}, Success({"Count": 1, "ScannedCount": 1}))),
        (scanned(ONE), ("Scan", {"TableName": NAME, "Select": "COUNT"}, Success({"Count": 2, "ScannedCount": 2}))),
        "queries.count",
    ),
    "segmented": (
        (scanned(ONE, Segment=0, TotalSegments=2), scanned(TWO, Segment=1, TotalSegments=2), scanned(TWO, ONE)),
        (scanned(ONE, TWO), scanned(ONE, Segment=0, TotalSegments=2), scanned(ONE, TWO, Segment=1, TotalSegments=2)),
        "scans.segments",
    ),
    "filtered": (
        (scanned(ONE, TWO), filter_of(P, ONE), filter_of(NOT_P, TWO)),
        (filter_of(P, ONE), scanned(ONE, TWO), filter_of(NOT_P)),
        "expressions.precedence",
    ),
    "projected": (
        (got(ONE), got({"v": s("p")}, ProjectionExpression="v")),
        (got(ONE), got({"v": s("q")}, ProjectionExpression="v")),
        "items.projected",
    ),
    "within": ((scanned(ONE, TWO), got(TWO, "2")), (scanned(ONE, TWO), got(None, "2")), "consistency.views-agree"),
    "indexed": (
        (scanned(ONE, TWO), scanned(INDEXED, IndexName="by-g")),
        (scanned(ONE, TWO), scanned(IndexName="by-g")),
        "indexes.sparse",
    ),
    "stated": (
        (stated(f'SELECT * FROM "{NAME}" WHERE pk = ?', ONE, TWO, parameters=(s("a"),)), queried(ONE, TWO)),
        (queried(ONE, TWO), stated(f'SELECT * FROM "{NAME}" WHERE pk = ?', ONE, parameters=(s("a"),))),
        "partiql.select",
    ),
}  # fmt: skip


def test_every_relation_has_a_case() -> None:
    assert tuple(CASES) == RELATIONS


@pytest.mark.parametrize("name", CASES)
def test_answers_that_fit_are_accepted(name: str) -> None:
    watch, found = watched(*CASES[name][0])
    assert found == []
    assert watch.held[name] > 0


@pytest.mark.parametrize("name", CASES)
def test_answers_that_do_not_fit_are_rejected(name: str) -> None:
    _, found = watched(*CASES[name][1])
    assert [(each.rule, each.path.split(":")[1]) for each in found] == [(CASES[name][2], name)]
    assert CASES[name][2] in ledger()


@pytest.mark.parametrize("name", CASES)
def test_a_write_between_them_makes_them_say_nothing(name: str) -> None:
    *before, last = CASES[name][1]
    written = ("PutItem", {"TableName": NAME, "Item": ONE}, Success({}))
    assert watched(*before, written, last)[1] == []


MORE_REJECTED: dict[str, tuple[tuple[Op, ...], str]] = {
    "content of an index": ((scanned(ONE), scanned({**INDEXED, "v": s("p")}, IndexName="by-g")), "indexes.projection"),
    "a wrong entry of an index": ((scanned(IndexName="by-l"), scanned({**ONE, "l": s("z")})), "indexes.sparse"),
    "a segment too many": (
        (scanned(ONE, Segment=0, TotalSegments=2), scanned(ONE, Segment=1, TotalSegments=2), scanned(ONE)),
        "scans.segments",
    ),
    "an item that its partition lacks": ((got(ONE), queried(TWO)), "consistency.views-agree"),
    "another order": ((queried(ONE, TWO), queried(TWO, ONE)), "queries.order"),
    "a projection that drops rows": (
        (queried(ONE, TWO), queried(ONE, ProjectionExpression="pk, sk, g, v")), "items.projected",
    ),
    "a statement with a filter": (
        (
            scanned(ONE, FilterExpression="v = :v", ExpressionAttributeValues={":v": s("p")}),
            stated(f'SELECT * FROM "{NAME}" WHERE v = ?', parameters=(s("p"),)),
        ),
        "partiql.select",
    ),
    "a transaction of reads": (
        (
            got(ONE),
            ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": NAME, "Key": {"pk": s("a"), "sk": s("1")}}}]},
             Success({"Responses": [{"Item": TWO}]})),
        ),
        "consistency.views-agree",
    ),
    "a batch of reads": (
        (
            got(ONE),
            ("BatchGetItem", {"RequestItems": {NAME: {"Keys": [{"pk": s("a"), "sk": s("1")}]}}},
             Success({"Responses": {NAME: []}, "UnprocessedKeys": {}})),
        ),
        "consistency.views-agree",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MORE_REJECTED)
def test_more_that_does_not_fit(name: str) -> None:
    ops, rule = MORE_REJECTED[name]
    assert [each.rule for each in watched(*ops)[1]] == [rule]


FIT: dict[str, tuple[Op, ...]] = {
    "numbers by value": (got({**ONE, "n": {"N": "1"}}), got({**ONE, "n": {"N": "1.0"}})),
    "sets in any order": (got({**ONE, "n": {"SS": ["a", "b"]}}), got({**ONE, "n": {"SS": ["b", "a"]}})),
    "what a local index fetches": (
        scanned({"pk": s("a"), "sk": s("1"), "m": s("x")}, IndexName="by-m"),
        scanned({"v": s("p")}, IndexName="by-m", ProjectionExpression="v"),
    ),
    "ties of an index turned": (
        queried(ONE, TWO, IndexName="by-l"), queried(ONE, TWO, IndexName="by-l", ScanIndexForward=False),
    ),
    "an item of another partition": (queried(ONE), ("GetItem", {"TableName": NAME, "Key": {"pk": s("b"), "sk": s("1")}},
                                     Success({"Item": {"pk": s("b"), "sk": s("1")}}))),
    "a key with a member that names no type": (
        ("GetItem", {"TableName": NAME, "Key": {"pk": {"S": "a", "Unknown": []}, "sk": s("1")}}, got(ONE)[2]),
        scanned(ONE),
    ),
    "a first page alone": (queried(ONE, TWO), FIRST_PAGE),
    "an elsewhere ended filter": (scanned(ONE), filter_of("NOT (v = :v) OR v = :v", ONE), filter_of(P, ONE)),
    "an item without a projected attribute": (got(ONE), got({}, ProjectionExpression="nothing")),
    "an alias of the same name": (
        scanned(ONE, FilterExpression="#v = :v", ExpressionAttributeNames={"#v": "v"},
                ExpressionAttributeValues={":v": s("p")}),
        filter_of(P, ONE),
    ),
    "an item that does not fit the index": (
        scanned({"pk": s("a"), "sk": s("1"), "g": {"N": "1"}}, {"pk": s("a"), "sk": s("2"), "g": s("")}),
        scanned(IndexName="by-g"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIT)
def test_what_may_differ(name: str) -> None:
    assert [each.summary for each in watched(*FIT[name])[1]] == []


STALE = Latitude(staleness=1.0)
LAGGING = Latitude(index_lag=1.0)


def consistent(op: Op) -> Op:
    return op[0], {**op[1], "ConsistentRead": True}, op[2]


def test_a_stale_read_says_nothing_and_a_consistent_one_does() -> None:
    wrong = (scanned(ONE), scanned())
    assert watched(*wrong, latitude=STALE)[1] == []
    assert watched(consistent(wrong[0]), wrong[1], latitude=STALE)[1] == []
    assert len(watched(*map(consistent, wrong), latitude=STALE)[1]) == 1


def test_a_lagging_index_says_nothing() -> None:
    wrong = CASES["indexed"][1]
    assert watched(*wrong, latitude=LAGGING)[1] == []
    assert watched(*wrong, latitude=STALE)[1] == []
    local = (scanned({**ONE, "l": s("z")}), scanned(IndexName="by-l"))
    assert watched(*local, latitude=LAGGING)[1] == []
    assert len(watched(*map(consistent, local), latitude=LAGGING)[1]) == 1


@pytest.mark.parametrize("reply", [Lost("timeout"), Refusal("InternalServerError", "oops", 500)])
def test_a_write_that_may_yet_take_effect_ends_it(reply: Reply) -> None:
    write: Op = ("PutItem", {"TableName": NAME, "Item": TWO}, reply)
    assert watched(write, *CASES["repeated"][1])[1] == []


def test_what_goes_on_behind_the_answer_ends_it() -> None:
    begun: Op = ("StartBulkPutItems", {"TableName": NAME}, Success({}))
    assert watched(begun, *CASES["repeated"][1])[1] == []


def test_a_lost_read_changes_nothing() -> None:
    first, second = CASES["repeated"][1]
    assert len(watched(first, ("Scan", {"TableName": NAME}, Lost("timeout")), second)[1]) == 1


def test_items_that_may_expire_say_nothing() -> None:
    expiring: Op = ("UpdateTimeToLive", {"TableName": NAME}, Success({}))
    assert watched(expiring, *CASES["repeated"][1])[1] == []


def test_an_index_that_was_deleted_is_another_when_it_is_back() -> None:
    def change(**update: Json) -> Op:
        types = [{"AttributeName": "g", "AttributeType": "S"}]
        return ("UpdateTable", {"TableName": NAME, "AttributeDefinitions": types,
                                "GlobalSecondaryIndexUpdates": [update]}, Success({}))  # fmt: skip

    again = {"IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}]}
    ops = (change(Delete={"IndexName": "by-g"}), change(Create={**again, "Projection": {"ProjectionType": "ALL"}}))
    assert watched(*ops, scanned(ONE), scanned(ONE, IndexName="by-g"))[1] == []
    assert [each.rule for each in watched(*ops, scanned(ONE), scanned(INDEXED, IndexName="by-g"))[1]] == [
        "indexes.projection"
    ]


def test_a_list_is_projected_to_some_of_its_elements() -> None:
    whole = {"v": {"L": [{"N": "1"}, {"M": {"a": {"S": "x"}, "L": {"L": []}}}, {"N": "3"}]}, "L": {"L": [{"N": "1"}]}}
    assert part_of({"v": {"L": [{"M": {"L": {"L": []}}}, {"N": "3.0"}]}}, whole)
    assert part_of({"L": {"L": []}}, whole)
    assert not part_of({"v": {"L": [{"N": "3"}, {"N": "1"}]}}, whole)
    assert not part_of({"v": {"L": [{"M": {"c": {"S": "y"}}}]}}, whole)
    assert not part_of({"w": {"S": "x"}}, whole)


def test_equal_expressions_have_equal_texts() -> None:
    one = {"F": "#a = :x AND b < :y", "ExpressionAttributeNames": {"#a": "size"},
           "ExpressionAttributeValues": {":x": {"N": "1.0"}, ":y": {"N": "2"}}}  # fmt: skip
    other = {"F": "#n = :v AND b < :w", "ExpressionAttributeNames": {"#n": "size"},
             "ExpressionAttributeValues": {":v": {"N": "1"}, ":w": {"N": "2"}}}  # fmt: skip
    assert _written(one, "F") == _written(other, "F")


def test_what_is_accepted_are_symbols_of_what_was_shown() -> None:
    (found,) = watched(*CASES["stated"][1])[1]
    (accepted,) = found.accepted
    replies = {1: {"Items": [ONE, TWO]}}
    assert bind(accepted, {}, replies)["success"]["Items"] == [ONE, TWO]
    assert found.compare == ("Items",)


# The reference is judged too: a bug that the model shares with the target is seen by these alone.


def three_valued(node: Not, item: Any) -> bool:
    inner = node.condition
    known = isinstance(inner, Compare) and conditions._value(inner.left, item) is not None
    return known and not conditions._EVALUATORS[inner.__class__](inner, item)


def lacking(self: Any, record: Any, table_key: Any, held: Any = None) -> Any:
    entry = real_entry(self, record, table_key, held)
    return None if entry is not None and "v" in record.item else entry


real_entry = Index.entry

FILTERED = Program("scans", TABLE, (
    put({"sk": s("1"), "v": s("p")}), put({"sk": s("2")}), scan(),
    scan(FilterExpression="v = :v", ExpressionAttributeValues={":v": s("p")}),
    scan(FilterExpression="NOT (v = :v)", ExpressionAttributeValues={":v": s("p")}),
))  # fmt: skip
READ_BY_INDEX = Program(
    "indexes", TABLE, (put({"sk": s("1"), "g": s("x"), "v": s("p")}), scan(IndexName="by-g"), scan())
)

SHARED: dict[str, tuple[Program, Callable[[], AbstractContextManager[Any]], str]] = {
    "NOT of what is missing": (
        FILTERED, lambda: mock.patch.dict(conditions._EVALUATORS, {Not: three_valued}), "expressions.precedence",
    ),
    "an index that lacks items": (
        READ_BY_INDEX, lambda: mock.patch.object(Index, "entry", lacking), "indexes.sparse",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHARED)
def test_they_judge_the_reference(name: str) -> None:
    program, bug, rule = SHARED[name]
    assert session_of(plain, program).divergences() == []
    with bug():
        found = session_of(plain, program).divergences()
    assert [(divergence.rule, divergence.severity) for _, divergence in found] == [(rule, "data")]


def test_a_breach_becomes_a_finding() -> None:
    program, bug, rule = SHARED["NOT of what is missing"]
    with bug():
        session = session_of(plain, program)
    ((_, divergence),) = session.divergences()
    reduction = Reduction(program, divergence, tuple(judged.op for judged in session.ops), dict(session.names))
    finding = finding_of(reduction, program)
    assert (finding.rule, finding.severity, finding.unsettled) == (rule, "data", False)
    assert finding.evidence
    assert finding.accepted[0]["success"]["Items"] == ["${reply:3:Items[1]}"]


def test_a_breach_is_reduced_and_replayed(tmp_path: Path) -> None:
    planted = plant_of("size-differs-in-pages")
    noise = (put({"pk": s("b")}), scan(), put({"pk": s("c"), "v": s("x")}))
    program = Program("scans", planted.witness.tables, (*noise, *planted.witness.steps, scan()))
    worker = worker_of(planted.wrap, tmp_path)
    (divergence,) = worker.run(program)
    worker.reduce(program, divergence)
    (finding,) = worker.folder.read_findings()
    worker.end()
    assert (finding.calls, finding.replayed, finding.path) == (3, 2, "relation:paged:missing")
