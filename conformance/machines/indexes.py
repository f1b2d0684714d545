"""Machine of secondary indexes: their whole life over items that were there before, and what they show."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import rule

from conformance.machines.data import Deletes, Fills, Pages, Rules
from conformance.machines.related import Related
from conformance.strategies import indexes, requests
from conformance.strategies.draws import chance, number, pick
from conformance.strategies.schemas import IndexWorld, TableWorld
from reference.api import Item


class IndexWrites(Rules):
    """Items that enter an index, move in it, and leave it."""

    @rule(data=st.data())
    def put_indexed(self, data: st.DataObject) -> None:
        """PutItem, of an item that does not fit an index now and then."""
        world = self.any_world(data)
        item = indexes.item(data.draw, world, self.known(world), unfit=self.features.on("mistakes"))
        self.plain_step("PutItem", {"TableName": world.reference, "Item": item})

    @rule(data=st.data())
    def put_several(self, data: st.DataObject) -> None:
        """Several items, by BatchWriteItem or TransactWriteItems."""
        world, draw = self.any_world(data), data.draw
        items: list[Item] = []
        for _ in range(number(draw, 2, 5)):
            item = indexes.item(draw, world, [], unfit=self.features.on("mistakes") and chance(draw, 10))
            if all(any(item[name] != other[name] for name, _ in world.keys) for other in items):
                items.append(item)
        if chance(draw, 60):
            writes = [{"PutRequest": {"Item": item}} for item in items]
            self.plain_step("BatchWriteItem", {"RequestItems": {world.reference: writes}})
        else:
            puts = [{"Put": {"TableName": world.reference, "Item": item}} for item in items]
            self.plain_step("TransactWriteItems", {"TransactItems": puts})

    @rule(data=st.data())
    def change_indexed(self, data: st.DataObject) -> None:
        """UpdateItem of an attribute that indexes are keyed by or project."""
        world = self.any_world(data)
        self.plain_step("UpdateItem", indexes.change(data.draw, world, self.known(world)))


class IndexLife(IndexWrites, Pages):
    """Global indexes that are added, read and deleted."""

    @rule(data=st.data())
    def add_index(self, data: st.DataObject) -> None:
        """UpdateTable that adds an index, and a look at what it holds."""
        world, draw = self.any_world(data), data.draw
        held = [each.name for each in world.indexes]
        free = [name for name in indexes.NAMES if name not in held]
        if not self.features.on("indexes") or (not free and not chance(draw, 20)):
            return
        taken = not free or chance(draw, 5)
        new = indexes.index(draw, world, pick(draw, indexes.NAMES if taken else free))
        self.plain_step("UpdateTable", indexes.creation(draw, world, new))
        self.look_again(world)
        self.plain_step("Scan", {"TableName": world.reference, "IndexName": new.name})

    @rule(data=st.data())
    def drop_index(self, data: st.DataObject) -> None:
        """UpdateTable that deletes an index; a read of it after that is refused."""
        world, draw = self.any_world(data), data.draw
        gone = indexes.removal(draw, world)
        if not world.indexes or chance(draw, 50):
            return
        self.plain_step("UpdateTable", gone)
        self.look_again(world)
        if chance(draw, 40):
            name = gone["GlobalSecondaryIndexUpdates"][0]["Delete"]["IndexName"]
            self.plain_step("Scan", {"TableName": world.reference, "IndexName": name})

    def look_again(self, world: TableWorld) -> None:
        """Take note of the indexes that a table has now."""
        table = self.planner.account.table(self.names[f"table:{world.symbol}"])
        if table is not None:
            self.worlds[self.worlds.index(world)] = indexes.seen(world, table)

    @rule(data=st.data())
    def read_index(self, data: st.DataObject) -> None:
        """Query or Scan an index, or the table where there is none, with any selection of attributes."""
        world, draw = self.any_world(data), data.draw
        before, known = len(self.pages), self.known(world)
        body = (requests.query if chance(draw, 60) else requests.scan)(draw, world, self.features, known)
        if world.indexes and "IndexName" not in body and "KeyConditionExpression" not in body:
            body["IndexName"] = pick(draw, world.indexes).name
        operation = "Query" if "KeyConditionExpression" in body else "Scan"
        if "IndexName" in body and self.features.on("mistakes") and chance(draw, 8):
            # More than the index has: a local one fetches it, a global one can't.
            body = {**body, "Select": "ALL_ATTRIBUTES"}
        self.step(data, operation, world, body)
        self.follow(data, before)

    @rule(data=st.data())
    def describe_indexes(self, data: st.DataObject) -> None:
        """DescribeTable."""
        self.plain_step("DescribeTable", {"TableName": self.any_world(data).reference})


_LOCAL = (
    IndexWorld("by-l", "LSI", ("pk", "S"), ("g", "S"), "KEYS_ONLY"),
    IndexWorld("by-m", "LSI", ("pk", "S"), ("m", "B"), "INCLUDE", ("a",)),
    IndexWorld("by-h", "LSI", ("pk", "S"), ("h", "N")),
)


class IndexesMachine(IndexLife, Related, Deletes, Fills):
    """Indexes over a table that begins with none, with local ones, or as any table does."""

    capability = "indexes"
    odd_names = False
    mistakes_percent = 8

    def draw_table(self, data: st.DataObject, symbol: str) -> TableWorld:
        """A table that has room for indexes to come."""
        draw = data.draw
        if self.own or chance(draw, 30):
            return super().draw_table(data, symbol)
        ranged = ("sk", pick(draw, ("S", "N", "B"))) if chance(draw, 65) else None
        world = TableWorld(symbol, ("pk", "S"), ranged, on_demand=chance(draw, 75))
        local = tuple(each for each in _LOCAL if chance(draw, 40)) if ranged is not None else ()
        return replace(world, indexes=local)
