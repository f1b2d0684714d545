"""What nobody saw happen: lost writes and deletions by time to live, read back stale, from a stream or a restore."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from reference import ttl
from reference.api import Call, Lost, Refusal, Success
from reference.unkind import UnkindService, Weather
from tests.unit.test_oracle_planes import STREAMED, TABLE, Bench, less

KEYS_ONLY: dict[str, Any] = {**TABLE, "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}}
KEY: dict[str, Any] = {"TableName": "music", "Key": {"pk": {"S": "a"}}}
PUT = Call("PutItem", {"TableName": "music", "Item": {"pk": {"S": "a"}, "v": {"N": "2"}}})


def nothing(body: Any) -> Any:
    return {}


@pytest.mark.parametrize(("later", "ruling"), [(2.0, "ok"), (9.0, "violated")])
def test_what_a_lost_write_overwrote_may_be_shown_until_long_after_it_was_seen(later: float, ruling: str) -> None:
    bench = Bench(staleness=4.0)
    bench.oracle.judge(PUT, Lost("timeout"), bench.clock.now())
    for _ in range(8):
        assert bench.ask("GetItem", **KEY) == {}
    bench.target.execute(PUT)
    assert "Item" in bench.ask("GetItem", **KEY)
    bench.clock.advance(later)
    assert bench.put("GetItem", nothing, **KEY)[1] == ruling


def test_what_was_there_between_two_writes_may_be_shown_though_all_is_as_before() -> None:
    for moment, ruling in (("2", "ok"), ("3", "violated")):
        bench = Bench(staleness=9.0)
        bench.item("a", v={"N": "1"})
        bench.oracle.judge(PUT, Lost("timeout"), bench.clock.now())
        bench.target.execute(PUT)
        bench.item("a", v={"N": "1"})
        assert bench.oracle.settle()
        stale = {"Item": {"pk": {"S": "a"}, "v": {"N": moment}}}
        assert bench.put("GetItem", lambda _, stale=stale: stale, **KEY)[1] == ruling


RESTORED: dict[str, Any] = {"TableName": "copy", "ConsistentRead": True}


def test_segments_that_were_read_in_a_state_that_never_was_are_not_held_against_others() -> None:
    bench = Bench()
    names = "abcdefgh"
    for name in names:
        bench.item(name)
    scan = {"TableName": "music", "TotalSegments": 2}
    first = bench.ask("Scan", **scan, Segment=0)["Items"]
    assert 0 < len(first) < len(names)
    mine, other = (0, 1) if {"pk": {"S": "a"}} in first else (1, 0)
    changed = next(name for name in names if ({"pk": {"S": name}} in first) is (other == 0))
    bench.oracle.judge(PUT, Lost("timeout"), bench.clock.now())
    bench.ask("Scan", **scan, Segment=other)
    bench.item(changed, v={"N": "1"})
    bench.ask("Scan", **scan, Segment=mine)
    bench.ask("Scan", **scan, Segment=other)


class TestRestores:
    def bench(self, *, early: bool) -> Bench:
        """A table restored as it was before its last item, and a lost write that came before that moment or after."""
        bench = Bench(staleness=4.0)
        recovery = {"PointInTimeRecoveryEnabled": True}
        bench.ask("UpdateContinuousBackups", TableName="music", PointInTimeRecoverySpecification=recovery)
        bench.oracle.judge(PUT, Lost("timeout"), bench.clock.now())
        if early:
            bench.target.execute(PUT)
        bench.clock.advance(400.0)
        moment = bench.clock.now() - 200.0
        if not early:
            bench.target.execute(PUT)
        bench.item("b")
        bench.ask("GetItem", **KEY, ConsistentRead=True)
        bench.clock.advance(400.0)
        names = {"SourceTableName": "music", "TargetTableName": "copy"}
        bench.ask("RestoreTableToPointInTime", **names, RestoreDateTime=moment)
        return bench

    @pytest.mark.parametrize("early", [False, True])
    def test_a_restore_may_hold_a_lost_write_or_not(self, early: bool) -> None:
        shown = self.bench(early=early).ask("Scan", **RESTORED)
        assert [item["pk"]["S"] for item in shown["Items"]] == ["a"] * early

    @pytest.mark.parametrize("early", [False, True])
    def test_a_backup_may_hold_a_lost_write_or_not_whatever_the_table_holds_later(self, early: bool) -> None:
        bench = Bench()
        bench.oracle.judge(PUT, Lost("timeout"), bench.clock.now())
        if early:
            bench.target.execute(PUT)
        backup = bench.ask("CreateBackup", TableName="music", BackupName="one")["BackupDetails"]["BackupArn"]
        if not early:
            bench.target.execute(PUT)
        assert "Item" in bench.ask("GetItem", **KEY, ConsistentRead=True)
        bench.ask("RestoreTableFromBackup", TargetTableName="copy", BackupArn=backup)
        shown = bench.ask("Scan", **RESTORED)
        assert [item["pk"]["S"] for item in shown["Items"]] == ["a"] * early

    def test_it_holds_nothing_that_was_seen_to_come_later(self) -> None:
        def with_b(body: Any) -> Any:
            items = [*body["Items"], {"pk": {"S": "b"}}]
            return {**body, "Items": items, "Count": len(items), "ScannedCount": len(items)}

        assert self.bench(early=True).put("Scan", with_b, **RESTORED)[1] == "violated"


@pytest.mark.parametrize("early", [False, True])
def test_the_stream_of_a_deleted_table_may_tell_of_a_lost_write_or_not(early: bool) -> None:
    bench = Bench(KEYS_ONLY)
    bench.oracle.judge(PUT, Lost("timeout"), bench.clock.now())
    if early:
        bench.target.execute(PUT)
    bench.ask("DeleteTable", TableName="music")
    assert bench.oracle.settle()
    assert len(bench.ask("GetRecords", ShardIterator=bench.iterators()[0])["Records"]) == early


class TestRecordsThatLookAlike:
    def bench(self) -> tuple[Bench, str]:
        """A reading that began right after a change which may come late, and a change after it that looks the same."""
        bench = Bench(KEYS_ONLY, stream_lag=30.0)
        bench.item("a")
        bench.item("a", v={"N": "1"})
        [latest] = bench.iterators("LATEST")
        bench.item("a", v={"N": "2"})
        return bench, latest

    def test_one_that_must_be_shown_is_not_taken_for_one_that_need_not(self) -> None:
        for alter, ruling in ((None, "ok"), (less, "violated")):
            bench, latest = self.bench()
            bench.clock.advance(100.0)
            reply, found = bench.put("GetRecords", alter, ShardIterator=latest)
            assert found == ruling, reply

    def test_what_was_not_shown_in_time_is_not_shown_later(self) -> None:
        bench, latest = self.bench()
        bench.clock.advance(100.0)
        page = bench.ask("GetRecords", ShardIterator=latest)
        bench.item("a", v={"N": "3"})
        bench.clock.advance(100.0)
        assert len(page["Records"]) == 1
        found = bench.put("GetRecords", less, ShardIterator=page["NextShardIterator"])[1]
        assert found == "violated"

    def test_what_was_shown_before_is_shown_again_in_its_turn(self) -> None:
        for alter, ruling in ((None, "ok"), (less, "violated")):
            bench = Bench(KEYS_ONLY, stream_lag=30.0)
            bench.item("c")
            for number in "123":
                bench.item("a", v={"N": number})
            told = bench.ask("GetRecords", ShardIterator=bench.iterators()[0])["Records"]
            [shard] = bench.ask("DescribeStream", StreamArn=bench.stream)["StreamDescription"]["Shards"]
            of = {"StreamArn": bench.stream, "ShardId": shard["ShardId"], "ShardIteratorType": "AFTER_SEQUENCE_NUMBER"}
            number = told[0]["dynamodb"]["SequenceNumber"]
            first = bench.ask("GetShardIterator", **of, SequenceNumber=number)["ShardIterator"]
            assert len(bench.ask("GetRecords", ShardIterator=first)["Records"]) == 3
            bench.clock.advance(60.0)
            assert bench.put("GetRecords", alter, ShardIterator=first)[1] == ruling

    def test_what_comes_after_one_of_several_is_not_known(self) -> None:
        bench, latest = self.bench()
        [shown] = bench.ask("GetRecords", ShardIterator=latest)["Records"]
        [shard] = bench.ask("DescribeStream", StreamArn=bench.stream)["StreamDescription"]["Shards"]
        number = shown["dynamodb"]["SequenceNumber"]
        of = {"StreamArn": bench.stream, "ShardId": shard["ShardId"], "ShardIteratorType": "AFTER_SEQUENCE_NUMBER"}
        assert bench.put("GetShardIterator", **of, SequenceNumber=number)[1] == "unknown"


def test_a_deletion_that_nobody_saw_may_stand_before_what_was_written_before_it_was_noticed() -> None:
    for alter, ruling in ((None, "ok"), (less, "violated")):
        bench = Bench(STREAMED)
        setting = {"Enabled": True, "AttributeName": "until"}
        bench.ask("UpdateTimeToLive", TableName="music", TimeToLiveSpecification=setting)
        bench.item("a", until={"N": "1799999900"})
        account = bench.target.account
        account.commit(account.tables["music"].plan({"pk": {"S": "a"}}, None), by=ttl.IDENTITY)
        bench.item("b")
        told = bench.ask("GetRecords", ShardIterator=bench.iterators()[0])["Records"]
        assert [each["eventName"] for each in told] == ["INSERT", "REMOVE", "INSERT"]
        [shard] = bench.ask("DescribeStream", StreamArn=bench.stream)["StreamDescription"]["Shards"]
        of = {"StreamArn": bench.stream, "ShardId": shard["ShardId"], "ShardIteratorType": "AFTER_SEQUENCE_NUMBER"}
        number = told[1]["dynamodb"]["SequenceNumber"]
        after = bench.ask("GetShardIterator", **of, SequenceNumber=number)["ShardIterator"]
        assert bench.put("GetRecords", alter, ShardIterator=after)[1] == ruling


class TestStaleStatements:
    """A SELECT is eventually consistent unless it asks otherwise, like any read."""

    def bench(self) -> Bench:
        bench = Bench(staleness=5.0)
        bench.item("a", v={"N": "1"})
        bench.item("b", v={"N": "1"})
        bench.item("c", v={"N": "1"})
        bench.clock.advance(60.0)
        bench.item("a", v={"N": "2"})
        bench.item("b", v={"N": "2"})
        return bench

    @pytest.mark.parametrize(
        ("shown", "later", "more", "ruling"),
        [
            ("111", 0.0, {}, "ok"),
            ("211", 0.0, {}, "ok"),
            ("121", 0.0, {}, "ok"),
            ("321", 0.0, {}, "violated"),
            ("12", 0.0, {}, "violated"),
            ("121", 9.0, {}, "violated"),
            ("121", 0.0, {"ConsistentRead": True}, "violated"),
        ],
    )
    def test_each_row_may_be_of_a_moment_of_its_own(
        self, shown: str, later: float, more: dict[str, Any], ruling: str
    ) -> None:
        bench = self.bench()
        bench.clock.advance(later)
        rows = [{"pk": {"S": key}, "v": {"N": v}} for key, v in zip("abc", shown, strict=False)]
        asked = {"Statement": 'SELECT * FROM "music"', **more}
        assert bench.put("ExecuteStatement", lambda body: {**body, "Items": rows}, **asked)[1] == ruling

    @pytest.mark.parametrize(
        ("shown", "more", "ruling"),
        [("12", {}, "ok"), ("21", {}, "ok"), ("13", {}, "violated"), ("12", {"ConsistentRead": True}, "violated")],
    )
    def test_each_statement_of_a_batch_may_be_of_a_moment_of_its_own(
        self, shown: str, more: dict[str, Any], ruling: str
    ) -> None:
        bench = self.bench()
        select = "SELECT * FROM \"music\" WHERE pk = '{}'"
        asked = [{"Statement": select.format(key), **more} for key in "ab"]
        parts = [
            {"TableName": "music", "Item": {"pk": {"S": k}, "v": {"N": v}}} for k, v in zip("ab", shown, strict=True)
        ]
        found = bench.put("BatchExecuteStatement", lambda body: {**body, "Responses": parts}, Statements=asked)
        assert found[1] == ruling, found

    def test_a_statement_may_be_throttled_by_itself_where_batches_may_be_left_undone(self) -> None:
        asked = [{"Statement": f"SELECT * FROM \"music\" WHERE pk = '{key}'"} for key in "ab"]
        for partial, ruling in ((True, "ok"), (False, "violated")):
            bench = Bench(partial_batches=partial)
            bench.item("a")
            weather = UnkindService(bench.target, Weather(partial=1.0), 3)
            reply = weather.execute(Call("BatchExecuteStatement", {"Statements": asked}))
            assert isinstance(reply, Success)
            errors = [part.get("Error") for part in reply.body["Responses"]]
            assert errors.count({"Code": "ThrottlingError"}) == errors.count(None) == 1
            found = bench.put("BatchExecuteStatement", lambda _, told=reply.body: told, Statements=asked)
            assert found[1] == ruling


@pytest.mark.parametrize(
    ("staleness", "later", "ruling"), [(3.0, 0.5, "unknown"), (3.0, 9.0, "violated"), (0.0, 0.5, "violated")]
)
def test_a_policy_may_be_read_as_it_was_for_a_while(staleness: float, later: float, ruling: str) -> None:
    bench = Bench(staleness=staleness)
    arn = bench.created["TableDescription"]["TableArn"]
    statement = {"Effect": "Deny", "Principal": {"AWS": "123456789012"}, "Action": "dynamodb:*", "Resource": arn}
    written = {"Version": "2012-10-17", "Statement": [statement]}
    bench.ask("PutResourcePolicy", ResourceArn=arn, Policy=orjson.dumps(written).decode())
    before = bench.ask("GetResourcePolicy", ResourceArn=arn)
    statement["Effect"] = "Allow"
    bench.ask("PutResourcePolicy", ResourceArn=arn, Policy=orjson.dumps(written).decode())
    bench.clock.advance(later)
    assert bench.put("GetResourcePolicy", lambda _: before, ResourceArn=arn)[1] == ruling
    bench.ask("GetResourcePolicy", ResourceArn=arn)


@pytest.mark.parametrize(
    ("operation", "body", "open_"),
    [
        ("ExecuteStatement", {"Statement": 'SELECT * FROM "music"'}, False),
        ("BatchExecuteStatement", {"Statements": [{"Statement": "SELECT * FROM \"music\" WHERE pk = 'a'"}]}, False),
        ("ExecuteStatement", {"Statement": "DELETE FROM \"music\" WHERE pk = 'a'"}, True),
        ("ExecuteStatement", {"Statement": "no statement"}, True),
        ("GetItem", KEY, False),
    ],
)
def test_only_what_may_write_leaves_open_what_it_did(operation: str, body: dict[str, Any], open_: bool) -> None:
    bench = Bench(server_errors=True)
    for answer in (Lost("timeout"), Refusal("InternalServerError", "Internal server error", 500)):
        bench.oracle.judge(Call(operation, body), answer, bench.clock.now())
        assert bench.oracle.ambiguous is open_
