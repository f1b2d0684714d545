"""The control endpoint of a served reference: what a test may do to time, replicas, leaders and caches.

``/_dynoracle/…`` takes and gives JSON and needs no signature. It is there only where it was asked for (``--control`` or
``--clock manual``), and only on loopback.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from reference import ttl
from reference.clock import Clock, ManualClock
from reference.dax import Dax
from reference.replicas.world import World
from reference.signature import Request
from reference.unkind import UnkindService
from reference.wire import Answer

PREFIX = b"/_dynoracle"
_JSON = b"application/json"


class ControlError(ValueError):
    """What was asked for can't be done; the message says what may be asked."""


@dataclass(slots=True)
class Control:
    """Everything that may be controlled of what is served; ``unkind`` and ``caches`` are by region."""

    clock: Clock
    world: World
    home: str
    unkind: Mapping[str, UnkindService] = field(default_factory=dict)
    caches: Mapping[str, Dax] = field(default_factory=dict)

    def answer(self, request: Request) -> Answer:
        """The answer to a request below ``/_dynoracle``; 400 and a reason where it can't be done."""
        path = request.url.partition(b"?")[0][len(PREFIX) :].strip(b"/").decode("latin-1")
        doing, members = _DOING.get(path, (None, frozenset()))
        if doing is None:
            known = ", ".join(f"{PREFIX.decode()}/{name}" for name in sorted(_DOING))
            return _json(404, {"error": f"nothing is controlled at {path!r}; known: {known}"})
        try:
            asked = orjson.loads(request.body) if request.body.strip() else {}
            if not isinstance(asked, dict):
                raise ControlError("the body must be a JSON object")
            if request.method not in (b"GET", b"POST"):
                raise ControlError("only GET and POST are known")
            unknown = sorted(asked.keys() - members)
            if unknown:
                known = ", ".join(sorted(members)) or "none"
                raise ControlError(f"{unknown[0]!r} is not known here; known: {known}")
            self.world.settle()
            return _json(200, doing(self, asked if request.method == b"POST" else {}))
        except (ControlError, orjson.JSONDecodeError) as error:
            return _json(400, {"error": str(error)})

    def region(self, asked: Mapping[str, Any]) -> str:
        """The region that is meant; ControlError where there is nothing in it."""
        region = asked.get("region", self.home)
        if region not in self.world.accounts:
            raise ControlError(f"nothing is in region {region!r}; there are {', '.join(self.world.accounts)}")
        return str(region)


def _clock(control: Control, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Time: how late it is; ``advance`` by seconds or ``set`` to epoch seconds."""
    clock = control.clock
    if ("advance" in asked or "set" in asked) and not isinstance(clock, ManualClock):
        raise ControlError("the clock goes by itself: serve with --clock manual")
    if isinstance(clock, ManualClock):
        now = clock.now()
        wanted = _seconds(asked, "set", now) + _seconds(asked, "advance", 0.0)
        if wanted < now:
            raise ControlError(f"a clock never goes back: it is {now}")
        clock.set(wanted)
    control.world.settle()
    return {"now": clock.now(), "clock": "manual" if isinstance(clock, ManualClock) else "wall"}


def _ttl(control: Control, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Delete what expired at least ``lag`` seconds ago, in one region or in all."""
    regions = [control.region(asked)] if "region" in asked else list(control.world.accounts)
    lag = _seconds(asked, "lag", 0.0)
    deleted = 0
    for region in regions:
        # What one region deletes, the others need not delete as well.
        control.world.settle()
        deleted += ttl.sweep(control.world.accounts[region], lag=lag)
    control.world.settle()
    return {"deleted": deleted}


def _links(control: Control, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The ways between regions: ``from``, ``to``, and what changes: ``lag``, ``cut``, ``merges``; both ways if told."""
    world = control.world
    if asked:
        source, target = asked.get("from"), asked.get("to")
        if not isinstance(source, str) or not isinstance(target, str):
            raise ControlError("name the regions: from and to")
        pairs = [(source, target), (target, source)] if asked.get("both") else [(source, target)]
        for one, other in pairs:
            link = world.link(one, other)
            flags = {name: bool(asked[name]) for name in ("cut", "merges") if name in asked}
            world.set_link(one, other, replace(link, lag=_seconds(asked, "lag", link.lag), **flags))
        world.settle()
    regions = list(world.accounts)
    told = [
        {"from": one, "to": other, "lag": link.lag, "cut": link.cut, "merges": link.merges}
        for one in regions
        for other in regions
        if one != other and (link := world.link(one, other))
    ]
    return {"links": told}


def _leaders(control: Control, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Let all partitions of a ``table`` be without leaders for ``seconds``."""
    region = control.region(asked)
    table = control.world.accounts[region].tables.get(str(asked.get("table")))
    if table is None or region not in control.unkind:
        raise ControlError(f"there is no table {asked.get('table')!r} in {region}")
    seconds = _seconds(asked, "seconds", 1.0)
    unkind = control.unkind[region]
    unkind.followers.lose(table, control.clock.now(), seconds)
    return {"until": control.clock.now() + seconds}


def _outages(control: Control, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Let a ``region`` be out for ``seconds``: no request to it is answered, no replica hears from it."""
    world = control.world
    if asked:
        world.lose(control.region(asked), _seconds(asked, "seconds", 60.0))
    return {"out": [region for region in world.accounts if world.out(region)]}


def _dax(control: Control, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the caches have found and not found; ``clear`` empties them."""
    told = {}
    for region, dax in control.caches.items():
        if asked.get("clear"):
            dax.clear()
        told[region] = dict(dax.counts)
    return {"counts": told}


def _regions(control: Control, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The regions that are there and the global tables between them."""
    groups = {
        name: {region: member.status for region, member in group.members.items()}
        for name, group in control.world.groups.items()
    }
    return {"regions": list(control.world.accounts), "tables": groups}


def _seconds(asked: Mapping[str, Any], name: str, default: float) -> float:
    value = asked.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ControlError(f"{name} is {value!r}; it must be seconds, 0 or more")
    return float(value)


_DOING: Mapping[str, tuple[Callable[[Control, Mapping[str, Any]], dict[str, Any]], frozenset[str]]] = {
    "clock": (_clock, frozenset({"advance", "set"})),
    "ttl": (_ttl, frozenset({"region", "lag"})),
    "links": (_links, frozenset({"from", "to", "both", "lag", "cut", "merges"})),
    "leaders": (_leaders, frozenset({"region", "table", "seconds"})),
    "outages": (_outages, frozenset({"region", "seconds"})),
    "dax": (_dax, frozenset({"clear"})),
    "regions": (_regions, frozenset()),
}
"""What can be done, by the last part of the path, and what a request for it may say."""


def _json(status: int, body: dict[str, Any]) -> Answer:
    return Answer(status, orjson.dumps(body), _JSON)
