"""Checks of the parameters that expressions replaced."""

from __future__ import annotations

from conformance.checks.base import T0, Check
from conformance.checks.steps import (
    ENVELOPE,
    INVALID,
    KEY,
    NULL,
    SORTED,
    TRUE,
    answers,
    delete,
    get,
    item,
    many,
    n,
    named,
    put,
    query,
    refuses,
    s,
    scan,
    update,
)
from conformance.program import Step
from reference.api import AttributeValue, Item, Json


def where(operator: str, *values: AttributeValue, attribute: str = "v") -> dict[str, Json]:
    """A legacy condition on one attribute."""
    listed = {"AttributeValueList": list(values)} if values else {}
    return {attribute: {"ComparisonOperator": operator, **listed}}


def expecting(**members: Json) -> Step:
    """A DeleteItem that expects something of the attribute ``v``."""
    return delete(Expected={"v": members})


def changing(**updates: Json) -> Step:
    """An UpdateItem with AttributeUpdates."""
    return update(None, AttributeUpdates=updates)


KEYED = where("EQ", s("a"), attribute="pk")
"""KeyConditions for the partition ``a``."""
NOT_HERE = {"v": {"Exists": False}}
"""An Expected for a missing attribute ``v``."""

_EXISTS = f"{ENVELOPE}{INVALID}Value must be provided when Exists is"
_COUNT = "Invalid number of argument(s) for the"
_REVERSED = "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"

EXPECTED: tuple[Check, ...] = (
    refuses(
        "legacy.value-and-list",
        expecting(Value=n(1), ComparisonOperator="NE", AttributeValueList=[n(1)]),
        f"{ENVELOPE}{INVALID}Value and AttributeValueList cannot be used together for Attribute: v",
        control=expecting(ComparisonOperator="NE", AttributeValueList=[n(1)]),
    ),
    refuses(
        "legacy.exists-and-operator",
        expecting(Exists=False, ComparisonOperator="NULL"),
        f"{ENVELOPE}{INVALID}Exists and ComparisonOperator cannot be used together for Attribute: v",
        control=expecting(ComparisonOperator="NULL"),
    ),
    refuses(
        "legacy.operator-without-value",
        expecting(ComparisonOperator="EQ"),
        f"{ENVELOPE}{INVALID}Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: v",
        control=expecting(ComparisonOperator="NULL"),
    ),
    refuses(
        "legacy.list-without-operator",
        expecting(AttributeValueList=[n(1)]),
        f"{ENVELOPE}{INVALID}AttributeValueList can only be used with a ComparisonOperator for Attribute: v",
        control=expecting(AttributeValueList=[n(1)], ComparisonOperator="NE"),
    ),
    refuses(
        "legacy.exists-without-value",
        expecting(Exists=True),
        f"{_EXISTS} true for Attribute: v",
        control=expecting(Exists=False),
        name="true",
    ),
    refuses(
        "legacy.exists-without-value", expecting(), f"{_EXISTS} null for Attribute: v", control=delete(), name="omitted"
    ),
    refuses(
        "legacy.value-without-exists",
        expecting(Exists=False, Value=n(1)),
        f"{ENVELOPE}{INVALID}Value cannot be used when Exists is false for Attribute: v",
        control=expecting(Exists=False),
    ),
    refuses(
        "legacy.argument-count",
        expecting(ComparisonOperator="BETWEEN", AttributeValueList=[n(1)]),
        f"{ENVELOPE}{INVALID}{_COUNT} BETWEEN ComparisonOperator",
        control=delete(),
        name="BETWEEN",
    ),
    refuses(
        "legacy.argument-count",
        scan(ScanFilter=where("EQ", n(1), n(2))),
        f"{INVALID}{_COUNT} EQ ComparisonOperator",
        control=scan(ScanFilter=where("IN", n(1), n(2))),
        name="EQ",
    ),
    refuses(
        "legacy.argument-count",
        scan(ScanFilter=where("NOT_NULL", n(1))),
        f"{INVALID}{_COUNT} NOT_NULL ComparisonOperator",
        control=scan(ScanFilter={"v": {"ComparisonOperator": "NOT_NULL", "AttributeValueList": []}}),
        name="NOT_NULL",
    ),
    refuses(
        "legacy.mixed-arguments",
        scan(ScanFilter=where("IN", n(1), s("1"))),
        f"{INVALID}AttributeValues inside AttributeValueList must be of same type",
        control=scan(ScanFilter=where("IN", s("2"), s("1"))),
        name="IN",
    ),
    refuses(
        "legacy.mixed-arguments",
        expecting(ComparisonOperator="BETWEEN", AttributeValueList=[n(1), s("2")]),
        f"{ENVELOPE}{INVALID}AttributeValues inside AttributeValueList must be of same type",
        control=delete(),
        name="BETWEEN",
    ),
    *(
        refuses(
            "legacy.argument-type",
            scan(ScanFilter=where(operator, *values)),
            f"{INVALID}ComparisonOperator {operator} is not valid for {kind} AttributeValue type",
            control=scan(ScanFilter=where(operator, *good)),
            name=f"{operator} {kind}",
        )
        for operator, kind, values, good in (
            ("LT", "SS", ({"SS": ["a"]},), (s("a"),)),
            ("GE", "L", (many(),), (n(1),)),
            ("BETWEEN", "BOOL", (TRUE, TRUE), (n(1), n(2))),
            ("IN", "M", (named(),), (s("a"),)),
            ("BEGINS_WITH", "N", (n(1),), (s("a"),)),
            ("CONTAINS", "L", (many(),), (n(1),)),
            ("NOT_CONTAINS", "SS", ({"SS": ["a"]},), (s("a"),)),
        )
    ),
    refuses(
        "legacy.between-order",
        scan(ScanFilter=where("BETWEEN", n(2), n(1))),
        _REVERSED,
        control=scan(ScanFilter=where("BETWEEN", n(1), n(1))),
        name="Scan",
    ),
    refuses(
        "legacy.between-order",
        expecting(ComparisonOperator="BETWEEN", AttributeValueList=[s("b"), s("a")]),
        phrase=_REVERSED,
        control=delete(),
        name="DeleteItem",
    ),
)

_THREE = {**KEYED, **where("EQ", s("a"), attribute="sk"), **where("EQ", s("a"))}

KEY_CONDITIONS: tuple[Check, ...] = (
    refuses(
        "legacy.key-condition-count",
        query(None, KeyConditions=_THREE),
        "Conditions can be of length 1 or 2 only",
        tables=SORTED,
        control=query(None, KeyConditions=KEYED),
        name="three",
    ),
    refuses(
        "legacy.key-condition-count",
        query(None, KeyConditions={}),
        "Conditions can be of length 1 or 2 only",
        control=query(None, KeyConditions=KEYED),
        name="none",
    ),
    refuses(
        "legacy.no-key-condition",
        query(None),
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        control=query(None, KeyConditions=KEYED),
    ),
    *(
        refuses(
            "legacy.not-indexable",
            query(None, KeyConditions={**KEYED, **where(operator, *values, attribute="sk")}),
            "Attempted conditional constraint is not an indexable operation",
            tables=SORTED,
            control=query(None, KeyConditions={**KEYED, **where("BEGINS_WITH", s("a"), attribute="sk")}),
            name=operator,
        )
        for operator, values in (
            ("NE", (s("a"),)),
            ("IN", (s("a"), s("b"))),
            ("NULL", ()),
            ("NOT_NULL", ()),
            ("CONTAINS", (s("a"),)),
            ("NOT_CONTAINS", (s("a"),)),
        )
    ),
    refuses(
        "expressions.key-condition-hash-operator",
        query(None, KeyConditions=where("LE", s("a"), attribute="pk")),
        "Query key condition not supported",
        control=query(None, KeyConditions=KEYED),
        name="KeyConditions",
    ),
    refuses(
        "expressions.key-condition-missing",
        query(None, KeyConditions=where("EQ", s("a"))),
        "Query condition missed key schema element: pk",
        control=query(None, KeyConditions=KEYED),
        name="KeyConditions",
    ),
    refuses(
        "expressions.key-condition-type",
        query(None, KeyConditions=where("EQ", n(1), attribute="pk")),
        f"{INVALID}Condition parameter type does not match schema type",
        control=query(None, KeyConditions=KEYED),
        name="KeyConditions",
    ),
)

UPDATES: tuple[Check, ...] = (
    refuses(
        "legacy.action-without-value",
        changing(v={"Action": "PUT"}),
        f"{ENVELOPE}{INVALID}Only DELETE action is allowed when no attribute value is specified",
        control=changing(v={"Action": "DELETE"}),
    ),
    refuses(
        "legacy.delete-type",
        changing(v={"Action": "DELETE", "Value": n(1)}),
        f"{ENVELOPE}{INVALID}DELETE action with value is not supported for the type N",
        control=changing(v={"Action": "DELETE", "Value": {"NS": ["1"]}}),
    ),
    refuses(
        "legacy.add-type",
        changing(v={"Action": "ADD", "Value": s("x")}),
        f"{ENVELOPE}{INVALID}ADD action is not supported for the type S",
        control=changing(v={"Action": "ADD", "Value": many(s("x"))}),
    ),
    refuses(
        "legacy.update-type-mismatch",
        changing(v={"Action": "ADD", "Value": n(1)}),
        "Type mismatch for attribute to update",
        given=[put({"v": s("x")})],
        control=changing(w={"Action": "ADD", "Value": n(1)}),
        name="ADD",
    ),
    refuses(
        "legacy.update-type-mismatch",
        changing(v={"Action": "DELETE", "Value": {"SS": ["1"]}}),
        "Type mismatch for attribute to update",
        given=[put({"v": {"NS": ["1"]}})],
        control=changing(w={"Action": "DELETE", "Value": {"SS": ["1"]}}),
        name="DELETE",
    ),
    refuses(
        "keys.update-key",
        changing(pk={"Value": s("b")}),
        f"{INVALID}Cannot update attribute pk. This attribute is part of the key",
        control=changing(v={"Value": s("b")}),
        name="AttributeUpdates",
    ),
    *(
        answers("legacy.add-to-list", get(), given=given, body={"Item": item(v=after)}, name=name)
        for name, given, after in (
            ("append", [put({"v": many(n(1))}), changing(v={"Action": "ADD", "Value": many(n(2))})], many(n(1), n(2))),
            ("new list", [changing(v={"Action": "ADD", "Value": many(n(2))})], many(n(2))),
        )
    ),
    answers(
        "items.update-creates",
        update(None, AttributeUpdates={}, ReturnValues="ALL_NEW"),
        body={"Attributes": KEY},
        name="empty AttributeUpdates",
    ),
    answers(
        "items.updated-values-returned",
        update(None, AttributeUpdates={"v": {"Value": n(2)}, "w": {"Action": "DELETE"}}, ReturnValues="UPDATED_OLD"),
        given=[put({"v": n(1), "w": n(3), "x": n(4)})],
        body={"Attributes": {"v": n(1), "w": n(3)}},
        name="AttributeUpdates",
    ),
)


def _compared(operator: str, count: int, stored: Item, *values: AttributeValue) -> Check:
    return answers(
        "legacy.comparisons",
        scan(ScanFilter=where(operator, *values)),
        given=[put(stored)],
        has={"Count": count, "ScannedCount": 1},
        name=f"{operator} of {next(iter(stored.get('v', {'missing': 0})))}",
    )


_A = s("a")

COMPARISONS: tuple[Check, ...] = (
    *(
        _compared(operator, count, {}, *values)
        for operator, count, values in (
            ("EQ", 0, (_A,)), ("NE", 1, (_A,)), ("LE", 0, (_A,)), ("LT", 0, (_A,)), ("GE", 0, (_A,)), ("GT", 0, (_A,)),
            ("BETWEEN", 0, (_A, _A)), ("IN", 0, (_A,)), ("BEGINS_WITH", 0, (_A,)), ("CONTAINS", 0, (_A,)),
            ("NOT_CONTAINS", 0, (_A,)), ("NULL", 1, ()), ("NOT_NULL", 0, ()),
        )
    ),
    *(
        _compared(operator, count, {"v": s("hello")}, *values)
        for operator, count, values in (
            ("EQ", 0, (n(1),)), ("NE", 1, (n(1),)), ("LE", 0, (n(1),)), ("LT", 0, (n(1),)), ("GE", 0, (n(1),)),
            ("GT", 0, (n(1),)), ("BETWEEN", 0, (n(1), n(2))), ("IN", 0, (n(1),)), ("CONTAINS", 0, (n(1),)),
            ("NOT_CONTAINS", 1, (n(1),)), ("BEGINS_WITH", 1, (s("hell"),)), ("NULL", 0, ()), ("NOT_NULL", 1, ()),
        )
    ),
    *(_compared(operator, count, {"v": NULL}) for operator, count in (("NULL", 0), ("NOT_NULL", 1))),
    _compared("CONTAINS", 1, {"v": many(n(1))}, n("1.0")),
    _compared("CONTAINS", 1, {"v": {"NS": ["1"]}}, n("1.0")),
    _compared("EQ", 1, {"v": named(x={"SS": ["a", "b"]})}, named(x={"SS": ["b", "a"]})),
    _compared("BETWEEN", 1, {"v": n(5)}, n(5), n(9)),
    answers(
        "legacy.comparisons",
        scan(ScanFilter=where("IN", n(1), n(2))),
        given=[put({"v": n(2)})],
        has={"Count": 1},
        name="the second of IN",
    ),
    answers(
        "legacy.joined",
        scan(ScanFilter={**where("EQ", n(1)), **where("NULL", attribute="w")}, ConditionalOperator="OR"),
        given=[put()],
        has={"Count": 1},
        name="OR",
    ),
    answers(
        "legacy.joined",
        scan(ScanFilter={**where("EQ", n(1)), **where("NULL", attribute="w")}),
        given=[put()],
        has={"Count": 0},
        name="AND",
    ),
    refuses(
        "items.condition-failed",
        update(None, Expected={"v": {"Value": n(1)}}),
        "The conditional request failed",
        code="ConditionalCheckFailedException",
        control=update(None, Expected={"v": {"Exists": False}}),
        name="Expected of a missing attribute",
    ),
)  # fmt: skip

_LIMIT = "x" * 409_596

REST: tuple[Check, ...] = (
    refuses(
        "legacy.duplicate-attribute",
        get(AttributesToGet=["v", "w", "v"]),
        f"{INVALID}Duplicate value in attribute name: v",
        control=get(AttributesToGet=["v", "w"]),
        name="GetItem",
    ),
    refuses(
        "legacy.duplicate-attribute",
        scan(AttributesToGet=["v", "v"]),
        f"{INVALID}Duplicate value in attribute name: v",
        control=scan(AttributesToGet=["v"]),
        name="Scan",
    ),
    answers("legacy.empty-expected", get(), given=[update("SET v = :v", {"v": n(1)}), delete(Expected={})], body={}),
    answers(
        "legacy.statement-size",
        Step(
            "UpdateItem",
            {"TableName": T0, "Key": {"pk": s("K")}, "AttributeUpdates": {"b": {"Value": s(_LIMIT)}}},
        ),
        body={},
    ),
    answers(
        "legacy.attributes-to-get",
        get(AttributesToGet=["v", "m.x", "gone"]),
        given=[put({"v": n(1), "m": named(x=n(2)), "m.x": n(3), "w": n(4)})],
        body={"Item": {"v": n(1), "m.x": n(3)}},
        name="names",
    ),
    answers(
        "legacy.attributes-to-get",
        scan(AttributesToGet=["gone"]),
        given=[put({"v": n(1)})],
        has={"Count": 1, "Items": [{}]},
        name="nothing matches",
    ),
)

CHECKS: tuple[Check, ...] = (*EXPECTED, *KEY_CONDITIONS, *UPDATES, *COMPARISONS, *REST)
