"""Tables that serve little, calls that ask for more than that, and changes of what is provided."""

from __future__ import annotations

from typing import Any

from conformance.strategies.draws import Draw, chance, number, pick
from conformance.strategies.schemas import TableWorld
from reference.tables.settings import Throughput
from reference.tables.table import Table

Body = dict[str, Any]
LITTLE = ((50, 1), (50, 1), (40, 2), (40, 5), (2, 40), (1, 1), (5, 5))
"""Units a second that a table or index is given, reads and writes: mostly enough to read what was written."""
MAXIMA = (1, 2, 5, 40)
BEYOND = 40_001
"""One unit more than a table may have."""


def units(read: int, write: int) -> Body:
    """Provisioned throughput."""
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


def table(draw: Draw, world: TableWorld) -> Body:
    """CreateTable of a table that serves little: by what is provided, or by a maximum on demand."""
    body = world.create()
    if world.given is not None:
        return body
    if world.on_demand:
        return body | ({"OnDemandThroughput": maxima(draw)} if chance(draw, 70) else {})
    body["ProvisionedThroughput"] = units(*pick(draw, LITTLE))
    for index in body.get("GlobalSecondaryIndexes", ()):
        index["ProvisionedThroughput"] = units(*pick(draw, LITTLE))
    return body


def maxima(draw: Draw, *, anew: bool = True) -> Body:
    """Maximum request units, of both kinds or one; mostly of one where they are changed and not ``anew``."""
    both, one = ("Read", "Write"), pick(draw, ("Write", "Read"))
    kinds = both if chance(draw, 60 if anew else 20) else (one,)
    return {f"Max{kind}RequestUnits": pick(draw, MAXIMA) for kind in kinds}


def _other(draw: Draw, held: Throughput) -> Body:
    """Other units than are held: more or fewer of one kind or of both, seldom the same, none, or too many."""
    read, write = held.read_units, held.write_units
    if chance(draw, 10):
        return pick(draw, (units(read, write), units(read, 0), units(BEYOND, write), units(read, BEYOND)))
    if chance(draw, 45):
        return units(max(1, read - number(draw, 0, 1)), max(1, write - 1))
    return units(read + number(draw, 0, 2), max(1, write + pick(draw, (1, 1, 3, -1))))


def change(draw: Draw, world: TableWorld, held: Table) -> Body:
    """UpdateTable of the throughput of a table, of one of its global indexes, or of both."""
    body: Body = {"TableName": world.reference}
    indexes = [index for index in held.indexes.values() if index.schema.kind == "GSI"]
    of_index = bool(indexes) and chance(draw, 45)
    if of_index:
        index = pick(draw, indexes)
        updated = {"IndexName": index.schema.name, "ProvisionedThroughput": _other(draw, index.settings)}
        if chance(draw, 4):
            updated["IndexName"] = "absent"
        body["GlobalSecondaryIndexUpdates"] = [{"Update": updated}]
    if not of_index or chance(draw, 20):
        body["ProvisionedThroughput"] = _other(draw, held.settings)
    return body


def lowered(world: TableWorld, read: int, write: int, index: str = "") -> Body:
    """UpdateTable to so many units of the table or of an index."""
    given = units(read, write)
    if index:
        return {
            "TableName": world.reference,
            "GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": index, "ProvisionedThroughput": given}}],
        }
    return {"TableName": world.reference, "ProvisionedThroughput": given}


def switch(draw: Draw, world: TableWorld, held: Table) -> Body:
    """UpdateTable to the other billing mode, mostly with all that this takes."""
    body: Body = {"TableName": world.reference}
    if not held.settings.on_demand:
        body["BillingMode"] = "PAY_PER_REQUEST"
        if chance(draw, 15):
            body["OnDemandThroughput"] = maxima(draw)
        if chance(draw, 5):
            body["ProvisionedThroughput"] = units(1, 1)
        return body
    body["BillingMode"] = "PROVISIONED"
    if not chance(draw, 8):
        body["ProvisionedThroughput"] = units(*pick(draw, LITTLE))
    names = [index.schema.name for index in held.indexes.values() if index.schema.kind == "GSI"]
    given = names[: len(names) - chance(draw, 25)]
    if given:
        body["GlobalSecondaryIndexUpdates"] = [
            {"Update": {"IndexName": name, "ProvisionedThroughput": units(*pick(draw, LITTLE))}} for name in given
        ]
    return body


def limits(draw: Draw, world: TableWorld) -> Body:
    """UpdateTable of maximum request units: set, changed, lifted, or out of bounds."""
    given = maxima(draw, anew=False)
    if chance(draw, 25):
        given[pick(draw, sorted(given))] = pick(draw, (-1, -1, 0, -2, BEYOND))
    return {"TableName": world.reference, "OnDemandThroughput": given}


def warmer(draw: Draw, world: TableWorld, held: Throughput) -> Body:
    """UpdateTable of warm throughput, a little higher or, which cannot be, lower."""
    more = pick(draw, (0, 100, 1000, -1))
    warm = {"ReadUnitsPerSecond": held.warm_read + more, "WriteUnitsPerSecond": max(1, held.warm_write + more)}
    if chance(draw, 30):
        warm.pop(pick(draw, sorted(warm)))
    return {"TableName": world.reference, "WarmThroughput": warm}
