"""Items that a target seems to have made where a write must make none, as a later condition shows."""

from __future__ import annotations

from dataclasses import replace

from conformance.oracle.bodies import CREATES_NOTHING
from conformance.oracle.divergence import Divergence
from conformance.oracle.writers import Writers, absent, row_of
from reference.api import Call, Refusal
from reference.service import Service

_CONDITIONAL = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
_FAILED = "ConditionalCheckFailedException"


def blamed(service: Service, call: Call, found: Divergence, writers: Writers) -> Divergence:
    """The divergence of a condition, put down to the write that made its item where that alone explains the answer."""
    expected = found.expected.code if isinstance(found.expected, Refusal) else None
    observed = found.observed.code if isinstance(found.observed, Refusal) else None
    if call.operation not in _CONDITIONAL or _FAILED not in (expected, observed) or expected == observed:
        return found
    table = service.account.table(call.body["TableName"])
    named = call.body.get("Item") or call.body["Key"]
    row = None if table is None else row_of(service, table.name, named)
    if table is None or row is None or not absent(service, table.name, row):
        return found
    write = writers.idle(table.name, row)
    if write is None:
        return found
    key = {name: named[name] for name in table.key.names}
    there = service.fork()
    there.install(table.name, key, key)
    fails = any(violation.rule.error == _FAILED for violation in there.outcomes(call).violations)
    if fails != (observed == _FAILED):
        return found
    return replace(found, operation=write.operation, rule=CREATES_NOTHING, severity="data", path="item:created")
