"""What holds of every backup, restore, export and import: the state at a moment comes back as it was."""

from __future__ import annotations

import gzip
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.account import Account, Delays
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.lifecycle import settle
from reference.service import Service
from reference.tables import describe
from reference.transfer import ion
from reference.transfer.buckets import buckets
from reference.values.item import normalise_item
from tests.properties import shaped

START = 1_800_000_000.0
ARN = "arn:aws:dynamodb:us-east-1:400000000004:table/tab"
QUICK = settings(deadline=None, derandomize=True, max_examples=60)
State = dict[tuple[str, str], dict[str, Any]]

writes = st.tuples(
    st.sampled_from("pqr"),
    st.sampled_from("12"),
    st.one_of(st.none(), st.integers(0, 5)),
    st.integers(0, 400),
)
"""A key, what is written under it (None: delete), and the seconds that pass before."""


def table() -> Service:
    """A service with a table with an index, and point-in-time recovery on."""
    service = Service(Account(ManualClock(START)))
    names = ("pk", "sk", "n")
    reply(
        service,
        "CreateTable",
        TableName="tab",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": n, "KeyType": t} for n, t in zip(names, ("HASH", "RANGE"), strict=False)],
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in zip(names, "SSN", strict=True)],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "gsi",
                "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    on = {"PointInTimeRecoveryEnabled": True}
    reply(service, "UpdateContinuousBackups", TableName="tab", PointInTimeRecoverySpecification=on)
    return service


def reply(service: Service, operation: str, **body: Any) -> Any:
    answer = service.execute(Call(operation, body))
    assert isinstance(answer, Success), answer
    return answer.body


def write(service: Service, pk: str, sk: str, value: int | None) -> None:
    key = {"pk": {"S": pk}, "sk": {"S": sk}}
    if value is None:
        reply(service, "DeleteItem", TableName="tab", Key=key)
    else:
        reply(service, "PutItem", TableName="tab", Item={**key, "n": {"N": str(value)}})


def contents(service: Service, name: str) -> tuple[State, list[tuple[str, str]]]:
    """The items of a table by key, and the keys in its index."""
    items = reply(service, "Scan", TableName=name)["Items"]
    indexed = reply(service, "Scan", TableName=name, IndexName="gsi")["Items"]
    return (
        {(item["pk"]["S"], item["sk"]["S"]): item for item in items},
        sorted((item["pk"]["S"], item["sk"]["S"]) for item in indexed),
    )


@QUICK
@given(st.lists(writes, max_size=12), st.data())
def test_a_table_restored_to_a_moment_is_what_it_was_then(drawn: list[Any], data: st.DataObject) -> None:
    service = table()
    states = [(START, contents(service, "tab"))]
    for pk, sk, value, wait in drawn:
        service.account.clock.advance(wait)  # type: ignore[attr-defined]
        write(service, pk, sk, value)
        states.append((service.account.now(), contents(service, "tab")))
    service.account.clock.advance(300)  # type: ignore[attr-defined]
    moment = data.draw(st.integers(0, int(states[-1][0] - START)).map(lambda n: START + n))
    expected = next(state for at, state in reversed(states) if at <= moment)
    body = {"SourceTableName": "tab", "TargetTableName": "then", "RestoreDateTime": moment}
    reply(service, "RestoreTableToPointInTime", **body)
    assert contents(service, "then") == expected
    assert contents(service, "tab") == states[-1][1]


@QUICK
@given(st.lists(writes, max_size=8), st.lists(writes, max_size=8))
def test_a_table_restored_from_a_backup_is_what_it_was_when_backed_up(before: list[Any], after: list[Any]) -> None:
    service = table()
    for pk, sk, value, _ in before:
        write(service, pk, sk, value)
    expected = contents(service, "tab")
    arn = reply(service, "CreateBackup", TableName="tab", BackupName="then")["BackupDetails"]["BackupArn"]
    for pk, sk, value, _ in after:
        write(service, pk, sk, value)
    reply(service, "DeleteTable", TableName="tab")
    kept = reply(service, "ListBackups", BackupType="SYSTEM")["BackupSummaries"][0]["BackupArn"]
    last = service.fork()
    reply(service, "RestoreTableFromBackup", TargetTableName="tab", BackupArn=arn)
    assert contents(service, "tab") == expected
    reply(last, "RestoreTableFromBackup", TargetTableName="tab", BackupArn=kept)
    for pk, sk, value, _ in [*before, *after]:
        write(service, pk, sk, value)
    assert contents(last, "tab") == contents(service, "tab")


def export(service: Service, **body: Any) -> dict[str, Any]:
    buckets(service.account.rooms).make("shelf")
    told = reply(service, "ExportTableToPointInTime", **{"TableArn": ARN, "S3Bucket": "shelf", **body})
    done = reply(service, "DescribeExport", ExportArn=told["ExportDescription"]["ExportArn"])["ExportDescription"]
    assert done["ExportStatus"] == "COMPLETED", done
    return dict(done)


def exported(service: Service, done: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of an export, from the files that its manifest names."""
    held = buckets(service.account.rooms)
    files = held.get("shelf", done["ExportManifest"].replace("summary", "files")) or b""
    found = []
    for entry in map(json.loads, files.splitlines()):
        content = gzip.decompress(held.get("shelf", entry["dataFileS3Key"]) or b"").splitlines()
        assert len(content) == entry["itemCount"]
        found += map(json.loads, content)
    return found


values = st.recursive(
    st.one_of(
        st.builds(lambda text: {"S": text}, st.text(st.characters(exclude_categories=["Cs"]))),
        st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9).map(
            lambda number: {"N": str(number)}
        ),
        st.integers(-120, 120).map(lambda exponent: {"N": f"7e{exponent}"}),
        st.sampled_from([{"BOOL": True}, {"NULL": True}, {"B": "AAE="}, {"SS": ["a", "b"]}, {"NS": ["1", "10"]}]),
        st.just({"BS": ["AA==", "AAE="]}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda each: {"L": each}),
        st.dictionaries(st.text(min_size=1, max_size=4), inner, max_size=3).map(lambda each: {"M": each}),
    ),
    max_leaves=6,
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6).filter(
    lambda name: name not in ("pk", "sk", "n")
)


@QUICK
@given(
    st.dictionaries(
        st.tuples(st.sampled_from("pqr"), st.sampled_from("12")), st.dictionaries(names, values), max_size=5
    ),
    st.sampled_from(["DYNAMODB_JSON", "ION"]),
)
def test_what_was_exported_and_imported_is_the_source(drawn: dict[Any, Any], kind: str) -> None:
    service = table()
    for (pk, sk), attributes in drawn.items():
        item = {**attributes, "pk": {"S": pk}, "sk": {"S": sk}, "n": {"N": "1"}}
        reply(service, "PutItem", TableName="tab", Item=item)
    done = export(service, ExportFormat=kind)
    told = reply(service, "DescribeTable", TableName="tab")["Table"]
    made = reply(
        service,
        "ImportTable",
        S3BucketSource={
            "S3Bucket": "shelf",
            "S3KeyPrefix": done["ExportManifest"].replace("manifest-summary.json", "data/"),
        },
        ClientToken="token",
        InputFormat=kind,
        InputCompressionType="GZIP",
        TableCreationParameters={
            "TableName": "copy",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": told["KeySchema"],
            "AttributeDefinitions": told["AttributeDefinitions"],
            "GlobalSecondaryIndexes": [
                {name: told["GlobalSecondaryIndexes"][0][name] for name in ("IndexName", "KeySchema", "Projection")}
            ],
        },
    )
    arn = made["ImportTableDescription"]["ImportArn"]
    ended = reply(service, "DescribeImport", ImportArn=arn)["ImportTableDescription"]
    assert (ended["ImportStatus"], ended["ImportedItemCount"]) == ("COMPLETED", len(drawn))
    assert contents(service, "copy") == contents(service, "tab")


@QUICK
@given(st.lists(st.lists(writes, max_size=6), min_size=1, max_size=3))
def test_a_full_export_with_its_increments_is_a_later_full_export(drawn: list[list[Any]]) -> None:
    service = table()
    clock: ManualClock = service.account.clock  # type: ignore[assignment]
    shown = {json.dumps(each["Item"]): each["Item"] for each in exported(service, export(service))}
    held = {(item["pk"]["S"], item["sk"]["S"]): item for item in shown.values()}
    begin = START
    for quarter in drawn:
        for pk, sk, value, wait in quarter:
            clock.advance(wait / 4)
            write(service, pk, sk, value)
        clock.set(begin + 900)
        end = service.account.now()
        increment = {"ExportFromTime": begin, "ExportToTime": end}
        done = export(service, ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=increment)
        for record in exported(service, done):
            key = (record["Keys"]["pk"]["S"], record["Keys"]["sk"]["S"])
            assert record.get("OldImage") == held.pop(key, None)
            if "NewImage" in record:
                held[key] = record["NewImage"]
        assert held == {
            (each["Item"]["pk"]["S"], each["Item"]["sk"]["S"]): each["Item"]
            for each in exported(service, export(service))
        }
        begin = end


@QUICK
@given(st.dictionaries(names, values, max_size=4))
def test_ion_keeps_every_item(drawn: dict[str, Any]) -> None:
    item = normalise_item(drawn, "current", [])
    assert item is not None
    (node,) = ion.read(ion.write_item(item))
    assert normalise_item(ion.item(node), "current", []) == item


@QUICK
@given(st.text(st.sampled_from("{}[]():,\"'\\ abn_$019.-deE/*\n")))
def test_any_text_is_ion_or_is_refused(text: str) -> None:
    try:
        for node in ion.read(text):
            ion.attribute_value(node)
    except ion.IonError:
        pass


BACKUPS = (f"{ARN}/backup/01800000000000-00000000", ARN.replace("us", "eu") + "/backup/1-2", "arn:aws:x")
INDEX = {
    "IndexName": "gsi",
    "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}
WORDS: shaped.Words = {
    "TableName": ("tab", "off", ARN),
    "SourceTableName": ("tab", "off"),
    "SourceTableArn": (ARN,),
    "TableArn": (ARN, ARN + "/index/gsi"),
    "TargetTableName": ("new", "tab"),
    "BackupName": ("nightly",),
    "BackupArn": BACKUPS,
    "ExclusiveStartBackupArn": BACKUPS,
    "RestoreDateTime": (START, START + 1),
    "GlobalSecondaryIndexOverride": ([], [INDEX]),
    "BillingModeOverride": ("PAY_PER_REQUEST",),
    "S3Bucket": ("shelf", "none"),
    "S3KeyPrefix": ("in/",),
    "ExportType": ("INCREMENTAL_EXPORT",),
    "ExportFromTime": (START,),
    "ExportToTime": (START + 900, START + 1e9),
    "FilterExpression": ("n > :v", "n >"),
    "ExpressionAttributeValues": ({":v": {"N": "1"}},),
    "ClientToken": ("once",),
    "TableCreationParameters": (
        {
            "TableName": "new",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        },
    ),
    "ExportArn": (f"{ARN}/export/1-2",),
    "ImportArn": (f"{ARN}/import/1-2",),
    "BulkOperationArn": (f"{ARN}/bulk-operation/1-2",),
    "NextToken": ("f" * 112, "6578706f72747c31".ljust(112, "0"), "6578706f72747c2d31".ljust(112, "0")),
}
OPERATIONS = (
    "CreateBackup", "DescribeBackup", "ListBackups", "DeleteBackup", "RestoreTableFromBackup",
    "RestoreTableToPointInTime", "UpdateContinuousBackups", "DescribeContinuousBackups",
    "ExportTableToPointInTime", "DescribeExport", "ListExports", "ImportTable", "DescribeImport", "ListImports",
    "StartBulkPutItems", "DescribeBulkOperation", "ListBulkOperations", "CancelBulkOperation", "CreateGlobalTable",
    "UpdateGlobalTable", "DescribeGlobalTable", "ListGlobalTables", "DescribeTableReplicaAutoScaling",
)  # fmt: skip


def state(service: Service) -> Any:
    """All that anybody could see of an account; due states have been settled."""
    settle(service.account)
    now = service.account.now()
    tables = [(describe.table(each, now), list(each.items())) for each in service.account.tables.values()]
    listed = [
        ("ListBackups", {"BackupType": "ALL"}),
        ("ListExports", {}),
        ("ListImports", {}),
        ("ListBulkOperations", {}),
    ]
    jobs = [reply(service, operation, **body) for operation, body in listed]
    held = buckets(service.account.rooms)
    return tables, jobs, [(bucket, held.keys(bucket)) for bucket in held.names()]


def requests(operations: tuple[str, ...]) -> st.SearchStrategy[Call]:
    return st.sampled_from(operations).flatmap(lambda name: shaped.body(name, WORDS).map(lambda body: Call(name, body)))


@settings(QUICK, max_examples=150)
@given(st.lists(requests(OPERATIONS), min_size=1, max_size=6), st.sampled_from([0.0, 5.0]))
def test_draining_any_request_changes_nothing_and_agrees_with_execution(drawn: list[Call], delay: float) -> None:
    service = table()
    service.account.delays = Delays(restore_table=delay, transfer=delay)
    buckets(service.account.rooms).make("shelf")
    for number, text in enumerate(['{"Item":{"pk":{"S":"x"},"sk":{"S":"y"}}}', "pk\nx\n", "$ion_1_0 {Item:{pk:1}}"]):
        buckets(service.account.rooms).put("shelf", f"in/{number}", text.encode())
    reply(service, "CreateTable", **{
        "TableName": "off",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    })  # fmt: skip
    for call in drawn:
        service.account.clock.advance(1)  # type: ignore[attr-defined]
        before = state(service)
        outcomes = service.outcomes(call)
        assert state(service) == before
        answer = service.execute(call)
        if outcomes.violations:
            assert isinstance(answer, Refusal)
            assert (answer.code, answer.rules[:1]) == (
                outcomes.violations[0].rule.error,
                service.refusal(call, outcomes.violations[0]).rules[:1],
            )
        else:
            assert outcomes.outcome is not None
            assert answer == Success(outcomes.outcome.body)
