"""Requests about an account and its tables' settings: tags, policies, insights, Kinesis destinations, backups."""

from __future__ import annotations

from typing import Any

from conformance.strategies.draws import Draw, chance, number, pick, some
from conformance.strategies.schemas import TableWorld

Body = dict[str, Any]
ABSENT = "absent"


def table_name(draw: Draw, world: TableWorld, arn: str) -> str:
    """The table by name, now and then by ARN, or another that is not there."""
    choice = number(draw, 0, 99)
    return world.reference if choice < 80 else (arn if choice < 94 else ABSENT)


def resource(draw: Draw, arn: str) -> str:
    """The table's ARN, rarely something else."""
    return arn if not chance(draw, 8) else pick(draw, (f"{arn}-absent", "arn:nonsense", ""))


# Tags

KEYS = ("team", "env", "Team", "ü", "a b")
VALUES = ("x", "y", "", "10", "é")


def tag(draw: Draw, arn: str) -> Body:
    """TagResource."""
    tags = [{"Key": key, "Value": pick(draw, VALUES)} for key in some(draw, KEYS, least=1, most=3)]
    if chance(draw, 8):
        mistake = pick(draw, ("twice", "reserved", "none", "key"))
        if mistake == "twice":
            tags.append(dict(tags[0]))
        elif mistake == "none":
            tags = []
        else:
            tags[0]["Key"] = "aws:team" if mistake == "reserved" else "k" * 129
    return {"ResourceArn": resource(draw, arn), "Tags": tags}


def untag(draw: Draw, arn: str) -> Body:
    """UntagResource."""
    return {"ResourceArn": resource(draw, arn), "TagKeys": some(draw, KEYS, least=int(not chance(draw, 6)), most=2)}


# Policies


def policy(draw: Draw, arn: str) -> Body:
    """PutResourcePolicy of a small policy."""
    action = pick(draw, ("GetItem", "PutItem", "Query"))
    text = (
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},'
        f'"Action":"dynamodb:{action}","Resource":"{arn}"}}]}}'
    )
    if chance(draw, 8):
        text = pick(draw, ("not a policy", "{}", '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*"}]}'))
    return {"ResourceArn": resource(draw, arn), "Policy": text}


# Insights and destinations

STREAMS = tuple(f"arn:aws:kinesis:us-east-1:400000000004:stream/{name}" for name in ("one", "two"))
PRECISIONS = ("MILLISECOND", "MICROSECOND")


def insights(draw: Draw, world: TableWorld) -> Body:
    """UpdateContributorInsights."""
    body: Body = {
        "TableName": world.reference,
        "ContributorInsightsAction": "DISABLE" if chance(draw, 35) else "ENABLE",
    }
    names = [index.name for index in world.indexes if index.kind == "GSI"]
    if names and chance(draw, 35):
        body["IndexName"] = pick(draw, names)
    if chance(draw, 5):
        body["IndexName"] = ABSENT
    if chance(draw, 20):
        body["ContributorInsightsMode"] = pick(draw, ("THROTTLED_KEYS", "ACCESSED_AND_THROTTLED_KEYS"))
    return body


def destination(draw: Draw, world: TableWorld) -> tuple[str, Body]:
    """Enable, disable or update a Kinesis destination."""
    body: Body = {"TableName": world.reference, "StreamArn": STREAMS[0] if chance(draw, 75) else STREAMS[1]}
    kind = pick(draw, ("Enable", "Enable", "Disable", "Update"))
    if kind == "Enable" and chance(draw, 35):
        body["EnableKinesisStreamingConfiguration"] = {"ApproximateCreationDateTimePrecision": pick(draw, PRECISIONS)}
    if kind == "Update":
        body["UpdateKinesisStreamingConfiguration"] = {"ApproximateCreationDateTimePrecision": pick(draw, PRECISIONS)}
    return f"{kind}KinesisStreamingDestination", body


# Backups


def recovery(draw: Draw, name: str) -> Body:
    """UpdateContinuousBackups."""
    setting: Body = {"PointInTimeRecoveryEnabled": not chance(draw, 25)}
    if chance(draw, 30):
        setting["RecoveryPeriodInDays"] = pick(draw, (1, 7, 35, 7, 35) if not chance(draw, 8) else (0, 36))
    return {"TableName": name, "PointInTimeRecoverySpecification": setting}


def restored(draw: Draw, world: TableWorld, target: str) -> Body:
    """Where a restore goes, and what of the source it overrides."""
    body: Body = {"TargetTableName": target}
    everywhere = list(world.create().get("GlobalSecondaryIndexes", ()))
    if chance(draw, 25):
        body["BillingModeOverride"] = "PAY_PER_REQUEST"
    elif everywhere and world.on_demand and chance(draw, 30):
        body["GlobalSecondaryIndexOverride"] = some(draw, everywhere, most=1)
    if chance(draw, 10):
        body["LocalSecondaryIndexOverride"] = []
    return body
