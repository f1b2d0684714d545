"""What lags never lies: a stale read is a committed version, no older than allowed; a consistent one is the newest."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.account import Account
from reference.api import Call, Success
from reference.clock import ManualClock
from reference.dax import Caching, Dax
from reference.service import Service
from reference.unkind import UnkindService, Weather

TABLE = {
    "TableName": "tab",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "g")],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-g",
            "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
KEYS = "abcd"
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(KEYS)),
        st.tuples(st.just("past"), st.sampled_from(KEYS)),
        st.tuples(st.just("delete"), st.sampled_from(KEYS)),
        st.tuples(st.just("pass"), st.sampled_from([0.1, 0.5, 1.0, 5.0])),
        st.tuples(st.sampled_from(["get", "batch", "scan", "index", "select", "selects"]), st.sampled_from(KEYS)),
        st.tuples(st.sampled_from(["consistent", "consistent select"]), st.sampled_from(KEYS)),
    ),
    max_size=40,
)
LAG, INDEX_LAG = 1.0, 2.0
STATEMENTS = {"select": LAG, "selects": LAG, "consistent select": 0.0}
"""How old what statements show may be; no cache answers them."""


class History:
    """Every committed version of every item: when it came (epoch seconds), None where the item went."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.versions: dict[str, list[tuple[float, str | None]]] = {key: [(0.0, None)] for key in KEYS}

    def note(self, key: str) -> None:
        """Take the newest version of an item."""
        record = self.service.account.tables["tab"].get({"pk": {"S": key}})
        value = record.item["v"]["S"] if record else None
        if self.versions[key][-1][1] != value:
            self.versions[key].append((self.service.account.now(), value))

    def allows(self, key: str, value: str | None, bound: float) -> bool:
        """Whether a version is the newest or was it at some moment no longer ago than ``bound`` seconds, if any."""
        if not bound:
            return self.versions[key][-1][1] == value
        now, versions = self.service.account.now(), self.versions[key]
        ends = [at for at, _ in versions[1:]] + [float("inf")]
        return any(held == value and end >= now - bound for (_, held), end in zip(versions, ends, strict=True))


def read(service: Any, kind: str, key: str) -> dict[str, str | None]:
    """What a read shows of the items it is about."""
    if kind in ("get", "consistent"):
        body = {"TableName": "tab", "Key": {"pk": {"S": key}}, "ConsistentRead": kind == "consistent"}
        answer = service.execute(Call("GetItem", body))
        assert isinstance(answer, Success)
        return {key: answer.body["Item"]["v"]["S"] if "Item" in answer.body else None}
    if kind == "batch":
        keys = {"Keys": [{"pk": {"S": each}} for each in KEYS]}
        answer = service.execute(Call("BatchGetItem", {"RequestItems": {"tab": keys}}))
        rows = answer.body["Responses"]["tab"]
    elif kind == "selects":
        statements = [{"Statement": f"SELECT * FROM tab WHERE pk = '{each}'"} for each in KEYS]
        answer = service.execute(Call("BatchExecuteStatement", {"Statements": statements}))
        rows = [part["Item"] for part in answer.body["Responses"] if "Item" in part]
    elif kind.endswith("select"):
        asked = {"Statement": "SELECT * FROM tab", "ConsistentRead": kind == "consistent select"}
        rows = service.execute(Call("ExecuteStatement", asked)).body["Items"]
    else:
        index = {"IndexName": "by-g"} if kind == "index" else {}
        rows = service.execute(Call("Scan", {"TableName": "tab", **index})).body["Items"]
    shown = {row["pk"]["S"]: row["v"]["S"] for row in rows}
    assert len(shown) == len(rows)
    return {each: shown.get(each) for each in KEYS}


def play(steps: list[tuple[str, Any]], top: Any, source: Service, clock: ManualClock, bounds: dict[str, float]) -> None:
    """Write and read; every read is held against the history, by the bound of its kind."""
    assert isinstance(top.execute(Call("CreateTable", TABLE)), Success)
    top.execute(Call("ListTables", {}))
    history = History(source)
    for number, (kind, what) in enumerate(steps):
        if kind == "pass":
            clock.advance(what)
        elif kind in ("put", "past"):
            item = {"pk": {"S": what}, "v": {"S": f"{number}"}, "g": {"S": f"{number % 3}"}}
            (top if kind == "put" else source).execute(Call("PutItem", {"TableName": "tab", "Item": item}))
            history.note(what)
        elif kind == "delete":
            top.execute(Call("DeleteItem", {"TableName": "tab", "Key": {"pk": {"S": what}}}))
            history.note(what)
        else:
            for key, value in read(top, kind, what).items():
                assert history.allows(key, value, bounds[kind]), (kind, key, value)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(STEPS, st.integers(0, 1000))
def test_followers_show_what_was_committed_not_long_ago(steps: list[tuple[str, Any]], seed: int) -> None:
    clock = ManualClock()
    source = Service(Account(clock))
    unkind = UnkindService(source, Weather(staleness=LAG, index_lag=INDEX_LAG), seed)
    bounds = {"get": LAG, "batch": LAG, "scan": LAG, "index": INDEX_LAG, "consistent": 0.0, **STATEMENTS}
    play(steps, unkind, source, clock, bounds)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(STEPS, st.integers(1, 2))
def test_caches_show_what_was_committed_within_their_time_to_live(steps: list[tuple[str, Any]], nodes: int) -> None:
    clock = ManualClock()
    source = Service(Account(clock))
    dax = Dax(source, source, Caching(item_ttl=3.0, query_ttl=2.0, entries=3, nodes=nodes, node_lag=0.5))
    bounds = {"get": 3.0, "batch": 3.0, "scan": 2.0, "index": 2.0, "consistent": 0.0, **dict.fromkeys(STATEMENTS, 0.0)}
    play(steps, dax, source, clock, bounds)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(STEPS, st.integers(0, 1000))
def test_caches_over_followers_add_up(steps: list[tuple[str, Any]], seed: int) -> None:
    clock = ManualClock()
    source = Service(Account(clock))
    unkind = UnkindService(source, Weather(staleness=LAG, index_lag=INDEX_LAG), seed)
    dax = Dax(unkind, source, Caching(item_ttl=3.0, query_ttl=2.0))
    bounds = {"get": 4.0, "batch": 4.0, "scan": 3.0, "index": 4.0, "consistent": 0.0, **STATEMENTS}
    play(steps, dax, source, clock, bounds)


def test_followers_do_lag() -> None:
    """So that the properties above are not empty: a stale read comes, from a table and, longer, from an index."""
    clock = ManualClock()
    source = Service(Account(clock))
    unkind = UnkindService(source, Weather(staleness=LAG, index_lag=INDEX_LAG), 1)
    unkind.execute(Call("CreateTable", TABLE))
    stale = {"get": 0, "index": 0, "select": 0, "selects": 0}
    for number in range(60):
        item = {"pk": {"S": "a"}, "v": {"S": f"{number}"}, "g": {"S": "x"}}
        unkind.execute(Call("PutItem", {"TableName": "tab", "Item": item}))
        clock.advance(0.2)
        for kind in stale:
            stale[kind] += read(unkind, kind, "a")["a"] != f"{number}"
    assert min(stale["get"], stale["select"], stale["selects"]) > 10
    assert stale["index"] > stale["get"]
