"""Model constraints of transactions, PartiQL and the control plane (dataplane:VAL-11 to VAL-14; messages §2, §9)."""

from __future__ import annotations

import pytest

from reference import requests
from reference.rules import surface

KEY = {"pk": {"S": "a"}}
RCC = (
    "Value 'BOGUS' at 'returnConsumedCapacity' failed to satisfy constraint: "
    "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
)
RICM = (
    "Value 'BOGUS' at 'returnItemCollectionMetrics' failed to satisfy constraint: "
    "Member must satisfy enum value set: [SIZE, NONE]"
)
PATTERN = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"


def errors(*parts):
    return f"{len(parts)} validation error{'s' if len(parts) > 1 else ''} detected: " + "; ".join(parts)


def messages(operation, body, cohort=None):
    """All texts, in the service's order; a repetition in the older cohort's words is left out."""
    speak = requests.speaker(operation, body, cohort)
    found = [violation.refusal(speak) for violation in requests.check(operation, body)]
    assert {refusal.code for refusal in found} <= {"ValidationException"}
    return list(dict.fromkeys(refusal.message for refusal in found))


def message(operation, body, cohort=None):
    return messages(operation, body, cohort)[0]


# --- Transactions and PartiQL -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["TransactWriteItems", "TransactGetItems"])
def test_lengths_of_transactions(operation):
    assert message(operation, {"TransactItems": []}) == errors(
        "Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1"
    )
    assert message(operation, {"TransactItems": []}, "current") == errors(
        "Value at 'TransactItems' failed to satisfy constraint: Member must have length greater than or equal to 1"
    )
    kind = "Delete" if operation == "TransactWriteItems" else "Get"
    items = [{kind: {"TableName": "abc", "Key": KEY}} for _ in range(101)]
    text = message(operation, {"TransactItems": items})
    assert text.startswith("1 validation error detected: Value '[Transact")
    assert text.endswith(
        "]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100"
    )
    assert messages(operation, {"TransactItems": items[:100]}) == []


def test_a_long_token():
    token = "x" * 37
    body = {
        "TransactItems": [{"Put": {"TableName": "abc", "Item": KEY}}],
        "ClientRequestToken": token,
        "ReturnConsumedCapacity": "BOGUS",
    }
    length = "failed to satisfy constraint: Member must have length less than or equal to 36"
    echoed = f"Value '{token}' at 'clientRequestToken' {length}"
    named = f"Value at 'ClientRequestToken' {length}"
    assert messages("TransactWriteItems", body) == [errors(echoed, RCC)]
    assert messages("TransactWriteItems", body, "current") == [errors(named), errors(RCC)]
    assert (
        messages("TransactWriteItems", {**body, "ReturnConsumedCapacity": "TOTAL", "ClientRequestToken": token[1:]})
        == []
    )


def test_enums_of_a_transaction():
    body = {
        "TransactItems": [{"Put": {"TableName": "abc", "Item": KEY}}],
        "ReturnItemCollectionMetrics": "BOGUS",
        "ReturnConsumedCapacity": "BOGUS",
    }
    assert messages("TransactWriteItems", body) == [errors(RCC, RICM)]


@pytest.mark.parametrize(
    ("kind", "member"),
    [("Put", "put"), ("Update", "update"), ("Delete", "delete"), ("ConditionCheck", "conditionCheck")],
)
def test_names_in_actions(kind, member):
    action = {"TableName": "bad!name", "Item": KEY, "Key": KEY, "UpdateExpression": "x", "ConditionExpression": "x"}
    assert messages("TransactWriteItems", {"TransactItems": [{kind: action}]}) == [
        errors(
            f"Value 'bad!name' at 'transactItems.1.member.{member}.tableName' failed to satisfy constraint: {PATTERN}"
        )
    ]


def test_names_in_gets():
    assert messages("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "bad!name", "Key": KEY}}]}) == [
        errors(f"Value 'bad!name' at 'transactItems.1.member.get.tableName' failed to satisfy constraint: {PATTERN}")
    ]


def test_a_check_without_a_condition():
    body = {"TransactItems": [{"ConditionCheck": {"TableName": "abc", "Key": KEY}}]}
    assert messages("TransactWriteItems", body) == [
        errors(
            "Value null at 'transactItems.1.member.conditionCheck.conditionExpression' failed to satisfy constraint: "
            "Member must not be null"
        )
    ]


def test_an_action_that_does_nothing():
    assert messages("TransactWriteItems", {"TransactItems": [{}]}) == [
        "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"
    ]
    assert messages("TransactWriteItems", {"TransactItems": [{}]}, "current") == [
        errors(
            "Value '' at 'transactItems' failed to satisfy constraint: TransactWriteRequest should contain Delete or "
            "Put or Update or ConditionCheck"
        )
    ]


def test_partiql():
    low = "failed to satisfy constraint: Member must have length greater than or equal to 1"
    assert message("ExecuteStatement", {"Statement": "x", "Parameters": []}) == errors(
        f"Value '[]' at 'parameters' {low}"
    )
    assert message("BatchExecuteStatement", {"Statements": []}) == errors(f"Value '[]' at 'statements' {low}")
    assert message("ExecuteTransaction", {"TransactStatements": []}) == errors(f"Value at 'transactStatements' {low}")
    assert message("ExecuteStatement", {"Statement": ""}) == errors(f"Value '' at 'statement' {low}")
    many = [{"Statement": "x"}] * 101
    assert message("ExecuteTransaction", {"TransactStatements": many}).endswith("length less than or equal to 100")
    assert messages("ExecuteTransaction", {"TransactStatements": many[:100]}) == []


# --- Tables -----------------------------------------------------------------------------------------------------------

TABLE = {
    "TableName": "Music",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def index(name, count=1):
    schema = [{"AttributeName": f"a{i}", "KeyType": "HASH"} for i in range(count)]
    return {"IndexName": name, "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}


def test_a_table_in_order():
    assert messages("CreateTable", TABLE) == []


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        (
            {"KeySchema": [{"AttributeName": "pk", "KeyType": "BOGUS"}]},
            "Value 'BOGUS' at 'keySchema.1.member.keyType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [HASH, RANGE]",
        ),
        (
            {"BillingMode": "BOGUS"},
            "Value 'BOGUS' at 'billingMode' failed to satisfy constraint: "
            "Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]",
        ),
        (
            {"AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "X"}]},
            "Value 'X' at 'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [B, N, S]",
        ),
        (
            {"GlobalSecondaryIndexes": [{**index("gsi"), "Projection": {"ProjectionType": "X"}}]},
            "Value 'X' at 'globalSecondaryIndexes.1.member.projection.projectionType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [ALL, INCLUDE, KEYS_ONLY]",
        ),
        (
            {"GlobalSecondaryIndexes": [{**index("gsi"), "KeySchema": [{"AttributeName": "a", "KeyType": "X"}]}]},
            "Value 'X' at 'globalSecondaryIndexes.1.member.keySchema.1.member.keyType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [HASH, RANGE]",
        ),
        (
            {"KeySchema": []},
            "Value '[]' at 'keySchema' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
    ],
)
def test_what_a_table_may_break(changed, part):
    assert messages("CreateTable", {**TABLE, **changed}) == [errors(part)]


def test_two_key_attributes_on_tables_more_on_global_indexes():
    schema = [{"AttributeName": name, "KeyType": "RANGE"} for name in ("pk", "sk", "tk")]
    text = message("CreateTable", {**TABLE, "KeySchema": schema})
    assert text.startswith("1 validation error detected: Value '[KeySchemaElement(attributeName=pk, keyType=RANGE), ")
    assert text.endswith(
        "]' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2"
    )
    assert messages("CreateTable", {**TABLE, "GlobalSecondaryIndexes": [index("gsi", 8)]}) == []
    assert "localSecondaryIndexes.1.member.keySchema" in message(
        "CreateTable", {**TABLE, "LocalSecondaryIndexes": [index("lsi", 3)]}
    )


@pytest.mark.parametrize(("local", "global_"), [("l1", "g1"), ("aa", "zz")])
def test_global_indexes_come_before_local_ones(local, global_):
    def short(name, member):
        return (
            f"Value '{name}' at '{member}.1.member.indexName' failed to satisfy constraint: "
            "Member must have length greater than or equal to 3"
        )

    body = {**TABLE, "LocalSecondaryIndexes": [index(local)], "GlobalSecondaryIndexes": [index(global_)]}
    assert messages("CreateTable", body) == [
        errors(short(global_, "globalSecondaryIndexes"), short(local, "localSecondaryIndexes"))
    ]


def test_a_table_needs_a_schema_unless_it_is_a_replica():
    assert message("CreateTable", {"TableName": "Music"}) == errors(
        "Value null at 'keySchema' failed to satisfy constraint: Member must not be null",
        "Value null at 'attributeDefinitions' failed to satisfy constraint: Member must not be null",
    )
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Music"
    assert messages("CreateTable", {"TableName": "Music", "GlobalTableSourceArn": arn}) == []


def test_sets_in_an_order_that_nobody_recorded():
    body = {"TableName": "abc", "Key": KEY, "AttributeUpdates": {"a": {"Action": "BOGUS"}}}
    (violation,) = requests.check("UpdateItem", body)
    assert violation.rule.name == "wire.enum-unlisted"
    assert message("UpdateItem", body).startswith(
        "1 validation error detected: Value 'BOGUS' at 'attributeUpdates.a.member.action' failed to satisfy "
        "constraint: Member must satisfy enum value set: ["
    )
    body["AttributeUpdates"]["a"]["Action"] = "DELETE"
    assert messages("UpdateItem", body) == []


def test_throughput():
    low = "failed to satisfy constraint: Member must have value greater than or equal to 1"
    body = {**TABLE, "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}}
    assert messages("CreateTable", body) == [
        errors(
            f"Value '0' at 'provisionedThroughput.writeCapacityUnits' {low}",
            f"Value '0' at 'provisionedThroughput.readCapacityUnits' {low}",
        )
    ]


def test_indexes_of_on_demand_tables_may_say_zero():
    units = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
    body = {**TABLE, "GlobalSecondaryIndexes": [{**index("gsi"), "ProvisionedThroughput": units}]}
    assert messages("CreateTable", body) == []
    assert messages("CreateTable", {**body, "BillingMode": "PROVISIONED"})[0].startswith("2 validation errors")


def test_table_class():
    assert messages("CreateTable", {**TABLE, "TableClass": "BOGUS"}) == [
        "Invalid table-class parameter provided. Please try again with a valid table-class value: "
        "[STANDARD, STANDARD_INFREQUENT_ACCESS]."
    ]
    assert messages("UpdateTable", {"TableName": "abc", "TableClass": "STANDARD"}) == []


def test_time_to_live():
    null = "failed to satisfy constraint: Member must not be null"
    assert messages("UpdateTimeToLive", {"TableName": "abc", "TimeToLiveSpecification": {"Enabled": True}}) == [
        errors(f"Value null at 'timeToLiveSpecification.attributeName' {null}")
    ]
    assert messages("UpdateTimeToLive", {"TableName": "abc", "TimeToLiveSpecification": {"AttributeName": "a"}}) == [
        errors(f"Value null at 'timeToLiveSpecification.enabled' {null}")
    ]


def test_kinesis_precision():
    body = {
        "TableName": "abc",
        "StreamArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s",
        "UpdateKinesisStreamingConfiguration": {"ApproximateCreationDateTimePrecision": "SECOND"},
    }
    assert messages("UpdateKinesisStreamingDestination", body) == [
        errors(
            "Value 'SECOND' at 'updateKinesisStreamingConfiguration.approximateCreationDateTimePrecision' failed to "
            "satisfy constraint: Member must satisfy enum value set: [MILLISECOND, MICROSECOND]"
        )
    ]


@pytest.mark.parametrize(("operation", "member"), [("TagResource", "Tags"), ("UntagResource", "TagKeys")])
def test_tags(operation, member):
    path = member[0].lower() + member[1:]
    assert messages(operation, {}) == [
        errors(f"Value null at '{path}' failed to satisfy constraint: Member must not be null")
    ]
    assert messages(operation, {"ResourceArn": "x", member: []}) == []


def test_strings_in_a_list():
    def adding(*names: str) -> dict:
        projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(names)}
        schema = [{"AttributeName": "a", "KeyType": "HASH"}]
        index = {"IndexName": "gsi", "KeySchema": schema, "Projection": projection}
        return {"TableName": "abc", "GlobalSecondaryIndexUpdates": [{"Create": index}]}

    assert message("UpdateTable", adding("", "a")) == errors(
        "Value '[, a]' at 'globalSecondaryIndexUpdates.1.member.create.projection.nonKeyAttributes' failed to satisfy "
        "constraint: Member must satisfy constraint: [Member must have "
        "length less than or equal to 255, Member must have length greater than or equal to 1]"
    )
    assert messages("UpdateTable", adding("a")) == []


def test_ten_errors_are_listed():
    schema = [{"AttributeName": "pk", "KeyType": "BOGUS"}] * 30
    (violation,) = requests.check(
        "UpdateTable",
        {
            "TableName": "abc",
            "GlobalSecondaryIndexUpdates": [{"Create": {"IndexName": "gsi", "KeySchema": schema, "Projection": {}}}],
        },
    )
    assert len(violation.parts) == 10
    assert violation.message(surface("UpdateTable")).startswith("10 validation errors detected: ")
