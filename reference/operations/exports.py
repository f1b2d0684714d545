"""ExportTableToPointInTime, DescribeExport and ListExports (beyond:EXP-1 to EXP-15)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reference import lifecycle
from reference.account import Account
from reference.agenda import Event
from reference.api import Item
from reference.backups.store import new_id
from reference.expressions import request
from reference.expressions.against_schema import filter_on_key
from reference.expressions.condition import evaluate
from reference.expressions.key_condition import Clause, analyse
from reference.expressions.projection import project
from reference.expressions.tree import And, Between, Call, Compare, Condition, Kind, Literal, Path
from reference.moments import iso_seconds, milliseconds, seconds
from reference.operations.base import Context, Effect, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.recovery import forgotten, window
from reference.operations.transactions import digest_of
from reference.rules import Checks, every, violation
from reference.tables.definition import watched
from reference.tables.table import Table
from reference.transfer import exporting
from reference.transfer.buckets import buckets, unreachable, unusable_key
from reference.transfer.exporting import Select
from reference.transfer.jobs import Job, jobs, known_jobs, page

QUARTER, DAY = 15 * 60, 24 * 3600
PAGE = 10
_KINDS: tuple[Kind, ...] = ("KeyCondition", "Filter", "Projection")
_TABLE_ARN = re.compile(r"arn:[^:]*:dynamodb:([^:]*):([^:]*):table/([^/]+)", re.DOTALL)
_EXPORT_ARN = re.compile(r"arn:[^:]*:dynamodb:([^:]*):[^:]*:table/[^/]+/export/[^/]+", re.DOTALL)
_KMS_KEY = re.compile(r"[a-zA-Z0-9:/_-]+")
_ECHOED = ("S3Bucket", "S3BucketOwner", "S3Prefix", "S3SseKmsKeyId", "FilterSpecification")


def export_table(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ExportTableToPointInTime: shape, ARN, table, recovery and time are checked at once, the bucket later (EXP-2)."""
    if not complete("ExportTableToPointInTime", body):
        return None
    yield from _shape(body)
    table = yield from _table(context, body["TableArn"])
    if table is None:
        return None
    digest = digest_of(body)
    earlier = known_jobs(context.account.rooms).repeated("export", body.get("ClientToken"), context.now())
    if earlier is not None:
        if earlier.digest != digest:
            yield violation("transfer.export-conflict")
            return None
        return Outcome({"ExportDescription": described(earlier)}, rules=("transfer.export-answer",))
    incremental = body.get("ExportType") == "INCREMENTAL_EXPORT"
    asked = (yield from _increment(context, body, table)) if incremental else (yield from _moment(context, body, table))
    if known_jobs(context.account.rooms).running("export") >= context.account.limits.exports:
        yield violation("transfer.export-limit", limit=context.account.limits.exports)
    select = yield from _selection(context, body.get("FilterSpecification"), table)
    if asked is None or select is None:
        return None
    job = _job(context, body, table, asked, digest)
    begun = _begin(job, table.name, select, body.get("ExportTime"))
    return Outcome({"ExportDescription": described(job)}, effects=(begun,), rules=("transfer.export-answer",))


def _shape(body: Mapping[str, Any]) -> Checks[None]:
    """Members that go together, or not (beyond:EXP-4)."""
    if body.get("S3Prefix") == "":
        yield violation("transfer.export-prefix-empty")
    kind, increment = body.get("ExportType"), body.get("IncrementalExportSpecification")
    if increment is not None and kind is None:
        yield violation("transfer.export-type-missing")
    elif increment is not None and kind == "FULL_EXPORT":
        yield violation("transfer.export-full-with-increment")
    elif increment is None and kind == "INCREMENTAL_EXPORT":
        yield violation("transfer.export-increment-missing")
    elif increment is not None and increment.get("ExportFromTime") is None:
        yield violation("transfer.export-from-missing")
    key = body.get("S3SseKmsKeyId")
    if key is not None and body.get("S3SseAlgorithm") != "KMS":
        yield violation("transfer.export-key-without-kms")
    if key is not None and _KMS_KEY.fullmatch(key) is None:
        yield violation("transfer.export-key", key=key)
    if body.get("FilterSpecification") == {}:
        yield violation("transfer.export-filter-empty")


def _table(context: Context, arn: str) -> Checks[Table | None]:
    """The table that an ARN names, in its own Region; what goes wrong is told of the ARN as it was sent (EXP-2)."""
    account, parts = context.account, _TABLE_ARN.fullmatch(arn)
    if not arn:
        yield violation("transfer.table-arn-empty")
        return None
    if parts is None:
        yield violation("transfer.index-arn" if _TABLE_ARN.match(arn) else "transfer.table-arn")
        return None
    region, owner, name = parts.groups()
    if owner != account.account_id:
        yield violation("transfer.access-denied")
        return None
    table = account.tables.get(name) if region == account.region else None
    if table is None or table.status == "CREATING" or forgotten(table, context.now()):
        yield violation("backups.table-not-found", table=arn)
        return None
    return table


def _moment(context: Context, body: Mapping[str, Any], table: Table) -> Checks[dict[str, float] | None]:
    """What a full export shows: the table at a moment in its recovery window, or now (beyond:EXP-3)."""
    since, now, asked = table.settings.pitr_since, context.now(), body.get("ExportTime")
    if since is None:
        yield violation("backups.recovery-off", table=table.name)
        return None
    if asked is None:
        return {"ExportTime": milliseconds(now) / 1000}
    earliest, latest = window(since, table.settings.pitr_days, now)
    if asked > now or seconds(asked) < earliest:
        yield violation("transfer.export-time")
        return None
    if seconds(asked) > latest:
        yield violation("transfer.export-time-fresh")
        return None
    return {"ExportTime": float(asked)}


def _increment(context: Context, body: Mapping[str, Any], table: Table) -> Checks[dict[str, float] | None]:
    """The window of an incremental export; without recovery there is no time to export (beyond:EXP-2, EXP-3)."""
    increment = body.get("IncrementalExportSpecification") or {}
    begin, end, now = increment.get("ExportFromTime"), increment.get("ExportToTime"), context.now()
    if begin is None:
        return None
    if end is None:
        end = float(seconds(now))
    _, sound = yield from watched(_window(begin, end, now, table))
    since = table.settings.pitr_since
    if since is None or seconds(begin) < window(since, table.settings.pitr_days, now)[0]:
        yield violation("transfer.export-from-early")
    elif sound:
        return {"ExportFromTime": float(begin), "ExportToTime": float(end)}
    return None


def _window(begin: float, end: float, now: float, table: Table) -> Checks[None]:
    if seconds(begin) < seconds(table.created):
        yield violation("transfer.export-from-creation", moment=iso_seconds(begin))
    if end > now:
        yield violation("transfer.export-to-future", moment=iso_seconds(end))
    length = seconds(end) - seconds(begin)
    if length < QUARTER:
        yield violation("transfer.export-window-short")
    elif length > DAY:
        yield violation("transfer.export-window-long")


def _selection(context: Context, filter: Mapping[str, Any] | None, table: Table) -> Checks[Select | None]:
    """What an export shows of an item (beyond:EXP-15)."""
    if filter is None:
        return _whole
    found, expressions = every(request.read(context.operation, filter, _KINDS, context.layer))
    if expressions is not None and expressions.key_condition is not None:
        key = table.key
        found += every(
            analyse(
                expressions.key_condition, [(a.name, a.type) for a in key.hash], [(a.name, a.type) for a in key.range]
            )
        )[0]
        if expressions.filter is not None:
            found += every(filter_on_key(expressions.filter, key.names))[0]
    for fault in found:
        yield violation("transfer.export-filter", fault=fault.message(context.surface))
    if found or expressions is None:
        return None
    wanted = [_as_condition(clause) for clause in expressions.key_condition or ()]
    if expressions.filter is not None:
        wanted.append(expressions.filter)
    condition = None if not wanted else wanted[0] if len(wanted) == 1 else And(tuple(wanted))
    paths = None if expressions.projection is None else expressions.projection.paths

    def select(item: Item) -> Item | None:
        if condition is not None and not evaluate(condition, item):
            return None
        return item if paths is None else project(paths, item)

    return select


def _whole(item: Item) -> Item | None:
    return item


def _as_condition(clause: Clause) -> Condition:
    path, operands = Path((clause.attribute,)), tuple(map(Literal, clause.operands))
    if clause.operator == "BETWEEN":
        return Between(path, *operands)
    if clause.operator == "begins_with":
        return Call("begins_with", (path, *operands))
    return Compare(clause.operator, path, *operands)


def _job(context: Context, body: Mapping[str, Any], table: Table, asked: dict[str, float], digest: str) -> Job:
    account, started = context.account, milliseconds(context.now()) / 1000
    token = body.get("ClientToken") or account.coming_id()
    told: dict[str, Any] = {
        "TableArn": table.arn,
        "TableId": table.id,
        "ClientToken": token,
        **{member: body[member] for member in _ECHOED if body.get(member) is not None},
        "S3SseAlgorithm": body.get("S3SseAlgorithm") or "AES256",
        "ExportFormat": body.get("ExportFormat") or "DYNAMODB_JSON",
        "DestinationType": "S3",
    }
    if "ExportTime" in asked:
        told["ExportTime"] = asked["ExportTime"]
        if body.get("ExportType") is not None:
            told["ExportType"] = body["ExportType"]
    else:
        view = body["IncrementalExportSpecification"].get("ExportViewType") or "NEW_AND_OLD_IMAGES"
        told["ExportType"] = "INCREMENTAL_EXPORT"
        told["IncrementalExportSpecification"] = {**asked, "ExportViewType": view}
    return Job(
        kind="export",
        number=len(known_jobs(account.rooms)) + 1,
        arn=f"{table.arn}/export/{new_id(started, account.coming_id()[:8])}",
        table=table.name,
        table_id=table.id,
        started=started,
        told=told,
        token=token,
        digest=digest,
    )


def _begin(job: Job, name: str, select: Select, moment: float | None) -> Effect:
    """Read what is exported now, of a moment or as it stands: later the table may be gone."""

    def effect(account: Account) -> None:
        account.new_id()
        table, told = account.tables[name], job.told
        increment = told.get("IncrementalExportSpecification")
        if increment is None:
            then = table if moment is None else table.as_of(max(moment, table.settings.pitr_since or 0.0))
            lines = exporting.full_lines(then, told["ExportFormat"], select)
            billed = sum(line.size for line in lines)
        else:
            begin, end = increment["ExportFromTime"], increment["ExportToTime"]
            view = increment["ExportViewType"]
            lines = exporting.changed_lines(table, begin, end, told["ExportFormat"], view, select)
            billed = max(exporting.LEAST_INCREMENT_BYTES, sum(line.size for line in lines))
        partitions = exporting.ON_DEMAND_PARTITIONS if table.settings.on_demand else 1
        where = (job.id, "data") if increment is None else ("data",)
        folder = exporting.key_of(told.get("S3Prefix"), *where)
        data = exporting.data_files(lines, folder, job.id, told["ExportFormat"], partitions)
        jobs(account.rooms).put(replace(job, work=(data, billed)))
        account.agenda.add(account.now() + account.delays.transfer, "export-finished", job.arn)

    return effect


def _finished(account: Account, event: Event) -> None:
    """The bucket and the key are looked for only now (beyond:EXP-6)."""
    job = jobs(account.rooms).find("export", event.about[0])
    if job is None:
        return
    held, told = buckets(account.rooms), job.told
    failure = unreachable(held, account.account_id, told["S3Bucket"], told.get("S3BucketOwner"))
    failure = failure or unusable_key(account.region, told.get("S3SseKmsKeyId"))
    ended = max(milliseconds(event.at) / 1000, job.started)
    if failure is not None:
        code, message = failure
        kept = {**told, "FailureCode": code, "FailureMessage": message}
        jobs(account.rooms).put(replace(job, status="FAILED", ended=ended, told=kept, work=None))
        return
    data, billed = job.work
    done = {
        **told,
        "ExportManifest": exporting.key_of(told.get("S3Prefix"), job.id, "manifest-summary.json"),
        "BilledSizeBytes": billed,
        "ItemCount": sum(count for _, count, _ in data),
    }
    finished = replace(job, status="COMPLETED", ended=ended, told=done, work=None)
    times = {"exportTime": done["ExportTime"]} if "ExportTime" in done else {
        "exportFromTime": done["IncrementalExportSpecification"]["ExportFromTime"],
        "exportToTime": done["IncrementalExportSpecification"]["ExportToTime"],
    }  # fmt: skip
    for key, content in exporting.files(described(finished), times, data).items():
        held.put(told["S3Bucket"], key, content)
    jobs(account.rooms).put(finished)


def described(job: Job) -> dict[str, Any]:
    """``ExportDescription``; what an export counted shows when it is done (beyond:EXP-5)."""
    told: dict[str, Any] = {"ExportArn": job.arn, "ExportStatus": job.status, "StartTime": job.started}
    if job.ended is not None:
        told["EndTime"] = job.ended
    return {**told, **job.told}


def describe_export(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeExport (beyond:EXP-8)."""
    arn = body.get("ExportArn")
    if arn is None:
        return None
    if not context.account.owns(arn):
        yield violation("transfer.access-denied")
        return None
    parts = _EXPORT_ARN.fullmatch(arn)
    if parts is None:
        yield violation("transfer.export-arn")
        return None
    if parts[1] != context.account.region:
        yield violation("transfer.export-other-region")
        return None
    job = known_jobs(context.account.rooms).find("export", arn)
    if job is None:
        yield violation("transfer.export-not-found", arn=arn)
        return None
    return Outcome({"ExportDescription": described(job)}, rules=("transfer.export-answer",))


def list_exports(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ListExports: those of a table only while it is that very table (beyond:EXP-8)."""
    account, arn = context.account, body.get("TableArn")
    found = known_jobs(account.rooms).listed("export", context.now())
    if arn is not None:
        table = account.any_table(arn) if arn.startswith("arn:") else None
        found = [job for job in found if table is not None and job.table_id == table.id]
    shown = page(found, "export", min(max(body.get("MaxResults") or PAGE, 1), 25), body.get("NextToken"))
    if shown is None:
        yield violation("transfer.next-token", token=body["NextToken"])
        return None
    answer: dict[str, Any] = {
        "ExportSummaries": [
            {
                "ExportArn": job.arn,
                "ExportStatus": job.status,
                "ExportType": job.told.get("ExportType") or "FULL_EXPORT",
            }
            for job in shown[0]
        ]
    }
    if shown[1] is not None:
        answer["NextToken"] = shown[1]
    return Outcome(answer, rules=("transfer.export-list",))


lifecycle.HANDLERS["export-finished"] = _finished

OPERATIONS: dict[str, Operation] = {
    "ExportTableToPointInTime": export_table,
    "DescribeExport": describe_export,
    "ListExports": list_exports,
}
