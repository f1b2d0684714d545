"""A handful of table schemas: key types, indexes and projections that programs are drawn over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.strategies.draws import Draw, chance, pick

Attribute = tuple[str, str]
"""(name, type)"""


@dataclass(frozen=True, slots=True)
class IndexWorld:
    """A secondary index as the strategies see it.

    ``more`` are the further attributes of a key of several: ``wide`` of them belong to the partition key.
    """

    name: str
    kind: str
    hash: Attribute
    range: Attribute | None
    projection: str = "ALL"
    include: tuple[str, ...] = ()
    more: tuple[Attribute, ...] = ()
    wide: int = 0

    @property
    def keys(self) -> tuple[Attribute, ...]:
        """All key attributes of the index, those of the partition key first."""
        sorts = (*((self.range,) if self.range is not None else ()), *self.more[self.wide :])
        return (self.hash, *self.more[: self.wide], *sorts)

    def define(self, throughput: Mapping[str, int] | None = None) -> dict[str, Any]:
        """The index as CreateTable and UpdateTable take it."""
        projection: dict[str, Any] = {"ProjectionType": self.projection}
        if self.include:
            projection["NonKeyAttributes"] = list(self.include)
        roles = ["HASH"] * (1 + self.wide) + ["RANGE"] * len(self.keys)
        schema = [_element(name, role) for (name, _), role in zip(self.keys, roles, strict=False)]
        body = {"IndexName": self.name, "KeySchema": schema, "Projection": projection}
        return body if throughput is None else {**body, "ProvisionedThroughput": dict(throughput)}


@dataclass(frozen=True, slots=True)
class TableWorld:
    """A table as the strategies see it: its keys, its indexes, and the names of its other attributes.

    ``given`` is the CreateTable body of a table of the user's own, which says more than that.
    """

    symbol: str
    hash: Attribute
    range: Attribute | None
    indexes: tuple[IndexWorld, ...] = ()
    attributes: tuple[str, ...] = ("a", "b", "c")
    on_demand: bool = True
    given: Mapping[str, Any] | None = None

    @property
    def reference(self) -> str:
        """What stands for the table's name in a symbolic body."""
        return f"${{table:{self.symbol}}}"

    @property
    def keys(self) -> tuple[Attribute, ...]:
        """The primary key attributes."""
        return (self.hash,) if self.range is None else (self.hash, self.range)

    @property
    def index_keys(self) -> dict[str, str]:
        """Index key attributes that are not table keys, with their types."""
        own = {name for name, _ in self.keys}
        found: dict[str, str] = {}
        for index in self.indexes:
            found.update((name, kind) for name, kind in index.keys if name not in own)
        return found

    def create(self) -> dict[str, Any]:
        """The CreateTable body, symbolic."""
        if self.given is not None:
            return {**self.given, "TableName": self.reference}
        types = dict(self.keys) | self.index_keys
        body: dict[str, Any] = {
            "TableName": self.reference,
            "KeySchema": _schema(self.hash, self.range),
            "AttributeDefinitions": [{"AttributeName": n, "AttributeType": t} for n, t in types.items()],
        }
        throughput = {"ReadCapacityUnits": 1000, "WriteCapacityUnits": 1000}
        body |= {"BillingMode": "PAY_PER_REQUEST"} if self.on_demand else {"ProvisionedThroughput": throughput}
        for kind, member in (("GSI", "GlobalSecondaryIndexes"), ("LSI", "LocalSecondaryIndexes")):
            described = [
                i.define(None if self.on_demand or kind == "LSI" else throughput)
                for i in self.indexes
                if i.kind == kind
            ]
            if described:
                body[member] = described
        return body


def _schema(hashed: Attribute, ranged: Attribute | None) -> list[dict[str, str]]:
    schema = [_element(hashed[0], "HASH")]
    return schema if ranged is None else [*schema, _element(ranged[0], "RANGE")]


def _element(name: str, role: str) -> dict[str, str]:
    return {"AttributeName": name, "KeyType": role}


_SHAPES: tuple[dict[str, Any], ...] = (
    {"hash": ("pk", "S"), "range": None},
    {"hash": ("pk", "S"), "range": ("sk", "N")},
    {"hash": ("pk", "S"), "range": ("sk", "S")},
    {"hash": ("pk", "N"), "range": ("sk", "B")},
    {"hash": ("pk", "B"), "range": None},
    {
        "hash": ("pk", "S"),
        "range": ("sk", "N"),
        "indexes": (
            IndexWorld("by-g", "GSI", ("g", "S"), None),
            IndexWorld("by-l", "LSI", ("pk", "S"), ("l", "N"), "KEYS_ONLY"),
        ),
    },
    {
        "hash": ("pk", "S"),
        "range": None,
        "indexes": (
            IndexWorld("by-g-h", "GSI", ("g", "S"), ("h", "N"), "INCLUDE", ("a",)),
            IndexWorld("by-h", "GSI", ("h", "N"), None, "KEYS_ONLY"),
        ),
    },
    {
        "hash": ("pk", "S"),
        "range": ("sk", "S"),
        "indexes": (
            IndexWorld("turned", "GSI", ("sk", "S"), ("pk", "S")),
            IndexWorld("by-l", "LSI", ("pk", "S"), ("l", "S"), "INCLUDE", ("a", "b")),
            IndexWorld("by-m", "LSI", ("pk", "S"), ("m", "B"), "ALL"),
        ),
    },
)


@dataclass(frozen=True, slots=True)
class Features:
    """What a program leaves out: swarm testing at feature level."""

    off: frozenset[str] = field(default_factory=frozenset)

    def on(self, feature: str) -> bool:
        """Whether the program may use a feature."""
        return feature not in self.off


ALL_FEATURES = (
    "indexes",
    "nested",
    "conditions",
    "mistakes",
    "projections",
    "legacy",
    "numbers",
    "limits",
    "capacity",
    "odd-values",
    "sizes",
)


def features(draw: Draw) -> Features:
    """Each feature is off in about a third of programs."""
    return Features(frozenset(name for name in ALL_FEATURES if chance(draw, 33)))


ODD_NAMES = ("a", "b.c", "Ü")
"""Attribute names of which two need an alias in expressions."""


def table(
    draw: Draw, symbol: str, *, indexes: bool = True, odd_names: bool = False, own: Sequence[TableWorld] = ()
) -> TableWorld:
    """One table of the handful, or of the user's own; ``odd_names`` allows names that only an alias can stand for."""
    if own:
        return replace(pick(draw, own), symbol=symbol)
    plain = [shape for shape in _SHAPES if "indexes" not in shape]
    indexed = [shape for shape in _SHAPES if "indexes" in shape]
    shape = dict(pick(draw, indexed if indexes and chance(draw, 55) else plain))
    if odd_names and chance(draw, 20):
        shape["attributes"] = ODD_NAMES
    return TableWorld(symbol=symbol, on_demand=not chance(draw, 25), **shape)
