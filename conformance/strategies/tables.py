"""Control-plane requests: tables, their settings, indexes, tags and time to live."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.strategies.draws import Draw, chance, number, pick
from conformance.strategies.schemas import TableWorld

Body = dict[str, Any]
UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}


def create(draw: Draw, world: TableWorld) -> Body:
    """A CreateTable request with some settings, spoilt now and then."""
    body = world.create()
    if chance(draw, 15):
        body["DeletionProtectionEnabled"] = chance(draw, 60)
    if chance(draw, 15):
        body["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": pick(draw, ("NEW_IMAGE", "KEYS_ONLY"))}
    if chance(draw, 10):
        body["TableClass"] = pick(draw, ("STANDARD", "STANDARD_INFREQUENT_ACCESS"))
    if chance(draw, 35):
        pick(draw, MISTAKES)(draw, body)
    return body


def _member(body: Body, name: str) -> list[Body]:
    return [dict(entry) for entry in body.get(name, ())]


def _definitions(draw: Draw, body: Body) -> None:
    choice = pick(draw, ("missing", "surplus", "type", "renamed"))
    held = [dict(d) for d in body["AttributeDefinitions"]]
    if choice == "missing":
        held = held[:-1]
    elif choice == "surplus":
        held.append({"AttributeName": "surplus", "AttributeType": "S"})
    elif choice == "type":
        held[0]["AttributeType"] = pick(draw, ("BOOL", "s", ""))
    else:
        held[-1]["AttributeName"] = "renamed"
    body["AttributeDefinitions"] = held


def _key_schema(draw: Draw, body: Body) -> None:
    first = dict(body["KeySchema"][0])
    body["KeySchema"] = pick(
        draw,
        (
            [first, {**first, "KeyType": "RANGE"}],
            [{**first, "KeyType": "RANGE"}],
            [first, {"AttributeName": "other", "KeyType": "HASH"}],
            [],
            [{**first, "KeyType": "SORT"}],
        ),
    )


def _billing(draw: Draw, body: Body) -> None:
    choice = pick(draw, ("both", "neither", "zero", "mode"))
    if choice == "both":
        body |= {"BillingMode": "PAY_PER_REQUEST", "ProvisionedThroughput": dict(UNITS)}
    elif choice == "neither":
        body.pop("BillingMode", None)
        body.pop("ProvisionedThroughput", None)
    elif choice == "zero":
        body.pop("BillingMode", None)
        body["ProvisionedThroughput"] = {"ReadCapacityUnits": 0, "WriteCapacityUnits": 5}
    else:
        body["BillingMode"] = "ON_DEMAND"


def _index(draw: Draw, body: Body) -> None:
    name = pick(draw, ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"))
    held = _member(body, name)
    choice = pick(draw, ("empty", "twice", "name", "projection", "include", "no-include", "hash"))
    if choice == "empty" or not held:
        body[name] = []
        return
    index = held[0]
    if choice == "twice":
        held.append(dict(index))
    elif choice == "name":
        index["IndexName"] = pick(draw, ("ab", "bad name", ""))
    elif choice == "projection":
        index["Projection"] = pick(draw, ({}, {"ProjectionType": "SOME"}))
    elif choice == "include":
        index["Projection"] = {"ProjectionType": "KEYS_ONLY", "NonKeyAttributes": ["a"]}
    elif choice == "no-include":
        index["Projection"] = {"ProjectionType": "INCLUDE"}
    else:
        index["KeySchema"] = [{"AttributeName": "undefined", "KeyType": "HASH"}]
    body[name] = held


def _name(draw: Draw, body: Body) -> None:
    choice = pick(draw, ("ab", "bad name", "", None))
    if choice is None:
        body.pop("TableName")
    else:
        body["TableName"] = choice


def _stream(draw: Draw, body: Body) -> None:
    body["StreamSpecification"] = pick(
        draw,
        (
            {"StreamEnabled": False, "StreamViewType": "NEW_IMAGE"},
            {"StreamEnabled": True},
            {"StreamEnabled": True, "StreamViewType": "ALL"},
        ),
    )


MISTAKES: tuple[Callable[[Draw, Body], None], ...] = (_definitions, _key_schema, _billing, _index, _name, _stream)


def update(draw: Draw, world: TableWorld) -> Body:
    """An UpdateTable request of one concern."""
    body: Body = {"TableName": world.reference}
    choice = pick(
        draw, ("nothing", "on-demand", "provisioned", "units", "protect", "create-index", "delete-index", "class")
    )
    if choice == "on-demand":
        body["BillingMode"] = "PAY_PER_REQUEST"
    elif choice == "provisioned":
        body["BillingMode"] = "PROVISIONED"
        if chance(draw, 70):
            body["ProvisionedThroughput"] = dict(UNITS)
    elif choice == "units":
        body["ProvisionedThroughput"] = {"ReadCapacityUnits": number(draw, 4, 6), "WriteCapacityUnits": 5}
    elif choice == "protect":
        body["DeletionProtectionEnabled"] = chance(draw, 40)
    elif choice == "create-index":
        body |= _new_index(draw, world)
    elif choice == "delete-index":
        names = [index.name for index in world.indexes] or ["absent"]
        body["GlobalSecondaryIndexUpdates"] = [{"Delete": {"IndexName": pick(draw, (*names, "absent"))}}]
    elif choice == "class":
        body["TableClass"] = pick(draw, ("STANDARD", "STANDARD_INFREQUENT_ACCESS"))
    return body


def _new_index(draw: Draw, world: TableWorld) -> Body:
    created: Body = {
        "IndexName": pick(draw, ("added", "by-g")),
        "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": pick(draw, ("ALL", "KEYS_ONLY"))},
    }
    if not world.on_demand and chance(draw, 80):
        created["ProvisionedThroughput"] = dict(UNITS)
    body: Body = {"GlobalSecondaryIndexUpdates": [{"Create": created}]}
    if chance(draw, 80):
        body["AttributeDefinitions"] = [{"AttributeName": "g", "AttributeType": "S"}]
    return body


def time_to_live(draw: Draw, world: TableWorld) -> Body:
    """An UpdateTimeToLive request."""
    setting = {"Enabled": chance(draw, 65), "AttributeName": pick(draw, ("expires", "a"))}
    return {"TableName": world.reference, "TimeToLiveSpecification": setting}
