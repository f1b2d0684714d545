"""What an event source mapping may be told: batches, retries, windows, filters (beyond:ESM-2)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reference.rules import Checks, violation
from reference.triggers import filters
from reference.triggers.filters import Fits

UNLIMITED = -1
"""Retry until the record expires; the same for its age."""

_RANGES: Mapping[str, tuple[str, int, int]] = {
    "batch_size": ("batchSize", 1, 10_000),
    "batching_window": ("maximumBatchingWindowInSeconds", 0, 300),
    "parallelization_factor": ("parallelizationFactor", 1, 10),
    "retries": ("maximumRetryAttempts", UNLIMITED, 10_000),
    "record_age": ("maximumRecordAgeInSeconds", UNLIMITED, 604_800),
    "tumbling_window": ("tumblingWindowInSeconds", 0, 900),
}
"""Setting → the service's name for it, its least and its greatest value."""
_LEAST_AGE = 60
"""Seconds of the shortest limit to a record's age."""
_POSITIONS = ("TRIM_HORIZON", "LATEST")


@dataclass(frozen=True, slots=True)
class Settings:
    """How records become batches and what happens when the function fails. Times are in seconds.

    ``batch_size`` records are handed over as soon as there are so many, or when ``batching_window`` has passed since
    the first came. ``parallelization_factor`` batches of a shard are worked on side by side; changes of one item stay
    in order. A batch that fails is tried again ``retries`` times, for as long as its records are not older than
    ``record_age``; -1 is no limit but a stream's 24 hours. ``bisect`` halves it instead, as long as it can be halved.
    ``partial`` lets the function name the record that failed (``batchItemFailures``). ``tumbling_window`` carries a
    state from call to call. ``filters`` are patterns, as JSON text or objects; a record that fits none is passed over.
    ``retry_delay`` is the pause before the first retry; it doubles up to a minute.
    """

    batch_size: int = 100
    batching_window: int = 0
    parallelization_factor: int = 1
    retries: int = UNLIMITED
    record_age: int = UNLIMITED
    bisect: bool = False
    partial: bool = False
    tumbling_window: int = 0
    starting_position: str = "TRIM_HORIZON"
    filters: Sequence[str | Mapping[str, Any]] = ()
    retry_delay: float = 1.0

    def patterns(self) -> tuple[str, ...]:
        """The filters as JSON texts."""
        return tuple(each if isinstance(each, str) else json.dumps(each) for each in self.filters)


def check(settings: Settings) -> Checks[tuple[Fits, ...] | None]:
    """What is wrong with settings; returns what their filters let through."""
    for name, (told, least, most) in _RANGES.items():
        value = getattr(settings, name)
        if value < least:
            yield violation("streams.trigger-too-small", member=told, value=value, limit=least)
        elif value > most:
            yield violation("streams.trigger-too-great", member=told, value=value, limit=most)
    if settings.record_age != UNLIMITED and UNLIMITED < settings.record_age < _LEAST_AGE:
        yield violation("streams.trigger-age", value=settings.record_age)
    if settings.starting_position not in _POSITIONS:
        yield violation("streams.trigger-position", value=settings.starting_position)
    if len(settings.filters) > filters.MOST_PATTERNS:
        yield violation("streams.trigger-filters", limit=filters.MOST_PATTERNS)
        return None
    try:
        return tuple(filters.compiled(text) for text in settings.patterns())
    except filters.PatternError:
        yield violation("streams.trigger-filter-malformed")
        return None


def described(settings: Settings) -> dict[str, Any]:
    """The settings as the service shows them."""
    told: dict[str, Any] = {
        "StartingPosition": settings.starting_position,
        "BatchSize": settings.batch_size,
        "MaximumBatchingWindowInSeconds": settings.batching_window,
        "ParallelizationFactor": settings.parallelization_factor,
        "MaximumRecordAgeInSeconds": settings.record_age,
        "MaximumRetryAttempts": settings.retries,
        "BisectBatchOnFunctionError": settings.bisect,
        "TumblingWindowInSeconds": settings.tumbling_window,
        "FunctionResponseTypes": ["ReportBatchItemFailures"] if settings.partial else [],
    }
    if settings.filters:
        told["FilterCriteria"] = {"Filters": [{"Pattern": text} for text in settings.patterns()]}
    return told
