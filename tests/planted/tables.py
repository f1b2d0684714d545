"""Bugs of the control plane."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.checks.base import T0, table
from conformance.checks.steps import PLAIN, SORTED, describe, put, query, s
from conformance.program import Step
from reference.api import Call, Json, Refusal, Reply, Success
from reference.service import Service
from reference.tables.table import Table
from tests.planted.base import Body, Executes, Plant, answers, patched, plant, refuses


def _shown(change: Any) -> Any:
    """DescribeTable altered."""

    def alter(service: Service, call: Call, body: Body) -> Body:
        return {**body, "Table": change(dict(body["Table"]))}

    return answers(alter, "DescribeTable")


def _without(*members: str) -> Any:
    return lambda shown: {name: value for name, value in shown.items() if name not in members}


def _turned(shown: Body) -> Body:
    return {**shown, "KeySchema": shown["KeySchema"][::-1]}


def _projections_all(shown: Body) -> Body:
    """Every index is described as projecting ALL."""
    for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if member in shown:
            shown[member] = [{**index, "Projection": {"ProjectionType": "ALL"}} for index in shown[member]]
    return shown


def _protected_unsaid(shown: Body) -> Body:
    return {**shown, "DeletionProtectionEnabled": False}


class _Replaces:
    """CreateTable of a table that exists makes it anew."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def execute(self, call: Call) -> Reply:
        found = self.service.outcomes(call).violations if call.operation == "CreateTable" else ()
        if [each.rule.name for each in found] == ["tables.exists"]:
            self.service.execute(Call("DeleteTable", {"TableName": call.body["TableName"]}))
        return self.service.execute(call)


class _Unprotected:
    """Deletion protection does not protect."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def execute(self, call: Call) -> Reply:
        found = self.service.outcomes(call).violations if call.operation == "DeleteTable" else ()
        if [each.rule.name for each in found] == ["tables.protected"]:
            body = {"TableName": call.body["TableName"], "DeletionProtectionEnabled": False}
            self.service.execute(Call("UpdateTable", body))
        return self.service.execute(call)


class _Haunted:
    """A table made anew under an old name still holds the old items."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.graves: dict[str, list[Json]] = {}

    def execute(self, call: Call) -> Reply:
        name = call.body.get("TableName") if isinstance(call.body, dict) else None
        held = self.service.account.tables.get(name) if isinstance(name, str) else None
        before = list(held.items()) if held is not None else []
        reply = self.service.execute(call)
        if isinstance(reply, Success) and call.operation == "DeleteTable" and before:
            self.graves[str(name)] = before
        if isinstance(reply, Success) and call.operation == "CreateTable":
            made = self.service.account.tables[str(name)]
            for item in self.graves.pop(str(name), []):
                if made.view.row_key(item) is not None:
                    made.install(item, item)
        return reply


def _described_deleted(service: Service, call: Call, body: Body) -> Body:
    """DeleteTable describes the keys of the table it deletes."""
    schema = [{"AttributeName": "pk", "KeyType": "HASH"}]
    return {**body, "TableDescription": {**body["TableDescription"], "KeySchema": schema}}


def _described(service: Service, call: Call, reply: Refusal) -> Reply:
    """What is wrong with the request is passed over, and the table described."""
    shown = service.execute(Call("DescribeTable", {"TableName": call.body["TableName"]}))
    return Success({"TableDescription": shown.body["Table"]}) if isinstance(shown, Success) else reply


def _no_backfill(self: Table, index: Any) -> None:
    """An index that is added later is empty of what was there."""


def _time_to_live_unnamed(service: Service, call: Call, body: Body) -> Body:
    return {"TimeToLiveDescription": {k: v for k, v in body["TimeToLiveDescription"].items() if k != "AttributeName"}}


def _billing_unsaid(service: Service, call: Call, body: Body) -> Body:
    shown = {k: v for k, v in body["TableDescription"].items() if k != "BillingModeSummary"}
    return {**body, "TableDescription": shown}


def _control(name: str, about: str, tables: Any, *steps: Step, **hooks: Any) -> Plant:
    return plant(name, about, "tables", tables, *steps, **hooks)


def _class(name: str, about: str, kind: Any, *steps: Step) -> Plant:
    wrap: type[Executes] = kind
    return replace(_control(name, about, PLAIN, *steps), wrap=wrap)


def _update_table(**members: Any) -> Step:
    return Step("UpdateTable", {"TableName": T0, **members})


_DELETE = Step("DeleteTable", {"TableName": T0})
_CREATE = Step("CreateTable", table())
_PROTECTED = {"t0": {**table(), "DeletionProtectionEnabled": True}}
_KEYS = {"t0": table(gsi=["by-g=g:S/KEYS_ONLY"])}
_NEW_INDEX = _update_table(
    AttributeDefinitions=[{"AttributeName": "g", "AttributeType": "S"}],
    GlobalSecondaryIndexUpdates=[{"Create": {
        "IndexName": "added", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }}],
)  # fmt: skip
_EXPIRES = Step(
    "UpdateTimeToLive",
    {"TableName": T0, "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "expires"}},
)

PLANTS: tuple[Plant, ...] = (
    _class("create-replaces", "CreateTable of a table that exists makes it anew.", _Replaces, put(), _CREATE),
    _class(
        "table-keeps-old-items", "A table made anew under an old name still holds the old items.",
        _Haunted, put(), _DELETE, _CREATE,
    ),
    _control(
        "describe-key-schema-turned", "DescribeTable shows the sort key first.",
        SORTED, describe(), says=_shown(_turned),
    ),
    _control(
        "describe-without-indexes", "DescribeTable does not show global indexes.",
        _KEYS, describe(), says=_shown(_without("GlobalSecondaryIndexes")),
    ),
    _control(
        "describe-projections-all", "DescribeTable shows every projection as ALL.",
        _KEYS, describe(), says=_shown(_projections_all),
    ),
    _control(
        "describe-unprotected", "DescribeTable does not show deletion protection.",
        _PROTECTED, describe(), says=_shown(_protected_unsaid),
    ),
    _control(
        "describe-without-definitions", "DescribeTable has no AttributeDefinitions.",
        PLAIN, describe(), says=_shown(_without("AttributeDefinitions")),
    ),
    replace(
        _control("delete-protected", "A protected table can be deleted.", _PROTECTED, _DELETE), wrap=_Unprotected
    ),
    _control(
        "delete-describes-keys", "DeleteTable describes the keys of the table.",
        PLAIN, _DELETE, says=answers(_described_deleted, "DeleteTable"),
    ),
    _control(
        "index-not-backfilled", "An index that is added later lacks the items that were there.",
        PLAIN, put({"g": s("x")}), _NEW_INDEX, query("g = :g", {"g": s("x")}, IndexName="added"),
        patches=(patched(Table, fill=_no_backfill),),
    ),
    _control(
        "update-of-nothing-accepted", "UpdateTable without any change is accepted.",
        PLAIN, _update_table(), says=refuses("tables.update-nothing", _described),
    ),
    _control(
        "ttl-without-name", "DescribeTimeToLive does not name the attribute.",
        PLAIN, _EXPIRES, Step("DescribeTimeToLive", {"TableName": T0}),
        says=answers(_time_to_live_unnamed, "DescribeTimeToLive"),
    ),
    _control(
        "create-without-billing", "CreateTable does not answer the billing mode.",
        {}, _CREATE, says=answers(_billing_unsaid, "CreateTable"),
    ),
)  # fmt: skip
