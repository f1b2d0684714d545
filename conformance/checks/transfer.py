"""Checks of exports to buckets. Buckets lie outside the service: where a check needs one, ``OBJECTS`` are in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.checks.base import T0, Check
from conformance.checks.settings import recovery
from conformance.checks.steps import answers, describe, item, n, put, refuses, reply, s
from conformance.checks.tables import drop
from conformance.program import Step
from reference.api import Json

BUCKET = "dynoracle-check"
"""The bucket of a check that needs one."""
OBJECTS: Mapping[str, str] = {
    "json/1": '{"Item":{"pk":{"S":"a"},"v":{"N":"1"}}}\n{"Item":{"pk":{"S":"b"}}}\n',
    "joined/1": '{"Item":{"pk":{"S":"a"}}}{"Item":{"pk":{"S":"b"}}}',
    "prefix/1": '{"Item":{"pk":{"S":"a"}}}\n',
    "prefix2/1": '{"Item":{"pk":{"S":"b"}}}\n',
    "faulty/1": '{"Item":{"pk":{"S":"a"}}}\n{"Item":{"pk":{"N":"1"}}}\n{"Item":{"v":{"S":"a"}}}\n',
    "twice/1": '{"Item":{"pk":{"S":"a"}}}\n{"Item":{"pk":{"S":"a"}}}\n',
    "conditional/1": '{"Item":{"pk":{"S":"a"},"v":{"N":"9"}},"ConditionExpression":"attribute_not_exists(pk)"}\n'
    '{"Item":{"pk":{"S":"b"}},"ConditionExpression":"attribute_not_exists(pk)"}\n',
    "csv/1": 'pk,v,w\na,1,\nb,"x ""y"", z",2\n',
    "bare/1": "a;1\nb;2\n",
    "ion/1": '$ion_1_0 {Item:{pk:"a",n:1.,t:$dynamodb_SS::["x"]}}\n',
}
"""What must lie in the bucket of a check that needs one: text by key."""
TABLE_ARN = reply(0, "TableDescription.TableArn")
ON = recovery(on=True)
HOUR = 3_600.0
LONG_AGO = 1_500_000_000
FOREIGN = "arn:aws:dynamodb:us-east-1:999999999999:table/t"
EXPORTED = "ExportDescription.ExportArn"


def export(arn: str = TABLE_ARN, **members: Json) -> Step:
    """ExportTableToPointInTime of the check's table."""
    return Step("ExportTableToPointInTime", {"TableArn": arn, "S3Bucket": BUCKET, **members})


def told(arn: str) -> Step:
    """DescribeExport."""
    return Step("DescribeExport", {"ExportArn": arn})


def _window(begin: Json = None, end: Json = None, **members: Json) -> Step:
    """An incremental export from a moment, in seconds since the start, to another."""
    bounds = {"ExportFromTime": begin, "ExportToTime": end, **members}
    written = {
        name: f"${{epoch:{bound:+d}}}" if isinstance(bound, int) else bound
        for name, bound in bounds.items()
        if bound is not None
    }
    return export(ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=written)


def _asked(rule: str, message: str, when: Step, control: Step, name: str = "") -> Check:
    return refuses(rule, when, message, given=[ON], control=control, name=name)


_INCREMENT = {"ExportFromTime": LONG_AGO}
_EMPTY_FILTER = "Invalid Request: Invalid FilterSpecification: The specification can not be empty"
_KEYED = {
    "KeyConditionExpression": "pk = :pk",
    "FilterExpression": "v > :v",
    "ExpressionAttributeValues": {":pk": s("a"), ":v": n(0)},
}

_ELSEWHERE = f"arn:aws:dynamodb:eu-west-1:400000000004:table/{T0}"

SHAPES: tuple[Check, ...] = (
    _asked(
        "transfer.table-arn",
        "One or more parameter values were invalid: tableArn is not a valid ARN",
        export(T0),
        export(),
    ),
    _asked("transfer.table-arn-empty", "Invalid TableArn: Invalid Table ARN", export(""), export()),
    _asked("transfer.index-arn", "Invalid Request: Table ARN is invalid.", export(f"{TABLE_ARN}/index/by_g"), export()),
    refuses(
        "transfer.access-denied",
        export(FOREIGN),
        "Access is denied",
        code="AccessDeniedException",
        given=[ON],
        control=export(),
        name="table",
    ),
    _asked(
        "transfer.export-type-missing",
        "Invalid Request: Export Type expected to be Incremental Export when incremental export specification is "
        "provided",
        export(IncrementalExportSpecification=_INCREMENT),
        export(),
    ),
    _asked(
        "transfer.export-full-with-increment",
        "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be provided",
        export(ExportType="FULL_EXPORT", IncrementalExportSpecification=_INCREMENT),
        export(ExportType="FULL_EXPORT"),
    ),
    _asked(
        "transfer.export-increment-missing",
        "Invalid Request: Incremental Export Specification expected when export type is set as Incremental Export",
        export(ExportType="INCREMENTAL_EXPORT"),
        export(ExportType="FULL_EXPORT"),
    ),
    *(
        _asked(
            "transfer.export-from-missing",
            "Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification",
            export(ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=increment),
            export(),
            name=name,
        )
        for increment, name in (({}, "nothing"), ({"ExportToTime": LONG_AGO}, "only an end"))
    ),
    *(
        _asked(
            "transfer.export-key-without-kms",
            "Invalid Request: KMS Key Id is not supported for this encryption type",
            export(S3SseKmsKeyId="alias/k", **algorithm),
            export(S3SseKmsKeyId="alias/k", S3SseAlgorithm="KMS"),
            name=", ".join(algorithm.values()) or "none",
        )
        for algorithm in ({}, {"S3SseAlgorithm": "AES256"})
    ),
    refuses(
        "transfer.export-key",
        export(S3SseAlgorithm="KMS", S3SseKmsKeyId="not a key"),
        phrase="Invalid Request: 1 validation error detected: Value 'not a key' at 's3SseKmsKeyId' failed to satisfy "
        "constraint: Member must satisfy regular",
        given=[ON],
        control=export(S3SseAlgorithm="KMS", S3SseKmsKeyId="alias/aws/s3"),
    ),
    refuses(
        "transfer.export-prefix-empty",
        export(S3Prefix=""),
        phrase="3Prefix",
        given=[ON],
        control=export(S3Prefix="p"),
    ),
    _asked(
        "transfer.export-filter-empty",
        _EMPTY_FILTER,
        export(FilterSpecification={}),
        export(FilterSpecification={"ProjectionExpression": "v"}),
    ),
    *(
        refuses(
            "transfer.export-filter",
            export(FilterSpecification=filter),
            phrase="",
            given=[ON],
            control=export(FilterSpecification=_KEYED),
            name=name,
        )
        for filter, name in (
            ({"FilterExpression": "v >"}, "syntax"),
            ({"FilterExpression": "v > :v"}, "no value"),
            ({**_KEYED, "KeyConditionExpression": "pk > :pk"}, "no equality"),
            ({**_KEYED, "FilterExpression": "v > :v AND pk = :pk"}, "key in the filter"),
        )
    ),
    refuses(
        "backups.table-not-found",
        export(f"{TABLE_ARN}-gone"),
        f"Table not found: {TABLE_ARN}-gone",
        code="TableNotFoundException",
        given=[ON],
        control=export(),
        name="export",
    ),
    refuses(
        "backups.table-not-found",
        export(_ELSEWHERE),
        f"Table not found: {_ELSEWHERE}",
        code="TableNotFoundException",
        given=[ON],
        control=export(),
        name="export, the ARN of another Region",
    ),
    refuses(
        "backups.recovery-off",
        export(),
        f"Point in time recovery is not enabled for table '{T0}'",
        code="PointInTimeRecoveryUnavailableException",
        control=ON,
        name="export",
    ),
    refuses(
        "backups.recovery-off",
        export(ExportTime=LONG_AGO),
        f"Point in time recovery is not enabled for table '{T0}'",
        code="PointInTimeRecoveryUnavailableException",
        control=ON,
        name="export, before its time",
    ),
)


def _timed(
    rule: str, when: Step, control: Step, message: str | None = None, phrase: str | None = None, **more: float | str
) -> Check:
    """An export that is refused for a moment, two days after recovery was switched on unless said otherwise."""
    return refuses(
        rule,
        when,
        message,
        phrase=phrase,
        code="InvalidExportTimeException",
        given=[ON],
        control=control,
        pause=float(more.get("pause", 48 * HOUR)),
        name=str(more.get("name", "")),
    )


_DAY = 86_400
_GOOD = _window(0, 3_600)
_LENGTH = "Difference between export period from time and export period to time is"
_NO_RECOVERY = "Point in Time Recovery is not available for specified export time"

MOMENTS: tuple[Check, ...] = (
    _timed("transfer.export-time", export(ExportTime=LONG_AGO), export(), "Export Time is invalid", pause=0.0),
    _timed(
        "transfer.export-time",
        export(ExportTime=f"${{epoch:+{9 * _DAY}}}"),
        export(ExportTime=f"${{epoch:+{_DAY}}}"),
        "Export Time is invalid",
        name="to come",
    ),
    _timed(
        "transfer.export-time-fresh",
        export(ExportTime="${epoch:+3599}"),
        export(ExportTime="${epoch:+3300}"),
        _NO_RECOVERY,
        pause=HOUR,
    ),
    _timed(
        "transfer.export-from-creation",
        _window(-_DAY, 3_600),
        _GOOD,
        phrase="Incremental export period from time cannot be less than the table creation time : ",
    ),
    _timed(
        "transfer.export-from-creation",
        export(
            ExportType="INCREMENTAL_EXPORT",
            IncrementalExportSpecification={"ExportFromTime": LONG_AGO, "ExportToTime": 4_000_000_000},
        ),
        _GOOD,
        phrase="Incremental export period from time cannot be less than the table creation time : ",
        name="checked first",
    ),
    refuses(
        "transfer.export-from-early",
        _window(_DAY, _DAY + 3_600),
        phrase="",
        code="InvalidExportTimeException",
        given=[recovery(on=True, days=1)],
        control=_window(3 * _DAY, 3 * _DAY + 3_600),
        pause=72 * HOUR + 7_200.0,
    ),
    _timed(
        "transfer.export-to-future",
        _window(7_200, 14_400),
        _window(7_200, 10_800),
        phrase="Incremental export period to time cannot be greater than the current time : ",
        pause=3 * HOUR,
    ),
    _timed(
        "transfer.export-window-short", _window(0, 899), _window(0, 900), f"{_LENGTH} less than 15 minutes", pause=HOUR
    ),
    _timed("transfer.export-window-long", _window(0, _DAY + 1), _window(0, _DAY), phrase=_LENGTH),
    *(
        refuses(
            rule,
            _window(begin, 3_600),
            phrase=phrase,
            code="InvalidExportTimeException",
            control=ON,
            pause=2 * HOUR,
            name="without recovery",
        )
        for rule, begin, phrase in (
            ("transfer.export-from-creation", -3_600, "from time cannot be less than the table creation time : "),
            ("transfer.export-from-early", 0, ""),
        )
    ),
)

_PREFIXED = export(ClientToken="${token:a}", S3Prefix="p")
_DESCRIBED: Mapping[str, Json] = {
    "ExportStatus": "IN_PROGRESS",
    "TableArn": TABLE_ARN,
    "TableId": reply(0, "TableDescription.TableId"),
    "ClientToken": "${token:a}",
    "S3Bucket": BUCKET,
    "S3SseAlgorithm": "AES256",
    "ExportFormat": "DYNAMODB_JSON",
}
_UNFINISHED = ("EndTime", "ItemCount", "BilledSizeBytes", "ExportManifest", "FailureCode", "S3Prefix")
_INCREMENTAL = {"ExportFromTime": "${epoch:+0}", "ExportToTime": "${epoch:+3600}"}
_300 = [export() for _ in range(300)]


def _finished(
    name: str,
    has: Mapping[str, Json],
    *before: Step,
    lacks: Sequence[str] = (),
    needs: str = "bucket",
    **asked: Json,
) -> Check:
    """What DescribeExport tells of an export once it has ended."""
    given = [*before, ON, export(**asked)]
    return answers(
        "transfer.export-answer",
        told(reply(len(given), EXPORTED)),
        given=given,
        has=has,
        lacks=lacks,
        at="ExportDescription",
        needs=needs,
        pause=HOUR,
        name=name,
    )


ANSWERS: tuple[Check, ...] = (
    answers(
        "transfer.export-answer",
        export(ClientToken="${token:a}"),
        given=[ON],
        has=_DESCRIBED,
        lacks=("ExportType", *_UNFINISHED),
        at="ExportDescription",
        name="begun",
    ),
    answers(
        "transfer.export-answer",
        export(ExportType="FULL_EXPORT"),
        given=[ON],
        has={"ExportType": "FULL_EXPORT"},
        at="ExportDescription",
        name="the kind asked for",
    ),
    answers(
        "transfer.export-answer",
        told(reply(2, EXPORTED)),
        given=[ON, export()],
        has={
            "ExportStatus": "IN_PROGRESS",
            "ExportTime": reply(2, "ExportDescription.StartTime"),
            "StartTime": reply(2, "ExportDescription.StartTime"),
            "ClientToken": reply(2, "ExportDescription.ClientToken"),
        },
        lacks=_UNFINISHED,
        at="ExportDescription",
        needs="slow transfer",
        name="under way",
    ),
    answers(
        "transfer.export-answer",
        export(
            ExportFormat="ION",
            S3Prefix="p",
            S3SseAlgorithm="KMS",
            S3SseKmsKeyId="alias/k",
            FilterSpecification=_KEYED,
        ),
        given=[ON],
        has={
            "ExportFormat": "ION",
            "S3Prefix": "p",
            "S3SseAlgorithm": "KMS",
            "S3SseKmsKeyId": "alias/k",
            "FilterSpecification": _KEYED,
        },
        at="ExportDescription",
        name="echo",
    ),
    answers(
        "transfer.export-answer",
        export(ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=_INCREMENTAL),
        given=[ON],
        has={
            "ExportType": "INCREMENTAL_EXPORT",
            "IncrementalExportSpecification": {**_INCREMENTAL, "ExportViewType": "NEW_AND_OLD_IMAGES"},
        },
        lacks=("ExportTime",),
        at="ExportDescription",
        pause=HOUR,
        name="incremental",
    ),
    answers(
        "transfer.export-answer",
        _window(0, 900),
        given=[ON],
        has={"ExportStatus": "IN_PROGRESS"},
        at="ExportDescription",
        pause=HOUR,
        name="15 minutes",
    ),
    answers(
        "transfer.export-answer",
        _window(0, _DAY),
        given=[ON],
        has={"ExportStatus": "IN_PROGRESS"},
        at="ExportDescription",
        pause=48 * HOUR,
        name="24 hours",
    ),
    _finished("COMPLETED", {"ExportStatus": "COMPLETED", "ItemCount": 0}, lacks=("FailureCode",)),
    _finished("items", {"ExportStatus": "COMPLETED", "ItemCount": 2}, put(), put(item(pk=s("b")))),
    _finished(
        "filtered items",
        {"ItemCount": 1},
        put({"v": n(1)}),
        put(item(pk=s("b"), v=n(0))),
        FilterSpecification={"FilterExpression": "v > :v", "ExpressionAttributeValues": {":v": n(0)}},
    ),
    _finished(
        "a partition",
        {"ItemCount": 1},
        put({"v": n(1)}),
        put(item(pk=s("b"), v=n(1))),
        FilterSpecification=_KEYED,
    ),
    _finished(
        "no bucket",
        {"ExportStatus": "FAILED", "FailureCode": "S3NoSuchBucket"},
        lacks=("ItemCount", "ExportManifest"),
        needs="",
    ),
    _finished(
        "the bucket of another account",
        {"ExportStatus": "FAILED", "FailureCode": "S3AccessDenied"},
        S3BucketOwner="999999999999",
    ),
    _finished(
        "a key of another Region",
        {"ExportStatus": "FAILED", "FailureCode": "KmsNotFoundException", "S3SseAlgorithm": "KMS"},
        S3SseAlgorithm="KMS",
        S3SseKmsKeyId="arn:aws:kms:eu-west-1:400000000004:key/3b1a7419-d170-49d4-9a64-59dee41e3eea",
    ),
    answers(
        "transfer.export-answer",
        told(reply(2, EXPORTED)),
        given=[ON, export(), drop()],
        has={"ExportArn": reply(2, EXPORTED), "TableArn": TABLE_ARN},
        at="ExportDescription",
        name="outlives its table",
    ),
    answers(
        "transfer.export-answer",
        _PREFIXED,
        given=[ON, _PREFIXED],
        has={"ExportArn": reply(2, EXPORTED)},
        at="ExportDescription",
        name="the same token",
    ),
    answers(
        "transfer.export-answer",
        _PREFIXED,
        given=[ON, _PREFIXED],
        has={"ExportArn": reply(2, EXPORTED)},
        at="ExportDescription",
        pause=HOUR,
        name="the same token after its end",
    ),
    *(
        refuses(
            "transfer.export-conflict",
            changed,
            "Export conflict: Duplicate request detected with conflicting parameters",
            code="ExportConflictException",
            given=[ON, _PREFIXED],
            control=_PREFIXED,
            name=name,
        )
        for changed, name in (
            (export(ClientToken="${token:a}", S3Prefix="q"), "S3Prefix"),
            (export(ClientToken="${token:a}"), "no S3Prefix"),
            (export(ClientToken="${token:a}", S3Prefix="p", ExportFormat="ION"), "ExportFormat"),
        )
    ),
    refuses(
        "transfer.export-limit",
        export(),
        phrase="",
        code="LimitExceededException",
        given=[ON, *_300],
        control=describe(),
        needs="expensive slow transfer",
    ),
)


CHECKS: tuple[Check, ...] = (*SHAPES, *MOMENTS, *ANSWERS)
