"""Bugs of throughput: what is throttled, how it is told, and how often what is provided may be lowered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.checks.base import T0, table
from conformance.checks.steps import batch_put, describe, get, item, put, s, t_put, transact
from conformance.program import Program, Step
from reference.account import Account
from reference.api import Call, Json, Refusal, Reply, Success
from reference.capacity.load import Throttling
from reference.capacity.meter import Meter
from reference.capacity.uses import ROOM
from reference.metrics.recording import THROTTLES
from reference.service import Service
from reference.tables import update
from tests.planted.base import Bug, Executes, Patch, Plant, PlantedService, originals, patched, plant

_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
_RULES = Throttling()
_REAL = originals(update)


def _done(service: Service, call: Call) -> None:
    """Do what a call asks, whatever it is answered."""
    outcome = service.outcomes(call).outcome
    if outcome is not None:
        service.commit(outcome)


def _write_done(service: Service, call: Call, reply: Reply) -> Reply:
    if call.operation in _WRITES and isinstance(reply, Refusal) and reply.code in THROTTLES:
        _done(service, call)
    return reply


def _left(reply: Reply) -> Mapping[str, Any]:
    body = reply.body if isinstance(reply, Success) and isinstance(reply.body, dict) else {}
    return body.get("UnprocessedItems") or {}


def _left_done(service: Service, call: Call, reply: Reply) -> Reply:
    if _left(reply):
        _done(service, Call("BatchWriteItem", {"RequestItems": _left(reply)}))
    return reply


def _left_unsaid(service: Service, call: Call, reply: Reply) -> Reply:
    return Success({**reply.body, "UnprocessedItems": {}}) if isinstance(reply, Success) and _left(reply) else reply


def _told(alter: Callable[[list[dict[str, str]]], Json]) -> Callable[[Service, Call, Reply], Reply]:
    """The reasons of a throttled call altered; without any left the member is gone."""

    def says(service: Service, call: Call, reply: Reply) -> Reply:
        if not isinstance(reply, Refusal) or reply.code not in THROTTLES:
            return reply
        altered = {name: alter([dict(each) for each in listed]) for name, listed in reply.fields.items()}
        return replace(reply, fields={name: listed for name, listed in altered.items() if listed})

    return says


def _swapped(reasons: list[dict[str, str]]) -> Json:
    swap = {"Read": "Write", "Write": "Read"}
    for each in reasons:
        kind = "Read" if "Read" in each["reason"] else "Write"
        each["reason"] = each["reason"].replace(kind, swap[kind], 1)
    return reasons


def _by_name(reasons: list[dict[str, str]]) -> Json:
    return [{**each, "resource": each["resource"].rpartition("/")[2]} for each in reasons]


def _unspecific(reasons: list[dict[str, str]]) -> Json:
    return [{**each, "reason": "ThrottlingException"} for each in reasons]


def _one_code(service: Service, call: Call, reply: Reply) -> Reply:
    """Tables on demand are throttled as provisioned ones are."""
    if not isinstance(reply, Refusal) or reply.code != "ThrottlingException":
        return reply
    fields = {"ThrottlingReasons": reply.fields.get("throttlingReasons")}
    return replace(reply, code="ProvisionedThroughputExceededException", fields=fields)


def _throttled_only(service: Service, call: Call, reply: Reply) -> Reply:
    """A cancelled transaction tells of the actions that were throttled, and of no other."""
    told = reply.fields.get("CancellationReasons") if isinstance(reply, Refusal) else None
    if not told or not isinstance(reply, Refusal):
        return reply
    kept = [each for each in told if "Throughput" in each["Code"] or "Throttling" in each["Code"]]
    return replace(reply, fields={"CancellationReasons": kept}) if kept else reply


def _forgetful(settings: Any, limits: Mapping[str, Any]) -> None:
    """A maximum that is not given again is lifted."""
    settings.max_read_request_units = limits.get("MaxReadRequestUnits")
    settings.max_write_request_units = limits.get("MaxWriteRequestUnits")


def _passing(rule: str, checks: str) -> Patch:
    """Checks of UpdateTable that pass over one rule."""

    def fewer(*arguments: Any) -> Any:
        yield from (found for found in getattr(_REAL, checks)(*arguments) if found.rule.name != rule)

    return patched(update, **{checks: fewer})


def served(account: Account, rules: Throttling = _RULES) -> None:
    """Let an account's throughput be limited."""
    account.rooms[ROOM] = Meter(rules)


def _throttling(
    name: str, about: str, tables: Mapping[str, Json], *steps: Step, rules: Throttling = _RULES, **hooks: Any
) -> Plant:
    """A plant that limits throughput as the reference can, but for its bug."""

    def wrap(service: Service) -> Executes:
        served(service.account, rules)
        return PlantedService(service, Bug(**hooks))

    return Plant(name, about, "throttling", wrap, Program("throttling", tables, steps))


def _limited(name: str, about: str, *steps: Step, decreases: int) -> Plant:
    """A plant whose tables have another budget of decreases."""

    def wrap(service: Service) -> Executes:
        service.account.limits = replace(service.account.limits, free_decreases=decreases)
        return service

    return Plant(name, about, "throttling", wrap, Program("throttling", PROVISIONED, steps))


def _bug(name: str, about: str, tables: Mapping[str, Json], *steps: Step, **hooks: Any) -> Plant:
    return plant(name, about, "throttling", tables, *steps, **hooks)


def _units(write: int) -> dict[str, Json]:
    return {"ProvisionedThroughput": {"ReadCapacityUnits": 50, "WriteCapacityUnits": write}}


def _lower(*writes: int) -> tuple[Step, ...]:
    return tuple(Step("UpdateTable", {"TableName": T0, **_units(write)}) for write in writes)


def _most(**units: int) -> Step:
    return Step("UpdateTable", {"TableName": T0, "OnDemandThroughput": units})


PROVISIONED = {"t0": table() | {"BillingMode": "PROVISIONED", **_units(10)}}
ONE = {"t0": table() | {"BillingMode": "PROVISIONED", **_units(1)}}
MOST = {"t0": table() | {"OnDemandThroughput": {"MaxReadRequestUnits": 50, "MaxWriteRequestUnits": 1}}}
LARGE = s("x" * 2000)
OTHER = {"pk": s("b")}

PLANTS: tuple[Plant, ...] = (
    _throttling(
        "throttled-write-done", "A write that is throttled takes effect all the same.",
        ONE, put({"v": LARGE}), get(), says=_write_done,
    ),
    _throttling(
        "throttled-part-done", "What a batch leaves for want of throughput was written all the same.",
        ONE, batch_put(item(), item(OTHER, v=LARGE)), get(OTHER), says=_left_done,
    ),
    _throttling(
        "throttled-part-unsaid", "What a batch leaves for want of throughput is not told.",
        ONE, batch_put(item(), item(OTHER, v=LARGE)), get(OTHER), says=_left_unsaid,
    ),
    _throttling(
        "throttling-reasons-swapped", "Writes are throttled for want of read units, and reads of write units.",
        ONE, put({"v": LARGE}), says=_told(_swapped),
    ),
    _throttling(
        "throttling-reasons-by-name", "A reason names its table, not the table's ARN.",
        ONE, put({"v": LARGE}), says=_told(_by_name),
    ),
    _throttling(
        "throttling-reasons-unspecific", "Reasons name the error, not the limit.",
        ONE, put({"v": LARGE}), says=_told(_unspecific),
    ),
    _throttling(
        "throttling-reasons-missing", "A throttled call does not say why.",
        ONE, put({"v": LARGE}), says=_told(lambda reasons: None),
    ),
    _throttling(
        "throttled-on-demand-as-provisioned", "Tables on demand are throttled with the error of provisioned ones.",
        MOST, put({"v": LARGE}), put({"v": LARGE}), says=_one_code,
    ),
    _throttling(
        "throttled-actions-only", "A throttled transaction has reasons for its throttled actions alone.",
        {**ONE, "t1": table("t1")}, transact(t_put(item(v=LARGE)), {
            "Put": {"TableName": "${table:t1}", "Item": item()},
        }), says=_throttled_only,
    ),
    _throttling(
        "throttled-below-what-is-provided", "Half of what is provided is all that is served.",
        ONE, put(), rules=replace(_RULES, initial=0.5, burst=1.0),
    ),
    _limited(
        "decreases-unlimited", "Provisioned units may be lowered as often as one likes.",
        *_lower(9, 8, 7, 6, 5), decreases=1_000,
    ),
    _limited(
        "decreases-twice-a-day", "Provisioned units may be lowered twice a day, not four times.",
        *_lower(9, 8, 7), decreases=2,
    ),
    _bug(
        "maximum-of-one-kind", "A maximum of write request units lifts the one of read request units.",
        MOST, _most(MaxWriteRequestUnits=2), describe(), patches=(patched(update, set_limits=_forgetful),),
    ),
    _bug(
        "warm-throughput-lowered", "Warm throughput can be lowered.",
        MOST, Step("UpdateTable", {"TableName": T0, "WarmThroughput": {"ReadUnitsPerSecond": 11_000}}),
        patches=(_passing("tables.warm-decrease", "plan_warmth"),),
    ),
    _bug(
        "switch-without-index-units", "A switch to provisioned billing needs no units for its indexes.",
        {"t0": table(gsi=["by-g=g:S"])}, Step("UpdateTable", {
            "TableName": T0, "BillingMode": "PROVISIONED", **_units(5),
        }), patches=(_passing("indexes.units-missing", "_to_provisioned"),),
    ),
)  # fmt: skip
