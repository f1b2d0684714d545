"""CreateTable: the checks that the service makes by hand, in its order, and the table they allow."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from reference.rules import Checks, violation
from reference.tables import definition, encryption, policies, policy_documents, streaming, tags, vectors
from reference.tables.definition import Names
from reference.tables.limits import Limits
from reference.tables.schema import IndexSchema, KeySchema
from reference.tables.settings import TableSettings
from reference.tables.table import Index, Table
from reference.tables.vector import VectorIndex

ON_DEMAND_WARM = (12_000, 4_000)
"""Read and write units per second that a new on-demand table serves (beyond:CAP-11)."""
NAME_MEMBERS = ("ReadUnitsPerSecond", "WriteUnitsPerSecond")


@dataclass(frozen=True, slots=True)
class Place:
    """What a table is made with: name, ARN, id, the moment (epoch seconds), labels of its namesakes' streams.

    ``revision`` is the latest that any policy of the account has had.
    """

    name: str
    arn: str
    id: str
    now: float
    limits: Limits
    taken_labels: Collection[str] = ()
    revision: int = 0


@dataclass(slots=True)
class _Shape:
    """What the checks found out about a table's key and indexes."""

    names: Names
    key: KeySchema | None = None
    local: list[IndexSchema] | None = None
    everywhere: list[tuple[IndexSchema, Mapping[str, Any]]] | None = None
    vectors: list[VectorIndex] | None = None


def new_table(body: Mapping[str, Any], place: Place) -> Checks[Table | None]:
    """The table that a CreateTable request describes, CREATING and empty (dataplane:TBL-1 … TBL-9)."""
    on_demand = body.get("BillingMode") == "PAY_PER_REQUEST"
    shape, sound = yield from definition.watched(_checks(body, place, on_demand=on_demand))
    return _build(body, shape, place, on_demand=on_demand) if sound else None


def _checks(body: Mapping[str, Any], place: Place, *, on_demand: bool) -> Checks[_Shape]:
    yield from _billing(body, on_demand=on_demand)
    shape = yield from _shape(body, on_demand=on_demand)
    yield from _stream(body.get("StreamSpecification"))
    yield from encryption.checks(body.get("SSESpecification"))
    yield from tags.new_tags(body.get("Tags") or ())
    yield from tags.tag_count(body.get("Tags") or (), {}, place.limits.tags)
    yield from _warm(body, on_demand=on_demand)
    if body.get("ResourcePolicy") is not None:
        yield from policy_documents.check(body["ResourcePolicy"], place.arn)
    return shape


def _billing(body: Mapping[str, Any], *, on_demand: bool) -> Checks[None]:
    units = body.get("ProvisionedThroughput")
    if on_demand and units is not None:
        yield violation("tables.units-on-demand")
    if not on_demand and units is None:
        yield violation("tables.units-missing")
    if not on_demand and units is not None:
        yield from definition.unit_bounds(units)
    limits = body.get("OnDemandThroughput")
    member = definition.first_limit(limits)
    if not on_demand and member is not None:
        yield violation("tables.on-demand-limit-provisioned", member=member)
    yield from definition.on_demand_range(limits, 1)


def _shape(body: Mapping[str, Any], *, on_demand: bool) -> Checks[_Shape]:
    schema = body["KeySchema"]
    shape = _Shape(Names.of(body.get("AttributeDefinitions")))
    names = shape.names
    members = ("LocalSecondaryIndexes", "GlobalSecondaryIndexes", "VectorIndexes")
    alone = all(body.get(member) is None for member in members)
    shape.key = yield from definition.table_key(schema, names, alone=alone)
    for member in members[:2]:
        for index in body.get(member) or ():
            yield from definition.defined_keys(index["KeySchema"], names)
    if body.get("LocalSecondaryIndexes") is not None:
        shape.local = yield from _locals(body["LocalSecondaryIndexes"], schema, shape)
    searched = body.get("VectorIndexes") or ()
    for index in searched:
        names.use(element["AttributeName"] for element in index.get("SearchSchema") or ())
    if not alone:
        yield from names.unused([index["VectorAttribute"]["AttributeName"] for index in searched])
    if body.get("GlobalSecondaryIndexes") is not None:
        shape.everywhere = yield from _globals(body["GlobalSecondaryIndexes"], shape, on_demand=on_demand)
    if body.get("VectorIndexes") is not None:
        shape.vectors = yield from vectors.new_indexes(body["VectorIndexes"], names, on_demand=on_demand)
    yield from definition.total_projection(names)
    return shape


def _locals(indexes: list[dict[str, Any]], schema: list[dict[str, str]], shape: _Shape) -> Checks[list[IndexSchema]]:
    if not indexes:
        yield violation("indexes.local-list-empty")
    elif len(schema) < 2:
        yield violation("indexes.local-on-hash-only-table")
    found = []
    for index in indexes:
        built = yield from definition.local_index(index, shape.names, schema, shape.key)
        if built is not None:
            found.append(built)
    if len(indexes) > definition.MAX_LOCAL:
        yield violation("indexes.local-limit")
    return found


def _globals(
    indexes: list[dict[str, Any]], shape: _Shape, *, on_demand: bool
) -> Checks[list[tuple[IndexSchema, Mapping[str, Any]]]]:
    if not indexes:
        yield violation("indexes.global-list-empty")
    found: list[tuple[IndexSchema, Mapping[str, Any]]] = []
    for index in indexes:
        built = yield from definition.global_index(index, shape.names, shape.key)
        yield from index_billing(index, on_demand=on_demand)
        yield from definition.unique_name(index["IndexName"], shape.names)
        if built is not None:
            found.append((built, index))
    if len(indexes) > definition.MAX_GLOBAL:
        yield violation("indexes.global-limit")
    return found


def index_billing(index: Mapping[str, Any], *, on_demand: bool) -> Checks[None]:
    """Throughput of a global secondary index fits the table's billing mode (dataplane:TBL-5)."""
    name, units = index["IndexName"], index.get("ProvisionedThroughput")
    if on_demand and units is not None:
        yield violation("indexes.units-on-demand", index=name)
    if not on_demand and units is None:
        yield violation("indexes.units-not-specified", index=name)
    yield from throughput_beside_units(index, on_demand=on_demand)


def throughput_beside_units(index: Mapping[str, Any], *, on_demand: bool) -> Checks[None]:
    """On-demand maxima and warm throughput of a new global secondary index (dataplane:TBL-9, beyond:CAP-11)."""
    name, units = index["IndexName"], index.get("ProvisionedThroughput")
    limits = index.get("OnDemandThroughput")
    member = definition.first_limit(limits)
    if not on_demand and member is not None:
        yield violation("indexes.on-demand-limit-provisioned", member=member, index=name)
    yield from definition.on_demand_range(limits, 1, f"index : {name}")
    yield from warm_floor(index.get("WarmThroughput"), units, f"index {name}")


def _stream(specification: Mapping[str, Any] | None) -> Checks[None]:
    """StreamSpecification of a new table (beyond:STR-2)."""
    if specification is None:
        return
    enabled, view_type = specification.get("StreamEnabled"), specification.get("StreamViewType")
    if not enabled and view_type is not None:
        yield violation("tables.stream-off-with-view-type")
    if enabled and view_type is None:
        yield violation("tables.stream-on-without-view-type")


def _warm(body: Mapping[str, Any], *, on_demand: bool) -> Checks[None]:
    yield from warm_floor(body.get("WarmThroughput"), None if on_demand else body.get("ProvisionedThroughput"), "table")


def warm_floor(warm: Mapping[str, Any] | None, units: Mapping[str, Any] | None, of: str) -> Checks[None]:
    """Warm throughput asked for at creation is not below what the table has anyway (beyond:CAP-11)."""
    for i, member in enumerate(NAME_MEMBERS):
        asked = (warm or {}).get(member)
        if asked is None:
            continue
        if units is None and asked < ON_DEMAND_WARM[i]:
            yield violation("tables.warm-below-on-demand", member=member, of=of)
        provisioned = ("ReadCapacityUnits", "WriteCapacityUnits")[i]
        if units is not None and asked < units[provisioned]:
            yield violation("tables.warm-below-provisioned", member=member, of=of, provisioned=provisioned)


def _build(body: Mapping[str, Any], shape: _Shape, place: Place, *, on_demand: bool) -> Table:
    assert shape.key is not None
    settings = TableSettings()
    settings.attribute_types = {name: shape.names.types[name] for name in shape.names.types}
    set_throughput(settings, body, place.now, on_demand=on_demand)
    settings.deletion_protection = bool(body.get("DeletionProtectionEnabled"))
    settings.tags = tags.merged({}, body.get("Tags") or ())
    settings.table_class = body.get("TableClass")
    if body.get("ResourcePolicy") is not None:
        settings.policies = {place.arn: policies.revised(None, body["ResourcePolicy"], place.now, place.revision)}
    specification = body.get("SSESpecification") or {}
    if encryption.wanted(specification):
        settings.sse_key = encryption.key_arn(place.arn, specification.get("KMSMasterKeyId"))
    table = Table(place.name, shape.key, settings, arn=place.arn, id=place.id, created=place.now)
    table.status = "CREATING"
    for schema in shape.local or ():
        table.indexes[schema.name] = Index(schema, TableSettings(), place.now)
    for schema, index in shape.everywhere or ():
        table.indexes[schema.name] = new_index(schema, index, place.now, on_demand=on_demand)
    settings.vectors = {each.name: each for each in shape.vectors or ()}
    stream = body.get("StreamSpecification") or {}
    if stream.get("StreamEnabled"):
        label = streaming.label(place.now, place.taken_labels)
        streaming.switch_on(settings, stream["StreamViewType"], label, place.now, table.sequence)
    return table


def new_index(schema: IndexSchema, index: Mapping[str, Any], now: float, *, on_demand: bool) -> Index:
    """A global secondary index that is CREATING."""
    settings = TableSettings()
    set_throughput(settings, index, now, on_demand=on_demand)
    made = Index(schema, settings, now)
    made.status = "CREATING"
    return made


def set_throughput(settings: TableSettings, body: Mapping[str, Any], now: float, *, on_demand: bool) -> None:
    """Take over the billing mode and capacity members of a new table or index."""
    units, limits = body.get("ProvisionedThroughput") or {}, body.get("OnDemandThroughput") or {}
    settings.billing_mode = "PAY_PER_REQUEST" if on_demand else "PROVISIONED"
    settings.on_demand_since = now if on_demand else None
    settings.read_units, settings.write_units = units.get("ReadCapacityUnits", 0), units.get("WriteCapacityUnits", 0)
    settings.max_read_request_units = limits.get("MaxReadRequestUnits")
    settings.max_write_request_units = limits.get("MaxWriteRequestUnits")
    floor = ON_DEMAND_WARM if on_demand else (settings.read_units, settings.write_units)
    warm = body.get("WarmThroughput") or {}
    settings.warm_read, settings.warm_write = (
        warm.get(member, least) for member, least in zip(NAME_MEMBERS, floor, strict=True)
    )
    if warm:
        settings.warm_status = "UPDATING"
