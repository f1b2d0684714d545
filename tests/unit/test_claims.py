"""The article's claims: the list is whole, and what checks can't show is shown here."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ParamValidationError
from botocore.retries import standard
from botocore.stub import Stubber
from botocore.validate import ParamValidator

from conformance.checks import all_checks
from conformance.checks.base import ARTICLE
from conformance.claims import claims, told
from conformance.record.run import CheckResult
from conformance.search.checking import chosen
from reference import ttl
from reference.account import Account
from reference.clock import ManualClock
from reference.service import Service
from tests.unit.stream_tables import ARN, START, create, ok, put, shards

ROOT = Path(__file__).parents[2]
CHECKED = {check.claim for check in all_checks() if check.claim}


# --- the list ---------------------------------------------------------------------------------------------------------


def test_every_claim_is_there_and_shown_in_one_way() -> None:
    assert list(claims()) == [f"C{number}" for number in range(1, 287)]
    assert {id for id, claim in claims().items() if not claim.way} == CHECKED


def test_tests_that_claims_name_exist() -> None:
    for id, claim in claims().items():
        if claim.way == "tests":
            path, _, name = claim.why.partition(", ")
            text = (ROOT / path).read_text()
            assert f"def {name}(" in text or (path == "tests/unit/test_claims.py" and f'"{id}"' in text), id


def test_nothing_is_left_to_build() -> None:
    assert {claim.why for claim in claims().values() if claim.way == "not-yet"} == set()


def test_a_claim_that_is_not_so_says_what_is() -> None:
    assert [
        id for id, claim in claims().items() if claim.verdict in ("contradicted", "outdated") and not claim.truth
    ] == []


def test_checks_of_the_article_are_made_when_it_is_asked_for() -> None:
    every = all_checks()
    assert not any(check.claim for check in chosen(every, [], []))
    assert {check.capability for check in chosen(every, [], [ARTICLE])} == {ARTICLE}
    assert not any(check.claim for check in chosen(every, ["indexes.consistent-read"], []))
    assert {check.id for check in every if check.claim == "C108"} == {"claims.C108"}


def result(check: str, verdict: str) -> CheckResult:
    return CheckResult(check, "indexes.consistent-read", ARTICLE, verdict)


def test_a_run_tells_the_worst_of_a_claims_checks_and_nothing_without_them() -> None:
    assert told([CheckResult("keys.missing", "keys.missing", "keys", "ok")]) == ()
    rows = {row["id"]: row for row in told([result("claims.C9", "ok"), result("claims.C9[index key]", "violated")])}
    assert len(rows) == 286
    assert rows["C9"]["shown"] == "violated"
    assert rows["C108"]["shown"] == "not-reached"
    assert (rows["C1"]["shown"], rows["C1"]["way"]) == ("", "unseen")


# --- boto3 alone ------------------------------------------------------------------------------------------------------

SESSION = boto3.Session("a", "b", region_name="us-east-1")


def client(service: str, **members: Any) -> Any:
    return SESSION.client(service, **members)


def takes(service: str, operation: str, **parameters: Any) -> None:
    """Let boto3 judge a call's parameters; nothing is sent."""
    model = client(service).meta.service_model.operation_model(operation)
    report = ParamValidator().validate(parameters, model.input_shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


TABLE = SESSION.resource("dynamodb").Table("Users")
TRACKING = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"},
}
SCALING = {
    "PolicyName": "scale-up",
    "ServiceNamespace": "dynamodb",
    "ResourceId": "table/Orders",
    "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
    "PolicyType": "TargetTrackingScaling",
}


def metrics() -> None:
    now = datetime.datetime.now(datetime.UTC)
    takes(
        "cloudwatch",
        "GetMetricStatistics",
        Namespace="AWS/DynamoDB",
        MetricName="ConsumedWriteCapacityUnits",
        Dimensions=[{"Name": "TableName", "Value": "Orders"}],
        StartTime=now.isoformat(),
        EndTime=now.isoformat(),
        Period=3600,
        Statistics=["Sum"],
    )


def scaling() -> None:
    takes("application-autoscaling", "PutScalingPolicy", **SCALING, TargetTrackingScalingPolicyConfiguration=TRACKING)
    with pytest.raises(ParamValidationError, match="Unknown parameter"):
        takes("application-autoscaling", "PutScalingPolicy", **SCALING, TargetTrackingConfiguration=TRACKING)


def conditions_in_batches() -> None:
    put_request = {"Item": {"pk": {"S": "a"}}}
    takes("dynamodb", "BatchWriteItem", RequestItems={"t": [{"PutRequest": put_request}]})
    requests = [{"PutRequest": {**put_request, "ConditionExpression": "attribute_not_exists(pk)"}}]
    with pytest.raises(ParamValidationError, match="Unknown parameter"):
        takes("dynamodb", "BatchWriteItem", RequestItems={"t": requests})


def batches_of_a_table() -> None:
    assert not hasattr(TABLE, "batch_get_item")
    assert hasattr(SESSION.resource("dynamodb"), "batch_get_item")


def retries() -> None:
    config = Config(retries={"max_attempts": 10, "mode": "adaptive"})
    made = client("dynamodb", config=config)
    assert made.meta.config.retries == {"mode": "adaptive", "total_max_attempts": 11}


def base() -> None:
    made = standard.ExponentialBackoff(random=lambda: 1.0, service_name="dynamodb")
    assert made.delay_amount(standard.RetryContext(attempt_number=1)) == 0.025


def backoff() -> None:
    made = standard.ExponentialBackoff(random=lambda: 0.5, service_name="dynamodb")
    waits = [made.delay_amount(standard.RetryContext(attempt_number=number + 1)) for number in range(12)]
    assert waits == [0.5 * min(20, 0.025 * 2**number) for number in range(12)]


def floats() -> None:
    with Stubber(TABLE.meta.client) as stub:
        stub.add_response("put_item", {})
        with pytest.raises(TypeError, match=r"Float types are not supported\. Use Decimal types instead"):
            TABLE.put_item(Item={"UserId": "a", "Total": 99.99})
        TABLE.put_item(Item={"UserId": "a", "Total": Decimal("99.99")})


def plan() -> None:
    vault = "arn:aws:backup:eu-west-1:123456789012:backup-vault:v"
    rule = {
        "RuleName": "daily",
        "TargetBackupVaultName": "vault",
        "Lifecycle": {"DeleteAfterDays": 35},
        "CopyActions": [{"DestinationBackupVaultArn": vault, "Lifecycle": {"DeleteAfterDays": 90}}],
    }
    takes("backup", "CreateBackupPlan", BackupPlan={"BackupPlanName": "p", "Rules": [rule]})


BY_BOTO3: dict[str, Callable[[], None]] = {
    "C36": metrics,
    "C74": scaling,
    "C79": conditions_in_batches,
    "C82": batches_of_a_table,
    "C90": retries,
    "C91": base,
    "C101": backoff,
    "C118": floats,
    "C218": plan,
    "C280": retries,
}


@pytest.mark.parametrize("id", BY_BOTO3)
def test_boto3_alone_shows_it(id: str) -> None:
    assert "boto3" in claims()[id].why
    BY_BOTO3[id]()


# --- arithmetic -------------------------------------------------------------------------------------------------------

# List prices in us-east-1, in dollars (beyond:PRC-1, PRC-2): of a unit and hour, and of a million requests.
RCU, WCU = 0.00013, 0.00065
READS, WRITES = 0.125, 0.625
READS_BEFORE, WRITES_BEFORE = 0.25, 1.25
HOURS = 730
THIRTY_DAYS = 720


def provisioned(reads: float, writes: float, write_price: float = WCU) -> float:
    return (reads * RCU + writes * write_price) * HOURS


def on_demand(
    reads: float, writes: float, prices: tuple[float, float] = (READS, WRITES), hours: int = THIRTY_DAYS
) -> float:
    """Of so many a second, for a month."""
    return (reads * prices[0] + writes * prices[1]) * 3600 * hours / 1e6


BEFORE = (READS_BEFORE, WRITES_BEFORE)
WRONG_WCU = 0.000065
"""The article's price of a write unit, ten times too low."""
SUMS: dict[str, tuple[float, float]] = {
    "C53": (on_demand(1, 0, hours=HOURS) / provisioned(1, 0), 3.46),
    "C55": (30 * (READS + WRITES / 10), 5.6),
    "C63": (HOURS / THIRTY_DAYS, 1.014),
    "C64": (provisioned(100, 50), 33.22),
    "C65": (on_demand(100, 50, BEFORE), 226.8),
    "C66": (on_demand(100, 50, BEFORE) / provisioned(100, 50, WRONG_WCU), 19.1),
    "C68": (on_demand(0, 1, hours=HOURS) / provisioned(0, 1), 3.46),
    "C255": (on_demand(1, 1, hours=HOURS) / provisioned(1, 1), 3.46),
}


@pytest.mark.parametrize("id", SUMS)
def test_the_sum_is_another(id: str) -> None:
    assert "arithmetic" in claims()[id].why
    found, expected = SUMS[id]
    assert found == pytest.approx(expected, rel=0.006)


def test_the_articles_own_sums_differ_from_its_text() -> None:
    assert provisioned(100, 50, WRONG_WCU) == pytest.approx(11.86, abs=0.01)
    assert on_demand(100, 50) == pytest.approx(113.4, abs=0.01)
    assert 1 / SUMS["C53"][0] == pytest.approx(0.29, abs=0.005)


# --- on a clock that can be driven ------------------------------------------------------------------------------------


def expiring(until: float) -> tuple[Service, ManualClock]:
    """A table whose one item expires at a moment, a stream, and point-in-time recovery."""
    clock = ManualClock(START)
    service = Service(Account(clock))
    create(service)
    specification = {"Enabled": True, "AttributeName": "until"}
    ok(service, "UpdateTimeToLive", TableName="music", TimeToLiveSpecification=specification)
    recovery = {"PointInTimeRecoveryEnabled": True}
    ok(service, "UpdateContinuousBackups", TableName="music", PointInTimeRecoverySpecification=recovery)
    ok(service, "PutItem", TableName="music", Item={"id": {"S": "a"}, "until": {"N": str(int(until))}})
    put(service, id="b")
    return service, clock


def ids(service: Service, table: str = "music") -> list[str]:
    return sorted(item["id"]["S"] for item in ok(service, "Scan", TableName=table)["Items"])


def deletes_in_time() -> None:
    service, clock = expiring(START + 60)
    assert (ttl.sweep(service.account), ids(service)) == (0, ["a", "b"])
    clock.advance(60)
    assert (ttl.sweep(service.account), ids(service)) == (1, ["b"])


def tells_its_stream() -> None:
    service, clock = expiring(START + 60)
    clock.advance(60)
    ttl.sweep(service.account)
    (shard,) = shards(service)
    place = ok(service, "GetShardIterator", StreamArn=ARN, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    record = ok(service, "GetRecords", ShardIterator=place["ShardIterator"])["Records"][-1]
    assert record["eventName"] == "REMOVE"
    assert record["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}


def is_gone_but_in_recovery() -> None:
    service, clock = expiring(START + 60)
    clock.advance(600)
    ttl.sweep(service.account)
    clock.advance(600)
    for name, moment, expected in (("before", START + 599, ["a", "b"]), ("after", START + 601, ["b"])):
        body = {"SourceTableName": "music", "TargetTableName": name, "RestoreDateTime": moment}
        ok(service, "RestoreTableToPointInTime", **body)
        assert ids(service, name) == expected


def counts_in_seconds() -> None:
    service, clock = expiring((START + 60) * 1000)
    clock.advance(86_400 * 365)
    assert ttl.sweep(service.account) == 0


ON_A_CLOCK: dict[str, Callable[[], None]] = {
    "C169": deletes_in_time,
    "C173": tells_its_stream,
    "C179": is_gone_but_in_recovery,
    "C183": is_gone_but_in_recovery,
    "C188": counts_in_seconds,
}


@pytest.mark.parametrize("id", ON_A_CLOCK)
def test_the_reference_shows_it_in_time(id: str) -> None:
    assert "clock" in claims()[id].why
    ON_A_CLOCK[id]()


def test_how_the_article_fares() -> None:
    counted = Counter(claim.verdict for claim in claims().values())
    assert counted["contradicted"] + counted["outdated"] > 90
    assert len(CHECKED) > 110
