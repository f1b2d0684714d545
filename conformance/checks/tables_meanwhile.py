"""Checks of UpdateTable: keys, classes, streams, what comes alone in a request, and what waits for another change."""

from __future__ import annotations

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import INVALID, answers, reply
from conformance.checks.tables import ELSEWHERE, IN_USE, WRONG_KEYS, drop
from conformance.checks.tables_update import INFREQUENT, ON, PROTECT, change, changing, units
from conformance.checks.wire_constraints import NEW, create
from conformance.program import Step
from reference.api import Json

_KEY_ARN = "arn:aws:kms:us-east-1:400000000004:key/301f0bb6-edf0-476a-9525-14f2ee58148a"
_ENCRYPT: dict[str, Json] = {"SSESpecification": {"Enabled": True}}
_STREAM: dict[str, Json] = {"StreamSpecification": ON}
_MAXIMA: dict[str, Json] = {"OnDemandThroughput": {"MaxReadRequestUnits": 5}}
_BILLING: dict[str, Json] = {"BillingMode": "PAY_PER_REQUEST"}
_WARM: dict[str, Json] = {"WarmThroughput": {"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 5_000}}
_OWN_KEY: dict[str, Json] = {"Enabled": True, "SSEType": "KMS"}
_ENCRYPTED: dict[str, Json] = {"t0": {**table(), "SSESpecification": {"Enabled": True}}}


ALONE: tuple[Check, ...] = (
    *(
        changing(
            "tables.update-not-alone",
            change(**{**one, **other}),
            f"{INVALID}{first} must be the only operation in the request",
            control=change(**one),
            name=name,
        )
        for name, first, one, other in (
            ("deletion protection and class", "TableClass modification", PROTECT, INFREQUENT),
            ("deletion protection and encryption", "Server-Side Encryption modification", PROTECT, _ENCRYPT),
            ("class and encryption", "Server-Side Encryption modification", INFREQUENT, _ENCRYPT),
            ("deletion protection and stream", "DeletionProtection modification", PROTECT, _STREAM),
            ("deletion protection and maxima", "DeletionProtection modification", PROTECT, _MAXIMA),
            ("deletion protection and billing", "DeletionProtection modification", PROTECT, _BILLING),
            ("deletion protection and warm throughput", "DeletionProtection modification", PROTECT, _WARM),
            ("class and maxima", "TableClass modification", INFREQUENT, _MAXIMA),
            ("warm throughput and billing", "WarmThroughput", _BILLING, _WARM),
        )
    ),
    *(
        changing(
            "tables.on-demand-limits-with-others",
            change(**_MAXIMA, **other),
            f"{INVALID}OnDemandThroughput can only be combined with BillingMode in an UpdateTable request",
            control=change(**_MAXIMA, **_BILLING),
            name=name,
        )
        for name, other in (("stream", _STREAM), ("warm throughput", _WARM))
    ),
)

KEYS: tuple[Check, ...] = (
    changing(
        "tables.sse-default-already",
        change(SSESpecification={"Enabled": False}),
        f"{INVALID}Table is already encrypted by default",
        control=change(**_ENCRYPT),
    ),
    changing(
        "tables.sse-default-already",
        change(SSESpecification={}),
        f"{INVALID}Table is already encrypted by default",
        control=change(**_ENCRYPT),
        name="empty",
    ),
    changing(
        "tables.sse-default-already",
        change(SSESpecification={"Enabled": False}),
        f"{INVALID}Table is already encrypted by default",
        given=[change(SSESpecification={"Enabled": enabled}) for enabled in (True, False, True, False)],
        name="after the quota is used up",
    ),
    changing(
        "tables.sse-key-already",
        change(SSESpecification={**_OWN_KEY, "KMSMasterKeyId": _KEY_ARN}),
        f"{INVALID}Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to "
        "change Master Key",
        tables={"t0": {**table(), "SSESpecification": {**_OWN_KEY, "KMSMasterKeyId": _KEY_ARN}}},
        control=change(SSESpecification={"Enabled": False}),
    ),
    *(
        changing(
            "tables.sse-changes",
            change(SSESpecification=wanted),
            phrase="Subscriber limit exceeded: Encryption mode changes are limited in the 24h window ending at",
            code="LimitExceededException",
            given=[change(SSESpecification={"Enabled": enabled}) for enabled in (True, False, True, False)],
            name=name,
        )
        for name, wanted in (("", {"Enabled": True}), ("a key elsewhere", {**_OWN_KEY, "KMSMasterKeyId": ELSEWHERE}))
    ),
    *(
        changing(
            rule,
            change(SSESpecification=wanted),
            text,
            control=change(**_ENCRYPT),
            name=f"UpdateTable {name}".strip(),
            code=code,
            phrase=phrase,
        )
        for rule, name, wanted, text, phrase, code in WRONG_KEYS
    ),
    answers(
        "tables.update-answer",
        change(**_ENCRYPT),
        at="TableDescription",
        has={"TableStatus": "ACTIVE", "SSEDescription": {"Status": "UPDATING"}},
        name="a first key",
    ),
    answers(
        "tables.update-answer",
        change(SSESpecification={"Enabled": False}),
        at="TableDescription.SSEDescription",
        has={"Status": "UPDATING", "SSEType": "KMS"},
        tables=_ENCRYPTED,
        name="no key any more",
    ),
    *(
        answers(
            "tables.update-answer",
            change(SSESpecification=wanted),
            at="TableDescription.SSEDescription",
            has={"Status": "UPDATING", "SSEType": "KMS"},
            tables=_ENCRYPTED,
            name=f"the key there is, {name}",
        )
        for name, wanted in (
            ("not named", {"Enabled": True}),
            ("by its alias", {**_OWN_KEY, "KMSMasterKeyId": "alias/aws/dynamodb"}),
        )
    ),
    answers(
        "tables.description",
        Step("DescribeTable", {"TableName": T0}),
        at="Table",
        has={"TableStatus": "ACTIVE"},
        lacks=("SSEDescription",),
        tables=_ENCRYPTED,
        given=[change(SSESpecification={"Enabled": False})],
        name="no key any more",
    ),
    answers(
        "tables.update-answer",
        change(**INFREQUENT),
        at="TableDescription",
        has={"TableStatus": "UPDATING"},
        lacks=("TableClassSummary",),
        name="a first class",
    ),
    answers(
        "tables.update-answer",
        change(TableClass="STANDARD"),
        at="TableDescription.TableClassSummary",
        has=INFREQUENT,
        given=[change(**INFREQUENT)],
        name="the class before",
    ),
    answers(
        "tables.update-answer",
        change(TableClass="STANDARD"),
        at="TableDescription",
        has={"TableStatus": "UPDATING"},
        lacks=("TableClassSummary",),
        name="the class there is",
    ),
    answers(
        "tables.description",
        Step("DescribeTable", {"TableName": T0}),
        at="Table",
        has={"TableStatus": "ACTIVE"},
        lacks=("TableClassSummary",),
        given=[change(TableClass="STANDARD"), change(TableClass="STANDARD")],
        name="the class there is, asked for",
    ),
    answers(
        "tables.delete-answer",
        drop(),
        at="TableDescription.SSEDescription",
        has={"Status": "ENABLED", "SSEType": "KMS"},
        tables=_ENCRYPTED,
        name="key",
    ),
    changing(
        "tables.sse-updating",
        change(SSESpecification={"Enabled": False}),
        f"{IN_USE}Server-Side Encryption is still being updated",
        code="ResourceInUseException",
        given=[change(SSESpecification={"Enabled": True})],
        control=Step("DescribeTable", {"TableName": T0}),
        needs="slow update",
    ),
    *(
        answers(
            "tables.create-answer",
            create(SSESpecification=wanted),
            at="TableDescription.SSEDescription",
            has={"Status": "ENABLED", "SSEType": "KMS"},
            tables={},
            name=f"a key, {name}",
        )
        for name, wanted in (
            ("enabled", {"Enabled": True}),
            ("by its type alone", {"SSEType": "KMS"}),
            ("by its alias", {**_OWN_KEY, "KMSMasterKeyId": "alias/aws/dynamodb"}),
        )
    ),
    *(
        answers(
            "tables.description",
            Step("DescribeTable", {"TableName": NEW}),
            at="Table",
            has={"TableStatus": "ACTIVE"},
            lacks=("SSEDescription",),
            tables={},
            given=[create(SSESpecification=wanted)],
            name=f"no key, {name}",
        )
        for name, wanted in (("empty", {}), ("not enabled", {"Enabled": False}))
    ),
)

CLASSES: tuple[Check, ...] = (
    changing(
        "tables.class-changes",
        change(**INFREQUENT),
        "Subscriber limit exceeded: Updates to TableClass are limited to 2 times in 30 day(s).",
        code="LimitExceededException",
        given=[change(**INFREQUENT), change(TableClass="STANDARD")],
    ),
    changing(
        "tables.class-changes",
        change(TableClass="STANDARD"),
        "Subscriber limit exceeded: Updates to TableClass are limited to 2 times in 30 day(s).",
        code="LimitExceededException",
        given=[change(**INFREQUENT), change(TableClass="STANDARD")],
        name="the class there is",
    ),
)

_CLASS_COMES = f"Table: {T0} TableClassUpdateInProgress: STANDARD_INFREQUENT_ACCESS"
_ON_ITS_WAY: tuple[tuple[str, str, dict[str, Json], dict[str, Json], str | None, str | None], ...] = (
    (
        "tables.while-streaming", "class", _STREAM, INFREQUENT, None,
        f"{IN_USE}Can't update table class when stream status is being updated. Table: {T0} Stream: ",
    ),
    (
        "tables.while-streaming", "billing", _STREAM, {"BillingMode": "PROVISIONED", **units(5)}, None,
        f"{IN_USE}Can't change table IOPS when stream status is being updated. Table: {T0} Stream: ",
    ),
    (
        "tables.while-class-changes", "class", INFREQUENT, {"TableClass": "STANDARD"},
        f"{IN_USE}Can't update table class when a table class update is in progress. {_CLASS_COMES}", None,
    ),
    (
        "tables.while-class-changes", "the same class", INFREQUENT, INFREQUENT,
        f"{IN_USE}Can't update table class when a table class update is in progress. {_CLASS_COMES}", None,
    ),
    (
        "tables.while-class-changes", "stream", INFREQUENT, _STREAM,
        f"{IN_USE}Can't change stream status when a table class update is in progress. {_CLASS_COMES}", None,
    ),
    (
        "tables.stream-while-units-change", "", {"BillingMode": "PROVISIONED", **units(1, 1)}, _STREAM,
        f"{IN_USE}Can't enable or disable stream while table IOPS are being updated. Table: {T0}", None,
    ),
    (
        "tables.limits-while-changing", "stream", _STREAM, _MAXIMA, None,
        f"{IN_USE}OnDemandThroughput cannot be updated while stream status update is i",
    ),
    (
        "tables.limits-while-changing", "class", INFREQUENT, _MAXIMA,
        f"{IN_USE}OnDemandThroughput cannot be updated while TableClass update is in progress. "
        "TableClassUpdateInProgress: STANDARD_INFREQUENT_ACCESS", None,
    ),
    (
        "tables.limits-while-changing", "billing", {"BillingMode": "PROVISIONED", **units(1, 1)}, _MAXIMA,
        f"{IN_USE}OnDemandThroughput cannot be updated while BillingMode update is in progress", None,
    ),
)  # fmt: skip

MEANWHILE: tuple[Check, ...] = (
    *(
        changing(
            rule, change(**wanted), text, phrase=phrase, name=name, given=[change(**coming)], needs="slow update",
            code="ResourceInUseException", control=change(**PROTECT),
        )
        for rule, name, coming, wanted, text, phrase in _ON_ITS_WAY
    ),
    *(
        answers(
            "tables.update-answer", change(**wanted), name=f"{name} while {busy}", at="TableDescription",
            has={"TableStatus": status}, given=[change(**coming)], needs="slow update",
        )
        for busy, coming in (("a stream comes", _STREAM), ("the class changes", INFREQUENT))
        for name, wanted, status in (
            ("deletion protection", PROTECT, "UPDATING"), ("a key", _ENCRYPT, "ACTIVE"), ("warmth", _WARM, "UPDATING"),
        )
    ),
    answers(
        "tables.update-answer", change(**_BILLING), name="the billing mode there is while a stream comes",
        at="TableDescription", has={"TableStatus": "UPDATING"}, given=[change(**_STREAM)], needs="slow update",
    ),
    *(
        answers(
            "tables.update-answer", change(**wanted), name=f"{name} while a key comes", at="TableDescription",
            has={"TableStatus": status}, given=[change(**_ENCRYPT)], needs="slow update",
        )
        for name, wanted, status in (
            ("deletion protection", PROTECT, "ACTIVE"), ("a stream", _STREAM, "UPDATING"),
            ("class", INFREQUENT, "UPDATING"), ("the same key", _ENCRYPT, "ACTIVE"),
        )
    ),
    changing(
        "tables.delete-while-updating",
        drop(),
        f"{IN_USE}Table: {T0} is in the process of being updated.",
        code="ResourceInUseException",
        given=[change(**_ENCRYPT)],
        control=Step("DescribeTable", {"TableName": T0}),
        needs="slow update",
        name="a key comes",
    ),
)  # fmt: skip

STREAMS: tuple[Check, ...] = (
    answers(
        "tables.update-answer",
        change(StreamSpecification=ON),
        at="TableDescription",
        has={"TableStatus": "UPDATING", "StreamSpecification": ON},
        name="a stream at once",
    ),
    answers(
        "tables.update-answer",
        change(StreamSpecification={"StreamEnabled": False}),
        at="TableDescription",
        has={"TableStatus": "UPDATING", "LatestStreamArn": reply(1, "TableDescription.LatestStreamArn")},
        lacks=("StreamSpecification",),
        given=[change(StreamSpecification=ON)],
        name="no stream at once",
    ),
    answers(
        "tables.description",
        Step("DescribeTable", {"TableName": T0}),
        at="Table",
        has={
            "LatestStreamArn": reply(1, "TableDescription.LatestStreamArn"),
            "LatestStreamLabel": reply(1, "TableDescription.LatestStreamLabel"),
        },
        lacks=("StreamSpecification",),
        given=[change(StreamSpecification=ON), change(StreamSpecification={"StreamEnabled": False})],
        name="the stream there was",
    ),
    answers(
        "streams.list-pages",
        Step("ListStreams", {"TableName": T0}),
        body={
            "Streams": [
                {
                    "StreamArn": reply(at, "TableDescription.LatestStreamArn"),
                    "StreamLabel": reply(at, "TableDescription.LatestStreamLabel"),
                    "TableName": T0,
                }
                for at in (1, 3)
            ]
        },
        given=[
            change(StreamSpecification=ON),
            change(StreamSpecification={"StreamEnabled": False}),
            change(StreamSpecification=ON),
        ],
        name="the stream there was",
    ),
)

CHECKS: tuple[Check, ...] = (*ALONE, *KEYS, *CLASSES, *MEANWHILE, *STREAMS)
