"""The open questions that a request raises: whatever is answered to it is never a finding."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.oracle.exercised import open_questions
from reference.api import Call
from reference.service import Service

KEY = {"pk": {"S": "a"}}


def opened(operation: str, **body: Any) -> set[str]:
    return set(open_questions(Service(), Call(operation, body)))


@pytest.mark.parametrize(
    "body",
    [
        {"Key": KEY, "Nobody": 1},
        {"Key": {"pk": {"S": "a", "Nobody": ""}}},
        {"Key": {"pk": {"M": {"deep": {"L": [{"S": "a", "Nobody": 1}]}}}}},
        {"Key": KEY, "ProjectionExpression": None},
        {"Key": {"pk": {"S": "a", "N": None}}},
    ],
)
def test_members_that_nobody_knows_and_nulls(body: dict[str, Any]) -> None:
    assert opened("GetItem", **body) == {"wire.unknown-members"}


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("GetItem", {"Key": KEY, "ConsistentRead": "yes"}),
        ("GetItem", {"Key": {"pk": {"BOOL": "true"}}}),
        ("Query", {"Limit": 1.5}),
    ],
)
def test_scalars_that_are_converted(operation: str, body: dict[str, Any]) -> None:
    assert opened(operation, **body) == {"wire.lenient-scalars"}


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("GetItem", {"Key": KEY, "ConsistentRead": True}),
        ("GetItem", {"Key": {"pk": {"Nobody": "a"}}}),
        ("Query", {"Limit": 1, "ExclusiveStartKey": KEY}),
        ("BatchWriteItem", {"RequestItems": {"t": [{"PutRequest": {"Item": {"pk": {"L": [{"S": ""}]}}}}]}}),
    ],
)
def test_requests_that_raise_none(operation: str, body: dict[str, Any]) -> None:
    assert not opened(operation, **body)


@pytest.mark.parametrize(
    ("statement", "nested"),
    [
        ("INSERT INTO t VALUE {'pk': ?, 'm': {'k': ?}}", True),
        ("INSERT INTO t VALUE {'pk': 'a', 'l': [1, ?]}", True),
        ("INSERT INTO t VALUE {'pk': ?, 'm': {'k': '?'}}", False),
        ("SELECT * FROM t WHERE pk IN [?, ?]", False),
        ("INSERT INTO t VALUE {'pk': 'a', 'm': {'k': 1}, 'v': ?}", False),
    ],
)
def test_parameters_inside_parts_of_an_item(statement: str, nested: bool) -> None:
    wanted = {"partiql.nested-parameter"} if nested else set()
    assert opened("ExecuteStatement", Statement=statement) == wanted
    assert opened("BatchExecuteStatement", Statements=[{"Statement": statement}]) == wanted
