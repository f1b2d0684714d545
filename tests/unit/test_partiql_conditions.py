"""WHERE and FROM: conditions, functions and sources, against AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.service import Service
from tests.unit.partiql_bench import (
    MULTI,
    NWF,
    UNCONVERTIBLE,
    at,
    fresh,
    items,
    put,
    refuse,
    refused,
    run,
    with_rows,
)


@pytest.fixture
def service() -> Service:
    return fresh()


@pytest.fixture
def indexed() -> Service:
    return with_rows()


# WHERE

FUNCTIONS = {
    "pk": {"S": "i"},
    "ss": {"SS": ["a", "b", "c"]},
    "s": {"S": "str"},
    "n": {"N": "5"},
    "m": {"M": {"sub": {"S": "x"}}},
    "l": {"L": [{"S": "e"}]},
    "nul": {"NULL": True},
    "flag": {"BOOL": True},
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("attribute_exists(ss)", True),
        ("attribute_exists(nope)", False),
        ("attribute_not_exists(nope)", True),
        ("attribute_not_exists(ss)", False),
        ("NOT attribute_exists(nope)", True),
        ("ATTRIBUTE_EXISTS(ss)", True),
        ("(attribute_exists(nope) OR attribute_exists(ss))", True),
        ("attribute_exists(ss) = true", True),
        ("attribute_exists(ss) = false", False),
        ("attribute_exists(ss) <> true", False),
        ('attribute_exists("ss")', True),
        ("attribute_exists(m.sub)", True),
        ("attribute_exists(m['sub'])", True),
        ("attribute_exists(m.nope)", False),
        ("size(s) = 3", True),
        ("size(s) = 4", False),
        ("attribute_type(ss, 'SS')", True),
        ("attribute_type(ss, 'S')", False),
        ("begins_with(s, 'st')", True),
        ("contains(ss, 'b')", True),
        ("nul IS NULL", True),
        ("s IS NULL", False),
        ("s IS NOT NULL", True),
        ("nul IS NOT NULL", False),
        ("nope IS MISSING", True),
        ("s IS MISSING", False),
        ("s IS NOT MISSING", True),
        ("flag IS BOOL", True),
        ("s IS STRING", True),
        ("s IS BOOL", False),
        ("l IS LIST", True),
        ("m IS STRUCT", True),
        ("ss IS BAG", True),
        ("n IS INT4", True),
        ("nope = 'x'", False),
        ("NOT nope = 'x'", True),
        ("nope <> 'x'", False),
        ("s <> 'x'", True),
        ("s != 'str'", False),
        ("n BETWEEN 5 AND 6", True),
        ("n NOT BETWEEN 5 AND 6", False),
        ("n IN [4, 5]", True),
        ("n IN (4, 6)", False),
        ("n NOT IN [4, 6]", True),
        ("l[0] = 'e'", True),
        ("ss = <<'c', 'b', 'a'>>", True),
        ("m = {'sub': 'x'}", True),
        ("s < 5", False),
        ("5 <= n", True),
        ("n = 1 OR n = 2 OR s = 'str'", True),
        ("n = 5 AND (s = 'no' OR NOT s = 'no')", True),
    ],
)
def test_conditions(service: Service, condition: str, holds: bool) -> None:
    put(service, "hash", FUNCTIONS)
    assert len(items(service, f"SELECT pk FROM \"hash\" WHERE pk = 'i' AND {condition}")) == holds


@pytest.mark.parametrize(
    ("stored", "other", "permuted", "same"),
    [
        ({"SS": ["a", "b", "c"]}, {"SS": ["a", "b", "d"]}, {"SS": ["c", "a", "b"]}, True),
        ({"NS": ["1", "2"]}, {"NS": ["1", "3"]}, {"NS": ["2", "1"]}, True),
        ({"BS": ["AQI=", "AwQ="]}, {"BS": ["AQI=", "BQY="]}, {"BS": ["AwQ=", "AQI="]}, True),
        ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "a"}]}, {"L": [{"S": "b"}, {"S": "a"}]}, False),
        (
            {"M": {"x": {"N": "1"}, "y": {"N": "2"}}},
            {"M": {"x": {"N": "1"}}},
            {"M": {"y": {"N": "2"}, "x": {"N": "1.0"}}},
            True,
        ),
        ({"B": "AQID"}, {"B": "AQIE"}, {"B": "AQID"}, True),
        ({"NULL": True}, {"S": "not null"}, {"NULL": True}, True),
    ],
)
def test_comparison_by_value(service: Service, stored: Any, other: Any, permuted: Any, same: bool) -> None:
    put(service, "hash", {"pk": {"S": "v"}, "val": stored})

    def matches(operator: str, value: Any) -> bool:
        return bool(items(service, f"SELECT pk FROM \"hash\" WHERE pk = 'v' AND val {operator} ?", value))

    assert matches("=", stored)
    assert not matches("=", other)
    assert not matches("<>", stored)
    assert matches("<>", other)
    assert matches("=", permuted) is same


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
@pytest.mark.parametrize("kind", ["BOOL", "NULL", "L", "M", "SS", "NS", "BS"])
def test_types_without_order(service: Service, operator: str, kind: str) -> None:
    value: Any = {
        "BOOL": {"BOOL": True},
        "NULL": {"NULL": True},
        "L": {"L": [{"S": "a"}]},
        "M": {"M": {"a": {"S": "b"}}},
        "SS": {"SS": ["a"]},
        "NS": {"NS": ["1"]},
        "BS": {"BS": ["AQ=="]},
    }[kind]
    statement = f'SELECT pk FROM "never-created" WHERE pk = ? AND val {operator} ?'
    assert refuse(service, statement, {"S": "x"}, value) == (
        f"Incorrect operand type for operator or function; operator or function: {operator}, operand type: {kind}"
    )


def test_between_without_order(service: Service) -> None:
    statement = "SELECT pk FROM \"hash\" WHERE pk = 'a' AND val BETWEEN ? AND ?"
    assert refuse(service, statement, {"BOOL": True}, {"BOOL": False}) == (
        "Incorrect operand type for operator or function; operator or function: BETWEEN, operand type: BOOL"
    )


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (
            "attribute_exists('ss')",
            "Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "attribute_exists()",
            "Incorrect number of operands for operator or function; "
            "operator or function: attribute_exists, number of operands: 0",
        ),
        (
            "attribute_exists(ss, ns)",
            "Incorrect number of operands for operator or function; "
            "operator or function: attribute_exists, number of operands: 2",
        ),
        ("EXISTS(ss)", "Unrecognized function: exists at {EXISTS}"),
        ("set_add(ss, <<'x'>>) = ss", "Unrecognized function: set_add at {set_add}"),
    ],
)
def test_functions_refused(service: Service, condition: str, message: str) -> None:
    statement = f"SELECT * FROM \"hash\" WHERE pk = 'i' AND {condition}"
    for token in ("EXISTS", "set_add"):
        if token in statement:
            message = message.replace(f"{{{token}}}", at(statement, token))
    assert refuse(service, statement) == message


def test_attribute_exists_of_a_parameter(service: Service) -> None:
    assert refuse(service, "SELECT * FROM \"hash\" WHERE pk = 'i' AND attribute_exists(?)", {"S": "ss"}) == (
        "Operator or function requires a document path; operator or function: attribute_exists"
    )


@pytest.mark.parametrize("call", ["attribute_exists(ss)", "COUNT(*)"])
@pytest.mark.parametrize("name", ["hash", "never-created"])
def test_functions_are_not_selected(service: Service, call: str, name: str) -> None:
    statement = f'SELECT {call} FROM "{name}"'
    assert refuse(service, statement) == f"Unexpected path component at {at(statement, call.split('(')[0])}"


# FROM


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('"indexed"."gsi-all"."extra"', "A path may contain at most 2 components in the FROM clause"),
        ('"indexed".""', "Path component cannot be an empty string"),
        ('""', "Path component cannot be an empty string"),
        ('"indexed"."no-such-index"', "The table does not have the specified index"),
        ('"indexed"."indexed"', "The table does not have the specified index"),
    ],
)
def test_bad_sources(service: Service, source: str, message: str) -> None:
    assert refuse(service, f"SELECT * FROM {source} WHERE pk = 'p'") == message


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM \"never-created\" WHERE pk = 'x'",
        'SELECT * FROM "never-created"."index"',
        "FROM \"never-created\" WHERE pk = 'x' SET c = 1",
        "INSERT INTO \"never-created\" VALUE {'pk': 'x'}",
        "DELETE FROM \"never-created\" WHERE pk = 'x'",
    ],
)
def test_missing_table(service: Service, statement: str) -> None:
    refusal = refused(service, "ExecuteStatement", Statement=statement)
    assert (refusal.code, refusal.message) == ("ResourceNotFoundException", "Requested resource not found")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "INSERT INTO \"indexed\".\"gsi-all\" VALUE {'pk': 'w', 'sk': 'w'}",
            "FROM clause may only contain a single table name",
        ),
        (
            "INSERT INTO \"indexed\".\"no-such-index\" VALUE {'pk': 'w', 'sk': 'w'}",
            "FROM clause may only contain a single table name",
        ),
        (
            "UPDATE \"indexed\".\"gsi-all\" SET a = 'z' WHERE pk = 'p' AND sk = 's1'",
            "This operation is not supported on an index",
        ),
        (
            "DELETE FROM \"indexed\".\"gsi-all\" WHERE pk = 'p' AND sk = 's1'",
            "This operation is not supported on an index",
        ),
    ],
)
def test_writes_to_an_index(indexed: Service, statement: str, message: str) -> None:
    assert message in (refuse(indexed, statement) or "")


@pytest.mark.parametrize(
    ("statement", "parameters", "message"),
    [
        ('SELECT * FROM "many"."gsi" WHERE h1 = \'a\'', (), MULTI),
        ("SELECT id FROM \"many\".\"gsi\" WHERE h1 = 'a' AND h2 = 'x' ORDER BY r1 DESC", (), MULTI),
        ('SELECT * FROM "many"."gsi" WHERE', (), NWF + "Unexpected term"),
        ('SELECT * FROM "many"."gsi" WHERE h1 = 1e99999999999', (), NWF),
        ('SELECT * FROM "many"."gsi" WHERE h1 = ?', ({"N": "1e99999999999"},), f"{UNCONVERTIBLE}: 1e99999999999"),
        ('SELECT * FROM "many"."gsi" WHERE h1 = 5', (), MULTI),
        ('SELECT * FROM "many"."gsi" WHERE id = \'i1\'', (), MULTI),
        ('SELECT * FROM "many"."gsi"', (), MULTI),
        ('SELECT COUNT(*) FROM "many"."gsi"', (), MULTI),
    ],
)
def test_multi_attribute_index(service: Service, statement: str, parameters: Any, message: str) -> None:
    assert refuse(service, statement, *parameters) == message


def test_a_table_with_a_multi_attribute_index(service: Service) -> None:
    run(service, "INSERT INTO \"many\" VALUE {'id': 'n1', 'h1': 'a'}")
    run(service, "UPDATE \"many\" SET a = 1 WHERE id = 'n1'")
    assert items(service, "SELECT * FROM \"many\" WHERE id = 'n1'") == [
        {"id": {"S": "n1"}, "h1": {"S": "a"}, "a": {"N": "1"}}
    ]
    run(service, "DELETE FROM \"many\" WHERE id = 'zz'")
