"""A drawn list of calls over drawn tables: what machines make, sessions run and the minimiser cuts down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reference.api import Json

BUCKET = "dynoracle"
"""The one bucket that programs name; a target that has none fails what would use it, later."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a program, symbolic; ``raw`` overrides the HTTP request for calls below the SDK."""

    operation: str
    body: Json
    raw: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """Tables to set up (symbol → CreateTable body) and the calls that follow.

    References to replies count all calls from 0, those that create the tables first. ``capability`` is what drew it,
    ``chunk`` and ``number`` say where in a campaign it came from.
    """

    capability: str
    tables: Mapping[str, Json]
    steps: tuple[Step, ...]
    chunk: int | None = None
    number: int = 0
    labels: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)

    def of_calls(self) -> Program:
        """The program without what lies below the SDK, for where there is no HTTP."""
        return replace(self, steps=tuple(step for step in self.steps if step.raw is None))
