"""Restores from a backup and to a point in time, against AWS's answers (beyond:RST-1 to RST-10)."""

from __future__ import annotations

from typing import Any

import pytest

from reference.account import Account, Delays
from reference.clock import ManualClock
from reference.service import Service
from reference.tables.limits import Limits
from tests.unit.table_requests import PLAIN, START, defined, index, key, refusal, reply, units, vector

ARN = "arn:aws:dynamodb:us-east-1:400000000004:table/tab"
PROVISIONED: dict[str, Any] = {
    "TableName": "pro",
    "KeySchema": key("a", "b"),
    "AttributeDefinitions": defined("a", "b", "c"),
    "ProvisionedThroughput": units(5, 6),
    "GlobalSecondaryIndexes": [index("gsi", "c", ProvisionedThroughput=units(1, 2))],
    "LocalSecondaryIndexes": [index("lsi", "a", "c")],
}


class Bench:
    """A service with an on-demand table ``tab`` and a provisioned one, ``pro``, with two indexes; one item in each."""

    def __init__(self, delays: Delays | None = None, limits: Limits | None = None) -> None:
        self.clock = ManualClock(START)
        self.service = Service(Account(self.clock, delays=delays, limits=limits))
        self.call("CreateTable", **PLAIN)
        self.call("CreateTable", **PROVISIONED)
        self.call("PutItem", TableName="tab", Item={"id": {"S": "x"}})
        self.call("PutItem", TableName="pro", Item={name: {"S": name} for name in "abcd"})

    def call(self, operation: str, **body: Any) -> Any:
        return reply(self.service, operation, **body)

    def refused(self, operation: str, **body: Any) -> tuple[str, str | None]:
        return refusal(self.service, operation, **body)

    def back_up(self, table: str = "tab") -> str:
        arn: str = self.call("CreateBackup", TableName=table, BackupName="nightly")["BackupDetails"]["BackupArn"]
        return arn

    def recover(self, table: str = "tab", **more: Any) -> None:
        on = {"PointInTimeRecoveryEnabled": True, **more}
        self.call("UpdateContinuousBackups", TableName=table, PointInTimeRecoverySpecification=on)

    def table(self, name: str) -> dict[str, Any]:
        told: dict[str, Any] = self.call("DescribeTable", TableName=name)["Table"]
        return told

    def keys(self, name: str) -> list[str]:
        return sorted(item["id"]["S"] for item in self.call("Scan", TableName=name)["Items"])


@pytest.fixture
def bench() -> Bench:
    return Bench()


class TestFromBackup:
    def test_answer_and_table(self) -> None:
        bench = Bench(Delays(restore_table=90))
        arn = bench.back_up()
        bench.clock.advance(60)
        told = bench.call("RestoreTableFromBackup", TargetTableName="new", BackupArn=arn)["TableDescription"]
        summary = {
            "SourceBackupArn": arn,
            "SourceTableArn": ARN,
            "RestoreDateTime": START,
            "RestoreInProgress": True,
        }
        assert told["TableStatus"] == "CREATING"
        assert told["TableName"] == "new"
        assert told["CreationDateTime"] == START + 60
        assert told["RestoreSummary"] == summary
        assert bench.table("new")["RestoreSummary"] == summary
        bench.clock.advance(90)
        assert bench.table("new")["TableStatus"] == "ACTIVE"
        assert "RestoreSummary" not in bench.table("new")
        assert bench.table("new")["TableId"] != bench.table("tab")["TableId"]
        assert bench.keys("new") == ["x"]

    def test_items_are_those_of_the_backup(self, bench: Bench) -> None:
        arn = bench.back_up()
        bench.call("PutItem", TableName="tab", Item={"id": {"S": "later"}})
        bench.call("DeleteItem", TableName="tab", Key={"id": {"S": "x"}})
        bench.call("RestoreTableFromBackup", TargetTableName="new", BackupArn=arn)
        assert bench.keys("new") == ["x"]
        assert bench.keys("tab") == ["later"]

    def test_indexes_and_capacity_are_kept(self, bench: Bench) -> None:
        arn = bench.back_up("pro")
        bench.call("DeleteTable", TableName="pro")
        bench.call("RestoreTableFromBackup", TargetTableName="new", BackupArn=arn)
        told = bench.table("new")
        assert told["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units(5, 6)}
        assert told["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"] == {
            "NumberOfDecreasesToday": 0,
            **units(1, 2),
        }
        assert told["GlobalSecondaryIndexes"][0]["ItemCount"] == 1
        assert told["LocalSecondaryIndexes"][0]["ItemCount"] == 1
        condition = {"c": {"AttributeValueList": [{"S": "c"}], "ComparisonOperator": "EQ"}}
        assert bench.call("Query", TableName="new", IndexName="gsi", KeyConditions=condition)["Count"] == 1

    def test_what_is_kept_and_what_is_dropped(self, bench: Bench) -> None:
        limits = {"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 50}
        bench.call(
            "CreateTable",
            **{**PLAIN, "TableName": "rich"},
            OnDemandThroughput=limits,
            VectorIndexes=[vector("near")],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
            SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "arn:aws:kms:us-east-1:1:key/k"},
            TableClass="STANDARD_INFREQUENT_ACCESS",
            DeletionProtectionEnabled=True,
            Tags=[{"Key": "k", "Value": "v"}],
        )
        bench.recover("rich")
        ttl = {"Enabled": True, "AttributeName": "until"}
        bench.call("UpdateTimeToLive", TableName="rich", TimeToLiveSpecification=ttl)
        bench.call("RestoreTableFromBackup", TargetTableName="new", BackupArn=bench.back_up("rich"))
        told = bench.table("new")
        assert told["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        assert told["OnDemandThroughput"] == limits
        assert told["SSEDescription"]["KMSMasterKeyArn"] == "arn:aws:kms:us-east-1:1:key/k"
        assert told["VectorIndexes"][0]["IndexName"] == "near"
        assert told["DeletionProtectionEnabled"] is False
        for member in ("StreamSpecification", "LatestStreamArn", "TableClassSummary"):
            assert member not in told
        assert bench.call("ListTagsOfResource", ResourceArn=told["TableArn"]) == {"Tags": []}
        described = bench.call("DescribeTimeToLive", TableName="new")
        assert described == {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
        recovery = bench.call("DescribeContinuousBackups", TableName="new")["ContinuousBackupsDescription"]
        assert recovery["PointInTimeRecoveryDescription"] == {"PointInTimeRecoveryStatus": "DISABLED"}

    @pytest.mark.parametrize("override", [{"Enabled": False}, {}])
    def test_encryption_can_be_dropped(self, bench: Bench, override: dict[str, Any]) -> None:
        body = {**PLAIN, "TableName": "kept", "SSESpecification": {"Enabled": True}}
        bench.call("CreateTable", **body)
        arn = bench.back_up("kept")
        bench.call("RestoreTableFromBackup", TargetTableName="new", BackupArn=arn, SSESpecificationOverride=override)
        assert "SSEDescription" not in bench.table("new")


class TestOverrides:
    def restore(self, bench: Bench, source: str, **overrides: Any) -> dict[str, Any]:
        arn = bench.back_up(source)
        bench.call("RestoreTableFromBackup", TargetTableName="new", BackupArn=arn, **overrides)
        return bench.table("new")

    def refused(self, bench: Bench, source: str, **overrides: Any) -> str:
        arn = bench.back_up(source)
        asked = {"TargetTableName": "new", "BackupArn": arn, **overrides}
        code, message = bench.refused("RestoreTableFromBackup", **asked)
        assert code == "ValidationException"
        assert bench.refused("DescribeTable", TableName="new")[0] == "ResourceNotFoundException"
        assert message is not None
        return message

    def test_to_on_demand(self, bench: Bench) -> None:
        told = self.restore(
            bench,
            "pro",
            BillingModeOverride="PAY_PER_REQUEST",
            OnDemandThroughputOverride={"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 10},
        )
        assert told["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        zero = {"NumberOfDecreasesToday": 0, **units(0, 0)}
        assert told["ProvisionedThroughput"] == zero
        assert told["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"] == zero
        assert told["OnDemandThroughput"] == {"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 10}

    def test_to_provisioned(self, bench: Bench) -> None:
        told = self.restore(bench, "tab", BillingModeOverride="PROVISIONED", ProvisionedThroughputOverride=units(3, 4))
        assert told["ProvisionedThroughput"] == {"NumberOfDecreasesToday": 0, **units(3, 4)}

    def test_units_are_those_of_the_table_only(self, bench: Bench) -> None:
        told = self.restore(bench, "pro", ProvisionedThroughputOverride=units(9, 9))
        assert told["ProvisionedThroughput"]["ReadCapacityUnits"] == 9
        assert told["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["ReadCapacityUnits"] == 1

    @pytest.mark.parametrize(
        ("source", "overrides", "message"),
        [
            (
                "tab",
                {"ProvisionedThroughputOverride": units(1, 1)},
                "Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED",
            ),
            (
                "tab",
                {"BillingModeOverride": "PROVISIONED"},
                "Must override ProvisionedThroughput if BillingMode is overridden to PROVISIONED",
            ),
            (
                "pro",
                {"BillingModeOverride": "PAY_PER_REQUEST", "ProvisionedThroughputOverride": units(1, 1)},
                "Cannot override ProvisionedThroughput if BillingMode is overridden to PAY_PER_REQUEST",
            ),
            (
                "pro",
                {"OnDemandThroughputOverride": {"MaxReadRequestUnits": 5}},
                "Cannot override MaxReadRequestUnits for OnDemandThroughput unless BillingModeOverride is "
                "PAY_PER_REQUEST",
            ),
            (
                "tab",
                {"OnDemandThroughputOverride": {"MaxReadRequestUnits": 0, "MaxWriteRequestUnits": 0}},
                "Requested MaxReadRequestUnits for OnDemandThroughput is outside of valid range",
            ),
            (
                "pro",
                {"GlobalSecondaryIndexOverride": [index("gsi", "c")]},
                "Must specify provisioned throughput for index gsi",
            ),
            (
                "pro",
                {
                    "BillingModeOverride": "PAY_PER_REQUEST",
                    "GlobalSecondaryIndexOverride": [index("gsi", "c", ProvisionedThroughput=units(1, 1))],
                },
                "Cannot override ProvisionedThroughput if BillingMode is overridden to PAY_PER_REQUEST for index gsi",
            ),
            (
                "pro",
                {"GlobalSecondaryIndexOverride": [index("gsi", "b", ProvisionedThroughput=units(1, 1))]},
                "Index gsi does not match a secondary index that existed in the source table and cannot be created "
                "during the restore operation",
            ),
            (
                "pro",
                {"LocalSecondaryIndexOverride": [index("other", "a", "d")]},
                "Index other does not match a secondary index that existed in the source table and cannot be created "
                "during the restore operation",
            ),
        ],
    )
    def test_refused(self, bench: Bench, source: str, overrides: dict[str, Any], message: str) -> None:
        assert self.refused(bench, source, **overrides) == f"Invalid Request: {message}"

    def test_empty_lists_drop_all_indexes(self, bench: Bench) -> None:
        told = self.restore(bench, "pro", GlobalSecondaryIndexOverride=[], LocalSecondaryIndexOverride=[])
        assert "GlobalSecondaryIndexes" not in told
        assert "LocalSecondaryIndexes" not in told
        assert [each["AttributeName"] for each in told["AttributeDefinitions"]] == ["a", "b"]

    def test_indexes_may_be_renamed(self, bench: Bench) -> None:
        renamed = [index("other", "c", ProvisionedThroughput=units(7, 7))]
        told = self.restore(bench, "pro", GlobalSecondaryIndexOverride=renamed)
        assert [each["IndexName"] for each in told["GlobalSecondaryIndexes"]] == ["other"]
        assert told["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["ReadCapacityUnits"] == 7
        assert [each["IndexName"] for each in told["LocalSecondaryIndexes"]] == ["lsi"]

    def test_vector_indexes(self, bench: Bench) -> None:
        bench.call("CreateTable", **{**PLAIN, "TableName": "far"}, VectorIndexes=[vector("near")])
        other = "Index near does not match a secondary index that existed in the source table"
        assert other in self.refused(bench, "far", VectorIndexOverride=[vector("near", 4)])
        told = self.restore(bench, "far", VectorIndexOverride=[])
        assert "VectorIndexes" not in told

    def test_account_quotas_hold(self, bench: Bench) -> None:
        asked = {"TargetTableName": "new", "BackupArn": bench.back_up("pro")}
        code, _ = bench.refused("RestoreTableFromBackup", **asked, ProvisionedThroughputOverride=units(40_001, 1))
        assert code == "LimitExceededException"


class TestTargets:
    def test_taken_names(self, bench: Bench) -> None:
        exists = ("TableAlreadyExistsException", "Table already exists: pro")
        assert bench.refused("RestoreTableFromBackup", TargetTableName="pro", BackupArn=bench.back_up()) == exists

    def test_name_of_a_table_being_deleted(self) -> None:
        bench = Bench(Delays(delete_table=5))
        bench.call("DeleteTable", TableName="pro")
        asked = {"TargetTableName": "pro", "BackupArn": bench.back_up()}
        assert bench.refused("RestoreTableFromBackup", **asked)[0] == "TableAlreadyExistsException"
        bench.clock.advance(5)
        bench.call("RestoreTableFromBackup", **asked)

    def test_while_it_is_restored(self) -> None:
        bench = Bench(Delays(restore_table=90))
        first, second = bench.back_up(), bench.back_up()
        bench.call("RestoreTableFromBackup", TargetTableName="new", BackupArn=first)
        missing = ("ResourceNotFoundException", "Requested resource not found: Table: new not found")
        none = ("TableNotFoundException", "Table not found: new")
        ttl = {"Enabled": True, "AttributeName": "until"}
        assert bench.refused("UpdateTable", TableName="new", DeletionProtectionEnabled=True) == missing
        assert bench.refused("UpdateTimeToLive", TableName="new", TimeToLiveSpecification=ttl) == missing
        assert bench.refused("DescribeTimeToLive", TableName="new") == missing
        assert bench.refused("DescribeContributorInsights", TableName="new") == missing
        new = f"{ARN[:-3]}new"
        assert bench.refused("GetResourcePolicy", ResourceArn=new) == missing
        assert bench.refused("ListTagsOfResource", ResourceArn=new)[0] == "ResourceNotFoundException"
        assert bench.refused("DescribeContinuousBackups", TableName="new") == none
        assert bench.refused("CreateBackup", TableName="new", BackupName="nightly") == none
        assert bench.refused("DeleteTable", TableName="new")[0] == "ResourceInUseException"
        body = {**PLAIN, "TableName": "new"}
        used = "Attempt to change a resource which is still in use: Table is being used: new"
        assert bench.refused("CreateTable", **body) == ("ResourceInUseException", used)
        for arn in (first, second):
            assert bench.refused("RestoreTableFromBackup", TargetTableName="new", BackupArn=arn) == (
                "TableInUseException",
                f"Table: new is already being restored from backup: {first}",
            )
        assert bench.refused("RestoreTableFromBackup", TargetTableName="other", BackupArn=first) == (
            "BackupInUseException",
            f"Backup is being used to restore another table: {first}",
        )
        assert bench.refused("DeleteBackup", BackupArn=first) == (
            "BackupInUseException",
            f"Backup is being used to restore table: {first}",
        )
        bench.call("RestoreTableFromBackup", TargetTableName="other", BackupArn=second)
        bench.clock.advance(90)
        bench.call("UpdateTable", TableName="new", DeletionProtectionEnabled=True)
        bench.call("DeleteBackup", BackupArn=first)

    def test_most_restores_at_once(self) -> None:
        bench = Bench(Delays(restore_table=90), Limits(restores=1))
        bench.call("RestoreTableFromBackup", TargetTableName="one", BackupArn=bench.back_up())
        assert bench.refused("RestoreTableFromBackup", TargetTableName="two", BackupArn=bench.back_up()) == (
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 restore operations can be done simultaneously",
        )

    def test_unknown_backups(self, bench: Bench) -> None:
        arn = f"{ARN}/backup/01800000000000-0badcafe"
        for given, error in (
            (arn, ("BackupNotFoundException", f"Backup not found: {arn}")),
            (f"{ARN}-which-is-no-backup", ("ValidationException", "Invalid Backup ARN")),
            (arn.replace("400000000004:", "111111111111:"), ("AccessDeniedException", "Access is denied")),
        ):
            assert bench.refused("RestoreTableFromBackup", TargetTableName="new", BackupArn=given) == error

    def test_backup_of_another_region(self, bench: Bench) -> None:
        arn = bench.back_up().replace("us-east-1", "eu-west-1")
        assert bench.refused("RestoreTableFromBackup", TargetTableName="new", BackupArn=arn) == (
            "ValidationException",
            "Invalid Request: sseSpecificationOverride must be provided for cross-region restores",
        )
        encrypted = {"SSESpecificationOverride": {"Enabled": True, "SSEType": "KMS"}}
        assert bench.refused("RestoreTableFromBackup", TargetTableName="new", BackupArn=arn, **encrypted) == (
            "BackupNotFoundException",
            f"Backup not found: {arn}",
        )


class TestToPointInTime:
    def test_to_a_moment(self, bench: Bench) -> None:
        bench.recover()
        bench.clock.advance(100)
        bench.call("PutItem", TableName="tab", Item={"id": {"S": "soon"}})
        bench.clock.advance(100)
        bench.call("DeleteItem", TableName="tab", Key={"id": {"S": "x"}})
        bench.clock.advance(400)
        for name, moment, keys in (
            ("first", START, ["x"]),
            ("second", START + 99, ["x"]),
            ("third", START + 100, ["soon", "x"]),
            ("fourth", START + 200, ["soon"]),
        ):
            body = {"SourceTableName": "tab", "TargetTableName": name, "RestoreDateTime": moment}
            told = bench.call("RestoreTableToPointInTime", **body)["TableDescription"]
            assert told["RestoreSummary"] == {
                "SourceTableArn": ARN,
                "RestoreDateTime": moment,
                "RestoreInProgress": True,
            }
            assert bench.keys(name) == keys

    def test_to_the_latest_moment(self, bench: Bench) -> None:
        bench.recover()
        body = {"UseLatestRestorableTime": True, "SourceTableArn": ARN}
        bench.call("PutItem", TableName="tab", Item={"id": {"S": "at once"}})
        bench.clock.advance(10)
        bench.call("PutItem", TableName="tab", Item={"id": {"S": "late"}})
        told = bench.call("RestoreTableToPointInTime", **body, TargetTableName="new")["TableDescription"]
        assert told["RestoreSummary"]["RestoreDateTime"] == START
        assert bench.keys("new") == ["at once", "x"]
        bench.clock.advance(320)
        bench.call("RestoreTableToPointInTime", **body, TargetTableName="newer")
        assert bench.keys("newer") == ["at once", "late", "x"]

    def test_settings_are_those_of_today(self, bench: Bench) -> None:
        bench.recover("pro")
        bench.clock.advance(600)
        bench.call("UpdateTable", TableName="pro", ProvisionedThroughput=units(2, 2))
        body = {"SourceTableName": "pro", "TargetTableName": "new", "RestoreDateTime": START}
        bench.call("RestoreTableToPointInTime", **body)
        assert bench.table("new")["ProvisionedThroughput"]["ReadCapacityUnits"] == 2

    def test_window(self, bench: Bench) -> None:
        bench.recover(RecoveryPeriodInDays=1)
        bench.clock.advance(2 * 86_400)
        body = {"SourceTableName": "tab", "TargetTableName": "new"}
        for moment, asked in ((START + 86_399, "2027-01-16T07:59:59Z"), (START + 172_501, "2027-01-17T07:55:01Z")):
            assert bench.refused("RestoreTableToPointInTime", **body, RestoreDateTime=moment) == (
                "InvalidRestoreTimeException",
                f"RestoreDateTime '{asked}' must be within EarliestRestorableDateTime '2027-01-16T08:00:00Z' "
                "and LatestRestorableDateTime '2027-01-17T07:55:00Z'",
            )
        bench.call("RestoreTableToPointInTime", **body, RestoreDateTime=START + 86_400)
        body["TargetTableName"] = "other"
        bench.call("RestoreTableToPointInTime", **body, RestoreDateTime=START + 172_500)

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (
                {"RestoreDateTime": START, "UseLatestRestorableTime": True, "SourceTableName": "tab"},
                "Invalid Request: Both RestoreDateTime and UseLatestRestorableTime cannot be set for point-in-time "
                "restore request. Please specify either RestoreDateTime or UseLatestRestorableTime",
            ),
            (
                {"SourceTableName": "tab"},
                "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, "
                "but not both",
            ),
            (
                {"SourceTableName": "tab", "UseLatestRestorableTime": False},
                "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, "
                "but not both",
            ),
            (
                {"SourceTableName": "tab", "SourceTableArn": ARN, "UseLatestRestorableTime": True},
                "Must provide exactly one of: sourceTableArn, sourceTableName",
            ),
            (
                {"UseLatestRestorableTime": True},
                "The parameter 'TableName' is required but was not present in the request",
            ),
            (
                {"SourceTableArn": "tab", "UseLatestRestorableTime": True},
                "One or more parameter values were invalid: sourceTableArn is not a valid ARN",
            ),
            (
                {"SourceTableArn": ARN.replace("400000000004", "111111111111"), "UseLatestRestorableTime": True},
                "This action is only supported by accounts that match the resource owner’s account.",
            ),
            (
                {"SourceTableArn": ARN.replace("us-east-1", "eu-west-1"), "UseLatestRestorableTime": True},
                "Invalid Request: sseSpecificationOverride must be provided for cross-region restores",
            ),
        ],
    )
    def test_shape(self, bench: Bench, body: dict[str, Any], message: str) -> None:
        told = bench.refused("RestoreTableToPointInTime", TargetTableName="tab", **body)
        assert told == ("ValidationException", message)

    def test_order_of_checks(self, bench: Bench) -> None:
        body: dict[str, Any] = {"SourceTableName": "none", "TargetTableName": "pro", "RestoreDateTime": 0}
        missing = ("TableNotFoundException", "Table not found: none")
        assert bench.refused("RestoreTableToPointInTime", **body) == missing
        body["SourceTableName"] = "tab"
        assert bench.refused("RestoreTableToPointInTime", **body) == (
            "PointInTimeRecoveryUnavailableException",
            "Point in time recovery is not enabled for table 'tab'",
        )
        bench.recover()
        assert bench.refused("RestoreTableToPointInTime", **body)[0] == "InvalidRestoreTimeException"
        body["RestoreDateTime"] = START
        exists = ("TableAlreadyExistsException", "Table already exists: pro")
        assert bench.refused("RestoreTableToPointInTime", **body) == exists
        body["TargetTableName"] = "tab"
        assert bench.refused("RestoreTableToPointInTime", **body)[0] == "TableAlreadyExistsException"

    def test_warm_indexes(self, bench: Bench) -> None:
        bench.recover("pro")
        warm = {"ReadUnitsPerSecond": 10, "WriteUnitsPerSecond": 10}
        wanted = [index("gsi", "c", ProvisionedThroughput=units(1, 1), WarmThroughput=warm)]
        body = {"SourceTableName": "pro", "TargetTableName": "new", "UseLatestRestorableTime": True}
        code, _ = bench.refused("RestoreTableToPointInTime", **body, GlobalSecondaryIndexOverride=wanted)
        assert code == "ValidationException"

    def test_history_before_recovery_was_on_is_out_of_reach(self, bench: Bench) -> None:
        stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
        bench.call("UpdateTable", TableName="tab", StreamSpecification=stream)
        bench.clock.advance(0.25)
        bench.call("PutItem", TableName="tab", Item={"id": {"S": "before"}})
        bench.clock.advance(0.25)
        bench.recover()
        body = {"SourceTableName": "tab", "TargetTableName": "new", "UseLatestRestorableTime": True}
        bench.call("RestoreTableToPointInTime", **body)
        assert bench.keys("new") == ["before", "x"]
