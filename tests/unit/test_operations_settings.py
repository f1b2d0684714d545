"""Point-in-time recovery, resource policies and Kinesis destinations, against AWS's answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reference.account import Account, Delays
from reference.api import Call, Refusal, Success
from reference.clock import ManualClock
from reference.service import Service
from reference.tables.limits import Limits

START = 1_800_000_000.0
ARN = "arn:aws:dynamodb:us-east-1:400000000004:table/tab"
KINESIS = "arn:aws:kinesis:us-east-1:400000000004:stream/changes"
MISSING = ("ResourceNotFoundException", "Requested resource not found: Table: none not found")


class Bench:
    """A service with one table, ``tab``, keyed by ``pk`` and ``sk``, with a global index on ``x`` and a local one."""

    def __init__(self, *, delays: Delays | None = None, limits: Limits | None = None, **more: Any) -> None:
        self.clock = ManualClock(START)
        self.service = Service(Account(self.clock, delays=delays, limits=limits))
        projection = {"ProjectionType": "ALL"}
        self.call(
            "CreateTable",
            TableName="tab",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=self.key("pk", "sk"),
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "x")],
            GlobalSecondaryIndexes=[{"IndexName": "gsi", "KeySchema": self.key("x"), "Projection": projection}],
            LocalSecondaryIndexes=[{"IndexName": "lsi", "KeySchema": self.key("pk", "x"), "Projection": projection}],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
            **more,
        )

    @staticmethod
    def key(*names: str) -> list[dict[str, str]]:
        return [{"AttributeName": n, "KeyType": t} for n, t in zip(names, ("HASH", "RANGE"), strict=False)]

    def call(self, operation: str, **body: Any) -> Any:
        answer = self.service.execute(Call(operation, body))
        assert isinstance(answer, Success), answer
        return answer.body

    def refused(self, operation: str, **body: Any) -> tuple[str, str | None]:
        answer = self.service.execute(Call(operation, body))
        assert isinstance(answer, Refusal), answer
        return answer.code, answer.message

    def recover(self, *, on: bool, **more: Any) -> Any:
        specification = {"PointInTimeRecoveryEnabled": on, **more}
        told = self.call("UpdateContinuousBackups", TableName="tab", PointInTimeRecoverySpecification=specification)
        assert told == self.call("DescribeContinuousBackups", TableName="tab")
        assert told["ContinuousBackupsDescription"]["ContinuousBackupsStatus"] == "ENABLED"
        return told["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]


def test_recovery_as_recorded() -> None:
    bench = Bench()
    assert bench.call("DescribeContinuousBackups", TableName="tab") == {
        "ContinuousBackupsDescription": {
            "ContinuousBackupsStatus": "ENABLED",
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
        }
    }
    assert bench.recover(on=True) == {
        "PointInTimeRecoveryStatus": "ENABLED",
        "RecoveryPeriodInDays": 35,
        "EarliestRestorableDateTime": START,
        "LatestRestorableDateTime": START,
    }
    assert bench.recover(on=False) == {"PointInTimeRecoveryStatus": "DISABLED"}


def test_the_window_of_recovery() -> None:
    bench = Bench()
    bench.recover(on=True, RecoveryPeriodInDays=2)
    bench.clock.advance(1_000.5)
    told = bench.recover(on=True)
    assert (told["EarliestRestorableDateTime"], told["LatestRestorableDateTime"]) == (START, START + 700)
    assert told["RecoveryPeriodInDays"] == 2
    bench.clock.advance(3 * 86_400)
    told = bench.recover(on=True, RecoveryPeriodInDays=1)
    assert told["EarliestRestorableDateTime"] == START + 1_000 + 2 * 86_400
    bench.recover(on=False)
    told = bench.recover(on=True)
    assert (told["EarliestRestorableDateTime"], told["RecoveryPeriodInDays"]) == (START + 1_000 + 3 * 86_400, 35)


def test_history_is_kept_for_recovery() -> None:
    bench = Bench()
    table = bench.service.account.tables["tab"]
    bench.recover(on=True)
    assert table.keep == 35 * 86_400
    bench.recover(on=False)
    assert table.keep == 86_400


def test_recovery_that_is_refused() -> None:
    bench = Bench()
    off = {"PointInTimeRecoveryEnabled": False, "RecoveryPeriodInDays": 3}
    assert bench.refused("UpdateContinuousBackups", TableName="tab", PointInTimeRecoverySpecification=off) == (
        "ValidationException",
        "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.",
    )
    missing = ("TableNotFoundException", "Table not found: none")
    assert bench.refused("DescribeContinuousBackups", TableName="none") == missing
    on = {"PointInTimeRecoveryEnabled": True}
    assert bench.refused("UpdateContinuousBackups", TableName="none", PointInTimeRecoverySpecification=on) == missing


def policy(principal: Any = "111122223333", effect: str = "Allow", about: str = ARN) -> str:
    statement = {"Effect": effect, "Principal": {"AWS": [principal]}, "Action": ["dynamodb:GetItem"], "Resource": about}
    return json.dumps({"Statement": [statement]}, indent=2)


CANONICAL = (
    '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},'
    f'"Action":"dynamodb:GetItem","Resource":"{ARN}"}}]}}'
)


def test_a_policy_comes_and_goes() -> None:
    bench = Bench()
    none = (
        "PolicyNotFoundException",
        f"Resource-based policy not found for the provided ResourceArn: {ARN}",
    )
    assert bench.refused("GetResourcePolicy", ResourceArn=ARN) == none
    assert bench.call("DeleteResourcePolicy", ResourceArn=ARN) == {}
    assert bench.call("PutResourcePolicy", ResourceArn=ARN, Policy=policy()) == {"RevisionId": "1800000000000"}
    told = {"Policy": CANONICAL, "RevisionId": "1800000000000"}
    assert bench.call("GetResourcePolicy", ResourceArn=ARN) == told
    bench.clock.advance(1)
    minified = json.dumps(json.loads(policy()))
    assert bench.call("PutResourcePolicy", ResourceArn=ARN, Policy=minified) == {"RevisionId": "1800000000000"}
    other = bench.call("PutResourcePolicy", ResourceArn=ARN, Policy=policy("444455556666"))
    assert other == {"RevisionId": "1800000001000"}
    assert bench.call("DeleteResourcePolicy", ResourceArn=ARN) == other
    assert bench.refused("GetResourcePolicy", ResourceArn=ARN) == none
    bench.clock.advance(2)
    assert bench.call("DeleteResourcePolicy", ResourceArn=ARN) == {"RevisionId": "1800000001001"}
    bench.clock.advance(14)
    assert bench.call("DeleteResourcePolicy", ResourceArn=ARN) == {}


def test_the_version_that_is_left_out_is_told_but_is_another_policy_when_given() -> None:
    bench = Bench()
    first = bench.call("PutResourcePolicy", ResourceArn=ARN, Policy=policy())
    read = bench.call("GetResourcePolicy", ResourceArn=ARN)
    second = bench.call("PutResourcePolicy", ResourceArn=ARN, Policy=read["Policy"])
    assert second != first
    assert bench.call("GetResourcePolicy", ResourceArn=ARN) == {"Policy": read["Policy"], **second}
    assert bench.call("PutResourcePolicy", ResourceArn=ARN, Policy=policy()) not in (first, second)


def test_a_policy_is_told_in_canonical_form() -> None:
    bench = Bench()
    sent = {
        "Statement": {
            "Resource": [f"{ARN}/index/*", ARN],
            "Action": ["dynamodb:Query", "dynamodb:GetItem", "dynamodb:GetItem"],
            "Condition": {"StringEquals": {"aws:PrincipalAccount": ["111122223333"]}},
            "Principal": {"AWS": ["111122223333", "arn:aws:iam::111122223333:root"]},
            "Effect": "allow",
            "Sid": "One",
        },
        "Version": "2012-10-17",
    }
    bench.call("PutResourcePolicy", ResourceArn=ARN, Policy=json.dumps(sent))
    assert bench.call("GetResourcePolicy", ResourceArn=ARN)["Policy"] == (
        '{"Version":"2012-10-17","Statement":[{"Sid":"One","Effect":"Allow","Principal":{"AWS":'
        '"arn:aws:iam::111122223333:root"},"Action":["dynamodb:Query","dynamodb:GetItem","dynamodb:GetItem"],'
        f'"Resource":["{ARN}/index/*","{ARN}"],'
        '"Condition":{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}}]}'
    )


@pytest.mark.parametrize(("about", "locks"), [(ARN, True), ("*", True), (f"{ARN}-other", False)])
def test_only_a_policy_about_its_own_table_locks_out(about: str, locks: bool) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "dynamodb:PutResourcePolicy", "Resource": about}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    bench = Bench()
    if not locks:
        bench.call("PutResourcePolicy", ResourceArn=ARN, Policy=text)
        return
    assert bench.refused("PutResourcePolicy", ResourceArn=ARN, Policy=text) == (
        "AccessDeniedException",
        "The new resource policy will not allow you to update the resource policy in the future.",
    )


def test_what_a_pattern_means_for_a_stream_is_left_open() -> None:
    bench = Bench()
    stream = bench.call("DescribeTable", TableName="tab")["Table"]["LatestStreamArn"]
    for about in (stream, f"{ARN}/*", f"{ARN}/stream/*", "*"):
        bench.call("PutResourcePolicy", ResourceArn=stream, Policy=policy(about=about))
    code, message = bench.refused("PutResourcePolicy", ResourceArn=stream, Policy=policy(about=ARN))
    assert code == "ValidationException"
    assert 'Invalid policy document: The relative-id "table/tab" is invalid for ARN "' in str(message)


def test_no_two_policies_have_one_revision_however_close_they_are() -> None:
    bench = Bench()
    stream = bench.call("DescribeTable", TableName="tab")["Table"]["LatestStreamArn"]
    given = []
    for arn in (ARN, stream, ARN):
        given.append(bench.call("PutResourcePolicy", ResourceArn=arn, Policy=policy(about=arn))["RevisionId"])
        bench.call("DeleteResourcePolicy", ResourceArn=arn)
    # Each deletion has a revision of its own.
    assert given == ["1800000000000", "1800000000002", "1800000000004"]


def test_a_revision_may_be_expected() -> None:
    bench = Bench()
    lead = "Resource-based policy not found for the provided ResourceArn: "
    put = {"ResourceArn": ARN, "Policy": policy()}
    bench.call("PutResourcePolicy", **put, ExpectedRevisionId="NO_POLICY")
    assert bench.refused("PutResourcePolicy", **put, ExpectedRevisionId="NO_POLICY") == (
        "PolicyNotFoundException",
        lead + "Requested policy update expecting none to be present for table tab, but a policy exists with revision "
        "id 1800000000000.",
    )
    assert bench.refused("DeleteResourcePolicy", ResourceArn=ARN, ExpectedRevisionId="1") == (
        "PolicyNotFoundException",
        lead + "Requested update for policy with revision id 1, but the policy associated to target table tab has "
        "revision id 1800000000000.",
    )
    bench.call("DeleteResourcePolicy", ResourceArn=ARN, ExpectedRevisionId="1800000000000")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (policy() + " " * 20_480, "Maximum policy size of 20480 bytes exceeded"),
        (policy("*"), "Resource-based policy grants unbounded access"),
        ("no JSON", ""),
        ("[" * 20_000, ""),
        ('{"Statement":[1]}', ""),
        ("{}", ""),
    ],
)
def test_what_can_not_be_a_policy(text: str, part: str) -> None:
    code, message = Bench().refused("PutResourcePolicy", ResourceArn=ARN, Policy=text)
    assert code == "ValidationException"
    assert part in (message or "")


@pytest.mark.parametrize(
    ("action", "locked"),
    [
        ("dynamodb:PutResourcePolicy", True),
        ("dynamodb:put*", True),
        ("*", True),
        ("dynamodb:?utResourcePolicy", True),
        ("dynamodb:DeleteResourcePolicy", False),
        ("dynamodb:Put", False),
        ("*?" * 5_000, False),
        ("*o" * 5_000, False),
    ],
)
def test_who_locks_itself_out_has_to_confirm_it(action: str, locked: bool) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    put = {"ResourceArn": ARN, "Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
    if locked:
        assert Bench().refused("PutResourcePolicy", **put) == (
            "AccessDeniedException",
            "The new resource policy will not allow you to update the resource policy in the future.",
        )
    Bench().call("PutResourcePolicy", **put, ConfirmRemoveSelfResourceAccess=locked)


def test_everybody_may_be_denied() -> None:
    Bench().call("PutResourcePolicy", ResourceArn=ARN, Policy=policy("*", "Deny"))


def test_streams_have_policies_of_their_own() -> None:
    bench = Bench()
    stream = bench.call("DescribeTable", TableName="tab")["Table"]["LatestStreamArn"]
    bench.call("PutResourcePolicy", ResourceArn=stream, Policy=policy(about=stream))
    assert bench.refused("GetResourcePolicy", ResourceArn=ARN)[0] == "PolicyNotFoundException"
    assert bench.refused("GetResourcePolicy", ResourceArn=stream + "0")[0] == "ResourceNotFoundException"


def test_policies_of_what_is_not_there() -> None:
    bench = Bench()
    for operation in ("GetResourcePolicy", "DeleteResourcePolicy"):
        assert bench.refused(operation, ResourceArn=ARN.replace("/tab", "/none")) == MISSING
        assert bench.refused(operation, ResourceArn="tab")[0] == "ValidationException"
    gone = {"ResourceArn": ARN.replace("/tab", "/none"), "Policy": policy()}
    assert bench.refused("PutResourcePolicy", **gone) == MISSING


def test_a_policy_from_the_start() -> None:
    bench = Bench(ResourcePolicy=policy())
    assert bench.call("GetResourcePolicy", ResourceArn=ARN)["Policy"] == CANONICAL


def test_policies_may_be_slowed_down_as_on_aws() -> None:
    bench = Bench(limits=Limits(policy_cooldown=15))
    bench.call("PutResourcePolicy", ResourceArn=ARN, Policy=policy())
    still = "Attempt to change a resource which is still in use: "
    assert bench.refused("DeleteResourcePolicy", ResourceArn=ARN) == (
        "ResourceInUseException",
        f"{still}Table is pending previous resource-based policy update: tab",
    )
    assert bench.refused("DeleteTable", TableName="tab") == (
        "ResourceInUseException",
        f"{still}Table: tab has a pending resource-based policy update.",
    )
    bench.clock.advance(2.4)
    # The same again is no change.
    bench.call("PutResourcePolicy", ResourceArn=ARN, Policy=policy())
    assert bench.refused("DeleteResourcePolicy", ResourceArn=ARN) == (
        "ThrottlingException",
        "Resource-based policy for table tab modified within the previous 15000 milliseconds. "
        "Please try again after 2027-01-15T08:00:15.000Z.",
    )


def kinesis(bench: Bench, verb: str, **more: Any) -> Any:
    return bench.call(f"{verb}KinesisStreamingDestination", TableName="tab", StreamArn=KINESIS, **more)


def destinations(bench: Bench) -> Any:
    told = bench.call("DescribeKinesisStreamingDestination", TableName="tab")
    assert told["TableName"] == "tab"
    return told["KinesisDataStreamDestinations"]


def test_a_destination_as_recorded() -> None:
    bench = Bench()
    names = {"TableName": "tab", "StreamArn": KINESIS}
    empty: dict[str, str] = {}
    enabled = kinesis(bench, "Enable")
    assert enabled == {**names, "DestinationStatus": "ENABLING", "EnableKinesisStreamingConfiguration": empty}
    assert destinations(bench) == [{"StreamArn": KINESIS, "DestinationStatus": "ACTIVE"}]
    precise = {"ApproximateCreationDateTimePrecision": "MICROSECOND"}
    assert kinesis(bench, "Update", UpdateKinesisStreamingConfiguration=precise) == {
        **names,
        "DestinationStatus": "UPDATING",
        "UpdateKinesisStreamingConfiguration": precise,
    }
    assert destinations(bench) == [{"StreamArn": KINESIS, "DestinationStatus": "ACTIVE", **precise}]
    assert kinesis(bench, "Disable") == {**names, "DestinationStatus": "DISABLING"}
    assert destinations(bench)[0]["DestinationStatus"] == "DISABLED"
    kinesis(bench, "Enable")


IN_STATE = "Table is not in a valid state to enable Kinesis Streaming Destination: "


def test_destinations_that_are_refused() -> None:
    bench = Bench(delays=Delays(update_table=5))
    body = {"TableName": "tab", "StreamArn": KINESIS}
    precise = {"UpdateKinesisStreamingConfiguration": {"ApproximateCreationDateTimePrecision": "MICROSECOND"}}

    def message(verb: str, **more: Any) -> str | None:
        code, text = bench.refused(f"{verb}KinesisStreamingDestination", **body, **more)
        assert code == "ValidationException"
        return text

    disable = IN_STATE + "KinesisStreamingDestination must be ACTIVE to perform DISABLE operation."
    assert message("Disable") == disable
    unknown = IN_STATE + f"No streaming destination with streamArn: {KINESIS} found for table with tableName: tab"
    assert message("Update", **precise) == unknown
    kinesis(bench, "Enable")
    assert message("Enable") == (
        IN_STATE + "EnableKinesisStreamingDestination must be DISABLED or ENABLE_FAILED to perform ENABLE operation."
    )
    assert message("Disable") == disable
    assert message("Update", **precise) == (
        IN_STATE + "Kinesis streaming is not in ACTIVE state. Updates are only allowed in ACTIVE state. "
        f"TableName: tab, kdsArn: {KINESIS}"
    )
    bench.clock.advance(5)
    assert message("Update") == (
        "Streaming destination cannot be updated with given parameters: UpdateKinesisStreamingConfiguration cannot be "
        "null or contain only null values"
    )
    same = {"UpdateKinesisStreamingConfiguration": {"ApproximateCreationDateTimePrecision": "MILLISECOND"}}
    table_id = bench.call("DescribeTable", TableName="tab")["Table"]["TableId"]
    assert message("Update", **same) == (
        "Invalid Request: Precision is already set to the desired value of MILLISECOND for "
        f"tableId: {table_id}, kdsArn: {KINESIS}"
    )
    configured = {"EnableKinesisStreamingConfiguration": {"ApproximateCreationDateTimePrecision": "MICROSECOND"}}
    assert message("Disable", **configured) == (
        "Stream cannot be disabled using EnableKinesisStreamingConfiguration parameters"
    )
    for verb in ("Enable", "Disable"):
        assert bench.refused(f"{verb}KinesisStreamingDestination", TableName="none", StreamArn=KINESIS) == MISSING


def test_what_is_no_stream_fails_later() -> None:
    bench = Bench()
    arn = "arn:aws:s3:us-east-1:400000000004:bucket/not-a-stream"
    told = bench.call("EnableKinesisStreamingDestination", TableName="tab", StreamArn=arn)
    assert told["DestinationStatus"] == "ENABLING"
    assert destinations(bench)[0]["DestinationStatus"] == "ENABLE_FAILED"
    kinesis(bench, "Enable")


def test_a_destination_while_it_or_its_table_goes() -> None:
    state = "Table is not in a valid state to enable Kinesis Streaming Destination: "
    names = {"TableName": "tab", "StreamArn": KINESIS}
    bench = Bench(delays=Delays(update_table=10, delete_table=10))
    kinesis(bench, "Enable")
    bench.clock.advance(11)
    for _ in range(2):
        assert kinesis(bench, "Disable") == {**names, "DestinationStatus": "DISABLING"}
    bench.clock.advance(11)
    kinesis(bench, "Enable")
    bench.clock.advance(11)
    bench.call("DeleteTable", TableName="tab")
    assert destinations(bench) == [{"StreamArn": KINESIS, "DestinationStatus": "ACTIVE"}]
    assert bench.refused("DisableKinesisStreamingDestination", **names) == (
        "ValidationException",
        f"{state}KinesisStreamingDestination must be ACTIVE to perform DISABLE operation.",
    )
