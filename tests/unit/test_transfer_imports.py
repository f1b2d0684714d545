"""Imports from a bucket: answers, formats, bad records, states, against AWS's answers and its guide (beyond:IMP-*)."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import zstandard

from reference.account import Delays
from reference.tables.limits import Limits
from tests.unit.table_requests import IPV, PLAIN, START, defined, index, key, units
from tests.unit.transfer_bench import BUCKET, Bench

ARN = "arn:aws:dynamodb:us-east-1:400000000004:table/new"
NEW = {**PLAIN, "TableName": "new"}
FAILED = (
    "Some of the items failed validation checks and were not imported. "
    "Please check CloudWatch error logs for more details."
)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def asked(**more: Any) -> dict[str, Any]:
    return {
        "S3BucketSource": {"S3Bucket": BUCKET, "S3KeyPrefix": "data/"},
        "InputFormat": "DYNAMODB_JSON",
        "TableCreationParameters": NEW,
        **more,
    }


def counts(told: dict[str, Any]) -> tuple[str, int, int, int]:
    return told["ImportStatus"], told["ProcessedItemCount"], told["ImportedItemCount"], told["ErrorCount"]


def lines(*ids: str) -> str:
    return "".join(json.dumps({"Item": {"id": {"S": id}}}) + "\n" for id in ids)


class TestAnswers:
    def test_from_beginning_to_end(self) -> None:
        bench = Bench(Delays(transfer=120))
        bench.store("data/1.json", lines("a", "b"))
        told = bench.call("ImportTable", **asked(ClientToken="token"))["ImportTableDescription"]
        arn, table = told["ImportArn"], told["TableId"]
        assert arn.startswith(f"{ARN}/import/01800000000000-")
        begun = {
            "ImportArn": arn,
            "ImportStatus": "IN_PROGRESS",
            "StartTime": START,
            "TableArn": ARN,
            "TableId": table,
            "ClientToken": "token",
            "S3BucketSource": {"S3BucketOwner": "400000000004", "S3Bucket": BUCKET, "S3KeyPrefix": "data/"},
            "CloudWatchLogGroupArn": "arn:aws:logs:us-east-1:400000000004:log-group:/aws-dynamodb/imports:*",
            "InputFormat": "DYNAMODB_JSON",
            "InputCompressionType": "NONE",
            "TableCreationParameters": NEW,
            "ErrorCount": 0,
            "ProcessedItemCount": 0,
            "ImportedItemCount": 0,
        }
        assert told == begun
        assert bench.refused("DescribeTable", TableName="new")[0] == "ResourceNotFoundException"
        bench.clock.advance(30)
        described = bench.call("DescribeTable", TableName="new")["Table"]
        assert (described["TableStatus"], described["TableId"]) == ("CREATING", table)
        assert bench.refused("DeleteTable", TableName="new")[0] == "ResourceInUseException"
        assert bench.refused("Scan", TableName="new")[0] == "ResourceNotFoundException"
        bench.clock.advance(90)
        assert bench.call("DescribeImport", ImportArn=arn)["ImportTableDescription"] == {
            **begun,
            "ImportStatus": "COMPLETED",
            "EndTime": START + 120,
            "ProcessedSizeBytes": 58,
            "ProcessedItemCount": 2,
            "ImportedItemCount": 2,
        }
        assert bench.call("DescribeTable", TableName="new")["Table"]["TableStatus"] == "ACTIVE"
        assert bench.keys("new") == ["a", "b"]

    def test_no_bucket_no_table(self, bench: Bench) -> None:
        told = bench.import_(S3BucketSource={"S3Bucket": "none"})
        assert counts(told) == ("FAILED", 0, 0, 0)
        assert told["FailureCode"] == "S3NoSuchBucket"
        assert told["FailureMessage"].startswith("The specified bucket does not exist (Service: Amazon S3; ")
        assert told["TableArn"] == ARN
        assert bench.refused("DescribeTable", TableName="new")[0] == "ResourceNotFoundException"

    def test_nothing_below_the_prefix(self, bench: Bench) -> None:
        assert counts(bench.import_(prefix="none/")) == ("COMPLETED", 0, 0, 0)
        assert bench.keys("new") == []

    def test_the_prefix_is_the_beginning_of_the_key(self, bench: Bench) -> None:
        bench.store("data/1.json", lines("a"))
        bench.store("data2/x.json", "garbage")
        bench.store("data.bak", "garbage")
        assert counts(bench.import_(prefix="data")) == ("FAILED", 3, 1, 2)
        assert counts(bench.import_("other", prefix="data/1.json")) == ("COMPLETED", 1, 1, 0)

    def test_indexes_and_capacity(self, bench: Bench) -> None:
        bench.store("x", json.dumps({"Item": {"id": {"S": "a"}, "g": {"S": "x"}}}))
        parameters = {
            "TableName": "new",
            "KeySchema": key("id"),
            "AttributeDefinitions": defined("id", "g"),
            "ProvisionedThroughput": units(5, 5),
            "GlobalSecondaryIndexes": [index("gsi", "g", ProvisionedThroughput=units(1, 1))],
        }
        bench.import_(TableCreationParameters=parameters)
        told = bench.call("DescribeTable", TableName="new")["Table"]
        assert told["ProvisionedThroughput"]["ReadCapacityUnits"] == 5
        assert (told["GlobalSecondaryIndexes"][0]["IndexStatus"], told["GlobalSecondaryIndexes"][0]["ItemCount"]) == (
            "ACTIVE",
            1,
        )

    def test_imported_tables_are_like_any_other(self, bench: Bench) -> None:
        bench.store("x", lines("a"))
        bench.import_()
        bench.call("UpdateTable", TableName="new", DeletionProtectionEnabled=True)
        bench.call("PutItem", TableName="new", Item={"id": {"S": "b"}})
        assert bench.keys("new") == ["a", "b"]


class TestRecords:
    def test_item_without_its_key(self, bench: Bench) -> None:
        bench.store("x", lines(*"abcd") + '{"Item":{"n":{"N":"1"}}}\n' + lines(*"fghij"))
        told = bench.import_()
        assert counts(told) == ("FAILED", 10, 9, 1)
        assert (told["FailureCode"], told["FailureMessage"]) == ("ItemValidationError", FAILED)
        assert len(bench.keys("new")) == 9
        assert bench.call("DescribeTable", TableName="new")["Table"]["TableStatus"] == "ACTIVE"

    def test_garbage_ends_its_object_only(self, bench: Bench) -> None:
        bench.store("1", lines(*"abcde") + "garbage\n" + lines(*"ghij"))
        bench.store("2", lines("z"))
        assert counts(bench.import_()) == ("FAILED", 7, 6, 1)
        assert bench.keys("new") == ["a", "b", "c", "d", "e", "z"]

    @pytest.mark.parametrize(
        "item",
        [
            {"id": {"N": "1"}},
            {"id": {"S": ""}},
            {"id": {"S": "x" * 2049}},
            {"id": {"S": "a"}, "n": {"N": "one"}},
            {"id": {"S": "a"}, "n": {"N": 1}},
            {"id": {"S": "a"}, "n": {}},
            {"id": {"S": "a"}, "s": {"SS": []}},
            {"id": {"S": "a"}, "b": {"B": "?"}},
            {"id": {"S": "a"}, "x": {"S": "x" * 409_600}},
            {"id": {"S": "a"}, "g": {"N": "1"}},
            {"id": {"S": "a"}, "g": {"S": ""}},
            {"id": "a"},
        ],
    )
    def test_bad_items(self, bench: Bench, item: dict[str, Any]) -> None:
        bench.store("x", json.dumps({"Item": item}) + "\n" + lines("z"))
        parameters = {**NEW, "AttributeDefinitions": defined("id", "g"), "GlobalSecondaryIndexes": [index("gsi", "g")]}
        assert counts(bench.import_(TableCreationParameters=parameters)) == ("FAILED", 2, 1, 1)

    @pytest.mark.parametrize("record", ["[]", "1", "{}", '{"Item":1}', '{"id":{"S":"a"}}'])
    def test_records_that_are_no_items(self, bench: Bench, record: str) -> None:
        bench.store("x", record + "\n" + lines("z"))
        assert counts(bench.import_()) == ("FAILED", 2, 1, 1)

    def test_objects_without_line_breaks(self, bench: Bench) -> None:
        bench.store("x", lines("a", "b").replace("\n", ""))
        assert counts(bench.import_()) == ("COMPLETED", 2, 2, 0)

    def test_the_same_key_twice(self, bench: Bench) -> None:
        bench.store("x", lines("a", "a"))
        assert counts(bench.import_()) == ("COMPLETED", 2, 2, 0)
        assert bench.keys("new") == ["a"]

    def test_values_become_normal(self, bench: Bench) -> None:
        bench.store("x", '{"Item":{"id":{"S":"a"},"n":{"N":"1.50e1"}}}')
        bench.import_()
        assert bench.call("Scan", TableName="new")["Items"] == [{"id": {"S": "a"}, "n": {"N": "15"}}]

    def test_ion(self, bench: Bench) -> None:
        bench.store("1", '$ion_1_0 {Item:{id:"a",n:6d2,s:$dynamodb_NS::[1.,2.]}}\n$ion_1_0 {Item:{id:"b"}}\n')
        bench.store("2", '$ion_1_0 [{Item:{id:"c"}},{Item:{id:symbol}},{Item:{id:1.}},{Other:1},2]\n')
        assert counts(bench.import_(kind="ION")) == ("FAILED", 7, 3, 4)
        assert bench.call("GetItem", TableName="new", Key={"id": {"S": "a"}})["Item"] == {
            "id": {"S": "a"},
            "n": {"N": "600"},
            "s": {"NS": ["1", "2"]},
        }

    def test_compression(self, bench: Bench) -> None:
        bench.store("gzip", gzip.compress(lines("a").encode()) + gzip.compress(lines("b").encode()))
        bench.store("zstd", zstandard.ZstdCompressor().compress(lines("c").encode()))
        assert counts(bench.import_("one", prefix="gzip", InputCompressionType="GZIP")) == ("COMPLETED", 2, 2, 0)
        assert counts(bench.import_("two", prefix="zstd", InputCompressionType="ZSTD")) == ("COMPLETED", 1, 1, 0)
        assert counts(bench.import_("three", prefix="zstd", InputCompressionType="GZIP")) == ("FAILED", 1, 0, 1)
        assert counts(bench.import_("four", prefix="gzip", InputCompressionType="ZSTD")) == ("FAILED", 1, 0, 1)
        assert counts(bench.import_("five", prefix="gzip")) == ("FAILED", 1, 0, 1)

    def test_an_export_can_be_imported(self, bench: Bench) -> None:
        for id in "abc":
            bench.put(id)
        root = bench.export()["ExportManifest"].removesuffix("manifest-summary.json")
        assert counts(bench.import_("one", prefix=f"{root}data/", InputCompressionType="GZIP")) == (
            "COMPLETED",
            3,
            3,
            0,
        )
        assert counts(bench.import_("two", prefix=root, InputCompressionType="GZIP")) == ("FAILED", 7, 3, 4)
        assert counts(bench.import_("three", prefix=f"{root}data/")) == ("FAILED", 4, 0, 4)


class TestCsv:
    def imported(self, bench: Bench, text: str | bytes, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        bench.store("x", text)
        parameters = {
            "TableName": "new",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": key("id"),
            "AttributeDefinitions": [
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "n", "AttributeType": "N"},
            ],
            "GlobalSecondaryIndexes": [index("gsi", "n")],
        }
        told = bench.import_(kind="CSV", TableCreationParameters=parameters, **more)
        items = bench.call("Scan", TableName="new")["Items"]
        return told, sorted(items, key=lambda item: item["id"]["S"])

    def test_types_and_empty_columns(self, bench: Bench) -> None:
        told, items = self.imported(bench, "id,n,other,more\na,1,2,\nb,,,x\n")
        assert counts(told) == ("COMPLETED", 2, 2, 0)
        assert items == [
            {"id": {"S": "a"}, "n": {"N": "1"}, "other": {"S": "2"}},
            {"id": {"S": "b"}, "more": {"S": "x"}},
        ]
        assert "InputFormatOptions" not in told

    def test_quotes(self, bench: Bench) -> None:
        _, items = self.imported(bench, 'id,value\r\n"""123""","Women\'s Full ""Length"" Dress"\r\n"a\nb","x,y"\r\n')
        assert items == [
            {"id": {"S": '"123"'}, "value": {"S": 'Women\'s Full "Length" Dress'}},
            {"id": {"S": "a\nb"}, "value": {"S": "x,y"}},
        ]

    def test_header_and_delimiter(self, bench: Bench) -> None:
        options = {"Csv": {"Delimiter": ";", "HeaderList": ["id", "val"]}}
        told, items = self.imported(bench, "a;1,2\nb;3\n", InputFormatOptions=options)
        assert items == [{"id": {"S": "a"}, "val": {"S": "1,2"}}, {"id": {"S": "b"}, "val": {"S": "3"}}]
        assert told["InputFormatOptions"] == options

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("id,n\na,one\nb,2\n", ("FAILED", 2, 1, 1)),
            ("id,n\na,1,2\nb,2\n", ("FAILED", 2, 1, 1)),
            ("id,n\n,1\nb,2\n", ("FAILED", 2, 1, 1)),
            ("n,x\n1,a\n", ("FAILED", 1, 0, 1)),
            ('id,n\nb,2\n"a,1\n', ("FAILED", 2, 1, 1)),
            (b"id\n\xff\n", ("FAILED", 1, 0, 1)),
            ("", ("COMPLETED", 0, 0, 0)),
            ("id,n\n\nb,2\n", ("COMPLETED", 1, 1, 0)),
        ],
    )
    def test_bad_rows(self, bench: Bench, text: str | bytes, told: tuple[str, int, int, int]) -> None:
        assert counts(self.imported(bench, text)[0]) == told


class TestChecks:
    @pytest.mark.parametrize(
        ("more", "message"),
        [
            (
                {"TableCreationParameters": {name: each for name, each in NEW.items() if name != "BillingMode"}},
                f"{IPV}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
            ),
            (
                {
                    "TableCreationParameters": {
                        **NEW,
                        "BillingMode": "PROVISIONED",
                        "ProvisionedThroughput": units(1, 1),
                        "OnDemandThroughput": {"MaxWriteRequestUnits": 5},
                    }
                },
                f"{IPV}MaxWriteRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is "
                "PROVISIONED.",
            ),
            (
                {"InputFormatOptions": {"Csv": {"Delimiter": ","}}},
                "Invalid Request: Unsupported InputFormatOptions for the given input format: DYNAMODB_JSON.",
            ),
            (
                {"InputCompressionType": "BZIP2"},
                "1 validation error detected: Value 'BZIP2' at 'inputCompressionType' failed to satisfy constraint: "
                "Member must satisfy enum value set: [ZSTD, NONE, GZIP]",
            ),
        ],
    )
    def test_refused(self, bench: Bench, more: dict[str, Any], message: str) -> None:
        assert bench.refused("ImportTable", **asked(**more)) == ("ValidationException", message)

    def test_names_that_are_taken(self) -> None:
        bench = Bench(Delays(delete_table=5))
        taken = asked(TableCreationParameters=PLAIN)
        exists = ("ResourceInUseException", "Table already exists: tab")
        assert bench.refused("ImportTable", **taken) == exists
        bench.call("DeleteTable", TableName="tab")
        assert bench.refused("ImportTable", **taken) == exists
        bench.clock.advance(5)
        bench.call("ImportTable", **taken)

    def test_of_two_for_one_name_the_later_fails(self) -> None:
        bench = Bench(Delays(transfer=120))
        first = bench.call("ImportTable", **asked())["ImportTableDescription"]["ImportArn"]
        second = bench.call("ImportTable", **asked())["ImportTableDescription"]["ImportArn"]
        bench.clock.advance(120)
        told = [bench.call("DescribeImport", ImportArn=arn)["ImportTableDescription"] for arn in (first, second)]
        assert [each["ImportStatus"] for each in told] == ["COMPLETED", "FAILED"]
        assert told[1]["FailureCode"] == "TableAlreadyExists"

    def test_tokens(self) -> None:
        bench = Bench(Delays(transfer=120))
        once = asked(ClientToken="once")
        first = bench.call("ImportTable", **once)["ImportTableDescription"]["ImportArn"]
        assert bench.call("ImportTable", **once)["ImportTableDescription"]["ImportArn"] == first
        moved = {**once, "S3BucketSource": {"S3Bucket": BUCKET, "S3KeyPrefix": "other"}}
        assert bench.call("ImportTable", **moved)["ImportTableDescription"]["ImportArn"] == first
        other = {**once, "TableCreationParameters": {**PLAIN, "TableName": "other"}}
        conflict = (
            "ImportConflictException",
            "Import conflict: Duplicate request detected with conflicting parameters",
        )
        assert bench.refused("ImportTable", **other) == conflict
        bench.clock.advance(120)
        assert bench.refused("ImportTable", **once) == ("ResourceInUseException", "Table already exists: new")
        bench.call("DeleteTable", TableName="new")
        assert bench.call("ImportTable", **once)["ImportTableDescription"]["ImportArn"] == first
        assert bench.refused("DescribeTable", TableName="new")[0] == "ResourceNotFoundException"

    def test_most_imports_at_once(self) -> None:
        bench = Bench(Delays(transfer=60), Limits(imports=1))
        bench.call("ImportTable", **asked())
        more = asked(TableCreationParameters={**PLAIN, "TableName": "other"})
        assert bench.refused("ImportTable", **more)[0] == "LimitExceededException"
        bench.clock.advance(60)
        bench.call("ImportTable", **more)


class TestLooking:
    @pytest.mark.parametrize(
        ("arn", "code", "message"),
        [
            (ARN + "-without-an-import", "ValidationException", "Invalid Import ARN"),
            (f"{ARN}/export/0", "ValidationException", "Invalid Import ARN"),
            (f"{ARN}/import/0", "ImportNotFoundException", f"Import not found: {ARN}/import/0"),
            (f"{ARN[:-2]}/import/0", "ValidationException", "Invalid Import ARN"),
            (
                f"{ARN}/import/0".replace("us-east-1", "us-west-2"),
                "ImportNotFoundException",
                f"Import not found: {ARN}/import/0".replace("us-east-1", "us-west-2"),
            ),
            (f"{ARN}/import/0".replace("400000000004", "111111111111"), "AccessDeniedException", "Access is denied"),
        ],
    )
    def test_arns(self, bench: Bench, arn: str, code: str, message: str) -> None:
        assert bench.refused("DescribeImport", ImportArn=arn) == (code, message)

    def test_list(self, bench: Bench) -> None:
        told = bench.import_(S3BucketSource={"S3Bucket": BUCKET, "S3KeyPrefix": "none"})
        bench.call("DeleteTable", TableName="new")
        bench.clock.advance(1)
        other = bench.import_("other", prefix="none")
        listed = bench.call("ListImports")
        assert [each["ImportArn"] for each in listed["ImportSummaryList"]] == [other["ImportArn"], told["ImportArn"]]
        assert bench.call("ListImports", TableArn=ARN) == {
            "ImportSummaryList": [
                {
                    "ImportArn": told["ImportArn"],
                    "ImportStatus": "COMPLETED",
                    "TableArn": ARN,
                    "S3BucketSource": {"S3BucketOwner": "400000000004", "S3Bucket": BUCKET, "S3KeyPrefix": "none"},
                    "CloudWatchLogGroupArn": "arn:aws:logs:us-east-1:400000000004:log-group:/aws-dynamodb/imports:*",
                    "InputFormat": "DYNAMODB_JSON",
                    "StartTime": START,
                    "EndTime": START,
                }
            ]
        }

    def test_pages(self, bench: Bench) -> None:
        for n in range(3):
            bench.import_(f"new-{n}", prefix="none")
        page = bench.call("ListImports", PageSize=2)
        assert len(page["ImportSummaryList"]) == 2
        rest = bench.call("ListImports", PageSize=2, NextToken=page["NextToken"])
        assert [each["TableArn"] for each in rest["ImportSummaryList"]] == [f"{ARN}-0"]
        assert "NextToken" not in rest
        wrong = ("ValidationException", f"Invalid Request: Provided nextToken is invalid: {'f' * 112}")
        assert bench.refused("ListImports", NextToken="f" * 112) == wrong
