"""Checks of functions, operators and their operands in expressions."""

from __future__ import annotations

from conformance.checks.base import Check
from conformance.checks.steps import (
    ENVELOPE,
    KEY,
    SORTED,
    aliases,
    condition,
    holds,
    many,
    n,
    named,
    partition,
    put,
    query,
    refuses,
    s,
    scan,
    update,
)
from conformance.program import Step

_V = {"v": n(1)}
_MISUSED = "The function is not allowed to be used this way in an expression; function: "
_NOT_IN_CONDITION = "The function is not allowed in a condition expression; function: "
_NOT_IN_UPDATE = "The function is not allowed in an update expression; function: "
_COUNT = "Incorrect number of operands for operator or function; operator or function: "
_NEEDS_PATH = "Operator or function requires a document path; operator or function: "
_ACTION = "Incorrect operand type for operator or function; operator: "
_TYPE_SET = ", typeSet: ALLOWED_FOR_ADD_OPERAND"
_SAME_TYPE = "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: "
_ORDERED = "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: "
_TYPE = "Incorrect operand type for operator or function; operator or function: "
_LONG_TYPES = (
    ("STRING", s("x")),
    ("BINARY", {"B": "AA=="}),
    ("NULL", {"NULL": True}),
    ("BOOL", {"BOOL": True}),
    ("LIST", many()),
    ("MAP", named()),
)
_DISTINCT = "The first operand must be distinct from the remaining operands for this operator or function; operator: "


def _unfit(kind: str, operator: str, tag: str) -> str:
    return f"Invalid {kind}Expression: {_TYPE}{operator}, operand type: {tag}"


OPERANDS: tuple[Check, ...] = (
    refuses(
        "expressions.unknown-function",
        scan(FilterExpression="whatever(a)"),
        "Invalid FilterExpression: Invalid function name; function: whatever",
        control=scan(FilterExpression="attribute_exists(a)"),
        name="filter",
    ),
    refuses(
        "expressions.unknown-function",
        put(ConditionExpression="ATTRIBUTE_NOT_EXISTS(a)"),
        f"{ENVELOPE}Invalid ConditionExpression: Invalid function name; function: ATTRIBUTE_NOT_EXISTS",
        control=put(ConditionExpression="attribute_not_exists(a)"),
        name="case",
    ),
    refuses(
        "expressions.unknown-function",
        put(ConditionExpression="a < " + "f(" * 200 + "b" + ")" * 200),
        f"{ENVELOPE}Invalid ConditionExpression: Invalid function name; function: f",
        control=put(ConditionExpression="not a < size(b)"),
        name="deep",
    ),
    refuses(
        "expressions.misused-function",
        scan(FilterExpression="size(a)"),
        f"Invalid FilterExpression: {_MISUSED}size",
        control=scan(FilterExpression="size(a) = b"),
        name="size",
    ),
    refuses(
        "expressions.misused-function",
        scan(FilterExpression="attribute_exists(a) = b"),
        f"Invalid FilterExpression: {_MISUSED}attribute_exists",
        control=scan(FilterExpression="attribute_exists(a)"),
        name="attribute_exists",
    ),
    refuses(
        "expressions.foreign-to-condition",
        holds("if_not_exists(a, :v) = :v", _V),
        f"Invalid FilterExpression: {_NOT_IN_CONDITION}if_not_exists",
        control=holds("a = :v", _V),
        name="filter",
    ),
    refuses(
        "expressions.foreign-to-condition",
        put(ConditionExpression="size(list_append(a, b)) = a"),
        f"{ENVELOPE}Invalid ConditionExpression: {_NOT_IN_CONDITION}list_append",
        control=put(ConditionExpression="NOT size(a) = b"),
        name="inside",
    ),
    refuses(
        "expressions.foreign-to-condition",
        put(ConditionExpression="if_not_exists(a, b)"),
        f"{ENVELOPE}Invalid ConditionExpression: {_NOT_IN_CONDITION}if_not_exists",
        control=put(ConditionExpression="attribute_not_exists(a)"),
        name="alone",
    ),
    *(
        refuses(
            "expressions.foreign-to-update",
            update(f"SET v = {call}", values),
            f"{ENVELOPE}Invalid UpdateExpression: {_NOT_IN_UPDATE}{name}",
            control=update("SET v = if_not_exists(a, :v)", _V),
            name=name,
        )
        for name, call, values in (
            ("attribute_exists", "attribute_exists(a)", None),
            ("contains", "contains(a, :v)", _V),
            ("size", "if_not_exists(size(a), :v)", _V),
        )
    ),
    refuses(
        "expressions.foreign-to-update",
        Step(
            "TransactWriteItems",
            {"TransactItems": [{"Update": {"TableName": "t0", "Key": KEY, "UpdateExpression": "SET v = size(a)"}}]},
        ),
        f"Invalid UpdateExpression: {_NOT_IN_UPDATE}size",
        control=update("SET v = if_not_exists(a, :v)", _V),
        name="transaction",
    ),
    refuses(
        "expressions.misused-function",
        update("SET v = list_append(list_append(:v, :v), :v)", {"v": many()}),
        f"{ENVELOPE}Invalid UpdateExpression: {_MISUSED}list_append",
        control=update("SET v = list_append(if_not_exists(a, :v), :v)", {"v": many()}),
        name="list_append",
    ),
    refuses(
        "expressions.operand-count",
        holds("begins_with(a)"),
        f"Invalid FilterExpression: {_COUNT}begins_with, number of operands: 1",
        control=holds("begins_with(a, b)"),
        name="begins_with",
    ),
    refuses(
        "expressions.operand-count",
        holds("size(a, a) = b"),
        f"Invalid FilterExpression: {_COUNT}size, number of operands: 2",
        control=holds("size(a) = b"),
        name="size",
    ),
    refuses(
        "expressions.operand-count",
        put(ConditionExpression="attribute_exists(a, b)"),
        f"{ENVELOPE}Invalid ConditionExpression: {_COUNT}attribute_exists, number of operands: 2",
        control=put(ConditionExpression="attribute_not_exists(a)"),
        name="attribute_exists",
    ),
    refuses(
        "expressions.operand-count",
        update("SET v = list_append(:v)", {"v": many()}),
        f"{ENVELOPE}Invalid UpdateExpression: {_COUNT}list_append, number of operands: 1",
        control=update("SET v = list_append(:v, :v)", {"v": many()}),
        name="list_append",
    ),
    refuses(
        "expressions.in-options",
        scan(FilterExpression=f"a IN ({', '.join(['b'] * 101)})"),
        phrase="operands",
        control=scan(FilterExpression=f"a IN ({', '.join(['b'] * 99)})"),
    ),
    refuses(
        "expressions.operand-type",
        holds("a < :v", {"v": {"BOOL": True}}),
        _unfit("Filter", "<", "BOOL"),
        control=holds("a < :v", _V),
        name="<",
    ),
    refuses(
        "expressions.operand-type",
        holds(":v >= a", {"v": many()}),
        _unfit("Filter", ">=", "L"),
        control=holds(":v >= a", _V),
        name=">=",
    ),
    refuses(
        "expressions.operand-type",
        condition("begins_with(a, :v)", _V),
        ENVELOPE + _unfit("Condition", "begins_with", "N"),
        control=condition("not begins_with(a, :v)", {"v": s("x")}),
        name="begins_with",
    ),
    refuses(
        "expressions.operand-type",
        holds("a BETWEEN :v AND :v", {"v": {"NULL": True}}),
        _unfit("Filter", "BETWEEN", "NULL"),
        control=holds("a BETWEEN :v AND :v", _V),
        name="BETWEEN",
    ),
    refuses(
        "expressions.operand-type",
        holds("size(:v) = a", _V),
        _unfit("Filter", "size", "N"),
        control=holds("size(:v) = a", {"v": s("xyz")}),
        name="size",
    ),
    refuses(
        "expressions.operand-type",
        update("SET a = a + :v", {"v": s("x")}),
        ENVELOPE + _unfit("Update", "+", "S"),
        given=[put({"a": n(1)})],
        control=update("SET a = a + :v", _V),
        name="+",
    ),
    refuses(
        "expressions.operand-type",
        update("SET a = list_append(a, :v)", {"v": s("x")}),
        ENVELOPE + _unfit("Update", "list_append", "S"),
        given=[put({"a": many()})],
        control=update("SET a = list_append(a, :v)", {"v": many()}),
        name="list_append",
    ),
    refuses(
        "expressions.operand-type",
        holds("attribute_type(a, :v)", _V),
        _unfit("Filter", "attribute_type", "N"),
        control=holds("attribute_type(a, :v)", {"v": s("N")}),
        name="attribute_type",
    ),
    refuses(
        "expressions.type-operand",
        holds("attribute_type(a, b)"),
        phrase=f"{_TYPE}attribute_type, operand type: {{",
        control=holds("attribute_type(a, :v)", {"v": s("N")}),
    ),
    refuses(
        "expressions.operand-type",
        holds("attribute_type(a, size(b))"),
        _unfit("Filter", "attribute_type", "N"),
        control=holds("attribute_type(a, :v)", {"v": s("N")}),
        name="attribute_type-size",
    ),
    refuses(
        "expressions.operand-type",
        query("pk = :p AND begins_with(sk, :v)", {"p": s("a"), "v": n(1)}),
        _unfit("KeyCondition", "begins_with", "N"),
        tables=SORTED,
        control=query("pk = :p AND begins_with(sk, :v)", {"p": s("a"), "v": s("x")}),
        name="key-condition",
    ),
    refuses(
        "expressions.operand-type",
        query("pk = :p AND :v >= sk", {"p": s("a"), "v": {"BOOL": True}}),
        _unfit("KeyCondition", ">=", "BOOL"),
        tables=SORTED,
        control=query("pk = :p AND :v >= sk", {"p": s("a"), "v": s("x")}),
        name="key-condition->=",
    ),
    refuses(
        "expressions.operand-type",
        Step(
            "Query",
            {
                "TableName": "no-such-table-here",
                "KeyConditionExpression": "pk = :p AND sk < :v",
                "ExpressionAttributeValues": {":p": s("a"), ":v": {"BOOL": True}},
            },
        ),
        _unfit("KeyCondition", "<", "BOOL"),
        control=partition(),
        name="before-the-table",
    ),
    *(
        refuses(
            "expressions.action-operand",
            update("ADD a :v", {"v": value}),
            f"{ENVELOPE}Invalid UpdateExpression: {_ACTION}ADD, operand type: {name}{_TYPE_SET}",
            control=update("ADD a :v", _V),
            name=f"ADD {name}",
        )
        for name, value in _LONG_TYPES
    ),
    *(
        refuses(
            "expressions.action-operand",
            update("DELETE a :v", {"v": value}),
            f"{ENVELOPE}Invalid UpdateExpression: {_ACTION}DELETE, operand type: {name}{_TYPE_SET}",
            control=update("DELETE a :v", {"v": {"SS": ["x"]}}),
            name=f"DELETE {name}",
        )
        for name, value in (*_LONG_TYPES, ("NUMBER", n(1)))
    ),
    refuses(
        "expressions.path-required",
        holds("attribute_exists(:v)", _V),
        f"Invalid FilterExpression: {_NEEDS_PATH}attribute_exists",
        control=holds("attribute_type(:v, :t)", {**_V, "t": s("N")}),
        name="attribute_exists",
    ),
    refuses(
        "expressions.path-required",
        holds("attribute_not_exists(:v)", _V),
        f"Invalid FilterExpression: {_NEEDS_PATH}attribute_not_exists",
        control=holds("attribute_not_exists(v)"),
        name="attribute_not_exists",
    ),
    refuses(
        "expressions.path-required",
        update("SET v = if_not_exists(:v, :v)", _V),
        f"{ENVELOPE}Invalid UpdateExpression: {_NEEDS_PATH}if_not_exists",
        control=update("SET v = if_not_exists(v, :v)", _V),
        name="if_not_exists",
    ),
    refuses(
        "expressions.distinct-operands",
        put(ConditionExpression="contains(data1, data1)"),
        f"{ENVELOPE}Invalid ConditionExpression: {_DISTINCT}contains, first operand: [data1]",
        control=put(ConditionExpression="not contains(data1, data2)"),
        name="contains",
    ),
    refuses(
        "expressions.distinct-operands",
        update("SET data2 = if_not_exists(data1, data1)"),
        f"{ENVELOPE}Invalid UpdateExpression: {_DISTINCT}if_not_exists, first operand: [data1]",
        control=update("SET data2 = if_not_exists(data1, pk)"),
        name="if_not_exists",
    ),
    refuses(
        "expressions.distinct-operands",
        scan(FilterExpression="a = a"),
        f"Invalid FilterExpression: {_DISTINCT}=, first operand: [a]",
        control=scan(FilterExpression="a = b"),
        name="=",
    ),
    refuses(
        "expressions.distinct-operands",
        scan(FilterExpression="ab.bc[1].a <> ab.bc[1].a"),
        f"Invalid FilterExpression: {_DISTINCT}<>, first operand: [ab, bc, [1], a]",
        control=scan(FilterExpression="ab.bc[1].a <> ab.bc[2].a"),
        name="nested",
    ),
    refuses(
        "expressions.distinct-operands",
        scan(FilterExpression="a < #x", **aliases(x="a")),
        f"Invalid FilterExpression: {_DISTINCT}<, first operand: [a]",
        control=scan(FilterExpression="a < #x", **aliases(x="b")),
        name="alias",
    ),
    refuses(
        "expressions.distinct-operands",
        scan(FilterExpression="a IN (b, a)"),
        f"Invalid FilterExpression: {_DISTINCT}IN, first operand: [a]",
        control=scan(FilterExpression="a IN (b, b)"),
        name="IN",
    ),
    refuses(
        "expressions.distinct-operands",
        scan(FilterExpression="a BETWEEN b AND a"),
        f"Invalid FilterExpression: {_DISTINCT}BETWEEN, first operand: [a]",
        control=scan(FilterExpression="a BETWEEN b AND b"),
        name="BETWEEN",
    ),
    refuses(
        "expressions.type-name",
        holds("attribute_type(a, :v)", {"v": s("DOG")}),
        phrase="Invalid FilterExpression: Invalid attribute type name found; type: DOG, valid types: {",
        control=holds("attribute_type(a, :v)", {"v": s("BOOL")}),
    ),
    refuses(
        "expressions.between-types",
        holds("a BETWEEN :x AND :y", {"x": n(1), "y": s("a")}),
        f"Invalid FilterExpression: {_SAME_TYPE}AttributeValue: {{N:1}}, upper bound operand: AttributeValue: {{S:a}}",
        control=holds("a BETWEEN :x AND b", {"x": n(1)}),
        name="filter",
    ),
    refuses(
        "expressions.between-types",
        condition("a BETWEEN :x AND :y", {"x": s("dog"), "y": n(1)}),
        f"{ENVELOPE}Invalid ConditionExpression: {_SAME_TYPE}AttributeValue: {{S:dog}}, "
        "upper bound operand: AttributeValue: {N:1}",
        control=condition("not a BETWEEN :x AND :y", {"x": n(1), "y": n(1)}),
        name="condition",
    ),
    refuses(
        "expressions.between-order",
        holds("a BETWEEN :x AND :y", {"x": s("b"), "y": s("a")}),
        f"Invalid FilterExpression: {_ORDERED}AttributeValue: {{S:b}}, upper bound operand: AttributeValue: {{S:a}}",
        control=holds("a BETWEEN :x AND :y", {"x": s("a"), "y": s("b")}),
        name="filter",
    ),
    refuses(
        "expressions.between-order",
        query("pk = :p AND sk BETWEEN :x AND :y", {"p": s("a"), "x": s("b"), "y": s("a")}),
        f"Invalid KeyConditionExpression: {_ORDERED}AttributeValue: {{S:b}}, "
        "upper bound operand: AttributeValue: {S:a}",
        tables=SORTED,
        control=query("pk = :p AND sk BETWEEN :x AND :y", {"p": s("a"), "x": s("a"), "y": s("b")}),
        name="key-condition",
    ),
)


CHECKS: tuple[Check, ...] = OPERANDS
