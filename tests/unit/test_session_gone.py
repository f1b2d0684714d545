"""A target that is gone: the call that finds it out is not to blame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.checks.base import table
from conformance.oracle.judge import Oracle
from conformance.oracle.latitude import Latitude
from conformance.program import Program, Step
from conformance.session import Session
from reference.api import Call, Lost, Reply, Success


class Sender:
    """Gives answers in turn."""

    def __init__(self, *replies: Reply) -> None:
        self.replies: Iterator[Reply] = iter(replies)

    def send(self, call: Call, *, raw: Any = None, timeout: float = 0.0) -> Reply:
        return next(self.replies)


def session(*replies: Reply) -> Session:
    return Session(Sender(*replies), Oracle(Latitude(), start=1_800_000_000.0), {"table:t0": "music"})


ASK = Step("ListTables", {})


def test_it_was_gone_before_the_first_call() -> None:
    gone = session(Lost("refused"))
    assert gone.send(ASK).verdict.ruling == "unknown"
    assert gone.died == "refused"
    assert gone.divergences() == []


def test_it_went_after_a_call_that_it_answered() -> None:
    gone = session(Success({"TableNames": []}), Lost("refused: connection refused"))
    gone.send(ASK)
    found = gone.send(Step("CreateTable", {**table(), "TableName": "music"})).verdict.divergence
    assert found is not None
    assert (found.operation, found.rule, found.severity) == ("ListTables", "tables.list-order", "crash")


def test_it_dies_of_a_call() -> None:
    found = session(Lost("closed")).send(ASK).verdict.divergence
    assert found is not None
    assert (found.operation, found.severity, found.path) == ("ListTables", "crash", "closed")


def test_a_table_without_the_vector_indexes_that_it_was_asked_for_ends_the_program() -> None:
    # dynalite takes VectorIndexes for a member that it need not know.
    near = {
        "IndexName": "near",
        "VectorAttribute": {"AttributeName": "v"},
        "Dimensions": 2,
        "DistanceFunction": "EUCLIDEAN",
        "Projection": {"ProjectionType": "ALL"},
    }
    body = {**table(), "TableName": "${table:t0}", "BillingMode": "PAY_PER_REQUEST", "VectorIndexes": [near]}
    put = Step("PutItem", {"TableName": "${table:t0}", "Item": {"pk": {"S": "a"}, "v": {"S": "x"}}})
    described = {"TableDescription": {"TableName": "music", "TableStatus": "CREATING"}}
    ended = session(Success(described), Success({"Table": {"TableStatus": "ACTIVE"}}))
    ended.run(Program("vectors", {"t0": body}, (put,)))
    assert [judged.op.operation for judged in ended.ops] == ["CreateTable"]
    assert ended.quarantined == "the target made a table without the vector indexes that it was asked for"
