"""Checks of imports from buckets. A check that needs a bucket finds ``transfer.OBJECTS`` in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

from conformance.checks.backups_restores import T1
from conformance.checks.base import T0, Check, table
from conformance.checks.steps import ENVELOPE, INVALID, answers, describe, item, n, put, refuses, reply, s
from conformance.checks.tables import ELSEWHERE, UNITS, drop
from conformance.checks.transfer import BUCKET, HOUR, ON, TABLE_ARN, export
from conformance.program import Step
from reference.api import Json

_ARN = "ImportTableDescription.ImportArn"
_NEW = {**table(), "TableName": T1}
_NONE: Mapping[str, Json] = {}
_TOKENS = count(1)


def load(prefix: str = "json/", kind: str = "DYNAMODB_JSON", name: str = T1, **members: Json) -> Step:
    """ImportTable of objects into the second table; ``new`` are further members of its definition.

    Each has a token of its own unless told otherwise: a request must have one.
    """
    created = {**_NEW, "TableName": name, **members.pop("new", {})}
    source = {"S3Bucket": members.pop("bucket", BUCKET), "S3KeyPrefix": prefix}
    body = {"S3BucketSource": source, "InputFormat": kind, "TableCreationParameters": created}
    return Step("ImportTable", {"ClientToken": f"${{token:i{next(_TOKENS)}}}", **body, **members})


def _told(arn: str = reply(0, _ARN)) -> Step:
    return Step("DescribeImport", {"ImportArn": arn})


_TYPES = [*_NEW["AttributeDefinitions"], {"AttributeName": "g", "AttributeType": "S"}]
_BY_G = {
    "IndexName": "by_g",
    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}

REFUSED: tuple[Check, ...] = (
    refuses(
        "wire.null",
        load(ClientToken=None),
        f"{ENVELOPE}Value null at 'clientToken' failed to satisfy constraint: Member must not be null",
        tables=_NONE,
        control=load(),
        name="a token of an import",
    ),
    refuses(
        "transfer.import-options",
        load(InputFormatOptions={"Csv": {"Delimiter": ";"}}),
        "Invalid Request: Unsupported InputFormatOptions for the given input format: DYNAMODB_JSON.",
        tables=_NONE,
        control=load(kind="CSV", InputFormatOptions={"Csv": {"Delimiter": ";"}}),
        name="DYNAMODB_JSON",
    ),
    refuses(
        "transfer.import-options",
        load(kind="ION", InputFormatOptions={"Csv": {"HeaderList": ["pk"]}}),
        "Invalid Request: Unsupported InputFormatOptions for the given input format: ION.",
        tables=_NONE,
        control=load(kind="CSV", InputFormatOptions={"Csv": {"HeaderList": ["pk"]}}),
        name="ION",
    ),
    refuses(
        "tables.units-missing",
        load(new={"BillingMode": "PROVISIONED"}),
        f"{INVALID}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        tables=_NONE,
        control=load(new={"BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS}),
        name="ImportTable",
    ),
    refuses(
        "tables.sse-key-elsewhere",
        load(new={"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": ELSEWHERE}}),
        phrase="KMS validation error: com.amazonaws.services.kms.model.NotFoundException: Invalid arn eu-west-1",
        tables=_NONE,
        control=load(),
        name="ImportTable",
    ),
    refuses(
        "tables.exists",
        load(name=T0),
        f"Table already exists: {T0}",
        code="ResourceInUseException",
        control=load(),
        name="ImportTable",
    ),
    refuses(
        "tables.exists",
        load(name=T0),
        f"Table already exists: {T0}",
        code="ResourceInUseException",
        given=[drop()],
        control=load(),
        needs="slow delete",
        name="ImportTable, being deleted",
    ),
    refuses(
        "transfer.import-conflict",
        load(name=T0, ClientToken="${token:a}"),
        "Import conflict: Duplicate request detected with conflicting parameters",
        code="ImportConflictException",
        tables=_NONE,
        given=[load(ClientToken="${token:a}")],
        control=load(ClientToken="${token:a}"),
        needs="slow transfer",
    ),
    refuses(
        "tables.exists",
        load(ClientToken="${token:a}"),
        f"Table already exists: {T1}",
        code="ResourceInUseException",
        tables=_NONE,
        given=[load(ClientToken="${token:a}")],
        control=_told(),
        needs="bucket",
        pause=HOUR,
        name="ImportTable with the token of one that is done",
    ),
    refuses(
        "transfer.import-limit",
        load(name="dynoracle-51"),
        phrase="",
        code="LimitExceededException",
        tables=_NONE,
        given=[load(name=f"dynoracle-{number:02}") for number in range(50)],
        control=Step("ListTables", {}),
        needs="expensive slow transfer",
    ),
)

_TOKENED = load(ClientToken="${token:a}")


def _counts(processed: int, imported: int, errors: int = 0) -> dict[str, Json]:
    return {"ProcessedItemCount": processed, "ImportedItemCount": imported, "ErrorCount": errors}


_EXPIRING: dict[str, Json] = {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "until"}}
_RECOVERING: dict[str, Json] = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}


def _done(name: str, has: Mapping[str, Json], step: Step, *, needs: str = "bucket", lacks: Sequence[str] = ()) -> Check:
    """What DescribeImport tells of an import once it has ended."""
    return answers(
        "transfer.import-answer",
        _told(),
        tables=_NONE,
        given=[step],
        has=has,
        lacks=lacks,
        at="ImportTableDescription",
        needs=needs,
        pause=HOUR,
        name=name,
    )


def _loaded(name: str, key: str, found: Mapping[str, Json] | None, step: Step) -> Check:
    """An item of the imported table, or that it is not there."""
    read = Step("GetItem", {"TableName": T1, "Key": {"pk": s(key)}, "ConsistentRead": True})
    body: dict[str, Json] = {} if found is None else {"Item": found}
    return answers(
        "transfer.import-answer",
        read,
        tables=_NONE,
        given=[step],
        body=body,
        needs="bucket",
        pause=HOUR,
        name=name,
    )


_FAULTS = (
    "Some of the items failed validation checks and were not imported. Please check CloudWatch error logs for more "
    "details."
)
_GONE = f"Requested resource not found: Table: {T1} not found"

ANSWERS: tuple[Check, ...] = (
    answers(
        "transfer.import-answer",
        _TOKENED,
        tables=_NONE,
        has={
            "ImportStatus": "IN_PROGRESS",
            "ClientToken": "${token:a}",
            "InputFormat": "DYNAMODB_JSON",
            "InputCompressionType": "NONE",
            "TableCreationParameters": _NEW,
        },
        lacks=("EndTime", "FailureCode", "InputFormatOptions", "ProcessedSizeBytes"),
        at="ImportTableDescription",
        name="begun",
    ),
    answers(
        "transfer.import-answer",
        load(kind="CSV", InputFormatOptions={"Csv": {"Delimiter": ";"}}, InputCompressionType="GZIP"),
        tables=_NONE,
        has={
            "InputFormat": "CSV",
            "InputFormatOptions": {"Csv": {"Delimiter": ";"}},
            "InputCompressionType": "GZIP",
        },
        at="ImportTableDescription",
        name="echo",
    ),
    answers(
        "transfer.import-answer",
        _told(),
        tables=_NONE,
        given=[load()],
        has={
            "ImportStatus": "IN_PROGRESS",
            "TableArn": reply(0, "ImportTableDescription.TableArn"),
            "TableId": reply(0, "ImportTableDescription.TableId"),
            "StartTime": reply(0, "ImportTableDescription.StartTime"),
        },
        lacks=("EndTime", "FailureCode"),
        at="ImportTableDescription",
        needs="slow transfer",
        name="under way",
    ),
    refuses(
        "tables.not-found",
        Step("DescribeTable", {"TableName": T1}),
        _GONE,
        code="ResourceNotFoundException",
        given=[load()],
        control=describe(),
        needs="slow transfer",
        name="being imported, not there yet",
    ),
    answers(
        "transfer.import-answer",
        _TOKENED,
        tables=_NONE,
        given=[_TOKENED],
        has={"ImportArn": reply(0, _ARN)},
        at="ImportTableDescription",
        needs="slow transfer",
        name="the same token",
    ),
    answers(
        "transfer.import-answer",
        load("prefix/", ClientToken="${token:a}"),
        tables=_NONE,
        given=[_TOKENED],
        has={"ImportArn": reply(0, _ARN)},
        at="ImportTableDescription",
        needs="slow transfer",
        name="the same token, another prefix",
    ),
    answers(
        "transfer.import-answer",
        _told(reply(1, _ARN)),
        tables=_NONE,
        given=[load(), load()],
        has={"ImportStatus": "FAILED", "FailureCode": "TableAlreadyExists"},
        at="ImportTableDescription",
        needs="bucket slow transfer",
        pause=3 * HOUR,
        name="two of one name",
    ),
    _done("COMPLETED", {"ImportStatus": "COMPLETED", **_counts(2, 2)}, load(), lacks=("FailureCode",)),
    _done(
        "no such bucket",
        {"ImportStatus": "FAILED", "FailureCode": "S3NoSuchBucket"},
        load(bucket="dynoracle-no-such-bucket"),
        needs="",
    ),
    refuses(
        "tables.not-found",
        Step("DescribeTable", {"TableName": T1}),
        _GONE,
        code="ResourceNotFoundException",
        given=[load(bucket="dynoracle-no-such-bucket")],
        control=describe(),
        pause=HOUR,
        name="import from no bucket",
    ),
    _done("nothing there", {"ImportStatus": "COMPLETED", **_counts(0, 0)}, load("nothing/")),
    answers(
        "transfer.import-answer",
        Step("Scan", {"TableName": T1}),
        tables=_NONE,
        given=[load("nothing/")],
        body={"Items": [], "Count": 0, "ScannedCount": 0},
        needs="bucket",
        pause=HOUR,
        name="nothing there, the table",
    ),
    _done("a prefix is the beginning of a key", _counts(2, 2), load("prefix")),
    _done("one folder", _counts(1, 1), load("prefix/")),
    _done("one object", _counts(2, 2), load("json/1")),
    _done("without newlines", {"ImportStatus": "COMPLETED", **_counts(2, 2)}, load("joined/")),
    _done("one key twice", {"ImportStatus": "COMPLETED", "ProcessedItemCount": 2, "ErrorCount": 0}, load("twice/")),
    _done(
        "faults",
        {
            "ImportStatus": "FAILED",
            "FailureCode": "ItemValidationError",
            "FailureMessage": _FAULTS,
            **_counts(3, 1, 2),
        },
        load("faulty/"),
    ),
    _done(
        "not compressed as was said",
        {"ImportStatus": "FAILED", "FailureCode": "ItemValidationError"},
        load(InputCompressionType="GZIP"),
    ),
    _loaded("sound items stay", "a", item(), load("faulty/")),
    _loaded("DYNAMODB_JSON", "a", item(v=n(1)), load()),
    _loaded("ION", "a", {"pk": s("a"), "n": n(1), "t": {"SS": ["x"]}}, load("ion/", "ION")),
    _loaded("CSV, an empty column", "a", item(v=s("1")), load("csv/", "CSV")),
    _loaded("CSV, quotes", "b", {"pk": s("b"), "v": s('x "y", z'), "w": s("2")}, load("csv/", "CSV")),
    _loaded(
        "CSV, a key that is a number",
        "b",
        {"pk": s("b"), "v": n(2)},
        load(
            "bare/",
            "CSV",
            InputFormatOptions={"Csv": {"Delimiter": ";", "HeaderList": ["pk", "v"]}},
            new={
                "AttributeDefinitions": [*_NEW["AttributeDefinitions"], {"AttributeName": "v", "AttributeType": "N"}],
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "by_v",
                        "KeySchema": [{"AttributeName": "v", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            },
        ),
    ),
    _loaded(
        "CSV, the first line is data",
        "a",
        item(v=s("1")),
        load("bare/", "CSV", InputFormatOptions={"Csv": {"Delimiter": ";", "HeaderList": ["pk", "v"]}}),
    ),
    answers(
        "transfer.import-answer",
        Step("DescribeTable", {"TableName": T1}),
        given=[load()],
        has={"TableName": T1, "TableStatus": "CREATING"},
        at="Table",
        needs="bucket slow transfer",
        pause=HOUR / 2,
        name="the table meanwhile",
    ),
    *(
        refuses(
            rule,
            Step(operation, {"TableName": T1, **members}),
            phrase="",
            code=code,
            given=[load()],
            control=Step(operation, {"TableName": T0, **members}),
            needs="bucket slow transfer",
            pause=HOUR / 2,
            name=f"{operation}, being imported",
        )
        for rule, operation, members, code in (
            ("tables.being-created", "DeleteTable", {}, "ResourceInUseException"),
            ("items.table-missing", "PutItem", {"Item": item()}, "ResourceNotFoundException"),
            ("ttl.table-being-created", "UpdateTimeToLive", _EXPIRING, "ResourceInUseException"),
            ("backups.not-yet", "CreateBackup", {"BackupName": "b-1"}, "ContinuousBackupsUnavailableException"),
            ("backups.not-yet", "UpdateContinuousBackups", _RECOVERING, "ContinuousBackupsUnavailableException"),
        )
    ),
    answers(
        "backups.recovery-window",
        Step("DescribeContinuousBackups", {"TableName": T1}),
        given=[load()],
        has={"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"}},
        at="ContinuousBackupsDescription",
        needs="bucket slow transfer",
        pause=HOUR / 2,
        name="being imported",
    ),
    answers(
        "transfer.import-answer",
        Step("DescribeTable", {"TableName": T1}),
        tables=_NONE,
        given=[load(new={"AttributeDefinitions": _TYPES, "GlobalSecondaryIndexes": [_BY_G]})],
        has={"IndexName": "by_g", "IndexStatus": "ACTIVE"},
        at="Table.GlobalSecondaryIndexes[0]",
        needs="bucket",
        pause=HOUR,
        name="indexes",
    ),
    answers(
        "transfer.import-answer",
        _told(reply(4, _ARN)),
        given=[put(), ON, export(S3Prefix="exported"), load("exported/", InputCompressionType="GZIP")],
        has={"ImportStatus": "FAILED", "FailureCode": "ItemValidationError"},
        at="ImportTableDescription",
        needs="bucket",
        pause=HOUR,
        name="the root of an export",
    ),
)


def _list(**members: Json) -> Step:
    return Step("ListImports", {**members})


_IMPORTED = reply(0, "ImportTableDescription.TableArn")
_OF_IT = _list(TableArn=_IMPORTED)
_LISTED = "ImportSummaryList"
_UNMADE = f"{TABLE_ARN}/import/01500000000000-12345678"
_TOKEN = "0" * 112
_SUMMARY: Mapping[str, Json] = {
    "ImportArn": reply(0, _ARN),
    "ImportStatus": "IN_PROGRESS",
    "TableArn": _IMPORTED,
    "InputFormat": "DYNAMODB_JSON",
    "StartTime": reply(0, "ImportTableDescription.StartTime"),
}

NAMING: tuple[Check, ...] = (
    *(
        refuses(
            "transfer.import-arn",
            _told(arn),
            "Invalid Import ARN",
            given=[load()],
            control=_told(reply(1, _ARN)),
            name=name,
        )
        for arn, name in (
            (TABLE_ARN, "the ARN of a table"),
            ("x" * 37, "no ARN"),
            ("arn:aws:dynamodb:us-east-1:400000000004:table/x/import/01500000000000-12345678", "a name too short"),
        )
    ),
    refuses(
        "transfer.import-not-found",
        _told(_UNMADE),
        phrase="",
        code="ImportNotFoundException",
        given=[load()],
        control=_told(reply(1, _ARN)),
    ),
    answers(
        "transfer.import-list",
        _OF_IT,
        tables=_NONE,
        given=[load()],
        has=_SUMMARY,
        lacks=("EndTime",),
        at=f"{_LISTED}[0]",
        needs="slow transfer",
        name="summary",
    ),
    answers(
        "transfer.import-list",
        _OF_IT,
        tables=_NONE,
        given=[load(), load()],
        has={"ImportArn": reply(1, _ARN)},
        at=f"{_LISTED}[0]",
        needs="slow transfer",
        name="the newest first",
    ),
    answers(
        "transfer.import-list",
        _list(TableArn=_IMPORTED, PageSize=1, NextToken=reply(2, "NextToken")),
        tables=_NONE,
        given=[load(), load(), _list(TableArn=_IMPORTED, PageSize=1)],
        has={"ImportArn": reply(0, _ARN)},
        at=f"{_LISTED}[0]",
        needs="slow transfer",
        name="pages",
    ),
    answers(
        "transfer.import-list",
        _list(TableArn=_IMPORTED, PageSize=1, NextToken=reply(2, "NextToken")),
        tables=_NONE,
        given=[load(), load(), _list(TableArn=_IMPORTED, PageSize=1)],
        lacks=("NextToken",),
        needs="slow transfer",
        name="the last page",
    ),
    answers(
        "transfer.import-list",
        _OF_IT,
        tables=_NONE,
        given=[load()],
        body={_LISTED: []},
        pause=91 * 24 * HOUR,
        name="90 days",
    ),
    refuses(
        "transfer.next-token",
        _list(NextToken=_TOKEN),
        f"Invalid Request: Provided nextToken is invalid: {_TOKEN}",
        control=_list(),
        name="ListImports",
    ),
)

RACES: tuple[Check, ...] = (
    answers(
        "transfer.import-race",
        _told(reply(1, _ARN)),
        tables=_NONE,
        given=[load(), load()],
        needs="bucket slow transfer",
        pause=HOUR / 2,
        at="ImportTableDescription",
        has={"ImportStatus": "FAILED", "FailureCode": "TableAlreadyExists"},
        name="the second",
    ),
    answers(
        "transfer.import-race",
        load(),
        tables=_NONE,
        given=[load()],
        needs="bucket slow transfer",
        at="ImportTableDescription",
        has={"ImportStatus": "IN_PROGRESS"},
        name="both are taken",
    ),
)

CHECKS: tuple[Check, ...] = (*RACES, *REFUSED, *ANSWERS, *NAMING)
