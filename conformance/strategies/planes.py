"""Requests around a table's items: its streams, its time to live, and writes of every kind that these must notice."""

from __future__ import annotations

from typing import Any

from conformance.strategies import partiql, requests, transactions
from conformance.strategies.draws import Draw, chance, number, pick
from conformance.strategies.schemas import Features, TableWorld

Body = dict[str, Any]
VIEWS = ("NEW_AND_OLD_IMAGES", "NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY")
EXPIRES = "expires"
"""The attribute that items expire by, mostly."""


def reply(op: int, path: str) -> str:
    """What stands for a part of an earlier reply."""
    return f"${{reply:{op}:{path}}}"


def write(draw: Draw, world: TableWorld, features: Features, known: list[Body]) -> tuple[str, Body]:
    """A write of any kind, now and then one that changes nothing."""
    kind = number(draw, 0, 99)
    if kind < 20 and known:
        return _idle(draw, world, known)
    if kind < 42:
        return "PutItem", requests.put(draw, world, features, known)
    if kind < 64:
        return "UpdateItem", requests.update(draw, world, features, known)
    if kind < 76:
        return "DeleteItem", requests.delete(draw, world, features, known)
    if kind < 84:
        return "BatchWriteItem", batch(draw, world, features, known)
    if kind < 93:
        body = transactions.transact_write(draw, [world], features, {world.symbol: known})
        return "TransactWriteItems", body
    maker = pick(draw, (partiql.insert, partiql.update, partiql.delete))
    return "ExecuteStatement", maker(draw, world, known)


def batch(draw: Draw, world: TableWorld, features: Features, known: list[Body]) -> Body:
    """A BatchWriteItem of puts and deletes of different items."""
    asked: list[Body] = []
    seen: list[Body] = []
    for _ in range(number(draw, 1, 4)):
        item = requests.item(draw, world, features, known)
        at = {name: item[name] for name, _ in world.keys}
        if at not in seen:
            seen.append(at)
            deletes = chance(draw, 35)
            asked.append({"DeleteRequest": {"Key": at}} if deletes else {"PutRequest": {"Item": item}})
    return {"RequestItems": {world.reference: asked}}


def _idle(draw: Draw, world: TableWorld, known: list[Body]) -> tuple[str, Body]:
    """A write that leaves an item as it is, or leaves a missing one missing."""
    item = pick(draw, known)
    at = {name: item[name] for name, _ in world.keys}
    body: Body = {"TableName": world.reference}
    kind = pick(draw, ("put", "set", "remove", "delete", "batch"))
    if kind == "put":
        return "PutItem", {**body, "Item": item}
    if kind == "batch":
        return "BatchWriteItem", {"RequestItems": {world.reference: [{"PutRequest": {"Item": item}}]}}
    if kind == "delete":
        absent = requests.key(draw, world, [])
        return "DeleteItem", {**body, "Key": absent}
    if kind == "remove":
        return "UpdateItem", {**body, "Key": at, "UpdateExpression": "REMOVE missing"}
    others = sorted(set(item) - set(at) - set(world.index_keys))
    if not others:
        return "UpdateItem", {**body, "Key": at}
    name = pick(draw, others)
    return "UpdateItem", {
        **body, "Key": at, "UpdateExpression": "SET #n = :v",
        "ExpressionAttributeNames": {"#n": name}, "ExpressionAttributeValues": {":v": item[name]},
    }  # fmt: skip


def toggle(draw: Draw, world: TableWorld, *, on: bool) -> Body:
    """An UpdateTable that switches the stream: mostly the other way, sometimes not."""
    if on != chance(draw, 20):
        specification: Body = {"StreamEnabled": False}
        if chance(draw, 8):
            specification["StreamViewType"] = pick(draw, VIEWS)
    else:
        specification = {"StreamEnabled": True, "StreamViewType": pick(draw, VIEWS)}
        if chance(draw, 8):
            specification.pop("StreamViewType")
    return {"TableName": world.reference, "StreamSpecification": specification}


def iterator(draw: Draw, arn: str, shard: str, sequences: list[str]) -> Body:
    """A GetShardIterator; ``sequences`` stand for sequence numbers that were shown."""
    body: Body = {"StreamArn": arn, "ShardId": shard}
    kinds = ["TRIM_HORIZON", "TRIM_HORIZON", "LATEST"] + ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"] * bool(
        sequences
    )
    body["ShardIteratorType"] = kind = pick(draw, kinds)
    if kind.endswith("NUMBER"):
        body["SequenceNumber"] = pick(draw, sequences)
    if chance(draw, 6):
        _spoil_iterator(draw, body)
    return body


def _spoil_iterator(draw: Draw, body: Body) -> None:
    """One thing wrong with a GetShardIterator."""
    kind = pick(draw, ("shard", "type", "number", "surplus", "arn"))
    if kind == "shard":
        body["ShardId"] = "shardId-00000000000000000000-00000000"
    elif kind == "type":
        body["ShardIteratorType"] = pick(draw, ("EARLIEST", ""))
    elif kind == "number":
        body["ShardIteratorType"] = "AT_SEQUENCE_NUMBER"
        body.pop("SequenceNumber", None)
    elif kind == "surplus":
        body |= {"ShardIteratorType": "LATEST", "SequenceNumber": "1" * 21}
    else:
        body["StreamArn"] = f"{body['StreamArn']}-absent"


# Time to live


def expiring(draw: Draw) -> Body:
    """The value of an attribute that items expire by: past, future, long past, or of a kind that never counts."""
    kind = number(draw, 0, 99)
    if kind < 45:
        return {"N": pick(draw, ("${time:-100}", "${time:-100}", "${time:-86400}", "${time:-100}.5"))}
    if kind < 70:
        return {"N": pick(draw, ("${time:+3600}", "${time:+86400}"))}
    return pick(
        draw,
        (
            {"S": "${time:-100}"}, {"N": "${time:-170000000}"}, {"N": "${time:-100}000"}, {"N": "0"}, {"N": "-1"},
            {"NULL": True}, {"NS": ["${time:-100}"]}, {"M": {EXPIRES: {"N": "${time:-100}"}}}, {"BOOL": True},
        ),
    )  # fmt: skip


def time_to_live(draw: Draw, world: TableWorld) -> Body:
    """An UpdateTimeToLive, mostly one that switches it on."""
    specification: Body = {
        "Enabled": not chance(draw, 25),
        "AttributeName": pick(draw, (EXPIRES, EXPIRES, EXPIRES, "a")),
    }
    if chance(draw, 6):
        specification.pop(pick(draw, ("Enabled", "AttributeName")))
    return {"TableName": world.reference, "TimeToLiveSpecification": specification}
