"""TransactWriteItems and TransactGetItems, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Account
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.service import Service

NEST = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
EMPTY_KEY = (
    "One or more parameter values are not valid. "
    "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"
)
MISMATCH = "The provided key element does not match the schema"
CANCELLED = "Transaction cancelled, please refer cancellation reasons for specific reasons"
SYNTAX = 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("'
UNUSED = "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"


def strings(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": "S"} for name in names]


def key_schema(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": n, "KeyType": t} for n, t in zip(names, ("HASH", "RANGE"), strict=False)]


HASH = {
    "TableName": "hash",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": strings("pk"),
    "KeySchema": key_schema("pk"),
}
COMPOSITE = {
    "TableName": "composite",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": strings("pk", "sk", "lsi1sk"),
    "KeySchema": key_schema("pk", "sk"),
    "GlobalSecondaryIndexes": [
        {"IndexName": "gsi1", "KeySchema": key_schema("lsi1sk"), "Projection": {"ProjectionType": "ALL"}}
    ],
    "LocalSecondaryIndexes": [
        {"IndexName": "lsi1", "KeySchema": key_schema("pk", "lsi1sk"), "Projection": {"ProjectionType": "ALL"}}
    ],
}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def service(clock: ManualClock) -> Service:
    made = Service(Account(clock))
    for table in (HASH, COMPOSITE):
        assert isinstance(made.execute(Call("CreateTable", table)), Success)
    return made


def ok(service: Service, operation: str, **body: Any) -> Any:
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Success), reply
    return reply.body


def refused(service: Service, operation: str, **body: Any) -> Refusal:
    before = state(service)
    reply = service.execute(Call(operation, body))
    assert isinstance(reply, Refusal), reply
    assert state(service) == before
    return reply


def state(service: Service) -> dict[str, list[Any]]:
    return {name: list(table.items()) for name, table in service.account.tables.items()}


def get(service: Service, pk: str) -> Any:
    return ok(service, "GetItem", TableName="hash", Key={"pk": {"S": pk}}).get("Item")


def put(pk: str, table: str = "hash", **more: Any) -> dict[str, Any]:
    item = {"pk": {"S": pk}, **{name: value for name, value in more.items() if name.islower()}}
    return {"Put": {"TableName": table, "Item": item, **{n: v for n, v in more.items() if not n.islower()}}}


def on(kind: str, pk: Any, table: str = "hash", **more: Any) -> dict[str, Any]:
    key = {"pk": {"S": pk}} if isinstance(pk, str) else pk
    return {kind: {"TableName": table, "Key": key, **more}}


def check(pk: Any, condition: str = "attribute_not_exists(pk)", **more: Any) -> dict[str, Any]:
    return on("ConditionCheck", pk, ConditionExpression=condition, **more)


def write(service: Service, *actions: Any, **more: Any) -> Any:
    return ok(service, "TransactWriteItems", TransactItems=list(actions), **more)


def refuse(service: Service, *actions: Any, **more: Any) -> Refusal:
    return refused(service, "TransactWriteItems", TransactItems=list(actions), **more)


def reasons(refusal: Refusal) -> list[Any]:
    assert refusal.code == "TransactionCanceledException"
    found: list[Any] = refusal.fields["CancellationReasons"]
    assert refusal.message == f"{CANCELLED} [{', '.join(reason['Code'] for reason in found)}]"
    return found


def deep(wraps: int) -> Any:
    value: Any = {"S": "leaf"}
    for _ in range(wraps):
        value = {"M": {"n": value}}
    return value


# What a transaction does


def test_put_update_delete_and_check_happen_together(service: Service) -> None:
    ok(service, "PutItem", TableName="hash", Item={"pk": {"S": "b"}, "n": {"N": "1"}})
    ok(service, "PutItem", TableName="hash", Item={"pk": {"S": "c"}})
    body = write(
        service,
        put("a", x={"S": "new"}),
        on("Update", "b", UpdateExpression="SET n = n + :one", ExpressionAttributeValues={":one": {"N": "1"}}),
        on("Delete", "c"),
        check("d"),
    )
    assert body == {}
    assert get(service, "a") == {"pk": {"S": "a"}, "x": {"S": "new"}}
    assert get(service, "b") == {"pk": {"S": "b"}, "n": {"N": "2"}}
    assert get(service, "c") is None
    assert get(service, "d") is None


def test_checks_alone_are_a_transaction(service: Service) -> None:
    assert write(service, check("a")) == {}


def test_deleting_nothing_succeeds(service: Service) -> None:
    assert write(service, on("Delete", "none")) == {}


def test_update_without_set_creates_nothing(service: Service) -> None:
    write(service, on("Update", "none", UpdateExpression="REMOVE x"))
    assert get(service, "none") is None


def test_several_tables(service: Service) -> None:
    write(service, put("a"), put("a", "composite", sk={"S": "1"}))
    assert get(service, "a") == {"pk": {"S": "a"}}
    body = ok(service, "GetItem", TableName="composite", Key={"pk": {"S": "a"}, "sk": {"S": "1"}})
    assert body["Item"] == {"pk": {"S": "a"}, "sk": {"S": "1"}}


def test_writes_happen_in_the_order_of_the_request(service: Service) -> None:
    service.account.tables["hash"].keep = 3600.0
    write(service, put("b"), put("a"), put("c"))
    assert [entry.new.item["pk"]["S"] for entry in service.account.tables["hash"].log if entry.new] == ["b", "a", "c"]


def test_a_hundred_actions(service: Service) -> None:
    assert write(service, *(put(f"k{i}") for i in range(100))) == {}


# Conditions


def test_every_failed_condition_is_told_in_its_place(service: Service) -> None:
    ok(service, "PutItem", TableName="hash", Item={"pk": {"S": "old"}, "v": {"N": "1"}})
    found = reasons(
        refuse(
            service,
            put("new", ConditionExpression="attribute_not_exists(pk)"),
            put("old", ConditionExpression="attribute_not_exists(pk)"),
            check("none", "attribute_exists(pk)"),
        )
    )
    assert found == [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
        {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
    ]


@pytest.mark.parametrize("kind", ["Put", "Update", "Delete", "ConditionCheck"])
@pytest.mark.parametrize("choice", ["ALL_OLD", "NONE", None])
def test_old_item_on_failure(service: Service, kind: str, choice: str | None) -> None:
    old = {"pk": {"S": "a"}, "v": {"N": "1"}}
    ok(service, "PutItem", TableName="hash", Item=old)
    more: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    if choice is not None:
        more["ReturnValuesOnConditionCheckFailure"] = choice
    if kind == "Update":
        more["UpdateExpression"] = "REMOVE v"
    action = put("a", **more) if kind == "Put" else on(kind, "a", **more)
    (reason,) = reasons(refuse(service, action))
    assert reason["Code"] == "ConditionalCheckFailed"
    assert reason.get("Item") == (old if choice == "ALL_OLD" else None)


def test_no_old_item_where_there_is_none(service: Service) -> None:
    (reason,) = reasons(
        refuse(service, check("a", "attribute_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD"))
    )
    assert reason == {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}


# Cancelled by a validation error


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (
            {"Put": {"TableName": "hash", "Item": {"pk": {"N": "5"}}}},
            "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N",
        ),
        (
            {"Put": {"TableName": "hash", "Item": {"pk": {"L": [{"S": "x"}]}}}},
            "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: L",
        ),
        (
            {"Put": {"TableName": "hash", "Item": {"a": {"S": "x"}}}},
            "One or more parameter values were invalid: Missing the key pk in the item",
        ),
        (on("Delete", {"pk": {"N": "5"}}), MISMATCH),
        (on("Delete", {}), MISMATCH),
        (check({"pk": {"L": [{"S": "x"}]}}), MISMATCH),
        (
            on(
                "Update",
                {"pk": {"N": "5"}},
                UpdateExpression="SET a = :v",
                ExpressionAttributeValues={":v": {"S": "x"}},
            ),
            MISMATCH,
        ),
        (
            put("i", "composite", sk={"S": "a"}, lsi1sk={"N": "5"}),
            "One or more parameter values were invalid: "
            "Type mismatch for Index Key lsi1sk Expected: S Actual: N IndexName: gsi1",
        ),
        (
            on(
                "Update",
                {"pk": {"S": "i"}, "sk": {"S": "a"}},
                "composite",
                UpdateExpression="SET lsi1sk = :v",
                ExpressionAttributeValues={":v": {"L": [{"S": "x"}]}},
            ),
            "One or more parameter values were invalid: "
            "Type mismatch for Index Key lsi1sk Expected: S Actual: L IndexName: gsi1",
        ),
        (
            on(
                "Update",
                {"pk": {"S": "i"}, "sk": {"S": "a"}},
                "composite",
                UpdateExpression="SET lsi1sk = :v",
                ExpressionAttributeValues={":v": {"S": "x" * 2049}},
            ),
            "The update expression attempted to update the secondary index key beyond allowed size limits.",
        ),
        (
            on("Update", "a", UpdateExpression="SET x.y = :v", ExpressionAttributeValues={":v": {"S": "x"}}),
            "The document path provided in the update expression is invalid for update",
        ),
        (
            on("Update", "a", UpdateExpression="SET x = y"),
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            on("Update", "a", UpdateExpression="SET x = :v", ExpressionAttributeValues={":v": deep(32)}),
            "Nesting Levels have exceeded supported limits",
        ),
        (
            on(
                "Update",
                "a",
                UpdateExpression="SET x = :v",
                ExpressionAttributeValues={":v": {"S": "x" * 409_598}},
            ),
            "Item size to update has exceeded the maximum allowed size",
        ),
    ],
)
def test_reasons_of_validation(service: Service, action: Any, message: str) -> None:
    assert reasons(refuse(service, put("ok"), action)) == [
        {"Code": "None"},
        {"Code": "ValidationError", "Message": message},
    ]


def test_only_the_first_validation_error_is_told(service: Service) -> None:
    wrong = {"Put": {"TableName": "hash", "Item": {"pk": {"N": "7"}}}}
    other = {"Put": {"TableName": "hash", "Item": {"pk": {"N": "8"}}}}
    found = reasons(refuse(service, wrong, other, put("p", ConditionExpression="attribute_exists(pk)")))
    assert [reason["Code"] for reason in found] == ["ValidationError", "None", "None"]
    assert ["Message" in reason for reason in found] == [True, False, False]


# Refused as a whole


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"Put": {"TableName": "hash", "Item": {"pk": {"S": ""}}}}, EMPTY_KEY),
        (on("Delete", ""), EMPTY_KEY),
        (check(""), EMPTY_KEY),
        (
            put("i", "composite", sk={"S": "c"}, lsi1sk={"S": ""}),
            "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
            "The AttributeValue for a key attribute cannot contain an empty string value. "
            "IndexName: gsi1, IndexKey: lsi1sk",
        ),
        (
            on(
                "Update",
                {"pk": {"S": "i"}, "sk": {"S": "c"}},
                "composite",
                UpdateExpression="SET lsi1sk = :v",
                ExpressionAttributeValues={":v": {"S": ""}},
            ),
            "One or more parameter values are not valid. "
            "The update expression attempted to update a secondary index key to a value that is not supported. "
            "The AttributeValue for a key attribute cannot contain an empty string value.",
        ),
        (put("a", deep=deep(32)), NEST),
        (put("a", big={"S": "x" * 409_600}), "Item size has exceeded the maximum allowed size"),
        (put("a", n={"N": "abc"}), "The parameter cannot be converted to a numeric value: abc"),
        (put("a", n={"NS": ["2", "1", "2"]}), "Input collection contains duplicates"),
        (
            check("a", "d = :deep", ExpressionAttributeValues={":deep": deep(33)}),
            f"ExpressionAttributeValues contains invalid value: {NEST} for key :deep",
        ),
        (
            check("a", "d = :n", ExpressionAttributeValues={":n": {"N": "abc"}}),
            "ExpressionAttributeValues contains invalid value: "
            "The parameter cannot be converted to a numeric value: abc for key :n",
        ),
        ({"Put": {"TableName": "hash", "Item": {"pk": {"S": "a"}, "": {"S": "x"}}}}, "Empty attribute name"),
        (check("a", "attribute_not_exists("), SYNTAX),
        (check("a", ExpressionAttributeValues={":v": {"S": "x"}}), UNUSED),
    ],
)
def test_refused_as_a_whole(service: Service, action: Any, message: str) -> None:
    refusal = refuse(service, put("ok"), action)
    assert (refusal.code, refusal.message) == ("ValidationException", message)


def test_largest_item(service: Service) -> None:
    assert write(service, put("a", big={"S": "x" * (409_600 - 2 - 1 - 3)})) == {}


def test_value_of_32_levels_is_only_compared(service: Service) -> None:
    ok(service, "PutItem", TableName="hash", Item={"pk": {"S": "a"}})
    found = reasons(refuse(service, check("a", "d = :deep", ExpressionAttributeValues={":deep": deep(32)})))
    assert [reason["Code"] for reason in found] == ["ConditionalCheckFailed"]


@pytest.mark.parametrize(
    "actions",
    [
        (put("a"), put("a")),
        (put("a"), check("a")),
        (put("b"), check("a"), check("a")),
        (put("a"), on("Delete", "a", "arn:aws:dynamodb:us-east-1:400000000004:table/hash")),
    ],
)
def test_two_actions_on_one_item(service: Service, actions: Any) -> None:
    refusal = refuse(service, *actions)
    assert refusal.code == "ValidationException"
    assert refusal.message == "Transaction request cannot include multiple operations on one item"


def test_missing_table(service: Service) -> None:
    refusal = refuse(service, put("a"), put("a", "none"))
    assert (refusal.code, refusal.message) == ("ResourceNotFoundException", "Requested resource not found")


def test_action_with_two_kinds(service: Service) -> None:
    refusal = refuse(service, {**put("a"), **on("Delete", "b")})
    assert refusal.code == "ValidationException"
    assert "TransactItems" in (refusal.message or "")


def test_payload_limit(service: Service) -> None:
    twelve = [put(f"k{i}", payload={"S": "x" * 350_000}) for i in range(12)]
    refusal = refuse(service, *twelve)
    assert refusal.code == "ValidationException"
    assert "size cannot exceed" in (refusal.message or "")
    assert write(service, *twelve[:10]) == {}
    assert write(service, *(on("Delete", f"k{i}") for i in range(10))) == {}


# Which fault is told first


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ((put("a", "none"), check("cc", "attribute_not_exists(")), SYNTAX),
        ((check("cc", "attribute_not_exists("), put("d", data=deep(32))), SYNTAX),
        ((put("d", data=deep(32)), check("cc", "attribute_not_exists(")), NEST),
        ((put("a", "none"), check("cc", ExpressionAttributeValues={":v": {"S": "x"}})), UNUSED),
        ((check("cc", ExpressionAttributeValues={":v": {"S": "x"}}), put("a", "none")), UNUSED),
        ((put("cc"), check("cc", ExpressionAttributeValues={":v": {"S": "x"}})), UNUSED),
        ((on("Delete", {"pk": deep(40)}, "none"), put("a", "none", ConditionExpression="a = = b")), NEST),
        (
            (on("Delete", {"pk": deep(100)}, "none", ConditionExpression="a = = b"),),
            'Invalid ConditionExpression: Syntax error; token: "=", near: "= = b"',
        ),
        (
            (
                on(
                    "Delete",
                    {"pk": deep(100)},
                    "none",
                    ConditionExpression="a = :v" + " AND a = :v" * 373,
                    ExpressionAttributeValues={":v": {"S": "x"}},
                ),
            ),
            "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression size: 4109",
        ),
    ],
)
def test_order_of_checks(service: Service, actions: Any, message: str) -> None:
    assert refuse(service, *actions).message == message


# Tokens


def increment(pk: str, **more: Any) -> dict[str, Any]:
    return on("Update", pk, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}}, **more)


def test_same_token_same_request(service: Service) -> None:
    write(service, increment("a"), ClientRequestToken="t")
    again = {
        "Update": {
            "ExpressionAttributeValues": {":one": {"N": "1"}},
            "UpdateExpression": "ADD n :one",
            "Key": {"pk": {"S": "a"}},
            "TableName": "hash",
        }
    }
    body = write(service, again, ClientRequestToken="t", ReturnConsumedCapacity="TOTAL")
    assert body == {"ConsumedCapacity": [{"TableName": "hash", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}]}
    assert get(service, "a")["n"] == {"N": "1"}


def test_same_token_does_not_look_at_conditions_again(service: Service) -> None:
    once = put("a", ConditionExpression="attribute_not_exists(pk)")
    write(service, once, ClientRequestToken="t")
    assert write(service, once, ClientRequestToken="t") == {}


def test_without_token_everything_happens_again(service: Service) -> None:
    write(service, increment("a"))
    write(service, increment("a"))
    assert get(service, "a")["n"] == {"N": "2"}


def test_same_token_other_request(service: Service) -> None:
    write(service, put("a"), ClientRequestToken="t")
    refusal = refuse(service, put("b"), ClientRequestToken="t")
    assert refusal.code == "IdempotentParameterMismatchException"


@pytest.mark.parametrize(("later", "value"), [(599.0, "1"), (600.0, "2")])
def test_token_is_known_for_ten_minutes(service: Service, clock: ManualClock, later: float, value: str) -> None:
    write(service, increment("a"), ClientRequestToken="t")
    clock.advance(later)
    write(service, increment("a"), ClientRequestToken="t")
    assert get(service, "a")["n"] == {"N": value}


def test_lapsed_tokens_are_forgotten(service: Service, clock: ManualClock) -> None:
    for number in range(5):
        write(service, increment("a"), ClientRequestToken=f"t{number}")
        clock.advance(300.0)
    assert {token for _, token in service.account.remembered} == {"t3", "t4"}


def test_cancelled_requests_are_not_remembered(service: Service) -> None:
    refuse(service, put("a", ConditionExpression="attribute_exists(pk)"), ClientRequestToken="t")
    assert write(service, put("a"), ClientRequestToken="t") == {}


# Capacity


def test_capacity_of_writes(service: Service) -> None:
    ok(service, "PutItem", TableName="hash", Item={"pk": {"S": "big"}, "x": {"S": "x" * 3000}})
    body = write(
        service, put("a"), check("b"), on("Delete", "big"), ReturnConsumedCapacity="TOTAL", ClientRequestToken="t"
    )
    assert body["ConsumedCapacity"] == [{"TableName": "hash", "CapacityUnits": 10.0, "WriteCapacityUnits": 10.0}]


def test_index_arms_are_not_doubled(service: Service) -> None:
    body = write(service, put("a", "composite", sk={"S": "1"}, lsi1sk={"S": "l"}), ReturnConsumedCapacity="INDEXES")
    assert body["ConsumedCapacity"] == [
        {
            "TableName": "composite",
            "CapacityUnits": 4.0,
            "WriteCapacityUnits": 4.0,
            "Table": {"CapacityUnits": 2.0, "WriteCapacityUnits": 2.0},
            "GlobalSecondaryIndexes": {"gsi1": {"CapacityUnits": 1.0, "WriteCapacityUnits": 1.0}},
            "LocalSecondaryIndexes": {"lsi1": {"CapacityUnits": 1.0, "WriteCapacityUnits": 1.0}},
        }
    ]


@pytest.mark.parametrize(("size", "first", "again"), [(1500, 4.0, 2.0), (9000, 18.0, 6.0)])
def test_capacity_of_a_replay(service: Service, size: int, first: float, again: float) -> None:
    action = put("a", x={"S": "x" * size})
    replies = [
        write(service, action, ClientRequestToken="t", ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
        for _ in range(2)
    ]
    assert replies[0][0]["WriteCapacityUnits"] == first
    assert replies[1] == [
        {
            "TableName": "hash",
            "CapacityUnits": again,
            "ReadCapacityUnits": again,
            "Table": {"CapacityUnits": again, "ReadCapacityUnits": again},
        }
    ]


def test_one_entry_per_table(service: Service) -> None:
    body = write(
        service,
        put("a"),
        put("a", "composite", sk={"S": "1"}),
        put("b"),
        ReturnConsumedCapacity="TOTAL",
    )
    assert {entry["TableName"]: entry["CapacityUnits"] for entry in body["ConsumedCapacity"]} == {
        "hash": 4.0,
        "composite": 2.0,
    }


def test_item_collection_metrics(service: Service) -> None:
    body = write(service, put("a"), put("a", "composite", sk={"S": "1"}), ReturnItemCollectionMetrics="SIZE")
    assert body == {
        "ItemCollectionMetrics": {
            "composite": [{"ItemCollectionKey": {"pk": {"S": "a"}}, "SizeEstimateRangeGB": [0.0, 1.0]}]
        }
    }


# TransactGetItems


def read(service: Service, *gets: Any, **more: Any) -> Any:
    return ok(service, "TransactGetItems", TransactItems=[{"Get": each} for each in gets], **more)


def one(pk: str, **more: Any) -> dict[str, Any]:
    return {"TableName": "hash", "Key": {"pk": {"S": pk}}, **more}


def test_reads_in_order(service: Service) -> None:
    write(service, put("a", x={"N": "1"}), put("b"))
    assert read(service, one("b"), one("none"), one("a")) == {
        "Responses": [{"Item": {"pk": {"S": "b"}}}, {}, {"Item": {"pk": {"S": "a"}, "x": {"N": "1"}}}]
    }


def test_projection_of_nothing_leaves_out_the_item(service: Service) -> None:
    write(service, put("a", x={"N": "1"}))
    assert read(service, one("a", ProjectionExpression="x")) == {"Responses": [{"Item": {"x": {"N": "1"}}}]}
    assert read(service, one("a", ProjectionExpression="y")) == {"Responses": [{}]}


def test_capacity_of_reads(service: Service) -> None:
    write(service, put("a"))
    body = read(service, one("a"), one("none"), ReturnConsumedCapacity="INDEXES")
    assert body["ConsumedCapacity"] == [
        {
            "TableName": "hash",
            "CapacityUnits": 4.0,
            "ReadCapacityUnits": 4.0,
            "Table": {"CapacityUnits": 4.0, "ReadCapacityUnits": 4.0},
        }
    ]


def refuse_read(service: Service, *gets: Any) -> Refusal:
    return refused(service, "TransactGetItems", TransactItems=[{"Get": each} for each in gets])


def test_read_with_a_wrong_key(service: Service) -> None:
    found = reasons(refuse_read(service, one("a"), {"TableName": "hash", "Key": {}}))
    assert found == [{"Code": "None"}, {"Code": "ValidationError", "Message": MISMATCH}]


@pytest.mark.parametrize(
    ("gets", "code", "message"),
    [
        ([one("")], "ValidationException", EMPTY_KEY),
        (
            [one("a"), one("a")],
            "ValidationException",
            "Transaction request cannot include multiple operations on one item",
        ),
        (
            [{"TableName": "none", "Key": {"pk": {"S": "a"}}}],
            "ResourceNotFoundException",
            "Requested resource not found",
        ),
        (
            [one("a", ProjectionExpression="!!!")],
            "ValidationException",
            'Invalid ProjectionExpression: Syntax error; token: "!", near: "!!"',
        ),
    ],
)
def test_reads_refused_as_a_whole(service: Service, gets: Any, code: str, message: str) -> None:
    refusal = refuse_read(service, *gets)
    assert (refusal.code, refusal.message) == (code, message)


def test_reads_of_more_than_four_megabytes(service: Service) -> None:
    for number in range(12):
        item = {"pk": {"S": f"k{number}"}, "x": {"S": "x" * 400_000}}
        ok(service, "PutItem", TableName="hash", Item=item)
    assert "size cannot exceed" in (refuse_read(service, *(one(f"k{n}") for n in range(12))).message or "")
    assert len(read(service, *(one(f"k{n}") for n in range(10)))["Responses"]) == 10


@pytest.mark.parametrize(
    "alone",
    [
        {"ExpressionAttributeNames": {"#n": "foo"}},
        {"ExpressionAttributeValues": {":v": {"N": "1"}}},
        {"ExpressionAttributeNames": {}, "ExpressionAttributeValues": {":v": {}}},
    ],
)
def test_placeholders_without_an_expression_are_passed_over(service: Service, alone: dict[str, Any]) -> None:
    name = HASH["TableName"]
    put = {"Put": {"TableName": name, "Item": {"pk": {"S": "alone"}}, **alone}}
    assert ok(service, "TransactWriteItems", TransactItems=[put]) == {}
    get = {"Get": {"TableName": name, "Key": {"pk": {"S": "alone"}}, **alone}}
    assert ok(service, "TransactGetItems", TransactItems=[get]) == {"Responses": [{"Item": {"pk": {"S": "alone"}}}]}
