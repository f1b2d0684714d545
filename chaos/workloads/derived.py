"""Workloads on what follows from writes: an index used as a queue, stream consumers, time to live."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from chaos.checkers import convergence, linearizable, streams
from chaos.checkers.convergence import View
from chaos.checkers.item import State
from chaos.checkers.streams import Told, Written
from chaos.checkers.verdict import INFINITY, Anomaly, Result, Span, result
from chaos.histories import Body, Client, body_of
from chaos.workloads.base import (
    TABLE,
    Act,
    Evidence,
    Plan,
    Size,
    draw_clients,
    hot_key,
    items_of,
    keys_in,
    poll,
    until_answered,
)
from chaos.workloads.items import survival
from chaos.workloads.vocabulary import (
    SET,
    TAKE,
    accesses,
    attempted,
    by_key,
    key,
    name_of,
    place_of,
    put,
    state_of,
    table,
    text,
    update,
    when,
)
from conformance.record.op import Op

INDEX = "open"
SEGMENTS = 3
PAGE_LIMIT = 50
NAME = f"${{table:{TABLE}}}"


def pages(client: Client, operation: str, body: Body, deadline: float, **notes: Any) -> Iterator[Op]:
    """All pages of a Query or Scan, each asked for until it is answered."""
    for _ in range(PAGE_LIMIT):
        op = until_answered(client, operation, body, deadline, **notes)
        yield op
        last = body_of(op).get("LastEvaluatedKey")
        if not last:
            return
        body = {**body, "ExclusiveStartKey": last}


def views(client: Client, names: list[str], deadline: float, round_: int, *, index: bool) -> bool:
    """Read a table in every way; whether all ways show the same, and the index what it must."""
    shown: dict[str, dict[str, State]] = defaultdict(dict)
    for name in names:
        op = until_answered(client, "GetItem", {**key(TABLE, name), "ConsistentRead": True}, deadline, final=round_)
        if isinstance(body_of(op).get("Item"), dict):
            shown["get"][name] = state_of(body_of(op)["Item"])
    asked = [("query", "Query", _query(name)) for name in names]
    asked.append(("scan", "Scan", {"TableName": NAME, "ConsistentRead": True}))
    for segment in range(SEGMENTS):
        part = {"TableName": NAME, "ConsistentRead": True, "Segment": segment, "TotalSegments": SEGMENTS}
        asked.append(("segments", "Scan", part))
    if index:
        asked.append(("index", "Scan", {"TableName": NAME, "IndexName": INDEX}))
    for view, operation, body in asked:
        for op in pages(client, operation, body, deadline, final=round_, view=view):
            for item in items_of(op):
                shown[view][name_of(item)] = state_of(item)
    base = shown["get"]
    same = all(shown[view] == base for view in ("query", "scan", "segments"))
    return same and (not index or shown["index"] == pending(base))


def _query(name: str) -> Body:
    return {
        "TableName": NAME,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": text(name)},
        "ConsistentRead": True,
    }


def pending(base: View) -> dict[str, State]:
    """What the index on ``pending`` must show of a table: the items that have the attribute, whole."""
    return {name: state for name, state in base.items() if "pending" in dict(state or ())}


def converged(evidence: Evidence, *, index: bool) -> Result:
    """Judge the last round of views."""
    shown: dict[str, dict[str, State]] = defaultdict(dict)
    answered = {(op.operation, repr(op.body)) for op in evidence.final() if op.fate == "ok"}
    unanswered = [op for op in evidence.final() if (op.operation, repr(op.body)) not in answered]
    for op in evidence.final():
        view = str(op.notes.get("view", "get"))
        shown.setdefault(view, {})
        if op.operation == "GetItem":
            if isinstance(body_of(op).get("Item"), dict):
                shown["get"][place_of(op.body)[1]] = state_of(body_of(op)["Item"])
        else:
            shown[view].update({name_of(item): state_of(item) for item in items_of(op)})
    if unanswered or "scan" not in shown:
        return Result("convergence", "unknown", reason=f"{len(unanswered)} of the final readings were not answered")
    base = shown.setdefault("get", {})
    seen = shown.pop("index", {})
    indexes = {INDEX: (seen, pending(base))} if index else {}
    return convergence.check(shown, indexes=indexes, waited=evidence.waited)


class Queue:
    """Jobs that workers find by a sparse index and take by a conditional update."""

    name = "queue"
    says = "jobs are put in, found by a sparse index and taken by one worker each; then the index is empty of them"
    needs = frozenset({"items", "indexes"})
    twice: frozenset[str] = frozenset()

    def draw(self, seed: int, size: Size) -> Plan:
        """The plan of a seed."""

        def act(rng: random.Random, client: int, n: int) -> Act:
            kind = rng.choices(["put", "take", "cancel"], [4, 6, 1])[0]
            return Act(kind, (f"job{client}.{n}", f"{client}.{n}", rng.random()))

        index = {
            "IndexName": INDEX,
            "KeySchema": [{"AttributeName": "pending", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        return Plan(self.name, seed, {TABLE: table("pending", indexes=[index])}, draw_clients(seed, size, act))

    def prepare(self, client: Client, plan: Plan) -> None:
        """Nothing: the queue is empty."""

    def perform(self, client: Client, act: Act) -> None:
        """Put a job in; or look for one and take it, or cancel it."""
        name, worker, where = act.args
        if act.kind == "put":
            client.call("PutItem", put(key(TABLE, name), {"v": text(name), "pending": text("yes")}))
            return
        body = {
            "TableName": NAME,
            "IndexName": INDEX,
            "KeyConditionExpression": "pending = :yes",
            "ExpressionAttributeValues": {":yes": text("yes")},
        }
        found = sorted(name_of(item) for item in items_of(client.call("Query", body)))
        if found:
            job = found[int(where * len(found))]
            if act.kind == "cancel":
                client.call("DeleteItem", when({**key(TABLE, job)}, "attribute_exists(pending)"))
            else:
                taking = update(key(TABLE, job), TAKE, {":w": text(worker)})
                client.call("UpdateItem", {**when(taking, "attribute_exists(pending)"), "ReturnValues": "ALL_OLD"})

    def finish(self, client: Client, plan: Plan, deadline: float) -> None:
        """Compare all views of the table, until they agree or the time is over."""
        names = [name for name in keys_in(plan) if name in _jobs(plan)]
        poll(client, deadline, lambda n: views(client, names, deadline, n, index=True))

    def check(self, evidence: Evidence) -> list[Result]:
        """Each job is linearizable (one worker takes it), and in the end all views agree."""
        found = by_key(evidence.ops, evidence.twice)
        results = [
            linearizable.check(found, failed=attempted(evidence.ops)),
            invented(evidence),
            converged(evidence, index=True),
        ]
        if evidence.kills:
            results.append(survival(evidence))
        return results


def _jobs(plan: Plan) -> set[str]:
    return {str(act.args[0]) for acts in plan.clients for act in acts if act.kind == "put"}


def invented(evidence: Evidence) -> Result:
    """An index may lag, but never shows what no write put there, nor before it was written."""
    first: dict[str, float] = {}
    for op in evidence.ops:
        if op.operation == "PutItem" and op.fate != "fail":
            first[place_of(op.body)[1]] = op.called
    anomalies = []
    queries = 0
    for op in evidence.ops:
        if op.operation == "Query" and op.body.get("IndexName") and op.fate == "ok":
            queries += 1
            for item in items_of(op):
                name = name_of(item)
                if name not in first or first[name] > (op.returned or INFINITY):
                    text_ = f"the index showed {name}, which had not been written"
                    anomalies.append(Anomaly("ghost-entry", convergence.INDEX, text_, (text_,), (_span(op),)))
    return result("index", anomalies[:5], "" if queries else "the index was never read", queries=queries)


def _span(op: Op, *, marked: bool = True) -> Span:
    return Span(op.index, op.process, op.called, op.returned or INFINITY, op.operation, marked)


class Stream:
    """Writers of unique values, and consumers of the stream."""

    name = "stream"
    says = "writes and deletes, which the stream tells each exactly once and in each item's order"
    needs = frozenset({"items", "streams"})
    twice: frozenset[str] = frozenset()

    def draw(self, seed: int, size: Size) -> Plan:
        """The plan of a seed; the last client consumes."""

        def act(rng: random.Random, client: int, n: int) -> Act:
            if client == size.clients - 1:
                return Act("consume")
            kind = rng.choices(["put", "set", "delete", "again", "refused"], [5, 5, 2, 1, 1])[0]
            return Act(kind, (hot_key(rng, n, size.keys), f"{client}.{n}"))

        spec = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        tables = {TABLE: table(StreamSpecification=spec)}
        return Plan(self.name, seed, tables, draw_clients(seed, size, act))

    def prepare(self, client: Client, plan: Plan) -> None:
        """Nothing: the table is empty."""

    def perform(self, client: Client, act: Act) -> None:
        """One write, some of which change nothing, or one look at the stream."""
        if act.kind == "consume":
            consume(client, client.memory, time.monotonic() + 1.0)
            return
        name, value = act.args
        place = key(TABLE, name)
        if act.kind == "put":
            client.call("PutItem", {**put(place, {"v": text(value)}), "ReturnValues": "ALL_OLD"})
        elif act.kind == "set":
            client.call("UpdateItem", {**update(place, SET, {":v": text(value)}), "ReturnValues": "ALL_OLD"})
        elif act.kind == "delete":
            client.call("DeleteItem", {**place, "ReturnValues": "ALL_OLD"})
        elif act.kind == "again":
            client.call("DeleteItem", {**key(TABLE, f"none-{name}"), "ReturnValues": "ALL_OLD"})
        else:
            client.call("PutItem", when(put(place, {"v": text(value)}), "v = :was", {":was": text("never")}))

    def finish(self, client: Client, plan: Plan, deadline: float) -> None:
        """Read each item, and the stream from its beginning until nothing new has come for a while."""
        left: dict[str, State] = {}
        for name in keys_in(plan):
            op = until_answered(client, "GetItem", {**key(TABLE, name), "ConsistentRead": True}, deadline, final=1)
            left[name] = state_of(body_of(op).get("Item"))
        memory: dict[str, Any] = {}
        quiet = 0
        while time.monotonic() < deadline:
            quiet = 0 if consume(client, memory, deadline, final=1) else quiet + 1
            # A stream may lag: it is at its end when it has told how each item came to be as it is.
            if quiet >= 3 and all(memory.get("told", {}).get(name) == state for name, state in left.items()):
                return
            time.sleep(0.02 * min(quiet + 1, 10))

    def check(self, evidence: Evidence) -> list[Result]:
        """The stream against the writes, as read in the end and as read meanwhile."""
        histories = by_key(evidence.ops)
        failed = attempted(evidence.ops)
        linear = linearizable.check(histories, failed=failed)
        # Where the answers contradict each other, it is not the stream's fault if it agrees with one of them only.
        doubtful = set() if linear.verdict != "violated" else {
            name for name, history in histories.items()
            if linearizable.check({name: history}, failed=failed).verdict == "violated"
        }  # fmt: skip
        writes = list(_written(evidence, doubtful))
        refused = {name: [a.item for a in listed] for name, listed in failed.items()}
        final = streams.check(writes, told(evidence, final=True), refused=refused)
        if not _read_out(evidence):
            final = Result("streams", "unknown", reason="the stream could not be read to its end")
        results = [final, linear]
        early = told(evidence, final=False)
        if early:
            results.append(streams.check(writes, early, refused=refused, complete=False))
        return results


def consume(client: Client, memory: dict[str, Any], deadline: float, **notes: Any) -> bool:
    """Read on in every shard of the table's stream; whether any record came.

    ``memory`` holds the stream's ARN and where each shard was left.
    """
    if "arn" not in memory:
        op = until_answered(client, "DescribeTable", {"TableName": NAME}, deadline)
        memory["arn"] = (body_of(op).get("Table") or {}).get("LatestStreamArn")
    if not memory["arn"]:
        memory.pop("arn")
        return False
    described = client.call("DescribeStream", {"StreamArn": memory["arn"]}, **notes)
    came = False
    at = memory.setdefault("iterators", {})
    for name in _parents(described):
        if name not in at:
            asked = {"StreamArn": memory["arn"], "ShardId": name, "ShardIteratorType": "TRIM_HORIZON"}
            iterator = body_of(client.call("GetShardIterator", asked)).get("ShardIterator")
            if iterator is None:
                continue
            at[name] = iterator
        for _ in range(PAGE_LIMIT):
            if not at[name]:
                break
            op = client.call("GetRecords", {"ShardIterator": at[name]}, shard=name, **notes)
            if op.fate != "ok":
                break
            at[name] = body_of(op).get("NextShardIterator")
            if not body_of(op).get("Records"):
                break
            came = True
            memory.setdefault("told", {}).update({record.key: record.new for record in _records(op)})
    return came


def _parents(op: Op) -> dict[str, str]:
    """The shards that a DescribeStream shows, each with its parent's name or nothing."""
    shards = (body_of(op).get("StreamDescription") or {}).get("Shards") or []
    return {str(shard.get("ShardId")): str(shard.get("ParentShardId") or "") for shard in shards}


def _read_out(evidence: Evidence) -> bool:
    """Whether, when all had ended, every shard was read and the last reading of each was answered."""
    last = {str(op.notes.get("shard")): op for op in evidence.final("GetRecords")}
    described = evidence.final("DescribeStream")
    known = set(_parents(described[-1])) if described else set()
    return bool(last) and known <= set(last) and all(op.fate == "ok" for op in (*last.values(), *described[-1:]))


def told(evidence: Evidence, *, final: bool) -> list[Told]:
    """The records that were read in the end, or meanwhile, in the order of reading, a shard's after its parent's."""
    found: list[Told] = []
    parents: dict[str, str] = {}
    for op in sorted(evidence.ops, key=lambda op: op.index):
        if op.operation == "GetRecords" and op.fate == "ok" and ("final" in op.notes) == final:
            found += _records(op)
        elif op.operation == "DescribeStream":
            parents.update(_parents(op))

    def generation(record: Told) -> int:
        shard, count = record.shard, 0
        while parents.get(shard) and count < len(parents):
            shard, count = parents[shard], count + 1
        return count

    return sorted(found, key=generation)


def _records(op: Op) -> Iterator[Told]:
    """The records that a GetRecords shows."""
    for record in body_of(op).get("Records") or []:
        inner: Mapping[str, Any] = record.get("dynamodb") or {}
        number = str(inner.get("SequenceNumber", "0"))
        yield Told(
            name_of(inner.get("Keys")),
            None if record.get("eventName") == "INSERT" else state_of(inner.get("OldImage")),
            None if record.get("eventName") == "REMOVE" else state_of(inner.get("NewImage")),
            int(number) if number.isdigit() else 0,
            str(op.notes.get("shard")),
        )


def _written(evidence: Evidence, doubtful: Collection[str]) -> Iterator[Written]:
    """The writes that changed something, or may have: of ``doubtful`` items no delete is sure to have."""
    for op in evidence.ops:
        if op.operation not in ("PutItem", "UpdateItem", "DeleteItem") or op.fate == "fail":
            continue
        for name, access in accesses(op):
            if access.action == "delete" and access.before == (None,):
                continue
            value = None if access.action == "delete" else (("v", access.value_of("v")),)
            info = access.info or (value is None and name in doubtful)
            yield Written(op.index, op.process, name, value, access.called, access.returned, info)


LATER = 3_600
"""Seconds from now at which items of the workload expire: long after it has ended."""


class Expiry:
    """Items with a time to live, none of which has come."""

    name = "ttl"
    says = "items that expire later, or never for what their attribute holds, stay until then"
    needs = frozenset({"items", "ttl"})
    twice: frozenset[str] = frozenset()

    def draw(self, seed: int, size: Size) -> Plan:
        """The plan of a seed."""

        def act(rng: random.Random, client: int, n: int) -> Act:
            kind = rng.choices(["put", "get", "scan"], [4, 5, 1])[0]
            expiry = rng.choice(["later", "far", "text", "ancient", "none"])
            return Act(kind, (f"k{client}.{rng.randint(0, n) if kind == 'get' else n}", f"{client}.{n}", expiry))

        return Plan(self.name, seed, {TABLE: table()}, draw_clients(seed, size, act))

    def prepare(self, client: Client, plan: Plan) -> None:
        """Switch time to live on."""
        spec = {"Enabled": True, "AttributeName": "ttl"}
        asked = {"TableName": NAME, "TimeToLiveSpecification": spec}
        until_answered(client, "UpdateTimeToLive", asked, time.monotonic() + 10.0)

    def perform(self, client: Client, act: Act) -> None:
        """One call."""
        name, value, expiry = act.args
        if act.kind == "put":
            client.call("PutItem", put(key(TABLE, name), {"v": text(value), **_expiring(expiry)}))
        elif act.kind == "get":
            client.call("GetItem", {**key(TABLE, name), "ConsistentRead": True})
        else:
            client.call("Scan", {"TableName": NAME, "ConsistentRead": True})

    def finish(self, client: Client, plan: Plan, deadline: float) -> None:
        """Compare all views of the table."""
        names = sorted({str(act.args[0]) for acts in plan.clients for act in acts})
        poll(client, deadline, lambda n: views(client, names, deadline, n, index=False))

    def check(self, evidence: Evidence) -> list[Result]:
        """No item is gone: each key is linearizable, and in the end all views agree."""
        found = linearizable.check(by_key(evidence.ops, evidence.twice), failed=attempted(evidence.ops))
        early = [
            Anomaly("gone-early", "ttl.expiry", a.summary, a.prose, a.spans) if a.kind == "lost-write" else a
            for a in found.anomalies
        ]
        results = [result("ttl", early, found.reason, **found.facts), converged(evidence, index=False)]
        return [*results, survival(evidence)] if evidence.kills else results


def _expiring(kind: str) -> dict[str, Body]:
    """An attribute ``ttl`` by which an item does not expire during a run."""
    now = int(time.time())
    values = {
        "later": {"N": str(now + LATER)},
        "far": {"N": str((now + LATER) * 1000)},
        "text": {"S": str(now - 10)},
        "ancient": {"N": str(now - 6 * 366 * 86_400)},
    }
    return {"ttl": values[kind]} if kind in values else {}
