"""Whether a table that a request names by its ARN is one that this account has in this Region (dataplane:WIRE-18)."""

from __future__ import annotations

from typing import Any

from reference.account import Account
from reference.requests import is_table_arn
from reference.rules import Checks, violation


def checks(account: Account, body: dict[str, Any]) -> Checks[None]:
    """What keeps the table of ``TableName`` out of reach, whatever is asked of it."""
    arn = body.get("TableName")
    if not isinstance(arn, str) or not arn.startswith("arn:") or not is_table_arn(arn):
        return
    _, partition, _, region, owner, _ = arn.split(":", 5)
    if partition != account.arn("").split(":", 2)[1]:
        yield violation("wire.arn-region", part="partition", arn=arn)
    elif region != account.region:
        yield violation("wire.arn-region", part="region", arn=arn)
    elif owner != account.account_id:
        yield violation("wire.arn-account", arn=arn)
