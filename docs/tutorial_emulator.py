"""A small emulator with one bug, for docs/tutorial.md: the reference behind a shortcut that looks harmless."""

from __future__ import annotations

import sys

from reference.account import Account
from reference.api import Call, Reply, Success
from reference.server import WallClock, serve_forever
from reference.service import Service


class Emulator(Service):
    """Deletes what is there; where nothing is, there is nothing to do."""

    def execute(self, call: Call) -> Reply:
        """Answer one call."""
        if call.operation == "DeleteItem" and not self._finds(call):
            return Success({})
        return super().execute(call)

    def _finds(self, call: Call) -> bool:
        key = {name: call.body[name] for name in ("TableName", "Key") if name in call.body}
        found = super().execute(Call("GetItem", key))
        return not isinstance(found, Success) or "Item" in found.body


if __name__ == "__main__":
    port = int(sys.argv[1])
    service = Emulator(Account(WallClock()))
    serve_forever(service, host="127.0.0.1", port=port, ready=lambda url: sys.stdout.write(f"{url}\n"))
