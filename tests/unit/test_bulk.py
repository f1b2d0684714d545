"""Bulk put operations (beyond:BLK-1 to BLK-3, dataplane:BULK-1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reference.account import Delays
from tests.unit.table_requests import START, index
from tests.unit.transfer_bench import ARN, BUCKET, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def asked(**more: Any) -> dict[str, Any]:
    return {
        "TableName": "tab",
        "InputS3Configuration": {"S3Bucket": BUCKET, "S3KeyPrefix": "in/", "InputFormat": "DYNAMODB_JSON"},
        "OutputS3Configuration": {"S3Bucket": BUCKET, "S3KeyPrefix": "out", "OutputType": ["ERROR"]},
        **more,
    }


def line(id: str, **more: Any) -> str:
    return json.dumps({"Item": {"id": {"S": id}}, **more}) + "\n"


def run(bench: Bench, **more: Any) -> dict[str, Any]:
    """Start, and the description once it is done."""
    arn = bench.call("StartBulkPutItems", **asked(**more))["BulkOperationDescription"]["BulkOperationArn"]
    told: dict[str, Any] = bench.call("DescribeBulkOperation", BulkOperationArn=arn)["BulkOperationDescription"]
    return told


def report(bench: Bench, told: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    id = told["BulkOperationArn"].rsplit("/", 1)[1]
    return [json.loads(each) for each in bench.object_(f"out/AWSDynamoDB/{id}/{kind}.json").decode().splitlines()]


def test_answers() -> None:
    bench = Bench(Delays(transfer=60))
    bench.store("in/1", line("a") + line("b"))
    told = bench.call("StartBulkPutItems", **asked(ClientToken="once", MaxWriteRequestUnits=1024))
    told = told["BulkOperationDescription"]
    arn = told["BulkOperationArn"]
    table = bench.call("DescribeTable", TableName="tab")["Table"]
    begun = {
        "BulkOperationArn": arn,
        "BulkOperationStatus": "IN_PROGRESS",
        "StartTime": START,
        "TableDetails": [{"TableName": "tab", "TableId": table["TableId"]}],
        "ClientToken": "once",
        "InputS3Configuration": {
            "InputCompressionType": "NONE",
            "S3Bucket": BUCKET,
            "S3KeyPrefix": "in/",
            "InputFormat": "DYNAMODB_JSON",
        },
        "OutputS3Configuration": {"S3Bucket": BUCKET, "S3KeyPrefix": "out", "OutputType": ["ERROR"]},
        "PerformanceTier": "STANDARD",
        "MaxWriteRequestUnits": 1024,
        "ProcessedItemCount": 0,
        "ProcessedInputBytes": 0,
        "FailedItemCount": 0,
    }
    assert told == begun
    assert bench.call("DescribeBulkOperation", BulkOperationArn=arn)["BulkOperationDescription"] == begun
    assert bench.keys() == []
    bench.clock.advance(60)
    assert bench.call("DescribeBulkOperation", BulkOperationArn=arn)["BulkOperationDescription"] == {
        **begun,
        "BulkOperationStatus": "COMPLETED",
        "EndTime": START + 60,
        "ProcessedItemCount": 2,
        "ProcessedInputBytes": 58,
        "TotalInputBytes": 58,
        "BulkOperationUsage": [{"TableName": "tab", "BulkPutBytes": 2048, "Table": {"BulkPutBytes": 2048}}],
    }
    assert bench.keys() == ["a", "b"]


def test_items_are_put_whole_and_indexed() -> None:
    bench = Bench(recover=False)
    create = {"Create": index("gsi", "g")}
    bench.call(
        "UpdateTable",
        TableName="tab",
        AttributeDefinitions=[{"AttributeName": "g", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[create],
    )
    bench.put("a", old={"S": "gone"})
    bench.store("in/1", '{"Item":{"id":{"S":"a"},"g":{"S":"x"}}}')
    told = run(bench)
    assert bench.call("GetItem", TableName="tab", Key={"id": {"S": "a"}})["Item"] == {
        "id": {"S": "a"},
        "g": {"S": "x"},
    }
    assert bench.call("Scan", TableName="tab", IndexName="gsi")["Count"] == 1
    assert told["BulkOperationUsage"][0]["GlobalSecondaryIndexes"] == {"gsi": {"BulkPutBytes": 1024}}


def test_bad_records_are_counted_and_reported(bench: Bench) -> None:
    bench.store("in/1", line("a") + '{"Item":{"n":{"N":"1"}}}\n' + line("b") + "garbage\n" + line("c"))
    told = run(bench)
    assert told["BulkOperationStatus"] == "COMPLETED_WITH_ERRORS"
    assert (told["ProcessedItemCount"], told["FailedItemCount"]) == (4, 2)
    assert bench.keys() == ["a", "b"]
    found = report(bench, told, "error")
    assert [each["RecordIndex"] for each in found] == [1, 3]
    assert found[0]["Item"] == {"n": {"N": "1"}}
    assert "Missing the key id in the item" in found[0]["ErrorMessage"]


def test_what_a_condition_refuses_is_no_error(bench: Bench) -> None:
    bench.put("a", n={"N": "1"})
    new = {"ConditionExpression": "attribute_not_exists(id)"}
    same = {
        "ConditionExpression": "#n = :n",
        "ExpressionAttributeNames": {"#n": "n"},
        "ExpressionAttributeValues": {":n": {"N": "1"}},
    }
    bench.store("in/1", line("a", **new) + line("b", **new) + line("a", **same))
    output = {"S3Bucket": BUCKET, "S3KeyPrefix": "out", "OutputType": ["CONDITION_CHECK_FAILURE", "ERROR"]}
    told = run(bench, OutputS3Configuration=output)
    assert told["BulkOperationStatus"] == "COMPLETED"
    assert (told["ProcessedItemCount"], told["FailedItemCount"]) == (3, 0)
    assert report(bench, told, "condition_check_failure") == [
        {
            "S3Key": "in/1",
            "RecordIndex": 0,
            "Item": {"id": {"S": "a"}},
            "ExistingItem": {"id": {"S": "a"}, "n": {"N": "1"}},
        }
    ]
    assert report(bench, told, "error") == []
    assert bench.call("GetItem", TableName="tab", Key={"id": {"S": "a"}})["Item"] == {"id": {"S": "a"}}


def test_ion(bench: Bench) -> None:
    bench.store(
        "in/1",
        '$ion_1_0 {Item:{id:"a",n:1.}}\n'
        '{Item:{id:"b"},ConditionExpression:"id = :v",ExpressionAttributeValues:{\':v\':"x"}}\n'
        '{Item:{id:"c"},ConditionExpression:"attribute_not_exists(#i)",ExpressionAttributeNames:{\'#i\':"id"}}\n',
    )
    told = run(bench, InputS3Configuration={"S3Bucket": BUCKET, "S3KeyPrefix": "in/", "InputFormat": "ION"})
    assert (told["BulkOperationStatus"], told["ProcessedItemCount"]) == ("COMPLETED", 3)
    assert bench.keys() == ["a", "c"]


def test_puts_leave_stream_records(bench: Bench) -> None:
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    bench.call("UpdateTable", TableName="tab", StreamSpecification=stream)
    bench.store("in/1", line("a"))
    run(bench)
    assert [entry.new.item for entry in bench.service.account.tables["tab"].log if entry.new] == [{"id": {"S": "a"}}]


@pytest.mark.parametrize("member", ["InputS3Configuration", "OutputS3Configuration"])
def test_missing_buckets(bench: Bench, member: str) -> None:
    told = run(bench, **{member: {**asked()[member], "S3Bucket": "none"}})
    assert (told["BulkOperationStatus"], told["FailureCode"]) == ("FAILED", "S3NoSuchBucket")


def test_table_that_goes(bench: Bench) -> None:
    bench = Bench(Delays(transfer=60))
    arn = bench.call("StartBulkPutItems", **asked())["BulkOperationDescription"]["BulkOperationArn"]
    bench.call("DeleteTable", TableName="tab")
    bench.clock.advance(60)
    told = bench.call("DescribeBulkOperation", BulkOperationArn=arn)["BulkOperationDescription"]
    assert told["BulkOperationStatus"] == "FAILED"


def test_cancelling() -> None:
    bench = Bench(Delays(transfer=60))
    bench.store("in/1", line("a"))
    arn = bench.call("StartBulkPutItems", **asked())["BulkOperationDescription"]["BulkOperationArn"]
    assert bench.call("CancelBulkOperation", BulkOperationArn=arn) == {
        "BulkOperationArn": arn,
        "BulkOperationStatus": "CANCELLING",
    }
    bench.clock.advance(60)
    told = bench.call("DescribeBulkOperation", BulkOperationArn=arn)["BulkOperationDescription"]
    assert (told["BulkOperationStatus"], told["ProcessedItemCount"]) == ("CANCELLED", 0)
    assert bench.call("CancelBulkOperation", BulkOperationArn=arn)["BulkOperationStatus"] == "CANCELLED"
    assert bench.keys() == []


def test_tokens(bench: Bench) -> None:
    once = asked(ClientToken="once")
    first = bench.call("StartBulkPutItems", **once)["BulkOperationDescription"]["BulkOperationArn"]
    assert bench.call("StartBulkPutItems", **once)["BulkOperationDescription"]["BulkOperationArn"] == first
    code, _ = bench.refused("StartBulkPutItems", **{**once, "PerformanceTier": "ACCELERATED"})
    assert code == "IdempotentParameterMismatchException"
    bench.clock.advance(8 * 3600)
    assert bench.call("StartBulkPutItems", **once)["BulkOperationDescription"]["BulkOperationArn"] != first


def test_tables_that_will_not_do() -> None:
    bench = Bench(Delays(create_table=5, update_table=5, backfill=5), recover=False)
    assert bench.refused("StartBulkPutItems", **asked(TableName="none"))[0] == "ResourceNotFoundException"
    assert bench.refused("StartBulkPutItems", **asked())[0] == "ResourceInUseException"
    bench.clock.advance(5)
    bench.call("StartBulkPutItems", **asked(TableName=ARN))
    create = {"Create": index("gsi", "g")}
    bench.call(
        "UpdateTable",
        TableName="tab",
        AttributeDefinitions=[{"AttributeName": "g", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[create],
    )
    assert bench.refused("StartBulkPutItems", **asked())[0] == "ResourceInUseException"


def test_unknown_operations(bench: Bench) -> None:
    for operation in ("DescribeBulkOperation", "CancelBulkOperation"):
        missing = f"{ARN}/bulk-operation/01800000000000-00000000"
        assert bench.refused(operation, BulkOperationArn=missing)[0] == "ResourceNotFoundException"
        assert bench.refused(operation, BulkOperationArn="x" * 40)[0] == "ValidationException"


def test_list(bench: Bench) -> None:
    told = [run(bench)["BulkOperationArn"] for _ in range(3)]
    page = bench.call("ListBulkOperations", MaxResults=2)
    assert page["BulkOperationsSummaryList"][0] == {
        "BulkOperationArn": told[2],
        "BulkOperationStatus": "COMPLETED",
        "StartTime": START,
        "EndTime": START,
    }
    rest = bench.call("ListBulkOperations", NextToken=page["NextToken"])
    assert [each["BulkOperationArn"] for each in rest["BulkOperationsSummaryList"]] == [told[0]]
    assert bench.refused("ListBulkOperations", NextToken="f" * 16)[0] == "ValidationException"


def test_least_rate(bench: Bench) -> None:
    assert bench.refused("StartBulkPutItems", **asked(MaxWriteRequestUnits=1023)) == (
        "ValidationException",
        "1 validation error detected: Value '1023' at 'maxWriteRequestUnits' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1024",
    )
