"""Throttling: what is refused, left over or cancelled when throughput runs out, and what the answer says of it."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config

from reference.account import Account
from reference.api import Refusal, Reply, Success
from reference.capacity.load import Throttling
from reference.capacity.meter import serve_with
from reference.clock import ManualClock
from reference.server import ThreadedServer
from reference.service import Service
from tests.throttled import Shop, reasons, table, throughput

ARN = "arn:aws:dynamodb:us-east-1:400000000004:table/music"
TABLE = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)
INDEX = (
    "The level of configured provisioned throughput for one or more global secondary indexes of the table was "
    "exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with "
    "the UpdateTable API."
)


def shop(read: int = 10, write: int = 10, **options: Any) -> Shop:
    return Shop(options={"units": (read, write), **options})


def writes(*sizes: int) -> list[dict[str, Any]]:
    return [
        {"PutRequest": {"Item": {"pk": {"S": "a"}, "sk": {"N": str(n)}, "v": {"S": "x" * (size * 1024 - 50)}}}}
        for n, size in enumerate(sizes)
    ]


def code(reply: Reply) -> str:
    assert isinstance(reply, Refusal), reply
    return reply.code


def test_nothing_is_throttled_without_being_asked_to() -> None:
    open_shop = Shop(None, options={"units": (1, 1)})
    assert open_shop.served(open_shop.put("a", n) for n in range(100)) == 100


def test_an_index_that_is_behind_refuses_the_write() -> None:
    held = shop(gsi=(1, 1))
    assert held.put("a", 1, g={"S": "g"}) == Success({})
    reply = held.put("a", 2, g={"S": "g"})
    assert isinstance(reply, Refusal)
    assert (reply.code, reply.message) == ("ProvisionedThroughputExceededException", INDEX)
    told = {"reason": "IndexWriteProvisionedThroughputExceeded", "resource": f"{ARN}/index/by-g"}
    assert reply.fields == {"ThrottlingReasons": [told]}
    assert held.put("a", 3) == Success({})
    assert held.get("a", 2) == Success({})


def test_a_write_that_leaves_an_index_alone_does_not_need_it() -> None:
    held = shop(gsi=(1, 1))
    held.put("a", 1, g={"S": "g"})
    assert held.put("a", 1, g={"S": "g"}) == Success({})


def test_moving_an_index_entry_takes_two_writes_of_it() -> None:
    held = shop(gsi=(1, 3))
    held.put("a", 1, g={"S": "g"})
    assert held.put("a", 1, g={"S": "h"}) == Success({})
    assert code(held.put("a", 2, g={"S": "h"})) == "ProvisionedThroughputExceededException"


def test_table_and_index_are_named_together_in_the_words_of_the_table() -> None:
    held = shop(1, 1, gsi=(1, 1))
    held.put("a", 1, g={"S": "g"})
    reply = held.put("a", 2, g={"S": "g"})
    assert isinstance(reply, Refusal)
    assert reply.message == TABLE
    assert reasons(reply) == ["TableWriteProvisionedThroughputExceeded", "IndexWriteProvisionedThroughputExceeded"]


def test_local_indexes_use_the_table() -> None:
    held = shop(1, 2, local=True)
    assert held.put("a", 1, l={"S": "l"}) == Success({})
    assert code(held.put("a", 2)) == "ProvisionedThroughputExceededException"


@pytest.mark.parametrize(("consistent", "most"), [(True, 10), (False, 20)])
def test_reads_are_limited_by_what_they_cost(consistent: bool, most: int) -> None:
    held = shop()
    assert held.served(held.get("a", n, consistent=consistent) for n in range(30)) == most


def test_a_query_costs_its_page_and_an_index_has_units_of_its_own() -> None:
    held = shop(10, 1000, gsi=(3, 1000))
    for n in range(4):
        held.put("a", n, 4000, g={"S": "g"})
    query = {"TableName": "music", "KeyConditionExpression": "pk = :a", "ConsistentRead": True}
    values = {":a": {"S": "a"}}
    for _ in range(2):
        assert isinstance(held.call("Query", **query, ExpressionAttributeValues=values), Success)
    reply = held.call("Query", **query, ExpressionAttributeValues=values)
    assert reasons(reply) == ["TableReadProvisionedThroughputExceeded"]
    by_g = {"TableName": "music", "IndexName": "by-g", "KeyConditionExpression": "g = :g"}
    assert isinstance(held.call("Query", **by_g, ExpressionAttributeValues={":g": {"S": "g"}}), Success)
    reply = held.call("Query", **by_g, ExpressionAttributeValues={":g": {"S": "g"}})
    assert reasons(reply) == ["IndexReadProvisionedThroughputExceeded"]


def test_a_batch_of_writes_is_done_in_part() -> None:
    held = shop()
    reply = held.call("BatchWriteItem", RequestItems={"music": writes(6, 6, 3)}, ReturnConsumedCapacity="TOTAL")
    assert isinstance(reply, Success)
    assert reply.body["UnprocessedItems"] == {"music": [writes(6, 6, 3)[1]]}
    assert reply.body["ConsumedCapacity"] == [{"TableName": "music", "CapacityUnits": 9.0}]
    assert "Item" not in held.get("a", 1).body  # type: ignore[union-attr]


def test_a_batch_of_which_nothing_can_be_done_is_refused() -> None:
    held = shop(1, 1)
    reply = held.call("BatchWriteItem", RequestItems={"music": writes(6, 6)})
    assert code(reply) == "ProvisionedThroughputExceededException"
    assert reasons(reply) == ["TableWriteProvisionedThroughputExceeded"]


def test_a_batch_of_reads_is_done_in_part() -> None:
    held = shop(1, 10)
    keys = [{"pk": {"S": "a"}, "sk": {"N": str(n)}} for n in range(3)]
    reply = held.call("BatchGetItem", RequestItems={"music": {"Keys": keys}})
    assert isinstance(reply, Success)
    assert reply.body["UnprocessedKeys"] == {"music": {"Keys": keys[2:]}}


def test_a_transaction_is_done_as_a_whole_or_cancelled() -> None:
    held = shop()
    items = [{"Put": {"TableName": "music", **write["PutRequest"]}} for write in writes(2, 4)]
    reply = held.call("TransactWriteItems", TransactItems=items)
    assert isinstance(reply, Refusal)
    assert reply.code == "TransactionCanceledException"
    why = {"Code": "ProvisionedThroughputExceeded", "Message": TABLE.removesuffix(".")}
    assert reply.fields == {"CancellationReasons": [why, why]}
    assert held.get("a", 0) == Success({})
    assert isinstance(held.call("TransactWriteItems", TransactItems=items[:1]), Success)
    gets = [{"Get": {"TableName": "music", "Key": {"pk": {"S": "a"}, "sk": {"N": "0"}}}}]
    for _ in range(4):
        assert isinstance(held.call("TransactGetItems", TransactItems=gets), Success)
    assert code(held.call("TransactGetItems", TransactItems=gets)) == "TransactionCanceledException"


def test_a_condition_check_uses_write_units() -> None:
    held = shop(1, 2)
    key = {"pk": {"S": "a"}, "sk": {"N": "0"}}
    check = {"TableName": "music", "Key": key, "ConditionExpression": "attribute_not_exists(pk)"}
    assert isinstance(held.call("TransactWriteItems", TransactItems=[{"ConditionCheck": check}]), Success)
    assert code(held.put("a", 1)) == "ProvisionedThroughputExceededException"


def test_statements_are_throttled_as_what_they_ask_for() -> None:
    held = shop(1, 2)
    insert = "INSERT INTO music VALUE {'pk': 'a', 'sk': ?}"
    assert isinstance(held.call("ExecuteStatement", Statement=insert, Parameters=[{"N": "1"}]), Success)
    two = [{"Statement": insert, "Parameters": [{"N": n}]} for n in "23"]
    reply = held.call("BatchExecuteStatement", Statements=two)
    assert isinstance(reply, Success)
    assert reply.body["Responses"] == [
        {"TableName": "music"},
        {"Error": {"Code": "ProvisionedThroughputExceeded", "Message": TABLE}},
    ]
    assert held.get("a", 3) == Success({})
    select = "SELECT * FROM music WHERE pk = 'a'"
    assert code(held.call("ExecuteStatement", Statement=select, ConsistentRead=True)) == (
        "ProvisionedThroughputExceededException"
    )
    reply = held.call("ExecuteTransaction", TransactStatements=two[:1])
    assert code(reply) == "TransactionCanceledException"


def test_a_failed_condition_costs_what_is_stored() -> None:
    held = shop(1, 4)
    held.put("a", 1, 1500)
    never = {"ConditionExpression": "attribute_not_exists(pk)"}
    item = {"pk": {"S": "a"}, "sk": {"N": "1"}}
    assert code(held.call("PutItem", TableName="music", Item=item, **never)) == "ConditionalCheckFailedException"
    assert code(held.put("a", 2)) == "ProvisionedThroughputExceededException"
    assert code(held.call("PutItem", TableName="music", Item=item, **never)) == "ProvisionedThroughputExceededException"


def test_what_is_refused_for_itself_costs_nothing() -> None:
    held = shop(1, 1)
    for _ in range(5):
        assert code(held.call("PutItem", TableName="music", Item={"pk": {"S": "a"}})) == "ValidationException"
    assert held.put("a", 1) == Success({})


def test_more_units_can_be_used_at_once() -> None:
    held = shop(1, 1)
    held.clock.advance(10.0)
    held.call("UpdateTable", TableName="music", ProvisionedThroughput=throughput(1, 100))
    assert held.served(held.put("a", n) for n in range(200)) == 11 + 99
    held.clock.advance(1.0)
    assert held.served(held.put("a", n) for n in range(200)) == 100


def test_fewer_units_count_at_once() -> None:
    held = shop(1, 100)
    held.clock.advance(300.0)
    held.call("UpdateTable", TableName="music", ProvisionedThroughput=throughput(1, 1))
    assert held.served(held.put("a", n) for n in range(500)) == 300


def test_on_demand_has_other_words() -> None:
    held = Shop(Throttling(partition_writes=2))
    held.put("a", 1)
    held.put("a", 2)
    reply = held.put("a", 3)
    assert code(reply) == "ThrottlingException"
    assert reasons(reply) == ["TableWriteKeyRangeThroughputExceeded"]


def test_maximum_request_units() -> None:
    held = Shop()
    held.call("UpdateTable", TableName="music", OnDemandThroughput={"MaxWriteRequestUnits": 2})
    assert held.served(held.put("a", n) for n in range(5)) == 2
    reply = held.put("a", 1)
    assert isinstance(reply, Refusal)
    assert reply.message == "Throughput exceeds the maximum OnDemandThroughput configured on table or index"
    assert reasons(reply) == ["TableWriteMaxOnDemandThroughputExceeded"]
    held.call("UpdateTable", TableName="music", OnDemandThroughput={"MaxWriteRequestUnits": -1})
    held.call("DescribeTable", TableName="music")
    assert held.served(held.put("a", n) for n in range(5)) == 5


def test_the_quota_of_a_table() -> None:
    held = Shop(Throttling(table_quota=3))
    assert held.served(held.put("a", n) for n in range(5)) == 3
    reply = held.put("a", 1)
    assert code(reply) == "RequestLimitExceeded"
    assert reasons(reply) == ["TableWriteAccountLimitExceeded"]


def test_a_switch_of_modes_changes_the_limit() -> None:
    held = shop(1, 1)
    held.put("a", 1)
    assert code(held.put("a", 2)) == "ProvisionedThroughputExceededException"
    held.call("UpdateTable", TableName="music", BillingMode="PAY_PER_REQUEST")
    assert held.served(held.put("a", n) for n in range(100)) == 100
    assert len(held.load().partitions) == 4


def test_warm_throughput_makes_partitions() -> None:
    held = Shop()
    warm = {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 9000}
    held.call("UpdateTable", TableName="music", WarmThroughput=warm)
    held.call("DescribeTable", TableName="music")
    assert len(held.load().partitions) == 9


def test_a_new_table_may_be_given_burst_capacity() -> None:
    held = Shop(Throttling(initial=300.0), options={"units": (1, 5)})
    assert held.served(held.put("a", n % 500) for n in range(1_600)) == 1_000
    held.clock.advance(1.0)
    assert held.served(held.put("b", n) for n in range(600)) == 505


def test_a_namesake_begins_anew() -> None:
    held = shop(1, 1)
    held.put("a", 1)
    held.call("DeleteTable", TableName="music")
    held.call("CreateTable", **table(units=(1, 1)))
    assert held.put("a", 1) == Success({})


def test_a_fork_has_buckets_of_its_own() -> None:
    held = shop(1, 2)
    held.put("a", 1)
    fork = held.service.fork()
    assert held.put("a", 2) == Success({})
    assert code(held.put("a", 3)) == "ProvisionedThroughputExceededException"
    held.service = fork
    assert held.put("a", 2) == Success({})


def test_boto3_sees_exceptions_reasons_and_what_is_left() -> None:
    account = Account(ManualClock())
    serve_with(account, throttling=True)
    with ThreadedServer(Service(account)) as server:
        client = boto3.client(
            "dynamodb",
            endpoint_url=server.url,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
        )
        client.create_table(**table(units=(1, 1)))
        item = {"pk": {"S": "a"}, "sk": {"N": "1"}}
        client.put_item(TableName="music", Item=item)
        with pytest.raises(client.exceptions.ProvisionedThroughputExceededException) as caught:
            client.put_item(TableName="music", Item=item)
        told = {"reason": "TableWriteProvisionedThroughputExceeded", "resource": ARN}
        assert caught.value.response["ThrottlingReasons"] == [told]
        account.clock.advance(1.0)  # type: ignore[attr-defined]
        left = client.batch_write_item(RequestItems={"music": writes(1, 1)})["UnprocessedItems"]
        assert [each["PutRequest"]["Item"]["sk"] for each in left["music"]] == [{"N": "1"}]
