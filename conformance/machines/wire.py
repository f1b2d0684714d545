"""Machine of the wire: what a client could send that no SDK would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from conformance.machines.data import Fills
from conformance.strategies import requests, wire
from conformance.strategies.draws import Draw, pick

_MAKERS: dict[str, Callable[..., Any]] = {
    "PutItem": requests.put,
    "UpdateItem": requests.update,
    "DeleteItem": requests.delete,
    "GetItem": requests.get,
    "Query": requests.query,
    "Scan": requests.scan,
}


class WireMachine(Fills):
    """Wrong JSON types at any place, broken JSON, odd headers and targets."""

    capability = "wire"

    def _valid(self, draw: Draw) -> tuple[str, Any]:
        operation = pick(draw, list(_MAKERS))
        world = pick(draw, self.worlds)
        return operation, _MAKERS[operation](draw, world, self.features, self.known(world))

    @rule(data=st.data())
    def mistype(self, data: st.DataObject) -> None:
        """One value of another JSON type, anywhere in the body."""
        operation, body = self._valid(data.draw)
        changed = wire.mistyped(data.draw, body)
        self.plain_step(operation, changed if isinstance(changed, dict) else body)

    @rule(data=st.data())
    def raw(self, data: st.DataObject) -> None:
        """Other bytes or headers."""
        operation, body = self._valid(data.draw)
        self.raw_step(operation, body, wire.raw(data.draw, body))
