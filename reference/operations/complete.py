"""Whether a request has everything its model requires, so that an operation may take it apart without asking again."""

from __future__ import annotations

from typing import Any

from reference.requests.model import Shape, input_of


def complete(operation: str, body: dict[str, Any]) -> bool:
    """Whether all required members are there, at every depth, and no list is empty that must not be.

    A request that lacks some has been refused before; draining its further violations stops there.
    """
    return _complete(input_of(operation), body)


def _complete(shape: Shape, value: Any) -> bool:
    if value is None:
        return False
    if shape.kind == "structure":
        return all(value.get(name) is not None for name in shape.required) and all(
            _complete(member, value[name]) for name, member in shape.members.items() if value.get(name) is not None
        )
    if shape.kind == "list" and shape.element is not None:
        # Null may stand for an attribute value, and it is the value layer that refuses it.
        values = shape.element.kind == "value"
        return len(value) >= (shape.min or 0) and (values or all(_complete(shape.element, each) for each in value))
    return True
