"""Tables, traffic and clocks for the tests of throttling."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from reference.account import Account
from reference.api import Call, Refusal, Reply, Success
from reference.capacity.load import Load, Throttling
from reference.capacity.meter import Meter, meter_of
from reference.capacity.uses import ROOM
from reference.clock import ManualClock
from reference.service import Service


def table(
    *,
    units: tuple[int, int] | None = None,
    gsi: tuple[int, int] | None = None,
    local: bool = False,
    sort: str = "N",
) -> dict[str, Any]:
    """A CreateTable body: provisioned with these units, or else on demand; keyed by pk and sk."""
    names = {"pk": "S", "sk": sort}
    body: dict[str, Any] = {"TableName": "music", "KeySchema": keys("pk", "sk"), "BillingMode": "PAY_PER_REQUEST"}
    if units is not None:
        body |= {"BillingMode": "PROVISIONED", "ProvisionedThroughput": throughput(*units)}
    if gsi is not None:
        names["g"] = "S"
        index: dict[str, Any] = {"IndexName": "by-g", "KeySchema": keys("g"), "Projection": {"ProjectionType": "ALL"}}
        body["GlobalSecondaryIndexes"] = [index | ({"ProvisionedThroughput": throughput(*gsi)} if units else {})]
    if local:
        names["l"] = "S"
        index = {"IndexName": "by-l", "KeySchema": keys("pk", "l"), "Projection": {"ProjectionType": "ALL"}}
        body["LocalSecondaryIndexes"] = [index]
    body["AttributeDefinitions"] = [{"AttributeName": name, "AttributeType": kind} for name, kind in names.items()]
    return body


def keys(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(names, ("HASH", "RANGE"), strict=False)]


def throughput(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


@dataclass
class Shop:
    """A service with limited throughput, its clock and one table."""

    rules: Throttling | None = field(default_factory=Throttling)
    clock: ManualClock = field(default_factory=ManualClock)
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.account = Account(self.clock)
        self.service = Service(self.account)
        self.account.rooms[ROOM] = Meter(self.rules)
        assert isinstance(self.call("CreateTable", **table(**self.options)), Success)

    def call(self, operation: str, /, **body: Any) -> Reply:
        return self.service.execute(Call(operation, body))

    def put(self, pk: str, sk: int, size: int = 0, **more: Any) -> Reply:
        item = {"pk": {"S": pk}, "sk": {"N": str(sk)}, **more}
        if size:
            item["v"] = {"S": "x" * size}
        return self.call("PutItem", TableName="music", Item=item)

    def get(self, pk: str, sk: int, *, consistent: bool = True) -> Reply:
        key = {"pk": {"S": pk}, "sk": {"N": str(sk)}}
        return self.call("GetItem", TableName="music", Key=key, ConsistentRead=consistent)

    def load(self, index: str = "") -> Load:
        meter = meter_of(self.account)
        assert meter is not None
        load = meter.load(self.account, "music", index)
        assert load is not None
        return load

    def served(self, replies: Iterable[Reply]) -> int:
        return sum(isinstance(reply, Success) for reply in replies)


def reasons(reply: Reply) -> list[str]:
    """The reasons of a throttled answer."""
    assert isinstance(reply, Refusal), reply
    given = reply.fields.get("ThrottlingReasons") or reply.fields.get("throttlingReasons") or []
    return [each["reason"] for each in given]
