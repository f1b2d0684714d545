"""Machines of what outlives a table's present: backups and restores, exports, imports and bulk puts."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from conformance.machines.base import ProgramMachine
from conformance.program import BUCKET
from conformance.strategies import planes, requests, settings
from conformance.strategies.draws import chance, number, pick
from conformance.strategies.planes import reply
from conformance.strategies.schemas import TableWorld
from reference.api import Json
from reference.transfer.buckets import buckets

MOST_COPIES = 3


class Copying(ProgramMachine):
    """A table with items, and further tables that are made from it."""

    mistakes_percent = 4
    odd_names = False

    def __init__(self) -> None:
        super().__init__()
        self.copies: list[TableWorld] = []
        buckets(self.planner.account.rooms).make(BUCKET)

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """A table with some items."""
        super().begin(data)
        self.plain_step("BatchWriteItem", requests.fill(data.draw, self.source, self.features))

    @property
    def source(self) -> TableWorld:
        """The table that is copied."""
        return self.worlds[0]

    @property
    def arn(self) -> str:
        """What stands for its ARN."""
        return reply(0, "TableDescription.TableArn")

    def write(self, data: st.DataObject) -> None:
        """A write to the table, so that its copies differ."""
        operation, body = planes.write(data.draw, self.source, self.features, self.known(self.source))
        self.plain_step(operation, body)

    def copy(self, data: st.DataObject) -> TableWorld:
        """A table to come: a new one mostly, or one that is there."""
        taken = len(self.copies) + 1
        if chance(data.draw, 8):
            return pick(data.draw, (self.source, *self.copies))
        made = replace(self.source, symbol=f"t{taken}")
        self.names[f"table:{made.symbol}"] = f"table-{made.symbol}"
        return made

    def made(self, world: TableWorld) -> None:
        """Note a copy that is there now, and look at all of it."""
        if world is self.source or self.planner.account.table(self.names[f"table:{world.symbol}"]) is None:
            return
        if world not in self.copies:
            self.copies.append(world)
        self.plain_step("Scan", {"TableName": world.reference, "ConsistentRead": True})

    def look(self, data: st.DataObject) -> None:
        """Read a copy, by an index perhaps, or what is told of it."""
        world = pick(data.draw, self.copies)
        if chance(data.draw, 35):
            self.plain_step("DescribeTable", {"TableName": world.reference})
        else:
            self.plain_step("Query", requests.query(data.draw, world, self.features, self.known(world)))


class BackupsMachine(Copying):
    """Backups are made, described, listed, deleted and restored, and tables restored to a moment."""

    capability = "backups"

    def __init__(self) -> None:
        super().__init__()
        self.backups: list[str] = []

    @rule(data=st.data())
    def change(self, data: st.DataObject) -> None:
        """A write."""
        self.write(data)

    @rule(data=st.data())
    def back_up(self, data: st.DataObject) -> None:
        """CreateBackup."""
        name = settings.table_name(data.draw, self.source, self.arn)
        op = self.plain_step("CreateBackup", {"TableName": name, "BackupName": pick(data.draw, ("one", "two"))})
        if op in self.replies:
            self.backups.append(reply(op, "BackupDetails.BackupArn"))
            if not chance(data.draw, 40):
                self.write(data)

    @precondition(lambda self: self.backups)
    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        """DescribeBackup, ListBackups or DeleteBackup."""
        choice = number(data.draw, 0, 99)
        arn = pick(data.draw, self.backups[-3:])
        if choice < 40:
            self.plain_step("DescribeBackup", {"BackupArn": arn if not chance(data.draw, 8) else f"{arn}00"})
        elif choice < 75:
            body: Json = {"TableName": self.source.reference}
            if chance(data.draw, 30):
                body["BackupType"] = pick(data.draw, ("USER", "ALL", "SYSTEM"))
            self.plain_step("ListBackups", body)
        else:
            self.plain_step("DeleteBackup", {"BackupArn": arn})

    @precondition(lambda self: self.backups and len(self.copies) < MOST_COPIES)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        """RestoreTableFromBackup."""
        target = self.copy(data)
        body = settings.restored(data.draw, self.source, target.reference)
        self.plain_step("RestoreTableFromBackup", {**body, "BackupArn": pick(data.draw, self.backups[-2:])})
        self.made(target)

    @rule(data=st.data())
    def recover(self, data: st.DataObject) -> None:
        """Point-in-time recovery is switched or described."""
        name = settings.table_name(data.draw, self.source, self.arn)
        if chance(data.draw, 55):
            self.plain_step("UpdateContinuousBackups", settings.recovery(data.draw, name))
        else:
            self.plain_step("DescribeContinuousBackups", {"TableName": name})

    @precondition(lambda self: len(self.copies) < MOST_COPIES)
    @rule(data=st.data())
    def go_back(self, data: st.DataObject) -> None:
        """RestoreTableToPointInTime, mostly where recovery is on."""
        table = self.planner.account.table(self.names[f"table:{self.source.symbol}"])
        if (table is None or table.settings.pitr_since is None) and not chance(data.draw, 15):
            self.plain_step("UpdateContinuousBackups", {
                "TableName": self.source.reference,
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            })  # fmt: skip
            self.write(data)
        target = self.copy(data)
        body = settings.restored(data.draw, self.source, target.reference)
        body |= {"UseLatestRestorableTime": True}
        body |= {"SourceTableArn": self.arn} if chance(data.draw, 25) else {"SourceTableName": self.source.reference}
        if chance(data.draw, 6):
            body.pop("UseLatestRestorableTime")
        self.plain_step("RestoreTableToPointInTime", body)
        self.made(target)

    @precondition(lambda self: self.copies)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        """A look at a restored table."""
        self.look(data)


class TransferMachine(Copying):
    """The table is exported, and imported again as another."""

    capability = "transfer"
    mistakes_percent = 0

    def __init__(self) -> None:
        super().__init__()
        self.exports: list[tuple[int, Json]] = []
        self.imports: list[int] = []

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """A table with items; mostly it can be exported."""
        super().begin(data)
        if not chance(data.draw, 12):
            setting = {"PointInTimeRecoveryEnabled": True}
            self.plain_step(
                "UpdateContinuousBackups",
                {"TableName": self.source.reference, "PointInTimeRecoverySpecification": setting},
            )

    @rule(data=st.data())
    def change(self, data: st.DataObject) -> None:
        """A write."""
        self.write(data)

    @rule(data=st.data())
    def export(self, data: st.DataObject) -> None:
        """ExportTableToPointInTime of all, or of what a filter lets through."""
        body: Json = {"TableArn": settings.resource(data.draw, self.arn), "S3Bucket": BUCKET}
        if chance(data.draw, 50):
            body["S3Prefix"] = pick(data.draw, ("p", "some/where"))
        if chance(data.draw, 40):
            body["ExportFormat"] = pick(data.draw, ("DYNAMODB_JSON", "ION"))
        if chance(data.draw, 25):
            body["ClientToken"] = "${token:a}"
        if chance(data.draw, 20):
            name, kind = self.source.hash
            held = self.known(self.source)
            if held and kind != "B":
                body["FilterSpecification"] = {
                    "FilterExpression": f"{name} <> :v", "ExpressionAttributeValues": {":v": held[0][name]}
                }  # fmt: skip
        if chance(data.draw, 5):
            body["ExportType"] = "INCREMENTAL_EXPORT"
        op = self.plain_step("ExportTableToPointInTime", body)
        if op in self.replies:
            self.exports.append((op, body))
            self.plain_step("DescribeExport", {"ExportArn": reply(op, "ExportDescription.ExportArn")})

    @precondition(lambda self: self.exports and len(self.copies) < MOST_COPIES)
    @rule(data=st.data())
    def bring_back(self, data: st.DataObject) -> None:
        """ImportTable of what was exported."""
        target = self.copy(data)
        created = self.source.create()
        created.pop("LocalSecondaryIndexes", None)
        keys = {name for name, _ in self.source.keys} | {
            name for index in self.source.indexes if index.kind == "GSI"
            for name, _ in filter(None, (index.hash, index.range))
        }  # fmt: skip
        created["AttributeDefinitions"] = [d for d in created["AttributeDefinitions"] if d["AttributeName"] in keys]
        op, exported = pick(data.draw, self.exports[-2:])
        body: Json = {
            "S3BucketSource": {"S3Bucket": BUCKET, "S3KeyPrefix": exported_data(op, exported)},
            "InputFormat": exported.get("ExportFormat", "DYNAMODB_JSON"),
            "InputCompressionType": "GZIP",
            "TableCreationParameters": {**created, "TableName": target.reference},
            "ClientToken": f"${{token:i{len(self.imports)}}}",
        }  # fmt: skip
        if chance(data.draw, 6):
            body["InputCompressionType"] = pick(data.draw, ("NONE", "ZSTD"))
        at = self.plain_step("ImportTable", body)
        if at in self.replies:
            self.imports.append(at)
            self.plain_step("DescribeImport", {"ImportArn": reply(at, "ImportTableDescription.ImportArn")})
        self.made(target)

    @precondition(lambda self: self.copies)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        """A look at an imported table."""
        self.look(data)


class BulkMachine(TransferMachine):
    """What was exported is put into tables that are there."""

    capability = "bulk"

    @precondition(lambda self: self.exports)
    @rule(data=st.data())
    def put_all(self, data: st.DataObject) -> None:
        """StartBulkPutItems into the source or a copy of it."""
        target = pick(data.draw, (self.source, *self.copies))
        op, exported = pick(data.draw, self.exports[-2:])
        body: Json = {
            "TableName": target.reference,
            "InputS3Configuration": {
                "S3Bucket": BUCKET, "S3KeyPrefix": exported_data(op, exported), "InputCompressionType": "GZIP",
                "InputFormat": exported.get("ExportFormat", "DYNAMODB_JSON"),
            },
            "OutputS3Configuration": {"S3Bucket": BUCKET, "S3KeyPrefix": "out", "OutputType": ["ERROR"]},
        }  # fmt: skip
        at = self.plain_step("StartBulkPutItems", body)
        if at in self.replies:
            arn = reply(at, "BulkOperationDescription.BulkOperationArn")
            self.plain_step("DescribeBulkOperation", {"BulkOperationArn": arn})
            if chance(data.draw, 20):
                self.plain_step("CancelBulkOperation", {"BulkOperationArn": arn})
        self.plain_step("Scan", {"TableName": target.reference, "ConsistentRead": True})


def exported_data(op: int, exported: Json) -> str:
    """Where the data of an export lies: below the export's id, which is the last part of its ARN."""
    prefix = f"{exported['S3Prefix']}/" if exported.get("S3Prefix") else ""
    return f"{prefix}AWSDynamoDB/{reply(op, 'ExportDescription.ExportArn./')}/data/"
