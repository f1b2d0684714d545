"""Whatever a statement says: it is answered, it reads back as printed, and SELECT finds what Query and Scan find."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.api import Call, Refusal, Success
from reference.partiql.lexer import KEYWORDS, Token, tokenise
from reference.partiql.parser import parse
from reference.partiql.tree import (
    Access,
    Constant,
    Expression,
    Function,
    IsType,
    Name,
    Number,
    Operation,
    Parameter,
    Select,
    Sequence,
    Struct,
    Text,
    Unary,
)
from reference.service import Service

LOOP = settings(max_examples=100, deadline=None, derandomize=True)

PIECES = [
    "SELECT", "*", "FROM", '"t"', "WHERE", "pk", "=", "'a'", "AND", "OR", "NOT", "(", ")", "[", "]", "<<", ">>", "{",
    "}", ",", ":", ";", "?", "1", "-1", "1e400", ".5", "INSERT INTO", "VALUE", "UPDATE", "SET", "REMOVE", "DELETE",
    "RETURNING ALL OLD *", "ORDER BY", "DESC", "BETWEEN", "IN", "IS", "MISSING", "NULL", "TRUE", "size", "EXISTS", ".",
    "m", "set_add", "attribute_exists", "--", "/*", "*/", "'", '"', "LIMIT", "AS", "x", "sk",
]  # fmt: skip
soup = st.lists(st.sampled_from(PIECES), max_size=24).map(" ".join) | st.text(max_size=40)


@LOOP
@given(soup)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    parsed = parse(text)
    assert (parsed.tree is None) == (parsed.fault is not None)


@LOOP
@given(soup, st.lists(st.sampled_from([{"S": "a"}, {"N": "x"}, {"L": []}, {}]), max_size=2), st.text(max_size=8))
def test_any_statement_is_answered(text: str, parameters: list[Any], token: str) -> None:
    service = fresh()
    one = {"Statement": text, "Parameters": parameters}
    for call in (
        Call("ExecuteStatement", {**one, "NextToken": token, "Limit": 1}),
        Call("BatchExecuteStatement", {"Statements": [one, one]}),
        Call("ExecuteTransaction", {"TransactStatements": [one, one], "ClientRequestToken": token}),
    ):
        before = rows(service)
        outcomes = service.outcomes(call)
        assert rows(service) == before
        reply = service.fork().execute(call)
        if isinstance(reply, Refusal):
            assert reply.rules[0] == outcomes.violations[0].rule.name
        else:
            assert not outcomes.violations


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM t WHERE " + "(" * 4000,
        "SELECT * FROM t WHERE " + "(" * 3000 + "a = 1" + ")" * 3000,
        "SELECT * FROM t WHERE " + "NOT " * 2000 + "a = 1",
        "SELECT * FROM t WHERE a = " + "[" * 3000 + "]" * 3000,
        "SELECT * FROM t WHERE a = " + "{'a':" * 1500 + "1" + "}" * 1500,
        "SELECT * FROM t WHERE " + "f(" * 3000 + ")" * 3000,
        "SELECT * FROM t WHERE " + "a = 1 OR (b = 2 AND (" * 300 + "c = 3" + "))" * 300,
        "SELECT * FROM t WHERE " + " AND ".join(["a = 1"] * 1000),
        "SELECT * FROM t WHERE " + " AND ".join(["(a = 1 OR b = 2)"] * 300),
        "SELECT * FROM t WHERE a = " + "-" * 4000 + "1",
        "SELECT " + "a" + ".a" * 4000 + " FROM t",
        "SELECT a" + "[0]" * 2500 + " FROM t",
        "UPDATE t SET a = " + "1 + " * 2000 + "1 WHERE pk = 'a'",
        "FROM " * 1600,
        "/*" * 4000,
        "'" * 8001,
    ],
)
def test_hostile_statements_are_answered(statement: str) -> None:
    service = fresh()
    for name in ("t", "tab"):
        service.outcomes(Call("ExecuteStatement", {"Statement": statement.replace(" t ", f" {name} ")}))


# Printing


def printed(node: Expression) -> str:
    """A tree as text that parses back to it; operators in parentheses."""
    if isinstance(node, Name):
        return '"' + node.name.replace('"', '""') + '"'
    if isinstance(node, Text):
        return "'" + node.value.replace("'", "''") + "'"
    if isinstance(node, Number):
        return node.text
    if isinstance(node, Constant):
        return node.word.upper()
    if isinstance(node, Parameter):
        return "?"
    if isinstance(node, Sequence):
        opening, closing = ("<<", ">>") if node.kind == "bag" else ("[", "]")
        return f"{opening} {', '.join(map(printed, node.elements))} {closing}"
    if isinstance(node, Struct):
        return "{" + ", ".join(f"{printed(key)}: {printed(value)}" for key, value in node.members) + "}"
    if isinstance(node, Access):
        steps = (f".{printed(s)}" if isinstance(s, Name) else f"[{printed(s)}]" for s in node.steps if s is not None)
        return printed(node.root) + "".join(steps)
    if isinstance(node, Function):
        return f"{node.name}({', '.join(map(printed, node.arguments))})"
    if isinstance(node, Unary):
        return f"(NOT {printed(node.operand)})"
    if isinstance(node, IsType):
        return f"({printed(node.operand)} IS {node.type})"
    assert isinstance(node, Operation)
    if node.operator == "between":
        operand, low, high = map(printed, node.operands)
        return f"({operand} BETWEEN {low} AND {high})"
    return "(" + f" {node.operator} ".join(map(printed, node.operands)) + ")"


def plain(node: Any) -> Any:
    """A tree without its tokens, which tell where it stood."""
    if isinstance(node, Token):
        return None
    if isinstance(node, tuple):
        return tuple(map(plain, node))
    if hasattr(node, "__slots__"):
        return type(node).__name__, tuple(plain(getattr(node, name)) for name in node.__slots__)
    return node


HERE = Token("", "", 1, 1, 0)
names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=4).map(
    lambda name: Name(name, HERE)
)
numbers = st.sampled_from(["0", "1", "-1", "2.50", "1e5", "-7E-3", ".5"]).map(lambda text: Number(text, HERE))
texts = st.text(max_size=4).map(lambda text: Text(text, HERE))
constants = st.sampled_from(["true", "false", "null", "missing"]).map(lambda word: Constant(word, HERE))
paths = st.builds(
    lambda root, steps: Access(root, tuple(steps), HERE), names, st.lists(names | numbers, min_size=1, max_size=3)
)
values = st.recursive(
    numbers | texts | constants,
    lambda inner: (
        st.builds(
            lambda kind, elements: Sequence(kind, tuple(elements), HERE),
            st.sampled_from(["list", "bag"]),
            st.lists(inner, max_size=3),
        )
        | st.builds(lambda members: Struct(tuple(members), HERE), st.lists(st.tuples(texts, inner), max_size=3))
    ),
    max_leaves=6,
)
operands = values | names | paths
simple = (
    st.builds(
        lambda operator, left, right: Operation(operator, (left, right), HERE),
        st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
        operands,
        operands,
    )
    | st.builds(lambda *each: Operation("between", each, HERE), operands, operands, operands)
    | st.builds(
        lambda left, options: Operation("in", (left, Sequence("list", tuple(options), HERE)), HERE),
        operands,
        st.lists(operands, max_size=3),
    )
    | st.builds(
        lambda name, arguments: Function(name, tuple(arguments), HERE),
        st.sampled_from(["begins_with", "size", "nope"]),
        st.lists(operands, max_size=3),
    )
    | st.builds(lambda operand, kind: IsType(operand, kind, HERE), names, st.sampled_from(["missing", "int4", "null"]))
)
conditions = st.recursive(
    simple,
    lambda inner: (
        st.builds(lambda operand: Unary("not", operand, HERE), inner)
        | st.builds(
            lambda operator, parts: Operation(operator, tuple(parts), HERE),
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3),
        )
    ),
    max_leaves=6,
)


def flat(node: Any) -> Any:
    """A condition as the parser gives it: a chain of one connective is one node."""
    if isinstance(node, Unary):
        return Unary("not", flat(node.operand), HERE)
    if not isinstance(node, Operation) or node.operator not in ("and", "or"):
        return node
    parts = [flat(part) for part in node.operands]
    head = parts[0]
    if isinstance(head, Operation) and head.operator == node.operator:
        parts[:1] = head.operands
    return Operation(node.operator, tuple(parts), HERE)


@LOOP
@given(conditions)
def test_what_is_printed_parses_back(condition: Expression) -> None:
    parsed = parse(f'SELECT * FROM "t" WHERE {printed(condition)}')
    assert isinstance(parsed.tree, Select), parsed.fault
    assert plain(parsed.tree.where) == plain(flat(condition))


@LOOP
@given(st.text("ab \n\t-/*'\"1.e?#", max_size=30))
def test_tokens_stand_where_they_say(text: str) -> None:
    lines = text.split("\n")
    for token in tokenise(text) or ():
        line = lines[token.line - 1]
        if token.kind and "\n" not in token.text:
            written = line[token.column - 1 : token.column - 1 + token.length]
            assert written.strip("'\"").replace("''", "'").replace('""', '"') == token.text.strip("'\"")


def test_keywords_are_written_in_lower_case() -> None:
    assert all(word == word.lower() for word in KEYWORDS)
    assert {"inner", "size", "missing", "returning"} <= KEYWORDS
    assert not {"data", "name", "status", "id", "pk"} & KEYWORDS


# SELECT against Query and Scan

TABLE = {
    "TableName": "tab",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk", "g")],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "gsi",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}


def fresh() -> Service:
    service = Service()
    assert isinstance(service.execute(Call("CreateTable", TABLE)), Success)
    for pk in "pq":
        for number in range(6):
            item = {"pk": {"S": pk}, "sk": {"S": f"{number}"}, "n": {"N": str(number % 3)}}
            if number % 2:
                item["g"] = {"S": "g1" if number < 4 else "g2"}
            assert isinstance(service.execute(Call("PutItem", {"TableName": "tab", "Item": item})), Success)
    return service


def rows(service: Service) -> list[Any]:
    return list(service.account.tables["tab"].items())


WORLD = fresh()
digits = st.sampled_from([f"{number}" for number in range(-1, 7)])


@st.composite
def ranges(draw: st.DrawFn) -> tuple[str, str, list[str]]:
    """A condition on the sort key: in PartiQL, as an expression, and its values."""
    form = draw(st.sampled_from(["none", "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"]))
    one, two = sorted([draw(digits), draw(digits)])
    if form == "none":
        return "", "", []
    if form == "BETWEEN":
        return f"sk BETWEEN '{one}' AND '{two}'", "sk BETWEEN :v0 AND :v1", [one, two]
    if form == "begins_with":
        return f"begins_with(sk, '{one}')", "begins_with(sk, :v0)", [one]
    return f"sk {form} '{one}'", f"sk {form} :v0", [one]


filters = st.sampled_from([None, "n = 1", "n < 2", "NOT n = 0", "attribute_exists(n)", "n = 0 OR n = 2"])


def walk(operation: str, body: dict[str, Any], start: str, goes_on: str) -> tuple[list[Any], float]:
    """All items over all pages, and the units they cost."""
    found: list[Any] = []
    units = 0.0
    while True:
        reply = WORLD.execute(Call(operation, {**body, "ReturnConsumedCapacity": "TOTAL"}))
        assert isinstance(reply, Success), reply
        found += reply.body["Items"]
        units += reply.body["ConsumedCapacity"]["CapacityUnits"]
        if goes_on not in reply.body:
            return found, units
        body = {**body, start: reply.body[goes_on]}


def native(texts: list[str], values: list[str], wanted: str | None, name: str) -> dict[str, Any]:
    body: dict[str, Any] = {"TableName": "tab", "KeyConditionExpression": " AND ".join(text for text in texts if text)}
    body["ExpressionAttributeValues"] = {f":v{i}": {"S": value} for i, value in enumerate(values)}
    if wanted is not None:
        for digit in "012":
            if f" {digit}" in wanted:
                body["ExpressionAttributeValues"][f":n{digit}"] = {"N": digit}
                wanted = wanted.replace(f" {digit}", f" :n{digit}")
        body["FilterExpression"] = wanted
    if name:
        body["IndexName"] = name
    return body


@LOOP
@given(
    st.sampled_from([("", "pk", "p"), ("", "pk", "none"), ("gsi", "g", "g1")]),
    ranges(),
    filters,
    st.booleans(),
    st.integers(1, 4),
)
def test_a_keyed_select_is_a_query(
    source: tuple[str, str, str], ranged: tuple[str, str, list[str]], wanted: str | None, backward: bool, limit: int
) -> None:
    name, hashed, value = source
    where = " AND ".join(part for part in (f"{hashed} = '{value}'", ranged[0], wanted and f"({wanted})") if part)
    table = '"tab"."gsi"' if name else '"tab"'
    statement = f"SELECT * FROM {table} WHERE {where} ORDER BY sk {'DESC' if backward else 'ASC'}"
    # An index row may share its keys with another, so its sort key alone is no item.
    single = not name and " = " in ranged[0]
    body = native([f"{hashed} = :h", ranged[1]], ranged[2], wanted, name)
    body["ExpressionAttributeValues"][":h"] = {"S": value}
    body |= {"ScanIndexForward": not backward}
    if not single:
        body["Limit"] = limit
    selected = walk("ExecuteStatement", {"Statement": statement, "Limit": limit}, "NextToken", "NextToken")
    assert selected == walk("Query", body, "ExclusiveStartKey", "LastEvaluatedKey")


@LOOP
@given(st.sampled_from(["", "gsi"]), filters, st.integers(1, 5))
def test_any_other_select_is_a_scan(name: str, wanted: str | None, limit: int) -> None:
    table = '"tab"."gsi"' if name else '"tab"'
    statement = f"SELECT * FROM {table}" + (f" WHERE {wanted}" if wanted else "")
    body = native([], [], wanted, name)
    del body["KeyConditionExpression"]
    if not body["ExpressionAttributeValues"]:
        del body["ExpressionAttributeValues"]
    body["Limit"] = limit
    selected = walk("ExecuteStatement", {"Statement": statement, "Limit": limit}, "NextToken", "NextToken")
    assert selected == walk("Scan", body, "ExclusiveStartKey", "LastEvaluatedKey")
