"""Machine of global tables, as one region sees them: replicas come and go, and the table goes on."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from conformance.machines.data import Fills, Gets, Writes
from conformance.strategies import replicas
from conformance.strategies.draws import chance
from conformance.strategies.schemas import TableWorld
from reference.api import Json


class GlobalTablesMachine(Writes, Fills, Gets):
    """UpdateTable with ReplicaUpdates, what the table tells of them, what they forbid, and items meanwhile."""

    capability = "global-tables"
    odd_names = False

    def present(self, world: TableWorld) -> list[str]:
        """The regions of the replicas that the planner knows."""
        account = self.planner.account
        shown = account.any_table(self.names[f"table:{world.symbol}"])
        told = shown.settings.extra.get("replicas", {}) if shown is not None else {}
        return [replica["RegionName"] for replica in told.get("Replicas", ())]

    @rule(data=st.data())
    def change(self, data: st.DataObject) -> None:
        """A replica comes, changes or goes; mostly the table is described then."""
        world = self.any_world(data)
        self.plain_step("UpdateTable", replicas.change(data.draw, world.reference, self.present(world)))
        if chance(data.draw, 70):
            self.describe(data)

    @rule(data=st.data())
    def describe(self, data: st.DataObject) -> None:
        """DescribeTable."""
        self.plain_step("DescribeTable", {"TableName": self.any_world(data).reference})

    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """A setting that replicas share, or one that they forbid."""
        operation, body = replicas.settings(data.draw, self.any_world(data).reference)
        self.plain_step(operation, body)

    @rule(data=st.data())
    def together(self, data: st.DataObject) -> None:
        """A transaction, which tables with strong consistency don't take."""
        world = self.any_world(data)
        known = self.known(world)
        if known and chance(data.draw, 40):
            key: Json = {name: known[0][name] for name, _ in world.keys}
            self.plain_step(
                "TransactGetItems", {"TransactItems": [{"Get": {"TableName": world.reference, "Key": key}}]}
            )

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """DeleteTable, mostly where replicas forbid it: other programs would be over."""
        world = self.any_world(data)
        if chance(data.draw, 60 if self.present(world) else 5):
            self.plain_step("DeleteTable", {"TableName": world.reference})
