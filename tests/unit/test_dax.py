"""DAX: what its caches hold, for how long, and what they never notice (beyond:DAX-2 … DAX-10)."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Account
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.dax import Caching, Dax
from reference.service import Service
from reference.unkind import UnkindService, Weather

TABLE = {
    "TableName": "tab",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
KEY = {"pk": {"S": "a"}}


class Cluster:
    def __init__(self, **caching: Any) -> None:
        self.clock = ManualClock()
        self.source = Service(Account(self.clock))
        self.dax = Dax(self.source, self.source, Caching(**caching), seed=1)
        self.does("CreateTable", **TABLE)

    def does(self, operation: str, *, direct: bool = False, **body: Any) -> Any:
        answer = (self.source if direct else self.dax).execute(Call(operation, body))
        assert isinstance(answer, Success), answer
        return answer.body

    def put(self, value: str, *, direct: bool = False, key: str = "a", **more: Any) -> None:
        self.does("PutItem", direct=direct, TableName="tab", Item={"pk": {"S": key}, "v": {"S": value}}, **more)

    def get(self, *, key: str = "a", consistent: bool = False) -> str | None:
        body = self.does("GetItem", TableName="tab", Key={"pk": {"S": key}}, ConsistentRead=consistent)
        return body["Item"]["v"]["S"] if "Item" in body else None

    def batch(self, *keys: str) -> dict[str, str]:
        asked = {"tab": {"Keys": [{"pk": {"S": key}} for key in keys]}}
        rows = self.does("BatchGetItem", RequestItems=asked)["Responses"]["tab"]
        return {row["pk"]["S"]: row["v"]["S"] for row in rows}

    def scan(self, **more: Any) -> list[str]:
        return sorted(row["v"]["S"] for row in self.does("Scan", TableName="tab", **more)["Items"])


class TestItems:
    def test_writes_past_it_are_not_noticed(self) -> None:
        cluster = Cluster()
        cluster.put("one")
        cluster.put("two", direct=True)
        assert (cluster.get(), cluster.get(consistent=True)) == ("one", "two")
        cluster.clock.advance(299)
        assert cluster.get() == "one"
        cluster.clock.advance(1)
        assert cluster.get() == "two"

    def test_writes_through_it_are(self) -> None:
        cluster = Cluster()
        cluster.put("one")
        cluster.get()
        cluster.put("two")
        assert cluster.get() == "two"
        update = {"UpdateExpression": "SET v = :v", "ExpressionAttributeValues": {":v": {"S": "three"}}}
        cluster.does("UpdateItem", TableName="tab", Key=KEY, **update)
        assert cluster.get() == "three"
        cluster.does("DeleteItem", TableName="tab", Key=KEY)
        assert cluster.get() is None

    def test_writes_that_fail_are_not_cached(self) -> None:
        cluster = Cluster()
        cluster.put("one")
        cluster.put("two", direct=True)
        call = Call("PutItem", {"TableName": "tab", "Item": KEY, "ConditionExpression": "attribute_not_exists(pk)"})
        assert isinstance(cluster.dax.execute(call), Refusal)
        assert cluster.get() == "one"

    def test_that_there_is_none_is_cached(self) -> None:
        cluster = Cluster()
        assert cluster.get() is None
        cluster.put("one", direct=True)
        assert cluster.get() is None
        cluster.put("two")
        assert cluster.get() == "two"

    def test_a_batch_is_many_single_reads(self) -> None:
        cluster = Cluster()
        cluster.put("one")
        cluster.put("one", key="b", direct=True)
        cluster.put("two", direct=True)
        assert cluster.batch("a", "b", "c") == {"a": "one", "b": "one"}
        cluster.put("two", key="b", direct=True)
        assert cluster.get(key="b") == "one"
        assert cluster.does("BatchGetItem", RequestItems={"tab": {"Keys": [KEY], "ConsistentRead": True}})[
            "Responses"
        ] == {"tab": [{"pk": {"S": "a"}, "v": {"S": "two"}}]}

    def test_what_a_batch_leaves_undone_is_told(self) -> None:
        cluster = Cluster()
        for key in "abcdef":
            cluster.put("x", key=key, direct=True)
        cluster.dax.behind = UnkindService(cluster.source, Weather(partial=1.0), 3)
        asked = {"tab": {"Keys": [{"pk": {"S": key}} for key in "abcdef"]}}
        body = cluster.does("BatchGetItem", RequestItems=asked)
        left = [key["pk"]["S"] for key in body["UnprocessedKeys"].get("tab", {}).get("Keys", [])]
        shown = [row["pk"]["S"] for row in body["Responses"]["tab"]]
        assert left
        assert sorted(left + shown) == list("abcdef")

    def test_an_item_is_held_whole(self) -> None:
        cluster = Cluster()
        cluster.put("one")
        body = cluster.does("GetItem", TableName="tab", Key=KEY, ProjectionExpression="pk")
        assert body == {"Item": KEY}
        assert cluster.get() == "one"

    def test_the_least_recently_used_goes(self) -> None:
        cluster = Cluster(entries=2, item_ttl=0.0)
        for key in "ab":
            cluster.put("one", key=key)
        cluster.get(key="a")
        cluster.put("one", key="c")
        for key in "abc":
            cluster.put("two", key=key, direct=True)
        assert [cluster.get(key=key) for key in "ac"] == ["one", "one"]
        assert cluster.get(key="b") == "two"

    def test_without_a_time_to_live_they_stay(self) -> None:
        cluster = Cluster(item_ttl=0.0)
        cluster.put("one")
        cluster.put("two", direct=True)
        cluster.clock.advance(10**6)
        assert cluster.get() == "one"

    def test_a_table_made_anew_is_another(self) -> None:
        cluster = Cluster()
        cluster.put("one")
        cluster.does("DeleteTable", TableName="tab")
        cluster.does("CreateTable", **TABLE)
        assert cluster.get() is None

    def test_what_is_wrong_is_told_as_ever(self) -> None:
        cluster = Cluster()
        bad = Call("GetItem", {"TableName": "tab", "Key": {"no": {"S": "a"}}})
        assert cluster.dax.execute(bad) == cluster.source.execute(bad)


class TestResults:
    def test_no_write_drops_them(self) -> None:
        cluster = Cluster()
        assert cluster.scan() == []
        cluster.put("one")
        assert (cluster.scan(), cluster.scan(ConsistentRead=True)) == ([], ["one"])
        cluster.clock.advance(300)
        assert cluster.scan() == ["one"]

    def test_other_parameters_are_another_result(self) -> None:
        cluster = Cluster()
        assert cluster.scan() == []
        cluster.put("one")
        assert cluster.scan(Limit=5) == ["one"]

    def test_they_are_not_among_the_items(self) -> None:
        cluster = Cluster()
        cluster.put("one", direct=True)
        assert cluster.scan() == ["one"]
        cluster.put("two", direct=True)
        assert cluster.get() == "two"

    def test_without_a_time_to_live_there_are_none(self) -> None:
        cluster = Cluster(query_ttl=0.0)
        assert cluster.scan() == []
        cluster.put("one")
        assert cluster.scan() == ["one"]

    def test_queries_are_cached_by_operation(self) -> None:
        cluster = Cluster()
        query = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "a"}}}
        assert cluster.does("Query", TableName="tab", **query)["Count"] == 0
        cluster.put("one")
        assert cluster.does("Query", TableName="tab", **query)["Count"] == 0
        assert cluster.dax.counts["QueryCacheHits"] == 1


PUT = {"TransactItems": [{"Put": {"TableName": "tab", "Item": {**KEY, "v": {"S": "two"}}}}]}


class TestTransactions:
    def test_their_items_are_read_again_afterwards(self) -> None:
        cluster = Cluster(refill=0.1)
        cluster.put("one")
        cluster.does("TransactWriteItems", **PUT)
        assert cluster.get() == "one"
        cluster.clock.advance(0.1)
        assert cluster.get() == "two"

    def test_at_once_where_nothing_else_is_said(self) -> None:
        cluster = Cluster()
        cluster.put("one")
        cluster.does("TransactWriteItems", **PUT)
        assert cluster.get() == "two"

    def test_their_reads_pass_through(self) -> None:
        cluster = Cluster()
        cluster.put("one")
        cluster.put("two", direct=True)
        body = cluster.does("TransactGetItems", TransactItems=[{"Get": {"TableName": "tab", "Key": KEY}}])
        assert body["Responses"][0]["Item"]["v"] == {"S": "two"}
        assert cluster.get() == "one"


class TestNodes:
    def test_two_may_know_different_things(self) -> None:
        cluster = Cluster(nodes=2, node_lag=1.0)
        cluster.put("one")
        cluster.clock.advance(1)
        cluster.put("two")
        assert {cluster.get() for _ in range(20)} == {"one", "two"}
        cluster.clock.advance(1)
        assert {cluster.get() for _ in range(20)} == {"two"}

    def test_clearing_forgets(self) -> None:
        cluster = Cluster(nodes=2)
        cluster.put("one")
        cluster.put("two", direct=True)
        cluster.dax.clear()
        assert cluster.get() == "two"


@pytest.mark.parametrize("operation", ["ListTables", "DescribeTable"])
def test_the_rest_passes_through(operation: str) -> None:
    cluster = Cluster()
    body = {"TableName": "tab"} if operation == "DescribeTable" else {}
    assert cluster.does(operation, **body) == cluster.does(operation, direct=True, **body)
