"""TagResource, UntagResource, ListTagsOfResource (dataplane:TAG-1; beyond:TAG-1 to TAG-4)."""

from __future__ import annotations

import re
from typing import Any

from reference.account import Account
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.rules import Checks, violation
from reference.tables import tags
from reference.tables.table import Table

_SERVICE = re.compile(r"arn:[^:]*:([^:]*):")
_TABLE_ARN = re.compile(r"arn:[^:]*:dynamodb:[^:]*:[^:]*:table/[a-zA-Z0-9_.-]{3,255}")


def tag_resource(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """TagResource: sets tags, all or none; answers with no bytes at all (conflicts:118)."""
    arn = yield from _arn(context, body)
    if not complete("TagResource", body):
        return None
    given = body["Tags"]
    if not given:
        yield violation("tables.tag-none")
    yield from tags.new_tags(given)
    if arn is None:
        return None
    table = yield from _table(context, arn)
    if table is None:
        return None
    yield from tags.tag_count(given, table.settings.tags, context.account.limits.tags)
    name = table.name

    def effect(account: Account) -> None:
        held = account.tables[name].settings
        held.tags = tags.merged(held.tags, given)

    return Outcome(None, effects=(effect,), rules=("tables.tag-answer",))


def untag_resource(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """UntagResource: a tag that is not there is no error."""
    arn = yield from _arn(context, body)
    if not complete("UntagResource", body):
        return None
    keys = body["TagKeys"]
    if not keys:
        yield violation("tables.untag-none")
    if arn is None:
        return None
    table = yield from _table(context, arn)
    if table is None:
        return None
    name = table.name

    def effect(account: Account) -> None:
        held = account.tables[name].settings
        held.tags = {key: value for key, value in held.tags.items() if key not in keys}

    return Outcome(None, effects=(effect,), rules=("tables.tag-answer",))


def list_tags(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ListTagsOfResource: all tags in one page; a stream may be asked for its own, and has none (beyond:STR-36)."""
    if _is_stream(context, body.get("ResourceArn")):
        return Outcome({"Tags": []}, rules=("tables.tag-answer",))
    arn = yield from _arn(context, body)
    table = None if arn is None else (yield from _table(context, arn))
    if table is None:
        return None
    told = [{"Key": key, "Value": value} for key, value in table.settings.tags.items()]
    return Outcome({"Tags": told}, rules=("tables.tag-answer",))


def _is_stream(context: Context, arn: str | None) -> bool:
    """Whether it is the ARN of a stream of a table that is there."""
    table, mark, label = (arn or "").partition("/stream/")
    held = context.account.any_table(table) if mark and table.startswith("arn:") else None
    return held is not None and any(span.label == label for span in held.settings.streams)


def _arn(context: Context, body: dict[str, Any]) -> Checks[str | None]:
    """The table's ARN, well formed (conflicts:97)."""
    arn: str | None = body.get("ResourceArn")
    if not arn:
        yield violation("tables.tag-arn-missing")
    elif not arn.startswith("arn:"):
        yield violation("tables.tag-arn-malformed")
    elif (of := _SERVICE.match(arn)) is not None and of[1] != "dynamodb":
        yield violation("tables.tag-other-account", operation=context.operation, arn=arn)
    elif _TABLE_ARN.fullmatch(arn) is None:
        yield violation("tables.tag-arn-no-table", arn=arn)
    else:
        return arn
    return None


def _table(context: Context, arn: str) -> Checks[Table | None]:
    """The tagged table; one that is being created can't be found yet (conflicts:98, 99)."""
    region, account = arn.split(":")[3:5]
    if account != context.account.account_id:
        yield violation("tables.tag-other-account", operation=context.operation, arn=arn)
        return None
    if region != context.account.region:
        yield violation("tables.tag-arn-no-table", arn=arn)
        return None
    table = context.account.any_table(arn)
    if table is None or table.status == "CREATING":
        yield violation("tables.tag-not-found", arn=arn)
        return None
    if table.status == "DELETING":
        yield violation("tables.being-deleted", table=table.name)
        return None
    return table


OPERATIONS: dict[str, Operation] = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsOfResource": list_tags,
}
