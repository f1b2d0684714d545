"""Exports to a bucket: what is refused, and how they are looked up, against AWS's answers (beyond:EXP-*)."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Delays
from reference.tables.limits import Limits
from tests.unit.table_requests import IPV, PLAIN, START
from tests.unit.transfer_bench import ARN, BUCKET, Bench

QUARTER, HOUR, DAY = 900, 3_600, 86_400


@pytest.fixture
def bench() -> Bench:
    return Bench()


class TestChecks:
    @pytest.mark.parametrize(
        ("more", "code", "message"),
        [
            ({"TableArn": "tab"}, "ValidationException", f"{IPV}tableArn is not a valid ARN"),
            ({"TableArn": f"{ARN}/index/gsi"}, "ValidationException", "Invalid Request: Table ARN is invalid."),
            ({"TableArn": ARN.replace("400000000004", "111111111111")}, "AccessDeniedException", "Access is denied"),
            ({"TableArn": f"{ARN}s"}, "TableNotFoundException", f"Table not found: {ARN}s"),
            (
                {"TableArn": ARN.replace("us-east-1", "us-west-2")},
                "TableNotFoundException",
                f"Table not found: {ARN.replace('us-east-1', 'us-west-2')}",
            ),
            (
                {"IncrementalExportSpecification": {"ExportFromTime": START}},
                "ValidationException",
                "Invalid Request: Export Type expected to be Incremental Export when incremental export "
                "specification is provided",
            ),
            (
                {"IncrementalExportSpecification": {"ExportFromTime": START}, "ExportType": "FULL_EXPORT"},
                "ValidationException",
                "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be "
                "provided",
            ),
            (
                {"ExportType": "INCREMENTAL_EXPORT"},
                "ValidationException",
                "Invalid Request: Incremental Export Specification expected when export type is set as "
                "Incremental Export",
            ),
            (
                {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {}},
                "ValidationException",
                "Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification",
            ),
            (
                {"S3SseKmsKeyId": "alias/key"},
                "ValidationException",
                "Invalid Request: KMS Key Id is not supported for this encryption type",
            ),
            (
                {"FilterSpecification": {}},
                "ValidationException",
                "Invalid Request: Invalid FilterSpecification: The specification can not be empty",
            ),
            ({"ExportTime": START + HOUR + 5}, "InvalidExportTimeException", "Export Time is invalid"),
            ({"ExportTime": START - 1}, "InvalidExportTimeException", "Export Time is invalid"),
            (
                {"ExportTime": START + HOUR - 1},
                "InvalidExportTimeException",
                "Point in Time Recovery is not available for specified export time",
            ),
        ],
    )
    def test_refused(self, bench: Bench, more: dict[str, Any], code: str, message: str) -> None:
        bench.clock.advance(HOUR)
        asked = {"TableArn": ARN, "S3Bucket": BUCKET, **more}
        assert bench.refused("ExportTableToPointInTime", **asked) == (code, message)

    def test_recovery_is_looked_for_before_the_time_and_the_bucket(self) -> None:
        bench = Bench(recover=False)
        off = (
            "PointInTimeRecoveryUnavailableException",
            "Point in time recovery is not enabled for table 'tab'",
        )
        for more in ({}, {"ExportTime": 0}, {"S3Bucket": "none"}):
            asked = {"TableArn": ARN, "S3Bucket": BUCKET, **more}
            assert bench.refused("ExportTableToPointInTime", **asked) == off

    def test_tokens(self, bench: Bench) -> None:
        asked = {"TableArn": ARN, "S3Bucket": "none", "ClientToken": "once"}
        first = bench.call("ExportTableToPointInTime", **asked)["ExportDescription"]
        again = bench.call("ExportTableToPointInTime", **asked)["ExportDescription"]
        assert (again["ExportArn"], again["ExportStatus"]) == (first["ExportArn"], "FAILED")
        assert bench.refused("ExportTableToPointInTime", **{**asked, "S3Bucket": BUCKET}) == (
            "ExportConflictException",
            "Export conflict: Duplicate request detected with conflicting parameters",
        )
        bench.clock.advance(8 * HOUR)
        later = bench.call("ExportTableToPointInTime", **asked)["ExportDescription"]
        assert later["ExportArn"] != first["ExportArn"]

    def test_most_exports_at_once(self) -> None:
        bench = Bench(Delays(transfer=60), Limits(exports=1))
        asked = {"TableArn": ARN, "S3Bucket": BUCKET}
        bench.call("ExportTableToPointInTime", **asked)
        assert bench.refused("ExportTableToPointInTime", **asked)[0] == "LimitExceededException"
        bench.clock.advance(60)
        bench.call("ExportTableToPointInTime", **asked)


class TestLooking:
    @pytest.mark.parametrize(
        ("arn", "code", "message"),
        [
            (ARN + "/import/01800000000000-00", "ValidationException", "Invalid Export ARN"),
            ("x" * 40, "ValidationException", "Invalid Export ARN"),
            (
                f"{ARN}/export/0",
                "ExportNotFoundException",
                f"Export not found: Export not found: {ARN}/export/0",
            ),
            (
                f"{ARN}/export/0".replace("us-east-1", "us-west-2"),
                "ExportNotFoundException",
                "Export not found: Invalid export arn",
            ),
            (f"{ARN}/export/0".replace("400000000004", "111111111111"), "AccessDeniedException", "Access is denied"),
            (ARN.replace("400000000004", "111111111111"), "AccessDeniedException", "Access is denied"),
            (ARN.replace("arn:", "nra:"), "ValidationException", "Invalid Export ARN"),
        ],
    )
    def test_arns(self, bench: Bench, arn: str, code: str, message: str) -> None:
        assert bench.refused("DescribeExport", ExportArn=arn) == (code, message)

    def test_list(self, bench: Bench) -> None:
        made = []
        for _ in range(12):
            made.append(bench.export()["ExportArn"])
            bench.clock.advance(QUARTER)
        page = bench.call("ListExports", TableArn=ARN)
        assert [each["ExportArn"] for each in page["ExportSummaries"]] == made[:1:-1]
        assert page["ExportSummaries"][0] == {
            "ExportArn": made[11],
            "ExportStatus": "COMPLETED",
            "ExportType": "FULL_EXPORT",
        }
        rest = bench.call("ListExports", TableArn=ARN, NextToken=page["NextToken"])
        assert [each["ExportArn"] for each in rest["ExportSummaries"]] == made[1::-1]
        assert "NextToken" not in rest
        wrong = ("ValidationException", f"Invalid Request: Provided nextToken is invalid: {page['NextToken']}")
        assert bench.refused("ListImports", NextToken=page["NextToken"]) == wrong
        bench.clock.advance(90 * DAY)
        assert bench.call("ListExports") == {"ExportSummaries": []}

    def test_exports_outlive_their_table_but_are_not_listed_under_it(self, bench: Bench) -> None:
        arn = bench.export()["ExportArn"]
        bench.call("DeleteTable", TableName="tab")
        assert bench.call("ListExports", TableArn=ARN) == {"ExportSummaries": []}
        bench.call("CreateTable", **PLAIN)
        assert bench.call("ListExports", TableArn=ARN) == {"ExportSummaries": []}
        assert len(bench.call("ListExports")["ExportSummaries"]) == 1
        assert bench.call("DescribeExport", ExportArn=arn)["ExportDescription"]["TableArn"] == ARN
