"""Vector indexes under transactions and PartiQL: checked and charged as single writes are, and not read by PartiQL."""

from __future__ import annotations

from typing import Any

import pytest

from reference.api import Call, Refusal
from reference.service import Service
from tests.unit.vector_tables import INVALID, index, made, ok, put, refused, vec

SHORT = f"{INVALID}Invalid size for parameter embedding, Expected: 3, Actual: 2 IndexName: vix"
ENTRY = {"vix": {"VectorWriteRequestBytes": 1024.0}}


@pytest.fixture
def service() -> Service:
    return made(index("vix"))


def item(vector: str, pk: str = "a") -> dict[str, Any]:
    return {"pk": {"S": pk}, "embedding": {"L": vec(vector)}}


def transact(service: Service, *vectors: str) -> Any:
    actions = [{"Put": {"TableName": "docs", "Item": item(each, str(i))}} for i, each in enumerate(vectors)]
    return service.execute(Call("TransactWriteItems", {"TransactItems": actions, "ReturnConsumedCapacity": "INDEXES"}))


def test_a_transaction_pays_twice_for_the_table_but_once_for_vectors(service: Service) -> None:
    assert transact(service, "1 0 0", "0 1 0").body["ConsumedCapacity"] == [
        {
            "TableName": "docs",
            "CapacityUnits": 4.0,
            "WriteCapacityUnits": 4.0,
            "Table": {"CapacityUnits": 4.0, "WriteCapacityUnits": 4.0},
            "VectorIndexes": {"vix": {"VectorWriteRequestBytes": 2048.0}},
        }
    ]


def test_a_transaction_with_a_bad_vector_writes_nothing(service: Service) -> None:
    reply = transact(service, "1 0 0", "1 0")
    assert isinstance(reply, Refusal)
    assert reply.fields["CancellationReasons"] == [{"Code": "None"}, {"Code": "ValidationError", "Message": SHORT}]
    assert ok(service, "Scan", TableName="docs")["Items"] == []


def test_a_statement_is_checked_and_charged(service: Service) -> None:
    good = "INSERT INTO docs VALUE {'pk': 'a', 'embedding': [1, 0, 0]}"
    told = ok(service, "ExecuteStatement", Statement=good, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
    assert (told["CapacityUnits"], told["VectorIndexes"]) == (1.0, ENTRY)
    bad = "UPDATE docs SET embedding = [1, 0] WHERE pk = 'a'"
    assert refused(service, "ExecuteStatement", Statement=bad) == ("ValidationException", SHORT)


def test_a_batch_is_checked_and_charged(service: Service) -> None:
    statements = [
        {"Statement": "INSERT INTO docs VALUE {'pk': 'a', 'embedding': [1, 0, 0]}"},
        {"Statement": "INSERT INTO docs VALUE {'pk': 'b', 'embedding': [1, 0]}"},
    ]
    told = ok(service, "BatchExecuteStatement", Statements=statements, ReturnConsumedCapacity="INDEXES")
    assert told["Responses"][1]["Error"] == {"Code": "ValidationError", "Message": SHORT}
    assert told["ConsumedCapacity"][0]["VectorIndexes"] == ENTRY


def test_partiql_does_not_read_a_vector_index(service: Service) -> None:
    put(service, "a", "1 0 0")
    assert refused(service, "ExecuteStatement", Statement='SELECT * FROM docs."vix"') == (
        "ValidationException",
        "Scan operation not supported on this index type",
    )
