"""Machine of throughput: more is asked of a table than it serves, and what it serves is changed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import rule

from conformance.machines.data import Rules
from conformance.strategies import sizes, throughput
from conformance.strategies.draws import chance, number, pick
from conformance.strategies.schemas import TableWorld
from reference.api import Item, Json
from reference.tables.table import Table


class ThrottlingMachine(Rules):
    """Writes and reads past the throughput there is, each followed by a look at what came of it."""

    capability = "throttling"
    tables_wanted = 2
    mistakes_percent = 3
    odd_names = False

    def draw_table(self, data: st.DataObject, symbol: str) -> TableWorld:
        """A table that is provisioned more often than elsewhere."""
        world = super().draw_table(data, symbol)
        return world if world.given is not None else replace(world, on_demand=chance(data.draw, 40))

    def create_body(self, data: st.DataObject, world: TableWorld) -> Json:
        """CreateTable with little throughput."""
        return throughput.table(data.draw, world)

    def table(self, world: TableWorld) -> Table | None:
        """The table as the planner holds it."""
        return self.planner.account.table(self.names[f"table:{world.symbol}"])

    def look(self, data: st.DataObject, world: TableWorld, *keys: Item) -> None:
        """Consistent reads of keys, so that it shows whether what was refused took effect."""
        for key in keys:
            at = {name: key[name] for name, _ in world.keys if name in key}
            body: Json = {"TableName": world.reference, "Key": at, "ConsistentRead": True}
            if chance(data.draw, 25):
                body["ReturnConsumedCapacity"] = "TOTAL"
            self.plain_step("GetItem", body)

    @rule(data=st.data())
    def burst(self, data: st.DataObject) -> None:
        """Several writes in a row, and then what they wrote."""
        world = self.any_world(data)
        keys: list[Item] = []
        for _ in range(number(data.draw, 1, 4)):
            operation, body = sizes.single(data.draw, world, self.known(world))
            self.step(data, operation, world, body)
            keys.append(body.get("Item") or body["Key"])
        self.look(data, world, *keys[-2:])

    @rule(data=st.data())
    def burst_again(self, data: st.DataObject) -> None:
        """Writes are what a table has least to spare for."""
        self.burst(data)

    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        """A write whose condition fails, which costs as much as one that is done."""
        world = self.any_world(data)
        known = self.known(world)
        if known:
            held = pick(data.draw, known)
            body = {
                "TableName": world.reference, "Item": held, "ConditionExpression": "attribute_not_exists(#h)",
                "ExpressionAttributeNames": {"#h": world.hash[0]},
            }  # fmt: skip
            self.plain_step("PutItem", body)
            self.look(data, world, held)

    @rule(data=st.data())
    def batch(self, data: st.DataObject) -> None:
        """A batch, of which a part may be left, and the items it names."""
        operation, body = sizes.batch(data.draw, self.worlds, self.features, self.held())
        self.plain_step(operation, body)
        for world in self.worlds if operation == "BatchWriteItem" else ():
            written = [
                write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"]
                for write in body["RequestItems"].get(world.reference, ())
            ]
            self.look(data, world, *written[:3])

    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        """Reads of one item or a page, at times one after the other."""
        world = self.any_world(data)
        for _ in range(number(data.draw, 1, 3)):
            self.plain_step(*sizes.read(data.draw, world, self.features, self.known(world)))

    @rule(data=st.data())
    def together(self, data: st.DataObject) -> None:
        """A transaction or a statement, and what it wrote."""
        world = self.any_world(data)
        if chance(data.draw, 65):
            operation, body = sizes.transaction(data.draw, self.worlds, self.features, self.held())
        elif world.attributes == ("a", "b", "c"):
            operation, body = sizes.statement(data.draw, world, self.known(world))
        else:
            return
        self.plain_step(operation, body)
        for part in _written(body)[:2]:
            there = next(each for each in self.worlds if each.reference == part["TableName"])
            self.look(data, there, part.get("Item") or part["Key"])

    @rule(data=st.data())
    def change(self, data: st.DataObject) -> None:
        """UpdateTable of what is provided or of its bounds, and what the table tells of it."""
        world = self.any_world(data)
        for _ in range(number(data.draw, 1, 2)):
            held = self.table(world)
            if held is None:
                return
            kind = number(data.draw, 0, 99)
            if kind < 15:
                body = throughput.warmer(data.draw, world, held.settings)
            elif kind < 32:
                body = throughput.switch(data.draw, world, held)
            elif held.settings.on_demand or kind < 36:
                body = throughput.limits(data.draw, world)
            else:
                body = throughput.change(data.draw, world, held)
            self.plain_step("UpdateTable", body)
        self.plain_step("DescribeTable", {"TableName": world.reference})

    @rule(data=st.data())
    def lower(self, data: st.DataObject) -> None:
        """Write units are taken away one by one, past the four times a day that this is free."""
        world = self.any_world(data)
        held = self.table(world)
        if held is None or held.settings.on_demand or chance(data.draw, 35):
            return
        names = [name for name, index in held.indexes.items() if index.schema.kind == "GSI"]
        name = pick(data.draw, names) if names and chance(data.draw, 40) else ""
        units = held.indexes[name].settings if name else held.settings
        write = units.write_units
        if write < 7:
            write = 10
            self.plain_step("UpdateTable", throughput.lowered(world, units.read_units, write, name))
        for less in range(1, 1 + pick(data.draw, (5, 5, 2))):
            self.plain_step("UpdateTable", throughput.lowered(world, units.read_units, write - less, name))
        self.describe(data)

    @rule(data=st.data())
    def describe(self, data: st.DataObject) -> None:
        """DescribeTable."""
        self.plain_step("DescribeTable", {"TableName": self.any_world(data).reference})


def _written(body: Json) -> list[Json]:
    """The writes of a transaction."""
    parts = [part for action in body.get("TransactItems", ()) for part in action.values()]
    return [part for part in parts if "Item" in part or "Key" in part]
