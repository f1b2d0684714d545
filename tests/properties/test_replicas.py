"""Replicas converge whatever order their writes arrive in, and nothing that was written is lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.account import Account
from reference.api import Call, Success
from reference.clock import ManualClock
from reference.replicas.world import Link, World
from reference.service import Service

REGIONS = ("us-east-1", "eu-west-1", "us-west-2")
TABLE = {
    "TableName": "tab",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
LAGS = st.sampled_from([0.0, 0.5, 1.0, 7.0])
EVENTS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(REGIONS), st.sampled_from("ab")),
    st.tuples(st.just("delete"), st.sampled_from(REGIONS), st.sampled_from("ab")),
    st.tuples(st.just("pass"), LAGS, st.none()),
    st.tuples(st.just("link"), st.permutations(REGIONS), LAGS),
    st.tuples(st.just("cut"), st.permutations(REGIONS), st.booleans()),
)


def world_with_replicas() -> tuple[World, ManualClock]:
    clock = ManualClock()
    world = World(Account(clock))
    home = Service(world.account(REGIONS[0]))
    assert isinstance(home.execute(Call("CreateTable", TABLE)), Success)
    for region in REGIONS[1:]:
        update = {"TableName": "tab", "ReplicaUpdates": [{"Create": {"RegionName": region}}]}
        assert isinstance(home.execute(Call("UpdateTable", update)), Success)
        assert isinstance(home.execute(Call("DescribeTable", {"TableName": "tab"})), Success)
    return world, clock


def apply(world: World, clock: ManualClock, number: int, event: Any) -> tuple[str, str] | None:
    """Do what was drawn; the key and value that were written, "" for a deletion."""
    kind, what, detail = event
    if kind == "pass":
        clock.advance(what)
    elif kind == "link":
        world.set_link(what[0], what[1], Link(detail))
    elif kind == "cut":
        world.cut(what[0], what[1], cut=detail)
    else:
        key = {"pk": {"S": detail}}
        value = f"{number}" if kind == "put" else ""
        call = (
            Call("PutItem", {"TableName": "tab", "Item": {**key, "v": {"S": value}}})
            if value
            else Call("DeleteItem", {"TableName": "tab", "Key": key})
        )
        assert isinstance(Service(world.account(what)).execute(call), Success)
        return detail, value
    return None


def held(world: World, region: str) -> dict[str, str]:
    table = world.account(region).tables["tab"]
    return {item["pk"]["S"]: item["v"]["S"] for item in table.items()}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(EVENTS, max_size=25))
def test_replicas_converge_to_a_write_that_was_made(events: list[Any]) -> None:
    world, clock = world_with_replicas()
    written: dict[str, set[str]] = {"a": {""}, "b": {""}}
    for number, event in enumerate(events, 1):
        done = apply(world, clock, number, event)
        if done is not None:
            written[done[0]].add(done[1])
        for region in REGIONS:
            assert all(value in written[key] for key, value in held(world, region).items())
    for one in REGIONS:
        for other in REGIONS:
            world.set_link(one, other, Link())
    clock.advance(10)
    world.settle()
    first, *others = (held(world, region) for region in REGIONS)
    assert others == [first, first]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=12), st.lists(EVENTS, max_size=10))
def test_no_write_of_one_region_is_lost(keys: list[str], weather: list[Any]) -> None:
    """Only one region writes: the others come to hold its last writes, and their streams tell them in its order."""
    world, clock = world_with_replicas()
    expected = {}
    for number, key in enumerate(keys, 1):
        apply(world, clock, number, ("put", REGIONS[0], key))
        expected[key] = f"{number}"
        if number <= len(weather) and weather[number - 1][0] in ("pass", "link", "cut"):
            apply(world, clock, number, weather[number - 1])
    for other in REGIONS[1:]:
        world.set_link(REGIONS[0], other, Link())
    clock.advance(10)
    world.settle()
    for region in REGIONS:
        assert held(world, region) == expected
        told = [(e.key[1], e.new.item["v"]["S"]) for e in world.account(region).tables["tab"].log if e.new]
        assert told == [(key, f"{number}") for number, key in enumerate(keys, 1)]
