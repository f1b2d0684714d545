"""Checks of changes of replicas: who may come and go, and what the table that was asked tells of them."""

from __future__ import annotations

from conformance.checks.base import T0, Check, table
from conformance.checks.steps import answers, describe, n, put, refuses, s, t_put, transact
from conformance.program import Step
from reference.api import Json

HERE, THERE, ELSEWHERE = "us-east-1", "eu-west-1", "us-west-2"
_INVALID = "One or more parameter values were invalid: "


def change(*updates: Json, **members: Json) -> Step:
    """UpdateTable with these changes of replicas."""
    return Step("UpdateTable", {"TableName": T0, "ReplicaUpdates": list(updates), **members})


def creating(region: str, **members: Json) -> Json:
    """A new replica."""
    return {"Create": {"RegionName": region, **members}}


def deleting(region: str) -> Json:
    """A replica that goes."""
    return {"Delete": {"RegionName": region}}


def strong(*regions: str, witness: str | None = None, **members: Json) -> Step:
    """UpdateTable to strong consistency with replicas in these regions."""
    more = {**members, **({"GlobalTableWitnessUpdates": [{"Create": {"RegionName": witness}}]} if witness else {})}
    return change(*(creating(each) for each in regions), MultiRegionConsistency="STRONG", **more)


JOINED = [change(creating(THERE))]
STRONG = [strong("us-east-2", ELSEWHERE)]
WITNESSED = [strong("us-east-2", witness=ELSEWHERE)]
_WITHOUT = {"GlobalTableWitnessUpdates": [{"Delete": {"RegionName": ELSEWHERE}}]}
_UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
PROVISIONED: dict[str, Json] = {"t0": {**table(), "BillingMode": "PROVISIONED", "ProvisionedThroughput": _UNITS}}
_DEFINITIONS = [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}]
_INDEX = {
    "IndexName": "by-g", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"}, "ProvisionedThroughput": _UNITS,
}  # fmt: skip
INDEXED = {"t0": {**PROVISIONED["t0"], "AttributeDefinitions": _DEFINITIONS, "GlobalSecondaryIndexes": [_INDEX]}}
_SLOT = {
    "ServiceNamespace": "dynamodb",
    "ResourceId": f"table/{T0}",
    "ScalableDimension": "dynamodb:table:WriteCapacityUnits",
}
_FOLLOWED = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBWriteCapacityUtilization"},
}
SCALED = [
    Step("application-autoscaling:RegisterScalableTarget", {**_SLOT, "MinCapacity": 5, "MaxCapacity": 10}),
    Step(
        "application-autoscaling:PutScalingPolicy",
        {
            **_SLOT, "PolicyName": "follow", "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": _FOLLOWED,
        },
    ),
]  # fmt: skip
_OF = "for global tables with MultiRegionConsistency set to STRONG"
_STREAM_OFF = Step("UpdateTable", {"TableName": T0, "StreamSpecification": {"StreamEnabled": False}})
_KEYS_ONLY: dict[str, Json] = {
    "t0": {**table(), "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}}
}
_DELETE = Step("DeleteTable", {"TableName": T0})
_DISASSOCIATE: Json = {"Disassociate": {"RegionName": HERE, "DisassociationMode": "WAIT_FOR_REPLICATION"}}
_UNPROTECTED = Step("UpdateTable", {"TableName": T0, "DisassociationProtectionEnabled": False})


def _mode(mode: str) -> Step:
    return Step("UpdateTable", {"TableName": T0, "GlobalTableSettingsReplicationMode": mode})


def _expires() -> Step:
    specification = {"Enabled": True, "AttributeName": "expires"}
    return Step("UpdateTimeToLive", {"TableName": T0, "TimeToLiveSpecification": specification})


CHANGES: tuple[Check, ...] = (
    answers(
        "global-tables.update-answer",
        change(creating(THERE)),
        at="TableDescription",
        has={
            "TableStatus": "UPDATING",
            "GlobalTableVersion": "2019.11.21",
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        },
    ),
    answers(
        "global-tables.update-answer",
        STRONG[0],
        at="TableDescription",
        has={"TableStatus": "UPDATING", "GlobalTableVersion": "2019.11.21", "MultiRegionConsistency": "STRONG"},
        name="strong",
    ),
    answers(
        "global-tables.update-answer",
        change(creating(THERE), creating(THERE)),
        at="TableDescription",
        has={"TableStatus": "UPDATING"},
        name="the same twice",
    ),
    answers(
        "global-tables.description", describe(), given=JOINED, at="Table", lacks=["MultiRegionConsistency"],
        has={"GlobalTableVersion": "2019.11.21", "GlobalTableSettingsReplicationMode": "ENABLED_WITH_OVERRIDES"},
    ),
    answers(
        "global-tables.description", describe(), given=JOINED, at="Table.Replicas[0]", name="replica",
        has={"RegionName": THERE}, lacks=["ReplicaArn"],
    ),
    answers(
        "global-tables.description", describe(), given=[*JOINED, change(deleting(THERE))], at="Table",
        name="alone again",
        has={"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}},
        lacks=["Replicas", "GlobalTableVersion", "GlobalTableSettingsReplicationMode"],
    ),
    answers(
        "global-tables.description", describe(), given=STRONG, at="Table", name="strong",
        has={"MultiRegionConsistency": "STRONG"}, lacks=["GlobalTableWitnesses", "StreamSpecification"],
    ),
    answers(
        "global-tables.description", describe(), given=WITNESSED, at="Table", name="witness",
        has={"GlobalTableWitnesses": [{"RegionName": ELSEWHERE, "WitnessStatus": "ACTIVE"}]},
    ),
    answers(
        "global-tables.stream", describe(), given=JOINED, at="Table",
        has={"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}},
    ),
    answers(
        "global-tables.stream", describe(), given=JOINED, at="Table", tables=_KEYS_ONLY, name="one that is on",
        has={"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}},
    ),
    answers(
        "global-tables.same-settings", Step("DescribeTimeToLive", {"TableName": T0}), given=[*JOINED, _expires()],
        has={"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}},
    ),
    answers(
        "global-tables.delete-replica", _DELETE, at="TableDescription", has={"TableStatus": "DELETING"},
        given=[*JOINED, change(deleting(THERE))],
    ),
    answers(
        "scaling.replicas", Step("DescribeTableReplicaAutoScaling", {"TableName": T0}), given=JOINED,
        at="TableAutoScalingDescription", has={"TableName": T0},
    ),
    refuses(
        "global-tables.stream-stays", _STREAM_OFF,
        f"{_INVALID}Disabling Stream is not allowed for a Global Table replica.", given=JOINED, control=describe(),
    ),
    refuses(
        "global-tables.not-alone", strong("us-east-2", ELSEWHERE, DeletionProtectionEnabled=True),
        f"{_INVALID}Requests that modify replicas or witnesses must not also modify other fields",
        control=STRONG[0], name="strong",
    ),
    refuses(
        "tables.update-not-alone", change(creating(THERE), DeletionProtectionEnabled=True),
        f"{_INVALID}Replica modification must be the only operation in the request", control=change(creating(THERE)),
        name="replicas",
    ),
    refuses(
        "global-tables.not-alone", change(creating(THERE), AttributeDefinitions=_DEFINITIONS[:1]),
        f"{_INVALID}Requests that modify replicas or witnesses must not also modify other fields",
        control=change(creating(THERE)),
    ),
    refuses(
        "global-tables.nowhere", change({"Create": {}}),
        "One or more parameter values were invalid", control=change(creating(THERE)),
    ),
    refuses(
        "global-tables.no-action", change({}),
        "There are no actions specified in the Replica Update Action of the request.", control=change(creating(THERE)),
    ),
    refuses(
        "global-tables.no-action", change({"Update": {"RegionName": THERE}}),
        "There are no actions specified in the Replica Update Action of the request.", control=change(creating(THERE)),
        name="region only",
    ),
    refuses(
        "global-tables.several-actions", change({**creating(THERE), **deleting(THERE)}),
        "Update table operation with more than one type of replica actions not allowed.",
        control=change(creating(THERE)),
    ),
    refuses(
        "global-tables.one-at-a-time", change(creating(THERE), creating(ELSEWHERE)),
        "Update table operation with more than one create or delete replica actions not allowed",
        control=change(creating(THERE)),
    ),
    refuses(
        "global-tables.local-region", change(creating(HERE)),
        "Cannot add or delete the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as "
        "required.", control=change(creating(THERE)),
    ),
    refuses(
        "global-tables.replica-exists", change(creating(THERE)),
        f"Failed to create a the new replica of table with name: ‘{T0}’ because one or more replicas already existed "
        "as tables.",
        given=JOINED, control=change(creating(ELSEWHERE)),
    ),
    refuses(
        "global-tables.replica-missing", change(deleting(ELSEWHERE)),
        "Update global table operation failed because one or more replicas were not part of the global table. Please "
        f"retry the request without these replicas: [{ELSEWHERE}].",
        given=JOINED, control=change(deleting(THERE)),
    ),
    refuses(
        "global-tables.source-region", _DELETE,
        "Replica cannot be deleted because it has acted as a source region for new replica(s) being added to the table "
        "in the last 24 hours.",
        given=JOINED, control=change(deleting(THERE)),
    ),
    refuses(
        "global-tables.table-not-scaled", change(creating(THERE)),
        "Table write capacity should either be Pay-Per-Request or AutoScaled.", tables=PROVISIONED, control=describe(),
    ),
    answers(
        "global-tables.table-not-scaled", change(creating(THERE)), at="TableDescription",
        has={"TableStatus": "UPDATING"}, given=SCALED, tables=PROVISIONED, name="scaled",
    ),
    refuses(
        "global-tables.index-not-scaled", change(creating(THERE)),
        "GSI write capacity should either be Pay-Per-Request or AutoScaled.", tables=INDEXED, given=SCALED,
        control=describe(),
    ),
)  # fmt: skip

_READS: Json = {"ProvisionedThroughputOverride": {"ReadCapacityUnits": 10}}
_MOST: Json = {"OnDemandThroughputOverride": {"MaxReadRequestUnits": 100}}
_KEY = "arn:aws:kms:us-east-1:400000000004:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_ENCRYPTED: dict[str, Json] = {
    "t0": {**table(), "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": _KEY}}
}
_AWAY_KEY = "1234abcd-12ab-34cd-56ef-1234567890ac"


def overriding(region: str, **members: Json) -> Json:
    """A replica that gets settings of its own."""
    return {"Update": {"RegionName": region, **members}}


def _class(name: str) -> Step:
    return change(overriding(THERE, TableClassOverride=name))


OVERRIDES: tuple[Check, ...] = (
    refuses(
        "global-tables.no-action",
        change(overriding(THERE, GlobalSecondaryIndexes=[{"IndexName": "by-g"}])),
        "There are no actions specified in the Replica Update Action of the request.",
        given=JOINED,
        control=_class("STANDARD"),
        name="index only",
    ),
    refuses(
        "global-tables.replica-missing",
        change(overriding(ELSEWHERE, TableClassOverride="STANDARD")),
        "Update global table operation failed because one or more replicas were not part of the global table. Please "
        f"retry the request without these replicas: [{ELSEWHERE}].",
        given=JOINED,
        control=_class("STANDARD"),
        name="update",
    ),
    refuses(
        "global-tables.override-on-demand",
        change(overriding(THERE, **_READS)),
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        given=JOINED,
        control=change(overriding(THERE, **_MOST)),
    ),
    refuses(
        "global-tables.override-index",
        change(overriding(THERE, GlobalSecondaryIndexes=[{"IndexName": "by_g", **_READS}])),
        phrase="",
        given=JOINED,
        control=change(overriding(THERE, **_MOST)),
    ),
    answers(
        "global-tables.update-answer",
        change(creating(THERE, **_READS)),
        at="TableDescription",
        has={"TableStatus": "UPDATING"},
        name="reads of an on-demand replica",
    ),
    refuses(
        "global-tables.override-provisioned",
        change(overriding(THERE, **_MOST)),
        "MaxReadRequestUnits for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED",
        tables=PROVISIONED,
        given=[*SCALED, *JOINED],
        control=change(overriding(THERE, **_READS)),
    ),
    answers(
        "global-tables.description",
        describe(),
        tables=PROVISIONED,
        given=[*SCALED, *JOINED, change(overriding(THERE, **_READS))],
        at="Table.Replicas[0]",
        has=_READS,
        name="reads of its own",
    ),
    answers(
        "global-tables.description",
        describe(),
        tables=PROVISIONED,
        given=[
            *SCALED,
            *JOINED,
            change(overriding(THERE, **_READS)),
            change(overriding(THERE, ProvisionedThroughputOverride={"ReadCapacityUnits": 5})),
        ],
        at="Table.Replicas[0]",
        lacks=["ProvisionedThroughputOverride"],
        name="the same reads again",
    ),
    answers(
        "global-tables.description",
        describe(),
        given=JOINED,
        at="Table.Replicas[0]",
        lacks=["ReplicaTableClassSummary", "KMSMasterKeyId", "GlobalSecondaryIndexes"],
        name="nothing of its own",
    ),
    refuses(
        "global-tables.class-changes",
        Step("UpdateTable", {"TableName": T0, "TableClass": "STANDARD_INFREQUENT_ACCESS"}),
        phrase=f"Limit exceeded for replica in {THERE}. Updates to TableClass are limited to 2 times in 30 day(s)",
        code="LimitExceededException",
        given=[*JOINED, _class("STANDARD_INFREQUENT_ACCESS"), _class("STANDARD_INFREQUENT_ACCESS"), _class("STANDARD")],
        control=_class("STANDARD"),
    ),
    refuses(
        "global-tables.replica-key",
        change(creating(THERE)),
        f"{_INVALID}KMSMasterKeyId must be specified for each replica.",
        tables=_ENCRYPTED,
        control=change(creating(THERE, KMSMasterKeyId=_AWAY_KEY)),
    ),
    refuses(
        "global-tables.replica-key",
        change(overriding(THERE, KMSMasterKeyId="alias/aws/dynamodb")),
        f"{_INVALID}KMSMasterKeyId must be specified for each replica.",
        given=JOINED,
        control=_class("STANDARD"),
        name="later",
    ),
    refuses(
        "global-tables.replica-key-kinds",
        change(creating(THERE, KMSMasterKeyId="alias/aws/dynamodb")),
        f"{_INVALID}All replica keys must either be Customer Managed CMK or AWS Managed CMK.",
        tables=_ENCRYPTED,
        control=change(creating(THERE, KMSMasterKeyId=_AWAY_KEY)),
    ),
    refuses(
        "global-tables.replica-key-elsewhere",
        change(creating(THERE, KMSMasterKeyId=_KEY)),
        phrase=f"KMS validation error for region {THERE}: com.amazonaws.services.kms.model.NotFoundException: Invalid "
        "arn us-east-1",
        tables=_ENCRYPTED,
        control=change(creating(THERE, KMSMasterKeyId=_AWAY_KEY)),
    ),
)

STRENGTH: tuple[Check, ...] = (
    refuses(
        "global-tables.witness-without-strong",
        change(creating("us-east-2"), GlobalTableWitnessUpdates=[{"Create": {"RegionName": ELSEWHERE}}]),
        "MultiRegionConsistency must be set as STRONG when GlobalTableWitnessUpdates parameter is present.",
        control=WITNESSED[0],
    ),
    refuses(
        "global-tables.strong-count", strong("us-east-2"), f"Unsupported replica count {_OF}.", control=STRONG[0]
    ),
    refuses(
        "global-tables.strong-regions", strong("us-east-2", "us-west-1"),
        f"Unsupported Region(s) specified {_OF}: [us-west-1].", control=STRONG[0],
    ),
    refuses(
        "global-tables.strong-count", strong("us-west-1"), f"Unsupported replica count {_OF}.", given=JOINED,
        control=describe(), name="before region and group",
    ),
    refuses(
        "global-tables.strong-regions", strong("us-west-1", witness="us-west-1"),
        f"Unsupported Region(s) specified {_OF}: [us-west-1].", given=JOINED, control=describe(), name="before group",
    ),
    refuses(
        "global-tables.several-regions", strong("us-east-2", witness="us-east-2"),
        "Cannot target multiple regions with the same action", control=WITNESSED[0],
    ),
    refuses(
        "global-tables.witness-local", strong("us-east-2", witness=HERE),
        "Cannot add a witness in the same region as an existing replica when creating a global table with "
        "MultiRegionConsistency set to STRONG.", control=WITNESSED[0],
    ),
    refuses(
        "global-tables.witness-missing",
        change(deleting("us-east-2"), GlobalTableWitnessUpdates=[{"Delete": {"RegionName": THERE}}]),
        phrase="one or more witnesses were not part of the global table. Please retry the request without these "
        f"witnesses: [{THERE}].",
        given=WITNESSED, control=change(deleting("us-east-2"), **_WITHOUT),
    ),
    refuses(
        "global-tables.strong-only-create", change(deleting("us-east-2"), MultiRegionConsistency="STRONG"),
        "Only Replica Create actions are supported when MultiRegionConsistency parameter is provided.",
        given=WITNESSED, control=describe(),
    ),
    refuses(
        "global-tables.strong-too-late", change(creating(THERE), MultiRegionConsistency="EVENTUAL"),
        "MultiRegionConsistency parameter is unsupported on existing global table", given=WITNESSED,
        control=describe(), name="EVENTUAL",
    ),
    refuses(
        "global-tables.strong-complete", change(creating(THERE)),
        "Cannot add replicas to a global table with strong MultiRegionConsistency", given=STRONG, control=describe(),
    ),
    refuses(
        "global-tables.strong-too-late", strong("us-east-2", ELSEWHERE),
        "MultiRegionConsistency parameter is unsupported on existing global table", given=JOINED, control=describe(),
    ),
    refuses(
        "global-tables.strong-replica-alone", change(deleting(ELSEWHERE)),
        f"Deletion of only one table replica is not supported {_OF}.", given=STRONG,
        control=describe(),
    ),
    refuses(
        "global-tables.strong-replica-alone", _DELETE,
        f"Deletion of only one table replica is not supported {_OF}.", given=STRONG, control=describe(),
        name="DeleteTable",
    ),
    refuses(
        "global-tables.strong-witness-left", change(deleting("us-east-2")),
        "Update table delete operation does not include all witnesses.", given=WITNESSED,
        control=change(deleting("us-east-2"), **_WITHOUT),
    ),
    refuses(
        "global-tables.strong-transaction", transact(t_put()), phrase="", given=STRONG, control=put(),
    ),
    refuses(
        "global-tables.strong-expiry", _expires(), phrase="", given=STRONG, control=describe(),
    ),
    refuses(
        "global-tables.strong-table", STRONG[0], phrase="", given=[put({"v": n(1)})],
        control=Step("DeleteItem", {"TableName": T0, "Key": {"pk": s("a")}}),
    ),
    refuses(
        "global-tables.disassociation-protected", change(_DISASSOCIATE), phrase="", given=JOINED, control=_UNPROTECTED,
    ),
    refuses(
        "global-tables.disassociate-elsewhere", change({"Disassociate": {**_DISASSOCIATE["Disassociate"],
        "RegionName": THERE}}), phrase="", given=[*JOINED, _UNPROTECTED], control=change(_DISASSOCIATE),
    ),
)  # fmt: skip

_BUSY = "The resource which you are attempting to change is in use."

MODES: tuple[Check, ...] = (
    refuses(
        "global-tables.settings-mode", _mode("ENABLED_WITH_OVERRIDES"),
        "Value 'ENABLED_WITH_OVERRIDES' at 'GlobalTableSettingsReplicationMode' failed to satisfy constraint: Only "
        "ENABLED and DISABLED settings replication are supported for a Regional Table.",
        control=_mode("ENABLED"),
    ),
    answers(
        "global-tables.settings-mode-kept", describe(), at="Table", lacks=["GlobalTableSettingsReplicationMode"],
        name="at first",
    ),
    answers(
        "global-tables.settings-mode-kept", describe(), given=[_mode("ENABLED"), _mode("DISABLED"), _mode("DISABLED")],
        at="Table", has={"GlobalTableSettingsReplicationMode": "DISABLED", "TableStatus": "ACTIVE"},
    ),
)  # fmt: skip

LATER: tuple[Check, ...] = (
    refuses(
        "global-tables.replica-coming-twice", change(creating(THERE)),
        phrase="already exists with replicas in regions: ", code="ResourceInUseException", given=JOINED,
        control=describe(), needs="slow replica",
    ),
    refuses(
        "global-tables.busy", change(creating(ELSEWHERE)), _BUSY, code="ResourceInUseException", given=JOINED,
        control=describe(), needs="slow update",
    ),
    refuses(
        "global-tables.replica-coming", _expires(),
        f"Create/Update/Delete of replica is not allowed while the replica is being added to table with name: ‘{T0}’ "
        f"in region: ‘{THERE}’.",
        given=JOINED, control=describe(), needs="slow replica",
    ),
)  # fmt: skip

CHECKS: tuple[Check, ...] = (*CHANGES, *OVERRIDES, *STRENGTH, *MODES, *LATER)
