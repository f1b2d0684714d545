"""What PartiQL's grammar refuses and how it reads literals and parameters, against AWS's own answers."""

from __future__ import annotations

import pytest

from reference.service import Service
from tests.unit.partiql_bench import (
    NEST,
    NWF,
    OVERFLOW,
    UNCONVERTIBLE,
    UNDERFLOW,
    deep,
    fresh,
    items,
    put,
    refuse,
    run,
)


@pytest.fixture
def service() -> Service:
    return fresh()


# Grammar


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ('SELECT * FROM "number" WHERE pk = 1 foo', "Unexpected token after expression"),
        ('SELECT * FROM "number" WHERE pk = 1 e5', "Unexpected token after expression"),
        ("INSERT INTO \"number\" VALUE {'pk': 970001} foo", "Unexpected token after expression"),
        ('UPDATE "number" SET a = 9 WHERE pk = 970002 foo', "Unexpected token after expression"),
        ('DELETE FROM "number" WHERE pk = 970003 foo', "Unexpected token after expression"),
        ('SELECT * FROM "number" WHERE pk = 1)', "Unexpected token after expression"),
        ('DELETE FROM "number" WHERE pk = 970004 ORDER BY pk', "Unexpected token after expression"),
        ('SELECT * FROM "number" ORDER BY pk WHERE pk = 1', "Unexpected token after expression"),
        ("INSERT INTO \"hash\" t VALUE {'pk': 'x'}", "Unexpected token after expression"),
        ("FROM \"hash\" SET c = 1 WHERE pk = 'm'", "Unexpected token after expression"),
        ("FROM \"hash\" SET c = 1 WHERE pk = 'm' SET d = 2", "Unexpected token after expression"),
        ('SELECT * FROM "number" WHERE pk = 1e2147483648', ""),
        ('SELECT * FROM "number" WHERE pk = 1e99999999999', ""),
        ('SELECT * FROM "number" WHERE pk = 1.5e-2147483647', ""),
        ('SELECT * FROM "number" WHERE pk = 1 # note', ""),
        ('SELECT * FROM "number" WHERE pk = 1 /* note', ""),
        ('SELECT * FROM "number', ""),
        ('SELECT * FROM "hash" WHERE pk = \'x', ""),
        ('SELECT * FROM "hash" WHERE', "Unexpected term"),
        ('SELECT * FROM "hash" WHERE;', "Unexpected term"),
        ('SELECT * FROM "hash" WHERE   ', "Unexpected term"),
        ('SELECT pk FROM "hash" WHERE', "Unexpected term"),
        ('UPDATE "hash" SET a = 1 WHERE', "Unexpected term"),
        ('DELETE FROM "hash" WHERE', "Unexpected term"),
        ('SELECT * FROM "hash" WHERE NOT', "Unexpected term"),
        ('SELECT * FROM "hash" WHERE (', "Unexpected term"),
        ('SELECT * FROM "never-created" WHERE', "Unexpected term"),
        ("SELECT * FROM", "Unexpected term"),
        ("SELECT * FROM \"hash\" WHERE pk = 'p1' AND", "Missing right-hand side expression of infix operator"),
        ("SELECT * FROM \"hash\" WHERE pk = 'p1' OR", "Missing right-hand side expression of infix operator"),
        ('SELECT * FROM "hash" WHERE ORDER BY pk', "Unexpected keyword"),
        ("SELECT * FROM \"hash\" WHERE pk = 'a' AND x IS FOO", "Expected type name"),
        ('SELECT * FROM "hash" WHERE IS NULL', "Unexpected operator"),
        ('SELECT * FROM "hash" WHERE pk = LIKE', "Unexpected operator"),
        ("DELETE FROM", "Expected identifier for simple path"),
        ("DELETE FROM   ", "Expected identifier for simple path"),
        ("DELETE FROM;", "Expected identifier for simple path"),
        ("DELETE FROM WHERE pk = 'a'", "Expected identifier for simple path"),
        ('SELECT * FROM "hash" WHERE attribute_exists(m.inner)', "Invalid path dot component"),
        ("UPDATE \"hash\" SET m.inner = set_add(m.inner, <<'y'>>) WHERE pk = 'a'", "Invalid path dot component"),
        ("SLECT * FROM \"hash\" WHERE pk = 'a'", "Expected data manipulation"),
        ('SELECT * FROM (SELECT * FROM "hash"', "Expected RIGHT_PAREN"),
    ],
)
def test_not_well_formed(service: Service, statement: str, detail: str) -> None:
    assert refuse(service, statement) == NWF + detail


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM \"hash\" t WHERE pk = 'x'",
        "SELECT * FROM \"hash\" AS t WHERE pk = 'x'",
        "UPDATE \"hash\" t SET a = 3 WHERE pk = 'x'",
        "DELETE FROM \"hash\" t WHERE pk = 'x'",
        "SELECT pk AS p FROM \"hash\" WHERE pk = 'x'",
    ],
)
def test_aliases(service: Service, statement: str) -> None:
    assert refuse(service, statement) == "Aliasing is not supported"


@pytest.mark.parametrize("kind", ["INT4", "INT8", "DOUBLE PRECISION", "CHARACTER VARYING"])
def test_a_bare_expression_is_no_statement(service: Service, kind: str) -> None:
    assert refuse(service, f"x IS {kind}") == "Unsupported operation: IsType"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ('SELECT * FROM "number" WHERE pk = 1e126', f"{OVERFLOW} under root"),
        ('SELECT * FROM "number" WHERE pk = 1e-131', f"{UNDERFLOW} under root"),
        (
            'SELECT * FROM "number" WHERE pk = 123456789012345678901234567890123456789',
            "Attempting to store more than 38 significant digits in a Number under root",
        ),
        ("INSERT INTO \"number\" VALUE {'pk': 1e126}", f"{OVERFLOW} under root"),
        ('UPDATE "number" SET a = 1e-131 WHERE pk = 970005', f"{UNDERFLOW} under root"),
        ("INSERT INTO \"number\" VALUE {'pk': 970006, 'm': {'x': 1e126}}", f"{OVERFLOW} under root.x"),
        ("INSERT INTO \"number\" VALUE {'pk': 970007, 'l': [1, 1e126]}", f"{OVERFLOW} under root[1]"),
    ],
)
def test_number_literals_out_of_range(service: Service, statement: str, message: str) -> None:
    assert refuse(service, statement) == message


@pytest.mark.parametrize("literal", ["7.31e6", "7.31E6", "7.31e+6", "731e4", "73100000e-1"])
def test_number_literals(service: Service, literal: str) -> None:
    run(service, f"INSERT INTO \"number\" VALUE {{'pk': {literal}}}")
    assert items(service, "SELECT * FROM number WHERE pk = 7310000") == [{"pk": {"N": "7310000"}}]


@pytest.mark.parametrize(("literal", "stored"), [(".73e1", "7.3"), ("-.73e1", "-7.3"), ("- 5", "-5"), ("+5", "5")])
def test_number_literals_with_signs(service: Service, literal: str, stored: str) -> None:
    run(service, f"INSERT INTO \"number\" VALUE {{'pk': {literal}}}")
    assert items(service, f'SELECT * FROM "number" WHERE pk = {literal}') == [{"pk": {"N": stored}}]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM \"hash\" WHERE pk = 'a' -- a note",
        "SELECT * FROM \"hash\" -- a note\nWHERE pk = 'a'",
        "-- a note\nSELECT * FROM \"hash\" WHERE pk = 'a'",
        "SELECT * FROM \"hash\" /* a * note **/ WHERE pk = 'a'",
        "select * from \"hash\" where pk = 'a';",
        "SELECT * FROM hash WHERE \"pk\" = 'a'",
    ],
)
def test_comments_case_and_semicolon(service: Service, statement: str) -> None:
    put(service, "hash", {"pk": {"S": "a"}})
    put(service, "hash", {"pk": {"S": "b"}})
    assert items(service, statement) == [{"pk": {"S": "a"}}]


def test_quotes_in_strings(service: Service) -> None:
    run(service, "INSERT INTO \"hash\" VALUE {'pk': 'it''s'}")
    assert items(service, "SELECT * FROM \"hash\" WHERE pk = 'it''s'") == [{"pk": {"S": "it's"}}]


# Parameters

POSITIONS = [
    "SELECT * FROM \"composite\" WHERE pk = 'a' AND n = ?",
    "INSERT INTO \"composite\" VALUE {'pk': 'i', 'sk': 's', 'n': ?}",
    "UPDATE \"composite\" SET n = ? WHERE pk = 'a' AND sk = 's'",
    'SELECT * FROM "composite" WHERE pk = ?',
]


@pytest.mark.parametrize("statement", POSITIONS)
@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("1e99999999999", f"{UNCONVERTIBLE}: 1e99999999999"),
        ("-1e99999999999", f"{UNCONVERTIBLE}: -1e99999999999"),
        ("1e-99999999999", f"{UNCONVERTIBLE}: 1e-99999999999"),
        ("1e2147483648", f"{UNCONVERTIBLE}: 1e2147483648"),
        ("1e-2147483648", f"{UNCONVERTIBLE}: 1e-2147483648"),
        ("1e2147483647", UNDERFLOW),
        ("", UNCONVERTIBLE),
    ],
)
def test_number_parameters(service: Service, statement: str, number: str, message: str) -> None:
    assert refuse(service, statement, {"N": number}) == message


@pytest.mark.parametrize("wraps", [40, 100])
def test_the_first_bad_parameter_is_told(service: Service, wraps: int) -> None:
    pair = "SELECT * FROM \"composite\" WHERE pk = 'a' AND x = ? AND y = ?"
    single = "SELECT * FROM \"composite\" WHERE pk = 'a' AND x = ?"
    bad = {"N": "abc"}
    assert refuse(service, pair, deep(wraps), bad) == NEST
    assert refuse(service, pair, bad, deep(wraps)) == f"{UNCONVERTIBLE}: abc"
    assert refuse(service, single, {"M": {"d": deep(wraps), "bad": bad}}) == NEST
    assert refuse(service, single, {"M": {"bad": bad, "d": deep(wraps)}}) == f"{UNCONVERTIBLE}: abc"
    assert refuse(service, single, deep(wraps, bad)) == NEST
    assert refuse(service, pair, deep(wraps), {"N": "1e126"}) == NEST


def test_parameter_count(service: Service) -> None:
    statement = 'SELECT * FROM "hash" WHERE pk = ?'
    expected = "Number of parameters in request and statement don't match."
    assert refuse(service, statement) == expected
    assert refuse(service, statement, {"S": "a"}, {"S": "b"}) == expected
    assert items(service, statement, {"S": "a"}) == []
