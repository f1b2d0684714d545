"""The article's claims as reports show them: what it says, what is true, and what this target does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.record.run import VERDICTS, Run
from reports.notation import one_line

CLAIM_MEANS: Mapping[str, str] = {
    "confirmed": "it is so",
    "qualified": "so, with a correction",
    "contradicted": "it is not so",
    "outdated": "it was so once",
    "inconsistent": "contradicts itself",
    "open": "an opinion",
}
"""What a claim may be, best first."""
_WAYS: Mapping[str, str] = {
    "tests": "shown by",
    "unseen": "no answer shows it:",
    "elsewhere": "another service's:",
    "not-yet": "not yet:",
}
TEXT_LIMIT = 400
"""Characters of a claim and of its correction."""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim on one line of a table. ``shown`` is its checks' verdict; where it is empty, ``how`` tells of it."""

    id: str
    says: str
    verdict: str
    truth: str
    shown: str
    how: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the article: its name and its claims."""

    name: str
    rows: tuple[ClaimRow, ...]


def parts(run: Run) -> tuple[Part, ...]:
    """The article in its order; empty where the run was not asked for it."""
    found: dict[str, list[ClaimRow]] = {}
    for row in run.claims:
        found.setdefault(_text(row, "part"), []).append(_row(row))
    return tuple(Part(name, tuple(rows)) for name, rows in found.items())


def totals(rows: Sequence[ClaimRow]) -> Mapping[str, int]:
    """How many claims have each verdict, best first, and those that were tried on the target by ``shown``."""
    counted = Counter(row.verdict for row in rows)
    return {name: counted[name] for name in (*CLAIM_MEANS, *sorted(set(counted) - set(CLAIM_MEANS))) if counted[name]}


def standing(rows: Sequence[ClaimRow]) -> Mapping[str, int]:
    """Of how many claims the target shows what is true, by the verdict of their checks."""
    counted = Counter(row.shown for row in rows)
    return {name: counted[name] for name in VERDICTS if counted[name]}


def counted(numbers: Mapping[str, int]) -> str:
    """Counts as one line."""
    return ", ".join(f"{count:,} {name}" for name, count in numbers.items())


def _row(row: Mapping[str, Any]) -> ClaimRow:
    shown, way = _text(row, "shown"), _text(row, "way")
    told = "" if shown else f"{_WAYS.get(way, way)} {_text(row, 'why')}"
    verdict = shown if shown in VERDICTS or not shown else "unknown"
    return ClaimRow(_text(row, "id"), _text(row, "says"), _text(row, "verdict"), _text(row, "truth"), verdict, told)


def _text(row: Mapping[str, Any], name: str) -> str:
    return one_line(str(row.get(name) or ""), TEXT_LIMIT)
