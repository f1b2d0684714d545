"""What is true of the article's claims about capacity modes, streams, time to live and backups (parts F, L to P)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.checks.backups import ARN, MADE, back_up
from conformance.checks.backups_restores import T1, recover, restore
from conformance.checks.base import T0, Check, table
from conformance.checks.capacity import sized
from conformance.checks.settings import recovery
from conformance.checks.steps import (
    KEY,
    answers,
    claimed,
    delete,
    describe,
    get,
    item,
    n,
    partition,
    put,
    query,
    refuses,
    reply,
    s,
    scan,
    t_put,
    transact,
    update,
)
from conformance.checks.streams import iterator, records, shards, streaming
from conformance.checks.tables import UNITS, keyed
from conformance.checks.tables_update import change, units
from conformance.checks.transfer import FOREIGN, export
from conformance.checks.vectors import indexed, search, vector, vector_index
from conformance.checks.wire_constraints import create
from conformance.program import Step
from reference.api import AttributeValue, Json

_PROVISIONED: Mapping[str, Json] = {
    "t0": {**table(), "BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS},
}
_TO_REQUESTS = change(BillingMode="PAY_PER_REQUEST")
_TO_UNITS = change(BillingMode="PROVISIONED", **units(6))
_TOTAL: dict[str, Json] = {"ReturnConsumedCapacity": "TOTAL"}


def _costs(rule: str, step: Step, told: float, *given: Step, name: str = "") -> Check:
    cost: Json = {"TableName": T0, "CapacityUnits": told}
    asked = Step(step.operation, {**step.body, **_TOTAL})
    place = "ConsumedCapacity[0]" if step.operation.startswith("Transact") else "ConsumedCapacity"
    return answers(rule, asked, given=given, at=place, has=cost, name=name)


MODES: tuple[Check, ...] = (
    *claimed(
        "C47",
        answers(
            "tables.update-answer",
            _TO_REQUESTS,
            tables=_PROVISIONED,
            given=[_TO_REQUESTS, _TO_UNITS],
            at="TableDescription.BillingModeSummary",
            has={"BillingMode": "PAY_PER_REQUEST"},
            name="twice in a day",
        ),
        refuses(
            "tables.on-demand-switches",
            _TO_REQUESTS,
            phrase="",
            code="LimitExceededException",
            tables=_PROVISIONED,
            given=[step for _ in range(4) for step in (_TO_REQUESTS, _TO_UNITS)],
            control=describe(),
            name="a fifth time",
        ),
    ),
    *claimed(
        "C49",
        _costs("capacity.read-units", get(), 1.0, put(sized(4096)), name="read of 4 KB"),
        _costs("capacity.read-units", get(), 2.0, put(sized(4097)), name="read of more"),
        _costs("capacity.write-units", put(sized(1024)), 1.0, name="write of 1 KB"),
        _costs("capacity.write-units", put(sized(1025)), 2.0, name="write of more"),
    ),
    *claimed(
        "C50",
        refuses(
            "tables.units-unchanged",
            change(ProvisionedThroughput=UNITS),
            phrase="The provisioned throughput for the table will not change",
            tables=_PROVISIONED,
            control=change(**units(6)),
        ),
    ),
    *claimed(
        "C52",
        answers(
            "tables.description",
            describe(),
            at="Table.ProvisionedThroughput",
            has={"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        ),
    ),
    *claimed(
        "C60",
        _costs("capacity.read-units", get(), 1.0, put(), name="strongly"),
        _costs("capacity.read-units", get(ConsistentRead=False), 0.5, put(), name="eventually"),
    ),
    *claimed(
        "C61",
        _costs("capacity.write-units", put(), 1.0),
        _costs("capacity.transaction-units", transact(t_put()), 2.0, name="in a transaction"),
    ),
    *claimed(
        "C62",
        _costs("capacity.read-units", get(), 3.0, put(sized(8193)), name="one read, three units"),
    ),
    *claimed(
        "C71",
        refuses(
            "wire.value-min",
            keyed("pk:S", "pk:HASH", BillingMode="PROVISIONED", **units(0, 1)),
            phrase="Member must have value greater than or equal to 1",
            tables={},
            control=keyed("pk:S", "pk:HASH", BillingMode="PROVISIONED", **units(1, 1)),
        ),
    ),
    *claimed(
        "C232",
        refuses(
            "tables.units-on-demand",
            keyed("pk:S", "pk:HASH", BillingMode="PAY_PER_REQUEST", **units(1, 1)),
            phrase="can be specified when BillingMode is PAY_PER_REQUEST",
            tables={},
            control=keyed("pk:S", "pk:HASH", BillingMode="PAY_PER_REQUEST"),
        ),
    ),
    *claimed(
        "C240",
        answers(
            "tables.description",
            describe(),
            at="Table.ProvisionedThroughput",
            has={"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
            name="on demand",
        ),
        refuses(
            "wire.value-min",
            keyed("pk:S", "pk:HASH", BillingMode="PROVISIONED", **units(1, 0)),
            phrase="Member must have value greater than or equal to 1",
            tables={},
            control=keyed("pk:S", "pk:HASH", BillingMode="PROVISIONED", **units(1, 1)),
            name="provisioned",
        ),
    ),
    *claimed(
        "C275",
        refuses(
            "indexes.units-missing",
            create(
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "g")],
                BillingMode="PROVISIONED",
                ProvisionedThroughput=UNITS,
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": "by_g",
                        "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            ),
            phrase="",
            tables={},
            control=keyed("pk:S", "pk:HASH", BillingMode="PROVISIONED", ProvisionedThroughput=UNITS),
        ),
    ),
    *claimed(
        "C284",
        answers(
            "tables.description", describe(), at="Table.BillingModeSummary", has={"BillingMode": "PAY_PER_REQUEST"}
        ),
    ),
)

_SHARD = "StreamDescription.Shards[0].ShardId"
_NINE_DIGITS = "arn:aws:kinesis:us-east-1:123456789:stream/my-stream"
_KINESIS = "arn:aws:kinesis:us-east-1:000000000000:stream/my-stream"
_DESTINATIONS = Step("DescribeKinesisStreamingDestination", {"TableName": T0})


def _to_kinesis(arn: str) -> Step:
    return Step("EnableKinesisStreamingDestination", {"TableName": T0, "StreamArn": arn})


def _recorded(
    name: str,
    writes: Sequence[Step],
    at: str,
    *,
    rule: str = "streams.record-per-change",
    has: Mapping[str, Json] | None = None,
    lacks: Sequence[str] = (),
    view: str = "NEW_AND_OLD_IMAGES",
    tables: Mapping[str, Json] | None = None,
) -> Check:
    """What stands in the stream after some writes."""
    given = [*writes, shards(), iterator(reply(1 + len(writes), _SHARD))]
    when = records(reply(len(given), "ShardIterator"))
    return answers(
        rule, when, tables=tables or streaming(view), given=given, at=at, has=dict(has or {}), lacks=lacks, name=name
    )


_LIFE = [put({"v": n(1)}), put({"v": n(2)}), put({"v": n(2)}), delete()]
_OTHERS = [put({"pk": s("b")}), put({"v": n(1)}), put({"v": n(2)})]
_INDEXED_STREAM: Mapping[str, Json] = {
    "t0": {
        **table(gsi=["by_g=g:S"]),
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": UNITS,
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by_g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": UNITS,
            }
        ],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    }
}

STREAMS: tuple[Check, ...] = (
    *claimed(
        "C150",
        _recorded(
            "",
            [put({"v": n(i)}) for i in range(3)],
            "Records[2].dynamodb",
            has={"NewImage": item(v=n(2))},
            rule="streams.order",
        ),
    ),
    *claimed(
        "C151",
        *(
            _recorded(kind, _LIFE, f"Records[{place}]", has={"eventName": kind})
            for place, kind in enumerate(("INSERT", "MODIFY", "REMOVE"))
        ),
    ),
    *claimed(
        "C152",
        _recorded(
            "", _OTHERS, "Records[2].dynamodb", has={"Keys": KEY, "NewImage": item(v=n(2))}, rule="streams.order"
        ),
    ),
    *claimed(
        "C153",
        _recorded(
            "both",
            _LIFE,
            "Records[1].dynamodb",
            has={"OldImage": item(v=n(1)), "NewImage": item(v=n(2))},
            rule="streams.images",
        ),
        _recorded(
            "keys only",
            _LIFE,
            "Records[1].dynamodb",
            lacks=("OldImage", "NewImage"),
            view="KEYS_ONLY",
            rule="streams.images",
        ),
    ),
    *claimed(
        "C154",
        _recorded(
            "", [put()], "Records[0]", has={"eventName": "INSERT"}, lacks=("eventSourceARN",), rule="streams.record"
        ),
    ),
    *claimed(
        "C155",
        answers(
            "streams.description",
            shards(),
            tables=streaming(),
            given=[change(StreamSpecification={"StreamEnabled": False})],
            at="StreamDescription",
            has={"StreamStatus": "DISABLED"},
            name="still readable when it was switched off",
        ),
        refuses(
            "streams.not-found",
            shards(),
            phrase="Requested resource not found: Stream: ",
            code="ResourceNotFoundException",
            tables=streaming(),
            given=[change(StreamSpecification={"StreamEnabled": False})],
            control=describe(),
            pause=86_401.0,
            name="a day later it is gone",
        ),
    ),
    *claimed(
        "C157",
        answers(
            "streams.kinesis-answer",
            _to_kinesis(_KINESIS),
            body={
                "TableName": T0,
                "StreamArn": _KINESIS,
                "DestinationStatus": "ENABLING",
                "EnableKinesisStreamingConfiguration": {},
            },
            name="on a table without stream",
        ),
    ),
    *claimed(
        "C158",
        answers(
            "streams.kinesis-answer",
            _DESTINATIONS,
            given=[_to_kinesis(_NINE_DIGITS)],
            at="KinesisDataStreamDestinations[0]",
            has={"StreamArn": _NINE_DIGITS, "DestinationStatus": "ENABLE_FAILED"},
        ),
    ),
    *claimed(
        "C162",
        answers(
            "streams.lineage",
            shards(),
            tables=streaming(),
            at="StreamDescription.Shards[0]",
            lacks=("ParentShardId",),
            name="there from the start",
        ),
    ),
    *claimed(
        "C163",
        answers(
            "streams.description",
            shards(),
            tables=streaming(),
            given=[change(**units(50, 50))],
            at="StreamDescription",
            has={"StreamStatus": "ENABLED", "StreamViewType": "NEW_AND_OLD_IMAGES"},
            lacks=("LastEvaluatedShardId",),
            name="the same stream",
        ),
    ),
    *claimed(
        "C166",
        _recorded(
            "",
            [put({"g": s("x")}), put({"g": s("y")})],
            "Records[1].dynamodb",
            has={"Keys": KEY, "NewImage": item(g=s("y"))},
            tables=_INDEXED_STREAM,
        ),
    ),
    *claimed(
        "C167",
        *(
            _recorded(view, [put()], "Records[0].dynamodb", lacks=("NewImage",), view=view, rule="streams.images")
            for view in ("KEYS_ONLY", "OLD_IMAGE")
        ),
    ),
    *claimed(
        "C196",
        refuses(
            "wire.null",
            create(StreamSpecification={"StreamViewType": "NEW_AND_OLD_IMAGES"}),
            phrase="streamSpecification.streamEnabled' failed to satisfy constraint: Member must not be null",
            tables={},
            control=create(StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}),
        ),
    ),
    *claimed(
        "C198",
        refuses(
            "tables.exists",
            Step("CreateTable", table()),
            f"Table already exists: {T0}",
            code="ResourceInUseException",
            control=describe(),
        ),
    ),
)

_LATER: AttributeValue = n("${time:+2592000}")
_PAST: AttributeValue = n("${time:-3600}")


def _expiring(attribute: str = "TTL", *, on: bool = True) -> Step:
    return Step(
        "UpdateTimeToLive",
        {"TableName": T0, "TimeToLiveSpecification": {"Enabled": on, "AttributeName": attribute}},
    )


_TELL_TTL = Step("DescribeTimeToLive", {"TableName": T0})
_COUNTED = {"Count": 1, "ScannedCount": 1}


def _visible(claim: str) -> tuple[Check, ...]:
    """An item that has expired is an item like any other until it is deleted."""
    given = [_expiring(), put({"TTL": _PAST})]
    expired = item(TTL=_PAST)
    return claimed(
        claim,
        answers("ttl.expiry", get(), given=given, body={"Item": expired}, name="GetItem"),
        answers("ttl.expiry", partition(), given=given, body={"Items": [expired], **_COUNTED}, name="Query"),
        answers("ttl.expiry", scan(), given=given, body={"Items": [expired], **_COUNTED}, name="Scan"),
    )


def _in_backup(claim: str) -> tuple[Check, ...]:
    """An item that has expired, and is not deleted yet, is in a backup."""
    return claimed(
        claim,
        answers(
            "backups.restored",
            Step("Scan", {"TableName": T1, "Select": "COUNT"}),
            given=[_expiring(), put({"TTL": _PAST}), back_up(), restore(reply(3, MADE))],
            body=_COUNTED,
        ),
    )


TIME_TO_LIVE: tuple[Check, ...] = (
    *_visible("C171"),
    *claimed(
        "C174",
        answers(
            "ttl.answer",
            _expiring(),
            body={"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "TTL"}},
        ),
    ),
    *claimed(
        "C175",
        answers("values.round-trip", get(), given=[put({"TTL": _LATER})], body={"Item": item(TTL=_LATER)}),
        refuses(
            "expressions.reserved-word",
            update("SET TTL = :t", {"t": _LATER}),
            phrase="Attribute name is a reserved keyword; reserved keyword: TTL",
            control=update("SET #t = :t", {"t": _LATER}, ExpressionAttributeNames={"#t": "TTL"}),
            name="reserved word",
        ),
    ),
    *claimed(
        "C176",
        answers(
            "ttl.answer",
            _TELL_TTL,
            given=[put({"TTL": _LATER})],
            body={"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}},
        ),
    ),
    *claimed(
        "C177",
        answers(
            "ttl.answer",
            _TELL_TTL,
            given=[_expiring()],
            body={"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "TTL"}},
        ),
    ),
    *_in_backup("C181"),
    *_in_backup("C182"),
    *_visible("C185"),
    *claimed(
        "C186",
        answers(
            "ttl.answer",
            _expiring("g"),
            tables={"t0": table(gsi=["by_g=g:N"])},
            body={"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "g"}},
        ),
    ),
    *claimed(
        "C187",
        answers(
            "backups.restored",
            Step("DescribeTimeToLive", {"TableName": T1}),
            given=[_expiring(), back_up(), restore(reply(2, MADE))],
            body={"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}},
        ),
    ),
    *claimed(
        "C190",
        answers(
            "ttl.expiry",
            partition(
                FilterExpression="#t > :now",
                ExpressionAttributeNames={"#t": "TTL"},
                ExpressionAttributeValues={":now": n("${time:+0}")},
            ),
            given=[_expiring(), put({"TTL": _PAST})],
            body={"Items": [], "Count": 0, "ScannedCount": 1},
            name="filtered by the reader",
        ),
    ),
    *_visible("C238"),
)

_ON = recovery(on=True)
_OFF_TO_BEGIN = {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"}}
_JANUARY = 1_704_888_000
"""2024-01-10T12:00:00Z, the article's moment."""
_ABROAD = "arn:aws:dynamodb:eu-west-1:000000000000:table/t"
_MUST_ENCRYPT = "Invalid Request: sseSpecificationOverride must be provided for cross-region restores"
_RECOVERY = "ContinuousBackupsDescription.PointInTimeRecoveryDescription"

BACKUPS: tuple[Check, ...] = (
    *claimed(
        "C205",
        answers(
            "backups.restored",
            Step("GetItem", {"TableName": T1, "Key": KEY, "ConsistentRead": True}),
            given=[put({"v": n(1)}), back_up(), put({"v": n(2)}), restore(reply(2, MADE))],
            body={"Item": item(v=n(1))},
        ),
    ),
    *claimed(
        "C206",
        answers(
            "backups.states",
            back_up("Orders-backup-2024-01-15"),
            given=[back_up("Orders-backup-2024-01-15")],
            at="BackupDetails",
            has={"BackupName": "Orders-backup-2024-01-15", "BackupStatus": "CREATING", "BackupType": "USER"},
            name="names are not unique",
        ),
    ),
    *claimed(
        "C207",
        answers(
            "backups.description",
            Step("DescribeBackup", {"BackupArn": ARN}),
            given=[back_up()],
            at="BackupDescription.BackupDetails",
            has={"BackupArn": ARN, "BackupCreationDateTime": reply(1, "BackupDetails.BackupCreationDateTime")},
        ),
    ),
    *claimed(
        "C208",
        refuses(
            "wire.null",
            Step("RestoreTableFromBackup", {"TargetTableName": T1, "BackupARN": ARN}),
            phrase="backupArn' failed to satisfy constraint: Member must not be null",
            given=[back_up()],
            control=restore(),
        ),
    ),
    *claimed(
        "C209",
        answers(
            "backups.list",
            Step("ListBackups", {"TableName": T0}),
            given=[back_up()],
            at="BackupSummaries[0]",
            has={"BackupName": "b-1.a_z", "BackupStatus": "AVAILABLE", "BackupType": "USER"},
        ),
    ),
    *claimed(
        "C210",
        answers(
            "backups.description",
            _ON,
            at=_RECOVERY,
            has={"RecoveryPeriodInDays": 35},
            name="35 days unless said otherwise",
        ),
        answers(
            "backups.description",
            recovery(on=True, days=1),
            at=_RECOVERY,
            has={"RecoveryPeriodInDays": 1},
            name="a day",
        ),
        refuses(
            "wire.value-max",
            recovery(on=True, days=36),
            phrase="Member must have value less than or equal to 35",
            control=recovery(on=True, days=35),
            name="36 days",
        ),
    ),
    *claimed(
        "C211",
        answers("backups.description", _ON, at=_RECOVERY, has={"PointInTimeRecoveryStatus": "ENABLED"}),
    ),
    *claimed(
        "C212",
        answers(
            "backups.description",
            Step("DescribeContinuousBackups", {"TableName": T0}),
            at="ContinuousBackupsDescription",
            has=_OFF_TO_BEGIN,
        ),
    ),
    *claimed(
        "C213",
        refuses(
            "backups.restore-time",
            recover(UseLatestRestorableTime=None, RestoreDateTime=_JANUARY),
            phrase="RestoreDateTime '2024-01-10T12:00:00Z' must be within EarliestRestorableDateTime '",
            code="InvalidRestoreTimeException",
            given=[_ON],
            control=recover(),
        ),
    ),
    *claimed(
        "C214",
        refuses(
            "backups.restore-time",
            recover(UseLatestRestorableTime=None, RestoreDateTime="${epoch:-86400}"),
            phrase="' must be within EarliestRestorableDateTime '",
            code="InvalidRestoreTimeException",
            given=[_ON],
            control=recover(),
            name="before it was switched on",
        ),
    ),
    *claimed(
        "C216",
        refuses(
            "backups.target-exists",
            recover(TargetTableName=T0),
            f"Table already exists: {T0}",
            code="TableAlreadyExistsException",
            given=[_ON],
            control=recover(),
            name="a new table only",
        ),
    ),
    *claimed(
        "C220",
        refuses(
            "backups.restore-other-region",
            restore(f"{_ABROAD}/backup/01500000000000-12345678"),
            _MUST_ENCRYPT,
            given=[back_up()],
            control=restore(),
        ),
    ),
    *claimed(
        "C221",
        refuses(
            "backups.restore-other-region",
            recover(SourceTableName=None, SourceTableArn=_ABROAD),
            _MUST_ENCRYPT,
            given=[_ON],
            control=recover(),
        ),
    ),
    *claimed(
        "C222",
        answers("backups.description", recovery(on=True, days=7), at=_RECOVERY, has={"RecoveryPeriodInDays": 7}),
    ),
    *claimed(
        "C224",
        refuses(
            "backups.recovery-off",
            export(S3Prefix="exports/", ExportFormat="DYNAMODB_JSON"),
            phrase="Point in time recovery is not enabled for table '",
            code="PointInTimeRecoveryUnavailableException",
            control=_ON,
        ),
    ),
    *claimed(
        "C225",
        refuses(
            "transfer.export-time",
            export(ExportTime=_JANUARY),
            "Export Time is invalid",
            code="InvalidExportTimeException",
            given=[_ON],
            control=export(),
        ),
        refuses(
            "transfer.access-denied",
            export(FOREIGN),
            "Access is denied",
            code="AccessDeniedException",
            given=[_ON],
            control=export(),
            name="another account",
        ),
    ),
)

_VECTORS = indexed(vector_index())

EXTRAS: tuple[Check, ...] = (
    *claimed(
        "C245",
        answers(
            "vectors.results",
            search(1, 0, 0),
            tables=_VECTORS,
            given=[put({"e": vector(1, 0, 0)})],
            at="SearchResults[0]",
            has={"Score": 0.0},
            name="vectors",
        ),
        refuses(
            "expressions.key-condition-operator",
            query("contains(pk, :text)", {"text": s("x")}),
            phrase="Invalid operator used in KeyConditionExpression",
            control=query("pk = :text", {"text": s("x")}),
            name="no text search",
        ),
    ),
)

CHECKS: tuple[Check, ...] = (*MODES, *STREAMS, *TIME_TO_LIVE, *BACKUPS, *EXTRAS)
