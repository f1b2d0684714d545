"""Machine of metrics: calls are made, and CloudWatch is asked what it saw of them."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from conformance.machines.data import Rules
from conformance.strategies import metrics, requests, sizes
from conformance.strategies.draws import chance, number, pick
from conformance.strategies.planes import reply
from conformance.strategies.schemas import TableWorld
from reference.api import Json


class MetricsMachine(Rules):
    """CloudWatch's view of one table; the first call tells whether the endpoint has it at all."""

    capability = "metrics"
    mistakes_percent = 6
    odd_names = False

    def __init__(self) -> None:
        super().__init__()
        self.insights: list[str] = []

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """The table, of which nothing is counted yet, and mostly its Contributor Insights."""
        super().begin(data)
        self.plain_step("cloudwatch:ListMetrics", {
            "Namespace": metrics.NAMESPACE, "Dimensions": metrics.dimensions(self.world),
        })  # fmt: skip
        if not chance(data.draw, 35):
            self.watch(data)

    @property
    def world(self) -> TableWorld:
        """The one table."""
        return self.worlds[0]

    def watch(self, data: st.DataObject) -> None:
        """Switch Contributor Insights on, and learn what its rules are called."""
        body: Json = {"TableName": self.world.reference, "ContributorInsightsAction": "ENABLE"}
        if chance(data.draw, 20):
            body["ContributorInsightsMode"] = pick(data.draw, ("THROTTLED_KEYS", "ACCESSED_AND_THROTTLED_KEYS"))
        self.plain_step("UpdateContributorInsights", body)
        told = self.plain_step("DescribeContributorInsights", {"TableName": self.world.reference})
        listed = (self.replies.get(told) or {}).get("ContributorInsightsRuleList", ())
        self.insights = [reply(told, f"ContributorInsightsRuleList[{n}]") for n, _ in enumerate(listed)]

    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        """Writes, asked what they cost at times."""
        for _ in range(number(data.draw, 1, 3)):
            operation, body = sizes.single(data.draw, self.world, self.known(self.world))
            self.step(data, operation, self.world, body)
        self.look(data, operation)

    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        """Reads of one item, or a page at times."""
        known = self.known(self.world)
        for _ in range(number(data.draw, 1, 3)):
            operation, body = "GetItem", requests.get(data.draw, self.world, self.features, known)
            if chance(data.draw, 25):
                operation, body = sizes.read(data.draw, self.world, self.features, known)
            self.plain_step(operation, body)
        self.look(data, operation)

    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        """A write whose condition fails, and what it counts as: not as answered."""
        known = self.known(self.world)
        if known:
            self.plain_step("PutItem", {
                "TableName": self.world.reference, "Item": pick(data.draw, known),
                "ConditionExpression": "attribute_not_exists(#h)",
                "ExpressionAttributeNames": {"#h": self.world.hash[0]},
            })  # fmt: skip
            self.plain_step("cloudwatch:GetMetricStatistics", metrics.of_refused(data.draw, self.world))

    def look(self, data: st.DataObject, operation: str) -> None:
        """Mostly ask at once what was counted of an operation, or of what it must not be counted as."""
        if self.insights and chance(data.draw, 35):
            self.report(data)
        elif not chance(data.draw, 25):
            self.plain_step("cloudwatch:GetMetricStatistics", metrics.of_operation(data.draw, self.world, operation))

    @rule(data=st.data())
    def batch(self, data: st.DataObject) -> None:
        """A batch."""
        self.plain_step(*sizes.batch(data.draw, self.worlds, self.features, self.held()))

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        """GetMetricStatistics or GetMetricData."""
        if not chance(data.draw, 40):
            self.plain_step("cloudwatch:GetMetricStatistics", metrics.statistics(data.draw, self.world))
        else:
            self.plain_step("cloudwatch:GetMetricData", metrics.data(data.draw, self.world))

    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        """Figures are what this machine is about."""
        self.ask(data)

    @rule(data=st.data())
    def listed(self, data: st.DataObject) -> None:
        """ListMetrics."""
        self.plain_step("cloudwatch:ListMetrics", metrics.listing(data.draw, self.world))

    @rule(data=st.data())
    def report(self, data: st.DataObject) -> None:
        """Which keys were asked for most."""
        if not self.insights and chance(data.draw, 50):
            self.watch(data)
        if self.insights:
            asked = pick(data.draw, self.insights) if not chance(data.draw, 4) else "none-such"
            self.plain_step("cloudwatch:GetInsightRuleReport", metrics.report(data.draw, asked))
