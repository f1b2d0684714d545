"""Machine of PartiQL: statements alone, in batches and in transactions, beside native writes."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from conformance.machines.data import Fills, Gets, Writes
from conformance.strategies import partiql, twins
from conformance.strategies.draws import chance, number, pick
from reference.api import Json

_WRITES = (partiql.insert, partiql.update, partiql.delete)


class PartiqlMachine(Writes, Fills, Gets):
    """ExecuteStatement, BatchExecuteStatement, ExecuteTransaction."""

    capability = "partiql"
    mistakes_percent = 4
    odd_names = False

    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        """INSERT, UPDATE or DELETE."""
        world = self.any_world(data)
        body = pick(data.draw, _WRITES)(data.draw, world, self.known(world))
        self.plain_step("ExecuteStatement", self._spoilt(data, body))

    @rule(data=st.data())
    def select(self, data: st.DataObject) -> None:
        """SELECT."""
        world = self.any_world(data)
        self.plain_step("ExecuteStatement", self._spoilt(data, partiql.select(data.draw, world, self.known(world))))

    def _spoilt(self, data: st.DataObject, body: Json) -> Json:
        return partiql.spoil(data.draw, body) if self.wrongly(data) else body

    @rule(data=st.data())
    def several(self, data: st.DataObject) -> None:
        """Writes or reads together, as a batch or as a transaction."""
        world = self.any_world(data)
        known = self.known(world)
        makers = _WRITES if chance(data.draw, 60) else (partiql.select,)
        statements = [pick(data.draw, makers)(data.draw, world, known) for _ in range(number(data.draw, 1, 3))]
        if chance(data.draw, 50):
            self.plain_step("BatchExecuteStatement", {"Statements": [_only(s, "ConsistentRead") for s in statements]})
        else:
            self.plain_step("ExecuteTransaction", {"TransactStatements": [_only(s) for s in statements]})

    @rule(data=st.data())
    def read_twice(self, data: st.DataObject) -> None:
        """A SELECT and the native read that must show the same."""
        world = self.any_world(data)
        for operation, body in twins.reads(data.draw, world, self.known(world)):
            self.plain_step(operation, body)

    @rule(data=st.data())
    def write_twice(self, data: st.DataObject) -> None:
        """The same change of two equal items, one by statement and one by call."""
        world = self.any_world(data)
        for operation, body in twins.writes(data.draw, world, self.known(world)):
            self.plain_step(operation, body)


def _only(statement: dict[str, object], *more: str) -> dict[str, object]:
    return {name: value for name, value in statement.items() if name in ("Statement", "Parameters", *more)}
