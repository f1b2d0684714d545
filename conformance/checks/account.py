"""Checks of an account: its quotas, and the policies of its resources."""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.checks.base import T0, Check
from conformance.checks.settings import ARN, ELSEWHERE, FOREIGN
from conformance.checks.steps import (
    INVALID,
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


_PUT = _put_policy()
_DENY = _policy(
    {"Effect": "Deny", "Principal": "*", "Action": "dynamodb:PutResourcePolicy", "Resource": "*"},
)
_LOOSE = json.dumps({
    "Statement": {
        "Resource": "*",
        "Action": ["dynamodb:Query", "dynamodb:GetItem"],
        "Condition": {"StringEquals": {"aws:PrincipalAccount": ["400000000004"]}},
        "Principal": {"AWS": ["400000000004"]},
        "Effect": "allow",
        "Sid": "One",
    },
})  # fmt: skip
_STRICT = (
    '{"Version":"2008-10-17","Statement":[{"Sid":"One","Effect":"Allow","Principal":{"AWS":'
    '"arn:aws:iam::400000000004:root"},"Action":["dynamodb:Query","dynamodb:GetItem"],"Resource":"*",'
    '"Condition":{"StringEquals":{"aws:PrincipalAccount":"400000000004"}}}]}'
)
_USED = "Attempt to change a resource which is still in use: "
_DROP = Step("DeleteTable", {"TableName": T0})
_INVALID = f"{INVALID}Invalid policy document: "
_FOUND = "Resource-based policy not found for the provided ResourceArn: "

POLICIES: tuple[Check, ...] = (
    refuses(
        "account.policy-size",
        _put_policy(_policy(_ALLOW).ljust(20_481)),
        f"{INVALID}Maximum policy size of 20480 bytes exceeded",
        control=_put_policy(_policy(_ALLOW).ljust(20_480)),
    ),
    refuses(
        "account.policy-json", _put_policy("{not json"), f"{_INVALID}This policy contains invalid Json", control=_PUT
    ),
    refuses(
        "account.policy-empty",
        _put_policy(_policy()),
        f"{_INVALID}Could not parse the policy: Statement is empty!",
        control=_PUT,
    ),
    refuses("account.policy-malformed", _put_policy('{"Version":"2012-10-17"}'), phrase="", control=_PUT),
    *(
        refuses(rule, _put_policy(text), f"{INVALID}Invalid policy document: {told}", control=_PUT, name=text or "none")
        for rule, text, told in (
            ("account.policy-json", "", "This policy contains invalid Json"),
            ("account.policy-json", "[]", "This policy contains invalid Json"),
            ("account.policy-text", "null", "This text appears not to be a policy"),
            ("account.policy-syntax", "{}", "Syntax error at position (1,3)"),
            ("account.policy-field", '{"Version":"2012-10-17","Statement":[{}]}', "Missing required field Effect"),
        )
    ),
    refuses(
        "account.policy-field",
        _put_policy(_policy({name: value for name, value in _ALLOW.items() if name != "Resource"})),
        f"{_INVALID}Missing required field Resource",
        control=_PUT,
    ),
    refuses(
        "account.policy-principal",
        _put_policy(_policy({**_ALLOW, "Principal": "400000000004"})),
        phrase=f"{_INVALID}Syntax error at position (",
        control=_PUT,
    ),
    refuses(
        "account.policy-actions",
        _put_policy(_policy({**_ALLOW, "Action": ["dynamodb:DescribeStream", "dynamodb:GetRecords"]})),
        phrase=f"{_INVALID}The following action names are invalid: ",
        control=_PUT,
    ),
    refuses(
        "account.policy-relative",
        _put_policy(_policy({**_ALLOW, "Resource": f"{ARN}/stream/2026-10-09T00:29:04.041"})),
        phrase=f'{_INVALID}The relative-id "table/{T0}/stream/2026-10-09T00:29:04.041" is invalid for ARN "',
        control=_put_policy(_policy({**_ALLOW, "Resource": f"{ARN}/index/*"})),
    ),
    refuses(
        "account.policy-sids",
        _put_policy(_policy({**_ALLOW, "Sid": "One"}, {**_ALLOW, "Sid": "One"})),
        f"{_INVALID}The Statement Ids in the policy are not unique",
        control=_put_policy(_policy({**_ALLOW, "Sid": "One"}, {**_ALLOW, "Sid": "Two"})),
    ),
    *(
        refuses(
            "account.policy-public",
            _put_policy(_policy({**_ALLOW, "Principal": anyone})),
            phrase="Resource-based policy grants unbounded access in one or more elements. Please revise the policy to "
            "ensure least-privilege form of access",
            control=_PUT,
            name=name,
        )
        for name, anyone in (("", "*"), ("kind", {"AWS": "*"}))
    ),
    refuses(
        "account.policy-lockout",
        _put_policy(_DENY),
        "The new resource policy will not allow you to update the resource policy in the future.",
        code="AccessDeniedException",
        control=_put_policy(_DENY, ConfirmRemoveSelfResourceAccess=True),
    ),
    refuses("account.policy-arn", _get_policy(T0), f"{INVALID}ARNs must start with 'arn:': {T0}", control=_PUT),
    refuses(
        "account.policy-resource",
        _get_policy(f"{ARN}/backup/01700000000000-abcdef12"),
        f"{INVALID}Provided Arn is not a DynamoDB resource arn: {ARN}/backup/01700000000000-abcdef12",
        control=_PUT,
    ),
    refuses(
        "account.policy-other-account",
        _get_policy(FOREIGN),
        "This action is only supported by accounts that match the resource owner’s account.",
        control=_PUT,
    ),
    refuses(
        "account.policy-elsewhere",
        _get_policy("arn:aws:dynamodb:sa-east-1:400000000004:table/tab"),
        f"{INVALID}Invalid resource Arn: arn:aws:dynamodb:sa-east-1:400000000004:table/tab",
        control=_PUT,
    ),
    refuses(
        "account.policy-index",
        _get_policy(f"{ARN}/index/by_g"),
        f"{INVALID}Invalid resource arn provided, only table or stream is accepted. Provided resource arn: "
        f"{ARN}/index/by_g",
        control=_PUT,
    ),
    refuses(
        "account.policy-stream",
        _get_policy(f"{ARN}/stream/2000-01-01T00:00:00.000"),
        f"Requested resource not found: Stream: 2000-01-01T00:00:00.000 not found for Table: {T0}",
        code="ResourceNotFoundException",
        control=_PUT,
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
        "account.policy-none",
        _put_policy(_OTHER, ExpectedRevisionId="1"),
        phrase=f"{_FOUND}Requested update for policy with revision id 1, but table {T0} has no associated",
        code="PolicyNotFoundException",
        control=_PUT,
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
        "account.policy-pending",
        _put_policy(_OTHER),
        f"{_USED}Table is pending previous resource-based policy update: {T0}",
        code="ResourceInUseException",
        given=[_PUT],
        control=_PUT,
        needs="cooldowns",
    ),
    refuses(
        "account.policy-pending-delete",
        _DROP,
        f"{_USED}Table: {T0} has a pending resource-based policy update.",
        code="ResourceInUseException",
        given=[_PUT],
        control=_PUT,
        needs="cooldowns",
    ),
    refuses(
        "account.policy-cooldown",
        _put_policy(_OTHER),
        phrase=f"Resource-based policy for table {T0} modified within the previous 15000 milliseconds",
        code="ThrottlingException",
        given=[_PUT],
        control=_get_policy(),
        needs="cooldowns",
        pause=3.0,
    ),
    answers(
        "account.policy-revision",
        _put_policy(_policy({**_ALLOW, "Action": ["dynamodb:GetItem"]})),
        given=[_PUT],
        body={"RevisionId": reply(1, "RevisionId")},
        name="the same otherwise written",
    ),
    answers(
        "account.policy-revision",
        Step("DeleteResourcePolicy", {"ResourceArn": ARN}),
        given=[_PUT],
        body={"RevisionId": reply(1, "RevisionId")},
        name="delete",
    ),
    answers(
        "account.policy-revision",
        _get_policy(),
        given=[_put_policy(_LOOSE)],
        has={"Policy": _STRICT},
        name="canonical form",
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
