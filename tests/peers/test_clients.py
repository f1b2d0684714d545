"""What people use: boto3, the AWS CLI and the JavaScript SDK drive the reference server."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from pathlib import Path

import boto3
import pytest
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary
from botocore.config import Config
from botocore.exceptions import ClientError

from reference.account import Account
from reference.server import ThreadedServer, WallClock
from reference.service import Service
from tests.peers.clients import RUN_LIMIT, CannotInstallError, aws_cli, environment, javascript_modules

pytestmark = pytest.mark.peer

SCHEMA = {
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
        {"AttributeName": "owner", "AttributeType": "S"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-owner",
            "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "BillingMode": "PAY_PER_REQUEST",
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}
SOON = {"Delay": 1, "MaxAttempts": 5}


@pytest.fixture(scope="module")
def url():
    with ThreadedServer(Service(Account(WallClock()))) as server:
        yield server.url


# boto3


@pytest.fixture(scope="module")
def session():
    return boto3.Session("dynoracle", "dynoracle", region_name="us-east-1")


@pytest.fixture(scope="module")
def client(session, url):
    return session.client("dynamodb", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def table(session, client, url, request):
    name = f"boto3-{request.node.name}"[:200]
    resource = session.resource("dynamodb", endpoint_url=url)
    made = resource.create_table(TableName=name, **SCHEMA)
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig=SOON)
    yield made
    made.delete()
    client.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig=SOON)


def fill(table, count):
    with table.batch_writer() as batch:
        for number in range(count):
            batch.put_item(Item={"pk": "a", "sk": number, "owner": f"owner-{number % 3}", "text": "x" * 100})


def test_boto3_describes_tables(client, table):
    found = client.describe_table(TableName=table.name)["Table"]
    assert found["TableStatus"] == "ACTIVE"
    assert found["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE"
    assert found["CreationDateTime"].tzinfo is not None
    pages = client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 1})
    assert table.name in [name for page in pages for name in page["TableNames"]]


def test_boto3_keeps_items_as_they_were(table):
    item = {
        "pk": "a",
        "sk": Decimal("-1.5"),
        "set": {"x", "y"},
        "numbers": {Decimal(1), Decimal("2.50")},
        "bytes": Binary(b"\0\xff"),
        "map": {"list": [None, True, {"deep": "é"}]},
        "empty": "",
    }
    assert table.put_item(Item=item)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert table.get_item(Key={"pk": "a", "sk": Decimal("-1.5")})["Item"] == item
    assert "Item" not in table.get_item(Key={"pk": "b", "sk": 1})


def test_boto3_updates_under_a_condition(client, table):
    key = {"pk": "a", "sk": 1}
    table.put_item(Item={**key, "count": 1})
    answer = table.update_item(
        Key=key,
        UpdateExpression="SET #c = #c + :one",
        ConditionExpression=Attr("count").lt(5),
        ExpressionAttributeNames={"#c": "count"},
        ExpressionAttributeValues={":one": 1},
        ReturnValues="ALL_NEW",
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["Attributes"] == {**key, "count": 2}
    assert answer["ConsumedCapacity"]["CapacityUnits"] == 1.0
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as failed:
        table.put_item(
            Item=key, ConditionExpression=Attr("pk").not_exists(), ReturnValuesOnConditionCheckFailure="ALL_OLD"
        )
    assert failed.value.response["Item"] == {"pk": {"S": "a"}, "sk": {"N": "1"}, "count": {"N": "2"}}


def test_boto3_pages_through_queries_and_scans(client, table):
    fill(table, 60)
    last, seen = {}, []
    while True:
        page = table.query(KeyConditionExpression=Key("pk").eq("a") & Key("sk").gte(10), Limit=20, **last)
        seen += [int(item["sk"]) for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            break
        last = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    assert seen == list(range(10, 60))
    pages = client.get_paginator("scan").paginate(TableName=table.name, PaginationConfig={"PageSize": 7})
    assert sum(page["Count"] for page in pages) == 60
    index = table.query(IndexName="by-owner", KeyConditionExpression=Key("owner").eq("owner-1"), Select="COUNT")
    assert index["Count"] == 20
    parts = [table.scan(Segment=n, TotalSegments=3, FilterExpression=Attr("sk").lt(30))["Count"] for n in range(3)]
    assert sum(parts) == 30


def test_boto3_batches(client, table):
    fill(table, 30)
    keys = [{"pk": {"S": "a"}, "sk": {"N": str(n)}} for n in range(40)]
    answer = client.batch_get_item(RequestItems={table.name: {"Keys": keys, "ProjectionExpression": "sk"}})
    assert len(answer["Responses"][table.name]) == 30
    assert answer["UnprocessedKeys"] == {}


def test_boto3_transactions(client, table):
    item = {"pk": {"S": "a"}, "sk": {"N": "1"}}
    put = {"Put": {"TableName": table.name, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}
    client.transact_write_items(TransactItems=[put], ClientRequestToken="once")
    client.transact_write_items(TransactItems=[put], ClientRequestToken="once")
    got = client.transact_get_items(TransactItems=[{"Get": {"TableName": table.name, "Key": item}}])
    assert got["Responses"] == [{"Item": item}]
    with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
        client.transact_write_items(TransactItems=[put])
    assert [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]] == ["ConditionalCheckFailed"]
    other = {"Delete": {"TableName": table.name, "Key": item}}
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
        client.transact_write_items(TransactItems=[other], ClientRequestToken="once")


def test_boto3_speaks_partiql(client, table):
    name = table.name
    client.execute_statement(Statement=f"INSERT INTO \"{name}\" VALUE {{'pk': 'a', 'sk': 1, 'l': [1, 'x']}}")
    found = client.execute_statement(Statement=f'SELECT sk, l FROM "{name}" WHERE pk = ?', Parameters=[{"S": "a"}])
    assert found["Items"] == [{"sk": {"N": "1"}, "l": {"L": [{"N": "1"}, {"S": "x"}]}}]
    with pytest.raises(client.exceptions.DuplicateItemException):
        client.execute_statement(Statement=f"INSERT INTO \"{name}\" VALUE {{'pk': 'a', 'sk': 1}}")


def test_boto3_reads_streams(session, table, url):
    reader = session.client("dynamodbstreams", endpoint_url=url)
    table.put_item(Item={"pk": "a", "sk": 1})
    table.delete_item(Key={"pk": "a", "sk": 1})
    arn = table.latest_stream_arn
    assert arn in [stream["StreamArn"] for stream in reader.list_streams(TableName=table.name)["Streams"]]
    shard = reader.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]
    start = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    records = reader.get_records(ShardIterator=reader.get_shard_iterator(**start)["ShardIterator"])["Records"]
    assert [record["eventName"] for record in records] == ["INSERT", "REMOVE"]


def test_boto3_settings(client, table):
    client.update_time_to_live(
        TableName=table.name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )
    described = client.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
    assert described["AttributeName"] == "expires"
    arn = table.table_arn
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "blue"}])
    pages = client.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
    assert [tag for page in pages for tag in page["Tags"]] == [{"Key": "team", "Value": "blue"}]
    client.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert client.list_tags_of_resource(ResourceArn=arn)["Tags"] == []


def test_boto3_raises_the_right_classes(client, table):
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_table(TableName="no-such-table")
    with pytest.raises(client.exceptions.ResourceInUseException):
        client.create_table(TableName=table.name, **SCHEMA)
    with pytest.raises(ClientError, match="The provided key element does not match the schema") as invalid:
        table.get_item(Key={"pk": "a"})
    assert invalid.value.response["Error"]["Code"] == "ValidationException"


# The AWS CLI


class Cli:
    """Runs ``aws`` with the reference as endpoint."""

    def __init__(self, program, url):
        self._program = program
        self._environment = environment({"AWS_ENDPOINT_URL": url, "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"})

    def __call__(self, *arguments, service="dynamodb"):
        done = self.run(*arguments, service=service)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def run(self, *arguments, service="dynamodb"):
        texts = [each if isinstance(each, str) else json.dumps(each) for each in arguments]
        argv = [str(self._program), service, *texts, "--output", "json"]
        return subprocess.run(
            argv, env=self._environment, capture_output=True, text=True, timeout=RUN_LIMIT, check=False
        )


@pytest.fixture(scope="module")
def cli(url):
    try:
        return Cli(aws_cli(), url)
    except CannotInstallError as error:
        pytest.skip(f"the AWS CLI can't be installed here: {error}")


@pytest.fixture(scope="module")
def cli_table(cli):
    made = cli("create-table", "--cli-input-json", {"TableName": "from-cli", **SCHEMA})["TableDescription"]
    cli("wait", "table-exists", "--table-name", "from-cli")
    items = [{"PutRequest": {"Item": {"pk": {"S": "a"}, "sk": {"N": str(n)}}}} for n in range(12)]
    assert cli("batch-write-item", "--request-items", {"from-cli": items})["UnprocessedItems"] == {}
    yield made
    cli("delete-table", "--table-name", "from-cli")
    cli("wait", "table-not-exists", "--table-name", "from-cli")


def test_cli_items(cli, cli_table):
    here = ("--table-name", "from-cli")
    item = {"pk": {"S": "b"}, "sk": {"N": "1"}, "owner": {"S": "eva"}, "tags": {"SS": ["a", "b"]}}
    cli("put-item", *here, "--item", item)
    key = {"pk": {"S": "b"}, "sk": {"N": "1"}}
    assert cli("get-item", *here, "--key", key)["Item"] == item
    update = ("--update-expression", "SET n = :n", "--expression-attribute-values", {":n": {"N": "3"}})
    updated = cli("update-item", *here, "--key", key, *update, "--return-values", "UPDATED_NEW")
    assert updated["Attributes"] == {"n": {"N": "3"}}
    values = ("--expression-attribute-values", {":o": {"S": "eva"}}, "--expression-attribute-names", {"#o": "owner"})
    index = ("--index-name", "by-owner", "--key-condition-expression", "#o = :o")
    assert cli("query", *here, *index, *values)["Count"] == 1


def test_cli_pages_by_itself(cli, cli_table):
    values = ("--expression-attribute-values", {":p": {"S": "a"}})
    found = cli(
        "query", "--table-name", "from-cli", "--key-condition-expression", "pk = :p", *values, "--page-size", "5"
    )
    assert [item["sk"]["N"] for item in found["Items"]] == [str(n) for n in range(12)]


def test_cli_transactions_and_statements(cli, cli_table):
    put = {"Put": {"TableName": "from-cli", "Item": {"pk": {"S": "t"}, "sk": {"N": "1"}}}}
    cli("transact-write-items", "--transact-items", [put])
    found = cli("execute-statement", "--statement", "SELECT * FROM \"from-cli\" WHERE pk = 't'")
    assert found["Items"] == [{"pk": {"S": "t"}, "sk": {"N": "1"}}]


def test_cli_settings_and_streams(cli, cli_table):
    arn = cli_table["TableArn"]
    cli("tag-resource", "--resource-arn", arn, "--tags", "Key=team,Value=blue")
    assert cli("list-tags-of-resource", "--resource-arn", arn)["Tags"] == [{"Key": "team", "Value": "blue"}]
    spec = "Enabled=true,AttributeName=expires"
    cli("update-time-to-live", "--table-name", "from-cli", "--time-to-live-specification", spec)
    listed = cli("list-streams", "--table-name", "from-cli", service="dynamodbstreams")
    assert [stream["StreamArn"] for stream in listed["Streams"]] == [cli_table["LatestStreamArn"]]


def test_cli_names_errors(cli, cli_table):
    missing = cli.run("describe-table", "--table-name", "no-such-table")
    assert missing.returncode != 0
    assert "(ResourceNotFoundException) when calling the DescribeTable operation" in missing.stderr
    item = {"pk": {"S": "a"}, "sk": {"N": "0"}}
    condition = ("--condition-expression", "attribute_not_exists(pk)")
    failed = cli.run("put-item", "--table-name", "from-cli", "--item", item, *condition)
    assert "(ConditionalCheckFailedException)" in failed.stderr
    assert "The conditional request failed" in failed.stderr


# The JavaScript SDK, version 3


def test_javascript_sdk(url):
    try:
        modules = javascript_modules()
    except CannotInstallError as error:
        pytest.skip(f"the JavaScript SDK can't be installed here: {error}")
    script = Path(__file__).with_name("client.cjs")
    done = subprocess.run(
        ["node", str(script), url],
        env=environment({"NODE_PATH": str(modules)}),
        capture_output=True,
        text=True,
        timeout=RUN_LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ok\n"
