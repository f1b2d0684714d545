"""Tags of a resource: what may be a tag, and how many there may be (beyond:TAG-1, TAG-2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reference.rules import Checks, violation

_ALLOWED = re.compile(r"[\w+\-=.:/@]*")
_SPACES = ("Zs", "Zl", "Zp")
MAX_KEY = 128
MAX_VALUE = 256
MAX_BYTES = 10_240


@dataclass(frozen=True, slots=True)
class TagChange:
    """A change of tags that was made at ``moment`` (epoch seconds): the tags that were set, or None for a removal."""

    moment: float
    tags: Mapping[str, str] | None

    def lets(self, tags: Mapping[str, str] | None) -> bool:
        """Whether this change may be followed at once by one that sets these tags: by one that sets its own again."""
        return self.tags is not None and tags is not None and self.tags.items() <= tags.items()


def new_tags(tags: Sequence[Mapping[str, str]]) -> Checks[None]:
    """Whether these can be tags, whatever a resource has."""
    seen: set[str] = set()
    for tag in tags:
        key, value = tag.get("Key"), tag.get("Value")
        if key is not None and key in seen:
            yield violation("tables.tag-duplicate-key", key=key)
        seen.update(() if key is None else (key,))
        yield from _key(key)
        if value is None or len(value) > MAX_VALUE or not _allowed(value):
            yield violation("tables.tag-value-invalid", value="null" if value is None else value)


def old_keys(keys: Sequence[str], most: int) -> Checks[None]:
    """Whether tags may be taken away by these keys."""
    for key in keys:
        yield from _key(key)
    if len(keys) > most:
        yield violation("tables.tag-limit")


def _key(key: str | None) -> Checks[None]:
    if key is not None and key.lower().startswith("aws:"):
        yield violation("tables.tag-reserved-key", key=key)
    if key is None or not 1 <= len(key) <= MAX_KEY or not _allowed(key):
        yield violation("tables.tag-key-invalid", key="null" if key is None else key)


def _allowed(text: str) -> bool:
    """Whether it has letters and digits of any script, spaces of any width and some signs, and nothing else."""
    return _ALLOWED.fullmatch("".join(c for c in text if unicodedata.category(c) not in _SPACES)) is not None


def tag_count(tags: Iterable[Mapping[str, str]], held: Mapping[str, str], most: int) -> Checks[None]:
    """Whether a resource may hold these tags besides those it has."""
    whole = merged(held, (tag for tag in tags if "Key" in tag and "Value" in tag))
    if len(whole) > most:
        yield violation("tables.tag-limit")
    size = sum(len(text.encode("utf-8", "surrogatepass")) for pair in whole.items() for text in pair)
    if size > MAX_BYTES:
        yield violation("tables.tag-size", size=size, limit=MAX_BYTES)


def merged(held: Mapping[str, str], tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The tags a resource has after some were set."""
    return {**held, **{tag["Key"]: tag["Value"] for tag in tags}}
