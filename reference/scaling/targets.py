"""Scalable targets, scaling policies and what they have done, as data (beyond:AS-1 to AS-6)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from reference.account import Account
from reference.capacity.uses import Kind
from reference.tables.settings import TableSettings
from reference.tables.table import Table

ROOM = "scaling"
NAMESPACE = "dynamodb"
ROLE = (
    "role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable"
)
METRICS = {"Read": "DynamoDBReadCapacityUtilization", "Write": "DynamoDBWriteCapacityUtilization"}
"""The predefined metric that tracks each kind of units."""
_RESOURCE = re.compile(r"table/(?P<table>[a-zA-Z0-9_.-]+)(?:/index/(?P<index>[a-zA-Z0-9_.-]+))?")
_DIMENSION = re.compile(r"dynamodb:(?P<what>table|index):(?P<kind>Read|Write)CapacityUnits")

Slot: TypeAlias = tuple[str, str]
"""A resource id and a scalable dimension."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A table, or one of its global secondary indexes, and one kind of its units."""

    table: str
    index: str
    kind: Kind

    def held(self, account: Account) -> Table | None:
        """The table, if it and the index are there."""
        table = account.tables.get(self.table)
        if table is None or (self.index and (self.index not in table.indexes)):
            return None
        return table

    def settings(self, table: Table) -> TableSettings:
        """The throughput that is scaled."""
        return table.indexes[self.index].settings if self.index else table.settings


def resource_of(resource: str, dimension: str) -> Resource | None:
    """What a resource id and a dimension name; None where they don't fit."""
    where, which = _RESOURCE.fullmatch(resource), _DIMENSION.fullmatch(dimension)
    if where is None or which is None or (which["what"] == "index") != (where["index"] is not None):
        return None
    return Resource(where["table"], where["index"] or "", "Read" if which["kind"] == "Read" else "Write")


@dataclass(frozen=True, slots=True)
class Target:
    """What may be scaled, and between which units; ``created`` in epoch seconds."""

    id: str
    slot: Slot
    least: int
    most: int
    role: str
    created: float
    suspended: frozenset[str] = frozenset()
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Policy:
    """A target-tracking policy and how it stands.

    ``high`` and ``low`` count the minutes in a row in which utilisation was above the target, or well below it.
    ``out`` and ``into`` are when it last raised and lowered the units (epoch seconds), ``gave`` what it last set.
    """

    id: str
    name: str
    slot: Slot
    value: float
    given: dict[str, Any]
    alarms: tuple[str, ...]
    created: float
    out_cooldown: float = 0.0
    in_cooldown: float = 0.0
    keeps: bool = False
    high: int = 0
    low: int = 0
    out: float = 0.0
    into: float = 0.0
    gave: int = 0

    def copy(self) -> Policy:
        """An independent policy in the same state."""
        return replace(self)


@dataclass(frozen=True, slots=True)
class Activity:
    """One attempt to set units: why, when (epoch seconds), and what came of it."""

    id: str
    slot: Slot
    units: int
    cause: str
    at: float
    failed: str = ""


@dataclass(slots=True)
class Scaling:
    """All targets and policies of an account, and the latest activities, the newest last."""

    targets: dict[Slot, Target] = field(default_factory=dict)
    policies: dict[tuple[Slot, str], Policy] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)
    ticking: bool = False

    def copy(self) -> Scaling:
        """An independent state."""
        policies = {key: policy.copy() for key, policy in self.policies.items()}
        return Scaling(dict(self.targets), policies, list(self.activities), self.ticking)


def scaling_of(account: Account) -> Scaling:
    """What an account scales; for changing, so it is kept from now on."""
    room = account.rooms.setdefault(ROOM, Scaling())
    assert isinstance(room, Scaling)
    return room


def seen(account: Account) -> Scaling:
    """What an account scales; for looking only."""
    room = account.rooms.get(ROOM)
    return room if isinstance(room, Scaling) else Scaling()
