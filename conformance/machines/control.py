"""Machine of the control plane: tables come, change and go inside the program."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import rule

from conformance.machines.data import Fills, Writes
from conformance.strategies import requests, schemas, tables
from conformance.strategies.draws import chance, pick
from conformance.strategies.schemas import IndexWorld, TableWorld
from reference.tables.table import Table

MAX_TABLES = 3


def with_indexes_of(world: TableWorld, table: Table) -> TableWorld:
    """The world with the global index that was added to its table, so that it is queried."""
    added = table.indexes.get("added")
    if added is None or any(index.name == "added" for index in world.indexes):
        return world
    (key,) = added.schema.key.hash
    projection = "ALL" if added.schema.stored is None else "KEYS_ONLY"
    return replace(
        world, indexes=(*world.indexes, IndexWorld("added", "GSI", (key.name, key.type), None, projection))
    )  # fmt: skip


class TablesMachine(Writes, Fills):
    """CreateTable, UpdateTable, DescribeTable, DeleteTable, time to live, and items before and after."""

    capability = "tables"

    def draw_table(self, data: st.DataObject, symbol: str) -> TableWorld:
        """A table whose items have what an index may later be keyed by."""
        world = super().draw_table(data, symbol)
        keyed = "g" in world.index_keys or "g" in dict(world.keys)
        return world if keyed else replace(world, attributes=(*world.attributes[:2], "g"))

    @rule(data=st.data())
    def create(self, data: st.DataObject) -> None:
        """CreateTable, of a new table or one that exists."""
        gone = [w for w in self.worlds if self.planner.account.any_table(self.names[f"table:{w.symbol}"]) is None]
        again = bool(gone) and chance(data.draw, 60)
        fresh = not again and len(self.worlds) < MAX_TABLES and chance(data.draw, 75)
        symbol = f"t{len(self.worlds)}" if fresh else pick(data.draw, gone if again else self.worlds).symbol
        world = schemas.table(data.draw, symbol, own=self.own)
        self.names.setdefault(f"table:{symbol}", f"table-{symbol}")
        self.plain_step("CreateTable", tables.create(data.draw, world))
        if fresh and self.planner.account.any_table(f"table-{symbol}") is not None:
            self.worlds.append(world)

    @rule(data=st.data())
    def update_table(self, data: st.DataObject) -> None:
        """UpdateTable."""
        world = self._table(data)
        self.plain_step("UpdateTable", tables.update(data.draw, world))
        table = self.planner.account.table(self.names[f"table:{world.symbol}"])
        after = world if table is None else with_indexes_of(world, table)
        if after is not world:
            self.worlds[self.worlds.index(world)] = after
            self._look(data, after)

    def _look(self, data: st.DataObject, world: TableWorld) -> None:
        """Query the index that was added, for an item that was there before."""
        index = world.indexes[-1]
        held = [i[index.hash[0]] for i in self.known(world) if index.hash[1] in i.get(index.hash[0], ())]
        if held:
            body = {
                "TableName": world.reference, "IndexName": index.name, "KeyConditionExpression": "g = :g",
                "ExpressionAttributeValues": {":g": pick(data.draw, held)},
            }  # fmt: skip
            self.plain_step("Query", body)

    @rule(data=st.data())
    def describe(self, data: st.DataObject) -> None:
        """DescribeTable."""
        self.plain_step("DescribeTable", {"TableName": self._table(data).reference})

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """DeleteTable, of the last tables of a program mostly."""
        if chance(data.draw, 40):
            self.plain_step("DeleteTable", {"TableName": self._table(data).reference})

    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        """UpdateTimeToLive or DescribeTimeToLive."""
        world = self._table(data)
        if chance(data.draw, 50):
            self.plain_step("UpdateTimeToLive", tables.time_to_live(data.draw, world))
        else:
            self.plain_step("DescribeTimeToLive", {"TableName": world.reference})

    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        """Query, to see what an index holds."""
        world = self._table(data)
        self.plain_step("Query", requests.query(data.draw, world, self.features, self.known(world)))

    def _table(self, data: st.DataObject) -> TableWorld:
        return pick(data.draw, self.worlds)
