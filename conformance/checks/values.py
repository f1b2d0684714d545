"""Checks of attribute values: types, sets, numbers, nesting and names."""

from __future__ import annotations

from conformance.checks.base import Check
from conformance.checks.steps import (
    ENVELOPE,
    INVALID,
    KEY,
    NULL,
    answers,
    batch_get,
    batch_put,
    condition,
    get,
    holds,
    item,
    many,
    n,
    named,
    partition,
    put,
    refuses,
    s,
    t_put,
    t_update,
    transact,
    update,
)
from conformance.program import Step
from reference.api import Json

EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
MANY = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
NULL_FALSE = f"{INVALID}Null attribute value types must have the value of true"
NO_STRINGS = f"{INVALID}An string set  may not be empty"
NO_NUMBERS = f"{INVALID}An number set  may not be empty"
NO_BINARIES = f"{INVALID}Binary sets should not be empty"
NOT_NUMERIC = "The parameter cannot be converted to a numeric value"
PRECISION = "Attempting to store more than 38 significant digits in a Number"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
NESTING = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)


def _wrapped(message: str) -> str:
    """What Scan and transactions make of a bad expression value ``:v``."""
    return f"ExpressionAttributeValues contains invalid value: {message} for key :v"


def _filter(value: Json) -> Step:
    return holds("v = :v", {"v": value})


def _set(value: Json) -> Step:
    return update("SET v = :v", {"v": value})


def _layers(rule: str, bad: Json, good: Json, current: str, older: str) -> tuple[Check, ...]:
    """One value on both value layers: enveloped on single-item writes, bare on reads, wrapped in expression values."""
    enveloped = ENVELOPE + current
    return (
        refuses(rule, put({"v": bad}), enveloped, control=put({"v": good}), name="PutItem"),
        refuses(rule, put({"v": named(w=bad)}), enveloped, control=put({"v": named(w=good)}), name="nested"),
        refuses(rule, _set(bad), enveloped, control=_set(good), name="UpdateItem"),
        refuses(rule, condition("v <> :v", {"v": bad}), enveloped, control=put({"v": good}), name="condition"),
        refuses(rule, get({"pk": bad}), current, control=get(), name="GetItem"),
        refuses(rule, batch_get({"pk": bad}), current, control=batch_get(KEY), name="BatchGetItem"),
        refuses(
            rule,
            partition(FilterExpression="v = :v", ExpressionAttributeValues={":v": bad}),
            current,
            control=partition(FilterExpression="v = :v", ExpressionAttributeValues={":v": good}),
            name="Query",
        ),
        refuses(rule, batch_put(item(v=bad)), older, control=batch_put(item(v=good)), name="BatchWriteItem"),
        refuses(rule, _filter(bad), _wrapped(older), control=_filter(good), name="Scan"),
        refuses(rule, transact(t_put({"v": bad})), older, control=transact(t_put({"v": good})), name="transaction"),
        refuses(
            rule,
            transact(t_update("SET v = :v", {"v": bad})),
            _wrapped(older),
            control=transact(t_update("SET v = :v", {"v": good})),
            name="transaction-value",
        ),
    )


KINDS: tuple[Check, ...] = (
    refuses("values.empty-value", put({"v": {}}), EMPTY, control=put({"v": s("")}), name="PutItem"),
    refuses("values.empty-value", put({"v": {"dog": "cat"}}), EMPTY, control=put({"v": s("cat")}), name="unknown-type"),
    refuses("values.empty-value", get({"pk": {}}), EMPTY, control=get(), name="GetItem"),
    refuses("values.empty-value", put({"v": many({})}), EMPTY, control=put({"v": many()}), name="nested"),
    refuses("values.many-types", put({"v": {"S": "a", "N": "1"}}), MANY, control=put({"v": s("a")}), name="PutItem"),
    refuses("values.many-types", get({"pk": {"S": "a", "N": "1"}}), MANY, control=get(), name="GetItem"),
    *_layers("values.null-false", {"NULL": False}, NULL, NULL_FALSE, NULL_FALSE),
)

STRINGS = f'{INVALID}Input collection ["a", "b", "b"] contains duplicates.'
STRINGS_OLDER = f"{INVALID}Input collection [b, a, b] contains duplicates."
BINARIES = f'{INVALID}Input collection ["AA==","/w==","AA=="]of type BS contains duplicates.'
BINARIES_OLDER = f"{INVALID}Input collection [/w==, AA==, AA==]of type BS contains duplicates."
NUMBERS = f"{INVALID}Input collection contains duplicates."
NUMBERS_OLDER = "Input collection contains duplicates"

SETS: tuple[Check, ...] = (
    *_layers("values.empty-string-set", {"SS": []}, {"SS": [""]}, NO_STRINGS, NO_STRINGS),
    *_layers("values.empty-number-set", {"NS": []}, {"NS": ["0"]}, NO_NUMBERS, NO_NUMBERS),
    *_layers("values.empty-binary-set", {"BS": []}, {"BS": [""]}, NO_BINARIES, NO_BINARIES),
    *_layers("values.duplicate-strings", {"SS": ["b", "a", "b"]}, {"SS": ["b", "a", "B"]}, STRINGS, STRINGS_OLDER),
    *_layers(
        "values.duplicate-binaries",
        {"BS": ["/w==", "AA==", "AA=="]},
        {"BS": ["/w==", "AA==", "AQ=="]},
        BINARIES,
        BINARIES_OLDER,
    ),
    *_layers("values.duplicate-numbers", {"NS": ["2", "1", "2"]}, {"NS": ["2", "1"]}, NUMBERS, NUMBERS_OLDER),
    refuses(
        "values.duplicate-strings",
        put({"v": {"SS": ["a", "a"]}}),
        f'{ENVELOPE}{INVALID}Input collection ["a", "a"] contains duplicates.',
        control=put({"v": {"SS": ["a", "aa"]}}),
        name="twins",
    ),
    refuses(
        "values.duplicate-binaries",
        put({"v": {"BS": ["", ""]}}),
        f'{ENVELOPE}{INVALID}Input collection ["",""]of type BS contains duplicates.',
        control=put({"v": {"BS": ["", "AA=="]}}),
        name="empty-twins",
    ),
    refuses(
        "values.duplicate-numbers",
        put({"v": {"NS": ["1", "1.0"]}}),
        ENVELOPE + NUMBERS,
        control=put({"v": {"NS": ["1", "1.01"]}}),
        name="spelled-twins",
    ),
    refuses(
        "values.duplicate-numbers",
        put({"v": {"NS": ["123456789012345678", "123456789012345678"]}}),
        ENVELOPE + NUMBERS,
        control=put({"v": {"NS": ["123456789012345678", "123456789012345679"]}}),
        name="long-twins",
    ),
)

_MALFORMED = (
    " 1", "1 ", "0x10", "1e", "NaN", "Infinity", "1.2.3", "+", "++5", "+-5", "+1+2", ".", "1_000", "1e+", "e2",
    "1.2e3.4", "1e9223372036854775808",
)  # fmt: skip

NUMBER_FORMS: tuple[Check, ...] = (
    *_layers("values.number-malformed", n("abc"), n("12"), f"{NOT_NUMERIC}: abc", f"{NOT_NUMERIC}: abc"),
    *(
        refuses(
            "values.number-malformed",
            put({"v": n(text)}),
            f"{ENVELOPE}{NOT_NUMERIC}: {text}",
            control=put({"v": n("1.2e+3")}),
            name=f"form {text}",
        )
        for text in _MALFORMED
    ),
    refuses(
        "values.number-malformed",
        put({"v": {"NS": ["1", "x"]}}),
        f"{ENVELOPE}{NOT_NUMERIC}: x",
        control=put({"v": {"NS": ["1", "2"]}}),
        name="set-member",
    ),
    *_layers("values.number-empty", n(""), n("0"), f"{NOT_NUMERIC}: ", NOT_NUMERIC),
    refuses(
        "values.number-empty",
        put({"v": {"NS": [""]}}),
        f"{ENVELOPE}{NOT_NUMERIC}: ",
        control=put({"v": {"NS": ["0"]}}),
        name="set-member",
    ),
    *_layers("values.number-precision", n("1" * 39), n("1" * 38), PRECISION, PRECISION),
    *_layers(
        "values.number-overflow", n("1e126"), n("9.9999999999999999999999999999999999999E+125"), OVERFLOW, OVERFLOW
    ),
    *_layers("values.number-underflow", n("1e-131"), n("1e-130"), UNDERFLOW, UNDERFLOW),
    refuses(
        "values.number-overflow",
        put({"v": n("0e126")}),
        ENVELOPE + OVERFLOW,
        control=put({"v": n("0.0e126")}),
        name="zero",
    ),
    refuses(
        "values.number-underflow",
        put({"v": n("0e-131")}),
        ENVELOPE + UNDERFLOW,
        control=put({"v": n("0e-130")}),
        name="zero",
    ),
    *(
        refuses(
            "values.number-overflow",
            put({"v": n(f"1e{text}")}),
            ENVELOPE + OVERFLOW,
            control=put({"v": n("1e125")}),
            name=text,
        )
        for text in ("2147483647", "2147483648", "99999999999", "9223372036854775807")
    ),
    refuses(
        "values.number-underflow",
        put({"v": n("1e-99999999999")}),
        ENVELOPE + UNDERFLOW,
        control=put({"v": n("1e-130")}),
        name="far",
    ),
    refuses("values.number-overflow", get({"pk": n("1e2147483648")}), OVERFLOW, control=get(), name="far-key"),
    *(
        refuses("values.number-exponent", step, message, control=control, name=name)
        for name, step, message, control in (
            (
                "BatchWriteItem",
                batch_put(item(v=n("1e2147483648"))),
                f"{NOT_NUMERIC}: 1e2147483648",
                batch_put(item(v=n("1e125"))),
            ),
            ("Scan", _filter(n("1e2147483648")), _wrapped(f"{NOT_NUMERIC}: 1e2147483648"), _filter(n("1e125"))),
            (
                "transaction",
                transact(t_put({"v": n("1e2147483648")})),
                f"{NOT_NUMERIC}: 1e2147483648",
                transact(t_put({"v": n(1)})),
            ),
        )
    ),
    *(
        refuses("values.number-wrapped", step, message, control=control, name=name)
        for name, step, message, control in (
            ("BatchWriteItem", batch_put(item(v=n("1e2147483647"))), UNDERFLOW, batch_put(item(v=n("1e-130")))),
            ("Scan", _filter(n("1e2147483647")), _wrapped(UNDERFLOW), _filter(n("1e-130"))),
            ("transaction", transact(t_put({"v": n("1e2147483647")})), UNDERFLOW, transact(t_put({"v": n(1)}))),
        )
    ),
)

_LONG = "9" * 38
_SPELLINGS = {
    "+5": "5", "5.": "5", ".5": "0.5", "+.5": "0.5", "1.e5": "100000", "1.": "1", "00042": "42", "-0": "0", "+0": "0",
    "1e2": "100", "+1e2": "100", "0e125": "0", "3.1400": "3.14", "100": "100", "1E-3": "0.001", "-00.50": "-0.5",
    "1e125": "1" + "0" * 125, "1e-130": "0." + "0" * 129 + "1", "0.0e126": "0", "0.1e126": "1" + "0" * 125,
}  # fmt: skip


def _arithmetic(stored: str, text: str, operand: str, outcome: str) -> Check:
    return answers(
        "values.number-arithmetic",
        update(f"SET v = v {text} :v", {"v": n(operand)}, ReturnValues="UPDATED_NEW"),
        given=[put({"v": n(stored)})],
        has={"Attributes": {"v": n(outcome)}},
        name=f"{stored[:3]}{text}{operand}",
    )


NUMBERS_STORED: tuple[Check, ...] = (
    *(
        answers(
            "values.number-normal-form",
            get(),
            given=[put({"v": n(sent)})],
            body={"Item": item(v=n(stored))},
            name=sent,
        )
        for sent, stored in _SPELLINGS.items()
    ),
    answers(
        "values.number-normal-form",
        get(),
        given=[put({"v": {"NS": ["1e2", "-0", "05.50"]}})],
        body={"Item": item(v={"NS": ["0", "5.5", "100"]})},
        name="set",
    ),
    answers(
        "values.number-equality",
        holds("v = :v", {"v": n("1E+3")}),
        given=[put({"v": n("1000.0")})],
        has={"Count": 1, "Items": [item(v=n(1000))]},
        name="spelling",
    ),
    answers(
        "values.number-equality",
        holds("v = :v", {"v": n("12345678901234567890123456789012345678")}),
        given=[put({"v": n("12345678901234567890123456789012345679")})],
        has={"Count": 0},
        name="all-digits",
    ),
    answers(
        "values.number-equality",
        holds("contains(v, :v)", {"v": n("1.0")}),
        given=[put({"v": {"NS": ["1", "2"]}})],
        has={"Count": 1},
        name="set-member",
    ),
    _arithmetic("0.1", "+", "0.2", "0.3"),
    _arithmetic("1", "-", "3", "-2"),
    _arithmetic(_LONG, "+", "1", "1" + "0" * 38),
    _arithmetic("1e37", "+", "1", "1" + "0" * 36 + "1"),
    _arithmetic("0.5", "-", "0.5", "0"),
    refuses(
        "values.arithmetic-precision",
        update("SET v = v + :v", {"v": n(1)}),
        OVERFLOW,
        given=[put({"v": n("1e50")})],
        control=update("SET v = v + :v", {"v": n("1e50")}),
        name="digits",
    ),
    refuses(
        "values.arithmetic-overflow",
        update("ADD v :v", {"v": n("9e125")}),
        OVERFLOW,
        given=[put({"v": n("9e125")})],
        control=update("ADD v :v", {"v": n("-9e125")}),
        name="magnitude",
    ),
    refuses(
        "values.arithmetic-underflow",
        update("SET v = v - :v", {"v": n("1e-130")}),
        UNDERFLOW,
        given=[put({"v": n("1.1e-130")})],
        control=update("SET v = v - :v", {"v": n("1.1e-130")}),
    ),
)

CHECKS: tuple[Check, ...] = (*KINDS, *SETS, *NUMBER_FORMS, *NUMBERS_STORED)
