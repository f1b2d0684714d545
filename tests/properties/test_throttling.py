"""Throughput: what is spent never exceeds what has flowed in and what was kept; heat is relieved where it can be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.oracle.judge import Oracle
from conformance.oracle.latitude import Latitude
from conformance.session import Session
from conformance.targets.inprocess import ReferenceTransport
from reference.account import Account
from reference.api import Success
from reference.capacity.bucket import Bucket
from reference.capacity.load import Throttling
from reference.capacity.meter import Meter
from reference.capacity.uses import ROOM
from reference.clock import ManualClock
from reference.partitions.heat import Heat
from reference.partitions.ranges import Partitions
from reference.service import Service
from reference.tables.view import TOKENS
from tests.perturbed import campaign
from tests.throttled import Shop, reasons

CALM = settings(deadline=None, max_examples=100, derandomize=True)
BRIEF = settings(CALM, max_examples=12)
COMMON = ("items", "batches", "transactions", "partiql", "queries")
SMALL = Throttling(partition_reads=30, partition_writes=10, split_after=5.0)
"""Partitions a hundred times smaller than DynamoDB's, so that few requests make them hot."""


@CALM
@given(
    st.integers(1, 50),
    st.floats(1, 300),
    st.lists(st.tuples(st.floats(0, 20), st.floats(0.5, 400)), max_size=60),
)
def test_a_bucket_spends_what_came_in_and_what_it_kept(
    rate: int, burst: float, asked: list[tuple[float, float]]
) -> None:
    bucket, now, spent = Bucket(rate, burst, 0.0), 0.0, 0.0
    largest = 0.0
    for wait, units in asked:
        now += wait
        if bucket.has(units, now):
            bucket.take(units)
            spent += units
            largest = max(largest, units - bucket.most)
        assert spent <= rate * (1.0 + now) + max(0.0, largest) + 1e-6
        assert bucket.tokens <= rate * burst + 1e-6


@BRIEF
@given(
    st.integers(1, 20),
    st.lists(st.tuples(st.floats(0, 30), st.integers(1, 40)), min_size=1, max_size=25),
)
def test_a_table_never_serves_more_than_its_units(units: int, bursts: list[tuple[float, int]]) -> None:
    shop = Shop(options={"units": (units, units)})
    start, served = shop.clock.now(), 0
    for wait, count in bursts:
        shop.clock.advance(wait)
        served += shop.served(shop.put("a", n) for n in range(count))
        assert served <= units * (1.0 + shop.clock.now() - start) + 1e-6


@BRIEF
@given(st.integers(2, 30), st.integers(0, 299))
def test_what_is_not_used_is_kept_for_five_minutes(units: int, seconds: int) -> None:
    shop = Shop(options={"units": (units, units)})
    shop.clock.advance(seconds)
    assert shop.served(shop.put("a", n) for n in range(1000)) == min(1000, units * (seconds + 1), units * 300)


def hot(shop: Shop, seconds: int, each: int, *, rising: bool = False) -> list[int]:
    """What is served each second of writes that go round one item collection, or on and on in it."""
    served = []
    for second in range(seconds):
        shop.clock.advance(1.0)
        first = second * each if rising else 0
        served.append(shop.served(shop.put("a", first + n * 7 % each) for n in range(each)))
    return served


def test_a_hot_key_throttles_while_the_table_is_idle_and_a_split_relieves_it() -> None:
    shop = Shop(SMALL, options={"units": (100, 100)})
    served = hot(shop, 12, 16)
    assert served[:4] == [10, 10, 10, 10]
    assert served[-1] == 16
    assert shop.put("b", 1) == Success({})


def test_the_reason_is_the_key_range() -> None:
    shop = Shop(SMALL, options={"units": (100, 100)})
    replies = [shop.put("a", n) for n in range(11)]
    assert shop.served(replies) == 10
    assert reasons(replies[-1]) == ["TableWriteKeyRangeThroughputExceeded"]


def test_a_local_index_keeps_its_collections_whole() -> None:
    shop = Shop(SMALL, options={"units": (100, 100), "local": True})
    assert set(hot(shop, 20, 16)) == {10}


def test_a_growing_sort_key_is_not_split() -> None:
    shop = Shop(SMALL, options={"units": (100, 100)})
    shop.clock.advance(1.0)
    for second in range(20):
        shop.clock.advance(1.0)
        assert shop.served(shop.put("a", second * 16 + n) for n in range(16)) == 10


def test_a_single_hot_item_stays_hot() -> None:
    shop = Shop(SMALL, options={"units": (100, 100)})
    for _ in range(20):
        shop.clock.advance(1.0)
        assert shop.served(shop.put("a", 1) for _ in range(16)) == 10


def test_a_split_takes_a_neighbour_out_of_the_heat() -> None:
    shop = Shop(SMALL, options={"units": (100, 100)})
    for _ in range(10):
        shop.clock.advance(1.0)
        for n in range(16):
            shop.put("a", 1 if n % 4 else 2)
    shop.clock.advance(1.0)
    assert shop.served(shop.put("a", 1) for _ in range(16)) == 10
    assert shop.served(shop.put("a", 2) for _ in range(5)) == 5


def test_without_adaptive_capacity_a_partition_has_its_share_alone() -> None:
    shop = Shop(replace(SMALL, adaptive=False), options={"units": (40, 40)})
    assert len(shop.load().partitions) == 4
    shop.clock.advance(1.0)
    assert shop.served(shop.put("a", n) for n in range(100)) <= 2 * 10
    adaptive = Shop(replace(SMALL, partition_writes=40), options={"units": (40, 40)})
    assert adaptive.served(adaptive.put("a", n) for n in range(100)) == 40


def spread_out(shop: Shop, count: int) -> int:
    """Writes of as many partition keys, each once."""
    return shop.served(shop.put(f"key-{n}", 1) for n in range(count))


def test_a_new_on_demand_table_serves_four_thousand_writes_a_second() -> None:
    shop = Shop()
    assert len(shop.load().partitions) == 4
    # Keys fall into four partitions as they are hashed, not evenly.
    assert 3_800 < spread_out(shop, 4_400) <= 4_000


def test_partitions_for_twice_a_peak_come_when_it_is_half_an_hour_old() -> None:
    shop = Shop(replace(SMALL, partition_reads=12_000, partition_writes=1_000, growth=1_800.0))
    before = len(shop.load().partitions)
    assert before == 4
    load, now = shop.load(), shop.clock.now()
    # A minute of 4,000 writes a second, counted at once.
    load.used("Write", (1,), 240_000.0, now)
    shop.clock.advance(60.0)
    shop.load().used("Write", (1,), 1.0, shop.clock.now())
    shop.clock.advance(1_799.0)
    assert len(shop.load().partitions) == 4
    shop.clock.advance(1.0)
    assert len(shop.load().partitions) == 8


class Stone:
    def copy(self) -> Stone:
        return self


@CALM
@given(st.integers(1, 20), st.lists(st.integers(1, TOKENS - 1), max_size=30))
def test_partitions_have_no_gap_and_no_overlap(first: int, cuts: list[int]) -> None:
    parts = Partitions([Stone() for _ in range(first)])
    for cut in cuts:
        part = parts.of((cut,))
        if part.low != (cut,):
            parts.split(part, (cut,), Stone())
    assert sum(parts.share(part) for part in parts) == 1.0 or abs(sum(map(parts.share, parts)) - 1.0) < 1e-9
    lows = [part.low for part in parts]
    assert lows == sorted(lows)
    assert lows[0] == ()
    for part in parts:
        assert parts.of(part.low) is part
    assert sorted(part.number for part in parts) == list(range(len(parts)))
    assert [part.low for part in parts.copy()] == lows


@CALM
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.floats(0.5, 9)), min_size=1, max_size=40))
def test_a_cut_leaves_heat_on_both_sides(asked: list[tuple[int, int, float]]) -> None:
    heat = Heat()
    for token, sort, units in asked:
        heat.add((token, "k", sort), units)
    cut = heat.cut(2, whole=True)
    if cut is not None:
        assert any(row < cut for row in heat.rows)
        assert any(row >= cut for row in heat.rows)
        assert len({row[:2] for row in heat.rows if row < cut} & {row[:2] for row in heat.rows if row >= cut}) == 0
    elif not heat.rising:
        assert len({row[:2] for row in heat.rows}) == 1


@pytest.mark.parametrize("seed", range(2))
def test_throttled_answers_are_lawful_where_a_target_says_so(seed: int) -> None:
    throttled = 0
    for program, _ in campaign(seed, programs=2, capabilities=COMMON):
        clock = ManualClock()
        account = Account(clock)
        account.rooms[ROOM] = Meter(Throttling(partition_reads=4, partition_writes=3))
        symbols = {*program.tables, "t0", "t1", "t2"}
        names = {f"table:{symbol}": f"tab-{symbol}" for symbol in symbols}
        names |= {"token:a": "token-a", "token:b": "token-b"}
        names |= {f"arn:{symbol}": account.arn(f"table/tab-{symbol}") for symbol in program.tables}
        latitude = Latitude(throttling=True, partial_batches=True)
        session = Session(
            ReferenceTransport(Service(account)), Oracle(latitude, start=clock.now()), names, clock=clock.now
        )
        session.run(program)
        wrong = [judged.verdict.divergence for judged in session.ops if judged.verdict.ruling == "violated"]
        assert not wrong, wrong[0]
        throttled += sum("Throughput" in str(judged.op.reply) for judged in session.ops)
    assert throttled > 0
