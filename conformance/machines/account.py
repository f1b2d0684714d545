"""Machine of an account's own operations: tags, policies, limits, insights and Kinesis destinations."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from conformance.machines.base import ProgramMachine
from conformance.strategies import requests, settings
from conformance.strategies.draws import chance, number, pick
from conformance.strategies.planes import reply
from conformance.strategies.schemas import TableWorld
from reference.api import Json


class AccountMachine(ProgramMachine):
    """Settings are put, read and taken away; the table's items have nothing to do with them."""

    capability = "account"
    odd_names = False

    def create_body(self, data: st.DataObject, world: TableWorld) -> Json:
        """CreateTable, with tags at times."""
        body = world.create()
        if chance(data.draw, 20):
            body["Tags"] = [{"Key": "team", "Value": "x"}]
        return body

    @property
    def table(self) -> TableWorld:
        """The one table."""
        return self.worlds[0]

    @property
    def arn(self) -> str:
        """What stands for its ARN."""
        return reply(0, "TableDescription.TableArn")

    @rule(data=st.data())
    def tags(self, data: st.DataObject) -> None:
        """A tag is set, removed or looked at."""
        choice = number(data.draw, 0, 99)
        if choice < 45:
            self.plain_step("TagResource", settings.tag(data.draw, self.arn))
        elif choice < 65:
            self.plain_step("UntagResource", settings.untag(data.draw, self.arn))
        self.plain_step("ListTagsOfResource", {"ResourceArn": settings.resource(data.draw, self.arn)})

    @rule(data=st.data())
    def policies(self, data: st.DataObject) -> None:
        """A policy is put, read or deleted."""
        choice = number(data.draw, 0, 99)
        if choice < 45:
            self.plain_step("PutResourcePolicy", settings.policy(data.draw, self.arn))
        elif choice < 60:
            self.plain_step("DeleteResourcePolicy", {"ResourceArn": settings.resource(data.draw, self.arn)})
        self.plain_step("GetResourcePolicy", {"ResourceArn": self.arn})

    @rule(data=st.data())
    def insights(self, data: st.DataObject) -> None:
        """Contributor Insights."""
        choice = number(data.draw, 0, 99)
        if choice < 50:
            self.plain_step("UpdateContributorInsights", settings.insights(data.draw, self.table))
        if choice < 80:
            body: Json = {"TableName": self.table.reference}
            names = [index.name for index in self.table.indexes if index.kind == "GSI"]
            if names and chance(data.draw, 35):
                body["IndexName"] = pick(data.draw, names)
            self.plain_step("DescribeContributorInsights", body)
        else:
            self.plain_step("ListContributorInsights", {"TableName": self.table.reference})

    @rule(data=st.data())
    def destinations(self, data: st.DataObject) -> None:
        """Kinesis destinations."""
        if chance(data.draw, 65):
            operation, body = settings.destination(data.draw, self.table)
            self.plain_step(operation, body)
        self.plain_step("DescribeKinesisStreamingDestination", {"TableName": self.table.reference})

    @rule(data=st.data())
    def asked(self, data: st.DataObject) -> None:
        """Limits, endpoints, or an item and what is told of the table."""
        choice = number(data.draw, 0, 99)
        if choice < 25:
            self.plain_step("DescribeLimits", {})
        elif choice < 45:
            self.plain_step("DescribeEndpoints", {})
        elif choice < 70:
            self.plain_step("DescribeTable", {"TableName": settings.table_name(data.draw, self.table, self.arn)})
        else:
            known = self.known(self.table)
            self.plain_step("PutItem", requests.put(data.draw, self.table, self.features, known))
