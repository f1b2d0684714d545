"""Checks of streams: their shards, iterators and records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.checks.base import T0, Check, table
from conformance.checks.settings import ELSEWHERE
from conformance.checks.steps import (
    KEY,
    answers,
    batch_put,
    delete,
    item,
    n,
    put,
    refuses,
    reply,
    s,
    t_delete,
    t_put,
    t_update,
    transact,
    update,
)
from conformance.checks.tables import UNITS
from conformance.program import Step
from reference.api import Json

STREAM = reply(0, "TableDescription.LatestStreamArn")
"""The ARN of the first table's stream."""
_SHARD = "StreamDescription.Shards[0].ShardId"
_SEQUENCE = "Records[0].dynamodb.SequenceNumber"


def streaming(view: str = "NEW_AND_OLD_IMAGES") -> dict[str, Json]:
    """A table with a stream; it is provisioned, so that the stream begins with one shard."""
    specification = {"StreamEnabled": True, "StreamViewType": view}
    billing = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS}
    return {"t0": {**table(), **billing, "StreamSpecification": specification}}


def shards(**members: Json) -> Step:
    """DescribeStream."""
    return Step("DescribeStream", {"StreamArn": STREAM, **members})


def iterator(shard: str, kind: str = "TRIM_HORIZON", **members: Json) -> Step:
    """GetShardIterator."""
    return Step("GetShardIterator", {"StreamArn": STREAM, "ShardId": shard, "ShardIteratorType": kind, **members})


def records(at: str, **members: Json) -> Step:
    """GetRecords."""
    return Step("GetRecords", {"ShardIterator": at, **members})


def _read(*writes: Step) -> tuple[list[Step], Step]:
    """Writes to the stream's table, and the calls that lead to a GetRecords that reads them from the beginning."""
    given = [*writes, shards(), iterator(reply(1 + len(writes), _SHARD))]
    return given, records(reply(len(given), "ShardIterator"))


def _recorded(
    rule: str,
    name: str,
    writes: Sequence[Step],
    told: Mapping[str, Json],
    *,
    at: str = "Records[0]",
    view: str = "NEW_AND_OLD_IMAGES",
    lacks: Sequence[str] = (),
) -> Check:
    given, when = _read(*writes)
    return answers(rule, when, tables=streaming(view), given=given, at=at, has=dict(told), lacks=lacks, name=name)


_NO_STREAM = f"{ELSEWHERE}/stream/2026-01-01T00:00:00.000"
_NO_SHARD = "shardId-00000000000000000000-00000000"
_GOOD = shards()
_AT: dict[str, Any] = {"tables": streaming(), "given": [shards()]}
_ITERATED = iterator(reply(1, _SHARD))

ASKED: tuple[Check, ...] = (
    refuses(
        "streams.not-found",
        Step("DescribeStream", {"StreamArn": _NO_STREAM}),
        f"Requested resource not found: Stream: {_NO_STREAM} not found",
        code="ResourceNotFoundException",
        tables=streaming(),
        control=_GOOD,
    ),
    refuses(
        "streams.arn-malformed",
        Step("DescribeStream", {"StreamArn": "arn:aws:dynamodb:us-east-1:400000000004:nonsense/of/a/kind"}),
        phrase="",
        tables=streaming(),
        control=_GOOD,
    ),
    refuses(
        "streams.shard-missing",
        iterator(_NO_SHARD),
        phrase="",
        code="ResourceNotFoundException",
        control=_ITERATED,
        **_AT,
    ),
    refuses(
        "streams.sequence-number-required",
        iterator(reply(1, _SHARD), "AT_SEQUENCE_NUMBER"),
        phrase="",
        control=_ITERATED,
        **_AT,
    ),
    refuses(
        "streams.sequence-number-surplus",
        iterator(reply(1, _SHARD), "LATEST", SequenceNumber="1" * 21),
        phrase="",
        control=iterator(reply(1, _SHARD), "LATEST"),
        **_AT,
    ),
    refuses(
        "streams.sequence-number-unknown",
        iterator(reply(1, _SHARD), "AT_SEQUENCE_NUMBER", SequenceNumber="9" * 40),
        phrase="",
        control=_ITERATED,
        **_AT,
    ),
    refuses(
        "streams.timestamp-required",
        iterator(reply(1, _SHARD), "AT_TIMESTAMP"),
        phrase="",
        control=iterator(reply(1, _SHARD), "AT_TIMESTAMP", Timestamp="${epoch:-60}"),
        **_AT,
    ),
    refuses(
        "streams.timestamp-surplus",
        iterator(reply(1, _SHARD), "LATEST", Timestamp="${epoch:-60}"),
        phrase="",
        control=iterator(reply(1, _SHARD), "LATEST"),
        **_AT,
    ),
    refuses(
        "streams.timestamp-future",
        iterator(reply(1, _SHARD), "AT_TIMESTAMP", Timestamp="${epoch:+3600}"),
        phrase="",
        control=iterator(reply(1, _SHARD), "AT_TIMESTAMP", Timestamp="${epoch:-60}"),
        **_AT,
    ),
    refuses(
        "streams.iterator-expired",
        records(reply(2, "ShardIterator")),
        phrase="",
        code="ExpiredIteratorException",
        tables=streaming(),
        given=[shards(), _ITERATED],
        control=_GOOD,
        pause=901.0,
    ),
    refuses(
        "streams.trimmed",
        iterator(reply(2, _SHARD), "AT_SEQUENCE_NUMBER", SequenceNumber=reply(4, _SEQUENCE)),
        phrase="",
        code="TrimmedDataAccessException",
        tables=streaming(),
        given=[put(), shards(), iterator(reply(2, _SHARD)), records(reply(3, "ShardIterator"))],
        control=_GOOD,
        pause=25 * 3600.0,
    ),
    refuses("streams.iterator-malformed", records("nonsense"), phrase="", tables=streaming(), control=_GOOD),
    refuses(
        "wire.value-max",
        records("x", Limit=1001),
        phrase="failed to satisfy constraint: Member must have value less than or equal to 1000",
        tables={},
        control=Step("ListStreams", {}),
        name="GetRecords",
    ),
)

_VIEWED = {"StreamViewType": "KEYS_ONLY", "StreamStatus": "ENABLED", "TableName": T0, "StreamArn": STREAM}

DESCRIBED: tuple[Check, ...] = (
    answers(
        "streams.description",
        shards(),
        tables=streaming("KEYS_ONLY"),
        at="StreamDescription",
        has={**_VIEWED, "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]},
        name="on",
    ),
    answers(
        "streams.description",
        shards(),
        tables=streaming(),
        given=[Step("UpdateTable", {"TableName": T0, "StreamSpecification": {"StreamEnabled": False}})],
        at="StreamDescription",
        has={"StreamStatus": "DISABLED"},
        name="off",
    ),
    answers(
        "streams.lineage",
        shards(),
        tables=streaming(),
        at="StreamDescription.Shards[0].SequenceNumberRange",
        lacks=("EndingSequenceNumber",),
        name="open",
    ),
    answers(
        "streams.lineage",
        shards(),
        tables=streaming(),
        at="StreamDescription.Shards[0]",
        lacks=("ParentShardId",),
        name="first",
    ),
    answers(
        "streams.list-pages",
        Step("ListStreams", {"TableName": T0}),
        tables=streaming(),
        body={
            "Streams": [
                {"StreamArn": STREAM, "StreamLabel": reply(0, "TableDescription.LatestStreamLabel"), "TableName": T0}
            ]
        },
        name="one",
    ),
    answers(
        "streams.list-pages",
        Step("ListStreams", {"TableName": T0, "Limit": 1}),
        tables=streaming(),
        has={"LastEvaluatedStreamArn": STREAM},
        name="full page",
    ),
    answers(
        "streams.list-pages",
        Step("ListStreams", {"TableName": "dynoracle-none"}),
        tables={},
        body={"Streams": []},
        name="no such table",
    ),
    answers("streams.list-pages", Step("ListStreams", {"TableName": T0}), body={"Streams": []}, name="no stream"),
    answers(
        "streams.iterator",
        records(reply(2, "ShardIterator")),
        tables=streaming(),
        given=[shards(), _ITERATED],
        has={"Records": []},
        name="of an empty shard",
    ),
)

_MODIFY = [put({"v": n(1)}), update("SET v = :v", {"v": n(2)})]
_NO_CHANGES = [
    put({"v": n(1)}),
    put({"v": n("1.0")}),
    update("SET v = :v", {"v": n(1)}),
    update("REMOVE gone"),
    batch_put(item(v=n(1))),
    transact(t_put({"v": n(1)})),
    delete({"pk": s("none")}),
    update("REMOVE x", None, {"pk": s("new")}),
]


def _only(name: str, writes: Sequence[Step], *kinds: str) -> Check:
    """The kinds of all records that writes make, told by the last: one more would stand behind it."""
    given, when = _read(*writes)
    last = len(kinds) - 1
    return answers(
        "streams.record-per-change",
        when,
        tables=streaming(),
        given=given,
        at=f"Records[{last}]",
        has={"eventName": kinds[last]},
        name=name,
    )


def _images(
    view: str, kind: str, writes: Sequence[Step], told: Mapping[str, Json], *lacks: str, position: int = 0
) -> Check:
    return _recorded(
        "streams.images",
        f"{view} {kind}",
        writes,
        {"Keys": KEY, "StreamViewType": view, **told},
        at=f"Records[{position}].dynamodb",
        view=view,
        lacks=lacks,
    )


_OLD, _NEW = item(v=n(1)), item(v=n(2))
_REMOVE = [put({"v": n(1)}), delete()]


def _size(name: str, writes: Sequence[Step], size: int, view: str = "NEW_AND_OLD_IMAGES", position: int = 0) -> Check:
    given, when = _read(*writes)
    tables = streaming(view)
    tables["t0"] = {
        **tables["t0"],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    }
    return answers(
        "streams.size",
        when,
        tables=tables,
        given=given,
        at=f"Records[{position}].dynamodb",
        has={"SizeBytes": size},
        name=name,
    )


def _id(key: str, **more: Json) -> Step:
    return Step("PutItem", {"TableName": T0, "Item": {"id": s(key), **more}})


_FRED = _id("Fred")
_ATTRIBUTES = {"attr1": s("value1"), "attr2": s("value2")}

RECORDS: tuple[Check, ...] = (
    _recorded(
        "streams.record",
        "members",
        [put()],
        {"eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb"},
        lacks=("userIdentity",),
    ),
    _recorded("streams.record", "last", [put(), put({"v": n(1)})], {"eventName": "MODIFY"}, at="Records[1]"),
    _only("upsert", [update("SET v = :v", {"v": n(1)})], "INSERT"),
    _only("key-only upsert", [update(None)], "INSERT"),
    _only("overwrite", [put(), put({"v": n(1)})], "INSERT", "MODIFY"),
    _only("remove", [put(), delete()], "INSERT", "REMOVE"),
    answers(
        "streams.record-per-change",
        _read(*_NO_CHANGES, delete())[1],
        tables=streaming(),
        given=_read(*_NO_CHANGES, delete())[0],
        at="Records[1]",
        has={"eventName": "REMOVE"},
        name="no record of what changes nothing",
    ),
    _images("KEYS_ONLY", "MODIFY", _MODIFY, {}, "NewImage", "OldImage", position=1),
    _images("NEW_IMAGE", "MODIFY", _MODIFY, {"NewImage": _NEW}, "OldImage", position=1),
    _images("OLD_IMAGE", "MODIFY", _MODIFY, {"OldImage": _OLD}, "NewImage", position=1),
    _images("NEW_AND_OLD_IMAGES", "MODIFY", _MODIFY, {"OldImage": _OLD, "NewImage": _NEW}, position=1),
    _images("NEW_AND_OLD_IMAGES", "INSERT", _MODIFY, {"NewImage": _OLD}, "OldImage"),
    _images("NEW_AND_OLD_IMAGES", "REMOVE", _REMOVE, {"OldImage": _OLD}, "NewImage", position=1),
    _images("NEW_IMAGE", "REMOVE", _REMOVE, {}, "NewImage", "OldImage", position=1),
    _images("OLD_IMAGE", "INSERT", _MODIFY, {}, "NewImage", "OldImage"),
    _images("NEW_IMAGE", "INSERT of a key", [put()], {"NewImage": KEY}),
    _size("INSERT", [_FRED], 12),
    _size("INSERT of another", [_id("NewKey")], 16),
    _size("REMOVE", [_id("NewKey"), Step("DeleteItem", {"TableName": T0, "Key": {"id": s("NewKey")}})], 16, position=1),
    _size("MODIFY", [_FRED, _id("Fred", name=s("Fred"))], 26, position=1),
    _size("MODIFY of more", [_id("NewKey"), _id("NewKey", **_ATTRIBUTES)], 46, position=1),
    _size("INSERT with an attribute", [_id("NonExistentKey", attr1=s("value1"))], 43),
    _recorded(
        "streams.order",
        "one item",
        [put({"v": n(1)}), put({"v": n(2)}), put({"v": n(3)})],
        {"NewImage": item(v=n(3)), "OldImage": item(v=n(2))},
        at="Records[2].dynamodb",
    ),
    _recorded(
        "streams.order",
        "one transaction",
        [put(), put({"pk": s("b")}), transact(t_delete({"pk": s("b")}), t_update("SET v = :v", {"v": n(1)}))],
        {"eventName": "REMOVE"},
        at="Records[2]",
    ),
    answers(
        "streams.page-limits",
        records(reply(6, "ShardIterator"), Limit=2),
        tables=streaming(),
        given=_read(*[put({"v": n(i)}) for i in range(4)])[0],
        at="Records[1].dynamodb",
        has={"NewImage": item(v=n(1))},
        name="limit",
    ),
    answers(
        "streams.closed-shard-end",
        records(reply(4, "ShardIterator")),
        tables=streaming(),
        given=[
            put(),
            Step("UpdateTable", {"TableName": T0, "StreamSpecification": {"StreamEnabled": False}}),
            shards(),
            iterator(reply(3, _SHARD)),
        ],
        lacks=("NextShardIterator",),
        name="closed",
    ),
    answers(
        "streams.ttl-identity",
        records(reply(5, "ShardIterator")),
        tables=streaming(),
        given=[
            Step(
                "UpdateTimeToLive",
                {"TableName": T0, "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "until"}},
            ),
            put({"until": n("${time:-60}")}),
            delete(),
            shards(),
            iterator(reply(4, _SHARD)),
        ],
        at="Records[1]",
        has={"eventName": "REMOVE"},
        lacks=("userIdentity",),
        name="deleted by a user",
    ),
)

CHECKS: tuple[Check, ...] = (*ASKED, *DESCRIBED, *RECORDS)
