"""A target's own account: tables are known by the ARNs that it gives them."""

from __future__ import annotations

import pytest

from conformance.checks.base import table
from conformance.oracle.judge import Oracle
from conformance.oracle.latitude import Latitude
from reference.api import Call, Refusal, Reply, Success

ARN = "arn:aws:dynamodb:ddblocal:123456789012:table/music"


def oracle() -> Oracle:
    judge = Oracle(Latitude(), start=1_800_000_000.0)
    created = Call("CreateTable", {**table(), "TableName": "music"})
    outcome = judge.model.outcomes(created).outcome
    assert outcome is not None
    described = {**outcome.body["TableDescription"], "TableArn": ARN}
    judge.judge(created, Success({"TableDescription": described}), 1_800_000_000.0)
    return judge


MISSING = Refusal("ResourceNotFoundException", "Requested resource not found")
ELSEWHERE = "arn:aws:dynamodb:us-east-1:400000000004:table/music"


@pytest.mark.parametrize(
    ("name", "lawful", "wrong"),
    [
        (ARN, Success({}), MISSING),
        (f"{ARN}-none", MISSING, Success({})),
        (
            ELSEWHERE,
            Refusal("ValidationException", f"1 validation error detected: Invalid AWS region in '{ELSEWHERE}'"),
            Success({}),
        ),
    ],
    ids=["its own", "of none", "of another region"],
)
def test_a_table_is_known_by_the_arn_it_was_given(name: str, lawful: Reply, wrong: Reply) -> None:
    asked = Call("GetItem", {"TableName": name, "Key": {"pk": {"S": "a"}}})
    assert oracle().judge(asked, lawful, 1_800_000_010.0).divergence is None
    assert oracle().judge(asked, wrong, 1_800_000_010.0).divergence is not None
