"""A target's own account: tables are known by the ARNs that it gives them."""

from __future__ import annotations

import pytest

from conformance.checks.base import table
from conformance.oracle.judge import Oracle
from conformance.oracle.latitude import Latitude
from reference.api import Call, Refusal, Success

ARN = "arn:aws:dynamodb:ddblocal:123456789012:table/music"


def oracle() -> Oracle:
    judge = Oracle(Latitude(), start=1_800_000_000.0)
    created = Call("CreateTable", {**table(), "TableName": "music"})
    outcome = judge.model.outcomes(created).outcome
    assert outcome is not None
    described = {**outcome.body["TableDescription"], "TableArn": ARN}
    judge.judge(created, Success({"TableDescription": described}), 1_800_000_000.0)
    return judge


@pytest.mark.parametrize(
    ("name", "found"),
    [(ARN, True), (f"{ARN}-none", False), ("arn:aws:dynamodb:us-east-1:400000000004:table/music", False)],
)
def test_a_table_is_known_by_the_arn_it_was_given(name: str, found: bool) -> None:
    asked = Call("GetItem", {"TableName": name, "Key": {"pk": {"S": "a"}}})
    replies = (Success({}), Refusal("ResourceNotFoundException", "Requested resource not found"))
    lawful, wrong = replies if found else reversed(replies)
    assert oracle().judge(asked, lawful, 1_800_000_010.0).divergence is None
    assert oracle().judge(asked, wrong, 1_800_000_010.0).divergence is not None
