"""Checks of TransactWriteItems and TransactGetItems."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import (
    INVALID,
    KEY,
    answers,
    deep,
    get,
    item,
    n,
    named,
    put,
    refuses,
    s,
    t_check,
    t_delete,
    t_get,
    t_put,
    t_update,
    transact,
    transact_get,
)
from conformance.program import Step
from reference.api import Item, Json

_B: Item = {"pk": s("b")}
_C: Item = {"pk": s("c")}
_TWICE = "Transaction request cannot include multiple operations on one item"
_CANCELLED = "Transaction cancelled, please refer cancellation reasons for specific reasons "
_HERE = t_check("attribute_exists(pk)")
_NOT_HERE = t_check("attribute_not_exists(pk)")
_NONE: dict[str, Json] = {"Code": "None"}
_FAILED: dict[str, Json] = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
_MISMATCH = "The provided key element does not match the schema"
_GONE = "dynoracle-no-such-table"


def _invalid(message: str) -> dict[str, Json]:
    return {"Code": "ValidationError", "Message": message}


def _cancels(
    name: str, when: Step, reasons: Sequence[dict[str, Json]], *given: Step, control: Step | None = None
) -> Check:
    codes = ", ".join(reason["Code"] for reason in reasons)
    return refuses(
        "transactions.cancelled",
        when,
        f"{_CANCELLED}[{codes}]",
        code="TransactionCanceledException",
        fields={"CancellationReasons": list(reasons)},
        given=given,
        control=control or transact(t_put(_C)),
        name=name,
    )


CANCELLED: tuple[Check, ...] = (
    _cancels("condition", transact(_HERE), [_FAILED], control=transact(_NOT_HERE)),
    _cancels("condition and harmless delete", transact(_HERE, t_delete(_B)), [_FAILED, _NONE]),
    _cancels("second action", transact(t_put(_B), _HERE), [_NONE, _FAILED]),
    _cancels(
        "two conditions", transact(_HERE, t_put(_B, ConditionExpression="attribute_exists(pk)")), [_FAILED, _FAILED]
    ),
    *(
        _cancels(
            f"{name} returns the old item",
            transact(action),
            [{**_FAILED, "Item": item(v=n(1))}],
            put({"v": n(1)}),
        )
        for name, action in (
            (
                "Put",
                t_put(ConditionExpression="attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
            ),
            (
                "Update",
                t_update(
                    "REMOVE v",
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                ),
            ),
            (
                "Delete",
                t_delete(ConditionExpression="attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
            ),
            ("ConditionCheck", t_check("attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD")),
        )
    ),
    *(
        _cancels(f"{name} key of another type", transact(action), [_invalid(_MISMATCH)])
        for name, action in (
            ("Update", t_update("SET v = :v", {"v": n(1)}, {"pk": n(5)})),
            ("Delete", t_delete({"pk": n(5)})),
            ("ConditionCheck", t_check("attribute_not_exists(pk)", key={"pk": n(5)})),
        )
    ),
    _cancels(
        "Put key of another type",
        transact(t_put({"pk": n(5)})),
        [_invalid(f"{INVALID}Type mismatch for key pk expected: S actual: N")],
    ),
    _cancels(
        "Put without key",
        transact({"Put": {"TableName": T0, "Item": {"v": n(1)}}}),
        [_invalid(f"{INVALID}Missing the key pk in the item")],
    ),
    _cancels(
        "only the first validation error",
        transact(t_delete({"pk": n(1)}), _HERE, t_delete({"pk": n(2)})),
        [_invalid(_MISMATCH), _NONE, _NONE],
    ),
    _cancels(
        "update of another type",
        transact(t_update("SET v = v + :v", {"v": n(1)})),
        [_invalid("An operand in the update expression has an incorrect data type")],
        put({"v": s("x")}),
    ),
    _cancels(
        "missing attribute",
        transact(t_update("SET v = w")),
        [_invalid("The provided expression refers to an attribute that does not exist in the item")],
    ),
    _cancels(
        "invalid path",
        transact(t_update("SET v.w = :v", {"v": n(1)})),
        [_invalid("The document path provided in the update expression is invalid for update")],
    ),
    _cancels(
        "oversized update",
        transact(t_update("SET w = :w", {"w": s("x" * 200_000)})),
        [_invalid("Item size to update has exceeded the maximum allowed size")],
        put({"v": s("x" * 300_000)}),
    ),
    _cancels(
        "number overflow",
        transact(t_update("ADD v :v", {"v": n("9e125")})),
        [_invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")],
        put({"v": n("9e125")}),
    ),
    _cancels(
        "TransactGetItems, key of another type",
        transact_get(t_get({"pk": n(5)})),
        [_invalid(_MISMATCH)],
        control=transact_get(t_get()),
    ),
    _cancels(
        "TransactGetItems, empty key", transact_get(t_get({})), [_invalid(_MISMATCH)], control=transact_get(t_get())
    ),
)

_UNUSED = {"ExpressionAttributeValues": {":v": n(1)}}
_SYNTAX = t_check("attribute_not_exists(", key=_B)
_SYNTAX_TEXT = 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("'
_DEEP = t_put({"v": deep(32)})
_DEEP_TEXT = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)
_UNUSED_TEXT = "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}"
_ELSEWHERE = {"Put": {"TableName": _GONE, "Item": KEY}}


def _first(rule: str, name: str, when: Step, message: str) -> Check:
    return refuses(rule, when, message, control=transact(t_put()), name=name)


ORDER: tuple[Check, ...] = (
    _first("expressions.syntax", "before a missing table", transact(_ELSEWHERE, _SYNTAX), _SYNTAX_TEXT),
    _first("expressions.syntax", "before a later action's depth", transact(_SYNTAX, _DEEP), _SYNTAX_TEXT),
    _first("values.nesting", "before a later action's syntax", transact(_DEEP, _SYNTAX), _DEEP_TEXT),
    _first(
        "expressions.values-unused",
        "before a missing table",
        transact(_ELSEWHERE, t_check("attribute_not_exists(v)", key=_B, **_UNUSED)),
        _UNUSED_TEXT,
    ),
    _first(
        "expressions.values-unused",
        "before a duplicate target",
        transact(t_put(), t_check("attribute_not_exists(v)", **_UNUSED)),
        _UNUSED_TEXT,
    ),
    refuses(
        "items.table-missing",
        transact({"Put": {"TableName": _GONE, "Item": {}}}),
        "Requested resource not found",
        code="ResourceNotFoundException",
        control=transact(t_put()),
        name="before the item's key",
    ),
    refuses(
        "items.table-missing",
        transact(_ELSEWHERE, t_put(), t_delete()),
        "Requested resource not found",
        code="ResourceNotFoundException",
        control=transact(t_put()),
        name="before a duplicate target",
    ),
)

_TOKEN: dict[str, Json] = {"ClientRequestToken": "${token:a}"}
_TWO = {"t0": table(), "t1": table("t1")}
_T1 = "${table:t1}"

WHOLE: tuple[Check, ...] = tuple(
    refuses("transactions.refused-whole", transact(*actions), message, control=transact(t_put(_C)), name=name)
    for name, message, actions in (
        ("a later action's expression", _SYNTAX_TEXT, (t_put(), _SYNTAX)),
        (
            "a later action's value",
            "The parameter cannot be converted to a numeric value: abc",
            (t_put({**_B, "v": n("abc")}),),
        ),
        (
            "a later action's unused value",
            _UNUSED_TEXT,
            (t_put(), t_check("attribute_not_exists(v)", key=_B, **_UNUSED)),
        ),
    )
)

TARGETS: tuple[Check, ...] = (
    refuses(
        "transactions.duplicate-target",
        transact(t_put(), t_delete()),
        _TWICE,
        control=transact(t_put(), t_delete(_B)),
        name="put and delete",
    ),
    refuses(
        "transactions.duplicate-target",
        transact(_NOT_HERE, t_put()),
        _TWICE,
        control=transact(_NOT_HERE),
        name="condition check",
    ),
    refuses(
        "transactions.duplicate-target",
        transact_get(t_get(), t_get()),
        _TWICE,
        control=transact_get(t_get(), t_get(_B)),
        name="reads",
    ),
    refuses(
        "transactions.duplicate-target",
        transact(t_put({"pk": n(1000)}), t_delete({"pk": n("1e3")})),
        _TWICE,
        tables={"t0": table(key="pk:N")},
        control=transact(t_put({"pk": n(1000)}), t_delete({"pk": n("1e4")})),
        name="one number in two spellings",
    ),
    refuses(
        "transactions.payload-size",
        transact(*(t_put({"pk": s(str(i)), "v": s("x" * 350_000)}) for i in range(12))),
        phrase="",
        control=transact(*(t_put({"pk": s(str(i)), "v": s("x" * 350_000)}) for i in range(10))),
        name="puts",
    ),
    answers(
        "transactions.payload-size",
        transact(*(t_delete({"pk": s(str(i))}) for i in range(13))),
        given=[put({"pk": s(str(i)), "v": s("x" * 400_000)}) for i in range(13)],
        body={},
        name="deletes of more than that",
    ),
    refuses(
        "transactions.read-size",
        transact_get(*(t_get({"pk": s(str(i))}) for i in range(13))),
        phrase="",
        given=[put({"pk": s(str(i)), "v": s("x" * 400_000)}) for i in range(13)],
        control=transact_get(*(t_get({"pk": s(str(i))}) for i in range(9))),
    ),
    refuses(
        "transactions.token-mismatch",
        transact(t_put({"v": n(2)}), **_TOKEN),
        phrase="",
        code="IdempotentParameterMismatchException",
        given=[transact(t_put({"v": n(1)}), **_TOKEN)],
        control=transact(t_put({"v": n(1)}), **_TOKEN),
    ),
)

DONE: tuple[Check, ...] = (
    answers("transactions.write-result", transact(t_put(), t_delete(_B)), body={}, name="answer"),
    answers("transactions.write-result", transact(_NOT_HERE), body={}, name="only a check"),
    answers(
        "transactions.write-result",
        transact_get(t_get(), t_get(_B), t_get(_C)),
        given=[
            put({"pk": s("b"), "v": n(1)}),
            put({"pk": s("c"), "v": n(1)}),
            transact(t_put({"v": n(9)}), t_update("ADD v :v", {"v": n(1)}, _B), t_delete(_C)),
        ],
        body={"Responses": [{"Item": item(v=n(9))}, {"Item": {**_B, "v": n(2)}}, {}]},
        name="all at once",
    ),
    answers(
        "transactions.write-result",
        Step("GetItem", {"TableName": _T1, "Key": KEY, "ConsistentRead": True}),
        tables=_TWO,
        given=[transact(t_put(), {"Put": {"TableName": _T1, "Item": item(v=n(1))}})],
        body={"Item": item(v=n(1))},
        name="two tables",
    ),
    answers(
        "transactions.read-result",
        transact_get(t_get(_B), t_get(), t_get(_C)),
        given=[put({"v": n(1)}), put(_C)],
        body={"Responses": [{}, {"Item": item(v=n(1))}, {"Item": _C}]},
        name="in the order asked",
    ),
    answers(
        "transactions.read-result",
        transact_get(t_get(ProjectionExpression="m.x"), t_get(_B, ProjectionExpression="gone")),
        given=[put({"m": named(x=n(1), y=n(2))}), put(_B)],
        body={"Responses": [{"Item": {"m": named(x=n(1))}}, {}]},
        name="projection",
    ),
    answers(
        "transactions.replay",
        get(),
        given=[
            transact(t_update("ADD v :v", {"v": n(1)}), **_TOKEN),
            transact(t_update("ADD v :v", {"v": n(1)}), **_TOKEN),
        ],
        body={"Item": item(v=n(1))},
        name="done once",
    ),
    answers(
        "transactions.replay",
        transact(t_put({"w": n(2), "v": n(1)}), ReturnConsumedCapacity="NONE", **_TOKEN),
        given=[transact(t_put({"v": n(1), "w": n(2)}), **_TOKEN)],
        body={},
        name="members in another order, capacity asked for",
    ),
    answers(
        "transactions.replay",
        transact(t_put(ConditionExpression="attribute_not_exists(pk)"), **_TOKEN),
        given=[transact(t_put(ConditionExpression="attribute_not_exists(pk)"), **_TOKEN)],
        body={},
        name="conditions are not asked again",
    ),
)

CHECKS: tuple[Check, ...] = (*CANCELLED, *ORDER, *WHOLE, *TARGETS, *DONE)
