"""The oracle beside items and tables: what a target makes up, what may lag or be gone, and what may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.oracle.divergence import Divergence
from conformance.oracle.judge import Oracle
from conformance.oracle.latitude import Latitude
from conformance.oracle.writers import CREATES_NOTHING
from conformance.program import BUCKET
from reference import ttl
from reference.account import Account
from reference.api import Call, Lost, Refusal, Reply, Success
from reference.clock import ManualClock
from reference.service import Service
from reference.streams.shards import Sharding
from reference.transfer.buckets import buckets

START = 1_800_000_000.0
TABLE = {
    "TableName": "music",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
STREAMED = {**TABLE, "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}}


class Bench:
    """A target with names of its own, and an oracle that looks at it."""

    def __init__(self, table: dict[str, Any] = TABLE, *, shards: int = 1, **latitude: Any) -> None:
        self.clock = ManualClock(START)
        # Another account: not one name of the target's is the model's.
        account = Account(self.clock, account_id="123456789012", sharding=Sharding(shards))
        buckets(account.rooms).make(BUCKET)
        self.target = Service(account)
        self.oracle = Oracle(Latitude(skew=0.0, **latitude), start=START)
        self.created = self.ask("CreateTable", **table)

    def ask(self, operation: str, alter: Callable[[Any], Any] | None = None, **body: Any) -> Any:
        """The target's answer, which the oracle must permit; ``alter`` makes another of it."""
        reply, ruling = self.put(operation, alter, **body)
        assert ruling == "ok", (operation, reply)
        return reply.body if isinstance(reply, Success) else reply

    def put(self, operation: str, alter: Callable[[Any], Any] | None = None, **body: Any) -> tuple[Reply, str]:
        """The answer and the oracle's word on it."""
        self.clock.advance(1.0)
        call = Call(operation, body)
        reply = self.target.execute(call)
        if alter is not None:
            assert isinstance(reply, Success)
            reply = Success(alter(reply.body))
        return reply, self.oracle.judge(call, reply, self.clock.now()).ruling

    def divergence(self, operation: str, alter: Callable[[Any], Any], **body: Any) -> Divergence:
        """What the oracle finds wrong with an altered answer."""
        self.clock.advance(1.0)
        call = Call(operation, body)
        reply = Success(alter(self.target.execute(call).body))
        found = self.oracle.judge(call, reply, self.clock.now()).divergence
        assert found is not None
        return found

    def item(self, key: str, **attributes: Any) -> None:
        self.ask("PutItem", TableName="music", Item={"pk": {"S": key}, **attributes})

    @property
    def stream(self) -> str:
        return str(self.created["TableDescription"]["LatestStreamArn"])

    def iterators(self, kind: str = "TRIM_HORIZON") -> list[str]:
        shards = self.ask("DescribeStream", StreamArn=self.stream)["StreamDescription"]["Shards"]
        return [
            self.ask("GetShardIterator", StreamArn=self.stream, ShardId=s["ShardId"], ShardIteratorType=kind)[
                "ShardIterator"
            ]
            for s in shards
        ]


def less(body: Any) -> Any:
    return {**body, "Records": body["Records"][:-1]}


def twice(body: Any) -> Any:
    return {**body, "Records": body["Records"][:1] + body["Records"]}


class TestStreams:
    def test_any_shards_hold_all_changes(self) -> None:
        bench = Bench(STREAMED, shards=3)
        for key in "abcdefgh":
            bench.item(key)
        bench.item("a", b={"S": "x"})
        found = [bench.ask("GetRecords", ShardIterator=each)["Records"] for each in bench.iterators()]
        assert sum(map(len, found)) == 9
        assert sum(1 for each in found if each) > 1

    @pytest.mark.parametrize("alter", [less, twice])
    def test_a_record_less_or_more_is_found(self, alter: Callable[[Any], Any]) -> None:
        bench = Bench(STREAMED)
        bench.item("a")
        assert bench.put("GetRecords", alter, ShardIterator=bench.iterators()[0])[1] == "violated"

    def test_of_a_wrong_image_its_own_record_and_attribute_are_told(self) -> None:
        bench = Bench(STREAMED)
        bench.item("a")
        bench.item("b", c={"N": "1"}, d={"S": "x"})

        def poorer(body: Any) -> Any:
            (first, second) = body["Records"]
            image = {"pk": {"S": "b"}, "d": {"S": "x"}}
            return {**body, "Records": [first, {**second, "dynamodb": {**second["dynamodb"], "NewImage": image}}]}

        found = bench.divergence("GetRecords", poorer, ShardIterator=bench.iterators()[0])
        assert found.rule == "streams.images"
        images = [record["dynamodb"]["NewImage"] for record in found.expected.body["Records"]]
        assert images == [{"pk": {"S": "a"}}, {"pk": {"S": "b"}, "c": {"N": "1"}, "d": {"S": "x"}}]

    def test_an_item_that_a_removal_made_is_that_removals_even_when_it_was_written_after(self) -> None:
        bench = Bench(STREAMED)
        bench.ask("UpdateItem", TableName="music", Key={"pk": {"S": "a"}}, UpdateExpression="REMOVE c")
        bench.item("a", c={"N": "1"})

        def made(body: Any) -> Any:
            (record,) = body["Records"]
            inner = record["dynamodb"]
            bare = {"pk": {"S": "a"}}
            first = {**record, "eventID": "0", "dynamodb": {**inner, "NewImage": bare, "SequenceNumber": "1"}}
            then = {**record, "eventName": "MODIFY", "dynamodb": {**inner, "OldImage": bare}}
            return {**body, "Records": [first, then]}

        found = bench.divergence("GetRecords", made, ShardIterator=bench.iterators()[0])
        assert (found.operation, found.rule) == ("UpdateItem", CREATES_NOTHING)

    def test_a_record_less_in_one_of_several_shards_is_found_with_the_last(self) -> None:
        bench = Bench(STREAMED, shards=2)
        for key in "abcdef":
            bench.item(key)
        rulings = [bench.put("GetRecords", less, ShardIterator=each)[1] for each in bench.iterators()]
        assert rulings == ["ok", "violated"]

    def test_a_change_may_come_late_where_streams_lag(self) -> None:
        for lag, ruling in ((5.0, "ok"), (0.0, "violated")):
            bench = Bench(STREAMED, stream_lag=lag)
            bench.item("a")
            assert bench.put("GetRecords", less, ShardIterator=bench.iterators()[0])[1] == ruling

    def test_latest_shows_only_what_comes_after(self) -> None:
        bench = Bench(STREAMED)
        bench.item("a")
        old = bench.ask("GetRecords", ShardIterator=bench.iterators()[0])["Records"]
        latest = bench.iterators("LATEST")[0]
        bench.item("b")
        _, ruling = bench.put("GetRecords", lambda b: {**b, "Records": old + b["Records"]}, ShardIterator=latest)
        assert ruling == "violated"

    def test_a_stream_that_is_off_ends(self) -> None:
        for endless, ruling in ((False, "ok"), (True, "violated")):
            bench = Bench(STREAMED)
            at = bench.iterators()[0]
            bench.ask("UpdateTable", TableName="music", StreamSpecification={"StreamEnabled": False})
            alter = (lambda body: {**body, "NextShardIterator": "more"}) if endless else None
            assert bench.put("GetRecords", alter, ShardIterator=at)[1] == ruling


@pytest.mark.parametrize(("staleness", "ruling"), [(90.0, "ok"), (30.0, "violated")])
def test_a_stale_copy_may_lack_what_many_writes_came_after(staleness: float, ruling: str) -> None:
    bench = Bench(staleness=staleness)
    for number in range(60):
        bench.item(str(number))
    assert bench.put("GetItem", lambda _: {}, TableName="music", Key={"pk": {"S": "0"}})[1] == ruling


def test_a_record_that_looks_like_an_earlier_one_is_known_by_its_number() -> None:
    keys_only = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    for alter, ruling in ((lambda body: body, "ok"), (less, "violated")):
        bench = Bench({**TABLE, "StreamSpecification": keys_only}, stream_lag=5.0)
        bench.item("a")
        bench.item("a", v={"N": "1"})
        bench.item("c")
        bench.clock.advance(10.0)
        told = bench.ask("GetRecords", ShardIterator=bench.iterators()[0])["Records"]
        bench.item("a", v={"N": "2"})
        bench.clock.advance(10.0)
        [shard] = bench.ask("DescribeStream", StreamArn=bench.stream)["StreamDescription"]["Shards"]
        of = {"StreamArn": bench.stream, "ShardId": shard["ShardId"], "ShardIteratorType": "AT_SEQUENCE_NUMBER"}
        number = told[-1]["dynamodb"]["SequenceNumber"]
        at = bench.ask("GetShardIterator", **of, SequenceNumber=number)["ShardIterator"]
        assert bench.put("GetRecords", alter, ShardIterator=at)[1] == ruling


@pytest.mark.parametrize("late", [False, True])
def test_a_lost_write_may_have_come_before_a_reading_of_the_stream_or_after(late: bool) -> None:
    bench = Bench(STREAMED)
    put = Call("PutItem", {"TableName": "music", "Item": {"pk": {"S": "a"}}})
    bench.oracle.judge(put, Lost("timeout"), bench.clock.now())
    if not late:
        bench.target.execute(put)
    [latest] = bench.iterators("LATEST")
    if late:
        bench.target.execute(put)
    shown = bench.ask("GetRecords", ShardIterator=latest)["Records"]
    assert len(shown) == late
    bench.ask("GetItem", TableName="music", Key={"pk": {"S": "a"}}, ConsistentRead=True)
    [start] = bench.iterators()
    assert bench.put("GetRecords", less, ShardIterator=start)[1] == "violated"


class TestNames:
    def test_are_held_to(self) -> None:
        bench = Bench()
        made = bench.ask("CreateBackup", TableName="music", BackupName="one")["BackupDetails"]["BackupArn"]
        bench.ask("DescribeBackup", BackupArn=made)

        def renamed(body: Any) -> Any:
            (entry,) = body["BackupSummaries"]
            return {"BackupSummaries": [entry, entry]}

        assert bench.put("ListBackups", renamed, TableName="music")[1] == "violated"

    def test_of_a_stream_do_not_change(self) -> None:
        bench = Bench(STREAMED)

        def other(body: Any) -> Any:
            return {"Table": {**body["Table"], "LatestStreamArn": body["Table"]["LatestStreamArn"] + "-2"}}

        bench.ask("DescribeTable", TableName="music")
        assert bench.put("DescribeTable", other, TableName="music")[1] == "violated"

    def test_of_a_policys_revision_change_with_it(self) -> None:
        bench = Bench()
        arn = bench.created["TableDescription"]["TableArn"]
        statement = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "*", "Resource": "*"}
        text = str({"Statement": [statement]}).replace("'", '"')
        first = bench.ask("PutResourcePolicy", ResourceArn=arn, Policy=text)["RevisionId"]
        again = text.replace("123456789012", "123456789013")
        _, ruling = bench.put("PutResourcePolicy", lambda _: {"RevisionId": first}, ResourceArn=arn, Policy=again)
        assert ruling == "violated"


class TestExpiry:
    def bench(self, moment: str) -> Bench:
        bench = Bench(STREAMED)
        bench.item("a", until={"N": moment})
        setting = {"Enabled": True, "AttributeName": "until"}
        bench.ask("UpdateTimeToLive", TableName="music", TimeToLiveSpecification=setting)
        return bench

    def sweep(self, bench: Bench, by: str = ttl.IDENTITY) -> None:
        table = bench.target.account.tables["music"]
        bench.target.account.commit(table.plan({"pk": {"S": "a"}}, None), by=by)

    def test_what_has_expired_may_be_there_or_gone(self) -> None:
        bench = self.bench("1799999900")
        bench.ask("Scan", TableName="music", ConsistentRead=True)
        self.sweep(bench)
        bench.ask("Scan", TableName="music", ConsistentRead=True)
        records = bench.ask("GetRecords", ShardIterator=bench.iterators()[0])["Records"]
        assert records[-1]["userIdentity"]["Type"] == "Service"

    def test_what_is_gone_does_not_come_back(self) -> None:
        bench = self.bench("1799999900")
        before = bench.ask("Scan", TableName="music", ConsistentRead=True)
        self.sweep(bench)
        bench.ask("Scan", TableName="music", ConsistentRead=True)
        assert bench.put("Scan", lambda _: before, TableName="music", ConsistentRead=True)[1] == "violated"

    def test_what_has_not_expired_stays(self) -> None:
        bench = self.bench("1800009999")
        self.sweep(bench)
        assert bench.put("Scan", TableName="music", ConsistentRead=True)[1] == "violated"

    def test_a_write_may_have_met_it_or_not(self) -> None:
        for swept in (False, True):
            bench = self.bench("1799999900")
            if swept:
                self.sweep(bench)
            names, values = {"#u": "until"}, {":u": {"N": "1800009999"}, ":b": {"S": "x"}}
            bench.ask(
                "UpdateItem", TableName="music", Key={"pk": {"S": "a"}}, UpdateExpression="SET #u = :u, b = :b",
                ExpressionAttributeNames=names, ExpressionAttributeValues=values,
            )  # fmt: skip
            bench.ask("GetItem", TableName="music", Key={"pk": {"S": "a"}}, ConsistentRead=True)
            bench.ask("GetRecords", ShardIterator=bench.iterators()[0])

    @pytest.mark.parametrize("moment", ["1799999900", "1800009999"])
    def test_it_may_have_gone_before_a_lost_write_took_effect(self, moment: str) -> None:
        bench = self.bench(moment)
        values, key = {":b": {"S": "x"}}, {"TableName": "music", "Key": {"pk": {"S": "a"}}}
        update = Call("UpdateItem", {**key, "UpdateExpression": "SET b = :b", "ExpressionAttributeValues": values})
        bench.oracle.judge(update, Lost("timeout"), bench.clock.now())
        self.sweep(bench)
        bench.target.execute(update)
        ruling = bench.put("GetItem", **key, ConsistentRead=True)[1]
        assert ruling == ("ok" if moment == "1799999900" else "violated")

    def test_a_write_that_met_it_is_kept_in_mind_where_it_is_seen_to_be_gone(self) -> None:
        bench = self.bench("1799999900")
        removal = {"UpdateExpression": "REMOVE b", "TableName": "music", "Key": {"pk": {"S": "a"}}}
        bench.item("a", until={"N": "1799999900"}, b={"S": "x"})
        bench.ask("UpdateItem", **removal)
        self.sweep(bench)
        bench.ask("Scan", TableName="music", ConsistentRead=True)
        told = bench.ask("GetRecords", ShardIterator=bench.iterators()[0])["Records"]
        assert [each["eventName"] for each in told][-2:] == ["MODIFY", "REMOVE"]

    def test_a_stale_copy_may_lack_what_was_gone_before_it_was_written_anew(self) -> None:
        for moment, ruling in (("1799999900", "ok"), ("1800009999", "violated")):
            bench = Bench(STREAMED, staleness=5.0)
            setting = {"Enabled": True, "AttributeName": "until"}
            bench.ask("UpdateTimeToLive", TableName="music", TimeToLiveSpecification=setting)
            bench.item("a", until={"N": moment})
            bench.clock.advance(60.0)
            bench.item("a", until={"N": "1800009999"})
            key = {"TableName": "music", "Key": {"pk": {"S": "a"}}}
            assert bench.put("GetItem", lambda _: {}, **key)[1] == ruling
            bench.ask("GetItem", **key, ConsistentRead=True)

    def test_it_may_have_gone_before_the_reading_began(self) -> None:
        bench = self.bench("1799999900")
        self.sweep(bench)
        [latest] = bench.iterators("LATEST")
        bench.ask("Scan", TableName="music", ConsistentRead=True)
        bench.item("a")
        [shown] = bench.ask("GetRecords", ShardIterator=latest)["Records"]
        assert shown["eventName"] == "INSERT"

    def test_it_has_gone_after_the_write_that_was_read(self) -> None:
        bench = Bench(STREAMED)
        [latest] = bench.iterators("LATEST")
        bench.item("a", until={"N": "1799999900"})
        setting = {"Enabled": True, "AttributeName": "until"}
        bench.ask("UpdateTimeToLive", TableName="music", TimeToLiveSpecification=setting)
        self.sweep(bench)
        bench.ask("Scan", TableName="music", ConsistentRead=True)
        bench.item("a")

        def without(body: Any) -> Any:
            return {**body, "Records": [each for each in body["Records"] if each["eventName"] != "REMOVE"]}

        assert bench.put("GetRecords", without, ShardIterator=latest)[1] == "violated"

    def test_its_record_says_who_deleted_it(self) -> None:
        bench = self.bench("1799999900")
        self.sweep(bench, by="user")
        assert bench.put("GetRecords", ShardIterator=bench.iterators()[0])[1] == "violated"


INDEX = {
    "IndexName": "near", "VectorAttribute": {"AttributeName": "v"}, "Dimensions": 2,
    "DistanceFunction": "EUCLIDEAN", "Projection": {"ProjectionType": "KEYS_ONLY"},
}  # fmt: skip


class TestVectors:
    def bench(self) -> Bench:
        bench = Bench({**TABLE, "VectorIndexes": [INDEX]})
        for key, text in (("a", "1"), ("b", "-1"), ("c", "3")):
            bench.item(key, v={"L": [{"N": text}, {"N": "0"}]})
        return bench

    def search(self, alter: Callable[[list[Any]], list[Any]]) -> str:
        query = [{"N": "0"}, {"N": "0"}]
        return self.bench().put(
            "SearchVectors", lambda body: {"SearchResults": alter(body["SearchResults"])},
            TableName="music", IndexName="near", SearchVector=query, TopK=2,
        )[1]  # fmt: skip

    def test_equally_near_ones_come_in_any_order(self) -> None:
        assert self.search(lambda found: found[::-1]) == "ok"

    def test_scores_are_rounded(self) -> None:
        assert self.search(lambda found: [{**each, "Score": each["Score"] + 1e-7} for each in found]) == "ok"
        assert self.search(lambda found: [{**each, "Score": each["Score"] + 0.1} for each in found]) == "violated"

    def test_the_nearest_must_be_there(self) -> None:
        far = {"Item": {"pk": {"S": "c"}}, "Score": 3.0}
        assert self.search(lambda found: [found[0], far]) == "violated"
        assert self.search(lambda found: found[:1]) == "violated"


UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}


@pytest.mark.parametrize(("lag", "later", "ruling"), [(0, 0, "violated"), (5, 0, "unknown"), (5, 60, "violated")])
def test_warm_throughput_may_be_on_its_way_for_a_while(lag: float, later: float, ruling: str) -> None:
    bench = Bench(state_lag=lag)
    bench.ask("UpdateTable", TableName="music", WarmThroughput={"WriteUnitsPerSecond": 5000})
    bench.clock.advance(later)
    lower = Call("UpdateTable", {"TableName": "music", "WarmThroughput": {"WriteUnitsPerSecond": 4500}})
    answer = Success({"TableDescription": bench.ask("DescribeTable", TableName="music")["Table"]})
    assert bench.oracle.judge(lower, answer, bench.clock.now()).ruling == ruling


@pytest.mark.parametrize(("lag", "later", "ruling"), [(0, 0, "violated"), (5, 0, "ok"), (5, 60, "violated")])
def test_a_description_may_show_for_a_while_what_was_before(lag: float, later: float, ruling: str) -> None:
    bench = Bench(state_lag=lag)
    before = bench.ask("DescribeTable", TableName="music")
    bench.ask("UpdateTable", TableName="music", WarmThroughput={"WriteUnitsPerSecond": 5000})
    bench.clock.advance(later)
    assert bench.put("DescribeTable", lambda _: before, TableName="music")[1] == ruling


@pytest.mark.parametrize(("lag", "later", "ruling"), [(0, 0, "violated"), (5, 0, "ok"), (5, 60, "violated")])
def test_a_switch_of_billing_may_be_taken_back_for_a_while(lag: float, later: float, ruling: str) -> None:
    bench = Bench(state_lag=lag)
    bench.ask("UpdateTable", TableName="music", BillingMode="PROVISIONED", ProvisionedThroughput=UNITS)
    provisioned = bench.ask("DescribeTable", TableName="music")
    bench.clock.advance(later)
    bench.ask("UpdateTable", TableName="music", BillingMode="PAY_PER_REQUEST")
    assert bench.put("DescribeTable", lambda _: provisioned, TableName="music")[1] == ruling


@pytest.mark.parametrize(("lag", "ruling"), [(5.0, "ok"), (0.0, "violated")])
def test_a_replica_may_be_on_its_way_out_for_a_while(lag: float, ruling: str) -> None:
    bench = Bench(state_lag=lag)
    bench.ask("UpdateTable", TableName="music", ReplicaUpdates=[{"Create": {"RegionName": "us-west-2"}}])
    bench.ask("UpdateTable", TableName="music", ReplicaUpdates=[{"Delete": {"RegionName": "us-west-2"}}])
    words = (
        "Replica cannot be deleted because it has acted as a source region for new replica(s) being added to the table "
        "in the last 24 hours."
    )
    refused = Refusal("ValidationException", words, 400)
    assert bench.oracle.judge(Call("DeleteTable", {"TableName": "music"}), refused, bench.clock.now()).ruling == ruling


def test_a_lost_backup_may_have_been_made() -> None:
    for made in (False, True):
        bench = Bench()
        call = Call("CreateBackup", {"TableName": "music", "BackupName": "one"})
        if made:
            bench.target.execute(call)
        assert bench.oracle.judge(call, Lost("timeout"), bench.clock.now()).ruling == "ok"
        assert len(bench.ask("ListBackups", TableName="music")["BackupSummaries"]) == made


@pytest.mark.parametrize(("known", "ruling"), [(True, "violated"), (False, "ok")])
def test_an_export_fails_only_where_no_bucket_is_known(known: bool, ruling: str) -> None:
    bench = Bench(buckets=known)
    setting = {"PointInTimeRecoveryEnabled": True}
    bench.ask("UpdateContinuousBackups", TableName="music", PointInTimeRecoverySpecification=setting)
    arn = bench.created["TableDescription"]["TableArn"]
    made = bench.ask("ExportTableToPointInTime", TableArn=arn, S3Bucket=BUCKET)["ExportDescription"]["ExportArn"]

    def failed(body: Any) -> Any:
        kept = {n: v for n, v in body["ExportDescription"].items() if n not in ("ItemCount", "ExportManifest")}
        return {"ExportDescription": {**kept, "ExportStatus": "FAILED", "FailureCode": "S3NoSuchBucket"}}

    assert bench.put("DescribeExport", failed, ExportArn=made)[1] == ruling


@pytest.mark.parametrize("shown", [0, 1])
def test_how_long_ago_the_latest_moment_is_is_the_services_affair(shown: int) -> None:
    bench = Bench()
    on = {"PointInTimeRecoveryEnabled": True}
    bench.ask("UpdateContinuousBackups", TableName="music", PointInTimeRecoverySpecification=on)
    item = {"pk": {"S": "a"}}
    bench.ask("PutItem", TableName="music", Item=item)
    latest = {"SourceTableName": "music", "TargetTableName": "again", "UseLatestRestorableTime": True}
    bench.ask("RestoreTableToPointInTime", **latest)
    scan = Call("Scan", {"TableName": "again", "ConsistentRead": True})
    told = Success({"Items": [item] * shown, "Count": shown, "ScannedCount": shown})
    assert bench.oracle.judge(scan, told, bench.clock.now()).ruling == "ok"


@pytest.mark.parametrize("shown", [0, 1])
def test_the_indexes_of_a_table_restored_to_either_moment_are_its_own(shown: int) -> None:
    keys = [{"AttributeName": "g", "KeyType": "HASH"}]
    by_g = {"IndexName": "by-g", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
    types = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "g")]
    bench = Bench({**TABLE, "AttributeDefinitions": types, "GlobalSecondaryIndexes": [by_g]})
    bench.item("a", g={"S": "old"})
    on = {"PointInTimeRecoveryEnabled": True}
    bench.ask("UpdateContinuousBackups", TableName="music", PointInTimeRecoverySpecification=on)
    bench.item("a", g={"S": "new"})
    latest = {"SourceTableName": "music", "TargetTableName": "again", "UseLatestRestorableTime": True}
    bench.ask("RestoreTableToPointInTime", **latest)
    values = {":v": {"S": "old"}}
    asked = {"KeyConditionExpression": "g = :v", "ExpressionAttributeValues": values}
    query = Call("Query", {"TableName": "again", "IndexName": "by-g", **asked})
    told = Success({"Items": [{"pk": {"S": "a"}, "g": {"S": "old"}}] * shown, "Count": shown, "ScannedCount": shown})
    assert bench.oracle.judge(query, told, bench.clock.now()).ruling == "ok"
