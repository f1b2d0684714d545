"""Functions that streams call, and how tests connect them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reference.service import Service
from reference.streams.shards import Sharding
from reference.triggers import EventSourceMapping, Triggers
from tests.unit.stream_tables import ARN, made, put

FUNCTION = "arn:aws:lambda:us-east-1:400000000004:function:seen"


class Function:
    """Keeps the events it gets and answers as it is told."""

    def __init__(self, answer: Callable[[list[str]], Any] = lambda ids: None) -> None:
        self.events: list[dict[str, Any]] = []
        self.answer = answer

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        self.events.append(event)
        return self.answer(ids(event))

    @property
    def batches(self) -> list[list[str]]:
        return [ids(event) for event in self.events]


def ids(event: dict[str, Any]) -> list[str]:
    return [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]


def on(service: Service) -> Triggers:
    return Triggers(service.execute, service.account.clock)


def connected(
    function: Callable[..., Any], *written: str, sharding: Sharding | None = None, **settings: Any
) -> tuple[Service, Triggers, EventSourceMapping]:
    service = made(sharding=sharding)
    triggers = on(service)
    mapping = triggers.connect(ARN, function, name="seen", **settings)
    for id in written:
        put(service, id=id)
    return service, triggers, mapping
