"""For other projects' tests: functions that an endpoint's streams call, as Lambda's event source mappings do it.

from conformance.functions import triggers_at

def test_my_handler(url):
    triggers = triggers_at(url)
    triggers.connect(stream_arn, my_handler, batch_size=10, retries=2)
    …
    triggers.settle()
"""

from __future__ import annotations

from typing import Any

import orjson
import urllib3

from conformance.targets.transport import HttpTransport
from reference.clock import Clock
from reference.server import WallClock
from reference.triggers import Triggers

_PATH = "/_dynoracle/clock"


class ServedClock:
    """The clock of an endpoint that was served with ``--clock manual``."""

    def __init__(self, endpoint: str) -> None:
        self._url = endpoint.rstrip("/") + _PATH
        self._http = urllib3.PoolManager()

    def now(self) -> float:
        """The present moment there, epoch seconds."""
        return float(self._ask("GET")["now"])

    def set(self, now: float) -> None:
        """Move on to ``now``."""
        self._ask("POST", {"set": now})

    def driven(self) -> bool:
        """Whether there is such a clock, and it can be moved on."""
        try:
            return bool(self._ask("GET").get("clock") == "manual")
        except (urllib3.exceptions.HTTPError, ValueError):
            return False

    def _ask(self, method: str, asked: dict[str, float] | None = None) -> dict[str, Any]:
        body = orjson.dumps(asked) if asked is not None else None
        answer = self._http.request(method, self._url, body=body, timeout=10.0, retries=False)
        told = orjson.loads(answer.data)
        if answer.status != 200 or not isinstance(told, dict):
            raise ValueError(f"{self._url}: {told}")
        return told


def triggers_at(endpoint: str, *, delay: float = 0.0) -> Triggers:
    """Event source mappings over the streams of an endpoint, as ``reference.triggers`` has them.

    Their time is the endpoint's where it can be driven (``dynoracle serve --clock manual``), else that of the wall.
    ``delay`` is how many seconds a mapping takes to change its state.
    """
    served = ServedClock(endpoint)
    clock: Clock = served if served.driven() else WallClock()
    return Triggers(HttpTransport(endpoint).send, clock, delay=delay)
