"""Bugs of Query and Scan: pages, order, counts, projections, segments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from conformance.checks.base import table
from conformance.checks.steps import (
    PLAIN,
    SORTED,
    get,
    many,
    n,
    named,
    partition,
    placeholders,
    put,
    query,
    reply,
    s,
    scan,
)
from reference.api import Call, Item
from reference.operations import items, pages, queries, ranges, scans, start_keys
from reference.operations.base import Choice
from reference.service import Service
from reference.tables.view import TOP
from tests.planted.base import Body, Plant, answers, asks, originals, overlooks, patched, plant

real = originals(pages)
real_ranges = originals(ranges)
real_scans = originals(scans)
real_starts = originals(start_keys)
real_items = originals(items)


def _limit_after_filter(source: Any, rows: Iterator[Any], reading: Any, body: Body, *, open_end: bool) -> Any:
    """Limit counts what the filter keeps."""
    limit = body.get("Limit")
    if limit is None or reading.keep is None:
        return real.read_page(source, rows, reading, body, open_end=open_end)
    listed = list(rows)
    records = source.view.rows
    kept = [row for row in listed if reading.keep(records[row].item)]
    if len(kept) < limit:
        return real.read_page(source, iter(listed), reading, {**body, "Limit": None}, open_end=open_end)
    taken = listed[: listed.index(kept[limit - 1]) + 1]
    page = real.read_page(source, iter(taken), reading, {**body, "Limit": len(taken)}, open_end=True)
    if len(taken) == len(listed):
        page.last = None
    return page


def _one_more(source: Any, rows: Iterator[Any], reading: Any, body: Body, *, open_end: bool) -> Any:
    """A page holds one item more than Limit says."""
    limit = body.get("Limit")
    if limit is None:
        return real.read_page(source, rows, reading, body, open_end=open_end)
    return real.read_page(source, rows, reading, {**body, "Limit": limit + 1}, open_end=open_end)


def _filter_sees_projection(source: Any, rows: Iterator[Any], reading: Any, body: Body, *, open_end: bool) -> Any:
    """A filter sees only what the projection leaves."""
    keep, show = reading.keep, reading.show
    if keep is None or show is None:
        return real.read_page(source, rows, reading, body, open_end=open_end)
    narrowed = replace(reading, keep=lambda found: keep(show(found)))
    return real.read_page(source, rows, narrowed, body, open_end=open_end)


def _paged(read_page: Any) -> Any:
    return patched(pages, read_page=read_page)


def _end_unsaid(service: Service, call: Call, body: Body) -> Body:
    """A page on which the filter kept nothing has no LastEvaluatedKey."""
    return {k: v for k, v in body.items() if k != "LastEvaluatedKey"} if body["Count"] == 0 else body


def _end_said(service: Service, call: Call, body: Body) -> Body:
    """The last page of a Scan carries a LastEvaluatedKey too."""
    found = service.account.table(call.body["TableName"])
    if "LastEvaluatedKey" in body or not body.get("Items") or call.body.get("IndexName") or found is None:
        return body
    last: Item = body["Items"][-1]
    names = found.key.names
    return {**body, "LastEvaluatedKey": {k: last[k] for k in names}} if all(k in last for k in names) else body


def _end_is_next(service: Service, call: Call, body: Body) -> Body:
    """LastEvaluatedKey is the key of the first item of the next page, not of the last one read."""
    if "LastEvaluatedKey" not in body:
        return body
    following = service.outcomes(
        Call(call.operation, {**call.body, "ExclusiveStartKey": body["LastEvaluatedKey"], "Limit": 1})
    ).outcome
    key = following.body.get("LastEvaluatedKey") if following is not None else None
    return body if key is None else {**body, "LastEvaluatedKey": key}


def _end_without_range(service: Service, call: Call, body: Body) -> Body:
    """LastEvaluatedKey holds the partition key only."""
    if "LastEvaluatedKey" not in body:
        return body
    return {**body, "LastEvaluatedKey": {"pk": body["LastEvaluatedKey"]["pk"]}}


class _Span:
    """A span of another: its bounds are those of the one inside."""

    def __init__(self, span: Any) -> None:
        self.span = span

    def __getattr__(self, name: str) -> Any:
        return getattr(self.span, name)


class _Inclusive(_Span):
    """A span whose rows begin with the start row itself."""

    def rows(self, view: Any, start: Any, *, forward: bool) -> Iterator[Any]:
        if start is not None and start in view.rows:
            yield start
        yield from self.span.rows(view, start, forward=forward)


class _Forward(_Span):
    """A span that is always walked forward where the page is limited."""

    def __init__(self, span: Any, always: bool) -> None:
        super().__init__(span)
        self.always = always

    def rows(self, view: Any, start: Any, *, forward: bool) -> Iterator[Any]:
        rows: Iterator[Any] = self.span.rows(view, start, forward=forward or self.always)
        return rows


class _StartOver(_Span):
    """A span that, walked backwards, begins at its end whatever the start key."""

    def rows(self, view: Any, start: Any, *, forward: bool) -> Iterator[Any]:
        rows: Iterator[Any] = self.span.rows(view, start if forward else None, forward=forward)
        return rows


def _limited_forward(source: Any, rows: Any, reading: Any, body: Body, *, open_end: bool) -> Any:
    """ScanIndexForward is applied to a page after its Limit: the first items, turned round."""
    if body.get("ScanIndexForward") is not False or body.get("Limit") is None or body.get("ExclusiveStartKey"):
        return real.read_page(source, rows, reading, body, open_end=open_end)
    listed = list(rows)[::-1][: body["Limit"]][::-1]
    page = real.read_page(source, iter(listed), reading, body, open_end=open_end)
    page.last = listed[-1] if len(listed) == body["Limit"] else None
    return page


def _operator(wanted: str, given: str) -> Any:
    def span_of(view: Any, condition: Any) -> Any:
        changed = replace(condition, operator=given) if condition.operator == wanted else condition
        return real_ranges.span_of(view, changed)

    return patched(queries, span_of=span_of)


def _between_open(view: Any, condition: Any) -> Any:
    """BETWEEN of a key condition leaves out its upper bound."""
    span = real_ranges.span_of(view, condition)
    if condition.operator != "BETWEEN" or span.high[-1] is not TOP:
        return span
    return replace(span, high=span.high[:-1], include_high=False)


def _begins_exactly(view: Any, condition: Any) -> Any:
    """begins_with of a key condition finds equal keys only."""
    if condition.operator != "begins_with":
        return real_ranges.span_of(view, condition)
    span = real_ranges.span_of(view, condition)
    return replace(span, high=(*span.low, TOP))


def _with(wrap: Any) -> Any:
    return patched(queries, span_of=lambda view, condition: wrap(real_ranges.span_of(view, condition)))


def _count_scanned(service: Service, call: Call, body: Body) -> Body:
    return {**body, "Count": body["ScannedCount"]}


def _scanned_count(service: Service, call: Call, body: Body) -> Body:
    return {**body, "ScannedCount": body["Count"]}


def _count_with_items(service: Service, call: Call, body: Body) -> Body:
    """Select COUNT answers the items too."""
    if call.body.get("Select") != "COUNT":
        return body
    whole = service.outcomes(Call(call.operation, {k: v for k, v in call.body.items() if k != "Select"}), Choice())
    return {"Items": whole.outcome.body["Items"], **body} if whole.outcome is not None else body


def _overlap(segment: int, total: int) -> Any:
    """Segments share a part of the tokens."""
    low, high = real_starts.segment_bounds(segment, total)
    width = high[0] - low[0]
    return (max(0, low[0] - width // 2),), high


def _gap(segment: int, total: int) -> Any:
    """Segments leave a part of the tokens out."""
    low, high = real_starts.segment_bounds(segment, total)
    return low, (high[0] - (high[0] - low[0]) // 3,)


def _last_segment(body: Body) -> Body:
    """A Segment as large as TotalSegments is taken for the last one."""
    segment = body.get("Segment")
    if isinstance(segment, int) and segment > 0 and segment == body.get("TotalSegments"):
        return {**body, "Segment": segment - 1}
    return body


def _holes(paths: Any, item: Item) -> Item:
    """A projection of list elements keeps their places and fills the rest with NULL."""
    shown: Item = real_items.project(paths, item)
    for path in paths:
        if len(path.steps) == 2 and isinstance(path.steps[1], int) and "L" in item.get(str(path.steps[0]), {}):
            name = str(path.steps[0])
            wanted = {p.steps[1] for p in paths if len(p.steps) == 2 and p.steps[0] == path.steps[0]}
            held = item[name]["L"]
            filled = [e if i in wanted else {"NULL": True} for i, e in enumerate(held)]
            shown = {**shown, name: {"L": filled[: max(wanted) + 1]}}
    return shown


def _leaves_empty(paths: Any, item: Item) -> Item:
    """A projection below a map keeps the map, empty, where nothing of it is wanted."""
    shown: Item = real_items.project(paths, item)
    for path in paths:
        name = str(path.steps[0])
        if len(path.steps) > 1 and "M" in item.get(name, {}) and name not in shown:
            shown = {**shown, name: {"M": {}}}
    return shown


def _projected(project: Any) -> tuple[Any, ...]:
    return tuple(patched(module, project=project) for module in (items, queries, scans))


def _with_keys(service: Service, call: Call, body: Body) -> Body:
    """A projected GetItem answers the key as well."""
    if "Item" in body and call.body.get("ProjectionExpression"):
        return {**body, "Item": {**call.body["Key"], **body["Item"]}}
    return body


def _page_short(service: Service, call: Call, body: Body) -> Body:
    """A Scan of the whole table loses its last item."""
    if call.body.get("Limit") is not None or call.body.get("TotalSegments") or len(body.get("Items") or ()) < 3:
        return body
    return {**body, "Items": body["Items"][:-1], "Count": body["Count"] - 1, "ScannedCount": body["ScannedCount"] - 1}


def _read(name: str, about: str, tables: Any, *steps: Any, **hooks: Any) -> Plant:
    return plant(name, about, "scans" if steps[-1].operation == "Scan" else "queries", tables, *steps, **hooks)


_NUMBERED = {"t0": table(key="pk:S,sk:N")}
_THREE = tuple(put({"sk": s(key), "v": n(i)}) for i, key in enumerate("abc"))
_NUMBERS = tuple(put({"sk": n(i)}) for i in (1, 2, 3))
_SPREAD = tuple(put({"pk": s(key), "v": n(i)}) for i, key in enumerate("abcdefgh"))
_FEW = tuple(put({"pk": s(key), "v": n(i)}) for i, key in enumerate("abc"))
_ODD = {"FilterExpression": "v > :v", "ExpressionAttributeValues": {":v": n(0)}}
_LAST = reply(4, "LastEvaluatedKey")

PLANTS: tuple[Plant, ...] = (
    _read(
        "limit-after-filter", "Limit counts the items that a filter keeps.",
        SORTED, *_THREE, partition(Limit=1, **_ODD), patches=(_paged(_limit_after_filter),),
    ),
    _read(
        "page-one-more", "A page holds one item more than its Limit.",
        SORTED, *_THREE, partition(Limit=1), patches=(_paged(_one_more),),
    ),
    _read(
        "filter-sees-projection", "A filter sees only the projected attributes.",
        PLAIN, *_FEW, scan(**_ODD, ProjectionExpression="pk"), patches=(_paged(_filter_sees_projection),),
    ),
    _read(
        "end-missing-on-empty-page", "A page on which the filter keeps nothing has no LastEvaluatedKey.",
        SORTED, *_THREE, partition(Limit=1, FilterExpression="v > :v", ExpressionAttributeValues={":v": n(1)}),
        says=answers(_end_unsaid, "Query", "Scan"),
    ),
    _read(
        "end-on-last-page", "The last page of a Scan carries a LastEvaluatedKey.",
        PLAIN, *_FEW, scan(), says=answers(_end_said, "Scan"),
    ),
    _read(
        "end-is-next", "LastEvaluatedKey names the first item of the next page.",
        SORTED, *_THREE, partition(Limit=1), says=answers(_end_is_next, "Query"),
    ),
    _read(
        "scan-end-is-next", "A Scan's LastEvaluatedKey names the first item of the next page.",
        PLAIN, *_FEW, scan(Limit=1), says=answers(_end_is_next, "Scan"),
    ),
    _read(
        "end-without-range-key", "LastEvaluatedKey holds the partition key only.",
        SORTED, *_THREE, partition(Limit=1), says=answers(_end_without_range, "Query", "Scan"),
    ),
    _read(
        "start-key-included", "The item of ExclusiveStartKey is read again.",
        SORTED, *_THREE, partition(Limit=1), partition(Limit=1, ExclusiveStartKey=_LAST), patches=(_with(_Inclusive),),
    ),
    _read(
        "limited-backwards-is-turned-forwards", "ScanIndexForward false turns round the first page, not the order.",
        SORTED, *_THREE, partition(Limit=2, ScanIndexForward=False), patches=(_paged(_limited_forward),),
    ),
    _read(
        "backwards-ignored", "ScanIndexForward is ignored.",
        SORTED, *_THREE, partition(ScanIndexForward=False), patches=(_with(lambda span: _Forward(span, True)),),
    ),
    _read(
        "backwards-starts-over", "A backward Query ignores its start key.",
        SORTED, *_THREE, partition(Limit=1, ScanIndexForward=False),
        partition(Limit=1, ScanIndexForward=False, ExclusiveStartKey=_LAST), patches=(_with(_StartOver),),
    ),
    _read(
        "key-less-or-equal", "A key condition with <= leaves out equal keys.",
        _NUMBERED, *_NUMBERS, query("pk = :p AND sk <= :x", {"p": s("a"), "x": n(2)}),
        patches=(_operator("<=", "<"),),
    ),
    _read(
        "key-greater", "A key condition with > takes equal keys.",
        _NUMBERED, *_NUMBERS, query("pk = :p AND sk > :x", {"p": s("a"), "x": n(2)}), patches=(_operator(">", ">="),),
    ),
    _read(
        "key-between-open", "BETWEEN in a key condition leaves out its upper bound.",
        _NUMBERED, *_NUMBERS, query("pk = :p AND sk BETWEEN :x AND :y", {"p": s("a"), "x": n(1), "y": n(2)}),
        patches=(patched(queries, span_of=_between_open),),
    ),
    _read(
        "key-begins-with-equal", "begins_with in a key condition finds equal keys only.",
        SORTED, put({"sk": s("ab")}), query("pk = :p AND begins_with(sk, :x)", {"p": s("a"), "x": s("a")}),
        patches=(patched(queries, span_of=_begins_exactly),),
    ),
    _read(
        "count-before-filter", "Count is the number of items before the filter.",
        SORTED, *_THREE, partition(**_ODD), says=answers(_count_scanned, "Query", "Scan"),
    ),
    _read(
        "scanned-after-filter", "ScannedCount is the number of items after the filter.",
        PLAIN, *_FEW, scan(**_ODD), says=answers(_scanned_count, "Query", "Scan"),
    ),
    _read(
        "count-with-items", "Select COUNT answers the items too.",
        SORTED, *_THREE, partition(Select="COUNT"), says=answers(_count_with_items, "Query", "Scan"),
    ),
    _read(
        "segments-overlap", "The segments of a parallel Scan overlap.",
        PLAIN, *_SPREAD, scan(Segment=0, TotalSegments=2), scan(Segment=1, TotalSegments=2),
        patches=(patched(scans, segment_bounds=_overlap),),
    ),
    _read(
        "segments-leave-gap", "The segments of a parallel Scan leave items out.",
        PLAIN, *_SPREAD, scan(Segment=0, TotalSegments=2), scan(Segment=1, TotalSegments=2),
        patches=(patched(scans, segment_bounds=_gap),),
    ),
    _read(
        "scan-loses-last", "A Scan of more than two items loses the last.",
        PLAIN, *_FEW, scan(), says=answers(_page_short, "Scan"),
    ),
    _read(
        "projection-leaves-holes", "Projected list elements keep their places, with NULL between.",
        PLAIN, put({"v": many(n(1), n(2), n(3))}), get(ProjectionExpression="v[2]"), patches=_projected(_holes),
    ),
    _read(
        "projection-leaves-empty-map", "A projection of a missing member answers an empty map.",
        PLAIN, put({"v": named(x=n(1))}), get(ProjectionExpression="v.y"), patches=_projected(_leaves_empty),
    ),
    _read(
        "projection-with-key", "A projected GetItem answers the key as well.",
        PLAIN, put({"v": n(1)}), get(ProjectionExpression="v"), says=answers(_with_keys, "GetItem"),
    ),
    _read(
        "filter-on-key-accepted", "A Query's filter may name the key it queries by.",
        SORTED, *_THREE, partition(FilterExpression="sk > :s", **placeholders({"s": s("a")})),
        passes=overlooks("expressions.filter-on-key"),
    ),
    _read(
        "segment-out-of-range", "A Segment as large as TotalSegments is accepted.",
        PLAIN, *_FEW, scan(Segment=2, TotalSegments=2),
        asks=asks(_last_segment, "Scan"),
    ),
)  # fmt: skip
