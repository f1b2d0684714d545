"""Checks of an account: its quotas, and the policies of its resources."""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.checks.base import T0, Check
from conformance.checks.settings import ARN, ELSEWHERE
from conformance.checks.steps import (
    answers,
    refuses,
    reply,
)
from conformance.checks.wire_constraints import create
from conformance.program import Step
from reference.api import Json

_NONE: dict[str, Json] = {}


def _policy(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


_ALLOW = {
    "Effect": "Allow",
    "Principal": {"AWS": "400000000004"},
    "Action": "dynamodb:GetItem",
    "Resource": "*",
}
_POLICY = _policy(_ALLOW)
_OTHER = _policy({**_ALLOW, "Action": "dynamodb:PutItem"})


def _put_policy(policy: str = _POLICY, arn: str = ARN, **members: Json) -> Step:
    return Step("PutResourcePolicy", {"ResourceArn": arn, "Policy": policy, **members})


def _get_policy(arn: str = ARN) -> Step:
    return Step("GetResourcePolicy", {"ResourceArn": arn})


_FOUND = "Resource-based policy not found for the provided ResourceArn: "

POLICIES: tuple[Check, ...] = (
    refuses(
        "account.policy-size",
        _put_policy(_policy(_ALLOW).ljust(20_481)),
        phrase="Maximum policy size of 20480 bytes exceeded",
        control=_put_policy(_policy(_ALLOW).ljust(20_480)),
    ),
    refuses("account.policy-malformed", _put_policy("{"), phrase="", control=_put_policy(), name="no JSON"),
    refuses("account.policy-malformed", _put_policy("[]"), phrase="", control=_put_policy(), name="no document"),
    refuses(
        "account.policy-public",
        _put_policy(_policy({**_ALLOW, "Principal": "*"})),
        phrase="Resource-based policy grants unbounded access",
        control=_put_policy(),
    ),
    refuses(
        "account.policy-resource",
        _put_policy(arn="arn:aws:dynamodb:us-east-1:400000000004:backup/b"),
        phrase="",
        control=_put_policy(),
    ),
    refuses(
        "account.policy-stream",
        _put_policy(arn=f"{ARN}/stream/2026-01-01T00:00:00.000"),
        phrase="Requested resource not found",
        code="ResourceNotFoundException",
        control=_put_policy(),
    ),
    refuses(
        "tables.not-found",
        _get_policy(ELSEWHERE),
        f"Requested resource not found: Table: {T0}-none not found",
        code="ResourceNotFoundException",
        control=_put_policy(),
        name="GetResourcePolicy",
    ),
    refuses(
        "account.policy-missing", _get_policy(), f"{_FOUND}{ARN}", code="PolicyNotFoundException", control=_put_policy()
    ),
    refuses(
        "account.policy-stale",
        _put_policy(_OTHER, ExpectedRevisionId="1"),
        f"{_FOUND}Requested update for policy with revision id 1, but the policy associated to target table {T0} has "
        f"revision id {reply(1, 'RevisionId')}.",
        code="PolicyNotFoundException",
        given=[_put_policy()],
        control=_put_policy(_OTHER, ExpectedRevisionId=reply(1, "RevisionId")),
    ),
    refuses(
        "account.policy-unexpected",
        _put_policy(_OTHER, ExpectedRevisionId="NO_POLICY"),
        f"{_FOUND}Requested policy update expecting none to be present for table {T0}, but a policy exists with "
        f"revision id {reply(1, 'RevisionId')}.",
        code="PolicyNotFoundException",
        given=[_put_policy()],
        control=_put_policy(_OTHER),
    ),
    refuses(
        "account.policy-cooldown",
        _put_policy(_OTHER),
        phrase=f"Resource-based policy for table {T0} modified within the previous 15000 milliseconds",
        code="ThrottlingException",
        given=[_put_policy()],
        control=_get_policy(),
        needs="cooldowns",
    ),
    answers(
        "account.policy-revision",
        _put_policy(f" {_POLICY}"),
        given=[_put_policy()],
        body={"RevisionId": reply(1, "RevisionId")},
        name="the same again",
    ),
    answers(
        "account.policy-revision",
        _get_policy(),
        given=[_put_policy()],
        has={"RevisionId": reply(1, "RevisionId")},
        name="read",
    ),
    answers(
        "account.policy-revision",
        Step("DeleteResourcePolicy", {"ResourceArn": ARN}),
        has={},
        name="delete of none",
    ),
)


_LARGE = {"ReadCapacityUnits": 40_000, "WriteCapacityUnits": 40_000}


def _create(name: str, **members: Json) -> Step:
    return create(f"${{table:{name}}}", **members)


def _units(name: str) -> Step:
    return _create(name, BillingMode="PROVISIONED", ProvisionedThroughput=_LARGE)


def _limit(rule: str, when: Step, phrase: str, given: Sequence[Step], control: Step, needs: str) -> Check:
    return refuses(
        rule,
        when,
        phrase=phrase,
        code="LimitExceededException",
        tables=_NONE,
        given=given,
        control=control,
        needs=needs,
    )


_LISTED = Step("ListTables", {"Limit": 1})

ACCOUNT: tuple[Check, ...] = (
    answers(
        "account.limits",
        Step("DescribeLimits", {}),
        tables=_NONE,
        body={
            "AccountMaxReadCapacityUnits": 80_000,
            "AccountMaxWriteCapacityUnits": 80_000,
            "TableMaxReadCapacityUnits": 40_000,
            "TableMaxWriteCapacityUnits": 40_000,
        },
    ),
    answers(
        "account.endpoints",
        Step("DescribeEndpoints", {}),
        tables=_NONE,
        at="Endpoints[0]",
        has={"CachePeriodInMinutes": 1440},
    ),
    _limit(
        "account.tables", _create("t3"), "Subscriber limit exceeded", [_create("t1"), _create("t2")], _LISTED, "quotas"
    ),
    _limit(
        "account.changing-tables",
        _create("t2"),
        "Subscriber limit exceeded",
        [_create("t1")],
        _LISTED,
        "quotas slow create",
    ),
    _limit(
        "account.units",
        _units("t3"),
        "This request would have caused the ReadCapacityUnits limit to be exceeded for the account in",
        [_units("t1"), _units("t2")],
        _create("t3"),
        "expensive",
    ),
)

CHECKS: tuple[Check, ...] = (*POLICIES, *ACCOUNT)
