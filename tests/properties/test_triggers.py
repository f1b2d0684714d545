"""Whatever is written and however a function fails, no record is lost, and changes of one item come in order."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reference.account import Account
from reference.clock import ManualClock
from reference.service import Service
from reference.streams.shards import Sharding
from reference.triggers import Failures, Throttled, Triggers
from tests.unit.stream_tables import ARN, START, create, ok, put

WRITES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abcdef"), st.integers(0, 3)),
        st.integers(1, 4000).map(lambda seconds: ("wait", seconds)),
    ),
    max_size=30,
)
SHARDINGS = st.builds(Sharding, st.integers(1, 3), st.sampled_from([None, 3600.0]), st.integers(1, 2))
SETTINGS = st.fixed_dictionaries(
    {
        "batch_size": st.integers(1, 6),
        "batching_window": st.sampled_from([0, 5, 300]),
        "parallelization_factor": st.integers(1, 4),
        "retries": st.integers(0, 3),
        "record_age": st.sampled_from([-1, 60, 3600]),
        "bisect": st.booleans(),
        "partial": st.booleans(),
        "tumbling_window": st.sampled_from([0, 0, 60]),
    }
)


class Function:
    """Fails on the records of poisoned items, and now and then for no reason."""

    def __init__(self, poison: frozenset[str], moods: list[str], *, partial: bool) -> None:
        self.poison = poison
        self.moods = moods
        self.partial = partial
        self.calls: list[list[tuple[str, str]]] = []

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        mood = self.moods[len(self.calls) % len(self.moods)] if self.moods else "well"
        told = [record["dynamodb"] for record in event["Records"]]
        self.calls.append([(each["Keys"]["id"]["S"], each["SequenceNumber"]) for each in told])
        if mood == "throttled" and len(self.calls) < 50:
            raise Throttled
        bad = [number for id, number in self.calls[-1] if id in self.poison]
        answer: dict[str, Any] = {"state": {"seen": len(self.calls)}}
        if bad and self.partial:
            return {**answer, "batchItemFailures": [{"itemIdentifier": number} for number in bad]}
        if bad or mood == "ill":
            raise ValueError
        return answer


def write(service: Service, clock: ManualClock, triggers: Triggers, writes: list[Any]) -> dict[str, list[str]]:
    """Make the writes, letting triggers work in the pauses; the values written to each item, no-ops left out."""
    versions: dict[str, list[str]] = defaultdict(list)
    for id, value in writes:
        if id == "wait":
            triggers.advance(value)
        else:
            put(service, id=id, v=str(value))
            if versions[id][-1:] != [str(value)]:
                versions[id].append(str(value))
    return versions


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    WRITES,
    SHARDINGS,
    SETTINGS,
    st.frozensets(st.sampled_from("abcdef"), max_size=2),
    st.lists(st.sampled_from(["well", "well", "ill", "throttled"]), max_size=5),
)
def test_every_record_reaches_the_function_or_the_destination_and_items_keep_their_order(
    writes: list[Any], sharding: Sharding, chosen: dict[str, Any], poison: frozenset[str], moods: list[str]
) -> None:
    clock = ManualClock(START)
    service = Service(Account(clock, sharding=sharding))
    create(service)
    triggers = Triggers(service.execute, clock)
    failures = Failures("arn:aws:s3:::failed")
    function = Function(poison, moods, partial=chosen["partial"])
    mapping = triggers.connect(ARN, function, on_failure=failures, **chosen)
    versions = write(service, clock, triggers, writes)
    triggers.advance(20_000)
    lost = [record["dynamodb"] for each in failures.documents for record in each["payload"]["Records"]]
    given_up = [(each["Keys"]["id"]["S"], each["SequenceNumber"]) for each in lost]
    seen: dict[str, list[str]] = defaultdict(list)
    for call in function.calls:
        for id, number in call:
            if number not in seen[id]:
                seen[id].append(number)
    # Each once in the stream: so many records as there were changes, done or given up.
    told = sum(len(each) for each in versions.values())
    assert mapping.tally.read == mapping.tally.done + mapping.tally.given_up == told
    assert len(set(given_up)) == len(given_up) == mapping.tally.given_up
    for id, written in versions.items():
        numbers = [int(number) for number in seen[id]]
        assert numbers == sorted(numbers)
        assert len({*seen[id], *(number for other, number in given_up if other == id)}) == len(written)
    if not chosen["bisect"] and not chosen["tumbling_window"]:
        bound = chosen["retries"] + 1
        throttled = mapping.tally.throttled
        deliveries: dict[str, int] = defaultdict(int)
        for call in function.calls:
            for _, number in call:
                deliveries[number] += 1
        assert all(count <= bound + throttled for count in deliveries.values())


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    st.integers(1, 40),
    st.frozensets(st.integers(0, 39), max_size=3),
    st.integers(1, 40),
    st.integers(0, 2),
    st.booleans(),
)
def test_halving_isolates_the_records_that_poison_a_batch(
    count: int, poison: frozenset[int], size: int, retries: int, partial: bool
) -> None:
    clock = ManualClock(START)
    service = Service(Account(clock))
    create(service)
    triggers, failures = Triggers(service.execute, clock), Failures("arn:aws:s3:::failed")
    bad = frozenset(f"{number:02}" for number in poison if number < count)
    function = Function(bad, [], partial=partial)
    mapping = triggers.connect(
        ARN, function, bisect=True, partial=partial, batch_size=size, retries=retries, on_failure=failures
    )
    for number in range(count):
        put(service, id=f"{number:02}")
    triggers.advance(20_000)
    given_up = [each["payload"]["Records"] for each in failures.documents]
    assert sorted(record["dynamodb"]["Keys"]["id"]["S"] for records in given_up for record in records) == sorted(bad)
    assert all(len(records) == 1 for records in given_up)
    assert mapping.tally.done == count - len(bad)
    # Halving takes about log2 calls for each poisoned record, and each is then tried as often as it may.
    depth = max(1, min(size, count)).bit_length()
    assert len(function.calls) <= -(-count // size) + len(bad) * (2 * depth + retries + 1)


@settings(deadline=None, max_examples=50, derandomize=True)
@given(WRITES, st.integers(1, 4), SHARDINGS)
def test_a_view_that_a_function_keeps_is_the_table(writes: list[Any], lanes: int, sharding: Sharding) -> None:
    clock = ManualClock(START)
    service = Service(Account(clock, sharding=sharding))
    create(service)
    triggers = Triggers(service.execute, clock)
    view: dict[str, Any] = {}

    def keep(event: dict[str, Any], context: Any) -> None:
        for record in event["Records"]:
            view[record["dynamodb"]["Keys"]["id"]["S"]] = record["dynamodb"].get("NewImage")

    triggers.connect(ARN, keep, parallelization_factor=lanes)
    write(service, clock, triggers, writes)
    triggers.settle()
    assert view == {item["id"]["S"]: item for item in ok(service, "Scan", TableName="music")["Items"]}
