"""What the oracle says of one answer: a verdict and, where it does not permit it, a divergence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reference.api import Reply

Ruling = Literal["ok", "violated", "unknown"]


@dataclass(frozen=True, slots=True)
class Divergence:
    """A reply or state that the oracle does not permit.

    ``path`` is the kind of difference: the differing place without indices and names, then what is wrong with it.
    ``accepted`` are replies that would have been permitted, expected first; ``compare`` the members of a success body
    that decide. ``row`` is the row key of the item in doubt, where that is known. ``operation`` is the one to blame,
    which for a wrong stored item is the write, not the read. ``symbolic``: what is expected speaks in symbols;
    ``written``: all of it does. ``derived``: it is about items taken over from the target after an earlier difference,
    so that what is expected rests on what DynamoDB would not hold.
    """

    operation: str
    rule: str
    severity: str
    path: str
    summary: str
    expected: Reply
    observed: Reply
    accepted: tuple[Mapping[str, Any], ...] = ()
    compare: tuple[str, ...] = ()
    row: tuple[Any, ...] | None = None
    symbolic: bool = False
    written: bool = False
    derived: bool = False

    @property
    def fingerprint(self) -> str:
        """One cause, one fingerprint is the aim: never values, names, messages or seeds."""
        text = "\n".join((self.operation, self.rule, self.severity, self.path))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The oracle's word on one op. ``unknown`` is never shown green nor counted red."""

    ruling: Ruling
    divergence: Divergence | None = None
    why: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)


OK = Verdict("ok")
