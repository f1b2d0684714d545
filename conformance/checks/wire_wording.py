"""Checks of constraints that an operation words in a way of its own, and of the shape of batches and transactions."""

from __future__ import annotations

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import (
    ENVELOPE,
    KEY,
    batch_get,
    batch_put,
    condition,
    deep,
    delete,
    get,
    partition,
    put,
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
from conformance.checks.wire_constraints import FAILED, create
from conformance.program import Step
from reference.api import Json

_NEW_RETURNS = (
    "Failed to satisfy constraint: Member must satisfy enum value set: "
    "[ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]"
)
_OLD_RETURNS = (
    f"Value 'INVALID' at 'returnValues' {FAILED} satisfy enum value set: "
    "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
)
_CAPACITY = f"Value 'INVALID' at 'returnConsumedCapacity' {FAILED} satisfy enum value set: [INDEXES, TOTAL, NONE]"
_METRICS = f"Value 'INVALID' at 'returnItemCollectionMetrics' {FAILED} satisfy enum value set: [SIZE, NONE]"
_NEW_OPERATOR = "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]"
_OLD_OPERATOR = f"Value 'XOR' at 'conditionalOperator' {FAILED} satisfy enum value set: [OR, AND]"
_BAD: dict[str, Json] = {"ReturnConsumedCapacity": "INVALID", "ReturnValues": "INVALID"}
_WORSE: dict[str, Json] = {**_BAD, "ReturnItemCollectionMetrics": "INVALID"}
_KEYED = {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [s("a")]}}

ENUMS: tuple[Check, ...] = (
    *(
        refuses("wire.return-values-enum", bad, ENVELOPE + _NEW_RETURNS, control=good, name=good.operation)
        for bad, good in (
            (put(ReturnValues="INVALID"), put()),
            (update(None, ReturnValues="INVALID"), update(None)),
            (delete(ReturnValues="INVALID"), delete()),
        )
    ),
    refuses(
        "wire.return-values-enum",
        put(**_WORSE),
        f"3 validation errors detected: {_CAPACITY}; {_NEW_RETURNS}; {_METRICS}",
        control=put(),
        name="PutItem joins three",
    ),
    refuses(
        "wire.return-values-enum",
        delete(**_BAD),
        f"2 validation errors detected: {_CAPACITY}; {_NEW_RETURNS}",
        control=delete(),
        name="DeleteItem joins two",
    ),
    refuses(
        "wire.return-values-enum",
        update(None, **_BAD),
        ENVELOPE + _NEW_RETURNS,
        control=update(None),
        name="UpdateItem says it alone",
    ),
    refuses(
        "wire.return-values-enum",
        put({"v": deep(63)}, ReturnValues="INVALID"),
        ENVELOPE + _OLD_RETURNS,
        control=put(),
        name="deep items are read by the older front end",
    ),
    refuses(
        "wire.item-collection-metrics-enum",
        put(ReturnItemCollectionMetrics="INVALID"),
        ENVELOPE + _METRICS,
        control=put(ReturnItemCollectionMetrics="NONE"),
    ),
    refuses(
        "wire.conditional-operator-enum",
        put(ConditionalOperator="XOR"),
        ENVELOPE + _NEW_OPERATOR,
        control=put(),
        name="PutItem",
    ),
    refuses(
        "wire.conditional-operator-enum",
        Step("Query", {"TableName": T0, "KeyConditions": _KEYED, "ConditionalOperator": "XOR", "Select": "INVALID"}),
        _NEW_OPERATOR,
        control=partition(),
        name="Query says it alone and bare",
    ),
    refuses(
        "wire.conditional-operator-enum",
        Step("UpdateItem", {"TableName": T0, "ConditionalOperator": "XOR"}),
        f"2 validation errors detected: {_OLD_OPERATOR}; Value null at 'key' {FAILED} not be null",
        control=update(None),
        name="UpdateItem without key",
    ),
    refuses(
        "wire.scan-conditional-operator-enum",
        scan(ConditionalOperator="XOR"),
        ENVELOPE + _OLD_OPERATOR,
        control=scan(),
    ),
    refuses(
        "wire.condition-failure-enum",
        condition("attribute_not_exists(v)", ReturnValuesOnConditionCheckFailure="ALL_NEW"),
        phrase="returnValuesOnConditionCheckFailure",
        control=condition("attribute_not_exists(v)", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        name="PutItem",
    ),
    refuses(
        "wire.condition-failure-enum",
        transact(t_check("attribute_not_exists(v)", ReturnValuesOnConditionCheckFailure="ALL_NEW")),
        phrase="returnValuesOnConditionCheckFailure",
        control=transact(t_check("attribute_not_exists(v)", ReturnValuesOnConditionCheckFailure="ALL_OLD")),
        name="transaction",
    ),
    refuses(
        "wire.limit-min",
        partition(Limit=0),
        f"{ENVELOPE}Value at 'Limit' {FAILED} have value greater than or equal to 1",
        control=partition(Limit=1),
        name="Query",
    ),
    refuses(
        "wire.limit-min",
        scan(Limit=0),
        f"{ENVELOPE}Value at 'Limit' {FAILED} have value greater than or equal to 1",
        control=scan(Limit=1),
        name="Scan",
    ),
    refuses(
        "wire.segment-min",
        scan(Segment=-1, TotalSegments=2),
        f"{ENVELOPE}Value at 'Segment' {FAILED} have value greater than or equal to 0",
        control=scan(Segment=0, TotalSegments=2),
    ),
    refuses(
        "wire.total-segments-min",
        scan(Segment=0, TotalSegments=0),
        phrase="Member must have value greater than or equal to 1",
        control=scan(Segment=0, TotalSegments=1),
    ),
    refuses(
        "wire.table-class",
        create(TableClass="INVALID"),
        "Invalid table-class parameter provided. Please try again with a valid table-class value: "
        "[STANDARD, STANDARD_INFREQUENT_ACCESS].",
        control=create(TableClass="STANDARD_INFREQUENT_ACCESS"),
    ),
)

_TOKEN = "${token:a}-" + "t" * 36
"""More than 36 letters, and another one in each session: a target that takes it remembers it."""
_101 = [t_put({"pk": s(str(i))}) for i in range(101)]
_ONLY = "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"

TRANSACTIONS: tuple[Check, ...] = (
    refuses(
        "wire.token-length",
        transact(t_put(), ClientRequestToken=_TOKEN),
        f"{ENVELOPE}Value '{_TOKEN}' at 'clientRequestToken' {FAILED} have length less than or equal to 36",
        control=transact(t_put(), ClientRequestToken="${token:b}"),
        name="alone",
    ),
    refuses(
        "wire.token-length",
        transact(t_put(), ClientRequestToken=_TOKEN, ReturnConsumedCapacity="INVALID"),
        f"2 validation errors detected: Value '{_TOKEN}' at 'clientRequestToken' {FAILED} have length less than or "
        f"equal to 36; {_CAPACITY}",
        control=transact(t_put()),
        name="joined",
    ),
    refuses(
        "wire.enum",
        transact(t_put(), ReturnConsumedCapacity="INVALID", ReturnItemCollectionMetrics="INVALID"),
        f"2 validation errors detected: {_CAPACITY}; {_METRICS}",
        control=transact(t_put()),
        name="transaction",
    ),
    *(
        refuses(
            "wire.transact-items-empty",
            Step(good.operation, {"TransactItems": []}),
            f"{ENVELOPE}Value '[]' at 'transactItems' {FAILED} have length greater than or equal to 1",
            control=good,
            name=good.operation,
        )
        for good in (transact(t_put()), transact_get(t_get()))
    ),
    refuses(
        "wire.transact-items-many",
        transact(*_101),
        phrase=f"at 'transactItems' {FAILED} have length less than or equal to 100",
        control=transact(*_101[:100]),
    ),
    refuses("wire.transact-action-empty", transact({}), _ONLY, control=transact(t_put())),
    refuses(
        "wire.transact-action-empty", transact(t_put(), {}), _ONLY, control=transact(t_put()), name="second action"
    ),
    refuses(
        "transactions.one-kind",
        transact({**t_put(), **t_check("attribute_not_exists(v)")}),
        phrase="TransactItems",
        control=transact(t_put()),
    ),
)

_110 = [{"pk": s(str(i))} for i in range(110)]
_TWO = {"t0": table(), "t1": table("t1")}
_T1 = "${table:t1}"


def _keys(*keys: list[Json]) -> Step:
    tables = zip((T0, _T1), keys, strict=False)
    return Step("BatchGetItem", {"RequestItems": {name: {"Keys": listed} for name, listed in tables}})


def _puts(*items: list[Json]) -> Step:
    tables = zip((T0, _T1), items, strict=False)
    return Step(
        "BatchWriteItem",
        {"RequestItems": {name: [{"PutRequest": {"Item": one}} for one in listed] for name, listed in tables}},
    )


BATCHES: tuple[Check, ...] = (
    refuses(
        "wire.batch-get-empty",
        Step("BatchGetItem", {"RequestItems": {}}),
        f"{ENVELOPE}Value at 'RequestItems' {FAILED} have length greater than or equal to 1",
        control=batch_get(KEY),
    ),
    refuses(
        "wire.batch-write-empty",
        Step("BatchWriteItem", {"RequestItems": {}}),
        "The requestItems parameter is required for BatchWriteItem",
        control=batch_put(KEY),
    ),
    refuses(
        "wire.batch-get-no-keys",
        _keys([]),
        f"{ENVELOPE}Value at 'RequestItems.{T0}.member.Keys' {FAILED} have length greater than or equal to 1",
        control=batch_get(KEY),
    ),
    refuses(
        "wire.batch-get-many-keys",
        _keys(_110[:101]),
        f"{ENVELOPE}Value at 'RequestItems.{T0}.member.Keys' {FAILED} have length less than or equal to 100",
        control=_keys(_110[:100]),
    ),
    refuses(
        "wire.batch-write-no-requests",
        _puts([]),
        phrase="Member must have length greater than or equal to 1",
        control=batch_put(KEY),
    ),
    refuses(
        "wire.batch-write-many",
        _puts(_110[:26]),
        phrase="failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or "
        "equal to 25, Member must have length greater than or equal to 1]",
        control=_puts(_110[:25]),
    ),
    refuses(
        "wire.batch-get-total",
        _keys(_110[:51], _110[51:101]),
        "Too many items requested for the BatchGetItem call",
        tables=_TWO,
        control=_keys(_110[:50], _110[50:100]),
    ),
    refuses(
        "wire.batch-write-total",
        _puts(_110[:13], _110[13:26]),
        "Too many items requested for the BatchWriteItem call",
        tables=_TWO,
        control=_puts(_110[:13], _110[13:25]),
    ),
    refuses(
        "wire.write-request-kind",
        Step("BatchWriteItem", {"RequestItems": {T0: [{}]}}),
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
        control=batch_put(KEY),
        name="neither",
    ),
    refuses(
        "wire.enum",
        Step(
            "BatchWriteItem",
            {"RequestItems": {"bad!name": [{"DeleteRequest": {"Key": KEY}}]}, "ReturnConsumedCapacity": "INVALID"},
        ),
        ENVELOPE + _CAPACITY,
        control=batch_put(KEY),
        name="BatchWriteItem, before bad names",
    ),
    refuses(
        "wire.map-keys",
        Step("BatchGetItem", {"RequestItems": {"bad!name": {"Keys": [KEY]}}, "ReturnConsumedCapacity": "INVALID"}),
        """2 validation errors detected: Value '{"bad!name":{"Keys":[{"pk":{"S":"a"}}]}}' at 'requestItems' failed """
        "to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 255, "
        "Member must have length greater than or equal to 3, Member must satisfy regular expression pattern: "
        f"[a-zA-Z0-9_.-]+]; {_CAPACITY}",
        control=batch_get(KEY),
        name="BatchGetItem, joined",
    ),
    refuses(
        "wire.enum",
        batch_put(KEY, ReturnConsumedCapacity="INVALID", ReturnItemCollectionMetrics="INVALID"),
        f"2 validation errors detected: {_CAPACITY}; {_METRICS}",
        control=batch_put(KEY),
        name="BatchWriteItem",
    ),
    refuses(
        "wire.enum",
        get(ReturnConsumedCapacity="INVALID"),
        ENVELOPE + _CAPACITY,
        control=get(ReturnConsumedCapacity="NONE"),
        name="GetItem",
    ),
)

CHECKS: tuple[Check, ...] = (*ENUMS, *TRANSACTIONS, *BATCHES)
