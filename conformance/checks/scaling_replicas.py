"""Checks of the auto scaling of replicas, which is DynamoDB's own view of the targets and policies in every region."""

from __future__ import annotations

from typing import Any

from conformance.checks.base import T0, Check, table
from conformance.checks.global_tables_replicas import (
    HERE,
    INDEXED,
    JOINED,
    PROVISIONED,
    SCALED,
    THERE,
)
from conformance.checks.steps import answers, refuses
from conformance.program import Step
from reference.api import Json

_FAILED = f"Failed to update settings for global table with name: ‘{T0}’"
_OFF: Json = {"AutoScalingDisabled": True, "ScalingPolicies": []}
_INDEX_SLOT = {"ResourceId": f"table/{T0}/index/by-g", "ScalableDimension": "dynamodb:index:WriteCapacityUnits"}
_READY = [*SCALED, *JOINED]
_READ_NAME = f"DynamoDBReadCapacityUtilization:table/{T0}"
_WRITE_NAME = f"DynamoDBWriteCapacityUtilization:table/{T0}"


def _tracking(value: float = 70.0, **members: Json) -> dict[str, Json]:
    return {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": value}, **members}


def _settings(least: int | None = 5, most: int | None = 20, **members: Json) -> dict[str, Json]:
    given: dict[str, Json] = {"MinimumUnits": least, "MaximumUnits": most, "ScalingPolicyUpdate": _tracking()}
    return {name: value for name, value in {**given, **members}.items() if value is not None}


def _update(**members: Json) -> Step:
    return Step("UpdateTableReplicaAutoScaling", {"TableName": T0, **members})


def _writes(settings: Json) -> Step:
    return _update(ProvisionedWriteCapacityAutoScalingUpdate=settings)


def _reads(settings: Json, region: str = HERE) -> Step:
    return _regions({"RegionName": region, "ReplicaProvisionedReadCapacityAutoScalingUpdate": settings})


def _regions(*updates: Json) -> Step:
    return _update(ReplicaUpdates=list(updates))


def _index_writes(name: str) -> Step:
    return _update(
        GlobalSecondaryIndexUpdates=[
            {"IndexName": name, "ProvisionedWriteCapacityAutoScalingUpdate": _settings()},
        ]
    )


def _index_reads(name: str) -> Step:
    indexes = [{"IndexName": name, "ProvisionedReadCapacityAutoScalingUpdate": _settings()}]
    return _regions({"RegionName": HERE, "ReplicaGlobalSecondaryIndexUpdates": indexes})


_SHOWN = Step("DescribeTableReplicaAutoScaling", {"TableName": T0})

_AT = "TableAutoScalingDescription.Replicas"
_WHOLE = _reads(_settings())


def _of_index(step: Step) -> Step:
    return Step(step.operation, {**step.body, **_INDEX_SLOT})


def _refused(rule: str, when: Step, message: str | None = None, *, code: str = "ValidationException",
             phrase: str | None = None, name: str = "", given: Any = None, tables: Any = None) -> Check:  # fmt: skip
    return refuses(
        rule, when, message, phrase=phrase, code=code, name=name, control=_WHOLE if tables is None else _SHOWN,
        given=_READY if given is None else given, tables=tables or PROVISIONED,
    )  # fmt: skip


_NEW_INDEX = {
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "h", "AttributeType": "S"},
    ],
    "GlobalSecondaryIndexUpdates": [
        {
            "Create": {
                "IndexName": "by-h",
                "KeySchema": [{"AttributeName": "h", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            }
        }
    ],
}
_ADD = Step("UpdateTable", {"TableName": T0, **_NEW_INDEX})
_INDEX_OFF = _update(
    GlobalSecondaryIndexUpdates=[
        {"IndexName": "by-g", "ProvisionedWriteCapacityAutoScalingUpdate": {"AutoScalingDisabled": True}}
    ]
)

SHOWN: tuple[Check, ...] = (
    answers(
        "scaling.replicas",
        _SHOWN,
        given=JOINED,
        at=f"{_AT}[1]",
        has={
            "RegionName": HERE,
            "ReplicaProvisionedReadCapacityAutoScalingSettings": _OFF,
            "ReplicaProvisionedWriteCapacityAutoScalingSettings": _OFF,
            "ReplicaStatus": "ACTIVE",
        },
        name="never set",
    ),
    answers(
        "scaling.replicas",
        _SHOWN,
        given=_READY,
        tables=PROVISIONED,
        at=f"{_AT}[0].ReplicaProvisionedWriteCapacityAutoScalingSettings",
        has={
            "MinimumUnits": 5,
            "MaximumUnits": 10,
            "ScalingPolicies": [
                {"PolicyName": "follow", "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0}}
            ],
        },
        lacks=["AutoScalingDisabled"],
        name="as the source's",
    ),
    answers(
        "scaling.replica-change",
        _writes(_settings(5, 20)),
        given=_READY,
        tables=PROVISIONED,
        at=f"{_AT}[0].ReplicaProvisionedWriteCapacityAutoScalingSettings",
        has={"MaximumUnits": 10},
        name="what was",
    ),
    answers(
        "scaling.replica-change",
        _SHOWN,
        given=[*_READY, _writes(_settings(5, 20))],
        tables=PROVISIONED,
        at=f"{_AT}[0].ReplicaProvisionedWriteCapacityAutoScalingSettings",
        has={
            "MinimumUnits": 5,
            "MaximumUnits": 20,
            "ScalingPolicies": [
                {"PolicyName": _WRITE_NAME, "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0}}
            ],
        },
        name="writes everywhere, another name",
    ),
    answers(
        "scaling.replica-change",
        _SHOWN,
        given=[*_READY, _reads(_settings(5, 5, ScalingPolicyUpdate=_tracking(19.9)))],
        tables=PROVISIONED,
        at=f"{_AT}[1].ReplicaProvisionedReadCapacityAutoScalingSettings",
        has={
            "MinimumUnits": 5,
            "MaximumUnits": 5,
            "ScalingPolicies": [
                {"PolicyName": _READ_NAME, "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 19.9}}
            ],
        },
        name="reads",
    ),
    answers(
        "scaling.replica-change",
        _SHOWN,
        given=[*_READY, _reads(_settings())],
        tables=PROVISIONED,
        at=f"{_AT}[0]",
        has={"RegionName": THERE, "ReplicaProvisionedReadCapacityAutoScalingSettings": _OFF},
        name="reads of another region",
    ),
    answers(
        "scaling.replica-change",
        _SHOWN,
        given=[*_READY, _writes({"AutoScalingDisabled": True})],
        tables=PROVISIONED,
        at=f"{_AT}[0]",
        has={"ReplicaProvisionedWriteCapacityAutoScalingSettings": _OFF},
        name="off",
    ),
    answers(
        "scaling.new-index",
        _SHOWN,
        given=[*_READY, _ADD],
        tables=PROVISIONED,
        at=f"{_AT}[0].GlobalSecondaryIndexes[0]",
        has={
            "IndexName": "by-h",
            "IndexStatus": "ACTIVE",
            "ProvisionedReadCapacityAutoScalingSettings": _OFF,
        },
    ),
    answers(
        "scaling.new-index",
        _SHOWN,
        given=[*_READY, _ADD],
        tables=PROVISIONED,
        at=f"{_AT}[0].GlobalSecondaryIndexes[0].ProvisionedWriteCapacityAutoScalingSettings",
        has={
            "MinimumUnits": 1,
            "MaximumUnits": 10,
            "ScalingPolicies": [
                {
                    "PolicyName": f"{_WRITE_NAME}/index/by-h",
                    "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0},
                }
            ],
        },
        name="its settings",
    ),
    refuses(
        "global-tables.index-not-scaled",
        _ADD,
        "GSI write capacity should either be Pay-Per-Request or AutoScaled.",
        given=[*SCALED, *(_of_index(step) for step in SCALED), *JOINED, _INDEX_OFF],
        tables=INDEXED,
        control=_SHOWN,
        name="another index",
    ),
)
REFUSED: tuple[Check, ...] = (
    _refused("scaling.no-update", _update(), f"{_FAILED} because at least one update parameter must be specified."),
    _refused(
        "scaling.no-region-update",
        _regions({"RegionName": HERE}),
        f"{_FAILED} because at least one update parameter must be specified for region: ‘{HERE}’.",
    ),
    _refused(
        "scaling.region-twice",
        _regions(*[{"RegionName": HERE, "ReplicaProvisionedReadCapacityAutoScalingUpdate": _settings()}] * 2),
        f"{_FAILED} because the regions: ‘[{HERE}]’ were specified more than once.",
    ),
    _refused("scaling.region-unknown", _reads(_settings(), "us-west-1"), code="ResourceNotFoundException", phrase=""),
    _refused(
        "scaling.indexes-unknown",
        _index_writes("nope"),
        f"{_FAILED} because the global secondary indexes with names: ‘[nope]’ do not exist.",
        code="ResourceNotFoundException",
    ),
    _refused(
        "scaling.index-unknown",
        _index_reads("nope"),
        f"{_FAILED} because a global secondary index with name: ‘nope’ does not exist in region: ‘{HERE}’.",
        code="ResourceNotFoundException",
    ),
    *(
        _refused(
            "scaling.disabled-settings",
            _reads({"AutoScalingDisabled": True, **more}),
            f"Failed to update settings for global table with name ‘{T0}’: Parameters {told} must be left blank when "
            "disabling auto scaling.",
            name=told,
        )
        for told, more in (
            ("'MaximumUnits', 'MinimumUnits'", {"MinimumUnits": 1, "MaximumUnits": 10}),
            ("'ScalingPolicyUpdate'", {"ScalingPolicyUpdate": _tracking()}),
        )
    ),
    *(
        _refused(
            "scaling.settings-missing",
            _reads(settings),
            f"{_FAILED}: Parameters {told} are required unless auto scaling is being disabled.",
            name=told,
        )
        for told, settings in (
            ("'MaximumUnits', 'ScalingPolicyUpdate', 'MinimumUnits'", {"AutoScalingDisabled": False}),
            ("'ScalingPolicyUpdate'", {"MinimumUnits": 1, "MaximumUnits": 10}),
            ("'MaximumUnits', 'MinimumUnits'", {"ScalingPolicyUpdate": _tracking()}),
            ("'MinimumUnits'", {"MaximumUnits": 10, "ScalingPolicyUpdate": _tracking()}),
        )
    ),
    refuses(
        "scaling.settings-missing",
        Step(
            "UpdateTableReplicaAutoScaling",
            {
                "TableName": f"{T0}-none",
                "ProvisionedWriteCapacityAutoScalingUpdate": {"MinimumUnits": 1, "MaximumUnits": 10},
            },
        ),
        f"Failed to update settings for global table with name: ‘{T0}-none’: Parameters 'ScalingPolicyUpdate' are "
        "required unless auto scaling is being disabled.",
        control=Step("ListTables", {}),
        name="of no table",
    ),
    _refused(
        "scaling.on-demand",
        _writes(_settings()),
        f"Failed to update global table with name ‘{T0}‘. Replicas '{THERE.upper()}', '{HERE.upper()}' BillingMode is "
        "PayPerRequest. You must convert table's BillingMode to PROVISIONED to set parameters: "
        "'GlobalTableProvisionedWriteCapacityAutoScalingSettingsUpdate'.",
        given=JOINED,
        tables={"t0": table()},
        name="writes",
    ),
    _refused(
        "scaling.on-demand",
        _reads(_settings()),
        phrase="'ReplicaProvisionedReadCapacityAutoScalingSettingsUpdate'.",
        given=JOINED,
        tables={"t0": table()},
        name="reads",
    ),
    _refused(
        "scaling.role",
        _reads(_settings(AutoScalingRoleArn="arn:aws:iam::400000000004:role/Admin")),
        phrase="is not authorized to perform: iam:PassRole on resource: arn:aws:iam::400000000004:role/Admin because "
        "no identity-based policy allows the iam:PassRole action",
    ),
    _refused(
        "scaling.bounds-crossed",
        _reads(_settings(10, 9)),
        phrase="Maximum capacity cannot be less than minimum capacity",
        name="of a replica",
    ),
    _refused(
        "scaling.target-value",
        _reads(_settings(ScalingPolicyUpdate=_tracking(100.0))),
        phrase="For predefined metric type DynamoDBReadCapacityUtilization, target value must be between '10.0' and "
        "'90.0', but was '100.0'.",
        name="of a replica",
    ),
)
CHECKS: tuple[Check, ...] = (*SHOWN, *REFUSED)
