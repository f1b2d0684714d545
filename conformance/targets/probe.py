"""Which operations does a target have? One harmless invalid request each tells."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from botocore.loaders import Loader

from conformance.targets.process import Process
from conformance.targets.profile import CAPABILITIES, Profile
from conformance.targets.target import Target
from reference.api import Call, Lost, Refusal, Reply

Support = Literal["yes", "no", "unknown"]
"""``unknown``: no answer came, so that nothing can be said."""

PROBE_TIMEOUT = 5.0
"""Seconds in which one probing call must be answered."""
LOG_LIMIT = 0.3
"""Seconds to wait for what a server logs about a failure it has just answered."""
_LOG_POLL = 0.01

OPERATIONS_OF: Mapping[str, tuple[str, ...]] = {
    "items": ("PutItem", "GetItem", "UpdateItem", "DeleteItem"),
    "queries": ("Query",),
    "scans": ("Scan",),
    "batches": ("BatchGetItem", "BatchWriteItem"),
    "transactions": ("TransactWriteItems", "TransactGetItems"),
    "partiql": ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"),
    "tables": ("CreateTable", "DescribeTable", "UpdateTable", "DeleteTable", "ListTables"),
    "streams": ("ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"),
    "ttl": ("UpdateTimeToLive", "DescribeTimeToLive"),
    "backups": (
        "CreateBackup", "DescribeBackup", "ListBackups", "DeleteBackup", "RestoreTableFromBackup",
        "RestoreTableToPointInTime", "UpdateContinuousBackups", "DescribeContinuousBackups",
    ),
    "transfer": (
        "ExportTableToPointInTime", "DescribeExport", "ListExports", "ImportTable", "DescribeImport", "ListImports",
    ),
    "vectors": ("SearchVectors",),
    "bulk": ("StartBulkPutItems", "DescribeBulkOperation", "ListBulkOperations", "CancelBulkOperation"),
    "account": ("DescribeLimits", "DescribeEndpoints"),
    "global-tables": (
        "CreateGlobalTable", "DescribeGlobalTable", "ListGlobalTables", "UpdateGlobalTable",
        "DescribeGlobalTableSettings", "UpdateGlobalTableSettings", "DescribeTableReplicaAutoScaling",
        "UpdateTableReplicaAutoScaling",
    ),
    "scaling": ("application-autoscaling:DescribeScalableTargets",),
    "metrics": ("cloudwatch:ListMetrics",),
}  # fmt: skip
"""The operations without which there is nothing of a capability; one that is not listed needs none of its own."""

_UNKNOWN = {
    "UnknownOperationException",
    "UnknownOperation",
    "InvalidAction",
    "NotImplementedException",
    "NotImplemented",
}
_WORDS = re.compile(
    r"not (?:yet |currently )?(?:been )?implemented|NotImplemented|OperationNotFound|unsupported (?:service|operation)"
    r"|unknown (?:operation|service|action)",
    re.IGNORECASE,
)

_RAISED = re.compile(rf"^[\w.]*(?:Error|Exception)\b|{_WORDS.pattern}", re.IGNORECASE | re.MULTILINE)
"""The last line of a traceback, or words that tell enough: a log may lag behind the answer."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found, by operation. ``capabilities`` are those of which at least one operation may be there."""

    support: Mapping[str, Support]
    capabilities: frozenset[str]

    def having(self, support: Support) -> tuple[str, ...]:
        """The operations of that answer, sorted."""
        return tuple(sorted(name for name, found in self.support.items() if found == support))


@functools.cache
def operations() -> tuple[str, ...]:
    """All operations worth probing: DynamoDB's and its streams', and one of each neighbouring service."""
    loader = Loader()
    names: list[str] = []
    for service in ("dynamodb", "dynamodbstreams"):
        names += sorted(loader.load_service_model(service, "service-2")["operations"])
    return (*names, *(name for listed in OPERATIONS_OF.values() for name in listed if ":" in name))


def probe(target: Target, names: Iterable[str] | None = None) -> Probe:
    """Ask a target for each operation with an empty body, which none carries out but the listing ones."""
    support = {name: _ask(target, name) for name in (operations() if names is None else names)}
    return Probe(support, capabilities_of(support))


def capabilities_of(support: Mapping[str, Support]) -> frozenset[str]:
    """The capabilities of which not every operation asked for is missing."""
    return frozenset(name for name in CAPABILITIES if not _missing(OPERATIONS_OF.get(name, ()), support))


def informed(profile: Profile, found: Probe) -> Profile:
    """A profile with what a probe found: no more capabilities than are there, and the operations that are not."""
    claimed = found.capabilities if profile.capabilities is None else profile.capabilities & found.capabilities
    return replace(profile, capabilities=claimed, unsupported=frozenset(found.having("no")))


def _missing(names: Collection[str], support: Mapping[str, Support]) -> bool:
    asked = [support[name] for name in names if name in support]
    return bool(asked) and all(answer == "no" for answer in asked)


def _ask(target: Target, name: str) -> Support:
    mark = 0 if target.process is None else target.process.log_size()
    reply = target.transport.send(Call(name, {}), timeout=PROBE_TIMEOUT)
    answer = says(reply)
    if answer == "yes" and target.process is not None and _failed(reply):
        # Some servers answer alike to what they lack and to what they choke on; only their log tells.
        return "no" if _WORDS.search(_logged(target.process, mark)) else "yes"
    return answer


def says(reply: Reply) -> Support:
    """Whether a reply to an empty request comes from a target that has the operation."""
    if isinstance(reply, Lost):
        if not reply.why.startswith("garbage: status"):
            return "unknown"
        return "no" if reply.why.startswith("garbage: status 501") or _WORDS.search(reply.why) else "yes"
    if isinstance(reply, Refusal):
        if reply.code in _UNKNOWN or reply.status == 501:
            return "no"
        if not reply.code and _WORDS.search(f"{reply.message} {dict(reply.fields)}"):
            return "no"
    return "yes"


def _failed(reply: Reply) -> bool:
    return isinstance(reply, Lost) or (isinstance(reply, Refusal) and reply.status >= 500)


def _logged(process: Process, mark: int) -> str:
    """What the process has logged since ``mark``, once that tells what was raised, or after a while."""
    deadline = time.monotonic() + LOG_LIMIT
    text = process.logged(mark)
    while _RAISED.search(text) is None and time.monotonic() < deadline:
        time.sleep(_LOG_POLL)
        text = process.logged(mark)
    return text
