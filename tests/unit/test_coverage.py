"""What counts as reached: rules that a judged call breaks or shows, parts of expressions, errors, relations."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.checks.base import table
from conformance.checks.steps import (
    NUMBERED,
    PLAIN,
    SORTED,
    batch_get,
    condition,
    delete,
    get,
    holds,
    many,
    n,
    partition,
    put,
    query,
    s,
    scan,
    t_check,
    transact,
    update,
)
from conformance.oracle.covered import FEATURES, features
from conformance.program import Program, Step
from conformance.record.run import CheckResult
from conformance.search.campaign import merge
from conformance.search.coverage import KINDS, coverage, known
from reference.api import Call
from reference.rules import ledger
from tests.planted.arena import plain, session_of, worker_of

SET = {"SS": ["b", "a"]}
INDEXED = {"t0": table(gsi=["by-g=g:S"])}
OLD = {"AttributesToGet": ["v"]}

SHOWN: dict[str, tuple[dict[str, object], tuple[Step, ...], set[str]]] = {
    "a read": (PLAIN, (put({"v": SET}), get()), {"values.round-trip", "values.set-order", "items.put-replaces"}),
    "a condition": (
        PLAIN,
        (put({"v": n(1)}), condition("v = :x AND NOT v IN (:y)", {"x": n(1), "y": n(2)})),
        {"expressions.equality", "expressions.in", "expressions.precedence", "values.number-equality"},
    ),
    "a condition that fails": (
        PLAIN, (condition("v BETWEEN :x AND :x", {"x": n(1)}),),
        {"expressions.ordering", "items.condition-failed", "items.refused-write"},
    ),
    "functions": (
        PLAIN, (holds("size(v) > :x OR begins_with(v, :y)", {"x": n(1), "y": s("a")}),),
        {"expressions.size-function", "expressions.contains"},
    ),
    "an update": (
        PLAIN,
        (update("SET v = if_not_exists(v, :x) + :x, w[3] = :x REMOVE y ADD z :x DELETE u :s", {"x": n(1), "s": SET}),),
        {"items.update-what-is-named"},
    ),
    "an update that does it": (
        PLAIN,
        (
            put({"w": many()}),
            update("SET w[3] = :x, v = :x + :x REMOVE y ADD z :x", {"x": n(1)}, ReturnValues="UPDATED_NEW"),
        ),
        {"expressions.reads-before", "expressions.list-append-past-end", "values.number-arithmetic",
         "expressions.remove", "expressions.add", "expressions.updated-values"},
    ),
    "a projection": (PLAIN, (get(ProjectionExpression="v"),), {"expressions.projection", "items.projected"}),
    "old parameters": (PLAIN, (get(**OLD), scan(ScanFilter={"v": {"ComparisonOperator": "NULL"}})),
                       {"legacy.attributes-to-get", "legacy.comparisons"}),
    "a key written otherwise": (
        NUMBERED, (get({"pk": s("a"), "sk": n("1.0")}),), {"keys.identity", "values.number-normal-form"},
    ),
    "a sorted partition": (
        SORTED, (put({"sk": s("1")}), put({"sk": s("2")}), partition()), {"queries.order", "values.order"},
    ),
    "capacity": (PLAIN, (get(ReturnConsumedCapacity="TOTAL"),), {"capacity.read-units", "values.item-size"}),
    "an index": (INDEXED, (query("g = :g", {"g": s("x")}, IndexName="by-g"),), {"indexes.sparse", "indexes.order"}),
    "a deletion": (PLAIN, (put(), delete()), {"items.delete-removes"}),
    "a deletion of nothing": (PLAIN, (delete(),), {"items.delete-missing"}),
    "a batch": (PLAIN, (batch_get({"pk": s("a")}),), {"batches.read-result"}),
    "a cancelled transaction": (PLAIN, (transact(t_check("attribute_exists(v)")),),
                                {"expressions.existence", "transactions.cancelled"}),
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_rules_that_a_judged_call_shows(name: str) -> None:
    tables, steps, rules = SHOWN[name]
    reached = session_of(plain, Program("items", tables, steps)).oracle.reached
    if name == "an update":  # It is refused: w is no list. What it would have done is not shown.
        assert not {"expressions.add", "expressions.remove"} & reached.keys()
        return
    assert rules <= reached.keys()
    assert reached.keys() <= ledger().keys()


def test_a_deletion_of_nothing_removes_nothing() -> None:
    reached = session_of(plain, Program("items", PLAIN, (delete(),))).oracle.reached
    assert "items.delete-removes" not in reached


USED = {
    "update: +": update("SET v = v + :x", {"x": n(1)}),
    "update: list index": update("SET v[1] = :x", {"x": n(1)}),
    "condition: NOT": condition("NOT v = :x", {"x": n(1)}),
    "condition: nested path": condition("v.w = :x", {"x": n(1)}),
    "filter: size": holds("size(v) = :x", {"x": n(1)}),
    "filter: value": holds("v = :x", {"x": n(1)}),
    "key condition: begins_with": query("pk = :p AND begins_with(sk, :s)", {"p": s("a"), "s": s("b")}),
    "projection: alias": get(ProjectionExpression="#v", ExpressionAttributeNames={"#v": "v"}),
    "ReturnValues: UPDATED_OLD": update("REMOVE v", ReturnValues="UPDATED_OLD"),
    "condition: attribute_type": transact(t_check("attribute_type(v, :t)", {"t": s("S")})),
}


@pytest.mark.parametrize("name", USED)
def test_parts_of_the_expression_language(name: str) -> None:
    step = USED[name]
    found = set(features(Call(step.operation, step.body)))
    assert name in found
    assert found <= set(FEATURES)


def test_what_can_not_be_read_uses_nothing() -> None:
    assert list(features(Call("PutItem", {"ConditionExpression": "v =", "ReturnValues": 1}))) == []
    assert list(features(Call("PutItem", None))) == []


def test_what_was_not_reached_is_listed() -> None:
    checks = (
        CheckResult("keys.missing", "keys.missing", "keys", "ok"),
        CheckResult("keys.empty-string", "keys.empty-string", "keys", "not-reached"),
        CheckResult("values.nesting", "values.nesting", "values", "unsupported"),
    )
    told = coverage({"rules": {"items.too-large": 3}, "operations": {"PutItem": 9}}, checks)
    assert told["rules"] == {"keys.missing": 1, "items.too-large": 3}
    left = told["unreached"]
    assert {"keys.empty-string", "values.nesting"} <= set(left["rules"])
    assert not {"keys.missing", "items.too-large", "consistency.linearizable-item"} & set(left["rules"])
    assert "PutItem" not in left["operations"]
    assert "GetItem" in left["operations"]
    assert left["features"] == list(FEATURES)
    assert "dax.eviction" not in left["rules"]
    assert told["known"]["keys"] == len([rule for rule in known()["rules"] if rule.startswith("keys.")])


def test_a_run_tells_its_coverage(tmp_path: Path) -> None:
    worker = worker_of(plain, tmp_path)
    worker.run(Program("items", PLAIN, (put(), condition("attribute_not_exists(pk)"), get(), get())))
    worker.end()
    told = merge(worker.folder).coverage
    assert set(told) == {*KINDS, "known", "unreached"}
    assert told["errors"] == {"ConditionalCheckFailedException": 1}
    assert told["features"]["condition: attribute_not_exists"] == 1
    assert told["relations"]["repeated"] == 1
    assert told["rules"]["expressions.existence"] == 1
    for kind in KINDS:
        assert set(told[kind]) <= (set(ledger()) if kind == "rules" else set(known()[kind]))
        assert set(told["unreached"][kind]) == set(known()[kind]) - set(told[kind])
