"""Machines of what reads show: right after writes, and again and again, as a cache would be asked."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from conformance.machines.data import Fills, Transactions
from conformance.strategies import partiql, planes, requests
from conformance.strategies.draws import chance, number, pick
from conformance.strategies.schemas import TableWorld
from reference.api import Item, Json


class Reading(Fills):
    """Writes of every kind to few items, and reads of these items in every way."""

    mistakes_percent = 4
    odd_names = False

    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        """A write of any kind."""
        world = self.any_world(data)
        operation, body = planes.write(data.draw, world, self.features, self.known(world))
        self.plain_step(operation, body)

    def reads(self, data: st.DataObject, world: TableWorld, *, consistent: bool) -> tuple[str, Json]:
        """A read of what is mostly there."""
        known = self.known(world)
        key = requests.key(data.draw, world, known)
        more = {"ConsistentRead": True} if consistent else {}
        body: Json = {"TableName": world.reference, **more}
        kind = pick(data.draw, ("get", "get", "batch", "query", "scan", "scan"))
        if kind == "get":
            return "GetItem", {**body, "Key": key}
        if kind == "batch":
            keys = [key, *(k for k in self._others(data, world, known) if k != key)]
            return "BatchGetItem", {"RequestItems": {world.reference: {"Keys": keys[:3], **more}}}
        if kind == "query":
            name = world.hash[0]
            return "Query", {
                **body, "KeyConditionExpression": "#h = :h", "ExpressionAttributeNames": {"#h": name},
                "ExpressionAttributeValues": {":h": key[name]},
            }  # fmt: skip
        if not consistent and chance(data.draw, 40) and world.indexes:
            body["IndexName"] = pick(data.draw, world.indexes).name
        return "Scan", body

    def _others(self, data: st.DataObject, world: TableWorld, known: list[Item]) -> list[Item]:
        found: list[Item] = []
        for _ in range(number(data.draw, 0, 2)):
            key = requests.key(data.draw, world, known)
            if key not in found:
                found.append(key)
        return found


class ConsistencyMachine(Reading, Transactions):
    """A write and at once all ways to read what it wrote; refused writes, whose effects nobody may see."""

    capability = "consistency"

    @rule(data=st.data())
    def write_and_read(self, data: st.DataObject) -> None:
        """What was written is there for a consistent read; another read may come first."""
        world = self.any_world(data)
        self.write(data)
        if chance(data.draw, 50):
            self.plain_step(*self.reads(data, world, consistent=False))
        self.plain_step(*self.reads(data, world, consistent=True))

    @rule(data=st.data())
    def refused(self, data: st.DataObject) -> None:
        """A write whose condition fails, and a read."""
        world = self.any_world(data)
        known = self.known(world)
        if known:
            item = requests.item(data.draw, world, self.features, known)
            at = pick(data.draw, known)
            item.update((name, at[name]) for name, _ in world.keys)
            name = world.hash[0]
            body = {
                "TableName": world.reference, "Item": item, "ConditionExpression": "attribute_not_exists(#h)",
                "ExpressionAttributeNames": {"#h": name},
            }  # fmt: skip
            self.plain_step("PutItem", body)
            self.plain_step(*self.reads(data, world, consistent=chance(data.draw, 50)))


class DaxMachine(Reading, Transactions):
    """The same few reads again and again, with writes through whatever caches there are, and past them, in between."""

    capability = "dax"

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, Json]] = []

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        """A read that may be asked again."""
        read = self.reads(data, self.any_world(data), consistent=chance(data.draw, 20))
        self.asked.append(read)
        self.plain_step(*read)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        """A read that was asked before, letter by letter, or with another projection, or consistently."""
        operation, body = pick(data.draw, self.asked[-4:])
        if operation != "BatchGetItem" and chance(data.draw, 25):
            body = {**body, "ConsistentRead": "IndexName" not in body}
        if operation == "GetItem" and chance(data.draw, 25):
            body = {**body, "ProjectionExpression": pick(data.draw, ("a", "b", "a, b"))}
        self.plain_step(operation, body)

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def change_and_ask(self, data: st.DataObject) -> None:
        """A write of an item that was read, natively or past what caches see, and the read again."""
        operation, body = pick(data.draw, self.asked[-3:])
        world = next(each for each in self.worlds if each.reference in str(body))
        known = self.known(world)
        if "Key" in body and chance(data.draw, 60):
            item = requests.item(data.draw, world, self.features, known)
            self.plain_step("PutItem", {"TableName": world.reference, "Item": {**item, **body["Key"]}})
        elif chance(data.draw, 50):
            maker = pick(data.draw, (partiql.insert, partiql.update, partiql.delete))
            self.plain_step("ExecuteStatement", maker(data.draw, world, known))
        else:
            self.write(data)
        self.plain_step(operation, body)
