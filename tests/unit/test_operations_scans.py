"""Scan, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.service import Service
from tests.unit.item_tables import broken, index, item, ok, refused, service

START = "The provided starting key is invalid"
LONG_START = START + ": The provided key element does not match the schema"
SEGMENT_ALONE = (
    "The TotalSegments parameter is required but was not present in the request when Segment parameter is present"
)
TOTAL_ALONE = (
    "The Segment parameter is required but was not present in the request when parameter TotalSegments is present"
)
RANGE = "The Segment parameter is zero-based and must be less than parameter TotalSegments"


def filled(cohort: Any = None) -> Service:
    made = service(
        cohort,
        tab={
            "types": "pk:S sk:N g:S",
            "key": ("pk", "sk"),
            "gsi": [index("by-g", "g", kind="KEYS_ONLY")],
            "lsi": [index("by-pk-g", "pk", "g", kind="KEYS_ONLY")],
        },
    )
    for pk in "abcdefgh":
        for sk in (2, 10, 1):
            more = {"g": f"g{sk}"} if pk < "e" else {}
            ok(made, "PutItem", TableName="tab", Item=item(pk=pk, sk=sk, x=pk, **more))
    return made


@pytest.fixture
def made() -> Service:
    return filled()


def rows(body: dict[str, Any]) -> list[tuple[str, int]]:
    return [(each["pk"]["S"], int(each["sk"]["N"])) for each in body["Items"]]


def test_a_scan_keeps_partitions_together_and_in_order(made: Service) -> None:
    got = rows(ok(made, "Scan", TableName="tab"))
    assert len(got) == 24
    partitions = list(dict.fromkeys(pk for pk, _ in got))
    assert sorted(partitions) == list("abcdefgh")
    assert got == [(pk, sk) for pk in partitions for sk in (1, 2, 10)]
    assert got == rows(ok(made, "Scan", TableName="tab"))


def test_filters_and_counts(made: Service) -> None:
    values = {"ExpressionAttributeValues": {":v": {"N": "2"}}}
    got = ok(made, "Scan", TableName="tab", FilterExpression="sk = :v AND pk <> g", **values, Select="COUNT")
    assert got == {"Count": 8, "ScannedCount": 24}
    legacy = {"sk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"N": "2"}]}}
    assert ok(made, "Scan", TableName="tab", ScanFilter=legacy)["Count"] == 8


def test_projections(made: Service) -> None:
    got = ok(made, "Scan", TableName="tab", ProjectionExpression="x", Limit=3)
    assert [set(each) for each in got["Items"]] == [{"x"}, {"x"}, {"x"}]
    overlap = refused(made, "Scan", TableName="nothing", ProjectionExpression="x, x")
    assert overlap is not None
    assert overlap.startswith("Invalid ProjectionExpression: Two document paths overlap with each other;")


@pytest.mark.parametrize("name", [None, "by-g", "by-pk-g"])
def test_pages_hold_everything_once(made: Service, name: str | None) -> None:
    body: dict[str, Any] = {"TableName": "tab", "Limit": 5, **({"IndexName": name} if name else {})}
    found: list[tuple[str, int]] = []
    while True:
        got = ok(made, "Scan", **body)
        found += rows(got)
        if "LastEvaluatedKey" not in got:
            break
        body["ExclusiveStartKey"] = got["LastEvaluatedKey"]
    assert len(found) == len(set(found)) == (12 if name else 24)


def test_a_page_with_nothing_in_it_may_go_on(made: Service) -> None:
    got = ok(made, "Scan", TableName="tab", FilterExpression="attribute_exists(nope)", Limit=4)
    assert (got["Items"], got["Count"], got["ScannedCount"]) == ([], 0, 4)
    assert set(got["LastEvaluatedKey"]) == {"pk", "sk"}


# Segments


@pytest.mark.parametrize("total", [1, 2, 3, 7, 64])
@pytest.mark.parametrize("name", [None, "by-g", "by-pk-g"])
def test_segments_are_disjoint_and_complete(made: Service, total: int, name: str | None) -> None:
    body = {"TableName": "tab", "TotalSegments": total, **({"IndexName": name} if name else {})}
    parts = [rows(ok(made, "Scan", **body, Segment=segment)) for segment in range(total)]
    whole = {key: value for key, value in body.items() if key != "TotalSegments"}
    assert [row for part in parts for row in part] == rows(ok(made, "Scan", **whole))
    if name is None:
        partitions = [{pk for pk, _ in part} for part in parts]
        assert sum(map(len, partitions)) == 8


def test_segments_need_each_other(made: Service) -> None:
    assert refused(made, "Scan", TableName="nothing", Segment=0) == SEGMENT_ALONE
    assert refused(made, "Scan", TableName="nothing", TotalSegments=1) == TOTAL_ALONE
    assert refused(made, "Scan", TableName="nothing", Segment=5, TotalSegments=5) == RANGE
    ok(made, "Scan", TableName="tab", Segment=4, TotalSegments=5)


def test_segments_in_the_older_wording() -> None:
    message = refused(filled("older"), "Scan", TableName="nothing", Segment=5, TotalSegments=5)
    assert message == RANGE + ": Segment: 5 is not less than TotalSegments: 5"


def test_a_start_key_of_another_segment(made: Service) -> None:
    body = {"TableName": "tab", "TotalSegments": 2}
    halves = [ok(made, "Scan", **body, Segment=segment)["Items"] for segment in (0, 1)]
    assert all(halves)
    key = {name: halves[1][0][name] for name in ("pk", "sk")}
    assert refused(made, "Scan", **body, Segment=0, ExclusiveStartKey=key) == (
        "The provided starting key is invalid: Invalid ExclusiveStartKey. "
        "Please use ExclusiveStartKey with correct Segment. TotalSegments: 2 Segment: 0"
    )
    assert ok(made, "Scan", **body, Segment=1, ExclusiveStartKey=key)["Items"] == halves[1][1:]


# Start keys


@pytest.mark.parametrize(
    "start",
    [
        item(pk="a"),
        item(pk="a", sk=1, x="x"),
        item(pk="a", sk="1"),
        item(pk=["a"], sk=1),
        item(x="a"),
    ],
)
def test_start_keys(made: Service, start: dict[str, Any]) -> None:
    body = {"TableName": "tab", "ExclusiveStartKey": start}
    assert refused(made, "Scan", **body) == START
    assert refused(filled("older"), "Scan", **body) == LONG_START
    assert refused(made, "Scan", **body, IndexName="by-g") == START


def test_start_keys_of_an_index(made: Service) -> None:
    body = {"TableName": "tab", "IndexName": "by-g"}
    assert refused(made, "Scan", **body, ExclusiveStartKey=item(pk="a", sk=1)) == START
    assert refused(made, "Scan", **body, ExclusiveStartKey=item(pk="a", sk=1, g=1)) == START
    ok(made, "Scan", **body, ExclusiveStartKey=item(pk="zz", sk=1, g="gone"))


def test_empty_values_of_start_keys(made: Service) -> None:
    assert broken(made, "Scan", TableName="tab", ExclusiveStartKey=item(pk="", sk=1)) == ["keys.empty-string"]
    assert broken(made, "Scan", TableName="tab", ExclusiveStartKey={"pk": {"SS": []}, "sk": {"N": "1"}}) == [
        "queries.start-key-value"
    ]


def test_checks_in_the_service_s_order(made: Service) -> None:
    assert broken(
        made,
        "Scan",
        TableName="tab",
        IndexName="by-g",
        AttributesToGet=["x", "x"],
        ExclusiveStartKey=item(pk="a"),
        Segment=3,
        TotalSegments=2,
        ConsistentRead=True,
        Select="COUNT",
    ) == [
        "legacy.duplicate-attribute",
        "scans.segment-range",
        "queries.projection-with-select",
        "indexes.consistent-read",
        "scans.start-key-shape",
    ]
