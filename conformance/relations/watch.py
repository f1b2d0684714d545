"""Follows the reads of a session between its writes, and says when two of them do not fit each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.fates import READS, UNDECIDED
from conformance.oracle.divergence import Divergence
from conformance.oracle.latitude import Latitude
from conformance.relations import laws
from conformance.relations.laws import Breach
from conformance.relations.reading import Reader, Reading, Source
from conformance.symbols import escape
from reference.api import Call, Json, Lost, Refusal, Reply, Success

MAX_READINGS = 40
"""Readings between two writes that are compared with each other."""
IMMEDIATE = frozenset({
    "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "ExecuteStatement",
    "BatchExecuteStatement", "ExecuteTransaction", "CreateTable", "UpdateTable", "DeleteTable", "UpdateTimeToLive",
    "TagResource", "UntagResource", "UpdateContinuousBackups", "CreateBackup", "DeleteBackup",
})  # fmt: skip
"""Operations that have done what they do when they are answered; any other may go on, and ends the watch."""
MAX_HASH = 2048
MAX_RANGE = 1024
"""Bytes of the longest key an index takes an item by."""


class Watch:
    """Judges each read of one session by the reads before it, as far as nothing can have changed between them.

    A reading counts only where the target claims it to be fresh: any where it claims no staleness, else a consistent
    one. Nothing is said any more once a write was lost, which may take effect whenever it likes, and nothing of a table
    whose items may expire. ``held`` counts how often each relation was looked at.
    """

    def __init__(self, latitude: Latitude) -> None:
        self.held: Counter[str] = Counter()
        self._latitude = latitude
        self._reader = Reader()
        self._readings: dict[str, list[Reading]] = {}
        self._fading: set[str] = set()
        self._blind = False

    def judge(self, at: int, call: Call, reply: Reply) -> Divergence | None:
        """What is wrong between this answer and earlier ones; ``at`` is the index of the op."""
        if isinstance(reply, Lost):
            self._lost(call)
            return None
        if not self._reads(call):
            self.forget()
            self._changed(call, reply)
            return None
        if self._blind or not isinstance(reply, Success):
            return None
        found: Divergence | None = None
        for reading in self._reader.readings(at, call, reply.body):
            if reading.question.table in self._fading or not self._fresh(reading):
                continue
            for name, breach in self._laws(reading):
                self.held[name] += 1
                if breach is not None and found is None:
                    found = _divergence(breach, reading, reply)
            listed = self._readings.setdefault(reading.question.table, [])
            if len(listed) < MAX_READINGS:
                listed.append(reading)
        if found is not None:
            self.forget()
        return found

    def forget(self) -> None:
        """Begin anew: what was read before says nothing of what is read from now on."""
        self._readings.clear()
        self._reader.forget()

    def _laws(self, later: Reading) -> Iterator[tuple[str, Breach | None]]:
        before, tables = self._readings.get(later.question.table, []), self._reader.tables
        for earlier in before:
            told = list(laws.same(later, earlier, tables))
            if told:
                yield from told
                break
        yield from laws.segmented(later, before)
        yield from laws.filtered(later, before)
        yield from laws.projected(later, before, tables)
        yield from laws.within(later, before, tables)
        yield from laws.indexed(later, before, tables)

    def _reads(self, call: Call) -> bool:
        if call.operation == "ExecuteStatement":
            body = call.body if isinstance(call.body, dict) else {}
            return str(body.get("Statement")).lstrip()[:6].upper() == "SELECT"
        return call.operation in READS

    def _fresh(self, reading: Reading) -> bool:
        """Whether the target claims that the reading shows the last write."""
        source = self._reader.tables[reading.question.table].get(reading.question.index)
        if source is None:
            return False
        if source.kind != "GSI" and (reading.call.operation == "TransactGetItems" or _consistent(reading.call)):
            return True
        return self._latitude.staleness == 0 and (not source.kind or self._latitude.index_lag == 0)

    def _lost(self, call: Call) -> None:
        if not self._reads(call):
            self._blind = True
            self.forget()

    def _changed(self, call: Call, reply: Reply) -> None:
        if isinstance(reply, Refusal):
            # It may yet take effect.
            self._blind |= reply.status >= 500 or reply.code in UNDECIDED
            return
        body = call.body if isinstance(call.body, dict) else {}
        name = str(body.get("TableName"))
        self._blind |= call.operation not in IMMEDIATE or "ReplicaUpdates" in body
        if call.operation == "UpdateTimeToLive":
            self._fading.add(name)
        elif call.operation == "CreateTable":
            self._reader.tables[name] = _defined(body)
            self._fading.discard(name)
        elif call.operation == "UpdateTable" and name in self._reader.tables:
            self._reader.tables[name] = _updated(self._reader.tables[name], body)
        elif call.operation == "DeleteTable":
            self._reader.tables.pop(name, None)


def _consistent(call: Call) -> bool:
    """Whether a read asks for consistency, in each of its parts."""
    if call.operation == "BatchGetItem":
        return all(part.get("ConsistentRead") is True for part in call.body["RequestItems"].values())
    return call.body.get("ConsistentRead") is True


def _defined(body: Mapping[str, Any]) -> dict[str, Source]:
    """The sources of a table as CreateTable defines them."""
    types = _types(body)
    table = _source("", body, types, ())
    found = {"": table}
    for kind in ("Global", "Local"):
        for index in body.get(f"{kind}SecondaryIndexes") or ():
            found[index["IndexName"]] = _source(f"{kind[0]}SI", index, types, table.names)
    return found


def _updated(known: Mapping[str, Source], body: Mapping[str, Any]) -> dict[str, Source]:
    """The sources of a table after an UpdateTable; types of attributes that it does not name are those known."""
    found = dict(known)
    types = {name: kind for source in known.values() for name, kind in source.keys} | _types(body)
    for update in body.get("GlobalSecondaryIndexUpdates") or ():
        for action, index in update.items():
            if action == "Delete":
                found.pop(index["IndexName"], None)
            elif action == "Create":
                found[index["IndexName"]] = _source("GSI", index, types, known[""].names)
    return found


def _types(body: Mapping[str, Any]) -> dict[str, str]:
    return {each["AttributeName"]: each["AttributeType"] for each in body.get("AttributeDefinitions") or ()}


def _source(kind: str, given: Mapping[str, Any], types: Mapping[str, str], table: tuple[str, ...]) -> Source:
    elements = [(each["AttributeName"], each["KeyType"]) for each in given["KeySchema"]]
    projection = given.get("Projection") or {}
    stored = None
    if kind and projection.get("ProjectionType") != "ALL":
        further = projection.get("NonKeyAttributes") or () if projection.get("ProjectionType") == "INCLUDE" else ()
        stored = frozenset((*table, *(name for name, _ in elements), *further))
    return Source(
        keys=tuple((name, types.get(name, "")) for name, _ in elements),
        hashes=sum(role == "HASH" for _, role in elements),
        stored=stored,
        limits=tuple(MAX_HASH if role == "HASH" else MAX_RANGE for _, role in elements),
        kind=kind,
    )


def _divergence(breach: Breach, reading: Reading, reply: Success) -> Divergence:
    """The breach as any other divergence: the rule it breaks, and what the answer should have held.

    What a script accepts are symbols of what the same endpoint showed before, so that it judges any endpoint.
    """
    operation = reading.call.operation
    plain = _expected(breach, reading, reply, symbolic=False)
    accepted = _expected(breach, reading, reply, symbolic=True)
    text = f"{operation}: {breach.relation}: {breach.text}"
    decides = "Count" if breach.expected is None else reading.member.partition("[")[0]
    return Divergence(
        operation, breach.rule, "data", f"relation:{breach.relation}:{breach.kind}", text, Success(plain), reply,
        ({"success": accepted},), (decides,), symbolic=True,
    )  # fmt: skip


def _expected(breach: Breach, reading: Reading, reply: Success, *, symbolic: bool) -> Json:
    """The answer with the rows that it should have had, or the symbols of where they were shown before."""
    body = {name: _escaped(member) for name, member in reply.body.items() if name != "ConsumedCapacity"}
    rows = [row.place if symbolic and row.place else _escaped(row.item) for row in breach.expected or ()]
    if breach.expected is None:
        return body
    if reading.member == "Items":
        return {**body, "Items": rows}
    if reading.member == "Item":
        return {**body, "Item": rows[0]} if rows else {name: held for name, held in body.items() if name != "Item"}
    return body


def _escaped(body: Json) -> Json:
    """An answer as it is written among symbols."""
    if isinstance(body, str):
        return escape(body)
    if isinstance(body, list):
        return [_escaped(each) for each in body]
    if isinstance(body, dict):
        return {escape(name): _escaped(value) for name, value in body.items()}
    return body
