"""What a PartiQL statement asks for, as data that operations run: table names, bound conditions, updates, items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from reference.api import Item
from reference.expressions.tree import Condition, Path, Update


@dataclass(frozen=True, slots=True)
class Column:
    """What a SELECT returns of each row: the value at a path, under a name (dataplane:PQL-13)."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class SelectPlan:
    """A read of a table or index. ``columns`` is None for all; ``order`` holds names and whether they descend."""

    table: str
    index: str | None
    columns: tuple[Column, ...] | None
    condition: Condition | None
    order: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class InsertPlan:
    """A new item, in normal form."""

    table: str
    item: Item


@dataclass(frozen=True, slots=True)
class UpdatePlan:
    """Changes of the item that ``condition`` names by its key. ``returning`` is for example ``ALL NEW``."""

    table: str
    index: str | None
    update: Update
    condition: Condition | None
    returning: str | None


@dataclass(frozen=True, slots=True)
class DeletePlan:
    """The removal of the item that ``condition`` names by its key."""

    table: str
    index: str | None
    condition: Condition | None
    returning: str | None


@dataclass(frozen=True, slots=True)
class ExistsPlan:
    """A transaction's check that a read of one item, with a further condition, finds it."""

    select: SelectPlan


Plan: TypeAlias = SelectPlan | InsertPlan | UpdatePlan | DeletePlan | ExistsPlan
