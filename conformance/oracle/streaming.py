"""Streams as a target shows them: any shards, any numbers, but every change once, whole, and each item's in order.

A GetRecords answer is held against the history of the model's table: what its place has passed, what the shard must
hold, and what may not have arrived yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from conformance.oracle.compare import Difference, canonical, differences
from conformance.oracle.latitude import Latitude
from conformance.oracle.places import entries, numbers_of, opened_by, undated
from conformance.oracle.sightings import Place, SeenShard, Sightings, sightings
from reference import lifecycle, ttl
from reference.api import Call, Json
from reference.service import Service
from reference.streams import catalogue, records
from reference.streams.catalogue import Stream
from reference.streams.iterators import ShardIterator
from reference.streams.shards import Shard, Shards
from reference.tables.table import LogEntry
from reference.values.item import normalise_item

OPERATIONS = frozenset({"ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"})
MOST_RECORDS = 1000
FULL_BYTES = 600_000
"""Bytes of records from which on a page may end for its size."""


@dataclass(slots=True)
class Read:
    """What one GetRecords answer tells, to be remembered when it is believed.

    ``delivered`` are the changes that were shown, with their numbers; ``doubtful`` those of which some were shown, not
    known which, under the numbers ``unknown``.
    """

    place: Place
    delivered: dict[int, str] = field(default_factory=dict)
    doubtful: set[int] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    homes: dict[Any, str] = field(default_factory=dict)
    at_end: bool = False
    next: tuple[str, Place] | None = None
    wrong: list[Difference] = field(default_factory=list)

    @property
    def shown(self) -> frozenset[int]:
        """The changes that were shown, or may have been."""
        return frozenset(self.delivered) | self.doubtful

    def note(self, number: str, entry: LogEntry, options: list[LogEntry]) -> None:
        """A record was shown: of this change, or of any of several."""
        if len(options) < 2:
            self.delivered[entry.sequence] = number
            return
        changes = {each.sequence for each in options}
        self.unknown.add(number)
        self.doubtful |= changes
        self.place = replace(self.place, maybe=self.place.maybe | changes)


def streams(service: Service) -> list[Stream]:
    """Every stream of the model that can be read."""
    account = service.account
    return catalogue.streams(account.tables.values(), lifecycle.deleted_tables(account), account.now())


def stream_of(service: Service, arn: Json) -> Stream | None:
    """The model's stream of that ARN."""
    return next((each for each in streams(service) if each.arn == arn), None)


def _own_shard(service: Service, stream: Stream) -> Shard:
    """The one shard that the model's stream has."""
    return next(Shards(stream, service.account.sharding, service.account.now()).every())


def ours(service: Service, call: Call, seen: Sightings) -> Call:
    """A call on a stream with our shard, number and iterator in place of the target's."""
    body = call.body
    if not isinstance(body, dict):
        return call
    if call.operation == "GetRecords":
        place = seen.iterators.get(body.get("ShardIterator") or "")
        stream = None if place is None else stream_of(service, place.stream)
        if place is None or stream is None:
            return call
        shard = _own_shard(service, stream)
        text = ShardIterator.of(stream.arn, shard.id, stream.reach, place.issued).text()
        return Call(call.operation, {**body, "ShardIterator": text})
    arn = body.get("StreamArn")
    stream = stream_of(service, arn)
    if stream is None:
        return call
    shard = _own_shard(service, stream)
    changed = dict(body)
    if (stream.arn, body.get("ShardId")) in seen.shards:
        number = body.get("SequenceNumber")
        change = seen.numbers.get((stream.arn, body["ShardId"], str(number)))
        changed["ShardId"] = shard.id
        if change is not None:
            changed["SequenceNumber"] = records.number(change)
        elif number is not None and number == seen.shards[stream.arn, body["ShardId"]].starting:
            changed["SequenceNumber"] = records.starting(shard)
    if (stream.arn, body.get("ExclusiveStartShardId")) in seen.shards:
        changed["ExclusiveStartShardId"] = shard.id
    filtered = body.get("ShardFilter")
    if isinstance(filtered, dict) and (stream.arn, filtered.get("ShardId")) in seen.shards:
        changed["ShardFilter"] = {**filtered, "ShardId": shard.id}
    return Call(call.operation, changed)


def remember_iterator(service: Service, asked: Call, body: Json, seen: Sightings, latitude: Latitude) -> None:
    """Keep where an iterator stands that a target has given; ``asked`` names the target's own shard."""
    text = body.get("ShardIterator") if isinstance(body, dict) else None
    stream = stream_of(service, asked.body.get("StreamArn"))
    if isinstance(text, str) and stream is not None:
        seen.iterators[text] = opened_by(asked, stream, seen, latitude, service.account.now())


# Records


def read(service: Service, text: str, limit: Json, body: Json, latitude: Latitude) -> Read | None:
    """What a GetRecords answer tells and what is wrong with it; None where the iterator's place is not known."""
    seen = sightings(service.account)
    place = seen.iterators.get(text)
    stream = None if place is None else stream_of(service, place.stream)
    if place is None or stream is None or place.stream in seen.spoilt:
        return None
    found = Read(replace(place, maybe=place.maybe | (undated(stream, place) - place.done)))
    shown = body.get("Records") if isinstance(body, dict) else None
    if not isinstance(shown, list) or not all(isinstance(each, dict) for each in shown):
        found.wrong.append(Difference(("Records",), "missing" if shown is None else "type", [], shown))
        return found
    most = min(limit or MOST_RECORDS, MOST_RECORDS)
    if len(shown) > most:
        found.wrong.append(Difference(("Records",), "more", most, len(shown)))
    _match(found, stream, shown, seen, latitude)
    if all(map(is_small, found.wrong)) and len(shown) < most and len(str(shown)) < FULL_BYTES:
        found.at_end = True
        _complete(found, service, stream, seen, latitude, closed=body.get("NextShardIterator") is None)
    _next(found, stream, body, latitude, full=len(shown) == most, now=service.account.now())
    found.wrong = [d for d in found.wrong if not is_small(d) or (d.place, d.kind) not in seen.told]
    return found


_SMALL = frozenset({
    "SizeBytes", "StreamViewType", "eventVersion", "awsRegion", "eventSource", "eventID",
    "ApproximateCreationDateTime",
})  # fmt: skip


def rounded(want: Json, size: Json) -> bool:
    """Whether a record's size differs by no more than what zeros at the end of numbers may take, which is not known."""
    images = [want.get(member) for member in ("Keys", "NewImage", "OldImage")]
    tens = len(re.findall(rb'"-?\d+0"', orjson.dumps(images, default=str)))
    return isinstance(size, int) and abs(size - want["SizeBytes"]) <= tens


def is_small(difference: Difference) -> bool:
    """Whether a difference says nothing of which changes were shown, so that it is told once."""
    return bool(difference.path) and difference.path[-1] in _SMALL


def _match(found: Read, stream: Stream, shown: list[dict[str, Any]], seen: Sightings, latitude: Latitude) -> None:
    """Find the change that each record tells of."""
    left: dict[Any, list[LogEntry]] = {}
    due: list[Json] = []
    for change in entries(stream):
        if change.sequence not in found.place.done:
            left.setdefault(change.key, []).append(change)
            due.append(_told(change, stream))
    numbers = numbers_of(seen, found.place)
    before = -1
    for position, each in enumerate(shown):
        inner = each.get("dynamodb")
        told: dict[str, Any] = inner if isinstance(inner, dict) else {}
        key = normalise_item(told.get("Keys") or {}, "current", [])
        row = stream.table.view.row_key(key) if key else None
        named = row is not None and set(key or {}) == set(stream.table.key.names)
        if not named or _of_another(stream, told, row):
            found.wrong.append(Difference(("Records", "*", "dynamodb", "Keys"), "value", due, told.get("Keys")))
            return
        number = str(told.get("SequenceNumber"))
        mine = left.get(row, [])
        options = _options(mine, each, found.place, stream, numbers, number)
        entry = options[0] if options else _misled(mine, each, shown[position + 1 :], found.place, stream)
        if entry is None:
            past = [
                e for e in entries(stream) if e.key == row and e.sequence not in {f.sequence for f in left.get(row, ())}
            ]
            kind = "twice" if any(not any(_record(e, stream, each, latitude)) for e in past) else "unexpected"
            found.wrong.append(Difference(("Records", "*"), kind, due, each, row=row))
            return
        if isinstance(entry, Missing):
            found.wrong.append(Difference(("Records",), "missing", _told(entry.entry, stream), None, row=row))
            return
        found.wrong += [replace(d, row=row, position=position) for d in _record(entry, stream, each, latitude)]
        if number.isdigit():
            if int(number) <= before:
                found.wrong.append(Difference(("Records", "*", "dynamodb", "SequenceNumber"), "order", before, number))
            before = int(number)
        del mine[: mine.index(entry) + 1]
        found.note(number, entry, options)
        found.homes[row] = found.place.shard


def _of_another(stream: Stream, told: Mapping[str, Any], row: Any) -> bool:
    """Whether the images of a record are those of another item than its keys name."""
    image = told.get("NewImage") or told.get("OldImage")
    item = normalise_item(image, "current", []) if isinstance(image, dict) else None
    names = stream.table.key.names
    return item is not None and set(names) <= item.keys() and stream.table.view.row_key(item) != row


@dataclass(frozen=True, slots=True)
class Missing:
    """A change whose record was passed over."""

    entry: LogEntry


def _options(
    left: list[LogEntry],
    shown: Mapping[str, Any],
    place: Place,
    stream: Stream,
    known: Mapping[int, str],
    number: str,
) -> list[LogEntry]:
    """The changes of an item that its next record may tell of: what the place leaves open may be passed over."""
    found = []
    for entry in left:
        surely = entry.sequence not in place.maybe
        # What had another number when it was shown before is not what is shown now.
        if _alike(entry, shown, stream) and (surely or known.get(entry.sequence, number) == number):
            found.append(entry)
        if surely:
            break
    named = [entry for entry in found if known.get(entry.sequence) == number]
    dated = [entry for entry in found if _by_the_service(entry) == bool(shown.get("userIdentity"))]
    return named or dated or found


def _misled(
    left: list[LogEntry], shown: Mapping[str, Any], later: list[dict[str, Any]], place: Place, stream: Stream
) -> LogEntry | Missing | None:
    """The change of an item that its next record tells of wrongly.

    Those after it say whether it is one too many, or one before it is missing.
    """
    position, entry = next(((p, e) for p, e in enumerate(left) if e.sequence not in place.maybe), (0, None))
    if entry is None or _says_as_before(entry, shown):
        return None
    own = (shown.get("dynamodb") or {}).get("Keys")
    same = [each for each in later if canonical((each.get("dynamodb") or {}).get("Keys")) == canonical(own)]
    idle = (shown.get("dynamodb") or {}).get("OldImage")
    spare = len(same) >= len(left) - position and not _leaves(entry, shown)
    if spare and any(_leaves(entry, each) for each in same):
        return None
    if any(_alike(entry, each, stream) for each in same) or (idle and not _differ(shown)):
        return None
    if any(_alike(other, shown, stream) for other in left[position + 1 :]):
        return Missing(entry)
    return entry


def _by_the_service(entry: LogEntry) -> bool:
    return entry.by == ttl.IDENTITY


def _says_as_before(entry: LogEntry, shown: Mapping[str, Any]) -> bool:
    """Whether a record that should tell of a change tells that the item was left as it was before that."""
    if shown.get("eventName") != "MODIFY" or entry.old is None:
        return False
    image = (shown.get("dynamodb") or {}).get("NewImage")
    return entry.new is None if image is None else canonical(image) == canonical(entry.old.item)


def _leaves(entry: LogEntry, shown: Mapping[str, Any]) -> bool:
    """Whether a record shows the item as a change has left it."""
    image = (shown.get("dynamodb") or {}).get("NewImage")
    return image is not None and entry.new is not None and canonical(image) == canonical(entry.new.item)


def _alike(entry: LogEntry, shown: Mapping[str, Any], stream: Stream) -> bool:
    told = records.record(entry, stream.table.key.names, stream.span.view_type, stream.arn)
    return bool(told["eventName"] == shown.get("eventName")) and not _images(told, shown)


def _differ(shown: Mapping[str, Any]) -> bool:
    """Whether the images of a record differ, as they must."""
    told = shown["dynamodb"]
    return canonical(told.get("OldImage")) != canonical(told.get("NewImage"))


def _images(told: Mapping[str, Any], shown: Mapping[str, Any]) -> list[Difference]:
    want, got = told["dynamodb"], shown.get("dynamodb") or {}
    path = ("Records", "*", "dynamodb")
    found: list[Difference] = []
    for member in ("NewImage", "OldImage"):
        if (member in want) != (got.get(member) is not None):
            kind = "missing" if member in want else "extra"
            found.append(Difference((*path, member), kind, want.get(member), got.get(member)))
        elif member in want:
            inner = differences({"Item": want[member]}, {"Item": got[member]})
            found += [replace(d, path=(*path, member, *d.path[1:])) for d in inner]
    return found


def _record(entry: LogEntry, stream: Stream, shown: Mapping[str, Any], latitude: Latitude) -> list[Difference]:
    """How a record differs from the change it tells of."""
    told = records.record(entry, stream.table.key.names, stream.span.view_type, stream.arn)
    want, got = told["dynamodb"], shown.get("dynamodb") or {}
    path = ("Records", "*")
    found: list[Difference] = []
    for member in ("eventName", "eventVersion", "eventSource", "awsRegion"):
        found += differences(told[member], shown.get(member), (*path, member))
    found += _images(told, shown)
    if canonical(want["Keys"]) != canonical(got.get("Keys")):
        found.append(Difference((*path, "dynamodb", "Keys"), "value", want["Keys"], got.get("Keys")))
    for member in ("StreamViewType", "SizeBytes"):
        if member == "SizeBytes" and rounded(want, got.get(member)):
            continue
        found += differences(want[member], got.get(member), (*path, "dynamodb", member))
    if not shown.get("eventID"):
        found.append(Difference((*path, "eventID"), "missing", told["eventID"], shown.get("eventID")))
    if not str(got.get("SequenceNumber")).isdigit():
        found.append(
            Difference((*path, "dynamodb", "SequenceNumber"), "type", want["SequenceNumber"], got.get("SequenceNumber"))
        )
    moment = got.get("ApproximateCreationDateTime")
    if not isinstance(moment, int | float) or abs(moment - entry.at) > 60 + latitude.stream_lag + latitude.skew:
        found.append(Difference((*path, "dynamodb", "ApproximateCreationDateTime"), "value", int(entry.at), moment))
    identity = shown.get("userIdentity") or None
    found += differences(told.get("userIdentity"), identity, (*path, "userIdentity"))
    return sorted(found, key=_least_telling)


def _least_telling(difference: Difference) -> bool:
    return is_small(difference) or difference.path[-1] == "SequenceNumber"


def _complete(
    found: Read, service: Service, stream: Stream, seen: Sightings, latitude: Latitude, *, closed: bool
) -> None:
    """A page that could hold more and does not: everything of its shard must have been shown by now."""
    place, now = found.place, service.account.now()
    shard = seen.shards.get((stream.arn, place.shard), SeenShard())
    single = seen.listed.get(stream.arn) == (place.shard,) and not shard.parent
    single = single and not (closed and latitude.resharding)  # What comes after its end is in its children.
    passed = place.done | place.maybe | found.delivered.keys()
    due = [e for e in entries(stream) if e.sequence not in passed and _arrived(e, now, latitude)]
    for entry in due:
        home = found.homes.get(entry.key) or seen.homes.get((stream.arn, entry.key))
        if single or (home == place.shard and not closed and not latitude.resharding):
            found.wrong.append(Difference(("Records",), "missing", _told(entry, stream), None, row=entry.key))
            return
    if not place.whole:
        return
    ends = {**{s: t for (arn, s), t in seen.ends.items() if arn == stream.arn}, place.shard: now}
    listed = seen.listed.get(stream.arn, ())
    if not listed or any(each not in ends for each in listed) or latitude.resharding:
        return
    since = min(ends[each] for each in listed)
    shown = seen.delivered.get(stream.arn, frozenset()) | found.shown | undated(stream, place)
    for entry in entries(stream):
        if entry.sequence not in shown and entry.at <= since and _arrived(entry, since, latitude):
            found.wrong.append(Difference(("Records",), "missing", _told(entry, stream), None, row=entry.key))
            return


def _arrived(entry: LogEntry, now: float, latitude: Latitude) -> bool:
    """Whether a change must be in its stream by now."""
    return not latitude.lags or entry.at < now - latitude.stream_lag - latitude.skew


def _told(entry: LogEntry, stream: Stream) -> dict[str, Any]:
    return records.record(entry, stream.table.key.names, stream.span.view_type, stream.arn)


def _next(found: Read, stream: Stream, body: Mapping[str, Any], latitude: Latitude, *, full: bool, now: float) -> None:
    """Where the next iterator stands, and whether there must be one (beyond:STR-25)."""
    text, place = body.get("NextShardIterator"), found.place
    over = stream.span.ended is not None
    if text is None:
        if not over and not latitude.resharding:
            found.wrong.append(Difference(("NextShardIterator",), "missing", "an iterator", None))
        return
    if over and not full and not body.get("Records") and not latitude.lags and not latitude.state_lag:
        found.wrong.append(Difference(("NextShardIterator",), "extra", None, text))
    # What an item's record stands after has been passed by.
    last = {e.key: e.sequence for e in entries(stream) if e.sequence in found.delivered}
    early = {e.sequence for e in entries(stream) if e.sequence < last.get(e.key, 0)}
    done = place.done | found.delivered.keys() | frozenset(early)
    if found.at_end:
        # What it has not shown by now it has passed by as well.
        done |= {e.sequence for e in entries(stream) if e.sequence in place.maybe and _arrived(e, now, latitude)}
    found.next = (
        str(text),
        replace(place, done=done, maybe=place.maybe - done),
    )


def remember_read(service: Service, found: Read, seen: Sightings) -> bool:
    """Keep what an answer tells; whether it is believed."""
    arn, shard = found.place.stream, found.place.shard
    small = [each for each in found.wrong if is_small(each)]
    seen.told |= {(each.place, each.kind) for each in small}
    if len(small) < len(found.wrong):
        seen.spoilt.add(arn)
        return False
    if found.next is not None:
        text, place = found.next
        seen.iterators[text] = replace(place, issued=service.account.now())
    for change, number in found.delivered.items():
        seen.numbers[arn, shard, number] = change
    for row, home in found.homes.items():
        seen.homes[arn, row] = home
    seen.delivered[arn] = seen.delivered.get(arn, frozenset()) | found.shown
    seen.foreign |= found.unknown
    if found.at_end and found.place.whole:
        seen.ends[arn, shard] = service.account.now()
    return True
