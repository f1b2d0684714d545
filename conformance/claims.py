"""The article's claims, each with its verdict and how it is tried; and what a run says of them (``claims.toml``)."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from conformance.checks.base import ARTICLE
from conformance.record.run import VERDICTS as CHECKED
from conformance.record.run import CheckResult

VERDICTS: Mapping[str, str] = {
    "confirmed": "it is so",
    "qualified": "it is so, as far as the correction says",
    "contradicted": "it is not so",
    "outdated": "it was so once",
    "inconsistent": "the article contradicts itself",
    "open": "an opinion, or nothing that can be decided",
}
"""What a claim may be, and what that means."""

WAYS = ("tests", "unseen", "elsewhere", "not-yet")
"""How a claim without directed check stands: a test of this project shows it, no answer does, another service's would,
or something is to be built first."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the article. ``way`` is empty for one that directed checks show, else one of ``WAYS`` with ``why``."""

    id: str
    part: str
    says: str
    verdict: str
    truth: str
    sources: tuple[str, ...]
    way: str
    why: str


@functools.cache
def claims() -> Mapping[str, Claim]:
    """All claims by id, in the article's order; ValueError for an entry that is not whole."""
    with (Path(__file__).parent / "claims.toml").open("rb") as file:
        return {id: _claim(id, row) for id, row in tomllib.load(file).items()}


def _claim(id: str, row: Mapping[str, Any]) -> Claim:
    unknown = set(row) - {"part", "says", "verdict", "truth", "sources", *WAYS}
    ways = [way for way in WAYS if way in row]
    if unknown or len(ways) > 1 or row.get("verdict") not in VERDICTS:
        raise ValueError(f"claims.toml: {id}: {sorted(unknown) or ways or row.get('verdict')!r}")
    way = ways[0] if ways else ""
    sources = tuple(row.get("sources", ()))
    return Claim(id, row["part"], row["says"], row["verdict"], row.get("truth", ""), sources, way, row.get(way, ""))


def told(results: Iterable[CheckResult]) -> tuple[Mapping[str, Any], ...]:
    """What a run says of every claim, none where it made no check of the article's.

    Each row is a claim with ``shown``, the verdict of its checks on the target: the worst of them, ``not-reached`` for
    checks that were not made, empty for a claim that no check shows.
    """
    by_claim: dict[str, list[str]] = {}
    for result in results:
        if result.capability == ARTICLE:
            id = result.check.removeprefix("claims.").partition("[")[0]
            by_claim.setdefault(id, []).append(result.verdict)
    if not by_claim:
        return ()
    return tuple({**asdict(claim), "shown": _shown(claim, by_claim.get(claim.id, ()))} for claim in claims().values())


_WORST = ("violated", "unknown", "unsupported", "ok", "not-reached")


def _shown(claim: Claim, verdicts: Iterable[str]) -> str:
    if claim.way:
        return ""
    given = set(verdicts)
    assert given <= set(CHECKED)
    return next((verdict for verdict in _WORST if verdict in given), "not-reached")
