"""PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy (beyond:POL-1 to POL-4): kept, not enforced."""

from __future__ import annotations

import re
from typing import Any

from reference.account import Account
from reference.backups.restore import restoring
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.rules import Checks, violation
from reference.tables import policies, streaming
from reference.tables.settings import Policy
from reference.tables.table import Table

NO_POLICY = "NO_POLICY"
_RESOURCE = re.compile(r"(arn:[^:]*:dynamodb:[^:]*:[^:]*:table/([a-zA-Z0-9_.-]+))(/stream/.+)?")


def put_resource_policy(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """PutResourcePolicy: the same policy again keeps its revision."""
    if not complete("PutResourcePolicy", body):
        return None
    arn, text, now = body["ResourceArn"], body["Policy"], context.now()
    yield from policies.check(text)
    table = yield from _table(context, arn)
    if table is None:
        return None
    held = table.settings.policies.get(arn)
    yield from _expected(body.get("ExpectedRevisionId"), held, table)
    yield from _cooldown(context, held, table)
    account = context.account
    last = policies.latest(account.rooms, account.tables.values())
    put, name = policies.revised(held, text, now, last), table.name

    def effect(account: Account) -> None:
        policies.revisions(account.rooms).last = max(last, int(put.revision))
        settings = account.tables[name].settings
        settings.policies = {**settings.policies, arn: put}

    return Outcome({"RevisionId": put.revision}, effects=(effect,), rules=("account.policy-revision",))


def get_resource_policy(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """GetResourcePolicy."""
    arn = body.get("ResourceArn")
    table = None if arn is None else (yield from _table(context, arn))
    if table is None or arn is None:
        return None
    held = table.settings.policies.get(arn)
    if held is None:
        yield violation("account.policy-missing", arn=arn)
        return None
    return Outcome({"Policy": held.text, "RevisionId": held.revision}, rules=("account.policy-revision",))


def delete_resource_policy(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DeleteResourcePolicy: without a policy there is nothing to do."""
    arn = body.get("ResourceArn")
    table = None if arn is None else (yield from _table(context, arn))
    if table is None or arn is None:
        return None
    held = table.settings.policies.get(arn)
    yield from _expected(body.get("ExpectedRevisionId"), held, table)
    yield from _cooldown(context, held, table)
    name = table.name

    def effect(account: Account) -> None:
        settings = account.tables[name].settings
        settings.policies = {each: policy for each, policy in settings.policies.items() if each != arn}

    answer = {} if held is None else {"RevisionId": held.revision}
    return Outcome(answer, effects=(effect,), rules=("account.policy-revision",))


def _table(context: Context, arn: str) -> Checks[Table | None]:
    """The table whose policy, or whose stream's policy, is meant."""
    parts = _RESOURCE.fullmatch(arn)
    if parts is None:
        yield violation("account.policy-resource", arn=arn)
        return None
    table = context.account.any_table(parts[1])
    if table is None or restoring(table):
        yield violation("tables.not-found", table=parts[2])
        return None
    labels = {span.label for span in table.settings.streams}
    if parts[3] is not None and parts[3].removeprefix("/stream/") not in labels:
        yield violation("account.policy-stream", arn=arn)
        return None
    return table


def _expected(revision: str | None, held: Policy | None, table: Table) -> Checks[None]:
    """A caller may name the revision it means to replace, or that it expects none."""
    if revision is None:
        return
    if revision == NO_POLICY:
        if held is not None:
            yield violation("account.policy-unexpected", table=table.name, revision=held.revision)
    elif held is None or held.revision != revision:
        current = "" if held is None else held.revision
        yield violation("account.policy-stale", given=revision, table=table.name, revision=current)


def _cooldown(context: Context, held: Policy | None, table: Table) -> Checks[None]:
    wait = context.account.limits.policy_cooldown
    if held is not None and context.now() < held.changed + wait:
        again = streaming.label(held.changed + wait, ())
        yield violation("account.policy-cooldown", table=table.name, ms=round(wait * 1000), again=again)


OPERATIONS: dict[str, Operation] = {
    "PutResourcePolicy": put_resource_policy,
    "GetResourcePolicy": get_resource_policy,
    "DeleteResourcePolicy": delete_resource_policy,
}
