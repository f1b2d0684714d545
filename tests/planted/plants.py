"""All plants, by area. Names are unique and stable."""

from __future__ import annotations

from tests.planted import (
    batches,
    capacity,
    expressions,
    indexes,
    legacy,
    reads,
    statements,
    tables,
    transactions,
    updates,
    values,
    writes,
)
from tests.planted.base import Plant

PLANTS: tuple[Plant, ...] = (
    *values.PLANTS,
    *expressions.PLANTS,
    *updates.PLANTS,
    *writes.PLANTS,
    *indexes.PLANTS,
    *reads.PLANTS,
    *batches.PLANTS,
    *capacity.PLANTS,
    *transactions.PLANTS,
    *legacy.PLANTS,
    *tables.PLANTS,
    *statements.PLANTS,
)


def plant_of(name: str) -> Plant:
    """The plant of that name; KeyError when there is none."""
    return {plant.name: plant for plant in PLANTS}[name]
