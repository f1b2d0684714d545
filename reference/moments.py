"""Moments of requests as whole numbers and as text; a request may name any number, also one no calendar holds."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_FIRST, _LAST = -62_135_596_800, 253_402_300_799
"""The epoch seconds between which a date can be written."""


def seconds(moment: float) -> int:
    """Whole epoch seconds, rounded down, and never beyond what a date can hold."""
    return math.floor(_held(moment))


def milliseconds(moment: float) -> int:
    """The nearest whole epoch milliseconds, never beyond what a date can hold."""
    return round(_held(moment) * 1000)


def iso_seconds(moment: float) -> str:
    """``2026-10-08T23:16:33Z``, as most messages of the service tell times."""
    return datetime.fromtimestamp(seconds(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_milliseconds(moment: float) -> str:
    """``2026-10-08T23:16:33.028Z``, as manifests of exports tell times."""
    whole, fraction = divmod(milliseconds(moment), 1000)
    return f"{datetime.fromtimestamp(whole, UTC).strftime('%Y-%m-%dT%H:%M:%S')}.{fraction:03d}Z"


def _held(moment: float) -> float:
    # Not every number compares: what is none at all counts as the earliest moment.
    return max(_FIRST, min(_LAST, moment)) if moment == moment else _FIRST
