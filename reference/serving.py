"""What ``dynoracle serve`` serves, put together from its settings; and which request goes to which region."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from reference import ttl
from reference.account import Account
from reference.answering import Answering, Way
from reference.api import Call, Lost, Reply
from reference.capacity.meter import serve_with
from reference.clock import Clock
from reference.control import PREFIX, Control
from reference.dax import Dax
from reference.knobs import Knobs
from reference.operations.overlaps import overlapping
from reference.replicas.world import Link, World
from reference.service import Service
from reference.signature import Request
from reference.unkind import UnkindService
from reference.wire import Answer

DIRECT = b"direct"
"""The first part of the path of requests that go past the caches."""
SWEEP_SECONDS = 1.0
"""How often, at most, expired items are looked for."""
_HOST = re.compile(rb"(?:streams\.)?dynamodb\.([a-z0-9-]+)\.")
_SCOPE = re.compile(rb"Credential=[^/,]+/\d{8}/([a-z0-9-]+)/")


class Expiring:
    """A service that deletes expired items by itself, some time after they expired (beyond:TTL-14)."""

    def __init__(self, service: Answering, account: Account, lag: float) -> None:
        self.service = service
        self._account = account
        self._lag = lag
        self._next = 0.0

    def operations(self) -> Collection[str]:
        """The names of all operations that can be called."""
        return self.service.operations()

    def execute(self, call: Call) -> Reply:
        """Answer one call, when what had to go is gone."""
        now = self._account.now()
        if now >= self._next:
            self._next = now + SWEEP_SECONDS
            ttl.sweep(self._account, lag=self._lag)
        return self.service.execute(call)


class Dark:
    """A region that is out: nothing it is asked is answered."""

    def __init__(self, service: Answering) -> None:
        self._service = service

    def operations(self) -> Collection[str]:
        """The names of all operations that can be called."""
        return self._service.operations()

    def execute(self, call: Call) -> Reply:
        """No answer."""
        return Lost("the region is out")


class Served:
    """A customer's tables in one or more regions, with everything that the settings put in front of them.

    ``service`` answers for the first region; ``router`` is needed only where there is more to choose from.
    """

    def __init__(self, knobs: Knobs, clock: Clock, region: str = "us-east-1") -> None:
        self.knobs = knobs
        self.region = region
        self.account = Account(clock, region=region, delays=knobs.delays, sharding=knobs.sharding)
        self._unkind: dict[str, UnkindService] = {}
        self._caches: dict[str, Dax] = {}
        self._direct: dict[str, Answering] = {}
        self._services: dict[str, Answering] = {}
        self._world: World | None = None
        controlled = knobs.control or knobs.clock == "manual"
        if knobs.regions or controlled or knobs.replication_lag or knobs.strong_lag:
            self._world = World(self.account, link=Link(knobs.replication_lag), strong_lag=knobs.strong_lag)
        for number, each in enumerate(dict.fromkeys((region, *knobs.regions))):
            self._add(each, number, controlled=controlled)
        self.service = self._services[region]
        self.router: Router | None = None
        if self._world is not None and (knobs.regions or controlled or knobs.dax):
            control = Control(clock, self._world, region, self._unkind, self._caches) if controlled else None
            self.router = Router(region, self._services, self._direct, control)
        elif knobs.dax:
            self.router = Router(region, self._services, self._direct, None)

    def _add(self, region: str, number: int, *, controlled: bool) -> None:
        account = self.account if self._world is None else self._world.account(region)
        serve_with(account, throttling=self.knobs.throttling, metrics=self.knobs.metrics)
        if self.knobs.transaction_seconds:
            overlapping(account, self.knobs.transaction_seconds)
        source = Service(account)
        service: Answering = source
        if self.knobs.unkind or controlled:
            self._unkind[region] = service = UnkindService(source, self.knobs.weather, self.knobs.seed + number)
        if self.knobs.ttl_lag >= 0:
            service = Expiring(service, account, self.knobs.ttl_lag)
        self._direct[region] = service
        if self.knobs.dax:
            self._caches[region] = service = Dax(service, source, self.knobs.caching, self.knobs.seed + number)
        self._services[region] = service

    def replace(self, service: Answering) -> None:
        """Put something else in front of the first region."""
        self.service = self._services[self.region] = service


@dataclass(slots=True)
class Router:
    """Finds who answers a request: by its path, else its host, else the region it is signed for, else the first one.

    ``/REGION`` and ``/direct`` (past the caches), in this order, may begin the path.
    """

    home: str
    services: dict[str, Answering]
    direct: dict[str, Answering]
    control: Control | None

    def route(self, request: Request) -> Way | Answer:
        """Who answers, or the answer of the control endpoint."""
        if self.control is not None and request.url.startswith(PREFIX):
            return self.control.answer(request)
        parts = [part for part in request.url.partition(b"?")[0].split(b"/") if part]
        region = parts.pop(0).decode("latin-1") if parts and parts[0].decode("latin-1") in self.services else None
        if region is None:
            region = self._told(_HOST.match(request.headers.get(b"host", b"")))
        if region is None:
            region = self._told(_SCOPE.search(request.headers.get(b"authorization", b"")))
        chosen = region or self.home
        if self.control is not None and self.control.world.out(chosen):
            return Way(chosen, Dark(self.services[chosen]))
        services = self.direct if parts[:1] == [DIRECT] else self.services
        return Way(chosen, services[chosen])

    def _told(self, found: re.Match[bytes] | None) -> str | None:
        region = found[1].decode("latin-1") if found else None
        return region if region in self.services else None
