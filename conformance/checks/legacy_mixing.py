"""Checks of how old parameters may stand together, and beside expressions."""

from __future__ import annotations

from conformance.checks.base import Check
from conformance.checks.legacy import KEYED, NOT_HERE, changing, where
from conformance.checks.steps import (
    ENVELOPE,
    KEY,
    aliases,
    batch_get,
    delete,
    get,
    put,
    query,
    refuses,
    s,
    scan,
    update,
)


def _mixed(legacy: str, expressions: str) -> str:
    return (
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: "
        f"{{{legacy}}} Expression parameters: {{{expressions}}}"
    )


_ABSENT = "attribute_not_exists(v)"

MIXED: tuple[Check, ...] = (
    refuses(
        "legacy.mixed-parameters",
        put(Expected=NOT_HERE, ConditionExpression=_ABSENT),
        ENVELOPE + _mixed("Expected", "ConditionExpression"),
        control=put(Expected=NOT_HERE),
        name="PutItem",
    ),
    refuses(
        "legacy.mixed-parameters",
        delete(Expected=NOT_HERE, ConditionExpression=_ABSENT),
        ENVELOPE + _mixed("Expected", "ConditionExpression"),
        control=delete(Expected=NOT_HERE),
        name="DeleteItem",
    ),
    refuses(
        "legacy.mixed-parameters",
        update("REMOVE v", Expected=NOT_HERE),
        ENVELOPE + _mixed("Expected", "UpdateExpression"),
        control=update(None, Expected=NOT_HERE),
        name="UpdateExpression and Expected",
    ),
    refuses(
        "legacy.mixed-parameters",
        update(None, AttributeUpdates={"v": {"Action": "DELETE"}}, ConditionExpression=_ABSENT),
        ENVELOPE + _mixed("AttributeUpdates", "ConditionExpression"),
        control=changing(v={"Action": "DELETE"}),
        name="AttributeUpdates and ConditionExpression",
    ),
    refuses(
        "legacy.mixed-parameters",
        update(
            "REMOVE v", AttributeUpdates={"v": {"Action": "DELETE"}}, Expected=NOT_HERE, ConditionExpression=_ABSENT
        ),
        ENVELOPE + _mixed("AttributeUpdates, Expected", "UpdateExpression, ConditionExpression"),
        control=update("REMOVE v", ConditionExpression=_ABSENT),
        name="UpdateItem, all",
    ),
    refuses(
        "legacy.mixed-parameters",
        get(AttributesToGet=["v"], ProjectionExpression="v"),
        _mixed("AttributesToGet", "ProjectionExpression"),
        control=get(AttributesToGet=["v"]),
        name="GetItem",
    ),
    refuses(
        "legacy.mixed-parameters",
        batch_get(KEY, within={"AttributesToGet": ["v"], "ProjectionExpression": "v"}),
        _mixed("AttributesToGet", "ProjectionExpression"),
        control=batch_get(KEY, within={"AttributesToGet": ["v"]}),
        name="BatchGetItem",
    ),
    refuses(
        "legacy.mixed-parameters",
        query(
            "pk = :pk",
            {"pk": s("a")},
            AttributesToGet=["v"],
            QueryFilter={**where("NULL"), **where("NULL", attribute="w")},
            ConditionalOperator="OR",
            KeyConditions=KEYED,
            ProjectionExpression="v",
            FilterExpression=_ABSENT,
        ),
        _mixed(
            "AttributesToGet, QueryFilter, ConditionalOperator, KeyConditions",
            "ProjectionExpression, FilterExpression, KeyConditionExpression",
        ),
        control=query(None, KeyConditions=KEYED, FilterExpression=_ABSENT, ProjectionExpression="v"),
        name="Query",
    ),
    refuses(
        "legacy.mixed-parameters",
        scan(AttributesToGet=["v"], ScanFilter=where("NULL"), ProjectionExpression="v", FilterExpression=_ABSENT),
        _mixed("AttributesToGet, ScanFilter", "ProjectionExpression, FilterExpression"),
        control=scan(AttributesToGet=["v"], ScanFilter=where("NULL")),
        name="Scan",
    ),
    refuses(
        "expressions.names-without-expression",
        put(Expected=NOT_HERE, **aliases(v="v")),
        f"{ENVELOPE}ExpressionAttributeNames can only be specified when using expressions",
        control=put(Expected=NOT_HERE),
        name="beside Expected",
    ),
)

_ALONE = "ConditionalOperator cannot be used without Filter or Expected"
_ONE = "ConditionalOperator can only be used when Filter or Expected has two or more elements"
_TWO = {**NOT_HERE, "w": {"Exists": False}}

OPERATORS: tuple[Check, ...] = (
    refuses(
        "legacy.operator-without-conditions",
        put(ConditionalOperator="OR"),
        ENVELOPE + _ALONE,
        control=put(Expected=_TWO, ConditionalOperator="OR"),
        name="PutItem",
    ),
    refuses(
        "legacy.operator-without-conditions",
        update(None, Expected={}, ConditionalOperator="AND"),
        ENVELOPE + _ALONE,
        control=update(None, Expected=_TWO, ConditionalOperator="AND"),
        name="empty Expected",
    ),
    refuses(
        "legacy.operator-without-conditions",
        scan(ConditionalOperator="OR"),
        _ALONE,
        control=scan(ScanFilter={**where("NULL"), **where("NULL", attribute="w")}, ConditionalOperator="OR"),
        name="Scan",
    ),
    refuses(
        "legacy.operator-for-one-condition",
        scan(ConditionalOperator="OR", ScanFilter=where("NULL")),
        _ONE,
        control=scan(ScanFilter={**where("NULL"), **where("NULL", attribute="w")}, ConditionalOperator="OR"),
        name="Scan",
    ),
    refuses(
        "legacy.operator-for-one-condition",
        delete(ConditionalOperator="OR", Expected=NOT_HERE),
        ENVELOPE + _ONE,
        control=delete(ConditionalOperator="OR", Expected=_TWO),
        name="DeleteItem",
    ),
)


CHECKS: tuple[Check, ...] = (*MIXED, *OPERATORS)
