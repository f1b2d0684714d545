"""The shapes of every request, from the service model, with what AWS enforces where that differs.

The model is botocore's (``dynamodb`` 2012-08-10 and ``dynamodbstreams`` 2012-08-10), read once, when first needed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from botocore.loaders import Loader

Kind = Literal[
    "string", "integer", "long", "double", "boolean", "blob", "timestamp", "structure", "list", "map", "value", "table"
]  # fmt: skip
"""``value`` is one AttributeValue, ``table`` a table's name or ARN."""

NAME_PATTERN = "[a-zA-Z0-9_.-]+"
_TABLE_ARN = re.compile(r"arn:[^:]*:dynamodb:[^:]*:[^:]*:table/[^/]+", re.DOTALL)
_MAX_NAME, _MAX_ARN = 255, 1024


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One shape of the model.

    ``members`` stand in the order in which the service lists what they break. ``element`` is what a list or a map
    holds, ``keys`` what a map is keyed by. ``min`` and ``max`` bound a length, or the value of a number.
    """

    name: str
    kind: Kind
    members: Mapping[str, Shape] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    element: Shape | None = None
    keys: Shape | None = None
    min: int | None = None
    max: int | None = None
    pattern: str | None = None
    enum: tuple[str, ...] = ()

    @property
    def constrained(self) -> bool:
        """Whether a well-typed value of this very shape, its members aside, can break a constraint."""
        return self.min is not None or self.max is not None or self.pattern is not None or bool(self.enum)


ENUM_ORDERS: Mapping[str, tuple[str, ...]] = {
    "ReturnConsumedCapacity": ("INDEXES", "TOTAL", "NONE"),
    "ReturnItemCollectionMetrics": ("SIZE", "NONE"),
    "ReturnValue": ("ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"),
    "Select": ("SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"),
    "ComparisonOperator": (
        "IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT", "NOT_NULL", "NE", "LE", "BEGINS_WITH", "GE",
        "CONTAINS",
    ),
    "ConditionalOperator": ("OR", "AND"),
    "KeyType": ("HASH", "RANGE"),
    "ScalarAttributeType": ("B", "N", "S"),
    "BillingMode": ("PROVISIONED", "PAY_PER_REQUEST"),
    "ProjectionType": ("ALL", "INCLUDE", "KEYS_ONLY"),
    "ApproximateCreationDateTimePrecision": ("MILLISECOND", "MICROSECOND"),
    "ReturnValuesOnConditionCheckFailure": ("ALL_OLD", "NONE"),
    "StreamViewType": ("OLD_IMAGE", "KEYS_ONLY", "NEW_AND_OLD_IMAGES", "NEW_IMAGE"),
    "ContributorInsightsAction": ("ENABLE", "DISABLE"),
    "ContributorInsightsMode": ("THROTTLED_KEYS", "ACCESSED_AND_THROTTLED_KEYS"),
    "VectorDistanceFunction": ("DOT_PRODUCT", "COSINE", "EUCLIDEAN"),
}  # fmt: skip
"""Enum sets as messages list them (dataplane:VAL-4, conflicts gap 2); the rest follow ``_enum_order``."""

_SHAPES: Mapping[str, Mapping[str, Any]] = {
    # Names of attributes are measured in bytes, by the value layer (dataplane:TYPE-5).
    "AttributeName": {"max": None},
    # A replica in another account needs no schema, every other table does (messages §2).
    "CreateTableInput": {"required": ["TableName", "KeySchema", "AttributeDefinitions"]},
    # The model lets a token be left out, the service does not; every SDK makes one up (beyond:IMP-8).
    "ImportTableInput": {
        "required": ["ClientToken", "S3BucketSource", "InputFormat", "TableCreationParameters"],
    },
    # CreateTable and UpdateTable word a bad class themselves (beyond:SEC-1): wire.table-class.
    "TableClass": {"enum": ()},
    # Tags are judged by hand (beyond:TAG-2): tables.tag-key-invalid, tables.tag-value-invalid.
    "TagKeyString": {"min": None, "max": None},
    "TagValueString": {"min": None, "max": None},
    # The model leaves it open, the service does not.
    "KMSMasterKeyId": {"min": 1},
    # Java classes that Python's patterns lack; the second needs surrogate pairs and refuses next to nothing.
    "AutoScalingPolicyName": {"pattern": r"[\x20-\x7e]+"},
    "AutoScalingRoleArn": {"pattern": None},
}
"""Shapes whose constraints AWS does not enforce as the model states them."""

_MEMBERS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    # Tables and local indexes take two key attributes, global indexes more (dataplane:IDX-9, TBL-3).
    ("CreateTableInput", "KeySchema"): {"max": 2},
    ("LocalSecondaryIndex", "KeySchema"): {"max": 2},
    ("TableCreationParameters", "KeySchema"): {"max": 2},
    # The streams API bounds its pages, which the model leaves open (beyond:STR-27, STR-28, STR-33).
    ("ListStreamsInput", "Limit"): {"max": 100},
    ("DescribeStreamInput", "Limit"): {"max": 100},
    ("GetRecordsInput", "Limit"): {"max": 1000},
    # Tagging words a missing or malformed ARN itself (messages §10).
    ("TagResourceInput", "ResourceArn"): {"min": None, "max": None},
    ("UntagResourceInput", "ResourceArn"): {"min": None, "max": None},
    ("ListTagsOfResourceInput", "ResourceArn"): {"min": None, "max": None},
    # These take an ARN only, and word anything else themselves (beyond:EXP-2, RST-6).
    ("ExportTableToPointInTimeInput", "TableArn"): {"kind": "string", "min": None},
    ("ListExportsInput", "TableArn"): {"kind": "string"},
    ("ListImportsInput", "TableArn"): {"kind": "string"},
    ("RestoreTableToPointInTimeInput", "SourceTableArn"): {"kind": "string"},
    ("DescribeBackupInput", "BackupArn"): {"min": None},
    ("DeleteBackupInput", "BackupArn"): {"min": None},
    ("CreateTableInput", "GlobalTableSourceArn"): {"kind": "string"},
    # The control plane measures names as it did before ARNs (dataplane:VAL-7).
    ("CreateTableInput", "TableName"): {"min": 3},
    ("UpdateTableInput", "TableName"): {"min": 3},
    ("DeleteTableInput", "TableName"): {"min": 3},
    ("DescribeTableInput", "TableName"): {"min": 3},
    ("DescribeTimeToLiveInput", "TableName"): {"min": 3},
    ("UpdateTimeToLiveInput", "TableName"): {"min": 3},
}
"""Members for which AWS enforces something else than their shape says."""

_FURTHER: Mapping[str, Mapping[str, Any]] = {
    "CreateTableInput": {"TableThroughputMode": {"shape": "BillingMode"}},
    "UpdateTableInput": {"TableThroughputMode": {"shape": "BillingMode"}},
}
"""Members that the service takes and the published model lacks (tables.throughput-mode)."""

_OPTIONAL = {
    ("TagResourceInput", "ResourceArn"),
    ("UntagResourceInput", "ResourceArn"),
    ("ListTagsOfResourceInput", "ResourceArn"),
    ("CreateReplicationGroupMemberAction", "RegionName"),
    ("Tag", "Key"),
    ("Tag", "Value"),
}
"""Members the model requires whose absence the operation words itself."""


def java_hash(text: str) -> int:
    """Java's ``String.hashCode``, as an unsigned number."""
    code = 0
    for unit in text.encode("utf-16-be").hex(" ", 2).split():
        code = (31 * code + int(unit, 16)) & 0xFFFFFFFF
    return code


def _enum_order(values: Iterable[str]) -> tuple[str, ...]:
    """The order of a Java hash table of 32 buckets, which the recorded enum sets have (dataplane:VAL-4)."""
    return tuple(sorted(values, key=lambda value: java_hash(value) & 31))


def _member_order(names: list[str]) -> list[str]:
    """The order of a Java ``HashMap`` of the member names.

    Every order recorded from the older front end and the control plane in 2026 fits it (dataplane:DRIFT-2e, DRIFT-3,
    VAL-10, VAL-13, ORD-5); the model's own order fits none of them.
    """
    buckets = 16
    while len(names) > buckets * 3 // 4:
        buckets *= 2

    return sorted(names, key=lambda name: _bucket(lower_first(name), buckets))


def set_order(names: Iterable[str], least: int) -> list[str]:
    """The order of a Java ``HashSet`` of those names that was made for ``least`` of them, a power of two."""
    held = list(names)
    buckets = least
    while len(held) > buckets * 3 // 4:
        buckets *= 2
    return sorted(held, key=lambda name: _bucket(name, buckets))


def _bucket(name: str, buckets: int) -> int:
    code = java_hash(name)
    return (code ^ code >> 16) & (buckets - 1)


def lower_first(name: str) -> str:
    """The member name as paths in messages spell it (dataplane:VAL-2)."""
    return name[:1].lower() + name[1:]


def is_table_arn(name: str) -> bool:
    """Whether a table is named by its ARN (dataplane:WIRE-18)."""
    return len(name) <= _MAX_ARN and _TABLE_ARN.fullmatch(name) is not None


@functools.cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A constraint's pattern, to be matched against the whole value."""
    return re.compile(pattern)


class _Model:
    """Builds shapes from one service's model."""

    def __init__(self, service: str, *, patterns: bool = True) -> None:
        # The published model only: a folder of models in somebody's home must not change what DynamoDB does.
        loader = Loader(include_default_search_paths=False, extra_search_paths=[Loader.BUILTIN_DATA_PATH])
        self.raw: dict[str, Any] = loader.load_service_model(service, "service-2")
        self.patterns = patterns
        self.built: dict[tuple[str, str], Shape] = {}

    def operations(self, *wanted: str) -> dict[str, Shape]:
        """Operation name → shape of its input; of all operations or those named."""
        known = self.raw["operations"]
        return {name: self.shape(known[name]["input"]["shape"]) for name in wanted or known}

    def shape(self, name: str, parent: str = "", member: str = "") -> Shape:
        """A shape, as it stands at a member of its parent."""
        changed = _MEMBERS.get((parent, member))
        slot = (name, f"{parent}.{member}" if changed else "")
        if slot not in self.built:
            self.built[slot] = self._build(name, changed or {})
        return self.built[slot]

    def _build(self, name: str, changed: Mapping[str, Any]) -> Shape:
        raw = {**self.raw["shapes"][name], **_SHAPES.get(name, {})}
        kind: Kind = raw["type"]
        members: dict[str, Shape] = {}
        element = keys = None
        if name == "AttributeValue":
            return Shape(name, "value")
        if name == "TableArn":
            kind, raw["min"], raw["max"], raw["pattern"] = "table", 1, _MAX_NAME, NAME_PATTERN
            if changed.get("kind") == "string":
                raw["max"], raw["pattern"] = _MAX_ARN, None
        if kind == "structure":
            specs = {**raw["members"], **_FURTHER.get(name, {})}
            members = {m: self.shape(specs[m]["shape"], name, m) for m in _member_order(list(specs))}
        elif kind == "list":
            element = self.shape(raw["member"]["shape"])
        elif kind == "map":
            keys, element = self.shape(raw["key"]["shape"]), self.shape(raw["value"]["shape"])
        enum = raw.get("enum", ())
        fields: dict[str, Any] = {
            "kind": kind,
            "min": raw.get("min"),
            "max": raw.get("max"),
            "pattern": raw.get("pattern") if self.patterns else None,
            "enum": ENUM_ORDERS.get(name) or _enum_order(enum),
            **changed,
        }
        required = frozenset(m for m in raw.get("required", ()) if (name, m) not in _OPTIONAL)
        return Shape(name=name, members=members, required=required, element=element, keys=keys, **fields)


@functools.cache
def inputs() -> Mapping[str, Shape]:
    """The input shape of every operation of DynamoDB and DynamoDB Streams, by operation name."""
    return {**_Model("dynamodb").operations(), **_Model("dynamodbstreams").operations()}


NEIGHBOURS: Mapping[str, tuple[str, ...]] = {
    "application-autoscaling": (
        "DeleteScalingPolicy", "DeregisterScalableTarget", "DescribeScalableTargets", "DescribeScalingActivities",
        "DescribeScalingPolicies", "PutScalingPolicy", "RegisterScalableTarget",
    ),
    "cloudwatch": ("GetInsightRuleReport", "GetMetricData", "GetMetricStatistics", "ListMetrics"),
}  # fmt: skip
"""What is modelled of other services: what users of DynamoDB call."""


@functools.cache
def neighbours() -> Mapping[str, Shape]:
    """The input shape of the operations of other services, by name with the service's in front."""
    # Their patterns are Java's, need surrogate pairs and refuse next to nothing.
    return {
        f"{service}:{name}": shape
        for service, wanted in NEIGHBOURS.items()
        for name, shape in _Model(service, patterns=False).operations(*wanted).items()
    }


def input_of(operation: str) -> Shape:
    """The input shape of an operation of whichever service. KeyError when there is none."""
    return neighbours()[operation] if ":" in operation else inputs()[operation]
