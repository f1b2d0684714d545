"""Checks of bulk operations. A check that needs a bucket finds ``transfer.OBJECTS`` in it."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.checks.base import T0, Check
from conformance.checks.steps import answers, describe, get, item, n, put, refuses, reply, s
from conformance.checks.tables import GONE
from conformance.checks.tables_update import adding, change
from conformance.checks.transfer import BUCKET, HOUR, TABLE_ARN
from conformance.program import Step
from reference.api import Json

_ARN = "BulkOperationDescription.BulkOperationArn"


def _start(prefix: str = "json/", name: str = T0, bucket: str = BUCKET, **members: Json) -> Step:
    """StartBulkPutItems of objects into the check's table."""
    source = {"S3Bucket": bucket, "S3KeyPrefix": prefix, "InputFormat": "DYNAMODB_JSON"}
    output = {"S3Bucket": bucket, "OutputType": ["ERROR"]}
    return Step(
        "StartBulkPutItems",
        {"TableName": name, "InputS3Configuration": source, "OutputS3Configuration": output, **members},
    )


def _told(arn: str = reply(1, _ARN)) -> Step:
    return Step("DescribeBulkOperation", {"BulkOperationArn": arn})


def _cancel(arn: str = reply(1, _ARN)) -> Step:
    return Step("CancelBulkOperation", {"BulkOperationArn": arn})


def _list(**members: Json) -> Step:
    return Step("ListBulkOperations", members)


_TOKENED = _start(ClientToken="${token:a}")
_UNMADE = f"{TABLE_ARN}/bulk-operation/01500000000000-12345678"
_LISTED = "BulkOperationsSummaryList"


def _done(name: str, has: Mapping[str, Json], *given: Step, needs: str = "bucket") -> Check:
    """What DescribeBulkOperation tells of an operation that has ended; it is the last of ``given``."""
    return answers(
        "bulk.answer",
        _told(reply(len(given), _ARN)),
        given=given,
        has=has,
        at="BulkOperationDescription",
        needs=needs,
        pause=HOUR,
        name=name,
    )


def _put(name: str, key: str, has: Mapping[str, Json], *given: Step) -> Check:
    """An item of the table once an operation has ended."""
    return answers(
        "bulk.answer", get({"pk": s(key)}), given=given, body={"Item": has}, needs="bucket", pause=HOUR, name=name
    )


CHECKS: tuple[Check, ...] = (
    answers(
        "bulk.answer",
        _start(ClientToken="${token:a}", MaxWriteRequestUnits=1024),
        has={
            "BulkOperationStatus": "IN_PROGRESS",
            "ClientToken": "${token:a}",
            "PerformanceTier": "STANDARD",
            "MaxWriteRequestUnits": 1024,
        },
        lacks=("EndTime", "TotalInputBytes", "FailureCode"),
        at="BulkOperationDescription",
        name="begun",
    ),
    answers(
        "bulk.answer",
        _told(),
        given=[_start()],
        has={"BulkOperationStatus": "IN_PROGRESS", "BulkOperationArn": reply(1, _ARN)},
        lacks=("EndTime", "FailureCode"),
        at="BulkOperationDescription",
        needs="slow transfer",
        name="under way",
    ),
    answers(
        "bulk.answer",
        _cancel(),
        given=[_start()],
        has={"BulkOperationArn": reply(1, _ARN), "BulkOperationStatus": "CANCELLING"},
        needs="slow transfer",
        name="cancelled, the answer",
    ),
    answers(
        "bulk.answer",
        _told(),
        given=[_start(), _cancel()],
        has={"BulkOperationStatus": "CANCELLED"},
        at="BulkOperationDescription",
        needs="bucket slow transfer",
        pause=2 * HOUR,
        name="cancelled",
    ),
    answers(
        "bulk.answer",
        _TOKENED,
        given=[_TOKENED],
        has={"BulkOperationArn": reply(1, _ARN)},
        at="BulkOperationDescription",
        name="the same token",
    ),
    _done("COMPLETED", {"BulkOperationStatus": "COMPLETED", "ProcessedItemCount": 2, "FailedItemCount": 0}, _start()),
    _done(
        "faults",
        {"BulkOperationStatus": "COMPLETED_WITH_ERRORS", "ProcessedItemCount": 3, "FailedItemCount": 2},
        _start("faulty/"),
    ),
    _done(
        "failed conditions are no faults",
        {"BulkOperationStatus": "COMPLETED", "ProcessedItemCount": 2, "FailedItemCount": 0},
        put(),
        _start("conditional/"),
    ),
    _done("no bucket", {"BulkOperationStatus": "FAILED"}, _start(), needs=""),
    _put("puts", "a", item(v=n(1)), _start()),
    _put("replaces whole items", "a", item(v=n(1)), put({"w": n(2)}), _start()),
    _put("what a condition refuses stays", "a", item(w=n(2)), put({"w": n(2)}), _start("conditional/")),
    _put("what a condition lets pass is put", "b", item(pk=s("b")), put(), _start("conditional/")),
    answers(
        "bulk.list",
        _list(MaxResults=1),
        given=[_start(), _start()],
        has={
            "BulkOperationArn": reply(2, _ARN),
            "BulkOperationStatus": "IN_PROGRESS",
            "StartTime": reply(2, "BulkOperationDescription.StartTime"),
        },
        lacks=("EndTime",),
        at=f"{_LISTED}[0]",
        needs="slow transfer",
        name="the newest first",
    ),
    answers(
        "bulk.list",
        _list(MaxResults=1, NextToken=reply(3, "NextToken")),
        given=[_start(), _start(), _list(MaxResults=1)],
        has={"BulkOperationArn": reply(1, _ARN)},
        at=f"{_LISTED}[0]",
        needs="slow transfer",
        name="pages",
    ),
    answers(
        "bulk.list",
        _list(NextToken=reply(12, "NextToken")),
        given=[*(_start() for _ in range(11)), _list()],
        has={"BulkOperationArn": reply(1, _ARN)},
        at=f"{_LISTED}[0]",
        name="ten at a time",
    ),
    answers(
        "bulk.list",
        _list(),
        given=[_start()],
        body={_LISTED: []},
        pause=91 * 24 * HOUR,
        name="90 days",
    ),
    refuses(
        "bulk.token-mismatch",
        _start("other/", ClientToken="${token:a}"),
        phrase="",
        code="IdempotentParameterMismatchException",
        given=[_TOKENED],
        control=_TOKENED,
    ),
    refuses(
        "bulk.table-busy",
        _start(),
        phrase="",
        code="ResourceInUseException",
        control=describe(),
        needs="slow create",
        name="being created",
    ),
    refuses(
        "bulk.table-busy",
        _start(),
        phrase="",
        code="ResourceInUseException",
        given=[change(**adding())],
        control=describe(),
        needs="slow backfill",
        name="an index being made",
    ),
    refuses(
        "tables.not-found",
        _start(name=GONE),
        phrase="",
        code="ResourceNotFoundException",
        control=_start(),
        name="StartBulkPutItems",
    ),
    refuses(
        "wire.value-min",
        _start(MaxWriteRequestUnits=1023),
        phrase="failed to satisfy constraint: Member must have value greater than or equal to 1024",
        control=_start(MaxWriteRequestUnits=1024),
        name="MaxWriteRequestUnits",
    ),
    *(
        refuses(
            "bulk.arn-malformed",
            step,
            phrase="",
            given=[_start()],
            control=_told(),
            name=step.operation,
        )
        for step in (_told(TABLE_ARN), _cancel(TABLE_ARN))
    ),
    *(
        refuses(
            "bulk.not-found",
            step,
            phrase="",
            code="ResourceNotFoundException",
            given=[_start()],
            control=_told(),
            name=step.operation,
        )
        for step in (_told(_UNMADE), _cancel(_UNMADE))
    ),
)
