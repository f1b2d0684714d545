"""Bugs of conditions and filters: precedence, comparison, functions, paths."""

from __future__ import annotations

import re
from typing import Any

from conformance.checks.steps import (
    NULL,
    PLAIN,
    b,
    condition,
    get,
    holds,
    many,
    n,
    named,
    put,
    s,
)
from reference.api import AttributeValue
from reference.expressions import condition as conditions
from reference.expressions import documents
from reference.expressions import projection as projections
from reference.expressions.reserved import RESERVED
from reference.expressions.tree import And, Between, Call, Compare, In, Not, Or, Path
from reference.operations import items
from reference.values.value import compare
from tests.planted.base import Body, Plant, asks, in_table, keyed, patched, plant

_TESTS = conditions._FUNCTIONS
_KINDS = conditions._EVALUATORS
_WRITTEN = ("ConditionExpression", "UpdateExpression", "FilterExpression", "ProjectionExpression")


def _not_takes_all(node: And, item: Any) -> bool:
    first, *rest = node.conditions
    if isinstance(first, Not):
        return not conditions._and(And((first.condition, *rest)), item)
    return conditions._and(node, item)


def _or_before_and(node: Or, item: Any) -> bool:
    *before, last = node.conditions
    if isinstance(last, And):
        return conditions._and(And((Or((*before, last.conditions[0])), *last.conditions[1:])), item)
    return conditions._or(node, item)


def _below_upper(node: Between, item: Any) -> bool:
    value, high = conditions._value(node.operand, item), conditions._value(node.high, item)
    return conditions._between(node, item) and compare(value, high) != 0  # type: ignore[arg-type]


def _above_lower(node: Between, item: Any) -> bool:
    value, low = conditions._value(node.operand, item), conditions._value(node.low, item)
    return conditions._between(node, item) and compare(value, low) != 0  # type: ignore[arg-type]


def _first_option(node: In, item: Any) -> bool:
    return conditions._in(In(node.operand, node.options[:1]), item)


def _unequal_only_if_there(node: Compare, item: Any) -> bool:
    if node.operator == "<>" and conditions._value(node.left, item) is None:
        return False
    return conditions._compare(node, item)


def _missing_is_less(node: Compare, item: Any) -> bool:
    if node.operator in ("<", "<=") and conditions._value(node.left, item) is None:
        return True
    return conditions._compare(node, item)


def _any_type_compares(node: Compare, item: Any) -> bool:
    left, right = conditions._value(node.left, item), conditions._value(node.right, item)
    if left is None or right is None or node.operator in ("=", "<>") or left.keys() == right.keys():
        return conditions._compare(node, item)
    one, two = str(next(iter(left.values()))), str(next(iter(right.values())))
    return {"<": one < two, "<=": one <= two, ">": one > two, ">=": one >= two}[node.operator]


def _greater_or_equal(node: Compare, item: Any) -> bool:
    return conditions._compare(Compare(">=", node.left, node.right) if node.operator == ">" else node, item)


def _numbers_as_text(node: Compare, item: Any) -> bool:
    left, right = conditions._value(node.left, item), conditions._value(node.right, item)
    if left is None or right is None or "N" not in left or "N" not in right or node.operator in ("=", "<>"):
        return conditions._compare(node, item)
    one, two = left["N"], right["N"]
    return bool({"<": one < two, "<=": one <= two, ">": one > two, ">=": one >= two}[node.operator])


def _both(value: AttributeValue | None, other: AttributeValue | None, kind: str) -> bool:
    return value is not None and other is not None and kind in value and kind in other


def _starts_anyhow(arguments: Any) -> bool:
    value, prefix = arguments
    if _both(value, prefix, "S"):
        return bool(value["S"].lower().startswith(prefix["S"].lower()))
    return conditions.begins_with(value, prefix)


def _starts_in_base64(arguments: Any) -> bool:
    value, prefix = arguments
    if _both(value, prefix, "B"):
        return bool(value["B"].startswith(prefix["B"]))
    return conditions.begins_with(value, prefix)


def _holds_part(arguments: Any) -> bool:
    value, part = arguments
    if value is not None and part is not None and "SS" in value and "S" in part:
        return any(part["S"] in member for member in value["SS"])
    return conditions.contains(value, part)


def _list_holds_nothing(arguments: Any) -> bool:
    value, part = arguments
    return value is not None and "L" not in value and conditions.contains(value, part)


def _binary_holds_text(arguments: Any) -> bool:
    value, part = arguments
    if _both(value, part, "B"):
        return part["B"] in value["B"]
    return conditions.contains(value, part)


def _null_is_missing(arguments: Any) -> bool:
    return arguments[0] is not None and arguments[0] != NULL


def _any_collection(arguments: Any) -> bool:
    value, wanted = arguments
    if value is not None and wanted == {"S": "L"} and "SS" in value:
        return True
    return conditions._has_type(value, wanted)


def _size_of_number(value: AttributeValue | None) -> AttributeValue | None:
    return {"N": str(len(value["N"]))} if value is not None and "N" in value else conditions._size(value)


def _size_of_set(value: AttributeValue | None) -> AttributeValue | None:
    return {"N": str(len("".join(value["SS"])))} if value is not None and "SS" in value else conditions._size(value)


def _size_of_base64(value: AttributeValue | None) -> AttributeValue | None:
    return {"N": str(len(value["B"]))} if value is not None and "B" in value else conditions._size(value)


def _size_of_missing(value: AttributeValue | None) -> AttributeValue | None:
    return {"N": "0"} if value is None else conditions._size(value)


def _from_the_end(path: Path, item: Any) -> AttributeValue | None:
    """As ``lookup``; past the end of a list it gives the last element."""
    steps: list[Any] = list(path.steps)
    for position in range(1, len(steps)):
        held = documents.lookup(Path(tuple(steps[:position])), item)
        if isinstance(steps[position], int) and held is not None and held.get("L"):
            steps[position] = min(steps[position], len(held["L"]) - 1)
    return documents.lookup(Path(tuple(steps)), item)


def _whole_names(path: Path, item: Any) -> AttributeValue | None:
    """As ``lookup``; a name with a dot in it is taken for a path."""
    steps: list[Any] = []
    for step in path.steps:
        steps += step.split(".") if isinstance(step, str) else [step]
    return documents.lookup(Path(tuple(steps)), item)


def _first_level(paths: Any, item: Any) -> Any:
    """A projection that answers whole top-level attributes."""
    return projections.project(tuple([Path(path.steps[:1]) for path in paths]), item)


def _aliased(body: Body) -> Body:
    """Reserved words in expressions go through, as if they were written with aliases."""
    names = dict(body.get("ExpressionAttributeNames") or {})
    for member in _WRITTEN:
        text = body.get(member)
        if not isinstance(text, str):
            continue
        for word in sorted(set(re.findall(r"(?<![#:\w])[A-Za-z_]\w*(?!\w*\s*\()", text))):
            if word.upper() in RESERVED - _KEPT:
                text = re.sub(rf"(?<![#:\w]){word}(?!\w)", f"#reserved_{word}", text)
                names[f"#reserved_{word}"] = word
        body[member] = text
    return {**body, "ExpressionAttributeNames": names} if names else body


_KEPT = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "SET", "ADD", "DELETE", "REMOVE"})


def _unwrapped(body: Body) -> Body:
    """``((a = :v))`` read as ``(a = :v)``."""
    for member in ("ConditionExpression", "FilterExpression", "KeyConditionExpression"):
        if isinstance(body.get(member), str):
            body[member] = re.sub(r"\(\(([^()]*)\)\)", r"(\1)", body[member])
    return body


def _each_once(body: Body) -> Body:
    """A projection that names a path twice is taken as if it named it once."""
    text = body.get("ProjectionExpression")
    if isinstance(text, str):
        body["ProjectionExpression"] = ", ".join(dict.fromkeys(part.strip() for part in text.split(",")))
    return body


def _doubled_equals(body: Body) -> Body:
    for member in ("ConditionExpression", "FilterExpression"):
        if isinstance(body.get(member), str):
            body[member] = body[member].replace("==", "=")
    return body


def _test(name: str, about: str, replaced: str, function: Any, *steps: Any) -> Plant:
    return plant(name, about, "expressions", PLAIN, *steps, patches=(in_table(_TESTS, **{replaced: function}),))


def _node(name: str, about: str, kind: type, evaluate: Any, *steps: Any) -> Plant:
    return plant(name, about, "expressions", PLAIN, *steps, patches=(keyed(_KINDS, {kind: evaluate}),))


def _sized(name: str, about: str, function: Any, *steps: Any) -> Plant:
    return plant(name, about, "expressions", PLAIN, *steps, patches=(_of_size(function),))


def _of_size(function: Any) -> Any:
    original = conditions._value

    def value(operand: Any, item: Any) -> AttributeValue | None:
        if isinstance(operand, Call) and operand.function == "size":
            found: AttributeValue | None = function(original(operand.arguments[0], item))
            return found
        return original(operand, item)

    return patched(conditions, _value=value)


_THREE = {"x": n(1), "y": n(2), "z": n(3)}

PLANTS: tuple[Plant, ...] = (
    _node(
        "not-takes-the-rest", "NOT binds looser than AND: NOT a AND b is read as NOT (a AND b).",
        And, _not_takes_all, put({"v": n(1)}), holds("NOT v = :x AND v = :y", {"x": n(2), "y": n(2)}),
    ),
    _node(
        "or-before-and", "OR binds tighter than AND.",
        Or, _or_before_and,
        put({"v": n(1)}), holds("v = :x OR v = :y AND v = :z", _THREE),
    ),
    _node(
        "between-without-upper", "BETWEEN leaves out its upper bound.",
        Between, _below_upper, put({"v": n(3)}), holds("v BETWEEN :x AND :z", {"x": n(1), "z": n(3)}),
    ),
    _node(
        "between-without-lower", "BETWEEN leaves out its lower bound.",
        Between, _above_lower, put({"v": n(1)}), holds("v BETWEEN :x AND :z", {"x": n(1), "z": n(3)}),
    ),
    _node(
        "in-first-only", "IN looks at its first value only.",
        In, _first_option, put({"v": n(2)}), holds("v IN (:x, :y)", {"x": n(1), "y": n(2)}),
    ),
    _node(
        "unequal-needs-attribute", "<> is false about a missing attribute, as SQL's NULL would have it.",
        Compare, _unequal_only_if_there, put(), holds("v <> :x", {"x": n(1)}),
    ),
    _node(
        "missing-is-less", "A missing attribute is less than everything.",
        Compare, _missing_is_less, put(), holds("v < :x", {"x": n(1)}),
    ),
    _node(
        "types-compare", "Values of different types have an order.",
        Compare, _any_type_compares, put({"v": s("1")}), holds("v < :x", {"x": n(2)}),
    ),
    _node(
        "greater-or-equal", "> is true of equal values.",
        Compare, _greater_or_equal, put({"v": n(1)}), holds("v > :x", {"x": n(1)}),
    ),
    _node(
        "numbers-compare-as-text", "Numbers are compared as texts: 10 < 9.",
        Compare, _numbers_as_text, put({"v": n(10)}), holds("v < :x", {"x": n(9)}),
    ),
    _test(
        "begins-with-any-case", "begins_with ignores case.",
        "begins_with", _starts_anyhow, put({"v": s("ab")}), holds("begins_with(v, :x)", {"x": s("A")}),
    ),
    _test(
        "begins-with-base64", "begins_with compares binary values by their base64 text.",
        "begins_with", _starts_in_base64, put({"v": b("AAE=")}), holds("begins_with(v, :x)", {"x": b("AA==")}),
    ),
    _test(
        "contains-part-of-member", "contains finds a part of a string set's member.",
        "contains", _holds_part, put({"v": {"SS": ["ab"]}}), holds("contains(v, :x)", {"x": s("a")}),
    ),
    _test(
        "contains-not-in-list", "contains finds nothing in lists.",
        "contains", _list_holds_nothing, put({"v": many(s("a"))}), holds("contains(v, :x)", {"x": s("a")}),
    ),
    _test(
        "contains-base64", "contains looks for the base64 text of binary values.",
        "contains", _binary_holds_text, put({"v": b("AAE=")}), holds("contains(v, :x)", {"x": b("AQ==")}),
    ),
    _test(
        "exists-not-null", "attribute_exists is false about an attribute that holds NULL.",
        "attribute_exists", _null_is_missing, put({"v": NULL}), holds("attribute_exists(v)"),
    ),
    _test(
        "not-exists-is-null", "attribute_not_exists is true about an attribute that holds NULL.",
        "attribute_not_exists", lambda a: not _null_is_missing(a), put({"v": NULL}), holds("attribute_not_exists(v)"),
    ),
    _test(
        "type-set-is-list", "attribute_type takes a set for a list.",
        "attribute_type", _any_collection, put({"v": {"SS": ["a"]}}), holds("attribute_type(v, :x)", {"x": s("L")}),
    ),
    _sized(
        "size-of-number", "size() of a number is the length of its text.",
        _size_of_number, put({"v": n(10)}), holds("size(v) = :x", {"x": n(2)}),
    ),
    _sized(
        "size-of-set-in-bytes", "size() of a string set counts its bytes, not its members.",
        _size_of_set, put({"v": {"SS": ["aa", "bb"]}}), holds("size(v) = :x", {"x": n(2)}),
    ),
    _sized(
        "size-of-base64", "size() of a binary value is the length of its base64 text.",
        _size_of_base64, put({"v": b("AQ==")}), holds("size(v) = :x", {"x": n(1)}),
    ),
    _sized(
        "size-of-missing", "size() of a missing attribute is 0.",
        _size_of_missing, put(), holds("size(v) < :x", {"x": n(1)}),
    ),
    plant(
        "index-clamped", "A list index past the end reads the last element.",
        "expressions", PLAIN, put({"v": many(n(1))}), holds("v[1] = :x", {"x": n(1)}),
        patches=(patched(conditions, lookup=_from_the_end),),
    ),
    plant(
        "alias-with-dot-is-path", "An alias that stands for a name with a dot is taken for a path.",
        "expressions", PLAIN, put({"v": named(**{"a.b": n(1)})}),
        holds("v.#d = :x", {"x": n(1)}, ExpressionAttributeNames={"#d": "a.b"}),
        patches=(patched(conditions, lookup=_whole_names),),
    ),
    plant(
        "projection-answers-whole-attribute", "A projection of a nested path answers the whole attribute.",
        "expressions", PLAIN, put({"v": named(x=n(1), y=n(2))}), get(ProjectionExpression="v.x"),
        patches=(patched(items, project=_first_level),),
    ),
    plant(
        "reserved-words-pass", "Reserved words may be attribute names in expressions.",
        "expressions", PLAIN, put({"abort": n(1)}), condition("abort = :x", {"x": n(1)}),
        asks=asks(_aliased),
    ),
    plant(
        "redundant-parentheses-pass", "Redundant parentheses are accepted.",
        "expressions", PLAIN, put({"v": n(1)}), condition("((v = :x))", {"x": n(1)}),
        asks=asks(_unwrapped),
    ),
    plant(
        "projection-twice-passes", "A projection may name one path twice.",
        "expressions", PLAIN, put({"v": n(1)}), get(ProjectionExpression="v, v"),
        asks=asks(_each_once),
    ),
    plant(
        "double-equals-passes", "== is accepted for =.",
        "expressions", PLAIN, put({"v": n(1)}), condition("v == :x", {"x": n(1)}),
        asks=asks(_doubled_equals),
    ),
)  # fmt: skip
