"""Rules that ask the same in several ways at once, so that answers can be held against each other."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from conformance.machines.data import Deletes, Fills, Pages, Queries, Scans, Writes
from conformance.strategies import related

MAX_PAGES = 10
"""Pages that are read on at once."""


class Related(Pages):
    """The same read with and without a filter, backwards, in pages, in segments, of an index."""

    @rule(data=st.data())
    def ask_in_ways(self, data: st.DataObject) -> None:
        """Several reads of one thing with nothing between them."""
        world = self.any_world(data)
        for operation, body in related.reads(data.draw, world, self.features, self.known(world)):
            before = len(self.pages)
            self.plain_step(operation, body)
            for _ in range(MAX_PAGES):
                if len(self.pages) <= before:
                    break
                step, index = self.pages.pop()
                following = {**step.body, "ExclusiveStartKey": f"${{reply:{index}:LastEvaluatedKey}}"}
                self.plain_step(step.operation, following)


class QueriesMachine(Writes, Deletes, Fills, Queries, Related):
    """Query over tables and indexes, with filters, projections and pages."""

    capability = "queries"

    @rule(data=st.data())
    def query_again(self, data: st.DataObject) -> None:
        """Queries are what this machine is about."""
        self.query(data)


class ScansMachine(Writes, Deletes, Fills, Scans, Related):
    """Scan over tables and indexes, paged and in parallel."""

    capability = "scans"
