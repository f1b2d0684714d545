"""Restores from other regions, and from tables that are being deleted, against AWS's answers (beyond:RST-5, RST-10)."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Account, Delays
from reference.clock import ManualClock
from reference.replicas.world import World
from reference.service import Service
from tests.unit.table_requests import PLAIN, START, refusal, reply

ARN = "arn:aws:dynamodb:us-east-1:400000000004:table/tab"
KEYED: dict[str, Any] = {"SSESpecificationOverride": {"Enabled": True, "SSEType": "KMS"}}
LATEST: dict[str, Any] = {"UseLatestRestorableTime": True}
UNENCRYPTED = (
    "ValidationException",
    "Invalid Request: sseSpecificationOverride must be provided for cross-region restores",
)


class Bench:
    """A customer with a table of one item in one region, a backup of it, and point-in-time recovery."""

    def __init__(self, delays: Delays | None = None) -> None:
        self.clock = ManualClock(START)
        world = World(Account(self.clock, delays=delays))
        self.home, self.abroad = Service(world.account("us-east-1")), Service(world.account("us-west-2"))
        reply(self.home, "CreateTable", **PLAIN)
        on = {"PointInTimeRecoveryEnabled": True}
        reply(self.home, "PutItem", TableName="tab", Item={"id": {"S": "x"}})
        reply(self.home, "UpdateContinuousBackups", TableName="tab", PointInTimeRecoverySpecification=on)
        made = reply(self.home, "CreateBackup", TableName="tab", BackupName="nightly")
        self.backup: str = made["BackupDetails"]["BackupArn"]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def made(service: Service, name: str) -> tuple[Any, list[Any]]:
    table = reply(service, "DescribeTable", TableName=name)["Table"]
    return table, reply(service, "Scan", TableName=name)["Items"]


def test_from_a_backup_of_another_region(bench: Bench) -> None:
    asked = {"TargetTableName": "new", "BackupArn": bench.backup}
    assert refusal(bench.abroad, "RestoreTableFromBackup", **asked) == UNENCRYPTED
    reply(bench.abroad, "RestoreTableFromBackup", **asked, **KEYED)
    table, items = made(bench.abroad, "new")
    assert (table["TableArn"], items) == (ARN.replace("us-east-1", "us-west-2")[:-3] + "new", [{"id": {"S": "x"}}])
    assert table["SSEDescription"]["KMSMasterKeyArn"].startswith("arn:aws:kms:us-west-2:400000000004:key/")
    assert refusal(bench.home, "DescribeTable", TableName="new")[0] == "ResourceNotFoundException"


def test_to_a_moment_in_another_region(bench: Bench) -> None:
    asked = {"TargetTableName": "new", **LATEST}
    assert refusal(bench.abroad, "RestoreTableToPointInTime", SourceTableArn=ARN, **asked) == UNENCRYPTED
    reply(bench.abroad, "RestoreTableToPointInTime", SourceTableArn=ARN, **asked, **KEYED)
    assert made(bench.abroad, "new")[1] == [{"id": {"S": "x"}}]
    named = refusal(bench.abroad, "RestoreTableToPointInTime", SourceTableName="tab", **{**asked, **KEYED})
    assert named == ("TableNotFoundException", "Table not found: tab")
    gone = refusal(bench.abroad, "RestoreTableToPointInTime", SourceTableArn=f"{ARN}s", **asked, **KEYED)
    assert gone == ("TableNotFoundException", "Table not found")


def test_a_backup_feeds_one_restore_in_all_regions() -> None:
    bench = Bench(Delays(restore_table=60))
    reply(bench.abroad, "RestoreTableFromBackup", TargetTableName="new", BackupArn=bench.backup, **KEYED)
    busy = f"Backup is being used to restore another table: {bench.backup}"
    asked = {"TargetTableName": "other", "BackupArn": bench.backup}
    assert refusal(bench.home, "RestoreTableFromBackup", **asked) == ("BackupInUseException", busy)
    bench.clock.advance(60)
    reply(bench.home, "RestoreTableFromBackup", **asked)


def test_backups_belong_to_their_region(bench: Bench) -> None:
    missing = ("BackupNotFoundException", f"Backup not found: {bench.backup}")
    assert refusal(bench.abroad, "DescribeBackup", BackupArn=bench.backup) == missing
    assert refusal(bench.abroad, "DeleteBackup", BackupArn=bench.backup) == missing
    assert reply(bench.abroad, "ListBackups") == {"BackupSummaries": []}


def test_a_table_in_deletion_is_soon_forgotten() -> None:
    bench = Bench(Delays(delete_table=5))
    reply(bench.home, "DeleteTable", TableName="tab")
    bench.clock.advance(0.9)
    reply(bench.home, "DescribeContinuousBackups", TableName="tab")
    reply(bench.home, "CreateBackup", TableName="tab", BackupName="last")
    reply(bench.home, "ExportTableToPointInTime", TableArn=ARN, S3Bucket="shelf")
    reply(bench.home, "RestoreTableToPointInTime", SourceTableName="tab", TargetTableName="new", **LATEST)
    bench.clock.advance(1.1)
    assert reply(bench.home, "DescribeTable", TableName="tab")["Table"]["TableStatus"] == "DELETING"
    missing = ("TableNotFoundException", "Table not found: tab")
    assert refusal(bench.home, "DescribeContinuousBackups", TableName="tab") == missing
    assert refusal(bench.home, "CreateBackup", TableName="tab", BackupName="last") == missing
    asked = {"TargetTableName": "other", **LATEST}
    assert refusal(bench.home, "RestoreTableToPointInTime", SourceTableName="tab", **asked) == missing
    late = ("TableNotFoundException", f"Table not found: {ARN}")
    assert refusal(bench.home, "ExportTableToPointInTime", TableArn=ARN, S3Bucket="shelf") == late
