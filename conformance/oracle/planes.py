"""Answers of operations beside items and tables: streams, backups, transfer, bulk, vectors and the account's settings.

What a target makes up (names, times, sizes) is bound or let pass; what passes through states may be at any lawful one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

from conformance.oracle import counted, listing, nearest, scaled, streaming
from conformance.oracle.compare import Difference, canonical, differences
from conformance.oracle.divergence import Divergence
from conformance.oracle.latitude import Latitude
from conformance.oracle.sightings import IDENTITIES, ROOM, Sightings, pairs, sightings
from conformance.oracle.wording import recognise
from conformance.program import BUCKET
from reference.api import Call, Json, Refusal, Success
from reference.operations.base import Outcome
from reference.service import Service
from reference.transfer.buckets import buckets

STREAMS = streaming.OPERATIONS
USES_BUCKET = frozenset({"ImportTable", "StartBulkPutItems"})

_BACKUPS = frozenset({
    "CreateBackup", "DescribeBackup", "ListBackups", "DeleteBackup", "UpdateContinuousBackups",
    "DescribeContinuousBackups",
})  # fmt: skip
_TRANSFER = frozenset({
    "ExportTableToPointInTime", "DescribeExport", "ListExports", "ImportTable", "DescribeImport", "ListImports",
})  # fmt: skip
_BULK = frozenset({"StartBulkPutItems", "DescribeBulkOperation", "CancelBulkOperation", "ListBulkOperations"})
_ACCOUNT = frozenset({
    "ListTagsOfResource", "PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy", "DescribeLimits",
    "DescribeEndpoints", "UpdateContributorInsights", "DescribeContributorInsights", "ListContributorInsights",
    "EnableKinesisStreamingDestination", "DisableKinesisStreamingDestination", "UpdateKinesisStreamingDestination",
    "DescribeKinesisStreamingDestination",
})  # fmt: skip
OPERATIONS = (
    streaming.OPERATIONS
    | _BACKUPS
    | _TRANSFER
    | _BULK
    | _ACCOUNT
    | scaled.OPERATIONS
    | counted.OPERATIONS
    | {"SearchVectors"}
)
"""The operations that are judged here."""

FREE = frozenset({
    "BackupSizeBytes", "BackupCreationDateTime", "TableCreationDateTime", "TableSizeBytes", "ItemCount", "TableId",
    "TableArn", "EarliestRestorableDateTime", "LatestRestorableDateTime", "StartTime", "EndTime", "ExportTime",
    "BilledSizeBytes", "S3BucketOwner", "CloudWatchLogGroupArn", "LastUpdateDateTime", "ProcessedSizeBytes",
    "ProcessedInputBytes", "TotalInputBytes", "AccountMaxReadCapacityUnits", "AccountMaxWriteCapacityUnits",
    "TableMaxReadCapacityUnits", "TableMaxWriteCapacityUnits", "Address", "FailureMessage", "FailureCode",
    "DestinationStatusDescription", "ExportFromTime", "ExportToTime", "NextToken", "CachePeriodInMinutes",
    "KMSMasterKeyArn",
})  # fmt: skip
"""Members whose value is the target's own."""
_STATES: tuple[tuple[frozenset[str], tuple[frozenset[str], ...]], ...] = (
    (frozenset({"BackupStatus"}), (frozenset({"CREATING", "AVAILABLE"}),)),
    (
        frozenset({"ContributorInsightsStatus", "TimeToLiveStatus"}),
        (frozenset({"ENABLING", "ENABLED"}), frozenset({"DISABLING", "DISABLED"})),
    ),
    (
        frozenset({"DestinationStatus"}),
        (frozenset({"ENABLING", "ACTIVE", "UPDATING"}), frozenset({"DISABLING", "DISABLED"})),
    ),
)
"""Members that tell of states, and which states lie on one way."""
_TELLING = frozenset({
    "LocalSecondaryIndexes", "GlobalSecondaryIndexes", "StreamDescription", "TimeToLiveDescription", "AttributeName",
    "RecoveryPeriodInDays", "EarliestRestorableDateTime", "LatestRestorableDateTime", "LastEvaluatedBackupArn",
    "BackupExpiryDateTime", "ApproximateCreationDateTimePrecision", "ContributorInsightsRuleList", "RevisionId",
})  # fmt: skip
"""Members that may not appear uncalled for; others are new to us and let pass."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is wrong with an answer, what it tells to remember, and why nothing can be said of it (``doubt``)."""

    differences: tuple[Difference, ...] = ()
    remember: Callable[[Service], None] | None = None
    doubt: str = ""


def ours(service: Service, call: Call, reply: Success | Refusal) -> tuple[Call, Success | Refusal]:
    """A call and its answer with our names for what the target calls otherwise."""
    seen = service.account.rooms.get(ROOM)
    if not isinstance(seen, Sightings):
        return call, reply
    if seen.names:
        if call.operation != "GetRecords":  # An iterator may have a stream's ARN inside, and is known as a whole.
            call = Call(call.operation, seen.translated(call.body))
        if isinstance(reply, Refusal):
            reply = replace(reply, message=seen.translated(reply.message))
    if call.operation in streaming.OPERATIONS and call.operation != "ListStreams":
        call = streaming.ours(service, call, seen)
    return call, reply


def theirs(service: Service, found: Divergence) -> Divergence:
    """A divergence whose lawful answers have the names that the target gave, as it would have had to answer."""
    seen = service.account.rooms.get(ROOM)
    if not isinstance(seen, Sightings) or not seen.given:
        return found
    expected = found.expected
    if isinstance(expected, Success):
        expected = Success(seen.returned(expected.body))
    elif isinstance(expected, Refusal):
        expected = replace(expected, message=seen.returned(expected.message))
    accepted = tuple(cast(dict[str, Any], seen.returned(each)) for each in found.accepted)
    return replace(found, expected=expected, accepted=accepted)


TABLES = frozenset({
    "CreateTable", "UpdateTable", "DescribeTable", "DeleteTable", "RestoreTableFromBackup",
    "RestoreTableToPointInTime",
})  # fmt: skip
"""Operations that describe tables, which name streams and backups."""
_NAMING = OPERATIONS | TABLES
_GATES = frozenset({
    "streams.kinesis-enable-state", "streams.kinesis-disable-state", "streams.kinesis-update-state",
    "metrics.insights-state", "backups.not-yet", "backups.restore-in-use", "backups.delete-in-use",
    "backups.target-restoring", "bulk.table-busy", "ttl.table-being-created", "global-tables.replica-exists",
    "global-tables.source-region",
})  # fmt: skip
"""Rules that a request breaks only while something is on its way."""


def passing(reply: Refusal, latitude: Latitude) -> bool:
    """Whether a refusal says that something is on its way, where that may take time."""
    if latitude.state_lag <= 0:
        return False
    matched = recognise(reply)
    return reply.code == "ResourceInUseException" or (matched is not None and matched.name in _GATES)


def renamed(service: Service, call: Call, expected: Json, body: Json) -> tuple[Difference, ...]:
    """The names in a table's description that are not what the target called them before."""
    seen = service.account.rooms.get(ROOM)
    if call.operation not in TABLES or not isinstance(seen, Sightings):
        return ()
    return tuple(
        Difference(("Table", member), "value", name, theirs)
        for member, name, theirs in pairs(expected, body)
        if not seen.fits(theirs, name)
    )


def filled(call: Call) -> str | None:
    """The table whose items a call makes or puts in bulk."""
    body = call.body if isinstance(call.body, dict) else {}
    if call.operation in ("RestoreTableFromBackup", "RestoreTableToPointInTime"):
        return str(body.get("TargetTableName"))
    if call.operation == "ImportTable":
        return str((body.get("TableCreationParameters") or {}).get("TableName"))
    return str(body.get("TableName")) if call.operation == "StartBulkPutItems" else None


def named(service: Service, call: Call, body: Json) -> Json:
    """A description of a table in our names for what the target calls otherwise."""
    seen = service.account.rooms.get(ROOM)
    return seen.translated(body) if call.operation in TABLES and isinstance(seen, Sightings) else body


def forget_streams(service: Service) -> None:
    """What the streams of the target hold is not known any more."""
    for stream in streaming.streams(service):
        sightings(service.account).spoilt.add(stream.arn)


def suppose_bucket(service: Service, latitude: Latitude) -> None:
    """Give the model the bucket that programs name, as the target has it."""
    if latitude.buckets:
        buckets(service.account.rooms).make(BUCKET)


def lawful(service: Service, asked: Call, call: Call, outcome: Outcome, body: Json, latitude: Latitude) -> Answer:
    """Whether a body is one that DynamoDB could have given; ``asked`` is the call in the target's own names."""
    operation = call.operation
    if operation == "ListStreams":
        return Answer(tuple(listing.listed(service, call, outcome.body, body)))
    if operation == "DescribeStream":
        wrong = listing.described(service, call, outcome.body, _named(service, body), latitude)
        return Answer(tuple(wrong), lambda s: listing.remember_shards(s, call, body, sightings(s.account)))
    if operation == "GetShardIterator":
        return _iterator(service, asked, call, outcome, body, latitude)
    if operation == "GetRecords":
        return _records(service, asked, body, latitude)
    if operation == "SearchVectors":
        return Answer(tuple(nearest.differs(service, call, outcome, body, latitude)))
    if operation in scaled.OPERATIONS:
        return Answer(tuple(scaled.differs(service, call, outcome.body, body, latitude)))
    if operation in counted.OPERATIONS:
        return Answer(tuple(counted.differs(service, call, outcome.body, body, latitude)))
    return Answer(tuple(_settings(service, call, outcome.body, body, latitude)))


def _named(service: Service, body: Json) -> Json:
    return sightings(service.account).translated(body)


def _iterator(service: Service, asked: Call, call: Call, outcome: Outcome, body: Json, latitude: Latitude) -> Answer:
    text = body.get("ShardIterator") if isinstance(body, dict) else None
    if not isinstance(text, str) or not text:
        return Answer((Difference(("ShardIterator",), "missing", "an iterator", text),))
    named = Call(call.operation, {**call.body, **{m: asked.body[m] for m in _ASIS if m in asked.body}})
    return Answer((), lambda s: streaming.remember_iterator(s, named, body, sightings(s.account), latitude))


_ASIS = ("ShardId", "SequenceNumber")


def _records(service: Service, asked: Call, body: Json, latitude: Latitude) -> Answer:
    text = asked.body.get("ShardIterator")
    found = streaming.read(service, text, asked.body.get("Limit"), body, latitude)
    if found is None:
        return Answer((), lambda s: leads_nowhere(s, body), "where this iterator stands is not known")

    def remember(after: Service) -> None:
        if not streaming.remember_read(after, found, sightings(after.account)):
            leads_nowhere(after, body)

    return Answer(tuple(found.wrong), remember)


def blur_streams(service: Service) -> None:
    """A write may or may not have been done: where items expire as well, what a stream must tell is not followed.

    A deletion by time to live may have come before it or after it, in any number of ways.
    """
    seen = sightings(service.account)
    for table in service.account.tables.values():
        if table.settings.streams and (table.settings.ttl_attribute is not None or table.id in seen.former):
            seen.spoilt |= {f"{table.arn}/stream/{span.label}" for span in table.settings.streams}


def leads_nowhere(service: Service, body: Json) -> None:
    """An iterator was given that should not be, or of which we do not know where it stands."""
    held = body if isinstance(body, dict) else {}
    texts = [held.get(member) for member in ("ShardIterator", "NextShardIterator")]
    for record in held.get("Records") or ():
        told = record.get("dynamodb") if isinstance(record, dict) else None
        texts.append(told.get("SequenceNumber") if isinstance(told, dict) else None)
    found = {text for text in texts if isinstance(text, str)}
    if found:
        sightings(service.account).foreign |= found


def in_doubt(service: Service, body: Json) -> None:
    """Records were told that differ from ours: which changes the numbers of the others are those of is not known."""
    seen = sightings(service.account)
    known = {number for _, _, number in seen.numbers} - seen.foreign
    leads_nowhere(service, {"Records": body.get("Records") if isinstance(body, dict) else None})
    seen.foreign -= known


def is_foreign(service: Service, call: Call) -> bool:
    """Whether a call goes on from what the target should not have given, or stands nobody knows where."""
    seen = service.account.rooms.get(ROOM)
    if call.operation not in STREAMS or not isinstance(seen, Sightings) or not isinstance(call.body, dict):
        return False
    given = {call.body.get(member) for member in ("ShardIterator", "SequenceNumber")}
    return bool({text for text in given if isinstance(text, str)} & seen.foreign)


def adopt(service: Service, call: Call, outcome: Outcome, body: Json) -> None:
    """Bind the names that an answer tells, after what the call did."""
    if call.operation in _NAMING:
        for member, name, theirs in list(pairs(outcome.body, body)):
            seen = sightings(service.account)
            seen.bind(theirs, name)
            if member in ("ExportArn", "ImportArn", "BulkOperationArn"):
                seen.bind(theirs.rsplit("/", 1)[-1], name.rsplit("/", 1)[-1])
    for theirs, name in counted.rule_pairs(outcome.body, body) if call.operation in _ACCOUNT else ():
        sightings(service.account).bind(theirs, name)
    changed = outcome.changes or outcome.effects
    if changed and any(table.settings.streams for table in service.account.tables.values()):
        sightings(service.account).note(service.account, call.operation)


# Settings and jobs


def _settings(service: Service, call: Call, expected: Json, body: Json, latitude: Latitude) -> Iterator[Difference]:
    seen = sightings(service.account)
    want, got = _arranged(call, expected), _arranged(call, seen.translated(body))
    job = next(
        (m for m in ("ExportDescription", "ImportTableDescription", "BulkOperationDescription") if m in want), ""
    )
    for found in differences(want, got):
        if found.kind == "value" and _name_fits(seen, found):
            continue
        if not _let_pass(call, found, latitude, want.get(job), got.get(job) if isinstance(got, dict) else None):
            yield found
    for member, name, theirs in pairs(expected, {} if body is None else body, lists=False):
        if not seen.fits(theirs, name):
            yield Difference((member,), "value", name, theirs)


def _name_fits(seen: Sightings, found: Difference) -> bool:
    """Whether a differing text is a name that the target makes up, and that is new or looked at by itself."""
    if found.path[-1] not in IDENTITIES or not isinstance(found.observed, str) or not isinstance(found.expected, str):
        return False
    return "*" not in found.path or not {found.expected, found.observed} & seen.given.keys()


def _let_pass(call: Call, found: Difference, latitude: Latitude, want: Json, got: Json) -> bool:
    last, kind = found.path[-1] if found.path else "", found.kind
    if call.operation in _TRANSFER | _BULK and last in COUNTS:
        return _job_passes(found, latitude, want, got)
    if kind in ("value", "type") and last in FREE and _alike(found.expected, found.observed):
        return True
    if kind == "extra" and (last not in _TELLING or found.observed is None):
        return True
    for members, ways in _STATES:
        if last in members and any({found.expected, found.observed} <= way for way in ways if _texts(found)):
            return True
    if last == "ContinuousBackupsStatus" and latitude.state_lag > 0:
        return True
    if (
        last == "DestinationStatus"
        and _texts(found)
        and {found.expected, found.observed} <= {"ENABLING", "ENABLE_FAILED"}
    ):
        return True
    if last == "ClientToken" and call.body.get("ClientToken") is None:
        return True
    if last == "Policy" and _same_policy(found.expected, found.observed):
        return True
    if call.operation in _TRANSFER | _BULK:
        return _job_passes(found, latitude, want, got)
    return kind == "missing" and last in _UNSHOWN


_UNSHOWN = frozenset({"ContributorInsightsMode"})
"""Members that nobody has recorded where the reference shows them."""


def _texts(found: Difference) -> bool:
    return isinstance(found.expected, str) and isinstance(found.observed, str)


def _alike(expected: Json, observed: Json) -> bool:
    """Whether two values are of one JSON type."""
    if isinstance(expected, int | float):
        return isinstance(observed, int | float) and not isinstance(observed, bool)
    return type(expected) is type(observed)


def _same_policy(expected: Json, observed: Json) -> bool:
    try:
        return bool(json.loads(expected) == json.loads(observed))
    except (TypeError, ValueError):
        return False


_JOB_STATUS = frozenset({"ExportStatus", "ImportStatus", "BulkOperationStatus"})
_WHEN_DONE = frozenset({
    "EndTime", "ItemCount", "BilledSizeBytes", "ExportManifest", "FailureCode", "FailureMessage", "ErrorCount",
    "ProcessedSizeBytes", "ProcessedItemCount", "ImportedItemCount", "FailedItemCount", "ProcessedInputBytes",
    "TotalInputBytes", "CloudWatchLogGroupArn", "S3BucketOwner", "InputCompressionType", "ExportTime",
})  # fmt: skip
COUNTS = frozenset({"ItemCount", "ErrorCount", "ProcessedItemCount", "ImportedItemCount", "FailedItemCount"})


def _status(job: Json) -> Json:
    return next((job[name] for name in _JOB_STATUS if name in job), None) if isinstance(job, dict) else None


def _job_passes(found: Difference, latitude: Latitude, want: Json, got: Json) -> bool:
    """Jobs go their own way in time: what they counted is compared once both have ended alike."""
    last = found.path[-1]
    if last in _JOB_STATUS:
        failed = "FAILED" in (found.expected, found.observed)
        running = "IN_PROGRESS" in (found.expected, found.observed)
        return not latitude.buckets or (running and not failed) or (running and latitude.state_lag > 0)
    if last in _WHEN_DONE:
        return not latitude.buckets or _status(want) != _status(got) or last not in COUNTS
    return last == "DestinationType"


def _arranged(call: Call, body: Json) -> Json:
    """The body with everything sorted that comes in no particular order, without what is not this session's."""
    if not isinstance(body, dict):
        return {} if body is None else body
    arranged = dict(body)
    for name in ("Tags", "BackupSummaries", "ContributorInsightsRuleList", "KinesisDataStreamDestinations"):
        if isinstance(body.get(name), list):
            arranged[name] = sorted(map(_untimed, body[name]), key=_sort_key)
    for name in ("ExportSummaries", "ImportSummaryList", "BulkOperationsSummaryList"):
        if name in body:
            arranged[name] = []  # An account's jobs outlive programs: which are listed is not compared.
            arranged.pop("NextToken", None)
    if call.operation == "ListBackups" and call.body.get("TableName") is None:
        arranged["BackupSummaries"] = []
        arranged.pop("LastEvaluatedBackupArn", None)
    if call.operation == "ListContributorInsights" and call.body.get("TableName") is None:
        arranged["ContributorInsightsSummaries"] = []
    if isinstance(body.get("BackupDescription"), dict):
        arranged["BackupDescription"] = _backup(body["BackupDescription"])
    return arranged


def _untimed(entry: Json) -> Json:
    """The name of a CloudWatch rule without its moment."""
    return entry.rsplit("-", 1)[0] if isinstance(entry, str) else entry


def _sort_key(entry: Json) -> bytes:
    if isinstance(entry, dict):
        for name in ("BackupArn", "Key", "StreamArn"):
            if name in entry:
                return str(entry[name]).encode("utf-8", "surrogatepass")
    return canonical(entry)


def _backup(told: dict[str, Any]) -> dict[str, Any]:
    features = told.get("SourceTableFeatureDetails")
    if not isinstance(features, dict):
        return told
    arranged = dict(features)
    for name in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes", "VectorIndexes"):
        if isinstance(features.get(name), list):
            arranged[name] = sorted(features[name], key=lambda e: str(e.get("IndexName")))
            if not arranged[name]:
                del arranged[name]
    return {**told, "SourceTableFeatureDetails": arranged}


def as_of_now(service: Service, call: Call) -> Service | None:
    """The state in which a table that was restored to the latest moment has what its source holds now, if another.

    How long before now the latest moment lies is the service's own affair (beyond:PIT-4: about five minutes).
    """
    if call.operation != "RestoreTableToPointInTime" or not call.body.get("UseLatestRestorableTime"):
        return None
    source = service.account.any_table(str(call.body.get("SourceTableName") or call.body.get("SourceTableArn")))
    target = service.account.tables.get(str(call.body.get("TargetTableName")))
    if source is None or target is None or list(source.items()) == list(target.items()):
        return None
    fork = service.fork()
    fork.account.tables[target.name].load(fork.account.tables[source.name])
    return fork
