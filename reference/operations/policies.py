"""PutResourcePolicy, GetResourcePolicy, DeleteResourcePolicy (beyond:POL-1 to POL-4): kept, not enforced."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reference.account import Account
from reference.backups.restore import restoring
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.rules import Checks, violation
from reference.tables import policies, streaming
from reference.tables import policy_documents as documents
from reference.tables.settings import Policy
from reference.tables.table import Table

NO_POLICY = "NO_POLICY"
_RESOURCE = re.compile(
    r"arn:(?P<partition>[^:]*):dynamodb:(?P<region>[^:]*):(?P<account>[^:]*):table/(?P<table>[a-zA-Z0-9_.-]+)"
    r"(?:/(?P<kind>index|stream)/(?P<part>.+))?"
)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What has a policy: a table, or the stream with that label."""

    arn: str
    table: str
    label: str | None

    @property
    def owner(self) -> str:
        """The ARN of the table."""
        return self.arn.partition("/stream/")[0]

    def told(self) -> dict[str, str]:
        """How texts call it."""
        kind, subject = ("table", self.table) if self.label is None else ("stream", self.label)
        return {"kind": kind, "subject": subject}


def put_resource_policy(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """PutResourcePolicy: the same policy again keeps its revision."""
    if not complete("PutResourcePolicy", body):
        return None
    text, account, now = body["Policy"], context.account, context.now()
    subject = yield from _subject(context, body["ResourceArn"])
    if subject is None:
        return None
    yield from documents.check(text, subject.arn)
    table = yield from _table(context, subject)
    if table is None:
        return None
    if not body.get("ConfirmRemoveSelfResourceAccess") and documents.locks_out(text, account.account_id, subject.arn):
        yield violation("account.policy-lockout")
    held = policies.remains(table.settings.policies.get(subject.arn), now)
    yield from _expected(body.get("ExpectedRevisionId"), held, table)
    last = policies.latest(account.rooms, account.tables.values())
    put = policies.revised(held, text, now, last)
    if put is not held:
        yield from _open(context, subject, held, table)
    return Outcome(
        {"RevisionId": put.revision}, effects=(_become(subject, table.name, put),), rules=("account.policy-revision",)
    )


def get_resource_policy(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """GetResourcePolicy."""
    arn = body.get("ResourceArn")
    subject = None if arn is None else (yield from _subject(context, arn))
    if subject is None:
        return None
    if subject.label is not None and context.account.any_table(subject.owner) is None:
        yield violation("account.policy-missing", arn=subject.arn)
        return None
    table = yield from _table(context, subject)
    if table is None:
        return None
    held = table.settings.policies.get(subject.arn)
    if held is None or not held.text:
        yield violation("account.policy-missing", arn=subject.arn)
        return None
    return Outcome({"Policy": held.text, "RevisionId": held.revision}, rules=("account.policy-revision",))


def delete_resource_policy(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DeleteResourcePolicy: without a policy there is nothing to do, but soon after another it tells its revision."""
    arn = body.get("ResourceArn")
    subject = None if arn is None else (yield from _subject(context, arn))
    table = None if subject is None else (yield from _table(context, subject))
    if table is None or subject is None:
        return None
    account, now = context.account, context.now()
    held = policies.remains(table.settings.policies.get(subject.arn), now)
    yield from _expected(body.get("ExpectedRevisionId"), held, table)
    rules = ("account.policy-revision",)
    if held is None or not held.text:
        if table.status == "DELETING":
            yield violation("tables.being-deleted", table=table.name)
        return Outcome({} if held is None else {"RevisionId": held.revision}, rules=rules)
    yield from _open(context, subject, held, table)
    left = policies.deleted(now, policies.latest(account.rooms, account.tables.values()))
    return Outcome({"RevisionId": held.revision}, effects=(_become(subject, table.name, left),), rules=rules)


def _become(subject: _Subject, name: str, policy: Policy) -> Callable[[Account], None]:
    def effect(account: Account) -> None:
        room = policies.revisions(account.rooms)
        room.last = max(room.last, int(policy.revision))
        settings = account.tables[name].settings
        settings.policies = {**settings.policies, subject.arn: policy}

    return effect


def _subject(context: Context, arn: str) -> Checks[_Subject | None]:
    """What an ARN names: a table or stream of the account in this region, there or not."""
    if not arn.startswith("arn:"):
        yield violation("account.policy-arn", arn=arn)
        return None
    parts = _RESOURCE.fullmatch(arn)
    if parts is None:
        yield violation("account.policy-resource", arn=arn)
        return None
    account = context.account
    if parts["account"] != account.account_id:
        yield violation("account.policy-other-account")
    elif (parts["partition"], parts["region"]) != (account.arn("").split(":")[1], account.region):
        yield violation("account.policy-elsewhere", arn=arn)
    elif parts["kind"] == "index":
        yield violation("account.policy-index", arn=arn)
    else:
        return _Subject(arn, parts["table"], parts["part"])
    return None


def _table(context: Context, subject: _Subject) -> Checks[Table | None]:
    """The table whose policy, or whose stream's policy, is meant."""
    table = context.account.any_table(subject.owner)
    if table is None or restoring(table) or table.arriving:
        yield violation("tables.not-found", table=subject.table)
        return None
    if subject.label is not None and subject.label not in {span.label for span in table.settings.streams}:
        yield violation("account.policy-stream", label=subject.label, table=table.name)
        return None
    return table


def _expected(revision: str | None, held: Policy | None, table: Table) -> Checks[None]:
    """A caller may name the revision it means to replace, or that it expects none."""
    if revision is None:
        return
    if revision == NO_POLICY:
        if held is not None and held.text:
            yield violation("account.policy-unexpected", table=table.name, revision=held.revision)
    elif held is None:
        yield violation("account.policy-none", given=revision, table=table.name)
    elif held.revision != revision:
        yield violation("account.policy-stale", given=revision, table=table.name, revision=held.revision)


def _open(context: Context, subject: _Subject, held: Policy | None, table: Table) -> Checks[None]:
    """Whether a policy may change now."""
    if table.status == "DELETING":
        yield violation("tables.being-deleted", table=table.name)
    wait = context.account.limits.policy_cooldown
    if held is None or context.now() >= held.changed + wait:
        return
    told = subject.told()
    if policies.pending((held,), context.now()):
        yield violation("account.policy-pending", kind=told["kind"].capitalize(), subject=told["subject"])
    again = streaming.label(held.changed + wait, ())
    yield violation("account.policy-cooldown", **told, ms=round(wait * 1000), again=again)


OPERATIONS: dict[str, Operation] = {
    "PutResourcePolicy": put_resource_policy,
    "GetResourcePolicy": get_resource_policy,
    "DeleteResourcePolicy": delete_resource_policy,
}
