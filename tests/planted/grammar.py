"""Bugs of the rarer grammar: operands in odd places, limits, what a failed condition tells."""

from __future__ import annotations

import re
from typing import Any

from conformance.checks.steps import PLAIN, condition, delete, get, holds, n, put, s, transact, update
from conformance.checks.steps import t_put as action
from conformance.program import Step
from reference.api import Call, Refusal, Reply
from reference.expressions import condition as conditions
from reference.expressions import update as updates
from reference.expressions.tree import Between, Compare, In, Not, Path
from reference.expressions.tree import Call as Function
from reference.service import Service
from tests.planted.base import Body, Plant, asks, keyed, overlooks, patched, plant, refuses

_KINDS = conditions._EVALUATORS


def _one_not(node: Not, found: Any) -> bool:
    """NOT NOT is NOT."""
    inner = node.condition
    while isinstance(inner, Not):
        inner = inner.condition
    return not _KINDS[inner.__class__](inner, found)


def _size_on_the_left(node: Compare, found: Any) -> bool:
    if isinstance(node.right, Function):
        return False
    return conditions._compare(node, found)


def _size_not_between(node: Between, found: Any) -> bool:
    return not isinstance(node.operand, Function) and conditions._between(node, found)


def _listed_values(node: In, found: Any) -> bool:
    """Paths among the options of IN are passed over."""
    return conditions._in(In(node.operand, tuple(o for o in node.options if not isinstance(o, Path))), found)


def _path_bounds(node: Between, found: Any) -> bool:
    """Bounds that are paths are never met."""
    return not isinstance(node.low, Path) and not isinstance(node.high, Path) and conditions._between(node, found)


def _keywords(body: Body) -> Body:
    """Keywords in lower case are taken for names."""
    text = body.get("ConditionExpression")
    if not isinstance(text, str) or not re.search(r"\b(and|or|not|between|in)\b", text):
        return body
    return {**body, "ConditionExpression": re.sub(r"\b(and|or|not|between|in)\b", r"\1x", text)}


def _lines(body: Body) -> Body:
    """A line break in an expression ends it."""
    text = body.get("UpdateExpression")
    return {**body, "UpdateExpression": text.split("\n")[0]} if isinstance(text, str) and "\n" in text else body


def _reasons_without_items(service: Service, call: Call, reply: Refusal) -> Reply:
    """Reasons of a cancelled transaction never show the item."""
    reasons = reply.fields.get("CancellationReasons", ())
    bare = [{name: member for name, member in reason.items() if name != "Item"} for reason in reasons]
    return Refusal(reply.code, reply.message, reply.status, {**reply.fields, "CancellationReasons": bare}, reply.rules)


def _delete_hides_item(service: Service, call: Call, reply: Refusal) -> Reply:
    fields = {name: member for name, member in reply.fields.items() if name != "Item"}
    return Refusal(reply.code, reply.message, reply.status, fields, reply.rules)


def _right_is_path(operand: Any, old: Any) -> Any:
    """``:value - path`` is taken for ``path - :value``."""
    if operand.operator == "-" and isinstance(operand.right, Path) and not isinstance(operand.left, Path):
        operand = type(operand)("-", operand.right, operand.left)
    return updates_calculate(operand, old)


updates_calculate = updates._calculate


def _last_option_only(node: In, found: Any) -> bool:
    return conditions._in(In(node.operand, node.options[-1:]) if len(node.options) > 3 else node, found)


def _in_grammar(name: str, about: str, *steps: Step, **hooks: Any) -> Plant:
    return plant(name, about, "expressions", PLAIN, *steps, **hooks)


_MANY = ", ".join([":v"] * 101)
_SHOWN = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}

PLANTS: tuple[Plant, ...] = (
    _in_grammar(
        "double-negation-is-one", "NOT NOT of a condition is its NOT.",
        put({"v": n(1)}), holds("NOT NOT v = :x", {"x": n(1)}), patches=(keyed(_KINDS, {Not: _one_not}),),
    ),
    _in_grammar(
        "size-on-the-left-only", "size() on the right of a comparison is never met.",
        put({"v": s("ab")}), holds(":x = size(v)", {"x": n(2)}), patches=(keyed(_KINDS, {Compare: _size_on_the_left}),),
    ),
    _in_grammar(
        "size-not-between", "size() is between nothing.",
        put({"v": s("ab")}), holds("size(v) BETWEEN :x AND :y", {"x": n(1), "y": n(3)}),
        patches=(keyed(_KINDS, {Between: _size_not_between}),),
    ),
    _in_grammar(
        "in-passes-over-paths", "IN looks at the values listed, not at the paths.",
        put({"v": n(1), "w": n(1)}), holds("v IN (w, :x)", {"x": n(2)}), patches=(keyed(_KINDS, {In: _listed_values}),),
    ),
    _in_grammar(
        "in-last-of-many", "Of more than three options IN looks at the last.",
        put({"v": n(1)}), holds("v IN (:a, :b, :c, :d)", {"a": n(1), "b": n(2), "c": n(3), "d": n(4)}),
        patches=(keyed(_KINDS, {In: _last_option_only}),),
    ),
    _in_grammar(
        "between-needs-values", "BETWEEN with paths as bounds is never true.",
        put({"v": n(1), "w": n(1)}), holds("v BETWEEN w AND :x", {"x": n(2)}),
        patches=(keyed(_KINDS, {Between: _path_bounds}),),
    ),
    _in_grammar(
        "keywords-in-capitals", "Keywords in lower case are not understood.",
        put({"v": n(1)}), condition("v = :x and attribute_exists(pk)", {"x": n(1)}), asks=asks(_keywords),
    ),
    _in_grammar(
        "line-ends-update", "A line break ends an update expression.",
        update("SET v = :x,\nw = :x", {"x": n(1)}), asks=asks(_lines, "UpdateItem"),
    ),
    _in_grammar(
        "options-unlimited", "IN takes more than a hundred options.",
        holds(f"v IN ({_MANY})", {"v": n(1)}), passes=overlooks("expressions.in-options"),
    ),
    _in_grammar(
        "operators-unlimited", "Several hundred operators are accepted.",
        holds(" AND ".join(["v = :v"] * 151), {"v": n(1)}), passes=overlooks("expressions.operators"),
    ),
    _in_grammar(
        "paths-unlimited", "Paths may be deeper than 32 levels.",
        holds(".".join(["v"] * 33) + " = :v", {"v": n(1)}), passes=overlooks("expressions.path-depth"),
    ),
    _in_grammar(
        "placeholders-unlimited", "A placeholder may be longer than 255 characters.",
        delete(ConditionExpression="#" + "n" * 255 + " = :v", ExpressionAttributeNames={"#" + "n" * 255: "v"},
               ExpressionAttributeValues={":v": n(1)}),
        passes=overlooks("expressions.placeholder-length"),
    ),
    _in_grammar(
        "type-names-unchecked", "attribute_type() takes any type name.",
        holds("attribute_type(v, :t)", {"t": s("X")}), passes=overlooks("expressions.type-name"),
    ),
    _in_grammar(
        "subtraction-of-path-turned", "A value minus an attribute is the attribute minus the value.",
        put({"v": n(1)}), update("SET v = :x - v", {"x": n(5)}), get(),
        patches=(patched(updates, _calculate=_right_is_path),),
    ),
    _in_grammar(
        "reasons-without-items", "A cancelled transaction shows no item, though asked to.",
        put({"v": n(1)}), transact(action(ConditionExpression="attribute_not_exists(pk)", **_SHOWN)),
        says=refuses("transactions.cancelled", _reasons_without_items),
    ),
    _in_grammar(
        "delete-hides-item", "A DeleteItem whose condition fails shows no item, though asked to.",
        put({"v": n(1)}), delete(ConditionExpression="attribute_not_exists(pk)", **_SHOWN),
        says=refuses("items.condition-failed", _delete_hides_item, "DeleteItem"),
    ),
)  # fmt: skip
