"""What a target was given before it was judged, as sentences: latitude in its answers, and what was not asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports.notation import compact

ALLOWED: Mapping[str, str] = {
    "staleness": "eventually consistent reads may be {} s old",
    "index_lag": "index reads may be {} s old",
    "stream_lag": "records may come {} s late to their stream",
    "state_lag": "a table or index may stay in a passing state for {} s",
    "partial_batches": "batches may be answered in part",
    "throttling": "any call may be throttled",
    "server_errors": "any call may fail with a server error",
    "conflicts": "transactions may be refused for conflicts that we do not see",
    "resharding": "shards may close at any time",
    "approximate": "a vector search may miss what is near",
}
"""The freedoms of the oracle in words."""
DURABILITY: Mapping[str, str] = {
    "none": "Nothing has to survive a restart.",
    "process": "What was written has to survive the end of the process.",
    "fsync": "What was written has to survive a loss of power.",
}
CLOCK: Mapping[str, str] = {
    "wall": "Real: what needs time is waited for.",
    "driven": "Ours to set: no time is waited for.",
}
COHORTS: Mapping[str, str] = {
    "current": "in today's words", "older": "in the words of before 2026", "current/older": "in both",
}  # fmt: skip
_SPOKEN = frozenset(
    {"latitude", "cohorts", "profile", "capabilities", "unsupported", "durability", "clock", "cohort", "settings",
     "buckets", "auth", "throttles", "staleness", "index_lag", "stream_lag", "state_lag"}
)  # fmt: skip


def claims(profile: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rows of a name and a sentence for a run's profile; an empty sentence says nothing."""
    nested = profile.get("profile")
    told = {**nested, **profile} if isinstance(nested, Mapping) else dict(profile)
    asked, lacks = _names(told.get("capabilities")), _names(told.get("unsupported"))
    rows = [
        ("Latitude", _latitude(told.get("latitude"))),
        ("Refusals", _cohorts(told.get("cohorts"))),
        ("Asked for", f"{', '.join(asked)}." if asked else ""),
        ("Not asked for", f"{len(lacks):,} operations it lacks: {', '.join(lacks)}." if lacks else ""),
        ("Durability", _word(DURABILITY, told.get("durability"))),
        ("Clock", _word(CLOCK, told.get("clock"))),
        ("Served with", _served(told)),
    ]
    return [*rows, *((str(name), _plain(value)) for name, value in told.items() if name not in _SPOKEN and value)]


def _latitude(freedoms: Any) -> str:
    if not isinstance(freedoms, Mapping):
        return _plain(freedoms) if freedoms else "None: each answer had to be one that DynamoDB could give."
    said = [ALLOWED[name].format(_plain(value)) for name, value in freedoms.items() if name in ALLOWED and value]
    said += [f"{name}: {_plain(value)}" for name, value in freedoms.items() if name not in (*ALLOWED, "buckets")]
    if not said:
        return "None: each answer had to be one that DynamoDB could give."
    return _sentence("; ".join(said))


def _cohorts(cohorts: Any) -> str:
    """``In today's words: PutItem, Query; in the words of before 2026: Scan.``"""
    if not isinstance(cohorts, Mapping):
        return _plain(cohorts) if cohorts else ""
    groups: dict[str, list[str]] = {}
    for operation, cohort in sorted(cohorts.items(), key=lambda pair: str(pair[0])):
        groups.setdefault(str(cohort), []).append(str(operation).replace("/values", " (values)"))
    said = [f"{COHORTS.get(name, name)}: {', '.join(operations)}" for name, operations in sorted(groups.items())]
    return _sentence("; ".join(said)) if said else ""


def _served(told: Mapping[str, Any]) -> str:
    said = list(_names(told.get("settings")))
    said += [
        words for name, words in (("auth", "checked signatures"), ("buckets", "a bucket")) if told.get(name) is True
    ]
    return f"{', '.join(said)}." if said else ""


def _names(value: Any) -> Sequence[str]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        return ()
    return [each if isinstance(each, str) else compact(each) for each in value]


def _word(words: Mapping[str, str], value: Any) -> str:
    if not value:
        return ""
    return words.get(value, value) if isinstance(value, str) else compact(value)


def _plain(value: Any) -> str:
    if isinstance(value, float) and not isinstance(value, bool):
        return f"{value:g}"
    return value if isinstance(value, str) else compact(value)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
