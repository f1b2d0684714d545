"""What every operation is: checks in the service's order, then an outcome that is not yet committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from reference.account import Account
from reference.api import Json
from reference.capacity.uses import ROOM, Use
from reference.rules import Checks, Cohort, Surface
from reference.tables.table import Change

Effect: TypeAlias = Callable[[Account], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the service is free to do; the defaults are what the reference does on its own.

    ``unprocessed``: for BatchWriteItem and BatchGetItem, which (table, position) pairs it leaves undone; for
    BatchExecuteStatement, whose statements are throttled instead, pairs of an empty name and the position.
    ``open_end``: whether a page that ends exactly at its Limit carries LastEvaluatedKey (dataplane:QRY-4).
    """

    unprocessed: frozenset[tuple[str, int]] = frozenset()
    open_end: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """A lawful answer and what it does to the account, not yet done.

    ``rules`` names behaviour rules that shaped the outcome, for blaming a differing body. ``details`` holds what the
    oracle needs to judge freedom (for example the rows a page evaluated). ``uses`` are the capacity that it charges
    beyond its changes, told only where the context is metered.
    """

    body: Json
    changes: tuple[Change, ...] = ()
    effects: tuple[Effect, ...] = ()
    rules: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What an operation may look at. It changes nothing: changes and effects go into the outcome."""

    account: Account
    operation: str
    surface: Surface
    choice: Choice = Choice()

    @property
    def layer(self) -> Cohort:
        """Which value layer reads numbers, sets and nesting (conflicts.md 1.A)."""
        return self.surface.values

    @property
    def metered(self) -> bool:
        """Whether somebody asks what calls use: an outcome then tells it."""
        return ROOM in self.account.rooms

    def now(self) -> float:
        """The present moment, epoch seconds."""
        return self.account.now()


Operation: TypeAlias = Callable[[Context, dict[str, Any]], Checks[Outcome | None]]
"""``operation(context, request body)``: yields violations, returns the outcome or None."""
