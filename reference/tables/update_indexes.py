"""The index part of UpdateTable: create, change and delete global secondary and vector indexes (dataplane:TBL-13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reference.rules import Checks, violation
from reference.tables import create, definition, maxima, vectors
from reference.tables.definition import Names
from reference.tables.table import Index, Table
from reference.tables.update import (
    Body,
    Plan,
    State,
    actions,
    plan_units,
    plan_warmth,
    quotas,
    set_limits,
)

Action = Mapping[str, Any]


def plan_indexes(body: Body, state: State, plan: Plan) -> Checks[None]:
    """Every index change of a request: what forbids it, and what it does."""
    wanted = actions(body)
    names = _names(body, state)
    for member, kind, action in wanted:
        if _status(action["IndexName"], state) == "DELETING":
            # Refused when the table's state was looked at.
            continue
        if kind != "Update":
            yield from _one_online(action["IndexName"], kind, state)
        if member == "VectorIndexUpdates":
            if kind == "Create":
                yield from _create_vector(body, action, names, state, plan)
            elif kind == "Delete":
                yield from _delete_vector(action["IndexName"], state, plan)
        elif kind == "Create":
            yield from _create(body, action, names, state, plan)
        elif kind == "Delete":
            yield from _delete(action["IndexName"], state, plan)
        else:
            yield from _change(body, action, state, plan)


def _names(body: Body, state: State) -> Names:
    """What the request declares, and the index names and projected attributes the table has already."""
    names = Names.of(body.get("AttributeDefinitions"))
    names.indexes = {*state.table.indexes, *state.settings.vectors}
    projections = [index.schema.projection for index in state.table.indexes.values()]
    projections += [vector.projection for vector in state.settings.vectors.values()]
    names.non_key = sum(len(each.non_key) for each in projections if each.type == "INCLUDE")
    return names


def _status(name: str, state: State) -> str | None:
    """The status of an index of either kind, None where there is none."""
    held = state.table.indexes.get(name) or state.settings.vectors.get(name)
    return None if held is None else held.status


def _one_online(name: str, kind: str, state: State) -> Checks[None]:
    """One index of a table at a time is created or deleted; one that is being filled may be deleted."""
    building = {n: i.status for n, i in state.table.indexes.items() if i.status in ("CREATING", "DELETING")}
    building |= {n: v.status for n, v in state.settings.vectors.items() if v.status in ("CREATING", "DELETING")}
    if kind == "Delete" and building.get(name) == "CREATING":
        del building[name]
    if building and state.table.status != "CREATING":
        yield violation("indexes.one-online")


def _create(body: Body, action: Action, names: Names, state: State, plan: Plan) -> Checks[None]:
    name, table, now = action["IndexName"], state.table, state.now
    if name in names.indexes:
        yield violation("indexes.exists", index=name)
    if body.get("AttributeDefinitions") is None:
        yield violation("indexes.definitions-missing", index=name)
    else:
        yield from definition.defined_keys(action["KeySchema"], names)
    schema = yield from definition.global_index(action, names, table.key)
    keys = [element["AttributeName"] for element in action["KeySchema"]]
    yield from _redefined(keys, names, state)
    mode = body.get("BillingMode") or state.settings.billing_mode
    on_demand = mode == "PAY_PER_REQUEST"
    if on_demand and action.get("ProvisionedThroughput") is not None:
        yield violation("indexes.new-units-on-demand", index=name)
    if not on_demand and action.get("ProvisionedThroughput") is None:
        yield violation("indexes.new-units-missing", index=name)
    yield from create.throughput_beside_units(action, on_demand=on_demand)
    if action.get("ProvisionedThroughput") is not None:
        yield from quotas(state, action["ProvisionedThroughput"], 0, 0, name)
    yield from maxima.limit_quota(action.get("OnDemandThroughput") or {}, state.limits, state.region, f"index : {name}")
    yield from maxima.warm_quota(action.get("WarmThroughput") or {}, state.limits, state.region, f"index {name}")
    yield from definition.total_projection(names)
    if sum(index.schema.kind == "GSI" for index in table.indexes.values()) >= definition.MAX_GLOBAL:
        yield violation("indexes.global-limit-added")
    if schema is None:
        return
    made = schema
    types = {key: names.types[key] for key in keys}

    def step(table: Table) -> None:
        index = create.new_index(made, action, now, on_demand=on_demand)
        index.backfilling = False
        table.indexes[name] = index
        declare(table, types)

    plan.steps.append(step)
    plan.busy("index")
    plan.events.append(("index-allocated", (name,)))


def _redefined(keys: list[str], names: Names, state: State) -> Checks[None]:
    """A key attribute of the new index keeps the type it has in the table (conflicts:77)."""
    held = state.settings.attribute_types
    for key in keys:
        if key in held and key in names.types and names.types[key] != held[key]:
            yield violation("indexes.attribute-redefined", key=key, held=held[key], wanted=names.types[key])
            return


def _delete(name: str, state: State, plan: Plan) -> Checks[None]:
    index = state.table.indexes.get(name)
    if index is None:
        yield violation("indexes.not-found", index=name, table=state.table.name)
        return
    if index.schema.kind == "LSI":
        yield violation("indexes.delete-local", index=name)
        return
    if index.status == "CREATING" and index.backfilling is False:
        yield violation("indexes.delete-while-allocating", table=state.table.name, index=name)

    def step(table: Table) -> None:
        table.indexes[name].status = "DELETING"
        table.indexes[name].backfilling = None
        prune(table)

    plan.steps.append(step)
    plan.busy("index")
    plan.events.append(("index-gone", (name,)))


def prune(table: Table) -> None:
    """Drop attribute definitions that only a deleted index used; the answer shows it at once (dataplane:TBL-14)."""
    used = {*table.key.names}
    for index in table.indexes.values():
        if index.status != "DELETING":
            used.update(index.schema.key.names)
    for vector in table.settings.vectors.values():
        if vector.status != "DELETING":
            used.update(name for name, _ in vector.search_schema)
    types = table.settings.attribute_types
    table.settings.attribute_types = {name: kind for name, kind in types.items() if name in used}


def _change(body: Body, action: Action, state: State, plan: Plan) -> Checks[None]:
    """New throughput of an index (beyond:CAP-6, TBL-3)."""
    name = action["IndexName"]
    index = state.table.indexes.get(name)
    if index is None:
        lost = action.get("WarmThroughput") and not action.get("ProvisionedThroughput")
        rule = "indexes.update-warm-not-found" if lost else "indexes.update-not-found"
        yield violation(rule, index=name, table=state.table.name)
        return
    if index.schema.kind != "GSI":
        yield violation("indexes.update-local", index=name)
        return
    units, limits = action.get("ProvisionedThroughput"), action.get("OnDemandThroughput")
    if units is None and not limits and not action.get("WarmThroughput"):
        on_demand = (body.get("BillingMode") or state.settings.billing_mode) == "PAY_PER_REQUEST"
        yield violation("indexes.update-nothing" if on_demand else "indexes.update-blocked", index=name)
    if index.status == "CREATING" and not index.backfilling:
        yield violation("indexes.change-while-allocating", table=state.table.name, index=name)
    if index.status == "UPDATING":
        yield violation("indexes.updating", table=state.table.name, index=name)
    if units is not None:
        yield from _change_units(body, name, index, units, state, plan)
    if limits:
        yield from _change_limits(body, name, limits, state, plan)
    yield from maxima.warm_quota(action.get("WarmThroughput") or {}, state.limits, state.region, f"index {name}")
    yield from plan_warmth(action.get("WarmThroughput"), index.settings, plan, name)


def _change_units(
    body: Body, name: str, index: Index, units: Mapping[str, Any], state: State, plan: Plan
) -> Checks[None]:
    target = body.get("BillingMode") or state.settings.billing_mode
    if target == "PAY_PER_REQUEST":
        yield violation("indexes.update-nothing", index=name)
        return
    if state.settings.on_demand:
        yield from quotas(state, units, 0, 0, name)
        return
    yield from plan_units(units, state, index.settings, plan, name)
    plan.steps.append(lambda table: _begin_update(table.indexes[name]))


def _change_limits(body: Body, name: str, limits: Mapping[str, Any], state: State, plan: Plan) -> Checks[None]:
    """New maximum request units of an index: they show at once, though the index is UPDATING for a while."""
    if (body.get("BillingMode") or state.settings.billing_mode) == "PROVISIONED":
        member = definition.first_limit(limits)
        yield violation("indexes.update-on-demand-limit-provisioned", member=member, index=name)
    yield from definition.on_demand_range(limits, -1, f"index : {name}")
    yield from maxima.limit_quota(limits, state.limits, state.region, f"index : {name}")

    def step(table: Table) -> None:
        set_limits(table.indexes[name].settings, limits)
        _begin_update(table.indexes[name])

    plan.steps.append(step)
    plan.events += [("limits-lifted", ()), ("index-updated", (name,))]


def _begin_update(index: Index) -> None:
    if index.status == "ACTIVE":
        index.status = "UPDATING"


def _create_vector(body: Body, action: Action, names: Names, state: State, plan: Plan) -> Checks[None]:
    name, held, now = action["IndexName"], state.settings, state.now
    on_demand = (body.get("BillingMode") or held.billing_mode) == "PAY_PER_REQUEST"
    if not on_demand:
        yield violation("vectors.on-demand-only")
    if name in names.indexes:
        yield violation("indexes.exists", index=name)
    sizes = {vector.attribute: vector.dimensions for vector in held.vectors.values()}
    # A taken name has been told of; the definition's own check would tell of it again, in other words.
    free = replace(names, indexes=set())
    built = yield from vectors.new_index(action, free, sizes)
    keys = [element["AttributeName"] for element in action.get("SearchSchema") or ()]
    yield from _redefined(keys, names, state)
    attribute = action["VectorAttribute"]["AttributeName"]
    if attribute in held.attribute_types and attribute not in names.types:
        kind, dimensions = held.attribute_types[attribute], action["Dimensions"]
        yield violation("vectors.attribute-redefined", key=attribute, held=kind, dimensions=dimensions)
    yield from definition.total_projection(free)
    if len(held.vectors) >= vectors.MAX_INDEXES:
        yield violation("vectors.update-limit")
    if built is None:
        return
    made = replace(built, backfilling=False, created=now)
    types = {key: names.types[key] for key in keys if key in names.types}

    def step(table: Table) -> None:
        table.settings.vectors = {**table.settings.vectors, name: made}
        declare(table, types)

    plan.steps.append(step)
    plan.busy("index")
    plan.events.append(("index-allocated", (name,)))


def declare(table: Table, types: Mapping[str, str]) -> None:
    """Add attribute definitions; a type declared before stays as it is (dataplane:TBL-14)."""
    table.settings.attribute_types = {**table.settings.attribute_types, **types, **table.settings.attribute_types}


def _delete_vector(name: str, state: State, plan: Plan) -> Checks[None]:
    vector = state.settings.vectors.get(name)
    if vector is None:
        yield violation("indexes.not-found", index=name, table=state.table.name)
        return
    if vector.status == "CREATING" and vector.backfilling is False:
        yield violation("indexes.delete-while-allocating", table=state.table.name, index=name)

    def step(table: Table) -> None:
        gone = replace(table.settings.vectors[name], status="DELETING", backfilling=None)
        table.settings.vectors = {**table.settings.vectors, name: gone}
        prune(table)

    plan.steps.append(step)
    plan.busy("index")
    plan.events.append(("index-gone", (name,)))
