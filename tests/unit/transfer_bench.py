"""A service with a table, point-in-time recovery and a bucket, and how tests look into both."""

from __future__ import annotations

import gzip
import json
from typing import Any

from reference.account import Account, Delays
from reference.clock import ManualClock
from reference.service import Service
from reference.tables.limits import Limits
from reference.transfer.buckets import buckets
from tests.unit.table_requests import PLAIN, START, refusal, reply

ARN = "arn:aws:dynamodb:us-east-1:400000000004:table/tab"
BUCKET = "shelf"


class Bench:
    def __init__(self, delays: Delays | None = None, limits: Limits | None = None, *, recover: bool = True) -> None:
        self.clock = ManualClock(START)
        self.service = Service(Account(self.clock, delays=delays, limits=limits))
        buckets(self.service.account.rooms).make(BUCKET)
        self.imported = 0
        self.call("CreateTable", **PLAIN)
        if recover:
            self.recover()

    def call(self, operation: str, **body: Any) -> Any:
        return reply(self.service, operation, **self._tokened(operation, body))

    def refused(self, operation: str, **body: Any) -> tuple[str, str | None]:
        return refusal(self.service, operation, **self._tokened(operation, body))

    def _tokened(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """An import has a token of its own unless told otherwise, as SDKs see to."""
        if operation != "ImportTable":
            return body
        self.imported += 1
        return {"ClientToken": f"import-{self.imported}", **body}

    def recover(self) -> None:
        on = {"PointInTimeRecoveryEnabled": True}
        self.call("UpdateContinuousBackups", TableName="tab", PointInTimeRecoverySpecification=on)

    def put(self, id: str, **attributes: dict[str, Any]) -> None:
        self.call("PutItem", TableName="tab", Item={"id": {"S": id}, **attributes})

    def delete(self, id: str) -> None:
        self.call("DeleteItem", TableName="tab", Key={"id": {"S": id}})

    def keys(self, name: str = "tab") -> list[str]:
        return sorted(item["id"]["S"] for item in self.call("Scan", TableName=name)["Items"])

    def export(self, **body: Any) -> dict[str, Any]:
        """Export, and the description of the export once it is done."""
        made = self.call("ExportTableToPointInTime", **{"TableArn": ARN, "S3Bucket": BUCKET, **body})
        told: dict[str, Any] = self.call("DescribeExport", ExportArn=made["ExportDescription"]["ExportArn"])
        return dict(told["ExportDescription"])

    def import_(self, name: str = "new", prefix: str = "", kind: str = "DYNAMODB_JSON", **body: Any) -> dict[str, Any]:
        """Import, and the description of the import once it is done."""
        asked = {
            "S3BucketSource": {"S3Bucket": BUCKET, "S3KeyPrefix": prefix},
            "InputFormat": kind,
            "TableCreationParameters": {**PLAIN, "TableName": name},
            **body,
        }
        made = self.call("ImportTable", **asked)["ImportTableDescription"]
        told: dict[str, Any] = self.call("DescribeImport", ImportArn=made["ImportArn"])
        return dict(told["ImportTableDescription"])

    def store(self, key: str, text: str | bytes) -> None:
        data = text if isinstance(text, bytes) else text.encode()
        buckets(self.service.account.rooms).put(BUCKET, key, data)

    def object_(self, key: str) -> bytes:
        data = buckets(self.service.account.rooms).get(BUCKET, key)
        assert data is not None, key
        return data

    def objects(self, prefix: str = "") -> list[str]:
        return buckets(self.service.account.rooms).keys(BUCKET, prefix)

    def lines(self, prefix: str) -> list[str]:
        """All lines of all compressed objects below a prefix."""
        return [
            line for key in self.objects(prefix) for line in gzip.decompress(self.object_(key)).decode().splitlines()
        ]

    def records(self, prefix: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines(prefix)]
