"""Event source mappings: what a function is handed, and when; what becomes of batches that fail (beyond:ESM-*)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reference import ttl
from reference.account import Account
from reference.clock import ManualClock
from reference.service import Service
from reference.streams.shards import Sharding
from reference.triggers import Failures, Throttled, TriggerLoop, Triggers
from tests.unit.stream_tables import ARN, DAY, START, advance, create, made, ok, put
from tests.unit.trigger_functions import FUNCTION, Function, connected, ids, on


def poison(*bad: str) -> Callable[[list[str]], Any]:
    def answer(given: list[str]) -> None:
        if set(bad) & set(given):
            raise ValueError("poison")

    return answer


def reports(*bad: str) -> Function:
    """Names the records that failed."""
    function = Function()

    def answer(given: list[str]) -> Any:
        records = function.events[-1]["Records"]
        return {
            "batchItemFailures": [
                {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}
                for record, id in zip(records, given, strict=True)
                if id in bad
            ]
        }

    function.answer = answer
    return function


# --- batches ----------------------------------------------------------------------------------------------------------


def test_a_function_gets_records_in_its_own_form() -> None:
    function = Function()
    service, triggers, mapping = connected(function, "a")
    ok(service, "UpdateTimeToLive", TableName="music",
       TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"})  # fmt: skip
    ok(service, "PutItem", TableName="music", Item={"id": {"S": "t"}, "until": {"N": str(int(START) - 10)}})
    ttl.sweep(service.account)
    triggers.settle()
    first, _, last = function.events[0]["Records"]
    assert first["eventSourceARN"] == ARN
    assert first["eventName"] == "INSERT"
    assert "userIdentity" not in first
    assert last["eventName"] == "REMOVE"
    assert last["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert mapping.result == "OK"


def test_a_batch_is_handed_over_when_it_is_full_or_its_window_has_passed() -> None:
    function = Function()
    _, triggers, _ = connected(function, *"abcde", batch_size=2, batching_window=30)
    triggers.settle()
    assert function.batches == [["a", "b"], ["c", "d"]]
    triggers.advance(29)
    assert len(function.batches) == 2
    triggers.advance(1)
    assert function.batches[2:] == [["e"]]


def test_a_batch_holds_six_megabytes() -> None:
    function = Function()
    service, triggers, _ = connected(function)
    for id in range(20):
        put(service, id=str(id), text="x" * 400_000)
    triggers.settle()
    assert [len(batch) for batch in function.batches] == [15, 5]


def test_parents_come_before_their_children() -> None:
    function = Function()
    service, triggers, _ = connected(function, "a", sharding=Sharding(1, 3600.0, 2))
    advance(service, 3700)
    put(service, id="a", v="2")
    triggers.settle()
    assert function.batches == [["a"], ["a"]]


def test_a_child_waits_for_a_batch_of_its_parent_that_fails() -> None:
    function = Function(poison("bad"))
    service, triggers, _ = connected(function, "bad", sharding=Sharding(1, 3600.0, 1), retries=1)
    advance(service, 3700)
    put(service, id="good")
    triggers.settle()
    assert function.batches == [["bad"]]
    triggers.advance(1)
    assert function.batches == [["bad"], ["bad"], ["good"]]


def test_batches_of_other_items_go_on_where_a_shard_has_several_lanes() -> None:
    function = Function(poison("a"))
    _, triggers, _ = connected(function, *"abcdefgh", parallelization_factor=10, batch_size=1)
    triggers.settle()
    done = {id for batch in function.batches for id in batch}
    assert "a" in done
    assert len(done) > 4
    alone = Function(poison("a"))
    triggers.connect(ARN, alone, name="alone", batch_size=1)
    triggers.settle()
    assert alone.batches == [["a"]]


def test_a_stream_that_was_not_looked_at_for_long_goes_on_where_it_was() -> None:
    function = Function()
    service, triggers, _ = connected(function, "a")
    late = Function()
    triggers.connect(ARN, late, name="late", starting_position="LATEST")
    triggers.settle()
    advance(service, 3600)
    put(service, id="b")
    triggers.settle()
    assert (function.batches, late.batches) == ([["a"], ["b"]], [["b"]])


def test_records_that_were_trimmed_are_gone() -> None:
    function = Function()
    service, triggers, _ = connected(function, "a")
    triggers.settle()
    put(service, id="b")
    advance(service, DAY + 10)
    put(service, id="c")
    triggers.settle()
    assert function.batches == [["a"], ["c"]]


# --- failures ---------------------------------------------------------------------------------------------------------


def test_a_batch_that_fails_comes_again_as_often_as_it_may_and_then_goes_to_the_destination() -> None:
    failures = Failures()
    function = Function(poison("a"))
    _, triggers, mapping = connected(function, "a", "b", retries=2, on_failure=failures)
    triggers.settle()
    assert function.batches == [["a", "b"]]
    assert mapping.result == "PROBLEM: Function call failed"
    triggers.advance(1)
    assert len(function.batches) == 2
    triggers.advance(2)
    assert function.batches == [["a", "b"]] * 3
    (document,) = failures.documents
    records = function.events[0]["Records"]
    shard = document["DDBStreamBatchInfo"].pop("shardId")
    assert shard.startswith("shardId-")
    request = document["requestContext"].pop("requestId")
    assert request
    assert document == {
        "requestContext": {
            "functionArn": FUNCTION,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2027-01-15T08:00:03.000Z",
        "DDBStreamBatchInfo": {
            "startSequenceNumber": records[0]["dynamodb"]["SequenceNumber"],
            "endSequenceNumber": records[1]["dynamodb"]["SequenceNumber"],
            "approximateArrivalOfFirstRecord": "2027-01-15T08:00:00Z",
            "approximateArrivalOfLastRecord": "2027-01-15T08:00:00Z",
            "batchSize": 2,
            "streamArn": ARN,
        },
    }
    assert "poison" in mapping.errors[-1]


def test_a_bucket_gets_the_records_too() -> None:
    failures = Failures("arn:aws:s3:::failed")
    function = Function(poison("a"))
    _, triggers, _ = connected(function, "a", retries=0, on_failure=failures)
    triggers.settle()
    assert failures.documents[0]["payload"] == function.events[0]


def test_without_a_limit_a_batch_blocks_its_shard_until_the_stream_expires() -> None:
    failures, function = Failures(), Function(poison("a"))
    service, triggers, _ = connected(function, "a", batch_size=1, on_failure=failures)
    put(service, id="b")
    triggers.advance(DAY - 1)
    assert {id for batch in function.batches for id in batch} == {"a"}
    assert len(function.batches) > 1000
    assert failures.documents == []
    triggers.advance(120)
    assert [document["requestContext"]["condition"] for document in failures.documents] == ["RecordAgeExceeded"] * 2


def test_records_that_are_too_old_go_to_the_destination() -> None:
    failures, function = Failures(), Function()
    service, triggers, _ = connected(function, "a", record_age=60, on_failure=failures)
    advance(service, 61)
    put(service, id="b")
    triggers.settle()
    assert function.batches == [["b"]]
    (document,) = failures.documents
    assert document["requestContext"]["condition"] == "RecordAgeExceeded"
    assert document["requestContext"]["approximateInvokeCount"] == 0
    assert document["DDBStreamBatchInfo"]["batchSize"] == 1


def test_halving_finds_the_bad_record_and_counts_as_no_attempt() -> None:
    failures, function = Failures(), Function(poison("c"))
    _, triggers, mapping = connected(function, *"abcd", bisect=True, retries=1, on_failure=failures)
    triggers.advance(60)
    assert function.batches == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["c"], ["d"]]
    (document,) = failures.documents
    assert document["DDBStreamBatchInfo"]["batchSize"] == 1
    assert document["requestContext"]["approximateInvokeCount"] == 2
    assert (mapping.tally.done, mapping.tally.given_up) == (3, 1)


def test_a_function_that_could_not_be_called_is_called_again_without_counting() -> None:
    answers = [Throttled(), Throttled(), ValueError(), None]

    def answer(given: list[str]) -> None:
        told = answers.pop(0)
        if told is not None:
            raise told

    failures, function = Failures(), Function(answer)
    _, triggers, mapping = connected(function, "a", retries=1, on_failure=failures)
    triggers.advance(60)
    assert (len(function.batches), failures.documents, mapping.tally.throttled) == (4, [], 2)


def test_a_record_that_is_named_comes_again_with_all_after_it() -> None:
    function = reports("c", "d")
    _, triggers, _ = connected(function, *"abcde", partial=True, retries=1)
    triggers.advance(10)
    assert function.batches == [["a", "b", "c", "d", "e"], ["c", "d", "e"]]


def test_with_halving_a_batch_is_split_at_the_record_that_is_named() -> None:
    failures, function = Failures(), reports("c")
    _, triggers, _ = connected(function, *"abcde", partial=True, bisect=True, retries=0, on_failure=failures)
    triggers.advance(60)
    assert function.batches == [["a", "b", "c", "d", "e"], ["c", "d", "e"], ["c", "d"], ["c"], ["d"], ["e"]]
    assert [document["DDBStreamBatchInfo"]["batchSize"] for document in failures.documents] == [1]
    assert failures.documents[0]["responseContext"]["functionError"] is None


GOOD = [None, "", {}, {"batchItemFailures": []}, {"batchItemFailures": None}]
BAD = [
    {"batchItemFailures": [{"itemIdentifier": ""}]},
    {"batchItemFailures": [{"itemIdentifier": None}]},
    {"batchItemFailures": [{"foo": "a"}]},
    {"batchItemFailures": [{"itemIdentifier": "100000000000000000000"}]},
    {"batchItemFailures": ["a"]},
]


@pytest.mark.parametrize("answer", GOOD)
def test_answers_that_name_nothing_mean_that_all_is_done(answer: Any) -> None:
    function = Function(lambda ids: answer)
    _, triggers, mapping = connected(function, "a", "b", partial=True)
    triggers.advance(10)
    assert (len(function.batches), mapping.tally.done) == (1, 2)


@pytest.mark.parametrize("answer", BAD)
def test_answers_that_name_no_record_of_the_batch_fail_it_whole(answer: Any) -> None:
    failures, function = Failures(), Function(lambda ids: answer)
    _, triggers, _ = connected(function, "a", "b", partial=True, retries=1, on_failure=failures)
    triggers.advance(10)
    assert function.batches == [["a", "b"]] * 2
    assert failures.documents[0]["responseContext"]["functionError"] is None


def test_without_partial_answers_what_a_function_names_means_nothing() -> None:
    function = Function(lambda ids: BAD[0])
    _, triggers, _ = connected(function, "a")
    triggers.advance(10)
    assert len(function.batches) == 1


def test_functions_that_call_themselves_without_end_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reference.triggers.triggers.MOST_STEPS", 50)
    service = made()
    triggers = on(service)
    triggers.connect(ARN, lambda event, context: put(service, id=context.aws_request_id), name="seen")
    put(service, id="a")
    with pytest.raises(TriggerLoop):
        triggers.settle()


def test_only_a_clock_that_can_be_advanced_is() -> None:
    class Wall:
        def now(self) -> float:
            return START

    with pytest.raises(TypeError):
        Triggers(made().execute, Wall()).advance(1)


# --- windows ----------------------------------------------------------------------------------------------------------


class Counter(Function):
    """Counts records in the window's state."""

    def __call__(self, event: dict[str, Any], context: Any) -> Any:
        super().__call__(event, context)
        return {"state": {"count": event["state"].get("count", 0) + len(event["Records"])}}


def told(event: dict[str, Any]) -> tuple[Any, ...]:
    window = event["window"]
    flags = event["isFinalInvokeForWindow"], event["isWindowTerminatedEarly"]
    return (window["start"][14:19], window["end"][14:19], event["state"], ids(event), *flags)


def test_a_window_hands_its_state_on_and_is_closed_by_a_last_call() -> None:
    function = Counter()
    service, triggers, _ = connected(function, "a", tumbling_window=120)
    triggers.settle()
    triggers.advance(60)
    put(service, id="b")
    triggers.settle()
    triggers.advance(60)
    put(service, id="c")
    triggers.settle()
    assert [told(event) for event in function.events] == [
        ("00:00", "02:00", {}, ["a"], False, False),
        ("00:00", "02:00", {"count": 1}, ["b"], False, False),
        ("00:00", "02:00", {"count": 2}, [], True, False),
        ("02:00", "04:00", {}, ["c"], False, False),
    ]
    assert function.events[0]["shardId"].startswith("shardId-")
    assert function.events[0]["eventSourceARN"] == ARN


def test_a_batch_is_of_one_window() -> None:
    function = Counter()
    service, triggers, _ = connected(function, "a", tumbling_window=60)
    advance(service, 61)
    put(service, id="b")
    triggers.settle()
    assert [ids(event) for event in function.events] == [["a"], [], ["b"]]


def test_a_window_does_not_outlive_its_shard() -> None:
    function = Counter()
    service, triggers, _ = connected(function, sharding=Sharding(1, 3600.0, 1), tumbling_window=900)
    advance(service, 3590)
    put(service, id="a")
    triggers.settle()
    advance(service, 0)
    clock = service.account.clock
    assert isinstance(clock, ManualClock)
    clock.set(START + 3600)
    triggers.settle()
    assert told(function.events[-1])[3:] == ([], True, False)
    other = Counter()
    service, triggers, _ = connected(other, sharding=Sharding(1, 3500.0, 1), tumbling_window=900)
    advance(service, 3400)
    put(service, id="a")
    triggers.settle()
    advance(service, 150)
    triggers.settle()
    assert told(other.events[-1])[3:] == ([], True, True)


def test_an_answer_without_state_fails_the_call_of_a_window() -> None:
    function = Function()
    _, triggers, mapping = connected(function, "a", tumbling_window=60, retries=1)
    triggers.advance(10)
    assert (len(function.events), mapping.tally.given_up) == (2, 1)


def test_a_state_that_is_too_great_ends_its_window() -> None:
    function = Function(lambda ids: {"state": {"text": "x" * (1_048_576 if ids else 1)}})
    _, triggers, _ = connected(function, "a", tumbling_window=900)
    triggers.settle()
    assert [told(event)[2:] for event in function.events] == [({}, ["a"], False, False), ({}, [], True, True)]


def test_two_tables_two_functions() -> None:
    service = Service(Account(ManualClock(START)))
    create(service, "music")
    create(service, "films")
    other, triggers = ARN.replace("music", "films"), on(service)
    music, films = Function(), Function()
    triggers.connect(ARN, music, name="music")
    triggers.connect(other, films, name="films")
    put(service, id="a")
    put(service, "films", id="b")
    assert triggers.settle() == 2
    assert (music.batches, films.batches) == ([["a"]], [["b"]])
