"""Global tables of 2017 and auto scaling of replicas: closed, and told so (beyond:GT-9, AS-8)."""

from __future__ import annotations

import pytest

from reference.account import Account
from reference.clock import ManualClock
from reference.requests import operations
from reference.service import Service
from tests.unit.table_requests import IPV, PLAIN, refusal, reply


@pytest.fixture
def service() -> Service:
    made = Service(Account(ManualClock()))
    reply(made, "CreateTable", **PLAIN)
    return made


def test_none_can_be_made(service: Service) -> None:
    asked = {"GlobalTableName": "tab", "ReplicationGroup": [{"RegionName": "us-east-1"}]}
    assert refusal(service, "CreateGlobalTable", **asked) == (
        "ValidationException",
        f"{IPV}DynamoDB global tables version 2017.11.29 is not supported. We recommend using DynamoDB global tables "
        "version 2019.11.21, instead of version 2017.11.29 (Legacy).",
    )


def test_regions_that_never_had_them_name_those_that_had() -> None:
    service = Service(Account(ManualClock(), region="ap-south-1"))
    asked = {"GlobalTableName": "tab", "ReplicationGroup": [{"RegionName": "us-east-1"}]}
    code, message = refusal(service, "CreateGlobalTable", **asked)
    assert code == "ValidationException"
    assert (
        "not supported in this region 'ap-south-1', supported regions are : [eu-west-2, eu-west-1, ap-southeast-1, "
        "ap-southeast-2, ap-northeast-2, eu-central-1, ap-northeast-1, us-east-1, us-east-2, us-west-1, us-west-2]"
    ) in str(message)


@pytest.mark.parametrize(
    "operation",
    ["DescribeGlobalTable", "DescribeGlobalTableSettings", "UpdateGlobalTable", "UpdateGlobalTableSettings"],
)
@pytest.mark.parametrize("name", ["tab", "none"])
def test_none_is_there(service: Service, operation: str, name: str) -> None:
    more = {"ReplicaUpdates": [{"Delete": {"RegionName": "eu-west-1"}}]} if operation == "UpdateGlobalTable" else {}
    lead = "Global table not found: " if operation == "DescribeGlobalTable" else ""
    assert refusal(service, operation, GlobalTableName=name, **more) == (
        "GlobalTableNotFoundException",
        f"{lead}Global table with name: '{name}' does not exist.",
    )


def test_none_is_listed(service: Service) -> None:
    assert reply(service, "ListGlobalTables") == {"GlobalTables": []}
    assert reply(service, "ListGlobalTables", RegionName="eu-west-1") == {"GlobalTables": []}
    broken = ("InternalServerError", "Internal server error")
    assert refusal(service, "ListGlobalTables", RegionName="nowhere") == broken


@pytest.mark.parametrize("operation", ["DescribeTableReplicaAutoScaling", "UpdateTableReplicaAutoScaling"])
@pytest.mark.parametrize("name", ["tab", "arn:aws:dynamodb:us-east-1:400000000004:table/tab"])
def test_no_table_has_replicas(service: Service, operation: str, name: str) -> None:
    missing = ("ResourceNotFoundException", "Global table with name: 'tab' does not exist.")
    assert refusal(service, operation, TableName=name) == missing


def test_every_operation_of_the_model_is_modelled(service: Service) -> None:
    # Other services at the same endpoint have their names before theirs.
    assert operations() == frozenset(name for name in service.operations() if ":" not in name)
