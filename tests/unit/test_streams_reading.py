"""Iterators, pages, trimming and shards of DynamoDB Streams, against AWS's documentation and answers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reference.api import Call, Refusal
from reference.rules import violation
from reference.service import Service
from reference.streams.shards import Sharding
from tests.unit.stream_tables import ARN, DAY, START, advance, ids, iterator, made, ok, put, read, refused, shards


@pytest.fixture
def service() -> Service:
    return made()


# Iterators


def test_the_form_of_an_iterator(service: Service) -> None:
    text = iterator(service)
    assert re.fullmatch(re.escape(ARN) + r"\|[0-9]\|[A-Za-z0-9+/=]+", text)
    answer = ok(service, "GetRecords", ShardIterator=text)
    assert answer["Records"] == []
    assert re.fullmatch(re.escape(ARN) + r"\|[0-9]\|[A-Za-z0-9+/=]+", answer["NextShardIterator"])


def test_all_types_of_iterator(service: Service) -> None:
    for name in "abc":
        put(service, id=name)
        advance(service, 10)
    numbers = [record["dynamodb"]["SequenceNumber"] for record in read(service)]
    assert sorted(numbers, key=int) == numbers
    assert ids(read(service, "TRIM_HORIZON")) == "abc"
    assert ids(read(service, "LATEST")) == ""
    assert ids(read(service, "AT_SEQUENCE_NUMBER", SequenceNumber=numbers[1])) == "bc"
    assert ids(read(service, "AFTER_SEQUENCE_NUMBER", SequenceNumber=numbers[1])) == "c"
    assert ids(read(service, "AFTER_SEQUENCE_NUMBER", SequenceNumber=numbers[2])) == ""
    first = shards(service)[0]["SequenceNumberRange"]["StartingSequenceNumber"]
    assert ids(read(service, "AT_SEQUENCE_NUMBER", SequenceNumber=first)) == "abc"
    assert ids(read(service, "AT_TIMESTAMP", Timestamp=START + 10)) == "bc"
    assert ids(read(service, "AT_TIMESTAMP", Timestamp=START + 10.25)) == "c"
    assert ids(read(service, "AT_TIMESTAMP", Timestamp=START - 5 * DAY)) == "abc"
    assert ids(read(service, "AT_TIMESTAMP", Timestamp=START + 25)) == ""
    waiting = iterator(service, "LATEST")
    put(service, id="d")
    assert ids(ok(service, "GetRecords", ShardIterator=waiting)["Records"]) == "d"


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"ShardIteratorType": "AT_SEQUENCE_NUMBER"}, "streams.sequence-number-required"),
        ({"ShardIteratorType": "AFTER_SEQUENCE_NUMBER"}, "streams.sequence-number-required"),
        ({"ShardIteratorType": "LATEST", "SequenceNumber": "1" * 21}, "streams.sequence-number-surplus"),
        ({"ShardIteratorType": "TRIM_HORIZON", "SequenceNumber": "1" * 21}, "streams.sequence-number-surplus"),
        ({"ShardIteratorType": "AT_TIMESTAMP"}, "streams.timestamp-required"),
        ({"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": START + 1}, "streams.timestamp-future"),
        ({"ShardIteratorType": "LATEST", "Timestamp": START}, "streams.timestamp-surplus"),
        ({"ShardIteratorType": "LATEST", "ShardId": "s" * 28}, "streams.shard-missing"),
        ({"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "9" * 30}, "streams.sequence-number-unknown"),
        ({"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "x" * 30}, "streams.sequence-number-unknown"),
        ({"ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "0" * 30}, "streams.trimmed"),
    ],
)
def test_iterators_that_are_refused(service: Service, body: dict[str, Any], rule: str) -> None:
    body = {"ShardId": shards(service)[0]["ShardId"], **body}
    assert refused(service, "GetShardIterator", StreamArn=ARN, **body)[0] == rule


def test_the_text_for_a_shard_that_is_not_there(service: Service) -> None:
    _, message = refused(service, "GetShardIterator", StreamArn=ARN, ShardId="s" * 28, ShardIteratorType="LATEST")
    assert message == "Requested resource not found: Shard does not exist"


def test_an_iterator_expires_after_fifteen_minutes(service: Service) -> None:
    text = iterator(service)
    advance(service, 900)
    following = ok(service, "GetRecords", ShardIterator=text)["NextShardIterator"]
    advance(service, 1)
    assert refused(service, "GetRecords", ShardIterator=text)[0] == "streams.iterator-expired"
    ok(service, "GetRecords", ShardIterator=following)


@pytest.mark.parametrize(
    "text",
    ["x", "a|b|c", f"{ARN}|1|!!!!", f"{ARN}|1|AAAA", f"{ARN}|12|AAAA", "|" * 50, f"{ARN}|1|" + "A" * 1500, "é|1|é"],
)
def test_what_is_no_iterator(service: Service, text: str) -> None:
    assert refused(service, "GetRecords", ShardIterator=text)[0] == "streams.iterator-malformed"


def test_an_iterator_of_another_stream(service: Service) -> None:
    text = iterator(service).replace("music", "other")
    assert refused(service, "GetRecords", ShardIterator=text)[0] == "streams.not-found"


# Trimming


def test_records_are_trimmed_after_a_day(service: Service) -> None:
    put(service, id="a")
    advance(service, 600)
    put(service, id="b")
    (first, _) = (record["dynamodb"]["SequenceNumber"] for record in read(service))
    advance(service, DAY - 600)
    assert ids(read(service)) == "ab"
    held = iterator(service)
    advance(service, 1)
    assert ids(read(service)) == "b"
    assert refused(service, "GetRecords", ShardIterator=held)[0] == "streams.trimmed"
    shard = shards(service)[0]["ShardId"]
    asked = {"StreamArn": ARN, "ShardId": shard, "ShardIteratorType": "AT_SEQUENCE_NUMBER"}
    assert refused(service, "GetShardIterator", **asked, SequenceNumber=first)[0] == "streams.trimmed"
    assert ids(read(service, "AFTER_SEQUENCE_NUMBER", SequenceNumber=first)) == "b"
    advance(service, 600)
    assert ids(read(service)) == ""
    put(service, id="c")
    assert ids(read(service)) == "c"


# Pages


def test_pages_of_records(service: Service) -> None:
    for i in range(1005):
        put(service, id=f"{i:04}")
    page = ok(service, "GetRecords", ShardIterator=iterator(service))
    assert len(page["Records"]) == 1000
    assert len(ok(service, "GetRecords", ShardIterator=page["NextShardIterator"])["Records"]) == 5
    page = ok(service, "GetRecords", ShardIterator=iterator(service), Limit=3)
    assert ids(page["Records"]) == "000000010002"
    assert ids(ok(service, "GetRecords", ShardIterator=page["NextShardIterator"], Limit=1)["Records"]) == "0003"


def test_a_page_holds_a_megabyte(service: Service) -> None:
    for i in range(4):
        put(service, id=str(i), v="x" * 349_000)
    page = ok(service, "GetRecords", ShardIterator=iterator(service))
    assert ids(page["Records"]) == "012"
    page = ok(service, "GetRecords", ShardIterator=page["NextShardIterator"])
    assert ids(page["Records"]) == "3"


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_record_limits_out_of_range(service: Service, limit: int) -> None:
    reply = service.execute(Call("GetRecords", {"ShardIterator": iterator(service), "Limit": limit}))
    assert isinstance(reply, Refusal)
    assert reply.code == "ValidationException"
    assert "limit" in (reply.message or "")


# Shards


def test_several_shards_share_the_keys() -> None:
    service = made(sharding=Sharding(shards=4))
    listed = shards(service)
    assert len(listed) == 4
    assert [each["ShardId"] for each in listed] == sorted(each["ShardId"] for each in listed)
    for i in range(64):
        put(service, id=f"{i:02}")
        put(service, id=f"{i:02}", v="1")
    seen = [ids(read(service, shard=each["ShardId"])) for each in listed]
    assert all(seen)
    flat = sorted(text[i : i + 2] for text in seen for i in range(0, len(text), 2))
    assert flat == sorted(2 * [f"{i:02}" for i in range(64)])


def test_shards_after_a_start_and_in_pages() -> None:
    service = made(sharding=Sharding(shards=4))
    every = [each["ShardId"] for each in shards(service)]
    assert [each["ShardId"] for each in shards(service, ExclusiveStartShardId=every[0])] == every[1:]
    assert shards(service, ExclusiveStartShardId="s" * 28) == []
    page = ok(service, "DescribeStream", StreamArn=ARN, Limit=2)["StreamDescription"]
    assert [each["ShardId"] for each in page["Shards"]] == every[:2]
    assert page["LastEvaluatedShardId"] == every[1]
    page = ok(service, "DescribeStream", StreamArn=ARN, Limit=2, ExclusiveStartShardId=every[1])["StreamDescription"]
    assert [each["ShardId"] for each in page["Shards"]] == every[2:]
    assert "LastEvaluatedShardId" not in page


def test_shards_close_and_are_followed() -> None:
    service = made(sharding=Sharding(lifetime=3600, children=2))
    put(service, id="a")
    advance(service, 3600)
    put(service, id="b")
    put(service, id="a", v="1")
    parent, *children = shards(service)
    assert [each["ParentShardId"] for each in children] == [parent["ShardId"]] * 2
    assert "ParentShardId" not in parent
    ended = int(parent["SequenceNumberRange"]["EndingSequenceNumber"])
    for child in children:
        assert int(child["SequenceNumberRange"]["StartingSequenceNumber"]) > ended
        assert "EndingSequenceNumber" not in child["SequenceNumberRange"]
    answer = ok(service, "GetRecords", ShardIterator=iterator(service, shard=parent["ShardId"]))
    assert ids(answer["Records"]) == "a"
    assert "NextShardIterator" not in answer
    assert sorted(
        ids(read(service, shard=children[0]["ShardId"])) + ids(read(service, shard=children[1]["ShardId"]))
    ) == [
        "a",
        "b",
    ]
    chosen = {"Type": "CHILD_SHARDS", "ShardId": parent["ShardId"]}
    assert shards(service, ShardFilter=chosen) == children
    assert shards(service, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": children[0]["ShardId"]}) == []
    assert shards(service, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": "s" * 28}) == []
    advance(service, DAY)
    assert parent["ShardId"] not in [each["ShardId"] for each in shards(service)]


def test_children_stop_multiplying_at_64_open_shards() -> None:
    service = made(sharding=Sharding(lifetime=60, children=4))
    advance(service, 60 * 10)
    open_shards = ok(service, "DescribeStream", StreamArn=ARN)["StreamDescription"]
    last = open_shards["LastEvaluatedShardId"]
    found = list(open_shards["Shards"])
    while last:
        page = ok(service, "DescribeStream", StreamArn=ARN, ExclusiveStartShardId=last)["StreamDescription"]
        found += page["Shards"]
        last = page.get("LastEvaluatedShardId")
    assert sum("EndingSequenceNumber" not in each["SequenceNumberRange"] for each in found) == 64
    assert len({each["ShardId"] for each in found}) == len(found)


@pytest.mark.parametrize("wrong", [{"shards": 0}, {"shards": 65}, {"children": 0}, {"lifetime": 0.0}])
def test_settings_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="shard"):
        Sharding(**wrong)


# Properties of the room


def test_a_fork_and_a_replica_read_the_same_records(service: Service) -> None:
    put(service, id="a")
    advance(service, 10)
    put(service, id="b")
    assert read(service.fork()) == read(service)
    replica = service.as_of(START + 5)
    assert ids(read(replica)) == "a"


def test_state_taken_over_from_a_target_leaves_no_gap(service: Service) -> None:
    held = iterator(service)
    service.install("music", {"id": {"S": "x"}}, {"id": {"S": "x"}, "v": {"S": "1"}})
    put(service, id="a")
    assert ids(ok(service, "GetRecords", ShardIterator=held)["Records"]) == "a"


def test_every_violation_of_a_request_can_be_drained(service: Service) -> None:
    requests: list[tuple[str, dict[str, Any]]] = [
        ("GetShardIterator", {"ShardIteratorType": "AT_TIMESTAMP", "SequenceNumber": "1" * 21, "ShardId": "s" * 28}),
        ("GetShardIterator", {}),
        ("GetRecords", {}),
        ("GetRecords", {"ShardIterator": "", "Limit": 0}),
        ("DescribeStream", {"Limit": -5, "ShardFilter": {}}),
        ("ListStreams", {"Limit": -5, "ExclusiveStartStreamArn": ""}),
    ]
    for operation, body in requests:
        service.outcomes(Call(operation, body))


def test_words_of_the_rules_with_a_recorded_kind_only() -> None:
    assert violation("streams.trimmed").rule.error == "TrimmedDataAccessException"
    assert violation("streams.iterator-expired").rule.error == "ExpiredIteratorException"
    assert violation("streams.shard-missing").rule.error == "ResourceNotFoundException"
