"""The machine that interleaves what the others do one by one."""

from __future__ import annotations

from conformance.machines.capacity import Capacity
from conformance.machines.content import KeyQueries, Values
from conformance.machines.data import Batches, Deletes, Gets, Legacy, Queries, Scans, Transactions, Writes
from conformance.machines.grammar import Expressions
from conformance.machines.indexes import IndexLife
from conformance.machines.related import Related


class MixedMachine(
    Writes, Deletes, Gets, Queries, Scans, Batches, Transactions, Legacy,
    Values, KeyQueries, Expressions, IndexLife, Capacity, Related,
):  # fmt: skip
    """Everything interleaved over two tables."""

    capability = "mixed"
    tables_wanted = 2
