"""What a read returns of an item (dataplane:PROJ-1 to PROJ-3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from reference.api import AttributeValue, Item
from reference.expressions.tree import Path, Step

Branches: TypeAlias = "dict[Step, Branches | None]"
"""Paths merged into one tree: step → what is wanted beyond it, None for all of it."""


def merge(paths: Sequence[Path]) -> Branches:
    """The paths as one tree. Of two paths of which one holds the other, the wider counts."""
    root: Branches = {}
    for path in paths:
        branches = root
        for step in path.steps[:-1]:
            below = branches.setdefault(step, {})
            if below is None:
                break
            branches = below
        else:
            branches[path.steps[-1]] = None
    return root


def project(paths: Sequence[Path], item: Mapping[str, AttributeValue]) -> Item:
    """The parts of an item that bound paths lead to, each in its place.

    Lists are compacted to the wanted elements in their order; what is missing is left out, and so is what would hold
    nothing.
    """
    if all(len(path.steps) == 1 for path in paths):
        return {name: item[name] for path in paths if (name := path.steps[0]) in item}  # type: ignore[index,misc]
    return _members(merge(paths), item)


def _members(branches: Branches, members: Mapping[str, AttributeValue]) -> Item:
    kept: Item = {}
    for step, below in branches.items():
        if isinstance(step, str) and step in members:
            value = _part(members[step], below)
            if value is not None:
                kept[step] = value
    return kept


def _part(value: AttributeValue, below: Branches | None) -> AttributeValue | None:
    if below is None:
        return value
    if "M" in value:
        members = _members(below, value["M"])
        return {"M": members} if members else None
    if "L" in value:
        elements: list[Any] = value["L"]
        wanted = sorted(step for step in below if isinstance(step, int) and step < len(elements))
        parts = [_part(elements[index], below[index]) for index in wanted]
        kept = [part for part in parts if part is not None]
        return {"L": kept} if kept else None
    return None
