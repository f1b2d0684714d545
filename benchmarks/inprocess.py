"""The reference inside one process: ``python -m benchmarks.inprocess``.

Four questions: how many times as fast as moto, both called as the suite calls them; how the cost of a call grows with
the table; how much memory an item takes; whether memory stays flat while items are overwritten. Exit status 1 when a
bar is missed.
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.serve import KEYS, SCHEMA, TABLE, VARIANTS, WORK, item
from conformance.targets.target import open_target
from conformance.targets.transport import Transport
from reference.account import Account
from reference.api import Call, Success
from reference.service import Service
from reference.wire import encode_json, parse_json

MOTO_BAR = 20.0
"""How many times as fast as moto in process every operation must be."""
ITEM_BYTES = 1000
MEMORY_BAR = 5 * 1024
"""Bytes of resident memory that an item of about 1 KB may take, index and key included."""
FLAT_BAR = 16 * 1024 * 1024
"""Bytes by which resident memory may grow while items are overwritten: what the allocator may do of itself."""
SIZES = (1_000, 10_000, 100_000)
FULL_SIZES = (*SIZES, 1_000_000)
OVERWRITES, FULL_OVERWRITES = 100_000, 1_000_000
SLACK = 1.25
"""What a measured growth may exceed the logarithm's by: larger tables miss the processor's caches more."""
WORKS = ("get", "put", "insert", "query of 10")
CALLS = 2_000
ROUNDS = 5


def resident() -> int:
    """Bytes of memory this process has resident (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


def expect(reply: object) -> None:
    if not isinstance(reply, Success):
        raise SystemExit(f"a call of the benchmark was refused: {reply}")


def rate(transport: Transport, calls: Sequence[Call], seconds: float) -> float:
    """Calls per second while making them in turn for about so long."""
    done, began = 0, time.perf_counter()
    while True:
        for call in calls:
            expect(transport.send(call))
            done += 1
            now = time.perf_counter()
            if now - began > seconds:
                return done / (now - began)


def against_moto(seconds: float) -> list[str]:
    """Compare every operation with moto, both called directly; the bars missed."""
    missed = []
    with (
        tempfile.TemporaryDirectory() as folder,
        open_target("reference:inprocess", run_dir=Path(folder)) as ours,
        open_target("moto:inprocess", run_dir=Path(folder)) as moto,
    ):
        for target in (ours, moto):
            expect(target.transport.send(Call("CreateTable", SCHEMA)))
            for number in range(KEYS):
                expect(target.transport.send(Call("PutItem", {"TableName": TABLE, "Item": item("list", number)})))
        print(f"{'calls per second':<20}{'reference':>12}{'moto':>12}{'ratio':>10}")
        for work, make in WORK.items():
            calls = [make(n) for n in range(VARIANTS)]
            both = [0.0, 0.0]
            for _ in range(ROUNDS):
                for which, target in enumerate((ours, moto)):
                    both[which] = max(both[which], rate(target.transport, calls, seconds))
            ratio = both[0] / both[1]
            print(f"{work:<20}{both[0]:>12,.0f}{both[1]:>12,.0f}{ratio:>8.1f} ×")
            if ratio < MOTO_BAR:
                missed.append(f"{work}: {ratio:.1f} × moto in process, the bar is {MOTO_BAR:g}")
    return missed


def large_item(number: int) -> bytes:
    """The JSON of an item of about 1 KB with ten attributes, as a client sends it."""
    filler = f"{number:>010}" * 10
    item = {f"attribute-{n}": {"S": f"{n}{filler[:85]}"} for n in range(8)}
    item["pk"], item["sk"] = {"S": f"partition-{number // 100}"}, {"N": str(number % 100)}
    item["owner"] = {"S": "x" * 100}
    return encode_json({"TableName": TABLE, "Item": item})


def empty() -> Service:
    service = Service(Account())
    plain = {name: value for name, value in SCHEMA.items() if name != "GlobalSecondaryIndexes"}
    plain["AttributeDefinitions"] = SCHEMA["AttributeDefinitions"][:2]
    expect(service.execute(Call("CreateTable", plain)))
    return service


def fill(service: Service, begin: int, end: int) -> None:
    for number in range(begin, end):
        expect(service.execute(Call("PutItem", parse_json(large_item(number)))))


def _measure(service: Service, size: int, chosen: random.Random) -> dict[str, float]:
    """Microseconds of a call by operation, over keys chosen anywhere in the table."""
    numbers = [chosen.randrange(size) for _ in range(CALLS)]
    page = {"TableName": TABLE, "KeyConditionExpression": "pk = :p AND sk >= :s", "Limit": 10}
    made: dict[str, Callable[[int], Call]] = {
        "get": lambda n: Call("GetItem", {"TableName": TABLE, "Key": _key(n)}),
        "put": lambda n: Call("PutItem", parse_json(large_item(n))),
        "query of 10": lambda n: Call(
            "Query", {**page, "ExpressionAttributeValues": {":p": _key(n)["pk"], ":s": {"N": "50"}}}
        ),
    }
    costs = {work: _time(service, [make(number) for number in numbers]) for work, make in made.items()}
    costs["insert"] = _time(service, [Call("PutItem", parse_json(large_item(size + n * 100))) for n in range(CALLS)])
    for n in range(CALLS):
        service.execute(Call("DeleteItem", {"TableName": TABLE, "Key": _key(size + n * 100)}))
    return costs


def _time(service: Service, calls: Sequence[Call]) -> float:
    """Microseconds a call."""
    began = time.perf_counter()
    for call in calls:
        service.execute(call)
    return (time.perf_counter() - began) / len(calls) * 1e6


def _key(number: int) -> dict[str, dict[str, str]]:
    return {"pk": {"S": f"partition-{number // 100}"}, "sk": {"N": str(number % 100)}}


def growth(sizes: Sequence[int]) -> list[str]:
    """Fill a table of each size, then measure them in turn, so that a busy machine is busy for all; the bars missed."""
    missed = []
    services: dict[int, Service] = {}
    memory: dict[int, float] = {}
    for size in sizes:
        gc.collect()
        before = resident()
        services[size] = empty()
        fill(services[size], 0, size)
        gc.collect()
        memory[size] = (resident() - before) / size
    costs: dict[int, dict[str, float]] = {size: {} for size in sizes}
    for number in range(ROUNDS):
        for size, service in services.items():
            for work, cost in _measure(service, size, random.Random(number)).items():
                costs[size][work] = min(cost, costs[size].get(work, math.inf))
    print(f"\n{'microseconds a call':<20}" + "".join(f"{work:>14}" for work in (*WORKS, "KB/item")))
    for size in sizes:
        cells = [*(f"{costs[size][work]:.1f}" for work in WORKS), f"{memory[size] / 1024:.2f}"]
        print(f"{size:>13,} items " + "".join(f"{cell:>14}" for cell in cells))
    largest, smallest = max(sizes), min(sizes)
    # A small table's share of what the interpreter had reserved beforehand would say little.
    if memory[largest] > MEMORY_BAR:
        missed.append(f"{memory[largest]:,.0f} bytes an item at {largest:,} items, the bar is {MEMORY_BAR:,}")
    for size in sizes:
        allowed = math.log(size) / math.log(smallest) * SLACK
        for work in WORKS:
            times = costs[size][work] / costs[smallest][work]
            if times > allowed:
                missed.append(
                    f"{work}: {times:.2f} × dearer at {size:,} items than at {smallest:,}, {allowed:.2f} allowed"
                )
    return missed


def overwriting(count: int) -> list[str]:
    """Overwrite the same hundred items over and over; whether memory grew."""
    service = empty()
    fill(service, 0, 100)
    for number in range(count // 10):
        service.execute(Call("PutItem", parse_json(large_item(number % 100))))
    gc.collect()
    before = resident()
    for number in range(count):
        service.execute(Call("PutItem", parse_json(large_item(number % 100))))
    gc.collect()
    grown = resident() - before
    print(f"\n{count:,} overwrites: resident memory grew by {grown / 1024:,.0f} KB")
    return [f"memory grew by {grown:,} bytes over {count:,} overwrites"] if grown > FLAT_BAR else []


def main(arguments: list[str] | None = None) -> int:
    """Run all four; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inprocess", description=__doc__)
    parser.add_argument("--full", action="store_true", help="up to 1,000,000 items and overwrites")
    parser.add_argument("--seconds", type=float, default=0.2, help="how long each comparison with moto takes")
    options = parser.parse_args(arguments)
    missed = overwriting(FULL_OVERWRITES if options.full else OVERWRITES)
    missed += growth(FULL_SIZES if options.full else SIZES)
    print()
    missed += against_moto(options.seconds)
    print("\n".join(["", "Bars missed:", *missed]) if missed else "\nEvery bar is reached.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
