"""Bugs of global tables, as one region sees them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.checks.base import T0
from conformance.checks.global_tables_replicas import (
    ELSEWHERE,
    JOINED,
    PROVISIONED,
    STRONG,
    THERE,
    change,
    creating,
    deleting,
)
from conformance.checks.steps import PLAIN, describe
from conformance.program import Program, Step
from reference.api import Call
from reference.operations import replicas as operations
from reference.operations.base import Outcome
from reference.replicas import members, standing
from reference.service import Service
from tests.planted.base import Body, Patch, Plant, answers, originals, overlooks, patched, plant

_CHECKS = originals(operations)


def _shown(alter: Any) -> Any:
    """DescribeTable altered, of a table that has replicas."""

    def says(service: Service, call: Call, body: Body) -> Body:
        told = dict(body["Table"])
        return {**body, "Table": alter(told)} if "Replicas" in told else body

    return answers(says, "DescribeTable")


def _with_itself(told: Body) -> Body:
    own = {"RegionName": told["TableArn"].split(":")[3], "ReplicaStatus": "ACTIVE"}
    return {**told, "Replicas": [*told["Replicas"], own]}


def _unversioned(told: Body) -> Body:
    return {name: value for name, value in told.items() if name != "GlobalTableVersion"}


def _elsewhere(told: Body) -> Body:
    return {**told, "Replicas": [{**each, "RegionName": "eu-central-1"} for each in told["Replicas"]]}


def _weak(told: Body) -> Body:
    return {name: value for name, value in told.items() if name != "MultiRegionConsistency"}


def _no_stream(account: Any, table: Any, view: str, at: float) -> None:
    """The first replica leaves the stream off."""


def _stays(world: Any, group: Any, member: Any) -> None:
    """A replica that was deleted stays in the list."""
    member.due = None


def _passing(rule: str, checks: str) -> Patch:
    """Checks of replicas that pass over one rule."""

    def fewer(*arguments: Any) -> Any:
        yield from (found for found in getattr(_CHECKS, checks)(*arguments) if found.rule.name != rule)

    return patched(operations, **{checks: fewer})


def _answer_only(service: Service, call: Call, outcome: Outcome) -> Outcome:
    """Replicas are accepted and never made."""
    asked = call.operation == "UpdateTable" and "ReplicaUpdates" in (call.body or {})
    return Outcome(outcome.body, rules=outcome.rules) if asked else outcome


def _bug(name: str, about: str, *steps: Step, **hooks: Any) -> Plant:
    return plant(name, about, "global-tables", PLAIN, *steps, **hooks)


_STREAM_OFF = Step("UpdateTable", {"TableName": T0, "StreamSpecification": {"StreamEnabled": False}})

PLANTS: tuple[Plant, ...] = (
    _bug(
        "replicas-list-themselves", "The list of replicas has the region that is asked.",
        *JOINED, describe(), says=_shown(_with_itself),
    ),
    _bug(
        "replicas-without-version", "A replica does not tell the version of its group.",
        *JOINED, describe(), says=_shown(_unversioned),
    ),
    _bug(
        "replicas-in-another-region", "Replicas are told to be where they are not.",
        *JOINED, describe(), says=_shown(_elsewhere),
    ),
    _bug(
        "replicas-strong-unsaid", "A table with strong consistency between regions does not say so.",
        *STRONG, describe(), says=_shown(_weak),
    ),
    _bug(
        "replicas-without-stream", "The first replica leaves the table's stream off.",
        *JOINED, describe(), patches=(patched(members, _stream=_no_stream),),
    ),
    _bug(
        "replicas-stay-listed", "A replica that was deleted stays in the list.",
        *JOINED, change(deleting(THERE)), describe(), patches=(patched(standing, _gone=_stays),),
    ),
    _bug("replicas-never-made", "New replicas are accepted and never made.", *JOINED, describe(), does=_answer_only),
    _bug(
        "replicas-several-at-once", "Several replicas may come in one request.",
        change(creating(THERE), creating(ELSEWHERE)), patches=(_passing("global-tables.one-at-a-time", "_request"),),
    ),
    _bug(
        "replicas-stream-off", "A replica's stream can be switched off.",
        *JOINED, _STREAM_OFF, patches=(_passing("global-tables.stream-stays", "settings_checks"),),
    ),
    _bug(
        "replicas-source-deletable", "A replica that others were just made from can be deleted.",
        *JOINED, Step("DeleteTable", {"TableName": T0}), passes=overlooks("global-tables.source-region"),
    ),
    replace(
        _bug(
            "replicas-of-provisioned", "A table whose writes nothing scales may have replicas.",
            change(creating(THERE)),
            patches=(_passing("global-tables.table-not-scaled", "_fits"),),
        ),
        witness=Program("global-tables", PROVISIONED, (change(creating(THERE)),)),
    ),
    _bug(
        "replicas-strong-of-one", "One replica more is enough for strong consistency.",
        change(creating("us-east-2"), MultiRegionConsistency="STRONG"),
        patches=(patched(operations, STRONG_OTHERS=1),),
    ),
)  # fmt: skip
