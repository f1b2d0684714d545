"""Vector indexes: what they cost and how they come about, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Delays
from reference.clock import ManualClock
from reference.service import Service
from tests.unit.vector_tables import found, index, made, ok, put, refused, refused_search, vec

# Capacity


def capacity(service: Service, mode: str = "INDEXES", **item: Any) -> dict[str, Any]:
    told: dict[str, Any] = ok(service, "PutItem", TableName="docs", Item=item, ReturnConsumedCapacity=mode)[
        "ConsumedCapacity"
    ]
    return told


@pytest.fixture
def costly() -> Service:
    return made(
        index("vix"),
        index("vkeys", Projection={"ProjectionType": "KEYS_ONLY"}),
        index("vdims", VectorAttribute={"AttributeName": "sixdimvec"}, Dimensions=6),
    )


def test_a_search_reports_bytes_and_nothing_else(costly: Service) -> None:
    body = {"TableName": "docs", "IndexName": "vix", "SearchVector": vec("1 0 0"), "TopK": 1}
    put(costly, "a", "1 0 0")
    for mode in ("TOTAL", "INDEXES"):
        told = ok(costly, "SearchVectors", **body, ReturnConsumedCapacity=mode)["ConsumedCapacity"]
        assert set(told) == {"VectorSearchRequestBytes"}
        assert told["VectorSearchRequestBytes"] > 0
    assert "ConsumedCapacity" not in ok(costly, "SearchVectors", **body, ReturnConsumedCapacity="NONE")


def test_a_write_reports_bytes_of_the_indexes_it_changes(costly: Service) -> None:
    one = {"pk": {"S": "a"}, "embedding": {"L": vec("0 1 0")}}
    assert capacity(costly, **one) == {
        "TableName": "docs",
        "CapacityUnits": 1.0,
        "Table": {"CapacityUnits": 1.0},
        "VectorIndexes": {"vix": {"VectorWriteRequestBytes": 1024.0}, "vkeys": {"VectorWriteRequestBytes": 1024.0}},
    }
    assert "VectorIndexes" not in capacity(costly, **one)
    noted = capacity(costly, **one, note={"S": "changed"})
    assert noted["VectorIndexes"] == {"vix": {"VectorWriteRequestBytes": 1024.0}}
    turned = capacity(costly, **{**one, "note": {"S": "changed"}, "embedding": {"L": vec("0 0 1")}})
    assert set(turned["VectorIndexes"]) == {"vix", "vkeys"}
    assert capacity(costly, "TOTAL", pk={"S": "b"}, embedding={"L": vec("0 1 0")}) == {
        "TableName": "docs",
        "CapacityUnits": 1.0,
    }
    assert "VectorIndexes" not in capacity(costly, pk={"S": "c"}, label={"S": "no-vector"})


def test_recorded_bytes_of_entries(costly: Service) -> None:
    vector = {"L": vec("1 0 0")}
    large = capacity(costly, pk={"S": "a"}, embedding=vector, blob={"S": "y" * 1500})
    assert large["VectorIndexes"] == {
        "vix": {"VectorWriteRequestBytes": 1528.0},
        "vkeys": {"VectorWriteRequestBytes": 1024.0},
    }
    larger = capacity(costly, pk={"S": "a"}, embedding=vector, blob={"S": "y" * 3000})
    assert larger["VectorIndexes"] == {"vix": {"VectorWriteRequestBytes": 3028.0}}
    smaller = capacity(costly, pk={"S": "a"}, embedding=vector, blob={"S": "y" * 1500})
    assert smaller["VectorIndexes"] == {"vix": {"VectorWriteRequestBytes": 3028.0}}
    deleted = ok(
        costly, "DeleteItem", TableName="docs", Key={"pk": {"S": "a"}}, ReturnConsumedCapacity="INDEXES"
    )["ConsumedCapacity"]  # fmt: skip
    assert deleted["VectorIndexes"] == large["VectorIndexes"]


def test_batches_sum_bytes_and_transactions_do_not_double_them(costly: Service) -> None:
    items = [{"pk": {"S": pk}, "embedding": {"L": vec("1 0 0")}} for pk in "abc"]
    (told,) = ok(
        costly, "BatchWriteItem",
        RequestItems={"docs": [{"PutRequest": {"Item": item}} for item in items[:2]]}, ReturnConsumedCapacity="INDEXES",
    )["ConsumedCapacity"]  # fmt: skip
    assert told["VectorIndexes"]["vix"] == {"VectorWriteRequestBytes": 2048.0}
    (told,) = ok(
        costly, "TransactWriteItems",
        TransactItems=[{"Put": {"TableName": "docs", "Item": items[2]}}], ReturnConsumedCapacity="INDEXES",
    )["ConsumedCapacity"]  # fmt: skip
    assert told["CapacityUnits"] == 2.0
    assert told["VectorIndexes"]["vix"] == {"VectorWriteRequestBytes": 1024.0}


WIDE = "12345678901234567890123456789012345678"


def wide(target: int, pk: str, vector_bytes: int) -> dict[str, Any]:
    pad = target - (2 + 2) - (9 + vector_bytes) - 3
    return {"pk": {"S": pk}, "sixdimvec": {"L": [{"N": WIDE}] * 6}, "pad": {"S": "x" * pad}}


def test_writes_are_billed_four_bytes_a_dimension_and_reads_the_numbers(costly: Service) -> None:
    assert capacity(costly, "TOTAL", **wide(1024, "a6", 24))["CapacityUnits"] == 1.0
    assert capacity(costly, "TOTAL", **wide(1025, "b6", 24))["CapacityUnits"] == 2.0
    ok(costly, "PutItem", TableName="docs", Item=wide(4096, "r6", 24))
    read = ok(
        costly, "GetItem", TableName="docs", Key={"pk": {"S": "r6"}},
        ConsistentRead=True, ReturnConsumedCapacity="TOTAL",
    )  # fmt: skip
    assert read["ConsumedCapacity"]["CapacityUnits"] == 2.0
    assert ok(costly, "DescribeTable", TableName="docs")["Table"]["TableSizeBytes"] == 1024 + 1025 + 4096
    stored = 3 + 6 * (1 + 20)
    ok(costly, "PutItem", TableName="docs", Item=wide(409_600, "g0", stored))
    code, message = refused(costly, "PutItem", TableName="docs", Item=wide(409_601, "g1", stored))
    assert (code, message) == ("ValidationException", "Item size has exceeded the maximum allowed size")


# Life cycle


def test_an_index_made_with_its_table_is_active_with_it() -> None:
    service = made(index("vix"), delays=Delays(create_table=10))
    described = ok(service, "DescribeTable", TableName="docs")["Table"]["VectorIndexes"][0]
    assert (described["IndexStatus"], "Backfilling" in described) == ("CREATING", False)
    clock = service.account.clock
    assert isinstance(clock, ManualClock)
    clock.advance(10)
    assert ok(service, "DescribeTable", TableName="docs")["Table"]["VectorIndexes"] == [
        {
            "IndexName": "vix",
            "Projection": {"ProjectionType": "ALL"},
            "VectorAttribute": {"AttributeName": "embedding"},
            "Dimensions": 3,
            "DistanceFunction": "COSINE",
            "IndexStatus": "ACTIVE",
            "IndexSizeBytes": 0,
            "ItemCount": 0,
            "IndexArn": "arn:aws:dynamodb:us-east-1:400000000004:table/docs/index/vix",
        }
    ]


def test_an_index_added_later_is_built_first() -> None:
    service = made(delays=Delays(update_table=10, backfill=10))
    clock = service.account.clock
    assert isinstance(clock, ManualClock)
    put(service, "a", "1 0 0")
    put(service, "short", "1 0")
    ok(service, "UpdateTable", TableName="docs", VectorIndexUpdates=[{"Create": index("vix")}])
    for expected in (False, True):
        described = ok(service, "DescribeTable", TableName="docs")["Table"]["VectorIndexes"][0]
        assert (described["IndexStatus"], described["Backfilling"]) == ("CREATING", expected)
        assert refused_search(service, "vix") == "Cannot search backfilling vector index: vix"
        clock.advance(10)
    described = ok(service, "DescribeTable", TableName="docs")["Table"]["VectorIndexes"][0]
    assert (described["IndexStatus"], "Backfilling" in described) == ("ACTIVE", False)
    assert (described["ItemCount"], found(service, "vix")) == (1, ["a"])
    item = {"pk": {"S": "short"}, "embedding": {"L": vec("1 0")}}
    assert refused(service, "PutItem", TableName="docs", Item=item)[0] == "ValidationException"
    values = {":n": {"S": "fine"}}
    ok(
        service, "UpdateItem", TableName="docs", Key={"pk": {"S": "short"}},
        UpdateExpression="SET note = :n", ExpressionAttributeValues=values,
    )  # fmt: skip
    ok(service, "UpdateTable", TableName="docs", VectorIndexUpdates=[{"Delete": {"IndexName": "vix"}}])
    assert refused_search(service, "vix") == "The table does not have the specified index: vix"
    ok(service, "PutItem", TableName="docs", Item=item)
