"""Reads against a plain list of items: queries, scans, indexes, pages, segments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.api import Call, Item
from reference.operations.base import Choice
from reference.service import Service
from reference.tables.keys import key_of
from reference.values.item import item_size
from reference.values.value import sort_key
from tests.unit.item_tables import index, ok, service

quick = settings(deadline=None, max_examples=60, derandomize=True)

TEXTS = ["", "a", "aa", "ab", "b", "é", "\U0001f600", "￿"]
KEYS = {
    "N": st.sampled_from(["-5", "0", "0.5", "1", "7", "10", "100"]).map(lambda n: {"N": n}),
    "S": st.sampled_from(TEXTS[1:]).map(lambda s: {"S": s}),
    "B": st.sampled_from(["AA==", "AAA=", "fw==", "/w==", "/wA="]).map(lambda b: {"B": b}),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[Service, list[Item], str]:
    """A service whose table ``tab`` holds the items; the type of its sort key."""
    kind = draw(st.sampled_from(["N", "S", "B"]))
    made = service(
        tab={
            "types": f"pk:S sk:{kind} g:S n:N",
            "key": ("pk", "sk"),
            "gsi": [index("global", "g", "n", kind="INCLUDE", more=("x",)), index("hashed", "g", kind="KEYS_ONLY")],
            "lsi": [index("local", "pk", "n")],
        }
    )
    rows: dict[Any, Item] = {}
    for _ in range(draw(st.integers(0, 25))):
        item: Item = {"pk": {"S": draw(st.sampled_from("abc"))}, "sk": draw(KEYS[kind])}
        if draw(st.integers(0, 5)) == 0:
            ok(made, "DeleteItem", TableName="tab", Key=item)
            rows.pop(_key(item), None)
            continue
        if draw(st.booleans()):
            item["g"] = {"S": draw(st.sampled_from(["g", "h"]))}
        if draw(st.booleans()):
            item["n"] = draw(KEYS["N"])
        item["x"] = {"S": draw(st.sampled_from(["x", "y" * 2000]))}
        item["y"] = {"S": "y"}
        ok(made, "PutItem", TableName="tab", Item=item)
        rows[_key(item)] = item
    return made, list(rows.values()), kind


def _key(item: Item) -> Any:
    return item["pk"]["S"], sort_key(item["sk"])


OPERATORS: dict[str, Callable[[Any, Any, Any], bool]] = {
    "sk = :v": lambda a, v, _: a == v,
    "sk < :v": lambda a, v, _: a < v,
    "sk <= :v": lambda a, v, _: a <= v,
    "sk > :v": lambda a, v, _: a > v,
    "sk >= :v": lambda a, v, _: a >= v,
    "sk BETWEEN :v AND :w": lambda a, v, w: v <= a <= w,
    "begins_with(sk, :v)": lambda a, v, _: a[: len(v)] == v,
}


@quick
@given(tables(), st.data())
def test_a_query_is_the_table_filtered_and_sorted(drawn: tuple[Service, list[Item], str], data: st.DataObject) -> None:
    made, items, kind = drawn
    condition = data.draw(
        st.sampled_from([*OPERATORS, None]).filter(lambda c: kind != "N" or "begins" not in (c or ""))
    )
    bounds = sorted((data.draw(KEYS[kind]), data.draw(KEYS[kind])), key=sort_key)
    values: dict[str, Any] = {":p": {"S": data.draw(st.sampled_from("abc"))}}
    expected = [item for item in items if item["pk"] == values[":p"]]
    if condition is not None:
        values[":v"] = bounds[0]
        if ":w" in condition:
            values[":w"] = bounds[1]
        low, high = map(sort_key, bounds)
        expected = [item for item in expected if OPERATORS[condition](sort_key(item["sk"]), low, high)]
    forward = data.draw(st.booleans())
    body = {
        "TableName": "tab",
        "KeyConditionExpression": "pk = :p" + (f" AND {condition}" if condition else ""),
        "ExpressionAttributeValues": values,
        "ScanIndexForward": forward,
    }
    expected.sort(key=lambda item: sort_key(item["sk"]), reverse=not forward)
    assert ok(made, "Query", **body)["Items"] == expected
    limit = data.draw(st.integers(1, 4))
    assert pages(made, "Query", {**body, "Limit": limit}, open_end=data.draw(st.booleans())) == expected


def pages(made: Service, operation: str, body: dict[str, Any], *, open_end: bool = True) -> list[Item]:
    """All items of all pages; every page but the last is full."""
    found: list[Item] = []
    body = dict(body)
    for _ in range(100):
        outcome = made.outcomes(Call(operation, body), Choice(open_end=open_end)).outcome
        assert outcome is not None
        found += outcome.body["Items"]
        last = outcome.body.get("LastEvaluatedKey")
        if last is None:
            return found
        assert outcome.body["ScannedCount"] == body["Limit"]
        body["ExclusiveStartKey"] = last
    raise AssertionError("pages without end")


@quick
@given(tables())
def test_an_index_is_a_projection_of_the_table(drawn: tuple[Service, list[Item], str]) -> None:
    made, items, _ = drawn
    wanted = {
        "global": [_only(i, "pk", "sk", "g", "n", "x") for i in items if "g" in i and "n" in i],
        "hashed": [_only(i, "pk", "sk", "g") for i in items if "g" in i],
        "local": [i for i in items if "n" in i],
    }
    for name, expected in wanted.items():
        got = ok(made, "Scan", TableName="tab", IndexName=name)["Items"]
        assert sorted(got, key=_key) == sorted(expected, key=_key)
    rebuilt = made.account.tables["tab"].copy()
    for name, old in made.account.tables["tab"].indexes.items():
        rebuilt.indexes[name].view.rows.clear()
        rebuilt.fill(rebuilt.indexes[name])
        assert rebuilt.indexes[name].view.rows == old.view.rows


def _only(item: Item, *names: str) -> Item:
    return {name: item[name] for name in names if name in item}


@quick
@given(tables(), st.data())
def test_an_index_query_is_the_index_sorted(drawn: tuple[Service, list[Item], str], data: st.DataObject) -> None:
    made, items, _ = drawn
    forward = data.draw(st.booleans())
    bound = data.draw(KEYS["N"])
    body = {
        "TableName": "tab",
        "IndexName": "global",
        "KeyConditionExpression": "g = :g AND n >= :n",
        "ExpressionAttributeValues": {":g": {"S": "g"}, ":n": bound},
        "ScanIndexForward": forward,
        "Limit": data.draw(st.integers(1, 3)),
    }
    got = pages(made, "Query", body)
    expected = [i for i in items if i.get("g") == {"S": "g"} and "n" in i and sort_key(i["n"]) >= sort_key(bound)]
    assert sorted(map(_key, got)) == sorted(map(_key, expected))
    numbers = [sort_key(item["n"]) for item in got]
    assert numbers == sorted(numbers, reverse=not forward)


@quick
@given(tables(), st.integers(1, 6), st.integers(1, 5), st.sampled_from([None, "global", "hashed", "local"]))
def test_segments_and_pages_of_a_scan_are_the_whole(
    drawn: tuple[Service, list[Item], str], total: int, limit: int, name: str | None
) -> None:
    made, _, _ = drawn
    body: dict[str, Any] = {"TableName": "tab", **({"IndexName": name} if name else {})}
    whole = ok(made, "Scan", **body)["Items"]
    parts = [
        pages(made, "Scan", {**body, "Limit": limit, "Segment": segment, "TotalSegments": total})
        for segment in range(total)
    ]
    assert [item for part in parts for item in part] == whole
    assert pages(made, "Scan", {**body, "Limit": limit}) == whole
    if name is None:
        owners = [{item["pk"]["S"] for item in part} for part in parts]
        assert len(set().union(*owners)) == sum(map(len, owners))


@quick
@given(tables(), st.booleans(), st.integers(1, 30))
def test_a_page_costs_its_bytes(drawn: tuple[Service, list[Item], str], consistent: bool, limit: int) -> None:
    made, _, _ = drawn
    body = {"TableName": "tab", "Limit": limit, "ConsistentRead": consistent, "ReturnConsumedCapacity": "INDEXES"}
    for name in (None, "local"):
        got = ok(made, "Scan", **body, **({"IndexName": name} if name else {}))
        units = max(1, -(-sum(map(item_size, got["Items"])) // 4096)) * (1 if consistent else 0.5)
        assert got["ConsumedCapacity"]["CapacityUnits"] == units
        arm = got["ConsumedCapacity"]["LocalSecondaryIndexes"]["local"] if name else got["ConsumedCapacity"]["Table"]
        assert arm == {"CapacityUnits": units}


@quick
@given(tables(), st.data())
def test_a_filter_keeps_what_it_describes(drawn: tuple[Service, list[Item], str], data: st.DataObject) -> None:
    made, items, _ = drawn
    bound = data.draw(KEYS["N"])
    body = {"TableName": "tab", "FilterExpression": "n > :n", "ExpressionAttributeValues": {":n": bound}}
    got = ok(made, "Scan", **body)
    expected = [item for item in items if "n" in item and sort_key(item["n"]) > sort_key(bound)]
    assert sorted(map(_key, got["Items"])) == sorted(map(_key, expected))
    assert (got["Count"], got["ScannedCount"]) == (len(expected), len(items))


@quick
@given(tables())
def test_every_item_is_found_by_its_key(drawn: tuple[Service, list[Item], str]) -> None:
    made, items, _ = drawn
    schema = made.account.tables["tab"].key
    for item in items:
        assert ok(made, "GetItem", TableName="tab", Key=key_of(schema, item)) == {"Item": item}
    keys = [key_of(schema, item) for item in items]
    if keys:
        got = ok(made, "BatchGetItem", RequestItems={"tab": {"Keys": keys}})
        assert got["Responses"]["tab"] == items
