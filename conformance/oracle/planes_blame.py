"""Whose fault a wrong answer about streams, backups, settings and the like is, and what should have come."""

from __future__ import annotations

from conformance.oracle import scaled, streaming
from conformance.oracle.compare import Difference
from conformance.oracle.divergence import Divergence
from conformance.oracle.planes import COUNTS
from conformance.oracle.sightings import sightings
from conformance.oracle.writers import CREATES_NOTHING, Write, Writers
from conformance.record.op import reply_to_json
from reference.api import Call, Json, Success
from reference.operations.base import Outcome
from reference.service import Service
from reference.streams.records import number as numbered

_DATA = frozenset({
    "Records", "SearchResults", "Tags", "BackupSummaries", "Streams", "Policy", "NextShardIterator",
    "ScalableTargets", "ScalingPolicies",
})  # fmt: skip
_RULES: tuple[tuple[str, str], ...] = (
    ("OldImage", "streams.images"),
    ("NewImage", "streams.images"),
    ("SizeBytes", "streams.size"),
    ("userIdentity", "streams.ttl-identity"),
    ("SequenceNumber", "streams.order"),
    ("eventName", "streams.record-per-change"),
    ("NextShardIterator", "streams.closed-shard-end"),
    ("EndingSequenceNumber", "streams.lineage"),
    ("Records", "streams.record"),
    ("StreamDescription", "streams.description"),
    ("Streams", "streams.list-pages"),
    ("Score", "vectors.scores"),
    ("SearchResults", "vectors.results"),
    ("Tags", "tables.tag-answer"),
)
"""Members of answers and the rules about them, the closest first."""


def rule_of(operation: str, outcome: Outcome, found: Difference) -> str:
    """The rule about a differing place."""
    if found.kind == "spelling":
        return "values.number-normal-form"
    if found.path == ("Records",) or found.path == ("Records", "*"):
        return "streams.order" if found.kind == "twice" else "streams.record-per-change"
    if found.path[:1] == ("SearchResults",) and found.kind == "order":
        return "vectors.scores"
    if found.path[:1] == ("ConsumedCapacity",):
        return "vectors.search-capacity"
    if operation in streaming.OPERATIONS or operation in ("SearchVectors", "ListTagsOfResource"):
        for member, rule in _RULES:
            if member in found.path:
                return rule
    return outcome.rules[0] if outcome.rules else "wire.no-content"


def divergence(
    service: Service, call: Call, outcome: Outcome, reply: Success, wrong: tuple[Difference, ...], writers: Writers
) -> Divergence:
    """The divergence of an answer that is not lawful; the first difference tells most."""
    found = min(wrong, key=lambda d: (severity_of(d) != "data", d.path[-1:] == ("SizeBytes",)))
    place = found.place + _by(service, call, found, writers)
    expected = Success(_due(call, outcome.body, reply, found, wrong))
    decides = found.path[:-1] if found.kind in ("order",) and found.path[-1] == "SequenceNumber" else found.path
    decides = ("Records", "*", "dynamodb", "Keys") if found.path in (("Records",), ("Records", "*")) else decides
    text = f"{call.operation}: {place}: expected {_short(found.expected)}, observed {_short(found.observed)}"
    made = _creator(service, found, writers)
    if made is not None:
        return Divergence(
            made.operation, CREATES_NOTHING, "data", "item:created", text, expected, reply, (reply_to_json(expected),),
            (".".join(decides),), found.row,
        )  # fmt: skip
    return Divergence(
        call.operation, rule_of(call.operation, outcome, found), severity_of(found), place, text, expected, reply,
        (reply_to_json(expected),), (".".join(decides) or "*",), found.row,
    )  # fmt: skip


def _due(call: Call, body: Json, reply: Success, found: Difference, wrong: tuple[Difference, ...]) -> Json:
    """The expected body; of records, whose numbers the target makes up, those shown with the differing place mended.

    Where the records themselves differ, they are all those that the iterator had still to show.
    """
    told = reply.body if isinstance(reply.body, dict) else {}
    if call.operation != "GetRecords" or found.path[:1] != ("Records",):
        return body
    if found.path in _WHOLE and isinstance(found.expected, list):
        return {**told, "Records": found.expected}
    if found.path[1:2] != ("*",) or len(found.path) < 3 or found.kind not in _PLACES:
        return body
    records = list(told.get("Records", ()))
    for each in wrong:
        if each.path == found.path and each.position is not None:
            records[each.position] = _mended(records[each.position], each.path[2:], each.names, each)
    return {**told, "Records": records}


_WHOLE = (("Records",), ("Records", "*"), ("Records", "*", "dynamodb", "Keys"))
_PLACES = frozenset({"value", "type", "missing", "extra", "spelling"})


def _mended(part: Json, path: tuple[str, ...], names: tuple[str, ...], found: Difference) -> Json:
    """A body with what was expected at a path whose steps ``*`` stand for these names of attributes."""
    if not isinstance(part, dict):
        return part
    step, names = (names[0], names[1:]) if path[0] == "*" and names else (path[0], names)
    if len(path) > 1:
        return {**part, step: _mended(part.get(step), path[1:], names, found)}
    if part.get(step) != found.observed:
        return part
    rest = {name: member for name, member in part.items() if name != step}
    return rest if found.kind == "extra" else {**rest, step: found.expected}


def severity_of(found: Difference) -> str:
    """How bad a difference is."""
    head, last = (found.path[0], found.path[-1]) if found.path else ("", "")
    if found.kind == "spelling" or streaming.is_small(found):
        return "shape"
    if head in _DATA and last not in _LESSER:
        return "data"
    return "data" if last in COUNTS else "shape"


_LESSER = frozenset({"BackupSizeBytes", "BackupType", "TableId"}) | scaled.FREE


def _by(service: Service, call: Call, found: Difference, writers: Writers) -> str:
    """Which write the wrong record is about, where that is known."""
    if call.operation != "GetRecords" or found.path[:1] != ("Records",):
        return ""
    seen = sightings(service.account)
    if found.kind == "missing" and found.path == ("Records",) and isinstance(found.expected, dict):
        number = int(found.expected["dynamodb"]["SequenceNumber"])
        for (_, change), operation in seen.made.items():
            if int(numbered(change)) == number:
                return f" after {operation}"
    if found.kind in ("unexpected", "twice") and found.row is not None:
        for table in service.account.tables.values():
            write = writers.of(table.name, found.row)
            if write is not None:
                return f" after {write.operation}"
    return ""


def _creator(service: Service, found: Difference, writers: Writers) -> Write | None:
    """The write that was to leave an item missing whose creation is told of."""
    created = found.kind == "unexpected" and isinstance(found.observed, dict)
    if not created or found.observed.get("eventName") != "INSERT" or found.row is None:
        return None
    for table in service.account.tables.values():
        write = writers.idle(table.name, found.row)
        image = (found.observed.get("dynamodb") or {}).get("NewImage") or {}
        if write is not None and image.keys() <= set(table.key.names):
            return write
    return None


def _short(body: Json) -> str:
    text = str(body)
    return text if len(text) <= 160 else text[:157] + "…"
