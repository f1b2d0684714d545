"""CreateTable, DescribeTable, DeleteTable and ListTables, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Account, Delays
from reference.clock import ManualClock
from reference.service import Service
from tests.unit.table_requests import PLAIN, SORTED, START, defined, index, key, refusal, reply, units, vector


@pytest.fixture
def service() -> Service:
    return Service(Account(ManualClock(START)))


PROVISIONED = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "CreationDateTime": START,
    "DeletionProtectionEnabled": False,
    "ItemCount": 0,
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    "TableArn": "arn:aws:dynamodb:us-east-1:400000000004:table/tab",
    "TableName": "tab",
    "TableSizeBytes": 0,
}
"""What localstack recorded on AWS in its test_table_crud, apart from TableId and TableStatus."""


def test_a_provisioned_table_as_recorded(service: Service) -> None:
    body = {**PLAIN, "BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 5)}
    made = reply(service, "CreateTable", **body)["TableDescription"]
    table_id = made.pop("TableId")
    assert made == {**PROVISIONED, "TableStatus": "CREATING"}
    warm = {"ReadUnitsPerSecond": 5, "WriteUnitsPerSecond": 5, "Status": "ACTIVE"}
    told = reply(service, "DescribeTable", TableName="tab")["Table"]
    assert told == {**PROVISIONED, "TableId": table_id, "TableStatus": "ACTIVE", "WarmThroughput": warm}
    assert reply(service, "DeleteTable", TableName="tab")["TableDescription"] == {
        "DeletionProtectionEnabled": False,
        "ItemCount": 0,
        "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        "TableArn": "arn:aws:dynamodb:us-east-1:400000000004:table/tab",
        "TableId": table_id,
        "TableName": "tab",
        "TableSizeBytes": 0,
        "TableStatus": "DELETING",
    }
    missing = ("ResourceNotFoundException", "Requested resource not found: Table: tab not found")
    assert refusal(service, "DescribeTable", TableName="tab") == missing
    assert refusal(service, "DeleteTable", TableName="tab") == missing


def test_an_on_demand_table_with_an_index_as_recorded(service: Service) -> None:
    body = {
        **PLAIN,
        "AttributeDefinitions": defined("id", "x"),
        "GlobalSecondaryIndexes": [index("abc", "x")],
    }
    made = reply(service, "CreateTable", **body)["TableDescription"]
    zeros = {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    plain_index = {
        "IndexArn": "arn:aws:dynamodb:us-east-1:400000000004:table/tab/index/abc",
        "IndexName": "abc",
        "IndexSizeBytes": 0,
        "IndexStatus": "CREATING",
        "ItemCount": 0,
        "KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        "ProvisionedThroughput": zeros,
    }
    assert made["GlobalSecondaryIndexes"] == [plain_index]
    assert made["BillingModeSummary"] == {"BillingMode": "PAY_PER_REQUEST"}
    assert made["ProvisionedThroughput"] == zeros
    assert "WarmThroughput" not in made
    told = reply(service, "DescribeTable", TableName="tab")["Table"]
    warm = {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"}
    assert told["GlobalSecondaryIndexes"] == [{**plain_index, "IndexStatus": "ACTIVE", "WarmThroughput": warm}]
    assert told["WarmThroughput"] == warm
    assert told["BillingModeSummary"] == {
        "BillingMode": "PAY_PER_REQUEST",
        "LastUpdateToPayPerRequestDateTime": START,
    }
    assert told["TableId"] == made["TableId"]


def test_local_indexes_have_neither_status_nor_throughput(service: Service) -> None:
    projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x", "a"]}
    reply(service, "CreateTable", **SORTED, LocalSecondaryIndexes=[index("lsi", "a", "c", Projection=projection)])
    assert reply(service, "DescribeTable", TableName="tab")["Table"]["LocalSecondaryIndexes"] == [
        {
            "IndexName": "lsi",
            "KeySchema": key("a", "c"),
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "x"]},
            "IndexSizeBytes": 0,
            "ItemCount": 0,
            "IndexArn": "arn:aws:dynamodb:us-east-1:400000000004:table/tab/index/lsi",
        }
    ]


def test_warm_throughput_shows_at_once_when_asked_for(service: Service) -> None:
    warm = {"ReadUnitsPerSecond": 1000, "WriteUnitsPerSecond": 1200}
    body = {**PLAIN, "BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 5), "WarmThroughput": warm}
    made = reply(service, "CreateTable", **body)["TableDescription"]
    assert made["WarmThroughput"] == {**warm, "Status": "UPDATING"}
    told = reply(service, "DescribeTable", TableName="tab")["Table"]
    assert told["WarmThroughput"] == {**warm, "Status": "ACTIVE"}


def test_a_stream_has_its_label_from_the_start(service: Service) -> None:
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    made = reply(service, "CreateTable", **PLAIN, StreamSpecification=stream)["TableDescription"]
    arn = "arn:aws:dynamodb:us-east-1:400000000004:table/tab/stream/2027-01-15T08:00:00.000"
    for told in (made, reply(service, "DescribeTable", TableName="tab")["Table"]):
        assert told["StreamSpecification"] == stream
        assert told["LatestStreamLabel"] == "2027-01-15T08:00:00.000"
        assert told["LatestStreamArn"] == arn
    off = {**PLAIN, "TableName": "off", "StreamSpecification": {"StreamEnabled": False}}
    told = reply(service, "CreateTable", **off)["TableDescription"]
    assert not {"StreamSpecification", "LatestStreamArn"} & set(told)


def test_other_settings_show_only_when_set(service: Service) -> None:
    body = {
        **PLAIN,
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
        "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "arn:aws:kms:us-east-1:1:key/k"},
        "OnDemandThroughput": {"MaxReadRequestUnits": 7},
        "DeletionProtectionEnabled": True,
    }
    made = reply(service, "CreateTable", **body)["TableDescription"]
    assert made["TableClassSummary"] == {"TableClass": "STANDARD_INFREQUENT_ACCESS"}
    assert made["SSEDescription"] == {
        "Status": "ENABLED",
        "SSEType": "KMS",
        "KMSMasterKeyArn": "arn:aws:kms:us-east-1:1:key/k",
    }
    assert made["OnDemandThroughput"] == {"MaxReadRequestUnits": 7}
    assert made["DeletionProtectionEnabled"] is True
    named = reply(service, "CreateTable", **{**PLAIN, "TableName": "named", "TableClass": "STANDARD"})
    assert named["TableDescription"]["TableClassSummary"] == {"TableClass": "STANDARD"}
    plain = reply(service, "CreateTable", **{**PLAIN, "TableName": "plain"})
    assert not {"TableClassSummary", "SSEDescription", "OnDemandThroughput"} & set(plain["TableDescription"])


def test_an_attribute_is_declared_once(service: Service) -> None:
    twice = [{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "id", "AttributeType": "N"}]
    told = refusal(service, "CreateTable", **{**PLAIN, "AttributeDefinitions": twice})
    assert told == ("ValidationException", "Attribute Name is duplicated: id")


HOME = "arn:aws:kms:us-east-1:400000000004:"


def encrypted(service: Service, name: str, **specification: Any) -> Any:
    """The SSEDescription of a new table."""
    made = reply(service, "CreateTable", **{**PLAIN, "TableName": name}, SSESpecification=specification)
    return made["TableDescription"].get("SSEDescription")


def test_the_key_that_aws_manages(service: Service) -> None:
    told = encrypted(service, "managed", Enabled=True)
    assert (told["Status"], told["SSEType"]) == ("ENABLED", "KMS")
    assert told["KMSMasterKeyArn"].startswith(f"{HOME}key/")
    assert encrypted(service, "typed", SSEType="KMS") == told
    assert encrypted(service, "alias", SSEType="KMS", KMSMasterKeyId="alias/aws/dynamodb") == told
    assert encrypted(service, "empty") is None
    assert encrypted(service, "off", Enabled=False) is None


@pytest.mark.parametrize(
    ("given", "key"),
    [("mrk-1", f"{HOME}key/mrk-1"), (f"{HOME}key/k", f"{HOME}key/k"), ("alias/mine", None), (f"{HOME}alias/a", None)],
)
def test_a_key_of_ones_own(service: Service, given: str, key: str | None) -> None:
    told = encrypted(service, "own", Enabled=True, SSEType="KMS", KMSMasterKeyId=given)["KMSMasterKeyArn"]
    assert told == (key or told)
    assert told.startswith(f"{HOME}key/")
    assert "alias" not in told


def test_deleting_tells_the_key(service: Service) -> None:
    told = encrypted(service, "own", Enabled=True)
    assert reply(service, "DeleteTable", TableName="own")["TableDescription"]["SSEDescription"] == told


def test_a_table_is_found_by_its_arn(service: Service) -> None:
    arn = reply(service, "CreateTable", **PLAIN)["TableDescription"]["TableArn"]
    assert reply(service, "DescribeTable", TableName=arn)["Table"]["TableName"] == "tab"
    other = arn.replace("us-east-1", "eu-west-1")
    assert refusal(service, "DescribeTable", TableName=other) == (
        "ValidationException",
        f"1 validation error detected: Invalid AWS region in '{other}'",
    )
    other = arn.replace(":aws:", ":aws-cn:")
    assert refusal(service, "DescribeTable", TableName=other)[1] == (
        f"1 validation error detected: Invalid AWS partition in '{other}'"
    )


def test_a_vector_index_is_described(service: Service) -> None:
    schema = [{"AttributeName": "t", "SearchSchemaElementType": "HASH"}]
    body = {**PLAIN, "AttributeDefinitions": defined("id", "t"), "VectorIndexes": [vector("vix", SearchSchema=schema)]}
    made = reply(service, "CreateTable", **body)["TableDescription"]["VectorIndexes"]
    expected = {
        "IndexName": "vix",
        "SearchSchema": schema,
        "Projection": {"ProjectionType": "ALL"},
        "VectorAttribute": {"AttributeName": "v"},
        "Dimensions": 3,
        "DistanceFunction": "COSINE",
        "IndexSizeBytes": 0,
        "ItemCount": 0,
        "IndexArn": "arn:aws:dynamodb:us-east-1:400000000004:table/tab/index/vix",
    }
    assert made == [{**expected, "IndexStatus": "CREATING"}]
    told = reply(service, "DescribeTable", TableName="tab")["Table"]["VectorIndexes"]
    assert told == [{**expected, "IndexStatus": "ACTIVE"}]


def test_a_name_can_be_used_again_once_the_table_is_gone(service: Service) -> None:
    first = reply(service, "CreateTable", **PLAIN)["TableDescription"]["TableId"]
    taken = ("ResourceInUseException", "Table already exists: tab")
    assert refusal(service, "CreateTable", **PLAIN) == taken
    reply(service, "DeleteTable", TableName="tab")
    second = reply(service, "CreateTable", **PLAIN)["TableDescription"]["TableId"]
    assert first != second


def test_states_take_their_time() -> None:
    clock = ManualClock(START)
    service = Service(Account(clock, delays=Delays(create_table=5, delete_table=5)))
    reply(service, "CreateTable", **PLAIN)
    being_created = "Attempt to change a resource which is still in use: Table is being created: tab"
    assert refusal(service, "DeleteTable", TableName="tab") == ("ResourceInUseException", being_created)
    assert refusal(service, "CreateTable", **PLAIN) == ("ResourceInUseException", being_created)
    assert refusal(service, "PutItem", TableName="tab", Item={"id": {"S": "a"}}) == (
        "ResourceNotFoundException",
        "Requested resource not found",
    )
    assert reply(service, "ListTables") == {"TableNames": ["tab"]}
    clock.advance(5)
    assert reply(service, "DescribeTable", TableName="tab")["Table"]["TableStatus"] == "ACTIVE"
    reply(service, "DeleteTable", TableName="tab")
    assert refusal(service, "DeleteTable", TableName="tab") == (
        "ResourceInUseException",
        "Attempt to change a resource which is still in use: Table is being deleted: tab",
    )
    assert reply(service, "DescribeTable", TableName="tab")["Table"]["TableStatus"] == "DELETING"
    assert refusal(service, "CreateTable", **PLAIN) == ("ResourceInUseException", "Table already exists: tab")
    clock.advance(5)
    assert reply(service, "ListTables") == {"TableNames": []}


def test_a_protected_table_stays(service: Service) -> None:
    reply(service, "CreateTable", **PLAIN, DeletionProtectionEnabled=True)
    assert refusal(service, "DeleteTable", TableName="tab") == (
        "ValidationException",
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
    )


def test_names_are_listed_in_byte_order(service: Service) -> None:
    for name in ("bbb", "Zed", "a.c", "a-b"):
        reply(service, "CreateTable", **{**PLAIN, "TableName": name})
    assert reply(service, "ListTables") == {"TableNames": ["Zed", "a-b", "a.c", "bbb"]}
    assert reply(service, "ListTables", Limit=2) == {
        "TableNames": ["Zed", "a-b"],
        "LastEvaluatedTableName": "a-b",
    }
    assert reply(service, "ListTables", ExclusiveStartTableName="a-b", Limit=2) == {"TableNames": ["a.c", "bbb"]}
    assert reply(service, "ListTables", ExclusiveStartTableName="aaa") == {"TableNames": ["bbb"]}
    assert refusal(service, "ListTables", Limit=101) == (
        "ValidationException",
        "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: "
        "Member must have value less than or equal to 100",
    )


def test_what_an_account_says_of_itself(service: Service) -> None:
    assert reply(service, "DescribeLimits") == {
        "AccountMaxReadCapacityUnits": 80000,
        "AccountMaxWriteCapacityUnits": 80000,
        "TableMaxReadCapacityUnits": 40000,
        "TableMaxWriteCapacityUnits": 40000,
    }
    assert reply(service, "DescribeEndpoints") == {
        "Endpoints": [{"Address": "dynamodb.us-east-1.amazonaws.com", "CachePeriodInMinutes": 1440}]
    }


def test_history_is_kept_as_long_as_a_stream_may_be_read(service: Service) -> None:
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    reply(service, "CreateTable", **PLAIN, StreamSpecification=stream)
    reply(service, "CreateTable", **{**PLAIN, "TableName": "two"})
    assert service.account.tables["tab"].keep == 86_400
    assert service.account.tables["two"].keep == 0
