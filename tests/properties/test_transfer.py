"""Whatever stands in a bucket: imports and bulk puts take the sound records of it, and count the others."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.api import Call, Success
from tests.unit.transfer_bench import BUCKET, Bench

QUICK = settings(deadline=None, max_examples=60, derandomize=True)
CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=6)
KEY = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}


def imported(bench: Bench, kind: str, type_: str = "S", **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The description of an import of everything below ``in/``, and the items that it made, by id."""
    body = {
        "S3BucketSource": {"S3Bucket": BUCKET, "S3KeyPrefix": "in/"},
        "InputFormat": kind,
        "TableCreationParameters": {
            **KEY,
            "TableName": "copy",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": type_}],
        },
        **more,
    }
    arn = bench.call("ImportTable", **body)["ImportTableDescription"]["ImportArn"]
    told = bench.call("DescribeImport", ImportArn=arn)["ImportTableDescription"]
    items = bench.call("Scan", TableName="copy")["Items"]
    return told, {item["id"][type_]: item for item in items}


@QUICK
@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=6),
    st.sampled_from([",", "\t", ":", ";", "|", " "]),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_rows_become_items_of_strings(rows: list[tuple[str, ...]], delimiter: str, end: str, header: bool) -> None:
    bench = Bench()
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    if header:
        writer.writerow(("id", "b", "c d"))
    writer.writerows(rows)
    bench.store("in/1.csv", text.getvalue())
    options: dict[str, Any] = {"Delimiter": delimiter}
    if not header:
        options["HeaderList"] = ["id", "b", "c d"]
    told, items = imported(bench, "CSV", InputFormatOptions={"Csv": options})
    sound = [row for row in rows if row[0]]
    expected = {
        row[0]: {name: {"S": text} for name, text in zip(("id", "b", "c d"), row, strict=True) if text} for row in sound
    }
    assert items == expected
    assert (told["ImportedItemCount"], told["ErrorCount"]) == (len(sound), len(rows) - len(sound))
    assert told["ProcessedItemCount"] == len(rows)
    assert told["ImportStatus"] == ("COMPLETED" if len(sound) == len(rows) else "FAILED")


ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from([{"S": "a"}, {"S": "b"}, {"S": ""}, {"N": "1"}]),
        "v": st.sampled_from([{"N": "1"}, {"N": "x"}, {"S": ""}, {"SS": []}, {"L": [{"BOOL": True}]}]),
    },
)
CONDITIONS = st.sampled_from([None, "attribute_not_exists(id)", "attribute_exists(v)"])


@QUICK
@given(st.lists(st.tuples(ITEMS, CONDITIONS), max_size=8))
def test_a_bulk_put_does_what_single_puts_do(drawn: list[tuple[dict[str, Any], str | None]]) -> None:
    bulk, single = Bench(), Bench()
    lines, failed, held_back = [], 0, 0
    for item, condition in drawn:
        under = {} if condition is None else {"ConditionExpression": condition}
        lines.append(json.dumps({"Item": item, **under}) + "\n")
        reply = single.service.execute(Call("PutItem", {"TableName": "tab", "Item": item, **under}))
        if not isinstance(reply, Success):
            refused = reply.code == "ConditionalCheckFailedException"  # type: ignore[union-attr]
            held_back += refused
            failed += not refused
    bulk.store("in/1", "".join(lines))
    body = {
        "TableName": "tab",
        "InputS3Configuration": {"S3Bucket": BUCKET, "S3KeyPrefix": "in/", "InputFormat": "DYNAMODB_JSON"},
        "OutputS3Configuration": {
            "S3Bucket": BUCKET, "S3KeyPrefix": "out", "OutputType": ["ERROR", "CONDITION_CHECK_FAILURE"]
        },
    }  # fmt: skip
    arn = bulk.call("StartBulkPutItems", **body)["BulkOperationDescription"]["BulkOperationArn"]
    told = bulk.call("DescribeBulkOperation", BulkOperationArn=arn)["BulkOperationDescription"]
    assert bulk.call("Scan", TableName="tab") == single.call("Scan", TableName="tab")
    assert (told["ProcessedItemCount"], told["FailedItemCount"]) == (len(drawn), failed)
    assert told["BulkOperationStatus"] == ("COMPLETED_WITH_ERRORS" if failed else "COMPLETED")
    place = f"out/AWSDynamoDB/{arn.rsplit('/', 1)[1]}"
    for kind, count in (("error", failed), ("condition_check_failure", held_back)):
        reports = bulk.object_(f"{place}/{kind}.json").decode().splitlines() if count else []
        assert len(reports) == count
