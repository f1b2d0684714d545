"""Query (dataplane:QRY, KCE, IDX)."""

from __future__ import annotations

from functools import partial
from typing import Any

from reference.api import Item
from reference.expressions import legacy, request
from reference.expressions.against_schema import filter_on_key
from reference.expressions.condition import evaluate
from reference.expressions.key_condition import Clause, KeyCondition, analyse
from reference.expressions.projection import project
from reference.expressions.tree import Condition, Kind, Projection
from reference.operations import pages
from reference.operations.base import Context, Operation, Outcome
from reference.operations.pages import Source
from reference.operations.paths import roots
from reference.operations.ranges import length_faults, span_of, start_faults
from reference.operations.shared import goes_deep, key_path_faults, start_key_of, table_of
from reference.operations.start_keys import query_start_faults
from reference.rules import Checks, violation

_KINDS: tuple[Kind, ...] = ("KeyCondition", "Filter", "Projection")


def query(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """Query: checks of the request alone, then of the table, the index and the keys, then one page."""
    asked = yield from _read(context, body)
    table = yield from table_of(context, body.get("TableName"))
    if table is None:
        return None
    source = yield from pages.source_of(table, body, "vectors.query")
    if source is None:
        return None
    start, clauses, filtered, projection = asked
    if start is not None:
        yield from query_start_faults(source, start)
    condition = yield from _condition(source, clauses, start, legacy_keys=bool(body.get("KeyConditions")))
    yield from _filter_checks(source, filtered, legacy_filter=body.get("QueryFilter") is not None)
    names = roots(projection)
    yield from pages.projection_checks(source, body.get("Select"), names)
    if goes_deep(body):
        yield from key_path_faults(table, filtered, projection)
    if condition is None:
        return None
    reading = pages.Reading(
        keep=None if filtered is None else partial(evaluate, filtered),
        show=None if projection is None else partial(project, projection.paths),
        fetch=pages.fetches(source, body, names),
    )
    return _answer(context, source, condition, reading, start, body)


def _read(
    context: Context, body: dict[str, Any]
) -> Checks[tuple[Item | None, tuple[Clause, ...] | None, Condition | None, Projection | None]]:
    """What the request asks for, by itself (dataplane:ORD-3)."""
    yield from request.mixing(context.operation, body, _KINDS)
    filtered = yield from legacy.filters(body, "QueryFilter", context.layer)
    projection = yield from legacy.attributes_to_get(body)
    start = yield from start_key_of(context, body)
    yield from legacy.key_condition_given(body)
    expressions = yield from _expressions(context, body)
    yield from pages.select_checks(body)
    clauses = yield from legacy.key_conditions(body, context.layer)
    if expressions is not None:
        clauses = clauses or expressions.key_condition
        filtered = filtered or expressions.filter
        projection = projection or expressions.projection
    return start, clauses, filtered, projection


def _expressions(context: Context, body: dict[str, Any]) -> Checks[request.Expressions | None]:
    given = [kind for kind in _KINDS if body.get(f"{kind}Expression") is not None]
    if not given:
        return None
    stand_for = yield from request.placeholders(context.operation, body, context.layer)
    expressions = yield from request.parse_all(body, given, stand_for)
    yield from request.unused(body, given, stand_for)
    return expressions


def _condition(
    source: Source, clauses: tuple[Clause, ...] | None, start: Item | None, *, legacy_keys: bool
) -> Checks[KeyCondition | None]:
    """The key condition against the schema, and the start key against the key condition."""
    if clauses is None:
        return None
    schema = source.key
    condition = yield from analyse(
        clauses,
        [(a.name, a.type) for a in schema.hash],
        [(a.name, a.type) for a in schema.range],
        legacy=legacy_keys,
    )
    if condition is None:
        return None
    yield from length_faults(schema, condition)
    if start is not None and source.row(start) is not None:
        yield from start_faults(schema, condition, start)
    return condition


def _filter_checks(source: Source, filtered: Condition | None, *, legacy_filter: bool) -> Checks[None]:
    """A filter may not name the key it queries by, nor what the index lacks (dataplane:KCE-10, conflicts:71)."""
    if filtered is None:
        return
    yield from filter_on_key(filtered, source.key.names, legacy=legacy_filter)
    lacking = source.lacks(roots(filtered))
    if lacking and source.index is not None:
        yield violation("indexes.filter-not-projected", index=source.index.schema.name, attributes=", ".join(lacking))


def _answer(
    context: Context,
    source: Source,
    condition: KeyCondition,
    reading: pages.Reading,
    start: Item | None,
    body: dict[str, Any],
) -> Outcome:
    start_row = None if start is None else source.row(start)
    rows = span_of(source.view, condition).rows(
        source.view, start_row, forward=body.get("ScanIndexForward") is not False
    )
    page = pages.read_page(source, rows, reading, body, open_end=context.choice.open_end)
    rules: tuple[str, ...] = ("queries.result", "queries.order", "queries.page")
    if source.index is None and not source.key.range and page.last is not None:
        page.last = None
        rules += ("queries.hash-only-page",)
    begin = source.view.prefix(condition.hash) if context.metered else ()
    return pages.answer(context, source, page, body, rules, begin)


OPERATIONS: dict[str, Operation] = {"Query": query}
