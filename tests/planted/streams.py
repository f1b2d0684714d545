"""Bugs of streams and of time to live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.checks.base import T0, table
from conformance.checks.steps import batch_delete, put, reply, s, scan, t_put, transact, update
from conformance.checks.streams import iterator, records, shards, streaming
from conformance.program import Step
from reference import ttl
from reference.account import Account
from reference.api import Call, Item, Json, Reply
from reference.operations import streams as reading
from reference.service import Service
from reference.streams import records as telling
from reference.tables.table import Change, Table
from tests.planted.base import Body, Executes, Plant, answers, asks, originals, patched, plant

_SHARD = "StreamDescription.Shards[0].ShardId"
_HONEST = originals(telling)


def _read(*writes: Step, kind: str = "TRIM_HORIZON", view: str = "NEW_AND_OLD_IMAGES", **members: Json) -> Any:
    """A witness: writes to a streamed table, and the stream read from the beginning."""
    given = [*writes, shards(), iterator(reply(1 + len(writes), _SHARD), kind, **members)]
    return streaming(view), (*given, records(reply(len(given), "ShardIterator")))


def _told(alter: Callable[[list[Body]], list[Body]]) -> Any:
    """The records of an answer altered."""
    return answers(lambda service, call, body: {**body, "Records": alter(list(body["Records"]))}, "GetRecords")


def _inside(**members: Callable[[Body], Json]) -> Any:
    """Members of ``dynamodb`` altered in each record."""

    def alter(found: list[Body]) -> list[Body]:
        return [
            {**r, "dynamodb": {**r["dynamodb"], **{m: made(r["dynamodb"]) for m, made in members.items()}}}
            for r in found
        ]

    return _told(alter)


def _without_old(found: list[Body]) -> list[Body]:
    """A MODIFY record has no OldImage."""
    return [
        {**r, "dynamodb": {m: v for m, v in r["dynamodb"].items() if m != "OldImage" or r["eventName"] != "MODIFY"}}
        for r in found
    ]


def _inserts(found: list[Body]) -> list[Body]:
    """No record is called MODIFY."""
    return [{**r, "eventName": "INSERT" if r["eventName"] == "MODIFY" else r["eventName"]} for r in found]


def _bare(record: Body) -> Body:
    """Images without the key."""
    shown = dict(record["dynamodb"])
    for image in ("NewImage", "OldImage"):
        if image in shown:
            shown[image] = {name: value for name, value in shown[image].items() if name not in shown["Keys"]}
    return {**record, "dynamodb": shown}


class _Unrecorded:
    """Some changes leave no record."""

    def __init__(self, service: Service, operation: str, wanted: Callable[[Any], bool]) -> None:
        self.service, self.operation, self.wanted = service, operation, wanted

    def execute(self, call: Call) -> Reply:
        before = {name: table.sequence for name, table in self.service.account.tables.items()}
        reply = self.service.execute(call)
        for name, held in self.service.account.tables.items() if call.operation == self.operation else ():
            kept = [e for e in held.log if e.sequence <= before.get(name, 0) or not self.wanted(e)]
            held.log.clear()
            held.log.extend(kept)
        return reply


class _Forgetful:
    """A stream that was switched off is gone."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def execute(self, call: Call) -> Reply:
        reply = self.service.execute(call)
        for held in self.service.account.tables.values():
            if any(span.ended is not None for span in held.settings.streams):
                held.settings.streams = tuple(span for span in held.settings.streams if span.ended is None)
        return reply


class _Backward:
    """A stream that is switched on later shows what came before it."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def execute(self, call: Call) -> Reply:
        for held in self.service.account.tables.values():
            held.keep = max(held.keep, 86_400.0)
        reply = self.service.execute(call)
        for held in self.service.account.tables.values():
            held.settings.streams = tuple(replace(span, start=0) for span in held.settings.streams)
        return reply


def _endless(service: Service, call: Call, body: Body) -> Body:
    """A closed shard has no end."""
    return {"NextShardIterator": call.body["ShardIterator"], **body}


def _skips(service: Service, call: Call, body: Body) -> Body:
    """The record after a full page is passed over."""
    limit, text = call.body.get("Limit"), body.get("NextShardIterator")
    if limit is None or len(body["Records"]) < limit or text is None:
        return body
    place = reading.iterators.read(text)
    assert place is not None
    return {**body, "NextShardIterator": replace(place, position=place.position + 1).text()}


def _from_start(body: Body) -> Body:
    """LATEST is the beginning."""
    return {**body, "ShardIteratorType": "TRIM_HORIZON"} if body.get("ShardIteratorType") == "LATEST" else body


def _at(body: Body) -> Body:
    """AFTER a record is at it."""
    kind = body.get("ShardIteratorType")
    return {**body, "ShardIteratorType": "AT_SEQUENCE_NUMBER"} if kind == "AFTER_SEQUENCE_NUMBER" else body


def _any_change(self: Change) -> bool:
    """Every write of an item leaves a record, whether it changes anything or not."""
    return self.old is not None or self.new is not None


def _turned(page: Any) -> Any:
    """Records come with the newest first."""
    honest = page

    def pages(stream: Any, shard: Any, position: int, reach: int, limit: int) -> Any:
        found, after = honest(stream, shard, position, reach, limit)
        return found[::-1], after

    return pages


def _switched(*, on: bool) -> Step:
    view = {"StreamViewType": "NEW_AND_OLD_IMAGES"} if on else {}
    return Step("UpdateTable", {"TableName": T0, "StreamSpecification": {"StreamEnabled": on, **view}})


def _stream(name: str, about: str, witness: Any, **hooks: Any) -> Plant:
    tables, steps = witness
    return plant(name, about, "streams", tables, *steps, **hooks)


def _class(name: str, about: str, witness: Any, wrap: Callable[[Service], Executes]) -> Plant:
    return replace(_stream(name, about, witness), wrap=wrap)


_AGAIN = (put({"a": s("x")}), put({"a": s("y")}))
_OFF = (put(), shards(), iterator(reply(2, _SHARD)), _switched(on=False), records(reply(3, "ShardIterator")))
_OFF_READ = (*_OFF, records(reply(5, "NextShardIterator")))
_LATER = (
    put(), _switched(on=True), Step("DescribeStream", {"StreamArn": reply(2, "TableDescription.LatestStreamArn")}),
    Step("GetShardIterator", {
        "StreamArn": reply(2, "TableDescription.LatestStreamArn"), "ShardId": reply(3, _SHARD),
        "ShardIteratorType": "TRIM_HORIZON",
    }),
    records(reply(4, "ShardIterator")),
)  # fmt: skip
_PAGED = (
    *_AGAIN, put({"a": s("z")}), shards(), iterator(reply(4, _SHARD)), records(reply(5, "ShardIterator"), Limit=1),
    records(reply(6, "NextShardIterator")),
)  # fmt: skip
_FIRST = (
    *_AGAIN, shards(), iterator(reply(3, _SHARD)), records(reply(4, "ShardIterator")),
    iterator(reply(3, _SHARD), "AFTER_SEQUENCE_NUMBER", SequenceNumber=reply(5, "Records[0].dynamodb.SequenceNumber")),
    records(reply(6, "ShardIterator")),
)  # fmt: skip

# Time to live

_PAST: Item = {"N": "${time:-100}"}
_SOON: Item = {"N": "${time:+3600}"}
_EXPIRES = Step(
    "UpdateTimeToLive", {"TableName": T0, "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "expires"}}
)
_STREAMED = streaming()
_INDEXED = {"t0": table(gsi=["by-g=g:S"])}


class _Sweeps:
    """A service whose sweep comes by before every call; ``expired`` and ``by`` say whom it takes, in whose name."""

    def __init__(
        self, service: Service, *, expired: Callable[[Item, str, float], bool] = ttl.expired, by: str = ttl.IDENTITY
    ) -> None:
        self.service, self.expired, self.by = service, expired, by

    def execute(self, call: Call) -> Reply:
        now = self.service.account.now()
        for held in self.service.account.tables.values():
            attribute = held.settings.ttl_attribute
            if attribute is not None:
                self._sweep(self.service.account, held, attribute, now)
        return self.service.execute(call)

    def _sweep(self, account: Account, held: Table, attribute: str, now: float) -> None:
        for gone in [i for i in held.items() if self.expired(i, attribute, now)]:
            account.commit(held.plan({name: gone[name] for name in held.key.names}, None), by=self.by)


class _LeavesEntries(_Sweeps):
    """What is swept stays in the indexes."""

    def _sweep(self, account: Account, held: Table, attribute: str, now: float) -> None:
        for gone in [i for i in held.items() if self.expired(i, attribute, now)]:
            change = held.plan({name: gone[name] for name in held.key.names}, None)
            account.commit(replace(change, moves=()), by=self.by)


def _early(given: Item, attribute: str, now: float) -> bool:
    return ttl.expired(given, attribute, now) or ttl.expired(given, attribute, now + 86_401)


def _text_too(given: Item, attribute: str, now: float) -> bool:
    text = given.get(attribute, {}).get("S", "")
    return ttl.expired({attribute: {"N": text}} if text.isdigit() else given, attribute, now)


def _ever(given: Item, attribute: str, now: float) -> bool:
    number = given.get(attribute, {}).get("N")
    return number is not None and float(number) <= now


def _hidden(service: Service, call: Call, body: Body) -> Body:
    """GetItem does not show what has expired, though it is there."""
    held = service.account.table(call.body["TableName"])
    attribute = held.settings.ttl_attribute if held else None
    gone = attribute is not None and ttl.expired(body.get("Item", {}), attribute, service.account.now())
    return {name: value for name, value in body.items() if name != "Item"} if gone else body


def _sweeping(name: str, about: str, tables: Any, *steps: Step, **settings: Any) -> Plant:
    kind = settings.pop("kind", _Sweeps)
    return replace(plant(name, about, "ttl", tables, *steps), wrap=lambda service: kind(service, **settings))


PLANTS: tuple[Plant, ...] = (
    _stream(
        "stream-record-twice", "The first record of a page comes twice.", _read(put()),
        says=_told(lambda found: found[:1] + found),
    ),
    _stream("stream-modify-without-old", "A MODIFY record has no OldImage.", _read(*_AGAIN), says=_told(_without_old)),
    _stream(
        "stream-record-of-no-change", "A write that changes nothing leaves a record.", _read(put(), put()),
        patches=(patched(Change, effective=property(_any_change)),),
    ),
    _stream(
        "stream-put-is-insert", "PutItem over an item is told as INSERT.", _read(*_AGAIN),
        says=_told(_inserts),
    ),
    _stream(
        "stream-images-without-keys", "Images lack the key attributes.", _read(put({"a": s("x")})),
        says=_told(lambda found: [_bare(record) for record in found]),
    ),
    _stream(
        "stream-keys-only-shows-image", "A KEYS_ONLY stream shows the new image.", _read(put(), view="KEYS_ONLY"),
        patches=(patched(telling, _SHOWS_NEW=("NEW_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY")),),
    ),
    _stream(
        "stream-latest-from-start", "A LATEST iterator begins at the beginning.", _read(put(), kind="LATEST"),
        asks=asks(_from_start, "GetShardIterator"),
    ),
    _stream(
        "stream-after-is-at", "AFTER_SEQUENCE_NUMBER begins at the record itself.", (_STREAMED, _FIRST),
        asks=asks(_at, "GetShardIterator"),
    ),
    _class(
        "stream-batch-deletes-untold", "Deletes in a BatchWriteItem leave no record.",
        _read(put(), batch_delete({"pk": s("a")})),
        lambda service: _Unrecorded(service, "BatchWriteItem", lambda entry: entry.new is None),
    ),
    _class(
        "stream-transactions-untold", "Transactions leave no records.", _read(transact(t_put())),
        lambda service: _Unrecorded(service, "TransactWriteItems", lambda entry: True),
    ),
    _class(
        "stream-upsert-untold", "An UpdateItem that makes an item leaves no record.",
        _read(update("SET a = :a", {"a": s("x")})),
        lambda service: _Unrecorded(service, "UpdateItem", lambda entry: entry.old is None),
    ),
    _class(
        "stream-gone-when-off", "A stream that is switched off is gone.",
        (_STREAMED, (put(), _switched(on=False), shards())), _Forgetful,
    ),
    _class(
        "stream-shows-what-was-before", "A stream that is switched on later shows what came before it.",
        ({"t0": table()}, _LATER), _Backward,
    ),
    _stream(
        "stream-closed-without-end", "A closed shard always has a next iterator.", (_STREAMED, _OFF_READ),
        says=answers(_endless, "GetRecords"),
    ),
    _stream(
        "stream-page-loses-record", "The record after a full page is passed over.", (_STREAMED, _PAGED),
        says=answers(_skips, "GetRecords"),
    ),
    _stream(
        "stream-size-of-keys", "SizeBytes leaves the images out.", _read(put({"a": s("x")})),
        says=_inside(SizeBytes=lambda told: sum(len(n) + len(next(iter(v.values()))) for n, v in told["Keys"].items())),
    ),
    _stream(
        "stream-newest-first", "Records come with the newest first.", _read(*_AGAIN),
        patches=(patched(reading, _page=_turned(reading._page)),),
    ),
    _stream(
        "stream-described-without-status", "DescribeStream calls a stream that is off ENABLED.",
        (_STREAMED, (_switched(on=False), shards())),
        says=answers(
            lambda service, call, body: {"StreamDescription": {**body["StreamDescription"], "StreamStatus": "ENABLED"}},
            "DescribeStream",
        ),
    ),
    _sweeping(
        "ttl-early", "Items are deleted up to a day before they expire.",
        {"t0": table()}, put({"expires": _SOON}), _EXPIRES, scan(), expired=_early,
    ),
    _sweeping(
        "ttl-deletes-strings", "Text of digits expires as well.",
        {"t0": table()}, put({"expires": {"S": "${time:-100}"}}), _EXPIRES, scan(), expired=_text_too,
    ),
    _sweeping(
        "ttl-deletes-long-past", "Items that expired more than five years ago are deleted.",
        {"t0": table()}, put({"expires": {"N": "${time:-170000000}"}}), _EXPIRES, scan(), expired=_ever,
    ),
    _sweeping(
        "ttl-without-identity", "The record of an expired item does not say that the service deleted it.",
        _STREAMED, put({"expires": _PAST}), _EXPIRES, shards(), iterator(reply(3, _SHARD)),
        records(reply(4, "ShardIterator")), by="user",
    ),
    _sweeping(
        "ttl-index-entry-stays", "An expired item stays in the indexes.",
        _INDEXED, put({"expires": _PAST, "g": s("x")}), _EXPIRES, scan(), scan(IndexName="by-g"), kind=_LeavesEntries,
    ),
    plant(
        "ttl-get-hides-expired", "GetItem hides expired items that are still there.", "ttl",
        {"t0": table()}, put({"expires": _PAST}), _EXPIRES,
        Step("GetItem", {"TableName": T0, "Key": {"pk": s("a")}, "ConsistentRead": True}), scan(),
        says=answers(_hidden, "GetItem"),
    ),
)  # fmt: skip
