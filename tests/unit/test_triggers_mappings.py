"""Event source mappings themselves: settings, limits, states, and filters (beyond:ESM-*)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reference.api import ServiceError
from reference.triggers import Failures, Triggers
from tests.unit.stream_tables import ARN, START, UNKNOWN, made, ok, put
from tests.unit.trigger_functions import FUNCTION, Function, connected, ids, on

# --- the mapping itself -----------------------------------------------------------------------------------------------


def test_a_mapping_shows_its_defaults_and_becomes_enabled() -> None:
    _, triggers, mapping = connected(Function())
    assert mapping.describe() == {
        "UUID": mapping.uuid,
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": 1,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": -1,
        "BisectBatchOnFunctionError": False,
        "TumblingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "EventSourceArn": ARN,
        "FunctionArn": FUNCTION,
        "LastModified": START,
        "LastProcessingResult": "No records processed",
        "State": "Creating",
        "StateTransitionReason": "User action",
        "DestinationConfig": {"OnFailure": {}},
    }
    triggers.settle()
    assert mapping.state == "Enabled"


def test_settings_are_shown_as_they_are() -> None:
    pattern = '{"eventName": ["INSERT"]}'
    _, _, mapping = connected(
        Function(), partial=True, filters=[pattern], on_failure=Failures("arn:aws:s3:::failed"), batch_size=7
    )
    told = mapping.describe()
    assert told["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert told["FilterCriteria"] == {"Filters": [{"Pattern": pattern}]}
    assert told["DestinationConfig"] == {"OnFailure": {"Destination": "arn:aws:s3:::failed"}}
    assert told["BatchSize"] == 7


def refusal(triggers: Triggers, arn: str = ARN, **settings: Any) -> tuple[str, str | None, int]:
    with pytest.raises(ServiceError) as told:
        triggers.connect(arn, Function(), name="seen", **settings)
    return told.value.refusal.code, told.value.refusal.message, told.value.refusal.status


def test_an_unknown_stream_is_refused() -> None:
    code, message, _ = refusal(on(made()), UNKNOWN)
    assert (code, message) == ("InvalidParameterValueException", f"Stream not found: {UNKNOWN}")


def test_stream_and_function_are_connected_once() -> None:
    _, triggers, mapping = connected(Function())
    assert refusal(triggers) == (
        "ResourceConflictException",
        f'The event source arn (" {ARN} ") and function (" {FUNCTION} ") provided mapping already exists. '
        f"Please update or delete the existing mapping with UUID {mapping.uuid}",
        409,
    )
    triggers.connect(ARN, Function(), name="other")
    triggers.delete(mapping)
    assert mapping.state == "Deleting"
    triggers.settle()
    triggers.connect(ARN, Function(), name="seen")


@pytest.mark.parametrize("pattern", ["{", "[]", "{}", '{"eventName": "INSERT"}', '{"eventName": [{"like": "a"}]}'])
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    code, message, _ = refusal(on(made()), filters=[pattern])
    assert (code, message) == ("InvalidParameterValueException", "Invalid filter pattern definition.")


LIMITS = [
    ("batch_size", 1, 10_000, "batchSize"),
    ("batching_window", 0, 300, "maximumBatchingWindowInSeconds"),
    ("parallelization_factor", 1, 10, "parallelizationFactor"),
    ("retries", -1, 10_000, "maximumRetryAttempts"),
    ("tumbling_window", 0, 900, "tumblingWindowInSeconds"),
]


@pytest.mark.parametrize(("name", "least", "most", "told"), LIMITS)
def test_settings_have_limits(name: str, least: int, most: int, told: str) -> None:
    triggers = on(made())
    failed = (
        f"1 validation error detected: Value '{{}}' at '{told}' failed to satisfy constraint: Member must have value "
    )
    assert refusal(triggers, **{name: least - 1})[1] == failed.format(least - 1) + f"greater than or equal to {least}"
    assert refusal(triggers, **{name: most + 1})[1] == failed.format(most + 1) + f"less than or equal to {most}"
    triggers.connect(ARN, Function(), name="least", **{name: least})
    triggers.connect(ARN, Function(), name="most", **{name: most})


def test_the_age_of_records_is_limited_to_a_minute_at_least() -> None:
    triggers = on(made())
    assert refusal(triggers, record_age=59)[0] == "InvalidParameterValueException"
    assert refusal(triggers, record_age=604_801)[0] == "ValidationException"
    triggers.connect(ARN, Function(), name="a", record_age=60)
    triggers.connect(ARN, Function(), name="b", record_age=604_800)


def test_a_mapping_begins_at_the_oldest_record_or_after_the_latest() -> None:
    service = made()
    put(service, id="a")
    triggers, oldest, latest = on(service), Function(), Function()
    triggers.connect(ARN, oldest, name="oldest")
    triggers.connect(ARN, latest, name="latest", starting_position="LATEST")
    put(service, id="b")
    triggers.settle()
    assert (oldest.batches, latest.batches) == ([["a", "b"]], [["b"]])
    assert refusal(triggers, starting_position="AT_TIMESTAMP")[0] == "ValidationException"


def test_more_than_five_filters_are_refused() -> None:
    pattern = {"eventName": ["INSERT"]}
    assert refusal(on(made()), filters=[pattern] * 6)[0] == "InvalidParameterValueException"
    on(made()).connect(ARN, Function(), filters=[pattern] * 5)


def test_a_disabled_mapping_hands_nothing_over_and_goes_on_where_it_was() -> None:
    function = Function()
    service, triggers, mapping = connected(function, "a")
    triggers.settle()
    triggers.disable(mapping)
    assert mapping.state == "Disabling"
    put(service, id="b")
    triggers.settle()
    assert (mapping.state, function.batches) == ("Disabled", [["a"]])
    triggers.enable(mapping)
    triggers.settle()
    assert (mapping.state, function.batches) == ("Enabled", [["a"], ["b"]])


def test_states_take_their_time() -> None:
    service = made()
    triggers = Triggers(service.execute, service.account.clock, delay=5.0)
    mapping = triggers.connect(ARN, Function())
    triggers.settle()
    assert mapping.state == "Creating"
    triggers.advance(5)
    assert mapping.state == "Enabled"


# --- filters ----------------------------------------------------------------------------------------------------------


def passed(*patterns: Any) -> list[str]:
    """The ids of the items of which a record passes: ``a`` inserted, changed and deleted, ``b`` and ``c`` inserted."""
    service = made()
    ok(service, "PutItem", TableName="music", Item={"id": {"S": "b"}, "n": {"N": "5"}, "on": {"BOOL": True}})
    ok(service, "PutItem", TableName="music", Item={"id": {"S": "Cee"}, "m": {"M": {"x": {"S": "deep"}}}})
    put(service, id="a")
    ok(service, "DeleteItem", TableName="music", Key={"id": {"S": "a"}})
    function = Function()
    triggers = on(service)
    triggers.connect(ARN, function, filters=patterns, batch_size=1)
    triggers.settle()
    return [f"{e['Records'][0]['eventName'][0]}{ids(e)[0]}" for e in function.events]


KEY = ("dynamodb", "Keys", "id", "S")


def at(*path: str, must: list[Any]) -> dict[str, Any]:
    inner: Any = must
    for name in reversed(path):
        inner = {name: inner}
    return dict(inner)


FILTERS: list[tuple[list[Any], list[str]]] = [
    ([at("eventName", must=["REMOVE"])], ["Ra"]),
    ([at("eventName", must=["REMOVE", "INSERT"])], ["Ib", "ICee", "Ia", "Ra"]),
    ([at("eventName", must=["MODIFY"])], []),
    ([at(*KEY, must=["a"])], ["Ia", "Ra"]),
    ([{**at(*KEY, must=["a"]), "eventName": ["INSERT"]}], ["Ia"]),
    ([at(*KEY, must=["b"]), at("eventName", must=["REMOVE"])], ["Ib", "Ra"]),
    ([at(*KEY, must=[{"prefix": "C"}])], ["ICee"]),
    ([at(*KEY, must=[{"suffix": "ee"}])], ["ICee"]),
    ([at(*KEY, must=[{"equals-ignore-case": "CEE"}])], ["ICee"]),
    ([at(*KEY, must=[{"prefix": {"equals-ignore-case": "c"}}])], ["ICee"]),
    ([at(*KEY, must=[{"anything-but": ["a", "b"]}])], ["ICee"]),
    ([at(*KEY, must=[{"anything-but": {"prefix": "C"}}])], ["Ib", "Ia", "Ra"]),
    ([at("dynamodb", "NewImage", "n", "N", must=[{"exists": True}])], ["Ib"]),
    ([at("dynamodb", "NewImage", "n", "N", must=[{"exists": False}])], ["ICee", "Ia", "Ra"]),
    ([at("dynamodb", "NewImage", "n", "N", must=["5"])], ["Ib"]),
    ([at("dynamodb", "NewImage", "n", "N", must=[{"numeric": ["=", 5]}])], []),
    ([at("dynamodb", "NewImage", "n", "N", must=[5])], []),
    ([at("dynamodb", "NewImage", "on", "BOOL", must=[True])], ["Ib"]),
    ([at("dynamodb", "NewImage", "on", "BOOL", must=[1])], []),
    ([at("dynamodb", "NewImage", "m", "M", "x", "S", must=["deep"])], ["ICee"]),
    ([at("dynamodb", "SizeBytes", must=[{"numeric": [">", 0, "<", 7]}])], ["Ia", "Ra"]),
    ([at("userIdentity", must=[{"exists": True}])], []),
    ([{"$or": [at(*KEY, must=["b"]), at("eventName", must=["REMOVE"])]}], ["Ib", "Ra"]),
]


@pytest.mark.parametrize(("patterns", "expected"), FILTERS)
def test_filters_choose_what_comes(patterns: list[Any], expected: list[str]) -> None:
    assert passed(*patterns) == expected


def test_what_a_filter_passes_over_counts_as_processed() -> None:
    function = Function()
    _, triggers, mapping = connected(function, "a", "b", filters=[at(*KEY, must=["b"])])
    triggers.settle()
    assert function.batches == [["b"]]
    assert replace(mapping.tally) == replace(mapping.tally, read=2, filtered=1, done=1, calls=1)


BROKEN = [
    {"$or": [{"eventName": ["INSERT"]}]},
    {"a": []},
    {"a": [[1]]},
    {"a": [{"numeric": [">"]}]},
    {"a": [{"numeric": ["~", 1]}]},
    {"a": [{"numeric": [">", "1"]}]},
    {"a": [{"exists": "yes"}]},
    {"a": [{"prefix": 1}]},
    {"a": [{"anything-but": []}]},
    {"a": [{"prefix": "a", "suffix": "b"}]},
    {"a": {}},
]


@pytest.mark.parametrize("pattern", BROKEN)
def test_conditions_that_make_no_sense_are_refused(pattern: Any) -> None:
    assert refusal(on(made()), filters=[pattern])[1] == "Invalid filter pattern definition."
