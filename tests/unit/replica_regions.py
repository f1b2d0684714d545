"""A customer with a table in several regions, for tests of its replicas."""

from __future__ import annotations

from typing import Any

from reference.account import Account, Delays
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.replicas.world import Link, World
from reference.service import Service

HOME, AWAY, FAR = "us-east-1", "eu-west-1", "us-west-2"
TABLE = {
    "TableName": "tab",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


class Regions:
    """A customer with a table in one region, and what is asked in each."""

    def __init__(self, *, lag: float = 0.0, delays: Delays | None = None, strong_lag: float = 0.0) -> None:
        self.clock = ManualClock(1_800_000_000.0)
        self.world = World(Account(self.clock, delays=delays), link=Link(lag), strong_lag=strong_lag)
        self.does("CreateTable", **TABLE)

    def ask(self, operation: str, region: str = HOME, **body: Any) -> Success | Refusal:
        answer = Service(self.world.account(region)).execute(Call(operation, body))
        assert isinstance(answer, Success | Refusal)
        return answer

    def does(self, operation: str, region: str = HOME, **body: Any) -> Any:
        answer = self.ask(operation, region, **body)
        assert isinstance(answer, Success), answer
        return answer.body

    def refuses(self, operation: str, region: str = HOME, **body: Any) -> tuple[str, str | None]:
        answer = self.ask(operation, region, **body)
        assert isinstance(answer, Refusal), answer
        return answer.code, answer.message

    def change(self, *updates: Any, region: str = HOME, **more: Any) -> Any:
        return self.does("UpdateTable", region, TableName="tab", ReplicaUpdates=list(updates), **more)

    def join(self, *regions: str) -> None:
        for region in regions:
            self.change({"Create": {"RegionName": region}})
            self.clock.advance(1)
            self.table()

    def put(self, value: str, region: str = HOME, key: str = "a", **more: Any) -> None:
        self.does("PutItem", region, TableName="tab", Item={"pk": {"S": key}, "v": {"S": value}, **more})

    def get(self, region: str = HOME, key: str = "a") -> str | None:
        body = self.does("GetItem", region, TableName="tab", Key={"pk": {"S": key}}, ConsistentRead=True)
        return body["Item"]["v"]["S"] if "Item" in body else None

    def table(self, region: str = HOME) -> Any:
        return self.does("DescribeTable", region, TableName="tab")["Table"]

    def records(self, region: str) -> list[Any]:
        arn = self.table(region)["LatestStreamArn"]
        found = []
        for shard in self.does("DescribeStream", region, StreamArn=arn)["StreamDescription"]["Shards"]:
            at = self.does("GetShardIterator", region, StreamArn=arn, ShardId=shard["ShardId"],
                           ShardIteratorType="TRIM_HORIZON")["ShardIterator"]  # fmt: skip
            found += self.does("GetRecords", region, ShardIterator=at)["Records"]
        return found
