"""Model constraints as each front end words them (dataplane:VAL-*, DRIFT-2, DRIFT-3; messages §2; drift C1 to C6)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reference import requests
from reference.rules import ledger, surface

KEY = {"pk": {"S": "a"}}
RCC = (
    "Value 'BOGUS' at 'returnConsumedCapacity' failed to satisfy constraint: "
    "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
)
RICM = (
    "Value 'BOGUS' at 'returnItemCollectionMetrics' failed to satisfy constraint: "
    "Member must satisfy enum value set: [SIZE, NONE]"
)
RV = (
    "Failed to satisfy constraint: Member must satisfy enum value set: "
    "[ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]"
)
RV_OLDER = (
    "Value 'BOGUS' at 'returnValues' failed to satisfy constraint: "
    "Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
)
XOR = "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]"
XOR_OLDER = (
    "Value 'XOR' at 'conditionalOperator' failed to satisfy constraint: Member must satisfy enum value set: [OR, AND]"
)
NO_KEY = "Value null at 'key' failed to satisfy constraint: Member must not be null"
EMPTY_NAME = "Value at 'TableName' failed to satisfy constraint: Member must have length greater than or equal to 1"
EMPTY_NAME_OLDER = (
    "Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1"
)
PATTERN = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
NAME_KEYS = (
    "failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to "
    "255, Member must have length greater than or equal to 3, Member must satisfy regular expression pattern: "
    "[a-zA-Z0-9_.-]+]"
)
ENUMS = {"ReturnConsumedCapacity": "BOGUS", "ReturnValues": "BOGUS", "ReturnItemCollectionMetrics": "BOGUS"}
WRITES = [("PutItem", {"Item": KEY}), ("UpdateItem", {"Key": KEY}), ("DeleteItem", {"Key": KEY})]


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


def deep(wraps):
    value = {"S": "leaf"}
    for _ in range(wraps):
        value = {"M": {"n": value}}
    return value


# --- Table names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("operation", "rest"), WRITES)
def test_table_names_of_single_writes(operation, rest):
    assert message(operation, rest) == errors(
        "Value null at 'tableName' failed to satisfy constraint: Member must not be null"
    )
    assert message(operation, {**rest, "TableName": ""}) == errors(EMPTY_NAME)
    assert message(operation, {**rest, "TableName": ""}, "older") == errors(EMPTY_NAME_OLDER)
    long = "a" * 256
    assert message(operation, {**rest, "TableName": long}) == errors(
        f"Value '{long}' at 'tableName' failed to satisfy constraint: Member must have length less than or equal to 255"
    )
    assert message(operation, {**rest, "TableName": "bad table!@#"}) == errors(
        f"Value 'bad table!@#' at 'tableName' failed to satisfy constraint: {PATTERN}"
    )


@pytest.mark.parametrize(("operation", "rest"), WRITES)
def test_a_bad_table_name_is_reported_alone(operation, rest):
    assert message(operation, {**rest, **ENUMS, "TableName": ""}) == errors(EMPTY_NAME)
    assert message(operation, {**rest, **ENUMS, "TableName": "x!"}) == errors(
        f"Value 'x!' at 'tableName' failed to satisfy constraint: {PATTERN}"
    )


@pytest.mark.parametrize("operation", ["GetItem", "Query", "Scan"])
def test_reads_echo_an_empty_table_name(operation):
    body = {"TableName": "", "Key": KEY} if operation == "GetItem" else {"TableName": ""}
    assert message(operation, body) == errors(EMPTY_NAME_OLDER)


@pytest.mark.parametrize("name", ["abc", "a" * 255, "arn:aws:dynamodb:us-east-1:123456789012:table/Music"])
@pytest.mark.parametrize(("operation", "rest"), WRITES)
def test_names_and_arns_are_in_order(operation, rest, name):
    assert messages(operation, {**rest, "TableName": name}) == []


@pytest.mark.parametrize("name", ["x", "xx"])
@pytest.mark.parametrize(("operation", "rest"), [*WRITES, ("GetItem", {"Key": KEY}), ("Query", {}), ("Scan", {})])
def test_one_or_two_characters_are_no_name(operation, rest, name):
    [text] = messages(operation, {**rest, "TableName": name})
    assert text.startswith(errors(f"Value '{name}' at 'tableName' failed to satisfy constraint: "))


def test_an_arn_of_what_belongs_to_a_table_names_no_table():
    name = "arn:aws:dynamodb:us-east-1:123456789012:table/Music/index/ByYear"
    [text] = messages("GetItem", {"TableName": name, "Key": KEY})
    assert text.startswith(f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: ")
    other = "arn:aws:dynamodb:us-east-1:123456789012:stream/Music"
    assert messages("DescribeTable", {"TableName": other}) == [errors(f"Invalid resource type in '{other}'")]


def test_one_bad_character_breaks_the_pattern_only():
    assert messages("GetItem", {"TableName": "a;", "Key": KEY}) == [
        errors(f"Value 'a;' at 'tableName' failed to satisfy constraint: {PATTERN}")
    ]


@pytest.mark.parametrize(
    "operation", ["CreateTable", "UpdateTable", "DeleteTable", "DescribeTable", "DescribeTimeToLive"]
)
def test_control_plane_names(operation):
    required = "The parameter 'TableName' is required but was not present in the request"
    assert message(operation, {}) == required
    short = "Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"
    assert message(operation, {"TableName": "ab"}) == errors(short)
    assert message(operation, {"TableName": "", "KeySchema": []}) == errors(
        "Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3",
        f"Value '' at 'tableName' failed to satisfy constraint: {PATTERN}",
    )
    assert message(operation, {"TableName": "abc!"}) == errors(
        f"Value 'abc!' at 'tableName' failed to satisfy constraint: {PATTERN}"
    )


# --- Enums of single writes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("operation", "rest"), [WRITES[0], WRITES[2]])
def test_put_and_delete_join_all_enums(operation, rest):
    body = {**rest, **ENUMS, "TableName": "abc"}
    assert messages(operation, body) == [errors(RCC, RV, RICM)]
    assert messages(operation, body, "older") == [errors(RV_OLDER, RCC, RICM)]


def test_delete_with_two_bad_enums():
    body = {"TableName": "abc", "Key": KEY, "ReturnValues": "BOGUS", "ReturnConsumedCapacity": "BOGUS"}
    assert message("DeleteItem", body) == errors(RCC, RV)
    assert message("DeleteItem", body, "older") == errors(RV_OLDER, RCC)


def test_update_stops_at_return_values():
    body = {"TableName": "abc", "Key": KEY, "ReturnValues": "BOGUS", "ReturnConsumedCapacity": "BOGUS"}
    assert messages("UpdateItem", body) == [errors(RV), errors(RCC)]
    assert messages("UpdateItem", body, "older") == [errors(RCC, RV_OLDER)]


def test_put_with_an_empty_name_in_the_older_cohort():
    body = {"TableName": "", "Item": {}, "ReturnValues": "BOGUS"}
    assert messages("PutItem", body, "older") == [errors(RV_OLDER, EMPTY_NAME_OLDER)]


@pytest.mark.parametrize("name", ["ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW", "NONE"])
def test_return_values_in_their_set(name):
    assert messages("UpdateItem", {"TableName": "abc", "Key": KEY, "ReturnValues": name}) == []


def test_enums_are_case_sensitive():
    assert message("GetItem", {"TableName": "abc", "Key": KEY, "ReturnConsumedCapacity": "total"}) == errors(
        RCC.replace("BOGUS", "total")
    )


@pytest.mark.parametrize(("operation", "rest"), WRITES)
def test_conditional_operator_of_single_writes(operation, rest):
    body = {"TableName": "abc", **rest, "ConditionalOperator": "XOR"}
    assert message(operation, body) == errors(XOR)
    assert message(operation, body, "older") == errors(XOR_OLDER)
    assert messages(operation, {**body, "ConditionalOperator": "OR"}) == []


def test_what_to_return_when_a_condition_fails():
    body = {"TableName": "abc", "Item": KEY, "ReturnValuesOnConditionCheckFailure": "BOGUS"}
    assert message("PutItem", body) == errors(
        "Value 'BOGUS' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: "
        "Member must satisfy enum value set: [ALL_OLD, NONE]"
    )
    assert messages("PutItem", {**body, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}) == []


# --- Single writes that the older front end reads ---------------------------------------------------------------------


def test_update_without_a_key():
    assert messages("UpdateItem", {"TableName": ""}) == [errors(EMPTY_NAME_OLDER, NO_KEY)]
    assert messages("UpdateItem", {"TableName": "", "ReturnConsumedCapacity": "BOGUS", "ReturnValues": "BOGUS"}) == [
        errors(RCC, EMPTY_NAME_OLDER, RV_OLDER, NO_KEY)
    ]
    assert messages("UpdateItem", {"TableName": "abc", "ConditionalOperator": "XOR"}) == [errors(XOR_OLDER, NO_KEY)]


@pytest.mark.parametrize("wraps", [63, 100, 5000])
def test_deep_requests_are_worded_as_before(wraps):
    assert message("DeleteItem", {"TableName": "abc", "Key": {"pk": deep(wraps)}, "ReturnValues": "BOGUS"}) == (
        errors(RV_OLDER)
    )
    expected = {"Expected": {"a": {"Value": deep(wraps)}}, "ConditionalOperator": "XOR", "TableName": "abc"}
    assert message("PutItem", {**expected, "Item": KEY}) == errors(XOR_OLDER)
    assert message("UpdateItem", {**expected, "Key": KEY}) == errors(XOR_OLDER)
    values = {"ExpressionAttributeValues": {":deep": deep(wraps)}, "ReturnValues": "BOGUS", "TableName": "abc"}
    assert message("DeleteItem", {**values, "Key": KEY}) == errors(RV_OLDER)


@pytest.mark.parametrize("wraps", [0, 33, 40, 61])
def test_less_deep_requests_are_not(wraps):
    body = {"TableName": "abc", "Key": {"pk": deep(wraps)}, "ReturnValues": "BOGUS", "ConditionalOperator": "XOR"}
    assert message("DeleteItem", body) == errors(RV, XOR)


def test_who_speaks():
    deep_put = {"TableName": "abc", "Item": {"pk": deep(63)}}
    assert requests.speaker("PutItem", deep_put) == surface("PutItem", "older")
    assert requests.speaker("PutItem", {"TableName": "abc", "Item": {"pk": deep(61)}}) == surface("PutItem")
    assert requests.speaker("UpdateItem", {"TableName": "abc"}) == surface("UpdateItem", "older")
    assert requests.speaker("GetItem", {"TableName": "abc", "Key": {"pk": deep(63)}}) == surface("GetItem")
    assert requests.speaker("BatchWriteItem", {}) == surface("BatchWriteItem")


# --- Query and Scan ---------------------------------------------------------------------------------------------------


def test_limits():
    low = "failed to satisfy constraint: Member must have value greater than or equal to"
    assert message("Query", {"TableName": "abc", "Limit": 0}) == errors(f"Value at 'Limit' {low} 1")
    assert message("Scan", {"TableName": "abc", "Limit": 0}) == errors(f"Value at 'Limit' {low} 1")
    assert message("Scan", {"TableName": "abc", "Limit": 0}, "older") == errors(f"Value '0' at 'limit' {low} 1")
    assert message("Scan", {"TableName": "abc", "Segment": -1, "TotalSegments": 4}) == (
        errors(f"Value at 'Segment' {low} 0")
    )
    assert message("Scan", {"TableName": "abc", "Segment": -1, "TotalSegments": 4}, "older") == (
        errors(f"Value '-1' at 'segment' {low} 0")
    )
    assert message("ExecuteStatement", {"Statement": "x", "Limit": 0}) == errors(f"Value '0' at 'limit' {low} 1")
    assert message("ListTables", {"Limit": 0}) == errors(f"Value '0' at 'limit' {low} 1")
    high = "failed to satisfy constraint: Member must have value less than or equal to"
    assert message("ListTables", {"Limit": 101}) == errors(f"Value '101' at 'limit' {high} 100")
    assert message("Scan", {"TableName": "abc", "Segment": 0, "TotalSegments": 1_000_001}) == (
        errors(f"Value '1000001' at 'totalSegments' {high} 1000000")
    )
    assert message("GetRecords", {"ShardIterator": "x", "Limit": 1001}) == errors(
        f"Value '1001' at 'limit' {high} 1000"
    )
    assert messages("Query", {"TableName": "abc", "Limit": 1}) == []
    assert messages("Scan", {"TableName": "abc", "Limit": 1, "Segment": 0, "TotalSegments": 1_000_000}) == []


def test_total_segments_start_at_one():
    text = message("Scan", {"TableName": "abc", "Segment": 0, "TotalSegments": 0})
    assert text.endswith("Member must have value greater than or equal to 1")


def test_query_words_a_bad_conditional_operator_bare_and_first():
    body = {"TableName": "abc", "ConditionalOperator": "XOR", "Select": "BOGUS"}
    select = (
        "Value 'BOGUS' at 'select' failed to satisfy constraint: Member must satisfy enum value set: "
        "[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]"
    )
    assert messages("Query", body) == [XOR, errors(select)]
    assert messages("Query", body, "older") == [errors(select, XOR_OLDER)]
    assert message("Scan", {"TableName": "abc", "ConditionalOperator": "XOR"}) == errors(XOR_OLDER)
    assert messages("Scan", {"TableName": "abc", "ConditionalOperator": "AND"}) == []


def test_conditions_take_a_comparison_operator():
    missing = "Value null at 'keyConditions.pk.member.comparisonOperator' failed to satisfy constraint: "
    assert message("Query", {"TableName": "abc", "KeyConditions": {"pk": {}}}) == (
        errors(missing + "Member must not be null")
    )
    body = {"TableName": "abc", "ScanFilter": {"a": {"ComparisonOperator": "eq"}}}
    assert message("Scan", body) == errors(
        "Value 'eq' at 'scanFilter.a.member.comparisonOperator' failed to satisfy constraint: Member must satisfy "
        "enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]"
    )


def test_lists_that_may_not_be_empty():
    assert message("GetItem", {"TableName": "abc", "Key": KEY, "AttributesToGet": []}) == errors(
        "Value '[]' at 'attributesToGet' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )


def test_index_names():
    assert message("Query", {"TableName": "abc", "IndexName": "ab"}) == errors(
        "Value 'ab' at 'indexName' failed to satisfy constraint: Member must have length greater than or equal to 3"
    )
    assert message("Query", {"TableName": "abc", "IndexName": "abc;"}) == errors(
        f"Value 'abc;' at 'indexName' failed to satisfy constraint: {PATTERN}"
    )
    assert messages("Query", {"TableName": "abc", "IndexName": "abc"}) == []


# --- Batches ----------------------------------------------------------------------------------------------------------


def test_empty_batches():
    generic = errors(
        "Value at 'RequestItems' failed to satisfy constraint: Member must have length greater than or equal to 1"
    )
    assert messages("BatchGetItem", {"RequestItems": {}}) == [generic]
    assert messages("BatchGetItem", {"RequestItems": {}}, "older") == [
        "The requestItems parameter is required for BatchGetItem"
    ]
    assert messages("BatchWriteItem", {"RequestItems": {}}) == [
        "The requestItems parameter is required for BatchWriteItem"
    ]
    assert messages("BatchWriteItem", {"RequestItems": {}}, "current") == [generic]
    assert message("BatchGetItem", {"RequestItems": {}, "ReturnConsumedCapacity": "BOGUS"}) == generic


def test_batch_get_names_and_enums_are_joined():
    body = {"RequestItems": {"bad!name": {"Keys": [KEY]}}}
    name = f"""Value '{{"bad!name":{{"Keys":[{{"pk":{{"S":"a"}}}}]}}}}' at 'requestItems' {NAME_KEYS}"""
    assert messages("BatchGetItem", body) == [errors(name)]
    assert messages("BatchGetItem", {**body, "ReturnConsumedCapacity": "BOGUS"}) == [errors(name, RCC)]


def test_batch_write_gives_way_to_enums():
    body = {"RequestItems": {"bad!name": [{"PutRequest": {"Item": KEY}}]}}
    enums = {"ReturnConsumedCapacity": "BOGUS", "ReturnItemCollectionMetrics": "BOGUS"}
    found = messages("BatchWriteItem", {**body, **enums})
    assert found[0] == errors(RCC, RICM)
    assert found[1].startswith("1 validation error detected: Value '{bad!name=[WriteRequest(")
    assert found[1].endswith(f"' at 'requestItems' {NAME_KEYS}")


@pytest.mark.parametrize(("count", "word"), [(101, "less than or equal to 100"), (0, "greater than or equal to 1")])
def test_batch_get_keys_of_one_table(count, word):
    keys = [{"pk": {"S": str(i)}} for i in range(count)]
    assert message("BatchGetItem", {"RequestItems": {"Music": {"Keys": keys}}}) == errors(
        f"Value at 'RequestItems.Music.member.Keys' failed to satisfy constraint: Member must have length {word}"
    )
    old = message("BatchGetItem", {"RequestItems": {"Music": {"Keys": keys}}}, "older")
    assert old.endswith(
        f"' at 'requestItems.Music.member.keys' failed to satisfy constraint: Member must have length {word}"
    )


def test_batch_get_keys_in_all():
    keys = [{"pk": {"S": str(i)}} for i in range(51)]
    body = {"RequestItems": {"Music": {"Keys": keys}, "Films": {"Keys": keys}}}
    assert messages("BatchGetItem", body) == ["Too many items requested for the BatchGetItem call"]
    assert messages("BatchGetItem", {"RequestItems": {"Music": {"Keys": keys}, "Films": {"Keys": keys[:49]}}}) == []


def test_batch_write_requests_of_one_table():
    def body(count):
        return {"RequestItems": {"Music": [{"PutRequest": {"Item": {"pk": {"S": f"bw-{i}"}}}} for i in range(count)]}}

    text = message("BatchWriteItem", body(26))
    assert text.startswith(
        "1 validation error detected: Value '{Music=[WriteRequest(putRequest=PutRequest(item={pk=AttributeValue("
        "s=bw-0, n=null, b=null, iNT=null, dECIMAL=null, dOUBLE=null, sS=null, nS=null, bS=null, iNTSET=null, "
        "dECIMALSET=null, dOUBLESET=null, m=null, l=null, nULL=null, bOOL=null)}"
    )
    assert text.endswith(
        "]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have "
        "length less than or equal to 25, Member must have length greater than or equal to 1]"
    )
    assert message("BatchWriteItem", body(26), "current") == errors(
        "Value at 'RequestItems.Music.member' failed to satisfy constraint: Member must have length less than or equal "
        "to 25"
    )
    assert messages("BatchWriteItem", body(25)) == []
    assert message("BatchWriteItem", body(0), "current") == errors(
        "Value at 'RequestItems.Music.member' failed to satisfy constraint: Member must have length greater than or "
        "equal to 1"
    )
    two = {"RequestItems": {"Music": body(13)["RequestItems"]["Music"], "Films": body(13)["RequestItems"]["Music"]}}
    assert messages("BatchWriteItem", two) == ["Too many items requested for the BatchWriteItem call"]


@pytest.mark.parametrize("request_", [{}, {"PutRequest": {"Item": KEY}, "DeleteRequest": {"Key": KEY}}])
def test_a_write_request_puts_or_deletes(request_):
    assert messages("BatchWriteItem", {"RequestItems": {"Music": [request_]}}) == [
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
    ]


def test_nested_members_of_batches():
    assert message("BatchWriteItem", {"RequestItems": {"Music": [{"PutRequest": {}}]}}) == errors(
        "Value null at 'requestItems.Music.member.1.member.putRequest.item' failed to satisfy constraint: "
        "Member must not be null"
    )
    assert message("BatchGetItem", {"RequestItems": {"Music": {}}}) == errors(
        "Value null at 'requestItems.Music.member.keys' failed to satisfy constraint: Member must not be null"
    )


def test_short_names_in_batches_are_disputed():
    found = list(requests.check("BatchGetItem", {"RequestItems": {"ab": {"Keys": [KEY]}}}))
    assert [violation.rule.disputed for violation in found] == [True]
    arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Music"
    assert messages("BatchGetItem", {"RequestItems": {arn: {"Keys": [KEY]}}}) == []


# --- The model --------------------------------------------------------------------------------------------------------


def test_operations():
    names = requests.operations()
    assert len(names) == 66
    assert {"PutItem", "SearchVectors", "StartBulkPutItems", "GetRecords"} <= names
    assert set(requests.members("ListTables")) == {"ExclusiveStartTableName", "Limit"}
    assert requests.members("PutItem")[0] == "ReturnValues"
    with pytest.raises(KeyError):
        requests.read("NoSuchOperation", {})


def test_every_part_of_an_aggregate_has_the_rule_of_its_constraint():
    body = {"TableName": "abc", "Item": KEY, **ENUMS}
    (violation,) = requests.check("PutItem", body)
    assert [part.rule.name for part in violation.parts] == [
        "wire.enum",
        "wire.return-values-enum",
        "wire.item-collection-metrics-enum",
    ]
    assert violation.rule.name == "wire.enum"


def test_every_rule_named_here_is_in_the_ledger():
    folder = Path(requests.__file__).parent
    named = {name for path in folder.glob("*.py") for name in re.findall(r'"(wire\.[a-z-]+)"', path.read_text("utf-8"))}
    assert len(named) > 40
    assert named <= ledger().keys()


def test_a_list_of_nothing_but_nulls_is_empty() -> None:
    projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": [None]}
    index = {"IndexName": "abc", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}], "Projection": projection}
    body = {"TargetTableName": "abc", "BackupArn": "a" * 40, "GlobalSecondaryIndexOverride": [index]}
    assert [each.rule.name for each in requests.read("RestoreTableFromBackup", body).violations] == ["wire.size-min"]
