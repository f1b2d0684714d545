"""The checkers agree with brute force on small histories drawn at random."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Sequence
from dataclasses import replace

from chaos.checkers import linearizable, transactions
from chaos.checkers.durability import check as durable
from chaos.checkers.item import ILLEGAL, Access, State, step
from chaos.checkers.prechecks import prechecks
from chaos.checkers.transactions import Mop, Transaction
from chaos.checkers.verdict import INFINITY

HISTORIES = int(os.environ.get("DYNORACLE_HISTORIES", "4000"))
"""How many are drawn; 20,000 were when this was written."""


def test_linearizability_agrees_with_brute_force() -> None:
    rng = random.Random(7)
    verdicts = {"ok": 0, "violated": 0}
    for _ in range(HISTORIES):
        history = small_history(rng)
        expected = "ok" if has_order(history, None) else "violated"
        verdicts[expected] += 1
        assert linearizable.search(history).verdict == expected, history
        quick = list(prechecks("k", history, None, (), "r"))
        assert expected == "violated" or not quick, (history, quick)
        if expected == "violated":
            part = linearizable.minimise(history)
            assert not has_order(part, None), (history, part)
            assert linearizable.explain("k", history).prose
    assert min(verdicts.values()) > HISTORIES / 10


def test_serializability_agrees_with_brute_force() -> None:
    rng = random.Random(8)
    verdicts = {"ok": 0, "violated": 0}
    for _ in range(HISTORIES):
        history = small_transactions(rng)
        expected = "ok" if serializable(history) else "violated"
        verdicts[expected] += 1
        found = transactions.check(history, demand_contact=False)
        assert found.verdict == expected, ([t.label() for t in history], found)
    assert min(verdicts.values()) > HISTORIES / 10


def test_survival_agrees_with_brute_force() -> None:
    rng = random.Random(9)
    verdicts = {"ok": 0, "violated": 0}
    for _ in range(HISTORIES // 2):
        history = [a for a in small_history(rng) if a.action == "put" and not a.refused and not a.condition]
        final: State = rng.choice([None, *(a.item for a in history)])
        reading = Access(99, 99, 99.0, 100.0, "read", after=(final,))
        expected = "ok" if has_order([*(blind(a) for a in history), reading], None) else "violated"
        verdicts[expected] += 1
        assert durable({"k": history}, {"k": final}, [50.0], declared=True).verdict == expected, (history, final)
    assert min(verdicts.values()) > HISTORIES / 40


def blind(access: Access) -> Access:
    return replace(access, before=None)


def small_history(rng: random.Random) -> list[Access]:
    """Up to six calls of two or three clients on one key; answers are right, or nearly."""
    count, clients = rng.randint(2, 6), rng.randint(2, 3)
    free = [0] * clients
    calls = []
    for index in range(count):
        process = rng.randrange(clients)
        called = free[process] + rng.randint(0, 2)
        returned = called + rng.randint(1, 4)
        free[process] = returned + rng.randint(0, 1)
        calls.append((rng.uniform(called, returned), index, process, called, returned))
    state: State = None
    history = []
    for _, index, process, called, returned in sorted(calls):
        access, state = small_call(rng, index, process, float(called), float(returned), state)
        history.append(access)
        if access.info:
            free[process] = -1
    history.sort(key=lambda access: access.index)
    # After a call without an answer its client goes on under another name.
    return history


def small_call(
    rng: random.Random, index: int, process: int, called: float, returned: float, state: State
) -> tuple[Access, State]:
    info = rng.random() < 0.15
    end = INFINITY if info else returned
    wrong = rng.random() < 0.15
    values = ["a", "b", "c"]
    kind = rng.choice(["read", "read", "put", "put", "cas", "insert", "delete", "add"])
    if kind == "read":
        seen = rng.choice([None, (("v", "a"),), (("v", f"u{index - 1}"),)]) if wrong else state
        return Access(index, process, called, returned, "read", after=(seen,)), state
    item = (("v", f"u{index}" if rng.random() < 0.8 else rng.choice(values)),)
    fields: dict[str, object] = {"action": "put", "item": item}
    if kind == "cas":
        held = dict(state or ()).get("v", "a")
        fields["condition"] = (("=", "v", rng.choice([held, "a"])),)
    elif kind == "insert":
        fields["condition"] = (("absent", "", None),)
    elif kind == "delete":
        fields = {"action": "delete"}
    elif kind == "add":
        fields = {"action": "update", "changes": (("add", "n", 1),)}
    if info:
        access = Access(index, process, called, end, info=True, **fields)  # type: ignore[arg-type]
        return access, step(access, state) if rng.random() < 0.6 else state
    plain = Access(index, process, called, end, **fields)  # type: ignore[arg-type]
    after = step(plain, state)
    refused = (after is ILLEGAL) != wrong if fields.get("condition") else False
    before = (state if rng.random() > 0.1 else None,) if rng.random() < 0.4 else None
    shown = tuple((name, value) for name, value in after or () if name == "n") if kind == "add" else ()
    if shown and wrong:
        shown = (("n", int(shown[0][1]) + 1),)  # type: ignore[call-overload]
    access = Access(index, process, called, end, refused=refused, before=before, shown=shown, **fields)  # type: ignore[arg-type]
    return access, state if after is ILLEGAL else after


def has_order(history: Sequence[Access], state: State) -> bool:
    """Whether any order explains the history: all of them are tried."""
    if all(access.info for access in history):
        return True
    bound = min(access.returned for access in history)
    for n, access in enumerate(history):
        if access.called <= bound:
            after = step(access, state)
            if after is not ILLEGAL and has_order([*history[:n], *history[n + 1 :]], after):
                return True
    return False


def small_transactions(rng: random.Random) -> list[Transaction]:
    """Up to four transactions on two keys, run one after the other with mistakes, and a reading of both keys."""
    lists: dict[str, tuple[int, ...]] = {"x": (), "y": ()}
    made = []
    element = 0
    for index in range(rng.randint(2, 4)):
        fate = rng.choices(["ok", "fail", "info"], [8, 1, 1])[0]
        effective = fate == "ok" or (fate == "info" and rng.random() < 0.5)
        mops: list[Mop] = []
        old = {key: values[: rng.randint(0, len(values))] for key, values in lists.items()}
        stale = rng.random() < 0.4
        fresh: dict[str, tuple[int, ...]] = {}
        for key in rng.sample(["x", "y"], rng.randint(1, 2)):
            if rng.random() < 0.6:
                mops.append(("read", key, old[key] if stale else lists[key]))
            if rng.random() < 0.7 or not mops:
                element += 1
                mops.append(("append", key, element))
                fresh[key] = (*lists[key], element)
                if rng.random() < 0.1:
                    fresh[key] = (element, *lists[key])
        if effective:
            lists.update(fresh)
        known = fate == "ok"
        mops = [mop if known or mop[0] == "append" else ("read", mop[1], None) for mop in mops]
        made.append(Transaction(index, index, 2.0 * index, 2.0 * index + 1, tuple(mops), fate))  # type: ignore[arg-type]
    if rng.random() < 0.1:
        lists["x"] = lists["x"][:-1]
    made.append(Transaction(9, 9, 90.0, 91.0, (("read", "x", lists["x"]), ("read", "y", lists["y"]))))
    return made


def serializable(history: Sequence[Transaction]) -> bool:
    """Whether any order of the transactions, with any of the unanswered ones, explains every read."""
    sure = [t for t in history if t.fate == "ok"]
    maybe = [t for t in history if t.fate == "info"]
    for size in range(len(maybe) + 1):
        for extra in itertools.combinations(maybe, size):
            for order in itertools.permutations([*sure, *extra]):
                if runs(order):
                    return True
    return False


def runs(order: Sequence[Transaction]) -> bool:
    lists: dict[str, tuple[int, ...]] = {"x": (), "y": ()}
    for transaction in order:
        for how, key, value in transaction.mops:
            if how == "append":
                lists[key] = (*lists[key], value)
            elif value is not None and value != lists[key]:
                return False
    return True
