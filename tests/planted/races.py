"""More bugs of concurrency, restarts and lost answers, one class each; see ``concurrency`` for how they are served."""

from __future__ import annotations

import threading
import time
from typing import Any

from reference.api import Call, Refusal, Reply, Success
from reference.service import Service
from tests.planted.concurrency import GAP, Threads, stale_commit

WRITES = ("PutItem", "UpdateItem", "DeleteItem")
SLOW_DOWN = "The level of configured provisioned throughput for the table was exceeded."


class DeleteRace(Threads):
    """Two deletes of one item both return it, and both think it was there."""

    def execute(self, call: Call) -> Reply:
        return stale_commit(self, call) if call.operation == "DeleteItem" else super().execute(call)


class TakenTwice(Threads):
    """Two workers' conditional updates both find a job that is free."""

    def execute(self, call: Call) -> Reply:
        tests = call.operation == "UpdateItem" and "ConditionExpression" in call.body
        return stale_commit(self, call) if tests else super().execute(call)


class ThrottledButApplied(Threads):
    """Now and then a write is made, and then refused for want of throughput."""

    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        if call.operation == "UpdateItem" and isinstance(reply, Success) and next(self.count) % 7 == 0:
            return Refusal("ProvisionedThroughputExceededException", SLOW_DOWN)
        return reply


class CancelledButApplied(Threads):
    """Of a transaction that is cancelled now and then one action is made all the same."""

    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        if call.operation == "TransactWriteItems" and isinstance(reply, Refusal):
            for action in call.body["TransactItems"]:
                ((kind, asked),) = action.items()
                plain = {k: v for k, v in asked.items() if k != "ConditionExpression"}
                if kind == "Update" and isinstance(super().execute(Call("UpdateItem", plain)), Success):
                    break
        return reply


class ChecksSkipped(Threads):
    """Conditions of a transaction's updates are always met."""

    def execute(self, call: Call) -> Reply:
        if call.operation == "TransactWriteItems":
            met = [{kind: self._met(kind, asked) for kind, asked in a.items()} for a in call.body["TransactItems"]]
            call = Call(call.operation, {**call.body, "TransactItems": met})
        return super().execute(call)

    @staticmethod
    def _met(kind: str, asked: Any) -> Any:
        if kind != "Update" or "ConditionExpression" not in asked:
            return asked
        return {**asked, "ConditionExpression": f"{asked['ConditionExpression']} OR attribute_not_exists(nothing)"}


class AnswersSwapped(Threads):
    """Of two reads that meet now and then each gets the other's answer."""

    waiting: list[Any] | None = None

    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        if call.operation != "GetItem" or not isinstance(reply, Success):
            return reply
        with self.lock:
            other, self.waiting = self.waiting, None
            if other is None:
                mine: list[Any] = [reply, threading.Event(), reply]
                self.waiting = mine
        if other is not None:
            other[2] = reply
            other[1].set()
            return other[0]  # type: ignore[no-any-return]
        mine[1].wait(GAP)
        with self.lock:
            if self.waiting is mine:
                self.waiting = None
            return mine[2]  # type: ignore[no-any-return]


class DirtyReads(Threads):
    """Reads see a put before its condition is looked at."""

    dirty: Service | None = None

    def execute(self, call: Call) -> Reply:
        if call.operation == "PutItem" and "ConditionExpression" in call.body:
            plain = {k: v for k, v in call.body.items() if k in ("TableName", "Item")}
            with self.lock:
                self.dirty = self.service.fork()
                self.dirty.execute(Call("PutItem", plain))
            time.sleep(GAP)
            with self.lock:
                self.dirty = None
                return self.service.execute(call)
        with self.lock:
            reads = call.operation == "GetItem" and self.dirty is not None
            return (self.dirty if reads and self.dirty else self.service).execute(call)


class DiesOfResets(Threads):
    """The process ends when a request is cut off."""

    fragile = True


class FrozenIndex(Threads):
    """An index shows what it held when it was first asked."""

    frozen: Service | None = None

    def execute(self, call: Call) -> Reply:
        if "IndexName" not in call.body:
            return super().execute(call)
        with self.lock:
            if self.frozen is None and next(self.count) > 3:
                self.frozen = self.service.fork()
            reply = (self.frozen or self.service).execute(call)
            return reply if isinstance(reply, Success) else self.service.execute(call)


class HalfProjection(Threads):
    """An index leaves out what is in no key, though it projects everything."""

    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        if "IndexName" in call.body and isinstance(reply, Success):
            items = [{k: v for k, v in item.items() if k in ("pk", "pending")} for item in reply.body["Items"]]
            reply = Success({**reply.body, "Items": items})
        return reply


class SegmentLost(Threads):
    """A parallel scan shows some items in no segment."""

    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        if call.operation == "Scan" and "Segment" in call.body and isinstance(reply, Success):
            kept = [item for item in reply.body["Items"] if sum(item["pk"]["S"].encode()) % 5]
            reply = Success({**reply.body, "Items": kept, "Count": len(kept)})
        return reply


class BackFromTheDead(Threads):
    """Deletes are not written to disk: after a restart the items are back."""

    def __init__(self) -> None:
        super().__init__()
        self.dead: dict[tuple[str, str], Any] = {}

    def execute(self, call: Call) -> Reply:
        with self.lock:
            item = call.body.get("Item") or call.body.get("Key")
            if call.operation not in WRITES or not isinstance(item, dict):
                return super().execute(call)
            place = (call.body["TableName"], str(item["pk"]))
            read = self.service.execute(Call("GetItem", {"TableName": place[0], "Key": {"pk": item["pk"]}}))
            reply = super().execute(call)
            if isinstance(reply, Success):
                self.dead.pop(place, None)
                if call.operation == "DeleteItem" and isinstance(read, Success) and "Item" in read.body:
                    self.dead[place] = read.body["Item"]
            return reply

    def killed(self) -> None:
        with self.lock:
            for (name, _), item in self.dead.items():
                self.service.execute(Call("PutItem", {"TableName": name, "Item": item}))


class LastTokenOnly(Threads):
    """Only the newest token is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.last = ""
        self.epoch = 0

    def execute(self, call: Call) -> Reply:
        token = call.body.get("ClientRequestToken")
        if call.operation != "TransactWriteItems" or not token:
            return super().execute(call)
        with self.lock:
            if token != self.last:
                self.last, self.epoch = token, self.epoch + 1
            return super().execute(Call(call.operation, {**call.body, "ClientRequestToken": str(self.epoch)}))


class NoOpRecorded(Threads):
    """A stream tells of deletes that found nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.nothing: list[Any] = []

    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        if call.operation == "DeleteItem" and isinstance(reply, Success) and "Attributes" not in reply.body:
            self.nothing.append(call.body["Key"])
        if call.operation == "GetRecords" and isinstance(reply, Success) and reply.body["Records"] and self.nothing:
            last = reply.body["Records"][-1]
            told = {k: v for k, v in last["dynamodb"].items() if k != "NewImage"}
            image = {**self.nothing[0], "v": {"S": "never"}}
            made = {
                **told,
                "Keys": self.nothing[0],
                "OldImage": image,
                "SequenceNumber": last["dynamodb"]["SequenceNumber"] + "0",
            }
            record = {**last, "eventID": last["eventID"][::-1], "eventName": "REMOVE", "dynamodb": made}
            reply = Success({**reply.body, "Records": [*reply.body["Records"], record]})
        return reply


class RecordsLostOnKill(Threads):
    """The stream's last records are gone after a restart, the writes are not."""

    def __init__(self) -> None:
        super().__init__()
        self.told = 0
        self.hidden: set[str] = set()
        self.recent: list[str] = []

    def execute(self, call: Call) -> Reply:
        reply = super().execute(call)
        if call.operation == "GetRecords" and isinstance(reply, Success):
            kept = [r for r in reply.body["Records"] if r["dynamodb"]["SequenceNumber"] not in self.hidden]
            reply = Success({**reply.body, "Records": kept})
        return reply

    def killed(self) -> None:
        with self.lock:
            for stream in self._ask("ListStreams", {}).get("Streams", ()):
                described = self._ask("DescribeStream", {"StreamArn": stream["StreamArn"]})
                for shard in described["StreamDescription"]["Shards"]:
                    place = {"StreamArn": stream["StreamArn"], "ShardId": shard["ShardId"]}
                    start = self._ask("GetShardIterator", {**place, "ShardIteratorType": "TRIM_HORIZON"})
                    records = self._ask("GetRecords", {"ShardIterator": start["ShardIterator"]})["Records"]
                    self.hidden |= {r["dynamodb"]["SequenceNumber"] for r in records[-3:]}

    def _ask(self, operation: str, body: dict[str, Any]) -> Any:
        reply = self.service.execute(Call(operation, body))
        return reply.body if isinstance(reply, Success) else {}
