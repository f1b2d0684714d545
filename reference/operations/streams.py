"""ListStreams, DescribeStream, GetShardIterator and GetRecords (dataplane:STR-*, beyond:STR-*)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice
from typing import Any

from reference import lifecycle
from reference.operations.base import Context, Operation, Outcome
from reference.rules import Checks, violation
from reference.streams import catalogue, iterators, records
from reference.streams.catalogue import Stream
from reference.streams.iterators import ShardIterator
from reference.streams.shards import Shard, Shards, entries_after, horizon

MOST_LISTED = 100
MOST_RECORDS = 1000
MOST_BYTES = 1_048_576
"""What one GetRecords answer holds at most, records and their SizeBytes (beyond:STR-23, STR-33)."""

_BY_NUMBER = ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")
_ITERATOR_TYPES = ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP", *_BY_NUMBER)


def list_streams(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ListStreams: in the order of ARNs; a full page names its last stream even if no other follows (STR-27)."""
    start, name = body.get("ExclusiveStartStreamArn"), body.get("TableName")
    if start is not None and not catalogue.well_formed(start):
        yield violation("streams.arn-malformed", arn=start)
    found = [
        s for s in _streams(context) if (name is None or s.table.name == name) and (start is None or s.arn > start)
    ]
    limit = _limit(body, MOST_LISTED)
    page = found[:limit]
    answer: dict[str, Any] = {
        "Streams": [{"StreamArn": s.arn, "StreamLabel": s.span.label, "TableName": s.table.name} for s in page]
    }
    if len(page) == limit:
        answer["LastEvaluatedStreamArn"] = page[-1].arn
    return Outcome(answer, rules=("streams.list-pages",))


def describe_stream(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeStream: the stream and a page of its shards in the order of their ids."""
    stream = yield from _named_stream(context, body.get("StreamArn"))
    if stream is None:
        return None
    shards = Shards(stream, context.account.sharding, context.now())
    limit = _limit(body, MOST_LISTED)
    page = list(islice(_listed(shards, body), limit + 1))
    told: dict[str, Any] = {
        "StreamArn": stream.arn,
        "StreamLabel": stream.span.label,
        "StreamStatus": stream.status,
        "StreamViewType": stream.span.view_type,
        "CreationRequestDateTime": stream.span.created,
        "TableName": stream.table.name,
        "KeySchema": stream.table.key.describe(),
        "Shards": [_described(shard) for shard in page[:limit]],
    }
    if len(page) > limit:
        told["LastEvaluatedShardId"] = page[limit - 1].id
    return Outcome({"StreamDescription": told}, rules=("streams.description", "streams.lineage"))


def _listed(shards: Shards, body: dict[str, Any]) -> Iterator[Shard]:
    """The shards a request asks for; none after a start that the stream does not have (beyond:STR-28)."""
    start, parent = body.get("ExclusiveStartShardId"), (body.get("ShardFilter") or {}).get("ShardId")
    after = None if start is None else shards.find(start)
    if start is not None and after is None:
        return iter(())
    if parent is not None:
        closed = shards.find(parent)
        children = iter(()) if closed is None else shards.children(closed)
        return (each for each in children if after is None or each.id > after.id)
    return shards.every() if after is None else shards.after(after)


def _described(shard: Shard) -> dict[str, Any]:
    numbers = {"StartingSequenceNumber": records.starting(shard)}
    if shard.end is not None:
        numbers["EndingSequenceNumber"] = records.ending(shard.end)
    told: dict[str, Any] = {"ShardId": shard.id, "SequenceNumberRange": numbers}
    if shard.parent is not None:
        told["ParentShardId"] = shard.parent
    return told


def get_shard_iterator(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """GetShardIterator: a place in a shard, good for fifteen minutes."""
    kind, number, moment = (body.get(name) for name in ("ShardIteratorType", "SequenceNumber", "Timestamp"))
    if kind in _ITERATOR_TYPES:
        yield from _arguments(kind, number, moment, context.now())
    stream = yield from _named_stream(context, body.get("StreamArn"))
    if stream is None or body.get("ShardId") is None:
        return None
    shard = Shards(stream, context.account.sharding, context.now()).find(body["ShardId"])
    if shard is None:
        yield violation("streams.shard-missing")
        return None
    position = yield from _position(context, stream, shard, body)
    if position is None:
        return None
    made = ShardIterator.of(stream.arn, shard.id, position, context.now())
    return Outcome({"ShardIterator": made.text()}, rules=("streams.iterator",))


def _arguments(kind: str, number: str | None, moment: float | None, now: float) -> Checks[None]:
    """Which further members a type of iterator takes (beyond:STR-30, STR-31)."""
    if kind in _BY_NUMBER and number is None:
        yield violation("streams.sequence-number-required", type=kind)
    if kind not in _BY_NUMBER and number is not None:
        yield violation("streams.sequence-number-surplus", type=kind)
    if kind == "AT_TIMESTAMP" and moment is None:
        yield violation("streams.timestamp-required")
    if kind != "AT_TIMESTAMP" and moment is not None:
        yield violation("streams.timestamp-surplus", type=kind)
    if kind == "AT_TIMESTAMP" and moment is not None and moment > now:
        yield violation("streams.timestamp-future")


def _position(context: Context, stream: Stream, shard: Shard, body: dict[str, Any]) -> Checks[int | None]:
    """Where in the table's history an iterator begins: after that change."""
    kind, now = body.get("ShardIteratorType"), context.now()
    reach = stream.reach if shard.end is None else shard.end
    trimmed = horizon(stream.table, now)
    oldest = min(max(shard.start, trimmed), reach)
    if kind == "TRIM_HORIZON":
        return oldest
    if kind == "LATEST":
        return reach
    if kind == "AT_TIMESTAMP" and body.get("Timestamp") is not None:
        log = stream.table.log
        place = bisect_left(log, body["Timestamp"], key=lambda entry: int(entry.at))
        before = log[place].sequence - 1 if place < len(log) else reach
        return min(max(oldest, before), reach)
    number = body.get("SequenceNumber")
    if kind not in _BY_NUMBER or number is None:
        return None
    position = records.position_at(number) if kind == "AT_SEQUENCE_NUMBER" else records.position_after(number)
    if position is None or position > reach or (position < shard.start and position >= trimmed):
        yield violation("streams.sequence-number-unknown")
        return None
    if position < trimmed:
        yield violation("streams.trimmed")
        return None
    return position


def get_records(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """GetRecords: what the shard holds after the iterator, and an iterator for what comes next."""
    text, now = body.get("ShardIterator"), context.now()
    if not text:
        return None
    given = iterators.read(text)
    if given is None or not catalogue.well_formed(given.arn):
        yield violation("streams.iterator-malformed")
        return None
    stream = yield from _named_stream(context, given.arn)
    shard = None
    if stream is not None:
        shard = Shards(stream, context.account.sharding, now).find(given.shard)
        if shard is None:
            yield violation("streams.shard-missing")
    if given.expired(now):
        yield violation("streams.iterator-expired")
        return None
    if stream is None or shard is None:
        return None
    reach = stream.reach if shard.end is None else shard.end
    if given.position < min(horizon(stream.table, now), reach):
        yield violation("streams.trimmed")
        return None
    found, position = _page(stream, shard, given.position, reach, _limit(body, MOST_RECORDS))
    answer: dict[str, Any] = {"Records": found}
    if shard.end is None or position < reach:
        answer["NextShardIterator"] = ShardIterator.of(stream.arn, shard.id, position, now).text()
    return Outcome(answer, rules=_RECORD_RULES)


_RECORD_RULES = (
    "streams.record",
    "streams.record-per-change",
    "streams.images",
    "streams.size",
    "streams.order",
    "streams.ttl-identity",
    "streams.closed-shard-end",
    "streams.page-limits",
)


def _page(stream: Stream, shard: Shard, position: int, reach: int, limit: int) -> tuple[list[dict[str, Any]], int]:
    """Records of a shard after a position, and the position after the page."""
    names, span, arn = stream.table.key.names, stream.span, stream.arn
    found: list[dict[str, Any]] = []
    size = 0
    for entry in entries_after(stream.table, position):
        if entry.sequence > reach:
            break
        if shard.holds(entry):
            made = records.record(entry, names, span.view_type, arn)
            size += made["dynamodb"]["SizeBytes"]
            if len(found) == limit or (found and size > MOST_BYTES):
                return found, position
            found.append(made)
        position = entry.sequence
    return found, max(position, reach)


def _streams(context: Context) -> list[Stream]:
    account = context.account
    return catalogue.streams(account.tables.values(), lifecycle.deleted_tables(account), context.now())


def _named_stream(context: Context, arn: str | None) -> Checks[Stream | None]:
    """The stream with that ARN (beyond:STR-29)."""
    if arn is None:
        return None
    if not catalogue.well_formed(arn):
        yield violation("streams.arn-malformed", arn=arn)
        return None
    stream = next((each for each in _streams(context) if each.arn == arn), None)
    if stream is None:
        yield violation("streams.not-found", arn=arn)
    return stream


def _limit(body: dict[str, Any], most: int) -> int:
    """The page size a request asks for, within what the service takes."""
    return min(max(body.get("Limit") or most, 1), most)


OPERATIONS: dict[str, Operation] = {
    "ListStreams": list_streams,
    "DescribeStream": describe_stream,
    "GetShardIterator": get_shard_iterator,
    "GetRecords": get_records,
}
