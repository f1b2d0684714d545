"""On-demand backups and the backups of deleted tables, against AWS's answers (beyond:BKP-1 to BKP-13)."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Account, Delays
from reference.clock import ManualClock
from reference.service import Service
from tests.unit.table_requests import IPV, PLAIN, SORTED, START, defined, elements, index, refusal, reply, units, vector

ARN = "arn:aws:dynamodb:us-east-1:400000000004:table/tab"
FIRST = f"{ARN}/backup/01800000000000-"
DAY = 86_400
INVALID = ("ValidationException", "Invalid Request: BackupArn is not valid")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def service(clock: ManualClock) -> Service:
    made = Service(Account(clock))
    reply(made, "CreateTable", **PLAIN)
    return made


def back_up(service: Service, name: str = "nightly", table: str = "tab") -> str:
    arn: str = reply(service, "CreateBackup", TableName=table, BackupName=name)["BackupDetails"]["BackupArn"]
    return arn


def recover(service: Service, table: str = "tab") -> None:
    on = {"PointInTimeRecoveryEnabled": True}
    reply(service, "UpdateContinuousBackups", TableName=table, PointInTimeRecoverySpecification=on)


def listed(service: Service, **body: Any) -> list[str]:
    return [each["BackupName"] for each in reply(service, "ListBackups", **body)["BackupSummaries"]]


def test_backup_of_a_plain_table(service: Service) -> None:
    reply(service, "PutItem", TableName="tab", Item={"id": {"S": "ab"}, "n": {"N": "1"}})
    details = reply(service, "CreateBackup", TableName="tab", BackupName="nightly")["BackupDetails"]
    arn = details.pop("BackupArn")
    assert arn.startswith(FIRST)
    assert len(arn) == len(FIRST) + 8
    assert details == {
        "BackupName": "nightly",
        "BackupSizeBytes": 7,
        "BackupStatus": "CREATING",
        "BackupType": "USER",
        "BackupCreationDateTime": START,
    }
    table = reply(service, "DescribeTable", TableName="tab")["Table"]
    told = reply(service, "DescribeBackup", BackupArn=arn)
    assert told == {
        "BackupDescription": {
            "BackupDetails": {**details, "BackupArn": arn, "BackupStatus": "AVAILABLE"},
            "SourceTableDetails": {
                "TableName": "tab",
                "TableId": table["TableId"],
                "TableArn": ARN,
                "TableSizeBytes": 7,
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "TableCreationDateTime": START,
                "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
                "ItemCount": 1,
                "BillingMode": "PAY_PER_REQUEST",
            },
            "SourceTableFeatureDetails": {},
        }
    }


def test_backups_of_one_moment_are_listed_as_they_were_made(service: Service) -> None:
    names = ["one", "two", "three", "four", "five", "six"]
    for name in names:
        back_up(service, name)
    assert listed(service) == names


def test_backup_records_features_as_they_were(service: Service) -> None:
    body: dict[str, Any] = {
        **SORTED,
        "TableName": "rich",
        "AttributeDefinitions": defined("a", "b", "c"),
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": units(5, 6),
        "GlobalSecondaryIndexes": [index("gsi", "c", ProvisionedThroughput=units(1, 2))],
        "LocalSecondaryIndexes": [index("lsi", "a", "c")],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "arn:aws:kms:us-east-1:1:key/k"},
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
        "Tags": [{"Key": "k", "Value": "v"}],
    }
    reply(service, "CreateTable", **body)
    ttl = {"Enabled": True, "AttributeName": "until"}
    reply(service, "UpdateTimeToLive", TableName="rich", TimeToLiveSpecification=ttl)
    arn = back_up(service, table="rich")
    raised = {"IndexName": "gsi", "ProvisionedThroughput": units(10, 10)}
    reply(service, "UpdateTable", TableName="rich", GlobalSecondaryIndexUpdates=[{"Update": raised}])
    told = reply(service, "DescribeBackup", BackupArn=arn)["BackupDescription"]
    assert told["SourceTableDetails"]["ProvisionedThroughput"] == units(5, 6)
    assert told["SourceTableDetails"]["BillingMode"] == "PROVISIONED"
    everything = {"ProjectionType": "ALL"}
    assert told["SourceTableFeatureDetails"] == {
        "LocalSecondaryIndexes": [
            {"IndexName": "lsi", "KeySchema": elements("a/HASH", "c/RANGE"), "Projection": everything}
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "gsi",
                "KeySchema": elements("c/HASH"),
                "Projection": everything,
                "ProvisionedThroughput": units(1, 2),
            }
        ],
        "StreamDescription": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"},
        "SSEDescription": {
            "Status": "ENABLED",
            "SSEType": "KMS",
            "KMSMasterKeyArn": "arn:aws:kms:us-east-1:1:key/k",
        },
    }


def test_backup_records_maxima_and_vector_indexes(service: Service) -> None:
    limits = {"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 50}
    reply(
        service,
        "CreateTable",
        **{**PLAIN, "TableName": "far"},
        OnDemandThroughput=limits,
        VectorIndexes=[vector("near")],
    )
    told = reply(service, "DescribeBackup", BackupArn=back_up(service, table="far"))["BackupDescription"]
    assert told["SourceTableDetails"]["OnDemandThroughput"] == limits
    assert told["SourceTableFeatureDetails"] == {"VectorIndexes": [vector("near")]}


def test_missing_and_unready_tables(clock: ManualClock) -> None:
    service = Service(Account(clock, delays=Delays(create_table=5, enable_backups=6)))
    missing = ("TableNotFoundException", "Table not found: tab")
    assert refusal(service, "CreateBackup", TableName="tab", BackupName="nightly") == missing
    reply(service, "CreateTable", **PLAIN)
    assert refusal(service, "CreateBackup", TableName="tab", BackupName="nightly") == missing
    clock.advance(2.9)
    assert refusal(service, "CreateBackup", TableName="tab", BackupName="nightly") == missing
    clock.advance(0.1)
    unready = (
        "ContinuousBackupsUnavailableException",
        "Backups are being enabled for the table: tab. Please retry later",
    )
    assert refusal(service, "CreateBackup", TableName="tab", BackupName="nightly") == unready
    on = {"PointInTimeRecoveryEnabled": True}
    asked = {"TableName": "tab", "PointInTimeRecoverySpecification": on}
    assert refusal(service, "UpdateContinuousBackups", **asked) == unready
    clock.advance(2)
    assert refusal(service, "UpdateContinuousBackups", **asked) == unready
    clock.advance(6)
    back_up(service)
    reply(service, "UpdateContinuousBackups", **asked)


def test_name_constraints(service: Service) -> None:
    assert refusal(service, "CreateBackup", TableName="tab", BackupName="a b") == (
        "ValidationException",
        "1 validation error detected: Value 'a b' at 'backupName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
    )


def test_names_repeat_and_arns_do_not(service: Service) -> None:
    arns = {back_up(service) for _ in range(3)}
    assert len(arns) == 3
    assert listed(service, TableName="tab") == ["nightly"] * 3


def test_delete(service: Service) -> None:
    arn = back_up(service)
    told = reply(service, "DeleteBackup", BackupArn=arn)["BackupDescription"]
    assert told["BackupDetails"]["BackupStatus"] == "DELETED"
    assert told["SourceTableDetails"]["TableName"] == "tab"
    gone = ("BackupNotFoundException", f"Backup not found: {arn}")
    assert refusal(service, "DescribeBackup", BackupArn=arn) == gone
    assert refusal(service, "DeleteBackup", BackupArn=arn) == gone
    assert listed(service) == []


def test_backups_outlive_their_table_and_span_namesakes(service: Service) -> None:
    first = back_up(service, "first")
    reply(service, "DeleteTable", TableName="tab")
    assert listed(service, TableName="tab") == ["first"]
    reply(service, "CreateTable", **PLAIN)
    back_up(service, "second")
    told = reply(service, "ListBackups", TableName=ARN)["BackupSummaries"]
    assert {each["TableArn"] for each in told} == {ARN}
    assert len({each["TableId"] for each in told}) == 2
    kept = reply(service, "DescribeBackup", BackupArn=first)["BackupDescription"]
    assert kept["BackupDetails"]["BackupName"] == "first"


@pytest.mark.parametrize(
    ("arn", "error"),
    [
        (ARN + "-which-is-no-backup", ("ValidationException", "Invalid Backup ARN")),
        ("x" * 48, ("ValidationException", "Invalid Backup ARN")),
        (FIRST.replace("us-east-1", "xx-fake-1") + "00", INVALID),
        (FIRST.replace("arn:aws:", "arn:aws-cn:") + "00", INVALID),
        (FIRST.replace(":dynamodb:", ":s3:") + "00", INVALID),
        (FIRST.replace("us-east-1", "") + "00", ("AccessDeniedException", "Access is denied")),
        (FIRST.replace("400000000004", "111111111111") + "00", ("AccessDeniedException", "Access is denied")),
        (FIRST + "00", ("BackupNotFoundException", f"Backup not found: {FIRST}00")),
    ],
)
@pytest.mark.parametrize("operation", ["DescribeBackup", "DeleteBackup"])
def test_arns(service: Service, operation: str, arn: str, error: tuple[str, str]) -> None:
    assert refusal(service, operation, BackupArn=arn) == error


def test_another_region_in_the_arn_is_ignored_and_echoed(service: Service) -> None:
    arn = back_up(service).replace("us-east-1", "eu-west-1")
    told = reply(service, "DescribeBackup", BackupArn=arn)["BackupDescription"]
    assert told["BackupDetails"]["BackupArn"] == arn
    reply(service, "DeleteBackup", BackupArn=arn)
    assert listed(service) == []


class TestList:
    def test_pages(self, service: Service, clock: ManualClock) -> None:
        arns = []
        for name in ("one", "two", "three"):
            arns.append(back_up(service, name))
            clock.advance(1)
        page = reply(service, "ListBackups", Limit=2)
        assert [each["BackupName"] for each in page["BackupSummaries"]] == ["one", "two"]
        assert page["LastEvaluatedBackupArn"] == arns[1]
        reply(service, "DeleteBackup", BackupArn=arns[1])
        rest = reply(service, "ListBackups", Limit=1, ExclusiveStartBackupArn=arns[1])
        assert [each["BackupName"] for each in rest["BackupSummaries"]] == ["three"]
        assert "LastEvaluatedBackupArn" not in rest

    def test_summary(self, service: Service) -> None:
        arn = back_up(service)
        table = reply(service, "DescribeTable", TableName="tab")["Table"]
        assert reply(service, "ListBackups") == {
            "BackupSummaries": [
                {
                    "TableName": "tab",
                    "TableId": table["TableId"],
                    "TableArn": ARN,
                    "BackupArn": arn,
                    "BackupName": "nightly",
                    "BackupCreationDateTime": START,
                    "BackupStatus": "AVAILABLE",
                    "BackupType": "USER",
                    "BackupSizeBytes": 0,
                }
            ]
        }

    def test_time_range_includes_its_lower_bound_only(self, service: Service) -> None:
        back_up(service)
        assert listed(service, TimeRangeLowerBound=START) == ["nightly"]
        assert listed(service, TimeRangeLowerBound=START + 0.001) == []
        assert listed(service, TimeRangeUpperBound=START) == []
        assert listed(service, TimeRangeUpperBound=START + 0.001) == ["nightly"]
        assert refusal(service, "ListBackups", TimeRangeLowerBound=2, TimeRangeUpperBound=1) == (
            "ValidationException",
            f"{IPV}Time range lower bound must be less than or equal to upper bound",
        )

    def test_unknown_table(self, service: Service) -> None:
        assert listed(service, TableName="none") == []

    def test_cursor_of_another_region(self, service: Service) -> None:
        arn = back_up(service).replace("us-east-1", "eu-west-1")
        assert refusal(service, "ListBackups", ExclusiveStartBackupArn=arn) == (
            "ValidationException",
            "Invalid Request: The supplied ExclusiveStartBackupArn does not match the region",
        )

    def test_limit(self, service: Service) -> None:
        code, message = refusal(service, "ListBackups", Limit=101)
        assert code == "ValidationException"
        assert message == (
            "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: "
            "Member must have value less than or equal to 100"
        )


class TestDeletedTables:
    @pytest.fixture(autouse=True)
    def _deleted(self, service: Service) -> None:
        recover(service)
        reply(service, "PutItem", TableName="tab", Item={"id": {"S": "a"}})
        reply(service, "DeleteTable", TableName="tab")

    def test_backup_of_the_service(self, service: Service) -> None:
        assert listed(service) == []
        for kind in ("SYSTEM", "ALL"):
            assert listed(service, BackupType=kind) == ["tab$DeletedTableBackup"]
        assert listed(service, BackupType="AWS_BACKUP") == []
        arn = f"{FIRST}00000000"
        told = reply(service, "DescribeBackup", BackupArn=arn)["BackupDescription"]
        assert told["BackupDetails"] == {
            "BackupArn": arn,
            "BackupName": "tab$DeletedTableBackup",
            "BackupSizeBytes": 3,
            "BackupStatus": "AVAILABLE",
            "BackupType": "SYSTEM",
            "BackupCreationDateTime": START,
            "BackupExpiryDateTime": START + 35 * DAY,
        }
        assert told["SourceTableFeatureDetails"] == {}

    def test_it_cannot_be_deleted_but_restored(self, service: Service) -> None:
        arn = f"{FIRST}00000000"
        assert refusal(service, "DeleteBackup", BackupArn=arn) == (
            "ValidationException",
            "Invalid Request: User is not allowed to delete the system backup with arn "
            f"{arn}. It will automatically expire on 2027-02-19T08:00:00Z",
        )
        reply(service, "RestoreTableFromBackup", TargetTableName="again", BackupArn=arn)
        assert reply(service, "Scan", TableName="again")["Items"] == [{"id": {"S": "a"}}]

    def test_it_expires(self, service: Service, clock: ManualClock) -> None:
        clock.advance(35 * DAY - 1)
        assert listed(service, BackupType="SYSTEM") == ["tab$DeletedTableBackup"]
        clock.advance(1)
        assert listed(service, BackupType="SYSTEM") == []

    def test_two_of_one_moment_have_two_arns(self, service: Service) -> None:
        reply(service, "CreateTable", **PLAIN)
        recover(service)
        reply(service, "DeleteTable", TableName="tab")
        assert listed(service, BackupType="SYSTEM") == ["tab$DeletedTableBackup"] * 2


def test_no_backup_of_a_deleted_table_without_recovery(clock: ManualClock) -> None:
    service = Service(Account(clock, delays=Delays(delete_table=5)))
    for name in ("off", "never"):
        reply(service, "CreateTable", **{**PLAIN, "TableName": name})
    recover(service, "off")
    reply(service, "DeleteTable", TableName="never")
    reply(service, "DeleteTable", TableName="off")
    off = {"PointInTimeRecoveryEnabled": False}
    reply(service, "UpdateContinuousBackups", TableName="off", PointInTimeRecoverySpecification=off)
    clock.advance(5)
    assert listed(service, BackupType="ALL") == []


def test_table_being_deleted_can_still_be_backed_up(clock: ManualClock) -> None:
    service = Service(Account(clock, delays=Delays(delete_table=5)))
    reply(service, "CreateTable", **PLAIN)
    reply(service, "DeleteTable", TableName="tab")
    back_up(service)
    clock.advance(5)
    assert listed(service, TableName="tab") == ["nightly"]
