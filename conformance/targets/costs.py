"""What calls to AWS cost, by list prices, and a cap on it. An estimate, rather too high than too low."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reference.api import Call, Json, Reply, Success

WRITE_UNIT = 1.25e-6
"""USD for one write request unit, twice what the cheapest regions ask."""
READ_UNIT = 0.25e-6
STREAM_READ = 0.4e-6
READ_HOUR, WRITE_HOUR = 0.00026, 0.0013
"""USD for one unit of provisioned throughput in one hour."""
HOURS = 1.0
"""Hours for which provisioned throughput is counted when it is asked for."""
INDEXES = 4
"""How many indexes a write is counted for."""
CALLS_A_SECOND = 40.0
"""Calls that one worker makes to AWS, at most, for estimates before a run."""
AVERAGE = 6 * WRITE_UNIT
"""USD for one call of a drawn program, for the same."""

_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"})
_READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"})
_STATEMENTS = frozenset({"ExecuteStatement", "BatchExecuteStatement"})


def estimate(budget: float, workers: int) -> float:
    """What a run of so many seconds may cost in USD."""
    return budget * workers * CALLS_A_SECOND * AVERAGE


def price(call: Call, reply: Reply) -> float:
    """What one call costs in USD, at most by its size."""
    body: Mapping[str, Any] = call.body if isinstance(call.body, dict) else {}
    answer = reply.body if isinstance(reply, Success) else None
    operation = call.operation
    if operation in _WRITES:
        return _kilobytes(body) * (1 + INDEXES) * WRITE_UNIT
    if operation == "TransactWriteItems":
        return 2 * _kilobytes(body) * (1 + INDEXES) * WRITE_UNIT
    if operation in _READS:
        scanned = answer.get("ScannedCount", 0) if isinstance(answer, dict) else 0
        factor = 2 if operation == "TransactGetItems" else 1
        return factor * (_kilobytes(answer) + 2 * (scanned if isinstance(scanned, int) else 0)) * READ_UNIT
    if operation in _STATEMENTS or operation == "ExecuteTransaction":
        return 2 * (_kilobytes(body) * (1 + INDEXES) * WRITE_UNIT + _kilobytes(answer) * READ_UNIT)
    if operation == "GetRecords":
        return STREAM_READ
    if operation in ("CreateTable", "UpdateTable") and isinstance(reply, Success):
        return _provisioned(body)
    return 0.0


def _kilobytes(body: Json) -> int:
    return max(1, math.ceil(len(str(body)) / 1024))


def _provisioned(body: Mapping[str, Any]) -> float:
    """Throughput that is asked for, of a table and its indexes, for the hours it is counted for."""
    indexes = list(body.get("GlobalSecondaryIndexes") or [])
    updates = (part for change in body.get("GlobalSecondaryIndexUpdates") or [] for part in change.values())
    total = 0.0
    for held in (body, *indexes, *updates):
        units = held.get("ProvisionedThroughput") if isinstance(held, dict) else None
        if isinstance(units, dict):
            total += float(units.get("ReadCapacityUnits") or 0) * READ_HOUR
            total += float(units.get("WriteCapacityUnits") or 0) * WRITE_HOUR
    return total * HOURS


@dataclass(slots=True)
class Meter:
    """USD spent so far by estimate, and how much may be."""

    cap: float
    spent: float = 0.0

    @property
    def over(self) -> bool:
        """Whether no more may be spent."""
        return self.spent >= self.cap

    @property
    def far_over(self) -> bool:
        """Whether what was under way when the cap was reached has spent a good part more."""
        return self.spent >= 1.25 * self.cap

    def count(self, call: Call, reply: Reply) -> None:
        """Add the price of a call."""
        self.spent += price(call, reply)
