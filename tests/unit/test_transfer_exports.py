"""Exports to a bucket: answers and every file, against AWS's answers and its guide (beyond:EXP-1 to EXP-15)."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from typing import Any

import pytest

from reference.account import Delays
from tests.unit.table_requests import PLAIN, START, index, units
from tests.unit.transfer_bench import ARN, BUCKET, Bench

QUARTER, HOUR, DAY = 900, 3_600, 86_400


@pytest.fixture
def bench() -> Bench:
    return Bench()


class TestFull:
    def test_answers(self) -> None:
        bench = Bench(Delays(transfer=120))
        bench.put("ab")
        asked = {"TableArn": ARN, "S3Bucket": BUCKET, "ClientToken": "token"}
        told = bench.call("ExportTableToPointInTime", **asked)["ExportDescription"]
        arn = told["ExportArn"]
        assert arn.startswith(f"{ARN}/export/01800000000000-")
        table = bench.call("DescribeTable", TableName="tab")["Table"]
        begun = {
            "ExportArn": arn,
            "ExportStatus": "IN_PROGRESS",
            "StartTime": START,
            "ExportTime": START,
            "TableArn": ARN,
            "TableId": table["TableId"],
            "ClientToken": "token",
            "S3Bucket": BUCKET,
            "S3SseAlgorithm": "AES256",
            "ExportFormat": "DYNAMODB_JSON",
            "DestinationType": "S3",
        }
        assert told == begun
        assert bench.call("DescribeExport", ExportArn=arn)["ExportDescription"] == begun
        bench.clock.advance(120)
        id = arn.rsplit("/", 1)[1]
        assert bench.call("DescribeExport", ExportArn=arn)["ExportDescription"] == {
            **begun,
            "ExportStatus": "COMPLETED",
            "EndTime": START + 120,
            "ExportManifest": f"AWSDynamoDB/{id}/manifest-summary.json",
            "BilledSizeBytes": 4,
            "ItemCount": 1,
        }

    def test_files(self, bench: Bench) -> None:
        for id in ("a", "b", "c"):
            bench.put(id, n={"N": "1"})
        told = bench.export(S3Prefix="daily")
        folder = told["ExportManifest"].removesuffix("/manifest-summary.json")
        assert folder == f"daily/AWSDynamoDB/{told['ExportArn'].rsplit('/', 1)[1]}"
        names = [key.removeprefix(f"{folder}/") for key in bench.objects(folder)]
        assert len(names) == 9
        assert sorted(name for name in names if not name.startswith("data/")) == [
            "_started",
            "manifest-files.json",
            "manifest-files.md5",
            "manifest-summary.json",
            "manifest-summary.md5",
        ]
        data = [name for name in names if name.startswith("data/")]
        assert len(data) == 4
        assert all(name.endswith(".json.gz") for name in data)
        assert bench.object_(f"{folder}/_started") == b""
        assert sorted(record["Item"]["id"]["S"] for record in bench.records(f"{folder}/data/")) == ["a", "b", "c"]
        assert '{"Item":{"id":{"S":"a"},"n":{"N":"1"}}}' in bench.lines(f"{folder}/data/")

    def test_manifests(self, bench: Bench) -> None:
        bench.put("a")
        bench.clock.advance(0.25)
        told = bench.export(S3Prefix="daily")
        folder = told["ExportManifest"].removesuffix("/manifest-summary.json")
        summary = bench.object_(f"{folder}/manifest-summary.json")
        assert json.loads(summary) == {
            "version": "2020-06-30",
            "exportArn": told["ExportArn"],
            "startTime": "2027-01-15T08:00:00.250Z",
            "endTime": "2027-01-15T08:00:00.250Z",
            "tableArn": ARN,
            "tableId": told["TableId"],
            "exportTime": "2027-01-15T08:00:00.250Z",
            "s3Bucket": BUCKET,
            "s3Prefix": "daily",
            "s3SseAlgorithm": "AES256",
            "s3SseKmsKeyId": None,
            "manifestFilesS3Key": f"{folder}/manifest-files.json",
            "billedSizeBytes": 3,
            "itemCount": 1,
            "outputFormat": "DYNAMODB_JSON",
            "exportType": "FULL_EXPORT",
        }
        assert bench.object_(f"{folder}/manifest-summary.md5") == base64.b64encode(hashlib.md5(summary).digest())
        entries = bench.object_(f"{folder}/manifest-files.json")
        listed = [json.loads(line) for line in entries.decode().splitlines()]
        assert sorted(each["dataFileS3Key"] for each in listed) == bench.objects(f"{folder}/data/")
        assert sum(each["itemCount"] for each in listed) == 1
        for each in listed:
            content = bench.object_(each["dataFileS3Key"])
            assert each["md5Checksum"] == base64.b64encode(hashlib.md5(content).digest()).decode()
            assert len(gzip.decompress(content).splitlines()) == each["itemCount"]
        assert bench.object_(f"{folder}/manifest-files.md5") == base64.b64encode(hashlib.md5(entries).digest())

    @pytest.mark.parametrize(
        ("prefix", "folder"), [(None, "AWSDynamoDB"), ("foo/", "foo/AWSDynamoDB"), ("/foo", "/foo/AWSDynamoDB")]
    )
    def test_prefixes(self, bench: Bench, prefix: str | None, folder: str) -> None:
        told = bench.export(S3Prefix=prefix)
        assert told["ExportManifest"].startswith(f"{folder}/0180")
        assert bench.objects(f"{folder}/0180")

    def test_provisioned_tables_have_one_file(self, bench: Bench) -> None:
        body = {**PLAIN, "TableName": "pro", "BillingMode": "PROVISIONED", "ProvisionedThroughput": units(1, 1)}
        bench.call("CreateTable", **body)
        on = {"PointInTimeRecoveryEnabled": True}
        bench.call("UpdateContinuousBackups", TableName="pro", PointInTimeRecoverySpecification=on)
        told = bench.export(TableArn=f"{ARN[:-3]}pro")
        assert told["ItemCount"] == 0
        data = bench.objects(told["ExportManifest"].replace("manifest-summary.json", "data/"))
        assert [gzip.decompress(bench.object_(key)) for key in data] == [b""]

    def test_ion(self, bench: Bench) -> None:
        bench.put("a", n={"N": "600"}, s={"SS": ["x", "y"]}, b={"B": "AAE="}, m={"M": {"z": {"NULL": True}}})
        told = bench.export(ExportFormat="ION")
        assert told["ExportFormat"] == "ION"
        folder = told["ExportManifest"].replace("manifest-summary.json", "data/")
        assert all(key.endswith(".ion.gz") for key in bench.objects(folder))
        assert bench.lines(folder) == ['$ion_1_0 {Item:{id:"a",n:6d2,s:$dynamodb_SS::["x","y"],b:{{AAE=}},m:{z:null}}}']

    def test_of_a_moment(self, bench: Bench) -> None:
        bench.put("a")
        bench.clock.advance(HOUR)
        bench.delete("a")
        bench.put("b")
        bench.clock.advance(HOUR)
        told = bench.export(ExportTime=START + HOUR - 1)
        assert told["ExportTime"] == START + HOUR - 1
        folder = told["ExportManifest"].replace("manifest-summary.json", "data/")
        assert bench.records(folder) == [{"Item": {"id": {"S": "a"}}}]

    def test_the_table_as_it_was_when_it_was_asked_for(self) -> None:
        bench = Bench(Delays(transfer=120))
        bench.put("a")
        made = bench.call("ExportTableToPointInTime", TableArn=ARN, S3Bucket=BUCKET)["ExportDescription"]
        bench.put("b")
        bench.call("DeleteTable", TableName="tab")
        bench.clock.advance(120)
        told = bench.call("DescribeExport", ExportArn=made["ExportArn"])["ExportDescription"]
        assert (told["ExportStatus"], told["ItemCount"]) == ("COMPLETED", 1)
        assert bench.records(told["ExportManifest"].replace("manifest-summary.json", "data/")) == [
            {"Item": {"id": {"S": "a"}}}
        ]

    def test_what_was_written_within_the_same_millisecond(self, bench: Bench) -> None:
        bench.clock.advance(0.0004)
        bench.put("a")
        told = bench.export()
        assert (told["ExportTime"], told["ItemCount"]) == (START, 1)

    def test_echoes(self, bench: Bench) -> None:
        told = bench.export(S3SseAlgorithm="KMS", S3SseKmsKeyId="alias/aws/s3", S3BucketOwner="400000000004")
        assert (told["S3SseAlgorithm"], told["S3SseKmsKeyId"]) == ("KMS", "alias/aws/s3")
        assert told["S3BucketOwner"] == "400000000004"
        assert "ExportType" not in told
        assert bench.export(ExportType="FULL_EXPORT")["ExportType"] == "FULL_EXPORT"

    @pytest.mark.parametrize(
        ("more", "code", "message"),
        [
            ({"S3Bucket": "none"}, "S3NoSuchBucket", "The specified bucket does not exist"),
            ({"S3BucketOwner": "111111111111"}, "S3AccessDenied", "Access Denied"),
            (
                {"S3SseAlgorithm": "KMS", "S3SseKmsKeyId": "arn:aws:kms:us-west-2:400000000004:key/3b1a7419"},
                "KmsNotFoundException",
                "Invalid arn us-west-2 (Service: Amazon S3; Status Code: 400; Error Code: KMS.NotFoundException",
            ),
        ],
    )
    def test_failures(self, bench: Bench, more: dict[str, str], code: str, message: str) -> None:
        told = bench.export(**more)
        assert (told["ExportStatus"], told["FailureCode"]) == ("FAILED", code)
        assert told["FailureMessage"].startswith(message)
        assert "ExportManifest" not in told
        assert "ItemCount" not in told
        assert bench.objects() == []


class TestFilter:
    def exported(self, bench: Bench, **filter: Any) -> list[dict[str, Any]]:
        told = bench.export(FilterSpecification=filter)
        assert told["FilterSpecification"] == filter
        return bench.records(told["ExportManifest"].replace("manifest-summary.json", "data/"))

    @pytest.fixture(autouse=True)
    def _items(self, bench: Bench) -> None:
        bench.put("a", n={"N": "1"}, m={"N": "7"})
        bench.put("b", n={"N": "2"})

    def test_items(self, bench: Bench) -> None:
        found = self.exported(bench, FilterExpression="n > :one", ExpressionAttributeValues={":one": {"N": "1"}})
        assert found == [{"Item": {"id": {"S": "b"}, "n": {"N": "2"}}}]

    def test_attributes(self, bench: Bench) -> None:
        found = self.exported(
            bench,
            KeyConditionExpression="id = :a",
            ProjectionExpression="id, #m",
            ExpressionAttributeNames={"#m": "m"},
            ExpressionAttributeValues={":a": {"S": "a"}},
        )
        assert found == [{"Item": {"id": {"S": "a"}, "m": {"N": "7"}}}]

    @pytest.mark.parametrize(
        "filter",
        [
            {"FilterExpression": "n >"},
            {"FilterExpression": "n > :v"},
            {"KeyConditionExpression": "n = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}},
            {
                "KeyConditionExpression": "id = :v",
                "FilterExpression": "attribute_exists(id)",
                "ExpressionAttributeValues": {":v": {"S": "a"}},
            },
        ],
    )
    def test_faults(self, bench: Bench, filter: dict[str, Any]) -> None:
        asked = {"TableArn": ARN, "S3Bucket": BUCKET, "FilterSpecification": filter}
        code, message = bench.refused("ExportTableToPointInTime", **asked)
        assert code == "ValidationException"
        assert message is not None
        assert message.startswith("Invalid Request: Invalid FilterSpecification: ")


class TestIncremental:
    def exported(self, bench: Bench, begin: float, end: float, **more: Any) -> list[dict[str, Any]]:
        told = self.told(bench, begin, end, **more)
        return sorted(bench.records("AWSDynamoDB/data/"), key=lambda record: record["Keys"]["id"]["S"]) if told else []

    def told(self, bench: Bench, begin: float, end: float, **more: Any) -> dict[str, Any]:
        increment = {"ExportFromTime": begin, "ExportToTime": end, **more.pop("increment", {})}
        return bench.export(ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=increment, **more)

    @pytest.fixture
    def changed(self, bench: Bench) -> Bench:
        """Items inserted, updated, deleted, inserted and deleted, within the second quarter of an hour."""
        bench.put("update", n={"N": "1"})
        bench.put("delete", n={"N": "1"})
        bench.put("stay", n={"N": "1"})
        bench.clock.advance(QUARTER)
        bench.put("insert", n={"N": "2"})
        bench.put("update", n={"N": "2"})
        bench.put("update", n={"N": "3"})
        bench.delete("delete")
        bench.put("passing")
        bench.delete("passing")
        bench.clock.advance(QUARTER)
        bench.put("insert", n={"N": "9"})
        return bench

    def test_net_effect(self, changed: Bench) -> None:
        assert self.exported(changed, START + QUARTER, START + 2 * QUARTER) == [
            {
                "Metadata": {"WriteTimestampMicros": "1800000900000000"},
                "Keys": {"id": {"S": "delete"}},
                "OldImage": {"id": {"S": "delete"}, "n": {"N": "1"}},
            },
            {
                "Metadata": {"WriteTimestampMicros": "1800000900000000"},
                "Keys": {"id": {"S": "insert"}},
                "NewImage": {"id": {"S": "insert"}, "n": {"N": "2"}},
            },
            {
                "Metadata": {"WriteTimestampMicros": "1800000900000000"},
                "Keys": {"id": {"S": "update"}},
                "OldImage": {"id": {"S": "update"}, "n": {"N": "1"}},
                "NewImage": {"id": {"S": "update"}, "n": {"N": "3"}},
            },
        ]

    def test_new_images_only(self, changed: Bench) -> None:
        found = self.exported(changed, START + QUARTER, START + 2 * QUARTER, increment={"ExportViewType": "NEW_IMAGE"})
        assert [sorted(record) for record in found] == [
            ["Keys", "Metadata"],
            ["Keys", "Metadata", "NewImage"],
            ["Keys", "Metadata", "NewImage"],
        ]

    def test_ion(self, changed: Bench) -> None:
        self.told(changed, START + QUARTER, START + 2 * QUARTER, ExportFormat="ION")
        assert (
            '$ion_1_0 {Record:{Keys:{id:"update"},Metadata:{WriteTimestampMicros:1800000900000000.},'
            'OldImage:{id:"update",n:1.},NewImage:{id:"update",n:3.}}}'
        ) in changed.lines("AWSDynamoDB/data/")

    def test_description_and_manifest(self, changed: Bench) -> None:
        told = self.told(changed, START + QUARTER, START + 2 * QUARTER)
        assert told["ExportType"] == "INCREMENTAL_EXPORT"
        assert told["IncrementalExportSpecification"] == {
            "ExportFromTime": START + QUARTER,
            "ExportToTime": START + 2 * QUARTER,
            "ExportViewType": "NEW_AND_OLD_IMAGES",
        }
        assert "ExportTime" not in told
        assert (told["ItemCount"], told["BilledSizeBytes"]) == (3, 10_000_000)
        summary = json.loads(changed.object_(told["ExportManifest"]))
        assert summary["version"] == "2023-08-01"
        assert summary["exportFromTime"] == "2027-01-15T08:15:00.000Z"
        assert summary["exportToTime"] == "2027-01-15T08:30:00.000Z"
        assert "exportTime" not in summary
        assert (summary["outputView"], summary["exportType"]) == ("NEW_AND_OLD_IMAGES", "INCREMENTAL_EXPORT")

    def test_to_now(self, changed: Bench) -> None:
        increment = {"ExportFromTime": START}
        changed.clock.advance(0.7)
        told = changed.export(ExportType="INCREMENTAL_EXPORT", IncrementalExportSpecification=increment)
        assert told["IncrementalExportSpecification"]["ExportToTime"] == START + 2 * QUARTER

    @pytest.mark.parametrize(
        ("begin", "end", "message"),
        [
            (
                -1,
                QUARTER,
                "Incremental export period from time cannot be less than the table creation time : "
                "2027-01-15T07:59:59Z",
            ),
            (
                QUARTER,
                2 * QUARTER + 1,
                "Incremental export period to time cannot be greater than the current time : 2027-01-15T08:30:01Z",
            ),
            (
                QUARTER,
                2 * QUARTER - 1,
                "Difference between export period from time and export period to time is less than 15 minutes",
            ),
            (
                2 * QUARTER,
                QUARTER,
                "Difference between export period from time and export period to time is less than 15 minutes",
            ),
        ],
    )
    def test_windows(self, changed: Bench, begin: int, end: int, message: str) -> None:
        asked = {
            "TableArn": ARN,
            "S3Bucket": BUCKET,
            "ExportType": "INCREMENTAL_EXPORT",
            "IncrementalExportSpecification": {"ExportFromTime": START + begin, "ExportToTime": START + end},
        }
        assert changed.refused("ExportTableToPointInTime", **asked) == ("InvalidExportTimeException", message)

    def test_longest_window(self, bench: Bench) -> None:
        bench.clock.advance(2 * DAY)
        self.told(bench, START, START + DAY)
        asked = {
            "TableArn": ARN,
            "S3Bucket": BUCKET,
            "ExportType": "INCREMENTAL_EXPORT",
            "IncrementalExportSpecification": {"ExportFromTime": START, "ExportToTime": START + DAY + 1},
        }
        code, _ = bench.refused("ExportTableToPointInTime", **asked)
        assert code == "InvalidExportTimeException"

    def test_before_recovery(self) -> None:
        bench = Bench(recover=False)
        asked = {"TableArn": ARN, "S3Bucket": BUCKET, "ExportType": "INCREMENTAL_EXPORT"}
        early = {**asked, "IncrementalExportSpecification": {"ExportFromTime": START - 1}}
        assert bench.refused("ExportTableToPointInTime", **early)[0] == "InvalidExportTimeException"
        bench.clock.advance(QUARTER)
        begun = {**asked, "IncrementalExportSpecification": {"ExportFromTime": START}}
        assert bench.refused("ExportTableToPointInTime", **begun)[0] == "InvalidExportTimeException"
        bench.recover()
        assert bench.refused("ExportTableToPointInTime", **begun)[0] == "InvalidExportTimeException"


def test_index_data_is_not_exported(bench: Bench) -> None:
    create = {"Create": index("gsi", "n")}
    bench.call(
        "UpdateTable",
        TableName="tab",
        AttributeDefinitions=[{"AttributeName": "n", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[create],
    )
    bench.put("a", n={"S": "x"})
    assert bench.export()["ItemCount"] == 1
