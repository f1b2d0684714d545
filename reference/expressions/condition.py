"""Whether an item meets a condition (dataplane:COND-1 to COND-11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reference.api import AttributeValue
from reference.expressions.documents import lookup
from reference.expressions.tree import (
    And,
    Between,
    Call,
    Compare,
    Condition,
    In,
    Literal,
    Not,
    Operand,
    Or,
    Path,
)
from reference.values.value import binary, binary_size, compare

_Item = Mapping[str, AttributeValue]
_MEMBER_OF = {"SS": "S", "NS": "N", "BS": "B"}


def evaluate(condition: Condition, item: _Item) -> bool:
    """The truth of a bound condition about an item in normal form; a missing item is an empty one.

    Never raises: what the item holds can make a condition false, not wrong. The recursion is bounded by the 300
    operators an expression may have.
    """
    return _EVALUATORS[condition.__class__](condition, item)


def _compare(node: Compare, item: _Item) -> bool:
    operator = node.operator
    left, right = _value(node.left, item), _value(node.right, item)
    if operator == "=":
        return left is not None and left == right
    if operator == "<>":
        return left is None or left != right
    if left is None or right is None:
        return False
    order = compare(left, right)
    if order is None:
        return False
    if operator == "<":
        return order < 0
    if operator == "<=":
        return order <= 0
    return order > 0 if operator == ">" else order >= 0


def _between(node: Between, item: _Item) -> bool:
    value, low, high = _value(node.operand, item), _value(node.low, item), _value(node.high, item)
    if value is None or low is None or high is None:
        return False
    above, below = compare(low, value), compare(value, high)
    return above is not None and below is not None and above <= 0 and below <= 0


def _in(node: In, item: _Item) -> bool:
    value = _value(node.operand, item)
    return value is not None and any(value == _value(option, item) for option in node.options)


def _and(node: And, item: _Item) -> bool:
    for condition in node.conditions:  # noqa: SIM110  # a generator would double the depth of the stack
        if not _EVALUATORS[condition.__class__](condition, item):
            return False
    return True


def _or(node: Or, item: _Item) -> bool:
    for condition in node.conditions:  # noqa: SIM110
        if _EVALUATORS[condition.__class__](condition, item):
            return True
    return False


def _not(node: Not, item: _Item) -> bool:
    return not _EVALUATORS[node.condition.__class__](node.condition, item)


def _call(node: Call, item: _Item) -> bool:
    test = _FUNCTIONS.get(node.function)
    return test is not None and test([_value(argument, item) for argument in node.arguments])


_EVALUATORS: dict[type, Callable[[Any, _Item], bool]] = {
    Compare: _compare,
    Between: _between,
    In: _in,
    And: _and,
    Or: _or,
    Not: _not,
    Call: _call,
}


def _value(operand: Operand, item: _Item) -> AttributeValue | None:
    if isinstance(operand, Literal):
        return operand.value
    if isinstance(operand, Path):
        return lookup(operand, item)
    if isinstance(operand, Call) and operand.function == "size":
        return _size(_value(operand.arguments[0], item))
    return None


def _size(value: AttributeValue | None) -> AttributeValue | None:
    """What size() gives; None for what has no size (dataplane:COND-9, conflicts:47)."""
    if value is None:
        return None
    ((sort, inner),) = value.items()
    if sort == "S":
        # UTF-16 code units: two for each character beyond the basic plane.
        length = len(inner) if inner.isascii() else len(inner) + sum(c > "\uffff" for c in inner)
    elif sort == "B":
        length = binary_size(inner)
    elif sort in ("N", "BOOL", "NULL"):
        return None
    else:
        length = len(inner)
    return {"N": str(length)}


def begins_with(value: AttributeValue | None, prefix: AttributeValue | None) -> bool:
    """Whether both are texts or both binary and the first starts with the second."""
    if value is None or prefix is None:
        return False
    if "S" in value and "S" in prefix:
        return bool(value["S"].startswith(prefix["S"]))
    return "B" in value and "B" in prefix and binary(value["B"]).startswith(binary(prefix["B"]))


def contains(value: AttributeValue | None, part: AttributeValue | None) -> bool:
    """Whether a text or binary holds the other, a set that member, or a list an equal element (dataplane:COND-8)."""
    if value is None or part is None:
        return False
    ((sort, inner),) = value.items()
    if sort == "L":
        return part in inner
    ((part_sort, piece),) = part.items()
    if sort == "S":
        return part_sort == "S" and piece in inner
    if sort == "B":
        return part_sort == "B" and binary(piece) in binary(inner)
    return _MEMBER_OF.get(sort) == part_sort and piece in inner


def _has_type(value: AttributeValue | None, wanted: AttributeValue | None) -> bool:
    return value is not None and wanted is not None and wanted.get("S") in value


_FUNCTIONS: dict[str, Callable[[list[AttributeValue | None]], bool]] = {
    "attribute_exists": lambda a: a[0] is not None,
    "attribute_not_exists": lambda a: a[0] is None,
    "attribute_type": lambda a: _has_type(a[0], a[1]),
    "begins_with": lambda a: begins_with(a[0], a[1]),
    "contains": lambda a: contains(a[0], a[1]),
}
