"""Checks of key conditions, and of filters on keys."""

from __future__ import annotations

from conformance.checks.base import Check, table
from conformance.checks.steps import (
    INVALID,
    NUMBERED,
    SORTED,
    TRUE,
    n,
    query,
    refuses,
    s,
    scan,
)
from reference.api import Item, Json

_P = {"p": s("a")}
_PX = {"p": s("a"), "x": s("x")}
_PREFIX = "Invalid KeyConditionExpression: "
_MISMATCH = f"{INVALID}Condition parameter type does not match schema type"


def _operator(text: str, values: Item, operator: str) -> Check:
    return refuses(
        "expressions.key-condition-operator",
        query(text, values),
        f"{_PREFIX}Invalid operator used in KeyConditionExpression: {operator}",
        tables=SORTED,
        control=query("pk = :p AND sk < :x", _PX),
        name=operator,
    )


SHAPE: tuple[Check, ...] = (
    _operator("pk = :p OR sk = :x", _PX, "OR"),
    _operator("pk = :p AND NOT sk = :x", _PX, "NOT"),
    _operator("pk = :p AND sk IN (:x)", _PX, "IN"),
    _operator("pk = :p AND sk <> :x", _PX, "<>"),
    _operator("pk = :p AND attribute_exists(sk)", _P, "attribute_exists"),
    _operator("pk = :p AND attribute_not_exists(sk)", _P, "attribute_not_exists"),
    _operator("pk = :p AND contains(sk, :x)", _PX, "contains"),
    _operator("pk = :p AND attribute_type(sk, :t)", {**_P, "t": s("S")}, "attribute_type"),
    refuses(
        "expressions.key-condition-operand-order",
        query("pk = :p AND :x BETWEEN sk AND :y", {**_PX, "y": s("y")}),
        f"{_PREFIX}Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its "
        "first operand",
        tables=SORTED,
        control=query("pk = :p AND sk BETWEEN :x AND :y", {**_PX, "y": s("y")}),
    ),
    refuses(
        "expressions.key-condition-many-names",
        query("pk = :p AND sk = v", _P),
        f"{_PREFIX}Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
        tables=SORTED,
        control=query("pk = :p AND sk = :x", _PX),
    ),
    refuses(
        "expressions.empty",
        query("pk = sk", {}, FilterExpression=""),
        "Invalid FilterExpression: The expression can not be empty;",
        tables=SORTED,
        control=query("pk = :p", _P),
        name="before what makes no key condition",
    ),
    refuses(
        "expressions.key-condition-no-name",
        query("pk = :p AND :x = :y", {**_PX, "y": s("y")}),
        f"{_PREFIX}Invalid condition in KeyConditionExpression: No key attribute specified",
        tables=SORTED,
        control=query("pk = :p AND :x = sk", _PX),
    ),
    refuses(
        "expressions.key-condition-nested-path",
        query("pk = :p AND sk.x = :x", _PX),
        f"{_PREFIX}KeyConditionExpressions cannot have conditions on nested attributes",
        tables=SORTED,
        control=query("pk = :p AND #sk = :x", _PX, ExpressionAttributeNames={"#sk": "sk"}),
    ),
    refuses(
        "expressions.key-condition-nested-operation",
        query("pk = :p AND size(sk) = :x", {**_P, "x": n(1)}),
        f"{_PREFIX}KeyConditionExpressions cannot contain nested operations",
        tables=SORTED,
        control=query("pk = :p AND begins_with(sk, :x)", _PX),
    ),
    refuses(
        "expressions.key-condition-repeated",
        query("pk = :p AND sk > :x AND sk < :y", {**_PX, "y": s("y")}),
        f"{_PREFIX}KeyConditionExpressions must only contain one condition per key",
        tables=SORTED,
        control=query("pk = :p AND sk BETWEEN :x AND :y", {**_PX, "y": s("y")}),
    ),
)

AGAINST_SCHEMA: tuple[Check, ...] = (
    refuses(
        "expressions.key-condition-count",
        query("pk = :p AND sk = :x AND v = :x", _PX),
        "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
        tables=SORTED,
        control=query("pk = :p AND sk = :x", _PX),
        name="three",
    ),
    refuses(
        "expressions.key-condition-count",
        query("pk = :p AND v = :x", _PX),
        "The number of query conditions (2) exceeds the number of key attributes defined in the schema (1)",
        control=query("pk = :p", _P),
        name="two",
    ),
    refuses(
        "expressions.key-condition-missing",
        query("v = :p", _P),
        "Query condition missed key schema element: pk",
        tables=SORTED,
        control=query("pk = :p", _P),
        name="partition key",
    ),
    refuses(
        "expressions.key-condition-missing",
        query("sk = :p", _P),
        "Query condition missed key schema element: pk",
        tables=SORTED,
        control=query(":p = pk", _P),
        name="sort key alone",
    ),
    refuses(
        "expressions.key-condition-missing",
        query("pk = :p AND v = :x", _PX),
        "Query condition missed key schema element: sk",
        tables=SORTED,
        control=query("sk = :x AND pk = :p", _PX),
        name="sort key",
    ),
    refuses(
        "expressions.key-condition-hash-operator",
        query("pk > :p", _P),
        "Query key condition not supported",
        tables=SORTED,
        control=query("pk = :p AND sk >= :p", _P),
    ),
    refuses(
        "expressions.key-condition-type",
        query("pk = :p", {"p": n(1)}),
        _MISMATCH,
        control=query("pk = :p", _P),
        name="partition key",
    ),
    refuses(
        "expressions.key-condition-type",
        query("pk = :p AND sk < :x", _PX),
        _MISMATCH,
        tables=NUMBERED,
        control=query("pk = :p AND sk < :x", {**_P, "x": n(1)}),
        name="sort key",
    ),
    refuses(
        "expressions.key-condition-type",
        query("pk = :p AND sk = :x", {**_P, "x": TRUE}),
        _MISMATCH,
        tables=SORTED,
        control=query("pk = :p AND sk = :x", _PX),
        name="BOOL",
    ),
    refuses(
        "expressions.key-condition-type",
        query("pk = :p AND begins_with(sk, :x)", _PX),
        _MISMATCH,
        tables=NUMBERED,
        control=query("pk = :p AND sk >= :x", {**_P, "x": n(1)}),
        name="begins_with of a number key",
    ),
    refuses(
        "keys.empty-string",
        query("pk = :p", {"p": s("")}),
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
        "string value. Key: pk",
        control=query("pk = :p", _P),
        name="Query",
    ),
    refuses(
        "keys.empty-string",
        query("pk = :p AND sk = :x", {**_P, "x": s("")}),
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
        "string value. Key: sk",
        tables=SORTED,
        control=query("pk = :p AND sk = :x", _PX),
        name="Query of a sort key",
    ),
)


def _multi() -> dict[str, Json]:
    """A table with an index on two partition key and three sort key attributes."""
    body = table()
    names = ("h1", "h2", "r1", "r2", "r3")
    body["AttributeDefinitions"] += [{"AttributeName": name, "AttributeType": "S"} for name in names]
    schema = [{"AttributeName": name, "KeyType": "HASH" if name[0] == "h" else "RANGE"} for name in names]
    index = {"IndexName": "many", "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}
    return {"t0": {**body, "GlobalSecondaryIndexes": [index]}}


_MULTI = _multi()
_ALL = {name: s("a") for name in ("h1", "h2", "r1", "r2", "r3")}


def _range(name: str, conditions: str, used: str, skipped: str, condition_on: str) -> Check:
    values = {key: value for key, value in _ALL.items() if f":{key}" in conditions}
    return refuses(
        "expressions.key-condition-range-equality",
        query(f"h1 = :h1 AND h2 = :h2 AND {conditions}", {**values, "h1": s("a"), "h2": s("a")}, IndexName="many"),
        phrase=f"RANGE key attributes {skipped} must have equality conditions specified in the query because a "
        f"condition is present on key attribute {condition_on}",
        tables=_MULTI,
        control=query(
            f"h1 = :h1 AND h2 = :h2 AND {used}",
            {key: value for key, value in _ALL.items() if f":{key}" in used or key[0] == "h"},
            IndexName="many",
        ),
        name=name,
    )


MULTI_ATTRIBUTE: tuple[Check, ...] = (
    refuses(
        "expressions.key-condition-hash-equality",
        query("h1 = :h1 AND h2 > :h2", {"h1": s("a"), "h2": s("a")}, IndexName="many"),
        phrase="HASH",
        tables=_MULTI,
        control=query("h2 = :h2 AND h1 = :h1", {"h1": s("a"), "h2": s("a")}, IndexName="many"),
        name="inequality",
    ),
    refuses(
        "expressions.key-condition-hash-equality",
        query("h1 = :h1", {"h1": s("a")}, IndexName="many"),
        phrase="HASH",
        tables=_MULTI,
        control=query("h1 = :h1 AND h2 = :h2", {"h1": s("a"), "h2": s("a")}, IndexName="many"),
        name="missing",
    ),
    _range("gap", "r1 = :r1 AND r3 = :r3", "r1 = :r1 AND r2 = :r2 AND r3 > :r3", "r2", "r3"),
    _range("inequality before the last", "r1 = :r1 AND r2 > :r2 AND r3 = :r3", "r1 = :r1 AND r2 > :r2", "r2", "r3"),
    _range("first skipped", "r2 = :r2", "r1 = :r1", "r1", "r2"),
)

_ON_KEY = "Filter Expression can only contain non-primary key attributes: Primary key attribute: "
INDEXED = {"t0": table(key="pk:S,sk:S", gsi=["by_g=g:S,h:S"])}

FILTERS: tuple[Check, ...] = (
    refuses(
        "expressions.filter-on-key",
        query("pk = :p", _PX, FilterExpression="pk <> :x"),
        f"{_ON_KEY}pk",
        tables=SORTED,
        control=scan(FilterExpression="pk <> :x", ExpressionAttributeValues={":x": s("x")}),
        name="partition key",
    ),
    refuses(
        "expressions.filter-on-key",
        query("pk = :p", _P, FilterExpression="v = sk"),
        f"{_ON_KEY}sk",
        tables=SORTED,
        control=scan(FilterExpression="v = sk"),
        name="operand",
    ),
    refuses(
        "expressions.filter-on-key",
        query("g = :p", _PX, IndexName="by_g", FilterExpression="h = :x"),
        f"{_ON_KEY}h",
        tables=INDEXED,
        control=query("g = :p", _PX, IndexName="by_g", FilterExpression="pk = :x"),
        name="index",
    ),
    refuses(
        "legacy.filter-on-key",
        query(
            None,
            None,
            KeyConditions={"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [s("a")]}},
            QueryFilter={"sk": {"ComparisonOperator": "EQ", "AttributeValueList": [s("x")]}},
        ),
        "QueryFilter can only contain non-primary key attributes: Primary key attribute: sk",
        tables=SORTED,
        control=scan(ScanFilter={"sk": {"ComparisonOperator": "EQ", "AttributeValueList": [s("x")]}}),
        name="QueryFilter",
    ),
)

CHECKS: tuple[Check, ...] = (*SHAPE, *AGAINST_SCHEMA, *MULTI_ATTRIBUTE, *FILTERS)
