"""The served reference as boto3 sees it: a clock that is moved, several regions, caches, leaders that are lost."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from reference.clock import ManualClock
from reference.knobs import Knobs
from reference.server import ThreadedServer
from reference.serving import Served

START = 1_790_000_000.0
DAY = 86_400
TABLE: dict[str, Any] = {
    "TableName": "tab",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


class Place:
    """A served reference, its control endpoint and its clients."""

    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, path: str = "", region: str = "us-east-1", service: str = "dynamodb") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url + path,
            region_name=region,
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def control(self, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.url}/_dynoracle/{path}", data=json.dumps(body).encode() if body else None
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


@contextmanager
def serving(**knobs: Any) -> Iterator[Place]:
    served = Served(Knobs(**knobs), ManualClock(START))
    with ThreadedServer(served.service, router=served.router) as server:
        yield Place(server.url)


def put(client: Any, value: str, key: str = "a") -> None:
    client.put_item(TableName="tab", Item={"pk": {"S": key}, "v": {"S": value}})


def get(client: Any, *, consistent: bool = False, key: str = "a") -> str | None:
    answer = client.get_item(TableName="tab", Key={"pk": {"S": key}}, ConsistentRead=consistent)
    return answer["Item"]["v"]["S"] if "Item" in answer else None


class TestOutages:
    def test_a_region_that_is_out_answers_nothing_and_sends_nothing(self) -> None:
        with serving(clock="manual", regions=("eu-west-1",)) as place:
            home, there = place.client(), place.client(region="eu-west-1")
            home.create_table(**TABLE)
            home.update_table(TableName="tab", ReplicaUpdates=[{"Create": {"RegionName": "eu-west-1"}}])
            place.control("links", **{"from": "us-east-1", "to": "eu-west-1", "lag": 2})
            put(home, "sent late")
            assert place.control("outages", region="us-east-1", seconds=60) == {"out": ["us-east-1"]}
            with pytest.raises(ConnectionClosedError):
                put(home, "never")
            place.control("clock", advance=59)
            assert get(there) is None
            place.control("clock", advance=1)
            assert place.control("outages") == {"out": []}
            assert get(there) == "sent late"
            assert get(home) == "sent late"

    def test_a_region_that_is_not_there_can_not_be_out(self) -> None:
        with serving(clock="manual") as place, pytest.raises(urllib.error.HTTPError, match="400"):
            place.control("outages", region="eu-west-1")


class TestClock:
    def test_thirty_five_days_of_recovery(self) -> None:
        with serving(clock="manual") as place:
            client = place.client()
            client.create_table(**TABLE)
            recovery = {"PointInTimeRecoveryEnabled": True}
            client.update_continuous_backups(TableName="tab", PointInTimeRecoverySpecification=recovery)
            for day in range(40):
                put(client, f"day {day}")
                place.control("clock", advance=DAY)
            told = client.describe_continuous_backups(TableName="tab")["ContinuousBackupsDescription"]
            window = told["PointInTimeRecoveryDescription"]
            assert window["EarliestRestorableDateTime"].timestamp() == START + 5 * DAY
            assert window["LatestRestorableDateTime"].timestamp() == START + 40 * DAY - 300
            for day in (5, 20, 39):
                client.restore_table_to_point_in_time(
                    SourceTableName="tab", TargetTableName=f"day-{day}", RestoreDateTime=START + day * DAY + 1
                )
                place.control("clock", advance=1)
                found = client.get_item(TableName=f"day-{day}", Key={"pk": {"S": "a"}})
                assert found["Item"]["v"]["S"] == f"day {day}"
            with pytest.raises(ClientError, match="InvalidRestoreTimeException"):
                client.restore_table_to_point_in_time(
                    SourceTableName="tab", TargetTableName="too-early", RestoreDateTime=START + 4 * DAY
                )

    def test_it_moves_on_demand_and_never_back(self) -> None:
        with serving(clock="manual") as place:
            assert place.control("clock") == {"now": START, "clock": "manual"}
            assert place.control("clock", advance=2.5)["now"] == START + 2.5
            assert place.control("clock", set=START + 10)["now"] == START + 10
            for wrong in ({"set": START}, {"advance": -1}, {"advance": "x"}, {"advanse": 1}):
                with pytest.raises(urllib.error.HTTPError, match="400"):
                    place.control("clock", **wrong)
            with pytest.raises(urllib.error.HTTPError, match="404"):
                place.control("nothing")

    def test_what_expired_goes_when_told(self) -> None:
        with serving(clock="manual") as place:
            client = place.client()
            client.create_table(**TABLE)
            expires = {"Enabled": True, "AttributeName": "e"}
            client.update_time_to_live(TableName="tab", TimeToLiveSpecification=expires)
            client.put_item(TableName="tab", Item={"pk": {"S": "a"}, "e": {"N": str(int(START) + 60)}})
            assert place.control("ttl", lag=0) == {"deleted": 0}
            place.control("clock", advance=60)
            assert client.scan(TableName="tab")["Count"] == 1
            assert place.control("ttl", lag=0) == {"deleted": 1}
            assert client.scan(TableName="tab")["Count"] == 0

    def test_what_expired_goes_by_itself_when_it_is_late(self) -> None:
        with serving(clock="manual", ttl_lag=10.0) as place:
            client = place.client()
            client.create_table(**TABLE)
            expires = {"Enabled": True, "AttributeName": "e"}
            client.update_time_to_live(TableName="tab", TimeToLiveSpecification=expires)
            client.put_item(TableName="tab", Item={"pk": {"S": "a"}, "e": {"N": str(int(START))}})
            place.control("clock", advance=9)
            assert client.scan(TableName="tab")["Count"] == 1
            place.control("clock", advance=2)
            assert client.scan(TableName="tab")["Count"] == 0


class TestRegions:
    def test_by_signature_by_path_and_by_host(self) -> None:
        with serving(regions=("eu-west-1",), control=True) as place:
            home, there = place.client(), place.client(region="eu-west-1")
            home.create_table(**TABLE)
            put(home, "x")
            assert there.list_tables()["TableNames"] == []
            home.update_table(TableName="tab", ReplicaUpdates=[{"Create": {"RegionName": "eu-west-1"}}])
            assert place.control("regions")["tables"] == {"tab": {"us-east-1": "ACTIVE", "eu-west-1": "ACTIVE"}}
            assert get(there) == get(place.client("/eu-west-1")) == "x"
            arn = there.describe_table(TableName="tab")["Table"]["TableArn"]
            assert arn == "arn:aws:dynamodb:eu-west-1:400000000004:table/tab"
            streams = place.client(region="eu-west-1", service="dynamodbstreams")
            assert len(streams.list_streams()["Streams"]) == 1
            body = json.dumps({"TableName": "tab"}).encode()
            request = urllib.request.Request(
                place.url,
                data=body,
                headers={
                    "Host": "dynamodb.eu-west-1.amazonaws.com",
                    "Content-Type": "application/x-amz-json-1.0",
                    "X-Amz-Target": "DynamoDB_20120810.DescribeTable",
                    "X-Amz-Date": "20260101T000000Z",
                    "Authorization": "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/dynamodb/aws4_request, "
                    "SignedHeaders=host, Signature=0",
                },
            )
            with urllib.request.urlopen(request) as answer:
                assert json.load(answer)["Table"]["TableArn"] == arn

    def test_links_that_lag_and_are_cut(self) -> None:
        with serving(regions=("eu-west-1",), clock="manual", replication_lag=1.0) as place:
            home, there = place.client(), place.client(region="eu-west-1")
            home.create_table(**TABLE)
            home.update_table(TableName="tab", ReplicaUpdates=[{"Create": {"RegionName": "eu-west-1"}}])
            home.describe_table(TableName="tab")
            put(home, "x")
            assert get(there, consistent=True) is None
            place.control("clock", advance=1)
            assert get(there, consistent=True) == "x"
            place.control("links", **{"from": "us-east-1", "to": "eu-west-1", "cut": True, "both": True})
            put(home, "y")
            put(there, "z", key="b")
            place.control("clock", advance=60)
            assert (get(there), get(home, key="b")) == ("x", None)
            place.control("links", **{"from": "us-east-1", "to": "eu-west-1", "cut": False, "both": True})
            assert (get(there), get(home, key="b")) == ("y", "z")


class TestLeaders:
    def test_without_a_leader_only_stale_reads_go_on(self) -> None:
        with serving(clock="manual") as place:
            client = place.client()
            client.create_table(**TABLE)
            put(client, "x")
            place.control("leaders", table="tab", seconds=2)
            for call in (lambda: put(client, "y"), lambda: get(client, consistent=True)):
                with pytest.raises(ClientError) as refused:
                    call()
                assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
                assert refused.value.response["Error"]["Code"] == "InternalServerError"
            assert get(client) == "x"
            place.control("clock", advance=2)
            put(client, "y")
            assert get(client, consistent=True) == "y"


class TestDax:
    def test_stale_until_its_time_is_over(self) -> None:
        with serving(dax=True, clock="manual", dax_item_ttl=60.0) as place:
            cached, direct = place.client(), place.client("/direct")
            cached.create_table(**TABLE)
            put(cached, "one")
            assert get(cached) == "one"
            put(direct, "two")
            assert (get(cached), get(cached, consistent=True), get(direct)) == ("one", "two", "two")
            assert get(cached) == "one"  # A consistent read does not refresh what is cached.
            place.control("clock", advance=60)
            assert get(cached) == "two"
            counts = place.control("dax")["counts"]["us-east-1"]
            assert (counts["ItemCacheHits"], counts["ItemCacheMisses"]) == (3, 1)

    def test_replication_goes_past_it(self) -> None:
        with serving(dax=True, regions=("eu-west-1",)) as place:
            home, there = place.client(), place.client(region="eu-west-1")
            home.create_table(**TABLE)
            home.update_table(TableName="tab", ReplicaUpdates=[{"Create": {"RegionName": "eu-west-1"}}])
            put(home, "one")
            assert get(there) == "one"
            put(home, "two")
            assert (get(there), get(there, consistent=True)) == ("one", "two")


class TestStreams:
    def test_shards_close_and_others_follow(self) -> None:
        with serving(clock="manual", stream_shards=2, shard_seconds=3600.0, shard_children=2) as place:
            client, streams = place.client(), place.client(service="dynamodbstreams")
            made = client.create_table(
                **TABLE, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
            )
            arn = made["TableDescription"]["LatestStreamArn"]
            for key in "abcdefgh":
                put(client, "early", key)
            place.control("clock", advance=3700)
            for key in "abcdefgh":
                put(client, "late", key)
            shards = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
            parents, children = shards[:2], shards[2:]
            assert all("EndingSequenceNumber" in each["SequenceNumberRange"] for each in parents)
            assert sorted(each["ParentShardId"] for each in children) == sorted(
                2 * [each["ShardId"] for each in parents]
            )
            found = {each["ShardId"]: self.values(streams, arn, each["ShardId"]) for each in shards}
            assert [len(found[each["ShardId"]]) for each in parents].count(0) == 0
            assert {v for each in parents for v in found[each["ShardId"]]} == {"early"}
            assert sorted(v for each in children for v in found[each["ShardId"]]) == ["late"] * 8
            of_first = streams.describe_stream(
                StreamArn=arn, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": parents[0]["ShardId"]}
            )
            assert len(of_first["StreamDescription"]["Shards"]) == 2

    def values(self, streams: Any, arn: str, shard: str) -> list[str]:
        place = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
        told = streams.get_records(ShardIterator=place["ShardIterator"])["Records"]
        return [record["dynamodb"]["NewImage"]["v"]["S"] for record in told]

    def test_iterators_expire_and_records_are_trimmed(self) -> None:
        with serving(clock="manual") as place:
            client, streams = place.client(), place.client(service="dynamodbstreams")
            made = client.create_table(
                **TABLE, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
            )
            arn = made["TableDescription"]["LatestStreamArn"]
            put(client, "one")
            shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
            oldest = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
            place_ = streams.get_shard_iterator(**oldest)["ShardIterator"]
            (record,) = streams.get_records(ShardIterator=place_)["Records"]
            assert "NewImage" not in record["dynamodb"]
            place.control("clock", advance=901)
            with pytest.raises(streams.exceptions.ExpiredIteratorException):
                streams.get_records(ShardIterator=place_)
            number = record["dynamodb"]["SequenceNumber"]
            place.control("clock", advance=86_400)
            put(client, "two")
            with pytest.raises(streams.exceptions.TrimmedDataAccessException):
                streams.get_shard_iterator(
                    StreamArn=arn, ShardId=shard, ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=number
                )
            fresh = streams.get_shard_iterator(**oldest)["ShardIterator"]
            assert len(streams.get_records(ShardIterator=fresh)["Records"]) == 1
