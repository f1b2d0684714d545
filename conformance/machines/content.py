"""Machines of values and keys: what is written by one operation must be read, sorted and told apart alike by all."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from conformance.machines.data import Deletes, Pages, Rules
from conformance.strategies import contents, keys, numbers, requests, routes
from conformance.strategies.draws import Draw, chance, number, pick
from conformance.strategies.schemas import Attribute, IndexWorld, TableWorld
from reference.api import Item, Json

Body = dict[str, Any]


class Values(Rules):
    """Values at the edges, by every way in and out."""

    @rule(data=st.data())
    def write_value(self, data: st.DataObject) -> None:
        """One value, by any operation that writes; read back at once mostly."""
        world, draw = self.any_world(data), data.draw
        at = requests.key(draw, world, self.known(world))
        name = pick(draw, world.attributes)
        if chance(draw, self.mistakes_percent) and self.features.on("mistakes"):
            held = _refused(draw)
        else:
            held = contents.value(draw, self.features)
        self.plain_step(*routes.write(draw, world, at, name, held))
        if chance(draw, 60):
            self.plain_step(*routes.read(draw, world, at, name))

    @rule(data=st.data())
    def read_value(self, data: st.DataObject) -> None:
        """An item that is there, by any operation that shows it."""
        world, draw = self.any_world(data), data.draw
        at = requests.key(draw, world, self.known(world))
        self.plain_step(*routes.read(draw, world, at, pick(draw, world.attributes)))

    @rule(data=st.data())
    def compare_value(self, data: st.DataObject) -> None:
        """The items whose attribute compares so with one of them, written otherwise, or with the number beside it."""
        world, draw = self.any_world(data), data.draw
        name = pick(draw, world.attributes)
        held = [each[name] for each in self.known(world) if name in each]
        given = pick(draw, held) if held else contents.value(draw, self.features)
        if "N" in given and held:
            given = {"N": numbers.beside(draw, given["N"]) if chance(draw, 40) else numbers.respelt(draw, given["N"])}
        ordered = next(iter(given), "") in ("S", "N", "B")
        comparator = pick(draw, ("=", "=", "<>", "<", "<=", ">", ">=") if ordered else ("=", "<>"))
        self.plain_step(*routes.found(world, name, given, comparator))

    @rule(data=st.data())
    def calculate(self, data: st.DataObject) -> None:
        """A sum or difference that just fits 38 digits, or does not."""
        world, draw = self.any_world(data), data.draw
        at = requests.key(draw, world, self.known(world))
        name = pick(draw, world.attributes)
        first, second = pick(draw, numbers.SUMS) if chance(draw, 70) else (numbers.spelt(draw), numbers.spelt(draw))
        self.plain_step(*routes.NATIVE[1](world, at, name, {"N": first}))
        expression = pick(draw, ("ADD #a :v", "SET #a = #a + :v", "SET #a = #a - :v", "SET #a = :v - #a"))
        body = {
            "TableName": world.reference, "Key": at, "UpdateExpression": expression, "ReturnValues": "UPDATED_NEW",
            "ExpressionAttributeNames": {"#a": name}, "ExpressionAttributeValues": {":v": {"N": second}},
        }  # fmt: skip
        self.plain_step("UpdateItem", body)

    @rule(data=st.data())
    def write_large(self, data: st.DataObject) -> None:
        """An item at the limit of its size, grown beyond it at times; rarely, for it takes long to send."""
        world, draw = self.any_world(data), data.draw
        if not self.features.on("sizes") or self.written_large or not chance(draw, 15):
            return
        self.written_large = True
        at, name = requests.key(draw, world, []), world.attributes[0]
        item = contents.large(draw, at, name)
        self.plain_step(*pick(draw, routes.NATIVE)(world, at, name, item[name]))
        self.plain_step("UpdateItem", {
            "TableName": world.reference, "Key": at, "UpdateExpression": "SET z = :z",
            "ExpressionAttributeValues": {":z": {"S": pick(draw, ("", "z"))}}, "ReturnValues": "UPDATED_OLD",
        })  # fmt: skip


def _refused(draw: Draw) -> Body:
    """A value that no operation takes."""
    bad: Body = pick(draw, ({"N": pick(draw, numbers.REFUSED)}, {"NS": ["1", "1.0"]}, {"SS": ["a", "a"]}, {"BS": []}))
    return {"L": [bad]} if chance(draw, 30) else bad


class ValuesMachine(Values, Deletes):
    """What an attribute can hold, written by one operation and read by another."""

    capability = "values"
    with_indexes = False


class Keys(Rules):
    """Keys that sort, compare and are bounded in ways of their own."""

    @rule(data=st.data())
    def put_key(self, data: st.DataObject) -> None:
        """An item of an edgy key, by any operation that writes."""
        world, draw = self.any_world(data), data.draw
        item = keys.item(draw, world, self.known(world))
        if self.wrongly(data):
            item = keys.misfit(draw, world, item)
        self.plain_step(*self._written(draw, world, item))

    def _written(self, draw: Draw, world: TableWorld, item: Item) -> tuple[str, Json]:
        kind = pick(draw, ("PutItem", "PutItem", "UpdateItem", "BatchWriteItem", "TransactWriteItems"))
        if kind == "UpdateItem":
            name = world.attributes[0]
            at = {each: held for each, held in item.items() if each != name and each not in world.index_keys}
            return kind, {
                "TableName": world.reference, "Key": at, "UpdateExpression": "SET #a = :v", "ReturnValues": "ALL_NEW",
                "ExpressionAttributeNames": {"#a": name},
                "ExpressionAttributeValues": {":v": item.get(name, {"NULL": True})},
            }  # fmt: skip
        if kind == "BatchWriteItem":
            return kind, {"RequestItems": {world.reference: [{"PutRequest": {"Item": item}}]}}
        if kind == "TransactWriteItems":
            return kind, {"TransactItems": [{"Put": {"TableName": world.reference, "Item": item}}]}
        return kind, {"TableName": world.reference, "Item": item, "ReturnValues": "ALL_OLD"}

    @rule(data=st.data())
    def put_keys(self, data: st.DataObject) -> None:
        """Several items at once, so that there is something to sort."""
        world, draw = self.any_world(data), data.draw
        items: list[Item] = []
        for _ in range(number(draw, 3, 6)):
            item = keys.item(draw, world, [])
            if all(any(item[name] != other[name] for name, _ in world.keys) for other in items):
                items.append(item)
        writes = [{"PutRequest": {"Item": item}} for item in items]
        self.plain_step("BatchWriteItem", {"RequestItems": {world.reference: writes}})

    @rule(data=st.data())
    def use_key(self, data: st.DataObject) -> None:
        """GetItem, DeleteItem or a batch of gets by a key that is perhaps written otherwise than it was stored."""
        world, draw = self.any_world(data), data.draw
        at = keys.key(draw, world, self.known(world))
        if self.wrongly(data):
            at = keys.misfit(draw, world, at)
        kind = pick(draw, ("GetItem", "GetItem", "DeleteItem", "BatchGetItem", "TransactGetItems"))
        if kind == "BatchGetItem":
            listed = [at] + [keys.key(draw, world, self.known(world)) for _ in range(chance(draw, 40))]
            self.plain_step(kind, {"RequestItems": {world.reference: {"Keys": listed, "ConsistentRead": True}}})
        elif kind == "TransactGetItems":
            self.plain_step(kind, {"TransactItems": [{"Get": {"TableName": world.reference, "Key": at}}]})
        else:
            extra = {"ConsistentRead": True} if kind == "GetItem" else {"ReturnValues": "ALL_OLD"}
            self.plain_step(kind, {"TableName": world.reference, "Key": at, **extra})


class KeyQueries(Keys, Pages):
    """Conditions over such keys."""

    @rule(data=st.data())
    def query_keys(self, data: st.DataObject) -> None:
        """Query by a condition on the sort key, forwards or backwards, in pages at times."""
        world, draw = self.any_world(data), data.draw
        before = len(self.pages)
        self.plain_step("Query", keys.query(draw, world, self.known(world)))
        self.follow(data, before)


_TYPES = ("S", "N", "B")


class KeysMachine(KeyQueries):
    """Tables of every combination of key types, with an index sorted by a third."""

    capability = "keys"

    def draw_table(self, data: st.DataObject, symbol: str) -> TableWorld:
        """A table of any key types."""
        if self.own:
            return super().draw_table(data, symbol)
        draw = data.draw
        hashed: Attribute = ("pk", pick(draw, _TYPES))
        ranged: Attribute | None = ("sk", pick(draw, _TYPES)) if chance(draw, 80) else None
        indexes: tuple[IndexWorld, ...] = ()
        if self.features.on("indexes") and chance(draw, 50):
            first: Attribute = ("g", pick(draw, _TYPES)) if chance(draw, 60) or ranged is None else ranged
            indexes = (IndexWorld("by-h", "GSI", first, ("h", pick(draw, _TYPES)), pick(draw, ("ALL", "KEYS_ONLY"))),)
        return TableWorld(symbol, hashed, ranged, indexes, ("v", "w"))
