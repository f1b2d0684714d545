"""Recorded traffic judged against the reference: of what is known of the tables, could DynamoDB have answered this?

A recording need not begin with empty tables. What nobody has read or written yet is unknown, and whatever depends on it
is judged only as far as it holds for every state: see ``Judge``. Calls that overlapped are judged in every order that
they may have taken effect in.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.definitions import DefinitionError, definition_of
from conformance.fates import READS
from conformance.oracle.choices import World, distinct
from conformance.oracle.divergence import OK, Divergence, Verdict
from conformance.oracle.judge import Oracle
from conformance.oracle.latitude import MAX_WORLDS, Latitude
from conformance.oracle.order import ITEM, stage
from conformance.oracle.wording import recognise
from conformance.record.op import Op
from conformance.symbols import SymbolError, bind
from conformance.traffic.known_items import Knowledge, adopted, places_of
from conformance.traffic.overlaps import Recorded, groups
from reference.api import Call, Json, Lost, Refusal, Reply, Success
from reference.rules import Rule, ledger

MAX_GROUP = 5
"""Overlapping calls on the same items whose orders are tried; more are left unjudged."""
MAX_STEPS = 400
"""Calls judged while the orders of one group are tried."""
ITEM_CALLS = frozenset(
    {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem",
     "TransactGetItems", "TransactWriteItems", "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"}
)  # fmt: skip
TABLE_CALLS = frozenset({"CreateTable", "DescribeTable", "UpdateTable", "DeleteTable"})
PARTWISE = frozenset({"Query", "Scan", "BatchGetItem", "BatchWriteItem", "BatchExecuteStatement"})
"""Calls that do not take effect at one moment."""
UNANSWERED = "no answer was recorded"
OVERLAP = "overlapping calls on the same items"
BEFORE = "it depends on what was there before the recording"
UNKNOWN_TABLE = "the recording does not say what table this is"
PASSING = "its table was still being created or updated"
PASSING_CODES = frozenset({"ResourceNotFoundException", "ResourceInUseException"})
TOKEN = "its client token may be that of a call which is not known"
TOKEN_SECONDS = 600.0
"""How long a client token stands for its first request."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
OUTSIDE = "calls of this kind are not judged in recordings"


@dataclass(frozen=True, slots=True)
class Word:
    """The word on one recorded call."""

    op: Op
    verdict: Verdict


@dataclass(slots=True)
class Judge:
    """Judges the calls of a recording.

    A table that the recording creates is known whole. Of a table that was there before (its definition comes from a
    DescribeTable answer in the recording, or from ``definitions``), items become known when they are written or read.
    A call on known items is judged like any other. Of one on unknown items only this is judged: whether it is refused
    for what is wrong with the request, and not for a reason that is untrue whatever the items are.
    """

    latitude: Latitude
    start: float = 0.0
    definitions: Mapping[str, Json] = field(default_factory=dict)
    tokens: dict[str, bool] = field(default_factory=dict)
    """Client tokens, and whether all that they stand for is known."""
    oracle: Oracle = field(init=False)
    knowledge: Knowledge = field(init=False)

    def __post_init__(self) -> None:
        self.oracle = Oracle(self.latitude, start=self.start)
        self.knowledge = Knowledge(self.oracle, max(self.latitude.staleness, self.latitude.index_lag))

    def run(self, ops: Iterable[Op]) -> Iterator[Word]:
        """The word on each call, in an order in which they may have taken effect; ops have literal bodies."""
        ops = list(ops)
        described = described_in(ops)
        first = {**described, **{name: dict(body) for name, body in self.definitions.items()}}
        created = {_table_of(op) for op in ops if op.operation == "CreateTable" and isinstance(op.reply, Success)}
        for name, body in first.items():
            if name not in created or _described_first(ops, name):
                self.knowledge.define(name, body)
        schemas = {name: body["KeySchema"] for name, body in (*_created(ops), *first.items())}
        calls = [_recorded(op, schemas) for op in ops if not op.notes.get("adopted")]
        for group in groups(calls):
            yield from self._group(group)

    # Groups.

    def _group(self, group: Sequence[Recorded]) -> Iterator[Word]:
        if len(group) == 1:
            yield Word(group[0].op, self._one(group[0]))
            return
        verdicts = self._ordered(group)
        if verdicts is None:
            for call in group:
                self._unjudged(call)
            yield from (Word(call.op, Verdict("unknown", why=OVERLAP)) for call in group)
            return
        for call in group:
            yield Word(call.op, verdicts[call.op.index])

    def _ordered(self, group: Sequence[Recorded]) -> dict[int, Verdict] | None:
        """A verdict for each call of a group from the orders that it may have taken effect in; None: can't be told."""
        if len(group) > MAX_GROUP or not all(self._atomic(call) for call in group):
            return None
        search = _Orders(self.oracle, group, self.start)
        search.go(self.oracle.worlds, list(group), {})
        if search.exhausted:
            return None
        worlds = distinct(search.worlds)
        if search.told is not OK or len(worlds) > MAX_WORLDS:
            for call in group:
                self.knowledge.forget(call.writes)
            return search.verdicts if len(worlds) <= MAX_WORLDS else None
        self.oracle.worlds = worlds
        return search.verdicts

    def _unjudged(self, call: Recorded) -> None:
        """Nothing was said of a call: what it may have done is unknown."""
        self._taint(call)
        if call.op.operation in TABLE_CALLS and call.op.operation != "DescribeTable":
            self.knowledge.drop(_table_of(call.op))
            return
        if _open_ended(call.op) or not isinstance(call.op.reply, Success | Refusal):
            self.knowledge.haunt(call.writes, call.op.called)
        elif isinstance(call.op.reply, Success):
            self.knowledge.forget(call.writes)

    def _atomic(self, call: Recorded) -> bool:
        """Whether a call took effect at one moment, on items that are known."""
        known = call.op.operation in ITEM_CALLS - PARTWISE and isinstance(call.op.reply, Success | Refusal)
        passing = isinstance(call.op.reply, Refusal) and call.op.reply.code in PASSING_CODES
        return known and not passing and not self._repeats(call) and self._knows(call) and not _open_ended(call.op)

    # One call.

    def _one(self, call: Recorded) -> Verdict:
        op, reply = call.op, call.op.reply
        asked = Call(op.operation, op.body)
        if not isinstance(reply, Success | Refusal):
            self.knowledge.haunt(call.writes, op.called)
            return Verdict("unknown", why=UNANSWERED)
        received = self.start + (op.returned or op.called)
        if op.operation in TABLE_CALLS:
            return self._table_call(call, asked, reply, received)
        if op.operation not in ITEM_CALLS:
            return Verdict("unknown", why=OUTSIDE)
        if not self.knowledge.defined({table for table, _ in call.reads | call.writes}):
            return Verdict("unknown", why=UNKNOWN_TABLE)
        places = call.reads | call.writes
        if isinstance(reply, Success):
            for table, _ in places:
                self.knowledge.settle(table, settled=True)
        elif reply.code in PASSING_CODES and not self.knowledge.settled(places):
            return Verdict("unknown", why=PASSING)
        if self._repeats(call):
            self._unjudged(call)
            return Verdict("unknown", why=TOKEN)
        known = self._knows(call)
        if not known:
            self._taint(call)
        verdict = self._judged(call, asked, reply, received)
        if known and verdict.ruling == "ok" and not _open_ended(op):
            return verdict
        if verdict.ruling == "violated":
            self.knowledge.forget(call.writes | call.reads)
        elif isinstance(reply, Success):
            self.knowledge.forget(call.writes)
        if _open_ended(op):
            self.knowledge.haunt(call.writes, op.called)
        elif isinstance(reply, Success):
            adopted(self.knowledge, asked, reply.body, op.called, exact=not self.latitude.staleness)
        return verdict

    def _judged(self, call: Recorded, asked: Call, reply: Success | Refusal, received: float) -> Verdict:
        if self._knows(call):
            return self.oracle.judge(asked, reply, received)
        self.oracle.clock.set(received)
        broken = [v.rule for v in self.oracle.model.outcomes(asked).violations]
        told = recognise(reply) if isinstance(reply, Refusal) else None
        decided = bool(broken) and _certain(broken[0])
        if decided or (told is not None and _certain(told) and not any(map(_certain, broken))):
            worlds = [World(world.service.fork(), world.pending) for world in self.oracle.worlds]
            verdict = self.oracle.judge(asked, reply, received)
            self.oracle.worlds = worlds
            return verdict if _certain_of(verdict.divergence) else Verdict("unknown", why=BEFORE)
        return Verdict("unknown", why=BEFORE)

    def _repeats(self, call: Recorded) -> bool:
        """Whether a call may repeat one that the oracle knows nothing of, by its client token."""
        token = _token(call.op)
        if token is None or token in self.tokens:
            return token is not None and not self.tokens[token]
        self.tokens[token] = _UUID.fullmatch(token) is not None or call.op.called > TOKEN_SECONDS
        return not self.tokens[token]

    def _taint(self, call: Recorded) -> None:
        """What a client token stands for is not known to the oracle."""
        token = _token(call.op)
        if token is not None:
            self.tokens[token] = False

    def _knows(self, call: Recorded) -> bool:
        lagging = call.op.operation in READS and not _consistent(call.op)
        return self.knowledge.knows(call.reads | call.writes, call.op.called, lagging=lagging)

    def _table_call(self, call: Recorded, asked: Call, reply: Success | Refusal, received: float) -> Verdict:
        name = _table_of(call.op)
        if asked.operation == "CreateTable" and not self.knowledge.defined({name}):
            broken = [v.rule for v in self.oracle.model.outcomes(asked).violations]
            if isinstance(reply, Refusal) and not broken:
                return Verdict("unknown", why=BEFORE)  # A table of that name, or a limit of the account.
            verdict = self.oracle.judge(asked, reply, received)
            if isinstance(reply, Success) and name in self.oracle.model.account.tables:
                self.knowledge.create(name)
                self.knowledge.settle(name, settled=_active(reply))
            return verdict
        if not self.knowledge.defined({name}):
            return Verdict("unknown", why=UNKNOWN_TABLE)
        if self.knowledge.created(name):
            verdict = self.oracle.judge(asked, reply, received)
        else:
            # How a table from before is set in full is not known, only what it holds and how it is keyed.
            verdict = Verdict("unknown", why=BEFORE)
            if isinstance(reply, Success) and asked.operation != "DescribeTable":
                self.oracle.judge(asked, reply, received)
        deleted = isinstance(reply, Success) and asked.operation == "DeleteTable"
        found = verdict.divergence
        apart = found is not None and isinstance(found.expected, Success) != isinstance(reply, Success)
        if deleted or (apart and asked.operation != "DescribeTable"):
            self.knowledge.drop(name)
        elif isinstance(reply, Success):
            self.knowledge.settle(name, settled=_active(reply))
        return verdict


@dataclass(slots=True)
class _Orders:
    """Every order of a group that keeps to when calls were answered and sent; ``worlds`` are where they may lead.

    ``verdicts`` are those of the order that explains most: all is well, or nothing is violated, or the first one.
    """

    oracle: Oracle
    group: Sequence[Recorded]
    start: float
    worlds: list[World] = field(default_factory=list)
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    steps: int = 0

    @property
    def exhausted(self) -> bool:
        """Whether there were more orders than were tried."""
        return self.steps >= MAX_STEPS

    @property
    def told(self) -> Verdict:
        """``OK`` where some order explains everything; else the worst that the best order leaves."""
        return _worst(self.verdicts)

    def go(self, worlds: list[World], left: list[Recorded], verdicts: dict[int, Verdict]) -> None:
        """Try every call that may come next."""
        if not left:
            if _worst(verdicts) is OK:
                self.worlds += worlds
            if not self.verdicts or _RANK[_worst(verdicts).ruling] < _RANK[self.told.ruling]:
                self.verdicts = verdicts
            return
        for call in left:
            if any(other.ended <= call.began for other in left if other is not call) or self.exhausted:
                continue
            self.steps += 1
            verdict, after = self._judge(worlds, call)
            if verdict.ruling == "violated" and self.verdicts:
                continue  # Some order is told in full already; this one explains nothing.
            rest = [other for other in left if other is not call]
            self.go(after, rest, {**verdicts, call.op.index: verdict})

    def _judge(self, worlds: list[World], call: Recorded) -> tuple[Verdict, list[World]]:
        oracle, reply = self.oracle, call.op.reply
        assert isinstance(reply, Success | Refusal)
        before = oracle.worlds, oracle.wording, oracle.writers
        oracle.worlds = [World(world.service.fork(), world.pending) for world in worlds]
        oracle.wording, oracle.writers = copy.deepcopy(before[1:])
        try:
            received = self.start + (call.op.returned or call.op.called)
            verdict = oracle.judge(Call(call.op.operation, call.op.body), reply, received)
            return verdict, oracle.worlds
        finally:
            oracle.worlds, oracle.wording, oracle.writers = before


_RANK = {"ok": 0, "unknown": 1, "violated": 2}


def _worst(verdicts: Mapping[int, Verdict]) -> Verdict:
    worst = max(verdicts.values(), key=lambda verdict: _RANK[verdict.ruling], default=OK)
    return OK if worst.ruling == "ok" else worst


def _certain(rule: Rule) -> bool:
    """Whether a rule is about the request and the table alone, whatever the items are."""
    at = stage(rule)
    return at is not None and at < ITEM and not rule.disputed


def _certain_of(divergence: Divergence | None) -> bool:
    if divergence is None:
        return True
    rule = ledger().get(divergence.rule)
    return rule is not None and _certain(rule) and divergence.severity != "data"


def _active(reply: Success) -> bool:
    """Whether a table and its indexes are said to be as they shall be."""
    body = reply.body if isinstance(reply.body, dict) else {}
    table = body.get("Table") or body.get("TableDescription") or {}
    indexes = table.get("GlobalSecondaryIndexes") or []
    return table.get("TableStatus") == "ACTIVE" and all(i.get("IndexStatus", "ACTIVE") == "ACTIVE" for i in indexes)


def _token(op: Op) -> str | None:
    """A call's client token; one that its client made up anew for this call has the form of a UUID."""
    token = op.body.get("ClientRequestToken") if isinstance(op.body, dict) else None
    return token if isinstance(token, str) and op.operation in ("TransactWriteItems", "ExecuteTransaction") else None


def _open_ended(op: Op) -> bool:
    """Whether an answer leaves open if a write took effect."""
    return op.operation not in READS and isinstance(op.reply, Refusal) and op.reply.status >= 500


def _consistent(op: Op) -> bool:
    if op.operation == "TransactGetItems":
        return True
    body = op.body if isinstance(op.body, dict) else {}
    if op.operation == "BatchGetItem":
        entries = (body.get("RequestItems") or {}).values()
        return all(isinstance(entry, dict) and entry.get("ConsistentRead") for entry in entries)
    return bool(body.get("ConsistentRead"))


def _table_of(op: Op) -> str:
    name = op.body.get("TableName") if isinstance(op.body, dict) else None
    return str(name or "").rpartition("/")[2]


def _recorded(op: Op, schemas: Mapping[str, Json]) -> Recorded:
    if op.operation in TABLE_CALLS:
        place = frozenset({(_table_of(op), "")})
        reads = op.operation == "DescribeTable"
        return Recorded(op, place if reads else frozenset(), frozenset() if reads else place)
    if op.operation not in ITEM_CALLS:
        return Recorded(op, frozenset(), frozenset())
    return Recorded(op, *places_of(Call(op.operation, op.body), schemas))


def described_in(ops: Sequence[Op]) -> dict[str, Json]:
    """The tables that a recording describes, each as first described, as CreateTable bodies."""
    found: dict[str, Json] = {}
    for op in ops:
        if op.operation == "DescribeTable" and isinstance(op.reply, Success) and isinstance(op.reply.body, dict):
            table = op.reply.body.get("Table")
            if isinstance(table, dict) and table.get("TableName") and table["TableName"] not in found:
                try:
                    found[str(table["TableName"])] = definition_of("DescribeTable", table)
                except DefinitionError:
                    continue
    return found


def _created(ops: Sequence[Op]) -> Iterator[tuple[str, Json]]:
    for op in ops:
        if op.operation == "CreateTable" and isinstance(op.reply, Success) and "KeySchema" in op.body:
            yield _table_of(op), op.body


def _described_first(ops: Sequence[Op], name: str) -> bool:
    """Whether a table was there before the recording creates one of its name."""
    for op in ops:
        if _table_of(op) == name and isinstance(op.reply, Success):
            if op.operation == "CreateTable":
                return False
            if op.operation == "DescribeTable":
                return True
    return True


def literal_ops(ops: Sequence[Op]) -> list[Op]:
    """The ops of a trace with literal bodies and replies, whatever symbols stand in it for names."""
    names = _Same()
    replies: dict[int, Any] = {}
    found = []
    for op in ops:
        try:
            body = bind(op.body, names, replies)
            reply = _literal(op.reply, names)
        except SymbolError:
            continue
        replies[op.index] = reply.body if isinstance(reply, Success) else None
        found.append(replace(op, body=body, reply=reply))
    return found


def _literal(reply: Reply | None, names: Mapping[str, str]) -> Reply | None:
    if isinstance(reply, Success):
        return Success(bind(reply.body, names, {}))
    if isinstance(reply, Refusal):
        fields = {name: bind(value, names, {}) for name, value in reply.fields.items()}
        return Refusal(reply.code, bind(reply.message, names, {}), reply.status, fields)
    return reply if isinstance(reply, Lost) else None


class _Same(dict[str, str]):
    """Symbols stand for names made of them."""

    def __missing__(self, key: str) -> str:
        return key.replace(":", "-")

    def __contains__(self, key: object) -> bool:
        return True


def tally(words: Sequence[Word]) -> tuple[Counter[str], Counter[str]]:
    """How many calls were ruled on in each way, and why those that could not be."""
    rulings = Counter(word.verdict.ruling for word in words)
    return Counter({str(k): v for k, v in rulings.items()}), Counter(
        word.verdict.why for word in words if word.verdict.ruling == "unknown"
    )
