"""StartBulkPutItems, DescribeBulkOperation, ListBulkOperations and CancelBulkOperation (beyond:BLK-1 to BLK-3).

A bulk operation puts the items of objects into a table that is there, each as PutItem would, perhaps on a condition of
its own.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reference import lifecycle, requests
from reference.account import Account
from reference.agenda import Event
from reference.api import Json
from reference.backups.store import new_id
from reference.moments import milliseconds
from reference.operations.base import Context, Effect, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.imports import objects
from reference.operations.items import put_item
from reference.operations.tables import known_table
from reference.operations.transactions import digest_of
from reference.rules import Checks, first, surface, violation
from reference.tables.table import Change, Table
from reference.transfer import reading
from reference.transfer.buckets import buckets, unreachable
from reference.transfer.jobs import Job, jobs, known_jobs, page

PAGE = 10
TABLE_GONE = ("ResourceNotFoundException", "Requested resource not found: Table: {table} not found")
CANCELLED = ("Cancelled", "The operation was cancelled.")
_ARN = re.compile(r"arn:[^:]*:dynamodb:[^:]*:[^:]*:.*/bulk-operation/[^/]+", re.DOTALL)
_PUT_MEMBERS = ("Item", "ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues")


def start_bulk_put(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """StartBulkPutItems: the table must be there and settled; everything else shows later."""
    if not complete("StartBulkPutItems", body):
        return None
    table = yield from known_table(context, body)
    if table is None:
        return None
    digest = digest_of(body)
    earlier = known_jobs(context.account.rooms).repeated("bulk", body.get("ClientToken"), context.now())
    if earlier is not None:
        if earlier.digest != digest:
            yield violation("bulk.token-mismatch")
            return None
        return Outcome({"BulkOperationDescription": described(earlier)}, rules=("bulk.answer",))
    if table.status not in ("ACTIVE", "UPDATING") or _indexing(table):
        yield violation("bulk.table-busy", table=table.name)
        return None
    job = _job(context, body, table, digest)
    answer = {"BulkOperationDescription": described(job)}
    return Outcome(answer, effects=(_begin(job),), rules=("bulk.answer",))


def _indexing(table: Table) -> bool:
    """Whether an index of the table is being made (beyond:BLK-3)."""
    held = [index.status for index in table.indexes.values()]
    return "CREATING" in held + [vector.status for vector in table.settings.vectors.values()]


def _job(context: Context, body: Mapping[str, Any], table: Table, digest: str) -> Job:
    account, started = context.account, milliseconds(context.now()) / 1000
    token = body.get("ClientToken") or account.coming_id()
    source = {"InputCompressionType": "NONE", **body["InputS3Configuration"]}
    told = {
        "TableDetails": [{"TableName": table.name, "TableId": table.id}],
        "ClientToken": token,
        "InputS3Configuration": source,
        "OutputS3Configuration": body["OutputS3Configuration"],
        "PerformanceTier": body.get("PerformanceTier") or "STANDARD",
        "ProcessedItemCount": 0,
        "ProcessedInputBytes": 0,
        "FailedItemCount": 0,
    }
    if body.get("MaxWriteRequestUnits") is not None:
        told["MaxWriteRequestUnits"] = body["MaxWriteRequestUnits"]
    return Job(
        kind="bulk",
        number=len(known_jobs(account.rooms)) + 1,
        arn=f"{table.arn}/bulk-operation/{new_id(started, account.coming_id()[:8])}",
        table=table.name,
        table_id=table.id,
        started=started,
        told=told,
        token=token,
        digest=digest,
    )


def _begin(job: Job) -> Effect:
    def effect(account: Account) -> None:
        account.new_id()
        jobs(account.rooms).put(job)
        account.agenda.add(account.now() + account.delays.transfer, "bulk-finished", job.arn)

    return effect


@dataclass(slots=True)
class _Tally:
    """What a bulk operation counted, and the records it reports by kind of report."""

    processed: int = 0
    failed: int = 0
    bytes: int = 0
    reports: dict[str, list[dict[str, Json]]] = field(default_factory=lambda: defaultdict(list))
    used: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def _finished(account: Account, event: Event) -> None:
    """Everything a bulk operation does happens at its end; cancelled before, it does nothing."""
    job = jobs(account.rooms).find("bulk", event.about[0])
    if job is None or job.ended is not None:
        return
    if job.status == "CANCELLING":
        _end(account, job, event, "CANCELLED", CANCELLED)
        return
    told = job.told
    source, output = told["InputS3Configuration"], told["OutputS3Configuration"]
    table = account.table(job.table)
    failure = unreachable(buckets(account.rooms), account.account_id, source["S3Bucket"], source.get("S3BucketOwner"))
    if failure is None and output.get("S3Bucket") is not None:
        failure = unreachable(
            buckets(account.rooms), account.account_id, output["S3Bucket"], output.get("S3BucketOwner")
        )
    if failure is None and (table is None or table.id != job.table_id):
        failure = (TABLE_GONE[0], TABLE_GONE[1].format(table=job.table))
    if failure is not None or table is None:
        _end(account, job, event, "FAILED", failure)
        return
    tally = _put_all(account, table, source)
    _report(account, job, tally)
    counts = {
        "ProcessedItemCount": tally.processed,
        "FailedItemCount": tally.failed,
        "ProcessedInputBytes": tally.bytes,
        "TotalInputBytes": tally.bytes,
        "BulkOperationUsage": [_usage(table, tally.used)],
    }
    done = replace(job, told={**told, **counts})
    _end(account, done, event, "COMPLETED_WITH_ERRORS" if tally.failed else "COMPLETED", None)


def _end(account: Account, job: Job, event: Event, status: str, failure: tuple[str, str] | None) -> None:
    told = dict(job.told)
    if failure is not None:
        told["FailureCode"], told["FailureMessage"] = failure
    ended = max(milliseconds(event.at) / 1000, job.started)
    jobs(account.rooms).put(replace(job, status=status, ended=ended, told=told))


def _put_all(account: Account, table: Table, source: Mapping[str, Any]) -> _Tally:
    tally = _Tally()
    for found in objects(account, source, source["InputCompressionType"]):
        tally.bytes += found.size
        for number, record in enumerate(found.records(source["InputFormat"], table, {})):
            tally.processed += 1
            place = {"S3Key": found.key, "RecordIndex": number}
            if isinstance(record, reading.Fault):
                tally.failed += 1
                tally.reports["ERROR"].append({**place, "ErrorMessage": record.why})
            else:
                _put(account, table, record, tally, place)
    return tally


def _put(account: Account, table: Table, record: reading.Record, tally: _Tally, place: dict[str, Json]) -> None:
    """One record, as PutItem would take it."""
    body = {
        **{name: record[name] for name in _PUT_MEMBERS if name in record},
        "TableName": table.name,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    reading_ = requests.read("PutItem", body)
    context = Context(account, "PutItem", surface("PutItem"))
    outcome: Outcome | None = None
    broken = reading_.violations[0] if reading_.violations else None
    if broken is None:
        broken, outcome = first(put_item(context, reading_.body))
    if outcome is not None:
        for change in outcome.changes:
            _count(table, change, tally.used)
            account.commit(change)
        return
    if broken is None:
        return
    if broken.rule.name == "items.condition-failed":
        tally.reports["CONDITION_CHECK_FAILURE"].append({**place, "Item": record["Item"], **_existing(broken.fields)})
        return
    tally.failed += 1
    told = broken.message(context.surface)
    tally.reports["ERROR"].append({**place, "Item": record["Item"], "ErrorMessage": told})


def _existing(fields: Mapping[str, Json]) -> dict[str, Json]:
    return {"ExistingItem": fields["Item"]} if "Item" in fields else {}


def _count(table: Table, change: Change, used: dict[str, int]) -> None:
    """Bytes put into the table and each index, in whole kilobytes as writes are counted."""
    if change.new is not None:
        used[""] += _kilobytes(change.new.size)
    for move in change.moves:
        if move.new is not None:
            used[move.index] += _kilobytes(move.new.record.size)


def _kilobytes(size: int) -> int:
    return -(-size // 1024) * 1024


def _usage(table: Table, used: Mapping[str, int]) -> dict[str, Any]:
    kinds = {"LSI": "LocalSecondaryIndexes", "GSI": "GlobalSecondaryIndexes"}
    told: dict[str, Any] = {
        "TableName": table.name,
        "BulkPutBytes": sum(used.values()),
        "Table": {"BulkPutBytes": used.get("", 0)},
    }
    for name, size in used.items():
        if name:
            told.setdefault(kinds[table.indexes[name].schema.kind], {})[name] = {"BulkPutBytes": size}
    return told


def _report(account: Account, job: Job, tally: _Tally) -> None:
    """Write the reports that were asked for, one JSON record on a line, below the operation's id."""
    output = job.told["OutputS3Configuration"]
    if output.get("S3Bucket") is None:
        return
    prefix = (output.get("S3KeyPrefix") or "").removesuffix("/")
    for kind in output["OutputType"]:
        lines: Iterable[str] = (
            json.dumps(each, separators=(",", ":"), ensure_ascii=False) for each in tally.reports[kind]
        )
        text = "".join(f"{line}\n" for line in lines)
        key = "/".join(filter(None, (prefix, "AWSDynamoDB", job.id, f"{kind.lower()}.json")))
        buckets(account.rooms).put(output["S3Bucket"], key, text.encode("utf-8", "surrogatepass"))


def described(job: Job) -> dict[str, Any]:
    """``BulkOperationDescription`` (beyond:BLK-2)."""
    told: dict[str, Any] = {
        "BulkOperationArn": job.arn,
        "BulkOperationStatus": job.status,
        "StartTime": job.started,
    }
    if job.ended is not None:
        told["EndTime"] = job.ended
    return {**told, **job.told}


def describe_bulk(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeBulkOperation."""
    job = yield from _known(context, body)
    if job is None:
        return None
    return Outcome({"BulkOperationDescription": described(job)}, rules=("bulk.answer",))


def cancel_bulk(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """CancelBulkOperation: what has ended stays as it ended; what was put is not taken back."""
    job = yield from _known(context, body)
    if job is None:
        return None
    status = job.status if job.ended is not None else "CANCELLING"

    def effect(account: Account) -> None:
        jobs(account.rooms).put(replace(job, status=status))

    answer = {"BulkOperationArn": job.arn, "BulkOperationStatus": status}
    return Outcome(answer, effects=(effect,), rules=("bulk.answer",))


def _known(context: Context, body: Mapping[str, Any]) -> Checks[Job | None]:
    arn = body.get("BulkOperationArn")
    if arn is None:
        return None
    if _ARN.fullmatch(arn) is None:
        yield violation("bulk.arn-malformed")
        return None
    job = known_jobs(context.account.rooms).find("bulk", arn)
    if job is None:
        yield violation("bulk.not-found", arn=arn)
    return job


def list_bulk(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ListBulkOperations: the newest first, ten at a time."""
    found = known_jobs(context.account.rooms).listed("bulk", context.now())
    shown = page(found, "bulk", min(max(body.get("MaxResults") or PAGE, 1), 25), body.get("NextToken"))
    if shown is None:
        yield violation("transfer.next-token", token=body["NextToken"])
        return None
    answer: dict[str, Any] = {"BulkOperationsSummaryList": [_summary(job) for job in shown[0]]}
    if shown[1] is not None:
        answer["NextToken"] = shown[1]
    return Outcome(answer, rules=("bulk.list",))


def _summary(job: Job) -> dict[str, Any]:
    told = {"BulkOperationArn": job.arn, "BulkOperationStatus": job.status, "StartTime": job.started}
    return told if job.ended is None else {**told, "EndTime": job.ended}


lifecycle.HANDLERS["bulk-finished"] = _finished

OPERATIONS: dict[str, Operation] = {
    "StartBulkPutItems": start_bulk_put,
    "DescribeBulkOperation": describe_bulk,
    "CancelBulkOperation": cancel_bulk,
    "ListBulkOperations": list_bulk,
}
