"""Machine of auto scaling: targets and policies come, change and go, and units move into the bounds that are set."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from conformance.machines.data import Rules
from conformance.strategies import scaling, throughput
from conformance.strategies.draws import chance, pick
from conformance.strategies.schemas import TableWorld
from conformance.symbols import bind
from reference.api import Json
from reference.scaling.targets import seen
from reference.tables.table import Table

_PREFIX = "application-autoscaling:"
UNITS = ((5, 5), (10, 5), (3, 8), (1, 1))


class ScalingMachine(Rules):
    """Application Auto Scaling of one table; the first call tells whether the endpoint has it at all."""

    capability = "scaling"
    odd_names = False

    def __init__(self) -> None:
        super().__init__()
        self.slots: list[Json] = []

    def draw_table(self, data: st.DataObject, symbol: str) -> TableWorld:
        """A provisioned table: there is nothing to scale where throughput is on demand."""
        world = super().draw_table(data, symbol)
        return world if world.given is not None else replace(world, on_demand=False)

    def create_body(self, data: st.DataObject, world: TableWorld) -> Json:
        """CreateTable with a few units."""
        body: dict[str, Any] = world.create()
        if world.given is None:
            body["ProvisionedThroughput"] = throughput.units(*pick(data.draw, UNITS))
            for index in body.get("GlobalSecondaryIndexes", ()):
                index["ProvisionedThroughput"] = throughput.units(*pick(data.draw, UNITS))
        return body

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """The table, and what is registered of it: nothing yet."""
        super().begin(data)
        body = {"ServiceNamespace": "dynamodb", "ResourceIds": [scaling.resource(self.worlds[0])]}
        self.plain_step(f"{_PREFIX}DescribeScalableTargets", body)

    @property
    def world(self) -> TableWorld:
        """The one table."""
        return self.worlds[0]

    @property
    def planned(self) -> Table | None:
        """The table as the planner holds it."""
        return self.planner.account.table(self.names[f"table:{self.world.symbol}"])

    @property
    def registered(self) -> list[Json]:
        """What is registered now, as far as the planner knows."""
        there = seen(self.planner.account).targets
        bound = [(slot, bind(slot, self.names, {})) for slot in self.slots]
        return [slot for slot, named in bound if (named["ResourceId"], named["ScalableDimension"]) in there]

    def _at(self, data: st.DataObject, body: Json) -> Json:
        """The request about something that is registered, mostly."""
        there = self.registered
        return {**body, **pick(data.draw, there)} if there and chance(data.draw, 88) else body

    @rule(data=st.data())
    def register(self, data: st.DataObject) -> None:
        """RegisterScalableTarget, and what the table has then."""
        held = self.planned
        if held is None or held.settings.on_demand:
            return
        body = scaling.register(data.draw, self.world)
        if self.slots and chance(data.draw, 45):
            body |= pick(data.draw, self.slots)
        names = ("ServiceNamespace", "ResourceId", "ScalableDimension")
        slot = {name: body[name] for name in names}
        if "absent" not in body["ResourceId"] and slot not in self.slots:
            self.slots.append(slot)
        self.plain_step(f"{_PREFIX}RegisterScalableTarget", body)
        self.plain_step("DescribeTable", {"TableName": self.world.reference})
        self.listed(data)

    @rule(data=st.data())
    def deregister(self, data: st.DataObject) -> None:
        """DeregisterScalableTarget, and what is left."""
        if chance(data.draw, 50 if self.registered else 10):
            self.plain_step(f"{_PREFIX}DeregisterScalableTarget", self._at(data, scaling.slot(data.draw, self.world)))
            self.listed(data)

    @rule(data=st.data())
    def policy(self, data: st.DataObject) -> None:
        """PutScalingPolicy."""
        if not self.registered:
            self.register(data)
        body = scaling.policy(data.draw, self.world)
        placed = self._at(data, body)
        given = dict(body["TargetTrackingScalingPolicyConfiguration"])
        metric = given["PredefinedMetricSpecification"]["PredefinedMetricType"]
        same = ("Read" in metric) == (":Read" in body["ScalableDimension"])
        kind = "Read" if (":Read" in placed["ScalableDimension"]) == same else "Write"
        given["PredefinedMetricSpecification"] = {"PredefinedMetricType": f"DynamoDB{kind}CapacityUtilization"}
        placed = {**placed, "TargetTrackingScalingPolicyConfiguration": given}
        self.plain_step(f"{_PREFIX}PutScalingPolicy", placed)
        if chance(data.draw, 60):
            self.listed(data)

    @rule(data=st.data())
    def policy_again(self, data: st.DataObject) -> None:
        """Policies have most to be wrong about."""
        self.policy(data)

    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """DeleteScalingPolicy, and what is left."""
        if not self.registered:
            return
        body = self._at(data, scaling.slot(data.draw, self.world))
        self.plain_step(f"{_PREFIX}DeleteScalingPolicy", {**body, "PolicyName": pick(data.draw, scaling.NAMES)})
        self.listed(data)

    @rule(data=st.data())
    def listed(self, data: st.DataObject) -> None:
        """What is registered, how it is scaled, and what was done of itself."""
        known = list(dict.fromkeys(slot["ResourceId"] for slot in self.slots))
        self.plain_step(*scaling.listing(data.draw, self.world, known))

    @rule(data=st.data())
    def meanwhile(self, data: st.DataObject) -> None:
        """Units change by hand, which targets let be; the mode changes or the table goes, which they outlive."""
        held = self.planned
        if held is None:
            return
        if chance(data.draw, 6):
            self.plain_step("DeleteTable", {"TableName": self.world.reference})
        elif chance(data.draw, 10):
            self.plain_step("UpdateTable", throughput.switch(data.draw, self.world, held))
        elif not held.settings.on_demand:
            self.plain_step("UpdateTable", throughput.change(data.draw, self.world, held))
            self.plain_step("DescribeTable", {"TableName": self.world.reference})
        self.listed(data)
