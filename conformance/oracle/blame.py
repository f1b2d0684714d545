"""Which rule a difference breaks: the rule of the differing place, or of the write that made a wrong item."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from conformance.oracle.compare import Difference
from conformance.oracle.divergence import Divergence
from conformance.record.op import reply_to_json
from reference.api import Call, Json, Success
from reference.operations.base import Outcome
from reference.rules import ledger

SHAPE_MEMBERS = frozenset(
    {"ConsumedCapacity", "ItemCollectionMetrics", "Count", "ScannedCount", "Table", "TableDescription"}
)
_ORDER = ("data", "shape")
MAX_WRITERS = 4096


class Writers:
    """Who last wrote each item, so that a wrong item is blamed on its write and not on the read that shows it."""

    def __init__(self) -> None:
        self._last: dict[bytes, tuple[str, tuple[str, ...]]] = {}

    def note(self, call: Call, outcome: Outcome) -> None:
        """Remember the items an outcome writes."""
        if len(self._last) > MAX_WRITERS:
            self._last.clear()
        for change in outcome.changes:
            self._last[_slot(change.table, change.key)] = (call.operation, outcome.rules)

    def of(self, table: str, key: Sequence[Any]) -> tuple[str, tuple[str, ...]] | None:
        """The operation and behaviour rules of the last write of an item, by its row key."""
        return self._last.get(_slot(table, key))


def _slot(table: str, key: Sequence[Any]) -> bytes:
    return repr((table, tuple(key))).encode()


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


def known_rule(*candidates: str) -> str:
    """The first candidate that the ledger knows; the last one is the fallback."""
    rules = ledger()
    return next((name for name in candidates if name in rules), candidates[-1])


PLACES: dict[str, str] = {
    "ConsumedCapacity": "capacity.consumed",
    "ItemCollectionMetrics": "capacity.item-collection-metrics",
    "LastEvaluatedKey": "queries.last-evaluated-key",
    "Count": "queries.counts",
    "ScannedCount": "queries.counts",
    "Attributes": "items.return-values",
    "Table": "tables.description",
    "TableDescription": "tables.description",
    "UnprocessedItems": "batches.unprocessed",
    "UnprocessedKeys": "batches.unprocessed",
}
"""Member of a success body → the rule about it, where no rule of the outcome is closer."""

OPERATIONS: dict[str, str] = {
    "GetItem": "items.get",
    "PutItem": "items.put",
    "UpdateItem": "items.update",
    "DeleteItem": "items.delete",
    "Query": "queries.rows",
    "Scan": "scans.rows",
    "BatchGetItem": "batches.get",
    "BatchWriteItem": "batches.write",
}
"""Operation → the rule that says what its answer holds."""


def body_divergence(
    call: Call, outcome: Outcome, reply: Success, found: Sequence[Difference], writers: Writers
) -> Divergence:
    """The divergence of a success body that fits no lawful outcome."""
    difference = worst(found)
    operation, rules = call.operation, outcome.rules
    if (writer := _writer(call, outcome, difference, writers)) is not None:
        operation, rules = writer
    rule = _rule(operation, rules, difference)
    expected = Success(outcome.body)
    head = difference.path[0] if difference.path else "*"
    text = f"{operation}: {difference.place}: expected {_short(difference.expected)}, observed {_short(difference.observed)}"
    return Divergence(
        operation,
        rule,
        severity_of(difference),
        difference.place,
        text,
        expected,
        reply,
        (reply_to_json(expected),),
        (head,),
    )


def _rule(operation: str, rules: Sequence[str], difference: Difference) -> str:
    head = difference.path[0] if difference.path else ""
    if difference.kind == "spelling":
        return known_rule("values.number-normal-form", "values.normal-form")
    places = [PLACES[head]] if head in PLACES else []
    specific = [name for name in reversed(rules) if name in ledger()]
    return known_rule(*places, *specific, OPERATIONS.get(operation, ""), "wire.success")


def _writer(
    call: Call, outcome: Outcome, difference: Difference, writers: Writers
) -> tuple[str, tuple[str, ...]] | None:
    """The write that made the item a read shows wrongly, when the whole item is in doubt and not a reply member."""
    rows = outcome.details.get("rows")
    table = call.body.get("TableName")
    if (
        not isinstance(table, str)
        or severity_of(difference) != "data"
        or difference.path[:1] not in (("Item",), ("Items",))
    ):
        return None
    if call.body.get("ProjectionExpression") or call.body.get("AttributesToGet") or call.body.get("IndexName"):
        return None
    if call.operation == "GetItem" and rows:
        return writers.of(table, rows[0])
    if difference.path[:3] == ("Items", "*", "item") and rows:
        items: list[Json] = outcome.body.get("Items", [])
        for item, row in zip(items, rows, strict=False):
            if _holds(item, difference.expected):
                return writers.of(table, row)
    return None


def _holds(item: Json, part: Json) -> bool:
    if item == part:
        return True
    if isinstance(item, dict):
        return any(_holds(value, part) for value in item.values())
    return isinstance(item, list) and any(_holds(value, part) for value in item)


def _short(body: Json) -> str:
    text = str(body)
    return text if len(text) <= 80 else text[:77] + "…"
