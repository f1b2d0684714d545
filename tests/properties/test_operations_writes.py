"""Writes: what they charge, what they leave, and requests of any kind."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.api import Call, Item
from reference.service import Service
from reference.values.item import item_size
from tests.unit.item_tables import contents, index, ok, service

quick = settings(deadline=None, max_examples=60, derandomize=True)

NAMES = st.sampled_from(["x", "y", "g", "n"])
SIZED = st.sampled_from(["", "a", "b" * 1000, "c" * 3000])
VALUES = {
    "x": SIZED.map(lambda s: {"S": s}),
    "y": st.sampled_from([{"SS": ["a", "b"]}, {"SS": ["b", "a"]}, {"NS": ["1", "2.0"]}, {"NULL": True}]),
    "g": st.sampled_from([{"S": "g"}, {"S": "h"}]),
    "n": st.sampled_from([{"N": "1"}, {"N": "1.0"}, {"N": "2"}]),
}
ITEMS = st.fixed_dictionaries({}, optional=VALUES)  # type: ignore[arg-type]


def table() -> Service:
    return service(
        tab={
            "types": "pk:S sk:S g:S n:N",
            "key": ("pk", "sk"),
            "gsi": [index("global", "g", "n", kind="INCLUDE", more=("x",))],
            "lsi": [index("local", "pk", "n", kind="KEYS_ONLY")],
        }
    )


KEY: Item = {"pk": {"S": "p"}, "sk": {"S": "s"}}


def stored(made: Service, name: str | None) -> Item | None:
    """The item, or its entry in an index."""
    found = ok(made, "Scan", TableName="tab", **({"IndexName": name} if name else {}))["Items"]
    return found[0] if found else None


def units(old: Item | None, new: Item | None) -> float:
    return float(max(1, -(-max(item_size(old or {}), item_size(new or {})) // 1024)))


def index_units(old: Item | None, new: Item | None, keys: tuple[str, ...]) -> float:
    """What CAP-10 says of an index's entry before and after."""
    if old == new:
        return 0.0
    if old is None or new is None or all(old[k] == new[k] for k in keys):
        return units(old, new)
    return units(old, None) + units(None, new)


@quick
@given(st.lists(st.one_of(st.none(), ITEMS), min_size=1, max_size=6), st.booleans())
def test_a_write_charges_what_it_changes(states: list[Item | None], update: bool) -> None:
    made = table()
    for state in states:
        before = {name: stored(made, name) for name in (None, "global", "local")}
        if state is None:
            reply = ok(made, "DeleteItem", TableName="tab", Key=KEY, ReturnConsumedCapacity="INDEXES")
        elif update:
            changes = {name: {"Value": value} for name, value in state.items()}
            gone = {name: {"Action": "DELETE"} for name in VALUES if name not in state}
            body = {"TableName": "tab", "Key": KEY, "AttributeUpdates": changes | gone}
            reply = ok(made, "UpdateItem", **body, ReturnConsumedCapacity="INDEXES")
        else:
            reply = ok(made, "PutItem", TableName="tab", Item=KEY | state, ReturnConsumedCapacity="INDEXES")
        after = {name: stored(made, name) for name in before}
        told = reply["ConsumedCapacity"]
        expected = {
            "global": index_units(before["global"], after["global"], ("g", "n")),
            "local": index_units(before["local"], after["local"], ("n",)),
        }
        assert told["Table"] == {"CapacityUnits": units(before[None], after[None])}
        for member, name in (("GlobalSecondaryIndexes", "global"), ("LocalSecondaryIndexes", "local")):
            arm = {name: {"CapacityUnits": expected[name]}} if expected[name] else None
            assert told.get(member) == arm
        assert told["CapacityUnits"] == told["Table"]["CapacityUnits"] + sum(expected.values())


@quick
@given(ITEMS, ITEMS)
def test_return_values_are_the_item_before_and_after(first: Item, second: Item) -> None:
    made = table()
    ok(made, "PutItem", TableName="tab", Item=KEY | first)
    old = stored(made, None)
    fork = made.fork()
    assert ok(fork, "PutItem", TableName="tab", Item=KEY | second, ReturnValues="ALL_OLD") == {"Attributes": old}
    changes = {name: {"Value": value} for name, value in second.items()}
    body = {"TableName": "tab", "Key": KEY, "AttributeUpdates": changes}
    assert ok(made.fork(), "UpdateItem", **body, ReturnValues="ALL_OLD") == {"Attributes": old}
    new = ok(made, "UpdateItem", **body, ReturnValues="ALL_NEW")["Attributes"]
    assert new == stored(made, None)
    assert old == stored(made.fork(), None) or changes


@quick
@given(st.lists(st.tuples(st.sampled_from("abc"), ITEMS), max_size=6, unique_by=lambda pair: pair[0]))
def test_a_batch_does_what_single_writes_do(pairs: list[tuple[str, Item]]) -> None:
    single, batch = table(), table()
    items = [KEY | {"sk": {"S": sk}} | item for sk, item in pairs]
    for item in items:
        ok(single, "PutItem", TableName="tab", Item=item)
    if items:
        ok(batch, "BatchWriteItem", RequestItems={"tab": [{"PutRequest": {"Item": item}} for item in items]})
    assert contents(single) == contents(batch)
    for name in ("global", "local"):
        rows = [made.account.tables["tab"].indexes[name].view.rows for made in (single, batch)]
        assert rows[0] == rows[1]


# Requests of any kind

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "tab", "global", "local", "arn:aws:dynamodb:us-east-1:400000000004:table/tab", "a", "pk"]),
    st.sampled_from(["pk = :v", "SET g = :v", "REMOVE x.y, pk", "g.x = :v", "#n, x[0]", "SET x = g + :v"]),
    st.sampled_from(["ALL_OLD", "UPDATED_NEW", "COUNT", "INDEXES", "SIZE", "AND", "EQ"]),
)
MEMBERS = st.sampled_from(["S", "N", "B", "L", "M", "SS", "pk", "sk", "x", ":v", "#n", ""])
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["S", "N", "B", "L", "M", "SS", "pk", "sk", "x", ":v", "#n", ""]), inner, max_size=3
        ),
    ),
    max_leaves=8,
)
TEXT = st.sampled_from(["", "a", "p", "5", "1e3", "1e999", "x" * 1025, "x" * 2049])
TYPED = st.one_of(
    st.tuples(st.sampled_from(["S", "S", "N", "B"]), TEXT).map(lambda pair: {pair[0]: pair[1]}),
    st.tuples(st.sampled_from(["SS", "NS"]), st.lists(TEXT, max_size=2)).map(lambda pair: {pair[0]: pair[1]}),
    st.sampled_from([{"NULL": True}, {"NULL": False}, {"BOOL": True}, {"L": []}, {"M": {"y": {"S": "z"}}}]),
    st.fixed_dictionaries({}, optional={name: TEXT.map(lambda s: {"S": s}) for name in ("pk", "sk", "g", "x")}),
)
VALUE: Any = {":v": {"S": "p"}}
VALID: dict[str, dict[str, Any]] = {
    "PutItem": {"Item": KEY | {"g": {"S": "g"}, "n": {"N": "1"}}, "ConditionExpression": "x = :v"},
    "GetItem": {"Key": KEY, "ProjectionExpression": "x, y[1]"},
    "UpdateItem": {"Key": KEY, "UpdateExpression": "SET g = :v REMOVE x.y", "ConditionExpression": "x = :v"},
    "DeleteItem": {"Key": KEY, "Expected": {"x": {"Value": {"S": "a"}}}},
    "Query": {
        "IndexName": "global",
        "KeyConditionExpression": "g = :v AND n < :w",
        "FilterExpression": "x = :v",
        "ExpressionAttributeValues": VALUE | {":w": {"N": "5"}},
        "ExclusiveStartKey": KEY | {"g": {"S": "p"}, "n": {"N": "1"}},
        "Limit": 2,
    },
    "Scan": {"IndexName": "local", "FilterExpression": "x = :v", "Segment": 0, "TotalSegments": 2},
    "BatchGetItem": {"RequestItems": {"tab": {"Keys": [KEY], "ProjectionExpression": "x"}}},
    "BatchWriteItem": {"RequestItems": {"tab": [{"PutRequest": {"Item": KEY}}, {"DeleteRequest": {"Key": KEY}}]}},
}
FURTHER = [
    "Expected", "AttributeUpdates", "ConditionalOperator", "KeyConditions", "QueryFilter", "ScanFilter", "Select",
    "AttributesToGet", "ExclusiveStartKey", "ReturnValues", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics",
    "ConsistentRead", "ExpressionAttributeNames", "ExpressionAttributeValues", "Limit", "IndexName", "ScanIndexForward",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> Call:
    """A good request with members replaced, added or dropped, at any depth."""
    operation = draw(st.sampled_from(sorted(VALID)))
    body = copy.deepcopy(VALID[operation])
    if not operation.startswith("Batch"):
        body["TableName"] = "tab"
    if ":v" in str(body) and operation != "Query":
        body["ExpressionAttributeValues"] = copy.deepcopy(VALUE)
    for _ in range(draw(st.integers(0, 3))):
        place: Any = body
        while isinstance(place, dict) and place and draw(st.booleans()):
            inner = place[draw(st.sampled_from(sorted(place)))]
            place = inner if isinstance(inner, dict) else place
        names = st.sampled_from(sorted(place) or ["x"])
        name = draw(st.one_of(names, st.sampled_from(FURTHER)) if place is body else names)
        if draw(st.integers(0, 3)) == 0:
            place.pop(name, None)
        else:
            place[name] = copy.deepcopy(draw(st.one_of(TYPED, TYPED, SCALARS, JSON)))
    return Call(operation, body)


FILLED = table()
for number in range(5):
    ok(FILLED, "PutItem", TableName="tab", Item=KEY | {"sk": {"S": str(number)}, "g": {"S": "p"}, "n": {"N": "1"}})


@settings(deadline=None, max_examples=400, derandomize=True)
@given(mutated())
def test_any_request_is_judged_without_an_error_and_without_a_trace(call: Call) -> None:
    before = contents(FILLED)
    outcomes = FILLED.outcomes(call)
    assert (outcomes.outcome is None) == bool(outcomes.violations)
    assert contents(FILLED) == before
    reply = FILLED.fork().execute(call)
    again = FILLED.fork().execute(call)
    assert reply == again


def test_deep_and_long_requests_are_judged_as_well() -> None:
    deep: Any = {"S": "x"}
    for _ in range(5000):
        deep = {"L": [deep]}
    long = {f"k{n}": {"S": "x"} for n in range(5000)}
    for hostile in (deep, long, [deep], {"x": deep}):
        for operation, body in VALID.items():
            for member in [*body, "ExclusiveStartKey", "Key", "Item"]:
                outcomes = FILLED.outcomes(Call(operation, {"TableName": "tab", **body, member: hostile}))
                assert (outcomes.outcome is None) == bool(outcomes.violations)
