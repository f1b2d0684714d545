"""Checks of which fault a request with several is refused for: the order of the service's checks."""

from __future__ import annotations

from conformance.checks.base import Check
from conformance.checks.steps import (
    ENVELOPE,
    INVALID,
    SORTED,
    aliases,
    deep,
    delete,
    get,
    n,
    partition,
    placeholders,
    put,
    query,
    refuses,
    s,
    scan,
    t_check,
    t_delete,
    t_put,
    t_update,
    transact,
    update,
)
from conformance.program import Step
from reference.api import Item, Json

_NESTING = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)
_KEYED_NESTING = f"ExpressionAttributeValues contains invalid value: {_NESTING} for key :deep"
_NO_NAME = "Empty attribute name"
_SYNTAX = 'Invalid ConditionExpression: Syntax error; token: "=", near: "= = b"'
_UNUSED = "Value provided in ExpressionAttributeValues unused in expressions: keys: {:u}"
_B: Item = {"pk": s("b")}
_NAMELESS = t_put({"": s("x")})
_SURPLUS = t_update("SET a = :v", {"v": s("x"), "u": s("y")})
_LONG_CONDITION = "a = :v" + " AND a = :v" * 373
_LONG_UPDATE = "SET " + ", ".join(f"a{number} = :v" for number in range(500))


def _actions(rule: str, name: str, message: str, *actions: dict[str, Json]) -> Check:
    return refuses(rule, transact(*actions), message, control=transact(t_put()), name=f"transaction: {name}")


ACTIONS: tuple[Check, ...] = (
    _actions("values.nesting", "before a later action's names", _NESTING, t_put({**_B, "d": deep(40)}), _NAMELESS),
    _actions("values.empty-name", "before a later action's depth", _NO_NAME, _NAMELESS, t_put({**_B, "d": deep(100)})),
    _actions(
        "values.empty-name",
        "before a later condition's value",
        _NO_NAME,
        _NAMELESS,
        t_check("d = :deep", {"deep": deep(100)}, _B),
    ),
    _actions(
        "values.nesting",
        "a condition's value before a later action's names",
        _KEYED_NESTING,
        t_check("d = :deep", {"deep": deep(40)}, _B),
        _NAMELESS,
    ),
    _actions(
        "values.nesting",
        "an update's value before a later action's names",
        _KEYED_NESTING,
        t_update("SET d = :deep", {"deep": deep(40)}, _B),
        _NAMELESS,
    ),
    _actions(
        "values.nesting",
        "a key before a later action's condition",
        _NESTING,
        t_delete({"pk": deep(40)}),
        t_put(ConditionExpression="a = = b"),
    ),
    _actions(
        "values.nesting",
        "a key before a later action's unused value",
        _NESTING,
        t_check("attribute_exists(a)", key={"pk": deep(40)}),
        _SURPLUS,
    ),
    _actions(
        "expressions.syntax",
        "before a later action's key",
        _SYNTAX,
        t_put(ConditionExpression="a = = b"),
        t_delete({"pk": deep(100)}),
    ),
    _actions(
        "expressions.syntax", "before its own key", _SYNTAX, t_delete({"pk": deep(100)}, ConditionExpression="a = = b")
    ),
    _actions(
        "expressions.size",
        "a condition's before its own key",
        "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression size: 4109",
        t_delete({"pk": deep(100)}, ConditionExpression=_LONG_CONDITION, **placeholders({"v": s("x")})),
    ),
    _actions(
        "expressions.size",
        "an update's before a later action's key",
        "Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;",
        t_update(_LONG_UPDATE, {"v": s("x")}),
        t_check("attribute_exists(a)", key={"pk": deep(100)}),
    ),
    _actions(
        "expressions.values-unused",
        "before a later action's key",
        _UNUSED,
        _SURPLUS,
        t_check("attribute_exists(a)", key={"pk": deep(100)}),
    ),
)

_OLD_OPERATOR = (
    f"{ENVELOPE}Value 'XOR' at 'conditionalOperator' failed to satisfy constraint: "
    "Member must satisfy enum value set: [OR, AND]"
)
_OLD_RETURNS = (
    f"{ENVELOPE}Value 'BOGUS' at 'returnValues' failed to satisfy constraint: "
    "Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
)
_DEEP_EXPECTED: dict[str, Json] = {
    "Expected": {"a": {"Value": deep(100)}, "b": {"Exists": False}},
    "ConditionalOperator": "XOR",
}


def _deep_condition(wraps: int) -> dict[str, Json]:
    return {"ConditionExpression": "d = :deep", **placeholders({"deep": deep(wraps)})}


OLDER: tuple[Check, ...] = (
    refuses(
        "wire.conditional-operator-enum",
        put(**_DEEP_EXPECTED),
        _OLD_OPERATOR,
        control=put(),
        name="PutItem before an expected value of 100 levels",
    ),
    refuses(
        "wire.conditional-operator-enum",
        update(None, AttributeUpdates={"x": {"Action": "PUT", "Value": s("1")}}, **_DEEP_EXPECTED),
        _OLD_OPERATOR,
        control=update(None),
        name="UpdateItem before an expected value of 100 levels",
    ),
    refuses(
        "wire.return-values-enum",
        delete(ReturnValues="BOGUS", **_deep_condition(63)),
        _OLD_RETURNS,
        control=delete(),
        name="DeleteItem before a condition's value of 63 levels",
    ),
    refuses(
        "wire.return-values-enum",
        delete(ReturnValues="BOGUS", Expected={"d": {"Value": deep(63)}}),
        _OLD_RETURNS,
        control=delete(),
        name="DeleteItem before an expected value of 63 levels",
    ),
    refuses(
        "wire.return-values-enum",
        delete({"pk": deep(100)}, ReturnValues="BOGUS"),
        _OLD_RETURNS,
        control=delete(),
        name="DeleteItem before a key of 100 levels",
    ),
    refuses(
        "items.return-values",
        delete(ReturnValues="UPDATED_NEW", **_deep_condition(100)),
        "ReturnValues can only be ALL_OLD or NONE",
        control=delete(),
        name="DeleteItem before a condition's value of 100 levels",
    ),
)

_GONE = "dynoracle-no-such-table"
_CAPACITY = (
    f"{ENVELOPE}Value 'INVALID' at 'returnConsumedCapacity' failed to satisfy constraint: "
    "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
)
_CUT_OFF = 'Syntax error; token: "<EOF>", near: "("'
_MISMATCH = "The provided key element does not match the schema"
_NO_TABLE = "Requested resource not found"
_BAD_ENUM: dict[str, Json] = {"ReturnConsumedCapacity": "INVALID"}
_FALSE: dict[str, Json] = {"ConditionExpression": "attribute_exists(v)"}
_TWO_NAMES = aliases(q="q")
_UNUSED_NAME = "Value provided in ExpressionAttributeNames unused in expressions: keys: {#q}"


def _gone(step: Step) -> Step:
    """The same call of a table that does not exist."""
    return Step(step.operation, {**step.body, "TableName": _GONE})


STAGES: tuple[Check, ...] = (
    *(
        refuses(
            "wire.enum",
            _gone(step),
            _CAPACITY,
            control=control,
            name=f"{step.operation}, before expression and table",
        )
        for step, control in (
            (put(ConditionExpression="(", **_BAD_ENUM), put()),
            (delete(ConditionExpression="(", **_BAD_ENUM), delete()),
            (get(ProjectionExpression="a,,", **_BAD_ENUM), get()),
            (query("pk = ", **_BAD_ENUM), partition()),
            (scan(FilterExpression="(", **_BAD_ENUM), scan()),
        )
    ),
    *(
        refuses("expressions.syntax", _gone(step), message, control=control, name=f"{step.operation}, before the table")
        for step, message, control in (
            (put(ConditionExpression="("), f"{ENVELOPE}Invalid ConditionExpression: {_CUT_OFF}", put()),
            (delete(ConditionExpression="("), f"{ENVELOPE}Invalid ConditionExpression: {_CUT_OFF}", delete()),
            (update(None, ConditionExpression="("), f"{ENVELOPE}Invalid ConditionExpression: {_CUT_OFF}", update(None)),
            (scan(FilterExpression="("), f"Invalid FilterExpression: {_CUT_OFF}", scan()),
        )
    ),
    *(
        refuses(
            "expressions.names-unused",
            _gone(step),
            message,
            control=control,
            name=f"{step.operation}, before the table",
        )
        for step, message, control in (
            (put(**_FALSE, **_TWO_NAMES), ENVELOPE + _UNUSED_NAME, put()),
            (update("REMOVE v", None, **_TWO_NAMES), ENVELOPE + _UNUSED_NAME, update("REMOVE v")),
            (get(ProjectionExpression="v", **_TWO_NAMES), _UNUSED_NAME, get()),
            (partition(**_TWO_NAMES), _UNUSED_NAME, partition()),
        )
    ),
    refuses(
        "expressions.names-unused",
        put(**_FALSE, **_TWO_NAMES),
        ENVELOPE + _UNUSED_NAME,
        control=put(),
        name="before the condition is false",
    ),
    *(
        refuses(
            "items.table-missing",
            _gone(step),
            _NO_TABLE,
            code="ResourceNotFoundException",
            control=control,
            name=f"{step.operation}, before the key",
        )
        for step, control in (
            (get({"q": s("a")}), get()),
            (delete({"pk": n(1)}), delete()),
            (update(None, key={"pk": n(1)}), update(None)),
        )
    ),
    refuses(
        "keys.schema-mismatch",
        delete({"pk": n(1)}, **_FALSE),
        _MISMATCH,
        control=delete(),
        name="DeleteItem, before the condition",
    ),
    refuses(
        "keys.schema-mismatch",
        update("SET v = w", key={"pk": n(1)}, **_FALSE),
        _MISMATCH,
        control=update("REMOVE v"),
        name="UpdateItem, before the condition",
    ),
    refuses(
        "keys.update-key",
        update("REMOVE pk", **_FALSE),
        f"{INVALID}Cannot update attribute pk. This attribute is part of the key",
        control=update("REMOVE v"),
        name="before the condition",
    ),
    refuses(
        "items.condition-failed",
        update("SET v = w", **_FALSE),
        "The conditional request failed",
        code="ConditionalCheckFailedException",
        control=update("REMOVE v"),
        name="before a missing attribute",
    ),
    refuses(
        "items.condition-failed",
        update("SET v.w = :w", {"w": n(1)}, **_FALSE),
        "The conditional request failed",
        code="ConditionalCheckFailedException",
        control=update("REMOVE v"),
        name="before an invalid path",
    ),
)

_BEGINS = (
    "Invalid KeyConditionExpression: Incorrect operand type for operator or function; "
    "operator or function: begins_with, operand type: N"
)
_UNDEFINED = (
    "Invalid KeyConditionExpression: An expression attribute value used in expression is not defined; "
    "attribute value: :u"
)

KEY_CONDITIONS: tuple[Check, ...] = tuple(
    refuses(
        rule,
        query(text, values),
        message,
        tables=SORTED,
        control=partition(),
        name=f"key condition, {name}",
    )
    for rule, name, text, values, message in (
        (
            "expressions.undefined-value",
            "before a later operand",
            "pk = :u AND begins_with(sk, :n)",
            {"n": n(1)},
            _UNDEFINED,
        ),
        (
            "expressions.operand-type",
            "before a later undefined value",
            "begins_with(sk, :n) AND pk = :u",
            {"n": n(1)},
            _BEGINS,
        ),
        (
            "expressions.operand-type",
            "between two conditions",
            "pk = :p AND begins_with(sk, :n) AND sk = :u",
            {"p": s("q"), "n": n(1)},
            _BEGINS,
        ),
        (
            "expressions.operand-type",
            "before a third condition",
            "pk = :p AND begins_with(sk, :n) AND sk > :s",
            {"p": s("q"), "n": n(1), "s": s("a")},
            _BEGINS,
        ),
    )
)

TYPES: tuple[Check, ...] = (
    refuses(
        "expressions.key-condition-type",
        query(":p > pk", {"p": n(1)}),
        f"{INVALID}Condition parameter type does not match schema type",
        control=partition(),
        name="before the partition key's operator",
    ),
)

CHECKS: tuple[Check, ...] = ACTIONS + OLDER + STAGES + KEY_CONDITIONS + TYPES
