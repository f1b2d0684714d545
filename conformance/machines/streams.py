"""Machines of what watches a table's items: its streams, and time to live."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from conformance.machines.base import ProgramMachine
from conformance.strategies import planes, requests
from conformance.strategies.draws import chance, number, pick
from conformance.strategies.planes import reply
from conformance.strategies.schemas import TableWorld
from reference.api import Json

SHARDS_READ = 3
"""Shards of a stream that a program reads in the end; a target may have fewer."""
_SHARD = "StreamDescription.Shards[{}].ShardId"


class Watching(ProgramMachine):
    """Writes of every kind to a table with a stream, and reads of that stream."""

    mistakes_percent = 4
    odd_names = False
    unstreamed_percent = 10

    def __init__(self) -> None:
        super().__init__()
        self.streams: list[str] = []
        self.described: list[tuple[str, int]] = []
        self.iterators: list[str] = []
        self.sequences: dict[str, list[str]] = {}
        self.read_from: dict[str, str] = {}

    def create_body(self, data: st.DataObject, world: TableWorld) -> Json:
        """CreateTable, with a stream mostly."""
        body = world.create()
        if not chance(data.draw, self.unstreamed_percent):
            view = pick(data.draw, planes.VIEWS)
            body["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": view}
            self.streams.append(reply(len(self.setup), "TableDescription.LatestStreamArn"))
        return body

    def world(self) -> TableWorld:
        """The one table."""
        return self.worlds[0]

    def write(self, data: st.DataObject) -> None:
        """One write of any kind."""
        operation, body = planes.write(data.draw, self.world(), self.features, self.known(self.world()))
        if operation in ("PutItem", "UpdateItem", "DeleteItem"):
            self.step(data, operation, self.world(), body)
        else:
            self.plain_step(operation, body)

    def look(self, stream: str) -> int:
        """DescribeStream; returns its op."""
        op = self.plain_step("DescribeStream", {"StreamArn": stream})
        self.described.append((stream, op))
        return op

    def fetch(self, data: st.DataObject, iterator: str, shard: str) -> None:
        """GetRecords, page by page at times."""
        body: Json = {"ShardIterator": iterator}
        if chance(data.draw, 35):
            body["Limit"] = pick(data.draw, (1, 1, 2, 3, 1000) if not chance(data.draw, 6) else (0, 1001))
        op = self.plain_step("GetRecords", body)
        self._keep(op, shard)
        for _ in range(2):
            more = op in self.replies and body.get("Limit") == len(self.replies[op]["Records"])
            if more and "NextShardIterator" in self.replies[op] and chance(data.draw, 70):
                op = self.plain_step("GetRecords", {**body, "ShardIterator": reply(op, "NextShardIterator")})
                self._keep(op, shard)

    def _keep(self, op: int, shard: str) -> None:
        told = self.replies.get(op)
        if isinstance(told, dict):
            shown = range(len(told["Records"]))
            found = [reply(op, f"Records[{place}].dynamodb.SequenceNumber") for place in shown]
            self.sequences.setdefault(shard, []).extend(found)
            if "NextShardIterator" in told:
                self.iterators.append(reply(op, "NextShardIterator"))
                self.read_from[self.iterators[-1]] = shard

    def begin_reading(self, data: st.DataObject) -> None:
        """An iterator, of a shard that was described or is now."""
        stream = pick(data.draw, self.streams[-2:])
        known = [op for of, op in self.described if of == stream]
        op = known[-1] if known and chance(data.draw, 75) else self.look(stream)
        # Mostly the first shard: few targets have more.
        shard = reply(op, _SHARD.format(0 if chance(data.draw, 85) else 1))
        asked = planes.iterator(data.draw, stream, shard, self.sequences.get(stream, []))
        at = self.plain_step("GetShardIterator", asked)
        if at in self.replies:
            self.iterators.append(reply(at, "ShardIterator"))
            self.read_from[self.iterators[-1]] = stream

    def read_all(self) -> None:
        """Every stream from the beginning, as far as it has shards."""
        for stream in dict.fromkeys(self.streams[-2:]):
            op = self.look(stream)
            for shard in range(SHARDS_READ):
                body = {
                    "StreamArn": stream, "ShardId": reply(op, _SHARD.format(shard)), "ShardIteratorType": "TRIM_HORIZON"
                }  # fmt: skip
                at = self.plain_step("GetShardIterator", body)
                self.plain_step("GetRecords", {"ShardIterator": reply(at, "ShardIterator")})

    def teardown(self) -> None:
        """Read everything once more, and hand the program over."""
        if self.worlds and self.steps:
            self.read_all()
        super().teardown()


class StreamsMachine(Watching):
    """Streams are switched on and off, written to and read."""

    capability = "streams"

    @rule(data=st.data())
    def write_one(self, data: st.DataObject) -> None:
        """A write."""
        self.write(data)

    @rule(data=st.data())
    def write_more(self, data: st.DataObject) -> None:
        """Writes come most often."""
        for _ in range(number(data.draw, 1, 2)):
            self.write(data)

    @precondition(lambda self: self.streams)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        """An iterator, and at once or later what it leads to."""
        self.begin_reading(data)
        if self.iterators and not chance(data.draw, 30):
            self.read_on(data)

    @precondition(lambda self: self.iterators)
    @rule(data=st.data())
    def read_on(self, data: st.DataObject) -> None:
        """GetRecords with one of the last iterators."""
        at = pick(data.draw, self.iterators[-2:])
        self.fetch(data, at, self.read_from[at])

    @precondition(lambda self: any(self.sequences.values()))
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        """Records from one on that was shown before, or after it."""
        stream = pick(data.draw, [each for each, found in self.sequences.items() if found])
        known = [op for of, op in self.described if of == stream]
        at = self.plain_step("GetShardIterator", {
            "StreamArn": stream, "ShardId": reply(known[-1], _SHARD.format(0)),
            "ShardIteratorType": pick(data.draw, ("AFTER_SEQUENCE_NUMBER", "AT_SEQUENCE_NUMBER")),
            "SequenceNumber": pick(data.draw, self.sequences[stream][-3:]),
        })  # fmt: skip
        self.fetch(data, reply(at, "ShardIterator"), stream)

    @rule(data=st.data())
    def control(self, data: st.DataObject) -> None:
        """The stream is switched, listed, described, or an endless ARN asked for."""
        choice = number(data.draw, 0, 99)
        table = self.planner.account.table(self.names[f"table:{self.world().symbol}"])
        on = table is not None and table.settings.stream_view is not None
        if choice < 45:
            body = planes.toggle(data.draw, self.world(), on=on)
            op = self.plain_step("UpdateTable", body)
            if op in self.replies and body["StreamSpecification"]["StreamEnabled"]:
                self.streams.append(reply(op, "TableDescription.LatestStreamArn"))
        elif choice < 65:
            self.plain_step("ListStreams", {"TableName": self.world().reference})
        elif choice < 80 and self.streams:
            self.look(pick(data.draw, self.streams))
        elif choice < 90:
            self.plain_step("DescribeTable", {"TableName": self.world().reference})
        elif self.streams:
            absent = pick(data.draw, ("arn:aws:dynamodb:nonsense", f"{self.streams[0]}-absent"))
            self.plain_step("DescribeStream", {"StreamArn": absent})


class TtlMachine(Watching):
    """Items that have expired, will, or never do; time to live on and off, and what still shows."""

    capability = "ttl"
    unstreamed_percent = 40

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """A table, some items, and mostly time to live from the start."""
        super().begin(data)
        self.put(data)
        if not chance(data.draw, 25):
            self.switch(data)

    @rule(data=st.data())
    def put(self, data: st.DataObject) -> None:
        """PutItem with something to expire by."""
        item = requests.item(data.draw, self.world(), self.features, self.known(self.world()))
        item[planes.EXPIRES] = planes.expiring(data.draw)
        self.plain_step("PutItem", {"TableName": self.world().reference, "Item": item})

    @rule(data=st.data())
    def extend(self, data: st.DataObject) -> None:
        """UpdateItem of what an item expires by, or of something else."""
        world, known = self.world(), self.known(self.world())
        body = {"TableName": world.reference, "Key": requests.key(data.draw, world, known)}
        if chance(data.draw, 60):
            body |= {"UpdateExpression": "SET #e = :e", "ExpressionAttributeNames": {"#e": planes.EXPIRES}}
            body["ExpressionAttributeValues"] = {":e": planes.expiring(data.draw)}
        else:
            body |= {"UpdateExpression": "REMOVE a"}
        if chance(data.draw, 40):
            body["ReturnValues"] = pick(data.draw, ("ALL_OLD", "ALL_NEW"))
        if chance(data.draw, 30):
            body["ConditionExpression"] = f"attribute_exists({world.hash[0]})"
        self.plain_step("UpdateItem", body)

    @rule(data=st.data())
    def other_write(self, data: st.DataObject) -> None:
        """A write that has nothing to do with expiry."""
        self.write(data)

    @rule(data=st.data())
    def switch(self, data: st.DataObject) -> None:
        """UpdateTimeToLive; a second change comes too soon, and is asked for seldom."""
        table = self.planner.account.table(self.names[f"table:{self.world().symbol}"])
        if table is None or table.settings.ttl_changed is None or chance(data.draw, 25):
            self.plain_step("UpdateTimeToLive", planes.time_to_live(data.draw, self.world()))

    @rule(data=st.data())
    def show(self, data: st.DataObject) -> None:
        """DescribeTimeToLive, or a read of items."""
        world, known = self.world(), self.known(self.world())
        choice = number(data.draw, 0, 99)
        if choice < 25:
            self.plain_step("DescribeTimeToLive", {"TableName": world.reference})
        elif choice < 50:
            body: Json = {"TableName": world.reference, "Key": requests.key(data.draw, world, known)}
            self.plain_step("GetItem", body | ({} if chance(data.draw, 30) else {"ConsistentRead": True}))
            self.scan(data)
        elif choice < 75:
            self.scan(data)
        else:
            self.plain_step("Query", requests.query(data.draw, world, self.features, known))

    def scan(self, data: st.DataObject) -> None:
        """All of the table, and of an index beside it."""
        world = self.world()
        self.plain_step("Scan", {"TableName": world.reference, "ConsistentRead": True})
        if world.indexes and not chance(data.draw, 30):
            name = pick(data.draw, world.indexes).name
            self.plain_step("Scan", {"TableName": world.reference, "IndexName": name})

    @precondition(lambda self: self.streams)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        """The stream, in which deletions show."""
        self.begin_reading(data)
        if self.iterators:
            at = self.iterators[-1]
            self.fetch(data, at, self.read_from[at])
