"""Checks of placeholders in expressions: ExpressionAttributeNames and ExpressionAttributeValues."""

from __future__ import annotations

from conformance.checks.base import T0, Check
from conformance.checks.steps import (
    ENVELOPE,
    KEY,
    aliases,
    answers,
    batch_get,
    condition,
    delete,
    get,
    holds,
    n,
    named,
    partition,
    put,
    query,
    refuses,
    s,
    scan,
    t_check,
    t_delete,
    t_get,
    t_put,
    t_update,
    transact,
    transact_get,
    update,
)
from conformance.program import Step
from reference.api import Json

_V = {"v": n(1)}


def _batch(**members: Json) -> Step:
    return batch_get(KEY, within=members)


_NAMES_ALONE = "ExpressionAttributeNames can only be specified when using expressions"
_VALUES_ALONE = "ExpressionAttributeValues can only be specified when using expressions"
_KEY_CONDITIONS = {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [s("a")]}}


def _old_query(**members: Json) -> Step:
    return query(None, KeyConditions=_KEY_CONDITIONS, **members)


_TOO_LONG = " contains invalid key: The expression attribute map contains a key that is too long;"
_NO_NAME = "An expression attribute name used in the document path is not defined; attribute name: "
_NO_VALUE = "An expression attribute value used in expression is not defined; attribute value: "
_UNUSED_NAME = "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x}"
_UNUSED_VALUE = "Value provided in ExpressionAttributeValues unused in expressions: keys: {:x}"

PLACEHOLDERS: tuple[Check, ...] = (
    refuses(
        "expressions.names-without-expression",
        put(**aliases(a="a")),
        ENVELOPE + _NAMES_ALONE,
        control=put(),
        name="PutItem",
    ),
    refuses(
        "expressions.names-without-expression",
        delete(**aliases(a="a")),
        ENVELOPE + _NAMES_ALONE,
        control=delete(),
        name="DeleteItem",
    ),
    refuses(
        "expressions.names-without-expression",
        update(None, **aliases(a="a")),
        ENVELOPE + _NAMES_ALONE,
        control=update(None),
        name="UpdateItem",
    ),
    refuses(
        "expressions.names-without-expression",
        get({"no": s("a")}, **aliases(a="a")),
        _NAMES_ALONE,
        control=get(),
        name="GetItem",
    ),
    refuses(
        "expressions.names-without-expression",
        _batch(**aliases(a="a")),
        _NAMES_ALONE,
        control=_batch(),
        name="BatchGetItem",
    ),
    refuses("expressions.names-without-expression", scan(**aliases(a="a")), _NAMES_ALONE, control=scan(), name="Scan"),
    refuses(
        "expressions.names-without-expression",
        _old_query(**aliases(a="a")),
        _NAMES_ALONE,
        control=_old_query(),
        name="Query",
    ),
    answers("transactions.placeholders-alone", transact(t_put(**aliases(a="a"))), body={}, name="names"),
    answers(
        "transactions.placeholders-alone", transact_get(t_get(**aliases(a="a"))), body={"Responses": [{}]}, name="Get"
    ),
    answers(
        "transactions.placeholders-alone",
        transact(t_delete(ExpressionAttributeValues={":v": n(1)})),
        body={},
        name="values",
    ),
    refuses(
        "expressions.values-without-expression",
        put(ExpressionAttributeValues={":v": n(1)}),
        ENVELOPE + _VALUES_ALONE,
        control=put(),
        name="PutItem",
    ),
    refuses(
        "expressions.values-without-expression",
        delete(ExpressionAttributeValues={":v": n(1)}),
        ENVELOPE + _VALUES_ALONE,
        control=delete(),
        name="DeleteItem",
    ),
    refuses(
        "expressions.values-without-expression",
        update(None, _V),
        ENVELOPE + _VALUES_ALONE,
        control=update(None),
        name="UpdateItem",
    ),
    refuses(
        "expressions.values-without-expression",
        scan(ExpressionAttributeValues={":v": n(1)}),
        f"{_VALUES_ALONE}: FilterExpression is null",
        control=scan(),
        name="Scan",
    ),
    refuses(
        "expressions.values-without-expression",
        _old_query(ExpressionAttributeValues={":v": n(1)}),
        f"{_VALUES_ALONE}: FilterExpression and KeyConditionExpression are null",
        control=_old_query(),
        name="Query",
    ),
    refuses(
        "expressions.names-empty",
        delete(ConditionExpression="attribute_not_exists(v)", ExpressionAttributeNames={}),
        f"{ENVELOPE}ExpressionAttributeNames must not be empty",
        control=delete(ConditionExpression="attribute_not_exists(v)"),
        name="DeleteItem",
    ),
    refuses(
        "expressions.names-empty",
        get(ProjectionExpression="v", ExpressionAttributeNames={}),
        "ExpressionAttributeNames must not be empty",
        control=get(ProjectionExpression="v"),
        name="GetItem",
    ),
    refuses(
        "expressions.names-empty",
        transact(t_check("attribute_not_exists(v)", ExpressionAttributeNames={})),
        "ExpressionAttributeNames must not be empty",
        control=transact(t_check("attribute_not_exists(v)")),
        name="transaction",
    ),
    refuses(
        "expressions.values-empty",
        update("REMOVE v", ExpressionAttributeValues={}),
        f"{ENVELOPE}ExpressionAttributeValues must not be empty",
        control=update("REMOVE v"),
        name="UpdateItem",
    ),
    refuses(
        "expressions.values-empty",
        scan(FilterExpression="attribute_exists(v)", ExpressionAttributeValues={}),
        "ExpressionAttributeValues must not be empty",
        control=scan(FilterExpression="attribute_exists(v)"),
        name="Scan",
    ),
    refuses(
        "expressions.values-empty",
        transact(t_check("attribute_not_exists(v)", ExpressionAttributeValues={})),
        "ExpressionAttributeValues must not be empty",
        control=transact(t_check("attribute_not_exists(v)")),
        name="transaction",
    ),
    refuses(
        "expressions.names-key",
        scan(FilterExpression="attribute_exists(v)", ExpressionAttributeNames={"a": "v"}),
        'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"',
        control=scan(FilterExpression="attribute_exists(#a)", **aliases(a="v")),
        name="Scan",
    ),
    refuses(
        "expressions.names-key",
        put(ConditionExpression="attribute_not_exists(v)", ExpressionAttributeNames={"#a-b": "v"}),
        f'{ENVELOPE}ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"',
        control=put(ConditionExpression="attribute_not_exists(#_1)", **aliases(_1="v")),
        name="PutItem",
    ),
    refuses(
        "expressions.values-key",
        scan(FilterExpression="attribute_exists(v)", ExpressionAttributeValues={"loc": n(1)}),
        'ExpressionAttributeValues contains invalid key: Syntax error; key: "loc"',
        control=scan(FilterExpression="v = :loc", ExpressionAttributeValues={":loc": n(1)}),
        name="Scan",
    ),
    refuses(
        "expressions.values-key",
        update("SET v = :v", ExpressionAttributeValues={"v": n(1)}),
        f'{ENVELOPE}ExpressionAttributeValues contains invalid key: Syntax error; key: "v"',
        control=update("SET v = :v", _V),
        name="UpdateItem",
    ),
    refuses(
        "expressions.placeholder-length",
        get(ProjectionExpression="#" + "n" * 255, **aliases(**{"n" * 255: "v"})),
        f"ExpressionAttributeNames{_TOO_LONG} size of key: 256",
        control=get(ProjectionExpression="#" + "n" * 254, **aliases(**{"n" * 254: "v"})),
        name="name",
    ),
    refuses(
        "expressions.placeholder-length",
        get(ProjectionExpression="#a", **aliases(**{"n" * 255 + "-x": "v"})),
        f"ExpressionAttributeNames{_TOO_LONG} size of key: 258",
        control=get(ProjectionExpression="#" + "n" * 254, **aliases(**{"n" * 254: "v"})),
        name="before-its-characters",
    ),
    refuses(
        "expressions.placeholder-length",
        scan(FilterExpression="v = :" + "n" * 255, ExpressionAttributeValues={":" + "n" * 255: n(1)}),
        f"ExpressionAttributeValues{_TOO_LONG}",
        control=scan(FilterExpression="v = :" + "n" * 254, ExpressionAttributeValues={":" + "n" * 254: n(1)}),
        name="value",
    ),
    refuses(
        "expressions.names-value-empty",
        get(ProjectionExpression="#a", **aliases(a="")),
        phrase="Empty attribute name",
        control=get(ProjectionExpression="#a", **aliases(a=" ")),
    ),
    refuses(
        "expressions.names-value",
        get(ProjectionExpression="#a", **aliases(a="n" * 65536)),
        phrase="6553",
        control=get(ProjectionExpression="#a", **aliases(a="n" * 65535)),
    ),
    refuses(
        "expressions.names-unused",
        update("REMOVE v", **aliases(x="w")),
        ENVELOPE + _UNUSED_NAME,
        control=update("REMOVE #x", **aliases(x="w")),
        name="UpdateItem",
    ),
    refuses(
        "expressions.names-unused",
        put(ConditionExpression="attribute_not_exists(v)", **aliases(x="w")),
        ENVELOPE + _UNUSED_NAME,
        control=put(ConditionExpression="attribute_not_exists(#x)", **aliases(x="w")),
        name="PutItem",
    ),
    refuses(
        "expressions.names-unused",
        delete(ConditionExpression="attribute_not_exists(v)", **aliases(x="w")),
        ENVELOPE + _UNUSED_NAME,
        control=delete(ConditionExpression="attribute_not_exists(#x)", **aliases(x="w")),
        name="DeleteItem",
    ),
    refuses(
        "expressions.names-unused",
        get(ProjectionExpression="v", **aliases(x="w")),
        _UNUSED_NAME,
        control=get(ProjectionExpression="#x", **aliases(x="w")),
        name="GetItem",
    ),
    refuses(
        "expressions.names-unused",
        _batch(ProjectionExpression="v", **aliases(x="w")),
        _UNUSED_NAME,
        control=_batch(ProjectionExpression="#x", **aliases(x="w")),
        name="BatchGetItem",
    ),
    refuses(
        "expressions.names-unused",
        scan(FilterExpression="attribute_exists(v)", **aliases(x="w")),
        _UNUSED_NAME,
        control=scan(FilterExpression="attribute_exists(#x)", **aliases(x="w")),
        name="Scan",
    ),
    refuses(
        "expressions.names-unused",
        partition(**aliases(x="w")),
        _UNUSED_NAME,
        control=partition(FilterExpression="attribute_exists(#x)", **aliases(x="w")),
        name="Query",
    ),
    refuses(
        "expressions.names-unused",
        transact_get({"Get": {"TableName": T0, "Key": KEY, "ProjectionExpression": "v", **aliases(x="w")}}),
        _UNUSED_NAME,
        control=transact_get({"Get": {"TableName": T0, "Key": KEY, "ProjectionExpression": "#x", **aliases(x="w")}}),
        name="TransactGetItems",
    ),
    refuses(
        "expressions.values-unused",
        condition("v = :v", {**_V, "x": n(2)}),
        ENVELOPE + _UNUSED_VALUE,
        control=condition("v <> :v AND v <> :x", {**_V, "x": n(2)}),
        name="condition-false",
    ),
    refuses(
        "expressions.values-unused",
        update("SET v = :v", {**_V, "x": n(2)}),
        ENVELOPE + _UNUSED_VALUE,
        control=update("SET v = :v, w = :x", {**_V, "x": n(2)}),
        name="UpdateItem",
    ),
    refuses(
        "expressions.values-unused",
        scan(FilterExpression="attribute_exists(v)", ExpressionAttributeValues={":x": n(2)}),
        _UNUSED_VALUE,
        control=scan(FilterExpression="v = :x", ExpressionAttributeValues={":x": n(2)}),
        name="Scan",
    ),
    refuses(
        "expressions.values-unused",
        partition(ExpressionAttributeValues={":x": n(2)}),
        _UNUSED_VALUE,
        control=partition(FilterExpression="v = :x", ExpressionAttributeValues={":x": n(2)}),
        name="Query",
    ),
    *(
        refuses(
            "expressions.values-unused",
            transact(action),
            _UNUSED_VALUE,
            control=transact(good),
            name=f"transaction-{name}",
        )
        for name, action, good in (
            (
                "Put",
                t_put(ConditionExpression="attribute_not_exists(v)", ExpressionAttributeValues={":x": n(2)}),
                t_put(ConditionExpression="v <> :x", ExpressionAttributeValues={":x": n(2)}),
            ),
            ("Update", t_update("REMOVE v", {"x": n(2)}), t_update("SET v = :x", {"x": n(2)})),
            (
                "Delete",
                t_delete(ConditionExpression="attribute_not_exists(v)", ExpressionAttributeValues={":x": n(2)}),
                t_delete(ConditionExpression="v <> :x", ExpressionAttributeValues={":x": n(2)}),
            ),
            ("ConditionCheck", t_check("attribute_not_exists(v)", {"x": n(2)}), t_check("v <> :x", {"x": n(2)})),
        )
    ),
    refuses(
        "expressions.undefined-name",
        get(ProjectionExpression="#undef"),
        f"Invalid ProjectionExpression: {_NO_NAME}#undef",
        control=get(ProjectionExpression="#undef", **aliases(undef="v")),
        name="projection",
    ),
    refuses(
        "expressions.undefined-name",
        update("SET v.#u = :v", _V),
        f"{ENVELOPE}Invalid UpdateExpression: {_NO_NAME}#u",
        given=[put({"v": named()})],
        control=update("SET v.#u = :v", _V, **aliases(u="x")),
        name="update",
    ),
    refuses(
        "expressions.undefined-value",
        update("SET v = :v"),
        f"{ENVELOPE}Invalid UpdateExpression: {_NO_VALUE}:v",
        control=update("SET v = :v", _V),
        name="update",
    ),
    refuses(
        "expressions.undefined-value",
        put(ConditionExpression="v = :v"),
        f"{ENVELOPE}Invalid ConditionExpression: {_NO_VALUE}:v",
        control=condition("v <> :v", _V),
        name="condition",
    ),
    refuses(
        "expressions.undefined-value",
        scan(FilterExpression="v = :v"),
        f"Invalid FilterExpression: {_NO_VALUE}:v",
        control=holds("v = :v", _V),
        name="filter",
    ),
    refuses(
        "expressions.undefined-value",
        query("pk = :v"),
        f"Invalid KeyConditionExpression: {_NO_VALUE}:v",
        control=query("pk = :v", {"v": s("a")}),
        name="key-condition",
    ),
)


CHECKS: tuple[Check, ...] = PLACEHOLDERS
