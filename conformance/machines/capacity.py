"""Machine of consumed capacity and item collection metrics: every operation, around the boundaries of units."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from conformance.machines.data import Rules
from conformance.strategies import sizes
from conformance.strategies.draws import chance, number, pick
from conformance.strategies.requests import batch_write


class Capacity(Rules):
    """Writes and reads that are asked what they cost."""

    @rule(data=st.data())
    def write_asked(self, data: st.DataObject) -> None:
        """A write of one item."""
        world = self.any_world(data)
        self.plain_step(*sizes.single(data.draw, world, self.known(world)))

    @rule(data=st.data())
    def read_asked(self, data: st.DataObject) -> None:
        """A read of one item or a page."""
        world = self.any_world(data)
        self.plain_step(*sizes.read(data.draw, world, self.features, self.known(world)))

    @rule(data=st.data())
    def batch_asked(self, data: st.DataObject) -> None:
        """A batch."""
        self.plain_step(*sizes.batch(data.draw, self.worlds, self.features, self.held()))

    @rule(data=st.data())
    def transact_asked(self, data: st.DataObject) -> None:
        """A transaction, repeated with its token at times."""
        operation, body = sizes.transaction(data.draw, self.worlds, self.features, self.held())
        self.plain_step(operation, body)
        if "ClientRequestToken" in body and chance(data.draw, 70):
            self.plain_step(operation, sizes.asked(data.draw, body))

    @rule(data=st.data())
    def statement_asked(self, data: st.DataObject) -> None:
        """A statement."""
        plain = [world for world in self.worlds if world.attributes == ("a", "b", "c")]
        if plain:
            world = pick(data.draw, plain)
            self.plain_step(*sizes.statement(data.draw, world, self.known(world)))


class CapacityMachine(Capacity):
    """Capacity over two tables, of which most have indexes."""

    capability = "capacity"
    tables_wanted = 2
    odd_names = False

    @rule(data=st.data())
    def fill_sized(self, data: st.DataObject) -> None:
        """Several items, for pages to add up."""
        for _ in range(number(data.draw, 1, 2)):
            self.plain_step("BatchWriteItem", batch_write(data.draw, self.worlds, self.features, {}))

    @rule(data=st.data())
    def write_again(self, data: st.DataObject) -> None:
        """Writes have most to say."""
        self.write_asked(data)
