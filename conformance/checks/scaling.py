"""Checks of auto scaling: targets, policies, bounds that hold at once, and units that follow what is consumed."""

from __future__ import annotations

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import answers, describe, put, refuses, s
from conformance.program import Step
from reference.api import Json

_DIMENSION = "dynamodb:table:WriteCapacityUnits"
_RESOURCE = "table/" + T0
_METRIC = "DynamoDBWriteCapacityUtilization"
_TABLES = {
    "t0": table() | {
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 10},
    }
}  # fmt: skip


def _call(operation: str, resource: str = _RESOURCE, dimension: str = _DIMENSION, **members: Json) -> Step:
    body = {"ServiceNamespace": "dynamodb", "ResourceId": resource, "ScalableDimension": dimension}
    return Step(f"application-autoscaling:{operation}", {**body, **members})


def _register(least: int | None = 1, most: int | None = 100, *where: str) -> Step:
    bounds = {"MinCapacity": least, "MaxCapacity": most}
    given: dict[str, Json] = {name: units for name, units in bounds.items() if units is not None}
    return _call("RegisterScalableTarget", *where, **given)


def _policy(name: str = "follow", value: float = 70.0, metric: str = _METRIC, **members: Json) -> Step:
    configuration = {
        "TargetValue": value,
        "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
        **members,
    }
    return _call(
        "PutScalingPolicy",
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=configuration,
    )


def _list(operation: str) -> Step:
    return Step(f"application-autoscaling:{operation}", {"ServiceNamespace": "dynamodb", "ResourceId": _RESOURCE})


def _throughput(read: int, write: int) -> dict[str, Json]:
    return {"ReadCapacityUnits": read, "WriteCapacityUnits": write}


_TARGETS = Step(
    "application-autoscaling:DescribeScalableTargets", {"ServiceNamespace": "dynamodb", "ResourceIds": [_RESOURCE]}
)
_STEPS = _call(
    "PutScalingPolicy",
    PolicyName="steps",
    PolicyType="StepScaling",
    StepScalingPolicyConfiguration={"AdjustmentType": "ChangeInCapacity", "StepAdjustments": []},
)
_DELETED = Step("DeleteTable", {"TableName": T0})


def _refused(rule: str, when: Step, phrase: str | None = None, *, control: Step, code: str = "ValidationException",
             given: tuple[Step, ...] = (), name: str = "") -> Check:  # fmt: skip
    return refuses(rule, when, phrase=phrase, code=code, control=control, given=given, tables=_TABLES, name=name)


_AIM = f"For predefined metric type {_METRIC}, target value must be between '10.0' and '90.0', but was "

CHECKS: tuple[Check, ...] = (
    answers(
        "scaling.registered",
        _TARGETS,
        has={
            "ServiceNamespace": "dynamodb",
            "ResourceId": _RESOURCE,
            "ScalableDimension": _DIMENSION,
            "MinCapacity": 3,
            "MaxCapacity": 50,
        },
        at="ScalableTargets[0]",
        given=(_register(3, 100), _register(None, 50)),
        tables=_TABLES,
    ),
    _refused(
        "scaling.resource",
        _register(1, 10, _RESOURCE, "dynamodb:index:WriteCapacityUnits"),
        "Unsupported service namespace, resource type or scalable dimension",
        control=_register(),
    ),
    _refused("scaling.bounds-missing", _register(1, None), control=_register()),
    _refused(
        "scaling.bounds-crossed",
        _register(10, 1),
        "Maximum capacity cannot be less than minimum capacity",
        control=_register(),
    ),
    _refused("scaling.bounds-low", _register(0, 1), control=_register()),
    _refused(
        "scaling.no-resource",
        _register(1, 10, "table/no-such-table"),
        "DynamoDB table does not exist: table/no-such-table",
        control=_register(),
    ),
    _refused(
        "scaling.no-target",
        _policy(),
        "No scalable target",
        code="ObjectNotFoundException",
        control=_register(),
        name="PutScalingPolicy",
    ),
    _refused(
        "scaling.no-target",
        _call("DeregisterScalableTarget"),
        "No scalable target",
        code="ObjectNotFoundException",
        control=_register(),
        name="DeregisterScalableTarget",
    ),
    _refused(
        "scaling.no-policy",
        _call("DeleteScalingPolicy", PolicyName="other"),
        "No scaling policy",
        code="ObjectNotFoundException",
        given=(_register(), _policy()),
        control=_call("DeleteScalingPolicy", PolicyName="follow"),
    ),
    answers(
        "scaling.policy",
        _list("DescribeScalingPolicies"),
        has={
            "PolicyName": "follow",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 50.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": _METRIC},
            },
        },
        at="ScalingPolicies[0]",
        given=(_register(), _policy(), _policy(value=50.0)),
        tables=_TABLES,
    ),
    _refused("scaling.policy-type", _STEPS, "", code="AccessDeniedException", given=(_register(),), control=_policy()),
    _refused(
        "scaling.metric",
        _policy(metric="DynamoDBReadCapacityUtilization"),
        "",
        given=(_register(),),
        control=_policy(),
    ),
    _refused(
        "scaling.target-value",
        _policy(value=9.9),
        _AIM + "'9.9'",
        given=(_register(),),
        control=_policy(value=10.0),
        name="too low",
    ),
    _refused(
        "scaling.target-value",
        _policy(value=90.1),
        _AIM + "'90.1'",
        given=(_register(),),
        control=_policy(value=90.0),
        name="too high",
    ),
    _refused(
        "scaling.target-range",
        _policy(value=0.0),
        "For target tracking scaling, target value must be between '8.51592E-109' and '1.174271E108', but was '0.0'.",
        given=(_register(),),
        control=_policy(value=10.0, ScaleInCooldown=-1),
    ),
    _refused(
        "scaling.one-policy",
        _policy("another"),
        "Only one TargetTrackingScaling policy",
        given=(_register(), _policy()),
        control=_policy(),
    ),
    answers(
        "scaling.adjusted",
        describe(),
        has=_throughput(5, 20),
        at="Table.ProvisionedThroughput",
        given=(_register(20, 100),),
        tables=_TABLES,
        name="minimum above",
    ),
    answers(
        "scaling.adjusted",
        describe(),
        has=_throughput(5, 4),
        at="Table.ProvisionedThroughput",
        given=(_register(1, 4),),
        tables=_TABLES,
        name="maximum below",
    ),
    answers(
        "scaling.activity",
        _list("DescribeScalingActivities"),
        has={
            "ResourceId": _RESOURCE,
            "Description": "Setting write capacity units to 20.",
            "Cause": "minimum capacity was set to 20",
            "StatusCode": "Successful",
        },
        at="ScalingActivities[0]",
        given=(_register(20, 100),),
        tables=_TABLES,
    ),
    answers(
        "scaling.in",
        describe(),
        has=_throughput(5, 2),
        at="Table.ProvisionedThroughput",
        given=(_register(1, 100), _policy(), put({"v": s("x" * 70_000)})),
        # Wherever the minute begins: fifteen have ended, and the first of them still counts.
        pause=900.0,
        tables=_TABLES,
        name="to what is consumed",
    ),
    answers(
        "scaling.idle",
        describe(),
        has=_throughput(5, 3),
        at="Table.ProvisionedThroughput",
        given=(_register(3, 100), _policy()),
        pause=1_200.0,
        tables=_TABLES,
    ),
    answers(
        "scaling.deregistered",
        _list("DescribeScalingPolicies"),
        has={"ScalingPolicies": []},
        given=(_register(), _policy(), _call("DeregisterScalableTarget")),
        tables=_TABLES,
    ),
    answers(
        "scaling.outlives",
        _list("DescribeScalingPolicies"),
        has={"PolicyName": "follow"},
        at="ScalingPolicies[0]",
        given=(_register(), _policy(), _DELETED),
        tables=_TABLES,
    ),
)
