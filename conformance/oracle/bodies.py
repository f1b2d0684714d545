"""Whether a success body is one that DynamoDB could have given, and which outcome it tells of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from conformance.oracle import stale, throttled, underway
from conformance.oracle.compare import Difference, canonical, differences
from conformance.oracle.latitude import Latitude
from conformance.oracle.pages import SMALL_BYTES, Pages
from conformance.oracle.writers import CREATES_NOTHING
from reference.api import Call, Json, Refusal
from reference.operations.base import Choice, Outcome
from reference.operations.pages import MAX_PAGE_BYTES
from reference.operations.tables import LIST_LIMIT
from reference.rules import Violation
from reference.service import Outcomes, Service
from reference.values.item import item_size

KNOWN_MEMBERS = frozenset({
    "Item", "Items", "Attributes", "ConsumedCapacity", "ItemCollectionMetrics", "LastEvaluatedKey", "Count",
    "ScannedCount", "Responses", "UnprocessedItems", "UnprocessedKeys", "NextToken", "Table", "TableDescription",
    "TimeToLiveDescription", "TimeToLiveSpecification", "Tags",
})  # fmt: skip
"""Members of answers that may not appear uncalled for; others are new to us and noted, not failed."""

OPAQUE = frozenset(
    {
        "TableId",
        "CreationDateTime",
        "Address",
        "TableArn",
        "IndexArn",
        "LatestStreamArn",
        "LatestStreamLabel",
        "ItemCount",
        "TableSizeBytes",
        "IndexSizeBytes",
        "LastUpdateToPayPerRequestDateTime",
        "LastIncreaseDateTime",
        "LastDecreaseDateTime",
        "LastUpdateDateTime",
        "TableStatus",
        "IndexStatus",
        "Backfilling",
        "Status",
        "KMSMasterKeyArn",
        "RestoreDateTime",
        "SSEDescription",
        "ReplicaStatus",
        "WitnessStatus",
    }
)
"""Members of descriptions whose value is the target's own, or on its way through lawful states."""

DESCRIBED = frozenset({
    "KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "StreamSpecification",
    "Replicas", "GlobalTableVersion", "MultiRegionConsistency", "GlobalTableWitnesses",
})  # fmt: skip
"""Members of descriptions that are there only when they have something to tell; DeleteTable tells none of them."""

UNSHOWN = {
    "UpdateTable": frozenset({"LastUpdateToPayPerRequestDateTime", "WarmThroughput", "LastUpdateDateTime"}),
    "DeleteTable": frozenset({"LastUpdateToPayPerRequestDateTime", "BillingModeSummary"}),
}
"""Members of descriptions that DescribeTable shows; whether these answers do is recorded of some changes only."""

_BATCHES = frozenset({"BatchGetItem", "BatchWriteItem", "BatchExecuteStatement"})
_PARTLY = ("ProjectionExpression", "AttributesToGet")


@dataclass(frozen=True, slots=True)
class Lawful:
    """The outcome that an answer tells of, and how it differs from it if it fits none."""

    outcome: Outcome
    differences: tuple[Difference, ...] = ()


def lawful(service: Service, call: Call, outcome: Outcome, body: Json, latitude: Latitude, pages: Pages) -> Lawful:
    """Look for a lawful outcome with this body; the reference's own comes first."""
    paged = call.operation in ("Query", "Scan")
    loose = paged and _unordered(service, call)
    if call.operation == "ListTables":
        outcome = replace(outcome, body=_with_strangers(service, call, body))
    if outcome.details.get("scan") or (call.operation == "ExecuteStatement" and _ties(service, call)):
        outcome, body = replace(outcome, body=_any_order(outcome.body)), _any_order(body)
    if call.operation == "DescribeTable" and latitude.state_lag > 0:
        body = without_leaving(outcome.body, body)
    found = pages.judge(service, call, outcome, body) if loose else compare(call, outcome.body, body)
    if _changes_nothing(call, outcome):
        # Whether what was set to what it was has been updated is only inferred (conflicts.md, gap 15).
        found = [d for d in found if d.path[:1] != ("Attributes",) or d.kind != "missing"]
    if "queries.hash-only-page" in outcome.rules:
        # Only inferred: another page may follow, and is then empty or refused.
        found = [difference for difference in found if difference.path[:1] != ("LastEvaluatedKey",)]
    found = [difference for difference in found if not _unrecorded(call, outcome, difference)]
    if found and underway.waits(service, call, latitude):
        found = underway.settled(found)
    if not found:
        capacity = compare_capacity(call, outcome, body) if loose else []
        lag = stale.lag_of(call, latitude)
        if capacity and lag > 0 and any(True for _ in stale.replicas(service, lag + latitude.skew)):
            capacity = []  # The items it was charged for may be of different moments, whatever is shown of them.
        return Lawful(outcome, tuple(capacity))
    if call.operation in _BATCHES:
        latitude = throttled.relaxed(service, call, Outcomes((), outcome), latitude)
    nearest = outcome
    for replica, other in _others(service, call, outcome, body, latitude):
        wrong = pages.judge(replica, call, other, body) if loose else compare(call, other.body, body)
        if not wrong:
            return Lawful(other)
        if paged and replica is service and len(wrong) < len(found):
            # Whether another page follows is the target's choice, and no fault of an answer with other faults.
            nearest, found = other, wrong
    lag = stale.lag_of(call, latitude)
    if lag > 0 and call.operation != "GetItem":
        # Every partition has replicas of its own, so items of one answer may be of different moments.
        states = chain([service], stale.replicas(service, lag + latitude.skew, latitude.skew))
        found = pages.plausible(states, call, body) if paged else _of_moments(states, call, outcome, body, latitude)
        nearest = outcome
    return Lawful(nearest, tuple(found))


def _of_moments(
    states: Iterable[Service], call: Call, outcome: Outcome, body: Json, latitude: Latitude
) -> list[Difference]:
    """What is wrong with an answer whose items may each be of a moment of their own."""
    expected = outcome.body
    if call.operation == "BatchExecuteStatement":
        expected = stale.as_read(states, call, outcome, body, throttling=latitude.partial_batches)
    elif call.operation == "ExecuteStatement":
        expected = body if stale.rows_fit(states, call, body) else expected
    elif stale.batch_fits(states, call, body, undone(call, body) or frozenset()):
        expected = body
    return compare(call, expected, body)


def _unrecorded(call: Call, outcome: Outcome, difference: Difference) -> bool:
    """Whether units differ where none were recorded (conflicts.md, gap 20): nothing is created, nothing is fetched."""
    if difference.path[:1] != ("ConsumedCapacity",) or len(difference.path) == 1:
        return False
    if CREATES_NOTHING in outcome.rules:
        return True
    if difference.kind != "value":
        return False
    fetching = call.body.get("Select") == "ALL_ATTRIBUTES" or any(call.body.get(name) for name in _PARTLY)
    empty = call.operation == "Query" and "IndexName" in call.body and not outcome.body["ScannedCount"]
    return fetching and empty and difference.observed - difference.expected in (0.5, 1)


def _changes_nothing(call: Call, outcome: Outcome) -> bool:
    """Whether an update that asks for what it has updated leaves the item as it was."""
    same = all(c.old is not None and c.new is not None and c.old.item == c.new.item for c in outcome.changes)
    return call.operation == "UpdateItem" and call.body.get("ReturnValues") == "UPDATED_NEW" and same


def _with_strangers(service: Service, call: Call, body: Json) -> Json:
    """The page of table names, where the account may hold tables that are not this session's."""
    own = set(service.account.tables)
    body = body if isinstance(body, dict) else {}
    listed = body.get("TableNames")
    shown = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    names = sorted(own.union(shown), key=lambda name: name.encode("utf-8", "surrogatepass"))
    start = (call.body.get("ExclusiveStartTableName") or "").encode("utf-8", "surrogatepass")
    names = [name for name in names if name.encode("utf-8", "surrogatepass") > start]
    limit = min(call.body.get("Limit") or LIST_LIMIT, LIST_LIMIT)
    page: dict[str, Json] = {"TableNames": names[:limit]}
    more = len(names) > limit or (len(names) == limit and body.get("LastEvaluatedTableName") is not None)
    return {**page, "LastEvaluatedTableName": names[limit - 1]} if more else page


def _any_order(body: Json) -> Json:
    """A statement's rows whose order is open: no partition is named, or an index has equal keys."""
    rows = body.get("Items") if isinstance(body, dict) else None
    return {**body, "Items": _sorted(rows)} if isinstance(rows, list) else body


def _unordered(service: Service, call: Call) -> bool:
    """Whether DynamoDB leaves the order of rows open: every Scan, and index queries with equal sort keys."""
    if call.operation == "Scan":
        return True
    return _equal_keys(service, call.body["TableName"], call.body.get("IndexName"))


def _ties(service: Service, call: Call) -> bool:
    """Whether a statement reads an index with equal keys."""
    named = _OF_INDEX.search(call.body["Statement"])
    return named is not None and _equal_keys(service, named[1], named[2])


_OF_INDEX = re.compile(r"""(?i)\bFROM\s+"?([\w.-]+?)"?\s*\.\s*"?([\w.-]+)"?""")


def _equal_keys(service: Service, name: str, index_name: str | None) -> bool:
    table = service.account.table(name)
    index = table.indexes.get(index_name or "") if table else None
    if index is None:
        return False
    width = 1 + len(index.schema.key.attributes)
    places = [key[:width] for key in index.view.rows]
    return len(set(places)) != len(places)


def _others(
    service: Service, call: Call, outcome: Outcome, body: Json, latitude: Latitude
) -> Iterator[tuple[Service, Outcome]]:
    shorter = _shorter(call, outcome, body)
    if shorter is not None and (other := service.outcomes(shorter).outcome) is not None:
        yield service, other
    for choice in _choices(call, body, latitude):
        other = service.outcomes(call, choice).outcome
        if other is not None:
            yield service, _as_throttled(call, other, choice, body)
    bound = stale.lag_of(call, latitude)
    if bound <= 0:
        return
    for replica in stale.replicas(service, bound + latitude.skew, latitude.skew):
        for choice in (Choice(), *_choices(call, body, latitude)):
            other = replica.outcomes(call, choice).outcome
            if other is not None:
                yield replica, other


def _shorter(call: Call, outcome: Outcome, body: Json) -> Call | None:
    """The Query that ends where an answer does, whose page is full before the reference's: what fills it is open."""
    scanned = body.get("ScannedCount") if isinstance(body, dict) else None
    if call.operation != "Query" or type(scanned) is not int or "LastEvaluatedKey" not in body:
        return None
    sizes = [item_size(item) for item in outcome.details["evaluated"]]
    if sum(sizes) < MAX_PAGE_BYTES or not 0 < scanned < len(sizes):
        return None
    full = scanned == len(sizes) - 1 or sum(sizes[:scanned]) > SMALL_BYTES
    return Call(call.operation, {**call.body, "Limit": scanned}) if full else None


def _as_throttled(call: Call, other: Outcome, choice: Choice, body: Json) -> Outcome:
    """An outcome of a batch of statements in which those that are throttled say so as the target does."""
    if call.operation != "BatchExecuteStatement":
        return other
    answers = list(other.body["Responses"])
    for _, position in choice.unprocessed:
        answers[position] = body["Responses"][position]
    return replace(other, body={**other.body, "Responses": answers})


def _throttled(call: Call, body: dict[str, Json]) -> frozenset[tuple[str, int]]:
    """The statements of a batch that an answer calls throttled."""
    told = body.get("Responses")
    answers = told if isinstance(told, list) and len(told) == len(call.body["Statements"]) else []
    return frozenset(("", n) for n, answer in enumerate(answers) if stale.is_throttled(answer))


def _choices(call: Call, body: Json, latitude: Latitude) -> Iterator[Choice]:
    if call.operation in ("Query", "Scan"):
        yield Choice(open_end=False)
    if call.operation in ("BatchWriteItem", "BatchGetItem") and latitude.partial_batches and isinstance(body, dict):
        left = undone(call, body)
        if left is not None:
            yield Choice(unprocessed=left)
    if call.operation == "BatchExecuteStatement" and latitude.partial_batches and isinstance(body, dict):
        throttled = _throttled(call, body)
        if throttled:
            yield Choice(unprocessed=throttled)


def undone(call: Call, body: dict[str, Json]) -> frozenset[tuple[str, int]] | None:
    """Which (table, position) pairs of a batch an answer leaves unprocessed; None when it names none of ours."""
    write = call.operation == "BatchWriteItem"
    left = body.get("UnprocessedItems" if write else "UnprocessedKeys")
    if not isinstance(left, dict) or not left:
        return None
    found = set()
    for table, rest in left.items():
        asked = call.body["RequestItems"].get(table)
        if asked is None or not isinstance(rest, list if write else dict):
            return None
        ours = [(r, canonical(r)) for r in (asked if write else asked["Keys"])]
        for request in rest.get("Keys", ()) if isinstance(rest, dict) else rest:
            # A BatchGetItem may name one key in two spellings: each is left, or not, by itself.
            text = canonical(request)
            free = [at for at, (_, each) in enumerate(ours) if each == text and (table, at) not in found]
            place = next((at for at in free if ours[at][0] == request), free[0] if free else None)
            if place is None:
                return None
            found.add((table, place))
    return frozenset(found)


def compare(call: Call, expected: Json, observed: Json) -> list[Difference]:
    """What differs that the service could not have answered differently."""
    want, got = _arranged(call.operation, expected), _arranged(call.operation, observed)
    if isinstance(want, dict) and isinstance(got, dict) and "TableDescription" in want:
        want = _without_deleted(want, got)
    return [d for d in differences(want, got) if not _tolerated(call, d)]


def compare_capacity(call: Call, outcome: Outcome, body: Json) -> list[Difference]:
    """The ConsumedCapacity of a page, where the reference evaluated the same rows."""
    if any(call.body.get(name) is not None for name in ("Limit", "ExclusiveStartKey", "TotalSegments")):
        return []
    want, got = outcome.body.get("ConsumedCapacity"), body.get("ConsumedCapacity")
    if (want is None) != (got is None):
        return [Difference(("ConsumedCapacity",), "missing" if got is None else "extra", want, got)]
    found = [] if want is None else list(differences(want, got, ("ConsumedCapacity",)))
    return [d for d in found if not _tolerated(call, d)]


def _tolerated(call: Call, difference: Difference) -> bool:
    path, kind = difference.path, difference.kind
    if kind == "extra" and len(path) == 1 and path[0] not in KNOWN_MEMBERS:
        return True
    if path and path[-1] in OPAQUE and kind in ("value", "type"):
        return True
    if path == ("Responses", "*", "Item") and kind == "extra" and call.operation == "ExecuteTransaction":
        return not difference.observed  # What is said of an item without what is selected is recorded nowhere.
    if path == ("NextToken",) and kind == "value":
        return True  # Whatever it is: where it goes on is told by the page that follows.
    if path and path[-1] == "Backfilling" and kind == "missing":
        return True  # Told only of an index that is being filled, which may be done at once.
    if "TableThroughputModeSummary" in path:
        return True  # It repeats BillingModeSummary, and no SDK's model has it.
    if call.operation in UNSHOWN and kind == "missing" and path[-1] in UNSHOWN[call.operation]:
        return True
    if path[:2] == ("TableDescription", "Replicas"):
        return True  # Whether an answer lists the replicas as they are or as they will be is its own affair.
    if path and path[0] in ("Table", "TableDescription") and kind == "extra":
        return len(path) != 2 or path[1] not in DESCRIBED
    if path[:1] == ("ItemCollectionMetrics",) and not difference.observed and call.operation not in _KEEPING:
        return True  # The size of an emptied collection is recorded nowhere (conflicts.md, gap 18).
    if call.operation == "Scan" and path[:1] == ("ConsumedCapacity",) and kind == "value":
        return _scan_units(call, difference)
    return False


_KEEPING = frozenset({"PutItem", "UpdateItem"})
"""Writes after which the item collection is not empty."""


def _scan_units(call: Call, difference: Difference) -> bool:
    """A fresh on-demand table charges a minimum for each of its partitions (conflicts.md 81)."""
    most = 4 if call.body.get("ConsistentRead") else 2
    observed = difference.observed
    return isinstance(observed, int | float) and difference.expected <= observed <= most


def _arranged(operation: str, body: Json) -> Json:
    """The body with everything sorted that the service returns in no particular order."""
    if not isinstance(body, dict):
        return body
    arranged = dict(body)
    if operation == "BatchGetItem" and isinstance(body.get("Responses"), dict):
        arranged["Responses"] = {t: _sorted(rows) for t, rows in body["Responses"].items()}
    if isinstance(body.get("ConsumedCapacity"), list):
        arranged["ConsumedCapacity"] = sorted(body["ConsumedCapacity"], key=_table_name)
    for name in ("Table", "TableDescription"):
        if isinstance(body.get(name), dict):
            arranged[name] = _description(body[name])
    return arranged


def _sorted(rows: Json) -> Json:
    return sorted(rows, key=canonical) if isinstance(rows, list) else rows


def _table_name(entry: Json) -> str:
    return str(entry.get("TableName")) if isinstance(entry, dict) else ""


def _description(description: dict[str, Any]) -> dict[str, Any]:
    arranged = dict(description)
    for name in (
        "AttributeDefinitions", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "VectorIndexes", "Replicas",
    ):  # fmt: skip
        if isinstance(arranged.get(name), list):
            arranged[name] = sorted(map(_projected, arranged[name]), key=_described_name)
    return arranged


def _projected(entry: dict[str, Any]) -> dict[str, Any]:
    """An index description with the attributes of its projection in order."""
    projection = entry.get("Projection")
    names = projection.get("NonKeyAttributes") if isinstance(projection, dict) else None
    if not isinstance(projection, dict) or not isinstance(names, list):
        return entry
    return {**entry, "Projection": {**projection, "NonKeyAttributes": sorted(names, key=str)}}


def _described_name(entry: dict[str, Any]) -> str:
    return str(entry.get("IndexName") or entry.get("AttributeName") or entry.get("RegionName"))


def _without_deleted(want: dict[str, Any], got: dict[str, Any]) -> dict[str, Any]:
    """The expected description without indexes on their way out that the target has dropped at once."""
    described, shown = want["TableDescription"], got.get("TableDescription")
    indexes = described.get("GlobalSecondaryIndexes")
    if not isinstance(indexes, list) or not isinstance(shown, dict):
        return want
    left = {index.get("IndexName") for index in shown.get("GlobalSecondaryIndexes") or ()}
    kept = [i for i in indexes if i.get("IndexStatus") != "DELETING" or i["IndexName"] in left]
    rest = {k: v for k, v in described.items() if k != "GlobalSecondaryIndexes"}
    return {**want, "TableDescription": rest | ({"GlobalSecondaryIndexes": kept} if kept else {})}


_OF_REPLICAS = frozenset({"Replicas", "GlobalTableVersion"})


def without_leaving(want: Json, got: Json) -> Json:
    """An observed description without the replicas on their way out that are gone already where it was expected."""
    described, shown = want["Table"], got.get("Table") if isinstance(got, dict) else None
    replicas = shown.get("Replicas") if isinstance(shown, dict) else None
    if not isinstance(shown, dict) or not isinstance(replicas, list) or not all(isinstance(r, dict) for r in replicas):
        return got
    there = {replica["RegionName"] for replica in described.get("Replicas") or ()}
    kept = [r for r in replicas if r.get("ReplicaStatus") != "DELETING" or r.get("RegionName") in there]
    if kept == replicas:
        return got
    if kept or _OF_REPLICAS & described.keys():
        return {**got, "Table": {**shown, "Replicas": kept}}
    return {**got, "Table": {name: told for name, told in shown.items() if name not in _OF_REPLICAS}}


def refusal_fields(broken: Violation, reply: Refusal) -> Difference | None:
    """What is wrong with the further members of a true refusal, such as the item of a failed condition."""
    for name in ("Item", "CancellationReasons"):
        want, got = broken.fields.get(name), reply.fields.get(name)
        if want is None and got is None:
            continue
        if name == "CancellationReasons" and isinstance(want, list) and isinstance(got, list):
            want, got = [_reason(r) for r in want], [_reason(r) for r in got]
        expected, observed = ({} if value is None else {name: value} for value in (want, got))
        found = next(differences(expected, observed), None)
        if found is not None:
            return found
    return None


def _reason(reason: Json) -> Json:
    """A cancellation reason without its text, and without an explicit null for no text or item."""
    if not isinstance(reason, dict):
        return reason
    return {k: v for k, v in reason.items() if k != "Message" and v is not None}
