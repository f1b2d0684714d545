"""SELECT: which rows, in which order, page by page, and through which index."""

from __future__ import annotations

from typing import Any

import pytest

from reference.service import Service
from tests.unit.partiql_bench import (
    INVALID,
    fresh,
    items,
    put,
    refuse,
    run,
    with_rows,
)


@pytest.fixture
def service() -> Service:
    return fresh()


@pytest.fixture
def indexed() -> Service:
    return with_rows()


# SELECT


def test_columns(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "a"}, "m": {"M": {"nested": {"S": "deep"}}}, "extra": {"N": "1"}})
    assert items(service, "SELECT m.nested FROM \"hash\" WHERE pk = 'a'") == [{"nested": {"S": "deep"}}]
    assert items(service, "SELECT pk, extra, nope FROM \"hash\" WHERE pk = 'a'") == [
        {"pk": {"S": "a"}, "extra": {"N": "1"}}
    ]


@pytest.fixture
def ordered(service: Service) -> Service:
    for pk, sks in (("o", "123"), ("other", "2")):
        for sk in sks:
            put(service, "composite", {"pk": {"S": pk}, "sk": {"S": sk}})
    return service


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("pk = 'o'", ["1", "2", "3"]),
        ("pk = 'o' ORDER BY sk DESC", ["3", "2", "1"]),
        ("pk = 'o' ORDER BY sk ASC", ["1", "2", "3"]),
        ("pk = 'o' ORDER BY pk, sk", ["1", "2", "3"]),
        ("pk = 'o' AND sk = '2'", ["2"]),
        ("pk = 'o' AND sk > '1'", ["2", "3"]),
        ("pk = 'o' AND sk BETWEEN '1' AND '2'", ["1", "2"]),
        ("pk = 'o' AND begins_with(sk, '3')", ["3"]),
        ("pk = 'o' AND sk IN ['3', '1']", ["1", "3"]),
        ("pk = 'o' AND (sk = '3' OR sk < '2')", ["1", "3"]),
        ("pk = 'o' AND NOT sk = '1' OR pk = 'o' AND sk = '2'", ["2", "3"]),
        ("pk = 'o' AND sk <> '1' OR pk = 'o' AND sk = '2'", ["2", "3"]),
        ("pk = 'o' AND NOT begins_with(sk, 'x') OR pk = 'o' AND sk = '2'", ["1", "2", "3"]),
        ("pk = 'o' AND NOT sk IN ['1', '3'] OR pk = 'o' AND sk = '2'", ["2"]),
        ("pk = 'o' AND NOT sk > '5' OR pk = 'o' AND sk = '2'", ["1", "2", "3"]),
        ("pk = 'o' AND NOT (sk = '1') OR pk = 'o' AND sk = '2'", ["2", "3"]),
        ("pk = 'o' OR pk = 'o' AND NOT sk = '1'", ["1", "2", "3"]),
        ("pk = 'o' AND sk = '1' OR pk = 'other' AND sk = '2'", ["1", "2"]),
        ("pk IN ['other', 'nope']", ["2"]),
        ("pk = 'o' AND sk = '1' OR pk = 'o' AND sk = '3'", ["1", "3"]),
    ],
)
def test_keyed_reads(ordered: Service, where: str, found: list[str]) -> None:
    rows = items(ordered, f'SELECT * FROM "composite" WHERE {where}')
    assert [each["sk"]["S"] for each in rows] == found


@pytest.mark.parametrize("where", ["sk = '2'", "pk > 'a' AND sk = '2'", "pk = 'o' AND sk = '2' OR sk = '2'"])
def test_scans(ordered: Service, where: str) -> None:
    rows = items(ordered, f'SELECT pk FROM "composite" WHERE {where}')
    assert sorted(each["pk"]["S"] for each in rows) == ["o", "other"]
    assert len(items(ordered, 'SELECT * FROM "composite"')) == 4


@pytest.mark.parametrize("condition", ["x = '1'", "x <> '1'"])
def test_overlapping_branches(ordered: Service, condition: str) -> None:
    statement = f"SELECT * FROM \"composite\" WHERE pk = 'a' AND {condition} OR pk = 'a' AND sk = '2'"
    assert refuse(ordered, statement) == "Overlapping conditions with range keys are not supported in where clause"


@pytest.mark.parametrize(
    ("left", "right", "overlap"),
    [
        ("sk < '3'", "sk = '2'", True),
        ("sk < '2'", "sk = '2'", False),
        ("sk <= '2'", "sk = '2'", True),
        ("sk > '2'", "sk BETWEEN '1' AND '2'", False),
        ("begins_with(sk, 'a')", "sk = 'ab'", True),
        ("begins_with(sk, 'a')", "sk = 'b'", False),
        ("begins_with(sk, 'a')", "begins_with(sk, 'ab')", True),
        ("begins_with(sk, 'a')", "sk < 'a'", False),
        ("begins_with(sk, 'a')", "sk > 'az'", True),
        ("begins_with(sk, 'a')", "sk >= 'b'", False),
    ],
)
def test_which_ranges_overlap(service: Service, left: str, right: str, overlap: bool) -> None:
    for one, two in ((left, right), (right, left)):
        statement = f"SELECT * FROM \"composite\" WHERE pk = 'a' AND {one} OR pk = 'a' AND {two}"
        if overlap:
            assert "Overlapping conditions" in (refuse(service, statement) or "")
        else:
            assert items(service, statement) == []


@pytest.mark.parametrize(
    "statement",
    [
        'SELECT * FROM "composite" ORDER BY sk',
        "SELECT * FROM \"composite\" WHERE sk = '1' ORDER BY sk",
        "SELECT * FROM \"composite\" WHERE pk = 'a' ORDER BY x",
        "SELECT * FROM \"composite\" WHERE pk = 'a' ORDER BY m.x",
        "SELECT * FROM \"composite\" WHERE pk = 'a' LIMIT 1",
        "SELECT DISTINCT pk FROM \"composite\" WHERE pk = 'a'",
        "SELECT *, pk FROM \"composite\" WHERE pk = 'a'",
        "SELECT pk FROM \"composite\" WHERE pk LIKE 'a'",
        'SELECT pk FROM "composite" WHERE pk',
        'SELECT pk FROM "composite" WHERE pk + 1 = 2',
        'SELECT pk FROM "composite" WHERE pk = 5',
        "SELECT pk FROM \"composite\" WHERE pk = 'a' AND sk = 5",
        "SELECT pk FROM \"composite\" WHERE pk = ''",
        "SELECT pk FROM <<1>> WHERE pk = 'a'",
        'SELECT pk FROM "composite" WHERE pk IN [' + ", ".join(f"'{n}'" for n in range(51)) + "]",
        'SELECT pk FROM "composite" WHERE x IN [' + ", ".join(f"'{n}'" for n in range(101)) + "]",
        "SELECT l[-1] FROM \"composite\" WHERE pk = 'a'",
        "EXISTS(SELECT * FROM \"composite\" WHERE pk = 'a')",
        "INSERT INTO \"composite\" <<{'pk': 'a', 'sk': 'b'}>>",
        "INSERT INTO \"composite\" VALUE 'a'",
        "INSERT INTO \"composite\" VALUE {'pk': 'a', 'sk': b}",
        "INSERT INTO \"composite\" VALUE {'pk': 'a', 'sk': MISSING}",
        "INSERT INTO \"composite\" VALUE {'pk': 'a', 'sk': 'b', 'x': <<1, 'a'>>}",
        "INSERT INTO \"composite\" VALUE {'pk': 'a', 'sk': 'b', x: 1}",
        "UPDATE \"composite\" SET x = 1 SET x.y = 2 WHERE pk = 'a' AND sk = 'b'",
        "UPDATE \"composite\" SET x = nope(1) WHERE pk = 'a' AND sk = 'b'",
    ],
)
def test_refused_in_some_words(service: Service, statement: str) -> None:
    assert refuse(service, statement)


def test_pages(ordered: Service) -> None:
    statement = "SELECT sk FROM \"composite\" WHERE pk = ? AND sk <> '2'"
    page = run(ordered, statement, {"S": "o"}, Limit=2)
    assert page["Items"] == [{"sk": {"S": "1"}}]
    assert page["LastEvaluatedKey"] == {"pk": {"S": "o"}, "sk": {"S": "2"}}
    token = page["NextToken"]
    # The item that a token stands for may be gone.
    run(ordered, "DELETE FROM \"composite\" WHERE pk = 'o' AND sk = '2'")
    last = run(ordered, statement, {"S": "o"}, NextToken=token)
    assert last == {"Items": [{"sk": {"S": "3"}}]}
    mismatch = "NextToken does not match request"
    assert refuse(ordered, statement, {"S": "p"}, NextToken=token) == mismatch
    assert refuse(ordered, statement + " ", {"S": "o"}, NextToken=token) == mismatch
    assert refuse(ordered, statement, {"S": "o"}, NextToken="junk") == "Invalid NextToken"


@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_pages_over_several_ranges(ordered: Service, order: str) -> None:
    statement = f"SELECT sk FROM \"composite\" WHERE pk = 'o' AND sk IN ['1', '3', '2'] ORDER BY sk {order}"
    whole = items(ordered, statement)
    paged: list[Any] = []
    page = run(ordered, statement, Limit=1)
    while True:
        paged += page["Items"]
        if "NextToken" not in page:
            break
        page = run(ordered, statement, Limit=1, NextToken=page["NextToken"])
    assert paged == whole == [{"sk": {"S": s}} for s in ("123" if order == "ASC" else "321")]


def test_one_item_is_one_page(ordered: Service) -> None:
    page = run(ordered, "SELECT * FROM \"composite\" WHERE pk = 'o' AND sk = '1'", Limit=1)
    assert page == {"Items": [{"pk": {"S": "o"}, "sk": {"S": "1"}}]}


def test_limit_zero(service: Service) -> None:
    assert refuse(service, 'SELECT * FROM "hash"', Limit=0) == (
        "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1"
    )


def test_empty_parameters(service: Service) -> None:
    assert refuse(service, "SELECT * FROM \"hash\" WHERE pk = 'a'", Parameters=[]) == (
        "1 validation error detected: Value '[]' at 'parameters' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )


# Indexes


def sort_keys(service: Service, statement: str) -> list[str]:
    return sorted(each["sk"]["S"] for each in items(service, statement))


def test_an_index_holds_what_it_holds(indexed: Service) -> None:
    assert sort_keys(indexed, 'SELECT pk, sk FROM "indexed"."gsi-all" WHERE gsiPk = \'x\'') == ["s1", "s4"]
    assert sort_keys(indexed, "SELECT pk, sk FROM \"indexed\" WHERE pk = 'p'") == ["s1", "s2", "s3", "s4"]
    assert sort_keys(indexed, 'SELECT * FROM "indexed"."gsi-all" WHERE pk = \'p\'') == ["s1", "s2", "s4"]


@pytest.mark.parametrize(
    ("name", "where", "names"),
    [
        ("gsi-keys", "gsiPk2 = 'y'", ["gsiPk2", "pk", "sk"]),
        ("gsi-inc", "gsiPk2 = 'y'", ["gsiPk2", "pk", "projattr", "sk"]),
        ("lsi-keys", "pk = 'p'", ["lsiSk2", "pk", "sk"]),
    ],
)
def test_a_star_is_what_the_index_projects(indexed: Service, name: str, where: str, names: list[str]) -> None:
    body = run(indexed, f'SELECT * FROM "indexed"."{name}" WHERE {where}', ReturnConsumedCapacity="INDEXES")
    assert [sorted(each) for each in body["Items"]] == [names] * 3
    assert body["ConsumedCapacity"]["Table"] == {"CapacityUnits": 0.0}


def test_a_local_index_fetches(indexed: Service) -> None:
    body = run(indexed, 'SELECT nonproj FROM "indexed"."lsi-keys" WHERE pk = \'p\'', ReturnConsumedCapacity="INDEXES")
    assert [each["nonproj"]["S"] for each in body["Items"]] == ["np1", "np2", "np4"]
    assert body["ConsumedCapacity"] == {
        "TableName": "indexed",
        "CapacityUnits": 2.0,
        "Table": {"CapacityUnits": 1.5},
        "LocalSecondaryIndexes": {"lsi-keys": {"CapacityUnits": 0.5}},
    }


def test_what_a_global_index_lacks(indexed: Service) -> None:
    message = INVALID + "Global secondary index gsi-inc does not project [{}]"
    statement = 'SELECT {} FROM "indexed"."gsi-inc"{}'
    assert refuse(indexed, statement.format("nonproj", " WHERE gsiPk2 = 'y'")) == message.format("nonproj")
    assert refuse(indexed, statement.format("other, projattr, nonproj", "")) == message.format("other, nonproj")


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("gsi-inc", "gsiPk2 = 'y' AND nonproj = 'np1'"),
        ("lsi-keys", "pk = 'p' AND nonproj = 'np1'"),
        ("gsi-inc", "gsiPk2 = 'y' AND nonproj IS MISSING"),
        ("gsi-inc", "gsiPk2 = 'y' AND nonproj IS NOT MISSING"),
        ("gsi-inc", "gsiPk2 = 'y' AND begins_with(nonproj, 'np')"),
        ("gsi-inc", "gsiPk2 = 'y' AND NOT nonproj = 'np1'"),
        ("gsi-inc", "gsiPk2 IN ['y', 'z'] AND nonproj = 'np1'"),
        ("lsi-keys", "pk = 'p' AND lsiSk2 BETWEEN 'k1' AND 'k4' AND nonproj = 'np1'"),
    ],
)
def test_filters_on_what_an_index_lacks(indexed: Service, name: str, where: str) -> None:
    assert refuse(indexed, f'SELECT pk FROM "indexed"."{name}" WHERE {where}') == (
        f"{INVALID}Secondary index {name} does not project one or more filter attributes: [nonproj]"
    )


@pytest.mark.parametrize(
    ("name", "where", "found"),
    [
        ("gsi-inc", "nonproj = 'np1'", []),
        ("lsi-keys", "nonproj = 'np1'", []),
        ("gsi-inc", "nonproj = 'np1' AND nonproj = 'np2'", []),
        ("gsi-inc", "gsiPk2 = 'y' AND projattr = 'proj1'", ["s1"]),
        ("gsi-inc", "gsiPk2 = 'y' AND projattr IS NOT MISSING", ["s1", "s2", "s4"]),
        ("gsi-keys", "NOT nonproj = 'np1'", ["s1", "s2", "s4", "s5"]),
        ("gsi-inc", "(gsiPk2 = 'y' AND nonproj = 'np1') OR (gsiPk2 = 'y2')", ["s5"]),
    ],
)
def test_filters_that_an_index_can_answer(indexed: Service, name: str, where: str, found: list[str]) -> None:
    assert sort_keys(indexed, f'SELECT pk, sk FROM "indexed"."{name}" WHERE {where}') == found


def test_pages_of_an_index(indexed: Service) -> None:
    statement = 'SELECT pk, sk FROM "indexed"."gsi-inc" WHERE gsiPk2 = \'y\''
    first = run(indexed, statement, Limit=1)
    rest = run(indexed, statement, NextToken=first["NextToken"])
    assert [each["sk"]["S"] for each in first["Items"] + rest["Items"]] == ["s1", "s2", "s4"]
    assert set(first["LastEvaluatedKey"]) == {"pk", "sk", "gsiPk2"}
    other = statement.replace("gsi-inc", "gsi-keys")
    assert refuse(indexed, other, NextToken=first["NextToken"]) == "NextToken does not match request"


def test_consistent_reads(indexed: Service) -> None:
    statement = 'SELECT pk FROM "indexed"."{}" WHERE {} = \'p\''
    assert refuse(indexed, statement.format("gsi-all", "gsiPk"), ConsistentRead=True) == (
        "Strongly consistent read is not supported on Global Secondary Indexes"
    )
    units = [
        run(indexed, statement.format("lsi-all", "pk"), ConsistentRead=c, ReturnConsumedCapacity="INDEXES")
        for c in (False, True)
    ]
    assert [body["ConsumedCapacity"]["LocalSecondaryIndexes"]["lsi-all"]["CapacityUnits"] for body in units] == [
        0.5,
        1.0,
    ]


def test_reads_are_charged_before_the_filter(service: Service) -> None:
    for number in range(3):
        item = {"pk": {"S": "a"}, "sk": {"S": str(number)}, "x": {"S": "x" * 3000}}
        put(service, "composite", item)
    statement = "SELECT pk FROM \"composite\" WHERE pk = 'a' AND x = 'no'"
    body = run(service, statement, ReturnConsumedCapacity="TOTAL")
    assert body["ConsumedCapacity"] == {"TableName": "composite", "CapacityUnits": 1.5}
