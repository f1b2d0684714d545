"""What a vector index is: an attribute of numbers, how near is measured, and which attributes narrow a search."""

from __future__ import annotations

from dataclasses import dataclass

from reference.tables.schema import Projection


@dataclass(frozen=True, slots=True)
class VectorIndex:
    """A vector index (dataplane:VEC-1). It holds no entries of its own: a search reads the table's items.

    ``search_schema`` lists (attribute, ``HASH`` or ``INLINE_FILTER``); ``backfilling`` is None except while the index
    is built on a table that existed before (dataplane:VEC-5). ``created`` is in epoch seconds.
    """

    name: str
    attribute: str
    dimensions: int
    distance: str
    projection: Projection
    search_schema: tuple[tuple[str, str], ...] = ()
    status: str = "ACTIVE"
    backfilling: bool | None = None
    created: float = 0.0

    @property
    def hash(self) -> str | None:
        """The attribute that a search must fix, where there is one."""
        return next((name for name, kind in self.search_schema if kind == "HASH"), None)
