"""Workloads on single items: registers with conditional writes, counters, unique claims."""

from __future__ import annotations

import random

from chaos.checkers import durability, linearizable, sessions
from chaos.checkers.item import State
from chaos.checkers.sessions import Versioned
from chaos.checkers.verdict import Result
from chaos.histories import Client, body_of, code_of
from chaos.workloads.base import (
    TABLE,
    Act,
    Evidence,
    Plan,
    Size,
    draw_clients,
    hot_key,
    keys_in,
    until_answered,
)
from chaos.workloads.vocabulary import (
    ADD,
    SET,
    accesses,
    attempted,
    by_key,
    key,
    number,
    place_of,
    put,
    state_of,
    table,
    text,
    update,
    when,
)


class Items:
    """What workloads on single items share: one table, final readings of each key, linearizability, survival."""

    needs: frozenset[str] = frozenset({"items"})
    twice: frozenset[str] = frozenset({"PutItem", "UpdateItem", "DeleteItem"})

    def prepare(self, client: Client, plan: Plan) -> None:
        """Nothing: the table is empty."""

    def finish(self, client: Client, plan: Plan, deadline: float) -> None:
        """Read every key."""
        for name in keys_in(plan):
            until_answered(client, "GetItem", {**key(TABLE, name), "ConsistentRead": True}, deadline, final=1)

    def check(self, evidence: Evidence) -> list[Result]:
        """Each key is linearizable, and what was acknowledged survives."""
        found = by_key(evidence.ops, evidence.twice)
        results = [linearizable.check(found, failed=attempted(evidence.ops))]
        if evidence.kills:
            results.append(survival(evidence))
        return results


def survival(evidence: Evidence) -> Result:
    """Judge the final readings against the writes, where the process was killed."""
    finals: dict[str, State] = {}
    for op in evidence.final("GetItem"):
        if op.fate == "ok" or code_of(op) == "ResourceNotFoundException":
            finals[place_of(op.body)[1]] = state_of(body_of(op).get("Item"))
    before = [op for op in evidence.ops if "final" not in op.notes]
    declared = evidence.profile.durability != "none"
    return durability.check(by_key(before, evidence.twice), finals, evidence.kills, declared=declared)


class Register(Items):
    """Puts, updates, deletes and conditional puts of unique values."""

    name = "register"
    says = "reads, writes, conditional writes and deletes of a few items, each showing what it replaced"

    def draw(self, seed: int, size: Size) -> Plan:
        """The plan of a seed."""

        def act(rng: random.Random, client: int, n: int) -> Act:
            kind = rng.choices(["get", "put", "set", "swap", "delete"], [5, 3, 3, 4, 1])[0]
            return Act(kind, (hot_key(rng, n, size.keys), f"{client}.{n}"))

        return Plan(self.name, seed, {TABLE: table()}, draw_clients(seed, size, act))

    def perform(self, client: Client, act: Act) -> None:
        """One call; ``swap`` is conditional on what this client saw last."""
        name, value = act.args
        place = key(TABLE, name)
        values = {"v": text(value)}
        if act.kind == "get":
            op = client.call("GetItem", {**place, "ConsistentRead": True})
        elif act.kind == "put":
            op = client.call("PutItem", {**put(place, values), "ReturnValues": "ALL_OLD"})
        elif act.kind == "set":
            op = client.call("UpdateItem", {**update(place, SET, {":v": text(value)}), "ReturnValues": "ALL_OLD"})
        elif act.kind == "delete":
            op = client.call("DeleteItem", {**place, "ReturnValues": "ALL_OLD"})
        else:
            seen = client.memory.get(name)
            body = put(place, values)
            body = when(body, "v = :was", {":was": text(seen)}) if seen else when(body, "attribute_not_exists(pk)")
            op = client.call("PutItem", {**body, "ReturnValues": "ALL_OLD"})
        self._remember(client, act, op.fate, [access.after or access.before for _, access in accesses(op)])

    def _remember(self, client: Client, act: Act, fate: str, seen: list[tuple[State] | None]) -> None:
        name, value = act.args
        if act.kind in ("put", "set", "swap") and fate == "ok":
            client.memory[name] = value
        elif act.kind == "delete" and fate == "ok":
            client.memory.pop(name, None)
        elif seen and seen[0] is not None:
            client.memory[name] = dict(seen[0][0] or ()).get("v")


class Counter(Items):
    """Additions of one, and reads of both kinds."""

    name = "counter"
    says = "concurrent additions to a few counters, each showing where it arrived, and reads of both kinds"

    def draw(self, seed: int, size: Size) -> Plan:
        """The plan of a seed."""

        def act(rng: random.Random, client: int, n: int) -> Act:
            return Act(rng.choices(["add", "get", "peek"], [6, 2, 2])[0], (hot_key(rng, n, size.keys),))

        return Plan(self.name, seed, {TABLE: table()}, draw_clients(seed, size, act))

    def perform(self, client: Client, act: Act) -> None:
        """One call."""
        place = key(TABLE, act.args[0])
        if act.kind == "add":
            client.call("UpdateItem", {**update(place, ADD, {":n": number(1)}), "ReturnValues": "UPDATED_NEW"})
        else:
            client.call("GetItem", {**place, "ConsistentRead": act.kind == "get"})

    def check(self, evidence: Evidence) -> list[Result]:
        """As for all items; and each count is a version, so that sessions and staleness can be told."""
        return [*super().check(evidence), sessions.check(versions(evidence), max_staleness=_claimed(evidence))]


def _claimed(evidence: Evidence) -> float | None:
    """The staleness that the target's profile claims; a fault that held requests back is no staleness of its own."""
    return evidence.profile.staleness if evidence.profile.staleness > 0 else None


def versions(evidence: Evidence) -> list[Versioned]:
    """The answered calls of a counter workload with the counts they showed."""
    found = []
    for op in evidence.ops:
        if op.fate != "ok" or op.returned is None or op.operation not in ("GetItem", "UpdateItem"):
            continue
        if op.operation == "UpdateItem":
            shown = state_of(body_of(op).get("Attributes"))
        else:
            shown = state_of(body_of(op).get("Item"))
        count = dict(shown or ()).get("n", 0)
        if isinstance(count, int):
            client = op.notes.get("client")
            found.append(
                Versioned(
                    op.index,
                    op.process,
                    place_of(op.body)[1],
                    "write" if op.operation == "UpdateItem" else "read",
                    count,
                    op.called,
                    op.returned,
                    consistent=op.operation == "UpdateItem" or bool(op.body.get("ConsistentRead")),
                    session=client if isinstance(client, int) else None,
                )
            )
    return found


class Claim(Items):
    """Names that only one may have, claimed by conditional puts and by transactions of two."""

    name = "claim"
    says = "clients claim the same names, alone and in pairs; each name has one owner for good"
    needs = frozenset({"items", "transactions"})
    twice = frozenset({"TransactWriteItems"})

    def draw(self, seed: int, size: Size) -> Plan:
        """The plan of a seed: all clients go for the same names at about the same time."""

        def act(rng: random.Random, client: int, n: int) -> Act:
            name = f"name{n // 2}"
            kind = rng.choices(["one", "two", "get"], [5, 3, 2])[0]
            return Act(kind, (name, f"{client}.{n}", f"mail{n // 2}"))

        return Plan(self.name, seed, {TABLE: table()}, draw_clients(seed, size, act))

    def perform(self, client: Client, act: Act) -> None:
        """One call; a transaction that was not answered is sent once more with its token."""
        name, owner, mail = act.args
        free = "attribute_not_exists(pk)"
        if act.kind == "get":
            client.call("GetItem", {**key(TABLE, name), "ConsistentRead": True})
        elif act.kind == "one":
            client.call("PutItem", when(put(key(TABLE, name), {"v": text(owner)}), free))
        else:
            puts = [{"Put": when(put(key(TABLE, each), {"v": text(owner)}), free)} for each in (name, mail)]
            client.call("TransactWriteItems", {"TransactItems": puts}, token=owner)

    def finish(self, client: Client, plan: Plan, deadline: float) -> None:
        """Read every name and address."""
        for name in sorted({str(act.args[n]) for acts in plan.clients for act in acts for n in (0, 2)}):
            until_answered(client, "GetItem", {**key(TABLE, name), "ConsistentRead": True}, deadline, final=1)
