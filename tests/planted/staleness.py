"""Bugs of what reads show: replicas that lag without leave, and caches that nobody asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.checks.base import T0, table
from conformance.checks.steps import (
    KEY,
    PLAIN,
    batch_get,
    condition,
    get,
    n,
    put,
    s,
    scan,
    t_get,
    t_put,
    transact,
    transact_get,
    update,
)
from conformance.program import Step
from reference.api import Call, Json, Reply, Success
from reference.dax import Caching, Dax
from reference.followers import behind, showing
from reference.lifecycle import settle
from reference.service import Service
from reference.tables.view import Record
from tests.planted.base import Executes, Plant, plant


class _Behind:
    """Some reads are answered by a replica that lacks the last write of the table."""

    def __init__(self, service: Service, stale: Callable[[Call], bool]) -> None:
        self.service = service
        self.stale = stale
        service.account.keep = 3600.0

    def execute(self, call: Call) -> Reply:
        if not self.stale(call):
            return self.service.execute(call)
        account = self.service.account
        settle(account)
        lacking = {}
        for name, held in account.tables.items():
            if held.log:
                last = held.log[-1].sequence
                edge = next((e.at for e in reversed(held.log) if e.sequence < last), 0.0)
                lacking[name] = behind(held, lambda key, edge=edge: edge, edge)
        return Service(showing(account, lacking)).execute(call)


def _lagging(name: str, about: str, stale: Callable[[Call], bool], tables: Any, *steps: Step) -> Plant:
    def wrap(service: Service) -> Executes:
        return _Behind(service, stale)

    return replace(plant(name, about, "consistency", tables, *steps), wrap=wrap)


class _Dirty:
    """A write whose condition fails is seen by the next eventually consistent read all the same."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.seen: dict[str, Json] = {}

    def execute(self, call: Call) -> Reply:
        reply = self.service.execute(call)
        if call.operation == "PutItem" and getattr(reply, "code", "") == "ConditionalCheckFailedException":
            self.seen = call.body["Item"]
        elif call.operation == "GetItem" and isinstance(reply, Success) and not call.body.get("ConsistentRead"):
            shown, self.seen = self.seen, {}
            key = call.body["Key"]
            if shown and all(shown.get(name) == value for name, value in key.items()) and "Item" in reply.body:
                return Success({"Item": shown})
        elif isinstance(reply, Success) and call.operation != "GetItem":
            self.seen = {}
        return reply


class _Cached(Dax):
    """A cache in front, where none is claimed, that has a habit of its own."""

    habit = ""

    def execute(self, call: Call) -> Reply:
        body = call.body if isinstance(call.body, dict) else {}
        if self.habit == "consistent" and call.operation == "GetItem":
            call = Call("GetItem", {name: value for name, value in body.items() if name != "ConsistentRead"})
        if call.operation == self.habit:
            return self.behind.execute(call)
        if self.habit == "refused" and call.operation == "PutItem":
            reply = self.behind.execute(call)
            held = self.account.table(body["TableName"]) if isinstance(body.get("TableName"), str) else None
            if held is not None and getattr(reply, "code", "") == "ConditionalCheckFailedException":
                row = held.view.row_key(body["Item"])
                if row is not None and held.at(row) is not None:
                    self._learn(self.nodes[0], held, row, Record.of(body["Item"]))
            return reply
        return super().execute(call)


def _cached(name: str, about: str, tables: Any, *steps: Step, habit: str = "", **caching: Any) -> Plant:
    def wrap(service: Service) -> Executes:
        made = _Cached(service, service, Caching(**caching))
        made.habit = habit
        return made

    return replace(plant(name, about, "dax", tables, *steps), wrap=wrap)


def _consistent(operation: str) -> Callable[[Call], bool]:
    return lambda call: call.operation == operation and bool((call.body or {}).get("ConsistentRead"))


_TWICE = [put({"v": n(1)}), put({"v": n(2)})]
_EVENTUAL = {"ConsistentRead": False}
_PAST = Step("ExecuteStatement", {"Statement": f"UPDATE \"{T0}\" SET v=2 WHERE pk='a'"})
_INDEXED = {"t0": table(gsi=["by-g=g:S"])}

PLANTS: tuple[Plant, ...] = (
    _lagging(
        "consistent-get-lags", "A strongly consistent GetItem is answered by a replica that lags.",
        _consistent("GetItem"), PLAIN, *_TWICE, get(),
    ),
    _lagging(
        "consistent-scan-lags", "A strongly consistent Scan is answered by a replica that lags.",
        _consistent("Scan"), PLAIN, *_TWICE, scan(ConsistentRead=True),
    ),
    _lagging(
        "transact-get-lags", "TransactGetItems is answered by a replica that lags.",
        lambda call: call.operation == "TransactGetItems", PLAIN, *_TWICE, transact_get(t_get()),
    ),
    _lagging(
        "index-lags", "A global index lacks the last write, where no lag is claimed.",
        lambda call: "IndexName" in (call.body or {}), _INDEXED, put({"g": s("x")}), put({"g": s("y")}),
        scan(IndexName="by-g"),
    ),
    replace(
        plant(
            "refused-write-seen", "A write that was refused is seen once.", "consistency", PLAIN,
            put({"v": n(1)}), condition("attribute_not_exists(pk)"), get(**_EVENTUAL),
        ),
        wrap=_Dirty,
    ),
    _cached(
        "results-cached", "The result of a Scan is cached, and no write drops it.", PLAIN,
        scan(), put(), scan(), item_ttl=0.001,
    ),
    _cached(
        "items-cached", "Items are cached, and writes by PartiQL are not noticed.", PLAIN,
        put({"v": n(1)}), get(**_EVENTUAL), _PAST, get(**_EVENTUAL), query_ttl=0.0,
    ),
    _cached(
        "consistent-reads-cached", "Strongly consistent reads are answered from a cache.", PLAIN,
        put({"v": n(1)}), get(), _PAST, get(), query_ttl=0.0, habit="consistent",
    ),
    _cached(
        "updates-not-cached", "UpdateItem leaves what is cached of the item.", PLAIN,
        put({"v": n(1)}), update("SET v = :v", {"v": n(2)}), batch_get(KEY), query_ttl=0.0, habit="UpdateItem",
    ),
    _cached(
        "transactions-cached-late", "What a transaction writes reaches the cache late.", PLAIN,
        put({"v": n(1)}), transact(t_put({"v": n(2)})), get(**_EVENTUAL), query_ttl=0.0, refill=3600.0,
    ),
    _cached(
        "missing-items-cached", "That an item was missing is cached, and PutItem does not change that.", PLAIN,
        get(**_EVENTUAL), put(), get(**_EVENTUAL), query_ttl=0.0, habit="PutItem",
    ),
    _cached(
        "refused-writes-cached", "A write that was refused is cached.", PLAIN,
        put({"v": n(1)}), condition("attribute_not_exists(pk)"), get(**_EVENTUAL), query_ttl=0.0, habit="refused",
    ),
)  # fmt: skip
