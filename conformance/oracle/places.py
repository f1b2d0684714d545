"""Where an iterator of a target's stream stands: which changes it has passed, may show, or is still to show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.oracle.latitude import Latitude
from conformance.oracle.sightings import Place, SeenShard, Sightings
from conformance.oracle.versions import since_of
from reference import ttl
from reference.api import Call
from reference.streams.catalogue import Stream
from reference.tables.table import LogEntry


def entries(stream: Stream) -> list[LogEntry]:
    """The changes that a stream shows."""
    return [e for e in stream.table.log if stream.span.start < e.sequence <= stream.reach]


def opened_by(asked: Call, stream: Stream, seen: Sightings, latitude: Latitude, now: float) -> Place:
    """Where an iterator stands that a target has just given; ``asked`` names the target's own shard."""
    kind, shard = asked.body["ShardIteratorType"], asked.body["ShardId"]
    place = Place(stream.arn, shard, now)
    known = entries(stream)
    parent = seen.shards.get((stream.arn, shard), SeenShard()).parent
    if kind == "TRIM_HORIZON":
        # What came before a shard was opened is in its parent.
        place = replace(place, maybe=frozenset(e.sequence for e in known) if parent else frozenset(), whole=True)
    elif kind == "LATEST":
        recent = {e.sequence for e in known if e.at >= now - latitude.stream_lag - latitude.skew * (latitude.lags)}
        place = replace(place, maybe=frozenset(recent), done=frozenset(e.sequence for e in known) - recent)
    elif kind == "AT_TIMESTAMP":
        moment, slack = float(asked.body["Timestamp"]), latitude.skew + 1
        early = {e.sequence for e in known if e.at + slack < moment}
        near = {e.sequence for e in known if since_of(e) - slack <= moment <= e.at + slack}
        place = replace(place, done=frozenset(early), maybe=frozenset(near))
    else:
        place = _numbered(place, asked, known, seen, inclusive=kind == "AT_SEQUENCE_NUMBER", lag=latitude.stream_lag)
        if place.issued and parent:
            place = replace(place, maybe=place.maybe | (frozenset(e.sequence for e in known) - place.done))
    return replace(place, opened=max(place.done | place.maybe, default=0))


def undated(stream: Stream, place: Place) -> frozenset[int]:
    """Deletions by time to live that may have come before a place, since nobody sees the moment at which they happen:
    those of items that were last written before the reading began, or before the stream did."""
    last: dict[Any, int] = {}
    found = set()
    for entry in entries(stream):
        if entry.by == ttl.IDENTITY and last.get(entry.key, 0) <= place.opened:
            found.add(entry.sequence)
        last[entry.key] = entry.sequence
    return frozenset(found)


def _numbered(
    place: Place, asked: Call, known: list[LogEntry], seen: Sightings, *, inclusive: bool, lag: float
) -> Place:
    """A place at or after a record: what came by the same call may stand on either side, unless its number tells."""
    asked_for = str(asked.body.get("SequenceNumber"))
    change = seen.numbers.get((place.stream, place.shard, asked_for))
    at = next((e for e in known if e.sequence == change), None)
    if at is None:
        return replace(place, whole=True)  # The beginning of the shard.
    numbers = numbers_of(seen, place)
    before = {e for e, number in numbers.items() if _precedes(number, asked_for)}
    after = {e for e, number in numbers.items() if _precedes(asked_for, number)}
    own = {e.sequence for e in known if e.key == at.key and e.sequence < at.sequence}
    done = own | {e.sequence for e in known if e.key != at.key and e.at < since_of(at) - lag} | before
    late = {e.sequence for e in known if since_of(e) > at.at + lag}
    maybe = {e.sequence for e in known if e.key != at.key} - late
    done = done - after if inclusive else (done - after) | {at.sequence}
    return replace(place, done=frozenset(done), maybe=frozenset(maybe - done - after))


def numbers_of(seen: Sightings, place: Place) -> dict[int, str]:
    """The numbers under which changes were shown in a place's shard."""
    shard = (place.stream, place.shard)
    return {change: number for (*home, number), change in seen.numbers.items() if tuple(home) == shard}


def _precedes(number: str, other: str) -> bool:
    return number.isdigit() and other.isdigit() and int(number) < int(other)
