"""Which rule a difference breaks: the rule of the differing place, or of the write that made a wrong item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.oracle.compare import Difference, differences
from conformance.oracle.divergence import Divergence
from conformance.oracle.exercised import condition_rule, update_rule
from conformance.record.op import reply_to_json
from reference.api import Call, Item, Json, Success
from reference.operations.base import Outcome
from reference.rules import ledger
from reference.service import Service
from reference.tables.view import RowKey
from reference.values.item import normalise_item

CONTROL = frozenset({"Table", "TableDescription", "TimeToLiveDescription", "TimeToLiveSpecification"})
SHAPE_MEMBERS = CONTROL | {"ConsumedCapacity", "ItemCollectionMetrics", "Count", "ScannedCount"}
_ORDER = ("data", "shape")
MAX_WRITERS = 4096


@dataclass(frozen=True, slots=True)
class Write:
    """The last write of an item: which operation, its request, and the rules that shaped its outcome."""

    operation: str
    body: Json
    rules: tuple[str, ...]
    certain: bool = True
    """Whether no later write of the item was refused: some targets do part of what they refuse."""


class Writers:
    """Who last wrote each item, so that a wrong item is blamed on its write and not on the read that shows it."""

    def __init__(self) -> None:
        self._last: dict[bytes, Write] = {}
        self._keys: dict[bytes, set[bytes]] = {}
        self._seen: set[bytes] = set()

    def note(self, service: Service, call: Call, outcome: Outcome) -> None:
        """Remember whose items a call wrote, or was to leave as they are."""
        if len(self._last) > MAX_WRITERS:
            self._last.clear()
            self._keys.clear()
            self._seen.clear()
        for change in outcome.changes:
            self._last[_slot(change.table, change.key)] = Write(call.operation, call.body, outcome.rules)
        for name, item in written(call):
            row = row_of(service, name, item)
            if row is not None:
                self._last[_slot(name, row)] = Write(call.operation, call.body, outcome.rules)
                self._keys.setdefault(_slot(name, row), set()).add(_spelt(service, name, item))
                self._seen.discard(_slot(name, row))

    def shown(self, service: Service, call: Call) -> None:
        """Remember that a target has shown an item rightly since it was last written."""
        for name, item in named(call):
            row = row_of(service, name, item)
            if row is not None and call.operation == "GetItem" and not _PARTLY & call.body.keys():
                self._seen.add(_slot(name, row))

    def respelt(self, service: Service, call: Call, row: RowKey | None = None) -> bool:
        """Whether the item in question, that of a row or those a call names, goes by keys written in several ways."""
        keys = [] if row is None else [self._keys.get(_slot(call.body["TableName"], row), set())]
        for name, item in named(call):
            place = row_of(service, name, item)
            if place is not None:
                keys.append(self._keys.get(_slot(name, place), set()) | {_spelt(service, name, item)})
        return any(len(ways) > 1 for ways in keys)

    def unseen(self, service: Service, call: Call) -> Write | None:
        """The update that made the item a call names what it is, if no read has shown the item since."""
        for name, item in named(call):
            row = row_of(service, name, item)
            write = None if row is None or _slot(name, row) in self._seen else self.of(name, row)
            if write is not None and write.operation == "UpdateItem":
                return write
        return None

    def doubt(self, service: Service, call: Call) -> None:
        """A write was refused, perhaps a malformed one: what its items hold may from now on be its doing."""
        for part in parts(call):
            name, item = part.get("TableName"), part.get("Item") or part.get("Key")
            if not isinstance(name, str) or not isinstance(item, dict):
                continue
            row = row_of(service, name, item)
            slot = None if row is None else _slot(name, row)
            if slot is not None and slot in self._last:
                self._last[slot] = replace(self._last[slot], certain=False)

    def of(self, table: str, key: Sequence[Any]) -> Write | None:
        """The last write of an item, by its row key, where only that can have made it what it is."""
        write = self._last.get(_slot(table, key))
        return write if write is not None and write.certain else None

    def creating_nothing(self, service: Service, table: str, shown: Json) -> Write | None:
        """The last write that must have left an item of a table missing; it is missing still, and ``shown`` has it.

        ``shown`` None: not even the items are shown.
        """
        rows = None if shown is None else [row_of(service, table, item) for item in shown]
        for write in reversed(self._last.values()):
            for name, item in written(Call(write.operation, write.body)):
                row = row_of(service, name, item) if name == table and CREATES_NOTHING in write.rules else None
                if row is not None and _absent(service, table, row) and (rows is None or row in rows):
                    return write
        return None


def parts(call: Call) -> Iterator[dict[str, Any]]:
    """What of any request whatever may name one item to write: the request itself, or an action of it."""
    if call.operation in ("PutItem", "UpdateItem", "DeleteItem") and isinstance(call.body, dict):
        yield call.body
    actions = call.body.get("TransactItems") if isinstance(call.body, dict) else None
    for action in actions if isinstance(actions, list) else ():
        if isinstance(action, dict):
            yield from (part for part in action.values() if isinstance(part, dict))


def written(call: Call) -> Iterator[tuple[str, Item]]:
    """(table, item or key) of every item a well-formed write names."""
    body = call.body
    if call.operation in ("PutItem", "UpdateItem", "DeleteItem"):
        yield body["TableName"], body.get("Item") or body.get("Key") or {}
    elif call.operation == "BatchWriteItem":
        for table, requests in body["RequestItems"].items():
            for request in requests:
                put = request.get("PutRequest")
                yield table, put["Item"] if put else request["DeleteRequest"]["Key"]
    elif call.operation == "TransactWriteItems":
        for action in body["TransactItems"]:
            for part in action.values():
                yield part["TableName"], part.get("Item") or part.get("Key") or {}


def named(call: Call) -> Iterator[tuple[str, Item]]:
    """(table, item or key) of every item a well-formed call writes, or gets alone."""
    if call.operation == "GetItem":
        yield call.body["TableName"], call.body["Key"]
    yield from written(call)


def row_of(service: Service, name: str, item: Item) -> RowKey | None:
    """Where an item stands in a table, None when it has no proper key."""
    table = service.account.table(name)
    normal = normalise_item({k: v for k, v in item.items() if k in table.key.names}, "current", []) if table else None
    return table.view.row_key(normal) if table and normal else None


def _spelt(service: Service, name: str, item: Item) -> bytes:
    """The key of an item as it is written."""
    table = service.account.table(name)
    return repr([item.get(k) for k in table.key.names] if table else None).encode("utf-8", "surrogatepass")


def _slot(table: str, key: Sequence[Any]) -> bytes:
    return repr((table, tuple(key))).encode("utf-8", "surrogatepass")


def severity_of(difference: Difference) -> str:
    """How bad a differing success body is."""
    head = difference.path[0] if difference.path else ""
    if head in SHAPE_MEMBERS or difference.kind == "spelling":
        return "shape"
    if difference.path in (("Item",), ("Attributes",)) and not (difference.expected or difference.observed):
        return "shape"
    return "data"


def worst(found: Iterable[Difference]) -> Difference:
    """The difference to report of several: the most severe, then the first by place."""
    return min(found, key=lambda d: (_ORDER.index(severity_of(d)), d.place))


OPERATIONS: dict[str, str] = {
    "GetItem": "values.round-trip",
    "PutItem": "items.put-replaces",
    "UpdateItem": "items.update-what-is-named",
    "DeleteItem": "items.delete-removes",
    "Query": "queries.result",
    "Scan": "scans.result",
    "BatchGetItem": "batches.read-result",
    "BatchWriteItem": "batches.write-result",
    "TransactGetItems": "transactions.read-result",
    "TransactWriteItems": "transactions.write-result",
    "ExecuteStatement": "partiql.select",
    "BatchExecuteStatement": "partiql.batch-answer",
    "ExecuteTransaction": "partiql.transaction-answer",
    "CreateTable": "tables.create-answer",
    "DescribeTable": "tables.description",
    "UpdateTable": "tables.update-answer",
    "DeleteTable": "tables.delete-answer",
    "ListTables": "tables.list-order",
}
"""Operation → the rule that says what its answer holds, where nothing closer is known."""


def main_rule(operation: str, rules: Sequence[str] = ()) -> str:
    """The rule about an operation's success as a whole."""
    known = ledger()
    for name in (OPERATIONS.get(operation, ""), *rules):
        if name in known:
            return name
    return "wire.no-content"


def body_divergence(
    service: Service, call: Call, outcome: Outcome, reply: Success, found: Sequence[Difference], writers: Writers
) -> Divergence:
    """The divergence of a success body that fits no lawful outcome; ``service`` is the state it was judged in."""
    difference = _located(call, outcome, reply, worst(found))
    write = _writer(service, call, outcome, difference, writers)
    if _whole_item(difference) and writers.respelt(service, call, difference.row):
        write, rule = None, "keys.identity"
    else:
        rule = written_rule(write, difference) if write else place_rule(service, call, outcome, reply, difference)
    operation = write.operation if write else call.operation
    place = "item:created" if rule == CREATES_NOTHING else difference.place
    expected = Success(outcome.body)
    decides = difference.path if difference.path and difference.path[0] in SHAPE_MEMBERS else difference.path[:1]
    shown = f"expected {_short(difference.expected)}, observed {_short(difference.observed)}"
    text = f"{operation}: {difference.place}: {shown}"
    severity = severity_of(difference)
    return Divergence(
        operation,
        rule,
        severity,
        place,
        text,
        expected,
        reply,
        (reply_to_json(expected),),
        (".".join(decides) or "*",),
        difference.row,
    )


def _whole_item(difference: Difference) -> bool:
    """Whether an item is there that should not be, or the other way round."""
    alone = difference.path in (("Item",), ("Attributes",)) and difference.kind in ("missing", "extra")
    return alone or (difference.path == ("Items", "*") and difference.kind in ("missing", "unexpected"))


def _located(call: Call, outcome: Outcome, reply: Success, difference: Difference) -> Difference:
    """The difference with the row it lies in, which is known of pages that list the same number of items."""
    rows = outcome.details.get("rows")
    if difference.row is not None or not rows or difference.path[:2] != ("Items", "*") or len(difference.path) < 3:
        return difference
    expected, observed = outcome.body.get("Items") or [], reply.body.get("Items") or []
    if len(expected) != len(observed) or len(expected) != len(rows):
        return difference
    changed = (row for row, e, o in zip(rows, expected, observed, strict=True) if any(differences(e, o)))
    return replace(difference, row=next(changed, None))


CREATES_NOTHING = "items.removal-creates-nothing"


def place_rule(service: Service, call: Call, outcome: Outcome, reply: Success, difference: Difference) -> str:
    """The rule about the differing place of an answer."""
    head = difference.path[0] if difference.path else ""
    if difference.kind == "spelling":
        return "values.number-normal-form"
    if head == "ConsumedCapacity":
        return _capacity_rule(service, call, outcome, reply, difference)
    if head == "ItemCollectionMetrics":
        return "items.collection-metrics"
    if head == "LastEvaluatedKey":
        return "queries.page"
    if head in ("UnprocessedItems", "UnprocessedKeys"):
        return "batches.unprocessed"
    if head == "Attributes":
        if difference.path == ("Attributes",) and CREATES_NOTHING in outcome.rules:
            return CREATES_NOTHING
        return _attributes_rule(call, difference)
    if head == "Items" and call.operation in ("Query", "Scan"):
        return _rows_rule(service, call, difference)
    if head == "Items" and call.operation == "ExecuteStatement" and "partiql.write-answer" in outcome.rules:
        return "partiql.write-answer"
    if head == "Item" and call.body.get("AttributesToGet"):
        return "legacy.attributes-to-get"
    if head == "Item" and call.body.get("ProjectionExpression"):
        return "items.projected"
    if difference.path == ("Item",) and difference.kind in ("missing", "extra"):
        return "items.missing-item"
    return main_rule(call.operation, outcome.rules)


def _capacity_rule(service: Service, call: Call, outcome: Outcome, reply: Success, difference: Difference) -> str:
    if "capacity.replay-units" in outcome.rules:
        return "capacity.replay-units"
    if difference.kind != "value" or "CapacityUnits" not in difference.path:
        return "capacity.shape"
    if call.operation in ("ExecuteStatement", "BatchExecuteStatement") and "capacity.page-units" in outcome.rules:
        return "capacity.page-units"
    reading = call.operation in ("Query", "Scan", "GetItem", "BatchGetItem", "TransactGetItems")
    if any(part.endswith("SecondaryIndexes") for part in difference.path):
        return "capacity.index-read-units" if reading else "capacity.index-write-units"
    if call.operation.startswith("Transact") or call.operation == "ExecuteTransaction":
        return "capacity.transaction-units"
    if call.operation in ("Query", "Scan"):
        return "capacity.page-units"
    if reading:
        return "capacity.read-units"
    indexed = _indexes_differ(service, outcome, reply, difference)
    return "capacity.index-write-units" if indexed else "capacity.write-units"


def _indexes_differ(service: Service, outcome: Outcome, reply: Success, difference: Difference) -> bool:
    """Whether a write's total is wrong for its indexes, not for the table's own arm where that is told."""
    arms = [_arm(body) for body in (outcome.body, reply.body)]
    if None not in arms:
        return bool(arms[0] == arms[1])
    if difference.observed < difference.expected:
        own = sum(1 for change in outcome.changes)
        return bool(difference.observed >= own) and any(change.moves for change in outcome.changes)
    tables = (service.account.table(change.table) for change in outcome.changes)
    return any(table is not None and bool(table.indexes) for table in tables)


def _arm(body: Json) -> Json:
    """The table's own part of the one ConsumedCapacity of an answer, None without one."""
    consumed = body.get("ConsumedCapacity") if isinstance(body, dict) else None
    if isinstance(consumed, list) and len(consumed) == 1:
        consumed = consumed[0]
    table = consumed.get("Table") if isinstance(consumed, dict) else None
    return table.get("CapacityUnits") if isinstance(table, dict) else None


def _attributes_rule(call: Call, difference: Difference) -> str:
    wanted = call.body.get("ReturnValues")
    if call.operation != "UpdateItem" or wanted in (None, "ALL_OLD"):
        return "items.old-item-returned"
    if wanted == "UPDATED_OLD" or (wanted == "UPDATED_NEW" and difference.kind not in ("value", "type")):
        return "expressions.updated-values"
    if not {"UpdateExpression", "AttributeUpdates"} & call.body.keys() and difference.kind == "missing":
        return "items.update-what-is-named"
    if wanted in ("ALL_NEW", "UPDATED_NEW"):
        return update_rule(call.body, difference)
    return "items.updated-values-returned"


def _rows_rule(service: Service, call: Call, difference: Difference) -> str:
    index = call.body.get("IndexName") is not None
    if difference.kind == "unexpected" and _unindexed(service, call, difference.observed):
        return "indexes.sparse"
    if difference.kind == "order":
        return "indexes.order" if index else ("queries.order" if call.operation == "Query" else "scans.result")
    if difference.kind == "in-two-segments" or (call.body.get("TotalSegments") or 1) > 1:
        return "scans.segments"
    if len(difference.path) <= 2 and (rule := condition_rule(call, "FilterExpression", "QueryFilter", "ScanFilter")):
        return rule
    if index and (len(difference.path) > 2 or call.operation == "Scan"):
        return "indexes.projection" if len(difference.path) > 2 else "indexes.sparse"
    if len(difference.path) > 2 and call.body.get("ProjectionExpression"):
        return "items.projected"
    return "queries.result" if call.operation == "Query" else "scans.result"


def _unindexed(service: Service, call: Call, item: Json) -> bool:
    """Whether an item that an index showed lacks one of the index's key attributes."""
    table = service.account.table(call.body["TableName"])
    index = table.indexes.get(call.body.get("IndexName")) if table else None
    shown = call.body.get("ProjectionExpression") or call.body.get("AttributesToGet")
    return index is not None and not shown and not set(index.schema.key.names) <= item.keys()


_CONDITIONS = ("ConditionExpression", "Expected", "FilterExpression", "QueryFilter", "ScanFilter")


def blamed(call: Call, rule: str, reasons: Json = None) -> str:
    """The rule a wrong refusal or acceptance breaks; a condition decided wrongly breaks the rule that decides it.

    ``reasons`` are those of a cancelled transaction.
    """
    codes = {reason.get("Code") for reason in reasons or () if isinstance(reason, dict)}
    if rule == "items.condition-failed" or codes - {"None"} == {"ConditionalCheckFailed"}:
        return condition_rule(call, "ConditionExpression", "Expected") or rule
    return rule


def refused_rule(call: Call, outcome: Outcome | None) -> str:
    """The rule about a valid request that is refused in words that name no rule."""
    updates = call.body.get("AttributeUpdates") if isinstance(call.body, dict) else None
    for update in updates.values() if isinstance(updates, dict) else ():
        if update.get("Action") == "ADD" and "L" in (update.get("Value") or {}):
            return "legacy.add-to-list"
    if (condition := condition_rule(call, *_CONDITIONS)) is not None:
        return condition
    if call.operation == "GetItem" and _PARTLY & call.body.keys():
        return "legacy.attributes-to-get" if call.body.get("AttributesToGet") else "items.projected"
    if call.operation == "UpdateItem" and not {"UpdateExpression", "AttributeUpdates"} & call.body.keys():
        return "items.update-creates"
    return main_rule(call.operation, outcome.rules if outcome else ())


def written_rule(write: Write, difference: Difference) -> str:
    """The rule that a wrong stored item breaks, by the operation that wrote it."""
    if difference.kind == "spelling":
        return "values.number-normal-form"
    if CREATES_NOTHING in write.rules and len(difference.path) <= 2:
        return CREATES_NOTHING
    if write.operation == "UpdateItem":
        return update_rule(write.body, difference)
    return main_rule(write.operation, write.rules)


def _writer(service: Service, call: Call, outcome: Outcome, difference: Difference, writers: Writers) -> Write | None:
    """The write that made the item a read shows wrongly, when the stored item is in doubt and not what shows it."""
    rows = outcome.details.get("rows")
    table = call.body.get("TableName") if isinstance(call.body, dict) else None
    if isinstance(table, str) and difference.path[:1] == ("Attributes",):
        inside = len(difference.path) > 1 and call.body.get("ReturnValues") == "ALL_OLD"
        return writers.unseen(service, call) if inside else None
    if not isinstance(table, str) or difference.path[:1] not in (("Item",), ("Items",), ("Count",), ("ScannedCount",)):
        return None
    if len(difference.path) == 1 and "IndexName" not in call.body:
        if difference.path == ("Items",) and difference.kind == "more":
            return writers.creating_nothing(service, table, difference.observed)
        counted = difference.path[0] in ("Count", "ScannedCount") and difference.kind == "value"
        if counted and not call.body.get("FilterExpression") and difference.observed == difference.expected + 1:
            return writers.creating_nothing(service, table, None)
    there = difference.kind == "extra" and difference.path == ("Item",)
    if not there and any(call.body.get(name) for name in ("ProjectionExpression", "AttributesToGet", "IndexName")):
        return None
    if call.operation == "GetItem":
        row = row_of(service, table, call.body["Key"])
        return None if row is None else writers.of(table, row)
    if difference.kind == "unexpected" and difference.row is not None and _absent(service, table, difference.row):
        return writers.of(table, difference.row)
    if len(difference.path) <= 2 and any(call.body.get(name) for name in _SELECTING):
        # A row too few or too many: it is as likely that the read chose wrongly.
        return None
    if difference.row is not None:
        return writers.of(table, difference.row)
    items: list[Json] = outcome.body.get("Items", [])
    if rows and len(items) == len(rows) == 1:
        return writers.of(table, rows[0])
    return None


def _absent(service: Service, name: str, row: RowKey) -> bool:
    """Whether there should be no such item at all."""
    table = service.account.table(name)
    return table is not None and table.at(row) is None


_PARTLY = frozenset({"ProjectionExpression", "AttributesToGet"})
_SELECTING = (
    "KeyConditionExpression", "KeyConditions", "FilterExpression", "QueryFilter", "ScanFilter", "Limit",
    "ExclusiveStartKey", "TotalSegments",
)  # fmt: skip


def _short(body: Json) -> str:
    text = str(body)
    return text if len(text) <= 80 else text[:77] + "…"
