"""Items in key order: one structure serves tables, local and global indexes."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeAlias

from sortedcontainers import SortedDict

from reference.api import Item
from reference.tables.schema import KeySchema
from reference.values.item import item_size
from reference.values.value import sort_key

RowKey: TypeAlias = tuple[Any, ...]
"""(token, partition key values…, sort key values…) and, in an index, the table's row key after it."""


class _Top:
    """Greater than every key part, to close a range from above."""

    __slots__ = ()

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


TOP = _Top()


class AfterPrefix:
    """Stands after every text or byte string that begins with a prefix and before all greater ones."""

    __slots__ = ("prefix",)

    def __init__(self, prefix: str | bytes) -> None:
        self.prefix: Any = prefix

    def __lt__(self, other: Any) -> bool:
        return bool(other > self.prefix and not other.startswith(self.prefix))

    def __gt__(self, other: Any) -> bool:
        return not self < other


@dataclass(frozen=True, slots=True)
class Record:
    """A stored item and its size in bytes (dataplane:SIZE-1)."""

    item: Item
    size: int

    @classmethod
    def of(cls, item: Item) -> Record:
        """The record of an item in normal form."""
        return cls(item, item_size(item))


_REMEMBERED_LENGTH = 256
"""Characters of the longest key value whose token is remembered: what is remembered stays small, whatever is sent."""


def _token(kind: str, text: str) -> int:
    return _remembered_token(kind, text) if len(text) <= _REMEMBERED_LENGTH else _fresh_token(kind, text)


def _fresh_token(kind: str, text: str) -> int:
    return int.from_bytes(blake2b(f"{kind}:{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


_remembered_token = functools.lru_cache(maxsize=65_536)(_fresh_token)


TOKENS = 1 << 64
"""Partition tokens are spread evenly over 0 … TOKENS - 1."""


def token(*values: dict[str, Any]) -> int:
    """The opaque place of a partition key in hash order (dataplane:SCAN-3)."""
    if len(values) == 1:
        ((kind, text),) = values[0].items()
        return _token(kind, text)
    return _token("*", "\0".join(f"{k}:{len(t)}:{t}" for v in values for k, t in v.items()))


class View:
    """Records sorted by partition token, then partition key, then sort key."""

    __slots__ = ("_hash", "_range", "key", "rows")

    def __init__(self, key: KeySchema) -> None:
        self.key = key
        self.rows: SortedDict = SortedDict()
        self._hash = tuple((a.name, a.type) for a in key.hash)
        self._range = tuple((a.name, a.type) for a in key.range)

    def row_key(self, item: Item) -> RowKey | None:
        """Where an item (or key) stands; None when it lacks a key attribute or one has another type."""
        if len(self._hash) > 1:
            return self._long_row_key(item)
        ((name, kind),) = self._hash
        value = item.get(name)
        text = None if value is None else value.get(kind)
        if text is None:
            return None
        parts = [_token(kind, text), text if kind == "S" else sort_key(value)]  # type: ignore[arg-type]
        for name, kind in self._range:
            value = item.get(name)
            text = None if value is None else value.get(kind)
            if text is None:
                return None
            parts.append(text if kind == "S" else sort_key(value))  # type: ignore[arg-type]
        return tuple(parts)

    def _long_row_key(self, item: Item) -> RowKey | None:
        values = [item.get(name) for name, _ in self._hash + self._range]
        kinds = [kind for _, kind in self._hash + self._range]
        present = [value for value, kind in zip(values, kinds, strict=True) if value is not None and kind in value]
        if len(present) < len(values):
            return None
        return (token(*present[: len(self._hash)]), *map(sort_key, present))

    def prefix(self, hashed: tuple[dict[str, Any], ...]) -> RowKey:
        """What the row keys of one item collection begin with."""
        return (token(*hashed), *(sort_key(v) for v in hashed))

    def between(
        self,
        low: RowKey | None,
        high: RowKey | None,
        *,
        include_low: bool = True,
        include_high: bool = True,
        reverse: bool = False,
    ) -> Iterator[RowKey]:
        """Row keys from ``low`` to ``high`` in order; O(log n) to the first. Bounds may be prefixes ending in TOP."""
        keys: Iterator[RowKey] = self.rows.irange(low, high, (include_low, include_high), reverse)
        return keys

    def copy(self) -> View:
        """An independent view with the same records."""
        other = View(self.key)
        other.rows = self.rows.copy()
        return other
