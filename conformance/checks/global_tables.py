"""Checks of the operations on global tables of 2017, and of the scaling of replicas."""

from __future__ import annotations

from conformance.checks.base import T0, Check
from conformance.checks.steps import PLAIN, answers, describe, refuses
from conformance.program import Step
from reference.api import Json


def _named(operation: str, **members: Json) -> Step:
    return Step(operation, {"GlobalTableName": T0, **members})


_LIST = Step("ListGlobalTables", {})
_NOWHERE = f"Global table with name: '{T0}' does not exist."

CHECKS: tuple[Check, ...] = (
    *(
        refuses(
            "global-tables.version-closed",
            step,
            "One or more parameter values were invalid: DynamoDB global tables version 2017.11.29 is not supported. We "
            "recommend using DynamoDB global tables version 2019.11.21, instead of version 2017.11.29 (Legacy).",
            control=_LIST,
            name=step.operation,
        )
        for step in (
            _named("CreateGlobalTable", ReplicationGroup=[{"RegionName": "us-east-1"}]),
            _named("UpdateGlobalTable", ReplicaUpdates=[{"Create": {"RegionName": "eu-west-1"}}]),
        )
    ),
    refuses(
        "global-tables.no-update",
        _named("UpdateGlobalTable", ReplicaUpdates=[]),
        "One or more parameter values were invalid",
        control=_LIST,
    ),
    refuses(
        "global-tables.no-update",
        _named("UpdateGlobalTable", ReplicaUpdates=[{}]),
        "One or more parameter values were invalid",
        control=_LIST,
        name="an empty one",
    ),
    *(
        refuses(
            "global-tables.not-found",
            step,
            lead + _NOWHERE,
            code="GlobalTableNotFoundException",
            control=describe(),
            name=step.operation,
        )
        for step, lead in (
            (_named("DescribeGlobalTable"), "Global table not found: "),
            (_named("DescribeGlobalTableSettings"), ""),
            (_named("UpdateGlobalTable", ReplicaUpdates=[{"Delete": {"RegionName": "eu-west-1"}}]), ""),
            (_named("UpdateGlobalTableSettings", GlobalTableBillingMode="PAY_PER_REQUEST"), ""),
        )
    ),
    answers("global-tables.list", _LIST, has={"GlobalTables": []}, tables=PLAIN),
    refuses(
        "global-tables.list-region",
        Step("ListGlobalTables", {"RegionName": "nowhere"}),
        "Internal server error",
        code="InternalServerError",
        control=Step("ListGlobalTables", {"RegionName": "us-east-1"}),
    ),
    *(
        refuses(
            "scaling.no-replicas",
            step,
            _NOWHERE,
            code="ResourceNotFoundException",
            control=describe(),
            name=step.operation,
        )
        for step in (
            Step("DescribeTableReplicaAutoScaling", {"TableName": T0}),
            Step(
                "UpdateTableReplicaAutoScaling",
                {
                    "TableName": T0,
                    "ProvisionedWriteCapacityAutoScalingUpdate": {
                        "MinimumUnits": 1,
                        "MaximumUnits": 9,
                        "ScalingPolicyUpdate": {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0}},
                    },
                },
            ),
        )
    ),
)
