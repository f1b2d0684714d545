"""Checks of what a table has beside its items: tags, time to live, recovery, insights."""

from __future__ import annotations

from conformance.checks.base import T0, Check, Http, table
from conformance.checks.steps import (
    INVALID,
    PLAIN,
    answers,
    describe,
    get,
    item,
    n,
    named,
    put,
    refuses,
    reply,
    s,
    update,
)
from conformance.checks.tables import GONE, IN_USE, drop
from conformance.program import Step
from reference.api import Json

ARN = reply(0, "TableDescription.TableArn")
"""The ARN of the check's first table."""
ELSEWHERE = f"{ARN}-none"
"""The ARN of a table that is not there; an ARN of another account would be answered otherwise."""
FOREIGN = "arn:aws:dynamodb:us-east-1:999999999999:table/other"
"""The ARN of a table of an account that is not the caller's."""


def _tag(*pairs: tuple[str, str], arn: str = ARN) -> Step:
    tags = [{"Key": key, "Value": value} for key, value in pairs]
    return Step("TagResource", {"ResourceArn": arn, "Tags": tags})


def _untag(*keys: str, arn: str = ARN) -> Step:
    return Step("UntagResource", {"ResourceArn": arn, "TagKeys": list(keys)})


def _tags(arn: str = ARN) -> Step:
    return Step("ListTagsOfResource", {"ResourceArn": arn})


_GOOD = _tag(("k", "v"))
_51 = [(f"k{i:02}", "v") for i in range(51)]
_BAD_KEY = "The Tag Key provided is invalid, Key: "
_BAD_VALUE = "The Tag Value provided is invalid, Value: "
_MANY = "Number of Tags exceed the current limit for the provided ResourceArn"
_NO_RESOURCE = f"{INVALID}Invalid resource arn provided, only table or stream is accepted. Provided resource arn: "
_BACKUP = f"{ARN}/backup/01791525400213-63b4d36a"


def _raw_tag(**tag: str) -> Step:
    return Step("TagResource", {"ResourceArn": ARN, "Tags": [dict(tag)]})


TAGS: tuple[Check, ...] = (
    refuses(
        "tables.tag-duplicate-key",
        _tag(("k", "v"), ("k", "w")),
        "Duplicate Tag Keys provided as input: Duplicate Tag Key found k",
        control=_tag(("k", "v"), ("K", "w")),
    ),
    refuses(
        "tables.tag-reserved-key",
        _tag(("aws:k", "v")),
        "Tag Key cannot be prefixed with aws:, Key: aws:k",
        control=_tag(("awsk", "v")),
    ),
    refuses(
        "tables.tag-reserved-key",
        _tag(("AWS:foo", "v")),
        "Tag Key cannot be prefixed with aws:, Key: AWS:foo",
        control=_tag(("myaws:foo", "v")),
        name="in capitals",
    ),
    refuses(
        "tables.tag-reserved-key",
        _untag("aws:foo"),
        "Tag Key cannot be prefixed with aws:, Key: aws:foo",
        control=_untag("foo"),
        name="UntagResource",
    ),
    refuses(
        "tables.tag-key-invalid",
        _tag(("k!", "v")),
        f"{_BAD_KEY}k!",
        control=_tag(("k +-=._:/@", "v")),
    ),
    *(
        refuses("tables.tag-key-invalid", step, f"{_BAD_KEY}{told}", control=_GOOD, name=name)
        for name, step, told in (
            ("no key and no value", _raw_tag(), "null"),
            ("no key", _raw_tag(Value="v"), "null"),
            ("a hash sign", _tag(("bad#char", "v")), "bad#char"),
            ("129 characters", _tag(("k" * 129, "v")), "k" * 129),
            ("beside a good one", _tag(("good", "v"), ("x" * 129, "v")), "x" * 129),
            ("UntagResource, empty", _untag(""), ""),
            ("UntagResource, 129 characters", _untag("k" * 129), "k" * 129),
        )
    ),
    refuses("tables.tag-value-invalid", _raw_tag(Key="k"), f"{_BAD_VALUE}null", control=_GOOD, name="none"),
    *(
        refuses("tables.tag-value-invalid", _tag(("k", value)), f"{_BAD_VALUE}{value}", control=_GOOD, name=value[:6])
        for value in (
            "🔑",
            "100%",
            "a,b",
            "(x)[y]{z}",
            "a&b",
            "a*b",
            "a;b",
            "a?b",
            "a|b",
            "a\\b",
            "<a>",
            "~a",
            "v" * 257,
        )
    ),
    answers(
        "tables.tag-answer",
        _tags(),
        given=[_tag(("ключ", "café 表\u00a0\u3000a+b-c=d.e_f:g/h@i"))],
        has={"Tags": [{"Key": "ключ", "Value": "café 表\u00a0\u3000a+b-c=d.e_f:g/h@i"}]},
        name="letters of any script",
    ),
    answers(
        "tables.tag-answer",
        _tags(),
        given=[_tag(("k" * 128, "v" * 256))],
        has={"Tags": [{"Key": "k" * 128, "Value": "v" * 256}]},
        name="the longest key and value",
    ),
    refuses(
        "tables.tag-value-invalid",
        _tag(("k", "v!")),
        f"{_BAD_VALUE}v!",
        control=_tag(("k", "")),
    ),
    refuses("tables.tag-limit", _tag(*_51), _MANY, control=_tag(*_51[:50])),
    refuses(
        "tables.tag-limit",
        _tag(("k00", "new"), ("k50", "v")),
        _MANY,
        given=[_tag(*_51[:50])],
        control=_tag(("k00", "new")),
        name="with those held",
    ),
    refuses("tables.tag-limit", _untag(*(key for key, _ in _51)), _MANY, control=_untag("k00"), name="UntagResource"),
    refuses(
        "tables.tag-size",
        _tag(*((f"{i:02}" + "k" * 98, "v" * 256) for i in range(30))),
        phrase="bytes is above max size limit of 10240 bytes",
        control=_tag(*((f"{i:02}", "v" * 200) for i in range(50))),
    ),
    refuses("tables.tag-arn-missing", _tag(("k", "v"), arn=""), phrase="", control=_GOOD),
    *(
        refuses(
            "tables.tag-arn-malformed",
            step,
            f"{INVALID}ARNs must start with 'arn:': not-an-arn",
            control=_GOOD,
            name=step.operation,
        )
        for step in (_tag(("k", "v"), arn="not-an-arn"), _tags("not-an-arn"))
    ),
    refuses(
        "tables.tag-arn-of-index",
        _tag(("k", "v"), arn=f"{ELSEWHERE}/index/by_g"),
        f"{_NO_RESOURCE}{ELSEWHERE}/index/by_g",
        control=_GOOD,
    ),
    *(
        refuses(
            "tables.tag-arn-of-backup",
            step,
            f"{INVALID}Provided Arn is not a DynamoDB resource arn: {_BACKUP}",
            control=_GOOD,
            name=step.operation,
        )
        for step in (_tag(("k", "v"), arn=_BACKUP), _tags(_BACKUP), _untag("k", arn=_BACKUP))
    ),
    refuses(
        "tables.tag-not-found",
        _tags(f"{ARN}/stream/2015-07-27T00:48:05.899"),
        f"Requested resource not found: ResourceArn: {ARN}/stream/2015-07-27T00:48:05.899 not found",
        code="ResourceNotFoundException",
        control=_tags(),
        name="a stream",
    ),
    *(
        refuses(
            "tables.tag-not-found",
            step,
            f"Requested resource not found: ResourceArn: {ELSEWHERE} not found",
            code="ResourceNotFoundException",
            control=_GOOD,
            name=step.operation,
        )
        for step in (_tag(("k", "v"), arn=ELSEWHERE), _tags(ELSEWHERE), _untag("k", arn=ELSEWHERE))
    ),
    *(
        refuses(
            "tables.tag-other-account",
            step,
            "Access is denied",
            code="AccessDeniedException",
            control=_GOOD,
            name=step.operation,
        )
        for step in (_tag(("k", "v"), arn=FOREIGN), _tags(FOREIGN), _untag("k", arn=FOREIGN))
    ),
    refuses(
        "tables.tag-other-account",
        _tag(("k", "v"), arn="arn:aws:s3:::mybucket"),
        phrase="",
        code="AccessDeniedException",
        control=_GOOD,
        name="another service",
    ),
    refuses(
        "tables.tag-arn-no-table",
        _tag(("k", "v"), arn="arn:aws:dynamodb:sa-east-1:400000000004:table/tab"),
        phrase="",
        control=_GOOD,
        name="another Region",
    ),
    *(
        refuses(
            "tables.tag-pending",
            step,
            f"Subscriber limit exceeded: Table tags are being updated: {T0}",
            code="LimitExceededException",
            given=given,
            control=_tags(),
            needs="cooldowns",
            name=name,
        )
        for name, given, step in (
            ("another value", [_tag(("f", "x"))], _tag(("f", "y"))),
            ("what was there", [_tag(("a", "1"))], _untag("none")),
            ("taken back", [_tag(("a", "1"))], _untag("a")),
        )
    ),
    refuses(
        "tables.delete-while-tagging",
        drop(),
        f"Attempt to change a resource which is still in use: Table tags are being updated: {T0}",
        code="ResourceInUseException",
        given=[_tag(("a", "1"))],
        control=_tags(),
        needs="cooldowns",
    ),
    answers(
        "tables.tag-answer",
        _tag(("a", "1"), ("b", "2"), ("c", "3")),
        given=[_tag(("c", "3"))],
        needs="cooldowns",
        name="the same and more",
    ),
    answers(
        "tables.tag-answer",
        _tags(),
        given=[_untag("none"), _tag(("a", "1")), _tag(("a", "1"))],
        has={"Tags": [{"Key": "a", "Value": "1"}]},
        needs="cooldowns",
        name="nothing changed",
    ),
    answers(
        "tables.tag-answer",
        _tags(),
        given=[_tag(("team", "x"), ("Team", "y")), _untag("Team")],
        has={"Tags": [{"Key": "team", "Value": "x"}]},
        name="two cases of one word",
    ),
    refuses("tables.tag-none", _tag(), "Atleast one Tag needs to be provided as Input.", control=_GOOD),
    refuses("tables.untag-none", _untag(), "Atleast one Tag Key needs to be provided as Input.", control=_untag("k")),
    answers(
        "tables.tag-answer",
        _tags(),
        given=[_tag(("a", "1"), ("b", "2")), _tag(("b", "3")), _untag("a", "none")],
        has={"Tags": [{"Key": "b", "Value": "3"}]},
        name="set again and removed",
    ),
    answers(
        "tables.tag-answer",
        _tags(reply(0, "TableDescription.TableArn")),
        tables={"t0": {**table(), "Tags": [{"Key": "a", "Value": "1"}]}},
        has={"Tags": [{"Key": "a", "Value": "1"}]},
        name="given at creation",
    ),
    answers("tables.tag-answer", _tags(), has={"Tags": []}, name="none"),
    answers(
        "tables.tag-answer",
        Step("ListTagsOfResource", {"ResourceArn": ARN, "NextToken": "bogus"}),
        given=[_tag(("Env", ""))],
        has={"Tags": [{"Key": "Env", "Value": ""}]},
        name="an empty value, after a token that is none",
    ),
    Check("wire.no-content", Step(_GOOD.operation, _GOOD.body, {}), Http(200, body=""), PLAIN, name="TagResource"),
    Check(
        "wire.no-content", Step("UntagResource", _untag("k").body, {}), Http(200, body=""), PLAIN, name="UntagResource"
    ),
)


def _ttl(attribute: str, *, on: bool) -> Step:
    return Step(
        "UpdateTimeToLive",
        {"TableName": T0, "TimeToLiveSpecification": {"Enabled": on, "AttributeName": attribute}},
    )


_ON = _ttl("until", on=True)
_OFF = _ttl("until", on=False)
_DESCRIBE_TTL = Step("DescribeTimeToLive", {"TableName": T0})
_HOUR = 3_600.0

_STREAMED = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}}

STREAM_TAGS: tuple[Check, ...] = (
    answers(
        "tables.tags-of-stream",
        _tags(reply(0, "TableDescription.LatestStreamArn")),
        tables={"t0": {**table(), **_STREAMED, "Tags": [{"Key": "k", "Value": "v"}]}},
        body={"Tags": []},
        name="none of its table",
    ),
    answers(
        "tables.tags-of-stream",
        _tags(),
        given=[_tag(("k", "v"), arn=reply(0, "TableDescription.LatestStreamArn"))],
        tables={"t0": {**table(), **_STREAMED}},
        body={"Tags": []},
        name="none for its table",
    ),
)

TIME_TO_LIVE: tuple[Check, ...] = (
    refuses("ttl.enabled-already", _ON, "TimeToLive is already enabled", given=[_ON], control=_DESCRIBE_TTL),
    refuses("ttl.disabled-already", _OFF, "TimeToLive is already disabled", control=_ON),
    refuses(
        "ttl.other-attribute",
        _ttl("other", on=True),
        "TimeToLive is active on a different AttributeName: current AttributeName is until",
        given=[_ON],
        control=_DESCRIBE_TTL,
        name="on",
    ),
    refuses(
        "ttl.other-attribute",
        _ttl("other", on=False),
        "TimeToLive is active on a different AttributeName: current AttributeName is until",
        given=[_ON],
        control=_DESCRIBE_TTL,
        name="off",
    ),
    refuses(
        "ttl.cooldown",
        _OFF,
        "Time to live has been modified multiple times within a fixed interval",
        given=[_ON],
        control=_DESCRIBE_TTL,
    ),
    answers(
        "ttl.cooldown",
        _OFF,
        given=[_ON],
        body={"TimeToLiveSpecification": {"Enabled": False, "AttributeName": "until"}},
        pause=2 * _HOUR,
        name="over",
    ),
    refuses(
        "ttl.table-being-created",
        _ON,
        f"{IN_USE}Table {T0} is being created",
        code="ResourceInUseException",
        control=describe(),
        needs="slow create",
    ),
    refuses(
        "ttl.describe-while-changing",
        _DESCRIBE_TTL,
        "Cannot describe time to live while table is in CREATING state: Current table state is CREATING",
        control=describe(),
        needs="slow create",
        name="CREATING",
    ),
    refuses(
        "ttl.describe-while-changing",
        _DESCRIBE_TTL,
        "Cannot describe time to live while table is in DELETING state: Current table state is DELETING",
        given=[drop()],
        control=describe(),
        needs="slow delete",
        name="DELETING",
    ),
    refuses(
        "tables.not-found",
        Step("UpdateTimeToLive", {**_ON.body, "TableName": GONE}),
        f"Requested resource not found: Table: {GONE} not found",
        code="ResourceNotFoundException",
        control=_ON,
        name="UpdateTimeToLive",
    ),
    refuses(
        "wire.null",
        Step("UpdateTimeToLive", {"TableName": T0, "TimeToLiveSpecification": {"Enabled": False}}),
        "1 validation error detected: Value null at 'timeToLiveSpecification.attributeName' failed to satisfy "
        "constraint: Member must not be null",
        control=_ON,
        name="TimeToLiveSpecification",
    ),
    answers(
        "ttl.answer",
        _ON,
        body={"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "until"}},
        name="UpdateTimeToLive",
    ),
    answers(
        "ttl.answer", _DESCRIBE_TTL, body={"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}, name="never on"
    ),
    answers(
        "ttl.answer",
        _DESCRIBE_TTL,
        given=[_ON],
        body={"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}},
        name="on",
    ),
    answers(
        "ttl.answer",
        _ttl("pk", on=True),
        body={"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "pk"}},
        name="key attribute",
    ),
    answers(
        "ttl.expiry",
        get(),
        given=[_ON, put({"until": n(1)})],
        body={"Item": item(until=n(1))},
        name="older than five years",
    ),
    answers("ttl.expiry", get(), given=[_ON, put({"until": s("1")})], body={"Item": item(until=s("1"))}, name="text"),
    answers(
        "ttl.expiry",
        get(),
        given=[_ON, put({"m": named(until=n(1))})],
        body={"Item": item(m=named(until=n(1)))},
        name="nested",
    ),
    answers(
        "ttl.expiry",
        get(),
        given=[_ON, put({"until": n("${time:-60}")}), update("SET v = :v", {"v": n(1)})],
        body={"Item": item(until=n("${time:-60}"), v=n(1))},
        name="expired, still an item",
    ),
)


def recovery(*, on: bool, days: int | None = None, table_name: str = T0) -> Step:
    """UpdateContinuousBackups."""
    specification: dict[str, Json] = {"PointInTimeRecoveryEnabled": on}
    if days is not None:
        specification["RecoveryPeriodInDays"] = days
    return Step("UpdateContinuousBackups", {"TableName": table_name, "PointInTimeRecoverySpecification": specification})


_RECOVERY = "ContinuousBackupsDescription.PointInTimeRecoveryDescription"
_DESCRIBE_RECOVERY = Step("DescribeContinuousBackups", {"TableName": T0})

RECOVERY: tuple[Check, ...] = (
    refuses(
        "backups.table-not-found",
        Step("DescribeContinuousBackups", {"TableName": GONE}),
        f"Table not found: {GONE}",
        code="TableNotFoundException",
        control=_DESCRIBE_RECOVERY,
        name="Describe",
    ),
    refuses(
        "backups.table-not-found",
        recovery(on=True, table_name=GONE),
        f"Table not found: {GONE}",
        code="TableNotFoundException",
        control=recovery(on=True),
        name="Update",
    ),
    refuses(
        "backups.period-without-recovery",
        recovery(on=False, days=7),
        "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.",
        control=recovery(on=True, days=7),
    ),
    refuses(
        "wire.value-max",
        recovery(on=True, days=36),
        phrase="failed to satisfy constraint: Member must have value less than or equal to 35",
        control=recovery(on=True, days=35),
        name="RecoveryPeriodInDays",
    ),
    answers(
        "backups.recovery-window",
        _DESCRIBE_RECOVERY,
        has={"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"}},
        at="ContinuousBackupsDescription",
        name="off",
    ),
    answers(
        "backups.recovery-window",
        recovery(on=True),
        has={"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 35},
        at=_RECOVERY,
        name="on",
    ),
    answers(
        "backups.recovery-window",
        _DESCRIBE_RECOVERY,
        given=[recovery(on=True, days=7), recovery(on=False), recovery(on=True)],
        has={"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 35},
        at=_RECOVERY,
        name="forgets its period",
    ),
    answers(
        "backups.recovery-window",
        _DESCRIBE_RECOVERY,
        given=[recovery(on=True), recovery(on=False)],
        has={"PointInTimeRecoveryStatus": "DISABLED"},
        lacks=("EarliestRestorableDateTime", "LatestRestorableDateTime", "RecoveryPeriodInDays"),
        at=_RECOVERY,
        name="off again",
    ),
)


CHECKS: tuple[Check, ...] = (*TAGS, *STREAM_TAGS, *TIME_TO_LIVE, *RECOVERY)
