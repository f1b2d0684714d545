"""The four operations on a table's Kinesis destinations (beyond:KDS-1 to KDS-4, KDS-8): their states.

What goes to them is in ``reference.streams.kinesis``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reference.account import Account
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.tables import known_table
from reference.rules import Checks, violation
from reference.tables.settings import Destination
from reference.tables.table import Table

DEFAULT = "MILLISECOND"
_OVER = ("DISABLED", "ENABLE_FAILED")


def enable_destination(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """EnableKinesisStreamingDestination: the stream itself is looked for later (beyond:KDS-8)."""
    if not complete("EnableKinesisStreamingDestination", body):
        return None
    table = yield from known_table(context, body)
    if table is None:
        return None
    arn, configuration = body["StreamArn"], body.get("EnableKinesisStreamingConfiguration") or {}
    if any(held.status not in _OVER for held in table.settings.destinations):
        yield violation("streams.kinesis-enable-state")
    before = _held(table, arn) or Destination(arn, "DISABLED")
    precision = configuration.get("ApproximateCreationDateTimePrecision")
    made = replace(before, status="ENABLING", precision=precision, description=None)
    answer = _answer(table, made) | {"EnableKinesisStreamingConfiguration": configuration}
    return Outcome(answer, effects=(_become(context, table, made),), rules=("streams.kinesis-answer",))


def disable_destination(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DisableKinesisStreamingDestination."""
    if not complete("DisableKinesisStreamingDestination", body):
        return None
    if body.get("EnableKinesisStreamingConfiguration"):
        yield violation("streams.kinesis-disable-configuration")
    table = yield from known_table(context, body)
    if table is None:
        return None
    held = _held(table, body["StreamArn"])
    # While it is being disabled it can be asked for again.
    if held is None or held.status not in ("ACTIVE", "DISABLING") or table.status == "DELETING":
        yield violation("streams.kinesis-disable-state")
        return None
    made = replace(held, status="DISABLING")
    return Outcome(_answer(table, made), effects=(_become(context, table, made),), rules=("streams.kinesis-answer",))


def update_destination(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """UpdateKinesisStreamingDestination: another precision than before."""
    if not complete("UpdateKinesisStreamingDestination", body):
        return None
    configuration = body.get("UpdateKinesisStreamingConfiguration") or {}
    precision = configuration.get("ApproximateCreationDateTimePrecision")
    if precision is None:
        yield violation("streams.kinesis-no-configuration")
    table = yield from known_table(context, body)
    if table is None:
        return None
    arn = body["StreamArn"]
    held = _held(table, arn)
    if held is None:
        yield violation("streams.kinesis-unknown", arn=arn, table=table.name)
        return None
    if held.status != "ACTIVE":
        yield violation("streams.kinesis-update-state", arn=arn, table=table.name)
    if precision == (held.precision or DEFAULT):
        yield violation("streams.kinesis-same-precision", precision=precision, table_id=table.id, arn=arn)
    made = replace(held, status="UPDATING", precision=precision)
    answer = _answer(table, made) | {"UpdateKinesisStreamingConfiguration": configuration}
    return Outcome(answer, effects=(_become(context, table, made),), rules=("streams.kinesis-answer",))


def describe_destinations(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeKinesisStreamingDestination: also those that were disabled or failed, the latest first."""
    table = yield from known_table(context, body)
    if table is None:
        return None
    told = [_described(held) for held in table.settings.destinations]
    answer = {"TableName": table.name, "KinesisDataStreamDestinations": told}
    return Outcome(answer, rules=("streams.kinesis-answer",))


def _described(held: Destination) -> dict[str, Any]:
    told = {"StreamArn": held.arn, "DestinationStatus": held.status}
    if held.description is not None:
        told["DestinationStatusDescription"] = held.description
    if held.precision is not None:
        told["ApproximateCreationDateTimePrecision"] = held.precision
    return told


def _held(table: Table, arn: str) -> Destination | None:
    return next((each for each in table.settings.destinations if each.arn == arn), None)


def _answer(table: Table, made: Destination) -> dict[str, Any]:
    return {"TableName": table.name, "StreamArn": made.arn, "DestinationStatus": made.status}


def _become(context: Context, table: Table, made: Destination) -> Any:
    name, now = table.name, context.now()

    def effect(account: Account) -> None:
        changed = account.tables[name]
        others: Iterable[Destination] = (each for each in changed.settings.destinations if each.arn != made.arn)
        changed.settings.destinations = (made, *others)
        account.agenda.add(now + account.delays.update_table, "destination-settled", name, changed.id, made.arn)

    return effect


OPERATIONS: dict[str, Operation] = {
    "EnableKinesisStreamingDestination": enable_destination,
    "DisableKinesisStreamingDestination": disable_destination,
    "UpdateKinesisStreamingDestination": update_destination,
    "DescribeKinesisStreamingDestination": describe_destinations,
}
