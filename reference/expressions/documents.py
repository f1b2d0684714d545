"""Reading items along document paths."""

from __future__ import annotations

from collections.abc import Mapping

from reference.api import AttributeValue
from reference.expressions.tree import Path


def lookup(path: Path, item: Mapping[str, AttributeValue]) -> AttributeValue | None:
    """The value a bound path leads to, or None where it leads nowhere: a missing member, or a step into a scalar."""
    steps = path.steps
    value = item.get(steps[0])  # type: ignore[arg-type]  # the first step of a bound path is a name
    if value is None or len(steps) == 1:
        return value
    for step in steps[1:]:
        if step.__class__ is int:
            elements = value.get("L")
            if elements is None or step >= len(elements):
                return None
            value = elements[step]
        else:
            members = value.get("M")
            if members is None:
                return None
            value = members.get(step)
            if value is None:
                return None
    return value
