"""Buckets in a folder: what is there is read, what is exported is written, and nothing outside is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reference.account import Account
from reference.api import Call, Success
from reference.clock import ManualClock
from reference.folder import FolderBuckets
from reference.service import Service
from tests.unit.table_requests import PLAIN

ARN = "arn:aws:dynamodb:us-east-1:400000000004:table/tab"


class Bench:
    def __init__(self, root: Path) -> None:
        account = Account(ManualClock())
        self.warnings: list[str] = []
        self.served = FolderBuckets(Service(account), account, root, self.warnings.append)
        self.call("CreateTable", **PLAIN)
        on = {"PointInTimeRecoveryEnabled": True}
        self.call("UpdateContinuousBackups", TableName="tab", PointInTimeRecoverySpecification=on)
        self.call("PutItem", TableName="tab", Item={"id": {"S": "a"}})

    def call(self, operation: str, **body: Any) -> Any:
        answer = self.served.execute(Call(operation, body))
        assert isinstance(answer, Success), answer
        return answer.body

    def export(self, **more: Any) -> str:
        told = self.call("ExportTableToPointInTime", TableArn=ARN, **{"S3Bucket": "shelf", **more})["ExportDescription"]
        done: str = self.call("DescribeExport", ExportArn=told["ExportArn"])["ExportDescription"]["ExportStatus"]
        return done


def test_exports_are_written(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    bench = Bench(tmp_path)
    assert bench.export(S3Prefix="daily") == "COMPLETED"
    (manifest,) = tmp_path.glob("shelf/daily/AWSDynamoDB/*/manifest-summary.json")
    assert json.loads(manifest.read_text())["itemCount"] == 1
    assert len(list(tmp_path.glob("shelf/daily/AWSDynamoDB/*/data/*.json.gz"))) == 4
    assert bench.warnings == []


def test_folders_are_the_buckets(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert bench.export() == "FAILED"
    (tmp_path / "shelf").mkdir()
    assert bench.export() == "COMPLETED"


def test_imports_read_what_was_put_there_later(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    (tmp_path / "shelf" / "in").mkdir(parents=True)
    (tmp_path / "shelf" / "in" / "1.json").write_text('{"Item":{"id":{"S":"z"}}}')
    bench.call(
        "ImportTable",
        S3BucketSource={"S3Bucket": "shelf", "S3KeyPrefix": "in/"},
        InputFormat="DYNAMODB_JSON",
        TableCreationParameters={**PLAIN, "TableName": "new"},
        ClientToken="token",
    )
    assert bench.call("Scan", TableName="new")["Items"] == [{"id": {"S": "z"}}]


def test_keys_stay_inside_the_bucket(tmp_path: Path) -> None:
    (tmp_path / "root" / "shelf").mkdir(parents=True)
    bench = Bench(tmp_path / "root")
    for prefix in ("../../out", "/out", "./out", "a//b"):
        assert bench.export(S3Prefix=prefix) == "COMPLETED"
    assert [each.name for each in tmp_path.iterdir()] == ["root"]
    assert [each.name for each in (tmp_path / "root").iterdir()] == ["shelf"]
    again = Bench(tmp_path / "root")
    assert again.export() == "COMPLETED"
    held = again.served.account.rooms["buckets"]
    for prefix in ("../../out/", "/out/", "./out/", "a//b/"):
        assert held.keys("shelf", prefix)


def test_files_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "AWSDynamoDB").write_text("in the way")
    bench = Bench(tmp_path)
    assert bench.export() == "COMPLETED"
    assert bench.warnings
    assert all(each.startswith("cannot write ") for each in bench.warnings)
