"""Checks of what the service model states about members, as most operations word it, and of table names."""

from __future__ import annotations

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import (
    ENVELOPE,
    KEY,
    batch_get,
    batch_put,
    delete,
    describe,
    get,
    n,
    put,
    query,
    refuses,
    s,
    scan,
    t_check,
    t_delete,
    t_get,
    t_put,
    t_update,
    transact,
    transact_get,
    update,
)
from conformance.program import Step
from reference.api import Json

PATTERN = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
FAILED = "failed to satisfy constraint: Member must"
_LISTED = Step("ListTables", {"Limit": 1})
NEW = "${table:t1}"
"""The name of a table that a check creates in a step of its own."""


def create(name: str = NEW, **members: Json) -> Step:
    """CreateTable, like the check's own table but for these members."""
    return Step("CreateTable", {**table(), "TableName": name, **members})


def _insights(**members: Json) -> Step:
    return Step("UpdateContributorInsights", {"TableName": T0, "ContributorInsightsAction": "ENABLE", **members})


_NO_KEY = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": ""}
_NO_BACKUP = "arn:aws:dynamodb:us-east-1:400000000004:table/t/backup/01500000000000-12345678"


def _gsi(name: str = "by_pk", **members: Json) -> dict[str, Json]:
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
        **members,
    }


def _key_schema(*types: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(("pk", "sk", "tk"), types, strict=False)]


_SORTED_DEFINITIONS = [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}]


def _sorted(name: str = NEW, **members: Json) -> Step:
    schema = _key_schema("HASH", "RANGE")
    return create(name, AttributeDefinitions=_SORTED_DEFINITIONS, **{"KeySchema": schema, **members})


def _lsi(name: str) -> dict[str, Json]:
    return {"IndexName": name, "KeySchema": _key_schema("HASH", "RANGE"), "Projection": {"ProjectionType": "ALL"}}


_BAD_NAME = {"TableName": "bad!name"}

MEMBERS: tuple[Check, ...] = (
    refuses(
        "wire.null",
        Step("PutItem", {"Item": KEY}),
        f"{ENVELOPE}Value null at 'tableName' {FAILED} not be null",
        control=put(),
        name="table name",
    ),
    refuses(
        "wire.null",
        Step("GetItem", {"TableName": T0, "Key": None}),
        f"{ENVELOPE}Value null at 'key' {FAILED} not be null",
        control=get(),
        name="JSON null",
    ),
    refuses(
        "wire.null",
        Step("TransactWriteItems", {"TransactItems": [{"ConditionCheck": {"TableName": T0, "Key": KEY}}]}),
        f"{ENVELOPE}Value null at 'transactItems.1.member.conditionCheck.conditionExpression' {FAILED} not be null",
        control=transact(t_check("attribute_not_exists(pk)")),
        name="condition check",
    ),
    refuses(
        "wire.null",
        Step(
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": T0, "Item": KEY}}, {"Update": {"Key": KEY, "TableName": T0}}]},
        ),
        f"{ENVELOPE}Value null at 'transactItems.2.member.update.updateExpression' {FAILED} not be null",
        control=transact(t_put()),
        name="second action",
    ),
    refuses(
        "wire.null",
        Step("UpdateItem", {"TableName": "", "UpdateExpression": "REMOVE v"}),
        f"2 validation errors detected: Value '' at 'tableName' {FAILED} have length greater than or equal to 1; "
        f"Value null at 'key' {FAILED} not be null",
        control=update("REMOVE v"),
        name="UpdateItem without key",
    ),
    refuses(
        "wire.null",
        Step(
            "UpdateItem",
            {"TableName": "", "ReturnConsumedCapacity": "INVALID", "ReturnValues": "INVALID"},
        ),
        f"4 validation errors detected: Value 'INVALID' at 'returnConsumedCapacity' {FAILED} satisfy enum value set: "
        f"[INDEXES, TOTAL, NONE]; Value '' at 'tableName' {FAILED} have length greater than or equal to 1; "
        f"Value 'INVALID' at 'returnValues' {FAILED} satisfy enum value set: "
        f"[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; Value null at 'key' {FAILED} not be null",
        control=update(None),
        name="UpdateItem, four errors",
    ),
    refuses(
        "wire.length-min",
        create("ab"),
        f"{ENVELOPE}Value 'ab' at 'tableName' {FAILED} have length greater than or equal to 3",
        control=create(),
        name="table name",
    ),
    refuses(
        "wire.length-min",
        _sorted(GlobalSecondaryIndexes=[_gsi("g1")], LocalSecondaryIndexes=[_lsi("l1")]),
        f"2 validation errors detected: Value 'g1' at 'globalSecondaryIndexes.1.member.indexName' {FAILED} have length "
        f"greater than or equal to 3; Value 'l1' at 'localSecondaryIndexes.1.member.indexName' {FAILED} have length "
        "greater than or equal to 3",
        control=_sorted(GlobalSecondaryIndexes=[_gsi("g12")], LocalSecondaryIndexes=[_lsi("l12")]),
        name="index names",
    ),
    refuses(
        "wire.length-min",
        query("pk = :p", {"p": s("a")}, IndexName="ab"),
        f"{ENVELOPE}Value 'ab' at 'indexName' {FAILED} have length greater than or equal to 3",
        control=query("pk = :p", {"p": s("a")}),
        name="Query",
    ),
    refuses(
        "wire.length-max",
        Step("PutItem", {"TableName": "t" * 256, "Item": KEY}),
        f"{ENVELOPE}Value '{'t' * 256}' at 'tableName' {FAILED} have length less than or equal to 255",
        control=put(),
        name="PutItem",
    ),
    refuses(
        "wire.length-max",
        Step("GetItem", {"TableName": "t" * 256, "Key": KEY}),
        f"{ENVELOPE}Value '{'t' * 256}' at 'tableName' {FAILED} have length less than or equal to 255",
        control=get(),
        name="GetItem",
    ),
    refuses(
        "wire.size-min",
        get(AttributesToGet=[]),
        f"{ENVELOPE}Value '[]' at 'attributesToGet' {FAILED} have length greater than or equal to 1",
        control=get(AttributesToGet=["v"]),
        name="AttributesToGet",
    ),
    refuses(
        "wire.size-max",
        create(KeySchema=_key_schema("HASH", "RANGE", "RANGE")),
        phrase=f"at 'keySchema' {FAILED} have length less than or equal to 2",
        control=_sorted(),
        name="KeySchema",
    ),
    refuses(
        "wire.value-min",
        Step("ListTables", {"Limit": 0}),
        f"{ENVELOPE}Value '0' at 'limit' {FAILED} have value greater than or equal to 1",
        control=_LISTED,
        name="ListTables",
    ),
    refuses(
        "wire.value-max",
        Step("ListTables", {"Limit": 101}),
        f"{ENVELOPE}Value '101' at 'limit' {FAILED} have value less than or equal to 100",
        control=Step("ListTables", {"Limit": 100}),
        name="ListTables",
    ),
    refuses(
        "wire.value-max",
        scan(Segment=0, TotalSegments=1_000_001),
        phrase=f"{FAILED} have value less than or equal to 1000000",
        control=scan(Segment=0, TotalSegments=1_000_000),
        name="TotalSegments",
    ),
    refuses(
        "wire.pattern",
        Step("PutItem", {"TableName": "bad table!@#", "Item": KEY}),
        f"{ENVELOPE}Value 'bad table!@#' at 'tableName' failed to satisfy constraint: {PATTERN}",
        control=put(),
        name="PutItem",
    ),
    refuses(
        "wire.pattern",
        Step("GetItem", {"TableName": "a;", "Key": KEY}),
        f"{ENVELOPE}Value 'a;' at 'tableName' failed to satisfy constraint: {PATTERN}",
        control=get(),
        name="short too",
    ),
    *(
        refuses(
            "wire.pattern",
            Step(good.operation, {"TransactItems": [{action: {**good.body["TransactItems"][0][action], **_BAD_NAME}}]}),
            f"{ENVELOPE}Value 'bad!name' at 'transactItems.1.member.{member}.tableName' failed to satisfy constraint: "
            f"{PATTERN}",
            control=good,
            name=f"transaction {action}",
        )
        for action, member, good in (
            ("Put", "put", transact(t_put())),
            ("Update", "update", transact(t_update("REMOVE v"))),
            ("Delete", "delete", transact(t_delete())),
            ("ConditionCheck", "conditionCheck", transact(t_check("attribute_not_exists(v)"))),
            ("Get", "get", transact_get(t_get())),
        )
    ),
    refuses(
        "wire.enum",
        get(ReturnConsumedCapacity="total"),
        f"{ENVELOPE}Value 'total' at 'returnConsumedCapacity' {FAILED} satisfy enum value set: [INDEXES, TOTAL, NONE]",
        control=get(ReturnConsumedCapacity="TOTAL"),
        name="case",
    ),
    refuses(
        "wire.enum",
        query("pk = :p", {"p": s("a")}, Select="ALL"),
        f"{ENVELOPE}Value 'ALL' at 'select' {FAILED} satisfy enum value set: "
        "[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]",
        control=query("pk = :p", {"p": s("a")}, Select="COUNT"),
        name="Select",
    ),
    refuses(
        "wire.enum",
        scan(ScanFilter={"v": {"ComparisonOperator": "eq", "AttributeValueList": [n(1)]}}),
        f"{ENVELOPE}Value 'eq' at 'scanFilter.v.member.comparisonOperator' {FAILED} satisfy enum value set: "
        "[IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]",
        control=scan(ScanFilter={"v": {"ComparisonOperator": "EQ", "AttributeValueList": [n(1)]}}),
        name="ComparisonOperator",
    ),
    refuses(
        "wire.enum",
        create(KeySchema=_key_schema("KEY")),
        f"{ENVELOPE}Value 'KEY' at 'keySchema.1.member.keyType' {FAILED} satisfy enum value set: [HASH, RANGE]",
        control=create(),
        name="KeyType",
    ),
    refuses(
        "wire.enum",
        create(BillingMode="FREE"),
        f"{ENVELOPE}Value 'FREE' at 'billingMode' {FAILED} satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]",
        control=create(),
        name="BillingMode",
    ),
    refuses(
        "wire.enum",
        create(AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "BOOL"}]),
        f"{ENVELOPE}Value 'BOOL' at 'attributeDefinitions.1.member.attributeType' {FAILED} satisfy enum value set: "
        "[B, N, S]",
        control=create(),
        name="AttributeType",
    ),
    refuses(
        "wire.enum",
        create(GlobalSecondaryIndexes=[_gsi(Projection={"ProjectionType": "SOME"})]),
        f"{ENVELOPE}Value 'SOME' at 'globalSecondaryIndexes.1.member.projection.projectionType' {FAILED} satisfy "
        "enum value set: [ALL, INCLUDE, KEYS_ONLY]",
        control=create(GlobalSecondaryIndexes=[_gsi()]),
        name="ProjectionType",
    ),
    refuses(
        "wire.enum",
        create(StreamSpecification={"StreamEnabled": True, "StreamViewType": ""}),
        f"{ENVELOPE}Value '' at 'streamSpecification.streamViewType' {FAILED} satisfy enum value set: "
        "[OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE]",
        control=create(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}),
        name="StreamViewType",
    ),
    refuses(
        "wire.enum",
        _insights(ContributorInsightsAction=""),
        f"{ENVELOPE}Value '' at 'contributorInsightsAction' {FAILED} satisfy enum value set: [ENABLE, DISABLE]",
        control=_insights(),
        name="ContributorInsightsAction",
    ),
    refuses(
        "wire.enum",
        _insights(ContributorInsightsMode=""),
        f"{ENVELOPE}Value '' at 'contributorInsightsMode' {FAILED} satisfy enum value set: "
        "[THROTTLED_KEYS, ACCESSED_AND_THROTTLED_KEYS]",
        control=_insights(),
        name="ContributorInsightsMode",
    ),
    refuses(
        "wire.enum-unlisted",
        create(SSESpecification={"Enabled": True, "SSEType": "ALL"}),
        phrase=f"Value 'ALL' at 'sSESpecification.sSEType' {FAILED} satisfy enum value set: [",
        control=create(SSESpecification={"Enabled": True, "SSEType": "KMS"}),
    ),
    refuses(
        "wire.list-elements",
        create(GlobalSecondaryIndexes=[_gsi(Projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": [""]})]),
        phrase="failed to satisfy constraint",
        control=create(
            GlobalSecondaryIndexes=[_gsi(Projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["v"]})]
        ),
    ),
    refuses(
        "wire.map-keys",
        Step("BatchGetItem", {"RequestItems": {"bad!name": {"Keys": [KEY]}}}),
        ENVELOPE
        + """Value '{"bad!name":{"Keys":[{"pk":{"S":"a"}}]}}' at 'requestItems' failed to satisfy constraint: """
        "Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must have length "
        f"greater than or equal to 3, {PATTERN}]",
        control=batch_get(KEY),
        name="BatchGetItem",
    ),
    refuses(
        "wire.map-keys",
        Step("BatchWriteItem", {"RequestItems": {"bad!name": [{"DeleteRequest": {"Key": KEY}}]}}),
        phrase="at 'requestItems' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have "
        f"length less than or equal to 255, Member must have length greater than or equal to 3, {PATTERN}]",
        control=batch_put(KEY),
        name="BatchWriteItem",
    ),
)

_EMPTY_NAME = f"{ENVELOPE}Value at 'TableName' {FAILED} have length greater than or equal to 1"
_EMPTY_ECHOED = f"{ENVELOPE}Value '' at 'tableName' {FAILED} have length greater than or equal to 1"
_REQUIRED = "The parameter 'TableName' is required but was not present in the request"


def _nameless(step: Step, name: str | None = None) -> Step:
    body = {member: value for member, value in step.body.items() if member != "TableName"}
    return Step(step.operation, body if name is None else {"TableName": name, **body})


_PROTECT = Step("UpdateTable", {"TableName": T0, "DeletionProtectionEnabled": False})
_CONTROL = (create(), describe(), Step("DeleteTable", {"TableName": T0}), _PROTECT)

TABLE_NAMES: tuple[Check, ...] = (
    *(
        refuses("wire.table-name-empty", _nameless(step, ""), _EMPTY_NAME, control=step, name=step.operation)
        for step in (put(), update("REMOVE v"), delete())
    ),
    refuses(
        "wire.table-name-empty",
        Step("PutItem", {"TableName": "", "ReturnConsumedCapacity": "INVALID", "ReturnValues": "INVALID"}),
        _EMPTY_NAME,
        control=put(),
        name="alone",
    ),
    *(
        refuses("wire.table-name-min", _nameless(step, ""), _EMPTY_ECHOED, control=step, name=step.operation)
        for step in (get(), query("pk = :p", {"p": s("a")}), scan())
    ),
    refuses(
        "wire.table-name-min",
        Step("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "", "Key": KEY}}]}),
        f"{ENVELOPE}Value '' at 'transactItems.1.member.get.tableName' {FAILED} have length greater than or equal to 1",
        control=transact_get(t_get()),
        name="TransactGetItems",
    ),
    *(
        refuses("wire.table-name-required", _nameless(step), _REQUIRED, control=step, name=step.operation)
        for step in _CONTROL
    ),
    refuses(
        "wire.table-name-required",
        Step("CreateTable", {"KeySchema": [], "BillingMode": "FREE"}),
        _REQUIRED,
        control=create(),
        name="alone",
    ),
    refuses(
        "wire.control-table-name-short",
        Step("DescribeTable", {"TableName": "ab"}),
        f"{ENVELOPE}Value 'ab' at 'tableName' {FAILED} have length greater than or equal to 3",
        control=describe(),
    ),
    refuses(
        "wire.pattern",
        Step("DescribeTable", {"TableName": ""}),
        f"2 validation errors detected: Value '' at 'tableName' {FAILED} have length greater than or equal to 3; "
        f"Value '' at 'tableName' failed to satisfy constraint: {PATTERN}",
        control=describe(),
        name="after the length",
    ),
    refuses(
        "wire.pattern",
        create(GlobalSecondaryIndexes=[_gsi("")]),
        "2 validation errors detected: Value '' at 'globalSecondaryIndexes.1.member.indexName' "
        f"{FAILED} have length greater than or equal to 3; Value '' at 'globalSecondaryIndexes.1.member.indexName' "
        f"failed to satisfy constraint: {PATTERN}",
        control=create(GlobalSecondaryIndexes=[_gsi()]),
        name="after the length of an index",
    ),
    refuses(
        "wire.pattern",
        Step("CreateBackup", {"TableName": T0, "BackupName": ""}),
        f"2 validation errors detected: Value '' at 'backupName' failed to satisfy constraint: {PATTERN}; "
        f"Value '' at 'backupName' {FAILED} have length greater than or equal to 3",
        control=Step("CreateBackup", {"TableName": T0, "BackupName": "abc"}),
        name="before the length of a backup",
    ),
    refuses(
        "wire.pattern",
        Step("ListTables", {"ExclusiveStartTableName": ""}),
        f"2 validation errors detected: Value '' at 'exclusiveStartTableName' failed to satisfy constraint: {PATTERN}; "
        f"Value '' at 'exclusiveStartTableName' {FAILED} have length greater than or equal to 3",
        control=Step("ListTables", {"ExclusiveStartTableName": "abc"}),
        name="before the length",
    ),
    *(
        refuses(
            "wire.name-length",
            step,
            f"{member} must be at least 3 characters long and at most 255 characters long",
            control=describe(),
            name=step.operation,
        )
        for member, step in (
            ("IndexName", _insights(IndexName="")),
            ("IndexName", Step("DescribeContributorInsights", {"TableName": T0, "IndexName": ""})),
            ("TableName", Step("DescribeGlobalTable", {"GlobalTableName": ""})),
            ("TableName", Step("DescribeGlobalTableSettings", {"GlobalTableName": ""})),
            ("TableName", Step("RestoreTableFromBackup", {"TargetTableName": "", "BackupArn": _NO_BACKUP})),
        )
    ),
    *(
        refuses(
            "wire.length-min",
            step,
            f"{ENVELOPE}Value '' at 'sSESpecification.kMSMasterKeyId' {FAILED} have length greater than or equal to 1",
            control=describe(),
            name=f"the key of {step.operation}",
        )
        for step in (
            create(SSESpecification=_NO_KEY),
            Step("UpdateTable", {"TableName": T0, "SSESpecification": _NO_KEY}),
        )
    ),
    refuses(
        "wire.batch-table-name-short",
        Step("BatchGetItem", {"RequestItems": {"ab": {"Keys": [KEY]}}}),
        phrase="Map keys must satisfy constraint",
        control=batch_get(KEY),
    ),
    *(
        refuses(
            "wire.item-table-name-short",
            _nameless(step, "ab"),
            phrase="",
            control=step,
            name=step.operation,
        )
        for step in (put(), get(), update("REMOVE v"), delete(), query("pk = :p", {"p": s("a")}), scan())
    ),
)

CHECKS: tuple[Check, ...] = (*MEMBERS, *TABLE_NAMES)
