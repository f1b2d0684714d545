"""Tags and time to live, against literals from AWS's own answers."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Account, Delays
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.service import Service
from reference.tables.limits import Limits
from reference.ttl import sweep

START = 1_800_000_000.0
ARN = "arn:aws:dynamodb:us-east-1:400000000004:table/tab"
FIVE_YEARS = 5 * 365 * 86_400


class Bench:
    """A service with one table, ``tab``, keyed by ``pk`` (S), and an index on ``x`` (S)."""

    def __init__(self, *, delays: Delays | None = None, limits: Limits | None = None) -> None:
        self.clock = ManualClock(START)
        self.service = Service(Account(self.clock, delays=delays, limits=limits))
        names = ("pk", "x")
        self.call(
            "CreateTable",
            TableName="tab",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "gsi",
                    "KeySchema": [{"AttributeName": "x", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
            Tags=[{"Key": "team", "Value": "a"}],
        )

    def call(self, operation: str, **body: Any) -> Any:
        answer = self.service.execute(Call(operation, body))
        assert isinstance(answer, Success), answer
        return answer.body

    def refused(self, operation: str, **body: Any) -> tuple[str, str | None]:
        answer = self.service.execute(Call(operation, body))
        assert isinstance(answer, Refusal), answer
        return answer.code, answer.message

    def tags(self) -> dict[str, str]:
        told = self.call("ListTagsOfResource", ResourceArn=ARN)
        assert set(told) == {"Tags"}
        return {tag["Key"]: tag["Value"] for tag in told["Tags"]}

    def tag(self, **tags: str) -> Any:
        return self.call("TagResource", ResourceArn=ARN, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])

    def live(self, attribute: str, *, on: bool = True) -> Any:
        specification = {"Enabled": on, "AttributeName": attribute}
        return self.call("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification=specification)

    def not_live(self, attribute: str, *, on: bool = True) -> str | None:
        specification = {"Enabled": on, "AttributeName": attribute}
        code, message = self.refused("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification=specification)
        assert code == "ValidationException"
        return message


def test_tags_come_and_go() -> None:
    bench = Bench()
    assert bench.tags() == {"team": "a"}
    assert bench.tag(team="b", cost="1") is None
    assert bench.tags() == {"team": "b", "cost": "1"}
    assert bench.call("UntagResource", ResourceArn=ARN, TagKeys=["team", "never there"]) is None
    assert bench.tags() == {"cost": "1"}


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([], "Atleast one Tag needs to be provided as Input."),
        ([{"Key": "aws:x", "Value": "1"}], "Tag Key cannot be prefixed with aws:, Key: aws:x"),
        (
            [{"Key": "x", "Value": "1"}, {"Key": "x", "Value": "2"}],
            "Duplicate Tag Keys provided as input: Duplicate Tag Key found x",
        ),
        ([{"Key": "x!", "Value": "1"}], "The Tag Key provided is invalid, Key: x!"),
        ([{"Key": "x", "Value": "1;2"}], "The Tag Value provided is invalid, Value: 1;2"),
        (
            [{"Key": str(i), "Value": ""} for i in range(50)],
            "Number of Tags exceed the current limit for the provided ResourceArn",
        ),
        (
            None,
            "1 validation error detected: Value null at 'tags' failed to satisfy constraint: Member must not be null",
        ),
    ],
)
def test_what_can_not_be_a_tag(tags: list[dict[str, str]] | None, message: str) -> None:
    bench = Bench()
    body = {"ResourceArn": ARN} if tags is None else {"ResourceArn": ARN, "Tags": tags}
    assert bench.refused("TagResource", **body) == ("ValidationException", message)
    assert bench.tags() == {"team": "a"}


def test_fifty_tags_of_all_allowed_characters() -> None:
    bench = Bench()
    bench.tag(**{str(i): "é +-=._:/@" for i in range(49)})
    assert len(bench.tags()) == 50
    bench.tag(team="replaced")


@pytest.mark.parametrize("operation", ["TagResource", "UntagResource", "ListTagsOfResource"])
@pytest.mark.parametrize(
    ("arn", "answer"),
    [
        (None, ("ValidationException", "Invalid TableArn")),
        ("tab", ("ValidationException", "One or more parameter values were invalid: ARNs must start with 'arn:': tab")),
        (
            ARN + "/index/gsi",
            (
                "ValidationException",
                "One or more parameter values were invalid: Invalid resource arn provided, only table or stream is "
                f"accepted. Provided resource arn: {ARN}/index/gsi",
            ),
        ),
        (
            ARN[:-2],
            ("ValidationException", f"Invalid TableArn: Invalid ResourceArn provided as input {ARN[:-2]}"),
        ),
        (
            ARN + "x",
            ("ResourceNotFoundException", f"Requested resource not found: ResourceArn: {ARN}x not found"),
        ),
    ],
)
def test_what_can_not_be_tagged(operation: str, arn: str | None, answer: tuple[str, str]) -> None:
    body: dict[str, Any] = {} if arn is None else {"ResourceArn": arn}
    if operation == "TagResource":
        body["Tags"] = [{"Key": "a", "Value": "b"}]
    if operation == "UntagResource":
        body["TagKeys"] = ["a"]
    assert Bench().refused(operation, **body) == answer


def test_nothing_to_untag() -> None:
    assert Bench().refused("UntagResource", ResourceArn=ARN, TagKeys=[]) == (
        "ValidationException",
        "Atleast one Tag Key needs to be provided as Input.",
    )


def test_tables_that_come_or_go_can_not_be_tagged() -> None:
    bench = Bench(delays=Delays(create_table=5, delete_table=5))
    tags = [{"Key": "a", "Value": "b"}]
    assert bench.refused("TagResource", ResourceArn=ARN, Tags=tags) == (
        "ResourceNotFoundException",
        f"Requested resource not found: ResourceArn: {ARN} not found",
    )
    bench.clock.advance(5)
    assert bench.tags() == {"team": "a"}
    bench.call("DeleteTable", TableName="tab")
    assert bench.tags() == {"team": "a"}
    bench.tag(team="a")
    assert bench.call("UntagResource", ResourceArn=ARN, TagKeys=["none"]) is None
    assert bench.refused("TagResource", ResourceArn=ARN, Tags=tags) == (
        "ResourceInUseException",
        "Attempt to change a resource which is still in use: Table is being deleted: tab",
    )


def test_time_to_live_is_switched_on_and_off() -> None:
    bench = Bench(limits=Limits(ttl_cooldown=0))
    off = {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    assert bench.call("DescribeTimeToLive", TableName="tab") == off
    assert bench.live("ttl") == {"TimeToLiveSpecification": {"Enabled": True, "AttributeName": "ttl"}}
    assert bench.call("DescribeTimeToLive", TableName="tab") == {
        "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
    }
    assert bench.live("ttl", on=False) == {"TimeToLiveSpecification": {"Enabled": False, "AttributeName": "ttl"}}
    assert bench.call("DescribeTimeToLive", TableName="tab") == off
    bench.live("pk")


def test_time_to_live_changes_that_make_no_sense() -> None:
    bench = Bench()
    assert bench.not_live("ttl", on=False) == "TimeToLive is already disabled"
    bench.live("ttl")
    assert bench.not_live("ttl") == "TimeToLive is already enabled"
    other = "TimeToLive is active on a different AttributeName: current AttributeName is ttl"
    assert bench.not_live("other") == other
    assert bench.not_live("other", on=False) == other


def test_time_to_live_changes_once_in_half_an_hour() -> None:
    bench = Bench()
    bench.live("ttl")
    too_soon = "Time to live has been modified multiple times within a fixed interval"
    assert bench.not_live("ttl", on=False) == too_soon
    bench.clock.advance(1_799)
    assert bench.not_live("ttl", on=False) == too_soon
    bench.clock.advance(1)
    bench.live("ttl", on=False)
    assert bench.not_live("ttl") == too_soon


def test_a_new_table_knows_nothing_of_the_old_ones_cooldown() -> None:
    bench = Bench()
    bench.live("ttl")
    bench.call("DeleteTable", TableName="tab")
    key = [{"AttributeName": "pk", "KeyType": "HASH"}]
    types = [{"AttributeName": "pk", "AttributeType": "S"}]
    body = {"KeySchema": key, "AttributeDefinitions": types, "BillingMode": "PAY_PER_REQUEST"}
    bench.call("CreateTable", TableName="tab", **body)
    bench.live("other")


def test_time_to_live_of_tables_that_come_or_go() -> None:
    bench = Bench(delays=Delays(create_table=5, delete_table=5))
    specification = {"Enabled": True, "AttributeName": "ttl"}
    assert bench.refused("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification=specification) == (
        "ResourceInUseException",
        "Attempt to change a resource which is still in use: Table tab is being created",
    )
    cannot = "Cannot describe time to live while table is in {0} state: Current table state is {0}"
    assert bench.refused("DescribeTimeToLive", TableName="tab")[1] == cannot.format("CREATING")
    bench.clock.advance(5)
    bench.call("DeleteTable", TableName="tab")
    assert bench.refused("DescribeTimeToLive", TableName="tab")[1] == cannot.format("DELETING")
    bench.clock.advance(5)
    missing = ("ResourceNotFoundException", "Requested resource not found: Table: tab not found")
    assert bench.refused("DescribeTimeToLive", TableName="tab") == missing
    assert bench.refused("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification=specification) == missing


def test_both_members_are_required_even_to_switch_off() -> None:
    answer = Bench().refused("UpdateTimeToLive", TableName="tab", TimeToLiveSpecification={"Enabled": False})
    assert answer == (
        "ValidationException",
        "1 validation error detected: Value null at 'timeToLiveSpecification.attributeName' failed to satisfy "
        "constraint: Member must not be null",
    )


@pytest.mark.parametrize(
    ("value", "goes"),
    [
        ({"N": str(int(START) - 1)}, True),
        ({"N": str(int(START))}, True),
        ({"N": "1799999999.5"}, True),
        ({"N": "18e8"}, True),
        ({"N": str(int(START) - FIVE_YEARS)}, True),
        ({"N": str(int(START) - FIVE_YEARS - 1)}, False),
        ({"N": str(int(START) + 1)}, False),
        ({"N": "1800000000000"}, False),
        ({"N": "-1"}, False),
        ({"S": str(int(START) - 1)}, False),
        ({"M": {"ttl": {"N": str(int(START) - 1)}}}, False),
    ],
)
def test_which_items_expire(value: dict[str, Any], *, goes: bool) -> None:
    bench = Bench()
    bench.call("PutItem", TableName="tab", Item={"pk": {"S": "a"}, "x": {"S": "i"}, "ttl": value})
    bench.call("PutItem", TableName="tab", Item={"pk": {"S": "b"}})
    bench.live("ttl")
    assert "Item" in bench.call("GetItem", TableName="tab", Key={"pk": {"S": "a"}})
    assert sweep(bench.service.account) == int(goes)
    assert ("Item" in bench.call("GetItem", TableName="tab", Key={"pk": {"S": "a"}})) is not goes
    assert bench.call("Scan", TableName="tab", IndexName="gsi", Select="COUNT")["Count"] == int(not goes)


def test_a_sweep_lags_and_leaves_its_name() -> None:
    bench = Bench()
    bench.live("ttl")
    bench.call("PutItem", TableName="tab", Item={"pk": {"S": "a"}, "ttl": {"N": str(int(START))}})
    bench.clock.advance(99)
    assert sweep(bench.service.account, lag=100) == 0
    bench.clock.advance(1)
    assert sweep(bench.service.account, lag=100) == 1
    put, gone = bench.service.account.tables["tab"].log
    assert (put.by, gone.by, gone.new) == ("user", "ttl", None)


def test_nothing_expires_without_time_to_live() -> None:
    bench = Bench()
    bench.call("PutItem", TableName="tab", Item={"pk": {"S": "a"}, "ttl": {"N": "1799999999"}})
    assert sweep(bench.service.account) == 0
