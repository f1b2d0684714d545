"""How the service words what a request breaks: which constraints it joins in one answer, and in which order.

AWS is replacing its front end operation by operation. The older one joins everything in the order of the members; the
current one words some members anew, and stops early at others (dataplane:DRIFT-2, drift C1 to C6, conflicts 16 to 31).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from reference.rules import Rule, Violation, ledger

MOST = 10
"""Constraints that one answer lists (dataplane:VAL-1)."""

SINGLE_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
CONTROL = frozenset(
    {"CreateTable", "UpdateTable", "DeleteTable", "DescribeTable", "DescribeTimeToLive", "UpdateTimeToLive"}
)
"""Operations that word a bad TableName alone, ahead of everything else (dataplane:VAL-7, conflicts:25)."""

LENGTHS_FIRST = CONTROL
"""Operations that name a string's length ahead of its pattern; others do it the other way round."""

_BY_HAND: Mapping[str, tuple[str, str]] = {
    "UpdateContributorInsights": ("indexName", "IndexName"),
    "DescribeContributorInsights": ("indexName", "IndexName"),
    "CreateGlobalTable": ("globalTableName", "TableName"),
    "DescribeGlobalTable": ("globalTableName", "TableName"),
    "DescribeGlobalTableSettings": ("globalTableName", "TableName"),
    "UpdateGlobalTable": ("globalTableName", "TableName"),
    "UpdateGlobalTableSettings": ("globalTableName", "TableName"),
    "RestoreTableFromBackup": ("targetTableName", "TableName"),
    "RestoreTableToPointInTime": ("targetTableName", "TableName"),
}
"""The member whose length the operation measures itself, after its model, and what it calls it."""

_WRITES = {
    ("returnValues", "wire.enum"): "wire.return-values-enum",
    ("returnItemCollectionMetrics", "wire.enum"): "wire.item-collection-metrics-enum",
    ("conditionalOperator", "wire.enum"): "wire.conditional-operator-enum",
    ("tableName", "wire.length-min"): "wire.table-name-empty",
}
_TRANSACTION = {
    ("transactItems", "wire.size-min"): "wire.transact-items-empty",
    ("transactItems", "wire.size-max"): "wire.transact-items-many",
}
_SPECIAL: Mapping[str, Mapping[tuple[str, str], str]] = {
    "PutItem": _WRITES,
    "UpdateItem": _WRITES,
    "DeleteItem": _WRITES,
    "Query": {
        ("limit", "wire.value-min"): "wire.limit-min",
        ("conditionalOperator", "wire.enum"): "wire.conditional-operator-enum",
    },
    "Scan": {
        ("limit", "wire.value-min"): "wire.limit-min",
        ("segment", "wire.value-min"): "wire.segment-min",
        ("totalSegments", "wire.value-min"): "wire.total-segments-min",
        ("conditionalOperator", "wire.enum"): "wire.scan-conditional-operator-enum",
    },
    "BatchGetItem": {("requestItems", "wire.size-min"): "wire.batch-get-empty"},
    "BatchWriteItem": {("requestItems", "wire.size-min"): "wire.batch-write-empty"},
    "TransactGetItems": _TRANSACTION,
    "TransactWriteItems": {**_TRANSACTION, ("clientRequestToken", "wire.length-max"): "wire.token-length"},
    "SearchVectors": {
        ("indexName", "wire.length-min"): "wire.search-length-min",
        ("indexName", "wire.length-max"): "wire.search-length-max",
        ("searchVector", "wire.size-min"): "wire.search-length-min",
        ("searchVector", "wire.size-max"): "wire.search-length-max",
        ("topK", "wire.value-min"): "wire.search-value-min",
    },
    "ExecuteTransaction": {
        ("transactStatements", "wire.size-min"): "wire.transact-statements-empty",
        ("transactStatements", "wire.size-max"): "wire.transact-statements-many",
    },
}
"""(path, rule) of a broken constraint that the operation words in a way of its own."""

_KEYS = ".member.keys"


def answers(operation: str, broken: list[Violation], *, older: bool) -> list[Violation]:
    """What the service answers to broken constraints, each in its own words: the first, then the other true ones.

    ``older`` says that the older front end reads this request, whatever cohort the operation speaks.
    """
    if not broken:
        return []
    named = [_named(operation, violation) for violation in broken]
    if older:
        return [joined(map(_outdated, named))]
    if operation in _BY_HAND:
        return _by_hand(operation, named)
    return _ASSEMBLIES.get(operation, _together)(named)


def _by_hand(operation: str, parts: list[Violation]) -> list[Violation]:
    """A name of the wrong length is told alone, after what breaks the model; an empty one has no pattern to break."""
    path, member = _BY_HAND[operation]
    mine, rest = _split(parts, lambda part: part.params["path"] == path and part.rule.name != "wire.null")
    lengths, patterns = _split(mine, lambda part: part.rule.name != "wire.pattern")
    if not lengths or lengths[0].params["value"] != "''":
        rest = [part for part in parts if part in rest or part in patterns]
    found = [joined(rest)] if rest else []
    if lengths:
        found.append(
            replace(lengths[0], rule=ledger()["wire.name-length"], params={**lengths[0].params, "member": member})
        )
    return found


def _named(operation: str, broken: Violation) -> Violation:
    """The broken constraint under the rule by which this operation words it."""
    path, name = broken.params["path"], broken.rule.name
    special = _SPECIAL.get(operation, {}).get((path, name))
    params = broken.params
    member = path.rsplit(".", 1)[-1]
    if special is not None:
        pass
    elif member == "returnValuesOnConditionCheckFailure" and name == "wire.enum":
        special = "wire.condition-failure-enum"
    elif member == "tableName" and name == "wire.length-min" and operation != "CreateTable":
        special = "wire.control-table-name-short" if operation in CONTROL else "wire.table-name-min"
    elif member == "tableName" and name == "wire.null" and operation in CONTROL:
        special = "wire.table-name-required"
    elif operation == "BatchGetItem" and path.endswith(_KEYS) and name in ("wire.size-min", "wire.size-max"):
        special = "wire.batch-get-no-keys" if name == "wire.size-min" else "wire.batch-get-many-keys"
        params = {**params, "table": path.removeprefix("requestItems.").removesuffix(_KEYS)}
    elif operation == "BatchWriteItem" and name == "wire.map-values":
        special = "wire.batch-write-many" if params["size"] else "wire.batch-write-no-requests"
        params = {**params, "table": params["key"]}
    return broken if special is None else replace(broken, rule=ledger()[special], params=params)


def joined(parts: Iterable[Violation]) -> Violation:
    """One answer for several broken constraints; a few rules hold a whole answer, without a count of errors."""
    listed = tuple(parts)[:MOST]
    first = listed[0]
    return first if first.rule.name in _WHOLE else Violation(first.rule, first.params, listed)


_WHOLE = frozenset({"wire.table-name-required", "wire.batch-get-empty", "wire.batch-write-empty"})
"""Rules whose text is a whole answer."""


@functools.cache
def _outdated_rule(name: str) -> Rule:
    rule = ledger()[name]
    return replace(rule, message=rule.older or rule.message, older=None)


def _outdated(broken: Violation) -> Violation:
    """The same constraint in the older words, whoever speaks."""
    return replace(broken, rule=_outdated_rule(broken.rule.name))


def _split(parts: list[Violation], wanted: Callable[[Violation], bool]) -> tuple[list[Violation], list[Violation]]:
    return [part for part in parts if wanted(part)], [part for part in parts if not wanted(part)]


def _top(name: str) -> Callable[[Violation], bool]:
    return lambda part: part.params["top"] == name


def _together(parts: list[Violation]) -> list[Violation]:
    return [joined(parts)]


def _table_first(parts: list[Violation]) -> list[Violation]:
    return [joined(group) for group in _split(parts, _top("TableName")) if group]


_JOINED_FIRST = ("ReturnConsumedCapacity", "ReturnValues", "ReturnItemCollectionMetrics", "ConditionalOperator")


def _in_current_order(part: Violation) -> int:
    top = part.params["top"]
    return _JOINED_FIRST.index(top) if top in _JOINED_FIRST else len(_JOINED_FIRST)


def _put_or_delete(parts: list[Violation]) -> list[Violation]:
    """A bad table name stands alone; the rest is joined, in another order than before (dataplane:DRIFT-2e)."""
    older = joined(parts)
    table, rest = _split(parts, _top("TableName"))
    groups = [group for group in (table, sorted(rest, key=_in_current_order)) if group]
    return [replace(joined(group), older=older) for group in groups]


def _update(parts: list[Violation]) -> list[Violation]:
    """A bad table name stands alone, and so does a bad ReturnValues (dataplane:DRIFT-2e, conflicts:18)."""
    older = joined(parts)
    table, rest = _split(parts, _top("TableName"))
    values, rest = _split(rest, _top("ReturnValues"))
    operator, rest = _split(rest, _top("ConditionalOperator"))
    return [replace(joined(group), older=older) for group in (table, values, operator, rest) if group]


def _query(parts: list[Violation]) -> list[Violation]:
    """A bad ConditionalOperator stands alone, and bare (dataplane:DRIFT-2i)."""
    older = joined(parts)
    operator, rest = _split(parts, _top("ConditionalOperator"))
    found = [replace(part, older=older) for part in operator]
    return found + ([replace(joined(rest), older=older)] if rest else [])


def _batch_get(parts: list[Violation]) -> list[Violation]:
    """An empty request is refused before anything else is looked at (dataplane:ORD-6)."""
    empty, rest = _split(parts, lambda part: part.rule.name in _WHOLE)
    return [joined(group) for group in (empty, rest) if group]


def _batch_write(parts: list[Violation]) -> list[Violation]:
    """What is wrong inside RequestItems gives way to a bad enum (dataplane:VAL-10)."""
    empty, rest = _split(parts, lambda part: part.rule.name in _WHOLE)
    items, enums = _split(rest, _top("RequestItems"))
    return [joined(group) for group in (empty, enums, items) if group]


def _transact_write(parts: list[Violation]) -> list[Violation]:
    """Today's front end reports a long token alone, the older one joins it (dataplane:DRIFT-2l, conflicts:28)."""
    older = joined(parts)
    token, rest = _split(parts, lambda part: part.rule.name == "wire.token-length")
    return [replace(joined(group), older=older) for group in (token, rest) if group]


_ASSEMBLIES: Mapping[str, Callable[[list[Violation]], list[Violation]]] = {
    **dict.fromkeys(CONTROL, _table_first),
    "PutItem": _put_or_delete,
    "DeleteItem": _put_or_delete,
    "UpdateItem": _update,
    "Query": _query,
    "BatchGetItem": _batch_get,
    "BatchWriteItem": _batch_write,
    "TransactWriteItems": _transact_write,
}
