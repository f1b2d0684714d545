"""INSERT, UPDATE and DELETE, set functions and RETURNING, against AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.service import Service
from tests.unit.partiql_bench import (
    INVALID,
    KEYS,
    at,
    fresh,
    get,
    items,
    put,
    refuse,
    refused,
    run,
)


@pytest.fixture
def service() -> Service:
    return fresh()


# Writes


def test_insert(service: Service) -> None:
    assert run(service, "INSERT INTO \"hash\" VALUE {'pk': 'a', 'x': [1, {'y': NULL}], 's': <<2, 1>>}") == {"Items": []}
    assert get(service, "a") == {
        "pk": {"S": "a"},
        "x": {"L": [{"N": "1"}, {"M": {"y": {"NULL": True}}}]},
        "s": {"NS": ["1", "2"]},
    }
    refusal = refused(service, "ExecuteStatement", Statement="INSERT INTO \"hash\" VALUE {'pk': 'a'}")
    assert refusal.code == "DuplicateItemException"
    assert refusal.message == "Duplicate primary key exists in table"


def test_insert_with_parameters(service: Service) -> None:
    run(service, "INSERT INTO \"hash\" VALUE {'pk': ?, 'data': ?}", {"S": "a"}, {"B": "AQ=="})
    assert get(service, "a") == {"pk": {"S": "a"}, "data": {"B": "AQ=="}}


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("{'x': 1}", INVALID + "Missing the key pk in the item"),
        ("{'pk': 1}", INVALID + "Type mismatch for key pk expected: S actual: N"),
        (
            "{'pk': ''}",
            "One or more parameter values are not valid. "
            "The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
        ),
        ("{'pk': 'a', 's': <<>>}", "Empty bags are not supported"),
        ("{'pk': 'a', 's': <<'x', 'x'>>}", INVALID + "Input collection [x, x] contains duplicates."),
    ],
)
def test_insert_refused(service: Service, item: str, message: str) -> None:
    assert refuse(service, f'INSERT INTO "hash" VALUE {item}') == message


def test_insert_of_a_function(service: Service) -> None:
    statement = "INSERT INTO \"hash\" VALUE {'pk': 'i', 'ss': set_add(<<'a'>>, <<'b'>>)}"
    assert refuse(service, statement) == f"Unsupported data type: set_add under key root at {at(statement, 'set_add')}"


def test_item_size(service: Service) -> None:
    room = 409_600 - len("pk") - len("a") - len("b")
    insert = "INSERT INTO \"hash\" VALUE {'pk': 'a', 'b': ?}"
    assert refuse(service, insert, {"S": "x" * (room + 1)}) == "Item size has exceeded the maximum allowed size"
    run(service, insert, {"S": "x" * room})
    update = "UPDATE \"hash\" SET b = ? WHERE pk = 'a'"
    run(service, update, {"S": "y" * room})
    assert refuse(service, update, {"S": "y" * (room + 1)}) == (
        "Item size to update has exceeded the maximum allowed size"
    )


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("SET c = 1", {"a": {"N": "1"}, "b": {"S": "bee"}, "c": {"N": "1"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}),
        ("REMOVE b", {"a": {"N": "1"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}),
        ("SET c = a REMOVE a", {"b": {"S": "bee"}, "c": {"N": "1"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}),
        ("SET a = a + 1, b = 'x'", {"a": {"N": "2"}, "b": {"S": "x"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}),
        ("SET a = a - 3", {"a": {"N": "-2"}, "b": {"S": "bee"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}),
        ("SET l[5] = 3", {"a": {"N": "1"}, "b": {"S": "bee"}, "l": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]}}),
        ("REMOVE l[0]", {"a": {"N": "1"}, "b": {"S": "bee"}, "l": {"L": [{"N": "2"}]}}),
        (
            "SET l = list_append(l, [3])",
            {"a": {"N": "1"}, "b": {"S": "bee"}, "l": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]}},
        ),
    ],
)
@pytest.mark.parametrize("form", ["UPDATE \"hash\" {} WHERE pk = 'u'", "FROM \"hash\" WHERE pk = 'u' {}"])
def test_updates(service: Service, form: str, change: str, found: Any) -> None:
    old = {"pk": {"S": "u"}, "a": {"N": "1"}, "b": {"S": "bee"}, "l": {"L": [{"N": "1"}, {"N": "2"}]}}
    put(service, "hash", old)
    assert run(service, form.format(change)) == {"Items": []}
    assert get(service, "u") == {"pk": {"S": "u"}, **found}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE \"hash\" SET c = 1 WHERE pk = 'absent'",
        "UPDATE \"hash\" SET c = 1 WHERE pk = 'absent' AND attribute_not_exists(pk)",
        "FROM \"hash\" WHERE pk = 'absent' SET c = 1",
        "UPDATE \"hash\" SET ss = set_add(ss, <<'x'>>) WHERE pk = 'absent'",
        "UPDATE \"hash\" SET c = 1 WHERE pk = 'u' AND a = 2",
        "FROM \"hash\" WHERE pk = 'u' AND a = 2 SET c = 5",
        "DELETE FROM \"hash\" WHERE pk = 'u' AND attribute_exists(nope)",
    ],
)
def test_conditions_of_writes(service: Service, statement: str) -> None:
    put(service, "hash", {"pk": {"S": "u"}, "a": {"N": "1"}})
    refusal = refused(service, "ExecuteStatement", Statement=statement)
    assert refusal.code == "ConditionalCheckFailedException"
    assert refusal.message == "The conditional request failed"
    shown = refused(service, "ExecuteStatement", Statement=statement, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    stored = {"pk": {"S": "u"}, "a": {"N": "1"}}
    assert shown.fields == ({} if "absent" in statement else {"Item": stored})


def test_deletes(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "d"}, "a": {"N": "1"}})
    assert run(service, "DELETE FROM \"hash\" WHERE pk = 'd' AND attribute_not_exists(nope)") == {"Items": []}
    assert get(service, "d") is None
    assert run(service, "DELETE FROM \"hash\" WHERE pk = 'd' AND a = 1") == {"Items": []}


@pytest.mark.parametrize(
    "statement",
    [
        'FROM "hash" SET c = 1',
        'FROM "hash" REMOVE a',
        'FROM "hash" WHERE a = 1 SET c = 1',
        'UPDATE "hash" SET c = 1',
        "UPDATE \"hash\" SET c = 1 WHERE pk = 'a' OR pk = 'b'",
        "UPDATE \"hash\" SET c = 1 WHERE pk > 'a'",
        'DELETE FROM "hash"',
        "DELETE FROM \"composite\" WHERE pk = 'a'",
    ],
)
def test_writes_name_one_item(service: Service, statement: str) -> None:
    assert refuse(service, statement) == KEYS


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE \"hash\" SET pk = 'b' WHERE pk = 'a'",
            INVALID + "Cannot update attribute pk. This attribute is part of the key",
        ),
        ('UPDATE "hash" SET a = 1 WHERE pk = 5', "The provided key element does not match the schema"),
        (
            "UPDATE \"hash\" SET a.b = 1 WHERE pk = 'a'",
            "The document path provided in the update expression is invalid for update",
        ),
        (
            "UPDATE \"hash\" SET a = b WHERE pk = 'a'",
            "The provided expression refers to an attribute that does not exist in the item",
        ),
    ],
)
def test_updates_refused(service: Service, statement: str, message: str) -> None:
    put(service, "hash", {"pk": {"S": "a"}})
    assert refuse(service, statement) == message


# Set functions

SETS = {
    "pk": {"S": "s"},
    "ss": {"SS": ["a", "b", "c"]},
    "ns": {"NS": ["1", "2", "3"]},
    "bs": {"BS": ["AQ==", "Ag=="]},
    "s": {"S": "str"},
}


@pytest.mark.parametrize(
    ("change", "name", "found"),
    [
        ("ss = set_add(ss, <<'0', 'z'>>)", "ss", {"SS": ["0", "a", "b", "c", "z"]}),
        ("ns = set_add(ns, <<4, 1>>)", "ns", {"NS": ["1", "2", "3", "4"]}),
        ("ss = set_add(ss, <<'a'>>)", "ss", {"SS": ["a", "b", "c"]}),
        ("nss = set_add(nss, <<'x'>>)", "nss", {"SS": ["x"]}),
        ("ss = SET_ADD(ss, <<'x'>>)", "ss", {"SS": ["a", "b", "c", "x"]}),
        ("ss = set_delete(ss, <<'a'>>)", "ss", {"SS": ["b", "c"]}),
        ("ns = set_delete(ns, <<2>>)", "ns", {"NS": ["1", "3"]}),
        ("ss = set_delete(ss, <<'a', 'b', 'c'>>)", "ss", None),
        ("ss = set_delete(ss, <<'zz'>>)", "ss", {"SS": ["a", "b", "c"]}),
        ("nss = set_delete(nss, <<'a'>>)", "nss", None),
    ],
)
def test_set_functions(service: Service, change: str, name: str, found: Any) -> None:
    put(service, "hash", SETS)
    run(service, f"UPDATE \"hash\" SET {change} WHERE pk = 's'")
    assert get(service, "s").get(name) == found


def test_set_functions_with_parameters_and_twice(service: Service) -> None:
    put(service, "hash", SETS)
    run(service, "UPDATE \"hash\" SET bs = set_add(bs, ?) WHERE pk = 's'", {"BS": ["AQ==", "Aw=="]})
    assert get(service, "s")["bs"] == {"BS": ["AQ==", "Ag==", "Aw=="]}
    run(service, "UPDATE \"hash\" SET ss = set_add(ss, <<'x'>>) SET ns = set_add(ns, <<9>>) WHERE pk = 's'")
    assert get(service, "s")["ns"] == {"NS": ["1", "2", "3", "9"]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("t = set_add(ss, <<'x'>>)", "The first argument to SET_ADD must equal the assignment value at {call}"),
        ("ss = set_add(<<'a'>>, <<'b'>>)", "The first argument to SET_ADD must equal the assignment value at {call}"),
        ("ss = set_add(ss, 'x')", "The second argument to SET_ADD must be a value with type SET at {first}"),
        ("ss = set_add(ss, ['x'])", "The second argument to SET_ADD must be a value with type SET at {first}"),
        ("ss = set_add(ss)", "SET_ADD must have exactly two arguments at {call}"),
        ("ss = set_add(ss, <<'x'>>, <<'y'>>)", "SET_ADD must have exactly two arguments at {call}"),
        ("ss = set_add(ss, <<1>>)", "An operand in the update expression has an incorrect data type"),
        ("s = set_add(s, <<'x'>>)", "An operand in the update expression has an incorrect data type"),
        ("ss = set_add(ss, <<'x', 'x'>>)", INVALID + "Input collection [x, x] contains duplicates."),
        ("ss = set_add(ss, <<>>)", "Empty bags are not supported"),
        ("t = set_delete(ss, <<'a'>>)", "The first argument to SET_DELETE must equal the assignment value at {call}"),
        ("ss = set_delete(ss, 'a')", "The second argument to SET_DELETE must be a value with type SET at {first}"),
        ("ss = set_delete(ss, <<1>>)", "An operand in the update expression has an incorrect data type"),
    ],
)
def test_set_functions_refused(service: Service, change: str, message: str) -> None:
    put(service, "hash", SETS)
    statement = f"UPDATE \"hash\" SET {change} WHERE pk = 's'"
    call = "set_delete" if "set_delete" in change else "set_add"
    after = statement.index(f"{call}(") + len(call)
    places = {"call": at(statement, call), "first": at(statement, "ss", after) if "ss" in statement[after:] else ""}
    assert refuse(service, statement) == message.format(**places)


# RETURNING


@pytest.mark.parametrize(
    ("clause", "found"),
    [
        ("ALL NEW", [{"pk": {"S": "r"}, "a": {"N": "2"}, "b": {"S": "x"}}]),
        ("ALL OLD", [{"pk": {"S": "r"}, "a": {"N": "1"}, "b": {"S": "x"}}]),
        ("MODIFIED NEW", [{"a": {"N": "2"}}]),
        ("MODIFIED OLD", [{"a": {"N": "1"}}]),
    ],
)
def test_update_returning(service: Service, clause: str, found: Any) -> None:
    put(service, "hash", {"pk": {"S": "r"}, "a": {"N": "1"}, "b": {"S": "x"}})
    assert items(service, f"UPDATE \"hash\" SET a = 2 WHERE pk = 'r' RETURNING {clause} *") == found


def test_returning_nothing(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "r"}, "a": {"N": "1"}})
    assert items(service, "UPDATE \"hash\" REMOVE a WHERE pk = 'r' RETURNING MODIFIED NEW *") == []
    assert items(service, "DELETE FROM \"hash\" WHERE pk = 'none' RETURNING ALL OLD *") == []
    assert items(service, "DELETE FROM \"hash\" WHERE pk = 'r' RETURNING ALL OLD *") == [{"pk": {"S": "r"}}]


def test_list_elements_are_returned_without_gaps(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "r"}, "l": {"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}]}})
    assert items(service, "UPDATE \"hash\" SET l[2] = 'c' SET l[0] = 'a' WHERE pk = 'r' RETURNING MODIFIED NEW *") == [
        {"l": {"L": [{"S": "a"}, {"S": "c"}]}}
    ]


@pytest.mark.parametrize("clause", ["MODIFIED OLD", "ALL NEW", "MODIFIED NEW"])
def test_delete_returning(service: Service, clause: str) -> None:
    assert refuse(service, f"DELETE FROM \"hash\" WHERE pk = 'x' RETURNING {clause} *") == (
        f"Invalid returning clause: RETURNING {clause} *. Only RETURNING ALL OLD * is allowed in DELETE statements."
    )


def test_capacity_of_a_write(service: Service) -> None:
    put(service, "hash", {"pk": {"S": "a"}, "x": {"S": "x" * 2000}})
    body = run(service, "UPDATE \"hash\" SET x = 1 WHERE pk = 'a'", ReturnConsumedCapacity="INDEXES")
    assert body == {
        "Items": [],
        "ConsumedCapacity": {"TableName": "hash", "CapacityUnits": 2.0, "Table": {"CapacityUnits": 2.0}},
    }
