"""Machines of the data plane, made of groups of rules; the mixed machine has them all."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from conformance.machines.base import ProgramMachine
from conformance.strategies import legacy, mistakes, requests, transactions
from conformance.strategies.draws import chance, pick
from conformance.strategies.schemas import TableWorld
from reference.api import Item, Json


class Rules(ProgramMachine):
    """What the groups of rules share."""

    def any_world(self, data: st.DataObject) -> TableWorld:
        """One of the program's tables."""
        return pick(data.draw, self.worlds)

    def held(self) -> dict[str, list[Item]]:
        """The planner's items by table symbol."""
        return {world.symbol: self.known(world) for world in self.worlds}


class Writes(Rules):
    """PutItem and UpdateItem."""

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


class Deletes(Rules):
    """DeleteItem."""

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """DeleteItem."""
        world = self.any_world(data)
        self.step(data, "DeleteItem", world, requests.delete(data.draw, world, self.features, self.known(world)))


class Gets(Rules):
    """GetItem."""

    @rule(data=st.data())
    def get(self, data: st.DataObject) -> None:
        """GetItem."""
        world = self.any_world(data)
        self.step(data, "GetItem", world, requests.get(data.draw, world, self.features, self.known(world)))


class Fills(Rules):
    """Several items at once, so that there is something to read; mostly from the start."""

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Draw the tables, and fill them."""
        super().begin(data)
        for world in self.worlds if chance(data.draw, 80) else ():
            self.plain_step("BatchWriteItem", requests.fill(data.draw, world, self.features))

    @rule(data=st.data())
    def fill(self, data: st.DataObject) -> None:
        """BatchWriteItem into one table."""
        world = self.any_world(data)
        self.plain_step("BatchWriteItem", requests.fill(data.draw, world, self.features))


class Pages(Rules):
    """Pages after pages."""

    @precondition(lambda self: self.pages)
    @rule(data=st.data())
    def next_page(self, data: st.DataObject) -> None:
        """The page after one that had a LastEvaluatedKey, asked a little differently at times."""
        step, index = pick(data.draw, self.pages[-3:])
        body = {**step.body, "ExclusiveStartKey": f"${{reply:{index}:LastEvaluatedKey}}"}
        if chance(data.draw, 20):
            body.pop("Limit", None)
        self.pages.remove((step, index))
        self.plain_step(step.operation, body)

    def follow(self, data: st.DataObject, before: int) -> None:
        """Read on at once at times, where the last read had a page more than there were ``before``."""
        for _ in range(3):
            if len(self.pages) > before and chance(data.draw, 60):
                self.next_page(data)


class Queries(Pages):
    """Query."""

    @rule(data=st.data())
    def query(self, data: st.DataObject) -> None:
        """Query a table or an index."""
        world = self.any_world(data)
        before = len(self.pages)
        self.step(data, "Query", world, requests.query(data.draw, world, self.features, self.known(world)))
        self.follow(data, before)


class Scans(Pages):
    """Scan, also in parallel."""

    @rule(data=st.data())
    def scan(self, data: st.DataObject) -> None:
        """Scan a table or an index."""
        world = self.any_world(data)
        before = len(self.pages)
        self.step(data, "Scan", world, requests.scan(data.draw, world, self.features, self.known(world)))
        self.follow(data, before)

    @rule(data=st.data())
    def segments(self, data: st.DataObject) -> None:
        """A parallel scan, one segment after the other."""
        world = self.any_world(data)
        body = requests.scan(data.draw, world, self.features, self.known(world))
        body.pop("Limit", None)
        total = pick(data.draw, (2, 3))
        for segment in range(total):
            self.plain_step("Scan", {**body, "Segment": segment, "TotalSegments": total})


class Batches(Rules):
    """BatchWriteItem and BatchGetItem."""

    @rule(data=st.data())
    def batch_write(self, data: st.DataObject) -> None:
        """BatchWriteItem."""
        body = requests.batch_write(data.draw, self.worlds, self.features, self.held())
        self.plain_step("BatchWriteItem", self._spoilt(data, body))

    @rule(data=st.data())
    def batch_get(self, data: st.DataObject) -> None:
        """BatchGetItem."""
        body = requests.batch_get(data.draw, self.worlds, self.features, self.held())
        self.plain_step("BatchGetItem", self._spoilt(data, body))

    def _spoilt(self, data: st.DataObject, body: Json) -> Json:
        world = self.any_world(data)
        if world.reference in body["RequestItems"] and self.wrongly(data):
            return mistakes.spoil_batch(data.draw, world, body)
        return body


class Transactions(Rules):
    """TransactWriteItems, repeated with its token at times, and TransactGetItems."""

    @rule(data=st.data())
    def transact_write(self, data: st.DataObject) -> None:
        """TransactWriteItems."""
        body = transactions.transact_write(data.draw, self.worlds, self.features, self.held())
        actions = body["TransactItems"]
        if actions and self.wrongly(data):
            actions[-1] = mistakes.spoil_action(data.draw, self.worlds, actions[-1])
        self.plain_step("TransactWriteItems", body)
        if "ClientRequestToken" in body and chance(data.draw, 60):
            self.plain_step("TransactWriteItems", transactions.repeated(data.draw, body))

    @rule(data=st.data())
    def transact_get(self, data: st.DataObject) -> None:
        """TransactGetItems."""
        self.plain_step(
            "TransactGetItems", transactions.transact_get(data.draw, self.worlds, self.features, self.held())
        )


class Legacy(Rules):
    """The parameters of before expressions."""

    @rule(data=st.data())
    def legacy_write(self, data: st.DataObject) -> None:
        """PutItem or UpdateItem with Expected and AttributeUpdates."""
        world = self.any_world(data)
        known = self.known(world)
        if chance(data.draw, 65):
            self.step(data, "UpdateItem", world, legacy.update(data.draw, world, self.features, known))
        else:
            self.step(data, "PutItem", world, legacy.put(data.draw, world, self.features, known))

    @rule(data=st.data())
    def legacy_read(self, data: st.DataObject) -> None:
        """GetItem, Query or Scan with AttributesToGet, KeyConditions and filters."""
        world = self.any_world(data)
        known = self.known(world)
        kind = pick(data.draw, ("Query", "Scan", "GetItem"))
        if kind == "GetItem":
            self.step(data, kind, world, legacy.get(data.draw, world, known))
        elif kind == "Query":
            self.step(data, kind, world, legacy.query(data.draw, world, known))
        else:
            self.step(data, kind, world, legacy.scan(data.draw, world, known))


class ItemsMachine(Writes, Deletes, Gets):
    """Single-item operations; UpdateItem has the largest grammar and is drawn twice as often."""

    capability = "items"

    @rule(data=st.data())
    def update_again(self, data: st.DataObject) -> None:
        """UpdateItem."""
        self.update(data)


class BatchesMachine(Writes, Batches, Gets):
    """Batches over two tables."""

    capability = "batches"
    tables_wanted = 2


class TransactionsMachine(Writes, Transactions, Gets):
    """Transactions over two tables."""

    capability = "transactions"
    tables_wanted = 2


class LegacyMachine(Fills, Legacy):
    """Legacy parameters."""

    capability = "legacy"
