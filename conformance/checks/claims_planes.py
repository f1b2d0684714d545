"""What is true of the article's claims about capacity modes, streams, and vectors (its parts F, L, N, P and Q)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.checks.base import T0, Check, table
from conformance.checks.capacity import sized
from conformance.checks.steps import (
    KEY,
    answers,
    claimed,
    delete,
    describe,
    get,
    item,
    n,
    put,
    query,
    refuses,
    reply,
    s,
    t_put,
    transact,
)
from conformance.checks.streams import iterator, records, shards, streaming
from conformance.checks.tables import UNITS, keyed
from conformance.checks.tables_update import change, units
from conformance.checks.vectors import indexed, search, vector, vector_index
from conformance.checks.wire_constraints import create
from conformance.program import Step
from reference.api import Json

_PROVISIONED: Mapping[str, Json] = {
    "t0": {**table(), "BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS},
}
_TO_REQUESTS = change(BillingMode="PAY_PER_REQUEST")
_TO_UNITS = change(BillingMode="PROVISIONED", **units(6))
_TOTAL: dict[str, Json] = {"ReturnConsumedCapacity": "TOTAL"}


def _costs(rule: str, step: Step, told: float, *given: Step, name: str = "") -> Check:
    cost: Json = {"TableName": T0, "CapacityUnits": told}
    asked = Step(step.operation, {**step.body, **_TOTAL})
    place = "ConsumedCapacity[0]" if step.operation.startswith("Transact") else "ConsumedCapacity"
    return answers(rule, asked, given=given, at=place, has=cost, name=name)


MODES: tuple[Check, ...] = (
    *claimed(
        "C47",
        answers(
            "tables.update-answer",
            _TO_REQUESTS,
            tables=_PROVISIONED,
            given=[_TO_REQUESTS, _TO_UNITS],
            at="TableDescription.BillingModeSummary",
            has={"BillingMode": "PAY_PER_REQUEST"},
            name="twice in a day",
        ),
        refuses(
            "tables.on-demand-switches",
            _TO_REQUESTS,
            phrase="",
            code="LimitExceededException",
            tables=_PROVISIONED,
            given=[step for _ in range(4) for step in (_TO_REQUESTS, _TO_UNITS)],
            control=describe(),
            name="a fifth time",
        ),
    ),
    *claimed(
        "C49",
        _costs("capacity.read-units", get(), 1.0, put(sized(4096)), name="read of 4 KB"),
        _costs("capacity.read-units", get(), 2.0, put(sized(4097)), name="read of more"),
        _costs("capacity.write-units", put(sized(1024)), 1.0, name="write of 1 KB"),
        _costs("capacity.write-units", put(sized(1025)), 2.0, name="write of more"),
    ),
    *claimed(
        "C50",
        refuses(
            "tables.units-unchanged",
            change(ProvisionedThroughput=UNITS),
            phrase="The provisioned throughput for the table will not change",
            tables=_PROVISIONED,
            control=change(**units(6)),
        ),
    ),
    *claimed(
        "C52",
        answers(
            "tables.description",
            describe(),
            at="Table.ProvisionedThroughput",
            has={"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        ),
    ),
    *claimed(
        "C60",
        _costs("capacity.read-units", get(), 1.0, put(), name="strongly"),
        _costs("capacity.read-units", get(ConsistentRead=False), 0.5, put(), name="eventually"),
    ),
    *claimed(
        "C61",
        _costs("capacity.write-units", put(), 1.0),
        _costs("capacity.transaction-units", transact(t_put()), 2.0, name="in a transaction"),
    ),
    *claimed(
        "C62",
        _costs("capacity.read-units", get(), 3.0, put(sized(8193)), name="one read, three units"),
    ),
    *claimed(
        "C71",
        refuses(
            "wire.value-min",
            keyed("pk:S", "pk:HASH", BillingMode="PROVISIONED", **units(0, 1)),
            phrase="Member must have value greater than or equal to 1",
            tables={},
            control=keyed("pk:S", "pk:HASH", BillingMode="PROVISIONED", **units(1, 1)),
        ),
    ),
    *claimed(
        "C232",
        refuses(
            "tables.units-on-demand",
            keyed("pk:S", "pk:HASH", BillingMode="PAY_PER_REQUEST", **units(1, 1)),
            phrase="can be specified when BillingMode is PAY_PER_REQUEST",
            tables={},
            control=keyed("pk:S", "pk:HASH", BillingMode="PAY_PER_REQUEST"),
        ),
    ),
    *claimed(
        "C240",
        answers(
            "tables.description",
            describe(),
            at="Table.ProvisionedThroughput",
            has={"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
            name="on demand",
        ),
        refuses(
            "wire.value-min",
            keyed("pk:S", "pk:HASH", BillingMode="PROVISIONED", **units(1, 0)),
            phrase="Member must have value greater than or equal to 1",
            tables={},
            control=keyed("pk:S", "pk:HASH", BillingMode="PROVISIONED", **units(1, 1)),
            name="provisioned",
        ),
    ),
    *claimed(
        "C275",
        refuses(
            "indexes.units-not-specified",
            create(
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "g")],
                BillingMode="PROVISIONED",
                ProvisionedThroughput=UNITS,
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": "by_g",
                        "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            ),
            phrase="",
            tables={},
            control=keyed("pk:S", "pk:HASH", BillingMode="PROVISIONED", ProvisionedThroughput=UNITS),
        ),
    ),
    *claimed(
        "C284",
        answers(
            "tables.description", describe(), at="Table.BillingModeSummary", has={"BillingMode": "PAY_PER_REQUEST"}
        ),
    ),
)

_SHARD = "StreamDescription.Shards[0].ShardId"
_NINE_DIGITS = "arn:aws:kinesis:us-east-1:123456789:stream/my-stream"
_KINESIS = "arn:aws:kinesis:us-east-1:400000000004:stream/my-stream"
_DESTINATIONS = Step("DescribeKinesisStreamingDestination", {"TableName": T0})


def _to_kinesis(arn: str) -> Step:
    return Step("EnableKinesisStreamingDestination", {"TableName": T0, "StreamArn": arn})


def _recorded(
    name: str,
    writes: Sequence[Step],
    at: str,
    *,
    rule: str = "streams.record-per-change",
    has: Mapping[str, Json] | None = None,
    lacks: Sequence[str] = (),
    view: str = "NEW_AND_OLD_IMAGES",
    tables: Mapping[str, Json] | None = None,
) -> Check:
    """What stands in the stream after some writes."""
    given = [*writes, shards(), iterator(reply(1 + len(writes), _SHARD))]
    when = records(reply(len(given), "ShardIterator"))
    return answers(
        rule, when, tables=tables or streaming(view), given=given, at=at, has=dict(has or {}), lacks=lacks, name=name
    )


_LIFE = [put({"v": n(1)}), put({"v": n(2)}), put({"v": n(2)}), delete()]
_OTHERS = [put({"pk": s("b")}), put({"v": n(1)}), put({"v": n(2)})]
_INDEXED_STREAM: Mapping[str, Json] = {
    "t0": {
        **table(gsi=["by_g=g:S"]),
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": UNITS,
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by_g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
                "ProvisionedThroughput": UNITS,
            }
        ],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    }
}

STREAMS: tuple[Check, ...] = (
    *claimed(
        "C150",
        _recorded(
            "",
            [put({"v": n(i)}) for i in range(3)],
            "Records[2].dynamodb",
            has={"NewImage": item(v=n(2))},
            rule="streams.order",
        ),
    ),
    *claimed(
        "C151",
        *(
            _recorded(kind, _LIFE, f"Records[{place}]", has={"eventName": kind})
            for place, kind in enumerate(("INSERT", "MODIFY", "REMOVE"))
        ),
    ),
    *claimed(
        "C152",
        _recorded(
            "", _OTHERS, "Records[2].dynamodb", has={"Keys": KEY, "NewImage": item(v=n(2))}, rule="streams.order"
        ),
    ),
    *claimed(
        "C153",
        _recorded(
            "both",
            _LIFE,
            "Records[1].dynamodb",
            has={"OldImage": item(v=n(1)), "NewImage": item(v=n(2))},
            rule="streams.images",
        ),
        _recorded(
            "keys only",
            _LIFE,
            "Records[1].dynamodb",
            lacks=("OldImage", "NewImage"),
            view="KEYS_ONLY",
            rule="streams.images",
        ),
    ),
    *claimed(
        "C154",
        _recorded(
            "", [put()], "Records[0]", has={"eventName": "INSERT"}, lacks=("eventSourceARN",), rule="streams.record"
        ),
    ),
    *claimed(
        "C155",
        answers(
            "streams.description",
            shards(),
            tables=streaming(),
            given=[change(StreamSpecification={"StreamEnabled": False})],
            at="StreamDescription",
            has={"StreamStatus": "DISABLED"},
            name="still readable when it was switched off",
        ),
        refuses(
            "streams.not-found",
            shards(),
            phrase="Requested resource not found: Stream: ",
            code="ResourceNotFoundException",
            tables=streaming(),
            given=[change(StreamSpecification={"StreamEnabled": False})],
            control=describe(),
            pause=86_401.0,
            name="a day later it is gone",
        ),
    ),
    *claimed(
        "C157",
        answers(
            "streams.kinesis-answer",
            _to_kinesis(_KINESIS),
            body={
                "TableName": T0,
                "StreamArn": _KINESIS,
                "DestinationStatus": "ENABLING",
                "EnableKinesisStreamingConfiguration": {},
            },
            name="on a table without stream",
        ),
    ),
    *claimed(
        "C158",
        answers(
            "streams.kinesis-answer",
            _DESTINATIONS,
            given=[_to_kinesis(_NINE_DIGITS)],
            at="KinesisDataStreamDestinations[0]",
            has={"StreamArn": _NINE_DIGITS, "DestinationStatus": "ENABLE_FAILED"},
        ),
    ),
    *claimed(
        "C162",
        answers(
            "streams.lineage",
            shards(),
            tables=streaming(),
            at="StreamDescription.Shards[0]",
            lacks=("ParentShardId",),
            name="there from the start",
        ),
    ),
    *claimed(
        "C163",
        answers(
            "streams.description",
            shards(),
            tables=streaming(),
            given=[change(**units(50, 50))],
            at="StreamDescription",
            has={"StreamStatus": "ENABLED", "StreamViewType": "NEW_AND_OLD_IMAGES"},
            lacks=("LastEvaluatedShardId",),
            name="the same stream",
        ),
    ),
    *claimed(
        "C166",
        _recorded(
            "",
            [put({"g": s("x")}), put({"g": s("y")})],
            "Records[1].dynamodb",
            has={"Keys": KEY, "NewImage": item(g=s("y"))},
            tables=_INDEXED_STREAM,
        ),
    ),
    *claimed(
        "C167",
        *(
            _recorded(view, [put()], "Records[0].dynamodb", lacks=("NewImage",), view=view, rule="streams.images")
            for view in ("KEYS_ONLY", "OLD_IMAGE")
        ),
    ),
    *claimed(
        "C196",
        refuses(
            "wire.null",
            create(StreamSpecification={"StreamViewType": "NEW_AND_OLD_IMAGES"}),
            phrase="streamSpecification.streamEnabled' failed to satisfy constraint: Member must not be null",
            tables={},
            control=create(StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}),
        ),
    ),
    *claimed(
        "C198",
        refuses(
            "tables.exists",
            Step("CreateTable", table()),
            f"Table already exists: {T0}",
            code="ResourceInUseException",
            control=describe(),
        ),
    ),
)

_VECTORS = indexed(vector_index())

EXTRAS: tuple[Check, ...] = (
    *claimed(
        "C245",
        answers(
            "vectors.results",
            search(1, 0, 0),
            tables=_VECTORS,
            given=[put({"e": vector(1, 0, 0)})],
            at="SearchResults[0]",
            has={"Score": 0.0},
            name="vectors",
        ),
        refuses(
            "expressions.key-condition-operator",
            query("contains(pk, :text)", {"text": s("x")}),
            phrase="Invalid operator used in KeyConditionExpression",
            control=query("pk = :text", {"text": s("x")}),
            name="no text search",
        ),
    ),
)

CHECKS: tuple[Check, ...] = (*MODES, *STREAMS, *EXTRAS)
