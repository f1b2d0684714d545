"""What a judged call covers: the behaviour rules its answer shows, and the parts of the expression language it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from conformance.fates import READS
from conformance.oracle.about import OPERATIONS
from conformance.oracle.exercised import nodes, parts, rule_of, tree_of
from reference.api import Call, Json
from reference.expressions.tree import (
    Add,
    Alias,
    And,
    Arithmetic,
    Between,
    Compare,
    Delete,
    In,
    Kind,
    Not,
    Or,
    Path,
    Placeholder,
    Projection,
    Remove,
    Set,
    Update,
)
from reference.expressions.tree import Call as Function
from reference.operations.base import Outcome
from reference.rules import ledger

_CONDITIONS: tuple[Kind, ...] = ("Condition", "Filter", "KeyCondition")
_CANONICAL = re.compile(r"(?!-0\Z)-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?\Z")
MAX_VALUES = 400
"""Values of a request or an answer that are looked at."""

_COMPARATORS = ("=", "<>", "<", "<=", ">", ">=")
_FUNCTIONS = ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size")
_OPERANDS = ("attribute", "nested path", "list index", "alias", "value")
_RETURNED = ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")

FEATURES: tuple[str, ...] = (
    *(f"{kind}: {form}" for kind in ("condition", "filter")
      for form in (*_COMPARATORS, "BETWEEN", "IN", "AND", "OR", "NOT", *_FUNCTIONS, *_OPERANDS)),
    *(f"key condition: {form}" for form in ("=", "<", "<=", ">", ">=", "BETWEEN", "AND", "begins_with", "alias")),
    *(f"update: {form}" for form in (
        "SET", "REMOVE", "ADD", "DELETE", "+", "-", "if_not_exists", "list_append", *_OPERANDS)),
    *(f"projection: {form}" for form in _OPERANDS[:4]),
    *(f"ReturnValues: {form}" for form in _RETURNED),
    *(f"ReturnValuesOnConditionCheckFailure: {form}" for form in _RETURNED[:2]),
)  # fmt: skip
"""Every part of the expression language, as reports name it."""
_NAMES = frozenset(FEATURES)

_KINDS: Mapping[Kind, str] = {
    "Condition": "condition", "Filter": "filter", "KeyCondition": "key condition", "Update": "update",
    "Projection": "projection",
}  # fmt: skip
_ACTIONS = {Set: "expressions.reads-before", Remove: "expressions.remove", Add: "expressions.add",
            Delete: "expressions.delete"}  # fmt: skip
_CHARGED = ("capacity.read-units", "capacity.page-units", "capacity.write-units", "capacity.transaction-units")


def features(call: Call) -> Iterator[str]:
    """The parts of the expression language that a request uses, of ``FEATURES``, some of them more than once."""
    if not isinstance(call.body, dict):
        return
    for fields in parts(call):
        for kind, name in _KINDS.items():
            tree = tree_of(fields, kind)
            if tree is not None:
                yield from (each for form in _forms(tree) if (each := f"{name}: {form}") in _NAMES)
        for member in ("ReturnValues", "ReturnValuesOnConditionCheckFailure"):
            if fields.get(member) in _RETURNED:
                yield f"{member}: {fields[member]}"


def _forms(tree: object) -> Iterator[str]:
    if isinstance(tree, Projection):
        for path in tree.paths:
            yield from _path(path)
        return
    if isinstance(tree, Update):
        for action in tree.actions:
            yield type(action).__name__.upper()
            yield from _path(action.target)
            for node in nodes(getattr(action, "value", None)):
                yield from _form(node)
        return
    for node in nodes(tree):
        yield from _form(node)


def _form(node: object) -> Iterator[str]:
    if isinstance(node, Compare | Arithmetic):
        yield node.operator
    elif isinstance(node, Between | In | And | Or | Not):
        yield type(node).__name__.upper()
    elif isinstance(node, Function):
        yield node.function
    elif isinstance(node, Path):
        yield from _path(node)
    elif isinstance(node, Placeholder):
        yield "value"


def _path(path: Path) -> Iterator[str]:
    steps = path.steps
    if any(isinstance(step, Alias) for step in steps):
        yield "alias"
    if len(steps) == 1:
        yield "attribute"
    if any(isinstance(step, int) for step in steps):
        yield "list index"
    if any(not isinstance(step, int) for step in steps[1:]):
        yield "nested path"


def behaviours(call: Call, outcome: Outcome) -> set[str]:
    """The behaviour rules that a sound call's answer shows: those of the outcome, and what its request exercises."""
    found = set(outcome.rules)
    if call.operation in OPERATIONS and call.operation not in ("GetItem", "DeleteItem"):
        found.add(OPERATIONS[call.operation])
    body = call.body if isinstance(call.body, dict) else {}
    decided = conditions(call)
    found |= decided
    for fields in parts(call) if body else ():
        found.update(_of_update(fields))
        if fields.get("ProjectionExpression"):
            found |= {"items.projected", "expressions.projection"}
        found.update(_legacy(fields))
    if call.operation == "DeleteItem" and any(change.old is not None for change in outcome.changes):
        found.add("items.delete-removes")
    found.update(_of_values(call, outcome, decided))
    return found & ledger().keys()


def conditions(call: Call) -> set[str]:
    """The rules by which the conditions and filters of a request are decided."""
    found: set[str] = set()
    for fields in parts(call) if isinstance(call.body, dict) else ():
        for kind in _CONDITIONS[:2]:
            tree = tree_of(fields, kind)
            for node in nodes(tree):
                rule = rule_of(node)
                found |= {rule} if rule is not None else set()
            if isinstance(tree, And | Or | Not | Between):
                found.add("expressions.precedence")
        for name in ("Expected", "QueryFilter", "ScanFilter", "KeyConditions"):
            if fields.get(name):
                found.add("legacy.comparisons")
                if len(fields[name]) > 1 and name != "KeyConditions":
                    found.add("legacy.joined")
        if fields.get("Expected") == {}:
            found.add("legacy.empty-expected")
    return found


def _of_update(fields: Mapping[str, Json]) -> Iterator[str]:
    tree = tree_of(fields, "Update")
    if not isinstance(tree, Update):
        return
    for action in tree.actions:
        yield _ACTIONS[type(action)]
        if isinstance(action, Set) and isinstance(action.target.steps[-1], int):
            yield "expressions.list-append-past-end"
        for node in nodes(getattr(action, "value", None)):
            if isinstance(node, Arithmetic):
                yield "values.number-arithmetic"
            elif isinstance(node, Function):
                yield {"list_append": "expressions.list-append"}.get(node.function, "expressions.if-not-exists")
    if all(isinstance(action, Remove | Delete) for action in tree.actions):
        yield "expressions.no-upsert"
    if str(fields.get("ReturnValues")).startswith("UPDATED"):
        yield "expressions.updated-values"


def _legacy(fields: Mapping[str, Json]) -> Iterator[str]:
    if fields.get("AttributesToGet"):
        yield "legacy.attributes-to-get"
    updates = fields.get("AttributeUpdates")
    for update in updates.values() if isinstance(updates, dict) else ():
        if isinstance(update, dict) and update.get("Action") == "ADD" and "L" in (update.get("Value") or {}):
            yield "legacy.add-to-list"


def _of_values(call: Call, outcome: Outcome, decided: AbstractSet[str]) -> Iterator[str]:
    """Rules about values, by what a request writes or an answer shows; ``decided`` rule its conditions."""
    asked, shown = _kinds(call.body), _kinds(outcome.body)
    reading = call.operation in READS
    if shown and reading:
        yield "values.round-trip"
    if shown & {"SS", "NS", "BS"}:
        yield "values.set-order"
    if "respelt" in asked:
        yield "values.number-normal-form"
        if not reading or call.operation in ("GetItem", "BatchGetItem", "TransactGetItems"):
            yield from ("keys.identity",) if "respelt" in _kinds(_keys(call.body)) else ()
    if "N" in asked and decided & {"expressions.equality", "expressions.in", "expressions.ordering"}:
        yield "values.number-equality"
    if asked & {"SS", "NS", "BS", "L", "M"} and "expressions.equality" in decided:
        yield "values.equality"
    listed = outcome.body.get("Items") if isinstance(outcome.body, dict) else None
    if (call.operation == "Query" and listed and len(listed) > 1) or "expressions.ordering" in decided:
        yield "values.order"
    if any(rule in outcome.rules for rule in _CHARGED):
        yield from ("values.item-size", "values.size")
        if "N" in shown | asked:
            yield "values.number-size"


def _keys(body: Json) -> Json:
    """What a request gives of primary keys, wherever it stands."""
    if not isinstance(body, dict):
        return None
    single = [body.get("Key")]
    requests = body.get("RequestItems")
    tables = requests.values() if isinstance(requests, dict) else ()
    batches = [part.get("Keys") for part in tables if isinstance(part, dict)]
    return [*single, *batches, *(part.get("Key") for part in parts(Call("", body)))]


def _kinds(body: Json) -> set[str]:
    """The types of the values in a body, and ``respelt`` where a number is not in normal form."""
    found: set[str] = set()
    left: list[Any] = [body]
    for _ in range(MAX_VALUES):
        if not left:
            break
        single = left.pop()
        if isinstance(single, dict):
            for name, inner in single.items():
                if name == "N" and isinstance(inner, str):
                    found |= {"N"} if _CANONICAL.match(inner) else {"N", "respelt"}
                elif name in _TYPES:
                    found.add(name)
                if isinstance(inner, dict | list):
                    left.append(inner)
        elif isinstance(single, list):
            left += [each for each in single if isinstance(each, dict | list)]
    return found


_TYPES = frozenset({"S", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"})
