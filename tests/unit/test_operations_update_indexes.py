"""UpdateTable where it creates, changes and deletes indexes, against AWS's own answers."""

from __future__ import annotations

from reference.account import Account, Delays
from reference.api import Call, Refusal
from reference.clock import ManualClock
from reference.service import Service
from tests.unit.update_bench import IPV, START, USED, Bench, change, create, defined, delete, key, units


def test_every_index_gets_units_with_its_table() -> None:
    bench = Bench()
    bench.update(AttributeDefinitions=defined("x/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    mode = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(1, 1)}
    assert bench.message(**mode) == IPV + "ProvisionedThroughput must be specified for index: gsi"
    told = bench.update(**mode, GlobalSecondaryIndexUpdates=[change("gsi", ProvisionedThroughput=units(2, 3))])[
        "GlobalSecondaryIndexes"
    ]
    assert told[0]["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units(2, 3)}


def test_a_new_index_is_filled_from_the_items_that_fit() -> None:
    bench = Bench()
    for item in (
        {"pk": {"S": "fits"}, "x": {"N": "1"}},
        {"pk": {"S": "other type"}, "x": {"S": "1"}},
        {"pk": {"S": "without"}},
    ):
        bench.call("PutItem", TableName="tab", Item=item)
    told = bench.update(
        AttributeDefinitions=defined("pk/S", "x/N", "unused/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")]
    )
    assert told["TableStatus"] == "UPDATING"
    assert told["AttributeDefinitions"] == defined("pk/S", "x/N")
    (index,) = told["GlobalSecondaryIndexes"]
    assert (index["IndexStatus"], index["Backfilling"], index["ItemCount"]) == ("CREATING", False, 0)
    (index,) = bench.described()["GlobalSecondaryIndexes"]
    assert (index["IndexStatus"], index["ItemCount"], "Backfilling" in index) == ("ACTIVE", 1, False)


def test_the_phases_of_a_new_index() -> None:
    bench = Bench(delays=Delays(update_table=10, backfill=100))
    bench.call("PutItem", TableName="tab", Item={"pk": {"S": "a"}, "x": {"S": "1"}})
    bench.update(AttributeDefinitions=defined("x/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    assert bench.refused(GlobalSecondaryIndexUpdates=[delete("gsi")]) == (
        "ResourceInUseException",
        USED + "Index creation is in resource allocation phase. Retry deletion during backfilling phase or when the "
        "index is active. Table: tab Index: gsi",
    )
    warmer = change("gsi", WarmThroughput={"ReadUnitsPerSecond": 12_001})
    assert bench.refused(GlobalSecondaryIndexUpdates=[warmer]) == (
        "ResourceInUseException",
        USED + "Index is being created but is not backfilling yet. Table: tab Index: gsi",
    )
    bench.clock.advance(10)
    told = bench.described()
    (index,) = told["GlobalSecondaryIndexes"]
    assert (told["TableStatus"], index["IndexStatus"], index["Backfilling"]) == ("ACTIVE", "CREATING", True)
    assert bench.refused(AttributeDefinitions=defined("y/S"), GlobalSecondaryIndexUpdates=[create("gsj", "y")]) == (
        "LimitExceededException",
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
    )
    assert bench.refused("DeleteTable") == (
        "ResourceInUseException",
        USED + "Cannot delete table while indexes are being created, updated, or deleted.",
    )
    bench.call("PutItem", TableName="tab", Item={"pk": {"S": "b"}, "x": {"S": "2"}})
    bench.clock.advance(100)
    (index,) = bench.described()["GlobalSecondaryIndexes"]
    assert (index["IndexStatus"], index["ItemCount"]) == ("ACTIVE", 2)


def test_the_phases_of_a_new_index_pass_without_anybody_looking() -> None:
    bench = Bench(delays=Delays(update_table=10, backfill=100))
    bench.update(AttributeDefinitions=defined("x/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    bench.clock.advance(110)
    (index,) = bench.described()["GlobalSecondaryIndexes"]
    assert (index["IndexStatus"], "Backfilling" in index) == ("ACTIVE", False)


def test_an_index_that_is_being_filled_may_be_deleted() -> None:
    bench = Bench(delays=Delays(update_table=10, backfill=100))
    bench.update(AttributeDefinitions=defined("x/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    bench.clock.advance(10)
    bench.update(GlobalSecondaryIndexUpdates=[delete("gsi")])
    bench.clock.advance(200)
    assert "GlobalSecondaryIndexes" not in bench.described()


def test_a_deleted_index_takes_its_definitions_along() -> None:
    bench = Bench()
    bench.update(AttributeDefinitions=defined("x/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    told = bench.update(GlobalSecondaryIndexUpdates=[delete("gsi")])
    assert told["GlobalSecondaryIndexes"][0]["IndexStatus"] == "DELETING"
    assert told["AttributeDefinitions"] == defined("pk/S")
    assert "GlobalSecondaryIndexes" not in bench.described()
    bench.update(AttributeDefinitions=defined("x/N"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    assert bench.described()["AttributeDefinitions"] == defined("pk/S", "x/N")


def test_redeclared_types() -> None:
    bench = Bench()
    told = bench.update(AttributeDefinitions=defined("pk/N", "x/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    assert told["AttributeDefinitions"] == defined("pk/S", "x/S")
    message = bench.message(AttributeDefinitions=defined("x/N"), GlobalSecondaryIndexUpdates=[create("gsj", "x")])
    assert "Attributes cannot be redefined" in (message or "")


def test_index_names_are_taken_once() -> None:
    bench = Bench()
    new = {"AttributeDefinitions": defined("x/S"), "GlobalSecondaryIndexUpdates": [create("gsi", "x")]}
    bench.update(**new)
    assert "already exists" in (bench.message(**new) or "")


def test_local_indexes_can_not_be_deleted() -> None:
    service = Service(Account(ManualClock(START)))
    local = {"IndexName": "lsi", "KeySchema": key("pk", "x"), "Projection": {"ProjectionType": "ALL"}}
    body = {
        "TableName": "tab",
        "KeySchema": key("pk", "sk"),
        "AttributeDefinitions": defined("pk/S", "sk/S", "x/S"),
        "BillingMode": "PAY_PER_REQUEST",
        "LocalSecondaryIndexes": [local],
    }
    service.execute(Call("CreateTable", body))
    answer = service.execute(Call("UpdateTable", {"TableName": "tab", "GlobalSecondaryIndexUpdates": [delete("lsi")]}))
    assert isinstance(answer, Refusal)
    assert answer.code == "ValidationException"


def test_units_of_an_index() -> None:
    bench = Bench(on_demand=False)
    bench.update(
        AttributeDefinitions=defined("x/S"),
        GlobalSecondaryIndexUpdates=[create("gsi", "x", ProvisionedThroughput=units(2, 2))],
    )
    told = bench.update(GlobalSecondaryIndexUpdates=[change("gsi", ProvisionedThroughput=units(3, 1))])
    (index,) = told["GlobalSecondaryIndexes"]
    assert (told["TableStatus"], index["IndexStatus"]) == ("ACTIVE", "UPDATING")
    marks = {"LastIncreaseDateTime": START, "LastDecreaseDateTime": START}
    assert index["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **marks, **units(2, 2)}
    (index,) = bench.described()["GlobalSecondaryIndexes"]
    assert index["IndexStatus"] == "ACTIVE"
    assert index["ProvisionedThroughput"] == {
        "NumberOfDecreasesToday": 1,
        **marks,
        **units(3, 1),
    }
    same = bench.message(GlobalSecondaryIndexUpdates=[change("gsi", ProvisionedThroughput=units(3, 1))])
    assert "will not change. The requested value equals the current value." in (same or "")
    missing = bench.message(AttributeDefinitions=defined("y/S"), GlobalSecondaryIndexUpdates=[create("gsj", "y")])
    assert missing == IPV + "Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: gsj"
    together = bench.message(ProvisionedThroughput=units(1, 1), GlobalSecondaryIndexUpdates=[delete("gsi")])
    assert together == IPV + "You cannot create or delete index while updating table IOPS"


def test_maxima_and_warmth_of_an_index() -> None:
    bench = Bench()
    bench.update(AttributeDefinitions=defined("x/S"), GlobalSecondaryIndexUpdates=[create("gsi", "x")])
    limits, warm = {"MaxReadRequestUnits": 5}, {"WriteUnitsPerSecond": 5_000}
    told = bench.update(GlobalSecondaryIndexUpdates=[change("gsi", OnDemandThroughput=limits, WarmThroughput=warm)])[
        "GlobalSecondaryIndexes"
    ][0]
    assert told["OnDemandThroughput"] == limits
    warmer = {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 5_000}
    assert told["WarmThroughput"] == {**warmer, "WriteUnitsPerSecond": 4_000, "Status": "UPDATING"}
    bench.update(GlobalSecondaryIndexUpdates=[change("gsi", OnDemandThroughput={"MaxReadRequestUnits": -1})])
    told = bench.described()["GlobalSecondaryIndexes"][0]
    assert "OnDemandThroughput" not in told
    assert told["WarmThroughput"] == {**warmer, "Status": "ACTIVE"}
    for wrong in (change("gsi"), change("gsi", ProvisionedThroughput=units(1, 1))):
        assert bench.message(GlobalSecondaryIndexUpdates=[wrong]) == (
            IPV + "The only Updates for index: gsi when TableThroughputMode is PAY_PER_REQUEST can be to "
            "OnDemandThroughput, WarmThroughput"
        )
    fixed = Bench(on_demand=False)
    fixed.update(
        AttributeDefinitions=defined("x/S"),
        GlobalSecondaryIndexUpdates=[create("gsi", "x", ProvisionedThroughput=units(1, 1))],
    )
    limited = fixed.message(GlobalSecondaryIndexUpdates=[change("gsi", OnDemandThroughput=limits)])
    assert limited == (
        IPV + "MaxReadRequestUnits for OnDemandThroughput for index : gsi cannot be specified when the table "
        "BillingMode is PROVISIONED"
    )


def test_no_more_than_twenty_indexes() -> None:
    bench = Bench()
    for i in range(20):
        bench.update(AttributeDefinitions=defined("x/S"), GlobalSecondaryIndexUpdates=[create(f"gsi{i}", "x")])
    last = {"AttributeDefinitions": defined("x/S"), "GlobalSecondaryIndexUpdates": [create("one-more", "x")]}
    assert bench.refused(**last) == (
        "LimitExceededException",
        "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20",
    )


VECTOR = {
    "IndexName": "vix",
    "VectorAttribute": {"AttributeName": "v"},
    "Dimensions": 2,
    "DistanceFunction": "EUCLIDEAN",
    "Projection": {"ProjectionType": "ALL"},
}


def test_the_phases_of_a_vector_index() -> None:
    bench = Bench(delays=Delays(update_table=10, backfill=100))
    told = bench.update(VectorIndexUpdates=[{"Create": VECTOR}])
    (index,) = told["VectorIndexes"]
    assert (told["TableStatus"], index["IndexStatus"], index["Backfilling"]) == ("UPDATING", "CREATING", False)
    assert bench.refused(VectorIndexUpdates=[delete("vix")])[0] == "ResourceInUseException"
    bench.clock.advance(10)
    (index,) = bench.described()["VectorIndexes"]
    assert index["Backfilling"] is True
    new = {"AttributeDefinitions": defined("x/S"), "GlobalSecondaryIndexUpdates": [create("gsi", "x")]}
    assert bench.refused(**new)[0] == "LimitExceededException"
    bench.clock.advance(100)
    (index,) = bench.described()["VectorIndexes"]
    assert (index["IndexStatus"], "Backfilling" in index) == ("ACTIVE", False)
    assert "already exists" in (bench.message(VectorIndexUpdates=[{"Create": VECTOR}]) or "")
    clash = {**VECTOR, "IndexName": "viy", "Dimensions": 3}
    assert "Conflicting attribute definition for 'v'." in (bench.message(VectorIndexUpdates=[{"Create": clash}]) or "")
    assert bench.refused(VectorIndexUpdates=[delete("none")])[0] == "ResourceNotFoundException"
    bench.update(VectorIndexUpdates=[delete("vix")])
    bench.clock.advance(10)
    assert "VectorIndexes" not in bench.described()


def test_a_vector_index_brings_its_search_attributes() -> None:
    bench = Bench()
    schema = [{"AttributeName": "t", "SearchSchemaElementType": "HASH"}]
    new = {"Create": {**VECTOR, "SearchSchema": schema}}
    undefined = IPV + "One element in SearchSchema is not defined in attribute definitions"
    assert bench.message(VectorIndexUpdates=[new]) == undefined
    told = bench.update(AttributeDefinitions=defined("t/S"), VectorIndexUpdates=[new])
    assert told["AttributeDefinitions"] == defined("pk/S", "t/S")
    for item in (
        {"v": {"L": [{"N": "1"}, {"N": "2"}]}, "t": {"S": "a"}},
        {"v": {"L": [{"N": "1"}, {"N": "2"}]}},
        {"t": {"S": "a"}},
    ):
        pk = {"pk": {"S": str(len(bench.service.account.tables["tab"].view.rows))}}
        bench.call("PutItem", TableName="tab", Item={**pk, **item})
    (index,) = bench.described()["VectorIndexes"]
    assert (index["SearchSchema"], index["ItemCount"]) == (schema, 1)
    told = bench.update(VectorIndexUpdates=[delete("vix")])
    assert told["AttributeDefinitions"] == defined("pk/S")


def test_vector_indexes_are_for_on_demand_tables() -> None:
    message = Bench(on_demand=False).message(VectorIndexUpdates=[{"Create": VECTOR}])
    assert message == IPV + "Vector indexes are only supported for PAY_PER_REQUEST tables"


def test_what_a_new_vector_index_is_held_against() -> None:
    bench = Bench()
    on_key = {**VECTOR, "VectorAttribute": {"AttributeName": "pk"}}
    assert "New schema: VectorIndexSchema:[VectorAttribute: key{pk:L:2}]" in bench.message(
        VectorIndexUpdates=[{"Create": on_key}]
    )
    for number in range(5):
        bench.update(VectorIndexUpdates=[{"Create": {**VECTOR, "IndexName": f"vix{number}"}}])
    assert bench.refused(VectorIndexUpdates=[{"Create": VECTOR}]) == (
        "LimitExceededException",
        "Subscriber limit exceeded: Number of vector secondary indexes exceeds per-table limit of 5",
    )


def test_a_table_with_a_vector_index_stays_on_demand() -> None:
    bench = Bench()
    bench.update(VectorIndexUpdates=[{"Create": VECTOR}])
    switch = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}}
    assert bench.message(**switch) == IPV + "Vector indexes are only supported for PAY_PER_REQUEST tables"
    bench.update(VectorIndexUpdates=[delete("vix")])
    assert bench.update(**switch)["TableStatus"] == "UPDATING"
