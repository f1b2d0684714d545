"""Workloads of transactions: appended lists, long forks, a bank."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from chaos import lanes
from chaos.checkers import linearizable, transactions
from chaos.checkers.item import shown
from chaos.checkers.transactions import ATOMIC, RULE, Mop, Part, Transaction
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
    poll,
    until_answered,
)
from chaos.workloads.items import survival
from chaos.workloads.vocabulary import (
    ADD,
    APPEND,
    accesses,
    attempted,
    by_key,
    key,
    name_of,
    number,
    numbers,
    put,
    state_of,
    table,
    update,
    when,
)
from conformance.record.op import Op

SETTLE = 2
"""How often a transaction without an answer is sent again with its token."""


def write(client: Client, actions: Sequence[Body], token: str, **notes: Any) -> Op:
    """A TransactWriteItems with a token; sent again under it while its fate is open, where that is allowed."""
    body = {"TransactItems": list(actions)}
    first = op = client.call("TransactWriteItems", body, token=token, **notes)
    for _ in range(SETTLE if client.memory.get("retry", True) else 0):
        if op.fate != "info":
            break
        op = client.call("TransactWriteItems", body, token=token, attempt_of=first.index, **notes)
    return op


def appending(name: str, element: int) -> Body:
    """An Update that appends one element to an item's list."""
    return update(key(TABLE, name), APPEND, {":l": numbers([element]), ":none": numbers([])})


class Append:
    """Lists that transactions and single calls append to and read."""

    name = "append"
    says = "transactions and single calls append unique elements to lists, and read them"
    needs = frozenset({"items", "transactions"})
    twice = frozenset({"TransactWriteItems"})

    def draw(self, seed: int, size: Size) -> Plan:
        """The plan of a seed."""

        def act(rng: random.Random, client: int, n: int) -> Act:
            kinds = ["write", "read", "update", "get", "replace", "batch", "scan"]
            kind = rng.choices(kinds, [6, 5, 3, 2, 5, 1, 1])[0]
            names = list(dict.fromkeys(hot_key(rng, n, size.keys) for _ in range(rng.randint(2, 4))))
            element = (client + 1) * 100_000 + n * 10
            writes = [[name, element + m] for m, name in enumerate(names)]
            if kind == "replace":
                writes = writes[: rng.randint(1, len(writes))]
            return Act(kind, (names[0], names, writes, f"{client}.{n}"))

        return Plan(self.name, seed, {TABLE: table()}, draw_clients(seed, size, act))

    def prepare(self, client: Client, plan: Plan) -> None:
        """Nothing: the lists are empty."""

    def perform(self, client: Client, act: Act) -> None:
        """One call, or for ``replace`` a read and a write that depends on it."""
        first, names, writes, token = act.args
        if act.kind == "write":
            write(client, [{"Update": appending(name, element)} for name, element in writes], token)
        elif act.kind == "read":
            client.call("TransactGetItems", {"TransactItems": [{"Get": key(TABLE, name)} for name in names]})
        elif act.kind == "update":
            client.call("UpdateItem", {**appending(*writes[0]), "ReturnValues": "ALL_OLD"})
        elif act.kind == "get":
            client.call("GetItem", {**key(TABLE, first), "ConsistentRead": True})
        elif act.kind == "batch":
            asked = {"Keys": [key(TABLE, name)["Key"] for name in names], "ConsistentRead": True}
            client.call("BatchGetItem", {"RequestItems": {f"${{table:{TABLE}}}": asked}})
        elif act.kind == "scan":
            client.call("Scan", {"TableName": f"${{table:{TABLE}}}", "ConsistentRead": True})
        else:
            self._replace(client, names, writes, token)

    def _replace(self, client: Client, names: Sequence[str], writes: Sequence[tuple[str, int]], token: str) -> None:
        """Read some lists in a transaction, and append to some of them in another if none has changed since."""
        asked = {"TransactItems": [{"Get": key(TABLE, name)} for name in names]}
        op = client.call("TransactGetItems", asked, composite=token)
        if op.fate != "ok":
            return
        appended = dict(writes)
        actions = []
        for name, access in accesses(op):
            held = dict((access.after or (None,))[0] or ()).get("l")
            body = appending(name, int(appended[name])) if name in appended else key(TABLE, name)
            if isinstance(held, tuple):
                body = when(body, "size(l) = :size", {":size": number(len(held))})
            else:
                body = when(body, "attribute_not_exists(l)")
            actions.append({"Update" if name in appended else "ConditionCheck": body})
        write(client, actions, token, composite=token)

    def finish(self, client: Client, plan: Plan, deadline: float) -> None:
        """Read every list, again while a transaction is there in part.

        One whose client had no answer may still be under way, and single reads may lawfully see a half of it each. What
        is in part when all has been quiet until the deadline stays so.
        """
        names = sorted({str(name) for acts in plan.clients for act in acts for name in act.args[1]})
        wholes = [act.args[2] for acts in plan.clients for act in acts if act.kind in ("write", "replace")]

        def whole(round_: int) -> bool:
            seen: set[tuple[str, int]] = set()
            for name in names:
                place = {**key(TABLE, name), "ConsistentRead": True}
                op = until_answered(client, "GetItem", place, deadline, final=round_)
                seen.update((name, value) for mop in _reads(op) for value in mop[2])
            return all(len({(name, value) in seen for name, value in writes}) == 1 for writes in wholes)

        poll(client, deadline, whole)

    def check(self, evidence: Evidence) -> list[Result]:
        """No cycles between transactions, and each list by itself is linearizable."""
        made = list(of_ops(evidence.ops))
        results = [transactions.check(made)]
        if results[0].verdict != "violated":
            # Otherwise it would only tell the same once more, and not as well.
            results.append(linearizable.check(by_key(evidence.ops, evidence.twice), failed=attempted(evidence.ops)))
        if evidence.kills:
            results.append(survival(evidence))
        return results


class Fork(Append):
    """Independent writes that pairs of readers must see in one order."""

    name = "long-fork"
    says = "single writes to two items, which transactional readers must see in one order"

    def draw(self, seed: int, size: Size) -> Plan:
        """The plan of a seed: in each round of two acts, two clients write an item each while others read both."""

        def act(rng: random.Random, client: int, n: int) -> Act:
            pair = [f"x{n // 2}", f"y{n // 2}"]
            writes = client < 2 and n % 2 == 0
            mine = pair[client % 2]
            # Readers go over the pair in either order, and keep pace with the writers.
            seen = pair if client % 2 else pair[::-1]
            kind = "update" if writes else ("get" if client >= 2 and n % 2 else "read")
            return Act(kind, (mine, seen, [[mine, (client + 1) * 100_000 + n]], f"{client}.{n}"))

        return Plan(self.name, seed, {TABLE: table()}, draw_clients(seed, size, act))


def of_ops(ops: Iterable[Op]) -> Iterator[Transaction]:
    """The transactions that a history of appended lists holds.

    A read and the write that depended on it are one transaction if the write took effect, since then its conditions
    saw the same; otherwise the read stands by itself. The final readings of the last round are one transaction: nothing
    else was running.
    """
    composite: dict[str, Op] = {}
    finals: list[Op] = []
    used: set[int] = set()
    listed = list(ops)
    last = max((int(op.notes["final"]) for op in listed if "final" in op.notes), default=0)
    for op in listed:
        if "composite" in op.notes and op.operation == "TransactGetItems" and op.fate == "ok":
            composite[str(op.notes["composite"])] = op
    for op in listed:
        if "composite" in op.notes and op.operation == "TransactWriteItems" and op.fate == "ok":
            used.add(composite[str(op.notes["composite"])].index)
    for op in listed:
        if op.notes.get("final") == last:
            finals.append(op)
        elif op.index not in used:
            yield from _of(op, composite)
    parts = tuple(_part(op, tuple(_reads(op))) for op in finals if op.fate == "ok")
    if parts:
        first, reads = parts[0], tuple(mop for part in parts for mop in part.mops)
        ended = max(part.returned for part in parts)
        yield Transaction(first.index, first.process, first.called, ended, reads, final=True, parts=parts)


def _part(op: Op, mops: tuple[Mop, ...]) -> Part:
    return Part(op.index, op.process, op.called, INFINITY if op.returned is None else op.returned, mops)


def _of(op: Op, composite: dict[str, Op]) -> Iterator[Transaction]:
    returned = INFINITY if op.returned is None else op.returned
    if op.operation in ("BatchGetItem", "Scan", "Query"):
        if op.fate == "ok":
            yield Transaction(op.index, op.process, op.called, returned, tuple(_weak(op)), weak=True)
    elif op.operation in ("TransactWriteItems", "UpdateItem"):
        mops = tuple(_appends(op))
        if op.operation == "TransactWriteItems" and "composite" in op.notes and op.fate == "ok":
            read = composite[str(op.notes["composite"])]
            parts = (_part(read, tuple(_reads(read))), _part(op, mops))
            mops = (*parts[0].mops, *mops)
            yield Transaction(op.index, op.process, read.called, returned, mops, op.fate, parts=parts)
        else:
            yield Transaction(op.index, op.process, op.called, returned, mops, op.fate)
    elif op.fate == "ok":
        yield Transaction(op.index, op.process, op.called, returned, tuple(_reads(op)))


def _list(state: object) -> tuple[int, ...]:
    held = dict(state or ()).get("l", ())  # type: ignore[call-overload]
    return held if isinstance(held, tuple) else ()


def _reads(op: Op) -> Iterator[Mop]:
    for name, access in accesses(op):
        if access.action == "read" and access.after is not None:
            yield "read", name, _list(access.after[0])


def _weak(op: Op) -> Iterator[Mop]:
    body = body_of(op)
    listed = body.get("Items")
    if listed is None:
        answers = body.get("Responses")
        listed = [item for items in answers.values() for item in items] if isinstance(answers, dict) else []
    for item in listed if isinstance(listed, list) else []:
        yield "read", name_of(item), _list(state_of(item))


def _appends(op: Op) -> Iterator[Mop]:
    """The appends of a write, each after what the answer showed of the list before it."""
    actions = op.body["TransactItems"] if op.operation == "TransactWriteItems" else [{"Update": op.body}]
    old: dict[str, tuple[int, ...]] = {}
    if op.operation == "UpdateItem" and op.fate == "ok" and op.body.get("ReturnValues") == "ALL_OLD":
        old[name_of(op.body["Key"])] = _list(state_of(body_of(op).get("Attributes")))
    for action in actions:
        body = action.get("Update")
        if body is not None:
            name = name_of(body["Key"])
            if name in old:
                yield "read", name, old[name]
            for value in body["ExpressionAttributeValues"][":l"]["L"]:
                yield "append", name, int(value["N"])


OPENING = 100
OPENING_SECONDS = 10.0
"""How long it is tried to open the accounts."""


class Bank:
    """Accounts between which transactions move money."""

    name = "bank"
    says = "transactions move money between accounts, and others count it all: the sum never changes"
    needs = frozenset({"items", "transactions"})
    twice = frozenset({"TransactWriteItems"})

    def draw(self, seed: int, size: Size) -> Plan:
        """The plan of a seed."""
        accounts = [f"account{n}" for n in range(max(size.keys, 2))]

        def act(rng: random.Random, client: int, n: int) -> Act:
            kind = rng.choices(["transfer", "audit"], [3, 2])[0]
            source, target = rng.sample(accounts, 2)
            return Act(kind, (source, target, rng.randint(1, 30), f"{client}.{n}", accounts))

        return Plan(self.name, seed, {TABLE: table()}, draw_clients(seed, size, act))

    def prepare(self, client: Client, plan: Plan) -> None:
        """Open the accounts."""
        deadline = time.monotonic() + OPENING_SECONDS
        for name in _accounts(plan):
            # Under a condition it may be sent again, and one that comes late does no harm.
            opening = when(put(key(TABLE, name), {"n": number(OPENING)}), "attribute_not_exists(pk)")
            until_answered(client, "PutItem", opening, deadline)

    def perform(self, client: Client, act: Act) -> None:
        """One call."""
        source, target, amount, token, accounts = act.args
        if act.kind == "audit":
            client.call("TransactGetItems", {"TransactItems": [{"Get": key(TABLE, name)} for name in accounts]})
            return
        less = update(key(TABLE, source), ADD, {":n": number(-amount)})
        more = update(key(TABLE, target), ADD, {":n": number(amount)})
        enough = when(less, "n >= :least", {":least": number(amount)})
        write(client, [{"Update": enough}, {"Update": more}], token)

    def finish(self, client: Client, plan: Plan, deadline: float) -> None:
        """Count the money, and read each account."""
        names = _accounts(plan)
        asked = {"TransactItems": [{"Get": key(TABLE, name)} for name in names]}
        until_answered(client, "TransactGetItems", asked, deadline, final=1)
        for name in names:
            until_answered(client, "GetItem", {**key(TABLE, name), "ConsistentRead": True}, deadline, final=1)

    def check(self, evidence: Evidence) -> list[Result]:
        """The sum is constant in every audit and in the end; each account by itself is linearizable."""
        results = [sums(evidence)]
        if results[0].verdict != "violated":
            results.append(linearizable.check(by_key(evidence.ops, evidence.twice), failed=attempted(evidence.ops)))
        if evidence.kills:
            results.append(survival(evidence))
        return results


def _accounts(plan: Plan) -> list[str]:
    return sorted({str(name) for acts in plan.clients for act in acts for name in act.args[4]})


def sums(evidence: Evidence) -> Result:
    """Whether every count of all the money came to the same; unknown where an account could not be opened."""
    names = set(_accounts(evidence.plan))
    opened = {
        name for op in evidence.ops if op.operation == "PutItem" for name, access in accesses(op) if not access.info
    }
    if opened != names:
        return Result("bank", "unknown", reason=f"not opened: {', '.join(sorted(names - opened))}")
    total = OPENING * len(names)
    anomalies: list[Anomaly] = []
    counts = 0
    for op in evidence.ops:
        held = dict(accesses(op)) if op.operation == "TransactGetItems" and op.fate == "ok" else {}
        if set(held) != names:
            continue
        counts += 1
        amounts = {name: dict((access.after or (None,))[0] or ()).get("n", 0) for name, access in held.items()}
        found = sum(amount for amount in amounts.values() if isinstance(amount, int))
        if found != total:
            text = f"the accounts hold {found} in all, not {total}"
            listed = [f"  {name}: {shown((access.after or (None,))[0])}" for name, access in sorted(held.items())]
            span = Span(op.index, op.process, op.called, op.returned or op.called, f"sum {found}", marked=True)
            rule = ATOMIC if "final" in op.notes else RULE
            kind = "money-made" if found > total else "money-lost"
            around = [span, *_transfers(evidence, op)]
            prose = (text, *listed, *lanes.text(around).splitlines())
            anomalies.append(Anomaly(kind, rule, text, prose, tuple(around)))
    return result("bank", anomalies[:5], "" if counts else "the money was never counted", counts=counts)


def _transfers(evidence: Evidence, audit: Op) -> list[Span]:
    """The last transfers that were begun before an audit ended."""
    ended = audit.returned or audit.called
    spans = []
    for op in evidence.ops:
        if op.operation == "TransactWriteItems" and op.called < ended and op.fate != "fail":
            amounts = [a["Update"] for a in op.body["TransactItems"]]
            words = [f"{name_of(a['Key'])} {a['ExpressionAttributeValues'][':n']['N']}" for a in amounts]
            spans.append(Span(op.index, op.process, op.called, op.returned or INFINITY, ", ".join(words)))
    return spans[-6:]
