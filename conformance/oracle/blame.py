"""Which rule a difference breaks: the rule of the differing place, or of the write that made a wrong item."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from conformance.oracle.about import main_rule
from conformance.oracle.compare import Difference, canonical, differences
from conformance.oracle.divergence import Divergence
from conformance.oracle.exercised import condition_rule, update_rule
from conformance.oracle.writers import CREATES_NOTHING, Write, Writers, absent, keyed, row_of, written
from conformance.record.op import reply_to_json
from reference.api import Call, Json, Refusal, Success
from reference.operations.base import Outcome
from reference.service import Service
from reference.values.number import normal

CONTROL = frozenset({"Table", "TableDescription", "TimeToLiveDescription", "TimeToLiveSpecification"})
_COUNTS = ("Count", "ScannedCount")
_COUNTED = tuple((name,) for name in _COUNTS)
SHAPE_MEMBERS = CONTROL | {"ConsumedCapacity", "ItemCollectionMetrics"}
_BY_MEMBER = SHAPE_MEMBERS | {*_COUNTS}
_ORDER = ("data", "message", "shape")


def severity_of(difference: Difference) -> str:
    """How bad a differing success body is."""
    head = difference.path[0] if difference.path else ""
    if head in SHAPE_MEMBERS or difference.kind == "spelling":
        return "shape"
    if difference.path[-2:] == ("Error", "Message"):
        return "message"
    if difference.path in ((), ("Item",), ("Attributes",)) and not (difference.expected or difference.observed):
        return "shape"
    return "data"


def worst(found: Iterable[Difference]) -> Difference:
    """The difference to report of several: the most severe, then the first by place."""
    return min(found, key=lambda d: (_ORDER.index(severity_of(d)), d.path[:1] in _COUNTED, d.place))


_OF_REPLICAS = (
    "Replicas", "GlobalTableVersion", "GlobalTableSettingsReplicationMode", "MultiRegionConsistency",
    "GlobalTableWitnesses",
)  # fmt: skip
"""Members of a table's description that tell of its replicas."""


def body_divergence(
    service: Service, call: Call, outcome: Outcome, reply: Success, found: Sequence[Difference], writers: Writers
) -> Divergence:
    """The divergence of a success body that fits no lawful outcome; ``service`` is the state it was judged in."""
    difference = _located(call, outcome, reply, worst(found))
    write = _writer(service, call, outcome, difference, writers)
    asked = str(call.body.get("ReturnValues")) if isinstance(call.body, dict) else ""
    twice = (_whole_item(difference) and not asked.startswith("UPDATED_")) or _more_items(outcome, reply)
    if twice and writers.respelt(service, call, difference.row):
        write, rule = None, "keys.identity"
    else:
        rule = written_rule(write, difference) if write else place_rule(service, call, outcome, reply, difference)
    operation = write.operation if write else call.operation
    place = "item:created" if rule == CREATES_NOTHING and difference.observed else difference.place
    if write is not None and write.refused:
        place = f"refused:{place}"
    expected = Success(outcome.body)
    decides = difference.path if difference.path and difference.path[0] in _BY_MEMBER else difference.path[:1]
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
    if not (difference.expected or difference.observed):
        return False
    alone = difference.path in (("Item",), ("Attributes",)) and difference.kind in ("missing", "extra")
    return alone or (difference.path == ("Items", "*") and difference.kind in ("missing", "unexpected"))


def _more_items(outcome: Outcome, reply: Success) -> bool:
    expected, shown = (body.get("Items") if isinstance(body, dict) else None for body in (outcome.body, reply.body))
    return expected is not None and shown is not None and len(shown) > len(expected)


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


def place_rule(service: Service, call: Call, outcome: Outcome, reply: Success, difference: Difference) -> str:
    """The rule about the differing place of an answer."""
    head = difference.path[0] if difference.path else ""
    if difference.kind == "spelling":
        return "values.number-normal-form"
    if head == "ConsumedCapacity":
        return _capacity_rule(service, call, outcome, reply, difference)
    if head == "ItemCollectionMetrics":
        return "items.collection-metrics"
    if head in ("LastEvaluatedKey", "NextToken"):
        return "queries.page" if call.operation in ("Query", "Scan") else "partiql.pages"
    if head in ("UnprocessedItems", "UnprocessedKeys"):
        return "batches.unprocessed"
    if head == "Attributes":
        if difference.path == ("Attributes",) and CREATES_NOTHING in outcome.rules and difference.observed:
            return CREATES_NOTHING
        return _attributes_rule(call, difference)
    if head in ("Items", *_COUNTS) and call.operation in ("Query", "Scan"):
        return _rows_rule(service, call, outcome, reply, difference)
    if head == "Responses" and call.operation == "BatchGetItem" and _same_key_twice(call):
        return "batches.read-duplicates"
    if head == "Items" and call.operation == "ExecuteStatement":
        return _statement_rule(outcome, difference)
    if head == "Item" and call.body.get("AttributesToGet"):
        return "legacy.attributes-to-get"
    if head == "Item" and call.body.get("ProjectionExpression"):
        return "items.projected"
    if difference.path == ("Item",) and difference.kind in ("missing", "extra"):
        return "items.missing-item"
    if difference.path[1:2] and difference.path[1] in _OF_REPLICAS:
        return "global-tables.description"
    return main_rule(call.operation, outcome.rules)


def _same_key_twice(call: Call) -> bool:
    """Whether a BatchGetItem asks for one item in two ways: its number is written in two."""
    asked = call.body.get("RequestItems") or {}
    for table in asked.values():
        keys = table.get("Keys") or []
        if len({canonical(key) for key in keys}) < len(keys):
            return True
    return False


def _statement_rule(outcome: Outcome, difference: Difference) -> str:
    """The rule about the items that a statement answers with."""
    if "partiql.write-answer" in outcome.rules:
        return "partiql.write-answer"
    if difference.kind == "order" and "partiql.order" in outcome.rules:
        return "partiql.order"
    if "partiql.index-read" in outcome.rules:
        return "partiql.index-read"
    return "partiql.select"


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
        return "capacity.local-fetch-units" if "capacity.local-fetch-units" in outcome.rules else "capacity.page-units"
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


def _rows_rule(service: Service, call: Call, outcome: Outcome, reply: Success, difference: Difference) -> str:
    index = call.body.get("IndexName") is not None
    segmented = len(difference.path) <= 2 and (call.body.get("TotalSegments") or 1) > 1
    partly = {"AttributesToGet": "legacy.attributes-to-get", "ProjectionExpression": "items.projected"}
    counted = outcome.body.get("Count") == reply.body.get("Count") and not segmented
    within = difference.kind == "missing" and len(difference.path) > 2
    if "indexes.local-fetch" in outcome.rules and (within or difference.kind == "repeated"):
        return "indexes.local-fetch"
    if difference.kind in ("missing", "unexpected") and counted:
        for member, about in partly.items():
            if call.body.get(member):
                return about
    if difference.kind == "unexpected" and _unindexed(service, call, difference.observed):
        return "indexes.sparse"
    if difference.kind == "order":
        return "indexes.order" if index else ("queries.order" if call.operation == "Query" else "scans.result")
    evaluated = difference.path[:1] == ("ScannedCount",) or (
        call.operation == "Query"
        and _whole(call)
        and outcome.body.get("ScannedCount") != reply.body.get("ScannedCount")
    )
    filters = () if evaluated else ("FilterExpression", "QueryFilter", "ScanFilter")
    if len(difference.path) <= 2 and (rule := condition_rule(call, *filters)):
        return rule if rule != "legacy.joined" or _joined_wrongly(service, call, reply) else "legacy.comparisons"
    if difference.kind == "in-two-segments" or segmented:
        return "scans.segments"
    if len(difference.path) > 2 and call.body.get("AttributesToGet"):
        return "legacy.attributes-to-get"
    if difference.kind in ("fewer", "missing") and call.operation == "Query" and _spelt_keys(call):
        return "keys.identity"
    if index and (len(difference.path) > 2 or call.operation == "Scan" or _more_counted(difference)):
        return "indexes.projection" if len(difference.path) > 2 else "indexes.sparse"
    if len(difference.path) > 2 and call.body.get("ProjectionExpression"):
        return "items.projected"
    return "queries.result" if call.operation == "Query" else "scans.result"


def _whole(call: Call) -> bool:
    """Whether a read asks for all there is, so that what it evaluates is told by its key conditions alone."""
    return call.body.get("Limit") is None and call.body.get("ExclusiveStartKey") is None


def _joined_wrongly(service: Service, call: Call, reply: Success) -> bool:
    """Whether the rows shown are those that meet every condition, or a certain one, where any was to be enough."""
    body = {name: value for name, value in call.body.items() if name != "ConditionalOperator"}
    member = next(name for name in ("QueryFilter", "ScanFilter") if body.get(name))
    alone = [{**body, member: {name: condition}} for name, condition in body[member].items()]
    for instead in (body, *alone):
        other = service.outcomes(Call(call.operation, instead)).outcome
        if other is not None and not any(differences(other.body.get("Items"), reply.body.get("Items"))):
            return True
    return False


def _more_counted(difference: Difference) -> bool:
    return difference.path[:1] in (("Count",), ("ScannedCount",)) and difference.observed > difference.expected


def _spelt_keys(call: Call) -> bool:
    """Whether a Query asks for numbers that are not in normal form."""
    given = [call.body.get("ExpressionAttributeValues"), call.body.get("KeyConditions")]
    return any(normal(number, "current") != number for number in _numbers(given) if isinstance(number, str))


def _numbers(part: Json) -> Iterator[Json]:
    inside = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    if isinstance(part, dict) and "N" in part:
        yield part["N"]
    for inner in inside:
        yield from _numbers(inner)


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


def refused_rule(call: Call, outcome: Outcome | None, reply: Refusal | None = None) -> str:
    """The rule about a valid request that is refused in words that name no rule, or without any."""
    updates = call.body.get("AttributeUpdates") if isinstance(call.body, dict) else None
    for update in updates.values() if isinstance(updates, dict) else ():
        if update.get("Action") == "ADD" and "L" in (update.get("Value") or {}):
            return "legacy.add-to-list"
    if call.operation == "ExecuteStatement" and outcome is not None and "partiql.write-answer" in outcome.rules:
        return "partiql.write-answer"
    if names_arn(call):
        return "wire.table-arn"
    if reply is not None and reply.status < 500 and re.search(r"\bExpression: ", reply.message or ""):
        return "expressions.syntax"
    bare = call.operation == "UpdateItem" and not {"UpdateExpression", "AttributeUpdates"} & call.body.keys()
    failed = reply is None or reply.status >= 500
    condition = None if bare and failed else condition_rule(call, *_CONDITIONS)
    if condition is not None:
        return condition
    if call.operation == "GetItem" and _PARTLY & call.body.keys():
        return "legacy.attributes-to-get" if call.body.get("AttributesToGet") else "items.projected"
    if bare:
        return "items.update-creates"
    return main_rule(call.operation, outcome.rules if outcome else ())


def names_arn(call: Call) -> bool:
    """Whether a data operation names a table by its ARN."""
    body = call.body if isinstance(call.body, dict) else {}
    actions = body.get("TransactItems")
    parts = [part for action in actions for part in action.values()] if isinstance(actions, list) else []
    named = [body.get("TableName"), *(part.get("TableName") for part in parts), *(body.get("RequestItems") or ())]
    return any(isinstance(name, str) and name.startswith("arn:") for name in named)


_REFUSED = {
    "TransactWriteItems": "transactions.cancelled",
    "ExecuteTransaction": "transactions.cancelled",
    "BatchWriteItem": "batches.write-result",
}


def written_rule(write: Write, difference: Difference) -> str:
    """The rule that a wrong stored item breaks, by the operation that wrote it."""
    if difference.kind == "spelling":
        return "values.number-normal-form"
    if write.refused:
        return _REFUSED.get(write.operation, "items.refused-write")
    if write.created_nothing and (len(difference.path) <= 2 or difference.path[-1] == "Item"):
        return CREATES_NOTHING
    if write.operation == "UpdateItem":
        return update_rule(write.body, difference)
    return main_rule(write.operation, write.rules)


def _writer(service: Service, call: Call, outcome: Outcome, difference: Difference, writers: Writers) -> Write | None:
    """The write that made the item a read shows wrongly, when the stored item is in doubt and not what shows it."""
    rows = outcome.details.get("rows")
    if call.operation in ("BatchGetItem", "TransactGetItems") and difference.kind in ("more", "extra"):
        return _created(service, call, difference, writers)
    table = call.body.get("TableName") if isinstance(call.body, dict) else None
    if isinstance(table, str) and difference.path[:1] == ("Attributes",):
        if call.body.get("ReturnValues") != "ALL_OLD":
            return None
        return writers.unseen(service, call, difference) if len(difference.path) > 1 else _left(service, call, writers)
    if not isinstance(table, str) or difference.path[:1] not in (("Item",), ("Items",), ("Count",), ("ScannedCount",)):
        return None
    if len(difference.path) == 1 and _holds_keys(service, call):
        if difference.path == ("Items",) and difference.kind == "more":
            return writers.creating_nothing(service, table, difference.observed)
        filtered = call.body.get("FilterExpression") and difference.path != ("ScannedCount",)
        counted = difference.path[0] in _COUNTS and difference.kind == "value" and not filtered
        if counted and difference.observed == difference.expected + 1:
            return writers.creating_nothing(service, table, None)
    if difference.kind == "unexpected" and difference.row is None and not any(call.body.get(n) for n in _SELECTING[:5]):
        undone = writers.undone(service, table, [difference.observed])
        return writers.creating_nothing(service, table, None) or undone
    there = difference.kind == "extra" and difference.path == ("Item",)
    if not there and any(call.body.get(name) for name in ("ProjectionExpression", "AttributesToGet", "IndexName")):
        return None
    if call.operation == "GetItem":
        row = row_of(service, table, call.body["Key"])
        return None if row is None else writers.of(table, row, difference)
    if difference.kind == "unexpected" and difference.row is not None and absent(service, table, difference.row):
        return writers.of(table, difference.row)
    if len(difference.path) <= 2 and any(call.body.get(name) for name in _SELECTING):
        # A row too few or too many: it is as likely that the read chose wrongly.
        return None
    if difference.row is not None:
        return writers.of(table, difference.row, difference)
    items: list[Json] = outcome.body.get("Items", [])
    if rows and len(items) == len(rows) == 1:
        return writers.of(table, rows[0], difference)
    return None


def _created(service: Service, call: Call, difference: Difference, writers: Writers) -> Write | None:
    """The write that made an item which a read of several shows and which should not be there."""
    # What is too much may also be all that is shown of a table.
    shown = difference.observed if isinstance(difference.observed, list) else [difference.observed]
    shown = [item for item in shown if isinstance(item, dict)]
    tables = call.body.get("RequestItems") or [get["Get"]["TableName"] for get in call.body["TransactItems"]]
    found = (writers.creating_nothing(service, name, shown) for name in tables)
    hidden = [item for item in shown if not any(row_of(service, name, item) for name in tables)]
    asked = (writers.creating_nothing(service, name, [key]) for name, key in keyed(call) if hidden)
    return next((write for write in chain(found, asked) if write is not None), None)


def _left(service: Service, call: Call, writers: Writers) -> Write | None:
    """The last write of the item that a call writes, where that was to leave it missing."""
    rows = [(name, row_of(service, name, item)) for name, item in written(call)]
    found = (writers.of(name, row) for name, row in rows if row is not None)
    return next((write for write in found if write is not None and write.created_nothing), None)


def _holds_keys(service: Service, call: Call) -> bool:
    """Whether what a read goes through holds also the items that have nothing but their key."""
    table = service.account.table(call.body["TableName"])
    index = table.indexes.get(call.body.get("IndexName")) if table else None
    if "IndexName" not in call.body or table is None or index is None:
        return "IndexName" not in call.body
    return set(index.schema.key.names) <= set(table.key.names)


_PARTLY = frozenset({"ProjectionExpression", "AttributesToGet"})
_SELECTING = (
    "KeyConditionExpression", "KeyConditions", "FilterExpression", "QueryFilter", "ScanFilter", "Limit",
    "ExclusiveStartKey", "TotalSegments",
)  # fmt: skip


def _short(body: Json) -> str:
    text = str(body)
    return text if len(text) <= 80 else text[:77] + "…"
