"""Attribute values: normal form, refusals in both layers, nesting, size and order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reference.rules import Violation, surface
from reference.values.value import (
    TYPES,
    check_names,
    compare,
    depth,
    is_scalar_key_type,
    normalise,
    order_sets,
    size,
    sort_key,
    type_of,
)

ENVELOPE = "1 validation error detected: "
INVALID = "One or more parameter values were invalid: "
EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
MANY = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
NESTING = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)


def wrapped(wraps: int, kind: str = "M", leaf: dict | None = None) -> dict:
    value = leaf or {"S": "leaf"}
    for _ in range(wraps):
        value = {"M": {"n": value}} if kind == "M" else {"L": [value]}
    return value


def refused(value: object, layer: str = "current") -> list[Violation]:
    found: list[Violation] = []
    assert normalise(value, layer, found) is None
    return found


def words(value: object, operation: str) -> list[str | None]:
    speak = surface(operation)
    return [violation.message(speak) for violation in refused(value, speak.values)]


@pytest.mark.parametrize(
    "value",
    [
        {"S": ""},
        {"S": "a\x00\U0001f600"},
        {"N": "1.5"},
        {"B": ""},
        {"B": "AA=="},
        {"BOOL": True},
        {"BOOL": False},
        {"NULL": True},
        {"L": []},
        {"M": {}},
        {"L": [{"S": "a"}, {"N": "1"}, {"L": [{"NULL": True}]}]},
        {"M": {"a": {"BOOL": False}, "b": {"M": {"c": {"B": ""}}}}},
        {"SS": [""]},
        {"SS": ["a", "b"]},
        {"BS": [""]},
        {"NS": ["-1", "2", "10"]},
    ],
)
def test_a_value_in_normal_form_stays_what_it_is(value):
    found: list[Violation] = []
    assert normalise(value, "current", found) is value
    assert found == []


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"N": "1e3"}, {"N": "1000"}),
        ({"NS": ["10", "9.0", "-1e0"]}, {"NS": ["-1", "9", "10"]}),
        ({"SS": ["b", "a", "é", "Z"]}, {"SS": ["Z", "a", "b", "é"]}),
        ({"BS": ["/w==", "AA==", ""]}, {"BS": ["", "AA==", "/w=="]}),
        ({"L": [{"N": "01"}]}, {"L": [{"N": "1"}]}),
        ({"M": {"a": {"M": {"b": {"NS": ["2", "1"]}}}}}, {"M": {"a": {"M": {"b": {"NS": ["1", "2"]}}}}}),
        ({"S": "a", "unknown": 1}, {"S": "a"}),
        ({"S": "a", "N": None}, {"S": "a"}),
    ],
)
def test_normal_form(value, kept):
    before = repr(value)
    found: list[Violation] = []
    assert normalise(value, "current", found) == kept
    assert found == []
    assert repr(value) == before


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem", "GetItem", "BatchWriteItem", "Scan"])
def test_empty_and_many_typed_values_are_bare_everywhere(operation):
    assert words({}, operation) == [EMPTY]
    assert words({"dog": "cat"}, operation) == [EMPTY]
    assert words({"S": None}, operation) == [EMPTY]
    assert words({"L": [{}]}, operation) == [EMPTY]
    assert words({"S": "a", "N": "1"}, operation) == [MANY]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"NULL": False}, f"{INVALID}Null attribute value types must have the value of true"),
        ({"SS": []}, f"{INVALID}An string set  may not be empty"),
        ({"NS": []}, f"{INVALID}An number set  may not be empty"),
        ({"BS": []}, f"{INVALID}Binary sets should not be empty"),
    ],
)
def test_empty_sets_and_false_nulls(value, text):
    for operation in ("PutItem", "UpdateItem", "DeleteItem"):
        assert words(value, operation) == [ENVELOPE + text]
    for operation in ("GetItem", "BatchGetItem", "Query", "Scan", "BatchWriteItem", "TransactWriteItems"):
        assert words(value, operation) == [text]
    assert words({"M": {"a": {"L": [value]}}}, "PutItem") == [ENVELOPE + text]


@pytest.mark.parametrize(
    ("value", "current", "older"),
    [
        (
            {"SS": ["b", "a", "b"]},
            f'{INVALID}Input collection ["a", "b", "b"] contains duplicates.',
            f"{INVALID}Input collection [b, a, b] contains duplicates.",
        ),
        (
            {"SS": ["a", "a"]},
            f'{INVALID}Input collection ["a", "a"] contains duplicates.',
            f"{INVALID}Input collection [a, a] contains duplicates.",
        ),
        (
            {"SS": ["c", "b", "c", "a", "b"]},
            f'{INVALID}Input collection ["b", "c", "c", "a", "b"] contains duplicates.',
            f"{INVALID}Input collection [c, b, c, a, b] contains duplicates.",
        ),
        (
            {"BS": ["/w==", "AA==", "AA=="]},
            f'{INVALID}Input collection ["AA==","/w==","AA=="]of type BS contains duplicates.',
            f"{INVALID}Input collection [/w==, AA==, AA==]of type BS contains duplicates.",
        ),
        (
            {"NS": ["2", "1", "2"]},
            f"{INVALID}Input collection contains duplicates.",
            "Input collection contains duplicates",
        ),
        (
            {"NS": ["1", "1.0"]},
            f"{INVALID}Input collection contains duplicates.",
            "Input collection contains duplicates",
        ),
    ],
)
def test_duplicate_members(value, current, older):
    assert words(value, "PutItem") == [ENVELOPE + current]
    assert words(value, "BatchGetItem") == [current]
    assert words(value, "BatchWriteItem") == [older]
    assert words(value, "Scan") == [older]


def test_empty_number_set_member_reads_as_an_empty_number():
    text = "The parameter cannot be converted to a numeric value"
    assert words({"NS": [""]}, "PutItem") == [f"{ENVELOPE}{text}: "]
    assert words({"NS": [""]}, "BatchWriteItem") == [text]


def test_members_are_all_looked_at_in_order():
    found = refused({"L": [{"N": "x"}, {"NULL": False}, {"M": {"": {"SS": []}}}, {"NS": ["y", "z"]}]})
    assert [violation.rule.name for violation in found] == [
        "values.number-malformed",
        "values.null-false",
        "values.empty-name",
        "values.empty-string-set",
        "values.number-malformed",
        "values.number-malformed",
    ]


@pytest.mark.parametrize("kind", ["M", "L"])
def test_31_wraps_are_the_most(kind):
    assert depth(wrapped(31, kind)) == 31
    found: list[Violation] = []
    assert normalise(wrapped(31, kind), "current", found) == wrapped(31, kind)
    assert found == []
    assert depth(wrapped(32, kind)) == 32
    assert words(wrapped(32, kind), "PutItem") == [ENVELOPE + NESTING]
    assert words(wrapped(32, kind), "BatchWriteItem") == [NESTING]


def test_hostile_depth_does_not_recurse():
    deep = wrapped(10_000, "L")
    assert depth(deep) == 10_000
    assert [violation.rule.name for violation in refused(deep)] == ["values.nesting"]
    assert size(deep) == 10_000 * 4 + 4


def test_many_violations_of_a_wide_and_deep_value_take_linear_time():
    value: dict = {"L": [{"N": "x"}] * 20_000 + [{"L": []}, {"N": "x"}] * 20_000}
    for _ in range(30):
        value = {"L": [value]}
    assert len(refused(value)) == 60_000


def test_a_deep_expression_value_is_named_by_the_older_layer():
    (violation,) = refused(wrapped(40))
    keyed = f"ExpressionAttributeValues contains invalid value: {NESTING} for key :deep"
    assert violation.at(":deep").message(surface("TransactWriteItems")) == keyed
    assert violation.at(":deep").message(surface("UpdateItem", "older")) == keyed
    assert violation.at(":deep").message(surface("UpdateItem")) == ENVELOPE + NESTING


def test_depth_of_scalars_and_mixtures():
    assert depth({"S": "a"}) == 0
    assert depth({"SS": ["a"]}) == 0
    assert depth({"L": []}) == 1
    assert depth({"L": [{"S": "a"}, {"M": {"b": {"L": [{"S": "c"}]}}}]}) == 3
    assert depth({"L": "junk", "M": [1, None]}) == 0
    assert depth(None) == 0


def test_names():
    assert words({"M": {"": {"S": "x"}}}, "TransactWriteItems") == ["Empty attribute name"]
    longest = "n" * 65_535
    assert normalise({"M": {longest: {"S": "x"}}}, "current", []) is not None
    (violation,) = refused({"M": {longest + "n": {"S": "x"}}})
    assert "65536" in (violation.message(surface("PutItem")) or "")
    assert not check_names(["é" * 32_767], [])
    assert check_names(["é" * 32_768], [])


@pytest.mark.parametrize(
    "junk",
    [
        *[1, "S", [], True, {"S": 1}, {"N": 1}, {"N": ["1"]}, {"B": 1}, {"BOOL": 3}, {"NULL": []}, {"SS": "a"}],
        *[{"SS": [1]}, {"SS": [["a"]]}, {"NS": [{}]}, {"BS": [1]}, {"L": {}}, {"M": []}, {"L": ["x"]}, {"SS": {}}],
    ],
)
def test_wrong_json_types_are_left_to_the_deserialiser(junk):
    assert refused(junk) == []


@pytest.mark.parametrize("sort", ["SS", "NS", "BS"])
def test_a_null_in_a_set(sort):
    rule = "values.null-string" if sort == "SS" else "values.null-member"
    assert [violation.rule.name for violation in refused({sort: ["AA==", None]})] == [rule]
    assert [violation.rule.name for violation in refused({"L": [{sort: [None]}]})] == [rule]


def test_bad_base64_does_not_crash():
    assert normalise({"B": "é!"}, "current", []) == {"B": "é!"}
    assert normalise({"BS": ["é!", "a"]}, "current", []) is not None
    assert sort_key({"B": "é"}) == "é".encode()


@pytest.mark.parametrize(
    ("value", "bytes_"),
    [
        ({"S": ""}, 0),
        ({"S": "héllo"}, 6),
        ({"S": "\U0001f600"}, 4),
        ({"N": "-42"}, 3),
        ({"B": ""}, 0),
        ({"B": "AA=="}, 1),
        ({"B": "AAA="}, 2),
        ({"B": "AAAA"}, 3),
        ({"BOOL": False}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["a", "é"]}, 3),
        ({"NS": ["1", "100.5"]}, 6),
        ({"BS": ["AA==", "AAAA"]}, 4),
        ({"L": []}, 3),
        ({"M": {}}, 3),
        ({"L": [{"S": "abc"}, {"N": "1"}]}, 3 + 1 + 3 + 1 + 2),
        ({"M": {"é": {"S": "abc"}}}, 3 + 1 + 2 + 3),
        ({"L": [{"M": {"a": {"L": [{"BOOL": True}]}}}, {"SS": ["x"]}]}, 3 + 1 + (3 + 1 + 1 + (3 + 1 + 1)) + 1 + 1),
    ],
)
def test_sizes(value, bytes_):
    assert size(value) == bytes_


def test_types():
    assert sorted(TYPES) == ["B", "BOOL", "BS", "L", "M", "N", "NS", "NULL", "S", "SS"]
    assert [type_of({tag: None}) for tag in TYPES] == list(TYPES)
    with pytest.raises(ValueError, match="has a type"):
        type_of({})
    assert [tag for tag in TYPES if is_scalar_key_type(tag)] == ["S", "N", "B"]


def test_sort_keys():
    assert sort_key({"S": "é"}) == "é"
    assert sort_key({"N": "1.5"}) == Decimal("1.5")
    assert sort_key({"B": "AP8="}) == b"\x00\xff"
    with pytest.raises(TypeError):
        sort_key({"BOOL": True})


@pytest.mark.parametrize(
    ("a", "b", "order"),
    [
        ({"S": "a"}, {"S": "ab"}, -1),
        ({"S": "Z"}, {"S": "a"}, -1),
        ({"S": "\uffff"}, {"S": "\U00010000"}, -1),
        ({"N": "-1"}, {"N": "0"}, -1),
        ({"N": "9"}, {"N": "10"}, -1),
        ({"N": "0.1"}, {"N": "0.01"}, 1),
        ({"B": "/w=="}, {"B": "AAA="}, 1),
        ({"B": "AA=="}, {"B": "AAA="}, -1),
        ({"S": "a"}, {"S": "a"}, 0),
        ({"N": "1"}, {"N": "1"}, 0),
        ({"S": "1"}, {"N": "1"}, None),
        ({"BOOL": True}, {"BOOL": False}, None),
        ({"SS": ["a"]}, {"SS": ["b"]}, None),
        ({"NULL": True}, {"NULL": True}, None),
    ],
)
def test_order(a, b, order):
    assert compare(a, b) == order
    assert compare(b, a) == (None if order is None else -order)


def test_order_of_set_members():
    assert order_sets("SS", ["b", "a", "é", "Z"]) == ["Z", "a", "b", "é"]
    assert order_sets("NS", ["10", "9", "-1"]) == ["-1", "9", "10"]
    assert order_sets("BS", {"/w==", "AA=="}) == ["AA==", "/w=="]


def test_deep_equality_is_python_equality():
    def same(a: dict, b: dict) -> bool:
        return normalise(a, "current", []) == normalise(b, "current", [])

    assert same({"NS": ["1", "2"]}, {"NS": ["2.0", "1e0"]})
    assert same({"M": {"a": {"S": "x"}, "b": {"S": "y"}}}, {"M": {"b": {"S": "y"}, "a": {"S": "x"}}})
    assert not same({"L": [{"N": "1"}, {"N": "2"}]}, {"L": [{"N": "2"}, {"N": "1"}]})
    assert not same({"NS": ["123456789012345678"]}, {"NS": ["123456789012345679"]})
    assert not same({"S": "\u00e9"}, {"S": "e\u0301"})
