"""How fast the reference server is beside the emulators: ``python -m benchmarks.serve``.

One client with one connection sends the same requests to each server, in rounds that go from server to server, so that
whatever else the machine does falls on all of them. The best round of each counts. Exit status 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import platform
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.client import BenchmarkError, Client, request_bytes
from conformance.targets.install import InstallError
from conformance.targets.process import ProcessError
from conformance.targets.target import Target, TargetError, open_target
from reference.api import Call, Json

PEERS = ("moto", "ministack", "dynalite", "dynamodb-local", "dynoxide")
BARS = {"moto": 1.0, "ministack": 1.0, "dynalite": 1.0, "dynamodb-local": 1.0, "dynoxide": 0.7}
"""The least ratio of the reference's rate to each peer's."""
GET_BARS = {"dynoxide": 0.5}
"""Where another bar holds for GetItem: dynoxide is compiled, and a get leaves it nothing to do."""
TABLE = "bench"
KEYS = 100
VARIANTS = 50
"""Different requests per operation; they are sent in turn."""
ACTIVE_TRIES = 500
WARM_SECONDS = 1.0


def item(partition: str, sort: int) -> dict[str, Json]:
    return {
        "pk": {"S": partition},
        "sk": {"N": str(sort)},
        "owner": {"S": f"owner-{sort % 5}"},
        "amount": {"N": str(sort * 10)},
        "text": {"S": "x" * 200},
        "tags": {"SS": ["blue", "green", "red"]},
        "address": {"M": {"city": {"S": "Zürich"}, "lines": {"L": [{"S": "one"}, {"N": "2"}]}}},
    }


def _keys(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in pairs]


SCHEMA: dict[str, Json] = {
    "TableName": TABLE,
    "KeySchema": _keys(("pk", "HASH"), ("sk", "RANGE")),
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
        {"AttributeName": "owner", "AttributeType": "S"},
    ],
    "GlobalSecondaryIndexes": [
        {"IndexName": "by-owner", "KeySchema": _keys(("owner", "HASH"), ("sk", "RANGE")),
         "Projection": {"ProjectionType": "ALL"}},
    ],
    "BillingMode": "PAY_PER_REQUEST",
}  # fmt: skip


def _key(number: int) -> dict[str, Json]:
    return {"pk": {"S": "list"}, "sk": {"N": str(number % KEYS)}}


def _get(n: int) -> Call:
    return Call("GetItem", {"TableName": TABLE, "Key": _key(n)})


def _put(n: int) -> Call:
    return Call("PutItem", {"TableName": TABLE, "Item": item(f"put-{n}", 1)})


def _update(n: int) -> Call:
    body = {
        "TableName": TABLE,
        "Key": _key(n),
        "UpdateExpression": "SET #c = if_not_exists(#c, :zero) + :one, address.city = :city",
        "ConditionExpression": "attribute_exists(pk) AND amount >= :zero",
        "ExpressionAttributeNames": {"#c": "counter"},
        "ExpressionAttributeValues": {":zero": {"N": "0"}, ":one": {"N": "1"}, ":city": {"S": f"Bern {n}"}},
    }
    return Call("UpdateItem", body)


def _query(n: int) -> Call:
    body = {
        "TableName": TABLE,
        "KeyConditionExpression": "pk = :p AND sk >= :s",
        "ExpressionAttributeValues": {":p": {"S": "list"}, ":s": {"N": str(n % (KEYS - 20))}},
        "Limit": 20,
    }
    return Call("Query", body)


def _query_index(n: int) -> Call:
    body = {
        "TableName": TABLE,
        "IndexName": "by-owner",
        "KeyConditionExpression": "#o = :o",
        "ExpressionAttributeNames": {"#o": "owner"},
        "ExpressionAttributeValues": {":o": {"S": f"owner-{n % 5}"}},
        "Limit": 20,
    }
    return Call("Query", body)


def _transact(n: int) -> Call:
    writes = [{"Put": {"TableName": TABLE, "Item": item(f"both-{side}-{n}", 1)}} for side in ("left", "right")]
    return Call("TransactWriteItems", {"TransactItems": writes})


WORK = {
    "get": _get,
    "put": _put,
    "update": _update,
    "query of 20": _query,
    "index query": _query_index,
    "transaction of 2": _transact,
}


@dataclass(slots=True)
class Contender:
    """One server under measurement: its connection, its prepared requests, and its rates so far."""

    name: str
    version: str
    client: Client
    requests: dict[str, list[bytes]]
    rates: dict[str, list[float]] = field(default_factory=dict)
    lacks: set[str] = field(default_factory=set)

    def best(self, work: str) -> float | None:
        rates = self.rates.get(work)
        return max(rates) if rates and work not in self.lacks else None


def prepare(target: Target) -> Contender:
    """Create the table, fill it, and build every request."""
    assert target.process is not None
    port = target.process.port
    client = Client(port)
    client.expect_success(request_bytes(Call("CreateTable", SCHEMA), port))
    describe = request_bytes(Call("DescribeTable", {"TableName": TABLE}), port)
    for _ in range(ACTIVE_TRIES):
        if b'"TableStatus":"ACTIVE"' in client.send(describe).replace(b'": "', b'":"'):
            break
    for number in range(KEYS):
        put = Call("PutItem", {"TableName": TABLE, "Item": item("list", number)})
        client.expect_success(request_bytes(put, port))
    requests = {work: [request_bytes(make(n), port) for n in range(VARIANTS)] for work, make in WORK.items()}
    contender = Contender(target.name, target.version, client, requests)
    for work, built in requests.items():
        try:
            answer = client.expect_success(built[0])
            if "query" in work and b'"Count":20' not in answer.replace(b'": ', b'":'):
                raise BenchmarkError(f"{work} on {target.name} is no page of 20: {answer[-200:]!r}")
        except BenchmarkError as error:
            print(f"{target.name} has no {work}: {error}", file=sys.stderr)
            contender.lacks.add(work)
    return contender


def measure(contenders: list[Contender], rounds: int, seconds: float) -> None:
    """Fill in the rates; a first, longer round only warms up, which matters to a Java machine."""
    for number in range(rounds + 1):
        for work in WORK:
            for one in contenders:
                if work in one.lacks:
                    continue
                rate = one.client.rate(one.requests[work], seconds if number else max(seconds, WARM_SECONDS))
                if number:
                    one.rates.setdefault(work, []).append(rate)


def missed(contenders: list[Contender]) -> list[str]:
    """The bars that the reference, first of the contenders, does not reach."""
    reference, *peers = contenders
    found = []
    for work in WORK:
        ours = reference.best(work)
        for peer in peers:
            theirs = peer.best(work)
            if ours is None or theirs is None:
                continue
            bar = GET_BARS.get(peer.name, BARS[peer.name]) if work == "get" else BARS[peer.name]
            if ours < bar * theirs:
                found.append(f"{work}: {ours / theirs:.2f} × {peer.name}, the bar is {bar:g}")
    return found


def show(contenders: list[Contender]) -> None:
    """Print requests per second, and in brackets how many times faster the reference is."""
    reference = contenders[0]
    width = max(len(work) for work in WORK) + 2
    print(" " * width + "".join(f"{one.name:>22}" for one in contenders))
    for work in WORK:
        cells = []
        ours = reference.best(work)
        for one in contenders:
            rate = one.best(work)
            if rate is None:
                cells.append("–")
            elif one is reference or ours is None:
                cells.append(f"{rate:,.0f}")
            else:
                cells.append(f"{rate:,.0f} ({ours / rate:.2f} ×)")
        print(f"{work:<{width}}" + "".join(f"{cell:>22}" for cell in cells))


def _open(names: list[str], folder: Path, stack: contextlib.ExitStack) -> list[Contender]:
    contenders = []
    for name in names:
        try:
            target = stack.enter_context(open_target(name, run_dir=folder))
            contenders.append(prepare(target))
        except (InstallError, ProcessError, TargetError, BenchmarkError, OSError) as error:
            if name == "reference":
                raise
            print(f"{name} is left out: {error}", file=sys.stderr)
    return contenders


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each pair of server and operation is measured")
    parser.add_argument("--seconds", type=float, default=0.25, help="how long each measurement takes")
    parser.add_argument("--targets", default=",".join(PEERS), help="comma list of catalogue names")
    parser.add_argument("--report-only", action="store_true", help="exit 0 whatever comes out")
    options = parser.parse_args(arguments)
    names = ["reference", *filter(None, options.targets.split(","))]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        contenders = _open(names, folder, stack)
        measure(contenders, options.rounds, options.seconds)
    print(f"Requests per second, one connection, best of {options.rounds} rounds of {options.seconds:g} s, "
          f"Python {platform.python_version()}; in brackets how many times as fast the reference is.\n")  # fmt: skip
    show(contenders)
    print("\n" + ", ".join(f"{one.name} {one.version}" for one in contenders))
    short = missed(contenders)
    print("\n".join(["", "Bars missed:", *short]) if short else "\nEvery bar is reached.")
    return 1 if short and not options.report_only else 0


if __name__ == "__main__":
    sys.exit(main())
