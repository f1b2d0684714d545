"""Checks of the Kinesis destinations of a table."""

from __future__ import annotations

from conformance.checks.base import T0, Check
from conformance.checks.steps import (
    answers,
    refuses,
    reply,
)
from conformance.program import Step
from reference.api import Json

_KINESIS = "arn:aws:kinesis:us-east-1:400000000004:stream/dynoracle"
_OTHER = "arn:aws:kinesis:us-east-1:400000000004:stream/other"
_AWAY = "arn:aws:kinesis:eu-south-2:400000000004:stream/dynoracle"
_TABLE = "arn:aws:dynamodb:us-east-1:400000000004:table/dynoracle"
_STATE = "Table is not in a valid state to enable Kinesis Streaming Destination: "


def _kinesis(verb: str, arn: str = _KINESIS, **members: Json) -> Step:
    return Step(f"{verb}KinesisStreamingDestination", {"TableName": T0, "StreamArn": arn, **members})


def _precision(precision: str) -> dict[str, Json]:
    return {"UpdateKinesisStreamingConfiguration": {"ApproximateCreationDateTimePrecision": precision}}


_ENABLE = _kinesis("Enable")
_DESCRIBE = Step("DescribeKinesisStreamingDestination", {"TableName": T0})

KINESIS: tuple[Check, ...] = (
    refuses(
        "streams.kinesis-enable-state",
        _ENABLE,
        f"{_STATE}EnableKinesisStreamingDestination must be DISABLED or ENABLE_FAILED to perform ENABLE operation.",
        given=[_ENABLE],
        control=_DESCRIBE,
    ),
    refuses(
        "streams.kinesis-disable-state",
        _kinesis("Disable"),
        f"{_STATE}KinesisStreamingDestination must be ACTIVE to perform DISABLE operation.",
        control=_ENABLE,
    ),
    *(
        refuses(
            "streams.kinesis-disable-state",
            _kinesis("Disable", arn),
            f"{_STATE}KinesisStreamingDestination must be ACTIVE to perform DISABLE operation.",
            given=[_ENABLE],
            control=_kinesis("Disable"),
            name=name,
        )
        for name, arn in (("another", _OTHER), ("no ARN", "not-an-arn"))
    ),
    refuses(
        "streams.kinesis-disable-configuration",
        _kinesis(
            "Disable", EnableKinesisStreamingConfiguration={"ApproximateCreationDateTimePrecision": "MICROSECOND"}
        ),
        "Stream cannot be disabled using EnableKinesisStreamingConfiguration parameters",
        given=[_ENABLE],
        control=_kinesis("Disable"),
    ),
    refuses(
        "streams.kinesis-no-configuration",
        _kinesis("Update"),
        "Streaming destination cannot be updated with given parameters: UpdateKinesisStreamingConfiguration cannot be "
        "null or contain only null values",
        given=[_ENABLE],
        control=_kinesis("Update", **_precision("MICROSECOND")),
    ),
    refuses(
        "streams.kinesis-unknown",
        _kinesis("Update", _OTHER, **_precision("MICROSECOND")),
        f"{_STATE}No streaming destination with streamArn: {_OTHER} found for table with tableName: {T0}",
        given=[_ENABLE],
        control=_kinesis("Update", **_precision("MICROSECOND")),
    ),
    refuses(
        "streams.kinesis-update-state",
        _kinesis("Update", **_precision("MICROSECOND")),
        f"{_STATE}Kinesis streaming is not in ACTIVE state. Updates are only allowed in ACTIVE state. TableName: "
        f"{T0}, kdsArn: {_KINESIS}",
        given=[_ENABLE, _kinesis("Disable")],
        control=_DESCRIBE,
    ),
    refuses(
        "streams.kinesis-same-precision",
        _kinesis("Update", **_precision("MICROSECOND")),
        "Invalid Request: Precision is already set to the desired value of MICROSECOND for tableId: "
        f"{reply(0, 'TableDescription.TableId')}, kdsArn: {_KINESIS}",
        given=[_ENABLE, _kinesis("Update", **_precision("MICROSECOND"))],
        control=_DESCRIBE,
    ),
    refuses(
        "wire.enum",
        _kinesis("Update", **_precision("SECOND")),
        "1 validation error detected: Value 'SECOND' at "
        "'updateKinesisStreamingConfiguration.approximateCreationDateTimePrecision' failed to satisfy constraint: "
        "Member must satisfy enum value set: [MILLISECOND, MICROSECOND]",
        given=[_ENABLE],
        control=_DESCRIBE,
        name="Kinesis precision",
    ),
    refuses(
        "tables.not-found",
        Step("EnableKinesisStreamingDestination", {"TableName": "bad-table", "StreamArn": _KINESIS}),
        "Requested resource not found: Table: bad-table not found",
        code="ResourceNotFoundException",
        control=_ENABLE,
        name="EnableKinesisStreamingDestination",
    ),
    answers(
        "streams.kinesis-answer",
        _ENABLE,
        body={
            "TableName": T0,
            "StreamArn": _KINESIS,
            "DestinationStatus": "ENABLING",
            "EnableKinesisStreamingConfiguration": {},
        },
        name="enable",
    ),
    answers(
        "streams.kinesis-answer",
        _DESCRIBE,
        given=[_ENABLE],
        body={
            "TableName": T0,
            "KinesisDataStreamDestinations": [{"StreamArn": _KINESIS, "DestinationStatus": "ACTIVE"}],
        },
        name="active",
    ),
    answers(
        "streams.kinesis-answer",
        _DESCRIBE,
        given=[_ENABLE, _kinesis("Disable")],
        at="KinesisDataStreamDestinations[0]",
        has={"DestinationStatus": "DISABLED"},
        name="disabled, still listed",
    ),
    answers(
        "streams.kinesis-answer",
        _DESCRIBE,
        given=[_kinesis("Enable", _TABLE), _ENABLE, _kinesis("Disable"), _kinesis("Enable", _AWAY)],
        body={
            "TableName": T0,
            "KinesisDataStreamDestinations": [
                {
                    "StreamArn": _AWAY,
                    "DestinationStatus": "ENABLE_FAILED",
                    "DestinationStatusDescription": "The kinesis Arn used to enable kinesis replication belongs to a "
                    "stream which is not in the current region",
                },
                {"StreamArn": _KINESIS, "DestinationStatus": "DISABLED"},
                {
                    "StreamArn": _TABLE,
                    "DestinationStatus": "ENABLE_FAILED",
                    "DestinationStatusDescription": "User does not have a permission to use kinesis stream",
                },
            ],
        },
        name="failed",
    ),
    refuses(
        "streams.kinesis-same-precision",
        _kinesis("Update", **_precision("MILLISECOND")),
        "Invalid Request: Precision is already set to the desired value of MILLISECOND for tableId: "
        f"{reply(0, 'TableDescription.TableId')}, kdsArn: {_KINESIS}",
        given=[_ENABLE],
        control=_DESCRIBE,
        name="the default",
    ),
)

CHECKS: tuple[Check, ...] = KINESIS
