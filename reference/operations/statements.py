"""One PartiQL statement at work: the rows a SELECT walks, the action a write comes to (dataplane:PQL-12 to PQL-20).

The three operations of PartiQL (module ``partiql``) are made of these pieces.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from reference.api import Item, Json
from reference.expressions.condition import evaluate
from reference.expressions.documents import lookup
from reference.expressions.key_condition import Clause, KeyCondition, analyse
from reference.expressions.tree import Condition, Not, Or, Projection
from reference.expressions.update import returned
from reference.operations import pages
from reference.operations.actions import Action, Done
from reference.operations.base import Context
from reference.operations.pages import Page, Source
from reference.operations.paths import roots
from reference.operations.ranges import Span, length_faults, span_of
from reference.operations.shared import key_path_faults
from reference.partiql.access import Branch, branches, conjuncts, in_sort_order, item_meant, mentions, overlapping
from reference.partiql.planner import target_of
from reference.partiql.plans import Column, DeletePlan, InsertPlan, SelectPlan, UpdatePlan
from reference.partiql.tree import Expression
from reference.rules import Checks, every, violation
from reference.tables.schema import KeySchema
from reference.tables.table import Table
from reference.tables.view import RowKey
from reference.values.item import MAX_ITEM_BYTES, item_size

MAX_HASH_OPTIONS = 50
"""Partition key values that IN may list (dataplane:PQL-12)."""

_RETURNED = {"ALL OLD": "ALL_OLD", "ALL NEW": "ALL_NEW", "MODIFIED OLD": "UPDATED_OLD", "MODIFIED NEW": "UPDATED_NEW"}


def refused_index(context: Context, tree: Expression) -> Checks[None]:
    """An index with several partition or sort key attributes is refused ahead of all else about it (IDX-12)."""
    target = target_of(tree)
    if target is None or target[1] is None:
        return
    table = context.account.table(target[0])
    index = table.indexes.get(target[1]) if table is not None else None
    if index is not None and (len(index.schema.key.hash) > 1 or len(index.schema.key.range) > 1):
        yield violation("partiql.multi-attribute-index")


# Writes


def size_faults(plan: object) -> Checks[None]:
    """What shows of a write before its table is looked up: the size of an inserted item (dataplane:SIZE-6)."""
    if isinstance(plan, InsertPlan) and item_size(plan.item) > MAX_ITEM_BYTES:
        yield violation("items.too-large")


def action_of(plan: InsertPlan | UpdatePlan | DeletePlan, table: Table, *, return_old: bool) -> Checks[Action | None]:
    """A write statement as an action on one item (dataplane:PQL-15, PQL-16)."""
    if isinstance(plan, InsertPlan):
        return Action("put", table, plan.table, plan.item, presence="absent")
    if plan.index is not None:
        yield violation("partiql.write-index")
    meant = item_meant(plan.condition, table.key)
    if meant is None:
        yield violation("partiql.key-equality")
        return None
    key, rest = meant
    if isinstance(plan, UpdatePlan):
        return Action("update", table, plan.table, key, plan.update, rest, presence="present", return_old=return_old)
    return Action("delete", table, plan.table, key, None, rest, presence="condition", return_old=return_old)


def returning(plan: InsertPlan | UpdatePlan | DeletePlan, done: Done) -> Item | None:
    """What RETURNING asks for; None where there is nothing of it or it isn't asked."""
    if isinstance(plan, InsertPlan) or plan.returning is None:
        return None
    if isinstance(plan, DeletePlan):
        return done.stored.item if done.stored is not None else None
    assert done.result is not None, "an update that was done has a result"
    return returned(done.result, _RETURNED[plan.returning]) or None


# Reads


@dataclass(frozen=True, slots=True)
class Reach:
    """How a SELECT reaches its rows.

    ``spans`` are runs of rows to walk one after the other, None for a scan; ``single`` tells that they are one item.
    """

    spans: tuple[Span, ...] | None
    single: bool


@dataclass(frozen=True, slots=True)
class Request:
    """What a request adds to a SELECT: its page size, consistency, and where the page before ended."""

    limit: int | None = None
    consistent: bool = False
    start: Item | None = None


def source_of(plan: SelectPlan, table: Table, *, consistent: bool) -> Checks[Source | None]:
    """The table or index that a SELECT reads (dataplane:PQL-5, PQL-14, VEC-5)."""
    if plan.index is None:
        return Source(table, None)
    index = table.indexes.get(plan.index)
    if index is None:
        # A vector index has no key, so every SELECT from it is a scan.
        yield violation("vectors.scan" if plan.index in table.settings.vectors else "partiql.unknown-index")
        return None
    if index.status != "ACTIVE":
        yield violation("indexes.backfilling" if index.backfilling else "indexes.not-active", index=plan.index)
    if consistent and index.schema.kind == "GSI":
        yield violation("partiql.consistent-index")
    return Source(table, index)


def reach_of(plan: SelectPlan, source: Source) -> Checks[Reach | None]:
    """Which rows to walk, and what keeps the statement from walking them (dataplane:PQL-12, XTRA-PQL-3)."""
    schema = source.key
    if len(schema.hash) > 1 or len(schema.range) > 1:
        return None
    found = branches(plan.condition, schema)
    yield from _order_faults(plan, schema, keyed=found is not None)
    if found is None:
        return Reach(None, single=False)
    values = {str(value) for branch in found for value in branch.hashes}
    if len(values) > MAX_HASH_OPTIONS:
        yield violation("partiql.in-limit", count=len(values), limit=MAX_HASH_OPTIONS)
    sound = yield from _sound(found, schema, source)
    if not sound:
        return None
    if overlapping(found):
        yield violation("partiql.overlap")
    meant = item_meant(plan.condition, source.table.key) if source.index is None else None
    return Reach(tuple(_spans(found, source)), single=meant is not None)


def _order_faults(plan: SelectPlan, schema: KeySchema, *, keyed: bool) -> Checks[None]:
    if not plan.order:
        return
    if plan.condition is None:
        yield violation("partiql.order-where")
    elif not keyed:
        yield violation("partiql.order-hash")
    stranger = next((name for name, _ in plan.order if name not in schema.names), None)
    if stranger is not None:
        yield violation("partiql.order-key", key=stranger)


def _key_conditions(found: Iterable[Branch], schema: KeySchema) -> Iterator[tuple[Clause, ...]]:
    for branch in found:
        for value in branch.hashes:
            hashed = Clause(schema.hash[0].name, "=", (value,))
            yield from ((hashed, ranged) for ranged in branch.ranges)
            if not branch.ranges:
                yield (hashed,)


def _sound(found: Sequence[Branch], schema: KeySchema, source: Source) -> Checks[bool]:
    """Whether all key values fit the schema; each fault is told once."""
    told: list[tuple[str, Any]] = []
    for clauses in _key_conditions(found, schema):
        faults, condition = every(_analysed(clauses, schema))
        if condition is not None:
            faults += length_faults(schema, condition)
        if source.index is None and faults and len(clauses) == len(schema.names) and _exact(clauses):
            faults = [violation("keys.schema-mismatch") if f.rule.name == _TYPE else f for f in faults]
        for fault in faults:
            if (fault.rule.name, dict(fault.params)) not in told:
                told.append((fault.rule.name, dict(fault.params)))
                yield fault
    return not told


_TYPE = "expressions.key-condition-type"


def _exact(clauses: Sequence[Clause]) -> bool:
    return all(clause.operator == "=" for clause in clauses)


def _analysed(clauses: Sequence[Clause], schema: KeySchema) -> Checks[KeyCondition | None]:
    return analyse(clauses, [(a.name, a.type) for a in schema.hash], [(a.name, a.type) for a in schema.range])


def _spans(found: Sequence[Branch], source: Source) -> Iterator[Span]:
    """The runs of rows of each partition in turn, a partition as a whole where a branch needs it."""
    wanted: dict[str, tuple[Any, list[Clause] | None]] = {}
    for branch in found:
        for value in branch.hashes:
            ranges = None if branch.open or not branch.ranges else list(branch.ranges)
            known = wanted.get(str(value))
            if known is None:
                wanted[str(value)] = (value, ranges)
            elif ranges is None or known[1] is None:
                wanted[str(value)] = (value, None)
            else:
                known[1].extend(ranges)
    for value, ranges in wanted.values():
        for clause in [None] if ranges is None else in_sort_order(ranges):
            yield span_of(source.view, _condition(value, clause))


def _condition(value: Any, clause: Clause | None) -> KeyCondition:
    if clause is None:
        return KeyCondition((value,))
    if clause.operator == "=":
        return KeyCondition((value,), clause.operands)
    return KeyCondition((value,), (), clause.operator, clause.operands)


def projection_faults(plan: SelectPlan, source: Source) -> Checks[None]:
    """What an index lacks of what is filtered by and selected (dataplane:PQL-14)."""
    index = source.index
    if index is not None and plan.condition is not None and _keyed(plan.condition, source.key.hash[0].name):
        lacking = source.lacks(roots(plan.condition))
        if lacking:
            attributes = ", ".join(lacking)
            yield violation("indexes.filter-not-projected", index=index.schema.name, attributes=attributes)
    yield from pages.projection_checks(source, None, _selected(plan.columns))
    yield from key_path_faults(source.table, plan.condition, projection_of(plan.columns))


def _keyed(condition: Condition, name: str) -> bool:
    """Whether a clause has, beside others that must hold, a condition of any form on the partition key."""
    return any(not isinstance(each, Or | Not) and mentions(each, name) for each in conjuncts(condition))


def _selected(columns: Sequence[Column] | None) -> list[str]:
    return list(dict.fromkeys(str(column.path.steps[0]) for column in columns or ()))


def projection_of(columns: Sequence[Column] | None) -> Projection | None:
    """The paths of a SELECT list, None for the star."""
    return None if columns is None else Projection(tuple(column.path for column in columns))


def shown(columns: Sequence[Column] | None) -> Callable[[Item], Item] | None:
    """What turns a row into what a SELECT list asks of it, None for the star (dataplane:PQL-13)."""
    return None if columns is None else partial(_row, columns)


def _row(columns: Sequence[Column], item: Item) -> Item:
    row: Item = {}
    for column in columns:
        value = lookup(column.path, item)
        if value is not None:
            row[column.name] = value
    return row


def select_page(plan: SelectPlan, source: Source, reach: Reach, request: Request, *, open_end: bool) -> Page:
    """One page of a SELECT."""
    condition = plan.condition
    reading = pages.Reading(
        keep=None if condition is None else partial(evaluate, condition),
        show=shown(plan.columns),
        fetch=pages.fetches(source, {}, _selected(plan.columns)),
    )
    body = {"Limit": request.limit, "ConsistentRead": request.consistent}
    start = None if request.start is None else source.row(request.start)
    page = pages.read_page(source, _rows(plan, source, reach, start), reading, body, open_end=open_end)
    if reach.single:
        page.last = None
    return page


def _rows(plan: SelectPlan, source: Source, reach: Reach, start: RowKey | None) -> Iterator[RowKey]:
    if reach.spans is None:
        yield from source.view.between(start, None, include_low=start is None)
        return
    ranged = {attribute.name for attribute in source.key.range}
    backward = any(descending for name, descending in plan.order if name in ranged)
    spans = list(reversed(reach.spans)) if backward else list(reach.spans)
    if start is not None:
        at = next((i for i, span in enumerate(spans) if not (start < span.low or span.high < start)), None)
        if at is None:
            return
        spans = spans[at:]
    for span in spans:
        yield from span.rows(source.view, start, forward=not backward)
        start = None


# Tokens: what a page is bound to is the digest of its statement and parameters.


def token_of(digest: str, start: Item) -> str:
    """The opaque NextToken of a page that ended at a key (dataplane:PQL-20)."""
    text = json.dumps([digest, start], separators=(",", ":"))
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


def start_of(token: str | None, digest: str, source: Source) -> Checks[Item | None]:
    """Where a NextToken goes on."""
    if token is None:
        return None
    made = _decoded(token)
    if made is None:
        yield violation("partiql.next-token")
        return None
    bound, start = made
    if bound != digest:
        yield violation("partiql.next-token-mismatch")
        return None
    if source.row(start) is None:
        yield violation("partiql.next-token")
        return None
    return start


def _decoded(token: str) -> tuple[str, Item] | None:
    try:
        made = json.loads(base64.b64decode(token, validate=True).decode("utf-8", "surrogatepass"))
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(made, list) or len(made) != 2 or not isinstance(made[0], str) or not _is_key(made[1]):
        return None
    return made[0], made[1]


def _is_key(value: Json) -> bool:
    return isinstance(value, dict) and all(
        isinstance(each, dict) and len(each) == 1 and all(isinstance(text, str) for text in each.values())
        for each in value.values()
    )
