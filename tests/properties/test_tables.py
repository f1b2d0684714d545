"""What holds of every table: descriptions, drained violations, forks, backfill."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.account import Account, Delays
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.lifecycle import settle
from reference.operations import insights, kinesis, policies, recovery, tables, tags, ttl
from reference.service import Service
from reference.tables import describe

START = 1_800_000_000.0
QUICK = settings(deadline=None, derandomize=True, max_examples=100)
FEW = settings(deadline=None, derandomize=True, max_examples=50)


def mostly(fields: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    """Structures with all of the fields and perhaps the optional ones; one in eight may lack fields."""
    whole = st.fixed_dictionaries(fields, optional=optional)
    broken = st.fixed_dictionaries({}, optional=fields)
    return st.integers(0, 7).flatmap(lambda n: broken if n == 0 else whole)


def likely(*usual: Any, rare: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """One of the usual values; one in eight is a rare one."""
    often = st.sampled_from(usual)
    return st.integers(0, 7).flatmap(lambda n: st.sampled_from(rare) if rare and n == 0 else often)


names = likely("tab", "tab", "two", rare=("ab", "bad name", ""))
attributes = st.sampled_from(["a", "b", "c"])
kinds = likely("HASH", "RANGE", rare=("SORT",))
elements = mostly({"AttributeName": attributes, "KeyType": kinds})
KEYS = ("a", "ab", "b", "ba", "ac")
plain_schemas = st.sampled_from(
    [[{"AttributeName": n, "KeyType": t} for n, t in zip(pair, ("HASH", "RANGE"), strict=False)] for pair in KEYS]
)
schemas = st.integers(0, 3).flatmap(lambda n: st.lists(elements, max_size=9) if n == 0 else plain_schemas)
definition = mostly({"AttributeName": attributes, "AttributeType": likely("S", "N", "B", rare=("X",))})
whole = st.sampled_from(
    [[{"AttributeName": n, "AttributeType": t} for n in names] for names in ("a", "ab", "ac", "abc") for t in "SN"]
)
definitions = st.integers(0, 3).flatmap(lambda n: st.lists(definition, max_size=5) if n == 0 else whole)
numbers = likely(1, 5, 20_000, rare=(-2, -1, 0, 40_001, 10**12 + 1))
units = mostly({"ReadCapacityUnits": numbers, "WriteCapacityUnits": numbers})
limits = st.fixed_dictionaries({}, optional={"MaxReadRequestUnits": numbers, "MaxWriteRequestUnits": numbers})
warm = st.fixed_dictionaries({}, optional={"ReadUnitsPerSecond": numbers, "WriteUnitsPerSecond": numbers})
include = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["c", "d"]}
projections = st.one_of(
    st.sampled_from([{"ProjectionType": "ALL"}, {"ProjectionType": "KEYS_ONLY"}, include]),
    st.fixed_dictionaries(
        {},
        optional={
            "ProjectionType": likely("ALL", "KEYS_ONLY", "INCLUDE", rare=("SOME",)),
            "NonKeyAttributes": st.lists(attributes, max_size=3),
        },
    ),
)
index_names = likely("gsi", "gsj", "lsi", rare=("x",))
capacity = {"ProvisionedThroughput": units, "OnDemandThroughput": limits, "WarmThroughput": warm}
indexes = mostly({"IndexName": index_names, "KeySchema": schemas, "Projection": projections}, capacity)
search = mostly({"AttributeName": attributes, "SearchSchemaElementType": likely("HASH", rare=("X",))})
vectors = mostly(
    {
        "IndexName": index_names,
        "VectorAttribute": mostly({"AttributeName": attributes}),
        "Dimensions": likely(1, 3, rare=(0, 4097)),
        "DistanceFunction": likely("COSINE", rare=("NONE",)),
        "Projection": projections,
    },
    {"SearchSchema": st.lists(search, max_size=2)},
)
streams = mostly({"StreamEnabled": st.booleans()}, {"StreamViewType": likely("KEYS_ONLY", rare=("ALL",))})
common = {
    "BillingMode": likely("PROVISIONED", "PAY_PER_REQUEST", rare=("FREE",)),
    "StreamSpecification": streams,
    "SSESpecification": st.fixed_dictionaries(
        {}, optional={"Enabled": st.booleans(), "SSEType": likely("KMS", rare=("AES256",))}
    ),
    "TableClass": likely("STANDARD", "STANDARD_INFREQUENT_ACCESS", rare=("CHEAP",)),
    "DeletionProtectionEnabled": st.booleans(),
    **capacity,
}
creates = mostly(
    {"TableName": names, "KeySchema": schemas, "AttributeDefinitions": definitions},
    {
        **common,
        "LocalSecondaryIndexes": st.lists(indexes, max_size=2),
        "GlobalSecondaryIndexes": st.lists(indexes, max_size=3),
        "VectorIndexes": st.lists(vectors, max_size=2),
        "Tags": st.lists(mostly({"Key": st.text(max_size=3), "Value": st.text(max_size=3)}), max_size=2),
    },
)
named = mostly({"IndexName": index_names})
index_update = st.one_of(
    st.fixed_dictionaries({"Create": indexes}),
    st.fixed_dictionaries({"Update": mostly({"IndexName": index_names}, capacity)}),
    st.fixed_dictionaries({"Delete": named}),
    st.fixed_dictionaries({}, optional={"Create": indexes, "Update": named, "Delete": named}),
)
vector_update = st.one_of(
    st.fixed_dictionaries({"Create": vectors}),
    st.fixed_dictionaries({"Delete": named}),
    st.fixed_dictionaries({}, optional={"Create": vectors, "Delete": named}),
)
every_change = {
    **common,
    "GlobalSecondaryIndexUpdates": st.lists(index_update, min_size=1, max_size=2),
    "VectorIndexUpdates": st.lists(vector_update, min_size=1, max_size=2),
}
one_change = st.sampled_from(sorted(every_change)).flatmap(
    lambda name: st.fixed_dictionaries(
        {"TableName": names, "AttributeDefinitions": definitions, name: every_change[name]}
    )
)
many_changes = mostly({"TableName": names}, {"AttributeDefinitions": definitions, **every_change})
updates = st.one_of(one_change, one_change, many_changes)
precision = mostly({"ApproximateCreationDateTimePrecision": likely("MICROSECOND", "MILLISECOND", rare=("SECOND",))})
others = st.fixed_dictionaries(
    {},
    optional={
        "TableName": names,
        "ResourceArn": st.sampled_from(["", "tab", "arn:aws:dynamodb:us-east-1:400000000004:table/tab"]),
        "TagKeys": st.lists(st.text(max_size=2), max_size=2),
        "Limit": numbers,
        "ExclusiveStartTableName": st.text(max_size=3),
        "Tags": st.lists(mostly({"Key": st.text(max_size=2), "Value": st.text(max_size=2)}), max_size=2),
        "IndexName": index_names,
        "PointInTimeRecoverySpecification": mostly(
            {"PointInTimeRecoveryEnabled": st.booleans()}, {"RecoveryPeriodInDays": numbers}
        ),
        "Policy": st.sampled_from(["", "{}", '{"Statement":[]}', '{"Statement":{"Effect":"Deny"}}', "[" * 20_000]),
        "ExpectedRevisionId": st.sampled_from(["NO_POLICY", "1800000000000"]),
        "ContributorInsightsAction": likely("ENABLE", "DISABLE", rare=("SEE",)),
        "ContributorInsightsMode": likely("THROTTLED_KEYS", rare=("ALL",)),
        "NextToken": st.sampled_from(["", "1", "9" * 5000]),
        "MaxResults": numbers,
        "StreamArn": st.sampled_from(["arn:aws:kinesis:us-east-1:400000000004:stream/changes", "s" * 40, ""]),
        "EnableKinesisStreamingConfiguration": precision,
        "UpdateKinesisStreamingConfiguration": precision,
        "TimeToLiveSpecification": mostly({"Enabled": st.booleans(), "AttributeName": attributes}),
    },
)
OTHERS = sorted(
    name
    for room in (tables, tags, ttl, recovery, policies, insights, kinesis)
    for name in room.OPERATIONS
    if name != "CreateTable"
)
calls = st.one_of(
    st.builds(Call, st.just("CreateTable"), creates),
    st.builds(Call, st.just("UpdateTable"), updates),
    st.builds(Call, st.sampled_from(OTHERS), others),
)


def key(*names: str) -> list[dict[str, str]]:
    return [{"AttributeName": n, "KeyType": t} for n, t in zip(names, ("HASH", "RANGE"), strict=False)]


def table(**more: Any) -> Call:
    body = {
        "TableName": "tab",
        "KeySchema": key("a"),
        "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    return Call("CreateTable", {**body, **more})


def state(service: Service) -> Any:
    """What the descriptions of all tables tell, and what else UpdateTable and its kin may change."""
    account = service.account
    return {
        name: (
            describe.table(table, account.now()),
            dict(table.settings.tags),
            table.settings.ttl_attribute,
            table.keep,
        )
        for name, table in account.tables.items()
    }


@QUICK
@given(st.lists(calls, max_size=8))
def test_draining_any_request_changes_nothing_and_agrees_with_execution(drawn: list[Call]) -> None:
    service = Service(Account(ManualClock(START)))
    service.execute(table())
    for call in drawn:
        settle(service.account)
        before = state(service)
        outcomes = service.outcomes(call)
        assert state(service) == before
        answer = service.execute(call)
        if isinstance(answer, Refusal):
            assert outcomes.outcome is None
            assert answer == service.refusal(call, outcomes.violations[0])
            assert state(service) == before
        else:
            assert not outcomes.violations


@QUICK
@given(st.lists(calls, max_size=8), st.integers(0, 200))
def test_a_committed_fork_is_the_same_as_the_original(drawn: list[Call], delay: int) -> None:
    clock = ManualClock(START)
    service = Service(Account(clock, delays=Delays(delay, delay, delay, delay)))
    service.execute(table())
    fork = service.fork()
    for call in drawn:
        outcome = service.outcomes(call).outcome
        assert fork.execute(call) == service.execute(call)
        assert state(fork) == state(service)
        assert outcome is None or outcome.body is None or isinstance(outcome.body, dict)
        clock.advance(100)
    assert state(fork) == state(service)


def elements_of(count: int, kind: str, first: int) -> list[dict[str, str]]:
    return [{"AttributeName": f"k{first + i}", "KeyType": kind} for i in range(count)]


@FEW
@given(
    st.integers(1, 4),
    st.integers(0, 4),
    st.sampled_from([{"ProjectionType": "ALL"}, {"ProjectionType": "KEYS_ONLY"}]),
    st.booleans(),
)
def test_a_valid_definition_is_described_as_it_was_given(
    hashes: int, ranges: int, projection: dict[str, str], streamed: bool
) -> None:
    schema = elements_of(hashes, "HASH", 0) + elements_of(ranges, "RANGE", hashes)
    types = [{"AttributeName": "a", "AttributeType": "S"}]
    types += [{"AttributeName": each["AttributeName"], "AttributeType": "N"} for each in schema]
    index = {"IndexName": "gsi", "KeySchema": schema, "Projection": projection}
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"} if streamed else {"StreamEnabled": False}
    service = Service(Account(ManualClock(START)))
    made = service.execute(
        table(AttributeDefinitions=types, GlobalSecondaryIndexes=[index], StreamSpecification=stream)
    )
    assert isinstance(made, Success), made
    told = state(service)["tab"][0]
    assert told["AttributeDefinitions"] == types
    assert {name: told["GlobalSecondaryIndexes"][0][name] for name in index} == index
    assert ("LatestStreamArn" in told) is streamed


items = st.lists(
    st.fixed_dictionaries(
        {"a": st.integers(0, 9).map(lambda n: {"S": str(n)})},
        optional={"b": st.one_of(st.just({"S": "x"}), st.just({"N": "1"}), st.just({"S": "y" * 2049}))},
    ),
    max_size=12,
)


@FEW
@given(items)
def test_a_backfilled_index_holds_what_one_from_the_start_would(written: list[dict[str, Any]]) -> None:
    """Items that an index refuses are written while it is not there: they stay out of it (dataplane:KEY-9)."""
    clock = ManualClock(START)
    late = Service(Account(clock))
    late.execute(table())
    for item in written:
        late.execute(Call("PutItem", {"TableName": "tab", "Item": item}))
    index = {"IndexName": "gsi", "KeySchema": key("b"), "Projection": {"ProjectionType": "ALL"}}
    types = [{"AttributeName": "b", "AttributeType": "S"}]
    update = {
        "TableName": "tab",
        "AttributeDefinitions": types,
        "GlobalSecondaryIndexUpdates": [{"Create": index}],
    }
    late.execute(Call("UpdateTable", update))
    found = late.execute(Call("Scan", {"TableName": "tab", "IndexName": "gsi"}))
    assert isinstance(found, Success)
    last = {item["a"]["S"]: item for item in written}
    fitting = [item for item in last.values() if item.get("b") == {"S": "x"}]
    assert sorted(found.body["Items"], key=str) == sorted(fitting, key=str)
    table_of = late.account.tables["tab"]
    early = table_of.copy()
    early.indexes["gsi"].view.rows.clear()
    early.fill(early.indexes["gsi"])
    assert list(early.indexes["gsi"].view.rows) == list(table_of.indexes["gsi"].view.rows)
