"""What a call leaves in the metrics, and what is sampled every five minutes (beyond:MET-1 to MET-3)."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reference.account import Account
from reference.api import Call, Refusal, Reply, Success
from reference.capacity.meter import Throttle
from reference.capacity.uses import Use
from reference.metrics.store import Metrics, Rule, dimensions
from reference.tables.insights import rules_of
from reference.tables.table import Table
from reference.tables.view import RowKey

LATENCY = 1.0
"""Milliseconds that every request is said to take: the reference has no time of its own."""
SAMPLED = 300
"""Seconds between two samples of what is provisioned."""
THROTTLES = frozenset({"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"})
_LISTING = frozenset({"Query", "Scan", "ExecuteStatement"})
_CONDITION = "ConditionalCheckFailedException"


def record(
    metrics: Metrics, account: Account, call: Call, reply: Reply, uses: Sequence[Use], throttles: Sequence[Throttle]
) -> None:
    """Count one call of DynamoDB and what became of it."""
    now = account.now()
    for use in uses:
        _consumed(metrics, use, now)
    _contribute(metrics, account, uses, "C", now)
    for each in {(t.use.table, t.use.index, t.use.kind, t.limit, t.use.part): t for t in throttles}.values():
        of, kind = dimensions(TableName=each.use.table, GlobalSecondaryIndexName=each.use.index), each.use.kind
        metrics.add(f"{kind}ThrottleEvents", of, 1.0, now)
        metrics.add(f"{kind}{each.limit.removesuffix('Exceeded')}ThrottleEvents", of, 1.0, now)
    _contribute(metrics, account, [each.use for each in throttles], "T", now)
    names = sorted({*named(account, call), *(use.table for use in uses), *(t.use.table for t in throttles)})
    for name in names:
        of = dimensions(TableName=name, Operation=call.operation)
        if isinstance(reply, Success):
            metrics.add("SuccessfulRequestLatency", of, LATENCY, now)
            if call.operation in _LISTING and "Items" in reply.body:
                metrics.add("ReturnedItemCount", of, float(len(reply.body["Items"])), now)
        elif throttles and isinstance(reply, Refusal):
            metrics.add("ThrottledRequests", of, 1.0, now)
        elif isinstance(reply, Refusal) and reply.status >= 500:
            metrics.add("SystemErrors", of, 1.0, now)
        if isinstance(reply, Refusal) and _CONDITION in _codes(reply):
            metrics.add("ConditionalCheckFailedRequests", dimensions(TableName=name), 1.0, now)
    if isinstance(reply, Refusal) and reply.status < 500 and not throttles and reply.code != _CONDITION:
        metrics.add("UserErrors", (), 1.0, now)


def _codes(reply: Refusal) -> Iterator[str]:
    yield reply.code
    for reason in reply.fields.get("CancellationReasons", ()):
        if reason.get("Code") == "ConditionalCheckFailed":
            yield _CONDITION


def _consumed(metrics: Metrics, use: Use, now: float) -> None:
    of = dimensions(TableName=use.table, GlobalSecondaryIndexName=use.index)
    metrics.add(f"Consumed{use.kind}CapacityUnits", of, use.units, now)
    if use.kind == "Write":
        of = dimensions(TableName=use.table, GlobalSecondaryIndexName=use.index, Source="Customer")
        metrics.add("ConsumedWriteCapacityUnits", of, use.units, now)


def named(account: Account, call: Call) -> Iterator[str]:
    """The names of the existing tables that a call speaks of."""
    body: Any = call.body if isinstance(call.body, dict) else {}
    asked = body.get("RequestItems")
    for name in (body.get("TableName"), *(asked if isinstance(asked, dict) else ())):
        table = account.any_table(name) if isinstance(name, str) else None
        if table is not None:
            yield table.name


# Contributor Insights


def _contribute(metrics: Metrics, account: Account, uses: Iterable[Use], what: str, now: float) -> None:
    """Count accesses or throttles of keys: each once for a part of a call, however many of its rows are read."""
    found = {(rule, keys, use.part): None for use in uses for rule, keys in _contributions(account, use, what)}
    for rule, keys, _ in found:
        metrics.contribute(rule, keys, now)


def _contributions(account: Account, use: Use, what: str) -> Iterator[tuple[Rule, tuple[str, ...]]]:
    """What a use adds to the rules of a table or index whose Contributor Insights are on (beyond:CI-1)."""
    table = account.tables.get(use.table)
    held = None if table is None else table.settings.insights.get(use.index)
    if table is None or held is None or held.status not in ("ENABLED", "ENABLING") or not use.row:
        return
    if what == "C" and held.mode != "ACCESSED_AND_THROTTLED_KEYS":
        return
    partition, sort = keys_of(table, use.index, use.row)
    yield (use.table, use.index, f"PK{what}"), partition
    if sort:
        yield (use.table, use.index, f"SK{what}"), partition + sort


def keys_of(table: Table, index: str, row: RowKey) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The partition key and sort key values of a row, as text."""
    key = table.indexes[index].schema.key if index and index in table.indexes else table.key
    hashed, ranged = len(key.hash), len(key.range)
    values = [_text(part) for part in row[1 : 1 + hashed + ranged]]
    return tuple(values[:hashed]), tuple(values[hashed : hashed + ranged])


def _text(part: object) -> str:
    return base64.b64encode(part).decode("ascii") if isinstance(part, bytes) else str(part)


def rule_of(account: Account, name: str) -> Rule | None:
    """The table, index and kind that a Contributor Insights rule is about; None where there is no such rule."""
    for table in account.tables.values():
        for index, held in table.settings.insights.items():
            if held.status in ("ENABLED", "ENABLING") and name in rules_of(table, index, held):
                return table.name, index, name.split("-")[1]
    return None


# Samples


def sample(metrics: Metrics, account: Account, moments: Iterable[float]) -> None:
    """Note what is provisioned and what the account's limits leave, at each moment."""
    taken = list(_provisioned(account))
    for at in moments:
        for metric, of, value in taken:
            metrics.add(metric, of, value, at)


def _provisioned(account: Account) -> Iterator[tuple[str, tuple[tuple[str, str], ...], float]]:
    most, limits = (0.0, 0.0), account.limits
    for table in account.tables.values():
        held = [("", table.settings)]
        held += [(name, index.settings) for name, index in table.indexes.items() if index.schema.kind == "GSI"]
        for name, settings in held:
            of = dimensions(TableName=table.name, GlobalSecondaryIndexName=name)
            maxima = (settings.max_read_request_units, settings.max_write_request_units)
            for kind, maximum in zip(("Read", "Write"), maxima, strict=True):
                if maximum is not None and maximum > 0:
                    yield f"OnDemandMax{kind}RequestUnits", of, float(maximum)
            if not settings.on_demand:
                yield "ProvisionedReadCapacityUnits", of, float(settings.read_units)
                yield "ProvisionedWriteCapacityUnits", of, float(settings.write_units)
                most = (max(most[0], settings.read_units), max(most[1], settings.write_units))
    reserved = account.provisioned()
    for kind, reads, units, highest in zip(("Read", "Write"), ("Reads", "Writes"), reserved, most, strict=True):
        yield f"AccountMax{reads}", (), float(limits.account_units)
        yield f"AccountMaxTableLevel{reads}", (), float(limits.table_units)
        yield f"AccountProvisioned{kind}CapacityUtilization", (), 100.0 * units / limits.account_units
        yield f"MaxProvisionedTable{kind}CapacityUtilization", (), 100.0 * highest / limits.table_units
