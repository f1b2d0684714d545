"""SSESpecification: what may be asked for, which key that names, and how often it may be asked for (beyond:SEC-3)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, TypeAlias

from reference.rules import Checks, violation
from reference.tables import streaming
from reference.tables.settings import DAY

Specification: TypeAlias = Mapping[str, Any]
MANAGED = "alias/aws/dynamodb"
"""The alias of the key that AWS manages for an account's tables."""


def wanted(specification: Specification) -> bool:
    """Whether a specification asks for a KMS key; one without ``Enabled`` does if it names a type."""
    enabled = specification.get("Enabled")
    return bool(specification.get("SSEType")) if enabled is None else bool(enabled)


def checks(specification: Specification | None) -> Checks[None]:
    """What is wrong with a specification whatever table and key it is for."""
    if specification is None:
        return
    kind, key = specification.get("SSEType"), specification.get("KMSMasterKeyId")
    if specification.get("Enabled") is False:
        if kind is not None:
            yield violation("tables.sse-type-without-encryption")
        if key is not None:
            yield violation("tables.sse-key-without-encryption")
        return
    if kind == "AES256":
        yield violation("tables.sse-type-unsupported")
    elif key is not None and kind is None:
        yield violation("tables.sse-key-without-type")


def key_checks(specification: Specification | None, table_arn: str) -> Checks[None]:
    """Whether the key named can protect a table, as far as its name tells; asked last of all."""
    given = (specification or {}).get("KMSMasterKeyId")
    if given is None or not wanted(specification or {}):
        return
    region, account = table_arn.split(":")[3:5]
    parts = given.split(":")
    if given.startswith("arn:") and len(parts) > 5 and parts[3] != region:
        yield violation("tables.sse-key-elsewhere", region=parts[3])
    alias = parts[-1]
    if alias.startswith("alias/aws/") and alias != MANAGED:
        yield violation("tables.sse-key-of-service", account=account, key=key_arn(table_arn, given))


def key_arn(table_arn: str, given: str | None) -> str:
    """The ARN of the KMS key that protects a table; without one given, the key AWS manages in that account.

    ``given`` is a key's id or ARN, or an alias or its ARN: an alias names a key that is made up, always the same one.
    """
    region, account = table_arn.split(":")[3:5]
    home = f"arn:aws:kms:{region}:{account}:"
    name = MANAGED if given is None else given
    if name.startswith("arn:"):
        home, _, name = name.rpartition(":")
        home += ":"
    if name.startswith("alias/"):
        return f"{home}key/{uuid.uuid5(uuid.NAMESPACE_URL, home + name)}"
    return f"{home}{name}" if name.startswith("key/") else f"{home}key/{name}"


def window(changes: tuple[float, ...], now: float) -> tuple[float, ...]:
    """The changes within the 24 hours that the first of them began (epoch seconds), which are not over at ``now``."""
    begun: tuple[float, ...] = ()
    for moment in changes:
        begun = (*begun, moment) if begun and moment < begun[0] + DAY else (moment,)
    return begun if begun and now < begun[0] + DAY else ()


def quota(changes: tuple[float, ...], now: float, limit: int, interval: float) -> Checks[None]:
    """A few changes are free, each further one of the same 24 hours waits; ``changes`` are those of the window."""
    if len(changes) < limit or now >= changes[-1] + interval:
        return
    ending, due = changes[0] + DAY, changes[-1] + interval
    yield violation(
        "tables.sse-changes",
        ending=_stamp(ending),
        limit=limit,
        interval=round(interval),
        count=len(changes),
        last=_stamp(changes[-1]),
        next=_stamp(min(due, ending)),
    )


def _stamp(moment: float) -> str:
    return f"{streaming.label(moment, ())}Z"
