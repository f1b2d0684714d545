"""Whether a table that a request names by its ARN is one that this account has in this Region (dataplane:WIRE-18)."""

from __future__ import annotations

from typing import Any

from reference.account import Account
from reference.requests import is_table_arn
from reference.rules import Checks, violation


def by_arn(body: dict[str, Any]) -> bool:
    """Whether a request names its table by an ARN."""
    name = body.get("TableName")
    return isinstance(name, str) and name.startswith("arn:") and is_table_arn(name)


def checks(account: Account, body: dict[str, Any]) -> Checks[None]:
    """What keeps a table that is named by its ARN out of reach, whatever is asked of it."""
    arn = body["TableName"]
    _, partition, _, region, owner, _ = arn.split(":", 5)
    if partition != account.arn("").split(":", 2)[1]:
        yield violation("wire.arn-region", part="partition", arn=arn)
    elif region != account.region:
        yield violation("wire.arn-region", part="region", arn=arn)
    elif owner != account.account_id:
        yield violation("wire.arn-account", arn=arn)
