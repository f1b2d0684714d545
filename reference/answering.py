"""Who answers a request: what the server asks, and what the services behind it are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from reference.api import Call, Reply
from reference.signature import Request
from reference.wire import Answer


class Answering(Protocol):
    """What the server serves: ``reference.service.Service`` or anything of its shape."""

    def execute(self, call: Call) -> Reply:
        """Answer one call."""

    def operations(self) -> Collection[str]:
        """The names of all operations that can be called."""


@dataclass(frozen=True, slots=True)
class Way:
    """Who answers a request, and for which region."""

    region: str
    service: Answering


class Routing(Protocol):
    """What finds out who answers a request, where there is more than one service (``reference.serving.Router``)."""

    def route(self, request: Request) -> Way | Answer:
        """Who answers and for which region; or the answer itself."""
