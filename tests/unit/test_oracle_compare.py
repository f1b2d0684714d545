"""How two bodies differ: what is the same written otherwise, and what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.oracle.bodies import compare, without_leaving
from conformance.oracle.compare import canonical, differences, is_value, number_of
from reference.api import Call
from tests.unit.oracle_bench import n


def places(expected: Any, observed: Any) -> list[str]:
    return [found.place for found in differences(expected, observed)]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
        ({"NS": ["1", "10"]}, {"NS": ["10", "1"]}),
        ({"BS": ["AQ==", "Ag=="]}, {"BS": ["Ag==", "AQ=="]}),
        ({"M": {"x": n(1), "y": n(2)}}, {"M": {"y": n(2), "x": n(1)}}),
        ({"L": [{"SS": ["a", "b"]}]}, {"L": [{"SS": ["b", "a"]}]}),
    ],
)
def test_the_same_written_otherwise(one: Any, two: Any) -> None:
    assert places(one, two) == []
    assert canonical(one) == canonical(two)


def test_json_has_one_kind_of_number() -> None:
    assert places({"CapacityUnits": 1}, {"CapacityUnits": 1.0}) == []


@pytest.mark.parametrize(
    ("expected", "observed", "place"),
    [
        (n(1), n(2), "N:value"),
        (n(1), {"S": "1"}, ":type"),
        (n("1.5"), n("1.50"), "N:spelling"),
        (n("100"), n("1E2"), "N:spelling"),
        ({"NS": ["1", "2"]}, {"NS": ["1.0", "2"]}, "NS:spelling"),
        ({"SS": ["a"]}, {"SS": ["a", "a"]}, "SS:value"),
        ({"SS": ["a"]}, {"L": [{"S": "a"}]}, ":type"),
        ({"L": [n(1), n(2)]}, {"L": [n(2), n(1)]}, "L:order"),
        ({"L": [n(1), n(2)]}, {"L": [n(1)]}, "L:fewer"),
        ({"L": [n(1)]}, {"L": [n(1), n(2)]}, "L:more"),
        ({"M": {"x": n(1)}}, {"M": {}}, "M.*:missing"),
        ({"M": {}}, {"M": {"x": n(1)}}, "M.*:extra"),
        ({"Count": 1}, {"Count": 2}, "Count:value"),
        ({"Count": 1}, {"Count": True}, "Count:type"),
        ({"Count": 1}, {"Count": "1"}, "Count:type"),
        ({"Item": {"v": n(1)}}, {"Item": {"v": n(2)}}, "item.*.N:value"),
        ({"Items": [{"v": n(1)}]}, {"Items": [{"v": n(2)}]}, "item.*.N:value"),
        ({"Item": {"v": {"BOOL": True}}}, {"Item": {"v": {"BOOL": False}}}, "item.*.BOOL:value"),
    ],
)
def test_what_differs(expected: Any, observed: Any, place: str) -> None:
    assert places(expected, observed) == [place]


def test_attribute_names_are_told_beside_the_place() -> None:
    (found,) = differences({"Item": {"v": {"M": {"x": n(1)}}}}, {"Item": {"v": {"M": {"x": n(2)}}}})
    assert found.names == ("v", "x")


@pytest.mark.parametrize("text", ["0", "-1.5", "1e10", "+.5", "5.", "1E-130"])
def test_a_number(text: str) -> None:
    assert number_of(text) is not None


@pytest.mark.parametrize("text", ["", "abc", " 1", "NaN", "Infinity", "1e", "0x1", 1, None])
def test_no_number(text: Any) -> None:
    assert number_of(text) is None


def test_a_value() -> None:
    assert is_value(n(1))
    assert not any(map(is_value, ({}, {"N": "1", "S": "a"}, {"X": 1}, ["N"], "N")))


_SCALARS = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=3)),
    st.builds(lambda number: {"N": str(number)}, st.integers(-99, 99)),
    st.builds(lambda flag: {"BOOL": flag}, st.booleans()),
    st.builds(lambda members: {"SS": members}, st.lists(st.sampled_from("abc"), min_size=1, unique=True)),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda items: {"L": items}, st.lists(inner, max_size=3)),
        st.builds(lambda items: {"M": items}, st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)),
    ),
    max_leaves=8,
)
_ITEMS = st.dictionaries(st.sampled_from("abc"), _VALUES, max_size=3)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(_ITEMS, _ITEMS)
def test_bodies_differ_exactly_where_their_canonical_forms_do(one: Any, two: Any) -> None:
    differs = bool(places({"Item": one}, {"Item": two}))
    assert differs == (canonical(one) != canonical(two))
    assert places({"Item": one}, {"Item": one}) == []
    # A difference seen from the other side is one too.
    assert differs == bool(places({"Item": two}, {"Item": one}))


class TestAnswers:
    """What the service could not have answered differently, by operation."""

    def test_items_of_a_batch_come_in_any_order(self) -> None:
        asked = Call("BatchGetItem", {"RequestItems": {"t": {"Keys": []}}})
        rows = [{"pk": {"S": "a"}}, {"pk": {"S": "b"}}]
        assert compare(asked, {"Responses": {"t": rows}}, {"Responses": {"t": rows[::-1]}}) == []
        assert compare(asked, {"Responses": {"t": rows}}, {"Responses": {"t": rows[:1]}})

    def test_transact_get_items_answers_in_order(self) -> None:
        asked = Call("TransactGetItems", {"TransactItems": []})
        rows = [{"Item": {"pk": {"S": "a"}}}, {"Item": {"pk": {"S": "b"}}}]
        assert compare(asked, {"Responses": rows}, {"Responses": rows[::-1]})

    def test_what_a_target_makes_up_may_be_anything(self) -> None:
        asked = Call("DescribeTable", {"TableName": "t"})
        one, two = ({"Table": {"TableName": "t", "TableId": name, "CreationDateTime": 1.5}} for name in "xy")
        assert compare(asked, one, two) == []
        assert compare(asked, one, {"Table": {"TableName": "t", "CreationDateTime": 1.5}})

    def test_a_replica_on_its_way_out_may_be_shown_for_a_while(self) -> None:
        asked = Call("DescribeTable", {"TableName": "t"})
        gone = {"Table": {"TableName": "t"}}

        def with_replicas(**regions: str) -> dict[str, Any]:
            listed = [{"RegionName": region, "ReplicaStatus": status} for region, status in regions.items()]
            return {"Table": {"TableName": "t", "GlobalTableVersion": "2019.11.21", "Replicas": listed}}

        def differ(want: Any, got: Any) -> bool:
            return bool(compare(asked, want, without_leaving(want, got)))

        assert not differ(gone, with_replicas(one="DELETING"))
        assert not differ(with_replicas(two="ACTIVE"), with_replicas(one="DELETING", two="ACTIVE"))
        assert differ(gone, with_replicas(one="ACTIVE"))
        assert differ(with_replicas(two="ACTIVE"), with_replicas(one="DELETING"))

    def test_indexes_are_described_in_any_order(self) -> None:
        asked = Call("DescribeTable", {"TableName": "t"})
        one, two = ({"IndexName": name, "KeySchema": []} for name in ("by-a", "by-b"))
        described = [{"Table": {"GlobalSecondaryIndexes": listed}} for listed in ([one, two], [two, one])]
        assert compare(asked, *described) == []
        assert compare(asked, described[0], {"Table": {"GlobalSecondaryIndexes": [one]}})

    def test_delete_table_tells_no_keys(self) -> None:
        asked = Call("DeleteTable", {"TableName": "t"})
        bare = {"TableDescription": {"TableName": "t", "TableStatus": "DELETING"}}
        told = {"TableDescription": {**bare["TableDescription"], "KeySchema": []}}
        newer = {"TableDescription": {**bare["TableDescription"], "NewOfThisYear": 1}}
        assert [found.place for found in compare(asked, bare, told)] == ["TableDescription.KeySchema:extra"]
        assert compare(asked, bare, newer) == []

    def test_metrics_of_an_emptied_collection_are_open(self) -> None:
        metrics = {"ItemCollectionKey": {"pk": {"S": "a"}}, "SizeEstimateRangeGB": [0.0, 1.0]}
        expected = {"ItemCollectionMetrics": metrics}
        assert compare(Call("DeleteItem", {"TableName": "t"}), expected, {}) == []
        assert compare(Call("PutItem", {"TableName": "t"}), expected, {})

    def test_a_scan_of_an_on_demand_table_has_a_minimum(self) -> None:
        def capacity(units: float) -> dict[str, Any]:
            return {"ConsumedCapacity": {"TableName": "t", "CapacityUnits": units}}

        asked = Call("Scan", {"TableName": "t", "ConsistentRead": True})
        assert compare(asked, capacity(1.0), capacity(4.0)) == []
        assert compare(asked, capacity(1.0), capacity(5.0))
        assert compare(asked, capacity(1.0), capacity(0.5))
        assert compare(Call("Query", asked.body), capacity(1.0), capacity(4.0))
