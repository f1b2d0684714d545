"""How much CPU time the checkers take, and how it grows with the history: ``python -m benchmarks.checkers``."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence

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


BAR = 3.0
"""Seconds that the first size of each may take."""
GROWTH = 2.0
"""How many times as much a call may cost at ten times the size: what is linear stays near one."""
CALLS = (10_000, 30_000, 100_000)
TRANSACTIONS = (50_000, 150_000, 500_000)
CALLS_OF_A_KEY = 200


def measured(name: str, sizes: Sequence[int], run_of: Callable[[int], Callable[[], object]]) -> bool:
    """Time one checker at every size; whether it keeps its bar and grows no faster than its history."""
    seconds = []
    for size in sizes:
        seconds.append(timed(run_of(size)))
        print(f"{name:<12} {size:>7,}: {seconds[-1]:6.2f} s, {seconds[-1] / size * 1e6:5.1f} us each")
    return seconds[0] <= BAR and seconds[-1] / sizes[-1] <= GROWTH * seconds[0] / sizes[0]


def _registers(calls: int) -> Callable[[], object]:
    history = register_history(calls, 8, keys=calls // CALLS_OF_A_KEY)
    return lambda: linearizable.check(history)


def _one_key(calls: int) -> Callable[[], object]:
    history = register_history(calls, 8)
    return lambda: linearizable.check(history)


def _appends(count: int) -> Callable[[], object]:
    made = append_history(count)
    return lambda: transactions.check(made)


def main() -> int:
    print("processor time; calls of 8 clients, transactions on lists")
    kept = [
        measured("of many keys", CALLS, _registers),
        measured("of one key", CALLS[:1], _one_key),
        measured("transactions", TRANSACTIONS, _appends),
    ]
    print("Every bar is reached." if all(kept) else "A bar is missed.")
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
