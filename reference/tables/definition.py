"""Checks of key schemas, projections and index definitions, shared by CreateTable and UpdateTable.

Requests have passed the service model's constraints, so required members are there and have the right types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from reference.requests.model import set_order
from reference.rules import Checks, violation
from reference.tables.schema import IndexSchema, KeyAttribute, KeySchema, Projection

T = TypeVar("T")

MAX_LOCAL = 5
MAX_GLOBAL = 20
MAX_HASH_ATTRIBUTES = 4
MAX_RANGE_ATTRIBUTES = 4
MAX_NON_KEY_ATTRIBUTES = 100
"""Over all INCLUDE projections of a table together (dataplane:IDX-1)."""
MAX_UNITS = 1_000_000_000_000


@dataclass(slots=True)
class Names:
    """The attributes a request declares, and what its definitions used so far."""

    types: dict[str, str]
    declared: list[str]
    used: list[str] = field(default_factory=list)
    indexes: set[str] = field(default_factory=set)
    non_key: int = 0

    @classmethod
    def of(cls, definitions: Iterable[Mapping[str, str]] | None) -> Names:
        """The declarations in a request's ``AttributeDefinitions``."""
        pairs = [(each["AttributeName"], each["AttributeType"]) for each in definitions or ()]
        return cls(dict(pairs), [name for name, _ in pairs])

    def unused(self, besides: Collection[str]) -> Checks[None]:
        """Everything declared keys something; names stand as the service's hash sets held them when recorded.

        Attributes that hold vectors, ``besides``, are refused in other words.
        """
        if any(name not in self.used and name not in besides for name in self.declared):
            yield violation(
                "tables.definitions-unused", definitions=self.told(), keys=", ".join(set_order(self.used, 16))
            )

    def told(self) -> str:
        """The declared names as errors list them: in a hash set made for just so many."""
        return ", ".join(set_order(dict.fromkeys(self.declared), 2))

    def use(self, names: Iterable[str]) -> None:
        """Remember that key attributes were used."""
        self.used.extend(name for name in names if name not in self.used)


def watched(checks: Checks[T]) -> Checks[tuple[T, bool]]:
    """The same checks; what they built, and whether nothing was wrong."""
    sound = True
    while True:
        try:
            found = next(checks)
        except StopIteration as stop:
            return stop.value, sound
        sound = False
        yield found


def table_key(schema: Sequence[Mapping[str, str]], names: Names, *, alone: bool) -> Checks[KeySchema | None]:
    """The table's own key (dataplane:TBL-2, conflicts:110); ``alone`` means that no index is defined."""
    keys = [element["AttributeName"] for element in schema]
    repeated = next((name for name, times in Counter(names.declared).items() if times > 1), None)
    if repeated is not None:
        yield violation("tables.definition-repeated", attribute=repeated)
    if len(keys) > len(names.declared):
        yield violation("tables.key-without-definition")
    yield from defined_keys(schema, names)
    sound = yield from _plain_key(schema, names)
    if alone and len(keys) != len(names.declared):
        yield violation("tables.definitions-beyond-key")
    return _key(schema, names) if sound else None


def local_index(
    index: Mapping[str, Any], names: Names, table_schema: Sequence[Mapping[str, str]], table: KeySchema | None
) -> Checks[IndexSchema | None]:
    """One local secondary index (dataplane:TBL-4)."""
    schema = index["KeySchema"]
    sound = yield from _plain_key(schema, names)
    name = index["IndexName"]
    if len(schema) < 2:
        yield violation("indexes.local-without-sort-key", index=name)
        sound = False
    leading, owner = schema[0]["AttributeName"], table_schema[0]["AttributeName"]
    if leading != owner:
        yield violation("indexes.local-other-partition-key", index=name, index_key=leading, table_key=owner)
    projection = yield from projection_of(index["Projection"], names)
    yield from unique_name(name, names)
    if not sound or projection is None or table is None:
        return None
    return IndexSchema.of(name, "LSI", _key(schema, names), projection, table)


def global_index(index: Mapping[str, Any], names: Names, table: KeySchema | None) -> Checks[IndexSchema | None]:
    """Keys and projection of one global secondary index (dataplane:TBL-5, IDX-9; conflicts:73)."""
    schema = index["KeySchema"]
    sound = yield from _wide_key(schema, names)
    projection = yield from projection_of(index["Projection"], names)
    if not sound or projection is None or table is None:
        return None
    return IndexSchema.of(index["IndexName"], "GSI", _key(schema, names), projection, table)


def unique_name(name: str, names: Names) -> Checks[None]:
    """No two indexes of a table have one name (dataplane:IDX-8)."""
    if name in names.indexes:
        yield violation("indexes.duplicate-name", index=name)
    names.indexes.add(name)


def unit_bounds(units: Mapping[str, Any]) -> Checks[None]:
    """Provisioned units stay within what the service can count (dataplane:TBL-1)."""
    for member in ("ReadCapacityUnits", "WriteCapacityUnits"):
        if units[member] > MAX_UNITS:
            yield violation("tables.units-out-of-bounds", value=units[member], member=member)


def on_demand_range(limits: Mapping[str, Any] | None, lowest: int, of: str = "table") -> Checks[None]:
    """On-demand maxima are at least 1; UpdateTable also takes -1, no limit (dataplane:TBL-9, beyond:CAP-10)."""
    for member in ("MaxReadRequestUnits", "MaxWriteRequestUnits"):
        value = (limits or {}).get(member)
        if value is not None and (value < lowest or value == 0):
            yield violation("tables.on-demand-limit-out-of-range", member=member, of=of)


def first_limit(limits: Mapping[str, Any] | None) -> str | None:
    """The on-demand maximum that an error names: the first one present, read before write (dataplane:TBL-9)."""
    present = (m for m in ("MaxReadRequestUnits", "MaxWriteRequestUnits") if (limits or {}).get(m) is not None)
    return next(present, None)


def _plain_key(schema: Sequence[Mapping[str, str]], names: Names) -> Checks[bool]:
    """A key of one partition attribute and at most one sort attribute; whether it can be used."""
    keys = [element["AttributeName"] for element in schema]
    sound = all(key in names.types for key in keys)
    if len(keys) > 1 and keys[0] == keys[1]:
        yield violation("tables.key-same-name")
        sound = False
    if schema[0]["KeyType"] != "HASH":
        yield violation("tables.key-first-not-hash")
        sound = False
    if len(schema) > 1 and schema[1]["KeyType"] != "RANGE":
        yield violation("tables.key-second-not-range")
        sound = False
    return sound


def _wide_key(schema: Sequence[Mapping[str, str]], names: Names) -> Checks[bool]:
    """A key of a global secondary index: up to four partition attributes, then up to four sort attributes."""
    keys = [element["AttributeName"] for element in schema]
    kinds = [element["KeyType"] for element in schema]
    sound = all(key in names.types for key in keys)
    if len(set(keys)) < len(keys):
        yield violation("indexes.key-same-name")
        sound = False
    if kinds[0] != "HASH":
        yield violation("tables.key-first-not-hash")
        sound = False
    elif "RANGE" in kinds and "HASH" in kinds[kinds.index("RANGE") :]:
        yield violation("indexes.key-hash-after-range")
        sound = False
    for kind, most in (("HASH", MAX_HASH_ATTRIBUTES), ("RANGE", MAX_RANGE_ATTRIBUTES)):
        if kinds.count(kind) > most:
            yield violation("indexes.key-too-many-attributes", kind=kind)
            sound = False
    return sound


def defined_keys(schema: Sequence[Mapping[str, str]], names: Names) -> Checks[None]:
    """Every attribute of a key is declared (dataplane:TBL-2)."""
    keys = [element["AttributeName"] for element in schema]
    names.use(keys)
    if not all(key in names.types for key in keys):
        yield violation("tables.key-undefined", keys=", ".join(keys), definitions=names.told())


def projection_of(projection: Mapping[str, Any], names: Names) -> Checks[Projection | None]:
    """An index's projection (dataplane:TBL-6, XTRA-IDX-1)."""
    kind = projection.get("ProjectionType")
    non_key: list[str] | None = projection.get("NonKeyAttributes")
    if kind is None:
        yield violation("indexes.projection-type-missing")
        return None
    if non_key is not None and kind != "INCLUDE":
        yield violation("indexes.projection-surplus-attributes", type=kind)
    if non_key is None and kind == "INCLUDE":
        yield violation("indexes.projection-attributes-missing")
    counts = Counter(non_key or ())
    twice = next((attribute for attribute, count in counts.items() if count > 1), None)
    if twice is not None:
        yield violation("indexes.projection-duplicate-attribute", attribute=twice)
    if kind == "INCLUDE":
        names.non_key += len(non_key or ())
    return Projection(kind, tuple(non_key or ()))


def total_projection(names: Names) -> Checks[None]:
    """All INCLUDE projections of a table together name at most 100 attributes (dataplane:IDX-1)."""
    if names.non_key > MAX_NON_KEY_ATTRIBUTES:
        yield violation("indexes.projection-too-many-attributes", limit=MAX_NON_KEY_ATTRIBUTES, actual=names.non_key)


def _key(schema: Sequence[Mapping[str, str]], names: Names) -> KeySchema:
    def of(kind: Literal["HASH", "RANGE"]) -> tuple[KeyAttribute, ...]:
        chosen = (element["AttributeName"] for element in schema if element["KeyType"] == kind)
        return tuple(KeyAttribute(name, names.types[name]) for name in chosen)

    return KeySchema(of("HASH"), of("RANGE"))
