"""Every rule of expressions that refuses: a request it refuses with its exact words, and a near one it lets pass."""

from __future__ import annotations

from typing import Any

import pytest

from reference.rules import ledger
from tests.unit.expression_requests import N1, N2, C, E, K, P, S, U, refusals, short

CASES: list[tuple[str, str, dict[str, Any], str, dict[str, Any]]] = [
    # rule, operation, refused request, words, accepted request
    (
        "expressions.names-without-expression", "PutItem", {"N": {"#a": "a"}},
        E + "ExpressionAttributeNames can only be specified when using expressions",
        {"C": "attribute_exists(#a)", "N": {"#a": "a"}},
    ),
    (
        "expressions.values-without-expression", "DeleteItem", {"V": {":v": S}},
        E + "ExpressionAttributeValues can only be specified when using expressions",
        {"C": "a = :v", "V": {":v": S}},
    ),
    (
        "expressions.values-without-expression", "Scan", {"V": {":v": S}},
        "ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null",
        {"F": "a = :v", "V": {":v": S}},
    ),
    (
        "expressions.values-without-expression", "Query", {"V": {":v": S}},
        "ExpressionAttributeValues can only be specified when using expressions: "
        "FilterExpression and KeyConditionExpression are null",
        {"K": "a = :v", "V": {":v": S}},
    ),
    (
        "expressions.names-empty", "DeleteItem", {"C": "attribute_exists(a)", "N": {}},
        E + "ExpressionAttributeNames must not be empty", {"C": "attribute_exists(a)"},
    ),
    (
        "expressions.values-empty", "DeleteItem", {"C": "attribute_exists(a)", "V": {}},
        E + "ExpressionAttributeValues must not be empty", {"C": "attribute_exists(a)"},
    ),
    (
        "expressions.names-key", "Scan", {"F": "attribute_exists(a)", "N": {"a": "a"}},
        'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"',
        {"F": "attribute_exists(#a)", "N": {"#a": "a"}},
    ),
    (
        "expressions.values-key", "Query", {"K": "a = :v", "V": {":v": S, "loc": S}},
        'ExpressionAttributeValues contains invalid key: Syntax error; key: "loc"',
        {"K": "a = :v", "V": {":v": S}},
    ),
    (
        "expressions.names-unused", "UpdateItem", {"U": "SET a = :v", "V": {":v": S}, "N": {"#unused": "x"}},
        E + "Value provided in ExpressionAttributeNames unused in expressions: keys: {#unused}",
        {"U": "SET #unused = :v", "V": {":v": S}, "N": {"#unused": "x"}},
    ),
    (
        "expressions.values-unused", "TransactWriteItems", {"C": "attribute_exists(a)", "V": {":v": S, ":u": S}},
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v, :u}",
        {"C": "a = :v OR a = :u", "V": {":v": S, ":u": S}},
    ),
    ("expressions.empty", "DeleteItem", {"C": ""}, C + "The expression can not be empty;", {"C": "a = b"}),
    (
        "expressions.size", "TransactWriteItems", {"C": "a = :v" + " AND a = :v" * 373, "V": {":v": S}},
        "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression size: 4109",
        {"C": "a = :v" + " " * 4090, "V": {":v": S}},
    ),
    (
        "expressions.size", "TransactWriteItems",
        {"U": "SET " + ", ".join(f"a{i} = :v" for i in range(500)), "V": {":v": S}},
        "Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;",
        {"U": "SET " + ", ".join(f"a{i} = :v" for i in range(300)), "V": {":v": S}},
    ),
    (
        "expressions.syntax", "UpdateItem", {"U": "INVALID SYNTAX"},
        U + 'Syntax error; token: "INVALID", near: "INVALID SYNTAX"', {"U": "SET a = b"},
    ),
    (
        "expressions.syntax", "UpdateItem", {"U": "SET a = (b.c).d + e"},
        U + 'Syntax error; token: ".", near: ").d"', {"U": "SET a = (b.c) + (e.d)", "C": "(b.c).d = (e)[0]"},
    ),
    (
        "expressions.syntax", "UpdateItem", {"U": "SET a = if_not_exists((b)[0], c)"},
        U + 'Syntax error; token: "[", near: ")[0"', {"U": "SET a = if_not_exists((b), (c))"},
    ),
    (
        "expressions.operators", "UpdateItem", {"C": "a<b" + " OR a<b" * 150},
        C + "The expression contains too many operators; operator count: 301",
        {"C": "a<b " + "or (a<b " * 149 + ")" * 149},
    ),
    (
        "expressions.redundant-parentheses", "PutItem", {"C": "((a = :v))", "V": {":v": S}},
        C + "The expression has redundant parentheses;",
        {"C": "((a = :v) AND b = :v)", "V": {":v": S}},
    ),
    (
        "expressions.unknown-function", "PutItem", {"C": "a < f(f(f(b)))"},
        C + "Invalid function name; function: f", {"C": "a < size(b)"},
    ),
    (
        "expressions.misused-function", "PutItem", {"C": "size(a)"},
        C + "The function is not allowed to be used this way in an expression; function: size",
        {"C": "size(a) = size(b)"},
    ),
    (
        "expressions.misused-function", "UpdateItem", {"U": "SET a = list_append(list_append(b, c), d)"},
        U + "The function is not allowed to be used this way in an expression; function: list_append",
        {"U": "SET a = list_append(if_not_exists(b, c), d)"},
    ),
    (
        "expressions.foreign-to-condition", "PutItem", {"C": "if_not_exists(a, b) = b"},
        C + "The function is not allowed in a condition expression; function: if_not_exists", {"C": "a = b"},
    ),
    (
        "expressions.foreign-to-update", "UpdateItem", {"U": "SET a = size(b)"},
        U + "The function is not allowed in an update expression; function: size", {"U": "SET a = b"},
    ),
    (
        "expressions.reserved-word", "GetItem", {"P": "a.b.abOrt"},
        P + "Attribute name is a reserved keyword; reserved keyword: abOrt", {"P": "a.b.aborted"},
    ),
    (
        "expressions.path-depth", "GetItem", {"P": "a" + ".b" * 32},
        P + "The document path has too many nesting levels; nesting levels: 33", {"P": "a" + ".b" * 31},
    ),
    (
        "expressions.list-index", "GetItem", {"P": "a[99999999999999]"},
        P + "List index is not within the allowable range; index: [99999999999999]", {"P": "a[2147483647]"},
    ),
    (
        "expressions.undefined-name", "GetItem", {"P": "#undef"},
        P + "An expression attribute name used in the document path is not defined; attribute name: #undef",
        {"P": "#undef", "N": {"#undef": "x"}},
    ),
    (
        "expressions.undefined-value", "UpdateItem", {"U": "SET a = :v"},
        U + "An expression attribute value used in expression is not defined; attribute value: :v",
        {"U": "SET a = :v", "V": {":v": S}},
    ),
    (
        "expressions.operand-count", "PutItem", {"C": "begins_with(a)"},
        C + "Incorrect number of operands for operator or function; operator or function: begins_with, "
        "number of operands: 1",
        {"C": "begins_with(a, b)"},
    ),
    (
        "expressions.in-options", "Scan", {"F": f"a IN ({', '.join(['b'] * 101)})"},
        "Invalid FilterExpression: The IN operator is provided with too many operands; number of operands: 101",
        {"F": f"a IN ({', '.join(['b'] * 99)})"},
    ),
    (
        "expressions.operand-type", "Query", {"K": "pk = :p AND begins_with(sk, :n)", "V": {":p": S, ":n": N1}},
        K + "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        {"K": "pk = :p AND begins_with(sk, :p)", "V": {":p": S}},
    ),
    (
        "expressions.type-operand", "Scan", {"F": "attribute_type(a, b)"},
        "Invalid FilterExpression: Incorrect operand type for operator or function; operator or function: "
        "attribute_type, operand type: {B,L,HD,S,N,FS,BOOL,INTSET,NULL,FLOAT,DECIMAL,DICT,SS,NS,DECIMALSET,DOUBLESET,M,"
        "BS,INT,HDS,DOUBLE}",
        {"F": "attribute_type(a, :t)", "V": {":t": {"S": "N"}}},
    ),
    (
        "expressions.action-operand", "UpdateItem", {"U": "ADD a :v", "V": {":v": S}},
        U + "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, "
        "typeSet: ALLOWED_FOR_ADD_OPERAND",
        {"U": "ADD a :v", "V": {":v": N1}},
    ),
    (
        "expressions.path-required", "PutItem", {"C": "attribute_exists(:v)", "V": {":v": S}},
        C + "Operator or function requires a document path; operator or function: attribute_exists",
        {"C": "attribute_exists(a.b[0])"},
    ),
    (
        "expressions.distinct-operands", "PutItem", {"C": "contains(data1, data1)"},
        C + "The first operand must be distinct from the remaining operands for this operator or function; "
        "operator: contains, first operand: [data1]",
        {"C": "contains(data1, data2)"},
    ),
    (
        "expressions.type-name", "PutItem", {"C": "attribute_type(a, :t)", "V": {":t": {"S": "DOG"}}},
        C + "Invalid attribute type name found; type: DOG, valid types: {S,SS,N,NS,B,BS,BOOL,NULL,L,M}",
        {"C": "attribute_type(a, :t)", "V": {":t": {"S": "NULL"}}},
    ),
    (
        "expressions.between-types", "PutItem", {"C": "a BETWEEN :x AND :y", "V": {":x": N1, ":y": S}},
        C + "The BETWEEN operator requires same data type for lower and upper bounds; "
        "lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:a}",
        {"C": "a BETWEEN :x AND b", "V": {":x": N1}},
    ),
    (
        "expressions.between-order", "PutItem", {"C": "a BETWEEN :x AND :y", "V": {":x": N2, ":y": N1}},
        C + "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
        "lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}",
        {"C": "a BETWEEN :x AND :y", "V": {":x": N1, ":y": N1}},
    ),
    (
        "expressions.section-twice", "UpdateItem", {"U": "SET a = b REMOVE c SET d = e"},
        U + 'The "SET" section can only be used once in an update expression;', {"U": "SET a = b, d = e REMOVE c"},
    ),
    (
        "expressions.path-overlap", "GetItem", {"P": "a, a.b"},
        P + "Two document paths overlap with each other; must remove or rewrite one of these paths; "
        "path one: [a], path two: [a, b]",
        {"P": "a.a, a.b"},
    ),
    (
        "expressions.path-conflict", "UpdateItem", {"U": "SET a.b = x, a[1] = y"},
        U + "Two document paths conflict with each other; must remove or rewrite one of these paths; "
        "path one: [a, b], path two: [a, [1]]",
        {"U": "SET a.b = x, a.c[1] = y"},
    ),
    (
        "expressions.key-condition-operator", "Query", {"K": "a = :v OR b = :v", "V": {":v": S}},
        K + "Invalid operator used in KeyConditionExpression: OR", {"K": "a = :v AND b = :v", "V": {":v": S}},
    ),
    (
        "expressions.key-condition-operand-order", "Query", {"K": "a = :v AND begins_with(:v, b)", "V": {":v": S}},
        K + "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute "
        "as its first operand",
        {"K": "a = :v AND begins_with(b, :v)", "V": {":v": S}},
    ),
    (
        "expressions.key-condition-many-names", "Query", {"K": "a = b"},
        K + "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
        {"K": ":v = b", "V": {":v": S}},
    ),
    (
        "expressions.key-condition-no-name", "Query", {"K": ":v = :w", "V": {":v": S, ":w": S}},
        K + "Invalid condition in KeyConditionExpression: No key attribute specified",
        {"K": "v = :v", "V": {":v": S}},
    ),
    (
        "expressions.key-condition-nested-path", "Query", {"K": "a.b = :v", "V": {":v": S}},
        K + "KeyConditionExpressions cannot have conditions on nested attributes",
        {"K": "#ab = :v", "V": {":v": S}, "N": {"#ab": "a.b"}},
    ),
    (
        "expressions.key-condition-nested-operation", "Query", {"K": "size(a) = :v", "V": {":v": N1}},
        K + "KeyConditionExpressions cannot contain nested operations", {"K": "a = :v", "V": {":v": N1}},
    ),
    (
        "expressions.key-condition-repeated", "Query",
        {"K": "pk = :p AND sk > :a AND sk < :b", "V": {":p": S, ":a": N1, ":b": N2}},
        K + "KeyConditionExpressions must only contain one condition per key",
        {"K": "pk = :p AND sk BETWEEN :a AND :b", "V": {":p": S, ":a": N1, ":b": N2}},
    ),
    (
        "legacy.mixed-parameters", "DeleteItem", {"Expected": {}, "C": "attribute_exists(a)"},
        E + "Can not use both expression and non-expression parameters in the same request: "
        "Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
        {"Expected": {}},
    ),
]  # fmt: skip


def deep(wraps: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "leaf"}
    for _ in range(wraps):
        value = {"M": {"n": value}}
    return value


def prepared(request: dict[str, Any]) -> dict[str, Any]:
    """The request with its ``:deep`` value built: the number in its place is how often it is wrapped."""
    request = short(request)
    values = request.get("ExpressionAttributeValues") or {}
    if isinstance(values.get(":deep"), str):
        request["ExpressionAttributeValues"] = {":deep": deep(int(values[":deep"]))}
    return request


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_a_rule_refuses_with_its_words(case: tuple[str, str, dict[str, Any], str, dict[str, Any]]) -> None:
    rule, operation, refused, words, accepted = case
    assert refusals(operation, **prepared(refused))[0] == (rule, words)
    assert refusals(operation, **prepared(accepted)) == []


ELSEWHERE = {
    "expressions.placeholder-length", "expressions.names-value",  # test_expressions_request
    "expressions.names-value-empty",
    "expressions.key-condition-count", "expressions.key-condition-missing",  # test_expressions_key_condition
    "expressions.key-condition-hash-operator", "expressions.key-condition-hash-equality",
    "expressions.key-condition-range-equality", "expressions.key-condition-type", "expressions.filter-on-key",
    "expressions.invalid-path", "expressions.missing-attribute", "expressions.stored-type",  # test_expressions_update
    "expressions.fallback-type",
}  # fmt: skip


def test_every_rule_that_refuses_has_a_case() -> None:
    named = {case[0] for case in CASES} | ELSEWHERE
    rules = {name for name, rule in ledger().items() if name.startswith("expressions.") and rule.error}
    assert rules == {name for name in named if name.startswith("expressions.")}


@pytest.mark.parametrize(
    ("kind", "text", "token", "near"),
    [
        ("U", "SET _123 = :v", "_", "SET _123"),
        ("U", "!!!", "!", "!!"),
        ("C", "attribute_not_exists(", "<EOF>", "("),
        ("C", "a = = b", "=", "= = b"),
        ("C", "(" * 4096, "<EOF>", "("),
        ("C", ":v", "<EOF>", ":v"),
        ("C", "a", "<EOF>", "a"),
        ("C", "a AND b = c", "AND", "a AND b"),
        ("C", "a IN ()", ")", "()"),
        ("C", "a + b = c", "+", "a + b"),
        ("C", "a = b c", "c", "b c"),
        ("C", "NOT a", "<EOF>", "a"),
        ("C", "a BETWEEN b OR c", "OR", "b OR c"),
        ("C", "a != b", "!", "a !="),
        ("U", "SET a = b + c + d", "+", "c + d"),
        ("U", "SET a = if_not_exists(b, c + d)", "+", "c + d"),
        ("U", "SET a[:x] = b", ":x", "[:x]"),
        ("U", "SET a[#x] = b", "#x", "[#x]"),
        ("U", "SET :a = :b", ":a", "SET :a ="),
        ("U", "SET a = _f(b)", "_", "= _f"),
        ("U", "SET # = :v", "#", "SET # ="),
        ("U", "SET hi-there = :v", "-", "hi-there"),
        ("U", "SET a = b,", "<EOF>", ","),
        ("U", "ADD a b", "b", "a b"),
        ("U", "REMOVE set", "set", "REMOVE set"),
        ("U", "SET a = b REMOVE", "<EOF>", "REMOVE"),
    ],
)
def test_syntax_errors_name_the_first_token_that_does_not_fit(kind: str, text: str, token: str, near: str) -> None:
    name = {"U": "Update", "C": "Condition"}[kind]
    words = f'{E}Invalid {name}Expression: Syntax error; token: "{token}", near: "{near}"'
    request = {"U": {"U": text}, "C": {"C": text}}[kind]
    assert refusals("UpdateItem", **short(request)) == [("expressions.syntax", words)]
