"""The rarer corners of PartiQL: type tests, lists of options, and refusals whose words nobody has recorded."""

from __future__ import annotations

from typing import Any

import pytest

from reference.api import Call, Refusal
from reference.service import Service
from tests.unit.partiql_bench import fresh, items, put

ITEM = {
    "pk": {"S": "i"},
    "s": {"S": "text"},
    "n": {"N": "5"},
    "flag": {"BOOL": True},
    "nul": {"NULL": True},
    "l": {"L": [{"S": "e"}, {"N": "2"}]},
    "m": {"M": {"a b": {"S": "x"}}},
    "ns": {"NS": ["1", "2"]},
}


@pytest.fixture
def service() -> Service:
    made = fresh()
    put(made, "hash", ITEM)
    return made


def rules(service: Service, statement: str, *parameters: Any) -> tuple[str, ...]:
    """The rules that refuse a statement; nothing when it runs."""
    body: dict[str, Any] = {"Statement": statement}
    if parameters:
        body["Parameters"] = list(parameters)
    reply = service.execute(Call("ExecuteStatement", body))
    if not isinstance(reply, Refusal):
        return ()
    assert reply.code == "ValidationException"
    return reply.rules


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("nope IS MISSING", True),
        ("s IS MISSING", False),
        ("nul IS NULL", True),
        ("s IS NULL", False),
        ("nope IS NULL", False),
        ("s IS NOT MISSING", True),
        ("nope IS NOT MISSING", False),
        ("s IN ['other', 'text']", True),
        ("s IN ['other']", False),
        ("s IN (n, s)", True),
        ("n BETWEEN 4 AND 6", True),
        ("l[0] = 'e'", True),
        ("m['a b'] = 'x'", True),
        ("true = attribute_exists(s)", True),
        ("attribute_exists(s) <> true", False),
        ("size(s) = 4", True),
        ("attribute_type(l, 'L')", True),
        ("begins_with(s, 'te')", True),
        ("contains(ns, 2)", True),
        ("'text' = s", True),
        ("NOT (s = 'text' AND n = 5)", False),
    ],
)
def test_conditions(service: Service, condition: str, holds: bool) -> None:
    found = items(service, f"SELECT pk FROM \"hash\" WHERE pk = 'i' AND {condition}")
    assert found == ([{"pk": {"S": "i"}}] if holds else [])


def test_in_takes_a_list_as_its_parameter(service: Service) -> None:
    options = {"L": [{"S": "other"}, {"S": "text"}]}
    assert len(items(service, "SELECT pk FROM \"hash\" WHERE pk = 'i' AND s IN ?", options)) == 1
    assert rules(service, "SELECT pk FROM \"hash\" WHERE pk = 'i' AND s IN ?", {"S": "text"}) == (
        "partiql.unsupported-operation",
    )


@pytest.mark.parametrize(
    ("condition", "rule"),
    [
        ("s LIKE 'te%'", "partiql.unsupported-operation"),
        ("s", "partiql.unsupported-operation"),
        ("s IN n", "partiql.unsupported-operation"),
        ("s + 1 = 2", "partiql.unsupported-operation"),
        ("'x' IS MISSING", "partiql.unsupported-operation"),
        ("s = contains(s, 't')", "partiql.unsupported-operation"),
        ("size(s) ", "partiql.unsupported-operation"),
        ("NOT 'x'", "partiql.unsupported-operation"),
        ("unheard(s)", "partiql.unknown-function"),
        ("begins_with(s)", "partiql.operand-count"),
        ("size(s, n) = 4", "partiql.operand-count"),
        ("attribute_exists('s')", "partiql.path-required"),
        ("begins_with(s, 1)", "partiql.operand-type"),
        ("attribute_type(s, 1)", "partiql.operand-type"),
        ("attribute_type(s, n)", "partiql.operand-type"),
        ("attribute_type(s, 'STRING')", "partiql.type-name"),
        ("n < true", "partiql.operand-type"),
        ("n BETWEEN [] AND 2", "partiql.operand-type"),
        ("l[1.5] = 1", "partiql.path-step"),
        ("l[-1] = 1", "partiql.path-step"),
    ],
)
def test_conditions_that_cannot_be_run(service: Service, condition: str, rule: str) -> None:
    assert rules(service, f"SELECT pk FROM \"hash\" WHERE pk = 'i' AND {condition}") == (rule,)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("SET x = unheard(s)", "partiql.unknown-function"),
        ("SET x = list_append(l)", "partiql.operand-count"),
        ("SET x = list_append('a', l)", "partiql.operand-type"),
        ("SET x = if_not_exists('s', 1)", "partiql.path-required"),
        ("SET x = s * 2", "partiql.unsupported-operation"),
        ("SET x = n + 'a'", "partiql.operand-type"),
        ("SET ns = set_add(ns)", "partiql.set-arguments"),
        ("SET ns = set_add(other, <<1>>)", "partiql.set-first-argument"),
        ("SET ns = set_add(ns, 1)", "partiql.set-second-argument"),
        ("SET ns = set_add(ns, s)", "partiql.set-second-argument"),
        ("SET x = 1 SET x = 2", "partiql.path-overlap"),
    ],
)
def test_changes_that_cannot_be_made(service: Service, change: str, rule: str) -> None:
    assert rules(service, f"UPDATE \"hash\" {change} WHERE pk = 'i'") == (rule,)


@pytest.mark.parametrize(
    ("change", "attribute", "value"),
    [
        ("SET n = n - 1", "n", {"N": "4"}),
        ("SET n = n + if_not_exists(nope, 2)", "n", {"N": "7"}),
        ("SET l = list_append(l, [1])", "l", {"L": [{"S": "e"}, {"N": "2"}, {"N": "1"}]}),
        ("SET ns = set_add(ns, <<3>>)", "ns", {"NS": ["1", "2", "3"]}),
        ("SET ns = set_delete(ns, <<1>>)", "ns", {"NS": ["2"]}),
        ("SET s = m['a b']", "s", {"S": "x"}),
        ("REMOVE l[0]", "l", {"L": [{"N": "2"}]}),
    ],
)
def test_changes(service: Service, change: str, attribute: str, value: Any) -> None:
    assert items(service, f"UPDATE \"hash\" {change} WHERE pk = 'i' RETURNING ALL NEW *")[0][attribute] == value


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM \"hash\" WHERE pk = 'i' AND n BETWEEN 1",
        "SELECT * FROM \"hash\" WHERE pk = 'i' AND n BETWEEN 1 AND",
        "SELECT * FROM \"hash\" WHERE pk = 'i' AND n IS",
        "SELECT max(*) FROM \"hash\" WHERE pk = 'i'",
        "INSERT INTO \"hash\" VALUE {'pk' 'x'}",
        "INSERT INTO \"hash\" VALUE {'pk': 'x'",
        'INSERT INTO "hash"',
        "UPDATE \"hash\" WHERE pk = 'i'",
        'UPDATE "hash" SET x 1',
        "UPDATE \"hash\" SET x = 1 WHERE pk = 'i' RETURNING",
        "UPDATE \"hash\" SET x = 1 WHERE pk = 'i' RETURNING ALL",
        "DELETE \"hash\" WHERE pk = 'i'",
        'SELECT FROM "hash"',
        "SELECT l[ FROM \"hash\" WHERE pk = 'i'",
    ],
)
def test_statements_that_are_not_well_formed(service: Service, statement: str) -> None:
    assert rules(service, statement)[0] in ("partiql.syntax", "partiql.syntax-detail")
