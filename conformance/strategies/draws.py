"""Drawing by hand from Hypothesis: small choices, the simplest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]
"""Hypothesis's ``data.draw``."""


def pick(draw: Draw, options: Sequence[T]) -> T:
    """One of the options."""
    return options[draw(st.integers(0, len(options) - 1))] if len(options) > 1 else options[0]


def chance(draw: Draw, percent: int) -> bool:
    """True in about ``percent`` of a hundred draws."""
    return bool(draw(st.integers(0, 99)) >= 100 - percent)


def some(draw: Draw, options: Sequence[T], least: int = 0, most: int | None = None) -> list[T]:
    """A few different options, in their order."""
    limit = len(options) if most is None else min(most, len(options))
    count = draw(st.integers(min(least, limit), limit))
    left = list(options)
    chosen: list[T] = []
    for _ in range(count):
        chosen.append(left.pop(draw(st.integers(0, len(left) - 1)) if len(left) > 1 else 0))
    return [option for option in options if option in chosen] if all_hashable(options) else chosen


def all_hashable(options: Sequence[Any]) -> bool:
    """Whether the options can be looked up by value."""
    return all(isinstance(option, str | int | tuple) for option in options)


def number(draw: Draw, low: int, high: int) -> int:
    """A whole number between two bounds, both included."""
    return int(draw(st.integers(low, high)))
