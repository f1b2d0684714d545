"""ConsumedCapacity, against numbers that AWS reported."""

from __future__ import annotations

from typing import Any

import pytest

from reference.capacity.units import Consumed, read_units, replay_units, report, reports, write_units
from reference.service import Service
from tests.unit.item_tables import index, item, ok, service

KEY = item(pk="a", sk="s")


@pytest.fixture
def made() -> Service:
    return service(
        tab={
            "types": "pk:S sk:S gsiPk:S lsiSk:S",
            "key": ("pk", "sk"),
            "gsi": [index("gsi", "gsiPk", kind="INCLUDE", more=("proj",))],
            "lsi": [index("lsi", "pk", "lsiSk")],
        },
        plain={"types": "pk:S", "key": ("pk",)},
    )


def cost(made: Service, operation: str, mode: str = "INDEXES", **body: Any) -> Any:
    body = {"TableName": "tab", **body}
    return ok(made, operation, **body, ReturnConsumedCapacity=mode)["ConsumedCapacity"]


def arms(total: float, table: float, gsi: float | None = None, lsi: float | None = None) -> dict[str, Any]:
    """A ConsumedCapacity of INDEXES for table ``tab``."""
    body: dict[str, Any] = {"TableName": "tab", "CapacityUnits": total, "Table": {"CapacityUnits": table}}
    if gsi is not None:
        body["GlobalSecondaryIndexes"] = {"gsi": {"CapacityUnits": gsi}}
    if lsi is not None:
        body["LocalSecondaryIndexes"] = {"lsi": {"CapacityUnits": lsi}}
    return body


@pytest.mark.parametrize(("size", "units"), [(0, 1.0), (1, 1.0), (1024, 1.0), (1025, 2.0), (409_600, 400.0)])
def test_write_units(size: int, units: float) -> None:
    assert write_units(size) == units
    assert isinstance(write_units(size), float)


@pytest.mark.parametrize(("size", "units"), [(0, 1.0), (1, 1.0), (4096, 1.0), (4097, 2.0), (409_600, 100.0)])
def test_read_units(size: int, units: float) -> None:
    assert read_units(size, consistent=True) == units
    assert read_units(size, consistent=False) == units / 2


# Shapes


@pytest.mark.parametrize("mode", [None, "NONE", "nonsense"])
def test_no_report_without_a_wish(mode: str | None) -> None:
    assert report(Consumed("tab", 1.0), mode) is None
    assert reports([Consumed("tab", 1.0)], mode) is None


def test_total_has_no_arms() -> None:
    consumed = Consumed("tab", 1.0, {"lsi": 2.0}, {"gsi": 3.0}, {"vix": 1024.0})
    assert report(consumed, "TOTAL") == {"TableName": "tab", "CapacityUnits": 6.0}
    assert report(consumed, "INDEXES") == {
        "TableName": "tab",
        "CapacityUnits": 6.0,
        "Table": {"CapacityUnits": 1.0},
        "GlobalSecondaryIndexes": {"gsi": {"CapacityUnits": 3.0}},
        "LocalSecondaryIndexes": {"lsi": {"CapacityUnits": 2.0}},
        "VectorIndexes": {"vix": {"VectorWriteRequestBytes": 1024.0}},
    }


def test_transactions_repeat_their_units_as_reads_or_writes() -> None:
    consumed = Consumed("tab", 2.0, {}, {"gsi": 1.0})
    assert report(consumed, "INDEXES", "Write") == {
        "TableName": "tab",
        "CapacityUnits": 3.0,
        "WriteCapacityUnits": 3.0,
        "Table": {"CapacityUnits": 2.0, "WriteCapacityUnits": 2.0},
        "GlobalSecondaryIndexes": {"gsi": {"CapacityUnits": 1.0, "WriteCapacityUnits": 1.0}},
    }
    assert report(consumed, "TOTAL", "Read") == {"TableName": "tab", "CapacityUnits": 3.0, "ReadCapacityUnits": 3.0}


def test_single_operations_tell_no_split(made: Service) -> None:
    assert cost(made, "PutItem", "TOTAL", Item=KEY) == {"TableName": "tab", "CapacityUnits": 1.0}
    assert cost(made, "GetItem", "INDEXES", Key=KEY) == arms(0.5, 0.5)
    assert "ConsumedCapacity" not in ok(made, "GetItem", TableName="tab", Key=KEY, ReturnConsumedCapacity="NONE")


# Writes


def test_writes_on_indexes(made: Service) -> None:
    # GV-CAP-1: a global index that projects proj, a local one that projects all, everything under a kilobyte.
    row = item(**KEY, gsiPk="g", proj="p", more="o")
    assert cost(made, "PutItem", Item=row) == arms(2.0, 1.0, gsi=1.0)
    ok(made, "DeleteItem", TableName="tab", Key=KEY)
    both = row | item(lsiSk="l")
    assert cost(made, "PutItem", Item=both) == arms(3.0, 1.0, gsi=1.0, lsi=1.0)
    assert cost(made, "PutItem", Item=both) == arms(1.0, 1.0)

    def update(expression: str, **values: Any) -> Any:
        named = {"ExpressionAttributeValues": {f":{n}": v for n, v in item(**values).items()}} if values else {}
        return cost(made, "UpdateItem", Key=KEY, UpdateExpression=expression, **named)

    assert update("SET more = :v", v="new") == arms(2.0, 1.0, lsi=1.0)
    assert update("SET proj = :v", v="new") == arms(3.0, 1.0, gsi=1.0, lsi=1.0)
    assert update("SET gsiPk = :v", v="h") == arms(4.0, 1.0, gsi=2.0, lsi=1.0)
    assert update("REMOVE gsiPk") == arms(3.0, 1.0, gsi=1.0, lsi=1.0)
    assert update("SET lsiSk = :v", v="m") == arms(3.0, 1.0, lsi=2.0)
    assert update("SET gsiPk = :v", v="g") == arms(3.0, 1.0, gsi=1.0, lsi=1.0)
    assert cost(made, "DeleteItem", Key=KEY) == arms(3.0, 1.0, gsi=1.0, lsi=1.0)
    ok(made, "PutItem", TableName="tab", Item=KEY)
    assert cost(made, "DeleteItem", Key=KEY) == arms(1.0, 1.0)


def test_a_batch_of_writes(made: Service) -> None:
    elements = [
        {"PutRequest": {"Item": item(pk="a", sk="1", gsiPk="g")}},
        {"PutRequest": {"Item": item(pk="a", sk="2")}},
    ]
    body = {"RequestItems": {"tab": elements}, "ReturnConsumedCapacity": "INDEXES"}
    assert ok(made, "BatchWriteItem", **body)["ConsumedCapacity"] == [arms(3.0, 2.0, gsi=1.0)]


def test_the_larger_image_counts(made: Service) -> None:
    def put(size: int) -> Any:
        return cost(made, "PutItem", "TOTAL", TableName="plain", Item=item(pk="a", b="x" * size))["CapacityUnits"]

    assert put(100) == 1.0
    assert put(3000) == 3.0
    assert put(100) == 3.0
    assert put(1020) == 1.0  # 1024 bytes with names and key
    assert put(1021) == 2.0
    delete = {"TableName": "plain", "Key": item(pk="a")}
    assert cost(made, "DeleteItem", "TOTAL", **delete)["CapacityUnits"] == 2.0
    assert cost(made, "DeleteItem", "TOTAL", **delete)["CapacityUnits"] == 1.0


def test_updates_that_do_nothing(made: Service) -> None:
    update = {"TableName": "plain", "Key": item(pk="a"), "UpdateExpression": "REMOVE x"}
    assert cost(made, "UpdateItem", "TOTAL", **update)["CapacityUnits"] == 1.0
    ok(made, "PutItem", TableName="plain", Item=item(pk="a", b="x" * 3000))
    assert cost(made, "UpdateItem", "TOTAL", **update)["CapacityUnits"] == 3.0


def test_a_reordered_set_changes_no_entry(made: Service) -> None:
    ok(made, "PutItem", TableName="tab", Item=item(**KEY, gsiPk="g", proj={"SS": ["a", "b"]}))
    assert cost(made, "PutItem", Item=item(**KEY, gsiPk="g", proj={"SS": ["b", "a"]})) == arms(1.0, 1.0)


# Reads


def test_reads_of_items(made: Service) -> None:
    ok(made, "PutItem", TableName="plain", Item=item(pk="a", b="x" * 5000))
    get = {"TableName": "plain", "Key": item(pk="a"), "ProjectionExpression": "pk"}
    assert cost(made, "GetItem", "TOTAL", **get)["CapacityUnits"] == 1.0
    assert cost(made, "GetItem", "TOTAL", **get, ConsistentRead=True)["CapacityUnits"] == 2.0
    missing = {"TableName": "plain", "Key": item(pk="nope")}
    assert cost(made, "GetItem", "TOTAL", **missing)["CapacityUnits"] == 0.5
    assert cost(made, "GetItem", "TOTAL", **missing, ConsistentRead=True)["CapacityUnits"] == 1.0


def test_a_batch_of_reads_rounds_each_item(made: Service) -> None:
    for name in "abc":
        ok(made, "PutItem", TableName="plain", Item=item(pk=name, b="x" * 100))
    keys = {"Keys": [item(pk=name) for name in "abcd"]}
    body = {"RequestItems": {"plain": keys}, "ReturnConsumedCapacity": "INDEXES"}
    assert ok(made, "BatchGetItem", **body)["ConsumedCapacity"] == [
        {"TableName": "plain", "CapacityUnits": 2.0, "Table": {"CapacityUnits": 2.0}}
    ]
    body["RequestItems"] = {"plain": {**keys, "ConsistentRead": True}}
    assert ok(made, "BatchGetItem", **body)["ConsumedCapacity"][0]["CapacityUnits"] == 4.0


def query(made: Service, mode: str = "INDEXES", **more: Any) -> Any:
    values = {":v": {"S": "a"}}
    body = {"KeyConditionExpression": "pk = :v", "ExpressionAttributeValues": values, **more}
    return cost(made, "Query", mode, **body)


def test_a_page_is_rounded_as_a_whole(made: Service) -> None:
    for n in range(4):
        ok(made, "PutItem", TableName="tab", Item=item(pk="a", sk=str(n), b="x" * 3000))
    # Four times 3,007 bytes: three pages of 4,096.
    assert query(made) == arms(1.5, 1.5)
    assert query(made, ConsistentRead=True) == arms(3.0, 3.0)
    assert query(made, FilterExpression="attribute_exists(nope)") == arms(1.5, 1.5)
    assert query(made, Select="COUNT") == arms(1.5, 1.5)
    assert query(made, ProjectionExpression="sk") == arms(1.5, 1.5)
    assert query(made, Limit=1) == arms(0.5, 0.5)
    assert cost(made, "Scan") == arms(1.5, 1.5)
    assert cost(made, "Scan", ConsistentRead=True) == arms(3.0, 3.0)


def test_an_empty_page(made: Service) -> None:
    assert query(made) == arms(0.5, 0.5)
    assert query(made, ConsistentRead=True) == arms(1.0, 1.0)
    assert query(made, IndexName="lsi") == arms(0.5, 0.0, lsi=0.5)


def test_reads_of_indexes(made: Service) -> None:
    for n in range(3):
        ok(made, "PutItem", TableName="tab", Item=item(pk="a", sk=str(n), gsiPk="a", b="x" * 9000))
    body = {"IndexName": "gsi", "KeyConditionExpression": "gsiPk = :v"}
    assert query(made, **body) == arms(0.5, 0.0, gsi=0.5)
    assert cost(made, "Scan", IndexName="gsi") == arms(0.5, 0.0, gsi=0.5)


def test_fetches_of_a_local_index() -> None:
    made = service(
        tab={"types": "pk:S sk:S lsiSk:S", "key": ("pk", "sk"), "lsi": [index("lsi", "pk", "lsiSk", kind="KEYS_ONLY")]}
    )
    for n in range(3):
        ok(made, "PutItem", TableName="tab", Item=item(pk="a", sk=str(n), lsiSk="l", b="x" * 9000))
    # Three items of 9 KB fetched one by one: 4.5 eventually consistent, 9 strong; the entries one half or one.
    body = {"IndexName": "lsi", "Select": "ALL_ATTRIBUTES"}
    assert query(made, **body) == arms(5.0, 4.5, lsi=0.5)
    assert query(made, **body, ConsistentRead=True) == arms(10.0, 9.0, lsi=1.0)
    assert query(made, **{**body, "Select": "SPECIFIC_ATTRIBUTES"}, ProjectionExpression="b") == arms(5.0, 4.5, lsi=0.5)
    filtered = {"FilterExpression": "lsiSk = sk", "IndexName": "lsi", "Select": "ALL_ATTRIBUTES"}
    assert cost(made, "Scan", **filtered) == arms(5.0, 4.5, lsi=0.5)
    assert query(made, IndexName="lsi") == arms(0.5, 0.0, lsi=0.5)
    assert query(made, IndexName="lsi", ProjectionExpression="sk, lsiSk") == arms(0.5, 0.0, lsi=0.5)


def test_a_replay_reports_reads_of_the_larger_images(made: Service) -> None:
    table = made.account.tables["plain"]
    ok(made, "PutItem", TableName="plain", Item=item(pk="a", b="x" * 9000))
    assert replay_units([table.plan(item(pk="a"), None)]) == 6.0
    assert replay_units([table.plan(item(pk="b"), item(pk="b", b="x" * 1500))]) == 2.0
