"""Machine of vector indexes: items with vectors are written and searched for."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from conformance.machines.base import ProgramMachine
from conformance.strategies import planes, requests, vectors
from conformance.strategies.draws import chance, number, pick
from conformance.strategies.schemas import TableWorld
from reference.api import Json


class VectorsMachine(ProgramMachine):
    """One table with one or two vector indexes."""

    capability = "vectors"
    mistakes_percent = 4
    odd_names = False
    with_indexes = False

    def __init__(self) -> None:
        super().__init__()
        self.indexes: list[Json] = []

    def draw_table(self, data: st.DataObject, symbol: str) -> TableWorld:
        """A table on demand, as vector indexes want it."""
        return replace(super().draw_table(data, symbol), on_demand=not chance(data.draw, 3))

    def create_body(self, data: st.DataObject, world: TableWorld) -> Json:
        """CreateTable with its vector indexes."""
        self.indexes = [vectors.index(data.draw, "near")]
        if chance(data.draw, 30):
            other = vectors.index(data.draw, "also")
            self.indexes.append({**other, "Dimensions": self.indexes[0]["Dimensions"]})
        body = world.create()
        return {
            **body, "AttributeDefinitions": vectors.definitions(body, self.indexes), "VectorIndexes": self.indexes
        }  # fmt: skip

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """The table, and a few items."""
        super().begin(data)
        made: dict[str, Json] = {}
        for _ in range(number(data.draw, 2, 5)):
            item = self._item(data)
            if not isinstance(item.get(vectors.ATTRIBUTE, {}).get("L"), list):
                item.pop(vectors.ATTRIBUTE, None)
            made[repr([item[name] for name, _ in self.table.keys])] = item
        asked = [{"PutRequest": {"Item": item}} for item in made.values()]
        self.plain_step("BatchWriteItem", {"RequestItems": {self.table.reference: asked}})

    @property
    def table(self) -> TableWorld:
        """The one table."""
        return self.worlds[0]

    def _item(self, data: st.DataObject) -> dict[str, Json]:
        known = self.known(self.table)
        return vectors.item(data.draw, self.table, self.features, known, self.indexes[0]["Dimensions"])

    @rule(data=st.data())
    def put(self, data: st.DataObject) -> None:
        """PutItem, mostly with a vector."""
        body: Json = {"TableName": self.table.reference, "Item": self._item(data)}
        if chance(data.draw, 20):
            body["ReturnConsumedCapacity"] = "INDEXES"
        self.plain_step("PutItem", body)

    @rule(data=st.data())
    def change(self, data: st.DataObject) -> None:
        """A vector, or what it is searched by, is changed or taken away."""
        body: Json = {"TableName": self.table.reference}
        body["Key"] = requests.key(data.draw, self.table, self.known(self.table))
        name = pick(data.draw, (vectors.ATTRIBUTE, vectors.ATTRIBUTE, vectors.TENANT, vectors.KIND))
        body["ExpressionAttributeNames"] = {"#n": name}
        if chance(data.draw, 30):
            body["UpdateExpression"] = "REMOVE #n"
        else:
            value = {"S": pick(data.draw, ("x", "y", "k"))}
            if name == vectors.ATTRIBUTE:
                value = vectors.value(data.draw, self.indexes[0]["Dimensions"])
            body |= {"UpdateExpression": "SET #n = :v", "ExpressionAttributeValues": {":v": value}}
        self.plain_step("UpdateItem", body)

    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        """A write of any kind."""
        operation, body = planes.write(data.draw, self.table, self.features, self.known(self.table))
        self.plain_step(operation, body)

    @rule(data=st.data())
    def search(self, data: st.DataObject) -> None:
        """SearchVectors."""
        index = pick(data.draw, self.indexes)
        self.plain_step("SearchVectors", vectors.search(data.draw, self.table, index, self.known(self.table)))

    @rule(data=st.data())
    def search_again(self, data: st.DataObject) -> None:
        """Searches are what this machine is about."""
        self.search(data)

    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        """What is told of the table and its indexes, or a GetItem that shows the vector as it was written."""
        if chance(data.draw, 30):
            self.plain_step("DescribeTable", {"TableName": self.table.reference})
        else:
            body = requests.get(data.draw, self.table, self.features, self.known(self.table))
            self.plain_step("GetItem", body)
