// What the JavaScript SDK must be able to do: run with an endpoint; prints "ok" or throws.
"use strict";
const assert = require("node:assert/strict");
const { DynamoDBClient, ...db } = require("@aws-sdk/client-dynamodb");
const { DynamoDBStreamsClient, ...streams } = require("@aws-sdk/client-dynamodb-streams");
const { DynamoDBDocumentClient, ...lib } = require("@aws-sdk/lib-dynamodb");

const endpoint = process.argv[2];
const config = { endpoint, region: "us-east-1", maxAttempts: 1 };
const client = new DynamoDBClient(config);
const documents = DynamoDBDocumentClient.from(client);
const table = "from-javascript";
const key = (n) => ({ pk: "a", sk: n });

async function tables() {
  const made = await client.send(new db.CreateTableCommand({
    TableName: table,
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }, { AttributeName: "sk", KeyType: "RANGE" }],
    AttributeDefinitions: [
      { AttributeName: "pk", AttributeType: "S" },
      { AttributeName: "sk", AttributeType: "N" },
      { AttributeName: "owner", AttributeType: "S" },
    ],
    GlobalSecondaryIndexes: [{
      IndexName: "by-owner",
      KeySchema: [{ AttributeName: "owner", KeyType: "HASH" }],
      Projection: { ProjectionType: "ALL" },
    }],
    BillingMode: "PAY_PER_REQUEST",
    StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
  }));
  assert.ok(made.TableDescription.CreationDateTime instanceof Date);
  const waited = await db.waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 }, { TableName: table });
  assert.equal(waited.state, "SUCCESS");
  const arn = made.TableDescription.TableArn;
  await client.send(new db.TagResourceCommand({ ResourceArn: arn, Tags: [{ Key: "team", Value: "blue" }] }));
  const tags = await client.send(new db.ListTagsOfResourceCommand({ ResourceArn: arn }));
  assert.deepEqual(tags.Tags, [{ Key: "team", Value: "blue" }]);
  const spec = { AttributeName: "expires", Enabled: true };
  await client.send(new db.UpdateTimeToLiveCommand({ TableName: table, TimeToLiveSpecification: spec }));
  const ttl = await client.send(new db.DescribeTimeToLiveCommand({ TableName: table }));
  assert.equal(ttl.TimeToLiveDescription.AttributeName, "expires");
}

async function items() {
  const item = { ...key(1), owner: "eva", list: [1, "two", { three: true }], bytes: new Uint8Array([1, 2]), none: null };
  await documents.send(new lib.PutCommand({ TableName: table, Item: item }));
  const got = await documents.send(new lib.GetCommand({ TableName: table, Key: key(1), ConsistentRead: true }));
  assert.deepEqual(got.Item, item);
  const updated = await documents.send(new lib.UpdateCommand({
    TableName: table,
    Key: key(1),
    UpdateExpression: "SET #n = if_not_exists(#n, :zero) + :one",
    ConditionExpression: "attribute_exists(pk)",
    ExpressionAttributeNames: { "#n": "count" },
    ExpressionAttributeValues: { ":zero": 0, ":one": 1 },
    ReturnValues: "UPDATED_NEW",
  }));
  assert.deepEqual(updated.Attributes, { count: 1 });
  const writes = Array.from({ length: 25 }, (_, n) => ({ PutRequest: { Item: { ...key(n + 10), owner: "max" } } }));
  const batch = await documents.send(new lib.BatchWriteCommand({ RequestItems: { [table]: writes } }));
  assert.deepEqual(batch.UnprocessedItems, {});
  const both = await documents.send(new lib.BatchGetCommand({ RequestItems: { [table]: { Keys: [key(10), key(11)] } } }));
  assert.equal(both.Responses[table].length, 2);
}

async function pages() {
  const query = {
    TableName: table,
    KeyConditionExpression: "pk = :p AND sk >= :s",
    ExpressionAttributeValues: { ":p": "a", ":s": 10 },
  };
  const found = [];
  for await (const page of lib.paginateQuery({ client: documents, pageSize: 7 }, query)) found.push(...page.Items);
  assert.deepEqual(found.map((each) => each.sk), Array.from({ length: 25 }, (_, n) => n + 10));
  let scanned = 0;
  for await (const page of lib.paginateScan({ client: documents, pageSize: 10 }, { TableName: table })) {
    scanned += page.Count;
  }
  assert.equal(scanned, 26);
  const index = await documents.send(new lib.QueryCommand({
    TableName: table,
    IndexName: "by-owner",
    KeyConditionExpression: "#o = :o",
    ExpressionAttributeNames: { "#o": "owner" },
    ExpressionAttributeValues: { ":o": "eva" },
  }));
  assert.equal(index.Count, 1);
}

async function together() {
  const put = { Put: { TableName: table, Item: key(100) } };
  await documents.send(new lib.TransactWriteCommand({ TransactItems: [put] }));
  const read = await documents.send(new lib.TransactGetCommand({ TransactItems: [{ Get: { TableName: table, Key: key(100) } }] }));
  assert.deepEqual(read.Responses[0].Item, key(100));
  const check = { ConditionCheck: { TableName: table, Key: key(100), ConditionExpression: "attribute_not_exists(pk)" } };
  await assert.rejects(documents.send(new lib.TransactWriteCommand({ TransactItems: [check] })), (error) => {
    assert.ok(error instanceof db.TransactionCanceledException);
    assert.equal(error.CancellationReasons[0].Code, "ConditionalCheckFailed");
    return true;
  });
  const selected = await documents.send(new lib.ExecuteStatementCommand({
    Statement: `SELECT sk FROM "${table}" WHERE pk = ? AND sk < ?`,
    Parameters: ["a", 10],
  }));
  assert.deepEqual(selected.Items, [{ sk: 1 }]);
}

async function errors() {
  const missing = client.send(new db.DescribeTableCommand({ TableName: "no-such-table" }));
  await assert.rejects(missing, db.ResourceNotFoundException);
  const failed = documents.send(new lib.PutCommand({
    TableName: table,
    Item: key(1),
    ConditionExpression: "attribute_not_exists(pk)",
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  }));
  await assert.rejects(failed, (error) => {
    assert.ok(error instanceof db.ConditionalCheckFailedException);
    assert.deepEqual(error.Item.owner, { S: "eva" });
    return true;
  });
  const invalid = documents.send(new lib.GetCommand({ TableName: table, Key: { pk: "a" } }));
  await assert.rejects(invalid, { name: "ValidationException", message: "The provided key element does not match the schema" });
}

async function stream() {
  const reader = new DynamoDBStreamsClient(config);
  const { Streams } = await reader.send(new streams.ListStreamsCommand({ TableName: table }));
  const StreamArn = Streams[0].StreamArn;
  const { StreamDescription } = await reader.send(new streams.DescribeStreamCommand({ StreamArn }));
  const records = [];
  for (const { ShardId } of StreamDescription.Shards) {
    const from = { StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" };
    let { ShardIterator } = await reader.send(new streams.GetShardIteratorCommand(from));
    const page = await reader.send(new streams.GetRecordsCommand({ ShardIterator }));
    records.push(...page.Records);
  }
  assert.equal(records.filter((each) => each.eventName === "INSERT").length, 27);
  const modified = records.find((each) => each.eventName === "MODIFY");
  assert.deepEqual(modified.dynamodb.NewImage.count, { N: "1" });
}

async function gone() {
  await client.send(new db.DeleteTableCommand({ TableName: table }));
  const waited = await db.waitUntilTableNotExists({ client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 }, { TableName: table });
  assert.equal(waited.state, "SUCCESS");
}

(async () => {
  for (const part of [tables, items, pages, together, errors, stream, gone]) await part();
  console.log("ok");
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
