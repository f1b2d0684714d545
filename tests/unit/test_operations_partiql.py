"""BatchExecuteStatement and ExecuteTransaction, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.api import Refusal
from reference.service import Service
from tests.unit.partiql_bench import (
    BATCH_KEY,
    MULTI,
    NWF,
    UNCONVERTIBLE,
    fresh,
    get,
    ok,
    put,
    refused,
)


@pytest.fixture
def service() -> Service:
    return fresh()


# BatchExecuteStatement


def batch(service: Service, *statements: str | dict[str, Any], **more: Any) -> Any:
    wrapped = [{"Statement": each} if isinstance(each, str) else each for each in statements]
    return ok(service, "BatchExecuteStatement", Statements=wrapped, **more)


def one(pk: str) -> str:
    return f"SELECT * FROM \"hash\" WHERE pk = '{pk}'"


def test_batch_of_reads(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "a"}, "m": {"M": {"x": {"N": "1"}}}})
    body = batch(service, one("a"), one("none"), "SELECT m.x FROM \"hash\" WHERE pk = 'b'", one("c"))
    assert body == {
        "Responses": [
            {"Item": {"pk": {"S": "a"}, "m": {"M": {"x": {"N": "1"}}}}, "TableName": "hash"},
            {"TableName": "hash"},
            {"TableName": "hash"},
            {"TableName": "hash"},
        ]
    }


def test_an_expression_by_itself_is_neither_a_read_nor_a_write(service: Service) -> None:
    reads, writes = batch(service, one("a"), "pk"), batch(service, "INSERT INTO \"hash\" VALUE {'pk': 'i'}", "pk")
    assert reads["Responses"][0] == writes["Responses"][0] == {"TableName": "hash"}
    assert reads["Responses"][1]["Error"]["Code"] == writes["Responses"][1]["Error"]["Code"] == "ValidationError"


def test_batch_of_writes(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "u"}, "data": {"S": "old"}})
    put(service, "hash", {"pk": {"S": "d"}, "data": {"S": "gone"}})
    body = batch(
        service,
        "INSERT INTO \"hash\" VALUE {'pk': 'i'}",
        "UPDATE \"hash\" SET data = 'new' WHERE pk = 'u' RETURNING MODIFIED NEW *",
        "DELETE FROM \"hash\" WHERE pk = 'd' RETURNING ALL OLD *",
    )
    assert body["Responses"] == [
        {"TableName": "hash"},
        {"Item": {"data": {"S": "new"}}, "TableName": "hash"},
        {"Item": {"pk": {"S": "d"}, "data": {"S": "gone"}}, "TableName": "hash"},
    ]
    assert get(service, "i") == {"pk": {"S": "i"}}
    assert get(service, "d") is None


def test_empty_projection_of_a_member(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "u"}, "data": {"S": "old"}})
    body = batch(service, "UPDATE \"hash\" REMOVE data WHERE pk = 'u' RETURNING MODIFIED NEW *")
    assert body["Responses"] == [{"TableName": "hash"}]


def test_members_fail_by_themselves(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "a"}, "val": {"S": "here"}})
    body = batch(
        service,
        one("a"),
        "SLECT * FROM \"hash\" WHERE pk = 'a'",
        'SELECT * FROM "hash" WHERE',
        "SELECT * FROM \"never-created\" WHERE pk = 'x'",
        "SELECT * FROM \"hash\" WHERE val = 'a'",
        "SELECT * FROM \"hash\" WHERE pk = 'i' AND attribute_exists(ss)",
        'SELECT * FROM "indexed"."gsi-all" WHERE gsiPk = \'x\'',
        "SELECT * FROM \"indexed\".\"gsi-all\" WHERE pk = 'p' AND sk = 's1' AND gsiPk = 'x'",
        "SELECT * FROM \"many\".\"gsi\" WHERE h1 = 'a' AND h2 = 'x' AND r1 = 'm'",
        {"Statement": "SELECT * FROM \"hash\" WHERE pk = 'b' AND n = ?", "Parameters": [{"N": "1e99999999999"}]},
    )
    assert [response.get("Error") for response in body["Responses"]] == [
        None,
        {"Code": "ValidationError", "Message": NWF + "Expected data manipulation"},
        {"Code": "ValidationError", "Message": NWF + "Unexpected term"},
        {"Code": "ResourceNotFound", "Message": "Requested resource not found"},
        {"Code": "ValidationError", "Message": BATCH_KEY},
        {"Code": "ValidationError", "Message": BATCH_KEY},
        {"Code": "ValidationError", "Message": BATCH_KEY},
        {"Code": "ValidationError", "Message": BATCH_KEY},
        {"Code": "ValidationError", "Message": MULTI},
        {"Code": "ValidationError", "Message": f"{UNCONVERTIBLE}: 1e99999999999"},
    ]
    assert [response.get("TableName") for response in body["Responses"]] == ["hash", *[None] * 9]


def test_members_that_ran_and_failed_tell_their_table(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "a"}, "val": {"S": "here"}})
    put(service, "hash", {"pk": {"S": "b"}})
    update = {
        "Statement": "UPDATE \"hash\" SET t = 'yes' WHERE pk = 'a' AND val = 'wrong'",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    body = batch(
        service,
        update,
        "INSERT INTO \"hash\" VALUE {'pk': 'b'}",
        "DELETE FROM \"hash\" WHERE pk = 'c' RETURNING MODIFIED OLD *",
        ReturnConsumedCapacity="TOTAL",
    )
    assert body == {
        "Responses": [
            {
                "Error": {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
                "TableName": "hash",
            },
            {
                "Error": {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"},
                "TableName": "hash",
            },
            {
                "Error": {
                    "Code": "ValidationError",
                    "Message": "Invalid returning clause: RETURNING MODIFIED OLD *. "
                    "Only RETURNING ALL OLD * is allowed in DELETE statements.",
                }
            },
        ]
    }


def test_capacity_of_a_batch(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "a"}})
    eventual = {"Statement": one("a")}
    consistent = {"Statement": one("b"), "ConsistentRead": True}
    body = batch(service, eventual, consistent, ReturnConsumedCapacity="TOTAL")
    assert body["ConsumedCapacity"] == [{"TableName": "hash", "CapacityUnits": 1.5}]


def test_a_failed_write_is_charged_beside_one_that_succeeds(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "a"}})
    body = batch(
        service,
        {"Statement": "INSERT INTO \"hash\" VALUE {'pk': 'a', 'x': ?}", "Parameters": [{"S": "x" * 3000}]},
        "INSERT INTO \"hash\" VALUE {'pk': 'b'}",
        ReturnConsumedCapacity="TOTAL",
    )
    assert body["ConsumedCapacity"] == [{"TableName": "hash", "CapacityUnits": 4.0}]


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        ((one("a"), "DELETE FROM \"hash\" WHERE pk = 'b'"), "Read and write"),
        ((one("a"), one("a")), "Provided list of item keys contains duplicates"),
        (
            ("INSERT INTO \"hash\" VALUE {'pk': 'a'}", "DELETE FROM \"hash\" WHERE pk = 'a'"),
            "Provided list of item keys contains duplicates",
        ),
    ],
)
def test_batches_refused_as_a_whole(service: Service, statements: Any, message: str) -> None:
    refusal = refused(service, "BatchExecuteStatement", Statements=[{"Statement": each} for each in statements])
    assert refusal.code == "ValidationException"
    assert message in (refusal.message or "")


# ExecuteTransaction


def transact(service: Service, *statements: str, **more: Any) -> Any:
    return ok(service, "ExecuteTransaction", TransactStatements=[{"Statement": s} for s in statements], **more)


def refuse_transaction(service: Service, *statements: str | dict[str, Any], **more: Any) -> Refusal:
    wrapped = [{"Statement": each} if isinstance(each, str) else each for each in statements]
    return refused(service, "ExecuteTransaction", TransactStatements=wrapped, **more)


def test_transaction_of_writes(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "u"}, "ss": {"SS": ["a"]}})
    put(service, "hash", {"pk": {"S": "d"}})
    body = transact(
        service,
        "INSERT INTO \"hash\" VALUE {'pk': 'i'}",
        "UPDATE \"hash\" SET ss = set_add(ss, <<'t'>>) WHERE pk = 'u' AND attribute_exists(ss)",
        "DELETE FROM \"hash\" WHERE pk = 'd'",
        ReturnConsumedCapacity="TOTAL",
    )
    assert body == {
        "Responses": [],
        "ConsumedCapacity": [{"TableName": "hash", "CapacityUnits": 6.0, "WriteCapacityUnits": 6.0}],
    }
    assert get(service, "u")["ss"] == {"SS": ["a", "t"]}
    assert get(service, "d") is None


def test_transaction_of_reads(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "a"}, "m": {"M": {"x": {"N": "1"}}}})
    body = transact(service, "SELECT m.x FROM \"hash\" WHERE pk = 'a'", one("none"), ReturnConsumedCapacity="TOTAL")
    assert body == {
        "Responses": [{"Item": {"x": {"N": "1"}}}, {}],
        "ConsumedCapacity": [{"TableName": "hash", "CapacityUnits": 4.0, "ReadCapacityUnits": 4.0}],
    }


@pytest.mark.parametrize(("value", "holds"), [("1", True), ("2", False)])
def test_exists(service: Service, value: str, holds: bool) -> None:
    put(service, "hash", {"pk": {"S": "e"}, "a": {"N": value}})
    statements = ("EXISTS(SELECT * FROM \"hash\" WHERE pk = 'e' AND a = 1)", "INSERT INTO \"hash\" VALUE {'pk': 'n'}")
    if holds:
        assert transact(service, *statements) == {"Responses": []}
        assert get(service, "n") == {"pk": {"S": "n"}}
    else:
        refusal = refuse_transaction(service, *statements)
        assert refusal.fields["CancellationReasons"] == [
            {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"},
            {"Code": "None"},
        ]


def test_a_duplicate_cancels(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "a"}})
    refusal = refuse_transaction(
        service, "INSERT INTO \"hash\" VALUE {'pk': 'a'}", "INSERT INTO \"hash\" VALUE {'pk': 'b'}"
    )
    assert refusal.code == "TransactionCanceledException"
    assert [reason["Code"] for reason in refusal.fields["CancellationReasons"]] == ["DuplicateItem", "None"]


def test_token_of_a_transaction(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "c"}, "n": {"N": "0"}})
    statement = "UPDATE \"hash\" SET n = n + 1 WHERE pk = 'c'"
    told = {"ClientRequestToken": "t", "ReturnConsumedCapacity": "INDEXES"}
    first, again = (transact(service, statement, **told) for _ in range(2))
    assert get(service, "c")["n"] == {"N": "1"}
    assert first["ConsumedCapacity"][0]["WriteCapacityUnits"] == 2.0
    assert again == {
        "Responses": [],
        "ConsumedCapacity": [
            {
                "TableName": "hash",
                "CapacityUnits": 2.0,
                "ReadCapacityUnits": 2.0,
                "Table": {"CapacityUnits": 2.0, "ReadCapacityUnits": 2.0},
            }
        ],
    }
    assert refuse_transaction(service, one("c"), ClientRequestToken="t").code == "IdempotentParameterMismatchException"
    assert ok(service, "TransactWriteItems", TransactItems=[{"Delete": key("c")}], ClientRequestToken="t") == {}


def key(pk: str) -> dict[str, Any]:
    return {"TableName": "hash", "Key": {"pk": {"S": pk}}}


PREFIX = "Validation failed in TransactStatements[0]: "


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (('SELECT * FROM "hash" WHERE',), f"{PREFIX}{NWF}Unexpected term"),
        (
            ("UPDATE \"hash\" SET data = 'v' WHERE pk = 'x' RETURNING ALL NEW *",),
            f"{PREFIX}RETURNING clause is not supported in ExecuteTransaction.",
        ),
        (
            ("SELECT * FROM \"hash\" WHERE pk = 'i' AND attribute_exists(ss)",),
            f"{PREFIX}Select statements within ExecuteTransaction must specify the primary key in the where clause.",
        ),
        (
            ('SELECT * FROM "indexed"."gsi-all" WHERE gsiPk = \'x\'',),
            f"{PREFIX}Reads on indices are not supported within transactions.",
        ),
        (
            ("EXISTS(SELECT * FROM \"hash\" WHERE pk = 'a')", "UPDATE \"hash\" SET z = 1 WHERE pk = 'b'"),
            f"{PREFIX}EXISTS() must contain a single item read with additional condition",
        ),
        (
            (
                {
                    "Statement": "UPDATE \"composite\" SET n = ? WHERE pk = 'a' AND sk = 's'",
                    "Parameters": [{"N": "1e99999999999"}],
                },
            ),
            f"{UNCONVERTIBLE}: 1e99999999999",
        ),
        (
            ("INSERT INTO \"hash\" VALUE {'pk': 'a'}", "DELETE FROM \"hash\" WHERE pk = 'a'"),
            "Transaction request cannot include multiple operations on one item",
        ),
    ],
)
def test_transactions_refused(service: Service, statements: Any, message: str) -> None:
    refusal = refuse_transaction(service, *statements)
    assert (refusal.code, refusal.message) == ("ValidationException", message)


def test_transactions_do_not_mix_reads_and_writes(service: Service) -> None:
    assert refuse_transaction(service, one("a"), "DELETE FROM \"hash\" WHERE pk = 'b'").code == "ValidationException"


def test_transaction_on_a_missing_table(service: Service) -> None:
    refusal = refuse_transaction(service, "DELETE FROM \"never-created\" WHERE pk = 'b'")
    assert (refusal.code, refusal.message) == ("ResourceNotFoundException", "Requested resource not found")
