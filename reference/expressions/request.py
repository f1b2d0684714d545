"""The expression parameters of a request, read and checked as the service does.

``read`` does all of it. Operations that check other things in between call the stages themselves: ``mixing``,
``placeholders``, ``parse_all``, ``unused`` (dataplane:ORD-2 to ORD-4, EXPR-25).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reference.api import AttributeValue, Json
from reference.expressions.binding import bind, named
from reference.expressions.key_condition import Clause, clauses
from reference.expressions.parser import parse
from reference.expressions.tree import Condition, Kind, Projection, Update
from reference.rules import Checks, Cohort, Violation, surface, violation
from reference.values.value import MAX_NESTING, check_names, depth, normalise

ORDER: tuple[Kind, ...] = ("Update", "Condition", "KeyCondition", "Filter", "SearchCondition", "Projection")
"""The order in which the service reads the expressions of a request."""

_PARAMETER = {kind: f"{kind}Expression" for kind in ORDER}
_LISTED: tuple[Kind, ...] = ("Update", "Condition", "Projection", "Filter", "KeyCondition", "SearchCondition")
_LEGACY = {
    "PutItem": ("Expected", "ConditionalOperator"),
    "DeleteItem": ("Expected", "ConditionalOperator"),
    "UpdateItem": ("AttributeUpdates", "Expected", "ConditionalOperator"),
    "GetItem": ("AttributesToGet",),
    "BatchGetItem": ("AttributesToGet",),
    "Query": ("AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"),
    "Scan": ("AttributesToGet", "ScanFilter", "ConditionalOperator"),
}
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
_NAME_KEY = re.compile(r"#[0-9A-Za-z_]+").fullmatch
_VALUE_KEY = re.compile(r":[0-9A-Za-z_]+").fullmatch
_MAX_KEY_BYTES = 255
_LENIENT = frozenset({"TransactWriteItems", "TransactGetItems"})
"""Operations whose actions take placeholders that no expression could use."""


@dataclass(frozen=True, slots=True)
class Placeholders:
    """What a request's ``#names`` and ``:values`` stand for, values in normal form.

    ``given`` are all ``:values`` that were sent, refused ones too. ``sound`` is False when any name or value is
    refused: what depends on them is then left unchecked.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, AttributeValue] = field(default_factory=dict)
    given: Collection[str] = ()
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Expressions:
    """The bound expressions of a request; None where it has none."""

    update: Update | None = None
    condition: Condition | None = None
    key_condition: tuple[Clause, ...] | None = None
    filter: Condition | None = None
    search_condition: Condition | None = None
    projection: Projection | None = None


NO_EXPRESSIONS = Expressions()


def read(
    operation: str, request: Mapping[str, Json], kinds: Sequence[Kind], layer: Cohort
) -> Checks[Expressions | None]:
    """All stages in the usual order. ``kinds`` are the expressions the operation knows; None when any is refused."""
    sound = yield from mixing(operation, request, kinds)
    given = [kind for kind in ORDER if kind in kinds and request.get(_PARAMETER[kind]) is not None]
    if not given:
        return NO_EXPRESSIONS if sound else None
    stand_for = yield from placeholders(operation, request, layer)
    expressions = yield from parse_all(request, given, stand_for)
    sound &= yield from unused(request, given, stand_for)
    return expressions if sound else None


def mixing(operation: str, request: Mapping[str, Json], kinds: Sequence[Kind]) -> Checks[bool]:
    """Old and new parameters together, and placeholders with no expression to use them (dataplane:LEG-1, EXPR-12).

    True when nothing is wrong.
    """
    sound = True
    listed = [_PARAMETER[kind] for kind in _LISTED if kind in kinds]
    given = [name for name in listed if request.get(name) is not None]
    if given:
        legacy = [name for name in _LEGACY.get(operation, ()) if request.get(name) is not None]
        if "KeyConditions" in legacy and request.get("KeyConditionExpression") is None:
            legacy.remove("KeyConditions")
        if legacy:
            sound = False
            yield violation("legacy.mixed-parameters", legacy=", ".join(legacy), expressions=", ".join(given))
    elif operation in _LENIENT:
        return True
    elif request.get("ExpressionAttributeNames") is not None:
        sound = False
        yield violation("expressions.names-without-expression")
    users = [name for name in listed if name != "ProjectionExpression"]
    if users and request.get("ExpressionAttributeValues") is not None and not set(users) & set(given):
        missing = f": {' and '.join(users)} {'is' if len(users) == 1 else 'are'} null"
        tail = "" if operation in _WRITES else missing
        sound = False
        yield violation("expressions.values-without-expression", tail=tail, older=missing)
        # Also true, and told by targets that read the values first (conflicts:60).
        yield from placeholders(operation, request, surface(operation).values)
    elif not given and request.get("ExpressionAttributeNames") is not None:
        yield from placeholders(operation, request, surface(operation).values)
    return sound


def batch_mixing(requests: Sequence[Mapping[str, Json]]) -> Checks[None]:
    """BatchGetItem refuses AttributesToGet of one table beside ProjectionExpression of another (dataplane:PROJ-6)."""
    members = ("AttributesToGet", "ProjectionExpression")
    legacy, modern = (any(request.get(m) is not None for request in requests) for m in members)
    if legacy and modern:
        yield violation("legacy.mixed-parameters", legacy=members[0], expressions=members[1])


def placeholders(operation: str, request: Mapping[str, Json], layer: Cohort) -> Checks[Placeholders]:
    """What the placeholders stand for; call it only when the request has an expression (dataplane:EXPR-13, EXPR-14)."""
    names = request.get("ExpressionAttributeNames")
    values = request.get("ExpressionAttributeValues")
    sound = names is None or bool(names)
    if names is not None:
        if not names:
            yield violation("expressions.names-empty")
        for fault in _bad_keys(names, _NAME_KEY, "expressions.names-key", "Names"):
            sound = False
            yield fault
        found: list[Violation] = []
        if check_names(names.values(), found):
            sound = False
            yield from _bad_names(names)
    if values is None:
        return Placeholders(names or {}, sound=sound)
    if not values:
        sound = False
        yield violation("expressions.values-empty")
    for fault in _bad_keys(values, _VALUE_KEY, "expressions.values-key", "Values"):
        sound = False
        yield fault
    kept: dict[str, AttributeValue] = {}
    late: list[Violation] = []
    for key, given in values.items():
        value = _value(operation, key, given, layer, late)
        if value is not None:
            kept[key] = value
    yield from late
    return Placeholders(names or {}, kept, values, sound and len(kept) == len(values))


def _bad_keys(keys: Collection[str], lawful: Callable[[str], object], rule: str, which: str) -> Iterable[Violation]:
    """What is wrong with placeholders, each by itself."""
    if all(map(lawful, keys)) and max(map(len, keys), default=0) <= _MAX_KEY_BYTES:
        return ()
    found = []
    for key in keys:
        size = len(key.encode("utf-8", "surrogatepass"))
        if size > _MAX_KEY_BYTES:
            told = f" size of key: {size}" if which == "Names" else ""
            found.append(violation("expressions.placeholder-length", which=which, size=told))
        elif not lawful(key):
            found.append(violation(rule, key=key))
    return found


def _bad_names(names: Mapping[str, str]) -> Checks[None]:
    for key, name in names.items():
        found: list[Violation] = []
        check_names((name,), found)
        for fault in found:
            rule = "expressions.names-value" if name else "expressions.names-value-empty"
            yield violation(rule, key=key, fault=fault.rule.message)


def _value(operation: str, key: str, given: Json, layer: Cohort, late: list[Violation]) -> AttributeValue | None:
    found: list[Violation] = []
    value = normalise(given, layer, found)
    if not found:
        return value
    nested = any(fault.rule.name == "values.nesting" for fault in found)
    if nested and operation == "TransactWriteItems" and depth(given) == MAX_NESTING + 1 and len(given) == 1:
        # Transactions read one level more; storing such a value fails later (dataplane:TYPE-9).
        found.clear()
        value = _outer(given, layer, found)
    late += [fault.at(key) for fault in found]
    return value


def _outer(given: Json, layer: Cohort, found: list[Violation]) -> AttributeValue | None:
    """A list or map whose elements are read by themselves."""
    ((sort, inner),) = given.items()
    if sort == "M":
        check_names(inner, found)
    pairs = inner.items() if sort == "M" else enumerate(inner)
    read = {k: normalise(element, layer, found) for k, element in pairs}
    if found or None in read.values():
        return None
    return {"M": read} if sort == "M" else {"L": list(read.values())}


def parse_all(
    request: Mapping[str, Json], kinds: Sequence[Kind], stand_for: Placeholders
) -> Checks[Expressions | None]:
    """The expressions of these kinds, parsed, checked and bound, in the service's order; None when any is refused."""
    trees: dict[str, Any] = {}
    refused = not stand_for.sound
    for kind in ORDER:
        text = request.get(_PARAMETER[kind]) if kind in kinds else None
        if text is None:
            continue
        expression = named(kind, text, stand_for.names)
        if not stand_for.sound:
            yield from (*expression.parsed.faults, *expression.parsed.late)
            continue
        bound: Any = yield from bind(expression, stand_for.values)
        refused |= bound is None
        trees[kind] = bound
    if (keys := trees.get("KeyCondition")) is not None:
        # What makes no key condition is said last: an empty filter comes first (recorded on AWS by moto's tests).
        trees["KeyCondition"] = yield from clauses(keys)
        refused |= trees["KeyCondition"] is None
    if refused:
        return None
    get = trees.get
    return Expressions(
        get("Update"),
        get("Condition"),
        get("KeyCondition"),
        get("Filter"),
        get("SearchCondition"),
        get("Projection"),
    )


def unused(request: Mapping[str, Json], kinds: Sequence[Kind], stand_for: Placeholders) -> Checks[bool]:
    """Placeholders no expression uses: names, then values; True when there are none (dataplane:EXPR-16).

    Nothing is said while one of the expressions cannot be read: it might use them.
    """
    if not stand_for.names and not stand_for.given:
        return True
    used: set[str] = set()
    for kind in kinds:
        text = request.get(_PARAMETER[kind])
        if text is None:
            continue
        parsed = parse(kind, text)
        if parsed.tree is None:
            return True
        used.update(parsed.aliases)
        used.update(parsed.placeholders)
    sound = True
    for rule, keys in (
        ("expressions.names-unused", stand_for.names),
        ("expressions.values-unused", stand_for.given),
    ):
        left = [key for key in keys if key not in used]
        if left:
            sound = False
            yield violation(rule, keys=", ".join(left))
    return sound
