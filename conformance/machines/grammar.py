"""Machine of expressions: the whole grammar in every place where one may stand."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import rule

from conformance.machines.data import Fills, Rules
from conformance.strategies import grammar, requests
from conformance.strategies.draws import chance, number, pick
from conformance.strategies.schemas import TableWorld
from reference.api import Json


class Expressions(Rules):
    """Conditions, updates, filters and projections."""

    @rule(data=st.data())
    def write_expression(self, data: st.DataObject) -> None:
        """PutItem, UpdateItem or DeleteItem with expressions, looked at by what it returns."""
        world, draw = self.any_world(data), data.draw
        known = self.known(world)
        at = requests.key(draw, world, known)
        item = requests.likely(draw, known, at)
        spoil = self.wrongly(data)
        self.plain_step(*grammar.written(draw, world, self.features, at, item, spoil=spoil))

    @rule(data=st.data())
    def read_expression(self, data: st.DataObject) -> None:
        """Scan or Query with a filter, a projection or both."""
        world, draw = self.any_world(data), data.draw
        known = self.known(world)
        item = pick(draw, known) if known else {}
        self.plain_step(*grammar.filtered(draw, world, self.features, item, spoil=self.wrongly(data)))

    @rule(data=st.data())
    def transact_expressions(self, data: st.DataObject) -> None:
        """Several such writes as one transaction, with checks among them."""
        draw = data.draw
        actions: list[Json] = []
        seen: list[Json] = []
        for _ in range(number(draw, 1, 3)):
            world = self.any_world(data)
            known = self.known(world)
            at = requests.key(draw, world, known)
            if (world.symbol, at) in seen:
                continue
            seen.append((world.symbol, at))
            item = requests.likely(draw, known, at)
            operation, body = grammar.written(draw, world, self.features, at, item, spoil=False)
            body.pop("ReturnValues", None)
            if "ConditionExpression" not in body:
                body.pop("ReturnValuesOnConditionCheckFailure", None)
            elif operation == "DeleteItem" and chance(draw, 60):
                operation = "ConditionCheckItem"
            actions.append({operation.removesuffix("Item"): body})
        self.plain_step("TransactWriteItems", {"TransactItems": actions})

    @rule(data=st.data())
    def reach_limit(self, data: st.DataObject) -> None:
        """A condition as long, deep or wide as one may be, or a little more."""
        world, draw = self.any_world(data), data.draw
        if not self.features.on("limits") or chance(draw, 40):
            return
        limit = grammar.limits(draw)
        if chance(draw, 50):
            at = requests.key(draw, world, self.known(world))
            self.plain_step("DeleteItem", {"TableName": world.reference, "Key": at, **limit})
        else:
            limit["FilterExpression"] = limit.pop("ConditionExpression")
            self.plain_step("Scan", {"TableName": world.reference, **limit})


class ExpressionsMachine(Expressions, Fills):
    """Expressions over items that have what they speak of."""

    capability = "expressions"
    mistakes_percent = 20

    def draw_table(self, data: st.DataObject, symbol: str) -> TableWorld:
        """A table of which one attribute can be named by an alias alone, as often as not."""
        world = super().draw_table(data, symbol)
        plain = world.attributes == ("a", "b", "c")
        return replace(world, attributes=("a", "size", "b")) if plain and chance(data.draw, 40) else world

    @rule(data=st.data())
    def write_again(self, data: st.DataObject) -> None:
        """Updates have the largest grammar."""
        self.write_expression(data)
