"""Wrong JSON types (dataplane:SER-1 to SER-10, messages §1)."""

from __future__ import annotations

import pytest

from reference import requests
from reference.rules import surface

KEY = {"pk": {"S": "a"}}
CASTING = (
    "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class "
    "(sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of "
    "loader 'bootstrap')"
)
SHAPE = "Unrecognized collection type class com.amazonaws.dynamodb.v20120810."


def first(operation, body):
    """Code and message of the first refusal, or None."""
    found = list(requests.check(operation, body))
    if not found:
        return None
    answer = found[0].refusal(surface(operation))
    return answer.code, answer.message


def put(value):
    return {"TableName": "abc", "Item": {"pk": value}}


TYPE_ERRORS = [
    ("GetItem", {"TableName": True}, "TRUE_VALUE cannot be converted to String"),
    ("GetItem", {"TableName": False}, "FALSE_VALUE cannot be converted to String"),
    ("GetItem", {"TableName": 1}, "NUMBER_VALUE cannot be converted to String"),
    ("GetItem", {"TableName": 1.5}, "DECIMAL_VALUE cannot be converted to String"),
    ("GetItem", {"TableName": []}, "Unrecognized collection type class java.lang.String"),
    ("GetItem", {"TableName": {}}, "Start of structure or map found where not expected"),
    ("GetItem", {"ConsistentRead": 1}, "NUMBER_VALUE cannot be converted to Boolean"),
    ("GetItem", {"ConsistentRead": 1.5}, "DECIMAL_VALUE cannot be converted to Boolean"),
    ("GetItem", {"ConsistentRead": "maybe"}, "Unexpected token received from parser"),
    ("GetItem", {"ConsistentRead": []}, "Unrecognized collection type class java.lang.Boolean"),
    ("GetItem", {"ConsistentRead": {}}, "Start of structure or map found where not expected"),
    ("Scan", {"Limit": "1"}, "STRING_VALUE cannot be converted to Integer"),
    ("Scan", {"Limit": True}, "TRUE_VALUE cannot be converted to Integer"),
    ("Scan", {"Limit": []}, "Unrecognized collection type class java.lang.Integer"),
    ("Scan", {"Limit": {}}, "Start of structure or map found where not expected"),
    (
        "UpdateTable",
        {"ProvisionedThroughput": {"ReadCapacityUnits": "1"}},
        "STRING_VALUE cannot be converted to Long",
    ),
    (
        "UpdateTable",
        {"ProvisionedThroughput": {"ReadCapacityUnits": []}},
        "Unrecognized collection type class java.lang.Long",
    ),
    ("GetItem", {"AttributesToGet": "a"}, "Unexpected field type"),
    ("GetItem", {"AttributesToGet": {}}, "Start of structure or map found where not expected"),
    ("GetItem", {"AttributesToGet": [1]}, "NUMBER_VALUE cannot be converted to String"),
    ("GetItem", {"Key": "a"}, "Unexpected field type"),
    (
        "GetItem",
        {"Key": []},
        "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>",
    ),
    (
        "GetItem",
        {"ExpressionAttributeNames": []},
        "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>",
    ),
    ("GetItem", {"ExpressionAttributeNames": {"#a": 1}}, "NUMBER_VALUE cannot be converted to String"),
    ("CreateTable", {"ProvisionedThroughput": 1}, "Unexpected field type"),
    ("CreateTable", {"ProvisionedThroughput": []}, f"{SHAPE}ProvisionedThroughput"),
    ("CreateTable", {"KeySchema": ["pk"]}, "Unexpected value type in payload"),
    ("CreateTable", {"KeySchema": [[]]}, f"{SHAPE}KeySchemaElement"),
    ("PutItem", {"Expected": {"a": 1}}, "Unexpected value type in payload"),
    ("PutItem", {"Expected": {"a": {"Value": 1}}}, "Unexpected field type"),
    ("PutItem", {"Expected": {"a": {"Value": []}}}, f"{SHAPE}AttributeValue"),
    ("BatchGetItem", {"RequestItems": {"abc": {"Keys": [1]}}}, CASTING),
    ("BatchWriteItem", {"RequestItems": {"abc": "x"}}, CASTING),
    ("BatchWriteItem", {"RequestItems": {"abc": {}}}, "Start of structure or map found where not expected"),
    ("TransactWriteItems", {"TransactItems": [{"Put": put({"N": 3})}]}, "NUMBER_VALUE cannot be converted to String"),
    (
        "CreateTable",
        {"GlobalSecondaryIndexes": [{"Projection": {"NonKeyAttributes": [1]}}]},
        "NUMBER_VALUE cannot be converted to String",
    ),
]
VALUE_ERRORS = [
    ("a", "Unexpected value type in payload"),
    ([], f"{SHAPE}AttributeValue"),
    ({"S": 1}, "NUMBER_VALUE cannot be converted to String"),
    ({"S": {}}, "Start of structure or map found where not expected"),
    ({"N": 3}, "NUMBER_VALUE cannot be converted to String"),
    ({"N": 3.5}, "DECIMAL_VALUE cannot be converted to String"),
    ({"BOOL": 1}, "NUMBER_VALUE cannot be converted to Boolean"),
    ({"NULL": "x"}, "Unexpected token received from parser"),
    ({"B": True}, "only base-64-encoded strings are convertible to bytes"),
    ({"B": 1}, "only base-64-encoded strings are convertible to bytes"),
    ({"B": []}, "Unrecognized collection type class java.nio.ByteBuffer"),
    ({"B": {}}, "Start of structure or map found where not expected"),
    ({"B": "abcde"}, "Base64 encoded length is expected a multiple of 4 bytes but found: 5"),
    ({"B": "YR=="}, "Invalid last non-pad Base64 character dectected"),
    ({"B": "Y?=="}, "Invalid Base64 character: '?'"),
    ({"B": "=YQ="}, "Invalid Base64 character: '='"),
    ({"B": "A" * 1023 + "*"}, "Invalid Base64 character: '*'"),
    ({"SS": "a"}, "Unexpected field type"),
    ({"SS": {}}, "Start of structure or map found where not expected"),
    ({"SS": [1]}, "NUMBER_VALUE cannot be converted to String"),
    ({"NS": [1]}, "NUMBER_VALUE cannot be converted to String"),
    ({"BS": [1]}, "only base-64-encoded strings are convertible to bytes"),
    ({"BS": ["a"]}, "Base64 encoded length is expected a multiple of 4 bytes but found: 1"),
    ({"L": 1}, "Unexpected field type"),
    ({"L": {}}, "Start of structure or map found where not expected"),
    ({"L": [1]}, "Unexpected value type in payload"),
    ({"L": [[]]}, f"{SHAPE}AttributeValue"),
    ({"M": 1}, "Unexpected field type"),
    (
        {"M": []},
        "Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>",
    ),
    ({"M": {"a": 1}}, "Unexpected value type in payload"),
    ({"L": [{"M": {"a": {"N": 1}}}]}, "NUMBER_VALUE cannot be converted to String"),
]


@pytest.mark.parametrize(("operation", "body", "message"), TYPE_ERRORS)
def test_a_member_of_the_wrong_type(operation, body, message):
    assert first(operation, body) == ("SerializationException", message)


@pytest.mark.parametrize(("value", "message"), VALUE_ERRORS)
def test_an_attribute_value_of_the_wrong_type(value, message):
    assert first("PutItem", put(value)) == ("SerializationException", message)


def test_a_value_as_a_member_is_worded_as_a_field():
    body = {"TableName": "abc", "Key": KEY, "Expected": {"a": {"Value": 3}}}
    assert first("DeleteItem", body) == ("SerializationException", "Unexpected field type")


@pytest.mark.parametrize(
    "value",
    [
        {"B": ""},
        {"B": "YQ=="},
        {"B": "YWI="},
        {"B": "YWJj"},
        {"B": "A" * 1024},
        {"BS": ["", "AA=="]},
        {"SS": []},
        {"L": [], "M": {}},
        {},
        {"dog": "cat"},
        {"NULL": "true"},
        {"BOOL": "no"},
        {"L": [None]},
        None,
    ],
)
def test_values_that_are_for_others_to_judge(value):
    assert first("PutItem", put(value)) is None


def test_type_errors_come_before_every_constraint():
    assert first("PutItem", {"TableName": "", "Item": {"a": {"S": 1}}}) == (
        "SerializationException",
        "NUMBER_VALUE cannot be converted to String",
    )


def test_the_first_wrong_member_of_the_document_is_told():
    assert first("GetItem", {"Key": 1, "TableName": 1})[1] == "Unexpected field type"
    assert first("GetItem", {"TableName": 1, "Key": 1})[1] == "NUMBER_VALUE cannot be converted to String"


def test_unknown_members_are_ignored_and_null_is_absent():
    body = {"TableName": "abc", "Key": KEY, "Colour": {"deep": [1]}, "ConsistentRead": None}
    assert first("GetItem", body) is None
    assert requests.read("GetItem", body).body == {"TableName": "abc", "Key": KEY}
    assert first("GetItem", {"TableName": None, "Key": KEY})[1] == (
        "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null"
    )


def test_fractions_are_floored_and_words_read_as_booleans():
    read = requests.read("Scan", {"TableName": "abc", "Limit": 2.9, "ConsistentRead": "YES"})
    assert read.violations == ()
    assert read.body == {"TableName": "abc", "Limit": 2, "ConsistentRead": True}
    for limit in (float("inf"), float("-inf"), float("nan")):
        assert isinstance(requests.read("Scan", {"TableName": "abc", "Limit": limit}).body["Limit"], int)


def test_a_plain_request_is_passed_on_as_it_came():
    body = {"TableName": "abc", "Item": {"pk": {"S": "a"}, "l": {"L": [{"M": {"n": {"N": "1"}}}]}}}
    assert requests.read("PutItem", body).body is body


@pytest.mark.parametrize("body", [None, [], "x", 1, True])
def test_a_body_is_an_object(body):
    assert first("GetItem", body)[0] == "SerializationException"


def test_values_nested_thousands_deep_are_read():
    value = {"S": "leaf"}
    for _ in range(10_000):
        value = {"M": {"n": {"L": [value]}}}
    assert requests.read("PutItem", put(value)).typed
    assert first("GetItem", {"TableName": "abc", "Key": {"pk": value}}) is None
    assert first("BatchGetItem", {"RequestItems": {"a!": {"Keys": [{"pk": value}]}}})[0] == "ValidationException"
    assert first("BatchWriteItem", {"RequestItems": {"abc": [{"PutRequest": {"Item": {"a": value}}}] * 26}})


VALID_SEARCH = {"TableName": "abc", "IndexName": "vix", "SearchVector": [{"N": "1"}], "TopK": 1}


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("TableName", "invalid type: null, expected a string at line 1 column 17"),
        ("IndexName", "invalid type: null, expected a string at line 1 column 35"),
        ("SearchVector", "invalid type: null, expected a sequence at line 1 column 56"),
        ("TopK", "invalid type: null, expected i32 at line 1 column 75"),
    ],
)
def test_search_vectors_takes_no_null_for_a_required_member(member, message):
    assert first("SearchVectors", {**VALID_SEARCH, member: None}) == ("SerializationException", message)


@pytest.mark.parametrize(
    ("member", "value", "phrase"),
    [
        ("TableName", 1, "invalid type: integer `1`, expected a string"),
        ("TableName", True, "invalid type: boolean `true`, expected a string"),
        ("IndexName", 1.5, "invalid type: floating point `1.5`, expected a string"),
        ("IndexName", [], "invalid type: sequence, expected a string"),
        ("SearchVector", "x", 'invalid type: string "x", expected a sequence'),
        ("SearchVector", {}, "invalid type: map, expected a sequence"),
        ("TopK", True, "invalid type: boolean `true`, expected i32"),
        ("ExpressionAttributeNames", [], "invalid type: sequence, expected a map"),
    ],
)
def test_search_vectors_takes_no_member_of_another_type(member, value, phrase):
    code, message = first("SearchVectors", {**VALID_SEARCH, member: value})
    assert code == "SerializationException"
    assert message.startswith(phrase)


def test_search_vectors_reads_any_whole_number():
    assert first("SearchVectors", {**VALID_SEARCH, "TopK": 2**31, "ProjectionExpression": None}) is None
    assert first("SearchVectors", {**VALID_SEARCH, "TopK": 1.0, "ProjectionExpression": None})[0] == (
        "SerializationException"
    )


def test_search_vectors_names_a_missing_field_before_constraints():
    body = {"IndexName": "ab", "SearchVector": [{"N": "1"}], "TopK": 1}
    assert first("SearchVectors", body) == ("ValidationException", "missing field `TableName` at line 1 column 54")
    assert first("SearchVectors", VALID_SEARCH) is None
    assert first("SearchVectors", {**VALID_SEARCH, "ProjectionExpression": None}) is None


def test_nulls_among_structures_are_reported_and_left_out():
    read = requests.read("TransactWriteItems", {"TransactItems": [None, {"Delete": {"TableName": "abc", "Key": KEY}}]})
    assert read.body == {"TransactItems": [{"Delete": {"TableName": "abc", "Key": KEY}}]}
    assert [violation.rule.name for violation in read.violations] == ["wire.null"]
    assert read.violations[0].params["path"] == "transactItems.1.member"
    read = requests.read("Query", {"TableName": "abc", "KeyConditions": {"pk": None}, "AttributesToGet": ["a", None]})
    assert read.body == {"TableName": "abc", "KeyConditions": {}, "AttributesToGet": ["a"]}
    assert requests.read("PutItem", {"TableName": "abc", "Item": {"a": None}}).body["Item"] == {"a": None}
