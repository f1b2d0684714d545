"""CreateTable, DescribeTable, DeleteTable, ListTables, and what an account says about itself."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from reference import lifecycle
from reference.account import Account
from reference.backups.restore import restoring
from reference.operations import replicas
from reference.operations.base import Context, Operation, Outcome
from reference.operations.complete import complete
from reference.operations.tags import tagging
from reference.replicas import members
from reference.replicas.standing import TOLD
from reference.rules import Checks, violation
from reference.tables import create, describe, encryption, maxima, policies
from reference.tables.definition import watched
from reference.tables.outline import outline
from reference.tables.table import Table

LIST_LIMIT = 100
_SEE_RESTORES = ("DescribeTable", "DeleteTable")
"""The operations on a table that find one whose restore has not ended (beyond:RST-4)."""


def plain_name(name: str) -> str:
    """The table's name in a ``TableName`` that may be an ARN (dataplane:WIRE-18)."""
    return name.split(":table/", 1)[1] if name.startswith("arn:") and ":table/" in name else name


def known_table(context: Context, body: dict[str, Any]) -> Checks[Table | None]:
    """The table that a control-plane request names, in whatever state (dataplane:ORD-8)."""
    name = body.get("TableName")
    if name is None:
        return None
    table = context.account.any_table(name)
    if table is None or ((restoring(table) or _arriving(table, body)) and context.operation not in _SEE_RESTORES):
        yield violation("tables.not-found", table=plain_name(name))
        return None
    return table


def _arriving(table: Table, body: dict[str, Any]) -> bool:
    """Whether a table is a replica that is not ready; changes of replicas find it all the same (beyond:GT-14)."""
    return table.arriving and not body.get("ReplicaUpdates")


def create_table(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """CreateTable: what the request says, then whether the name is free, then the account's quotas."""
    if body.get("GlobalTableSourceArn") is not None:
        yield violation("tables.global-source", source=body["GlobalTableSourceArn"])
        return None
    if not complete("CreateTable", body):
        return None
    account, name = context.account, plain_name(body["TableName"])
    place = create.Place(
        name=name,
        arn=account.arn(f"table/{name}"),
        id=account.coming_id(),
        now=context.now(),
        limits=account.limits,
        taken_labels=lifecycle.known_labels(account, name),
        revision=policies.latest(account.rooms, account.tables.values()),
    )
    table = yield from create.new_table(body, place)
    held = account.tables.get(name)
    if held is not None:
        yield violation(_taken(held), table=name)
    yield from quotas(account, body)
    _, usable = yield from watched(encryption.key_checks(body.get("SSESpecification"), place.arn))
    if table is None or held is not None or not usable:
        return None
    answer = {"TableDescription": describe.table(table, context.now(), fresh=True)}
    made = table

    def effect(account: Account) -> None:
        account.new_id()
        lifecycle.begin(account, made.copy())

    return Outcome(answer, effects=(effect,), rules=("tables.create-answer",))


def _taken(held: Table) -> str:
    """The rule that a new table breaks which has the name of one that is there (beyond:TBL-2, RST-4)."""
    if restoring(held):
        return "tables.being-used"
    return "tables.being-created" if held.status == "CREATING" else "tables.exists"


def quotas(account: Account, body: dict[str, Any]) -> Checks[None]:
    """What an account may hold (beyond:CAP-8, THR-11)."""
    limits = account.limits
    if len(account.tables) >= limits.tables:
        yield violation("account.tables", limit=limits.tables)
    changing = sum(each.status in ("CREATING", "UPDATING", "DELETING") for each in account.tables.values())
    if changing >= limits.changing_tables:
        yield violation("account.changing-tables", limit=limits.changing_tables)
    parts = (body, *(body.get("GlobalSecondaryIndexes") or ()))
    held = account.provisioned()
    for i, member in enumerate(maxima.UNIT_MEMBERS):
        asked = sum((each.get("ProvisionedThroughput") or {}).get(member, 0) for each in parts)
        if held[i] + asked > limits.account_units:
            yield maxima.account_quota(member, held[i], asked, limits, account.region)
    for each in parts:
        name, region = each.get("IndexName", ""), account.region
        if each.get("ProvisionedThroughput") is not None:
            yield from maxima.table_quota(each["ProvisionedThroughput"], limits, region, name)
        wanted, warm = each.get("OnDemandThroughput") or {}, each.get("WarmThroughput") or {}
        yield from maxima.limit_quota(wanted, limits, region, f"index : {name}" if name else "table")
        yield from maxima.warm_quota(warm, limits, region, f"index {name}" if name else "table")


def describe_table(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeTable."""
    table = yield from known_table(context, body)
    if table is None:
        return None
    return Outcome({"Table": describe.table(table, context.now())}, rules=("tables.description",))


def delete_table(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DeleteTable: refused while the table is protected or changes, or is on its way out already."""
    table = yield from known_table(context, body)
    if table is None:
        return None
    yield from replicas.delete_checks(context.account, table)
    refused = yield from _unsettled(table)
    if context.account.limits.policy_cooldown and policies.pending(table.settings.policies.values(), context.now()):
        yield violation("account.policy-pending-delete", table=table.name)
        return None
    if tagging(context.account, table):
        yield violation("tables.delete-while-tagging", table=table.name)
        return None
    if refused or table.settings.deletion_protection:
        return None
    name = table.name
    told = outline(table)
    told.status = "DELETING"

    def effect(account: Account) -> None:
        lifecycle.end(account, account.tables[name])
        members.leave(account, account.tables[name])

    answer = {"TableDescription": describe.deleted(told, context.now())}
    if context.account.world is not None and members.group_of(context.account, table) is not None:
        answer["TableDescription"]["Replicas"] = table.settings.extra[TOLD]["Replicas"]
    return Outcome(answer, effects=(effect,), rules=("tables.delete-answer",))


def _unsettled(table: Table) -> Checks[bool]:
    """Whether something about a table still changes, so that it can't be deleted (dataplane:TBL-16, beyond:TBL-2)."""
    settings = table.settings
    states = [index.status for index in table.indexes.values() if index.schema.kind == "GSI"]
    states += [vector.status for vector in settings.vectors.values()]
    if table.status == "CREATING":
        yield violation("tables.being-created", table=table.name)
    elif table.status == "DELETING":
        yield violation("tables.being-deleted", table=table.name)
    elif any(state != "ACTIVE" for state in states):
        yield violation("tables.delete-while-indexing")
    elif "stream" in settings.busy:
        yield violation("tables.delete-while-streaming")
    elif table.status == "UPDATING" or settings.warm_status != "ACTIVE" or settings.sse_status == "UPDATING":
        yield violation("tables.delete-while-updating", table=table.name)
    else:
        return False
    return True


def list_tables(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """ListTables: names in byte order after a start that need not exist (dataplane:TBL-18, beyond:TBL-1)."""
    yield from ()
    names = sorted(context.account.tables, key=lambda name: name.encode())
    start = body.get("ExclusiveStartTableName")
    if start is not None:
        names = names[bisect_right(names, start.encode("utf-8", "surrogatepass"), key=lambda name: name.encode()) :]
    limit = min(max(body.get("Limit") or LIST_LIMIT, 1), LIST_LIMIT)
    answer: dict[str, Any] = {"TableNames": names[:limit]}
    if len(names) > limit:
        answer["LastEvaluatedTableName"] = names[limit - 1]
    return Outcome(answer, rules=("tables.list-order",))


def describe_limits(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeLimits: the quotas, whatever is in use (beyond:CAP-8)."""
    yield from ()
    limits = context.account.limits
    return Outcome(
        {
            "AccountMaxReadCapacityUnits": limits.account_units,
            "AccountMaxWriteCapacityUnits": limits.account_units,
            "TableMaxReadCapacityUnits": limits.table_units,
            "TableMaxWriteCapacityUnits": limits.table_units,
        },
        rules=("account.limits",),
    )


def describe_endpoints(context: Context, body: dict[str, Any]) -> Checks[Outcome | None]:
    """DescribeEndpoints: the region's one endpoint (dataplane:WIRE-19)."""
    yield from ()
    address = f"dynamodb.{context.account.region}.amazonaws.com"
    return Outcome({"Endpoints": [{"Address": address, "CachePeriodInMinutes": 1440}]}, rules=("account.endpoints",))


OPERATIONS: dict[str, Operation] = {
    "CreateTable": create_table,
    "DescribeTable": describe_table,
    "DeleteTable": delete_table,
    "ListTables": list_tables,
    "DescribeLimits": describe_limits,
    "DescribeEndpoints": describe_endpoints,
}
