"""``dynoracle clean``: what a run left on an endpoint it did not start goes, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.record.codec import RecordError
from conformance.record.journal import Journal
from conformance.targets.ledger import ledgers, left
from conformance.targets.target import Access, Target, open_target
from reference.api import Call, Refusal, Success

BUSY_SECONDS = 120.0
"""How long to try to delete a table that is being created or updated."""
PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of one table: ``deleted``, ``was gone``, or why it is still there."""

    name: str
    state: str

    @property
    def there(self) -> bool:
        """Whether it may still be there."""
        return self.state not in ("deleted", "was gone")


def clean(run: Path, access: Access, busy_seconds: float = BUSY_SECONDS) -> Iterator[Cleaned]:
    """Delete the tables that a run's ledgers list; RecordError for no ledger, TargetError for no way in."""
    found = list(ledgers(run))
    if not found:
        raise RecordError(f"{run}: lists no tables: it is no run on an endpoint that was there before it")
    for path in found:
        place, names = left(path)
        if not names:
            continue
        given = replace(access, region=access.region or place.region, ledger=None)
        with open_target(place.endpoint, access=given) as target, Journal(path) as ledger:
            deadline = time.monotonic() + busy_seconds
            for name in names:
                cleaned = Cleaned(name, _delete(target, name, deadline))
                if not cleaned.there:
                    ledger.append("gone", table=name)
                yield cleaned


def _delete(target: Target, name: str, deadline: float) -> str:
    while True:
        reply = target.transport.send(Call("DeleteTable", {"TableName": name}))
        if isinstance(reply, Success):
            return "deleted"
        if not isinstance(reply, Refusal):
            return f"no answer: {reply.why}"
        if reply.code == "ResourceNotFoundException":
            return "was gone"
        if "protected" in (reply.message or ""):
            target.transport.send(Call("UpdateTable", {"TableName": name, "DeletionProtectionEnabled": False}))
        elif reply.code != "ResourceInUseException":
            return f"{reply.code}: {reply.message}"
        if time.monotonic() > deadline:
            return f"{reply.code}: {reply.message}"
        time.sleep(PAUSE)
