"""Checks of JSON types: what a request may not hold where its model says otherwise."""

from __future__ import annotations

from conformance.checks.base import T0, Check
from conformance.checks.steps import (
    KEY,
    answers,
    b,
    get,
    many,
    put,
    refuses,
    s,
    scan,
    t_check,
    t_put,
    transact,
    update,
)
from conformance.program import Step
from reference.api import Json

_SHAPES = "com.amazonaws.dynamodb.v20120810"
_CAST = (
    "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class "
    "(sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of "
    "loader 'bootstrap')"
)


def _mistyped(rule: str, when: Step, message: str | None, control: Step, name: str = "") -> Check:
    phrase = None if message is not None else ""
    return refuses(rule, when, message, phrase=phrase, control=control, name=name, code="SerializationException")


def _table(name: Json) -> Step:
    return Step("GetItem", {"TableName": name, "Key": KEY})


def _keys(keys: Json) -> Step:
    return Step("BatchGetItem", {"RequestItems": {T0: {"Keys": keys}}})


def _put(value: Json) -> Step:
    return Step("PutItem", {"TableName": T0, "Item": value})


def _v(value: Json) -> Step:
    return put({"v": value})


SCALARS: tuple[Check, ...] = (
    _mistyped("wire.string-type", _v({"S": 1}), "NUMBER_VALUE cannot be converted to String", _v(s("1")), "integer"),
    _mistyped("wire.string-type", _v({"N": 3}), "NUMBER_VALUE cannot be converted to String", _v({"N": "3"}), "number"),
    _mistyped(
        "wire.string-type", _v({"S": 1.5}), "DECIMAL_VALUE cannot be converted to String", _v(s("1")), "fraction"
    ),
    _mistyped("wire.string-type", _v({"S": True}), "TRUE_VALUE cannot be converted to String", _v(s("1")), "true"),
    _mistyped("wire.string-type", _v({"S": False}), "FALSE_VALUE cannot be converted to String", _v(s("0")), "false"),
    _mistyped(
        "wire.string-type",
        transact(t_put({"v": {"N": 3}})),
        "NUMBER_VALUE cannot be converted to String",
        transact(t_put()),
        "transaction",
    ),
    _mistyped(
        "wire.string-type",
        get(ProjectionExpression="#v", ExpressionAttributeNames={"#v": 1}),
        "NUMBER_VALUE cannot be converted to String",
        get(ProjectionExpression="#v", ExpressionAttributeNames={"#v": "v"}),
        "attribute name",
    ),
    _mistyped(
        "wire.string-member",
        scan(FilterExpression=1),
        "NUMBER_VALUE cannot be converted to String",
        scan(FilterExpression="attribute_exists(v)"),
    ),
    _mistyped(
        "wire.number-type", scan(Limit="1"), "STRING_VALUE cannot be converted to Integer", scan(Limit=1), "string"
    ),
    _mistyped("wire.number-type", scan(Limit=True), "TRUE_VALUE cannot be converted to Integer", scan(Limit=1), "true"),
    _mistyped(
        "wire.number-type",
        Step(
            "UpdateTable",
            {"TableName": T0, "ProvisionedThroughput": {"ReadCapacityUnits": "1", "WriteCapacityUnits": 1}},
        ),
        "STRING_VALUE cannot be converted to Long",
        scan(),
        "long",
    ),
    answers("wire.number-type", scan(Limit=1.9), given=[put(), put({"pk": s("b")})], has={"Count": 1}, name="floored"),
    _mistyped(
        "wire.boolean-type",
        get(ConsistentRead=1),
        "NUMBER_VALUE cannot be converted to Boolean",
        get(ConsistentRead=False),
        "number",
    ),
    _mistyped(
        "wire.boolean-type",
        _v({"BOOL": 0}),
        "NUMBER_VALUE cannot be converted to Boolean",
        _v({"BOOL": False}),
        "value",
    ),
    _mistyped(
        "wire.boolean-type",
        get(ConsistentRead=0.5),
        "DECIMAL_VALUE cannot be converted to Boolean",
        get(ConsistentRead=False),
        "fraction",
    ),
    *(
        _mistyped(
            "wire.boolean-text",
            get(ConsistentRead=text),
            "Unexpected token received from parser",
            get(ConsistentRead=good),
            repr(text),
        )
        for text, good in (("maybe", "yes"), ("", "NO"), ("2", "1"), ("t", "TRUE"))
    ),
    _mistyped(
        "wire.blob-type",
        _v({"B": True}),
        "only base-64-encoded strings are convertible to bytes",
        _v(b("AA==")),
        "true",
    ),
    _mistyped(
        "wire.blob-type",
        _v({"BS": [1]}),
        "only base-64-encoded strings are convertible to bytes",
        _v({"BS": [""]}),
        "set",
    ),
    *(
        _mistyped(
            "wire.base64-length",
            step,
            "Base64 encoded length is expected a multiple of 4 bytes but found: 5",
            good,
            name,
        )
        for name, step, good in (
            ("item", _v(b("AAAAA")), _v(b("AAAA"))),
            ("key", get({"pk": b("AAAAA")}), get()),
            ("value", update("SET v = :v", {"v": b("AAAAA")}), update("SET v = :v", {"v": b("AAAA")})),
            ("nested", _v(many(b("AAAAA"))), _v(many(b("AAAA")))),
        )
    ),
    _mistyped(
        "wire.base64-length",
        _v(b("AA=")),
        "Base64 encoded length is expected a multiple of 4 bytes but found: 3",
        _v(b("AA==")),
        "padding",
    ),
    _mistyped("wire.base64-character", _v(b("AA!=")), "Invalid Base64 character: '!'", _v(b("AAA="))),
    _mistyped("wire.base64-padding", _v(b("AB==")), "Invalid last non-pad Base64 character dectected", _v(b("AQ=="))),
)

COLLECTIONS: tuple[Check, ...] = (
    _mistyped(
        "wire.array-for-scalar", _table([]), "Unrecognized collection type class java.lang.String", _table(T0), "string"
    ),
    _mistyped(
        "wire.array-for-scalar",
        scan(Limit=[1]),
        "Unrecognized collection type class java.lang.Integer",
        scan(Limit=1),
        "integer",
    ),
    _mistyped(
        "wire.array-for-scalar",
        get(ConsistentRead=[True]),
        "Unrecognized collection type class java.lang.Boolean",
        get(),
        "boolean",
    ),
    _mistyped(
        "wire.array-for-scalar",
        _v({"B": []}),
        "Unrecognized collection type class java.nio.ByteBuffer",
        _v(b("")),
        "binary",
    ),
    _mistyped(
        "wire.object-for-value", _table({}), "Start of structure or map found where not expected", _table(T0), "string"
    ),
    _mistyped(
        "wire.object-for-value",
        get(AttributesToGet={}),
        "Start of structure or map found where not expected",
        get(AttributesToGet=["v"]),
        "list",
    ),
    _mistyped(
        "wire.object-for-value",
        _v({"L": {}}),
        "Start of structure or map found where not expected",
        _v(many()),
        "value",
    ),
    _mistyped("wire.scalar-for-member", _put("x"), "Unexpected field type", _put(KEY), "map"),
    _mistyped(
        "wire.scalar-for-member", get(AttributesToGet="v"), "Unexpected field type", get(AttributesToGet=["v"]), "list"
    ),
    _mistyped("wire.scalar-for-member", transact({"Put": 1}), "Unexpected field type", transact(t_put()), "structure"),
    _mistyped("wire.scalar-for-element", _put({"pk": "x"}), "Unexpected value type in payload", _put(KEY), "map"),
    _mistyped(
        "wire.scalar-for-element", _v({"L": ["x"]}), "Unexpected value type in payload", _v(many(s("x"))), "list"
    ),
    _mistyped("wire.scalar-for-collection", _keys(["x"]), _CAST, _keys([KEY]), "BatchGetItem"),
    _mistyped(
        "wire.scalar-for-collection",
        Step("BatchWriteItem", {"RequestItems": {T0: "x"}}),
        _CAST,
        Step("BatchWriteItem", {"RequestItems": {T0: [{"PutRequest": {"Item": KEY}}]}}),
        "BatchWriteItem",
    ),
    _mistyped(
        "wire.array-for-map",
        _put([]),
        f"Unrecognized collection type java.util.Map<java.lang.String, {_SHAPES}.AttributeValue>",
        _put(KEY),
        "values",
    ),
    _mistyped(
        "wire.array-for-map",
        get(ExpressionAttributeNames=[]),
        "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>",
        get(),
        "names",
    ),
    _mistyped(
        "wire.array-for-structure",
        _put({"pk": []}),
        f"Unrecognized collection type class {_SHAPES}.AttributeValue",
        _put(KEY),
        "value",
    ),
    _mistyped(
        "wire.array-for-structure",
        transact({"ConditionCheck": []}),
        f"Unrecognized collection type class {_SHAPES}.ConditionCheck",
        transact(t_check("attribute_not_exists(pk)")),
        "action",
    ),
)

CHECKS: tuple[Check, ...] = (*SCALARS, *COLLECTIONS)
