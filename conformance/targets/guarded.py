"""A transport to an endpoint that is not ours: what it makes is written down, what it costs is counted and capped."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from conformance.targets.costs import Meter
from conformance.targets.ledger import TableLedger, names_of
from conformance.targets.raw import RawReply, RawRequest, parse_reply
from conformance.targets.transport import HttpTransport
from reference.api import Call, Lost, Refusal, Reply, Success

ALLOWED = frozenset(
    {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem",
     "TransactGetItems", "TransactWriteItems", "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction",
     "CreateTable", "DescribeTable", "UpdateTable", "DeleteTable", "ListTables", "UpdateTimeToLive",
     "DescribeTimeToLive", "TagResource", "UntagResource", "ListTagsOfResource", "DescribeLimits",
     "DescribeEndpoints", "DescribeContinuousBackups", "ListStreams", "DescribeStream", "GetShardIterator",
     "GetRecords"}
)  # fmt: skip
"""What is put to endpoints that are paid for: nothing that copies data, reaches other services or outlives a table."""
_ELSEWHERE = ("Replicas", "ReplicaUpdates", "GlobalTableWitnessUpdates", "WarmThroughput", "SSESpecification")
_THROTTLES = frozenset({"ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"})
_SLOW = frozenset({"CreateTable", "UpdateTable", "DeleteTable"})
_BUSY = frozenset({"LimitExceededException", "ThrottlingException"})
TRIES = 8
"""How often a call on a table's settings is tried that the endpoint is too busy for."""
PAUSE, LONGEST = 0.05, 5.0
"""Seconds of the first pause after a throttled call, doubled at each further one, and of the longest."""
_ACCOUNT = re.compile(r"arn:aws[a-z-]*:dynamodb:[^:]*:(\d{12}):")


def allowed(operation: str, body: Any) -> bool:
    """Whether a call may be put to an endpoint that is paid for."""
    members = body if isinstance(body, Mapping) else {}
    if members.get("TableClass") not in (None, "STANDARD", "STANDARD_INFREQUENT_ACCESS"):
        return operation in ALLOWED
    return operation in ALLOWED and not any(member in members for member in _ELSEWHERE)


class GuardedTransport:
    """Sends as ``inner`` does, and besides: keeps the ledger, counts the cost, holds back when throttled.

    Once the cap is well passed, or a table turns out to be in another account than ``account``, only deletions and
    descriptions go out; ``blocked`` says why. With ``meter`` None nothing is paid for here.
    """

    def __init__(
        self,
        inner: HttpTransport,
        *,
        ledger: TableLedger | None = None,
        meter: Meter | None = None,
        account: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.inner = inner
        self.ledger = ledger
        self.meter = meter
        self.blocked = ""
        self._account = account
        self._throttled = 0
        self._sleep = sleep

    def clone(self) -> GuardedTransport:
        """Itself: all clients share one ledger and one meter."""
        return self

    def close(self) -> None:
        """Let go of connections."""
        self.inner.close()

    def send(self, call: Call, *, raw: RawRequest | None = None, timeout: float = 10.0) -> Reply:
        """Put one call; one on a table's settings that meets a busy endpoint is tried again."""
        for attempt in range(TRIES):
            answer = self.send_raw(call, raw=raw, timeout=timeout)
            reply = answer if isinstance(answer, Lost) else parse_reply(answer)
            if not (call.operation in _SLOW and isinstance(reply, Refusal) and reply.code in _BUSY):
                break
            self._sleep(min(LONGEST, PAUSE * 2**attempt))
        return reply

    def send_raw(self, call: Call, *, raw: RawRequest | None = None, timeout: float = 10.0) -> RawReply | Lost:
        """As ``send``, once, but hand back the HTTP answer unread."""
        if self.blocked or (self.meter is not None and self.meter.far_over):
            self.blocked = self.blocked or f"the cap of ${self.meter.cap if self.meter else 0:.2f} is reached"
            if call.operation not in ("DeleteTable", "DescribeTable", "UpdateTable"):
                return Lost(f"refused: {self.blocked}")
        if self._throttled:
            self._sleep(min(LONGEST, PAUSE * 2 ** (self._throttled - 1)))
        name = names_of(call.body)
        if self.ledger is not None and call.operation == "CreateTable" and name:
            self.ledger.note("asked", name)
        answer = self.inner.send_raw(call, raw=raw, timeout=timeout)
        reply = answer if isinstance(answer, Lost) else parse_reply(answer)
        self._throttled = self._throttled + 1 if isinstance(reply, Refusal) and reply.code in _THROTTLES else 0
        if self.meter is not None:
            self.meter.count(call, reply)
        if name and call.operation in ("CreateTable", "DeleteTable"):
            self._note(call.operation, name, reply)
        return answer

    def _note(self, operation: str, name: str, reply: Reply) -> None:
        if operation == "DeleteTable":
            gone = isinstance(reply, Success) or (
                isinstance(reply, Refusal) and reply.code == "ResourceNotFoundException"
            )
            if gone and self.ledger is not None:
                self.ledger.note("gone", name)
            return
        if self.ledger is not None and not isinstance(reply, Lost):
            self.ledger.note("made" if isinstance(reply, Success) else "refused", name)
        if isinstance(reply, Success) and self._account is not None:
            found = account_in(reply)
            if found is not None and found != self._account:
                self.blocked = f"the endpoint makes tables in account {found}, not in --account-id {self._account}"
                self.send_raw(Call("DeleteTable", {"TableName": name}))


def account_in(reply: Reply) -> str | None:
    """The account that a table's description names in its ARN."""
    body = reply.body if isinstance(reply, Success) and isinstance(reply.body, dict) else {}
    table = body.get("Table") or body.get("TableDescription")
    found = _ACCOUNT.match(str(table.get("TableArn"))) if isinstance(table, dict) else None
    return found[1] if found else None


def account_of(transport: HttpTransport) -> str | None:
    """The account behind an endpoint, by the ARN of a table that is there; None when there is none to be seen."""
    listed = transport.send(Call("ListTables", {"Limit": 1}))
    names = listed.body.get("TableNames") if isinstance(listed, Success) and isinstance(listed.body, dict) else None
    if not names:
        return None
    return account_in(transport.send(Call("DescribeTable", {"TableName": names[0]})))
