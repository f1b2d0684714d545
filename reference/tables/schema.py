"""What a table and its indexes are keyed by; immutable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class KeyAttribute:
    """A key attribute's name and declared type (``S``, ``N`` or ``B``)."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Projection:
    """What an index copies: ``ALL``, ``KEYS_ONLY``, or ``INCLUDE`` with further attribute names."""

    type: str = "ALL"
    non_key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeySchema:
    """Partition and sort key attributes; more than one of each only on global secondary indexes."""

    hash: tuple[KeyAttribute, ...]
    range: tuple[KeyAttribute, ...] = ()

    @property
    def attributes(self) -> tuple[KeyAttribute, ...]:
        """All key attributes, partition key first."""
        return self.hash + self.range

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all key attributes, partition key first."""
        return tuple(a.name for a in self.attributes)

    def describe(self) -> list[dict[str, str]]:
        """The ``KeySchema`` member of a description."""
        return [{"AttributeName": a.name, "KeyType": "HASH"} for a in self.hash] + [
            {"AttributeName": a.name, "KeyType": "RANGE"} for a in self.range
        ]


@dataclass(frozen=True, slots=True)
class IndexSchema:
    """A secondary index: its kind, key and projection; ``names`` of attributes it stores, None for all."""

    name: str
    kind: Literal["GSI", "LSI"]
    key: KeySchema
    projection: Projection
    stored: frozenset[str] | None

    @classmethod
    def of(
        cls, name: str, kind: Literal["GSI", "LSI"], key: KeySchema, projection: Projection, table: KeySchema
    ) -> IndexSchema:
        """The index of a table with that key: what it stores follows from its projection (dataplane:IDX-3)."""
        stored = None
        if projection.type != "ALL":
            stored = frozenset(table.names + key.names + (projection.non_key if projection.type == "INCLUDE" else ()))
        return cls(name, kind, key, projection, stored)
