"""How much CPU time the checkers take, and how it grows with the history: ``python -m benchmarks.checkers``."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from chaos.checkers import linearizable, transactions
from chaos.checkers.item import Access
from chaos.checkers.transactions import Mop, Transaction


def register_history(calls: int, clients: int, seed: int = 0, keys: int = 1) -> dict[str, list[Access]]:
    """A lawful history: each call takes effect at a moment drawn from its interval."""
    rng = random.Random(seed)
    free = [0.0] * clients
    drawn = []
    for index in range(calls):
        process = min(range(clients), key=free.__getitem__)
        called = free[process] + rng.random() * 0.2
        effect = called + rng.random()
        returned = effect + rng.random()
        free[process] = returned
        drawn.append((effect, index, process, called, returned))
    state: dict[str, object] = {}
    histories: dict[str, list[Access]] = {}
    for _, index, process, called, returned in sorted(drawn):
        key = f"k{rng.randrange(keys)}"
        held = state.get(key)
        before = None if held is None else (("v", held),)
        if rng.random() < 0.5:
            access = Access(index, process, called, returned, "read", after=(before,))  # type: ignore[arg-type]
        else:
            access = Access(index, process, called, returned, "put", item=(("v", f"w{index}"),))
            state[key] = f"w{index}"
        histories.setdefault(key, []).append(access)
    return histories


def append_history(count: int, seed: int = 0) -> list[Transaction]:
    """A serial history of 1 to 4 calls a transaction; keys give way to fresh ones after some appends."""
    rng = random.Random(seed)
    lists: dict[str, tuple[int, ...]] = {}
    keys = [f"k{n}" for n in range(6)]
    made = []
    element = 0
    for index in range(count):
        mops: list[Mop] = []
        for key in rng.sample(keys, rng.randint(1, 4)):
            if rng.random() < 0.5:
                element += 1
                lists[key] = (*lists.get(key, ()), element)
                mops.append(("append", key, element))
            else:
                mops.append(("read", key, lists.get(key, ())))
        made.append(Transaction(index, index % 8, float(index), index + 0.5, tuple(mops)))
        keys = [f"{key}'" if len(lists.get(key, ())) >= 32 else key for key in keys]
    return made


def timed(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def main() -> None:
    for calls in (2_500, 5_000, 10_000, 20_000):
        history = register_history(calls, 8)
        seconds = timed(lambda history=history: linearizable.check(history))
        print(f"linearizable  {calls:>6} calls, 8 clients, one key: {seconds:6.2f} s")
    history = register_history(10_000, 8, keys=20)
    print(f"linearizable   10000 calls, 8 clients, 20 keys: {timed(lambda: linearizable.check(history)):6.2f} s")
    for count in (12_500, 25_000, 50_000):
        made = append_history(count)
        seconds = timed(lambda made=made: transactions.check(made))
        print(f"transactions  {count:>6} transactions: {seconds:6.2f} s")


if __name__ == "__main__":
    main()
