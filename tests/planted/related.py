"""Bugs that lie where the model lets every answer pass: only the target's own answers tell them."""

from __future__ import annotations

import json
from typing import Any

from conformance.checks.steps import PLAIN, holds, n, put, s, scan
from reference.api import Call
from reference.expressions import condition as conditions
from reference.expressions.tree import Call as Function
from reference.expressions.tree import Compare, Not
from reference.service import Service
from tests.planted.base import Body, Plant, answers, keyed, plant


def _measures_nothing(node: object, found: Any) -> bool:
    """Whether a comparison measures what has no size."""
    sides = (node.left, node.right) if isinstance(node, Compare) else ()
    return any(isinstance(side, Function) and conditions._value(side, found) is None for side in sides)


def _neither(node: Compare, found: Any) -> bool:
    return not _measures_nothing(node, found) and conditions._compare(node, found)


def _nor(node: Not, found: Any) -> bool:
    return not _measures_nothing(node.condition, found) and conditions._not(node, found)


def _other_size_in_pages(service: Service, call: Call, body: Body) -> Body:
    """Texts beyond ASCII have another size where a page is limited."""
    measured = "size(" in str(call.body.get("FilterExpression")) and call.body.get("Limit") is not None
    kept = [item for item in body.get("Items", ()) if json.dumps(item, ensure_ascii=False).isascii()]
    return {**body, "Items": kept, "Count": len(kept)} if measured and "Items" in body else body


def _in(name: str, about: str, *steps: Any, **hooks: Any) -> Plant:
    return plant(name, about, "expressions", PLAIN, *steps, **hooks)


_WIDE, _SIZE = s("é"), "size(v) = :x"

PLANTS: tuple[Plant, ...] = (
    _in(
        "size-of-nothing-unknown", "A comparison with the size of what has none is neither true nor false.",
        put(), scan(), holds("size(v) <> :x", {"x": n(1)}), holds("NOT (size(v) <> :x)", {"x": n(1)}),
        patches=(keyed(conditions._EVALUATORS, {Compare: _neither, Not: _nor}),),
    ),
    _in(
        "size-differs-in-pages", "size() of a text beyond ASCII is another where a page is limited.",
        put({"v": _WIDE}), holds(_SIZE, {"x": n(1)}), holds(_SIZE, {"x": n(1)}, Limit=5),
        says=answers(_other_size_in_pages, "Query", "Scan"),
    ),
)  # fmt: skip
