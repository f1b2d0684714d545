"""The parameters that expressions replaced, read into the same trees (dataplane:LEG-1 to LEG-9, XTRA-LEG).

Every reader takes the request's member as it stands, yields what is wrong with its shape, and returns a bound tree;
None for an absent or empty member, and for one that is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reference.api import AttributeValue, Json
from reference.expressions.key_condition import Clause
from reference.expressions.tree import (
    Action,
    Add,
    And,
    Between,
    Call,
    Compare,
    Condition,
    Delete,
    In,
    Literal,
    Not,
    Or,
    Path,
    Projection,
    Remove,
    Set,
    Update,
)
from reference.rules import Checks, Cohort, Violation, violation
from reference.values.value import check_names, compare, normalise, type_of

_SCALARS = frozenset({"S", "N", "B"})
_ARGUMENT_TYPES = {
    "LE": _SCALARS,
    "LT": _SCALARS,
    "GE": _SCALARS,
    "GT": _SCALARS,
    "BETWEEN": _SCALARS,
    "IN": _SCALARS,
    "CONTAINS": _SCALARS | {"BOOL", "NULL"},
    "NOT_CONTAINS": _SCALARS | {"BOOL", "NULL"},
    "BEGINS_WITH": frozenset({"S", "B"}),
}
_COMPARATORS = {"EQ": "=", "NE": "<>", "LE": "<=", "LT": "<", "GE": ">=", "GT": ">"}
_INDEXABLE = {
    "EQ": "=",
    "LE": "<=",
    "LT": "<",
    "GE": ">=",
    "GT": ">",
    "BETWEEN": "BETWEEN",
    "BEGINS_WITH": "begins_with",
}
_ADDABLE = frozenset({"N", "SS", "NS", "BS", "L"})
_SETS = frozenset({"SS", "NS", "BS"})


def expected(request: Mapping[str, Json], layer: Cohort) -> Checks[Condition | None]:
    """The condition that Expected and ConditionalOperator state."""
    conditions = request.get("Expected")
    parts: list[Condition] = []
    for name, entry in (conditions or {}).items():
        part = yield from _expectation(name, entry, layer)
        parts += [] if part is None else [part]
    return (yield from _joined(request, conditions, parts))


def filters(request: Mapping[str, Json], member: str, layer: Cohort) -> Checks[Condition | None]:
    """The condition that ``member`` (QueryFilter or ScanFilter) and ConditionalOperator state."""
    conditions = request.get(member)
    parts: list[Condition] = []
    for name, entry in (conditions or {}).items():
        arguments = yield from _arguments(entry.get("ComparisonOperator"), entry.get("AttributeValueList") or [], layer)
        # Without an operator the model's constraints have refused the request already.
        if arguments is not None and entry.get("ComparisonOperator") is not None:
            parts.append(_condition(name, entry["ComparisonOperator"], arguments))
    return (yield from _joined(request, conditions, parts))


def _joined(
    request: Mapping[str, Json], conditions: Mapping[str, Json] | None, parts: Sequence[Condition]
) -> Checks[Condition | None]:
    operator = request.get("ConditionalOperator")
    if operator is not None and not conditions:
        yield violation("legacy.operator-without-conditions")
    elif operator is not None and conditions and len(conditions) == 1:
        yield violation("legacy.operator-for-one-condition")
    if not conditions or len(parts) < len(conditions):
        return None
    if len(parts) == 1:
        return parts[0]
    return Or(tuple(parts)) if operator == "OR" else And(tuple(parts))


def _expectation(name: str, entry: Mapping[str, Json], layer: Cohort) -> Checks[Condition | None]:
    fault = _expectation_fault(name, entry)
    if fault is not None:
        yield fault
        return None
    value, operator = entry.get("Value"), entry.get("ComparisonOperator")
    if operator is None:
        if value is None:
            return Call("attribute_not_exists", (Path((name,)),))
        operator = "EQ"
    listed = entry.get("AttributeValueList")
    arguments = yield from _arguments(operator, listed if value is None else [value], layer)
    return None if arguments is None else _condition(name, operator, arguments)


def _expectation_fault(name: str, entry: Mapping[str, Json]) -> Violation | None:
    """Why the members of one Expected entry do not go together."""
    value, listed = entry.get("Value"), entry.get("AttributeValueList")
    exists, operator = entry.get("Exists"), entry.get("ComparisonOperator")
    if value is not None and listed is not None:
        return violation("legacy.value-and-list", attribute=name)
    if operator is not None:
        if exists is not None:
            return violation("legacy.exists-and-operator", attribute=name)
        if value is None and listed is None and operator not in ("NULL", "NOT_NULL"):
            return violation("legacy.operator-without-value", operator=operator, attribute=name)
    elif listed is not None:
        return violation("legacy.list-without-operator", attribute=name)
    elif value is None and exists is not False:
        return violation("legacy.exists-without-value", exists="null" if exists is None else "true", attribute=name)
    elif value is not None and exists is False:
        return violation("legacy.value-without-exists", attribute=name)
    return None


def _arguments(operator: str, listed: Sequence[Json] | None, layer: Cohort) -> Checks[list[AttributeValue] | None]:
    """The arguments of a comparison in normal form, or None when the operator can't take them."""
    listed = listed or []
    found: list[Violation] = []
    values = [v for v in (normalise(each, layer, found) for each in listed) if v is not None]
    yield from found
    refused = bool(found) or len(values) < len(listed)
    if not _fits(operator, len(listed)):
        refused = True
        yield violation("legacy.argument-count", operator=operator)
    if len(set(map(type_of, values))) > 1:
        refused = True
        yield violation("legacy.mixed-arguments")
    allowed = _ARGUMENT_TYPES.get(operator)
    for sort in dict.fromkeys(map(type_of, values)):
        if allowed is not None and sort not in allowed:
            refused = True
            yield violation("legacy.argument-type", operator=operator, type=sort)
    if operator == "BETWEEN" and len(values) == 2 and (compare(values[0], values[1]) or 0) > 0:
        refused = True
        yield violation("legacy.between-order")
    return None if refused else values


def _fits(operator: str, count: int) -> bool:
    if operator in ("NULL", "NOT_NULL"):
        return count == 0
    if operator == "IN":
        return count >= 1
    return count == (2 if operator == "BETWEEN" else 1)


def _condition(name: str, operator: str, arguments: Sequence[AttributeValue]) -> Condition:
    """A legacy comparison as a tree (dataplane:XTRA-LEG-1)."""
    path = Path((name,))
    values = tuple([Literal(argument) for argument in arguments])
    if operator == "NULL":
        return Call("attribute_not_exists", (path,))
    if operator == "NOT_NULL":
        return Call("attribute_exists", (path,))
    if operator in _COMPARATORS:
        return Compare(_COMPARATORS[operator], path, values[0])
    if operator == "BETWEEN":
        return Between(path, values[0], values[1])
    if operator == "IN":
        return In(path, values)
    if operator == "BEGINS_WITH":
        return Call("begins_with", (path, values[0]))
    contains = Call("contains", (path, values[0]))
    if operator == "CONTAINS":
        return contains
    # Unlike NE, NOT_CONTAINS is false about a missing attribute (surprises:3).
    return And((Call("attribute_exists", (path,)), Not(contains)))


def key_conditions(request: Mapping[str, Json], layer: Cohort) -> Checks[tuple[Clause, ...] | None]:
    """What KeyConditions ask for, each attribute by itself."""
    conditions = request.get("KeyConditions")
    if conditions is None:
        return None
    found: list[Clause] = []
    for name, entry in conditions.items():
        operator = entry.get("ComparisonOperator")
        arguments = yield from _arguments(operator, entry.get("AttributeValueList"), layer)
        if arguments is not None:
            found.append(Clause(name, _INDEXABLE.get(operator, operator), tuple(arguments)))
    # Only an index can have more key attributes, and how many it has the table says (``analyse``).
    if not conditions or (len(conditions) > 2 and request.get("IndexName") is None):
        yield violation("legacy.key-condition-count")
        return None
    return tuple(found) if len(found) == len(conditions) else None


def key_condition_given(request: Mapping[str, Json]) -> Checks[None]:
    """A Query states a key condition in one form or the other."""
    if request.get("KeyConditionExpression") is None and request.get("KeyConditions") is None:
        yield violation("legacy.no-key-condition")


def attribute_updates(request: Mapping[str, Json], layer: Cohort) -> Checks[Update | None]:
    """The update that AttributeUpdates states; of an empty map, an update without actions."""
    updates = request.get("AttributeUpdates")
    if updates is None:
        return None
    actions: list[Action] = []
    names: list[Violation] = []
    check_names(updates, names)
    yield from names
    for name, entry in updates.items():
        action = yield from _action(Path((name,)), entry, layer)
        actions += [] if action is None else [action]
    return Update(tuple(actions), legacy=True) if len(actions) == len(updates) and not names else None


def _action(target: Path, entry: Mapping[str, Json], layer: Cohort) -> Checks[Action | None]:
    kind, given = entry.get("Action") or "PUT", entry.get("Value")
    if given is None:
        if kind != "DELETE":
            yield violation("legacy.action-without-value")
            return None
        return Remove(target)
    found: list[Violation] = []
    value = normalise(given, layer, found)
    yield from found
    if value is None:
        return None
    sort = type_of(value)
    if kind == "DELETE":
        if sort not in _SETS:
            yield violation("legacy.delete-type", type=sort)
            return None
        return Delete(target, Literal(value))
    if kind == "ADD":
        if sort not in _ADDABLE:
            yield violation("legacy.add-type", type=sort)
            return None
        return Add(target, Literal(value))
    return Set(target, Literal(value))


def attributes_to_get(request: Mapping[str, Any]) -> Checks[Projection | None]:
    """The projection that AttributesToGet states."""
    names = request.get("AttributesToGet")
    if names is None:
        return None
    refused: list[Violation] = []
    check_names(names, refused)
    seen: set[str] = set()
    for name in names:
        if name in seen:
            refused.append(violation("legacy.duplicate-attribute", attribute=name))
            break
        seen.add(name)
    yield from refused
    return None if refused else Projection(tuple([Path((name,)) for name in names]))
