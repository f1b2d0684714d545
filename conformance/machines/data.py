"""Machines of the item API: items, queries, scans, batches, and one that mixes them."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from conformance.machines.base import ProgramMachine
from conformance.program import Step
from conformance.strategies import requests
from conformance.strategies.draws import chance, pick
from conformance.strategies.schemas import TableWorld
from reference.api import Item


class _Writing(ProgramMachine):
    """What every machine needs: items to read."""

    def any_world(self, data: st.DataObject) -> TableWorld:
        """One of the program's tables."""
        return pick(data.draw, self.worlds)

    @rule(data=st.data())
    def put(self, data: st.DataObject) -> None:
        """PutItem."""
        world = self.any_world(data)
        self.step(data, "PutItem", world, requests.put(data.draw, world, self.features, self.known(world)))

    @rule(data=st.data())
    def update(self, data: st.DataObject) -> None:
        """UpdateItem."""
        world = self.any_world(data)
        self.step(data, "UpdateItem", world, requests.update(data.draw, world, self.features, self.known(world)))

    def read_on(self, data: st.DataObject) -> None:
        """Ask for the page after one that had a LastEvaluatedKey, changed a little at times."""
        step, index = pick(data.draw, self.pages[-3:])
        body = {**step.body, "ExclusiveStartKey": f"${{reply:{index}:LastEvaluatedKey}}"}
        if chance(data.draw, 20):
            body.pop("Limit", None)
        self.pages.remove((step, index))
        self.plain_step(step.operation, body)


class ItemsMachine(_Writing):
    """Single-item operations."""

    capability = "items"

    @rule(data=st.data())
    def update_again(self, data: st.DataObject) -> None:
        """UpdateItem has the largest grammar, so it is drawn twice as often."""
        world = self.any_world(data)
        self.step(data, "UpdateItem", world, requests.update(data.draw, world, self.features, self.known(world)))

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """DeleteItem."""
        world = self.any_world(data)
        self.step(data, "DeleteItem", world, requests.delete(data.draw, world, self.features, self.known(world)))

    @rule(data=st.data())
    def get(self, data: st.DataObject) -> None:
        """GetItem."""
        world = self.any_world(data)
        self.step(data, "GetItem", world, requests.get(data.draw, world, self.features, self.known(world)))


class QueriesMachine(_Writing):
    """Query over tables and indexes, with filters, projections and pages."""

    capability = "queries"

    @rule(data=st.data())
    def fill(self, data: st.DataObject) -> None:
        """Several items at once, so that there is something to query."""
        world = self.any_world(data)
        self.plain_step("BatchWriteItem", requests.batch_write(data.draw, [world], self.features, {}))

    @rule(data=st.data())
    def query(self, data: st.DataObject) -> None:
        """Query."""
        world = self.any_world(data)
        self.step(data, "Query", world, requests.query(data.draw, world, self.features, self.known(world)))

    @rule(data=st.data())
    def query_again(self, data: st.DataObject) -> None:
        """Queries are what this machine is about."""
        self.query(data)

    @precondition(lambda self: self.pages)
    @rule(data=st.data())
    def next_page(self, data: st.DataObject) -> None:
        """The next page of an earlier query."""
        self.read_on(data)


class ScansMachine(_Writing):
    """Scan over tables and indexes, paged and in parallel."""

    capability = "scans"

    @rule(data=st.data())
    def fill(self, data: st.DataObject) -> None:
        """Several items at once, so that there is something to scan."""
        world = self.any_world(data)
        self.plain_step("BatchWriteItem", requests.batch_write(data.draw, [world], self.features, {}))

    @rule(data=st.data())
    def scan(self, data: st.DataObject) -> None:
        """Scan."""
        world = self.any_world(data)
        self.step(data, "Scan", world, requests.scan(data.draw, world, self.features, self.known(world)))

    @rule(data=st.data())
    def segments(self, data: st.DataObject) -> None:
        """A parallel scan, one segment after the other."""
        world = self.any_world(data)
        body = requests.scan(data.draw, world, self.features, self.known(world))
        body.pop("Limit", None)
        total = pick(data.draw, (2, 3))
        for segment in range(total):
            self.plain_step("Scan", {**body, "Segment": segment, "TotalSegments": total})

    @precondition(lambda self: self.pages)
    @rule(data=st.data())
    def next_page(self, data: st.DataObject) -> None:
        """The next page of an earlier scan."""
        self.read_on(data)


class BatchesMachine(_Writing):
    """Batches over two tables."""

    capability = "batches"
    tables_wanted = 2

    def _held(self) -> dict[str, list[Item]]:
        return {world.symbol: self.known(world) for world in self.worlds}

    @rule(data=st.data())
    def batch_write(self, data: st.DataObject) -> None:
        """BatchWriteItem."""
        body = requests.batch_write(data.draw, self.worlds, self.features, self._held())
        self.plain_step("BatchWriteItem", body)

    @rule(data=st.data())
    def batch_get(self, data: st.DataObject) -> None:
        """BatchGetItem."""
        body = requests.batch_get(data.draw, self.worlds, self.features, self._held())
        self.plain_step("BatchGetItem", body)

    @rule(data=st.data())
    def get(self, data: st.DataObject) -> None:
        """GetItem, to see what the batches did."""
        world = self.any_world(data)
        self.step(data, "GetItem", world, requests.get(data.draw, world, self.features, self.known(world)))


MACHINES: dict[str, type[ProgramMachine]] = {
    machine.capability: machine for machine in (ItemsMachine, QueriesMachine, ScansMachine, BatchesMachine)
}
"""Capability → the machine that draws its programs."""

__all__ = ["MACHINES", "BatchesMachine", "ItemsMachine", "QueriesMachine", "ScansMachine", "Step"]
