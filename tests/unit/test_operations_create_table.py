"""What CreateTable refuses, and where its limits are, against AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Account, Delays
from reference.api import Call
from reference.clock import ManualClock
from reference.service import Service
from reference.tables.limits import Limits
from tests.unit.table_requests import (
    IPV,
    PLAIN,
    SORTED,
    START,
    defined,
    elements,
    index,
    key,
    refusal,
    reply,
    units,
    vector,
)


@pytest.fixture
def service() -> Service:
    return Service(Account(ManualClock(START)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"ProvisionedThroughput": units(1, 1)},
            IPV + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified "
            "when BillingMode is PAY_PER_REQUEST",
        ),
        (
            {"BillingMode": None},
            IPV + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        ),
        (
            {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(1_000_000_000_001, 1)},
            "Given value 1000000000001 for ReadCapacityUnits is out of bounds",
        ),
        (
            {
                "BillingMode": "PROVISIONED",
                "ProvisionedThroughput": units(1, 1),
                "OnDemandThroughput": {"MaxWriteRequestUnits": 1, "MaxReadRequestUnits": 1},
            },
            IPV + "MaxReadRequestUnits for OnDemandThroughput cannot be specified "
            "when table BillingMode is PROVISIONED.",
        ),
        (
            {"OnDemandThroughput": {"MaxWriteRequestUnits": -1}},
            IPV + "Requested MaxWriteRequestUnits for OnDemandThroughput for table is outside of valid range",
        ),
        (
            {"KeySchema": elements("id/HASH", "id/RANGE")},
            "Invalid KeySchema: Some index key attribute have no definition",
        ),
        (
            {"KeySchema": key("id", "id"), "AttributeDefinitions": defined("id", "x")},
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ),
        (
            {"KeySchema": key("a"), "AttributeDefinitions": defined("b")},
            IPV + "Some index key attributes are not defined in AttributeDefinitions. "
            "Keys: [a], AttributeDefinitions: [b]",
        ),
        ({"KeySchema": elements("id/RANGE")}, "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"),
        (
            {"KeySchema": elements("id/HASH", "x/HASH"), "AttributeDefinitions": defined("id", "x")},
            "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
        ),
        (
            {"AttributeDefinitions": defined("id", "x")},
            IPV + "Number of attributes in KeySchema does not exactly match number of attributes defined in "
            "AttributeDefinitions",
        ),
        (
            {
                "KeySchema": key("pk", "sk"),
                "AttributeDefinitions": defined("pk", "sk", "a", "b", "c"),
                # Neither the projection nor the second name is looked at.
                "GlobalSecondaryIndexes": [index("gsi", "a", Projection={}), index("gsi", "a")],
            },
            IPV + "Some AttributeDefinitions are not used. AttributeDefinitions: [sk, a, b, pk, c], keys used: "
            "[a, sk, pk]",
        ),
        (
            {
                "KeySchema": key("pk", "sk"),
                "AttributeDefinitions": defined("pk", "sk"),
                "GlobalSecondaryIndexes": [index("gsi", "q")],
            },
            IPV + "Some index key attributes are not defined in AttributeDefinitions. Keys: [q], AttributeDefinitions: "
            "[sk, pk]",
        ),
        ({"LocalSecondaryIndexes": []}, IPV + "List of LocalSecondaryIndexes is empty"),
        ({"GlobalSecondaryIndexes": []}, IPV + "List of GlobalSecondaryIndexes is empty"),
        (
            {"LocalSecondaryIndexes": [index("lsi", "id", "x")], "AttributeDefinitions": defined("id", "x")},
            IPV + "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
        ),
        (
            {"GlobalSecondaryIndexes": [index("gsi", "id", ProvisionedThroughput=units(1, 1))]},
            IPV + "ProvisionedThroughput should not be specified for index: gsi when BillingMode is PAY_PER_REQUEST",
        ),
        (
            {
                "BillingMode": "PROVISIONED",
                "ProvisionedThroughput": units(1, 1),
                "GlobalSecondaryIndexes": [index("gsi", "id")],
            },
            IPV + "ProvisionedThroughput is not specified for index: gsi",
        ),
        (
            {"GlobalSecondaryIndexes": [index("gsi", "id", Projection={})]},
            IPV + "Unknown ProjectionType: null",
        ),
        (
            {
                "GlobalSecondaryIndexes": [
                    index("gsi", "id", Projection={"ProjectionType": "KEYS_ONLY", "NonKeyAttributes": ["x"]})
                ]
            },
            IPV + "ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified",
        ),
        (
            {"GlobalSecondaryIndexes": [index("gsi", "id", Projection={"ProjectionType": "INCLUDE"})]},
            IPV + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified",
        ),
        (
            {"GlobalSecondaryIndexes": [index("gsi", "id"), index("gsi", "id")]},
            IPV + "Duplicate index name: gsi",
        ),
        (
            {"GlobalSecondaryIndexes": [index(f"gsi{i}", "id") for i in range(21)]},
            IPV + "GlobalSecondaryIndex count exceeds the per-table limit of 20",
        ),
        (
            {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}},
            IPV + "Table is being created with a stream disabled, UpdateViewType should not be specified",
        ),
        (
            {"StreamSpecification": {"StreamEnabled": True}},
            IPV + "Table is being created with a stream enabled, UpdateViewType is required",
        ),
        (
            {"WarmThroughput": {"ReadUnitsPerSecond": 11_999}},
            IPV + "Requested ReadUnitsPerSecond for WarmThroughput for table is lower than initial throughput for "
            "OnDemand. See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
            "on-demand-capacity-mode.html#on-demand-capacity-mode-initial",
        ),
        (
            {
                "BillingMode": "PROVISIONED",
                "ProvisionedThroughput": units(5, 5),
                "WarmThroughput": {"WriteUnitsPerSecond": 4},
            },
            IPV + "Requested WriteUnitsPerSecond for WarmThroughput for table is lower than WriteCapacityUnits of "
            "ProvisionedThroughput",
        ),
        ({"SSESpecification": {"Enabled": True, "SSEType": "AES256"}}, IPV + "SSEType AES256 is not supported"),
        ({"VectorIndexes": []}, IPV + "List of VectorIndexes is empty"),
        ({"Tags": [{"Key": "aws:x", "Value": ""}]}, "Tag Key cannot be prefixed with aws:, Key: aws:x"),
        (
            {"VectorIndexes": [vector("vix", 4097)]},
            IPV + "Number of dimensions must be between 1 and 4096 inclusive.",
        ),
        (
            {"VectorIndexes": [vector(f"vix{i}") for i in range(6)]},
            IPV + "VectorIndex count exceeds the per-table limit of 5",
        ),
        (
            {
                "VectorIndexes": [
                    vector("vix", SearchSchema=[{"AttributeName": "t", "SearchSchemaElementType": "HASH"}])
                ]
            },
            IPV + "One element in SearchSchema is not defined in attribute definitions",
        ),
        (
            {"VectorIndexes": [vector("vix", 3, "embedding"), vector("viy", 4, "embedding")]},
            IPV + "Conflicting attribute definition for 'embedding'. All VectorIndexes on the same vector attribute "
            "must use the same dimensions.",
        ),
        (
            {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(1, 1), "VectorIndexes": [vector("vix")]},
            IPV + "Vector indexes are only supported for PAY_PER_REQUEST tables",
        ),
    ],
)
def test_what_a_new_table_can_not_be(service: Service, change: dict[str, Any], message: str) -> None:
    body = {name: value for name, value in {**PLAIN, **change}.items() if value is not None}
    assert refusal(service, "CreateTable", **body) == ("ValidationException", message)
    assert reply(service, "ListTables") == {"TableNames": []}


@pytest.mark.parametrize(
    ("indexes", "message"),
    [
        ([index("lsi", "a")], IPV + "Index KeySchema does not have a range key for index: lsi"),
        (
            [index("lsi", "c", "b")],
            IPV + "Index KeySchema does not have the same leading hash key as table KeySchema for index: lsi. "
            "index hash key: c, table hash key: a",
        ),
        ([index("lsi", "a", "a")], "Both the Hash Key and the Range Key element in the KeySchema have the same name"),
        (
            [index("lsi", "a", "z")],
            IPV + "Some index key attributes are not defined in AttributeDefinitions. "
            "Keys: [a, z], AttributeDefinitions: [a, b, c]",
        ),
        ([index("lsi", "a", "c"), index("lsi", "a", "b")], IPV + "Duplicate index name: lsi"),
        (
            [index(f"lsi{i}", "a", "c") for i in range(6)],
            IPV + "Number of LocalSecondaryIndexes exceeds per-table limit of 5",
        ),
    ],
)
def test_what_a_local_index_can_not_be(service: Service, indexes: list[dict[str, Any]], message: str) -> None:
    body = {**SORTED, "LocalSecondaryIndexes": indexes}
    assert refusal(service, "CreateTable", **body) == ("ValidationException", message)


def test_five_local_and_twenty_global_indexes_are_fine(service: Service) -> None:
    reply(
        service,
        "CreateTable",
        **SORTED,
        LocalSecondaryIndexes=[index(f"lsi{i}", "a", "c") for i in range(5)],
        GlobalSecondaryIndexes=[index(f"gsi{i}", "b", "a") for i in range(20)],
    )
    told = reply(service, "DescribeTable", TableName="tab")["Table"]
    assert len(told["GlobalSecondaryIndexes"]) == 20
    assert told["GlobalSecondaryIndexes"][0]["KeySchema"] == key("b", "a")


def test_indexes_of_both_kinds_share_one_namespace(service: Service) -> None:
    body = {**SORTED, "LocalSecondaryIndexes": [index("x12", "a", "c")], "GlobalSecondaryIndexes": [index("x12", "b")]}
    assert refusal(service, "CreateTable", **body) == ("ValidationException", IPV + "Duplicate index name: x12")


@pytest.mark.parametrize(
    ("schema", "part"),
    [
        (elements("a/HASH", "b/RANGE", "c/HASH"), "All HASH key attributes must precede RANGE key attributes"),
        (elements("b/RANGE", "c/HASH"), "The first KeySchemaElement is not a HASH key type"),
        (elements("a/HASH", "b/HASH", "a/RANGE"), "The KeySchema contains multiple key attributes with the same name"),
        (
            elements("a/HASH", "b/HASH", "c/HASH", "d/HASH", "e/HASH"),
            "The KeySchema exceeds the maximum allowed number of HASH key attributes",
        ),
        (
            elements("a/HASH", "b/RANGE", "c/RANGE", "d/RANGE", "e/RANGE", "f/RANGE"),
            "The KeySchema exceeds the maximum allowed number of RANGE key attributes",
        ),
        (elements("c/RANGE"), "The first KeySchemaElement is not a HASH key type"),
    ],
)
def test_keys_of_several_attributes_that_are_refused(service: Service, schema: list[Any], part: str) -> None:
    names = sorted({"a", "b"} | {element["AttributeName"] for element in schema})
    body = {**SORTED, "AttributeDefinitions": defined(*names)}
    gsi = index("gsi", KeySchema=schema)
    code, message = refusal(service, "CreateTable", **body, GlobalSecondaryIndexes=[gsi])
    assert code == "ValidationException"
    assert part in (message or "")


def test_a_key_of_four_and_four_attributes(service: Service) -> None:
    schema = elements(*(f"{c}/HASH" for c in "abcd"), *(f"{c}/RANGE" for c in "efgh"))
    gsi = index("gsi", KeySchema=schema)
    body = {**SORTED, "AttributeDefinitions": defined(*"abcdefgh")}
    made = reply(service, "CreateTable", **body, GlobalSecondaryIndexes=[gsi])["TableDescription"]
    assert made["GlobalSecondaryIndexes"][0]["KeySchema"] == schema


def test_a_hundred_projected_attributes_and_one_more(service: Service) -> None:
    def indexes(last: int) -> list[dict[str, Any]]:
        counts = (20, 20, 20, 20, 19, last)
        included = [{"ProjectionType": "INCLUDE", "NonKeyAttributes": [f"n{j}" for j in range(n)]} for n in counts]
        return [index(f"gsi{i}", "id", Projection=projection) for i, projection in enumerate(included)]

    assert refusal(service, "CreateTable", **PLAIN, GlobalSecondaryIndexes=indexes(2))[0] == "ValidationException"
    reply(service, "CreateTable", **PLAIN, GlobalSecondaryIndexes=indexes(1))


def test_a_projection_names_an_attribute_once(service: Service) -> None:
    gsi = index("gsi", "id", Projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x", "y", "x"]})
    code, message = refusal(service, "CreateTable", **PLAIN, GlobalSecondaryIndexes=[gsi])
    assert code == "ValidationException"
    assert "Duplicate" in (message or "")


def test_billing_comes_before_keys_and_keys_before_streams(service: Service) -> None:
    wrong = {
        **PLAIN,
        "BillingMode": "PROVISIONED",
        "AttributeDefinitions": defined("x"),
        "StreamSpecification": {"StreamEnabled": True},
    }
    first, second, *_ = service.outcomes(Call("CreateTable", wrong)).violations
    assert (first.rule.name, second.rule.name) == ("tables.units-missing", "tables.key-undefined")


def test_an_account_has_quotas() -> None:
    limits = Limits(tables=1, table_units=10)
    service = Service(Account(ManualClock(START), limits=limits))
    body = {**PLAIN, "BillingMode": "PROVISIONED", "ProvisionedThroughput": units(11, 10)}
    assert refusal(service, "CreateTable", **body) == (
        "LimitExceededException",
        "The requested ReadCapacityUnits, 11, is above the per table maximum for the account in us-east-1. "
        "Per table maximum: 10. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request "
        "higher limits.",
    )
    reply(service, "CreateTable", **PLAIN)
    assert refusal(service, "CreateTable", **{**PLAIN, "TableName": "two"})[0] == "LimitExceededException"


def test_no_more_than_so_many_tables_change_at_once() -> None:
    account = Account(ManualClock(START), delays=Delays(create_table=9), limits=Limits(changing_tables=1))
    service = Service(account)
    reply(service, "CreateTable", **PLAIN)
    assert refusal(service, "CreateTable", **{**PLAIN, "TableName": "two"})[0] == "LimitExceededException"


def test_constraints_of_the_model_come_first(service: Service) -> None:
    assert refusal(service, "CreateTable") == (
        "ValidationException",
        "The parameter 'TableName' is required but was not present in the request",
    )
    body = {**SORTED, "LocalSecondaryIndexes": [index("l1", "a", "c")], "GlobalSecondaryIndexes": [index("g1", "b")]}
    short = "Member must have length greater than or equal to 3"
    assert refusal(service, "CreateTable", **body) == (
        "ValidationException",
        "2 validation errors detected: "
        f"Value 'g1' at 'globalSecondaryIndexes.1.member.indexName' failed to satisfy constraint: {short}; "
        f"Value 'l1' at 'localSecondaryIndexes.1.member.indexName' failed to satisfy constraint: {short}",
    )


def test_a_replica_in_another_account_is_beyond_one_account(service: Service) -> None:
    answer = refusal(service, "CreateTable", TableName="tab", GlobalTableSourceArn="arn:aws:dynamodb:x:1:table/t")
    assert answer[0] == "ValidationException"


def test_the_throughput_mode_is_the_billing_mode_by_another_name(service):
    rest = {name: value for name, value in PLAIN.items() if name != "BillingMode"}
    made = reply(service, "CreateTable", **rest, TableThroughputMode="PAY_PER_REQUEST")["TableDescription"]
    assert made["BillingModeSummary"] == {"BillingMode": "PAY_PER_REQUEST"}
    assert made["TableThroughputModeSummary"] == {"TableThroughputMode": "PAY_PER_REQUEST"}
    both = {**rest, "BillingMode": "PROVISIONED", "TableThroughputMode": "PAY_PER_REQUEST"}
    made = reply(service, "CreateTable", **{**both, "TableName": "Both"}, ProvisionedThroughput=units(1, 1))
    assert not {"BillingModeSummary", "TableThroughputModeSummary"} & made["TableDescription"].keys()


def test_each_name_of_the_billing_mode_has_its_enum(service):
    wanted = "failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"
    assert refusal(service, "CreateTable", **{**PLAIN, "BillingMode": "BOGUS1", "TableThroughputMode": "BOGUS2"}) == (
        "ValidationException",
        f"2 validation errors detected: Value 'BOGUS1' at 'billingMode' {wanted}; "
        f"Value 'BOGUS2' at 'tableThroughputMode' {wanted}",
    )
