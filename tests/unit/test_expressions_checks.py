"""Static checks of expressions: what is lawful, which check comes first, and that hostile texts are answered."""

from __future__ import annotations

from typing import Any

import pytest

from reference.expressions.request import read
from reference.rules import every, surface
from tests.unit.expression_requests import BOOL, N1, C, L, P, S, U, refusals, short


@pytest.mark.parametrize("text", ["a,", ",a", "a,,b", "a b", "a.", "a[", "a[x]", "a[1", "(a)", ":a", "a[-1]", " "])
def test_projections_that_are_no_list_of_paths(text: str) -> None:
    assert [rule for rule, _ in refusals("GetItem", ProjectionExpression=text)] == ["expressions.syntax"]


@pytest.mark.parametrize(
    "text",
    [
        "(a = :v)",
        "(a) = (:v)",
        "NOT NOT NOT NOT a = :v",
        "nOt a = :v aNd b bEtWeEn :v anD :v oR c In (:v,a)",
        "(a).b[0] = :v",
        "size(a)=:v",
        "attribute_exists (a) OR a = :v",
        "a\t=\r\n :v",
        "#n.#n[3].c = :v",
        "(a < b OR b < a) AND (b < :v AND (a < b OR b < c))",
        "(NOT (a = :v))",
        "size((a)) = :v",
        "a IN ((:v), b)",
        "contains(a, size(:v))",
    ],
)
def test_conditions_that_are_fine(text: str) -> None:
    names = {"ExpressionAttributeNames": {"#n": "and"}} if "#" in text else {}
    values = {"ExpressionAttributeValues": {":v": S}}
    assert refusals("PutItem", ConditionExpression=text, **names, **values) == []


@pytest.mark.parametrize(
    "text",
    [
        "SET a = :v",
        "  set   a=:v  ",
        "sEt A123_ = :v remove b aDd c :n deLETE d :s",
        "SET a = (b + :n)",
        "SET a = (b) - (:n)",
        "SET a = if_not_exists(b, :n) + if_not_exists(c, :n)",
        "SET a = if_not_exists(b, if_not_exists(c, :v))",
        "SET #n.#n[3] = #n",
        "SET a = a",
        "SET a = a + a",
    ],
)
def test_updates_that_are_fine(text: str) -> None:
    every_value = {":v": S, ":n": N1, ":s": {"SS": ["x"]}}
    values = {k: v for k, v in every_value.items() if k in text}
    request: dict[str, Any] = (
        {"U": text} | ({"V": values} if values else {}) | ({"N": {"#n": "set"}} if "#" in text else {})
    )
    assert refusals("UpdateItem", **short(request)) == []


@pytest.mark.parametrize(
    ("condition", "first"),
    [
        # redundant parentheses, unknown function, misused function, reserved word, then condition by condition
        ("((f(a) = status)) AND size(b)", "redundant-parentheses"),
        ("f(a) = status AND size(b)", "unknown-function"),
        ("status = b AND size(b)", "misused-function"),
        ("a = :undefined AND status = b", "reserved-word"),
        ("size(a, a) = b AND a = :undefined", "operand-count"),
        ("a = :undefined AND size(a, a) = b", "undefined-value"),
        ("a = #undefined AND a = :undefined", "undefined-name"),
        ("contains(a, a) AND begins_with(a, :n)", "distinct-operands"),
        ("begins_with(a, :n) AND contains(a, a)", "operand-type"),
        ("attribute_type(a, a)", "distinct-operands"),
        ("if_not_exists(a, a) = :n", "foreign-to-condition"),
        ("attribute_exists(a) < :n", "misused-function"),
        ("size(size(a)) = :n", "operand-type"),
        ("size(:n) = b", "operand-type"),
        ("attribute_type(a, b)", "type-operand"),
    ],
)
def test_the_order_of_the_checks_of_a_condition(condition: str, first: str) -> None:
    values = {"ExpressionAttributeValues": {":n": N1}} if ":n" in condition else {}
    assert refusals("PutItem", ConditionExpression=condition, **values)[0][0] == f"expressions.{first}"


@pytest.mark.parametrize(
    ("update", "first"),
    [
        ("SET status = f(:v) SET a = b", "reserved-word"),
        ("SET a = f(:v) SET b = c", "unknown-function"),
        ("SET a = :v SET #x = c", "section-twice"),
        ("SET a = :v, b = #x", "undefined-name"),
        ("SET a = :v, a = b", "undefined-value"),
        ("SET a = c, a = b, d.e = c, d[1] = c ADD x :s", "path-overlap"),
        ("SET d.e = c, d[1] = c ADD x :s", "path-conflict"),
        ("SET a = list_append(b) ADD x :s", "action-operand"),
        ("SET a = list_append(b), c = list_append(list_append(d, e), e)", "operand-count"),
        ("SET a = list_append(list_append(d, e), e)", "misused-function"),
        ("SET a = size(b) SET a = :v", "foreign-to-update"),
        ("SET status = size(b)", "reserved-word"),
        ("SET a = if_not_exists(size(b), :v)", "foreign-to-update"),
        ("SET a = if_not_exists(if_not_exists(b, c), d)", "path-required"),
        ("SET a = if_not_exists(:v, d)", "undefined-value"),
        ("SET a = :s + b", "operand-type"),
        ("SET a = list_append(b, :s)", "operand-type"),
        ("SET a = LIST_APPEND(b, :s)", "unknown-function"),
    ],
)
def test_the_order_of_the_checks_of_an_update(update: str, first: str) -> None:
    values = {"ExpressionAttributeValues": {":s": S}} if ":s" in update else {}
    assert refusals("UpdateItem", UpdateExpression=update, **values)[0][0] == f"expressions.{first}"


@pytest.mark.parametrize("sort", ["S", "B", "NULL", "BOOL", "L", "M", "N"])
def test_add_and_delete_name_the_types_in_full(sort: str) -> None:
    value = {"S": S, "B": {"B": "AA=="}, "NULL": {"NULL": True}, "BOOL": BOOL, "L": L, "M": {"M": {}}, "N": N1}[sort]
    name = {"S": "STRING", "B": "BINARY", "NULL": "NULL", "BOOL": "BOOL", "L": "LIST", "M": "MAP", "N": "NUMBER"}
    for action in ("ADD", "DELETE"):
        words = (
            f"{U}Incorrect operand type for operator or function; operator: {action}, operand type: {name[sort]}, "
            "typeSet: ALLOWED_FOR_ADD_OPERAND"
        )
        found = refusals("UpdateItem", UpdateExpression=f"{action} a :v", ExpressionAttributeValues={":v": value})
        assert found == ([] if (action, sort) == ("ADD", "N") else [("expressions.action-operand", words)])


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">="])
@pytest.mark.parametrize("value", [BOOL, {"NULL": True}, L, {"M": {}}, {"SS": ["a"]}])
def test_order_needs_values_that_have_one(operator: str, value: dict[str, Any]) -> None:
    ((sort, _),) = value.items()
    words = (
        "Invalid FilterExpression: Incorrect operand type for operator or function; "
        f"operator or function: {operator}, operand type: {sort}"
    )
    for text in (f"a {operator} :v", f":v {operator} a"):
        found = refusals("Scan", FilterExpression=text, ExpressionAttributeValues={":v": value})
        assert found == [("expressions.operand-type", words)]
    for text in ("a = :v", ":v <> a", "a IN (:v)", "contains(a, :v)"):
        assert refusals("Scan", FilterExpression=text, ExpressionAttributeValues={":v": value}) == []


@pytest.mark.parametrize(
    ("text", "operator", "path"),
    [
        ("a = a", "=", "[a]"),
        ("a.b[1] < a.b[1]", "<", "[a, b, [1]]"),
        ("#x = a", "=", "[a]"),
        ("a BETWEEN b AND a", "BETWEEN", "[a]"),
        ("a IN (b, c, a)", "IN", "[a]"),
        ("begins_with(a, a)", "begins_with", "[a]"),
    ],
)
def test_a_path_is_not_compared_with_itself(text: str, operator: str, path: str) -> None:
    names = {"ExpressionAttributeNames": {"#x": "a"}} if "#" in text else {}
    words = (
        f"{C}The first operand must be distinct from the remaining operands for this operator or function; "
        f"operator: {operator}, first operand: {path}"
    )
    assert refusals("PutItem", ConditionExpression=text, **names) == [("expressions.distinct-operands", words)]
    assert refusals("PutItem", ConditionExpression="a = b AND b = a") == []


@pytest.mark.parametrize("one", ["a", "a.b", "a.b.c", "a[1]", "a[1][1]"])
@pytest.mark.parametrize("two", ["a", "a.b", "a.b.c", "a[1]", "a[1][1]"])
def test_overlap_and_conflict_of_any_two_paths(one: str, two: str) -> None:
    steps = [path.replace("[", ".").replace("]", "").split(".") for path in (one, two)]
    shared = min(map(len, steps))
    rule = "overlap" if steps[0][:shared] == steps[1][:shared] else "conflict"
    rules = [name for name, _ in refusals("GetItem", ProjectionExpression=f"{one}, {two}")]
    assert rules == [f"expressions.path-{rule}"]
    rules = [name for name, _ in refusals("UpdateItem", UpdateExpression=f"SET {one} = x REMOVE {two}")]
    assert rules == [f"expressions.path-{rule}"]


def test_the_first_pair_that_overlaps_is_named() -> None:
    words = P + "Two document paths overlap with each other; must remove or rewrite one of these paths; "
    for text, pair in (
        ("b, a.c, a, a.b", "path one: [a, c], path two: [a]"),
        ("a.b, a.c, b, a.c.d, a", "path one: [a, c], path two: [a, c, d]"),
        ("#x.y, a", "path one: [a, y], path two: [a]"),
    ):
        names = {"ExpressionAttributeNames": {"#x": "a"}} if "#" in text else {}
        assert refusals("GetItem", ProjectionExpression=text, **names)[0][1] == words + pair
    assert refusals("GetItem", ProjectionExpression="#x, a", ExpressionAttributeNames={"#x": "a.b"}) == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("(" * 2046 + "a<b" + ")" * 2046, "redundant-parentheses"),
        ("not " * 1000 + "a<b", "operators"),
        ("a<b " + "or (a<b " * 454 + ")" * 454, "operators"),
        ("a < " + "f(" * 1355 + "b" + ")" * 1355, "unknown-function"),
        ("a < " + "size(" * 680 + "b" + ")" * 680, "operand-type"),
        ("a < " + "attribute_exists(" * 200 + "b" + ")" * 200, "misused-function"),
        ("(not " * 300 + "a" + ")" * 300, "syntax"),
        ("a" + ".a" * 2000 + " = b", "path-depth"),
        ("a[" + "9" * 4000 + "] = b", "list-index"),
        ("(" * 200_004, "size"),
    ],
)
def test_hostile_nesting_is_answered(text: str, rule: str) -> None:
    assert refusals("PutItem", ConditionExpression=text)[0][0] == f"expressions.{rule}"


def test_deep_but_lawful_nesting_is_accepted() -> None:
    assert refusals("PutItem", ConditionExpression="(not " * 299 + "a = b" + ")" * 299) == []
    nested = "if_not_exists(a," * 240 + "b" + ")" * 240
    assert refusals("UpdateItem", UpdateExpression=f"SET a = {nested}") == []
    deepest = "if_not_exists(a," * 241 + "b" + ")" * 241
    assert refusals("UpdateItem", UpdateExpression=f"SET a = {deepest}")[0][0] == "expressions.size"


def test_the_older_front_end_words() -> None:
    speak = surface("PutItem", "older")
    found, _ = every(read("PutItem", {"ExpressionAttributeValues": {":v": S}}, ("Condition",), "older"))
    assert [v.message(speak) for v in found] == [
        "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"
    ]
    found, _ = every(read("UpdateItem", {"ExpressionAttributeValues": {":v": S}}, ("Update", "Condition"), "older"))
    assert [v.message(speak) for v in found] == [
        "ExpressionAttributeValues can only be specified when using expressions: "
        "UpdateExpression and ConditionExpression are null"
    ]
    found, _ = every(read("PutItem", {"ConditionExpression": ""}, ("Condition",), "older"))
    assert [v.message(speak) for v in found] == ["Invalid ConditionExpression: The expression can not be empty;"]
