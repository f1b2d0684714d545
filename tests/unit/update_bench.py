"""A service with one table, for tests of UpdateTable, and what its requests are made of."""

from __future__ import annotations

from typing import Any

from reference.account import Account, Delays
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.service import Service
from reference.tables.limits import Limits

IPV = "One or more parameter values were invalid: "
USED = "Attempt to change a resource which is still in use: "
START = 1_800_000_000.0
STREAM = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
CLASS = "STANDARD_INFREQUENT_ACCESS"


def key(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": n, "KeyType": t} for n, t in zip(names, ("HASH", "RANGE"), strict=False)]


def defined(*pairs: str) -> list[dict[str, str]]:
    """Attribute definitions from ``name/TYPE`` pairs."""
    return [dict(zip(("AttributeName", "AttributeType"), pair.split("/"), strict=True)) for pair in pairs]


def units(read: int, write: int) -> dict[str, int]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def create(name: str, *names: str, **more: Any) -> dict[str, Any]:
    projection = {"ProjectionType": "ALL"}
    return {"Create": {"IndexName": name, "KeySchema": key(*names), "Projection": projection, **more}}


def delete(name: str) -> dict[str, Any]:
    return {"Delete": {"IndexName": name}}


def change(name: str, **more: Any) -> dict[str, Any]:
    return {"Update": {"IndexName": name, **more}}


class Bench:
    """A service with one table, ``tab``, keyed by ``pk`` (S)."""

    def __init__(self, *, on_demand: bool = True, delays: Delays | None = None, limits: Limits | None = None) -> None:
        self.clock = ManualClock(START)
        self.service = Service(Account(self.clock, delays=delays, limits=limits))
        billing = (
            {"BillingMode": "PAY_PER_REQUEST"}
            if on_demand
            else {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5, 5)}
        )
        self.call("CreateTable", TableName="tab", KeySchema=key("pk"), AttributeDefinitions=defined("pk/S"), **billing)

    def call(self, operation: str, **body: Any) -> Any:
        answer = self.service.execute(Call(operation, body))
        assert isinstance(answer, Success), answer
        return answer.body

    def update(self, **body: Any) -> Any:
        return self.call("UpdateTable", TableName="tab", **body)["TableDescription"]

    def described(self) -> Any:
        return self.call("DescribeTable", TableName="tab")["Table"]

    def refused(self, operation: str = "UpdateTable", **body: Any) -> tuple[str, str | None]:
        answer = self.service.execute(Call(operation, {"TableName": "tab", **body}))
        assert isinstance(answer, Refusal), answer
        return answer.code, answer.message

    def message(self, **body: Any) -> str | None:
        code, message = self.refused(**body)
        assert code == "ValidationException"
        return message
