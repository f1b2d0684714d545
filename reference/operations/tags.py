"""TagResource, UntagResource, ListTagsOfResource (dataplane:TAG-1; beyond:TAG-1 to TAG-4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reference.account import Account
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.rules import Checks, violation
from reference.tables import tags
from reference.tables.table import Table

_SERVICE = re.compile(r"arn:[^:]*:([^:]*):")
_TABLE_ARN = re.compile(r"arn:[^:]*:dynamodb:[^:]*:[^:]*:table/[a-zA-Z0-9_.-]{3,255}(/stream/.+)?")
_PART_ARN = re.compile(r"arn:[^:]*:dynamodb:[^:]*:[^:]*:table/[^/]+/(index|backup)/.+")


@dataclass(frozen=True, slots=True)
class _Resource:
    """What has tags: a table, or the stream of it that has this label."""

    table: Table
    stream: str | None

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags it has."""
        return held_tags(self.table, self.stream)


def tagging(account: Account, table: Table) -> bool:
    """Whether a change of the table's tags is under way, where changes are slowed down (beyond:TAG-3)."""
    change = table.settings.tag_change
    return change is not None and account.now() < change.moment + account.limits.tag_cooldown


def held_tags(table: Table, stream: str | None) -> Mapping[str, str]:
    """The tags of a table, or of the stream of it that has this label: they are apart."""
    return table.settings.tags if stream is None else table.settings.stream_tags.get(stream, {})


def _keep(
    context: Context,
    found: _Resource,
    given: Mapping[str, str] | None,
    change: Callable[[Mapping[str, str]], dict[str, str]],
) -> Checks[Outcome | None]:
    """The outcome that changes the tags of a resource; it answers with no bytes at all (conflicts:118).

    ``given`` are the tags that are set, None where some are taken away.
    """
    name, stream, now = found.table.name, found.stream, context.now()
    before = found.table.settings.tag_change
    if tagging(context.account, found.table) and before is not None and not before.lets(given):
        yield violation("tables.tag-pending", table=name)
        return None
    if found.table.status == "DELETING" and change(found.tags) != found.tags:
        yield violation("tables.being-deleted", table=name)
        return None

    def effect(account: Account) -> None:
        table = account.tables[name]
        held = held_tags(table, stream)
        changed = change(held)
        if changed != held:
            table.settings.tag_change = tags.TagChange(now, given)
        if stream is None:
            table.settings.tags = changed
        else:
            table.settings.stream_tags = {**table.settings.stream_tags, stream: changed}

    return Outcome(None, effects=(effect,), rules=("tables.tag-answer" if stream is None else "tables.tags-of-stream",))


def tag_resource(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """TagResource: sets tags, all or none."""
    arn = yield from _arn(context, body)
    if not complete("TagResource", body):
        return None
    given = body["Tags"]
    if not given:
        yield violation("tables.tag-none")
    yield from tags.new_tags(given)
    found = None if arn is None else (yield from _resource(context, arn))
    if found is None:
        return None
    yield from tags.tag_count(given, found.tags, context.account.limits.tags)
    if not all("Key" in tag and "Value" in tag for tag in given):
        return None
    wanted = tags.merged({}, given)
    return (yield from _keep(context, found, wanted, lambda held: tags.merged(held, given)))


def untag_resource(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """UntagResource: a tag that is not there is no error."""
    arn = yield from _arn(context, body)
    if not complete("UntagResource", body):
        return None
    keys = body["TagKeys"]
    if not keys:
        yield violation("tables.untag-none")
    yield from tags.old_keys(keys, context.account.limits.tags)
    found = None if arn is None else (yield from _resource(context, arn))
    if found is None:
        return None
    return (
        yield from _keep(
            context, found, None, lambda held: {key: value for key, value in held.items() if key not in keys}
        )
    )


def list_tags(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ListTagsOfResource: all tags in one page; a stream has its own (beyond:STR-36)."""
    arn = yield from _arn(context, body)
    found = None if arn is None else (yield from _resource(context, arn))
    if found is None:
        return None
    told = [{"Key": key, "Value": value} for key, value in found.tags.items()]
    return Outcome({"Tags": told}, rules=("tables.tags-of-stream" if found.stream else "tables.tag-answer",))


def _arn(context: Context, body: dict[str, Any]) -> Checks[str | None]:
    """The ARN of a table or a stream, well formed (conflicts:97)."""
    arn: str | None = body.get("ResourceArn")
    if not arn:
        yield violation("tables.tag-arn-missing")
    elif not arn.startswith("arn:"):
        yield violation("tables.tag-arn-malformed", arn=arn)
    elif (of := _SERVICE.match(arn)) is not None and of[1] != "dynamodb":
        yield violation("tables.tag-other-account", arn=arn)
    elif (part := _PART_ARN.fullmatch(arn)) is not None:
        yield violation(f"tables.tag-arn-of-{part[1]}", arn=arn)
    elif _TABLE_ARN.fullmatch(arn) is None:
        yield violation("tables.tag-arn-no-table", arn=arn)
    else:
        return arn
    return None


def _resource(context: Context, arn: str) -> Checks[_Resource | None]:
    """The tagged table or stream; one that is being created can't be found yet (conflicts:98, 99)."""
    region, account = arn.split(":")[3:5]
    if account != context.account.account_id:
        yield violation("tables.tag-other-account", arn=arn)
        return None
    if region != context.account.region:
        yield violation("tables.tag-arn-no-table", arn=arn)
        return None
    of, _, stream = arn.partition("/stream/")
    table = context.account.any_table(of)
    known = table is not None and (not stream or any(span.label == stream for span in table.settings.streams))
    if table is None or not known or table.status == "CREATING":
        yield violation("tables.tag-not-found", arn=arn, table=of.partition("table/")[2])
        return None
    return _Resource(table, stream or None)


OPERATIONS: dict[str, Operation] = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsOfResource": list_tags,
}
