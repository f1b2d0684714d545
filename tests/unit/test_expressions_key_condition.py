"""Key conditions against a key: what they ask for and how they are refused."""

from __future__ import annotations

from typing import Any

import pytest

from reference.expressions import legacy
from reference.expressions.against_schema import filter_on_key, nested_in_key, update_of_key
from reference.expressions.key_condition import KeyCondition, analyse
from reference.expressions.request import read
from reference.rules import every, surface

PK, SK_N, SK_S = ("pk", "S"), ("sk", "N"), ("sk", "S")
IPV = "One or more parameter values were invalid: "
TYPE = IPV + "Condition parameter type does not match schema type"
A, ONE, FIVE = {"S": "a"}, {"N": "1"}, {"N": "5"}

Keys = list[tuple[str, str]]


def asked(text: str, hashes: Keys, ranges: Keys, **values: Any) -> tuple[list[str | None], KeyCondition | None]:
    """What is wrong with a KeyConditionExpression against that key, and what it asks for."""
    request = {
        "KeyConditionExpression": text,
        "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()},
    }
    found, expressions = every(read("Query", request, ("KeyCondition",), "current"))
    assert not found
    assert expressions is not None
    assert expressions.key_condition is not None
    faults, condition = every(analyse(expressions.key_condition, hashes, ranges))
    return [v.message(surface("Query")) for v in faults], condition


def test_what_is_asked_for() -> None:
    assert asked("pk = :a", [PK], [SK_N], a=A) == ([], KeyCondition((A,)))
    assert asked("pk = :a AND sk = :n", [PK], [SK_N], a=A, n=ONE) == ([], KeyCondition((A,), (ONE,)))
    assert asked("(sk = :n) AND (:a = pk)", [PK], [SK_N], a=A, n=ONE) == ([], KeyCondition((A,), (ONE,)))
    for text, operator in (
        ("sk < :n", "<"),
        ("sk <= :n", "<="),
        ("sk > :n", ">"),
        ("sk >= :n", ">="),
        (":n < sk", ">"),
        (":n <= sk", ">="),
        (":n > sk", "<"),
        (":n >= sk", "<="),
    ):
        assert asked(f"pk = :a AND {text}", [PK], [SK_N], a=A, n=ONE) == ([], KeyCondition((A,), (), operator, (ONE,)))
    between = KeyCondition((A,), (), "BETWEEN", (ONE, FIVE))
    assert asked("sk bEtWeEn :x aNd :y AnD pk = :a", [PK], [SK_N], a=A, x=ONE, y=FIVE) == ([], between)
    starts = KeyCondition((A,), (), "begins_with", (A,))
    assert asked("pk = :a AND begins_with(sk, :a)", [PK], [SK_S], a=A) == ([], starts)


@pytest.mark.parametrize(
    ("text", "ranges", "words"),
    [
        ("sk = :s", [SK_S], "Query condition missed key schema element: pk"),
        ("attr1 = :s", [SK_S], "Query condition missed key schema element: pk"),
        ("pk = :s AND attr1 < :n", [SK_S], "Query condition missed key schema element: sk"),
        ("pk < :s", [SK_S], "Query key condition not supported"),
        ("begins_with(pk, :s)", [SK_S], "Query key condition not supported"),
        (
            "pk = :s AND sk > :n AND extra = :n",
            [SK_N],
            "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
        ),
        (
            "pk = :s AND sk = :n",
            [],
            "The number of query conditions (2) exceeds the number of key attributes defined in the schema (1)",
        ),
        ("pk = :n", [SK_S], TYPE),
        ("pk = :s AND sk = :n", [SK_S], TYPE),
        ("pk = :s AND sk = :b", [SK_N], TYPE),
        ("pk = :s AND begins_with(sk, :s)", [SK_N], TYPE),
        ("pk = :s AND sk BETWEEN :s AND :t", [SK_N], TYPE),
        (
            "pk = :empty",
            [SK_S],
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            "empty string value. Key: pk",
        ),
        (
            "pk = :s AND sk > :empty",
            [SK_S],
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            "empty string value. Key: sk",
        ),
    ],
)
def test_refusals_against_the_schema(text: str, ranges: Keys, words: str) -> None:
    known = {"s": A, "t": {"S": "b"}, "n": ONE, "b": {"BOOL": True}, "empty": {"S": ""}}
    used = {name: value for name, value in known.items() if f":{name}" in text.replace(":empty", "") + " "}
    if ":empty" in text:
        used["empty"] = known["empty"]
    found, condition = asked(text, [PK], ranges, **used)
    assert found == [words]
    assert condition is None


def test_clauses_are_checked_from_left_to_right() -> None:
    operand = "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"
    undefined = "An expression attribute value used in expression is not defined; attribute value: :missing"
    for text, first in (
        ("pk = :missing AND begins_with(sk, :n)", undefined),
        ("begins_with(sk, :n) AND pk = :missing", operand),
        ("pk = :p AND begins_with(sk, :n) AND sk = :missing", operand),
        ("pk = :p AND begins_with(sk, :n) AND sk > :p", operand),
    ):
        values = {":n": ONE} | ({":p": A} if ":p" in text else {})
        request = {"KeyConditionExpression": text, "ExpressionAttributeValues": values}
        found, _ = every(read("Query", request, ("KeyCondition",), "current"))
        assert found[0].message(surface("Query")) == f"Invalid KeyConditionExpression: {first}"


@pytest.mark.parametrize(
    ("text", "operator", "sort"),
    [
        ("begins_with(sk, :v)", "begins_with", "BOOL"),
        ("sk < :v", "<", "BOOL"),
        (":v >= sk", ">=", "BOOL"),
        ("sk BETWEEN :v AND :w", "BETWEEN", "BOOL"),
    ],
)
def test_operands_no_key_could_have(text: str, operator: str, sort: str) -> None:
    values = {":p": A, ":v": {"BOOL": False}} | ({":w": {"BOOL": True}} if ":w" in text else {})
    request = {"KeyConditionExpression": f"pk = :p AND {text}", "ExpressionAttributeValues": values}
    found, _ = every(read("Query", request, ("KeyCondition",), "current"))
    assert found[0].message(surface("Query")) == (
        "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
        f"operator or function: {operator}, operand type: {sort}"
    )


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("pk = :p OR sk = :p", "OR"),
        ("NOT pk = :p", "NOT"),
        ("pk IN (:p)", "IN"),
        ("pk <> :p", "<>"),
        ("pk = :p AND attribute_exists(sk)", "attribute_exists"),
        ("pk = :p AND contains(sk, :p)", "contains"),
    ],
)
def test_operators_no_key_condition_may_use(text: str, operator: str) -> None:
    request = {"KeyConditionExpression": text, "ExpressionAttributeValues": {":p": A}}
    found, _ = every(read("Query", request, ("KeyCondition",), "current"))
    assert [v.message(surface("Query")) for v in found] == [
        f"Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: {operator}"
    ]


MANY: Keys = [("a", "S"), ("b", "S"), ("c", "S"), ("d", "S")]


def test_several_sort_keys() -> None:
    h, v, w = {"S": "o1"}, {"S": "T"}, {"S": "U"}
    assert asked("h = :h", [("h", "S")], MANY, h=h) == ([], KeyCondition((h,)))
    found = asked("b = :v AND h = :h AND a = :v", [("h", "S")], MANY, h=h, v=v)
    assert found == ([], KeyCondition((h,), (v, v)))
    text = "h = :h AND a = :v AND b = :v AND c = :v AND d BETWEEN :v AND :w"
    assert asked(text, [("h", "S")], MANY, h=h, v=v, w=w) == ([], KeyCondition((h,), (v, v, v), "BETWEEN", (v, w)))
    for text, skipped, last in (
        ("h = :h AND a = :v AND c = :v", "b", "c"),
        ("h = :h AND a = :v AND b > :v AND c = :v", "b", "c"),
        ("h = :h AND b = :v", "a", "b"),
    ):
        words = (
            f"RANGE key attributes {skipped} must have equality conditions specified in the query because "
            f"a condition is present on key attribute {last}"
        )
        assert asked(text, [("h", "S")], MANY, h=h, v=v) == ([words], None)


def test_several_partition_keys() -> None:
    hashes: Keys = [("h1", "S"), ("h2", "N")]
    assert asked("h2 = :n AND h1 = :a", hashes, [SK_S], n=ONE, a=A) == ([], KeyCondition((A, ONE)))
    words = "HASH key attributes h2 must have equality conditions specified in the query"
    assert asked("h1 = :a", hashes, [SK_S], a=A) == ([words], None)
    assert asked("h1 = :a AND h2 > :n", hashes, [SK_S], a=A, n=ONE) == ([words], None)
    assert asked("h1 = :a AND sk = :a", hashes, [SK_S], a=A) == ([words], None)


def legacy_asked(conditions: dict[str, Any], ranges: Keys) -> list[str | None]:
    found, clauses = every(legacy.key_conditions({"KeyConditions": conditions}, "current"))
    if clauses is None:
        return [v.message(surface("Query")) for v in found]
    faults, _ = every(analyse(clauses, [PK], ranges))
    return [v.message(surface("Query")) for v in faults]


def eq(value: dict[str, Any], operator: str = "EQ") -> dict[str, Any]:
    return {"AttributeValueList": [value], "ComparisonOperator": operator}


def test_key_conditions() -> None:
    assert legacy_asked({"pk": eq(A)}, [SK_N]) == []
    for operator in ("EQ", "LE", "LT", "GE", "GT"):
        assert legacy_asked({"pk": eq(A), "sk": eq(ONE, operator)}, [SK_N]) == []
    assert legacy_asked({"pk": eq(A), "sk": eq(A, "BEGINS_WITH")}, [SK_S]) == []
    for operator in ("LE", "LT", "GE", "GT", "BEGINS_WITH"):
        assert legacy_asked({"pk": eq(A, operator)}, [SK_N]) == ["Query key condition not supported"]
    for operator in ("IN", "NE", "CONTAINS", "NOT_CONTAINS"):
        words = ["Attempted conditional constraint is not an indexable operation"]
        assert legacy_asked({"pk": eq(A), "sk": eq(ONE, operator)}, [SK_N]) == words
    assert legacy_asked({"sk": eq(ONE)}, [SK_N]) == ["Query condition missed key schema element: pk"]
    assert legacy_asked({"pk": eq(A), "a": eq(ONE)}, [SK_N]) == ["Query condition missed key schema element: sk"]
    assert legacy_asked({"pk": eq(ONE)}, [SK_N]) == [TYPE]
    assert legacy_asked({"pk": eq(ONE, "LT")}, [SK_N]) == [TYPE, "Query key condition not supported"]
    three = {"pk": eq(A), "sk": eq(ONE), "a": eq(A)}
    assert legacy_asked(three, [SK_N]) == ["Conditions can be of length 1 or 2 only"]
    assert legacy_asked({}, [SK_N]) == ["Conditions can be of length 1 or 2 only"]
    assert legacy_asked({"pk": {"ComparisonOperator": "EQ", "AttributeValueList": []}}, [SK_N]) == [
        IPV + "Invalid number of argument(s) for the EQ ComparisonOperator"
    ]
    assert legacy_asked({"pk": eq(A), "sk": eq(ONE, "BEGINS_WITH")}, [SK_N]) == [
        IPV + "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type"
    ]


def test_a_query_states_a_key_condition() -> None:
    words = "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
    for request in ({}, {"QueryFilter": {"a": eq(A)}}):
        found, _ = every(legacy.key_condition_given(request))
        assert [v.message(surface("Query")) for v in found] == [words]
    for request in ({"KeyConditionExpression": ""}, {"KeyConditions": {}}, {"KeyConditions": {"pk": eq(A)}}):
        assert every(legacy.key_condition_given(request)) == ([], None)


def trees(operation: str, kinds: tuple[Any, ...], **request: Any) -> Any:
    found, expressions = every(read(operation, request, kinds, "current"))
    assert not found
    return expressions


def test_a_querys_filter_leaves_the_key_alone() -> None:
    for text in ("x = sk", "x = y AND NOT attribute_exists(sk)", "size(sk) = x"):
        tree = trees("Query", ("Filter",), FilterExpression=text).filter
        found, _ = every(filter_on_key(tree, ("pk", "sk")))
        assert [v.message(surface("Query")) for v in found] == [
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"
        ]
        assert every(filter_on_key(tree, ("pk",))) == ([], None)
    tree, _ = every(legacy.filters({"QueryFilter": {"c": eq(A)}}, "QueryFilter", "current"))[1], None
    assert tree is not None
    found, _ = every(filter_on_key(tree, ("c",), legacy=True))
    assert [v.message(surface("Query")) for v in found] == [
        "QueryFilter can only contain non-primary key attributes: Primary key attribute: c"
    ]
    assert every(filter_on_key(tree, ("pk",), legacy=True)) == ([], None)


def test_paths_do_not_go_into_keys() -> None:
    scalars = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
    projection = trees("GetItem", ("Projection",), ProjectionExpression="x, pk.a, ik[0]").projection
    found, _ = every(nested_in_key(projection, ("pk",), ("ik",)))
    assert [v.message(surface("GetItem")) for v in found] == [scalars + "Key: pk", scalars + "IndexKey: ik"]
    assert every(nested_in_key(projection, ("x",), ())) == ([], None)
    update = trees("UpdateItem", ("Update",), UpdateExpression="SET a = pk.x").update
    found, _ = every(nested_in_key(update, ("pk",)))
    assert [v.message(surface("UpdateItem")) for v in found] == [scalars + "Key: pk"]


def test_updates_leave_the_key_alone() -> None:
    for text in ("SET sk = a", "REMOVE sk", "SET sk.x = a"):
        update = trees("UpdateItem", ("Update",), UpdateExpression=text).update
        found, _ = every(update_of_key(update, ("pk", "sk")))
        assert [v.message(surface("UpdateItem")) for v in found] == [
            IPV + "Cannot update attribute sk. This attribute is part of the key"
        ]
    update = trees("UpdateItem", ("Update",), UpdateExpression="SET a = sk").update
    assert every(update_of_key(update, ("pk", "sk"))) == ([], None)
