"""Targets for the tests of faults: the reference on a socket, also one that counts what it is asked, or errs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from chaos.faults import find
from chaos.proxy import ThreadedProxy
from chaos.proxy_ledger import Entry
from chaos.schedule import Rule, Schedule
from conformance.targets.profile import Profile
from conformance.targets.target import Target
from conformance.targets.transport import HttpTransport
from reference.account import Account
from reference.api import Call, Reply
from reference.server import ThreadedServer, WallClock
from reference.service import Service

TABLE = {
    "TableName": "music",
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
Bug = Callable[[Service, Call], Reply]


class Watched:
    """The reference, with a list of what it was asked; ``bug`` answers in its place."""

    def __init__(self, bug: Bug | None = None) -> None:
        self.service = Service(Account(WallClock()))
        self.asked: list[Call] = []
        self.bug = bug

    def operations(self) -> Collection[str]:
        return self.service.operations()

    def execute(self, call: Call) -> Reply:
        self.asked.append(call)
        return self.bug(self.service, call) if self.bug else self.service.execute(call)


@contextmanager
def served(bug: Bug | None = None) -> Iterator[tuple[Watched, Target]]:
    watched = Watched(bug)
    with ThreadedServer(watched) as server:
        transport = HttpTransport(server.url)
        yield watched, Target("reference", "", server.url, transport, Profile())
        transport.close()


def put(key: str, value: str = "1") -> Call:
    return Call("PutItem", {"TableName": "music", "Item": {"pk": {"S": key}, "v": {"S": value}}})


def get(key: str) -> Call:
    return Call("GetItem", {"TableName": "music", "Key": {"pk": {"S": key}}, "ConsistentRead": True})


def add(key: str) -> Call:
    return Call(
        "UpdateItem",
        {
            "TableName": "music",
            "Key": {"pk": {"S": key}},
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
            "ReturnValues": "UPDATED_NEW",
        },
    )


class Bench:
    """A counting reference behind a proxy, with the table ``music``, and a client in front."""

    def __init__(self, watched: Watched, proxy: ThreadedProxy, client: HttpTransport, direct: HttpTransport) -> None:
        self.watched = watched
        self.proxy = proxy
        self.client = client
        self.direct = direct

    def arm(self, name: str, **settings: float) -> None:
        """Let the next request meet a fault."""
        rule = Rule(find(name), settings, at=frozenset({self.proxy.ledger.count(0) + 1}))
        self.proxy.arm(Schedule((rule,)))

    def send(self, call: Call, timeout: float = 10.0) -> tuple[Reply, Entry]:
        """Send through the proxy; the reply and the ledger's entry."""
        mark = self.proxy.ledger.count(0)
        reply = self.client.send(call, timeout=timeout)
        return reply, self.proxy.settle(0, mark)[-1]

    def count(self, key: str) -> int:
        """How often ``add`` took effect on a key."""
        item = self.direct.send(get(key)).body.get("Item")  # type: ignore[union-attr]
        return int(item["n"]["N"]) if item else 0

    def deliveries(self, operation: str) -> int:
        return sum(call.operation == operation for call in self.watched.asked)


@contextmanager
def bench() -> Iterator[Bench]:
    with served() as (watched, target), ThreadedProxy(target.endpoint) as proxy:
        watched.execute(Call("CreateTable", TABLE))
        client = HttpTransport(proxy.url())
        made = Bench(watched, proxy, client, HttpTransport(target.endpoint))
        yield made
        client.close()
        made.direct.close()
