"""Checks of tables: what may be created, described, listed and deleted."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import INVALID, answers, describe, put, refuses
from conformance.checks.wire_constraints import NEW, create
from conformance.program import Step
from reference.api import Json

_NONE: dict[str, Json] = {}
UNITS: dict[str, Json] = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
GONE = "dynoracle-no-such-table"
IN_USE = "Attempt to change a resource which is still in use: "
_KMS: dict[str, Json] = {"Enabled": True, "SSEType": "KMS"}
ELSEWHERE = "arn:aws:kms:eu-west-1:400000000004:key/mrk-67c1526d2d8940a3947df29d0358c35a"
"""A key of another region than any table of these checks has."""
WRONG_KEYS: tuple[tuple[str, str, dict[str, Json], str | None, str | None, str], ...] = (
    (
        "tables.sse-type-unsupported", "", {"Enabled": True, "SSEType": "AES256"},
        f"{INVALID}SSEType AES256 is not supported", None, "ValidationException",
    ),
    *(
        (
            "tables.sse-type-without-encryption", name, {"Enabled": False, **wanted},
            f"{INVALID}SSEType can not be specified if Enabled is false", None, "ValidationException",
        )
        for name, wanted in (
            ("", {"SSEType": "KMS"}), ("AES256", {"SSEType": "AES256"}),
            ("and a key", {"SSEType": "KMS", "KMSMasterKeyId": "alias/aws/dynamodb"}),
        )
    ),
    (
        "tables.sse-key-without-encryption", "", {"Enabled": False, "KMSMasterKeyId": "alias/aws/dynamodb"},
        f"{INVALID}KMSMasterKeyId can not be specified if Enabled is false", None, "ValidationException",
    ),
    (
        "tables.sse-key-without-type", "", {"Enabled": True, "KMSMasterKeyId": "alias/aws/dynamodb"},
        f"{INVALID}SSEType KMS is required if KMSMasterKeyId is specified", None, "ValidationException",
    ),
    (
        "tables.sse-key-elsewhere", "", {**_KMS, "KMSMasterKeyId": ELSEWHERE},
        None, "KMS validation error: com.amazonaws.services.kms.model.NotFoundException: Invalid arn eu-west-1",
        "ValidationException",
    ),
    (
        "tables.sse-key-of-service", "", {**_KMS, "KMSMasterKeyId": "alias/aws/s3"},
        None, "is not authorized to perform: kms:CreateGrant on resource: ", "AccessDeniedException",
    ),
)  # fmt: skip
"""What SSESpecification may not be: rule, name, the specification, the whole text or a phrase of it, the code."""


def provisioned(units: dict[str, Json] | None = None, **members: Json) -> Step:
    """CreateTable with provisioned billing, 5 and 5 units by default."""
    return create(BillingMode="PROVISIONED", ProvisionedThroughput=UNITS if units is None else units, **members)


def drop(name: str = T0) -> Step:
    """DeleteTable."""
    return Step("DeleteTable", {"TableName": name})


def definitions(text: str) -> list[dict[str, str]]:
    """AttributeDefinitions from ``pk:S sk:N``."""
    pairs = (part.split(":") for part in text.split())
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in pairs]


def schema(text: str) -> list[dict[str, str]]:
    """A KeySchema from ``pk:HASH sk:RANGE``."""
    pairs = (part.split(":") for part in text.split())
    return [{"AttributeName": name, "KeyType": kind} for name, kind in pairs]


def keyed(types: str, keys: str, **members: Json) -> Step:
    """CreateTable with these definitions and this key."""
    return create(AttributeDefinitions=definitions(types), KeySchema=schema(keys), **members)


def creation(
    rule: str,
    when: Step,
    message: str | None = None,
    *,
    name: str = "",
    phrase: str | None = None,
    control: Step | None = None,
    given: Sequence[Step] = (),
    code: str = "ValidationException",
    needs: str = "",
) -> Check:
    """A refused CreateTable on an account without tables; the control creates a plain one by default."""
    return refuses(
        rule,
        when,
        message,
        phrase=phrase,
        tables=_NONE,
        given=given,
        control=control or create(),
        name=name,
        code=code,
        needs=needs,
    )


NAMES: tuple[Check, ...] = (
    *(
        refuses(
            "tables.not-found",
            Step(operation, {"TableName": GONE, **more}),
            f"Requested resource not found: Table: {GONE} not found",
            code="ResourceNotFoundException",
            control=Step(operation, {"TableName": T0, **more}),
            name=operation,
        )
        for operation, more in (
            ("DescribeTable", {}),
            ("DeleteTable", {}),
            ("UpdateTable", {"DeletionProtectionEnabled": False}),
            ("DescribeTimeToLive", {}),
        )
    ),
    refuses(
        "tables.exists", create(T0), f"Table already exists: {T0}", code="ResourceInUseException", control=create()
    ),
    refuses(
        "tables.being-created",
        drop(),
        f"{IN_USE}Table is being created: {T0}",
        code="ResourceInUseException",
        control=describe(),
        needs="slow create",
        name="DeleteTable",
    ),
    refuses(
        "tables.being-created",
        create(T0),
        f"{IN_USE}Table is being created: {T0}",
        code="ResourceInUseException",
        control=describe(),
        needs="slow create",
        name="CreateTable",
    ),
    refuses(
        "items.table-missing",
        put(),
        "Requested resource not found",
        code="ResourceNotFoundException",
        control=describe(),
        needs="slow create",
        name="table that is being created",
    ),
    refuses(
        "tables.being-deleted",
        Step("UpdateTable", {"TableName": T0, "DeletionProtectionEnabled": True}),
        f"{IN_USE}Table is being deleted: {T0}",
        code="ResourceInUseException",
        given=[drop()],
        control=describe(),
        needs="slow delete",
        name="UpdateTable",
    ),
    refuses(
        "tables.being-deleted",
        drop(),
        f"{IN_USE}Table is being deleted: {T0}",
        code="ResourceInUseException",
        given=[drop()],
        control=describe(),
        needs="slow delete",
        name="DeleteTable",
    ),
    refuses(
        "tables.protected",
        drop(NEW),
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
        tables=_NONE,
        given=[create(DeletionProtectionEnabled=True)],
        control=Step("UpdateTable", {"TableName": NEW, "DeletionProtectionEnabled": False}),
    ),
)

_LARGE = 10**12 + 1

BILLING: tuple[Check, ...] = (
    creation(
        "tables.units-on-demand",
        create(ProvisionedThroughput=UNITS),
        f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
        "PAY_PER_REQUEST",
    ),
    creation(
        "tables.units-missing",
        create(BillingMode="PROVISIONED"),
        f"{INVALID}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        control=provisioned(),
        name="PROVISIONED",
    ),
    creation(
        "tables.units-missing",
        create(BillingMode=None),
        f"{INVALID}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        control=create(BillingMode=None, ProvisionedThroughput=UNITS),
        name="by default",
    ),
    creation(
        "tables.units-out-of-bounds",
        provisioned({"ReadCapacityUnits": _LARGE, "WriteCapacityUnits": 1}),
        f"Given value {_LARGE} for ReadCapacityUnits is out of bounds",
        name="read",
    ),
    creation(
        "tables.units-out-of-bounds",
        provisioned({"ReadCapacityUnits": 1, "WriteCapacityUnits": _LARGE}),
        f"Given value {_LARGE} for WriteCapacityUnits is out of bounds",
        name="write",
    ),
    creation(
        "account.table-units",
        provisioned({"ReadCapacityUnits": 40_001, "WriteCapacityUnits": 1}),
        phrase="is above the per table maximum for the account in",
        code="LimitExceededException",
    ),
    creation(
        "tables.on-demand-limit-provisioned",
        provisioned(OnDemandThroughput={"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": 5}),
        f"{INVALID}MaxReadRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is "
        "PROVISIONED.",
        control=create(OnDemandThroughput={"MaxReadRequestUnits": 5}),
        name="read",
    ),
    creation(
        "tables.on-demand-limit-provisioned",
        provisioned(OnDemandThroughput={"MaxWriteRequestUnits": 5}),
        f"{INVALID}MaxWriteRequestUnits for OnDemandThroughput cannot be specified when table BillingMode is "
        "PROVISIONED.",
        control=create(OnDemandThroughput={"MaxWriteRequestUnits": 5}),
        name="write",
    ),
    *(
        creation(
            "tables.on-demand-limit-out-of-range",
            create(OnDemandThroughput={"MaxReadRequestUnits": units}),
            f"{INVALID}Requested MaxReadRequestUnits for OnDemandThroughput for table is outside of valid range",
            control=create(OnDemandThroughput={"MaxReadRequestUnits": 1}),
            name=str(units),
        )
        for units in (0, -2)
    ),
    creation(
        "tables.warm-below-on-demand",
        create(WarmThroughput={"ReadUnitsPerSecond": 11_999, "WriteUnitsPerSecond": 4_000}),
        f"{INVALID}Requested ReadUnitsPerSecond for WarmThroughput for table is lower than initial throughput for "
        "OnDemand. See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html"
        "#on-demand-capacity-mode-initial",
        control=create(WarmThroughput={"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000}),
    ),
    creation(
        "tables.warm-below-provisioned",
        provisioned(WarmThroughput={"ReadUnitsPerSecond": 4, "WriteUnitsPerSecond": 5}),
        f"{INVALID}Requested ReadUnitsPerSecond for WarmThroughput for table is lower than ReadCapacityUnits of "
        "ProvisionedThroughput",
        control=provisioned(WarmThroughput={"ReadUnitsPerSecond": 5, "WriteUnitsPerSecond": 5}),
    ),
    *(
        creation(
            rule,
            create(SSESpecification=wanted),
            text,
            control=create(SSESpecification={"Enabled": True, "SSEType": "KMS"}),
            name=name,
            code=code,
            phrase=phrase,
        )
        for rule, name, wanted, text, phrase, code in WRONG_KEYS
    ),
    creation(
        "tables.global-source",
        Step(
            "CreateTable",
            {"TableName": NEW, "GlobalTableSourceArn": "arn:aws:dynamodb:us-west-2:111111111111:table/none"},
        ),
        phrase="",
    ),
    creation(
        "tables.stream-off-with-view-type",
        create(StreamSpecification={"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}),
        f"{INVALID}Table is being created with a stream disabled, UpdateViewType should not be specified",
        control=create(StreamSpecification={"StreamEnabled": False}),
    ),
    creation(
        "tables.stream-on-without-view-type",
        create(StreamSpecification={"StreamEnabled": True}),
        f"{INVALID}Table is being created with a stream enabled, UpdateViewType is required",
        control=create(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}),
    ),
)

_SORTED = keyed("pk:S sk:S", "pk:HASH sk:RANGE")

SCHEMAS: tuple[Check, ...] = (
    creation(
        "tables.key-without-definition",
        keyed("pk:S", "pk:HASH sk:RANGE"),
        "Invalid KeySchema: Some index key attribute have no definition",
        control=_SORTED,
    ),
    creation(
        "tables.key-without-definition",
        keyed("pk:S", "pk:HASH pk:RANGE"),
        "Invalid KeySchema: Some index key attribute have no definition",
        control=_SORTED,
        name="twice the same",
    ),
    creation(
        "tables.key-undefined",
        keyed("b:S", "a:HASH"),
        f"{INVALID}Some index key attributes are not defined in AttributeDefinitions. Keys: [a], "
        "AttributeDefinitions: [b]",
        control=keyed("a:S", "a:HASH"),
    ),
    creation(
        "tables.key-same-name",
        keyed("pk:S sk:S", "pk:HASH pk:RANGE"),
        "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        control=_SORTED,
    ),
    creation(
        "tables.key-first-not-hash",
        keyed("pk:S", "pk:RANGE"),
        "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
    ),
    creation(
        "tables.key-second-not-range",
        keyed("pk:S sk:S", "pk:HASH sk:HASH"),
        "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
        control=_SORTED,
    ),
    creation(
        "tables.definition-repeated",
        keyed("pk:S pk:N", "pk:HASH"),
        "Attribute Name is duplicated: pk",
        control=keyed("pk:S", "pk:HASH"),
    ),
    creation(
        "tables.definitions-beyond-key",
        keyed("pk:S v:S", "pk:HASH"),
        f"{INVALID}Number of attributes in KeySchema does not exactly match number of attributes defined in "
        "AttributeDefinitions",
        control=keyed("pk:S", "pk:HASH"),
    ),
    creation(
        "tables.definitions-unused",
        keyed("pk:S g:S v:S", "pk:HASH", GlobalSecondaryIndexes=table(gsi=["by_g=g:S"])["GlobalSecondaryIndexes"]),
        phrase="Some AttributeDefinitions are not used",
        control=keyed("pk:S g:S", "pk:HASH", GlobalSecondaryIndexes=table(gsi=["by_g=g:S"])["GlobalSecondaryIndexes"]),
    ),
)

_ZERO = {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
_FIVE = {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
_ABSENT = ("SSEDescription", "StreamSpecification", "LatestStreamArn", "TableClassSummary", "OnDemandThroughput")


def _told(rule: str, name: str, when: Step, at: str, has: dict[str, Json], lacks: Sequence[str], *given: Step) -> Check:
    """What a description holds and leaves out."""
    return answers(rule, when, at=at, has=has, lacks=lacks, name=name, tables=_NONE, given=given)


_SAID = create().body
_BY_OTHER_NAME = Step(
    "CreateTable",
    {**{name: _SAID[name] for name in _SAID if name != "BillingMode"}, "TableThroughputMode": "PAY_PER_REQUEST"},
)

DESCRIPTIONS: tuple[Check, ...] = (
    _told(
        "tables.create-answer",
        "on demand",
        create(),
        "TableDescription",
        {
            "TableStatus": "CREATING",
            "ItemCount": 0,
            "TableSizeBytes": 0,
            "DeletionProtectionEnabled": False,
            "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
            "ProvisionedThroughput": _ZERO,
            "KeySchema": schema("pk:HASH"),
            "AttributeDefinitions": definitions("pk:S"),
        },
        (*_ABSENT, "WarmThroughput"),
    ),
    _told(
        "tables.create-answer",
        "provisioned",
        provisioned(),
        "TableDescription",
        {"TableStatus": "CREATING", "ProvisionedThroughput": _FIVE},
        (*_ABSENT, "WarmThroughput", "BillingModeSummary"),
    ),
    _told(
        "tables.create-answer",
        "the default class asked for",
        create(TableClass="STANDARD"),
        "TableDescription",
        {"TableClassSummary": {"TableClass": "STANDARD"}},
        ("SSEDescription",),
    ),
    _told(
        "tables.create-answer",
        "warm throughput asked for",
        create(WarmThroughput={"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 5_000}),
        "TableDescription",
        {"WarmThroughput": {"ReadUnitsPerSecond": 13_000, "WriteUnitsPerSecond": 5_000, "Status": "UPDATING"}},
        (),
    ),
    _told(
        "tables.create-answer",
        "stream",
        create(StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}),
        "TableDescription",
        {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}},
        (),
    ),
    _told(
        "tables.description",
        "on demand",
        Step("DescribeTable", {"TableName": NEW}),
        "Table",
        {
            "TableStatus": "ACTIVE",
            "ProvisionedThroughput": _ZERO,
            "WarmThroughput": {"ReadUnitsPerSecond": 12_000, "WriteUnitsPerSecond": 4_000, "Status": "ACTIVE"},
        },
        _ABSENT,
        create(),
    ),
    _told(
        "tables.description",
        "billing",
        Step("DescribeTable", {"TableName": NEW}),
        "Table.BillingModeSummary",
        {"BillingMode": "PAY_PER_REQUEST"},
        (),
        create(),
    ),
    _told(
        "tables.throughput-mode",
        "alone",
        _BY_OTHER_NAME,
        "TableDescription.BillingModeSummary",
        {"BillingMode": "PAY_PER_REQUEST"},
        (),
    ),
    _told(
        "tables.throughput-mode",
        "beside the billing mode",
        provisioned(TableThroughputMode="PAY_PER_REQUEST"),
        "TableDescription",
        {"ProvisionedThroughput": _FIVE},
        ("BillingModeSummary",),
    ),
    _told(
        "tables.description",
        "provisioned",
        Step("DescribeTable", {"TableName": NEW}),
        "Table",
        {
            "TableStatus": "ACTIVE",
            "ProvisionedThroughput": _FIVE,
            "WarmThroughput": {"ReadUnitsPerSecond": 5, "WriteUnitsPerSecond": 5, "Status": "ACTIVE"},
        },
        (*_ABSENT, "BillingModeSummary"),
        provisioned(),
    ),
    _told(
        "tables.description",
        "stream that is off",
        Step("DescribeTable", {"TableName": NEW}),
        "Table",
        {"TableStatus": "ACTIVE"},
        _ABSENT,
        create(StreamSpecification={"StreamEnabled": False}),
    ),
    _told(
        "tables.delete-answer",
        "short",
        drop(NEW),
        "TableDescription",
        {
            "TableStatus": "DELETING",
            "ProvisionedThroughput": _FIVE,
            "ItemCount": 0,
            "TableSizeBytes": 0,
            "DeletionProtectionEnabled": False,
        },
        ("KeySchema", "AttributeDefinitions", "CreationDateTime", "GlobalSecondaryIndexes"),
        provisioned(),
    ),
)


_BASE = "${table:x}"
_THREE = [create(f"{_BASE}-{letter}") for letter in "cab"]


def _listed(name: str, when: dict[str, Json], letters: str, last: str | None) -> Check:
    """A page of ListTables; it begins after a name that only this check's tables follow directly."""
    has: dict[str, Json] = {"TableNames": [f"{_BASE}-{letter}" for letter in letters]}
    if last is not None:
        has["LastEvaluatedTableName"] = f"{_BASE}-{last}"
    lacks = () if last else ("LastEvaluatedTableName",)
    return answers(
        "tables.list-order", Step("ListTables", when), tables=_NONE, given=_THREE, name=name, has=has, lacks=lacks
    )


LISTS: tuple[Check, ...] = (
    _listed("limit", {"ExclusiveStartTableName": _BASE, "Limit": 2}, "ab", "b"),
    _listed("start", {"ExclusiveStartTableName": f"{_BASE}-a", "Limit": 1}, "b", "b"),
    _listed("start that is no table", {"ExclusiveStartTableName": f"{_BASE}-aa", "Limit": 1}, "b", "b"),
    _listed("end", {"ExclusiveStartTableName": "z" * 200}, "", None),
)

CHECKS: tuple[Check, ...] = (*NAMES, *BILLING, *SCHEMAS, *DESCRIPTIONS, *LISTS)
