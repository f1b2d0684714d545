"""What is true of the article's claims about items, reads, errors and transactions (its parts B, E, G, H, Q and S)."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.checks.base import T0, Check, table
from conformance.checks.capacity import sized
from conformance.checks.steps import (
    KEY,
    PLAIN,
    SORTED,
    TRUE,
    answers,
    batch_get,
    batch_put,
    claimed,
    condition,
    delete,
    describe,
    get,
    item,
    many,
    n,
    named,
    partition,
    put,
    query,
    refuses,
    s,
    scan,
    t_check,
    t_get,
    t_put,
    transact,
    transact_get,
    update,
)
from conformance.checks.tables import GONE
from conformance.checks.tables_update import change
from conformance.program import Step
from reference.api import Item, Json

_TOTAL: dict[str, Json] = {"ReturnConsumedCapacity": "TOTAL"}
ORDERS: Mapping[str, Json] = {"t0": table(key="UserId:S,OrderId:S")}
"""The article's table of orders, as its first example has it."""
_ORDER_ID_ALONE: Mapping[str, Json] = {"t0": table(key="OrderId:S")}
"""The same table, as its example of consistent reads has it."""
_ORDER: Item = {"UserId": s("user-1234"), "OrderId": s("order-9876")}
_MISMATCH = "The provided key element does not match the schema"
_INDEXED: Mapping[str, Json] = {"t0": table(key="pk:S,sk:S", gsi=["gsi=g:S"], lsi=["lsi=pk:S,l:S"])}
_ENTRY = batch_put(*({**KEY, "sk": s(x), "g": s("x"), "l": s(x)} for x in "ab"))


def _costs(units: float, when: Step, *given: Step, tables: Mapping[str, Json] = PLAIN, name: str = "") -> Check:
    """A call and what it costs in all."""
    told: Json = {"TableName": T0, "CapacityUnits": units}
    listed = when.operation.startswith(("Batch", "Transact"))
    rule = "capacity.write-units" if when.operation in ("PutItem", "BatchWriteItem") else "capacity.read-units"
    rule = "capacity.page-units" if when.operation in ("Query", "Scan") else rule
    rule = "capacity.transaction-units" if when.operation.startswith("Transact") else rule
    asked = Step(when.operation, {**when.body, **_TOTAL})
    return answers(
        rule, asked, tables=tables, given=given, has={"ConsumedCapacity": [told] if listed else told}, name=name
    )


def _statement(text: str) -> Step:
    return Step("ExecuteStatement", {"Statement": text})


CORE: tuple[Check, ...] = (
    *claimed(
        "C2",
        answers("items.read-what-was-written", get(), given=[put({"v": n(1)})], body={"Item": item(v=n(1))}),
        answers(
            "transactions.write-result",
            get(),
            given=[transact(t_put({"v": n(1)}))],
            body={"Item": item(v=n(1))},
            name="transaction",
        ),
    ),
    *claimed(
        "C8",
        answers(
            "items.read-what-was-written",
            get(),
            given=[put({"name": s("x"), "n": n(1)})],
            body={"Item": item(name=s("x"), n=n(1))},
        ),
    ),
    *claimed(
        "C9",
        answers(
            "items.read-what-was-written",
            get(),
            given=[batch_put({"pk": s("b"), "v": s("text")}, item(v=n(1), other=TRUE))],
            body={"Item": item(v=n(1), other=TRUE)},
        ),
        refuses(
            "indexes.type-mismatch",
            put({"g": n(1)}),
            phrase="Type mismatch for Index Key g Expected: S Actual: N",
            tables={"t0": table(gsi=["gsi=g:S"])},
            control=put({"g": s("x")}),
            name="index key",
        ),
    ),
    *claimed(
        "C10",
        answers(
            "tables.description",
            describe(),
            at="Table",
            has={
                "KeySchema": [
                    {"AttributeName": "UserId", "KeyType": "HASH"},
                    {"AttributeName": "OrderId", "KeyType": "RANGE"},
                ]
            },
            tables=ORDERS,
            name="partition and sort key",
        ),
        answers(
            "tables.description",
            describe(),
            at="Table",
            has={"KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]},
            name="partition key",
        ),
    ),
    *claimed(
        "C11",
        answers(
            "values.round-trip",
            get(),
            given=[put({"Total": n("129.99"), "Items": many(s("a"), s("b")), "To": named(City=s("X"))})],
            body={"Item": item(Total=n("129.99"), Items=many(s("a"), s("b")), To=named(City=s("X")))},
        ),
    ),
)

CONSISTENCY: tuple[Check, ...] = (
    *claimed(
        "C38",
        refuses(
            "indexes.consistent-read",
            query("g = :g", {"g": s("x")}, IndexName="gsi", ConsistentRead=True),
            "Consistent reads are not supported on global secondary indexes",
            tables=_INDEXED,
            control=query("g = :g", {"g": s("x")}, IndexName="gsi"),
        ),
        answers("items.read-what-was-written", get(), given=[put()], body={"Item": KEY}, name="table"),
    ),
    *claimed("C39", _costs(0.5, Step("GetItem", {"TableName": T0, "Key": KEY}), put())),
    *claimed(
        "C41",
        _costs(0.5, get(ConsistentRead=False), put(sized(4096)), name="4 KB"),
        _costs(1.0, get(ConsistentRead=False), put(sized(4097)), name="above 4 KB"),
    ),
    *claimed(
        "C42",
        _costs(1.0, partition(ConsistentRead=False), put(sized(5000)), name="eventually"),
        _costs(2.0, partition(ConsistentRead=True), put(sized(5000)), name="strongly"),
    ),
    *claimed(
        "C43",
        answers(
            "items.read-what-was-written",
            get(),
            given=[put({"v": n(1)}), update("SET v = :v", {"v": n(2)})],
            body={"Item": item(v=n(2))},
        ),
    ),
    *claimed(
        "C45",
        _costs(1.0, get(), put(sized(4096)), name="4 KB"),
        _costs(2.0, get(), put(sized(4097)), name="above 4 KB"),
    ),
    *claimed(
        "C46",
        answers(
            "items.read-what-was-written",
            get({"OrderId": s("123")}),
            tables=_ORDER_ID_ALONE,
            given=[Step("PutItem", {"TableName": T0, "Item": {"OrderId": s("123")}})],
            body={"Item": {"OrderId": s("123")}},
        ),
        refuses(
            "keys.schema-mismatch",
            get({"OrderId": s("123")}),
            _MISMATCH,
            tables=ORDERS,
            control=get(_ORDER),
            name="with the article's first table",
        ),
    ),
    *claimed("C249", _costs(0.5, get(ConsistentRead=False)), _costs(1.0, get(), name="strongly")),
    *claimed("C254", _costs(1.5, get(ConsistentRead=False), put(sized(9000)))),
    *claimed("C267", answers("items.read-what-was-written", get(), given=[put()], body={"Item": KEY})),
)

_100: list[Item] = [{"pk": s(f"{number:03}")} for number in range(101)]

OPERATIONS: tuple[Check, ...] = (
    *claimed(
        "C80",
        refuses(
            "items.condition-failed",
            condition("attribute_not_exists(pk)"),
            "The conditional request failed",
            code="ConditionalCheckFailedException",
            given=[put({"v": n(1)})],
            control=condition("attribute_exists(pk)"),
        ),
    ),
    *claimed(
        "C81",
        answers(
            "items.read-what-was-written",
            get(_ORDER),
            tables=ORDERS,
            given=[Step("PutItem", {"TableName": T0, "Item": _ORDER})],
            body={"Item": _ORDER},
        ),
    ),
    *claimed(
        "C83",
        refuses(
            "wire.batch-get-total",
            Step("BatchGetItem", {"RequestItems": {T0: {"Keys": _100[:51]}, "${table:t1}": {"Keys": _100[:50]}}}),
            phrase="Too many items requested for the BatchGetItem call",
            tables={**PLAIN, "t1": table("t1")},
            control=batch_get(*_100[:100]),
        ),
    ),
    *claimed(
        "C84",
        answers(
            "queries.result",
            query("pk = :pk AND sk > :sk", {"pk": s("a"), "sk": s("a")}),
            tables=SORTED,
            given=[batch_put(*({**KEY, "sk": s(x)} for x in "abc"))],
            body={"Items": [{**KEY, "sk": s(x)} for x in "bc"], "Count": 2, "ScannedCount": 2},
        ),
    ),
    *claimed(
        "C85",
        answers(
            "queries.result",
            query("UserId = :uid AND begins_with(OrderId, :year)", {"uid": s("user-1234"), "year": s("2024")}),
            tables=ORDERS,
            given=[Step("PutItem", {"TableName": T0, "Item": _ORDER})],
            body={"Items": [], "Count": 0, "ScannedCount": 0},
            name="with the article's own ids",
        ),
        refuses(
            "expressions.key-condition-count",
            query("UserId = :uid AND begins_with(OrderId, :year)", {"uid": s("user-1234"), "year": s("2024")}),
            phrase="",
            tables=_ORDER_ID_ALONE,
            control=query("OrderId = :id", {"id": s("2024-1")}),
            name="with OrderId alone as key",
        ),
    ),
    *claimed(
        "C86",
        answers(
            "scans.result",
            scan(FilterExpression="v = :v", ExpressionAttributeValues={":v": n(1)}),
            given=[batch_put({"pk": s("a"), "v": n(1)}, {"pk": s("b"), "v": n(2)}, {"pk": s("c"), "v": n(2)})],
            body={"Items": [{"pk": s("a"), "v": n(1)}], "Count": 1, "ScannedCount": 3},
        ),
    ),
    *claimed(
        "C87",
        answers(
            "indexes.projection",
            scan(IndexName="gsi", Select="COUNT"),
            tables=_INDEXED,
            given=[_ENTRY],
            body={"Count": 2, "ScannedCount": 2},
            name="global index",
        ),
        answers(
            "indexes.projection",
            scan(IndexName="lsi", Select="COUNT"),
            tables=_INDEXED,
            given=[_ENTRY],
            body={"Count": 2, "ScannedCount": 2},
            name="local index",
        ),
    ),
    *claimed(
        "C88",
        _costs(
            1.0,
            partition(ConsistentRead=True),
            batch_put(*({"pk": s(x), "sk": s("1"), "v": s("x" * 4000)} for x in "abcdefgh")),
            tables=SORTED,
        ),
    ),
    *claimed(
        "C253",
        _costs(2.0, batch_put(sized(100), sized(100, "b"))),
        _costs(2.0, batch_get(KEY, {"pk": s("b")}, within={"ConsistentRead": True}), name="read"),
    ),
)

_CANCELLED = "Transaction cancelled, please refer cancellation reasons for specific reasons [ConditionalCheckFailed]"

ERRORS: tuple[Check, ...] = (
    *claimed(
        "C98",
        refuses(
            "items.table-missing",
            Step("GetItem", {"TableName": GONE, "Key": KEY}),
            "Requested resource not found",
            code="ResourceNotFoundException",
            control=get(),
            name="table",
        ),
        refuses(
            "indexes.unknown",
            query("g = :g", {"g": s("x")}, IndexName="nope"),
            phrase="The table does not have the specified index: nope",
            tables=_INDEXED,
            control=query("g = :g", {"g": s("x")}, IndexName="gsi"),
            name="index that is read",
        ),
        refuses(
            "indexes.not-found",
            change(GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "nope"}}]),
            phrase="",
            code="ResourceNotFoundException",
            control=describe(),
            name="index that is changed",
        ),
    ),
    *claimed(
        "C99",
        refuses(
            "items.condition-failed",
            delete(ConditionExpression="attribute_exists(pk)"),
            "The conditional request failed",
            code="ConditionalCheckFailedException",
            control=delete(ConditionExpression="attribute_not_exists(pk)"),
        ),
    ),
    *claimed(
        "C100",
        refuses(
            "transactions.cancelled",
            transact(t_check("attribute_exists(pk)")),
            _CANCELLED,
            code="TransactionCanceledException",
            fields={
                "CancellationReasons": [{"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}]
            },
            control=transact(t_check("attribute_not_exists(pk)")),
        ),
    ),
)

_TWO_TABLES: Mapping[str, Json] = {**PLAIN, "t1": table("t1")}
_OTHER_PUT = {"Put": {"TableName": "${table:t1}", "Item": item(v=n(2))}}
_OTHER_GET = {"Get": {"TableName": "${table:t1}", "Key": KEY}}


def _across(claim: str) -> tuple[Check, ...]:
    """Transactions reach over tables, and all of it is done."""
    return claimed(
        claim,
        answers(
            "transactions.read-result",
            transact_get(t_get(), _OTHER_GET),
            tables=_TWO_TABLES,
            given=[transact(t_put({"v": n(1)}), _OTHER_PUT)],
            body={"Responses": [{"Item": item(v=n(1))}, {"Item": item(v=n(2))}]},
        ),
    )


_REFUSED_ELSEWHERE = {
    "ConditionCheck": {"TableName": "${table:t1}", "Key": KEY, "ConditionExpression": "attribute_exists(pk)"}
}

TRANSACTIONS: tuple[Check, ...] = (
    *_across("C242"),
    *_across("C243"),
    *claimed(
        "C244",
        refuses(
            "transactions.cancelled",
            transact(t_put(), _REFUSED_ELSEWHERE),
            phrase="[None, ConditionalCheckFailed]",
            code="TransactionCanceledException",
            tables=_TWO_TABLES,
            control=transact(t_put()),
        ),
    ),
    *claimed(
        "C260",
        refuses(
            "items.condition-failed",
            condition("attribute_exists(pk)"),
            code="ConditionalCheckFailedException",
            control=condition("attribute_not_exists(pk)"),
        ),
    ),
    *claimed(
        "C261",
        refuses(
            "wire.transact-items-many",
            transact(*({"Put": {"TableName": T0, "Item": each}} for each in _100)),
            phrase="",
            control=transact(*({"Put": {"TableName": T0, "Item": each}} for each in _100[:100])),
        ),
    ),
    *claimed(
        "C262",
        refuses(
            "items.condition-failed",
            update("SET v = :new", {"new": n(2), "old": n(0)}, ConditionExpression="v = :old"),
            code="ConditionalCheckFailedException",
            given=[put({"v": n(1)})],
            control=update("SET v = :new", {"new": n(2), "old": n(1)}, ConditionExpression="v = :old"),
        ),
    ),
    *claimed(
        "C285",
        answers(
            "transactions.write-result",
            transact(*({"Put": {"TableName": T0, "Item": each}} for each in _100[:100])),
            body={},
        ),
    ),
)

_QUOTED = f'"{T0}"'


def _by_statement(claim: str) -> tuple[Check, ...]:
    """A subset of SQL: a row goes in and comes back."""
    return claimed(
        claim,
        answers(
            "partiql.select",
            _statement(f"SELECT * FROM {_QUOTED} WHERE pk = 'a'"),
            given=[_statement(f"INSERT INTO {_QUOTED} VALUE {{'pk': 'a', 'v': 1}}")],
            body={"Items": [item(v=n(1))]},
        ),
    )


USES: tuple[Check, ...] = (
    *claimed(
        "C241",
        refuses(
            "partiql.syntax",
            _statement(f"SELECT * FROM {_QUOTED} a JOIN {_QUOTED} b ON a.pk = b.pk"),
            phrase="",
            control=_statement(f"SELECT * FROM {_QUOTED}"),
            name="join",
        ),
        refuses(
            "partiql.unsupported-clause",
            _statement(f"SELECT pk FROM {_QUOTED} GROUP BY pk"),
            phrase="",
            control=_statement(f"SELECT pk FROM {_QUOTED}"),
            name="grouping",
        ),
        answers(
            "queries.count",
            partition(Select="COUNT"),
            given=[put()],
            body={"Count": 1, "ScannedCount": 1},
            name="but counting",
        ),
    ),
    *claimed(
        "C246",
        refuses(
            "items.too-large",
            put(sized(409_601)),
            phrase="Item size has exceeded the maximum allowed size",
            control=put(sized(409_600)),
        ),
    ),
    *_by_statement("C247"),
    *_by_statement("C276"),
)

CHECKS: tuple[Check, ...] = (*CORE, *CONSISTENCY, *OPERATIONS, *ERRORS, *TRANSACTIONS, *USES)
