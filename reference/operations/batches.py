"""BatchGetItem and BatchWriteItem (dataplane:BATCH)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from reference.api import Item, Json
from reference.capacity.item_collections import metrics
from reference.capacity.units import Consumed, read_units, reports
from reference.capacity.uses import Use
from reference.expressions import legacy, request
from reference.expressions.projection import project
from reference.expressions.tree import Kind, Projection
from reference.operations.base import Context, Operation, Outcome
from reference.operations.items import limit_faults
from reference.operations.shared import goes_deep, item_of, key_path_faults, table_of, without_values
from reference.rules import Checks, violation
from reference.tables.keys import index_key_faults, key_of, lookup_key_faults, put_key_faults
from reference.tables.table import Change, Table
from reference.tables.view import Record
from reference.values.item import MAX_ITEM_BYTES, item_size

MAX_REPLY_BYTES = 16 * 1_048_576
"""Bytes of items that one BatchGetItem answers at most (dataplane:BATCH-1)."""

_READ: tuple[Kind, ...] = ("Projection",)


@dataclass(slots=True)
class _Part:
    """What a batch asks of one table; ``name`` is the name or ARN it is asked under."""

    name: str
    given: Any
    table: Table | None = None
    keys: list[Item | None] = field(default_factory=list)
    projection: Projection | None = None


def batch_get_item(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """BatchGetItem: constraints are checked before; then expressions, duplicates, tables, keys."""
    parts = [_Part(name, without_values(given or {})) for name, given in (body.get("RequestItems") or {}).items()]
    yield from request.batch_mixing([part.given for part in parts])
    for part in parts:
        yield from request.mixing(context.operation, part.given, _READ)
        part.keys = []
        for key in part.given.get("Keys") or ():
            part.keys.append((yield from item_of(context, {"Key": key}, "Key")))
    for part in parts:
        part.projection = yield from _projection(context, part.given)
    for part in parts:
        yield from _repeated(part)
    parts = _without_aliases(context, parts)
    if not (yield from _find_tables(context, parts)):
        return None
    sound = True
    for part in parts:
        sound &= yield from _lookups(part)
    return _read(context, parts, body) if sound else None


def _projection(context: Context, given: dict[str, Any]) -> Checks[Projection | None]:
    projection = yield from legacy.attributes_to_get(given)
    if given.get("ProjectionExpression") is None:
        return projection
    stand_for = yield from request.placeholders(context.operation, given, context.layer)
    expressions = yield from request.parse_all(given, _READ, stand_for)
    yield from request.unused(given, _READ, stand_for)
    return None if expressions is None else expressions.projection


def _without_aliases(context: Context, parts: Sequence[_Part]) -> list[_Part]:
    """Of parts that ask the same of one table, by its name and by its ARN, the last."""
    kept: dict[tuple[str, str], _Part] = {}
    for part in parts:
        table = context.account.table(part.name)
        kept[part.name if table is None else table.name, json.dumps(part.given, sort_keys=True)] = part
    return list(kept.values())


def _find_tables(context: Context, parts: Sequence[_Part]) -> Checks[bool]:
    missing = False
    for part in parts:
        table = context.account.table(part.name)
        if table is None and not missing:
            missing = True
            yield from table_of(context, part.name)
        part.table = table
    names = [part.table.name for part in parts if part.table is not None]
    if len(set(names)) < len(names):
        yield violation("batches.table-twice")
        return False
    return not missing


def _repeated(part: _Part) -> Checks[None]:
    """Keys that are written alike; two spellings of one number are not noticed (dataplane:BATCH-3)."""
    pairs = zip(part.given.get("Keys") or (), part.keys, strict=True)
    written = [json.dumps(key, sort_keys=True) for key, read in pairs if read is not None]
    if len(set(written)) < len(written):
        yield violation("batches.duplicate-keys")


def _lookups(part: _Part) -> Checks[bool]:
    assert part.table is not None
    sound = True
    for key in part.keys:
        faults = () if key is None else lookup_key_faults(part.table.key, key)
        yield from faults
        sound &= key is not None and not faults
    if goes_deep(part.given):
        yield from key_path_faults(part.table, part.projection)
    return sound


def _read(context: Context, parts: Sequence[_Part], body: dict[str, Any]) -> Outcome:
    answered: dict[str, list[Item]] = {}
    unprocessed: dict[str, Json] = {}
    consumed: list[Consumed] = []
    taken: dict[str, list[int]] = {}
    uses: list[Use] = []
    room = MAX_REPLY_BYTES
    for part in parts:
        reader = _Reader(part, room, metered=context.metered)
        left = reader.read({p for name, p in context.choice.unprocessed if name == part.name})
        room = reader.room
        answered[part.name] = reader.items
        taken[part.name] = reader.taken
        if left:
            unprocessed[part.name] = {**part.given, "Keys": left}
        if reader.taken:
            consumed.append(Consumed(part.name, reader.units))
        uses += reader.uses
    reply: dict[str, Any] = {"Responses": answered, "UnprocessedKeys": unprocessed}
    capacity = reports(consumed, body.get("ReturnConsumedCapacity"))
    rules: tuple[str, ...] = ("batches.read-result", "batches.read-duplicates", "keys.identity")
    if unprocessed:
        rules += ("batches.unprocessed",)
    if capacity is not None:
        reply["ConsumedCapacity"] = capacity
        rules += ("capacity.read-units", "capacity.shape")
    return Outcome(reply, rules=rules, details={"processed": taken}, uses=tuple(uses))


class _Reader:
    """Reads the items of one table, as far as there is room in the reply."""

    def __init__(self, part: _Part, room: int, *, metered: bool) -> None:
        self.part = part
        self.metered = metered
        self.room = room
        self.items: list[Item] = []
        self.units = 0.0
        self.taken: list[int] = []
        self.uses: list[Use] = []

    def read(self, skipped: set[int]) -> list[Json]:
        """Take what is not skipped and fits; gives the keys that are left, as they were written."""
        part = self.part
        assert part.table is not None
        show = None if part.projection is None else partial(project, part.projection.paths)
        consistent = bool(part.given.get("ConsistentRead"))
        left: list[Json] = []
        seen: set[Any] = set()
        for position, key in enumerate(part.keys):
            assert key is not None
            row = part.table.view.row_key(key)
            record = None if row is None else part.table.at(row)
            size = record.size if record is not None else 0
            if size > self.room:
                # The answer is full: what would fit is left as well.
                self.room = -1
            if position in skipped or size > self.room:
                left.append(part.given["Keys"][position])
                continue
            self.taken.append(position)
            if row in seen:
                continue
            seen.add(row)
            self.room -= size
            units = read_units(size, consistent=consistent)
            self.units += units
            if self.metered and row is not None:
                self.uses.append(Use(part.table.name, "", "Read", row, units, (part.name, position)))
            if record is not None:
                self.items.append(record.item if show is None else show(record.item))
        return left


@dataclass(slots=True)
class _Write:
    """One element of a BatchWriteItem: a put of ``item`` or, with ``item`` None, a delete of ``key``."""

    given: Json
    put: bool
    item: Item | None


def batch_write_item(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """BatchWriteItem: values and sizes of every element, tables, then keys and duplicates element by element."""
    parts = [_Part(name, given or []) for name, given in (body.get("RequestItems") or {}).items()]
    writes: dict[str, list[_Write]] = {}
    for part in parts:
        writes[part.name] = []
        for element in part.given:
            writes[part.name].append((yield from _element(context, element or {})))
    if not (yield from _find_tables(context, parts)):
        return None
    sound = True
    for part in parts:
        sound &= yield from _fits(part, writes[part.name])
    if not sound:
        return None
    plans = [(part, _plans(context, part, writes[part.name])) for part in parts]
    for part, plan in plans:
        for _, change in plan:
            assert part.table is not None
            yield from limit_faults(part.table, change)
    return _written(plans, writes, body)


def _element(context: Context, element: Mapping[str, Json]) -> Checks[_Write]:
    put = element.get("PutRequest")
    wanted, member = (put, "Item") if put is not None else (element.get("DeleteRequest") or {}, "Key")
    item = yield from item_of(context, wanted, member)
    if put is not None and item is not None and item_size(item) > MAX_ITEM_BYTES:
        yield violation("items.too-large")
    return _Write(element, put is not None, item)


def _fits(part: _Part, writes: Sequence[_Write]) -> Checks[bool]:
    """The keys of one table's elements; two elements of one key, compared as the table compares (BATCH-3)."""
    table = part.table
    assert table is not None
    sound = True
    repeated = False
    seen = set()
    for write in writes:
        item = write.item
        if item is None:
            sound = False
            continue
        faults = put_key_faults(table.key, item) if write.put else lookup_key_faults(table.key, item)
        yield from faults
        if write.put:
            yield from index_key_faults(table, item)
        row = table.view.row_key(item)
        if row is None or faults:
            sound = False
        elif row not in seen:
            seen.add(row)
        elif not repeated:
            repeated = True
            yield violation("batches.duplicate-keys")
    return sound and not repeated


def _plans(context: Context, part: _Part, writes: Sequence[_Write]) -> list[tuple[int, Change]]:
    assert part.table is not None
    skipped = {p for name, p in context.choice.unprocessed if name == part.name}
    found = []
    for position, write in enumerate(writes):
        if position in skipped or write.item is None:
            continue
        key = key_of(part.table.key, write.item)
        found.append((position, part.table.plan(key, Record.of(write.item) if write.put else None)))
    return found


def _written(
    plans: Sequence[tuple[_Part, list[tuple[int, Change]]]],
    writes: Mapping[str, Sequence[_Write]],
    body: dict[str, Any],
) -> Outcome:
    unprocessed: dict[str, Json] = {}
    consumed: list[Consumed] = []
    collections: dict[str, list[Json]] = {}
    changes: list[Change] = []
    for part, plan in plans:
        assert part.table is not None
        done = {position for position, _ in plan}
        left = [write.given for position, write in enumerate(writes[part.name]) if position not in done]
        if left:
            unprocessed[part.name] = left
        cost = Consumed(part.name)
        for _, change in plan:
            cost.write(part.table, change)
            changes.append(change)
        if plan:
            consumed.append(cost)
        measured = list(_collections(part.table, [change for _, change in plan], body))
        if measured:
            collections[part.name] = measured
    reply: dict[str, Any] = {"UnprocessedItems": unprocessed}
    rules: tuple[str, ...] = ("batches.write-result",)
    if unprocessed:
        rules += ("batches.unprocessed",)
    capacity = reports(consumed, body.get("ReturnConsumedCapacity"))
    if capacity is not None:
        reply["ConsumedCapacity"] = capacity
        rules += ("capacity.write-units", "capacity.index-write-units", "capacity.shape")
    if collections:
        reply["ItemCollectionMetrics"] = collections
        rules += ("items.collection-metrics",)
    processed = {part.name: [position for position, _ in plan] for part, plan in plans}
    return Outcome(reply, tuple(changes), rules=rules, details={"processed": processed})


def _collections(table: Table, changes: Sequence[Change], body: dict[str, Any]) -> Iterator[Json]:
    """The metrics of each item collection written, once (dataplane:OPS-5)."""
    seen = set()
    for change in changes:
        measured = metrics(table, change, body.get("ReturnItemCollectionMetrics"))
        if measured is not None and change.key[:2] not in seen:
            seen.add(change.key[:2])
            yield measured


OPERATIONS: dict[str, Operation] = {"BatchGetItem": batch_get_item, "BatchWriteItem": batch_write_item}
