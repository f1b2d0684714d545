"""What a change of a table or a policy does may show late: for a while after its answer what was before may be told.

How long is the latitude's ``state_lag``, for policies its ``staleness``, counted from the answer; a change whose answer
was lost may begin at any time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from conformance.oracle.compare import Difference
from conformance.oracle.latitude import Latitude
from conformance.oracle.sightings import ROOM, Sightings, sightings
from reference.api import Call
from reference.rules import Violation
from reference.service import Service
from reference.tables.table import Table

COMING = frozenset({
    "WarmThroughput", "TableClassSummary", "SSEDescription", "LastUpdateToPayPerRequestDateTime",
})  # fmt: skip
"""Members of descriptions that show what was before until a change is done."""
_POLICIES = frozenset({"PutResourcePolicy", "DeleteResourcePolicy"})
HELD_AGAINST_WHAT_WAS = frozenset({"tables.warm-decrease"})
"""Rules that compare a request with what is there until the change before it is done."""


def begin(service: Service, call: Call, *, surely: bool = True) -> None:
    """A call has changed its table or a policy, or may yet do so."""
    table = table_of(service, call) if call.operation == "UpdateTable" else None
    name = _policy_of(call) if call.operation in _POLICIES else None if table is None else table.id
    if name is not None:
        changed = sightings(service.account).changed
        changed[name] = max(changed.get(name, 0.0), service.account.now() if surely else math.inf)


def waits(service: Service, call: Call, latitude: Latitude) -> bool:
    """Whether the table that a call names may still be on its way to what an update before it made of it."""
    table = table_of(service, call)
    return table is not None and _changes(service, table.id, latitude.state_lag, latitude)


def outdated(service: Service, call: Call, latitude: Latitude) -> str:
    """Why an answer may tell of a policy as it was before; empty where it may not (beyond:POL-3)."""
    name = _policy_of(call) if call.operation == "GetResourcePolicy" else None
    late = name is not None and _changes(service, name, latitude.staleness, latitude)
    return "what a change made of the policy may not be shown yet" if late else ""


def _changes(service: Service, name: str, lag: float, latitude: Latitude) -> bool:
    seen = service.account.rooms.get(ROOM)
    if lag <= 0 or not isinstance(seen, Sightings) or name not in seen.changed:
        return False
    return service.account.now() - seen.changed[name] <= lag + latitude.skew


def _policy_of(call: Call) -> str | None:
    """The resource whose policy a call is about, as what changes."""
    arn = call.body.get("ResourceArn") if isinstance(call.body, dict) else None
    return f"policy of {arn}" if isinstance(arn, str) else None


def settled(found: list[Difference]) -> list[Difference]:
    """The differences that no change on its way explains."""
    return [difference for difference in found if not COMING.intersection(difference.path)]


def explains(service: Service, call: Call, broken: Sequence[Violation], latitude: Latitude) -> str:
    """Why an accepted request may be in order for now; empty where it is not."""
    first = broken[0].rule.name
    if first not in HELD_AGAINST_WHAT_WAS or not waits(service, call, latitude):
        return ""
    return f"what {first} compares with may still be on its way"


def taken_back(service: Service, call: Call, latitude: Latitude) -> bool:
    """Whether a request may take back a switch to provisioned billing that is on its way, and so do nothing."""
    if call.operation != "UpdateTable" or call.body.get("BillingMode") != "PAY_PER_REQUEST":
        return False
    table = table_of(service, call)
    return table is not None and not table.settings.on_demand and waits(service, call, latitude)


def table_of(service: Service, call: Call) -> Table | None:
    """The table that a call names."""
    name = call.body.get("TableName") if isinstance(call.body, dict) else None
    return service.account.any_table(name) if isinstance(name, str) else None
