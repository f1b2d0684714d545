"""Scan (dataplane:SCAN, QRY)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from reference.api import Item
from reference.expressions import legacy, request
from reference.expressions.condition import evaluate
from reference.expressions.projection import project
from reference.expressions.tree import Condition, Kind, Projection
from reference.operations import pages
from reference.operations.base import Context, Operation, Outcome
from reference.operations.pages import Source
from reference.operations.paths import roots
from reference.operations.shared import goes_deep, key_path_faults, start_key_of, table_of
from reference.operations.start_keys import scan_start_faults, segment_bounds, segment_fault
from reference.rules import Checks, violation
from reference.tables.view import RowKey

_KINDS: tuple[Kind, ...] = ("Filter", "Projection")


def scan(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """Scan: checks of the request alone, then of the table, the index and the start key, then one page."""
    start, filtered, projection = yield from _read(context, body)
    table = yield from table_of(context, body.get("TableName"))
    if table is None:
        return None
    source = yield from pages.source_of(table, body, "vectors.scan")
    if source is None:
        return None
    start_row = None
    if start is not None:
        start_row = yield from _start_row(source, start, body)
    names = roots(projection)
    yield from pages.projection_checks(source, body.get("Select"), names)
    if goes_deep(body):
        yield from key_path_faults(table, filtered, projection)
    segment = _segment(body)
    if segment is not None and not 0 <= segment[0] < segment[1]:
        return None
    reading = pages.Reading(
        keep=None if filtered is None else partial(evaluate, filtered),
        show=None if projection is None else partial(project, projection.paths),
        fetch=pages.fetches(source, body, names),
    )
    rows = _rows(source, segment, start_row)
    page = pages.read_page(source, rows, reading, body, open_end=context.choice.open_end)
    rules: tuple[str, ...] = ("scans.result", "queries.page", "capacity.scan-minimum")
    if segment is not None:
        rules += ("scans.segments",)
    return pages.answer(context, source, page, body, rules)


def _read(context: Context, body: dict[str, Any]) -> Checks[tuple[Item | None, Condition | None, Projection | None]]:
    """What the request asks for, by itself (dataplane:ORD-4)."""
    yield from request.mixing(context.operation, body, _KINDS)
    projection = yield from legacy.attributes_to_get(body)
    filtered = yield from legacy.filters(body, "ScanFilter", context.layer)
    start = yield from start_key_of(context, body)
    yield from _segment_checks(body)
    given = [kind for kind in _KINDS if body.get(f"{kind}Expression") is not None]
    if given:
        stand_for = yield from request.placeholders(context.operation, body, context.layer)
        expressions = yield from request.parse_all(body, given, stand_for)
        yield from request.unused(body, given, stand_for)
        if expressions is not None:
            filtered = filtered or expressions.filter
            projection = projection or expressions.projection
    yield from pages.select_checks(body)
    return start, filtered, projection


def _segment_checks(body: dict[str, Any]) -> Checks[None]:
    segment, total = body.get("Segment"), body.get("TotalSegments")
    if segment is not None and total is None:
        yield violation("scans.segment-without-total")
    if total is not None and segment is None:
        yield violation("scans.total-without-segment")
    if segment is not None and total is not None and segment >= total:
        yield violation("scans.segment-range", segment=segment, total=total)


def _segment(body: dict[str, Any]) -> tuple[int, int] | None:
    segment, total = body.get("Segment"), body.get("TotalSegments")
    return None if segment is None or total is None else (segment, total)


def _start_row(source: Source, start: Item, body: dict[str, Any]) -> Checks[RowKey | None]:
    yield from scan_start_faults(source, start)
    row = source.row(start)
    segment = _segment(body)
    if row is not None and segment is not None and 0 <= segment[0] < segment[1]:
        fault = segment_fault(row, *segment)
        if fault is not None:
            yield fault
    return row


def _rows(source: Source, segment: tuple[int, int] | None, start: RowKey | None) -> Iterator[RowKey]:
    low: RowKey | None = None
    high: RowKey | None = None
    if segment is not None:
        low, high = segment_bounds(*segment)
    if start is not None:
        return source.view.between(start, high, include_low=False)
    return source.view.between(low, high)


OPERATIONS: dict[str, Operation] = {"Scan": scan}
