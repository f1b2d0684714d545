"""What a refusal says of itself: the rule whose words it has, and the way of refusing that it breaks."""

from __future__ import annotations

import re

from conformance.oracle.wording import recognise
from reference.api import Call, Json, Refusal
from reference.rules import Rule
from reference.service import Service


def recognised(call: Call, reply: Refusal) -> Rule | None:
    """The rule whose words a refusal has; the words of a legacy parameter tell of none where none is used."""
    rule = recognise(reply, call.operation)
    legacy = rule is not None and rule.capability == "legacy" and call.operation in _LEGACY
    return None if legacy and not _LEGACY[call.operation] & call.body.keys() else rule


def refused_as(call: Call, rule: Rule, reply: Refusal) -> str | None:
    """The rule about the way of refusing that another error breaks, whatever is wrong with the request."""
    reasons = reply.fields.get("CancellationReasons")
    codes = (
        {reason.get("Code") for reason in reasons if isinstance(reason, dict)} if isinstance(reasons, list) else set()
    )
    faulty = not codes or "ValidationError" in codes
    if reply.code == "TransactionCanceledException" and rule.error == "ValidationException" and faulty:
        return "transactions.refused-whole"
    if reply.code == "SerializationException" and reply.message is None and too_deep(call.body, _PARSED_DEPTH):
        return "wire.deep-json"
    return None


_PARSED_DEPTH = 64
"""Levels of JSON past which a target that knows a limit of its own gives up parsing, which DynamoDB does not."""
_LEGACY = {
    "PutItem": frozenset({"Expected", "ConditionalOperator"}),
    "DeleteItem": frozenset({"Expected", "ConditionalOperator"}),
    "UpdateItem": frozenset({"Expected", "ConditionalOperator", "AttributeUpdates"}),
    "GetItem": frozenset({"AttributesToGet"}),
    "Query": frozenset({"KeyConditions", "QueryFilter", "ConditionalOperator", "AttributesToGet"}),
    "Scan": frozenset({"ScanFilter", "ConditionalOperator", "AttributesToGet"}),
}


def too_deep(body: Json, most: int) -> bool:
    """Whether JSON is nested more than so many levels deep."""
    level = [body]
    for _ in range(most + 1):
        level = [
            inner
            for part in level
            if isinstance(part, dict | list)
            for inner in (part.values() if isinstance(part, dict) else part)
        ]
        if not level:
            return False
    return True


_OTHER_TYPE = re.compile(r"Attribute '(.*)' type mismatch\. .* IndexName: (.*)", re.DOTALL)


def of_a_filter(service: Service, reply: Refusal) -> bool:
    """Whether a refusal is about the type of an attribute by which a vector index only filters, which is disputed."""
    told = _OTHER_TYPE.search(reply.message or "")
    if told is None:
        return False
    tables = service.account.tables.values()
    indexes = (table.settings.vectors[told[2]] for table in tables if told[2] in table.settings.vectors)
    return any(index.hash != told[1] for index in indexes)
