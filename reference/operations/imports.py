"""ImportTable, DescribeImport and ListImports (beyond:IMP-1 to IMP-12)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reference import lifecycle, requests
from reference.account import Account
from reference.agenda import Event
from reference.api import Item, Json
from reference.backups.store import new_id
from reference.moments import milliseconds
from reference.operations.base import Context, Effect, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.tables import quotas
from reference.rules import Checks, Violation, violation
from reference.tables import create, encryption
from reference.tables.definition import watched
from reference.tables.keys import index_key_faults, item_key_faults
from reference.tables.table import Table
from reference.transfer import reading
from reference.transfer.buckets import buckets, unreachable
from reference.transfer.jobs import Job, jobs, known_jobs, page
from reference.transfer.packing import PackingError, unpack
from reference.values.item import MAX_ITEM_BYTES, item_size, normalise_item

PAGE = 10
LOG_GROUP = "log-group:/aws-dynamodb/imports:*"
TABLE_EXISTS = ("TableAlreadyExists", "Table already exists: {table}")
INVALID_ITEMS = (
    "ItemValidationError",
    "Some of the items failed validation checks and were not imported. "
    "Please check CloudWatch error logs for more details.",
)
_IMPORT_ARN = re.compile(r"arn:[^:]*:dynamodb:[^:]*:[^:]*:table/[^/]{3,}/import/[^/]+", re.DOTALL)


def import_table(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ImportTable: the table is described at once and made later; its name is not held until then (IMP-2, IMP-9)."""
    if not complete("ImportTable", body):
        return None
    kind, options = body["InputFormat"], body.get("InputFormatOptions") or {}
    if options.get("Csv") is not None and kind != "CSV":
        yield violation("transfer.import-options", kind=kind)
    account, wanted = context.account, body["TableCreationParameters"]
    name = wanted["TableName"]
    place = create.Place(
        name, account.arn(f"table/{name}"), account.coming_id(), context.now(), account.limits,
        lifecycle.known_labels(account, name),
    )  # fmt: skip
    table, sound = yield from watched(create.new_table(wanted, place))
    earlier = known_jobs(account.rooms).repeated("import", body.get("ClientToken"), context.now())
    if earlier is not None and earlier.table != name:
        yield violation("transfer.import-conflict")
        return None
    held = account.tables.get(name)
    if held is not None and (earlier is None or earlier.ended is not None):
        yield violation("tables.exists", table=name)
        return None
    if earlier is not None:
        return Outcome({"ImportTableDescription": described(earlier)}, rules=("transfer.import-answer",))
    yield from quotas(account, wanted)
    _, usable = yield from watched(encryption.key_checks(wanted.get("SSESpecification"), place.arn))
    if known_jobs(account.rooms).running("import") >= account.limits.imports:
        yield violation("transfer.import-limit", limit=account.limits.imports)
    if table is None or not (sound and usable):
        return None
    job = _job(context, body, table)
    answer = {"ImportTableDescription": described(job)}
    return Outcome(answer, effects=(_begin(job),), rules=("transfer.import-answer",))


def _job(context: Context, body: Mapping[str, Any], table: Table) -> Job:
    account, started = context.account, milliseconds(context.now()) / 1000
    token = body.get("ClientToken") or account.coming_id()
    source = body["S3BucketSource"]
    told = {
        "TableArn": table.arn,
        "TableId": table.id,
        "ClientToken": token,
        "S3BucketSource": {"S3BucketOwner": account.account_id, **source},
        "CloudWatchLogGroupArn": f"arn:aws:logs:{account.region}:{account.account_id}:{LOG_GROUP}",
        "InputFormat": body["InputFormat"],
        "InputCompressionType": body.get("InputCompressionType") or "NONE",
        "TableCreationParameters": body["TableCreationParameters"],
        "ErrorCount": 0,
        "ProcessedItemCount": 0,
        "ImportedItemCount": 0,
    }
    if body.get("InputFormatOptions"):
        told["InputFormatOptions"] = body["InputFormatOptions"]
    return Job(
        kind="import",
        number=len(known_jobs(account.rooms)) + 1,
        arn=f"{table.arn}/import/{new_id(started, account.coming_id()[:8])}",
        table=table.name,
        table_id=table.id,
        started=started,
        told=told,
        token=token,
        work=table,
    )


def _begin(job: Job) -> Effect:
    def effect(account: Account) -> None:
        account.new_id()
        jobs(account.rooms).put(job)
        # The table shows after a part of the time that the import takes, and not before (beyond:IMP-2).
        account.agenda.add(account.now() + account.delays.transfer / 4, "import-begun", job.arn)

    return effect


def _begun(account: Account, event: Event) -> None:
    """The bucket is there and the name is free, or the import has failed and left no table (beyond:IMP-4, IMP-9)."""
    job = jobs(account.rooms).find("import", event.about[0])
    if job is None:
        return
    source = job.told["S3BucketSource"]
    failure = unreachable(buckets(account.rooms), account.account_id, source["S3Bucket"], source["S3BucketOwner"])
    if failure is None and job.table in account.tables:
        failure = (TABLE_EXISTS[0], TABLE_EXISTS[1].format(table=job.table))
    if failure is not None:
        _end(account, job, event, failure)
        return
    table: Table = job.work.copy()
    account.tables[table.name] = table
    jobs(account.rooms).put(replace(job, work=None))
    account.agenda.add(event.at + account.delays.transfer * 3 / 4, "import-finished", job.arn)


def _finished(account: Account, event: Event) -> None:
    job = jobs(account.rooms).find("import", event.about[0])
    if job is None:
        return
    # A table that is being created can't be deleted, so it is still there.
    table = account.tables[job.table]
    counts = _load(account, job, table)
    account.agenda.add(event.at, "table-active", table.name, table.id)
    account.agenda.add(event.at, "warm-active", table.name, table.id)
    done = replace(job, told={**job.told, **counts})
    _end(account, done, event, INVALID_ITEMS if counts["ErrorCount"] else None)


def _end(account: Account, job: Job, event: Event, failure: tuple[str, str] | None) -> None:
    ended = max(milliseconds(event.at) / 1000, job.started)
    status = "COMPLETED" if failure is None else "FAILED"
    told = dict(job.told)
    if failure is not None:
        told["FailureCode"], told["FailureMessage"] = failure
    jobs(account.rooms).put(replace(job, status=status, ended=ended, told=told, work=None))


def _load(account: Account, job: Job, table: Table) -> dict[str, int]:
    """Put every sound record into the table; the last of several with one key stays (beyond:IMP-5)."""
    tally = {"ErrorCount": 0, "ProcessedSizeBytes": 0, "ProcessedItemCount": 0, "ImportedItemCount": 0}
    options = (job.told.get("InputFormatOptions") or {}).get("Csv") or {}
    for found in objects(account, job.told["S3BucketSource"], job.told["InputCompressionType"]):
        tally["ProcessedSizeBytes"] += found.size
        for record in found.records(job.told["InputFormat"], table, options):
            tally["ProcessedItemCount"] += 1
            item = None if isinstance(record, reading.Fault) else usable(record["Item"], table)
            if item is None:
                tally["ErrorCount"] += 1
            else:
                tally["ImportedItemCount"] += 1
                table.install({name: item[name] for name in table.key.names}, item)
    return tally


@dataclass(frozen=True, slots=True)
class Object:
    """An object of a bucket, unpacked; ``data`` is None where it can't be."""

    key: str
    data: bytes | None

    @property
    def size(self) -> int:
        """Bytes, unpacked."""
        return len(self.data or b"")

    def records(self, kind: str, table: Table, options: Mapping[str, Any]) -> Iterator[reading.Record | reading.Fault]:
        """Its records in the given format; an object that can't be unpacked counts as one fault (beyond:IMP-4)."""
        if self.data is None:
            return iter((reading.Fault("not compressed as was said"),))
        if kind == "CSV":
            types = table.settings.attribute_types
            return reading.rows(self.data, types, options.get("Delimiter") or ",", options.get("HeaderList"))
        return reading.records(self.data, kind)


def objects(account: Account, source: Mapping[str, Any], compression: str) -> Iterator[Object]:
    """The objects whose keys begin with a prefix; folders without content are passed over (beyond:IMP-4)."""
    held, bucket = buckets(account.rooms), source["S3Bucket"]
    for key in held.keys(bucket, source.get("S3KeyPrefix") or ""):
        data = held.get(bucket, key)
        if not data:
            continue
        try:
            yield Object(key, unpack(data, compression))
        except PackingError:
            yield Object(key, None)


def usable(given: Json, table: Table) -> Item | None:
    """The item in normal form if the table can hold it, else None (beyond:IMP-5)."""
    asked = requests.read("PutItem", {"TableName": table.name, "Item": given})
    if not asked.typed or asked.violations:
        return None
    found: list[Violation] = []
    item = normalise_item(asked.body["Item"], "current", found)
    if item is None or found or item_size(item) > MAX_ITEM_BYTES:
        return None
    if item_key_faults(table.key, item) or index_key_faults(table, item):
        return None
    return item


def described(job: Job) -> dict[str, Any]:
    """``ImportTableDescription`` (beyond:IMP-11)."""
    told: dict[str, Any] = {"ImportArn": job.arn, "ImportStatus": job.status, "StartTime": job.started}
    if job.ended is not None:
        told["EndTime"] = job.ended
    return {**told, **job.told}


def describe_import(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeImport: imports outlive their tables (beyond:IMP-11)."""
    arn = body.get("ImportArn")
    if arn is None:
        return None
    if not context.account.owns(arn):
        yield violation("transfer.access-denied")
        return None
    if _IMPORT_ARN.fullmatch(arn) is None:
        yield violation("transfer.import-arn")
        return None
    job = known_jobs(context.account.rooms).find("import", arn)
    if job is None:
        yield violation("transfer.import-not-found", arn=arn)
        return None
    return Outcome({"ImportTableDescription": described(job)}, rules=("transfer.import-answer",))


def list_imports(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ListImports: also those whose table is gone (beyond:IMP-11)."""
    arn = body.get("TableArn")
    found = known_jobs(context.account.rooms).listed("import", context.now())
    if arn is not None:
        found = [job for job in found if job.told["TableArn"] == arn]
    shown = page(found, "import", min(max(body.get("PageSize") or PAGE, 1), 25), body.get("NextToken"))
    if shown is None:
        yield violation("transfer.next-token", token=body["NextToken"])
        return None
    answer: dict[str, Any] = {"ImportSummaryList": [_summary(job) for job in shown[0]]}
    if shown[1] is not None:
        answer["NextToken"] = shown[1]
    return Outcome(answer, rules=("transfer.import-list",))


def _summary(job: Job) -> dict[str, Any]:
    told = {
        "ImportArn": job.arn,
        "ImportStatus": job.status,
        "TableArn": job.told["TableArn"],
        "S3BucketSource": job.told["S3BucketSource"],
        "CloudWatchLogGroupArn": job.told["CloudWatchLogGroupArn"],
        "InputFormat": job.told["InputFormat"],
        "StartTime": job.started,
    }
    return told if job.ended is None else {**told, "EndTime": job.ended}


lifecycle.HANDLERS["import-begun"] = _begun
lifecycle.HANDLERS["import-finished"] = _finished

OPERATIONS: dict[str, Operation] = {
    "ImportTable": import_table,
    "DescribeImport": describe_import,
    "ListImports": list_imports,
}
