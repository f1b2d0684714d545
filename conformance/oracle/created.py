"""Items that a target seems to have made where a write must make none, as a later condition shows."""

from __future__ import annotations

from dataclasses import replace

from conformance.oracle.divergence import Divergence
from conformance.oracle.writers import CREATES_NOTHING, Writers, absent, parts, row_of
from reference.api import Call, Refusal
from reference.service import Service

_FAILED = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})


def blamed(service: Service, call: Call, found: Divergence, writers: Writers) -> Divergence:
    """The divergence of a condition, put down to the write that made its item where that alone explains the answer."""
    expected = found.expected.code if isinstance(found.expected, Refusal) else None
    observed = found.observed.code if isinstance(found.observed, Refusal) else None
    if not _FAILED & {expected, observed} or expected == observed:
        return found
    there, maker = service.fork(), None
    for part in parts(call):
        name, named = part.get("TableName"), part.get("Item") or part.get("Key")
        table = service.account.table(name) if isinstance(name, str) and isinstance(named, dict) else None
        row = None if table is None else row_of(service, table.name, named or {})
        if table is None or row is None or named is None or not absent(service, table.name, row):
            continue
        write = writers.idle(table.name, row)
        if write is not None:
            key = {attribute: named[attribute] for attribute in table.key.names}
            there.install(table.name, key, key)
            maker = maker or write
    if maker is None:
        return found
    fails = any(violation.rule.error in _FAILED for violation in there.outcomes(call).violations)
    if fails != (observed in _FAILED):
        return found
    return replace(found, operation=maker.operation, rule=CREATES_NOTHING, severity="data", path="item:created")
