"""Isolation by cycles: what Elle does with appended lists (Kingsbury and Alvaro, VLDB 2020), for DynamoDB.

Every read of a list shows the whole order of its versions, so dependencies between transactions are recovered, not
guessed. What is asked for is serializability, no more: order in time between keys and clients is not (the guide allows
two GetItems around a transaction to see half of it each), and Query, Scan and BatchGetItem are only read-committed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from chaos import lanes
from chaos.checkers.cycles import Edge, Graph, classify
from chaos.checkers.verdict import Anomaly, Result, Span, result

RULE = "consistency.serializable-transactions"
COMMITTED = "consistency.read-committed"
ATOMIC = "consistency.atomic-transactions"
DURABLE = "consistency.durable-acknowledged"
ONCE = "consistency.applied-once"
LEAST_READS = 0.02
"""The share of reads that must have seen something for a history to say anything."""
LIMIT = 20
"""Anomalies of one kind that are reported."""

Fate = Literal["ok", "fail", "info"]
Mop = tuple[Literal["append", "read"], str, Any]
"""``("append", key, element)`` or ``("read", key, elements or None where the answer is not known)``."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the calls that a transaction of several is made of, and what it contributes."""

    index: int
    process: int
    called: float
    returned: float
    mops: tuple[Mop, ...]


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction as it happened; ``parts`` are its calls where it has more than one.

    ``weak`` reads are only read-committed. ``final`` ones were made strongly consistent after all others had ended,
    so they see all that was ever committed.
    """

    index: int
    process: int
    called: float
    returned: float
    mops: tuple[Mop, ...]
    fate: Fate = "ok"
    weak: bool = False
    final: bool = False
    parts: tuple[Part, ...] = ()

    @property
    def name(self) -> str:
        """What it is called in prose."""
        return f"T{self.index}"

    def label(self, keys: Collection[str] = ()) -> str:
        """Its calls in few words, ``append x 1, read y [1 2]``; only those on ``keys``, if any are given."""
        return _said(self.mops, keys) + {"ok": "", "fail": " refused", "info": " unanswered"}[self.fate]

    def spans(self, keys: Collection[str] = (), *, marked: bool = False) -> list[Span]:
        """Its bar in a picture, or one for each of its calls that has to do with ``keys``."""
        if not self.parts:
            label = f"{self.name} {self.label(keys)}"
            return [Span(self.index, self.process, self.called, self.returned, label, marked)]
        return [
            Span(part.index, part.process, part.called, part.returned, f"{self.name} {_said(part.mops, keys)}", marked)
            for part in self.parts
            if _said(part.mops, keys)
        ]


def _said(mops: Iterable[Mop], keys: Collection[str]) -> str:
    words = []
    for how, key, value in mops:
        if keys and key not in keys:
            continue
        if how == "append":
            words.append(f"append {key} {value}")
        else:
            words.append(f"read {key} {'?' if value is None else _listed(value)}")
    return ", ".join(words)


def _listed(values: Sequence[int]) -> str:
    if len(values) > 12:
        return f"[… {len(values) - 8} … {' '.join(map(str, values[-8:]))}]"
    return "[" + " ".join(map(str, values)) + "]"


@dataclass(slots=True)
class _History:
    """A history taken apart: who appended what, who read what, and each list's order of versions."""

    transactions: Sequence[Transaction]
    writer: dict[tuple[str, int], Transaction] = field(default_factory=dict)
    order: dict[str, tuple[int, ...]] = field(default_factory=dict)
    reads: dict[str, list[tuple[Transaction, tuple[int, ...]]]] = field(default_factory=lambda: defaultdict(list))
    seen: set[tuple[str, int]] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    final: dict[str, tuple[Transaction, frozenset[int]]] = field(default_factory=dict)
    doubled: list[str] = field(default_factory=list)

    def committed(self, transaction: Transaction) -> bool:
        """Whether it took effect: it said so, or one of its elements was seen."""
        if transaction.fate == "info":
            return any(how == "append" and (key, value) in self.seen for how, key, value in transaction.mops)
        return transaction.fate == "ok"


def check(transactions: Sequence[Transaction], *, demand_contact: bool = True) -> Result:
    """Check a history of appended lists; unknown when too few reads saw anything (``demand_contact``)."""
    history = _take_apart(transactions)
    if history.doubled:
        return Result("transactions", "unknown", reason=f"harness: elements appended twice: {history.doubled[:3]}")
    anomalies = [*_reads(history), *_orders(history), *_internal(history), *_atomic(history)]
    graph = _graph(history)
    anomalies += [_cycle(kind, edges, history) for kind, edges in classify(graph)]
    full = [bool(read) for reads in history.reads.values() for _, read in reads]
    reason = ""
    if demand_contact and (not graph.size or sum(full) < LEAST_READS * max(len(full), 1)):
        reason = f"too little contention: {sum(full)} of {len(full)} reads saw anything, {graph.size} dependencies"
    facts = {"transactions": len(transactions), "keys": len(history.reads), "edges": graph.size}
    return result("transactions", _limited(anomalies), reason, **facts)


def _limited(anomalies: Iterable[Anomaly]) -> Iterator[Anomaly]:
    count: dict[str, int] = defaultdict(int)
    for anomaly in anomalies:
        count[anomaly.kind] += 1
        if count[anomaly.kind] <= LIMIT:
            yield anomaly


def _take_apart(transactions: Sequence[Transaction]) -> _History:
    history = _History(transactions)
    for transaction in transactions:
        own: set[tuple[str, int]] = set()
        for how, key, value in transaction.mops:
            if how == "append":
                if (key, value) in history.writer:
                    history.doubled.append(f"{value} to {key}")
                history.writer[key, value] = transaction
                own.add((key, value))
            elif value is not None and transaction.fate == "ok":
                # What a transaction read of its own appends says nothing of others.
                others = tuple(v for v in value if (key, v) not in own)
                history.reads[key].append((transaction, others))
                history.seen.update((key, v) for v in others)
                if transaction.final:
                    history.final[key] = (transaction, frozenset(value))
                if len(others) > len(history.order.get(key, ())):
                    history.order[key] = others
    return history


def _reads(history: _History) -> Iterator[Anomaly]:
    """Elements nobody appended, from transactions that failed, or twice in one list."""
    for key, reads in history.reads.items():
        told: set[int] = set()
        checked: tuple[int, ...] = ()
        for reader, read in sorted(reads, key=lambda each: len(each[1])):
            fresh = read[len(checked) :] if read[: len(checked)] == checked else read
            for value in fresh:
                writer = history.writer.get((key, value))
                if value in told:
                    continue
                if writer is None:
                    told.add(value)
                    text = f"{reader.name} read {value} in {key}, which nobody appended"
                    yield _anomaly("garbage-read", COMMITTED, text, [reader])
                elif writer.fate == "fail":
                    told.add(value)
                    text = f"{reader.name} read {value} in {key}, which {writer.name} was refused to append"
                    yield _anomaly("G1a", COMMITTED, text, [reader, writer])
            if read:
                between = _intermediate(history, reader, key, read[-1])
                if between is not None:
                    text = f"{reader.name} read {read[-1]} as the last of {key}, but {between.name} went on there"
                    yield _anomaly("G1b", COMMITTED, text, [reader, between])
            if len(set(read)) < len(read):
                twice = sorted({value for value in read if read.count(value) > 1} - told)
                if twice:
                    told.update(twice)
                    writers = [history.writer[key, v] for v in twice if (key, v) in history.writer]
                    text = f"{reader.name} read {_listed(twice)} more than once in {key}, each appended by one call"
                    yield _anomaly("duplicate-elements", ONCE, text, [reader, *writers])
            checked = read if read[: len(checked)] == checked else checked


def _intermediate(history: _History, reader: Transaction, key: str, value: int) -> Transaction | None:
    """The other transaction that appended to the key again after it had appended this element."""
    writer = history.writer.get((key, value))
    if writer is None or writer is reader or len(writer.mops) < 2:
        return None
    last = [v for how, k, v in writer.mops if how == "append" and k == key][-1]
    return None if last == value else writer


def _orders(history: _History) -> Iterator[Anomaly]:
    """Every read of a list must be a beginning of its longest one."""
    for key, reads in history.reads.items():
        longest = history.order.get(key, ())
        owner = next((reader for reader, read in reads if read == longest), None)
        for reader, read in reads:
            if read != longest[: len(read)]:
                history.broken.add(key)
                text = f"{reader.name} read {_listed(read)} from {key}, of which {_listed(longest)} is no continuation"
                yield _anomaly("incompatible-order", RULE, text, [reader, *([owner] if owner else [])])
                break
        if len(set(longest)) < len(longest):
            history.broken.add(key)


def _internal(history: _History) -> Iterator[Anomaly]:
    """A transaction must agree with its own earlier calls."""
    for transaction in history.transactions:
        if transaction.fate != "ok" or len(transaction.mops) < 2:
            continue
        known: dict[str, tuple[int, ...]] = {}
        tail: dict[str, tuple[int, ...]] = defaultdict(tuple)
        for how, key, value in transaction.mops:
            if how == "append":
                tail[key] += (value,)
            elif value is not None:
                expected = known[key] + tail[key] if key in known else None
                short = tail[key] and tuple(value[-len(tail[key]) :]) != tail[key]
                if (expected is not None and tuple(value) != expected) or short:
                    wanted = _listed(expected) if expected is not None else f"a list ending in {_listed(tail[key])}"
                    text = f"{transaction.name} read {_listed(value)} from {key}, where its own calls ask for {wanted}"
                    yield _anomaly("internal", RULE, text, [transaction])
                known[key], tail[key] = tuple(value), ()


def _atomic(history: _History) -> Iterator[Anomaly]:
    """All that a transaction appended is there in the end, or nothing of it."""
    for transaction in history.transactions:
        if transaction.fate == "fail":
            continue
        there: list[tuple[str, int]] = []
        missing: list[tuple[str, int]] = []
        for how, key, value in transaction.mops:
            last = history.final.get(key)
            if how == "append" and last is not None and last[0] is not transaction:
                (there if value in last[1] else missing).append((key, value))
        if not missing:
            continue
        gone = ", ".join(f"{value} to {key}" for key, value in missing)
        finals = [history.final[key][0] for key, _ in (*missing, *there)]
        if there:
            kept = ", ".join(f"{value} to {key}" for key, value in there)
            text = f"{transaction.name} appended {kept}, but not {gone}: a part of it took effect"
            yield _anomaly("partial-transaction", ATOMIC, text, [transaction, *finals])
        elif transaction.fate == "ok":
            text = f"{transaction.name} was acknowledged, but what it appended ({gone}) is gone"
            yield _anomaly("lost-append", DURABLE, text, [transaction, *finals])


def _graph(history: _History) -> Graph:
    """The dependencies between committed transactions."""
    graph = Graph()
    unread: dict[str, list[tuple[Transaction, int]]] = defaultdict(list)
    for transaction in history.transactions:
        if history.committed(transaction):
            for how, key, value in transaction.mops:
                if how == "append" and (key, value) not in history.seen:
                    unread[key].append((transaction, value))
    for key in {*history.reads, *unread}:
        if key in history.broken:
            continue
        order = history.order.get(key, ())
        writers = [history.writer.get((key, value)) for value in order]
        for n in range(len(order) - 1):
            _link(graph, writers[n], writers[n + 1], Edge("ww", key, order[n], order[n + 1]))
        late = unread[key]
        if writers:
            for transaction, value in late:
                _link(graph, writers[-1], transaction, Edge("ww", key, order[-1], value))
        for reader, read in history.reads.get(key, ()):
            if reader.weak:
                continue
            if read:
                _link(graph, writers[len(read) - 1], reader, Edge("wr", key, read[-1], None))
            last = read[-1] if read else None
            if len(read) < len(order):
                _link(graph, reader, writers[len(read)], Edge("rw", key, last, order[len(read)]))
            else:
                for transaction, value in late:
                    _link(graph, reader, transaction, Edge("rw", key, last, value))
    return graph


def _link(graph: Graph, source: Transaction | None, target: Transaction | None, edge: Edge) -> None:
    if source is not None and target is not None and source is not target:
        graph.link(source.index, target.index, edge)


_MEANS: Mapping[str, str] = {
    "G0": "their writes are interleaved (dirty write)",
    "G1c": "each saw what the other wrote (circular information flow)",
    "G-single": "one saw a part of another's work, and not the rest of it (read skew)",
    "lost-update": "both changed what they had read, and one change is lost",
    "G2-item": "each read what the other then changed (write skew)",
}


def _cycle(kind: str, edges: Sequence[tuple[int, int, Edge]], history: _History) -> Anomaly:
    by_index = {transaction.index: transaction for transaction in history.transactions}
    members = [by_index[source] for source, _, _ in edges]
    one_key = len({edge.key for _, _, edge in edges}) == 1
    if kind == "G-single" and one_key and any(edge.kind == "ww" for _, _, edge in edges):
        kind = "lost-update"
    touched = {edge.key for _, _, edge in edges}
    listed = [f"  {member.name} = {member.label(touched if member.final else ())}" for member in members]
    chain = [f"  {edge.prose(f'T{source}', f'T{target}')}" for source, target, edge in edges]
    names = ", ".join(member.name for member in members)
    summary = f"{names} have no order one after the other: {_MEANS[kind]}"
    prose = ["Let:", *listed, "Then:", *chain, f"So each of {names} comes before itself: {_MEANS[kind]}."]
    spans = [span for member in members for span in member.spans(touched if member.final else (), marked=True)]
    return Anomaly(kind, RULE, summary, (*prose, *lanes.text(spans).splitlines()), tuple(spans))


def _anomaly(kind: str, rule: str, text: str, members: Sequence[Transaction]) -> Anomaly:
    distinct = list({member.index: member for member in members}.values())
    keys = {key for member in distinct if not member.final for _, key, _ in member.mops}
    listed = [f"  {member.name} = {member.label(keys)}" for member in distinct]
    spans = [span for n, member in enumerate(distinct) for span in member.spans(keys, marked=n == 0)]
    return Anomaly(kind, rule, text, (text + ":", *listed, *lanes.text(spans).splitlines()), tuple(spans))
