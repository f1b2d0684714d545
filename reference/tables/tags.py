"""Tags of a resource: what may be a tag, and how many there may be (beyond:TAG-1, TAG-2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from reference.rules import Checks, violation

_ALLOWED = re.compile(r"[\w\s+\-=.:/@]*")
MAX_KEY = 128
MAX_VALUE = 256


def new_tags(tags: Sequence[Mapping[str, str]]) -> Checks[None]:
    """Whether these can be tags, whatever a resource has."""
    seen: set[str] = set()
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        if key in seen:
            yield violation("tables.tag-duplicate-key", key=key)
        seen.add(key)
        if key.startswith("aws:"):
            yield violation("tables.tag-reserved-key", key=key)
        if not 1 <= len(key) <= MAX_KEY or not _ALLOWED.fullmatch(key):
            yield violation("tables.tag-key-invalid", key=key)
        if len(value) > MAX_VALUE or not _ALLOWED.fullmatch(value):
            yield violation("tables.tag-value-invalid", value=value)


def tag_count(tags: Iterable[Mapping[str, str]], held: Mapping[str, str], most: int) -> Checks[None]:
    """Whether a resource may hold these tags besides those it has."""
    if len({tag["Key"] for tag in tags} | held.keys()) > most:
        yield violation("tables.tag-limit")


def merged(held: Mapping[str, str], tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The tags a resource has after some were set."""
    return {**held, **{tag["Key"]: tag["Value"] for tag in tags}}
