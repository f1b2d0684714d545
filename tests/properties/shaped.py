"""Requests of any operation drawn after its model: well formed more often than not, and sometimes wild."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from reference.requests.model import Shape, inputs

NUMBERS = st.sampled_from([0, 1, 2, 25, -1, 101, 40_001, 10**400, 1.5, 1e300, -1e300, float("inf"), float("nan")])
Words = Mapping[str, tuple[Any, ...]]
"""Likely values by member name, or by the name of the shape."""


def body(operation: str, words: Words) -> st.SearchStrategy[dict[str, Any]]:
    """A body for an operation; every value has the JSON type that its member wants."""
    return _structure(inputs()[operation], words)


def _structure(shape: Shape, words: Words) -> st.SearchStrategy[dict[str, Any]]:
    needed = {name: _value(name, member, words) for name, member in shape.members.items() if name in shape.required}
    other = {name: _value(name, member, words) for name, member in shape.members.items() if name not in shape.required}
    whole = st.fixed_dictionaries(needed, optional=other)
    broken = st.fixed_dictionaries({}, optional={**needed, **other})
    return st.integers(0, 7).flatmap(lambda n: broken if n == 0 else whole)


def _value(name: str, shape: Shape, words: Words) -> st.SearchStrategy[Any]:
    likely = words.get(name, words.get(shape.name))
    if likely is not None:
        return st.one_of(*[st.sampled_from(likely)] * 3, _drawn(name, shape, words))
    return _drawn(name, shape, words)


def _drawn(name: str, shape: Shape, words: Words) -> st.SearchStrategy[Any]:
    if shape.kind == "structure":
        return _structure(shape, words)
    if shape.kind == "list" and shape.element is not None:
        return st.lists(_value(name, shape.element, words), max_size=3)
    if shape.kind == "map" and shape.element is not None:
        return st.dictionaries(st.sampled_from(["#a", ":v", "x"]), _value(name, shape.element, words), max_size=2)
    if shape.kind == "value":
        return st.sampled_from([{"S": "x"}, {"N": "1"}, {"N": "no"}, {}, {"L": [{"NULL": True}]}])
    if shape.kind == "boolean":
        return st.booleans()
    if shape.kind in ("integer", "long", "double", "timestamp"):
        return NUMBERS if shape.kind == "timestamp" else st.sampled_from([0, 1, 2, 25, -1, 101, 40_001, 10**400])
    if shape.enum:
        return st.sampled_from([*shape.enum, "OTHER"])
    return st.sampled_from(["tab", "", "x", "a b", "arn:", "\ud800", "x" * 1200])
