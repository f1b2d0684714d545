"""Bugs of backups, exports, imports, bulk puts, vector indexes and settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.checks.backups import back_up
from conformance.checks.base import T0, table
from conformance.checks.settings import recovery
from conformance.checks.steps import item, put, reply, s, update
from conformance.checks.vectors import indexed, search, vector, vector_index
from conformance.program import BUCKET, Step
from reference.api import Call, Json, Reply, Success
from reference.backups.store import backups
from reference.operations import backups as backing
from reference.operations import bulk, exports, imports, restores
from reference.operations import policies as policing
from reference.operations import tags as tagging
from reference.operations import vectors as searching
from reference.service import Service
from reference.tables.table import Table
from reference.vectors import distance, entries
from tests.planted.base import Body, Executes, Plant, answers, asks, originals, patched, plant

T1 = "${table:t1}"
ARN = reply(0, "TableDescription.TableArn")
_PLAIN = {"t0": table()}
_INDEXED = {"t0": table(gsi=["by-g=g:S"])}
_BACKUP = "BackupDetails.BackupArn"


def _restore(op: int, **members: Json) -> Step:
    return Step("RestoreTableFromBackup", {"TargetTableName": T1, "BackupArn": reply(op, _BACKUP), **members})


def _scan(name: str = T1, **members: Json) -> Step:
    return Step("Scan", {"TableName": name, "ConsistentRead": True, **members})


_LIST = Step("ListBackups", {"TableName": T0})
_RECOVERY = Step("DescribeContinuousBackups", {"TableName": T0})

# Backups


class _Present:
    """A restored table has the items that its source has now."""

    def __init__(self, service: Service, operation: str) -> None:
        self.service, self.operation = service, operation

    def execute(self, call: Call) -> Reply:
        answer = self.service.execute(call)
        if call.operation != self.operation or not isinstance(answer, Success):
            return answer
        made = self.service.account.tables[call.body["TargetTableName"]]
        source = self.service.account.any_table(answer.body["TableDescription"]["RestoreSummary"]["SourceTableArn"])
        if source is not None:
            for index in made.indexes.values():
                index.view.rows.clear()
            made.load(source)
        return answer


def _without_indexes(source: Table, body: Any) -> Any:
    """A restore has no global indexes."""
    return (yield from _HONEST_RESTORE.creation(source, {**body, "GlobalSecondaryIndexOverride": []}))


_HONEST_RESTORE = originals(restores.restore)


def _unfilled(self: Table, source: Table) -> None:
    """The indexes of a restored table are empty."""
    self.view, self.size = source.view.copy(), source.size


class _Undeleted:
    """Backups that were deleted are still listed."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.gone: list[Body] = []

    def execute(self, call: Call) -> Reply:
        if call.operation == "DeleteBackup":
            held = [each for each in backups(self.service.account.rooms) if each.arn == call.body.get("BackupArn")]
            self.gone += [backing.describe.summary(each) for each in held]
        answer = self.service.execute(call)
        if call.operation == "ListBackups" and isinstance(answer, Success):
            return Success({**answer.body, "BackupSummaries": [*answer.body["BackupSummaries"], *self.gone]})
        return answer


def _always_35(body: Body) -> Body:
    """The period is left out of requests."""
    wanted = body["PointInTimeRecoverySpecification"]
    kept = {name: value for name, value in wanted.items() if name != "RecoveryPeriodInDays" or value != 7}
    return {**body, "PointInTimeRecoverySpecification": kept}


def _window_stays(service: Service, call: Call, body: Body) -> Body:
    """A table whose recovery is off still tells a window."""
    told = dict(body["ContinuousBackupsDescription"])
    inner = {"EarliestRestorableDateTime": 1.0, "LatestRestorableDateTime": 1.0}
    told["PointInTimeRecoveryDescription"] = inner | told["PointInTimeRecoveryDescription"]
    return {"ContinuousBackupsDescription": told}


def _plain_backup(service: Service, call: Call, body: Body) -> Body:
    """A backup tells nothing of the table's indexes."""
    return {"BackupDescription": {**body["BackupDescription"], "SourceTableFeatureDetails": {}}}


# Exports, imports, bulk puts

_EXPORT = Step("ExportTableToPointInTime", {"TableArn": ARN, "S3Bucket": BUCKET})


def _data(op: int) -> str:
    return f"AWSDynamoDB/{reply(op, 'ExportDescription.ExportArn./')}/data/"


def _import(op: int) -> Step:
    created = {**table(), "TableName": T1}
    source = {"S3Bucket": BUCKET, "S3KeyPrefix": _data(op)}
    body = {"S3BucketSource": source, "InputFormat": "DYNAMODB_JSON", "InputCompressionType": "GZIP"}
    return Step("ImportTable", {**body, "TableCreationParameters": created, "ClientToken": "${token:i}"})


def _bulk(op: int) -> Step:
    source = {"S3Bucket": BUCKET, "S3KeyPrefix": _data(op), "InputFormat": "DYNAMODB_JSON"}
    output = {"S3Bucket": BUCKET, "S3KeyPrefix": "out", "OutputType": ["ERROR"]}
    return Step(
        "StartBulkPutItems",
        {
            "TableName": T0,
            "InputS3Configuration": {**source, "InputCompressionType": "GZIP"},
            "OutputS3Configuration": output,
        },
    )


_HONEST_EXPORT = originals(exports.exporting)


def _fewer_files(*given: Any) -> Any:
    """The last part of the table that holds anything is left out."""
    made = _HONEST_EXPORT.data_files(*given)
    last = max((place for place, (_, count, _) in enumerate(made) if count), default=None)
    return [each for place, each in enumerate(made) if place != last]


def _everything(context: Any, filter: Any, table: Any) -> Any:
    """A filter filters nothing."""
    return (yield from _HONEST_SELECTION._selection(context, None, table))


_HONEST_SELECTION = originals(exports)
_HONEST_IMPORTS = originals(imports)


def _without_empty(given: Json, table: Table) -> Any:
    """Attributes that hold an empty text are not imported."""
    made = _HONEST_IMPORTS.usable(given, table)
    return made and {name: value for name, value in made.items() if value != {"S": ""} or name in table.key.names}


_HONEST_BULK = originals(bulk)


def _merged(account: Any, table: Table, record: Any, tally: Any, place: Any) -> None:
    """A bulk put keeps what the item had besides."""
    row = table.view.row_key(record["Item"])
    held = table.at(row) if row is not None else None
    _HONEST_BULK._put(
        account, table, {**record, "Item": {**(held.item if held else {}), **record["Item"]}}, tally, place
    )


def _one_less(service: Service, call: Call, body: Body) -> Body:
    """One item fewer is counted than was put."""
    told = body["BulkOperationDescription"]
    return {"BulkOperationDescription": {**told, "ProcessedItemCount": max(0, told["ProcessedItemCount"] - 1)}}


# Vectors

_HONEST_DISTANCE = originals(distance)


def _similarity(function: str, query: Any, stored: Any) -> float:
    """COSINE gives the similarity, not the distance."""
    found: float = _HONEST_DISTANCE.score(function, query, stored)
    return 1.0 - found if function == "COSINE" else found


def _lowest(function: str, score: float) -> float:
    """The lowest product comes first."""
    return score


def _squared(function: str, query: Any, stored: Any) -> float:
    """EUCLIDEAN gives the square of the distance."""
    found: float = _HONEST_DISTANCE.score(function, query, stored)
    return found**2 if function == "EUCLIDEAN" else found


_HONEST_ENTRIES = originals(entries)


def _any_partition(table: Table, index: Any, wanted: Any, *, given: bool) -> Any:
    sound = yield from _HONEST_SEARCH._scope(table, index, wanted, given=given)
    wanted.clear()
    return sound


_HONEST_SEARCH = originals(searching)


def _with_vector(table: Table, index: Any, item: Any) -> Any:
    """Results show the vector unasked."""
    shown = dict(_HONEST_ENTRIES.projected(table, index, item))
    return shown | {index.attribute: item[index.attribute]}


def _one_more(body: Body) -> Body:
    return {**body, "TopK": body["TopK"] + 1} if body.get("TopK") in (1, 2, 3) else body


# Settings


def _only(held: Any, tags: Any) -> dict[str, str]:
    """Setting tags takes away those that were there."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def _any_case(body: Body) -> Body:
    """UntagResource takes tags away in whatever case they are written."""
    return {**body, "TagKeys": [k for key in body["TagKeys"] for k in dict.fromkeys((key, key.lower(), key.title()))]}


def _same_revision(held: Any, text: str, now: float, last: int = 0) -> Any:
    """Another policy has the revision of the one before."""
    made = _HONEST_POLICIES.revised(held, text, now, last)
    return made if held is None else replace(made, revision=held.revision)


_HONEST_POLICIES = originals(policing.policies)


class _PolicyStays:
    """A policy that is deleted stays."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def execute(self, call: Call) -> Reply:
        before = {name: dict(held.settings.policies) for name, held in self.service.account.tables.items()}
        answer = self.service.execute(call)
        if call.operation == "DeleteResourcePolicy":
            for name, held in self.service.account.tables.items():
                held.settings.policies = before.get(name, {})
        return answer


def _table_only(body: Body) -> Body:
    """Insights of an index are those of its table."""
    return {name: value for name, value in body.items() if name != "IndexName" or value == "absent"}


def _active_only(service: Service, call: Call, body: Body) -> Body:
    """Destinations that were disabled are not listed."""
    kept = [each for each in body["KinesisDataStreamDestinations"] if each["DestinationStatus"] != "DISABLED"]
    return {**body, "KinesisDataStreamDestinations": kept}


def _coarse(body: Body) -> Body:
    """The precision that a destination is made with is forgotten."""
    return {name: value for name, value in body.items() if name != "EnableKinesisStreamingConfiguration"}


def _half(service: Service, call: Call, body: Body) -> Body:
    return {name: value for name, value in body.items() if not name.startswith("Table")}


def _tag(*pairs: tuple[str, str]) -> Step:
    return Step("TagResource", {"ResourceArn": ARN, "Tags": [{"Key": k, "Value": v} for k, v in pairs]})


def _put_policy(action: str) -> Step:
    text = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},'
        f'"Action":"dynamodb:{action}","Resource":"*"}}]}}'
    )
    return Step("PutResourcePolicy", {"ResourceArn": ARN, "Policy": text})


_TAGS = Step("ListTagsOfResource", {"ResourceArn": ARN})
_POLICY = Step("GetResourcePolicy", {"ResourceArn": ARN})
_KINESIS = "arn:aws:kinesis:us-east-1:400000000004:stream/one"
_SENDS = {"TableName": T0, "StreamArn": _KINESIS}
_DESTINATIONS = Step("DescribeKinesisStreamingDestination", {"TableName": T0})
_INSIGHTS = {"TableName": T0, "IndexName": "by-g"}
_MICRO = {"EnableKinesisStreamingConfiguration": {"ApproximateCreationDateTimePrecision": "MICROSECOND"}}


def _class(
    name: str, about: str, capability: str, tables: Any, *steps: Step, wrap: Callable[[Service], Executes]
) -> Plant:
    return replace(plant(name, about, capability, tables, *steps), wrap=wrap)


_G = put({"g": s("x")})
_ON = recovery(on=True)
_SOME = [put(Item=item({"a": s("")}, pk=s(key))) for key in ("a", "b", "c")]
_VECTORS = indexed(vector_index())
_PRODUCTS = indexed(vector_index(function="DOT_PRODUCT"))
_DISTANCES = indexed(vector_index(function="EUCLIDEAN"))
_ROOMS = indexed(
    vector_index(SearchSchema=[{"AttributeName": "tenant", "SearchSchemaElementType": "HASH"}]),
    types="pk:S tenant:S",
)
_NEAR = put(Item=item({"e": vector(1, 0, 0), "tenant": s("x")}))
_FAR = put(Item=item({"e": vector(0, 0, 3), "tenant": s("y")}, pk=s("b")))
_IN_X = {
    "SearchConditionExpression": "tenant = :x", "ExpressionAttributeValues": {":x": s("x")},
}  # fmt: skip

PLANTS: tuple[Plant, ...] = (
    plant(
        "restore-without-indexes", "A restored table has no global indexes.", "backups", _INDEXED,
        _G, back_up(), _restore(2), Step("DescribeTable", {"TableName": T1}),
        patches=(patched(restores.restore, creation=_without_indexes),),
    ),
    plant(
        "restore-indexes-empty", "The indexes of a restored table are empty.", "backups", _INDEXED,
        _G, back_up(), _restore(2), Step("Scan", {"TableName": T1, "IndexName": "by-g"}),
        patches=(patched(Table, load=_unfilled),),
    ),
    _class(
        "restore-of-the-present", "A backup is restored as its table is now.", "backups", _PLAIN,
        put(), back_up(), put(Item=item(pk=s("b"))), _restore(2), _scan(),
        wrap=lambda service: _Present(service, "RestoreTableFromBackup"),
    ),
    _class(
        "backup-listed-when-deleted", "Backups that were deleted are still listed.", "backups", _PLAIN,
        back_up(), Step("DeleteBackup", {"BackupArn": reply(1, _BACKUP)}), _LIST, wrap=_Undeleted,
    ),
    plant(
        "recovery-period-forgotten", "A recovery period of a week is forgotten.", "backups", _PLAIN,
        recovery(on=True, days=7), _RECOVERY, asks=asks(_always_35, "UpdateContinuousBackups"),
    ),
    plant(
        "recovery-window-when-off", "A table without recovery tells a window.", "backups", _PLAIN,
        _RECOVERY, says=answers(_window_stays, "DescribeContinuousBackups"),
    ),
    plant(
        "backup-without-features", "A backup tells nothing of the table's indexes.", "backups", _INDEXED,
        back_up(), Step("DescribeBackup", {"BackupArn": reply(1, _BACKUP)}),
        says=answers(_plain_backup, "DescribeBackup"),
    ),
    plant(
        "export-lacks-a-part", "The last part of a table that holds anything is not exported.", "transfer", _PLAIN,
        *_SOME, _ON, _EXPORT, _import(5), _scan(), patches=(patched(exports.exporting, data_files=_fewer_files),),
    ),
    plant(
        "export-unfiltered", "The filter of an export filters nothing.", "transfer", _PLAIN, put(), _ON,
        Step("ExportTableToPointInTime", {
            "TableArn": ARN, "S3Bucket": BUCKET,
            "FilterSpecification": {
                "FilterExpression": "pk <> :v", "ExpressionAttributeValues": {":v": s("a")},
            },
        }),
        Step("DescribeExport", {"ExportArn": reply(3, "ExportDescription.ExportArn")}),
        patches=(patched(exports, _selection=_everything),),
    ),
    plant(
        "import-drops-empty-texts", "Attributes that hold an empty text are not imported.", "transfer", _PLAIN,
        *_SOME, _ON, _EXPORT, _import(5), _scan(), patches=(patched(imports, usable=_without_empty),),
    ),
    plant(
        "bulk-put-merges", "A bulk put keeps the attributes that the item had besides.", "bulk", _PLAIN,
        put({"a": s("x")}), _ON, _EXPORT, update("SET b = :b REMOVE a", {"b": s("y")}), _bulk(3), _scan(T0),
        patches=(patched(bulk, _put=_merged),),
    ),
    plant(
        "bulk-counts-one-less", "A bulk operation counts one item fewer than it put.", "bulk", _PLAIN,
        put(), _ON, _EXPORT, _bulk(3),
        Step("DescribeBulkOperation", {"BulkOperationArn": reply(4, "BulkOperationDescription.BulkOperationArn")}),
        says=answers(_one_less, "DescribeBulkOperation"),
    ),
    plant(
        "vector-cosine-similarity", "COSINE gives the similarity, not the distance.", "vectors", _VECTORS,
        _NEAR, search(1, 0, 0), patches=(patched(distance, score=_similarity),),
    ),
    plant(
        "vector-lowest-product-first", "The lowest dot product comes first.", "vectors", _PRODUCTS,
        _NEAR, _FAR, search(1, 0, 1), patches=(patched(distance, closeness=_lowest),),
    ),
    plant(
        "vector-distance-squared", "EUCLIDEAN gives the square of the distance.", "vectors", _DISTANCES,
        _FAR, search(0, 0, 0), patches=(patched(distance, score=_squared),),
    ),
    plant(
        "vector-partition-ignored", "A search finds items of other partitions.", "vectors", _ROOMS,
        _NEAR, _FAR, search(1, 0, 0, **_IN_X), patches=(patched(searching, _scope=_any_partition),),
    ),
    plant(
        "vector-shown-unasked", "Results show the vector unasked.", "vectors", _VECTORS,
        _NEAR, search(1, 0, 0), patches=(patched(entries, projected=_with_vector),),
    ),
    plant(
        "vector-one-too-many", "A search gives one result more than was asked for.", "vectors", _VECTORS,
        _NEAR, _FAR, search(1, 0, 0, TopK=1), asks=asks(_one_more, "SearchVectors"),
    ),
    plant(
        "tags-replaced", "Setting tags takes away those that were there.", "account", _PLAIN,
        _tag(("team", "x")), _tag(("env", "y")), _TAGS, patches=(patched(tagging.tags, merged=_only),),
    ),
    plant(
        "untag-any-case", "UntagResource takes tags away in whatever case they are written.", "account", _PLAIN,
        _tag(("team", "x"), ("Team", "y")), Step("UntagResource", {"ResourceArn": ARN, "TagKeys": ["Team"]}), _TAGS,
        asks=asks(_any_case, "UntagResource"),
    ),
    plant(
        "policy-revision-stays", "Another policy has the revision of the one before.", "account", _PLAIN,
        _put_policy("GetItem"), _put_policy("PutItem"), patches=(patched(policing.policies, revised=_same_revision),),
    ),
    _class(
        "policy-not-deleted", "A policy that is deleted stays.", "account", _PLAIN,
        _put_policy("GetItem"), Step("DeleteResourcePolicy", {"ResourceArn": ARN}), _POLICY, wrap=_PolicyStays,
    ),
    plant(
        "insights-of-table-only", "Insights of an index are those of its table.", "account", _INDEXED,
        Step("UpdateContributorInsights", {**_INSIGHTS, "ContributorInsightsAction": "ENABLE"}),
        Step("DescribeContributorInsights", {"TableName": T0}),
        asks=asks(_table_only, "UpdateContributorInsights"),
    ),
    plant(
        "destination-gone-when-off", "Kinesis destinations that were disabled are not listed.", "account", _PLAIN,
        Step("EnableKinesisStreamingDestination", _SENDS), Step("DisableKinesisStreamingDestination", _SENDS),
        _DESTINATIONS, says=answers(_active_only, "DescribeKinesisStreamingDestination"),
    ),
    plant(
        "destination-precision-forgotten", "The precision that a destination is made with is forgotten.", "account",
        _PLAIN, Step("EnableKinesisStreamingDestination", {**_SENDS, **_MICRO}), _DESTINATIONS,
        asks=asks(_coarse, "EnableKinesisStreamingDestination"),
    ),
    plant(
        "limits-without-tables", "DescribeLimits does not tell what a table may have.", "account", _PLAIN,
        Step("DescribeLimits", {}), says=answers(_half, "DescribeLimits"),
    ),
)  # fmt: skip
