"""Pages of Scan and Query: every lawful order and chain passes, lost, repeated and misplaced items do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.oracle.latitude import Latitude
from reference.api import Call, Json
from tests.unit.oracle_bench import NAME, Bench, body, call, n, put


def row(pk: str, sk: int, **more: Json) -> dict[str, Json]:
    return {"pk": {"S": pk}, "sk": n(sk), **more}


def key(item: dict[str, Json]) -> dict[str, Json]:
    return {name: item[name] for name in ("pk", "sk")}


def page(items: Sequence[Json], last: Json = None, scanned: int | None = None) -> dict[str, Json]:
    shown = {"Items": list(items), "Count": len(items), "ScannedCount": len(items) if scanned is None else scanned}
    return shown if last is None else {**shown, "LastEvaluatedKey": last}


A1, A2, B1, C1 = row("a", 1), row("a", 2), row("b", 1), row("c", 1)
ROWS = (A1, A2, B1, C1)


def filled(rows: Sequence[dict[str, Json]] = ROWS, **indexes: Any) -> Bench:
    bench = Bench(key="pk:S,sk:N", **indexes)
    for each in rows:
        bench.lawful(call("PutItem", Item=each))
    return bench


def scan(**members: Json) -> Call:
    return Call("Scan", body(**members))


class TestScan:
    @pytest.mark.parametrize("rows", [(A1, A2, B1, C1), (C1, B1, A1, A2), (B1, A1, A2, C1)])
    def test_partitions_come_in_any_order(self, rows: Sequence[Json]) -> None:
        filled().accepts(scan(), page(rows))

    def test_inside_a_partition_there_is_an_order(self) -> None:
        found = filled().faults(scan(), page((A2, A1, B1, C1)))
        assert (found.severity, found.path) == ("data", "Items:order")

    @pytest.mark.parametrize(
        ("rows", "path"),
        [
            ((A1, A2, B1), "Items.*:missing"),
            ((A1, A2, B1, C1, C1), "Items.*:repeated"),
            ((A1, A2, B1, C1, row("d", 1)), "Items.*:unexpected"),
            ((A1, A2, B1, row("c", 1, v=n(1))), "item.*:extra"),
        ],
    )
    def test_what_is_lost_repeated_or_made_up(self, rows: Sequence[Json], path: str) -> None:
        found = filled().faults(scan(), page(rows))
        assert (found.severity, found.path) == ("data", path)

    def test_counts(self) -> None:
        wrong = {**page(ROWS), "Count": 3}
        assert filled().faults(scan(), wrong).path == "Count:value"
        assert filled().faults(scan(), page(ROWS, scanned=5)).path == "ScannedCount:value"
        filled().accepts(scan(Select="COUNT"), {"Count": 4, "ScannedCount": 4})
        assert filled().faults(scan(Select="COUNT"), page(ROWS)).path == "Items:extra"

    def test_a_filter(self) -> None:
        asked = scan(FilterExpression="sk > :one", ExpressionAttributeValues={":one": n(1)})
        filled().accepts(asked, page((A2,), scanned=4))
        assert filled().faults(asked, page((A2, B1), scanned=4)).path == "Items.*:unexpected"
        assert filled().faults(asked, page((), scanned=4)).path == "Items.*:missing"


class TestChains:
    def chain(self, bench: Bench, *pages: Sequence[dict[str, Json]], limit: int = 2) -> list[str]:
        """Ask page after page; what the oracle finds wrong."""
        found: list[str] = []
        start: Json = None
        for position, rows in enumerate(pages):
            more = {} if start is None else {"ExclusiveStartKey": start}
            start = key(rows[-1]) if position + 1 < len(pages) else None
            verdict = bench.judge(scan(Limit=limit, **more), page(rows, start))
            found += [verdict.divergence.path] if verdict.divergence else []
        return found

    def test_a_whole_chain(self) -> None:
        assert self.chain(filled(), (C1, A1), (A2, B1), limit=2) == []

    def test_a_chain_that_ends_too_soon(self) -> None:
        assert self.chain(filled(), (C1, A1), (A2,), limit=2) == ["Items.*:missing"]

    def test_an_item_on_two_pages(self) -> None:
        assert self.chain(filled(), (C1, A1), (A1, A2), limit=2) == ["Items.*:repeated"]

    def test_an_item_written_meanwhile_may_come_or_not(self) -> None:
        for last in ((B1,), (B1, row("d", 1))):
            bench = filled()
            bench.accepts(scan(Limit=3), page((C1, A1, A2), key(A2)))
            bench.lawful(call("PutItem", Item=row("d", 1)))
            bench.accepts(scan(Limit=3, ExclusiveStartKey=key(A2)), page(last))

    def test_a_page_larger_than_its_limit(self) -> None:
        assert filled().faults(scan(Limit=2), page((C1, A1, A2), key(A2))).path == "ScannedCount:value"

    def test_a_page_that_ends_where_nothing_ends_it(self) -> None:
        assert filled().faults(scan(), page((C1, A1), key(A1))).path == "LastEvaluatedKey:extra"
        assert filled().faults(scan(Limit=3), page((C1, A1), key(A1))).path == "LastEvaluatedKey:extra"

    def test_a_last_key_that_is_not_the_last_items(self) -> None:
        assert filled().faults(scan(Limit=2), page((C1, A1), key(A2))).path == "LastEvaluatedKey.*.N:value"
        assert filled().faults(scan(Limit=2), page((C1, A1), {"pk": {"S": "a"}})).path == "LastEvaluatedKey.*:missing"

    def test_a_last_key_of_no_item(self) -> None:
        asked = scan(Limit=2, FilterExpression="attribute_exists(v)")
        filled().accepts(asked, page((), key(A1), scanned=2))
        assert filled().faults(asked, page((), key(row("z", 9)), scanned=2)).path == "LastEvaluatedKey:value"


class TestSegments:
    def ask(self, bench: Bench, *segments: Sequence[dict[str, Json]]) -> list[str]:
        found = []
        for number, rows in enumerate(segments):
            verdict = bench.judge(scan(Segment=number, TotalSegments=len(segments)), page(rows))
            found += [verdict.divergence.path] if verdict.divergence else []
        return found

    def test_any_split_of_partitions(self) -> None:
        assert self.ask(filled(), (A1, A2), (B1, C1)) == []
        assert self.ask(filled(), (), (C1, A1, A2, B1)) == []

    def test_an_item_in_two_segments(self) -> None:
        assert self.ask(filled(), (A1, A2, B1), (B1, C1)) == ["Items.*:in-two-segments"]

    def test_an_item_in_none(self) -> None:
        assert self.ask(filled(), (A1, A2), (B1,)) == ["Items.*:missing"]


class TestIndexes:
    TIED = (row("a", 1, g={"S": "x"}), row("b", 1, g={"S": "x"}), row("c", 1, g={"S": "y"}))

    def asked(self, **members: Json) -> Call:
        return call(
            "Query", IndexName="by-g", KeyConditionExpression="g = :g",
            ExpressionAttributeValues={":g": {"S": "x"}}, **members,
        )  # fmt: skip

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_equal_index_keys_come_in_any_order(self, order: tuple[int, ...]) -> None:
        filled(self.TIED, gsi=["by-g=g:S"]).accepts(self.asked(), page([self.TIED[i] for i in order]))

    def test_none_of_them_may_be_lost(self) -> None:
        found = filled(self.TIED, gsi=["by-g=g:S"]).faults(self.asked(), page(self.TIED[:1]))
        assert (found.severity, found.path) == ("data", "Items.*:missing")

    def test_a_last_key_names_both_keys(self) -> None:
        first = self.TIED[0]
        whole = {name: first[name] for name in ("pk", "sk", "g")}
        filled(self.TIED, gsi=["by-g=g:S"]).accepts(self.asked(Limit=1), page([first], whole))
        found = filled(self.TIED, gsi=["by-g=g:S"]).faults(self.asked(Limit=1), page([first], key(first)))
        assert found.path == "LastEvaluatedKey.*:missing"


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data())
def test_any_lawful_walk_passes_and_any_loss_is_seen(data: st.DataObject) -> None:
    """Partitions in a drawn order, cut into pages by a drawn limit; then the same with one item left out."""
    order = data.draw(st.permutations(["a", "b", "c"]))
    rows = [each for name in order for each in ROWS if each["pk"]["S"] == name]
    limit = data.draw(st.integers(1, 5))
    for gone in (None, data.draw(st.integers(0, len(rows) - 1))):
        shown = [each for position, each in enumerate(rows) if position != gone]
        bench, start, faults = filled(), None, 0
        for at in range(0, len(shown), limit):
            part = shown[at : at + limit]
            ends = at + limit >= len(shown)
            more = {} if start is None else {"ExclusiveStartKey": start}
            start = None if ends else key(part[-1])
            faults += bench.judge(scan(Limit=limit, **more), page(part, start)).divergence is not None
        assert faults == (gone is not None)


def test_rows_that_take_turns_to_look_alike_may_come_from_different_moments() -> None:
    bench = Bench(Latitude(staleness=5.0), key="pk:S")
    for pk, v in (("a", 1), ("b", 2), ("a", 2), ("b", 1)):
        bench.lawful(call("PutItem", Item={"pk": {"S": pk}, "v": n(v)}))
    bench.accepts(call("Scan", ProjectionExpression="v"), page([{"v": n(1)}, {"v": n(1)}]))
    assert bench.faults(call("Scan", ProjectionExpression="v"), page([{"v": n(1)}, {"v": n(3)}])).severity == "data"


def big(*sks: int) -> list[dict[str, Json]]:
    return [row("a", sk, v={"S": "x" * 300_000}) for sk in sks]


WHOLE = call("Query", KeyConditionExpression="pk = :v", ExpressionAttributeValues={":v": {"S": "a"}})


@pytest.mark.parametrize(("shown", "fits"), [(3, True), (4, True), (2, False), (5, False)])
def test_what_fills_a_page_is_open_by_one_row(shown: int, fits: bool) -> None:
    items = big(1, 2, 3, 4, 5)
    bench = filled(items)
    told = page(items[:shown], None if shown == 5 else key(items[shown - 1]))
    if fits:
        bench.accepts(WHOLE, told)
    else:
        assert bench.faults(WHOLE, told).severity == "data"


def test_a_page_that_evaluates_more_than_it_shows_is_wrong() -> None:
    items = big(1, 2, 3, 4, 5)
    assert filled(items).faults(WHOLE, page(items[:3], key(items[2]), 4)).severity == "data"


def test_a_stale_scan_is_charged_for_items_of_any_moments_inside_the_bound() -> None:
    # Sizes as they were at moments of their own, of items that a filter hides, add up to what no one moment held.
    asked = call("Scan", FilterExpression="attribute_exists(zz)", ReturnConsumedCapacity="TOTAL")
    for wait, passes in ((0.0, True), (6.0, False)):
        bench = Bench(Latitude(staleness=5.0), key="pk:S")
        bench.lawful(put("a", v={"S": "x" * 5000}))
        bench.now += wait
        charged = {"TableName": NAME, "CapacityUnits": 0.5}
        told = {"Items": [], "Count": 0, "ScannedCount": 1, "ConsumedCapacity": charged}
        assert (bench.judge(asked, told).divergence is None) is passes
